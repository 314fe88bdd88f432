//! daemonset-controller: one pod on every node that may have one.
//!
//! The pods are bound by the scheduler, through a required node affinity that names the node.
//!
//! Source: pkg/controller/daemon/daemon_controller.go (v1.37).

mod history;
mod placement;
mod status;
mod update;

use super::ControllerEvent;
use super::controller_ref::{claim, concerned, is_controlled_by, selector_of};
use super::history as revisions;
use super::pod_control::{PodTemplate, create_pod, delete_pod, slow_start_batch};
use super::pods;
use super::queue::{Outcome, SyncError, WorkQueue, is_namespace_terminating};
use super::values::{spec, text};
use crate::recorder::{EventRecorder, EventType, InvolvedObject};
use crate::store::{Change, Key};
use crate::world::Cx;
use placement::Placement;
pub(super) use placement::aim;
use podlab_api::door::ChangeType;
use podlab_api::time::unix_seconds;
use podlab_api::{Object, kinds};
use podlab_sim::{SimDuration, SimTime};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The controller's name.
pub(super) const NAME: &str = "daemonset-controller";

/// The most pods that one sync makes or deletes.
///
/// Source: daemon_controller.go `BurstReplicas`.
const BURST_REPLICAS: usize = 250;

/// How long a failed pod is left alone at first, and at most.
///
/// Source: cmd/kube-controller-manager/app/apps.go `flowcontrol.NewBackOff(1*time.Second, 15*time.Minute)`.
const FAILED_BACKOFF: (SimDuration, SimDuration) = (SimDuration::from_secs(1), SimDuration::from_secs(900));

/// node → its pods of one DaemonSet, going ones included.
type OnNode = BTreeMap<String, Vec<Arc<Object>>>;

#[derive(Clone, Debug)]
pub(super) struct DaemonSetController {
    queue: WorkQueue,
    recorder: EventRecorder,
    /// (uid, generation, node) → how long failed pods are left alone, and since when.
    failed: BTreeMap<(String, i64, String), (SimDuration, SimTime)>,
}

impl Default for DaemonSetController {
    fn default() -> DaemonSetController {
        DaemonSetController {
            queue: WorkQueue::new("daemonset", ControllerEvent::DaemonSet),
            recorder: EventRecorder::new(NAME, ""),
            failed: BTreeMap::new(),
        }
    }
}

impl DaemonSetController {
    pub(super) fn observe(&mut self, change: &Change, cx: &mut Cx<'_>) {
        let object = &change.object;
        match object.kind {
            kind if *kind == kinds::DAEMON_SET => {
                if change.change == ChangeType::Deleted {
                    self.failed.retain(|(uid, ..), _| uid != object.uid());
                    self.queue.forget(&Key::of(object), cx);
                } else {
                    self.queue.add(Key::of(object), cx);
                }
            }
            kind if *kind == kinds::POD => {
                for key in concerned(change, &kinds::DAEMON_SET, cx) {
                    self.queue.add(key, cx);
                }
            }
            kind if *kind == kinds::NODE => self.observe_node(change, cx),
            kind if *kind == kinds::CONTROLLER_REVISION => {
                for key in revisions::concerned(change, &kinds::DAEMON_SET, cx) {
                    self.queue.add(key, cx);
                }
            }
            _ => {}
        }
    }

    /// A node has come, or has other labels or taints: the sets for which that makes a difference are looked at.
    ///
    /// Source: `shouldIgnoreNodeUpdate`, `syncNodeUpdate`.
    fn observe_node(&mut self, change: &Change, cx: &mut Cx<'_>) {
        let node = &change.object;
        let taints = |node: &Object| node.node_spec().and_then(|spec| spec.taints.clone());
        let same = |before: &Object| {
            before.metadata.labels == node.metadata.labels && taints(before) == taints(node)
        };
        let ignored = change.change == ChangeType::Modified && change.before.as_deref().is_some_and(same);
        if change.change == ChangeType::Deleted || ignored {
            return;
        }
        let store = cx.api.store();
        let concerned = |set: &&Arc<Object>| {
            let Some(placement) = Placement::of(set) else { return false };
            let scheduled = store.pods_on_node(node.name()).any(|pod| is_controlled_by(pod, set.uid()));
            let (run, go_on) = placement.on(node);
            let misscheduled = super::values::int(super::values::status(set, "numberMisscheduled"));
            (run && !scheduled) || (scheduled && (!go_on || misscheduled.unwrap_or(0) > 0))
        };
        let keys: Vec<Key> =
            store.list(&kinds::DAEMON_SET).filter(concerned).map(|set| Key::of(set)).collect();
        for key in keys {
            self.queue.add(key, cx);
        }
    }

