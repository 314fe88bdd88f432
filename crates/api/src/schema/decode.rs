//! Decoding as the API server does it: JSON into the Go type and out again.

use super::{Field, GoType, Schema, Special, TypeId, base64, time};
use crate::go_text::quote;
use crate::quantity::Quantity;
use serde_json::{Map, Number, Value};

/// How deep values may nest; the types themselves are far shallower, only JSON schemas recurse.
pub(super) const MAX_DEPTH: usize = 200;
/// How many strict errors are kept. Source: sigs.k8s.io/json kubernetes_patch.go saveStrictError.
const MAX_STRICT_ERRORS: usize = 100;

/// Why a tree cannot be the object it claims to be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// A value of the wrong type; the text is Go's.
    #[error("{0}")]
    Unmarshal(String),
    /// The schema has no such kind.
    #[error("no kind {kind:?} is registered for version {api_version:?}")]
    UnknownKind {
        /// `apiVersion` as asked.
        api_version: String,
        /// `kind` as asked.
        kind: String,
    },
}

/// An object as the API server holds it after decoding.
#[derive(Clone, Debug)]
pub struct Decoded {
    /// Unknown fields gone, zero values dropped or written as Go's struct tags say.
    pub value: Value,
    /// `unknown field "spec.foo"`, in the order in which they were met. They are warnings, errors or nothing,
    /// depending on `fieldValidation`.
    pub strict_errors: Vec<String>,
}

impl Decoded {
    /// `strict decoding error: unknown field "a", unknown field "b"`, or `None` if there were none.
    ///
    /// Source: k8s.io/apimachinery/pkg/runtime/error.go strictDecodingError (v1.37).
    pub fn strict_error(&self) -> Option<String> {
        (!self.strict_errors.is_empty())
            .then(|| format!("strict decoding error: {}", self.strict_errors.join(", ")))
    }
}

/// The text of the BadRequest that wraps a decoding error.
///
/// Source: k8s.io/apiserver/pkg/endpoints/handlers/rest.go transformDecodeError (v1.37).
pub fn bad_request_message(api_version: &str, kind: &str, error: &str) -> String {
    let version = api_version.rsplit('/').next().unwrap_or(api_version);
    format!("{kind} in version {version:?} cannot be handled as a {kind}: {error}")
}

/// Decodes `value` as an object of a kind and encodes it again.
///
/// Keys are met in the order of the map, which is the order in which kubectl sends them.
///
/// # Errors
/// A value of the wrong type, or a kind that the schema lacks. Unknown fields are no error, see [`Decoded`].
pub fn decode(api_version: &str, kind: &str, value: &Value) -> Result<Decoded, DecodeError> {
    let Some(id) = Schema::get().kind(api_version, kind) else {
        return Err(DecodeError::UnknownKind { api_version: api_version.to_owned(), kind: kind.to_owned() });
    };
    decode_type(id, value)
}

/// As [`decode`], for any type of the schema.
///
/// # Errors
/// A value of the wrong type.
pub fn decode_type(id: TypeId, value: &Value) -> Result<Decoded, DecodeError> {
    let mut decoder = Decoder::new();
    let encoded = decoder.value(&GoType::Named(id), value).map_err(DecodeError::Unmarshal)?;
    match decoder.saved {
        Some(error) => Err(DecodeError::Unmarshal(error)),
        None => Ok(Decoded { value: encoded.value, strict_errors: decoder.strict_errors }),
    }
}

/// Whether a value can be decoded as a Go type by itself; else what the decoder says.
pub(super) fn decode_go_type(ty: &GoType, value: &Value) -> Result<(), String> {
    let mut decoder = Decoder::new();
    decoder.value(ty, value)?;
    decoder.saved.map_or(Ok(()), Err)
}

/// A value as Go would write it again.
pub(super) struct Encoded {
    pub(super) value: Value,
    /// What `omitempty` leaves out: false, 0, "", nil, an empty list or map; never a struct.
    pub(super) empty: bool,
    /// What `omitzero` leaves out.
    pub(super) zero: bool,
}

