//! Services, their endpoints, Ingresses, NetworkPolicies.

use super::cells::{age, at, field, int, labels, list, name, or, selector, some, text};
use super::{AGE, NAME, col, wide};
use crate::Object;
use crate::table::Column;
use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

/// Endpoints, ports and hosts shown before the rest is only counted.
const MAX_SHOWN: usize = 3;

pub(super) static SERVICE: &[Column] = &[
    NAME,
    col("Type", "string"),
    col("Cluster-IP", "string"),
    col("External-IP", "string"),
    col("Port(s)", "string"),
    AGE,
    wide("Selector", "string"),
];

fn strings(values: &[Value]) -> Vec<String> {
    values.iter().filter_map(|v| v.as_str().map(str::to_owned)).collect()
}

/// Addresses that a load balancer gave, each once, in order of the text.
fn ingress_points(status: &Value) -> Vec<String> {
    let mut points: Vec<String> = Vec::new();
    for point in list(status, &["loadBalancer", "ingress"]) {
        for key in ["ip", "hostname"] {
            let text = text(point, &[key]);
            if !text.is_empty() {
                points.push(text.to_owned());
                break;
            }
        }
    }
    points.sort();
    points.dedup();
    points
}

pub(super) fn service(object: &Object, now: Timestamp) -> Vec<Value> {
    let (spec, status) = (field(object, "spec"), field(object, "status"));
    let kind = text(spec, &["type"]);
    let mut external = strings(list(spec, &["externalIPs"]));
    let outside = match kind {
        "LoadBalancer" => {
            let mut all = ingress_points(status);
            all.append(&mut external);
            if all.is_empty() { "<pending>".to_owned() } else { all.join(",") }
        }
        "ExternalName" => text(spec, &["externalName"]).to_owned(),
        _ => or(&external.join(","), "<none>").to_owned(),
    };
    let ports: Vec<String> = list(spec, &["ports"])
        .iter()
        .map(|p| match int(p, &["nodePort"]) {
            0 => format!("{}/{}", int(p, &["port"]), text(p, &["protocol"])),
            node => format!("{}:{node}/{}", int(p, &["port"]), text(p, &["protocol"])),
        })
        .collect();
    let inside = list(spec, &["clusterIPs"]).first().and_then(Value::as_str);
    let inside = inside.unwrap_or(text(spec, &["clusterIP"]));
    vec![
        name(object),
        kind.into(),
        or(inside, "<none>").into(),
        outside.into(),
        or(&ports.join(","), "<none>").into(),
        age(object, now),
        labels(at(spec, &["selector"])).into(),
    ]
}

pub(super) static ENDPOINTS: &[Column] = &[NAME, col("Endpoints", "string"), AGE];

pub(super) fn endpoints(object: &Object, now: Timestamp) -> Vec<Value> {
    let mut all = Vec::new();
    let subsets = list(field(object, "subsets"), &[]);
    // One without an address that is ready shows nothing.
    let none = if subsets.is_empty() { "<none>" } else { "" };
    for subset in subsets {
        let ports = list(subset, &["ports"]);
        for address in list(subset, &["addresses"]) {
            if ports.is_empty() {
                all.push(text(address, &["ip"]).to_owned());
            }
        }
        for port in ports {
            for address in list(subset, &["addresses"]) {
                let ip = text(address, &["ip"]);
                let port = int(port, &["port"]);
                all.push(if ip.contains(':') { format!("[{ip}]:{port}") } else { format!("{ip}:{port}") });
            }
        }
    }
    vec![name(object), or(&some(&all, MAX_SHOWN), none).into(), age(object, now)]
}

pub(super) static ENDPOINT_SLICE: &[Column] =
    &[NAME, col("AddressType", "string"), col("Ports", "string"), col("Endpoints", "string"), AGE];

pub(super) fn endpoint_slice(object: &Object, now: Timestamp) -> Vec<Value> {
    let ports: Vec<String> = list(field(object, "ports"), &[])
        .iter()
        .map(|p| match (p.get("port").and_then(Value::as_i64), p.get("name").and_then(Value::as_str)) {
            (Some(port), _) => port.to_string(),
            (None, Some(name)) if !name.is_empty() => name.to_owned(),
            _ => "*".to_owned(),
        })
        .collect();
    let addresses: Vec<String> =
        list(field(object, "endpoints"), &[]).iter().flat_map(|e| strings(list(e, &["addresses"]))).collect();
    vec![
        name(object),
        text(field(object, "addressType"), &[]).into(),
        or(&some(&ports, MAX_SHOWN), "<unset>").into(),
        or(&some(&addresses, MAX_SHOWN), "<unset>").into(),
        age(object, now),
    ]
}

pub(super) static INGRESS: &[Column] = &[
    NAME,
    col("Class", "string"),
    col("Hosts", "string"),
    col("Address", "string"),
    col("Ports", "string"),
    AGE,
];

pub(super) fn ingress(object: &Object, now: Timestamp) -> Vec<Value> {
    let (spec, status) = (field(object, "spec"), field(object, "status"));
    let hosts: Vec<String> = list(spec, &["rules"])
        .iter()
        .map(|r| text(r, &["host"]).to_owned())
        .filter(|h| !h.is_empty())
        .collect();
    let ports = if list(spec, &["tls"]).is_empty() { "80" } else { "80, 443" };
    vec![
        name(object),
        or(text(spec, &["ingressClassName"]), "<none>").into(),
        or(&some(&hosts, MAX_SHOWN), "*").into(),
        ingress_points(status).join(",").into(),
        ports.into(),
        age(object, now),
    ]
}

pub(super) static INGRESS_CLASS: &[Column] =
    &[NAME, col("Controller", "string"), col("Parameters", "string"), AGE];

pub(super) fn ingress_class(object: &Object, now: Timestamp) -> Vec<Value> {
    let spec = field(object, "spec");
    let mut shown = object.name().to_owned();
    if object.annotation("ingressclass.kubernetes.io/is-default-class") == Some("true") {
        shown.push_str(" (default)");
    }
    let parameters = at(spec, &["parameters"]);
    let parameters = if parameters.is_object() {
        let kind = text(parameters, &["kind"]);
        let group = text(parameters, &["apiGroup"]);
        let kind = if group.is_empty() { kind.to_owned() } else { format!("{kind}.{group}") };
        format!("{kind}/{}", text(parameters, &["name"]))
    } else {
        "<none>".to_owned()
    };
    vec![shown.into(), text(spec, &["controller"]).into(), parameters.into(), age(object, now)]
}

pub(super) static NETWORK_POLICY: &[Column] = &[NAME, col("Pod-Selector", "string"), AGE];

pub(super) fn network_policy(object: &Object, now: Timestamp) -> Vec<Value> {
    vec![name(object), selector(at(field(object, "spec"), &["podSelector"])).into(), age(object, now)]
}
