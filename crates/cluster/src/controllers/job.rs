//! job-controller: pods that run to their end, as often as asked for.
//!
//! A pod counts once and for all: its uid is noted in the status, then its finalizer is taken away, then it is
//! counted. Pods change often, so a Job is looked at a second after they do.
//!
//! Source: pkg/controller/job/job_controller.go (v1.37).

mod backoff;
mod indexes;
mod manage;
mod orphans;
mod pod_failure_policy;
mod spec;
mod success_policy;
mod tracking;

use super::ControllerEvent;
use super::controller_ref::{claim, controller_key, controller_of, selector_of};
use super::pods;
use super::queue::{Outcome, SyncError, WorkQueue};
use super::values::{int, text, timestamp};
use crate::latency;
use crate::recorder::{EventRecorder, EventType, InvolvedObject};
use crate::store::{Change, Key};
use crate::world::Cx;
use backoff::Record;
use indexes::Intervals;
use podlab_api::door::ChangeType;
use podlab_api::{Object, kinds};
use podlab_sim::{SimDuration, SimTime};
use serde_json::{Map, Value, json};
use spec::JobSpec;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The controller's name.
pub(super) const NAME: &str = "job-controller";

/// The finalizer by which a pod waits until it is counted.
const TRACKING: &str = "batch.kubernetes.io/job-tracking";

/// How long changes of pods are gathered.
///
/// Source: job_controller.go `SyncJobBatchPeriod`.
const BATCH_PERIOD: SimDuration = SimDuration::from_secs(1);

#[derive(Clone, Debug)]
pub(super) struct JobController {
    queue: WorkQueue,
    orphans: WorkQueue,
    recorder: EventRecorder,
    backoff: BTreeMap<Key, Record>,
}

impl Default for JobController {
    fn default() -> JobController {
        JobController {
            queue: WorkQueue::new("job", ControllerEvent::Job),
            orphans: WorkQueue::new("job_orphan_pod", ControllerEvent::JobOrphanPod),
            recorder: EventRecorder::new(NAME, ""),
            backoff: BTreeMap::new(),
        }
    }
}

/// Whether a Job has come to an end.
pub(super) fn is_finished(job: &Object) -> bool {
    finished_condition(job).is_some()
}

/// The condition with which a Job has come to an end.
pub(super) fn finished_condition(job: &Object) -> Option<&Value> {
    let conditions = super::values::status(job, "conditions")?.as_array()?;
    conditions.iter().find(|condition| {
        matches!(text(condition.get("type")), "Complete" | "Failed")
            && text(condition.get("status")) == "True"
    })
}

fn is_tracked(pod: &Object) -> bool {
    pod.metadata.finalizers.iter().flatten().any(|finalizer| finalizer == TRACKING)
}

/// How a Job ends, or is going to.
#[derive(Clone, Debug)]
struct Condition {
    kind: &'static str,
    reason: String,
    message: String,
}

impl Condition {
    fn new(kind: &'static str, reason: &str, message: &str) -> Condition {
        Condition { kind, reason: reason.to_owned(), message: message.to_owned() }
    }

    fn failure(reason: &str, message: &str) -> Condition {
        Condition::new("FailureTarget", reason, message)
    }

    fn value(&self, status: &str, now: SimTime) -> Value {
        let mut value = json!({"type": self.kind, "status": status, "lastProbeTime": timestamp(now),
            "lastTransitionTime": timestamp(now)});
        for (name, text) in [("reason", &self.reason), ("message", &self.message)] {
            if !text.is_empty() {
                value[name] = text.as_str().into();
            }
        }
        value
    }
}

/// One look at one Job.
struct Sync {
    key: Key,
    /// As it was last written.
    job: Arc<Object>,
    spec: JobSpec,
    /// The status as it is to be.
    status: Map<String, Value>,
    pods: Vec<Arc<Object>>,
    active_pods: Vec<Arc<Object>>,
    ready: i64,
    terminating: i64,
    succeeded: i64,
    failed: i64,
    /// Uids that the status holds as seen and not yet counted.
    uncounted_succeeded: BTreeSet<String>,
    uncounted_failed: BTreeSet<String>,
    succeeded_before: Intervals,
    succeeded_indexes: Intervals,
    /// Only with a limit for each index.
    failed_indexes: Option<Intervals>,
    /// index → its latest failed pod, which stays until the index is tried again.
    delayed: BTreeMap<i64, Arc<Object>>,
    finished: Option<Condition>,
    record: Record,
    /// When to look again.
    again: Option<SimTime>,
}

