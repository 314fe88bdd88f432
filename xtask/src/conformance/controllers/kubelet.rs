//! The kubelets that the recorder pretended: pods run 0.2 s after they are bound, or as annotations say.

use podlab_api::{Door, Request, kinds};
use podlab_cluster::Cluster;
use podlab_sim::SimTime;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

use super::text;
use crate::conformance::lab;

/// From being bound to running, and from running to ready.
const START: Duration = Duration::from_millis(60);
const READY: Duration = Duration::from_millis(200);
/// From being told to end to the end.
const END: Duration = Duration::from_millis(300);
const HEARTBEAT: Duration = Duration::from_secs(5);
/// It wrote one status after the other.
const WRITE: Duration = Duration::from_millis(25);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Bound,
    Running,
    Ready,
    Done,
    Ending,
}

/// Nodes without machines.
#[derive(Clone)]
pub(in crate::conformance) struct PretendedKubelet {
    size: Value,
    /// Node → whether it still reports.
    nodes: BTreeMap<String, bool>,
    /// Uid → what was done last, and when.
    pods: BTreeMap<String, (Stage, SimTime)>,
    next: Option<SimTime>,
    heartbeat: SimTime,
    /// When the next status can be written.
    free: SimTime,
}

impl PretendedKubelet {
    /// Nodes of so many CPUs and so much memory.
    pub(in crate::conformance) fn new(nodes: &[&str], cpu: &str, memory: &str) -> Self {
        let nodes = nodes.iter().map(|node| ((*node).to_owned(), true)).collect();
        let size = json!({"cpu": cpu, "memory": memory, "pods": "110", "ephemeral-storage": "100Gi"});
        Self {
            size,
            nodes,
            pods: BTreeMap::new(),
            next: None,
            heartbeat: SimTime::START,
            free: SimTime::START,
        }
    }

    /// When something is to be done next.
    pub(in crate::conformance) fn next(&self) -> Option<SimTime> {
        self.next
    }

    pub(in crate::conformance) fn silence(&mut self, node: &str) {
        self.nodes.insert(node.to_owned(), false);
    }

    pub(in crate::conformance) fn forget(&mut self, node: &str) {
        self.nodes.remove(node);
    }

    /// Registers the nodes it began with.
    pub(in crate::conformance) fn register(&mut self, cluster: &mut Cluster) {
        for node in self.nodes.keys().cloned().collect::<Vec<_>>() {
            register(cluster, &node, &self.size);
            untaint(cluster, &node);
        }
        self.act(cluster);
    }

    pub(in crate::conformance) fn add(&mut self, cluster: &mut Cluster, node: &str) {
        self.nodes.insert(node.to_owned(), true);
        register(cluster, node, &self.size);
    }

    /// Reports a node as ready, not ready or unknown, and keeps to it.
    pub(in crate::conformance) fn set_ready(&mut self, cluster: &mut Cluster, node: &str, ready: &str) {
        self.nodes.insert(node.to_owned(), ready == "True");
        report(cluster, node, &self.size, ready);
    }

    /// Does what is due: heartbeats, and the next stage of every pod on its nodes.
    pub(in crate::conformance) fn act(&mut self, cluster: &mut Cluster) {
        let now = cluster.sim_now();
        if now >= self.heartbeat {
            self.heartbeat = now + HEARTBEAT;
            for node in self.nodes.iter().filter(|(_, reports)| **reports).map(|(node, _)| node) {
                heartbeat(cluster, node);
            }
        }
        let mut due: Vec<(SimTime, Value)> = lab::list(cluster, "v1", "Pod", "")
            .into_iter()
            .filter_map(|pod| Some((self.due(&pod, now)?, pod)))
            .collect();
        // Of what is due at one instant that comes first which was written first.
        let version = |pod: &Value| pod.pointer("/metadata/resourceVersion")?.as_str()?.parse::<u64>().ok();
        due.sort_by_key(|(at, pod)| (*at, version(pod)));
        let mut due = due.into_iter().peekable();
        if now >= self.free
            && let Some((_, pod)) = due.next_if(|(at, _)| *at <= now)
        {
            self.step(cluster, &pod, now);
            self.free = now + WRITE;
            // What it is to do next is worked out at the next look.
            self.next = Some(self.free.min(self.heartbeat));
            return;
        }
        let next = due.peek().map_or(self.heartbeat, |(at, _)| (*at).max(self.free));
        self.next = Some(next.min(self.heartbeat));
    }

