//! Evictions because a node's memory or disk runs short.
//!
//! The real eviction manager looks every ten seconds. Here the runtime counts what containers use as they run
//! (`runtime::node_use`) and says when a threshold is met; the kubelet looks at its next turn, and at every one after it
//! for as long as there is something to see. A node that never runs short costs nothing.
//!
//! The thresholds are the kubelet's defaults for memory and disk, all of them hard, with nothing to be reclaimed beyond
//! them. Not simulated: inodes and process ids (`nodefs.inodesFree`, `imagefs.inodesFree`, `pid.available`), a file system
//! of its own for images, soft thresholds, and the collection of images at 85 % of the disk, which would come at the
//! same point as an eviction.
//!
//! Source: pkg/kubelet/eviction/eviction_manager.go (v1.37).

mod rank;

use super::eviction::{self, GRACE};
use super::pod_worker::{Env, PodWorker, WorkType};
use super::{KubeletEvent, Kubelets, PodIx, node_status, static_pods, volumes};
use crate::latency;
use crate::recorder::{EventType, InvolvedObject};
use crate::runtime::{
    ContainerId, IMAGEFS_AVAILABLE, MEMORY_AVAILABLE, NODEFS_AVAILABLE, NodeUse, Runtime, VolumeId, part_of,
};
use crate::scheduler::plugins::taint_toleration::tolerates;
use crate::world::Cx;
use k8s_openapi::api::core::v1::{PodSpec, Taint, Volume};
use podlab_api::resources::{
    PodResourcesOptions, QosClass, compute_pod_qos, container_request, is_pod_level_resources_set,
    pod_requests,
};
use podlab_api::{Object, Quantity};
use podlab_sim::{SimDuration, SimTime, Slot};
use rank::{Candidate, ContainerUse, Resource, eviction_message};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A condition stays for so long after it was last seen.
///
/// Source: pkg/kubelet/apis/config/v1beta1/defaults.go `EvictionPressureTransitionPeriod` (v1.37).
const TRANSITION_PERIOD: SimDuration = SimDuration::from_secs(300);
/// How often the manager asks whether the pod that it has evicted is gone, and for how long: ten seconds for its end,
/// thirty for what it leaves.
///
/// Source: `podCleanupPollFreq`, `podCleanupTimeout`; pkg/kubelet/pod_workers.go `killPodNow`.
const CLEANUP_POLL: SimDuration = SimDuration::from_secs(1);
/// See [`CLEANUP_POLL`].
const CLEANUP_TIMEOUT: SimDuration = SimDuration::from_secs(40);
/// The priority from which on a pod counts as critical.
///
/// Source: pkg/apis/scheduling/types.go `SystemCriticalPriority` (v1.37).
const SYSTEM_CRITICAL_PRIORITY: i32 = 2_000_000_000;

/// A condition of a node that the manager reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Condition {
    MemoryPressure,
    DiskPressure,
}

impl Condition {
    /// As its type says.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Condition::MemoryPressure => "MemoryPressure",
            Condition::DiskPressure => "DiskPressure",
        }
    }
}

/// What a node's eviction manager remembers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pressure {
    /// The conditions that hold.
    conditions: BTreeSet<Condition>,
    /// When each was last seen.
    seen: BTreeMap<Condition, SimTime>,
    /// Its next look.
    look: Option<Slot>,
    /// The next report of the node's status, if that has something new.
    report: Option<Slot>,
    /// The pod that it has evicted and waits for, and until when.
    waits_for: Option<(PodIx, SimTime)>,
}

impl Pressure {
    /// The conditions that hold.
    pub(crate) fn conditions(&self) -> &BTreeSet<Condition> {
        &self.conditions
    }

    /// Takes back what is planned: the kubelet stops.
    pub(crate) fn cancel(&mut self, cx: &mut Cx<'_>) {
        for slot in [self.look.take(), self.report.take()].into_iter().flatten() {
            cx.agenda.cancel(slot);
        }
    }

    /// The first instant at which a condition may have gone.
    fn next_end(&self) -> Option<SimTime> {
        self.conditions.iter().filter_map(|c| Some(*self.seen.get(c)? + TRANSITION_PERIOD)).min()
    }
}

/// A threshold that is met: what to reclaim, the threshold and what is left, in bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Met {
    resource: Resource,
    threshold: u64,
    available: u64,
}

/// The thresholds that are met, that of memory first.
///
/// Source: `thresholdsMet`, `byEvictionPriority`.
fn thresholds_met(node: &NodeUse) -> Vec<Met> {
    let (memory, disk) = (node.memory_available(), node.disk_available());
    let of_disk = |percent| (Resource::EphemeralStorage, part_of(node.disk_capacity, percent), disk);
    [(Resource::Memory, MEMORY_AVAILABLE, memory), of_disk(NODEFS_AVAILABLE), of_disk(IMAGEFS_AVAILABLE)]
        .into_iter()
        .filter(|(_, threshold, available)| available < threshold)
        .map(|(resource, threshold, available)| Met { resource, threshold, available })
        .collect()
}

