//! What a template finds: parts of the data, or values the template itself holds.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::go_text;

/// One result.
#[derive(Debug, Clone, PartialEq)]
pub enum Item<'a> {
    /// A part of the data.
    Value(&'a Value),
    /// Text of the template.
    Text(&'a str),
    /// A number of the template.
    Int(i64),
    /// A number of the template.
    Float(f64),
    /// `true` or `false` of the template.
    Bool(bool),
    /// A byte of a text, which a wildcard takes apart as Go does.
    Byte(u8),
    /// Nothing at all, as in a range without elements.
    Nothing,
}

/// What an item is to Go.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Basic<'a> {
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    Text(&'a str),
    Other,
}

impl<'a> Item<'a> {
    pub(super) fn array(&self) -> Option<&'a [Value]> {
        match self {
            Self::Value(Value::Array(items)) => Some(items),
            _ => None,
        }
    }

    pub(super) fn object(&self) -> Option<&'a Map<String, Value>> {
        match self {
            Self::Value(Value::Object(fields)) => Some(fields),
            _ => None,
        }
    }

    pub(super) fn is_nil(&self) -> bool {
        matches!(self, Self::Value(Value::Null))
    }

    /// The contents: of an object in the order of its keys, of a list, or the bytes of a text.
    pub(super) fn contents(&self) -> Vec<Item<'a>> {
        match self {
            Self::Value(Value::Object(fields)) => fields.values().map(Item::Value).collect(),
            Self::Value(Value::Array(items)) => items.iter().map(Item::Value).collect(),
            Self::Value(Value::String(text)) => text.bytes().map(Item::Byte).collect(),
            Self::Text(text) => text.bytes().map(Item::Byte).collect(),
            _ => Vec::new(),
        }
    }

    pub(super) fn basic(&self) -> Basic<'a> {
        match self {
            Self::Value(Value::Bool(flag)) | Self::Bool(flag) => Basic::Bool(*flag),
            Self::Value(Value::Number(number)) => match (number.as_i64(), number.as_u64()) {
                (Some(int), _) => Basic::Int(int),
                (None, Some(uint)) => Basic::Uint(uint),
                (None, None) => Basic::Float(number.as_f64().unwrap_or(f64::NAN)),
            },
            Self::Value(Value::String(text)) => Basic::Text(text),
            Self::Text(text) => Basic::Text(text),
            Self::Int(int) => Basic::Int(*int),
            Self::Float(float) => Basic::Float(*float),
            Self::Byte(byte) => Basic::Uint(u64::from(*byte)),
            Self::Value(Value::Null | Value::Array(_) | Value::Object(_)) | Self::Nothing => Basic::Other,
        }
    }

    /// The item as data.
    #[must_use]
    pub fn to_value(&self) -> Value {
        match self {
            Self::Value(value) => (*value).clone(),
            Self::Text(text) => Value::from(*text),
            Self::Int(int) => Value::from(*int),
            Self::Float(float) => Value::from(*float),
            Self::Bool(flag) => Value::from(*flag),
            Self::Byte(byte) => Value::from(*byte),
            Self::Nothing => Value::Null,
        }
    }

    /// The item as it is printed: JSON for objects and lists, else as it is.
    #[must_use]
    pub fn text(&self) -> Cow<'a, str> {
        match self {
            Self::Value(Value::String(text)) => Cow::Borrowed(text),
            Self::Text(text) => Cow::Borrowed(text),
            Self::Value(value @ (Value::Object(_) | Value::Array(_))) => Cow::Owned(go_text::json(value)),
            Self::Value(Value::Null) => Cow::Borrowed("null"),
            Self::Value(value) => Cow::Owned(go_text::value(value)),
            Self::Int(int) => Cow::Owned(int.to_string()),
            Self::Float(float) => Cow::Owned(go_text::float(*float)),
            Self::Bool(flag) => Cow::Owned(flag.to_string()),
            Self::Byte(byte) => Cow::Owned(byte.to_string()),
            Self::Nothing => Cow::Borrowed("<no value>"),
        }
    }

    /// The name Go gives the item's type.
    pub(super) fn go_type(&self) -> &'static str {
        match self {
            Self::Value(Value::Object(_)) => "map[string]interface {}",
            Self::Value(Value::Array(_)) => "[]interface {}",
            Self::Value(Value::Null) | Self::Nothing => "interface {}",
            Self::Byte(_) => "uint8",
            Self::Int(_) => "int",
            _ => match self.basic() {
                Basic::Bool(_) => "bool",
                Basic::Int(_) => "int64",
                Basic::Uint(_) => "uint64",
                Basic::Float(_) => "float64",
                Basic::Text(_) | Basic::Other => "string",
            },
        }
    }
}
