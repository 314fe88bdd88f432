//! What a kubelet reports of its node.
//!
//! A report that says the same as before is not written: its heartbeat is the lease, which is reckoned.
//!
//! Source: pkg/kubelet/kubelet_node_status.go and pkg/kubelet/nodestatus/setters.go (v1.37).

use crate::bootstrap;
use crate::settings::NodeSettings;
use crate::world::Cx;
use k8s_openapi::api::core::v1::NodeCondition;
use podlab_api::time::time;
use podlab_api::{Body, kinds};
use std::sync::Arc;

/// Type, status, reason and message of the conditions of a node that is well, in the order in which they stand.
pub(crate) const HEALTHY: [(&str, &str, &str, &str); 4] = [
    ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
];

/// The event that tells that a condition is well again.
fn reason_of_event(condition: &str) -> &'static str {
    match condition {
        "MemoryPressure" => "NodeHasSufficientMemory",
        "DiskPressure" => "NodeHasNoDiskPressure",
        "PIDPressure" => "NodeHasSufficientPID",
        _ => "NodeReady",
    }
}

/// Reports a node as well, registering it if its object is gone; gives the reasons of the events that this calls
/// for.
pub(crate) fn report(name: &str, index: usize, cx: &mut Cx<'_>) -> Vec<&'static str> {
    if cx.api.store().get(&kinds::NODE, "", name).is_none() {
        let known = cx.settings.nodes.iter().find(|node| node.name == name).cloned();
        let settings = known.unwrap_or_else(|| NodeSettings::worker(name));
        bootstrap::create_node(cx.api, &settings, index, cx.settings);
        return vec!["NodeReady"];
    }
    let now = time(cx.now().as_secs());
    let mut changed = Vec::new();
    let _ = cx.api.modify(&kinds::NODE, "", name, Some("status"), |node| {
        let Body::Node { status, .. } = &mut node.body else { return };
        let well = |condition: &NodeCondition, status: &str| condition.status == status;
        let before = status.conditions.as_deref().unwrap_or(&[]);
        for (type_, status, ..) in HEALTHY {
            if !before.iter().any(|condition| condition.type_ == type_ && well(condition, status)) {
                changed.push(type_);
            }
        }
        if changed.is_empty() {
            return;
        }
        let conditions = Arc::make_mut(status).conditions.get_or_insert_default();
        for (type_, status, reason, message) in HEALTHY {
            let since = if changed.contains(&type_) {
                None
            } else {
                conditions.iter().find(|c| c.type_ == type_).and_then(|c| c.last_transition_time.clone())
            };
            let condition = NodeCondition {
                type_: type_.to_owned(),
                status: status.to_owned(),
                reason: Some(reason.to_owned()),
                message: Some(message.to_owned()),
                last_heartbeat_time: Some(now.clone()),
                last_transition_time: since.or_else(|| Some(now.clone())),
            };
            match conditions.iter_mut().find(|c| c.type_ == type_) {
                Some(place) => *place = condition,
                None => conditions.push(condition),
            }
        }
    });
    changed.into_iter().map(reason_of_event).collect()
}
