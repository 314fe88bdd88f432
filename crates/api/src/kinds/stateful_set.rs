//! StatefulSet: its names and what may be done with it.

use super::{BodyType, Kind, Support};

/// The registry entry of StatefulSet.
pub const KIND: Kind = Kind {
    group: "apps",
    version: "v1",
    kind: "StatefulSet",
    plural: "statefulsets",
    singular: "statefulset",
    short_names: &["sts"],
    categories: &["all"],
    namespaced: true,
    subresources: &["status", "scale"],
    body: BodyType::Tree,
    support: Support::Simulated,
};
