//! The scheduling framework: what plugins are made of and what runs them.
//!
//! Source: pkg/scheduler/framework and k8s.io/kube-scheduler/framework (v1.37).

pub mod cluster_event;
pub mod cycle_state;
pub mod fit_error;
pub mod node_info;
pub mod plugin;
pub mod pod_info;
pub mod resource;
pub mod runtime;
pub mod status;

pub use cluster_event::{ActionType, ClusterEvent, EventObjects, EventResource};
pub use cycle_state::CycleState;
pub use node_info::NodeInfo;
pub use plugin::{FilterContext, Plugin, PluginId, PluginSet, PreFilterResult};
pub use pod_info::PodInfo;
pub use resource::{Resource, is_scalar_resource_name};
pub use status::{Code, Reason, Status};

/// The best score a plugin can give a node.
pub const MAX_NODE_SCORE: i64 = 100;
