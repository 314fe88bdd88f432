//! What a write does to the managers of an object, and what server-side apply makes of the object.
//!
//! Source: sigs.k8s.io/structured-merge-diff/v6/merge/update.go; k8s.io/apimachinery/pkg/util/managedfields/internal
//! (fieldmanager.go and the managers that it is made of, v1.37).

use super::managers::{Manager, Managers, Operation, Owned};
use super::path::{PathElement, path_text};
use super::set::Set;
use super::typed::Typed;
use super::walk::{Comparison, compare, field_set, merge, misfits, remove};
use crate::{Status, StatusCause, StatusDetails, versions};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Where `kubectl apply` keeps what it applied.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The manager under which kubectl applies unless told otherwise.
const KUBECTL: &str = "kubectl";

/// What a write goes by.
#[derive(Clone, Debug)]
pub struct Context<'a> {
    /// The type of the objects.
    pub ty: Typed<'a>,
    /// The version in which the write is made.
    pub api_version: &'a str,
    /// What a write of this resource or subresource resets, and nobody comes to own by it.
    pub reset: Reset,
    /// The present instant, in seconds since the Unix epoch.
    pub now: i64,
}

/// Which fields a write is without: these, and what is below them.
#[derive(Clone, Debug)]
pub struct Reset(pub Set);

impl Reset {
    fn set(&self, set: &Set) -> Set {
        set.recursive_difference(&self.0)
    }

    fn comparison(&self, found: &Comparison) -> Comparison {
        Comparison {
            removed: self.set(&found.removed),
            modified: self.set(&found.modified),
            added: self.set(&found.added),
        }
    }
}

/// A field that somebody else owns.
#[derive(Clone, Debug, PartialEq)]
pub struct Conflict {
    /// Who.
    pub manager: Manager,
    /// Which.
    pub path: Vec<PathElement>,
}

/// The fields that no manager comes to own.
fn stripped() -> Set {
    let own = ["name", "namespace", "creationTimestamp", "selfLink", "uid", "clusterName", "generation"];
    let own = own.iter().chain(&["managedFields", "resourceVersion"]);
    let paths = [vec!["apiVersion"], vec!["kind"], vec!["metadata"]];
    let paths = paths.into_iter().chain(own.map(|name| vec!["metadata", *name]));
    paths.fold(Set::default(), |all, path| all.union(&Set::of_fields(&path)))
}

/// Takes from the managers what a change from `old` to `new` takes, but from the one who writes.
fn take(
    context: &Context<'_>,
    managers: &mut Managers,
    old: &Value,
    new: &Value,
    who: Option<&Manager>,
    force: bool,
) -> Result<Comparison, Vec<Conflict>> {
    let found = context.reset.comparison(&compare(context.ty, old, new));
    let mut in_versions = BTreeMap::new();
    for owned in managers.0.values() {
        if !in_versions.contains_key(&owned.api_version) {
            let (changed, removed) = match compare_in(context, &owned.api_version, old, new) {
                Some(other) => (other.modified.union(&other.added), other.removed),
                None => (found.modified.union(&found.added), found.removed.clone()),
            };
            in_versions.insert(owned.api_version.clone(), (changed, removed));
        }
    }
    let mut conflicts = Vec::new();
    if !force {
        for (manager, owned) in managers.0.iter().filter(|(manager, _)| Some(*manager) != who) {
            let Some((changed, _)) = in_versions.get(&owned.api_version) else { continue };
            let paths = owned.set.intersection(changed).paths();
            conflicts.extend(paths.into_iter().map(|path| Conflict { manager: manager.clone(), path }));
        }
    }
    if !conflicts.is_empty() {
        return Err(conflicts);
    }
    for (_, owned) in managers.0.iter_mut().filter(|(manager, _)| Some(*manager) != who) {
        let Some((changed, removed)) = in_versions.get(&owned.api_version) else { continue };
        owned.set = owned.set.difference(&owned.set.intersection(changed)).difference(removed);
    }
    managers.0.retain(|_, owned| !owned.set.is_empty());
    Ok(found)
}

