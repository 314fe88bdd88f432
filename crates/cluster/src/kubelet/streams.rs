//! Logs, exec, attach.
//!
//! Source: pkg/registry/core/pod/strategy.go `LogLocation`, `streamLocation`, pkg/kubelet/kubelet_pods.go
//! `GetKubeletContainerLogs`, `validateContainerLogStatus`, pkg/kubelet/kuberuntime/logs/logs.go (v1.37).

use super::Kubelets;
use crate::runtime::{ContainerId, ExecToken, Log, LogLine, Runtime};
use crate::world::Cx;
use k8s_openapi::api::core::v1::{ContainerStatus, PodSpec, PodStatus};
use podlab_api::door::{LogOptions, ResponseBody, StreamChunk, StreamEnd, StreamId, StreamInput};
use podlab_api::time::time_nanos;
use podlab_api::{Object, Request, Response, Status, kinds};
use podlab_shell::{Stdin, Stream};
use podlab_sim::{SimDuration, SimTime};
use std::collections::BTreeMap;

/// Open streams.
#[derive(Clone, Debug, Default)]
pub(crate) struct Streams {
    open: BTreeMap<u64, Open>,
    made: u64,
}

#[derive(Clone, Debug)]
enum Open {
    /// A text that is there at once.
    Text(Vec<u8>),
    /// A container's log.
    Log { container: ContainerId, next: u64, follow: bool, timestamps: bool, bytes_left: Option<usize> },
    /// A command.
    Exec(ExecToken),
    /// A container's own streams.
    Attach { container: ContainerId, next: u64 },
}

impl Kubelets {
    fn keep(&mut self, open: Open) -> Response {
        self.streams.made += 1;
        let id = self.streams.made;
        self.streams.open.insert(id, open);
        Response { code: 200, body: ResponseBody::Stream(StreamId(id)), warnings: Vec::new() }
    }

    /// Opens a log, exec, attach or port-forward stream.
    pub fn open_stream(&mut self, request: &Request, runtime: &mut Runtime, cx: &mut Cx<'_>) -> Response {
        self.try_open(request, runtime, cx).unwrap_or_else(Response::status)
    }

    fn try_open(
        &mut self,
        request: &Request,
        runtime: &mut Runtime,
        cx: &mut Cx<'_>,
    ) -> Result<Response, Status> {
        let (namespace, name) = request.place();
        let pod = cx.api.store().get(&kinds::POD, namespace, name).cloned();
        let Some(pod) = pod else { return Err(Status::not_found(&kinds::POD, name)) };
        let empty = PodSpec::default();
        let spec = pod.pod_spec().map_or(&empty, |s| s);
        match request.subresource.as_deref() {
            Some("log") => self.open_log(&pod, spec, &request.options.log, runtime, cx),
            Some("exec") => {
                let options = &request.options.exec;
                let container = self.running_container(&pod, spec, options.container.as_deref(), runtime)?;
                let stdin = match (options.tty, options.stdin) {
                    (true, _) => Stdin::Terminal,
                    (false, true) => Stdin::Pipe,
                    (false, false) => Stdin::Null,
                };
                match runtime.exec_start(&container, &options.command, stdin, cx) {
                    Ok(token) => Ok(self.keep(Open::Exec(token))),
                    Err(text) => {
                        self.streams.made += 1;
                        let id = cx.draw("exec", pod.uid(), self.streams.made).hex(64);
                        Err(Status::internal_error(format!(
                            "Internal error occurred: error executing command in container: failed to exec in container: failed to start exec {id:?}: {text}"
                        )))
                    }
                }
            }
            Some("attach") => {
                let wanted = request.options.exec.container.as_deref();
                let container = self.running_container(&pod, spec, wanted, runtime)?;
                let next = runtime.log(&container).map_or(0, Log::end);
                Ok(self.keep(Open::Attach { container, next }))
            }
            _ => Err(Status::no_such_resource()),
        }
    }

