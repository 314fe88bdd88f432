//! persistentvolumeclaim-protection-controller: lets a claim that is being deleted go once no pod uses it.
//!
//! Source: pkg/controller/volume/pvcprotection/pvc_protection_controller.go (v1.37).

use super::ControllerEvent;
use super::pods::{claims, node_name};
use super::queue::{Outcome, WorkQueue};
use super::values::remove_finalizer;
use crate::apiserver::admission::PVC_PROTECTION;
use crate::store::{Change, Key};
use crate::world::Cx;
use podlab_api::door::ChangeType;
use podlab_api::{Object, kinds};

/// The controller's name.
pub(super) const NAME: &str = "persistentvolumeclaim-protection-controller";

#[derive(Clone, Debug)]
pub(super) struct PvcProtectionController {
    queue: WorkQueue,
}

impl Default for PvcProtectionController {
    fn default() -> PvcProtectionController {
        PvcProtectionController { queue: WorkQueue::new(ControllerEvent::PvcProtection) }
    }
}

/// Whether a claim is to go and waits for this controller.
fn is_deletion_candidate(claim: &Object) -> bool {
    let finalizers = claim.metadata.finalizers.iter().flatten();
    claim.is_terminating() && finalizers.into_iter().any(|f| f == PVC_PROTECTION)
}

impl PvcProtectionController {
    pub(super) fn observe(&mut self, change: &Change, cx: &mut Cx<'_>) {
        let object = &change.object;
        if *object.kind == kinds::PERSISTENT_VOLUME_CLAIM {
            if change.change != ChangeType::Deleted && is_deletion_candidate(object) {
                self.queue.add(Key::of(object), cx);
            }
        } else if *object.kind == kinds::POD && change.change == ChangeType::Deleted {
            for name in claims(object) {
                let found = cx.api.store().get(&kinds::PERSISTENT_VOLUME_CLAIM, object.namespace(), name);
                if found.is_some_and(|claim| is_deletion_candidate(claim)) {
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
    let claim = store.get_key(&kinds::PERSISTENT_VOLUME_CLAIM, key);
    if !claim.is_some_and(|claim| is_deletion_candidate(claim)) {
        return Ok(None);
    }
    // A kubelet starts no pod on a claim that is being deleted, so only pods that have a node count; ended ones too.
    let used = store
        .list_namespace(&kinds::POD, &key.namespace)
        .any(|pod| !node_name(pod).is_empty() && claims(pod).any(|name| name == &*key.name));
    if used { Ok(None) } else { remove_finalizer(cx, &kinds::PERSISTENT_VOLUME_CLAIM, key, PVC_PROTECTION) }
}
