//! The kubelets, one a node.
//!
//! **Invariant:** an idle, healthy pod costs one event for each of its probes and one every 60 to 90 s for
//! its worker; nothing is written while nothing changes.

mod admission;
mod api_status;
mod back_off;
mod conditions;
mod container_config;
mod deadline;
mod env_vars;
mod eviction;
mod hooks;
mod image_name;
mod images;
mod kill;
mod node;
pub(crate) mod node_status;
pub mod observation;
mod phase;
mod pod_actions;
#[cfg(test)]
mod pod_actions_tests;
mod pod_cache;
mod pod_worker;
mod pods;
mod pressure;
mod prober;
mod projected;
mod qos;
mod resize;
mod restart_policy;
mod static_pods;
mod status_manager;
mod streams;
mod sync;
mod volumes;

pub use observation::{BackOffState, ContainerObservation, PodObservation, ProbeObservation};
pub use prober::{ProbeRecord, ProbeResult, ProbeType};

use crate::apiserver::DeleteOptions;
use crate::cluster::Act;
use crate::event::Event;
use crate::latency;
use crate::observe::{Upcoming, UpcomingKind};
use crate::runtime::{Notice, Runtime};
use crate::store::Change;
use crate::world::Cx;
use node::Node;
use pod_worker::{Env, PodWorker, WorkType};
use podlab_api::door::ChangeType;
use podlab_api::{Body, Object, kinds};
use podlab_sim::SimTime;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Names a pod among those that kubelets know; never used twice.
pub type PodIx = u32;

/// What a kubelet plans.
#[derive(Clone, Debug)]
pub enum KubeletEvent {
    /// The runtime has something to tell.
    Runtime(Notice),
    /// A pod's object has changed; the kubelet's watch brings it.
    PodChanged {
        /// Index of the node.
        node: u32,
        /// Namespace and name.
        key: (Arc<str>, Arc<str>),
        /// Its uid.
        uid: Arc<str>,
    },
    /// The kubelet lists containers; planned only where something has changed.
    Relist {
        /// Index of the node.
        node: u32,
    },
    /// A sync begins that waited for a newer look at the runtime.
    Start {
        /// Which pod.
        pod: PodIx,
    },
    /// The work queue has the pod due.
    Requeue {
        /// Which pod.
        pod: PodIx,
    },
    /// A sync goes on after a wait.
    Resume {
        /// Which pod.
        pod: PodIx,
    },
    /// Volumes are mounted, or tried again.
    Mount {
        /// Which pod.
        pod: PodIx,
    },
    /// A stage of stopping a container is over.
    Kill {
        /// Which pod.
        pod: PodIx,
        /// Which of its kills.
        kill: u32,
    },
    /// The pull that is in progress for a pod ends.
    PullFinished {
        /// Which pod.
        pod: PodIx,
    },
    /// A probe is due.
    Probe {
        /// Which pod.
        pod: PodIx,
        /// Which of its workers.
        worker: u16,
    },
    /// A probe is wanted at once.
    ProbeTrigger {
        /// Which pod.
        pod: PodIx,
        /// Which of its workers.
        worker: u16,
    },
    /// A probe's command took too long.
    ProbeTimeout {
        /// Which pod.
        pod: PodIx,
        /// Which of its workers.
        worker: u16,
    },
    /// The answer to a probe comes.
    ProbeAnswer {
        /// Which pod.
        pod: PodIx,
        /// Which of its workers.
        worker: u16,
    },
    /// What a pod writes into volumes with a limit is looked at.
    LocalStorage {
        /// Which pod.
        pod: PodIx,
    },
    /// The eviction manager looks at what is left of its node.
    NodePressure {
        /// Index of the node.
        node: u32,
    },
    /// The node's status is reported, in which something is new.
    NodeStatus {
        /// Index of the node.
        node: u32,
    },
    /// Resizes that wait for room are looked at.
    RetryResizes {
        /// Index of the node.
        node: u32,
    },
    /// The look at the pod that its sync has asked for is over.
    Relisted {
        /// Which pod.
        pod: PodIx,
    },
    /// The pod's worker hears of a liveness probe that failed.
    Unhealthy {
        /// Which pod.
        pod: PodIx,
    },
    /// A static pod's mirror is looked at.
    Mirror {
        /// Which pod.
        pod: PodIx,
    },
    /// A static pod begins that waited for the end of the one before it.
    StaticPod {
        /// Index of the node.
        node: u32,
        /// The manifest's file.
        file: Arc<str>,
    },
    /// The pod's deadline is looked at.
    Deadline {
        /// Which pod.
        pod: PodIx,
    },
}

