//! Definitions of custom resources: names, versions, subresources, columns, and their schemas.
//!
//! Not checked: what rules in CEL say and cost, defaults of metadata inside of embedded resources.
//!
//! Source: k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation/validation.go (v1.37).

mod schema;

use super::content::{is_dns1035_label, is_dns1123_subdomain};
use super::field::{BadValue, FieldError, Path};
use super::{Errors, internal_json, meta, required, required_supported};
use crate::schema::tree::{at, flag, has, list, map, text};
use serde_json::Value;
use std::collections::BTreeSet;

/// Whether the name is made of plural and group, as it must be.
pub(super) fn name_fits(definition: &Value) -> bool {
    let (plural, group) = (text(definition, "spec.names.plural"), text(definition, "spec.group"));
    text(definition, "metadata.name") == format!("{plural}.{group}")
}

pub(super) fn validate(errors: &mut Errors, definition: &Value, old: Option<&Value>) {
    let path = Path::new("metadata");
    let name = text(definition, "metadata.name");
    if old.is_none() && !name.is_empty() && !name_fits(definition) {
        let detail = "must be spec.names.plural+\".\"+spec.group";
        errors.push(FieldError::invalid(&path.child("name"), name, detail));
    }
    let path = Path::new("spec");
    validate_spec(errors, at(definition, "spec"), &path);
    if let Some(old) = old {
        let mut immutable = |field: &str| {
            meta::immutable(errors, at(definition, field), at(old, field), &Path::new(field));
        };
        if crate::custom::has_condition(old, "Established") {
            immutable("spec.scope");
            immutable("spec.names.kind");
        }
        immutable("spec.group");
        immutable("spec.names.plural");
    }
    validate_status(errors, definition);
    validate_approval(errors, definition, old);
    if flag(definition, "spec.preserveUnknownFields")
        && !old.is_some_and(|old| flag(old, "spec.preserveUnknownFields"))
    {
        let detail = "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead";
        errors.push(FieldError::invalid(&path.child("preserveUnknownFields"), true, detail));
    }
}

/// What the internal type keeps once for all versions, since they all say the same.
struct Shared {
    schema: bool,
    subresources: bool,
    columns: bool,
    selectable: bool,
}

impl Shared {
    fn of(versions: &[Value]) -> Shared {
        let first = versions.first().unwrap_or(&Value::Null);
        let same = |field: &str| {
            // What is empty is as good as absent.
            let part = |version| match at(version, field) {
                Value::Array(items) if items.is_empty() => &Value::Null,
                other => other,
            };
            versions.iter().all(|version| part(version) == part(first))
        };
        Shared {
            schema: same("schema"),
            subresources: same("subresources"),
            columns: same("additionalPrinterColumns"),
            selectable: same("selectableFields"),
        }
    }
}

fn has_status(version: &Value) -> bool {
    has(version, "subresources.status")
}

