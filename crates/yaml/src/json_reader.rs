//! JSON as Go's encoding/json reads it, for its error texts and offsets.
//!
//! Source: Go's encoding/json scanner.go and stream.go.

use std::ops::Range;

use serde_json::{Map, Number, Value};

use crate::decode::MAX_VALUE_DEPTH;
use crate::error::{ErrorKind, YamlError};
use crate::go_format;

/// Deepest nesting encoding/json takes.
const MAX_NESTING: usize = 10_000;

/// Why a text is no JSON.
#[derive(Clone, Debug)]
pub(crate) struct JsonFailure {
    /// encoding/json's text.
    pub text: String,
    /// Bytes read, the offending one included; `None` where Go has no offset.
    pub offset: Option<usize>,
    /// Set where the text is JSON, but with a value that cannot be held.
    pub is_json: bool,
}

/// Reads a text that is one JSON value.
///
/// # Errors
/// With encoding/json's text.
pub fn parse_json(text: &str) -> Result<Value, YamlError> {
    let fail = |text: String| YamlError::new(ErrorKind::Json, text);
    match next_value(text, 0) {
        Ok(Some((value, range))) => {
            let rest = text.get(range.end..).unwrap_or_default();
            match rest.bytes().find(|&c| !is_space(c)) {
                None => Ok(value),
                Some(c) => Err(fail(invalid(c, "after top-level value"))),
            }
        }
        Ok(None) => Err(fail("unexpected end of JSON input".into())),
        Err(failure) if failure.offset.is_none() && !failure.is_json => {
            Err(fail("unexpected end of JSON input".into()))
        }
        Err(failure) => Err(fail(failure.text)),
    }
}

/// Where a walk over the tokens of a JSON text is.
enum Frame {
    /// The latest key, and whether its value comes next.
    Object(String, bool),
    /// The index of the element that comes next.
    Array(usize),
}

/// What a walk over the tokens of a JSON text meets.
enum Event {
    /// A key.
    Key,
    /// A value has begun: an object or list is open, anything else is through.
    Value,
}

/// Goes over a text until `meet` says that it is enough; of a text that is no JSON up to its error, or near to it.
///
/// `meet` is told what comes, behind which byte it ends, and the objects and lists around it.
fn walk(text: &str, mut meet: impl FnMut(Event, usize, &[Frame]) -> bool) {
    let bytes = text.as_bytes();
    let (mut stack, mut at) = (Vec::new(), 0);
    while let Some(&c) = bytes.get(at) {
        let start = at;
        at += 1;
        match c {
            b'{' | b'[' => {
                stack.push(if c == b'{' { Frame::Object(String::new(), false) } else { Frame::Array(0) });
                if !meet(Event::Value, at, &stack) {
                    return;
                }
            }
            b'}' | b']' => {
                stack.pop();
            }
            b'"' => {
                let Ok(end) = scan_string(bytes, start) else { return };
                at = end;
                let event = match stack.last_mut() {
                    Some(Frame::Object(key, false)) => {
                        let quoted = text.get(start..end).unwrap_or_default();
                        *key = serde_json::from_str(quoted).unwrap_or_else(|_| quoted.to_owned());
                        Event::Key
                    }
                    _ => Event::Value,
                };
                if !meet(event, at, &stack) {
                    return;
                }
            }
            b':' | b',' => match stack.last_mut() {
                Some(Frame::Object(_, is_value)) => *is_value = c == b':',
                Some(Frame::Array(index)) => *index += 1,
                None => {}
            },
            c if is_space(c) => {}
            _ => {
                let more = |c: &&u8| {
                    !is_space(**c) && !matches!(**c, b',' | b':' | b'}' | b']' | b'"' | b'{' | b'[')
                };
                at += bytes.get(at..).unwrap_or_default().iter().take_while(more).count();
                if !meet(Event::Value, at, &stack) {
                    return;
                }
            }
        }
    }
}

