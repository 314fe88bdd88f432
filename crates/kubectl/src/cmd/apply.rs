//! `kubectl apply`.
//!
//! Source: k8s.io/kubectl/pkg/cmd/apply/apply.go, patcher.go (v1.37).

use super::{DryRun, Reporter, field_validation, no_args};
use crate::cx::{Cx, Flow, Run};
use crate::error::{Error, Result, message};
use crate::flags::Parsed;
use crate::invocation::{Step, Task};
use crate::manifest::Gathering;
use crate::print::Order;
use crate::resource::{Builder, Info, gather};
use crate::value::{slot, text};
use podlab_api::door::{FieldValidation, PatchType, Propagation};
use podlab_api::patch::{
    KindLookup, PatchError, three_way_json_merge, three_way_strategic, two_way_merge, two_way_strategic,
};
use podlab_api::{Kind, Request};
use serde_json::{Value, json};
use std::collections::VecDeque;

/// Where apply keeps what was applied last.
pub(crate) const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Puts the object's own text into its annotation.
pub(crate) fn annotate(object: &mut Value) {
    let annotations = slot(object, &["metadata", "annotations"]);
    if !annotations.is_object() {
        *annotations = json!({});
    }
    if let Some(map) = annotations.as_object_mut() {
        map.remove(LAST_APPLIED);
    }
    let applied = podlab_yaml::to_json_compact(object) + "\n";
    slot(object, &["metadata", "annotations"])[LAST_APPLIED] = applied.into();
}

/// What makes `after` of `before`, and how it is sent: what kubectl has no type for is patched as plain JSON.
pub(crate) fn two_way(
    kind: &Kind,
    before: &Value,
    after: &Value,
) -> std::result::Result<(PatchType, Value), PatchError> {
    if kind.is_custom() {
        return Ok((PatchType::Merge, two_way_merge(before, after)));
    }
    Ok((PatchType::StrategicMerge, two_way_strategic(before, after, KindLookup::new(kind))?))
}

/// What makes `modified` of `current` and takes away what was in `original` alone, and how it is sent.
pub(crate) fn three_way(
    kind: &Kind,
    original: &Value,
    modified: &Value,
    current: &Value,
) -> std::result::Result<(PatchType, Value), PatchError> {
    if kind.is_custom() {
        return Ok((PatchType::Merge, three_way_json_merge(original, modified, current)));
    }
    let patch = three_way_strategic(original, modified, current, KindLookup::new(kind))?;
    Ok((PatchType::StrategicMerge, patch))
}

/// Says that what is changed is on its way out.
pub(crate) fn warn_of_deletion(cx: &mut Cx<'_>, object: &Value, name: &str) {
    if !text(object, &["metadata", "deletionTimestamp"]).is_empty() {
        cx.errln(&format!("Warning: Detected changes to resource {name} which is currently being deleted."));
    }
}

/// The commands below apply.
pub(crate) fn lookup_command(name: &str) -> Option<Run> {
    Some(match name {
        "edit-last-applied" => super::edit::last_applied,
        "set-last-applied" => super::last_applied::set,
        "view-last-applied" => super::last_applied::view,
        _ => return None,
    })
}

/// How far the command is.
#[derive(Clone, Debug)]
pub(crate) struct Applying {
    parsed: Box<Parsed>,
    validation: FieldValidation,
    server_side: bool,
    reporter: Reporter,
    /// What is still being read.
    gathering: Option<Gathering>,
    items: VecDeque<Result<Info>>,
    errors: Vec<Error>,
    count: usize,
}

