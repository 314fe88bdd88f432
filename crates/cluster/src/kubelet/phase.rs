//! A pod's phase out of its containers' states.
//!
//! Source: pkg/kubelet/kubelet_pods.go `getPhase` (v1.37).

use super::restart_policy::{
    RESTARTING_ALL_CONTAINERS, container_should_restart, is_restartable_init_container, pod_policy,
};
use k8s_openapi::api::core::v1::{Container, ContainerState, ContainerStatus, PodSpec};

fn ended(state: &ContainerState) -> Option<i32> {
    state.terminated.as_ref().map(|t| t.exit_code)
}

/// Whether the container was taken away so that all are restarted.
fn all_restart(state: &ContainerState) -> bool {
    state.terminated.as_ref().is_some_and(|t| t.reason.as_deref() == Some(RESTARTING_ALL_CONTAINERS))
}

/// Whether one of the pod's own containers has ever run.
///
/// Source: pkg/kubelet/container/helpers.go `HasAnyRegularContainerStarted` (v1.37).
pub(crate) fn any_regular_container_started(spec: &PodSpec, statuses: &[&ContainerStatus]) -> bool {
    spec.containers.iter().any(|c| {
        statuses.iter().find(|s| s.name == c.name).is_some_and(|s| {
            let state = s.state.as_ref();
            state.is_some_and(|s| s.running.is_some() || s.terminated.is_some())
                || s.last_state.as_ref().is_some_and(|l| l.terminated.is_some())
        })
    })
}

/// The phase; `terminal` says that nothing runs any more and nothing will.
pub(crate) fn get_phase(
    spec: &PodSpec,
    statuses: &[&ContainerStatus],
    terminal: bool,
    is_static: bool,
) -> &'static str {
    let find = |container: &Container| statuses.iter().find(|s| s.name == container.name).copied();
    let none = ContainerState::default();

    let init = spec.init_containers.as_deref().unwrap_or(&[]);
    let mut pending_init = 0;
    let mut failed_for_good = 0;
    for container in init.iter().filter(|c| !is_restartable_init_container(c)) {
        let Some(status) = find(container) else {
            pending_init += 1;
            continue;
        };
        let [state, last] = [&status.state, &status.last_state].map(|s| s.as_ref().unwrap_or(&none));
        let (exit, all_again) = if state.running.is_some() {
            (None, false)
        } else if let Some(code) = ended(state) {
            (Some(code), all_restart(state))
        } else {
            (ended(last), all_restart(last))
        };
        match exit {
            None => pending_init += 1,
            Some(0) => {}
            Some(code) => {
                let again = match container.restart_policy {
                    Some(_) => container_should_restart(container, spec, code),
                    None => pod_policy(spec) != "Never",
                };
                if !again && !all_again {
                    failed_for_good += 1;
                }
            }
        }
    }
    let (mut unknown, mut running, mut waiting, mut stopped, mut succeeded) = (0, 0, 0, 0, 0);
    let mut stopped_for_good = 0;
    let mut pending_sidecars = 0;
    for container in init.iter().filter(|c| is_restartable_init_container(c)) {
        let Some(status) = find(container) else {
            unknown += 1;
            continue;
        };
        let [state, last] = [&status.state, &status.last_state].map(|s| s.as_ref().unwrap_or(&none));
        if state.running.is_some() {
            if status.started != Some(true) {
                pending_sidecars += 1;
            }
            running += 1;
        } else if ended(state).is_some() {
            // An ended sidecar says nothing about the pod.
        } else if state.waiting.is_some() {
            if ended(last).is_none() {
                pending_sidecars += 1;
                waiting += 1;
            }
        } else {
            pending_sidecars += 1;
            unknown += 1;
        }
    }
    for container in &spec.containers {
        let Some(status) = find(container) else {
            unknown += 1;
            continue;
        };
        let [state, last] = [&status.state, &status.last_state].map(|s| s.as_ref().unwrap_or(&none));
        if state.running.is_some() {
            running += 1;
        } else if let Some(code) = ended(state) {
            stopped += 1;
            if code == 0 {
                succeeded += 1;
            }
            if !container_should_restart(container, spec, code) && !all_restart(state) {
                stopped_for_good += 1;
            }
        } else if state.waiting.is_some() {
            match ended(last) {
                Some(code) => {
                    stopped += 1;
                    if !container_should_restart(container, spec, code) && !all_restart(last) {
                        stopped_for_good += 1;
                    }
                }
                None => waiting += 1,
            }
        } else {
            unknown += 1;
        }
    }
    if failed_for_good > 0 {
        return "Failed";
    }
    if pending_init > 0
        || (pending_sidecars > 0 && !any_regular_container_started(spec, statuses))
        || waiting > 0
    {
        return "Pending";
    }
    if running > 0 && unknown == 0 {
        return "Running";
    }
    if running == 0 && stopped > 0 && unknown == 0 {
        if terminal && !is_static {
            return if stopped == succeeded { "Succeeded" } else { "Failed" };
        }
        if stopped != stopped_for_good {
            return "Running";
        }
        return if stopped == succeeded { "Succeeded" } else { "Failed" };
    }
    "Pending"
}
