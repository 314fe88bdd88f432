//! RuntimeClass: its names and what may be done with it.

use super::{BodyType, Kind, Support};

/// The registry entry of RuntimeClass.
pub const KIND: Kind = Kind {
    group: "node.k8s.io",
    version: "v1",
    kind: "RuntimeClass",
    plural: "runtimeclasses",
    singular: "runtimeclass",
    short_names: &[],
    categories: &[],
    namespaced: false,
    subresources: &[],
    body: BodyType::Tree,
    support: Support::NotSimulated("there is one container runtime"),
};
