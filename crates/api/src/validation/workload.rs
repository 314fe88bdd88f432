//! ReplicationController, ReplicaSet, Deployment, DaemonSet, StatefulSet, and the pod template they share.
//!
//! Source: pkg/apis/apps/validation/validation.go, pkg/apis/core/validation/validation.go (v1.37).

use super::field::{BadValue, FieldError, Path};
use super::go_json::{internal_json, json_of};
use super::meta::{
    immutable, immutable_as, non_negative, selector_matches, validate_annotations, validate_label_selector,
    validate_labels,
};
use super::{Errors, content, invalid_each, pod, storage, supported};
use crate::schema::tree::{Fields, at, has, int, list, map, set, text};
use serde_json::{Map, Value, json};

/// A pod template.
pub(crate) fn validate_template(errors: &mut Errors, template: &Value, path: &Path) {
    validate_labels(errors, map(template, "metadata.labels"), &path.child("labels"));
    let annotations = path.child("annotations");
    validate_annotations(errors, map(template, "metadata.annotations"), &annotations);
    pod::validate_special_annotations(errors, template, &annotations);
    pod::validate_spec(errors, &Fields::of(at(template, "spec")), &Value::Null, false, &path.child("spec"));
    if !list(template, "spec.ephemeralContainers").is_empty() {
        let detail = "ephemeral containers not allowed in pod template";
        errors.push(FieldError::forbidden(&path.child("spec.ephemeralContainers"), detail));
    }
}

/// A map of labels as an error shows it: null where there is none.
fn labels_shown(template: &Value) -> Value {
    at(template, "metadata.labels").clone()
}

fn mismatch(errors: &mut Errors, template: &Value, path: &Path) {
    let detail = "`selector` does not match template `labels`";
    errors.push(FieldError::invalid(&path.child("metadata.labels"), labels_shown(template), detail));
}

/// Templates of things that run for ever.
fn restart_always(errors: &mut Errors, template: &Value, kind: &str, path: &Path) {
    supported(errors, &path.child("spec.restartPolicy"), text(template, "spec.restartPolicy"), &["Always"]);
    if has(template, "spec.activeDeadlineSeconds") {
        let detail = format!("activeDeadlineSeconds in {kind} is not Supported");
        errors.push(FieldError::forbidden(&path.child("spec.activeDeadlineSeconds"), detail));
    }
}

fn selector_shown(selector: &Value) -> BadValue {
    BadValue::Json(json_of("meta/v1.LabelSelector", selector))
}

/// Whether a selector cannot even be parsed.
pub(crate) fn is_unparsable(selector: &Value) -> bool {
    let mut errors = Errors::new();
    validate_label_selector(&mut errors, selector, &Path::root());
    !errors.is_empty()
}

fn is_empty_selector(selector: &Value) -> bool {
    map(selector, "matchLabels").is_empty() && list(selector, "matchExpressions").is_empty()
}

/// The selector of Deployment, ReplicaSet and StatefulSet; whether templates can be compared with it.
fn validate_selector(errors: &mut Errors, spec: &Value, told: &str, path: &Path) -> bool {
    let selector = at(spec, "selector");
    let path = path.child("selector");
    if selector.is_null() {
        errors.push(FieldError::required(&path, ""));
        return true;
    }
    validate_label_selector(errors, selector, &path);
    if is_empty_selector(selector) {
        let detail = format!("empty selector is invalid for {told}");
        errors.push(FieldError::invalid(&path, selector_shown(selector), detail));
    }
    !is_unparsable(selector)
}

fn int_field(errors: &mut Errors, spec: &Value, name: &str, path: &Path) {
    non_negative(errors, int(spec, name).unwrap_or(0), &path.child(name));
}

fn validate_replica_set_template(errors: &mut Errors, spec: &Value, path: &Path) {
    let template = at(spec, "template");
    let path = path.child("template");
    let selector = at(spec, "selector");
    // A null selector selects nothing; it is told of elsewhere, and still does not match.
    if (selector.is_null() || !is_empty_selector(selector))
        && !selector_matches(selector, map(template, "metadata.labels"))
    {
        mismatch(errors, template, &path);
    }
    validate_template(errors, template, &path);
    restart_always(errors, template, "ReplicaSet", &path);
}

pub(crate) fn validate_replica_set(errors: &mut Errors, object: &Value) {
    let spec = at(object, "spec");
    let path = Path::new("spec");
    int_field(errors, spec, "replicas", &path);
    int_field(errors, spec, "minReadySeconds", &path);
    if validate_selector(errors, spec, "deployment", &path) {
        validate_replica_set_template(errors, spec, &path);
    } else {
        let path = path.child("selector");
        let shown = selector_shown(at(spec, "selector"));
        errors.push(FieldError::invalid(&path, shown, "invalid label selector"));
    }
}

