//! A pod's status in the API out of what the runtime says.
//!
//! Source: pkg/kubelet/kubelet_pods.go `generateAPIPodStatus`, `convertToAPIContainerStatuses` (v1.37).

use super::conditions;
use super::image_name::canonical_image;
use super::phase::get_phase;
use super::pod_cache::RuntimePodStatus;
use super::prober;
use super::restart_policy::{
    RESTARTING_ALL_CONTAINERS, all_containers_could_restart, is_restartable_init_container,
    should_all_containers_restart, should_container_be_restarted,
};
use crate::runtime::{self, ContainerState as Runs};
use k8s_openapi::api::core::v1::{
    Container, ContainerState, ContainerStateRunning, ContainerStateTerminated, ContainerStateWaiting,
    ContainerStatus, ContainerUser, HostIP, LinuxContainerUser, PodIP, PodSpec, PodStatus,
    ResourceRequirements, VolumeMountStatus,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as QuantityText;
use podlab_api::resources::{PodResourcesOptions, ResourceList, pod_limits, pod_requests};
use podlab_api::time::time;
use podlab_sim::SimTime;
use std::collections::BTreeMap;

/// Why a container did not start: container name → (reason, message).
///
/// Source: pkg/kubelet/reason_cache.go (v1.37).
pub(crate) type ReasonCache = BTreeMap<String, (String, String)>;

/// Everything a status is made from.
pub(crate) struct Inputs<'a> {
    pub spec: &'a PodSpec,
    /// What the spec requests.
    pub requests: &'a ResourceList,
    pub deleted: bool,
    pub generation: Option<i64>,
    pub is_static: bool,
    /// The status as the API has it.
    pub api: &'a PodStatus,
    /// The status that the status manager last set.
    pub old: &'a PodStatus,
    pub runtime: &'a RuntimePodStatus,
    pub reasons: &'a ReasonCache,
    /// A resize in place that is not over.
    pub resize: Option<&'a super::resize::Resize>,
    pub host_ip: &'a str,
    /// Container id → what its termination message file or log says.
    pub messages: &'a dyn Fn(&runtime::ContainerStatus, &Container) -> String,
    /// Container name → its user.
    pub users: &'a dyn Fn(&runtime::ContainerStatus, &Container) -> Option<LinuxContainerUser>,
    /// Whether the pod is past its deadline, or evicted.
    pub evict: Option<&'a super::eviction::Evicted>,
}

