//! ReplicaSet: its names and what may be done with it.

use super::{BodyType, Kind, Support};

/// The registry entry of ReplicaSet.
pub const KIND: Kind = Kind {
    group: "apps",
    version: "v1",
    kind: "ReplicaSet",
    plural: "replicasets",
    singular: "replicaset",
    short_names: &["rs"],
    categories: &["all"],
    namespaced: true,
    subresources: &["status", "scale"],
    body: BodyType::Tree,
    support: Support::Simulated,
};
