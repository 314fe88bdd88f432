//! Each reason for which a filter may refuse a node says what would help.
//!
//! Not in the table, as no pod comes to it: the requested node name (pods that name their node pass the scheduler by),
//! affinity that cannot be read (validation refuses it) and claims that are bound to no volume where nodes are looked at (the
//! volume controller has said so before). Scheduling gates keep a pod from the scheduler altogether.

use podlab_api::door::PatchType;
use podlab_api::{Door, Object, Request, kinds};
use podlab_cluster::cluster::Act;
use podlab_cluster::scheduler::decision::{Decision, Outcome, Verdict};
use podlab_cluster::{Cluster, Profile, Settings};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

fn run(cluster: &mut Cluster, seconds: u64) {
    let until = cluster.sim_now() + Duration::from_secs(seconds);
    assert!(cluster.run_until(until, || true));
}

fn decisions(cluster: &Cluster, pod: &Object) -> Vec<Arc<Decision>> {
    cluster.world().scheduler.decisions(pod.uid()).cloned().collect()
}

/// A case in which nodes are ruled out.
#[derive(Default)]
struct Case {
    /// What is said, as far as it is always the same.
    reason: &'static str,
    /// Of the scheduler, where it is not the default.
    configuration: Option<Value>,
    /// Changes of both nodes.
    node: Option<Value>,
    /// What is there before.
    objects: Vec<Value>,
    /// Pods on each node.
    placed: Vec<Value>,
    /// The pod's spec, without containers.
    spec: Value,
    /// What the pod's container asks for.
    asks: Value,
}

fn claim(name: &str, spec: Value, annotations: Value) -> Value {
    let mut spec = spec;
    spec["resources"] = json!({"requests": {"storage": "1Gi"}});
    if spec["accessModes"].is_null() {
        spec["accessModes"] = json!(["ReadWriteOnce"]);
    }
    json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "namespace": "default", "annotations": annotations}, "spec": spec})
}

fn volume(name: &str, labels: Value, spec: Value) -> Value {
    let mut spec = spec;
    spec["capacity"] = json!({"storage": "1Gi"});
    spec["accessModes"] = json!(["ReadWriteOnce"]);
    spec["hostPath"] = json!({"path": "/data"});
    json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name, "labels": labels}, "spec": spec})
}

fn with_claim(name: &str) -> Value {
    json!({"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": name}}]})
}

