//! `kubectl rollout`.
//!
//! Source: k8s.io/kubectl/pkg/cmd/rollout/*.go, pkg/polymorphichelpers (v1.37).

use super::{DryRun, Reporter};
use crate::cx::{Cx, Flow, Run, done};
use crate::describe;
use crate::error::{Error, Result, message};
use crate::flags::{CHANGE_CAUSE, Parsed};
use crate::invocation::{Step, Task, Wait};
use crate::manifest::typed_value;
use crate::print::tabwriter::TabWriter;
use crate::print::{Format, Order, name_of};
use crate::resource::{Builder, Info, Selected, gather};
use crate::value::{at, int, list, name, slot, text};
use k8s_openapi::jiff::Timestamp;
use podlab_api::door::{ChangeType, PatchType, ResponseBody, Verb, WatchCursor};
use podlab_api::{Request, kinds};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const REVISION: &str = "deployment.kubernetes.io/revision";
const HASH: &str = "pod-template-hash";

pub(crate) fn lookup(name: &str) -> Option<Run> {
    Some(match name {
        "status" => status,
        "history" => history,
        "undo" => undo,
        "pause" => pause,
        "resume" => resume,
        "restart" => restart,
        _ => return None,
    })
}

fn select(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<(Builder, Selected)> {
    let builder = Builder::new(cx, parsed).allow_all();
    if builder.args.is_empty() && !builder.has_files() {
        return message("required resource not specified");
    }
    let selected = builder.fetch_typed(cx)?;
    Ok((builder, selected))
}

/// A rollout whose end is waited for.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    infos: Vec<Info>,
    revision: i64,
    watch: bool,
    deadline: Option<Timestamp>,
    /// What comes of the first of them, once it is watched.
    cursor: Option<WatchCursor>,
}

fn status(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    let (_, selected) = select(cx, parsed)?;
    let revision = parsed.int("revision");
    if revision < 0 {
        return message("revision must be a positive integer: -1".replace("-1", &revision.to_string()));
    }
    let timeout = parsed.duration("timeout");
    let infos: Vec<Info> = selected.items.into_iter().collect::<Result<_>>()?;
    if infos.is_empty() {
        cx.errln(&format!("No resources found in {} namespace.", cx.namespace));
        return done();
    }
    Ok(Flow::Wait(Task::Rollout(Waiting {
        infos,
        revision,
        watch: parsed.bool("watch"),
        deadline: if timeout > 0 { super::delete::after(cx.now(), timeout) } else { None },
        cursor: None,
    })))
}

