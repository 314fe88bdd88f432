//! ConfigMap, Secret, Namespace, Node, LimitRange, ResourceQuota.
//!
//! Source: pkg/apis/core/validation/validation.go (v1.37).

use super::affinity::validate_taint_effect;
use super::content::{self, is_qualified_name, is_valid_label_value};
use super::field::{BadValue, FieldError, Path};
use super::go_json::internal_json;
use super::resources::{
    is_overcommit_allowed, is_standard_quota, quantity, validate_container_resource_name,
    validate_quantity_value, validate_resource_name,
};
use super::{Errors, invalid_each, ip, meta};
use crate::quantity::Quantity;
use crate::schema::tree::{at, flag, has, list, map, text};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Source: core.MaxSecretSize.
const MAX_SIZE: usize = 1024 * 1024;

pub(crate) fn validate_config_map(errors: &mut Errors, object: &Value) {
    let (data, binary) = (map(object, "data"), map(object, "binaryData"));
    let mut size = 0;
    let path = Path::new("data");
    for (key, value) in data {
        let path = path.key(key);
        invalid_each(errors, &path, key, content::is_config_map_key(key));
        if binary.contains_key(key) {
            let detail = "duplicate of key present in binaryData";
            errors.push(FieldError::invalid(&path, key.as_str(), detail));
        }
        size += value.as_str().map_or(0, str::len);
    }
    let path = Path::new("binaryData");
    for (key, value) in binary {
        invalid_each(errors, &path.key(key), key, content::is_config_map_key(key));
        size += bytes(value).len();
    }
    if size > MAX_SIZE {
        errors.push(FieldError::too_long(&Path::new("[]"), MAX_SIZE));
    }
}

fn bytes(value: &Value) -> Vec<u8> {
    crate::schema::decode_base64(value.as_str().unwrap_or("")).unwrap_or_default()
}

pub(crate) fn validate_secret(errors: &mut Errors, object: &Value) {
    let data = map(object, "data");
    let path = Path::new("data");
    let mut size = 0;
    for (key, value) in data {
        invalid_each(errors, &path.key(key), key, content::is_config_map_key(key));
        size += bytes(value).len();
    }
    if size > MAX_SIZE {
        errors.push(FieldError::too_long(&path, MAX_SIZE));
    }
    let mut need = |key: &str| {
        if !data.contains_key(key) {
            errors.push(FieldError::required(&path.key(key), ""));
        }
        data.contains_key(key)
    };
    match text(object, "type") {
        "kubernetes.io/service-account-token" => {
            const NAME: &str = "kubernetes.io/service-account.name";
            let annotations = map(object, "metadata.annotations");
            if annotations.get(NAME).and_then(Value::as_str).unwrap_or("").is_empty() {
                let path = Path::new("metadata.annotations");
                errors.push(FieldError::required(&path.key(NAME), ""));
            }
        }
        "kubernetes.io/dockercfg" if need(".dockercfg") => {
            validate_docker_json(errors, data.get(".dockercfg"), &path.key(".dockercfg"));
        }
        "kubernetes.io/dockerconfigjson" if need(".dockerconfigjson") => {
            validate_docker_json(errors, data.get(".dockerconfigjson"), &path.key(".dockerconfigjson"));
        }
        "kubernetes.io/basic-auth" if !data.contains_key("username") && !data.contains_key("password") => {
            need("username");
            need("password");
        }
        "kubernetes.io/ssh-auth"
            if data.get("ssh-privatekey").and_then(Value::as_str).unwrap_or("").is_empty() =>
        {
            errors.push(FieldError::required(&path.key("ssh-privatekey"), ""));
        }
        "kubernetes.io/tls" => {
            need("tls.crt");
            need("tls.key");
        }
        _ => {}
    }
}

