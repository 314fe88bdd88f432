//! Kinds that are served and of which nothing is stored under these names: what is only answered, and other versions of
//! stored kinds ([`crate::versions`]).

use super::{BodyType, Kind, Support, event, horizontal_pod_autoscaler};

/// The entry of Binding, by which a pod is bound to a node.
pub static BINDING: Kind = Kind {
    group: "",
    version: "v1",
    kind: "Binding",
    plural: "bindings",
    singular: "binding",
    short_names: &[],
    categories: &[],
    namespaced: true,
    subresources: &[],
    body: BodyType::Tree,
    support: Support::Simulated,
};

/// The entry of ComponentStatus, which the API server makes up when it is asked.
pub static COMPONENT_STATUS: Kind = Kind {
    group: "",
    version: "v1",
    kind: "ComponentStatus",
    plural: "componentstatuses",
    singular: "componentstatus",
    short_names: &["cs"],
    categories: &[],
    namespaced: false,
    subresources: &[],
    body: BodyType::Tree,
    support: Support::Simulated,
};

/// The older version of HorizontalPodAutoscaler.
pub static HORIZONTAL_POD_AUTOSCALER_V1: Kind = Kind { version: "v1", ..horizontal_pod_autoscaler::KIND };

/// Event in the group of its own.
pub static EVENTS_EVENT: Kind = Kind { group: "events.k8s.io", ..event::KIND };

/// All of them.
pub(super) static ALL: &[&Kind] =
    &[&BINDING, &COMPONENT_STATUS, &HORIZONTAL_POD_AUTOSCALER_V1, &EVENTS_EVENT];
