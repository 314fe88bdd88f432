//! One workload: what its header says.

use podlab_api::kinds::{
    CRON_JOB, DAEMON_SET, DEPLOYMENT, JOB, REPLICA_SET, REPLICATION_CONTROLLER, STATEFUL_SET,
};
use podlab_api::{Kind, Object};
use serde_json::Value;

/// The kinds that keep pods alive, in the order in which they are shown.
pub static KINDS: [&Kind; 7] =
    [&DEPLOYMENT, &STATEFUL_SET, &DAEMON_SET, &REPLICA_SET, &REPLICATION_CONTROLLER, &CRON_JOB, &JOB];

/// What a workload counts, from its spec and status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counts {
    /// A Deployment, StatefulSet, DaemonSet, ReplicaSet or ReplicationController.
    Replicas {
        /// How many pods are asked for.
        desired: i64,
        /// How many there are.
        current: i64,
        /// How many are ready.
        ready: i64,
        /// How many have been ready for `minReadySeconds`.
        available: i64,
        /// How many are of the newest template; `None` where the kind has no revisions.
        updated: Option<i64>,
    },
    /// A Job.
    Job {
        /// How many pods have to succeed; `None`: one success ends it, whichever pod's.
        completions: Option<i64>,
        /// How many have.
        succeeded: i64,
        /// How many run.
        active: i64,
        /// How many have failed.
        failed: i64,
    },
    /// A CronJob.
    CronJob {
        /// How many of its Jobs run.
        active: usize,
    },
}

/// A workload as its header shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Workload {
    /// `Deployment`.
    pub kind: &'static str,
    /// Where the kind stands in [`KINDS`].
    pub order: usize,
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Uid.
    pub uid: String,
    /// Uid of the controller that owns it; empty for none.
    pub owner: String,
    /// When it was created, in nanoseconds since the epoch.
    pub created: i128,
    /// What it counts.
    pub counts: Counts,
    /// The images of its template, in the order of the containers.
    pub images: Vec<String>,
    /// Which revision of its Deployment it is; 0 for none.
    pub revision: i64,
    /// Whether it is held: `spec.paused` of a Deployment, `spec.suspend` of a Job or CronJob.
    pub held: bool,
    /// When a CronJob begins a Job.
    pub schedule: String,
}

impl Workload {
    /// Whether it asks for no pods and has none, as an old ReplicaSet.
    pub fn is_empty(&self) -> bool {
        matches!(self.counts, Counts::Replicas { desired: 0, current: 0, .. })
    }
}

/// How kubectl calls a kind: `deployment`.
pub fn kubectl_name(kind: &str) -> String {
    kind.to_lowercase()
}

fn number(object: Option<&Value>, name: &str) -> Option<i64> {
    object?.get(name)?.as_i64()
}

/// The pod template of a workload.
pub(super) fn template(object: &Object) -> Option<&Value> {
    let spec = object.field("spec")?;
    let spec = if object.kind.kind == "CronJob" { spec.get("jobTemplate")?.get("spec")? } else { spec };
    spec.get("template")
}

/// What the page shows of an object of one of [`KINDS`].
pub fn workload(object: &Object) -> Workload {
    let (spec, status) = (object.field("spec"), object.field("status"));
    let stated = |name: &str| number(status, name).unwrap_or(0);
    let kind = object.kind.kind;
    let counts = match kind {
        "DaemonSet" => Counts::Replicas {
            desired: stated("desiredNumberScheduled"),
            current: stated("currentNumberScheduled"),
            ready: stated("numberReady"),
            available: stated("numberAvailable"),
            updated: Some(stated("updatedNumberScheduled")),
        },
        "Job" => Counts::Job {
            completions: number(spec, "completions"),
            succeeded: stated("succeeded"),
            active: stated("active"),
            failed: stated("failed"),
        },
        "CronJob" => {
            let active = status.and_then(|s| s.get("active")).and_then(Value::as_array);
            Counts::CronJob { active: active.map_or(0, Vec::len) }
        }
        _ => Counts::Replicas {
            desired: number(spec, "replicas").unwrap_or(1),
            current: stated("replicas"),
            ready: stated("readyReplicas"),
            available: stated("availableReplicas"),
            updated: matches!(kind, "Deployment" | "StatefulSet").then(|| stated("updatedReplicas")),
        },
    };
    let containers = template(object).and_then(|t| t.get("spec")?.get("containers")?.as_array());
    let image = |container: &Value| container.get("image").and_then(Value::as_str).map(str::to_owned);
    let held = if kind == "Deployment" { "paused" } else { "suspend" };
    let revision = object.annotation("deployment.kubernetes.io/revision");
    Workload {
        kind,
        order: KINDS.iter().position(|k| k.kind == kind).unwrap_or(KINDS.len()),
        namespace: object.namespace().to_owned(),
        name: object.name().to_owned(),
        uid: object.uid().to_owned(),
        owner: controller(object).to_owned(),
        created: object.metadata.creation_timestamp.as_ref().map_or(0, |t| t.0.as_nanosecond()),
        counts,
        images: containers.into_iter().flatten().filter_map(image).collect(),
        revision: revision.and_then(|r| r.parse().ok()).unwrap_or(0),
        held: spec.and_then(|s| s.get(held)).and_then(Value::as_bool).unwrap_or(false),
        schedule: spec.and_then(|s| s.get("schedule")).and_then(Value::as_str).unwrap_or_default().to_owned(),
    }
}

/// The uid of the controller that owns an object; empty for none.
pub(crate) fn controller(object: &Object) -> &str {
    let owners = object.metadata.owner_references.iter().flatten();
    owners.filter(|o| o.controller == Some(true)).map(|o| o.uid.as_str()).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Counts, workload};
    use crate::state::Lab;
    use podlab_api::kinds::{CRON_JOB, DEPLOYMENT, JOB, REPLICA_SET};
    use std::time::Duration;

    #[test]
    fn a_header_says_what_spec_and_status_say() {
        let mut lab = Lab::default();
        lab.enter("kubectl create deployment web --image=nginx:1.27 --replicas=3");
        lab.enter("kubectl create cronjob tidy --image=busybox --schedule='*/5 * * * *' -- true");
        lab.enter("kubectl create job once --image=busybox -- true");
        lab.jump(lab.live().sim_now() + Duration::from_secs(60), &mut || true);
        let store = lab.live().world().api.store();
        let web = workload(store.get(&DEPLOYMENT, "default", "web").unwrap());
        let all = Counts::Replicas { desired: 3, current: 3, ready: 3, available: 3, updated: Some(3) };
        assert_eq!(
            (web.counts, web.images.as_slice(), web.held),
            (all, &["nginx:1.27".to_owned()][..], false)
        );
        let set = workload(store.list_namespace(&REPLICA_SET, "default").next().unwrap());
        assert_eq!((set.revision, set.owner), (1, web.uid));
        let once = workload(store.get(&JOB, "default", "once").unwrap());
        assert_eq!(once.counts, Counts::Job { completions: Some(1), succeeded: 1, active: 0, failed: 0 });
        let tidy = workload(store.get(&CRON_JOB, "default", "tidy").unwrap());
        assert_eq!(
            (tidy.schedule.as_str(), tidy.images.as_slice()),
            ("*/5 * * * *", &["busybox".to_owned()][..])
        );
    }
}
