//! Defaults of the core group.
//!
//! Source: pkg/apis/core/v1/defaults.go (v1.37).

use super::{image, pod};
use crate::quantity::Quantity;
use crate::schema::tree::{
    child, has, int, list, list_mut, map, remove, set, set_empty, set_nil, set_zero, text,
};
use serde_json::{Map, Value, json};

pub(super) fn set_defaults(name: &str, value: &mut Value) {
    match name {
        "Pod" => pod::pod(value),
        "PodSpec" => pod::pod_spec(value),
        "PodStatus" => pod::pod_status(value),
        "Container" | "EphemeralContainer" => pod::container(value),
        "Volume" => volume(value),
        "Probe" => probe(value),
        "HTTPGetAction" => {
            set_empty(value, "path", "/");
            set_empty(value, "scheme", "HTTP");
        }
        "SecretVolumeSource"
        | "ConfigMapVolumeSource"
        | "DownwardAPIVolumeSource"
        | "ProjectedVolumeSource" => {
            set_nil(value, "defaultMode", 0o644);
        }
        "ServiceAccountTokenProjection" => set_nil(value, "expirationSeconds", 3600),
        "HostPathVolumeSource" => set_nil(value, "type", ""),
        "ObjectFieldSelector" => set_empty(value, "apiVersion", "v1"),
        "ReplicationController" => replication_controller(value),
        "Service" => service(value),
        "Secret" => secret(value),
        "PersistentVolume" => {
            set_empty(child(value, "status"), "phase", "Pending");
            let spec = child(value, "spec");
            set_empty(spec, "persistentVolumeReclaimPolicy", "Retain");
            set_nil(spec, "volumeMode", "Filesystem");
        }
        "PersistentVolumeClaim" => set_empty(child(value, "status"), "phase", "Pending"),
        "PersistentVolumeClaimSpec" => set_nil(value, "volumeMode", "Filesystem"),
        "EndpointPort" => set_empty(value, "protocol", "TCP"),
        "Namespace" => namespace(value),
        "NamespaceStatus" => set_empty(value, "phase", "Active"),
        "NodeSpec" => pod_cidrs(value),
        "NodeStatus" if !has(value, "allocatable") && has(value, "capacity") => {
            let capacity = value.get("capacity").cloned().unwrap_or_default();
            set(value, "allocatable", capacity);
        }
        "LimitRangeItem" => limit_range_item(value),
        _ => {}
    }
}

/// Rounds quantities up to thousandths.
pub(super) fn resource_list(value: &mut Value) {
    for (_, item) in value.as_object_mut().into_iter().flatten() {
        // Only what is smaller than a thousandth needs the work; its text ends in n or u, or has a point.
        let Some(text) = item.as_str() else { continue };
        if !text.contains(['n', 'u', '.']) && !text.contains("e-") {
            continue;
        }
        if let Ok(mut quantity) = Quantity::parse(text) {
            quantity.round_up(-3);
            *item = quantity.to_string().into();
        }
    }
}

fn volume(value: &mut Value) {
    let sources = value.as_object().map_or(0, |map| map.keys().filter(|k| *k != "name").count());
    if sources == 0 {
        set(value, "emptyDir", json!({}));
    }
    if let Some(source) = value.get_mut("image").filter(|v| v.is_object()) {
        let policy = image::default_pull_policy(text(source, "reference"));
        set_empty(source, "pullPolicy", policy);
    }
}

fn probe(value: &mut Value) {
    set_zero(value, "timeoutSeconds", 1);
    set_zero(value, "periodSeconds", 10);
    set_zero(value, "successThreshold", 1);
    set_zero(value, "failureThreshold", 3);
}

fn replication_controller(value: &mut Value) {
    let labels = map(value, "spec.template.metadata.labels").clone();
    if labels.is_empty() {
        return;
    }
    if map(value, "spec.selector").is_empty() {
        set(child(value, "spec"), "selector", labels.clone());
    }
    if map(value, "metadata.labels").is_empty() {
        set(child(value, "metadata"), "labels", labels);
    }
}

