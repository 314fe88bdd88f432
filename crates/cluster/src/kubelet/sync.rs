//! Syncs: bringing a pod up, down and away, step by step.
//!
//! A sync is data: a queue of steps. A step either is over at once or leaves a note of what it waits for.
//!
//! Source: pkg/kubelet/kubelet.go `SyncPod`, `SyncTerminatingPod`, `SyncTerminatedPod`,
//! pkg/kubelet/kuberuntime/kuberuntime_manager.go `SyncPod` (v1.37).

use super::KubeletEvent;
use super::api_status::{self, generate_api_pod_status};
use super::hooks::{self, HookRun};
use super::images::{self, Ensured};
use super::kill::{self, KillReason, Order};
use super::pod_actions::{ContainerToKill, compute_pod_actions, containers_to_reset};
use super::pod_cache::{Sandbox, Snapshot};
use super::pod_worker::{self, Env, PodWorker, SyncEnd, WorkType};
use super::prober;
use super::resize;
use super::restart_policy::is_restartable_init_container;
use super::status_manager;
use super::{container_config, volumes};
use crate::latency;
use crate::recorder::{EventType, InvolvedObject};
use crate::runtime::{ContainerId, ContainerState, ExecToken};
use k8s_openapi::api::core::v1::{Container, PodCondition, PodSpec};
use podlab_api::event::ObjectReference;
use podlab_api::kinds;
use podlab_sim::{SimTime, Slot};
use std::collections::VecDeque;
use std::sync::Arc;

/// Which list of the pod a container stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ContainerKind {
    /// `spec.initContainers`.
    Init,
    /// `spec.containers`.
    App,
    /// `spec.ephemeralContainers`.
    Ephemeral,
}

/// Why a container did not start.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StartError {
    /// `ErrImagePull`.
    pub reason: String,
    /// The text for its status.
    pub message: String,
    /// When it is worth another try, where that is known.
    pub backoff: Option<SimTime>,
}

impl StartError {
    pub(crate) fn new(reason: &str, message: String) -> StartError {
        StartError { reason: reason.to_owned(), message, backoff: None }
    }
}

/// A step of a sync.
#[derive(Clone, Debug)]
enum Step {
    MountVolumes,
    Actions,
    Kill(ContainerToKill),
    /// A container is forgotten, after its end.
    Remove(ContainerId),
    KillAll,
    StopSandboxes,
    CreateSandbox,
    SandboxReady,
    Resize,
    Start(ContainerKind, usize),
    Create(ContainerKind, usize),
    Created(ContainerKind, usize, ContainerId),
    PostStart(ContainerKind, usize, ContainerId),
    FinishTerminating,
}

/// What a sync waits for.
#[derive(Clone, Debug)]
enum Waiting {
    Time,
    Volumes { deadline: SimTime, began: SimTime, slot: Slot },
    Kills,
    Pull(ContainerKind, usize),
    PostStart(ContainerKind, usize, ContainerId, ExecToken),
}

/// A sync in progress.
#[derive(Clone, Debug)]
pub(crate) struct SyncJob {
    steps: VecDeque<Step>,
    waiting: Option<Waiting>,
    /// The look at the runtime that it began with.
    snapshot: Snapshot,
    /// Whether anything was done to the runtime.
    acted: bool,
    /// Failures: the end of a back-off each, where it is one.
    errors: Vec<Option<SimTime>>,
    transition: Option<WorkType>,
    /// Whether an image was asked for in vain.
    pull_failed: bool,
}

enum Flow {
    Next,
    Wait,
    /// The rest is left out.
    Stop,
}

/// Begins a sync of the worker's present type.
pub(crate) fn start(env: &mut Env<'_, '_>, w: &mut PodWorker) {
    let mut job = SyncJob {
        steps: VecDeque::new(),
        waiting: None,
        snapshot: w.cache.clone(),
        acted: false,
        errors: Vec::new(),
        transition: None,
        pull_failed: false,
    };
    match w.work {
        WorkType::Sync => begin_sync_pod(env, w, &mut job),
        WorkType::Terminating => begin_terminating(env, w, &mut job),
        WorkType::Terminated => sync_terminated_pod(env, w, &mut job),
        WorkType::Finished => return,
    }
    w.job = Some(job);
    run(env, w);
}

