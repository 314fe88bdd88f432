//! `cluster/scheduling.jsonl`: where the scheduler puts pods, and why it doesn't.
//!
//! Nodes that tie at the top of the final scores are drawn from, so any of them is right. Where podlab drew another
//! one than the recording, the pod is moved to the recorded node, so that what follows can be compared. Which of equal
//! candidates preemption takes is chance as well: podlab draws it, and the record is right for one of its seeds.
//! A record may name the configuration that its scheduler had.
//!
//! The record does not hold the namespaces (with their labels and service accounts) nor the uids of owners; both are
//! made as the results show them.

use anyhow::Result;
use podlab_api::{Door, Object, Request, kinds};
use podlab_cluster::cluster::Act;
use podlab_cluster::scheduler::decision::{NodeVerdict, Verdict};
use podlab_cluster::{Cluster, Profile};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::lab;
use super::masks::Masks;
use super::report::{Figure, Outcome, Recording, Unit};

/// How long a decision may take; retries after a back-off of up to 10 s included.
const PATIENCE: Duration = Duration::from_secs(15);
const MOMENT: Duration = Duration::from_millis(100);

pub(super) fn read(recording: &Recording<'_>) -> Result<Vec<Figure>> {
    let units = recording
        .lines()?
        .iter()
        .map(|record| Unit::run(text(record, "name"), || lab::like_the_record(|seed| run(record, seed))))
        .collect();
    Ok(vec![Figure { name: recording.name.to_owned(), units }])
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn items<'a>(record: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> {
    record.get(field).and_then(Value::as_array).into_iter().flatten()
}

struct Run<'a> {
    cluster: Cluster,
    record: &'a Value,
    /// Pods that podlab put on another node of the tie: pod → the node it chose.
    moved: BTreeMap<String, String>,
    parts: Vec<Outcome>,
}

fn run(record: &Value, seed: u64) -> Outcome {
    let mut run = Run {
        cluster: lab::seeded(Profile::Scheduling, seed),
        record,
        moved: BTreeMap::new(),
        parts: Vec::new(),
    };
    if let Some(configuration) = record.get("configuration") {
        run.cluster.act(Act::ConfigureScheduler(configuration.clone()));
    }
    run.prepare();
    for pod in items(record, "new") {
        run.schedule(pod);
    }
    run.after_preemption();
    for action in items(record, "later") {
        run.later(action);
    }
    run.compare_pods("result", record.get("result").unwrap_or(&Value::Null));
    run.compare_events();
    Outcome::all(run.parts)
}

