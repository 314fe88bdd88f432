//! A definition's schemas: that they are structural, that their defaults fit, and what else is asked of them.
//!
//! Source: k8s.io/apiextensions-apiserver/pkg/apiserver/schema/validation.go, complete.go, defaulting/validation.go,
//! pkg/apis/apiextensions/validation/validation.go ValidateCustomResourceDefinitionOpenAPISchema (v1.37).

use super::super::Errors;
use super::super::field::{BadValue, FieldError, Path};
use super::super::internal_json;
use crate::custom;
use crate::schema::tree::{at, flag, list, map, text};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// The deepest schema that is looked at.
const DEEPEST: usize = 128;

/// Checks the schema of a version.
pub(super) fn validate(errors: &mut Errors, schema: &Value, has_status: bool, path: &Path) {
    if !schema.is_object() {
        return;
    }
    let before = errors.len();
    if has_status {
        root_beside_status(errors, schema, path);
    }
    if flag(schema, "nullable") {
        errors.push(FieldError::forbidden(&path.child("nullable"), "nullable cannot be true at the root"));
    }
    let unsupported = unsupported(schema, 0);
    if unsupported.is_none() {
        let mut found = Errors::new();
        invariants(&mut found, schema, Level::Root, path, 0);
        complete_values(&mut found, schema, schema, path, path, 0);
        found.sort_by_cached_key(FieldError::to_string);
        if found.is_empty() {
            defaults(&mut found, schema, true, false, path, 0);
        }
        errors.extend(found);
    }
    let standard = Standard { root: true, inside_meta: false, no_defaults: None };
    open_api(errors, schema, &standard, path, 0);
    if errors.len() == before
        && let Some(why) = unsupported
    {
        errors.push(FieldError::invalid(path, "", why));
    }
}

/// The fields of a schema as the internal type has them, and their names there.
const FIELDS: [(&str, &str); 43] = [
    ("id", "ID"),
    ("$schema", "Schema"),
    ("$ref", "Ref"),
    ("description", "Description"),
    ("type", "Type"),
    ("nullable", "Nullable"),
    ("format", "Format"),
    ("title", "Title"),
    ("default", "Default"),
    ("maximum", "Maximum"),
    ("exclusiveMaximum", "ExclusiveMaximum"),
    ("minimum", "Minimum"),
    ("exclusiveMinimum", "ExclusiveMinimum"),
    ("maxLength", "MaxLength"),
    ("minLength", "MinLength"),
    ("pattern", "Pattern"),
    ("maxItems", "MaxItems"),
    ("minItems", "MinItems"),
    ("uniqueItems", "UniqueItems"),
    ("multipleOf", "MultipleOf"),
    ("enum", "Enum"),
    ("maxProperties", "MaxProperties"),
    ("minProperties", "MinProperties"),
    ("required", "Required"),
    ("items", "Items"),
    ("allOf", "AllOf"),
    ("oneOf", "OneOf"),
    ("anyOf", "AnyOf"),
    ("not", "Not"),
    ("properties", "Properties"),
    ("additionalProperties", "AdditionalProperties"),
    ("patternProperties", "PatternProperties"),
    ("dependencies", "Dependencies"),
    ("additionalItems", "AdditionalItems"),
    ("definitions", "Definitions"),
    ("externalDocs", "ExternalDocs"),
    ("example", "Example"),
    ("x-kubernetes-preserve-unknown-fields", "XPreserveUnknownFields"),
    ("x-kubernetes-embedded-resource", "XEmbeddedResource"),
    ("x-kubernetes-int-or-string", "XIntOrString"),
    ("x-kubernetes-list-map-keys", "XListMapKeys"),
    ("x-kubernetes-list-type", "XListType"),
    ("x-kubernetes-map-type", "XMapType"),
];

/// What may stand at the root of a schema whose `status` is taken out for the subresource.
const AT_ROOT: &str = "Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength \
     MinLength Pattern MaxItems MinItems UniqueItems MultipleOf Required Items Properties ExternalDocs Example \
     XPreserveUnknownFields XValidations";

