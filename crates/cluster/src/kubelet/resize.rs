//! Resizes in place: from a wish through an allocation to what the runtime has.
//!
//! A worker's pod always shows what is allocated. A wish that does not fit yet is kept beside it, and what containers
//! still run with is kept until the runtime has been told.
//!
//! Source: pkg/kubelet/allocation/allocation_manager.go, pkg/kubelet/status/status_manager.go,
//! pkg/kubelet/events/resize.go, pkg/kubelet/kuberuntime/kuberuntime_manager.go `computePodResizeAction`,
//! `doPodResizeAction` (v1.37).

use super::kill::KillReason;
use super::pod_actions::{ContainerToKill, PodActions};
use super::pod_cache::RuntimePodStatus;
use super::pod_worker::{self, Env, PodWorker};
use super::restart_policy::is_restartable_init_container;
use super::{KubeletEvent, Kubelets, admission};
use crate::latency;
use crate::recorder::{EventType, InvolvedObject};
use crate::runtime::{ContainerState, Runtime};
use crate::world::Cx;
use k8s_openapi::api::core::v1::{Container, PodCondition, PodSpec, ResourceRequirements};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as QuantityText;
use podlab_api::resources::{QosClass, compute_pod_qos};
use podlab_api::time::{time, unix_seconds};
use podlab_api::{Body, Object, Quantity};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

const PENDING: &str = "PodResizePending";
const IN_PROGRESS: &str = "PodResizeInProgress";

/// What a pod's worker remembers of a resize until all of it is done.
#[derive(Clone, Debug, Default)]
pub(crate) struct Resize {
    /// The pod as it is wished for, while that is not what is allocated.
    desired: Option<Arc<Object>>,
    /// What containers run with: name → resources. A container that is missing runs with what is allocated.
    actuated: BTreeMap<String, ResourceRequirements>,
    pending: Option<PodCondition>,
    in_progress: Option<PodCondition>,
}

impl Resize {
    /// The conditions, in the order of the status.
    pub(crate) fn conditions(&self) -> impl Iterator<Item = &PodCondition> {
        self.pending.iter().chain(&self.in_progress)
    }

    /// What a container runs with, where that is not what is allocated.
    pub(crate) fn actuated(&self, container: &str) -> Option<&ResourceRequirements> {
        self.actuated.get(container)
    }

    /// The allocated spec with what its containers run with.
    pub(crate) fn actuated_spec(&self, allocated: &PodSpec) -> PodSpec {
        let mut spec = allocated.clone();
        for container in spec.containers.iter_mut().chain(spec.init_containers.iter_mut().flatten()) {
            if let Some(resources) = self.actuated.get(&container.name) {
                container.resources = Some(resources.clone());
            }
        }
        spec
    }

    /// A container has been started with what is allocated.
    pub(crate) fn started(&mut self, container: &str) {
        self.actuated.remove(container);
    }

    /// The pod has ended: nothing of it is resized any more.
    pub(crate) fn ended(&mut self) {
        self.pending = None;
        self.in_progress = None;
    }

    fn is_over(&self) -> bool {
        self.desired.is_none() && self.pending.is_none() && self.in_progress.is_none()
    }
}

/// Containers whose resources can change while they run.
fn resizable(spec: &PodSpec) -> impl Iterator<Item = &Container> {
    let init = spec.init_containers.iter().flatten().filter(|c| is_restartable_init_container(c));
    init.chain(&spec.containers)
}

/// CPU and memory of a list, as amounts that can be compared.
fn amounts(resources: Option<&ResourceRequirements>) -> [Option<i64>; 4] {
    let amount = |limits: bool, name: &str| {
        let resources = resources?;
        let list = if limits { &resources.limits } else { &resources.requests };
        let quantity = Quantity::parse(&list.as_ref()?.get(name)?.0).ok()?;
        Some(if name == "cpu" { quantity.milli_value() } else { quantity.value() })
    };
    [amount(false, "cpu"), amount(false, "memory"), amount(true, "cpu"), amount(true, "memory")]
}

fn same_resources(a: &PodSpec, b: &PodSpec) -> bool {
    let mut pairs = resizable(a).zip(resizable(b));
    a.resources == b.resources
        && pairs
            .all(|(a, b)| a.name != b.name || amounts(a.resources.as_ref()) == amounts(b.resources.as_ref()))
}

