//! Fields of features that are off are dropped before anything looks at them, as the gates of 1.37 are by default.
//!
//! None of them is ever stored, so that what an object had before need not be asked.
//!
//! Source: pkg/api/pod/util.go `dropDisabledFields`, pkg/api/job/util.go `DropDisabledFields` and the strategies of
//! pkg/registry (v1.37); the gates' defaults: pkg/features/kube_features.go.

use podlab_api::Kind;
use serde_json::{Map, Value};

/// What is dropped, from an object downwards.
enum Rule {
    /// The field goes.
    Drop(&'static str),
    /// Rules for what is in the field.
    In(&'static str, &'static [Rule]),
    /// Rules for each item of the list.
    Each(&'static str, &'static [Rule]),
    /// Rules for what is in the field, which goes when they leave nothing of it.
    InOrEmpty(&'static str, &'static [Rule]),
}

use Rule::{Drop, Each, In, InOrEmpty};

// GRPCContainerProbeTLS and H2CContainerProbe.
const PROBE: &[Rule] = &[In("grpc", &[Drop("mode")]), In("httpGet", &[Drop("protocol")])];
const HANDLER: &[Rule] = &[In("httpGet", &[Drop("protocol")])];
const CONTAINER: &[Rule] = &[
    // ContainerStopSignals
    InOrEmpty("lifecycle", &[Drop("stopSignal"), In("postStart", HANDLER), In("preStop", HANDLER)]),
    In("livenessProbe", PROBE),
    In("readinessProbe", PROBE),
    In("startupProbe", PROBE),
    // VolumeBindMountOptions
    Each("volumeMounts", &[Drop("bindMountOptions")]),
];
// AtomicWriteVolumeUserFields
const ITEMS: &[Rule] = &[Each("items", &[Drop("user")])];
const FILES: &[Rule] = &[Drop("defaultUser"), Each("items", &[Drop("user")])];
const SOURCE: &[Rule] = &[
    In("secret", ITEMS),
    In("downwardAPI", ITEMS),
    In("configMap", ITEMS),
    In("serviceAccountToken", &[Drop("user")]),
    In("clusterTrustBundle", &[Drop("user")]),
    In("podCertificate", &[Drop("user")]),
];
const VOLUME: &[Rule] = &[
    // EmptyDirVolumeMode
    In("emptyDir", &[Drop("mode")]),
    In("secret", FILES),
    In("configMap", FILES),
    In("downwardAPI", FILES),
    In("projected", &[Drop("defaultUser"), Each("sources", SOURCE)]),
];
const POD_SPEC: &[Rule] = &[
    // EvictionRequestAPI
    Drop("evictionResponders"),
    // GenericWorkload
    Drop("schedulingGroup"),
    Each("containers", CONTAINER),
    Each("initContainers", CONTAINER),
    Each("ephemeralContainers", CONTAINER),
    Each("volumes", VOLUME),
];
/// Init containers were annotations once, which no release reads any more.
const ANNOTATIONS: &[Rule] = &[
    Drop("pod.beta.kubernetes.io/init-containers"),
    Drop("pod.alpha.kubernetes.io/init-containers"),
    Drop("pod.beta.kubernetes.io/init-container-statuses"),
    Drop("pod.alpha.kubernetes.io/init-container-statuses"),
];
const POD: &[Rule] = &[In("metadata", &[InOrEmpty("annotations", ANNOTATIONS)]), In("spec", POD_SPEC)];
const WORKLOAD: &[Rule] = &[In("spec", &[In("template", POD)])];
// WorkloadWithJob
const JOB: &[Rule] = &[In("spec", &[Drop("scheduling"), In("template", POD)])];

fn rules(kind: &Kind) -> &'static [Rule] {
    match (kind.group, kind.kind) {
        ("", "Pod") => POD,
        ("", "PodTemplate") => &[In("template", POD)],
        ("", "ReplicationController")
        | ("apps", "ReplicaSet" | "Deployment" | "DaemonSet" | "StatefulSet") => WORKLOAD,
        ("batch", "Job") => JOB,
        ("batch", "CronJob") => &[In("spec", &[In("jobTemplate", JOB)])],
        // Dynamic kubelet configuration is gone; the other is InPlacePodVerticalScalingSchedulerPreemption.
        ("", "Node") => &[In("spec", &[Drop("configSource"), Drop("podPreemptionPolicy")])],
        // What an older version of the kind said of endpoints may not be written any more
        // (pkg/registry/discovery/endpointslice/strategy.go `dropTopologyOnV1`).
        ("discovery.k8s.io", "EndpointSlice") => &[Each("endpoints", &[Drop("deprecatedTopology")])],
        ("coordination.k8s.io", "Lease") => &[In("spec", &[Drop("strategy"), Drop("preferredHolder")])],
        _ => &[],
    }
}

