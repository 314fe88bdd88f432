//! JSON as jq reads it, character by character from a stream of values, and as it writes it.

use super::value::{MAX_DEPTH, Map, Val, format_number, read_number};
use std::sync::Arc;

/// A container that is being read.
#[derive(Clone, Debug)]
enum Open {
    List(Vec<Val>),
    Map(Map),
    Key(Arc<str>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
enum Mode {
    #[default]
    Normal,
    Text,
    Escape,
}

/// A reader that is fed bytes and gives values.
#[derive(Clone, Debug, Default)]
pub(super) struct Reader {
    stack: Vec<Open>,
    next: Option<Val>,
    token: Vec<u8>,
    mode: Mode,
    line: u64,
    column: u64,
}

type Fault = &'static str;

impl Reader {
    /// Takes one byte; a value that ended with it.
    ///
    /// # Errors
    /// What is wrong and where, as jq says it.
    pub fn feed(&mut self, byte: u8) -> Result<Option<Val>, String> {
        self.column += 1;
        if byte == b'\n' {
            self.line += 1;
            self.column = 0;
        }
        self.scan(byte).map_err(|e| format!("{e} at line {}, column {}", self.line + 1, self.column))
    }

    /// The end of the text; a last value.
    ///
    /// # Errors
    /// As [`Reader::feed`].
    pub fn end(&mut self) -> Result<Option<Val>, String> {
        let at = format!("at EOF at line {}, column {}", self.line + 1, self.column);
        if self.mode != Mode::Normal {
            return Err(format!("Unfinished string {at}"));
        }
        self.literal().map_err(|e| format!("{e} {at}"))?;
        if !self.stack.is_empty() {
            return Err(format!("Unfinished JSON term {at}"));
        }
        Ok(self.next.take())
    }

    /// Bytes it holds.
    pub fn held(&self) -> usize {
        self.token.len() + self.stack.len() * 64
    }

    fn scan(&mut self, byte: u8) -> Result<Option<Val>, Fault> {
        match self.mode {
            Mode::Normal => {
                let mut out = None;
                let plain = !matches!(
                    byte,
                    b' ' | b'\t' | b'\r' | b'\n' | b'"' | b'[' | b',' | b']' | b'{' | b':' | b'}'
                );
                if plain {
                    self.token.push(byte);
                    return Ok(None);
                }
                self.literal()?;
                if self.stack.is_empty() {
                    out = self.next.take();
                }
                match byte {
                    b'"' => self.mode = Mode::Text,
                    b' ' | b'\t' | b'\r' | b'\n' => {}
                    _ => self.structure(byte)?,
                }
                if out.is_none() && self.stack.is_empty() {
                    out = self.next.take();
                }
                Ok(out)
            }
            Mode::Text if byte == b'"' => {
                self.mode = Mode::Normal;
                let text = std::mem::take(&mut self.token);
                let text = unescape(&text)?;
                self.value(Val::str(text))?;
                Ok(if self.stack.is_empty() { self.next.take() } else { None })
            }
            Mode::Text => {
                self.token.push(byte);
                if byte == b'\\' {
                    self.mode = Mode::Escape;
                }
                Ok(None)
            }
            Mode::Escape => {
                self.token.push(byte);
                self.mode = Mode::Text;
                Ok(None)
            }
        }
    }

    fn value(&mut self, v: Val) -> Result<(), Fault> {
        if self.next.is_some() {
            return Err("Expected separator between values");
        }
        self.next = Some(v);
        Ok(())
    }

    fn literal(&mut self) -> Result<(), Fault> {
        if self.token.is_empty() {
            return Ok(());
        }
        let token = std::mem::take(&mut self.token);
        let text = String::from_utf8_lossy(&token);
        let v = match text.as_bytes() {
            b"true" => Val::Bool(true),
            b"false" => Val::Bool(false),
            b"null" => Val::Null,
            [b't' | b'f', ..] | [b'n', b'u', ..] => return Err("Invalid literal"),
            _ => read_number(&text).ok_or("Invalid numeric literal")?,
        };
        self.value(v)
    }

    fn structure(&mut self, byte: u8) -> Result<(), Fault> {
        match byte {
            b'[' | b'{' => {
                if self.stack.len() >= MAX_DEPTH as usize {
                    return Err("Exceeds depth limit for parsing");
                }
                if self.next.is_some() {
                    return Err("Expected separator between values");
                }
                let open = if byte == b'[' { Open::List(Vec::new()) } else { Open::Map(Map::default()) };
                self.stack.push(open);
            }
            b':' => {
                let Some(key) = self.next.take() else { return Err("Expected string key before ':'") };
                if !matches!(self.stack.last(), Some(Open::Map(_))) {
                    return Err("':' not as part of an object");
                }
                let Val::Str(key) = key else { return Err("Object keys must be strings") };
                self.stack.push(Open::Key(key));
            }
            b',' => {
                let Some(v) = self.next.take() else { return Err("Expected value before ','") };
                match self.stack.last_mut() {
                    None => return Err("',' not as part of an object or array"),
                    Some(Open::List(items)) => items.push(v),
                    Some(Open::Key(_)) => self.field(v),
                    Some(Open::Map(_)) => return Err("Objects must consist of key:value pairs"),
                }
            }
            b']' => {
                let Some(Open::List(items)) = self.stack.last_mut() else { return Err("Unmatched ']'") };
                match self.next.take() {
                    Some(v) => items.push(v),
                    None if !items.is_empty() => return Err("Expected another array element"),
                    None => {}
                }
                if let Some(Open::List(items)) = self.stack.pop() {
                    self.next = Some(Val::arr(items));
                }
            }
            _ => {
                match (self.next.take(), self.stack.last()) {
                    (_, None) => return Err("Unmatched '}'"),
                    (Some(v), Some(Open::Key(_))) => self.field(v),
                    (Some(_), _) => return Err("Objects must consist of key:value pairs"),
                    (None, Some(Open::Map(m))) if m.entries.is_empty() => {}
                    (None, Some(Open::Map(_))) => return Err("Expected another key-value pair"),
                    (None, _) => return Err("Unmatched '}'"),
                }
                if let Some(Open::Map(m)) = self.stack.pop() {
                    self.next = Some(Val::obj(m));
                }
            }
        }
        Ok(())
    }

    fn field(&mut self, v: Val) {
        if let Some(Open::Key(key)) = self.stack.pop()
            && let Some(Open::Map(m)) = self.stack.last_mut()
        {
            m.set(key, v);
        }
    }
}

fn unescape(bytes: &[u8]) -> Result<String, Fault> {
    let mut out: Vec<u8> = Vec::with_capacity(bytes.len());
    let mut i = 0;
    let hex = |at: usize| -> Result<u32, Fault> {
        let part = bytes.get(at..at + 4).ok_or("Invalid \\uXXXX escape")?;
        let text = std::str::from_utf8(part).map_err(|_| "Invalid characters in \\uXXXX escape")?;
        if !part.iter().all(u8::is_ascii_hexdigit) {
            return Err("Invalid characters in \\uXXXX escape");
        }
        u32::from_str_radix(text, 16).map_err(|_| "Invalid characters in \\uXXXX escape")
    };
    while let Some(b) = bytes.get(i) {
        i += 1;
        if *b != b'\\' {
            if *b <= 0x1f {
                return Err("Invalid string: control characters from U+0000 through U+001F must be escaped");
            }
            out.push(*b);
            continue;
        }
        let Some(c) = bytes.get(i) else { return Err("Expected escape character at end of string") };
        i += 1;
        match c {
            b'\\' | b'"' | b'/' => out.push(*c),
            b'b' => out.push(8),
            b'f' => out.push(12),
            b't' => out.push(9),
            b'n' => out.push(10),
            b'r' => out.push(13),
            b'u' => {
                let mut point = hex(i)?;
                i += 4;
                if (0xd800..=0xdbff).contains(&point) {
                    let fault = "Invalid \\uXXXX\\uXXXX surrogate pair escape";
                    if bytes.get(i..i + 2) != Some(b"\\u") {
                        return Err(fault);
                    }
                    let low = hex(i + 2).map_err(|_| fault)?;
                    if !(0xdc00..=0xdfff).contains(&low) {
                        return Err(fault);
                    }
                    i += 6;
                    point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
                }
                let c = char::from_u32(point).unwrap_or('\u{fffd}');
                out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            }
            _ => return Err("Invalid escape"),
        }
    }
    Ok(String::from_utf8_lossy(&out).into_owned())
}

/// Reads a text that is one value, for `fromjson` and options.
///
/// # Errors
/// What is wrong, with the text.
pub(super) fn parse_one(text: &str) -> Result<Val, String> {
    let mut all = parse_all(text.as_bytes()).map_err(|e| format!("{e} (while parsing '{text}')"))?;
    match (all.pop(), all.is_empty()) {
        (Some(v), true) => Ok(v),
        (Some(_), false) => Err(format!("Unexpected extra JSON values (while parsing '{text}')")),
        (None, _) => Err(format!("Expected JSON value (while parsing '{text}')")),
    }
}

/// Reads all values of a text.
///
/// # Errors
/// What is wrong and where.
pub(super) fn parse_all(bytes: &[u8]) -> Result<Vec<Val>, String> {
    let mut reader = Reader::default();
    let mut all = Vec::new();
    for b in bytes {
        all.extend(reader.feed(*b)?);
    }
    all.extend(reader.end()?);
    Ok(all)
}

/// How values are written.
#[derive(Clone, Debug)]
pub(super) struct Style {
    /// What one level is indented by; `None` writes everything on one line.
    pub indent: Option<String>,
    pub sort: bool,
    pub ascii: bool,
}

pub(super) const COMPACT: Style = Style { indent: None, sort: false, ascii: false };

/// Longest text of one value.
const MAX_TEXT: usize = 16 << 20;

/// The value in one line.
pub(super) fn compact(v: &Val) -> String {
    let mut out = String::new();
    write(&mut out, v, &COMPACT, 0);
    out
}

/// Where a value's text grows too long (values are shared, so a small one can have an endless text) it is cut.
pub(super) fn write(out: &mut String, v: &Val, style: &Style, level: usize) {
    if out.len() > MAX_TEXT {
        return;
    }
    match v {
        Val::Null => out.push_str("null"),
        Val::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Val::Num(n, None) => out.push_str(&format_number(*n)),
        Val::Num(_, Some(text)) => out.push_str(text),
        Val::Str(s) => string(out, s, style.ascii),
        Val::Arr(a) if a.items.is_empty() => out.push_str("[]"),
        Val::Obj(o) if o.entries.is_empty() => out.push_str("{}"),
        Val::Arr(a) => {
            out.push('[');
            for (i, item) in a.items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                line(out, style, level + 1);
                write(out, item, style, level + 1);
            }
            line(out, style, level);
            out.push(']');
        }
        Val::Obj(o) => {
            out.push('{');
            let entries: Vec<(&Arc<str>, &Val)> =
                if style.sort { o.sorted() } else { o.entries.iter().map(|(k, v)| (k, v)).collect() };
            for (i, (key, item)) in entries.into_iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                line(out, style, level + 1);
                string(out, key, style.ascii);
                out.push_str(if style.indent.is_some() { ": " } else { ":" });
                write(out, item, style, level + 1);
            }
            line(out, style, level);
            out.push('}');
        }
    }
}

fn line(out: &mut String, style: &Style, level: usize) {
    if let Some(indent) = &style.indent {
        out.push('\n');
        for _ in 0..level {
            out.push_str(indent);
        }
    }
}

fn string(out: &mut String, s: &str, ascii: bool) {
    out.push('"');
    for c in s.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if (c as u32) < 0x20 || c as u32 == 0x7f => out.push_str(&format!("\\u{:04x}", c as u32)),
            c if ascii && !c.is_ascii() => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// The value's text, cut to fit an error message.
pub(super) fn short(v: &Val, room: usize) -> String {
    let text = compact(v);
    if text.len() < room {
        return text;
    }
    let bytes = text.as_bytes().get(..room - 4).unwrap_or_default();
    // The cut may go through a character; what is left of it is no character.
    let mut cut = String::from_utf8_lossy(bytes).into_owned();
    cut.push_str("...");
    cut
}
