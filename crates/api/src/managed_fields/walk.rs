//! Walks over values by their types: the set of a value's fields, the difference of two values, one merged into the other,
//! fields taken away.
//!
//! Source: sigs.k8s.io/structured-merge-diff/v6/typed (tofieldset.go, compare.go, merge.go, remove.go, validate.go).

use super::path::PathElement;
use super::set::Set;
use super::typed::{List, Shape, Typed};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// The deepest value that is walked; what lies below is taken as a whole.
const DEEPEST: usize = 128;

/// What differs between two values. No path is in two of the sets.
#[derive(Clone, Debug, Default)]
pub struct Comparison {
    /// Fields that the second one lacks.
    pub removed: Set,
    /// Fields with different values.
    pub modified: Set,
    /// Fields that the first one lacks.
    pub added: Set,
}

impl Comparison {
    /// The same without fields, and what is below them.
    pub fn without(&self, fields: &Set) -> Comparison {
        Comparison {
            removed: self.removed.recursive_difference(fields),
            modified: self.modified.recursive_difference(fields),
            added: self.added.recursive_difference(fields),
        }
    }
}

fn as_map(value: Option<&Value>) -> Option<&Map<String, Value>> {
    value.and_then(Value::as_object)
}

fn as_list(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The set of all fields of a value.
pub fn field_set(ty: Typed<'_>, value: &Value) -> Set {
    let mut set = Set::default();
    collect(ty, value, &mut Vec::new(), &mut set);
    set
}

fn collect(ty: Typed<'_>, value: &Value, path: &mut Vec<PathElement>, set: &mut Set) {
    let shape = ty.shape(Some(value));
    if shape.is_atomic() || path.len() > DEEPEST {
        set.insert(path);
        return;
    }
    match (&shape, value) {
        (Shape::Map { .. }, Value::Object(map)) => {
            for (name, value) in map {
                let element = PathElement::Field(name.clone());
                let below = shape.below(&element);
                path.push(element);
                collect(below, value, path, set);
                let empty = value.is_null() || value.as_object().is_some_and(Map::is_empty);
                if empty || !shape.declares(name) {
                    set.insert(path);
                }
                path.pop();
            }
        }
        (Shape::List(list), Value::Array(items)) => {
            let elements: Vec<PathElement> =
                items.iter().filter_map(|item| list.element(item).ok()).collect();
            let twice = repeated(&elements);
            for (item, element) in items.iter().filter_map(|item| Some((item, list.element(item).ok()?))) {
                let below = shape.below(&element);
                let twice = twice.contains(&element);
                path.push(element);
                if !twice {
                    collect(below, item, path, set);
                }
                set.insert(path);
                path.pop();
            }
        }
        _ => {}
    }
}

fn repeated(elements: &[PathElement]) -> BTreeSet<PathElement> {
    let mut seen = BTreeSet::new();
    elements.iter().filter(|element| !seen.insert(*element)).cloned().collect()
}

/// What differs between two values of a type.
pub fn compare(ty: Typed<'_>, old: &Value, new: &Value) -> Comparison {
    let mut found = Comparison::default();
    compare_at(ty, Some(old), Some(new), &mut Vec::new(), &mut found);
    found
}

fn compare_at(
    ty: Typed<'_>,
    old: Option<&Value>,
    new: Option<&Value>,
    path: &mut Vec<PathElement>,
    found: &mut Comparison,
) {
    let shape = ty.shape(new.or(old));
    let empty = |value: Option<&Value>| match value {
        Some(Value::Object(map)) => map.is_empty(),
        Some(Value::Array(items)) => items.is_empty(),
        _ => true,
    };
    let leaf = shape.is_atomic() || path.len() > DEEPEST || (empty(old) && empty(new));
    if leaf {
        match (old, new) {
            (None, _) => found.added.insert(path),
            (_, None) => found.removed.insert(path),
            (Some(old), Some(new)) if old != new => found.modified.insert(path),
            _ => {}
        }
        return;
    }
    match &shape {
        Shape::Map { .. } => {
            let (a, b) = (as_map(old), as_map(new));
            let names: BTreeSet<&String> = a.into_iter().chain(b).flat_map(|map| map.keys()).collect();
            for name in names {
                let element = PathElement::Field(name.clone());
                let below = shape.below(&element);
                path.push(element);
                compare_at(below, a.and_then(|m| m.get(name)), b.and_then(|m| m.get(name)), path, found);
                path.pop();
            }
        }
        Shape::List(list) => {
            let (a, b) = (by_element(list, as_list(old)), by_element(list, as_list(new)));
            let elements: BTreeSet<&PathElement> = a.keys().chain(b.keys()).collect();
            for element in elements {
                let none = Vec::new();
                let (a, b) = (a.get(element).unwrap_or(&none), b.get(element).unwrap_or(&none));
                path.push(element.clone());
                compare_items(shape.below(element), a, b, path, found);
                path.pop();
            }
        }
        Shape::Leaf => {}
    }
    match (old, new) {
        (None, _) => found.added.insert(path),
        (_, None) => found.removed.insert(path),
        _ => {}
    }
}

/// Elements with the same keys: one each is walked into, several are one thing.
fn compare_items(
    ty: Typed<'_>,
    old: &[&Value],
    new: &[&Value],
    path: &mut Vec<PathElement>,
    found: &mut Comparison,
) {
    match (old, new) {
        ([] | [_], [] | [_]) => {
            compare_at(ty, old.first().copied(), new.first().copied(), path, found);
        }
        ([_, _, ..], [_, _, ..]) => {
            if old != new {
                found.modified.insert(path);
            }
        }
        ([_, _, ..], rest) => {
            if let Some(one) = rest.first() {
                compare_at(ty, None, Some(one), path, found);
            }
            found.removed.insert(path);
        }
        (rest, _) => {
            if let Some(one) = rest.first() {
                compare_at(ty, Some(one), None, path, found);
            }
            found.added.insert(path);
        }
    }
}

fn by_element<'a>(list: &List<'_>, items: &'a [Value]) -> BTreeMap<PathElement, Vec<&'a Value>> {
    let mut all: BTreeMap<PathElement, Vec<&Value>> = BTreeMap::new();
    for item in items {
        if let Ok(element) = list.element(item) {
            all.entry(element).or_default().push(item);
        }
    }
    all
}

/// The live value with what is applied merged in: elements of lists by their keys, in the order that is applied.
pub fn merge(ty: Typed<'_>, live: &Value, applied: &Value) -> Value {
    merge_at(ty, Some(live), Some(applied), 0).unwrap_or(Value::Null)
}

fn merge_at(ty: Typed<'_>, live: Option<&Value>, applied: Option<&Value>, depth: usize) -> Option<Value> {
    let shape = ty.shape(applied.or(live));
    let empty = |value: Option<&Value>| match value {
        Some(Value::Object(map)) => map.is_empty(),
        Some(Value::Array(items)) => items.is_empty(),
        _ => true,
    };
    if shape.is_atomic() || depth > DEEPEST || (empty(live) && empty(applied)) {
        return applied.or(live).cloned();
    }
    match &shape {
        Shape::Map { .. } => {
            let (a, b) = (as_map(live), as_map(applied));
            let names: BTreeSet<&String> = a.into_iter().chain(b).flat_map(|map| map.keys()).collect();
            let mut merged = Map::new();
            for name in names {
                let below = shape.below(&PathElement::Field(name.clone()));
                let (a, b) = (a.and_then(|m| m.get(name)), b.and_then(|m| m.get(name)));
                if let Some(value) = merge_at(below, a, b, depth + 1) {
                    merged.insert(name.clone(), value);
                }
            }
            (!merged.is_empty()).then_some(Value::Object(merged))
        }
        Shape::List(list) => {
            let merged = merge_lists(&shape, list, as_list(live), as_list(applied), depth);
            (!merged.is_empty()).then_some(Value::Array(merged))
        }
        Shape::Leaf => None,
    }
}

fn merge_lists(
    shape: &Shape<'_>,
    list: &List<'_>,
    live: &[Value],
    applied: &[Value],
    depth: usize,
) -> Vec<Value> {
    let index = |items: &[Value]| -> Vec<PathElement> {
        items.iter().filter_map(|item| list.element(item).ok()).collect()
    };
    let (left, right) = (index(live), index(applied));
    let of_left = by_element(list, live);
    let of_right = by_element(list, applied);
    let one = |all: &BTreeMap<PathElement, Vec<&Value>>, element: &PathElement| match all
        .get(element)
        .map(Vec::as_slice)
    {
        // Elements that are there several times are not merged with the new one.
        Some([one]) => Some((*one).clone()),
        _ => None,
    };
    let mut shared = right.iter().filter(|element| of_left.contains_key(*element));
    let mut next = shared.next();
    let mut done: BTreeSet<&PathElement> = BTreeSet::new();
    let mut merged = Vec::with_capacity(left.len().max(right.len()));
    let (mut at, mut to) = (0, 0);
    let mut push = |element: &PathElement, live: Option<&Value>, applied: Option<&Value>| {
        if let Some(value) = merge_at(shape.below(element), live, applied, depth + 1) {
            merged.push(value);
        }
    };
    loop {
        let (a, b) = (left.get(at), right.get(to));
        if let (Some(a), Some(b)) = (a, b) {
            if a == b {
                done.insert(b);
                push(a, one(&of_left, a).as_ref(), one(&of_right, b).as_ref());
                at += 1;
                to += 1;
                next = shared.next();
                continue;
            }
            // An element of both, whose turn comes later by the order that is applied.
            if of_right.contains_key(a) && next.is_some_and(|next| next != a) {
                at += 1;
                continue;
            }
        }
        if let Some(a) = a {
            if !of_right.contains_key(a) {
                push(a, live.get(at), None);
                at += 1;
                continue;
            }
            if done.contains(a) {
                at += 1;
            }
        }
        match b {
            Some(b) => {
                done.insert(b);
                push(b, one(&of_left, b).as_ref(), one(&of_right, b).as_ref());
                to += 1;
                if next == Some(b) {
                    next = shared.next();
                }
            }
            None if left.get(at).is_none() => break,
            None => {}
        }
    }
    merged
}

/// A value without the fields of a set. Atomic lists and maps below the top go as a whole or not at all.
pub fn remove(ty: Typed<'_>, value: &Value, fields: &Set) -> Value {
    let shape = ty.shape(Some(value));
    match (&shape, value) {
        (Shape::Map { atomic: false, .. }, Value::Object(map)) if !map.is_empty() => {
            let mut rest = Map::new();
            for (name, value) in map {
                let element = PathElement::Field(name.clone());
                if fields.has_element(&element) {
                    continue;
                }
                let value = match fields.below(&element) {
                    Some(below) => remove(shape.below(&element), value, below),
                    None => value.clone(),
                };
                rest.insert(name.clone(), value);
            }
            if rest.is_empty() { Value::Null } else { Value::Object(rest) }
        }
        (Shape::List(list), Value::Array(items)) if !items.is_empty() && !shape.is_atomic() => {
            let mut rest = Vec::new();
            for item in items {
                let Ok(element) = list.element(item) else {
                    rest.push(item.clone());
                    continue;
                };
                if fields.has_element(&element) {
                    continue;
                }
                rest.push(match fields.below(&element) {
                    Some(below) => remove(shape.below(&element), item, below),
                    None => item.clone(),
                });
            }
            if rest.is_empty() { Value::Null } else { Value::Array(rest) }
        }
        (Shape::Leaf, value) => value.clone(),
        _ => Value::Null,
    }
}

/// What is wrong with a value that is applied, each with its path: unknown fields, wrong types, elements twice.
pub fn misfits(ty: Typed<'_>, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check(ty, value, &mut String::new(), 0, &mut found);
    found
}

fn check(ty: Typed<'_>, value: &Value, path: &mut String, depth: usize, found: &mut Vec<String>) {
    if depth > DEEPEST {
        return;
    }
    let said = |path: &str, text: String| if path.is_empty() { text } else { format!("{path}: {text}") };
    let shape = ty.shape(Some(value));
    let length = path.len();
    match (&shape, value) {
        (Shape::Leaf, value) => {
            if let Some(text) = ty.misfit(value) {
                found.push(said(path, text));
            }
        }
        (_, Value::Null) => {}
        (Shape::Map { .. }, Value::Object(map)) => {
            for (name, value) in map {
                let element = PathElement::Field(name.clone());
                path.push_str(&element.to_string());
                if !shape.allows(name) {
                    found.push(format!("{path}: field not declared in schema"));
                    path.truncate(length);
                    return;
                }
                check(shape.below(&element), value, path, depth + 1, found);
                path.truncate(length);
            }
        }
        (Shape::Map { .. }, other) => {
            found.push(said(path, format!("expected map, got &{{{}}}", crate::patch::go_text(other))));
        }
        (Shape::List(list), Value::Array(items)) => {
            let mut seen = BTreeSet::new();
            for (at, item) in items.iter().enumerate() {
                let element = if shape.is_atomic() {
                    PathElement::Index(i64::try_from(at).unwrap_or(i64::MAX))
                } else {
                    match list.element(item) {
                        Ok(element) => element,
                        Err(text) => {
                            found.push(said(path, format!("element {at}: {text}")));
                            return;
                        }
                    }
                };
                if !seen.insert(element.clone()) {
                    found.push(said(path, format!("duplicate entries for key {element}")));
                }
                path.push_str(&element.to_string());
                check(shape.below(&element), item, path, depth + 1, found);
                path.truncate(length);
            }
        }
        (Shape::List(_), other) => {
            found.push(said(path, format!("expected list, got &{{{}}}", crate::patch::go_text(other))));
        }
    }
}
