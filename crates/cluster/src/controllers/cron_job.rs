//! cronjob-controller: a Job at every time of a schedule.
//!
//! Source: pkg/controller/cronjob/cronjob_controllerv2.go (v1.37).

mod schedule;

use super::ControllerEvent;
use super::controller_ref::{controller_key, controller_of, is_controlled_by, new_controller_ref};
use super::job::{finished_condition, is_finished};
use super::queue::{Outcome, SyncError, WorkQueue};
use super::values::{flag, instant, int, set_status, spec, text, timestamp};
use crate::apiserver::DeleteOptions;
use crate::recorder::{EventRecorder, EventType, InvolvedObject};
use crate::store::{Change, Key};
use crate::world::Cx;
use podlab_api::door::{ChangeType, Propagation};
use podlab_api::time::unix_seconds;
use podlab_api::{Object, kinds};
use podlab_sim::{SimDuration, SimTime};
use schedule::{Missed, ZonedSchedule, most_recent};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The controller's name.
pub(super) const NAME: &str = "cronjob-controller";

/// A Job is made a little after its time, so that clocks that differ agree that it has come.
///
/// Source: cronjob_controllerv2.go `nextScheduleDelta`.
const DELTA: SimDuration = SimDuration::from_millis(100);

#[derive(Clone, Debug)]
pub(super) struct CronJobController {
    queue: WorkQueue,
    recorder: EventRecorder,
}

impl Default for CronJobController {
    fn default() -> CronJobController {
        CronJobController {
            queue: WorkQueue::new("cronjob", ControllerEvent::CronJob),
            recorder: EventRecorder::new(NAME, ""),
        }
    }
}

/// One look at one CronJob.
struct Sync<'a, 'b> {
    cron_job: &'a Arc<Object>,
    /// The status as it is to be.
    status: Map<String, Value>,
    recorder: &'a mut EventRecorder,
    cx: &'a mut Cx<'b>,
}

impl CronJobController {
    pub(super) fn observe(&mut self, change: &Change, cx: &mut Cx<'_>) {
        let object = &change.object;
        if *object.kind == kinds::CRON_JOB {
            if change.change == ChangeType::Deleted {
                self.queue.forget(&Key::of(object), cx);
            } else {
                self.queue.add(Key::of(object), cx);
            }
            return;
        }
        if *object.kind != kinds::JOB {
            return;
        }
        let before = change.before.as_deref().filter(|_| change.change == ChangeType::Modified);
        if let Some(before) = before
            && controller_of(before) != controller_of(object)
            && let Some(key) = controller_key(before, &kinds::CRON_JOB, cx)
        {
            self.queue.add(key, cx);
        }
        if let Some(key) = controller_key(object, &kinds::CRON_JOB, cx) {
            self.queue.add(key, cx);
        }
    }

    pub(super) fn sync(&mut self, key: &Key, cx: &mut Cx<'_>) {
        self.queue.take(key, cx);
        let outcome = match cx.api.store().get_key(&kinds::CRON_JOB, key).cloned() {
            Some(cron_job) => {
                let status = cron_job.field("status").and_then(Value::as_object).cloned().unwrap_or_default();
                let sync = Sync { cron_job: &cron_job, status, recorder: &mut self.recorder, cx: &mut *cx };
                sync.run()
            }
            None => Ok(None),
        };
        self.queue.done(key, &outcome, cx);
    }
}

impl Sync<'_, '_> {
    fn run(mut self) -> Outcome {
        let store = self.cx.api.store();
        let own = store.dependents(self.cron_job.uid()).filter(|object| *object.kind == kinds::JOB);
        let jobs: Vec<Arc<Object>> =
            own.filter(|job| is_controlled_by(job, self.cron_job.uid())).cloned().collect();
        self.cleanup(&jobs);
        let outcome = self.schedule(&jobs);
        let before = self.cron_job.field("status").and_then(Value::as_object);
        if before != Some(&self.status) {
            set_status(self.cron_job, Value::Object(self.status.clone()), self.cx)?;
        }
        outcome
    }

    fn event(&mut self, kind: EventType, reason: &str, message: &str) {
        self.recorder.event(self.cx.api, &InvolvedObject::of(self.cron_job), kind, reason, message);
    }

    fn active(&self) -> Vec<Value> {
        self.status.get("active").and_then(Value::as_array).cloned().unwrap_or_default()
    }

    fn set_active(&mut self, active: Vec<Value>) {
        if active.is_empty() {
            self.status.remove("active");
        } else {
            self.status.insert("active".to_owned(), active.into());
        }
    }

    fn forget(&mut self, uid: &str) {
        let mut active = self.active();
        active.retain(|job| text(job.get("uid")) != uid);
        self.set_active(active);
    }

