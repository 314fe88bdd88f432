//! Namespace: its names and what may be done with it.

use super::{BodyType, Kind, Support};

/// The registry entry of Namespace.
pub const KIND: Kind = Kind {
    group: "",
    version: "v1",
    kind: "Namespace",
    plural: "namespaces",
    singular: "namespace",
    short_names: &["ns"],
    categories: &[],
    namespaced: false,
    subresources: &["status", "finalize"],
    body: BodyType::Tree,
    support: Support::Simulated,
};
