//! Pods for which room is being made on a node.
//!
//! Source: pkg/scheduler/backend/queue/nominator.go (v1.37).

use super::framework::PodInfo;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Which pods are nominated to which nodes.
#[derive(Clone, Debug, Default)]
pub struct Nominator {
    /// node → pods, in the order in which they were nominated.
    by_node: BTreeMap<String, Vec<Arc<PodInfo>>>,
    /// pod uid → node.
    node_of: BTreeMap<String, String>,
}

impl Nominator {
    /// Nominates a pod to a node, in place of what was before; an empty name takes it back.
    pub fn set(&mut self, pod: &Arc<PodInfo>, node: &str) {
        self.remove(pod.uid());
        if node.is_empty() {
            return;
        }
        self.node_of.insert(pod.uid().to_owned(), node.to_owned());
        self.by_node.entry(node.to_owned()).or_default().push(pod.clone());
    }

    /// A pod is nominated no more.
    pub fn remove(&mut self, uid: &str) {
        let Some(node) = self.node_of.remove(uid) else { return };
        if let Some(pods) = self.by_node.get_mut(&node) {
            pods.retain(|p| p.uid() != uid);
            if pods.is_empty() {
                self.by_node.remove(&node);
            }
        }
    }

    /// Whether no pod is nominated to any node.
    pub fn is_empty(&self) -> bool {
        self.by_node.is_empty()
    }

    /// The pods nominated to a node.
    pub fn on_node(&self, node: &str) -> impl Iterator<Item = &Arc<PodInfo>> {
        self.by_node.get(node).into_iter().flatten()
    }

    /// The node a pod is nominated to.
    pub fn node_of(&self, uid: &str) -> Option<&str> {
        self.node_of.get(uid).map(String::as_str)
    }
}
