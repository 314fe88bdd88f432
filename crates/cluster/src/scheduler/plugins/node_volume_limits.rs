//! NodeVolumeLimits: how many volumes of a driver a node takes.

use crate::scheduler::framework::{Plugin, PluginId};

/// Rejects nothing: limits come from CSINode objects, and no simulated node has one.
///
/// Runs: preFilter, filter. Source: pkg/scheduler/framework/plugins/nodevolumelimits/csi.go (v1.37).
pub struct NodeVolumeLimits;

impl Plugin for NodeVolumeLimits {
    fn id(&self) -> PluginId {
        PluginId::NodeVolumeLimits
    }

    fn points(&self) -> &'static [&'static str] {
        &["PreFilter", "Filter"]
    }
}
