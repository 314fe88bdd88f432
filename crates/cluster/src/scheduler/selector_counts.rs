//! How many pods a selector matches on each node, kept up to date pod by pod.
//!
//! Kubernetes counts anew for every pod it schedules; the numbers are the same, but the cost here does not grow
//! with the number of pods that are placed.

use super::framework::PodInfo;
use podlab_api::selector::Selector;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How many selectors are kept; of more, the one goes that was asked for longest ago.
const KEPT: usize = 32;

#[derive(Clone, Debug)]
struct Entry {
    selector: Selector,
    /// By slot of the node; shorter where the last nodes have none.
    counts: Arc<Vec<u32>>,
    used: u64,
}

/// Counts by namespace and selector.
#[derive(Clone, Debug, Default)]
pub struct SelectorCounts {
    /// (namespace, selector as text) → counts.
    entries: BTreeMap<(String, String), Entry>,
    clock: u64,
}

fn counted(selector: &Selector, pod: &PodInfo) -> bool {
    !pod.object.is_terminating() && selector.matches(pod.object.as_ref())
}

impl SelectorCounts {
    /// The number of matching pods by slot of the node, where this selector is kept.
    pub fn get(&self, namespace: &str, selector: &Selector) -> Option<Arc<Vec<u32>>> {
        let key = (namespace.to_owned(), selector.to_string());
        self.entries.get(&key).map(|entry| entry.counts.clone())
    }

    /// Keeps a selector from now on; `pods` are all pods with the slot of their node.
    pub fn keep<'a>(
        &mut self,
        namespace: &str,
        selector: &Selector,
        pods: impl Iterator<Item = (usize, &'a Arc<PodInfo>)>,
    ) {
        self.clock += 1;
        let key = (namespace.to_owned(), selector.to_string());
        if let Some(entry) = self.entries.get_mut(&key) {
            entry.used = self.clock;
            return;
        }
        if self.entries.len() >= KEPT
            && let Some(oldest) = self.entries.iter().min_by_key(|(_, e)| e.used).map(|(k, _)| k.clone())
        {
            self.entries.remove(&oldest);
        }
        let mut entry = Entry { selector: selector.clone(), counts: Arc::default(), used: self.clock };
        for (slot, pod) in pods.filter(|(_, pod)| *pod.key.namespace == *namespace) {
            if counted(selector, pod) {
                entry.add(slot, 1);
            }
        }
        self.entries.insert(key, entry);
    }

    /// A pod came to a node (`by` is 1) or went from it (-1).
    pub fn count(&mut self, slot: usize, pod: &PodInfo, by: i32) {
        for ((namespace, _), entry) in &mut self.entries {
            if **namespace == *pod.key.namespace && counted(&entry.selector, pod) {
                entry.add(slot, by);
            }
        }
    }
}

impl Entry {
    fn add(&mut self, slot: usize, by: i32) {
        let counts = Arc::make_mut(&mut self.counts);
        if counts.len() <= slot {
            counts.resize(slot + 1, 0);
        }
        counts[slot] = counts[slot].saturating_add_signed(by);
    }
}
