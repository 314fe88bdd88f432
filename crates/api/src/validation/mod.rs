//! Validation: what the API server refuses, in its own words and order.
//!
//! Objects are trees that were decoded and defaulted; the order of errors is that of the original.

pub mod content;
pub mod field;
mod go_json;
pub mod ip;
pub mod meta;

mod affinity;
mod container;
mod pod;
mod probe;
mod resources;
mod security;
mod storage;
mod volume;

pub use field::{BadValue, ErrorType, FieldError, Path};

use serde_json::Value;

/// What was found wrong, in the order in which it is told.
pub(crate) type Errors = Vec<FieldError>;

pub(crate) use go_json::json_of;

/// One `Invalid value` a message.
pub(crate) fn invalid_each(errors: &mut Errors, path: &Path, value: &str, messages: Vec<String>) {
    errors.extend(messages.into_iter().map(|m| FieldError::invalid(path, value, m)));
}

/// As [`invalid_each`] for a number.
pub(crate) fn invalid_number(errors: &mut Errors, path: &Path, value: i64, messages: Vec<String>) {
    errors.extend(messages.into_iter().map(|m| FieldError::invalid(path, value, m)));
}

/// `Unsupported value` where a value is none of an enumeration; empty is one as well.
pub(crate) fn supported(errors: &mut Errors, path: &Path, value: &str, values: &[&str]) {
    if !values.contains(&value) {
        errors.push(FieldError::not_supported(path, value, values));
    }
}

/// As [`supported`], and `Required value` where it is empty.
pub(crate) fn required_supported(errors: &mut Errors, path: &Path, value: &str, values: &[&str]) {
    if value.is_empty() {
        errors.push(FieldError::required(path, ""));
    } else {
        supported(errors, path, value, values);
    }
}

/// `Required value` where a string is empty; whether it was there.
pub(crate) fn required(errors: &mut Errors, path: &Path, value: &str) -> bool {
    if value.is_empty() {
        errors.push(FieldError::required(path, ""));
    }
    !value.is_empty()
}

/// Checks a new object; it must be decoded and defaulted.
pub fn validate_create(api_version: &str, kind: &str, object: &Value) -> Vec<FieldError> {
    let mut errors = Errors::new();
    match (api_version, kind) {
        ("v1", "Pod") => pod::validate_create(&mut errors, object),
        _ => {}
    }
    errors
}