impl From<KubeletEvent> for Event {
    fn from(event: KubeletEvent) -> Event {
        Event::Kubelet(event)
    }
}

/// All kubelets of the cluster.
#[derive(Clone, Debug, Default)]
pub struct Kubelets {
    nodes: Vec<Arc<Node>>,
    /// node name → index.
    node_index: BTreeMap<Arc<str>, usize>,
    pods: pods::Pods,
    /// pod uid → index.
    by_uid: BTreeMap<Arc<str>, PodIx>,
    next_pod: PodIx,
    streams: streams::Streams,
}

impl Kubelets {
    /// Lets one pod's worker do something, then what that asks for.
    fn with_pod(
        &mut self,
        ix: PodIx,
        runtime: &mut Runtime,
        cx: &mut Cx<'_>,
        act: impl FnOnce(&mut Env<'_, '_>, &mut PodWorker),
    ) {
        let Some(worker) = self.pods.get_mut(&ix) else { return };
        let w = Arc::make_mut(worker);
        let Some(node) = self.nodes.get_mut(w.node) else { return };
        let mut env = Env { node: Arc::make_mut(node), runtime, cx, ix };
        if !env.node.running {
            return;
        }
        act(&mut env, w);
        pod_worker::settle(&mut env, w);
    }

    /// Carries out what was planned.
    pub fn handle(&mut self, event: KubeletEvent, runtime: &mut Runtime, cx: &mut Cx<'_>) {
        match event {
            KubeletEvent::Runtime(notice) => self.on_notice(notice, runtime, cx),
            KubeletEvent::PodChanged { node, key, uid } => {
                self.on_pod_changed(node as usize, &key, &uid, runtime, cx);
            }
            KubeletEvent::LocalStorage { pod } => self.with_pod(pod, runtime, cx, eviction::look),
            KubeletEvent::NodePressure { node } => self.on_node_pressure(node as usize, runtime, cx),
            KubeletEvent::NodeStatus { node } => self.on_node_status(node as usize, cx),
            KubeletEvent::RetryResizes { node } => self.retry_resizes(node as usize, runtime, cx),
            KubeletEvent::Relist { node } => self.on_relist(node as usize, runtime, cx),
            KubeletEvent::Relisted { pod } => self.with_pod(pod, runtime, cx, pod_worker::on_relisted),
            KubeletEvent::Start { pod } => self.with_pod(pod, runtime, cx, pod_worker::on_start),
            KubeletEvent::Requeue { pod } => self.with_pod(pod, runtime, cx, pod_worker::on_requeue),
            KubeletEvent::Resume { pod } => self.with_pod(pod, runtime, cx, sync::on_resume),
            KubeletEvent::Mount { pod } => self.with_pod(pod, runtime, cx, volumes::on_mount),
            KubeletEvent::Kill { pod, kill } => self.with_pod(pod, runtime, cx, |env, w| {
                kill::on_time(env, w, kill);
                sync::on_kills(env, w);
            }),
            KubeletEvent::PullFinished { pod } => self.on_pull_finished(pod, runtime, cx),
            KubeletEvent::Probe { pod, worker } => {
                self.with_pod(pod, runtime, cx, |env, w| prober::on_tick(env, w, usize::from(worker)));
            }
            KubeletEvent::ProbeTrigger { pod, worker } => {
                self.with_pod(pod, runtime, cx, |env, w| prober::on_trigger(env, w, usize::from(worker)));
            }
            KubeletEvent::ProbeTimeout { pod, worker } => {
                self.with_pod(pod, runtime, cx, |env, w| prober::on_timeout(env, w, usize::from(worker)));
            }
            KubeletEvent::ProbeAnswer { pod, worker } => {
                self.with_pod(pod, runtime, cx, |env, w| prober::on_result_time(env, w, usize::from(worker)));
            }
            KubeletEvent::Unhealthy { pod } => self.with_pod(pod, runtime, cx, |env, w| {
                if w.work == WorkType::Sync {
                    pod_worker::update_pod(env, w);
                }
            }),
            KubeletEvent::Mirror { pod } => self.reconcile_mirror(pod, runtime, cx),
            KubeletEvent::StaticPod { node, file } => {
                self.start_waiting_static_pod(node as usize, &file, runtime, cx);
            }
            KubeletEvent::Deadline { pod } => self.with_pod(pod, runtime, cx, |env, w| {
                w.deadline = None;
                if w.work == WorkType::Sync {
                    pod_worker::update_pod(env, w);
                }
            }),
        }
    }

