//! Strategic merge: applying a patch with its directives.
//!
//! Source: k8s.io/apimachinery/pkg/util/strategicpatch/patch.go (v1.37).

use super::meta::Lookup;
use serde_json::{Map, Value};

pub(super) const LISTS_OF_LISTS: &str = "lists of lists are not supported";
pub(super) const DIRECTIVE: &str = "$patch";
pub(super) const RETAIN_KEYS: &str = "$retainKeys";
pub(super) const DELETE_PREFIX: &str = "$deleteFromPrimitiveList";
pub(super) const ORDER_PREFIX: &str = "$setElementOrder";

/// Why a strategic merge patch could not be applied or made.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PatchError {
    /// An element of a merged list lacks the field that tells it apart.
    #[error("map: {0} does not contain declared merge key: {1}")]
    NoMergeKey(String, String),
    /// The type knows no such field.
    #[error("{0}")]
    UnknownField(String),
    /// A list of the wrong make, or a directive that there is none of.
    #[error("{0}")]
    Bad(String),
    /// A directive of the wrong form, which the server takes for the client's mistake; the others it takes for its own.
    #[error("{0}")]
    Format(String),
}

pub(super) type Result<T> = std::result::Result<T, PatchError>;

/// How two patches, or a patch and an object, are merged.
#[derive(Clone, Copy)]
pub(super) struct Options {
    /// Directives on parallel lists are carried out; else they are kept.
    pub merge_parallel_list: bool,
    /// Nulls for absent fields vanish; else they are kept.
    pub ignore_unmatched_nulls: bool,
}

/// Applies a strategic merge patch to a tree.
///
/// # Errors
/// The patch breaks the rules of its language.
pub fn merge<L: Lookup>(original: Value, patch: Value, lookup: L) -> Result<Value> {
    let (Value::Object(original), Value::Object(patch)) = (original, patch) else {
        return Err(PatchError::Bad("expected a map".to_owned()));
    };
    let options = Options { merge_parallel_list: true, ignore_unmatched_nulls: true };
    merge_map(original, patch, lookup, options).map(Value::Object)
}

pub(super) fn lookup_field<L: Lookup>(lookup: L, key: &str) -> Result<(L, super::FieldMeta)> {
    lookup.field(key).map_err(PatchError::UnknownField)
}

pub(super) fn merge_map<L: Lookup>(
    mut original: Map<String, Value>,
    mut patch: Map<String, Value>,
    lookup: L,
    options: Options,
) -> Result<Map<String, Value>> {
    if let Some(directive) = patch.get(DIRECTIVE).cloned() {
        return match directive.as_str() {
            Some("replace") => {
                patch.remove(DIRECTIVE);
                Ok(patch)
            }
            Some("delete") => Ok(Map::new()),
            _ => Err(unknown_directive(&directive, &Value::Object(patch))),
        };
    }
    retain_keys(&mut original, &mut patch, options)?;
    set_order(&mut original, &mut patch, lookup, options)?;
    for (key, value) in patch {
        let (key, deletes) = match key.strip_prefix(DELETE_PREFIX) {
            Some(_) if !options.merge_parallel_list => {
                original.insert(key, value);
                continue;
            }
            Some(rest) => match rest.strip_prefix('/') {
                Some(name) => (name.to_owned(), true),
                None => return Err(PatchError::Format("invalid patch format of primitive list".to_owned())),
            },
            None => (key, false),
        };
        if value.is_null() {
            original.remove(&key);
            if options.ignore_unmatched_nulls {
                continue;
            }
        }
        let Some(old) = original.remove(&key) else {
            if !deletes {
                put(&mut original, key, value, options);
            }
            continue;
        };
        match (old, value) {
            (Value::Object(old), Value::Object(new)) => {
                let (sub, meta) = lookup_field(lookup, &key)?;
                let merged = if meta.replace { new } else { merge_map(old, new, sub, options)? };
                original.insert(key, Value::Object(merged));
            }
            (Value::Array(old), Value::Array(new)) => {
                let (sub, meta) = lookup_field(lookup, &key)?;
                let merged = if meta.merge || deletes {
                    merge_slice(old, new, sub, meta.merge_key, options, deletes)?
                } else {
                    new
                };
                original.insert(key, Value::Array(merged));
            }
            (old, new) if deletes => {
                let _ = new;
                original.insert(key, old);
            }
            (_, new) => put(&mut original, key, new, options),
        }
    }
    Ok(original)
}

fn put(original: &mut Map<String, Value>, key: String, mut value: Value, options: Options) {
    if options.ignore_unmatched_nulls {
        discard_nulls(&mut value);
    }
    match remove_directives(value) {
        Some(value) => {
            original.insert(key, value);
        }
        None => {
            original.remove(&key);
        }
    }
}

