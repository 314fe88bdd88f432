//! A probe worker.
//!
//! Source: pkg/kubelet/prober/worker.go `doProbe` (v1.37).

use super::probe::Ask;
use super::{ProbeResult, ProbeType};
use crate::kubelet::KubeletEvent;
use crate::kubelet::pod_cache::Snapshot;
use crate::kubelet::pod_worker::{Env, PodWorker, WorkType};
use crate::kubelet::restart_policy::{container_should_restart, should_all_containers_restart};
use crate::kubelet::status_manager;
use crate::latency;
use crate::recorder::{EventType, InvolvedObject};
use crate::runtime::{ContainerId, ExecState, ExecToken};
use k8s_openapi::api::core::v1::{Container, PodStatus, Probe};
use podlab_api::Object;
use podlab_api::duration::go_duration;
use podlab_shell::Health;
use podlab_sim::{SimDuration, SimTime, Slot};
use std::collections::VecDeque;
use std::sync::Arc;

/// How many results are kept to be looked at.
const HISTORY: usize = 20;

/// One result, for people.
#[derive(Clone, Debug, PartialEq)]
pub struct ProbeRecord {
    /// When it came.
    pub at: SimTime,
    /// Whether it passed.
    pub passed: bool,
    /// What the probe said, empty where it passed.
    pub text: Arc<str>,
}

/// A question that has not been answered yet.
#[derive(Clone, Debug)]
struct Pending {
    token: Option<ExecToken>,
    timeout: Option<Slot>,
    /// The answer that is on its way.
    answer: Option<Answer>,
}

#[derive(Clone, Debug)]
enum Answer {
    Passed,
    Failed(String),
    Errored(String),
}

/// All that says whether a probe asks, but for the time: a container that has run long enough stays so.
#[derive(Clone, Debug)]
struct Asked {
    pod: Arc<Object>,
    status: Arc<PodStatus>,
    cache: Snapshot,
}

impl Asked {
    fn of(w: &PodWorker) -> Asked {
        Asked { pod: w.pod.clone(), status: w.status.clone(), cache: w.cache.clone() }
    }

    fn is_of(&self, pod: &Arc<Object>, status: &Arc<PodStatus>, cache: &Snapshot) -> bool {
        Arc::ptr_eq(&self.pod, pod) && Arc::ptr_eq(&self.status, status) && Arc::ptr_eq(&self.cache, cache)
    }
}

/// One worker.
#[derive(Clone, Debug)]
pub(crate) struct Worker {
    pub kind: ProbeType,
    pub container: Arc<str>,
    is_init: bool,
    timeout: SimDuration,
    /// Seconds.
    initial_delay: u64,
    failure_threshold: i32,
    success_threshold: i32,
    ask: Ask,
    pub container_id: Option<ContainerId>,
    /// What the results manager holds for the container.
    pub result: Option<ProbeResult>,
    last_result: ProbeResult,
    result_run: i32,
    on_hold: bool,
    pub stopped: bool,
    /// Ticks count from here.
    origin: SimTime,
    period: SimDuration,
    /// The next tick.
    pub tick: Option<Slot>,
    pending: Option<Pending>,
    /// A tick or trigger came while a question was open.
    again: bool,
    /// A trigger is on its way.
    triggered: bool,
    /// What was true when it last asked: while these are the same, the next tick need not look before it asks.
    asked: Option<Asked>,
    pub history: VecDeque<ProbeRecord>,
}

impl Worker {
    pub(super) fn new(
        kind: ProbeType,
        container: &Container,
        is_init: bool,
        probe: &Probe,
        now: SimTime,
    ) -> Worker {
        let seconds =
            |given: Option<i32>, default| given.map_or(default, |s| u64::try_from(s).unwrap_or(default));
        let period = seconds(probe.period_seconds, 10).max(1);
        Worker {
            kind,
            container: container.name.as_str().into(),
            is_init,
            timeout: SimDuration::from_secs(seconds(probe.timeout_seconds, 1).max(1)),
            initial_delay: seconds(probe.initial_delay_seconds, 0),
            failure_threshold: probe.failure_threshold.unwrap_or(3),
            success_threshold: probe.success_threshold.unwrap_or(1),
            ask: Ask::new(probe, container),
            container_id: None,
            result: None,
            last_result: ProbeResult::Unknown,
            result_run: 0,
            on_hold: false,
            stopped: false,
            origin: now,
            period: SimDuration::from_secs(period),
            tick: None,
            pending: None,
            again: false,
            triggered: false,
            asked: None,
            history: VecDeque::new(),
        }
    }

