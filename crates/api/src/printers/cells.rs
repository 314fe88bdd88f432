//! What several printers share: reading trees, ages, container names.

use super::since;
use crate::Object;
use crate::selector::label_selector::format_label_selector;
use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

/// A value below `root` by field names; `Null` where there is none.
pub(super) fn at<'a>(root: &'a Value, path: &[&str]) -> &'a Value {
    path.iter().fold(root, |value, key| value.get(key).unwrap_or(&Value::Null))
}

/// A top-level field of an object held as a tree; `Null` where there is none.
pub(super) fn field<'a>(object: &'a Object, name: &str) -> &'a Value {
    object.field(name).unwrap_or(&Value::Null)
}

pub(super) fn text<'a>(root: &'a Value, path: &[&str]) -> &'a str {
    at(root, path).as_str().unwrap_or("")
}

pub(super) fn int(root: &Value, path: &[&str]) -> i64 {
    at(root, path).as_i64().unwrap_or(0)
}

pub(super) fn list<'a>(root: &'a Value, path: &[&str]) -> &'a [Value] {
    at(root, path).as_array().map(Vec::as_slice).unwrap_or(&[])
}

/// `text`, or what stands for an empty one.
pub(super) fn or<'a>(text: &'a str, none: &'a str) -> &'a str {
    if text.is_empty() { none } else { text }
}

pub(super) fn name(object: &Object) -> Value {
    object.name().into()
}

pub(super) fn age(object: &Object, now: Timestamp) -> Value {
    match &object.metadata.creation_timestamp {
        Some(time) => since(time.0, now).into(),
        None => "<unknown>".into(),
    }
}

/// How long ago a time in an object was; `None` where it is unset.
pub(super) fn ago(time: &Value, now: Timestamp) -> Option<String> {
    let then: Timestamp = time.as_str()?.parse().ok()?;
    Some(since(then, now))
}

/// Names and images of a pod template's containers.
pub(super) fn containers(pod_spec: &Value) -> (String, String) {
    let join = |key: &str| {
        let names: Vec<&str> = list(pod_spec, &["containers"]).iter().map(|c| text(c, &[key])).collect();
        names.join(",")
    };
    (join("name"), join("image"))
}

/// `a=b,c=d`, sorted; `<none>` where there are none.
pub(super) fn labels(map: &Value) -> String {
    let pairs: Vec<String> = map
        .as_object()
        .into_iter()
        .flatten()
        .map(|(k, v)| format!("{k}={}", v.as_str().unwrap_or("")))
        .collect();
    if pairs.is_empty() { "<none>".to_owned() } else { pairs.join(",") }
}

/// A label selector as text; `<none>` where it is empty or absent.
pub(super) fn selector(value: &Value) -> String {
    let parsed = serde_json::from_value(value.clone()).ok();
    format_label_selector(parsed.as_ref())
}

/// At most `max` of the texts, and how many more there are.
pub(super) fn some(texts: &[String], max: usize) -> String {
    let shown = texts.get(..max).unwrap_or(texts).join(",");
    if texts.len() > max { format!("{shown} + {} more...", texts.len() - max) } else { shown }
}