    /// When a pod's next stage is due; `None` where there is none.
    fn due(&mut self, pod: &Value, now: SimTime) -> Option<SimTime> {
        let node = pod.pointer("/spec/nodeName").and_then(Value::as_str)?;
        let known = self.nodes.get(node).copied().unwrap_or(false);
        if !known {
            return None;
        }
        let uid = pod.pointer("/metadata/uid").and_then(Value::as_str)?;
        let annotation =
            |name: &str| pod.pointer("/metadata/annotations").map(|all| text(all, name)).unwrap_or_default();
        let entry = self.pods.entry(uid.to_owned()).or_insert((Stage::Bound, now));
        let deleting = pod.pointer("/metadata/deletionTimestamp").is_some();
        if deleting && entry.0 != Stage::Ending {
            *entry = (Stage::Ending, now);
        }
        let (stage, since) = *entry;
        let span = |seconds: &str, default: Duration| match seconds {
            "" => Some(default),
            "never" => None,
            seconds => seconds.parse().ok().map(Duration::from_secs_f64),
        };
        match stage {
            Stage::Bound => Some(since + START),
            Stage::Running => {
                span(annotation("sim/ready-after"), READY).filter(|_| !is_bad(pod)).map(|span| since + span)
            }
            Stage::Ready | Stage::Done => None,
            Stage::Ending => Some(since + END),
        }
    }

    /// Brings a pod on.
    fn step(&mut self, cluster: &mut Cluster, pod: &Value, now: SimTime) {
        let uid = pod.pointer("/metadata/uid").and_then(Value::as_str).unwrap_or_default().to_owned();
        let Some((stage, _)) = self.pods.get(&uid).copied() else { return };
        let bad = is_bad(pod);
        let stage = match stage {
            Stage::Bound => {
                set_status(cluster, pod, if bad { "Pending" } else { "Running" }, false, None);
                Stage::Running
            }
            Stage::Running if pod.pointer("/metadata/annotations/sim~1run").is_none() => {
                set_status(cluster, pod, "Running", true, None);
                Stage::Ready
            }
            Stage::Ready | Stage::Running => {
                let code = pod.pointer("/metadata/annotations").map(|all| text(all, "sim/exit"));
                let code: i64 = code.unwrap_or_default().parse().unwrap_or(0);
                let phase = if code == 0 { "Succeeded" } else { "Failed" };
                set_status(cluster, pod, phase, false, Some(code));
                Stage::Done
            }
            Stage::Ending | Stage::Done => {
                // A pod that others still look at shows how it ended.
                if pod.pointer("/metadata/finalizers").is_some() && stage == Stage::Ending {
                    let mut status = pod["status"].clone();
                    status["phase"] = json!("Failed");
                    let conditions = status.get_mut("conditions").and_then(Value::as_array_mut);
                    for condition in conditions.into_iter().flatten() {
                        if matches!(text(condition, "type"), "Ready" | "ContainersReady") {
                            condition["status"] = json!("False");
                            condition["reason"] = json!("PodFailed");
                        }
                    }
                    lab::set_status(cluster, pod, &status);
                }
                delete(cluster, pod);
                Stage::Done
            }
        };
        self.pods.insert(uid, (stage, now));
    }
}

/// Whether an image of the pod cannot be pulled.
fn is_bad(pod: &Value) -> bool {
    let containers = pod.pointer("/spec/containers").and_then(Value::as_array);
    containers.into_iter().flatten().any(|container| text(container, "image").contains("bad"))
}

/// The address of a node: n1 has the first.
fn address(node: &str) -> String {
    let number: u32 = node.trim_start_matches(|c: char| !c.is_ascii_digit()).parse().unwrap_or(1);
    format!("192.168.49.{}", number + 1)
}

/// A node as the recorder made it. minikube's nodes are of its own making.
fn node_object(node: &str, size: &Value) -> Value {
    let mut labels =
        json!({"kubernetes.io/hostname": node, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"});
    let mut info = json!({"kubeletVersion": "v1.37.1", "kubeProxyVersion": "", "architecture": "amd64", "bootID": "b",
        "containerRuntimeVersion": "containerd://1.7.2", "kernelVersion": "6.1.0", "machineID": "m",
        "operatingSystem": "linux", "osImage": "Debian", "systemUUID": "s"});
    if node == "minikube" {
        labels["beta.kubernetes.io/os"] = json!("linux");
        labels["beta.kubernetes.io/arch"] = json!("amd64");
        labels["minikube.k8s.io/name"] = json!("minikube");
        labels["node-role.kubernetes.io/control-plane"] = json!("");
        for field in
            ["bootID", "containerRuntimeVersion", "kernelVersion", "machineID", "osImage", "systemUUID"]
        {
            info[field] = json!("");
        }
    }
    let addresses = json!([{"type": "InternalIP", "address": address(node)},
        {"type": "Hostname", "address": node}]);
    json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": node, "labels": labels},
        "status": {"capacity": size, "allocatable": size, "addresses": addresses, "nodeInfo": info}})
}

/// A new node says at once that it is ready.
fn register(cluster: &mut Cluster, node: &str, size: &Value) {
    let mut object = node_object(node, size);
    object["status"]["conditions"] = conditions(cluster, node, "True");
    lab::create(cluster, &object);
    heartbeat(cluster, node);
}

/// Takes away the taint of a new node, as the node lifecycle controller does once the node is ready.
fn untaint(cluster: &mut Cluster, node: &str) {
    if let Some(kind) = kinds::by_gvk("v1", "Node") {
        let merge = podlab_api::door::PatchType::Merge;
        cluster.request(Request::patch(kind, "", node, merge, json!({"spec": {"taints": null}})));
    }
}

