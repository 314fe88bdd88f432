//! node-lifecycle-controller: notices kubelets that have fallen silent, and taints nodes by their conditions.
//!
//! The real controller looks at every node every 5 s. Here a look is planned only for the turn at which it would
//! find something: a node has changed, or its grace period is over. A kubelet that runs renews its lease by
//! reckoning (`apiserver/leases.rs`), so an idle cluster costs no event at all.
//!
//! Source: pkg/controller/nodelifecycle/node_lifecycle_controller.go (v1.37).

mod conditions;
mod taints;
mod zones;

use super::ControllerEvent;
use crate::event::Event;
use crate::latency;
use crate::recorder::{EventRecorder, EventType, InvolvedObject};
use crate::store::Change;
use crate::world::Cx;
use podlab_api::door::ChangeType;
use podlab_api::event::ObjectReference;
use podlab_api::{Object, kinds};
use podlab_sim::{SimDuration, SimTime, Slot};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The controller's name.
pub(super) const NAME: &str = "node-lifecycle-controller";

/// Who its events are from.
const COMPONENT: &str = "node-controller";

/// How often nodes are looked at.
///
/// Source: pkg/controller/nodelifecycle/config/v1alpha1/defaults.go `NodeMonitorPeriod` (v1.37).
const MONITOR_PERIOD: SimDuration = SimDuration::from_secs(5);

/// How long a kubelet may be silent.
///
/// Source: the same file, `NodeMonitorGracePeriod`.
const MONITOR_GRACE_PERIOD: SimDuration = SimDuration::from_secs(50);

/// How long a node may take to say anything at all.
///
/// Source: the same file, `NodeStartupGracePeriod`.
const STARTUP_GRACE_PERIOD: SimDuration = SimDuration::from_secs(60);

/// How often nodes that wait for a taint NoExecute are looked at.
///
/// Source: pkg/controller/nodelifecycle/scheduler/rate_limited_queue.go `NodeEvictionPeriod` (v1.37).
const EVICTION_PERIOD: SimDuration = SimDuration::from_millis(100);

#[derive(Clone, Debug)]
pub(super) struct NodeLifecycleController {
    recorder: EventRecorder,
    /// node → uid, of nodes that a turn has seen.
    known: BTreeMap<String, String>,
    /// Nodes that the next turn looks at.
    dirty: BTreeSet<String>,
    /// node → when it was last heard of, as a turn saw it; only of nodes that are silent or say so by themselves.
    probed: BTreeMap<String, SimTime>,
    zones: zones::Zones,
    turn: Option<(SimTime, Slot)>,
    tainting: Option<Slot>,
}

impl Default for NodeLifecycleController {
    fn default() -> NodeLifecycleController {
        NodeLifecycleController {
            recorder: EventRecorder::new(COMPONENT, ""),
            known: BTreeMap::new(),
            dirty: BTreeSet::new(),
            probed: BTreeMap::new(),
            zones: zones::Zones::default(),
            turn: None,
            tainting: None,
        }
    }
}

impl NodeLifecycleController {
    pub(super) fn observe(&mut self, change: &Change, cx: &mut Cx<'_>) {
        let object = &change.object;
        if *object.kind == kinds::LEASE {
            // A client that plays the kubelet, since kubelets here do not write.
            if object.namespace() == "kube-node-lease"
                && change.change != ChangeType::Deleted
                && renew_time(object) != change.before.as_deref().and_then(renew_time)
            {
                self.heard_of(object.name(), cx);
            }
            return;
        }
        if *object.kind != kinds::NODE {
            return;
        }
        let before = change.before.as_deref();
        if change.change != ChangeType::Deleted
            && conditions::heartbeat(object) != before.and_then(conditions::heartbeat)
        {
            self.heard_of(object.name(), cx);
        }
        let same = |before: &Object| {
            conditions::ready_status(before) == conditions::ready_status(object)
                && taints::no_execute(before) == taints::no_execute(object)
        };
        if change.change != ChangeType::Modified || !before.is_some_and(same) {
            self.dirty.insert(object.name().to_owned());
            self.plan_turn(cx);
        }
        if change.change != ChangeType::Deleted && taints::needs_pass(object) {
            let event = ControllerEvent::NodeUpdated(object.name().to_owned());
            cx.after(latency::WATCH, Event::Controller(event));
        }
    }

