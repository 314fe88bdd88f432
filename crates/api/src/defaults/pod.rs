//! Defaults of pods and pod templates.
//!
//! Source: pkg/apis/core/v1/defaults.go (v1.37).

use super::image;
use crate::quantity::Quantity;
use crate::schema::tree::{
    child, flag, has, int, list, list_mut, map, set, set_empty, set_nil, set_zero, text,
};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What only a pod gets, and no template.
pub(super) fn pod(value: &mut Value) {
    let spec = child(value, "spec");
    if int(spec, "terminationGracePeriodSeconds").is_some_and(|s| s < 0) {
        set(spec, "terminationGracePeriodSeconds", 1);
    }
    for containers in ["containers", "initContainers"] {
        for container in list_mut(spec, containers) {
            requests_from_limits(child(container, "resources"));
        }
    }
    set_nil(spec, "enableServiceLinks", true);
    if flag(spec, "hostNetwork") {
        for containers in ["containers", "initContainers"] {
            for container in list_mut(spec, containers) {
                for port in list_mut(container, "ports") {
                    let number = int(port, "containerPort").unwrap_or(0);
                    set_zero(port, "hostPort", number);
                }
            }
        }
    }
}

fn requests_from_limits(resources: &mut Value) {
    let (limits, requests) = (map(resources, "limits"), map(resources, "requests"));
    let left_out = limits.iter().filter(|(name, _)| !requests.contains_key(*name));
    let left_out: Vec<(String, Value)> =
        left_out.map(|(name, limit)| (name.clone(), limit.clone())).collect();
    if left_out.is_empty() {
        return;
    }
    if let Value::Object(requests) = child(resources, "requests") {
        requests.extend(left_out);
    }
}

pub(super) fn pod_spec(spec: &mut Value) {
    let deprecated = text(spec, "serviceAccount").to_owned();
    if !deprecated.is_empty() {
        set_empty(spec, "serviceAccountName", &deprecated);
    }
    let account = text(spec, "serviceAccountName").to_owned();
    if !account.is_empty() {
        set(spec, "serviceAccount", account);
    }
    set_empty(spec, "dnsPolicy", "ClusterFirst");
    set_empty(spec, "restartPolicy", "Always");
    set_nil(spec, "securityContext", json!({}));
    set_nil(spec, "terminationGracePeriodSeconds", 30);
    set_empty(spec, "schedulerName", "default-scheduler");
}

pub(super) fn pod_status(status: &mut Value) {
    let one = text(status, "podIP").to_owned();
    let first = list(status, "podIPs").first().map(|ip| text(ip, "ip").to_owned());
    match (one.is_empty(), first) {
        (false, first) if first.as_ref() != Some(&one) => set(status, "podIPs", json!([{ "ip": one }])),
        (true, Some(first)) => set(status, "podIP", first),
        _ => {}
    }
}

pub(super) fn container(container: &mut Value) {
    if text(container, "imagePullPolicy").is_empty() {
        let policy = image::default_pull_policy(text(container, "image"));
        set(container, "imagePullPolicy", policy);
    }
    set_empty(container, "terminationMessagePath", "/dev/termination-log");
    set_empty(container, "terminationMessagePolicy", "File");
}

/// Merges `matchLabelKeys` and `mismatchLabelKeys` into the label selectors beside them.
///
/// The API server does this when it creates the pod, before it validates, not in the common defaulting.
///
/// Source: pkg/registry/core/pod/strategy.go mutatePodAffinity, mutateTopologySpreadConstraints (v1.37).
pub fn match_label_keys(value: &mut Value) {
    let labels = map(value, "metadata.labels").clone();
    let spec = child(value, "spec");
    for affinity in ["podAffinity", "podAntiAffinity"] {
        if !has(spec, "affinity") || !has(child(spec, "affinity"), affinity) {
            continue;
        }
        let affinity = child(child(spec, "affinity"), affinity);
        for term in list_mut(affinity, "preferredDuringSchedulingIgnoredDuringExecution") {
            merge_label_keys(child(term, "podAffinityTerm"), &labels);
        }
        for term in list_mut(affinity, "requiredDuringSchedulingIgnoredDuringExecution") {
            merge_label_keys(term, &labels);
        }
    }
    for constraint in list_mut(spec, "topologySpreadConstraints") {
        merge_label_keys(constraint, &labels);
    }
}

