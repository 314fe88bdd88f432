//! Reading by the fields that the Go structs have: what is unknown there, and what has the wrong type.
//!
//! Source: sigs.k8s.io/json (strict decoding), encoding/json and time of Go 1.25.

use serde_json::Value;
use std::fmt::Write as _;

/// What a field holds.
#[derive(Clone, Copy, Debug)]
pub(super) enum Type {
    /// A string, with the name of its Go type.
    Text(&'static str),
    /// `bool`.
    Bool,
    /// `int32`.
    Int32,
    /// `int64`.
    Int64,
    /// `float32`.
    Float32,
    /// A duration as Go writes it: `1m30s`.
    Duration,
    /// The same, or none.
    OptionalDuration,
    /// A list, with the name of its elements' Go type.
    List(&'static str, &'static Type),
    /// An object.
    Object(&'static Struct),
    /// An object whose values are strings.
    TextMap,
    /// Anything.
    Raw,
}

/// A Go struct.
#[derive(Debug)]
pub(super) struct Struct {
    /// Its name with that of the package.
    pub(super) name: &'static str,
    /// Its fields.
    pub(super) fields: &'static [Field],
}

/// A field of a struct.
#[derive(Debug)]
pub(super) struct Field {
    /// As JSON has it.
    pub(super) name: &'static str,
    /// What it holds.
    pub(super) holds: Type,
    /// Whether something follows from it here.
    pub(super) simulated: bool,
    /// The struct it is embedded by, with a dot, where there is one.
    pub(super) embedded: &'static str,
}

/// A field with an effect.
pub(super) const fn field(name: &'static str, holds: Type) -> Field {
    Field { name, holds, simulated: true, embedded: "" }
}

/// A field that is read and has no effect here.
pub(super) const fn not_simulated(name: &'static str, holds: Type) -> Field {
    Field { name, holds, simulated: false, embedded: "" }
}

/// What reading found.
#[derive(Debug, Default)]
pub(super) struct Decoded {
    /// Paths of fields that there are not.
    pub(super) unknown: Vec<String>,
    /// Paths of fields without effect.
    pub(super) not_simulated: Vec<String>,
    /// The first value of a wrong type.
    mismatch: Option<String>,
}

/// Where a value stands.
#[derive(Clone, Copy)]
struct Place<'a> {
    /// Its path with indices.
    path: &'a str,
    /// The struct whose field it is.
    owner: &'a str,
    /// The names of the fields on the way to it.
    fields: &'a str,
}

/// Reads an object by a struct.
///
/// # Errors
/// The text about a value of a wrong type.
pub(super) fn decode(value: &Value, by: &'static Struct) -> Result<Decoded, String> {
    let mut decoded = Decoded::default();
    decoded.object(value, by, Place { path: "", owner: "", fields: "" })?;
    match decoded.mismatch.take() {
        Some(text) => Err(text),
        None => Ok(decoded),
    }
}

fn joined(before: &str, name: &str) -> String {
    if before.is_empty() { name.to_owned() } else { format!("{before}.{name}") }
}

/// A value in the words of encoding/json; of a number that does not fit, the number too.
fn kind(value: &Value, number: bool) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "bool".to_owned(),
        Value::Number(n) if number => format!("number {n}"),
        Value::Number(_) => "number".to_owned(),
        Value::String(_) => "string".to_owned(),
        Value::Array(_) => "array".to_owned(),
        Value::Object(_) => "object".to_owned(),
    }
}

fn cannot(what: &str, at: Place<'_>, wanted: &str) -> String {
    let mut text = format!("json: cannot unmarshal {what} into Go ");
    if at.owner.is_empty() {
        let _ = write!(text, "value");
    } else {
        let _ = write!(text, "struct field {}.{}", at.owner, at.fields);
    }
    let _ = write!(text, " of type {wanted}");
    text
}

impl Decoded {
    fn wrong(&mut self, value: &Value, number: bool, at: Place<'_>, wanted: &str) {
        if self.mismatch.is_none() {
            self.mismatch = Some(cannot(&kind(value, number), at, wanted));
        }
    }

    fn object(&mut self, value: &Value, by: &'static Struct, at: Place<'_>) -> Result<(), String> {
        let Value::Object(map) = value else {
            self.wrong(value, false, at, by.name);
            return Ok(());
        };
        let owner = by.name.rsplit('.').next().unwrap_or(by.name);
        for (key, value) in map {
            let path = joined(at.path, key);
            let Some(field) = by.fields.iter().find(|field| field.name == key) else {
                self.unknown.push(path);
                continue;
            };
            if !field.simulated && !value.is_null() {
                self.not_simulated.push(path.clone());
            }
            let fields = joined(at.fields, &format!("{}{key}", field.embedded));
            self.value(value, field.holds, Place { path: &path, owner, fields: &fields })?;
        }
        Ok(())
    }

