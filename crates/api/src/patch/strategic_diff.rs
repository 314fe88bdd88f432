//! Strategic merge: making the patch that leads from one tree to another.
//!
//! Source: k8s.io/apimachinery/pkg/util/strategicpatch/patch.go (v1.37).

use super::meta::Lookup;
use super::strategic::{
    DELETE_PREFIX, DIRECTIVE, ORDER_PREFIX, Options, PatchError, RETAIN_KEYS, Result, go_text, holds_maps,
    lookup_field, merge_map, normalize_slice,
};
use serde_json::{Map, Value};

#[derive(Clone, Copy, Default)]
struct Diff {
    ignore_changes_and_additions: bool,
    ignore_deletions: bool,
    set_element_order: bool,
    retain_keys: bool,
}

/// The patch that makes `modified` out of `original`.
///
/// # Errors
/// A list breaks the rules of merging.
pub fn two_way<L: Lookup>(original: &Value, modified: &Value, lookup: L) -> Result<Value> {
    let diff = Diff { set_element_order: true, ..Diff::default() };
    diff_maps(&map(original), &map(modified), lookup, diff).map(Value::Object)
}

/// The patch with which apply brings `current` to `modified`, taking away what `original` had and
/// `modified` has not. What others set in `current` stays.
///
/// # Errors
/// A list breaks the rules of merging.
pub fn three_way<L: Lookup>(original: &Value, modified: &Value, current: &Value, lookup: L) -> Result<Value> {
    let delta = diff_maps(
        &map(current),
        &map(modified),
        lookup,
        Diff { ignore_deletions: true, set_element_order: true, ..Diff::default() },
    )?;
    let deletions = diff_maps(
        &map(original),
        &map(modified),
        lookup,
        Diff { ignore_changes_and_additions: true, set_element_order: true, ..Diff::default() },
    )?;
    let options = Options { merge_parallel_list: false, ignore_unmatched_nulls: false };
    merge_map(deletions, delta, lookup, options).map(Value::Object)
}