fn root_beside_status(errors: &mut Errors, schema: &Value, path: &Path) {
    let is_set = |field: &str| match schema.get(field) {
        None | Some(Value::Null) => false,
        // These may be set to what is nothing elsewhere.
        Some(_) if matches!(field, LIST_TYPE | MAP_TYPE | "additionalProperties") => true,
        Some(Value::Bool(false)) => false,
        Some(Value::String(text)) => !text.is_empty(),
        Some(_) => true,
    };
    for (field, name) in FIELDS.iter().filter(|(field, _)| is_set(field)) {
        if *field == "type" {
            let kind = text(schema, "type");
            if kind != "object" {
                let detail = "only \"object\" is allowed as the type at the root of the schema if the status subresource is enabled";
                errors.push(FieldError::invalid(&path.child("type"), kind, detail));
                return;
            }
        } else if !AT_ROOT.split(' ').any(|one| one == *name) {
            let detail = format!(
                "only [{AT_ROOT}] fields are allowed at the root of the schema if the status subresource is enabled"
            );
            let shown = BadValue::Json(internal_json("apiextensions.JSONSchemaProps", schema));
            errors.push(FieldError::invalid(path, shown, detail));
            return;
        }
    }
}

/// The lists of schemas that restrict values.
const JUNCTORS: [&str; 3] = ["allOf", "anyOf", "oneOf"];

fn object<'a>(schema: &'a Value, field: &str) -> Option<&'a Value> {
    schema.get(field).filter(|value| value.is_object())
}

/// Why a schema can't be made a structural one.
fn unsupported(schema: &Value, depth: usize) -> Option<String> {
    if depth > DEEPEST {
        return None;
    }
    let filled = |field: &str| match schema.get(field) {
        None | Some(Value::Null) => false,
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Object(map)) => field == "additionalItems" || !map.is_empty(),
        Some(_) => true,
    };
    let own = [
        ("id", "id"),
        ("$schema", "schema"),
        ("$ref", "$ref"),
        ("patternProperties", "patternProperties"),
        ("dependencies", "dependencies"),
        ("additionalItems", "additionalItems"),
        ("definitions", "definitions"),
    ];
    if let Some((_, name)) = own.iter().find(|(field, _)| filled(field)) {
        return Some(format!("OpenAPIV3Schema '{name}' is not supported"));
    }
    let below = |schema: &Value| unsupported(schema, depth + 1);
    if let Some(why) = object(schema, "not").and_then(below) {
        return Some(why);
    }
    if let Some(why) = JUNCTORS.iter().flat_map(|field| list(schema, field)).find_map(below) {
        return Some(why);
    }
    if schema.get("x-kubernetes-preserve-unknown-fields") == Some(&Value::Bool(false)) {
        return Some(
            "internal error: 'x-kubernetes-preserve-unknown-fields' must be true or undefined".to_owned(),
        );
    }
    if schema.get("items").is_some_and(Value::is_array) {
        return Some("OpenAPIV3Schema 'items' must be a schema, but is an array".to_owned());
    }
    let inner = ["items", "additionalProperties"].iter().filter_map(|field| object(schema, field));
    inner.chain(map(schema, "properties").values()).find_map(below)
}

/// Where in a schema one stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Root,
    Field,
    Items,
}

const PRESERVE: &str = "x-kubernetes-preserve-unknown-fields";
const EMBEDDED: &str = "x-kubernetes-embedded-resource";
const INT_OR_STRING: &str = "x-kubernetes-int-or-string";
const LIST_TYPE: &str = "x-kubernetes-list-type";
const LIST_MAP_KEYS: &str = "x-kubernetes-list-map-keys";
const MAP_TYPE: &str = "x-kubernetes-map-type";
const VALIDATIONS: &str = "x-kubernetes-validations";

