//! HorizontalPodAutoscaler as autoscaling/v1 has it: one percentage of CPU; all else lives in annotations.
//!
//! Source: pkg/apis/autoscaling/v1/conversion.go, pkg/apis/autoscaling/helpers.go (v1.37).

use super::metrics;
use crate::validation::internal_json;
use serde_json::{Map, Value, json};

const METRICS: &str = "autoscaling.alpha.kubernetes.io/metrics";
const CURRENT_METRICS: &str = "autoscaling.alpha.kubernetes.io/current-metrics";
const CONDITIONS: &str = "autoscaling.alpha.kubernetes.io/conditions";
const BEHAVIOR: &str = "autoscaling.alpha.kubernetes.io/behavior";
/// The percentage of CPU that is aimed at where nothing else is.
const DEFAULT_CPU_UTILIZATION: i64 = 80;

/// From autoscaling/v2.
pub(super) fn show(map: &mut Map<String, Value>) {
    drop_annotations(map);
    let mut notes: Vec<(&str, String)> = Vec::new();
    if let Some(spec) = part(map, "spec") {
        let metrics = list(spec.remove("metrics"));
        let cpu = metrics.iter().find(|metric| is_cpu_utilization(metric));
        if let Some(percentage) = cpu.and_then(|cpu| cpu.pointer("/resource/target/averageUtilization")) {
            spec.insert("targetCPUUtilizationPercentage".to_owned(), percentage.clone());
        }
        let others: Vec<String> =
            metrics.iter().filter(|metric| !is_cpu_utilization(metric)).map(metrics::spec_to).collect();
        if !others.is_empty() {
            notes.push((METRICS, array(&others)));
        }
        if let Some(behavior) = spec.remove("behavior").filter(|behavior| !behavior.is_null()) {
            notes.push((BEHAVIOR, internal_json("autoscaling.HorizontalPodAutoscalerBehavior", &behavior)));
        }
    }
    if let Some(status) = part(map, "status") {
        let current = list(status.remove("currentMetrics"));
        let mut used = current.iter().filter(|metric| is_cpu(metric)).filter_map(|metric| {
            metric.pointer("/resource/current/averageUtilization").filter(|used| !used.is_null())
        });
        if let Some(used) = used.next_back() {
            status.insert("currentCPUUtilizationPercentage".to_owned(), used.clone());
        }
        if !current.is_empty() {
            notes.push((CURRENT_METRICS, array(&current.iter().map(metrics::status_to).collect::<Vec<_>>())));
        }
        let conditions = list(status.remove("conditions"));
        if !conditions.is_empty() {
            notes.push((CONDITIONS, array(&conditions.iter().map(metrics::condition).collect::<Vec<_>>())));
        }
        for count in ["currentReplicas", "desiredReplicas"] {
            status.entry(count).or_insert_with(|| json!(0));
        }
    }
    let metadata = map.entry("metadata").or_insert_with(|| json!({}));
    for (key, text) in notes {
        if let Some(metadata) = metadata.as_object_mut()
            && let Some(annotations) =
                metadata.entry("annotations").or_insert_with(|| json!({})).as_object_mut()
        {
            annotations.insert(key.to_owned(), text.into());
        }
    }
}

/// To autoscaling/v2. What an annotation says that is no JSON is ignored, as there.
pub(super) fn keep(map: &mut Map<String, Value>) {
    let read = |key: &str| -> Option<Value> {
        let text = map.get("metadata")?.get("annotations")?.get(key)?.as_str()?;
        crate::versions::metrics::read(text)
    };
    let (specs, behavior) = (read(METRICS), read(BEHAVIOR));
    let (current, conditions) = (read(CURRENT_METRICS), read(CONDITIONS));
    drop_annotations(map);
    let spec = map.entry("spec").or_insert_with(|| json!({}));
    if let Some(spec) = spec.as_object_mut() {
        let mut all: Vec<Value> = list(specs).iter().map(metrics::spec_from).collect();
        let percentage = spec.remove("targetCPUUtilizationPercentage").filter(|value| !value.is_null());
        let percentage = percentage.or_else(|| all.is_empty().then(|| json!(DEFAULT_CPU_UTILIZATION)));
        if let Some(percentage) = percentage {
            all.push(json!({"type": "Resource", "resource": {"name": "cpu",
                "target": {"type": "Utilization", "averageUtilization": percentage}}}));
        }
        spec.insert("metrics".to_owned(), all.into());
        if let Some(behavior) = behavior.map(|behavior| metrics::behavior_from(&behavior))
            && behavior.as_object().is_some_and(|rules| !rules.is_empty())
        {
            spec.insert("behavior".to_owned(), behavior);
        }
    }
    if let Some(status) = part(map, "status") {
        let used = status.remove("currentCPUUtilizationPercentage").filter(|used| !used.is_null());
        if let Some(used) = used {
            status.insert(
                "currentMetrics".to_owned(),
                json!([{"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": used}}}]),
            );
        }
        if current.is_some() {
            let all: Vec<Value> = list(current).iter().map(metrics::status_from).collect();
            status.insert("currentMetrics".to_owned(), all.into());
        }
        if let Some(conditions) = conditions.filter(Value::is_array) {
            status.insert("conditions".to_owned(), conditions);
        }
    }
}

