//! NetworkPolicy: its names and what may be done with it.

use super::{BodyType, Kind, Support};

/// The registry entry of NetworkPolicy.
pub const KIND: Kind = Kind {
    group: "networking.k8s.io",
    version: "v1",
    kind: "NetworkPolicy",
    plural: "networkpolicies",
    singular: "networkpolicy",
    short_names: &["netpol"],
    categories: &[],
    namespaced: true,
    subresources: &[],
    body: BodyType::Tree,
    support: Support::NotSimulated("every pod reaches every pod"),
};
