//! What a kubelet checks before it takes a pod: the scheduler may have been wrong, or not asked.
//!
//! Source: pkg/kubelet/lifecycle/predicate.go, pkg/scheduler/framework/plugins/helper (v1.37).

use super::pod_worker::Env;
use super::pressure;
use crate::recorder::{EventType, InvolvedObject};
use crate::scheduler::framework::pod_info::host_ports;
use crate::scheduler::plugins::{node_ports, taint_toleration};
use k8s_openapi::api::core::v1::PodSpec;
use podlab_api::resources::{PodResourcesOptions, ResourceList, add_resource_list, pod_requests};
use podlab_api::selector::node::RequiredNodeAffinity;
use podlab_api::time::time;
use podlab_api::{Object, kinds, validation};
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
    if let Some((reason, message)) = other_system(pod, spec) {
        return Some(Rejection { reason: reason.to_owned(), message: message.to_owned() });
    }
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
    // An extended resource that the node knows nothing of is the whole cluster's.
    let is_cluster_level = |name: &str| validation::is_extended(name) && !allocatable.contains_key(name);
    let extended = wanted.keys().map(String::as_str).filter(|n| !names.contains(n) && !is_cluster_level(n));
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
    let mut taken = others.iter().filter_map(|(o, _)| o.pod_spec()).flat_map(|s| host_ports(s));
    if !mine.is_empty() && taken.any(|taken| mine.iter().any(|port| port.conflicts(&taken))) {
        return Some(predicate("NodePorts", node_ports::ERR_REASON));
    }
    let is_static = pod.annotation("kubernetes.io/config.source").is_some_and(|source| source != "api");
    let taints = node.node_spec().and_then(|spec| spec.taints.as_deref()).unwrap_or(&[]);
    let tolerations = spec.tolerations.as_deref().unwrap_or(&[]);
    let mut drives_out = taints.iter().filter(|taint| taint.effect == "NoExecute");
    if !is_static && drives_out.any(|taint| !taint_toleration::tolerates(tolerations, taint)) {
        return Some(predicate("TaintToleration", "node(s) had taints that the pod didn't tolerate"));
    }
    None
}

/// Why a pod is not for Linux: reason and message.
///
/// Source: pkg/kubelet/lifecycle/predicate.go `rejectPodAdmissionBasedOnOSSelector`, `rejectPodAdmissionBasedOnOSField`
/// (v1.37).
fn other_system(pod: &Object, spec: &PodSpec) -> Option<(&'static str, &'static str)> {
    if pod.label("kubernetes.io/os").is_some_and(|label| label != "linux") {
        let message = "Failed to admit pod as the `kubernetes.io/os` label doesn't match node label";
        return Some(("PodOSSelectorNodeLabelDoesNotMatch", message));
    }
    if spec.os.as_ref().is_some_and(|os| os.name != "linux") {
        return Some(("PodOSNotSupported", "Failed to admit pod as the OS field doesn't match node OS"));
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
