//! `kubectl cp`. Where kubectl runs tar in the container, the same is done here with smaller tools, one file at a time.
//!
//! Source: k8s.io/kubectl/pkg/cmd/cp/cp.go, filespec.go (v1.37).

use super::exec::open;
use super::pods;
use crate::cx::{Cx, Flow};
use crate::error::{Error, Result, message};
use crate::flags::Parsed;
use crate::invocation::{Step, Task, Wait};
use crate::value::text;
use podlab_api::door::{ExecOptions, StreamEnd, StreamId, StreamInput};
use podlab_api::kinds;
use serde_json::Value;
use std::collections::VecDeque;

/// How deep local folders are followed.
const MAX_DEPTH: usize = 32;

/// `[[namespace/]pod:]file`.
struct Spec {
    namespace: String,
    pod: String,
    file: String,
}

fn spec(arg: &str) -> Result<Spec> {
    let wrong = || message("filespec must match the canonical format: [[namespace/]pod:]file/path");
    let Some((pod, file)) = arg.split_once(':') else {
        return Ok(Spec { namespace: String::new(), pod: String::new(), file: arg.to_owned() });
    };
    let pieces: Vec<&str> = pod.split('/').collect();
    let (namespace, pod) = match pieces.as_slice() {
        [""] => return wrong(),
        [pod] => ("", *pod),
        [namespace, pod] => (*namespace, *pod),
        _ => return wrong(),
    };
    Ok(Spec { namespace: namespace.to_owned(), pod: pod.to_owned(), file: file.to_owned() })
}

/// What is done in the container next, and what its end means.
#[derive(Clone, Debug)]
enum Next {
    /// Whether the source is a directory.
    SourceKind,
    /// Its files.
    List,
    /// One file's content, for this local path.
    Read { remote: String, local: String },
    /// Whether the destination is a directory.
    TargetKind,
    /// Whether there is a directory to write into.
    TargetFolder,
    /// A directory to make.
    Make { remote: String },
    /// A file to write.
    Write { remote: String, content: Vec<u8> },
    /// Whose tar would speak.
    Family,
}

/// A copy under way.
#[derive(Clone, Debug)]
pub(crate) struct Copying {
    pod: Value,
    container: String,
    remote: String,
    local: String,
    /// Local files and folders (no content) below the source, by their path below it.
    files: Vec<(String, Option<Vec<u8>>)>,
    queue: VecDeque<Next>,
    running: Option<(StreamId, Next)>,
    out: Vec<u8>,
    err: Vec<u8>,
    busybox: bool,
    /// The source in the pod is a directory.
    whole: bool,
}

pub(crate) fn run(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    let [from, to] = parsed.args.as_slice() else {
        return message("source and destination are required");
    };
    let (from, to) = (spec(from)?, spec(to)?);
    if !from.pod.is_empty() && !to.pod.is_empty() {
        return message("one of src or dest must be a local file specification");
    }
    if from.file.is_empty() || to.file.is_empty() {
        return message("filepath can not be empty");
    }
    let (remote, local, queue) = match (from.pod.is_empty(), to.pod.is_empty()) {
        (true, true) => return message("one of src or dest must be a remote file specification"),
        (false, _) => (from, to.file, [Next::Family, Next::SourceKind]),
        (true, false) => (to, from.file, [Next::Family, Next::TargetKind]),
    };
    let mut files = Vec::new();
    if matches!(queue, [_, Next::TargetKind]) {
        collect(cx, local.trim_end_matches('/'), "", 0, &mut files);
        if files.is_empty() {
            return message(format!("{local} doesn't exist in local filesystem"));
        }
    }
    let namespace = if remote.namespace.is_empty() { cx.namespace.clone() } else { remote.namespace };
    let pod = cx.get(&kinds::POD, &namespace, &remote.pod)?;
    let phase = text(&pod, &["status", "phase"]);
    if phase == "Succeeded" || phase == "Failed" {
        return message(format!("cannot exec into a container in a completed pod; current phase is {phase}"));
    }
    let container = pods::container(cx, &pod, parsed.str("container"), false)?;
    let container = text(&container, &["name"]).to_owned();
    let remote = match remote.file.trim_end_matches('/') {
        "" => "/".to_owned(),
        file => file.to_owned(),
    };
    let copying = Copying {
        pod,
        container,
        remote,
        local,
        files,
        queue: queue.into(),
        running: None,
        out: Vec::new(),
        err: Vec::new(),
        busybox: false,
        whole: false,
    };
    Ok(Flow::Wait(Task::Copy(Box::new(copying))))
}

