//! NodeUnschedulable: cordoned nodes take no pods.

use super::hints;
use super::taint_toleration::{TAINT_NODE_UNSCHEDULABLE, tolerates};
use crate::scheduler::fix::Fix;
use crate::scheduler::framework::{
    ActionType, ClusterEvent, CycleState, EventObjects, EventResource, FilterContext, NodeInfo, Plugin,
    PluginId, PodInfo, PreFilterResult, Status,
};
use k8s_openapi::api::core::v1::Taint;

/// The text.
pub const ERR_REASON_UNSCHEDULABLE: &str = "node(s) were unschedulable";

/// Rejects nodes with `spec.unschedulable`, unless the pod tolerates the taint that a cordoned node gets.
///
/// Runs: preFilter, filter. Result: unresolvable.
/// Source: pkg/scheduler/framework/plugins/nodeunschedulable/node_unschedulable.go (v1.37).
pub struct NodeUnschedulable;

fn tolerates_cordon(pod: &PodInfo) -> bool {
    let taint = Taint {
        key: TAINT_NODE_UNSCHEDULABLE.to_owned(),
        effect: "NoSchedule".to_owned(),
        ..Taint::default()
    };
    tolerates(pod.spec().tolerations.as_deref().unwrap_or(&[]), &taint)
}

impl Plugin for NodeUnschedulable {
    fn id(&self) -> PluginId {
        PluginId::NodeUnschedulable
    }

    fn points(&self) -> &'static [&'static str] {
        &["PreFilter", "Filter"]
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
        _: &PodInfo,
        event: ClusterEvent,
        objects: EventObjects<'_>,
    ) -> bool {
        if event.resource == EventResource::TargetPod {
            let new = objects.new.and_then(|o| PodInfo::new(std::sync::Arc::new(o.clone())));
            return new.is_none_or(|pod| tolerates_cordon(&pod));
        }
        let cordoned =
            |o: &podlab_api::Object| o.node_spec().is_some_and(|spec| spec.unschedulable.unwrap_or(false));
        hints::node_no_longer(objects, cordoned)
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
        if !node.unschedulable || tolerates_cordon(pod) {
            return Ok(());
        }
        Err(Status::unresolvable(PluginId::NodeUnschedulable, ERR_REASON_UNSCHEDULABLE))
    }

    fn explain(&self, _: &FilterContext<'_>, _: &PodInfo, _: &CycleState, _: &NodeInfo) -> Vec<Fix> {
        vec![Fix::Uncordon]
    }
}
