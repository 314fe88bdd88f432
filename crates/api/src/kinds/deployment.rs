//! Deployment: its names and what may be done with it.

use super::{BodyType, Kind, Support};

/// The registry entry of Deployment.
pub const KIND: Kind = Kind {
    group: "apps",
    version: "v1",
    kind: "Deployment",
    plural: "deployments",
    singular: "deployment",
    short_names: &["deploy"],
    categories: &["all"],
    namespaced: true,
    subresources: &["status", "scale"],
    body: BodyType::Tree,
    support: Support::Simulated,
};
