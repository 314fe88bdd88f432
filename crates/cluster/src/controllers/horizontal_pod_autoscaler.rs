//! horizontal-pod-autoscaler: as many replicas as what its pods use asks for.
//!
//! Metrics of resources come from the Metrics API ([`crate::metrics`]); nothing serves custom or external metrics here, as
//! in a cluster without an adapter for them.
//!
//! Source: pkg/controller/podautoscaler/horizontal.go (v1.37).

mod normalize;
mod replica_calculator;

use super::ControllerEvent;
use super::disruption::go_label_selector;
use super::queue::{Outcome, WorkQueue};
use super::values::{int, set_status, spec, status, text, timestamp};
use crate::recorder::{EventRecorder, EventType, InvolvedObject};
use crate::store::{Change, Key};
use crate::world::Cx;
use normalize::{Memory, Wanted};
use podlab_api::door::ChangeType;
use podlab_api::quantity::{Format, Quantity};
use podlab_api::selector::label::Selector;
use podlab_api::{Kind, Object, kinds};
use podlab_sim::SimDuration;
use replica_calculator::{Query, Target, Tolerances};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The controller's name.
pub(super) const NAME: &str = "horizontal-pod-autoscaler";

/// How often each autoscaler is looked at.
///
/// Source: `--horizontal-pod-autoscaler-sync-period`.
const SYNC_PERIOD: SimDuration = SimDuration::from_secs(15);
/// How far use may be from its target without a change.
///
/// Source: `--horizontal-pod-autoscaler-tolerance`.
const TOLERANCE: f64 = 0.1;

#[derive(Clone, Debug)]
pub(super) struct HorizontalController {
    queue: WorkQueue,
    recorder: EventRecorder,
    memory: BTreeMap<Key, Memory>,
    /// Which pods each autoscaler is for, as far as it has found out.
    selectors: BTreeMap<Key, Selector>,
}

impl Default for HorizontalController {
    fn default() -> HorizontalController {
        HorizontalController {
            queue: WorkQueue::new("horizontalpodautoscaler", ControllerEvent::HorizontalPodAutoscaler),
            recorder: EventRecorder::new(NAME, ""),
            memory: BTreeMap::new(),
            selectors: BTreeMap::new(),
        }
    }
}

/// One look at an autoscaler: the object, and the status it gets.
struct Sync<'a> {
    hpa: &'a Arc<Object>,
    about: InvolvedObject,
    conditions: Vec<Value>,
    /// The scale target's kind, if it has one that can be scaled.
    now: Value,
}

/// What a look found: replicas, and the metric that asks for them; what each metric says; the condition and the error of
/// those that failed.
struct Computed {
    replicas: i64,
    metric: String,
    statuses: Vec<Value>,
    failed: Option<(&'static str, String)>,
    invalid: usize,
}

/// A failed metric: the condition's reason, the cause, and the whole error.
struct Failed {
    reason: &'static str,
    cause: String,
    error: String,
}

impl Sync<'_> {
    /// Source: horizontal.go `setConditionInList`.
    fn set_condition(&mut self, kind: &str, holds: bool, reason: &str, message: &str) {
        let value = if holds { "True" } else { "False" };
        let at = self.conditions.iter().position(|one| text(one.get("type")) == kind);
        let since = at
            .and_then(|at| self.conditions.get(at))
            .filter(|one| text(one.get("status")) == value)
            .and_then(|one| one.get("lastTransitionTime").cloned());
        let condition = json!({"type": kind, "status": value, "reason": reason, "message": message,
            "lastTransitionTime": since.unwrap_or_else(|| self.now.clone())});
        match at.and_then(|at| self.conditions.get_mut(at)) {
            Some(known) => *known = condition,
            None => self.conditions.push(condition),
        }
    }
}

impl HorizontalController {
    pub(super) fn observe(&mut self, change: &Change, cx: &mut Cx<'_>) {
        let hpa = &change.object;
        if *hpa.kind != kinds::HORIZONTAL_POD_AUTOSCALER {
            return;
        }
        let key = Key::of(hpa);
        if change.change == ChangeType::Deleted {
            self.memory.remove(&key);
            self.selectors.remove(&key);
            self.queue.forget(&key, cx);
            return;
        }
        // Its own writes wait for their turn; a new spec is looked at now.
        let same = |before: &Arc<Object>| before.metadata.generation == hpa.metadata.generation;
        if !change.before.as_ref().is_some_and(same) {
            self.queue.add(key, cx);
        }
    }

