//! persistentvolumeclaim-protection-controller: lets a claim that is being deleted go once no pod uses it, and notes on
//! bound claims whether one does (condition `Unused`).
//!
//! Source: pkg/controller/volume/pvcprotection/pvc_protection_controller.go (v1.37).

use super::ControllerEvent;
use super::pods::{claims, is_terminal, node_name};
use super::queue::{Outcome, WorkQueue};
use super::values::{remove_finalizer, set_status, status, text, timestamp};
use crate::apiserver::admission::PVC_PROTECTION;
use crate::store::{Change, Key};
use crate::world::Cx;
use podlab_api::door::ChangeType;
use podlab_api::{Object, kinds};
use serde_json::{Value, json};
use std::sync::Arc;

/// The controller's name.
pub(super) const NAME: &str = "persistentvolumeclaim-protection-controller";

/// The condition that says since when no pod uses a claim.
const UNUSED: &str = "Unused";

#[derive(Clone, Debug)]
pub(super) struct PvcProtectionController {
    queue: WorkQueue,
}

impl Default for PvcProtectionController {
    fn default() -> PvcProtectionController {
        PvcProtectionController { queue: WorkQueue::new("pvcprotection", ControllerEvent::PvcProtection) }
    }
}

/// Whether a claim is to go and waits for this controller.
fn is_deletion_candidate(claim: &Object) -> bool {
    let finalizers = claim.metadata.finalizers.iter().flatten();
    claim.is_terminating() && finalizers.into_iter().any(|f| f == PVC_PROTECTION)
}

fn is_bound(claim: &Object) -> bool {
    text(status(claim, "phase")) == "Bound"
}

fn unused_condition(claim: &Object) -> Option<&Value> {
    let mut conditions = status(claim, "conditions").and_then(Value::as_array)?.iter();
    conditions.find(|condition| text(condition.get("type")) == UNUSED)
}

fn lacks_condition(claim: &Object) -> bool {
    is_bound(claim) && unused_condition(claim).is_none()
}

/// Whether a pod's change can be one of what it uses: it came, went, or ended.
fn changes_use(change: &Change) -> bool {
    let ended = |before: &Arc<Object>| is_terminal(before) != is_terminal(&change.object);
    change.change != ChangeType::Modified || change.before.as_ref().is_some_and(ended)
}

impl PvcProtectionController {
    pub(super) fn observe(&mut self, change: &Change, cx: &mut Cx<'_>) {
        let object = &change.object;
        if *object.kind == kinds::PERSISTENT_VOLUME_CLAIM {
            if change.change != ChangeType::Deleted
                && (is_deletion_candidate(object) || lacks_condition(object))
            {
                self.queue.add(Key::of(object), cx);
            }
        } else if *object.kind == kinds::POD && changes_use(change) {
            for name in claims(object) {
                let found = cx.api.store().get(&kinds::PERSISTENT_VOLUME_CLAIM, object.namespace(), name);
                if found.is_some_and(|claim| is_deletion_candidate(claim) || is_bound(claim)) {
                    self.queue.add(Key::new(object.namespace(), name), cx);
                }
            }
        }
    }

    pub(super) fn sync(&mut self, key: &Key, cx: &mut Cx<'_>) {
        self.queue.take(key, cx);
        let outcome = process(key, cx);
        self.queue.done(key, &outcome, cx);
    }
}

fn process(key: &Key, cx: &mut Cx<'_>) -> Outcome {
    let store = cx.api.store();
    let Some(claim) = store.get_key(&kinds::PERSISTENT_VOLUME_CLAIM, key).cloned() else { return Ok(None) };
    if !claim.is_terminating() && is_bound(&claim) {
        return update_unused_condition(&claim, cx);
    }
    if !is_deletion_candidate(&claim) {
        return Ok(None);
    }
    // A kubelet starts no pod on a claim that is being deleted, so only pods that have a node count; ended ones too.
    let used = store
        .list_namespace(&kinds::POD, &key.namespace)
        .any(|pod| !node_name(pod).is_empty() && claims(pod).any(|name| name == &*key.name));
    if used { Ok(None) } else { remove_finalizer(cx, &kinds::PERSISTENT_VOLUME_CLAIM, key, PVC_PROTECTION) }
}

/// Source: pvc_protection_controller.go `updateUnusedCondition`.
fn update_unused_condition(claim: &Arc<Object>, cx: &mut Cx<'_>) -> Outcome {
    let uses = |pod: &Arc<Object>| !is_terminal(pod) && claims(pod).any(|name| name == claim.name());
    let used = cx.api.store().list_namespace(&kinds::POD, claim.namespace()).any(uses);
    let (value, reason, message) = match used {
        true => ("False", "PodUsingPVC", "A pod is currently referencing this PVC"),
        false => ("True", "NoPodsUsingPVC", "No pods are currently referencing this PVC"),
    };
    if unused_condition(claim).is_some_and(|known| text(known.get("status")) == value) {
        return Ok(None);
    }
    let condition = json!({"type": UNUSED, "status": value, "lastProbeTime": null,
        "lastTransitionTime": timestamp(cx.now()), "reason": reason, "message": message});
    let mut status = claim.field("status").cloned().unwrap_or_else(|| json!({}));
    let mut conditions = status.get("conditions").and_then(Value::as_array).cloned().unwrap_or_default();
    conditions.retain(|known| text(known.get("type")) != UNUSED);
    conditions.push(condition);
    status["conditions"] = conditions.into();
    set_status(claim, status, cx)?;
    Ok(None)
}
