//! Nodes and the pods on them, kept up to date change by change.
//!
//! Source: pkg/scheduler/backend/cache/cache.go, node_tree.go (v1.37).

use super::framework::{NodeInfo, PodInfo};
use super::selector_counts::SelectorCounts;
use podlab_api::Object;
use podlab_api::selector::Selector;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// An image on some nodes.
#[derive(Clone, Debug)]
struct ImageState {
    size: i64,
    nodes: BTreeSet<Arc<str>>,
}

/// All nodes.
///
/// Invariant: `order` lists the slots of exactly those nodes whose object is known, zone by zone in turn.
#[derive(Clone, Debug, Default)]
pub struct Cache {
    /// By slot; a slot is never moved. A free slot holds a node without object and pods.
    slots: Vec<Arc<NodeInfo>>,
    free: Vec<usize>,
    /// How many changes of nodes there were.
    generation: u64,
    /// The generation of the node in each slot once more: hundreds are compared for each pod.
    generations: Vec<u64>,
    by_name: BTreeMap<Arc<str>, usize>,
    /// The order in which nodes are looked at.
    order: Arc<Vec<usize>>,
    /// Zones in the order in which they appeared, each with its nodes in the order in which they did.
    zones: Vec<(String, Vec<Arc<str>>)>,
    /// pod uid → slot of its node.
    pods: BTreeMap<Arc<str>, usize>,
    images: BTreeMap<String, ImageState>,
    /// Slots of nodes with pods that have affinity to others.
    with_affinity: BTreeSet<usize>,
    /// Slots of nodes with pods that have required anti-affinity.
    with_required_anti_affinity: BTreeSet<usize>,
    counts: SelectorCounts,
}

/// The zone of a node: region and zone in one text.
///
/// Source: component-helpers/node/topology/helpers.go `GetZoneKey` (v1.37).
fn zone_key(node: &Object) -> String {
    let label = |ga: &str, beta: &str| node.label(ga).or_else(|| node.label(beta)).unwrap_or("");
    let zone = label("topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone");
    let region = label("topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region");
    if zone.is_empty() && region.is_empty() { String::new() } else { format!("{region}:\0:{zone}") }
}

impl Cache {
    /// How many nodes there are.
    pub fn node_count(&self) -> usize {
        self.order.len()
    }

    /// The slots of all nodes in the order in which they are looked at.
    pub fn order(&self) -> Arc<Vec<usize>> {
        self.order.clone()
    }

    /// A node by its slot.
    pub fn node(&self, slot: usize) -> Option<&Arc<NodeInfo>> {
        self.slots.get(slot)
    }

    /// The slot of a node whose object is known.
    pub fn slot(&self, name: &str) -> Option<usize> {
        let slot = *self.by_name.get(name)?;
        self.slots.get(slot).filter(|n| n.node.is_some()).map(|_| slot)
    }

    /// A node whose object is known.
    pub fn node_by_name(&self, name: &str) -> Option<&Arc<NodeInfo>> {
        self.slot(name).and_then(|slot| self.slots.get(slot))
    }

    /// All nodes in the order in which they are looked at.
    pub fn nodes(&self) -> impl Iterator<Item = &Arc<NodeInfo>> {
        self.order.iter().filter_map(|slot| self.slots.get(*slot))
    }

    /// Nodes with pods that have affinity to others.
    pub fn nodes_with_affinity(&self) -> impl Iterator<Item = &Arc<NodeInfo>> {
        self.with_affinity.iter().filter_map(|slot| self.slots.get(*slot)).filter(|n| n.node.is_some())
    }

    /// Nodes with pods that have required anti-affinity.
    pub fn nodes_with_required_anti_affinity(&self) -> impl Iterator<Item = &Arc<NodeInfo>> {
        let slots = self.with_required_anti_affinity.iter();
        slots.filter_map(|slot| self.slots.get(*slot)).filter(|n| n.node.is_some())
    }

    /// Size in bytes of an image and on how many nodes it is.
    pub fn image(&self, name: &str) -> Option<(i64, usize)> {
        self.images.get(name).map(|state| (state.size, state.nodes.len()))
    }

    /// The slot of the node a pod is on.
    pub fn pod_slot(&self, uid: &str) -> Option<usize> {
        self.pods.get(uid).copied()
    }

    fn slot_for(&mut self, name: &str) -> usize {
        if let Some(slot) = self.by_name.get(name) {
            return *slot;
        }
        let mut node = NodeInfo::new(name);
        let key = node.name.clone();
        let slot = self.free.pop().unwrap_or(self.slots.len());
        node.slot = slot;
        self.generation += 1;
        node.generation = self.generation;
        match self.slots.get_mut(slot) {
            Some(free) => *free = Arc::new(node),
            None => self.slots.push(Arc::new(node)),
        }
        self.generations.resize(self.slots.len(), 0);
        self.generations[slot] = self.generation;
        self.by_name.insert(key, slot);
        slot
    }

    /// A node, to be changed.
    fn node_mut(&mut self, slot: usize) -> &mut NodeInfo {
        self.generation += 1;
        let node = Arc::make_mut(&mut self.slots[slot]);
        node.generation = self.generation;
        self.generations[slot] = self.generation;
        node
    }

    /// The generation of the node in a slot; 0 where there is none.
    pub fn generation(&self, slot: usize) -> u64 {
        self.generations.get(slot).copied().unwrap_or(0)
    }

