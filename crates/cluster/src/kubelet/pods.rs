//! The pods that kubelets know, by their number.

use super::PodIx;
use super::pod_worker::PodWorker;
use std::collections::VecDeque;
use std::sync::Arc;

/// Numbers are given in order and never again, so pods lie in a row: each event of a pod finds it at once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pods {
    /// The number of the first place.
    first: PodIx,
    /// Empty where a pod has gone; the first one is not.
    places: VecDeque<Option<Arc<PodWorker>>>,
}

impl Pods {
    fn place(&self, ix: PodIx) -> Option<usize> {
        usize::try_from(ix.checked_sub(self.first)?).ok()
    }

    pub(crate) fn get(&self, ix: &PodIx) -> Option<&Arc<PodWorker>> {
        self.places.get(self.place(*ix)?)?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, ix: &PodIx) -> Option<&mut Arc<PodWorker>> {
        let place = self.place(*ix)?;
        self.places.get_mut(place)?.as_mut()
    }

    pub(crate) fn contains_key(&self, ix: &PodIx) -> bool {
        self.get(ix).is_some()
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &Arc<PodWorker>> {
        self.places.iter().flatten()
    }

    pub(crate) fn insert(&mut self, ix: PodIx, worker: Arc<PodWorker>) {
        if self.places.is_empty() {
            self.first = ix;
        }
        while ix < self.first {
            self.places.push_front(None);
            self.first -= 1;
        }
        let Some(place) = self.place(ix) else { return };
        while self.places.len() <= place {
            self.places.push_back(None);
        }
        if let Some(kept) = self.places.get_mut(place) {
            *kept = Some(worker);
        }
    }

    pub(crate) fn remove(&mut self, ix: &PodIx) -> Option<Arc<PodWorker>> {
        let place = self.place(*ix)?;
        let worker = self.places.get_mut(place)?.take();
        while let Some(None) = self.places.front() {
            self.places.pop_front();
            self.first += 1;
        }
        worker
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worker() -> Arc<PodWorker> {
        let pod =
            serde_json::json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "uid": "u"}});
        let object = podlab_api::Object::from_value(pod).unwrap();
        Arc::new(PodWorker::new(0, Arc::new(object), Arc::default()))
    }

    #[test]
    fn numbers_find_their_pods_when_others_have_gone() {
        let mut pods = Pods::default();
        for ix in [3, 4, 7] {
            pods.insert(ix, worker());
        }
        let there = |pods: &Pods| (0..10).filter(|ix| pods.contains_key(ix)).collect::<Vec<_>>();
        assert_eq!(there(&pods), [3, 4, 7]);
        assert!(pods.remove(&5).is_none());
        assert!(pods.remove(&4).is_some());
        assert_eq!(there(&pods), [3, 7]);
        assert!(pods.remove(&3).is_some());
        assert_eq!(there(&pods), [7]);
        assert!(pods.remove(&7).is_some());
        pods.insert(9, worker());
        pods.insert(4, worker());
        assert_eq!(there(&pods), [4, 9]);
        assert_eq!(pods.values().count(), 2);
    }
}