    /// Sees a change in the store.
    pub fn observe(&mut self, change: &Change, runtime: &mut Runtime, cx: &mut Cx<'_>) {
        let object = &change.object;
        if *object.kind == kinds::POD {
            self.observe_pod(change, cx);
        } else if *object.kind == kinds::NODE {
            self.observe_node(change, runtime, cx);
        }
    }

    fn observe_pod(&mut self, change: &Change, cx: &mut Cx<'_>) {
        let object = &change.object;
        let Some(node) = object.node_name() else { return };
        let Some(node) = self.node_index.get(node).copied() else { return };
        if change.change == ChangeType::Modified
            && let Some(before) = &change.before
            && same_for_kubelet(before, object)
        {
            if has_ended(object) && self.nodes.get(node).is_some_and(|n| !n.pending_resizes.is_empty()) {
                cx.after(latency::WATCH, KubeletEvent::RetryResizes { node: node as u32 }.into());
            }
            return;
        }
        let event = KubeletEvent::PodChanged {
            node: node as u32,
            key: (object.namespace().into(), object.name().into()),
            uid: object.uid().into(),
        };
        cx.after(latency::WATCH, event.into());
    }

    fn observe_node(&mut self, change: &Change, runtime: &mut Runtime, cx: &mut Cx<'_>) {
        let object = &change.object;
        match change.change {
            ChangeType::Added => {
                if self.node_index.contains_key(object.name()) {
                    return;
                }
                let address = object.internal_ip().unwrap_or_default().to_owned();
                let index = self.nodes.len() as u32;
                let node = Node::new(object.name(), address, index, cx.settings.seed);
                self.node_index.insert(object.name().into(), self.nodes.len());
                self.nodes.push(Arc::new(node));
                cx.api.start_lease(object.name());
                let capacity = object.node_status().and_then(|status| status.capacity.as_ref());
                let bytes = |name: &str| {
                    let quantity =
                        capacity.and_then(|list| podlab_api::Quantity::try_from(list.get(name)?).ok());
                    // A node that does not say how much it has never runs short.
                    quantity.and_then(|q| u64::try_from(q.value()).ok()).unwrap_or(i64::MAX as u64)
                };
                runtime.add_node(&object.name().into(), bytes("memory"), bytes("ephemeral-storage"));
                let images = cx.settings.nodes.iter().filter(|n| n.name == object.name());
                for image in images.flat_map(|n| &n.images) {
                    runtime.finish_pull(object.name(), image, cx);
                }
            }
            ChangeType::Modified => {
                let closed = |o: &Object| o.node_spec().is_some_and(|s| s.unschedulable == Some(true));
                let was = change.before.as_ref().is_some_and(|b| closed(b));
                let index = self.node_index.get(object.name()).copied();
                if was != closed(object)
                    && let Some(index) = index
                {
                    let reason = if was { "NodeSchedulable" } else { "NodeNotSchedulable" };
                    self.announce(index, cx, &[(reason, None)]);
                }
            }
            // A kubelet outlives its Node object; it would only register again.
            ChangeType::Deleted => {}
        }
    }

