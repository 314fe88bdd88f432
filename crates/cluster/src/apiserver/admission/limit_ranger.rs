//! LimitRanger: a namespace's defaults and bounds for what containers, pods and claims ask.
//!
//! Defaults are filled in before validation, bounds are checked after it, so that a default which contradicts
//! what the pod asks is an invalid pod rather than a forbidden one.
//!
//! Source: plugin/pkg/admission/limitranger/admission.go (v1.37).

use super::Filled;
use crate::apiserver::ApiServer;
use k8s_openapi::api::core::v1::{Container, LimitRangeItem, LimitRangeSpec, PodSpec};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as QuantityText;
use podlab_api::resources::{self, PodResourcesOptions, ResourceList, resource_list};
use podlab_api::{Body, Object, Quantity, Status, kinds};
use std::collections::BTreeMap;
use std::sync::Arc;

const ANNOTATION: &str = "kubernetes.io/limit-ranger";

/// Above this a quantity has no thousandths in 64 bits.
///
/// Source: k8s.io/apimachinery/pkg/api/resource/quantity.go `MaxMilliValue` (v1.37).
const MAX_MILLI_VALUE: i64 = i64::MAX / 1000;

/// Fills in what a pod's containers leave out. Of a pod that exists only the resize is looked at.
pub(super) fn admit(api: &ApiServer, object: &mut Object) -> Filled {
    let mut filled = Filled::AsAlways;
    if *object.kind == kinds::POD {
        for items in limits_of(api, object.namespace()) {
            filled = filled.and(fill_in(object, &items));
        }
    }
    filled
}

/// Holds a pod or claim to the bounds of its namespace.
pub(super) fn validate(api: &ApiServer, object: &Object) -> Result<(), Status> {
    if *object.kind != kinds::POD && *object.kind != kinds::PERSISTENT_VOLUME_CLAIM {
        return Ok(());
    }
    for items in limits_of(api, object.namespace()) {
        let errors = match object.pod_spec() {
            Some(spec) => pod_errors(spec, &items),
            None => claim_errors(object, &items),
        };
        if let Some(why) = aggregate(errors) {
            return Err(Status::forbidden(object.kind, object.name(), &why));
        }
    }
    Ok(())
}

fn limits_of(api: &ApiServer, namespace: &str) -> Vec<Vec<LimitRangeItem>> {
    let ranges = api.store().list_namespace(&kinds::LIMIT_RANGE, namespace);
    let spec = |range: &Arc<Object>| {
        serde_json::from_value::<LimitRangeSpec>(range.field("spec")?.clone()).ok().map(|spec| spec.limits)
    };
    ranges.filter_map(spec).collect()
}

fn fill_in(object: &mut Object, items: &[LimitRangeItem]) -> Filled {
    let mut requests = BTreeMap::new();
    let mut limits = BTreeMap::new();
    for item in items.iter().filter(|item| item.type_ == "Container") {
        requests.extend(item.default_request.clone().unwrap_or_default());
        limits.extend(item.default.clone().unwrap_or_default());
    }
    let Body::Pod { spec, .. } = &mut object.body else { return Filled::AsAlways };
    if requests.is_empty() && limits.is_empty() {
        return Filled::AsAlways;
    }
    let spec = Arc::make_mut(spec);
    let mut said = Vec::new();
    for container in &mut spec.containers {
        merge(container, &requests, &limits, "container", &mut said);
    }
    for container in spec.init_containers.iter_mut().flatten() {
        merge(container, &requests, &limits, "init container", &mut said);
    }
    if !said.is_empty() {
        let text = format!("LimitRanger plugin set: {}", said.join("; "));
        object.metadata.annotations.get_or_insert_default().insert(ANNOTATION.to_owned(), text);
    }
    Filled::More
}

fn merge(
    container: &mut Container,
    requests: &BTreeMap<String, QuantityText>,
    limits: &BTreeMap<String, QuantityText>,
    what: &str,
    said: &mut Vec<String>,
) {
    let resources = container.resources.get_or_insert_default();
    let lists = [("request", requests, &mut resources.requests), ("limit", limits, &mut resources.limits)];
    for (word, defaults, own) in lists {
        let mut set: Vec<&str> = Vec::new();
        for (name, quantity) in defaults {
            let own = own.get_or_insert_default();
            if !own.contains_key(name) {
                own.insert(name.clone(), quantity.clone());
                set.push(name);
            }
        }
        if !set.is_empty() {
            said.push(format!("{} {word} for {what} {}", set.join(", "), container.name));
        }
    }
}

