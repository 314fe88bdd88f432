//! Definitions of custom resources: names, versions, and that schemas are structural.
//!
//! Not checked: defaults and examples in schemas, list maps' keys, CEL rules, conversion webhooks.
//!
//! Source: apiextensions-apiserver pkg/apis/apiextensions/validation/validation.go,
//! pkg/apiserver/schema/validation.go (v0.37).

use super::content::{is_dns1035_label, is_dns1123_subdomain};
use super::field::{BadValue, FieldError, Path};
use super::{Errors, internal_json, required, required_supported};
use crate::schema::tree::{at, flag, has, list, map, text};
use serde_json::Value;

/// Whether the name is made of plural and group, as it must be.
pub(super) fn name_fits(definition: &Value) -> bool {
    let (plural, group) = (text(definition, "spec.names.plural"), text(definition, "spec.group"));
    text(definition, "metadata.name") == format!("{plural}.{group}")
}

pub(super) fn validate(errors: &mut Errors, definition: &Value) {
    let path = Path::new("metadata");
    let name = text(definition, "metadata.name");
    if !name.is_empty() && !name_fits(definition) {
        let detail = "must be spec.names.plural+\".\"+spec.group";
        errors.push(FieldError::invalid(&path.child("name"), name, detail));
    }
    let spec = at(definition, "spec");
    let path = Path::new("spec");
    validate_group(errors, text(spec, "group"), &path.child("group"));
    required_supported(errors, &path.child("scope"), text(spec, "scope"), &["Cluster", "Namespaced"]);
    validate_versions(errors, spec, &path);
    validate_names(errors, at(spec, "names"), &path.child("names"));
    if let [only] = list(spec, "versions") {
        // The internal type has a lone version's schema at the top.
        let validation = path.child("validation");
        structural(
            errors,
            at(only, "schema.openAPIV3Schema"),
            Level::Root,
            &validation.child("openAPIV3Schema"),
        );
    }
    let storage: Vec<&str> =
        list(spec, "versions").iter().filter(|v| flag(v, "storage")).map(|v| text(v, "name")).collect();
    let stored = list(definition, "status.storedVersions");
    if let Some(last) =
        storage.last().filter(|last| !stored.is_empty() && !stored.iter().any(|v| v == **last))
    {
        let detail = format!("must have the storage version {last}");
        let shown = BadValue::Value(Value::Array(stored.to_vec()));
        errors.push(FieldError::invalid(&Path::new("status.storedVersions"), shown, detail));
    }
}

fn validate_group(errors: &mut Errors, group: &str, path: &Path) {
    if !required(errors, path, group) {
        return;
    }
    let messages = is_dns1123_subdomain(group);
    if !messages.is_empty() {
        errors.push(FieldError::invalid(path, group, messages.join(",")));
    } else if !group.contains('.') {
        errors.push(FieldError::invalid(path, group, "should be a domain with at least one dot"));
    }
}

fn validate_versions(errors: &mut Errors, spec: &Value, path: &Path) {
    let versions = list(spec, "versions");
    let versions_path = path.child("versions");
    for (i, version) in versions.iter().enumerate() {
        if !has(version, "schema") || !has(at(version, "schema"), "openAPIV3Schema") {
            let path = versions_path.index(i);
            let path = path.child("schema");
            errors.push(FieldError::required(&path.child("openAPIV3Schema"), ""));
        }
    }
    for (i, version) in versions.iter().enumerate() {
        let path = versions_path.index(i);
        label(errors, text(version, "name"), &path.child("name"), "");
        if versions.len() > 1 && has(version, "schema") {
            let path = path.child("schema");
            structural(
                errors,
                at(version, "schema.openAPIV3Schema"),
                Level::Root,
                &path.child("openAPIV3Schema"),
            );
        }
    }
    let mut names: Vec<&str> = versions.iter().map(|v| text(v, "name")).collect();
    names.sort_unstable();
    names.dedup();
    let mut problem = |detail: &str| {
        errors.push(FieldError::invalid(&versions_path, BadValue::Json(shown_versions(versions)), detail));
    };
    if names.len() < versions.len() {
        problem("must contain unique version names");
    }
    if versions.iter().filter(|v| flag(v, "storage")).count() != 1 {
        problem("must have exactly one version marked as storage version");
    }
}