    fn on_pod_changed(
        &mut self,
        node: usize,
        key: &(Arc<str>, Arc<str>),
        uid: &Arc<str>,
        runtime: &mut Runtime,
        cx: &mut Cx<'_>,
    ) {
        let stored = cx.api.store().get(&kinds::POD, &key.0, &key.1).filter(|p| p.uid() == &**uid).cloned();
        let known = self.by_uid.get(uid).copied();
        if self.nodes.get(node).is_none_or(|n| !n.running) {
            return;
        }
        let gone = stored.is_none();
        if let Some(ix) = known.filter(|ix| self.pods.get(ix).is_some_and(|w| w.is_static && !w.deleted)) {
            self.on_mirror_changed(ix, uid, stored, runtime, cx);
            return;
        }
        match (stored, known) {
            (Some(pod), None) => self.on_addition(node, pod, runtime, cx),
            (Some(pod), Some(ix)) => self.on_change(node, ix, pod, runtime, cx),
            (None, Some(ix)) => {
                let finished = self.pods.get(&ix).is_some_and(|w| w.work == WorkType::Finished);
                if finished {
                    self.forget(ix, runtime, cx);
                } else {
                    self.with_pod(ix, runtime, cx, |env, w| {
                        w.deleted = true;
                        terminate(env, w);
                    });
                }
            }
            (None, None) => {}
        }
        if gone {
            // What it had is free now.
            self.retry_resizes(node, runtime, cx);
        }
    }

    /// A pod that the kubelet knows has changed: first its resources, then all else.
    ///
    /// Source: pkg/kubelet/kubelet.go `HandlePodUpdates` (v1.37).
    fn on_change(
        &mut self,
        node: usize,
        ix: PodIx,
        pod: Arc<Object>,
        runtime: &mut Runtime,
        cx: &mut Cx<'_>,
    ) {
        let mut waits = false;
        self.with_pod(ix, runtime, cx, |_, w| waits = resize::take(w, pod));
        if waits {
            self.push_pending_resize(node, ix);
            self.retry_resizes(node, runtime, cx);
        }
        self.with_pod(ix, runtime, cx, on_update);
    }

    /// A pod that is new to the kubelet.
    ///
    /// Source: pkg/kubelet/kubelet.go `HandlePodAdditions` (v1.37).
    fn on_addition(&mut self, node: usize, pod: Arc<Object>, runtime: &mut Runtime, cx: &mut Cx<'_>) {
        let ended = matches!(pod.pod_status().and_then(|s| s.phase.as_deref()), Some("Failed" | "Succeeded"));
        if ended || static_pods::is_mirror(&pod) {
            return;
        }
        let ix = self.next_pod;
        let known = self.nodes.get(node).into_iter().flat_map(|n| &n.pods).filter_map(|ix| self.pods.get(ix));
        let others: Vec<admission::Taken> =
            known.filter(|w| !w.deleted).map(|w| (w.pod.clone(), w.requests.clone())).collect();
        let Some(kubelet) = self.nodes.get_mut(node) else { return };
        let mut env = Env { node: Arc::make_mut(kubelet), runtime, cx, ix };
        let requests = admission::requests_of(&pod);
        if !pod.is_terminating() && !admission::admit(&mut env, &pod, &requests, &others) {
            return;
        }
        self.next_pod += 1;
        let mut w = PodWorker::new(node, pod, requests);
        if w.pod.is_terminating() {
            terminate(&mut env, &mut w);
        } else {
            pod_worker::update_pod(&mut env, &mut w);
        }
        pod_worker::settle(&mut env, &mut w);
        self.keep_worker(ix, Arc::new(w));
    }

    fn on_notice(&mut self, notice: Notice, runtime: &mut Runtime, cx: &mut Cx<'_>) {
        match notice {
            Notice::ContainerDied { pod_uid, container, .. } => {
                let Some(ix) = self.by_uid.get(pod_uid.as_str()).copied() else { return };
                self.with_pod(ix, runtime, cx, |env, w| {
                    env.node.dirty.insert(env.ix);
                    plan_relist(env);
                    kill::on_exit(env, w, &container);
                    sync::on_kills(env, w);
                });
            }
            Notice::NodeLow { node } => self.on_node_low(&node, cx),
            Notice::SystemOom { node, process, pid } => self.on_system_oom(&node, &process, pid, cx),
            Notice::ExecFinished { pod_uid, token, .. } => {
                let Some(ix) = self.by_uid.get(pod_uid.as_str()).copied() else { return };
                self.with_pod(ix, runtime, cx, |env, w| {
                    if prober::finish_exec(env, w, token) || sync::finish_exec(env, w, token) {
                        return;
                    }
                    if kill::finish_exec(env, w, token) {
                        sync::on_kills(env, w);
                    }
                });
            }
        }
    }