    /// Puts the clock's beginning off by a part of the period.
    pub(super) fn delay(&mut self, part: f64) {
        self.origin += self.period.mul_f64(part.clamp(0.0, 1.0));
    }

    /// When it probes next.
    pub(crate) fn next_at(&self) -> Option<SimTime> {
        self.tick.map(|slot| slot.at)
    }

    fn initial_value(&self) -> ProbeResult {
        match self.kind {
            ProbeType::Readiness => ProbeResult::Failure,
            ProbeType::Liveness => ProbeResult::Success,
            ProbeType::Startup => ProbeResult::Unknown,
        }
    }
}

/// Plans the first tick of every worker; each also looks once at once.
pub(crate) fn start_all(env: &mut Env<'_, '_>, w: &mut PodWorker) {
    for index in 0..w.probes.workers.len() {
        plan_tick(env, w, index);
    }
}

fn plan_tick(env: &mut Env<'_, '_>, w: &mut PodWorker, index: usize) {
    let now = env.cx.now();
    let Some(worker) = w.probes.workers.get_mut(index) else { return };
    let at = (now + SimDuration::from_nanos(1)).next_tick(worker.origin, worker.period);
    let event = KubeletEvent::Probe { pod: env.ix, worker: index as u16 };
    worker.tick = Some(env.cx.at(at, event.into()));
}

/// A tick of the worker's clock.
pub(crate) fn on_tick(env: &mut Env<'_, '_>, w: &mut PodWorker, index: usize) {
    let Some(worker) = w.probes.workers.get_mut(index) else { return };
    worker.tick = None;
    if worker.stopped {
        return;
    }
    plan_tick(env, w, index);
    do_probe(env, w, index);
}

/// Somebody wants to know now: the worker wakes up a moment later.
pub(crate) fn plan_trigger(env: &mut Env<'_, '_>, w: &mut PodWorker, index: usize) {
    let Some(worker) = w.probes.workers.get_mut(index) else { return };
    if worker.stopped || worker.triggered {
        return;
    }
    worker.triggered = true;
    let event = KubeletEvent::ProbeTrigger { pod: env.ix, worker: index as u16 };
    env.cx.after(latency::PROBE_TRIGGER, event.into());
}

/// The moment has come.
pub(crate) fn on_trigger(env: &mut Env<'_, '_>, w: &mut PodWorker, index: usize) {
    let Some(worker) = w.probes.workers.get_mut(index) else { return };
    worker.triggered = false;
    if worker.stopped {
        return;
    }
    // From now on the clock ticks from here: the period counts from the latest probe that somebody asked for.
    worker.origin = env.cx.now();
    if let Some(slot) = worker.tick.take() {
        env.cx.agenda.cancel(slot);
    }
    plan_tick(env, w, index);
    do_probe(env, w, index);
}

fn stop(env: &mut Env<'_, '_>, w: &mut PodWorker, index: usize) {
    let Some(worker) = w.probes.workers.get_mut(index) else { return };
    worker.stopped = true;
    if let Some(slot) = worker.tick.take() {
        env.cx.agenda.cancel(slot);
    }
}

