//! Watches a cluster as the recorder watched the real one.

use podlab_api::door::{ChangeType, ResponseBody, Verb, WatchCursor, WatchEvent};
use podlab_api::{Door, Kind, Object, Request, kinds, printers};
use podlab_cluster::Cluster;
use podlab_sim::SimTime;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

use super::normalise::{Named, Names};
use super::text;

struct Seen {
    at: SimTime,
    change: ChangeType,
    object: Arc<Object>,
    /// READY, STATUS, RESTARTS at that moment; of pods only.
    cells: Value,
}

/// All that was seen of one namespace.
pub(super) struct Watcher {
    namespace: String,
    cursors: Vec<WatchCursor>,
    pods: Vec<Seen>,
    objects: Vec<Seen>,
    /// Uid → last state, every write with its count.
    events: BTreeMap<String, (Value, Vec<(SimTime, i64)>)>,
    /// Uids in the order of their first write.
    event_order: Vec<String>,
}

impl Watcher {
    pub(super) fn new(cluster: &mut Cluster, namespace: &str) -> Self {
        let watched = [("v1", "Pod"), ("v1", "Event"), ("apps/v1", "ReplicaSet"), ("batch/v1", "Job")];
        let cursors = watched.into_iter().filter_map(|(api_version, kind)| {
            let kind: &'static Kind = kinds::by_gvk(api_version, kind)?;
            let namespace = if kind.kind == "Event" { "" } else { namespace };
            match cluster.request(Request::new(Verb::Watch, kind).namespace(namespace)).body {
                ResponseBody::Watch(cursor) => Some(cursor),
                _ => None,
            }
        });
        Self {
            namespace: namespace.to_owned(),
            cursors: cursors.collect(),
            pods: Vec::new(),
            objects: Vec::new(),
            events: BTreeMap::new(),
            event_order: Vec::new(),
        }
    }

    /// Takes in what has changed since the last look.
    pub(super) fn look(&mut self, cluster: &mut Cluster) {
        let at = cluster.sim_now();
        let now = cluster.now();
        let mut changes = Vec::new();
        for cursor in &mut self.cursors {
            changes.extend(cluster.watch(cursor).unwrap_or_default());
        }
        for WatchEvent { change, object } in changes {
            match object.kind.kind {
                "Pod" => {
                    let table = printers::table(object.kind, &[Arc::clone(&object)], now);
                    let row = table.rows.first().map(|row| row.cells.clone()).unwrap_or_default();
                    let cells = row.iter().skip(1).take(3).map(|cell| match cell {
                        Value::String(text) => Value::String(text.clone()),
                        other => Value::String(other.to_string()),
                    });
                    let cells = cells.collect();
                    self.pods.push(Seen { at, change, object, cells });
                }
                "Event" => self.event(at, change, &object),
                _ => self.objects.push(Seen { at, change, object, cells: Value::Null }),
            }
        }
    }

    fn event(&mut self, at: SimTime, change: ChangeType, object: &Object) {
        let event = object.to_value();
        let involved = event.get("involvedObject").cloned().unwrap_or_default();
        let is_node = text(&involved, "kind") == "Node";
        if change == ChangeType::Deleted || is_node || text(&involved, "namespace") != self.namespace {
            return;
        }
        let count =
            event.get("count").filter(|count| !count.is_null()).or_else(|| event.pointer("/series/count"));
        let count = count.and_then(Value::as_i64).unwrap_or(1);
        let uid = object.uid().to_owned();
        let entry = self.events.entry(uid.clone()).or_insert_with(|| {
            self.event_order.push(uid);
            (Value::Null, Vec::new())
        });
        entry.0 = event;
        entry.1.push((at, count));
    }

    /// When the first pod appeared.
    pub(super) fn first_pod(&self) -> Option<SimTime> {
        self.pods.first().map(|seen| seen.at)
    }