    pub(super) fn sync(&mut self, key: &Key, cx: &mut Cx<'_>) {
        self.queue.take(key, cx);
        let hpa = cx.api.store().get_key(&kinds::HORIZONTAL_POD_AUTOSCALER, key).cloned();
        let outcome: Outcome = match hpa {
            Some(hpa) => {
                self.reconcile(key, &hpa, cx);
                Ok(Some(cx.now() + SYNC_PERIOD))
            }
            None => Ok(None),
        };
        self.queue.done(key, &outcome, cx);
    }

    fn event(&mut self, sync: &Sync<'_>, kind: EventType, reason: &str, message: &str, cx: &mut Cx<'_>) {
        self.recorder.event(cx.api, &sync.about, kind, reason, message);
    }

    /// Source: horizontal.go `reconcileAutoscaler`.
    fn reconcile(&mut self, key: &Key, hpa: &Arc<Object>, cx: &mut Cx<'_>) {
        let mut sync = Sync {
            hpa,
            about: InvolvedObject::of(hpa),
            conditions: status(hpa, "conditions").and_then(Value::as_array).cloned().unwrap_or_default(),
            now: timestamp(cx.now()),
        };
        let (kind, scale) = match self.scale(hpa, cx) {
            Ok(found) => found,
            Err(error) => {
                self.event(&sync, EventType::Warning, "FailedGetScale", &error, cx);
                let text =
                    format!("the HPA controller was unable to get the target's current scale: {error}");
                sync.set_condition("AbleToScale", false, "FailedGetScale", &text);
                write(&sync, None, cx);
                return;
            }
        };
        let text = "the HPA controller was able to get the target's current scale";
        sync.set_condition("AbleToScale", true, "SucceededGetScale", text);
        let current = int(scale.pointer("/spec/replicas")).unwrap_or(0);
        let now = cx.now();
        self.memory.entry(key.clone()).or_default().begin(current, now);
        let min = int(spec(hpa, "minReplicas")).unwrap_or(1);
        let max = int(spec(hpa, "maxReplicas")).unwrap_or(1);
        let was_to_zero = sync.conditions.iter().any(|one| {
            one.get("type").and_then(Value::as_str) == Some("ScaledToZero")
                && one.get("status").and_then(Value::as_str) == Some("True")
        });
        let from_outside = metrics_of(hpa)
            .iter()
            .any(|one| matches!(one.get("type").and_then(Value::as_str), Some("Object" | "External")));
        let mut statuses = Value::Null;
        let mut reason = String::new();
        let mut desired;
        if current == 0 && !(was_to_zero && (min != 0 || from_outside)) {
            let text = "scaling is disabled since the replica count of the target is zero";
            sync.set_condition("ScalingActive", false, "ScalingDisabled", text);
            write(&sync, Some((0, 0, Value::Null, false)), cx);
            return;
        } else if current > max {
            "Current number of replicas above Spec.MaxReplicas".clone_into(&mut reason);
            desired = max;
        } else if current != 0 && current < min {
            "Current number of replicas below Spec.MinReplicas".clone_into(&mut reason);
            desired = min;
        } else {
            let found = self.compute(&mut sync, key, &scale, current, cx);
            let computed = match found {
                Ok(computed) => computed,
                Err((list, error)) => {
                    let before = int(status(hpa, "desiredReplicas")).unwrap_or(0);
                    write(&sync, Some((current, before, list, false)), cx);
                    self.event(&sync, EventType::Warning, "FailedComputeMetricsReplicas", &error, cx);
                    return;
                }
            };
            statuses = computed.statuses.into();
            desired = computed.replicas;
            if desired > current {
                reason = format!("{} above target", computed.metric);
            } else if desired < current {
                "All metrics below target".clone_into(&mut reason);
            }
            let wanted = Wanted { current, desired, min, max };
            let memory = self.memory.entry(key.clone()).or_default();
            let normal = match spec(hpa, "behavior").filter(|behavior| behavior.is_object()) {
                Some(behavior) => memory.normalize_with(wanted, behavior, now),
                None => memory.normalize(wanted, now),
            };
            sync.set_condition("AbleToScale", true, normal.able.0, normal.able.1);
            let (limited, why, text) = normal.limited;
            sync.set_condition("ScalingLimited", limited, why, text);
            desired = normal.replicas;
            if current == 0 && min != 0 && was_to_zero && desired < min {
                desired = min;
                if reason.is_empty() {
                    "Current number of replicas below Spec.MinReplicas".clone_into(&mut reason);
                }
            }
        }
        let rescale = desired != current;
        if rescale {
            let mut wanted = scale.clone();
            if let Some(replicas) = wanted.pointer_mut("/spec/replicas") {
                *replicas = desired.into();
            }
            let name = scale_target(hpa, "name");
            if let Err(error) = cx.api.update_scale(kind, hpa.namespace(), name, &wanted) {
                let text = format!("New size: {desired}; reason: {reason}; error: {}", error.message);
                self.event(&sync, EventType::Warning, "FailedRescale", &text, cx);
                let text =
                    format!("the HPA controller was unable to update the target scale: {}", error.message);
                sync.set_condition("AbleToScale", false, "FailedUpdateScale", &text);
                let before = int(status(hpa, "desiredReplicas")).unwrap_or(0);
                write(&sync, Some((current, before, statuses, false)), cx);
                return;
            }
            let text = format!("the HPA controller was able to update the target scale to {desired}");
            sync.set_condition("AbleToScale", true, "SucceededRescale", &text);
            let text = format!("New size: {desired}; reason: {reason}");
            self.event(&sync, EventType::Normal, "SuccessfulRescale", &text, cx);
            let memory = self.memory.entry(key.clone()).or_default();
            memory.scaled(current, desired, spec(hpa, "behavior"), now);
            if current > 0 && desired == 0 && min == 0 && from_outside {
                let text = "the HPA controller scaled the workload to zero";
                sync.set_condition("ScaledToZero", true, "ScaledToZero", text);
            } else {
                let text = "the HPA controller did not scale the workload to zero";
                sync.set_condition("ScaledToZero", false, "NotScaledToZero", text);
            }
        }
        write(&sync, Some((current, desired, statuses, rescale)), cx);
    }

