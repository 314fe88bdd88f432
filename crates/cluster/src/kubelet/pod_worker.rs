//! One pod's worker: when it syncs, and what it remembers.
//!
//! Source: pkg/kubelet/pod_workers.go (v1.37).

use super::api_status::ReasonCache;
use super::back_off::Backoff;
use super::kill::Kill;
use super::node::Node;
use super::pod_cache::{RuntimePodStatus, Sandbox, Snapshot};
use super::prober;
use super::static_pods::Mirror;
use super::sync::SyncJob;
use super::volumes::Volumes;
use super::{KubeletEvent, PodIx};
use crate::latency;
use crate::runtime::{ContainerId, ContainerState, Runtime};
use crate::world::Cx;
use k8s_openapi::api::core::v1::PodStatus;
use podlab_api::Object;
use podlab_api::event::ObjectReference;
use podlab_api::resources::ResourceList;
use podlab_sim::{SimDuration, SimTime, Slot};
use std::sync::Arc;

/// A pod is synced again after this time, or up to half more.
///
/// Source: pkg/kubelet/apis/config/v1beta1/defaults.go `SyncFrequency` (v1.37).
pub(crate) const RESYNC_INTERVAL: SimDuration = SimDuration::from_secs(60);
/// After an error that says nothing of a back-off.
pub(crate) const BACK_OFF_PERIOD: SimDuration = SimDuration::from_secs(10);

/// What a worker does with its pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WorkType {
    /// Brings it up and keeps it.
    Sync,
    /// Brings it down.
    Terminating,
    /// Cleans up after it.
    Terminated,
    /// Nothing any more.
    Finished,
}

/// What a handler may touch beside the worker.
pub(crate) struct Env<'a, 'b> {
    pub node: &'a mut Node,
    pub runtime: &'a mut Runtime,
    pub cx: &'a mut Cx<'b>,
    pub ix: PodIx,
}

/// A pod's worker.
#[derive(Clone, Debug)]
pub(crate) struct PodWorker {
    /// Index of the node.
    pub node: usize,
    pub uid: Arc<str>,
    /// The object as last seen.
    pub pod: Arc<Object>,
    /// What its spec requests.
    pub requests: Arc<ResourceList>,
    /// Whether it came from a file.
    pub is_static: bool,
    /// When that file went or changed.
    pub removed: Option<SimTime>,
    /// What has become of the mirror of a static pod.
    pub mirror: Mirror,
    pub work: WorkType,
    /// Work of the next type waits until the present sync has ended.
    pub next_work: Option<WorkType>,
    /// A sync is asked for.
    pub pending: bool,
    /// Set by handlers: a sync is wanted as soon as they are done.
    pub wants_sync: bool,
    /// Set by a look that found more than one change: the sync that the first of them begins is not the last.
    pub wants_another: bool,
    /// The sync in progress.
    pub job: Option<SyncJob>,
    /// A sync that waits for a newer look at the runtime.
    pub waiting: Option<Slot>,
    /// When the last sync ended.
    pub last_sync: Option<SimTime>,
    /// The next entry in the work queue.
    pub requeue: Option<Slot>,
    /// Draws made for this pod.
    pub draws: u64,
    /// The latest look at the runtime.
    pub cache: Snapshot,
    /// Containers that the latest look listed as running and found ended when it asked for their status.
    pub listed_running: Vec<ContainerId>,
    /// When the pod alone was looked at.
    pub observed: SimTime,
    /// All containers that the runtime still has, oldest first.
    pub containers: Vec<ContainerId>,
    /// All sandboxes, oldest first.
    pub sandboxes: Vec<Sandbox>,
    pub status: Arc<PodStatus>,
    pub status_written: bool,
    pub reasons: ReasonCache,
    /// container name → restart back-off.
    pub crash_loop: Backoff,
    /// image → pull back-off.
    pub image_backoff: Backoff,
    /// image → the reason and text of its last failed pull.
    pub pull_errors: std::collections::BTreeMap<String, (String, String)>,
    pub probes: prober::Manager,
    pub kills: Vec<Kill>,
    pub kills_made: u32,
    pub volumes: Volumes,
    /// Seconds the pod gets to end, once somebody has said so.
    pub grace: Option<i64>,
    /// The pod fails by the kubelet's own decision.
    pub evict: Option<super::eviction::Evicted>,
    /// What the API said of the pod when its end began.
    pub status_at_end: Option<Arc<PodStatus>>,
    /// When the deadline has to be looked at.
    pub deadline: Option<Slot>,
    /// The object is gone from the API.
    pub deleted: bool,
    /// A resize in place that is not over.
    pub resize: Option<Box<super::resize::Resize>>,
    /// How events refer to the container that the latest of them was about.
    pub about: Option<Arc<ObjectReference>>,
    /// What the last sync saw, if it found all well and nothing to do: while both are the same, the next need
    /// not look.
    pub quiet: Option<(Snapshot, Arc<Object>)>,
}

