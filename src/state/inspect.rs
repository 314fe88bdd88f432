//! What the inspector tells about an object beside the object itself.

use podlab_api::duration::human_duration;
use podlab_api::time::unix_seconds;
use podlab_api::{Object, Time, kinds};
use podlab_cluster::Cluster;
use podlab_sim::SimTime;
use serde_json::Value;

/// An event about an object.
#[derive(Clone, Debug, PartialEq)]
pub struct EventLine {
    /// `Normal`, `Warning`.
    pub kind: String,
    /// `BackOff`.
    pub reason: String,
    /// `48s (x5 over 2m3s)`, as `kubectl describe` prints it.
    pub age: String,
    /// `kubelet`.
    pub from: String,
    /// The message.
    pub message: String,
    /// When it happened last, for the order.
    last: i64,
}

/// `64s`, `2m13s`, `12m`: how kubectl prints ages.
pub fn age(now: SimTime, then: i64) -> String {
    human_duration(now.as_nanos().saturating_sub(then))
}

/// The age of a Kubernetes time.
pub fn age_of(now: SimTime, then: &Time) -> String {
    age(now, unix_seconds(then).saturating_mul(1_000_000_000))
}

fn nanos(value: Option<&Value>) -> Option<i64> {
    let text = value?.as_str()?;
    let time: k8s_openapi::jiff::Timestamp = text.parse().ok()?;
    i64::try_from(time.as_nanosecond()).ok()
}

/// The events about an object, newest first.
pub fn events(cluster: &Cluster, object: &Object) -> Vec<EventLine> {
    let now = cluster.sim_now();
    let namespace = if object.namespace().is_empty() { "default" } else { object.namespace() };
    let mut lines: Vec<EventLine> = cluster
        .world()
        .api
        .store()
        .list_namespace(&kinds::EVENT, namespace)
        .filter_map(|event| {
            let about = event.field("involvedObject").or_else(|| event.field("regarding"))?;
            let is = |key: &str, value: &str| about.get(key).and_then(Value::as_str) == Some(value);
            let same = is("uid", object.uid()) || (object.kind.kind == "Node" && is("name", object.name()));
            (same && is("kind", object.kind.kind)).then(|| line(event, now))
        })
        .collect();
    lines.sort_by_key(|l| std::cmp::Reverse(l.last));
    lines
}

/// Source: k8s.io/kubectl/pkg/describe/describe.go `describeEvents` (v1.37).
fn line(event: &Object, now: SimTime) -> EventLine {
    let text = |names: &[&str]| {
        names
            .iter()
            .find_map(|n| event.field(n)?.as_str().filter(|s| !s.is_empty()))
            .unwrap_or_default()
            .to_owned()
    };
    let first = nanos(event.field("firstTimestamp").or_else(|| event.field("deprecatedFirstTimestamp")));
    let last = nanos(event.field("lastTimestamp").or_else(|| event.field("deprecatedLastTimestamp")));
    let at = nanos(event.field("eventTime"));
    let created = event.metadata.creation_timestamp.as_ref().map(|t| unix_seconds(t) * 1_000_000_000);
    let begun = first.or(at).or(created).unwrap_or(0);
    let series = event.field("series");
    let series_last = nanos(series.and_then(|s| s.get("lastObservedTime")));
    let series_count = series.and_then(|s| s.get("count")).and_then(Value::as_i64).unwrap_or(0);
    let count =
        event.field("count").or_else(|| event.field("deprecatedCount")).and_then(Value::as_i64).unwrap_or(0);
    let (age_text, newest) = match (series_last, count) {
        (Some(seen), _) => (format!("{} (x{series_count} over {})", age(now, seen), age(now, begun)), seen),
        (None, 2..) => {
            let seen = last.unwrap_or(begun);
            (format!("{} (x{count} over {})", age(now, seen), age(now, begun)), seen)
        }
        _ => (age(now, begun), begun),
    };
    let source = event.field("source").or_else(|| event.field("deprecatedSource"));
    let component = source.and_then(|s| s.get("component")).and_then(Value::as_str).filter(|s| !s.is_empty());
    let from = component.map_or_else(|| text(&["reportingComponent", "reportingController"]), str::to_owned);
    EventLine {
        kind: text(&["type"]),
        reason: text(&["reason"]),
        age: age_text,
        from,
        message: text(&["message", "note"]).trim().to_owned(),
        last: newest,
    }
}

/// A line of a container's log.
#[derive(Clone, Debug, PartialEq)]
pub struct LogLine {
    /// When it was written.
    pub at: SimTime,
    /// Its text, without the line feed.
    pub text: String,
}

/// The last lines of a container's log, by the id in its status (`containerd://…`).
pub fn log(cluster: &Cluster, container_id: &str, most: usize) -> Vec<LogLine> {
    let id = container_id.split_once("://").map_or(container_id, |(_, id)| id);
    let Some(log) = cluster.world().runtime.log(&id.into()) else { return Vec::new() };
    let mut lines: Vec<LogLine> = log
        .lines()
        .rev()
        .take(most)
        .map(|l| LogLine {
            at: l.at,
            text: String::from_utf8_lossy(&l.bytes()).trim_end_matches('\n').to_owned(),
        })
        .collect();
    lines.reverse();
    lines
}

