//! Role: its names and what may be done with it.

use super::{BodyType, Kind, Support};

/// The registry entry of Role.
pub const KIND: Kind = Kind {
    group: "rbac.authorization.k8s.io",
    version: "v1",
    kind: "Role",
    plural: "roles",
    singular: "role",
    short_names: &[],
    categories: &[],
    namespaced: true,
    subresources: &[],
    body: BodyType::Tree,
    support: Support::NotSimulated("requests are not authorized here: everybody may do everything"),
};