/// What is asked, against which bounds hold.
struct Asked {
    requests: ResourceList,
    limits: ResourceList,
}

impl Asked {
    fn by(container: &Container) -> Asked {
        let resources = container.resources.as_ref();
        Asked {
            requests: resource_list(resources.and_then(|r| r.requests.as_ref())),
            limits: resource_list(resources.and_then(|r| r.limits.as_ref())),
        }
    }
}

fn pod_errors(spec: &PodSpec, items: &[LimitRangeItem]) -> Vec<String> {
    let mut errors = Vec::new();
    for item in items {
        match item.type_.as_str() {
            "Container" => {
                for container in spec.containers.iter().chain(spec.init_containers.iter().flatten()) {
                    check(item, &Asked::by(container), &mut errors);
                }
            }
            "Pod" => {
                let options = PodResourcesOptions { exclude_overhead: true, ..Default::default() };
                let asked = Asked {
                    requests: resources::pod_requests(spec, None, &options),
                    limits: resources::pod_limits(spec, None, &options),
                };
                check(item, &asked, &mut errors);
            }
            _ => {}
        }
    }
    errors
}

/// What a claim asks counts as its request alone.
fn claim_errors(claim: &Object, items: &[LimitRangeItem]) -> Vec<String> {
    let requests = claim.field("spec").and_then(|s| s.get("resources")).and_then(|r| r.get("requests"));
    let requests: Option<BTreeMap<String, QuantityText>> =
        requests.and_then(|r| serde_json::from_value(r.clone()).ok());
    let asked = Asked { requests: resource_list(requests.as_ref()), limits: ResourceList::new() };
    let mut errors = Vec::new();
    for item in items.iter().filter(|item| item.type_ == "PersistentVolumeClaim") {
        for (name, bound) in resource_list(item.min.as_ref()) {
            errors.extend(min_constraint(&item.type_, &name, &bound, &asked));
        }
        for (name, bound) in resource_list(item.max.as_ref()) {
            errors.extend(max_request_constraint(&item.type_, &name, &bound, &asked));
        }
    }
    errors
}

fn check(item: &LimitRangeItem, asked: &Asked, errors: &mut Vec<String>) {
    for (name, bound) in resource_list(item.min.as_ref()) {
        errors.extend(min_constraint(&item.type_, &name, &bound, asked));
    }
    for (name, bound) in resource_list(item.max.as_ref()) {
        errors.extend(max_constraint(&item.type_, &name, &bound, asked));
    }
    for (name, bound) in resource_list(item.max_limit_request_ratio.as_ref()) {
        errors.extend(ratio_constraint(&item.type_, &name, &bound, asked));
    }
}

/// Request, limit and bound at a common precision: thousandths where none of them is too great for it.
fn comparable(request: &Quantity, limit: &Quantity, bound: &Quantity) -> (i64, i64, i64) {
    let whole = (request.value(), limit.value(), bound.value());
    if [whole.0, whole.1, whole.2].into_iter().all(|value| value <= MAX_MILLI_VALUE) {
        return (request.milli_value(), limit.milli_value(), bound.milli_value());
    }
    whole
}

fn min_constraint(what: &str, name: &str, bound: &Quantity, asked: &Asked) -> Option<String> {
    let (request, limit) = (asked.requests.get(name), asked.limits.get(name));
    let zero = Quantity::default();
    let (least, given) = (format!("minimum {name} usage per {what} is {bound}"), limit.unwrap_or(&zero));
    let Some(request) = request else {
        return Some(format!("{least}.  No request is specified"));
    };
    let (requested, limited, bound) = comparable(request, given, bound);
    if requested < bound {
        return Some(format!("{least}, but request is {request}"));
    }
    limit.filter(|_| limited < bound).map(|limit| format!("{least}, but limit is {limit}"))
}

fn max_request_constraint(what: &str, name: &str, bound: &Quantity, asked: &Asked) -> Option<String> {
    let most = format!("maximum {name} usage per {what} is {bound}");
    let Some(request) = asked.requests.get(name) else {
        return Some(format!("{most}.  No request is specified"));
    };
    let (requested, _, bound) = comparable(request, &Quantity::default(), bound);
    (requested > bound).then(|| format!("{most}, but request is {request}"))
}

