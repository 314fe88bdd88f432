//! RuntimeClass: a pod gets the overhead, the node selector and the tolerations of the class it names.
//!
//! Source: plugin/pkg/admission/runtimeclass/admission.go, pkg/util/tolerations/tolerations.go (v1.37).

use super::Filled;
use crate::apiserver::ApiServer;
use k8s_openapi::api::core::v1::{PodSpec, Toleration};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Text;
use podlab_api::{Body, Object, Quantity, Status, kinds};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

type Overhead = BTreeMap<String, Text>;

/// Fills in what the pod's class says; a pod that says otherwise is refused.
pub(super) fn admit_create(api: &ApiServer, object: &mut Object) -> Result<Filled, Status> {
    let Some(class) = class_of(api, object)? else { return Ok(Filled::AsAlways) };
    let name = super::refused_name(object);
    let forbidden = |why: &str| Status::forbidden(&kinds::POD, &name, why);
    let Body::Pod { spec, .. } = &mut object.body else { return Ok(Filled::AsAlways) };
    let spec = Arc::make_mut(spec);
    if let Some(overhead) = overhead_of(&class) {
        let given = spec.overhead.as_ref().filter(|given| !given.is_empty());
        if given.is_some_and(|given| !same(given, &overhead)) {
            return Err(forbidden(MISMATCH));
        }
        spec.overhead = (!overhead.is_empty()).then_some(overhead);
    }
    let Some(scheduling) = class.field("scheduling").filter(|scheduling| scheduling.is_object()) else {
        return Ok(Filled::More);
    };
    select_nodes(spec, scheduling).map_err(|why| forbidden(&why))?;
    let second: Vec<Toleration> = scheduling
        .get("tolerations")
        .and_then(|tolerations| serde_json::from_value(tolerations.clone()).ok())
        .unwrap_or_default();
    let merged = merge_tolerations(spec.tolerations.take().unwrap_or_default(), second);
    spec.tolerations = (!merged.is_empty()).then_some(merged);
    Ok(Filled::More)
}

/// Refuses an overhead that is not the class's.
pub(super) fn validate(api: &ApiServer, object: &Object) -> Result<(), Status> {
    let Some(spec) = object.pod_spec() else { return Ok(()) };
    let refuse = |why: &str| Err(Status::forbidden(&kinds::POD, &super::refused_name(object), why));
    match class_of(api, object)?.as_deref().and_then(overhead_of) {
        Some(overhead) => {
            let none = Overhead::new();
            if same(spec.overhead.as_ref().unwrap_or(&none), &overhead) { Ok(()) } else { refuse(MISMATCH) }
        }
        None if spec.overhead.is_some() => {
            refuse("pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead")
        }
        None => Ok(()),
    }
}

const MISMATCH: &str = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead";

fn class_of(api: &ApiServer, object: &Object) -> Result<Option<Arc<Object>>, Status> {
    let Some(wanted) = object.pod_spec().and_then(|spec| spec.runtime_class_name.as_deref()) else {
        return Ok(None);
    };
    match api.store().get(&kinds::RUNTIME_CLASS, "", wanted) {
        Some(class) => Ok(Some(class.clone())),
        None => {
            let why = format!("pod rejected: RuntimeClass {wanted:?} not found");
            Err(Status::forbidden(&kinds::POD, &super::refused_name(object), &why))
        }
    }
}

/// What the class adds to each pod; `None` where it says nothing of it.
fn overhead_of(class: &Object) -> Option<Overhead> {
    let overhead = class.field("overhead").filter(|overhead| overhead.is_object())?;
    let fixed = overhead.get("podFixed").and_then(Value::as_object).into_iter().flatten();
    Some(fixed.filter_map(|(name, text)| Some((name.clone(), Text(text.as_str()?.to_owned())))).collect())
}

/// Whether two lists of resources are of the same amounts.
fn same(a: &Overhead, b: &Overhead) -> bool {
    a.len() == b.len()
        && a.iter().all(|(name, amount)| {
            b.get(name).is_some_and(|other| match (Quantity::parse(&amount.0), Quantity::parse(&other.0)) {
                (Ok(amount), Ok(other)) => amount == other,
                _ => amount == other,
            })
        })
}

fn select_nodes(spec: &mut PodSpec, scheduling: &Value) -> Result<(), String> {
    let wanted = scheduling.get("nodeSelector").and_then(Value::as_object);
    let Some(wanted) = wanted.filter(|wanted| !wanted.is_empty()) else { return Ok(()) };
    let selector = spec.node_selector.get_or_insert_default();
    for (key, value) in wanted {
        let value = value.as_str().unwrap_or("");
        if let Some(own) = selector.get(key).filter(|own| *own != value) {
            return Err(format!(
                "conflict: runtimeClass.scheduling.nodeSelector[{key}] = {value}; pod.spec.nodeSelector[{key}] = {own}"
            ));
        }
        selector.insert(key.clone(), value.to_owned());
    }
    Ok(())
}

/// Both lists without what another toleration of them covers.
fn merge_tolerations(first: Vec<Toleration>, second: Vec<Toleration>) -> Vec<Toleration> {
    let all: Vec<Toleration> = first.into_iter().chain(second).collect();
    let mut merged: Vec<Toleration> = Vec::new();
    for (index, one) in all.iter().enumerate() {
        let covered = merged.iter().any(|other| is_superset(other, one))
            || all.iter().skip(index + 1).any(|other| other != one && is_superset(other, one));
        if !covered {
            merged.push(one.clone());
        }
    }
    merged
}

/// Whether `wide` tolerates all that `narrow` does.
fn is_superset(wide: &Toleration, narrow: &Toleration) -> bool {
    fn text(field: &Option<String>) -> &str {
        field.as_deref().unwrap_or("")
    }
    if wide == narrow {
        return true;
    }
    if text(&narrow.key) != text(&wide.key)
        && (!text(&wide.key).is_empty() || text(&wide.operator) != "Exists")
    {
        return false;
    }
    if text(&narrow.effect) != text(&wide.effect) && !text(&wide.effect).is_empty() {
        return false;
    }
    if text(&wide.effect) == "NoExecute"
        && let Some(seconds) = wide.toleration_seconds
        && narrow.toleration_seconds.is_none_or(|own| own > seconds)
    {
        return false;
    }
    match text(&wide.operator) {
        "" | "Equal" => text(&narrow.operator) == "Equal" && text(&narrow.value) == text(&wide.value),
        operator => operator == "Exists",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn toleration(key: &str, operator: &str, seconds: Option<i64>) -> Toleration {
        Toleration {
            key: Some(key.to_owned()).filter(|key| !key.is_empty()),
            operator: Some(operator.to_owned()),
            effect: Some("NoExecute".to_owned()),
            toleration_seconds: seconds,
            value: None,
        }
    }

    #[test]
    fn what_a_wider_toleration_covers_is_left_out() {
        let first = vec![toleration("a", "Exists", Some(300)), toleration("b", "Exists", None)];
        let merged = merge_tolerations(first, vec![toleration("a", "Exists", None)]);
        assert_eq!(merged, [toleration("b", "Exists", None), toleration("a", "Exists", None)]);
        let all = merge_tolerations(merged, vec![toleration("", "Exists", None)]);
        assert_eq!(all, [toleration("", "Exists", None)]);
    }

    #[test]
    fn amounts_are_compared_rather_than_texts() {
        let of = |text: &str| Overhead::from([("cpu".to_owned(), Text(text.to_owned()))]);
        assert!(same(&of("1"), &of("1000m")));
        assert!(!same(&of("1"), &of("2")));
    }
}
