//! RFC 7386 merge patches.

use serde_json::{Map, Value};

/// Applies a merge patch.
pub fn apply(original: Value, patch: &Value) -> Value {
    let Value::Object(patch) = patch else { return patch.clone() };
    let mut out = match original {
        Value::Object(map) => map,
        _ => Map::new(),
    };
    for (key, value) in patch {
        if value.is_null() {
            out.remove(key);
        } else {
            let old = out.remove(key).unwrap_or(Value::Null);
            out.insert(key.clone(), apply(old, value));
        }
    }
    Value::Object(out)
}

/// The patch that makes `modified` out of `original`; an empty object where they are alike.
pub fn two_way(original: &Value, modified: &Value) -> Value {
    let (Value::Object(old), Value::Object(new)) = (original, modified) else { return modified.clone() };
    let mut patch = Map::new();
    for (key, value) in new {
        match old.get(key) {
            None => {
                patch.insert(key.clone(), value.clone());
            }
            Some(before) if before == value => {}
            Some(before) if before.is_object() && value.is_object() => {
                let part = two_way(before, value);
                if part.as_object().is_some_and(|m| !m.is_empty()) {
                    patch.insert(key.clone(), part);
                }
            }
            Some(_) => {
                patch.insert(key.clone(), value.clone());
            }
        }
    }
    for key in old.keys() {
        if !new.contains_key(key) {
            patch.insert(key.clone(), Value::Null);
        }
    }
    Value::Object(patch)
}

/// The patch with which apply brings `current` to `modified`, taking away what `original` had and
/// `modified` has not.
///
/// Source: k8s.io/apimachinery/pkg/util/jsonmergepatch/patch.go CreateThreeWayJSONMergePatch (v1.37).
pub fn three_way(original: &Value, modified: &Value, current: &Value) -> Value {
    let additions = keep(&two_way(current, modified), false).unwrap_or(Value::Object(Map::new()));
    let deletions = keep(&two_way(original, modified), true).unwrap_or(Value::Object(Map::new()));
    join(deletions, additions)
}

/// Of a patch, only its nulls or all but its nulls.
fn keep(patch: &Value, nulls: bool) -> Option<Value> {
    match patch {
        Value::Null => nulls.then_some(Value::Null),
        Value::Object(map) => {
            let kept: Map<String, Value> =
                map.iter().filter_map(|(k, v)| keep(v, nulls).map(|v| (k.clone(), v))).collect();
            (!kept.is_empty() || (map.is_empty() && !nulls)).then_some(Value::Object(kept))
        }
        other => (!nulls).then(|| other.clone()),
    }
}

/// Merges two patches; unlike applying, nulls stay.
fn join(into: Value, from: Value) -> Value {
    match (into, from) {
        (Value::Object(mut a), Value::Object(b)) => {
            for (key, value) in b {
                let merged = match a.remove(&key) {
                    Some(old) => join(old, value),
                    None => value,
                };
                a.insert(key, merged);
            }
            Value::Object(a)
        }
        (_, from) => from,
    }
}
