//! Node: its names and what may be done with it.

use super::{BodyType, Kind, Support};

/// The registry entry of Node.
pub const KIND: Kind = Kind {
    group: "",
    version: "v1",
    kind: "Node",
    plural: "nodes",
    singular: "node",
    short_names: &["no"],
    categories: &[],
    namespaced: false,
    subresources: &["status", "proxy"],
    body: BodyType::Node,
    support: Support::Simulated,
};
