//! The resource metrics of pods and nodes, as metrics-server keeps them, and the Metrics API that serves them.
//!
//! One model: what a container's processes have really computed in the simulation, and the memory they hold. The same
//! figures end a container that is over its memory limit, stand in `kubectl top` and drive the
//! HorizontalPodAutoscaler. What a node's own system takes is a fixed part ([`NODE_CPU_NANOCORES`],
//! [`NODE_MEMORY_BYTES`]).
//!
//! metrics-server asks the kubelets every 15 s; here what it would have got is reckoned when somebody asks, so that an
//! idle cluster costs nothing.
//!
//! Source: kubernetes-sigs/metrics-server, pkg/storage (two points make a rate) and pkg/api (what is served);
//! k8s.io/metrics/pkg/apis/metrics/v1beta1/types.go.

mod served;

use crate::apiserver::ApiServer;
use crate::runtime::{Runtime, Sandbox, USAGE_SPAN};
use crate::store::Key;
use podlab_sim::{SimDuration, SimTime};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The group that the Metrics API is served under.
pub const GROUP: &str = "metrics.k8s.io";

/// What kubelet, container runtime and system of a node take, in billionths of a CPU.
const NODE_CPU_NANOCORES: u64 = 45_000_000;
/// The same of memory, in bytes: of a machine that has no more than four times as much, a quarter.
const NODE_MEMORY_BYTES: u64 = 420 << 20;

/// The memory that kubelet, container runtime and system of a node take, in bytes.
pub(crate) fn node_memory(capacity: u64) -> u64 {
    NODE_MEMORY_BYTES.min(capacity / 4)
}

/// What a container has used in a span of time.
#[derive(Clone, Debug)]
pub struct ContainerUsage {
    /// The container's name in its pod.
    pub name: String,
    /// Billionths of a CPU, averaged over the span.
    pub nanocores: u64,
    /// Bytes of memory at its end.
    pub bytes: u64,
}

/// What a pod's containers have used.
#[derive(Clone, Debug)]
pub struct PodUsage {
    /// The pod's node.
    pub node: Arc<str>,
    /// The end of the span.
    pub at: SimTime,
    /// The length of the span.
    pub window: SimDuration,
    /// Its running containers, in the order in which they were made.
    pub containers: Vec<ContainerUsage>,
}

/// What the latest look at the kubelets has brought.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    looked: Option<SimTime>,
    pods: BTreeMap<Key, PodUsage>,
    nodes: BTreeMap<Arc<str>, SimTime>,
}

/// Brings what is known up to the latest turn at which the kubelets would have been asked.
pub(crate) fn refresh(api: &mut ApiServer, runtime: &Runtime) {
    let now = api.now();
    let at = Runtime::latest_span(now);
    if api.metrics.looked == Some(at) || !api.serves_metrics() {
        return;
    }
    let mut ready: BTreeMap<Arc<str>, bool> = BTreeMap::new();
    let mut pods = BTreeMap::new();
    for sandbox in runtime.sandboxes.values().filter(|sandbox| sandbox.ready) {
        let config = &sandbox.config;
        let node: Arc<str> = config.node.as_str().into();
        // A kubelet that is not well does not answer.
        if !*ready.entry(node.clone()).or_insert_with(|| api.is_node_ready(&config.node)) {
            continue;
        }
        let (usage, running) = usage_of(runtime, sandbox, node, now);
        // A pod is known once all of its containers are.
        if running > 0 && usage.containers.len() == running {
            let key = Key { namespace: config.namespace.as_str().into(), name: config.name.as_str().into() };
            pods.insert(key, usage);
        }
    }
    let names = api.store().list(&podlab_api::kinds::NODE).map(|node| node.name().to_owned());
    let nodes: Vec<String> = names.filter(|name| api.is_node_ready(name)).collect();
    let nodes = nodes.iter().map(|node| (Arc::from(node.as_str()), at)).collect();
    api.metrics = Metrics { looked: Some(at), pods, nodes };
}

/// What a pod's containers have used, as far as they have run long enough, and how many of them run.
fn usage_of(runtime: &Runtime, sandbox: &Sandbox, node: Arc<str>, now: SimTime) -> (PodUsage, usize) {
    let running = sandbox.containers.iter().filter_map(|id| runtime.containers.get(id));
    let running: Vec<_> = running.filter(|container| container.is_running()).collect();
    let at = Runtime::latest_span(now);
    let mut usage = PodUsage { node, at, window: USAGE_SPAN, containers: Vec::new() };
    for container in &running {
        let Some(stats) = runtime.container_stats(&container.id, now) else { continue };
        (usage.at, usage.window) = (stats.at, stats.window);
        usage.containers.push(ContainerUsage {
            name: container.config.name.clone(),
            nanocores: stats.nanocores,
            bytes: stats.bytes,
        });
    }
    (usage, running.len())
}

/// What a pod's running containers have used in the latest span that is over: what `kubectl top` rests on, before a server
/// has asked for it. `None` for a pod without a sandbox.
pub(crate) fn of_pod(runtime: &Runtime, uid: &str, now: SimTime) -> Option<PodUsage> {
    let sandbox =
        runtime.sandboxes.values().find(|sandbox| sandbox.ready && sandbox.config.pod_uid == uid)?;
    Some(usage_of(runtime, sandbox, sandbox.config.node.as_str().into(), now).0)
}

impl Metrics {
    /// What a pod has used; `None` where nothing is known yet.
    pub fn pod(&self, namespace: &str, name: &str) -> Option<&PodUsage> {
        self.pods.get(&Key { namespace: namespace.into(), name: name.into() })
    }

    fn pods(&self) -> impl Iterator<Item = (&Key, &PodUsage)> {
        self.pods.iter()
    }

    /// When a node's kubelet answered last; `None` where it does not.
    fn node(&self, name: &str) -> Option<SimTime> {
        self.nodes.get(name).copied()
    }
}
