//! The conditions that a kubelet owns.
//!
//! Source: pkg/kubelet/status/generate.go (v1.37).

use super::phase::any_regular_container_started;
use super::pod_cache::RuntimePodStatus;
use super::restart_policy::{is_restartable_init_container, should_all_containers_restart};
use k8s_openapi::api::core::v1::{ContainerStatus, PodCondition, PodSpec, PodStatus};

/// Whether a kubelet owns the condition: others' are kept as they are.
///
/// Source: pkg/kubelet/types/pod_status.go (v1.37).
pub(crate) fn by_kubelet(kind: &str) -> bool {
    matches!(
        kind,
        "PodScheduled"
            | "Ready"
            | "Initialized"
            | "ContainersReady"
            | "PodReadyToStartContainers"
            | "PodResizePending"
            | "PodResizeInProgress"
            | "AllContainersRestarting"
    )
}

fn condition(kind: &str, truth: bool, reason: &str, message: String) -> PodCondition {
    PodCondition {
        type_: kind.to_owned(),
        status: if truth { "True" } else { "False" }.to_owned(),
        reason: (!reason.is_empty()).then(|| reason.to_owned()),
        message: (!message.is_empty()).then_some(message),
        ..PodCondition::default()
    }
}

/// `AllContainersRestarting`: one container has asked for a restart of all, and not all are taken away yet.
pub(crate) fn all_containers_restarting(
    spec: &PodSpec,
    status: &RuntimePodStatus,
    old: &PodStatus,
    phase: &str,
) -> PodCondition {
    const KIND: &str = "AllContainersRestarting";
    match phase {
        "Succeeded" => return condition(KIND, false, "PodCompleted", String::new()),
        "Failed" => return condition(KIND, false, "PodFailed", String::new()),
        _ => {}
    }
    let mut all = spec.init_containers.iter().flatten().chain(&spec.containers);
    if !should_all_containers_restart(spec, status, Some(old)) || all.all(|c| status.find(&c.name).is_none())
    {
        return condition(KIND, false, "", String::new());
    }
    condition(
        KIND,
        true,
        "RestartAllContainersStarted",
        "container exited with restart policy rule".to_owned(),
    )
}

/// The type of the condition that a pod has which something else than itself takes away.
pub(crate) const DISRUPTION_TARGET: &str = "DisruptionTarget";

/// `DisruptionTarget`: the kubelet takes the pod away.
pub(crate) fn disruption_target(message: &str, generation: Option<i64>) -> PodCondition {
    let condition = condition(DISRUPTION_TARGET, true, "TerminationByKubelet", message.to_owned());
    PodCondition { observed_generation: generation, ..condition }
}

/// `PodScheduled`: what reaches a kubelet is scheduled.
pub(crate) fn pod_scheduled() -> PodCondition {
    condition("PodScheduled", true, "", String::new())
}

/// `PodReadyToStartContainers`: a sandbox with its network is there.
pub(crate) fn pod_ready_to_start_containers(status: &RuntimePodStatus) -> PodCondition {
    const KIND: &str = "PodReadyToStartContainers";
    let why = if status.sandboxes.is_empty() {
        "no pod sandbox exists"
    } else if status.ready_sandbox().is_none() {
        "pod sandbox is not ready"
    } else {
        return condition(KIND, true, "", String::new());
    };
    condition(KIND, false, "PodSandboxNotReady", why.to_owned())
}

fn names(list: &[&str]) -> String {
    format!("[{}]", list.join(" "))
}

/// `Initialized`: init containers have done their work.
pub(crate) fn initialized(spec: &PodSpec, statuses: &[&ContainerStatus], phase: &str) -> PodCondition {
    const KIND: &str = "Initialized";
    let (mut unknown, mut incomplete) = (Vec::new(), Vec::new());
    for container in spec.init_containers.iter().flatten() {
        match statuses.iter().find(|s| s.name == container.name) {
            None => unknown.push(container.name.as_str()),
            Some(s) if is_restartable_init_container(container) => {
                if s.started != Some(true) {
                    incomplete.push(container.name.as_str());
                }
            }
            Some(s) if !s.ready => incomplete.push(container.name.as_str()),
            Some(_) => {}
        }
    }
    if phase == "Succeeded" && unknown.is_empty() {
        return condition(KIND, true, "PodCompleted", String::new());
    }
    if any_regular_container_started(spec, statuses) {
        return condition(KIND, true, "", String::new());
    }
    let mut messages = Vec::new();
    if !unknown.is_empty() {
        messages.push(format!("containers with unknown status: {}", names(&unknown)));
    }
    if !incomplete.is_empty() {
        messages.push(format!("containers with incomplete status: {}", names(&incomplete)));
    }
    if messages.is_empty() {
        return condition(KIND, true, "", String::new());
    }
    condition(KIND, false, "ContainersNotInitialized", messages.join(", "))
}

/// `ContainersReady`.
pub(crate) fn containers_ready(spec: &PodSpec, statuses: &[&ContainerStatus], phase: &str) -> PodCondition {
    const KIND: &str = "ContainersReady";
    let (mut unknown, mut unready) = (Vec::new(), Vec::new());
    let sidecars = spec.init_containers.iter().flatten().filter(|c| is_restartable_init_container(c));
    for container in sidecars.chain(&spec.containers) {
        match statuses.iter().find(|s| s.name == container.name) {
            None => unknown.push(container.name.as_str()),
            Some(s) if !s.ready => unready.push(container.name.as_str()),
            Some(_) => {}
        }
    }
    if phase == "Succeeded" && unknown.is_empty() {
        return condition(KIND, false, "PodCompleted", String::new());
    }
    if phase == "Failed" {
        return condition(KIND, false, "PodFailed", String::new());
    }
    let mut messages = Vec::new();
    if !unknown.is_empty() {
        messages.push(format!("containers with unknown status: {}", names(&unknown)));
    }
    if !unready.is_empty() {
        messages.push(format!("containers with unready status: {}", names(&unready)));
    }
    if messages.is_empty() {
        return condition(KIND, true, "", String::new());
    }
    condition(KIND, false, "ContainersNotReady", messages.join(", "))
}

/// `Ready`: the containers are, and all readiness gates are open.
pub(crate) fn ready(
    spec: &PodSpec,
    containers_ready: &PodCondition,
    conditions: &[PodCondition],
) -> PodCondition {
    const KIND: &str = "Ready";
    if containers_ready.status != "True" {
        return PodCondition { type_: KIND.to_owned(), ..containers_ready.clone() };
    }
    let mut messages = Vec::new();
    for gate in spec.readiness_gates.iter().flatten() {
        match conditions.iter().find(|c| c.type_ == gate.condition_type) {
            None => messages.push(format!(
                "corresponding condition of pod readiness gate {:?} does not exist.",
                gate.condition_type
            )),
            Some(c) if c.status != "True" => messages.push(format!(
                "the status of pod readiness gate {:?} is not \"True\", but {}",
                gate.condition_type, c.status
            )),
            Some(_) => {}
        }
    }
    if messages.is_empty() {
        return condition(KIND, true, "", String::new());
    }
    condition(KIND, false, "ReadinessGatesNotReady", messages.join(", "))
}
