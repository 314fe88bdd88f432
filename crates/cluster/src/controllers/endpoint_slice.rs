//! endpointslice-controller: the addresses behind each Service that selects pods, in slices of at most 100.
//!
//! Source: staging/src/k8s.io/endpointslice/reconciler.go, pkg/controller/endpointslice (v1.37).

mod pods;

pub(super) use pods::{
    EndpointPort, find_ports, included, is_changed, is_ready, matches, pods_of, reference, shows_hostname,
};

use super::trigger_time::TriggerTime;
use crate::apiserver::{ApiServer, DeleteOptions};
use crate::store::Key;
use crate::world::Cx;
use podlab_api::{Body, Object, kinds};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Who manages the slices, in their label.
pub(super) const CONTROLLER_NAME: &str = "endpointslice-controller.k8s.io";
pub(super) const MANAGED_BY: &str = "endpointslice.kubernetes.io/managed-by";
pub(super) const SERVICE_NAME: &str = "kubernetes.io/service-name";
pub(super) const HEADLESS: &str = "service.kubernetes.io/headless";

/// Source: pkg/controller/endpointslice/config `MaxEndpointsPerSlice`.
const MAX_ENDPOINTS: usize = 100;

/// A slice as it is to be: `name` is empty for one that is to be made.
#[derive(Clone, Debug)]
struct Slice {
    name: String,
    ports: Vec<EndpointPort>,
    endpoints: Vec<Value>,
}

/// The slices of one set of ports, and the endpoints that belong into them.
type Group<'a> = (Vec<&'a Arc<Object>>, Vec<Value>);

/// Whether a Service has an address of its own.
pub(super) fn is_ip_set(service: &Object) -> bool {
    let ip = service.field("spec").and_then(|s| s.get("clusterIP")).and_then(Value::as_str);
    !matches!(ip, None | Some("" | "None"))
}

/// Brings the slices of a Service in line with its pods.
pub(super) fn sync(service: &Arc<Object>, trigger: Option<TriggerTime>, cx: &mut Cx<'_>) {
    let families = service.field("spec").and_then(|s| s.get("ipFamilies")).and_then(Value::as_array);
    let mut families: Vec<&str> = families.into_iter().flatten().filter_map(Value::as_str).collect();
    if families.is_empty() {
        families.push("IPv4");
    }
    let existing: Vec<Arc<Object>> = slices_of(service, cx.api)
        .filter(|slice| slice.label(MANAGED_BY) == Some(CONTROLLER_NAME) && !slice.is_terminating())
        .cloned()
        .collect();
    for slice in &existing {
        if !families.contains(&address_type(slice)) {
            delete(slice, cx);
        }
    }
    for family in families {
        let of_family: Vec<&Arc<Object>> =
            existing.iter().filter(|slice| address_type(slice) == family).collect();
        reconcile(service, family, &of_family, trigger, cx);
    }
}

/// The slices that name a Service, whoever manages them.
pub(crate) fn slices_of<'a>(
    service: &'a Object,
    api: &'a ApiServer,
) -> impl Iterator<Item = &'a Arc<Object>> {
    let all = api.store().list_namespace(&kinds::ENDPOINT_SLICE, service.namespace());
    all.filter(|slice| slice.label(SERVICE_NAME) == Some(service.name()))
}

fn address_type(slice: &Object) -> &str {
    slice.field("addressType").and_then(Value::as_str).unwrap_or("")
}

fn is_owned(slice: &Object, service: &Object) -> bool {
    let owners = slice.metadata.owner_references.iter().flatten();
    owners.into_iter().any(|o| o.uid == service.uid() && o.kind == "Service" && o.api_version == "v1")
}

fn delete(slice: &Object, cx: &mut Cx<'_>) {
    let _ = cx.api.delete(&kinds::ENDPOINT_SLICE, slice.namespace(), slice.name(), &DeleteOptions::default());
}

fn list_of(slice: &Object, field: &str) -> Vec<Value> {
    slice.field(field).and_then(Value::as_array).cloned().unwrap_or_default()
}

