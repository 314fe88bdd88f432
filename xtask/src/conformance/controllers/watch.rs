//! Every change of a namespace's objects, by the fields that matter.

use podlab_api::door::{ChangeType, ResponseBody, Verb, WatchCursor};
use podlab_api::{Door, Kind, Request, kinds};
use podlab_cluster::Cluster;
use regex::Regex;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::text;

const WATCHED: [(&str, &str); 17] = [
    ("v1", "Pod"),
    ("v1", "Endpoints"),
    ("v1", "Node"),
    ("v1", "ResourceQuota"),
    ("v1", "Namespace"),
    ("v1", "PersistentVolume"),
    ("v1", "PersistentVolumeClaim"),
    ("apps/v1", "Deployment"),
    ("apps/v1", "ReplicaSet"),
    ("apps/v1", "StatefulSet"),
    ("apps/v1", "DaemonSet"),
    ("apps/v1", "ControllerRevision"),
    ("batch/v1", "Job"),
    ("batch/v1", "CronJob"),
    ("discovery.k8s.io/v1", "EndpointSlice"),
    ("policy/v1", "PodDisruptionBudget"),
    ("v1", "Event"),
];

pub(super) struct Watcher {
    namespace: String,
    cursors: Vec<WatchCursor>,
    /// `watch` of the recording.
    pub(super) changes: Vec<Value>,
    events: BTreeMap<String, Value>,
}

impl Watcher {
    pub(super) fn new(cluster: &mut Cluster, namespace: &str) -> Self {
        let cursors = WATCHED.into_iter().filter_map(|(api_version, kind)| {
            let kind: &'static Kind = kinds::by_gvk(api_version, kind)?;
            match cluster.request(Request::new(Verb::Watch, kind)).body {
                ResponseBody::Watch(mut cursor) => {
                    // Only what changes from now on.
                    cursor.initial.clear();
                    Some(cursor)
                }
                _ => None,
            }
        });
        Self {
            namespace: namespace.to_owned(),
            cursors: cursors.collect(),
            changes: Vec::new(),
            events: BTreeMap::new(),
        }
    }

    pub(super) fn look(&mut self, cluster: &mut Cluster) {
        let mut changes = Vec::new();
        for cursor in &mut self.cursors {
            changes.extend(cluster.watch(cursor).unwrap_or_default());
        }
        changes.sort_by_key(|change| change.object.resource_version());
        for change in changes {
            let object = change.object.to_value();
            let kind = change.object.kind.kind;
            if kind == "Event" {
                self.event(change.object.uid(), &object);
                continue;
            }
            // A script may make a second namespace, named after its own.
            let place = match change.object.namespace() {
                "" => String::new(),
                own if own == self.namespace => String::new(),
                other if other.starts_with(&format!("{}-", self.namespace)) => format!(" -n {other}"),
                _ => continue,
            };
            let fields = if change.change == ChangeType::Deleted { json!({}) } else { fields(kind, &object) };
            let entry = json!({"e": change.change.as_str(), "o": format!("{kind}/{}{place}", change.object.name()), "f": fields});
            self.changes.push(entry);
        }
    }

    fn event(&mut self, uid: &str, event: &Value) {
        let involved = event.get("involvedObject").cloned().unwrap_or_default();
        let namespace = text(&involved, "namespace");
        let own = namespace == self.namespace || namespace.starts_with(&format!("{}-", self.namespace));
        if !(own || namespace.is_empty() && text(&involved, "kind") == "Node") {
            return;
        }
        let source =
            event.pointer("/source/component").and_then(Value::as_str).filter(|name| !name.is_empty());
        let count = event.pointer("/series/count").or_else(|| event.get("count")).and_then(Value::as_i64);
        let entry = json!({
            "object": format!("{}/{}", text(&involved, "kind"), text(&involved, "name")),
            "type": text(event, "type"), "reason": text(event, "reason"), "message": text(event, "message"),
            "count": count.unwrap_or(1).max(1),
            "from": source.unwrap_or_else(|| text(event, "reportingComponent")),
        });
        self.events.insert(uid.to_owned(), entry);
    }