fn cases() -> Vec<Case> {
    let web = json!({"matchLabels": {"app": "web"}});
    let term = |key: &str| json!([{"labelSelector": web, "topologyKey": key}]);
    let bound = json!({"pv.kubernetes.io/bind-completed": "yes"});
    let class = json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "waits"},
        "provisioner": "kubernetes.io/no-provisioner", "volumeBindingMode": "WaitForFirstConsumer"});
    let elsewhere = json!({"required": {"nodeSelectorTerms": [{"matchExpressions": [{"key": "disk", "operator": "In", "values": ["ssd"]}]}]}});
    let scheduler = |args: Value| {
        json!({"apiVersion": "kubescheduler.config.k8s.io/v1", "kind": "KubeSchedulerConfiguration",
            "profiles": [{"pluginConfig": [args]}]})
    };
    let spread = |key: &str| {
        json!({"topologySpreadConstraints": [{"maxSkew": 1, "minDomains": 3, "topologyKey": key,
            "whenUnsatisfiable": "DoNotSchedule", "labelSelector": web}]})
    };
    let disk = json!({"volumes": [{"name": "v", "gcePersistentDisk": {"pdName": "one"}}]});
    let case = Case::default;
    vec![
        Case { reason: "Insufficient cpu", asks: json!({"cpu": "1000"}), ..case() },
        Case { reason: "Insufficient memory", asks: json!({"memory": "1000Ti"}), ..case() },
        Case {
            reason: "Insufficient ephemeral-storage",
            asks: json!({"ephemeral-storage": "1000Ti"}),
            ..case()
        },
        Case { reason: "Insufficient example.com/gpu", asks: json!({"example.com/gpu": "2"}), ..case() },
        Case {
            reason: "Too many pods",
            node: Some(json!({"status": {"allocatable": {"pods": "1"}}})),
            placed: vec![json!({})],
            ..case()
        },
        Case {
            reason: "node(s) were unschedulable",
            node: Some(json!({"spec": {"unschedulable": true}})),
            ..case()
        },
        Case {
            reason: "node(s) had untolerated taint(s)",
            node: Some(json!({"spec": {"taints": [{"key": "a", "effect": "NoSchedule"}]}})),
            ..case()
        },
        Case {
            reason: "node(s) didn't match Pod's node affinity/selector",
            spec: json!({"nodeSelector": {"disk": "ssd"}}),
            ..case()
        },
        Case {
            reason: "node(s) didn't match scheduler-enforced node affinity",
            configuration: Some(scheduler(json!({"name": "NodeAffinity", "args": {"addedAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": elsewhere["required"]}}}))),
            ..case()
        },
        Case {
            reason: "pod affinity terms conflict",
            spec: json!({"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
                {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["a"]},
                    {"key": "metadata.name", "operator": "In", "values": ["b"]}]}]}}}}),
            ..case()
        },
        Case {
            reason: "node(s) didn't have free ports for the requested pod ports",
            placed: vec![json!({"port": 80})],
            spec: json!({"port": 80}),
            ..case()
        },
        Case { reason: "node(s) had no available disk", placed: vec![disk.clone()], spec: disk, ..case() },
        Case {
            reason: "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod",
            objects: vec![
                volume("pv", json!({}), json!({})),
                claim("one", json!({"accessModes": ["ReadWriteOncePod"], "volumeName": "pv"}), bound.clone()),
            ],
            placed: vec![with_claim("one")],
            spec: with_claim("one"),
            ..case()
        },
        Case { reason: "persistentvolumeclaim \"none\" not found", spec: with_claim("none"), ..case() },
        Case {
            reason: "waiting for ephemeral volume controller to create the persistentvolumeclaim \"p-v\"",
            spec: json!({"volumes": [{"name": "v", "ephemeral": {"volumeClaimTemplate": {"spec": {
                "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}}}]}),
            ..case()
        },
        Case {
            reason: "pod has unbound immediate PersistentVolumeClaims",
            objects: vec![claim("one", json!({"storageClassName": "none"}), json!({}))],
            spec: with_claim("one"),
            ..case()
        },
        Case {
            reason: "node(s) didn't find available persistent volumes to bind",
            objects: vec![class, claim("one", json!({"storageClassName": "waits"}), json!({}))],
            spec: with_claim("one"),
            ..case()
        },
        Case {
            reason: "node(s) didn't match PersistentVolume's node affinity",
            objects: vec![
                volume("pv", json!({}), json!({"nodeAffinity": elsewhere})),
                claim("one", json!({"volumeName": "pv"}), bound.clone()),
            ],
            spec: with_claim("one"),
            ..case()
        },
        Case {
            reason: "persistentvolume \"none\" not found",
            configuration: Some(
                json!({"apiVersion": "kubescheduler.config.k8s.io/v1", "kind": "KubeSchedulerConfiguration",
                "profiles": [{"plugins": {"multiPoint": {"disabled": [{"name": "VolumeBinding"}]}}}]}),
            ),
            objects: vec![claim("one", json!({"volumeName": "none"}), bound.clone())],
            spec: with_claim("one"),
            ..case()
        },
        Case {
            reason: "persistentvolumeclaim \"one\" bound to non-existent persistentvolume \"none\"",
            objects: vec![claim("one", json!({"volumeName": "none"}), bound.clone())],
            spec: with_claim("one"),
            ..case()
        },
        Case {
            reason: "node(s) had no available volume zone",
            node: Some(json!({"metadata": {"labels": {"topology.kubernetes.io/zone": "b"}}})),
            objects: vec![
                volume("pv", json!({"topology.kubernetes.io/zone": "a"}), json!({})),
                claim("one", json!({"volumeName": "pv"}), bound),
            ],
            spec: with_claim("one"),
            ..case()
        },
        Case {
            reason: "node(s) didn't match pod topology spread constraints",
            placed: vec![json!({})],
            spec: spread("kubernetes.io/hostname"),
            ..case()
        },
        Case {
            reason: "node(s) didn't match pod topology spread constraints (missing required label)",
            spec: spread("zone"),
            ..case()
        },
        Case {
            reason: "node(s) didn't match pod topology spread constraints",
            configuration: Some(scheduler(
                json!({"name": "PodTopologySpread", "args": {"defaultingType": "List",
                "defaultConstraints": [{"maxSkew": 1, "minDomains": 3, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "DoNotSchedule"}]}}),
            )),
            objects: vec![
                json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s", "namespace": "default"},
                "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}}),
            ],
            placed: vec![json!({})],
            ..case()
        },
        Case {
            reason: "node(s) didn't match pod affinity rules",
            spec: json!({"affinity": {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution":
                [{"labelSelector": {"matchLabels": {"app": "db"}}, "topologyKey": "kubernetes.io/hostname"}]}}}),
            ..case()
        },
        Case {
            reason: "node(s) didn't match pod anti-affinity rules",
            placed: vec![json!({})],
            spec: json!({"affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution":
                term("kubernetes.io/os")}}}),
            ..case()
        },
        Case {
            reason: "node(s) didn't satisfy existing pods anti-affinity rules",
            placed: vec![
                json!({"affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution":
                term("kubernetes.io/os")}}}),
            ],
            ..case()
        },
    ]
}

