//! What the API server shows of a patch whose result is no object of the kind.
//!
//! A document that a JSON or merge patch has gone over is half parsed: objects that the patch has looked into are written
//! with their keys sorted, what it left alone stands as the server wrote it, fields in Go's order.
//!
//! Source: github.com/evanphx/json-patch v4.13.0 patch.go and merge.go, as k8s.io/apiserver uses it.

use super::strategic::{DIRECTIVE, ORDER_PREFIX, RETAIN_KEYS};
use crate::schema::{GoType, Schema};
use crate::{Kind, go_text};
use serde_json::Value;
use std::collections::BTreeMap;

/// What a patch has looked at, from the root of the document.
#[derive(Default)]
struct Touched {
    /// What stands here came with the patch.
    fresh: bool,
    /// The parts that were looked for.
    parts: BTreeMap<String, Touched>,
}

impl Touched {
    fn of_merge(original: &Value, patch: &Value) -> Touched {
        let (Value::Object(old), Value::Object(new)) = (original, patch) else {
            return Touched { fresh: true, parts: BTreeMap::new() };
        };
        let part = |(key, value): (&String, &Value)| {
            let old = old.get(key).unwrap_or(&Value::Null);
            (key.clone(), Touched::of_merge(old, value))
        };
        Touched { fresh: false, parts: new.iter().map(part).collect() }
    }

    fn of_operations(operations: &Value) -> Touched {
        let mut root = Touched::default();
        for operation in operations.as_array().into_iter().flatten() {
            for key in ["from", "path"] {
                let Some(path) = operation.get(key).and_then(Value::as_str) else { continue };
                let mut here = &mut root;
                for token in path.split('/').skip(1) {
                    here = here.parts.entry(token.replace("~1", "/").replace("~0", "~")).or_default();
                }
                here.fresh |= key == "path" && operation.get("value").is_some();
            }
        }
        root
    }
}

/// The JSON of what a JSON patch (a list of operations) or a merge patch (a map) made of an object's complete tree.
pub fn patched_json(kind: &Kind, original: &Value, patch: &Value, patched: &Value) -> String {
    let touched = match patch {
        Value::Array(_) => Touched::of_operations(patch),
        _ => Touched::of_merge(original, patch),
    };
    let ty = Schema::get().kind(&kind.api_version(), kind.kind).map(GoType::Named);
    let mut out = String::new();
    write(&mut out, ty.as_ref(), Some(&touched), patched, true);
    out
}

/// Writes a value; without `touched` nothing of it has been looked at.
fn write(out: &mut String, ty: Option<&GoType>, touched: Option<&Touched>, value: &Value, root: bool) {
    let schema = Schema::get();
    let mut ty = ty.map(|ty| schema.resolve(ty));
    while let Some(GoType::Pointer(inner)) = ty {
        ty = Some(schema.resolve(inner));
    }
    let looked_into = root || touched.is_some_and(|touched| !touched.parts.is_empty());
    let part = |key: &str| touched.and_then(|touched| touched.parts.get(key));
    match value {
        _ if touched.is_some_and(|touched| touched.fresh) => out.push_str(&go_text::json(value)),
        Value::Array(items) => {
            let inner = match ty {
                Some(GoType::Slice(inner)) => Some(&**inner),
                _ => None,
            };
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write(out, inner, part(&i.to_string()), item, false);
            }
            out.push(']');
        }
        Value::Object(map) => {
            let fields = match ty {
                Some(GoType::Named(id)) => schema.fields(*id),
                _ => &[],
            };
            let mut keys: Vec<&String> = map.keys().collect();
            if !looked_into {
                let place = |key: &str| fields.iter().position(|f| f.name == key).unwrap_or(usize::MAX);
                keys.sort_by_key(|key| place(key));
            }
            out.push('{');
            for (i, key) in keys.into_iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                out.push_str(&go_text::json(&Value::String(key.clone())));
                out.push(':');
                let inner = match ty {
                    Some(GoType::Map(_, inner)) => Some(&**inner),
                    _ => fields.iter().find(|f| f.name == key).map(|f| &f.ty),
                };
                write(out, inner, part(key), &map[key], false);
            }
            out.push('}');
        }
        plain => out.push_str(&go_text::json(plain)),
    }
}

/// What is left of a strategic merge patch once it is carried out: some directives are taken out on the way, and nulls of
/// what is not merged into anything.
///
/// Source: k8s.io/apimachinery/pkg/util/strategicpatch/patch.go `mergeMap` (v1.37).
pub fn patch_left(original: &Value, patch: &Value) -> Value {
    let (Value::Object(old), Value::Object(new)) = (original, patch) else { return without_nulls(patch) };
    if let Some(directive) = new.get(DIRECTIVE) {
        // What replaces something is not looked at.
        let mut left = new.clone();
        if directive == "replace" {
            left.remove(DIRECTIVE);
        }
        return Value::Object(left);
    }
    let ordered = |key: &str| {
        new.keys().any(|k| k.strip_prefix(ORDER_PREFIX).and_then(|k| k.strip_prefix('/')) == Some(key))
    };
    let left = new
        .iter()
        .filter(|(key, value)| {
            key.as_str() != RETAIN_KEYS
                && !key.starts_with(ORDER_PREFIX)
                && !(value.is_array() && ordered(key))
        })
        .map(|(key, value)| {
            let left = match (old.get(key), value) {
                (_, Value::Null) | (Some(Value::Array(_)), Value::Array(_)) => value.clone(),
                (before, value) => patch_left(before.unwrap_or(&Value::Null), value),
            };
            (key.clone(), left)
        });
    Value::Object(left.collect())
}

/// A value without the nulls in its maps.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map.iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(key, value)| (key.clone(), without_nulls(value))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(without_nulls).collect()),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::patch_left;
    use serde_json::json;

    #[test]
    fn nulls_and_directives_leave_a_patch_on_the_way() {
        let old = json!({"spec": {"a": {"b": 1}, "list": [1]}});
        let left = |patch| patch_left(&old, &patch);
        assert_eq!(
            left(json!({"spec": {"new": {"x": null, "y": [{"z": null}]}}})),
            json!({"spec": {"new": {"y": [{}]}}})
        );
        assert_eq!(
            left(json!({"spec": {"a": null, "list": [null]}})),
            json!({"spec": {"a": null, "list": [null]}})
        );
        assert_eq!(
            left(json!({"spec": {"a": {"$patch": "replace", "$retainKeys": ["b"], "b": null}}})),
            json!({"spec": {"a": {"$retainKeys": ["b"], "b": null}}})
        );
        assert_eq!(
            left(json!({"spec": {"a": {"$retainKeys": ["b"], "b": 2}}})),
            json!({"spec": {"a": {"b": 2}}})
        );
    }
}
