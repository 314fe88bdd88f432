//! replicaset-controller and replication-controller: as many pods as asked for.
//!
//! The real controllers look at caches that lag behind, and so keep expectations of what they have just done; here a
//! sync sees the store itself, and there is nothing to expect.
//!
//! Source: pkg/controller/replicaset/replica_set.go, replica_set_utils.go, pkg/controller/replication (v1.37).

use super::ControllerEvent;
use super::controller_ref::{claim, concerned, controller_of, is_controlled_by, resolve, selector_of};
use super::pod_control::{PodTemplate, create_pod, delete_pod, slow_start_batch};
use super::pods;
use super::queue::{Outcome, SyncError, WorkQueue, is_namespace_terminating};
use super::rate_limiter::RateLimiter;
use super::values::{int, set_status, spec, timestamp};
use crate::recorder::EventRecorder;
use crate::store::{Change, Key};
use crate::world::Cx;
use podlab_api::door::ChangeType;
use podlab_api::{Kind, Object, Status, kinds};
use podlab_sim::SimTime;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The controllers' names.
pub(super) const REPLICA_SET: &str = "replicaset-controller";
pub(super) const REPLICATION: &str = "replication-controller";

/// The most pods that one sync makes or deletes.
///
/// Source: replica_set.go `BurstReplicas`.
const BURST_REPLICAS: usize = 500;

/// One of the two controllers.
#[derive(Clone, Debug)]
pub(super) struct ReplicaSetController {
    kind: &'static Kind,
    queue: WorkQueue,
    recorder: EventRecorder,
    /// What its client may still ask for.
    limiter: RateLimiter,
}

impl Default for ReplicaSetController {
    fn default() -> ReplicaSetController {
        ReplicaSetController {
            kind: &kinds::REPLICA_SET,
            queue: WorkQueue::new("replicaset", ControllerEvent::ReplicaSet),
            recorder: EventRecorder::new(REPLICA_SET, ""),
            limiter: RateLimiter::default(),
        }
    }
}

impl ReplicaSetController {
    /// The one for ReplicationControllers.
    pub(super) fn replication() -> ReplicaSetController {
        ReplicaSetController {
            kind: &kinds::REPLICATION_CONTROLLER,
            queue: WorkQueue::new("replicationmanager", ControllerEvent::ReplicationController),
            recorder: EventRecorder::new(REPLICATION, ""),
            limiter: RateLimiter::default(),
        }
    }

    pub(super) fn observe(&mut self, change: &Change, cx: &mut Cx<'_>) {
        let object = &change.object;
        if object.kind == self.kind {
            if change.change == ChangeType::Deleted {
                self.queue.forget(&Key::of(object), cx);
            } else {
                self.queue.add(Key::of(object), cx);
            }
        } else if *object.kind == kinds::POD {
            for key in concerned(change, self.kind, cx) {
                self.queue.add(key, cx);
            }
        }
    }

    pub(super) fn sync(&mut self, key: &Key, cx: &mut Cx<'_>) {
        self.queue.take(key, cx);
        let outcome = self.sync_replica_set(key, cx);
        self.queue.done(key, &outcome, cx);
    }

    fn sync_replica_set(&mut self, key: &Key, cx: &mut Cx<'_>) -> Outcome {
        let Some(set) = cx.api.store().get_key(self.kind, key).cloned() else { return Ok(None) };
        let Some(selector) = selector_of(&set) else { return Ok(None) };
        let mut active = Vec::new();
        let mut terminating = 0i64;
        let store = cx.api.store();
        let own =
            store.dependents(set.uid()).filter(|o| *o.kind == kinds::POD && is_controlled_by(o, set.uid()));
        for pod in own.chain(store.pods_without_controller(set.namespace())) {
            if pods::is_active(pod) {
                active.push(pod.clone());
            } else if pods::is_going(pod) && is_controlled_by(pod, set.uid()) && selector.matches(&**pod) {
                terminating += 1;
            }
        }
        let active = claim(&set, active, &|pod| selector.matches(pod), None, cx)?;
        let (failure, held_until) = match set.is_terminating() {
            true => (None, None),
            false => self.manage_replicas(&active, &set, cx),
        };
        // A pod that was adopted has made a new version of nothing but itself.
        let terminating = (*self.kind == kinds::REPLICA_SET).then_some(terminating);
        let status = calculate_status(&set, &active, terminating, failure.as_ref(), cx);
        let min_ready = int(spec(&set, "minReadySeconds")).unwrap_or(0);
        let lacking = status.get("readyReplicas") != status.get("availableReplicas");
        update_status(&set, status, cx)?;
        if let Some(failure) = failure {
            return Err(failure.into());
        }
        let available = pods::next_available(&active, min_ready, cx.now()).filter(|_| lacking);
        Ok(available.into_iter().chain(held_until).min())
    }

