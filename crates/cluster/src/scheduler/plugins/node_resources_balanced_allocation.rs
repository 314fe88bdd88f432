//! NodeResourcesBalancedAllocation: prefers nodes on which CPU and memory are used evenly.

use super::node_resources_fit::{score_amounts, score_requests};
use crate::scheduler::framework::{
    CycleState, FilterContext, MAX_NODE_SCORE, NodeInfo, Plugin, PluginId, PodInfo,
};

/// Scores a node by how much more even the use of CPU and memory gets with the pod.
///
/// Runs: preScore, score; not for pods that request neither.
/// Source: pkg/scheduler/framework/plugins/noderesources/balanced_allocation.go (v1.37).
pub struct NodeResourcesBalancedAllocation;

/// 100 where all are used to the same part, less the further apart they are; of each what is requested and what the node
/// has.
pub fn balanced(amounts: impl Iterator<Item = (i64, i64)> + Clone) -> i64 {
    let parts = amounts.filter(|(_, has)| *has != 0).map(|(asked, has)| (asked as f64 / has as f64).min(1.0));
    let count = parts.clone().count();
    let mut first = parts.clone();
    let std = match (count, first.next(), first.next()) {
        (2, Some(one), Some(other)) => ((one - other) / 2.0).abs(),
        (0..=2, ..) => 0.0,
        _ => {
            let mean = parts.clone().sum::<f64>() / count as f64;
            let sum: f64 = parts.map(|part| (part - mean) * (part - mean)).sum();
            libm::sqrt(sum / count as f64)
        }
    };
    ((1.0 - std) * MAX_NODE_SCORE as f64) as i64
}

/// What the change of evenness counts.
pub fn improvement(with: i64, without: i64) -> i64 {
    let half = MAX_NODE_SCORE / 2;
    half + (half + with - without) / 2
}

impl Plugin for NodeResourcesBalancedAllocation {
    fn id(&self) -> PluginId {
        PluginId::NodeResourcesBalancedAllocation
    }

    fn points(&self) -> &'static [&'static str] {
        &["PreScore", "Score"]
    }

    fn pre_score(&self, cx: &FilterContext<'_>, pod: &PodInfo, state: &mut CycleState, _: &[usize]) -> bool {
        state.balanced_score = score_requests(pod, cx.profile.balanced.iter(), false, false);
        state.balanced_score.iter().any(|asked| *asked != 0)
    }

    fn score(&self, cx: &FilterContext<'_>, _: &PodInfo, state: &CycleState, node: &NodeInfo) -> i64 {
        if state.balanced_score.iter().all(|asked| *asked == 0) {
            return 0;
        }
        let amounts = cx.profile.balanced.iter().zip(&state.balanced_score).map(|(name, asked)| {
            let (used, has) = score_amounts(node, name, *asked, false);
            (used, *asked, has)
        });
        let with = balanced(amounts.clone().map(|(used, asked, has)| (used.saturating_add(asked), has)));
        improvement(with, balanced(amounts.map(|(used, _, has)| (used, has))))
    }
}