    fn open_log(
        &mut self,
        pod: &Object,
        spec: &PodSpec,
        options: &LogOptions,
        runtime: &Runtime,
        cx: &Cx<'_>,
    ) -> Result<Response, Status> {
        let name = container_name(pod, spec, options.container.as_deref())?;
        let node = pod.node_name().unwrap_or("");
        if node.is_empty() {
            return Ok(self.keep(Open::Text(Vec::new())));
        }
        self.reach(node, cx)?;
        let empty = PodStatus::default();
        let uid_known = self.by_uid.get(pod.uid()).and_then(|ix| self.pods.get(ix));
        let status = match uid_known {
            Some(w) => &*w.status,
            None => pod.pod_status().map_or(&empty, |s| s),
        };
        let id = log_container(status, pod.name(), &name, options.previous).map_err(Status::bad_request)?;
        let id: ContainerId = id.strip_prefix("containerd://").unwrap_or(&id).into();
        let Some(log) = runtime.log(&id) else {
            let text = format!("unable to retrieve container logs for containerd://{id}");
            return Ok(self.keep(Open::Text(text.into_bytes())));
        };
        let since = since(options, cx.now())?;
        let kept = log.lines().filter(|l| since.is_none_or(|s| l.at >= s)).count();
        let wanted = options.tail_lines.and_then(|n| usize::try_from(n).ok()).unwrap_or(usize::MAX);
        let next = log.end().saturating_sub(kept.min(wanted) as u64);
        Ok(self.keep(Open::Log {
            container: id,
            next,
            follow: options.follow,
            timestamps: options.timestamps,
            bytes_left: options.limit_bytes.and_then(|n| usize::try_from(n).ok()),
        }))
    }

    /// A node whose kubelet does not run answers nothing.
    fn reach(&self, node: &str, cx: &Cx<'_>) -> Result<(), Status> {
        let kubelet = self.node_index.get(node).and_then(|i| self.nodes.get(*i));
        match kubelet {
            Some(kubelet) if kubelet.running => Ok(()),
            Some(kubelet) => Err(Status::internal_error(format!(
                "Get \"https://{}:10250/\": dial tcp {}:10250: connect: connection refused",
                kubelet.ip, kubelet.ip
            ))),
            None if cx.api.store().get(&kinds::NODE, "", node).is_some() => Ok(()),
            // The API server says so of the pod whose node it does not find.
            None => Err(Status::not_found(&kinds::POD, node)),
        }
    }

    fn running_container(
        &self,
        pod: &Object,
        spec: &PodSpec,
        wanted: Option<&str>,
        runtime: &Runtime,
    ) -> Result<ContainerId, Status> {
        let name = container_name(pod, spec, wanted)?;
        let phase = pod.pod_status().and_then(|s| s.phase.as_deref()).unwrap_or("");
        if matches!(phase, "Succeeded" | "Failed") {
            return Err(Status::bad_request(format!(
                "cannot exec into a container in a completed pod; current phase is {phase}"
            )));
        }
        if pod.node_name().is_none() {
            return Err(Status::bad_request(format!("pod {} does not have a host assigned", pod.name())));
        }
        let w = self.by_uid.get(pod.uid()).and_then(|ix| self.pods.get(ix));
        let found = w.into_iter().flat_map(|w| w.containers.iter().rev()).find(|id| {
            runtime.is_running(id) && runtime.container_status(id).is_some_and(|s| s.name == name)
        });
        found.cloned().ok_or_else(|| {
            Status::unknown(format!("unable to upgrade connection: container not found ({name:?})"))
        })
    }