    fn on_relist(&mut self, node: usize, runtime: &mut Runtime, cx: &mut Cx<'_>) {
        let Some(kubelet) = self.nodes.get_mut(node) else { return };
        let kubelet = Arc::make_mut(kubelet);
        kubelet.relist = None;
        for ix in std::mem::take(&mut kubelet.dirty) {
            self.with_pod(ix, runtime, cx, |env, w| pod_worker::relist_pod(env, w, false));
        }
    }

    fn on_pull_finished(&mut self, pod: PodIx, runtime: &mut Runtime, cx: &mut Cx<'_>) {
        // The pod may have gone meanwhile: its node's line of pulls moves on all the same.
        let waits = |n: &Arc<Node>| n.puller.queue.front().is_some_and(|r| r.pod == pod && r.began.is_some());
        let Some(node) = self.nodes.iter().position(waits) else { return };
        let Some(kubelet) = self.nodes.get_mut(node) else { return };
        let mut env = Env { node: Arc::make_mut(kubelet), runtime, cx, ix: pod };
        let Some((request, result)) = images::finish_first(&mut env) else { return };
        images::start_next(&mut env);
        self.with_pod(pod, runtime, cx, |env, w| sync::on_pulled(env, w, &request, &result));
    }

    /// Forgets a pod whose object and containers are gone.
    fn forget(&mut self, ix: PodIx, runtime: &mut Runtime, cx: &mut Cx<'_>) {
        let Some(mut worker) = self.take_worker(ix) else { return };
        let w = Arc::make_mut(&mut worker);
        if w.is_static {
            self.by_uid.retain(|_, other| *other != ix);
        }
        let Some(node) = self.nodes.get_mut(w.node) else { return };
        let mut env = Env { node: Arc::make_mut(node), runtime, cx, ix };
        prober::remove_pod(&mut env, w);
        volumes::remove(&mut env, w);
        for slot in [w.requeue.take(), w.waiting.take(), w.deadline.take()].into_iter().flatten() {
            env.cx.agenda.cancel(slot);
        }
        for sandbox in std::mem::take(&mut w.sandboxes) {
            if sandbox.ready {
                env.runtime.stop_pod_sandbox(&sandbox.id, env.cx);
            }
            env.runtime.remove_pod_sandbox(&sandbox.id);
        }
    }

    /// What a planned event means to a person; `None` where it means nothing.
    pub fn upcoming(&self, at: SimTime, event: &KubeletEvent) -> Option<Upcoming> {
        let of = |ix: PodIx, what: UpcomingKind| {
            let pod = &self.pods.get(&ix)?.pod;
            Some(Upcoming {
                at,
                kind: "Pod",
                namespace: pod.namespace().to_owned(),
                name: pod.name().to_owned(),
                what,
            })
        };
        match event {
            KubeletEvent::Probe { pod, worker } => {
                let w = self.pods.get(pod)?.probes.workers.get(usize::from(*worker))?;
                of(*pod, UpcomingKind::Probe { probe: w.kind.name(), container: w.container.to_string() })
            }
            KubeletEvent::Requeue { pod } => {
                let w = self.pods.get(pod)?;
                let waiting =
                    w.reasons.iter().next().map(|(name, (reason, _))| (name.clone(), reason.as_str()));
                let what = match waiting {
                    // The kubelet looks at a pod more often than its back-off ends.
                    Some((container, "CrashLoopBackOff"))
                        if w.crash_loop_end(&container).is_none_or(|end| at >= end) =>
                    {
                        UpcomingKind::BackoffEnds { container }
                    }
                    Some((container, "ErrImagePull" | "ImagePullBackOff")) => {
                        UpcomingKind::PullRetry { container }
                    }
                    _ => UpcomingKind::PodSync,
                };
                of(*pod, what)
            }
            KubeletEvent::Kill { pod, .. } => of(*pod, UpcomingKind::GraceEnds),
            KubeletEvent::PullFinished { pod } => {
                let w = self.pods.get(pod)?;
                let image = self.nodes.get(w.node)?.puller.queue.front()?.image.clone();
                of(*pod, UpcomingKind::PullEnds { image })
            }
            KubeletEvent::Mount { pod } => of(*pod, UpcomingKind::Other("volumes are mounted")),
            KubeletEvent::Deadline { pod } => of(*pod, UpcomingKind::Other("the pod's deadline ends")),
            _ => None,
        }
    }