fn path(stack: &[Frame]) -> String {
    let mut path = String::new();
    for frame in stack {
        match frame {
            Frame::Object(key, _) if path.is_empty() => path.push_str(key),
            Frame::Object(key, _) => {
                path.push('.');
                path.push_str(key);
            }
            Frame::Array(index) => path.push_str(&format!("[{index}]")),
        }
    }
    path
}

/// The paths of all fields of the objects of a JSON text (`spec.ports[0].name`) in the order of the text, each as often as
/// it is there. Of a text that is no JSON, those up to its error.
///
/// ```
/// assert_eq!(podlab_yaml::json_fields(r#"{"b": [{"c": 1}], "a": 3}"#), ["b", "b[0].c", "a"]);
/// ```
pub fn json_fields(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    walk(text, |event, _, stack| {
        if matches!(event, Event::Key) {
            found.push(path(stack));
        }
        true
    });
    found
}

/// Whether the keys of all objects of a JSON text come in their order, as a program writes them that sorts them.
///
/// ```
/// assert!(podlab_yaml::json_is_sorted(r#"{"a": [{"b": 1, "c": 2}], "b": 3}"#));
/// assert!(!podlab_yaml::json_is_sorted(r#"{"a": [{"c": 1, "b": 2}], "b": 3}"#));
/// ```
pub fn json_is_sorted(text: &str) -> bool {
    let mut latest: Vec<Option<String>> = Vec::new();
    let mut sorted = true;
    walk(text, |event, _, stack| {
        match (event, stack.last()) {
            (Event::Key, Some(Frame::Object(key, _))) => {
                latest.resize(stack.len(), None);
                if let Some(before) = latest.last_mut() {
                    sorted &= before.as_ref().is_none_or(|before| before <= key);
                    *before = Some(key.clone());
                }
            }
            // What has just been opened has no keys yet.
            (Event::Value, Some(Frame::Object(_, false))) => latest.truncate(stack.len().saturating_sub(1)),
            _ => {}
        }
        sorted
    });
    sorted
}

/// The beginning of a JSON text that has so many values (objects and lists count when they begin), with what is open there
/// closed; `None` where there are not so many.
///
/// ```
/// assert_eq!(podlab_yaml::json_beginning(r#"{"b": [{"c": 1}], "a": 3}"#, 3).unwrap(), r#"{"b": [{}]}"#);
/// assert_eq!(podlab_yaml::json_beginning(r#"{"b": [{"c": 1}], "a": 3}"#, 6), None);
/// ```
pub fn json_beginning(text: &str, values: usize) -> Option<String> {
    let (mut left, mut found) = (values, None);
    walk(text, |event, end, stack| {
        if matches!(event, Event::Value) {
            left = left.saturating_sub(1);
            if left == 0 {
                let closed =
                    stack.iter().rev().map(|frame| if matches!(frame, Frame::Array(_)) { ']' } else { '}' });
                found = Some(text.get(..end).unwrap_or_default().chars().chain(closed).collect());
            }
        }
        found.is_none()
    });
    found
}

/// How many values a JSON text has; objects and lists count as well as what is in them.
pub fn json_values(text: &str) -> usize {
    let mut count = 0;
    walk(text, |event, _, _| {
        count += usize::from(matches!(event, Event::Value));
        true
    });
    count
}

