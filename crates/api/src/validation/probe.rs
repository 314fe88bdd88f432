//! Probes, lifecycle hooks and their handlers.
//!
//! Source: pkg/apis/core/validation/validation.go validateProbe, validateHandler, validateLifecycle (v1.37).

use super::field::{FieldError, Path};
use super::meta::non_negative;
use super::{Errors, content, invalid_each, invalid_number, supported};
use crate::schema::tree::{Fields, at, has, int, list, text};
use serde_json::Value;

/// A port as a number or a name.
pub(crate) fn validate_port_num_or_name(errors: &mut Errors, port: &Value, path: &Path) {
    match port {
        Value::String(name) => invalid_each(errors, path, name, content::is_valid_port_name(name)),
        other => {
            let number = other.as_i64().unwrap_or(0);
            invalid_number(errors, path, number, content::is_valid_port_num(number));
        }
    }
}

/// Which probe it is: liveness and startup probes must have a success threshold of 1.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProbeType {
    Liveness,
    Readiness,
    Startup,
}

pub(crate) fn validate_probe(
    errors: &mut Errors,
    probe: &Value,
    kind: ProbeType,
    grace: Option<i64>,
    path: &Path,
) {
    if probe.is_null() {
        return;
    }
    let probe = &Fields::of(probe);
    validate_handler(errors, probe, &["exec", "httpGet", "tcpSocket", "grpc"], grace, path);
    for name in
        ["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"]
    {
        non_negative(errors, probe.int(name).unwrap_or(0), &path.child(name));
    }
    let own_grace = probe.int("terminationGracePeriodSeconds");
    if let Some(seconds) = own_grace.filter(|s| *s <= 0) {
        let path = path.child("terminationGracePeriodSeconds");
        errors.push(FieldError::invalid(&path, seconds, "must be greater than 0"));
    }
    if kind == ProbeType::Readiness {
        if let Some(seconds) = own_grace {
            let path = path.child("terminationGracePeriodSeconds");
            errors.push(FieldError::invalid(&path, seconds, "must not be set for readinessProbes"));
        }
    } else {
        let threshold = probe.int("successThreshold").unwrap_or(0);
        if threshold != 1 {
            errors.push(FieldError::invalid(&path.child("successThreshold"), threshold, "must be 1"));
        }
    }
}

fn validate_handler(
    errors: &mut Errors,
    handler: &Fields<'_>,
    kinds: &[&str],
    grace: Option<i64>,
    path: &Path,
) {
    let mut found = false;
    for kind in kinds {
        let action = handler.at(kind);
        if action.is_null() {
            continue;
        }
        let path = path.child(kind);
        if found {
            errors.push(FieldError::forbidden(&path, "may not specify more than 1 handler type"));
            continue;
        }
        found = true;
        match *kind {
            "exec" => {
                if list(action, "command").is_empty() {
                    errors.push(FieldError::required(&path.child("command"), ""));
                }
            }
            "httpGet" => validate_http_get(errors, action, &path),
            "sleep" => {
                let seconds = int(action, "seconds").unwrap_or(0);
                if let Some(grace) = grace.filter(|g| seconds < 0 || seconds > *g) {
                    let detail =
                        format!("must be non-negative and less than terminationGracePeriodSeconds ({grace})");
                    errors.push(FieldError::invalid(&path, seconds, detail));
                }
            }
            _ => validate_port_num_or_name(errors, at(action, "port"), &path.child("port")),
        }
    }
    if !found {
        errors.push(FieldError::required(path, "must specify a handler type"));
    }
}

fn validate_http_get(errors: &mut Errors, action: &Value, path: &Path) {
    if text(action, "path").is_empty() {
        errors.push(FieldError::required(&path.child("path"), ""));
    }
    validate_port_num_or_name(errors, at(action, "port"), &path.child("port"));
    supported(errors, &path.child("scheme"), text(action, "scheme"), &["HTTP", "HTTPS"]);
    for header in list(action, "httpHeaders") {
        let name = text(header, "name");
        invalid_each(errors, &path.child("httpHeaders"), name, content::is_http_header_name(name));
    }
}

pub(crate) fn validate_lifecycle(
    errors: &mut Errors,
    lifecycle: &Value,
    os: &Value,
    grace: Option<i64>,
    path: &Path,
) {
    for hook in ["postStart", "preStop"] {
        if has(lifecycle, hook) {
            let kinds = ["exec", "httpGet", "tcpSocket", "sleep"];
            validate_handler(errors, &Fields::of(at(lifecycle, hook)), &kinds, grace, &path.child(hook));
        }
    }
    let signal = text(lifecycle, "stopSignal");
    if !signal.is_empty() {
        let path = path.child("stopSignal");
        let schema = crate::schema::Schema::get();
        match text(os, "name") {
            "" => errors.push(FieldError::forbidden(
                &path,
                "may not be set for containers with empty `spec.os.name`",
            )),
            "windows" => supported(errors, &path, signal, &["SIGKILL", "SIGTERM"]),
            _ => {
                let signals = schema.type_named("core/v1.Signal").map(crate::schema::GoType::Named);
                if let Some(ty) = signals {
                    supported(errors, &path, signal, schema.enum_values(&ty));
                }
            }
        }
    }
}
