//! Values in errors as Go marshals them: fields in Go order; internal types, which have no JSON tags, under
//! their Go names with every field written.

use super::diff::unified_diff;
use crate::schema::{GoType, Schema};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::LazyLock;

/// A value of a versioned type (`meta/v1.LabelSelector`) as JSON, fields in Go order.
pub(crate) fn json_of(type_name: &str, value: &Value) -> String {
    versioned(type_name, value).compact()
}

/// A value of an internal type (`core.SecurityContext`) as JSON. `value` is the versioned form.
pub(crate) fn internal_json(type_name: &str, value: &Value) -> String {
    internal(type_name, value).compact()
}

/// The difference of two values of an internal type, as a unified diff of their indented JSON.
///
/// Source: k8s.io/apimachinery/pkg/util/diff/diff.go Diff (v1.37).
pub(crate) fn internal_diff(type_name: &str, old: &Value, new: &Value) -> String {
    unified_diff(&internal(type_name, old).pretty(), &internal(type_name, new).pretty())
}

/// JSON whose objects have an order.
enum Ordered {
    Plain(String),
    List(Vec<Ordered>),
    Object(Vec<(String, Ordered)>),
}

impl Ordered {
    fn of(value: &Value) -> Ordered {
        match value {
            Value::Array(items) => Ordered::List(items.iter().map(Ordered::of).collect()),
            Value::Object(map) => {
                Ordered::Object(map.iter().map(|(k, v)| (k.clone(), Ordered::of(v))).collect())
            }
            Value::String(text) => Ordered::Plain(quoted(text)),
            other => Ordered::Plain(other.to_string()),
        }
    }

    fn compact(&self) -> String {
        let mut out = String::new();
        self.write(&mut out, None);
        out
    }

    fn pretty(&self) -> String {
        let mut out = String::new();
        self.write(&mut out, Some(0));
        out
    }

    /// Writes itself; with an indentation one entry a line, one space a level.
    fn write(&self, out: &mut String, indent: Option<usize>) {
        let deeper = indent.map(|i| i + 1);
        let line = |out: &mut String, indent: Option<usize>| {
            if let Some(indent) = indent {
                out.push('\n');
                out.extend(std::iter::repeat_n(' ', indent));
            }
        };
        match self {
            Ordered::Plain(text) => out.push_str(text),
            Ordered::List(items) if items.is_empty() => out.push_str("[]"),
            Ordered::Object(entries) if entries.is_empty() => out.push_str("{}"),
            Ordered::List(items) => {
                out.push('[');
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    line(out, deeper);
                    item.write(out, deeper);
                }
                line(out, indent);
                out.push(']');
            }
            Ordered::Object(entries) => {
                out.push('{');
                for (i, (key, item)) in entries.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    line(out, deeper);
                    let _ = write!(out, "{}:", quoted(key));
                    if indent.is_some() {
                        out.push(' ');
                    }
                    item.write(out, deeper);
                }
                line(out, indent);
                out.push('}');
            }
        }
    }
}

/// A string as encoding/json writes it: `<`, `>` and `&` escaped as well.
fn quoted(text: &str) -> String {
    let mut out = String::new();
    for c in serde_json::to_string(text).unwrap_or_default().chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

fn versioned(type_name: &str, value: &Value) -> Ordered {
    let schema = Schema::get();
    match schema.type_named(type_name) {
        Some(id) => versioned_type(schema, &GoType::Named(id), value),
        None => Ordered::of(value),
    }
}

fn versioned_type(schema: &Schema, ty: &GoType, value: &Value) -> Ordered {
    match (schema.resolve(ty), value) {
        (GoType::Pointer(inner), _) => versioned_type(schema, inner, value),
        (GoType::Slice(inner), Value::Array(items)) => {
            Ordered::List(items.iter().map(|i| versioned_type(schema, inner, i)).collect())
        }
        (GoType::Named(id), Value::Object(map)) => Ordered::Object(
            schema
                .fields(*id)
                .iter()
                .filter_map(|f| Some((f.name.to_owned(), versioned_type(schema, &f.ty, map.get(f.name)?))))
                .collect(),
        ),
        _ => Ordered::of(value),
    }
}

/// A field of an internal type.
struct InternalField {
    /// The Go name; the JSON name after a `?` where the field is left out when empty.
    go_name: &'static str,
    /// Where the value is in the versioned form; `-` for nowhere.
    json: &'static str,
    shape: &'static str,
}

static INTERNAL: LazyLock<BTreeMap<&'static str, Vec<InternalField>>> = LazyLock::new(|| {
    let mut types = BTreeMap::new();
    let mut current = "";
    for line in include_str!("../../data/internal.txt").lines() {
        if let Some(name) = line.strip_prefix('#') {
            current = name;
            types.insert(name, Vec::new());
        } else if let [go_name, json, shape] = line.split(' ').collect::<Vec<_>>().as_slice()
            && let Some(fields) = types.get_mut(current)
        {
            fields.push(InternalField { go_name, json, shape });
        }
    }
    types
});

