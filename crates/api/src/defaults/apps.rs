//! Defaults of the other groups.
//!
//! Source: pkg/apis/{apps,batch,autoscaling,networking,discovery,rbac,scheduling,storage}/v*/defaults.go (v1.37).

use crate::schema::tree::{child, flag, has, list, list_mut, map, set, set_empty, set_nil, text};
use serde_json::{Value, json};

pub(super) fn set_defaults(name: (&str, &str), value: &mut Value) {
    match name {
        ("apps/v1", "Deployment") => deployment(child(value, "spec")),
        ("apps/v1", "DaemonSet") => daemon_set(child(value, "spec")),
        ("apps/v1", "StatefulSet") => stateful_set(child(value, "spec")),
        ("apps/v1", "ReplicaSet") => set_nil(child(value, "spec"), "replicas", 1),
        ("batch/v1", "Job") => job(value),
        ("batch/v1", "CronJob") => cron_job(child(value, "spec")),
        ("batch/v1", "PodFailurePolicyOnPodConditionsPattern") => set_empty(value, "status", "True"),
        ("autoscaling/v1", "HorizontalPodAutoscaler") => set_nil(child(value, "spec"), "minReplicas", 1),
        ("autoscaling/v2", "HorizontalPodAutoscaler") => horizontal_pod_autoscaler(child(value, "spec")),
        ("networking/v1", "NetworkPolicyPort") => set_nil(value, "protocol", "TCP"),
        ("networking/v1", "NetworkPolicy") => network_policy(child(value, "spec")),
        ("networking/v1", "IngressClass") => {
            if let Some(parameters) = value.pointer_mut("/spec/parameters").filter(|v| v.is_object()) {
                set_nil(parameters, "scope", "Cluster");
            }
        }
        ("discovery/v1", "EndpointPort") => {
            set_nil(value, "name", "");
            set_nil(value, "protocol", "TCP");
        }
        ("rbac/v1", "RoleBinding" | "ClusterRoleBinding") => {
            set_empty(child(value, "roleRef"), "apiGroup", "rbac.authorization.k8s.io");
        }
        ("rbac/v1", "Subject") => {
            if matches!(text(value, "kind"), "User" | "Group") {
                set_empty(value, "apiGroup", "rbac.authorization.k8s.io");
            }
        }
        ("scheduling/v1", "PriorityClass") => set_nil(value, "preemptionPolicy", "PreemptLowerPriority"),
        ("storage/v1", "StorageClass") => {
            set_nil(value, "reclaimPolicy", "Delete");
            set_nil(value, "volumeBindingMode", "Immediate");
        }
        ("storage/v1", "CSIDriver") => csi_driver(child(value, "spec")),
        ("apiextensions/v1", "CustomResourceDefinition") => custom_resource_definition(value),
        _ => {}
    }
}

fn deployment(spec: &mut Value) {
    set_nil(spec, "replicas", 1);
    let strategy = child(spec, "strategy");
    set_empty(strategy, "type", "RollingUpdate");
    if text(strategy, "type") == "RollingUpdate" {
        let rolling = child(strategy, "rollingUpdate");
        set_nil(rolling, "maxUnavailable", "25%");
        set_nil(rolling, "maxSurge", "25%");
    }
    set_nil(spec, "revisionHistoryLimit", 10);
    set_nil(spec, "progressDeadlineSeconds", 600);
}

fn daemon_set(spec: &mut Value) {
    let strategy = child(spec, "updateStrategy");
    set_empty(strategy, "type", "RollingUpdate");
    if text(strategy, "type") == "RollingUpdate" {
        let rolling = child(strategy, "rollingUpdate");
        set_nil(rolling, "maxUnavailable", 1);
        set_nil(rolling, "maxSurge", 0);
    }
    set_nil(spec, "revisionHistoryLimit", 10);
}

fn stateful_set(spec: &mut Value) {
    set_empty(spec, "podManagementPolicy", "OrderedReady");
    let strategy = child(spec, "updateStrategy");
    if text(strategy, "type").is_empty() {
        set(strategy, "type", "RollingUpdate");
        child(strategy, "rollingUpdate");
    }
    if text(strategy, "type") == "RollingUpdate" && has(strategy, "rollingUpdate") {
        let rolling = child(strategy, "rollingUpdate");
        set_nil(rolling, "partition", 0);
        set_nil(rolling, "maxUnavailable", 1);
    }
    let retention = child(spec, "persistentVolumeClaimRetentionPolicy");
    set_empty(retention, "whenDeleted", "Retain");
    set_empty(retention, "whenScaled", "Retain");
    set_nil(spec, "replicas", 1);
    set_nil(spec, "revisionHistoryLimit", 10);
    // Source: pkg/apis/apps/v1/conversion.go, which fills in what templates may leave out.
    for template in list_mut(spec, "volumeClaimTemplates") {
        set(template, "apiVersion", "v1");
        set(template, "kind", "PersistentVolumeClaim");
    }
}

