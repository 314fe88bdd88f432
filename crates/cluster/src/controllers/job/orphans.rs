//! Pods whose Job is gone or over, and which nobody would count any more.
//!
//! Source: pkg/controller/job/job_controller.go `handleSingleOrphanPod` (v1.37).

use super::super::controller_ref::{controller_of, resolve, selector_of};
use super::manage::untrack;
use super::spec::JobSpec;
use super::{JobController, is_finished, is_tracked};
use crate::store::Key;
use crate::world::Cx;
use podlab_api::{Object, kinds};
use std::sync::Arc;

impl JobController {
    /// A Job is gone or over: those of its pods that still wait are looked at.
    pub(super) fn release_pods(&mut self, job: &Arc<Object>, cx: &mut Cx<'_>) {
        let Some(selector) = selector_of(job) else { return };
        let store = cx.api.store();
        let own = store.dependents(job.uid()).filter(|object| *object.kind == kinds::POD);
        let all = own.chain(store.pods_without_controller(job.namespace()));
        let waiting = all.filter(|pod| is_tracked(pod) && selector.matches(&***pod));
        for key in waiting.map(|pod| Key::of(pod)).collect::<Vec<_>>() {
            self.orphans.add(key, cx);
        }
    }

    pub(in crate::controllers) fn sync_orphan(&mut self, key: &Key, cx: &mut Cx<'_>) {
        self.orphans.take(key, cx);
        let Some(pod) = cx.api.store().get_key(&kinds::POD, key).cloned() else { return };
        if let Some(owner) = controller_of(&pod) {
            if owner.kind != kinds::JOB.kind {
                return;
            }
            let job = resolve(owner, &kinds::JOB, pod.namespace(), cx);
            let kept = |job: &Object| {
                !is_finished(job) || JobSpec::of(job).is_some_and(|spec| spec.managed_elsewhere)
            };
            if job.is_some_and(|job| kept(&job)) {
                return;
            }
        }
        if is_tracked(&pod) {
            untrack(&pod, cx);
        }
    }
}
