//! Whether an ended container is started again.
//!
//! Source: pkg/kubelet/container/helpers.go `ShouldContainerBeRestarted`, pkg/api/v1/pod/util.go
//! `ContainerShouldRestart` (v1.37).

use super::pod_cache::RuntimePodStatus;
use crate::runtime::ContainerState;
use k8s_openapi::api::core::v1::{Container, ContainerRestartRule, PodSpec, PodStatus};

/// Whether this init container is a sidecar.
pub(crate) fn is_restartable_init_container(container: &Container) -> bool {
    container.restart_policy.as_deref() == Some("Always")
}

/// The pod's policy.
pub(crate) fn pod_policy(spec: &PodSpec) -> &str {
    spec.restart_policy.as_deref().unwrap_or("Always")
}

/// The rule of a container that speaks of this exit code.
pub(crate) fn matching_rule(container: &Container, exit_code: i32) -> Option<&ContainerRestartRule> {
    container.restart_policy_rules.iter().flatten().find(|rule| {
        rule.exit_codes.as_ref().is_some_and(|codes| {
            let listed = codes.values.iter().flatten().any(|v| *v == exit_code);
            match codes.operator.as_str() {
                "In" => listed,
                "NotIn" => !listed,
                _ => false,
            }
        })
    })
}

/// The reason of a state that a restart of all containers leaves behind.
pub(crate) const RESTARTING_ALL_CONTAINERS: &str = "RestartingAllContainers";

fn restarts_all(rule: &ContainerRestartRule) -> bool {
    rule.action == "RestartAllContainers"
}

fn ruled(spec: &PodSpec) -> impl Iterator<Item = &Container> {
    let all = spec.init_containers.iter().flatten().chain(&spec.containers);
    all.filter(|c| c.restart_policy_rules.iter().flatten().any(restarts_all))
}

/// Whether one of the pod's containers can have all of them restarted.
///
/// Source: pkg/api/v1/pod/util.go `AllContainersCouldRestart` (v1.37).
pub(crate) fn all_containers_could_restart(spec: &PodSpec) -> bool {
    ruled(spec).next().is_some()
}

/// Whether all containers are to be restarted: that has begun, or one of them has ended with a code that asks for it.
///
/// Source: pkg/kubelet/container/helpers.go `ShouldAllContainersRestart` (v1.37).
pub(crate) fn should_all_containers_restart(
    spec: &PodSpec,
    status: &RuntimePodStatus,
    api: Option<&PodStatus>,
) -> bool {
    let asks = |container: &Container, code: i32| matching_rule(container, code).is_some_and(restarts_all);
    ruled(spec).any(|container| {
        let Some(ended) = status.find(&container.name).filter(|s| s.state == ContainerState::Exited) else {
            return false;
        };
        asks(container, ended.exit_code)
    }) || api.is_some_and(|api| {
        let conditions = api.conditions.iter().flatten();
        let lists = api.init_container_statuses.iter().chain(&api.container_statuses).flatten();
        all_containers_could_restart(spec)
            && (conditions.into_iter().any(|c| c.type_ == "AllContainersRestarting" && c.status == "True")
                || lists.into_iter().any(|s| {
                    let seen = status.find(&s.name).is_some_and(|s| s.state == ContainerState::Exited);
                    let ended = s.state.as_ref().and_then(|s| s.terminated.as_ref());
                    seen && ended
                        .is_some_and(|t| ruled(spec).any(|c| c.name == s.name && asks(c, t.exit_code)))
                }))
    })
}

/// Whether the container that ended so is the one that had all containers restarted.
pub(crate) fn asked_for_restart_of_all(container: &Container, exit_code: i32) -> bool {
    matching_rule(container, exit_code).is_some_and(restarts_all)
}

/// Whether a container that ended with this code is started again, rules first.
pub(crate) fn container_should_restart(container: &Container, spec: &PodSpec, exit_code: i32) -> bool {
    if let Some(policy) = container.restart_policy.as_deref() {
        if matching_rule(container, exit_code).is_some() {
            return true;
        }
        return by_policy(policy, exit_code);
    }
    by_policy(pod_policy(spec), exit_code)
}

/// As [`container_should_restart`], for an init container that is no sidecar: its pod's `Always` restarts it
/// only where it failed.
pub(crate) fn restarts_on_failure(container: &Container, spec: &PodSpec) -> bool {
    container.restart_policy.as_deref().unwrap_or_else(|| pod_policy(spec)) != "Never"
}

fn by_policy(policy: &str, exit_code: i32) -> bool {
    match policy {
        "Never" => false,
        "OnFailure" => exit_code != 0,
        _ => true,
    }
}

/// Whether a container of a pod has to be started.
pub(crate) fn should_container_be_restarted(
    container: &Container,
    spec: &PodSpec,
    deleted: bool,
    status: &RuntimePodStatus,
) -> bool {
    if deleted {
        return false;
    }
    match status.find(&container.name) {
        None => true,
        Some(found) => match found.state {
            ContainerState::Running => false,
            ContainerState::Created => true,
            ContainerState::Exited => container_should_restart(container, spec, found.exit_code),
        },
    }
}
