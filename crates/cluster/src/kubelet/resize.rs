//! In-place resize: from a changed spec over what is allocated to what runs.
//!
//! CPU and memory of a running container are changed in its status alone: the runtime has no call for it, so
//! the limits of a running process stay until its container is started anew.
//!
//! Source: pkg/kubelet/allocation/allocation_manager.go, pkg/kubelet/events/event.go (v1.37).

use super::admission;
use super::kill::KillReason;
use super::pod_actions::{ContainerToKill, PodActions};
use super::pod_worker::{Env, PodWorker};
use crate::recorder::{EventType, InvolvedObject};
use crate::runtime::ContainerState;
use k8s_openapi::api::core::v1::{Container, PodCondition, PodSpec, ResourceRequirements};
use podlab_api::Object;
use std::collections::BTreeMap;
use std::sync::Arc;

/// container name → its resources.
type Resources = BTreeMap<String, ResourceRequirements>;

/// Where a pod's resources stand.
#[derive(Clone, Debug, Default)]
pub(crate) struct Resize {
    /// What the node has set aside; `None` before the first sync.
    pub allocated: Option<Resources>,
    /// What the containers were given.
    pub actuated: Resources,
    /// `PodResizePending` or `PodResizeInProgress`.
    pub condition: Option<PodCondition>,
}

impl Resize {
    /// What is set aside for a container.
    pub(crate) fn allocated(&self, container: &Container) -> Option<ResourceRequirements> {
        self.allocated.as_ref()?.get(&container.name).cloned()
    }

    /// What a container was given.
    pub(crate) fn actuated(&self, container: &Container) -> Option<ResourceRequirements> {
        self.actuated.get(&container.name).cloned()
    }

    /// Whether a change waits for room.
    pub(crate) fn is_pending(&self) -> bool {
        self.condition.as_ref().is_some_and(|c| c.type_ == "PodResizePending")
    }
}

fn of_spec(spec: &PodSpec) -> Resources {
    let all = spec.containers.iter().chain(spec.init_containers.iter().flatten());
    all.filter_map(|c| Some((c.name.clone(), c.resources.clone()?))).collect()
}

/// What an event says of the pod's resources.
fn summary(spec: &PodSpec, generation: Option<i64>, error: Option<&str>) -> String {
    let containers: Vec<serde_json::Value> = spec
        .containers
        .iter()
        .map(|c| serde_json::json!({"name": c.name, "resources": c.resources}))
        .collect();
    let list = serde_json::Value::Array(containers);
    let generation = generation.unwrap_or(0);
    match error {
        None => format!("{{\"containers\":{list},\"generation\":{generation}}}"),
        Some(error) => {
            let error = serde_json::Value::from(error);
            format!("{{\"containers\":{list},\"generation\":{generation},\"error\":{error}}}")
        }
    }
}

fn event(env: &mut Env<'_, '_>, w: &PodWorker, kind: EventType, reason: &str, text: &str) {
    let about = InvolvedObject::of(&w.pod);
    env.node.recorder.event(env.cx.api, &about, kind, reason, text);
}

fn condition(w: &PodWorker, kind: &str, reason: Option<&str>, message: Option<&str>) -> PodCondition {
    PodCondition {
        type_: kind.to_owned(),
        status: "True".to_owned(),
        reason: reason.map(str::to_owned),
        message: message.map(str::to_owned),
        observed_generation: w.pod.metadata.generation,
        ..PodCondition::default()
    }
}

/// Sets aside what the spec asks for, if there is room.
pub(crate) fn allocate(env: &mut Env<'_, '_>, w: &mut PodWorker) {
    let Some(spec) = w.pod.pod_spec().cloned() else { return };
    let wanted = of_spec(&spec);
    let Some(allocated) = &w.resize.allocated else {
        w.resize.actuated.clone_from(&wanted);
        w.resize.allocated = Some(wanted);
        return;
    };
    if *allocated == wanted {
        if w.resize.is_pending() {
            w.resize.condition = None;
        }
        return;
    }
    let others: Vec<Arc<Object>> = env
        .cx
        .api
        .store()
        .pods_on_node(&env.node.name)
        .filter(|o| o.uid() != &*w.uid && !admission::is_ended(o))
        .cloned()
        .collect();
    let generation = w.pod.metadata.generation;
    if let Some(rejection) = admission::check(env, &w.pod, &others) {
        if !w.resize.is_pending() {
            let text = format!(
                "Pod resize {}: {}",
                rejection.reason,
                summary(&spec, generation, Some(&rejection.message))
            );
            event(env, w, EventType::Warning, "ResizeDeferred", &text);
        }
        w.resize.condition =
            Some(condition(w, "PodResizePending", Some("Deferred"), Some(&rejection.message)));
        return;
    }
    w.resize.allocated = Some(wanted);
    w.resize.condition = Some(condition(w, "PodResizeInProgress", None, None));
    let text = format!("Pod resize started: {}", summary(&spec, generation, None));
    event(env, w, EventType::Normal, "ResizeStarted", &text);
}

