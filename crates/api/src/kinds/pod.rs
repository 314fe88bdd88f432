//! Pod: its names and what may be done with it.

use super::{BodyType, Kind, Support};

/// The registry entry of Pod.
pub const KIND: Kind = Kind {
    group: "",
    version: "v1",
    kind: "Pod",
    plural: "pods",
    singular: "pod",
    short_names: &["po"],
    categories: &["all"],
    namespaced: true,
    subresources: &[
        "status",
        "log",
        "exec",
        "attach",
        "portforward",
        "eviction",
        "binding",
        "ephemeralcontainers",
        "resize",
        "proxy",
    ],
    body: BodyType::Pod,
    support: Support::Simulated,
};
