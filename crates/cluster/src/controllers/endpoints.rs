//! endpoint-controller: the older list of the addresses behind a Service, one object a Service.
//!
//! Source: pkg/controller/endpoint/endpoints_controller.go, pkg/api/v1/endpoints/util.go (v1.37).

use super::endpoint_slice::{self, EndpointPort};
use super::trigger_time::TriggerTime;
use crate::apiserver::DeleteOptions;
use crate::world::Cx;
use podlab_api::{Body, Object, kinds};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
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
    let mut subsets = repack(by_ports);
    let truncated = count > MAX_CAPACITY;
    if truncated {
        truncate(&mut subsets);
    }
    let subsets: Vec<Value> = subsets.into_iter().map(subset_value).collect();
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

/// Ports, and the addresses that have all of them.
type Packed = (Vec<EndpointPort>, Subset);

/// One subset for all ports that the same addresses have, in the order of their hashes; so are each one's ports.
///
/// `by_ports` holds the addresses of pods by all the ports that they have.
///
/// Source: pkg/api/v1/endpoints/util.go `RepackSubsets`, `SortSubsets`.
fn repack(by_ports: BTreeMap<Vec<EndpointPort>, Subset>) -> Vec<Packed> {
    let mut packed = if by_ports.len() > 1 { by_addresses(by_ports) } else { by_ports.into_iter().collect() };
    for (ports, (ready, not_ready)) in &mut packed {
        let key = |address: &Value| {
            let text = |path: &str| address.pointer(path).and_then(Value::as_str).unwrap_or("").to_owned();
            (text("/ip"), text("/targetRef/uid"))
        };
        ready.sort_by_cached_key(key);
        not_ready.sort_by_cached_key(key);
        if ports.len() > 1 {
            ports.sort_by_cached_key(|port| hash(&format!("(v1.EndpointPort){}", port_in_go(port))));
        }
    }
    if packed.len() > 1 {
        packed.sort_by_cached_key(|subset| hash(&subset_in_go(subset)));
    }
    packed
}

/// Ports that the same groups of pods have, together with these pods' addresses.
fn by_addresses(by_ports: BTreeMap<Vec<EndpointPort>, Subset>) -> Vec<Packed> {
    let groups: Vec<Packed> = by_ports.into_iter().collect();
    let mut of_port: BTreeMap<Option<&EndpointPort>, BTreeSet<usize>> = BTreeMap::new();
    for (index, (ports, _)) in groups.iter().enumerate() {
        if ports.is_empty() {
            of_port.entry(None).or_default().insert(index);
        }
        for port in ports {
            of_port.entry(Some(port)).or_default().insert(index);
        }
    }
    let mut with: BTreeMap<BTreeSet<usize>, Vec<EndpointPort>> = BTreeMap::new();
    for (port, indexes) in of_port {
        with.entry(indexes).or_default().extend(port.cloned());
    }
    let together = |indexes: &BTreeSet<usize>, part: fn(&Subset) -> &Vec<Value>| -> Vec<Value> {
        let of = indexes.iter().filter_map(|index| groups.get(*index));
        of.flat_map(|(_, subset)| part(subset)).cloned().collect()
    };
    let subset = |indexes| (together(indexes, |s| &s.0), together(indexes, |s| &s.1));
    with.iter().map(|(indexes, ports)| (ports.clone(), subset(indexes))).collect()
}

/// What an object looks like to the hash that orders it.
///
/// Source: k8s.io/utils/dump `ForHash`, pkg/util/hash/hash.go `DeepHashObject`.
fn subset_in_go((ports, (ready, not_ready)): &Packed) -> String {
    let list = |kind: &str, items: Vec<String>| match items.is_empty() {
        true => format!("([]v1.{kind})<nil>"),
        false => format!("([]v1.{kind})[{}]", items.join(" ")),
    };
    let addresses = |list_of: &[Value]| list("EndpointAddress", list_of.iter().map(address_in_go).collect());
    format!(
        "(v1.EndpointSubset){{Addresses:{} NotReadyAddresses:{} Ports:{}}}",
        addresses(ready),
        addresses(not_ready),
        list("EndpointPort", ports.iter().map(port_in_go).collect()),
    )
}

