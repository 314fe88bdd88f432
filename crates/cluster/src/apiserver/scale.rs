//! The `scale` subresource: an object's replicas as an object of their own.
//!
//! Source: pkg/registry/apps/deployment/storage/storage.go `scaleUpdatedObjectInfo` (v1.37).

use super::bodies::SCALE;
use super::handlers::{misnamed, named, nameless, undecodable};
use super::{ApiServer, field_managers};
use podlab_api::door::{PatchType, ResponseBody};
use podlab_api::managed_fields::{Managers, PathElement};
use podlab_api::selector::label_selector::label_selector_as_selector;
use podlab_api::{Kind, Object, Request, Response, Status, StatusCause};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::sync::Arc;

impl ApiServer {
    pub(super) fn scale_table(&self, mut scale: Value) -> Response {
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
        Ok(scale_response(scale_of(kind, object)))
    }

    /// Replaces a scale by what a client sent.
    pub(super) fn put_scale(
        &mut self,
        kind: &'static Kind,
        request: &Request,
        warnings: &mut Vec<String>,
    ) -> Result<Response, Status> {
        let (namespace, name) = request.place();
        let options = &request.options;
        super::decode::decode(&SCALE, Cow::Borrowed(&request.body), options, warnings)?;
        check_scale(namespace, name, &request.body)?;
        let seen = self.seen_by_scale(kind, namespace, name)?;
        let before = scale_of(kind, &seen.old);
        let managers =
            self.updated_managers(&SCALE, "scale", seen.managers.clone(), (&before, &request.body), options);
        let managed = seen.to_parent(managers);
        self.write_scale(kind, &seen.old, &request.body, Some(managed), options.dry_run)
    }

    /// Patches a scale, or applies one.
    pub(super) fn patch_scale(
        &mut self,
        kind: &'static Kind,
        how: PatchType,
        request: &Request,
        warnings: &mut Vec<String>,
    ) -> Result<Response, Status> {
        let (namespace, name) = request.place();
        let options = &request.options;
        let seen = self.seen_by_scale(kind, namespace, name)?;
        let mut scale = scale_of(kind, &seen.old);
        if how == PatchType::Apply {
            let managers = seen.managers.clone();
            let about = (namespace, name);
            let applied =
                self.apply_to(&SCALE, Some((&scale, managers)), about, &request.body, "scale", options)?;
            super::decode::tell_duplicates(options, warnings)?;
            let managed = seen.to_parent(applied.managers);
            let sent = applied.object.unwrap_or(scale);
            check_scale(namespace, name, &sent)?;
            return self.write_scale(kind, &seen.old, &sent, Some(managed), options.dry_run);
        }
        let before = scale.clone();
        seen.show(&mut scale);
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
        let managers =
            self.updated_managers(&SCALE, "scale", seen.managers.clone(), (&before, &sent), options);
        let managed = seen.to_parent(managers);
        self.write_scale(kind, &seen.old, &sent, Some(managed), options.dry_run)
    }

    /// What a scale's writer finds.
    fn seen_by_scale(&self, kind: &'static Kind, namespace: &str, name: &str) -> Result<Seen, Status> {
        let Some(old) = self.store.get(kind, namespace, name).cloned() else {
            return Err(Status::not_found(kind, name));
        };
        let path = replicas_path(kind);
        let parents = field_managers::read_back(&old);
        let managers = parents.to_scale(&kind.api_version(), &path);
        Ok(Seen { old, path, parents, managers })
    }

    /// Sets the replicas of an object as a component does, which leaves no trace of who it was.
    pub(crate) fn update_scale(
        &mut self,
        kind: &'static Kind,
        namespace: &str,
        name: &str,
        body: &Value,
    ) -> Result<Response, Status> {
        let Some(old) = self.store.get(kind, namespace, name).cloned() else {
            return Err(Status::not_found(kind, name));
        };
        self.write_scale(kind, &old, body, None, false)
    }

    fn write_scale(
        &mut self,
        kind: &'static Kind,
        old: &Arc<Object>,
        body: &Value,
        managers: Option<Managers>,
        dry_run: bool,
    ) -> Result<Response, Status> {
        if let Some(version) = body.pointer("/metadata/resourceVersion").and_then(Value::as_str)
            && Some(version) != old.metadata.resource_version.as_deref()
        {
            return Err(Status::conflict(
                kind,
                old.name(),
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
            return Err(Status::invalid(&SCALE, old.name(), vec![cause]));
        }
        let mut object = (**old).clone();
        if let Some(paths) = kind.definition().and_then(|definition| definition.scale.as_ref()) {
            if let podlab_api::Body::Tree(map) = &mut object.body {
                set_path(Arc::make_mut(map), &paths.spec, replicas.into());
            }
        } else if let podlab_api::Body::Tree(map) = &mut object.body
            && let Some(spec) = Arc::make_mut(map).get_mut("spec").and_then(Value::as_object_mut)
        {
            spec.insert("replicas".to_owned(), replicas.into());
        }
        if let Some(managers) = managers {
            object.managed = Some(field_managers::known(managers, &field_managers::read_back(old)));
        }
        let stored = self.update_with(object, None, dry_run, &mut Vec::new())?;
        Ok(scale_response(scale_of(kind, &stored)))
    }
}

/// An object and its field managers, as a scale's writer finds them.
struct Seen {
    old: Arc<Object>,
    /// Where the replicas stand in the object.
    path: Vec<PathElement>,
    /// The managers of the object.
    parents: Managers,
    /// The managers of the scale.
    managers: Managers,
}

impl Seen {
    fn to_parent(&self, scale: Managers) -> Managers {
        self.parents.with_scale(scale, &self.old.kind.api_version(), &self.path)
    }

    fn show(&self, scale: &mut Value) {
        let entries = self.managers.encode();
        if !entries.is_empty() {
            scale["metadata"]["managedFields"] = entries.into();
        }
    }
}

fn replicas_path(kind: &Kind) -> Vec<PathElement> {
    match kind.definition().and_then(|definition| definition.scale.as_ref()) {
        Some(paths) => paths.spec.iter().cloned().map(PathElement::Field).collect(),
        None => ["spec", "replicas"].map(|name| PathElement::Field(name.to_owned())).to_vec(),
    }
}

fn scale_response(scale: Value) -> Response {
    Response { code: 200, body: ResponseBody::Value(scale), warnings: Vec::new() }
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
fn scale_of(kind: &'static Kind, object: &Object) -> Value {
    if let Some(paths) = kind.definition().and_then(|definition| definition.scale.as_ref()) {
        return custom_scale(object, paths);
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
    json!({"kind": "Scale", "apiVersion": "autoscaling/v1",
    "metadata": {"name": meta.name, "namespace": meta.namespace, "uid": meta.uid,
        "resourceVersion": meta.resource_version,
        "creationTimestamp": meta.creation_timestamp},
    "spec": spec,
    "status": {"replicas": replicas("status").unwrap_or(0), "selector": text}})
}

/// The scale of an object whose definition says where its numbers are.
fn custom_scale(object: &Object, paths: &podlab_api::custom::ScalePaths) -> Value {
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
    json!({"kind": "Scale", "apiVersion": "autoscaling/v1",
        "metadata": {"name": meta.name, "namespace": meta.namespace, "uid": meta.uid,
            "resourceVersion": meta.resource_version, "creationTimestamp": meta.creation_timestamp},
        "spec": spec, "status": status})
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
