//! Metrics as autoscaling/v1 writes them into annotations: JSON in Go's order of fields.
//!
//! Source: k8s.io/api/autoscaling/v1/types.go, pkg/apis/autoscaling/v1/conversion.go (v1.37).

use serde_json::{Map, Value, json};

/// One shape for all kinds of metrics: the field of the older version, and the path in the newer one. `!` marks a field
/// that is written even where there is nothing.
type Fields = &'static [(&'static str, &'static str)];

const RESOURCE: Fields = &[
    ("name!", "name"),
    ("targetAverageUtilization", "target/averageUtilization"),
    ("targetAverageValue", "target/averageValue"),
];
const CONTAINER_RESOURCE: Fields = &[
    ("name!", "name"),
    ("targetAverageUtilization", "target/averageUtilization"),
    ("targetAverageValue", "target/averageValue"),
    ("container!", "container"),
];
const PODS: Fields = &[
    ("metricName!", "metric/name"),
    ("targetAverageValue!", "target/averageValue"),
    ("selector", "metric/selector"),
];
const OBJECT: Fields = &[
    ("target!", "describedObject"),
    ("metricName!", "metric/name"),
    ("targetValue!", "target/value"),
    ("selector", "metric/selector"),
    ("averageValue", "target/averageValue"),
];
const EXTERNAL: Fields = &[
    ("metricName!", "metric/name"),
    ("metricSelector", "metric/selector"),
    ("targetValue", "target/value"),
    ("targetAverageValue", "target/averageValue"),
];

const CURRENT_RESOURCE: Fields = &[
    ("name!", "name"),
    ("currentAverageUtilization", "current/averageUtilization"),
    ("currentAverageValue!", "current/averageValue"),
];
const CURRENT_CONTAINER_RESOURCE: Fields = &[
    ("name!", "name"),
    ("currentAverageUtilization", "current/averageUtilization"),
    ("currentAverageValue!", "current/averageValue"),
    ("container!", "container"),
];
const CURRENT_PODS: Fields = &[
    ("metricName!", "metric/name"),
    ("currentAverageValue!", "current/averageValue"),
    ("selector", "metric/selector"),
];
const CURRENT_OBJECT: Fields = &[
    ("target!", "describedObject"),
    ("metricName!", "metric/name"),
    ("currentValue!", "current/value"),
    ("selector", "metric/selector"),
    ("averageValue", "current/averageValue"),
];
const CURRENT_EXTERNAL: Fields = &[
    ("metricName!", "metric/name"),
    ("metricSelector", "metric/selector"),
    ("currentValue!", "current/value"),
    ("currentAverageValue", "current/averageValue"),
];

const SPECS: [(&str, Fields); 5] = [
    ("object", OBJECT),
    ("pods", PODS),
    ("resource", RESOURCE),
    ("containerResource", CONTAINER_RESOURCE),
    ("external", EXTERNAL),
];
const STATUSES: [(&str, Fields); 5] = [
    ("object", CURRENT_OBJECT),
    ("pods", CURRENT_PODS),
    ("resource", CURRENT_RESOURCE),
    ("containerResource", CURRENT_CONTAINER_RESOURCE),
    ("external", CURRENT_EXTERNAL),
];

/// An annotation's JSON; `None` where it is none.
pub(super) fn read(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok()
}

/// A metric that is aimed at, in the older version's JSON.
pub(super) fn spec_to(metric: &Value) -> String {
    write(metric, &SPECS)
}

/// A metric that was measured, in the older version's JSON.
pub(super) fn status_to(metric: &Value) -> String {
    write(metric, &STATUSES)
}

/// A condition, which both versions have alike.
pub(super) fn condition(condition: &Value) -> String {
    crate::validation::json_of("autoscaling/v2.HorizontalPodAutoscalerCondition", condition)
}

fn at<'a>(value: &'a Value, path: &str) -> &'a Value {
    path.split('/').fold(value, |value, part| value.get(part).unwrap_or(&Value::Null))
}

