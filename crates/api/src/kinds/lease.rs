//! Lease: its names and what may be done with it.

use super::{BodyType, Kind, Support};

/// The registry entry of Lease.
pub const KIND: Kind = Kind {
    group: "coordination.k8s.io",
    version: "v1",
    kind: "Lease",
    plural: "leases",
    singular: "lease",
    short_names: &[],
    categories: &[],
    namespaced: true,
    subresources: &[],
    body: BodyType::Tree,
    support: Support::Simulated,
};