/// Makes the pod's status out of a look at the runtime and hands it to the status manager.
fn set_status(env: &mut Env<'_, '_>, w: &mut PodWorker, snapshot: &Snapshot, terminal: bool) -> String {
    if let Some(resize) = w.resize.as_mut().filter(|_| terminal) {
        resize.ended();
    }
    let status = make_status(env, w, snapshot, terminal);
    let phase = status.phase.clone().unwrap_or_default();
    status_manager::set_pod_status(env, w, status);
    phase
}

fn make_status(
    env: &mut Env<'_, '_>,
    w: &mut PodWorker,
    snapshot: &Snapshot,
    terminal: bool,
) -> k8s_openapi::api::core::v1::PodStatus {
    super::deadline::check(env, w);
    let pod = w.pod.clone();
    let empty = Arc::default();
    let spec: &Arc<PodSpec> = match pod.pod_spec() {
        Some(spec) => spec,
        None => &empty,
    };
    let api = pod.pod_status().cloned().unwrap_or_default();
    let runtime = &*env.runtime;
    let messages = |found: &crate::runtime::ContainerStatus, container: &Container| {
        container_config::termination_message(runtime, found, container)
    };
    let node = env.node.name.clone();
    let users = |found: &crate::runtime::ContainerStatus, container: &Container| {
        container_config::container_user(runtime, &node, spec, found, container)
    };
    let evict = w.evict.clone();
    let inputs = api_status::Inputs {
        spec,
        requests: &w.requests,
        deleted: pod.is_terminating() || w.deleted,
        generation: pod.metadata.generation,
        is_static: w.is_static,
        api: &api,
        old: &w.status,
        runtime: snapshot,
        reasons: &w.reasons,
        resize: w.resize.as_deref(),
        host_ip: &env.node.ip,
        messages: &messages,
        users: &users,
        evict: evict.as_ref(),
    };
    generate_api_pod_status(&inputs, &mut w.probes, terminal)
}

fn begin_sync_pod(env: &mut Env<'_, '_>, w: &mut PodWorker, job: &mut SyncJob) {
    let snapshot = job.snapshot.clone();
    if w.resize.is_some() {
        resize::observe(env, w, &snapshot);
    }
    let phase = set_status(env, w, &snapshot, false);
    if matches!(phase.as_str(), "Succeeded" | "Failed") {
        job.transition = Some(WorkType::Terminating);
        return;
    }
    if w.is_static {
        super::static_pods::look_at_mirror(env, w);
    }
    job.steps.extend([Step::MountVolumes, Step::Actions]);
}

fn begin_terminating(env: &mut Env<'_, '_>, w: &mut PodWorker, job: &mut SyncJob) {
    let snapshot = job.snapshot.clone();
    if w.status_at_end.is_none() {
        w.status_at_end = match &w.pod.body {
            podlab_api::Body::Pod { status, .. } => Some(status.clone()),
            _ => None,
        };
    }
    set_status(env, w, &snapshot, false);
    w.probes.stop_liveness_and_startup();
    job.steps.extend([Step::KillAll, Step::StopSandboxes, Step::FinishTerminating]);
}

/// Cleans up: volumes, then the object itself if it is being deleted.
fn sync_terminated_pod(env: &mut Env<'_, '_>, w: &mut PodWorker, job: &mut SyncJob) {
    let snapshot = job.snapshot.clone();
    set_status(env, w, &snapshot, true);
    status_manager::terminate_pod(env, w);
    volumes::unmount(env, w);
    volumes::empty(env, w);
    job.transition = Some(WorkType::Finished);
}

/// Goes on until something has to be waited for, or all is done.
fn run(env: &mut Env<'_, '_>, w: &mut PodWorker) {
    loop {
        let Some(mut job) = w.job.take() else { return };
        if job.waiting.is_some() {
            w.job = Some(job);
            return;
        }
        let Some(step) = job.steps.pop_front() else {
            return finish(env, w, job);
        };
        let flow = do_step(env, w, &mut job, step);
        if matches!(flow, Flow::Stop) {
            job.steps.clear();
        }
        w.job = Some(job);
        if matches!(flow, Flow::Wait) {
            return;
        }
    }
}

