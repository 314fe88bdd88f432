//! endpointslicemirroring-controller: Endpoints that somebody wrote for a Service without a selector are mirrored
//! in slices, which is what the network goes by.
//!
//! Source: pkg/controller/endpointslicemirroring (v1.37).

use super::endpoint_slice::{MANAGED_BY, SERVICE_NAME, owner};
use crate::apiserver::DeleteOptions;
use crate::store::Key;
use crate::world::Cx;
use podlab_api::{Object, kinds};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

const CONTROLLER_NAME: &str = "endpointslicemirroring-controller.k8s.io";
const SKIP: &str = "endpointslice.kubernetes.io/skip-mirror";
/// Annotations that are not carried over.
const OWN: [&str; 2] =
    ["endpoints.kubernetes.io/last-change-trigger-time", "kubectl.kubernetes.io/last-applied-configuration"];

/// Brings the mirror of an Endpoints object in line with it.
pub(super) fn sync(key: &Key, cx: &mut Cx<'_>) {
    let store = cx.api.store();
    let has_selector = |service: &Arc<Object>| {
        let selector = service.field("spec").and_then(|s| s.get("selector")).and_then(Value::as_object);
        selector.is_some_and(|selector| !selector.is_empty())
    };
    let mirrored = store.get_key(&kinds::ENDPOINTS, key).filter(|endpoints| {
        let service = store.get_key(&kinds::SERVICE, key);
        endpoints.label(SKIP) != Some("true") && service.is_some_and(|service| !has_selector(service))
    });
    let wanted = mirrored.map(|endpoints| slices(endpoints)).unwrap_or_default();
    let existing: Vec<Arc<Object>> = store
        .list_namespace(&kinds::ENDPOINT_SLICE, &key.namespace)
        .filter(|slice| {
            slice.label(SERVICE_NAME) == Some(&key.name) && slice.label(MANAGED_BY) == Some(CONTROLLER_NAME)
        })
        .cloned()
        .collect();
    let mut wanted = wanted.into_iter();
    for slice in existing {
        let Some(new) = wanted.next() else {
            let options = DeleteOptions::default();
            let _ = cx.api.delete(&kinds::ENDPOINT_SLICE, &key.namespace, slice.name(), &options);
            continue;
        };
        let _ = cx.api.modify(&kinds::ENDPOINT_SLICE, &key.namespace, slice.name(), None, |object| {
            object.metadata.labels.clone_from(&new.metadata.labels);
            object.body = new.body;
        });
    }
    for slice in wanted {
        let _ = cx.api.create(slice);
    }
}

fn slices(endpoints: &Object) -> Vec<Object> {
    // (address family, ports as text) → ports and endpoints.
    let mut groups: BTreeMap<(&str, String), (Value, Vec<Value>)> = BTreeMap::new();
    for subset in endpoints.field("subsets").and_then(Value::as_array).into_iter().flatten() {
        let ports = subset.get("ports").and_then(Value::as_array).into_iter().flatten().map(port);
        let ports = Value::Array(ports.collect());
        for (field, ready) in [("addresses", true), ("notReadyAddresses", false)] {
            for address in subset.get(field).and_then(Value::as_array).into_iter().flatten() {
                let Some(ip) = address.get("ip").and_then(Value::as_str) else { continue };
                let family = if ip.contains(':') { "IPv6" } else { "IPv4" };
                let group = groups.entry((family, ports.to_string())).or_default();
                group.0 = ports.clone();
                group.1.push(endpoint(address, ip, ready));
            }
        }
    }
    let mut labels = endpoints.metadata.labels.clone().unwrap_or_default();
    labels.insert(SERVICE_NAME.to_owned(), endpoints.name().to_owned());
    labels.insert(MANAGED_BY.to_owned(), CONTROLLER_NAME.to_owned());
    let annotations = endpoints.metadata.annotations.clone().unwrap_or_default();
    let annotations: BTreeMap<String, String> =
        annotations.into_iter().filter(|(key, _)| !OWN.contains(&key.as_str())).collect();
    let slice = |((family, _), (ports, list)): ((&str, String), (Value, Vec<Value>))| {
        let mut fields = json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
            "metadata": {"generateName": format!("{}-", endpoints.name()), "namespace": endpoints.namespace(),
                "labels": labels, "ownerReferences": [owner(endpoints)]},
            "addressType": family, "ports": ports, "endpoints": list});
        if !annotations.is_empty() {
            fields["metadata"]["annotations"] = json!(annotations);
        }
        Object::from_value(fields).ok()
    };
    groups.into_iter().filter_map(slice).collect()
}

fn port(port: &Value) -> Value {
    let mut fields = port.as_object().cloned().unwrap_or_default();
    fields.entry("name").or_insert_with(|| "".into());
    fields.entry("protocol").or_insert_with(|| "TCP".into());
    Value::Object(fields)
}

fn endpoint(address: &Value, ip: &str, ready: bool) -> Value {
    let mut fields = Map::new();
    fields.insert("addresses".to_owned(), json!([ip]));
    fields.insert("conditions".to_owned(), json!({"ready": ready}));
    for field in ["hostname", "nodeName", "targetRef"] {
        if let Some(value) = address.get(field).filter(|value| !value.is_null()) {
            fields.insert(field.to_owned(), value.clone());
        }
    }
    Value::Object(fields)
}