fn validate_spec(errors: &mut Errors, spec: &Value, path: &Path) {
    validate_group(errors, text(spec, "group"), &path.child("group"));
    required_supported(errors, &path.child("scope"), text(spec, "scope"), &["Cluster", "Namespaced"]);
    let versions = list(spec, "versions");
    let versions_path = path.child("versions");
    let shared = Shared::of(versions);
    for (i, version) in versions.iter().enumerate() {
        if !has(version, "schema.openAPIV3Schema") {
            let path = versions_path.index(i);
            errors.push(FieldError::required(&path.child("schema.openAPIV3Schema"), ""));
        }
    }
    for (i, version) in versions.iter().enumerate() {
        let path = versions_path.index(i);
        label(errors, text(version, "name"), &path.child("name"), "");
        deprecation_warning(errors, version, &path.child("deprecationWarning"));
        if !shared.schema {
            let path = path.child("schema");
            let path = path.child("openAPIV3Schema");
            schema::validate(errors, at(version, "schema.openAPIV3Schema"), has_status(version), &path);
        }
        if !shared.subresources {
            subresources(errors, version, &path.child("subresources"));
        }
        if !shared.columns {
            columns(errors, version, &path.child("additionalPrinterColumns"));
        }
        if !shared.selectable {
            selectable_fields(errors, version, &path.child("selectableFields"));
        }
    }
    let mut problem = |detail: &str| {
        let shown = match at(spec, "versions") {
            Value::Null => "null".to_owned(),
            _ => shown_versions(versions, &shared),
        };
        errors.push(FieldError::invalid(&versions_path, BadValue::Json(shown), detail));
    };
    let names: BTreeSet<&str> = versions.iter().map(|version| text(version, "name")).collect();
    if names.len() < versions.len() {
        problem("must contain unique version names");
    }
    if versions.iter().filter(|version| flag(version, "storage")).count() != 1 {
        problem("must have exactly one version marked as storage version");
    }
    let none = Value::Null;
    let first = versions.first().unwrap_or(&none);
    if !text(first, "name").is_empty() {
        label(errors, text(first, "name"), &path.child("version"), "");
    }
    for field in NAMES {
        required(errors, &path.child("names").child(field), text(spec, &format!("names.{field}")));
    }
    validate_names(errors, at(spec, "names"), &path.child("names"));
    if shared.schema {
        let path = path.child("validation");
        let path = path.child("openAPIV3Schema");
        let status = versions.iter().any(has_status);
        schema::validate(errors, at(first, "schema.openAPIV3Schema"), status, &path);
    }
    if shared.subresources {
        subresources(errors, first, &path.child("subresources"));
    }
    if shared.columns {
        columns(errors, first, &path.child("additionalPrinterColumns"));
    }
    if shared.selectable {
        selectable_fields(errors, first, &path.child("selectableFields"));
    }
    conversion(errors, at(spec, "conversion"), &path.child("conversion"));
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

fn deprecation_warning(errors: &mut Errors, version: &Value, path: &Path) {
    const LONGEST: usize = 256;
    let Some(warning) = at(version, "deprecationWarning").as_str() else { return };
    let mut wrong = |detail: String| errors.push(FieldError::invalid(path, warning, detail));
    if !flag(version, "deprecated") {
        wrong("can only be set for deprecated versions".to_owned());
        return;
    }
    if warning.len() > LONGEST {
        wrong(format!("must be <= {LONGEST} characters long"));
    }
    if warning.is_empty() {
        wrong("must not be an empty string".to_owned());
    }
    if let Some((index, _)) = warning.char_indices().find(|(_, letter)| letter.is_control()) {
        wrong(format!(
            "must only contain printable UTF-8 characters; non-printable character found at index {index}"
        ));
    }
}

/// The versions as errors show them, without what the internal type keeps once for all of them.
fn shown_versions(versions: &[Value], shared: &Shared) -> String {
    let moved = [
        ("schema", shared.schema),
        ("subresources", shared.subresources),
        ("additionalPrinterColumns", shared.columns),
        ("selectableFields", shared.selectable),
    ];
    let shown = |version: &Value| {
        let mut version = version.clone();
        if let Value::Object(version) = &mut version {
            for (field, _) in moved.iter().filter(|(_, moved)| *moved) {
                version.remove(*field);
            }
        }
        internal_json("apiextensions.CustomResourceDefinitionVersion", &version)
    };
    let shown: Vec<String> = versions.iter().map(shown).collect();
    format!("[{}]", shown.join(","))
}

fn label(errors: &mut Errors, value: &str, path: &Path, prefix: &str) {
    let messages = is_dns1035_label(&value.to_lowercase());
    let strict = if prefix.is_empty() { is_dns1035_label(value) } else { messages };
    if !strict.is_empty() {
        errors.push(FieldError::invalid(path, value, format!("{prefix}{}", strict.join(","))));
    }
}

const NAMES: [&str; 4] = ["plural", "singular", "kind", "listKind"];

fn validate_names(errors: &mut Errors, names: &Value, path: &Path) {
    for field in NAMES {
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

fn subresources(errors: &mut Errors, version: &Value, path: &Path) {
    let scale = at(version, "subresources.scale");
    if scale.is_null() {
        return;
    }
    let path = path.child("scale");
    for (field, below, place, needed) in [
        ("specReplicasPath", &[".spec."][..], ".spec", true),
        ("statusReplicasPath", &[".status."], ".status", true),
        ("labelSelectorPath", &[".spec.", ".status."], "either .spec or .status", false),
    ] {
        let (value, path) = (text(scale, field), path.child(field));
        if value.is_empty() {
            if needed {
                errors.push(FieldError::required(&path, ""));
            }
        } else if simple_json_path(errors, value, &path)
            && !below.iter().any(|start| value.starts_with(start))
        {
            errors.push(FieldError::invalid(&path, value, format!("should be a json path under {place}")));
        }
    }
}

fn simple_json_path(errors: &mut Errors, value: &str, path: &Path) -> bool {
    let fits = value.starts_with('.');
    if !fits {
        errors.push(FieldError::invalid(path, value, "must be a simple json path starting with ."));
    }
    fits
}

fn columns(errors: &mut Errors, version: &Value, path: &Path) {
    const TYPES: [&str; 5] = ["boolean", "date", "integer", "number", "string"];
    const FORMATS: [&str; 8] = ["byte", "date", "date-time", "double", "float", "int32", "int64", "password"];
    for (i, column) in list(version, "additionalPrinterColumns").iter().enumerate() {
        let path = path.index(i);
        required(errors, &path.child("name"), text(column, "name"));
        let one_of = |all: &[&str]| format!("must be one of {}", all.join(","));
        match text(column, "type") {
            "" => errors.push(FieldError::required(&path.child("type"), one_of(&TYPES))),
            kind if !TYPES.contains(&kind) => {
                errors.push(FieldError::invalid(&path.child("type"), kind, one_of(&TYPES)));
            }
            _ => {}
        }
        let format = text(column, "format");
        if !format.is_empty() && !FORMATS.contains(&format) {
            errors.push(FieldError::invalid(&path.child("format"), format, one_of(&FORMATS)));
        }
        let (place, path) = (text(column, "jsonPath"), path.child("JSONPath"));
        if required(errors, &path, place) {
            simple_json_path(errors, place, &path);
        }
    }
}

fn selectable_fields(errors: &mut Errors, version: &Value, path: &Path) {
    const MOST: usize = 8;
    let all = list(version, "selectableFields");
    let schema = at(version, "schema.openAPIV3Schema");
    if all.is_empty() {
        return;
    }
    if schema.is_null() {
        let detail = "may only be set when `version.schema.openAPIV3Schema` is not included";
        errors.push(FieldError::invalid(path, "", detail));
        return;
    }
    let mut seen = BTreeSet::new();
    for (i, field) in all.iter().enumerate() {
        let path = path.index(i);
        let (place, path) = (text(field, "jsonPath"), path.child("jsonPath"));
        if !required(errors, &path, place) {
            continue;
        }
        let found = match schema::field_path(place, schema, false) {
            Ok(found) => found,
            Err(why) => {
                errors.push(FieldError::invalid(&path, place, format!("is an invalid path: {why}")));
                continue;
            }
        };
        if place.starts_with(".metadata") && matches!(place.get(9..10), None | Some(".")) {
            errors.push(FieldError::invalid(&path, place, "must not point to fields in metadata"));
        }
        if !matches!(text(found, "type"), "string" | "boolean" | "integer") {
            let detail = "must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.";
            errors.push(FieldError::invalid(&path, place, detail));
        }
        if !seen.insert(place) {
            errors.push(FieldError::duplicate(&path, place));
        }
    }
    if seen.len() > MOST {
        errors.push(FieldError::too_many(path, seen.len(), MOST));
    }
}

fn conversion(errors: &mut Errors, conversion: &Value, path: &Path) {
    if conversion.is_null() {
        return;
    }
    let strategy = text(conversion, "strategy");
    required_supported(errors, &path.child("strategy"), strategy, &["None", "Webhook"]);
    let client = at(conversion, "webhook.clientConfig");
    let (client_path, versions_path) =
        (path.child("webhookClientConfig"), path.child("conversionReviewVersions"));
    let versions = list(conversion, "webhook.conversionReviewVersions");
    if strategy != "Webhook" {
        let detail = "should not be set when strategy is not set to Webhook";
        if !client.is_null() {
            errors.push(FieldError::forbidden(&client_path, detail));
        }
        if !versions.is_empty() {
            errors.push(FieldError::forbidden(&versions_path, detail));
        }
        return;
    }
    if client.is_null() {
        errors.push(FieldError::required(&client_path, "required when strategy is set to Webhook"));
    } else if has(client, "url") == has(client, "service") {
        errors.push(FieldError::required(&client_path, "exactly one of url or service is required"));
    } else if has(client, "service") {
        let path = client_path.child("service");
        required(errors, &path.child("name"), text(client, "service.name"));
        required(errors, &path.child("namespace"), text(client, "service.namespace"));
    }
    if versions.is_empty() {
        errors.push(FieldError::required(&versions_path, ""));
        return;
    }
    let mut seen = BTreeSet::new();
    for (i, version) in versions.iter().filter_map(Value::as_str).enumerate() {
        let path = versions_path.index(i);
        if !seen.insert(version) {
            errors.push(FieldError::invalid(&path, version, "duplicate version"));
            continue;
        }
        for message in is_dns1035_label(version) {
            errors.push(FieldError::invalid(&path, version, message));
        }
    }
    if !seen.contains("v1") && !seen.contains("v1beta1") {
        let shown = BadValue::Value(Value::Array(versions.to_vec()));
        errors.push(FieldError::invalid(&versions_path, shown, "must include at least one of v1, v1beta1"));
    }
}

fn validate_status(errors: &mut Errors, definition: &Value) {
    validate_names(errors, at(definition, "status.acceptedNames"), &Path::new("status.acceptedNames"));
    let path = Path::new("status.storedVersions");
    let stored = list(definition, "status.storedVersions");
    if stored.is_empty() {
        errors.push(FieldError::invalid(&path, Value::Null, "must have at least one stored version"));
        return;
    }
    let versions = list(definition, "spec.versions");
    let mut left: BTreeSet<&str> = stored.iter().filter_map(Value::as_str).collect();
    for version in versions {
        let name = text(version, "name");
        if !left.remove(name) && flag(version, "storage") {
            let shown = BadValue::Value(Value::Array(stored.to_vec()));
            let detail = format!("must have the storage version {name}");
            errors.push(FieldError::invalid(&path, shown, detail));
        }
    }
    for (i, gone) in stored.iter().enumerate() {
        if versions.iter().all(|version| at(version, "name") != gone) {
            let name = gone.as_str().unwrap_or_default();
            let detail = format!(
                "missing from spec.versions; {name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in {name} and removes {name} from status.storedVersions"
            );
            errors.push(FieldError::invalid(&path.index(i), name, detail));
        }
    }
}

/// The groups that are Kubernetes' own want to be approved.
fn validate_approval(errors: &mut Errors, definition: &Value, old: Option<&Value>) {
    const ANNOTATION: &str = "api-approved.kubernetes.io";
    let group = text(definition, "spec.group");
    let own = |domain: &str| group == domain || group.ends_with(&format!(".{domain}"));
    if !own("k8s.io") && !own("kubernetes.io") {
        return;
    }
    let annotation = |definition| map(definition, "metadata.annotations").get(ANNOTATION)?.as_str();
    let approval = annotation(definition).unwrap_or("");
    let is_url = approval.split_once("://").is_some_and(|(scheme, rest)| {
        !scheme.is_empty() && rest.split('/').next().is_some_and(|host| !host.is_empty())
    });
    if is_url || approval.starts_with("unapproved") {
        return;
    }
    if old.is_some_and(|old| annotation(old).unwrap_or("").is_empty() == approval.is_empty()) {
        return;
    }
    let path = Path::new("metadata.annotations");
    let path = path.key(ANNOTATION);
    let must = format!("protected groups must have approval annotation {ANNOTATION:?}");
    let see = "see https://github.com/kubernetes/enhancements/pull/1111";
    errors.push(match approval {
        "" => FieldError::required(&path, format!("{must}, {see}")),
        _ => FieldError::invalid(
            &path,
            approval,
            format!("{must} with either a URL or a reason starting with \"unapproved\", {see}"),
        ),
    });
}

/// What is accepted and not liked: formats that nobody knows, sets of what is no scalar.
///
/// Source: k8s.io/apiextensions-apiserver/pkg/registry/customresourcedefinition/strategy.go (v1.37).
pub(super) fn warnings(definition: &Value, old: Option<&Value>) -> Vec<String> {
    let all = |definition: &Value| {
        let versions = list(definition, "spec.versions");
        let shared = Shared::of(versions);
        let seen = versions.iter().take(if shared.schema { 1 } else { versions.len() });
        let (mut formats, mut sets) = (Vec::new(), BTreeSet::new());
        for version in seen {
            schema::warnings(at(version, "schema.openAPIV3Schema"), &mut formats, &mut sets, 0);
        }
        formats.extend(sets);
        formats
    };
    let known = old.map(all).unwrap_or_default();
    let mut warnings = all(definition);
    warnings.retain(|warning| !known.contains(warning));
    warnings
}