pub(crate) fn validate_deployment(errors: &mut Errors, object: &Value) {
    let spec = at(object, "spec");
    let path = Path::new("spec");
    int_field(errors, spec, "replicas", &path);
    if validate_selector(errors, spec, "deployment", &path) {
        validate_replica_set_template(errors, spec, &path);
    } else {
        let path = path.child("selector");
        let shown = selector_shown(at(spec, "selector"));
        errors.push(FieldError::invalid(&path, shown, "invalid label selector"));
    }
    validate_deployment_strategy(errors, at(spec, "strategy"), &path.child("strategy"));
    int_field(errors, spec, "minReadySeconds", &path);
    int_field(errors, spec, "revisionHistoryLimit", &path);
    if let Some(deadline) = int(spec, "progressDeadlineSeconds") {
        let path = path.child("progressDeadlineSeconds");
        non_negative(errors, deadline, &path);
        if deadline <= int(spec, "minReadySeconds").unwrap_or(0) {
            errors.push(FieldError::invalid(&path, deadline, "must be greater than minReadySeconds"));
        }
    }
}

fn validate_deployment_strategy(errors: &mut Errors, strategy: &Value, path: &Path) {
    let rolling = at(strategy, "rollingUpdate");
    let rolling_path = path.child("rollingUpdate");
    match text(strategy, "type") {
        "Recreate" => {
            if !rolling.is_null() {
                let detail = "may not be specified when strategy `type` is 'Recreate'";
                errors.push(FieldError::forbidden(&rolling_path, detail));
            }
        }
        "RollingUpdate" => {
            let (unavailable, surge) = (at(rolling, "maxUnavailable"), at(rolling, "maxSurge"));
            let unavailable_path = rolling_path.child("maxUnavailable");
            positive_int_or_percent(errors, unavailable, &unavailable_path);
            positive_int_or_percent(errors, surge, &rolling_path.child("maxSurge"));
            if int_or_percent(unavailable) == 0 && int_or_percent(surge) == 0 {
                let detail = "may not be 0 when `maxSurge` is 0";
                errors.push(FieldError::invalid(&unavailable_path, shown(unavailable), detail));
            }
            not_more_than_100_percent(errors, unavailable, &unavailable_path);
        }
        _ => errors.push(FieldError::not_supported(
            path,
            BadValue::Json(internal_json("apps.DeploymentStrategy", strategy)),
            &["Recreate", "RollingUpdate"],
        )),
    }
}

/// An IntOrString in an error: JSON, so that a string has its quotes.
fn shown(value: &Value) -> BadValue {
    BadValue::Json(value.to_string())
}

/// A number that is not negative, or a percentage.
pub(crate) fn positive_int_or_percent(errors: &mut Errors, value: &Value, path: &Path) {
    match value {
        Value::String(percent) => {
            for message in content::is_valid_percent(percent) {
                errors.push(FieldError::invalid(path, shown(value), message));
            }
        }
        other => non_negative(errors, other.as_i64().unwrap_or(0), path),
    }
}

/// The number, or the percentage's number; 0 where it is neither.
fn int_or_percent(value: &Value) -> i64 {
    match value {
        Value::String(text) => text.trim_end_matches('%').parse().unwrap_or(0),
        other => other.as_i64().unwrap_or(0),
    }
}

pub(crate) fn not_more_than_100_percent(errors: &mut Errors, value: &Value, path: &Path) {
    let Some(percent) = value.as_str().filter(|s| content::is_valid_percent(s).is_empty()) else { return };
    if int_or_percent(&Value::from(percent)) > 100 {
        errors.push(FieldError::invalid(path, shown(value), "must not be greater than 100%"));
    }
}

pub(crate) fn validate_daemon_set(errors: &mut Errors, object: &Value) {
    let spec = at(object, "spec");
    let path = Path::new("spec");
    let (selector, template) = (at(spec, "selector"), at(spec, "template"));
    let (selector_path, template_path) = (path.child("selector"), path.child("template"));
    validate_label_selector(errors, selector, &selector_path);
    if !is_unparsable(selector) && !selector_matches(selector, map(template, "metadata.labels")) {
        mismatch(errors, template, &template_path);
    }
    if !selector.is_null() && is_empty_selector(selector) {
        let detail = "empty selector is invalid for daemonset";
        errors.push(FieldError::invalid(&selector_path, selector_shown(selector), detail));
    }
    validate_template(errors, template, &template_path);
    restart_always(errors, template, "DaemonSet", &template_path);
    int_field(errors, spec, "minReadySeconds", &path);
    validate_daemon_set_strategy(errors, at(spec, "updateStrategy"), &path.child("updateStrategy"));
    int_field(errors, spec, "revisionHistoryLimit", &path);
}

