//! The plugins, one a file, under Kubernetes' names.

pub mod default_binder;
pub mod default_preemption;
pub mod dynamic_resources;
mod hints;
pub mod image_locality;
pub mod inter_pod_affinity;
pub mod node_affinity;
pub mod node_name;
pub mod node_ports;
pub mod node_resources_balanced_allocation;
pub mod node_resources_fit;
pub mod node_unschedulable;
pub mod node_volume_limits;
pub mod normalize_score;
pub mod pod_topology_spread;
pub mod priority_sort;
pub mod registry;
pub mod scheduling_gates;
pub mod taint_toleration;
pub mod volume_binding;
mod volume_fixes;
pub mod volume_restrictions;
pub mod volume_zone;