fn invariants(errors: &mut Errors, schema: &Value, level: Level, path: &Path, depth: usize) {
    if depth > DEEPEST {
        return;
    }
    let kind = text(schema, "type");
    let embedded = flag(schema, EMBEDDED);
    match object(schema, "items") {
        Some(items) => invariants(errors, items, Level::Items, &path.child("items"), depth + 1),
        None if kind == "array" => {
            errors.push(FieldError::required(&path.child("items"), "must be specified"));
        }
        None => {}
    }
    let properties = map(schema, "properties");
    for (name, property) in properties {
        invariants(errors, property, Level::Field, &path.child("properties").key(name), depth + 1);
    }
    let additional = path.child("additionalProperties");
    if schema.get("additionalProperties").is_some_and(|values| !values.is_null()) {
        if level == Level::Root {
            errors.push(FieldError::forbidden(&additional, "must not be used at the root"));
        }
        if let Some(values) = object(schema, "additionalProperties") {
            invariants(errors, values, Level::Field, &additional, depth + 1);
        }
        if embedded {
            let detail = "must not be used if x-kubernetes-embedded-resource is set";
            errors.push(FieldError::forbidden(&additional, detail));
        }
    }
    if flag(schema, INT_OR_STRING) {
        for field in [PRESERVE, EMBEDDED] {
            if flag(schema, field) {
                let detail = "must be false if x-kubernetes-int-or-string is true";
                errors.push(FieldError::invalid(&path.child(field), true, detail));
            }
        }
    }
    value_validation(errors, schema, path, depth);
    let type_path = path.child("type");
    if embedded && kind != "object" {
        let detail = "must be object if x-kubernetes-embedded-resource is true";
        errors.push(match kind {
            "" => FieldError::required(&type_path, detail),
            _ => FieldError::invalid(&type_path, kind, detail),
        });
    } else if kind.is_empty() && !flag(schema, INT_OR_STRING) && !flag(schema, PRESERVE) {
        let detail = match level {
            Level::Root => "must not be empty at the root",
            Level::Items => "must not be empty for specified array items",
            Level::Field => "must not be empty for specified object fields",
        };
        errors.push(FieldError::required(&type_path, detail));
    }
    if level == Level::Root && !kind.is_empty() && kind != "object" {
        errors.push(FieldError::invalid(&type_path, kind, "must be object at the root"));
    }
    metadata(errors, properties, level, embedded, path);
    if embedded && !flag(schema, PRESERVE) && properties.is_empty() {
        let detail = "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields";
        errors.push(FieldError::required(&path.child("properties"), detail));
    }
}

/// What every object has may be restricted little.
fn metadata(errors: &mut Errors, properties: &Map<String, Value>, level: Level, embedded: bool, path: &Path) {
    let checked = level == Level::Root || embedded;
    for (field, wanted) in [("kind", "string"), ("apiVersion", "string"), ("metadata", "object")] {
        let Some(property) = properties.get(field).filter(|_| checked) else { continue };
        let kind = text(property, "type");
        if kind != wanted {
            let path = path.child("properties");
            let path = path.key(field);
            errors.push(FieldError::invalid(&path.child("type"), kind, format!("must be {wanted}")));
        }
    }
    let Some(Value::Object(own)) = properties.get("metadata").filter(|_| level == Level::Root) else {
        return;
    };
    let only_names = |properties: &Value| {
        let known = |name: &String| name == "name" || name == "generateName";
        properties.as_object().is_some_and(|properties| properties.keys().all(known))
    };
    let plain = own.iter().all(|(key, value)| match key.as_str() {
        "type" | "default" => true,
        "properties" => only_names(value),
        _ => value.is_null() || *value == Value::Bool(false) || value.as_str() == Some(""),
    });
    if !plain {
        let path = path.child("properties");
        let detail = "must not specify anything other than name and generateName, but metadata is implicitly specified";
        errors.push(FieldError::forbidden(&path.key("metadata"), detail));
    }
}

/// Whether this is the list of two types that goes with an int or string.
fn is_int_or_string(schema: &Value) -> bool {
    schema.get("anyOf").is_some_and(|any| *any == json!([{"type": "integer"}, {"type": "string"}]))
}

fn value_validation(errors: &mut Errors, schema: &Value, path: &Path, depth: usize) {
    let all = list(schema, "allOf");
    for field in ["anyOf", "allOf", "oneOf"] {
        if field == "anyOf" && is_int_or_string(schema) {
            continue;
        }
        let path = path.child(field);
        for (i, one) in list(schema, field).iter().enumerate() {
            let skips = field == "allOf" && i == 0 && all.first().is_some_and(is_int_or_string);
            nested(errors, one, skips, &path.index(i), depth + 1);
        }
    }
    if let Some(not) = object(schema, "not") {
        nested(errors, not, false, &path.child("not"), depth + 1);
    }
    let pattern = text(schema, "pattern");
    if let Some(why) = custom::pattern_error(pattern) {
        let detail = format!("must be a valid regular expression, but isn't: {why}");
        errors.push(FieldError::invalid(&path.child("pattern"), pattern, detail));
    }
}

