//! What Deployments and their ReplicaSets say of themselves.
//!
//! Source: pkg/controller/deployment/util/deployment_util.go (v1.37).

use super::super::values::{int, spec, status, text, timestamp};
use podlab_api::Object;
use podlab_api::int_or_string::{Rounding, parse, scaled_value};
use podlab_api::time::unix_seconds;
use podlab_sim::SimTime;
use serde_json::{Map, Value, json};
use std::cmp::Ordering;
use std::sync::Arc;

pub(super) const REVISION: &str = "deployment.kubernetes.io/revision";
pub(super) const REVISION_HISTORY: &str = "deployment.kubernetes.io/revision-history";
pub(super) const DESIRED_REPLICAS: &str = "deployment.kubernetes.io/desired-replicas";
pub(super) const MAX_REPLICAS: &str = "deployment.kubernetes.io/max-replicas";
pub(in crate::controllers) const TEMPLATE_HASH: &str = "pod-template-hash";

/// Annotations that are not copied from a Deployment to its ReplicaSets.
pub(super) const NOT_COPIED: [&str; 6] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    REVISION_HISTORY,
    DESIRED_REPLICAS,
    MAX_REPLICAS,
    super::rollback::ROLLBACK_TO,
];

pub(super) type Sets = Vec<Arc<Object>>;

pub(super) fn strategy(deployment: &Object) -> &str {
    text(spec(deployment, "strategy").and_then(|strategy| strategy.get("type")))
}

/// The replicas asked for.
pub(super) fn replicas(object: &Object) -> i64 {
    int(spec(object, "replicas")).unwrap_or(1)
}

/// A count in the status.
pub(super) fn counted(object: &Object, field: &str) -> i64 {
    int(status(object, field)).unwrap_or(0)
}

pub(super) fn sum(sets: &[Arc<Object>], count: impl Fn(&Object) -> i64) -> i64 {
    sets.iter().map(|set| count(set)).sum()
}

pub(super) fn active(sets: &[Arc<Object>]) -> Sets {
    sets.iter().filter(|set| replicas(set) > 0).cloned().collect()
}

fn created(set: &Object) -> i64 {
    set.metadata.creation_timestamp.as_ref().map_or(0, unix_seconds)
}

/// Source: pkg/controller/controller_utils.go `ReplicaSetsByCreationTimestamp`.
pub(super) fn older_first(a: &Arc<Object>, b: &Arc<Object>) -> Ordering {
    created(a).cmp(&created(b)).then_with(|| a.name().cmp(b.name()))
}

pub(super) fn by_creation(mut sets: Sets) -> Sets {
    sets.sort_by(older_first);
    sets
}

/// maxSurge and maxUnavailable as numbers; one of them is at least 1.
///
/// Source: `ResolveFenceposts`.
pub(super) fn fenceposts(deployment: &Object) -> (i64, i64) {
    let rolling = spec(deployment, "strategy").and_then(|strategy| strategy.get("rollingUpdate"));
    let value = |field: &str, rounding: Rounding| {
        let given = match rolling.and_then(|rolling| rolling.get(field)) {
            Some(Value::String(text)) => parse(text),
            Some(other) => parse(&other.to_string()),
            None => parse("0"),
        };
        scaled_value(&given, replicas(deployment), rounding).unwrap_or(0)
    };
    let (surge, unavailable) = (value("maxSurge", Rounding::Up), value("maxUnavailable", Rounding::Down));
    if surge == 0 && unavailable == 0 { (0, 1) } else { (surge, unavailable) }
}

pub(super) fn max_surge(deployment: &Object) -> i64 {
    if strategy(deployment) == "RollingUpdate" { fenceposts(deployment).0 } else { 0 }
}

pub(super) fn max_unavailable(deployment: &Object) -> i64 {
    let wanted = replicas(deployment);
    if strategy(deployment) != "RollingUpdate" || wanted == 0 {
        return 0;
    }
    fenceposts(deployment).1.min(wanted)
}