fn finish(env: &mut Env<'_, '_>, w: &mut PodWorker, job: SyncJob) {
    w.kills.clear();
    if job.pull_failed {
        name_missing_pull_secrets(env, w);
    }
    // Source: pkg/kubelet/container/sync_result.go `MinBackoffExpiration` (v1.37): one back-off among them is enough.
    let error = (!job.errors.is_empty()).then(|| job.errors.iter().flatten().min().copied());
    let transition = job.transition;
    let ready = w.status.conditions.iter().flatten().any(|c| c.type_ == "Ready" && c.status == "True");
    let idle = !job.acted && job.errors.is_empty() && transition.is_none() && ready;
    let timed = w.pod.pod_spec().is_some_and(|s| s.active_deadline_seconds.is_some());
    w.quiet =
        (idle && !timed && Arc::ptr_eq(&job.snapshot, &w.cache)).then(|| (w.cache.clone(), w.pod.clone()));
    pod_worker::complete_work(env, w, SyncEnd { transition, error, acted: job.acted });
    if transition == Some(WorkType::Finished) {
        super::finished(env, w);
    }
}

/// A pull may have failed because its secrets are not there.
///
/// Source: pkg/kubelet/kubelet.go `SyncPod`, kubelet_pods.go `getPullSecretsForPod` (v1.37).
fn name_missing_pull_secrets(env: &mut Env<'_, '_>, w: &PodWorker) {
    let Some(spec) = w.pod.pod_spec() else { return };
    let store = env.cx.api.store();
    let names = spec.image_pull_secrets.iter().flatten().map(|secret| secret.name.as_str());
    let missing: Vec<&str> = names
        .filter(|name| !name.is_empty() && store.get(&kinds::SECRET, w.pod.namespace(), name).is_none())
        .collect();
    if missing.is_empty() {
        return;
    }
    let text = format!(
        "Unable to retrieve some image pull secrets ({}); attempting to pull the image may not succeed.",
        missing.join(", ")
    );
    let about = InvolvedObject::of(&w.pod);
    let reason = "FailedToRetrieveImagePullSecret";
    env.node.recorder.event(env.cx.api, &about, EventType::Warning, reason, &text);
}

fn wait_time(env: &mut Env<'_, '_>, job: &mut SyncJob, wait: std::time::Duration) -> Flow {
    env.cx.after(wait, KubeletEvent::Resume { pod: env.ix }.into());
    job.waiting = Some(Waiting::Time);
    Flow::Wait
}

/// A wait of a sync is over.
pub(crate) fn on_resume(env: &mut Env<'_, '_>, w: &mut PodWorker) {
    let Some(mut job) = w.job.take() else { return };
    match job.waiting.take() {
        Some(Waiting::Time) => {}
        Some(Waiting::Volumes { deadline, .. }) => {
            if !volumes::all_mounted(w) {
                if env.cx.now() >= deadline {
                    job.errors.push(None);
                    job.steps.clear();
                } else {
                    // The mount's own news wakes the sync.
                    let slot = env.cx.at(deadline, KubeletEvent::Resume { pod: env.ix }.into());
                    let began = env.cx.now();
                    job.waiting = Some(Waiting::Volumes { deadline, began, slot });
                }
            }
        }
        other => job.waiting = other,
    }
    w.job = Some(job);
    run(env, w);
}

/// The pod is to end: its sync waits no longer for volumes.
///
/// Source: pkg/kubelet/pod_workers.go `UpdatePod` (v1.37), which cancels the context of the sync in progress.
pub(crate) fn cancel_waiting(env: &mut Env<'_, '_>, w: &mut PodWorker) {
    let Some(mut job) = w.job.take() else { return };
    if let Some(Waiting::Volumes { slot, .. }) = job.waiting {
        env.cx.agenda.cancel(slot);
        job.waiting = None;
        job.errors.push(None);
        job.steps.clear();
    }
    w.job = Some(job);
    run(env, w);
}

/// The volumes are mounted: the sync sees it at its next look, every 300 ms.
pub(crate) fn on_volumes(env: &mut Env<'_, '_>, w: &mut PodWorker) {
    let Some(job) = &mut w.job else { return };
    if let Some(Waiting::Volumes { began, slot, .. }) = &mut job.waiting {
        env.cx.agenda.cancel(*slot);
        let at = env.cx.now().next_tick(*began, latency::VOLUME_POLL);
        *slot = env.cx.at(at, KubeletEvent::Resume { pod: env.ix }.into());
    }
}

