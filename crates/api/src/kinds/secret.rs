//! Secret: its names and what may be done with it.

use super::{BodyType, Kind, Support};

/// The registry entry of Secret.
pub const KIND: Kind = Kind {
    group: "",
    version: "v1",
    kind: "Secret",
    plural: "secrets",
    singular: "secret",
    short_names: &[],
    categories: &[],
    namespaced: true,
    subresources: &[],
    body: BodyType::Tree,
    support: Support::Simulated,
};
