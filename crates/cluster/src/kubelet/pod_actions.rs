//! What a sync has to do, as data.
//!
//! Source: pkg/kubelet/kuberuntime/kuberuntime_manager.go `computePodActions`,
//! kuberuntime_container.go `computeInitContainerActions` (v1.37).

use super::kill::KillReason;
use super::pod_cache::RuntimePodStatus;
use super::prober::ProbeResult;
use super::restart_policy::{
    asked_for_restart_of_all, container_should_restart, is_restartable_init_container, matching_rule,
    pod_policy, restarts_on_failure, should_container_be_restarted,
};
use crate::runtime::{ContainerId, ContainerState, ContainerStatus};
use k8s_openapi::api::core::v1::{Container, PodSpec};

/// A container to be killed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ContainerToKill {
    /// Which.
    pub id: ContainerId,
    /// Its name.
    pub name: String,
    /// Text of the event.
    pub message: String,
    /// Why.
    pub reason: KillReason,
}

/// The plan of a sync.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct PodActions {
    /// Everything ends, the sandbox too.
    pub kill_pod: bool,
    /// A sandbox is made.
    pub create_sandbox: bool,
    /// Indexes into `spec.ephemeralContainers`.
    pub ephemeral_containers_to_start: Vec<usize>,
    /// Indexes into `spec.initContainers`, in order.
    pub init_containers_to_start: Vec<usize>,
    /// Indexes into `spec.containers`.
    pub containers_to_start: Vec<usize>,
    /// Containers to be killed, one after the other.
    pub containers_to_kill: Vec<ContainerToKill>,
}

/// What probes have found out about a container.
pub(crate) trait ProbeResults {
    /// The liveness result; `None` where there is none yet.
    fn liveness(&self, id: &ContainerId) -> Option<ProbeResult>;
    /// The startup result; `None` where there is none yet.
    fn startup(&self, id: &ContainerId) -> Option<ProbeResult>;
}

/// Containers that are taken away so that all are started anew: those that ended so first, the one that asked for it
/// last; with each whether it has to be killed.
///
/// Source: kuberuntime_manager.go `getContainersToReset` (v1.37).
pub(crate) fn containers_to_reset(
    spec: &PodSpec,
    status: &RuntimePodStatus,
) -> Vec<(ContainerId, String, bool)> {
    let mut lists: [Vec<_>; 4] = Default::default();
    let init = spec.init_containers.as_deref().unwrap_or(&[]);
    for (place, containers) in [&*spec.containers, init].into_iter().enumerate() {
        for container in containers {
            for found in status.containers.iter().filter(|s| s.name == container.name) {
                let ended = found.state == ContainerState::Exited;
                let source = ended && asked_for_restart_of_all(container, found.exit_code);
                if let Some(list) = lists.get_mut(place + if source { 2 } else { 0 }) {
                    list.push((found.id.clone(), container.name.clone(), !ended));
                }
            }
        }
    }
    lists.into_iter().flatten().collect()
}

/// What a sync of a running pod has to do.
pub(crate) fn compute_pod_actions(
    spec: &PodSpec,
    deleted: bool,
    status: &RuntimePodStatus,
    probes: &dyn ProbeResults,
) -> PodActions {
    let mut changes = PodActions::default();
    if status.ready_sandbox().is_none() {
        changes.kill_pod = true;
        changes.create_sandbox = true;
        let first = status.sandboxes.is_empty();
        if pod_policy(spec) == "Never" && !first && !status.containers.is_empty() {
            changes.create_sandbox = false;
            return changes;
        }
        let to_start: Vec<usize> = (0..spec.containers.len())
            .filter(|i| {
                spec.containers.get(*i).is_some_and(|c| {
                    pod_policy(spec) != "OnFailure"
                        || !status
                            .find(&c.name)
                            .is_some_and(|s| s.state == ContainerState::Exited && s.exit_code == 0)
                })
            })
            .collect();
        if to_start.is_empty() {
            changes.create_sandbox = false;
            return changes;
        }
        if spec.init_containers.as_deref().is_some_and(|i| !i.is_empty()) {
            changes.init_containers_to_start = vec![0];
        } else {
            changes.containers_to_start = to_start;
        }
        return changes;
    }
    for (index, container) in spec.ephemeral_containers.iter().flatten().enumerate() {
        if status.find(&container.name).is_none() {
            changes.ephemeral_containers_to_start.push(index);
        }
    }
    let initialized = compute_init_container_actions(spec, status, probes, &mut changes);
    if changes.kill_pod || !initialized {
        return changes;
    }
    let mut keep_count = 0;
    for (index, container) in spec.containers.iter().enumerate() {
        let found = status.find(&container.name);
        let Some(running) = found.filter(|s| s.state == ContainerState::Running) else {
            if should_container_be_restarted(container, spec, deleted, status) {
                changes.containers_to_start.push(index);
            }
            continue;
        };
        let mut restart = restarts_on_failure(container, spec);
        let (message, reason) = if definition_changed(container, running) {
            restart = true;
            (format!("Container {} definition changed", container.name), KillReason::Other)
        } else if probes.liveness(&running.id) == Some(ProbeResult::Failure) {
            (format!("Container {} failed liveness probe", container.name), KillReason::LivenessProbe)
        } else if probes.startup(&running.id) == Some(ProbeResult::Failure) {
            (format!("Container {} failed startup probe", container.name), KillReason::StartupProbe)
        } else {
            keep_count += 1;
            continue;
        };
        let message = if restart {
            changes.containers_to_start.push(index);
            format!("{message}, will be restarted")
        } else {
            message
        };
        changes.containers_to_kill.push(ContainerToKill {
            id: running.id.clone(),
            name: container.name.clone(),
            message,
            reason,
        });
    }
    if keep_count == 0 && changes.containers_to_start.is_empty() {
        changes.kill_pod = true;
    }
    changes
}

