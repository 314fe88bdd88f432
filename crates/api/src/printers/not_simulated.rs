//! Kinds that are kept and on which nothing acts.
//!
//! Source: pkg/printers/internalversion/printers.go, and for APIService kube-aggregator's storage (v1.37).

use super::cells::{age, at, field, int, list, name, or, text};
use super::{AGE, NAME, Printer, col};
use crate::table::Column;
use crate::{Kind, Object};
use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

const UNSET: &str = "<unset>";
const NONE: &str = "<none>";

/// The printer of such a kind; `None` where it shows name and age alone.
pub(super) fn printer(kind: &Kind) -> Option<Printer> {
    let (columns, row): (&'static [Column], super::RowOf) = match kind.kind {
        "ValidatingAdmissionPolicy" => {
            const COLUMNS: &[Column] =
                &[NAME, col("Validations", "integer"), col("ParamKind", "string"), AGE];
            (COLUMNS, |o, now| policy(o, now, "validations"))
        }
        "MutatingAdmissionPolicy" => {
            const COLUMNS: &[Column] = &[NAME, col("Mutations", "integer"), col("ParamKind", "string"), AGE];
            (COLUMNS, |o, now| policy(o, now, "mutations"))
        }
        "ValidatingAdmissionPolicyBinding" | "MutatingAdmissionPolicyBinding" => {
            const COLUMNS: &[Column] = &[NAME, col("PolicyName", "string"), col("ParamRef", "string"), AGE];
            (COLUMNS, policy_binding)
        }
        "APIService" => {
            const COLUMNS: &[Column] = &[NAME, col("Service", "string"), col("Available", "string"), AGE];
            (COLUMNS, api_service)
        }
        "CertificateSigningRequest" => {
            const COLUMNS: &[Column] = &[
                NAME,
                AGE,
                col("SignerName", "string"),
                col("Requestor", "string"),
                col("RequestedDuration", "string"),
                col("Condition", "string"),
            ];
            (COLUMNS, signing_request)
        }
        "ClusterTrustBundle" => {
            const COLUMNS: &[Column] = &[NAME, col("SignerName", "string")];
            (COLUMNS, |o, _| vec![name(o), text(field(o, "spec"), &["signerName"]).into()])
        }
        "PriorityLevelConfiguration" => {
            const COLUMNS: &[Column] = &[
                NAME,
                col("Type", "string"),
                col("NominalConcurrencyShares", "integer"),
                col("Queues", "integer"),
                col("HandSize", "integer"),
                col("QueueLengthLimit", "integer"),
                AGE,
            ];
            (COLUMNS, priority_level)
        }
        "FlowSchema" => {
            const COLUMNS: &[Column] = &[
                NAME,
                col("PriorityLevel", "string"),
                col("MatchingPrecedence", "string"),
                col("DistinguisherMethod", "string"),
                AGE,
                col("MissingPL", "string"),
            ];
            (COLUMNS, flow_schema)
        }
        "IPAddress" => {
            const COLUMNS: &[Column] = &[NAME, col("ParentRef", "string")];
            (COLUMNS, ip_address)
        }
        "ServiceCIDR" => {
            const COLUMNS: &[Column] = &[NAME, col("CIDRs", "string"), AGE];
            (COLUMNS, |o, now| vec![name(o), joined(list(field(o, "spec"), &["cidrs"])).into(), age(o, now)])
        }
        "ResourceClaim" => {
            const COLUMNS: &[Column] = &[NAME, col("State", "string"), AGE];
            (COLUMNS, resource_claim)
        }
        "ResourceSlice" => {
            const COLUMNS: &[Column] =
                &[NAME, col("Node", "string"), col("Driver", "string"), col("Pool", "string"), AGE];
            (COLUMNS, resource_slice)
        }
        "CSIDriver" => {
            const COLUMNS: &[Column] = &[
                NAME,
                col("AttachRequired", "boolean"),
                col("PodInfoOnMount", "boolean"),
                col("StorageCapacity", "boolean"),
                col("TokenRequests", "string"),
                col("RequiresRepublish", "boolean"),
                col("Modes", "string"),
                AGE,
            ];
            (COLUMNS, csi_driver)
        }
        "CSINode" => {
            const COLUMNS: &[Column] = &[NAME, col("Drivers", "integer"), AGE];
            (COLUMNS, |o, now| vec![name(o), list(field(o, "spec"), &["drivers"]).len().into(), age(o, now)])
        }
        "VolumeAttachment" => {
            const COLUMNS: &[Column] = &[
                NAME,
                col("Attacher", "string"),
                col("PV", "string"),
                col("Node", "string"),
                col("Attached", "boolean"),
                AGE,
            ];
            (COLUMNS, volume_attachment)
        }
        "VolumeAttributesClass" => {
            const COLUMNS: &[Column] = &[NAME, col("DriverName", "string"), AGE];
            (COLUMNS, |o, now| {
                vec![name(o), field(o, "driverName").as_str().unwrap_or_default().into(), age(o, now)]
            })
        }
        "StorageVersionMigration" => {
            const COLUMNS: &[Column] = &[NAME, col("Resource", "string"), col("Status", "string")];
            (COLUMNS, storage_version_migration)
        }
        "CSIStorageCapacity" => (super::cluster::CREATED, super::cluster::created),
        _ => return None,
    };
    Some(Printer { columns, row })
}

