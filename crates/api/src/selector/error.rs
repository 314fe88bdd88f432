//! Errors that name a field.

use crate::go_text::json_strings;
use crate::validation::field::{BadValue, ErrorType, quoted_list};
use serde_json::Value;

pub use crate::validation::FieldError;

/// `Invalid value`, with a text.
pub(super) fn invalid(field: impl Into<String>, value: &str, detail: impl Into<String>) -> FieldError {
    let bad_value = BadValue::Value(value.into());
    FieldError { error_type: ErrorType::Invalid, field: field.into(), bad_value, detail: detail.into() }
}

/// `Invalid value`, with a list; `None` is Go's nil slice.
pub(super) fn invalid_list(field: impl Into<String>, values: Option<&[String]>, detail: &str) -> FieldError {
    let bad_value = match values {
        None => BadValue::Value(Value::Null),
        Some(values) => BadValue::Json(json_strings(values)),
    };
    FieldError { error_type: ErrorType::Invalid, field: field.into(), bad_value, detail: detail.to_owned() }
}

/// `Unsupported value`, with the list of those that are.
pub(super) fn not_supported(field: impl Into<String>, value: &str, supported: &[&str]) -> FieldError {
    let bad_value = BadValue::Value(value.into());
    let detail = quoted_list(supported);
    FieldError { error_type: ErrorType::NotSupported, field: field.into(), bad_value, detail }
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