impl PodWorker {
    /// `requests`: what the spec requests.
    pub(crate) fn new(node: usize, pod: Arc<Object>, requests: Arc<ResourceList>) -> PodWorker {
        let status = pod.pod_status().cloned().unwrap_or_default();
        PodWorker {
            node,
            uid: pod.uid().into(),
            requests,
            pod,
            is_static: false,
            removed: None,
            mirror: Mirror::Present,
            work: WorkType::Sync,
            next_work: None,
            pending: false,
            wants_sync: false,
            wants_another: false,
            listed_running: Vec::new(),
            job: None,
            waiting: None,
            last_sync: None,
            requeue: None,
            draws: 0,
            cache: Arc::new(RuntimePodStatus::default()),
            observed: SimTime::from_secs(0),
            containers: Vec::new(),
            sandboxes: Vec::new(),
            status,
            status_written: false,
            reasons: ReasonCache::new(),
            crash_loop: Backoff::default(),
            image_backoff: Backoff::default(),
            pull_errors: std::collections::BTreeMap::new(),
            probes: prober::Manager::default(),
            kills: Vec::new(),
            kills_made: 0,
            volumes: Volumes::default(),
            grace: None,
            evict: None,
            status_at_end: None,
            deadline: None,
            deleted: false,
            resize: None,
            about: None,
            quiet: None,
        }
    }

    /// When a container may be started again; `None` where nothing holds it back.
    pub(crate) fn crash_loop_end(&self, container: &str) -> Option<SimTime> {
        let last = self.cache.find(container)?;
        Some(last.finished_at? + self.crash_loop.get(container)?.backoff)
    }

    /// The object has changed.
    pub(crate) fn set_pod(&mut self, pod: Arc<Object>) {
        let same = match (self.pod.pod_spec(), pod.pod_spec()) {
            (Some(old), Some(new)) => Arc::ptr_eq(old, new),
            _ => false,
        };
        if !same {
            self.requests = super::admission::requests_of(&pod);
        }
        self.pod = pod;
    }

    /// Whether nothing has changed since a sync that found nothing to do.
    fn is_quiet(&self) -> bool {
        self.quiet
            .as_ref()
            .is_some_and(|(cache, pod)| Arc::ptr_eq(cache, &self.cache) && Arc::ptr_eq(pod, &self.pod))
    }

    /// `name_namespace(uid)`, as logs and events have it.
    ///
    /// Source: pkg/kubelet/util/format/pod.go `Pod` (v1.37).
    pub(crate) fn full_name(&self) -> String {
        format!("{}_{}({})", self.pod.name(), self.pod.namespace(), self.uid)
    }
}

/// Asks for a sync: it begins at once unless one is in progress.
pub(crate) fn update_pod(env: &mut Env<'_, '_>, w: &mut PodWorker) {
    if w.work == WorkType::Finished {
        return;
    }
    w.pending = true;
    start_if_idle(env, w);
}

/// Takes up the pending sync, and begins it when the look at the runtime is newer than the sync before.
///
/// What is asked for while it waits for that is another sync.
///
/// Source: pkg/kubelet/pod_workers.go `podWorkerLoop` (v1.37), where `startPodSync` comes before `GetNewerThan`.
fn start_if_idle(env: &mut Env<'_, '_>, w: &mut PodWorker) {
    if !w.pending || w.job.is_some() || w.waiting.is_some() || !env.node.running {
        return;
    }
    w.pending = false;
    if let Some(next) = w.next_work.take() {
        w.work = next;
    }
    let now = env.cx.now();
    if let Some(last) = w.last_sync {
        let looked = w.observed.max(env.node.last_relist(now));
        if looked <= last {
            let at = env.node.next_relist(last.max(now));
            w.waiting = Some(env.cx.at(at, KubeletEvent::Start { pod: env.ix }.into()));
            return;
        }
    }
    begin(env, w);
}