/// A pod of a case; `port` stands for a host port of its container.
fn pod_of(name: &str, spec: &Value, asks: &Value) -> Value {
    let mut spec = if spec.is_null() { json!({}) } else { spec.clone() };
    let port = spec.as_object_mut().unwrap().remove("port");
    let mut container = json!({"name": "c", "image": "nginx", "resources": {"requests": asks}});
    if let Some(gpu) = asks.get("example.com/gpu") {
        container["resources"]["limits"] = json!({"example.com/gpu": gpu});
    }
    if let Some(port) = port {
        container["ports"] = json!([{"containerPort": 80, "hostPort": port}]);
    }
    spec["containers"] = json!([container]);
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": "web"}}, "spec": spec})
}

/// Puts objects there as they are, without admission.
fn restore(cluster: &mut Cluster, objects: &[Value]) {
    let objects: Vec<Object> = objects.iter().map(|o| Object::from_value(o.clone()).unwrap()).collect();
    let now = cluster.sim_now();
    cluster.restore(objects, now);
}

#[test]
fn every_reason_of_every_filter_says_what_would_help() {
    let mut wanting = Vec::new();
    for case in cases() {
        let mut cluster = Cluster::new(Settings::workers(2, Profile::Scheduling));
        if let Some(configuration) = &case.configuration {
            cluster.act(Act::ConfigureScheduler(configuration.clone()));
        }
        restore(&mut cluster, &case.objects);
        for (index, spec) in case.placed.iter().enumerate() {
            // One on each node, so that none is left.
            for node in ["node-1", "node-2"] {
                let mut pod = pod_of(&format!("{node}-{index}"), spec, &json!({}));
                pod["spec"]["nodeName"] = json!(node);
                cluster.request(Request::create(&kinds::POD, "default", pod)).into_object().unwrap();
            }
        }
        if let Some(change) = &case.node {
            for node in ["node-1", "node-2"] {
                let mut request = Request::patch(&kinds::NODE, "", node, PatchType::Merge, change.clone());
                if change.get("status").is_some() {
                    request.subresource = Some("status".into());
                }
                cluster.request(request);
            }
        }
        run(&mut cluster, 1);
        let pod = pod_of("p", &case.spec, &case.asks);
        let pod = cluster.request(Request::create(&kinds::POD, "default", pod)).into_object().unwrap();
        run(&mut cluster, 1);
        let Some(decision) = decisions(&cluster, &pod).pop() else {
            panic!("{}: nothing decided", case.reason)
        };
        let Outcome::Unschedulable { fixes, .. } = &decision.outcome else {
            wanting.push(format!("{}: {:?}", case.reason, decision.outcome));
            continue;
        };
        let mut helped = usize::from(!fixes.is_empty() && decision.message.contains(case.reason));
        for node in &decision.nodes {
            let Verdict::RuledOut { reasons, fixes, .. } = &node.verdict else { continue };
            if reasons.iter().any(|reason| &**reason == case.reason) {
                assert!(!fixes.is_empty(), "{} on {}: {decision:#?}", case.reason, node.node);
                helped += 1;
            }
        }
        if helped == 0 {
            wanting.push(format!("{}: {}", case.reason, decision.message));
        }
    }
    assert!(wanting.is_empty(), "{wanting:#?}");
}
