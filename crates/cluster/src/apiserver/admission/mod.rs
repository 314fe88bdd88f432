//! Admission: what is filled in or forbidden after decoding and before validation. One file a plugin, in the
//! order of the real API server.
//!
//! Source: pkg/kubeapiserver/options/plugins.go `AllOrderedPlugins` (v1.37).

mod default_toleration_seconds;
mod limit_ranger;
mod namespace_lifecycle;
mod node_taint;
mod priority;
mod service_account;

use super::ApiServer;
use podlab_api::{Kind, Object, Status, kinds};

/// Runs the plugins over a new object.
pub(super) fn admit_create(
    api: &ApiServer,
    object: &mut Object,
    warnings: &mut Vec<String>,
) -> Result<(), Status> {
    let _ = &warnings;
    namespace_lifecycle::admit_create(api, object)?;
    if *object.kind == kinds::NODE {
        node_taint::admit_create(object);
    }
    if *object.kind == kinds::POD {
        limit_ranger::admit_create(api, object)?;
        service_account::admit_create(api, object)?;
        priority::admit_create(api, object)?;
        default_toleration_seconds::admit_create(object);
    }
    Ok(())
}

/// Runs the plugins over a changed object.
pub(super) fn admit_update(
    api: &ApiServer,
    object: &mut Object,
    old: &Object,
    subresource: Option<&str>,
    warnings: &mut Vec<String>,
) -> Result<(), Status> {
    let _ = (api, old, subresource, warnings, &object);
    Ok(())
}

/// Runs the plugins over a deletion.
pub(super) fn admit_delete(kind: &'static Kind, namespace: &str, name: &str) -> Result<(), Status> {
    let _ = namespace;
    namespace_lifecycle::admit_delete(kind, name)
}
