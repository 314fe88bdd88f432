//! Stopping a container: hook, turn, TERM, KILL.
//!
//! Source: pkg/kubelet/kuberuntime/kuberuntime_container.go `killContainer`,
//! kuberuntime_termination_order.go (v1.37).

use super::KubeletEvent;
use super::hooks::{self, HookRun};
use super::pod_worker::{Env, PodWorker};
use super::restart_policy::is_restartable_init_container;
use crate::recorder::{EventType, InvolvedObject};
use crate::runtime::{ContainerId, ContainerState, ExecToken};
use k8s_openapi::api::core::v1::{Container, PodSpec};
use podlab_sim::{SimDuration, SimTime, Slot};

/// Every container gets at least this, so that few are killed without a word.
const MINIMUM_GRACE_PERIOD: i64 = 2;

/// Why a container is killed; it may change how long it gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KillReason {
    /// Its liveness probe failed.
    LivenessProbe,
    /// Its startup probe failed.
    StartupProbe,
    /// All containers are restarted.
    RestartAllContainers,
    /// Anything else.
    Other,
}

/// A container that is being stopped.
#[derive(Clone, Debug)]
pub(crate) struct Kill {
    /// Number among the pod's kills.
    pub number: u32,
    pub id: ContainerId,
    pub name: String,
    stage: Stage,
    /// Seconds left when the stage began.
    grace: i64,
    began: SimTime,
    slot: Option<Slot>,
    /// A hook's command, which may outlive its stage.
    token: Option<ExecToken>,
    /// Names of containers that have to end first.
    turn: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    PreStop,
    Turn,
    Stopping,
    Done,
}

impl Kill {
    /// Whether the container has ended.
    pub(crate) fn is_done(&self) -> bool {
        self.stage == Stage::Done
    }

    /// When TERM becomes KILL.
    pub(crate) fn deadline(&self) -> Option<SimTime> {
        self.slot.filter(|_| self.stage != Stage::Done).map(|s| s.at)
    }
}

/// The container of a name and where events find it (`spec.containers{web}`).
pub(crate) fn find_container(spec: &PodSpec, name: &str) -> Option<(Container, String)> {
    for (path, list) in
        [("initContainers", &spec.init_containers), ("containers", &Some(spec.containers.clone()))]
    {
        if let Some(c) = list.iter().flatten().find(|c| c.name == name) {
            return Some((c.clone(), format!("spec.{path}{{{name}}}")));
        }
    }
    let ephemeral = spec.ephemeral_containers.iter().flatten().find(|c| c.name == name)?;
    Some((super::api_status::as_container(ephemeral), format!("spec.ephemeralContainers{{{name}}}")))
}

/// What is to be stopped, and how.
pub(crate) struct Order {
    pub id: ContainerId,
    pub name: String,
    /// Text of the event; empty for the usual one.
    pub message: String,
    pub reason: KillReason,
    /// Replaces the pod's own wish.
    pub grace: Option<i64>,
    /// Names of containers that have to end first.
    pub turn: Vec<String>,
}

/// Seconds a container gets.
///
/// Source: `setTerminationGracePeriod`.
fn grace_period(w: &PodWorker, container: Option<&Container>, reason: KillReason) -> i64 {
    let probe = container.and_then(|c| match reason {
        KillReason::LivenessProbe => c.liveness_probe.as_ref(),
        KillReason::StartupProbe => c.startup_probe.as_ref(),
        KillReason::RestartAllContainers | KillReason::Other => None,
    });
    if let Some(own) = probe.and_then(|p| p.termination_grace_period_seconds) {
        return own;
    }
    w.pod
        .metadata
        .deletion_grace_period_seconds
        .or_else(|| w.pod.pod_spec().and_then(|s| s.termination_grace_period_seconds))
        .unwrap_or(MINIMUM_GRACE_PERIOD)
}