fn internal(type_name: &str, value: &Value) -> Ordered {
    let Some(fields) = INTERNAL.get(type_name) else { return Ordered::of(value) };
    let mut entries = Vec::with_capacity(fields.len());
    for field in fields {
        let item = if field.json == "-" { &Value::Null } else { crate::schema::tree::at(value, field.json) };
        match field.go_name.strip_prefix('?') {
            Some(_) if item.is_null() => {}
            Some(name) => entries.push((name.to_owned(), Ordered::of(item))),
            None => entries.push((field.go_name.to_owned(), internal_shape(field.shape, item))),
        }
    }
    Ordered::Object(entries)
}

fn internal_shape(shape: &str, value: &Value) -> Ordered {
    if let Some(inner) = shape.strip_prefix('*') {
        return if value.is_null() { Ordered::of(value) } else { internal_shape(inner, value) };
    }
    if let Some(inner) = shape.strip_prefix("[]") {
        return match value {
            Value::Array(items) => Ordered::List(items.iter().map(|i| internal_shape(inner, i)).collect()),
            _ => Ordered::of(&Value::Null),
        };
    }
    if let Some(inner) = shape.strip_prefix("map:") {
        return match value {
            Value::Object(map) => {
                Ordered::Object(map.iter().map(|(k, v)| (k.clone(), internal_shape(inner, v))).collect())
            }
            _ => Ordered::of(&Value::Null),
        };
    }
    if let Some(union) = internal_union(shape, value) {
        return union;
    }
    match (shape, value) {
        ("bool", Value::Null) => Ordered::Plain("false".to_owned()),
        ("int" | "IntOrString", Value::Null) => Ordered::Plain("0".to_owned()),
        ("string", Value::Null) => Ordered::Plain("\"\"".to_owned()),
        ("Quantity", Value::Null) => Ordered::Plain("\"0\"".to_owned()),
        _ if INTERNAL.contains_key(shape) => internal(shape, value),
        _ if shape.starts_with("meta/v1.") && !value.is_null() => versioned(shape, value),
        _ => Ordered::of(value),
    }
}

/// Types that are one of two things, which JSON tells apart by what it finds.
///
/// Source: apiextensions-apiserver pkg/apis/apiextensions/v1/marshal.go (v0.37).
fn internal_union(shape: &str, value: &Value) -> Option<Ordered> {
    const SCHEMA: &str = "apiextensions.JSONSchemaProps";
    let (name, list) = match shape.strip_prefix("apiextensions.JSONSchemaPropsOr")? {
        "Bool" => {
            // A schema allows what fits it.
            let allows = Ordered::Plain((*value != Value::Bool(false)).to_string());
            let schema = if value.is_object() { internal(SCHEMA, value) } else { Ordered::of(&Value::Null) };
            return Some(Ordered::Object(vec![("Allows".to_owned(), allows), ("Schema".to_owned(), schema)]));
        }
        "Array" => ("JSONSchemas", "[]apiextensions.JSONSchemaProps"),
        "StringArray" => ("Property", "[]string"),
        _ => return None,
    };
    let schema = if value.is_object() { internal(SCHEMA, value) } else { Ordered::of(&Value::Null) };
    let items = if value.is_array() { internal_shape(list, value) } else { Ordered::of(&Value::Null) };
    Some(Ordered::Object(vec![("Schema".to_owned(), schema), (name.to_owned(), items)]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn internal_types_write_every_field_under_its_go_name() {
        let taint = json!({"key": "a", "effect": "NoSchedule"});
        assert_eq!(
            internal_json("core.Taint", &taint),
            r#"{"Key":"a","Value":"","Effect":"NoSchedule","TimeAdded":null}"#
        );
    }

    #[test]
    fn versioned_types_are_in_go_order() {
        let selector = json!({"matchExpressions": [{"operator": "In", "key": "a", "values": ["<"]}], "matchLabels": {"b": "c"}});
        assert_eq!(
            json_of("meta/v1.LabelSelector", &selector),
            r#"{"matchLabels":{"b":"c"},"matchExpressions":[{"key":"a","operator":"In","values":["\u003c"]}]}"#
        );
    }
}
