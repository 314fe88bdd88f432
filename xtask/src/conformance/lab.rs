//! A cluster to ask, and what readers ask of it.

use super::report::Outcome;
use podlab_api::door::{Gvr, ResponseBody};
use podlab_api::{Body, Door, Object, Request, Response, kinds};
use podlab_cluster::{Cluster, Profile, Settings};
use podlab_sim::SimTime;
use regex::Regex;
use serde_json::{Value, json};
use std::sync::LazyLock;
use std::time::Duration;

/// What a record and podlab leave to chance podlab draws from a seed: the phases of each kubelet's relists and of its look at
/// the work queue, how much longer a pod worker sleeps than it has to, which of equal nodes is taken, from which node on a
/// preemption looks for candidates, names and with them the order of lists. A record is one such draw (the `repeat-…` scenarios of cluster/kubelet.jsonl are the same one several times,
/// and differ): it is met when one of these seeds brings it.
pub(super) const SEEDS: std::ops::RangeInclusive<u64> = 1..=16;

/// The outcome under the first seed that has all as recorded, else under the first.
pub(super) fn like_the_record(run: impl Fn(u64) -> Outcome) -> Outcome {
    let mut outcomes = SEEDS.map(run);
    match outcomes.next() {
        Some(first @ Outcome::Failed { .. }) => {
            outcomes.find(|outcome| !matches!(outcome, Outcome::Failed { .. })).unwrap_or(first)
        }
        Some(first) => first,
        None => Outcome::equal("an outcome", "none"),
    }
}

/// A cluster without nodes.
pub(super) fn empty(profile: Profile) -> Cluster {
    seeded(profile, Settings::default().seed)
}

/// A cluster without nodes that draws from a seed of its own.
pub(super) fn seeded(profile: Profile, seed: u64) -> Cluster {
    Cluster::forgetful(Settings { seed, profile, nodes: Vec::new(), ..Settings::default() })
}

/// Lets virtual time pass.
pub(super) fn pass(cluster: &mut Cluster, time: Duration) {
    let until = cluster.sim_now() + time;
    run_until(cluster, until);
}

pub(super) fn run_until(cluster: &mut Cluster, until: SimTime) {
    cluster.run_until(until, || true);
}

fn text<'a>(object: &'a Value, field: &str) -> &'a str {
    object.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// Name and namespace of an object; the namespace is empty where the kind lives in none.
pub(super) fn place(object: &Value) -> Option<(Gvr, String, String)> {
    let kind = kinds::served_by_gvk(text(object, "apiVersion"), text(object, "kind"))?;
    let metadata = object.get("metadata").unwrap_or(&Value::Null);
    let namespace = match (kind.namespaced, text(metadata, "namespace")) {
        (false, _) => "",
        (true, "") => "default",
        (true, namespace) => namespace,
    };
    Some((Gvr::from(kind), namespace.to_owned(), text(metadata, "name").to_owned()))
}

/// Posts an object to where it belongs.
pub(super) fn create(cluster: &mut Cluster, object: &Value) -> Option<Response> {
    let (resource, namespace, _) = place(object)?;
    Some(cluster.request(Request::create(resource, &namespace, object.clone())))
}

/// Posts a body in YAML as it is: the server says what it has twice.
pub(super) fn create_yaml(cluster: &mut Cluster, body: &podlab_yaml::Document) -> Option<Response> {
    let (resource, namespace, _) = place(&body.value)?;
    let mut request = Request::create(resource, &namespace, body.value.clone());
    request.options.duplicate_keys = body.duplicates.iter().map(|key| key.text.clone()).collect();
    Some(cluster.request(request))
}

/// Replaces a subresource or, where it is `None`, the object itself.
pub(super) fn update(
    cluster: &mut Cluster,
    object: &Value,
    subresource: Option<&'static str>,
) -> Option<Response> {
    let (resource, namespace, name) = place(object)?;
    let request = Request::update(resource, &namespace, &name, object.clone());
    Some(cluster.request(match subresource {
        Some(subresource) => request.subresource(subresource),
        None => request,
    }))
}