/// A kill has got further; the sync goes on when all are done.
pub(crate) fn on_kills(env: &mut Env<'_, '_>, w: &mut PodWorker) {
    if !w.kills.iter().all(kill::Kill::is_done) {
        return;
    }
    match &mut w.job {
        Some(job) if matches!(job.waiting, Some(Waiting::Kills)) => job.waiting = None,
        _ => return,
    }
    run(env, w);
}

/// Starts to wait for the kills in progress.
fn wait_kills(w: &PodWorker, job: &mut SyncJob) -> Flow {
    if w.kills.iter().all(kill::Kill::is_done) {
        return Flow::Next;
    }
    job.waiting = Some(Waiting::Kills);
    Flow::Wait
}

/// A hook's command has ended; says whether it was this sync's.
pub(crate) fn finish_exec(env: &mut Env<'_, '_>, w: &mut PodWorker, token: ExecToken) -> bool {
    let Some(mut job) = w.job.take() else { return false };
    match job.waiting.take() {
        Some(Waiting::PostStart(kind, index, id, awaited)) if awaited == token => {
            let outcome = env.runtime.exec_result(token);
            if let (Some(container), Some(outcome)) = (container_at(w, kind, index), outcome)
                && outcome.exit_code != 0
            {
                let hook = container.lifecycle.as_ref().and_then(|l| l.post_start.as_ref());
                let command = hook.and_then(|h| h.exec.as_ref()).and_then(|e| e.command.clone());
                let text = hooks::exec_failure(w, &container, &command.unwrap_or_default(), &outcome);
                post_start_failed(env, w, &mut job, kind, &container, id, text);
            }
            w.job = Some(job);
            run(env, w);
            true
        }
        other => {
            job.waiting = other;
            w.job = Some(job);
            false
        }
    }
}

/// A pull is over.
pub(crate) fn on_pulled(
    env: &mut Env<'_, '_>,
    w: &mut PodWorker,
    request: &images::PullRequest,
    result: &images::PullResult,
) {
    let Some(mut job) = w.job.take() else { return };
    let Some(Waiting::Pull(kind, index)) = job.waiting else {
        w.job = Some(job);
        return;
    };
    job.waiting = None;
    if let Some(container) = container_at(w, kind, index) {
        let about = container_ref(w, kind, &container.name);
        let flow = match images::pulled(env, w, &container, &about, request, result) {
            Ok(()) => {
                job.steps.push_front(Step::Create(kind, index));
                Flow::Next
            }
            Err(error) => image_failed(env, w, &mut job, kind, &container, error),
        };
        if matches!(flow, Flow::Stop) {
            job.steps.clear();
        }
    }
    w.job = Some(job);
    run(env, w);
}

/// A container of the pod as the spec has it now, to keep while the worker changes.
fn container_at(w: &PodWorker, kind: ContainerKind, index: usize) -> Option<SpecContainer> {
    let spec = w.pod.pod_spec()?.clone();
    let found = match kind {
        ContainerKind::Ephemeral => {
            let container = spec.ephemeral_containers.as_ref()?.get(index)?;
            SpecContainer::Made(Box::new(api_status::as_container(container)))
        }
        kind => SpecContainer::At(spec, kind, index),
    };
    found.get().is_some().then_some(found)
}

/// A container of a spec, without a copy of it.
enum SpecContainer {
    At(Arc<PodSpec>, ContainerKind, usize),
    Made(Box<Container>),
}

impl SpecContainer {
    fn get(&self) -> Option<&Container> {
        match self {
            SpecContainer::At(spec, ContainerKind::Init, index) => spec.init_containers.as_ref()?.get(*index),
            SpecContainer::At(spec, _, index) => spec.containers.get(*index),
            SpecContainer::Made(container) => Some(container),
        }
    }
}

impl std::ops::Deref for SpecContainer {
    type Target = Container;

    fn deref(&self) -> &Container {
        // Never missing: `container_at` has looked.
        static NONE: std::sync::LazyLock<Container> = std::sync::LazyLock::new(Container::default);
        self.get().unwrap_or(&NONE)
    }
}

