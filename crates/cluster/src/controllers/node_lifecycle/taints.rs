//! Taints that follow from a node's conditions.

use crate::world::Cx;
use k8s_openapi::api::core::v1::Taint;
use podlab_api::time::time;
use podlab_api::{Body, Object, kinds};
use std::sync::Arc;

const NOT_READY: &str = "node.kubernetes.io/not-ready";
const UNREACHABLE: &str = "node.kubernetes.io/unreachable";
const UNSCHEDULABLE: &str = "node.kubernetes.io/unschedulable";

/// Condition, its status, and the taint that says so.
///
/// Source: pkg/controller/nodelifecycle/node_lifecycle_controller.go `nodeConditionToTaintKeyStatusMap` (v1.37).
const BY_CONDITION: [(&str, &str, &str); 6] = [
    ("Ready", "False", NOT_READY),
    ("Ready", "Unknown", UNREACHABLE),
    ("MemoryPressure", "True", "node.kubernetes.io/memory-pressure"),
    ("DiskPressure", "True", "node.kubernetes.io/disk-pressure"),
    ("NetworkUnavailable", "True", "node.kubernetes.io/network-unavailable"),
    ("PIDPressure", "True", "node.kubernetes.io/pid-pressure"),
];

/// Old label, and the label whose value it repeats.
const LABELS: [(&str, &str); 2] =
    [("beta.kubernetes.io/os", "kubernetes.io/os"), ("beta.kubernetes.io/arch", "kubernetes.io/arch")];

fn of(node: &Object) -> &[Taint] {
    node.node_spec().and_then(|spec| spec.taints.as_deref()).unwrap_or(&[])
}

fn has(node: &Object, key: &str, effect: &str) -> bool {
    of(node).iter().any(|taint| taint.key == key && taint.effect == effect)
}

/// Which of the controller's own taints NoExecute a node has.
pub(super) fn no_execute(node: &Object) -> (bool, bool) {
    (has(node, NOT_READY, "NoExecute"), has(node, UNREACHABLE, "NoExecute"))
}

/// Keys of the taints NoSchedule that a node should have, and of those that it has and should not.
fn no_schedule(node: &Object) -> (Vec<&'static str>, Vec<&'static str>) {
    let conditions = node.node_status().and_then(|status| status.conditions.as_deref()).unwrap_or(&[]);
    let closed = node.node_spec().is_some_and(|spec| spec.unschedulable == Some(true));
    let holds = |type_: &str, status: &str| conditions.iter().any(|c| c.type_ == type_ && c.status == status);
    let own = BY_CONDITION.iter().map(|(type_, status, key)| (*key, holds(type_, status)));
    let (mut add, mut remove) = (Vec::new(), Vec::new());
    for (key, wanted) in own.chain([(UNSCHEDULABLE, closed)]) {
        match (wanted, has(node, key, "NoSchedule")) {
            (true, false) => add.push(key),
            (false, true) => remove.push(key),
            _ => {}
        }
    }
    (add, remove)
}

fn missing_labels(node: &Object) -> Vec<(&'static str, String)> {
    let stale = |(old, new): &(&'static str, &str)| {
        let value = node.label(new)?;
        (node.label(old) != Some(value)).then(|| (*old, value.to_owned()))
    };
    LABELS.iter().filter_map(stale).collect()
}

/// Whether a node's taints or labels are to be put right.
pub(super) fn needs_pass(node: &Object) -> bool {
    let (add, remove) = no_schedule(node);
    !add.is_empty() || !remove.is_empty() || !missing_labels(node).is_empty()
}

/// Adds and removes taints, each kind in a write of its own, as the real one does.
fn swap(name: &str, effect: &str, add: &[&str], remove: &[&str], cx: &mut Cx<'_>) {
    let now = time(cx.now().as_secs());
    if !add.is_empty() {
        write(name, cx, |taints| {
            for key in add {
                taints.retain(|taint| taint.key != *key || taint.effect != effect);
                taints.push(Taint {
                    key: (*key).to_owned(),
                    effect: effect.to_owned(),
                    time_added: Some(now.clone()),
                    value: None,
                });
            }
        });
    }
    if !remove.is_empty() {
        write(name, cx, |taints| {
            taints.retain(|taint| taint.effect != effect || !remove.contains(&taint.key.as_str()));
        });
    }
}

fn write(name: &str, cx: &mut Cx<'_>, change: impl FnOnce(&mut Vec<Taint>)) {
    let _ = cx.api.modify(&kinds::NODE, "", name, None, |node| {
        let Body::Node { spec, .. } = &mut node.body else { return };
        let mut taints = spec.taints.clone().unwrap_or_default();
        change(&mut taints);
        Arc::make_mut(spec).taints = (!taints.is_empty()).then_some(taints);
    });
}

/// Source: `doNoScheduleTaintingPass`.
pub(super) fn no_schedule_pass(name: &str, cx: &mut Cx<'_>) {
    let Some(node) = cx.api.store().get(&kinds::NODE, "", name) else { return };
    let (add, remove) = no_schedule(node);
    swap(name, "NoSchedule", &add, &remove, cx);
}

/// Source: `reconcileNodeLabels`.
pub(super) fn reconcile_labels(name: &str, cx: &mut Cx<'_>) {
    let Some(node) = cx.api.store().get(&kinds::NODE, "", name) else { return };
    let missing = missing_labels(node);
    if missing.is_empty() {
        return;
    }
    let _ = cx.api.modify(&kinds::NODE, "", name, None, |node| {
        let labels = node.metadata.labels.get_or_insert_default();
        labels.extend(missing.into_iter().map(|(key, value)| (key.to_owned(), value)));
    });
}

/// Takes away the taints NoExecute of a node that is ready.
///
/// Source: `markNodeAsReachable`.
pub(super) fn mark_as_reachable(name: &str, cx: &mut Cx<'_>) {
    for key in [UNREACHABLE, NOT_READY] {
        if cx.api.store().get(&kinds::NODE, "", name).is_some_and(|node| has(node, key, "NoExecute")) {
            swap(name, "NoExecute", &[], &[key], cx);
        }
    }
}

/// The taint that a status of Ready calls for, and the one it excludes.
fn pair(status: &str) -> (&'static str, &'static str) {
    if status == "False" { (NOT_READY, UNREACHABLE) } else { (UNREACHABLE, NOT_READY) }
}

/// Exchanges a taint NoExecute for its opposite at once; says whether a node without either needs one.
///
/// Source: `processTaintBaseEviction`.
pub(super) fn swap_or_needs(node: &Object, status: &str, cx: &mut Cx<'_>) -> bool {
    let (wanted, opposite) = pair(status);
    if has(node, opposite, "NoExecute") {
        swap(node.name(), "NoExecute", &[wanted], &[opposite], cx);
        return false;
    }
    !has(node, wanted, "NoExecute")
}

/// Source: `doNoExecuteTaintingPass`.
pub(super) fn no_execute_pass(name: &str, cx: &mut Cx<'_>) {
    let Some(node) = cx.api.store().get(&kinds::NODE, "", name) else { return };
    let Some(status) = super::conditions::ready_status(node).filter(|status| *status != "True") else {
        return;
    };
    let (wanted, opposite) = pair(status);
    let remove = if has(node, opposite, "NoExecute") { &[opposite][..] } else { &[] };
    swap(name, "NoExecute", &[wanted], remove, cx);
}
