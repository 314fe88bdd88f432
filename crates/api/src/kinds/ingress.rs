//! Ingress: its names and what may be done with it.

use super::{BodyType, Kind, Support};

/// The registry entry of Ingress.
pub const KIND: Kind = Kind {
    group: "networking.k8s.io",
    version: "v1",
    kind: "Ingress",
    plural: "ingresses",
    singular: "ingress",
    short_names: &["ing"],
    categories: &[],
    namespaced: true,
    subresources: &["status"],
    body: BodyType::Tree,
    support: Support::NotSimulated("there is no ingress controller"),
};
