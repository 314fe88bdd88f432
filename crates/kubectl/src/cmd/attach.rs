//! `kubectl attach`, and what `kubectl run -i` does after it made the pod.
//!
//! Source: k8s.io/kubectl/pkg/cmd/attach/attach.go, run/run.go (v1.37).

use super::exec::{self, Running};
use super::pods;
use crate::cx::{Cx, Flow};
use crate::error::{Error, Result, message};
use crate::flags::Parsed;
use crate::invocation::{Step, Task, Wait};
use crate::resource::Builder;
use crate::value::{at, int, list, text};
use podlab_api::door::{ExecOptions, LogOptions, ResponseBody, Verb};
use podlab_api::{Request, kinds};
use serde_json::Value;

const RECORDED: &str = "All commands and output from this session will be recorded in container logs, including credentials and sensitive information passed through the command prompt.";
const PROMPT: &str = "If you don't see a command prompt, try pressing enter.";

pub(crate) fn run(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    if parsed.args.is_empty() {
        return message("at least 1 argument is required for attach");
    }
    if parsed.args.len() > 2 {
        return message(format!(
            "expected POD, TYPE/NAME, or TYPE NAME, (at most 2 arguments) saw {}: [{}]",
            parsed.args.len(),
            parsed.args.join(" ")
        ));
    }
    let args = match parsed.args.as_slice() {
        [one] if !one.contains('/') => vec!["pods".to_owned(), one.clone()],
        other => other.to_vec(),
    };
    let found = Builder::new(cx, parsed).args(&args).fetch_typed(cx)?;
    let Some(first) = found.items.into_iter().next() else {
        return message("at least 1 argument is required for attach");
    };
    let info = first?;
    let Some(pod) = pods::of(cx, &info)?.into_iter().next() else {
        return message("timed out waiting for the condition");
    };
    let phase = text(&pod, &["status", "phase"]);
    if phase == "Succeeded" || phase == "Failed" {
        return message(format!("cannot attach a container in a completed pod; current phase is {phase}"));
    }
    let running =
        attach(cx, &pod, parsed, parsed.str("container"), parsed.bool("stdin"), parsed.bool("tty"))?;
    Ok(Flow::Wait(Task::Exec(running)))
}

fn attach(
    cx: &mut Cx<'_>,
    pod: &Value,
    parsed: &Parsed,
    wanted: &str,
    stdin: bool,
    tty: bool,
) -> Result<Running> {
    let container = match pods::container(cx, pod, wanted, parsed.bool("quiet")) {
        Ok(container) => container,
        Err(error) => return message(format!("cannot attach to the container: {}", error.text())),
    };
    let has_tty = at(&container, &["tty"]).as_bool() == Some(true);
    if tty && !has_tty && !parsed.bool("quiet") {
        cx.errln(&format!(
            "error: Unable to use a TTY - container {} did not allocate one",
            text(&container, &["name"])
        ));
    }
    let tty = has_tty && cx.io.is_terminal();
    if !parsed.bool("quiet") {
        cx.errln(RECORDED);
        cx.errln(PROMPT);
    }
    let options = ExecOptions {
        container: Some(text(&container, &["name"]).to_owned()),
        command: Vec::new(),
        stdin,
        tty,
    };
    exec::open(cx, pod, "attach", options, false)
}

/// A run whose pod is attached to once it is ready.
#[derive(Clone, Debug)]
pub(crate) struct Attaching {
    namespace: String,
    pod: String,
    /// The one that is attached to; empty for the pod's own choice.
    container: String,
    /// What was said of why it waits.
    told: String,
    stdin: bool,
    tty: bool,
    remove: bool,
    service: bool,
    quiet: bool,
    /// The pod's end is waited for: its exit code is kubectl's.
    ends: bool,
    deadline: Option<k8s_openapi::jiff::Timestamp>,
    parsed: Parsed,
    stage: Stage,
}

#[derive(Clone, Debug)]
enum Stage {
    Starting,
    Attached(Running),
    Logs(podlab_api::door::StreamId),
    Ending,
}

