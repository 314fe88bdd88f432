//! Kinds without words of their own: every field, by name.
//!
//! Source: k8s.io/kubectl/pkg/describe/describe.go genericDescriber (v1.37).

use super::Out;
use crate::value::{at, name, namespace, plain};
use serde_json::Value;

pub(super) fn generic(out: &mut Out, object: &Value) {
    out.line(0, format!("Name:\t{}", name(object)));
    out.line(0, format!("Namespace:\t{}", namespace(object)));
    out.marks(object);
    fields(out, 0, object, &["metadata"]);
}

/// `firstTimestamp` as `First Timestamp`, `podIP` as `Pod IP`.
fn title(key: &str) -> String {
    // A name with anything but letters stays as it is.
    if key.chars().any(|c| !c.is_alphabetic() && c != '-') {
        return key.to_owned();
    }
    let chars: Vec<char> = key.chars().collect();
    let mut parts: Vec<String> = Vec::new();
    for (i, c) in chars.iter().enumerate() {
        let before = i.checked_sub(1).and_then(|j| chars.get(j));
        let after = chars.get(i + 1);
        let starts = before.is_none_or(|before| {
            let small_next = after.is_some_and(|after| after.is_lowercase());
            (*c == '-') != (*before == '-')
                || (c.is_uppercase() && (before.is_lowercase() || (before.is_uppercase() && small_next)))
        });
        match parts.last_mut() {
            Some(part) if !starts => part.push(*c),
            _ => parts.push(c.to_string()),
        }
    }
    let words = parts.into_iter().map(|part| match part.to_uppercase().as_str() {
        word @ ("API" | "URL" | "UID" | "GUID") => word.to_owned(),
        _ if part.to_lowercase() == part => {
            let mut letters = part.chars();
            letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
        }
        _ => part,
    });
    words.collect::<Vec<String>>().join(" ")
}

/// Fields of metadata that stand in the head or say nothing.
const HIDDEN: [&str; 9] = [
    "name",
    "namespace",
    "labels",
    "annotations",
    "managedFields",
    "selfLink",
    "clusterName",
    "deletionGracePeriodSeconds",
    "initializers",
];

fn fields(out: &mut Out, level: usize, value: &Value, path: &[&str]) {
    let Some(map) = value.as_object() else { return };
    let mut keys: Vec<&String> = map.keys().collect();
    keys.sort();
    for key in keys {
        let title = title(key);
        let field = at(value, &[key]);
        let metadata = level == 1 && path == ["in metadata"];
        if metadata && HIDDEN.contains(&key.as_str()) {
            continue;
        }
        match field {
            Value::Object(inner) if inner.is_empty() => out.line(level, format!("{title}:")),
            Value::Object(_) => {
                out.line(level, format!("{title}:"));
                let next: &[&str] = if level == 0 && key == "metadata" { &["in metadata"] } else { &[] };
                fields(out, level + 1, field, next);
            }
            Value::Array(items) => {
                out.line(level, format!("{title}:"));
                for item in items {
                    match item {
                        Value::Object(_) => fields(out, level + 1, item, &[]),
                        other => out.line(level + 1, plain(other)),
                    }
                }
            }
            Value::Null => out.line(level, format!("{title}:\t<nil>")),
            other => out.line(level, format!("{title}:\t{}", plain(other))),
        }
    }
}