    /// Acts on a machine: stops a kubelet, kills a container.
    pub fn act(&mut self, act: &Act, runtime: &mut Runtime, cx: &mut Cx<'_>) {
        match act {
            Act::StopKubelet(node) => self.stop_kubelet(node, cx),
            Act::StartKubelet(node) => self.start_kubelet(node, runtime, cx),
            Act::KillContainer { namespace, pod, container } => {
                let found = self
                    .pods
                    .values()
                    .find(|w| w.pod.namespace() == namespace && w.pod.name() == pod && !w.deleted);
                let id = found.and_then(|w| {
                    let ids = w.containers.iter().rev();
                    ids.filter_map(|id| runtime.container_status(id))
                        .find(|s| s.name == *container)
                        .map(|s| s.id)
                });
                if let Some(id) = id {
                    runtime.kill(&id, cx);
                }
            }
            Act::StaticPod { node, file, manifest } => {
                self.set_static_pod(node, file, manifest.as_ref(), runtime, cx);
            }
            Act::AddNode(_) | Act::ConfigureScheduler(_) => {}
        }
    }

    /// The kubelet is gone; its containers run on.
    fn stop_kubelet(&mut self, name: &str, cx: &mut Cx<'_>) {
        let Some(index) = self.node_index.get(name).copied() else { return };
        let Some(node) = self.nodes.get_mut(index).map(Arc::make_mut) else { return };
        node.running = false;
        if let Some(slot) = node.relist.take() {
            cx.agenda.cancel(slot);
        }
        node.pressure.cancel(cx);
        node.dirty.clear();
        node.puller = images::Puller::default();
        cx.api.stop_lease(name);
    }