fn reconcile(
    service: &Arc<Object>,
    family: &str,
    existing: &[&Arc<Object>],
    trigger: Option<TriggerTime>,
    cx: &mut Cx<'_>,
) {
    // ports → the slices that have them, then the endpoints that want them.
    let mut groups: BTreeMap<Vec<EndpointPort>, Group<'_>> = BTreeMap::new();
    let mut unwanted: Vec<&Arc<Object>> = Vec::new();
    for slice in existing {
        if is_owned(slice, service) {
            let ports = list_of(slice, "ports").iter().map(EndpointPort::read).collect();
            groups.entry(ports).or_default().0.push(slice);
        } else {
            unwanted.push(slice);
        }
    }
    let mut desired = Vec::new();
    for pod in pods_of(service, cx.api).filter(|pod| included(pod, true)) {
        let node = pod.node_name().unwrap_or("");
        let node = cx.api.store().get(&kinds::NODE, "", node);
        if node.is_none() && !pods::publishes_not_ready(service) {
            continue;
        }
        let endpoint = pods::endpoint(pod, node, service, family);
        desired.push((find_ports(service, pod), endpoint));
    }
    let mut wanted_ports = Vec::new();
    for (ports, endpoint) in desired {
        if !wanted_ports.contains(&ports) {
            wanted_ports.push(ports.clone());
        }
        groups.entry(ports).or_default().1.extend(endpoint);
    }
    let labels = labels_of(service);
    let (mut create, mut update): (Vec<Slice>, Vec<Slice>) = (Vec::new(), Vec::new());
    for (ports, (slices, endpoints)) in groups {
        if !wanted_ports.contains(&ports) {
            unwanted.extend(slices);
            continue;
        }
        fill(&ports, &slices, endpoints, &labels, (&mut create, &mut update, &mut unwanted));
    }
    if existing.len() == unwanted.len() && create.is_empty() {
        // A Service without endpoints has an empty slice, and keeps it.
        let is_placeholder = |slice: &Arc<Object>| {
            is_owned(slice, service)
                && list_of(slice, "endpoints").is_empty()
                && list_of(slice, "ports").is_empty()
                && slice.metadata.labels.as_ref() == Some(&labels)
        };
        match unwanted.as_slice() {
            [only] if is_placeholder(only) => unwanted.clear(),
            _ => create.push(Slice { name: String::new(), ports: Vec::new(), endpoints: Vec::new() }),
        }
    }
    // A slice that would go is given new content instead, where one is wanted.
    unwanted.retain(|slice| match create.last() {
        Some(_) if is_owned(slice, service) => {
            if let Some(mut new) = create.pop() {
                slice.name().clone_into(&mut new.name);
                update.push(new);
            }
            false
        }
        _ => true,
    });
    if !service.is_terminating() {
        for slice in create {
            write(service, family, &slice, &labels, trigger, cx);
        }
    }
    for slice in update {
        write(service, family, &slice, &labels, trigger, cx);
    }
    for slice in unwanted {
        delete(slice, cx);
    }
}

