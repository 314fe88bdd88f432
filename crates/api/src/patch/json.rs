//! RFC 6902 patches with the texts of the library that Kubernetes uses.

use serde_json::Value;

/// The most operations a patch may have.
///
/// Source: k8s.io/apiserver/pkg/endpoints/handlers/patch.go maxJSONPatchOperations (v1.37).
const MAX_OPERATIONS: usize = 10_000;

/// How many bytes of JSON a patch may copy in all.
///
/// Source: k8s.io/apiserver/pkg/server/config.go JSONPatchMaxCopyBytes (v1.37).
const MAX_COPIED: usize = 3 * 1024 * 1024;

/// How deep a patched document may nest, as a document that is read may.
const MAX_DEPTH: usize = podlab_yaml::MAX_DEPTH;

/// Why a JSON patch was not applied.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum JsonPatchError {
    /// It is not a list of operations.
    #[error("{0}")]
    Malformed(String),
    /// An operation does not fit the document.
    #[error("{0}")]
    Failed(String),
}

fn failed<T>(text: impl Into<String>) -> Result<T, JsonPatchError> {
    Err(JsonPatchError::Failed(text.into()))
}

/// Applies the operations in order.
///
/// # Errors
/// The patch is no list of operations, or one of them cannot be done.
pub fn apply(original: &Value, patch: &Value) -> Result<Value, JsonPatchError> {
    let Value::Array(operations) = patch else {
        return Err(JsonPatchError::Malformed(format!(
            "json: cannot unmarshal {} into Go value of type jsonpatch.Patch",
            crate::schema::json_word(patch)
        )));
    };
    if operations.len() > MAX_OPERATIONS {
        return failed(format!(
            "The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {}",
            operations.len()
        ));
    }
    let mut doc = original.clone();
    let mut copied = 0;
    let mut depth = depth_of(&doc);
    for operation in operations {
        let text = |key: &str| operation.get(key).and_then(Value::as_str);
        let op = text("op").unwrap_or("unknown");
        let Some(path) = text("path") else {
            return failed(format!("{op} operation failed to decode path: missing value"));
        };
        depth = deepened(&doc, depth, op, path, operation)?;
        match op {
            "add" => {
                let value = operation.get("value").cloned().unwrap_or(Value::Null);
                add(&mut doc, "add", path, value)?;
            }
            "remove" => {
                remove(&mut doc, "remove", path)?;
            }
            "replace" => replace(&mut doc, path, operation.get("value").cloned().unwrap_or(Value::Null))?,
            "move" => {
                let from = text("from").unwrap_or("");
                let value = remove(&mut doc, "move", from)?;
                add(&mut doc, "move", path, value)?;
            }
            "copy" => {
                let from = text("from").unwrap_or("");
                let missing =
                    split(from).and_then(|(parent, _)| doc.pointer(parent)).filter(|p| p.is_object());
                let Some(value) = doc.pointer(from).or(missing.map(|_| &Value::Null)) else {
                    return failed(format!(
                        "error in copy for from: '{from}': jsonpatch copy operation does not apply: doc is missing from path: {from}: missing value"
                    ));
                };
                // Each copy of the whole would double it.
                copied += crate::go_text::json(value).len();
                if copied > MAX_COPIED {
                    return failed(format!(
                        "Unable to complete the copy, the accumulated size increase of copy is {copied}, exceeding the limit {MAX_COPIED}"
                    ));
                }
                let value = value.clone();
                add(&mut doc, "copy", path, value)?;
            }
            "test" => {
                let want = operation.get("value").unwrap_or(&Value::Null);
                match doc.pointer(path) {
                    Some(have) if have == want => {}
                    None if want.is_null() => {}
                    _ => return failed(format!("testing value {path} failed: test failed")),
                }
            }
            other => return failed(format!("Unexpected kind: {other}")),
        }
    }
    Ok(doc)
}

fn depth_of(value: &Value) -> usize {
    match value {
        Value::Object(map) => 1 + map.values().map(depth_of).max().unwrap_or(0),
        Value::Array(items) => 1 + items.iter().map(depth_of).max().unwrap_or(0),
        _ => 0,
    }
}