    /// A new kubelet takes up what it finds in the runtime and in the API.
    fn start_kubelet(&mut self, name: &str, runtime: &mut Runtime, cx: &mut Cx<'_>) {
        let Some(index) = self.node_index.get(name).copied() else { return };
        let now = cx.now();
        let Some(node) = self.nodes.get_mut(index).map(Arc::make_mut) else { return };
        if node.running {
            return;
        }
        let static_pods = std::mem::take(&mut node.static_pods);
        let waiting = std::mem::take(&mut node.waiting_static_pods);
        let changed_files = std::mem::take(&mut node.changed_files);
        let old = std::mem::take(&mut node.pods);
        let ip = node.ip.clone();
        *node = Node::new(name, ip, index as u32, cx.settings.seed);
        node.started = Some(now);
        node.static_pods = static_pods;
        node.waiting_static_pods = waiting;
        cx.api.start_lease(name);
        self.announce(
            index,
            cx,
            &[
                ("Starting", Some("Starting kubelet.")),
                ("NodeHasSufficientMemory", None),
                ("NodeHasNoDiskPressure", None),
                ("NodeHasSufficientPID", None),
            ],
        );
        self.look_after_start(index, runtime, cx);
        for reason in node_status::report(name, index, &BTreeSet::new(), cx) {
            self.announce(index, cx, &[(reason, None)]);
        }
        let closed = |node: &Arc<Object>| node.node_spec().is_some_and(|s| s.unschedulable == Some(true));
        if cx.api.store().get(&kinds::NODE, "", name).is_some_and(closed) {
            self.announce(index, cx, &[("NodeNotSchedulable", None)]);
        }
        let mut left: BTreeMap<Arc<str>, Arc<PodWorker>> = BTreeMap::new();
        let mut indices: BTreeMap<Arc<str>, PodIx> = BTreeMap::new();
        for ix in old {
            if let Some(worker) = self.take_worker(ix) {
                indices.insert(worker.uid.clone(), ix);
                left.insert(worker.uid.clone(), worker);
            }
        }
        let pods: Vec<Arc<Object>> = cx.api.store().pods_on_node(name).cloned().collect();
        for pod in pods {
            let found = left.remove(pod.uid());
            let ended =
                matches!(pod.pod_status().and_then(|s| s.phase.as_deref()), Some("Failed" | "Succeeded"));
            if ended && !pod.is_terminating() {
                if let Some(found) = found {
                    // Nothing is left to do but to keep its containers for their logs.
                    self.adopt(found, WorkType::Finished);
                }
                continue;
            }
            let ix = self.next_pod;
            self.next_pod += 1;
            let requests = admission::requests_of(&pod);
            let mut w = PodWorker::new(index, pod, requests);
            if let Some(found) = found {
                w.containers.clone_from(&found.containers);
                w.sandboxes.clone_from(&found.sandboxes);
                w.is_static = found.is_static;
                if let Some(before) = indices.get(&found.uid)
                    && let Some(node) = self.nodes.get_mut(index).map(Arc::make_mut)
                {
                    for named in node.static_pods.values_mut().filter(|named| *named == before) {
                        *named = ix;
                    }
                }
                // Allocations outlive the kubelet on the node's disk.
                if let Some(resize) = &found.resize {
                    w.resize = Some(resize.clone());
                    resize::restore(&mut w, &found.pod);
                }
            }
            let Some(node) = self.nodes.get_mut(index) else { return };
            let mut env = Env { node: Arc::make_mut(node), runtime, cx, ix };
            pod_worker::relist_pod(&mut env, &mut w, true);
            (w.wants_sync, w.wants_another) = (false, false);
            if let Some(spec) = w.pod.pod_spec().cloned()
                && w.probes.add_pod(&spec, now)
            {
                let mut draw = env.cx.draw("prober", &w.uid, 0);
                let status = w.status.clone();
                w.probes.take_over(&status, || draw.unit());
                prober::start_all(&mut env, &mut w);
            }
            if w.pod.is_terminating() {
                terminate(&mut env, &mut w);
            } else {
                pod_worker::update_pod(&mut env, &mut w);
            }
            volumes::find_again(&mut env, &w);
            pod_worker::settle(&mut env, &mut w);
            self.keep_worker(ix, Arc::new(w));
        }
        // What runs but is wanted no more is stopped by the first housekeeping.
        for found in left.into_values() {
            let ix = self.next_pod;
            self.next_pod += 1;
            let mut w = PodWorker::new(index, found.pod.clone(), found.requests.clone());
            w.containers.clone_from(&found.containers);
            w.sandboxes.clone_from(&found.sandboxes);
            w.deleted = true;
            // Source: pkg/kubelet/kubelet.go `SyncTerminatingRuntimePod` (v1.37).
            w.grace = Some(1);
            let Some(node) = self.nodes.get_mut(index) else { return };
            let mut env = Env { node: Arc::make_mut(node), runtime, cx, ix };
            pod_worker::relist_pod(&mut env, &mut w, true);
            (w.wants_sync, w.wants_another) = (false, false);
            let key = (w.pod.namespace().into(), w.pod.name().into());
            let gone = KubeletEvent::PodChanged { node: index as u32, key, uid: w.uid.clone() };
            cx.after(latency::HOUSEKEEPING, gone.into());
            self.keep_worker(ix, Arc::new(w));
        }
        for (file, (at, manifest)) in changed_files {
            self.set_file(index, &file, manifest.as_deref(), at, runtime, cx);
        }
    }

    fn adopt(&mut self, mut worker: Arc<PodWorker>, work: WorkType) {
        let ix = self.next_pod;
        self.next_pod += 1;
        let w = Arc::make_mut(&mut worker);
        w.work = work;
        w.job = None;
        w.pending = false;
        self.keep_worker(ix, worker);
    }

    /// Takes a worker among those that are known.
    fn keep_worker(&mut self, ix: PodIx, worker: Arc<PodWorker>) {
        self.by_uid.insert(worker.uid.clone(), ix);
        if let Some(node) = self.nodes.get_mut(worker.node) {
            Arc::make_mut(node).pods.insert(ix);
        }
        self.pods.insert(ix, worker);
    }

    /// Takes a worker out of those that are known.
    fn take_worker(&mut self, ix: PodIx) -> Option<Arc<PodWorker>> {
        let worker = self.pods.remove(&ix)?;
        self.by_uid.remove(&worker.uid);
        if let Some(node) = self.nodes.get_mut(worker.node) {
            Arc::make_mut(node).pods.remove(&ix);
        }
        Some(worker)
    }