fn service(value: &mut Value) {
    let spec = child(value, "spec");
    set_empty(spec, "sessionAffinity", "None");
    match text(spec, "sessionAffinity") {
        "None" => remove(spec, "sessionAffinityConfig"),
        "ClientIP" if !has(spec, "sessionAffinityConfig.clientIP.timeoutSeconds") => {
            set(spec, "sessionAffinityConfig", json!({"clientIP": {"timeoutSeconds": 10800}}));
        }
        _ => {}
    }
    set_empty(spec, "type", "ClusterIP");
    for port in list_mut(spec, "ports") {
        set_empty(port, "protocol", "TCP");
        let target = port.get("targetPort").unwrap_or(&Value::Null);
        if target.is_null() || target == &json!(0) || target == &json!("") {
            let number = int(port, "port").unwrap_or(0);
            set(port, "targetPort", number);
        }
    }
    let kind = text(spec, "type").to_owned();
    let external = kind == "LoadBalancer"
        || kind == "NodePort"
        || kind == "ClusterIP" && spec.get("externalIPs").is_some_and(|v| !v.is_null());
    if external {
        set_empty(spec, "externalTrafficPolicy", "Cluster");
    }
    if matches!(kind.as_str(), "NodePort" | "LoadBalancer" | "ClusterIP") {
        set_nil(spec, "internalTrafficPolicy", "Cluster");
    }
    if kind == "LoadBalancer" {
        set_nil(spec, "allocateLoadBalancerNodePorts", true);
        let balancer = child(child(value, "status"), "loadBalancer");
        for ingress in list_mut(balancer, "ingress") {
            if !text(ingress, "ip").is_empty() {
                set_nil(ingress, "ipMode", "VIP");
            }
        }
    }
}

fn namespace(value: &mut Value) {
    let name = text(value, "metadata.name").to_owned();
    // One that is yet to be named (generateName) gets the label when it has its name.
    if !name.is_empty() {
        set(child(child(value, "metadata"), "labels"), "kubernetes.io/metadata.name", name);
    }
}

/// `stringData` is write-only: it goes into `data` and is never given back.
///
/// Source: pkg/apis/core/v1/conversion.go Convert_v1_Secret_To_core_Secret (v1.37).
fn secret(value: &mut Value) {
    set_empty(value, "type", "Opaque");
    let plain = map(value, "stringData").clone();
    remove(value, "stringData");
    if plain.is_empty() {
        return;
    }
    let data = child(value, "data");
    for (key, item) in plain {
        let encoded = crate::schema::encode_base64(item.as_str().unwrap_or("").as_bytes());
        set(data, &key, encoded);
    }
}

/// The one CIDR and the list say the same.
///
/// Source: pkg/apis/core/v1/conversion.go Convert_v1_NodeSpec_To_core_NodeSpec (v1.37).
fn pod_cidrs(spec: &mut Value) {
    let one = text(spec, "podCIDR").to_owned();
    let first = list(spec, "podCIDRs").first().and_then(Value::as_str).map(str::to_owned);
    match (one.is_empty(), first) {
        (false, first) if first.as_ref() != Some(&one) => set(spec, "podCIDRs", json!([one])),
        (true, Some(first)) => set(spec, "podCIDR", first),
        _ => {}
    }
}

fn limit_range_item(value: &mut Value) {
    if text(value, "type") != "Container" {
        return;
    }
    let mut limits = map(value, "default").clone();
    let mut requests = map(value, "defaultRequest").clone();
    let fill = |into: &mut Map<String, Value>, from: &Map<String, Value>| {
        for (key, quantity) in from {
            into.entry(key.clone()).or_insert_with(|| quantity.clone());
        }
    };
    fill(&mut limits, map(value, "max"));
    fill(&mut requests, &limits);
    fill(&mut requests, map(value, "min"));
    for (name, list) in [("default", limits), ("defaultRequest", requests)] {
        if !list.is_empty() {
            set(value, name, list);
        }
    }
}
