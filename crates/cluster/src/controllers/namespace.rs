//! namespace-controller: empties a namespace that is being deleted, then lets it go.
//!
//! Source: pkg/controller/namespace/namespace_controller.go and deletion/namespaced_resources_deleter.go (v1.37).

use super::ControllerEvent;
use crate::apiserver::DeleteOptions;
use crate::event::Event;
use crate::store::{Change, Key};
use crate::world::Cx;
use podlab_api::door::{ChangeType, Propagation};
use podlab_api::time::time;
use podlab_api::{Body, Kind, Object, kinds};
use podlab_sim::{SimDuration, SimTime};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The controller's name.
pub(super) const NAME: &str = "namespace-controller";

/// From the deletion to the first look, so that the API servers have all seen it.
///
/// Source: namespace_controller.go `namespaceDeletionGracePeriod`.
const DELETION_GRACE_PERIOD: SimDuration = SimDuration::from_secs(5);

/// How long finalizers are taken to need, in seconds.
///
/// Source: namespaced_resources_deleter.go `finalizerEstimateSeconds`.
const FINALIZER_ESTIMATE: i64 = 15;

/// Namespaces are looked at again after half of what their pods may still need.
#[derive(Clone, Debug, Default)]
pub(super) struct NamespaceController {
    /// When a namespace is looked at next.
    due: BTreeMap<String, SimTime>,
}

impl NamespaceController {
    pub(super) fn observe(&mut self, change: &Change, cx: &mut Cx<'_>) {
        let object = &change.object;
        if *object.kind != kinds::NAMESPACE
            || change.change == ChangeType::Deleted
            || !object.is_terminating()
        {
            return;
        }
        // Every change calls for a look, also the controller's own.
        self.plan(object.name(), DELETION_GRACE_PERIOD, cx);
    }

    /// Plans a look, unless one comes before.
    fn plan(&mut self, name: &str, after: SimDuration, cx: &mut Cx<'_>) {
        let at = cx.now() + after;
        if self.due.get(name).is_none_or(|due| at < *due) {
            self.due.insert(name.to_owned(), at);
            cx.at(at, event(name));
        }
    }

    pub(super) fn sync(&mut self, name: &str, cx: &mut Cx<'_>) {
        match self.due.get(name) {
            Some(due) if *due <= cx.now() => self.due.remove(name),
            // A nearer look was planned after this one.
            _ => return,
        };
        let Some(namespace) = cx.api.store().get(&kinds::NAMESPACE, "", name) else { return };
        if !namespace.is_terminating() {
            return;
        }
        // As long as there are pods, nothing else goes, and nothing is said of what remains.
        let pods = empty(name, |kind| *kind == kinds::POD, cx);
        if !pods.is_empty() {
            self.report_remaining(name, &[], cx);
            self.look_again(name, &pods, cx);
            return;
        }
        let left = empty(name, |_| true, cx);
        self.report_remaining(name, &left, cx);
        if left.is_empty() {
            self.finalize(name, cx);
        } else {
            self.look_again(name, &left, cx);
        }
    }

    /// Plans the next look.
    fn look_again(&mut self, name: &str, left: &[Arc<Object>], cx: &mut Cx<'_>) {
        let pods = left.iter().filter(|o| *o.kind == kinds::POD);
        let of_pods = pods.filter_map(|p| p.metadata.deletion_grace_period_seconds).max().unwrap_or(0);
        let has_finalizers =
            left.iter().any(|o| o.metadata.finalizers.as_ref().is_some_and(|all| !all.is_empty()));
        let estimate = if has_finalizers { of_pods.max(FINALIZER_ESTIMATE) } else { of_pods };
        let again = u64::try_from(estimate / 2 + 1).unwrap_or(1);
        self.plan(name, SimDuration::from_secs(again), cx);
    }

