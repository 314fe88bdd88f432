//! The schemas of types.
//!
//! Source: k8s.io/kube-openapi/pkg/generators/openapi.go, enum.go (v1.37).

use super::paths::Form;
use crate::discovery::Served;
use podlab_api::descriptions::{self, Descriptions};
use podlab_api::schema::{Definition, Field, GoType, Schema, Special, TypeId};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// How deep schemas of definitions are looked into.
const DEEPEST: usize = 128;
const PRESERVE: &str = "x-kubernetes-preserve-unknown-fields";
const META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1";

/// What a package is called in OpenAPI.
fn package(name: &str) -> String {
    match name.split_once('/') {
        Some(("meta", version)) => format!("io.k8s.apimachinery.pkg.apis.meta.{version}"),
        Some(("apiextensions", version)) => {
            format!("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.{version}")
        }
        Some(("apiregistration", version)) => {
            format!("io.k8s.kube-aggregator.pkg.apis.apiregistration.{version}")
        }
        Some((group, version)) => format!("io.k8s.api.{group}.{version}"),
        None => match name {
            "resource" => "io.k8s.apimachinery.pkg.api.resource".to_owned(),
            "intstr" => "io.k8s.apimachinery.pkg.util.intstr".to_owned(),
            _ => format!("io.k8s.apimachinery.pkg.{name}"),
        },
    }
}

/// What a kind's schema is called; `None` where there is none.
pub(super) fn model_name(group: &str, version: &str, kind: &str) -> Option<String> {
    let api_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    let schema = Schema::get();
    match schema.kind(&api_version, kind) {
        Some(id) => Some(name_of(id)),
        None => {
            let id = schema.kind(&api_version, kind.strip_suffix("List")?)?;
            Some(format!("{}List", name_of(id)))
        }
    }
}

/// What the schema of a kind that somebody has defined is called.
pub(super) fn custom_model(group: &str, version: &str, kind: &str) -> String {
    let group: Vec<&str> = group.rsplit('.').collect();
    format!("{}.{version}.{kind}", group.join("."))
}

fn name_of(id: TypeId) -> String {
    let (home, name) = Schema::get().qualified_name(id);
    format!("{}.{name}", package(home))
}

fn name_of_special(special: Special) -> String {
    let full = special.full_name();
    let (home, name) = full.rsplit_once('.').unwrap_or(("", full));
    format!("{}.{name}", package(home))
}

/// A reference to a schema.
pub(super) fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// All schemas that the kinds of a group and version lead to, by name.
pub(super) fn of_version(served: &[Served], group: &str, version: &str, form: Form) -> Map<String, Value> {
    let mut writer = Writer { done: BTreeMap::new(), form };
    let api_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    let schema = Schema::get();
    let kinds = served.iter().filter(|one| one.group == group && one.version == version);
    for one in kinds {
        let subresources = one.subresources.iter().map(|sub| (sub.group_version, sub.kind.as_str()));
        for (own, kind) in [(None, one.kind.as_str())].into_iter().chain(subresources) {
            let own: Option<(&str, &str)> = own;
            let own = own.map_or(api_version.clone(), |(group, version)| format!("{group}/{version}"));
            if let Some(id) = schema.kind(&own, kind) {
                writer.type_of(id);
            }
        }
        if let Some(id) = schema.kind(&api_version, &one.kind).filter(|_| one.stored) {
            writer.list(name_of(id), group, version, &one.kind);
        }
        if let Some(definition) = one.definition {
            writer.custom(one, definition);
        }
    }
    for name in ["DeleteOptions", "Status"] {
        if let Some(id) = schema.type_named(&format!("meta/v1.{name}")) {
            writer.type_of(id);
        }
    }
    writer.done.into_iter().collect()
}

