//! What a plugin is.

use super::cluster_event::{ClusterEvent, EventObjects};
use super::cycle_state::CycleState;
use super::node_info::NodeInfo;
use super::pod_info::PodInfo;
use super::status::Status;
use crate::scheduler::cache::Cache;
use crate::scheduler::decision::Fix;
use crate::scheduler::profile::Profile;
use crate::store::Store;
use podlab_sim::SimTime;
use std::collections::BTreeSet;

/// A plugin, in the order of the default profile.
///
/// Source: pkg/scheduler/apis/config/v1/default_plugins.go (v1.37).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum PluginId {
    /// Holds pods back that have scheduling gates.
    SchedulingGates,
    /// Orders the queue.
    PrioritySort,
    /// A pod that names its node fits only there.
    NodeName,
    /// Cordoned nodes.
    NodeUnschedulable,
    /// Taints.
    TaintToleration,
    /// Node selector and node affinity.
    NodeAffinity,
    /// Host ports.
    NodePorts,
    /// CPU, memory and the like.
    NodeResourcesFit,
    /// Volumes that only one pod can use.
    VolumeRestrictions,
    /// How many volumes a node takes.
    NodeVolumeLimits,
    /// Claims and the volumes they are bound to.
    VolumeBinding,
    /// Zones of volumes.
    VolumeZone,
    /// Topology spread constraints.
    PodTopologySpread,
    /// Affinity to other pods.
    InterPodAffinity,
    /// Resource claims.
    DynamicResources,
    /// Makes room by evicting pods of lower priority.
    DefaultPreemption,
    /// Prefers nodes on which CPU and memory are used evenly.
    NodeResourcesBalancedAllocation,
    /// Prefers nodes that have the images.
    ImageLocality,
    /// Binds.
    DefaultBinder,
}

impl PluginId {
    /// Kubernetes' name.
    pub fn name(self) -> &'static str {
        match self {
            PluginId::SchedulingGates => "SchedulingGates",
            PluginId::PrioritySort => "PrioritySort",
            PluginId::NodeName => "NodeName",
            PluginId::NodeUnschedulable => "NodeUnschedulable",
            PluginId::TaintToleration => "TaintToleration",
            PluginId::NodeAffinity => "NodeAffinity",
            PluginId::NodePorts => "NodePorts",
            PluginId::NodeResourcesFit => "NodeResourcesFit",
            PluginId::VolumeRestrictions => "VolumeRestrictions",
            PluginId::NodeVolumeLimits => "NodeVolumeLimits",
            PluginId::VolumeBinding => "VolumeBinding",
            PluginId::VolumeZone => "VolumeZone",
            PluginId::PodTopologySpread => "PodTopologySpread",
            PluginId::InterPodAffinity => "InterPodAffinity",
            PluginId::DynamicResources => "DynamicResources",
            PluginId::DefaultPreemption => "DefaultPreemption",
            PluginId::NodeResourcesBalancedAllocation => "NodeResourcesBalancedAllocation",
            PluginId::ImageLocality => "ImageLocality",
            PluginId::DefaultBinder => "DefaultBinder",
        }
    }
}

/// A set of plugins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PluginSet(u32);

impl PluginSet {
    /// Puts one in.
    pub fn insert(&mut self, plugin: PluginId) {
        self.0 |= 1 << plugin as u8;
    }

    /// Takes one out.
    pub fn remove(&mut self, plugin: PluginId) {
        self.0 &= !(1 << plugin as u8);
    }

    /// Whether one is in it.
    pub fn contains(self, plugin: PluginId) -> bool {
        self.0 & (1 << plugin as u8) != 0
    }

    /// Whether none is.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether both have one in common.
    pub fn intersects(self, other: PluginSet) -> bool {
        self.0 & other.0 != 0
    }

    /// The indices of its members.
    pub fn indices(self) -> impl Iterator<Item = usize> {
        (0..32usize).filter(move |i| self.0 & (1 << i) != 0)
    }
}

