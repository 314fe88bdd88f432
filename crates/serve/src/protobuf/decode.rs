//! From protobuf to the tree that JSON would have given.

use super::MAGIC;
use super::numbers::{Member, members};
use super::wire::{Fields, Wire, packed};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use podlab_api::schema::{
    Definition, Field, GoType, Schema, Special, TypeId, rfc3339_micro, rfc3339_seconds,
};
use serde_json::{Map, Value, json};

/// As deep as messages may lie in each other.
const DEEPEST: usize = 100;

/// Reads a document with its envelope.
///
/// # Errors
/// In words, where it is none or names a kind that is not known.
pub(crate) fn decode(bytes: &[u8]) -> Result<Value, String> {
    let unknown =
        bytes.strip_prefix(MAGIC).ok_or("provided data does not appear to be a protobuf message")?;
    let (mut api_version, mut kind, mut raw) = (String::new(), String::new(), &[][..]);
    for field in Fields(unknown) {
        match field.ok_or(BROKEN)? {
            (1, Wire::Bytes(meta)) => {
                for field in Fields(meta) {
                    match field.ok_or(BROKEN)? {
                        (1, Wire::Bytes(text)) => api_version = utf8(text)?,
                        (2, Wire::Bytes(text)) => kind = utf8(text)?,
                        _ => {}
                    }
                }
            }
            (2, Wire::Bytes(bytes)) => raw = bytes,
            _ => {}
        }
    }
    let schema = Schema::get();
    // Options are known to every group under its own version.
    let id = schema
        .kind(&api_version, &kind)
        .or_else(|| schema.type_named(&format!("meta/v1.{kind}")))
        .ok_or_else(|| format!("no kind {kind:?} is registered for version {api_version:?}"))?;
    let mut map = Map::new();
    message(raw, &schema.full_name(id), id, &mut map, 0)?;
    map.insert("apiVersion".to_owned(), api_version.into());
    map.insert("kind".to_owned(), kind.into());
    Ok(Value::Object(map))
}

const BROKEN: &str = "unexpected EOF";

fn utf8(bytes: &[u8]) -> Result<String, String> {
    String::from_utf8(bytes.to_vec()).map_err(|_| "string field contains invalid UTF-8".to_owned())
}

/// Reads a message into the fields of the struct `id`; `name` is that of the message, which may be a part of the struct.
fn message(
    bytes: &[u8],
    name: &str,
    id: TypeId,
    out: &mut Map<String, Value>,
    depth: usize,
) -> Result<(), String> {
    if depth > DEEPEST {
        return Err("exceeded max depth".to_owned());
    }
    let members = members(name);
    for field in Fields(bytes) {
        let (number, wire) = field.ok_or(BROKEN)?;
        match members.iter().find(|(own, _)| *own == number).map(|(_, member)| member) {
            Some(Member::Embedded(inner)) => {
                if let Wire::Bytes(bytes) = wire {
                    message(bytes, inner, id, out, depth + 1)?;
                }
            }
            Some(Member::Field(name)) => {
                if let Some(field) = Schema::get().fields(id).iter().find(|field| field.name == *name) {
                    member(field, wire, out, depth)?;
                }
            }
            None => {}
        }
    }
    Ok(())
}

/// Puts a field's value, or one element of it, in its place.
fn member(field: &Field, wire: Wire<'_>, out: &mut Map<String, Value>, depth: usize) -> Result<(), String> {
    let key = field.name.to_owned();
    match repeated(&field.ty) {
        Repeated::List(element) => {
            let list = out.entry(key).or_insert_with(|| json!([]));
            let Some(list) = list.as_array_mut() else { return Ok(()) };
            if let (GoType::Int(..), Wire::Bytes(bytes)) = (Schema::get().resolve(element), wire) {
                list.extend(packed(bytes).map(|number| json!(number as i64)));
            } else {
                list.push(value(element, wire, depth + 1)?);
            }
        }
        Repeated::Map(of) => {
            let Wire::Bytes(entry) = wire else { return Ok(()) };
            let (mut name, mut found) = (String::new(), None);
            for field in Fields(entry) {
                match field.ok_or(BROKEN)? {
                    (1, Wire::Bytes(text)) => name = utf8(text)?,
                    (2, wire) => found = Some(value(of, wire, depth + 1)?),
                    _ => {}
                }
            }
            let map = out.entry(key).or_insert_with(|| json!({}));
            if let Some(map) = map.as_object_mut() {
                let empty =
                    || if *Schema::get().resolve(of) == GoType::Str { json!("") } else { Value::Null };
                map.insert(name, found.unwrap_or_else(empty));
            }
        }
        Repeated::No => {
            let value = value(&field.ty, wire, depth + 1)?;
            let pointer = matches!(field.ty, GoType::Pointer(_));
            let zero = match &value {
                Value::Null => true,
                Value::Bool(set) => !set && field.omit_empty,
                Value::Number(number) => number.as_f64() == Some(0.0) && field.omit_empty,
                Value::String(text) => text.is_empty() && field.omit_empty,
                Value::Object(map) => map.is_empty(),
                Value::Array(_) => false,
            };
            // What is not behind a pointer is always sent; zero means that it is not set.
            if pointer && !value.is_null() || !zero {
                out.insert(key, value);
            }
        }
    }
    Ok(())
}

enum Repeated<'a> {
    No,
    List(&'a GoType),
    Map(&'a GoType),
}

fn repeated(ty: &GoType) -> Repeated<'_> {
    match ty {
        GoType::Slice(element) => Repeated::List(element),
        GoType::Map(_, of) => Repeated::Map(of),
        // A map with a name is a map on the wire; a list with a name is a message of its own.
        GoType::Named(id) => match Schema::get().definition(*id) {
            Definition::Named { ty: GoType::Map(_, of), .. } => Repeated::Map(of),
            _ => Repeated::No,
        },
        _ => Repeated::No,
    }
}

