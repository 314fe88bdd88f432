//! The pages of kinds that somebody has defined: told from the definition's schema as the server publishes it.
//!
//! Source: k8s.io/kubectl/pkg/explain/v2/templates/plaintext.tmpl,
//! k8s.io/apiextensions-apiserver/pkg/controller/openapi/builder/builder.go (v1.37).

use super::wrap::{indent, wrap};
use super::{DEEPEST, TypeId};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;

/// A definition's schema, and where the fields that every object has are told.
pub(super) struct Page<'a> {
    pub native: &'a super::Page<'a>,
    /// A kind whose `apiVersion`, `kind` and `metadata` are told.
    pub root: TypeId,
    pub schema: &'a Value,
}

const NATIVE: [&str; 3] = ["apiVersion", "kind", "metadata"];

/// What the server says of these fields of a resource within a resource.
const EMBEDDED: [(&str, &str); 2] = [
    (
        "apiVersion",
        "apiVersion defines the versioned schema of this representation of an object. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#resources",
    ),
    (
        "kind",
        "kind is a string value representing the type of this object. In CamelCase. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds",
    ),
];

/// A field: one of every object, or one that the schema describes.
#[derive(Clone, Copy)]
enum Field<'a> {
    Native(&'static str),
    /// `apiVersion` or `kind` of a resource within the resource, with its description.
    Embedded(&'static str),
    Own(&'a Value),
}

fn text<'a>(schema: &'a Value, key: &str) -> &'a str {
    schema.get(key).and_then(Value::as_str).unwrap_or("")
}

/// The schema of a list's items or a map's values.
fn inner(schema: &Value) -> Option<&Value> {
    let map = || schema.get("additionalProperties").filter(|inner| inner.is_object());
    schema.get("items").or_else(map)
}

fn is_embedded(schema: &Value) -> bool {
    schema.get("x-kubernetes-embedded-resource").and_then(Value::as_bool) == Some(true)
}

/// Fields by name.
fn fields(schema: &Value, root: bool) -> BTreeMap<&str, Field<'_>> {
    let own = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
    let mut all: BTreeMap<&str, Field<'_>> = own.map(|(key, one)| (key.as_str(), Field::Own(one))).collect();
    if root {
        all.extend(NATIVE.map(|name| (name, Field::Native(name))));
    } else if is_embedded(schema) {
        all.extend(EMBEDDED.map(|(name, about)| (name, Field::Embedded(about))));
        all.insert("metadata", Field::Native("metadata"));
    }
    all
}

fn type_guess(schema: &Value) -> String {
    if let Some(items) = schema.get("items") {
        return format!("[]{}", type_guess(items));
    }
    if let Some(values) = inner(schema) {
        return format!("map[string]{}", type_guess(values));
    }
    let all = schema.get("allOf").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if let ([one], None) = (all, schema.get("properties")) {
        return type_guess(one);
    }
    match text(schema, "type") {
        "object" | "" => "Object".to_owned(),
        other => other.to_owned(),
    }
}

fn describe(schema: &Value, out: &mut String, depth: usize) {
    if depth > DEEPEST {
        return;
    }
    let about = text(schema, "description");
    if !about.is_empty() {
        out.push_str(about);
        out.push('\n');
    }
    for one in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
        describe(one, out, depth + 1);
    }
    // A list has items, a map has values; nothing has both.
    if let Some(inner) = inner(schema) {
        describe(inner, out, depth + 1);
    }
}

/// The values of an enumeration as Go prints them.
fn values(schema: &Value) -> Vec<String> {
    let all = schema.get("enum").and_then(Value::as_array).into_iter().flatten();
    let text = |value: &Value| match value {
        Value::String(text) if text.is_empty() => "\"\"".to_owned(),
        Value::String(text) => text.clone(),
        Value::Null => "<nil>".to_owned(),
        other => other.to_string(),
    };
    all.map(text).collect()
}

impl Page<'_> {
    /// The page of the kind or of a field; `None` where there is no such field.
    pub(super) fn at(&self, path: &[&str]) -> Option<String> {
        let mut schema = self.schema;
        let mut root = true;
        let mut last = "";
        let mut rest = path;
        while let Some((name, after)) = rest.split_first() {
            let all = fields(schema, root);
            match all.get(name) {
                Some(Field::Own(field)) => {
                    (schema, last, rest) = (field, name, after);
                    root = false;
                }
                Some(Field::Native(_)) => return self.native.at(self.root, rest),
                Some(Field::Embedded(about)) if after.is_empty() => {
                    let about = indent(4, &wrap(76, &format!("{about}\n")));
                    return Some(format!("FIELD: {name} <string>\n\n\nDESCRIPTION:\n{about}\n"));
                }
                Some(Field::Embedded(_)) => return None,
                None => schema = inner(schema)?,
            }
        }
        let mut out = String::new();
        if !last.is_empty() {
            let _ = writeln!(out, "FIELD: {last} <{}>", type_guess(schema));
            let values = values(schema);
            if !values.is_empty() {
                out.push_str("ENUM:");
                for value in values {
                    let _ = write!(out, "\n    {value}");
                }
            }
            out.push_str("\n\n");
        }
        let mut about = String::new();
        describe(schema, &mut about, 0);
        let about = if about.is_empty() { "<empty>" } else { &about };
        let _ = writeln!(out, "DESCRIPTION:\n{}", indent(4, &wrap(76, about)));
        let mut list = String::new();
        self.list(schema, root, 1, &mut list);
        if !list.is_empty() {
            out.push_str("FIELDS:\n");
            out.push_str(&list);
        }
        Some(out)
    }

    fn list(&self, schema: &Value, root: bool, level: usize, out: &mut String) {
        if level > DEEPEST {
            return;
        }
        for (name, field) in fields(schema, root) {
            let own = match field {
                Field::Own(own) => own,
                Field::Native(name) => {
                    self.native.member(self.root, name, level, out);
                    continue;
                }
                Field::Embedded(about) => {
                    self.entry(name, "string", true, &[], about, level, out);
                    continue;
                }
            };
            let required = schema.get("required").and_then(Value::as_array);
            let required = required.is_some_and(|all| all.iter().any(|one| one == name));
            let about = text(own, "description");
            self.entry(name, &type_guess(own), required, &values(own), about, level, out);
            if self.native.goes_below(level) {
                self.list(own, false, level + 1, out);
            }
        }
        for one in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            self.list(one, false, level, out);
        }
        if let Some(inner) = inner(schema) {
            self.list(inner, false, level, out);
        }
    }

    #[expect(clippy::too_many_arguments, reason = "what one line of the list tells")]
    fn entry(
        &self,
        name: &str,
        kind: &str,
        required: bool,
        values: &[String],
        about: &str,
        level: usize,
        out: &mut String,
    ) {
        let margin = level * 2;
        let required = if required { " -required-" } else { "" };
        let _ = write!(out, "{}\t<{kind}>{required}", indent(margin, name));
        if !values.is_empty() {
            let shown = values.get(..4).unwrap_or(values).join(", ");
            let more = if values.len() > 4 { ", ...." } else { "" };
            let _ = write!(out, "\n{}enum: {shown}{more}", " ".repeat(margin));
        }
        out.push('\n');
        if self.native.depth.is_none() {
            let about = if about.is_empty() { "<no description>" } else { about };
            let _ = writeln!(out, "{}\n", indent(margin + 2, &wrap(78 - margin, about)));
        }
    }
}
