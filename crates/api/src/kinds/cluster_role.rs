//! ClusterRole: its names and what may be done with it.

use super::{BodyType, Kind, Support};

/// The registry entry of ClusterRole.
pub const KIND: Kind = Kind {
    group: "rbac.authorization.k8s.io",
    version: "v1",
    kind: "ClusterRole",
    plural: "clusterroles",
    singular: "clusterrole",
    short_names: &[],
    categories: &[],
    namespaced: false,
    subresources: &[],
    body: BodyType::Tree,
    support: Support::NotSimulated("requests are not authorized here: everybody may do everything"),
};