fn do_probe(env: &mut Env<'_, '_>, w: &mut PodWorker, index: usize) {
    let now = env.cx.now();
    let Some(worker) = w.probes.workers.get_mut(index) else { return };
    if worker.stopped {
        return;
    }
    if worker.pending.is_some() {
        worker.again = true;
        return;
    }
    if !worker.on_hold && worker.asked.as_ref().is_some_and(|asked| asked.is_of(&w.pod, &w.status, &w.cache))
    {
        return run_probe(env, w, index);
    }
    // The worker ends with its pod.
    if matches!(w.status.phase.as_deref(), Some("Failed" | "Succeeded")) {
        stop(env, w, index);
        return;
    }
    let name = &*worker.container;
    let find = |list: &Option<Vec<k8s_openapi::api::core::v1::ContainerStatus>>| {
        list.iter().flatten().position(|s| s.name == name && s.container_id.is_some())
    };
    let list = if worker.is_init { &w.status.init_container_statuses } else { &w.status.container_statuses };
    // Either the container has not been created yet, or it was removed.
    let Some(status) = find(list).and_then(|i| list.as_ref()?.get(i)) else { return };
    let id = status.container_id.as_deref().and_then(|i| i.strip_prefix("containerd://")).unwrap_or("");
    let mut fresh = false;
    if worker.container_id.as_deref() != Some(id) {
        worker.container_id = Some(id.into());
        worker.result = Some(worker.initial_value());
        worker.on_hold = false;
        fresh = true;
    }
    let running = status.state.as_ref().and_then(|s| s.running.as_ref()).is_some();
    let ended = status.state.as_ref().and_then(|s| s.terminated.as_ref()).map(|t| t.exit_code);
    let started = status.started == Some(true);
    if fresh {
        let result = worker.initial_value();
        publish(env, w, index, result);
    }
    let Some(worker) = w.probes.workers.get_mut(index) else { return };
    if worker.on_hold {
        return;
    }
    if !running {
        let gives_up = ended.is_some_and(|code| {
            let Some(spec) = w.pod.pod_spec() else { return false };
            let found = crate::kubelet::kill::find_container(spec, &worker.container);
            found.is_some_and(|(container, _)| !container_should_restart(&container, spec, code))
                && !should_all_containers_restart(spec, &w.cache, Some(&w.status))
        });
        set_result(env, w, index, ProbeResult::Failure);
        if gives_up {
            stop(env, w, index);
        }
        return;
    }
    if w.pod.is_terminating() && worker.kind != ProbeType::Readiness {
        set_result(env, w, index, ProbeResult::Success);
        stop(env, w, index);
        return;
    }
    let began = worker
        .container_id
        .as_ref()
        .and_then(|id| w.cache.containers.iter().find(|c| c.id == *id))
        .and_then(|c| c.started_at)
        .unwrap_or(now);
    // The status knows its start in whole seconds.
    let began = SimTime::from_secs(began.as_secs());
    if now.since(began).as_secs() < worker.initial_delay {
        return;
    }
    // A container that has started is not asked that again; before that it is asked nothing else.
    if started == (worker.kind == ProbeType::Startup) {
        return;
    }
    let asked = Asked::of(w);
    let ip = asked.cache.ip().unwrap_or("");
    let Some(worker) = w.probes.workers.get_mut(index) else { return };
    if let Ask::Http { request, default_host: true, .. } = &mut worker.ask
        && request.host != ip
    {
        ip.clone_into(&mut Arc::make_mut(request).host);
    }
    worker.asked = Some(asked);
    run_probe(env, w, index);
}

fn run_probe(env: &mut Env<'_, '_>, w: &mut PodWorker, index: usize) {
    let Some(worker) = w.probes.workers.get_mut(index) else { return };
    let timeout = worker.timeout;
    let answer = match &mut worker.ask {
        Ask::Error(text) => Answer::Errored(text.clone()),
        Ask::Http { request, known, .. } => match env.runtime.http_get(request, known, env.cx) {
            Ok(answer) => {
                let passed = (200..400).contains(&answer.status);
                if answer.took.is_zero() {
                    if passed {
                        Answer::Passed
                    } else {
                        Answer::Failed(format!("HTTP probe failed with statuscode: {}", answer.status))
                    }
                } else if answer.took < timeout {
                    let took = answer.took;
                    let answer = if passed {
                        Answer::Passed
                    } else {
                        Answer::Failed(format!("HTTP probe failed with statuscode: {}", answer.status))
                    };
                    return wait_for(env, w, index, answer, took);
                } else {
                    let text = format!(
                        "Get \"{}://{}:{}{}\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)",
                        request.scheme, request.host, request.port, request.path
                    );
                    return wait_for(env, w, index, Answer::Failed(text), timeout);
                }
            }
            Err(text) => Answer::Failed(format!(
                "Get \"{}://{}:{}{}\": {text}",
                request.scheme, request.host, request.port, request.path
            )),
        },
        Ask::Tcp { host, port } => {
            let host = host.as_deref().or(w.cache.ip()).unwrap_or("");
            match env.runtime.tcp_connect(host, *port, env.cx) {
                Ok(()) => Answer::Passed,
                Err(text) => Answer::Failed(text),
            }
        }
        Ask::Grpc { port, service } => {
            let host = w.cache.ip().unwrap_or("");
            match env.runtime.grpc_health(host, *port, service, env.cx) {
                Some(health) => grpc_answer(health),
                // The client tries again until its time is over, whatever the reason.
                None => {
                    let within = go_duration(i64::try_from(timeout.as_nanos()).unwrap_or(i64::MAX));
                    let text = format!(
                        "timeout: failed to connect service \"{host}:{port}\" within {within}: context deadline exceeded"
                    );
                    return wait_for(env, w, index, Answer::Failed(text), timeout);
                }
            }
        }
        Ask::Exec(command) => {
            let command = command.clone();
            let Some(id) = worker.container_id.clone() else { return };
            match env.runtime.exec_sync(&id, &command, env.cx) {
                ExecState::Done(outcome) => exec_answer(outcome.exit_code, &outcome.output),
                ExecState::Failed(text) => {
                    w.draws += 1;
                    let exec = env.cx.draw("exec", &w.uid, w.draws).hex(64);
                    Answer::Errored(format!(
                        "rpc error: code = Unknown desc = failed to exec in container: failed to start exec {exec:?}: {text}"
                    ))
                }
                ExecState::Running(token) => {
                    let event = KubeletEvent::ProbeTimeout { pod: env.ix, worker: index as u16 };
                    let slot = env.cx.after(timeout, event.into());
                    if let Some(worker) = w.probes.workers.get_mut(index) {
                        worker.pending =
                            Some(Pending { token: Some(token), timeout: Some(slot), answer: None });
                    }
                    return;
                }
            }
        }
    };
    answered(env, w, index, answer);
}

