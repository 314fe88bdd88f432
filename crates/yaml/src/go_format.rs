//! Numbers and values as Go prints them.

use serde_json::{Number, Value};

use crate::decode::Decoded;

/// A finite number in parts: sign, the shortest digits that read back as the same number, and
/// the exponent of the first digit.
///
/// `shortest` is Rust's `{:e}` of the number, `rounded` is that with a given count of decimals.
/// Where two numbers of that length are equally near, Rust takes the larger and Go the even one.
fn parts(shortest: &str, rounded: impl Fn(usize) -> String) -> (&'static str, String, i32) {
    let split = |text: &str| -> Option<(&'static str, String, i32)> {
        let (mantissa, exponent) = text.split_once('e')?;
        let (sign, mantissa) = match mantissa.strip_prefix('-') {
            Some(rest) => ("-", rest),
            None => ("", mantissa),
        };
        Some((sign, mantissa.replace('.', ""), exponent.parse().ok()?))
    };
    let Some(found) = split(shortest) else { return ("", shortest.to_owned(), 0) };
    let even = rounded(found.1.len().saturating_sub(1));
    if even.parse::<f64>().ok() == shortest.parse::<f64>().ok()
        && let Some(even) = split(&even)
    {
        return even;
    }
    found
}

/// `d.ddde±xx`, with at least two digits of exponent.
fn exponential(sign: &str, digits: &str, exponent: i32) -> String {
    let (first, rest) = digits.split_at_checked(1).unwrap_or((digits, ""));
    let point = if rest.is_empty() { "" } else { "." };
    let mark = if exponent < 0 { '-' } else { '+' };
    format!("{sign}{first}{point}{rest}e{mark}{:02}", exponent.unsigned_abs())
}

/// Digits without an exponent.
fn positional(sign: &str, digits: &str, exponent: i32) -> String {
    let places = exponent + 1;
    let Ok(places) = usize::try_from(places) else {
        return format!("{sign}0.{}{digits}", "0".repeat(places.unsigned_abs() as usize));
    };
    if places == 0 {
        return format!("{sign}0.{digits}");
    }
    match digits.split_at_checked(places) {
        Some((whole, "")) => format!("{sign}{whole}"),
        Some((whole, rest)) => format!("{sign}{whole}.{rest}"),
        None => format!("{sign}{digits}{}", "0".repeat(places - digits.len())),
    }
}

fn format_g(value: f64, parts: (&str, String, i32)) -> String {
    if value.is_nan() {
        return "NaN".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf".into() } else { "-Inf".into() };
    }
    let (sign, digits, exponent) = parts;
    if (-4..6).contains(&exponent) {
        positional(sign, &digits, exponent)
    } else {
        exponential(sign, &digits, exponent)
    }
}

fn parts_of(value: f64) -> (&'static str, String, i32) {
    parts(&format!("{value:e}"), |decimals| format!("{value:.decimals$e}"))
}

/// Go's `strconv.FormatFloat(value, 'g', -1, 64)`.
pub(crate) fn float_g(value: f64) -> String {
    format_g(value, parts_of(value))
}

/// A float as the key of a JSON object: with 32 bits of precision, and YAML's words for the rest.
pub(crate) fn float_key(value: f64) -> String {
    let single = value as f32;
    let shortest = format!("{single:e}");
    // A single is not read back as a double, so its digits stay as they are.
    let text = format_g(f64::from(single), parts(&shortest, |_| String::new()));
    match text.as_str() {
        "+Inf" => ".inf".into(),
        "-Inf" => "-.inf".into(),
        "NaN" => ".nan".into(),
        text => text.into(),
    }
}

/// A float as Go's encoding/json writes it; `value` is finite.
pub(crate) fn float_json(value: f64) -> String {
    let (sign, digits, exponent) = parts_of(value);
    let magnitude = value.abs();
    if magnitude != 0.0 && !(1e-6..1e21).contains(&magnitude) {
        // One digit of exponent is enough for small numbers here: 1e-7, but 1e+21.
        let text = exponential(sign, &digits, exponent);
        match text.split_once("e-0") {
            Some((mantissa, exponent)) => format!("{mantissa}e-{exponent}"),
            None => text,
        }
    } else {
        positional(sign, &digits, exponent)
    }
}

/// A number as encoding/json writes it.
pub(crate) fn number_json(number: &Number) -> String {
    if number.is_i64() || number.is_u64() {
        return number.to_string();
    }
    number.as_f64().map_or_else(|| number.to_string(), float_json)
}

/// The number that apimachinery reads back from the JSON text of `value`: an integer if it has
/// no fraction and fits.
/// Source: k8s.io/apimachinery pkg/util/json ConvertInterfaceNumbers (v1.37).
pub(crate) fn json_number(value: f64) -> Value {
    if value.is_finite()
        && let Ok(integer) = float_json(value).parse::<i64>()
    {
        return Value::from(integer);
    }
    Number::from_f64(value).map_or(Value::Null, Value::Number)
}

/// Go's `strconv.Quote`.
pub(crate) fn quote(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\x07' => out.push_str("\\a"),
            '\x08' => out.push_str("\\b"),
            '\x0C' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x0B' => out.push_str("\\v"),
            ' '..='~' => out.push(c),
            '\0'..='\x1F' | '\x7F' => out.push_str(&format!("\\x{:02x}", c as u32)),
            // Go escapes what its tables do not call printable; of that, what occurs.
            '\u{80}'..='\u{A0}'
            | '\u{AD}'
            | '\u{2000}'..='\u{200F}'
            | '\u{2028}'..='\u{202F}'
            | '\u{205F}'..='\u{206F}'
            | '\u{3000}'
            | '\u{E000}'..='\u{F8FF}'
            | '\u{FEFF}' => {
                out.push_str(&format!("\\u{:04x}", c as u32));
            }
            _ => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Go's `%#v` of a decoded value that stands in an interface.
pub(crate) fn go_syntax(value: &Decoded) -> String {
    match value {
        Decoded::Null => "interface {}(nil)".into(),
        Decoded::Bool(value) => value.to_string(),
        Decoded::Int(value) => value.to_string(),
        Decoded::Uint(value) => format!("{value:#x}"),
        Decoded::Float(value) => float_g(*value),
        Decoded::Str(text) => quote(text),
        Decoded::Seq(items) => {
            let items: Vec<String> = items.iter().map(go_syntax).collect();
            format!("[]interface {{}}{{{}}}", items.join(", "))
        }
        Decoded::Map(entries) => {
            let mut entries: Vec<&(Decoded, Decoded)> = entries.iter().collect();
            entries.sort_by(|a, b| key_order(&a.0, &b.0));
            let entries: Vec<String> = entries
                .iter()
                .map(|(key, value)| format!("{}:{}", go_syntax(key), go_syntax(value)))
                .collect();
            format!("map[interface {{}}]interface {{}}{{{}}}", entries.join(", "))
        }
    }
}

/// The order in which Go prints the keys of a map of interfaces, for keys of one type.
fn key_order(a: &Decoded, b: &Decoded) -> std::cmp::Ordering {
    match (a, b) {
        (Decoded::Str(a), Decoded::Str(b)) => a.cmp(b),
        (Decoded::Int(a), Decoded::Int(b)) => a.cmp(b),
        (Decoded::Uint(a), Decoded::Uint(b)) => a.cmp(b),
        (Decoded::Float(a), Decoded::Float(b)) => a.total_cmp(b),
        (Decoded::Bool(a), Decoded::Bool(b)) => a.cmp(b),
        _ => std::cmp::Ordering::Equal,
    }
}