/// The object as it is now.
pub(super) fn live(cluster: &mut Cluster, object: &Value) -> Option<Value> {
    let (resource, namespace, name) = place(object)?;
    let response = cluster.request(Request::get(resource, &namespace, &name));
    Some(response.into_object().ok()?.to_value())
}

/// Does what the kubelets and the namespace controller of a whole cluster do: pods and namespaces that are being deleted
/// go.
pub(super) fn finish_deletions(cluster: &mut Cluster) {
    let is_terminating = |object: &Value| object.pointer("/metadata/deletionTimestamp").is_some();
    for pod in list(cluster, "v1", "Pod", "").into_iter().filter(is_terminating) {
        if let Some((resource, namespace, name)) = place(&pod) {
            let mut request = Request::delete(resource, &namespace, &name);
            request.options.grace_period_seconds = Some(0);
            cluster.request(request);
        }
    }
    for mut namespace in list(cluster, "v1", "Namespace", "").into_iter().filter(is_terminating) {
        namespace["spec"]["finalizers"] = json!([]);
        update(cluster, &namespace, Some("finalize"));
    }
}

/// Merges `status` into the object's own.
pub(super) fn set_status(cluster: &mut Cluster, object: &Value, status: &Value) -> Option<Response> {
    let mut now = live(cluster, object)?;
    match now.get_mut("status").and_then(Value::as_object_mut) {
        Some(fields) => fields.extend(status.as_object().cloned().unwrap_or_default()),
        None => now["status"] = status.clone(),
    }
    update(cluster, &now, Some("status"))
}

/// All objects of a kind.
pub(super) fn list(cluster: &mut Cluster, api_version: &str, kind: &str, namespace: &str) -> Vec<Value> {
    let Some(kind) = kinds::by_gvk(api_version, kind) else { return Vec::new() };
    let response = cluster.request(Request::list(kind, namespace));
    response
        .into_list()
        .map(|list| list.items.iter().map(|item| item.to_value()).collect())
        .unwrap_or_default()
}

/// An object as Go writes it: times of a status that are not set are null.
pub(super) fn written(object: &Object) -> Value {
    let value = object.to_value();
    let (api_version, kind) = (object.kind.api_version(), object.kind.kind);
    let typed = matches!(object.body, Body::Pod { .. } | Body::Node { .. });
    let value = match podlab_api::schema::decode(&api_version, kind, &value) {
        Ok(decoded) if typed => {
            let mut value = decoded.value;
            value["kind"] = kind.into();
            value["apiVersion"] = api_version.into();
            value
        }
        _ => value,
    };
    super::masks::without_managed_fields(value)
}

/// An answer as the recordings hold it: code, warnings, object or refusal.
pub(super) fn answer(response: &Response) -> Value {
    let mut answer = json!({"http_code": response.code, "warnings": response.warnings});
    match &response.body {
        ResponseBody::Object(object) => answer["object"] = written(object),
        ResponseBody::Status(status) => answer["status_object"] = status.to_value(),
        ResponseBody::Value(value) => answer["object"] = value.clone(),
        _ => {}
    }
    answer
}

/// The documents of a manifest, as far as they can be read.
pub(super) fn documents(manifest: &str) -> Vec<Value> {
    podlab_yaml::parse_documents(manifest).documents.into_iter().map(|document| document.value).collect()
}

static PYTHON_TEXTS: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?m)([:-] +)([yYnN]|[-+]?[0-9]+[eE][-+]?[0-9]+)[ \t]*$").ok());

/// The documents of a manifest as the recorder sent them where it sent JSON: Python's YAML, which it read them with, has
/// texts where kubectl's has truth values (`y`) and numbers (`1e3`).
pub(super) fn sent_documents(manifest: &str) -> Vec<Value> {
    match PYTHON_TEXTS.as_ref() {
        Some(texts) => documents(&texts.replace_all(manifest, "$1\"$2\"")),
        None => documents(manifest),
    }
}
