//! CustomResourceDefinitions at work: their names are accepted, their kinds served, their objects taken along when
//! they go.
//!
//! In a real cluster controllers inside the API server do this within milliseconds; here it is done as soon as a
//! change has been stored.
//!
//! Source: k8s.io/apiextensions-apiserver/pkg/controller/status/naming_controller.go, establish, finalizer (v1.37).

use super::{ApiServer, DeleteOptions};
use crate::store::Key;
use podlab_api::door::{FieldValidation, RequestOptions};
use podlab_api::schema::bad_request_message;
use podlab_api::{Kind, Object, Status, custom, kinds};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What a definition waits for before it goes.
const CLEANUP: &str = "customresourcecleanup.apiextensions.k8s.io";

impl ApiServer {
    /// The kind served under a group, version and plural name.
    pub fn kind_by_resource(&self, group: &str, version: &str, plural: &str) -> Option<&'static Kind> {
        kinds::served_by_resource(group, version, plural).or_else(|| {
            let mut defined = self.defined.iter().copied();
            defined.find(|k| k.plural == plural && k.group == group && k.version == version)
        })
    }

    /// The kind named by an object's `apiVersion` and `kind`.
    pub fn kind_by_gvk(&self, api_version: &str, kind: &str) -> Option<&'static Kind> {
        kinds::by_gvk(api_version, kind).or_else(|| {
            self.defined.iter().copied().find(|k| k.kind == kind && k.api_version() == api_version)
        })
    }

    /// The kinds that definitions make, in the order of these.
    pub fn defined_kinds(&self) -> &[&'static Kind] {
        &self.defined
    }

    /// Brings what is served, and the definitions' statuses, to what the store holds.
    pub(crate) fn sync_definitions(&mut self) {
        let all: Vec<Arc<Object>> =
            self.store.list(&kinds::CUSTOM_RESOURCE_DEFINITION).map(Arc::clone).collect();
        for definition in &all {
            if definition.is_terminating() {
                self.clean_up(definition);
            } else {
                self.establish(definition, &all);
            }
        }
        let all = self.store.list(&kinds::CUSTOM_RESOURCE_DEFINITION);
        self.defined = all.flat_map(|definition| custom::kinds_of(&definition.to_value())).collect();
    }

    /// Accepts a definition's names, unless another one has them.
    fn establish(&mut self, definition: &Object, all: &[Arc<Object>]) {
        let value = definition.to_value();
        let wanted = value.pointer("/spec/names").cloned().unwrap_or_default();
        let taken = taken(&value, all);
        let accepted_before = value.pointer("/status/acceptedNames").cloned().unwrap_or_else(|| json!({}));
        let mut accepted = wanted.clone();
        let mut conflict: Option<(&str, String)> = None;
        for (key, reason) in [
            ("plural", "PluralConflict"),
            ("singular", "SingularConflict"),
            ("shortNames", "ShortNamesConflict"),
            ("kind", "KindConflict"),
            ("listKind", "ListKindConflict"),
        ] {
            let words = words(wanted.get(key));
            let of_kind = key.to_lowercase().contains("kind");
            let used: Vec<&String> =
                words.iter().filter(|word| taken.contains(&(of_kind, (*word).clone()))).collect();
            if used.is_empty() {
                continue;
            }
            let said: Vec<String> = used.iter().map(|word| format!("{word:?} is already in use")).collect();
            let said =
                if let [one] = said.as_slice() { one.clone() } else { format!("[{}]", said.join(", ")) };
            conflict = Some((reason, said));
            if let Some(map) = accepted.as_object_mut() {
                match accepted_before.get(key) {
                    Some(before) => map.insert(key.to_owned(), before.clone()),
                    None => map.remove(key),
                };
            }
        }
        let established = custom::has_condition(&value, "Established");
        let (names, ready) = match &conflict {
            None => (
                ("True", "NoConflicts", "no conflicts found".to_owned()),
                Some(("True", "InitialNamesAccepted", "the initial names have been accepted".to_owned())),
            ),
            Some((reason, said)) => {
                let ready = ("False", "NotAccepted", "not all names are accepted".to_owned());
                (("False", *reason, said.clone()), (!established).then_some(ready))
            }
        };
        let now = json!(podlab_api::time::time(self.now().as_secs()));
        let mut status = value.get("status").cloned().unwrap_or_else(|| json!({}));
        status["acceptedNames"] = accepted;
        set_condition(&mut status, "NamesAccepted", &names, &now);
        if let Some(ready) = ready.filter(|ready| !established || ready.0 == "False") {
            set_condition(&mut status, "Established", &ready, &now);
        }
        if value.get("status") != Some(&status) {
            let _ = self.write_status(&kinds::CUSTOM_RESOURCE_DEFINITION, "", definition.name(), status);
        }
    }

    /// Takes the objects of a definition that goes away, then the definition.
    fn clean_up(&mut self, definition: &Object) {
        let cleans = definition.metadata.finalizers.iter().flatten().any(|finalizer| finalizer == CLEANUP);
        if !cleans {
            return;
        }
        let value = definition.to_value();
        let kind = custom::kinds_of(&value).first().copied();
        if let Some(kind) = kind {
            let keys: Vec<Key> = self.store.list(kind).map(|object| Key::of(object)).collect();
            for key in &keys {
                let _ = self.delete(kind, &key.namespace, &key.name, &DeleteOptions::default());
            }
            if self.store.count(kind) > 0 {
                let now = json!(podlab_api::time::time(self.now().as_secs()));
                let mut status = value.get("status").cloned().unwrap_or_else(|| json!({}));
                let said = "CustomResource deletion is in progress".to_owned();
                let condition = ("True", "InstanceDeletionInProgress", said);
                set_condition(&mut status, "Terminating", &condition, &now);
                if value.get("status") != Some(&status) {
                    let _ =
                        self.write_status(&kinds::CUSTOM_RESOURCE_DEFINITION, "", definition.name(), status);
                }
                return;
            }
        }
        let _ = self.modify(&kinds::CUSTOM_RESOURCE_DEFINITION, "", definition.name(), None, |object| {
            if let Some(finalizers) = &mut object.metadata.finalizers {
                finalizers.retain(|finalizer| finalizer != CLEANUP);
            }
        });
    }

    /// What a definition is marked with when it is deleted.
    pub(super) fn mark_definition(finalizers: &mut Vec<String>) {
        if !finalizers.iter().any(|finalizer| finalizer == CLEANUP) {
            finalizers.push(CLEANUP.to_owned());
        }
    }
}

