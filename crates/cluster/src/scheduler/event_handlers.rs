//! What the scheduler does about changes in the store.
//!
//! Source: pkg/scheduler/eventhandlers.go (v1.37).

use super::Scheduler;
use super::framework::cluster_event::node_scheduling_properties_change;
use super::framework::pod_info::{is_assigned as assigned, nominated_node as nominated};
use super::framework::{ActionType, ClusterEvent, EventObjects, EventResource, FilterContext, PodInfo};
use crate::store::{Change, Key};
use crate::world::Cx;
use podlab_api::door::ChangeType;
use podlab_api::{Object, kinds};
use std::sync::Arc;

/// Whether the scheduler sees a pod: its watch leaves those out that have ended.
fn visible(pod: &Object) -> bool {
    let phase = pod.pod_status().and_then(|s| s.phase.as_deref());
    !matches!(phase, Some("Succeeded" | "Failed"))
}

fn resizing(pod: &Object) -> bool {
    let conditions = pod.pod_status().and_then(|s| s.conditions.as_ref());
    conditions.is_some_and(|list| list.iter().any(|c| c.type_.starts_with("PodResize")))
}

/// What changed about a pod that matters.
///
/// Source: pkg/scheduler/framework/events.go `PodSchedulingPropertiesChange` (v1.37).
fn pod_events(new: &PodInfo, old: &PodInfo, resource: EventResource) -> Vec<ClusterEvent> {
    let mut actions = Vec::new();
    if new.object.metadata.labels != old.object.metadata.labels {
        actions.push(ActionType::UPDATE_POD_LABEL);
    }
    let differs = |less: &PodInfo, more: &PodInfo| {
        let (less, more) = (&less.requests, &more.requests);
        more.milli_cpu > less.milli_cpu
            || more.memory > less.memory
            || more.ephemeral_storage > less.ephemeral_storage
            || more.scalar.iter().any(|(name, amount)| *amount > less.scalar(name))
    };
    if differs(new, old) {
        actions.push(ActionType::UPDATE_POD_SCALE_DOWN);
    }
    if differs(old, new) {
        actions.push(ActionType::UPDATE_POD_SCALE_UP);
    }
    let gates = |pod: &PodInfo| pod.spec().scheduling_gates.as_ref().is_some_and(|g| !g.is_empty());
    if gates(old) && !gates(new) {
        actions.push(ActionType::UPDATE_POD_SCHEDULING_GATES_ELIMINATED);
    }
    let tolerations = |pod: &PodInfo| pod.spec().tolerations.as_ref().map_or(0, Vec::len);
    if tolerations(new) != tolerations(old) {
        actions.push(ActionType::UPDATE_POD_TOLERATION);
    }
    if actions.is_empty() {
        actions.push(ActionType::UPDATE);
    }
    actions.into_iter().map(|action| ClusterEvent::new(resource, action)).collect()
}

impl Scheduler {
    pub(super) fn see(&mut self, change: &Change, cx: &mut Cx<'_>) {
        let kind = change.object.kind;
        let gone = change.change == ChangeType::Deleted;
        let new = (!gone).then_some(&change.object);
        if *kind == kinds::POD {
            let old = change.before.as_ref().filter(|o| visible(o));
            let new = new.filter(|o| visible(o));
            self.see_pod(old, new, cx);
        } else if *kind == kinds::NODE {
            self.see_node(change.before.as_ref(), new, cx);
        } else {
            let resource = if *kind == kinds::PERSISTENT_VOLUME {
                EventResource::PersistentVolume
            } else if *kind == kinds::PERSISTENT_VOLUME_CLAIM {
                EventResource::PersistentVolumeClaim
            } else if *kind == kinds::STORAGE_CLASS {
                EventResource::StorageClass
            } else {
                return;
            };
            let action = match (&change.before, new) {
                (_, None) => ActionType::DELETE,
                (None, _) => ActionType::ADD,
                (Some(_), _) => ActionType::UPDATE,
            };
            let objects = EventObjects { old: change.before.as_deref(), new: new.map(|o| o.as_ref()) };
            self.wake(ClusterEvent::new(resource, action), objects, i32::MAX, cx);
            if resource == EventResource::PersistentVolumeClaim {
                self.look_at_waiting_bindings(cx);
            }
        }
    }

    /// Moves the pods out of the unschedulable ones that an event may help.
    fn wake(&mut self, event: ClusterEvent, objects: EventObjects<'_>, at_most: i32, cx: &mut Cx<'_>) {
        let Some(profile) = self.profiles.first() else { return };
        let filter = FilterContext { cache: &self.cache, store: cx.api.store(), profile, now: cx.api.now() };
        self.queue.move_all_to_active_or_backoff_queue((&filter, &self.profiles), event, objects, at_most);
    }

    fn see_node(&mut self, old: Option<&Arc<Object>>, new: Option<&Arc<Object>>, cx: &mut Cx<'_>) {
        let objects = EventObjects { old: old.map(|o| o.as_ref()), new: new.map(|o| o.as_ref()) };
        match (old, new) {
            (_, None) => {
                self.wake(ClusterEvent::NODE_DELETE, objects, i32::MAX, cx);
                if let Some(old) = old {
                    self.cache.remove_node(old.name());
                }
            }
            (None, Some(new)) => {
                self.cache.set_node(new);
                self.wake(ClusterEvent::NODE_ADD, objects, i32::MAX, cx);
            }
            (Some(old), Some(new)) => {
                self.cache.set_node(new);
                for event in node_scheduling_properties_change(new, old) {
                    self.wake(event, objects, i32::MAX, cx);
                }
            }
        }
    }