/// What is told of a rollout, and whether it is over.
fn told(object: &Value, revision: i64) -> Result<(String, bool)> {
    let own = name(object);
    let (spec, status) = (at(object, &["spec"]), at(object, &["status"]));
    let generation = int(object, &["metadata", "generation"]);
    let observed = int(status, &["observedGeneration"]);
    match text(object, &["kind"]) {
        "Deployment" => {
            if revision > 0 {
                let now: i64 = text(object, &["metadata", "annotations", REVISION]).parse().unwrap_or(0);
                if now != revision {
                    return message(format!(
                        "desired revision ({revision}) is different from the running revision ({now})"
                    ));
                }
            }
            if generation > observed {
                return Ok(("Waiting for deployment spec update to be observed...\n".to_owned(), false));
            }
            let late = list(status, &["conditions"]).iter().any(|c| {
                text(c, &["type"]) == "Progressing" && text(c, &["reason"]) == "ProgressDeadlineExceeded"
            });
            if late {
                return message(format!("deployment {own:?} exceeded its progress deadline"));
            }
            let wanted = at(spec, &["replicas"]).as_i64().unwrap_or(1);
            let (updated, all, available) = (
                int(status, &["updatedReplicas"]),
                int(status, &["replicas"]),
                int(status, &["availableReplicas"]),
            );
            let wait = format!("Waiting for deployment {own:?} rollout to finish:");
            Ok(if updated < wanted {
                (format!("{wait} {updated} out of {wanted} new replicas have been updated...\n"), false)
            } else if all > updated {
                (format!("{wait} {} old replicas are pending termination...\n", all - updated), false)
            } else if available < updated {
                (format!("{wait} {available} of {updated} updated replicas are available...\n"), false)
            } else {
                (format!("deployment {own:?} successfully rolled out\n"), true)
            })
        }
        "DaemonSet" => {
            if text(spec, &["updateStrategy", "type"]) != "RollingUpdate" {
                return message("rollout status is only available for RollingUpdate strategy type");
            }
            if generation > observed {
                return Ok(("Waiting for daemon set spec update to be observed...\n".to_owned(), false));
            }
            let wanted = int(status, &["desiredNumberScheduled"]);
            let (updated, available) =
                (int(status, &["updatedNumberScheduled"]), int(status, &["numberAvailable"]));
            let wait = format!("Waiting for daemon set {own:?} rollout to finish:");
            Ok(if updated < wanted {
                (format!("{wait} {updated} out of {wanted} new pods have been updated...\n"), false)
            } else if available < wanted {
                (format!("{wait} {available} of {wanted} updated pods are available...\n"), false)
            } else {
                (format!("daemon set {own:?} successfully rolled out\n"), true)
            })
        }
        "StatefulSet" => {
            if text(spec, &["updateStrategy", "type"]) != "RollingUpdate" {
                return message("rollout status is only available for RollingUpdate strategy type");
            }
            if observed == 0 || generation > observed {
                return Ok(("Waiting for statefulset spec update to be observed...\n".to_owned(), false));
            }
            let wanted = at(spec, &["replicas"]).as_i64().unwrap_or(1);
            let ready = int(status, &["readyReplicas"]);
            let updated = int(status, &["updatedReplicas"]);
            if ready < wanted {
                return Ok((format!("Waiting for {} pods to be ready...\n", wanted - ready), false));
            }
            let rolling = at(spec, &["updateStrategy", "rollingUpdate"]);
            if rolling.is_object() {
                if let Some(partition) = at(rolling, &["partition"]).as_i64()
                    && updated < wanted - partition
                {
                    return Ok((
                        format!(
                            "Waiting for partitioned roll out to finish: {updated} out of {} new pods have been updated...\n",
                            wanted - partition
                        ),
                        false,
                    ));
                }
                return Ok((
                    format!("partitioned roll out complete: {updated} new pods have been updated...\n"),
                    true,
                ));
            }
            let (update, current) = (text(status, &["updateRevision"]), text(status, &["currentRevision"]));
            Ok(if update != current {
                (
                    format!(
                        "waiting for statefulset rolling update to complete {updated} pods at revision {update}...\n"
                    ),
                    false,
                )
            } else {
                (
                    format!(
                        "statefulset rolling update complete {} pods at revision {current}...\n",
                        int(status, &["currentReplicas"])
                    ),
                    true,
                )
            })
        }
        kind => message(format!("no status viewer has been implemented for {kind}")),
    }
}

