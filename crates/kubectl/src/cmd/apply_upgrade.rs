//! Server-side apply, and the change to it of what was applied client-side before: the fields of those managers become
//! the applier's.
//!
//! Source: k8s.io/kubectl/pkg/cmd/apply/apply.go, k8s.io/client-go/util/csaupgrade/upgrade.go (v1.37).

use super::apply::LAST_APPLIED;
use crate::cx::Cx;
use crate::error::{Error, Result};
use crate::value::text;
use podlab_api::Request;
use podlab_api::door::{PatchType, RequestOptions, Verb};
use podlab_api::managed_fields::{Manager, Managers, Operation, Set};
use serde_json::{Value, json};

/// Who applies unless `--field-manager` says otherwise.
const KUBECTL: &str = "kubectl";

/// Who keeps kubectl's annotation then.
const LAST_APPLIED_MANAGER: &str = "kubectl-last-applied";

/// What a conflict is followed by.
const HELP: &str = "Please review the fields above--they currently have other managers. Here
are the ways you can resolve this warning:
* If you intend to manage all of these fields, please re-run the apply
  command with the `--force-conflicts` flag.
* If you do not intend to manage all of the fields, please edit your
  manifest to remove references to the fields that should keep their
  current managers.
* You may co-own fields by updating your manifest to match the existing
  value; in this case, you'll become the manager if the other manager(s)
  stop managing the field (remove it from their configuration).
See https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts";

/// Applies, then hands over what client-side apply owned; gives the object with its managed fields.
pub(super) fn apply(cx: &mut Cx<'_>, request: Request) -> Result<Value> {
    let shown = std::mem::replace(&mut cx.managed, true);
    let object = apply_managed(cx, request);
    cx.managed = shown;
    object
}

fn apply_managed(cx: &mut Cx<'_>, request: Request) -> Result<Value> {
    let applied = cx.object(request.clone()).map_err(|error| match error {
        Error::Status(status) if status.is_conflict() => {
            Error::Message(format!("{}\n{HELP}", status.message))
        }
        other => other,
    })?;
    let kept = match keep_annotation(cx, &request, &applied) {
        Ok(kept) => kept.unwrap_or(applied),
        Err(error) => {
            cx.err(&warning(
                "failed to migrate kubectl.kubernetes.io/last-applied-configuration for Server-Side Apply",
                &error,
            ));
            return Ok(applied);
        }
    };
    match migrate(cx, &request, &kept) {
        Ok(None) => Ok(kept),
        Ok(Some(migrated)) => match cx.object(request) {
            Ok(object) => Ok(object),
            Err(error) => {
                cx.err(&warning(
                    "failed to re-apply configuration after performing Server-Side Apply migration",
                    &error,
                ));
                Ok(migrated)
            }
        },
        Err(error) => {
            cx.err(&warning("server rejected managed fields migration to Server-Side Apply", &error));
            Ok(kept)
        }
    }
}

fn warning(what: &str, error: &Error) -> String {
    format!(
        "Warning: {what}. This is non-fatal and will be retried next time you apply. Error: {}\n",
        error.text()
    )
}

fn annotation() -> Set {
    Set::of_fields(&["metadata", "annotations", LAST_APPLIED])
}

fn managers(object: &Value) -> Managers {
    let entries = object.pointer("/metadata/managedFields").and_then(Value::as_array);
    Managers::decode(entries.map_or(&[], Vec::as_slice)).unwrap_or_default()
}

/// The managers that own the annotation by writes of this make.
fn owners(managers: &Managers, operation: Operation) -> Vec<&Manager> {
    let all = managers.0.iter().filter(|(manager, _)| manager.operation == operation);
    all.filter(|(_, owned)| annotation().difference(&owned.set).is_empty())
        .map(|(manager, _)| manager)
        .collect()
}

fn manager_of(request: &Request) -> &str {
    request.options.field_manager.as_deref().unwrap_or(KUBECTL)
}

/// Applies the annotation under a name of its own, lest it goes with the next apply.
fn keep_annotation(cx: &mut Cx<'_>, request: &Request, object: &Value) -> Result<Option<Value>> {
    let applied = text(object, &["metadata", "annotations", LAST_APPLIED]);
    if manager_of(request) != KUBECTL
        || object.pointer("/metadata/annotations").is_none_or(|all| all.get(LAST_APPLIED).is_none())
        || !owners(&managers(object), Operation::Apply).is_empty()
    {
        return Ok(None);
    }
    let mut metadata =
        json!({"name": text(object, &["metadata", "name"]), "annotations": {LAST_APPLIED: applied}});
    if let Some(namespace) = object.pointer("/metadata/namespace") {
        metadata["namespace"] = namespace.clone();
    }
    let mut keep = request.clone();
    keep.body = json!({"apiVersion": object["apiVersion"], "kind": object["kind"], "metadata": metadata});
    keep.options = RequestOptions {
        field_manager: Some(LAST_APPLIED_MANAGER.to_owned()),
        dry_run: request.options.dry_run,
        field_validation: request.options.field_validation,
        ..RequestOptions::default()
    };
    cx.object(keep).map(Some)
}

/// Makes the applier's what the managers of client-side apply own; `None` where there are none.
fn migrate(cx: &mut Cx<'_>, request: &Request, object: &Value) -> Result<Option<Value>> {
    let mut all = managers(object);
    let mut names: Vec<String> =
        owners(&all, Operation::Update).into_iter().map(|manager| manager.name.clone()).collect();
    names.dedup();
    if names.is_empty() {
        return Ok(None);
    }
    for name in names {
        hand_over(&mut all, &name, manager_of(request));
    }
    let mut patch = request.clone();
    patch.verb = Verb::Patch(PatchType::Json);
    patch.body = json!([
        {"op": "replace", "path": "/metadata/managedFields", "value": all.encode()},
        {"op": "replace", "path": "/metadata/resourceVersion", "value": object["metadata"]["resourceVersion"]},
    ]);
    patch.options.force = false;
    cx.object(patch).map(Some)
}

/// Gives an applier what a manager of updates owns, and leaves nothing to that one.
fn hand_over(all: &mut Managers, from: &str, to: &str) {
    let is_from = |manager: &Manager| {
        manager.name == from && manager.operation == Operation::Update && manager.subresource.is_empty()
    };
    let applier = Manager::new(to, Operation::Apply, "", "");
    if !all.0.contains_key(&applier) {
        let Some(first) = all.0.keys().find(|manager| is_from(manager)).cloned() else { return };
        if let Some(owned) = all.0.remove(&first) {
            all.0.insert(applier.clone(), owned);
        }
    }
    let Some(mut owned) = all.0.get(&applier).cloned() else { return };
    let same =
        all.0.iter().find(|(manager, other)| is_from(manager) && other.api_version == owned.api_version);
    if let Some((_, other)) = same {
        owned.set = owned.set.union(&other.set);
    }
    all.0.insert(applier, owned);
    all.0.retain(|manager, _| !is_from(manager));
}