pub(crate) fn run(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    no_args(parsed)?;
    let server_side = parsed.bool("server-side");
    if server_side && parsed.bool("force") {
        return message("--force cannot be used with --server-side");
    }
    if parsed.bool("force-conflicts") && !server_side {
        return message("--force-conflicts only works with --server-side");
    }
    let reporter = Reporter::new(cx, parsed)?;
    if reporter.dry_run == DryRun::Client && server_side {
        return message(
            "--dry-run=client doesn't work with --server-side (did you mean --dry-run=server instead?)",
        );
    }
    let mut builder = Builder::new(cx, parsed);
    if !builder.has_files() {
        return message("must specify one of -f and -k");
    }
    if parsed.bool("prune") {
        return message("podlab does not simulate 'kubectl apply --prune'");
    }
    let validation = field_validation(parsed)?;
    builder.validate = validation != FieldValidation::Ignore;
    let gathering = Gathering::begin(cx, &builder)?;
    Ok(Flow::Wait(Task::Apply(Box::new(Applying {
        parsed: Box::new(parsed.clone()),
        validation,
        server_side,
        reporter,
        gathering: Some(gathering),
        items: VecDeque::new(),
        errors: Vec::new(),
        count: 0,
    }))))
}

impl Applying {
    /// Reads a little, or applies one object. All is read before anything is applied, as kubectl does.
    pub(crate) fn step(&mut self, cx: &mut Cx<'_>) -> Result<Step> {
        if let Some(gathering) = &mut self.gathering {
            if gathering.step(cx) {
                let read = self.gathering.take().map(Gathering::finish).unwrap_or_default().items;
                // What cannot be read is told first.
                let (infos, unread): (Vec<_>, Vec<_>) = read.into_iter().partition(Result::is_ok);
                self.items = unread.into_iter().chain(infos).collect();
            }
            return Ok(Step::Yield);
        }
        let done = match self.items.pop_front() {
            Some(Ok(info)) => {
                self.count += 1;
                self.one(cx, &info)
            }
            Some(Err(error)) => Err(error),
            None => {
                gather(std::mem::take(&mut self.errors))?;
                return if self.count == 0 {
                    message("no objects passed to apply")
                } else {
                    Ok(Step::Done(0))
                };
            }
        };
        self.errors.extend(done.err());
        Ok(Step::Yield)
    }

    fn request(&self, mut request: Request, dry_run: DryRun) -> Request {
        request.options.dry_run = dry_run == DryRun::Server;
        request.options.field_validation = self.validation;
        request.options.field_manager = Some(super::apply_manager(&self.parsed).to_owned());
        request
    }

    fn one(&mut self, cx: &mut Cx<'_>, info: &Info) -> Result<()> {
        if info.name.is_empty() {
            let prefix = text(&info.object, &["metadata", "generateName"]);
            if !prefix.is_empty() {
                return message(format!("from {prefix}: cannot use generate name with apply"));
            }
        }
        if self.server_side {
            return self.server_side(cx, info);
        }
        if let Some(problem) = unusable_name(&info.name) {
            return message(problem).map_err(|error| retrieving(error, info));
        }
        let mut modified = info.object.clone();
        self.parsed.record(&mut modified);
        annotate(&mut modified);
        let current = match cx.get(info.kind, &info.namespace, &info.name) {
            Ok(current) => current,
            Err(error) if error.is_not_found() => {
                let created = if self.reporter.dry_run == DryRun::Client {
                    modified
                } else {
                    let request = Request::create(info.kind, &info.namespace, modified);
                    cx.object(self.request(request, self.reporter.dry_run))
                        .map_err(|e| e.when("creating", &info.source))?
                };
                return self.reporter.report(cx, &created, "created", Order::Sorted);
            }
            Err(error) => {
                return Err(retrieving(error, info));
            }
        };
        let applied = text(&current, &["metadata", "annotations", LAST_APPLIED]).to_owned();
        let applied = applied.as_str();
        if applied.is_empty() && self.reporter.dry_run != DryRun::Client {
            cx.errln(&format!(
                "Warning: resource {}/{} is missing the {LAST_APPLIED} annotation which is required by kubectl apply. kubectl apply should only be used on resources created declaratively by either kubectl create --save-config or kubectl apply. The missing annotation will be patched automatically.",
                info.kind.plural, info.name
            ));
        }
        warn_of_deletion(cx, &current, &info.name);
        let original: Value = podlab_yaml::parse_json(applied).unwrap_or(Value::Null);
        let mut current = current;
        crate::value::remove(&mut current, &["metadata"], "managedFields");
        let (how, patch) = match three_way(info.kind, &original, &modified, &current) {
            Ok(made) => made,
            Err(error) => {
                return message(format!(
                    "error when applying patch:\n\nto:\n{}\nfor: {:?}: creating patch with:\noriginal:\n{applied}\nmodified:\n{}\ncurrent:\n{}\nfor:: {error}",
                    describe(info),
                    info.source,
                    podlab_yaml::to_json_compact(&modified),
                    podlab_yaml::to_json_compact(&current),
                ));
            }
        };
        if patch.as_object().is_some_and(|m| m.is_empty()) {
            return self.reporter.report(cx, &current, "unchanged", Order::Sorted);
        }
        let patched = if self.reporter.dry_run == DryRun::Client {
            podlab_api::patch::apply(info.kind, how, &current, &patch)?
        } else {
            let request = Request::patch(info.kind, &info.namespace, &info.name, how, patch.clone());
            match cx.object(self.request(request, self.reporter.dry_run)) {
                Ok(object) => object,
                Err(error) if self.parsed.bool("force") && recreates(&error) => {
                    let mut delete = Request::delete(info.kind, &info.namespace, &info.name);
                    delete.options.grace_period_seconds = Some(0);
                    delete.options.propagation = Some(Propagation::Background);
                    cx.ask(delete)?;
                    let request = Request::create(info.kind, &info.namespace, modified);
                    cx.object(self.request(request, self.reporter.dry_run))
                        .map_err(|e| e.when("creating", &info.source))?
                }
                Err(error) => {
                    let error = error.when("patching", &info.source);
                    let verb = format!(
                        "applying patch:\n{}\nto:\n{}\nfor:",
                        podlab_yaml::to_json_compact(&patch),
                        describe(info)
                    );
                    return Err(error.when(&verb, &info.source));
                }
            }
        };
        self.reporter.report(cx, &patched, "configured", Order::Sorted)
    }