/// Shares the endpoints of one set of ports out among its slices.
///
/// Source: `reconcileByPortMapping`.
fn fill<'a>(
    ports: &[EndpointPort],
    slices: &[&'a Arc<Object>],
    mut desired: Vec<Value>,
    labels: &BTreeMap<String, String>,
    (create, update, unwanted): (&mut Vec<Slice>, &mut Vec<Slice>, &mut Vec<&'a Arc<Object>>),
) {
    let mut unchanged: Vec<Slice> = Vec::new();
    let mut changed: Vec<Slice> = Vec::new();
    for slice in slices {
        let before = list_of(slice, "endpoints");
        let mut after = Vec::new();
        for endpoint in &before {
            if let Some(at) = desired.iter().position(|other| same_place(endpoint, other)) {
                after.push(desired.remove(at));
            }
        }
        let (same, labelled) = (after == before, slice.metadata.labels.as_ref() == Some(labels));
        let kept = Slice { name: slice.name().to_owned(), ports: ports.to_vec(), endpoints: after };
        if !same && kept.endpoints.is_empty() {
            unwanted.push(slice);
        } else if same && labelled {
            unchanged.push(kept);
        } else {
            changed.push(kept);
        }
    }
    changed.sort_by_key(|slice| std::cmp::Reverse(slice.endpoints.len()));
    let mut rest = desired.into_iter().peekable();
    for slice in &mut changed {
        let room = MAX_ENDPOINTS.saturating_sub(slice.endpoints.len());
        slice.endpoints.extend(rest.by_ref().take(room));
    }
    while rest.peek().is_some() {
        let left = rest.len();
        let room = |slice: &Slice| MAX_ENDPOINTS.checked_sub(slice.endpoints.len() + left);
        let closest = unchanged.iter().enumerate().filter_map(|(at, slice)| Some((room(slice)?, at))).min();
        match closest.filter(|_| left < MAX_ENDPOINTS) {
            Some((_, at)) => {
                let mut slice = unchanged.remove(at);
                slice.endpoints.extend(rest.by_ref());
                changed.push(slice);
            }
            None => {
                let endpoints = rest.by_ref().take(MAX_ENDPOINTS).collect();
                create.push(Slice { name: String::new(), ports: ports.to_vec(), endpoints });
            }
        }
    }
    update.extend(changed);
}

/// Whether two endpoints are one, at different times.
fn same_place(a: &Value, b: &Value) -> bool {
    let same = |field: &str| a.get(field) == b.get(field);
    same("addresses") && same("targetRef") && same("hostname") && same("nodeName")
}

fn labels_of(service: &Object) -> BTreeMap<String, String> {
    let mut labels = service.metadata.labels.clone().unwrap_or_default();
    labels.remove(HEADLESS);
    if !is_ip_set(service) {
        labels.insert(HEADLESS.to_owned(), String::new());
    }
    labels.insert(SERVICE_NAME.to_owned(), service.name().to_owned());
    labels.insert(MANAGED_BY.to_owned(), CONTROLLER_NAME.to_owned());
    labels
}

fn null_if_empty(list: Vec<Value>) -> Value {
    if list.is_empty() { Value::Null } else { Value::Array(list) }
}

fn write(
    service: &Object,
    family: &str,
    slice: &Slice,
    labels: &BTreeMap<String, String>,
    trigger: Option<TriggerTime>,
    cx: &mut Cx<'_>,
) {
    let ports = null_if_empty(slice.ports.iter().map(EndpointPort::to_value).collect());
    let endpoints = null_if_empty(slice.endpoints.clone());
    if !slice.name.is_empty() {
        let key = Key::new(service.namespace(), &slice.name);
        let _ = cx.api.modify(&kinds::ENDPOINT_SLICE, &key.namespace, &key.name, None, |object| {
            object.metadata.labels = Some(labels.clone());
            TriggerTime::annotate(trigger, &mut object.metadata);
            if let Body::Tree(fields) = &mut object.body {
                let fields = Arc::make_mut(fields);
                fields.insert("ports".to_owned(), ports);
                fields.insert("endpoints".to_owned(), endpoints);
            }
        });
        return;
    }
    let fields = json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
        "metadata": {"generateName": format!("{}-", service.name()), "namespace": service.namespace(),
            "labels": labels, "ownerReferences": [owner(service)]},
        "addressType": family, "ports": ports, "endpoints": endpoints});
    if let Ok(mut object) = Object::from_value(fields) {
        TriggerTime::annotate(trigger, &mut object.metadata);
        // A namespace that is going takes no new slices.
        let _ = cx.api.create(object);
    }
}

/// The reference by which an object belongs to another as its controller.
pub(super) fn owner(object: &Object) -> Value {
    Value::Object(Map::from_iter([
        ("apiVersion".to_owned(), object.kind.api_version().into()),
        ("blockOwnerDeletion".to_owned(), true.into()),
        ("controller".to_owned(), true.into()),
        ("kind".to_owned(), object.kind.kind.into()),
        ("name".to_owned(), object.name().into()),
        ("uid".to_owned(), object.uid().into()),
    ]))
}
