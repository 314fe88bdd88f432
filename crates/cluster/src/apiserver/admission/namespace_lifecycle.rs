//! NamespaceLifecycle: nothing is created in a namespace that does not exist or is going; three namespaces
//! cannot be deleted.
//!
//! Source: staging/src/k8s.io/apiserver/pkg/admission/plugin/namespace/lifecycle/admission.go (v1.37).

use crate::apiserver::ApiServer;
use podlab_api::{Kind, Object, Status, StatusCause, kinds};

const IMMORTAL: [&str; 3] = ["default", "kube-system", "kube-public"];

pub(super) fn admit_create(api: &ApiServer, object: &Object) -> Result<(), Status> {
    if !object.kind.namespaced {
        return Ok(());
    }
    let namespace = object.namespace();
    let Some(found) = api.store().get(&kinds::NAMESPACE, "", namespace) else {
        return Err(Status::not_found(&kinds::NAMESPACE, namespace));
    };
    if found.is_terminating() {
        let why =
            format!("unable to create new content in namespace {namespace} because it is being terminated");
        let mut status = Status::forbidden(object.kind, &super::refused_name(object), &why);
        if let Some(details) = &mut status.details {
            details.causes.push(StatusCause {
                reason: "NamespaceTerminating".to_owned(),
                message: format!("namespace {namespace} is being terminated"),
                field: "metadata.namespace".to_owned(),
            });
        }
        return Err(status);
    }
    Ok(())
}

pub(super) fn admit_delete(kind: &'static Kind, name: &str) -> Result<(), Status> {
    if *kind == kinds::NAMESPACE && IMMORTAL.contains(&name) {
        return Err(Status::forbidden(kind, name, "this namespace may not be deleted"));
    }
    Ok(())
}
