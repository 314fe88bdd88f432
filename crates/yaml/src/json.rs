//! JSON as kubectl prints it: sorted keys, Go's escapes and Go's numbers.

use serde_json::{Map, Value};

use crate::go_format;

/// Prints a value as `kubectl -o json` does: four spaces, a line feed at the end.
///
/// Keys are sorted by their bytes; `<`, `>`, `&`, U+2028 and U+2029 are escaped.
/// Source: k8s.io/cli-runtime pkg/printers JSONPrinter.PrintObj (v1.37).
///
/// ```
/// let value = serde_json::json!({"b": [], "a": {"x": "<"}});
/// assert_eq!(podlab_yaml::to_json_indented(&value), "{\n    \"a\": {\n        \"x\": \"\\u003c\"\n    },\n    \"b\": []\n}\n");
/// ```
pub fn to_json_indented(value: &Value) -> String {
    let mut out = String::new();
    write_value(&mut out, value, Some(0));
    out.push('\n');
    out
}

/// Prints a value as Go's `json.Marshal` does: no white space, no line feed at the end.
pub fn to_json_compact(value: &Value) -> String {
    let mut out = String::new();
    write_value(&mut out, value, None);
    out
}

/// `depth` is `None` for the compact form.
fn write_value(out: &mut String, value: &Value, depth: Option<usize>) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => out.push_str(&go_format::number_json(number)),
        Value::String(text) => write_string(out, text),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_indent(out, depth.map(|depth| depth + 1));
                write_value(out, item, depth.map(|depth| depth + 1));
            }
            if !items.is_empty() {
                write_indent(out, depth);
            }
            out.push(']');
        }
        Value::Object(map) => {
            out.push('{');
            for (index, (key, value)) in sorted(map).into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_indent(out, depth.map(|depth| depth + 1));
                write_string(out, key);
                out.push_str(if depth.is_some() { ": " } else { ":" });
                write_value(out, value, depth.map(|depth| depth + 1));
            }
            if !map.is_empty() {
                write_indent(out, depth);
            }
            out.push('}');
        }
    }
}

/// The entries by key, also where a feature of serde_json keeps them in another order.
fn sorted(map: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut entries: Vec<_> = map.iter().collect();
    if !entries.is_sorted_by_key(|(key, _)| *key) {
        entries.sort_by_key(|(key, _)| *key);
    }
    entries
}

fn write_indent(out: &mut String, depth: Option<usize>) {
    if let Some(depth) = depth {
        out.push('\n');
        out.extend(std::iter::repeat_n("    ", depth));
    }
}

/// Writes a string as Go's encoding/json does with HTML escaping.
pub(crate) fn write_string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x08' => out.push_str("\\b"),
            '\x0C' => out.push_str("\\f"),
            '\0'..='\x1F' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                out.push_str(&format!("\\u{:04x}", c as u32));
            }
            _ => out.push(c),
        }
    }
    out.push('"');
}
