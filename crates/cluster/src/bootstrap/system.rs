//! kube-system as kubeadm and kind leave it: the control plane's static pods, kube-proxy and kindnet on every node,
//! two coredns.
//!
//! Source: kubeadm's manifests (cmd/kubeadm/app/phases, v1.37) for names, labels, requests and priority classes.

use super::Piece;
use crate::cluster::Act;
use crate::controllers::LOCAL_PATH_PROVISIONER;
use crate::settings::{NodeSettings, Settings};
use serde_json::{Value, json};
use std::collections::VecDeque;

const NAMESPACE: &str = "kube-system";
const VERSION: &str = "v1.37.1";

/// What kube-system is filled with. The nodes must be there.
pub(super) fn pieces(settings: &Settings, pieces: &mut VecDeque<Piece>) {
    let mut object = |value: Value| pieces.push_back(Piece::Object(value));
    for account in ["coredns", "kube-proxy", "kindnet"] {
        object(json!({"apiVersion": "v1", "kind": "ServiceAccount",
                "metadata": {"name": account, "namespace": NAMESPACE}}));
    }
    object(json!({"apiVersion": "v1", "kind": "Service",
            "metadata": {"name": "kube-dns", "namespace": NAMESPACE, "labels": {"k8s-app": "kube-dns",
                "kubernetes.io/cluster-service": "true", "kubernetes.io/name": "CoreDNS"}},
            "spec": {"clusterIP": "10.96.0.10", "selector": {"k8s-app": "kube-dns"}, "ports": [
                {"name": "dns", "port": 53, "protocol": "UDP", "targetPort": 53},
                {"name": "dns-tcp", "port": 53, "protocol": "TCP", "targetPort": 53},
                {"name": "metrics", "port": 9153, "protocol": "TCP", "targetPort": 9153}]}}));
    object(json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass",
            "metadata": {"name": "standard", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
            "provisioner": LOCAL_PATH_PROVISIONER, "reclaimPolicy": "Delete",
            "volumeBindingMode": "WaitForFirstConsumer"}));
    let nodes = 0..settings.nodes.len();
    pieces.push_back(Piece::Workload(daemon_set(
        "kube-proxy",
        json!({"k8s-app": "kube-proxy"}),
        kube_proxy(),
    )));
    pieces.extend(nodes.clone().map(Piece::Pod));
    let labels = json!({"app": "kindnet", "k8s-app": "kindnet", "tier": "node"});
    pieces.push_back(Piece::Workload(daemon_set("kindnet", labels, kindnet())));
    pieces.extend(nodes.map(Piece::Pod));
    // The control plane's node was there first.
    if !settings.nodes.is_empty() {
        let home = settings.nodes.iter().position(|n| n.control_plane).unwrap_or(0);
        pieces.push_back(Piece::Workload(coredns()));
        pieces.extend([home, home].map(Piece::Pod));
    }
}

/// A DaemonSet; its pods are told by the first of their labels.
fn daemon_set(name: &str, labels: Value, spec: Value) -> Value {
    let selector: serde_json::Map<String, Value> =
        labels.as_object().into_iter().flatten().take(1).map(|(k, v)| (k.clone(), v.clone())).collect();
    json!({"apiVersion": "apps/v1", "kind": "DaemonSet",
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": labels},
        "spec": {"selector": {"matchLabels": selector}, "template": {"metadata": {"labels": labels}, "spec": spec}}})
}

fn kube_proxy() -> Value {
    json!({"hostNetwork": true, "serviceAccountName": "kube-proxy", "priorityClassName": "system-node-critical",
        "nodeSelector": {"kubernetes.io/os": "linux"}, "tolerations": [{"operator": "Exists"}],
        "containers": [{"name": "kube-proxy", "image": format!("registry.k8s.io/kube-proxy:{VERSION}")}]})
}

fn kindnet() -> Value {
    json!({"hostNetwork": true, "serviceAccountName": "kindnet", "tolerations": [{"operator": "Exists"}],
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "containers": [{"name": "kindnet-cni", "image": "docker.io/kindest/kindnetd:v20250512",
            "resources": {"requests": {"cpu": "100m", "memory": "50Mi"}, "limits": {"cpu": "100m", "memory": "50Mi"}}}]})
}

fn coredns() -> Value {
    let labels = json!({"k8s-app": "kube-dns"});
    json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "coredns", "namespace": NAMESPACE, "labels": labels},
        "spec": {"replicas": 2, "selector": {"matchLabels": labels},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1}},
            "template": {"metadata": {"labels": labels}, "spec": {
                "serviceAccountName": "coredns", "dnsPolicy": "Default", "priorityClassName": "system-cluster-critical",
                "nodeSelector": {"kubernetes.io/os": "linux"},
                "tolerations": [{"key": "CriticalAddonsOnly", "operator": "Exists"},
                    {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}],
                "containers": [{"name": "coredns", "image": "registry.k8s.io/coredns/coredns:v1.12.4",
                    "ports": [{"name": "dns", "containerPort": 53, "protocol": "UDP"},
                        {"name": "dns-tcp", "containerPort": 53, "protocol": "TCP"},
                        {"name": "metrics", "containerPort": 9153, "protocol": "TCP"}],
                    "resources": {"requests": {"cpu": "100m", "memory": "70Mi"}, "limits": {"memory": "170Mi"}}}]}}}})
}

/// What lies in `/etc/kubernetes/manifests` of each control plane node: its kubelet runs these pods by itself.
pub(crate) fn static_pods(settings: &Settings) -> Vec<Act> {
    let control_plane = settings.nodes.iter().filter(|node| node.control_plane);
    let of_node = |node: &NodeSettings| {
        CONTROL_PLANE.map(|(component, image, cpu, memory)| Act::StaticPod {
            node: node.name.clone(),
            file: format!("{component}.yaml"),
            manifest: Some(static_pod(component, image, cpu, memory)),
        })
    };
    control_plane.flat_map(of_node).collect()
}

/// The control plane: component, image, and what it asks for.
const CONTROL_PLANE: [(&str, &str, &str, Option<&str>); 4] = [
    ("etcd", "registry.k8s.io/etcd:3.6.5-0", "100m", Some("100Mi")),
    ("kube-apiserver", "registry.k8s.io/kube-apiserver:v1.37.1", "250m", None),
    ("kube-controller-manager", "registry.k8s.io/kube-controller-manager:v1.37.1", "200m", None),
    ("kube-scheduler", "registry.k8s.io/kube-scheduler:v1.37.1", "100m", None),
];

fn static_pod(component: &str, image: &str, cpu: &str, memory: Option<&str>) -> Value {
    let mut requests = json!({"cpu": cpu});
    if let (Some(memory), Some(map)) = (memory, requests.as_object_mut()) {
        map.insert("memory".to_owned(), memory.into());
    }
    json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": component, "namespace": NAMESPACE,
            "labels": {"component": component, "tier": "control-plane"}},
        "spec": {"hostNetwork": true, "priorityClassName": "system-node-critical",
            "containers": [{"name": component, "image": image, "command": ["/system"],
                "resources": {"requests": requests}}]}})
}