fn container_ref(w: &mut PodWorker, kind: ContainerKind, name: &str) -> InvolvedObject {
    let path = match kind {
        ContainerKind::Init => "initContainers",
        ContainerKind::App => "containers",
        ContainerKind::Ephemeral => "ephemeralContainers",
    };
    let version = w.pod.metadata.resource_version.as_deref().unwrap_or("");
    let is = |about: &&Arc<ObjectReference>| {
        let named = about.field_path.strip_prefix("spec.").and_then(|rest| rest.strip_prefix(path));
        about.resource_version == version
            && about.uid == w.pod.uid()
            && named.and_then(|n| n.strip_prefix('{')?.strip_suffix('}')).is_some_and(|n| n == name)
    };
    if let Some(about) = w.about.as_ref().filter(is) {
        return InvolvedObject::referred(about.clone());
    }
    let about = InvolvedObject::part(&w.pod, format!("spec.{path}{{{name}}}"));
    w.about = Some(about.reference());
    about
}

fn do_step(env: &mut Env<'_, '_>, w: &mut PodWorker, job: &mut SyncJob, step: Step) -> Flow {
    match step {
        Step::MountVolumes => mount_volumes(env, w, job),
        Step::Actions => actions(env, w, job),
        Step::Kill(kill) => {
            job.acted = true;
            let order = Order {
                id: kill.id,
                name: kill.name,
                message: kill.message,
                reason: kill.reason,
                // A restart of all gives nobody time.
                grace: (kill.reason == KillReason::RestartAllContainers).then_some(0),
                turn: Vec::new(),
            };
            kill::start_kill(env, w, order);
            wait_kills(w, job)
        }
        Step::Remove(id) => {
            env.runtime.remove_container(&id);
            w.containers.retain(|c| *c != id);
            Flow::Next
        }
        Step::KillAll => kill_all(env, w, job),
        Step::StopSandboxes => {
            for sandbox in &mut w.sandboxes {
                if sandbox.ready {
                    env.runtime.stop_pod_sandbox(&sandbox.id, env.cx);
                    sandbox.ready = false;
                    job.acted = true;
                }
            }
            Flow::Next
        }
        Step::CreateSandbox => create_sandbox(env, w, job),
        Step::SandboxReady => {
            sandbox_ready(env, w);
            Flow::Next
        }
        Step::Resize => {
            job.acted = true;
            match resize::actuate(env, w) {
                // The pod is looked at again at once.
                Ok(()) => w.pending = true,
                Err(error) => {
                    resize::failed(env, w, &error);
                    job.errors.push(None);
                }
            }
            Flow::Next
        }
        Step::Start(kind, index) => start_container(env, w, job, kind, index),
        Step::Create(kind, index) => create_container(env, w, job, kind, index),
        Step::Created(kind, index, id) => run_container(env, w, job, kind, index, id),
        Step::PostStart(kind, index, id) => post_start(env, w, job, kind, index, id),
        Step::FinishTerminating => {
            prober::remove_pod(env, w);
            // A direct look: the clean-up waits for the next relist all the same.
            pod_worker::relist_pod(env, w, false);
            (w.wants_sync, w.wants_another) = (false, false);
            let snapshot = w.cache.clone();
            // Nothing runs any more: from here on the status may say that the pod has ended.
            w.work = WorkType::Terminated;
            set_status(env, w, &snapshot, true);
            job.transition = Some(WorkType::Terminated);
            Flow::Next
        }
    }
}

fn mount_volumes(env: &mut Env<'_, '_>, w: &mut PodWorker, job: &mut SyncJob) -> Flow {
    volumes::start(env, w);
    if volumes::all_mounted(w) {
        return Flow::Next;
    }
    let now = env.cx.now();
    let deadline = now + latency::VOLUME_TIMEOUT;
    let slot = env.cx.at(deadline, KubeletEvent::Resume { pod: env.ix }.into());
    job.waiting = Some(Waiting::Volumes { deadline, began: now, slot });
    Flow::Wait
}

