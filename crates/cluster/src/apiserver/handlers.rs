//! The door: from a [`Request`] to a [`Response`].
//!
//! Source: k8s.io/apiserver/pkg/endpoints/handlers (v1.37).

use super::accepted::SentPod;
use super::bodies::EVICTION;
use super::delete_options::{by_default, delete_options};
use super::{ApiServer, field_managers};
use podlab_api::door::{Accept, FieldValidation, PatchType, RequestOptions, ResponseBody, Verb};
use podlab_api::object::ObjectError;
use podlab_api::pod_tree::DecodedPod;
use podlab_api::{Kind, Object, Request, Response, Status, kinds, versions};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::sync::Arc;

impl ApiServer {
    /// Answers a request for stored objects. Subresources that run something in a container (`log`, `exec`,
    /// `attach`, `portforward`) are the cluster's, not the store's.
    pub fn request(&mut self, mut request: Request) -> Response {
        if request.resource.group == crate::metrics::GROUP && self.serves_metrics() {
            return self.serve_metrics(&request);
        }
        let Some(kind) = self.kind_by_resource(
            &request.resource.group,
            &request.resource.version,
            &request.resource.resource,
        ) else {
            return match super::rbac::is_review(&request) {
                true => self.answer_review(&request),
                false => Response::status(Status::no_such_resource()),
            };
        };
        // Every request to a deprecated API is told so, reads too; a read that finds nothing has less to tell.
        let mut warnings = Vec::new();
        let deprecated = match kind.definition() {
            Some(definition) => definition.deprecation_warning.as_deref(),
            None => podlab_api::validation::deprecation_warning(&kind.api_version(), kind.kind),
        };
        let answer = if let Some(version) = versions::find(kind.group, kind.version, kind.plural) {
            self.dispatch_version(version, &request, &mut warnings)
        } else if *kind == kinds::BINDING {
            self.dispatch_binding(&request, &mut warnings)
        } else if *kind == kinds::COMPONENT_STATUS {
            self.dispatch_component_status(&request)
        } else {
            self.dispatch(kind, &mut request, &mut warnings)
        };
        let missing = match &answer {
            Ok(Response { body: ResponseBody::List(list), .. }) => list.items.is_empty(),
            Ok(_) => false,
            Err(status) => status.is_not_found() && request.verb == Verb::Get,
        };
        let mut response = answer.unwrap_or_else(Response::status);
        let deprecated = deprecated.filter(|_| kind.is_custom() || !missing).map(str::to_owned);
        response.warnings.splice(0..0, deprecated.into_iter().chain(warnings));
        response
    }

