//! PodDisruptionBudget: its names and what may be done with it.

use super::{BodyType, Kind, Support};

/// The registry entry of PodDisruptionBudget.
pub const KIND: Kind = Kind {
    group: "policy",
    version: "v1",
    kind: "PodDisruptionBudget",
    plural: "poddisruptionbudgets",
    singular: "poddisruptionbudget",
    short_names: &["pdb"],
    categories: &[],
    namespaced: true,
    subresources: &["status"],
    body: BodyType::Tree,
    support: Support::Simulated,
};