fn wait_for(env: &mut Env<'_, '_>, w: &mut PodWorker, index: usize, answer: Answer, after: SimDuration) {
    let event = KubeletEvent::ProbeAnswer { pod: env.ix, worker: index as u16 };
    let slot = env.cx.after(after, event.into());
    if let Some(worker) = w.probes.workers.get_mut(index) {
        worker.pending = Some(Pending { token: None, timeout: Some(slot), answer: Some(answer) });
    }
}

/// Source: pkg/probe/grpc/grpc.go `Probe` (v1.37).
fn grpc_answer(health: Health) -> Answer {
    match health {
        Health::Serving => Answer::Passed,
        Health::NotServing => Answer::Failed("service unhealthy (responded with \"NOT_SERVING\")".to_owned()),
        Health::Refused { code: "Unimplemented", message } => Answer::Failed(format!(
            "error: this server does not implement the grpc health protocol (grpc.health.v1.Health): {message}"
        )),
        Health::Refused { code, message } => Answer::Failed(format!(
            "error: health rpc probe failed: rpc error: code = {code} desc = {message}"
        )),
    }
}

fn exec_answer(exit_code: i32, output: &[u8]) -> Answer {
    if exit_code == 0 { Answer::Passed } else { Answer::Failed(String::from_utf8_lossy(output).into_owned()) }
}

/// An answer that took its time is there.
pub(crate) fn on_result_time(env: &mut Env<'_, '_>, w: &mut PodWorker, index: usize) {
    let Some(worker) = w.probes.workers.get_mut(index) else { return };
    if let Some(answer) = worker.pending.take().and_then(|p| p.answer) {
        answered(env, w, index, answer);
    }
}

/// A command took too long.
pub(crate) fn on_timeout(env: &mut Env<'_, '_>, w: &mut PodWorker, index: usize) {
    let Some(worker) = w.probes.workers.get_mut(index) else { return };
    let Some(pending) = worker.pending.take() else { return };
    if let Some(token) = pending.token {
        env.runtime.exec_forget(token);
    }
    let command = match &worker.ask {
        Ask::Exec(command) => command.join(" "),
        _ => String::new(),
    };
    let text = format!("command timed out: {command:?} timed out after {}s", worker.timeout.as_secs());
    answered(env, w, index, Answer::Failed(text));
}

/// A command has ended; says whether it was one of these workers'.
pub(crate) fn finish_exec(env: &mut Env<'_, '_>, w: &mut PodWorker, token: ExecToken) -> bool {
    let waits = |p: &Worker| p.pending.as_ref().is_some_and(|p| p.token == Some(token));
    let Some(index) = w.probes.workers.iter().position(waits) else { return false };
    let pending = w.probes.workers.get_mut(index).and_then(|p| p.pending.take());
    if let Some(slot) = pending.and_then(|p| p.timeout) {
        env.cx.agenda.cancel(slot);
    }
    if let Some(outcome) = env.runtime.exec_result(token) {
        answered(env, w, index, exec_answer(outcome.exit_code, &outcome.output));
    }
    true
}