/// Gives resources within a resource the fields that every object has.
fn embed(schema: &mut Value, metadata: &Value, form: Form, depth: usize) {
    const MORE: &str =
        "More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md";
    if depth > DEEPEST {
        return;
    }
    let inner = schema.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten();
    inner.for_each(|(_, property)| embed(property, metadata, form, depth + 1));
    for key in ["items", "additionalProperties"] {
        if let Some(inner) = schema.get_mut(key) {
            embed(inner, metadata, form, depth + 1);
        }
    }
    if form == Form::V2 && schema.get(PRESERVE) == Some(&Value::Bool(true)) {
        return;
    }
    if schema.get("x-kubernetes-embedded-resource") != Some(&Value::Bool(true)) {
        return;
    }
    let Some(schema) = schema.as_object_mut() else { return };
    let properties = schema.entry("properties").or_insert_with(|| json!({}));
    let version = format!(
        "apiVersion defines the versioned schema of this representation of an object. {MORE}#resources"
    );
    let kind = format!(
        "kind is a string value representing the type of this object. In CamelCase. {MORE}#types-kinds"
    );
    properties["apiVersion"] = json!({"type": "string", "description": version});
    properties["kind"] = json!({"type": "string", "description": kind});
    properties["metadata"] = metadata.clone();
    let required = schema.entry("required").or_insert_with(|| json!([]));
    for key in ["kind", "apiVersion"] {
        if let Some(required) = required.as_array_mut().filter(|all| all.iter().all(|one| one != key)) {
            required.push(key.into());
        }
    }
}

/// What the older form cannot say is left out, and what would then mislead kubectl.
///
/// Source: k8s.io/apiextensions-apiserver/pkg/controller/openapi/v2/conversion.go `ToStructuralOpenAPIV2` (v1.37).
fn to_v2(schema: &mut Value, depth: usize) {
    let Some(map) = schema.as_object_mut().filter(|_| depth <= DEEPEST) else { return };
    for key in ["allOf", "anyOf", "not", "oneOf"] {
        map.remove(key);
    }
    if map.remove("nullable") == Some(Value::Bool(true)) {
        for key in ["type", "items", "properties"] {
            map.remove(key);
        }
    }
    let preserves = map.get(PRESERVE) == Some(&Value::Bool(true));
    if preserves {
        map.remove("items");
        map.remove("properties");
    }
    let is = |map: &Map<String, Value>, name: &str| map.get("type").is_some_and(|own| own == name);
    if is(map, "array") && !map.contains_key("items") || preserves && is(map, "object") {
        map.remove("type");
    }
    let nullable = |schema: &Value| schema.get("nullable") == Some(&Value::Bool(true));
    let inner = map.get("properties").and_then(Value::as_object).into_iter().flatten();
    let without: Vec<String> =
        inner.filter(|(_, schema)| nullable(schema)).map(|(name, _)| name.clone()).collect();
    let none_left = match map.get_mut("required").and_then(Value::as_array_mut) {
        Some(required) => {
            required.retain(|name| !without.iter().any(|one| name == one));
            required.is_empty()
        }
        None => false,
    };
    if none_left || map.get("additionalProperties").is_some_and(nullable) {
        map.remove("required");
    }
    let inner = map.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten();
    inner.for_each(|(_, property)| to_v2(property, depth + 1));
    for key in ["items", "additionalProperties"] {
        if let Some(inner) = map.get_mut(key) {
            to_v2(inner, depth + 1);
        }
    }
}

struct Writer {
    done: BTreeMap<String, Value>,
    form: Form,
}

impl Writer {
    fn describe(&mut self, schema: &mut Value, text: Option<String>) {
        if let (Some(text), Some(map)) = (text.filter(|text| !text.is_empty()), schema.as_object_mut()) {
            map.insert("description".to_owned(), text.into());
        }
    }

    /// The schema of a list of a kind.
    fn list(&mut self, name: String, group: &str, version: &str, kind: &str) {
        self.special(Special::Time);
        if let Some(meta) = Schema::get().type_named("meta/v1.ListMeta") {
            self.type_of(meta);
        }
        let text = |key: &str| descriptions::get().and_then(|all| all.field(&format!("core/v1.Pod.{key}")));
        let plain = |key: &str| json!({"type": "string", "description": text(key).unwrap_or_default()});
        let schema = json!({"type": "object", "required": ["items"],
            "description": format!("{kind}List is a list of {kind}."),
            "properties": {
                "apiVersion": plain("apiVersion"), "kind": plain("kind"),
                "items": {"type": "array", "description": format!("Items is the list of {kind}."),
                    "items": reference(&name)},
                "metadata": {"allOf": [reference(&format!("{META}.ListMeta"))], "default": {},
                    "description": "Standard list metadata."}},
            "x-kubernetes-group-version-kind":
                [{"group": group, "version": version, "kind": format!("{kind}List")}]});
        self.done.insert(format!("{name}List"), schema);
    }