fn report(cluster: &mut Cluster, node: &str, size: &Value, ready: &str) {
    let mut status = node_object(node, size)["status"].take();
    status["conditions"] = conditions(cluster, node, ready);
    lab::set_status(cluster, &node_object(node, size), &status);
}

/// The node's conditions. All but Ready are said once.
fn conditions(cluster: &mut Cluster, node: &str, ready: &str) -> Value {
    let now = cluster.now().to_string();
    let condition = |kind: &str, status: &str, reason: &str, message: &str| {
        json!({"type": kind, "status": status, "reason": reason, "message": message,
            "lastHeartbeatTime": now, "lastTransitionTime": now})
    };
    let live = lab::live(cluster, &json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": node}}));
    let known = live.and_then(|live| live.pointer("/status/conditions").and_then(Value::as_array).cloned());
    let mut all = known.unwrap_or_else(|| {
        [
            ("MemoryPressure", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
            ("DiskPressure", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
            ("PIDPressure", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
        ]
        .into_iter()
        .map(|(kind, reason, message)| condition(kind, "False", reason, message))
        .collect()
    });
    all.retain(|condition| text(condition, "type") != "Ready");
    let (reason, message) = match ready {
        "True" => ("KubeletReady", "kubelet is posting ready status"),
        "False" => ("KubeletNotReady", "container runtime is down"),
        _ => ("NodeStatusUnknown", "Kubelet stopped posting node status."),
    };
    all.push(condition("Ready", ready, reason, message));
    Value::Array(all)
}

/// Renews the node's lease.
fn heartbeat(cluster: &mut Cluster, node: &str) {
    let now = cluster.now().strftime("%Y-%m-%dT%H:%M:%S.000000Z").to_string();
    let lease = json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
        "metadata": {"name": node, "namespace": "kube-node-lease"},
        "spec": {"holderIdentity": node, "leaseDurationSeconds": 40, "renewTime": now}});
    match lab::live(cluster, &lease) {
        Some(mut live) => {
            live["spec"]["renewTime"] = Value::String(now);
            lab::update(cluster, &live, None);
        }
        None => {
            lab::create(cluster, &lease);
        }
    }
}

fn set_status(cluster: &mut Cluster, pod: &Value, phase: &str, ready: bool, exit: Option<i64>) {
    let now = cluster.now().to_string();
    let flag = if ready { "True" } else { "False" };
    let reason = match (ready, exit) {
        (true, _) => Value::Null,
        (false, Some(0)) => json!("PodCompleted"),
        (false, Some(_)) => json!("PodFailed"),
        (false, None) => json!("ContainersNotReady"),
    };
    let condition = |name: &str, status: &str, reason: &Value| {
        let mut condition = json!({"type": name, "status": status, "lastTransitionTime": now});
        if !reason.is_null() {
            condition["reason"] = reason.clone();
        }
        condition
    };
    let none = Value::Null;
    let state = match exit {
        Some(code) => {
            let reason = if code == 0 { "Completed" } else { "Error" };
            json!({"terminated": {"exitCode": code, "reason": reason, "startedAt": now, "finishedAt": now}})
        }
        None if phase == "Pending" => json!({"waiting": {"reason": "ImagePullBackOff"}}),
        None => json!({"running": {"startedAt": now}}),
    };
    let uid = pod.pointer("/metadata/uid").and_then(Value::as_str).unwrap_or_default();
    let containers = pod.pointer("/spec/containers").and_then(Value::as_array).into_iter().flatten();
    let statuses = containers.map(|container| {
        json!({"name": container["name"], "image": container["image"], "imageID": "x", "ready": ready,
            "containerID": format!("containerd://{uid}"),
            "restartCount": 0, "started": exit.is_none() && phase == "Running", "state": state})
    });
    let ip = pod
        .pointer("/metadata/uid")
        .and_then(Value::as_str)
        .map_or(1, |uid| 1 + uid.bytes().fold(0u32, |sum, byte| (sum * 31 + u32::from(byte)) % 250));
    let host = pod.pointer("/spec/nodeName").and_then(Value::as_str).unwrap_or_default();
    let host = address(host);
    let status = json!({"phase": phase, "startTime": now, "hostIP": host, "hostIPs": [{"ip": host}], "podIP": format!("10.244.0.{ip}"),
        "podIPs": [{"ip": format!("10.244.0.{ip}")}],
        "conditions": [condition("PodReadyToStartContainers", "True", &none), condition("Initialized", "True", &none),
            condition("Ready", flag, &reason), condition("ContainersReady", flag, &reason),
            condition("PodScheduled", "True", &none)],
        "containerStatuses": statuses.collect::<Value>()});
    lab::set_status(cluster, pod, &status);
}

fn delete(cluster: &mut Cluster, pod: &Value) {
    let (Some(kind), Some((_, namespace, name))) = (kinds::by_gvk("v1", "Pod"), lab::place(pod)) else {
        return;
    };
    let mut request = Request::delete(kind, &namespace, &name);
    request.options.grace_period_seconds = Some(0);
    cluster.request(request);
}