    /// Answers a request about a kind; what is created is taken out of it.
    pub(super) fn dispatch(
        &mut self,
        kind: &'static Kind,
        request: &mut Request,
        warnings: &mut Vec<String>,
    ) -> Result<Response, Status> {
        let created = match (request.verb, &request.subresource) {
            (Verb::Create, None) => std::mem::take(&mut request.body),
            _ => Value::Null,
        };
        let request = &*request;
        let (namespace, name) = request.place();
        let options = &request.options;
        let subresource = request.subresource.as_deref();
        if let Some(sub) = subresource
            && !kind.subresources.contains(&sub)
        {
            return Err(if kind.is_custom() {
                Status::not_found(kind, name)
            } else {
                Status::no_such_resource()
            });
        }
        match (request.verb, subresource) {
            (Verb::Get, Some("scale")) => {
                let response = self.get_scale(kind, namespace, name)?;
                match response.body {
                    ResponseBody::Value(scale) if options.accept == Accept::Table => {
                        Ok(self.scale_table(scale))
                    }
                    _ => Ok(response),
                }
            }
            (Verb::Get, _) => self.get(kind, namespace, name, options),
            (Verb::List, _) => self.list(kind, namespace, options),
            (Verb::Watch, _) => self.start_watch(kind, request),
            (Verb::Create, Some("binding")) => self.create_binding(namespace, name, request, warnings),
            (Verb::Create, Some("eviction")) => self.evict(namespace, name, request, warnings),
            (Verb::Create, Some("token")) => self.create_token(namespace, name, request),
            (Verb::Create, Some(_)) => Err(Status::method_not_supported(kind, "create")),
            (Verb::Create, None) => {
                let sent = self.decode(kind, namespace, Cow::Owned(created), options, true, warnings)?;
                self.create_sent(sent, options, warnings)
            }
            (Verb::Update, Some("scale")) => self.put_scale(kind, request, warnings),
            (Verb::Update, _) => {
                let body = Cow::Borrowed(&request.body);
                let mut sent = self.decode(kind, namespace, body, options, false, warnings)?;
                sent.object = check_name(name, sent.object)?;
                let object = &sent.object;
                let old = self.live(kind, object.namespace(), name);
                if old.is_none() && subresource.is_none() && super::strategy::allow_create_on_update(kind) {
                    self.may_create(kind, namespace)?;
                    return self.create_sent(sent, options, warnings);
                }
                self.record_update(&mut sent, old.as_deref(), &request.body, subresource, options);
                let object = super::versions::kept(sent.object)?;
                let stored = self.update_with(object, subresource, options.dry_run, warnings)?;
                Ok(Response::object(stored))
            }
            (Verb::Patch(PatchType::Apply), _) if options.field_manager.as_deref() == Some("") => {
                Err(field_managers::manager_required())
            }
            (Verb::Patch(how), Some("scale")) => self.patch_scale(kind, how, request, warnings),
            (Verb::Patch(how), _) => self.patch(kind, how, request, warnings),
            (Verb::Delete, _) => {
                let mut delete = delete_options(request)?;
                by_default(kind, &mut delete, warnings);
                let last = match options.dry_run {
                    // All of it is done, and forgotten.
                    true => self.clone().delete(kind, namespace, name, &delete)?,
                    false => self.delete(kind, namespace, name, &delete)?,
                };
                Ok(Response::object(last))
            }
            (Verb::DeleteCollection, _) => {
                let list = self.select(kind, namespace, options)?;
                let mut delete = delete_options(request)?;
                by_default(kind, &mut delete, warnings);
                for object in &list {
                    if !options.dry_run {
                        self.delete(kind, object.namespace(), object.name(), &delete)?;
                    }
                }
                Ok(success(kind, ""))
            }
        }
    }

    /// Stores a new object of a client's.
    fn create_sent(
        &mut self,
        mut sent: Sent,
        options: &RequestOptions,
        warnings: &mut Vec<String>,
    ) -> Result<Response, Status> {
        // Who owns what is told from the object later where it can be: not of one that is not kept, nor of what was dropped
        // from it, and only in the version that is kept.
        let is_kept = versions::kept_as(sent.object.kind) == sent.object.kind;
        match options.dry_run || !is_kept || sent.whole.is_some() {
            true => self.record_creation(&mut sent, options),
            false => field_managers::created(&mut sent, options),
        }
        let mut object = super::versions::kept(sent.object)?;
        if sent.inherits {
            object.metadata.labels = None;
        }
        let stored = self.create_with(object, sent.pod, options.dry_run, warnings)?;
        let mut response = Response::object(stored);
        response.code = 201;
        Ok(response)
    }

    /// Decodes, defaults and names what a client sent.
    fn decode(
        &mut self,
        kind: &'static Kind,
        namespace: &str,
        body: Cow<'_, Value>,
        options: &RequestOptions,
        creating: bool,
        warnings: &mut Vec<String>,
    ) -> Result<Sent, Status> {
        let mut sent = match kind == &kinds::POD && creating {
            true => self.decode_pod(body, options, warnings)?,
            false => decode_all(kind, body, options, creating, warnings)?,
        };
        let object = &mut sent.object;
        // What the body says of field managers is read apart.
        object.metadata.managed_fields = None;
        if kind.namespaced {
            match object.metadata.namespace.as_deref() {
                None | Some("") => object.metadata.namespace = Some(namespace.to_owned()),
                Some(own) if own != namespace => {
                    return Err(Status::bad_request(
                        "the namespace of the provided object does not match the namespace sent on the request",
                    ));
                }
                Some(_) => {}
            }
        }
        Ok(sent)
    }

