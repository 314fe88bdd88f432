//! From a tree to protobuf: [`super::decode`] the other way round.

use super::MAGIC;
use super::numbers::{Member, members};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use podlab_api::schema::{Definition, GoType, Schema, Special, TypeId, parse_rfc3339};
use serde_json::{Map, Value};

/// Wire types.
const VARINT: u64 = 0;
const FIXED64: u64 = 1;
const BYTES: u64 = 2;

/// Writes an object whose `kind` and `apiVersion` say what it is, with its envelope; `None` for a kind that is not known.
pub(crate) fn encode(value: &Value) -> Option<Vec<u8>> {
    let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or("");
    let (api_version, kind) = (text("apiVersion"), text("kind"));
    let schema = Schema::get();
    let id = schema.kind(api_version, kind).or_else(|| {
        let status = kind == "Status" && api_version == "v1";
        status.then(|| schema.type_named("meta/v1.Status")).flatten()
    })?;
    let raw = message(value.as_object()?, &schema.full_name(id), id);
    Some(envelope(api_version, kind, &raw))
}

/// Writes a list of objects of a kind; `None` for a kind that is not known.
pub(crate) fn encode_list<'a>(
    api_version: &str,
    kind: &str,
    meta: &Value,
    items: impl Iterator<Item = &'a Value>,
) -> Option<Vec<u8>> {
    let schema = Schema::get();
    let id = schema.kind(api_version, kind)?;
    let list_meta = schema.type_named("meta/v1.ListMeta")?;
    let name = schema.full_name(id);
    let mut raw = Vec::new();
    bytes(&mut raw, 1, &message(meta.as_object()?, "meta/v1.ListMeta", list_meta));
    for item in items {
        bytes(&mut raw, 2, &message(item.as_object()?, &name, id));
    }
    Some(envelope(api_version, &format!("{kind}List"), &raw))
}

/// Writes a watch event, with the length that stands before it; `None` for a kind that is not known.
pub(crate) fn encode_event(change: &str, object: &Value) -> Option<Vec<u8>> {
    frame(change, &encode(object)?)
}

/// Writes a watch event of an object that is written already.
pub(crate) fn frame(change: &str, object: &[u8]) -> Option<Vec<u8>> {
    let mut raw_extension = Vec::new();
    bytes(&mut raw_extension, 1, object);
    let mut event = Vec::new();
    bytes(&mut event, 1, change.as_bytes());
    bytes(&mut event, 2, &raw_extension);
    let length = u32::try_from(event.len()).ok()?;
    Some([length.to_be_bytes().as_slice(), &event].concat())
}

