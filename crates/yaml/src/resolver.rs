//! What an unquoted scalar is: YAML 1.1 as go-yaml v2 reads it.
//!
//! Source: go.yaml.in/yaml/v2 resolve.go (v2.4.4).

use crate::error::YamlError;

const PREFIX: &str = "tag:yaml.org,2002:";

/// The type a scalar got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tag {
    Null,
    Bool,
    Int,
    Float,
    Timestamp,
    Str,
    /// A tag go-yaml gives no meaning; the value stays a string.
    Other,
    Binary,
}

/// A scalar's value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Scalar {
    Null,
    Bool(bool),
    Int(i64),
    /// Only for what does not fit an `i64`.
    Uint(u64),
    Float(f64),
    Str,
}

impl Tag {
    fn short(self) -> &'static str {
        match self {
            Tag::Null => "!!null",
            Tag::Bool => "!!bool",
            Tag::Int => "!!int",
            Tag::Float => "!!float",
            Tag::Timestamp => "!!timestamp",
            Tag::Str => "!!str",
            Tag::Other => "!!merge",
            Tag::Binary => "!!binary",
        }
    }
}

/// Resolves a scalar that has no tag, as a plain one.
pub(crate) fn resolve_plain(text: &str) -> (Tag, Scalar) {
    match text.as_bytes().first() {
        None => return (Tag::Null, Scalar::Null),
        Some(
            b'+'
            | b'-'
            | b'.'
            | b'0'..=b'9'
            | b'y'
            | b'Y'
            | b'n'
            | b'N'
            | b't'
            | b'T'
            | b'f'
            | b'F'
            | b'o'
            | b'O'
            | b'~',
        ) => {}
        Some(_) => return (Tag::Str, Scalar::Str),
    }
    if let Some(found) = resolve_word(text) {
        return found;
    }
    match text.as_bytes().first() {
        Some(b'.') => match underscores_separate_digits(text).and_then(|text| parse_float(&text)) {
            Some(value) => (Tag::Float, Scalar::Float(value)),
            None => (Tag::Str, Scalar::Str),
        },
        Some(b'+' | b'-' | b'0'..=b'9') => {
            if is_timestamp(text) {
                return (Tag::Timestamp, Scalar::Str);
            }
            resolve_number(text)
        }
        _ => (Tag::Str, Scalar::Str),
    }
}

fn resolve_word(text: &str) -> Option<(Tag, Scalar)> {
    Some(match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            (Tag::Bool, Scalar::Bool(true))
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            (Tag::Bool, Scalar::Bool(false))
        }
        "~" | "null" | "Null" | "NULL" => (Tag::Null, Scalar::Null),
        ".nan" | ".NaN" | ".NAN" => (Tag::Float, Scalar::Float(f64::NAN)),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => (Tag::Float, Scalar::Float(f64::INFINITY)),
        "-.inf" | "-.Inf" | "-.INF" => (Tag::Float, Scalar::Float(f64::NEG_INFINITY)),
        _ => return None,
    })
}

fn resolve_number(text: &str) -> (Tag, Scalar) {
    let plain: String = text.chars().filter(|&c| c != '_').collect();
    if let Some(value) = parse_int(&plain) {
        return (Tag::Int, value);
    }
    if let Some(value) = parse_float(&plain) {
        return (Tag::Float, Scalar::Float(value));
    }
    // Only reached by what base detection refused, such as `0b-1`, which is -1.
    let binary = if let Some(digits) = plain.strip_prefix("0b") {
        parse_signed(digits, 2).or_else(|| u64::from_str_radix(digits, 2).ok().map(Scalar::Uint))
    } else if let Some(digits) = plain.strip_prefix("-0b") {
        parse_signed(&format!("-{digits}"), 2)
    } else {
        None
    };
    binary.map_or((Tag::Str, Scalar::Str), |value| (Tag::Int, value))
}

/// A decimal `i64` with an optional sign, as Go's `ParseInt` with a given base.
fn parse_signed(text: &str, radix: u32) -> Option<Scalar> {
    i64::from_str_radix(text, radix).ok().map(Scalar::Int)
}

/// Go's `ParseInt` and `ParseUint` with base 0, for text without underscores.
fn parse_int(text: &str) -> Option<Scalar> {
    let (negative, unsigned, signed) = match text.as_bytes().first()? {
        b'-' => (true, text.get(1..)?, true),
        b'+' => (false, text.get(1..)?, true),
        _ => (false, text, false),
    };
    let (radix, digits) = match unsigned.as_bytes() {
        [b'0', b'x' | b'X', _, ..] => (16, unsigned.get(2..)?),
        [b'0', b'o' | b'O', _, ..] => (8, unsigned.get(2..)?),
        [b'0', b'b' | b'B', _, ..] => (2, unsigned.get(2..)?),
        [b'0', _, ..] => (8, unsigned.get(1..)?),
        _ => (10, unsigned),
    };
    // Rust allows a sign here, Go does not.
    if !digits.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, radix).ok()?;
    match i64::try_from(magnitude) {
        Ok(value) => Some(Scalar::Int(if negative { -value } else { value })),
        Err(_) if negative && magnitude == i64::MIN.unsigned_abs() => Some(Scalar::Int(i64::MIN)),
        Err(_) if !signed => Some(Scalar::Uint(magnitude)),
        Err(_) => None,
    }
}

