//! `kubectl create quota`, `poddisruptionbudget`, `priorityclass`.

use super::{finish, name};
use crate::cx::{Cx, Flow};
use crate::error::{Result, message};
use crate::flags::Parsed;
use podlab_api::kinds;
use podlab_api::quantity::Quantity;
use podlab_api::selector::label_selector::parse_to_label_selector;
use serde_json::{Map, Value, json};

/// `cpu=1,memory=1Gi` as a resource list.
///
/// Source: k8s.io/kubectl/pkg/cmd/create/create_quota.go populateResourceListV1 (v1.37).
pub(crate) fn resource_list(spec: &str) -> Result<Map<String, Value>> {
    let mut out = Map::new();
    if spec.is_empty() {
        return Ok(out);
    }
    for part in spec.split(',') {
        let mut sides = part.split('=');
        let (Some(name), Some(amount), None) = (sides.next(), sides.next(), sides.next()) else {
            return message(format!("Invalid argument syntax {part}, expected <resource>=<value>"));
        };
        match Quantity::parse(amount) {
            Ok(amount) => out.insert(name.to_owned(), amount.to_string().into()),
            Err(error) => return message(error.to_string()),
        };
    }
    Ok(out)
}

pub(super) fn quota(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    let name = name(parsed)?;
    let hard = resource_list(parsed.str("hard"))?;
    let mut spec = Map::new();
    if !hard.is_empty() {
        spec.insert("hard".into(), Value::Object(hard));
    }
    let scopes = parsed.str("scopes");
    if !scopes.is_empty() {
        let mut list: Vec<Value> = Vec::new();
        for scope in scopes.split(',') {
            if scope.is_empty() {
                return message("invalid resource quota scope \"\"");
            }
            list.push(scope.into());
        }
        spec.insert("scopes".into(), list.into());
    }
    let object = json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": name}, "spec": spec, "status": {}});
    finish(cx, parsed, &kinds::RESOURCE_QUOTA, object, "failed to create quota: ")
}

/// `1` is a number, `50%` a text.
pub(crate) fn int_or_string(text: &str) -> Value {
    text.parse::<i32>().map_or_else(|_| text.into(), Value::from)
}

pub(super) fn budget(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    let name = name(parsed)?;
    let (selector, min, max) =
        (parsed.str("selector"), parsed.str("min-available"), parsed.str("max-unavailable"));
    if selector.is_empty() {
        return message("a selector must be specified");
    }
    let fine = |text: &str| {
        let digits = text.strip_suffix('%').unwrap_or(text);
        !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit())
    };
    match (min, max) {
        ("", "") => return message("one of min-available or max-unavailable must be specified"),
        ("", max) if !fine(max) => return message("invalid format specified for max-unavailable"),
        ("", _) => {}
        (min, "") if !fine(min) => return message("invalid format specified for min-available"),
        (_, "") => {}
        _ => return message("min-available and max-unavailable cannot be both specified"),
    }
    let selector = match parse_to_label_selector(selector) {
        Ok(selector) => serde_json::to_value(selector).unwrap_or(Value::Null),
        Err(error) => return message(error),
    };
    let mut spec = json!({"selector": selector});
    if min.is_empty() {
        spec["maxUnavailable"] = int_or_string(max);
    } else {
        spec["minAvailable"] = int_or_string(min);
    }
    let object = json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": name}, "spec": spec,
        "status": {"currentHealthy": 0, "desiredHealthy": 0, "disruptionsAllowed": 0, "expectedPods": 0}});
    finish(cx, parsed, &kinds::POD_DISRUPTION_BUDGET, object, "failed to create poddisruptionbudgets: ")
}

pub(super) fn priority_class(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    let name = name(parsed)?;
    let mut object = json!({"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": name},
        "value": parsed.int("value"), "preemptionPolicy": parsed.str("preemption-policy")});
    if parsed.bool("global-default") {
        object["globalDefault"] = true.into();
    }
    if !parsed.str("description").is_empty() {
        object["description"] = parsed.str("description").into();
    }
    finish(cx, parsed, &kinds::PRIORITY_CLASS, object, "failed to create priorityclass: ")
}
