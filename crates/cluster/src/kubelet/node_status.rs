//! What a kubelet reports of its node.
//!
//! A report that says the same as before is not written: its heartbeat is the lease, which is reckoned.
//!
//! Source: pkg/kubelet/kubelet_node_status.go and pkg/kubelet/nodestatus/setters.go (v1.37).

use super::pressure::Condition;
use crate::bootstrap;
use crate::settings::NodeSettings;
use crate::world::Cx;
use k8s_openapi::api::core::v1::NodeCondition;
use podlab_api::time::time;
use podlab_api::{Body, kinds};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Type, status, reason and message of the conditions of a node that is well, in the order in which they stand.
pub(crate) const HEALTHY: [(&str, &str, &str, &str); 4] = [
    ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
];

/// What a condition says that the eviction manager sees, in the form of [`HEALTHY`].
fn under(pressure: Condition) -> (&'static str, &'static str, &'static str, &'static str) {
    let (reason, message) = match pressure {
        Condition::MemoryPressure => {
            ("KubeletHasInsufficientMemory", "kubelet has insufficient memory available")
        }
        Condition::DiskPressure => ("KubeletHasDiskPressure", "kubelet has disk pressure"),
    };
    (pressure.name(), "True", reason, message)
}

/// The event that tells what a condition has become.
fn reason_of_event(condition: &str, status: &str) -> &'static str {
    match (condition, status) {
        ("MemoryPressure", "True") => "NodeHasInsufficientMemory",
        ("MemoryPressure", _) => "NodeHasSufficientMemory",
        ("DiskPressure", "True") => "NodeHasDiskPressure",
        ("DiskPressure", _) => "NodeHasNoDiskPressure",
        ("PIDPressure", _) => "NodeHasSufficientPID",
        _ => "NodeReady",
    }
}

/// Reports what is so of a node, registering it if its object is gone; gives the reasons of the events that this calls
/// for. `pressures`: the conditions that its eviction manager sees.
pub(crate) fn report(
    name: &str,
    index: usize,
    pressures: &BTreeSet<Condition>,
    cx: &mut Cx<'_>,
) -> Vec<&'static str> {
    if cx.api.store().get(&kinds::NODE, "", name).is_none() {
        let known = cx.settings.nodes.iter().find(|node| node.name == name).cloned();
        let settings = known.unwrap_or_else(|| NodeSettings::worker(name));
        bootstrap::create_node(cx.api, &settings, index, cx.settings);
        return vec!["NodeReady"];
    }
    let of = |healthy: (&'static str, &'static str, &'static str, &'static str)| {
        let pressure = pressures.iter().find(|pressure| pressure.name() == healthy.0);
        pressure.map_or(healthy, |pressure| under(*pressure))
    };
    let wanted = HEALTHY.map(of);
    let now = time(cx.now().as_secs());
    let mut changed = Vec::new();
    let _ = cx.api.modify(&kinds::NODE, "", name, Some("status"), |node| {
        let Body::Node { status, .. } = &mut node.body else { return };
        let before = status.conditions.as_deref().unwrap_or(&[]);
        for (type_, status, ..) in wanted {
            let is = |condition: &NodeCondition| condition.type_ == type_ && condition.status == status;
            if !before.iter().any(is) {
                changed.push((type_, status));
            }
        }
        if changed.is_empty() {
            return;
        }
        let conditions = Arc::make_mut(status).conditions.get_or_insert_default();
        for (type_, status, reason, message) in wanted {
            let since = if changed.contains(&(type_, status)) {
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
    changed.into_iter().map(|(condition, status)| reason_of_event(condition, status)).collect()
}