fn answered(env: &mut Env<'_, '_>, w: &mut PodWorker, index: usize, answer: Answer) {
    let now = env.cx.now();
    let Some(worker) = w.probes.workers.get_mut(index) else { return };
    if worker.stopped {
        return;
    }
    let title = worker.kind.title();
    let (result, text) = match answer {
        Answer::Passed => (Some(ProbeResult::Success), None),
        Answer::Failed(text) => (Some(ProbeResult::Failure), Some(format!("{title} probe failed: {text}"))),
        Answer::Errored(text) => {
            (None, Some(format!("{title} probe errored and resulted in unknown state: {text}")))
        }
    };
    if worker.history.len() >= HISTORY {
        worker.history.pop_front();
    }
    let said: Arc<str> = match &text {
        Some(text) => text.as_str().into(),
        None => empty_text(&worker.history),
    };
    worker.history.push_back(ProbeRecord {
        at: now,
        passed: result == Some(ProbeResult::Success),
        text: said,
    });
    let again = std::mem::take(&mut worker.again);
    if let Some(text) = text {
        let path = if worker.is_init { "initContainers" } else { "containers" };
        let about = InvolvedObject::part(&w.pod, format!("spec.{path}{{{}}}", worker.container));
        env.node.recorder.event(env.cx.api, &about, EventType::Warning, "Unhealthy", &text);
    }
    if let Some(result) = result {
        let Some(worker) = w.probes.workers.get_mut(index) else { return };
        if worker.last_result == result {
            worker.result_run = worker.result_run.saturating_add(1);
        } else {
            worker.last_result = result;
            worker.result_run = 1;
        }
        let below = match result {
            ProbeResult::Failure => worker.result_run < worker.failure_threshold,
            _ => worker.result_run < worker.success_threshold,
        };
        if !below {
            set_result(env, w, index, result);
            let Some(worker) = w.probes.workers.get_mut(index) else { return };
            if worker.kind != ProbeType::Readiness && result == ProbeResult::Failure {
                // It will be restarted: no more questions until there is a new container.
                worker.on_hold = true;
                worker.result_run = 0;
            }
        }
    }
    if again {
        do_probe(env, w, index);
    }
}

/// All passed results share one empty text.
fn empty_text(history: &VecDeque<ProbeRecord>) -> Arc<str> {
    match history.back() {
        Some(last) if last.text.is_empty() => last.text.clone(),
        _ => "".into(),
    }
}

fn set_result(env: &mut Env<'_, '_>, w: &mut PodWorker, index: usize, result: ProbeResult) {
    let Some(worker) = w.probes.workers.get_mut(index) else { return };
    if worker.result == Some(result) {
        return;
    }
    worker.result = Some(result);
    publish(env, w, index, result);
}

/// Tells the kubelet's loop about a result that changed.
///
/// Source: pkg/kubelet/kubelet.go `syncLoopIteration`, `handleProbeSync` (v1.37).
fn publish(env: &mut Env<'_, '_>, w: &mut PodWorker, index: usize, result: ProbeResult) {
    w.quiet = None;
    let Some(worker) = w.probes.workers.get(index) else { return };
    let Some(id) = worker.container_id.clone() else { return };
    match worker.kind {
        ProbeType::Liveness => {
            if result == ProbeResult::Failure {
                // How long the kubelet's loop takes is chance: whether the kill after comes before a back-off's end hangs on it.
                w.draws += 1;
                let part = env.cx.draw("liveness", &w.uid, w.draws).unit();
                env.cx
                    .after(latency::UNHEALTHY.mul_f64(part), KubeletEvent::Unhealthy { pod: env.ix }.into());
            }
            return;
        }
        ProbeType::Readiness => {
            status_manager::set_container_readiness(env, w, &id, result == ProbeResult::Success);
        }
        ProbeType::Startup => {
            status_manager::set_container_startup(env, w, &id, result == ProbeResult::Success);
        }
    }
    if w.work == WorkType::Sync {
        w.wants_sync = true;
    }
}

/// Takes all workers away.
pub(crate) fn remove_pod(env: &mut Env<'_, '_>, w: &mut PodWorker) {
    for worker in &mut w.probes.workers {
        worker.stopped = true;
        if let Some(slot) = worker.tick.take() {
            env.cx.agenda.cancel(slot);
        }
        if let Some(pending) = worker.pending.take() {
            if let Some(slot) = pending.timeout {
                env.cx.agenda.cancel(slot);
            }
            if let Some(token) = pending.token {
                env.runtime.exec_forget(token);
            }
        }
    }
}