/// No less than the document's depth after an operation that is about to be done, out of what it was before.
///
/// Operations can put deep values into deep places, and what nests too deep cannot even be dropped.
fn deepened(
    doc: &Value,
    before: usize,
    op: &str,
    path: &str,
    operation: &Value,
) -> Result<usize, JsonPatchError> {
    let tokens = |path: &str| path.matches('/').count();
    let after = |before: usize| match op {
        "add" | "replace" => tokens(path) + operation.get("value").map_or(0, depth_of),
        "copy" | "move" => {
            let from = tokens(operation.get("from").and_then(Value::as_str).unwrap_or(""));
            tokens(path) + before.saturating_sub(from)
        }
        _ => 0,
    };
    let mut bound = before.max(after(before));
    if bound > MAX_DEPTH {
        let exact = depth_of(doc);
        bound = exact.max(after(exact));
    }
    if bound > MAX_DEPTH {
        return failed(format!("exceeded max depth of {MAX_DEPTH} (a limit of podlab's own)"));
    }
    Ok(bound)
}

fn split(path: &str) -> Option<(&str, String)> {
    let (parent, last) = path.rsplit_once('/')?;
    Some((parent, last.replace("~1", "/").replace("~0", "~")))
}

fn index(token: &str, len: usize, op: &str, path: &str) -> Result<usize, JsonPatchError> {
    match token.parse::<i64>() {
        Ok(i) if i >= 0 && (i as usize) < len => Ok(i as usize),
        Ok(i) if i < 0 && i.unsigned_abs() as usize <= len => Ok(len - i.unsigned_abs() as usize),
        Ok(i) => failed(format!(
            "error in {op} for path: '{path}': Unable to access invalid index: {i}: invalid index referenced"
        )),
        Err(_) => failed(format!(
            "error in {op} for path: '{path}': strconv.Atoi: parsing {token:?}: invalid syntax"
        )),
    }
}

fn add(doc: &mut Value, op: &str, path: &str, value: Value) -> Result<(), JsonPatchError> {
    let Some((parent, key)) = split(path) else {
        return failed(format!(
            "{op} operation does not apply: doc is missing path: {path:?}: missing value"
        ));
    };
    let found = doc.pointer_mut(parent);
    match found {
        Some(Value::Object(map)) => {
            map.insert(key, value);
            Ok(())
        }
        Some(Value::Array(items)) if key == "-" => {
            items.push(value);
            Ok(())
        }
        Some(Value::Array(items)) => {
            let at = index(&key, items.len() + 1, op, path)?;
            items.insert(at, value);
            Ok(())
        }
        _ => failed(format!("{op} operation does not apply: doc is missing path: {path:?}: missing value")),
    }
}

fn remove(doc: &mut Value, op: &str, path: &str) -> Result<Value, JsonPatchError> {
    let Some((parent, key)) = split(path) else {
        return failed(format!(
            "{op} operation does not apply: doc is missing path: {path:?}: missing value"
        ));
    };
    match doc.pointer_mut(parent) {
        Some(Value::Object(map)) => match map.remove(&key) {
            Some(value) => Ok(value),
            None => failed(format!(
                "error in {op} for path: '{path}': Unable to remove nonexistent key: {key}: missing value"
            )),
        },
        Some(Value::Array(items)) => {
            let at = index(&key, items.len(), op, path)?;
            Ok(items.remove(at))
        }
        _ => failed(format!("{op} operation does not apply: doc is missing path: {path:?}: missing value")),
    }
}

fn replace(doc: &mut Value, path: &str, value: Value) -> Result<(), JsonPatchError> {
    let Some((parent, key)) = split(path) else {
        if !value.is_object() && !value.is_array() {
            return failed("replace operation value must be object or array".to_owned());
        }
        *doc = value;
        return Ok(());
    };
    match doc.pointer_mut(parent) {
        // A key that there is not is no mistake to the library.
        Some(Value::Object(map)) => {
            map.insert(key, value);
            Ok(())
        }
        Some(Value::Array(items)) => {
            let at = index(&key, items.len(), "replace", path)?;
            if let Some(slot) = items.get_mut(at) {
                *slot = value;
            }
            Ok(())
        }
        _ => failed(format!("replace operation does not apply: doc is missing path: {path}: missing value")),
    }
}