    /// The target's scale.
    fn scale(&self, hpa: &Object, cx: &Cx<'_>) -> Result<(&'static Kind, Value), String> {
        let (version, kind) = (scale_target(hpa, "apiVersion"), scale_target(hpa, "kind"));
        if version.matches('/').count() > 1 {
            return Err(format!("unexpected GroupVersion string: {version}"));
        }
        let group = version.split_once('/').map_or("", |(group, _)| group);
        let mut all = kinds::ALL.iter().chain(cx.api.defined_kinds()).copied();
        let found = all.find(|one| one.kind == kind && one.group == group);
        let Some(found) = found else {
            return Err(format!("no matches for kind {kind:?} in group {group:?}"));
        };
        if !found.subresources.contains(&"scale") {
            return Err("the server could not find the requested resource".to_owned());
        }
        let name = scale_target(hpa, "name");
        match cx.api.get_scale(found, hpa.namespace(), name).map(|response| response.body) {
            Ok(podlab_api::door::ResponseBody::Value(scale)) => Ok((found, scale)),
            Ok(_) => Err("unrecognized resource".to_owned()),
            Err(error) => Err(error.message),
        }
    }

    /// Source: horizontal.go `computeReplicasForMetrics`.
    fn compute(
        &mut self,
        sync: &mut Sync<'_>,
        key: &Key,
        scale: &Value,
        current: i64,
        cx: &mut Cx<'_>,
    ) -> Result<Computed, (Value, String)> {
        let selector = self.selector(sync, key, text(scale.pointer("/status/selector")), cx);
        let selector = selector.map_err(|error| (Value::Null, error))?;
        let metrics = metrics_of(sync.hpa);
        let mut computed =
            Computed { replicas: 0, metric: String::new(), statuses: Vec::new(), failed: None, invalid: 0 };
        let mut first = String::new();
        for metric in metrics {
            match self.compute_one(sync, metric, &selector, current, cx) {
                Ok((replicas, name, status)) => {
                    computed.statuses.push(status);
                    if computed.replicas == 0 || replicas > computed.replicas {
                        computed.replicas = replicas;
                        computed.metric = name;
                    }
                }
                Err(failed) => {
                    computed.statuses.push(json!({"type": ""}));
                    computed.invalid += 1;
                    if computed.failed.is_none() {
                        let text =
                            format!("the HPA was unable to compute the replica count: {}", failed.cause);
                        computed.failed = Some((failed.reason, text));
                        first = failed.error;
                    }
                }
            }
        }
        if let Some((reason, text)) = &computed.failed
            && (computed.invalid >= metrics.len() || computed.replicas < current)
        {
            sync.set_condition("ScalingActive", false, reason, text);
            let (invalid, all) = (computed.invalid, metrics.len());
            let error = format!("invalid metrics ({invalid} invalid out of {all}), first error is: {first}");
            return Err((computed.statuses.into(), error));
        }
        let metric = &computed.metric;
        let text = format!("the HPA was able to successfully calculate a replica count from {metric}");
        sync.set_condition("ScalingActive", true, "ValidMetricFound", &text);
        Ok(computed)
    }

