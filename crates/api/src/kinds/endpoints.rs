//! Endpoints: its names and what may be done with it.

use super::{BodyType, Kind, Support};

/// The registry entry of Endpoints.
pub const KIND: Kind = Kind {
    group: "",
    version: "v1",
    kind: "Endpoints",
    plural: "endpoints",
    singular: "endpoints",
    short_names: &["ep"],
    categories: &[],
    namespaced: true,
    subresources: &[],
    body: BodyType::Tree,
    support: Support::Simulated,
};
