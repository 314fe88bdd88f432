//! PersistentVolume: its names and what may be done with it.

use super::{BodyType, Kind, Support};

/// The registry entry of PersistentVolume.
pub const KIND: Kind = Kind {
    group: "",
    version: "v1",
    kind: "PersistentVolume",
    plural: "persistentvolumes",
    singular: "persistentvolume",
    short_names: &["pv"],
    categories: &[],
    namespaced: false,
    subresources: &["status"],
    body: BodyType::Tree,
    support: Support::Simulated,
};