/// Whether a pod is one that the node or the cluster cannot do without.
///
/// Source: pkg/kubelet/types/pod_update.go `IsCriticalPod` (v1.37).
pub(crate) fn is_critical(pod: &Object, is_static: bool) -> bool {
    let priority = pod.pod_spec().and_then(|spec| spec.priority).unwrap_or(0);
    is_static || static_pods::is_mirror(pod) || priority >= SYSTEM_CRITICAL_PRIORITY
}

/// Why a node under pressure does not take a pod: the message, `None` if it does.
///
/// Source: `managerImpl.Admit`.
pub(crate) fn refusal(conditions: &BTreeSet<Condition>, pod: &Object, is_static: bool) -> Option<String> {
    if conditions.is_empty() || is_critical(pod, is_static) {
        return None;
    }
    let spec = pod.pod_spec()?;
    if conditions.iter().eq([&Condition::MemoryPressure]) {
        let taint = Taint {
            key: "node.kubernetes.io/memory-pressure".to_owned(),
            effect: "NoSchedule".to_owned(),
            ..Taint::default()
        };
        if compute_pod_qos(spec) != QosClass::BestEffort
            || tolerates(spec.tolerations.as_deref().unwrap_or(&[]), &taint)
        {
            return None;
        }
    }
    let names: Vec<&str> = conditions.iter().map(|condition| condition.name()).collect();
    Some(format!("The node had condition: [{}]. ", names.join(" ")))
}

fn in_memory(volume: &Volume) -> bool {
    volume.empty_dir.as_ref().is_some_and(|e| e.medium.as_deref() == Some("Memory"))
}

/// Whether a volume's content counts as the pod's use of the node's disk.
///
/// Source: pkg/volume/util/util.go `IsLocalEphemeralVolume` (v1.37).
fn on_disk(volume: &Volume) -> bool {
    volume.empty_dir.is_some() && !in_memory(volume) || volume.config_map.is_some()
}

/// What is known of a pod for the choice of who goes.
fn candidate(ix: PodIx, w: &PodWorker, resource: Resource, runtime: &Runtime) -> Candidate {
    let empty = Arc::default();
    let spec: &Arc<PodSpec> = w.pod.pod_spec().unwrap_or(&empty);
    let name = resource.name();
    let has_own = is_pod_level_resources_set(spec);
    let options = PodResourcesOptions {
        skip_container_level_resources: has_own,
        exclude_overhead: true,
        ..PodResourcesOptions::default()
    };
    let mut request = pod_requests(spec, None, &options).get(name).map_or(0, Quantity::value);
    if request != 0
        && let Some(overhead) = spec.overhead.as_ref().and_then(|overhead| overhead.get(name))
    {
        request = request.saturating_add(Quantity::try_from(overhead).map_or(0, |q| q.value()));
    }
    let own = spec.resources.as_ref().filter(|_| has_own && resource == Resource::Memory);
    let own = own.and_then(|r| Quantity::try_from(r.requests.as_ref()?.get(name)?).ok());
    let mut containers: Vec<ContainerUse> = Vec::new();
    for id in &w.containers {
        let Some(status) = runtime.container_status(id) else { continue };
        let found = spec.containers.iter().chain(spec.init_containers.iter().flatten());
        let Some(container) = found.into_iter().find(|c| c.name == status.name) else { continue };
        let request = container_request(container, name).unwrap_or_default();
        let bytes = match resource {
            Resource::Memory => runtime.container_memory(id),
            Resource::EphemeralStorage => runtime.container_disk(id),
        };
        // Of several runs of a container the latest counts.
        containers.retain(|known| known.name != status.name);
        containers.push(ContainerUse { name: status.name, bytes, request });
    }
    let counts = |volume: &&Volume| match resource {
        Resource::Memory => in_memory(volume),
        Resource::EphemeralStorage => on_disk(volume),
    };
    let volumes = spec.volumes.iter().flatten().filter(counts);
    let volumes: Vec<VolumeId> = volumes.map(|volume| volumes::volume_id(w, &volume.name)).collect();
    let in_volumes = volumes.iter().filter_map(|id| runtime.volume_used(id));
    let used = containers.iter().map(|c| c.bytes).chain(in_volumes).fold(0, u64::saturating_add);
    Candidate {
        pod: ix,
        name: w.pod.name().to_owned(),
        priority: spec.priority.unwrap_or(0),
        request,
        used: (!w.sandboxes.is_empty()).then_some(used),
        own_request: own,
        containers,
    }
}