    /// The schema of a kind that somebody has defined, with the fields that every object has.
    ///
    /// Source: k8s.io/apiextensions-apiserver/pkg/controller/openapi/builder/builder.go (v1.37).
    fn custom(&mut self, one: &Served, definition: &podlab_api::custom::Definition) {
        let name = custom_model(&one.group, &one.version, &one.kind);
        if let Some(meta) = Schema::get().type_named("meta/v1.ObjectMeta") {
            self.type_of(meta);
        }
        let text = |key: &str| descriptions::get().and_then(|all| all.field(&format!("core/v1.Pod.{key}")));
        let mut schema = definition.schema().clone();
        let about = text("metadata").unwrap_or_default();
        let meta = reference(&format!("{META}.ObjectMeta"));
        let metadata = match self.form {
            Form::V2 => json!({"$ref": meta["$ref"], "description": about}),
            Form::V3 => json!({"allOf": [meta], "description": about}),
        };
        if self.form == Form::V2 && schema.get(PRESERVE) == Some(&Value::Bool(true)) {
            // kubectl would take what is not described for unknown.
            schema = json!({"type": "object"});
        } else {
            if self.form == Form::V2 {
                to_v2(&mut schema, 0);
            }
            embed(&mut schema, &metadata, self.form, 0);
            if let Some(schema) = schema.as_object_mut() {
                let properties = schema.entry("properties").or_insert_with(|| json!({}));
                for key in ["apiVersion", "kind"] {
                    properties[key] = json!({"type": "string", "description": text(key).unwrap_or_default()});
                }
                properties["metadata"] = metadata;
            }
        }
        if let Some(schema) = schema.as_object_mut() {
            schema.insert(
                "x-kubernetes-group-version-kind".to_owned(),
                json!([{"group": one.group, "version": one.version, "kind": one.kind}]),
            );
        }
        self.done.insert(name.clone(), schema);
        self.list(name, &one.group, &one.version, &one.kind);
    }

    /// Writes a struct and all it leads to.
    fn type_of(&mut self, id: TypeId) {
        let name = name_of(id);
        if self.done.contains_key(&name) {
            return;
        }
        // Types lead back to themselves.
        self.done.insert(name.clone(), Value::Null);
        let schema = Schema::get();
        let full = schema.full_name(id);
        let texts = descriptions::get();
        let mut out = json!({"type": "object"});
        self.describe(&mut out, texts.and_then(|all| all.of_type(&full)));
        let fields = schema.fields(id);
        if !fields.is_empty() {
            let properties: Map<String, Value> = fields
                .iter()
                .map(|field| (field.name.to_owned(), self.property(&full, field, texts)))
                .collect();
            out["properties"] = Value::Object(properties);
            let required: Vec<&str> =
                fields.iter().filter(|field| field.required).map(|field| field.name).collect();
            if !required.is_empty() {
                out["required"] = json!(required);
            }
        }
        let own = schema.kinds().find(|(_, _, kind)| *kind == id);
        if let Some((api_version, kind, _)) = own {
            let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
            out["x-kubernetes-group-version-kind"] =
                json!([{"group": group, "version": version, "kind": kind}]);
        }
        self.done.insert(name, out);
    }

    fn special(&mut self, special: Special) -> Value {
        let name = name_of_special(special);
        if !self.done.contains_key(&name) {
            let mut out = match special {
                Special::Quantity => json!({"oneOf": [{"type": "string"}, {"type": "number"}]}),
                Special::IntOrString => {
                    json!({"format": "int-or-string", "oneOf": [{"type": "integer"}, {"type": "string"}]})
                }
                Special::Time | Special::MicroTime => json!({"type": "string", "format": "date-time"}),
                Special::Duration => json!({"type": "string"}),
                Special::RawExtension | Special::FieldsV1 => json!({"type": "object"}),
                _ => json!({}),
            };
            let text = descriptions::get().and_then(|all| all.of_type(special.full_name()));
            self.describe(&mut out, text);
            self.done.insert(name.clone(), out);
        }
        reference(&name)
    }

