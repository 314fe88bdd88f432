//! What a pod counts for.
//!
//! Source: pkg/quota/v1/evaluator/core/pods.go (v1.37).

use super::count;
use k8s_openapi::api::core::v1::{Container, PodAffinityTerm, PodSpec, ScopedResourceSelectorRequirement};
use podlab_api::resources::{
    self, PodResourcesOptions, QosClass, ResourceList, add_resource_list, resource_list,
};
use podlab_api::{Object, validation};
use podlab_sim::{SimDuration, SimTime};
use std::collections::{BTreeMap, BTreeSet};

const COUNT: &str = "count/pods";

const RESOURCES: [&str; 11] = [
    COUNT,
    "cpu",
    "memory",
    "ephemeral-storage",
    "requests.cpu",
    "requests.memory",
    "requests.ephemeral-storage",
    "limits.cpu",
    "limits.memory",
    "limits.ephemeral-storage",
    "pods",
];

/// Where a quota limits one of these, every container has to say how much of it it wants.
const REQUIRED: [&str; 6] =
    ["cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"];

const DEVICE_CLASS: &str = "requests.deviceclass.resource.kubernetes.io/";

pub(super) fn counts(name: &str) -> bool {
    RESOURCES.contains(&name)
        || name.starts_with("hugepages-")
        || name.starts_with("requests.hugepages-")
        || (name.starts_with("requests.") && (!validation::is_native(name) || name.starts_with(DEVICE_CLASS)))
}

/// What a pod's containers leave unsaid of what a quota limits; the reason to refuse it.
pub(crate) fn constraints<'a>(hard: impl Iterator<Item = &'a String>, spec: &PodSpec) -> Option<String> {
    if resources::is_pod_level_resources_set(spec) {
        return None;
    }
    let required: Vec<&str> =
        hard.map(String::as_str).filter(|name| REQUIRED.contains(name) && counts(name)).collect();
    let mut missing: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for container in spec.containers.iter().chain(spec.init_containers.iter().flatten()) {
        let said = of_container(container);
        for name in required.iter().filter(|name| !said.contains_key(**name)) {
            missing.entry(name).or_default().insert(&container.name);
        }
    }
    if missing.is_empty() {
        return None;
    }
    let names = |set: BTreeSet<&str>| set.into_iter().collect::<Vec<_>>().join(",");
    let said: Vec<String> =
        missing.into_iter().map(|(name, containers)| format!("{name} for: {}", names(containers))).collect();
    Some(format!("must specify {}", said.join("; ")))
}

fn of_container(container: &Container) -> ResourceList {
    let resources = container.resources.as_ref();
    compute(
        &resource_list(resources.and_then(|r| r.requests.as_ref())),
        &resource_list(resources.and_then(|r| r.limits.as_ref())),
    )
}

/// Source: `podComputeUsageHelper`.
fn compute(requests: &ResourceList, limits: &ResourceList) -> ResourceList {
    let mut result = ResourceList::from([("pods".to_owned(), count(1))]);
    for name in ["cpu", "memory", "ephemeral-storage"] {
        if let Some(request) = requests.get(name) {
            result.insert(name.to_owned(), request.clone());
            result.insert(format!("requests.{name}"), request.clone());
        }
        if let Some(limit) = limits.get(name) {
            result.insert(format!("limits.{name}"), limit.clone());
        }
    }
    for (name, request) in requests {
        if name.starts_with("hugepages-") {
            result.insert(name.clone(), request.clone());
            result.insert(format!("requests.{name}"), request.clone());
        }
        if validation::is_extended(name) || name.starts_with("deviceclass.resource.kubernetes.io/") {
            result.insert(format!("requests.{name}"), request.clone());
        }
    }
    result
}

pub(super) fn usage(pod: &Object, now: SimTime) -> ResourceList {
    // Every pod that is stored is counted, whatever has become of it.
    let mut result = ResourceList::from([(COUNT.to_owned(), count(1))]);
    let Some(spec) = pod.pod_spec().filter(|_| charges_pod(pod, now)) else { return result };
    let options = PodResourcesOptions { use_status_resources: true, ..Default::default() };
    let status = pod.pod_status().map(|status| &**status);
    let requests = resources::pod_requests(spec, status, &options);
    let limits = resources::pod_limits(spec, status, &options);
    add_resource_list(&mut result, &compute(&requests, &limits));
    result
}