/// The manifest that an object could have been made from: as it was applied, else without what the cluster added.
pub fn manifest(object: &Object) -> Value {
    if let Some(applied) = object.annotation("kubectl.kubernetes.io/last-applied-configuration")
        && let Ok(mut value) = serde_json::from_str::<Value>(applied)
    {
        if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut)
            && metadata.get("annotations").and_then(Value::as_object).is_some_and(serde_json::Map::is_empty)
        {
            metadata.remove("annotations");
        }
        return value;
    }
    let mut value = object.to_value();
    if let Some(map) = value.as_object_mut() {
        map.remove("status");
        if let Some(metadata) = map.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.retain(|key, _| matches!(key.as_str(), "name" | "namespace" | "labels" | "annotations"));
        }
        if let Some(spec) = map.get_mut("spec").and_then(Value::as_object_mut) {
            strip_spec(spec);
        }
    }
    value
}

/// Takes out what admission and scheduling put into a pod's spec.
fn strip_spec(spec: &mut serde_json::Map<String, Value>) {
    const ADDED: [&str; 12] = [
        "nodeName",
        "serviceAccount",
        "serviceAccountName",
        "schedulerName",
        "preemptionPolicy",
        "priority",
        "enableServiceLinks",
        "dnsPolicy",
        "terminationGracePeriodSeconds",
        "securityContext",
        "restartPolicy",
        "hostname",
    ];
    spec.retain(|key, value| {
        !(ADDED.contains(&key.as_str()) && (key != "restartPolicy" || value == "Always"))
    });
    let is_token =
        |v: &Value| v.get("name").and_then(Value::as_str).is_some_and(|n| n.starts_with("kube-api-access-"));
    let drop_from = |spec: &mut serde_json::Map<String, Value>, key: &str, drop: &dyn Fn(&Value) -> bool| {
        let emptied = spec.get_mut(key).and_then(Value::as_array_mut).is_some_and(|list| {
            list.retain(|v| !drop(v));
            list.is_empty()
        });
        if emptied {
            spec.remove(key);
        }
    };
    drop_from(spec, "volumes", &is_token);
    drop_from(spec, "tolerations", &|v| {
        let key = v.get("key").and_then(Value::as_str).unwrap_or_default();
        matches!(key, "node.kubernetes.io/not-ready" | "node.kubernetes.io/unreachable")
    });
    for list in ["containers", "initContainers"] {
        for container in spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(container) = container.as_object_mut() {
                drop_from(container, "volumeMounts", &is_token);
                container.retain(|key, value| {
                    let empty = value.as_object().is_some_and(serde_json::Map::is_empty);
                    match key.as_str() {
                        "terminationMessagePath" | "terminationMessagePolicy" | "imagePullPolicy" => false,
                        "resources" => !empty,
                        _ => true,
                    }
                });
            }
        }
    }
}

/// An amount of a resource as people write it: thousandths of cpu, bytes of memory, else a count.
pub fn amount(resource: &str, value: i64) -> String {
    match resource {
        "cpu" => format!("{value}m"),
        "memory" | "ephemeral-storage" => {
            const UNITS: [(&str, i64); 3] = [("Gi", 1 << 30), ("Mi", 1 << 20), ("Ki", 1 << 10)];
            match UNITS.iter().find(|(_, size)| value.abs() >= *size) {
                Some((unit, size)) if value % size == 0 => format!("{}{unit}", value / size),
                Some(("Gi", _)) => format!("{}Mi", value >> 20),
                Some((unit, size)) => format!("{}{unit}", value / size),
                None => value.to_string(),
            }
        }
        _ => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::Lab;
    use crate::state::pod_edits::{asking_at_most, tolerating};
    use serde_json::json;

    #[test]
    fn a_change_goes_into_the_applied_manifest() {
        let mut lab = Lab::default();
        lab.edit("apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\nspec:\n  containers:\n  - name: c\n    image: nginx\n    resources:\n      requests:\n        cpu: 900m\n");
        assert!(lab.apply().ok());
        let pod = lab.object("Pod", "default", "web").unwrap();
        let changed = asking_at_most(manifest(&pod), "cpu", 500).unwrap();
        assert_eq!(changed.pointer("/spec/containers/0/resources/requests/cpu"), Some(&json!("500m")));
        let changed = tolerating(changed, "gpu", "", "NoSchedule").unwrap();
        assert_eq!(changed.pointer("/spec/tolerations/0/operator"), Some(&json!("Exists")));
        let text = podlab_yaml::to_yaml(&changed);
        assert!(lab.check(&text.replace("name: web", "name: web2")).ok(), "{text}");
    }

    #[test]
    fn amounts_read_as_quantities() {
        assert_eq!(amount("cpu", 1500), "1500m");
        assert_eq!(amount("memory", 2 << 30), "2Gi");
        assert_eq!(amount("memory", 1_700 << 20), "1700Mi");
        assert_eq!(amount("pods", 3), "3");
    }
}
