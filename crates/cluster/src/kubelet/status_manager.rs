//! Writes pod statuses to the API, one version behind nobody.
//!
//! Source: pkg/kubelet/status/status_manager.go (v1.37).

use super::conditions;
use super::pod_worker::{Env, PodWorker, WorkType};
use crate::runtime::ContainerId;
use k8s_openapi::api::core::v1::{
    ContainerState, ContainerStateTerminated, ContainerStatus, PodCondition, PodStatus,
};
use podlab_api::time::time;
use podlab_api::{Object, kinds};
use podlab_sim::SimTime;
use std::sync::Arc;

fn is_terminal(phase: Option<&str>) -> bool {
    matches!(phase, Some("Failed" | "Succeeded"))
}

/// Takes a new status over and writes it if it differs from the one before.
///
/// Conditions get the time of their last transition here, and the pod its start time.
pub(crate) fn set_pod_status(env: &mut Env<'_, '_>, w: &mut PodWorker, mut status: PodStatus) {
    let now = time(env.cx.now().as_secs());
    let old = w.status.clone();
    let before = old.conditions.as_deref().unwrap_or(&[]);
    for condition in status.conditions.iter_mut().flatten() {
        if !conditions::by_kubelet(&condition.type_) || condition.type_.starts_with("PodResize") {
            continue;
        }
        condition.observed_generation = status.observed_generation;
        let same = before.iter().find(|c| c.type_ == condition.type_ && c.status == condition.status);
        condition.last_transition_time =
            Some(same.and_then(|c| c.last_transition_time.clone()).unwrap_or_else(|| now.clone()));
    }
    status.start_time = old.start_time.clone().or(Some(now));
    if *old == status && w.status_written {
        return;
    }
    w.status = Arc::new(status);
    write(env, w);
}

/// Writes the status that was last set.
pub(crate) fn write(env: &mut Env<'_, '_>, w: &mut PodWorker) {
    w.status_written = true;
    if super::static_pods::is_forgotten(env, w) {
        return;
    }
    let store = env.cx.api.store();
    let Some(stored) = store.get(&kinds::POD, w.pod.namespace(), w.pod.name()) else { return };
    let Some(api) = stored.pod_status().cloned() else { return };
    if stored.uid() != w.pod.uid() {
        return;
    }
    let could_run = w.work != WorkType::Terminated && !w.is_static;
    let merged = merge(&api, &w.status, could_run, env.cx.now());
    if api == merged {
        return;
    }
    let written = env.cx.api.set_pod_status(w.pod.namespace(), w.pod.name(), merged);
    if let Ok(object) = written {
        w.pod = super::resize::with_allocated(w, object);
    }
}

/// Whether containers may run is asked by the uid of the API's pod, which for a static pod is the mirror's and unknown.
///
/// Source: `mergePodStatus`: others' conditions stay, and no pod ends while something of it may run.
fn merge(
    api: &PodStatus,
    new: &Arc<PodStatus>,
    could_have_running_containers: bool,
    now: SimTime,
) -> Arc<PodStatus> {
    let others = api.conditions.iter().flatten().filter(|c| !conditions::by_kubelet(&c.type_));
    let ours = new.conditions.iter().flatten().filter(|c| conditions::by_kubelet(&c.type_));
    let conditions = others.clone().chain(ours.clone());
    let ending = !is_terminal(api.phase.as_deref()) && is_terminal(new.phase.as_deref());
    let same = new.conditions.as_ref().is_some_and(|c| c.iter().eq(conditions.clone()))
        && new.resource_claim_statuses == api.resource_claim_statuses
        && new.nominated_node_name == api.nominated_node_name
        && new.qos_class == api.qos_class;
    if same && !ending {
        return new.clone();
    }
    let mut merged = PodStatus::clone(new);
    let is_target = |c: &&PodCondition| c.type_ == conditions::DISRUPTION_TARGET;
    let target = new.conditions.iter().flatten().find(is_target);
    let mut list: Vec<PodCondition> = others.cloned().collect();
    // The reason why a pod is taken down shows only once it has ended.
    if let Some(target) = target.filter(|_| ending && !could_have_running_containers) {
        let known = list.iter().position(|c| c.type_ == target.type_);
        let old = known.and_then(|at| list.get(at)).filter(|old| old.status == target.status);
        let since = old.and_then(|old| old.last_transition_time.clone());
        let since = since.or_else(|| Some(time(now.as_secs())));
        let target = PodCondition { last_transition_time: since, ..target.clone() };
        match known {
            Some(at) => list[at] = target,
            None => list.push(target),
        }
    }
    list.extend(ours.cloned());
    if ending && could_have_running_containers {
        merged.phase.clone_from(&api.phase);
        merged.reason.clone_from(&api.reason);
        merged.message.clone_from(&api.message);
    }
    merged.conditions = Some(list);
    merged.resource_claim_statuses.clone_from(&api.resource_claim_statuses);
    merged.nominated_node_name.clone_from(&api.nominated_node_name);
    merged.qos_class.clone_from(&api.qos_class);
    Arc::new(merged)
}

