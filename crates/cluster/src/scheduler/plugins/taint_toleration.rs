//! TaintToleration: taints keep pods away that do not tolerate them.

use super::hints;
use super::normalize_score::reverse_normalize_score;
use crate::scheduler::fix::Fix;
use crate::scheduler::framework::{
    ActionType, ClusterEvent, CycleState, EventObjects, EventResource, FilterContext, NodeInfo, Plugin,
    PluginId, PodInfo, PreFilterResult, Status,
};
use k8s_openapi::api::core::v1::{Taint, Toleration};

/// The text.
pub const ERR_REASON: &str = "node(s) had untolerated taint(s)";

/// The taint of a cordoned node.
pub const TAINT_NODE_UNSCHEDULABLE: &str = "node.kubernetes.io/unschedulable";

/// Rejects nodes with a taint NoSchedule or NoExecute that the pod does not tolerate, and prefers those with
/// few untolerated taints PreferNoSchedule.
///
/// Runs: preFilter, filter, preScore, score. Result: unresolvable.
/// Source: pkg/scheduler/framework/plugins/tainttoleration/taint_toleration.go (v1.37).
pub struct TaintToleration;

/// Whether one of the tolerations tolerates a taint.
///
/// Source: k8s.io/api/core/v1/toleration.go `ToleratesTaint` (v1.37; the operators Lt and Gt are off by default).
pub fn tolerates(tolerations: &[Toleration], taint: &Taint) -> bool {
    tolerations.iter().any(|toleration| {
        let effect = toleration.effect.as_deref().unwrap_or("");
        let key = toleration.key.as_deref().unwrap_or("");
        if !effect.is_empty() && effect != taint.effect || !key.is_empty() && key != taint.key {
            return false;
        }
        match toleration.operator.as_deref().unwrap_or("") {
            "" | "Equal" => toleration.value.as_deref().unwrap_or("") == taint.value.as_deref().unwrap_or(""),
            "Exists" => true,
            _ => false,
        }
    })
}

/// The first taint that keeps new pods away and is not tolerated.
pub fn find_untolerated<'a>(taints: &'a [Taint], tolerations: &[Toleration]) -> Option<&'a Taint> {
    taints
        .iter()
        .filter(|taint| matches!(taint.effect.as_str(), "NoSchedule" | "NoExecute"))
        .find(|taint| !tolerates(tolerations, taint))
}

impl Plugin for TaintToleration {
    fn id(&self) -> PluginId {
        PluginId::TaintToleration
    }

    fn points(&self) -> &'static [&'static str] {
        &["PreFilter", "Filter", "PreScore", "Score"]
    }

    fn score_lacks(&self) -> Option<&'static str> {
        Some("failed to read \"PreScoreTaintToleration\" from cycleState: not found")
    }

    fn events(&self) -> &'static [ClusterEvent] {
        const EVENTS: [ClusterEvent; 2] = [
            ClusterEvent::new(EventResource::Node, ActionType::ADD.and(ActionType::UPDATE_NODE_TAINT)),
            ClusterEvent::new(EventResource::TargetPod, ActionType::UPDATE_POD_TOLERATION),
        ];
        &EVENTS
    }

    fn hint(
        &self,
        _: &FilterContext<'_>,
        pod: &PodInfo,
        event: ClusterEvent,
        objects: EventObjects<'_>,
    ) -> bool {
        if event.resource == EventResource::TargetPod {
            return true;
        }
        let tolerations = pod.spec().tolerations.as_deref().unwrap_or(&[]);
        let untolerated = |o: &podlab_api::Object| {
            let taints = o.node_spec().and_then(|spec| spec.taints.as_deref()).unwrap_or(&[]);
            find_untolerated(taints, tolerations).is_some()
        };
        hints::node_no_longer(objects, untolerated)
    }

    fn pre_filter(&self, _: &FilterContext<'_>, _: &PodInfo, _: &mut CycleState) -> PreFilterResult {
        PreFilterResult::All
    }

    fn filter(
        &self,
        _: &FilterContext<'_>,
        pod: &PodInfo,
        _: &CycleState,
        node: &NodeInfo,
    ) -> Result<(), Status> {
        if node.taints.is_empty() {
            return Ok(());
        }
        let tolerations = pod.spec().tolerations.as_deref().unwrap_or(&[]);
        match find_untolerated(&node.taints, tolerations) {
            None => Ok(()),
            Some(_) => Err(Status::unresolvable(PluginId::TaintToleration, ERR_REASON)),
        }
    }

    fn pre_score(&self, _: &FilterContext<'_>, pod: &PodInfo, state: &mut CycleState, _: &[usize]) -> bool {
        let tolerations = pod.spec().tolerations.iter().flatten();
        state.prefer_no_schedule = tolerations
            .filter(|t| matches!(t.effect.as_deref().unwrap_or(""), "" | "PreferNoSchedule"))
            .cloned()
            .collect();
        true
    }

    fn score(&self, _: &FilterContext<'_>, _: &PodInfo, state: &CycleState, node: &NodeInfo) -> i64 {
        let untolerated = node
            .taints
            .iter()
            .filter(|t| t.effect == "PreferNoSchedule" && !tolerates(&state.prefer_no_schedule, t));
        i64::try_from(untolerated.count()).unwrap_or(i64::MAX)
    }

    fn normalizes(&self) -> bool {
        true
    }

    fn normalize(&self, _: &CycleState, _: &[usize], scores: &mut [i64]) {
        reverse_normalize_score(scores);
    }

    fn explain(&self, _: &FilterContext<'_>, pod: &PodInfo, _: &CycleState, node: &NodeInfo) -> Vec<Fix> {
        let tolerations = pod.spec().tolerations.as_deref().unwrap_or(&[]);
        // Uncordoning takes the taint of a cordoned node away.
        let cordon = |t: &Taint| node.unschedulable && t.key == TAINT_NODE_UNSCHEDULABLE;
        let keeps_away = |t: &&Taint| matches!(t.effect.as_str(), "NoSchedule" | "NoExecute") && !cordon(t);
        let taints = node.taints.iter().filter(keeps_away).filter(|t| !tolerates(tolerations, t));
        taints
            .map(|taint| Fix::TolerateTaint {
                key: taint.key.clone(),
                value: taint.value.clone().unwrap_or_default(),
                effect: taint.effect.clone(),
            })
            .collect()
    }
}
