//! endpoint-controller: the older list of the addresses behind a Service, one object a Service.
//!
//! Source: pkg/controller/endpoint/endpoints_controller.go, pkg/api/v1/endpoints/util.go (v1.37).

use super::endpoint_slice::{self, EndpointPort};
use super::trigger_time::TriggerTime;
use crate::apiserver::DeleteOptions;
use crate::world::Cx;
use podlab_api::{Body, Object, kinds};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

const MANAGED_BY: &str = "endpoints.kubernetes.io/managed-by";
const CONTROLLER_NAME: &str = "endpoint-controller";
const OVER_CAPACITY: &str = "endpoints.kubernetes.io/over-capacity";
/// More addresses than these are cut off.
const MAX_CAPACITY: usize = 1000;

/// Addresses with the ports that they have in common: those that are ready, and those that are not.
type Subset = (Vec<Value>, Vec<Value>);

/// Brings a Service's Endpoints in line with its pods.
pub(super) fn sync(service: &Arc<Object>, trigger: Option<TriggerTime>, cx: &mut Cx<'_>) {
    let mut by_ports: BTreeMap<Vec<EndpointPort>, Subset> = BTreeMap::new();
    let all = service.field("spec").and_then(|s| s.get("publishNotReadyAddresses"));
    let all = all.and_then(Value::as_bool).unwrap_or(false);
    let has_ports = service.field("spec").and_then(|s| s.get("ports")).and_then(Value::as_array);
    let has_ports = has_ports.is_some_and(|ports| !ports.is_empty());
    let pods = endpoint_slice::pods_of(service, cx.api).filter(|pod| endpoint_slice::included(pod, all));
    let mut count = 0;
    for pod in pods {
        let ports = endpoint_slice::find_ports(service, pod);
        if ports.is_empty() && (has_ports || endpoint_slice::is_ip_set(service)) {
            continue;
        }
        let subset = by_ports.entry(ports).or_default();
        count += 1;
        if all || endpoint_slice::is_ready(pod) {
            subset.0.push(address(pod, service));
        } else {
            subset.1.push(address(pod, service));
        }
    }
    let truncated = count > MAX_CAPACITY;
    if truncated {
        truncate(&mut by_ports);
    }
    let subsets: Vec<Value> =
        by_ports.into_iter().map(|(ports, subset)| subset_value(&ports, subset)).collect();
    let mut labels = service.metadata.labels.clone().unwrap_or_default();
    labels.remove(endpoint_slice::HEADLESS);
    if !endpoint_slice::is_ip_set(service) {
        labels.insert(endpoint_slice::HEADLESS.to_owned(), String::new());
    }
    labels.insert(MANAGED_BY.to_owned(), CONTROLLER_NAME.to_owned());
    let (namespace, name) = (service.namespace(), service.name());
    let change = |object: &mut Object| {
        object.metadata.labels = Some(labels);
        TriggerTime::annotate(trigger, &mut object.metadata);
        if truncated {
            let annotations = object.metadata.annotations.get_or_insert_default();
            annotations.insert(OVER_CAPACITY.to_owned(), "truncated".to_owned());
        } else if let Some(annotations) = &mut object.metadata.annotations {
            annotations.remove(OVER_CAPACITY);
        }
        if let Body::Tree(fields) = &mut object.body {
            let fields = Arc::make_mut(fields);
            if subsets.is_empty() {
                fields.remove("subsets");
            } else {
                fields.insert("subsets".to_owned(), Value::Array(subsets));
            }
        }
    };
    match cx.api.store().get(&kinds::ENDPOINTS, namespace, name) {
        Some(before) => {
            let mut wanted = (**before).clone();
            change(&mut wanted);
            let same = wanted.metadata.labels == before.metadata.labels
                && wanted.field("subsets") == before.field("subsets");
            if !same {
                let _ = cx.api.update(wanted);
            }
        }
        None => {
            let fields = json!({"apiVersion": "v1", "kind": "Endpoints",
                "metadata": {"name": name, "namespace": namespace}});
            if let Ok(mut object) = Object::from_value(fields) {
                change(&mut object);
                let _ = cx.api.create(object);
            }
        }
    }
}

/// A Service is gone, and with it the Endpoints of its name.
pub(super) fn service_gone(namespace: &str, name: &str, cx: &mut Cx<'_>) {
    let _ = cx.api.delete(&kinds::ENDPOINTS, namespace, name, &DeleteOptions::default());
}

fn address(pod: &Object, service: &Object) -> Value {
    let mut fields = Map::new();
    if let Some(hostname) = endpoint_slice::shows_hostname(pod, service) {
        fields.insert("hostname".to_owned(), hostname.into());
    }
    let ip = pod.pod_status().and_then(|status| status.pod_ip.clone()).unwrap_or_default();
    fields.insert("ip".to_owned(), ip.into());
    if let Some(node) = pod.node_name() {
        fields.insert("nodeName".to_owned(), node.into());
    }
    fields.insert("targetRef".to_owned(), endpoint_slice::reference(pod));
    Value::Object(fields)
}

fn subset_value(ports: &[EndpointPort], (mut ready, mut not_ready): Subset) -> Value {
    let key = |address: &Value| {
        let text = |path: &str| address.pointer(path).and_then(Value::as_str).unwrap_or("").to_owned();
        (text("/ip"), text("/targetRef/uid"))
    };
    let mut fields = Map::new();
    for (field, list) in [("addresses", &mut ready), ("notReadyAddresses", &mut not_ready)] {
        list.sort_by_key(key);
        if !list.is_empty() {
            fields.insert(field.to_owned(), Value::Array(std::mem::take(list)));
        }
    }
    if !ports.is_empty() {
        let port = |port: &EndpointPort| {
            let mut fields = Map::new();
            if let Some(protocol) = &port.app_protocol {
                fields.insert("appProtocol".to_owned(), protocol.as_str().into());
            }
            if !port.name.is_empty() {
                fields.insert("name".to_owned(), port.name.as_str().into());
            }
            fields.insert("port".to_owned(), port.port.into());
            fields.insert("protocol".to_owned(), port.protocol.as_str().into());
            Value::Object(fields)
        };
        fields.insert("ports".to_owned(), ports.iter().map(port).collect());
    }
    Value::Object(fields)
}

/// Cuts down to what one object may hold, each subset by its share, addresses that are ready last.
///
/// Source: `truncateEndpoints`.
fn truncate(by_ports: &mut BTreeMap<Vec<EndpointPort>, Subset>) {
    let ready: usize = by_ports.values().map(|subset| subset.0.len()).sum();
    let not_ready: usize = by_ports.values().map(|subset| subset.1.len()).sum();
    let cuts_ready = ready > MAX_CAPACITY;
    let (most, total) = if cuts_ready { (MAX_CAPACITY, ready) } else { (MAX_CAPACITY - ready, not_ready) };
    let mut room = most;
    for subset in by_ports.values_mut() {
        let list = if cuts_ready { &mut subset.0 } else { &mut subset.1 };
        let share = (list.len() * most).div_ceil(total.max(1)).min(room);
        list.truncate(share);
        room -= list.len();
        if cuts_ready {
            subset.1.clear();
        }
    }
}
