//! Affinity, tolerations, topology spread: where a pod may go.
//!
//! Source: pkg/apis/core/validation/validation.go validateAffinity, ValidateTolerations,
//! validateTopologySpreadConstraints (v1.37).

use super::content::{is_qualified_name, is_valid_label_value};
use super::field::{FieldError, Path};
use super::meta::{name_is_dns_label, name_is_dns_subdomain, validate_label_selector};
use super::{Errors, invalid_each, supported};
use crate::schema::tree::{Fields, at, has, int, list, map, text};
use serde_json::Value;

pub(crate) fn validate_affinity(errors: &mut Errors, affinity: &Value, path: &Path) {
    const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
    const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";
    let node = at(affinity, "nodeAffinity");
    let node_path = path.child("nodeAffinity");
    if has(node, REQUIRED) {
        validate_node_selector(errors, at(node, REQUIRED), true, &node_path.child(REQUIRED));
    }
    for (i, term) in list(node, PREFERRED).iter().enumerate() {
        let terms = node_path.child(PREFERRED);
        let path = terms.index(i);
        validate_weight(errors, term, &path);
        validate_node_selector_term(errors, at(term, "preference"), false, &path.child("preference"));
    }
    for kind in ["podAffinity", "podAntiAffinity"] {
        let path = path.child(kind);
        for (i, term) in list(at(affinity, kind), REQUIRED).iter().enumerate() {
            validate_pod_affinity_term(errors, term, &path.child(REQUIRED).index(i));
        }
        for (i, term) in list(at(affinity, kind), PREFERRED).iter().enumerate() {
            let terms = path.child(PREFERRED);
            let path = terms.index(i);
            validate_weight(errors, term, &path);
            validate_pod_affinity_term(errors, at(term, "podAffinityTerm"), &path.child("podAffinityTerm"));
        }
    }
}

fn validate_weight(errors: &mut Errors, term: &Value, path: &Path) {
    let weight = int(term, "weight").unwrap_or(0);
    if !(1..=100).contains(&weight) {
        errors.push(FieldError::invalid(&path.child("weight"), weight, "must be in the range 1-100"));
    }
}

/// A node selector; `strict` also checks that values can be label values.
pub(crate) fn validate_node_selector(errors: &mut Errors, selector: &Value, strict: bool, path: &Path) {
    let terms = list(selector, "nodeSelectorTerms");
    let path = path.child("nodeSelectorTerms");
    if terms.is_empty() {
        errors.push(FieldError::required(&path, "must have at least one node selector term"));
    }
    for (i, term) in terms.iter().enumerate() {
        validate_node_selector_term(errors, term, strict, &path.index(i));
    }
}

fn validate_node_selector_term(errors: &mut Errors, term: &Value, strict: bool, path: &Path) {
    for (i, requirement) in list(term, "matchExpressions").iter().enumerate() {
        let expressions = path.child("matchExpressions");
        let path = expressions.index(i);
        let values = list(requirement, "values");
        let operator = text(requirement, "operator");
        let detail = match operator {
            "In" | "NotIn" if values.is_empty() => {
                Some("must be specified when `operator` is 'In' or 'NotIn'")
            }
            "Gt" | "Lt" if values.len() != 1 => {
                Some("must be specified single value when `operator` is 'Lt' or 'Gt'")
            }
            "Exists" | "DoesNotExist" if !values.is_empty() => {
                let detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
                errors.push(FieldError::forbidden(&path.child("values"), detail));
                None
            }
            "In" | "NotIn" | "Gt" | "Lt" | "Exists" | "DoesNotExist" => None,
            _ => {
                let path = path.child("operator");
                errors.push(FieldError::invalid(&path, operator, "not a valid selector operator"));
                None
            }
        };
        errors.extend(detail.map(|d| FieldError::required(&path.child("values"), d)));
        let key = text(requirement, "key");
        invalid_each(errors, &path.child("key"), key, is_qualified_name(key));
        if strict {
            for (j, value) in values.iter().filter_map(Value::as_str).enumerate() {
                invalid_each(errors, &path.child("values").index(j), value, is_valid_label_value(value));
            }
        }
    }
    for (i, requirement) in list(term, "matchFields").iter().enumerate() {
        let fields = path.child("matchFields");
        let path = fields.index(i);
        let values = list(requirement, "values");
        let operator = text(requirement, "operator");
        match operator {
            "In" | "NotIn" => {
                if values.len() != 1 {
                    let detail =
                        "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
                    errors.push(FieldError::required(&path.child("values"), detail));
                }
            }
            _ => {
                let path = path.child("operator");
                errors.push(FieldError::invalid(&path, operator, "not a valid selector operator"));
            }
        }
        let key = text(requirement, "key");
        if key == "metadata.name" {
            for (j, value) in values.iter().filter_map(Value::as_str).enumerate() {
                let path = path.child("values");
                invalid_each(errors, &path.index(j), value, name_is_dns_subdomain(value, false));
            }
        } else {
            errors.push(FieldError::invalid(&path.child("key"), key, "not a valid field selector key"));
        }
    }
}

fn validate_pod_affinity_term(errors: &mut Errors, term: &Value, path: &Path) {
    validate_label_selector(errors, at(term, "labelSelector"), &path.child("labelSelector"));
    validate_label_selector(errors, at(term, "namespaceSelector"), &path.child("namespaceSelector"));
    for namespace in list(term, "namespaces").iter().filter_map(Value::as_str) {
        invalid_each(errors, &path.child("namespace"), namespace, name_is_dns_label(namespace, false));
    }
    validate_match_label_keys(errors, term, path);
    let key = text(term, "topologyKey");
    if key.is_empty() {
        errors.push(FieldError::required(&path.child("topologyKey"), "can not be empty"));
    }
    invalid_each(errors, &path.child("topologyKey"), key, is_qualified_name(key));
}