fn map(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

fn diff_maps<L: Lookup>(
    original: &Map<String, Value>,
    modified: &Map<String, Value>,
    lookup: L,
    diff: Diff,
) -> Result<Map<String, Value>> {
    let mut patch = Map::new();
    let mut retained: Vec<String> = Vec::new();
    for (key, new) in modified {
        if diff.retain_keys && !new.is_null() {
            retained.push(key.clone());
        }
        let Some(old) = original.get(key) else {
            if !diff.ignore_changes_and_additions {
                patch.insert(key.clone(), new.clone());
            }
            continue;
        };
        if key == DIRECTIVE {
            if old != new {
                patch.insert(key.clone(), new.clone());
            }
            continue;
        }
        match (old, new) {
            (Value::Object(old), Value::Object(new)) => {
                let (sub, meta) = match lookup_field(lookup, key) {
                    Ok(found) => found,
                    Err(_) if old == new => continue,
                    Err(error) => return Err(error),
                };
                if meta.replace {
                    if !diff.ignore_changes_and_additions {
                        patch.insert(key.clone(), Value::Object(new.clone()));
                    }
                    continue;
                }
                let part = diff_maps(old, new, sub, Diff { retain_keys: meta.retain_keys, ..diff })?;
                if !part.is_empty() {
                    patch.insert(key.clone(), Value::Object(part));
                }
            }
            (Value::Array(old), Value::Array(new)) => {
                let (sub, meta) = match lookup_field(lookup, key) {
                    Ok(found) => found,
                    Err(_) if old == new => continue,
                    Err(error) => return Err(error),
                };
                if !meta.merge {
                    if !diff.ignore_changes_and_additions && old != new {
                        patch.insert(key.clone(), Value::Array(new.clone()));
                    }
                    continue;
                }
                let diff = Diff { retain_keys: meta.retain_keys, ..diff };
                let lists = diff_lists(old, new, sub, meta.merge_key, diff)?;
                if !lists.patch.is_empty() {
                    patch.insert(key.clone(), Value::Array(lists.patch));
                }
                if !lists.delete.is_empty() {
                    patch.insert(format!("{DELETE_PREFIX}/{key}"), Value::Array(lists.delete));
                }
                if !lists.order.is_empty() {
                    patch.insert(format!("{ORDER_PREFIX}/{key}"), Value::Array(lists.order));
                }
            }
            (old, new) => {
                if !diff.ignore_changes_and_additions && old != new {
                    patch.insert(key.clone(), new.clone());
                }
            }
        }
    }
    if !diff.ignore_deletions {
        for key in original.keys() {
            if !modified.contains_key(key) {
                patch.insert(key.clone(), Value::Null);
            }
        }
    }
    let cleared = original.iter().any(|(k, v)| !v.is_null() && !modified.contains_key(k));
    if !retained.is_empty() && (!patch.is_empty() || cleared) {
        retained.sort();
        patch.insert(RETAIN_KEYS.to_owned(), retained.into_iter().map(Value::String).collect());
    }
    Ok(patch)
}

#[derive(Default)]
struct Lists {
    patch: Vec<Value>,
    delete: Vec<Value>,
    order: Vec<Value>,
}

fn diff_lists<L: Lookup>(
    original: &[Value],
    modified: &[Value],
    lookup: L,
    key: &str,
    diff: Diff,
) -> Result<Lists> {
    if original.is_empty() {
        let patch = if modified.is_empty() || diff.ignore_changes_and_additions {
            Vec::new()
        } else {
            modified.to_vec()
        };
        return Ok(Lists { patch, ..Lists::default() });
    }
    let mut lists = Lists::default();
    if holds_maps(original, modified)? {
        let (patch, deletions) = diff_lists_of_maps(original, modified, lookup, key, diff)?;
        lists.patch = normalize_slice(patch, modified, key)?;
        let same_order = original.len() == modified.len()
            && original.iter().zip(modified).all(|(a, b)| a.get(key) == b.get(key));
        lists.patch.extend(deletions);
        let wanted = (!diff.ignore_changes_and_additions && (!lists.patch.is_empty() || !same_order))
            || (!diff.ignore_deletions && !lists.patch.is_empty());
        if diff.set_element_order && wanted {
            lists.order = modified
                .iter()
                .map(|v| {
                    let id = v.get(key).cloned().unwrap_or(Value::Null);
                    Value::Object(Map::from_iter([(key.to_owned(), id)]))
                })
                .collect();
        }
    } else {
        let added: Vec<Value> = modified.iter().filter(|v| !original.contains(v)).cloned().collect();
        let mut gone: Vec<Value> = Vec::new();
        for item in original {
            if !modified.contains(item) && !gone.contains(item) {
                gone.push(item.clone());
            }
        }
        gone.sort_by_key(go_text);
        if !diff.ignore_changes_and_additions {
            lists.patch = normalize_slice(added, modified, key)?;
        }
        if !diff.ignore_deletions {
            lists.delete = gone;
        }
        let wanted = (!diff.ignore_deletions && !lists.delete.is_empty())
            || (!diff.ignore_changes_and_additions && original != modified);
        if diff.set_element_order && wanted {
            lists.order = modified.to_vec();
        }
    }
    Ok(lists)
}

fn diff_lists_of_maps<L: Lookup>(
    original: &[Value],
    modified: &[Value],
    lookup: L,
    key: &str,
    diff: Diff,
) -> Result<(Vec<Value>, Vec<Value>)> {
    let sorted = |items: &[Value]| -> Result<Vec<(String, Map<String, Value>)>> {
        let mut out = Vec::with_capacity(items.len());
        for item in items {
            let (Value::Object(fields), Some(id)) = (item, item.get(key)) else {
                return Err(PatchError::NoMergeKey(go_text(item), key.to_owned()));
            };
            out.push((go_text(id), fields.clone()));
        }
        out.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(out)
    };
    let (old, new) = (sorted(original)?, sorted(modified)?);
    let (mut i, mut j) = (0, 0);
    let mut patch = Vec::new();
    let mut deletions = Vec::new();
    loop {
        match (old.get(i), new.get(j)) {
            (None, None) => break,
            (Some((a, before)), Some((b, after))) if a == b => {
                let mut part = diff_maps(before, after, lookup, diff)?;
                if !part.is_empty() {
                    part.insert(key.to_owned(), after.get(key).cloned().unwrap_or(Value::Null));
                    patch.push(Value::Object(part));
                }
                i += 1;
                j += 1;
            }
            (Some((a, before)), next) if next.is_none_or(|(b, _)| a < b) => {
                if !diff.ignore_deletions {
                    let id = before.get(key).cloned().unwrap_or(Value::Null);
                    deletions.push(Value::Object(Map::from_iter([
                        (key.to_owned(), id),
                        (DIRECTIVE.to_owned(), "delete".into()),
                    ])));
                }
                i += 1;
            }
            (_, Some((_, after))) => {
                if !diff.ignore_changes_and_additions {
                    patch.push(Value::Object(after.clone()));
                }
                j += 1;
            }
            (Some(_), None) => i += 1,
        }
    }
    Ok((patch, deletions))
}