    /// What a stream has brought since it was last read.
    pub fn read_stream(&mut self, id: StreamId, runtime: &mut Runtime, cx: &mut Cx<'_>) -> StreamChunk {
        let _ = &cx;
        let mut chunk = StreamChunk::default();
        let Some(open) = self.streams.open.get_mut(&id.0) else {
            chunk.end = Some(StreamEnd::Exit(0));
            return chunk;
        };
        match open {
            Open::Text(text) => {
                chunk.stdout = std::mem::take(text);
                chunk.end = Some(StreamEnd::Exit(0));
            }
            Open::Log { container, next, follow, timestamps, bytes_left } => {
                let running = runtime.is_running(container);
                match runtime.log(container) {
                    Some(log) => {
                        for line in log.since(*next) {
                            // A line that may still grow is not in the file yet.
                            if running && line.is_open() {
                                if *follow {
                                    break;
                                }
                                continue;
                            }
                            append(&mut chunk.stdout, line, *timestamps);
                            *next += 1;
                        }
                        if let Some(left) = bytes_left {
                            chunk.stdout.truncate(*left);
                            *left -= chunk.stdout.len();
                            if *left == 0 {
                                chunk.end = Some(StreamEnd::Exit(0));
                            }
                        }
                        if !*follow || !running {
                            chunk.end = Some(StreamEnd::Exit(0));
                        }
                    }
                    None => chunk.end = Some(StreamEnd::Exit(0)),
                }
            }
            Open::Exec(token) => match runtime.exec_read(*token) {
                Some((output, exit)) => {
                    for (stream, bytes) in output {
                        match stream {
                            Stream::Stdout => chunk.stdout.extend(bytes),
                            Stream::Stderr => chunk.stderr.extend(bytes),
                        }
                    }
                    chunk.end = exit.map(StreamEnd::Exit);
                    if exit.is_some() {
                        let _ = runtime.exec_result(*token);
                    }
                }
                None => chunk.end = Some(StreamEnd::Exit(137)),
            },
            Open::Attach { container, next } => {
                if let Some(log) = runtime.log(container) {
                    for line in log.since(*next) {
                        match line.stream {
                            Stream::Stdout => chunk.stdout.extend_from_slice(&line.bytes()),
                            Stream::Stderr => chunk.stderr.extend_from_slice(&line.bytes()),
                        }
                        *next += 1;
                    }
                }
                if !runtime.is_running(container) {
                    let code = runtime.container_status(container).map_or(0, |s| s.exit_code);
                    chunk.end = Some(StreamEnd::Exit(code));
                }
            }
        }
        if chunk.end.is_some() {
            self.streams.open.remove(&id.0);
        }
        chunk
    }

    /// Sends input into a stream.
    pub fn write_stream(&mut self, id: StreamId, input: StreamInput, runtime: &mut Runtime, cx: &mut Cx<'_>) {
        match self.streams.open.get(&id.0) {
            Some(Open::Exec(token)) => match input {
                StreamInput::Stdin(bytes) => runtime.exec_input(*token, &bytes, cx),
                StreamInput::Eof => runtime.exec_eof(*token, cx),
                StreamInput::Interrupt => runtime.exec_interrupt(*token, cx),
            },
            Some(Open::Attach { container, .. }) => {
                if let StreamInput::Stdin(bytes) = input {
                    runtime.attach_input(container, &bytes, cx);
                }
            }
            _ => {}
        }
    }

    /// Closes a stream; what runs in it gets a hang-up.
    pub fn close_stream(&mut self, id: StreamId, runtime: &mut Runtime, cx: &mut Cx<'_>) {
        if let Some(Open::Exec(token)) = self.streams.open.remove(&id.0) {
            runtime.exec_eof(token, cx);
            runtime.exec_interrupt(token, cx);
            runtime.exec_forget(token);
        }
    }
}

