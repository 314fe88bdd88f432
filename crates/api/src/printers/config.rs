//! ConfigMaps, Secrets, and kinds that show little more than their name.

use super::cells::{age, field, list, name, text};
use super::{AGE, NAME, col};
use crate::Object;
use crate::table::Column;
use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

pub(super) static PLAIN: &[Column] = &[NAME, AGE];

pub(super) fn plain(object: &Object, now: Timestamp) -> Vec<Value> {
    vec![name(object), age(object, now)]
}

pub(super) static CONFIG_MAP: &[Column] = &[NAME, col("Data", "string"), AGE];

fn len(value: &Value) -> usize {
    value.as_object().map_or(0, serde_json::Map::len)
}

pub(super) fn config_map(object: &Object, now: Timestamp) -> Vec<Value> {
    let count = len(field(object, "data")) + len(field(object, "binaryData"));
    vec![name(object), count.into(), age(object, now)]
}

pub(super) static SECRET: &[Column] = &[NAME, col("Type", "string"), col("Data", "string"), AGE];

pub(super) fn secret(object: &Object, now: Timestamp) -> Vec<Value> {
    let kind = text(field(object, "type"), &[]);
    vec![name(object), kind.into(), len(field(object, "data")).into(), age(object, now)]
}

pub(super) static WEBHOOKS: &[Column] = &[NAME, col("Webhooks", "integer"), AGE];

pub(super) fn webhooks(object: &Object, now: Timestamp) -> Vec<Value> {
    vec![name(object), list(field(object, "webhooks"), &[]).len().into(), age(object, now)]
}