/// The fields that objects of a JSON text have more than once, by their paths (`spec.ports[0].name`), each as often as it
/// comes again. Of a text that is no JSON, those up to its error.
///
/// Source: sigs.k8s.io/json internal/golang/encoding/json/decode.go `saveStrictError` (duplicate field).
///
/// ```
/// assert_eq!(podlab_yaml::json_duplicates(r#"{"a": [{"b": 1, "b": 2}], "a": 3}"#), ["a[0].b", "a"]);
/// ```
pub fn json_duplicates(text: &str) -> Vec<String> {
    let mut seen: Vec<std::collections::BTreeSet<String>> = Vec::new();
    let mut found = Vec::new();
    walk(text, |event, _, stack| {
        match (event, stack.last()) {
            (Event::Key, Some(Frame::Object(key, _))) => {
                seen.resize_with(stack.len(), Default::default);
                if seen.last_mut().is_some_and(|seen| !seen.insert(key.clone())) {
                    found.push(path(stack));
                }
            }
            (Event::Value, Some(Frame::Object(_, false))) => {
                seen.resize_with(stack.len(), Default::default);
                if let Some(new) = seen.last_mut() {
                    new.clear();
                }
            }
            _ => {}
        }
        true
    });
    found
}

/// Reads the JSON value that begins at `at` or behind white space there; `None` at the end.
pub(crate) fn next_value(text: &str, at: usize) -> Result<Option<(Value, Range<usize>)>, JsonFailure> {
    let rest = text.as_bytes().get(at..).unwrap_or_default();
    let Some(space) = rest.iter().position(|&c| !is_space(c)) else { return Ok(None) };
    let start = at + space;
    let end = scan(text.as_bytes(), start)?;
    let mut decoder = JsonDecoder { text, at: start };
    let value = decoder.value(0)?;
    Ok(Some((value, start..end)))
}

fn is_space(c: u8) -> bool {
    matches!(c, b' ' | b'\t' | b'\r' | b'\n')
}

fn invalid(c: u8, context: &str) -> String {
    let shown = match c {
        b'\'' => "\\'".to_owned(),
        b'"' => "\"".to_owned(),
        _ => go_format::quote(&char::from(c).to_string()).trim_matches('"').to_owned(),
    };
    format!("invalid character '{shown}' {context}")
}

/// What may come next.
#[derive(Clone, Copy, PartialEq)]
enum Step {
    Value,
    ValueOrEnd,
    Key,
    KeyOrEnd,
    AfterValue,
}

/// What the scanner is in the middle of.
#[derive(Clone, Copy, PartialEq)]
enum Inside {
    ObjectKey,
    ObjectValue,
    Array,
}

/// Checks the value at `at` and gives its end back.
fn scan(bytes: &[u8], mut at: usize) -> Result<usize, JsonFailure> {
    let mut stack: Vec<Inside> = Vec::new();
    let mut step = Step::Value;
    let fail = |at: usize, c: u8, context: &str| {
        Err(JsonFailure { text: invalid(c, context), offset: Some(at + 1), is_json: false })
    };
    loop {
        if step == Step::AfterValue && stack.is_empty() {
            return Ok(at);
        }
        let Some(&c) = bytes.get(at) else {
            return Err(JsonFailure { text: "unexpected EOF".into(), offset: None, is_json: false });
        };
        if is_space(c) {
            at += 1;
            continue;
        }
        match (step, c) {
            (Step::ValueOrEnd, b']') | (Step::KeyOrEnd, b'}') => {
                stack.pop();
                step = Step::AfterValue;
                at += 1;
            }
            (Step::Key | Step::KeyOrEnd, b'"') => {
                at = scan_string(bytes, at)?;
                step = Step::AfterValue;
            }
            (Step::Key | Step::KeyOrEnd, _) => {
                return fail(at, c, "looking for beginning of object key string");
            }
            (Step::Value | Step::ValueOrEnd, b'{' | b'[') => {
                let (inside, next) = if c == b'{' {
                    (Inside::ObjectKey, Step::KeyOrEnd)
                } else {
                    (Inside::Array, Step::ValueOrEnd)
                };
                stack.push(inside);
                if stack.len() > MAX_NESTING {
                    return fail(at, c, "exceeded max depth");
                }
                step = next;
                at += 1;
            }
            (Step::Value | Step::ValueOrEnd, _) => {
                at = match c {
                    b'"' => scan_string(bytes, at)?,
                    b'-' | b'0'..=b'9' => scan_number(bytes, at)?,
                    b't' => scan_word(bytes, at, "true")?,
                    b'f' => scan_word(bytes, at, "false")?,
                    b'n' => scan_word(bytes, at, "null")?,
                    _ => return fail(at, c, "looking for beginning of value"),
                };
                step = Step::AfterValue;
            }
            (Step::AfterValue, _) => {
                let Some(inside) = stack.last_mut() else { return Ok(at) };
                step = match (*inside, c) {
                    (Inside::ObjectKey, b':') => {
                        *inside = Inside::ObjectValue;
                        Step::Value
                    }
                    (Inside::ObjectKey, _) => return fail(at, c, "after object key"),
                    (Inside::ObjectValue, b',') => {
                        *inside = Inside::ObjectKey;
                        Step::Key
                    }
                    (Inside::Array, b',') => Step::Value,
                    (Inside::ObjectValue, b'}') | (Inside::Array, b']') => {
                        stack.pop();
                        Step::AfterValue
                    }
                    (Inside::ObjectValue, _) => {
                        return fail(at, c, "after object key:value pair");
                    }
                    (Inside::Array, _) => return fail(at, c, "after array element"),
                };
                at += 1;
            }
        }
    }
}