/// A decimal float: `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`, `None` if it overflows.
pub(crate) fn parse_float(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (unsigned.get(..at)?, Some(unsigned.get(at + 1..)?)),
        None => (unsigned, None),
    };
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if !digits(whole) || !digits(fraction) || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    if let Some(exponent) = exponent {
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        if exponent.is_empty() || !digits(exponent) {
            return None;
        }
    }
    text.parse::<f64>().ok().filter(|value| value.is_finite())
}

/// The text without underscores, if each stood between two digits.
fn underscores_separate_digits(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
    let separates = |at: usize| digit(at.checked_sub(1)) && digit(Some(at + 1));
    text.match_indices('_').all(|(at, _)| separates(at)).then(|| text.replace('_', ""))
}

/// Resolves a scalar with the tag it was given; `plain` is whether an untagged one is unquoted.
///
/// # Errors
/// The value cannot be what its tag says.
pub(crate) fn resolve(tag: &str, text: &str, plain: bool) -> Result<(Tag, Scalar), YamlError> {
    if tag.is_empty() {
        return Ok(if plain { resolve_plain(text) } else { (Tag::Str, Scalar::Str) });
    }
    let wanted = match tag.strip_prefix(PREFIX) {
        Some("str") => return Ok((Tag::Str, Scalar::Str)),
        Some("binary") => return Ok((Tag::Binary, Scalar::Str)),
        Some("bool") => Tag::Bool,
        Some("int") => Tag::Int,
        Some("float") => Tag::Float,
        Some("null") => Tag::Null,
        Some("timestamp") => Tag::Timestamp,
        _ => return Ok((Tag::Other, Scalar::Str)),
    };
    let (mut found, value) = resolve_plain(text);
    if found == Tag::Timestamp && wanted != Tag::Timestamp {
        // A tag other than `!!timestamp` keeps dates from being looked for.
        found = Tag::Str;
    }
    match (wanted, found, &value) {
        _ if wanted == found => Ok((found, value)),
        (Tag::Float, Tag::Int, Scalar::Int(integer)) => Ok((Tag::Float, Scalar::Float(*integer as f64))),
        _ => {
            Err(YamlError::yaml(format!("cannot decode {} `{text}` as a {}", found.short(), wanted.short())))
        }
    }
}

/// Whether go-yaml takes the text for a date or a time.
pub(crate) fn is_timestamp(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.len() < 5 || !bytes.iter().take(4).all(u8::is_ascii_digit) || bytes.get(4) != Some(&b'-') {
        return false;
    }
    parse_timestamp(text).is_some()
}

/// Reads one of the four layouts go-yaml allows, as Go's `time.Parse` does.
fn parse_timestamp(text: &str) -> Option<()> {
    let year: u32 = text.get(..4)?.parse().ok()?;
    let rest = text.get(5..)?;
    let (month, rest) = two_digits(rest)?;
    let (day, rest) = two_digits(rest.strip_prefix('-')?)?;
    if !(1..=12).contains(&month) || !(1..=days_in(month, year)).contains(&day) {
        return None;
    }
    if rest.is_empty() {
        return Some(());
    }
    let (time, zoned) = match rest.strip_prefix(['T', 't']) {
        Some(time) => (time, true),
        None if rest.starts_with(' ') => (rest.trim_start_matches(' '), false),
        None => return None,
    };
    let (hour, rest) = two_digits(time)?;
    let (minute, rest) = two_digits(rest.strip_prefix(':')?)?;
    let (second, rest) = two_digits(rest.strip_prefix(':')?)?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let rest = match rest.strip_prefix(['.', ',']) {
        Some(fraction) if fraction.starts_with(|c: char| c.is_ascii_digit()) => {
            fraction.trim_start_matches(|c: char| c.is_ascii_digit())
        }
        _ => rest,
    };
    let rest = if zoned { zone(rest)? } else { rest };
    rest.is_empty().then_some(())
}

/// Reads one or two digits.
fn two_digits(text: &str) -> Option<(u32, &str)> {
    let digits = text.bytes().take(2).take_while(u8::is_ascii_digit).count();
    let value = text.get(..digits)?.parse().ok()?;
    Some((value, text.get(digits..)?))
}

/// Reads `Z` or `±hh:mm`.
fn zone(text: &str) -> Option<&str> {
    if let Some(rest) = text.strip_prefix('Z') {
        return Some(rest);
    }
    let rest = text.strip_prefix(['+', '-'])?;
    let part = |from: usize| -> Option<u32> {
        let part = rest.get(from..from + 2)?;
        part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse().ok())?
    };
    let fits = part(0)? <= 24 && rest.get(2..3)? == ":" && part(3)? <= 60;
    fits.then(|| rest.get(5..))?
}

fn days_in(month: u32, year: u32) -> u32 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}
