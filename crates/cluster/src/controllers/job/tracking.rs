//! Counting pods that have ended, each exactly once, and ending the Job.
//!
//! Source: pkg/controller/job/job_controller.go `trackJobStatusAndRemoveFinalizers` (v1.37).

use super::super::pods;
use super::super::queue::SyncError;
use super::super::values::{set_status, text};
use super::indexes::index_of;
use super::manage::untrack;
use super::{Condition, JobController, Sync, is_tracked};
use crate::latency;
use crate::recorder::{EventType, InvolvedObject};
use crate::world::Cx;
use podlab_api::Object;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Source: job_controller.go `MaxUncountedPods`.
const MAX_UNCOUNTED: usize = 500;

impl Sync {
    fn uncounted(&self, field: &str) -> Vec<String> {
        let uids = self.status.get("uncountedTerminatedPods").and_then(|uncounted| uncounted.get(field));
        let uids = uids.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        uids.map(str::to_owned).collect()
    }

    fn set_uncounted(&mut self, field: &str, uids: Vec<String>) {
        let uncounted = self.status.entry("uncountedTerminatedPods").or_insert_with(|| json!({}));
        if let Some(uncounted) = uncounted.as_object_mut() {
            if uids.is_empty() {
                uncounted.remove(field);
            } else {
                uncounted.insert(field.to_owned(), uids.into());
            }
        }
    }

    /// Counts the noted pods whose finalizer is gone; says whether there were any.
    fn count_untracked(&mut self, tracked: &BTreeSet<String>) -> bool {
        let mut changed = false;
        for field in ["succeeded", "failed"] {
            let noted = self.uncounted(field);
            let left: Vec<String> = noted.iter().filter(|uid| tracked.contains(*uid)).cloned().collect();
            if left.len() != noted.len() {
                let count = self.count(field) + i64::try_from(noted.len() - left.len()).unwrap_or(0);
                self.set_count(field, count);
                self.set_uncounted(field, left);
                changed = true;
            }
        }
        changed
    }

    /// Whether a pod may lose its finalizer now.
    fn may_untrack(&self, pod: &Object, failed: bool) -> bool {
        if self.job.is_terminating() || self.finished.is_some() || pods::phase(pod) == "Succeeded" {
            return true;
        }
        // The latest failed pod of an index says how often it has failed.
        let delays = |pod: &Object| {
            index_of(pod)
                .and_then(|index| self.delayed.get(&index))
                .is_some_and(|kept| kept.uid() == pod.uid())
        };
        failed && !(self.spec.backoff_limit_per_index.is_some() && delays(pod))
    }

    fn push_condition(&mut self, condition: &Condition, cx: &Cx<'_>) {
        let mut all = self.conditions();
        all.push(condition.value("True", cx.now()));
        self.status.insert("conditions".to_owned(), all.into());
    }

    fn write(&mut self, cx: &mut Cx<'_>) -> Result<(), SyncError> {
        self.job = set_status(&self.job, Value::Object(self.status.clone()), cx)?;
        Ok(())
    }
}

impl JobController {
    pub(super) fn track(
        &mut self,
        sync: &mut Sync,
        mut needs_flush: bool,
        cx: &mut Cx<'_>,
    ) -> Result<(), SyncError> {
        let mut tracked: BTreeSet<String> =
            sync.pods.iter().filter(|pod| is_tracked(pod)).map(|pod| pod.uid().to_owned()).collect();
        needs_flush |= sync.count_untracked(&tracked);
        let (removable, all_noted) = self.note_ended(sync, &mut needs_flush);
        self.note_indexes(sync, &mut needs_flush);
        if let Some(condition) = sync.finished.clone() {
            if condition.kind == "FailureTarget" {
                sync.push_condition(&condition, cx);
                needs_flush = true;
                sync.finished = Some(Condition { kind: "Failed", ..condition });
            } else if condition.kind == "SuccessCriteriaMet" {
                if sync.is_condition_true("SuccessCriteriaMet").is_none() {
                    sync.push_condition(&condition, cx);
                    needs_flush = true;
                }
                sync.finished = Some(Condition { kind: "Complete", ..condition });
            }
        }
        if needs_flush {
            sync.write(cx)?;
            self.backoff.insert(sync.key.clone(), sync.record.clone());
            if !removable.is_empty() || sync.finished.is_some() {
                // The rest is further requests, between which others see what this one has written: it is what a sync goes
                // on with that finds pods noted.
                self.queue.add_after(sync.key.clone(), latency::JOB_FLUSH, cx);
                return Ok(());
            }
            needs_flush = false;
        }
        let mut failed = false;
        for pod in &removable {
            if untrack(pod, cx) {
                tracked.remove(pod.uid());
            } else {
                failed = true;
            }
        }
        needs_flush |= sync.count_untracked(&tracked);
        if failed {
            if needs_flush {
                sync.write(cx)?;
            }
            return Err(SyncError::AGAIN);
        }
        let finished = all_noted && self.end(sync, cx);
        if needs_flush || finished {
            sync.write(cx)?;
        }
        if finished {
            self.tell_end(sync, cx);
        }
        Ok(())
    }