/// A schema that restricts values says nothing of their structure.
fn nested(errors: &mut Errors, schema: &Value, skips_any: bool, path: &Path, depth: usize) {
    if depth > DEEPEST {
        return;
    }
    if skips_any {
        let mut rest = schema.clone();
        if let Some(rest) = rest.as_object_mut() {
            rest.remove("anyOf");
        }
        value_validation(errors, &rest, path, depth);
    } else {
        value_validation(errors, schema, path, depth);
    }
    if let Some(items) = object(schema, "items") {
        nested(errors, items, false, &path.child("items"), depth + 1);
    }
    for (name, property) in map(schema, "properties") {
        nested(errors, property, false, &path.child("properties").key(name), depth + 1);
    }
    let mut forbid = |field: &str, detail: &str| {
        errors.push(FieldError::forbidden(&path.child(field), format!("must be {detail} to be structural")));
    };
    let filled = |field: &str| !text(schema, field).is_empty();
    let present = |field: &str| schema.get(field).is_some_and(|value| !value.is_null());
    if filled("type") {
        forbid("type", "empty");
    }
    if present("additionalProperties") && schema["additionalProperties"] != Value::Bool(false) {
        forbid("additionalProperties", "undefined");
    }
    if present("default") {
        forbid("default", "undefined");
    }
    for field in ["title", "description"] {
        if filled(field) {
            forbid(field, "empty");
        }
    }
    for field in ["nullable", PRESERVE, EMBEDDED, INT_OR_STRING] {
        if flag(schema, field) {
            forbid(field, "false");
        }
    }
    if !list(schema, LIST_MAP_KEYS).is_empty() {
        forbid(LIST_MAP_KEYS, "empty");
    }
    for field in [LIST_TYPE, MAP_TYPE] {
        if present(field) {
            forbid(field, "undefined");
        }
    }
    if !list(schema, VALIDATIONS).is_empty() {
        forbid(VALIDATIONS, "empty");
    }
    if map(schema, "properties").contains_key("metadata") {
        let path = path.child("properties");
        let detail = "must not be specified in a nested context";
        errors.push(FieldError::forbidden(&path.key("metadata"), detail));
    }
}

/// What the root's junctors speak of must be there in the structure.
fn complete_values(
    errors: &mut Errors,
    values: &Value,
    schema: &Value,
    schema_path: &Path,
    path: &Path,
    depth: usize,
) {
    if let Some(not) = object(values, "not") {
        complete(errors, not, Some(schema), schema_path, &path.child("not"), depth + 1);
    }
    for field in JUNCTORS {
        let path = path.child(field);
        for (i, one) in list(values, field).iter().enumerate() {
            complete(errors, one, Some(schema), schema_path, &path.index(i), depth + 1);
        }
    }
}

fn complete(
    errors: &mut Errors,
    values: &Value,
    schema: Option<&Value>,
    schema_path: &Path,
    path: &Path,
    depth: usize,
) {
    if depth > DEEPEST {
        return;
    }
    let Some(schema) = schema else {
        errors.push(FieldError::required(schema_path, format!("because it is defined in {path}")));
        return;
    };
    complete_values(errors, values, schema, schema_path, path, depth);
    if let Some(items) = object(values, "items") {
        let of_schema = object(schema, "items");
        let (schema_path, path) = (schema_path.child("items"), path.child("items"));
        complete(errors, items, of_schema, &schema_path, &path, depth + 1);
    }
    let (schema_path, path) = (schema_path.child("properties"), path.child("properties"));
    for (name, property) in map(values, "properties") {
        let of_schema = map(schema, "properties").get(name);
        complete(errors, property, of_schema, &schema_path.key(name), &path.key(name), depth + 1);
    }
}

/// Defaults must fit their own schema.
fn defaults(errors: &mut Errors, schema: &Value, root: bool, inside_meta: bool, path: &Path, depth: usize) {
    if depth > DEEPEST {
        return;
    }
    let embedded = root || flag(schema, EMBEDDED);
    let inside_meta = inside_meta && !embedded;
    let default = at(schema, "default");
    if !default.is_null() && !inside_meta {
        let path = path.child("default");
        if custom::pruned(default.clone(), schema, embedded) != *default {
            errors.push(FieldError::invalid(&path, default.clone(), "must not have unknown fields"));
        }
        let prefix = path.to_string();
        let mut resource = schema.clone();
        if let Some(resource) = resource.as_object_mut().filter(|_| root) {
            resource.insert(EMBEDDED.to_owned(), true.into());
        }
        let mut found = custom::embedded_errors(&resource, default);
        if found.is_empty() {
            found = custom::value_errors(&without_int_or_string(schema, 0), default);
        }
        errors.extend(found.into_iter().map(|error| custom::below(&prefix, error)));
    }
    if let Some(items) = object(schema, "items") {
        defaults(errors, items, false, inside_meta, &path.child("items"), depth + 1);
    }
    for (name, property) in map(schema, "properties") {
        let meta = inside_meta || (embedded && META.contains(&name.as_str()));
        defaults(errors, property, false, meta, &path.child("properties").key(name), depth + 1);
    }
}

