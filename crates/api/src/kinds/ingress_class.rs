//! IngressClass: its names and what may be done with it.

use super::{BodyType, Kind, Support};

/// The registry entry of IngressClass.
pub const KIND: Kind = Kind {
    group: "networking.k8s.io",
    version: "v1",
    kind: "IngressClass",
    plural: "ingressclasses",
    singular: "ingressclass",
    short_names: &[],
    categories: &[],
    namespaced: false,
    subresources: &[],
    body: BodyType::Tree,
    support: Support::NotSimulated("there is no ingress controller"),
};
