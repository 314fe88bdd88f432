//! PriorityClass: its names and what may be done with it.

use super::{BodyType, Kind, Support};

/// The registry entry of PriorityClass.
pub const KIND: Kind = Kind {
    group: "scheduling.k8s.io",
    version: "v1",
    kind: "PriorityClass",
    plural: "priorityclasses",
    singular: "priorityclass",
    short_names: &["pc"],
    categories: &[],
    namespaced: false,
    subresources: &[],
    body: BodyType::Tree,
    support: Support::Simulated,
};
