//! HorizontalPodAutoscaler, PodDisruptionBudget, PriorityClass, RuntimeClass, Lease.
//!
//! Source: pkg/apis/{autoscaling,policy,scheduling,node,coordination}/validation/validation.go (v1.37).

use super::affinity::validate_tolerations;
use super::content::{self, is_dns1123_label, is_path_segment_name};
use super::field::{BadValue, FieldError, Path};
use super::go_json::internal_json;
use super::meta::{self, name_is_dns_label};
use super::resources::{
    non_negative_quantity, quantity, validate_container_resource_name, validate_requirements,
};
use super::workload::{not_more_than_100_percent, positive_int_or_percent};
use super::{Errors, invalid_each, required, required_supported, supported};
use crate::schema::tree::{at, has, int, list, map, text};
use serde_json::Value;

pub(crate) fn validate_autoscaler(errors: &mut Errors, object: &Value) {
    let spec = at(object, "spec");
    let path = Path::new("spec");
    let min = int(spec, "minReplicas");
    let max = int(spec, "maxReplicas").unwrap_or(0);
    let max_path = path.child("maxReplicas");
    if min.is_some_and(|min| max < min) {
        errors.push(FieldError::invalid(&max_path, max, "must be greater than or equal to `minReplicas`"));
    }
    // What the generated, declarative validation finds is told after all else.
    let mut declared = Errors::new();
    if let Some(min) = min.filter(|m| *m < 0) {
        let detail = "must be greater than or equal to 0";
        declared.push(FieldError::invalid(&path.child("minReplicas"), min, detail));
    }
    if max == 0 {
        declared.push(FieldError::required(&max_path, ""));
    } else if max < 0 {
        declared.push(FieldError::invalid(&max_path, max, "must be greater than or equal to 1"));
    }
    let target = at(spec, "scaleTargetRef");
    let target_path = path.child("scaleTargetRef");
    validate_reference(errors, target, true, &target_path);
    validate_metrics(errors, list(spec, "metrics"), min, &path.child("metrics"));
    if has(spec, "behavior") {
        for rules in ["scaleUp", "scaleDown"] {
            let behavior = path.child("behavior");
            validate_scaling_rules(errors, at(at(spec, "behavior"), rules), &behavior.child(rules));
        }
    }
    errors.append(&mut declared);
}

/// A reference to an object; `need_group` where its apiVersion must name a group.
fn validate_reference(errors: &mut Errors, reference: &Value, need_group: bool, path: &Path) {
    for field in ["kind", "name"] {
        let value = text(reference, field);
        if required(errors, &path.child(field), value) {
            invalid_each(errors, &path.child(field), value, is_path_segment_name(value));
        }
    }
    let version = text(reference, "apiVersion");
    // Source: pkg/registry/autoscaling/horizontalpodautoscaler/strategy.go: this one has no group.
    let is_old_controller = text(reference, "kind") == "ReplicationController" && version == "v1";
    let path = path.child("apiVersion");
    if version.matches('/').count() > 1 {
        let detail = format!("unexpected GroupVersion string: {version}");
        errors.push(FieldError::invalid(&path, version, detail));
    } else if need_group && !version.contains('/') && !is_old_controller {
        errors.push(FieldError::invalid(&path, version, "apiVersion must specify API group"));
    }
}

fn validate_metrics(errors: &mut Errors, metrics: &[Value], min: Option<i64>, path: &Path) {
    const TYPES: [&str; 5] = ["ContainerResource", "External", "Object", "Pods", "Resource"];
    for (i, metric) in metrics.iter().enumerate() {
        let path = path.index(i);
        let kind = text(metric, "type");
        if kind.is_empty() {
            let detail = "must specify a metric source type";
            errors.push(FieldError::required(&path.child("type"), detail));
        }
        supported(errors, &path.child("type"), kind, &TYPES);
        let sources = ["object", "external", "pods", "resource", "containerResource"];
        let present: Vec<&str> = sources.into_iter().filter(|s| has(metric, s)).collect();
        if let Some(first) = present.first() {
            validate_source(errors, first, at(metric, first), &path.child(first));
        }
        let expected = match kind {
            "Object" => "object",
            "Pods" => "pods",
            "Resource" => "resource",
            "External" => "external",
            "ContainerResource" => "containerResource",
            _ => {
                errors.push(FieldError::not_supported(&path.child("type"), kind, &TYPES));
                ""
            }
        };
        if !expected.is_empty() && !has(metric, expected) {
            let detail = "must populate information for the given metric source";
            errors.push(FieldError::required(&path.child(expected), detail));
        }
        if present.len() != 1 {
            for other in present.into_iter().filter(|p| *p != expected) {
                let detail = "must populate the given metric source only";
                errors.push(FieldError::forbidden(&path.child(other), detail));
            }
        }
    }
    let outside = metrics.iter().any(|m| matches!(text(m, "type"), "Object" | "External"));
    if min == Some(0) && !outside {
        let detail =
            "must specify at least one Object or External metric to support scaling to zero replicas";
        errors.push(FieldError::forbidden(path, detail));
    }
}