/// What differs in the version in which others wrote; `None` for the version of the write, or one that is not known.
fn compare_in(context: &Context<'_>, version: &str, old: &Value, new: &Value) -> Option<Comparison> {
    if version == context.api_version {
        return None;
    }
    let (kind, old) = versions::convert(old, version)?;
    let (_, new) = versions::convert(new, version)?;
    Some(context.reset.comparison(&compare(Typed::of(kind), &old, &new)))
}

/// The managers after a write that is no apply: the writer comes to own what it changed.
pub fn update(
    context: &Context<'_>,
    mut managers: Managers,
    old: &Value,
    new: &Value,
    who: Manager,
) -> Managers {
    let Ok(found) = take(context, &mut managers, old, new, None, true) else { return managers };
    let set = found.modified.union(&found.added).difference(&stripped());
    managers.give(who, context.api_version, set, Some(context.now));
    managers.cap();
    managers
}

/// What an apply comes to.
#[derive(Clone, Debug)]
pub struct Applied {
    /// The object; `None` where it stays as it is.
    pub object: Option<Value>,
    /// Who owns what.
    pub managers: Managers,
}

/// Applies a configuration under a name.
///
/// `zero` is the object with nothing in it; `live` is the same where there is none yet. `about` names the object in
/// errors: `default/web; apps/v1, Kind=Deployment`.
///
/// # Errors
/// 409 with one cause a conflict; 500 where the configuration does not fit the type, as Kubernetes answers that.
pub fn apply(
    context: &Context<'_>,
    managers: Managers,
    (zero, live): (&Value, &Value),
    config: &Value,
    who: &Manager,
    force: bool,
    about: &str,
) -> Result<Applied, Status> {
    if config.pointer("/metadata/managedFields").is_some_and(|fields| !fields.is_null()) {
        return Err(Status::bad_request("metadata.managedFields must be nil"));
    }
    let wrong = misfits(context.ty, config);
    if !wrong.is_empty() {
        let text = match wrong.as_slice() {
            [one] => one.clone(),
            many => format!("errors:\n  {}", many.join("\n  ")),
        };
        return Err(untyped(&format!("failed to create typed patch object ({about}): {text}")));
    }
    let managers = if managers.is_empty() {
        // What was there before anybody applied is somebody's, too.
        let first = Manager::new("before-first-apply", Operation::Update, context.api_version, "");
        update(context, managers, zero, live, first)
    } else {
        managers
    };
    let mut applied = match merge_in(context, managers.clone(), live, config, who, force) {
        Ok(applied) => applied,
        Err(conflicts) => {
            let left = conflicts_left(context, live, who, &conflicts);
            if !left.is_empty() {
                return Err(conflict(&left));
            }
            merge_in(context, managers, live, config, who, true).map_err(|conflicts| conflict(&conflicts))?
        }
    };
    if who.name == KUBECTL {
        keep_last_applied(&mut applied, live, config);
    }
    Ok(applied)
}

/// An error that the API server has no status for.
fn untyped(message: &str) -> Status {
    Status { code: 500, reason: "", message: message.to_owned(), details: None }
}

fn merge_in(
    context: &Context<'_>,
    mut managers: Managers,
    live: &Value,
    config: &Value,
    who: &Manager,
    force: bool,
) -> Result<Applied, Vec<Conflict>> {
    let merged = merge(context.ty, live, config);
    let last = managers.0.get(who).cloned();
    let set = context.reset.set(&field_set(context.ty, config));
    let time = last.as_ref().and_then(|last| last.time);
    let api_version = context.api_version.to_owned();
    managers.0.insert(who.clone(), Owned { set, api_version, time });
    let new = match last {
        Some(last) if !last.set.is_empty() => prune(context.ty, &merged, &managers, &last.set),
        _ => merged,
    };
    take(context, &mut managers, live, &new, Some(who), force)?;
    let object = (*live != new).then_some(new);
    if let Some(owned) = managers.0.get_mut(who) {
        owned.set = owned.set.difference(&stripped());
        if object.is_some() {
            owned.time = Some(context.now);
        }
    }
    managers.0.retain(|_, owned| !owned.set.is_empty());
    Ok(Applied { object, managers })
}

