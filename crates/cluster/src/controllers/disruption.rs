//! disruption-controller: how many pods may go at once, as a budget allows.
//!
//! Source: pkg/controller/disruption/disruption.go (v1.37).

use super::ControllerEvent;
use super::controller_ref::{controller_of, resolve, selector_from};
use super::pods;
use super::queue::{Outcome, SyncError, WorkQueue};
use super::values::{instant, int, set_status, spec};
use crate::apiserver::eviction::{budgets_of, set_condition, update_condition};
use crate::recorder::{EventRecorder, EventType, InvolvedObject};
use crate::store::{Change, Key};
use crate::world::Cx;
use podlab_api::door::ChangeType;
use podlab_api::int_or_string::{Rounding, parse, scaled_value};
use podlab_api::time::unix_seconds;
use podlab_api::{Body, Kind, Object, OwnerReference, kinds};
use podlab_sim::{SimDuration, SimTime};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The controller's name.
pub(super) const NAME: &str = "disruption-controller";

/// How long an evicted pod may take until its deletion is seen, and how long a pod may be marked without going.
///
/// Source: disruption.go `DeletionTimeout`, `stalePodDisruptionTimeout`.
const DELETION_TIMEOUT: SimDuration = SimDuration::from_secs(120);
const STALE_TIMEOUT: SimDuration = SimDuration::from_secs(120);

#[derive(Clone, Debug)]
pub(super) struct DisruptionController {
    queue: WorkQueue,
    stale: WorkQueue,
    recorder: EventRecorder,
}

impl Default for DisruptionController {
    fn default() -> DisruptionController {
        DisruptionController {
            queue: WorkQueue::new("disruption", ControllerEvent::Disruption),
            stale: WorkQueue::new("stale_pod_disruption", ControllerEvent::StalePodDisruption),
            recorder: EventRecorder::new("controllermanager", ""),
        }
    }
}

/// What a budget asks for.
struct Wanted {
    expected: i64,
    healthy: i64,
    /// Pods without a controller, for which a share of all cannot be worked out.
    unmanaged: bool,
}

/// Until when a pod may be marked as going without doing so; `None` where it is not marked.
fn stale_at(pod: &Object) -> Option<SimTime> {
    let condition = pods::condition(pod, "DisruptionTarget").filter(|c| c.status == "True")?;
    if pod.is_terminating()
        || pods::is_terminal(pod)
        || condition.reason.as_deref() == Some("TerminationByKubelet")
    {
        return None;
    }
    let since = condition.last_transition_time.as_ref().map(unix_seconds)?;
    Some(SimTime::from_secs(since) + STALE_TIMEOUT)
}

impl DisruptionController {
    pub(super) fn observe(&mut self, change: &Change, cx: &mut Cx<'_>) {
        let object = &change.object;
        if *object.kind == kinds::POD_DISRUPTION_BUDGET {
            if change.change == ChangeType::Deleted {
                self.queue.forget(&Key::of(object), cx);
            } else {
                self.queue.add(Key::of(object), cx);
            }
            return;
        }
        if *object.kind != kinds::POD || cx.api.store().count(&kinds::POD_DISRUPTION_BUDGET) == 0 {
            return;
        }
        let budgets: Vec<Key> = budgets_of(cx.api, object).map(|budget| Key::of(budget)).collect();
        if let Some(first) = budgets.first() {
            if budgets.len() > 1 {
                let message = format!(
                    "Pod {:?}/{:?} matches multiple PodDisruptionBudgets.  Chose {:?} arbitrarily.",
                    object.namespace(),
                    object.name(),
                    &*first.name
                );
                let (kind, reason) = (EventType::Warning, "MultiplePodDisruptionBudgets");
                self.recorder.event(cx.api, &InvolvedObject::of(object), kind, reason, &message);
            }
            self.queue.add(first.clone(), cx);
        }
        match stale_at(object).filter(|_| change.change != ChangeType::Deleted) {
            Some(at) => self.stale.add_after(Key::of(object), at.since(cx.now()), cx),
            None => self.stale.forget(&Key::of(object), cx),
        }
    }

    pub(super) fn sync(&mut self, key: &Key, cx: &mut Cx<'_>) {
        self.queue.take(key, cx);
        let outcome = match cx.api.store().get_key(&kinds::POD_DISRUPTION_BUDGET, key).cloned() {
            Some(budget) => self.sync_budget(&budget, cx),
            None => Ok(None),
        };
        self.queue.done(key, &outcome, cx);
    }