    pub(super) fn sync(&mut self, key: &Key, cx: &mut Cx<'_>) {
        self.queue.take(key, cx);
        let outcome = match cx.api.store().get_key(&kinds::DAEMON_SET, key).cloned() {
            Some(set) => self.sync_daemon_set(&set, cx),
            None => Ok(None),
        };
        self.queue.done(key, &outcome, cx);
    }

    fn sync_daemon_set(&mut self, set: &Arc<Object>, cx: &mut Cx<'_>) -> Outcome {
        let Some(selector) = selector_of(set) else { return Ok(None) };
        if selector.is_empty() {
            let message = "This daemon set is selecting all pods. A non-empty selector is required.";
            let about = InvolvedObject::of(set);
            self.recorder.event(cx.api, &about, EventType::Warning, "SelectingAll", message);
            return Ok(None);
        }
        if set.is_terminating() {
            return Ok(None);
        }
        let Some(placement) = Placement::of(set) else { return Ok(None) };
        let (current, old) = self.construct_history(set, &selector, cx)?;
        let hash = current.label(revisions::HASH_LABEL).unwrap_or("").to_owned();
        let mut again = None;
        let result = self.update(set, &placement, &hash, &old, &mut again, cx);
        let available = self.update_status(set, &placement, &hash, cx)?;
        result?;
        Ok([again, available].into_iter().flatten().min())
    }

    fn update(
        &mut self,
        set: &Arc<Object>,
        placement: &Placement,
        hash: &str,
        old: &[Arc<Object>],
        again: &mut Option<SimTime>,
        cx: &mut Cx<'_>,
    ) -> Result<(), SyncError> {
        // What has just been made or deleted is awaited before a rolling update goes on.
        if !self.manage(set, placement, hash, again, cx)?
            && text(spec(set, "updateStrategy").and_then(|s| s.get("type"))) == "RollingUpdate"
        {
            self.rolling_update(set, placement, hash, cx)?;
        }
        self.cleanup_history(set, old, cx)
    }

    /// The pods of a set by the node that they are meant for.
    fn pods_by_node(&self, set: &Arc<Object>, ended_too: bool, cx: &mut Cx<'_>) -> Result<OnNode, SyncError> {
        let mut on_node = OnNode::new();
        for pod in self.claimed(set, cx)? {
            if !ended_too && pods::is_terminal(&pod) && pod.is_terminating() {
                continue;
            }
            if let Some(node) = placement::target_node(&pod) {
                on_node.entry(node.to_owned()).or_default().push(pod);
            }
        }
        Ok(on_node)
    }

    fn claimed(&self, set: &Arc<Object>, cx: &mut Cx<'_>) -> Result<Vec<Arc<Object>>, SyncError> {
        let Some(selector) = selector_of(set) else { return Ok(Vec::new()) };
        let store = cx.api.store();
        let own = store.dependents(set.uid()).filter(|object| *object.kind == kinds::POD);
        let all = own.chain(store.pods_without_controller(set.namespace())).cloned().collect();
        claim(set, all, &|pod| selector.matches(pod), None, cx)
    }

    /// Makes the pods that are missing and deletes those that are too many; says whether there were any.
    fn manage(
        &mut self,
        set: &Arc<Object>,
        placement: &Placement,
        hash: &str,
        again: &mut Option<SimTime>,
        cx: &mut Cx<'_>,
    ) -> Result<bool, SyncError> {
        let on_node = self.pods_by_node(set, false, cx)?;
        let nodes: Vec<Arc<Object>> = cx.api.store().list(&kinds::NODE).cloned().collect();
        let (mut needing, mut doomed) = (Vec::new(), Vec::new());
        for node in &nodes {
            let present = on_node.get(node.name());
            let (run, go_on) = placement.on(node);
            match present {
                None if run => needing.push(node.name().to_owned()),
                Some(present) if go_on => {
                    let running = self.without_ended(set, node.name(), present, &mut doomed, again, cx);
                    if !placement.allows_surge() {
                        doomed.extend(running.iter().skip(1).map(|pod| pod.name().to_owned()));
                    } else if running.is_empty() && run {
                        needing.push(node.name().to_owned());
                    } else if running.len() > 1 {
                        doomed.extend(surplus(&running, placement, hash, cx.now()));
                    }
                }
                Some(present) => {
                    let staying = present.iter().filter(|pod| !pod.is_terminating());
                    doomed.extend(staying.map(|pod| pod.name().to_owned()));
                }
                None => {}
            }
        }
        for (node, pods) in &on_node {
            if cx.api.store().get(&kinds::NODE, "", node).is_none() {
                let waiting = pods.iter().filter(|pod| pods::node_name(pod).is_empty());
                doomed.extend(waiting.map(|pod| pod.name().to_owned()));
            }
        }
        let acts = !needing.is_empty() || !doomed.is_empty();
        self.sync_nodes(set, &doomed, &needing, hash, cx)?;
        Ok(acts)
    }

