//! Reading and writing the trees of workloads.

use super::queue::Outcome;
use crate::apiserver::registry::UpdateError;
use crate::store::Key;
use crate::world::Cx;
use podlab_api::{Body, Kind, Object, Status};
use podlab_sim::SimTime;
use serde_json::{Map, Value};
use std::sync::Arc;

/// A field of `spec`.
pub(super) fn spec<'a>(object: &'a Object, field: &str) -> Option<&'a Value> {
    object.field("spec")?.get(field)
}

/// A field of `status`.
pub(super) fn status<'a>(object: &'a Object, field: &str) -> Option<&'a Value> {
    object.field("status")?.get(field)
}

pub(super) fn int(value: Option<&Value>) -> Option<i64> {
    value.and_then(Value::as_i64)
}

pub(super) fn text(value: Option<&Value>) -> &str {
    value.and_then(Value::as_str).unwrap_or("")
}

pub(super) fn flag(value: Option<&Value>) -> bool {
    value.and_then(Value::as_bool).unwrap_or(false)
}

/// An instant as the API writes it, in whole seconds.
pub(super) fn timestamp(at: SimTime) -> Value {
    serde_json::to_value(podlab_api::time::time(at.as_secs())).unwrap_or(Value::Null)
}

/// An instant read from an object.
pub(super) fn instant(value: Option<&Value>) -> Option<SimTime> {
    let (seconds, _) = podlab_api::schema::parse_rfc3339(value?.as_str()?).ok()?;
    Some(SimTime::from_secs(seconds))
}

/// The top-level fields of an object, to be changed.
pub(super) fn fields_mut(object: &mut Object) -> Option<&mut Map<String, Value>> {
    match &mut object.body {
        Body::Tree(map) => Some(Arc::make_mut(map)),
        _ => None,
    }
}

/// Sets a field of `spec`.
pub(super) fn set_spec(object: &mut Object, field: &str, value: Value) {
    let spec = fields_mut(object).and_then(|fields| fields.get_mut("spec")).and_then(Value::as_object_mut);
    if let Some(spec) = spec {
        spec.insert(field.to_owned(), value);
    }
}

/// Takes a finalizer off an object.
///
/// # Errors
/// What the API server says.
pub(super) fn remove_finalizer(cx: &mut Cx<'_>, kind: &'static Kind, key: &Key, finalizer: &str) -> Outcome {
    let change = |object: &mut Object| {
        let finalizers = object.metadata.finalizers.take().unwrap_or_default();
        let kept: Vec<String> = finalizers.into_iter().filter(|f| f != finalizer).collect();
        object.metadata.finalizers = (!kept.is_empty()).then_some(kept);
    };
    match cx.api.modify(kind, &key.namespace, &key.name, None, change) {
        Err(UpdateError::Refused(status)) => Err((*status).into()),
        _ => Ok(None),
    }
}

/// Writes a status over the version of the object that was read.
///
/// # Errors
/// Not found, or a conflict with a later version.
pub(super) fn set_status(object: &Object, status: Value, cx: &mut Cx<'_>) -> Result<Arc<Object>, Status> {
    let mut object = object.clone();
    if let Some(fields) = fields_mut(&mut object) {
        fields.insert("status".to_owned(), status);
    }
    cx.api.update_status(object)
}