    /// Events about the node itself: a reason with its text, or with the usual one.
    fn announce(&mut self, index: usize, cx: &mut Cx<'_>, events: &[(&str, Option<&str>)]) {
        use crate::recorder::{EventType, InvolvedObject};
        let Some(node) = self.nodes.get_mut(index).map(Arc::make_mut).filter(|n| n.running) else { return };
        let about = InvolvedObject::node(&node.name);
        for (reason, text) in events {
            let usual = format!("Node {} status is now: {reason}", about.name());
            let text = text.unwrap_or(&usual);
            node.recorder.event(cx.api, &about, EventType::Normal, reason, text);
        }
    }
}

fn has_ended(pod: &Object) -> bool {
    matches!(pod.pod_status().and_then(|s| s.phase.as_deref()), Some("Failed" | "Succeeded"))
}

/// Whether nothing has changed that a kubelet would act on.
fn same_for_kubelet(before: &Object, after: &Object) -> bool {
    let specs = match (&before.body, &after.body) {
        (Body::Pod { spec: a, node_name: on_a, .. }, Body::Pod { spec: b, node_name: on_b, .. }) => {
            on_a == on_b && (Arc::ptr_eq(a, b) || a == b)
        }
        _ => false,
    };
    let (a, b) = (&before.metadata, &after.metadata);
    specs
        && a.deletion_timestamp == b.deletion_timestamp
        && a.deletion_grace_period_seconds == b.deletion_grace_period_seconds
        && a.labels == b.labels
        && a.annotations == b.annotations
}

/// The pod's object has changed.
fn on_update(env: &mut Env<'_, '_>, w: &mut PodWorker) {
    if w.pod.is_terminating() {
        terminate(env, w);
    } else {
        pod_worker::update_pod(env, w);
    }
}

/// Begins to bring a pod down, or hears that it has less time.
///
/// Source: pkg/kubelet/pod_workers.go `calculateEffectiveGracePeriod` (v1.37).
fn terminate(env: &mut Env<'_, '_>, w: &mut PodWorker) {
    if let Some(wish) = w.pod.metadata.deletion_grace_period_seconds {
        w.grace = Some(w.grace.map_or(wish, |g| g.min(wish)));
    }
    if w.grace.unwrap_or(0) == 0 {
        w.grace = w.pod.pod_spec().and_then(|s| s.termination_grace_period_seconds);
    }
    match w.work {
        WorkType::Sync => {
            if w.next_work.is_none() {
                w.next_work = Some(WorkType::Terminating);
            }
            pod_worker::update_pod(env, w);
            sync::cancel_waiting(env, w);
        }
        WorkType::Terminating | WorkType::Terminated => {}
        WorkType::Finished => finished(env, w),
    }
}

/// Nothing of the pod is left: its object goes if it is being deleted.
///
/// Source: pkg/kubelet/status/status_manager.go `syncPod` (v1.37).
fn finished(env: &mut Env<'_, '_>, w: &mut PodWorker) {
    if w.is_static && w.removed.is_some() && !w.deleted {
        static_pods::leave(env);
    } else if w.pod.is_terminating() && !w.deleted {
        let options = DeleteOptions {
            grace_period_seconds: Some(0),
            uid: Some(w.uid.to_string()),
            ..DeleteOptions::default()
        };
        let _ = env.cx.api.delete(&kinds::POD, w.pod.namespace(), w.pod.name(), &options);
    } else if w.deleted {
        // The object went first: the worker is taken away as if it went now.
        let event = KubeletEvent::PodChanged {
            node: w.node as u32,
            key: (w.pod.namespace().into(), w.pod.name().into()),
            uid: w.uid.clone(),
        };
        env.cx.after(std::time::Duration::ZERO, event.into());
    }
}

/// Plans the node's next relist, for which there is a reason.
fn plan_relist(env: &mut Env<'_, '_>) {
    if env.node.relist.is_none() {
        let at = env.node.next_relist(env.cx.now());
        let node = env.node.index;
        env.node.relist = Some(env.cx.at(at, KubeletEvent::Relist { node }.into()));
    }
}