impl Sync {
    fn later(&mut self, at: SimTime) {
        self.again = Some(self.again.map_or(at, |known| known.min(at)));
    }

    fn count(&self, field: &str) -> i64 {
        int(self.status.get(field)).unwrap_or(0)
    }

    fn conditions(&self) -> Vec<Value> {
        self.status.get("conditions").and_then(Value::as_array).cloned().unwrap_or_default()
    }

    fn condition(&self, name: &str) -> Option<Value> {
        self.conditions().into_iter().find(|condition| text(condition.get("type")) == name)
    }

    fn is_condition_true(&self, name: &str) -> Option<Value> {
        self.condition(name).filter(|condition| text(condition.get("status")) == "True")
    }

    /// Sets a condition; says whether that changed anything.
    ///
    /// Source: `ensureJobConditionStatus`.
    fn ensure_condition(&mut self, condition: &Condition, status: &str, now: SimTime) -> bool {
        let mut all = self.conditions();
        let value = condition.value(status, now);
        match all.iter_mut().find(|known| text(known.get("type")) == condition.kind) {
            Some(known) => {
                let same = |field: &str| known.get(field) == value.get(field);
                if same("status") && same("reason") && same("message") {
                    return false;
                }
                *known = value;
            }
            None if status == "False" => return false,
            None => all.push(value),
        }
        self.status.insert("conditions".to_owned(), all.into());
        true
    }

    fn set_count(&mut self, field: &str, count: i64) {
        if count == 0 {
            self.status.remove(field);
        } else {
            self.status.insert(field.to_owned(), count.into());
        }
    }
}

impl JobController {
    pub(super) fn observe(&mut self, change: &Change, cx: &mut Cx<'_>) {
        let object = &change.object;
        if *object.kind == kinds::POD {
            self.observe_pod(change, cx);
            return;
        }
        if *object.kind != kinds::JOB {
            return;
        }
        let key = Key::of(object);
        if change.change == ChangeType::Deleted || is_finished(object) {
            self.queue.forget(&key, cx);
            self.backoff.remove(&key);
            self.release_pods(object, cx);
        } else if change.before.as_ref().is_some_and(|b| b.metadata.generation == object.metadata.generation)
        {
            self.queue.add_after(key, BATCH_PERIOD, cx);
        } else {
            self.queue.add_after(key, latency::WATCH, cx);
        }
    }

    fn observe_pod(&mut self, change: &Change, cx: &mut Cx<'_>) {
        let pod = &change.object;
        let owner = controller_of(pod);
        let before = change.before.as_deref().filter(|_| change.change == ChangeType::Modified);
        let owner_changed = before.is_some_and(|before| controller_of(before) != owner);
        if owner_changed && let Some(key) = before.and_then(|before| controller_key(before, &kinds::JOB, cx))
        {
            self.queue.add_after(key, BATCH_PERIOD, cx);
        }
        let gone = change.change == ChangeType::Deleted;
        let Some(owner) = owner else {
            if is_tracked(pod) && !gone {
                self.orphans.add(Key::of(pod), cx);
            }
            let relabelled = before.is_some_and(|before| before.metadata.labels != pod.metadata.labels);
            if change.change == ChangeType::Added || owner_changed || relabelled {
                let all = cx.api.store().list_namespace(&kinds::JOB, pod.namespace());
                let selects =
                    |job: &&Arc<Object>| selector_of(job).is_some_and(|s| !s.is_empty() && s.matches(&**pod));
                for key in all.filter(selects).map(|job| Key::of(job)).collect::<Vec<_>>() {
                    self.queue.add_after(key, BATCH_PERIOD, cx);
                }
            }
            return;
        };
        if owner.kind != kinds::JOB.kind {
            return;
        }
        let job = super::controller_ref::resolve(owner, &kinds::JOB, pod.namespace(), cx);
        match job.filter(|job| !is_finished(job)) {
            Some(job) => self.queue.add_after(Key::of(&job), BATCH_PERIOD, cx),
            None if pod.is_terminating() && is_tracked(pod) && !gone => self.orphans.add(Key::of(pod), cx),
            None => {}
        }
    }