    /// A node has shown that it lives, which the next turn sees.
    fn heard_of(&mut self, node: &str, cx: &mut Cx<'_>) {
        if cx.api.lease_is_renewed(node) {
            self.probed.remove(node);
            return;
        }
        let at = self.next_turn(cx.now(), cx);
        self.probed.insert(node.to_owned(), at);
        self.plan_turn(cx);
    }

    /// A kubelet has stopped, of which no object tells.
    pub(super) fn kubelet_stopped(&mut self, node: &str, cx: &mut Cx<'_>) {
        if let Some(renewed) = cx.api.lease_renewed_at(node) {
            let at = self.next_turn(renewed, cx);
            self.probed.insert(node.to_owned(), at);
            self.plan_turn(cx);
        }
    }

    /// The first turn at or after an instant.
    fn next_turn(&self, at: SimTime, cx: &Cx<'_>) -> SimTime {
        let mut draw = cx.draw(NAME, "", 0);
        let offset = (draw.unit() * MONITOR_PERIOD.as_nanos() as f64) as i64;
        at.next_tick(SimTime::from_nanos(offset), MONITOR_PERIOD)
    }

    fn deadline(&self, node: &str, probed: SimTime, cx: &Cx<'_>) -> Option<SimTime> {
        let object = cx.api.store().get(&kinds::NODE, "", node)?;
        match conditions::ready_status(object) {
            None => Some(probed + STARTUP_GRACE_PERIOD),
            Some("Unknown") => None,
            Some(_) => Some(probed + MONITOR_GRACE_PERIOD),
        }
    }

    /// Plans the turn at which there is next something to find.
    fn plan_turn(&mut self, cx: &mut Cx<'_>) {
        let soon = (!self.dirty.is_empty()).then(|| self.next_turn(cx.now(), cx));
        let silent = self.probed.iter().filter_map(|(node, probed)| self.deadline(node, *probed, cx)).min();
        let silent = silent.map(|at| self.next_turn(at.max(cx.now()), cx));
        let Some(at) = soon.into_iter().chain(silent).min() else { return };
        match &self.turn {
            Some((planned, _)) if *planned <= at => {}
            _ => {
                if let Some((_, slot)) = self.turn.take() {
                    cx.agenda.cancel(slot);
                }
                let slot = cx.at(at, Event::Controller(ControllerEvent::MonitorNodeHealth));
                self.turn = Some((at, slot));
            }
        }
    }

    /// One turn over the nodes for which there is a reason.
    pub(super) fn monitor_node_health(&mut self, cx: &mut Cx<'_>) {
        self.turn = None;
        let now = cx.now();
        // A kubelet that runs again renews its lease by itself.
        self.probed.retain(|node, _| !cx.api.lease_is_renewed(node));
        let mut nodes = std::mem::take(&mut self.dirty);
        nodes.extend(self.silent(now, cx));
        for name in &nodes {
            let stored = cx.api.store().get(&kinds::NODE, "", name).cloned();
            if let Some(uid) = self.known.get(name).cloned()
                && stored.as_ref().is_none_or(|node| node.uid() != uid)
            {
                let text = format!("Node {name} event: Removing Node {name} from Controller");
                self.record_of_node(name, &uid, "RemovingNode", &text, cx);
                self.known.remove(name);
                self.zones.forget(name);
            }
            let Some(node) = stored else {
                self.probed.remove(name);
                continue;
            };
            if !self.known.contains_key(name) {
                let text = format!("Node {name} event: Registered Node {name} in Controller");
                self.record_of_node(name, node.uid(), "RegisteredNode", &text, cx);
                self.known.insert(name.clone(), node.uid().to_owned());
                taints::mark_as_reachable(name, cx);
            }
            self.look_at(&node, now, cx);
        }
        if self.zones.handle_disruption(cx) {
            // Every node counts anew once the cluster comes out of it.
            self.dirty.extend(self.known.keys().cloned());
        }
        self.plan_tainting(cx);
        self.plan_turn(cx);
    }

