//! Patches of a kustomization.
//!
//! Source: sigs.k8s.io/kustomize/api/internal/builtins/PatchTransformer.go,
//! sigs.k8s.io/kustomize/kyaml/yaml/merge2 (v0.21.1).

use super::{Loader, Resource, Result};
use crate::value::{at, list, text};
use podlab_api::door::PatchType;
use podlab_api::kinds;
use podlab_api::patch::{KindLookup, Lookup};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

pub(super) fn run(
    loader: &mut Loader<'_, '_>,
    dir: &str,
    spec: &Value,
    into: &mut Vec<Resource>,
    field: &str,
) -> Result<()> {
    for entry in list(spec, &[field]) {
        let (patch, path) = match (entry, field) {
            // A path, or the patch itself.
            (Value::String(text), _) if text.contains('\n') || text.contains(": ") => {
                (text.clone(), String::new())
            }
            (Value::String(path), _) => (String::new(), path.clone()),
            _ => (text(entry, &["patch"]).trim().to_owned(), text(entry, &["path"]).to_owned()),
        };
        let config = podlab_yaml::to_yaml(entry);
        let trouble = |why: String| {
            format!("trouble configuring builtin PatchTransformer with config: `\n{config}`: {why}")
        };
        let (content, source) = match (patch.is_empty(), path.is_empty()) {
            (true, true) => {
                return Err(trouble(format!("must specify one of patch and path in\n{config}")));
            }
            (false, false) => {
                return Err(trouble(format!("patch and path can't be set at the same time\n{config}")));
            }
            (false, true) => (patch.clone(), format!("[patch: {patch:?}]")),
            (true, false) => {
                let bytes = loader.load(dir, &path).map_err(|error| {
                    trouble(format!("failed to get the patch file from path({path}): {error}"))
                })?;
                (String::from_utf8_lossy(&bytes).into_owned(), format!("[path: {path:?}]"))
            }
        };
        let read = podlab_yaml::parse_documents(&content);
        if read.error.is_some() {
            return Err(trouble(format!("unable to parse SM or JSON patch from {source}")));
        }
        let target = at(entry, &["target"]);
        for document in read.documents {
            match document.value {
                Value::Null => {}
                Value::Array(operations) => {
                    if target.is_null() {
                        return Err(format!("must specify a target for JSON patch {source}"));
                    }
                    for resource in into.iter_mut().filter(|r| selects(target, r)) {
                        resource.remember();
                        let kind = &kinds::POD;
                        let patch = Value::Array(operations.clone());
                        resource.value =
                            podlab_api::patch::apply(kind, PatchType::Json, &resource.value, &patch)
                                .map_err(|status| status.message)?;
                    }
                }
                patch => merge_into(into, target, patch)?,
            }
        }
    }
    Ok(())
}

fn merge_into(into: &mut Vec<Resource>, target: &Value, patch: Value) -> Result<()> {
    let patch = Resource { value: patch, before: Vec::new(), hashed: false };
    let mut found = false;
    let mut gone = Vec::new();
    for (index, resource) in into.iter_mut().enumerate() {
        let meant = if target.is_null() {
            resource.same_kind(&patch) && resource.was(patch.namespace(), patch.name())
        } else {
            selects(target, resource)
        };
        if !meant {
            continue;
        }
        found = true;
        if text(&patch.value, &["$patch"]) == "delete" {
            gone.push(index);
            continue;
        }
        resource.remember();
        let (kind, version) = (resource.kind().to_owned(), text(&resource.value, &["apiVersion"]).to_owned());
        let (name, namespace) =
            (resource.name().to_owned(), at(&resource.value, &["metadata", "namespace"]).clone());
        let lookup = kinds::by_gvk(&version, &kind).map(KindLookup::new);
        merge(&mut resource.value, &patch.value, lookup);
        // What the object is stays.
        resource.value["kind"] = kind.into();
        resource.value["apiVersion"] = version.into();
        resource.value["metadata"]["name"] = name.into();
        match namespace {
            Value::Null => drop(crate::value::remove(&mut resource.value, &["metadata"], "namespace")),
            namespace => resource.value["metadata"]["namespace"] = namespace,
        }
    }
    for index in gone.into_iter().rev() {
        into.remove(index);
    }
    if !found && target.is_null() {
        let id = patch.id();
        return Err(format!(
            "no resource matches strategic merge patch {id:?}: no matches for Id {id}; failed to find unique target for patch {id}"
        ));
    }
    Ok(())
}

