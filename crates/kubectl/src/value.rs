//! Reading trees.

use serde_json::Value;

/// A value below `root` by field names; `Null` where there is none.
pub(crate) fn at<'a>(root: &'a Value, path: &[&str]) -> &'a Value {
    path.iter().fold(root, |value, key| value.get(key).unwrap_or(&Value::Null))
}

/// A text below `root`; empty where there is none.
pub(crate) fn text<'a>(root: &'a Value, path: &[&str]) -> &'a str {
    at(root, path).as_str().unwrap_or("")
}

/// A whole number below `root`; 0 where there is none.
pub(crate) fn int(root: &Value, path: &[&str]) -> i64 {
    at(root, path).as_i64().unwrap_or(0)
}

/// A list below `root`; empty where there is none.
pub(crate) fn list<'a>(root: &'a Value, path: &[&str]) -> &'a [Value] {
    at(root, path).as_array().map(Vec::as_slice).unwrap_or(&[])
}

/// A number or text as it is written (`80`, `http`, `25%`).
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// `metadata.name`.
pub(crate) fn name(object: &Value) -> &str {
    text(object, &["metadata", "name"])
}

/// `metadata.namespace`.
pub(crate) fn namespace(object: &Value) -> &str {
    text(object, &["metadata", "namespace"])
}

/// A place below `root` that is made where it is missing.
pub(crate) fn slot<'a>(root: &'a mut Value, path: &[&str]) -> &'a mut Value {
    let mut here = root;
    for key in path {
        if !here.is_object() {
            *here = Value::Object(serde_json::Map::new());
        }
        here = &mut here[*key];
    }
    here
}

/// Takes a key out of the map at `path`.
pub(crate) fn remove(root: &mut Value, path: &[&str], key: &str) -> Option<Value> {
    let mut here = root;
    for part in path {
        here = here.get_mut(*part)?;
    }
    here.as_object_mut()?.remove(key)
}
