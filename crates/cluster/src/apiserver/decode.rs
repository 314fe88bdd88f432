//! From what a client sent to a tree that holds only what the kind knows.
//!
//! Source: k8s.io/apiserver/pkg/endpoints/handlers/create.go and update.go (v1.37).

use podlab_api::door::{FieldValidation, RequestOptions};
use podlab_api::schema::bad_request_message;
use podlab_api::{Kind, Status, kinds};
use serde_json::Value;
use std::borrow::Cow;

/// Decodes as the API server's JSON decoder does.
///
/// # Errors
/// 400 for unknown fields under strict validation and for values of the wrong type.
pub(super) fn decode(
    kind: &'static Kind,
    body: Cow<'_, Value>,
    options: &RequestOptions,
    warnings: &mut Vec<String>,
) -> Result<Value, Status> {
    let api_version = kind.api_version();
    let refuse = |text: &str| Status::bad_request(bad_request_message(&api_version, kind.kind, text));
    check_kind(kind, &body, &api_version)?;
    let known = podlab_api::schema::Schema::get().kind(&api_version, kind.kind).is_some();
    let decoded = match body {
        // A kind that the facts do not hold is kept as it came.
        body if !known => return Ok(body.into_owned()),
        Cow::Owned(body) => podlab_api::schema::decode_owned(&api_version, kind.kind, body),
        Cow::Borrowed(body) => podlab_api::schema::decode(&api_version, kind.kind, body),
    };
    let mut decoded = match decoded {
        Ok(decoded) => decoded,
        Err(error) => {
            let text = options.unsorted_text.as_deref();
            let first = text.and_then(|text| podlab_api::schema::first_error(&api_version, kind.kind, text));
            return Err(refuse(&first.unwrap_or_else(|| error.to_string())));
        }
    };
    if *kind == kinds::CUSTOM_RESOURCE_DEFINITION {
        let path = |error: &'_ str| error.split('"').nth(1).unwrap_or("").to_owned();
        decoded.strict_errors.retain(|error| !podlab_api::custom::is_let_be(&path(error)));
    }
    decoded.strict_errors = with_duplicates(decoded.strict_errors, options);
    if let Some(text) = options.unsorted_text.as_deref().filter(|_| decoded.strict_errors.len() > 1) {
        podlab_api::schema::sort_as_written(&mut decoded.strict_errors, text);
    }
    match options.field_validation {
        FieldValidation::Ignore => {}
        FieldValidation::Warn => {
            warnings.extend(options.duplicate_keys.iter().chain(&decoded.strict_errors).cloned());
        }
        FieldValidation::Strict => {
            let repeated = yaml_errors(&options.duplicate_keys);
            let errors: Vec<String> = repeated.into_iter().chain(decoded.strict_errors).collect();
            if !errors.is_empty() {
                return Err(refuse(&format!("strict decoding error: {}", errors.join(", "))));
            }
        }
    }
    Ok(decoded.value)
}

/// What YAML had twice, as its decoder tells it; `None` for nothing.
///
/// Source: go.yaml.in/yaml/v2 yaml.go `TypeError.Error`.
pub(super) fn yaml_errors(duplicate_keys: &[String]) -> Option<String> {
    let lines = duplicate_keys.iter().map(|text| format!("\n  {text}")).collect::<String>();
    (!lines.is_empty()).then(|| format!("yaml: unmarshal errors:{lines}"))
}

/// Tells what the YAML of an apply had twice.
pub(super) fn tell_duplicates(options: &RequestOptions, warnings: &mut Vec<String>) -> Result<(), Status> {
    let Some(said) = yaml_errors(&options.duplicate_keys) else { return Ok(()) };
    match options.field_validation {
        FieldValidation::Ignore => Ok(()),
        FieldValidation::Warn => {
            warnings.extend(options.duplicate_keys.iter().cloned());
            Ok(())
        }
        FieldValidation::Strict => Err(Status::bad_request(format!(
            "error strict decoding patch: error converting YAML to JSON: {said}"
        ))),
    }
}

/// Adds what JSON had twice to the unknown fields; within these nothing is looked at.
pub(super) fn with_duplicates(mut errors: Vec<String>, options: &RequestOptions) -> Vec<String> {
    let is_unknown = |path: &str| {
        errors.iter().any(|error| {
            let unknown = error.strip_prefix("unknown field ").map(|quoted| quoted.trim_matches('"'));
            let rest = unknown.and_then(|unknown| path.strip_prefix(unknown));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        })
    };
    let known = options.duplicate_fields.iter().filter(|path| !is_unknown(path));
    let repeated: Vec<String> = known.map(|path| format!("duplicate field {path:?}")).collect();
    errors.extend(repeated);
    errors
}

/// The body must be of the kind that the path names.
pub(super) fn check_kind(kind: &'static Kind, body: &Value, api_version: &str) -> Result<(), Status> {
    // Source: k8s.io/apimachinery/pkg/runtime/serializer/json/meta.go `SimpleMetaFactory.Interpret` (v1.37).
    for (field, found) in ["apiVersion", "kind"].iter().filter_map(|field| Some((field, body.get(field)?))) {
        if found.is_null() || found.is_string() {
            continue;
        }
        let word = podlab_api::schema::json_word(found);
        return Err(Status::bad_request(format!(
            "the object provided is unrecognized (must be of type {}): couldn't get version/kind; json parse error: json: \
             cannot unmarshal {word} into Go struct field .{field} of type string ({} ...)",
            kind.kind,
            podlab_api::go_text::json(body).chars().take(30).collect::<String>()
        )));
    }
    let text = |key: &str| body.get(key).and_then(Value::as_str).unwrap_or("");
    let (given_version, given_kind) = (text("apiVersion"), text("kind"));
    if (given_kind.is_empty() || given_kind == kind.kind)
        && (given_version.is_empty() || given_version == api_version)
    {
        return Ok(());
    }
    if let Some(given) = kinds::by_gvk(given_version, given_kind) {
        let home = |kind: &Kind| match kind.group.split('.').next() {
            None | Some("") => "core",
            Some(first) => first,
        };
        return Err(Status::bad_request(format!(
            "{given_kind} in version {given_version:?} cannot be handled as a {}: converting ({}.{given_kind}) to \
             ({}.{}): unknown conversion",
            kind.kind,
            given.version,
            home(kind),
            kind.kind
        )));
    }
    // Who leaves out one of the two gets the other from what is expected.
    let given_kind = if given_kind.is_empty() { kind.kind } else { given_kind };
    let given_version = if given_version.is_empty() { api_version } else { given_version };
    let version = given_version.rsplit('/').next().unwrap_or(given_version);
    Err(Status::bad_request(format!(
        "{given_kind} in version {version:?} cannot be handled as a {}: no kind {given_kind:?} is registered for \
         version {given_version:?} in scheme \"pkg/runtime/scheme.go:111\"",
        kind.kind
    )))
}

/// Fills in what a client left out.
pub(super) fn apply_defaults(kind: &'static Kind, value: &mut Value) {
    podlab_api::defaults::apply(&kind.api_version(), kind.kind, value);
}
