//! Which volume a claim gets.
//!
//! Source: pkg/controller/volume/persistentvolume/index.go `findMatchingVolume`,
//! k8s.io/component-helpers/storage/volume/pv_helpers.go `FindMatchingVolume` (v1.37).

use crate::controllers::values::{spec, status, text};
use podlab_api::selector::label_selector::label_selector_as_selector;
use podlab_api::{Object, Quantity};
use serde_json::Value;
use std::sync::Arc;

/// The class of a claim or volume; empty for none.
pub(super) fn class_of(object: &Object) -> &str {
    object
        .annotation("volume.beta.kubernetes.io/storage-class")
        .unwrap_or_else(|| text(spec(object, "storageClassName")))
}

/// Whether a volume is for a claim: bound to it, or reserved by name.
pub(super) fn is_bound_to(volume: &Object, claim: &Object) -> bool {
    let Some(reference) = spec(volume, "claimRef").filter(|reference| reference.is_object()) else {
        return false;
    };
    let uid = text(reference.get("uid"));
    text(reference.get("name")) == claim.name()
        && text(reference.get("namespace")) == claim.namespace()
        && (uid.is_empty() || uid == claim.uid())
}

fn modes(object: &Object) -> Vec<&str> {
    let modes = spec(object, "accessModes").and_then(Value::as_array);
    modes.into_iter().flatten().filter_map(Value::as_str).collect()
}

fn storage(value: Option<&Value>) -> Option<Quantity> {
    value?.get("storage")?.as_str()?.parse().ok()
}

fn volume_mode(object: &Object) -> &str {
    match text(spec(object, "volumeMode")) {
        "" => "Filesystem",
        mode => mode,
    }
}

/// The smallest volume that fits; of those with the fewest modes beyond the claim's. One reserved for the claim goes
/// before all others. A claim that waits for its first consumer gets only what is reserved for it.
pub(super) fn find_best_match<'a>(
    volumes: impl Iterator<Item = &'a Arc<Object>>,
    claim: &Object,
    delayed: bool,
) -> Option<Arc<Object>> {
    let wanted = modes(claim);
    let requested = storage(spec(claim, "resources").and_then(|r| r.get("requests")))?;
    let selector = spec(claim, "selector").filter(|selector| selector.is_object());
    let selector = match selector {
        Some(selector) => {
            let parsed = serde_json::from_value(selector.clone()).ok()?;
            Some(label_selector_as_selector(Some(&parsed)).ok()?)
        }
        None => None,
    };
    let mut best: Option<(usize, Quantity, Arc<Object>)> = None;
    for volume in volumes {
        let has = modes(volume);
        let Some(capacity) = storage(spec(volume, "capacity")) else { continue };
        if !wanted.iter().all(|mode| has.contains(mode))
            || volume_mode(volume) != volume_mode(claim)
            || volume.is_terminating()
            || text(spec(volume, "volumeAttributesClassName"))
                != text(spec(claim, "volumeAttributesClassName"))
        {
            continue;
        }
        let reserved = spec(volume, "claimRef").is_some_and(Value::is_object);
        if reserved {
            if is_bound_to(volume, claim) && capacity >= requested {
                return Some(volume.clone());
            }
            continue;
        }
        if delayed
            || text(status(volume, "phase")) != "Available"
            || class_of(volume) != class_of(claim)
            || capacity < requested
        {
            continue;
        }
        let none = Default::default();
        if let Some(selector) = &selector
            && !selector.matches(volume.metadata.labels.as_ref().unwrap_or(&none))
        {
            continue;
        }
        let rank = (has.len(), &capacity);
        if best.as_ref().is_none_or(|(modes, size, _)| rank < (*modes, size)) {
            best = Some((has.len(), capacity, volume.clone()));
        }
    }
    best.map(|(_, _, volume)| volume)
}