fn envelope(api_version: &str, kind: &str, raw: &[u8]) -> Vec<u8> {
    let mut meta = Vec::new();
    bytes(&mut meta, 1, api_version.as_bytes());
    bytes(&mut meta, 2, kind.as_bytes());
    let mut out = MAGIC.to_vec();
    bytes(&mut out, 1, &meta);
    bytes(&mut out, 2, raw);
    bytes(&mut out, 3, b"");
    bytes(&mut out, 4, b"");
    out
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn key(out: &mut Vec<u8>, number: u32, wire: u64) {
    varint(out, u64::from(number) << 3 | wire);
}

fn bytes(out: &mut Vec<u8>, number: u32, content: &[u8]) {
    key(out, number, BYTES);
    varint(out, content.len() as u64);
    out.extend_from_slice(content);
}

fn number(out: &mut Vec<u8>, at: u32, value: i64) {
    key(out, at, VARINT);
    varint(out, value as u64);
}

/// Writes the fields of a struct `id` that the message `name` has.
fn message(map: &Map<String, Value>, name: &str, id: TypeId) -> Vec<u8> {
    let schema = Schema::get();
    let mut out = Vec::new();
    for (at, member) in members(name) {
        match member {
            Member::Embedded(inner) => {
                let part = message(map, inner, id);
                if !part.is_empty() {
                    bytes(&mut out, *at, &part);
                }
            }
            Member::Field(name) => {
                let field = schema.fields(id).iter().find(|field| field.name == *name);
                if let (Some(field), Some(value)) = (field, map.get(*name)) {
                    member_of(&mut out, *at, &field.ty, value);
                }
            }
        }
    }
    out
}

/// Writes a field's value under its number, an element at a time where it has several.
fn member_of(out: &mut Vec<u8>, at: u32, ty: &GoType, value: &Value) {
    let map_of = |ty: &GoType, out: &mut Vec<u8>| {
        for (name, value) in value.as_object().into_iter().flatten() {
            let mut entry = Vec::new();
            bytes(&mut entry, 1, name.as_bytes());
            one(&mut entry, 2, ty, value);
            bytes(out, at, &entry);
        }
    };
    match ty {
        GoType::Slice(element) => {
            for item in value.as_array().into_iter().flatten() {
                one(out, at, element, item);
            }
        }
        GoType::Map(_, of) => map_of(of, out),
        GoType::Named(id) => match Schema::get().definition(*id) {
            Definition::Named { ty: GoType::Map(_, of), .. } => map_of(of, out),
            _ => one(out, at, ty, value),
        },
        _ => one(out, at, ty, value),
    }
}

/// Writes one value; what does not fit its type is left out.
fn one(out: &mut Vec<u8>, at: u32, ty: &GoType, value: &Value) {
    match (ty, value) {
        (_, Value::Null) => {}
        (GoType::Pointer(inner), _) => one(out, at, inner, value),
        (GoType::Named(id), _) => match (Schema::get().definition(*id), value) {
            (Definition::Struct(_), Value::Object(map)) => {
                bytes(out, at, &message(map, &Schema::get().full_name(*id), *id));
            }
            (Definition::Named { ty: GoType::Slice(element), .. }, Value::Array(items)) => {
                let mut list = Vec::new();
                items.iter().for_each(|item| one(&mut list, 1, element, item));
                bytes(out, at, &list);
            }
            (Definition::Named { ty, .. }, _) => one(out, at, ty, value),
            _ => {}
        },
        (GoType::Bool, Value::Bool(set)) => number(out, at, i64::from(*set)),
        (GoType::Int(..), Value::Number(found)) => {
            // Numbers that need all 64 bits have no sign.
            let bits = found.as_i64().or_else(|| found.as_u64().map(|bits| bits as i64));
            number(out, at, bits.unwrap_or(0));
        }
        (GoType::Float, Value::Number(found)) => {
            key(out, at, FIXED64);
            out.extend(found.as_f64().unwrap_or(0.0).to_bits().to_le_bytes());
        }
        (GoType::Str, Value::String(text)) => bytes(out, at, text.as_bytes()),
        (GoType::Bytes, Value::String(text)) => bytes(out, at, &STANDARD.decode(text).unwrap_or_default()),
        (GoType::Special(special), _) => {
            if let Some(content) = special_value(*special, value) {
                bytes(out, at, &content);
            }
        }
        _ => {}
    }
}

fn special_value(special: Special, value: &Value) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let schema_props = Schema::get().type_named("apiextensions/v1.JSONSchemaProps").map(GoType::Named);
    match (special, value) {
        (Special::Quantity, Value::String(text)) => bytes(&mut out, 1, text.as_bytes()),
        (Special::Quantity, Value::Number(found)) => bytes(&mut out, 1, found.to_string().as_bytes()),
        (Special::IntOrString, Value::Number(found)) => {
            number(&mut out, 1, 0);
            number(&mut out, 2, found.as_i64()?);
            bytes(&mut out, 3, b"");
        }
        (Special::IntOrString, Value::String(text)) => {
            number(&mut out, 1, 1);
            number(&mut out, 2, 0);
            bytes(&mut out, 3, text.as_bytes());
        }
        (Special::Time | Special::MicroTime, Value::String(text)) => {
            let (seconds, nanos) = parse_rfc3339(text).ok()?;
            number(&mut out, 1, seconds);
            number(&mut out, 2, i64::from(nanos));
        }
        (Special::RawExtension | Special::FieldsV1 | Special::Json, value) => {
            bytes(&mut out, 1, value.to_string().as_bytes());
        }
        (Special::JsonSchemaPropsOrArray, Value::Array(items)) => {
            items
                .iter()
                .for_each(|item| one(&mut out, 2, schema_props.as_ref().unwrap_or(&GoType::Str), item));
        }
        (Special::JsonSchemaPropsOrStringArray, Value::Array(items)) => {
            items.iter().filter_map(Value::as_str).for_each(|text| bytes(&mut out, 2, text.as_bytes()));
        }
        (Special::JsonSchemaPropsOrBool, Value::Bool(allows)) => number(&mut out, 1, i64::from(*allows)),
        (Special::JsonSchemaPropsOrBool, Value::Object(_)) => {
            number(&mut out, 1, 1);
            one(&mut out, 2, schema_props.as_ref()?, value);
        }
        (Special::JsonSchemaPropsOrArray | Special::JsonSchemaPropsOrStringArray, Value::Object(_)) => {
            one(&mut out, 1, schema_props.as_ref()?, value);
        }
        _ => return None,
    }
    Some(out)
}
