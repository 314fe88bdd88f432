//! ClusterTrustBundle: its names and what may be done with it.

use super::{BodyType, Kind, Support};

/// The registry entry of ClusterTrustBundle.
pub const KIND: Kind = Kind {
    group: "certificates.k8s.io",
    version: "v1",
    kind: "ClusterTrustBundle",
    plural: "clustertrustbundles",
    singular: "clustertrustbundle",
    short_names: &[],
    categories: &[],
    namespaced: false,
    subresources: &[],
    body: BodyType::Tree,
    support: Support::Simulated,
};
