//! One Service: what its line says.

use podlab_api::Object;
use serde_json::Value;

/// A Service as its line shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceView {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Uid.
    pub uid: String,
    /// `ClusterIP`.
    pub kind: String,
    /// `10.96.0.10`, `None`, or what an ExternalName stands for.
    pub address: String,
    /// `80→8080/TCP`.
    pub ports: Vec<String>,
    /// Whether it has a selector: only then does a controller look for pods.
    pub selects: bool,
}

/// What an EndpointSlice says of who answers for a Service.
#[derive(Clone, Debug, PartialEq)]
pub struct SliceView {
    /// Namespace.
    pub namespace: String,
    /// The Service's name; empty where it belongs to none.
    pub service: String,
    /// Endpoints that get traffic.
    pub ready: usize,
    /// All endpoints.
    pub all: usize,
}

fn text<'a>(value: Option<&'a Value>, name: &str) -> &'a str {
    value.and_then(|v| v.get(name)).and_then(Value::as_str).unwrap_or_default()
}

/// A port or target port: a number or a name.
pub(super) fn port_text(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(name)) => name.clone(),
        Some(number) => number.to_string(),
        None => String::new(),
    }
}

/// What the page shows of a Service.
pub fn service_view(object: &Object) -> ServiceView {
    let spec = object.field("spec");
    let kind = text(spec, "type");
    let ports = spec.and_then(|s| s.get("ports")).and_then(Value::as_array);
    let port = |port: &Value| {
        let (from, to) = (port_text(port.get("port")), port_text(port.get("targetPort")));
        let protocol = text(Some(port), "protocol");
        if to.is_empty() || to == from {
            format!("{from}/{protocol}")
        } else {
            format!("{from}→{to}/{protocol}")
        }
    };
    let selector = spec.and_then(|s| s.get("selector")).and_then(Value::as_object);
    ServiceView {
        namespace: object.namespace().to_owned(),
        name: object.name().to_owned(),
        uid: object.uid().to_owned(),
        address: text(spec, if kind == "ExternalName" { "externalName" } else { "clusterIP" }).to_owned(),
        kind: kind.to_owned(),
        ports: ports.into_iter().flatten().map(port).collect(),
        selects: selector.is_some_and(|s| !s.is_empty()),
    }
}

/// What the page shows of an EndpointSlice.
pub fn slice_view(object: &Object) -> SliceView {
    let endpoints = object.field("endpoints").and_then(Value::as_array);
    let ready = |endpoint: &&Value| {
        // Not known is taken as ready. Source: k8s.io/api/discovery/v1/types.go `EndpointConditions` (v1.37).
        endpoint.get("conditions").and_then(|c| c.get("ready")).and_then(Value::as_bool).unwrap_or(true)
    };
    SliceView {
        namespace: object.namespace().to_owned(),
        service: object.label("kubernetes.io/service-name").unwrap_or_default().to_owned(),
        ready: endpoints.into_iter().flatten().filter(ready).count(),
        all: endpoints.map_or(0, Vec::len),
    }
}