fn max_constraint(what: &str, name: &str, bound: &Quantity, asked: &Asked) -> Option<String> {
    let (request, limit) = (asked.requests.get(name), asked.limits.get(name));
    let most = format!("maximum {name} usage per {what} is {bound}");
    let zero = Quantity::default();
    let Some(limit) = limit else {
        return Some(format!("{most}.  No limit is specified"));
    };
    let (requested, limited, bound) = comparable(request.unwrap_or(&zero), limit, bound);
    if limited > bound {
        return Some(format!("{most}, but limit is {limit}"));
    }
    request.filter(|_| requested > bound).map(|request| format!("{most}, but request is {request}"))
}

fn ratio_constraint(what: &str, name: &str, bound: &Quantity, asked: &Asked) -> Option<String> {
    let zero = Quantity::default();
    let request = asked.requests.get(name).unwrap_or(&zero);
    let limit = asked.limits.get(name).unwrap_or(&zero);
    let (requested, limited, _) = comparable(request, limit, bound);
    let most = format!("{name} max limit to request ratio per {what} is {bound}, but");
    if requested == 0 {
        return Some(format!("{most} no request is specified or request is 0"));
    }
    if limited == 0 {
        return Some(format!("{most} no limit is specified or limit is 0"));
    }
    let ratio = limited as f64 / requested as f64;
    let exceeded = if bound.value() <= MAX_MILLI_VALUE {
        ratio * 1000.0 > bound.milli_value() as f64
    } else {
        ratio > bound.value() as f64
    };
    exceeded.then(|| format!("{most} provided ratio is {ratio:.6}"))
}

/// Several errors as one text; each is said once.
///
/// Source: k8s.io/apimachinery/pkg/util/errors/errors.go `aggregate.Error` (v1.37).
fn aggregate(errors: Vec<String>) -> Option<String> {
    let mut unique: Vec<String> = Vec::new();
    for error in errors {
        if !unique.contains(&error) {
            unique.push(error);
        }
    }
    match unique.len() {
        0 | 1 => unique.pop(),
        _ => Some(format!("[{}]", unique.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn item(value: Value) -> LimitRangeItem {
        serde_json::from_value(value).unwrap()
    }

    fn spec(resources: Value) -> PodSpec {
        serde_json::from_value(json!({"containers": [{"name": "c", "resources": resources}]})).unwrap()
    }

    #[track_caller]
    fn check_pod(limit: Value, resources: Value, expected: &[&str]) {
        assert_eq!(pod_errors(&spec(resources), &[item(limit)]), expected);
    }

    #[test]
    fn a_container_is_held_to_its_bounds() {
        let bounds = json!({"type": "Container", "min": {"cpu": "100m"}, "max": {"cpu": "1"}});
        check_pod(bounds.clone(), json!({"requests": {"cpu": "100m"}, "limits": {"cpu": "1"}}), &[]);
        check_pod(
            bounds.clone(),
            json!({}),
            &[
                "minimum cpu usage per Container is 100m.  No request is specified",
                "maximum cpu usage per Container is 1.  No limit is specified",
            ],
        );
        check_pod(
            bounds,
            json!({"requests": {"cpu": "10m"}, "limits": {"cpu": "1001m"}}),
            &[
                "minimum cpu usage per Container is 100m, but request is 10m",
                "maximum cpu usage per Container is 1, but limit is 1001m",
            ],
        );
    }

    #[test]
    fn a_limit_may_be_only_so_many_times_the_request() {
        let bounds = json!({"type": "Container", "maxLimitRequestRatio": {"cpu": "1500m"}});
        check_pod(bounds.clone(), json!({"requests": {"cpu": "2"}, "limits": {"cpu": "3"}}), &[]);
        check_pod(
            bounds,
            json!({"requests": {"cpu": "1"}, "limits": {"cpu": "2"}}),
            &["cpu max limit to request ratio per Container is 1500m, but provided ratio is 2.000000"],
        );
    }

    #[test]
    fn a_claim_asks_storage() {
        let claim = |size: &str| {
            Object::from_value(json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim",
                "metadata": {"name": "data"}, "spec": {"resources": {"requests": {"storage": size}}}}))
            .unwrap()
        };
        let bounds = [item(
            json!({"type": "PersistentVolumeClaim", "min": {"storage": "1Gi"}, "max": {"storage": "2Gi"}}),
        )];
        assert!(claim_errors(&claim("1Gi"), &bounds).is_empty());
        let small = "minimum storage usage per PersistentVolumeClaim is 1Gi, but request is 500Mi";
        assert_eq!(claim_errors(&claim("500Mi"), &bounds), [small]);
        let large = "maximum storage usage per PersistentVolumeClaim is 2Gi, but request is 3Gi";
        assert_eq!(claim_errors(&claim("3Gi"), &bounds), [large]);
    }
}
