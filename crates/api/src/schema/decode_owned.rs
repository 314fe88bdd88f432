//! Decoding in place: what is sent mostly is what is stored, but for zero values.

use super::decode::{DecodeError, Decoded, Decoder, MAX_DEPTH, decode_type, is_kept_empty, left_out, whole};
use super::{GoType, Schema, Special, TypeId, base64, time};
use crate::quantity::Quantity;
use serde_json::{Map, Value};

/// As [`decode`](super::decode), of a tree that nobody else needs any more.
///
/// # Errors
/// As [`decode`](super::decode).
pub fn decode_owned(api_version: &str, kind: &str, mut value: Value) -> Result<Decoded, DecodeError> {
    let Some(id) = Schema::get().kind(api_version, kind) else {
        return Err(DecodeError::UnknownKind { api_version: api_version.to_owned(), kind: kind.to_owned() });
    };
    let mut settler = Settler { decoder: Decoder::new(), depth: 0 };
    match settler.value(&GoType::Named(id), &mut value) {
        Some(_) => Ok(Decoded { value, strict_errors: Vec::new() }),
        // To decode what was decoded changes nothing, so that a tree which is settled in part says the same.
        None => decode_type(id, &value),
    }
}

/// Whether a value is what `omitempty` and `omitzero` leave out.
#[derive(Clone, Copy)]
struct Emptiness {
    empty: bool,
    zero: bool,
}

impl Emptiness {
    const fn of(empty: bool) -> Emptiness {
        Emptiness { empty, zero: empty }
    }

    const fn special(zero: bool) -> Emptiness {
        Emptiness { empty: false, zero }
    }
}

struct Settler {
    decoder: Decoder<'static>,
    depth: usize,
}

impl Settler {
    /// Makes a value what decoding makes of it; `None` where there is an error to be told, or anything unusual.
    fn value(&mut self, ty: &GoType, value: &mut Value) -> Option<Emptiness> {
        if self.depth >= MAX_DEPTH {
            return None;
        }
        self.depth += 1;
        let out = self.value_unguarded(ty, value);
        self.depth -= 1;
        out
    }

    fn value_unguarded(&mut self, ty: &GoType, value: &mut Value) -> Option<Emptiness> {
        match ty {
            GoType::Pointer(_) if value.is_null() => return Some(Emptiness::of(true)),
            GoType::Pointer(inner) => {
                self.value(inner, value)?;
                return Some(Emptiness { empty: false, zero: false });
            }
            GoType::Special(special) => return special_value(*special, value),
            _ => {}
        }
        if value.is_null() {
            let zero = self.decoder.zero(ty);
            *value = zero.value;
            return Some(Emptiness { empty: zero.empty, zero: zero.zero });
        }
        match (Schema::get().resolve(ty), &mut *value) {
            (GoType::Bool, Value::Bool(b)) => Some(Emptiness::of(!*b)),
            (GoType::Str, Value::String(s)) => Some(Emptiness::of(s.is_empty())),
            (GoType::Int(_, bits, signed), Value::Number(n)) => whole(n, *bits, *signed).map(Emptiness::of),
            (GoType::Float, Value::Number(n)) => Some(Emptiness::of(n.as_f64() == Some(0.0))),
            (GoType::Bytes, Value::String(s)) => {
                let bytes = base64::decode(s).ok()?;
                *s = base64::encode(&bytes);
                Some(Emptiness::of(bytes.is_empty()))
            }
            (GoType::Slice(inner), Value::Array(items)) => {
                for item in &mut *items {
                    self.value(inner, item)?;
                }
                Some(null_if(items.is_empty(), value))
            }
            (GoType::Map(_, inner), Value::Object(map)) => {
                for item in map.values_mut() {
                    self.value(inner, item)?;
                    if item.is_null() && **inner == GoType::Bytes {
                        *item = Value::from("");
                    }
                }
                Some(null_if(map.is_empty(), value))
            }
            (GoType::Named(id), Value::Object(map)) => self.object(*id, map),
            _ => None,
        }
    }

    fn object(&mut self, id: TypeId, map: &mut Map<String, Value>) -> Option<Emptiness> {
        let schema = Schema::get();
        let fields = schema.fields(id);
        let mut gone = Vec::new();
        for (key, item) in map.iter_mut() {
            let field = fields.iter().find(|field| field.name == key)?;
            if is_kept_empty(id, field, item) {
                continue;
            }
            let is = self.value(&field.ty, item)?;
            if left_out(field, is.empty, is.zero) {
                gone.push(field.name);
            }
        }
        for field in fields {
            let may_be_left_out =
                || !matches!(schema.resolve(&field.ty), GoType::Named(_) | GoType::Special(_));
            if field.omit_empty && may_be_left_out() || map.contains_key(field.name) {
                continue;
            }
            let zero = self.decoder.zero(&field.ty);
            if !left_out(field, zero.empty, zero.zero) {
                map.insert(field.name.to_owned(), zero.value);
            }
        }
        for name in gone {
            map.remove(name);
        }
        Some(Emptiness::special(map.is_empty()))
    }
}

/// Protobuf, in which objects are stored, knows no empty list or map.
fn null_if(empty: bool, value: &mut Value) -> Emptiness {
    if empty {
        *value = Value::Null;
    }
    Emptiness::of(empty)
}

fn special_value(special: Special, value: &mut Value) -> Option<Emptiness> {
    match (special, &mut *value) {
        (Special::Quantity, Value::String(text)) => {
            let canonical = Quantity::parse_json(text).ok()?.to_string();
            *text = canonical;
            Some(Emptiness::special(false))
        }
        (Special::IntOrString, Value::String(_)) => Some(Emptiness::special(false)),
        (Special::IntOrString, Value::Number(n)) => whole(n, 32, true).map(Emptiness::special),
        (Special::Time | Special::MicroTime, Value::Null) => Some(Emptiness::special(true)),
        (Special::Time, Value::String(text)) => {
            let (seconds, _) = time::parse_go_time(text, false).ok()?;
            let canonical = time::rfc3339_seconds(seconds);
            // The zero time is left to the other.
            if canonical.starts_with("0001-") {
                return None;
            }
            *text = canonical;
            Some(Emptiness::special(false))
        }
        (Special::Duration, Value::String(_)) => Some(Emptiness::special(false)),
        (Special::RawExtension | Special::FieldsV1 | Special::Json, value) => {
            Some(Emptiness::special(value.is_null()))
        }
        _ => None,
    }
}
