//! Versions in which a kind is served beside the one that the cluster keeps: trees are converted on their way in and out.
//!
//! Source: pkg/apis/events/v1/conversion.go, pkg/apis/autoscaling/v1/conversion.go (v1.37).

use podlab_api::{Kind, kinds};
use serde_json::{Map, Value, json};

/// A further version of a kind.
#[derive(Debug)]
pub(crate) struct Version {
    pub group: &'static str,
    pub version: &'static str,
    /// The kind as the cluster keeps it.
    pub kind: &'static Kind,
    to: fn(&mut Map<String, Value>),
    from: fn(&mut Map<String, Value>),
    /// Prefixes of field selectors: here and in the kept version.
    selectors: &'static [(&'static str, &'static str)],
}

/// All of them.
pub(crate) static VERSIONS: [Version; 2] = [
    Version {
        group: "events.k8s.io",
        version: "v1",
        kind: &kinds::EVENT,
        to: event_to,
        from: event_from,
        selectors: &[("regarding.", "involvedObject."), ("reportingController", "reportingComponent")],
    },
    Version {
        group: "autoscaling",
        version: "v1",
        kind: &kinds::HORIZONTAL_POD_AUTOSCALER,
        to: autoscaler_to,
        from: autoscaler_from,
        selectors: &[],
    },
];

/// The version that a path names.
pub(crate) fn find(group: &str, version: &str, plural: &str) -> Option<&'static Version> {
    VERSIONS.iter().find(|one| one.group == group && one.version == version && one.kind.plural == plural)
}

impl Version {
    /// `events.k8s.io/v1`.
    pub(crate) fn api_version(&self) -> String {
        format!("{}/{}", self.group, self.version)
    }

    /// Gives a kept object the form of this version.
    pub(crate) fn show(&self, value: &mut Value) {
        if let Some(map) = value.as_object_mut() {
            (self.to)(map);
            map.insert("apiVersion".to_owned(), self.api_version().into());
        }
    }

    /// Gives an object of this version the kept form; one that says another version stays for the door to refuse.
    pub(crate) fn keep(&self, value: &mut Value) {
        let Some(map) = value.as_object_mut() else { return };
        let said = map.get("apiVersion").and_then(Value::as_str).unwrap_or("");
        if said.is_empty() || said == self.api_version() {
            (self.from)(map);
            map.insert("apiVersion".to_owned(), self.kind.api_version().into());
        }
    }

    /// A field selector in the kept version's words.
    pub(crate) fn field_selector(&self, text: &str) -> String {
        let one = |term: &str| {
            let found = self.selectors.iter().find(|(own, _)| term.starts_with(own));
            found.map_or_else(|| term.to_owned(), |(own, kept)| format!("{kept}{}", &term[own.len()..]))
        };
        text.split(',').map(one).collect::<Vec<_>>().join(",")
    }
}

const EVENT_FIELDS: [(&str, &str); 7] = [
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
    ("reportingComponent", "reportingController"),
];

fn rename(map: &mut Map<String, Value>, from: &str, to: &str) {
    if let Some(value) = map.remove(from) {
        map.insert(to.to_owned(), value);
    }
}

fn event_to(map: &mut Map<String, Value>) {
    EVENT_FIELDS.iter().for_each(|(kept, own)| rename(map, kept, own));
}

fn event_from(map: &mut Map<String, Value>) {
    EVENT_FIELDS.iter().for_each(|(kept, own)| rename(map, own, kept));
}

/// Where the older version keeps metrics that it has no field for.
const METRICS: &str = "autoscaling.alpha.kubernetes.io/metrics";
/// Likewise how it scales.
const BEHAVIOR: &str = "autoscaling.alpha.kubernetes.io/behavior";

/// Whether a metric is the CPU's utilization, which the older version has a field for.
fn is_cpu(metric: &Value) -> bool {
    metric.pointer("/resource/name").and_then(Value::as_str) == Some("cpu")
        && metric.get("type").and_then(Value::as_str) == Some("Resource")
        && metric.pointer("/resource/target/averageUtilization").is_some()
}

fn annotations(map: &mut Map<String, Value>) -> Option<&mut Map<String, Value>> {
    let metadata = map.entry("metadata").or_insert_with(|| json!({})).as_object_mut()?;
    metadata.entry("annotations").or_insert_with(|| json!({})).as_object_mut()
}

