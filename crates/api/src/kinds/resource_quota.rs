//! ResourceQuota: its names and what may be done with it.

use super::{BodyType, Kind, Support};

/// The registry entry of ResourceQuota.
pub const KIND: Kind = Kind {
    group: "",
    version: "v1",
    kind: "ResourceQuota",
    plural: "resourcequotas",
    singular: "resourcequota",
    short_names: &["quota"],
    categories: &[],
    namespaced: true,
    subresources: &["status"],
    body: BodyType::Tree,
    support: Support::Simulated,
};