    fn report_remaining(&self, name: &str, left: &[Arc<Object>], cx: &mut Cx<'_>) {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for object in left {
            *counts.entry(object.kind.group_resource()).or_default() += 1;
        }
        let said: Vec<String> =
            counts.iter().map(|(resource, n)| format!("{resource}. has {n} resource instances")).collect();
        let now = time(cx.now().as_secs());
        let condition = |kind: &str, status: &str, reason: &str, message: &str| json!({"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": now});
        let mut stuck: BTreeMap<&str, usize> = BTreeMap::new();
        for finalizer in left.iter().flat_map(|object| object.metadata.finalizers.iter().flatten()) {
            *stuck.entry(finalizer).or_default() += 1;
        }
        let stuck: Vec<String> =
            stuck.iter().map(|(finalizer, n)| format!("{finalizer} in {n} resource instances")).collect();
        let of_finalizers = "NamespaceFinalizersRemaining";
        let finalizers = if stuck.is_empty() {
            condition(
                of_finalizers,
                "False",
                "ContentHasNoFinalizers",
                "All content-preserving finalizers finished",
            )
        } else {
            let said =
                format!("Some content in the namespace has finalizers remaining: {}", stuck.join(", "));
            condition(of_finalizers, "True", "SomeFinalizersRemain", &said)
        };
        let content = "NamespaceContentRemaining";
        let remaining = if left.is_empty() {
            condition(content, "False", "ContentRemoved", "All content successfully removed")
        } else {
            let said = format!("Some resources are remaining: {}", said.join(", "));
            condition(content, "True", "SomeResourcesRemain", &said)
        };
        let conditions = json!([
            condition(
                "NamespaceDeletionDiscoveryFailure",
                "False",
                "ResourcesDiscovered",
                "All resources successfully discovered"
            ),
            condition(
                "NamespaceDeletionGroupVersionParsingFailure",
                "False",
                "ParsedGroupVersions",
                "All legacy kube types successfully parsed"
            ),
            condition(
                "NamespaceDeletionContentFailure",
                "False",
                "ContentDeleted",
                "All content successfully deleted, may be waiting on finalization"
            ),
            remaining,
            finalizers,
        ]);
        let told = |conditions: Option<&Value>| -> Vec<Value> {
            let field = |condition: &Value, name: &str| condition.get(name).cloned().unwrap_or_default();
            let told = ["type", "status", "reason", "message"];
            conditions
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .map(|condition| told.iter().map(|name| field(condition, name)).collect())
                .collect()
        };
        let known = cx
            .api
            .store()
            .get(&kinds::NAMESPACE, "", name)
            .and_then(|namespace| Some(told(namespace.field("status")?.get("conditions"))));
        if known.is_some_and(|known| known == told(Some(&conditions))) {
            return;
        }
        let _ = cx.api.modify(&kinds::NAMESPACE, "", name, Some("status"), |object| {
            if let Body::Tree(map) = &mut object.body
                && let Some(status) = Arc::make_mut(map).get_mut("status").and_then(Value::as_object_mut)
            {
                status.insert("conditions".to_owned(), conditions);
            }
        });
    }

    /// Takes away the finalizer that every namespace has; with it goes the namespace.
    fn finalize(&self, name: &str, cx: &mut Cx<'_>) {
        let done = cx.api.modify(&kinds::NAMESPACE, "", name, Some("finalize"), |object| {
            if let Body::Tree(map) = &mut object.body
                && let Some(spec) = Arc::make_mut(map).get_mut("spec").and_then(Value::as_object_mut)
            {
                spec.remove("finalizers");
            }
        });
        if done.is_ok() {
            cx.api.finish_delete(&kinds::NAMESPACE, &Key::new("", name));
        }
    }
}

/// Deletes what a namespace holds of some kinds; what is left of it.
fn empty(name: &str, of: impl Fn(&Kind) -> bool, cx: &mut Cx<'_>) -> Vec<Arc<Object>> {
    let within = |o: &Object| o.kind.namespaced && of(o.kind) && o.namespace() == name;
    let content: Vec<_> = cx.api.store().all().filter(|o| within(o)).cloned().collect();
    let options = DeleteOptions { propagation: Some(Propagation::Background), ..DeleteOptions::default() };
    for object in &content {
        let _ = cx.api.delete(object.kind, name, object.name(), &options);
    }
    if content.is_empty() {
        return content;
    }
    cx.api.store().all().filter(|o| within(o)).cloned().collect()
}

fn event(name: &str) -> Event {
    Event::Controller(ControllerEvent::Namespace(name.to_owned()))
}
