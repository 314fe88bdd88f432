//! From pods to endpoints, for slices and for Endpoints.
//!
//! Source: staging/src/k8s.io/endpointslice/utils.go and util/controller_utils.go (v1.37).

use crate::apiserver::ApiServer;
use podlab_api::{Object, kinds};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// A port of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::controllers) struct EndpointPort {
    pub name: String,
    pub protocol: String,
    pub port: i64,
    pub app_protocol: Option<String>,
}

impl EndpointPort {
    pub(super) fn read(value: &Value) -> EndpointPort {
        let text = |field: &str| value.get(field).and_then(Value::as_str).map(str::to_owned);
        EndpointPort {
            name: text("name").unwrap_or_default(),
            protocol: text("protocol").unwrap_or_else(|| "TCP".to_owned()),
            port: value.get("port").and_then(Value::as_i64).unwrap_or(0),
            app_protocol: text("appProtocol"),
        }
    }

    pub(super) fn to_value(&self) -> Value {
        let mut fields = Map::new();
        if let Some(protocol) = &self.app_protocol {
            fields.insert("appProtocol".to_owned(), protocol.as_str().into());
        }
        fields.insert("name".to_owned(), self.name.as_str().into());
        fields.insert("port".to_owned(), self.port.into());
        fields.insert("protocol".to_owned(), self.protocol.as_str().into());
        Value::Object(fields)
    }
}

fn spec<'a>(service: &'a Object, field: &str) -> Option<&'a Value> {
    service.field("spec")?.get(field)
}

pub(super) fn publishes_not_ready(service: &Object) -> bool {
    spec(service, "publishNotReadyAddresses").and_then(Value::as_bool).unwrap_or(false)
}

/// Whether a Service selects a pod; one without a selector selects nothing.
pub(in crate::controllers) fn matches(service: &Object, pod: &Object) -> bool {
    let selector = spec(service, "selector").and_then(Value::as_object);
    selector.is_some_and(|selector| selector.iter().all(|(key, value)| pod.label(key) == value.as_str()))
}

/// The pods that a Service selects, ordered by name.
pub(in crate::controllers) fn pods_of<'a>(
    service: &'a Arc<Object>,
    api: &'a ApiServer,
) -> impl Iterator<Item = &'a Arc<Object>> {
    api.store().list_namespace(&kinds::POD, service.namespace()).filter(|pod| matches(service, pod))
}

pub(in crate::controllers) fn is_ready(pod: &Object) -> bool {
    let conditions = pod.pod_status().and_then(|status| status.conditions.as_ref());
    conditions.is_some_and(|all| all.iter().any(|c| c.type_ == "Ready" && c.status == "True"))
}

fn is_terminal(pod: &Object) -> bool {
    matches!(pod.pod_status().and_then(|s| s.phase.as_deref()), Some("Failed" | "Succeeded"))
}

/// Source: `ShouldPodBeInEndpoints`.
pub(in crate::controllers) fn included(pod: &Object, terminating_too: bool) -> bool {
    let has_ip = pod.pod_status().and_then(|s| s.pod_ip.as_deref()).is_some_and(|ip| !ip.is_empty());
    !is_terminal(pod) && has_ip && (terminating_too || !pod.is_terminating())
}

/// Whether a pod's change can change endpoints.
///
/// Source: `podEndpointsChanged`.
pub(in crate::controllers) fn is_changed(before: &Object, after: &Object) -> bool {
    // Asked at every change of every pod: nothing is copied.
    fn place(pod: &Object) -> [Option<&str>; 3] {
        let (spec, status) = (pod.pod_spec(), pod.pod_status());
        [pod.node_name(), spec.and_then(|s| s.hostname.as_deref()), status.and_then(|s| s.pod_ip.as_deref())]
    }
    before.is_terminating() != after.is_terminating()
        || is_ready(before) != is_ready(after)
        || is_terminal(before) != is_terminal(after)
        || before.metadata.labels != after.metadata.labels
        || place(before) != place(after)
}

