//! HorizontalPodAutoscalers.

use super::cells::{age, at, field, int, list, name, text};
use super::{AGE, NAME, col};
use crate::Object;
use crate::table::Column;
use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

pub(super) static COLUMNS: &[Column] = &[
    NAME,
    col("Reference", "string"),
    col("Targets", "string"),
    col("MinPods", "string"),
    col("MaxPods", "string"),
    col("Replicas", "string"),
    AGE,
];

/// Metrics shown before the rest is only counted.
const MAX_METRICS: usize = 2;

fn metrics(specs: &[Value], statuses: &[Value]) -> String {
    if specs.is_empty() {
        return "<none>".to_owned();
    }
    let none = Value::Null;
    let mut shown = Vec::new();
    for (i, spec) in specs.iter().enumerate() {
        let status = statuses.get(i).unwrap_or(&none);
        let source = match text(spec, &["type"]) {
            "External" => "external",
            "Pods" => "pods",
            "Object" => "object",
            "Resource" => "resource",
            "ContainerResource" => "containerResource",
            _ => continue,
        };
        let target = at(spec, &[source, "target"]);
        let current =
            |key: &str| at(status, &[source, "current", key]).as_str().unwrap_or("<unknown>").to_owned();
        let average = target.get("averageValue").and_then(Value::as_str);
        shown.push(match (source, average) {
            ("external" | "object", Some(goal)) => format!("{}/{goal} (avg)", current("averageValue")),
            ("external" | "object", None) => format!("{}/{}", current("value"), text(target, &["value"])),
            ("pods", goal) => format!("{}/{}", current("averageValue"), goal.unwrap_or("0")),
            (_, Some(goal)) => {
                format!("{}: {}/{goal}", text(spec, &[source, "name"]), current("averageValue"))
            }
            (_, None) => {
                let percent = |v: &Value| v.as_i64().map(|p| format!("{p}%"));
                let now = percent(at(status, &[source, "current", "averageUtilization"]));
                let goal = percent(at(target, &["averageUtilization"]));
                format!(
                    "{}: {}/{}",
                    text(spec, &[source, "name"]),
                    now.unwrap_or_else(|| "<unknown>".to_owned()),
                    goal.unwrap_or_else(|| "<auto>".to_owned())
                )
            }
        });
    }
    let more = shown.len().saturating_sub(MAX_METRICS);
    shown.truncate(MAX_METRICS);
    let text = shown.join(", ");
    if more > 0 { format!("{text} + {more} more...") } else { text }
}

pub(super) fn row(object: &Object, now: Timestamp) -> Vec<Value> {
    let (spec, status) = (field(object, "spec"), field(object, "status"));
    let target = at(spec, &["scaleTargetRef"]);
    let min = at(spec, &["minReplicas"]).as_i64().map_or("<unset>".to_owned(), |n| n.to_string());
    vec![
        name(object),
        format!("{}/{}", text(target, &["kind"]), text(target, &["name"])).into(),
        metrics(list(spec, &["metrics"]), list(status, &["currentMetrics"])).into(),
        min.into(),
        int(spec, &["maxReplicas"]).into(),
        int(status, &["currentReplicas"]).into(),
        age(object, now),
    ]
}