impl Run<'_> {
    /// Nodes, other objects, and pods that run already.
    fn prepare(&mut self) {
        let namespaces: BTreeSet<&str> = items(self.record, "objects")
            .chain(items(self.record, "existing"))
            .chain(items(self.record, "new"))
            .filter_map(|object| object.get("metadata").map(|metadata| text(metadata, "namespace")))
            .filter(|namespace| !matches!(*namespace, "" | "default"))
            .collect();
        for namespace in namespaces {
            // The record does not hold the namespaces; its results show that `ns-a` is labelled `team=a`.
            let labels = match namespace.strip_prefix("ns-") {
                Some(team) => json!({"team": team}),
                None => json!({}),
            };
            let object = json!({"apiVersion": "v1", "kind": "Namespace",
                "metadata": {"name": namespace, "labels": labels}});
            lab::create(&mut self.cluster, &object);
            // A controller's work, without which no pod is admitted.
            let account = json!({"apiVersion": "v1", "kind": "ServiceAccount",
                "metadata": {"name": "default", "namespace": namespace}});
            lab::create(&mut self.cluster, &account);
        }
        let nodes: Vec<Value> = items(self.record, "nodes").cloned().collect();
        self.add_nodes(&nodes);
        for object in items(self.record, "objects") {
            let done = lab::create(&mut self.cluster, object);
            self.accepted(object, done);
        }
        lab::pass(&mut self.cluster, MOMENT);
        for claim in items(self.record, "pvc_terminating").filter_map(Value::as_str) {
            // A finalizer holds it, as the claim's protection does in a cluster with that controller.
            let kind = kinds::by_gvk("v1", "PersistentVolumeClaim");
            if let Some(kind) = kind {
                let finalizer = json!({"metadata": {"finalizers": ["kubernetes.io/pvc-protection"]}});
                let merge = podlab_api::door::PatchType::Merge;
                self.cluster.request(Request::patch(kind, "default", claim, merge, finalizer));
                self.cluster.request(Request::delete(kind, "default", claim));
            }
        }
        let succeeded: Vec<&str> =
            items(self.record, "existing_succeeded").filter_map(Value::as_str).collect();
        for pod in items(self.record, "existing") {
            let done = lab::create(&mut self.cluster, pod);
            self.accepted(pod, done);
            let name = pod.get("metadata").map(|metadata| text(metadata, "name")).unwrap_or_default();
            let (phase, scheduled) =
                if succeeded.contains(&name) { ("Succeeded", "False") } else { ("Running", "True") };
            let status =
                json!({"phase": phase, "conditions": [{"type": "PodScheduled", "status": scheduled}]});
            lab::set_status(&mut self.cluster, pod, &status);
        }
        lab::pass(&mut self.cluster, MOMENT);
    }

    fn accepted(&mut self, object: &Value, response: Option<podlab_api::Response>) {
        let refusal = match response {
            None => "no such kind".to_owned(),
            Some(response) if response.code < 300 => return,
            Some(response) => lab::answer(&response).to_string(),
        };
        self.parts.push(Outcome::equal(format!("{} to be accepted", text(object, "kind")), refusal));
    }

    /// Nodes are set as they were: admission would taint new ones until a kubelet reports.
    fn add_nodes(&mut self, nodes: &[Value]) {
        let now = self.cluster.now().to_string();
        let objects = nodes.iter().filter_map(|node| {
            let mut node = node.clone();
            let name = node.get("metadata").map(|metadata| text(metadata, "name").to_owned())?;
            node["metadata"]["uid"] = Value::String(format!("node-{name}"));
            node["metadata"]["creationTimestamp"] = Value::String(now.clone());
            Object::from_value(node).ok()
        });
        let objects: Vec<Object> = objects.collect();
        let now = self.cluster.sim_now();
        self.cluster.restore(objects, now);
        lab::pass(&mut self.cluster, MOMENT);
    }

    fn pod(&mut self, name: &str) -> Option<Value> {
        lab::list(&mut self.cluster, "v1", "Pod", "")
            .into_iter()
            .find(|pod| pod.get("metadata").is_some_and(|metadata| text(metadata, "name") == name))
    }

    /// Creates a pod and waits for the first decision on it.
    fn schedule(&mut self, pod: &Value) {
        let name = pod.get("metadata").map(|metadata| text(metadata, "name").to_owned()).unwrap_or_default();
        let pod = &self.with_live_owners(pod);
        let done = lab::create(&mut self.cluster, pod);
        self.accepted(pod, done);
        let until = self.cluster.sim_now() + PATIENCE;
        loop {
            lab::pass(&mut self.cluster, MOMENT);
            let decided = self.pod(&name).is_none_or(|pod| {
                let conditions = pod.pointer("/status/conditions").and_then(Value::as_array);
                conditions.into_iter().flatten().any(|condition| text(condition, "type") == "PodScheduled")
                    || pod.pointer("/spec/nodeName").is_some()
            });
            if decided || self.cluster.sim_now() >= until {
                break;
            }
        }
        self.compare_scores(&name);
        self.adopt_tie(&name);
        let expected = self.record.pointer("/first").and_then(|first| first.get(&name)).cloned();
        let got = self.snapshot(&name);
        if let Some(expected) = expected {
            self.parts.push(same(&format!("first {name}"), &expected, &got));
        }
    }

    /// Owners are recorded with masked uids; with a wrong one the garbage collector would take the pod.
    fn with_live_owners(&mut self, pod: &Value) -> Value {
        let mut pod = pod.clone();
        let owners = pod.pointer_mut("/metadata/ownerReferences").and_then(Value::as_array_mut);
        for owner in owners.into_iter().flatten() {
            let object = json!({"apiVersion": owner["apiVersion"], "kind": owner["kind"],
                "metadata": {"name": owner["name"]}});
            if let Some(live) = lab::live(&mut self.cluster, &object) {
                owner["uid"] = live["metadata"]["uid"].clone();
            }
        }
        pod
    }

    /// The nodes that tie at the top for a pod, where scores were recorded.
    fn tied(&self, name: &str) -> Vec<String> {
        let scores = self
            .record
            .pointer("/final_scores")
            .and_then(|scores| scores.get(name))
            .and_then(Value::as_object);
        let scores: Vec<(&String, i64)> = scores
            .into_iter()
            .flatten()
            .map(|(node, score)| (node, score.as_i64().unwrap_or(i64::MIN)))
            .collect();
        let top = scores.iter().map(|(_, score)| *score).max();
        scores.into_iter().filter(|(_, score)| Some(*score) == top).map(|(node, _)| node.clone()).collect()
    }

    fn adopt_tie(&mut self, name: &str) {
        let recorded =
            self.record.pointer("/first").and_then(|first| first.get(name)).map(|pod| text(pod, "nodeName"));
        let Some(recorded) = recorded.filter(|node| !node.is_empty()) else { return };
        let Some(mut pod) = self.pod(name) else { return };
        let chosen = pod.pointer("/spec/nodeName").and_then(Value::as_str).unwrap_or_default().to_owned();
        let tied = self.tied(name);
        if chosen == recorded || !tied.contains(&chosen) || !tied.iter().any(|node| node == recorded) {
            return;
        }
        pod["spec"]["nodeName"] = Value::String(recorded.to_owned());
        if let Ok(object) = Object::from_value(pod) {
            let now = self.cluster.sim_now();
            self.cluster.restore(vec![object], now);
            self.moved.insert(name.to_owned(), chosen);
        }
    }

    /// Scores a plugin and a node, and their sum.
    fn compare_scores(&mut self, name: &str) {
        let of = |field: &str| self.record.get(field).and_then(|scores| scores.get(name)).cloned();
        let (Some(plugins), Some(totals)) = (of("plugin_scores_weighted"), of("final_scores")) else {
            return;
        };
        let uid = self.pod(name).and_then(|pod| Some(pod.pointer("/metadata/uid")?.as_str()?.to_owned()));
        let got = decision_scores(&self.cluster, &uid.unwrap_or_default());
        self.parts.push(same(
            &format!("scores of {name}"),
            &json!({"plugins": plugins, "final": totals}),
            &got,
        ));
    }

    fn snapshot(&mut self, name: &str) -> Value {
        let Some(pod) = self.pod(name) else { return json!({"gone": true}) };
        let mut summary = pod_summary(&pod);
        // A pod that waits for its volume has a node of the tie, too; which of them is as good as chance.
        let recorded = self.record.pointer("/first").and_then(|first| first.get(name));
        let recorded = recorded.map(|pod| text(pod, "nominatedNodeName")).unwrap_or_default();
        let tied = self.tied(name);
        let in_tie = |node: &str| tied.iter().any(|tied| tied == node);
        if in_tie(recorded) && in_tie(text(&summary, "nominatedNodeName")) {
            summary["nominatedNodeName"] = recorded.into();
        }
        summary
    }

    fn compare_pods(&mut self, when: &str, expected: &Value) {
        for (name, expected) in expected.as_object().into_iter().flatten() {
            let got = self.snapshot(name);
            self.parts.push(same(&format!("{when} {name}"), expected, &got));
        }
    }

    /// Victims have no kubelet that would end them: they are deleted for good, one after the other.
    fn after_preemption(&mut self) {
        lab::pass(&mut self.cluster, MOMENT);
        for step in items(self.record, "steps") {
            self.compare_pods(text(step, "after"), step.get("pods").unwrap_or(&Value::Null));
            let victims: Vec<Value> = lab::list(&mut self.cluster, "v1", "Pod", "")
                .into_iter()
                .filter(|pod| pod.pointer("/metadata/deletionTimestamp").is_some())
                .collect();
            for victim in victims {
                self.delete_now(&victim);
                lab::pass(&mut self.cluster, MOMENT);
            }
            lab::pass(&mut self.cluster, PATIENCE);
        }
    }

    fn delete_now(&mut self, pod: &Value) {
        if let Some((resource, namespace, name)) = lab::place(pod) {
            let mut request = Request::delete(resource, &namespace, &name);
            request.options.grace_period_seconds = Some(0);
            self.cluster.request(request);
        }
    }

    /// What was done after the pods were decided on: `[verb, name or object, argument]`.
    fn later(&mut self, action: &Value) {
        let part = |index: usize| action.get(index).cloned().unwrap_or_default();
        let (verb, target, argument) = (part(0), part(1), part(2));
        let name = target.as_str().unwrap_or_default().to_owned();
        let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}});
        match verb.as_str().unwrap_or_default() {
            "create" => {
                let done = lab::create(&mut self.cluster, &target);
                self.accepted(&target, done);
            }
            "node" => self.add_nodes(&[target]),
            "delete" => {
                if let Some(pod) = self.pod(&name) {
                    self.delete_now(&pod);
                }
            }
            "label" => self.patch(&node, &json!({"metadata": {"labels": argument}})),
            "untaint" => self.patch(&node, &json!({"spec": {"taints": null}})),
            "uncordon" => self.patch(&node, &json!({"spec": {"unschedulable": null}})),
            "ungate" => {
                if let Some(pod) = self.pod(&name) {
                    self.patch(&pod, &json!({"spec": {"schedulingGates": null}}));
                }
            }
            "grow" => {
                let mut status = lab::live(&mut self.cluster, &node).unwrap_or_default()["status"].take();
                for list in ["capacity", "allocatable"] {
                    if let Some(list) = status.get_mut(list).and_then(Value::as_object_mut) {
                        list.extend(argument.as_object().cloned().unwrap_or_default());
                    }
                }
                lab::set_status(&mut self.cluster, &node, &status);
            }
            other => self.parts.push(Outcome::equal("an action that the reader knows", other)),
        }
        lab::pass(&mut self.cluster, PATIENCE);
    }

    fn patch(&mut self, object: &Value, patch: &Value) {
        if let Some((resource, namespace, name)) = lab::place(object) {
            let merge = podlab_api::door::PatchType::Merge;
            self.cluster.request(Request::patch(resource, &namespace, &name, merge, patch.clone()));
        }
    }

    /// Every event once, in any order between objects: type, reason, message, action, component and count.
    fn compare_events(&mut self) {
        let mut expected: Vec<Value> = items(self.record, "events").cloned().collect();
        let mut got: Vec<Value> =
            lab::list(&mut self.cluster, "v1", "Event", "").iter().map(event_summary).collect();
        for event in &mut got {
            let pod = text(event, "object").strip_prefix("Pod/").unwrap_or_default().to_owned();
            let Some(chosen) = self.moved.get(&pod).filter(|_| text(event, "reason") == "Scheduled") else {
                continue;
            };
            let recorded = self
                .record
                .pointer("/first")
                .and_then(|first| first.get(&pod))
                .map(|pod| text(pod, "nodeName"));
            let message = text(event, "message").strip_suffix(chosen.as_str()).map(str::to_owned);
            if let (Some(message), Some(recorded)) = (message, recorded) {
                event["message"] = Value::String(format!("{message}{recorded}"));
            }
        }
        expected.sort_by_key(Value::to_string);
        got.sort_by_key(Value::to_string);
        self.parts.push(same("events", &Value::Array(expected), &Value::Array(got)));
    }
}