/// A local file, or a folder with all that is in it.
fn collect(cx: &mut Cx<'_>, path: &str, below: &str, depth: usize, out: &mut Vec<(String, Option<Vec<u8>>)>) {
    if let Ok(content) = cx.io.read_file(path) {
        out.push((below.to_owned(), Some(content)));
    } else if let (Ok(entries), true) = (cx.io.read_dir(path), depth < MAX_DEPTH) {
        out.push((below.to_owned(), None));
        for entry in entries {
            collect(
                cx,
                &format!("{path}/{}", entry.name),
                &format!("{below}/{}", entry.name),
                depth + 1,
                out,
            );
        }
    }
}

fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn parent(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some(("", _)) => "/",
        Some((parent, _)) => parent,
        None => ".",
    }
}

impl Copying {
    pub(crate) fn step(&mut self, cx: &mut Cx<'_>) -> Result<Step> {
        loop {
            let Some((id, next)) = self.running.take() else {
                let Some(next) = self.queue.pop_front() else { return Ok(Step::Done(0)) };
                self.start(cx, next)?;
                continue;
            };
            if cx.io.interrupted() {
                cx.door.stream_close(id);
                return Ok(Step::Done(130));
            }
            let chunk = cx.door.stream(id);
            self.out.extend(chunk.stdout);
            self.err.extend(chunk.stderr);
            match chunk.end {
                None => {
                    self.running = Some((id, next));
                    return Ok(Step::Wait(Wait { change: true, input: true, ..Wait::default() }));
                }
                Some(StreamEnd::Exit(code)) => {
                    let (out, err) = (std::mem::take(&mut self.out), std::mem::take(&mut self.err));
                    self.ended(cx, next, code, out, &err)?;
                }
                // What is missing is what kubectl runs, whatever was run here.
                Some(StreamEnd::Error(status)) => {
                    let text = ["test", "cat", "sh", "find", "mkdir"]
                        .iter()
                        .fold(status.message, |text, tool| text.replace(&format!("{tool:?}"), "\"tar\""));
                    return message(text);
                }
            }
        }
    }

    fn start(&mut self, cx: &mut Cx<'_>, next: Next) -> Result<()> {
        let words: Vec<&str> = match &next {
            Next::Family => vec!["test", "-e", "/bin/busybox"],
            Next::SourceKind | Next::TargetKind => vec!["test", "-d", &self.remote],
            Next::TargetFolder => vec!["test", "-d", parent(&self.remote)],
            Next::List => vec!["find", &self.remote, "-type", "f"],
            Next::Read { remote, .. } => vec!["cat", remote],
            Next::Make { remote } => vec!["mkdir", "-p", remote],
            Next::Write { remote, .. } => vec!["sh", "-c", "cat > \"$0\"", remote],
        };
        let stdin = matches!(next, Next::Write { .. });
        let options = ExecOptions {
            container: Some(self.container.clone()),
            command: words.into_iter().map(str::to_owned).collect(),
            stdin,
            tty: false,
        };
        let running = open(cx, &self.pod, "exec", options, true)?;
        if let Next::Write { content, .. } = &next {
            cx.door.stream_write(running.id, StreamInput::Stdin(content.clone()));
            cx.door.stream_write(running.id, StreamInput::Eof);
        }
        self.running = Some((running.id, next));
        Ok(())
    }

