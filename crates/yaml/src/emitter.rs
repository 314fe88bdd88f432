//! YAML as `kubectl -o yaml` prints it.
//!
//! kubectl marshals to JSON, reads that as YAML and prints what it got, so numbers and strings
//! go through the resolver once more, and long plain strings fold after column 80.
//! Source: sigs.k8s.io/yaml yaml.go Marshal (v1.6.0), go.yaml.in/yaml/v2 encode.go, emitterc.go,
//! sorter.go (v2.4.4).

mod letters;
mod scalar;
mod sort;

use serde_json::Value;

use crate::{YamlError, go_format, json, parse_document, resolver};
use scalar::{Style, Writer};

/// Prints a value as `kubectl -o yaml` does, with a line feed at the end.
///
/// A value that kubectl cannot print (see [`try_to_yaml`]) is printed without the detour through
/// JSON.
///
/// ```
/// let value = serde_json::json!({"items": [{"a": "yes", "b": 1}], "none": {}});
/// assert_eq!(podlab_yaml::to_yaml(&value), "items:\n- a: \"yes\"\n  b: 1\nnone: {}\n");
/// ```
pub fn to_yaml(value: &Value) -> String {
    try_to_yaml(value).unwrap_or_else(|_| print(value))
}

/// Prints a value as `kubectl -o yaml` does, with a line feed at the end.
///
/// # Errors
/// kubectl reads its own JSON as YAML, which fails on control characters that JSON does not
/// escape (U+007F, `yaml: control characters are not allowed`) and on keys beyond 1024 characters.
pub fn try_to_yaml(value: &Value) -> Result<String, YamlError> {
    if survives_json(value) {
        return Ok(print(value));
    }
    Ok(print(&parse_document(&json::to_json_compact(value))?.value))
}

/// Whether the YAML reader gives back what the JSON writer wrote; U+0085 for one comes back as a
/// space.
fn survives_json(value: &Value) -> bool {
    let plain = |text: &str| {
        !text.contains(|c| matches!(c, '\u{7F}'..='\u{9F}' | '\u{FEFF}' | '\u{FFFE}' | '\u{FFFF}'))
    };
    match value {
        Value::String(text) => plain(text),
        Value::Array(items) => items.iter().all(survives_json),
        Value::Object(map) => {
            map.iter().all(|(key, value)| plain(key) && key.len() < 1000 && survives_json(value))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
    }
}

fn print(value: &Value) -> String {
    let mut writer = Writer::default();
    write_node(&mut writer, value, -1, Context::Root);
    writer.finish()
}

/// Where a node stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Context {
    Root,
    /// Behind `- `.
    Item,
    /// Behind `key:`.
    SimpleValue,
    /// Behind `: ` of a key that needed `? `.
    ComplexValue,
}

/// `indent` is the column of the collection around the node, -1 outside of all.
fn write_node(writer: &mut Writer, value: &Value, indent: isize, context: Context) {
    let inner = if indent < 0 { 0 } else { indent + 2 };
    match value {
        Value::Array(items) if !items.is_empty() => {
            let indentless =
                matches!(context, Context::SimpleValue | Context::ComplexValue) && !writer.indention;
            let inner = if indentless { indent.max(0) } else { inner };
            for item in items {
                writer.indent(inner);
                writer.indicator("-", true, false, true);
                write_node(writer, item, inner, Context::Item);
            }
        }
        Value::Object(map) if !map.is_empty() => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by(|(a, _), (b, _)| sort::compare(a, b));
            for (key, value) in entries {
                writer.indent(inner);
                if scalar::is_simple_key(key) {
                    writer.scalar(key, style(key), inner, true);
                    writer.indicator(":", false, false, false);
                    write_node(writer, value, inner, Context::SimpleValue);
                } else {
                    writer.indicator("?", true, false, true);
                    writer.scalar(key, style(key), inner, false);
                    writer.indent(inner);
                    writer.indicator(":", true, false, true);
                    write_node(writer, value, inner, Context::ComplexValue);
                }
            }
        }
        Value::Array(_) => {
            writer.indicator("[", true, true, false);
            writer.indicator("]", false, false, false);
        }
        Value::Object(_) => {
            writer.indicator("{", true, true, false);
            writer.indicator("}", false, false, false);
        }
        Value::String(text) => writer.scalar(text, style(text), indent, false),
        Value::Number(number) => {
            let text = number_text(&go_format::number_json(number));
            writer.scalar(&text, Style::Plain, indent, false);
        }
        Value::Null | Value::Bool(_) => {
            writer.scalar(&value.to_string(), Style::Plain, indent, false);
        }
    }
}

/// A number's JSON text as YAML writes it after reading it.
fn number_text(json: &str) -> String {
    match resolver::resolve_plain(json).1 {
        resolver::Scalar::Int(value) => value.to_string(),
        resolver::Scalar::Uint(value) => value.to_string(),
        resolver::Scalar::Float(value) => go_format::float_g(value),
        _ => json.to_owned(),
    }
}

/// The style asked for; the writer falls back to quotes where it is not possible.
fn style(text: &str) -> Style {
    if text.contains('\n') {
        Style::Literal
    } else if resolver::resolve_plain(text).0 == resolver::Tag::Str && !is_base60(text) {
        Style::Plain
    } else {
        Style::DoubleQuoted
    }
}

/// YAML 1.1's base 60 (`1:30`), which other readers take for a number:
/// `[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?`.
fn is_base60(text: &str) -> bool {
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !text.starts_with(|c: char| c.is_ascii_digit()) {
        return false;
    }
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    let (text, fraction) = text.split_once('.').unwrap_or((text, ""));
    let Some((first, rest)) = text.split_once(':') else { return false };
    digits(first)
        && digits(fraction)
        && rest.split(':').all(|part| match part.as_bytes() {
            [c] => c.is_ascii_digit(),
            [b'0'..=b'5', c] => c.is_ascii_digit(),
            _ => false,
        })
}
