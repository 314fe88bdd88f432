//! Service: its names and what may be done with it.

use super::{BodyType, Kind, Support};

/// The registry entry of Service.
pub const KIND: Kind = Kind {
    group: "",
    version: "v1",
    kind: "Service",
    plural: "services",
    singular: "service",
    short_names: &["svc"],
    categories: &["all"],
    namespaced: true,
    subresources: &["status", "proxy"],
    body: BodyType::Tree,
    support: Support::Simulated,
};