fn validate_match_label_keys(errors: &mut Errors, term: &Value, path: &Path) {
    let selector = at(term, "labelSelector");
    for name in ["matchLabelKeys", "mismatchLabelKeys"] {
        let keys = list(term, name);
        if keys.is_empty() {
            continue;
        }
        let path = path.child(name);
        if selector.is_null() {
            let detail = "must not be specified when labelSelector is not set";
            errors.push(FieldError::forbidden(&path, detail));
            continue;
        }
        for (i, key) in keys.iter().filter_map(Value::as_str).enumerate() {
            invalid_each(errors, &path.index(i), key, is_qualified_name(key));
        }
    }
    let keys = list(term, "matchLabelKeys");
    let mut seen: Vec<&str> = map(selector, "matchLabels").keys().map(String::as_str).collect();
    for requirement in list(selector, "matchExpressions") {
        let key = text(requirement, "key");
        let at_index = keys.iter().rposition(|k| k.as_str() == Some(key));
        if let Some(i) = at_index.filter(|_| seen.contains(&key)) {
            let detail = "exists in both matchLabelKeys and labelSelector";
            errors.push(FieldError::invalid(&path.index(i), key, detail));
        }
        seen.push(key);
    }
    for (i, key) in keys.iter().enumerate() {
        if list(term, "mismatchLabelKeys").contains(key) {
            let detail = "exists in both matchLabelKeys and mismatchLabelKeys";
            errors.push(FieldError::invalid(&path.child("matchLabelKeys").index(i), key.clone(), detail));
        }
    }
}

pub(crate) fn validate_taint_effect(errors: &mut Errors, effect: &str, path: &Path) {
    supported(errors, path, effect, &["NoSchedule", "PreferNoSchedule", "NoExecute"]);
}

pub(crate) fn validate_tolerations(errors: &mut Errors, tolerations: &[Value], path: &Path) {
    for (i, toleration) in tolerations.iter().map(Fields::of).enumerate() {
        let path = path.index(i);
        let (key, operator) = (toleration.text("key"), toleration.text("operator"));
        let (value, effect) = (toleration.text("value"), toleration.text("effect"));
        if !key.is_empty() {
            invalid_each(errors, &path.child("key"), key, is_qualified_name(key));
        }
        let operator_path = path.child("operator");
        if key.is_empty() && operator != "Exists" {
            errors.push(FieldError::invalid(
                &operator_path,
                operator,
                "operator must be Exists when `key` is empty, which means \"match all values and all keys\"",
            ));
        }
        if toleration.has("tolerationSeconds") && effect != "NoExecute" {
            let detail = "effect must be 'NoExecute' when `tolerationSeconds` is set";
            errors.push(FieldError::invalid(&path.child("effect"), effect, detail));
        }
        match operator {
            "Equal" | "" => {
                let messages = is_valid_label_value(value);
                if !messages.is_empty() {
                    errors.push(FieldError::invalid(&operator_path, value, messages.join(";")));
                }
            }
            "Exists" => {
                if !value.is_empty() {
                    let detail = "value must be empty when `operator` is 'Exists'";
                    errors.push(FieldError::invalid(&operator_path, value, detail));
                }
            }
            // The feature gate TaintTolerationComparisonOperators is off by default.
            "Lt" | "Gt" => {
                let values = ["Equal", "Exists", "Lt", "Gt"];
                errors.push(FieldError::not_supported(&operator_path, operator, &values));
            }
            _ => errors.push(FieldError::not_supported(&operator_path, operator, &["Equal", "Exists"])),
        }
        if !effect.is_empty() {
            validate_taint_effect(errors, effect, &path.child("effect"));
        }
    }
}

pub(crate) fn validate_topology_spread(errors: &mut Errors, constraints: &[Value], path: &Path) {
    for (i, constraint) in constraints.iter().enumerate() {
        let path = path.index(i);
        let skew = int(constraint, "maxSkew").unwrap_or(0);
        if skew <= 0 {
            errors.push(FieldError::invalid(&path.child("maxSkew"), skew, "must be greater than zero"));
        }
        let (key, action) = (text(constraint, "topologyKey"), text(constraint, "whenUnsatisfiable"));
        if key.is_empty() {
            errors.push(FieldError::required(&path.child("topologyKey"), "can not be empty"));
        }
        supported(errors, &path.child("whenUnsatisfiable"), action, &["DoNotSchedule", "ScheduleAnyway"]);
        let repeated = constraints
            .iter()
            .skip(i + 1)
            .any(|c| text(c, "topologyKey") == key && text(c, "whenUnsatisfiable") == action);
        if repeated {
            let path = path.child("{topologyKey, whenUnsatisfiable}");
            errors.push(FieldError::duplicate(&path, format!("{{{key}, {action}}}")));
        }
        if let Some(domains) = int(constraint, "minDomains") {
            let path = path.child("minDomains");
            if domains <= 0 {
                errors.push(FieldError::invalid(&path, domains, "must be greater than zero"));
            }
            if action != "DoNotSchedule" {
                let detail =
                    format!("can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action}");
                errors.push(FieldError::invalid(&path, domains, detail));
            }
        }
        for policy in ["nodeAffinityPolicy", "nodeTaintsPolicy"] {
            if has(constraint, policy) {
                supported(errors, &path.child(policy), text(constraint, policy), &["Honor", "Ignore"]);
            }
        }
        validate_match_label_keys(errors, constraint, &path);
        validate_label_selector(errors, at(constraint, "labelSelector"), &path.child("labelSelector"));
    }
}
