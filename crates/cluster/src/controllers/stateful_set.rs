//! statefulset-controller: pods with names and volumes of their own, one after the other.
//!
//! Source: pkg/controller/statefulset/stateful_set.go (v1.37).

mod claims;
mod control;
mod pod_control;
mod revisions;
mod utils;

use super::ControllerEvent;
use super::controller_ref::{claim, concerned, selector_of};
use super::pods;
use super::queue::{Outcome, WorkQueue};
use super::values::{int, spec};
use crate::recorder::EventRecorder;
use crate::store::{Change, Key};
use crate::world::Cx;
use podlab_api::door::ChangeType;
use podlab_api::{Object, kinds};
use std::sync::Arc;

/// The controller's name.
pub(super) const NAME: &str = "statefulset-controller";

#[derive(Clone, Debug)]
pub(super) struct StatefulSetController {
    queue: WorkQueue,
    recorder: EventRecorder,
}

impl Default for StatefulSetController {
    fn default() -> StatefulSetController {
        StatefulSetController {
            queue: WorkQueue::new("statefulset", ControllerEvent::StatefulSet),
            recorder: EventRecorder::new(NAME, ""),
        }
    }
}

impl StatefulSetController {
    pub(super) fn observe(&mut self, change: &Change, cx: &mut Cx<'_>) {
        let object = &change.object;
        if *object.kind == kinds::STATEFUL_SET {
            if change.change == ChangeType::Deleted {
                self.queue.forget(&Key::of(object), cx);
            } else {
                self.queue.add(Key::of(object), cx);
            }
        } else if *object.kind == kinds::POD {
            for key in concerned(change, &kinds::STATEFUL_SET, cx) {
                self.queue.add(key, cx);
            }
        }
    }

    pub(super) fn sync(&mut self, key: &Key, cx: &mut Cx<'_>) {
        self.queue.take(key, cx);
        let outcome = match cx.api.store().get_key(&kinds::STATEFUL_SET, key).cloned() {
            Some(set) => self.sync_stateful_set(&set, cx),
            None => Ok(None),
        };
        self.queue.done(key, &outcome, cx);
    }

    fn sync_stateful_set(&mut self, set: &Arc<Object>, cx: &mut Cx<'_>) -> Outcome {
        let Some(selector) = selector_of(set) else { return Ok(None) };
        let revisions = super::history::claim_revisions(set, &selector, cx)?;
        let store = cx.api.store();
        let own = store.dependents(set.uid()).filter(|object| *object.kind == kinds::POD);
        let all = own.chain(store.pods_without_controller(set.namespace())).cloned().collect();
        let wanted = |pod: &Object| {
            selector.matches(pod)
                && utils::parent_and_ordinal(pod.name()).is_some_and(|(p, _)| p == set.name())
        };
        let pods = claim(set, all, &wanted, None, cx)?;
        let status = self.update_stateful_set(set, &pods, revisions, cx)?;
        let min_ready = int(spec(set, "minReadySeconds")).unwrap_or(0);
        let next = pods::next_available(&pods, min_ready, cx.now());
        Ok(next.filter(|_| status.ready != status.available))
    }
}
