//! Which controller an object belongs to; adoption of what matches a selector and release of what no longer does.
//!
//! Source: pkg/controller/controller_ref_manager.go (v1.37).

use super::queue::SyncError;
use crate::store::{Change, Key};
use crate::world::Cx;
use podlab_api::door::ChangeType;
use podlab_api::selector::Selector;
use podlab_api::{Kind, Object, OwnerReference};
use serde_json::Value;
use std::sync::Arc;

/// The reference to the controller that an object belongs to.
pub(super) fn controller_of(object: &Object) -> Option<&OwnerReference> {
    object.metadata.owner_references.iter().flatten().find(|owner| owner.controller == Some(true))
}

/// Whether an object belongs to the controller with this uid.
pub(super) fn is_controlled_by(object: &Object, uid: &str) -> bool {
    controller_of(object).is_some_and(|owner| owner.uid == uid)
}

/// The reference by which what `owner` makes belongs to it.
pub(super) fn new_controller_ref(owner: &Object) -> OwnerReference {
    OwnerReference {
        api_version: owner.kind.api_version().into_owned(),
        kind: owner.kind.kind.to_owned(),
        name: owner.name().to_owned(),
        uid: owner.uid().to_owned(),
        controller: Some(true),
        block_owner_deletion: Some(true),
    }
}

/// The object of `kind` that a reference from `namespace` names, if it is the one with that uid.
pub(super) fn resolve(
    reference: &OwnerReference,
    kind: &'static Kind,
    namespace: &str,
    cx: &Cx<'_>,
) -> Option<Arc<Object>> {
    if reference.kind != kind.kind {
        return None;
    }
    let found = cx.api.store().get(kind, namespace, &reference.name)?;
    (found.uid() == reference.uid).then(|| found.clone())
}

/// The key of the controller of a kind that an object belongs to.
pub(super) fn controller_key(object: &Object, kind: &'static Kind, cx: &Cx<'_>) -> Option<Key> {
    let found = resolve(controller_of(object)?, kind, object.namespace(), cx)?;
    Some(Key::of(&found))
}

/// The workloads of a kind that a change of what they make concerns: whom it belonged to, whom it belongs to, and, where
/// that is nobody, all that would take it.
///
/// Source: `addPod`, `updatePod`, `deletePod` of the controllers in pkg/controller, which are alike in this.
pub(super) fn concerned(change: &Change, kind: &'static Kind, cx: &Cx<'_>) -> Vec<Key> {
    let object = &change.object;
    let owner = controller_of(object);
    let before = change.before.as_deref().filter(|_| change.change == ChangeType::Modified);
    let owner_changed = before.is_some_and(|before| controller_of(before) != owner);
    let mut keys = Vec::new();
    if owner_changed {
        keys.extend(before.and_then(|before| controller_key(before, kind, cx)));
    }
    if owner.is_some() {
        keys.extend(controller_key(object, kind, cx));
        return keys;
    }
    let relabelled = before.is_some_and(|before| before.metadata.labels != object.metadata.labels);
    if change.change == ChangeType::Added || owner_changed || relabelled {
        let all = cx.api.store().list_namespace(kind, object.namespace());
        let selects =
            |other: &&Arc<Object>| selector_of(other).is_some_and(|s| !s.is_empty() && s.matches(&**object));
        keys.extend(all.filter(selects).map(|other| Key::of(other)));
    }
    keys
}

/// The selector of a workload: `spec.selector`, which is a plain map in ReplicationControllers.
pub(super) fn selector_of(object: &Object) -> Option<Selector> {
    let selector = object.field("spec")?.get("selector")?;
    if object.kind.kind == "ReplicationController" {
        let labels = selector.as_object()?.iter();
        let labels = labels.map(|(key, value)| (key.clone(), value.as_str().unwrap_or("").to_owned()));
        return Some(Selector::from_set(&labels.collect()));
    }
    selector_from(selector)
}