/// Drops what is off from an object that was decoded. Given back is the object as it was, where that is another one: who
/// sends such a field comes to own it all the same.
pub(super) fn drop_disabled_fields(kind: &Kind, object: &mut Value) -> Option<Value> {
    let Value::Object(fields) = object else { return None };
    let rules = rules(kind);
    let before = concern(rules, fields).then(|| Value::Object(fields.clone()));
    if before.is_some() {
        follow(rules, fields);
    }
    before
}

/// Whether there is something to drop.
fn concern(rules: &[Rule], fields: &Map<String, Value>) -> bool {
    fields.iter().any(|(name, value)| match (rules.iter().find(|rule| rule.name() == name), value) {
        (Some(Drop(_)), _) => true,
        (Some(In(_, rules) | InOrEmpty(_, rules)), Value::Object(fields)) => concern(rules, fields),
        (Some(Each(_, rules)), Value::Array(items)) => {
            items.iter().filter_map(Value::as_object).any(|fields| concern(rules, fields))
        }
        _ => false,
    })
}

impl Rule {
    fn name(&self) -> &'static str {
        match self {
            Drop(name) | In(name, _) | Each(name, _) | InOrEmpty(name, _) => name,
        }
    }
}

fn follow(rules: &[Rule], fields: &mut Map<String, Value>) {
    let mut gone = Vec::new();
    for (name, value) in fields.iter_mut() {
        match (rules.iter().find(|rule| rule.name() == name), value) {
            (Some(Drop(name)), _) => gone.push(*name),
            (Some(In(_, rules)), Value::Object(fields)) => follow(rules, fields),
            (Some(Each(_, rules)), Value::Array(items)) => {
                items.iter_mut().filter_map(Value::as_object_mut).for_each(|fields| follow(rules, fields));
            }
            (Some(InOrEmpty(name, rules)), Value::Object(fields)) if !fields.is_empty() => {
                follow(rules, fields);
                if fields.is_empty() {
                    gone.push(*name);
                }
            }
            _ => {}
        }
    }
    for name in gone {
        fields.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::drop_disabled_fields;
    use podlab_api::kinds;
    use serde_json::json;

    #[test]
    fn a_pod_loses_what_is_off_and_nothing_else() {
        let mut pod = json!({
            "metadata": {"name": "a", "annotations": {"pod.beta.kubernetes.io/init-containers": "[]", "a": "b"}},
            "spec": {
                "evictionResponders": [{"name": "a.io/b"}],
                "schedulingGroup": {"podGroupName": "g"},
                "containers": [
                    {"name": "a", "lifecycle": {"stopSignal": "SIGUSR1"}},
                    {"name": "b", "lifecycle": {"stopSignal": "SIGUSR1", "preStop": {"sleep": {"seconds": 1}}},
                        "volumeMounts": [{"name": "v", "mountPath": "/v", "bindMountOptions": ["noexec"]}],
                        "livenessProbe": {"grpc": {"port": 1, "mode": "TLS"}},
                        "readinessProbe": {"httpGet": {"port": 1, "protocol": "HTTP2"}}},
                ],
                "volumes": [
                    {"name": "v", "emptyDir": {"mode": 493, "medium": "Memory"}},
                    {"name": "w", "projected": {"defaultUser": 1, "sources": [
                        {"configMap": {"name": "c", "items": [{"key": "k", "path": "p", "user": 3, "mode": 292}]}},
                    ]}},
                ],
            },
        });
        drop_disabled_fields(&kinds::POD, &mut pod);
        assert_eq!(
            pod,
            json!({
                "metadata": {"name": "a", "annotations": {"a": "b"}},
                "spec": {
                    "containers": [
                        {"name": "a"},
                        {"name": "b", "lifecycle": {"preStop": {"sleep": {"seconds": 1}}},
                            "volumeMounts": [{"name": "v", "mountPath": "/v"}],
                            "livenessProbe": {"grpc": {"port": 1}},
                            "readinessProbe": {"httpGet": {"port": 1}}},
                    ],
                    "volumes": [
                        {"name": "v", "emptyDir": {"medium": "Memory"}},
                        {"name": "w", "projected": {"sources": [
                            {"configMap": {"name": "c", "items": [{"key": "k", "path": "p", "mode": 292}]}},
                        ]}},
                    ],
                },
            })
        );
    }
}