    /// Makes or deletes pods; gives the first failure, and when the client may make those that it had to wait with.
    fn manage_replicas(
        &mut self,
        active: &[Arc<Object>],
        set: &Arc<Object>,
        cx: &mut Cx<'_>,
    ) -> (Option<Status>, Option<SimTime>) {
        let wanted = usize::try_from(int(spec(set, "replicas")).unwrap_or(1)).unwrap_or(0);
        if active.len() < wanted {
            let Some(template) = PodTemplate::of(set) else { return (None, None) };
            let missing = (wanted - active.len()).min(BURST_REPLICAS);
            let count = self.limiter.take(missing, cx.now());
            let held_until = (count < missing).then(|| self.limiter.next(cx.now()));
            let recorder = &mut self.recorder;
            let (_, failure) =
                slow_start_batch(count, |_| match create_pod(template.pod(set), set, recorder, cx) {
                    Err(status) if !is_namespace_terminating(&status) => Err(status),
                    _ => Ok(()),
                });
            return (failure, held_until);
        }
        let excess = (active.len() - wanted).min(BURST_REPLICAS);
        if excess == 0 {
            return (None, None);
        }
        let mut doomed = active.to_vec();
        if excess < doomed.len() {
            let on_node = self.related_on_nodes(set, cx);
            pods::sort_for_deletion(&mut doomed, &on_node, cx.now());
        }
        let mut failure = None;
        for pod in doomed.iter().take(excess) {
            match delete_pod(pod.name(), set, &mut self.recorder, cx) {
                Err(status) if !status.is_not_found() => {
                    failure.get_or_insert(status);
                }
                _ => {}
            }
        }
        (failure, None)
    }

    /// node → active pods there of all sets with the same controller.
    ///
    /// Source: `getIndirectlyRelatedPods`, `getPodsRankedByRelatedPodsOnSameNode`.
    fn related_on_nodes(&self, set: &Object, cx: &Cx<'_>) -> BTreeMap<String, usize> {
        let mut on_node = BTreeMap::new();
        let Some(controller) = controller_of(set) else { return on_node };
        let store = cx.api.store();
        let mut seen = BTreeSet::new();
        let related = store
            .dependents(&controller.uid)
            .filter(|object| object.kind == self.kind && is_controlled_by(object, &controller.uid));
        for related in related {
            let Some(selector) = selector_of(related) else { continue };
            // A selector matches its own pods, and what belongs to nobody.
            let own = store.dependents(related.uid()).filter(|object| *object.kind == kinds::POD);
            for pod in own.chain(store.pods_without_controller(set.namespace())) {
                if pods::is_active(pod) && selector.matches(&**pod) && seen.insert(pod.uid()) {
                    *on_node.entry(pods::node_name(pod).to_owned()).or_default() += 1;
                }
            }
        }
        on_node
    }
}

/// Source: replica_set_utils.go `calculateStatus`.
fn calculate_status(
    set: &Object,
    active: &[Arc<Object>],
    terminating: Option<i64>,
    failure: Option<&Status>,
    cx: &Cx<'_>,
) -> Map<String, Value> {
    let min_ready = int(spec(set, "minReadySeconds")).unwrap_or(0);
    let template = set.field("spec").and_then(|spec| spec.pointer("/template/metadata/labels"));
    let template = template.and_then(Value::as_object);
    let labelled = |pod: &Object| {
        template.is_none_or(|labels| labels.iter().all(|(key, value)| pod.label(key) == value.as_str()))
    };
    let (mut full, mut ready, mut available) = (0i64, 0i64, 0i64);
    for pod in active {
        full += i64::from(labelled(pod));
        if pods::is_ready(pod) {
            ready += 1;
            available += i64::from(pods::is_available(pod, min_ready, cx.now()));
        }
    }
    let mut conditions = set
        .field("status")
        .and_then(|status| status.get("conditions"))
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let is_failure =
        |condition: &Value| condition.get("type").and_then(Value::as_str) == Some("ReplicaFailure");
    match failure {
        Some(status) if !conditions.iter().any(is_failure) => {
            let wanted = int(spec(set, "replicas")).unwrap_or(1);
            let reason = match i64::try_from(active.len()).unwrap_or(i64::MAX).cmp(&wanted) {
                std::cmp::Ordering::Less => "FailedCreate",
                std::cmp::Ordering::Greater => "FailedDelete",
                std::cmp::Ordering::Equal => "",
            };
            conditions.push(json!({"type": "ReplicaFailure", "status": "True", "reason": reason,
                "message": status.message, "lastTransitionTime": timestamp(cx.now())}));
        }
        None => conditions.retain(|condition| !is_failure(condition)),
        Some(_) => {}
    }
    let mut status = Map::new();
    status.insert("replicas".to_owned(), active.len().into());
    for (name, count) in
        [("fullyLabeledReplicas", full), ("readyReplicas", ready), ("availableReplicas", available)]
    {
        if count > 0 {
            status.insert(name.to_owned(), count.into());
        }
    }
    if let Some(terminating) = terminating {
        status.insert("terminatingReplicas".to_owned(), terminating.into());
    }
    if !conditions.is_empty() {
        status.insert("conditions".to_owned(), conditions.into());
    }
    status
}

/// Writes the status where it differs, with the generation that it was worked out for.
fn update_status(
    set: &Arc<Object>,
    mut status: Map<String, Value>,
    cx: &mut Cx<'_>,
) -> Result<(), SyncError> {
    status.insert("observedGeneration".to_owned(), set.metadata.generation.unwrap_or(0).into());
    if set.field("status").and_then(Value::as_object) == Some(&status) {
        return Ok(());
    }
    set_status(set, Value::Object(status), cx).map(|_| ()).map_err(SyncError::from)
}

/// The ReplicaSet of a pod.
pub(super) fn replica_set_of(pod: &Object, cx: &Cx<'_>) -> Option<Arc<Object>> {
    resolve(controller_of(pod)?, &kinds::REPLICA_SET, pod.namespace(), cx)
}