fn annotate(map: &mut Map<String, Value>, key: &str, value: &Value) {
    if let Some(annotations) = annotations(map) {
        annotations.insert(key.to_owned(), value.to_string().into());
    }
}

/// Takes an annotation's value out; none are left rather than an empty map.
fn taken(map: &mut Map<String, Value>, key: &str) -> Option<Value> {
    let metadata = map.get_mut("metadata")?.as_object_mut()?;
    let annotations = metadata.get_mut("annotations")?.as_object_mut()?;
    let text = annotations.remove(key)?;
    if annotations.is_empty() {
        metadata.remove("annotations");
    }
    serde_json::from_str(text.as_str()?).ok()
}

fn part<'a>(map: &'a mut Map<String, Value>, name: &str) -> Option<&'a mut Map<String, Value>> {
    map.get_mut(name)?.as_object_mut()
}

fn autoscaler_to(map: &mut Map<String, Value>) {
    let spec = part(map, "spec").map(|spec| (spec.remove("metrics"), spec.remove("behavior")));
    let (metrics, behavior) = spec.unwrap_or_default();
    let metrics = metrics.and_then(|metrics| metrics.as_array().cloned()).unwrap_or_default();
    let (cpu, others): (Vec<Value>, Vec<Value>) = metrics.into_iter().partition(is_cpu);
    if let (Some(cpu), Some(spec)) = (cpu.first(), part(map, "spec")) {
        let percentage = cpu.pointer("/resource/target/averageUtilization").cloned().unwrap_or_default();
        spec.insert("targetCPUUtilizationPercentage".to_owned(), percentage);
    }
    if !others.is_empty() {
        annotate(map, METRICS, &others.into());
    }
    if let Some(behavior) = behavior {
        annotate(map, BEHAVIOR, &behavior);
    }
    if let Some(status) = part(map, "status") {
        status.remove("conditions");
        let current =
            status.remove("currentMetrics").and_then(|all| all.as_array().cloned()).unwrap_or_default();
        let used = current.iter().find_map(|metric| {
            let is_cpu = metric.pointer("/resource/name").and_then(Value::as_str) == Some("cpu");
            metric.pointer("/resource/current/averageUtilization").filter(|_| is_cpu).cloned()
        });
        if let Some(used) = used {
            status.insert("currentCPUUtilizationPercentage".to_owned(), used);
        }
    }
}

fn autoscaler_from(map: &mut Map<String, Value>) {
    let mut metrics = Vec::new();
    if let Some(percentage) = part(map, "spec").and_then(|spec| spec.remove("targetCPUUtilizationPercentage"))
    {
        metrics.push(json!({"type": "Resource", "resource": {"name": "cpu",
            "target": {"type": "Utilization", "averageUtilization": percentage}}}));
    }
    if let Some(Value::Array(others)) = taken(map, METRICS) {
        metrics.extend(others);
    }
    let behavior = taken(map, BEHAVIOR);
    if let Some(spec) = part(map, "spec") {
        if !metrics.is_empty() {
            spec.insert("metrics".to_owned(), metrics.into());
        }
        if let Some(behavior) = behavior {
            spec.insert("behavior".to_owned(), behavior);
        }
    }
    if let Some(status) = part(map, "status") {
        status.remove("currentCPUUtilizationPercentage");
    }
}

#[cfg(test)]
mod tests {
    use super::find;
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
        value["spec"]["metrics"].as_array_mut().unwrap().push(json!({"type": "Resource",
            "resource": {"name": "memory", "target": {"type": "AverageValue", "averageValue": "1Gi"}}}));
        let kept = value.clone();
        version.show(&mut value);
        assert_eq!(value["spec"], older["spec"]);
        version.keep(&mut value);
        assert_eq!(value, kept);
    }

    #[test]
    fn events_have_other_names() {
        let version = find("events.k8s.io", "v1", "events").unwrap();
        let mut event =
            json!({"apiVersion": "v1", "kind": "Event", "message": "m", "involvedObject": {"name": "a"}});
        version.show(&mut event);
        assert_eq!(
            event,
            json!({"apiVersion": "events.k8s.io/v1", "kind": "Event", "note": "m", "regarding": {"name": "a"}})
        );
        assert_eq!(
            version.field_selector("regarding.name=a,type=Normal"),
            "involvedObject.name=a,type=Normal"
        );
    }
}