/// Whether something of the pod may run.
///
/// Source: pkg/kubelet/kubelet_pods.go `isPodInactive` (v1.37).
fn is_active(w: &PodWorker) -> bool {
    let ended = |phase: Option<&str>| matches!(phase, Some("Failed" | "Succeeded"));
    let api = w.pod.pod_status().and_then(|status| status.phase.as_deref());
    match w.work {
        WorkType::Sync => !ended(w.status.phase.as_deref()) && !ended(api),
        WorkType::Terminating => true,
        WorkType::Terminated | WorkType::Finished => false,
    }
}

impl Kubelets {
    /// Something of the node runs short: its manager sees that at its next look.
    pub(super) fn on_node_low(&mut self, node: &str, cx: &mut Cx<'_>) {
        let Some(index) = self.node_index.get(node).copied() else { return };
        let at = match self.nodes.get(index) {
            Some(node) if node.running && node.pressure.waits_for.is_none() => {
                node.next_eviction_look(cx.now())
            }
            _ => return,
        };
        self.plan_look(index, at, cx);
    }

    /// A kubelet that starts finds what there is, ten seconds from now.
    pub(super) fn look_after_start(&mut self, index: usize, runtime: &mut Runtime, cx: &mut Cx<'_>) {
        let Some(node) = self.nodes.get(index) else { return };
        if runtime.node_looked_at(&node.name) {
            self.plan_look(index, cx.now() + latency::EVICTION_MONITOR, cx);
        }
    }

    /// Plans the manager's next look, unless an earlier one is planned.
    fn plan_look(&mut self, index: usize, at: SimTime, cx: &mut Cx<'_>) {
        let Some(node) = self.nodes.get_mut(index).map(Arc::make_mut) else { return };
        if let Some(slot) = node.pressure.look {
            if slot.at <= at {
                return;
            }
            cx.agenda.cancel(slot);
        }
        let event = KubeletEvent::NodePressure { node: index as u32 };
        node.pressure.look = Some(cx.at(at, event.into()));
    }

    /// The manager's turn has come.
    pub(super) fn on_node_pressure(&mut self, index: usize, runtime: &mut Runtime, cx: &mut Cx<'_>) {
        let now = cx.now();
        let Some(node) = self.nodes.get_mut(index).map(Arc::make_mut) else { return };
        if node.pressure.look.take_if(|slot| slot.at == now).is_none() || !node.running {
            return;
        }
        if let Some((pod, until)) = node.pressure.waits_for {
            let finished = self.pods.get(&pod).is_none_or(|w| w.work == WorkType::Finished);
            if !finished && now < until {
                return self.plan_look(index, now + CLEANUP_POLL, cx);
            }
            node.pressure.waits_for = None;
        }
        // After an eviction it looks at once, and its turns go on from there.
        node.set_eviction_origin(now);
        if let Some(pod) = self.synchronize(index, runtime, cx) {
            if let Some(node) = self.nodes.get_mut(index).map(Arc::make_mut) {
                node.pressure.waits_for = Some((pod, now + CLEANUP_TIMEOUT));
            }
            return self.plan_look(index, now + CLEANUP_POLL, cx);
        }
        let Some(node) = self.nodes.get(index) else { return };
        let low = runtime.node_looked_at(&node.name);
        let next = match node.pressure.next_end() {
            _ if low => Some(node.next_eviction_look(now)),
            Some(end) => Some(node.next_eviction_look(now.max(end - SimDuration::from_nanos(1)))),
            None => None,
        };
        if let Some(at) = next {
            self.plan_look(index, at, cx);
        }
    }

    /// One look: sets the node's conditions and evicts a pod if it must; the pod that was evicted.
    ///
    /// Source: `managerImpl.synchronize`.
    fn synchronize(&mut self, index: usize, runtime: &mut Runtime, cx: &mut Cx<'_>) -> Option<PodIx> {
        let now = cx.now();
        let node = self.nodes.get_mut(index).map(Arc::make_mut)?;
        let met = thresholds_met(runtime.node_use(&node.name)?);
        for met in &met {
            let condition = match met.resource {
                Resource::Memory => Condition::MemoryPressure,
                Resource::EphemeralStorage => Condition::DiskPressure,
            };
            node.pressure.seen.insert(condition, now);
        }
        let holds = node.pressure.seen.iter().filter(|(_, at)| now.since(**at) < TRANSITION_PERIOD);
        let holds: BTreeSet<Condition> = holds.map(|(condition, _)| *condition).collect();
        if holds != node.pressure.conditions {
            node.pressure.conditions = holds;
            if node.pressure.report.is_none() {
                let at = node.next_status_report(now);
                let event = KubeletEvent::NodeStatus { node: index as u32 };
                node.pressure.report = Some(cx.at(at, event.into()));
            }
        }
        let first = *met.first()?;
        let about = InvolvedObject::node(&node.name);
        let text = format!("Attempting to reclaim {}", first.resource.name());
        node.recorder.event(cx.api, &about, EventType::Warning, "EvictionThresholdMet", &text);
        if first.resource == Resource::EphemeralStorage && self.reclaim(index, runtime) {
            return None;
        }
        let node = self.nodes.get(index)?;
        let active = node.pods.iter().filter_map(|ix| Some((*ix, self.pods.get(ix)?)));
        let active = active.filter(|(_, w)| is_active(w));
        let mut candidates: Vec<Candidate> =
            active.map(|(ix, w)| candidate(ix, w, first.resource, runtime)).collect();
        rank::rank(&mut candidates);
        let spared = |ix: &PodIx| self.pods.get(ix).is_none_or(|w| is_critical(&w.pod, w.is_static));
        let chosen = candidates.iter().find(|candidate| !spared(&candidate.pod))?;
        let (message, annotations) =
            eviction_message(first.resource, chosen, (first.threshold, first.available));
        let pod = chosen.pod;
        self.with_pod(pod, runtime, cx, |env, w| {
            let text = Evicting { message, annotations, disruption: true };
            evict(env, w, text);
        });
        Some(pod)
    }

