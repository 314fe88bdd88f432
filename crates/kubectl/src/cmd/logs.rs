//! `kubectl logs`.
//!
//! Source: k8s.io/kubectl/pkg/cmd/logs/logs.go (v1.37).

use super::pods;
use crate::cx::{Cx, Flow};
use crate::error::{Error, Result, message, usage};
use crate::flags::Parsed;
use crate::invocation::{Step, Task, Wait};
use crate::resource::Builder;
use crate::value::{list, name, namespace, text};
use podlab_api::door::{LogOptions, ResponseBody, StreamEnd, StreamId, Verb};
use podlab_api::{Request, kinds};
use serde_json::Value;
use std::collections::VecDeque;

const USAGE: &str = "expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\nPOD or TYPE/NAME is a required argument for the logs command";

/// One container whose log is wanted.
#[derive(Clone, Debug)]
struct Source {
    namespace: String,
    pod: String,
    container: String,
    prefix: String,
}

/// A stream that is open.
#[derive(Clone, Debug)]
struct Open {
    id: StreamId,
    prefix: String,
    /// The beginning of a line whose end has not come yet.
    partial: Vec<u8>,
}

/// Logs that are being read, one after the other or, followed, side by side.
#[derive(Clone, Debug)]
pub(crate) struct Following {
    waiting: VecDeque<Source>,
    open: Vec<Open>,
    options: LogOptions,
    ignore_errors: bool,
}

pub(crate) fn run(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    let selector = parsed.str("selector");
    let args = &parsed.args;
    let mut inline = String::new();
    match args.as_slice() {
        [] if selector.is_empty() => return usage(&parsed.path, USAGE),
        [] => {}
        [_] if !selector.is_empty() => {
            return usage(&parsed.path, "only a selector (-l) or a POD name is allowed");
        }
        [_] => {}
        [_, container] => inline = container.clone(),
        _ => return usage(&parsed.path, USAGE),
    }
    let container = parsed.str("container");
    let mut options = LogOptions {
        follow: parsed.bool("follow"),
        previous: parsed.bool("previous"),
        timestamps: parsed.bool("timestamps"),
        ..LogOptions::default()
    };
    let since = parsed.str("since-time");
    if !since.is_empty() {
        if since.parse::<k8s_openapi::jiff::Timestamp>().is_err() {
            return message(format!(
                "parsing time {since:?} as \"2006-01-02T15:04:05Z07:00\": cannot parse {since:?} as \"2006\""
            ));
        }
        options.since_time = Some(since.to_owned());
    }
    let nanos = parsed.duration("since");
    if nanos != 0 {
        options.since_seconds = Some((nanos + 999_999_999) / 1_000_000_000);
    }
    let tail = parsed.int("tail");
    if tail != -1 {
        options.tail_lines = Some(tail);
    } else if !selector.is_empty() && !parsed.changed("tail") {
        options.tail_lines = Some(10);
    }
    if parsed.changed("limit-bytes") && parsed.int("limit-bytes") != 0 {
        options.limit_bytes = Some(parsed.int("limit-bytes"));
    }
    let all_containers = parsed.bool("all-containers") || parsed.bool("all-pods");
    let mut builder = Builder::new(cx, parsed);
    let mut prefix = parsed.bool("prefix");
    let bare = args.first().is_some_and(|a| !a.contains('/'));
    cx.discover(4)?;
    let selected = if selector.is_empty() {
        let _ = bare;
        let word = args.first().cloned().unwrap_or_default();
        builder.args = if word.contains('/') { vec![word] } else { vec!["pods".to_owned(), word] };
        builder.fetch_typed(cx)?
    } else {
        builder.args = vec!["pods".to_owned()];
        builder.fetch_typed(cx)?
    };
    let mut objects = Vec::new();
    for item in selected.items {
        match item {
            Ok(info) => objects.push(info),
            Err(Error::Status(status)) if status.is_not_found() => {
                return message(format!(
                    "error from server (NotFound): {} in namespace {:?}",
                    status.message, cx.namespace
                ));
            }
            Err(error) => return Err(error),
        }
    }
    if options.since_time.is_some() && options.since_seconds.is_some() {
        return message("at most one of `sinceTime` or `sinceSeconds` may be specified");
    }
    let named = if inline.is_empty() { container.to_owned() } else { inline.clone() };
    if all_containers && !named.is_empty() {
        return message(format!("--all-containers=true should not be specified with container name {named}"));
    }
    if !inline.is_empty() && !container.is_empty() {
        return message("only one of -c or an inline [CONTAINER] arg is allowed");
    }
    if options.limit_bytes.is_some_and(|n| n < 0) {
        return message("--limit-bytes must be greater than 0");
    }
    if options.since_seconds.is_some_and(|n| n < 0) {
        return message("--since must be greater than 0");
    }
    if tail < -1 {
        return message("--tail must be greater than or equal to -1");
    }
    if objects.is_empty() {
        cx.errln(&format!("No resources found in {} namespace.", cx.namespace));
        return Ok(Flow::Done(0));
    }
    let mut sources: Vec<Source> = Vec::new();
    for info in &objects {
        let mut found = pods::of(cx, info)?;
        if info.kind != &kinds::POD && !parsed.bool("all-pods") {
            if found.len() > 1 {
                let first = found.first().map(|p| name(p).to_owned()).unwrap_or_default();
                cx.errln(&format!("Found {} pods, using pod/{first}", found.len()));
            }
            found.truncate(1);
            if found.is_empty() {
                let version = info.kind.version;
                return message(format!(
                    "cannot get the logs from *{version}.{}: timed out waiting for the condition",
                    info.kind.kind
                ));
            }
        }
        prefix |= parsed.bool("all-pods") && !parsed.changed("prefix");
        for pod in &found {
            of_pod(cx, pod, &named, all_containers, &mut sources)?;
        }
    }
    let most = usize::try_from(parsed.int("max-log-requests")).unwrap_or(5);
    if options.follow && sources.len() > most.max(1) && sources.len() > 1 {
        return message(format!(
            "you are attempting to follow {} log streams, but maximum allowed concurrency is {most}, use --max-log-requests to increase the limit",
            sources.len()
        ));
    }
    if !prefix {
        sources.iter_mut().for_each(|s| s.prefix.clear());
    }
    let task = Following {
        waiting: sources.into(),
        open: Vec::new(),
        options,
        ignore_errors: parsed.bool("ignore-errors"),
    };
    Ok(Flow::Wait(Task::Logs(task)))
}