fn joined(values: &[Value]) -> String {
    values.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(",")
}

fn policy(object: &Object, now: Timestamp, what: &str) -> Vec<Value> {
    let spec = field(object, "spec");
    let kind = at(spec, &["paramKind"]);
    let kind = if kind.is_object() {
        format!("{}/{}", text(kind, &["apiVersion"]), text(kind, &["kind"]))
    } else {
        UNSET.to_owned()
    };
    vec![name(object), list(spec, &[what]).len().into(), kind.into(), age(object, now)]
}

fn policy_binding(object: &Object, now: Timestamp) -> Vec<Value> {
    let spec = field(object, "spec");
    let reference = at(spec, &["paramRef"]);
    let shown = match (text(reference, &["namespace"]), text(reference, &["name"])) {
        _ if !reference.is_object() => UNSET.to_owned(),
        ("", name) => name.to_owned(),
        (space, name) => format!("{space}/{name}"),
    };
    vec![name(object), text(spec, &["policyName"]).into(), shown.into(), age(object, now)]
}

/// The condition of a type in an object's status.
fn condition<'a>(object: &'a Object, kind: &str) -> Option<&'a Value> {
    list(field(object, "status"), &["conditions"]).iter().find(|c| text(c, &["type"]) == kind)
}

fn api_service(object: &Object, now: Timestamp) -> Vec<Value> {
    let service = at(field(object, "spec"), &["service"]);
    let service = if service.is_object() {
        format!("{}/{}", text(service, &["namespace"]), text(service, &["name"]))
    } else {
        "Local".to_owned()
    };
    let available = match condition(object, "Available") {
        None => "Unknown".to_owned(),
        Some(c) if text(c, &["status"]) == "True" => "True".to_owned(),
        Some(c) => format!("{} ({})", text(c, &["status"]), text(c, &["reason"])),
    };
    vec![name(object), service.into(), available.into(), age(object, now)]
}

fn signing_request(object: &Object, now: Timestamp) -> Vec<Value> {
    let spec = field(object, "spec");
    let duration = match at(spec, &["expirationSeconds"]).as_i64() {
        Some(seconds) => super::human_duration(i128::from(seconds) * 1_000_000_000),
        None => NONE.to_owned(),
    };
    let has = |kind| condition(object, kind).is_some();
    let mut state = match (has("Denied"), has("Approved")) {
        (true, _) => "Denied",
        (_, true) => "Approved",
        _ => "Pending",
    }
    .to_owned();
    if has("Failed") {
        state.push_str(",Failed");
    }
    if !text(field(object, "status"), &["certificate"]).is_empty() {
        state.push_str(",Issued");
    }
    vec![
        name(object),
        age(object, now),
        or(text(spec, &["signerName"]), NONE).into(),
        text(spec, &["username"]).into(),
        duration.into(),
        state.into(),
    ]
}