    /// Source: horizontal.go `validateAndParseSelector`.
    fn selector(
        &mut self,
        sync: &mut Sync<'_>,
        key: &Key,
        written: &str,
        cx: &mut Cx<'_>,
    ) -> Result<Selector, String> {
        if written.is_empty() {
            self.event(sync, EventType::Warning, "SelectorRequired", "selector is required", cx);
            let text = "the HPA target's scale is missing a selector";
            sync.set_condition("ScalingActive", false, "InvalidSelector", text);
            return Err("selector is required".to_owned());
        }
        let selector = match Selector::parse(written) {
            Ok(selector) => selector,
            Err(error) => {
                let text = format!(
                    "couldn't convert selector into a corresponding internal selector object: {error}"
                );
                self.event(sync, EventType::Warning, "InvalidSelector", &text, cx);
                sync.set_condition("ScalingActive", false, "InvalidSelector", &text);
                return Err(text);
            }
        };
        self.selectors.insert(key.clone(), selector.clone());
        let shared = self.shared(key, &selector, cx);
        if let Some(shared) = shared {
            let shared = shared.join(" ");
            let text =
                format!("pods by selector {written} are controlled by more than one HPA (e.g. [{shared}])");
            self.event(sync, EventType::Warning, "AmbiguousSelector", &text, cx);
            sync.set_condition("ScalingActive", false, "AmbiguousSelector", &text);
            return Err(text);
        }
        Ok(selector)
    }

    /// Two autoscalers that are for one pod, one of them this, if there are such.
    fn shared(&self, key: &Key, selector: &Selector, cx: &Cx<'_>) -> Option<Vec<String>> {
        let all: Vec<(&Key, &Selector)> =
            self.selectors.iter().filter(|(other, _)| other.namespace == key.namespace).collect();
        if all.len() < 2 {
            return None;
        }
        let pods = cx.api.store().list(&kinds::POD);
        let mut own = pods.filter(|pod| *pod.namespace() == *key.namespace && selector.matches(&***pod));
        own.find_map(|pod| {
            let of = all.iter().filter(|(_, selector)| selector.matches(&**pod));
            let of: Vec<String> =
                of.map(|(key, _)| format!("{{{} {}}}", key.name, key.namespace)).take(2).collect();
            (of.len() > 1).then_some(of)
        })
    }

    /// Source: horizontal.go `computeReplicasForMetric` and what it calls.
    fn compute_one(
        &mut self,
        sync: &Sync<'_>,
        metric: &Value,
        selector: &Selector,
        current: i64,
        cx: &mut Cx<'_>,
    ) -> Result<(i64, String, Value), Failed> {
        let failed = |reason, cause: String, what: &str| Failed {
            reason,
            error: format!("failed to get {what}: {cause}"),
            cause,
        };
        const NO_CUSTOM: &str = "unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered";
        let part = |pointer: &str| text(metric.pointer(pointer)).to_owned();
        let result = match text(metric.get("type")) {
            "Resource" => {
                let name = part("/resource/name");
                let found = self.resource(sync, metric, "resource", "", selector, current, cx);
                found.map_err(|cause| {
                    failed("FailedGetResourceMetric", cause, &format!("{name} resource metric value"))
                })
            }
            "ContainerResource" => {
                let container = part("/containerResource/container");
                let found =
                    self.resource(sync, metric, "containerResource", &container, selector, current, cx);
                found.map_err(|cause| {
                    let what = format!("{container} container metric value");
                    failed("FailedGetContainerResourceMetric", cause, &what)
                })
            }
            "Pods" => {
                let name = part("/pods/metric/name");
                let cause = format!("unable to get metric {name}: {NO_CUSTOM}");
                Err(failed("FailedGetPodsMetric", cause, "pods metric value"))
            }
            "Object" => {
                let (name, kind) = (part("/object/metric/name"), part("/object/describedObject/kind"));
                let (namespace, object) = (sync.hpa.namespace(), part("/object/describedObject/name"));
                let cause =
                    format!("unable to get metric {name}: {kind} on {namespace} {object}/{NO_CUSTOM}");
                Err(failed("FailedGetObjectMetric", cause, "object metric value"))
            }
            _ => {
                let (namespace, name) = (sync.hpa.namespace(), part("/external/metric/name"));
                let selector = go_label_selector(metric.pointer("/external/metric/selector"));
                let api = format!(
                    "unable to fetch metrics from external metrics API: the server could not find the requested resource (get {name}.external.metrics.k8s.io)"
                );
                let cause = format!("unable to get external metric {namespace}/{name}/{selector}: {api}");
                Err(failed("FailedGetExternalMetric", cause, &format!("{name} external metric value")))
            }
        };
        if let Err(failed) = &result {
            self.event(sync, EventType::Warning, failed.reason, &failed.cause, cx);
        }
        result
    }