fn value(ty: &GoType, wire: Wire<'_>, depth: usize) -> Result<Value, String> {
    if depth > DEEPEST {
        return Err("exceeded max depth".to_owned());
    }
    Ok(match (ty, wire) {
        (GoType::Pointer(inner), _) => value(inner, wire, depth)?,
        (GoType::Named(id), _) => match (Schema::get().definition(*id), wire) {
            (Definition::Struct(_), Wire::Bytes(bytes)) => {
                let mut map = Map::new();
                message(bytes, &Schema::get().full_name(*id), *id, &mut map, depth)?;
                Value::Object(map)
            }
            (Definition::Named { ty: GoType::Slice(element), .. }, Wire::Bytes(bytes)) => {
                let mut items = Vec::new();
                for field in Fields(bytes) {
                    if let (1, wire) = field.ok_or(BROKEN)? {
                        items.push(value(element, wire, depth + 1)?);
                    }
                }
                Value::Array(items)
            }
            (Definition::Named { ty, .. }, _) => value(ty, wire, depth + 1)?,
            _ => return Err(format!("wrong wireType for field of type {}", Schema::get().type_name(*id))),
        },
        (GoType::Bool, Wire::Varint(number)) => Value::Bool(number != 0),
        (GoType::Int(_, _, false), Wire::Varint(number)) => json!(number),
        (GoType::Int(..), Wire::Varint(number)) => json!(number as i64),
        (GoType::Float, Wire::Fixed64(bits)) => json!(f64::from_bits(bits)),
        (GoType::Str, Wire::Bytes(bytes)) => Value::String(utf8(bytes)?),
        (GoType::Bytes, Wire::Bytes(bytes)) => Value::String(STANDARD.encode(bytes)),
        (GoType::Special(special), Wire::Bytes(bytes)) => special_value(*special, bytes, depth)?,
        _ => return Err(format!("wrong wireType for field of type {}", Schema::get().go_type(ty))),
    })
}

/// The first value under a number.
fn first<'a>(bytes: &'a [u8], wanted: u32) -> Option<Wire<'a>> {
    Fields(bytes).flatten().find(|(number, _)| *number == wanted).map(|(_, wire)| wire)
}

fn number(bytes: &[u8], wanted: u32) -> Option<i64> {
    match first(bytes, wanted) {
        Some(Wire::Varint(number)) => Some(number as i64),
        _ => None,
    }
}

fn special_value(special: Special, bytes: &[u8], depth: usize) -> Result<Value, String> {
    let text = |wanted: u32| match first(bytes, wanted) {
        Some(Wire::Bytes(bytes)) => utf8(bytes),
        _ => Ok(String::new()),
    };
    let schema_props = || -> Result<Option<Value>, String> {
        let id = Schema::get().type_named("apiextensions/v1.JSONSchemaProps");
        let wanted = if special == Special::JsonSchemaPropsOrBool { 2 } else { 1 };
        match (id, first(bytes, wanted)) {
            (Some(id), Some(wire @ Wire::Bytes(_))) => value(&GoType::Named(id), wire, depth + 1).map(Some),
            _ => Ok(None),
        }
    };
    Ok(match special {
        Special::Quantity => Value::String(text(1)?),
        Special::IntOrString => match number(bytes, 1).unwrap_or(0) {
            0 => json!(number(bytes, 2).unwrap_or(0)),
            _ => Value::String(text(3)?),
        },
        Special::Time | Special::MicroTime => match (number(bytes, 1), number(bytes, 2)) {
            (None, None) => Value::Null,
            (seconds, nanos) => {
                let (seconds, nanos) = (seconds.unwrap_or(0), nanos.unwrap_or(0));
                Value::String(if special == Special::Time {
                    rfc3339_seconds(seconds)
                } else {
                    rfc3339_micro(seconds, u32::try_from(nanos).unwrap_or(0))
                })
            }
        },
        Special::Duration => Value::String(podlab_api::duration::go_duration(number(bytes, 1).unwrap_or(0))),
        Special::RawExtension | Special::FieldsV1 | Special::Json => match first(bytes, 1) {
            Some(Wire::Bytes(raw)) if raw.starts_with(MAGIC) => super::decode(raw)?,
            Some(Wire::Bytes(raw)) if !raw.is_empty() => {
                serde_json::from_slice(raw).map_err(|error| error.to_string())?
            }
            _ => Value::Null,
        },
        Special::JsonSchemaPropsOrArray => match schema_props()? {
            Some(one) => one,
            None => {
                let id = Schema::get().type_named("apiextensions/v1.JSONSchemaProps");
                let mut items = Vec::new();
                for field in Fields(bytes) {
                    if let ((2, wire), Some(id)) = (field.ok_or(BROKEN)?, id) {
                        items.push(value(&GoType::Named(id), wire, depth + 1)?);
                    }
                }
                Value::Array(items)
            }
        },
        Special::JsonSchemaPropsOrBool => match schema_props()? {
            Some(one) => one,
            None => Value::Bool(number(bytes, 1).unwrap_or(0) != 0),
        },
        Special::JsonSchemaPropsOrStringArray => match schema_props()? {
            Some(one) => one,
            None => {
                let mut items = Vec::new();
                for field in Fields(bytes) {
                    if let (2, Wire::Bytes(text)) = field.ok_or(BROKEN)? {
                        items.push(Value::String(utf8(text)?));
                    }
                }
                Value::Array(items)
            }
        },
    })
}