/// Begins to stop a container.
pub(crate) fn start_kill(env: &mut Env<'_, '_>, w: &mut PodWorker, order: Order) {
    let now = env.cx.now();
    let found = w.pod.pod_spec().and_then(|s| find_container(s, &order.name));
    let path = found.as_ref().map_or_else(String::new, |(_, path)| path.clone());
    let container = found.map(|(c, _)| c);
    let message =
        if order.message.is_empty() { format!("Stopping container {}", order.name) } else { order.message };
    let about = InvolvedObject::part(&w.pod, path);
    env.node.recorder.event(env.cx.api, &about, EventType::Normal, "Killing", &message);
    let grace = order.grace.unwrap_or_else(|| grace_period(w, container.as_ref(), order.reason));
    w.kills_made += 1;
    let mut kill = Kill {
        number: w.kills_made,
        id: order.id,
        name: order.name,
        stage: Stage::PreStop,
        grace,
        began: now,
        slot: None,
        token: None,
        turn: order.turn,
    };
    let hook = container.as_ref().and_then(|c| c.lifecycle.as_ref()).and_then(|l| l.pre_stop.clone());
    if let (Some(hook), Some(container), true) = (hook, container.as_ref(), grace > 0) {
        let limit = now + seconds(grace);
        let event = |pod, kill| KubeletEvent::Kill { pod, kill };
        match hooks::run(env, w, &kill.id, container, &hook) {
            HookRun::Done(result) => {
                if result.is_err() {
                    failed_pre_stop(env, w, &kill.name);
                }
                after_pre_stop(env, w, &mut kill);
            }
            HookRun::Exec(token) => {
                kill.token = Some(token);
                kill.slot = Some(env.cx.at(limit, event(env.ix, kill.number).into()));
            }
            HookRun::Until(at) => {
                kill.slot = Some(env.cx.at(at.min(limit), event(env.ix, kill.number).into()));
            }
        }
    } else {
        after_pre_stop(env, w, &mut kill);
    }
    w.kills.push(kill);
}

fn seconds(n: i64) -> SimDuration {
    SimDuration::from_secs(u64::try_from(n).unwrap_or(0))
}

fn failed_pre_stop(env: &mut Env<'_, '_>, w: &PodWorker, name: &str) {
    let path = w.pod.pod_spec().and_then(|s| find_container(s, name)).map_or_else(String::new, |(_, p)| p);
    let about = InvolvedObject::part(&w.pod, path);
    env.node.recorder.event(
        env.cx.api,
        &about,
        EventType::Warning,
        "FailedPreStopHook",
        "PreStopHook failed",
    );
}

/// Whether all that has to end before this container has.
fn is_its_turn(w: &PodWorker, kill: &Kill) -> bool {
    !kill.turn.iter().any(|name| w.kills.iter().any(|k| k.name == *name && k.stage != Stage::Done))
}

fn after_pre_stop(env: &mut Env<'_, '_>, w: &mut PodWorker, kill: &mut Kill) {
    let now = env.cx.now();
    let used = i64::try_from(now.since(kill.began).as_secs()).unwrap_or(i64::MAX);
    kill.grace = kill.grace.saturating_sub(used);
    kill.began = now;
    if !kill.turn.is_empty() && kill.grace > 0 && !is_its_turn(w, kill) {
        kill.stage = Stage::Turn;
        let event = KubeletEvent::Kill { pod: env.ix, kill: kill.number };
        kill.slot = Some(env.cx.after(seconds(kill.grace), event.into()));
        return;
    }
    stop(env, kill);
}

fn stop(env: &mut Env<'_, '_>, kill: &mut Kill) {
    let runs = |env: &Env<'_, '_>, kill: &Kill| {
        env.runtime.container_status(&kill.id).is_some_and(|s| s.state == ContainerState::Running)
    };
    kill.stage = Stage::Stopping;
    if runs(env, kill) {
        env.runtime.terminate(&kill.id, env.cx);
    }
    if !runs(env, kill) {
        kill.stage = Stage::Done;
        return;
    }
    let grace = kill.grace.max(MINIMUM_GRACE_PERIOD);
    let event = KubeletEvent::Kill { pod: env.ix, kill: kill.number };
    kill.slot = Some(env.cx.after(seconds(grace), event.into()));
}

