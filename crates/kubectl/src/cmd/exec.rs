//! `kubectl exec`.
//!
//! Source: k8s.io/kubectl/pkg/cmd/exec/exec.go (v1.37).

use super::pods;
use crate::cx::{Cx, Flow};
use crate::error::{Error, Result, message, usage};
use crate::flags::Parsed;
use crate::invocation::{Step, Task, Wait};
use crate::io::Stdin;
use crate::resource::Builder;
use crate::value::{name, namespace, text};
use podlab_api::door::{ExecOptions, ResponseBody, StreamEnd, StreamId, StreamInput, Verb};
use podlab_api::{Request, kinds};
use serde_json::Value;

/// A command that runs in a container, or a container that is attached to.
#[derive(Clone, Debug)]
pub(crate) struct Running {
    pub id: StreamId,
    pub stdin: bool,
    pub tty: bool,
    /// The end of input was sent.
    pub closed: bool,
    /// The exit code of the command is kubectl's.
    pub codes: bool,
}

pub(crate) fn run(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    let files = !parsed.list("filename").is_empty();
    if parsed.args.len() > 1 && parsed.dash.is_none() {
        return usage(
            &parsed.path,
            "exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead",
        );
    }
    let (pod, command) = if files {
        (String::new(), parsed.after_dash().to_vec())
    } else {
        (parsed.before_dash().first().cloned().unwrap_or_default(), parsed.after_dash().to_vec())
    };
    if pod.is_empty() && !files {
        return message("pod, type/name or --filename must be specified");
    }
    if command.is_empty() {
        return message("you must specify at least one command for the container");
    }
    let mut builder = Builder::new(cx, parsed);
    builder.args = match (files, pod.contains('/')) {
        (true, _) => Vec::new(),
        (false, true) => vec![pod],
        (false, false) => vec!["pods".to_owned(), pod],
    };
    let found = builder.fetch_typed(cx)?;
    let Some(first) = found.items.into_iter().next() else {
        return message("pod, type/name or --filename must be specified");
    };
    let info = first?;
    let Some(pod) = pods::of(cx, &info)?.into_iter().next() else {
        return message("timed out waiting for the condition");
    };
    let phase = text(&pod, &["status", "phase"]);
    if phase == "Succeeded" || phase == "Failed" {
        return message(format!("cannot exec into a container in a completed pod; current phase is {phase}"));
    }
    let container = pods::container(cx, &pod, parsed.str("container"), parsed.bool("quiet"))?;
    let stdin = parsed.bool("stdin");
    let mut tty = parsed.bool("tty") && stdin;
    if tty && !cx.io.is_terminal() {
        cx.errln("Unable to use a TTY - input is not a terminal or the right kind of file");
        tty = false;
    }
    let options =
        ExecOptions { container: Some(text(&container, &["name"]).to_owned()), command, stdin, tty };
    let running = open(cx, &pod, "exec", options, true)?;
    Ok(Flow::Wait(Task::Exec(running)))
}

/// Opens a stream into a container.
pub(crate) fn open(
    cx: &mut Cx<'_>,
    pod: &Value,
    subresource: &'static str,
    options: ExecOptions,
    codes: bool,
) -> Result<Running> {
    let (stdin, tty) = (options.stdin, options.tty);
    let mut request = Request::new(Verb::Create, &kinds::POD)
        .namespace(namespace(pod))
        .name(name(pod))
        .subresource(subresource);
    request.options.exec = options;
    match cx.ask(request) {
        Ok(ResponseBody::Stream(id)) => Ok(Running { id, stdin, tty, closed: false, codes }),
        Ok(_) => message("the server gave no stream"),
        // An upgrade that is refused has no kind of its own.
        Err(Error::Status(status)) if status.code >= 500 => message(status.message),
        Err(error) => Err(error),
    }
}

impl Running {
    /// What came, and whether it is over.
    pub(crate) fn pump(&mut self, cx: &mut Cx<'_>) -> Result<Option<i32>> {
        if cx.io.interrupted() {
            if self.tty {
                cx.door.stream_write(self.id, StreamInput::Interrupt);
            } else {
                cx.door.stream_close(self.id);
                return Ok(Some(130));
            }
        }
        while self.stdin && !self.closed {
            match cx.io.stdin() {
                Stdin::Data(bytes) => cx.door.stream_write(self.id, StreamInput::Stdin(bytes)),
                Stdin::Pending => break,
                Stdin::End => {
                    cx.door.stream_write(self.id, StreamInput::Eof);
                    self.closed = true;
                }
            }
        }
        let chunk = cx.door.stream(self.id);
        cx.io.stdout(&chunk.stdout);
        cx.io.stderr(&chunk.stderr);
        match chunk.end {
            None => Ok(None),
            Some(StreamEnd::Error(status)) if status.reason.is_empty() || status.code >= 500 => {
                message(status.message)
            }
            Some(StreamEnd::Error(status)) => Err(status.into()),
            Some(StreamEnd::Exit(0)) => Ok(Some(0)),
            Some(StreamEnd::Exit(code)) if self.codes => {
                cx.errln(&format!("command terminated with exit code {code}"));
                Ok(Some(code))
            }
            Some(StreamEnd::Exit(_)) => Ok(Some(0)),
        }
    }

    pub(crate) fn step(&mut self, cx: &mut Cx<'_>) -> Result<Step> {
        Ok(match self.pump(cx)? {
            Some(code) => Step::Done(code),
            None => Step::Wait(Wait { change: true, input: true, until: None, ..Wait::default() }),
        })
    }
}
