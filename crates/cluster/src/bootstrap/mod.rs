//! What a cluster holds before anybody has asked for anything.
//!
//! Source: pkg/controlplane (v1.37) for namespaces and the `kubernetes` Service, kubeadm's phases for
//! kube-system.

mod policy;
mod system;

pub(crate) use policy::put as put_policy;
pub(crate) use system::static_pods;

use crate::apiserver::ApiServer;
use crate::apiserver::allocators::CLUSTER_IPS;
use crate::controllers::Standing;
use crate::kubelet::node_status::HEALTHY;
use crate::settings::{NodeSettings, Settings};
use podlab_api::time::time;
use podlab_api::{Object, kinds};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::Arc;

/// A piece of what an empty store is filled with.
#[derive(Clone, Debug)]
pub(crate) enum Piece {
    /// An object.
    Object(Value),
    /// The node at this index of the settings.
    Node(usize),
    /// A workload.
    Workload(Value),
    /// A pod of the workload before it, on the node at this index of the settings.
    Pod(usize),
}

impl Piece {
    /// Puts it into the store. `workload` is the latest one, which pods are made of.
    pub(crate) fn put(self, api: &mut ApiServer, settings: &Settings, workload: &mut Option<Standing>) {
        match self {
            Piece::Object(object) => {
                let range = create(api, object).filter(|object| *object.kind == kinds::SERVICE_CIDR);
                if let Some(range) = range {
                    service_cidr_is_ready(api, range.name());
                }
            }
            Piece::Node(index) => {
                if let Some(node) = settings.nodes.get(index) {
                    create_node(api, node, index, settings);
                }
            }
            Piece::Workload(object) => *workload = create(api, object).and_then(Standing::of),
            Piece::Pod(index) => {
                if let (Some(workload), Some(node)) = (workload, settings.nodes.get(index)) {
                    // A name that is taken already is drawn anew.
                    let made = (0..8).any(|_| api.create(workload.pod(&node.name)).is_ok());
                    debug_assert!(made, "{}", node.name);
                }
            }
        }
    }
}

/// What an empty store is filled with, in order.
pub(crate) fn pieces(settings: &Settings) -> VecDeque<Piece> {
    let mut pieces = VecDeque::new();
    let mut object = |value: Value| pieces.push_back(Piece::Object(value));
    for name in ["default", "kube-system", "kube-public", "kube-node-lease"] {
        object(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}));
    }
    for name in ["default", "kube-system", "kube-public", "kube-node-lease"] {
        object(service_account(name));
        object(root_ca(name));
    }
    for (name, value, what) in [
        (
            "system-cluster-critical",
            2_000_000_000i64,
            "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
        ),
        (
            "system-node-critical",
            2_000_001_000,
            "Used for system critical pods that must not be moved from their current node.",
        ),
    ] {
        object(json!({"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass",
            "metadata": {"name": name}, "value": value, "description": what,
            "preemptionPolicy": "PreemptLowerPriority"}));
    }
    object(json!({"apiVersion": "v1", "kind": "Service",
        "metadata": {"name": "kubernetes", "namespace": "default",
            "labels": {"component": "apiserver", "provider": "kubernetes"}},
        "spec": {"clusterIP": "10.96.0.1", "type": "ClusterIP", "sessionAffinity": "None",
            "internalTrafficPolicy": "Cluster",
            "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": 6443}]}}));
    object(json!({"apiVersion": "networking.k8s.io/v1", "kind": "ServiceCIDR",
        "metadata": {"name": "kubernetes", "finalizers": ["networking.k8s.io/service-cidr-finalizer"]},
        "spec": {"cidrs": [format!("{CLUSTER_IPS}0.0/16")]}}));
    if settings.profile.has_kubelets() {
        kubernetes_endpoints(&mut object);
    }
    pieces.extend((0..settings.nodes.len()).map(Piece::Node));
    if settings.profile.has_system_pods() {
        system::pieces(settings, &mut pieces);
    }
    pieces
}

/// What the controller of service ranges says of one that can be used.
///
/// Source: pkg/controller/servicecidrs/servicecidrs_controller.go `sync` (v1.37).
fn service_cidr_is_ready(api: &mut ApiServer, name: &str) {
    let now = json!(time(api.now().as_secs()));
    let status = json!({"conditions": [{"type": "Ready", "status": "True", "reason": "",
        "message": "Kubernetes Service CIDR is ready", "lastTransitionTime": now}]});
    let stored = api.write_status(&kinds::SERVICE_CIDR, "", name, status);
    debug_assert!(stored.is_ok(), "{name}");
}

/// Where the API server itself is to be found, which it keeps in its own Service.
///
/// Source: pkg/controlplane/reconcilers/endpointsadapter.go and helpers.go (v1.37).
fn kubernetes_endpoints(object: &mut impl FnMut(Value)) {
    let ports = json!([{"name": "https", "port": 6443, "protocol": "TCP"}]);
    object(
        json!({"apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": "kubernetes", "namespace": "default",
            "labels": {"endpointslice.kubernetes.io/skip-mirror": "true"}},
            "subsets": [{"addresses": [{"ip": node_ip(0)}], "ports": ports}]}),
    );
    object(json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
            "metadata": {"name": "kubernetes", "namespace": "default",
                "labels": {"kubernetes.io/service-name": "kubernetes"}},
            "addressType": "IPv4", "ports": ports,
            "endpoints": [{"addresses": [node_ip(0)], "conditions": {"ready": true}}]}));
}

