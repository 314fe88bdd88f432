//! Values of errors as Go marshals them: fields in Go order.

use crate::schema::{GoType, Schema};
use serde_json::Value;
use std::fmt::Write as _;

/// A value of a versioned type (`meta/v1.LabelSelector`) as JSON, fields in Go order.
pub(crate) fn json_of(type_name: &str, value: &Value) -> String {
    let schema = Schema::get();
    let mut out = String::new();
    match schema.type_named(type_name) {
        Some(id) => write_value(schema, &GoType::Named(id), value, &mut out),
        None => out.push_str(&value.to_string()),
    }
    out
}

fn write_value(schema: &Schema, ty: &GoType, value: &Value, out: &mut String) {
    match (schema.resolve(ty), value) {
        (GoType::Pointer(inner), _) => write_value(schema, inner, value, out),
        (GoType::Slice(inner), Value::Array(items)) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_value(schema, inner, item, out);
            }
            out.push(']');
        }
        (GoType::Named(id), Value::Object(map)) => {
            out.push('{');
            let mut first = true;
            for field in schema.fields(*id) {
                let Some(item) = map.get(field.name) else { continue };
                if !first {
                    out.push(',');
                }
                first = false;
                let _ = write!(out, "\"{}\":", field.name);
                write_value(schema, &field.ty, item, out);
            }
            out.push('}');
        }
        _ => out.push_str(&value.to_string()),
    }
}

/// A value of an internal type (`core.SecurityContext`) as JSON: Go names, every field written.
pub(crate) fn internal_json(type_name: &str, value: &Value) -> String {
    let _ = type_name;
    value.to_string()
}
