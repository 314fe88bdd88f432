//! Object metadata, labels and label selectors.
//!
//! Source: k8s.io/apimachinery/pkg/api/validation/objectmeta.go,
//! pkg/apis/meta/v1/validation/validation.go (v1.37).

use super::content;
use super::field::{BadValue, FieldError, Path};
use super::{Errors, json_of};
use crate::schema::tree::{at, flag, int, list, map, text};
use serde_json::{Map, Value};

/// A rule for names; the second argument says that more will be appended (generateName).
pub type NameRule = fn(&str, bool) -> Vec<String>;

/// A name that must be a DNS subdomain.
pub fn name_is_dns_subdomain(name: &str, prefix: bool) -> Vec<String> {
    content::is_dns1123_subdomain(&mask_trailing_dash(name, prefix))
}

/// A name that must be a DNS label.
pub fn name_is_dns_label(name: &str, prefix: bool) -> Vec<String> {
    content::is_dns1123_label(&mask_trailing_dash(name, prefix))
}

/// A name that must be a DNS label beginning with a letter.
pub fn name_is_dns1035_label(name: &str, prefix: bool) -> Vec<String> {
    content::is_dns1035_label(&mask_trailing_dash(name, prefix))
}

/// A name that must fit into a URL's path.
pub fn name_is_path_segment(name: &str, prefix: bool) -> Vec<String> {
    if prefix { content::is_path_segment_prefix(name) } else { content::is_path_segment_name(name) }
}

fn mask_trailing_dash(name: &str, prefix: bool) -> String {
    if prefix && name.len() > 1 && name.ends_with('-') {
        // As the original does it: the character before the dash goes too.
        let mut cut = name.len() - 2;
        while !name.is_char_boundary(cut) {
            cut -= 1;
        }
        return format!("{}a", name.get(..cut).unwrap_or(""));
    }
    name.to_owned()
}

/// Metadata of a new object; `kube` adds the check of finalizers without a domain that the core types have.
pub(crate) fn validate_object_meta(
    errors: &mut Errors,
    object: &Value,
    namespaced: bool,
    rule: NameRule,
    path: &Path,
) {
    let meta = at(object, "metadata");
    let generate_name = text(meta, "generateName");
    if !generate_name.is_empty() {
        for message in rule(generate_name, true) {
            errors.push(FieldError::invalid(&path.child("generateName"), generate_name, message));
        }
    }
    let name = text(meta, "name");
    if name.is_empty() {
        errors.push(FieldError::required(&path.child("name"), "name or generateName is required"));
    } else {
        for message in rule(name, false) {
            errors.push(FieldError::invalid(&path.child("name"), name, message));
        }
    }
    let namespace = text(meta, "namespace");
    if !namespaced {
        if !namespace.is_empty() {
            errors.push(FieldError::forbidden(&path.child("namespace"), "not allowed on this type"));
        }
    } else if namespace.is_empty() {
        errors.push(FieldError::required(&path.child("namespace"), ""));
    } else {
        for message in name_is_dns_label(namespace, false) {
            errors.push(FieldError::invalid(&path.child("namespace"), namespace, message));
        }
    }
    non_negative(errors, int(meta, "generation").unwrap_or(0), &path.child("generation"));
    common(errors, meta, path);
    let finalizers = path.child("finalizers");
    let mut both = [false, false];
    for finalizer in list(meta, "finalizers").iter().filter_map(Value::as_str) {
        for message in content::is_qualified_name(finalizer) {
            errors.push(FieldError::invalid(&finalizers, finalizer, message));
        }
        let [orphan, foreground] = &mut both;
        *orphan |= finalizer == "orphan";
        *foreground |= finalizer == "foregroundDeletion";
    }
    if both == [true, true] {
        let all = at(meta, "finalizers").clone();
        let detail = "finalizer foregroundDeletion and orphan cannot be both set";
        errors.push(FieldError::invalid(&finalizers, all, detail));
    }
}

/// Whether a finalizer without a domain is one of Kubernetes' own.
pub(crate) fn is_standard_finalizer(name: &str) -> bool {
    matches!(name, "kubernetes" | "orphan" | "foregroundDeletion")
}

