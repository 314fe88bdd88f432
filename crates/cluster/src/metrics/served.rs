//! The Metrics API: `PodMetrics` and `NodeMetrics`, to be read only.

use super::{GROUP, PodUsage};
use crate::apiserver::ApiServer;
use podlab_api::door::{ResponseBody, Verb};
use podlab_api::quantity::{Format, Quantity};
use podlab_api::selector::label::Selector;
use podlab_api::{Kind, Object, Request, Response, Status, kinds};
use podlab_sim::{SimDuration, SimTime};
use serde_json::{Value, json};

/// `123n`, as metrics-server writes CPU.
fn cpu(nanocores: u64) -> String {
    Quantity::new_scaled(i64::try_from(nanocores).unwrap_or(i64::MAX), -9).to_string()
}

/// `123Ki`, as metrics-server writes memory.
fn memory(bytes: u64) -> String {
    let kibibytes = i64::try_from(bytes >> 10).unwrap_or(i64::MAX >> 10);
    Quantity::new(kibibytes << 10, Format::BinarySi).to_string()
}

fn timestamp(at: SimTime) -> Value {
    serde_json::to_value(podlab_api::time::time(at.as_secs())).unwrap_or(Value::Null)
}

fn window(span: SimDuration) -> String {
    format!("{}s", span.as_secs_f64())
}

impl ApiServer {
    /// Whether this cluster has the Metrics API.
    pub(crate) fn serves_metrics(&self) -> bool {
        self.settings().profile.has_system_pods()
    }

    /// Answers a request for the Metrics API.
    pub(crate) fn serve_metrics(&self, request: &Request) -> Response {
        let kind = match &*request.resource.resource {
            "pods" => &kinds::POD,
            "nodes" => &kinds::NODE,
            _ => return Response::status(Status::no_such_resource()),
        };
        match request.verb {
            Verb::Get => self.get_metrics(kind, request).unwrap_or_else(Response::status),
            Verb::List => self.list_metrics(kind, request).unwrap_or_else(Response::status),
            _ => Response::status(Status::method_not_supported(kind, "write")),
        }
    }

    fn get_metrics(&self, kind: &'static Kind, request: &Request) -> Result<Response, Status> {
        let (namespace, name) = request.place();
        let object = self.store().get(kind, namespace, name);
        match object.and_then(|object| self.metrics_of(object)) {
            Some(value) => Ok(answer(value)),
            None if kind.namespaced => Err(missing("podmetrics", &format!("{namespace}/{name}"))),
            None => Err(missing("nodemetrics", name)),
        }
    }

    fn list_metrics(&self, kind: &'static Kind, request: &Request) -> Result<Response, Status> {
        let selector = match &request.options.label_selector {
            Some(text) => Selector::parse(text).map_err(|error| Status::bad_request(error.to_string()))?,
            None => Selector::everything(),
        };
        let (namespace, _) = request.place();
        let objects = self.store().list(kind).filter(|object| {
            (namespace.is_empty() || object.namespace() == namespace) && selector.matches(&***object)
        });
        let items: Vec<Value> = objects.filter_map(|object| self.metrics_of(object)).collect();
        let list = if kind.namespaced { "PodMetricsList" } else { "NodeMetricsList" };
        Ok(answer(
            json!({"kind": list, "apiVersion": format!("{GROUP}/v1beta1"), "metadata": {}, "items": items}),
        ))
    }

    fn metrics_of(&self, object: &Object) -> Option<Value> {
        let mut metadata = json!({"name": object.name(), "creationTimestamp": timestamp(self.now())});
        if let (Some(map), Some(labels)) = (metadata.as_object_mut(), &object.metadata.labels) {
            map.insert("labels".to_owned(), json!(labels));
        }
        let api_version = format!("{GROUP}/v1beta1");
        if *object.kind == kinds::NODE {
            let (at, nanocores, bytes) = self.node_usage(object)?;
            return Some(json!({"kind": "NodeMetrics", "apiVersion": api_version, "metadata": metadata,
                "timestamp": timestamp(at), "window": "15s",
                "usage": {"cpu": cpu(nanocores), "memory": memory(bytes)}}));
        }
        let usage = self.pod_usage(object)?;
        metadata.as_object_mut()?.insert("namespace".to_owned(), object.namespace().into());
        let containers: Vec<Value> = usage
            .containers
            .iter()
            .map(|one| json!({"name": &*one.name, "usage": {"cpu": cpu(one.nanocores), "memory": memory(one.bytes)}}))
            .collect();
        Some(json!({"kind": "PodMetrics", "apiVersion": api_version, "metadata": metadata,
            "timestamp": timestamp(usage.at), "window": window(usage.window), "containers": containers}))
    }

    /// Whether a node's kubelet is known to be well, and so answers.
    pub(crate) fn is_node_ready(&self, name: &str) -> bool {
        let status = self.store().get(&kinds::NODE, "", name).and_then(|node| node.node_status());
        let conditions = status.and_then(|status| status.conditions.as_ref());
        conditions.into_iter().flatten().any(|one| one.type_ == "Ready" && one.status == "True")
    }

    /// What a pod has used lately.
    pub(crate) fn pod_usage(&self, pod: &Object) -> Option<&PodUsage> {
        self.metrics.pod(pod.namespace(), pod.name())
    }

    /// What a node uses, no more than it has.
    fn node_usage(&self, node: &Object) -> Option<(SimTime, u64, u64)> {
        let at = self.metrics.node(node.name())?;
        let of_pods = self.metrics.pods().filter(|(_, usage)| *usage.node == *node.name());
        let pods = of_pods.filter_map(|(key, _)| self.store().get_key(&kinds::POD, key));
        let containers = pods.filter_map(|pod| self.pod_usage(pod)).flat_map(|usage| &usage.containers);
        let capacity = node.node_status()?.capacity.as_ref()?;
        let most = |name: &str, scale: i32| {
            let quantity = capacity.get(name).and_then(|quantity| Quantity::parse(&quantity.0).ok());
            quantity.and_then(|quantity| u64::try_from(quantity.scaled_value(scale)).ok()).unwrap_or(u64::MAX)
        };
        let most = (most("cpu", -9), most("memory", 0));
        let own = (super::NODE_CPU_NANOCORES, super::node_memory(most.1));
        let (nanocores, memory) = containers.fold(own, |(nanocores, memory), one| {
            (nanocores.saturating_add(one.nanocores), memory.saturating_add(one.bytes))
        });
        Some((at, nanocores.min(most.0), memory.min(most.1)))
    }
}

/// Source: metrics-server pkg/api/pod.go and node.go `Get`.
fn missing(resource: &str, name: &str) -> Status {
    let message = format!("{resource}.{GROUP} {name:?} not found");
    Status { code: 404, reason: "NotFound", message, details: None }
}

fn answer(value: Value) -> Response {
    Response { code: 200, body: ResponseBody::Value(value), warnings: Vec::new() }
}