fn words(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

/// The names that other definitions of the same group hold: resources' and kinds'.
fn taken(value: &Value, all: &[Arc<Object>]) -> BTreeSet<(bool, String)> {
    let group = value.pointer("/spec/group");
    let mut taken = BTreeSet::new();
    for other in all {
        let other = other.to_value();
        if other.pointer("/spec/group") != group
            || other.pointer("/metadata/name") == value.pointer("/metadata/name")
        {
            continue;
        }
        let names = other.pointer("/status/acceptedNames").unwrap_or(&Value::Null);
        for key in ["plural", "singular", "shortNames", "kind", "listKind"] {
            let of_kind = key.to_lowercase().contains("kind");
            taken.extend(words(names.get(key)).into_iter().map(|word| (of_kind, word)));
        }
    }
    taken
}

/// Sets a condition; its time changes with its status alone.
fn set_condition(status: &mut Value, name: &str, condition: &(&str, &str, String), now: &Value) {
    let (value, reason, message) = condition;
    let Some(status) = status.as_object_mut() else { return };
    let conditions = status.entry("conditions").or_insert_with(|| json!([]));
    if conditions.is_null() {
        *conditions = json!([]);
    }
    let Some(conditions) = conditions.as_array_mut() else { return };
    let known = conditions.iter_mut().find(|one| one.get("type").and_then(Value::as_str) == Some(name));
    let since = match &known {
        Some(known) if known.get("status").and_then(Value::as_str) == Some(*value) => {
            known.get("lastTransitionTime").cloned().unwrap_or_else(|| now.clone())
        }
        _ => now.clone(),
    };
    let next = json!({"type": name, "status": value, "reason": reason, "message": message,
        "lastTransitionTime": since});
    match known {
        Some(known) => *known = next,
        None => conditions.push(next),
    }
}

/// Decodes and defaults an object of a kind that somebody has defined.
///
/// # Errors
/// 400 for unknown fields under strict validation and for metadata of the wrong type.
pub(super) fn decode(
    kind: &'static Kind,
    definition: &custom::Definition,
    body: &Value,
    options: &RequestOptions,
    warnings: &mut Vec<String>,
) -> Result<Value, Status> {
    let api_version = kind.api_version();
    let refuse = |text: &str| Status::bad_request(bad_request_message(&api_version, kind.kind, text));
    // Metadata is of the same type everywhere.
    let metadata = body.get("metadata").cloned().unwrap_or_else(|| json!({}));
    let carrier = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata});
    let decoded = podlab_api::schema::decode("v1", "ConfigMap", &carrier)
        .map_err(|error| refuse(&error.to_string().replace("ObjectMeta.metadata.", "ObjectMeta.")))?;
    let mut value = body.clone();
    if let (Some(map), Some(metadata)) = (value.as_object_mut(), decoded.value.get("metadata")) {
        map.insert("metadata".to_owned(), metadata.clone());
    }
    let pruned = definition.prune(value);
    let unknown = pruned.unknown.iter().map(|path| format!("unknown field {path:?}"));
    let strict: Vec<String> = decoded.strict_errors.iter().cloned().chain(unknown).collect();
    let strict = super::decode::with_duplicates(strict, options);
    match options.field_validation {
        FieldValidation::Ignore => {}
        FieldValidation::Warn => warnings.extend(strict),
        FieldValidation::Strict if strict.is_empty() => {}
        FieldValidation::Strict => {
            return Err(refuse(&format!("strict decoding error: {}", strict.join(", "))));
        }
    }
    let mut value = pruned.value;
    definition.apply_defaults(&mut value);
    Ok(value)
}

/// An object as one version of its kind has it: conversion changes nothing but the version; what the version's schema does
/// not know is left out and what it has values for filled in, whatever the schema was when the object was stored.
///
/// Source: k8s.io/apiextensions-apiserver/pkg/apiserver/customresource_handler.go `schemaCoercingDecoder` (v1.37).
pub(super) fn in_version(kind: &'static Kind, object: &Arc<Object>) -> Arc<Object> {
    let Some(definition) = kind.definition().filter(|_| !std::ptr::eq(kind, object.kind)) else {
        return Arc::clone(object);
    };
    let mut value = definition.prune(object.to_value()).value;
    definition.apply_defaults(&mut value);
    let read = super::handlers::object_of(kind, value);
    let mut read = read.unwrap_or_else(|_| Object { kind, ..(**object).clone() });
    read.metadata = object.metadata.clone();
    read.managed = object.managed.clone();
    Arc::new(read)
}