/// A pod with the resources that another version of it has.
fn with_resources_of(pod: &Arc<Object>, allocated: &PodSpec) -> Arc<Object> {
    let mut pod = Arc::clone(pod);
    let Body::Pod { spec, .. } = &mut Arc::make_mut(&mut pod).body else { return pod };
    let spec = Arc::make_mut(spec);
    spec.resources.clone_from(&allocated.resources);
    let list = spec.containers.iter_mut().chain(spec.init_containers.iter_mut().flatten());
    for container in list {
        if let Some(old) = resizable(allocated).find(|c| c.name == container.name) {
            container.resources.clone_from(&old.resources);
        }
    }
    pod
}

/// A newer version of the pod that came with an answer of the API: its resources are looked at when the watch brings it.
pub(crate) fn with_allocated(w: &PodWorker, pod: Arc<Object>) -> Arc<Object> {
    match (w.pod.pod_spec(), pod.pod_spec()) {
        (Some(old), Some(new)) if !Arc::ptr_eq(old, new) && !same_resources(old, new) => {
            with_resources_of(&pod, old)
        }
        _ => pod,
    }
}

/// Takes over a newer version of the pod. Its resources change only once they are allocated; says whether they wait for
/// that.
pub(crate) fn take(w: &mut PodWorker, pod: Arc<Object>) -> bool {
    let (Some(old), Some(new)) = (w.pod.pod_spec(), pod.pod_spec()) else {
        w.set_pod(pod);
        return false;
    };
    if Arc::ptr_eq(old, new) || same_resources(old, new) {
        if let Some(resize) = &mut w.resize {
            // The wish has been taken back.
            resize.desired = None;
            resize.pending = None;
        }
        w.set_pod(pod);
        return false;
    }
    let allocated = with_resources_of(&pod, old);
    let resize = w.resize.get_or_insert_default();
    let wished = resize.desired.as_ref().and_then(|d| d.pod_spec());
    let is_new = !wished.is_some_and(|wished| same_resources(wished, new));
    resize.desired = Some(pod);
    w.set_pod(allocated);
    is_new
}

/// After a restart of the kubelet: what was allocated to the pod is so still.
pub(crate) fn restore(w: &mut PodWorker, allocated: &Arc<Object>) {
    let Some(spec) = allocated.pod_spec() else { return };
    let desired = w.pod.clone();
    let pod = with_resources_of(&desired, spec);
    w.set_pod(pod);
    take(w, desired);
}

/// A condition of a resize; the time of its last transition is that of its reason.
fn condition(
    kind: &str,
    old: Option<&PodCondition>,
    [reason, message]: [&str; 2],
    generation: Option<i64>,
    now: podlab_sim::SimTime,
) -> PodCondition {
    let now = time(now.as_secs());
    let same = old.filter(|old| old.reason.as_deref().unwrap_or("") == reason);
    PodCondition {
        type_: kind.to_owned(),
        status: "True".to_owned(),
        reason: (!reason.is_empty()).then(|| reason.to_owned()),
        message: (!message.is_empty()).then(|| message.to_owned()),
        last_probe_time: Some(now.clone()),
        last_transition_time: same.and_then(|old| old.last_transition_time.clone()).or(Some(now)),
        observed_generation: generation,
    }
}

/// The text of an event: which resources are meant.
fn summary(what: &str, spec: &PodSpec, generation: Option<i64>, error: &str) -> String {
    let canonical = |list: &Option<BTreeMap<String, QuantityText>>| -> Option<Value> {
        let pairs = list.as_ref()?.iter().map(|(name, text)| {
            let canonical = Quantity::parse(&text.0).map_or_else(|_| text.0.clone(), |q| q.to_string());
            (name.clone(), Value::String(canonical))
        });
        Some(Value::Object(pairs.collect()))
    };
    let one = |container: &Container| {
        let mut resources = serde_json::Map::new();
        if let Some(own) = &container.resources {
            for (name, list) in [("limits", canonical(&own.limits)), ("requests", canonical(&own.requests))] {
                resources.extend(list.map(|list| (name.to_owned(), list)));
            }
        }
        format!("{{\"name\":{},\"resources\":{}}}", json!(container.name), Value::Object(resources))
    };
    let mut parts = Vec::new();
    let init = spec.init_containers.as_deref().unwrap_or(&[]);
    for (name, list) in [("initContainers", init), ("containers", &spec.containers)] {
        if !list.is_empty() {
            parts.push(format!("\"{name}\":[{}]", list.iter().map(one).collect::<Vec<_>>().join(",")));
        }
    }
    parts.push(format!("\"generation\":{}", generation.unwrap_or(0)));
    if !error.is_empty() {
        parts.push(format!("\"error\":{}", json!(error)));
    }
    format!("{what}: {{{}}}", parts.join(","))
}

