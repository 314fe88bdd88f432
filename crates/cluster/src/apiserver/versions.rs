//! Requests for a version of a kind that is not the stored one: what is sent is converted to it, what is answered from it.
//!
//! Source: k8s.io/apiserver/pkg/endpoints/handlers/create.go, patch.go (v1.37): decoding, patches and defaults are of the
//! version that is asked for.

use super::ApiServer;
use podlab_api::door::{PatchType, ResponseBody, Verb};
use podlab_api::managed_fields::{Managed, managers_of};
use podlab_api::versions::Version;
use podlab_api::{Object, Request, Response, Status};
use serde_json::Value;
use std::borrow::Cow;
use std::sync::Arc;

impl ApiServer {
    /// As `dispatch`, in another version.
    pub(super) fn dispatch_version(
        &mut self,
        version: &'static Version,
        request: &Request,
        warnings: &mut Vec<String>,
    ) -> Result<Response, Status> {
        let mut inner = request.clone();
        inner.resource = version.kind.into();
        inner.options.duplicate_keys = Vec::new();
        inner.options.field_selector =
            request.options.field_selector.as_deref().map(|text| version.field_selector(text));
        match request.verb {
            Verb::Create | Verb::Update if request.subresource.is_none() || is_status(request) => {
                inner.body = self.kept(version, &request.body, request, warnings)?;
            }
            Verb::Patch(how) if request.subresource.is_none() || is_status(request) => {
                let namespace = request.namespace.as_deref().unwrap_or("");
                let name = request.name.as_deref().unwrap_or("");
                let old = self.store.get(version.kind, namespace, name).map(|old| old.to_value());
                let patched = match (old, how) {
                    // What is applied is merged by those who know who owns what.
                    (_, PatchType::Apply) => request.body.clone(),
                    (None, _) => return Err(Status::not_found(version.kind, name)),
                    (Some(mut old), how) => {
                        version.show(&mut old);
                        podlab_api::patch::apply(version.served, how, &old, &request.body)?
                    }
                };
                if how == PatchType::Apply {
                    inner.body = patched;
                    version.keep(&mut inner.body);
                } else {
                    inner.body = self.kept(version, &patched, request, warnings)?;
                    inner.verb = Verb::Update;
                }
            }
            _ => {}
        }
        let mut response = self.dispatch(version.kind, &mut inner, warnings)?;
        match &mut response.body {
            ResponseBody::Object(object) => *object = shown(version, object),
            ResponseBody::List(list) => {
                list.kind = version.served;
                list.items.iter_mut().for_each(|item| *item = shown(version, item));
            }
            ResponseBody::Watch(cursor) => {
                cursor.kind = version.served;
                cursor.initial.iter_mut().for_each(|item| *item = shown(version, item));
            }
            _ => {}
        }
        Ok(response)
    }

    /// What was sent, decoded and defaulted in its version, in the stored one.
    fn kept(
        &self,
        version: &'static Version,
        body: &Value,
        request: &Request,
        warnings: &mut Vec<String>,
    ) -> Result<Value, Status> {
        let kind = version.served;
        let mut value = super::decode::decode(kind, Cow::Borrowed(body), &request.options, warnings)?;
        super::decode::apply_defaults(kind, &mut value);
        value["kind"] = kind.kind.into();
        value["apiVersion"] = version.api_version().into();
        version.keep(&mut value);
        Ok(value)
    }
}

fn is_status(request: &Request) -> bool {
    request.subresource.as_deref() == Some("status")
}

/// A stored object as the version has it.
pub(super) fn shown(version: &'static Version, object: &Arc<Object>) -> Arc<Object> {
    let mut value = object.to_value();
    version.show(&mut value);
    let fields = value.as_object().cloned().unwrap_or_default();
    // What is derived is derived from the object as it is kept.
    let managers = managers_of(object);
    let managed = Some(Arc::new(Managed::Known { managers, as_of: None, only_times: false }));
    Object::from_fields(version.served, fields)
        .map_or_else(|_| object.clone(), |shown| Arc::new(Object { managed, ..shown }))
}