    /// tar's own words, and how it ends.
    fn tar(&self, busybox: String, gnu: String) -> Result<()> {
        let (text, code) = if self.busybox { (busybox, 1) } else { (gnu, 2) };
        Err(Error::Coded(format!("{text}\ncommand terminated with exit code {code}"), code))
    }

    fn ended(&mut self, cx: &mut Cx<'_>, next: Next, code: i32, out: Vec<u8>, err: &[u8]) -> Result<()> {
        match next {
            Next::Family => self.busybox = code == 0,
            Next::SourceKind => {
                self.whole = code == 0;
                let file = Next::Read { remote: self.remote.clone(), local: self.local.clone() };
                self.queue.push_back(if self.whole { Next::List } else { file });
            }
            Next::List => {
                self.told_of_slash(cx);
                let _ = cx.io.make_dir(&self.local);
                for remote in String::from_utf8_lossy(&out).lines() {
                    let below = remote.strip_prefix(&self.remote).unwrap_or(remote).trim_start_matches('/');
                    let local = format!("{}/{below}", self.local.trim_end_matches('/'));
                    self.queue.push_back(Next::Read { remote: remote.to_owned(), local });
                }
            }
            Next::Read { remote, .. } if code != 0 => {
                let why = String::from_utf8_lossy(err);
                let why = why.trim_end().rsplit(": ").next().unwrap_or_default();
                return self.tar(
                    format!("tar: {remote}: {why}\ntar: error exit delayed from previous errors"),
                    format!("tar: {remote}: Cannot stat: {why}\ntar: Exiting with failure status due to previous errors"),
                );
            }
            Next::Read { local, .. } => {
                if !self.whole {
                    self.told_of_slash(cx);
                }
                if cx.io.read_dir(&local).is_ok() {
                    return message(format!("open {local}: is a directory"));
                }
                let mut made = String::new();
                for part in parent(&local).split('/') {
                    made = format!("{made}{part}/");
                    let _ = cx.io.make_dir(made.trim_end_matches('/'));
                }
                if cx.io.write_file(&local, &out).is_err() {
                    return message(format!("open {local}: no such file or directory"));
                }
            }
            Next::TargetKind => {
                if code == 0 {
                    let name = base(self.local.trim_end_matches('/')).to_owned();
                    self.remote = format!("{}/{name}", self.remote.trim_end_matches('/'));
                }
                self.queue.push_back(Next::TargetFolder);
            }
            Next::TargetFolder if code != 0 => {
                let folder = parent(&self.remote);
                return self.tar(
                    format!("tar: can't change directory to '{folder}': No such file or directory"),
                    format!("tar: {folder}: Cannot open: No such file or directory\ntar: Error is not recoverable: exiting now"),
                );
            }
            Next::TargetFolder => {
                for (below, content) in std::mem::take(&mut self.files) {
                    let remote = format!("{}{below}", self.remote);
                    self.queue.push_back(match content {
                        Some(content) => Next::Write { remote, content },
                        None => Next::Make { remote },
                    });
                }
            }
            Next::Make { .. } | Next::Write { .. } if code != 0 => {
                let why = String::from_utf8_lossy(err);
                let why = why.trim_end().rsplit(": ").next().unwrap_or_default();
                let name = base(&self.remote);
                return self.tar(
                    format!("tar: can't open '{name}': {why}"),
                    format!("tar: {name}: Cannot open: {why}\ntar: Exiting with failure status due to previous errors"),
                );
            }
            Next::Make { .. } | Next::Write { .. } => {}
        }
        Ok(())
    }

    fn told_of_slash(&self, cx: &mut Cx<'_>) {
        if self.remote.starts_with('/') {
            cx.outln(match self.busybox {
                true => "tar: removing leading '/' from member names",
                false => "tar: Removing leading `/' from member names",
            });
        }
    }
}
