//! What a Job asks for.

use super::super::pods;
use super::super::values::{flag, instant, int, spec, text};
use super::pod_failure_policy::PodFailurePolicy;
use podlab_api::Object;
use podlab_sim::{SimDuration, SimTime};
use serde_json::{Map, Value};
use std::sync::Arc;

/// The controller's own name in `managedBy`.
const OWN: &str = "kubernetes.io/job-controller";

pub(super) struct JobSpec {
    pub(super) parallelism: i64,
    /// `None`: one success is enough.
    pub(super) completions: Option<i64>,
    pub(super) indexed: bool,
    pub(super) backoff_limit: i64,
    pub(super) backoff_limit_per_index: Option<i64>,
    pub(super) max_failed_indexes: Option<i64>,
    pub(super) suspend: bool,
    pub(super) managed_elsewhere: bool,
    /// A pod is replaced when it has ended, not when it begins to go.
    pub(super) only_replace_failed: bool,
    pub(super) policy: PodFailurePolicy,
    pub(super) success_policy: Vec<Value>,
    active_deadline: Option<i64>,
    on_failure: bool,
}

impl JobSpec {
    /// `None` for a completion mode that nobody knows.
    pub(super) fn of(job: &Object) -> Option<JobSpec> {
        let field = |name: &str| spec(job, name).filter(|value| !value.is_null());
        let mode = text(field("completionMode"));
        if !matches!(mode, "" | "NonIndexed" | "Indexed") {
            return None;
        }
        let rules = field("successPolicy").and_then(|policy| policy.get("rules")).and_then(Value::as_array);
        let manager = text(field("managedBy"));
        let template = field("template").and_then(|template| template.get("spec"));
        Some(JobSpec {
            parallelism: int(field("parallelism")).unwrap_or(1),
            completions: int(field("completions")),
            indexed: mode == "Indexed",
            backoff_limit: int(field("backoffLimit")).unwrap_or(6),
            backoff_limit_per_index: int(field("backoffLimitPerIndex")),
            max_failed_indexes: int(field("maxFailedIndexes")),
            suspend: flag(field("suspend")),
            managed_elsewhere: !manager.is_empty() && manager != OWN,
            only_replace_failed: text(field("podReplacementPolicy")) == "Failed",
            policy: PodFailurePolicy::of(field("podFailurePolicy")),
            success_policy: rules.cloned().unwrap_or_default(),
            active_deadline: int(field("activeDeadlineSeconds")),
            on_failure: text(template.and_then(|spec| spec.get("restartPolicy"))) == "OnFailure",
        })
    }

    /// Source: `isPodFailed`.
    pub(super) fn is_pod_failed(&self, pod: &Object) -> bool {
        match pods::phase(pod) {
            "Failed" => true,
            "Succeeded" => false,
            _ => !self.only_replace_failed && pod.is_terminating(),
        }
    }

    /// Why a failed pod fails the whole Job, if its policy says so.
    pub(super) fn failure_message(&self, pods: &[Arc<Object>]) -> Option<String> {
        let failed = pods.iter().filter(|pod| self.is_pod_failed(pod));
        failed.filter_map(|pod| self.policy.judge(pod).fails_job).next()
    }

    /// Whether containers that are restarted in place were so too often.
    ///
    /// Source: `pastBackoffLimitOnFailure`.
    pub(super) fn restarted_too_often(&self, pods: &[Arc<Object>]) -> bool {
        if !self.on_failure {
            return false;
        }
        let alive = pods.iter().filter(|pod| matches!(pods::phase(pod), "Running" | "Pending"));
        let statuses = alive.filter_map(|pod| pod.pod_status()).flat_map(|status| {
            let init = status.init_container_statuses.iter().flatten();
            init.chain(status.container_statuses.iter().flatten())
        });
        let restarts: i64 = statuses.map(|status| i64::from(status.restart_count)).sum();
        if self.backoff_limit == 0 { restarts > 0 } else { restarts >= self.backoff_limit }
    }

    /// When the Job has been active for too long.
    pub(super) fn deadline(&self, status: &Map<String, Value>) -> Option<SimTime> {
        let seconds = u64::try_from(self.active_deadline?).ok()?;
        let start = instant(status.get("startTime")).filter(|_| !self.suspend)?;
        Some(start + SimDuration::from_secs(seconds))
    }
}
