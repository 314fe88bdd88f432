//! What a claim counts for: one claim and the storage it asks, in all and by its class.
//!
//! Source: pkg/quota/v1/evaluator/core/persistent_volume_claims.go (v1.37).

use super::{count, pods};
use k8s_openapi::api::core::v1::ScopedResourceSelectorRequirement;
use podlab_api::resources::ResourceList;
use podlab_api::{Object, Quantity};
use serde_json::Value;

const COUNT: &str = "count/persistentvolumeclaims";
const CLAIMS: &str = "persistentvolumeclaims";
const STORAGE: &str = "requests.storage";
const OF_CLASS: &str = ".storageclass.storage.k8s.io/";

pub(super) fn counts(name: &str) -> bool {
    let by_class =
        || name.split_once(OF_CLASS).is_some_and(|(_, resource)| matches!(resource, CLAIMS | STORAGE));
    matches!(name, COUNT | CLAIMS | STORAGE) || by_class()
}

pub(super) fn usage(claim: &Object) -> ResourceList {
    let mut result = ResourceList::from([(CLAIMS.to_owned(), count(1)), (COUNT.to_owned(), count(1))]);
    let class = storage_class(claim);
    if let Some(class) = class {
        result.insert(format!("{class}{OF_CLASS}{CLAIMS}"), count(1));
    }
    if let Some(storage) = storage(claim) {
        if let Some(class) = class {
            result.insert(format!("{class}{OF_CLASS}{STORAGE}"), storage.clone());
        }
        result.insert(STORAGE.to_owned(), storage);
    }
    result
}

/// Source: component-helpers/storage/volume/helpers.go `GetPersistentVolumeClaimClass` (v1.37).
fn storage_class(claim: &Object) -> Option<&str> {
    let annotated = claim.annotation("volume.beta.kubernetes.io/storage-class");
    let named = || claim.field("spec")?.get("storageClassName")?.as_str();
    annotated.or_else(named).filter(|class| !class.is_empty())
}

/// What is asked or, if that is more, allocated; whole bytes.
fn storage(claim: &Object) -> Option<Quantity> {
    let quantity = |path: [&str; 3]| {
        let text = claim.field(path[0])?.get(path[1])?;
        let text = if path[2].is_empty() { text.get("storage") } else { text.get(path[2])?.get("storage") };
        let mut quantity = Quantity::parse(text?.as_str()?).ok()?;
        quantity.round_up(0);
        Some(quantity)
    };
    let asked = quantity(["spec", "resources", "requests"])?;
    Some(
        quantity(["status", "allocatedResources", ""])
            .map_or(asked.clone(), |allocated| allocated.max(asked)),
    )
}

pub(super) fn in_scope(scope: &ScopedResourceSelectorRequirement, claim: &Object) -> bool {
    if scope.scope_name != "VolumeAttributesClass" {
        return false;
    }
    let text =
        |value: Option<&Value>| value.and_then(Value::as_str).filter(|t| !t.is_empty()).map(str::to_owned);
    let (spec, status) = (claim.field("spec"), claim.field("status"));
    let names: Vec<String> = [
        text(spec.and_then(|s| s.get("volumeAttributesClassName"))),
        text(status.and_then(|s| s.get("currentVolumeAttributesClassName"))),
        text(status.and_then(|s| s.pointer("/modifyVolumeStatus/targetVolumeAttributesClassName"))),
    ]
    .into_iter()
    .flatten()
    .collect();
    if names.is_empty() {
        return pods::selects(scope, None);
    }
    names.iter().any(|name| pods::selects(scope, Some(name)))
}