/// Merges a patch: lists with a key element by element, what is new coming first.
fn merge(value: &mut Value, patch: &Value, lookup: Option<KindLookup>) {
    let Value::Object(patch) = patch else {
        *value = patch.clone();
        return;
    };
    if text(&Value::Object(patch.clone()), &["$patch"]) == "replace" || !value.is_object() {
        *value = Value::Object(Map::new());
    }
    let Value::Object(map) = value else { return };
    for (key, change) in patch.iter().filter(|(key, _)| !key.starts_with('$')) {
        let (inner, meta) = match lookup.map(|l| l.field(key)) {
            Some(Ok((inner, meta))) => (Some(inner), meta),
            _ => (None, Default::default()),
        };
        match change {
            Value::Null => drop(map.remove(key)),
            Value::Object(nested) if text(change, &["$patch"]) == "delete" => {
                let _ = nested;
                map.remove(key);
            }
            Value::Object(_) => merge(map.entry(key.clone()).or_insert(Value::Null), change, inner),
            Value::Array(items) if meta.merge => {
                let old = match map.get_mut(key) {
                    Some(Value::Array(old)) => std::mem::take(old),
                    _ => Vec::new(),
                };
                map.insert(key.clone(), Value::Array(merge_lists(old, items, meta.merge_key, inner)));
            }
            change => drop(map.insert(key.clone(), change.clone())),
        }
    }
}

fn merge_lists(old: Vec<Value>, items: &[Value], key: &str, lookup: Option<KindLookup>) -> Vec<Value> {
    if items.iter().any(|item| text(item, &["$patch"]) == "replace") {
        return items.iter().filter(|item| at(item, &["$patch"]).is_null()).cloned().collect();
    }
    let same = |a: &Value, b: &Value| if key.is_empty() { a == b } else { at(a, &[key]) == at(b, &[key]) };
    let mut out: Vec<Value> = Vec::new();
    for item in items {
        let before = old.iter().find(|old| same(old, item));
        if text(item, &["$patch"]) == "delete" {
            continue;
        }
        let mut value = before.cloned().unwrap_or(Value::Null);
        merge(&mut value, item, lookup);
        out.push(value);
    }
    out.extend(old.into_iter().filter(|old| !items.iter().any(|item| same(old, item))));
    out
}

/// Whether a pattern fits the whole of a text.
fn fits(pattern: &str, content: &str) -> bool {
    pattern.is_empty() || podlab_shell::matches_whole(pattern, content)
}

fn selects(target: &Value, resource: &Resource) -> bool {
    let (group, version) = resource.group_version();
    // The name or namespace that it has, or one that it had.
    let named = |want: &str, now: &str, pick: fn(&(String, String)) -> &str| {
        want.is_empty() || fits(want, now) || resource.before.iter().any(|then| fits(want, pick(then)))
    };
    let labels = |selector: &str, key: &str| {
        selector.is_empty()
            || podlab_api::selector::Selector::parse(selector).is_ok_and(|parsed| {
                let map = at(&resource.value, &["metadata", key]).as_object().cloned().unwrap_or_default();
                let map: BTreeMap<String, String> =
                    map.iter().map(|(k, v)| (k.clone(), crate::value::plain(v))).collect();
                parsed.matches(&map)
            })
    };
    fits(text(target, &["group"]), group)
        && fits(text(target, &["version"]), version)
        && fits(text(target, &["kind"]), resource.kind())
        && named(text(target, &["name"]), resource.name(), |b| b.1.as_str())
        && named(text(target, &["namespace"]), resource.namespace(), |b| b.0.as_str())
        && labels(text(target, &["labelSelector"]), "labels")
        && labels(text(target, &["annotationSelector"]), "annotations")
}