    fn sync_budget(&mut self, budget: &Arc<Object>, cx: &mut Cx<'_>) -> Outcome {
        let about = InvolvedObject::of(budget);
        let selected = selected(budget, cx);
        if selected.is_empty() {
            let message = "No matching pods found";
            self.recorder.event(cx.api, &about, EventType::Normal, "NoPods", message);
        }
        let wanted = match wanted(budget, &selected, cx) {
            Ok(wanted) => wanted,
            Err(error) => {
                let message = format!("Failed to calculate the number of expected pods: {error}");
                let reason = "CalculateExpectedPodCountFailed";
                self.recorder.event(cx.api, &about, EventType::Warning, reason, &message);
                return fail_safe(budget, &error, cx);
            }
        };
        if wanted.unmanaged {
            let message = format!(
                "Pods selected by this PodDisruptionBudget (selector: {}) were found to be unmanaged. As a result, the \
                 status of the PDB cannot be calculated correctly, which may result in undefined behavior. To account \
                 for these pods please set \".spec.minAvailable\" field of the PDB to an integer value.",
                go_label_selector(spec(budget, "selector"))
            );
            self.recorder.event(cx.api, &about, EventType::Warning, "UnmanagedPods", &message);
        }
        let now = cx.now();
        let (disrupted, recheck) = self.disrupted(budget, &selected, cx);
        let healthy = |pod: &&Arc<Object>| {
            !pod.is_terminating() && !disrupted.contains_key(pod.name()) && pods::is_ready(pod)
        };
        let healthy = i64::try_from(selected.iter().filter(healthy).count()).unwrap_or(i64::MAX);
        let allowed = if wanted.expected <= 0 { 0 } else { (healthy - wanted.healthy).max(0) };
        let before = budget.field("status").and_then(Value::as_object).cloned().unwrap_or_default();
        let mut status = Map::new();
        for (name, count) in [
            ("disruptionsAllowed", allowed),
            ("currentHealthy", healthy),
            ("desiredHealthy", wanted.healthy),
            ("expectedPods", wanted.expected),
            ("observedGeneration", budget.metadata.generation.unwrap_or(0)),
        ] {
            status.insert(name.to_owned(), count.into());
        }
        if !disrupted.is_empty() {
            status.insert("disruptedPods".to_owned(), Value::Object(disrupted));
        }
        if let Some(conditions) = before.get("conditions") {
            status.insert("conditions".to_owned(), conditions.clone());
        }
        update_condition(&mut status, now.as_secs());
        if status != before {
            set_status(budget, Value::Object(status), cx)?;
        }
        Ok(recheck)
    }

    /// The evicted pods whose deletion is yet to be seen, and when the first of them is given up.
    fn disrupted(
        &mut self,
        budget: &Arc<Object>,
        selected: &[Arc<Object>],
        cx: &mut Cx<'_>,
    ) -> (Map<String, Value>, Option<SimTime>) {
        let (mut waiting, mut recheck) = (Map::new(), None);
        let known = super::values::status(budget, "disruptedPods").and_then(Value::as_object);
        for pod in selected.iter().filter(|pod| !pod.is_terminating()) {
            let Some(since) = known.and_then(|known| known.get(pod.name())) else { continue };
            let Some(at) = instant(Some(since)).map(|since| since + DELETION_TIMEOUT) else { continue };
            if at < cx.now() {
                let namespace = budget.namespace();
                let message =
                    format!("Pod was expected by PDB {namespace}/{namespace} to be deleted but it wasn't");
                let about = InvolvedObject::of(pod);
                self.recorder.event(cx.api, &about, EventType::Warning, "NotDeleted", &message);
            } else {
                // One instant more, after which it is surely past.
                let at = at + SimDuration::from_millis(1);
                recheck = Some(recheck.map_or(at, |known: SimTime| known.min(at)));
                waiting.insert(pod.name().to_owned(), since.clone());
            }
        }
        (waiting, recheck)
    }

    /// A pod that was marked and did not go is no longer marked.
    pub(super) fn sync_stale(&mut self, key: &Key, cx: &mut Cx<'_>) {
        self.stale.take(key, cx);
        let Some(pod) = cx.api.store().get_key(&kinds::POD, key) else { return };
        let Some(at) = stale_at(pod) else { return };
        if at > cx.now() {
            self.stale.add_after(key.clone(), at.since(cx.now()), cx);
            return;
        }
        let now = podlab_api::time::time(cx.now().as_secs());
        let _ = cx.api.modify(&kinds::POD, &key.namespace, &key.name, Some("status"), |pod| {
            let Body::Pod { status, .. } = &mut pod.body else { return };
            let conditions = Arc::make_mut(status).conditions.iter_mut().flatten();
            for condition in conditions.filter(|condition| condition.type_ == "DisruptionTarget") {
                condition.status = "False".to_owned();
                condition.reason = None;
                condition.message = None;
                condition.last_transition_time = Some(now.clone());
            }
        });
    }
}

fn selected(budget: &Object, cx: &Cx<'_>) -> Vec<Arc<Object>> {
    let Some(selector) = spec(budget, "selector").and_then(selector_from) else { return Vec::new() };
    let pods = cx.api.store().list_namespace(&kinds::POD, budget.namespace());
    pods.filter(|pod| selector.matches(&***pod)).cloned().collect()
}