/// The finalizers that core types know when they have no domain.
///
/// Source: pkg/apis/core/validation/validation.go validateKubeFinalizerName (v1.37).
pub(crate) fn validate_kube_finalizers(errors: &mut Errors, object: &Value, path: &Path) {
    let finalizers = path.child("finalizers");
    for (i, finalizer) in list(object, "metadata.finalizers").iter().enumerate() {
        let name = finalizer.as_str().unwrap_or("");
        if !name.contains('/') && !is_standard_finalizer(name) {
            errors.push(FieldError::invalid(
                &finalizers.index(i),
                name,
                "name is neither a standard finalizer name nor is it fully qualified",
            ));
        }
    }
}

fn common(errors: &mut Errors, meta: &Value, path: &Path) {
    validate_labels(errors, map(meta, "labels"), &path.child("labels"));
    validate_annotations(errors, map(meta, "annotations"), &path.child("annotations"));
    validate_owner_references(errors, meta, &path.child("ownerReferences"));
}

/// Metadata of an object that is to replace another.
pub(crate) fn validate_object_meta_update(errors: &mut Errors, new: &Value, old: &Value, path: &Path) {
    let (new, old) = (at(new, "metadata"), at(old, "metadata"));
    if !at(old, "deletionTimestamp").is_null() {
        let before = list(old, "finalizers");
        let extra: Vec<&str> = list(new, "finalizers")
            .iter()
            .filter(|f| !before.contains(f))
            .filter_map(Value::as_str)
            .collect();
        if !extra.is_empty() {
            let mut sorted = extra;
            sorted.sort_unstable();
            sorted.dedup();
            let quoted: Vec<String> = sorted.iter().map(|f| crate::go_text::quote(f)).collect();
            errors.push(FieldError::forbidden(
                &path.child("finalizers"),
                format!(
                    "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
                    quoted.join(", ")
                ),
            ));
        }
    }
    if text(new, "resourceVersion").is_empty() {
        errors.push(FieldError::invalid(
            &path.child("resourceVersion"),
            "",
            "must be specified for an update",
        ));
    }
    let (generation, before) = (int(new, "generation").unwrap_or(0), int(old, "generation").unwrap_or(0));
    non_negative(errors, generation, &path.child("generation"));
    if generation < before {
        errors.push(FieldError::invalid(&path.child("generation"), generation, "must not be decremented"));
    }
    for name in
        ["name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"]
    {
        immutable(errors, at(new, name), at(old, name), &path.child(name));
    }
    common(errors, new, path);
}

/// `field is immutable` where two values differ.
pub(crate) fn immutable(errors: &mut Errors, new: &Value, old: &Value, path: &Path) {
    if new != old {
        errors.push(FieldError::invalid(path, new.clone(), "field is immutable"));
    }
}

/// As [`immutable`], with the new value as Go shows it.
pub(crate) fn immutable_as(errors: &mut Errors, new: &Value, old: &Value, shown: BadValue, path: &Path) {
    if new != old {
        errors.push(FieldError::invalid(path, shown, "field is immutable"));
    }
}

/// `must be greater than or equal to 0`.
pub(crate) fn non_negative(errors: &mut Errors, value: i64, path: &Path) {
    if value < 0 {
        errors.push(FieldError::invalid(path, value, "must be greater than or equal to 0"));
    }
}

/// Keys and values of labels.
pub(crate) fn validate_labels(errors: &mut Errors, labels: &Map<String, Value>, path: &Path) {
    for (key, value) in labels {
        for message in content::is_qualified_name(key) {
            errors.push(FieldError::invalid(path, key.as_str(), message));
        }
        let value = value.as_str().unwrap_or("");
        for message in content::is_valid_label_value(value) {
            errors.push(FieldError::invalid(path, value, message));
        }
    }
}

/// Keys and size of annotations.
pub(crate) fn validate_annotations(errors: &mut Errors, annotations: &Map<String, Value>, path: &Path) {
    const TOTAL_SIZE_LIMIT: usize = 256 * 1024;
    let mut size = 0;
    for (key, value) in annotations {
        for message in content::is_qualified_name(&key.to_lowercase()) {
            errors.push(FieldError::invalid(path, key.as_str(), message));
        }
        size += key.len() + value.as_str().map_or(0, str::len);
    }
    if size > TOTAL_SIZE_LIMIT {
        errors.push(FieldError::too_long(path, TOTAL_SIZE_LIMIT));
    }
}