fn part<'a>(map: &'a mut Map<String, Value>, name: &str) -> Option<&'a mut Map<String, Value>> {
    map.get_mut(name)?.as_object_mut()
}

fn list(value: Option<Value>) -> Vec<Value> {
    match value {
        Some(Value::Array(items)) => items,
        _ => Vec::new(),
    }
}

fn array(items: &[String]) -> String {
    format!("[{}]", items.join(","))
}

fn is_cpu(metric: &Value) -> bool {
    metric.get("type").and_then(Value::as_str) == Some("Resource")
        && metric.pointer("/resource/name").and_then(Value::as_str) == Some("cpu")
}

/// Whether the older version has a field for a metric.
fn is_cpu_utilization(metric: &Value) -> bool {
    is_cpu(metric)
        && metric.pointer("/resource/target/averageUtilization").is_some_and(|value| !value.is_null())
}

/// No map is left rather than an empty one.
fn drop_annotations(map: &mut Map<String, Value>) {
    let Some(metadata) = part(map, "metadata") else { return };
    let Some(annotations) = part(metadata, "annotations") else { return };
    let before = annotations.len();
    for key in [METRICS, CURRENT_METRICS, CONDITIONS, BEHAVIOR] {
        annotations.remove(key);
    }
    if annotations.is_empty() && before > 0 {
        metadata.remove("annotations");
    }
}

#[cfg(test)]
mod tests {
    use crate::versions::find;
    use serde_json::json;

    #[test]
    fn autoscalers_go_forth_and_back() {
        let version = find("autoscaling", "v1", "horizontalpodautoscalers").unwrap();
        let older = json!({"apiVersion": "autoscaling/v1", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "a"},
            "spec": {"maxReplicas": 3, "targetCPUUtilizationPercentage": 50}});
        let mut value = older.clone();
        version.keep(&mut value);
        assert_eq!(value["apiVersion"], "autoscaling/v2");
        assert_eq!(value["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"], 50);
        value["spec"]["metrics"].as_array_mut().unwrap().insert(
            0,
            json!({"type": "Resource",
                "resource": {"name": "memory", "target": {"type": "AverageValue", "averageValue": "1Gi"}}}),
        );
        value["spec"]["behavior"] = json!({"scaleDown": {"stabilizationWindowSeconds": 5, "selectPolicy": "Max",
            "policies": [{"type": "Pods", "value": 1, "periodSeconds": 15}]}});
        let kept = value.clone();
        version.show(&mut value);
        assert_eq!(value["spec"], older["spec"]);
        let notes = value["metadata"]["annotations"].clone();
        assert_eq!(
            notes["autoscaling.alpha.kubernetes.io/metrics"],
            r#"[{"type":"Resource","resource":{"name":"memory","targetAverageValue":"1Gi"}}]"#
        );
        assert_eq!(
            notes["autoscaling.alpha.kubernetes.io/behavior"],
            concat!(
                r#"{"ScaleUp":null,"ScaleDown":{"StabilizationWindowSeconds":5,"SelectPolicy":"Max","#,
                r#""Policies":[{"Type":"Pods","Value":1,"PeriodSeconds":15}],"Tolerance":null}}"#
            )
        );
        version.keep(&mut value);
        assert_eq!(value, kept);
    }

    #[test]
    fn without_a_percentage_the_default_is_kept() {
        let version = find("autoscaling", "v1", "horizontalpodautoscalers").unwrap();
        let mut value = json!({"spec": {"maxReplicas": 3}});
        version.keep(&mut value);
        assert_eq!(value["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"], 80);
    }
}
