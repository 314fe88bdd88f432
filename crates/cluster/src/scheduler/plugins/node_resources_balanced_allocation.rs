//! NodeResourcesBalancedAllocation: prefers nodes on which CPU and memory are used evenly.

use super::node_resources_fit::score_requests;
use crate::scheduler::framework::{
    CycleState, FilterContext, MAX_NODE_SCORE, NodeInfo, Plugin, PluginId, PodInfo,
};

/// Scores a node by how much more even the use of CPU and memory gets with the pod.
///
/// Runs: preScore, score; not for pods that request neither.
/// Source: pkg/scheduler/framework/plugins/noderesources/balanced_allocation.go (v1.37).
pub struct NodeResourcesBalancedAllocation;

/// 100 where both are used to the same part, less the further apart they are.
pub fn balanced(requested: [i64; 2], allocatable: [i64; 2]) -> i64 {
    let mut parts = [0.0f64; 2];
    let mut count = 0;
    for (asked, has) in requested.into_iter().zip(allocatable) {
        if has != 0 {
            parts[count] = (asked as f64 / has as f64).min(1.0);
            count += 1;
        }
    }
    let std = if count == 2 { ((parts[0] - parts[1]) / 2.0).abs() } else { 0.0 };
    ((1.0 - std) * MAX_NODE_SCORE as f64) as i64
}

impl Plugin for NodeResourcesBalancedAllocation {
    fn id(&self) -> PluginId {
        PluginId::NodeResourcesBalancedAllocation
    }

    fn points(&self) -> &'static [&'static str] {
        &["PreScore", "Score"]
    }

    fn pre_score(&self, _: &FilterContext<'_>, pod: &PodInfo, state: &mut CycleState, _: &[usize]) -> bool {
        state.balanced_score = score_requests(pod, false, false);
        state.balanced_score != [0, 0]
    }

    fn score(&self, _: &FilterContext<'_>, _: &PodInfo, state: &CycleState, node: &NodeInfo) -> i64 {
        let allocatable = [node.allocatable.milli_cpu, node.allocatable.memory];
        let before = [node.requested.milli_cpu, node.requested.memory];
        let with = [
            before[0].saturating_add(state.balanced_score[0]),
            before[1].saturating_add(state.balanced_score[1]),
        ];
        let half = MAX_NODE_SCORE / 2;
        half + (half + balanced(with, allocatable) - balanced(before, allocatable)) / 2
    }
}