/// Only the image counts: the rest of a container cannot change.
fn definition_changed(container: &Container, status: &ContainerStatus) -> bool {
    container.image.as_deref().is_some_and(|image| image != status.image)
}

/// Adds what init containers need; says whether the pod's own containers may run.
fn compute_init_container_actions(
    spec: &PodSpec,
    status: &RuntimePodStatus,
    probes: &dyn ProbeResults,
    changes: &mut PodActions,
) -> bool {
    let init = spec.init_containers.as_deref().unwrap_or(&[]);
    if init.is_empty() {
        return true;
    }
    let mut initialized = spec.containers.iter().any(|c| status.find(&c.name).is_some());
    let mut previously_initialized = initialized;
    let last = init.len() - 1;
    let mut start = Vec::new();
    for (index, container) in init.iter().enumerate().rev() {
        let restartable = is_restartable_init_container(container);
        let Some(found) = status.find(&container.name) else {
            if previously_initialized && restartable {
                start.push(index);
            }
            continue;
        };
        if previously_initialized && !restartable {
            continue;
        }
        match found.state {
            ContainerState::Created => start.push(index),
            ContainerState::Running if restartable => {
                let startup = probes.startup(&found.id);
                let kill = if definition_changed(container, found) {
                    Some((format!("Init container {} definition changed", container.name), KillReason::Other))
                } else if container.startup_probe.is_some() && startup == Some(ProbeResult::Failure) {
                    let text = format!("Init container {} failed startup probe", container.name);
                    Some((text, KillReason::StartupProbe))
                } else if probes.liveness(&found.id) == Some(ProbeResult::Failure) {
                    let text = format!("Init container {} failed liveness probe", container.name);
                    Some((text, KillReason::LivenessProbe))
                } else {
                    None
                };
                if let Some((message, reason)) = kill {
                    changes.containers_to_kill.push(ContainerToKill {
                        id: found.id.clone(),
                        name: container.name.clone(),
                        message,
                        reason,
                    });
                    start.push(index);
                } else if container.startup_probe.is_some() && startup != Some(ProbeResult::Success) {
                    // It has not started yet: what comes after it waits.
                } else if !previously_initialized {
                    if index == last {
                        initialized = true;
                    } else {
                        start.push(index + 1);
                    }
                }
            }
            ContainerState::Running => {}
            ContainerState::Exited if restartable => start.push(index),
            ContainerState::Exited => {
                if found.exit_code != 0 {
                    let again = container.restart_policy.is_some()
                        && container_should_restart(container, spec, found.exit_code)
                        || container.restart_policy.is_none() && pod_policy(spec) != "Never";
                    if !again {
                        changes.kill_pod = true;
                        changes.init_containers_to_start.clear();
                        return false;
                    }
                    start.push(index);
                } else if matching_rule(container, 0).is_some() {
                    start.push(index);
                } else if index == last {
                    initialized = true;
                } else {
                    start.push(index + 1);
                }
            }
        }
        previously_initialized = true;
    }
    if !previously_initialized {
        start.push(0);
    }
    start.reverse();
    changes.init_containers_to_start = start;
    initialized
}