    fn server_side(&mut self, cx: &mut Cx<'_>, info: &Info) -> Result<()> {
        let mut request =
            Request::patch(info.kind, &info.namespace, &info.name, PatchType::Apply, info.object.clone());
        let subresource = self.parsed.str("subresource");
        if !subresource.is_empty() {
            request = request.subresource(subresource.to_owned());
        }
        request.options.dry_run = self.reporter.dry_run == DryRun::Server;
        request.options.field_validation = self.validation;
        request.options.field_manager = Some(super::apply_manager(&self.parsed).to_owned());
        request.options.force = self.parsed.bool("force-conflicts");
        let mut object = super::apply_upgrade::apply(cx, request)?;
        warn_of_deletion(cx, &object, &info.name);
        if !cx.managed {
            crate::value::remove(&mut object, &["metadata"], "managedFields");
        }
        self.reporter.report(cx, &object, "serverside-applied", Order::Sorted)
    }
}

fn recreates(error: &Error) -> bool {
    error.status().is_some_and(|s| matches!(s.reason, "Invalid" | "Conflict"))
}

/// `Resource: "/v1, Resource=pods", GroupVersionKind: …`.
pub(crate) fn describe(info: &Info) -> String {
    let kind = info.kind;
    format!(
        "Resource: \"{}/{}, Resource={}\", GroupVersionKind: \"{}/{}, Kind={}\"\nName: {:?}, Namespace: {:?}",
        kind.group, kind.version, kind.plural, kind.group, kind.version, kind.kind, info.name, info.namespace
    )
}

/// What the client says of a name that can't stand in a URL.
///
/// Source: k8s.io/client-go/rest/request.go `Name` (v1.37).
fn unusable_name(name: &str) -> Option<String> {
    if name.is_empty() {
        return Some("resource name may not be empty".to_owned());
    }
    let errors = podlab_api::validation::content::is_path_segment_name(name);
    (!errors.is_empty()).then(|| format!("invalid resource name {name:?}: [{}]", errors.join(" ")))
}

pub(crate) fn retrieving(error: Error, info: &Info) -> Error {
    let text = format!(
        "error when retrieving current configuration of:\n{}\nfrom server for: {:?}: ",
        describe(info),
        info.source
    );
    match error {
        Error::Status(mut status) => {
            status.message = format!("{text}{}", status.message);
            Error::Status(status)
        }
        other => Error::Message(format!("{text}{}", other.text())),
    }
}
