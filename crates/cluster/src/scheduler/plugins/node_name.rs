//! NodeName: a pod that names its node fits only there.

use crate::scheduler::fix::Fix;
use crate::scheduler::framework::{
    ClusterEvent, CycleState, FilterContext, NodeInfo, Plugin, PluginId, PodInfo, PreFilterResult, Status,
};
use std::collections::BTreeSet;

/// The text.
pub const ERR_REASON: &str = "node(s) didn't match the requested node name";

/// Rejects every node but the one in `spec.nodeName`.
///
/// Runs: preFilter, filter. Result: unresolvable, since evicting pods does not rename a node.
/// Source: pkg/scheduler/framework/plugins/nodename/node_name.go (v1.37).
pub struct NodeName;

impl Plugin for NodeName {
    fn id(&self) -> PluginId {
        PluginId::NodeName
    }

    fn points(&self) -> &'static [&'static str] {
        &["PreFilter", "Filter"]
    }

    fn events(&self) -> &'static [ClusterEvent] {
        &[ClusterEvent::NODE_ADD]
    }

    fn pre_filter(&self, _: &FilterContext<'_>, pod: &PodInfo, _: &mut CycleState) -> PreFilterResult {
        match pod.node_name() {
            "" => PreFilterResult::Skip,
            name => PreFilterResult::Nodes(BTreeSet::from([name.to_owned()])),
        }
    }

    fn filter(
        &self,
        _: &FilterContext<'_>,
        pod: &PodInfo,
        _: &CycleState,
        node: &NodeInfo,
    ) -> Result<(), Status> {
        let wanted = pod.node_name();
        if wanted.is_empty() || wanted == node.name.as_ref() {
            return Ok(());
        }
        Err(Status::unresolvable(PluginId::NodeName, ERR_REASON))
    }

    fn explain(&self, _: &FilterContext<'_>, pod: &PodInfo, _: &CycleState, _: &NodeInfo) -> Vec<Fix> {
        vec![Fix::ChangeNodeName { wanted: pod.node_name().to_owned() }]
    }
}
