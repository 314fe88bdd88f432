//! Fields that a schema does not know go, fields that it has values for come.
//!
//! Source: k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning, defaulting (v1.37).

use super::{DEEPEST, Definition};
use serde_json::{Map, Value, json};

/// An object without the fields that its schema does not know.
#[derive(Clone, Debug, PartialEq)]
pub struct Pruned {
    /// What is left.
    pub value: Value,
    /// The paths of what went, sorted.
    pub unknown: Vec<String>,
}

const META: [&str; 3] = ["apiVersion", "kind", "metadata"];

fn flag(schema: &Value, key: &str) -> bool {
    schema.get(key).and_then(Value::as_bool).unwrap_or(false)
}

/// The schema of a map's values, if it has one.
fn additional(schema: &Value) -> Option<&Value> {
    schema.get("additionalProperties").filter(|value| **value != Value::Bool(false))
}

impl Definition {
    /// Takes away what the schema does not know; `apiVersion`, `kind` and `metadata` of the object are let be.
    pub fn prune(&self, mut value: Value) -> Pruned {
        let mut unknown = Vec::new();
        prune(&mut value, Some(&self.schema), true, "", &mut unknown, 0);
        embedded_metadata(&mut value, &self.schema, "", &mut unknown, 0);
        unknown.sort();
        Pruned { value, unknown }
    }

    /// Fills in what the schema has values for.
    pub fn apply_defaults(&self, value: &mut Value) {
        drop_nulls(value, &self.schema, 0);
        default(value, &self.schema, 0);
    }
}

/// A value without what its schema does not know.
pub(crate) fn pruned(mut value: Value, schema: &Value, is_resource: bool) -> Value {
    prune(&mut value, Some(schema), is_resource, "", &mut Vec::new(), 0);
    value
}

/// Metadata of resources within the resource holds what metadata holds everywhere.
///
/// Source: k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta/coerce.go (v1.37).
fn embedded_metadata(value: &mut Value, schema: &Value, path: &str, unknown: &mut Vec<String>, depth: usize) {
    if depth > DEEPEST {
        return;
    }
    match value {
        Value::Object(map) => {
            let properties = schema.get("properties").and_then(Value::as_object);
            for (key, inner) in map.iter_mut() {
                let at = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                if key == "metadata" && flag(schema, "x-kubernetes-embedded-resource") {
                    let carrier = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": inner});
                    let Ok(decoded) = crate::schema::decode("v1", "ConfigMap", &carrier) else { continue };
                    let own = decoded
                        .strict_errors
                        .iter()
                        .filter_map(|said| said.strip_prefix("unknown field \"metadata.")?.strip_suffix('"'));
                    unknown.extend(own.map(|own| format!("{at}.{own}")));
                    *inner = decoded.value.get("metadata").cloned().unwrap_or_else(|| json!({}));
                } else if let Some(known) =
                    properties.and_then(|all| all.get(key)).or_else(|| additional(schema))
                {
                    embedded_metadata(inner, known, &at, unknown, depth + 1);
                }
            }
        }
        Value::Array(all) => {
            let Some(items) = schema.get("items") else { return };
            for (index, inner) in all.iter_mut().enumerate() {
                embedded_metadata(inner, items, &format!("{path}[{index}]"), unknown, depth + 1);
            }
        }
        _ => {}
    }
}

