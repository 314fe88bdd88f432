//! PrioritySort: who is scheduled first.

use crate::scheduler::framework::{Plugin, PluginId};
use podlab_sim::SimTime;
use std::cmp::Reverse;

/// Pods of higher priority come first; of equal priority, who has waited longest.
///
/// Runs: queueSort.
/// Source: pkg/scheduler/framework/plugins/queuesort/priority_sort.go (v1.37).
pub struct PrioritySort;

/// What the queue is ordered by.
pub fn order(priority: i32, timestamp: SimTime) -> (Reverse<i32>, SimTime) {
    (Reverse(priority), timestamp)
}

impl Plugin for PrioritySort {
    fn id(&self) -> PluginId {
        PluginId::PrioritySort
    }

    fn points(&self) -> &'static [&'static str] {
        &["QueueSort"]
    }
}