fn validate_daemon_set_strategy(errors: &mut Errors, strategy: &Value, path: &Path) {
    match text(strategy, "type") {
        "OnDelete" => {}
        "RollingUpdate" => {
            let rolling = at(strategy, "rollingUpdate");
            let path = path.child("rollingUpdate");
            if rolling.is_null() {
                errors.push(FieldError::required(&path, ""));
                return;
            }
            let (unavailable, surge) = (at(rolling, "maxUnavailable"), at(rolling, "maxSurge"));
            let (unavailable_path, surge_path) = (path.child("maxUnavailable"), path.child("maxSurge"));
            positive_int_or_percent(errors, unavailable, &unavailable_path);
            positive_int_or_percent(errors, surge, &surge_path);
            not_more_than_100_percent(errors, unavailable, &unavailable_path);
            not_more_than_100_percent(errors, surge, &surge_path);
            match (int_or_percent(unavailable) != 0, int_or_percent(surge) != 0) {
                (true, true) => errors.push(FieldError::invalid(
                    &surge_path,
                    shown(surge),
                    "may not be set when maxUnavailable is non-zero",
                )),
                (false, false) => {
                    errors.push(FieldError::required(&unavailable_path, "cannot be 0 when maxSurge is 0"));
                }
                _ => {}
            }
        }
        _ => errors.push(FieldError::not_supported(
            path,
            BadValue::Json(internal_json("apps.DaemonSetUpdateStrategy", strategy)),
            &["RollingUpdate", "OnDelete"],
        )),
    }
}

pub(crate) fn validate_stateful_set(errors: &mut Errors, object: &Value, is_new: bool) {
    let spec = at(object, "spec");
    let path = Path::new("spec");
    let policy = text(spec, "podManagementPolicy");
    if !matches!(policy, "OrderedReady" | "Parallel") {
        let detail = "must be 'OrderedReady' or 'Parallel'";
        errors.push(FieldError::invalid(&path.child("podManagementPolicy"), policy, detail));
    }
    validate_stateful_set_strategy(errors, at(spec, "updateStrategy"), &path.child("updateStrategy"));
    let retention = path.child("persistentVolumeClaimRetentionPolicy");
    for name in ["whenDeleted", "whenScaled"] {
        let value = text(at(spec, "persistentVolumeClaimRetentionPolicy"), name);
        supported(errors, &retention.child(name), value, &["Retain", "Delete"]);
    }
    // The templates of claims never change, so that they are looked at once.
    let claims = if is_new { list(spec, "volumeClaimTemplates") } else { &[] };
    for (i, claim) in claims.iter().enumerate() {
        let templates = path.child("volumeClaimTemplates");
        let path = templates.index(i);
        storage::validate_claim_spec(errors, at(claim, "spec"), &path.child("spec"));
    }
    int_field(errors, spec, "replicas", &path);
    int_field(errors, spec, "minReadySeconds", &path);
    non_negative(errors, int(spec, "ordinals.start").unwrap_or(0), &path.child("ordinals.start"));
    let service = text(spec, "serviceName");
    if !service.is_empty() {
        invalid_each(errors, &path.child("serviceName"), service, content::is_dns1123_label(service));
    }
    let parsable = validate_selector(errors, spec, "statefulset", &path);
    let template_path = path.child("template");
    if parsable {
        validate_stateful_set_template(errors, spec, &template_path);
    } else {
        let shown = selector_shown(at(spec, "selector"));
        errors.push(FieldError::invalid(&path.child("selector"), shown, ""));
    }
    restart_always(errors, at(spec, "template"), "StatefulSet", &template_path);
}