    /// Frees what nobody needs of a node's disk: containers of pods that have ended, and unused images. Says whether
    /// that is enough.
    ///
    /// Source: `reclaimNodeLevelResources`, `buildSignalToNodeReclaimFuncs`.
    fn reclaim(&mut self, index: usize, runtime: &mut Runtime) -> bool {
        let Some(node) = self.nodes.get(index) else { return false };
        for ix in &node.pods {
            let Some(w) = self.pods.get_mut(ix).filter(|w| w.work == WorkType::Finished) else { continue };
            if !w.containers.is_empty() {
                remove_containers(runtime, Arc::make_mut(w));
            }
        }
        runtime.remove_unused_images(&node.name);
        runtime.node_use(&node.name).is_some_and(|node| thresholds_met(node).is_empty())
    }

    /// The node's status is due, and has something new.
    pub(super) fn on_node_status(&mut self, index: usize, cx: &mut Cx<'_>) {
        let now = cx.now();
        let Some(node) = self.nodes.get_mut(index).map(Arc::make_mut) else { return };
        if node.pressure.report.take_if(|slot| slot.at == now).is_none() || !node.running {
            return;
        }
        let (name, conditions) = (node.name.clone(), node.pressure.conditions.clone());
        for reason in node_status::report(&name, index, &conditions, cx) {
            self.announce(index, cx, &[(reason, None)]);
        }
    }

    /// The kernel has killed a process of the node.
    ///
    /// Source: pkg/kubelet/oom/oom_watcher_linux.go (v1.37).
    pub(super) fn on_system_oom(&mut self, node: &str, process: &str, pid: u64, cx: &mut Cx<'_>) {
        let Some(index) = self.node_index.get(node).copied() else { return };
        let Some(node) = self.nodes.get_mut(index).map(Arc::make_mut).filter(|n| n.running) else { return };
        let about = InvolvedObject::node(&node.name);
        let text = format!("System OOM encountered, victim process: {process}, pid: {pid}");
        node.recorder.event(cx.api, &about, EventType::Warning, "SystemOOM", &text);
    }
}

/// Takes away all containers of a pod that have ended.
pub(super) fn remove_containers(runtime: &mut Runtime, w: &mut PodWorker) {
    let (running, ended): (Vec<ContainerId>, Vec<ContainerId>) =
        w.containers.drain(..).partition(|id| runtime.is_running(id));
    w.containers = running;
    for id in ended {
        runtime.remove_container(&id);
    }
}

/// What is said of an eviction.
pub(crate) struct Evicting {
    pub message: String,
    /// What the event carries beside the message.
    pub annotations: BTreeMap<String, String>,
    /// Whether the pod gets the condition DisruptionTarget.
    pub disruption: bool,
}

/// Ends a pod at once.
///
/// Source: `evictPod`.
pub(crate) fn evict(env: &mut Env<'_, '_>, w: &mut PodWorker, text: Evicting) {
    let Evicting { message, annotations, disruption } = text;
    let about = InvolvedObject::of(&w.pod);
    let (kind, reason) = (EventType::Warning, eviction::REASON);
    env.node.recorder.annotated_event(env.cx.api, &about, kind, reason, &message, annotations);
    w.evict = Some(eviction::Evicted { reason, message, by_manager: true, disruption });
    w.grace = Some(w.grace.map_or(GRACE, |grace| grace.min(GRACE)));
    if w.work == WorkType::Sync {
        w.next_work.get_or_insert(WorkType::Terminating);
        super::pod_worker::update_pod(env, w);
        super::sync::cancel_waiting(env, w);
    }
}

#[cfg(test)]
mod tests;
