//! ReplicationController: its names and what may be done with it.

use super::{BodyType, Kind, Support};

/// The registry entry of ReplicationController.
pub const KIND: Kind = Kind {
    group: "",
    version: "v1",
    kind: "ReplicationController",
    plural: "replicationcontrollers",
    singular: "replicationcontroller",
    short_names: &["rc"],
    categories: &["all"],
    namespaced: true,
    subresources: &["status", "scale"],
    body: BodyType::Tree,
    support: Support::Simulated,
};