/// The content must be a JSON object; the error is in the words of Go's encoding/json.
fn validate_docker_json(errors: &mut Errors, value: Option<&Value>, path: &Path) {
    let bytes = value.map(bytes).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let why = match serde_json::from_str::<Value>(&text) {
        Ok(Value::Object(_) | Value::Null) => return,
        Ok(Value::Array(_)) => {
            "json: cannot unmarshal array into Go value of type map[string]interface {}".to_owned()
        }
        Ok(Value::String(_)) => {
            "json: cannot unmarshal string into Go value of type map[string]interface {}".to_owned()
        }
        Ok(Value::Number(_)) => {
            "json: cannot unmarshal number into Go value of type map[string]interface {}".to_owned()
        }
        Ok(Value::Bool(_)) => {
            "json: cannot unmarshal bool into Go value of type map[string]interface {}".to_owned()
        }
        Err(_) => match text.trim_start().chars().next() {
            None => "unexpected end of JSON input".to_owned(),
            Some('{' | '[' | '"' | '-' | '0'..='9' | 't' | 'f' | 'n') => {
                if text.trim_start().starts_with('{') && !text.contains('}') {
                    "unexpected end of JSON input".to_owned()
                } else {
                    "invalid character after top-level value".to_owned()
                }
            }
            Some(c) => format!("invalid character '{c}' looking for beginning of value"),
        },
    };
    errors.push(FieldError::invalid(path, "<secret contents redacted>", why));
}

/// What an immutable ConfigMap or Secret may not change.
pub(crate) fn validate_immutable_data(errors: &mut Errors, new: &Value, old: &Value, fields: &[&str]) {
    if !flag(old, "immutable") {
        return;
    }
    let detail = "field is immutable when `immutable` is set";
    if !flag(new, "immutable") {
        errors.push(FieldError::forbidden(&Path::new("immutable"), detail));
    }
    for field in fields {
        if map(new, field) != map(old, field) {
            errors.push(FieldError::forbidden(&Path::new(field), detail));
        }
    }
}

pub(crate) fn validate_node(errors: &mut Errors, node: &Value) {
    let path = Path::new("metadata");
    validate_taints(errors, list(node, "spec.taints"), &path.child("taints"));
    validate_node_resources(errors, node);
    let cidrs = list(node, "spec.podCIDRs");
    let path = Path::new("spec.podCIDRs");
    for (i, cidr) in cidrs.iter().filter_map(Value::as_str).enumerate() {
        ip::validate_cidr_legacy(errors, &path.index(i), cidr);
    }
    let is_v6 = |c: &Value| c.as_str().is_some_and(|c| c.contains(':'));
    let dual = cidrs.iter().any(is_v6) && !cidrs.iter().all(is_v6);
    if cidrs.len() > 1 && (!dual || cidrs.len() > 2) {
        let detail = "may specify no more than one CIDR for each IP family";
        errors.push(FieldError::invalid(&path, at(node, "spec.podCIDRs").clone(), detail));
    }
}

fn validate_node_resources(errors: &mut Errors, node: &Value) {
    for field in ["capacity", "allocatable"] {
        let status = Path::new("status");
        let path = status.child(field);
        for (name, value) in map(at(node, "status"), field) {
            validate_quantity_value(errors, name, value, &path.child(name));
        }
    }
}

fn validate_taints(errors: &mut Errors, taints: &[Value], path: &Path) {
    let mut seen: BTreeSet<(&str, &str)> = BTreeSet::new();
    for (i, taint) in taints.iter().enumerate() {
        let path = path.index(i);
        let (key, value, effect) = (text(taint, "key"), text(taint, "value"), text(taint, "effect"));
        invalid_each(errors, &path.child("key"), key, is_qualified_name(key));
        let messages = is_valid_label_value(value);
        if !messages.is_empty() {
            errors.push(FieldError::invalid(&path.child("value"), value, messages.join(";")));
        }
        if effect.is_empty() {
            errors.push(FieldError::required(&path.child("effect"), ""));
        } else {
            validate_taint_effect(errors, effect, &path.child("effect"));
        }
        if !seen.insert((effect, key)) {
            let mut error = FieldError::duplicate(&path, BadValue::Json(internal_json("core.Taint", taint)));
            error.detail = "taints must be unique by key and effect pair".to_owned();
            errors.push(error);
        }
    }
}

