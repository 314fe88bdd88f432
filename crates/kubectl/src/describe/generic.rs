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
    let mut out = String::new();
    for (i, c) in chars.iter().enumerate() {
        let before = i.checked_sub(1).and_then(|j| chars.get(j));
        let after = chars.get(i + 1);
        let starts = c.is_uppercase()
            && before.is_some_and(|b| {
                b.is_lowercase()
                    || b.is_ascii_digit()
                    || (b.is_uppercase() && after.is_some_and(|a| a.is_lowercase()))
            });
        if starts {
            out.push(' ');
        }
        if i == 0 { out.extend(c.to_uppercase()) } else { out.push(*c) }
    }
    match out.as_str() {
        "Uid" => "UID".to_owned(),
        "Api Version" => "API Version".to_owned(),
        _ => out.replace("Api ", "API ").replace("Url", "URL"),
    }
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
