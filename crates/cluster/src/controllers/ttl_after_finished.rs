//! ttl-after-finished-controller: deletes Jobs some time after their end, where they ask for it.
//!
//! Source: pkg/controller/ttlafterfinished/ttlafterfinished_controller.go (v1.37).

use super::ControllerEvent;
use super::job::finished_condition;
use super::queue::{Outcome, WorkQueue};
use super::values::{instant, int, spec};
use crate::apiserver::DeleteOptions;
use crate::store::{Change, Key};
use crate::world::Cx;
use podlab_api::door::{ChangeType, Propagation};
use podlab_api::{Object, kinds};
use podlab_sim::{SimDuration, SimTime};

/// The controller's name.
pub(super) const NAME: &str = "ttl-after-finished-controller";

#[derive(Clone, Debug)]
pub(super) struct TtlAfterFinishedController {
    queue: WorkQueue,
}

impl Default for TtlAfterFinishedController {
    fn default() -> TtlAfterFinishedController {
        TtlAfterFinishedController {
            queue: WorkQueue::new("ttl_jobs_to_delete", ControllerEvent::TtlAfterFinished),
        }
    }
}

/// When a Job is to go; `None` where it stays.
fn expires_at(job: &Object) -> Option<SimTime> {
    let seconds = u64::try_from(int(spec(job, "ttlSecondsAfterFinished"))?).ok()?;
    let finished = instant(finished_condition(job)?.get("lastTransitionTime"))?;
    Some(finished + SimDuration::from_secs(seconds))
}

impl TtlAfterFinishedController {
    pub(super) fn observe(&mut self, change: &Change, cx: &mut Cx<'_>) {
        let job = &change.object;
        if *job.kind != kinds::JOB {
            return;
        }
        if change.change != ChangeType::Deleted && !job.is_terminating() && expires_at(job).is_some() {
            self.queue.add(Key::of(job), cx);
        } else {
            self.queue.forget(&Key::of(job), cx);
        }
    }

    pub(super) fn sync(&mut self, key: &Key, cx: &mut Cx<'_>) {
        self.queue.take(key, cx);
        let outcome = self.process(key, cx);
        self.queue.done(key, &outcome, cx);
    }

    fn process(&mut self, key: &Key, cx: &mut Cx<'_>) -> Outcome {
        let job = cx.api.store().get_key(&kinds::JOB, key).cloned();
        let Some(job) = job.filter(|job| !job.is_terminating()) else { return Ok(None) };
        let Some(at) = expires_at(&job) else { return Ok(None) };
        if at > cx.now() {
            return Ok(Some(at));
        }
        let options = DeleteOptions {
            propagation: Some(Propagation::Foreground),
            uid: Some(job.uid().to_owned()),
            ..DeleteOptions::default()
        };
        match cx.api.delete(&kinds::JOB, job.namespace(), job.name(), &options) {
            Err(refused) if !refused.is_not_found() => Err(refused.into()),
            _ => Ok(None),
        }
    }
}