fn same(what: &str, expected: &Value, got: &Value) -> Outcome {
    let got = Masks::default().tree(expected, got);
    Outcome::same(&json!({what: expected}), &json!({what: got}))
}

/// A pod as the recording holds it.
fn pod_summary(pod: &Value) -> Value {
    let mut summary = Map::new();
    let mut copy = |name: &str, path: &str| {
        if let Some(value) = pod.pointer(path) {
            summary.insert(name.to_owned(), value.clone());
        }
    };
    copy("nodeName", "/spec/nodeName");
    copy("nominatedNodeName", "/status/nominatedNodeName");
    copy("phase", "/status/phase");
    copy("priority", "/spec/priority");
    if pod.pointer("/metadata/deletionTimestamp").is_some() {
        summary.insert("deleting".to_owned(), Value::Bool(true));
    }
    if let Some(conditions) = pod.pointer("/status/conditions").and_then(Value::as_array) {
        let conditions = conditions.iter().map(|condition| {
            let kept = ["type", "status", "reason", "message", "observedGeneration"];
            kept.iter()
                .filter_map(|field| Some(((*field).to_owned(), condition.get(*field)?.clone())))
                .collect::<Map<_, _>>()
        });
        summary.insert("conditions".to_owned(), conditions.map(Value::Object).collect());
    }
    Value::Object(summary)
}