fn prune(
    value: &mut Value,
    schema: Option<&Value>,
    resource: bool,
    path: &str,
    unknown: &mut Vec<String>,
    depth: usize,
) {
    if depth > DEEPEST {
        return;
    }
    let preserve = schema.is_some_and(|schema| flag(schema, "x-kubernetes-preserve-unknown-fields"));
    let properties = schema.and_then(|schema| schema.get("properties"));
    match value {
        Value::Object(map) => {
            let resource =
                resource || schema.is_some_and(|schema| flag(schema, "x-kubernetes-embedded-resource"));
            let mut gone = Vec::new();
            for (key, inner) in map.iter_mut() {
                if schema.is_some() && resource && META.contains(&key.as_str()) {
                    continue;
                }
                let at = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                let known = properties.and_then(|all| all.get(key)).or_else(|| schema.and_then(additional));
                match known {
                    Some(known) => prune(inner, Some(known), false, &at, unknown, depth + 1),
                    None if preserve => {}
                    None => {
                        unknown.push(at);
                        gone.push(key.clone());
                    }
                }
            }
            for key in gone {
                map.remove(&key);
            }
        }
        Value::Array(all) => {
            let items = schema.and_then(|schema| schema.get("items"));
            for (index, inner) in all.iter_mut().enumerate() {
                if items.is_some() || !preserve {
                    prune(inner, items, false, &format!("{path}[{index}]"), unknown, depth + 1);
                }
            }
        }
        _ => {}
    }
}

/// Nulls where none may be go, unless there is a value for them.
fn drop_nulls(value: &mut Value, schema: &Value, depth: usize) {
    if depth > DEEPEST {
        return;
    }
    match value {
        Value::Object(map) => {
            map.retain(|key, inner| {
                let known = schema.pointer("/properties").and_then(|all| all.get(key));
                let Some(known) = known.or_else(|| additional(schema)) else { return true };
                !inner.is_null() || flag(known, "nullable") || known.get("default").is_some()
            });
            for (key, inner) in map.iter_mut() {
                let known = schema.pointer("/properties").and_then(|all| all.get(key));
                if let Some(known) = known.or_else(|| additional(schema)) {
                    drop_nulls(inner, known, depth + 1);
                }
            }
        }
        Value::Array(all) => {
            if let Some(items) = schema.get("items") {
                all.iter_mut().for_each(|inner| drop_nulls(inner, items, depth + 1));
            }
        }
        _ => {}
    }
}

fn default(value: &mut Value, schema: &Value, depth: usize) {
    if depth > DEEPEST {
        return;
    }
    let given = |schema: &Value| schema.get("default").filter(|value| !value.is_null()).cloned();
    let fill = |inner: &mut Value, schema: &Value| {
        if inner.is_null()
            && !flag(schema, "nullable")
            && let Some(given) = given(schema)
        {
            *inner = given;
        }
    };
    match value {
        Value::Object(map) => {
            let none = Map::new();
            let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&none);
            for (key, known) in properties {
                match map.get_mut(key) {
                    Some(inner) => fill(inner, known),
                    None => {
                        if let Some(given) = given(known) {
                            map.insert(key.clone(), given);
                        }
                    }
                }
            }
            for (key, inner) in map.iter_mut() {
                if let Some(known) = properties.get(key) {
                    default(inner, known, depth + 1);
                } else if let Some(known) = additional(schema) {
                    fill(inner, known);
                    default(inner, known, depth + 1);
                }
            }
        }
        Value::Array(all) => {
            if let Some(items) = schema.get("items") {
                for inner in all.iter_mut() {
                    fill(inner, items);
                    default(inner, items, depth + 1);
                }
            }
        }
        _ => {}
    }
}

/// Whether a definition may have a field that nobody knows, by its path: where a schema may stand beside a boolean or a
/// list, the API server does not look.
///
/// Source: k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1/marshal.go (v1.37).
pub fn is_let_be(path: &str) -> bool {
    let Some((_, rest)) = path.split_once(".openAPIV3Schema.") else { return false };
    let mut steps = rest.split('.').map(|step| step.split('[').next().unwrap_or(step));
    while let Some(step) = steps.next() {
        match step {
            "items" | "additionalProperties" | "additionalItems" | "dependencies" => {
                return steps.next().is_some();
            }
            "properties" | "patternProperties" | "definitions" => {
                steps.next();
            }
            "allOf" | "anyOf" | "oneOf" | "not" => {}
            _ => return false,
        }
    }
    false
}
