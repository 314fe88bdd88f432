//! pod-garbage-collector: pods whose node is gone, or declared out of service, have nobody to end them.
//!
//! The real one looks every 20 s; here a look is planned for the turn at which it would find something. Its bound on
//! ended pods (12,500) is left out: no lab comes near it.
//!
//! Source: pkg/controller/podgc/gc_controller.go (v1.37).

use super::ControllerEvent;
use crate::apiserver::DeleteOptions;
use crate::event::Event;
use crate::store::{Change, Key};
use crate::world::Cx;
use k8s_openapi::api::core::v1::PodCondition;
use podlab_api::door::ChangeType;
use podlab_api::time::time;
use podlab_api::{Object, kinds};
use podlab_sim::{SimDuration, SimTime};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The controller's name.
pub(super) const NAME: &str = "pod-garbage-collector-controller";

/// Source: pkg/controller/podgc/gc_controller.go `gcCheckPeriod`.
const CHECK_PERIOD: SimDuration = SimDuration::from_secs(20);

/// A node may come back for so long.
///
/// Source: the same file, `quarantineTime`.
const QUARANTINE: SimDuration = SimDuration::from_secs(40);

const OUT_OF_SERVICE: &str = "node.kubernetes.io/out-of-service";

#[derive(Clone, Debug, Default)]
pub(super) struct PodGcController {
    /// Nodes that are to be looked at.
    planned: BTreeSet<String>,
}

impl PodGcController {
    pub(super) fn observe(&mut self, change: &Change, cx: &mut Cx<'_>) {
        let object = &change.object;
        let node = if *object.kind == kinds::NODE {
            object.name()
        } else if let Some(node) = object.node_name()
            && change.change != ChangeType::Deleted
            && !node.is_empty()
        {
            node
        } else {
            return;
        };
        let found = cx.api.store().get(&kinds::NODE, "", node);
        let wait = match found {
            None => QUARANTINE,
            Some(node) if is_out_of_service(node) => SimDuration::ZERO,
            Some(_) => return,
        };
        if cx.api.store().pods_on_node(node).next().is_some() && self.planned.insert(node.to_owned()) {
            let offset = (cx.draw(NAME, "", 0).unit() * CHECK_PERIOD.as_nanos() as f64) as i64;
            let turn = cx.now().next_tick(SimTime::from_nanos(offset), CHECK_PERIOD);
            cx.at(turn + wait, Event::Controller(ControllerEvent::PodGc(node.to_owned())));
        }
    }

    /// Looks at the pods of a node that may be gone.
    pub(super) fn collect(&mut self, node: &str, cx: &mut Cx<'_>) {
        self.planned.remove(node);
        let found = cx.api.store().get(&kinds::NODE, "", node);
        let gone = found.is_none();
        if !gone && !found.is_some_and(|node| is_out_of_service(node)) {
            return;
        }
        let pods: Vec<Arc<Object>> =
            cx.api.store().pods_on_node(node).filter(|pod| gone || pod.is_terminating()).cloned().collect();
        for pod in pods {
            mark_failed_and_delete(&pod, gone, cx);
        }
    }
}

/// Whether somebody has said that a node that is not ready will not come back.
fn is_out_of_service(node: &Object) -> bool {
    let taints = node.node_spec().and_then(|spec| spec.taints.as_deref()).unwrap_or(&[]);
    let conditions = node.node_status().and_then(|status| status.conditions.as_deref()).unwrap_or(&[]);
    taints.iter().any(|taint| taint.key == OUT_OF_SERVICE)
        && !conditions.iter().any(|c| c.type_ == "Ready" && c.status == "True")
}

fn mark_failed_and_delete(pod: &Object, node_gone: bool, cx: &mut Cx<'_>) {
    let key = Key::of(pod);
    let ended = matches!(pod.pod_status().and_then(|s| s.phase.as_deref()), Some("Failed" | "Succeeded"));
    if !ended {
        let now = time(cx.now().as_secs());
        let generation = pod.metadata.generation;
        let _ = cx.api.modify_pod_status(&key.namespace, &key.name, |status| {
            status.phase = Some("Failed".to_owned());
            let tracked = status.observed_generation.is_some_and(|generation| generation != 0);
            let conditions = status.conditions.get_or_insert_default();
            if node_gone && !conditions.iter().any(|c| c.type_ == "DisruptionTarget") {
                conditions.push(PodCondition {
                    type_: "DisruptionTarget".to_owned(),
                    status: "True".to_owned(),
                    reason: Some("DeletionByPodGC".to_owned()),
                    message: Some("PodGC: node no longer exists".to_owned()),
                    observed_generation: generation.filter(|_| tracked),
                    last_transition_time: Some(now),
                    ..PodCondition::default()
                });
            }
        });
    }
    let options = DeleteOptions { grace_period_seconds: Some(0), ..DeleteOptions::default() };
    let _ = cx.api.delete(&kinds::POD, &key.namespace, &key.name, &options);
}