/// Makes the status; readiness probes that have to run at once are added to `triggers`.
pub(crate) fn generate_api_pod_status(
    input: &Inputs<'_>,
    probes: &mut prober::Manager,
    terminal: bool,
) -> PodStatus {
    let spec = input.spec;
    let mut s = PodStatus { qos_class: input.api.qos_class.clone(), ..PodStatus::default() };
    s.observed_generation = input.generation;
    s.nominated_node_name.clone_from(&input.api.nominated_node_name);
    if input.resize.is_none() && input.old.resources.is_some() {
        s.resources.clone_from(&input.old.resources);
        s.allocated_resources.clone_from(&input.old.allocated_resources);
    } else {
        pod_resources(input, &mut s);
    }
    s.host_ip = Some(input.host_ip.to_owned());
    s.host_ips = Some(vec![HostIP { ip: input.host_ip.to_owned() }]);
    let ip = if spec.host_network == Some(true) && !input.runtime.sandboxes.is_empty() {
        Some(input.host_ip)
    } else {
        input.runtime.ip()
    };
    if let Some(ip) = ip {
        s.pod_ip = Some(ip.to_owned());
        s.pod_ips = Some(vec![PodIP { ip: ip.to_owned() }]);
    }
    let init = spec.init_containers.as_deref().unwrap_or(&[]);
    let has_init = !init.is_empty();
    fn old(list: &Option<Vec<ContainerStatus>>) -> &[ContainerStatus] {
        list.as_deref().unwrap_or(&[])
    }
    let could_restart = all_containers_could_restart(spec);
    let restarting = could_restart && should_all_containers_restart(spec, input.runtime, Some(input.old));
    let containers = container_statuses(
        input,
        &spec.containers,
        old(&input.old.container_statuses),
        [has_init, false, restarting],
    );
    s.container_statuses = Some(containers);
    if has_init {
        let statuses = container_statuses(
            input,
            init,
            old(&input.old.init_container_statuses),
            [true, true, restarting],
        );
        s.init_container_statuses = Some(statuses);
    }
    let ephemeral: Vec<Container> = spec.ephemeral_containers.iter().flatten().map(as_container).collect();
    if !ephemeral.is_empty() {
        let before = old(&input.old.ephemeral_container_statuses);
        s.ephemeral_container_statuses =
            Some(container_statuses(input, &ephemeral, before, [has_init, false, false]));
    }

    let all: Vec<&ContainerStatus> =
        s.container_statuses.iter().chain(&s.init_container_statuses).flatten().collect();
    let mut phase = get_phase(spec, &all, terminal, input.is_static).to_owned();
    let ended = |p: Option<&str>| matches!(p, Some("Failed" | "Succeeded"));
    if !ended(Some(&phase)) {
        for before in [input.old.phase.as_deref(), input.api.phase.as_deref()] {
            if ended(before) {
                before.unwrap_or_default().clone_into(&mut phase);
                break;
            }
        }
    }
    if input.old.phase.as_deref() == Some(&phase) {
        s.reason = input.old.reason.clone().or_else(|| input.api.reason.clone());
        s.message = input.old.message.clone().or_else(|| input.api.message.clone());
    }
    let before = phase.clone();
    if let Some(evicted) = input.evict {
        "Failed".clone_into(&mut phase);
        s.reason = Some(evicted.reason.to_owned());
        s.message = Some(evicted.message.clone());
    }
    // The manager sets its phase when the status is made: the conditions hear of it next time.
    let manager = input.evict.is_some_and(|evicted| evicted.by_manager);
    let seen = if manager { before.as_str() } else { phase.as_str() };
    probes.update_pod_status(spec, &mut s);
    let all: Vec<&ContainerStatus> =
        s.init_container_statuses.iter().chain(&s.container_statuses).flatten().collect();
    let others = input.api.conditions.iter().flatten().filter(|c| !conditions::by_kubelet(&c.type_));
    let mut list = Vec::with_capacity(5 + others.clone().count());
    list.extend(others.cloned());
    list.extend(input.resize.iter().flat_map(|r| r.conditions().cloned()));
    if let Some(evicted) = input.evict.filter(|evicted| evicted.disruption) {
        list.retain(|condition| condition.type_ != conditions::DISRUPTION_TARGET);
        list.push(conditions::disruption_target(&evicted.message, s.observed_generation));
    }
    list.push(conditions::pod_ready_to_start_containers(input.runtime));
    list.push(conditions::initialized(spec, &all, seen));
    let containers_ready = conditions::containers_ready(spec, &all, seen);
    list.push(conditions::ready(spec, &containers_ready, &list));
    list.push(containers_ready);
    list.push(conditions::pod_scheduled());
    if could_restart {
        list.push(conditions::all_containers_restarting(spec, input.runtime, input.old, seen));
    }
    s.conditions = Some(list);
    s.phase = Some(phase);
    s
}

/// What the pod as a whole has: its own resources, or those of its containers together.
///
/// Source: `convertToAPIPodLevelResourcesStatus` (v1.37), without the rounding that a CPU request takes in its way
/// through a cgroup.
fn pod_resources(input: &Inputs<'_>, s: &mut PodStatus) {
    let spec = input.spec;
    let has_any = |c: &Container| c.resources.is_some();
    let none = spec.resources.is_none() && spec.overhead.is_none();
    let mut containers = spec.containers.iter().chain(spec.init_containers.iter().flatten());
    if none && !containers.any(has_any) {
        s.resources = Some(ResourceRequirements::default());
        return;
    }
    let options = PodResourcesOptions::default();
    let texts = |list: &ResourceList| -> Option<BTreeMap<String, QuantityText>> {
        (!list.is_empty())
            .then(|| list.iter().map(|(n, q)| (n.clone(), QuantityText(q.to_string()))).collect())
    };
    debug_assert_eq!(*input.requests, pod_requests(spec, None, &options));
    s.allocated_resources = texts(input.requests);
    let (requests, limits) = match input.resize {
        None => (s.allocated_resources.clone(), texts(&pod_limits(spec, None, &options))),
        Some(resize) => {
            let actuated = resize.actuated_spec(spec);
            let requests = pod_requests(&actuated, None, &options);
            (texts(&requests), texts(&pod_limits(&actuated, None, &options)))
        }
    };
    s.resources =
        Some(ResourceRequirements { requests, limits, ..spec.resources.clone().unwrap_or_default() });
}