fn discard_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, v| !v.is_null());
            map.values_mut().for_each(discard_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(discard_nulls),
        _ => {}
    }
}

fn remove_directives(value: Value) -> Option<Value> {
    match value {
        Value::Object(map) if map.contains_key(DIRECTIVE) => None,
        Value::Object(map) => Some(Value::Object(
            map.into_iter().filter_map(|(k, v)| Some((k, remove_directives(v)?))).collect(),
        )),
        Value::Array(items) => Some(Value::Array(items.into_iter().filter_map(remove_directives).collect())),
        other => Some(other),
    }
}

fn retain_keys(
    original: &mut Map<String, Value>,
    patch: &mut Map<String, Value>,
    options: Options,
) -> Result<()> {
    let bad = || PatchError::Format("invalid patch format of retainKeys".to_owned());
    let Some(list) = patch.remove(RETAIN_KEYS) else { return Ok(()) };
    if !options.merge_parallel_list {
        match original.get(RETAIN_KEYS) {
            Some(old) if *old != list => {
                return Err(PatchError::Bad(format!(
                    "{} and {} are not deep equal: this may happen when calculating the 3-way diff patch",
                    go_text(old),
                    go_text(&list)
                )));
            }
            Some(_) => {}
            None => {
                original.insert(RETAIN_KEYS.to_owned(), list);
            }
        }
        return Ok(());
    }
    let Value::Array(list) = list else { return Err(bad()) };
    let listed = |key: &str| list.iter().any(|k| k.as_str() == Some(key));
    for (key, value) in patch.iter() {
        let directive = key.starts_with(DELETE_PREFIX) || key.starts_with(ORDER_PREFIX);
        if !value.is_null() && !directive && !listed(key) {
            return Err(bad());
        }
    }
    original.retain(|key, _| listed(key));
    Ok(())
}

fn set_order<L: Lookup>(
    original: &mut Map<String, Value>,
    patch: &mut Map<String, Value>,
    lookup: L,
    options: Options,
) -> Result<()> {
    let bad = || PatchError::Format("invalid patch format of setElementOrder list".to_owned());
    let keys: Vec<String> = patch.keys().filter(|k| k.starts_with(ORDER_PREFIX)).cloned().collect();
    for key in keys {
        let Some(order) = patch.remove(&key) else { continue };
        if !options.merge_parallel_list {
            match original.get(&key) {
                Some(old) if *old != order => return Err(bad()),
                Some(_) => {}
                None => {
                    original.insert(key.clone(), order.clone());
                }
            }
        }
        let Value::Array(order) = order else { return Err(bad_type("[]interface {}", &order)) };
        let Some(name) = key.strip_prefix(ORDER_PREFIX).and_then(|r| r.strip_prefix('/')) else {
            return Err(bad());
        };
        let list = |v: Option<&Value>| match v {
            None => Ok(None),
            Some(Value::Array(items)) => Ok(Some(items.clone())),
            Some(other) => Err(bad_type("[]interface {}", other)),
        };
        let old = list(original.get(name))?;
        let new = list(patch.get(name))?;
        let (sub, meta) = lookup_field(lookup, name)?;
        check_order(new.as_deref().unwrap_or(&[]), &order, meta.merge_key)?;
        let merged = match (old.clone(), new.clone()) {
            (Some(old), None) => old,
            (None, Some(new)) => match remove_directives(Value::Array(new)) {
                Some(Value::Array(items)) => items,
                _ => continue,
            },
            (Some(old), Some(new)) => {
                if meta.merge {
                    merge_slice(old, new, sub, meta.merge_key, options, false)?
                } else {
                    new
                }
            }
            (None, None) => continue,
        };
        let (items, server_only) = partition(merged, &order, meta.merge_key)?;
        let server_order = order_after(old.unwrap_or_default(), new.unwrap_or_default(), meta.merge_key)?;
        let both = normalize_order(items, server_only, &order, &server_order, meta.merge_key)?;
        original.insert(name.to_owned(), Value::Array(both));
        patch.remove(name);
    }
    Ok(())
}

/// The live order as Go's code sees it after a merge: it deletes and appends in the list that it compares with
/// afterwards, so that the room of deleted elements is taken by new ones. `kubectl apply` shows that.
fn order_after(old: Vec<Value>, patch: Vec<Value>, key: &str) -> Result<Vec<Value>> {
    if key.is_empty() || !patch.iter().any(|item| item.get(DIRECTIVE).is_some()) {
        return Ok(old);
    }
    let room = old.len();
    let (mut order, added) = special_elements(old, patch, key)?;
    for item in added {
        if order.len() < room && position(&order, &item, key).is_none() {
            order.push(item);
        }
    }
    Ok(order)
}

