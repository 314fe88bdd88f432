//! How long a Job waits after failures.
//!
//! Source: pkg/controller/job/backoff_utils.go (v1.37).

use k8s_openapi::api::core::v1::ContainerStatus;
use podlab_api::Object;
use podlab_api::time::unix_seconds;
use podlab_sim::{SimDuration, SimTime};
use std::sync::Arc;

use super::indexes::failures;

/// Source: job_controller.go `DefaultJobPodFailureBackOff`, `MaxJobPodFailureBackOff`.
const FIRST: SimDuration = SimDuration::from_secs(10);
const MOST: SimDuration = SimDuration::from_secs(600);

/// The failures since the last success.
#[derive(Clone, Debug, Default)]
pub(super) struct Record {
    failures: u32,
    last: Option<SimTime>,
}

impl Record {
    /// Adds pods that have newly ended.
    pub(super) fn note(&mut self, succeeded: Vec<Arc<Object>>, failed: Vec<Arc<Object>>) {
        let latest = |pods: &[Arc<Object>]| pods.iter().map(|pod| finished_at(pod)).max();
        match latest(&succeeded) {
            None if failed.is_empty() => {}
            None => {
                self.failures = self.failures.saturating_add(u32::try_from(failed.len()).unwrap_or(u32::MAX));
                self.last = latest(&failed);
            }
            Some(success) => {
                let after: Vec<SimTime> =
                    failed.iter().map(|pod| finished_at(pod)).filter(|at| *at > success).collect();
                self.failures = u32::try_from(after.len()).unwrap_or(u32::MAX);
                self.last = after.into_iter().max();
            }
        }
    }

    /// Until when no further pod is made.
    pub(super) fn until(&self, now: SimTime) -> Option<SimTime> {
        until(self.failures, self.last?, now)
    }
}

/// Until when an index is not tried again after this pod.
pub(super) fn until_for_index(pod: &Object, now: SimTime) -> Option<SimTime> {
    until(u32::try_from(failures(pod).1).unwrap_or(u32::MAX).saturating_add(1), finished_at(pod), now)
}

fn until(failures: u32, last: SimTime, now: SimTime) -> Option<SimTime> {
    if failures == 0 {
        return None;
    }
    let delay = FIRST.saturating_mul(2u32.saturating_pow((failures - 1).min(20))).min(MOST);
    let at = last + delay;
    (at > now).then_some(at)
}

/// When a pod ended, as far as it shows.
pub(super) fn finished_at(pod: &Object) -> SimTime {
    let seconds = containers_ended(pod)
        .or_else(|| {
            let ready =
                super::super::pods::condition(pod, "Ready").filter(|ready| ready.status == "False")?;
            ready.last_transition_time.as_ref().map(unix_seconds)
        })
        .or_else(|| {
            let at = pod.metadata.deletion_timestamp.as_ref().map(unix_seconds)?;
            Some(at - pod.metadata.deletion_grace_period_seconds.unwrap_or(0))
        })
        .or_else(|| pod.metadata.creation_timestamp.as_ref().map(unix_seconds));
    SimTime::from_secs(seconds.unwrap_or(0))
}

/// When the last container ended, sidecars too; `None` unless all have.
fn containers_ended(pod: &Object) -> Option<i64> {
    let (spec, status) = (pod.pod_spec()?, pod.pod_status()?);
    let is_sidecar = |container: &&ContainerStatus| {
        let mut init = spec.init_containers.iter().flatten();
        init.any(|init| init.name == container.name && init.restart_policy.as_deref() == Some("Always"))
    };
    let sidecars = status.init_container_statuses.iter().flatten().filter(is_sidecar);
    let mut latest = None;
    for container in status.container_statuses.iter().flatten().chain(sidecars) {
        let ended = container.state.as_ref()?.terminated.as_ref()?.finished_at.as_ref().map(unix_seconds)?;
        latest = latest.max(Some(ended));
    }
    latest
}
