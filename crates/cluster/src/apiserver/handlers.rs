//! The door: from a [`Request`] to a [`Response`].
//!
//! Source: k8s.io/apiserver/pkg/endpoints/handlers (v1.37).

use super::accepted::SentPod;
use super::bodies::{EVICTION, SCALE};
use super::{ApiServer, DeleteOptions, field_managers};
use podlab_api::door::{Accept, FieldValidation, PatchType, RequestOptions, ResponseBody, Verb};
use podlab_api::object::ObjectError;
use podlab_api::pod_tree::DecodedPod;
use podlab_api::selector::label_selector::label_selector_as_selector;
use podlab_api::{Kind, Object, Request, Response, Status, StatusCause, kinds, versions};
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
        let namespace = request.namespace.as_deref().unwrap_or("");
        let name = request.name.as_deref().unwrap_or("");
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
                let (object, pod) =
                    self.decode(kind, namespace, Cow::Owned(created), options, true, warnings)?;
                self.create_sent(object, pod, options, warnings)
            }
            (Verb::Update, Some("scale")) => {
                super::decode::decode(&SCALE, Cow::Borrowed(&request.body), options, warnings)?;
                check_scale(namespace, name, &request.body)?;
                self.update_scale(kind, namespace, name, &request.body, Some(options))
            }
            (Verb::Update, _) => {
                let sent = Cow::Borrowed(&request.body);
                let (object, _) = self.decode(kind, namespace, sent, options, false, warnings)?;
                let mut object = check_name(name, object)?;
                let old = self.store.get(kind, object.namespace(), name).cloned();
                if old.is_none() && subresource.is_none() && super::strategy::allow_create_on_update(kind) {
                    self.may_create(kind, namespace)?;
                    return self.create_sent(object, None, options, warnings);
                }
                self.record_update(&mut object, &request.body, subresource, options);
                let stored = self.update_with(object, subresource, options.dry_run, warnings)?;
                Ok(Response::object(stored))
            }
            (Verb::Patch(how), Some("scale")) => {
                let scale = match self.get_scale(kind, namespace, name)?.body {
                    ResponseBody::Value(scale) => scale,
                    _ => Value::Null,
                };
                let lookup = if kind.is_custom() { kind } else { &SCALE };
                let patched = podlab_api::patch::apply(lookup, how, &scale, &request.body)?;
                let sent = match how {
                    PatchType::StrategicMerge => named(&SCALE, patched.clone()),
                    _ => patched.clone(),
                };
                if let Err(status) = super::decode::decode(&SCALE, Cow::Borrowed(&sent), options, warnings) {
                    return Err(unfit_scale(how, &scale, &request.body, &patched, status));
                }
                check_scale(namespace, name, &sent)?;
                self.update_scale(kind, namespace, name, &sent, Some(options))
            }
            (Verb::Patch(how), _) => self.patch(kind, how, request, warnings),
            (Verb::Delete, _) => {
                let delete = delete_options(request);
                if options.dry_run {
                    return self.get(kind, namespace, name, options);
                }
                let last = self.delete(kind, namespace, name, &delete)?;
                Ok(Response::object(last))
            }
            (Verb::DeleteCollection, _) => {
                let list = self.select(kind, namespace, options)?;
                let delete = delete_options(request);
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
        mut object: Object,
        pod: Option<DecodedPod>,
        options: &RequestOptions,
        warnings: &mut Vec<String>,
    ) -> Result<Response, Status> {
        match options.dry_run {
            true => self.record_dry_creation(&mut object, options),
            false => field_managers::created(&mut object, options),
        }
        let stored = self.create_with(object, pod, options.dry_run, warnings)?;
        let mut response = Response::object(stored);
        response.code = 201;
        Ok(response)
    }

    /// Decodes, defaults and names what a client sent; of a new pod the tree is given as well.
    fn decode(
        &mut self,
        kind: &'static Kind,
        namespace: &str,
        body: Cow<'_, Value>,
        options: &RequestOptions,
        creating: bool,
        warnings: &mut Vec<String>,
    ) -> Result<(Object, Option<DecodedPod>), Status> {
        let (mut object, pod) = match kind == &kinds::POD && creating {
            true => self.decode_pod(body, options, warnings)?,
            false => decode_all(kind, body, options, creating, warnings)?,
        };
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
        Ok((object, pod))
    }

    /// As [`decode_all`], of a pod whose like may be known already.
    fn decode_pod(
        &mut self,
        body: Cow<'_, Value>,
        options: &RequestOptions,
        warnings: &mut Vec<String>,
    ) -> Result<(Object, Option<DecodedPod>), Status> {
        let Some(pod) = SentPod::of(&kinds::POD, &body) else {
            return decode_all(&kinds::POD, body, options, true, warnings);
        };
        if let Some(known) = self.accepted.decoded(&pod) {
            return Ok((known, None));
        }
        if !self.accepted.keeps() {
            return decode_all(&kinds::POD, body, options, true, warnings);
        }
        let told = warnings.len();
        let (object, decoded) = decode_all(&kinds::POD, Cow::Borrowed(&body), options, true, warnings)?;
        // What is ignored may have to be told another time.
        if told == warnings.len() && options.field_validation != FieldValidation::Ignore {
            self.accepted.keep_decoded(&pod, &object);
        }
        Ok((object, decoded))
    }

    fn patch(
        &mut self,
        kind: &'static Kind,
        how: PatchType,
        request: &Request,
        warnings: &mut Vec<String>,
    ) -> Result<Response, Status> {
        let namespace = request.namespace.as_deref().unwrap_or("");
        let name = request.name.as_deref().unwrap_or("");
        let options = &request.options;
        let old = self.store.get(kind, namespace, name);
        let old = old.map(|old| super::definitions::in_version(kind, old));
        if kind.is_custom() && how == PatchType::StrategicMerge {
            return Err(Status::unsupported_patch());
        }
        let mut managed = None;
        let (patched, created) = match (&old, how) {
            (_, PatchType::Apply) if options.field_manager.as_deref() == Some("") => {
                return Err(field_managers::manager_required());
            }
            (None, PatchType::Apply) if request.subresource.is_some() => {
                return Err(Status::not_found(kind, name));
            }
            (old, PatchType::Apply) => {
                let subresource = request.subresource.as_deref();
                let about = (namespace, name);
                let applied = self.apply(kind, old.as_ref(), about, &request.body, subresource, options)?;
                if let Some(said) = super::decode::yaml_errors(&options.duplicate_keys) {
                    match options.field_validation {
                        FieldValidation::Ignore => {}
                        FieldValidation::Warn => warnings.extend(options.duplicate_keys.iter().cloned()),
                        FieldValidation::Strict => {
                            return Err(Status::bad_request(format!(
                                "error strict decoding patch: error converting YAML to JSON: {said}"
                            )));
                        }
                    }
                }
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
        let (mut object, _) =
            decoded.map_err(|status| unfit(kind, how, old.as_ref(), &request.body, &patched, status))?;
        if created {
            self.may_create(kind, namespace)?;
            object.metadata.name.get_or_insert_with(|| name.to_owned());
            object.managed = managed;
            let stored = self.create_with(object, None, options.dry_run, warnings)?;
            let mut response = Response::object(stored);
            response.code = 201;
            return Ok(response);
        }
        let mut object = check_name(name, object)?;
        match managed {
            Some(managed) => object.managed = Some(managed),
            None => self.record_update(&mut object, &patched, request.subresource.as_deref(), options),
        }
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
        self.evict_pod(namespace, name, &delete_options(&request), dry_run)?;
        Ok(success(&kinds::POD, ""))
    }

    fn scale_table(&self, mut scale: Value) -> Response {
        let metadata = scale.as_object_mut().and_then(|scale| scale.remove("metadata")).unwrap_or_default();
        let metadata = serde_json::from_value(metadata).unwrap_or_default();
        let fields = scale.as_object().cloned().unwrap_or_default();
        let body = podlab_api::Body::Tree(Arc::new(fields));
        let object = Object { kind: &SCALE, metadata, body, managed: None };
        self.table(&SCALE, &[Arc::new(object)], podlab_api::printers::table)
    }

    pub(crate) fn get_scale(
        &self,
        kind: &'static Kind,
        namespace: &str,
        name: &str,
    ) -> Result<Response, Status> {
        let Some(object) = self.store.get(kind, namespace, name) else {
            return Err(Status::not_found(kind, name));
        };
        scale_of(kind, object)
    }

    pub(crate) fn update_scale(
        &mut self,
        kind: &'static Kind,
        namespace: &str,
        name: &str,
        body: &Value,
        options: Option<&RequestOptions>,
    ) -> Result<Response, Status> {
        let Some(old) = self.store.get(kind, namespace, name).cloned() else {
            return Err(Status::not_found(kind, name));
        };
        if let Some(version) = body.pointer("/metadata/resourceVersion").and_then(Value::as_str)
            && Some(version) != old.metadata.resource_version.as_deref()
        {
            return Err(Status::conflict(
                kind,
                name,
                "the object has been modified; please apply your changes to the latest version and try again",
            ));
        }
        let replicas = body.pointer("/spec/replicas").and_then(Value::as_i64).unwrap_or(0);
        if replicas < 0 && !kind.is_custom() {
            // Source: pkg/apis/autoscaling/validation/validation.go `ValidateScale` (v1.37).
            let cause = StatusCause {
                reason: "FieldValueInvalid".to_owned(),
                message: format!("Invalid value: {replicas}: must be greater than or equal to 0"),
                field: "spec.replicas".to_owned(),
            };
            return Err(Status::invalid(&SCALE, name, vec![cause]));
        }
        let mut object = (*old).clone();
        if let Some(paths) = kind.definition().and_then(|definition| definition.scale.as_ref()) {
            if let podlab_api::Body::Tree(map) = &mut object.body {
                set_path(Arc::make_mut(map), &paths.spec, replicas.into());
            }
        } else if let podlab_api::Body::Tree(map) = &mut object.body
            && let Some(spec) = Arc::make_mut(map).get_mut("spec").and_then(Value::as_object_mut)
        {
            spec.insert("replicas".to_owned(), replicas.into());
        }
        if let Some(options) = options {
            self.record_scale(&mut object, &old, options);
        }
        let dry_run = options.is_some_and(|options| options.dry_run);
        let stored = self.update_with(object, None, dry_run, &mut Vec::new())?;
        scale_of(kind, &stored)
    }
}

/// As [`unfit`], of a scale.
fn unfit_scale(how: PatchType, before: &Value, patch: &Value, patched: &Value, status: Status) -> Status {
    let Some(said) = undecodable(&status) else { return status };
    if how == PatchType::StrategicMerge {
        let why = podlab_api::schema::conversion_error(&SCALE.api_version(), SCALE.kind, patched);
        let why = why.filter(|_| !said.starts_with("strict decoding error: "));
        let left = podlab_api::patch::patch_left(before, patch);
        return Status::invalid_patch(&left, &why.unwrap_or_else(|| said.to_owned()));
    }
    Status::unreadable_patch(&podlab_api::patch::patched_json(&SCALE, before, patch, patched), said)
}

/// A scale that is sent is of the object that the path names.
fn check_scale(namespace: &str, name: &str, scale: &Value) -> Result<(), Status> {
    let text = |path: &str| scale.pointer(path).and_then(Value::as_str).unwrap_or("");
    match (text("/metadata/namespace"), text("/metadata/name")) {
        (own, _) if !own.is_empty() && own != namespace => Err(Status::bad_request(
            "the namespace of the provided object does not match the namespace sent on the request",
        )),
        (_, "") => Err(nameless(name)),
        (_, own) if own != name => Err(misnamed(own, name)),
        _ => Ok(()),
    }
}

/// What `scale` says of an object.
fn scale_of(kind: &'static Kind, object: &Object) -> Result<Response, Status> {
    if let Some(paths) = kind.definition().and_then(|definition| definition.scale.as_ref()) {
        return Ok(custom_scale(object, paths));
    }
    let replicas = |part: &str| object.field(part).and_then(|s| s.get("replicas")).and_then(Value::as_i64);
    let selector = object.field("spec").and_then(|s| s.get("selector")).cloned().unwrap_or(Value::Null);
    let text = match serde_json::from_value(selector.clone())
        .ok()
        .and_then(|s| label_selector_as_selector(Some(&s)).ok())
    {
        Some(parsed)
            if selector.get("matchLabels").is_some() || selector.get("matchExpressions").is_some() =>
        {
            parsed.to_string()
        }
        _ => selector
            .as_object()
            .into_iter()
            .flatten()
            .map(|(k, v)| format!("{k}={}", v.as_str().unwrap_or("")))
            .collect::<Vec<_>>()
            .join(","),
    };
    let meta = &object.metadata;
    // No replicas are left out, as any zero.
    let spec = match replicas("spec").unwrap_or(1) {
        0 => json!({}),
        count => json!({"replicas": count}),
    };
    let scale = json!({"kind": "Scale", "apiVersion": "autoscaling/v1",
    "metadata": {"name": meta.name, "namespace": meta.namespace, "uid": meta.uid,
        "resourceVersion": meta.resource_version,
        "creationTimestamp": meta.creation_timestamp},
    "spec": spec,
    "status": {"replicas": replicas("status").unwrap_or(0), "selector": text}});
    Ok(Response { code: 200, body: ResponseBody::Value(scale), warnings: Vec::new() })
}

/// The scale of an object whose definition says where its numbers are.
fn custom_scale(object: &Object, paths: &podlab_api::custom::ScalePaths) -> Response {
    let find = |path: &[String]| {
        let (first, rest) = path.split_first()?;
        rest.iter().try_fold(object.field(first)?, |value, step| value.get(step))
    };
    let number = |path: &[String]| find(path).and_then(Value::as_i64).unwrap_or(0);
    let spec = match number(&paths.spec) {
        0 => json!({}),
        count => json!({"replicas": count}),
    };
    let mut status = json!({"replicas": number(&paths.status)});
    if let (Some(selector), Some(map)) =
        (find(&paths.selector).and_then(Value::as_str), status.as_object_mut())
    {
        map.insert("selector".to_owned(), selector.into());
    }
    let meta = &object.metadata;
    let scale = json!({"kind": "Scale", "apiVersion": "autoscaling/v1",
        "metadata": {"name": meta.name, "namespace": meta.namespace, "uid": meta.uid,
            "resourceVersion": meta.resource_version, "creationTimestamp": meta.creation_timestamp},
        "spec": spec, "status": status});
    Response { code: 200, body: ResponseBody::Value(scale), warnings: Vec::new() }
}

/// Sets what stands at the end of a path.
fn set_path(map: &mut serde_json::Map<String, Value>, path: &[String], value: Value) {
    match path {
        [] => {}
        [last] => {
            map.insert(last.clone(), value);
        }
        [first, rest @ ..] => {
            let inner = map.entry(first.clone()).or_insert_with(|| json!({}));
            if let Some(inner) = inner.as_object_mut() {
                set_path(inner, rest, value);
            }
        }
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

fn nameless(name: &str) -> Status {
    Status::bad_request(format!(
        "the name of the object ({name} based on URL) was undeterminable: name must be provided"
    ))
}

fn misnamed(own: &str, name: &str) -> Status {
    Status::bad_request(format!("the name of the object ({own}) does not match the name on the URL ({name})"))
}

/// A tree that is called as what it is to become.
fn named(kind: &Kind, mut tree: Value) -> Value {
    if let Some(fields) = tree.as_object_mut() {
        fields.insert("kind".to_owned(), kind.kind.into());
        fields.insert("apiVersion".to_owned(), kind.api_version().into());
    }
    tree
}

/// What was said of a body that cannot be decoded; `None` for any other refusal.
fn undecodable(status: &Status) -> Option<&str> {
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

/// Decodes and defaults what a client sent.
fn decode_all(
    kind: &'static Kind,
    body: Cow<'_, Value>,
    options: &RequestOptions,
    creating: bool,
    warnings: &mut Vec<String>,
) -> Result<(Object, Option<DecodedPod>), Status> {
    if let Some(definition) = kind.definition() {
        super::decode::check_kind(kind, &body, &kind.api_version())?;
        let value = super::definitions::decode(kind, definition, &body, options, warnings)?;
        return Ok((object_of(kind, value)?, None));
    }
    let mut value = super::decode::decode(kind, body, options, warnings)?;
    super::decode::apply_defaults(kind, &mut value);
    super::disabled_fields::drop_disabled_fields(kind, &mut value);
    if *kind == kinds::POD && creating {
        // What only a pod's creation fills in, after the common defaults.
        podlab_api::defaults::match_label_keys(&mut value);
        podlab_api::defaults::pod_level_resources(&mut value);
        let object = Object::pod_from_tree(&value).map_err(|error| not_of(kind, &error))?;
        let decoded = DecodedPod::of(&object, value);
        return Ok((object, decoded));
    }
    Ok((object_of(kind, value)?, None))
}

fn object_of(kind: &'static Kind, value: Value) -> Result<Object, Status> {
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

/// Delete options come as query parameters or as a body.
fn delete_options(request: &Request) -> DeleteOptions {
    use podlab_api::door::Propagation;
    let options = &request.options;
    // An Eviction carries its delete options inside.
    let body = request.body.get("deleteOptions").unwrap_or(&request.body);
    let propagation = match body.get("propagationPolicy").and_then(Value::as_str) {
        Some("Orphan") => Some(Propagation::Orphan),
        Some("Background") => Some(Propagation::Background),
        Some("Foreground") => Some(Propagation::Foreground),
        _ => None,
    };
    let text = |path: &str| body.pointer(path).and_then(Value::as_str).map(str::to_owned);
    DeleteOptions {
        grace_period_seconds: options
            .grace_period_seconds
            .or_else(|| body.get("gracePeriodSeconds").and_then(Value::as_i64)),
        propagation: options.propagation.or(propagation),
        uid: options.precondition_uid.clone().or_else(|| text("/preconditions/uid")),
        resource_version: options
            .precondition_resource_version
            .clone()
            .or_else(|| text("/preconditions/resourceVersion")),
    }
}