fn actions(env: &mut Env<'_, '_>, w: &mut PodWorker, job: &mut SyncJob) -> Flow {
    let Some(spec) = w.pod.pod_spec().cloned() else { return Flow::Stop };
    let now = env.cx.now();
    if w.probes.add_pod(&spec, now) {
        prober::start_all(env, w);
    }
    let deleted = w.pod.is_terminating();
    let restarting = |c: &&PodCondition| c.type_ == "AllContainersRestarting" && c.status == "True";
    if w.status.conditions.iter().flatten().any(|c| restarting(&c)) {
        reset_containers(w, job, &spec);
        return Flow::Next;
    }
    let mut plan = compute_pod_actions(&spec, deleted, &job.snapshot, &w.probes);
    let resizes = w.resize.is_some() && !plan.kill_pod && resize::add_actions(w, &job.snapshot, &mut plan);
    if plan.kill_pod {
        if !job.snapshot.sandboxes.is_empty() {
            job.steps.extend([Step::KillAll, Step::StopSandboxes]);
            if plan.create_sandbox {
                let about = InvolvedObject::of(&w.pod);
                let text = "Pod sandbox changed, it will be killed and re-created.";
                env.node.recorder.event(env.cx.api, &about, EventType::Normal, "SandboxChanged", text);
            }
        }
    } else {
        job.steps.extend(plan.containers_to_kill.into_iter().map(Step::Kill));
    }
    if plan.create_sandbox {
        job.steps.push_back(Step::CreateSandbox);
    } else if plan.kill_pod {
        return Flow::Next;
    }
    let start = |kind| move |index| Step::Start(kind, index);
    job.steps.extend(plan.ephemeral_containers_to_start.into_iter().map(start(ContainerKind::Ephemeral)));
    if resizes {
        job.steps.push_back(Step::Resize);
    }
    job.steps.extend(plan.init_containers_to_start.into_iter().map(start(ContainerKind::Init)));
    job.steps.extend(plan.containers_to_start.into_iter().map(start(ContainerKind::App)));
    Flow::Next
}

/// Takes all containers away; the sync that follows at once starts them anew.
fn reset_containers(w: &mut PodWorker, job: &mut SyncJob, spec: &PodSpec) {
    for (id, name, kill) in containers_to_reset(spec, &job.snapshot) {
        if kill {
            job.steps.push_back(Step::Kill(ContainerToKill {
                id: id.clone(),
                name,
                message: "killing".to_owned(),
                reason: KillReason::RestartAllContainers,
            }));
        }
        job.steps.push_back(Step::Remove(id));
    }
    job.acted = true;
    w.pending = true;
}

fn kill_all(env: &mut Env<'_, '_>, w: &mut PodWorker, job: &mut SyncJob) -> Flow {
    let Some(spec) = w.pod.pod_spec().cloned() else { return Flow::Next };
    // A pod that ends by itself, as by its deadline, leaves its containers the time that its spec says.
    let grace = w.grace.filter(|_| w.work == WorkType::Terminating).map(|grace| grace.max(1));
    // What was started after the look at the runtime is found all the same.
    let running: Vec<(ContainerId, String)> = w
        .containers
        .iter()
        .filter_map(|id| env.runtime.container_status(id))
        .filter(|s| s.state == ContainerState::Running)
        .map(|s| (s.id, s.name))
        .collect();
    // All kills are made before any of them can wait for its turn.
    let mut orders: Vec<Order> = running
        .iter()
        .map(|(id, name)| Order {
            id: id.clone(),
            name: name.clone(),
            message: String::new(),
            reason: KillReason::Other,
            grace,
            turn: kill::turn_of(&spec, name)
                .into_iter()
                .filter(|n| running.iter().any(|(_, r)| r == n))
                .collect(),
        })
        .collect();
    // Those that wait for others come last, so that the others are known by then.
    orders.sort_by_key(|o| o.turn.len());
    for order in orders {
        job.acted = true;
        kill::start_kill(env, w, order);
    }
    wait_kills(w, job)
}

fn create_sandbox(env: &mut Env<'_, '_>, w: &mut PodWorker, job: &mut SyncJob) -> Flow {
    job.acted = true;
    let config = container_config::sandbox_config(env, w);
    let id = env.runtime.run_pod_sandbox(config, env.cx);
    let ip = env.runtime.sandbox_ip(&id);
    w.sandboxes.push(Sandbox { id, ready: true, ip });
    // A sync that fails or takes its time leaves the news to the next relist.
    env.node.dirty.insert(env.ix);
    super::plan_relist(env);
    // A dead sandbox or two are of no more use.
    while w.sandboxes.len() > 2 {
        let old = w.sandboxes.remove(0);
        env.runtime.remove_pod_sandbox(&old.id);
    }
    job.steps.push_front(Step::SandboxReady);
    wait_time(env, job, latency::SANDBOX)
}

