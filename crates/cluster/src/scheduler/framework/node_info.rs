//! A node as the scheduler sees it, kept up to date pod by pod.

use super::pod_info::{HostPort, PodInfo};
use super::resource::Resource;
use k8s_openapi::api::core::v1::Taint;
use podlab_api::Object;
use podlab_api::resources::resource_list;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A node and the pods that are on it.
///
/// Source: pkg/scheduler/framework/types.go `NodeInfo` (v1.37).
#[derive(Clone, Debug)]
pub struct NodeInfo {
    /// Its name.
    pub name: Arc<str>,
    /// Its place in the cache.
    pub slot: usize,
    /// Differs with every change of a node in the cache; 0 outside of it.
    pub generation: u64,
    /// The object; `None` while only its pods are known.
    pub node: Option<Arc<Object>>,
    /// The pods on it.
    pub pods: Vec<Arc<PodInfo>>,
    /// Those with any affinity to other pods.
    pub pods_with_affinity: Vec<Arc<PodInfo>>,
    /// Those with required anti-affinity.
    pub pods_with_required_anti_affinity: Vec<Arc<PodInfo>>,
    /// Host ports that are held.
    pub used_ports: Vec<HostPort>,
    /// The sum of what the pods request.
    pub requested: Resource,
    /// CPU in thousandths that the pods are taken to want where nodes are scored.
    pub non_zero_cpu: i64,
    /// Memory in bytes that the pods are taken to want where nodes are scored.
    pub non_zero_memory: i64,
    /// Its taints.
    pub taints: Vec<Taint>,
    /// Whether it is cordoned.
    pub unschedulable: bool,
    /// What the node has for pods.
    pub allocatable: Resource,
    /// Names of the images on it.
    pub images: Arc<BTreeSet<String>>,
}

impl NodeInfo {
    /// One without pods.
    pub fn new(name: &str) -> NodeInfo {
        NodeInfo {
            name: name.into(),
            slot: 0,
            generation: 0,
            node: None,
            pods: Vec::new(),
            pods_with_affinity: Vec::new(),
            pods_with_required_anti_affinity: Vec::new(),
            used_ports: Vec::new(),
            requested: Resource::default(),
            non_zero_cpu: 0,
            non_zero_memory: 0,
            taints: Vec::new(),
            unschedulable: false,
            allocatable: Resource::default(),
            images: Arc::default(),
        }
    }

    /// Takes over the object.
    pub fn set_node(&mut self, node: Arc<Object>) {
        if let Some(status) = node.node_status() {
            self.allocatable = Resource::from_list(&resource_list(status.allocatable.as_ref()));
            let names = status.images.iter().flatten().flat_map(|i| i.names.iter().flatten()).cloned();
            self.images = Arc::new(names.collect());
        }
        if let Some(spec) = node.node_spec() {
            self.taints = spec.taints.clone().unwrap_or_default();
            self.unschedulable = spec.unschedulable == Some(true);
        }
        self.node = Some(node);
    }

    /// Its labels.
    pub fn labels(&self) -> &BTreeMap<String, String> {
        static NONE: BTreeMap<String, String> = BTreeMap::new();
        self.node.as_ref().and_then(|n| n.metadata.labels.as_ref()).unwrap_or(&NONE)
    }

    /// A label's value.
    pub fn label(&self, key: &str) -> Option<&str> {
        self.labels().get(key).map(String::as_str)
    }

    /// Puts a pod on it.
    pub fn add_pod(&mut self, pod: Arc<PodInfo>) {
        self.count(&pod, 1);
        if let Some(affinity) = &pod.affinity {
            self.pods_with_affinity.push(pod.clone());
            if !affinity.required_anti.is_empty() {
                self.pods_with_required_anti_affinity.push(pod.clone());
            }
        }
        self.pods.push(pod);
    }

    /// Takes a pod off it and gives it back, if it was there.
    pub fn remove_pod(&mut self, uid: &str) -> Option<Arc<PodInfo>> {
        let index = self.pods.iter().position(|p| p.uid() == uid)?;
        let pod = self.pods.swap_remove(index);
        if pod.affinity.is_some() {
            self.pods_with_affinity.retain(|p| p.uid() != uid);
            self.pods_with_required_anti_affinity.retain(|p| p.uid() != uid);
        }
        self.count(&pod, -1);
        Some(pod)
    }

    fn count(&mut self, pod: &PodInfo, sign: i64) {
        self.requested.add(&pod.requests, sign);
        self.non_zero_cpu = self.non_zero_cpu.saturating_add(sign.saturating_mul(pod.non_zero_cpu));
        self.non_zero_memory = self.non_zero_memory.saturating_add(sign.saturating_mul(pod.non_zero_memory));
        for port in &pod.ports {
            if sign < 0 {
                self.used_ports.retain(|p| p != port);
            } else if !self.used_ports.contains(port) {
                self.used_ports.push(port.clone());
            }
        }
    }
}