/// Takes a kill out of the list, lets it go on, and puts it back.
fn with_kill(
    env: &mut Env<'_, '_>,
    w: &mut PodWorker,
    index: usize,
    then: impl FnOnce(&mut Env<'_, '_>, &mut PodWorker, &mut Kill),
) {
    if index >= w.kills.len() {
        return;
    }
    let mut kill = w.kills.remove(index);
    then(env, w, &mut kill);
    w.kills.insert(index.min(w.kills.len()), kill);
    check_turns(env, w);
}

/// Containers that waited for others to end go on.
fn check_turns(env: &mut Env<'_, '_>, w: &mut PodWorker) {
    while let Some(index) = w.kills.iter().position(|k| k.stage == Stage::Turn && is_its_turn(w, k)) {
        let mut kill = w.kills.remove(index);
        end_turn(env, &mut kill);
        w.kills.insert(index.min(w.kills.len()), kill);
    }
}

fn end_turn(env: &mut Env<'_, '_>, kill: &mut Kill) {
    cancel(env, kill);
    let used = i64::try_from(env.cx.now().since(kill.began).as_secs()).unwrap_or(i64::MAX);
    kill.grace = kill.grace.saturating_sub(used);
    stop(env, kill);
}

fn cancel(env: &mut Env<'_, '_>, kill: &mut Kill) {
    if let Some(slot) = kill.slot.take() {
        env.cx.agenda.cancel(slot);
    }
}

/// The time that a stage may take is over.
pub(crate) fn on_time(env: &mut Env<'_, '_>, w: &mut PodWorker, number: u32) {
    let Some(index) = w.kills.iter().position(|k| k.number == number) else { return };
    with_kill(env, w, index, |env, w, kill| {
        kill.slot = None;
        match kill.stage {
            Stage::PreStop => after_pre_stop(env, w, kill),
            Stage::Turn => end_turn(env, kill),
            Stage::Stopping => env.runtime.kill(&kill.id, env.cx),
            Stage::Done => {}
        }
        if kill.stage == Stage::Stopping
            && env.runtime.container_status(&kill.id).is_none_or(|s| s.state == ContainerState::Exited)
        {
            cancel(env, kill);
            kill.stage = Stage::Done;
        }
    });
}

/// A hook's command has ended; says whether it was one of these.
pub(crate) fn finish_exec(env: &mut Env<'_, '_>, w: &mut PodWorker, token: ExecToken) -> bool {
    let Some(index) = w.kills.iter().position(|k| k.token == Some(token)) else { return false };
    with_kill(env, w, index, |env, w, kill| {
        kill.token = None;
        let outcome = env.runtime.exec_result(token);
        if outcome.is_none_or(|o| o.exit_code != 0) {
            failed_pre_stop(env, w, &kill.name);
        }
        if kill.stage == Stage::PreStop {
            cancel(env, kill);
            after_pre_stop(env, w, kill);
        }
    });
    true
}

/// A container has ended.
pub(crate) fn on_exit(env: &mut Env<'_, '_>, w: &mut PodWorker, id: &ContainerId) {
    let Some(index) = w.kills.iter().position(|k| k.id == *id && k.stage == Stage::Stopping) else { return };
    with_kill(env, w, index, |env, _, kill| {
        cancel(env, kill);
        kill.stage = Stage::Done;
    });
}

/// Which containers have to end before the container of a name is told to.
///
/// Sidecars wait for the pod's own containers and for the sidecars after them; the others for nobody.
pub(crate) fn turn_of(spec: &PodSpec, name: &str) -> Vec<String> {
    let init = spec.init_containers.as_deref().unwrap_or(&[]);
    let Some(at) = init.iter().position(|c| c.name == name && is_restartable_init_container(c)) else {
        return Vec::new();
    };
    let later = init.iter().skip(at + 1).filter(|c| is_restartable_init_container(c));
    spec.containers.iter().chain(later).map(|c| c.name.clone()).collect()
}
