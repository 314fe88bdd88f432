//! Namespaces, quotas, budgets, priorities, roles: what rules the rest.

use super::cells::{age, at, field, int, list, name, or, text};
use super::{AGE, NAME, col, wide};
use crate::Object;
use crate::table::Column;
use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

pub(super) static NAMESPACE: &[Column] = &[NAME, col("Status", "string"), AGE];

pub(super) fn namespace(object: &Object, now: Timestamp) -> Vec<Value> {
    vec![name(object), text(field(object, "status"), &["phase"]).into(), age(object, now)]
}

pub(super) static COMPONENT_STATUS: &[Column] =
    &[NAME, col("Status", "string"), col("Message", "string"), col("Error", "string")];

/// Source: pkg/printers/internalversion/printers.go `printComponentStatus` (v1.37).
pub(super) fn component_status(object: &Object, _now: Timestamp) -> Vec<Value> {
    let conditions = list(field(object, "conditions"), &[]);
    let healthy = conditions.iter().find(|condition| text(condition, &["type"]) == "Healthy");
    let (status, message, error) = match healthy {
        None => ("Unknown", "", ""),
        Some(one) => {
            let status = if text(one, &["status"]) == "True" { "Healthy" } else { "Unhealthy" };
            (status, text(one, &["message"]), text(one, &["error"]))
        }
    };
    vec![name(object), status.into(), message.into(), error.into()]
}

pub(super) static CREATED: &[Column] = &[NAME, col("Created At", "date")];

pub(super) fn created(object: &Object, _now: Timestamp) -> Vec<Value> {
    vec![name(object), created_at(object)]
}

fn created_at(object: &Object) -> Value {
    object.metadata.creation_timestamp.as_ref().map_or(Value::Null, |t| t.0.to_string().into())
}

pub(super) static QUOTA: &[Column] = &[NAME, col("Request", "string"), col("Limit", "string"), AGE];

pub(super) fn quota(object: &Object, now: Timestamp) -> Vec<Value> {
    let status = field(object, "status");
    let (mut requests, mut limits) = (Vec::new(), Vec::new());
    for (resource, hard) in at(status, &["hard"]).as_object().into_iter().flatten() {
        let used = or(text(status, &["used", resource]), "0");
        let text = format!("{resource}: {used}/{}", hard.as_str().unwrap_or(""));
        if resource.starts_with("limits") { limits.push(text) } else { requests.push(text) }
    }
    vec![name(object), requests.join(", ").into(), limits.join(", ").into(), age(object, now)]
}

pub(super) static BINDING: &[Column] = &[
    NAME,
    col("Role", "string"),
    AGE,
    wide("Users", "string"),
    wide("Groups", "string"),
    wide("ServiceAccounts", "string"),
];

pub(super) fn binding(object: &Object, now: Timestamp) -> Vec<Value> {
    let role = field(object, "roleRef");
    let subjects = |kind: &str| {
        let names: Vec<String> = list(field(object, "subjects"), &[])
            .iter()
            .filter(|s| text(s, &["kind"]) == kind)
            .map(|s| match kind {
                "ServiceAccount" => format!("{}/{}", text(s, &["namespace"]), text(s, &["name"])),
                _ => text(s, &["name"]).to_owned(),
            })
            .collect();
        names.join(", ")
    };
    vec![
        name(object),
        format!("{}/{}", text(role, &["kind"]), text(role, &["name"])).into(),
        age(object, now),
        subjects("User").into(),
        subjects("Group").into(),
        subjects("ServiceAccount").into(),
    ]
}

pub(super) static PRIORITY_CLASS: &[Column] = &[
    NAME,
    col("Value", "integer"),
    col("Global-Default", "boolean"),
    AGE,
    col("PreemptionPolicy", "string"),
];

pub(super) fn priority_class(object: &Object, now: Timestamp) -> Vec<Value> {
    vec![
        name(object),
        int(field(object, "value"), &[]).into(),
        field(object, "globalDefault").as_bool().unwrap_or(false).into(),
        age(object, now),
        text(field(object, "preemptionPolicy"), &[]).into(),
    ]
}

pub(super) static BUDGET: &[Column] = &[
    NAME,
    col("Min Available", "string"),
    col("Max Unavailable", "string"),
    col("Allowed Disruptions", "integer"),
    AGE,
];

pub(super) fn budget(object: &Object, now: Timestamp) -> Vec<Value> {
    let spec = field(object, "spec");
    let amount = |key: &str| match at(spec, &[key]) {
        Value::Null => "N/A".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    vec![
        name(object),
        amount("minAvailable").into(),
        amount("maxUnavailable").into(),
        int(field(object, "status"), &["disruptionsAllowed"]).into(),
        age(object, now),
    ]
}

pub(super) static LEASE: &[Column] = &[NAME, col("Holder", "string"), AGE];

pub(super) fn lease(object: &Object, now: Timestamp) -> Vec<Value> {
    vec![name(object), text(field(object, "spec"), &["holderIdentity"]).into(), age(object, now)]
}

pub(super) static RUNTIME_CLASS: &[Column] = &[NAME, col("Handler", "string"), AGE];

pub(super) fn runtime_class(object: &Object, now: Timestamp) -> Vec<Value> {
    vec![name(object), text(field(object, "handler"), &[]).into(), age(object, now)]
}

pub(super) static CRD: &[Column] = &[
    NAME,
    col("Scope", "string"),
    col("Versions", "string"),
    col("Created At", "date"),
    wide("Group", "string"),
    wide("Kind", "string"),
    wide("ShortNames", "string"),
    wide("Established", "boolean"),
];

/// What a scale shows.
///
/// Source: pkg/printers/internalversion/printers.go `printScale` (v1.37).
pub(super) static SCALE: &[Column] = &[NAME, col("Desired", "integer"), col("Available", "integer"), AGE];

pub(super) fn scale(object: &Object, now: Timestamp) -> Vec<Value> {
    let count = |part: &str| at(field(object, part), &["replicas"]).as_i64().unwrap_or(0);
    vec![name(object), count("spec").into(), count("status").into(), age(object, now)]
}

pub(super) fn crd(object: &Object, _now: Timestamp) -> Vec<Value> {
    let spec = field(object, "spec");
    let mut versions: Vec<String> = list(spec, &["versions"])
        .iter()
        .filter(|v| at(v, &["served"]).as_bool() == Some(true))
        .map(|v| match at(v, &["storage"]).as_bool() {
            Some(true) => format!("{}(storage)", text(v, &["name"])),
            _ => text(v, &["name"]).to_owned(),
        })
        .collect();
    versions.sort();
    let short: Vec<&str> = list(spec, &["names", "shortNames"]).iter().filter_map(Value::as_str).collect();
    let established = list(field(object, "status"), &["conditions"])
        .iter()
        .any(|c| text(c, &["type"]) == "Established" && text(c, &["status"]) == "True");
    vec![
        name(object),
        text(spec, &["scope"]).into(),
        versions.join(",").into(),
        created_at(object),
        text(spec, &["group"]).into(),
        text(spec, &["names", "kind"]).into(),
        short.join(",").into(),
        established.into(),
    ]
}