    fn value(&mut self, value: &Value, holds: Type, at: Place<'_>) -> Result<(), String> {
        if value.is_null() {
            // A duration reads nothing as an empty text.
            return if matches!(holds, Type::Duration) { duration("").map(|_| ()) } else { Ok(()) };
        }
        match holds {
            Type::Raw => {}
            Type::Text(name) if !value.is_string() => self.wrong(value, false, at, name),
            Type::Bool if !value.is_boolean() => self.wrong(value, false, at, "bool"),
            Type::Text(_) | Type::Bool => {}
            Type::Int32 => {
                if value.as_i64().is_none_or(|n| i32::try_from(n).is_err()) {
                    self.wrong(value, true, at, "int32");
                }
            }
            Type::Int64 => {
                if value.as_i64().is_none() {
                    self.wrong(value, true, at, "int64");
                }
            }
            Type::Float32 => {
                if value.as_f64().is_none() {
                    self.wrong(value, true, at, "float32");
                }
            }
            // A type that reads itself ends the reading where it cannot.
            Type::Duration | Type::OptionalDuration => match value.as_str() {
                None => return Err(cannot(&kind(value, false), at, "string")),
                Some(text) => {
                    duration(text)?;
                }
            },
            Type::Object(by) => self.object(value, by, at)?,
            Type::TextMap => match value.as_object() {
                None => self.wrong(value, false, at, "map[string]string"),
                Some(map) => {
                    for value in map.values() {
                        self.value(value, Type::Text("string"), at)?;
                    }
                }
            },
            Type::List(name, of) => {
                let Some(list) = value.as_array() else {
                    self.wrong(value, false, at, &format!("[]{name}"));
                    return Ok(());
                };
                for (index, value) in list.iter().enumerate() {
                    let path = format!("{}[{index}]", at.path);
                    self.value(value, *of, Place { path: &path, ..at })?;
                }
            }
        }
        Ok(())
    }
}

const UNITS: [(&str, i64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// Reads a duration as Go's `time.ParseDuration` does, to nanoseconds.
///
/// # Errors
/// Its text.
pub(super) fn duration(text: &str) -> Result<i64, String> {
    let invalid = || format!("time: invalid duration {text:?}");
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut sum: i128 = 0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (whole, after) = rest.split_at(end);
        let (part, after) = match after.strip_prefix('.') {
            None => ("", after),
            Some(after) => after.split_at(after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len())),
        };
        if whole.is_empty() && part.is_empty() {
            return Err(invalid());
        }
        let end = after.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        if unit.is_empty() {
            return Err(format!("time: missing unit in duration {text:?}"));
        }
        let Some((_, nanos)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            return Err(format!("time: unknown unit {unit:?} in duration {text:?}"));
        };
        let number = |digits: &str| -> Result<i128, String> {
            if digits.is_empty() {
                Ok(0)
            } else {
                digits.parse::<i64>().map(i128::from).map_err(|_| invalid())
            }
        };
        sum += number(whole)? * i128::from(*nanos);
        // More than eighteen places of a fraction are less than a nanosecond of an hour.
        let part = part.get(..18).unwrap_or(part);
        let scale = 10i128.pow(u32::try_from(part.len()).unwrap_or(0));
        sum += number(part)? * i128::from(*nanos) / scale;
        rest = after;
    }
    i64::try_from(if negative { -sum } else { sum }).map_err(|_| invalid())
}

/// A duration as Go's `time.Duration` prints it.
pub(super) fn duration_text(nanos: i64) -> String {
    if nanos == 0 {
        return "0s".to_owned();
    }
    let sign = if nanos < 0 { "-" } else { "" };
    let all = nanos.unsigned_abs();
    let places = |value: u64, unit: u64, name: &str| {
        let (whole, part) = (value / unit, value % unit);
        let width = unit.to_string().len() - 1;
        let digits = if width == 0 { String::new() } else { format!("{part:0width$}") };
        let digits = digits.trim_end_matches('0');
        let dot = if digits.is_empty() { "" } else { "." };
        format!("{whole}{dot}{digits}{name}")
    };
    let short = match all {
        0..1_000 => Some(places(all, 1, "ns")),
        1_000..1_000_000 => Some(places(all, 1_000, "µs")),
        1_000_000..1_000_000_000 => Some(places(all, 1_000_000, "ms")),
        _ => None,
    };
    if let Some(short) = short {
        return format!("{sign}{short}");
    }
    let minute = 60_000_000_000;
    let seconds = places(all % minute, 1_000_000_000, "s");
    let minutes = all / minute;
    match (minutes / 60, minutes % 60) {
        (0, 0) => format!("{sign}{seconds}"),
        (0, minutes) => format!("{sign}{minutes}m{seconds}"),
        (hours, minutes) => format!("{sign}{hours}h{minutes}m{seconds}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_go_s() {
        for (text, nanos, printed) in [
            ("15s", 15_000_000_000, "15s"),
            ("1m30s", 90_000_000_000, "1m30s"),
            ("-1.5h", -5_400_000_000_000, "-1h30m0s"),
            ("0", 0, "0s"),
            ("250ms", 250_000_000, "250ms"),
            (".5us", 500, "500ns"),
            ("+1.25s", 1_250_000_000, "1.25s"),
        ] {
            assert_eq!(duration(text), Ok(nanos), "{text}");
            assert_eq!(duration_text(nanos), printed);
        }
        for (text, error) in [
            ("3", "time: missing unit in duration \"3\""),
            ("x", "time: invalid duration \"x\""),
            ("", "time: invalid duration \"\""),
            ("1d", "time: unknown unit \"d\" in duration \"1d\""),
            ("9999999999h", "time: invalid duration \"9999999999h\""),
        ] {
            assert_eq!(duration(text), Err(error.to_owned()));
        }
    }
}