/// Source: `ShouldSetHostname`.
pub(in crate::controllers) fn shows_hostname<'a>(pod: &'a Object, service: &Object) -> Option<&'a str> {
    let spec = pod.pod_spec()?;
    let within = spec.subdomain.as_deref() == Some(service.name()) && pod.namespace() == service.namespace();
    spec.hostname.as_deref().filter(|hostname| !hostname.is_empty() && within)
}

pub(in crate::controllers) fn reference(pod: &Object) -> Value {
    json!({"kind": "Pod", "namespace": pod.namespace(), "name": pod.name(), "uid": pod.uid()})
}

/// The endpoint that a pod is; `None` where it has no address of the family.
pub(super) fn endpoint(
    pod: &Object,
    node: Option<&Arc<Object>>,
    service: &Object,
    family: &str,
) -> Option<Value> {
    let ips = pod.pod_status()?.pod_ips.clone().unwrap_or_default();
    let of_family = |ip: &String| ip.contains(':') == (family == "IPv6");
    let addresses: Vec<String> = ips.into_iter().map(|ip| ip.ip).filter(of_family).collect();
    if addresses.is_empty() {
        return None;
    }
    let (serving, terminating) = (is_ready(pod), pod.is_terminating());
    let ready = publishes_not_ready(service) || (serving && !terminating);
    let mut fields = Map::new();
    fields.insert("addresses".to_owned(), json!(addresses));
    let conditions = json!({"ready": ready, "serving": serving, "terminating": terminating});
    fields.insert("conditions".to_owned(), conditions);
    if let Some(hostname) = shows_hostname(pod, service) {
        fields.insert("hostname".to_owned(), hostname.into());
    }
    if let Some(name) = pod.node_name() {
        fields.insert("nodeName".to_owned(), name.into());
    }
    fields.insert("targetRef".to_owned(), reference(pod));
    if let Some(zone) = node.and_then(|node| node.label("topology.kubernetes.io/zone")) {
        fields.insert("zone".to_owned(), zone.into());
    }
    Some(Value::Object(fields))
}

/// A Service's ports as a pod has them; a name that the pod does not have is left out.
///
/// Source: `getEndpointPorts`, `FindPort`.
pub(in crate::controllers) fn find_ports(service: &Object, pod: &Object) -> Vec<EndpointPort> {
    let ports = spec(service, "ports").and_then(Value::as_array);
    let ports = ports.into_iter().flatten().filter_map(|port| {
        let text = |field: &str| port.get(field).and_then(Value::as_str).map(str::to_owned);
        let protocol = text("protocol").unwrap_or_else(|| "TCP".to_owned());
        let number = match port.get("targetPort") {
            Some(Value::String(name)) => named_port(pod, name, &protocol)?,
            Some(target) => target.as_i64()?,
            None => port.get("port").and_then(Value::as_i64)?,
        };
        let name = text("name").unwrap_or_default();
        Some(EndpointPort { name, protocol, port: number, app_protocol: text("appProtocol") })
    });
    let mut ports: Vec<EndpointPort> = ports.collect();
    ports.sort();
    ports
}

fn named_port(pod: &Object, name: &str, protocol: &str) -> Option<i64> {
    let spec = pod.pod_spec()?;
    let sidecars = spec.init_containers.iter().flatten();
    let sidecars = sidecars.filter(|c| podlab_api::resources::is_restartable_init_container(c));
    let mut ports = spec.containers.iter().chain(sidecars).flat_map(|c| c.ports.iter().flatten());
    let fits = |port: &&k8s_openapi::api::core::v1::ContainerPort| {
        port.name.as_deref() == Some(name) && port.protocol.as_deref().unwrap_or("TCP") == protocol
    };
    ports.find(fits).map(|port| i64::from(port.container_port))
}