/// A schema for which ints or strings are anything, as defaults are checked.
fn without_int_or_string(schema: &Value, depth: usize) -> Value {
    match schema {
        Value::Object(map) if depth <= 2 * DEEPEST => {
            let kept = map.iter().filter(|(key, _)| *key != INT_OR_STRING);
            Value::Object(
                kept.map(|(key, inner)| (key.clone(), without_int_or_string(inner, depth + 1))).collect(),
            )
        }
        other => other.clone(),
    }
}

const META: [&str; 3] = ["metadata", "kind", "apiVersion"];

/// What holds at a place of a schema.
struct Standard<'a> {
    root: bool,
    /// Inside of what every object has.
    inside_meta: bool,
    /// Why there may be no defaults.
    no_defaults: Option<&'a str>,
}

impl<'a> Standard<'a> {
    fn below(&self) -> Standard<'a> {
        Standard { root: false, inside_meta: self.inside_meta, no_defaults: self.no_defaults }
    }
}

fn open_api(errors: &mut Errors, schema: &Value, standard: &Standard, path: &Path, depth: usize) {
    if depth > DEEPEST || !schema.is_object() {
        return;
    }
    unsupported_fields(errors, schema, standard, path);
    let below = standard.below();
    let properties = map(schema, "properties");
    let additional = at(schema, "additionalProperties");
    if !additional.is_null() {
        let path = path.child("additionalProperties");
        if !properties.is_empty() && *additional != Value::Bool(true) {
            let detail = "additionalProperties and properties are mutual exclusive";
            errors.push(FieldError::forbidden(&path, detail));
        }
        let no_defaults = match standard.inside_meta {
            true => Some("inside additionalProperties applying to object metadata"),
            false => standard.no_defaults,
        };
        open_api(errors, additional, &Standard { no_defaults, ..standard.below() }, &path, depth + 1);
    }
    for (name, property) in properties {
        let path = path.child("properties");
        let path = path.key(name);
        if (standard.root || flag(schema, EMBEDDED)) && META.contains(&name.as_str()) {
            let reason = format!("in top-level {name}");
            let no_defaults = if standard.root { Some(reason.as_str()) } else { standard.no_defaults };
            let inside = Standard { root: false, inside_meta: true, no_defaults };
            open_api(errors, property, &inside, &path, depth + 1);
        } else {
            open_api(errors, property, &below, &path, depth + 1);
        }
    }
    open_api(errors, at(schema, "not"), &below, &path.child("not"), depth + 1);
    for field in ["allOf", "oneOf", "anyOf"] {
        let path = path.child(field);
        for (i, one) in list(schema, field).iter().enumerate() {
            open_api(errors, one, &below, &path.index(i), depth + 1);
        }
    }
    for (name, one) in map(schema, "definitions") {
        open_api(errors, one, &below, &path.child("definitions").key(name), depth + 1);
    }
    let items = path.child("items");
    open_api(errors, at(schema, "items"), &below, &items, depth + 1);
    for (i, one) in list(schema, "items").iter().enumerate() {
        open_api(errors, one, &below, &items.index(i), depth + 1);
    }
    for (name, one) in map(schema, "dependencies") {
        open_api(errors, one, &below, &path.child("dependencies").key(name), depth + 1);
    }
    extensions(errors, schema, path);
    rules(errors, schema, path);
}

