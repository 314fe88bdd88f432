//! DynamicResources: resource claims, which are not simulated.

use crate::scheduler::framework::{CycleState, FilterContext, Plugin, PluginId, PodInfo};

/// Gives every node 0 points, as it does for pods without claims.
///
/// Pods with claims carry a mark that they are not simulated.
/// Runs: score. Source: pkg/scheduler/framework/plugins/dynamicresources/dynamicresources.go (v1.37).
pub struct DynamicResources;

/// What its post-filter says where an earlier plugin rejected the pod before any node was looked at: it finds
/// none of its own state, and no preemption is tried.
///
/// Source: recording cluster/scheduling.jsonl vol/missing-pvc; `fwk.ErrNotFound` (v1.37).
pub const POST_FILTER_NOT_FOUND: &str = "not found";

impl Plugin for DynamicResources {
    fn id(&self) -> PluginId {
        PluginId::DynamicResources
    }

    fn points(&self) -> &'static [&'static str] {
        &[
            "PreEnqueue",
            "PreFilter",
            "Filter",
            "PostFilter",
            "Score",
            "Reserve",
            "PreBind",
            "PodGroupPostFilter",
        ]
    }

    fn filter_lacks(&self) -> Option<&'static str> {
        Some("not found")
    }

    fn pre_score(&self, _: &FilterContext<'_>, _: &PodInfo, _: &mut CycleState, _: &[usize]) -> bool {
        true
    }
}