/// An ephemeral container in the shape of the others.
pub(crate) fn as_container(e: &k8s_openapi::api::core::v1::EphemeralContainer) -> Container {
    Container {
        args: e.args.clone(),
        command: e.command.clone(),
        env: e.env.clone(),
        env_from: e.env_from.clone(),
        image: e.image.clone(),
        image_pull_policy: e.image_pull_policy.clone(),
        name: e.name.clone(),
        security_context: e.security_context.clone(),
        stdin: e.stdin,
        stdin_once: e.stdin_once,
        termination_message_path: e.termination_message_path.clone(),
        termination_message_policy: e.termination_message_policy.clone(),
        tty: e.tty,
        volume_mounts: e.volume_mounts.clone(),
        working_dir: e.working_dir.clone(),
        ..Container::default()
    }
}

fn waiting(reason: &str, message: &str) -> ContainerState {
    ContainerState {
        waiting: Some(ContainerStateWaiting {
            reason: (!reason.is_empty()).then(|| reason.to_owned()),
            message: (!message.is_empty()).then(|| message.to_owned()),
        }),
        ..ContainerState::default()
    }
}

fn instant(at: Option<SimTime>) -> Option<podlab_api::Time> {
    at.map(|t| time(t.as_secs()))
}

/// One container of the runtime as the API shows it.
fn convert(input: &Inputs<'_>, found: &runtime::ContainerStatus, container: &Container) -> ContainerStatus {
    let id = ["containerd://", &found.id].concat();
    let state = match found.state {
        Runs::Running => ContainerState {
            running: Some(ContainerStateRunning { started_at: instant(found.started_at) }),
            ..ContainerState::default()
        },
        Runs::Created => waiting("", ""),
        Runs::Exited => {
            let message = (input.messages)(found, container);
            ContainerState {
                terminated: Some(ContainerStateTerminated {
                    container_id: Some(id.clone()),
                    exit_code: found.exit_code,
                    finished_at: instant(found.finished_at),
                    message: (!message.is_empty()).then_some(message),
                    reason: (!found.reason.is_empty()).then(|| found.reason.to_owned()),
                    signal: None,
                    // What never started began at the epoch, as containerd has it.
                    started_at: instant(found.started_at).or_else(|| Some(time(0))),
                }),
                ..ContainerState::default()
            }
        }
    };
    ContainerStatus {
        name: container.name.clone(),
        restart_count: i32::try_from(found.attempt).unwrap_or(i32::MAX),
        image: canonical_image(&found.image),
        image_id: found.image_ref.clone(),
        container_id: Some(id),
        state: Some(state),
        last_state: Some(ContainerState::default()),
        resources: (input.resize.filter(|_| found.state == Runs::Running))
            .and_then(|resize| resize.actuated(&container.name).cloned())
            .or_else(|| container.resources.clone())
            .or_else(|| Some(ResourceRequirements::default())),
        allocated_resources: container.resources.as_ref().and_then(|r| r.requests.clone()),
        user: (found.state == Runs::Running)
            .then(|| (input.users)(found, container))
            .flatten()
            .map(|linux| ContainerUser { linux: Some(linux) }),
        ..ContainerStatus::default()
    }
}

fn mount_statuses(container: &Container) -> Option<Vec<VolumeMountStatus>> {
    let list: Vec<_> = container
        .volume_mounts
        .iter()
        .flatten()
        .map(|m| VolumeMountStatus {
            mount_path: m.mount_path.clone(),
            name: m.name.clone(),
            read_only: m.read_only.filter(|r| *r),
            recursive_read_only: m.read_only.filter(|r| *r).map(|_| "Disabled".to_owned()),
            volume_status: None,
        })
        .collect();
    (!list.is_empty()).then_some(list)
}

/// A container that was taken away so that all are restarted.
fn reset(container: &Container, before: &ContainerStatus) -> ContainerStatus {
    const MESSAGE: &str = "The container is removed because RestartAllContainers in place";
    ContainerStatus {
        name: container.name.clone(),
        image: container.image.clone().unwrap_or_default(),
        state: Some(waiting(RESTARTING_ALL_CONTAINERS, MESSAGE)),
        restart_count: before.restart_count.saturating_add(1),
        last_state: Some(ContainerState {
            terminated: Some(ContainerStateTerminated {
                reason: Some(RESTARTING_ALL_CONTAINERS.to_owned()),
                message: Some(MESSAGE.to_owned()),
                exit_code: 137,
                ..ContainerStateTerminated::default()
            }),
            ..ContainerState::default()
        }),
        ..ContainerStatus::default()
    }
}

/// The runtime may have forgotten earlier runs; the status counts them.
///
/// Source: `convertContainerStatus`.
fn keep_count(status: &mut ContainerStatus, before: &ContainerStatus) {
    let running = status.state.as_ref().is_some_and(|s| s.running.is_some());
    let had_ended = before.state.as_ref().is_some_and(|s| s.terminated.is_some());
    if running && had_ended && before.restart_count >= status.restart_count {
        status.restart_count = before.restart_count.saturating_add(1);
    } else {
        status.restart_count = status.restart_count.max(before.restart_count);
    }
}

