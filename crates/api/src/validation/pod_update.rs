//! What may change in a pod.
//!
//! Source: pkg/apis/core/validation/validation.go ValidatePodUpdate (v1.37).

use super::affinity::validate_tolerations;
use super::field::{BadValue, FieldError, Path};
use super::go_json::{internal_diff, internal_json};
use super::{Errors, content, pod};
use crate::schema::tree::{at, has, int, list, map, remove, set, text};
use serde_json::Value;

const UPDATABLE: &str = "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

/// Everything but the metadata's own update rules.
pub(crate) fn validate_update(errors: &mut Errors, new: &Value, old: &Value) {
    pod::validate_metadata_and_spec(errors, new);
    validate_annotation_updates(errors, new, old);
    let path = Path::new("spec");
    let (new_spec, old_spec) = (at(new, "spec"), at(old, "spec"));
    for name in ["containers", "initContainers"] {
        if !validate_container_updates(errors, list(new_spec, name), list(old_spec, name), &path.child(name))
        {
            return;
        }
    }
    if !validate_deadline(errors, new_spec, old_spec, &path.child("activeDeadlineSeconds")) {
        return;
    }
    validate_only_added_tolerations(errors, new_spec, old_spec, &path.child("tolerations"));
    let gates = path.child("schedulingGates");
    for (i, gate) in list(new_spec, "schedulingGates").iter().enumerate() {
        let name = text(gate, "name");
        if !list(old_spec, "schedulingGates").iter().any(|g| text(g, "name") == name) {
            let gate_path = gates.index(i);
            let detail = format!("only deletion is allowed, but found new scheduling gate '{name}'");
            errors.push(FieldError::forbidden(&gate_path.child("name"), detail));
        }
    }
    if new_spec == old_spec {
        return;
    }
    let munged = munge(errors, new_spec, old_spec, &path);
    if munged != *old_spec {
        let diff = internal_diff("core.PodSpec", old_spec, &munged);
        let detail = format!("pod updates may not change fields other than {UPDATABLE}\n{diff}");
        errors.push(FieldError::forbidden(&path, detail));
    }
}

pub(crate) fn validate_annotation_updates(errors: &mut Errors, new: &Value, old: &Value) {
    const MIRROR: &str = "kubernetes.io/config.mirror";
    const APP_ARMOR: &str = "container.apparmor.security.beta.kubernetes.io/";
    let (new, old) = (map(new, "metadata.annotations"), map(old, "metadata.annotations"));
    let path = Path::new("metadata.annotations");
    let told = |key: &str| {
        if key.starts_with(APP_ARMOR) {
            Some("AppArmor annotations")
        } else {
            (key == MIRROR).then_some("mirror pod annotation")
        }
    };
    for (key, value) in old.iter().filter(|(k, v)| new.get(*k) != Some(v)) {
        let _ = value;
        if let Some(what) = told(key) {
            errors.push(FieldError::forbidden(&path.key(key), format!("may not remove or update {what}")));
        }
    }
    for key in new.keys().filter(|k| !old.contains_key(*k)) {
        if let Some(what) = told(key) {
            errors.push(FieldError::forbidden(&path.key(key), format!("may not add {what}")));
        }
    }
}

/// Whether validation goes on.
fn validate_container_updates(errors: &mut Errors, new: &[Value], old: &[Value], path: &Path) -> bool {
    if new.len() != old.len() {
        errors.push(FieldError::forbidden(path, "pod updates may not add or remove containers"));
        return false;
    }
    for (i, container) in new.iter().enumerate() {
        let path = path.index(i);
        let image = text(container, "image");
        if image.is_empty() {
            errors.push(FieldError::required(&path.child("image"), ""));
        }
        if image.trim() != image {
            let detail = "must not have leading or trailing whitespace";
            errors.push(FieldError::invalid(&path.child("image"), image, detail));
        }
    }
    true
}

/// A deadline may be set and brought forward. Whether validation goes on.
fn validate_deadline(errors: &mut Errors, new: &Value, old: &Value, path: &Path) -> bool {
    let field = "activeDeadlineSeconds";
    match (int(new, field), int(old, field)) {
        (Some(new), old) => {
            let most = i64::from(i32::MAX);
            if !(0..=most).contains(&new) {
                let detail = content::inclusive_range_error(0, most);
                errors.push(FieldError::invalid(path, new, detail));
                return false;
            }
            if old.is_some_and(|old| old < new) {
                let detail = "must be less than or equal to previous value";
                errors.push(FieldError::invalid(path, new, detail));
                return false;
            }
        }
        (None, Some(_)) => {
            let detail = "must not update from a positive integer to nil value";
            errors.push(FieldError::invalid(path, Value::Null, detail));
        }
        (None, None) => {}
    }
    true
}