impl Waiting {
    pub(crate) fn step(&mut self, cx: &mut Cx<'_>) -> Result<Step> {
        if cx.io.interrupted() {
            return Ok(Step::Done(130));
        }
        while let Some(info) = self.infos.first().cloned() {
            let cursor = match &mut self.cursor {
                Some(cursor) => cursor,
                None => {
                    // Without a version the watch begins with the object as it is.
                    let request =
                        Request::new(Verb::Watch, info.kind).namespace(&info.namespace).name(&info.name);
                    let ResponseBody::Watch(cursor) = cx.ask(request)? else {
                        return message("the server gave no watch");
                    };
                    self.cursor.insert(cursor)
                }
            };
            let mut versions = Vec::new();
            let mut deleted = false;
            for event in cx.door.watch(cursor).map_err(Error::from)? {
                deleted |= event.change == ChangeType::Deleted;
                if !deleted {
                    versions.push(cx.tree(&event.object));
                }
            }
            let mut over = false;
            for object in versions {
                let (line, done) = told(&object, self.revision)?;
                cx.out(&line);
                over = done || !self.watch;
                if over {
                    break;
                }
            }
            if over {
                self.infos.remove(0);
                self.cursor = None;
                continue;
            }
            if deleted {
                return message("object has been deleted");
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
        Ok(Step::Done(0))
    }
}

/// Revision → (pod template, change cause, the object that keeps it).
fn revisions(cx: &mut Cx<'_>, info: &Info) -> Result<BTreeMap<i64, (Value, String, Value)>> {
    let object = &info.object;
    let selector = super::pods::selector(object)?;
    let uid = text(object, &["metadata", "uid"]).to_owned();
    let owned =
        |o: &Value| list(o, &["metadata", "ownerReferences"]).iter().any(|r| text(r, &["uid"]) == uid);
    let mut out = BTreeMap::new();
    match info.kind.kind {
        "Deployment" => {
            for rs in cx.select(&kinds::REPLICA_SET, &info.namespace, &selector)? {
                let Ok(revision) = text(&rs, &["metadata", "annotations", REVISION]).parse::<i64>() else {
                    continue;
                };
                if owned(&rs) {
                    let cause = text(&rs, &["metadata", "annotations", CHANGE_CAUSE]).to_owned();
                    out.insert(revision, (at(&rs, &["spec", "template"]).clone(), cause, rs));
                }
            }
        }
        "DaemonSet" | "StatefulSet" => {
            for kept in cx.select(&kinds::CONTROLLER_REVISION, &info.namespace, &selector)? {
                if owned(&kept) {
                    let cause = text(&kept, &["metadata", "annotations", CHANGE_CAUSE]).to_owned();
                    let mut template = at(&kept, &["data", "spec", "template"]).clone();
                    crate::value::remove(&mut template, &[], "$patch");
                    out.insert(int(&kept, &["revision"]), (template, cause, kept));
                }
            }
        }
        _ => {
            return message(format!(
                "no history viewer has been implemented for {:?}",
                info.kind.group_kind()
            ));
        }
    }
    Ok(out)
}

fn history(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    let revision = parsed.int("revision");
    let (_, selected) = select(cx, parsed)?;
    if revision < 0 {
        return message(format!("revision must be a positive integer: {revision}"));
    }
    let format = crate::print::format(cx, parsed, false)?;
    let mut errors: Vec<Error> = Vec::new();
    for item in selected.items {
        let result = item.and_then(|info| one_history(cx, &info, revision, &format));
        errors.extend(result.err());
    }
    gather(errors)?;
    done()
}

fn one_history(cx: &mut Cx<'_>, info: &Info, revision: i64, format: &Format) -> Result<()> {
    let all = revisions(cx, info)?;
    if !matches!(format, Format::Human) {
        let shown: Vec<&Value> = if revision > 0 {
            match all.get(&revision) {
                Some((_, _, object)) => vec![object],
                None => return message("unable to find the specified revision"),
            }
        } else {
            all.values().map(|(_, _, object)| object).collect()
        };
        for object in shown {
            let text = crate::print::object(format, object, Order::Typed)?;
            cx.out(&text);
        }
        return Ok(());
    }
    let own = name_of(&info.object);
    if revision > 0 {
        let Some((template, cause, _)) = all.get(&revision) else {
            return message("unable to find the specified revision");
        };
        let mut template = template.clone();
        if !cause.is_empty() {
            slot(&mut template, &["metadata", "annotations"])[CHANGE_CAUSE] = cause.clone().into();
        }
        let shown = describe::pod_template_alone(&template);
        cx.out(&format!("{own} with revision #{revision}\n{shown}\n"));
        return Ok(());
    }
    let mut table = TabWriter::describe();
    let mut shown = "No rollout history found.".to_owned();
    if !all.is_empty() {
        table.write("REVISION\tCHANGE-CAUSE\n");
        for (number, (_, cause, _)) in &all {
            table.write(&format!("{number}\t{}\n", if cause.is_empty() { "<none>" } else { cause }));
        }
        shown = table.flush();
    }
    cx.out(&format!("{own} \n{shown}\n"));
    Ok(())
}

fn undo(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    let (_, selected) = select(cx, parsed)?;
    let mut reporter = Reporter::new(cx, parsed)?;
    let mut errors: Vec<Error> = Vec::new();
    for item in selected.items {
        let result = item.and_then(|info| one_undo(cx, parsed, &mut reporter, &info));
        errors.extend(result.err());
    }
    gather(errors)?;
    done()
}

fn one_undo(cx: &mut Cx<'_>, parsed: &Parsed, reporter: &mut Reporter, info: &Info) -> Result<()> {
    let wanted = parsed.int("to-revision");
    if !text(&info.object, &["metadata", "annotations", super::apply::LAST_APPLIED]).is_empty() {
        cx.errln(&format!(
            "Warning: resource {}/{} was previously managed with 'kubectl apply'. Rolling back will not update the {} annotation, which may cause unexpected behavior on future 'kubectl apply' operations. Consider using 'kubectl apply' with your previous configuration file instead.",
            info.kind.plural,
            info.name,
            super::apply::LAST_APPLIED
        ));
    }
    let missing = |n: i64| message(format!("unable to find specified revision {n} in history"));
    if wanted < 0 {
        return missing(wanted);
    }
    let all = revisions(cx, info)?;
    let deployment = info.kind == &kinds::DEPLOYMENT;
    let number = if wanted > 0 {
        wanted
    } else {
        match all.keys().rev().nth(1) {
            Some(number) => *number,
            None if deployment => {
                return message(format!("no rollout history found for deployment {:?}", info.name));
            }
            None => return message("no last revision to roll back to"),
        }
    };
    let Some((template, _, kept)) = all.get(&number) else { return missing(wanted) };
    let mut template = template.clone();
    if reporter.dry_run == DryRun::Client {
        let shown = describe::pod_template_alone(&template);
        cx.out(&format!("{} {}{}\n", name_of(&info.object), shown, reporter.dry_run.suffix()));
        return Ok(());
    }
    if deployment && at(&info.object, &["spec", "paused"]).as_bool() == Some(true) {
        return message(
            "you cannot rollback a paused deployment; resume it first with 'kubectl rollout resume' and try again",
        );
    }
    crate::value::remove(&mut template, &["metadata", "labels"], HASH);
    let same = at(&info.object, &["spec", "template"]).clone();
    let mut bare = same.clone();
    crate::value::remove(&mut bare, &["metadata", "labels"], HASH);
    let verb = if bare == template {
        format!("skipped rollback (current template already matches revision {wanted})")
    } else {
        let (how, patch) = if deployment {
            let mut annotations = serde_json::Map::new();
            for (key, value) in
                at(&info.object, &["metadata", "annotations"]).as_object().into_iter().flatten()
            {
                if skipped(key) {
                    annotations.insert(key.clone(), value.clone());
                }
            }
            for (key, value) in at(kept, &["metadata", "annotations"]).as_object().into_iter().flatten() {
                if !skipped(key) {
                    annotations.insert(key.clone(), value.clone());
                }
            }
            let patch = json!([
                {"op": "replace", "path": "/spec/template", "value": template},
                {"op": "replace", "path": "/metadata/annotations", "value": annotations},
            ]);
            (PatchType::Json, patch)
        } else {
            (PatchType::StrategicMerge, at(kept, &["data"]).clone())
        };
        let mut request = Request::patch(info.kind, &info.namespace, &info.name, how, patch);
        request.options.dry_run = reporter.dry_run == DryRun::Server;
        if let Err(error) = cx.object(request) {
            return message(format!("failed restoring revision {wanted}: {}", error.text()));
        }
        "rolled back".to_owned()
    };
    reporter.report(cx, &info.object, &verb, Order::Typed)
}

/// Annotations that stay the deployment's own.
fn skipped(key: &str) -> bool {
    key == super::apply::LAST_APPLIED
        || key == REVISION
        || [
            "deployment.kubernetes.io/revision-history",
            "deployment.kubernetes.io/desired-replicas",
            "deployment.kubernetes.io/max-replicas",
            "deprecated.deployment.rollback.to",
        ]
        .contains(&key)
}

/// Changes each object, or tells why not.
fn change(
    cx: &mut Cx<'_>,
    parsed: &Parsed,
    verb: &str,
    unchanged: &str,
    edit: impl Fn(&mut Value, Timestamp) -> Result<()>,
) -> Result<Flow> {
    let (_, selected) = select(cx, parsed)?;
    let mut reporter = Reporter::new(cx, parsed)?;
    let mut errors: Vec<Error> = Vec::new();
    if selected.items.is_empty() {
        cx.errln(&format!("No resources found in {} namespace.", cx.namespace));
        return done();
    }
    let now = cx.now();
    for item in selected.items {
        let info = match item {
            Ok(info) => info,
            Err(error) => {
                errors.push(error);
                continue;
            }
        };
        let before = typed_value(&info.object).unwrap_or_else(|_| info.object.clone());
        let mut after = before.clone();
        if let Err(error) = edit(&mut after, now) {
            errors.push(Error::Message(format!(
                "error: {} {:?} {}",
                info.resource(),
                info.name,
                error.text()
            )));
            continue;
        }
        if before == after {
            if unchanged.is_empty() {
                errors.push(Error::Message(format!("failed to create patch for {}: if restart has already been triggered within the past second, please wait before attempting to trigger another", info.name)));
            } else {
                reporter.report(cx, &before, unchanged, Order::Typed)?;
            }
            continue;
        }
        let lookup = podlab_api::patch::KindLookup::new(info.kind);
        let patch = match podlab_api::patch::two_way_strategic(&before, &after, lookup) {
            Ok(patch) => patch,
            Err(error) => return message(error.to_string()),
        };
        let mut request =
            Request::patch(info.kind, &info.namespace, &info.name, PatchType::StrategicMerge, patch);
        request.options.field_manager = Some(parsed.str("field-manager").to_owned());
        match cx.object(request) {
            Ok(object) => reporter.report(cx, &object, verb, Order::Typed)?,
            Err(error) => errors.push(Error::Message(format!("failed to patch: {}", error.text()))),
        }
    }
    gather(errors)?;
    done()
}

fn is_paused(object: &Value) -> bool {
    at(object, &["spec", "paused"]).as_bool() == Some(true)
}

fn pause(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    change(cx, parsed, "paused", "already paused", |object, _| {
        if object["kind"] != "Deployment" {
            return message("pausing is not supported");
        }
        if is_paused(object) {
            return message("is already paused");
        }
        object["spec"]["paused"] = true.into();
        Ok(())
    })
}

fn resume(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    change(cx, parsed, "resumed", "already resumed", |object, _| {
        if object["kind"] != "Deployment" {
            return message("resuming is not supported");
        }
        if !is_paused(object) {
            return message("is not paused");
        }
        crate::value::remove(object, &["spec"], "paused");
        Ok(())
    })
}

fn restart(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    change(cx, parsed, "restarted", "", |object, now| {
        match object["kind"].as_str().unwrap_or("") {
            "Deployment" if is_paused(object) => {
                return message("can't restart paused deployment (run rollout resume first)");
            }
            "Deployment" | "DaemonSet" | "StatefulSet" => {}
            _ => return message("restarting is not supported"),
        }
        let annotations = slot(object, &["spec", "template", "metadata", "annotations"]);
        if !annotations.is_object() {
            *annotations = json!({});
        }
        let at = podlab_api::schema::rfc3339_seconds(now.as_second());
        annotations["kubectl.kubernetes.io/restartedAt"] = at.into();
        Ok(())
    })
}