    fn silent(&self, now: SimTime, cx: &Cx<'_>) -> Vec<String> {
        let over = |(node, probed): (&String, &SimTime)| {
            let over = self.deadline(node, *probed, cx).is_some_and(|deadline| deadline <= now);
            over.then(|| node.clone())
        };
        self.probed.iter().filter_map(over).collect()
    }

    fn look_at(&mut self, node: &Arc<Object>, now: SimTime, cx: &mut Cx<'_>) {
        let name = node.name();
        let observed = conditions::ready_status(node).map(str::to_owned);
        let silent = self.probed.get(name).and_then(|probed| self.deadline(name, *probed, cx));
        if silent.is_some_and(|deadline| deadline <= now) {
            conditions::mark_unknown(name, cx);
        }
        let Some(node) = cx.api.store().get(&kinds::NODE, "", name).cloned() else { return };
        let Some(current) = conditions::ready_status(&node) else { return };
        match current {
            "True" => {
                taints::mark_as_reachable(name, cx);
                self.zones.forget(name);
            }
            status => {
                if taints::swap_or_needs(&node, status, cx) {
                    self.zones.enqueue(&node);
                }
            }
        }
        if current != "True" && observed.as_deref() == Some("True") {
            let text = format!("Node {name} status is now: NodeNotReady");
            self.record_of_node(name, node.uid(), "NodeNotReady", &text, cx);
            self.mark_pods_not_ready(name, cx);
        }
    }

    /// Source: pkg/controller/util/node/controller_utils.go `MarkPodsNotReady` (v1.37).
    fn mark_pods_not_ready(&mut self, node: &str, cx: &mut Cx<'_>) {
        let ready = |pod: &Object| {
            let conditions = pod.pod_status().and_then(|status| status.conditions.as_ref());
            conditions.is_some_and(|all| all.iter().any(|c| c.type_ == "Ready" && c.status != "False"))
        };
        let pods: Vec<Arc<Object>> =
            cx.api.store().pods_on_node(node).filter(|p| ready(p)).cloned().collect();
        for pod in pods {
            let now = podlab_api::time::time(cx.now().as_secs());
            let written = cx.api.modify_pod_status(pod.namespace(), pod.name(), |status| {
                let ready = status.conditions.iter_mut().flatten().find(|c| c.type_ == "Ready");
                if let Some(ready) = ready {
                    ready.status = "False".to_owned();
                    ready.last_transition_time = Some(now);
                }
            });
            if written.is_ok() {
                let about = InvolvedObject::of(&pod);
                let text = "Node is not ready";
                self.recorder.event(cx.api, &about, EventType::Warning, "NodeNotReady", text);
            }
        }
    }

    fn record_of_node(&mut self, name: &str, uid: &str, reason: &str, text: &str, cx: &mut Cx<'_>) {
        let about = InvolvedObject::named(ObjectReference {
            kind: "Node".into(),
            api_version: "v1".into(),
            name: name.to_owned(),
            uid: uid.to_owned(),
            ..ObjectReference::default()
        });
        self.recorder.event(cx.api, &about, EventType::Normal, reason, text);
    }

    /// A node has changed: its taints NoSchedule and its old labels follow.
    pub(super) fn node_updated(&mut self, name: &str, cx: &mut Cx<'_>) {
        taints::no_schedule_pass(name, cx);
        taints::reconcile_labels(name, cx);
    }

    fn plan_tainting(&mut self, cx: &mut Cx<'_>) {
        if self.tainting.is_some() {
            return;
        }
        if let Some(at) = self.zones.next_at(cx.now()) {
            let at = at.next_tick(SimTime::from_secs(0), EVICTION_PERIOD);
            self.tainting = Some(cx.at(at, Event::Controller(ControllerEvent::TaintNodes)));
        }
    }

    /// Taints nodes NoExecute that wait for it, as many as the rate allows.
    pub(super) fn taint_nodes(&mut self, cx: &mut Cx<'_>) {
        self.tainting = None;
        for node in self.zones.take_due(cx.now()) {
            taints::no_execute_pass(&node, cx);
        }
        self.plan_tainting(cx);
    }
}

fn renew_time(lease: &Object) -> Option<&str> {
    lease.field("spec")?.get("renewTime")?.as_str()
}