fn validate_source(errors: &mut Errors, kind: &str, source: &Value, path: &Path) {
    let target = at(source, "target");
    let target_path = path.child("target");
    match kind {
        "resource" => {
            if text(source, "name").is_empty() {
                errors.push(FieldError::required(&path.child("name"), "must specify a resource name"));
            }
        }
        "containerResource" => {
            let (name, container) = (text(source, "name"), text(source, "container"));
            if name.is_empty() {
                errors.push(FieldError::required(&path.child("name"), "must specify a resource name"));
            } else {
                validate_container_resource_name(errors, name, &path.child("name"));
            }
            if container.is_empty() {
                let detail = "must specify a container";
                errors.push(FieldError::required(&path.child("container"), detail));
            } else {
                invalid_each(errors, &path.child("container"), container, is_dns1123_label(container));
            }
        }
        _ => {
            if kind == "object" {
                let path = path.child("describedObject");
                validate_reference(errors, at(source, "describedObject"), false, &path);
            }
            let name = text(source, "metric.name");
            let path = path.child("metric.name");
            if name.is_empty() {
                errors.push(FieldError::required(&path, "must specify a metric name"));
            } else {
                invalid_each(errors, &path, name, is_path_segment_name(name));
            }
        }
    }
    validate_target(errors, target, &target_path);
    let (value, average) = (has(target, "value"), has(target, "averageValue"));
    let utilization = has(target, "averageUtilization");
    let average_path = target_path.child("averageValue");
    match kind {
        "resource" | "containerResource" => {
            if !utilization && !average {
                let detail = "must set either a target raw value or a target utilization";
                errors.push(FieldError::required(&target_path.child("averageUtilization"), detail));
            }
            if utilization && average {
                let detail = "may not set both a target raw value and a target utilization";
                errors.push(FieldError::forbidden(&average_path, detail));
            }
        }
        "pods" => {
            if !average {
                let detail = "must specify a positive target averageValue";
                errors.push(FieldError::required(&average_path, detail));
            }
        }
        "object" => {
            if !value && !average {
                let detail = "must set either a target value or averageValue";
                errors.push(FieldError::required(&average_path, detail));
            }
        }
        _ => {
            if !value && !average {
                let detail = "must set either a target value for metric or a per-pod target";
                errors.push(FieldError::required(&average_path, detail));
            }
            if value && average {
                let detail = "may not set both a target value for metric and a per-pod target";
                errors.push(FieldError::forbidden(&target_path.child("value"), detail));
            }
        }
    }
}

fn validate_target(errors: &mut Errors, target: &Value, path: &Path) {
    let kind = text(target, "type");
    let kind_path = path.child("type");
    if kind.is_empty() {
        errors.push(FieldError::required(&kind_path, "must specify a metric target type"));
    }
    if !matches!(kind, "Utilization" | "Value" | "AverageValue") {
        let detail = "must be either Utilization, Value, or AverageValue";
        errors.push(FieldError::invalid(&kind_path, kind, detail));
    }
    for field in ["value", "averageValue"] {
        let value = at(target, field);
        if !value.is_null() && quantity(value).signum() != 1 {
            errors.push(FieldError::invalid(&path.child(field), value.clone(), "must be positive"));
        }
    }
    if let Some(utilization) = int(target, "averageUtilization").filter(|u| *u < 1) {
        let path = path.child("averageUtilization");
        errors.push(FieldError::invalid(&path, utilization, "must be greater than 0"));
    }
}

