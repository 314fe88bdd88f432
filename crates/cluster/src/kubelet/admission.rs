//! What a kubelet checks before it takes a pod: the scheduler may have been wrong, or not asked.
//!
//! Source: pkg/kubelet/lifecycle/predicate.go, pkg/scheduler/framework/plugins/helper (v1.37).

use super::pod_worker::Env;
use super::pressure;
use crate::recorder::{EventType, InvolvedObject};
use k8s_openapi::api::core::v1::PodSpec;
use podlab_api::resources::{PodResourcesOptions, ResourceList, add_resource_list, pod_requests};
use podlab_api::selector::node::RequiredNodeAffinity;
use podlab_api::time::time;
use podlab_api::{Object, kinds};
use std::sync::Arc;

/// Why a pod is not taken.
struct Rejection {
    reason: String,
    message: String,
}

/// A pod that the kubelet has already, and what it requests.
pub(crate) type Taken = (Arc<Object>, Arc<ResourceList>);

/// What a pod's spec requests.
pub(crate) fn requests_of(pod: &Object) -> Arc<ResourceList> {
    let list = pod.pod_spec().map(|spec| pod_requests(spec, None, &PodResourcesOptions::default()));
    Arc::new(list.unwrap_or_default())
}

fn is_ended(pod: &Object) -> bool {
    matches!(pod.pod_status().and_then(|s| s.phase.as_deref()), Some("Failed" | "Succeeded"))
}

fn host_ports(spec: &PodSpec) -> Vec<(String, String, i32)> {
    let containers = spec.containers.iter().chain(spec.init_containers.iter().flatten());
    let ports = containers.flat_map(|c| c.ports.iter().flatten());
    ports
        .filter_map(|p| {
            let port = p.host_port.filter(|n| *n > 0)?;
            let ip = p.host_ip.clone().filter(|i| !i.is_empty()).unwrap_or_else(|| "0.0.0.0".to_owned());
            Some((p.protocol.clone().unwrap_or_else(|| "TCP".to_owned()), ip, port))
        })
        .collect()
}

/// Why a pod does not fit beside those that the kubelet has: reason and message.
pub(crate) fn rejection(
    env: &mut Env<'_, '_>,
    pod: &Object,
    wanted: &ResourceList,
    taken: &[Taken],
) -> Option<(String, String)> {
    let others: Vec<&Taken> = taken.iter().filter(|(o, _)| !is_ended(o)).collect();
    check(env, pod, wanted, &others).map(|rejection| (rejection.reason, rejection.message))
}

fn check(env: &mut Env<'_, '_>, pod: &Object, wanted: &ResourceList, others: &[&Taken]) -> Option<Rejection> {
    let spec = pod.pod_spec()?;
    let node = env.cx.api.store().get(&kinds::NODE, "", &env.node.name)?;
    let allocatable = env.node.allocatable(node.node_status()?);
    let mut used = ResourceList::new();
    for (_, requests) in others {
        add_resource_list(&mut used, requests);
    }
    let out_of = |resource: &str, requested: i64, used: i64, capacity: i64| Rejection {
        reason: format!("OutOf{resource}"),
        message: format!(
            "Node didn't have enough resource: {resource}, requested: {requested}, used: {used}, capacity: {capacity}"
        ),
    };
    let pods = allocatable.get("pods").map_or(110, podlab_api::Quantity::value);
    let count = i64::try_from(others.len()).unwrap_or(i64::MAX);
    if count + 1 > pods {
        return Some(out_of("pods", 1, count, pods));
    }
    let names = ["cpu", "memory", "ephemeral-storage"];
    let extended = wanted.keys().map(String::as_str).filter(|n| !names.contains(n));
    for name in names.into_iter().chain(extended) {
        let amount = |list: &ResourceList| {
            list.get(name).map_or(0, |q| if name == "cpu" { q.milli_value() } else { q.value() })
        };
        let (want, have, all) = (amount(wanted), amount(&used), amount(&allocatable));
        if want > 0 && want > all.saturating_sub(have) {
            return Some(out_of(name, want, have, all));
        }
    }
    let predicate = |name: &str, why: &str| Rejection {
        reason: name.to_owned(),
        message: format!("Predicate {name} failed: {why}"),
    };
    if !matches_node(spec, node) {
        return Some(predicate("NodeAffinity", "node(s) didn't match Pod's node affinity/selector"));
    }
    let mine = host_ports(spec);
    let clash = |a: &(String, String, i32), b: &(String, String, i32)| {
        a.0 == b.0 && a.2 == b.2 && (a.1 == b.1 || a.1 == "0.0.0.0" || b.1 == "0.0.0.0")
    };
    let taken = others.iter().filter_map(|(o, _)| o.pod_spec()).flat_map(|s| host_ports(s));
    if !mine.is_empty() && taken.into_iter().any(|t| mine.iter().any(|m| clash(m, &t))) {
        return Some(predicate("NodePorts", "node(s) didn't have free ports for the requested pod ports"));
    }
    None
}

/// Whether the node's labels satisfy the pod's selector and required affinity.
fn matches_node(spec: &PodSpec, node: &Object) -> bool {
    RequiredNodeAffinity::new(spec.node_selector.as_ref(), spec.affinity.as_ref())
        .matches(node, node.name())
        .unwrap_or(false)
}

/// Takes the pod, or rejects it for good; says whether it was taken.
pub(crate) fn admit(
    env: &mut Env<'_, '_>,
    pod: &Arc<Object>,
    wanted: &ResourceList,
    taken: &[Taken],
) -> bool {
    let others: Vec<&Taken> = taken.iter().filter(|(o, _)| o.uid() != pod.uid() && !is_ended(o)).collect();
    let low = pressure::refusal(env.node.pressure.conditions(), pod, false)
        .map(|message| Rejection { reason: super::eviction::REASON.to_owned(), message });
    let Some(rejection) = low.or_else(|| check(env, pod, wanted, &others)) else { return true };
    let about = InvolvedObject::of(pod);
    env.node.recorder.event(env.cx.api, &about, EventType::Warning, &rejection.reason, &rejection.message);
    let now = time(env.cx.now().as_secs());
    let generation = pod.metadata.generation;
    let _ = env.cx.api.modify_pod_status(pod.namespace(), pod.name(), |status| {
        status.phase = Some("Failed".to_owned());
        status.reason = Some(rejection.reason);
        status.message = Some(format!("Pod was rejected: {}", rejection.message));
        status.start_time = Some(now);
        status.observed_generation = generation;
        // The kubelet writes a status that has no conditions of its own.
        status.conditions.get_or_insert_default().retain(|c| !super::conditions::by_kubelet(&c.type_));
        if status.conditions.as_deref() == Some(&[]) {
            status.conditions = None;
        }
    });
    false
}