/// What plugins may look at.
#[derive(Clone, Copy)]
pub struct FilterContext<'a> {
    /// Nodes and the pods on them.
    pub cache: &'a Cache,
    /// Objects of all other kinds.
    pub store: &'a Store,
    /// How this scheduler is set up.
    pub profile: &'a Profile,
    /// The present instant.
    pub now: SimTime,
}

/// What a plugin says about a pod before any node is looked at.
#[derive(Debug)]
pub enum PreFilterResult {
    /// It will look at every node.
    All,
    /// It has nothing to say about this pod, neither here nor in its filter.
    Skip,
    /// Only these nodes are in question.
    Nodes(BTreeSet<String>),
    /// No node can fit.
    Reject(Status),
}

/// A plugin of the scheduling framework: code without state. What it works out for a pod it keeps in
/// [`CycleState`].
pub trait Plugin: Sync {
    /// Which one it is.
    fn id(&self) -> PluginId;

    /// Which extension points it fulfils, in Kubernetes' words; for explanation.
    fn points(&self) -> &'static [&'static str];

    /// The events after which a pod it rejected may fit.
    fn events(&self) -> &'static [ClusterEvent] {
        &[]
    }

    /// Whether an event it registered for may really make the pod fit.
    fn hint(
        &self,
        _cx: &FilterContext<'_>,
        _pod: &PodInfo,
        _event: ClusterEvent,
        _objects: EventObjects<'_>,
    ) -> bool {
        true
    }

    /// Looks at the pod before any node.
    fn pre_filter(
        &self,
        _cx: &FilterContext<'_>,
        _pod: &PodInfo,
        _state: &mut CycleState,
    ) -> PreFilterResult {
        PreFilterResult::Skip
    }

    /// Looks at one node.
    ///
    /// # Errors
    /// Why the pod does not fit there.
    fn filter(
        &self,
        _cx: &FilterContext<'_>,
        _pod: &PodInfo,
        _state: &CycleState,
        _node: &NodeInfo,
    ) -> Result<(), Status> {
        Ok(())
    }

    /// Another pod is taken to be on a node (`by` is 1, Kubernetes' `AddPod`) or gone from it (-1, `RemovePod`).
    fn count_pod(
        &self,
        _cx: &FilterContext<'_>,
        _pod: &PodInfo,
        _state: &mut CycleState,
        _other: &PodInfo,
        _node: &NodeInfo,
        _by: i64,
    ) {
    }

    /// Prepares for scoring; says whether it scores at all.
    fn pre_score(
        &self,
        _cx: &FilterContext<'_>,
        _pod: &PodInfo,
        _state: &mut CycleState,
        _nodes: &[usize],
    ) -> bool {
        false
    }

    /// Scores a node.
    fn score(&self, _cx: &FilterContext<'_>, _pod: &PodInfo, _state: &CycleState, _node: &NodeInfo) -> i64 {
        0
    }

    /// Whether [`Plugin::normalize`] does anything.
    fn normalizes(&self) -> bool {
        false
    }

    /// Brings the scores of all nodes to 0..=100; `nodes` are the indices the scores belong to.
    fn normalize(&self, _state: &CycleState, _nodes: &[usize], _scores: &mut [i64]) {}

    /// What the filter says where the profile does not run the pre-filter; `None` where it can do without.
    fn filter_lacks(&self) -> Option<&'static str> {
        None
    }

    /// What the scorer says where the profile does not run the pre-scorer; `None` where it can do without.
    fn score_lacks(&self) -> Option<&'static str> {
        None
    }

    /// What would make a node fit that the filter ruled out.
    fn explain(
        &self,
        _cx: &FilterContext<'_>,
        _pod: &PodInfo,
        _state: &CycleState,
        _node: &NodeInfo,
    ) -> Vec<Fix> {
        Vec::new()
    }
}