fn container_mut<'a>(status: &'a mut PodStatus, id: &ContainerId) -> Option<&'a mut ContainerStatus> {
    let is = |s: &&mut ContainerStatus| {
        s.container_id.as_deref().and_then(|i| i.strip_prefix("containerd://")) == Some(&**id)
    };
    let PodStatus { container_statuses, init_container_statuses, .. } = status;
    container_statuses
        .iter_mut()
        .flatten()
        .find(is)
        .or_else(|| init_container_statuses.iter_mut().flatten().find(is))
}

/// A readiness probe has found something else than before.
pub(crate) fn set_container_readiness(
    env: &mut Env<'_, '_>,
    w: &mut PodWorker,
    id: &ContainerId,
    ready: bool,
) {
    let mut status = (*w.status).clone();
    match container_mut(&mut status, id) {
        Some(container) if container.ready != ready => container.ready = ready,
        _ => return,
    }
    let Some(spec) = w.pod.pod_spec().cloned() else { return };
    let all: Vec<&ContainerStatus> =
        status.init_container_statuses.iter().chain(&status.container_statuses).flatten().collect();
    let phase = status.phase.clone().unwrap_or_default();
    let containers_ready = conditions::containers_ready(&spec, &all, &phase);
    let list = status.conditions.get_or_insert_with(Vec::new);
    let ready = conditions::ready(&spec, &containers_ready, list);
    for new in [containers_ready, ready] {
        match list.iter_mut().find(|c| c.type_ == new.type_) {
            Some(condition) => {
                let at = condition.last_transition_time.take();
                *condition = PodCondition { last_transition_time: at, ..new };
            }
            None => list.push(new),
        }
    }
    set_pod_status(env, w, status);
}

/// A startup probe has found something else than before.
pub(crate) fn set_container_startup(
    env: &mut Env<'_, '_>,
    w: &mut PodWorker,
    id: &ContainerId,
    started: bool,
) {
    let mut status = (*w.status).clone();
    match container_mut(&mut status, id) {
        Some(container) if container.started != Some(started) => container.started = Some(started),
        _ => return,
    }
    set_pod_status(env, w, status);
}

/// Whether any of the pod's own containers may have been started.
///
/// Source: `hasPodInitialized`.
fn has_initialized(pod: &Object, status: &PodStatus) -> bool {
    let Some(last) = pod.pod_spec().and_then(|spec| spec.init_containers.as_ref()?.last()) else {
        return true;
    };
    let has_ended = |s: &Option<ContainerState>| s.as_ref().is_some_and(|s| s.terminated.is_some());
    let waits = |s: &ContainerStatus| s.state.as_ref().is_some_and(|s| s.waiting.is_some());
    if status.container_statuses.iter().flatten().any(|s| has_ended(&s.last_state) || !waits(s)) {
        return true;
    }
    let found = status.init_container_statuses.iter().flatten().find(|s| s.name == last.name);
    found.is_some_and(|s| {
        let passed = |s: &Option<ContainerState>| {
            s.as_ref().and_then(|s| s.terminated.as_ref()).is_some_and(|ended| ended.exit_code == 0)
        };
        if super::restart_policy::is_restartable_init_container(last) {
            s.started == Some(true) && s.state.as_ref().is_some_and(|s| s.running.is_some())
        } else {
            passed(&s.last_state) || passed(&s.state)
        }
    })
}

/// No container of an ended pod is without an end: where none is known, a failure is assumed.
///
/// Source: `TerminatePod`.
pub(crate) fn terminate_pod(env: &mut Env<'_, '_>, w: &mut PodWorker) {
    let mut status = (*w.status).clone();
    let unknown = |s: &mut ContainerStatus| {
        if s.state.as_ref().is_none_or(|s| s.terminated.is_none()) {
            s.state = Some(ContainerState {
                terminated: Some(ContainerStateTerminated {
                    reason: Some("ContainerStatusUnknown".to_owned()),
                    message: Some(
                        "The container could not be located when the pod was terminated".to_owned(),
                    ),
                    exit_code: 137,
                    ..ContainerStateTerminated::default()
                }),
                ..ContainerState::default()
            });
        }
    };
    let started = |s: &ContainerStatus| {
        s.last_state.as_ref().is_some_and(|l| l.terminated.is_some())
            || s.state.as_ref().is_some_and(|s| s.running.is_some() || s.terminated.is_some())
    };
    let initialized = has_initialized(&w.pod, w.status_at_end.as_deref().unwrap_or(&status));
    if initialized {
        status.container_statuses.iter_mut().flatten().for_each(unknown);
    }
    if !is_terminal(status.phase.as_deref()) && !w.is_static {
        status.phase = Some("Failed".to_owned());
    }
    let init = status.init_container_statuses.as_deref().unwrap_or(&[]);
    let known = init.iter().rposition(started).map_or(0, |at| at + 1);
    status.init_container_statuses.iter_mut().flatten().take(known).for_each(unknown);
    set_pod_status(env, w, status);
}