fn priority_level(object: &Object, now: Timestamp) -> Vec<Value> {
    let spec = field(object, "spec");
    let limited = at(spec, &["limited"]);
    let queuing = at(limited, &["limitResponse", "queuing"]);
    let number = |root: &Value, key: &str| match at(root, &[key]).as_i64() {
        Some(n) => n.into(),
        None => Value::from(NONE),
    };
    vec![
        name(object),
        text(spec, &["type"]).into(),
        number(limited, "nominalConcurrencyShares"),
        number(queuing, "queues"),
        number(queuing, "handSize"),
        number(queuing, "queueLengthLimit"),
        age(object, now),
    ]
}

fn flow_schema(object: &Object, now: Timestamp) -> Vec<Value> {
    let spec = field(object, "spec");
    let missing = condition(object, "Dangling").map_or("?", |c| text(c, &["status"]));
    vec![
        name(object),
        text(spec, &["priorityLevelConfiguration", "name"]).into(),
        int(spec, &["matchingPrecedence"]).into(),
        or(text(spec, &["distinguisherMethod", "type"]), NONE).into(),
        age(object, now),
        missing.into(),
    ]
}

fn ip_address(object: &Object, _: Timestamp) -> Vec<Value> {
    let parent = at(field(object, "spec"), &["parentRef"]);
    let parts = ["group", "resource", "namespace", "name"].map(|key| text(parent, &[key]));
    let shown: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    vec![name(object), shown.join("/").into()]
}

fn resource_claim(object: &Object, now: Timestamp) -> Vec<Value> {
    let status = field(object, "status");
    let mut states = Vec::new();
    if object.is_terminating() {
        states.push("deleted");
    }
    if at(status, &["allocation"]).is_null() {
        if !object.is_terminating() {
            states.push("pending");
        }
    } else {
        states.push("allocated");
        states.push(if list(status, &["reservedFor"]).is_empty() { "" } else { "reserved" });
    }
    states.retain(|state| !state.is_empty());
    vec![name(object), states.join(",").into(), age(object, now)]
}

fn resource_slice(object: &Object, now: Timestamp) -> Vec<Value> {
    let spec = field(object, "spec");
    vec![
        name(object),
        or(text(spec, &["nodeName"]), UNSET).into(),
        text(spec, &["driver"]).into(),
        text(spec, &["pool", "name"]).into(),
        age(object, now),
    ]
}

fn csi_driver(object: &Object, now: Timestamp) -> Vec<Value> {
    let spec = field(object, "spec");
    let flag = |key: &str, unset: bool| Value::from(at(spec, &[key]).as_bool().unwrap_or(unset));
    let tokens: Vec<&str> = list(spec, &["tokenRequests"]).iter().map(|t| text(t, &["audience"])).collect();
    vec![
        name(object),
        flag("attachRequired", true),
        flag("podInfoOnMount", false),
        flag("storageCapacity", false),
        if tokens.is_empty() { UNSET.into() } else { tokens.join(",").into() },
        flag("requiresRepublish", false),
        joined(list(spec, &["volumeLifecycleModes"])).into(),
        age(object, now),
    ]
}

fn volume_attachment(object: &Object, now: Timestamp) -> Vec<Value> {
    let spec = field(object, "spec");
    vec![
        name(object),
        text(spec, &["attacher"]).into(),
        text(spec, &["source", "persistentVolumeName"]).into(),
        text(spec, &["nodeName"]).into(),
        at(field(object, "status"), &["attached"]).as_bool().unwrap_or(false).into(),
        age(object, now),
    ]
}

fn storage_version_migration(object: &Object, _: Timestamp) -> Vec<Value> {
    let resource = at(field(object, "spec"), &["resource"]);
    let shown = match (text(resource, &["resource"]), text(resource, &["group"])) {
        (resource, "") => resource.to_owned(),
        (resource, group) => format!("{resource}.{group}"),
    };
    let states = ["Failed", "Succeeded", "Running"];
    let state = states
        .into_iter()
        .find(|state| condition(object, state).is_some_and(|c| text(c, &["status"]) == "True"));
    vec![name(object), shown.into(), state.unwrap_or_default().into()]
}
