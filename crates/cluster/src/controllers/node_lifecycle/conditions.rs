//! What a node's conditions say, and what they come to when nobody says anything.

use crate::world::Cx;
use k8s_openapi::api::core::v1::NodeCondition;
use podlab_api::time::{time, unix_seconds};
use podlab_api::{Body, Object, kinds};
use std::sync::Arc;

/// The conditions that a kubelet reports; `NetworkUnavailable` is not its own.
const BY_KUBELET: [&str; 4] = ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"];

fn ready(node: &Object) -> Option<&NodeCondition> {
    node.node_status()?.conditions.as_ref()?.iter().find(|condition| condition.type_ == "Ready")
}

/// `True`, `False` or `Unknown`; `None` where the node has never said.
pub(super) fn ready_status(node: &Object) -> Option<&str> {
    ready(node).map(|condition| condition.status.as_str())
}

/// When the kubelet last reported, in seconds.
pub(super) fn heartbeat(node: &Object) -> Option<i64> {
    ready(node)?.last_heartbeat_time.as_ref().map(unix_seconds)
}

/// Writes that nothing is known of a node any more.
///
/// Source: pkg/controller/nodelifecycle/node_lifecycle_controller.go `tryUpdateNodeHealth` (v1.37).
pub(super) fn mark_unknown(name: &str, cx: &mut Cx<'_>) {
    let now = time(cx.now().as_secs());
    let _ = cx.api.modify(&kinds::NODE, "", name, Some("status"), |node| {
        let created = node.metadata.creation_timestamp.clone();
        let Body::Node { status, .. } = &mut node.body else { return };
        let conditions = Arc::make_mut(status).conditions.get_or_insert_default();
        for type_ in BY_KUBELET {
            match conditions.iter_mut().find(|condition| condition.type_ == type_) {
                None => conditions.push(NodeCondition {
                    type_: type_.to_owned(),
                    status: "Unknown".to_owned(),
                    reason: Some("NodeStatusNeverUpdated".to_owned()),
                    message: Some("Kubelet never posted node status.".to_owned()),
                    last_heartbeat_time: created.clone(),
                    last_transition_time: Some(now.clone()),
                }),
                Some(condition) if condition.status != "Unknown" => {
                    condition.status = "Unknown".to_owned();
                    condition.reason = Some("NodeStatusUnknown".to_owned());
                    condition.message = Some("Kubelet stopped posting node status.".to_owned());
                    condition.last_transition_time = Some(now.clone());
                }
                Some(_) => {}
            }
        }
    });
}