pub(crate) fn validate_node_update(errors: &mut Errors, node: &Value, old: &Value) {
    validate_node_resources(errors, node);
    let addresses = list(node, "status.addresses");
    for (i, address) in addresses.iter().enumerate() {
        if addresses.iter().take(i).any(|a| a == address) {
            let shown = BadValue::Json(internal_json("core.NodeAddress", address));
            errors.push(FieldError::duplicate(&Path::new("status.addresses").index(i), shown));
        }
    }
    let (cidrs, before) = (list(node, "spec.podCIDRs"), list(old, "spec.podCIDRs"));
    if !before.is_empty() && cidrs != before {
        let detail = "node updates may not change podCIDR except from \"\" to valid";
        errors.push(FieldError::forbidden(&Path::new("spec.podCIDRs"), detail));
    }
    let metadata = Path::new("metadata");
    validate_taints(errors, list(node, "spec.taints"), &metadata.child("taints"));
    let (id, before) = (text(node, "spec.providerID"), text(old, "spec.providerID"));
    if !before.is_empty() && id != before {
        let what = if id.is_empty() { "cleared" } else { "modified" };
        let detail = format!("field cannot be {what} once set");
        errors.push(FieldError::invalid(&Path::new("spec.providerID"), Value::Null, detail));
    }
}

pub(crate) fn validate_namespace(errors: &mut Errors, namespace: &Value) {
    for finalizer in list(namespace, "spec.finalizers").iter().filter_map(Value::as_str) {
        let path = Path::new("spec.finalizers");
        invalid_each(errors, &path, finalizer, is_qualified_name(finalizer));
        if !finalizer.contains('/') && !meta::is_standard_finalizer(finalizer) {
            let detail = "name is neither a standard finalizer name nor is it fully qualified";
            errors.push(FieldError::invalid(&path, finalizer, detail));
        }
    }
}

pub(crate) fn validate_limit_range(errors: &mut Errors, object: &Value) {
    let mut kinds: Vec<&str> = Vec::new();
    for (i, limit) in list(object, "spec.limits").iter().enumerate() {
        let limits_path = Path::new("spec.limits");
        let path = limits_path.index(i);
        let kind = text(limit, "type");
        let before = errors.len();
        invalid_each(errors, &path.child("type"), kind, is_qualified_name(kind));
        if errors.len() == before
            && !kind.contains('/')
            && !matches!(kind, "Pod" | "Container" | "PersistentVolumeClaim")
        {
            let detail = "must be a standard limit type or fully qualified";
            errors.push(FieldError::invalid(&path.child("type"), kind, detail));
        }
        if kinds.contains(&kind) {
            errors.push(FieldError::duplicate(&path.child("type"), kind));
        }
        kinds.push(kind);
        validate_limit(errors, limit, kind, &path);
    }
}

