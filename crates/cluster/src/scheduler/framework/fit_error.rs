//! The text that says why a pod fits nowhere.

use super::plugin::PluginSet;
use super::status::{Code, Reason, Status};
use std::collections::BTreeMap;

/// What was found about the nodes a pod does not fit on.
///
/// Source: pkg/scheduler/framework/types.go `Diagnosis` (v1.37).
#[derive(Clone, Debug, Default)]
pub struct Diagnosis {
    /// node slot → why it does not fit, for each node that was looked at.
    pub node_to_status: BTreeMap<usize, Status>,
    /// What is said of all other nodes.
    pub absent_nodes_status: Option<Status>,
    /// Plugins that rejected the pod or a node.
    pub unschedulable_plugins: PluginSet,
    /// What was said before any node was looked at.
    pub pre_filter_message: String,
    /// What preemption said.
    pub post_filter_message: String,
}

impl Diagnosis {
    /// Notes which plugin rejected.
    pub fn add_plugin_status(&mut self, status: &Status) {
        if let Some(plugin) = status.plugin
            && status.is_rejected()
        {
            self.unschedulable_plugins.insert(plugin);
        }
    }

    /// Whether evicting pods from a node might help.
    pub fn may_preempt(&self, slot: usize) -> bool {
        match self.node_to_status.get(&slot) {
            Some(status) => status.code == Code::Unschedulable,
            None => self.absent_nodes_status.as_ref().is_some_and(|s| s.code == Code::Unschedulable),
        }
    }

    /// reason → number of nodes, the numbers first and sorted as text.
    fn histogram(&self, all_nodes: usize) -> Vec<String> {
        let mut reasons: BTreeMap<&Reason, usize> = BTreeMap::new();
        for status in self.node_to_status.values() {
            for reason in &status.reasons {
                *reasons.entry(reason).or_default() += 1;
            }
        }
        let absent = all_nodes.saturating_sub(self.node_to_status.len());
        if absent > 0 {
            for reason in self.absent_nodes_status.iter().flat_map(|s| &s.reasons) {
                *reasons.entry(reason).or_default() += absent;
            }
        }
        let mut texts: Vec<String> =
            reasons.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
        texts.sort();
        texts
    }

    /// The text of the FailedScheduling event and of the condition.
    ///
    /// Source: pkg/scheduler/framework/types.go `FitError.Error` (v1.37).
    pub fn message(&self, all_nodes: usize) -> String {
        let mut text = format!("0/{all_nodes} nodes are available:");
        if self.pre_filter_message.is_empty() {
            let reasons = self.histogram(all_nodes);
            if !reasons.is_empty() {
                text.push(' ');
                text.push_str(&reasons.join(", "));
                text.push('.');
            }
        } else {
            text.push(' ');
            text.push_str(&self.pre_filter_message);
            text.push('.');
        }
        if !self.post_filter_message.is_empty() {
            text.push(' ');
            text.push_str(&self.post_filter_message);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheduler::framework::PluginId;

    #[test]
    fn reasons_are_counted_and_sorted_as_text() {
        let mut diagnosis = Diagnosis::default();
        for slot in 0..12 {
            let reason = if slot < 10 { "Insufficient cpu" } else { "node(s) had untolerated taint(s)" };
            diagnosis.node_to_status.insert(slot, Status::unschedulable(PluginId::NodeResourcesFit, reason));
        }
        assert_eq!(
            diagnosis.message(12),
            "0/12 nodes are available: 10 Insufficient cpu, 2 node(s) had untolerated taint(s)."
        );
    }
}