fn of_pod(cx: &mut Cx<'_>, pod: &Value, named: &str, all: bool, out: &mut Vec<Source>) -> Result<()> {
    let source = |container: &str| Source {
        namespace: namespace(pod).to_owned(),
        pod: name(pod).to_owned(),
        container: container.to_owned(),
        prefix: format!("[pod/{}/{container}] ", name(pod)),
    };
    if all {
        for field in ["initContainers", "containers", "ephemeralContainers"] {
            out.extend(list(pod, &["spec", field]).iter().map(|c| source(text(c, &["name"]))));
        }
        return Ok(());
    }
    let container = pods::container(cx, pod, named, false)?;
    out.push(source(text(&container, &["name"])));
    Ok(())
}

impl Following {
    fn begin(&mut self, cx: &mut Cx<'_>, source: &Source) -> Result<()> {
        let mut request = Request::new(Verb::Get, &kinds::POD)
            .namespace(&source.namespace)
            .name(&source.pod)
            .subresource("log");
        request.options.log = self.options.clone();
        request.options.log.container = Some(source.container.clone());
        match cx.ask(request)? {
            ResponseBody::Stream(id) => {
                self.open.push(Open { id, prefix: source.prefix.clone(), partial: Vec::new() });
                Ok(())
            }
            _ => message("the server gave no stream"),
        }
    }

    pub(crate) fn step(&mut self, cx: &mut Cx<'_>) -> Result<Step> {
        if cx.io.interrupted() {
            for open in &self.open {
                cx.door.stream_close(open.id);
            }
            return Ok(Step::Done(130));
        }
        loop {
            let together = self.options.follow;
            while !self.waiting.is_empty() && (together || self.open.is_empty()) {
                let Some(source) = self.waiting.pop_front() else { break };
                if let Err(error) = self.begin(cx, &source) {
                    if !self.ignore_errors {
                        return Err(error);
                    }
                    cx.errln(&format!("error: {}", error.text()));
                }
            }
            let mut moved = false;
            for open in &mut self.open {
                let chunk = cx.door.stream(open.id);
                moved |= !chunk.stdout.is_empty();
                if open.prefix.is_empty() {
                    cx.io.stdout(&chunk.stdout);
                } else {
                    open.partial.extend(&chunk.stdout);
                    while let Some(end) = open.partial.iter().position(|b| *b == b'\n') {
                        let line: Vec<u8> = open.partial.drain(..=end).collect();
                        cx.io.stdout(open.prefix.as_bytes());
                        cx.io.stdout(&line);
                    }
                }
                match chunk.end {
                    None => {}
                    Some(StreamEnd::Error(status)) => return Err(Error::from(status)),
                    Some(StreamEnd::Exit(_)) => {
                        if !open.partial.is_empty() {
                            cx.io.stdout(open.prefix.as_bytes());
                            cx.io.stdout(&open.partial);
                        }
                        // An id no stream has marks it as ended.
                        open.id = StreamId(u64::MAX);
                        moved = true;
                    }
                }
            }
            self.open.retain(|o| o.id != StreamId(u64::MAX));
            if self.open.is_empty() && self.waiting.is_empty() {
                return Ok(Step::Done(0));
            }
            if !moved {
                return Ok(Step::Wait(Wait { change: true, input: true, until: None, ..Wait::default() }));
            }
        }
    }
}
