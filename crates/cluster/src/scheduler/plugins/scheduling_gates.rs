//! SchedulingGates: pods with gates stay out of the queue.

use crate::scheduler::framework::{ActionType, ClusterEvent, EventResource, Plugin, PluginId, PodInfo};

/// Holds a pod back until its last scheduling gate is gone.
///
/// Runs: preEnqueue. The condition PodScheduled with reason SchedulingGated is the API server's.
/// Source: pkg/scheduler/framework/plugins/schedulinggates/scheduling_gates.go (v1.37).
pub struct SchedulingGates;

/// Whether a pod may enter the queue.
pub fn pre_enqueue(pod: &PodInfo) -> bool {
    pod.spec().scheduling_gates.as_deref().unwrap_or(&[]).is_empty()
}

impl Plugin for SchedulingGates {
    fn id(&self) -> PluginId {
        PluginId::SchedulingGates
    }

    fn points(&self) -> &'static [&'static str] {
        &["PreEnqueue"]
    }

    fn events(&self) -> &'static [ClusterEvent] {
        const EVENTS: [ClusterEvent; 1] =
            [ClusterEvent::new(EventResource::TargetPod, ActionType::UPDATE_POD_SCHEDULING_GATES_ELIMINATED)];
        &EVENTS
    }
}