    #[allow(clippy::too_many_arguments)]
    fn resource(
        &self,
        sync: &Sync<'_>,
        metric: &Value,
        field: &str,
        container: &str,
        selector: &Selector,
        current: i64,
        cx: &Cx<'_>,
    ) -> Result<(i64, String, Value), String> {
        let source = metric.get(field).unwrap_or(&Value::Null);
        let resource = text(source.get("name"));
        let utilization = int(source.pointer("/target/averageUtilization"));
        let average = source.pointer("/target/averageValue").and_then(Value::as_str);
        let (target, what, name) = if let Some(average) = average {
            let value = Quantity::parse(average).map_or(0, |average| average.milli_value());
            (Target::Average(value), "usage", format!("{resource} resource"))
        } else if let Some(percent) = utilization {
            let of = if container.is_empty() { "resource" } else { "container resource" };
            let name = format!("{resource} {of} utilization (percentage of request)");
            (Target::Utilization(percent), "utilization", name)
        } else {
            return Err("invalid resource metric source: neither an average utilization target nor an average value (usage) target was set".to_owned());
        };
        let query = Query {
            namespace: sync.hpa.namespace(),
            selector,
            resource,
            container,
            tolerances: tolerances(sync.hpa),
        };
        let found = replica_calculator::replicas(&query, target, current, cx);
        let found = found.map_err(|error| format!("failed to get {resource} {what}: {error}"))?;
        let format = if resource == "memory" { Format::BinarySi } else { Format::DecimalSi };
        let mut value = json!({"averageValue": Quantity::new_milli(found.average, format).to_string()});
        if let Some(percent) = found.utilization {
            value["averageUtilization"] = percent.into();
        }
        let mut status = json!({"name": resource, "current": value});
        if !container.is_empty() {
            status["container"] = container.into();
        }
        let kind = text(metric.get("type"));
        Ok((found.replicas, name, json!({"type": kind, field: status})))
    }
}

fn scale_target<'a>(hpa: &'a Object, field: &str) -> &'a str {
    text(spec(hpa, "scaleTargetRef").and_then(|target| target.get(field)))
}

fn metrics_of(hpa: &Object) -> &[Value] {
    spec(hpa, "metrics").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Source: horizontal.go `tolerancesForHpa`.
fn tolerances(hpa: &Object) -> Tolerances {
    let of = |direction: &str| {
        let written = spec(hpa, "behavior").and_then(|behavior| behavior.get(direction)?.get("tolerance"));
        let quantity = written.and_then(Value::as_str).and_then(|written| Quantity::parse(written).ok());
        quantity.map_or(TOLERANCE, |quantity| quantity.as_approximate_f64())
    };
    Tolerances { scale_down: of("scaleDown"), scale_up: of("scaleUp") }
}

/// Writes the status, where it is another: current and desired replicas, what the metrics say, and whether the target
/// was scaled just now.
fn write(sync: &Sync<'_>, figures: Option<(i64, i64, Value, bool)>, cx: &mut Cx<'_>) {
    let before = sync.hpa.field("status").cloned().unwrap_or_else(|| json!({}));
    let mut new = before.clone();
    let Some(fields) = new.as_object_mut() else { return };
    fields.insert("conditions".to_owned(), sync.conditions.clone().into());
    if let Some((current, desired, metrics, rescaled)) = figures {
        // As Go writes it: no current replicas are left out.
        fields.remove("currentReplicas");
        if current != 0 {
            fields.insert("currentReplicas".to_owned(), current.into());
        }
        fields.insert("desiredReplicas".to_owned(), desired.into());
        fields.insert("currentMetrics".to_owned(), metrics);
        fields.insert("observedGeneration".to_owned(), json!(sync.hpa.metadata.generation));
        if rescaled {
            fields.insert("lastScaleTime".to_owned(), sync.now.clone());
        }
    }
    if new != before {
        // A conflict is met at the next turn.
        let _ = set_status(sync.hpa, new, cx);
    }
}
