//! taint-eviction-controller: pods that do not tolerate a node's taint NoExecute, or only for a time, are deleted.
//!
//! Source: pkg/controller/tainteviction/taint_eviction.go and timed_workers.go (v1.37).

use super::ControllerEvent;
use crate::apiserver::DeleteOptions;
use crate::event::Event;
use crate::latency;
use crate::recorder::{EventRecorder, EventType, InvolvedObject};
use crate::scheduler::plugins::taint_toleration::tolerates;
use crate::store::{Change, Key};
use crate::world::Cx;
use k8s_openapi::api::core::v1::{PodCondition, Taint, Toleration};
use podlab_api::door::ChangeType;
use podlab_api::event::ObjectReference;
use podlab_api::time::time;
use podlab_api::{Object, kinds};
use podlab_sim::{SimDuration, SimTime, Slot};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The controller's name, also in its events.
pub(super) const NAME: &str = "taint-eviction-controller";

#[derive(Clone, Debug)]
pub(super) struct TaintEvictionController {
    recorder: EventRecorder,
    /// pod → since when its eviction is planned, and where; `None` once it has been carried out.
    work: BTreeMap<Key, Option<(SimTime, Slot)>>,
}

impl Default for TaintEvictionController {
    fn default() -> TaintEvictionController {
        TaintEvictionController { recorder: EventRecorder::new(NAME, ""), work: BTreeMap::new() }
    }
}

fn no_execute(node: &Object) -> impl Iterator<Item = &Taint> {
    let taints = node.node_spec().and_then(|spec| spec.taints.as_deref()).unwrap_or(&[]);
    taints.iter().filter(|taint| taint.effect == "NoExecute")
}

fn tolerations(pod: &Object) -> &[Toleration] {
    pod.pod_spec().and_then(|spec| spec.tolerations.as_deref()).unwrap_or(&[])
}

fn node_name(pod: &Object) -> Option<&str> {
    pod.node_name()
}

impl TaintEvictionController {
    pub(super) fn observe(&mut self, change: &Change, cx: &mut Cx<'_>) {
        let object = &change.object;
        if *object.kind == kinds::NODE {
            let before: Vec<&Taint> = change.before.iter().flat_map(|node| no_execute(node)).collect();
            let after: Vec<&Taint> = no_execute(object).collect();
            if change.change != ChangeType::Deleted && before != after {
                let event = ControllerEvent::NodeTainted(object.name().to_owned());
                cx.after(latency::WATCH, Event::Controller(event));
            }
        } else if *object.kind == kinds::POD {
            if change.change == ChangeType::Deleted {
                self.cancel(&Key::of(object), cx);
                return;
            }
            let Some(node) = node_name(object) else { return };
            let told = |pod: &Object| (node_name(pod).map(str::to_owned), tolerations(pod).to_vec());
            let tainted =
                cx.api.store().get(&kinds::NODE, "", node).is_some_and(|n| no_execute(n).next().is_some());
            if tainted && change.before.as_ref().is_none_or(|before| told(before) != told(object)) {
                let event = ControllerEvent::PodOnTaintedNode(Key::of(object));
                cx.after(latency::WATCH, Event::Controller(event));
            }
        }
    }

    pub(super) fn node_tainted(&mut self, name: &str, cx: &mut Cx<'_>) {
        let Some(node) = cx.api.store().get(&kinds::NODE, "", name).cloned() else { return };
        let taints: Vec<Taint> = no_execute(&node).cloned().collect();
        let pods: Vec<Arc<Object>> = cx.api.store().pods_on_node(name).cloned().collect();
        for pod in pods {
            if taints.is_empty() {
                self.cancel(&Key::of(&pod), cx);
            } else {
                self.process_pod(&pod, &taints, cx);
            }
        }
    }

    pub(super) fn pod_on_tainted_node(&mut self, key: &Key, cx: &mut Cx<'_>) {
        let Some(pod) = cx.api.store().get_key(&kinds::POD, key).cloned() else { return };
        let Some(node) = node_name(&pod).and_then(|n| cx.api.store().get(&kinds::NODE, "", n)) else {
            return;
        };
        let taints: Vec<Taint> = no_execute(node).cloned().collect();
        if !taints.is_empty() {
            self.process_pod(&pod, &taints, cx);
        }
    }

    /// Source: `processPodOnNode`.
    fn process_pod(&mut self, pod: &Object, taints: &[Taint], cx: &mut Cx<'_>) {
        let key = Key::of(pod);
        let now = cx.now();
        let Some(stay) = toleration_time(taints, tolerations(pod)) else {
            self.cancel(&key, cx);
            self.add_work(key, now, now, cx);
            return;
        };
        let Stay::For(stay) = stay else {
            self.cancel(&key, cx);
            return;
        };
        if let Some(Some((since, _))) = self.work.get(&key) {
            if *since < now {
                return;
            }
            self.cancel(&key, cx);
        }
        self.add_work(key, now, now + stay, cx);
    }

