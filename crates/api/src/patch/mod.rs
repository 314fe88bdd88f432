//! Patches: RFC 6902, RFC 7386 and Kubernetes' own strategic merge, and how apply makes them.

mod json;
mod merge;
mod meta;
mod shown;
mod strategic;
mod strategic_diff;

pub use json::{JsonPatchError, apply as apply_json_patch};
pub use merge::{apply as apply_merge_patch, three_way as three_way_json_merge, two_way as two_way_merge};
pub use meta::{FieldMeta, KindLookup, Lookup};
pub use shown::{patch_left, patched_json};
pub(crate) use strategic::go_text;
pub use strategic::{PatchError, merge as apply_strategic};
pub use strategic_diff::{three_way as three_way_strategic, two_way as two_way_strategic};

use crate::door::PatchType;
use crate::schema::json_word;
use crate::{Kind, Status};
use serde_json::Value;

/// Applies a patch to an object's complete tree, as the API server does.
///
/// Server-side apply is not a patch in this sense; it is refused here.
///
/// # Errors
/// 400 where the patch cannot be read in its language, 422 where it does not fit the object.
/// Source: k8s.io/apiserver/pkg/endpoints/handlers/patch.go (v1.37).
pub fn apply(kind: &Kind, how: PatchType, original: &Value, patch: &Value) -> Result<Value, Status> {
    match how {
        PatchType::Json => json::apply(original, patch).map_err(|e| match e {
            // The server looks at the operations with a type of its own before the library does.
            JsonPatchError::Malformed(text) => Status::bad_request(format!(
                "error decoding patch: {}",
                text.replace("type jsonpatch.Patch", "type []handlers.jsonPatchOp")
            )),
            // The server keeps to itself what does not fit.
            JsonPatchError::Failed(_) => Status {
                code: 422,
                reason: "Invalid",
                message: "the server rejected our request due to an error in our request".to_owned(),
                details: Some(crate::StatusDetails::default()),
            },
        }),
        PatchType::Merge => {
            if !patch.is_object() {
                return Err(Status::bad_request("Invalid JSON Patch"));
            }
            Ok(merge::apply(original.clone(), patch))
        }
        PatchType::StrategicMerge => {
            if !patch.is_object() {
                return Err(Status::bad_request(format!(
                    "json: cannot unmarshal {} into Go value of type map[string]interface {{}}",
                    json_word(patch)
                )));
            }
            strategic::merge(original.clone(), patch.clone(), KindLookup::new(kind)).map_err(|e| match e {
                // Source: k8s.io/apiserver/pkg/endpoints/handlers/patch.go `interpretStrategicMergePatchError` (v1.37).
                PatchError::Format(text) => Status::bad_request(text),
                PatchError::Bad(text) if text == strategic::LISTS_OF_LISTS => Status {
                    code: 422,
                    reason: "Invalid",
                    message: "the server rejected our request due to an error in our request".to_owned(),
                    details: Some(crate::StatusDetails::default()),
                },
                other => Status::unknown(other.to_string()),
            })
        }
        PatchType::Apply => Err(Status::bad_request("server-side apply is not a patch of a tree")),
    }
}

#[cfg(test)]
mod tests;