/// A selector in its object form; `None` where it is not valid.
pub(crate) fn selector_from(value: &Value) -> Option<Selector> {
    use serde::Deserialize;
    let form = k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector::deserialize(value).ok()?;
    podlab_api::selector::label_selector::label_selector_as_selector(Some(&form)).ok()
}

/// Of `objects`, those that belong to `owner`: what is loose and matches is adopted, what no longer matches is let
/// go. `matches` says whether an object is one that `owner` wants.
///
/// # Errors
/// The API server refused an adoption or a release; what could be claimed comes with it.
pub(super) fn claim(
    owner: &Arc<Object>,
    objects: Vec<Arc<Object>>,
    matches: &dyn Fn(&Object) -> bool,
    finalizer: Option<&str>,
    cx: &mut Cx<'_>,
) -> Result<Vec<Arc<Object>>, SyncError> {
    let mut claimed = Vec::with_capacity(objects.len());
    let mut error = None;
    for object in objects {
        match controller_of(&object) {
            Some(controller) if controller.uid != owner.uid() => {}
            Some(_) if matches(&object) => claimed.push(object),
            Some(_) if owner.is_terminating() => {}
            Some(_) => {
                if let Err(refused) = release(owner, &object, finalizer, cx) {
                    error.get_or_insert(refused);
                }
            }
            None if owner.is_terminating() || !matches(&object) || object.is_terminating() => {}
            None => match adopt(owner, &object, finalizer, cx) {
                Ok(adopted) => claimed.extend(adopted),
                Err(refused) => {
                    error.get_or_insert(refused);
                }
            },
        }
    }
    match error {
        Some(error) => Err(error),
        None => Ok(claimed),
    }
}

/// A pod counts as claimed in the state it had before, as the real controllers' lists have it.
fn adopt(
    owner: &Arc<Object>,
    object: &Arc<Object>,
    finalizer: Option<&str>,
    cx: &mut Cx<'_>,
) -> Result<Option<Arc<Object>>, SyncError> {
    // The owner may have gone since it was listed.
    let fresh = cx.api.store().get(owner.kind, owner.namespace(), owner.name());
    if fresh.is_none_or(|fresh| fresh.uid() != owner.uid() || fresh.is_terminating()) {
        return Ok(None);
    }
    let reference = new_controller_ref(owner);
    let changed = cx.api.modify(object.kind, object.namespace(), object.name(), None, |object| {
        let owners = object.metadata.owner_references.get_or_insert_default();
        owners.retain(|known| known.uid != reference.uid);
        owners.push(reference);
        if let Some(finalizer) = finalizer {
            let finalizers = object.metadata.finalizers.get_or_insert_default();
            if !finalizers.iter().any(|known| known == finalizer) {
                finalizers.push(finalizer.to_owned());
            }
        }
    });
    use crate::apiserver::registry::UpdateError;
    match changed {
        Ok(adopted) => Ok(Some(adopted)),
        Err(UpdateError::NotFound) => Ok(None),
        Err(UpdateError::Refused(status)) => Err((*status).into()),
    }
}

fn release(
    owner: &Arc<Object>,
    object: &Arc<Object>,
    finalizer: Option<&str>,
    cx: &mut Cx<'_>,
) -> Result<(), SyncError> {
    let changed = cx.api.modify(object.kind, object.namespace(), object.name(), None, |object| {
        if let Some(owners) = &mut object.metadata.owner_references {
            owners.retain(|known| known.uid != owner.uid());
            if owners.is_empty() {
                object.metadata.owner_references = None;
            }
        }
        if let (Some(finalizer), Some(finalizers)) = (finalizer, &mut object.metadata.finalizers) {
            finalizers.retain(|known| known != finalizer);
            if finalizers.is_empty() {
                object.metadata.finalizers = None;
            }
        }
    });
    use crate::apiserver::registry::UpdateError;
    match changed {
        Ok(_) | Err(UpdateError::NotFound) => Ok(()),
        // Gone, or made anew under the same name.
        Err(UpdateError::Refused(status)) if status.reason == "Invalid" => Ok(()),
        Err(UpdateError::Refused(status)) => Err((*status).into()),
    }
}
