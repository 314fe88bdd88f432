//! Claims, volumes and storage classes.

use super::Errors;
use super::field::Path;
use serde_json::Value;

pub(crate) fn validate_claim_spec(_errors: &mut Errors, _spec: &Value, _path: &Path) {}
