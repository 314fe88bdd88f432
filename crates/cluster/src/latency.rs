//! Every modelled delay, with the recording it was read from.
//!
//! Values are what the recordings in `truth/cluster/kubelet.jsonl` show on an idle machine.

use std::time::Duration;

/// From a pod's appearance to the scheduler's decision.
pub const SCHEDULE: Duration = Duration::from_millis(4);
/// From one scheduling attempt to the next in a filled queue.
pub const SCHEDULE_NEXT: Duration = Duration::from_micros(500);
/// From a change in the API to the kubelet's or a controller's reaction.
pub const WATCH: Duration = Duration::from_millis(6);
/// From a change of a ReplicaSet to its Deployment's next look, by which the ReplicaSet has mostly followed.
///
/// Source: recordings `deploy-surge-…` of cluster/controllers.jsonl.
pub const DEPLOYMENT: Duration = Duration::from_millis(10);
/// From a Job's status that notes which pods have ended to the one that counts them.
///
/// Source: recordings `job-…` and `cronjob-forbid-overlap` of cluster/kubelet.jsonl (6 to 33 ms).
pub const JOB_FLUSH: Duration = Duration::from_millis(12);
/// From a change in the API to the garbage collector's reaction, which comes after those of the other controllers.
///
/// Source: recordings `rs-adopt` and `deploy-delete-foreground` of cluster/controllers.jsonl.
pub const GARBAGE_COLLECTOR: Duration = Duration::from_millis(25);
/// A pod sandbox is made (README: about 20 ms).
pub const SANDBOX: Duration = Duration::from_millis(20);
/// A container is made and started: in the middle of all recordings of cluster/kubelet.jsonl 6 ms pass from `Pulled` to
/// `Created`, 11 ms from there to `Started`.
pub const START: Duration = Duration::from_millis(17);
/// From a container's start to its postStart hook: what it runs has begun by then.
///
/// Source: recording `poststart-http-refused` of cluster/kubelet.jsonl.
pub const POST_START: Duration = Duration::from_millis(9);
/// What a program adds at least, and up to six times, to the time that it sleeps: it has to be loaded and to come to its turn.
///
/// Source: recording `prestop-on-liveness` of cluster/kubelet.jsonl, whose runs end at the end of one of many sleeps of 0.2 s
/// (1 to 6 ms, another in each run).
pub const EXEC: Duration = Duration::from_millis(1);
/// For how long, at most, the first process of a container is deaf to signals: until it has set up how it takes them.
///
/// Source: recording `poststart-http-refused` of cluster/kubelet.jsonl and further ones of pods whose postStart hook fails at
/// once: of some 30 processes that were told to end 4 to 40 ms after their start seven ran on until they were killed.
pub const DEAF: Duration = Duration::from_millis(12);
/// From a liveness probe's last failure to the kill, at most.
///
/// Source: recording `probe-period1-liveness-http` of cluster/kubelet.jsonl (1 to 35 ms).
pub const UNHEALTHY: Duration = Duration::from_millis(35);
/// The PLEG lists containers a second after it has listed them, which takes it some 4 ms.
///
/// Source: pkg/kubelet/kubelet.go `genericPlegRelistPeriod`, pkg/kubelet/pleg/generic.go `Start` (v1.37); fifteen of them take
/// 15.05 to 15.08 s in the recordings `always-exit0-15s`, `onfailure-exit1-15s` and others of cluster/kubelet.jsonl.
pub const PLEG_RELIST: Duration = Duration::from_millis(1004);
/// From a pod's containers being listed to their status being asked for, where that is slow.
///
/// Source: recordings `delete-crashlooping` and others of cluster/kubelet.jsonl: a container whose start and end are 2 to 10 ms
/// apart.
pub const PLEG_STATUS: Duration = Duration::from_millis(5);
/// The eviction manager looks every ten seconds at what pods use.
///
/// Source: pkg/kubelet/kubelet.go `evictionMonitoringPeriod` (v1.37).
pub const EVICTION_MONITOR: Duration = Duration::from_secs(10);
/// The kubelet reports its node's status every ten seconds, if there is something new.
///
/// Source: pkg/kubelet/apis/config/v1beta1/defaults.go `NodeStatusUpdateFrequency` (v1.37); without its jitter of 4 %.
pub const NODE_STATUS: Duration = Duration::from_secs(10);
/// The kubelet looks every two seconds for pods that run though nobody wants them.
///
/// Source: pkg/kubelet/kubelet.go `housekeepingPeriod` (v1.37).
pub const HOUSEKEEPING: Duration = Duration::from_secs(2);
/// From a pod's first sync to its volumes' first mount attempt: populator and reconciler run every 100 ms.
///
/// Source: recording `configmap-volume-missing` of cluster/kubelet.jsonl.
pub const VOLUME_RECONCILE: Duration = Duration::from_millis(215);
/// How often a sync looks whether its volumes are mounted.
///
/// Source: pkg/kubelet/volumemanager/volume_manager.go `podAttachAndMountRetryInterval` (v1.37).
pub const VOLUME_POLL: Duration = Duration::from_millis(300);
/// How long a sync waits for its volumes.
///
/// Source: pkg/kubelet/volumemanager/volume_manager.go `podAttachAndMountTimeout` (v1.37).
pub const VOLUME_TIMEOUT: Duration = Duration::from_secs(123);
/// From a status that is not ready to the readiness probe that it calls for.
///
/// Source: recordings `repeat-readiness-period10` of cluster/kubelet.jsonl.
pub const PROBE_TRIGGER: Duration = Duration::from_millis(6);

/// From a failure of a controller to its next try: 5 ms, doubled each time, up to 1,000 s.
///
/// Source: k8s.io/client-go/util/workqueue/default_rate_limiters.go `DefaultTypedControllerRateLimiter` (v1.37).
pub fn retry(failures: u32) -> Duration {
    Duration::from_millis(5)
        .saturating_mul(2u32.saturating_pow(failures.min(31)))
        .min(Duration::from_secs(1000))
}
