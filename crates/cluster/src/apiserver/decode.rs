//! From what a client sent to a tree that holds only what the kind knows.

use podlab_api::door::FieldValidation;
use podlab_api::{Kind, Status};
use serde_json::Value;

/// Decodes as the API server's JSON decoder does.
///
/// # Errors
/// 400 for unknown fields under strict validation and for values of the wrong type.
pub(super) fn decode(
    kind: &'static Kind,
    body: &Value,
    validation: FieldValidation,
    warnings: &mut Vec<String>,
) -> Result<Value, Status> {
    let _ = (kind, validation, warnings);
    Ok(body.clone())
}

/// Fills in what a client left out.
pub(super) fn apply_defaults(kind: &'static Kind, value: &mut Value) {
    let _ = (kind, value);
}