    /// As [`decode_all`], of a pod whose like may be known already.
    fn decode_pod(
        &mut self,
        body: Cow<'_, Value>,
        options: &RequestOptions,
        warnings: &mut Vec<String>,
    ) -> Result<Sent, Status> {
        let Some(pod) = SentPod::of(&kinds::POD, &body) else {
            return decode_all(&kinds::POD, body, options, true, warnings);
        };
        if let Some(known) = self.accepted.decoded(&pod) {
            return Ok(known.into());
        }
        if !self.accepted.keeps() {
            return decode_all(&kinds::POD, body, options, true, warnings);
        }
        let told = warnings.len();
        let sent = decode_all(&kinds::POD, Cow::Borrowed(&body), options, true, warnings)?;
        // What is ignored may have to be told another time.
        if told == warnings.len()
            && options.field_validation != FieldValidation::Ignore
            && sent.whole.is_none()
        {
            self.accepted.keep_decoded(&pod, &sent.object);
        }
        Ok(sent)
    }

    fn patch(
        &mut self,
        kind: &'static Kind,
        how: PatchType,
        request: &Request,
        warnings: &mut Vec<String>,
    ) -> Result<Response, Status> {
        let (namespace, name) = request.place();
        let options = &request.options;
        let old = self.live(kind, namespace, name);
        let old = old.map(|old| super::definitions::in_version(kind, &old));
        if kind.is_custom() && how == PatchType::StrategicMerge {
            return Err(Status::unsupported_patch());
        }
        let mut managed = None;
        let (patched, created) = match (&old, how) {
            (None, PatchType::Apply) if request.subresource.is_some() => {
                return Err(Status::not_found(kind, name));
            }
            (old, PatchType::Apply) => {
                let subresource = request.subresource.as_deref();
                let about = (namespace, name);
                let applied = self.apply(kind, old.as_ref(), about, &request.body, subresource, options)?;
                super::decode::tell_duplicates(options, warnings)?;
                managed = Some(applied.managed);
                match (applied.object, old) {
                    (Some(patched), old) => (patched, old.is_none()),
                    (None, Some(old)) => (field_managers::as_it_is(old), false),
                    (None, None) => (request.body.clone(), true),
                }
            }
            (None, _) => return Err(Status::not_found(kind, name)),
            (Some(old), how) => {
                let tree = match field_managers::concerns(&request.body) {
                    true => old.to_managed_value(),
                    false => old.to_value(),
                };
                (podlab_api::patch::apply(kind, how, &tree, &request.body)?, false)
            }
        };
        // What a patch had twice has been told.
        let once;
        let options = if options.duplicate_keys.is_empty() {
            options
        } else {
            once = RequestOptions { duplicate_keys: Vec::new(), ..options.clone() };
            &once
        };
        let sent = match (how, &old) {
            // Such a patch goes from tree to type, without a look at what it is called.
            (PatchType::StrategicMerge, Some(old)) => {
                let why = podlab_api::schema::conversion_error(&kind.api_version(), kind.kind, &patched);
                if let Some(why) = why {
                    let left = podlab_api::patch::patch_left(&old.to_value(), &request.body);
                    return Err(Status::invalid_patch(&left, &why));
                }
                let mut sent = named(kind, patched.clone());
                whole_numbers(&mut sent);
                Cow::Owned(sent)
            }
            _ => Cow::Borrowed(&patched),
        };
        let decoded = self.decode(kind, namespace, Cow::Borrowed(&*sent), options, created, warnings);
        let mut sent =
            decoded.map_err(|status| unfit(kind, how, old.as_ref(), &request.body, &patched, status))?;
        if created {
            let mut object = sent.object;
            self.may_create(kind, namespace)?;
            object.metadata.name.get_or_insert_with(|| name.to_owned());
            object.managed = managed;
            let mut object = super::versions::kept(object)?;
            if sent.inherits {
                object.metadata.labels = None;
            }
            let stored = self.create_with(object, None, options.dry_run, warnings)?;
            let mut response = Response::object(stored);
            response.code = 201;
            return Ok(response);
        }
        sent.object = check_name(name, sent.object)?;
        match managed {
            Some(managed) => sent.object.managed = Some(managed),
            None => {
                let subresource = request.subresource.as_deref();
                self.record_update(&mut sent, old.as_deref(), &patched, subresource, options);
            }
        }
        let object = super::versions::kept(sent.object)?;
        let stored = self.update_with(object, request.subresource.as_deref(), options.dry_run, warnings)?;
        Ok(Response::object(stored))
    }

