//! Text as Go's standard library prints it.

use std::fmt::Write as _;

use serde_json::{Number, Value};

/// Quotes as Go's `%q` and `strconv.Quote` do.
#[must_use]
pub fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\u{7}' => quoted.push_str("\\a"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{c}' => quoted.push_str("\\f"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\u{b}' => quoted.push_str("\\v"),
            c if is_print(c) => quoted.push(c),
            c => {
                let _ = match u32::from(c) {
                    code @ (0..=0x1f | 0x7f) => write!(quoted, "\\x{code:02x}"),
                    code @ 0..=0xffff => write!(quoted, "\\u{code:04x}"),
                    code => write!(quoted, "\\U{code:08x}"),
                };
            }
        }
    }
    quoted.push('"');
    quoted
}

/// Whether Go's `strconv.IsPrint` holds: letters, marks, numbers, punctuation, symbols and the ASCII space.
pub(crate) fn is_print(c: char) -> bool {
    if c.is_ascii() {
        return matches!(c, ' '..='~');
    }
    // Rust's escaping of a string leaves exactly the printable characters alone, apart from a mark at its start.
    let text = format!("a{c}");
    c == '\'' || text.escape_debug().eq(text.chars())
}

/// Marshals a list of strings as Go's `encoding/json` does (with `<`, `>`, `&` escaped).
#[must_use]
pub fn json_strings(values: &[String]) -> String {
    json(&Value::Array(values.iter().map(|value| Value::String(value.clone())).collect()))
}

/// Marshals as Go's `json.Marshal` does: no white space, `<`, `>`, `&` escaped.
#[must_use]
pub fn json(value: &Value) -> String {
    let mut text = String::new();
    write_json(&mut text, value, None, 0);
    text
}

/// Marshals as Go's `json.MarshalIndent` does.
#[must_use]
pub fn json_indent(value: &Value, indent: &str) -> String {
    let mut text = String::new();
    write_json(&mut text, value, Some(indent), 0);
    text
}

fn write_json(text: &mut String, value: &Value, indent: Option<&str>, depth: usize) {
    let new_line = |text: &mut String, depth: usize| {
        if let Some(indent) = indent {
            text.push('\n');
            for _ in 0..depth {
                text.push_str(indent);
            }
        }
    };
    match value {
        Value::Number(number) => text.push_str(&json_number(number)),
        Value::String(string) => write_json_string(text, string),
        Value::Array(items) if !items.is_empty() => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                new_line(text, depth + 1);
                write_json(text, item, indent, depth + 1);
            }
            new_line(text, depth);
            text.push(']');
        }
        Value::Object(fields) if !fields.is_empty() => {
            text.push('{');
            for (index, (key, field)) in fields.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                new_line(text, depth + 1);
                write_json_string(text, key);
                text.push_str(if indent.is_some() { ": " } else { ":" });
                write_json(text, field, indent, depth + 1);
            }
            new_line(text, depth);
            text.push('}');
        }
        Value::Null => text.push_str("null"),
        Value::Bool(flag) => text.push_str(if *flag { "true" } else { "false" }),
        Value::Array(_) => text.push_str("[]"),
        Value::Object(_) => text.push_str("{}"),
    }
}

fn write_json_string(text: &mut String, string: &str) {
    text.push('"');
    for c in string.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\u{8}' => text.push_str("\\b"),
            '\u{c}' => text.push_str("\\f"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                let _ = write!(text, "\\u{:04x}", u32::from(c));
            }
            c => text.push(c),
        }
    }
    text.push('"');
}

/// A number as `encoding/json` writes it: exponents only below 1e-6 and from 1e21 on.
fn json_number(number: &Number) -> String {
    match number.as_f64().filter(|_| number.is_f64()) {
        Some(float) => float_text(float, 1e-6, 1e21),
        None => number.to_string(),
    }
}

/// `%T` of a value as Go's decoder of trees reads it.
pub(crate) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float64",
        Value::Number(_) => "int64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}

/// A float as Go's `%v` prints it: exponents below 1e-4 and from 1e6 on.
///
/// Source: Go's strconv/ftoa.go formatDigits (go1.26).
#[must_use]
pub fn float(value: f64) -> String {
    float_text(value, 1e-4, 1e6)
}

