//! ServiceAccount: its names and what may be done with it.

use super::{BodyType, Kind, Support};

/// The registry entry of ServiceAccount.
pub const KIND: Kind = Kind {
    group: "",
    version: "v1",
    kind: "ServiceAccount",
    plural: "serviceaccounts",
    singular: "serviceaccount",
    short_names: &["sa"],
    categories: &[],
    namespaced: true,
    subresources: &["token"],
    body: BodyType::Tree,
    support: Support::Simulated,
};