fn validate_scaling_rules(errors: &mut Errors, rules: &Value, path: &Path) {
    if rules.is_null() {
        return;
    }
    if let Some(window) = int(rules, "stabilizationWindowSeconds") {
        let path = path.child("stabilizationWindowSeconds");
        if window < 0 {
            errors.push(FieldError::invalid(&path, window, "must be greater than or equal to zero"));
        }
        if window > 3600 {
            errors.push(FieldError::invalid(&path, window, "must be less than or equal to 3600"));
        }
    }
    if has(rules, "selectPolicy") {
        let policy = text(rules, "selectPolicy");
        supported(errors, &path.child("selectPolicy"), policy, &["Disabled", "Max", "Min"]);
    }
    let policies = list(rules, "policies");
    let policies_path = path.child("policies");
    if policies.is_empty() {
        errors.push(FieldError::required(&policies_path, "must specify at least one Policy"));
    }
    for (i, policy) in policies.iter().enumerate() {
        let path = policies_path.index(i);
        supported(errors, &path.child("type"), text(policy, "type"), &["Percent", "Pods"]);
        for field in ["value", "periodSeconds"] {
            let value = int(policy, field).unwrap_or(0);
            if value <= 0 {
                errors.push(FieldError::invalid(&path.child(field), value, "must be greater than zero"));
            }
            if field == "periodSeconds" && value > 1800 {
                let detail = "must be less than or equal to 1800";
                errors.push(FieldError::invalid(&path.child(field), value, detail));
            }
        }
    }
    if has(rules, "tolerance") {
        non_negative_quantity(errors, &quantity(at(rules, "tolerance")), &path.child("tolerance"));
    }
}

pub(crate) fn validate_disruption_budget(errors: &mut Errors, object: &Value) {
    let spec = at(object, "spec");
    let path = Path::new("spec");
    if has(spec, "minAvailable") && has(spec, "maxUnavailable") {
        let shown = BadValue::Json(internal_json("policy.PodDisruptionBudgetSpec", spec));
        errors.push(FieldError::invalid(&path, shown, "minAvailable and maxUnavailable cannot be both set"));
    }
    for field in ["minAvailable", "maxUnavailable"] {
        let value = at(spec, field);
        if !value.is_null() {
            positive_int_or_percent(errors, value, &path.child(field));
            not_more_than_100_percent(errors, value, &path.child(field));
        }
    }
    meta::validate_label_selector(errors, at(spec, "selector"), &path.child("selector"));
    if has(spec, "unhealthyPodEvictionPolicy") {
        let policy = text(spec, "unhealthyPodEvictionPolicy");
        let path = path.child("unhealthyPodEvictionPolicy");
        supported(errors, &path, policy, &["AlwaysAllow", "IfHealthyBudget"]);
    }
}

pub(crate) fn validate_priority_class(errors: &mut Errors, class: &Value) {
    let name = text(class, "metadata.name");
    let value = int(class, "value").unwrap_or(0);
    if name.starts_with("system-") {
        let known = [("system-node-critical", 2_000_001_000), ("system-cluster-critical", 2_000_000_000)];
        let why = match known.iter().find(|(known, _)| *known == name) {
            None => Some(format!("{name} is not a known system priority class")),
            Some((_, expected)) if *expected != value => {
                Some(format!("value of {name} PriorityClass must be {expected}"))
            }
            Some(_) if at(class, "globalDefault") == &Value::Bool(true) => {
                Some(format!("globalDefault of {name} PriorityClass must be false"))
            }
            Some(_) => None,
        };
        if let Some(why) = why {
            let detail = format!(
                "priority class names with 'system-' prefix are reserved for system use only. error: {why}"
            );
            errors.push(FieldError::forbidden(&Path::new("metadata.name"), detail));
        }
    } else if value > 1_000_000_000 {
        let detail = "maximum allowed value of a user defined priority is 1000000000";
        errors.push(FieldError::forbidden(&Path::new("value"), detail));
    }
    if has(class, "preemptionPolicy") {
        let policy = text(class, "preemptionPolicy");
        let path = Path::new("preemptionPolicy");
        required_supported(errors, &path, policy, &["PreemptLowerPriority", "Never"]);
    }
}

pub(crate) fn validate_priority_class_update(errors: &mut Errors, new: &Value, old: &Value) {
    if at(new, "value") != at(old, "value") {
        errors.push(FieldError::forbidden(&Path::new("value"), "may not be changed in an update."));
    }
    let field = "preemptionPolicy";
    meta::immutable(errors, at(new, field), at(old, field), &Path::new(field));
}

pub(crate) fn validate_runtime_class(errors: &mut Errors, class: &Value) {
    if has(class, "overhead") {
        let requirements = serde_json::json!({"limits": at(class, "overhead.podFixed")});
        validate_requirements(errors, &requirements, false, &[], &Path::new("overhead"));
    }
    let path = Path::new("scheduling");
    meta::validate_labels(errors, map(class, "scheduling.nodeSelector"), &path.child("nodeSelector"));
    validate_tolerations(errors, list(class, "scheduling.tolerations"), &path.child("tolerations"));
    let handler = text(class, "handler");
    let path = Path::new("handler");
    if required(errors, &path, handler) {
        invalid_each(errors, &path, handler, name_is_dns_label(handler, false));
    }
}