    /// Source: pkg/registry/core/pod/storage/eviction.go `EvictionREST.Create` (v1.37).
    fn evict(
        &mut self,
        namespace: &str,
        name: &str,
        request: &Request,
        warnings: &mut Vec<String>,
    ) -> Result<Response, Status> {
        let eviction =
            super::decode::decode(&EVICTION, Cow::Borrowed(&request.body), &request.options, warnings)?;
        let text = |path: &str| eviction.pointer(path).and_then(Value::as_str).unwrap_or("");
        if !matches!(text("/metadata/namespace"), "") && text("/metadata/namespace") != namespace {
            return Err(Status::bad_request(
                "the namespace of the provided object does not match the namespace sent on the request",
            ));
        }
        if text("/metadata/name") != name {
            return Err(Status::bad_request("name in URL does not match name in Eviction object"));
        }
        let inside: Vec<&str> = eviction
            .pointer("/deleteOptions/dryRun")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        if request.options.dry_run && !matches!(inside.as_slice(), [] | ["All"]) {
            return Err(Status::unknown(format!(
                "Non-matching dry-run options in request and content: [All] and [{}]",
                inside.join(" ")
            )));
        }
        let dry_run = request.options.dry_run || inside.contains(&"All");
        let request = Request { body: eviction, ..request.clone() };
        if self.store.get(&kinds::POD, namespace, name).is_none() {
            return Err(Status::not_found(&kinds::POD, name));
        }
        self.evict_pod(namespace, name, &delete_options(&request)?, dry_run)?;
        Ok(success(&kinds::POD, ""))
    }
}

/// The object must be called as the path says.
///
/// Source: k8s.io/apiserver/pkg/endpoints/handlers/rest.go `checkName` (v1.37).
fn check_name(name: &str, object: Object) -> Result<Object, Status> {
    match object.name() {
        "" => Err(nameless(name)),
        own if own != name => Err(misnamed(own, name)),
        _ => Ok(object),
    }
}

pub(super) fn nameless(name: &str) -> Status {
    Status::bad_request(format!(
        "the name of the object ({name} based on URL) was undeterminable: name must be provided"
    ))
}

pub(super) fn misnamed(own: &str, name: &str) -> Status {
    Status::bad_request(format!("the name of the object ({own}) does not match the name on the URL ({name})"))
}

/// A tree that is called as what it is to become.
pub(super) fn named(kind: &Kind, mut tree: Value) -> Value {
    if let Some(fields) = tree.as_object_mut() {
        fields.insert("kind".to_owned(), kind.kind.into());
        fields.insert("apiVersion".to_owned(), kind.api_version().into());
    }
    tree
}

/// What was said of a body that cannot be decoded; `None` for any other refusal.
pub(super) fn undecodable(status: &Status) -> Option<&str> {
    Some(status.message.split_once(" cannot be handled as a ")?.1.split_once(": ")?.1)
}

/// The converter from trees to types takes `1.0` for a whole number, as the decoder of JSON does not.
fn whole_numbers(value: &mut Value) {
    match value {
        Value::Number(number) if number.is_f64() => {
            let whole = number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < 9e15);
            if let Some(whole) = whole {
                *value = Value::from(whole as i64);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(whole_numbers),
        Value::Object(map) => map.values_mut().for_each(whole_numbers),
        _ => {}
    }
}

/// What the client is told whose patch made no object of the kind, as `status` says of a body that is sent.
///
/// Source: k8s.io/apiserver/pkg/endpoints/handlers/patch.go (v1.37).
fn unfit(
    kind: &Kind,
    how: PatchType,
    old: Option<&Arc<Object>>,
    patch: &Value,
    patched: &Value,
    status: Status,
) -> Status {
    let Some(said) = undecodable(&status).filter(|_| status.code == 400) else { return status };
    match how {
        PatchType::StrategicMerge => {
            let before = old.map_or(Value::Null, |old| old.to_value());
            Status::invalid_patch(&podlab_api::patch::patch_left(&before, patch), said)
        }
        PatchType::Json | PatchType::Merge => {
            let before = old.map_or(Value::Null, |old| old.to_managed_value());
            let after =
                podlab_api::patch::apply(kind, how, &before, patch).unwrap_or_else(|_| patched.clone());
            let shown = podlab_api::patch::patched_json(kind, &before, patch, &after);
            Status::unreadable_patch(&shown, said)
        }
        PatchType::Apply if said.starts_with("strict decoding error: ") || kind.is_custom() => status,
        PatchType::Apply => {
            let why = podlab_api::schema::conversion_error(&kind.api_version(), kind.kind, patched);
            let text = |path: &str| patched.pointer(path).and_then(Value::as_str).unwrap_or("");
            let gvk = format!("{}/{}, Kind={}", kind.group, kind.version, kind.kind);
            Status::unknown(format!(
                "failed to convert new object ({}/{}; {gvk}) to proper version: unable to convert unstructured object to \
                 {gvk}: {}",
                text("/metadata/namespace"),
                text("/metadata/name"),
                why.as_deref().unwrap_or(said)
            ))
        }
    }
}

/// What a client sent.
pub(super) struct Sent {
    /// The object.
    pub object: Object,
    /// Of a new pod, its tree.
    pub pod: Option<DecodedPod>,
    /// The tree in which the sender's fields are, where that is more than the object.
    pub whole: Option<Value>,
    /// A job that said no labels, and has its template's by default.
    pub inherits: bool,
}

impl From<Object> for Sent {
    fn from(object: Object) -> Sent {
        Sent { object, pod: None, whole: None, inherits: false }
    }
}

impl Sent {
    /// The tree in which the sender's fields are.
    pub(super) fn tree(&self) -> Cow<'_, Value> {
        self.whole.as_ref().map_or_else(|| Cow::Owned(self.object.to_value()), Cow::Borrowed)
    }
}

