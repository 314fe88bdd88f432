//! StorageClass: its names and what may be done with it.

use super::{BodyType, Kind, Support};

/// The registry entry of StorageClass.
pub const KIND: Kind = Kind {
    group: "storage.k8s.io",
    version: "v1",
    kind: "StorageClass",
    plural: "storageclasses",
    singular: "storageclass",
    short_names: &["sc"],
    categories: &[],
    namespaced: false,
    subresources: &[],
    body: BodyType::Tree,
    support: Support::NotSimulated("volumes are not provisioned"),
};