/// Shows in the API that containers can be started from now on.
///
/// Source: pkg/kubelet/kubelet.go `OnPodSandboxReady` (v1.37).
fn sandbox_ready(env: &mut Env<'_, '_>, w: &mut PodWorker) {
    let mut status = (*w.status).clone();
    for condition in status.conditions.iter_mut().flatten() {
        if condition.type_ == "PodReadyToStartContainers" {
            "True".clone_into(&mut condition.status);
            condition.reason = None;
            condition.message = None;
        }
    }
    status_manager::set_pod_status(env, w, status);
}

/// Notes that a container did not start. A plain init container holds up all that comes after it.
fn failed(
    w: &mut PodWorker,
    job: &mut SyncJob,
    kind: ContainerKind,
    container: &Container,
    error: StartError,
) -> Flow {
    w.reasons.insert(container.name.clone(), (error.reason, error.message));
    job.errors.push(error.backoff);
    if kind == ContainerKind::Init && !is_restartable_init_container(container) {
        Flow::Stop
    } else {
        Flow::Next
    }
}

/// As [`failed`], with the event that says so.
fn image_failed(
    env: &mut Env<'_, '_>,
    w: &mut PodWorker,
    job: &mut SyncJob,
    kind: ContainerKind,
    container: &Container,
    error: StartError,
) -> Flow {
    let about = container_ref(w, kind, &container.name);
    let text = format!("Error: {}", error.reason);
    env.node.recorder.event(env.cx.api, &about, EventType::Warning, "Failed", &text);
    job.pull_failed |= error.reason == "ErrImagePull";
    failed(w, job, kind, container, error)
}

fn start_container(
    env: &mut Env<'_, '_>,
    w: &mut PodWorker,
    job: &mut SyncJob,
    kind: ContainerKind,
    index: usize,
) -> Flow {
    let Some(container) = container_at(w, kind, index) else { return Flow::Next };
    let now = env.cx.now();
    job.acted = true;
    let about = container_ref(w, kind, &container.name);
    // Source: `doBackOff`: the delay counts from the end of the latest run that the sync has seen.
    let ended = job
        .snapshot
        .containers
        .iter()
        .find(|c| c.name == container.name && c.state == ContainerState::Exited)
        .map(|c| c.finished_at.unwrap_or(c.created_at));
    if let Some(ended) = ended {
        if let Some(until) = w.crash_loop.ends_since(&container.name, ended, now) {
            let text =
                format!("Back-off restarting failed container {} in pod {}", container.name, w.full_name());
            env.node.recorder.event(env.cx.api, &about, EventType::Warning, "BackOff", &text);
            let delay = w.crash_loop.get(&container.name).map(|e| e.backoff).unwrap_or_default();
            let message = format!(
                "back-off {} restarting failed container={} pod={}",
                images::go_millis(delay),
                container.name,
                w.full_name()
            );
            let error = StartError { backoff: Some(until), ..StartError::new("CrashLoopBackOff", message) };
            return failed(w, job, kind, &container, error);
        }
        w.crash_loop.next(&container.name, ended, now);
    }
    match images::ensure_image_exists(env, w, &container, &about) {
        Ensured::Present => {
            job.steps.push_front(Step::Create(kind, index));
            Flow::Next
        }
        Ensured::Pulling => {
            job.waiting = Some(Waiting::Pull(kind, index));
            Flow::Wait
        }
        Ensured::Failed(error) => image_failed(env, w, job, kind, &container, error),
    }
}

/// The restarts that the status counts for a container.
fn counted(w: &PodWorker, container: &str) -> u32 {
    let lists = [&w.status.container_statuses, &w.status.init_container_statuses];
    let found = lists.into_iter().flat_map(|l| l.iter().flatten()).find(|s| s.name == container);
    found.and_then(|s| u32::try_from(s.restart_count).ok()).unwrap_or(0)
}