pub(crate) fn validate_lease(errors: &mut Errors, lease: &Value) {
    let path = Path::new("spec");
    if let Some(seconds) = int(lease, "spec.leaseDurationSeconds").filter(|s| *s <= 0) {
        let path = path.child("leaseDurationSeconds");
        errors.push(FieldError::invalid(&path, seconds, "must be greater than 0"));
    }
    if let Some(transitions) = int(lease, "spec.leaseTransitions").filter(|t| *t < 0) {
        let path = path.child("leaseTransitions");
        errors.push(FieldError::invalid(&path, transitions, "must be greater than or equal to 0"));
    }
}

const RBAC: &str = "rbac.authorization.k8s.io";

pub(crate) fn validate_role(errors: &mut Errors, role: &Value, namespaced: bool) {
    let mut declared = Errors::new();
    for (i, rule) in list(role, "rules").iter().enumerate() {
        let rules = Path::new("rules");
        let path = rules.index(i);
        if list(rule, "verbs").is_empty() {
            declared.push(FieldError::required(&path.child("verbs"), ""));
        }
        let urls = list(rule, "nonResourceURLs");
        let urls_path = path.child("nonResourceURLs");
        if !urls.is_empty() {
            if namespaced {
                let detail = "namespaced rules cannot apply to non-resource URLs";
                errors.push(FieldError::invalid(&urls_path, urls.to_vec(), detail));
            }
            if ["apiGroups", "resources", "resourceNames"].iter().any(|f| !list(rule, f).is_empty()) {
                let detail = "rules cannot apply to both regular resources and non-resource URLs";
                errors.push(FieldError::invalid(&urls_path, urls.to_vec(), detail));
            }
            continue;
        }
        for (field, what) in [("apiGroups", "api group"), ("resources", "resource")] {
            if list(rule, field).is_empty() {
                let detail = format!("resource rules must supply at least one {what}");
                errors.push(FieldError::required(&path.child(field), detail));
            }
        }
    }
    if has(role, "aggregationRule") {
        let path = Path::new("aggregationRule.clusterRoleSelectors");
        let selectors = list(role, "aggregationRule.clusterRoleSelectors");
        if selectors.is_empty() {
            let detail = "at least one clusterRoleSelector required if aggregationRule is non-nil";
            errors.push(FieldError::required(&path, detail));
        }
        for (i, selector) in selectors.iter().enumerate() {
            let before = errors.len();
            meta::validate_label_selector(errors, selector, &path.index(i));
            // What could not be made of it is shown.
            if errors.len() > before {
                let detail = "invalid label selector.";
                errors.push(FieldError::invalid(&path.index(i), Value::Null, detail));
            }
        }
    }
    errors.append(&mut declared);
}

pub(crate) fn validate_role_binding(errors: &mut Errors, binding: &Value, namespaced: bool) {
    let mut declared = Errors::new();
    let path = Path::new("roleRef");
    supported(errors, &path.child("apiGroup"), text(binding, "roleRef.apiGroup"), &[RBAC]);
    let kinds: &[&str] = if namespaced { &["Role", "ClusterRole"] } else { &["ClusterRole"] };
    supported(errors, &path.child("kind"), text(binding, "roleRef.kind"), kinds);
    let name = text(binding, "roleRef.name");
    if required(&mut declared, &path.child("name"), name) {
        invalid_each(errors, &path.child("name"), name, is_path_segment_name(name));
    }
    for (i, subject) in list(binding, "subjects").iter().enumerate() {
        let subjects = Path::new("subjects");
        let path = subjects.index(i);
        let (kind, name) = (text(subject, "kind"), text(subject, "name"));
        let group = text(subject, "apiGroup");
        required(&mut declared, &path.child("name"), name);
        match kind {
            "ServiceAccount" => {
                if !name.is_empty() {
                    invalid_each(errors, &path.child("name"), name, content::is_dns1123_subdomain(name));
                }
                if !group.is_empty() {
                    errors.push(FieldError::not_supported(&path.child("apiGroup"), group, &[""]));
                }
                if !namespaced && text(subject, "namespace").is_empty() {
                    errors.push(FieldError::required(&path.child("namespace"), ""));
                }
            }
            "User" | "Group" => supported(errors, &path.child("apiGroup"), group, &[RBAC]),
            _ => {
                let kinds = ["ServiceAccount", "User", "Group"];
                errors.push(FieldError::not_supported(&path.child("kind"), kind, &kinds));
            }
        }
    }
    errors.append(&mut declared);
}
