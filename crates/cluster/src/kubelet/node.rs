//! What a kubelet keeps for its node as a whole.

use super::env_vars::ServiceEnvironment;
use super::images::Puller;
use super::pressure::Pressure;
use crate::latency;
use crate::recorder::EventRecorder;
use k8s_openapi::api::core::v1::NodeStatus;
use podlab_api::resources::{ResourceList, resource_list};
use podlab_sim::{Draw, SimDuration, SimTime, Slot};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The kubelet's loop looks at its work queue once a second.
///
/// Source: pkg/kubelet/kubelet.go `syncLoop` (v1.37).
const SYNC_TICK: SimDuration = SimDuration::from_secs(1);

/// A node's kubelet.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub name: Arc<str>,
    /// Its place among the nodes.
    pub index: u32,
    /// The node's address.
    pub ip: String,
    /// Whether the kubelet runs.
    pub running: bool,
    /// When it was started; `None` for long ago.
    pub started: Option<SimTime>,
    relist_origin: SimTime,
    sync_origin: SimTime,
    /// The pods that the kubelet knows.
    pub pods: BTreeSet<super::PodIx>,
    /// Pods that the next relist finds changed.
    pub dirty: BTreeSet<super::PodIx>,
    /// Pods whose resize waits for room.
    pub pending_resizes: BTreeSet<super::PodIx>,
    /// The relist that is planned.
    pub relist: Option<Slot>,
    pub recorder: EventRecorder,
    pub puller: Puller,
    /// The variables that containers got last of the services.
    pub service_environment: ServiceEnvironment,
    /// What the node has, beside the status that says so.
    allocatable: Option<(Arc<NodeStatus>, Arc<ResourceList>)>,
    /// Static pods: file → pod.
    pub static_pods: BTreeMap<String, super::PodIx>,
    /// Static pods that wait for the end of the one before them: file → manifest, the pod before.
    pub waiting_static_pods: BTreeMap<String, (Arc<Value>, super::PodIx)>,
    /// Files that changed while the kubelet did not run: file → when, manifest.
    pub changed_files: BTreeMap<String, (SimTime, Option<Arc<Value>>)>,
    housekeeping_origin: SimTime,
    eviction_origin: SimTime,
    status_origin: SimTime,
    /// What its eviction manager remembers.
    pub pressure: Pressure,
}

impl Node {
    pub(crate) fn new(name: &str, ip: String, index: u32, seed: u64) -> Node {
        let mut draw = Draw::keyed(seed, "kubelet", name, 0);
        let mut origin = || SimTime::from_nanos((draw.unit() * 1e9) as i64);
        let (relist_origin, sync_origin) = (origin(), origin());
        let housekeeping = (draw.unit() * latency::HOUSEKEEPING.as_nanos() as f64) as i64;
        let eviction = (draw.unit() * latency::EVICTION_MONITOR.as_nanos() as f64) as i64;
        let status = (draw.unit() * latency::NODE_STATUS.as_nanos() as f64) as i64;
        Node {
            name: name.into(),
            index,
            ip,
            running: true,
            started: None,
            relist_origin,
            sync_origin,
            pods: BTreeSet::new(),
            dirty: BTreeSet::new(),
            pending_resizes: BTreeSet::new(),
            relist: None,
            recorder: EventRecorder::new("kubelet", name),
            puller: Puller::default(),
            service_environment: ServiceEnvironment::default(),
            allocatable: None,
            static_pods: BTreeMap::new(),
            waiting_static_pods: BTreeMap::new(),
            changed_files: BTreeMap::new(),
            housekeeping_origin: SimTime::from_nanos(housekeeping),
            eviction_origin: SimTime::from_nanos(eviction),
            status_origin: SimTime::from_nanos(status),
            pressure: Pressure::default(),
        }
    }

    /// The first look, after an instant, of the eviction manager.
    pub(crate) fn next_eviction_look(&self, after: SimTime) -> SimTime {
        (after + SimDuration::from_nanos(1)).next_tick(self.eviction_origin, latency::EVICTION_MONITOR)
    }

    /// The eviction manager's looks are counted from an instant.
    pub(crate) fn set_eviction_origin(&mut self, at: SimTime) {
        self.eviction_origin = at;
    }

    /// The first report of the node's status after an instant.
    pub(crate) fn next_status_report(&self, after: SimTime) -> SimTime {
        (after + SimDuration::from_nanos(1)).next_tick(self.status_origin, latency::NODE_STATUS)
    }

    /// What a node with this status has for pods.
    pub(crate) fn allocatable(&mut self, status: &Arc<NodeStatus>) -> Arc<ResourceList> {
        match &self.allocatable {
            Some((known, list)) if Arc::ptr_eq(known, status) => list.clone(),
            _ => {
                let list = Arc::new(resource_list(status.allocatable.as_ref()));
                self.allocatable = Some((status.clone(), list.clone()));
                list
            }
        }
    }

    /// The first relist after an instant.
    pub(crate) fn next_relist(&self, after: SimTime) -> SimTime {
        (after + SimDuration::from_nanos(1)).next_tick(self.relist_origin, latency::PLEG_RELIST)
    }

    /// The latest relist at or before an instant.
    pub(crate) fn last_relist(&self, now: SimTime) -> SimTime {
        self.next_relist(now) - latency::PLEG_RELIST
    }

    /// The first look, after an instant, at what lies about.
    pub(crate) fn next_housekeeping(&self, after: SimTime) -> SimTime {
        (after + SimDuration::from_nanos(1)).next_tick(self.housekeeping_origin, latency::HOUSEKEEPING)
    }

    /// The first look at the work queue at or after an instant.
    pub(crate) fn next_sync_tick(&self, at: SimTime) -> SimTime {
        at.next_tick(self.sync_origin, SYNC_TICK)
    }
}
