//! What the converter from trees to types refuses, which reads what a strategic merge patch made of an object.
//!
//! Source: k8s.io/apimachinery/pkg/runtime/converter.go `fromUnstructured` (v1.37).

use super::decode::decode_go_type;
use super::{GoType, Schema};
use serde_json::Value;

/// What the converter says of a tree that is no object of the kind; `None` where it takes it.
///
/// Fields are looked at in the order of the Go types, and it stops at the first that does not fit.
pub fn conversion_error(api_version: &str, kind: &str, value: &Value) -> Option<String> {
    let schema = Schema::get();
    let id = schema.kind(api_version, kind)?;
    check(schema, &GoType::Named(id), value).err()
}

fn check(schema: &Schema, ty: &GoType, value: &Value) -> Result<(), String> {
    if value.is_null() {
        return Ok(());
    }
    let name = schema.go_type(ty);
    match schema.resolve(ty) {
        GoType::Pointer(inner) => check(schema, inner, value),
        GoType::Bool => match value {
            Value::Bool(_) => Ok(()),
            _ => Err("unrecognized type: bool".to_owned()),
        },
        GoType::Str => match value {
            Value::String(_) => Ok(()),
            Value::Number(number) if !number.is_f64() => Err(format!("cannot convert int64 to {name}")),
            _ => Err("unrecognized type: string".to_owned()),
        },
        GoType::Int(kind, ..) => match value {
            Value::Number(number) => match number.as_f64() {
                Some(float) if number.is_f64() && float.fract() != 0.0 => {
                    Err(format!("cannot convert float64 to {name}"))
                }
                _ => Ok(()),
            },
            _ => Err(format!("unrecognized type: {kind}")),
        },
        GoType::Float => match value {
            Value::Number(_) => Ok(()),
            _ => Err("unrecognized type: float64".to_owned()),
        },
        GoType::Bytes => match value {
            Value::String(_) => decode_go_type(&GoType::Bytes, value)
                .map_err(|why| format!("error decoding from json: {why}")),
            Value::Array(items) => items.iter().try_for_each(|item| match item {
                Value::Number(_) | Value::Null => Ok(()),
                _ => Err("unrecognized type: uint8".to_owned()),
            }),
            _ => Err(format!("cannot restore slice from {}", kind_of(value))),
        },
        GoType::Special(_) => decode_go_type(ty, value),
        GoType::Slice(inner) => match value {
            Value::Array(items) => items.iter().try_for_each(|item| check(schema, inner, item)),
            _ => Err(format!("cannot restore slice from {}", kind_of(value))),
        },
        GoType::Map(_, inner) => match value {
            Value::Object(map) => map.values().try_for_each(|item| check(schema, inner, item)),
            _ => Err(format!("cannot restore map from {}", kind_of(value))),
        },
        GoType::Named(id) => match value {
            Value::Object(map) => schema.fields(*id).iter().try_for_each(|field| match map.get(field.name) {
                Some(value) => check(schema, &field.ty, value),
                None => Ok(()),
            }),
            _ => Err(format!("cannot restore struct from: {}", kind_of(value))),
        },
    }
}

/// What Go's reflection calls the kind of a value in a tree.
fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "invalid",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float64",
        Value::Number(_) => "int64",
        Value::String(_) => "string",
        Value::Array(_) => "slice",
        Value::Object(_) => "map",
    }
}