fn announce(env: &mut Env<'_, '_>, w: &PodWorker, reason: &str, text: &str) {
    let kind = match reason {
        "ResizeStarted" | "ResizeCompleted" => EventType::Normal,
        _ => EventType::Warning,
    };
    env.node.recorder.event(env.cx.api, &InvolvedObject::of(&w.pod), kind, reason, text);
}

/// Whether a running container still has other resources than those allocated.
fn is_in_progress(w: &PodWorker, resize: &Resize, seen: &RuntimePodStatus) -> bool {
    let Some(spec) = w.pod.pod_spec() else { return false };
    resizable(spec).any(|container| {
        let running = seen.find(&container.name).is_some_and(|c| c.state == ContainerState::Running);
        let actuated = resize.actuated.get(&container.name);
        running && actuated.is_some_and(|a| amounts(Some(a)) != amounts(container.resources.as_ref()))
    })
}

/// Looks, at the beginning of a sync, how far the resize is.
pub(crate) fn observe(env: &mut Env<'_, '_>, w: &mut PodWorker, seen: &RuntimePodStatus) {
    let Some(mut resize) = w.resize.take() else { return };
    if is_in_progress(w, &resize, seen) {
        if resize.in_progress.is_none() {
            let generation = w.pod.metadata.generation;
            resize.in_progress = Some(condition(IN_PROGRESS, None, ["", ""], generation, env.cx.now()));
        }
    } else if let Some(done) = resize.in_progress.take() {
        resize.actuated.clear();
        Arc::make_mut(&mut w.status).resources = None;
        if let Some(spec) = w.pod.pod_spec() {
            let text = summary("Pod resize completed", spec, done.observed_generation, "");
            announce(env, w, "ResizeCompleted", &text);
        }
        // What this pod gave back may be what another waits for.
        plan_retry(env);
    }
    if !resize.is_over() {
        w.resize = Some(resize);
    }
}

/// Looks again at the resizes that wait on this node, if there are any.
pub(crate) fn plan_retry(env: &mut Env<'_, '_>) {
    if !env.node.pending_resizes.is_empty() {
        let node = env.node.index;
        env.cx.after(latency::WATCH, KubeletEvent::RetryResizes { node }.into());
    }
}

/// Adds to a sync's plan what running containers need to get their new resources; says whether the runtime is to be told.
pub(crate) fn add_actions(w: &PodWorker, seen: &RuntimePodStatus, plan: &mut PodActions) -> bool {
    let (Some(resize), Some(spec)) = (&w.resize, w.pod.pod_spec()) else { return false };
    let mut tell = false;
    for container in resizable(spec) {
        let Some(actuated) = resize.actuated.get(&container.name) else { continue };
        let running = seen.find(&container.name).filter(|c| c.state == ContainerState::Running);
        let Some(running) = running else { continue };
        let (new, old) = (amounts(container.resources.as_ref()), amounts(Some(actuated)));
        if new == old || plan.containers_to_kill.iter().any(|kill| kill.id == running.id) {
            continue;
        }
        let restarts = |resource: &str| {
            let policy = container.resize_policy.iter().flatten().find(|p| p.resource_name == resource);
            policy.is_some_and(|p| p.restart_policy == "RestartContainer")
        };
        let cpu = (new[0], new[2]) != (old[0], old[2]);
        let memory = (new[1], new[3]) != (old[1], old[3]);
        if !(cpu && restarts("cpu") || memory && restarts("memory")) {
            tell = true;
            continue;
        }
        plan.containers_to_kill.push(ContainerToKill {
            id: running.id.clone(),
            name: container.name.clone(),
            message: format!("Container {} resize requires restart", container.name),
            reason: KillReason::Other,
        });
        let init = spec.init_containers.as_deref().unwrap_or(&[]);
        let (list, start) = match init.iter().position(|c| c.name == container.name) {
            Some(index) => (&mut plan.init_containers_to_start, index),
            None => {
                let index = spec.containers.iter().position(|c| c.name == container.name).unwrap_or_default();
                (&mut plan.containers_to_start, index)
            }
        };
        list.push(start);
        list.sort_unstable();
    }
    tell
}