    /// Deletes the oldest of the Jobs that are over, beyond the limits of history.
    fn cleanup(&mut self, jobs: &[Arc<Object>]) {
        for (ending, limit) in
            [("Complete", "successfulJobsHistoryLimit"), ("Failed", "failedJobsHistoryLimit")]
        {
            let Some(limit) = int(spec(self.cron_job, limit)) else { continue };
            let ended = |job: &&Arc<Object>| {
                finished_condition(job).is_some_and(|condition| text(condition.get("type")) == ending)
            };
            let mut ended: Vec<Arc<Object>> = jobs.iter().filter(ended).cloned().collect();
            let excess = ended.len().saturating_sub(usize::try_from(limit).unwrap_or(0));
            let started = |job: &Object| instant(super::values::status(job, "startTime"));
            ended.sort_by(|a, b| {
                let (a_at, b_at) = (started(a), started(b));
                a_at.is_none().cmp(&b_at.is_none()).then(a_at.cmp(&b_at)).then_with(|| a.name().cmp(b.name()))
            });
            for job in ended.iter().take(excess) {
                self.delete(job);
            }
        }
    }

    /// Deletes a Job; says whether it is gone.
    fn delete(&mut self, job: &Object) -> bool {
        let options =
            DeleteOptions { propagation: Some(Propagation::Background), ..DeleteOptions::default() };
        if let Err(refused) = self.cx.api.delete(&kinds::JOB, job.namespace(), job.name(), &options) {
            let message = format!("Deleted job: {}", refused.message);
            self.event(EventType::Warning, "FailedDelete", &message);
            return false;
        }
        self.forget(job.uid());
        self.event(EventType::Normal, "SuccessfulDelete", &format!("Deleted job {}", job.name()));
        true
    }

    /// Brings the list of active Jobs up to date.
    fn look_at_jobs(&mut self, jobs: &[Arc<Object>]) {
        for job in jobs {
            let listed = self.active().iter().any(|active| text(active.get("uid")) == job.uid());
            if !is_finished(job) {
                if !listed {
                    let name = job.name();
                    let message = format!("Saw a job that the controller did not create or forgot: {name}");
                    self.event(EventType::Warning, "UnexpectedJob", &message);
                }
                continue;
            }
            let ending = finished_condition(job).map_or("", |condition| text(condition.get("type")));
            if listed {
                self.forget(job.uid());
                let message = format!("Saw completed job: {}, condition: {ending}", job.name());
                self.event(EventType::Normal, "SawCompletedJob", &message);
            }
            let completed = super::values::status(job, "completionTime");
            if ending == "Complete"
                && let Some(completed) = completed
                && instant(Some(completed)) > instant(self.status.get("lastSuccessfulTime"))
            {
                self.status.insert("lastSuccessfulTime".to_owned(), completed.clone());
            }
        }
        let children: BTreeSet<&str> = jobs.iter().map(|job| job.uid()).collect();
        for active in self.active() {
            let (uid, name) = (text(active.get("uid")), text(active.get("name")));
            let store = self.cx.api.store();
            if !children.contains(uid) && store.get(&kinds::JOB, self.cron_job.namespace(), name).is_none() {
                self.event(EventType::Normal, "MissingJob", &format!("Active job went missing: {name}"));
                self.forget(uid);
            }
        }
    }

