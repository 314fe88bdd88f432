//! Pods: readiness, the STATUS rules, restarts.

use super::{AGE, NAME, cells, col, since, wide};
use crate::Object;
use crate::table::Column;
use k8s_openapi::api::core::v1::{Container, ContainerStatus, PodSpec, PodStatus};
use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

pub(super) static COLUMNS: &[Column] = &[
    NAME,
    col("Ready", "string"),
    col("Status", "string"),
    col("Restarts", "string"),
    AGE,
    wide("IP", "string"),
    wide("Node", "string"),
    wide("Nominated Node", "string"),
    wide("Readiness Gates", "string"),
];

/// What `kubectl get pods` says about a pod.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodCells {
    /// Containers that are ready; started sidecars count.
    pub ready: usize,
    /// Containers in all; sidecars count.
    pub total: usize,
    /// The STATUS column.
    pub status: String,
    /// How often containers were restarted.
    pub restarts: i64,
    /// When the last restarted container ended.
    pub last_restart: Option<Timestamp>,
}

fn is_sidecar(containers: &[Container], name: &str) -> bool {
    containers.iter().any(|c| c.name == name && c.restart_policy.as_deref() == Some("Always"))
}

fn has_condition(status: &PodStatus, type_: &str) -> bool {
    status.conditions.iter().flatten().any(|c| c.type_ == type_ && c.status == "True")
}

fn last_end(status: &ContainerStatus) -> Option<Timestamp> {
    status.last_state.as_ref()?.terminated.as_ref()?.finished_at.as_ref().map(|t| t.0)
}

/// Reads the cells from a pod.
///
/// Source: pkg/printers/internalversion/printers.go printPod (v1.37).
pub fn pod_cells(object: &Object) -> PodCells {
    let (Some(spec), Some(status)) = (object.pod_spec(), object.pod_status()) else {
        return PodCells::default();
    };
    cells_of(object, spec, status)
}

fn cells_of(object: &Object, spec: &PodSpec, status: &PodStatus) -> PodCells {
    let init = spec.init_containers.as_deref().unwrap_or(&[]);
    let sidecars = init.iter().filter(|c| c.restart_policy.as_deref() == Some("Always")).count();
    let mut out = PodCells { total: spec.containers.len() + sidecars, ..PodCells::default() };
    let phase = status.phase.as_deref().unwrap_or("");
    let mut reason = match status.reason.as_deref() {
        Some(r) if !r.is_empty() => r.to_owned(),
        _ => phase.to_owned(),
    };
    for condition in status.conditions.iter().flatten() {
        if condition.type_ == "PodScheduled" && condition.reason.as_deref() == Some("SchedulingGated") {
            reason = "SchedulingGated".to_owned();
        }
    }
    let (mut sidecar_restarts, mut sidecar_last) = (0, None);
    let mut initializing = false;
    for (i, container) in status.init_container_statuses.iter().flatten().enumerate() {
        let sidecar = is_sidecar(init, &container.name);
        out.restarts += i64::from(container.restart_count);
        out.last_restart = out.last_restart.max(last_end(container));
        if sidecar {
            sidecar_restarts += i64::from(container.restart_count);
            sidecar_last = sidecar_last.max(last_end(container));
        }
        let state = container.state.as_ref();
        let terminated = state.and_then(|s| s.terminated.as_ref());
        if terminated.is_some_and(|t| t.exit_code == 0) {
            continue;
        }
        if sidecar && container.started == Some(true) {
            out.ready += usize::from(container.ready);
            continue;
        }
        let waiting = state.and_then(|s| s.waiting.as_ref()).and_then(|w| w.reason.as_deref()).unwrap_or("");
        reason = if let Some(end) = terminated {
            match (end.reason.as_deref().unwrap_or(""), end.signal.unwrap_or(0)) {
                ("", 0) => format!("Init:ExitCode:{}", end.exit_code),
                ("", signal) => format!("Init:Signal:{signal}"),
                (text, _) => format!("Init:{text}"),
            }
        } else if !waiting.is_empty() && waiting != "PodInitializing" {
            format!("Init:{waiting}")
        } else {
            format!("Init:{i}/{}", init.len())
        };
        initializing = true;
        break;
    }
    if !initializing || has_condition(status, "Initialized") {
        out.restarts = sidecar_restarts;
        out.last_restart = sidecar_last;
        let mut has_running = false;
        // Of several ended containers a failed one is named. Source: recording kubelet.jsonl multi-….
        let mut has_failed = false;
        for container in status.container_statuses.iter().flatten().rev() {
            out.restarts += i64::from(container.restart_count);
            out.last_restart = out.last_restart.max(last_end(container));
            let Some(state) = container.state.as_ref() else { continue };
            let waiting = state.waiting.as_ref().and_then(|w| w.reason.as_deref()).unwrap_or("");
            if !waiting.is_empty() {
                reason = waiting.to_owned();
            } else if let Some(end) = &state.terminated {
                if end.exit_code == 0 && has_failed {
                    continue;
                }
                has_failed |= end.exit_code != 0;
                reason = match (end.reason.as_deref().unwrap_or(""), end.signal.unwrap_or(0)) {
                    ("", 0) => format!("ExitCode:{}", end.exit_code),
                    ("", signal) => format!("Signal:{signal}"),
                    (text, _) => text.to_owned(),
                };
            } else if container.ready && state.running.is_some() {
                has_running = true;
                out.ready += 1;
            }
        }
        if reason == "Completed" && has_running {
            reason = if has_condition(status, "Ready") { "Running" } else { "NotReady" }.to_owned();
        }
    }
    if object.is_terminating() {
        if status.reason.as_deref() == Some("NodeLost") {
            reason = "Unknown".to_owned();
        } else if phase != "Succeeded" && phase != "Failed" {
            reason = "Terminating".to_owned();
        }
    }
    out.status = reason;
    out
}

pub(super) fn row(object: &Object, now: Timestamp) -> Vec<Value> {
    let (Some(spec), Some(status)) = (object.pod_spec(), object.pod_status()) else {
        return vec![cells::name(object)];
    };
    let of = cells_of(object, spec, status);
    let restarts = match of.last_restart {
        Some(last) if of.restarts != 0 => format!("{} ({} ago)", of.restarts, since(last, now)),
        _ => of.restarts.to_string(),
    };
    let ip = status.pod_ips.iter().flatten().next().map(|p| p.ip.as_str());
    let ip = ip.or(status.pod_ip.as_deref()).unwrap_or("");
    let gates = spec.readiness_gates.as_deref().unwrap_or(&[]);
    let gates = if gates.is_empty() {
        "<none>".to_owned()
    } else {
        let open = gates.iter().filter(|g| has_condition(status, &g.condition_type)).count();
        format!("{open}/{}", gates.len())
    };
    vec![
        cells::name(object),
        format!("{}/{}", of.ready, of.total).into(),
        of.status.into(),
        restarts.into(),
        cells::age(object, now),
        cells::or(ip, "<none>").into(),
        cells::or(object.node_name().unwrap_or(""), "<none>").into(),
        cells::or(status.nominated_node_name.as_deref().unwrap_or(""), "<none>").into(),
        gates.into(),
    ]
}