/// Decodes and defaults what a client sent.
pub(super) fn decode_all(
    kind: &'static Kind,
    body: Cow<'_, Value>,
    options: &RequestOptions,
    creating: bool,
    warnings: &mut Vec<String>,
) -> Result<Sent, Status> {
    if let Some(definition) = kind.definition() {
        super::decode::check_kind(kind, &body, &kind.api_version())?;
        let value = super::definitions::decode(kind, definition, &body, options, warnings)?;
        return Ok(object_of(kind, value)?.into());
    }
    // Pods have no list that may be empty, and come in thousands.
    let empty = match *kind == kinds::POD {
        true => Vec::new(),
        false => podlab_api::schema::empty_lists(kind, &body),
    };
    let is_job = *kind == kinds::JOB;
    let inherits = is_job && super::strategy::is_unlabelled(&body);
    let mut value = super::decode::decode(kind, body, options, warnings)?;
    super::decode::apply_defaults(kind, &mut value);
    let before = super::disabled_fields::drop_disabled_fields(kind, &mut value);
    let before = before.or_else(|| (!empty.is_empty()).then(|| value.clone()));
    let whole = before.map(|mut whole| {
        for (path, list) in empty {
            if let Some(place) = whole.pointer_mut(&path).filter(|place| place.is_null()) {
                *place = list;
            }
        }
        named(kind, whole)
    });
    if *kind == kinds::POD && creating {
        // What only a pod's creation fills in, after the common defaults.
        podlab_api::defaults::match_label_keys(&mut value);
        podlab_api::defaults::pod_level_resources(&mut value);
        let object = Object::pod_from_tree(&value).map_err(|error| not_of(kind, &error))?;
        let decoded = DecodedPod::of(&object, value);
        return Ok(Sent { object, pod: decoded, whole, inherits });
    }
    Ok(Sent { object: object_of(kind, value)?, pod: None, whole, inherits })
}

pub(super) fn object_of(kind: &'static Kind, value: Value) -> Result<Object, Status> {
    let fields = match value {
        Value::Object(fields) => fields,
        _ => Default::default(),
    };
    Object::from_fields(kind, fields).map_err(|error| not_of(kind, &error))
}

fn not_of(kind: &Kind, error: &ObjectError) -> Status {
    let (name, version) = (kind.kind, kind.version);
    Status::bad_request(format!("{name} in version {version:?} cannot be handled as a {name}: {error}"))
}

/// The answer to an action that gives no object back.
pub(super) fn success(kind: &Kind, name: &str) -> Response {
    let mut body =
        json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201});
    if let (false, Some(map)) = (name.is_empty(), body.as_object_mut()) {
        map.insert("details".to_owned(), json!({"name": name, "kind": kind.plural}));
    }
    Response { code: 201, body: ResponseBody::Value(body), warnings: Vec::new() }
}
