//! All plugins, in the order of the default profile.
//!
//! NodeDeclaredFeatures, the last of the real profile, is left out: it keeps pods from nodes whose kubelet is too old
//! for what they ask, and all kubelets here are of one version.
//!
//! Source: pkg/scheduler/apis/config/v1/default_plugins.go (v1.37).

use super::default_binder::DefaultBinder;
use super::default_preemption::DefaultPreemption;
use super::dynamic_resources::DynamicResources;
use super::image_locality::ImageLocality;
use super::inter_pod_affinity::InterPodAffinity;
use super::node_affinity::NodeAffinity;
use super::node_name::NodeName;
use super::node_ports::NodePorts;
use super::node_resources_balanced_allocation::NodeResourcesBalancedAllocation;
use super::node_resources_fit::NodeResourcesFit;
use super::node_unschedulable::NodeUnschedulable;
use super::node_volume_limits::NodeVolumeLimits;
use super::pod_topology_spread::PodTopologySpread;
use super::priority_sort::PrioritySort;
use super::scheduling_gates::SchedulingGates;
use super::taint_toleration::TaintToleration;
use super::volume_binding::VolumeBinding;
use super::volume_restrictions::VolumeRestrictions;
use super::volume_zone::VolumeZone;
use crate::scheduler::framework::{ClusterEvent, Plugin, PluginId, PluginSet};

/// The plugins in the order in which they run. Their weights are in
/// [`Profile`](crate::scheduler::profile::Profile).
///
/// Invariant: the plugin at an index has the id of that number.
pub static ALL: [&dyn Plugin; 19] = [
    &SchedulingGates,
    &PrioritySort,
    &NodeName,
    &NodeUnschedulable,
    &TaintToleration,
    &NodeAffinity,
    &NodePorts,
    &NodeResourcesFit,
    &VolumeRestrictions,
    &NodeVolumeLimits,
    &VolumeBinding,
    &VolumeZone,
    &PodTopologySpread,
    &InterPodAffinity,
    &DynamicResources,
    &DefaultPreemption,
    &NodeResourcesBalancedAllocation,
    &ImageLocality,
    &DefaultBinder,
];

/// A plugin by its id.
pub fn by_id(id: PluginId) -> Option<&'static dyn Plugin> {
    ALL.get(id as usize).copied()
}

/// The plugins that have registered for an event.
pub fn interested_in(event: ClusterEvent) -> PluginSet {
    let mut set = PluginSet::default();
    for plugin in ALL {
        if plugin.events().iter().any(|e| e.covers(event)) {
            set.insert(plugin.id());
        }
    }
    set
}

/// The plugins that fulfil an extension point.
pub fn fulfilling(point: &'static str) -> impl Iterator<Item = &'static dyn Plugin> {
    ALL.into_iter().filter(move |plugin| plugin.points().contains(&point))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_plugin_stands_where_its_id_says() {
        for (index, plugin) in ALL.iter().enumerate() {
            assert_eq!(plugin.id() as usize, index, "{}", plugin.id().name());
        }
    }
}
