//! Lifecycle hooks.
//!
//! Source: pkg/kubelet/lifecycle/handlers.go (v1.37).

use super::pod_worker::{Env, PodWorker};
use super::prober::{headers, resolve_port};
use crate::runtime::{ContainerId, ExecOutcome, ExecState, ExecToken, HttpGet};
use k8s_openapi::api::core::v1::{Container, LifecycleHandler};
use podlab_sim::{SimDuration, SimTime};
use std::sync::Arc;

/// How a hook goes.
#[derive(Debug)]
pub(crate) enum HookRun {
    /// It is over; the text for the container's status where it failed.
    Done(Result<(), String>),
    /// A command runs.
    Exec(ExecToken),
    /// It sleeps.
    Until(SimTime),
}

/// A list as Go's `%v` prints it.
fn go_list(words: &[String]) -> String {
    format!("[{}]", words.join(" "))
}

/// The text of a command that failed.
pub(crate) fn exec_failure(
    w: &PodWorker,
    container: &Container,
    command: &[String],
    outcome: &ExecOutcome,
) -> String {
    let output = String::from_utf8_lossy(&outcome.output);
    format!(
        "Exec lifecycle hook ({}) for Container {:?} in Pod {:?} failed - error: command '{}' exited with {}: {}, message: {:?}",
        go_list(command),
        container.name,
        w.full_name(),
        command.join(" "),
        outcome.exit_code,
        output,
        output
    )
}

/// Runs a hook.
pub(crate) fn run(
    env: &mut Env<'_, '_>,
    w: &PodWorker,
    id: &ContainerId,
    container: &Container,
    hook: &LifecycleHandler,
) -> HookRun {
    if let Some(exec) = &hook.exec {
        let command = exec.command.clone().unwrap_or_default();
        return match env.runtime.exec_sync(id, &command, env.cx) {
            ExecState::Running(token) => HookRun::Exec(token),
            ExecState::Done(outcome) if outcome.exit_code == 0 => HookRun::Done(Ok(())),
            ExecState::Done(outcome) => HookRun::Done(Err(exec_failure(w, container, &command, &outcome))),
            ExecState::Failed(text) => HookRun::Done(Err(format!(
                "Exec lifecycle hook ({}) for Container {:?} in Pod {:?} failed - error: {text}, message: \"\"",
                go_list(&command),
                container.name,
                w.full_name()
            ))),
        };
    }
    if let Some(http) = &hook.http_get {
        let path = http.path.clone().unwrap_or_default();
        let fail = |text: String| {
            HookRun::Done(Err(format!(
                "HTTP lifecycle hook ({path}) for Container {:?} in Pod {:?} failed - error: {text}",
                container.name,
                w.full_name()
            )))
        };
        let port = match resolve_port(&http.port, container) {
            Ok(port) => port,
            Err(text) => return fail(text),
        };
        let own = http.http_headers.iter().flatten().map(|h| (h.name.as_str(), h.value.as_str()));
        let host = http.host.clone().filter(|h| !h.is_empty());
        let ip = || w.sandboxes.last().and_then(|s| s.ip.clone()).unwrap_or_default();
        let request = Arc::new(HttpGet {
            scheme: http.scheme.as_deref().unwrap_or("HTTP").to_ascii_lowercase(),
            host: host.unwrap_or_else(ip),
            port,
            path: if path.starts_with('/') { path.clone() } else { format!("/{path}") },
            headers: headers(own, "kube-lifecycle/1.37"),
        });
        return match env.runtime.http_get(&request, &mut None, env.cx) {
            Ok(answer) if answer.took.is_zero() => HookRun::Done(Ok(())),
            Ok(answer) => HookRun::Until(env.cx.now() + answer.took),
            Err(text) => fail(format!(
                "Get \"{}://{}:{}{}\": {text}",
                request.scheme, request.host, request.port, request.path
            )),
        };
    }
    if let Some(sleep) = &hook.sleep {
        let seconds = u64::try_from(sleep.seconds).unwrap_or(0);
        return HookRun::Until(env.cx.now() + SimDuration::from_secs(seconds));
    }
    HookRun::Done(Err("Cannot run handler: invalid handler".to_owned()))
}
