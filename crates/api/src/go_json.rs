//! Objects as the API server writes them: fields in the order of Go's types, one line.

use crate::go_text;
use crate::schema::{GoType, Schema, TypeId};
use serde_json::{Map, Value};

/// Of what type a value is, as far as that is known.
#[derive(Clone, Copy)]
enum Shape<'a> {
    Struct(TypeId),
    Type(&'a GoType),
    Unknown,
}

/// Writes an object whose `kind` and `apiVersion` say what it is.
pub fn object(out: &mut String, value: &Value) {
    let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or("");
    of_kind(out, value, text("apiVersion"), text("kind"));
}

/// Writes an object of a kind that it need not name itself.
pub fn of_kind(out: &mut String, value: &Value, api_version: &str, kind: &str) {
    let schema = Schema::get();
    // Statuses and options are known to every group.
    let id = schema.kind(api_version, kind).or_else(|| schema.type_named(&format!("meta/v1.{kind}")));
    let shape = id.map_or(Shape::Unknown, Shape::Struct);
    match value {
        Value::Object(map) => write_map(out, map, shape, true),
        other => write(out, other, shape),
    }
}

/// Writes a list: its kind and metadata, `metadata` in JSON, and objects of a kind, which do not say it again.
pub fn list(
    out: &mut String,
    (api_version, kind): (&str, &str),
    metadata: &str,
    items: impl Iterator<Item = Value>,
) {
    out.push_str(&format!(
        r#"{{"kind":"{kind}List","apiVersion":"{api_version}","metadata":{metadata},"items":["#
    ));
    for (index, mut item) in items.enumerate() {
        if index > 0 {
            out.push(',');
        }
        if let Value::Object(fields) = &mut item {
            fields.remove("kind");
            fields.remove("apiVersion");
        }
        of_kind(out, &item, api_version, kind);
    }
    out.push_str("]}");
}

/// Writes object metadata.
pub fn metadata(out: &mut String, value: &Value) {
    write(out, value, Schema::get().type_named("meta/v1.ObjectMeta").map_or(Shape::Unknown, Shape::Struct));
}

/// The struct that a value of this shape is.
fn struct_of(shape: Shape<'_>) -> Option<TypeId> {
    match shape {
        Shape::Struct(id) => Some(id),
        Shape::Unknown => None,
        Shape::Type(ty) => match Schema::get().resolve(ty) {
            GoType::Pointer(inner) => struct_of(Shape::Type(inner)),
            GoType::Named(id) => Some(*id),
            _ => None,
        },
    }
}

/// What the elements of a list or map of this shape are.
fn inner(shape: Shape<'_>) -> Shape<'_> {
    let Shape::Type(ty) = shape else { return Shape::Unknown };
    match Schema::get().resolve(ty) {
        GoType::Pointer(ty) => inner(Shape::Type(ty)),
        GoType::Slice(ty) | GoType::Map(_, ty) => Shape::Type(ty),
        _ => Shape::Unknown,
    }
}

fn write(out: &mut String, value: &Value, shape: Shape<'_>) {
    match value {
        Value::Object(map) => write_map(out, map, shape, false),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(out, item, inner(shape));
            }
            out.push(']');
        }
        other => out.push_str(&go_text::json(other)),
    }
}

fn write_map(out: &mut String, map: &Map<String, Value>, shape: Shape<'_>, top: bool) {
    let fields = struct_of(shape).map_or(&[][..], |id| Schema::get().fields(id));
    out.push('{');
    let start = out.len();
    let mut member = |key: &str, value: &Value, shape: Shape<'_>| {
        if out.len() > start {
            out.push(',');
        }
        out.push_str(&go_text::json(&Value::String(key.to_owned())));
        out.push(':');
        write(out, value, shape);
    };
    let first = if top { ["kind", "apiVersion", "metadata"].as_slice() } else { &[] };
    for key in first {
        if let Some(value) = map.get(*key) {
            let field = fields.iter().find(|field| field.name == *key);
            member(key, value, field.map_or(Shape::Unknown, |field| Shape::Type(&field.ty)));
        }
    }
    for field in fields.iter().filter(|field| !first.contains(&field.name)) {
        if let Some(value) = map.get(field.name) {
            member(field.name, value, Shape::Type(&field.ty));
        }
    }
    let elements = if fields.is_empty() { inner(shape) } else { Shape::Unknown };
    for (key, value) in map {
        if !first.contains(&key.as_str()) && !fields.iter().any(|field| field.name == key) {
            member(key, value, elements);
        }
    }
    out.push('}');
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn fields_stand_in_the_order_of_the_types() {
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"labels": {"b": "1", "a": "<"}, "name": "x"},
            "spec": {"containers": [{"image": "i", "name": "c", "env": []}], "nodeName": "n"}, "status": {}});
        let mut out = String::new();
        super::object(&mut out, &pod);
        assert_eq!(
            out,
            r#"{"kind":"Pod","apiVersion":"v1","metadata":{"name":"x","labels":{"a":"\u003c","b":"1"}},"spec":{"containers":[{"name":"c","image":"i","env":[]}],"nodeName":"n"},"status":{}}"#
        );
    }
}