    /// Takes up a node, new or changed.
    pub fn set_node(&mut self, object: &Arc<Object>) {
        let slot = self.slot_for(object.name());
        let old = self.slots[slot].node.clone();
        let images_changed = match (old.as_ref().and_then(|o| o.node_status()), object.node_status()) {
            (Some(old), Some(new)) => old.images != new.images,
            _ => true,
        };
        if images_changed {
            self.forget_images(slot);
        }
        self.node_mut(slot).set_node(object.clone());
        if images_changed {
            self.learn_images(slot, object);
        }
        let zone = zone_key(object);
        let moved = old.as_ref().is_none_or(|o| zone_key(o) != zone);
        if moved {
            let name = self.slots[slot].name.clone();
            if old.is_some() {
                self.leave_zone(&name);
            }
            let place = self.zones.iter().position(|(z, _)| *z == zone).unwrap_or_else(|| {
                self.zones.push((zone, Vec::new()));
                self.zones.len() - 1
            });
            self.zones[place].1.push(name);
            let longest = self.zones[place].1.len();
            let is_last =
                self.zones.iter().enumerate().all(|(index, (_, names))| {
                    names.len() < longest || names.len() == longest && index <= place
                });
            // The order counts through the zones: whoever joins its longest zone last comes last. With thousands of
            // nodes joining one by one, making the order anew for each would take most of the time.
            if is_last && old.is_none() {
                Arc::make_mut(&mut self.order).push(slot);
            } else {
                self.reorder();
            }
        }
    }

    /// A node is gone; pods that are still on it stay known.
    pub fn remove_node(&mut self, name: &str) {
        let Some(slot) = self.by_name.get(name).copied() else { return };
        self.forget_images(slot);
        let node = self.node_mut(slot);
        node.node = None;
        node.images = Arc::default();
        let empty = node.pods.is_empty();
        self.leave_zone(name);
        if empty {
            self.by_name.remove(name);
            self.free.push(slot);
        }
        self.reorder();
    }

    fn leave_zone(&mut self, name: &str) {
        for (_, names) in &mut self.zones {
            names.retain(|n| n.as_ref() != name);
        }
        self.zones.retain(|(_, names)| !names.is_empty());
    }

    fn reorder(&mut self) {
        let longest = self.zones.iter().map(|(_, names)| names.len()).max().unwrap_or(0);
        let mut order = Vec::new();
        for index in 0..longest {
            for (_, names) in &self.zones {
                if let Some(slot) = names.get(index).and_then(|name| self.by_name.get(name)) {
                    order.push(*slot);
                }
            }
        }
        self.order = Arc::new(order);
    }

    fn learn_images(&mut self, slot: usize, object: &Object) {
        let name = self.slots[slot].name.clone();
        for image in object.node_status().iter().flat_map(|s| s.images.iter().flatten()) {
            for image_name in image.names.iter().flatten() {
                let state = self.images.entry(image_name.clone()).or_insert_with(|| ImageState {
                    size: image.size_bytes.unwrap_or(0),
                    nodes: BTreeSet::new(),
                });
                state.nodes.insert(name.clone());
            }
        }
    }

    fn forget_images(&mut self, slot: usize) {
        let node = self.slots[slot].clone();
        for image in node.images.iter() {
            if let Some(state) = self.images.get_mut(image) {
                state.nodes.remove(&node.name);
                if state.nodes.is_empty() {
                    self.images.remove(image);
                }
            }
        }
    }

    /// Takes up a pod that has a node, new or changed.
    pub fn set_pod(&mut self, pod: Arc<PodInfo>) {
        let node_name = pod.node_name().to_owned();
        self.remove_pod(pod.uid());
        let slot = self.slot_for(&node_name);
        self.pods.insert(pod.uid().into(), slot);
        self.counts.count(slot, &pod, 1);
        self.node_mut(slot).add_pod(pod);
        self.note_affinity(slot);
    }

    /// The pod with this uid, if it has a node.
    pub fn pod(&self, uid: &str) -> Option<&Arc<PodInfo>> {
        let slot = self.pods.get(uid)?;
        self.slots.get(*slot)?.pods.iter().find(|p| p.uid() == uid)
    }

    /// A pod is gone.
    pub fn remove_pod(&mut self, uid: &str) {
        let Some(slot) = self.pods.remove(uid) else { return };
        let removed = self.node_mut(slot).remove_pod(uid);
        if let Some(pod) = removed {
            self.counts.count(slot, &pod, -1);
        }
        let node = &self.slots[slot];
        if node.node.is_none() && node.pods.is_empty() {
            let name = node.name.clone();
            self.by_name.remove(&name);
            self.free.push(slot);
        }
        self.note_affinity(slot);
    }

    /// Counts the pods that a selector matches from now on, rather than when they are asked for.
    pub fn keep_count(&mut self, namespace: &str, selector: &Selector) {
        let pods = self.slots.iter().flat_map(|node| node.pods.iter().map(|pod| (node.slot, pod)));
        self.counts.keep(namespace, selector, pods);
    }

    /// The pods of a namespace that a selector matches, by slot of their node; those that are ending are not
    /// counted. Missing slots have none.
    pub fn count_pods(&self, namespace: &str, selector: &Selector) -> Arc<Vec<u32>> {
        if let Some(counts) = self.counts.get(namespace, selector) {
            return counts;
        }
        let mut counts = SelectorCounts::default();
        let pods = self.slots.iter().flat_map(|node| node.pods.iter().map(|pod| (node.slot, pod)));
        counts.keep(namespace, selector, pods);
        counts.get(namespace, selector).unwrap_or_default()
    }

    fn note_affinity(&mut self, slot: usize) {
        let node = &self.slots[slot];
        let note = |set: &mut BTreeSet<usize>, has: bool| {
            if has {
                set.insert(slot);
            } else {
                set.remove(&slot);
            }
        };
        note(&mut self.with_affinity, !node.pods_with_affinity.is_empty());
        note(&mut self.with_required_anti_affinity, !node.pods_with_required_anti_affinity.is_empty());
    }
}
