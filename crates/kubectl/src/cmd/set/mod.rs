//! `kubectl set`: changes to what pods are made of.
//!
//! Source: k8s.io/kubectl/pkg/cmd/set/*.go (v1.37).

mod env;
mod image;
mod resources;
mod selector;
mod subject;

use super::{DryRun, Reporter};
use crate::cx::{Cx, Flow, Run, done};
use crate::error::{Error, Result, message};
use crate::flags::Parsed;
use crate::manifest;
use crate::print::Order;
use crate::resource::{Builder, Info, gather};
use podlab_api::door::PatchType;
use podlab_api::patch::{KindLookup, two_way_strategic};
use podlab_api::{Request, kinds};
use serde_json::Value;

pub(crate) fn lookup(name: &str) -> Option<Run> {
    Some(match name {
        "image" => image::run,
        "env" => env::run,
        "resources" => resources::run,
        "selector" => selector::run,
        "serviceaccount" => subject::service_account,
        "subject" => subject::run,
        _ => return None,
    })
}

/// Where a kind keeps its pod's spec.
pub(crate) fn pod_spec_path(kind: &str) -> Option<&'static [&'static str]> {
    Some(match kind {
        "Pod" => &["spec"],
        "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet" | "Job" | "ReplicationController" => {
            &["spec", "template", "spec"]
        }
        "CronJob" => &["spec", "jobTemplate", "spec", "template", "spec"],
        _ => return None,
    })
}

/// The pod spec of an object.
///
/// # Errors
/// Its kind has none.
pub(crate) fn pod_spec(object: &mut Value) -> Result<&mut Value> {
    let kind = object["kind"].as_str().unwrap_or("").to_owned();
    let Some(path) = pod_spec_path(&kind) else {
        let version = object["apiVersion"].as_str().unwrap_or("").rsplit('/').next().unwrap_or("").to_owned();
        return message(format!(
            "the object is not a pod or does not have a pod template: *{version}.{kind}"
        ));
    };
    Ok(crate::value::slot(object, path))
}

/// The containers that a selector with `*` means; init containers come last.
pub(crate) fn containers<'a>(spec: &'a mut Value, selector: &str) -> Vec<&'a mut Value> {
    let Some(map) = spec.as_object_mut() else { return Vec::new() };
    let (mut main, mut init) = (Vec::new(), Vec::new());
    for (key, list) in map.iter_mut() {
        let into = match key.as_str() {
            "containers" => &mut main,
            "initContainers" => &mut init,
            _ => continue,
        };
        for container in list.as_array_mut().into_iter().flatten() {
            if matches(container["name"].as_str().unwrap_or(""), selector) {
                into.push(container);
            }
        }
    }
    main.extend(init);
    main
}

fn matches(name: &str, selector: &str) -> bool {
    if !selector.contains('*') {
        return name == selector;
    }
    let parts: Vec<&str> = selector.split('*').collect();
    let (first, last) = (parts.first().copied().unwrap_or(""), parts.last().copied().unwrap_or(""));
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    for part in parts.iter().skip(1).take(parts.len().saturating_sub(2)) {
        match rest.find(part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or(""),
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// What to change in each object, and how to tell it.
pub(crate) struct Change<'a> {
    pub resources: &'a [String],
    /// `image updated`.
    pub verb: &'static str,
    /// What stands before a refusal.
    pub failed: &'static str,
    /// Objects that did not change are told of, too.
    pub always: bool,
}

/// Changes every object that is meant and sends the difference.
pub(crate) fn change(
    cx: &mut Cx<'_>,
    parsed: &Parsed,
    how: &Change<'_>,
    mut edit: impl FnMut(&mut Cx<'_>, &mut Value, &mut Vec<Error>) -> Result<()>,
) -> Result<Flow> {
    let mut reporter = Reporter::new(cx, parsed)?;
    let local = parsed.bool("local");
    if local && reporter.dry_run == DryRun::Server {
        return message("cannot specify --local and --dry-run=server - did you mean --dry-run=client?");
    }
    let mut builder = Builder::new(cx, parsed).args(how.resources).all(parsed.bool("all"));
    let mut errors: Vec<Error> = Vec::new();
    let mut infos: Vec<Info> = Vec::new();
    if local {
        builder.local = true;
        for item in manifest::local(cx, &builder, true)? {
            let value = item?.value;
            let name = crate::value::name(&value).to_owned();
            infos.push(Info { object: value, ..Info::new(&kinds::POD, "", &name) });
        }
    } else {
        for item in builder.fetch_typed(cx)?.items {
            let mut info = item?;
            info.object = manifest::typed_value(&info.object).unwrap_or(info.object);
            infos.push(info);
        }
    }
    for info in infos {
        let mut object = info.object.clone();
        if let Err(error) = edit(cx, &mut object, &mut errors) {
            let name = crate::print::name_of(&object);
            errors.push(Error::Message(format!("error: {name} {}\n", error.text())));
            continue;
        }
        parsed.record(&mut object);
        let after = manifest::typed_value(&object).unwrap_or(object);
        if after == info.object && !how.always {
            continue;
        }
        if local || reporter.dry_run == DryRun::Client {
            reporter.report(cx, &after, how.verb, Order::Typed)?;
            continue;
        }
        let patch = match two_way_strategic(&info.object, &after, KindLookup::new(info.kind)) {
            Ok(patch) => patch,
            Err(error) => return message(error.to_string()),
        };
        let mut request =
            Request::patch(info.kind, &info.namespace, &info.name, PatchType::StrategicMerge, patch);
        request.options.dry_run = reporter.dry_run == DryRun::Server;
        request.options.field_manager = Some(parsed.str("field-manager").to_owned());
        match cx.object(request) {
            Ok(object) => reporter.report(cx, &object, how.verb, Order::Typed)?,
            Err(error) if how.failed.is_empty() => errors.push(error),
            Err(error) => errors.push(Error::Message(format!("{}{}", how.failed, error.text()))),
        }
    }
    gather(errors)?;
    done()
}

/// Refuses a line that names nothing to change.
///
/// # Errors
/// What the printer's flags or the missing words make kubectl say.
fn something(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<()> {
    if !parsed.args.is_empty() || !parsed.list("filename").is_empty() || !parsed.str("kustomize").is_empty() {
        return Ok(());
    }
    crate::cmd::Reporter::new(cx, parsed)?;
    match parsed.str("selector") {
        "" => message(crate::resource::MISSING),
        _ => message("at least one resource must be specified to use a selector"),
    }
}