fn write(metric: &Value, sources: &[(&str, Fields)]) -> String {
    let mut fields = vec![format!("\"type\":{}", at(metric, "type"))];
    for (name, shape) in sources {
        let source = at(metric, name);
        if source.is_object() {
            fields.push(format!("\"{name}\":{}", write_source(source, shape)));
        }
    }
    format!("{{{}}}", fields.join(","))
}

fn write_source(source: &Value, shape: Fields) -> String {
    let mut fields = Vec::new();
    for (name, path) in shape {
        let value = at(source, path);
        let (name, always) = name.strip_suffix('!').map_or((*name, false), |name| (name, true));
        if value.is_null() && !always {
            continue;
        }
        let text = match (name, value) {
            ("target", value) => {
                crate::validation::json_of("autoscaling/v2.CrossVersionObjectReference", value)
            }
            ("selector" | "metricSelector", value) => {
                crate::validation::json_of("meta/v1.LabelSelector", value)
            }
            ("metricName" | "name" | "container", Value::Null) => "\"\"".to_owned(),
            (_, Value::Null) => "\"0\"".to_owned(),
            (_, value) => value.to_string(),
        };
        fields.push(format!("\"{name}\":{text}"));
    }
    format!("{{{}}}", fields.join(","))
}

/// A metric that is aimed at, from the older version's form.
pub(super) fn spec_from(metric: &Value) -> Value {
    let mut out = from(metric, &SPECS);
    for (name, _) in SPECS {
        let Some(source) = out.get_mut(name).and_then(Value::as_object_mut) else { continue };
        let target = source.entry("target").or_insert_with(|| json!({}));
        let has = |field: &str| target.get(field).is_some_and(|value| !value.is_null());
        let kind = match name {
            "resource" | "containerResource" if has("averageUtilization") => "Utilization",
            "resource" | "containerResource" | "pods" => "AverageValue",
            "object" if has("averageValue") => "AverageValue",
            "external" if !has("value") => "AverageValue",
            _ => "Value",
        };
        if let Some(target) = target.as_object_mut() {
            // A zero is what the older version writes for nothing.
            if name == "object" && kind == "AverageValue" && target.get("value") == Some(&json!("0")) {
                target.remove("value");
            }
            target.insert("type".to_owned(), kind.into());
        }
    }
    out
}

/// A metric that was measured, from the older version's form.
pub(super) fn status_from(metric: &Value) -> Value {
    from(metric, &STATUSES)
}

fn from(metric: &Value, sources: &[(&str, Fields)]) -> Value {
    let mut out = json!({"type": at(metric, "type")});
    for (name, shape) in sources {
        let source = at(metric, name);
        if !source.is_object() {
            continue;
        }
        let mut newer = json!({});
        for (own, path) in *shape {
            let value = at(source, own.trim_end_matches('!'));
            if !value.is_null() {
                place(&mut newer, path, value.clone());
            }
        }
        out[*name] = newer;
    }
    out
}

/// Puts a value at a path of at most two parts.
fn place(value: &mut Value, path: &str, new: Value) {
    match path.split_once('/') {
        Some((first, rest)) => {
            if let Some(map) = value.as_object_mut() {
                place(map.entry(first).or_insert_with(|| json!({})), rest, new);
            }
        }
        None => {
            if let Some(map) = value.as_object_mut() {
                map.insert(path.to_owned(), new);
            }
        }
    }
}

/// How it scales, from the internal type's names.
pub(super) fn behavior_from(behavior: &Value) -> Value {
    match behavior {
        Value::Object(map) => {
            let mut out = Map::new();
            for (key, value) in map.iter().filter(|(_, value)| !value.is_null()) {
                let mut letters = key.chars();
                let first = letters.next().map(|first| first.to_ascii_lowercase());
                out.insert(first.into_iter().chain(letters).collect(), behavior_from(value));
            }
            Value::Object(out)
        }
        Value::Array(items) => items.iter().map(behavior_from).collect(),
        other => other.clone(),
    }
}
