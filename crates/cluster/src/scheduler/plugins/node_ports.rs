//! NodePorts: a host port is held by one pod of a node.

use super::hints;
use crate::scheduler::fix::{Fix, pod_name};
use crate::scheduler::framework::pod_info::{HostPort, host_ports};
use crate::scheduler::framework::{
    ClusterEvent, CycleState, EventObjects, EventResource, FilterContext, NodeInfo, Plugin, PluginId,
    PodInfo, PreFilterResult, Status,
};

/// The text.
pub const ERR_REASON: &str = "node(s) didn't have free ports for the requested pod ports";

/// Rejects nodes where a host port of the pod is taken.
///
/// Runs: preFilter, filter. Result: unschedulable, evicting the holder helps.
/// Source: pkg/scheduler/framework/plugins/nodeports/node_ports.go (v1.37).
pub struct NodePorts;

impl Plugin for NodePorts {
    fn id(&self) -> PluginId {
        PluginId::NodePorts
    }

    fn points(&self) -> &'static [&'static str] {
        &["PreFilter", "Filter"]
    }

    fn filter_lacks(&self) -> Option<&'static str> {
        Some("reading \"PreFilterNodePorts\" from cycleState: not found")
    }

    fn events(&self) -> &'static [ClusterEvent] {
        &[ClusterEvent::ASSIGNED_POD_DELETE, ClusterEvent::NODE_ADD]
    }

    fn hint(
        &self,
        _: &FilterContext<'_>,
        pod: &PodInfo,
        event: ClusterEvent,
        objects: EventObjects<'_>,
    ) -> bool {
        if event.resource == EventResource::Node {
            return true;
        }
        hints::pod_held(objects, |_, spec| {
            let freed = host_ports(spec);
            pod.ports.iter().any(|port| freed.iter().any(|f| f.conflicts(port)))
        })
    }

    fn pre_filter(&self, _: &FilterContext<'_>, pod: &PodInfo, _: &mut CycleState) -> PreFilterResult {
        if pod.ports.is_empty() { PreFilterResult::Skip } else { PreFilterResult::All }
    }

    fn filter(
        &self,
        _: &FilterContext<'_>,
        pod: &PodInfo,
        _: &CycleState,
        node: &NodeInfo,
    ) -> Result<(), Status> {
        if pod.ports.iter().any(|port| node.used_ports.iter().any(|used| used.conflicts(port))) {
            return Err(Status::unschedulable(PluginId::NodePorts, ERR_REASON));
        }
        Ok(())
    }

    fn explain(&self, _: &FilterContext<'_>, pod: &PodInfo, _: &CycleState, node: &NodeInfo) -> Vec<Fix> {
        let conflicts = |port: &HostPort| node.used_ports.iter().any(|used| used.conflicts(port));
        let taken = pod.ports.iter().filter(|port| conflicts(port));
        taken
            .map(|port| {
                let holders = node.pods.iter().filter(|p| p.ports.iter().any(|held| held.conflicts(port)));
                let mut others = port.port.saturating_add(1)..=65535;
                let free = |other: &i32| {
                    let other = HostPort { port: *other, ..port.clone() };
                    !conflicts(&other) && !pod.ports.iter().any(|own| own.conflicts(&other))
                };
                Fix::FreeHostPort {
                    port: port.port,
                    protocol: port.protocol.clone(),
                    pods: holders.map(|p| pod_name(&p.key)).collect(),
                    other: others.find(free),
                }
            })
            .collect()
    }
}