/// Gives containers what is set aside for them; those that must restart for it are added to the plan.
/// Says whether there was anything to do.
pub(crate) fn actuate(
    env: &mut Env<'_, '_>,
    w: &mut PodWorker,
    spec: &PodSpec,
    plan: &mut PodActions,
) -> bool {
    let Some(allocated) = w.resize.allocated.clone().filter(|a| *a != w.resize.actuated) else {
        return false;
    };
    for (index, container) in spec.containers.iter().enumerate() {
        let wanted = allocated.get(&container.name);
        if wanted == w.resize.actuated.get(&container.name) {
            continue;
        }
        let running = w.cache.find(&container.name).filter(|c| c.state == ContainerState::Running);
        let restart = restarts(container, w.resize.actuated.get(&container.name), wanted);
        match running {
            Some(running) if restart => {
                plan.containers_to_kill.push(ContainerToKill {
                    id: running.id.clone(),
                    name: container.name.clone(),
                    message: format!("Container {} resize requires restart", container.name),
                    reason: KillReason::Other,
                });
                if !plan.containers_to_start.contains(&index) {
                    plan.containers_to_start.push(index);
                }
            }
            _ => given(w, &container.name),
        }
    }
    complete(env, w, spec);
    true
}

/// A container runs with what is set aside for it.
pub(crate) fn given(w: &mut PodWorker, container: &str) {
    let wanted = w.resize.allocated.as_ref().and_then(|a| a.get(container)).cloned();
    match wanted {
        Some(wanted) => {
            w.resize.actuated.insert(container.to_owned(), wanted);
        }
        None => {
            w.resize.actuated.remove(container);
        }
    }
}

/// Says so when all containers have what was set aside.
pub(crate) fn complete(env: &mut Env<'_, '_>, w: &mut PodWorker, spec: &PodSpec) {
    let in_progress = w.resize.condition.as_ref().is_some_and(|c| c.type_ == "PodResizeInProgress");
    if in_progress && w.resize.allocated.as_ref() == Some(&w.resize.actuated) {
        w.resize.condition = None;
        let text = format!("Pod resize completed: {}", summary(spec, w.pod.metadata.generation, None));
        event(env, w, EventType::Normal, "ResizeCompleted", &text);
        w.wants_sync = true;
    }
}

/// Whether the change of a container's resources needs a restart by its policy.
fn restarts(
    container: &Container,
    old: Option<&ResourceRequirements>,
    new: Option<&ResourceRequirements>,
) -> bool {
    let changed = |name: &str| {
        let of = |r: Option<&ResourceRequirements>| {
            let limit = r.and_then(|r| r.limits.as_ref()).and_then(|l| l.get(name)).cloned();
            (limit, r.and_then(|r| r.requests.as_ref()).and_then(|l| l.get(name)).cloned())
        };
        of(old) != of(new)
    };
    let policies = container.resize_policy.iter().flatten();
    policies.into_iter().any(|p| p.restart_policy == "RestartContainer" && changed(&p.resource_name))
}

/// The pod's `resources` and `allocatedResources`, out of its containers'.
pub(crate) fn pod_level(
    spec: &PodSpec,
    resize: &Resize,
) -> (Option<ResourceRequirements>, Option<BTreeMap<String, Text>>) {
    use podlab_api::resources::{
        PodResourcesOptions, aggregate_container_limits, aggregate_container_requests,
    };
    let with = |from: &dyn Fn(&Container) -> Option<ResourceRequirements>| {
        let mut spec = spec.clone();
        for c in spec.containers.iter_mut().chain(spec.init_containers.iter_mut().flatten()) {
            c.resources = from(c);
        }
        spec
    };
    let texts = |list: podlab_api::resources::ResourceList| {
        let map: BTreeMap<String, Text> = list.iter().map(|(k, q)| (k.clone(), Text::from(q))).collect();
        (!map.is_empty()).then_some(map)
    };
    let options = PodResourcesOptions::default();
    let actuated = with(&|c| resize.actuated(c));
    let allocated = with(&|c| resize.allocated(c));
    let requests = texts(aggregate_container_requests(&actuated, None, &options));
    let limits = texts(aggregate_container_limits(&actuated, None, &options));
    let any = requests.is_some() || limits.is_some();
    let resources = any.then(|| ResourceRequirements { limits, requests, claims: None });
    (resources, texts(aggregate_container_requests(&allocated, None, &options)))
}

/// A quantity as it stands in an object.
type Text = k8s_openapi::apimachinery::pkg::api::resource::Quantity;
