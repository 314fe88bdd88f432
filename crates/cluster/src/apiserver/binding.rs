//! Bindings: a pod is given its node, through the pod's subresource or by a Binding that is created.
//!
//! Source: pkg/registry/core/pod/storage/storage.go `BindingREST`, `LegacyBindingREST` (v1.37).

use super::ApiServer;
use super::handlers::success;
use podlab_api::door::Verb;
use podlab_api::validation::{FieldError, validate_pod_binding};
use podlab_api::{Request, Response, Status, kinds};
use serde_json::Value;
use std::borrow::Cow;

impl ApiServer {
    /// The resource of its own, which can only be created.
    pub(super) fn dispatch_binding(
        &mut self,
        request: &Request,
        warnings: &mut Vec<String>,
    ) -> Result<Response, Status> {
        match request.verb {
            Verb::Create => {
                let name = request.body.pointer("/metadata/name").and_then(Value::as_str).unwrap_or("");
                let (namespace, _) = request.place();
                self.create_binding(namespace, name, request, warnings)
            }
            Verb::List => Err(Status::method_not_supported(&kinds::BINDING, "list")),
            Verb::Watch => Err(Status::method_not_supported(&kinds::BINDING, "watch")),
            Verb::DeleteCollection => Err(Status::method_not_supported(&kinds::BINDING, "deletecollection")),
            // No path leads to a binding that has a name.
            Verb::Get | Verb::Update | Verb::Patch(_) | Verb::Delete => Err(Status::no_such_resource()),
        }
    }

    /// Binds the pod `name` as the body says.
    pub(super) fn create_binding(
        &mut self,
        namespace: &str,
        name: &str,
        request: &Request,
        warnings: &mut Vec<String>,
    ) -> Result<Response, Status> {
        let body =
            super::decode::decode(&kinds::BINDING, Cow::Borrowed(&request.body), &request.options, warnings)?;
        let text = |path: &str| body.pointer(path).and_then(Value::as_str).unwrap_or("");
        if text("/metadata/name") != name {
            return Err(Status::bad_request("name in URL does not match name in Binding object"));
        }
        let errors = validate_pod_binding(&body);
        if !errors.is_empty() {
            return Err(unwrapped(&errors));
        }
        let bound = match request.options.dry_run {
            true => self.bindable(namespace, name).map(drop),
            false => self.bind(namespace, name, text("/target/name")).map(drop),
        };
        bound.map_err(|status| match status.reason {
            "Conflict" => in_way(name, status),
            _ => status,
        })?;
        Ok(success(&kinds::POD, ""))
    }
}

/// A pod that cannot be bound is told of as the subresource's.
fn in_way(name: &str, mut status: Status) -> Status {
    status.message = status.message.replacen(" on pods ", " on pods/binding ", 1);
    let details = podlab_api::StatusDetails {
        name: name.to_owned(),
        kind: "pods/binding".to_owned(),
        ..podlab_api::StatusDetails::default()
    };
    status.details = Some(details);
    status
}

/// Errors that nobody made a refusal of: the server takes them for its own failure.
///
/// Source: k8s.io/apiserver/pkg/endpoints/handlers/responsewriters/status.go `ErrorToAPIStatus` (v1.37).
fn unwrapped(errors: &[FieldError]) -> Status {
    let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
    let message = match texts.as_slice() {
        [one] => one.clone(),
        all => format!("[{}]", all.join(", ")),
    };
    Status::unknown(message)
}
