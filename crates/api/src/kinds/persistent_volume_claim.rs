//! PersistentVolumeClaim: its names and what may be done with it.

use super::{BodyType, Kind, Support};

/// The registry entry of PersistentVolumeClaim.
pub const KIND: Kind = Kind {
    group: "",
    version: "v1",
    kind: "PersistentVolumeClaim",
    plural: "persistentvolumeclaims",
    singular: "persistentvolumeclaim",
    short_names: &["pvc"],
    categories: &[],
    namespaced: true,
    subresources: &["status"],
    body: BodyType::Tree,
    support: Support::Simulated,
};
