//! Admission: what is filled in or forbidden after decoding and before validation. One file a plugin, in the
//! order of the real API server.
//!
//! Source: pkg/kubeapiserver/options/plugins.go `AllOrderedPlugins` (v1.37).

mod default_class;
mod default_ingress_class;
mod default_storage_class;
mod default_toleration_seconds;
mod limit_ranger;
mod namespace_lifecycle;
mod node_taint;
mod pod_resize;
mod pod_security;
mod priority;
mod resource_quota;
mod runtime_class;
mod service_account;
mod storage_object_in_use_protection;

pub(crate) use storage_object_in_use_protection::{PV_PROTECTION, PVC_PROTECTION};

pub(super) use resource_quota::{Charge, charge};

use super::ApiServer;
use podlab_api::{Body, Kind, Object, Status, kinds};
use serde_json::Value;
use std::sync::Arc;

/// What the plugins that fill in did to a new object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Filled {
    /// No more than they do to every pod: its service account and the token's mounts, its priority, tolerations of
    /// nodes that are not ready for a while.
    AsAlways,
    /// Something else as well.
    More,
}

impl Filled {
    /// [`Filled::More`] where `more` was done.
    fn more_if(more: bool) -> Filled {
        if more { Filled::More } else { Filled::AsAlways }
    }

    fn and(self, other: Filled) -> Filled {
        Filled::more_if(self == Filled::More || other == Filled::More)
    }
}

/// Lets the plugins that fill in look at a new object, before its name is generated and before validation.
pub(super) fn admit_create(api: &ApiServer, object: &mut Object) -> Result<Filled, Status> {
    namespace_lifecycle::admit_create(api, object)?;
    let mut filled = Filled::AsAlways;
    if *object.kind == kinds::NODE {
        node_taint::admit_create(object);
    }
    if *object.kind == kinds::POD {
        filled = filled.and(limit_ranger::admit(api, object));
        filled = filled.and(service_account::admit_create(api, object)?);
        priority::admit_create(api, object)?;
        default_toleration_seconds::admit(object);
        filled = filled.and(runtime_class::admit_create(api, object)?);
    }
    if *object.kind == kinds::PERSISTENT_VOLUME_CLAIM {
        default_storage_class::admit_create(api, object);
    }
    storage_object_in_use_protection::admit_create(object);
    if *object.kind == kinds::INGRESS {
        default_ingress_class::admit_create(api, object);
    }
    Ok(filled)
}

/// A field of the spec of an object that is held as a tree; `None` where it is not set.
fn spec_field<'a>(object: &'a Object, name: &str) -> Option<&'a Value> {
    object.field("spec")?.get(name).filter(|value| !value.is_null())
}

fn set_spec_field(object: &mut Object, name: &str, value: Value) {
    if let Body::Tree(fields) = &mut object.body
        && let Some(spec) = Arc::make_mut(fields).get_mut("spec").and_then(Value::as_object_mut)
    {
        spec.insert(name.to_owned(), value);
    }
}

/// Lets the plugins that only forbid look at a new object, after validation.
/// Gives what is to be charged when the object is written.
pub(super) fn validate_create(
    api: &ApiServer,
    object: &Object,
    warnings: &mut Vec<String>,
) -> Result<Vec<Charge>, Status> {
    limit_ranger::validate(api, object)?;
    pod_security::validate(api, object, None, None, warnings)?;
    priority::validate(api, object, None)?;
    runtime_class::validate(api, object)?;
    resource_quota::validate(api, object, None, None)
}

/// Lets the plugins that fill in look at a changed object, before validation.
///
/// The other plugins of [`admit_create`] handle creation alone.
pub(super) fn admit_update(api: &ApiServer, object: &mut Object, old: &Object, subresource: Option<&str>) {
    if *object.kind != kinds::POD {
        return;
    }
    if subresource == Some("resize") && !old.is_terminating() {
        limit_ranger::admit(api, object);
    }
    if subresource.is_none() {
        priority::admit_update(object, old);
        default_toleration_seconds::admit(object);
    }
}

/// Lets the plugins that only forbid look at a changed object, after validation. Gives what is to be charged
/// when it is written.
pub(super) fn validate_update(
    api: &ApiServer,
    object: &Object,
    old: &Object,
    subresource: Option<&str>,
    warnings: &mut Vec<String>,
) -> Result<Vec<Charge>, Status> {
    let bounded = match subresource {
        None => *object.kind == kinds::PERSISTENT_VOLUME_CLAIM,
        Some(subresource) => subresource == "resize" && *object.kind == kinds::POD,
    };
    if bounded && !old.is_terminating() {
        limit_ranger::validate(api, object)?;
    }
    pod_security::validate(api, object, Some(old), subresource, warnings)?;
    if subresource.is_none() {
        priority::validate(api, object, Some(old.name()))?;
    }
    if subresource == Some("resize") && *object.kind == kinds::POD {
        pod_resize::validate(api, object, old)?;
    }
    resource_quota::validate(api, object, Some(old), subresource)
}

/// How a refusal names an object whose name is not generated yet.
///
/// Source: k8s.io/apiserver/pkg/admission/errors.go `extractResourceName` (v1.37).
fn refused_name(object: &Object) -> String {
    let name = Some(object.name()).filter(|name| !name.is_empty());
    name.or(object.metadata.generate_name.as_deref()).unwrap_or("").to_owned()
}

/// Runs the plugins over a deletion.
pub(super) fn admit_delete(kind: &'static Kind, namespace: &str, name: &str) -> Result<(), Status> {
    let _ = namespace;
    namespace_lifecycle::admit_delete(kind, name)
}
