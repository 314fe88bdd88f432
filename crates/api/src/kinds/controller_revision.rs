//! ControllerRevision: its names and what may be done with it.

use super::{BodyType, Kind, Support};

/// The registry entry of ControllerRevision.
pub const KIND: Kind = Kind {
    group: "apps",
    version: "v1",
    kind: "ControllerRevision",
    plural: "controllerrevisions",
    singular: "controllerrevision",
    short_names: &[],
    categories: &[],
    namespaced: true,
    subresources: &[],
    body: BodyType::Tree,
    support: Support::Simulated,
};