/// The merged object without what the writer owned, no longer names and nobody else owns.
fn prune(ty: Typed<'_>, merged: &Value, managers: &Managers, last: &Set) -> Value {
    let last = last.with_named_fields(ty);
    let all = field_set(ty, merged).with_named_fields(ty);
    let fields_of = |value: &Value| field_set(ty, value).with_named_fields(ty);
    let pruned = remove(ty, merged, &last);
    // What others own comes back.
    let kept = fields_of(&pruned).union(&managers.all().with_named_fields(ty));
    let pruned = remove(ty, merged, &all.difference(&kept));
    // So does what the writer had not owned itself.
    remove(ty, merged, &all.difference(&fields_of(&pruned)).intersection(&last))
}

/// The conflicts that remain once those with kubectl's own client-side apply are forgiven.
fn conflicts_left(
    context: &Context<'_>,
    live: &Value,
    who: &Manager,
    conflicts: &[Conflict],
) -> Vec<Conflict> {
    let allowed = (who.name == KUBECTL).then(|| allowed_by_last_applied(context, live)).flatten();
    let allowed = allowed.unwrap_or_default();
    conflicts.iter().filter(|conflict| !allowed.has(&conflict.path)).cloned().collect()
}

/// The fields whose values are still those that client-side apply wrote.
fn allowed_by_last_applied(context: &Context<'_>, live: &Value) -> Option<Set> {
    let text = live.get("metadata")?.get("annotations")?.get(LAST_APPLIED)?.as_str()?;
    let last: Value = serde_json::from_str(text).ok()?;
    if last.get("apiVersion").and_then(Value::as_str) != Some(context.api_version)
        || !misfits(context.ty, &last).is_empty()
    {
        return None;
    }
    let found = compare(context.ty, &last, live);
    let own = field_set(context.ty, &last);
    Some(own.difference(&found.modified).difference(&found.added).difference(&found.removed))
}

/// Brings kubectl's annotation to what is applied, where the object has one.
fn keep_last_applied(applied: &mut Applied, live: &Value, config: &Value) {
    let annotation = |object: &Value| {
        object.get("metadata")?.get("annotations")?.get(LAST_APPLIED)?.as_str().map(str::to_owned)
    };
    let Some(before) = annotation(applied.object.as_ref().unwrap_or(live)).filter(|text| !text.is_empty())
    else {
        return;
    };
    let mut config = config.clone();
    if let Some(annotations) = config.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
        annotations.remove(LAST_APPLIED);
    }
    let text = format!("{}\n", crate::go_text::json(&config));
    if text != before {
        let object = applied.object.get_or_insert_with(|| live.clone());
        object["metadata"]["annotations"][LAST_APPLIED] = json!(text);
    }
}

/// 409 for what others own.
fn conflict(conflicts: &[Conflict]) -> Status {
    let causes: Vec<StatusCause> = conflicts
        .iter()
        .map(|conflict| StatusCause {
            reason: "FieldManagerConflict".to_owned(),
            message: format!("conflict with {}", conflict.manager.text()),
            field: path_text(&conflict.path),
        })
        .collect();
    let said = match conflicts {
        [one] => format!("1 conflict: conflict with {}: {}", one.manager.text(), path_text(&one.path)),
        many => {
            let mut lines = Vec::new();
            let mut last = None;
            for conflict in many {
                if last != Some(&conflict.manager) {
                    lines.push(format!("conflicts with {}:", conflict.manager.text()));
                    last = Some(&conflict.manager);
                }
                lines.push(format!("- {}", path_text(&conflict.path)));
            }
            format!("{} conflicts: {}", many.len(), lines.join("\n"))
        }
    };
    Status {
        code: 409,
        reason: "Conflict",
        message: format!("Apply failed with {said}"),
        details: Some(StatusDetails { causes, ..StatusDetails::default() }),
    }
}