/// Tells the runtime what running containers may use from now on.
///
/// # Errors
/// The text for the condition, where a memory limit would fall below what is used.
pub(crate) fn actuate(env: &mut Env<'_, '_>, w: &mut PodWorker) -> Result<(), String> {
    let (Some(resize), Some(spec)) = (&mut w.resize, w.pod.pod_spec().cloned()) else { return Ok(()) };
    let waiting: Vec<(&Container, crate::runtime::ContainerId)> = resizable(&spec)
        .filter(|c| {
            resize.actuated.get(&c.name).is_some_and(|a| amounts(Some(a)) != amounts(c.resources.as_ref()))
        })
        .filter_map(|c| {
            let mut ids = w.containers.iter().rev();
            let id = ids.find(|id| {
                env.runtime.is_running(id)
                    && env.runtime.container_status(id).is_some_and(|s| s.name == c.name)
            })?;
            Some((c, id.clone()))
        })
        .collect();
    check_memory(env.runtime, &w.uid, &spec, resize, &waiting, env.cx.now())?;
    for (container, id) in waiting {
        let [_, _, cpu, memory] = amounts(container.resources.as_ref());
        let limit = |amount: Option<i64>| amount.and_then(|n| u64::try_from(n).ok()).filter(|n| *n > 0);
        env.runtime.update_container_resources(&id, limit(cpu), limit(memory));
        resize.actuated.insert(container.name.clone(), container.resources.clone().unwrap_or_default());
    }
    Ok(())
}

/// Source: `validateMemoryResizeAction`.
fn check_memory(
    runtime: &Runtime,
    uid: &str,
    spec: &PodSpec,
    resize: &Resize,
    waiting: &[(&Container, crate::runtime::ContainerId)],
    now: podlab_sim::SimTime,
) -> Result<(), String> {
    // A pod has a limit only if all of its containers have one.
    let pod_limit = |actuated: bool| -> Option<i64> {
        resizable(spec)
            .map(|c| {
                let own = resize.actuated.get(&c.name).filter(|_| actuated).or(c.resources.as_ref());
                amounts(own)[3]
            })
            .sum()
    };
    let (old, new) = (pod_limit(true), pod_limit(false));
    let mut errors = Vec::new();
    let (_, used) = runtime.usage(uid, now);
    let used = i64::try_from(used).unwrap_or(i64::MAX);
    if let Some(new) = new
        && old.is_none_or(|old| new < old)
        && used >= new
    {
        errors.push(format!("attempting to set pod memory limit ({new}) below current usage ({used})"));
    }
    for (container, id) in waiting {
        let (new, old) =
            (amounts(container.resources.as_ref())[3], amounts(resize.actuated.get(&container.name))[3]);
        let own = i64::try_from(runtime.container_memory(id)).unwrap_or(i64::MAX);
        if let Some(new) = new
            && old.is_none_or(|old| new < old)
            && own >= new
        {
            let name = &container.name;
            errors.push(format!(
                "attempting to set container {name:?} memory limit ({new}) below current usage ({used})"
            ));
        }
    }
    match errors.as_slice() {
        [] => Ok(()),
        [one] => Err(format!("cannot decrease memory limits: {one}")),
        many => Err(format!("cannot decrease memory limits: [{}]", many.join(", "))),
    }
}

/// A resize could not be carried out: the condition says why.
pub(crate) fn failed(env: &mut Env<'_, '_>, w: &mut PodWorker, error: &str) {
    let Some(mut resize) = w.resize.take() else { return };
    let old = resize.in_progress.take();
    let generation = old.as_ref().map_or(w.pod.metadata.generation, |old| old.observed_generation);
    let new = condition(IN_PROGRESS, old.as_ref(), ["Error", error], generation, env.cx.now());
    let same = old.is_some_and(|old| old.reason == new.reason && old.message == new.message);
    resize.in_progress = Some(new);
    if !same && let Some(spec) = w.pod.pod_spec() {
        announce(env, w, "ResizeError", &summary("Pod resize error", spec, generation, error));
    }
    w.resize = Some(resize);
}

