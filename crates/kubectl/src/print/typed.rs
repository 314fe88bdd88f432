//! JSON of objects that kubectl made itself: fields in the order of Go's types.

use podlab_api::go_text;
use podlab_api::schema::{Definition, GoType, Schema, TypeId};
use serde_json::Value;

/// Prints with four spaces, `kind` and `apiVersion` first, then as the type has its fields.
pub(crate) fn json(value: &Value) -> String {
    let schema = Schema::get();
    let api_version = value.get("apiVersion").and_then(Value::as_str).unwrap_or("");
    let kind = value.get("kind").and_then(Value::as_str).unwrap_or("");
    let mut out = String::new();
    let ty = schema.kind(api_version, kind);
    write(&mut out, value, ty.map(Shape::Struct), 0);
    out.push('\n');
    out
}

#[derive(Clone, Copy)]
enum Shape<'a> {
    Struct(TypeId),
    Type(&'a GoType),
}

fn fields(shape: Shape<'_>) -> Option<TypeId> {
    let schema = Schema::get();
    match shape {
        Shape::Struct(id) => Some(id),
        Shape::Type(ty) => match schema.resolve(ty) {
            GoType::Pointer(inner) => fields(Shape::Type(inner)),
            other => schema.inner_struct(other),
        },
    }
}

fn write(out: &mut String, value: &Value, shape: Option<Shape<'_>>, depth: usize) {
    let schema = Schema::get();
    let pad = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("    ", depth));
    };
    match value {
        Value::Object(map) if !map.is_empty() => {
            let id = shape.and_then(fields);
            let known = match id.map(|id| schema.definition(id)) {
                Some(Definition::Struct(fields)) => fields.as_slice(),
                _ => &[],
            };
            let mut keys: Vec<(&String, Option<&GoType>)> = Vec::new();
            if depth == 0 {
                for key in ["kind", "apiVersion"] {
                    keys.extend(map.get_key_value(key).map(|(k, _)| (k, None)));
                }
            }
            for field in known {
                if let Some((key, _)) = map.get_key_value(field.name)
                    && !keys.iter().any(|(k, _)| *k == key)
                {
                    keys.push((key, Some(&field.ty)));
                }
            }
            for key in map.keys() {
                if !keys.iter().any(|(k, _)| *k == key) {
                    keys.push((key, None));
                }
            }
            out.push('{');
            for (i, (key, ty)) in keys.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                pad(out, depth + 1);
                out.push_str(&go_text::json(&Value::String((*key).clone())));
                out.push_str(": ");
                write(out, map.get(*key).unwrap_or(&Value::Null), ty.map(Shape::Type), depth + 1);
            }
            pad(out, depth);
            out.push('}');
        }
        Value::Array(items) if !items.is_empty() => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                pad(out, depth + 1);
                write(out, item, shape, depth + 1);
            }
            pad(out, depth);
            out.push(']');
        }
        other => out.push_str(&go_text::json(other)),
    }
}
