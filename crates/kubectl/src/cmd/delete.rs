//! `kubectl delete`.
//!
//! Source: k8s.io/kubectl/pkg/cmd/delete/delete.go (v1.37).

use super::DryRun;
use crate::cx::{Cx, Flow, done};
use crate::error::{Error, Result, message};
use crate::flags::Parsed;
use crate::invocation::{Step, Task, Wait};
use crate::resource::{Builder, Info, gather};
use crate::value::text;
use k8s_openapi::jiff::Timestamp;
use podlab_api::door::{Propagation, ResponseBody};
use podlab_api::{Kind, Request};

/// An object whose end is waited for.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub kind: &'static Kind,
    pub namespace: String,
    pub name: String,
    pub uid: String,
}

/// Waits until objects are gone.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    pub targets: Vec<Target>,
    pub deadline: Option<Timestamp>,
    /// What stood before the wait and is told after it.
    pub errors: Vec<Error>,
}

impl Waiting {
    pub(crate) fn step(&mut self, cx: &mut Cx<'_>) -> Result<Step> {
        if cx.io.interrupted() {
            return Ok(Step::Done(130));
        }
        while let Some(target) = self.targets.first() {
            let there = match cx.get(target.kind, &target.namespace, &target.name) {
                Ok(object) => text(&object, &["metadata", "uid"]) == target.uid,
                Err(error) if error.is_not_found() => false,
                Err(error) => return Err(error),
            };
            if !there {
                self.targets.remove(0);
                continue;
            }
            if self.deadline.is_some_and(|d| cx.now() >= d) {
                let what = format!("{}/{}", target.kind.plural, target.name);
                return message(format!("timed out waiting for the condition on {what}"));
            }
            return Ok(Step::Wait(Wait {
                change: true,
                until: self.deadline,
                input: true,
                ..Wait::default()
            }));
        }
        gather(std::mem::take(&mut self.errors))?;
        Ok(Step::Done(0))
    }
}

/// Reads `--cascade`.
///
/// # Errors
/// A word that is no policy.
pub(crate) fn propagation(parsed: &Parsed) -> Result<Propagation> {
    Ok(match parsed.str("cascade") {
        "background" | "true" | "" => Propagation::Background,
        "foreground" => Propagation::Foreground,
        "orphan" | "false" => Propagation::Orphan,
        other => {
            return message(format!(
                "invalid cascade value ({other}). Must be \"background\", \"foreground\", or \"orphan\""
            ));
        }
    })
}

pub(crate) fn run(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    let cascade = propagation(parsed)?;
    let word = parsed.str("cascade");
    if let Some(now) = [("true", "background"), ("false", "orphan")].iter().find(|(old, _)| *old == word) {
        cx.errln(&format!(
            "warning: --cascade={word} is deprecated (boolean value) and can be replaced with --cascade={}.",
            now.1
        ));
    }
    let mut grace = parsed.int("grace-period");
    let force = parsed.bool("force");
    if parsed.bool("now") {
        if parsed.changed("grace-period") && grace != -1 {
            return message("--now and --grace-period cannot be specified together");
        }
        grace = 1;
    }
    let mut wait = parsed.bool("wait");
    if grace == 0 && !force {
        // Forcing is asked for in so many words.
        wait = true;
        grace = 1;
    }
    if force && grace < 0 {
        grace = 0;
    }
    let output = parsed.str("output").to_owned();
    if !output.is_empty() && output != "name" {
        return message(format!("unexpected -o output mode: {output}. We only support '-o name'."));
    }
    let dry_run = DryRun::of(cx, parsed)?;
    if parsed.bool("interactive") {
        return message("podlab does not simulate 'kubectl delete --interactive'");
    }
    if parsed.changed("raw") {
        return message("podlab does not simulate 'kubectl delete --raw'");
    }
    let ignore_missing =
        parsed.bool("ignore-not-found") || (parsed.bool("all") && !parsed.changed("ignore-not-found"));
    let builder = Builder::new(cx, parsed).all(parsed.bool("all"));
    let selected = builder.resolve(cx)?;
    if force && grace == 0 && dry_run == DryRun::None {
        cx.errln("Warning: Immediate deletion does not wait for confirmation that the running resource has been terminated. The resource may continue to run on the cluster indefinitely.");
    } else if grace > 0 && force {
        return message("--force and --grace-period greater than 0 cannot be specified together");
    }
    let mut waiting = Waiting { targets: Vec::new(), deadline: None, errors: Vec::new() };
    let mut found = 0;
    if cx.enforce_namespace && selected.items.iter().flatten().any(|info| !info.kind.namespaced) {
        cx.errln("Warning: deleting cluster-scoped resources, not scoped to the provided namespace");
    }
    for item in selected.items {
        let info = match item {
            Ok(info) => info,
            Err(error) => {
                waiting.errors.push(error);
                continue;
            }
        };
        let uid = if dry_run == DryRun::Client {
            match cx.get(info.kind, &info.namespace, &info.name) {
                Ok(_) => String::new(),
                Err(error) if ignore_missing && error.is_not_found() => continue,
                Err(error) => {
                    waiting.errors.push(error);
                    continue;
                }
            }
        } else {
            let mut request = Request::delete(info.kind, &info.namespace, &info.name);
            request.options.propagation = Some(cascade);
            request.options.grace_period_seconds = (grace >= 0).then_some(grace);
            request.options.dry_run = dry_run == DryRun::Server;
            match cx.ask(request) {
                Ok(ResponseBody::Object(object)) => object.uid().to_owned(),
                Ok(ResponseBody::Status(status)) => status.details.map(|d| d.uid).unwrap_or_default(),
                Ok(_) => String::new(),
                Err(error) if ignore_missing && error.is_not_found() => continue,
                Err(error) => {
                    waiting.errors.push(error.when("deleting", &info.source));
                    continue;
                }
            }
        };
        found += 1;
        let line = sentence(&info, grace, dry_run, &output);
        cx.out(&line);
        if !uid.is_empty() {
            waiting.targets.push(Target { kind: info.kind, namespace: info.namespace, name: info.name, uid });
        }
    }
    let quiet = builder.has_files() || ignore_missing;
    if found == 0 && waiting.errors.is_empty() && (!quiet || parsed.bool("all")) {
        cx.outln("No resources found");
    }
    if !wait || dry_run != DryRun::None || waiting.targets.is_empty() {
        gather(waiting.errors)?;
        return done();
    }
    let timeout = parsed.duration("timeout");
    if timeout > 0 {
        waiting.deadline = after(cx.now(), timeout);
    }
    Ok(Flow::Wait(Task::Delete(waiting)))
}

/// So many nanoseconds after an instant.
pub(crate) fn after(now: Timestamp, nanos: i64) -> Option<Timestamp> {
    Timestamp::from_nanosecond(now.as_nanosecond() + i128::from(nanos)).ok()
}

fn sentence(info: &Info, grace: i64, dry_run: DryRun, output: &str) -> String {
    if output == "name" {
        return info.display() + "\n";
    }
    let kind = info.kind.kind.to_lowercase();
    let kind = if info.kind.group.is_empty() { kind } else { format!("{kind}.{}", info.kind.group) };
    let verb = if grace == 0 { "force deleted" } else { "deleted" };
    let place =
        if info.namespace.is_empty() { String::new() } else { format!(" from {} namespace", info.namespace) };
    format!("{kind} {:?} {verb}{place}{}\n", info.name, dry_run.suffix())
}