/// The container that is meant.
///
/// Source: pkg/registry/core/pod/strategy.go `validateContainer` (v1.37).
fn container_name(pod: &Object, spec: &PodSpec, wanted: Option<&str>) -> Result<String, Status> {
    let own: Vec<&str> = spec.containers.iter().map(|c| c.name.as_str()).collect();
    let init: Vec<&str> = spec.init_containers.iter().flatten().map(|c| c.name.as_str()).collect();
    let ephemeral: Vec<&str> = spec.ephemeral_containers.iter().flatten().map(|c| c.name.as_str()).collect();
    if let Some(name) = wanted.filter(|n| !n.is_empty()) {
        if own.iter().chain(&init).chain(&ephemeral).any(|n| *n == name) {
            return Ok(name.to_owned());
        }
        return Err(Status::bad_request(format!("container {name} is not valid for pod {}", pod.name())));
    }
    match own.as_slice() {
        [] => Err(Status::bad_request(format!("a container name must be specified for pod {}", pod.name()))),
        [only] => Ok((*only).to_owned()),
        _ => {
            let mut text = format!(
                "a container name must be specified for pod {}, choose one of: [{}]",
                pod.name(),
                own.join(" ")
            );
            if !init.is_empty() {
                text.push_str(&format!(" or one of the init containers: [{}]", init.join(" ")));
            }
            if !ephemeral.is_empty() {
                text.push_str(&format!(" or one of the ephemeral containers: [{}]", ephemeral.join(" ")));
            }
            Err(Status::bad_request(text))
        }
    }
}

/// The container whose log is meant, by its status.
fn log_container(status: &PodStatus, pod: &str, container: &str, previous: bool) -> Result<String, String> {
    let lists =
        [&status.container_statuses, &status.init_container_statuses, &status.ephemeral_container_statuses];
    let found: Option<&ContainerStatus> =
        lists.into_iter().flat_map(|l| l.iter().flatten()).find(|s| s.name == container);
    let Some(found) = found else {
        return Err(format!("container {container:?} in pod {pod:?} is not available"));
    };
    let state = found.state.clone().unwrap_or_default();
    let last = found.last_state.as_ref().and_then(|l| l.terminated.as_ref());
    let last_id = last.and_then(|l| l.container_id.clone()).filter(|id| !id.is_empty());
    let terminated = || format!("container {container:?} in pod {pod:?} is terminated");
    if previous {
        return last_id
            .ok_or_else(|| format!("previous terminated container {container:?} in pod {pod:?} not found"));
    }
    if state.running.is_some() {
        return Ok(found.container_id.clone().unwrap_or_default());
    }
    if let Some(ended) = &state.terminated {
        let id = ended.container_id.clone().filter(|id| !id.is_empty());
        return id.or(last_id).ok_or_else(terminated);
    }
    if last.is_some() {
        return last_id.ok_or_else(terminated);
    }
    let start = format!("container {container:?} in pod {pod:?} is waiting to start");
    match state.waiting {
        Some(waiting) => Err(match waiting.reason.as_deref().unwrap_or("") {
            "ErrImagePull" => format!("{start}: image can't be pulled"),
            "ImagePullBackOff" => format!("{start}: trying and failing to pull image"),
            reason => format!("{start}: {reason}"),
        }),
        None => Err(format!("{start} - no logs yet")),
    }
}

fn since(options: &LogOptions, now: SimTime) -> Result<Option<SimTime>, Status> {
    if let Some(seconds) = options.since_seconds.and_then(|s| u64::try_from(s).ok()) {
        return Ok(Some(now - SimDuration::from_secs(seconds)));
    }
    match &options.since_time {
        None => Ok(None),
        Some(text) => match text.parse::<podlab_api::door::Timestamp>() {
            Ok(at) => Ok(Some(SimTime::from_nanos(i64::try_from(at.as_nanosecond()).unwrap_or(i64::MAX)))),
            Err(_) => Err(Status::bad_request(format!("unable to parse time {text:?}"))),
        },
    }
}

fn append(out: &mut Vec<u8>, line: &LogLine, timestamps: bool) {
    if timestamps {
        // Always nine digits, as the kubelet's `RFC3339NanoFixed`.
        let at = time_nanos(line.at.as_nanos());
        out.extend(format!("{at:.9} ").into_bytes());
    }
    out.extend_from_slice(&line.bytes());
}
