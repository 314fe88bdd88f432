//! Whether a rollout gets on.
//!
//! Source: pkg/controller/deployment/progress.go (v1.37).

use super::super::queue::Outcome;
use super::super::values::{instant, status, text};
use super::Sync;
use super::replica_sets::Replicas;
use super::util::{self, counted};
use podlab_api::Object;
use podlab_sim::{SimDuration, SimTime};
use serde_json::{Map, Value, json};

/// What is added to a deadline, so that it surely has passed.
const SKEW: SimDuration = SimDuration::from_secs(1);

impl Sync<'_, '_> {
    /// Writes the status of a rollout; gives when to look whether it is stuck.
    pub(super) fn sync_rollout_status(&mut self, found: &Replicas) -> Outcome {
        let before = util::status_of(&self.deployment);
        let mut new = self.calculate_status(found);
        let deadline = util::progress_deadline(&self.deployment);
        if deadline.is_none() {
            util::remove_condition(&mut new, "Progressing");
        }
        let current = util::condition(&before, "Progressing").cloned();
        let reason = text(current.as_ref().and_then(|c| c.get("reason")));
        let count = |field: &str| new.get(field).and_then(Value::as_i64).unwrap_or(0);
        let is_complete = count("replicas") == count("updatedReplicas") && reason == "NewReplicaSetAvailable";
        if deadline.is_some() && !is_complete {
            self.estimate(found, current.as_ref(), &mut new);
        }
        match replica_failure(found) {
            Some(failure) => util::set_condition(&mut new, failure),
            None => util::remove_condition(&mut new, "ReplicaFailure"),
        }
        if new == before {
            return Ok(self.look_again_at(&new));
        }
        self.put_status(new);
        self.update_status()?;
        Ok(None)
    }

    fn estimate(&self, found: &Replicas, current: Option<&Value>, new: &mut Map<String, Value>) {
        let (now, subject) = (self.cx.now(), self.subject(found.newest.as_ref()));
        let condition = |status: &str, reason: &str, message: String| {
            util::new_condition("Progressing", status, reason, &message, now)
        };
        if util::is_complete(&self.deployment, new) {
            let message = format!("{subject} has successfully progressed.");
            util::set_condition(new, condition("True", "NewReplicaSetAvailable", message));
        } else if self.has_progressed(new) {
            let mut condition = condition("True", "ReplicaSetUpdated", format!("{subject} is progressing."));
            if let Some(current) = current {
                if text(current.get("status")) == "True"
                    && let Some(fields) = condition.as_object_mut()
                {
                    let since = current.get("lastTransitionTime").cloned().unwrap_or(Value::Null);
                    fields.insert("lastTransitionTime".to_owned(), since);
                }
                // The time of the last update goes on even where the reason is the same.
                util::remove_condition(new, "Progressing");
            }
            util::set_condition(new, condition);
        } else if self.has_timed_out(new) {
            let message = format!("{subject} has timed out progressing.");
            util::set_condition(new, condition("False", "ProgressDeadlineExceeded", message));
        }
    }

    /// Source: deployment_util.go `DeploymentProgressing`.
    fn has_progressed(&self, new: &Map<String, Value>) -> bool {
        let new = |field: &str| new.get(field).and_then(Value::as_i64).unwrap_or(0);
        let before = |field: &str| counted(&self.deployment, field);
        new("updatedReplicas") > before("updatedReplicas")
            || new("replicas") - new("updatedReplicas") < before("replicas") - before("updatedReplicas")
            || new("readyReplicas") > before("readyReplicas")
            || new("availableReplicas") > before("availableReplicas")
    }

    /// Source: deployment_util.go `DeploymentTimedOut`.
    fn has_timed_out(&self, new: &Map<String, Value>) -> bool {
        let Some(condition) = util::condition(new, "Progressing") else { return false };
        match text(condition.get("reason")) {
            "NewReplicaSetAvailable" => false,
            "ProgressDeadlineExceeded" => true,
            _ => self.deadline(condition).is_some_and(|at| at < self.cx.now()),
        }
    }

    /// When progress is overdue.
    fn deadline(&self, condition: &Value) -> Option<SimTime> {
        let seconds = u64::try_from(util::progress_deadline(&self.deployment)?).ok()?;
        Some(instant(condition.get("lastUpdateTime"))? + SimDuration::from_secs(seconds))
    }

    /// Source: `requeueStuckDeployment`.
    fn look_again_at(&self, new: &Map<String, Value>) -> Option<SimTime> {
        let condition = util::condition(new, "Progressing")?;
        if util::is_complete(&self.deployment, new)
            || text(condition.get("reason")) == "ProgressDeadlineExceeded"
        {
            return None;
        }
        let at = self.deadline(condition)?;
        // A rollout that was complete once is not timed any more.
        if text(condition.get("reason")) == "NewReplicaSetAvailable" {
            return None;
        }
        let soon = at.since(self.cx.now()) < SKEW;
        Some(if soon { at.max(self.cx.now()) + crate::latency::retry(0) } else { at + SKEW })
    }
}

/// The first failure that a ReplicaSet reports, the newest one's first.
fn replica_failure(found: &Replicas) -> Option<Value> {
    let failure = |set: &Object| {
        let conditions = status(set, "conditions")?.as_array()?;
        let failure = conditions.iter().find(|condition| text(condition.get("type")) == "ReplicaFailure")?;
        let since = failure.get("lastTransitionTime");
        Some(json!({"type": failure.get("type"), "status": failure.get("status"),
            "reason": failure.get("reason"), "message": failure.get("message"),
            "lastTransitionTime": since, "lastUpdateTime": since}))
    };
    found.newest.iter().chain(&found.old).find_map(|set| failure(set))
}
