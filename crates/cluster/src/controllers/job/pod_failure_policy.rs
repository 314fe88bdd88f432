//! What a failed pod means for its Job.
//!
//! Source: pkg/controller/job/pod_failure_policy.go (v1.37).

use super::super::values::text;
use k8s_openapi::api::core::v1::{ContainerStatus, PodStatus};
use podlab_api::Object;
use serde_json::Value;

/// The rules of a Job, first match wins.
#[derive(Default)]
pub(super) struct PodFailurePolicy {
    rules: Vec<Value>,
}

/// What the rules say of a pod.
#[derive(Default)]
pub(super) struct Judgement {
    /// It counts towards the limit.
    pub(super) counts: bool,
    /// Its index fails.
    pub(super) fails_index: bool,
    /// The Job fails, and why.
    pub(super) fails_job: Option<String>,
}

impl PodFailurePolicy {
    pub(super) fn of(policy: Option<&Value>) -> PodFailurePolicy {
        let rules = policy.and_then(|policy| policy.get("rules")).and_then(Value::as_array);
        PodFailurePolicy { rules: rules.cloned().unwrap_or_default() }
    }

    /// Judges a failed pod; without a rule for it, it counts.
    pub(super) fn judge(&self, pod: &Object) -> Judgement {
        let counts = Judgement { counts: true, ..Judgement::default() };
        let Some(status) = pod.pod_status() else { return counts };
        for (index, rule) in self.rules.iter().enumerate() {
            let action = text(rule.get("action"));
            let place = format!("{}/{}", pod.namespace(), pod.name());
            let message = if let Some(codes) = rule.get("onExitCodes").filter(|codes| !codes.is_null()) {
                let Some((container, code)) = matching_container(status, codes) else { continue };
                format!(
                    "Container {container} for pod {place} failed with exit code {code} matching {action} rule at \
                     index {index}"
                )
            } else if let Some(patterns) = rule.get("onPodConditions").and_then(Value::as_array) {
                let Some(condition) = matching_condition(status, patterns) else { continue };
                format!("Pod {place} has condition {condition} matching {action} rule at index {index}")
            } else {
                continue;
            };
            match action {
                "Ignore" => return Judgement::default(),
                "FailIndex" => return Judgement { fails_index: true, ..counts },
                "FailJob" => return Judgement { fails_job: Some(message), ..counts },
                "Count" => return counts,
                _ => {}
            }
        }
        counts
    }
}

/// The first container that ended in a way that the requirement names, and its exit code.
fn matching_container<'a>(status: &'a PodStatus, wanted: &Value) -> Option<(&'a str, i32)> {
    let name = wanted.get("containerName").and_then(Value::as_str);
    let values: Vec<i64> = wanted
        .get("values")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_i64)
        .collect();
    let matching = |container: &&ContainerStatus| {
        let ended = container.state.as_ref().and_then(|state| state.terminated.as_ref());
        ended.is_some_and(|ended| {
            let listed = values.contains(&i64::from(ended.exit_code));
            let wanted = match text(wanted.get("operator")) {
                "In" => listed,
                "NotIn" => !listed,
                _ => false,
            };
            ended.exit_code != 0 && wanted && name.is_none_or(|name| name == container.name)
        })
    };
    let mut containers = status.container_statuses.iter().flatten();
    let mut init = status.init_container_statuses.iter().flatten();
    let found = containers.find(matching).or_else(|| init.find(matching))?;
    Some((&found.name, found.state.as_ref()?.terminated.as_ref()?.exit_code))
}

fn matching_condition<'a>(status: &'a PodStatus, patterns: &[Value]) -> Option<&'a str> {
    let matches = |kind: &str, value: &str| {
        patterns.iter().any(|pattern| {
            text(pattern.get("type")) == kind
                && pattern.get("status").and_then(Value::as_str).unwrap_or("True") == value
        })
    };
    let found =
        status.conditions.iter().flatten().find(|condition| matches(&condition.type_, &condition.status))?;
    Some(&found.type_)
}