fn validate_only_added_tolerations(errors: &mut Errors, new: &Value, old: &Value, path: &Path) {
    let same = |a: &Value, b: &Value| {
        ["key", "operator", "value", "effect"].iter().all(|f| text(a, f) == text(b, f))
    };
    for toleration in list(old, "tolerations") {
        if !list(new, "tolerations").iter().any(|t| same(t, toleration)) {
            let detail = "existing toleration can not be modified except its tolerationSeconds";
            errors.push(FieldError::forbidden(path, detail));
            return;
        }
    }
    validate_tolerations(errors, list(new, "tolerations"), path);
}

/// The new spec with what may change as it was.
fn munge(errors: &mut Errors, new: &Value, old: &Value, path: &Path) -> Value {
    let mut munged = new.clone();
    for name in ["containers", "initContainers"] {
        let Some(containers) = munged.get_mut(name).and_then(Value::as_array_mut) else { continue };
        for (container, before) in containers.iter_mut().zip(list(old, name)) {
            restore(container, before, "image");
        }
    }
    for name in ["activeDeadlineSeconds", "schedulingGates", "tolerations"] {
        restore(&mut munged, old, name);
    }
    let grace = "terminationGracePeriodSeconds";
    if int(old, grace).is_some_and(|g| g < 0) && int(&munged, grace) == Some(1) {
        restore(&mut munged, old, grace);
    }
    if !list(old, "schedulingGates").is_empty() {
        munge_gated(errors, &mut munged, old, path);
    }
    munged
}

fn restore(new: &mut Value, old: &Value, name: &str) {
    match old.get(name) {
        Some(value) => set(new, name, value.clone()),
        None => remove(new, name),
    }
}

/// A pod that waits at its gates may still be told more narrowly where to go.
fn munge_gated(errors: &mut Errors, munged: &mut Value, old: &Value, path: &Path) {
    let (new_selector, old_selector) = (map(munged, "nodeSelector").clone(), map(old, "nodeSelector"));
    if new_selector != *old_selector {
        if old_selector.iter().any(|(k, v)| new_selector.get(k) != Some(v)) {
            let detail = "only additions to spec.nodeSelector are allowed (no mutations or deletions)";
            errors.push(FieldError::invalid(&path.child("nodeSelector"), new_selector, detail));
        }
        restore(munged, old, "nodeSelector");
    }
    let new_affinity = at(munged, "affinity.nodeAffinity").clone();
    let old_affinity = at(old, "affinity.nodeAffinity");
    if new_affinity == *old_affinity {
        return;
    }
    validate_affinity_mutation(errors, &new_affinity, old_affinity, &path.child("affinity.nodeAffinity"));
    match (has(munged, "affinity"), has(old, "affinity")) {
        (true, false) if !has(munged, "affinity.podAffinity") && !has(munged, "affinity.podAntiAffinity") => {
            remove(munged, "affinity");
        }
        (true, _) => {
            if let Some(affinity) = munged.get_mut("affinity") {
                restore(affinity, at(old, "affinity"), "nodeAffinity");
            }
        }
        (false, true) => {
            set(munged, "affinity", serde_json::json!({"nodeAffinity": old_affinity}));
        }
        (false, false) => {}
    }
}

fn validate_affinity_mutation(errors: &mut Errors, new: &Value, old: &Value, path: &Path) {
    const TERMS: &str = "requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms";
    if !has(old, "requiredDuringSchedulingIgnoredDuringExecution") {
        return;
    }
    let (new_terms, old_terms) = (list(new, TERMS), list(old, TERMS));
    let terms_path = path.child(TERMS);
    if !old_terms.is_empty() && new_terms.len() != old_terms.len() {
        let all: Vec<String> = new_terms.iter().map(|t| internal_json("core.NodeSelectorTerm", t)).collect();
        let shown = if all.is_empty() { "null".to_owned() } else { format!("[{}]", all.join(",")) };
        let detail = "no additions/deletions to non-empty NodeSelectorTerms list are allowed";
        errors.push(FieldError::invalid(&terms_path, BadValue::Json(shown), detail));
        return;
    }
    for (i, (new, old)) in new_terms.iter().zip(old_terms).enumerate() {
        let was_empty = list(old, "matchExpressions").is_empty() && list(old, "matchFields").is_empty();
        let is_empty = list(new, "matchExpressions").is_empty() && list(new, "matchFields").is_empty();
        let only_added = ["matchExpressions", "matchFields"]
            .iter()
            .all(|field| list(new, field).starts_with(list(old, field)));
        if !only_added || was_empty && !is_empty {
            let shown = BadValue::Json(internal_json("core.NodeSelectorTerm", new));
            let detail = "only additions are allowed (no mutations or deletions)";
            errors.push(FieldError::invalid(&terms_path.index(i), shown, detail));
        }
    }
}