impl Encoded {
    fn of(value: impl Into<Value>, empty: bool) -> Encoded {
        Encoded { value: value.into(), empty, zero: empty }
    }

    /// A struct with its own JSON form: `omitempty` never drops it.
    fn special(value: impl Into<Value>, zero: bool) -> Encoded {
        Encoded { value: value.into(), empty: false, zero }
    }
}

/// Source: sigs.k8s.io/json internal/golang/encoding/json/decode.go decodeState.
pub(super) struct Decoder<'a> {
    schema: &'static Schema,
    /// The struct whose field is being read, for error texts.
    context: Option<TypeId>,
    /// The fields down to it.
    fields: Vec<&'static str>,
    /// The same with indexes and map keys, for strict errors.
    path: Vec<Step<'a>>,
    /// The first error that did not stop decoding.
    saved: Option<String>,
    strict_errors: Vec<String>,
    depth: usize,
}

enum Step<'a> {
    Key(&'a str),
    Index(usize),
}

/// What JSON error texts call a value.
pub fn json_word(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

impl<'a> Decoder<'a> {
    pub(super) fn new() -> Self {
        Decoder {
            schema: Schema::get(),
            context: None,
            fields: Vec::new(),
            path: Vec::new(),
            saved: None,
            strict_errors: Vec::new(),
            depth: 0,
        }
    }

    fn type_error(&self, what: &str, go_type: &str) -> String {
        match self.context {
            Some(id) => format!(
                "json: cannot unmarshal {what} into Go struct field {}.{} of type {go_type}",
                self.schema.type_name(id),
                self.fields.join(".")
            ),
            None => format!("json: cannot unmarshal {what} into Go value of type {go_type}"),
        }
    }

    /// Keeps a type error; decoding goes on, and only the first one is told.
    fn save(&mut self, what: &str, ty: &GoType) -> Encoded {
        if self.saved.is_none() {
            self.saved = Some(self.type_error(what, &self.schema.go_type(ty)));
        }
        Encoded::of(Value::Null, true)
    }

    /// `Err` is an error of a type's own unmarshaler, which stops decoding at once.
    fn value(&mut self, ty: &GoType, value: &'a Value) -> Result<Encoded, String> {
        if self.depth >= MAX_DEPTH {
            return Err("json: exceeded max depth".to_owned());
        }
        self.depth += 1;
        let out = self.value_unguarded(ty, value);
        self.depth -= 1;
        out
    }

    fn value_unguarded(&mut self, ty: &GoType, value: &'a Value) -> Result<Encoded, String> {
        let schema = self.schema;
        if let GoType::Pointer(inner) = ty {
            if value.is_null() {
                return Ok(Encoded::of(Value::Null, true));
            }
            let inner = self.value(inner, value)?;
            return Ok(Encoded { value: inner.value, empty: false, zero: false });
        }
        if let GoType::Special(special) = ty {
            return self.special(*special, value);
        }
        if value.is_null() {
            return Ok(self.zero(ty));
        }
        Ok(match (schema.resolve(ty), value) {
            (GoType::Bool, Value::Bool(b)) => Encoded::of(*b, !*b),
            (GoType::Str, Value::String(s)) => Encoded::of(s.as_str(), s.is_empty()),
            (GoType::Int(_, bits, signed), Value::Number(n)) => match whole(n, *bits, *signed) {
                Some(zero) => Encoded::of(n.clone(), zero),
                None => self.save(&format!("number {n}"), ty),
            },
            (GoType::Float, Value::Number(n)) => Encoded::of(n.clone(), n.as_f64() == Some(0.0)),
            (GoType::Bytes, Value::String(s)) => match base64::decode(s) {
                Ok(bytes) => Encoded::of(base64::encode(&bytes), bytes.is_empty()),
                Err(offset) => {
                    if self.saved.is_none() {
                        self.saved = Some(format!("illegal base64 data at input byte {offset}"));
                    }
                    Encoded::of(Value::Null, true)
                }
            },
            (GoType::Slice(inner), Value::Array(items)) => self.array(inner, items)?,
            (GoType::Map(_, inner), Value::Object(map)) => self.map(inner, map)?,
            (GoType::Named(id), Value::Object(map)) => self.object(*id, Some(map))?,
            _ => self.save(json_word(value), ty),
        })
    }

    fn array(&mut self, inner: &GoType, items: &'a [Value]) -> Result<Encoded, String> {
        if items.is_empty() {
            // Protobuf, in which objects are stored, knows no empty list.
            return Ok(Encoded::of(Value::Null, true));
        }
        let mut out = Vec::with_capacity(items.len());
        for (i, item) in items.iter().enumerate() {
            self.path.push(Step::Index(i));
            out.push(self.value(inner, item)?.value);
            self.path.pop();
        }
        Ok(Encoded::of(out, false))
    }

    fn map(&mut self, inner: &GoType, map: &'a Map<String, Value>) -> Result<Encoded, String> {
        if map.is_empty() {
            return Ok(Encoded::of(Value::Null, true));
        }
        let mut out = Map::new();
        for (key, item) in map {
            self.path.push(Step::Key(key));
            let mut encoded = self.value(inner, item)?.value;
            self.path.pop();
            if encoded.is_null() && *inner == GoType::Bytes {
                encoded = Value::from("");
            }
            out.insert(key.clone(), encoded);
        }
        Ok(Encoded::of(out, false))
    }

    fn object(&mut self, id: TypeId, given: Option<&'a Map<String, Value>>) -> Result<Encoded, String> {
        let schema = self.schema;
        let fields = schema.fields(id);
        let mut out = Map::new();
        if let Some(map) = given {
            let (context, length) = (self.context, self.fields.len());
            for (key, item) in map {
                let Some(field) = fields.iter().find(|f| f.name == key) else {
                    self.unknown_field(key);
                    continue;
                };
                if let Some(inline) = field.inline {
                    self.fields.extend(inline.split('.'));
                }
                self.fields.push(field.name);
                self.context = Some(id);
                self.path.push(Step::Key(key));
                let encoded = self.value(&field.ty, item)?;
                if is_kept_empty(id, field, item) {
                    out.insert(field.name.to_owned(), item.clone());
                } else {
                    insert(&mut out, field, encoded);
                }
                self.path.pop();
                self.context = context;
                self.fields.truncate(length);
            }
        }
        for field in fields {
            let ty = schema.resolve(&field.ty);
            if field.omit_empty && !matches!(ty, GoType::Named(_) | GoType::Special(_)) {
                // Only structs are written when they are empty.
                continue;
            }
            if given.is_none_or(|map| !map.contains_key(field.name)) {
                let encoded = self.zero(&field.ty);
                insert(&mut out, field, encoded);
            }
        }
        let zero = out.is_empty();
        Ok(Encoded::special(out, zero))
    }

    /// What an absent value of a type is written as.
    pub(super) fn zero(&mut self, ty: &GoType) -> Encoded {
        match self.schema.resolve(ty) {
            GoType::Bool => Encoded::of(false, true),
            GoType::Int(..) | GoType::Float => Encoded::of(0, true),
            GoType::Str => Encoded::of("", true),
            GoType::Bytes | GoType::Pointer(_) | GoType::Slice(_) | GoType::Map(..) => {
                Encoded::of(Value::Null, true)
            }
            GoType::Special(Special::Quantity) => Encoded::special("0", true),
            GoType::Special(Special::IntOrString) => Encoded::special(0, true),
            GoType::Special(_) => Encoded::special(Value::Null, true),
            GoType::Named(id) => {
                let id = *id;
                // Structs hold themselves only through pointers, lists and maps, so this ends.
                self.object(id, None).unwrap_or_else(|_| Encoded::special(Map::new(), true))
            }
        }
    }

    fn unknown_field(&mut self, key: &str) {
        if self.strict_errors.len() >= MAX_STRICT_ERRORS {
            return;
        }
        let mut path = String::new();
        for step in &self.path {
            match step {
                Step::Index(i) => path.push_str(&format!("[{i}]")),
                Step::Key(k) if path.is_empty() => path.push_str(k),
                Step::Key(k) => {
                    path.push('.');
                    path.push_str(k);
                }
            }
        }
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(key);
        let error = format!("unknown field {}", quote(&path));
        if !self.strict_errors.contains(&error) {
            self.strict_errors.push(error);
        }
    }

    fn special(&mut self, special: Special, value: &'a Value) -> Result<Encoded, String> {
        match special {
            Special::Quantity => {
                let text = match value {
                    Value::Null => return Ok(Encoded::special("0", true)),
                    Value::String(s) => s.clone(),
                    other => other.to_string(),
                };
                let quantity = Quantity::parse_json(&text).map_err(|e| e.to_string())?;
                Ok(Encoded::special(quantity.to_string(), false))
            }
            Special::IntOrString => match value {
                Value::String(_) => Ok(Encoded::special(value.clone(), false)),
                Value::Null => Ok(Encoded::special(0, true)),
                Value::Number(n) => match whole(n, 32, true) {
                    Some(zero) => Ok(Encoded::special(n.clone(), zero)),
                    None => Err(self.type_error(&format!("number {n}"), "int32")),
                },
                other => Err(self.type_error(json_word(other), "int32")),
            },
            Special::Time | Special::MicroTime => match value {
                Value::Null => Ok(Encoded::special(Value::Null, true)),
                Value::String(s) => {
                    let micro = special == Special::MicroTime;
                    let (seconds, nanos) = time::parse_go_time(s, micro)?;
                    let text = if micro {
                        time::rfc3339_micro(seconds, nanos)
                    } else {
                        time::rfc3339_seconds(seconds)
                    };
                    if text.starts_with("0001-01-01T00:00:00") {
                        return Ok(Encoded::special(Value::Null, true));
                    }
                    Ok(Encoded::special(text, false))
                }
                other => Err(self.type_error(json_word(other), "string")),
            },
            Special::Duration => match value {
                Value::String(_) => Ok(Encoded::special(value.clone(), false)),
                other => Err(self.type_error(json_word(other), "string")),
            },
            Special::RawExtension | Special::FieldsV1 | Special::Json => {
                Ok(Encoded::special(value.clone(), value.is_null()))
            }
            Special::JsonSchemaPropsOrArray => match value {
                Value::Array(_) => self.value(&GoType::Slice(Box::new(self.json_schema())), value),
                Value::Object(_) => self.value(&self.json_schema(), value),
                _ => Ok(Encoded::special(Value::Null, true)),
            },
            Special::JsonSchemaPropsOrBool => match value {
                Value::Bool(_) => Ok(Encoded::special(value.clone(), false)),
                Value::Object(_) => self.value(&self.json_schema(), value),
                _ => Err("boolean or JSON schema expected".to_owned()),
            },
            Special::JsonSchemaPropsOrStringArray => match value {
                Value::Array(_) => self.value(&GoType::Slice(Box::new(GoType::Str)), value),
                Value::Object(_) => self.value(&self.json_schema(), value),
                _ => Ok(Encoded::special(Value::Null, true)),
            },
        }
    }

    fn json_schema(&self) -> GoType {
        match self.schema.type_named("apiextensions/v1.JSONSchemaProps") {
            Some(id) => GoType::Named(id),
            None => GoType::Special(Special::Json),
        }
    }
}

/// The one list whose defaults tell an empty one from none; validation refuses it, so that it is never stored.
///
/// Source: pkg/apis/autoscaling/v2/defaults.go `copyHPAScalingRules` (v1.37).
const EMPTY_IS_NOT_NIL: ((&str, &str), &str) = (("autoscaling/v2", "HPAScalingRules"), "policies");

/// Whether an empty list is kept as such.
pub(super) fn is_kept_empty(id: TypeId, field: &Field, item: &Value) -> bool {
    item.as_array().is_some_and(Vec::is_empty)
        && field.name == EMPTY_IS_NOT_NIL.1
        && Schema::get().qualified_name(id) == EMPTY_IS_NOT_NIL.0
}

/// Whether a field is not written, as its tags say.
pub(super) fn left_out(field: &Field, empty: bool, zero: bool) -> bool {
    field.omit_empty && empty || field.omit_zero && zero
}

fn insert(out: &mut Map<String, Value>, field: &Field, encoded: Encoded) {
    if !left_out(field, encoded.empty, encoded.zero) {
        out.insert(field.name.to_owned(), encoded.value);
    }
}

/// Whether a number is zero; `None` if it is no whole number of that width.
pub(super) fn whole(number: &Number, bits: u8, signed: bool) -> Option<bool> {
    let n = match (number.as_i64(), number.as_u64()) {
        (Some(n), _) => i128::from(n),
        (None, Some(n)) => i128::from(n),
        (None, None) => return None,
    };
    let (low, high) =
        if signed { (-(1i128 << (bits - 1)), (1i128 << (bits - 1)) - 1) } else { (0, (1i128 << bits) - 1) };
    (low..=high).contains(&n).then_some(n == 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check_error(kind: &str, value: Value, expected: &str) {
        let error = decode("v1", kind, &value).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn type_errors_are_in_gos_words() {
        check_error(
            "Pod",
            json!({"spec": {"containers": [{"ports": "80"}]}}),
            "json: cannot unmarshal string into Go struct field Container.spec.containers.ports of type []v1.ContainerPort",
        );
        check_error(
            "Pod",
            json!({"spec": {"volumes": [{"configMap": {"defaultMode": "0644"}}]}}),
            "json: cannot unmarshal string into Go struct field ConfigMapVolumeSource.spec.volumes.VolumeSource.configMap.defaultMode of type int32",
        );
        check_error("Secret", json!({"data": {"a": "abc"}}), "illegal base64 data at input byte 0");
        check_error(
            "Service",
            json!({"spec": {"ports": [{"targetPort": true}]}}),
            "json: cannot unmarshal bool into Go struct field ServicePort.spec.ports.targetPort of type int32",
        );
    }

    #[test]
    fn unknown_fields_are_told_in_order_and_dropped() {
        let decoded = decode(
            "v1",
            "Pod",
            &json!({"metadata": {"lables": {}, "name": "a"}, "spec": {"containers": [{"Image": "x", "name": "c"}]}}),
        )
        .unwrap();
        assert_eq!(
            decoded.strict_error().unwrap(),
            r#"strict decoding error: unknown field "metadata.lables", unknown field "spec.containers[0].Image""#
        );
        assert_eq!(
            decoded.value,
            json!({"metadata": {"name": "a"}, "spec": {"containers": [{"name": "c", "resources": {}}]}, "status": {}})
        );
    }

    #[test]
    fn zero_values_are_written_as_the_struct_tags_say() {
        let decoded = decode(
            "apps/v1",
            "Deployment",
            &json!({"spec": {"replicas": 0, "minReadySeconds": 0, "paused": false, "selector": null,
                "template": {"metadata": {"creationTimestamp": null, "labels": {}}, "spec": {"containers": []}}}}),
        )
        .unwrap();
        assert_eq!(
            decoded.value,
            json!({"metadata": {}, "spec": {"replicas": 0, "selector": null, "strategy": {},
                "template": {"metadata": {}, "spec": {"containers": null}}}, "status": {}})
        );
    }
}
