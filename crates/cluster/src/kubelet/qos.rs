//! How soon a container's processes are killed when its node has no memory left.
//!
//! Source: pkg/kubelet/qos/policy.go (v1.37).

use super::restart_policy::is_restartable_init_container;
use k8s_openapi::api::core::v1::{Container, PodSpec};
use podlab_api::Quantity;
use podlab_api::resources::{
    PodResourcesOptions, QosClass, ResourceList, compute_pod_qos, container_request,
    is_pod_level_requests_set, pod_requests,
};

const GUARANTEED: i64 = -997;
const BEST_EFFORT: i64 = 1000;

fn memory_request(container: &Container) -> i64 {
    container_request(container, "memory").map_or(0, |request| request.value())
}

/// Each container's share of what the pod as a whole requests beyond its containers.
///
/// Source: `remainingPodMemReqPerContainer`.
fn remaining_request(spec: &PodSpec) -> i64 {
    let memory = |list: ResourceList| list.get("memory").map_or(0, Quantity::value);
    let of_containers =
        PodResourcesOptions { skip_pod_level_resources: true, ..PodResourcesOptions::default() };
    let rest = memory(pod_requests(spec, None, &PodResourcesOptions::default()))
        - memory(pod_requests(spec, None, &of_containers));
    if rest <= 0 {
        return 0;
    }
    let sidecars = spec.init_containers.iter().flatten().filter(|c| is_restartable_init_container(c));
    let count = spec.containers.len() + sidecars.count();
    rest / i64::try_from(count.max(1)).unwrap_or(1)
}

/// The adjustment of the score of a container's processes, from -997 to 1000; `critical`: whether the pod's loss would
/// harm the node itself, `capacity`: the node's memory in bytes.
///
/// Source: `GetContainerOOMScoreAdjust`.
pub(crate) fn oom_score_adjust(spec: &PodSpec, container: &Container, critical: bool, capacity: u64) -> i32 {
    if critical && spec.priority_class_name.as_deref() == Some("system-node-critical") {
        return GUARANTEED as i32;
    }
    match compute_pod_qos(spec) {
        QosClass::Guaranteed => return GUARANTEED as i32,
        QosClass::BestEffort => return BEST_EFFORT as i32,
        QosClass::Burstable => {}
    }
    let capacity = i64::try_from(capacity).unwrap_or(i64::MAX).max(1);
    let rest = if is_pod_level_requests_set(spec) { remaining_request(spec) } else { 0 };
    let adjust = |request: i64| {
        let share = i128::from(request.saturating_add(rest)) * 1000 / i128::from(capacity);
        1000 - i64::try_from(share).unwrap_or(i64::MAX)
    };
    let mut score = adjust(memory_request(container));
    let is_sidecar = is_restartable_init_container(container)
        && spec.init_containers.iter().flatten().any(|c| c.name == container.name);
    if is_sidecar {
        let least = spec.containers.iter().map(memory_request).min().unwrap_or(0);
        score = score.min(adjust(least));
    }
    // Above those that are guaranteed, below those that ask for nothing.
    score.clamp(1000 + GUARANTEED, BEST_EFFORT - 1) as i32
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const GIB: u64 = 1 << 30;

    fn adjust(spec: Value, critical: bool) -> i32 {
        let spec: PodSpec = serde_json::from_value(spec).unwrap();
        let container = spec.init_containers.iter().flatten().chain(&spec.containers).next().unwrap();
        oom_score_adjust(&spec, container, critical, 4 * GIB)
    }

    fn asks(memory: &str) -> Value {
        json!({"requests": {"memory": memory}})
    }

    #[test]
    fn who_asks_for_more_memory_is_killed_later() {
        let both = json!({"cpu": "1", "memory": "1Gi"});
        let main = json!([{"name": "c", "resources": asks("2Gi")}]);
        let sidecar = json!([{"name": "s", "restartPolicy": "Always", "resources": asks("1Gi")}]);
        for (spec, critical, expected) in [
            (json!({"containers": [{"name": "c"}]}), false, 1000),
            (json!({"containers": [{"name": "c"}]}), true, 1000),
            (json!({"priorityClassName": "system-node-critical", "containers": [{"name": "c"}]}), true, -997),
            (
                json!({"containers": [{"name": "c", "resources": {"requests": both, "limits": both}}]}),
                false,
                -997,
            ),
            (json!({"containers": [{"name": "c", "resources": asks("1Gi")}]}), false, 750),
            (json!({"containers": [{"name": "c", "resources": asks("1Mi")}]}), false, 999),
            (json!({"containers": [{"name": "c", "resources": asks("4Gi")}]}), false, 3),
            (
                json!({"containers": [{"name": "c", "resources": asks("1Gi")}], "resources": asks("3Gi")}),
                false,
                250,
            ),
            (json!({"initContainers": sidecar, "containers": main}), false, 500),
        ] {
            assert_eq!(adjust(spec.clone(), critical), expected, "{spec}");
        }
    }
}