/// The end of a run, where the status before tells of it.
fn end_of(before: &ContainerStatus, id: &str) -> Option<ContainerState> {
    let is_its = |state: &&ContainerState| {
        let ended = state.terminated.as_ref().and_then(|ended| ended.container_id.as_deref());
        ended.and_then(|ended| ended.strip_prefix("containerd://")) == Some(id)
    };
    [&before.state, &before.last_state].into_iter().flatten().find(is_its).cloned()
}

fn container_statuses(
    input: &Inputs<'_>,
    containers: &[Container],
    old: &[ContainerStatus],
    [has_init, is_init, restarting]: [bool; 3],
) -> Vec<ContainerStatus> {
    let default_reason = if has_init { "PodInitializing" } else { "ContainerCreating" };
    let mut out = Vec::with_capacity(containers.len());
    for container in containers {
        let before = old.iter().find(|s| s.name == container.name);
        let seen: Vec<&runtime::ContainerStatus> =
            input.runtime.containers.iter().filter(|c| c.name == container.name).take(2).collect();
        let ended = |s: &ContainerStatus| s.state.as_ref().is_some_and(|s| s.terminated.is_some());
        let mut status = match (seen.first(), before) {
            (Some(newest), _) => {
                let mut status = convert(input, newest, container);
                if let Some(before) = before {
                    keep_count(&mut status, before);
                }
                status
            }
            (None, Some(s)) if restarting && s.state.as_ref().is_some_and(|s| s.waiting.is_none()) => {
                reset(container, s)
            }
            (None, Some(s)) if ended(s) => s.clone(),
            (None, _) => ContainerStatus {
                name: container.name.clone(),
                image: container.image.clone().unwrap_or_default(),
                state: Some(waiting(default_reason, "")),
                restart_count: before.map_or(0, |s| s.restart_count),
                last_state: Some(before.and_then(|s| s.last_state.clone()).unwrap_or_default()),
                ..ContainerStatus::default()
            },
        };
        if let (Some(newest), Some(before)) = (seen.first(), before)
            && newest.state == Runs::Running
        {
            // Whether it has started is not known of a new run before its startup probe's worker looks at it.
            status.started = before.started;
        }
        if !seen.is_empty() {
            if let Some(second) = seen.get(1) {
                // What was written to its files was read when it ended: they may be gone with it by now.
                let known = before.and_then(|before| end_of(before, &second.id));
                status.last_state = known.or_else(|| convert(input, second, container).state);
            } else if let Some(s) = before
                && s.container_id == status.container_id
            {
                // The run before has been cleaned up; what was known of it stays.
                status.last_state.clone_from(&s.last_state);
            } else if let Some(s) = before {
                let of = |state: &Option<ContainerState>| state.clone().filter(|s| s.terminated.is_some());
                status.last_state = of(&s.state).or_else(|| of(&s.last_state)).or(status.last_state);
            }
        } else if let Some(s) = before
            && !restarting
            && s.state.as_ref().is_some_and(|s| s.running.is_some())
            && s.last_state.as_ref().is_none_or(|l| l.terminated.is_none())
            && (!is_init || is_restartable_init_container(container))
        {
            // It ran when last seen and is gone: that much can be said of its end.
            status.last_state = Some(ContainerState {
                terminated: Some(ContainerStateTerminated {
                    reason: Some("ContainerStatusUnknown".to_owned()),
                    message: Some(
                        "The container could not be located when the pod was deleted.  The container used to be Running"
                            .to_owned(),
                    ),
                    exit_code: 137,
                    ..ContainerStateTerminated::default()
                }),
                ..ContainerState::default()
            });
            if !input.deleted {
                status.restart_count += 1;
            }
        }
        let succeeded = is_init && seen.first().is_some_and(|s| s.state == Runs::Exited && s.exit_code == 0);
        if !succeeded
            && should_container_be_restarted(container, input.spec, input.deleted, input.runtime)
            && let Some((reason, message)) = input.reasons.get(&container.name)
        {
            if ended(&status) {
                status.last_state = status.state.take();
            }
            status.state = Some(waiting(reason, message));
        }
        status.volume_mounts = mount_statuses(container);
        out.push(status);
    }
    if !is_init {
        // Source: pkg/kubelet/status/status_manager.go `normalizeStatus` (v1.37): init containers keep the pod's order.
        out.sort_by(|a, b| a.name.cmp(&b.name));
    }
    out
}