    pub(super) fn events(&self) -> Vec<Value> {
        self.events.values().cloned().collect()
    }
}

/// The key fields of an object, as the recorder chose them.
fn fields(kind: &str, object: &Value) -> Value {
    let mut fields = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        let empty = |value: &Value| match value {
            Value::Null => true,
            Value::Array(items) => items.is_empty(),
            Value::Object(fields) => fields.is_empty(),
            _ => false,
        };
        if let Some(value) = value.filter(|value| !empty(value)) {
            fields.insert(name.to_owned(), value);
        }
    };
    let at = |path: &str| object.pointer(path).cloned();
    put("labels", at("/metadata/labels"));
    put("deleting", object.pointer("/metadata/deletionTimestamp").map(|_| json!(true)));
    put("finalizers", at("/metadata/finalizers"));
    let owners = object.pointer("/metadata/ownerReferences").and_then(Value::as_array);
    put(
        "owners",
        owners.map(|owners| {
            owners
                .iter()
                .map(|owner| json!(format!("{}/{}", text(owner, "kind"), text(owner, "name"))))
                .collect()
        }),
    );
    let annotations = object.pointer("/metadata/annotations").and_then(Value::as_object).map(|annotations| {
        let kept = annotations
            .iter()
            .filter(|(name, _)| *name != "kubectl.kubernetes.io/last-applied-configuration")
            // What the pretended kubelet goes by was not recorded.
            .filter(|(name, _)| !name.starts_with("sim/") && !name.starts_with("kubectl.kubernetes.io/"));
        Value::Object(kept.map(|(name, value)| (name.clone(), value.clone())).collect())
    });
    put("annotations", annotations);
    put("replicas", at("/spec/replicas"));
    let images = |path: &str| -> Option<Value> {
        let containers = object.pointer(path)?.as_array()?;
        Some(containers.iter().map(|container| container["image"].clone()).collect())
    };
    match kind {
        "Pod" => {
            put("node", at("/spec/nodeName"));
            put("phase", at("/status/phase"));
            put("images", images("/spec/containers"));
        }
        "Node" => {
            let conditions =
                object.pointer("/status/conditions").and_then(Value::as_array).into_iter().flatten();
            let mut ready = conditions
                .filter(|condition| text(condition, "type") == "Ready")
                .map(|condition| condition["status"].clone());
            put("ready", ready.next_back());
            put("taints", at("/spec/taints"));
            put("unschedulable", at("/spec/unschedulable"));
        }
        "Endpoints" => {
            let subsets = object.pointer("/subsets").and_then(Value::as_array);
            let count = |subset: &Value, field: &str| subset[field].as_array().map_or(0, Vec::len);
            let brief = |subset: &Value| {
                json!({"ready": count(subset, "addresses"), "notReady": count(subset, "notReadyAddresses"),
                    "ports": subset["ports"]})
            };
            put("subsets", subsets.map(|subsets| subsets.iter().map(brief).collect()));
        }
        "EndpointSlice" => {
            let endpoints = object.pointer("/endpoints").and_then(Value::as_array);
            let brief = |endpoint: &Value| json!({"conditions": endpoint["conditions"], "target": endpoint.pointer("/targetRef/name")});
            put("endpoints", endpoints.map(|endpoints| endpoints.iter().map(brief).collect()));
            put("ports", at("/ports"));
        }
        "ControllerRevision" => put("revision", at("/revision")),
        _ => {
            put("images", images("/spec/template/spec/containers").filter(|_| kind != "Job"));
            if !matches!(kind, "ResourceQuota" | "Namespace" | "PersistentVolume" | "PersistentVolumeClaim") {
                put("generation", at("/metadata/generation"));
            }
            put("suspend", at("/spec/suspend"));
            put("parallelism", at("/spec/parallelism"));
            put("completions", at("/spec/completions"));
            put("volumeName", at("/spec/volumeName"));
            let status = at("/status").map(|mut status| {
                // Uids alone.
                if let Some(status) = status.as_object_mut() {
                    status.remove("uncountedTerminatedPods");
                }
                status
            });
            put("status", status);
        }
    }
    Value::Object(fields)
}