/// Source: k8s.io/apimachinery/pkg/util/mergepatch/errors.go `ErrBadPatchType` (v1.37).
fn unknown_directive(directive: &Value, map: &Value) -> PatchError {
    PatchError::Bad(format!("unknown patch type: {} in map: {}", go_string(directive), go_text(map)))
}

/// Source: k8s.io/apimachinery/pkg/util/mergepatch/errors.go `ErrBadArgType` (v1.37).
fn bad_type(wanted: &str, found: &Value) -> PatchError {
    let found = match found {
        Value::Null => "%!s(<nil>)",
        found => crate::go_text::type_name(found),
    };
    PatchError::Bad(format!("expected a {wanted}, but received a {found}"))
}

/// A value as Go's `%s` prints it.
fn go_string(value: &Value) -> String {
    match value {
        Value::Null => "%!s(<nil>)".to_owned(),
        Value::Bool(flag) => format!("%!s(bool={flag})"),
        Value::Number(number) if number.is_f64() => format!("%!s(float64={})", go_text(value)),
        Value::Number(_) => format!("%!s(int64={})", go_text(value)),
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            format!("[{}]", items.iter().map(go_string).collect::<Vec<_>>().join(" "))
        }
        Value::Object(map) => {
            let parts: Vec<String> = map.iter().map(|(k, v)| format!("{k}:{}", go_string(v))).collect();
            format!("map[{}]", parts.join(" "))
        }
    }
}

fn check_order(patch: &[Value], order: &[Value], key: &str) -> Result<()> {
    if order.is_empty() || patch.is_empty() {
        return Ok(());
    }
    // Elements are looked at side by side until one list ends.
    if !key.is_empty() {
        let first = patch.iter().find(|item| item.get(DIRECTIVE).is_none());
        if let (Some(_), Some(wrong)) = (first, order.first().filter(|item| !item.is_object())) {
            return Err(bad_type("map[string]interface {}", wrong));
        }
    }
    let kept: Vec<&Value> = patch.iter().filter(|v| v.get(DIRECTIVE).is_none()).collect();
    let mut at = 0;
    for wanted in order {
        let Some(item) = kept.get(at) else { break };
        if identity(item, key) == identity(wanted, key) {
            at += 1;
        }
    }
    if at < kept.len() {
        return Err(PatchError::Bad(format!(
            "The order in patch list:\n{}\n doesn't match {ORDER_PREFIX} list:\n{}\n",
            go_text(&Value::Array(patch.to_vec())),
            go_text(&Value::Array(order.to_vec()))
        )));
    }
    Ok(())
}

/// What tells an element apart: its merge key's value, or itself.
pub(super) fn identity<'a>(item: &'a Value, key: &str) -> Option<&'a Value> {
    match item {
        Value::Object(map) => map.get(key),
        other => Some(other),
    }
}

fn require_keys(items: &[Value], key: &str) -> Result<()> {
    for item in items {
        match item {
            Value::Object(map) if !map.contains_key(key) => {
                return Err(PatchError::NoMergeKey(go_text(item), key.to_owned()));
            }
            _ => {}
        }
    }
    Ok(())
}

fn partition(items: Vec<Value>, by: &[Value], key: &str) -> Result<(Vec<Value>, Vec<Value>)> {
    require_keys(&items, key)?;
    Ok(items.into_iter().partition(|v| by.iter().any(|b| identity(b, key) == identity(v, key))))
}

fn position(list: &[Value], item: &Value, key: &str) -> Option<usize> {
    list.iter().position(|v| identity(v, key) == identity(item, key))
}

/// Sorts by the order of another list; unknown elements keep their place, deletions go last.
pub(super) fn normalize_slice(items: Vec<Value>, order: &[Value], key: &str) -> Result<Vec<Value>> {
    require_keys(&items, key)?;
    let (deletions, kept): (Vec<Value>, Vec<Value>) =
        items.into_iter().partition(|v| v.get(DIRECTIVE).and_then(Value::as_str) == Some("delete"));
    let before = |a: &Value, b: &Value| match (position(order, a, key), position(order, b, key)) {
        (Some(a), Some(b)) => a < b,
        _ => false,
    };
    let mut kept = crate::stable_sort::stable_sort_by(kept, &before);
    kept.extend(deletions);
    Ok(kept)
}