fn unsupported_fields(errors: &mut Errors, schema: &Value, standard: &Standard, path: &Path) {
    const TYPES: [&str; 6] = ["array", "boolean", "integer", "number", "object", "string"];
    let kind = text(schema, "type");
    let type_path = path.child("type");
    if !kind.is_empty() && !TYPES.contains(&kind) {
        errors.push(FieldError::not_supported(&type_path, kind, &TYPES));
    }
    let mut forbid = |field: &str, detail: &str| {
        errors.push(FieldError::forbidden(&path.child(field), detail));
    };
    let present = |field: &str| schema.get(field).is_some_and(|value| !value.is_null());
    if let Some(reason) = standard.no_defaults.filter(|_| present("default")) {
        forbid("default", &format!("must not be set {reason}"));
    }
    for field in ["id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref"] {
        let empty = match field {
            "id" => text(schema, field).is_empty(),
            "patternProperties" | "definitions" => map(schema, field).is_empty(),
            _ => !present(field),
        };
        if !empty {
            forbid(field, &format!("{field} is not supported"));
        }
    }
    if kind == "null" {
        forbid("type", "type cannot be set to null, use nullable as an alternative");
    }
    if !list(schema, "items").is_empty() {
        forbid("items", "items must be a schema object and not an array");
    }
    if standard.inside_meta && flag(schema, EMBEDDED) {
        forbid(EMBEDDED, "must not be used inside of resource meta");
    }
    if flag(schema, "uniqueItems") {
        forbid(
            "uniqueItems",
            "uniqueItems cannot be set to true since the runtime complexity becomes quadratic",
        );
    }
}

fn extensions(errors: &mut Errors, schema: &Value, path: &Path) {
    let kind = text(schema, "type");
    if schema.get(PRESERVE) == Some(&Value::Bool(false)) {
        errors.push(FieldError::invalid(&path.child(PRESERVE), false, "must be true or undefined"));
    }
    let must_be = |wanted: &str, extension: &str| {
        let detail = format!("must be {wanted} if {extension} is specified");
        match kind {
            "" => FieldError::required(&path.child("type"), detail),
            _ => FieldError::invalid(&path.child("type"), kind, detail),
        }
    };
    let items = at(schema, "items");
    if let Some(map_type) = at(schema, MAP_TYPE).as_str() {
        if kind != "object" {
            errors.push(must_be("object", MAP_TYPE));
        }
        const TYPES: [&str; 2] = ["atomic", "granular"];
        if !TYPES.contains(&map_type) {
            errors.push(FieldError::not_supported(&path.child(MAP_TYPE), map_type, &TYPES));
        }
    }
    let list_type = at(schema, LIST_TYPE).as_str();
    if let Some(list_type) = list_type {
        if kind != "array" {
            errors.push(must_be("array", LIST_TYPE));
        } else if list_type == "set" && items.is_object() {
            let detail = "must be atomic as item of a list with x-kubernetes-list-type=set";
            // Both errors show the items' list type.
            let (shown, items_path) = (at(items, LIST_TYPE).clone(), path.child("items"));
            match text(items, "type") {
                "array" if !matches!(shown.as_str(), None | Some("atomic")) => {
                    errors.push(FieldError::invalid(&items_path.child(LIST_TYPE), shown, detail));
                }
                "object" if text(items, MAP_TYPE) != "atomic" => {
                    errors.push(FieldError::invalid(&items_path.child(MAP_TYPE), shown, detail));
                }
                _ => {}
            }
        }
        const TYPES: [&str; 3] = ["atomic", "set", "map"];
        if !TYPES.contains(&list_type) {
            errors.push(FieldError::not_supported(&path.child(LIST_TYPE), list_type, &TYPES));
        }
    }
    let keys: Vec<&str> = list(schema, LIST_MAP_KEYS).iter().filter_map(Value::as_str).collect();
    if !keys.is_empty() && list_type != Some("map") {
        let detail = "must be map if x-kubernetes-list-map-keys is non-empty";
        errors.push(match list_type {
            None => FieldError::required(&path.child(LIST_TYPE), detail),
            Some(list_type) => FieldError::invalid(&path.child(LIST_TYPE), list_type, detail),
        });
    }
    if list_type == Some("map") {
        list_map(errors, items, &keys, path);
    }
    if let Some(list_type @ ("set" | "map")) = list_type
        && items.is_object()
    {
        list_items(errors, items, &keys, list_type, path);
    }
}