fn address_in_go(address: &Value) -> String {
    let text = |path: &str| address.pointer(path).and_then(Value::as_str).unwrap_or("");
    let node = address.get("nodeName").and_then(Value::as_str).unwrap_or("<nil>");
    let target = match address.get("targetRef") {
        Some(_) => format!(
            "{{Kind:(string){} Namespace:(string){} Name:(string){} UID:(types.UID){} APIVersion:(string) ResourceVersion:(string) FieldPath:(string)}}",
            text("/targetRef/kind"),
            text("/targetRef/namespace"),
            text("/targetRef/name"),
            text("/targetRef/uid"),
        ),
        None => "<nil>".to_owned(),
    };
    format!(
        "{{IP:(string){} Hostname:(string){} NodeName:(*string){node} TargetRef:(*v1.ObjectReference){target}}}",
        text("/ip"),
        text("/hostname"),
    )
}

fn port_in_go(port: &EndpointPort) -> String {
    format!(
        "{{Name:(string){} Port:(int32){} Protocol:(v1.Protocol){} AppProtocol:(*string){}}}",
        port.name,
        port.port,
        port.protocol,
        port.app_protocol.as_deref().unwrap_or("<nil>"),
    )
}

/// FNV-1a of 128 bits.
fn hash(text: &str) -> u128 {
    const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    text.bytes().fold(OFFSET, |hash, byte| (hash ^ u128::from(byte)).wrapping_mul(PRIME))
}

fn subset_value((ports, (ready, not_ready)): Packed) -> Value {
    let mut fields = Map::new();
    for (field, list) in [("addresses", ready), ("notReadyAddresses", not_ready)] {
        if !list.is_empty() {
            fields.insert(field.to_owned(), Value::Array(list));
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
fn truncate(subsets: &mut [Packed]) {
    let ready: usize = subsets.iter().map(|(_, subset)| subset.0.len()).sum();
    let not_ready: usize = subsets.iter().map(|(_, subset)| subset.1.len()).sum();
    let cuts_ready = ready > MAX_CAPACITY;
    let (most, total) = if cuts_ready { (MAX_CAPACITY, ready) } else { (MAX_CAPACITY - ready, not_ready) };
    let mut room = most;
    for (_, subset) in subsets {
        let list = if cuts_ready { &mut subset.0 } else { &mut subset.1 };
        let share = (list.len() * most).div_ceil(total.max(1)).min(room);
        list.truncate(share);
        room -= list.len();
        if cuts_ready {
            subset.1.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(name: &str, port: i64) -> EndpointPort {
        EndpointPort { name: name.to_owned(), protocol: "TCP".to_owned(), port, app_protocol: None }
    }

    /// What the real types print and hash as.
    #[test]
    fn hashes_are_those_of_go() {
        let http = port_in_go(&port("http", 80));
        assert_eq!(
            http,
            "{Name:(string)http Port:(int32)80 Protocol:(v1.Protocol)TCP AppProtocol:(*string)<nil>}"
        );
        assert_eq!(hash(&format!("(v1.EndpointPort){http}")), 0x754b_003f_50f1_33a5_39c6_0d18_cfb3_0a55);
        let address = json!({"ip": "1.2.3.4"});
        let subset = subset_in_go(&(Vec::new(), (Vec::new(), vec![address])));
        assert_eq!(hash(&subset), 0x4b67_fd63_c52c_2545_6f2b_fe51_caa9_9231);
    }

    #[test]
    fn ports_are_grouped_by_who_has_them() {
        let pod = |ip: &str| (vec![json!({"ip": ip})], Vec::new());
        let by_ports = [
            (vec![port("http", 8080), port("metrics", 9100)], pod("10.0.0.1")),
            (vec![port("http", 9090), port("metrics", 9100)], pod("10.0.0.2")),
        ];
        let mut seen: Vec<(i64, usize)> = repack(by_ports.into())
            .iter()
            .map(|(ports, (ready, _))| (ports.first().map_or(0, |port| port.port), ready.len()))
            .collect();
        seen.sort_unstable();
        assert_eq!(seen, [(8080, 1), (9090, 1), (9100, 2)]);
    }
}