/// The versions as errors show them; what a lone one says stands at the top of the internal type.
fn shown_versions(versions: &[Value]) -> String {
    const MOVED: [&str; 4] = ["schema", "subresources", "additionalPrinterColumns", "selectableFields"];
    let mut versions = versions.to_vec();
    if let [Value::Object(only)] = versions.as_mut_slice() {
        MOVED.iter().for_each(|field| {
            only.remove(*field);
        });
    }
    let shown: Vec<String> = versions
        .iter()
        .map(|version| internal_json("apiextensions.CustomResourceDefinitionVersion", version))
        .collect();
    format!("[{}]", shown.join(","))
}

fn label(errors: &mut Errors, value: &str, path: &Path, prefix: &str) {
    let messages = is_dns1035_label(&value.to_lowercase());
    let strict = if prefix.is_empty() { is_dns1035_label(value) } else { messages };
    if !strict.is_empty() {
        errors.push(FieldError::invalid(path, value, format!("{prefix}{}", strict.join(","))));
    }
}

fn validate_names(errors: &mut Errors, names: &Value, path: &Path) {
    const FIELDS: [&str; 4] = ["plural", "singular", "kind", "listKind"];
    for field in FIELDS {
        required(errors, &path.child(field), text(names, field));
    }
    for field in FIELDS {
        let value = text(names, field);
        let mixed = matches!(field, "kind" | "listKind");
        let prefix = if mixed { "may have mixed case, but should otherwise match: " } else { "" };
        if !value.is_empty() {
            label(errors, value, &path.child(field), prefix);
        }
    }
    let words = |errors: &mut Errors, field: &str| {
        for (i, word) in list(names, field).iter().filter_map(Value::as_str).enumerate() {
            label(errors, word, &path.child(field).index(i), "");
        }
    };
    words(errors, "shortNames");
    let kind = text(names, "kind");
    if !kind.is_empty() && kind == text(names, "listKind") {
        let detail = "kind and listKind may not be the same";
        errors.push(FieldError::invalid(&path.child("listKind"), kind, detail));
    }
    words(errors, "categories");
}

/// Where in a schema one stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Root,
    Field,
    Items,
}

/// Every object field and array item must have a type.
fn structural(errors: &mut Errors, schema: &Value, level: Level, path: &Path) {
    if !schema.is_object() {
        return;
    }
    if let Some(items) = schema.get("items") {
        structural(errors, items, Level::Items, &path.child("items"));
    }
    for (name, property) in map(schema, "properties") {
        structural(errors, property, Level::Field, &path.child("properties").key(name));
    }
    if let Some(values) = schema.get("additionalProperties") {
        structural(errors, values, Level::Field, &path.child("additionalProperties"));
    }
    let kind = text(schema, "type");
    let free =
        flag(schema, "x-kubernetes-int-or-string") || flag(schema, "x-kubernetes-preserve-unknown-fields");
    let path = path.child("type");
    match level {
        Level::Root if kind.is_empty() => {
            errors.push(FieldError::required(&path, "must not be empty at the root"));
        }
        Level::Root if kind != "object" => {
            errors.push(FieldError::invalid(&path, kind, "must be object at the root"));
        }
        Level::Items if kind.is_empty() && !free => {
            errors.push(FieldError::required(&path, "must not be empty for specified array items"));
        }
        Level::Field if kind.is_empty() && !free => {
            errors.push(FieldError::required(&path, "must not be empty for specified object fields"));
        }
        _ => {}
    }
}