fn list_map(errors: &mut Errors, items: &Value, keys: &[&str], path: &Path) {
    let keys_path = path.child(LIST_MAP_KEYS);
    if keys.is_empty() {
        let detail = "must not be empty if x-kubernetes-list-type is map";
        errors.push(FieldError::required(&keys_path, detail));
    }
    let items_path = path.child("items");
    if !items.is_object() {
        if items.is_null() {
            let detail = "must have a schema if x-kubernetes-list-type is map";
            errors.push(FieldError::required(&items_path, detail));
        }
        return;
    }
    let kind = text(items, "type");
    if kind != "object" {
        let detail = "must be object if parent array's x-kubernetes-list-type is map";
        errors.push(FieldError::invalid(&items_path.child("type"), kind, detail));
        return;
    }
    for (i, key) in keys.iter().enumerate() {
        let mut wrong = |detail: &str| {
            let shown = BadValue::Value(keys.iter().copied().collect());
            errors.push(FieldError::invalid(&keys_path, shown, detail));
        };
        match map(items, "properties").get(*key) {
            None => wrong("entries must all be names of item properties"),
            Some(property) if matches!(text(property, "type"), "array" | "object") => {
                let path = items_path.child("properties");
                let path = path.key(key);
                let detail = "must be a scalar type if parent array's x-kubernetes-list-type is map";
                errors.push(FieldError::invalid(&path.child("type"), kind, detail));
            }
            Some(_) => {}
        }
        if keys.get(..i).is_some_and(|before| before.contains(key)) {
            let shown = BadValue::Value(keys.iter().copied().collect());
            errors.push(FieldError::invalid(&keys_path, shown, "must not contain duplicate entries"));
        }
    }
}

/// Items that are told apart must have what tells them apart.
fn list_items(errors: &mut Errors, items: &Value, keys: &[&str], list_type: &str, path: &Path) {
    let items_path = path.child("items");
    if flag(items, "nullable") {
        let detail = format!("cannot be nullable when x-kubernetes-list-type is {list_type}");
        errors.push(FieldError::forbidden(&items_path.child("nullable"), detail));
    }
    if list_type != "map" {
        return;
    }
    let required = list(items, "required");
    for key in keys {
        let Some(property) = map(items, "properties").get(*key) else { continue };
        let path = items_path.child("properties");
        let path = path.key(key);
        if !required.iter().any(|one| one == key) && at(property, "default").is_null() {
            let detail = "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property";
            errors.push(FieldError::required(&path.child("default"), detail));
        }
        if flag(property, "nullable") {
            let detail = "this property is in x-kubernetes-list-map-keys, so it cannot be nullable";
            errors.push(FieldError::forbidden(&path.child("nullable"), detail));
        }
    }
}

/// Rules in CEL, all but what they say.
fn rules(errors: &mut Errors, schema: &Value, path: &Path) {
    const REASONS: [&str; 4] =
        ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];
    let broken = |text: &str| text.contains(['\n', '\r']);
    let path = path.child(VALIDATIONS);
    for (i, rule) in list(schema, VALIDATIONS).iter().enumerate() {
        let path = path.index(i);
        let part = |field: &str| text(rule, field);
        let (message_path, field_path) = (path.child("message"), path.child("fieldPath"));
        let message = part("message");
        if part("rule").trim().is_empty() {
            errors.push(FieldError::required(&path.child("rule"), "rule is not specified"));
        } else if !message.is_empty() && message.trim().is_empty() {
            errors.push(FieldError::invalid(&message_path, message, "must be non-empty if specified"));
        } else if broken(message.trim()) {
            errors.push(FieldError::invalid(&message_path, message, "must not contain line breaks"));
        } else if broken(part("rule").trim()) && message.trim().is_empty() {
            let detail = "message must be specified if rule contains line breaks";
            errors.push(FieldError::required(&message_path, detail));
        }
        let expression = part("messageExpression");
        if !expression.is_empty() && expression.trim().is_empty() {
            let detail = "messageExpression must be non-empty if specified";
            errors.push(FieldError::required(&path.child("messageExpression"), detail));
        }
        if let Some(reason) = at(rule, "reason").as_str().filter(|reason| !REASONS.contains(reason)) {
            errors.push(FieldError::not_supported(&path.child("reason"), reason, &REASONS));
        }
        let place = part("fieldPath");
        if place.is_empty() {
            continue;
        }
        let mut wrong = |detail: &str| errors.push(FieldError::invalid(&field_path, place, detail));
        if place.trim().is_empty() {
            wrong("must be non-empty if specified");
        }
        if broken(place) {
            wrong("must not contain line breaks");
        }
        if self::field_path(place, schema, true).is_err() {
            wrong("must be a valid path");
        }
    }
}

