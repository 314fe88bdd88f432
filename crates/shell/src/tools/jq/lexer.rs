//! jq programs as words.

use super::value::{Val, read_number};

/// A word.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Tok {
    Field(String),
    Ident(String),
    Keyword(&'static str),
    Binding(String),
    Format(String),
    Number(usize),
    TextStart,
    Text(String),
    HoleStart,
    HoleEnd,
    TextEnd,
    Op(&'static str),
    Invalid,
    End,
}

impl Tok {
    /// What a syntax error calls it.
    pub fn name(&self) -> String {
        match self {
            Tok::Field(_) => "FIELD".to_owned(),
            Tok::Ident(_) => "IDENT".to_owned(),
            Tok::Keyword(k) => (*k).to_owned(),
            Tok::Binding(_) => "BINDING".to_owned(),
            Tok::Format(_) => "FORMAT".to_owned(),
            Tok::Number(_) => "LITERAL".to_owned(),
            Tok::TextStart => "QQSTRING_START".to_owned(),
            Tok::Text(_) => "QQSTRING_TEXT".to_owned(),
            Tok::HoleStart => "QQSTRING_INTERP_START".to_owned(),
            Tok::HoleEnd => "QQSTRING_INTERP_END".to_owned(),
            Tok::TextEnd => "QQSTRING_END".to_owned(),
            Tok::Op(o) if o.len() == 1 => format!("'{o}'"),
            Tok::Op(o) => (*o).to_owned(),
            Tok::Invalid => "INVALID_CHARACTER".to_owned(),
            Tok::End => "end of file".to_owned(),
        }
    }
}

const KEYWORDS: [&str; 20] = [
    "def",
    "module",
    "import",
    "include",
    "if",
    "then",
    "else",
    "elif",
    "end",
    "and",
    "or",
    "as",
    "reduce",
    "foreach",
    "try",
    "catch",
    "label",
    "break",
    "__loc__",
    "not-a-word",
];
const OPERATORS: [&str; 35] = [
    "?//=", "?//", "//=", "|=", "+=", "-=", "*=", "/=", "%=", "==", "!=", "<=", ">=", "//", "..", "|", ",",
    "=", "<", ">", "+", "-", "*", "/", "%", "(", ")", "[", "]", "{", "}", ":", ";", "?", ".",
];

/// The words of a text, where each begins, and the numbers among them.
pub(super) struct Words {
    pub toks: Vec<(Tok, usize)>,
    pub numbers: Vec<Val>,
}

/// Cuts a program into words; what is none becomes [`Tok::Invalid`].
pub(super) fn words(text: &str) -> Words {
    let mut w = Words { toks: Vec::new(), numbers: Vec::new() };
    // What is open: a bracket's end, or `"` inside of a text's hole.
    let mut open: Vec<char> = Vec::new();
    let mut i = 0;
    while let Some(rest) = text.get(i..).filter(|r| !r.is_empty()) {
        let c = rest.chars().next().unwrap_or(' ');
        if c.is_ascii_whitespace() {
            i += 1;
            continue;
        }
        if c == '#' {
            i += rest.find('\n').unwrap_or(rest.len());
            continue;
        }
        let name_len = |s: &str| {
            let first = s.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
            if first {
                s.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(s.len())
            } else {
                0
            }
        };
        let after = rest.get(c.len_utf8()..).unwrap_or_default();
        let n = name_len(after);
        let name = || after.get(..n).unwrap_or_default().to_owned();
        match c {
            '"' => {
                w.toks.push((Tok::TextStart, i));
                i = string(text, i + 1, &mut w, &mut open);
                continue;
            }
            '.' if n > 0 => {
                w.toks.push((Tok::Field(name()), i));
                i += 1 + n;
                continue;
            }
            '$' if n > 0 => {
                w.toks.push((Tok::Binding(name()), i));
                i += 1 + n;
                continue;
            }
            '@' if n > 0 => {
                w.toks.push((Tok::Format(name()), i));
                i += 1 + n;
                continue;
            }
            _ => {}
        }
        let whole = name_len(rest);
        if whole > 0 {
            let mut end = whole;
            while let Some(more) = rest.get(end..).and_then(|r| r.strip_prefix("::")) {
                let n = name_len(more);
                if n == 0 {
                    break;
                }
                end += 2 + n;
            }
            let word = rest.get(..end).unwrap_or_default();
            let tok = KEYWORDS
                .iter()
                .find(|k| **k == word)
                .map_or_else(|| Tok::Ident(word.to_owned()), |k| Tok::Keyword(k));
            w.toks.push((tok, i));
            i += end;
            continue;
        }
        if let Some(n) = number_len(rest) {
            if let Some(v) = rest.get(..n).and_then(read_number) {
                w.numbers.push(v);
                w.toks.push((Tok::Number(w.numbers.len() - 1), i));
            } else {
                w.toks.push((Tok::Invalid, i));
            }
            i += n;
            continue;
        }
        let Some(op) = OPERATORS.iter().find(|o| rest.starts_with(**o)) else {
            w.toks.push((Tok::Invalid, i));
            i += c.len_utf8();
            continue;
        };
        match *op {
            "(" => open.push(')'),
            "[" => open.push(']'),
            "{" => open.push('}'),
            ")" if open.last() == Some(&'"') => {
                open.pop();
                w.toks.push((Tok::HoleEnd, i));
                i = string(text, i + 1, &mut w, &mut open);
                continue;
            }
            ")" | "]" | "}" => {
                if open.last().is_some_and(|o| op.starts_with(*o)) {
                    open.pop();
                } else {
                    w.toks.push((Tok::Invalid, i));
                    i += 1;
                    continue;
                }
            }
            _ => {}
        }
        w.toks.push((Tok::Op(op), i));
        i += op.len();
    }
    w
}

fn number_len(s: &str) -> Option<usize> {
    let digits = |at: usize| s.get(at..).unwrap_or_default().bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits(0);
    let mut end = whole;
    if s.get(end..).is_some_and(|r| r.starts_with('.')) {
        let fraction = digits(end + 1);
        if whole == 0 && fraction == 0 {
            return None;
        }
        end += 1 + fraction;
    } else if whole == 0 {
        return None;
    }
    if s.get(end..).is_some_and(|r| r.starts_with(['e', 'E'])) {
        let sign = usize::from(s.get(end + 1..).is_some_and(|r| r.starts_with(['+', '-'])));
        let power = digits(end + 1 + sign);
        if power > 0 {
            end += 1 + sign + power;
        }
    }
    Some(end)
}

/// Reads a text's inside up to its end or a hole; answers where to go on.
fn string(text: &str, start: usize, w: &mut Words, open: &mut Vec<char>) -> usize {
    let mut out = String::new();
    let mut from = start;
    let mut chars = text.get(start..).unwrap_or_default().char_indices();
    while let Some((n, c)) = chars.next() {
        let at = start + n;
        if c == '"' {
            if !out.is_empty() {
                w.toks.push((Tok::Text(out), from));
            }
            w.toks.push((Tok::TextEnd, at));
            return at + 1;
        }
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next().map(|(_, c)| c) {
            Some('(') => {
                if !out.is_empty() {
                    w.toks.push((Tok::Text(std::mem::take(&mut out)), from));
                }
                w.toks.push((Tok::HoleStart, at));
                open.push('"');
                return at + 2;
            }
            Some('u') => {
                let hex = |at: usize| text.get(at..at + 4).and_then(|h| u32::from_str_radix(h, 16).ok());
                let Some(mut point) = hex(at + 2) else {
                    w.toks.push((Tok::Invalid, at));
                    from = at;
                    continue;
                };
                chars.nth(3);
                let low = text.get(at + 6..at + 8).filter(|s| *s == "\\u").and_then(|_| hex(at + 8));
                if let (0xd800..=0xdbff, Some(low @ 0xdc00..=0xdfff)) = (point, low) {
                    point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
                    chars.nth(5);
                }
                out.push(char::from_u32(point).unwrap_or('\u{fffd}'));
            }
            Some(c) => match c {
                '"' | '\\' | '/' => out.push(c),
                'n' => out.push('\n'),
                't' => out.push('\t'),
                'r' => out.push('\r'),
                'b' => out.push('\u{8}'),
                'f' => out.push('\u{c}'),
                _ => w.toks.push((Tok::Invalid, at)),
            },
            None => {}
        }
    }
    if !out.is_empty() {
        w.toks.push((Tok::Text(out), from));
    }
    text.len()
}