/// The `default` service account of a namespace.
pub fn service_account(namespace: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": namespace}})
}

/// The ConfigMap with which pods check the API server's certificate.
///
/// Source: pkg/controller/certificates/rootcacertpublisher/publisher.go (v1.37).
pub fn root_ca(namespace: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "kube-root-ca.crt", "namespace": namespace, "annotations":
            {"kubernetes.io/description": "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters."}},
        "data": {"ca.crt": "-----BEGIN CERTIFICATE-----\npodlab simulates no certificates\n-----END CERTIFICATE-----\n"}})
}

/// The object of a node as its kubelet would register it, Ready at once.
pub fn node_object(node: &NodeSettings, index: usize, settings: &Settings) -> Value {
    let mut labels = json!({"beta.kubernetes.io/arch": "amd64", "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64", "kubernetes.io/hostname": node.name, "kubernetes.io/os": "linux"});
    if let Some(map) = labels.as_object_mut() {
        map.extend(node.labels.iter().map(|(k, v)| (k.clone(), v.as_str().into())));
        if node.control_plane {
            map.insert("node-role.kubernetes.io/control-plane".to_owned(), "".into());
            map.insert("node.kubernetes.io/exclude-from-external-load-balancers".to_owned(), "".into());
        }
    }
    let taints = if node.control_plane {
        json!([{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}])
    } else {
        Value::Null
    };
    let sizes = json!({"cpu": node.cpu, "memory": node.memory, "pods": node.pods.to_string(),
        "ephemeral-storage": "100Gi", "hugepages-1Gi": "0", "hugepages-2Mi": "0"});
    let now = time(settings.start.as_secs());
    let condition = |kind: &str, status: &str, reason: &str, message: &str| {
        json!({"type": kind, "status": status, "reason": reason, "message": message,
            "lastHeartbeatTime": now, "lastTransitionTime": now})
    };
    let conditions: Vec<Value> = HEALTHY
        .into_iter()
        .map(|(kind, status, reason, message)| condition(kind, status, reason, message))
        .collect();
    json!({"apiVersion": "v1", "kind": "Node",
        "metadata": {"name": node.name, "labels": labels,
            "annotations": {"node.alpha.kubernetes.io/ttl": "0", "volumes.kubernetes.io/controller-managed-attach-detach": "true"}},
        "spec": {"podCIDR": pod_cidr(index), "podCIDRs": [pod_cidr(index)], "taints": taints},
        "status": {"capacity": sizes, "allocatable": sizes,
            "conditions": conditions,
            "addresses": [{"type": "InternalIP", "address": node_ip(index)}, {"type": "Hostname", "address": node.name}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
            "nodeInfo": {"machineID": format!("{:032x}", index + 1), "systemUUID": format!("00000000-0000-4000-8000-{:012x}", index + 1),
                "bootID": format!("00000000-0000-4000-9000-{:012x}", index + 1), "kernelVersion": "6.8.0-podlab",
                "osImage": "Ubuntu 24.04.2 LTS", "containerRuntimeVersion": "containerd://2.1.4",
                "kubeletVersion": "v1.37.1", "kubeProxyVersion": "", "operatingSystem": "linux", "architecture": "amd64"}}})
}

/// The address of the node at `index`.
pub fn node_ip(index: usize) -> String {
    let host = index + 2;
    format!("172.18.{}.{}", (host >> 8) & 0xff, host & 0xff)
}

/// The pods' network of the node at `index`: a /24 each, in `10.244.0.0/16` and what follows it.
pub fn pod_cidr(index: usize) -> String {
    format!("10.{}.{}.0/24", 244 + (index >> 8).min(11), index & 0xff)
}

/// Adds a node to a running or new cluster.
pub fn create_node(api: &mut ApiServer, node: &NodeSettings, index: usize, settings: &Settings) {
    create(api, node_object(node, index, settings));
    // A node that has just said that it is ready loses the taint it was admitted with.
    let _ = api.modify(&kinds::NODE, "", &node.name, None, |object| {
        if let podlab_api::Body::Node { spec, .. } = &mut object.body {
            let spec = std::sync::Arc::make_mut(spec);
            if let Some(taints) = &mut spec.taints {
                taints.retain(|t| t.key != "node.kubernetes.io/not-ready");
                if taints.is_empty() {
                    spec.taints = None;
                }
            }
        }
    });
    create(
        api,
        json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
        "metadata": {"name": node.name, "namespace": "kube-node-lease"},
        "spec": {"holderIdentity": node.name, "leaseDurationSeconds": 40}}),
    );
}

fn create(api: &mut ApiServer, mut value: Value) -> Option<Arc<Object>> {
    let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or("").to_owned();
    let (api_version, kind) = (text("apiVersion"), text("kind"));
    podlab_api::defaults::apply(&api_version, &kind, &mut value);
    let object = Object::from_value(value);
    debug_assert!(object.is_ok(), "{object:?}");
    let stored = api.create(object.ok()?);
    debug_assert!(stored.is_ok(), "{stored:?}");
    stored.ok()
}
