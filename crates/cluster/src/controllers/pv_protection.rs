//! persistentvolume-protection-controller: lets a volume that is being deleted go once no claim is bound to it.
//!
//! Source: pkg/controller/volume/pvprotection/pv_protection_controller.go (v1.37).

use super::ControllerEvent;
use super::queue::{Outcome, WorkQueue};
use super::values::{remove_finalizer, status, text};
use crate::apiserver::admission::PV_PROTECTION;
use crate::store::{Change, Key};
use crate::world::Cx;
use podlab_api::door::ChangeType;
use podlab_api::{Object, kinds};

/// The controller's name.
pub(super) const NAME: &str = "persistentvolume-protection-controller";

#[derive(Clone, Debug)]
pub(super) struct PvProtectionController {
    queue: WorkQueue,
}

impl Default for PvProtectionController {
    fn default() -> PvProtectionController {
        PvProtectionController { queue: WorkQueue::new("pvprotection", ControllerEvent::PvProtection) }
    }
}

/// Whether a volume is to go, waits for this controller and is used by nobody.
fn may_go(volume: &Object) -> bool {
    volume.is_terminating()
        && volume.metadata.finalizers.iter().flatten().any(|f| f == PV_PROTECTION)
        && text(status(volume, "phase")) != "Bound"
}

impl PvProtectionController {
    pub(super) fn observe(&mut self, change: &Change, cx: &mut Cx<'_>) {
        let object = &change.object;
        if *object.kind == kinds::PERSISTENT_VOLUME && change.change != ChangeType::Deleted && may_go(object)
        {
            self.queue.add(Key::of(object), cx);
        }
    }

    pub(super) fn sync(&mut self, key: &Key, cx: &mut Cx<'_>) {
        self.queue.take(key, cx);
        let outcome = process(key, cx);
        self.queue.done(key, &outcome, cx);
    }
}

fn process(key: &Key, cx: &mut Cx<'_>) -> Outcome {
    let volume = cx.api.store().get_key(&kinds::PERSISTENT_VOLUME, key);
    if volume.is_some_and(|volume| may_go(volume)) {
        return remove_finalizer(cx, &kinds::PERSISTENT_VOLUME, key, PV_PROTECTION);
    }
    Ok(None)
}