static DRAWN: LazyLock<Vec<(Regex, &'static str)>> = LazyLock::new(|| {
    [
        (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "<uid>"),
        (r"\b20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "<time>"),
        (r#""resourceVersion": ?"\d+""#, r#""resourceVersion":"<rv>""#),
        (r"\b(10|172|192)\.\d+\.\d+\.\d+\b", "<ip>"),
    ]
    .into_iter()
    .filter_map(|(pattern, placeholder)| Some((Regex::new(pattern).ok()?, placeholder)))
    .collect()
});

/// Uids, times and addresses as placeholders.
pub(super) fn without_drawn(text: &str) -> String {
    DRAWN.iter().fold(text.to_owned(), |text, (pattern, placeholder)| {
        pattern.replace_all(&text, *placeholder).into_owned()
    })
}

static SCRIPT: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\blab-[0-9a-f]{6}\b").ok());
static TOTAL: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\(\d+ in total\)").ok());

/// Whether a line is about another script's namespace: many scripts ran at once on the same nodes, and what looks at a node or
/// at all namespaces shows their pods and events too.
fn is_of_other(line: &str, own: &str) -> bool {
    SCRIPT.as_ref().is_some_and(|script| script.find_iter(line).any(|found| found.as_str() != own))
}

/// Whether a text has such lines.
pub(super) fn shows_others(text: &str, own: &str) -> bool {
    text.lines().any(|line| is_of_other(line, own))
}

/// A text without such lines, and where there are any (`crowded`) without counts of what they list.
pub(super) fn without_others(text: &str, own: &str, crowded: bool) -> String {
    let Some(total) = TOTAL.as_ref().filter(|_| crowded) else { return text.to_owned() };
    let kept: Vec<&str> = text.split('\n').filter(|line| !is_of_other(line, own)).collect();
    total.replace_all(&kept.join("\n"), "(<count> in total)").into_owned()
}

static NODE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\bto n[1-9]\b").ok());

/// Which of several equal nodes the scheduler drew, out of an event's text.
pub(super) fn without_node(text: &str) -> String {
    match NODE.as_ref() {
        Some(node) => node.replace_all(text, "to <node>").into_owned(),
        None => text.to_owned(),
    }
}

static PLACE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\bn[1-9]\b").ok());
static WHICH: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"<Pod\d+>").ok());

/// Which of several equal nodes a pod went to, out of the line of a drawn name or out of any; which of several equal pods
/// it was, and runs of spaces, whose length depends on the names.
pub(super) fn without_place(line: &str, anywhere: bool) -> String {
    let line = line.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    let drawn = anywhere || ["<Pod", "-<", "nodeName: "].iter().any(|sign| line.contains(sign));
    let line = match PLACE.as_ref().filter(|_| drawn) {
        Some(place) => place.replace_all(&line, "<node>").into_owned(),
        None => line,
    };
    match WHICH.as_ref() {
        Some(which) => which.replace_all(&line, "<Pod>").into_owned(),
        None => line,
    }
}

static NEVER_MADE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"(Error creating: [a-z.]+ "[^"]*-)[a-z0-9]{5}""#).ok());

static TOKEN_VOLUME: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\bkube-api-access-[a-z0-9]{5}\b").ok());

/// The drawn name of a pod that was refused, out of an event's text, and those of the volumes of tokens.
pub(super) fn without_pod(text: &str) -> String {
    let (Some(refused), Some(volume)) = (NEVER_MADE.as_ref(), TOKEN_VOLUME.as_ref()) else {
        return text.to_owned();
    };
    let text = refused.replace_all(text, "$1<suffix>\"");
    volume.replace_all(&text, "kube-api-access-<suffix>").into_owned()
}