fn create_container(
    env: &mut Env<'_, '_>,
    w: &mut PodWorker,
    job: &mut SyncJob,
    kind: ContainerKind,
    index: usize,
) -> Flow {
    let Some(container) = container_at(w, kind, index) else { return Flow::Next };
    let about = container_ref(w, kind, &container.name);
    let attempt = match job.snapshot.find(&container.name) {
        Some(before) => before.attempt.saturating_add(1),
        // What the runtime has forgotten is counted all the same.
        None => counted(w, &container.name),
    };
    let event = |env: &mut Env<'_, '_>, kind, reason: &str, text: &str| {
        env.node.recorder.event(env.cx.api, &about, kind, reason, text);
    };
    let Some(sandbox) = w.sandboxes.last().map(|s| s.id.clone()) else { return Flow::Stop };
    let created = match container_config::container_config(env, w, &container, attempt) {
        Err(text) => Err(("CreateContainerConfigError", text)),
        Ok(config) => env
            .runtime
            .create_container(&sandbox, config, env.cx)
            .map_err(|text| ("CreateContainerError", text)),
    };
    match created {
        Ok(id) => {
            w.containers.push(id.clone());
            if let Some(resize) = &mut w.resize {
                resize.started(&container.name);
            }
            event(env, EventType::Normal, "Created", "Container created");
            job.steps.push_front(Step::Created(kind, index, id));
            wait_time(env, job, latency::START)
        }
        Err((reason, text)) => {
            event(env, EventType::Warning, "Failed", &format!("Error: {text}"));
            failed(w, job, kind, &container, StartError::new(reason, text))
        }
    }
}

fn run_container(
    env: &mut Env<'_, '_>,
    w: &mut PodWorker,
    job: &mut SyncJob,
    kind: ContainerKind,
    index: usize,
    id: ContainerId,
) -> Flow {
    let Some(container) = container_at(w, kind, index) else { return Flow::Next };
    let about = container_ref(w, kind, &container.name);
    if let Err(text) = env.runtime.start_container(&id, env.cx) {
        let event = format!("Error: {text}");
        env.node.recorder.event(env.cx.api, &about, EventType::Warning, "Failed", &event);
        env.node.dirty.insert(env.ix);
        super::plan_relist(env);
        return failed(w, job, kind, &container, StartError::new("RunContainerError", text));
    }
    env.node.recorder.event(env.cx.api, &about, EventType::Normal, "Started", "Container started");
    if container.lifecycle.as_ref().is_some_and(|l| l.post_start.is_some()) {
        job.steps.push_front(Step::PostStart(kind, index, id));
        return wait_time(env, job, latency::POST_START);
    }
    w.reasons.remove(&container.name);
    Flow::Next
}

fn post_start(
    env: &mut Env<'_, '_>,
    w: &mut PodWorker,
    job: &mut SyncJob,
    kind: ContainerKind,
    index: usize,
    id: ContainerId,
) -> Flow {
    let Some(container) = container_at(w, kind, index) else { return Flow::Next };
    let Some(hook) = container.lifecycle.as_ref().and_then(|l| l.post_start.clone()) else {
        return Flow::Next;
    };
    w.reasons.remove(&container.name);
    match hooks::run(env, w, &id, &container, &hook) {
        HookRun::Done(Ok(())) => Flow::Next,
        HookRun::Done(Err(text)) => {
            post_start_failed(env, w, job, kind, &container, id, text);
            if job.waiting.is_some() { Flow::Wait } else { Flow::Next }
        }
        HookRun::Exec(token) => {
            job.waiting = Some(Waiting::PostStart(kind, index, id, token));
            Flow::Wait
        }
        HookRun::Until(at) => {
            env.cx.at(at, KubeletEvent::Resume { pod: env.ix }.into());
            job.waiting = Some(Waiting::Time);
            Flow::Wait
        }
    }
}

fn post_start_failed(
    env: &mut Env<'_, '_>,
    w: &mut PodWorker,
    job: &mut SyncJob,
    kind: ContainerKind,
    container: &Container,
    id: ContainerId,
    text: String,
) {
    let about = container_ref(w, kind, &container.name);
    env.node.recorder.event(
        env.cx.api,
        &about,
        EventType::Warning,
        "FailedPostStartHook",
        "PostStartHook failed",
    );
    let order = Order {
        id,
        name: container.name.clone(),
        message: "FailedPostStartHook".to_owned(),
        reason: KillReason::Other,
        grace: None,
        turn: Vec::new(),
    };
    kill::start_kill(env, w, order);
    if let Flow::Stop = failed(w, job, kind, container, StartError::new("PostStartHookError", text)) {
        job.steps.clear();
    }
    wait_kills(w, job);
}