    /// Notes the pods that have ended; gives those that may lose their finalizer, and whether these are all.
    fn note_ended(&mut self, sync: &mut Sync, needs_flush: &mut bool) -> (Vec<Arc<Object>>, bool) {
        let (mut succeeded, mut failed) = (sync.uncounted("succeeded"), sync.uncounted("failed"));
        let mut new_indexes = BTreeSet::new();
        let mut removable = Vec::new();
        let mut all_noted = true;
        let mut pods = sync.pods.clone();
        if sync.spec.indexed {
            pods.sort_by_key(|pod| index_of(pod));
        }
        let fails = sync.finished.as_ref().is_some_and(|condition| condition.kind != "SuccessCriteriaMet");
        for pod in pods.iter().filter(|pod| is_tracked(pod)) {
            let has_failed = sync.spec.is_pod_failed(pod);
            if !sync.may_untrack(pod, has_failed) {
                continue;
            }
            removable.push(pod.clone());
            let uid = pod.uid();
            let in_range = index_of(pod).filter(|index| sync.spec.completions.is_some_and(|c| *index < c));
            if pods::phase(pod) == "Succeeded" && !sync.uncounted_failed.contains(uid) {
                if sync.spec.indexed {
                    if let Some(index) = in_range.filter(|index| !sync.succeeded_before.has(*index)) {
                        new_indexes.insert(index);
                        *needs_flush = true;
                    }
                } else if !sync.uncounted_succeeded.contains(uid) {
                    succeeded.push(uid.to_owned());
                    *needs_flush = true;
                }
            } else if (has_failed || fails)
                && !sync.uncounted_failed.contains(uid)
                && (!sync.spec.indexed || in_range.is_some())
                && sync.spec.policy.judge(pod).counts
            {
                failed.push(uid.to_owned());
                *needs_flush = true;
            }
            if new_indexes.len() + succeeded.len() + failed.len() >= MAX_UNCOUNTED {
                all_noted = false;
                break;
            }
        }
        sync.set_uncounted("succeeded", succeeded);
        sync.set_uncounted("failed", failed);
        if sync.spec.indexed {
            sync.succeeded_indexes = sync.succeeded_indexes.with(&new_indexes);
        }
        (removable, all_noted)
    }

    fn note_indexes(&mut self, sync: &mut Sync, needs_flush: &mut bool) {
        if !sync.spec.indexed {
            return;
        }
        let indexes = sync.succeeded_indexes.to_string();
        *needs_flush |= text(sync.status.get("completedIndexes")) != indexes;
        sync.set_count("succeeded", sync.succeeded_indexes.total());
        if indexes.is_empty() {
            sync.status.remove("completedIndexes");
        } else {
            sync.status.insert("completedIndexes".to_owned(), indexes.into());
        }
        let failed = sync.failed_indexes.as_ref().map(ToString::to_string);
        if sync.status.get("failedIndexes").and_then(Value::as_str) != failed.as_deref() {
            *needs_flush = true;
            match failed {
                Some(failed) => sync.status.insert("failedIndexes".to_owned(), failed.into()),
                None => sync.status.remove("failedIndexes"),
            };
        }
    }

    /// Ends the Job once all its pods are counted and none is going; says whether it has.
    fn end(&mut self, sync: &mut Sync, cx: &mut Cx<'_>) -> bool {
        let Some(condition) = sync.finished.clone() else { return false };
        let noted = sync.uncounted("succeeded").len() + sync.uncounted("failed").len();
        if noted > 0 || sync.terminating > 0 {
            return false;
        }
        sync.ensure_condition(&condition, "True", cx.now());
        if condition.kind == "Complete" {
            let now = super::super::values::timestamp(cx.now());
            sync.status.insert("completionTime".to_owned(), now);
        }
        true
    }

    fn tell_end(&mut self, sync: &Sync, cx: &mut Cx<'_>) {
        let Some(condition) = &sync.finished else { return };
        let about = InvolvedObject::of(&sync.job);
        if condition.kind != "Complete" {
            let (reason, message) = (&condition.reason, &condition.message);
            self.recorder.event(cx.api, &about, EventType::Warning, reason, message);
            return;
        }
        if sync.spec.completions.is_some_and(|completions| sync.count("succeeded") > completions) {
            let message = "Too many succeeded pods running after completion count reached";
            self.recorder.event(cx.api, &about, EventType::Warning, "TooManySucceededPods", message);
        }
        self.recorder.event(cx.api, &about, EventType::Normal, "Completed", "Job completed");
    }
}