fn validate_limit(errors: &mut Errors, limit: &Value, kind: &str, path: &Path) {
    let mut keys: BTreeSet<&str> = BTreeSet::new();
    let mut lists: BTreeMap<&str, BTreeMap<&str, Quantity>> = BTreeMap::new();
    for field in ["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"] {
        let values = map(limit, field);
        if field == "maxLimitRequestRatio"
            && kind == "PersistentVolumeClaim"
            && !map(limit, "min").contains_key("storage")
            && !map(limit, "max").contains_key("storage")
        {
            let detail = "either minimum or maximum storage value is required, but neither was provided";
            errors.push(FieldError::required(&path.child("limits"), detail));
        }
        if kind == "Pod" && matches!(field, "default" | "defaultRequest") {
            if !values.is_empty() {
                let detail = "may not be specified when `type` is 'Pod'";
                errors.push(FieldError::forbidden(&path.child(field), detail));
            }
            continue;
        }
        for (name, value) in values {
            let list_path = path.child(field);
            let path = list_path.key(name);
            if matches!(kind, "Pod" | "Container") {
                validate_container_resource_name(errors, name, &path);
            } else {
                validate_resource_name(errors, name, &path);
            }
            keys.insert(name);
            lists.entry(field).or_default().insert(name, quantity(value));
        }
    }
    for key in keys {
        let of = |field: &str| lists.get(field).and_then(|l| l.get(key));
        let (min, max) = (of("min"), of("max"));
        let (default, request) = (of("default"), of("defaultRequest"));
        let mut too_large = |small: Option<&Quantity>,
                             large: Option<&Quantity>,
                             told: Option<&Quantity>,
                             field: &str,
                             words: [&str; 2]| {
            if let (Some(small), Some(large), Some(told)) = (small, large, told)
                && small > large
            {
                let [small_word, large_word] = words;
                let list_path = path.child(field);
                let detail = format!("{small_word} value {small} is greater than {large_word} value {large}");
                errors.push(FieldError::invalid(&list_path.key(key), told.to_string(), detail));
            }
        };
        too_large(min, max, min, "min", ["min", "max"]);
        too_large(min, request, request, "defaultRequest", ["min", "default request"]);
        too_large(request, max, request, "defaultRequest", ["default request", "max"]);
        too_large(request, default, request, "defaultRequest", ["default request", "default limit"]);
        too_large(min, default, min, "default", ["min", "default"]);
        too_large(default, max, max, "default", ["default", "max"]);
        if let Some(ratio) = of("maxLimitRequestRatio") {
            let list_path = path.child("maxLimitRequestRatio");
            let path = list_path.key(key);
            if ratio.milli_value() < 1000 {
                let detail = format!("ratio {ratio} is less than 1");
                errors.push(FieldError::invalid(&path, ratio.to_string(), detail));
            }
            if let (Some(min), Some(max)) = (min, max) {
                let limit = max.as_f64() / min.as_f64();
                if ratio.as_f64() > limit {
                    let detail = format!("ratio {ratio} is greater than max/min = {limit:.6}");
                    errors.push(FieldError::invalid(&path, ratio.to_string(), detail));
                }
            }
        }
        if let (Some(default), Some(request)) = (default, request)
            && !is_overcommit_allowed(key)
            && default != request
        {
            let list_path = path.child("defaultRequest");
            let detail =
                format!("default value {default} must equal to defaultRequest value {request} in {key}");
            errors.push(FieldError::invalid(&list_path.key(key), request.to_string(), detail));
        }
    }
}

pub(crate) fn validate_resource_quota(errors: &mut Errors, object: &Value) {
    let path = Path::new("spec");
    let hard = map(object, "spec.hard");
    validate_quota_amounts(errors, hard, &path.child("hard"));
    let names: Vec<&str> = hard.keys().map(String::as_str).collect();
    let scopes: Vec<&str> = list(object, "spec.scopes").iter().filter_map(Value::as_str).collect();
    let scopes_path = path.child("scopes");
    let shown = || at(object, "spec.scopes").clone();
    for scope in &scopes {
        if !is_standard_scope(scope) {
            errors.push(FieldError::invalid(&scopes_path, shown(), "unsupported scope"));
        }
        for _ in names.iter().filter(|n| is_standard_quota(n) && !is_scope_valid_for(scope, n)) {
            errors.push(FieldError::invalid(&scopes_path, shown(), "unsupported scope applied to resource"));
        }
    }
    conflicting(errors, &scopes, shown, &scopes_path);
    if has(object, "spec.scopeSelector") {
        validate_scope_selector(errors, object, &names, &path.child("scopeSelector"));
    }
}

/// Amounts of what a quota counts, by name.
pub(crate) fn validate_quota_amounts(errors: &mut Errors, amounts: &Map<String, Value>, path: &Path) {
    for (name, value) in amounts {
        let path = path.key(name);
        validate_resource_name(errors, name, &path);
        if !name.contains('/') && !is_standard_quota(name) {
            let detail = "must be a standard resource for quota";
            errors.push(FieldError::invalid(&path, name.as_str(), detail));
        }
        validate_quantity_value(errors, name, value, &path);
    }
}

