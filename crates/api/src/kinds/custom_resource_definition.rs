//! CustomResourceDefinition: its names and what may be done with it.

use super::{BodyType, Kind, Support};

/// The registry entry of CustomResourceDefinition.
pub const KIND: Kind = Kind {
    group: "apiextensions.k8s.io",
    version: "v1",
    kind: "CustomResourceDefinition",
    plural: "customresourcedefinitions",
    singular: "customresourcedefinition",
    short_names: &["crd", "crds"],
    categories: &["api-extensions"],
    namespaced: false,
    subresources: &["status"],
    body: BodyType::Tree,
    support: Support::Simulated,
};
