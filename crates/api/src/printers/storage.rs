//! PersistentVolumes, their claims and classes.

use super::cells::{age, at, field, list, name, or, text};
use super::{AGE, NAME, col, wide};
use crate::Object;
use crate::table::{Column, Row};
use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

pub(super) static VOLUME: &[Column] = &[
    NAME,
    col("Capacity", "string"),
    col("Access Modes", "string"),
    col("Reclaim Policy", "string"),
    col("Status", "string"),
    col("Claim", "string"),
    col("StorageClass", "string"),
    col("VolumeAttributesClass", "string"),
    col("Reason", "string"),
    AGE,
    wide("VolumeMode", "string"),
];

/// `RWO,ROX`: each mode once, in Kubernetes' order.
fn modes(values: &[Value]) -> String {
    let order = [
        ("ReadWriteOnce", "RWO"),
        ("ReadOnlyMany", "ROX"),
        ("ReadWriteMany", "RWX"),
        ("ReadWriteOncePod", "RWOP"),
    ];
    let short: Vec<&str> = order
        .iter()
        .filter(|(long, _)| values.iter().any(|v| v.as_str() == Some(long)))
        .map(|(_, short)| *short)
        .collect();
    short.join(",")
}

fn phase<'a>(object: &'a Object, status: &'a Value) -> &'a str {
    if object.is_terminating() { "Terminating" } else { text(status, &["phase"]) }
}

fn class_of<'a>(object: &'a Object, spec: &'a Value) -> &'a str {
    object.annotation("volume.beta.kubernetes.io/storage-class").unwrap_or(text(spec, &["storageClassName"]))
}

pub(super) fn volume(object: &Object, now: Timestamp) -> Vec<Value> {
    let (spec, status) = (field(object, "spec"), field(object, "status"));
    let claim = at(spec, &["claimRef"]);
    let claim = if claim.is_object() {
        format!("{}/{}", text(claim, &["namespace"]), text(claim, &["name"]))
    } else {
        String::new()
    };
    vec![
        name(object),
        text(spec, &["capacity", "storage"]).into(),
        modes(list(spec, &["accessModes"])).into(),
        text(spec, &["persistentVolumeReclaimPolicy"]).into(),
        phase(object, status).into(),
        claim.into(),
        class_of(object, spec).into(),
        or(text(spec, &["volumeAttributesClassName"]), "<unset>").into(),
        text(status, &["reason"]).into(),
        age(object, now),
        or(text(spec, &["volumeMode"]), "<unset>").into(),
    ]
}

pub(super) static CLAIM: &[Column] = &[
    NAME,
    col("Status", "string"),
    col("Volume", "string"),
    col("Capacity", "string"),
    col("Access Modes", "string"),
    col("StorageClass", "string"),
    col("VolumeAttributesClass", "string"),
    AGE,
    wide("VolumeMode", "string"),
];

pub(super) fn claim(object: &Object, now: Timestamp) -> Vec<Value> {
    let (spec, status) = (field(object, "spec"), field(object, "status"));
    let volume = text(spec, &["volumeName"]);
    let (capacity, access) = if volume.is_empty() {
        (String::new(), String::new())
    } else {
        let capacity = or(text(status, &["capacity", "storage"]), "0").to_owned();
        (capacity, modes(list(status, &["accessModes"])))
    };
    vec![
        name(object),
        phase(object, status).into(),
        volume.into(),
        capacity.into(),
        access.into(),
        class_of(object, spec).into(),
        or(text(spec, &["volumeAttributesClassName"]), "<unset>").into(),
        age(object, now),
        or(text(spec, &["volumeMode"]), "<unset>").into(),
    ]
}

pub(super) static CLASS: &[Column] = &[
    NAME,
    col("Provisioner", "string"),
    col("ReclaimPolicy", "string"),
    col("VolumeBindingMode", "string"),
    col("AllowVolumeExpansion", "string"),
    AGE,
];

/// The newest class that is marked as default is; of equally old ones the first by name.
///
/// Source: pkg/printers/internalversion/printers.go `getEffectiveDefaultStorageClass`.
pub(super) fn mark_default(rows: &mut [Row]) {
    let marks =
        ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"];
    let defaults =
        rows.iter_mut().filter(|row| marks.iter().any(|mark| row.object.annotation(mark) == Some("true")));
    let effective = defaults.min_by_key(|row| {
        let created = row.object.metadata.creation_timestamp.as_ref().map(|time| time.0);
        (std::cmp::Reverse(created), row.object.name().to_owned())
    });
    if let Some(cell) = effective.and_then(|row| row.cells.first_mut()) {
        *cell = format!("{} (default)", cell.as_str().unwrap_or_default()).into();
    }
}

pub(super) fn class(object: &Object, now: Timestamp) -> Vec<Value> {
    vec![
        name(object),
        text(field(object, "provisioner"), &[]).into(),
        or(text(field(object, "reclaimPolicy"), &[]), "Delete").into(),
        or(text(field(object, "volumeBindingMode"), &[]), "<unset>").into(),
        field(object, "allowVolumeExpansion").as_bool().unwrap_or(false).into(),
        age(object, now),
    ]
}