    pub(super) fn sync(&mut self, key: &Key, cx: &mut Cx<'_>) {
        self.queue.take(key, cx);
        let job = cx.api.store().get_key(&kinds::JOB, key).cloned();
        let Some(job) = job.filter(|job| !is_finished(job)) else {
            self.backoff.remove(key);
            self.queue.forget(key, cx);
            return;
        };
        let outcome = match JobSpec::of(&job) {
            Some(spec) if !spec.managed_elsewhere => self.sync_job(key, &job, spec, cx),
            _ => Ok(None),
        };
        self.queue.done_keeping_delays(key, &outcome, cx);
    }

    fn sync_job(&mut self, key: &Key, job: &Arc<Object>, spec: JobSpec, cx: &mut Cx<'_>) -> Outcome {
        let Some(mut sync) = self.begin(key, job, spec, cx)? else { return Ok(None) };
        self.decide(&mut sync, cx);
        let mut active = i64::try_from(sync.active_pods.len()).unwrap_or(i64::MAX);
        let mut suspension_changed = false;
        let mut managed = Ok(());
        if sync.finished.is_some() {
            let doomed = sync.active_pods.clone();
            let (ready, deleted, result) = self.delete_active_pods(&sync, &doomed, cx);
            if deleted != active {
                sync.finished = None;
            }
            active -= deleted;
            sync.terminating += deleted;
            sync.ready -= ready;
            managed = result;
        } else {
            let manages = !job.is_terminating();
            if manages {
                (active, managed) = self.manage(&mut sync, cx);
            }
            let complete = match sync.spec.completions {
                None => sync.succeeded > 0 && active == 0,
                Some(completions) => sync.succeeded >= completions && active == 0,
            };
            if complete {
                let message = "Reached expected number of succeeded pods";
                sync.finished = Some(Condition::new("SuccessCriteriaMet", "CompletionsReached", message));
            } else if manages {
                suspension_changed = self.note_suspension(&mut sync, cx);
            }
        }
        let changed = suspension_changed
            || active != sync.count("active")
            || int(sync.status.get("ready")) != Some(sync.ready)
            || int(sync.status.get("terminating")) != Some(sync.terminating);
        sync.set_count("active", active);
        sync.status.insert("ready".to_owned(), sync.ready.into());
        sync.status.insert("terminating".to_owned(), sync.terminating.into());
        self.track(&mut sync, changed, cx)?;
        managed?;
        Ok(sync.again)
    }

    /// Counts what there is.
    fn begin(
        &mut self,
        key: &Key,
        job: &Arc<Object>,
        spec: JobSpec,
        cx: &mut Cx<'_>,
    ) -> Result<Option<Sync>, SyncError> {
        let Some(selector) = selector_of(job) else { return Ok(None) };
        let store = cx.api.store();
        let own = store.dependents(job.uid()).filter(|object| *object.kind == kinds::POD);
        let all = own.chain(store.pods_without_controller(job.namespace())).cloned().collect();
        let pods = claim(job, all, &|pod| selector.matches(pod), Some(TRACKING), cx)?;
        let active_pods: Vec<Arc<Object>> = pods.iter().filter(|pod| pods::is_active(pod)).cloned().collect();
        let count = |test: &dyn Fn(&Object) -> bool, pods: &[Arc<Object>]| {
            i64::try_from(pods.iter().filter(|pod| test(pod)).count()).unwrap_or(i64::MAX)
        };
        let status = job.field("status").and_then(Value::as_object).cloned().unwrap_or_default();
        let uncounted = |field: &str| -> BTreeSet<String> {
            let uids = status.get("uncountedTerminatedPods").and_then(|uncounted| uncounted.get(field));
            let uids = uids.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
            uids.map(str::to_owned).collect()
        };
        let mut sync = Sync {
            key: key.clone(),
            ready: count(&pods::is_ready, &active_pods),
            terminating: count(&pods::is_going, &pods),
            succeeded: 0,
            failed: 0,
            uncounted_succeeded: uncounted("succeeded"),
            uncounted_failed: uncounted("failed"),
            succeeded_before: Intervals::default(),
            succeeded_indexes: Intervals::default(),
            failed_indexes: None,
            delayed: BTreeMap::new(),
            finished: None,
            record: self.backoff.get(key).cloned().unwrap_or_default(),
            again: None,
            job: job.clone(),
            spec,
            status,
            pods,
            active_pods,
        };
        sync.status.entry("uncountedTerminatedPods").or_insert_with(|| json!({}));
        let newly = |done: &BTreeSet<String>, test: &dyn Fn(&Object) -> bool| -> Vec<Arc<Object>> {
            let mut valid = sync.valid_pods(done);
            valid.retain(|pod| test(pod));
            valid
        };
        let succeeded = newly(&sync.uncounted_succeeded, &|pod| pods::phase(pod) == "Succeeded");
        let failed = newly(&sync.uncounted_failed, &|pod| sync.spec.is_pod_failed(pod));
        let of = |items: usize| i64::try_from(items).unwrap_or(i64::MAX);
        let counted = failed.iter().filter(|pod| sync.spec.policy.judge(pod).counts).count();
        sync.succeeded = sync.count("succeeded") + of(succeeded.len() + sync.uncounted_succeeded.len());
        sync.failed = sync.count("failed") + of(counted + sync.uncounted_failed.len());
        if !sync.spec.suspend && !sync.status.contains_key("startTime") {
            sync.status.insert("startTime".to_owned(), timestamp(cx.now()));
        }
        sync.record.note(succeeded, failed);
        Ok(Some(sync))
    }