/// Waits for the pod, attaches to it and, where that was asked for, deletes it.
pub(crate) fn after_run(
    cx: &mut Cx<'_>,
    parsed: &Parsed,
    name: &str,
    restart: &str,
    service: bool,
) -> Result<Flow> {
    let timeout = parsed.duration("pod-running-timeout");
    let task = Attaching {
        namespace: cx.namespace.clone(),
        pod: name.to_owned(),
        container: String::new(),
        told: String::new(),
        stdin: parsed.bool("stdin"),
        tty: parsed.bool("tty"),
        remove: parsed.bool("rm"),
        service,
        quiet: parsed.bool("quiet"),
        ends: !parsed.bool("leave-stdin-open") && restart != "Always",
        deadline: super::delete::after(cx.now(), timeout),
        parsed: parsed.clone(),
        stage: Stage::Starting,
    };
    Ok(Flow::Wait(Task::Run(task)))
}

/// Waits for a debugging container and attaches to it.
pub(crate) fn after_debug(cx: &mut Cx<'_>, parsed: &Parsed, pod: &Value, container: &str) -> Result<Flow> {
    let _ = cx;
    let task = Attaching {
        namespace: text(pod, &["metadata", "namespace"]).to_owned(),
        pod: text(pod, &["metadata", "name"]).to_owned(),
        container: container.to_owned(),
        told: String::new(),
        stdin: parsed.bool("stdin"),
        tty: parsed.bool("tty"),
        remove: false,
        service: false,
        quiet: parsed.bool("quiet"),
        ends: false,
        deadline: None,
        parsed: parsed.clone(),
        stage: Stage::Starting,
    };
    Ok(Flow::Wait(Task::Run(task)))
}

impl Attaching {
    /// How far the container is that is waited for: `None` where it waits, else whether it has ended.
    fn container_state(&mut self, cx: &mut Cx<'_>, pod: &Value) -> Option<bool> {
        let fields = ["containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"];
        let status = fields
            .iter()
            .flat_map(|field| list(pod, &["status", field]))
            .find(|status| text(status, &["name"]) == self.container)?;
        let state = at(status, &["state"]);
        if !at(state, &["terminated"]).is_null() || !at(state, &["running"]).is_null() {
            return Some(at(state, &["running"]).is_null());
        }
        let why = text(state, &["waiting", "message"]);
        if !why.is_empty() && why != self.told && !self.quiet {
            cx.errln(&format!("Warning: container {}: {why}", self.container));
            self.told = why.to_owned();
        }
        None
    }

    pub(crate) fn step(&mut self, cx: &mut Cx<'_>) -> Result<Step> {
        match self.advance(cx) {
            Ok(Step::Done(code)) => {
                self.clean(cx);
                Ok(Step::Done(code))
            }
            Ok(step) => Ok(step),
            Err(error) => {
                self.clean(cx);
                Err(error)
            }
        }
    }

    fn clean(&mut self, cx: &mut Cx<'_>) {
        if !self.remove {
            return;
        }
        let service = self.service.then_some(("service", &kinds::SERVICE));
        for (word, kind) in [("pod", &kinds::POD)].into_iter().chain(service) {
            let request = Request::delete(kind, &self.namespace, &self.pod);
            if cx.ask(request).is_ok() && !self.quiet {
                let line = format!("{word} {:?} deleted from {} namespace", self.pod, self.namespace);
                cx.outln(&line);
            }
        }
        self.remove = false;
    }