/// The byte at `at`, or why there is none.
fn byte(bytes: &[u8], at: usize) -> Result<u8, JsonFailure> {
    bytes.get(at).copied().ok_or_else(|| JsonFailure {
        text: "unexpected EOF".into(),
        offset: None,
        is_json: false,
    })
}

fn fail_at<T>(at: usize, c: u8, context: &str) -> Result<T, JsonFailure> {
    Err(JsonFailure { text: invalid(c, context), offset: Some(at + 1), is_json: false })
}

fn scan_string(bytes: &[u8], start: usize) -> Result<usize, JsonFailure> {
    let mut at = start + 1;
    loop {
        match byte(bytes, at)? {
            b'"' => return Ok(at + 1),
            b'\\' => {
                at += 1;
                match byte(bytes, at)? {
                    b'b' | b'f' | b'n' | b'r' | b't' | b'\\' | b'/' | b'"' => {}
                    b'u' => {
                        for _ in 0..4 {
                            at += 1;
                            let c = byte(bytes, at)?;
                            if !c.is_ascii_hexdigit() {
                                return fail_at(at, c, "in \\u hexadecimal character escape");
                            }
                        }
                    }
                    c => return fail_at(at, c, "in string escape code"),
                }
            }
            c @ 0..=0x1F => return fail_at(at, c, "in string literal"),
            _ => {}
        }
        at += 1;
    }
}

fn scan_word(bytes: &[u8], start: usize, word: &str) -> Result<usize, JsonFailure> {
    for (ahead, expected) in word.bytes().enumerate().skip(1) {
        let c = byte(bytes, start + ahead)?;
        if c != expected {
            let context = format!("in literal {word} (expecting '{}')", char::from(expected));
            return fail_at(start + ahead, c, &context);
        }
    }
    Ok(start + word.len())
}

fn scan_number(bytes: &[u8], mut at: usize) -> Result<usize, JsonFailure> {
    let digits = |mut at: usize| {
        while bytes.get(at).is_some_and(u8::is_ascii_digit) {
            at += 1;
        }
        at
    };
    if byte(bytes, at)? == b'-' {
        at += 1;
        let c = byte(bytes, at)?;
        if !c.is_ascii_digit() {
            return fail_at(at, c, "in numeric literal");
        }
    }
    at = if byte(bytes, at)? == b'0' { at + 1 } else { digits(at) };
    if bytes.get(at) == Some(&b'.') {
        at += 1;
        let c = byte(bytes, at)?;
        if !c.is_ascii_digit() {
            return fail_at(at, c, "after decimal point in numeric literal");
        }
        at = digits(at);
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        at += 1;
        if matches!(byte(bytes, at)?, b'+' | b'-') {
            at += 1;
        }
        let c = byte(bytes, at)?;
        if !c.is_ascii_digit() {
            return fail_at(at, c, "in exponent of numeric literal");
        }
        at = digits(at);
    }
    Ok(at)
}