/// The look at the runtime that a sync waited for has been taken.
pub(crate) fn on_start(env: &mut Env<'_, '_>, w: &mut PodWorker) {
    w.waiting = None;
    if env.node.running && w.job.is_none() {
        relist_pod(env, w, false);
        if w.work != WorkType::Finished {
            begin(env, w);
        }
    }
}

fn begin(env: &mut Env<'_, '_>, w: &mut PodWorker) {
    if let Some(slot) = w.requeue.take() {
        env.cx.agenda.cancel(slot);
    }
    if w.work == WorkType::Sync && w.is_quiet() && !super::volumes::is_stale(env, w) {
        return complete_work(env, w, SyncEnd { transition: None, error: None, acted: false });
    }
    super::sync::start(env, w);
}

/// What a sync ended with.
pub(crate) struct SyncEnd {
    /// The next type of work, if this one is complete.
    pub transition: Option<WorkType>,
    /// Some of it failed; with the earliest end of a back-off if anything that failed waits for one.
    pub error: Option<Option<SimTime>>,
    /// Something was done, so that the runtime is worth a look.
    pub acted: bool,
}

/// A sync has ended: plans the next.
///
/// Source: pkg/kubelet/pod_workers.go `completeWork` (v1.37).
pub(crate) fn complete_work(env: &mut Env<'_, '_>, w: &mut PodWorker, end: SyncEnd) {
    let now = env.cx.now();
    // A look that this sync has used was taken before it ended, also where no time has passed since.
    w.last_sync = Some(now.max(w.observed));
    if let Some(next) = end.transition {
        if next == WorkType::Finished {
            w.work = WorkType::Finished;
            w.pending = false;
            return;
        }
        w.work = next;
        if next == WorkType::Terminated {
            super::status_manager::write(env, w);
        }
        w.pending = true;
    } else {
        let wait = match end.error {
            None => jitter(env, w, RESYNC_INTERVAL),
            Some(None) => jitter(env, w, BACK_OFF_PERIOD),
            Some(Some(at)) => {
                let rest = at.since(now).min(RESYNC_INTERVAL);
                jitter(env, w, rest)
            }
        };
        let at = env.node.next_sync_tick(now + wait);
        w.requeue = Some(env.cx.at(at, KubeletEvent::Requeue { pod: env.ix }.into()));
        if end.acted {
            if end.error.is_none() {
                relist_on_demand(env, w);
            } else {
                // What was done beside the failure shows at the next relist.
                env.node.dirty.insert(env.ix);
                super::plan_relist(env);
            }
        }
    }
    start_if_idle(env, w);
}

/// A wait lengthened by up to a half.
fn jitter(env: &mut Env<'_, '_>, w: &mut PodWorker, wait: SimDuration) -> SimDuration {
    w.draws += 1;
    let mut draw = env.cx.draw("pod-worker", &w.uid, w.draws);
    wait + wait.mul_f64(draw.unit() * 0.5)
}

/// The work queue says that the pod is due.
pub(crate) fn on_requeue(env: &mut Env<'_, '_>, w: &mut PodWorker) {
    w.requeue = None;
    update_pod(env, w);
}

/// The runtime is asked about this pod at once: its containers are listed, then each is asked for its status.
///
/// A process that is over in a few milliseconds is mostly found running by both, sometimes by the list alone, sometimes by
/// neither; any other run is the same to all three, so that only few looks need take their time.
///
/// Source: pkg/kubelet/pleg/generic.go `relistPod`, `updateCache` (v1.37); of 109 such runs in the recordings of
/// cluster/kubelet.jsonl five were found running by the list alone (`delete-crashlooping`, `deadline-crashing`,
/// `kubectl-run-busybox` and others), thirteen by neither.
fn relist_on_demand(env: &mut Env<'_, '_>, w: &mut PodWorker) {
    w.draws += 1;
    let drawn = env.cx.draw("pleg", &w.uid, w.draws).unit();
    if drawn >= 2.0 * SLOW_LOOK {
        return relist_pod(env, w, true);
    }
    if drawn < SLOW_LOOK {
        let runs = |id: &&ContainerId| {
            env.runtime.container_status(id).is_some_and(|c| c.state == ContainerState::Running)
        };
        w.listed_running = w.containers.iter().filter(runs).cloned().collect();
    }
    env.cx.after(latency::PLEG_STATUS, KubeletEvent::Relisted { pod: env.ix }.into());
}

/// How often a look is slow enough for a process that ends at once to have ended before its status is asked for, and
/// as often before the list.
const SLOW_LOOK: f64 = 0.1;