    fn schedule(&mut self, jobs: &[Arc<Object>]) -> Outcome {
        self.look_at_jobs(jobs);
        if self.cron_job.is_terminating() {
            return Ok(None);
        }
        let cron_job = self.cron_job;
        let zone = spec(cron_job, "timeZone").and_then(Value::as_str);
        if let Some(name) = zone.filter(|name| schedule::zone(name).is_none()) {
            let message = format!("invalid timeZone: {name:?}: unknown time zone {name}");
            self.event(EventType::Warning, "UnknownTimeZone", &message);
            return Ok(None);
        }
        if flag(spec(cron_job, "suspend")) {
            return Ok(None);
        }
        let given = text(spec(cron_job, "schedule"));
        if given.contains("TZ") {
            let message = format!(
                "CRON_TZ or TZ used in schedule {given:?} is not officially supported, see \
                 https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details"
            );
            self.event(EventType::Warning, "UnsupportedSchedule", &message);
        }
        let parsed = match ZonedSchedule::parse(given, zone) {
            Ok(parsed) => parsed,
            Err(error) => {
                let message = format!("unparseable schedule: {given:?} : {error}");
                self.event(EventType::Warning, "UnparseableSchedule", &message);
                return Ok(None);
            }
        };
        let now = self.cx.now();
        let deadline = int(spec(cron_job, "startingDeadlineSeconds")).and_then(|s| u64::try_from(s).ok());
        let deadline = deadline.map(SimDuration::from_secs);
        let since = self.since();
        let earliest = deadline.map_or(since, |deadline| since.max(now - deadline));
        let recent = match most_recent(&parsed, earliest, now) {
            Ok(recent) => recent,
            Err(error) => {
                let message = format!("invalid schedule: {given} : {error}");
                self.event(EventType::Warning, "InvalidSchedule", &message);
                return Ok(None);
            }
        };
        let Some(due) = recent.at else { return Ok(next(&parsed, since, now)) };
        if recent.missed == Missed::Many {
            let message = "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew";
            self.event(EventType::Warning, "TooManyMissedTimes", message);
        }
        if deadline.is_some_and(|deadline| due + deadline < now) {
            let at = jiff::Timestamp::from_second(due.as_secs()).unwrap_or_default();
            let at = at.to_zoned(jiff::tz::TimeZone::UTC).strftime("%a, %d %b %Y %H:%M:%S +0000").to_string();
            self.event(
                EventType::Warning,
                "MissSchedule",
                &format!("Missed scheduled time to start a job: {at}"),
            );
            return Ok(next(&parsed, since, now));
        }
        let name = format!("{}-{}", cron_job.name(), due.as_secs().div_euclid(60));
        let listed = self.active().iter().any(|active| text(active.get("name")) == name);
        if listed || instant(self.status.get("lastScheduleTime")) == Some(due) {
            return Ok(next(&parsed, since, now));
        }
        match text(spec(cron_job, "concurrencyPolicy")) {
            "Forbid" if !self.active().is_empty() => {
                let message =
                    "Not starting job because prior execution is running and concurrency policy is Forbid";
                self.event(EventType::Normal, "JobAlreadyActive", message);
                return Ok(next(&parsed, since, now));
            }
            "Replace" => {
                for active in self.active() {
                    let job = text(active.get("name"));
                    let found = self.cx.api.store().get(&kinds::JOB, cron_job.namespace(), job).cloned();
                    let Some(job) = found else { return Err(SyncError::AGAIN) };
                    if !self.delete(&job) {
                        return Err(SyncError::AGAIN);
                    }
                }
            }
            _ => {}
        }
        let Some(job) = self.start(&name, due, &parsed, zone)? else { return Ok(None) };
        let mut active = self.active();
        active
            .push(json!({"kind": "Job", "namespace": job.namespace(), "name": job.name(), "uid": job.uid(),
            "apiVersion": "batch/v1", "resourceVersion": job.metadata.resource_version}));
        self.set_active(active);
        self.status.insert("lastScheduleTime".to_owned(), timestamp(due));
        Ok(next(&parsed, due, now))
    }

    /// Since when times count: the last one at which a Job was made, or the CronJob's own beginning.
    fn since(&self) -> SimTime {
        let created = self.cron_job.metadata.creation_timestamp.as_ref().map_or(0, unix_seconds);
        instant(self.status.get("lastScheduleTime")).unwrap_or(SimTime::from_secs(created))
    }

    /// Makes the Job of a time; `None` where it is there and known already.
    fn start(
        &mut self,
        name: &str,
        due: SimTime,
        parsed: &ZonedSchedule,
        zone: Option<&str>,
    ) -> Result<Option<Arc<Object>>, SyncError> {
        let cron_job = self.cron_job;
        let template = spec(cron_job, "jobTemplate").cloned().unwrap_or_else(|| json!({}));
        let part = |path: &str| template.pointer(path).cloned().unwrap_or_else(|| json!({}));
        let mut annotations = part("/metadata/annotations");
        annotations["batch.kubernetes.io/cronjob-scheduled-timestamp"] = parsed.rfc3339(due, zone).into();
        let owner = serde_json::to_value(new_controller_ref(cron_job)).unwrap_or(Value::Null);
        let mut metadata = json!({"name": name, "namespace": cron_job.namespace(), "annotations": annotations,
            "ownerReferences": [owner]});
        let labels = part("/metadata/labels");
        if labels.as_object().is_some_and(|labels| !labels.is_empty()) {
            metadata["labels"] = labels;
        }
        let job = json!({"metadata": metadata, "spec": part("/spec")});
        match self.cx.api.create_tree(&kinds::JOB, job) {
            Ok(job) => {
                self.event(EventType::Normal, "SuccessfulCreate", &format!("Created job {name}"));
                Ok(Some(job))
            }
            Err(refused) if refused.reason == "AlreadyExists" => {
                let found = self.cx.api.store().get(&kinds::JOB, cron_job.namespace(), name).cloned();
                let Some(found) = found else { return Err(refused.into()) };
                let listed = self.active().iter().any(|active| text(active.get("uid")) == found.uid());
                Ok(Some(found).filter(|found| is_controlled_by(found, cron_job.uid()) && !listed))
            }
            Err(refused) => {
                let error: SyncError = refused.clone().into();
                if !error.namespace_terminating {
                    let message = format!("Error creating job: {}", refused.message);
                    self.event(EventType::Warning, "FailedCreate", &message);
                }
                Err(error)
            }
        }
    }
}

/// When to look again.
///
/// Source: pkg/controller/cronjob/utils.go `nextScheduleTimeDuration`.
fn next(schedule: &ZonedSchedule, since: SimTime, now: SimTime) -> Option<SimTime> {
    let from = match most_recent(schedule, since, now) {
        Err(_) => now,
        Ok(recent) => recent.at.unwrap_or(match recent.missed {
            Missed::None => recent.earliest,
            _ => now,
        }),
    };
    Some((schedule.next(from)? + DELTA).max(now))
}