fn validate_owner_references(errors: &mut Errors, meta: &Value, path: &Path) {
    let mut first_controller: Option<String> = None;
    let references = list(meta, "ownerReferences");
    for (i, reference) in references.iter().enumerate() {
        let path_i = path.index(i);
        let version = text(reference, "apiVersion");
        if version.is_empty() {
            errors.push(FieldError::required(&path_i.child("apiVersion"), "must not be empty"));
        } else if version.matches('/').count() > 1 || version.ends_with('/') {
            errors.push(FieldError::invalid(
                &path_i.child("apiVersion"),
                version,
                "must be <group>/<version> or <version>",
            ));
        }
        for name in ["kind", "name", "uid"] {
            if text(reference, name).is_empty() {
                errors.push(FieldError::required(&path_i.child(name), "must not be empty"));
            }
        }
        if version == "v1" && text(reference, "kind") == "Event" {
            errors.push(FieldError::invalid(
                &path_i,
                BadValue::Json(json_of("meta/v1.OwnerReference", reference)),
                "/v1, Kind=Event is disallowed from being an owner",
            ));
        }
        if flag(reference, "controller") {
            let this = format!("{}/{}", text(reference, "kind"), text(reference, "name"));
            match &first_controller {
                None => first_controller = Some(this),
                Some(first) => {
                    let all: Vec<String> =
                        references.iter().map(|r| json_of("meta/v1.OwnerReference", r)).collect();
                    errors.push(FieldError::invalid(
                        path,
                        BadValue::Json(format!("[{}]", all.join(","))),
                        format!(
                            "Only one reference can have Controller set to true. Found \"true\" in references for {first} and {this}"
                        ),
                    ));
                }
            }
        }
    }
}

/// A `metav1.LabelSelector`.
pub(crate) fn validate_label_selector(errors: &mut Errors, selector: &Value, path: &Path) {
    if selector.is_null() {
        return;
    }
    validate_labels(errors, map(selector, "matchLabels"), &path.child("matchLabels"));
    for (i, requirement) in list(selector, "matchExpressions").iter().enumerate() {
        let expressions = path.child("matchExpressions");
        let path = expressions.index(i);
        let values = list(requirement, "values");
        let operator = text(requirement, "operator");
        match operator {
            "In" | "NotIn" if values.is_empty() => errors.push(FieldError::required(
                &path.child("values"),
                "must be specified when `operator` is 'In' or 'NotIn'",
            )),
            "Exists" | "DoesNotExist" if !values.is_empty() => errors.push(FieldError::forbidden(
                &path.child("values"),
                "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
            )),
            "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
            _ => errors.push(FieldError::invalid(
                &path.child("operator"),
                operator,
                "not a valid selector operator",
            )),
        }
        let key = text(requirement, "key");
        for message in content::is_qualified_name(key) {
            errors.push(FieldError::invalid(&path.child("key"), key, message));
        }
        for (j, value) in values.iter().enumerate() {
            let value = value.as_str().unwrap_or("");
            for message in content::is_valid_label_value(value) {
                errors.push(FieldError::invalid(&path.child("values").index(j), value, message));
            }
        }
    }
}

/// Whether labels are chosen by a label selector; an empty one chooses all, null none.
///
/// Source: k8s.io/apimachinery/pkg/apis/meta/v1/helpers.go LabelSelectorAsSelector (v1.37).
pub(crate) fn selector_matches(selector: &Value, labels: &Map<String, Value>) -> bool {
    if selector.is_null() {
        return false;
    }
    let matches_labels = map(selector, "matchLabels").iter().all(|(k, v)| labels.get(k) == Some(v));
    matches_labels
        && list(selector, "matchExpressions").iter().all(|requirement| {
            let value = labels.get(text(requirement, "key"));
            let among = value.is_some_and(|v| list(requirement, "values").contains(v));
            match text(requirement, "operator") {
                "In" => among,
                "NotIn" => !among,
                "Exists" => value.is_some(),
                "DoesNotExist" => value.is_none(),
                _ => false,
            }
        })
}