    /// Whether the Job has come to its end, and how.
    fn decide(&mut self, sync: &mut Sync, cx: &mut Cx<'_>) {
        if sync.is_condition_true("SuccessCriteriaMet").is_some() {
            let met = sync.condition("SuccessCriteriaMet").unwrap_or_default();
            let (reason, message) = (text(met.get("reason")), text(met.get("message")));
            sync.finished = Some(Condition::new("SuccessCriteriaMet", reason, message));
        } else if let Some(target) = sync.is_condition_true("FailureTarget") {
            let (reason, message) = (text(target.get("reason")), text(target.get("message")));
            sync.finished = Some(Condition::new("Failed", reason, message));
        } else if let Some(message) = sync.spec.failure_message(&sync.pods) {
            sync.finished = Some(Condition::failure("PodFailurePolicy", &message));
        }
        if sync.finished.is_none() {
            if sync.failed > sync.spec.backoff_limit || sync.spec.restarted_too_often(&sync.pods) {
                let message = "Job has reached the specified backoff limit";
                sync.finished = Some(Condition::failure("BackoffLimitExceeded", message));
            } else if let Some(deadline) = sync.spec.deadline(&sync.status) {
                if deadline <= cx.now() {
                    let message = "Job was active longer than specified deadline";
                    sync.finished = Some(Condition::failure("DeadlineExceeded", message));
                } else {
                    sync.later(deadline);
                }
            }
        }
        let Some(completions) = sync.spec.completions.filter(|_| sync.spec.indexed) else { return };
        sync.calculate_succeeded_indexes(completions);
        if sync.spec.backoff_limit_per_index.is_some() {
            sync.calculate_failed_indexes(completions);
            let failed = sync.failed_indexes.as_ref().map_or(0, Intervals::total);
            if sync.finished.is_none() {
                if sync.spec.max_failed_indexes.is_some_and(|most| failed > most) {
                    let message = "Job has exceeded the specified maximal number of failed indexes";
                    sync.finished = Some(Condition::failure("MaxFailedIndexesExceeded", message));
                } else if failed > 0 && failed + sync.succeeded_indexes.total() >= completions {
                    sync.finished = Some(Condition::failure("FailedIndexes", "Job has failed indexes"));
                }
            }
            sync.find_delayed(completions);
        }
        if sync.finished.is_none()
            && let Some(message) =
                success_policy::matched(&sync.spec.success_policy, completions, &sync.succeeded_indexes)
        {
            sync.finished = Some(Condition::new("SuccessCriteriaMet", "SuccessPolicy", &message));
        }
    }

    /// Shows a suspension as a condition; says whether that changed.
    fn note_suspension(&mut self, sync: &mut Sync, cx: &mut Cx<'_>) -> bool {
        let now = cx.now();
        let (status, reason, message, event) = if sync.spec.suspend {
            ("True", "JobSuspended", "Job suspended", "Suspended")
        } else {
            ("False", "JobResumed", "Job resumed", "Resumed")
        };
        if !sync.ensure_condition(&Condition::new("Suspended", reason, message), status, now) {
            return false;
        }
        let about = InvolvedObject::of(&sync.job);
        self.recorder.event(cx.api, &about, EventType::Normal, event, message);
        if sync.spec.suspend {
            // The time counts anew when it goes on.
            sync.status.remove("startTime");
        } else {
            sync.status.insert("startTime".to_owned(), timestamp(now));
        }
        true
    }
}
