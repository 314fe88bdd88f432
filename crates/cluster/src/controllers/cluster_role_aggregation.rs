//! clusterrole-aggregation-controller: a ClusterRole with an aggregation rule has the rules of those that it selects.
//!
//! Source: pkg/controller/clusterroleaggregation/clusterroleaggregation_controller.go (v1.37).

use super::ControllerEvent;
use super::queue::WorkQueue;
use crate::store::{Change, Key};
use crate::world::Cx;
use podlab_api::selector::label_selector::label_selector_as_selector;
use podlab_api::{Body, Object, kinds};
use serde_json::Value;
use std::sync::Arc;

/// The controller.
#[derive(Clone, Debug)]
pub(super) struct ClusterRoleAggregationController {
    queue: WorkQueue,
}

impl Default for ClusterRoleAggregationController {
    fn default() -> Self {
        ClusterRoleAggregationController {
            queue: WorkQueue::new("ClusterRoleAggregator", ControllerEvent::ClusterRole),
        }
    }
}

fn selectors(role: &Object) -> &[Value] {
    let rule = role.field("aggregationRule").and_then(|rule| rule.get("clusterRoleSelectors"));
    rule.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

impl ClusterRoleAggregationController {
    pub(super) fn observe(&mut self, change: &Change, cx: &mut Cx<'_>) {
        if *change.object.kind != kinds::CLUSTER_ROLE {
            return;
        }
        // Whichever changes, every one that aggregates may gather something else now.
        let all = cx.api.store().list(&kinds::CLUSTER_ROLE);
        let keys: Vec<Key> =
            all.filter(|role| !selectors(role).is_empty()).map(|role| Key::of(role)).collect();
        for key in keys {
            self.queue.add(key, cx);
        }
    }

    pub(super) fn sync(&mut self, key: &Key, cx: &mut Cx<'_>) {
        self.queue.take(key, cx);
        let outcome = sync_cluster_role(key, cx).map(|()| None);
        self.queue.done(key, &outcome, cx);
    }
}

fn sync_cluster_role(key: &Key, cx: &mut Cx<'_>) -> Result<(), super::queue::SyncError> {
    let store = cx.api.store();
    let Some(role) = store.get_key(&kinds::CLUSTER_ROLE, key) else { return Ok(()) };
    if selectors(role).is_empty() {
        return Ok(());
    }
    let mut rules: Vec<Value> = Vec::new();
    for selector in selectors(role) {
        let Some(selector) = serde_json::from_value(selector.clone())
            .ok()
            .and_then(|selector| label_selector_as_selector(Some(&selector)).ok())
        else {
            return Err(super::queue::SyncError::AGAIN);
        };
        let chosen = store.list(&kinds::CLUSTER_ROLE).filter(|other| {
            other.name() != role.name()
                && selector.matches(other.metadata.labels.as_ref().unwrap_or(&Default::default()))
        });
        for other in chosen {
            for rule in other.field("rules").and_then(Value::as_array).into_iter().flatten() {
                if !rules.contains(rule) {
                    rules.push(rule.clone());
                }
            }
        }
    }
    let own = role.field("rules").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if rules == own {
        return Ok(());
    }
    let mut object = (**role).clone();
    if let Body::Tree(map) = &mut object.body {
        Arc::make_mut(map).insert("rules".to_owned(), Value::Array(rules));
    }
    cx.api.update(object)?;
    Ok(())
}
