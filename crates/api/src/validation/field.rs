//! Errors about fields, and the paths that name them.
//!
//! Source: k8s.io/apimachinery/pkg/util/validation/field/errors.go and path.go (v1.37).

use crate::go_text::{float, quote};
use crate::status::StatusCause;
use serde_json::Value;
use std::fmt;

/// What is wrong with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorType {
    /// A value that should exist elsewhere does not.
    NotFound,
    /// Nothing is given where something must be.
    Required,
    /// A value that must be unique is there twice.
    Duplicate,
    /// Malformed.
    Invalid,
    /// Not one of an enumeration.
    NotSupported,
    /// Well-formed, and not allowed under these circumstances.
    Forbidden,
    /// Too long, in bytes or characters.
    TooLong,
    /// Too short, in characters.
    TooShort,
    /// Too many items.
    TooMany,
    /// Too few items.
    TooFew,
    /// Nothing the user did.
    Internal,
    /// Of another type than the schema says.
    TypeInvalid,
}

impl ErrorType {
    /// The `reason` of a Status cause.
    pub fn reason(self) -> &'static str {
        match self {
            ErrorType::NotFound => "FieldValueNotFound",
            ErrorType::Required => "FieldValueRequired",
            ErrorType::Duplicate => "FieldValueDuplicate",
            ErrorType::Invalid => "FieldValueInvalid",
            ErrorType::NotSupported => "FieldValueNotSupported",
            ErrorType::Forbidden => "FieldValueForbidden",
            ErrorType::TooLong => "FieldValueTooLong",
            ErrorType::TooShort => "FieldValueTooShort",
            ErrorType::TooMany => "FieldValueTooMany",
            ErrorType::TooFew => "FieldValueTooFew",
            ErrorType::Internal => "InternalError",
            ErrorType::TypeInvalid => "FieldValueTypeInvalid",
        }
    }

    /// The words an error text begins with.
    pub fn words(self) -> &'static str {
        match self {
            ErrorType::NotFound => "Not found",
            ErrorType::Required => "Required value",
            ErrorType::Duplicate => "Duplicate value",
            ErrorType::Invalid | ErrorType::TypeInvalid => "Invalid value",
            ErrorType::NotSupported => "Unsupported value",
            ErrorType::Forbidden => "Forbidden",
            ErrorType::TooLong => "Too long",
            ErrorType::TooShort => "Too short",
            ErrorType::TooMany => "Too many",
            ErrorType::TooFew => "Too few",
            ErrorType::Internal => "Internal error",
        }
    }
}

/// The value that an error shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadValue {
    /// None is shown.
    Omitted,
    /// A string in quotes, numbers and booleans bare, all else as JSON.
    Value(Value),
    /// Written out already: JSON of a Go struct, whose keys have an order.
    Json(String),
}

impl<T: Into<Value>> From<T> for BadValue {
    fn from(value: T) -> BadValue {
        BadValue::Value(value.into())
    }
}

/// One thing wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// What kind of error.
    pub error_type: ErrorType,
    /// The field's path: `spec.containers[0].name`.
    pub field: String,
    /// The value in question.
    pub bad_value: BadValue,
    /// More words; may be empty.
    pub detail: String,
}

impl FieldError {
    fn new(error_type: ErrorType, path: &Path, bad_value: BadValue, detail: impl Into<String>) -> FieldError {
        FieldError { error_type, field: path.to_string(), bad_value, detail: detail.into() }
    }

    /// `Required value: detail`.
    pub fn required(path: &Path, detail: impl Into<String>) -> FieldError {
        FieldError::new(ErrorType::Required, path, BadValue::Omitted, detail)
    }

    /// `Invalid value: "value": detail`.
    pub fn invalid(path: &Path, value: impl Into<BadValue>, detail: impl Into<String>) -> FieldError {
        FieldError::new(ErrorType::Invalid, path, value.into(), detail)
    }

    /// `Forbidden: detail`.
    pub fn forbidden(path: &Path, detail: impl Into<String>) -> FieldError {
        FieldError::new(ErrorType::Forbidden, path, BadValue::Omitted, detail)
    }

    /// `Duplicate value: "value"`.
    pub fn duplicate(path: &Path, value: impl Into<BadValue>) -> FieldError {
        FieldError::new(ErrorType::Duplicate, path, value.into(), "")
    }

    /// `Not found: "value"`.
    pub fn not_found(path: &Path, value: impl Into<BadValue>) -> FieldError {
        FieldError::new(ErrorType::NotFound, path, value.into(), "")
    }

    /// `Unsupported value: "value": supported values: "A", "B"`; `supported` in the order in which they are told.
    pub fn not_supported(path: &Path, value: impl Into<BadValue>, supported: &[&str]) -> FieldError {
        FieldError::new(ErrorType::NotSupported, path, value.into(), quoted_list(supported))
    }