/// Source: `getExpectedPodCount`.
fn wanted(budget: &Object, selected: &[Arc<Object>], cx: &Cx<'_>) -> Result<Wanted, String> {
    let field = |name: &str| spec(budget, name).filter(|value| !value.is_null());
    let number = |value: &Value, total: i64| {
        let value = match value {
            Value::String(text) => parse(text),
            other => parse(&other.to_string()),
        };
        scaled_value(&value, total, Rounding::Up)
    };
    if let Some(most) = field("maxUnavailable") {
        let (expected, unmanaged) = expected_scale(selected, cx)?;
        return Ok(Wanted { expected, healthy: (expected - number(most, expected)?).max(0), unmanaged });
    }
    match field("minAvailable") {
        Some(Value::String(text)) => {
            let (expected, unmanaged) = expected_scale(selected, cx)?;
            let healthy = number(&Value::String(text.clone()), expected)?;
            Ok(Wanted { expected, healthy, unmanaged })
        }
        Some(least) => {
            let expected = i64::try_from(selected.len()).unwrap_or(i64::MAX);
            Ok(Wanted { expected, healthy: int(Some(least)).unwrap_or(0), unmanaged: false })
        }
        None => Ok(Wanted { expected: 0, healthy: 0, unmanaged: false }),
    }
}

/// How many pods the controllers of these pods are to have, and whether some have none.
///
/// Source: `getExpectedScale`.
fn expected_scale(selected: &[Arc<Object>], cx: &Cx<'_>) -> Result<(i64, bool), String> {
    let mut scales: BTreeMap<String, i64> = BTreeMap::new();
    let mut unmanaged = false;
    for pod in selected {
        let Some(owner) = controller_of(pod) else {
            unmanaged = true;
            continue;
        };
        if scales.contains_key(&owner.uid) {
            continue;
        }
        let (uid, scale) = scale_of(owner, pod, cx)?;
        scales.insert(uid, scale);
    }
    Ok((scales.values().sum(), unmanaged))
}

/// The controller that decides how many pods of this kind there are, by uid, and how many.
fn scale_of(owner: &OwnerReference, pod: &Object, cx: &Cx<'_>) -> Result<(String, i64), String> {
    let scaled: [&'static Kind; 3] =
        [&kinds::REPLICATION_CONTROLLER, &kinds::REPLICA_SET, &kinds::STATEFUL_SET];
    for kind in scaled {
        let Some(found) = resolve(owner, kind, pod.namespace(), cx) else { continue };
        let above = controller_of(&found).filter(|_| *kind == kinds::REPLICA_SET);
        let found =
            above.and_then(|above| resolve(above, &kinds::DEPLOYMENT, pod.namespace(), cx)).unwrap_or(found);
        return Ok((found.uid().to_owned(), int(spec(&found, "replicas")).unwrap_or(1)));
    }
    let kind = kinds::by_gvk(&owner.api_version, &owner.kind);
    match kind.filter(|kind| !scaled.contains(kind)) {
        Some(kind) => Err(format!("{} does not implement the scale subresource", kind.group_resource())),
        None => Err(format!("found no controllers for pod {:?}", pod.name())),
    }
}

/// A budget that cannot be worked out allows nothing.
fn fail_safe(budget: &Arc<Object>, error: &str, cx: &mut Cx<'_>) -> Outcome {
    let before = budget.field("status").and_then(Value::as_object).cloned().unwrap_or_default();
    let mut status = before.clone();
    status.insert("disruptionsAllowed".to_owned(), 0.into());
    set_condition(&mut status, "False", "SyncFailed", error, cx.now().as_secs());
    if status != before {
        set_status(budget, Value::Object(status), cx).map_err(SyncError::from)?;
    }
    Ok(None)
}

/// A selector as Go prints it.
pub(super) fn go_label_selector(selector: Option<&Value>) -> String {
    let labels = selector.and_then(|selector| selector.get("matchLabels")).and_then(Value::as_object);
    let pairs =
        labels.into_iter().flatten().map(|(key, value)| format!("{key}: {},", value.as_str().unwrap_or("")));
    let expressions =
        selector.and_then(|selector| selector.get("matchExpressions")).and_then(Value::as_array);
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or("").to_owned();
    let expressions = expressions.into_iter().flatten().map(|expression| {
        let values = expression.get("values").and_then(Value::as_array).into_iter().flatten();
        let values: Vec<&str> = values.filter_map(Value::as_str).collect();
        let (key, operator) = (text(expression.get("key")), text(expression.get("operator")));
        format!("LabelSelectorRequirement{{Key:{key},Operator:{operator},Values:[{}],}},", values.join(" "))
    });
    format!(
        "&LabelSelector{{MatchLabels:map[string]string{{{}}},MatchExpressions:[]LabelSelectorRequirement{{{}}},}}",
        pairs.collect::<String>(),
        expressions.collect::<String>()
    )
}