    fn see_pod(&mut self, old: Option<&Arc<Object>>, new: Option<&Arc<Object>>, cx: &mut Cx<'_>) {
        match (old, new) {
            (None, None) => {}
            (None, Some(new)) => self.add_pod(new, cx),
            (Some(old), None) => self.delete_pod(old, cx),
            (Some(old), Some(new)) if old.uid() != new.uid() => {
                self.delete_pod(old, cx);
                self.add_pod(new, cx);
            }
            (Some(old), Some(new)) => self.update_pod(old, new, cx),
        }
    }

    fn responsible_for(&self, pod: &Object) -> bool {
        let name = pod.pod_spec().and_then(|s| s.scheduler_name.as_deref()).unwrap_or("");
        self.profile(name).is_some()
    }

    fn add_pod(&mut self, pod: &Arc<Object>, cx: &mut Cx<'_>) {
        let Some(info) = PodInfo::new(pod.clone()).map(Arc::new) else { return };
        if assigned(pod) {
            self.add_assigned_pod(info, cx);
        } else if self.responsible_for(pod) {
            self.nominator.set(&info, nominated(pod));
            self.queue.add(info, cx.now());
        }
    }

    /// A pod without a node, as a scheduler that has just started finds it.
    pub(super) fn start_anew(&mut self, pod: &Arc<Object>, cx: &mut Cx<'_>) {
        if self.is_waiting(pod.uid()) || !visible(pod) {
            return;
        }
        self.queue.delete(&Key::of(pod));
        self.nominator.remove(pod.uid());
        self.add_pod(pod, cx);
    }

    fn add_assigned_pod(&mut self, info: Arc<PodInfo>, cx: &mut Cx<'_>) {
        self.cache.set_pod(info.clone());
        let objects = EventObjects { old: None, new: Some(&info.object) };
        self.wake(ClusterEvent::ASSIGNED_POD_ADD, objects, i32::MAX, cx);
    }

    fn delete_pod(&mut self, pod: &Arc<Object>, cx: &mut Cx<'_>) {
        let objects = EventObjects { old: Some(pod), new: None };
        if assigned(pod) {
            self.cache.remove_pod(pod.uid());
            self.wake(ClusterEvent::ASSIGNED_POD_DELETE, objects, i32::MAX, cx);
            return;
        }
        let key = Key::of(pod);
        self.queue.delete(&key);
        self.nominator.remove(pod.uid());
        if self.forget_waiting(pod.uid(), cx) {
            self.wake(ClusterEvent::ASSIGNED_POD_DELETE, objects, i32::MAX, cx);
        } else if !nominated(pod).is_empty() {
            let priority = pod.pod_spec().and_then(|s| s.priority).unwrap_or(0);
            self.wake(ClusterEvent::ASSIGNED_POD_DELETE, objects, priority, cx);
        }
    }

    fn update_pod(&mut self, old: &Arc<Object>, new: &Arc<Object>, cx: &mut Cx<'_>) {
        if assigned(old) {
            self.update_assigned_pod(old, new, cx);
            return;
        }
        let key = Key::of(new);
        // A pod that has just been bound is in the queue no more.
        let known = match self.queue.get(&key) {
            Some(queued) => Some(queued.pod.clone()),
            None => self.bound.take().filter(|pod| pod.uid() == new.uid()),
        };
        let info = match known {
            Some(known) => known.updated(new.clone()),
            None => PodInfo::new(new.clone()),
        };
        let Some(info) = info.map(Arc::new) else { return };
        if assigned(new) {
            self.queue.delete(&key);
            self.nominator.remove(new.uid());
            self.forget_waiting(new.uid(), cx);
            self.add_assigned_pod(info, cx);
            return;
        }
        if !self.responsible_for(old) || self.is_waiting(new.uid()) {
            return;
        }
        let Some(before) = PodInfo::new(old.clone()) else { return };
        let events = pod_events(&info, &before, EventResource::TargetPod);
        let objects = EventObjects { old: Some(old), new: Some(new) };
        self.nominator.set(&info, nominated(new));
        let name = info.spec().scheduler_name.clone().unwrap_or_default();
        if let Some(profile) = super::profile_for(&self.profiles, &name) {
            let filter =
                FilterContext { cache: &self.cache, store: cx.api.store(), profile, now: cx.api.now() };
            self.queue.update(&filter, info, &events, objects);
        }
        if !nominated(old).is_empty() && nominated(old) != nominated(new) {
            let priority = old.pod_spec().and_then(|s| s.priority).unwrap_or(0);
            let objects = EventObjects { old: Some(old), new: None };
            self.wake(ClusterEvent::ASSIGNED_POD_DELETE, objects, priority, cx);
        }
    }

    /// A bound pod changes often, and seldom in a way that matters here.
    fn update_assigned_pod(&mut self, old: &Arc<Object>, new: &Arc<Object>, cx: &mut Cx<'_>) {
        let same_spec = match (old.pod_spec(), new.pod_spec()) {
            (Some(old), Some(new)) => Arc::ptr_eq(old, new),
            _ => false,
        };
        if same_spec
            && old.metadata.labels == new.metadata.labels
            && old.is_terminating() == new.is_terminating()
            && !resizing(old)
            && !resizing(new)
        {
            return;
        }
        let Some(before) =
            self.cache.pod(new.uid()).cloned().or_else(|| PodInfo::new(old.clone()).map(Arc::new))
        else {
            return;
        };
        let Some(info) = before.updated(new.clone()).map(Arc::new) else { return };
        self.cache.set_pod(info.clone());
        let objects = EventObjects { old: Some(old), new: Some(new) };
        for event in pod_events(&info, &before, EventResource::AssignedPod) {
            self.wake(event, objects, i32::MAX, cx);
        }
    }
}
