//! kube-system as kubeadm and kind leave it: the control plane's static pods, kube-proxy and kindnet on every node,
//! two coredns.
//!
//! Source: kubeadm's manifests (cmd/kubeadm/app/phases, v1.37) for names, labels, requests and priority classes.

use super::create;
use crate::apiserver::ApiServer;
use crate::settings::Settings;
use podlab_api::kinds;
use serde_json::{Value, json};

const NAMESPACE: &str = "kube-system";
const VERSION: &str = "v1.37.1";

/// Fills kube-system. The nodes must be there.
pub(super) fn populate(api: &mut ApiServer, settings: &Settings) {
    for account in ["coredns", "kube-proxy", "kindnet"] {
        create(
            api,
            json!({"apiVersion": "v1", "kind": "ServiceAccount",
                "metadata": {"name": account, "namespace": NAMESPACE}}),
        );
    }
    create(
        api,
        json!({"apiVersion": "v1", "kind": "Service",
            "metadata": {"name": "kube-dns", "namespace": NAMESPACE, "labels": {"k8s-app": "kube-dns",
                "kubernetes.io/cluster-service": "true", "kubernetes.io/name": "CoreDNS"}},
            "spec": {"clusterIP": "10.96.0.10", "selector": {"k8s-app": "kube-dns"}, "ports": [
                {"name": "dns", "port": 53, "protocol": "UDP", "targetPort": 53},
                {"name": "dns-tcp", "port": 53, "protocol": "TCP", "targetPort": 53},
                {"name": "metrics", "port": 9153, "protocol": "TCP", "targetPort": 9153}]}}),
    );
    let control_plane: Vec<&str> =
        settings.nodes.iter().filter(|n| n.control_plane).map(|n| n.name.as_str()).collect();
    for node in &control_plane {
        for (component, image, cpu, memory) in [
            ("etcd", "registry.k8s.io/etcd:3.6.5-0", "100m", Some("100Mi")),
            ("kube-apiserver", "registry.k8s.io/kube-apiserver:v1.37.1", "250m", None),
            ("kube-controller-manager", "registry.k8s.io/kube-controller-manager:v1.37.1", "200m", None),
            ("kube-scheduler", "registry.k8s.io/kube-scheduler:v1.37.1", "100m", None),
        ] {
            static_pod(api, node, component, image, cpu, memory);
        }
    }
    for node in &settings.nodes {
        for (name, image, label, requests) in [
            ("kube-proxy", format!("registry.k8s.io/kube-proxy:{VERSION}"), "k8s-app", json!({})),
            (
                "kindnet",
                "docker.io/kindest/kindnetd:v20250512".to_owned(),
                "app",
                json!({"cpu": "100m", "memory": "50Mi"}),
            ),
        ] {
            let suffix = api.suffix(name);
            create(
                api,
                json!({"apiVersion": "v1", "kind": "Pod",
                    "metadata": {"name": format!("{name}-{suffix}"), "namespace": NAMESPACE, "labels": {label: name}},
                    "spec": {"nodeName": node.name, "hostNetwork": true, "serviceAccountName": name,
                        "priorityClassName": if name == "kube-proxy" { Some("system-node-critical") } else { None },
                        "tolerations": [{"operator": "Exists"}],
                        "containers": [{"name": if name == "kindnet" { "kindnet-cni" } else { name },
                            "image": image, "resources": {"requests": requests}}]}}),
            );
        }
    }
    let home = control_plane.first().copied().or(settings.nodes.first().map(|n| n.name.as_str()));
    for _ in 0..2 {
        let suffix = api.suffix("coredns");
        create(
            api,
            json!({"apiVersion": "v1", "kind": "Pod",
                "metadata": {"name": format!("coredns-674b8bbfcf-{suffix}"), "namespace": NAMESPACE,
                    "labels": {"k8s-app": "kube-dns", "pod-template-hash": "674b8bbfcf"}},
                "spec": {"nodeName": home, "serviceAccountName": "coredns", "dnsPolicy": "Default",
                    "priorityClassName": "system-cluster-critical",
                    "tolerations": [{"key": "CriticalAddonsOnly", "operator": "Exists"},
                        {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}],
                    "containers": [{"name": "coredns", "image": "registry.k8s.io/coredns/coredns:v1.12.4",
                        "ports": [{"name": "dns", "containerPort": 53, "protocol": "UDP"},
                            {"name": "dns-tcp", "containerPort": 53}, {"name": "metrics", "containerPort": 9153}],
                        "resources": {"requests": {"cpu": "100m", "memory": "70Mi"}, "limits": {"memory": "170Mi"}}}]}}),
        );
    }
}

fn static_pod(
    api: &mut ApiServer,
    node: &str,
    component: &str,
    image: &str,
    cpu: &str,
    memory: Option<&str>,
) {
    let uid = api.store().get(&kinds::NODE, "", node).map(|n| n.uid().to_owned());
    let mut requests = json!({"cpu": cpu});
    if let (Some(memory), Some(map)) = (memory, requests.as_object_mut()) {
        map.insert("memory".to_owned(), memory.into());
    }
    let owner = json!([{"apiVersion": "v1", "kind": "Node", "name": node, "uid": uid, "controller": true}]);
    let hash = crate::runtime::images::digest(&format!("{component}/{node}"));
    let annotations: Value = json!({"kubernetes.io/config.hash": &hash[..32], "kubernetes.io/config.mirror": &hash[..32],
        "kubernetes.io/config.source": "file"});
    create(
        api,
        json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": format!("{component}-{node}"), "namespace": NAMESPACE, "annotations": annotations,
                "ownerReferences": owner, "labels": {"component": component, "tier": "control-plane"}},
            "spec": {"nodeName": node, "hostNetwork": true, "priorityClassName": "system-node-critical",
                "tolerations": [{"operator": "Exists", "effect": "NoExecute"}],
                "containers": [{"name": component, "image": image, "command": ["/system"],
                    "resources": {"requests": requests}}]}}),
    );
}
