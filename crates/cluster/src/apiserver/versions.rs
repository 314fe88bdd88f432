//! Requests for a version of a kind that is not the stored one: what is sent is converted to it, what is answered from it.
//!
//! Source: k8s.io/apiserver/pkg/endpoints/handlers/create.go, patch.go (v1.37): decoding, patches and defaults are of the
//! version that is asked for.

use super::ApiServer;
use podlab_api::door::{FieldValidation, RequestOptions, ResponseBody, Verb};
use podlab_api::managed_fields::{Managed, managers_of};
use podlab_api::versions::{self, Version};
use podlab_api::{Kind, Object, Request, Response, Status};
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
        inner.options.field_selector =
            request.options.field_selector.as_deref().map(|text| version.field_selector(text));
        let kind = match request.verb {
            Verb::Create | Verb::Update | Verb::Patch(_) => version.served,
            _ => version.kind,
        };
        let mut response = self.dispatch(kind, &mut inner, warnings)?;
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

    /// An object of the store as a kind has it, whichever version that is.
    pub(super) fn live(&self, kind: &'static Kind, namespace: &str, name: &str) -> Option<Arc<Object>> {
        match versions::find(kind.group, kind.version, kind.plural) {
            None => self.store.get(kind, namespace, name).cloned(),
            Some(version) => {
                self.store.get(version.kind, namespace, name).map(|object| shown(version, object))
            }
        }
    }
}

/// What was decoded in its version, as it is kept.
pub(super) fn kept(object: Object) -> Result<Object, Status> {
    let kind = object.kind;
    let Some(version) = versions::find(kind.group, kind.version, kind.plural) else { return Ok(object) };
    let mut value = object.to_value();
    version.keep(&mut value);
    let options = RequestOptions { field_validation: FieldValidation::Ignore, ..RequestOptions::default() };
    let value = Cow::Owned(value);
    let kept = super::handlers::decode_all(version.kind, value, &options, false, &mut Vec::new())?;
    Ok(Object { managed: object.managed, ..kept.object })
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