    /// The pods of a node that run, oldest first; those that have ended are to be deleted.
    fn without_ended(
        &mut self,
        set: &Arc<Object>,
        node: &str,
        present: &[Arc<Object>],
        doomed: &mut Vec<String>,
        again: &mut Option<SimTime>,
        cx: &mut Cx<'_>,
    ) -> Vec<Arc<Object>> {
        let mut running = Vec::new();
        for pod in present.iter().filter(|pod| !pod.is_terminating()) {
            let place = format!("{}/{} on node {node}", pod.namespace(), pod.name());
            let (kind, reason, message) = match pods::phase(pod) {
                "Failed" => {
                    if let Some(until) = self.backing_off(set, node, cx.now()) {
                        *again = Some(again.map_or(until, |at| at.min(until)));
                        continue;
                    }
                    let message = format!("Found failed daemon pod {place}, will try to kill it");
                    (EventType::Warning, "FailedDaemonPod", message)
                }
                "Succeeded" => {
                    let message = format!("Found succeeded daemon pod {place}, will try to delete it");
                    (EventType::Normal, "SucceededDaemonPod", message)
                }
                _ => {
                    running.push(pod.clone());
                    continue;
                }
            };
            self.recorder.event(cx.api, &InvolvedObject::of(set), kind, reason, &message);
            doomed.push(pod.name().to_owned());
        }
        sort_by_age(&mut running);
        running
    }

    /// Until when a failed pod is left alone; otherwise the next one will be for longer.
    ///
    /// Source: k8s.io/client-go/util/flowcontrol/backoff.go.
    fn backing_off(&mut self, set: &Object, node: &str, now: SimTime) -> Option<SimTime> {
        let generation = super::values::int(super::values::status(set, "observedGeneration")).unwrap_or(0);
        let (first, most) = FAILED_BACKOFF;
        let entry = self.failed.entry((set.uid().to_owned(), generation, node.to_owned()));
        match entry {
            std::collections::btree_map::Entry::Occupied(mut known) => {
                let (delay, since) = *known.get();
                if now.since(since) < delay {
                    return Some(since + delay);
                }
                let delay = if now.since(since) > most * 2 { first } else { (delay * 2).min(most) };
                known.insert((delay, now));
            }
            std::collections::btree_map::Entry::Vacant(free) => {
                free.insert((first, now));
            }
        }
        None
    }

    fn sync_nodes(
        &mut self,
        set: &Arc<Object>,
        doomed: &[String],
        needing: &[String],
        hash: &str,
        cx: &mut Cx<'_>,
    ) -> Result<(), SyncError> {
        let mut failure = None;
        if !needing.is_empty()
            && let Some(template) = PodTemplate::of(set)
        {
            let recorder = &mut self.recorder;
            (_, failure) = slow_start_batch(needing.len().min(BURST_REPLICAS), |at| {
                let Some(node) = needing.get(at) else { return Ok(()) };
                let mut pod = template.pod(set);
                aim(&mut pod, node, set, hash);
                match create_pod(pod, set, recorder, cx) {
                    Err(status) if !is_namespace_terminating(&status) => Err(status),
                    _ => Ok(()),
                }
            });
        }
        for name in doomed.iter().take(BURST_REPLICAS) {
            match delete_pod(name, set, &mut self.recorder, cx) {
                Err(status) if !status.is_not_found() => {
                    failure.get_or_insert(status);
                }
                _ => {}
            }
        }
        failure.map_or(Ok(()), |status| Err(status.into()))
    }
}

/// Bound pods first, then the older.
///
/// Source: `podByCreationTimestampAndPhase`.
fn sort_by_age(pods: &mut [Arc<Object>]) {
    let created = |pod: &Object| pod.metadata.creation_timestamp.as_ref().map_or(0, unix_seconds);
    pods.sort_by(|a, b| {
        let waiting = |pod: &Object| pods::node_name(pod).is_empty();
        waiting(a)
            .cmp(&waiting(b))
            .then_with(|| created(a).cmp(&created(b)))
            .then_with(|| a.name().cmp(b.name()))
    });
}

/// While pods may be replaced before they go, a node keeps one of the old template and one of the new.
fn surplus(running: &[Arc<Object>], placement: &Placement, hash: &str, now: SimTime) -> Vec<String> {
    let (mut new, mut old): (Option<&Arc<Object>>, Option<&Arc<Object>>) = (None, None);
    let mut doomed = Vec::new();
    for pod in running {
        let slot = if pod.label(revisions::HASH_LABEL) == Some(hash) { &mut new } else { &mut old };
        if slot.is_none() {
            *slot = Some(pod);
        } else {
            doomed.push(pod.name().to_owned());
        }
    }
    if let (Some(new), Some(old)) = (new, old)
        && (!pods::is_ready(old) || pods::is_available(new, placement.min_ready_seconds(), now))
    {
        doomed.push(old.name().to_owned());
    }
    doomed
}