fn job(value: &mut Value) {
    let labels = map(value, "spec.template.metadata.labels").clone();
    if !labels.is_empty() && map(value, "metadata.labels").is_empty() {
        set(child(value, "metadata"), "labels", labels);
    }
    let spec = child(value, "spec");
    if !has(spec, "completions") && !has(spec, "parallelism") {
        set(spec, "completions", 1);
    }
    set_nil(spec, "parallelism", 1);
    let limit = if has(spec, "backoffLimitPerIndex") { i32::MAX } else { 6 };
    set_nil(spec, "backoffLimit", limit);
    set_nil(spec, "completionMode", "NonIndexed");
    set_nil(spec, "suspend", false);
    let policy = if has(spec, "podFailurePolicy") { "Failed" } else { "TerminatingOrFailed" };
    set_nil(spec, "podReplacementPolicy", policy);
    set_nil(spec, "manualSelector", false);
}

fn cron_job(spec: &mut Value) {
    set_empty(spec, "concurrencyPolicy", "Allow");
    set_nil(spec, "suspend", false);
    set_nil(spec, "successfulJobsHistoryLimit", 3);
    set_nil(spec, "failedJobsHistoryLimit", 1);
}

fn horizontal_pod_autoscaler(spec: &mut Value) {
    set_nil(spec, "minReplicas", 1);
    if list(spec, "metrics").is_empty() {
        let target = json!({"type": "Utilization", "averageUtilization": 80});
        set(spec, "metrics", json!([{"type": "Resource", "resource": {"name": "cpu", "target": target}}]));
    }
    if has(spec, "behavior") {
        let behavior = child(spec, "behavior");
        let percent = json!({"type": "Percent", "value": 100, "periodSeconds": 15});
        let pods = json!({"type": "Pods", "value": 4, "periodSeconds": 15});
        let up = child(behavior, "scaleUp");
        set_nil(up, "stabilizationWindowSeconds", 0);
        set_nil(up, "selectPolicy", "Max");
        set_nil(up, "policies", json!([pods, percent]));
        let down = child(behavior, "scaleDown");
        set_nil(down, "selectPolicy", "Max");
        set_nil(down, "policies", json!([percent]));
    }
}

fn network_policy(spec: &mut Value) {
    if list(spec, "policyTypes").is_empty() {
        let egress = !list(spec, "egress").is_empty();
        set(spec, "policyTypes", if egress { json!(["Ingress", "Egress"]) } else { json!(["Ingress"]) });
    }
}

fn csi_driver(spec: &mut Value) {
    set_nil(spec, "attachRequired", true);
    set_nil(spec, "podInfoOnMount", false);
    set_nil(spec, "storageCapacity", false);
    set_nil(spec, "fsGroupPolicy", "ReadWriteOnceWithFSType");
    if list(spec, "volumeLifecycleModes").is_empty() {
        set(spec, "volumeLifecycleModes", json!(["Persistent"]));
    }
    for field in ["requiresRepublish", "seLinuxMount", "preventPodSchedulingIfMissing"] {
        set_nil(spec, field, false);
    }
}

/// Source: k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1/defaults.go (v1.37).
fn custom_resource_definition(value: &mut Value) {
    let stored = list(value, "spec.versions").iter().find(|v| flag(v, "storage")).cloned();
    if let Some(version) = stored.filter(|_| list(value, "status.storedVersions").is_empty()) {
        set(child(value, "status"), "storedVersions", json!([text(&version, "name")]));
    }
    let spec = child(value, "spec");
    let names = child(spec, "names");
    let kind = text(names, "kind").to_owned();
    if !kind.is_empty() {
        set_empty(names, "singular", &kind.to_lowercase());
        set_empty(names, "listKind", &format!("{kind}List"));
    }
    set_nil(spec, "conversion", json!({"strategy": "None"}));
}
