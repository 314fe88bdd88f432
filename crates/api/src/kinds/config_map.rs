//! ConfigMap: its names and what may be done with it.

use super::{BodyType, Kind, Support};

/// The registry entry of ConfigMap.
pub const KIND: Kind = Kind {
    group: "",
    version: "v1",
    kind: "ConfigMap",
    plural: "configmaps",
    singular: "configmap",
    short_names: &["cm"],
    categories: &[],
    namespaced: true,
    subresources: &[],
    body: BodyType::Tree,
    support: Support::Simulated,
};
