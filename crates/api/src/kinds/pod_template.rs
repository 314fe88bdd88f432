//! PodTemplate: its names and what may be done with it.

use super::{BodyType, Kind, Support};

/// The registry entry of PodTemplate.
pub const KIND: Kind = Kind {
    group: "",
    version: "v1",
    kind: "PodTemplate",
    plural: "podtemplates",
    singular: "podtemplate",
    short_names: &[],
    categories: &[],
    namespaced: true,
    subresources: &[],
    body: BodyType::Tree,
    support: Support::Simulated,
};