    /// Aliases of the names that controllers made so far.
    pub(super) fn names(&self) -> Names {
        let named = |seen: &Seen| {
            let owner = seen.object.metadata.owner_references.as_ref().and_then(|owners| owners.first());
            Named {
                kind: seen.object.kind.kind.to_owned(),
                name: seen.object.name().to_owned(),
                owner_kind: owner.map(|owner| owner.kind.clone()).unwrap_or_default(),
                owner: owner.map(|owner| owner.name.clone()).unwrap_or_default(),
                template_hash: seen.object.label("pod-template-hash").unwrap_or_default().to_owned(),
            }
        };
        let objects: Vec<Named> = self.objects.iter().map(named).collect();
        let pods: Vec<Named> = self.pods.iter().map(named).collect();
        Names::new(&objects, &pods)
    }

    /// The pods' timelines in the recording's form, times relative to `zero`.
    pub(super) fn pods(&self, zero: SimTime) -> Vec<Value> {
        self.pods.iter().map(|seen| pod_record(seen, zero)).collect()
    }

    /// The events in the recording's form.
    pub(super) fn events(&self, zero: SimTime) -> Vec<Value> {
        let record = |uid: &String| {
            let (event, seen) = self.events.get(uid)?;
            let involved = event.get("involvedObject").unwrap_or(&Value::Null);
            let source =
                event.pointer("/source/component").and_then(Value::as_str).filter(|name| !name.is_empty());
            let seen: Vec<Value> =
                seen.iter().map(|(at, count)| json!([relative(*at, zero), count])).collect();
            Some(json!({
                "type": text(event, "type"),
                "reason": text(event, "reason"),
                "message": text(event, "message"),
                "component": source.unwrap_or_else(|| text(event, "reportingComponent")),
                "object": format!("{}/{}", text(involved, "kind"), text(involved, "name")),
                "fieldPath": involved.get("fieldPath").cloned().unwrap_or_default(),
                "seen": seen,
            }))
        };
        self.event_order.iter().filter_map(record).collect()
    }
}

fn relative(at: SimTime, zero: SimTime) -> f64 {
    let nanoseconds = at.as_nanos().saturating_sub(zero.as_nanos());
    (nanoseconds as f64 / 1e6).round() / 1e3
}

fn pod_record(seen: &Seen, zero: SimTime) -> Value {
    let pod = seen.object.to_value();
    let status = pod.get("status").cloned().unwrap_or_default();
    let mut record = Map::new();
    record.insert("t".to_owned(), json!(relative(seen.at, zero)));
    record.insert("ev".to_owned(), json!(seen.change.as_str()));
    record.insert("pod".to_owned(), json!(seen.object.name()));
    record.insert("cells".to_owned(), seen.cells.clone());
    record.insert("phase".to_owned(), status.get("phase").cloned().unwrap_or_default());
    let conditions =
        status.get("conditions").and_then(Value::as_array).into_iter().flatten().map(|condition| {
            let field = |name: &str| condition.get(name).cloned().unwrap_or_default();
            json!([field("type"), field("status"), field("reason"), field("message")])
        });
    record.insert("conditions".to_owned(), conditions.collect());
    for (name, list) in [
        ("init", "initContainerStatuses"),
        ("containers", "containerStatuses"),
        ("ephemeral", "ephemeralContainerStatuses"),
    ] {
        if let Some(list) = status.get(list).and_then(Value::as_array).filter(|list| !list.is_empty()) {
            record.insert(name.to_owned(), list.iter().map(container_record).collect());
        }
    }
    Value::Object(record)
}

fn container_record(status: &Value) -> Value {
    let mut record = json!({
        "name": text(status, "name"),
        "restarts": status.get("restartCount").cloned().unwrap_or_default(),
        "image": text(status, "image"),
        "state": state_record(status.get("state")),
    });
    let last = state_record(status.get("lastState"));
    if !last.is_null() {
        record["last"] = last;
    }
    record
}

fn state_record(state: Option<&Value>) -> Value {
    let Some((name, state)) = state.and_then(Value::as_object).and_then(|state| state.iter().next()) else {
        return Value::Null;
    };
    let mut record = json!({"is": name});
    for field in ["reason", "message", "exitCode", "signal"] {
        if let Some(value) = state.get(field).filter(|value| !value.is_null()) {
            record[field] = value.clone();
        }
    }
    record
}
