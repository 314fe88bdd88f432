//! Errors that name a field.

use crate::go_text::{json_strings, quote};

/// What is wrong with a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldErrorType {
    /// `Invalid value`.
    Invalid,
    /// `Unsupported value`.
    NotSupported,
}

/// The value a field error shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadValue {
    /// A text, shown as Go quotes it.
    Text(String),
    /// A list, shown as JSON; `None` is Go's nil slice.
    List(Option<Vec<String>>),
}

/// A field with a value it may not have.
///
/// Source: staging/src/k8s.io/apimachinery/pkg/util/validation/field/errors.go (v1.37).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {}: {}: {detail}", self.type_text(), self.value_text())]
pub struct FieldError {
    /// What is wrong.
    pub error_type: FieldErrorType,
    /// Path of the field, `<nil>` where there is none.
    pub field: String,
    /// The value found.
    pub bad_value: BadValue,
    /// Why it is wrong.
    pub detail: String,
}

impl FieldError {
    /// `Invalid value`, with a text.
    pub(super) fn invalid(field: impl Into<String>, value: &str, detail: impl Into<String>) -> Self {
        let bad_value = BadValue::Text(value.to_owned());
        Self { error_type: FieldErrorType::Invalid, field: field.into(), bad_value, detail: detail.into() }
    }

    /// `Invalid value`, with a list.
    pub(super) fn invalid_list(field: impl Into<String>, values: Option<&[String]>, detail: &str) -> Self {
        let bad_value = BadValue::List(values.map(<[String]>::to_vec));
        Self {
            error_type: FieldErrorType::Invalid,
            field: field.into(),
            bad_value,
            detail: detail.to_owned(),
        }
    }

    /// `Unsupported value`, with the list of those that are.
    pub(super) fn not_supported(field: impl Into<String>, value: &str, supported: &[&str]) -> Self {
        let supported: Vec<String> = supported.iter().map(|value| quote(value)).collect();
        let detail = format!("supported values: {}", supported.join(", "));
        let bad_value = BadValue::Text(value.to_owned());
        Self { error_type: FieldErrorType::NotSupported, field: field.into(), bad_value, detail }
    }

    fn type_text(&self) -> &'static str {
        match self.error_type {
            FieldErrorType::Invalid => "Invalid value",
            FieldErrorType::NotSupported => "Unsupported value",
        }
    }

    fn value_text(&self) -> String {
        match &self.bad_value {
            BadValue::Text(text) => quote(text),
            BadValue::List(None) => "null".to_owned(),
            BadValue::List(Some(values)) => json_strings(values),
        }
    }
}

/// The text of several errors at once: one stands alone, more are listed in brackets, each once.
///
/// Source: staging/src/k8s.io/apimachinery/pkg/util/errors/errors.go (v1.37).
#[must_use]
pub fn aggregate<E: ToString>(errors: &[E]) -> String {
    let mut texts: Vec<String> = Vec::with_capacity(errors.len());
    for error in errors {
        let text = error.to_string();
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    match texts.as_slice() {
        [only] => only.clone(),
        _ => format!("[{}]", texts.join(", ")),
    }
}
