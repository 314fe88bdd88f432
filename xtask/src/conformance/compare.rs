//! Comparing trees and texts that readers share.

use serde_json::Value;

/// Whether a tree holds a value that the table did not evaluate.
pub(super) fn has_go(value: &Value) -> bool {
    match value {
        Value::String(text) => text.starts_with("$go:"),
        Value::Array(items) => items.iter().any(has_go),
        Value::Object(fields) => fields.iter().any(|(key, field)| key.starts_with("$go:") || has_go(field)),
        _ => false,
    }
}
