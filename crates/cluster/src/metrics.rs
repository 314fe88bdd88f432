//! The resource metrics of pods and nodes, as metrics-server keeps them, and the Metrics API that serves them.
//!
//! One model: what a container's processes have really computed in the simulation, and the memory they hold. The same
//! figures end a container that is over its memory limit, stand in `kubectl top` and drive the
//! HorizontalPodAutoscaler. What a node's own system takes is a fixed part ([`NODE_CPU_NANOCORES`],
//! [`NODE_MEMORY_BYTES`]).
//!
//! Source: kubernetes-sigs/metrics-server, pkg/storage (two points make a rate) and pkg/api (what is served);
//! k8s.io/metrics/pkg/apis/metrics/v1beta1/types.go.

mod served;

use crate::event::Event;
use crate::runtime::{ContainerId, Runtime, SandboxId};
use crate::store::Key;
use crate::world::Cx;
use podlab_sim::{SimDuration, SimTime};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The group that the Metrics API is served under.
pub const GROUP: &str = "metrics.k8s.io";

/// How often the kubelets are asked.
///
/// Source: metrics-server's `--metric-resolution`.
const RESOLUTION: SimDuration = SimDuration::from_secs(15);

/// A container younger than this has no rate yet.
///
/// Source: metrics-server pkg/storage/pod.go `freshContainerMinMetricsResolution`.
const FRESH: SimDuration = SimDuration::from_secs(10);

/// What kubelet, container runtime and system of a node take, in billionths of a CPU.
const NODE_CPU_NANOCORES: u64 = 45_000_000;
/// The same of memory, in bytes.
const NODE_MEMORY_BYTES: u64 = 420 << 20;

/// What a container has used in a span of time.
#[derive(Clone, Debug)]
pub struct ContainerUsage {
    /// The container's name in its pod.
    pub name: Arc<str>,
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

#[derive(Clone, Copy, Debug)]
struct Point {
    at: SimTime,
    cpu_nanos: u64,
}

/// What the last two looks at the kubelets have brought.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    points: BTreeMap<ContainerId, Point>,
    pods: BTreeMap<Key, (SandboxId, PodUsage)>,
    nodes: BTreeMap<Arc<str>, SimTime>,
}

/// Plans the first look.
pub(crate) fn start(cx: &mut Cx<'_>) {
    cx.after(SimDuration::ZERO, Event::ScrapeMetrics);
}

/// Asks the kubelets, and plans to ask again.
pub(crate) fn scrape(runtime: &Runtime, cx: &mut Cx<'_>) {
    let now = cx.now();
    let mut metrics = std::mem::take(&mut cx.api.metrics);
    metrics.look(runtime, now, |node| cx.api.is_node_ready(node));
    cx.api.metrics = metrics;
    cx.after(RESOLUTION, Event::ScrapeMetrics);
}

impl Metrics {
    fn look(&mut self, runtime: &Runtime, now: SimTime, is_ready: impl Fn(&str) -> bool) {
        let mut points = BTreeMap::new();
        let mut pods = std::mem::take(&mut self.pods);
        let mut ready: BTreeMap<Arc<str>, bool> = BTreeMap::new();
        for (id, sandbox) in runtime.sandboxes.iter().filter(|(_, sandbox)| sandbox.ready) {
            let config = &sandbox.config;
            let answers = match ready.get(config.node.as_str()) {
                Some(answers) => *answers,
                None => {
                    let answers = is_ready(&config.node);
                    ready.insert(config.node.as_str().into(), answers);
                    answers
                }
            };
            if !answers {
                continue;
            }
            let key = Key { namespace: config.namespace.as_str().into(), name: config.name.as_str().into() };
            let same = pods.remove(&key).filter(|(known, _)| known == id);
            let mut usage = same.map_or_else(
                || PodUsage {
                    node: config.node.as_str().into(),
                    at: now,
                    window: SimDuration::ZERO,
                    containers: Vec::new(),
                },
                |(_, usage)| usage,
            );
            let mut known = std::mem::take(&mut usage.containers).into_iter();
            let mut complete = true;
            for container in sandbox.containers.iter().filter_map(|id| runtime.containers.get(id)) {
                let (Some(machine), Some(started)) = (&container.machine, container.started_at) else {
                    continue;
                };
                if !container.is_running() {
                    continue;
                }
                let point = Point { at: now, cpu_nanos: machine.cpu_nanos(now) };
                points.insert(container.id.clone(), point);
                let fresh = now.since(started) >= FRESH;
                let before = self.points.get(&container.id).copied();
                let Some(before) = before.or(fresh.then_some(Point { at: started, cpu_nanos: 0 })) else {
                    complete = false;
                    continue;
                };
                let span = now.since(before.at);
                let used = u128::from(point.cpu_nanos.saturating_sub(before.cpu_nanos)) * 1_000_000_000;
                let (most, resting) = machine.cpu_bounds();
                let nanocores =
                    u64::try_from(used.checked_div(span.as_nanos()).unwrap_or(0)).unwrap_or(u64::MAX);
                usage.window = span;
                let name =
                    known.next().map(|known| known.name).filter(|name| **name == *container.config.name);
                usage.containers.push(ContainerUsage {
                    name: name.unwrap_or_else(|| container.config.name.as_str().into()),
                    nanocores: nanocores.saturating_add(resting).min(most),
                    bytes: machine.memory_bytes(),
                });
            }
            usage.at = now;
            if complete && !usage.containers.is_empty() {
                self.pods.insert(key, (id.clone(), usage));
            }
        }
        self.points = points;
        self.nodes = ready.into_iter().filter(|(_, ready)| *ready).map(|(node, _)| (node, now)).collect();
    }

    /// What a pod has used; `None` where nothing is known yet.
    pub fn pod(&self, namespace: &str, name: &str) -> Option<&PodUsage> {
        let key = Key { namespace: namespace.into(), name: name.into() };
        self.pods.get(&key).map(|(_, usage)| usage)
    }

    fn pods(&self) -> impl Iterator<Item = (&Key, &PodUsage)> {
        self.pods.iter().map(|(key, (_, usage))| (key, usage))
    }

    /// When a node's kubelet answered last; `None` where it does not.
    fn node(&self, name: &str) -> Option<SimTime> {
        self.nodes.get(name).copied()
    }
}