fn merge_label_keys(term: &mut Value, labels: &Map<String, Value>) {
    if !has(term, "labelSelector") {
        return;
    }
    let mut wanted = Vec::new();
    for (field, operator) in [("matchLabelKeys", "In"), ("mismatchLabelKeys", "NotIn")] {
        for key in list(term, field).iter().filter_map(Value::as_str) {
            if let Some(label) = labels.get(key) {
                wanted.push(json!({"key": key, "operator": operator, "values": [label]}));
            }
        }
    }
    if wanted.is_empty() {
        return;
    }
    let selector = child(term, "labelSelector");
    let mut expressions = list(selector, "matchExpressions").to_vec();
    expressions.append(&mut wanted);
    set(selector, "matchExpressions", expressions);
}

/// Defaults of the pod-level `spec.resources`: requests from the containers, then from the pod's limits.
///
/// The API server does this when it creates the pod, after admission, not in the common defaulting.
///
/// Source: pkg/registry/core/pod/strategy.go PrepareForCreate, applyPodLevelResourcesDefaults (v1.37).
pub fn pod_level_resources(value: &mut Value) {
    let spec = child(value, "spec");
    if !has(spec, "resources") {
        return;
    }
    let resources = || map(spec, "resources");
    let limits = resources().get("limits").and_then(Value::as_object).cloned().unwrap_or_default();
    let requests = resources().get("requests").and_then(Value::as_object).cloned().unwrap_or_default();
    let mut new_limits = limits.clone();
    if !limits.is_empty() || !requests.is_empty() {
        for (name, quantity) in aggregate(spec, "limits") {
            if name.starts_with("hugepages-") && !requests.contains_key(&name) {
                new_limits.entry(name).or_insert_with(|| quantity.to_string().into());
            }
        }
    }
    let mut new_requests = requests;
    if !new_limits.is_empty() {
        for (name, quantity) in aggregate(spec, "requests") {
            if matches!(name.as_str(), "cpu" | "memory") {
                new_requests.entry(name).or_insert_with(|| quantity.to_string().into());
            }
        }
        for (name, quantity) in &new_limits {
            if matches!(name.as_str(), "cpu" | "memory") || name.starts_with("hugepages-") {
                new_requests.entry(name.clone()).or_insert_with(|| quantity.clone());
            }
        }
    }
    let resources = child(spec, "resources");
    for (name, list) in [("limits", new_limits), ("requests", new_requests)] {
        if !list.is_empty() {
            set(resources, name, list);
        }
    }
}

/// What all containers ask for together: the sum of those that run side by side, or the largest moment of
/// the init containers, sidecars counting from their start on.
///
/// Source: k8s.io/component-helpers/resource/helpers.go AggregateContainerRequests (v1.37).
pub(crate) fn aggregate(spec: &Value, what: &str) -> BTreeMap<String, Quantity> {
    let of = |container: &Value| quantities(map(at_resources(container), what));
    let mut total = BTreeMap::new();
    for container in list(spec, "containers") {
        add(&mut total, &of(container));
    }
    let mut sidecars = BTreeMap::new();
    let mut peak: BTreeMap<String, Quantity> = BTreeMap::new();
    for container in list(spec, "initContainers") {
        let mut moment = of(container);
        if text(container, "restartPolicy") == "Always" {
            add(&mut total, &moment);
            add(&mut sidecars, &moment);
            moment = sidecars.clone();
        } else {
            add(&mut moment, &sidecars);
        }
        largest(&mut peak, moment);
    }
    largest(&mut total, peak);
    total
}

fn at_resources(container: &Value) -> &Value {
    container.get("resources").unwrap_or(&Value::Null)
}

fn quantities(map: &Map<String, Value>) -> BTreeMap<String, Quantity> {
    let parsed = |v: &Value| Quantity::parse(v.as_str()?).ok();
    map.iter().filter_map(|(k, v)| Some((k.clone(), parsed(v)?))).collect()
}

fn add(total: &mut BTreeMap<String, Quantity>, more: &BTreeMap<String, Quantity>) {
    for (name, quantity) in more {
        match total.get_mut(name) {
            Some(sum) => sum.add(quantity),
            None => {
                total.insert(name.clone(), quantity.clone());
            }
        }
    }
}

fn largest(into: &mut BTreeMap<String, Quantity>, from: BTreeMap<String, Quantity>) {
    for (name, quantity) in from {
        if into.get(&name).is_none_or(|now| *now < quantity) {
            into.insert(name, quantity);
        }
    }
}