/// Whether a pod's resources count: not when it has ended, nor when it should have been gone by now.
///
/// Source: `QuotaV1Pod`.
pub(crate) fn charges_pod(pod: &Object, now: SimTime) -> bool {
    let phase = pod.pod_status().and_then(|status| status.phase.as_deref());
    if matches!(phase, Some("Failed" | "Succeeded")) {
        return false;
    }
    let (Some(deletion), Some(grace)) =
        (&pod.metadata.deletion_timestamp, pod.metadata.deletion_grace_period_seconds)
    else {
        return true;
    };
    let grace = SimDuration::from_secs(u64::try_from(grace).unwrap_or(0));
    now <= SimTime::from_secs(podlab_api::time::unix_seconds(deletion)) + grace
}

/// Whether a pod ends by itself: it has a deadline.
pub(crate) fn is_terminating(pod: &Object) -> bool {
    pod.pod_spec().and_then(|spec| spec.active_deadline_seconds).is_some_and(|seconds| seconds >= 0)
}

pub(super) fn in_scope(scope: &ScopedResourceSelectorRequirement, pod: &Object) -> bool {
    let Some(spec) = pod.pod_spec() else { return false };
    let best_effort = || resources::compute_pod_qos(spec) == QosClass::BestEffort;
    match scope.scope_name.as_str() {
        "Terminating" => is_terminating(pod),
        "NotTerminating" => !is_terminating(pod),
        "BestEffort" => best_effort(),
        "NotBestEffort" => !best_effort(),
        "PriorityClass" => {
            selects(scope, spec.priority_class_name.as_deref().filter(|name| !name.is_empty()))
        }
        "CrossNamespacePodAffinity" => uses_cross_namespace_pod_affinity(spec),
        _ => false,
    }
}

/// Whether a requirement of a scope selector holds for the one value that there is, if any.
pub(super) fn selects(scope: &ScopedResourceSelectorRequirement, value: Option<&str>) -> bool {
    let listed = value.is_some_and(|value| scope.values.iter().flatten().any(|v| v == value));
    match scope.operator.as_str() {
        "Exists" => value.is_some(),
        "DoesNotExist" => value.is_none(),
        "In" => listed,
        "NotIn" => !listed,
        _ => false,
    }
}

fn uses_cross_namespace_pod_affinity(spec: &PodSpec) -> bool {
    let Some(affinity) = &spec.affinity else { return false };
    let crosses = |term: &PodAffinityTerm| {
        term.namespaces.iter().flatten().count() > 0 || term.namespace_selector.is_some()
    };
    let (near, far) = (affinity.pod_affinity.as_ref(), affinity.pod_anti_affinity.as_ref());
    let required = [
        near.and_then(|a| a.required_during_scheduling_ignored_during_execution.as_ref()),
        far.and_then(|a| a.required_during_scheduling_ignored_during_execution.as_ref()),
    ];
    let preferred = [
        near.and_then(|a| a.preferred_during_scheduling_ignored_during_execution.as_ref()),
        far.and_then(|a| a.preferred_during_scheduling_ignored_during_execution.as_ref()),
    ];
    required.into_iter().flatten().flatten().any(crosses)
        || preferred.into_iter().flatten().flatten().any(|term| crosses(&term.pod_affinity_term))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_a_quota_limits_every_container_says() {
        let spec: PodSpec = serde_json::from_value(json!({"containers": [
            {"name": "a", "resources": {"requests": {"cpu": "1"}}}, {"name": "b"}],
            "initContainers": [{"name": "i"}]}))
        .unwrap();
        let hard = ["pods", "requests.cpu", "requests.memory"].map(str::to_owned);
        let why = constraints(hard.iter(), &spec).unwrap();
        assert_eq!(why, "must specify requests.cpu for: b,i; requests.memory for: a,b,i");
    }

    #[test]
    fn extended_resources_count_as_requests() {
        assert!(counts("requests.nvidia.com/gpu"));
        assert!(!counts("limits.nvidia.com/gpu"));
        assert!(!counts("services"));
    }
}