    fn advance(&mut self, cx: &mut Cx<'_>) -> Result<Step> {
        loop {
            if let Stage::Attached(running) = &mut self.stage {
                match running.pump(cx)? {
                    Some(130) => return Ok(Step::Done(130)),
                    Some(_) => self.stage = Stage::Ending,
                    None => {
                        return Ok(Step::Wait(Wait {
                            change: true,
                            input: true,
                            until: None,
                            ..Wait::default()
                        }));
                    }
                }
                continue;
            }
            if let Stage::Logs(id) = self.stage {
                let chunk = cx.door.stream(id);
                cx.io.stdout(&chunk.stdout);
                if chunk.end.is_some() {
                    self.stage = Stage::Ending;
                    continue;
                }
                return Ok(Step::Wait(Wait { change: true, input: true, until: None, ..Wait::default() }));
            }
            if cx.io.interrupted() {
                return Ok(Step::Done(130));
            }
            let pod = cx.get(&kinds::POD, &self.namespace, &self.pod)?;
            let phase = text(&pod, &["status", "phase"]).to_owned();
            let ended = phase == "Succeeded" || phase == "Failed";
            if matches!(self.stage, Stage::Ending) {
                if !self.ends {
                    return Ok(Step::Done(0));
                }
                match phase.as_str() {
                    "Succeeded" => return Ok(Step::Done(0)),
                    "Failed" => return self.failed(&pod),
                    _ => {}
                }
                return Ok(Step::Wait(Wait {
                    change: true,
                    input: true,
                    until: self.deadline,
                    ..Wait::default()
                }));
            }
            let of_container =
                if self.container.is_empty() { None } else { Some(self.container_state(cx, &pod)) };
            if of_container.map_or(ended, |state| state == Some(true)) {
                self.stage = match logs(cx, &pod, &self.container)? {
                    Some(id) => Stage::Logs(id),
                    None => Stage::Ending,
                };
                continue;
            }
            let ready = list(&pod, &["status", "conditions"])
                .iter()
                .any(|c| text(c, &["type"]) == "Ready" && text(c, &["status"]) == "True");
            if of_container.map_or(phase == "Running" && ready, |state| state == Some(false)) {
                let parsed = self.parsed.clone();
                // What the container said before is shown first.
                if let Ok(Some(id)) = logs(cx, &pod, &self.container) {
                    let chunk = cx.door.stream(id);
                    cx.io.stdout(&chunk.stdout);
                    cx.door.stream_close(id);
                }
                match attach(cx, &pod, &parsed, &self.container, self.stdin, self.tty) {
                    Ok(running) => self.stage = Stage::Attached(running),
                    Err(error) => {
                        cx.errln(&format!(
                            "warning: couldn't attach to pod/{}, falling back to streaming logs: {}",
                            self.pod,
                            error.text()
                        ));
                        self.stage = match logs(cx, &pod, &self.container)? {
                            Some(id) => Stage::Logs(id),
                            None => Stage::Ending,
                        };
                    }
                }
                continue;
            }
            if self.deadline.is_some_and(|d| cx.now() >= d) {
                return message("timed out waiting for the condition");
            }
            return Ok(Step::Wait(Wait {
                change: true,
                input: true,
                until: self.deadline,
                ..Wait::default()
            }));
        }
    }

    fn failed(&self, pod: &Value) -> Result<Step> {
        let end =
            list(pod, &["status", "containerStatuses"]).first().map(|s| at(s, &["state", "terminated"]));
        let code = end.map_or(0, |e| int(e, &["exitCode"]));
        let who = format!("pod {}/{}", self.namespace, self.pod);
        match end {
            Some(end) if code != 0 => {
                let text =
                    format!("{who} terminated ({})\n{}", text(end, &["reason"]), text(end, &["message"]));
                Err(Error::Coded(text, i32::try_from(code).unwrap_or(1)))
            }
            _ => message(format!("{who} failed with unknown exit code")),
        }
    }
}

fn logs(cx: &mut Cx<'_>, pod: &Value, wanted: &str) -> Result<Option<podlab_api::door::StreamId>> {
    let container = pods::container(cx, pod, wanted, true)?;
    let mut request = Request::new(Verb::Get, &kinds::POD)
        .namespace(crate::value::namespace(pod))
        .name(crate::value::name(pod))
        .subresource("log");
    request.options.log =
        LogOptions { container: Some(text(&container, &["name"]).to_owned()), ..LogOptions::default() };
    Ok(match cx.ask(request)? {
        ResponseBody::Stream(id) => Some(id),
        _ => None,
    })
}