    fn add_work(&mut self, key: Key, since: SimTime, at: SimTime, cx: &mut Cx<'_>) {
        if self.work.contains_key(&key) {
            return;
        }
        let slot = cx.at(at, Event::Controller(ControllerEvent::EvictPod(key.clone())));
        self.work.insert(key, Some((since, slot)));
    }

    fn cancel(&mut self, key: &Key, cx: &mut Cx<'_>) {
        if let Some(Some((_, slot))) = self.work.remove(key) {
            cx.agenda.cancel(slot);
            let text = format!("Cancelling deletion of Pod {}/{}", key.namespace, key.name);
            self.record(key, &text, cx);
        }
    }

    /// The time has come: says why, and deletes.
    pub(super) fn evict(&mut self, key: &Key, cx: &mut Cx<'_>) {
        self.work.insert(key.clone(), None);
        let text = format!("Marking for deletion Pod {}/{}", key.namespace, key.name);
        self.record(key, &text, cx);
        let Some(pod) = cx.api.store().get_key(&kinds::POD, key).cloned() else {
            self.work.remove(key);
            return;
        };
        let now = time(cx.now().as_secs());
        let generation = pod.metadata.generation;
        let _ = cx.api.modify_pod_status(&key.namespace, &key.name, |status| {
            let tracked = status.observed_generation.is_some_and(|generation| generation != 0);
            let target = PodCondition {
                type_: "DisruptionTarget".to_owned(),
                status: "True".to_owned(),
                reason: Some("DeletionByTaintManager".to_owned()),
                message: Some("Taint manager: deleting due to NoExecute taint".to_owned()),
                observed_generation: generation.filter(|_| tracked),
                last_transition_time: Some(now),
                ..PodCondition::default()
            };
            let conditions = status.conditions.get_or_insert_default();
            match conditions.iter_mut().find(|condition| condition.type_ == target.type_) {
                Some(condition) => {
                    let since = condition.last_transition_time.take().filter(|_| condition.status == "True");
                    *condition = PodCondition {
                        last_transition_time: since.or(target.last_transition_time.clone()),
                        ..target
                    };
                }
                None => conditions.push(target),
            }
        });
        let _ = cx.api.delete(&kinds::POD, &key.namespace, &key.name, &DeleteOptions::default());
    }

    fn record(&mut self, key: &Key, text: &str, cx: &mut Cx<'_>) {
        // The real one names the pod without its uid.
        let about = InvolvedObject::named(ObjectReference {
            kind: "Pod".into(),
            api_version: "v1".into(),
            namespace: key.namespace.to_string(),
            name: key.name.to_string(),
            ..ObjectReference::default()
        });
        self.recorder.event(cx.api, &about, EventType::Normal, "TaintManagerEviction", text);
    }
}

/// How long a pod that tolerates all taints may stay.
#[derive(Debug, PartialEq)]
enum Stay {
    Forever,
    For(SimDuration),
}

/// The least time that the tolerations of a node's taints give; `None` where a taint is not tolerated.
///
/// Source: `getMinTolerationTime`; component-helpers/scheduling/corev1/helpers.go `GetMatchingTolerations`.
fn toleration_time(taints: &[Taint], tolerations: &[Toleration]) -> Option<Stay> {
    let mut least: Option<i64> = None;
    for taint in taints {
        let mut matching =
            tolerations.iter().filter(|t| tolerates(std::slice::from_ref(t), taint)).peekable();
        matching.peek()?;
        for seconds in matching.filter_map(|toleration| toleration.toleration_seconds) {
            least = Some(least.map_or(seconds, |least| least.min(seconds)));
        }
    }
    let seconds = |seconds: i64| SimDuration::from_secs(u64::try_from(seconds).unwrap_or(0));
    Some(least.map_or(Stay::Forever, |least| Stay::For(seconds(least))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_shortest_matching_toleration_counts() {
        let taint: Taint = serde_json::from_value(json!({"key": "k", "effect": "NoExecute"})).unwrap();
        let read = |value| -> Vec<Toleration> { serde_json::from_value(value).unwrap() };
        let check = |tolerations, expected: Option<Stay>| {
            assert_eq!(toleration_time(std::slice::from_ref(&taint), &read(tolerations)), expected);
        };
        let five = Stay::For(SimDuration::from_secs(5));
        check(json!([]), None);
        check(json!([{"operator": "Exists"}]), Some(Stay::Forever));
        check(
            json!([{"operator": "Exists"}, {"key": "k", "operator": "Exists", "tolerationSeconds": 5}]),
            Some(five),
        );
        check(
            json!([{"key": "k", "operator": "Exists", "tolerationSeconds": -1}]),
            Some(Stay::For(SimDuration::ZERO)),
        );
    }
}
