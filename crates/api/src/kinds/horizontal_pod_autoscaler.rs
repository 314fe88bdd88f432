//! HorizontalPodAutoscaler: its names and what may be done with it.

use super::{BodyType, Kind, Support};

/// The registry entry of HorizontalPodAutoscaler.
pub const KIND: Kind = Kind {
    group: "autoscaling",
    version: "v2",
    kind: "HorizontalPodAutoscaler",
    plural: "horizontalpodautoscalers",
    singular: "horizontalpodautoscaler",
    short_names: &["hpa"],
    categories: &["all"],
    namespaced: true,
    subresources: &["status"],
    body: BodyType::Tree,
    support: Support::Simulated,
};