/// The schema of the field that a path such as `.spec.color` or `.spec['color']` names.
///
/// Source: k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel/validation.go ValidFieldPath (v1.37).
pub(super) fn field_path<'a>(path: &str, schema: &'a Value, brackets: bool) -> Result<&'a Value, String> {
    const UNKNOWN: &str = "does not refer to a valid field";
    const END: &str = "unexpected end of JSON path";
    let step = |schema: &'a Value, name: &str| match schema.get("properties").and_then(Value::as_object) {
        Some(properties) if !properties.is_empty() => properties.get(name).ok_or(UNKNOWN),
        _ => object(schema, "additionalProperties").ok_or(UNKNOWN),
    };
    let (mut schema, mut rest) = (schema, path);
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('.') {
            if after.is_empty() {
                return Err(END.to_owned());
            }
            let end = after.find(['.', '[', ']']).unwrap_or(after.len()).max(1).min(after.len());
            let (name, after) = after.split_at_checked(end).unwrap_or((after, ""));
            schema = step(schema, name)?;
            rest = after;
        } else if let Some(after) = rest.strip_prefix('[') {
            if !brackets {
                return Err("array notation is not allowed".to_owned());
            }
            let Some(quoted) = after.strip_prefix('\'') else {
                let token = after.split(['.', '[', ']']).next().unwrap_or("");
                return Err(format!("expected single quoted string but got {token}"));
            };
            let Some((name, after)) = quoted.split_once('\'') else { return Err(END.to_owned()) };
            schema = step(schema, name)?;
            rest = after.strip_prefix(']').ok_or(END)?;
        } else {
            let token = rest.split(['.', '[', ']']).next().unwrap_or("");
            return Err(format!("expected [ or . but got: {token}"));
        }
    }
    Ok(schema)
}

/// What of a schema is accepted and not liked.
pub(super) fn warnings(schema: &Value, formats: &mut Vec<String>, sets: &mut BTreeSet<String>, depth: usize) {
    if depth > DEEPEST || !schema.is_object() {
        return;
    }
    let format = text(schema, "format");
    if !format.is_empty() && !custom::knows_format(text(schema, "type"), format) {
        formats.push(format!("unrecognized format {format:?}"));
    }
    let of_items = text(at(schema, "items"), "type");
    if text(schema, LIST_TYPE) == "set" && matches!(of_items, "object" | "array") {
        sets.insert(format!(
            "x-kubernetes-list-type: set for items of type {of_items:?} is not supported by server-side apply or CEL validation rules"
        ));
    }
    let mut below = |schema: &Value| warnings(schema, formats, sets, depth + 1);
    below(at(schema, "items"));
    for field in ["allOf", "anyOf", "oneOf"] {
        list(schema, field).iter().for_each(&mut below);
    }
    below(at(schema, "not"));
    map(schema, "properties").values().for_each(&mut below);
    below(at(schema, "additionalProperties"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_to_the_schema_of_a_field() {
        let schema = json!({"properties": {"spec": {"properties": {"a.b": {"type": "string"}, "m":
            {"additionalProperties": {"type": "integer"}}}}}});
        let found = |path: &str| field_path(path, &schema, true).map(|found| text(found, "type"));
        assert_eq!(found(".spec['a.b']"), Ok("string"));
        assert_eq!(found(".spec.m.anything"), Ok("integer"));
        assert_eq!(found(".spec.c"), Err("does not refer to a valid field".to_owned()));
        assert_eq!(found("spec"), Err("expected [ or . but got: spec".to_owned()));
        assert_eq!(found(".spec."), Err("unexpected end of JSON path".to_owned()));
        assert_eq!(
            field_path(".spec['m']", &schema, false).map(|_| ()),
            Err("array notation is not allowed".to_owned())
        );
    }

    #[test]
    fn fields_that_no_junctor_may_name_are_told() {
        let schema =
            json!({"type": "object", "not": {"required": ["a"], "properties": {"a": {"minimum": 1}}}});
        let mut errors = Errors::new();
        validate(&mut errors, &schema, false, &Path::new("s"));
        let texts: Vec<String> = errors.iter().map(FieldError::to_string).collect();
        assert_eq!(texts, ["s.properties[a]: Required value: because it is defined in s.not.properties[a]"]);
    }
}