    /// The schema of a value of a type, and whether it is a reference.
    fn value(&mut self, ty: &GoType) -> (Value, bool) {
        let schema = Schema::get();
        match schema.resolve(ty) {
            GoType::Bool => (json!({"type": "boolean"}), false),
            GoType::Int(_, bits, _) => {
                let format = if *bits > 32 { "int64" } else { "int32" };
                (json!({"type": "integer", "format": format}), false)
            }
            GoType::Float => (json!({"type": "number", "format": "double"}), false),
            GoType::Str => (json!({"type": "string"}), false),
            GoType::Bytes => (json!({"type": "string", "format": "byte"}), false),
            GoType::Special(special) => (self.special(*special), true),
            GoType::Named(id) => {
                if let Definition::Struct(_) = schema.definition(*id) {
                    self.type_of(*id);
                }
                (reference(&name_of(*id)), true)
            }
            GoType::Pointer(inner) => self.value(inner),
            GoType::Slice(inner) => (json!({"type": "array", "items": self.value(inner).0}), false),
            GoType::Map(_, inner) => {
                (json!({"type": "object", "additionalProperties": self.value(inner).0}), false)
            }
        }
    }

    fn property(&mut self, owner: &str, field: &Field, texts: Option<&Descriptions>) -> Value {
        let (mut out, is_reference) = self.value(&field.ty);
        let pointer = matches!(field.ty, GoType::Pointer(_));
        let documented = field.default.and_then(|text| serde_json::from_str::<Value>(text).ok());
        let mut text = texts.and_then(|all| all.of_member(owner, field.name)).unwrap_or_default();
        let values = match &field.ty {
            GoType::Slice(_) => &[],
            ty => Schema::get().enum_values(ty),
        };
        if !values.is_empty() {
            out["enum"] = json!(values);
            possible(&mut text, &field.ty, values, texts);
        }
        if is_reference {
            let is_struct = matches!(Schema::get().resolve(&field.ty), GoType::Named(_));
            let default = documented.or_else(|| is_struct.then(|| json!({})));
            if default.is_some() || !text.is_empty() {
                out = json!({"allOf": [out]});
            }
            if let Some(default) = default {
                out["default"] = default;
            }
        } else if let Some(default) = documented {
            out["default"] = default;
        } else if !pointer && !field.omit_empty {
            out = with_zero(out);
        }
        self.describe(&mut out, Some(text));
        extensions(&mut out, field);
        out
    }
}

/// Plain types have their zero value as default.
fn with_zero(mut schema: Value) -> Value {
    let zero = match schema.get("type").and_then(Value::as_str) {
        Some("boolean") => json!(false),
        Some("integer" | "number") => json!(0),
        Some("string") if schema.get("format").is_none() => json!(""),
        _ => return schema,
    };
    schema["default"] = zero;
    schema
}

/// Adds what the values of an enumeration mean.
fn possible(text: &mut String, ty: &GoType, values: &[&str], texts: Option<&Descriptions>) {
    let id = enumeration(ty);
    let name = id.map(|id| Schema::get().full_name(id)).unwrap_or_default();
    text.push_str("\n\nPossible enum values:");
    for value in values {
        text.push_str(&format!("\n - `{}`", Value::from(*value)));
        let about = texts.and_then(|all| all.of_member(&name, value)).filter(|about| !about.is_empty());
        if let Some(about) = about {
            text.push(' ');
            text.push_str(&about);
        }
    }
}

fn enumeration(ty: &GoType) -> Option<TypeId> {
    match ty {
        GoType::Named(id) => Some(*id),
        GoType::Pointer(inner) => enumeration(inner),
        _ => None,
    }
}

/// How patches and server-side apply merge the field.
fn extensions(out: &mut Value, field: &Field) {
    if let Some(list_type) = field.list_type {
        out["x-kubernetes-list-type"] = list_type.into();
    }
    if !field.list_map_keys.is_empty() {
        out["x-kubernetes-list-map-keys"] = json!(field.list_map_keys);
    }
    if let Some(key) = field.patch_merge_key {
        out["x-kubernetes-patch-merge-key"] = key.into();
    }
    if let Some(strategy) = field.patch_strategy {
        out["x-kubernetes-patch-strategy"] = strategy.into();
    }
    if field.atomic {
        out["x-kubernetes-map-type"] = "atomic".into();
    }
}
