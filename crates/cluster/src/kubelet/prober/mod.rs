//! Probes: one worker a (pod, container, probe type).
//!
//! Source: pkg/kubelet/prober (v1.37).

mod probe;
mod worker;

pub(crate) use probe::{headers, resolve_port};
pub use worker::ProbeRecord;
pub(crate) use worker::Worker;
pub(crate) use worker::{
    finish_exec, on_result_time, on_tick, on_timeout, on_trigger, plan_trigger, remove_pod, start_all,
};

use super::pod_actions::ProbeResults;
use super::restart_policy::is_restartable_init_container;
use crate::runtime::ContainerId;
use k8s_openapi::api::core::v1::{Container, ContainerStatus, PodSpec, PodStatus};
use podlab_sim::SimTime;

/// What a probe has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProbeResult {
    /// Nothing yet.
    Unknown,
    /// It passed.
    Success,
    /// It did not.
    Failure,
}

/// The three kinds of probes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProbeType {
    /// Restarts a container that hangs.
    Liveness,
    /// Takes a container out of Services while it fails.
    Readiness,
    /// Holds the other two back until a slow start is over.
    Startup,
}

impl ProbeType {
    /// As events have it.
    pub fn title(self) -> &'static str {
        match self {
            ProbeType::Liveness => "Liveness",
            ProbeType::Readiness => "Readiness",
            ProbeType::Startup => "Startup",
        }
    }

    /// As fields have it.
    pub fn name(self) -> &'static str {
        match self {
            ProbeType::Liveness => "liveness",
            ProbeType::Readiness => "readiness",
            ProbeType::Startup => "startup",
        }
    }
}

/// The probe workers of a pod.
#[derive(Clone, Debug, Default)]
pub(crate) struct Manager {
    pub workers: Vec<Worker>,
    /// Readiness workers that have to probe at once.
    pub triggers: Vec<usize>,
    /// Whether the workers were made.
    pub added: bool,
}

impl Manager {
    /// Makes the workers of all containers that have probes; where they exist already nothing happens.
    pub(crate) fn add_pod(&mut self, spec: &PodSpec, now: SimTime) -> bool {
        if self.added {
            return false;
        }
        self.added = true;
        let init = spec.init_containers.iter().flatten().filter(|c| is_restartable_init_container(c));
        let own = spec.containers.iter().map(|c| (c, false));
        for (container, is_init) in own.chain(init.map(|c| (c, true))) {
            for (kind, probe) in [
                (ProbeType::Startup, &container.startup_probe),
                (ProbeType::Readiness, &container.readiness_probe),
                (ProbeType::Liveness, &container.liveness_probe),
            ] {
                if let Some(probe) = probe {
                    self.workers.push(Worker::new(kind, container, is_init, probe, now));
                }
            }
        }
        true
    }

    /// After a restart of the kubelet: containers that were ready or started are taken to be so still, and
    /// each worker's clock begins at a random part of its period.
    ///
    /// Source: pkg/kubelet/prober/worker.go `run` (v1.37); README of the kubelet timelines: containers that ran
    /// on keep Ready.
    pub(crate) fn take_over(&mut self, status: &PodStatus, mut part: impl FnMut() -> f64) {
        let all = status.container_statuses.iter().chain(&status.init_container_statuses).flatten();
        for s in all {
            let id = s.container_id.as_deref().and_then(|i| i.strip_prefix("containerd://"));
            let Some(id) = id else { continue };
            for worker in self.workers.iter_mut().filter(|w| *w.container == *s.name) {
                let passed = match worker.kind {
                    ProbeType::Readiness => s.ready,
                    ProbeType::Startup => s.started == Some(true),
                    ProbeType::Liveness => true,
                };
                if passed {
                    worker.container_id = Some(id.into());
                    worker.result = Some(ProbeResult::Success);
                }
            }
        }
        for worker in &mut self.workers {
            worker.delay(part());
        }
    }

    fn worker(&self, container: &str, kind: ProbeType) -> Option<usize> {
        self.workers.iter().position(|w| w.kind == kind && &*w.container == container && !w.stopped)
    }

    fn result(&self, id: &str, kind: ProbeType) -> Option<ProbeResult> {
        self.workers
            .iter()
            .find(|w| w.kind == kind && w.container_id.as_deref() == Some(id))
            .and_then(|w| w.result)
    }

    /// Fills in `started` and `ready`.
    ///
    /// Source: pkg/kubelet/prober/prober_manager.go `UpdatePodStatus` (v1.37).
    pub(crate) fn update_pod_status(&mut self, spec: &PodSpec, status: &mut PodStatus) {
        for s in status.container_statuses.iter_mut().flatten() {
            self.update_container(s);
        }
        let init: &[Container] = spec.init_containers.as_deref().unwrap_or(&[]);
        for s in status.init_container_statuses.iter_mut().flatten() {
            let restartable =
                init.iter().find(|c| c.name == s.name).is_some_and(is_restartable_init_container);
            if restartable {
                self.update_container(s);
                continue;
            }
            s.started = Some(s.state.as_ref().is_some_and(|s| s.running.is_some()));
            let done = s.state.as_ref().and_then(|s| s.terminated.as_ref()).is_some_and(|t| t.exit_code == 0);
            s.ready = done;
        }
        for s in status.ephemeral_container_statuses.iter_mut().flatten() {
            s.ready = false;
        }
    }

    fn update_container(&mut self, s: &mut ContainerStatus) {
        let running = s.state.as_ref().is_some_and(|s| s.running.is_some());
        let id = s.container_id.as_deref().and_then(|i| i.strip_prefix("containerd://")).unwrap_or("");
        let started = running
            && match self.result(id, ProbeType::Startup) {
                Some(result) => result == ProbeResult::Success,
                None => s.started == Some(true) || self.worker(&s.name, ProbeType::Startup).is_none(),
            };
        s.started = Some(started);
        s.ready = false;
        if !started {
            return;
        }
        if self.result(id, ProbeType::Readiness) == Some(ProbeResult::Success) {
            s.ready = true;
            return;
        }
        match self.worker(&s.name, ProbeType::Readiness) {
            None => s.ready = true,
            Some(index) => {
                if !self.triggers.contains(&index) {
                    self.triggers.push(index);
                }
            }
        }
    }

    /// Liveness and startup probes end when termination begins.
    pub(crate) fn stop_liveness_and_startup(&mut self) {
        for worker in &mut self.workers {
            if worker.kind != ProbeType::Readiness {
                worker.stopped = true;
            }
        }
    }
}

impl ProbeResults for Manager {
    fn liveness(&self, id: &ContainerId) -> Option<ProbeResult> {
        self.result(id, ProbeType::Liveness)
    }

    fn startup(&self, id: &ContainerId) -> Option<ProbeResult> {
        self.result(id, ProbeType::Startup)
    }
}