/// An event as the recording holds it.
fn event_summary(event: &Value) -> Value {
    let involved = event.get("involvedObject").unwrap_or(&Value::Null);
    let component =
        event.pointer("/source/component").and_then(Value::as_str).filter(|name| !name.is_empty());
    let mut summary = json!({
        "object": format!("{}/{}", text(involved, "kind"), text(involved, "name")),
        "type": text(event, "type"),
        "reason": text(event, "reason"),
        "message": text(event, "message"),
        "from": component.unwrap_or_else(|| text(event, "reportingComponent")),
    });
    if !text(event, "action").is_empty() {
        summary["action"] = event["action"].clone();
    }
    let count = event.pointer("/series/count").or_else(|| event.get("count")).and_then(Value::as_i64);
    if let Some(count) = count.filter(|count| *count > 1) {
        summary["count"] = json!(count);
    }
    summary
}

/// The scores of the first decision on a pod: `plugins` node → plugin → weighted score, `final` node → sum.
fn decision_scores(cluster: &Cluster, uid: &str) -> Value {
    let Some(decision) = cluster.world().scheduler.decisions(uid).next() else { return Value::Null };
    let (mut plugins, mut totals) = (Map::new(), Map::new());
    for NodeVerdict { node, verdict } in &decision.nodes {
        if let Verdict::Feasible { scores, total, .. } = verdict {
            let scores = scores.iter().map(|score| (score.plugin.name().to_owned(), json!(score.weighted)));
            plugins.insert(node.to_string(), Value::Object(scores.collect()));
            totals.insert(node.to_string(), json!(total));
        }
    }
    json!({"plugins": plugins, "final": totals})
}