    /// `Too long: may not be more than N bytes`.
    pub fn too_long(path: &Path, max_bytes: usize) -> FieldError {
        let unit = if max_bytes == 1 { "byte" } else { "bytes" };
        let detail = format!("may not be more than {max_bytes} {unit}");
        FieldError::new(ErrorType::TooLong, path, BadValue::Omitted, detail)
    }

    /// `Too many: N: must have at most M items`.
    pub fn too_many(path: &Path, actual: usize, max: usize) -> FieldError {
        let unit = if max == 1 { "item" } else { "items" };
        FieldError::new(ErrorType::TooMany, path, actual.into(), format!("must have at most {max} {unit}"))
    }

    /// `Internal error: detail`.
    pub fn internal(path: &Path, detail: impl Into<String>) -> FieldError {
        FieldError::new(ErrorType::Internal, path, BadValue::Omitted, detail)
    }

    /// The error without its field: `Invalid value: "x": must be …`.
    pub fn body(&self) -> String {
        let words = self.error_type.words();
        let shown = match self.error_type {
            ErrorType::Required
            | ErrorType::Forbidden
            | ErrorType::TooLong
            | ErrorType::TooShort
            | ErrorType::Internal => None,
            _ => match &self.bad_value {
                BadValue::Omitted => None,
                BadValue::Value(Value::String(s)) => Some(quote(s)),
                BadValue::Value(Value::Number(number)) if number.is_f64() => {
                    Some(float(number.as_f64().unwrap_or_default()))
                }
                BadValue::Value(other) => Some(other.to_string()),
                BadValue::Json(text) => Some(text.clone()),
            },
        };
        let mut out = words.to_owned();
        for part in shown.iter().chain((!self.detail.is_empty()).then_some(&self.detail)) {
            out.push_str(": ");
            out.push_str(part);
        }
        out
    }
}

/// `supported values: "A", "B"`; empty where there is none.
pub(crate) fn quoted_list(supported: &[&str]) -> String {
    let quoted: Vec<String> = supported.iter().map(|s| quote(s)).collect();
    if quoted.is_empty() { String::new() } else { format!("supported values: {}", quoted.join(", ")) }
}

impl std::error::Error for FieldError {}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.body())
    }
}

impl From<FieldError> for StatusCause {
    fn from(error: FieldError) -> StatusCause {
        StatusCause {
            reason: error.error_type.reason().to_owned(),
            message: error.body(),
            field: error.field,
        }
    }
}

/// The path of a field, a list of steps back to the root that is only written out for an error.
#[derive(Clone, Copy, Debug)]
pub struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Step<'a> {
    Name(&'a str),
    Index(usize),
    Key(&'a str),
}

impl<'a> Path<'a> {
    /// A top-level field; several steps may be given with dots (`spec.template`).
    pub const fn new(name: &'a str) -> Path<'a> {
        Path { parent: None, step: Step::Name(name) }
    }

    /// The root of an object, which has no name of its own.
    pub const fn root() -> Path<'static> {
        Path { parent: None, step: Step::Name("") }
    }

    /// A field of this struct; several steps may be given with dots.
    pub fn child(&'a self, name: &'a str) -> Path<'a> {
        Path { parent: Some(self), step: Step::Name(name) }
    }

    /// An element of this list.
    pub fn index(&'a self, index: usize) -> Path<'a> {
        Path { parent: Some(self), step: Step::Index(index) }
    }

    /// An entry of this map.
    pub fn key(&'a self, key: &'a str) -> Path<'a> {
        Path { parent: Some(self), step: Step::Key(key) }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut at_start = true;
        if let Some(parent) = self.parent {
            fmt::Display::fmt(parent, f)?;
            at_start = parent.is_empty();
        }
        match self.step {
            Step::Name(name) if at_start => f.write_str(name),
            Step::Name(name) => write!(f, ".{name}"),
            Step::Index(index) => write!(f, "[{index}]"),
            Step::Key(key) => write!(f, "[{key}]"),
        }
    }
}

impl Path<'_> {
    fn is_empty(&self) -> bool {
        matches!(self.step, Step::Name("")) && self.parent.is_none_or(Path::is_empty)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_read_as_in_kubernetes() {
        let spec = Path::new("spec");
        let containers = spec.child("containers");
        let first = containers.index(0);
        let name = first.child("name");
        assert_eq!(FieldError::required(&name, "").to_string(), "spec.containers[0].name: Required value");
        assert_eq!(
            FieldError::invalid(&name, "X", "must be small").to_string(),
            r#"spec.containers[0].name: Invalid value: "X": must be small"#
        );
        assert_eq!(
            FieldError::not_supported(&name, "x", &["A", "B"]).body(),
            r#"Unsupported value: "x": supported values: "A", "B""#
        );
        assert_eq!(FieldError::invalid(&name, -1, "").body(), "Invalid value: -1");
        assert_eq!(FieldError::too_long(&name, 253).body(), "Too long: may not be more than 253 bytes");
        let root = Path::root();
        assert_eq!(root.child("a").to_string(), "a");
    }
}