fn validate_stateful_set_template(errors: &mut Errors, spec: &Value, path: &Path) {
    let mut template = at(spec, "template").clone();
    let claims = list(spec, "volumeClaimTemplates");
    if let Some(pod) = template.get_mut("spec").filter(|v| v.is_object()) {
        // The controller writes these, so what stands here does not matter.
        set(pod, "subdomain", "");
        set(pod, "hostname", "");
        if !claims.is_empty() {
            let names: Vec<&str> = claims.iter().map(|c| text(c, "metadata.name")).collect();
            let mut volumes: Vec<Value> =
                names.iter().map(|n| json!({"name": n, "persistentVolumeClaim": {"claimName": n}})).collect();
            volumes
                .extend(list(pod, "volumes").iter().filter(|v| !names.contains(&text(v, "name"))).cloned());
            set(pod, "volumes", volumes);
        }
    }
    let selector = at(spec, "selector");
    if (selector.is_null() || !is_empty_selector(selector))
        && !selector_matches(selector, map(&template, "metadata.labels"))
    {
        mismatch(errors, &template, path);
    }
    validate_template(errors, &template, path);
    validate_labels(errors, map(&template, "metadata.labels"), &path.child("labels"));
    let annotations = path.child("annotations");
    validate_annotations(errors, map(&template, "metadata.annotations"), &annotations);
    pod::validate_special_annotations(errors, &template, &annotations);
}

fn validate_stateful_set_strategy(errors: &mut Errors, strategy: &Value, path: &Path) {
    let rolling = at(strategy, "rollingUpdate");
    let rolling_path = path.child("rollingUpdate");
    match text(strategy, "type") {
        "" => errors.push(FieldError::required(path, "")),
        "OnDelete" => {
            if !rolling.is_null() {
                let value = internal_json("apps.RollingUpdateStatefulSetStrategy", rolling);
                let detail = "only allowed for updateStrategy 'RollingUpdate'";
                errors.push(FieldError::invalid(&rolling_path, BadValue::Json(value), detail));
            }
        }
        "RollingUpdate" => {
            non_negative(errors, int(rolling, "partition").unwrap_or(0), &rolling_path.child("partition"));
            let unavailable = at(rolling, "maxUnavailable");
            if !unavailable.is_null() {
                let path = rolling_path.child("maxUnavailable");
                positive_int_or_percent(errors, unavailable, &path);
                if int_or_percent(unavailable) == 0 {
                    errors.push(FieldError::invalid(&path, shown(unavailable), "cannot be 0"));
                }
                not_more_than_100_percent(errors, unavailable, &path);
            }
        }
        _ => errors.push(FieldError::invalid(
            path,
            BadValue::Json(internal_json("apps.StatefulSetUpdateStrategy", strategy)),
            "must be 'RollingUpdate' or 'OnDelete'",
        )),
    }
}

pub(crate) fn validate_replication_controller(errors: &mut Errors, object: &Value) {
    let spec = at(object, "spec");
    let path = Path::new("spec");
    let template = at(spec, "template");
    let template_path = path.child("template");
    let selector: &Map<String, Value> = map(spec, "selector");
    if selector.is_empty() {
        errors.push(FieldError::required(&path.child("selector"), ""));
    }
    if template.is_null() {
        errors.push(FieldError::required(&template_path, ""));
    } else {
        let labels = map(template, "metadata.labels");
        if !selector.iter().all(|(k, v)| labels.get(k) == Some(v)) {
            mismatch(errors, template, &template_path);
        }
        validate_template(errors, template, &template_path);
        restart_always(errors, template, "ReplicationController", &template_path);
    }
    // Told last: these are checked by the generated, declarative validation.
    if !has(spec, "replicas") {
        errors.push(FieldError::required(&path.child("replicas"), ""));
    }
    int_field(errors, spec, "replicas", &path);
    int_field(errors, spec, "minReadySeconds", &path);
}

/// What may not change once it is set.
pub(crate) fn validate_immutable(errors: &mut Errors, kind: &str, new: &Value, old: &Value) {
    let (new, old) = (at(new, "spec"), at(old, "spec"));
    let path = Path::new("spec");
    if matches!(kind, "Deployment" | "ReplicaSet" | "DaemonSet" | "StatefulSet") {
        let shown = selector_shown(at(new, "selector"));
        immutable_as(errors, at(new, "selector"), at(old, "selector"), shown, &path.child("selector"));
    }
    if kind == "StatefulSet" {
        let claims = |spec| at(spec, "volumeClaimTemplates").as_array();
        let shown = match claims(new) {
            None => "null".to_owned(),
            Some(claims) => {
                let shown: Vec<String> =
                    claims.iter().map(|claim| internal_json("core.PersistentVolumeClaim", claim)).collect();
                format!("[{}]", shown.join(","))
            }
        };
        let (now, before) = (at(new, "volumeClaimTemplates"), at(old, "volumeClaimTemplates"));
        immutable_as(errors, now, before, BadValue::Json(shown), &path.child("volumeClaimTemplates"));
        for name in ["serviceName", "podManagementPolicy"] {
            immutable(errors, at(new, name), at(old, name), &path.child(name));
        }
    }
}