/// A look that took its time is over.
pub(crate) fn on_relisted(env: &mut Env<'_, '_>, w: &mut PodWorker) {
    if w.work == WorkType::Finished {
        return;
    }
    let listed = std::mem::take(&mut w.listed_running);
    look(env, w, true, listed);
    if !w.listed_running.is_empty() {
        // Their end is a change to the next look.
        env.node.dirty.insert(env.ix);
        super::plan_relist(env);
    }
    if let Some(slot) = w.waiting.take() {
        env.cx.agenda.cancel(slot);
        begin(env, w);
    }
}

/// Looks at the pod in the runtime; a change asks for a sync.
///
/// Source: pkg/kubelet/pleg/generic.go `reconcilePodRecord` (v1.37).
pub(crate) fn relist_pod(env: &mut Env<'_, '_>, w: &mut PodWorker, now_observed: bool) {
    look(env, w, now_observed, Vec::new());
}

/// `listed`: containers that the list had running, whatever their status says now.
fn look(env: &mut Env<'_, '_>, w: &mut PodWorker, now_observed: bool, listed: Vec<ContainerId>) {
    let now = env.cx.now();
    let fresh = RuntimePodStatus::inspect(env.runtime, &w.sandboxes, &w.containers);
    let mut changes = fresh.changes_since(&w.cache, &std::mem::take(&mut w.listed_running));
    if !listed.is_empty() {
        // Of these the list said that they had begun; that they have ended is what the next one says.
        w.listed_running = listed;
        w.listed_running.retain(|id| changes.died.contains(id));
        changes.died.retain(|id| !w.listed_running.contains(id));
    }
    if now_observed {
        // One nanosecond on: the look was taken after the sync had ended.
        w.observed = w.last_sync.unwrap_or(now).max(now) + SimDuration::from_nanos(1);
    }
    let differs = fresh != *w.cache;
    if differs {
        w.cache = Arc::new(fresh);
    }
    w.wants_sync |= changes.worth_a_sync > 0;
    w.wants_another |= changes.worth_a_sync > 1;
    for id in &changes.died {
        clean_up_containers(env, w, id);
    }
}

/// Keeps one ended container of each name, of an evicted pod none.
///
/// Source: pkg/kubelet/pod_container_deletor.go, pkg/kubelet/pod_workers.go `ShouldPodContentBeRemoved` (v1.37).
fn clean_up_containers(env: &mut Env<'_, '_>, w: &mut PodWorker, died: &ContainerId) {
    if w.evict.as_ref().is_some_and(|evicted| evicted.by_manager) {
        super::pressure::remove_containers(env.runtime, w);
        return;
    }
    let Some(name) = w.cache.containers.iter().find(|c| c.id == *died).map(|c| c.name.clone()) else {
        return;
    };
    let old: Vec<ContainerId> = w
        .cache
        .containers
        .iter()
        .filter(|c| c.name == name && c.state == crate::runtime::ContainerState::Exited)
        .skip(1)
        .map(|c| c.id.clone())
        .collect();
    for id in old {
        env.runtime.remove_container(&id);
        w.containers.retain(|c| *c != id);
    }
}

/// Whether the worker has taken up the first of several changes by the time that the second asks for a sync, which then makes
/// one of its own: two threads that are woken at the same time.
fn takes_up_first(env: &mut Env<'_, '_>, w: &mut PodWorker) -> bool {
    w.draws += 1;
    env.cx.draw("pod-worker", &w.uid, w.draws).unit() < TAKES_UP_FIRST
}

/// How often it has. No clock shows it, only the further sync a second later: recordings `delete-crashlooping`,
/// `liveness-probe-grace` and `probe-period1-liveness-http` of cluster/kubelet.jsonl have it, most others go without.
const TAKES_UP_FIRST: f64 = 0.15;

/// Does what handlers have asked for: probes at once, then a sync.
pub(crate) fn settle(env: &mut Env<'_, '_>, w: &mut PodWorker) {
    for _ in 0..8 {
        let triggers = std::mem::take(&mut w.probes.triggers);
        for index in triggers {
            prober::plan_trigger(env, w, index);
        }
        let another = std::mem::take(&mut w.wants_another);
        if std::mem::take(&mut w.wants_sync) {
            let began = w.job.is_none() && w.waiting.is_none();
            update_pod(env, w);
            if another && began && !w.is_quiet() && takes_up_first(env, w) {
                update_pod(env, w);
            }
        }
        if w.probes.triggers.is_empty() && !w.wants_sync {
            return;
        }
    }
}
