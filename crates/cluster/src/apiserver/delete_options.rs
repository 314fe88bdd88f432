//! What a deletion is asked for with.
//!
//! Source: k8s.io/apiserver/pkg/endpoints/handlers/delete.go (v1.37).

use super::DeleteOptions;
use super::bodies::DELETE_OPTIONS;
use podlab_api::door::{Propagation, Verb};
use podlab_api::schema::{Schema, decode_type};
use podlab_api::{Kind, Request, Status, StatusCause, go_text, kinds};
use serde_json::Value;

/// Delete options come as query parameters or as a body.
pub(super) fn delete_options(request: &Request) -> Result<DeleteOptions, Status> {
    let options = &request.options;
    // An Eviction carries its delete options inside.
    let body = request.body.get("deleteOptions").unwrap_or(&request.body);
    if matches!(request.verb, Verb::Delete | Verb::DeleteCollection) && !request.body.is_null() {
        read(body)?;
    }
    let policy = body.get("propagationPolicy").and_then(Value::as_str);
    let propagation = match policy {
        Some("Orphan") => Some(Propagation::Orphan),
        Some("Background") => Some(Propagation::Background),
        Some("Foreground") => Some(Propagation::Foreground),
        _ => match body.get("orphanDependents").and_then(Value::as_bool) {
            Some(true) => Some(Propagation::Orphan),
            Some(false) => Some(Propagation::Background),
            None => None,
        },
    };
    validate(body)?;
    let text = |path: &str| body.pointer(path).and_then(Value::as_str).map(str::to_owned);
    Ok(DeleteOptions {
        grace_period_seconds: options
            .grace_period_seconds
            .or_else(|| body.get("gracePeriodSeconds").and_then(Value::as_i64)),
        propagation: options.propagation.or(propagation),
        uid: options.precondition_uid.clone().or_else(|| text("/preconditions/uid")),
        resource_version: options
            .precondition_resource_version
            .clone()
            .or_else(|| text("/preconditions/resourceVersion")),
    })
}

/// What becomes of dependents where a client does not say: of old, the pods of some kinds are left.
///
/// Source: `DefaultGarbageCollectionPolicy` in pkg/registry/core/replicationcontroller/strategy.go and
/// pkg/registry/batch/job/strategy.go; pkg/registry/batch/job/storage/storage.go `REST.Delete` (v1.37).
pub(super) fn by_default(kind: &Kind, options: &mut DeleteOptions, warnings: &mut Vec<String>) {
    let is_job = *kind == kinds::JOB;
    if options.propagation.is_some() || !(is_job || *kind == kinds::REPLICATION_CONTROLLER) {
        return;
    }
    options.propagation = Some(Propagation::Orphan);
    if is_job {
        warnings.push(
            "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them \
             or set propagationPolicy=Orphan to suppress this warning"
                .to_owned(),
        );
    }
}

/// Refuses a body that is no options. Their version may be any; what they don't have is let be.
fn read(body: &Value) -> Result<(), Status> {
    let text = |key: &str, or: &'static str| match body.get(key).and_then(Value::as_str) {
        None | Some("") => or.to_owned(),
        Some(said) => said.to_owned(),
    };
    let (version, kind) = (text("apiVersion", "v1"), text("kind", "DeleteOptions"));
    if kind != "DeleteOptions" {
        return Err(Status::bad_request(format!(
            "no kind {} is registered for version {} in scheme \"pkg/runtime/scheme.go:111\"",
            go_text::quote(&kind),
            go_text::quote(&version)
        )));
    }
    let Some(id) = Schema::get().type_named("meta/v1.DeleteOptions") else { return Ok(()) };
    decode_type(id, body).map(drop).map_err(|error| Status::bad_request(error.to_string()))
}

/// Source: k8s.io/apimachinery/pkg/apis/meta/v1/validation/validation.go `ValidateDeleteOptions` (v1.37).
fn validate(body: &Value) -> Result<(), Status> {
    let mut causes = Vec::new();
    let mut refuse = |field: &str, reason: &str, message: String| {
        causes.push(StatusCause { reason: reason.to_owned(), message, field: field.to_owned() });
    };
    const UNSUPPORTED: &str = "FieldValueNotSupported";
    if let Some(policy) = body.get("propagationPolicy").and_then(Value::as_str) {
        let shown = go_text::quote(policy);
        if body.get("orphanDependents").is_some_and(|orphan| !orphan.is_null()) {
            let why = "orphanDependents and deletionPropagation cannot be both set";
            refuse("propagationPolicy", "FieldValueInvalid", format!("Invalid value: {shown}: {why}"));
        }
        if !matches!(policy, "Foreground" | "Background" | "Orphan") {
            let known = r#""Foreground", "Background", "Orphan", "nil""#;
            let message = format!("Unsupported value: {shown}: supported values: {known}");
            refuse("propagationPolicy", UNSUPPORTED, message);
        }
    }
    let directives = body.get("dryRun").and_then(Value::as_array);
    if let Some(all) = directives.filter(|all| all.iter().any(|one| one != "All")) {
        let shown = go_text::json(&Value::Array(all.clone()));
        refuse("dryRun", UNSUPPORTED, format!("Unsupported value: {shown}: supported values: \"All\""));
    }
    match causes.is_empty() {
        true => Ok(()),
        false => Err(Status::invalid(&DELETE_OPTIONS, "", causes)),
    }
}