/// Allocates what is wished for, if the node has it; else says that it has to wait.
///
/// Source: `handlePodResourcesResize`.
fn allocate(env: &mut Env<'_, '_>, w: &mut PodWorker, others: &[admission::Taken]) {
    let Some(mut resize) = w.resize.take() else { return };
    let Some(desired) = resize.desired.clone() else {
        w.resize = Some(resize);
        return;
    };
    let now = env.cx.now();
    let generation = desired.metadata.generation;
    let wanted = admission::requests_of(&desired);
    let (Some(spec), Some(old)) = (desired.pod_spec().cloned(), w.pod.pod_spec().cloned()) else { return };
    if let Some((reason, message)) = admission::rejection(env, &desired, &wanted, others) {
        let text = summary(&format!("Pod resize {reason}"), &spec, generation, &message);
        let before = resize.pending.take();
        let same = before.as_ref().is_some_and(|before| before.observed_generation == generation);
        let why = ["Deferred", &message];
        resize.pending = Some(condition(PENDING, before.as_ref(), why, generation, now));
        w.resize = Some(resize);
        if !same {
            announce(env, w, "ResizeDeferred", &text);
        }
        return;
    }
    for container in resizable(&old) {
        let has = container.resources.clone().unwrap_or_default();
        resize.actuated.entry(container.name.clone()).or_insert(has);
    }
    resize.desired = None;
    resize.pending = None;
    resize.in_progress = Some(condition(IN_PROGRESS, None, ["", ""], generation, now));
    w.set_pod(desired);
    w.resize = Some(resize);
    announce(env, w, "ResizeStarted", &summary("Pod resize started", &spec, generation, ""));
}

impl Kubelets {
    /// A pod that has other resources than those allocated waits for them from now on.
    pub(super) fn push_pending_resize(&mut self, node: usize, pod: super::PodIx) {
        if let Some(node) = self.nodes.get_mut(node) {
            Arc::make_mut(node).pending_resizes.insert(pod);
        }
    }

    /// Looks at all resizes that wait on a node.
    ///
    /// Source: `retryPendingResizes`, `sortPendingResizes`.
    pub(super) fn retry_resizes(&mut self, node: usize, runtime: &mut Runtime, cx: &mut Cx<'_>) {
        let Some(kubelet) = self.nodes.get(node).filter(|n| n.running) else { return };
        let mut waiting: Vec<super::PodIx> = kubelet.pending_resizes.iter().copied().collect();
        waiting.retain(|ix| self.pods.contains_key(ix));
        waiting.sort_by_cached_key(|ix| self.pods.get(ix).map(|w| rank(w)));
        let mut left = std::collections::BTreeSet::new();
        for ix in waiting {
            let others: Vec<admission::Taken> = self
                .nodes
                .get(node)
                .into_iter()
                .flat_map(|n| &n.pods)
                .filter(|other| **other != ix)
                .filter_map(|other| self.pods.get(other))
                .filter(|w| !w.deleted)
                .map(|w| (w.pod.clone(), w.requests.clone()))
                .collect();
            self.with_pod(ix, runtime, cx, |env, w| {
                let conditions = |w: &PodWorker| -> Vec<PodCondition> {
                    w.resize.iter().flat_map(|r| r.conditions().cloned()).collect()
                };
                let before = conditions(w);
                allocate(env, w, &others);
                if w.resize.as_ref().is_some_and(|r| r.desired.is_some()) {
                    left.insert(ix);
                }
                if conditions(w) != before {
                    pod_worker::update_pod(env, w);
                }
            });
        }
        if let Some(node) = self.nodes.get_mut(node) {
            Arc::make_mut(node).pending_resizes = left;
        }
    }
}

/// What comes first among resizes that wait: those that take nothing, then by priority, QoS class and time.
fn rank(w: &PodWorker) -> (bool, i64, u8, Option<i64>) {
    let desired = w.resize.as_ref().and_then(|r| r.desired.as_ref());
    let spec = desired.and_then(|d| d.pod_spec());
    let wanted = desired.map(|d| admission::requests_of(d)).unwrap_or_default();
    let grows = ["cpu", "memory"].iter().any(|name| match (wanted.get(*name), w.requests.get(*name)) {
        (Some(new), Some(old)) => new > old,
        (new, _) => new.is_some(),
    });
    let priority = spec.and_then(|s| s.priority).unwrap_or(0);
    let class = match spec.map(|s| compute_pod_qos(s)) {
        Some(QosClass::Guaranteed) => 0,
        _ => 1,
    };
    let since =
        w.resize.as_ref().and_then(|r| r.pending.as_ref()?.last_transition_time.as_ref().map(unix_seconds));
    (grows, -i64::from(priority), class, since)
}