fn normalize_order(
    patch: Vec<Value>,
    server_only: Vec<Value>,
    patch_order: &[Value],
    server_order: &[Value],
    key: &str,
) -> Result<Vec<Value>> {
    let patch = normalize_slice(patch, patch_order, key)?;
    let server_only = normalize_slice(server_only, server_order, key)?;
    let mut out = Vec::with_capacity(patch.len() + server_only.len());
    let mut left = server_only.into_iter().peekable();
    let mut right = patch.into_iter().peekable();
    while let (Some(l), Some(r)) = (left.peek(), right.peek()) {
        let first = match (position(server_order, l, key), position(server_order, r, key)) {
            (Some(l), Some(r)) => l < r,
            _ => false,
        };
        out.extend(if first { left.next() } else { right.next() });
    }
    out.extend(left);
    out.extend(right);
    Ok(out)
}

/// Whether the lists' elements are maps.
///
/// # Errors
/// They hold lists, or not one kind of element.
pub(super) fn holds_maps(a: &[Value], b: &[Value]) -> Result<bool> {
    let mut maps = None;
    for item in a.iter().chain(b) {
        if item.is_array() {
            return Err(PatchError::Bad(LISTS_OF_LISTS.to_owned()));
        }
        match maps {
            None => maps = Some(item.is_object()),
            Some(m) if m != item.is_object() => {
                let all = Value::Array(vec![Value::Array(a.to_vec()), Value::Array(b.to_vec())]);
                return Err(PatchError::Bad(format!(
                    "list element types are not identical: {}",
                    go_text(&all)
                )));
            }
            Some(_) => {}
        }
    }
    maps.ok_or_else(|| PatchError::Bad("no elements in any of the given slices".to_owned()))
}

fn merge_slice<L: Lookup>(
    original: Vec<Value>,
    patch: Vec<Value>,
    lookup: L,
    key: &str,
    options: Options,
    deletes: bool,
) -> Result<Vec<Value>> {
    if original.is_empty() && patch.is_empty() {
        return Ok(original);
    }
    let (original, patch, merged) = if holds_maps(&original, &patch)? {
        if key.is_empty() {
            return Err(PatchError::Bad("cannot merge lists without merge key".to_owned()));
        }
        let (original, patch) = special_elements(original, patch, key)?;
        let merged = merge_elements(original.clone(), &patch, lookup, key, options)?;
        (original, patch, merged)
    } else {
        if options.merge_parallel_list && deletes {
            return Ok(original.into_iter().filter(|v| !patch.contains(v)).collect());
        }
        let mut merged: Vec<Value> = Vec::new();
        for item in original.iter().chain(&patch) {
            if !merged.contains(item) {
                merged.push(item.clone());
            }
        }
        (original, patch, merged)
    };
    let (items, server_only) = partition(merged, &patch, key)?;
    normalize_order(items, server_only, &patch, &original, key)
}

fn special_elements(
    mut original: Vec<Value>,
    patch: Vec<Value>,
    key: &str,
) -> Result<(Vec<Value>, Vec<Value>)> {
    let mut plain = Vec::new();
    let mut replace = false;
    for item in patch {
        let Some(directive) = item.get(DIRECTIVE) else {
            plain.push(item);
            continue;
        };
        match directive.as_str() {
            Some("delete") => match item.get(key) {
                Some(value) => original.retain(|v| v.get(key) != Some(value)),
                None => return Err(PatchError::NoMergeKey(go_text(&item), key.to_owned())),
            },
            Some("replace") => replace = true,
            Some("merge") => {
                return Err(PatchError::Bad("merging lists cannot yet be specified in the patch".to_owned()));
            }
            _ => {
                return Err(unknown_directive(directive, &item));
            }
        }
    }
    if replace { Ok((plain, Vec::new())) } else { Ok((original, plain)) }
}

fn merge_elements<L: Lookup>(
    mut original: Vec<Value>,
    patch: &[Value],
    lookup: L,
    key: &str,
    options: Options,
) -> Result<Vec<Value>> {
    for item in patch {
        let (Value::Object(map), Some(id)) = (item, item.get(key)) else {
            return Err(PatchError::NoMergeKey(go_text(item), key.to_owned()));
        };
        match original.iter_mut().find(|v| v.get(key) == Some(id)) {
            Some(slot) => {
                if let Value::Object(old) = slot.take() {
                    *slot = Value::Object(merge_map(old, map.clone(), lookup, options)?);
                }
            }
            None => original.push(item.clone()),
        }
    }
    Ok(original)
}

/// A value as Go's `%v` prints it.
pub(crate) fn go_text(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::Bool(b) => b.to_string(),
        Value::Number(n) => n.to_string(),
        Value::String(s) => s.clone(),
        Value::Array(items) => {
            format!("[{}]", items.iter().map(go_text).collect::<Vec<_>>().join(" "))
        }
        Value::Object(map) => {
            let parts: Vec<String> = map.iter().map(|(k, v)| format!("{k}:{}", go_text(v))).collect();
            format!("map[{}]", parts.join(" "))
        }
    }
}