/// Builds the value of a text that [`scan`] has found right.
struct JsonDecoder<'a> {
    text: &'a str,
    at: usize,
}

impl JsonDecoder<'_> {
    fn peek(&mut self) -> u8 {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        self.at += rest.iter().take_while(|&&c| is_space(c) || c == b',' || c == b':').count();
        self.text.as_bytes().get(self.at).copied().unwrap_or(0)
    }

    fn value(&mut self, depth: usize) -> Result<Value, JsonFailure> {
        if depth > MAX_VALUE_DEPTH {
            let text = format!("exceeded max depth of {MAX_VALUE_DEPTH} (a limit of podlab's own)");
            return Err(JsonFailure { text, offset: Some(self.at + 1), is_json: true });
        }
        Ok(match self.peek() {
            b'{' => {
                self.at += 1;
                let mut map = Map::new();
                while !matches!(self.peek(), b'}' | 0) {
                    let key = self.string();
                    map.insert(key, self.value(depth + 1)?);
                }
                self.at += 1;
                Value::Object(map)
            }
            b'[' => {
                self.at += 1;
                let mut items = Vec::new();
                while !matches!(self.peek(), b']' | 0) {
                    items.push(self.value(depth + 1)?);
                }
                self.at += 1;
                Value::Array(items)
            }
            b'"' => Value::String(self.string()),
            b't' => self.word("true", Value::Bool(true)),
            b'f' => self.word("false", Value::Bool(false)),
            b'n' => self.word("null", Value::Null),
            _ => self.number()?,
        })
    }

    fn word(&mut self, word: &str, value: Value) -> Value {
        self.at += word.len();
        value
    }

    fn number(&mut self) -> Result<Value, JsonFailure> {
        let end = scan_number(self.text.as_bytes(), self.at)?;
        let text = self.text.get(self.at..end).unwrap_or_default();
        self.at = end.max(self.at + 1);
        if let Ok(integer) = text.parse::<i64>() {
            return Ok(Value::from(integer));
        }
        let float = text.parse::<f64>().ok().and_then(Number::from_f64);
        float.map(Value::Number).ok_or_else(|| JsonFailure {
            text: format!("json: cannot unmarshal number {text} into Go value of type float64"),
            offset: None,
            is_json: true,
        })
    }

    fn string(&mut self) -> String {
        let start = self.at + 1;
        let end = scan_string(self.text.as_bytes(), self.at).unwrap_or(self.text.len());
        self.at = end;
        unescape(self.text.get(start..end.saturating_sub(1)).unwrap_or_default())
    }
}

/// Resolves escapes; half a surrogate pair becomes U+FFFD.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('b') => out.push('\x08'),
            Some('f') => out.push('\x0C'),
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some('u') => {
                let unit = hex(&mut chars);
                let mut ahead = chars.clone();
                if (0xD800..0xDC00).contains(&unit) && ahead.next() == Some('\\') && ahead.next() == Some('u')
                {
                    let low = hex(&mut ahead);
                    if (0xDC00..0xE000).contains(&low) {
                        let code = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
                        out.push(char::from_u32(code).unwrap_or('\u{FFFD}'));
                        chars = ahead;
                        continue;
                    }
                }
                out.push(char::from_u32(unit).unwrap_or('\u{FFFD}'));
            }
            Some(c) => out.push(c),
            None => {}
        }
    }
    out
}

fn hex(chars: &mut std::str::Chars<'_>) -> u32 {
    chars.by_ref().take(4).fold(0, |code, c| code * 16 + c.to_digit(16).unwrap_or(0))
}