fn float_text(value: f64, smallest: f64, largest: f64) -> String {
    let magnitude = value.abs();
    if !value.is_finite() {
        return if value.is_nan() {
            "NaN"
        } else if value > 0.0 {
            "+Inf"
        } else {
            "-Inf"
        }
        .to_owned();
    }
    if magnitude == 0.0 || (smallest..largest).contains(&magnitude) {
        return format!("{value}");
    }
    let text = format!("{value:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, exponent) = match exponent.strip_prefix('-') {
        Some(exponent) => ('-', exponent),
        None => ('+', exponent),
    };
    // encoding/json drops the zero that `%v` pads a negative exponent with.
    let width = if smallest < 1e-5 && sign == '-' { 1 } else { 2 };
    format!("{digits}e{sign}{exponent:0>width$}")
}

/// A decoded tree as Go's `%v` prints it: `map[a:1 b:[x y]]`, `<nil>`.
#[must_use]
pub fn value(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => {
            number.as_f64().filter(|_| number.is_f64()).map_or(number.to_string(), float)
        }
        Value::String(text) => text.clone(),
        Value::Array(items) => format!("[{}]", items.iter().map(self::value).collect::<Vec<_>>().join(" ")),
        Value::Object(fields) => {
            let fields: Vec<String> =
                fields.iter().map(|(key, field)| format!("{key}:{}", self::value(field))).collect();
            format!("map[{}]", fields.join(" "))
        }
    }
}

/// A decoded tree as Go's `%#v` prints it: `map[string]interface {}{"a":1, "b":[]interface {}{"x"}}`.
#[must_use]
pub fn go_syntax(value: &Value) -> String {
    match value {
        Value::Null => "interface {}(nil)".to_owned(),
        Value::String(text) => quote(text),
        Value::Array(items) => {
            format!("[]interface {{}}{{{}}}", items.iter().map(go_syntax).collect::<Vec<_>>().join(", "))
        }
        Value::Object(fields) => {
            let fields: Vec<String> =
                fields.iter().map(|(key, field)| format!("{}:{}", quote(key), go_syntax(field))).collect();
            format!("map[string]interface {{}}{{{}}}", fields.join(", "))
        }
        other => self::value(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_as_go_does() {
        for (text, expected) in [
            ("plain", r#""plain""#),
            ("a\"b\\", r#""a\"b\\""#),
            ("it's", r#""it's""#),
            ("\t\n\u{1}\u{7f}", r#""\t\n\x01\x7f""#),
            ("한글 é", r#""한글 é""#),
            ("\u{a0}\u{200b}\u{e000}", r#""\u00a0\u200b\ue000""#),
            ("e\u{301}", "\"e\u{301}\""),
            ("\u{10ffff}", r#""\U0010ffff""#),
        ] {
            assert_eq!(quote(text), expected);
        }
    }

    #[test]
    fn json_and_trees_print_as_in_go() {
        let tree = serde_json::json!({"b": [1, 2.5, null], "a": {"x": "<&>\u{1}"}, "c": [], "d": {}});
        assert_eq!(json(&tree), r#"{"a":{"x":"\u003c\u0026\u003e\u0001"},"b":[1,2.5,null],"c":[],"d":{}}"#);
        assert_eq!(
            json_indent(&serde_json::json!({"a": [1]}), "    "),
            "{\n    \"a\": [\n        1\n    ]\n}"
        );
        assert_eq!(value(&tree), "map[a:map[x:<&>\u{1}] b:[1 2.5 <nil>] c:[] d:map[]]");
        assert_eq!(
            go_syntax(&serde_json::json!({"a": ["x", 1]})),
            r#"map[string]interface {}{"a":[]interface {}{"x", 1}}"#
        );
    }

    #[test]
    fn floats_change_to_exponents_where_go_does() {
        for (number, json, printed) in [
            (123456.0, "123456", "123456"),
            (1234567.5, "1234567.5", "1.2345675e+06"),
            (1e20, "100000000000000000000", "1e+20"),
            (1e21, "1e+21", "1e+21"),
            (1e-5, "0.00001", "1e-05"),
            (1e-7, "1e-7", "1e-07"),
        ] {
            assert_eq!((float_text(number, 1e-6, 1e21).as_str(), float(number).as_str()), (json, printed));
        }
    }
}