fn conflicting(errors: &mut Errors, scopes: &[&str], shown: impl Fn() -> Value, path: &Path) {
    for (a, b) in [("BestEffort", "NotBestEffort"), ("Terminating", "NotTerminating")] {
        if scopes.contains(&a) && scopes.contains(&b) {
            errors.push(FieldError::invalid(path, shown(), "conflicting scopes"));
        }
    }
}

fn is_standard_scope(scope: &str) -> bool {
    matches!(
        scope,
        "Terminating"
            | "NotTerminating"
            | "BestEffort"
            | "NotBestEffort"
            | "PriorityClass"
            | "CrossNamespacePodAffinity"
            | "VolumeAttributesClass"
    )
}

fn is_scope_valid_for(scope: &str, resource: &str) -> bool {
    let compute = ["cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory"]
        .contains(&resource);
    match scope {
        "Terminating"
        | "NotTerminating"
        | "NotBestEffort"
        | "PriorityClass"
        | "CrossNamespacePodAffinity" => resource == "pods" || compute,
        "BestEffort" => resource == "pods",
        "VolumeAttributesClass" => matches!(resource, "persistentvolumeclaims" | "requests.storage"),
        _ => true,
    }
}

fn validate_scope_selector(errors: &mut Errors, object: &Value, names: &[&str], path: &Path) {
    let path = path.child("matchExpressions");
    let mut scopes: Vec<&str> = Vec::new();
    for requirement in list(object, "spec.scopeSelector.matchExpressions") {
        let scope = text(requirement, "scopeName");
        let operator = text(requirement, "operator");
        let values = list(requirement, "values");
        if !is_standard_scope(scope) {
            errors.push(FieldError::invalid(&path.child("scopeName"), scope, "unsupported scope"));
        }
        for _ in names.iter().filter(|n| is_standard_quota(n) && !is_scope_valid_for(scope, n)) {
            let shown = internal_json("core.ScopeSelector", at(object, "spec.scopeSelector"));
            let detail = "unsupported scope applied to resource";
            errors.push(FieldError::invalid(&path, BadValue::Json(shown), detail));
        }
        let exists_only = matches!(
            scope,
            "BestEffort" | "NotBestEffort" | "Terminating" | "NotTerminating" | "CrossNamespacePodAffinity"
        );
        if exists_only && operator != "Exists" {
            errors.push(FieldError::invalid(
                &path.child("operator"),
                operator,
                "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity",
            ));
        }
        match operator {
            "In" | "NotIn" => {
                if values.is_empty() {
                    let detail =
                        "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector";
                    errors.push(FieldError::required(&path.child("values"), detail));
                }
            }
            "Exists" | "DoesNotExist" => {
                if !values.is_empty() {
                    let detail =
                        "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector";
                    errors.push(FieldError::invalid(&path.child("values"), values.to_vec(), detail));
                }
            }
            _ => {
                let detail = "not a valid selector operator";
                errors.push(FieldError::invalid(&path.child("operator"), operator, detail));
            }
        }
        scopes.push(scope);
    }
    conflicting(errors, &scopes, || at(object, "spec.scopes").clone(), &path);
}

/// Scopes are part of what a quota is.
pub(crate) fn validate_resource_quota_update(errors: &mut Errors, new: &Value, old: &Value) {
    let sorted = |o: &Value| {
        let mut scopes: Vec<String> =
            list(o, "spec.scopes").iter().filter_map(Value::as_str).map(str::to_owned).collect();
        scopes.sort();
        scopes
    };
    if sorted(new) != sorted(old) {
        let shown = at(new, "spec.scopes").clone();
        errors.push(FieldError::invalid(&Path::new("spec.scopes"), shown, "field is immutable"));
    }
}