/// `None` where a Deployment's progress is not watched.
pub(super) fn progress_deadline(deployment: &Object) -> Option<i64> {
    int(spec(deployment, "progressDeadlineSeconds")).filter(|seconds| *seconds != i64::from(i32::MAX))
}

/// The revision of a ReplicaSet; 0 without one, `None` where it is no number.
pub(super) fn revision(set: &Object) -> Option<i64> {
    set.annotation(REVISION).map_or(Some(0), |revision| revision.parse().ok())
}

/// A number that the controller has noted on a ReplicaSet.
pub(super) fn noted(set: &Object, key: &str) -> Option<i64> {
    set.annotation(key)?.parse::<u32>().ok().map(i64::from).filter(|n| *n <= i64::from(i32::MAX))
}

/// Whether two templates are alike but for the hash in their labels.
pub(super) fn equal_ignoring_hash(a: &Value, b: &Value) -> bool {
    let labels = |template: &Value| {
        let labels = template.pointer("/metadata/labels").and_then(Value::as_object).cloned();
        let mut labels = labels.unwrap_or_default();
        labels.remove(TEMPLATE_HASH);
        labels
    };
    let rest = |template: &Value| {
        let meta = template.get("metadata").and_then(Value::as_object);
        let others = meta.into_iter().flatten().filter(|(key, value)| *key != "labels" && !value.is_null());
        others.map(|(key, value)| (key.clone(), value.clone())).collect::<Map<_, _>>()
    };
    a.get("spec") == b.get("spec") && labels(a) == labels(b) && rest(a) == rest(b)
}

/// Whether all replicas asked for are updated and available, and no others are left.
///
/// Source: `DeploymentComplete`.
pub(super) fn is_complete(deployment: &Object, status: &Map<String, Value>) -> bool {
    let wanted = replicas(deployment);
    let count = |field: &str| int(status.get(field)).unwrap_or(0);
    count("updatedReplicas") == wanted
        && count("replicas") == wanted
        && count("availableReplicas") == wanted
        && count("observedGeneration") >= deployment.metadata.generation.unwrap_or(0)
}

/// The conditions of a status.
pub(super) fn conditions(status: &Map<String, Value>) -> Vec<Value> {
    status.get("conditions").and_then(Value::as_array).cloned().unwrap_or_default()
}

/// One condition of a status.
pub(super) fn condition<'a>(status: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let all = status.get("conditions").and_then(Value::as_array)?;
    all.iter().find(|condition| text(condition.get("type")) == name)
}

/// A new condition, its times set to `now`.
pub(super) fn new_condition(name: &str, status: &str, reason: &str, message: &str, now: SimTime) -> Value {
    json!({"type": name, "status": status, "reason": reason, "message": message,
        "lastUpdateTime": timestamp(now), "lastTransitionTime": timestamp(now)})
}

/// Adds a condition or replaces it; one with the same status and reason stays as it is.
///
/// Source: `SetDeploymentCondition`.
pub(super) fn set_condition(status: &mut Map<String, Value>, mut condition: Value) {
    let name = text(condition.get("type")).to_owned();
    if let Some(current) = self::condition(status, &name)
        && current.get("status") == condition.get("status")
    {
        if current.get("reason") == condition.get("reason") {
            return;
        }
        if let (Some(since), Some(fields)) = (current.get("lastTransitionTime"), condition.as_object_mut()) {
            fields.insert("lastTransitionTime".to_owned(), since.clone());
        }
    }
    remove_condition(status, &name);
    let mut all = conditions(status);
    all.push(condition);
    status.insert("conditions".to_owned(), all.into());
}

pub(super) fn remove_condition(status: &mut Map<String, Value>, name: &str) {
    let mut all = conditions(status);
    all.retain(|condition| text(condition.get("type")) != name);
    if all.is_empty() {
        status.remove("conditions");
    } else {
        status.insert("conditions".to_owned(), all.into());
    }
}

/// The status of a Deployment as it is.
pub(super) fn status_of(deployment: &Object) -> Map<String, Value> {
    deployment.field("status").and_then(Value::as_object).cloned().unwrap_or_default()
}
