//! LimitRange: its names and what may be done with it.

use super::{BodyType, Kind, Support};

/// The registry entry of LimitRange.
pub const KIND: Kind = Kind {
    group: "",
    version: "v1",
    kind: "LimitRange",
    plural: "limitranges",
    singular: "limitrange",
    short_names: &["limits"],
    categories: &[],
    namespaced: true,
    subresources: &[],
    body: BodyType::Tree,
    support: Support::Simulated,
};
