//! jq's formats (`@csv`, `@base64`, …) and regular expressions.

use super::json::compact;
use super::native::{bad, fault, to_string};
use super::value::{Map, Res, Val};
use regex_lite::{Regex, RegexBuilder};

/// Longest pattern.
const MAX_PATTERN: usize = 4096;
/// Most that a pattern may compile to, in bytes.
const MAX_PROGRAM: usize = 1 << 20;
/// Most matches of one text.
const MAX_MATCHES: usize = 100_000;

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// A value in a format's way.
pub(super) fn format(v: &Val, name: &str) -> Res {
    let text = || to_string(v);
    Ok(Val::str(match name {
        "text" => return Ok(Val::Str(text())),
        "json" => compact(v),
        "html" => escape(&text(), |c| match c {
            '&' => Some("&amp;"),
            '<' => Some("&lt;"),
            '>' => Some("&gt;"),
            '\'' => Some("&apos;"),
            '"' => Some("&quot;"),
            _ => None,
        }),
        "uri" => {
            let mut out = String::new();
            for b in text().bytes() {
                if b.is_ascii_alphanumeric() || b"-_.~".contains(&b) {
                    out.push(char::from(b));
                } else {
                    out.push_str(&format!("%{b:02X}"));
                }
            }
            out
        }
        "csv" | "tsv" => row(v, name)?,
        "sh" => {
            let items = match v {
                Val::Arr(a) => a.items.clone(),
                v => vec![v.clone()],
            };
            let mut out = Vec::new();
            for item in &items {
                out.push(match item {
                    Val::Str(s) => format!("'{}'", s.replace('\'', "'\\''")),
                    Val::Arr(_) | Val::Obj(_) => return bad(item, "can not be escaped for shell"),
                    other => compact(other),
                });
            }
            out.join(" ")
        }
        "base64" => {
            let mut out = String::new();
            for chunk in text().as_bytes().chunks(3) {
                let code =
                    chunk.iter().chain([0, 0].iter()).take(3).fold(0u32, |c, b| c << 8 | u32::from(*b));
                for i in 0..4 {
                    let digit = BASE64.get((code >> (18 - 6 * i) & 63) as usize).copied().unwrap_or(b'A');
                    out.push(if i <= chunk.len() { char::from(digit) } else { '=' });
                }
            }
            out
        }
        "base64d" => {
            let source = text();
            let (mut code, mut count) = (0u32, 0);
            let mut out = Vec::new();
            for b in source.bytes().take_while(|b| *b != b'=') {
                let Some(digit) = BASE64.iter().position(|d| *d == b) else {
                    return bad(&Val::Str(source.clone()), "is not valid base64 data");
                };
                code = code << 6 | u32::try_from(digit).unwrap_or(0);
                count += 1;
                if count == 4 {
                    out.extend_from_slice(code.to_be_bytes().get(1..).unwrap_or_default());
                    (code, count) = (0, 0);
                }
            }
            match count {
                3 => out.extend([(code >> 10) as u8, (code >> 2) as u8]),
                2 => out.push((code >> 4) as u8),
                1 => return bad(&Val::Str(source.clone()), "trailing base64 byte found"),
                _ => {}
            }
            String::from_utf8_lossy(&out).into_owned()
        }
        other => return fault(format!("{other} is not a valid format")),
    }))
}

fn escape(s: &str, with: impl Fn(char) -> Option<&'static str>) -> String {
    let mut out = String::new();
    for c in s.chars() {
        match with(c) {
            Some(e) => out.push_str(e),
            None => out.push(c),
        }
    }
    out
}

fn row(v: &Val, name: &str) -> Res<String> {
    let Val::Arr(items) = v else { return bad(v, &format!("cannot be {name}-formatted, only array")) };
    let mut out = Vec::new();
    for item in &items.items {
        out.push(match item {
            Val::Null => String::new(),
            Val::Num(n, _) if n.is_nan() => String::new(),
            Val::Bool(_) | Val::Num(..) => compact(item),
            Val::Str(s) if name == "csv" => format!("\"{}\"", s.replace('"', "\"\"")),
            Val::Str(s) => escape(s, |c| match c {
                '\t' => Some("\\t"),
                '\r' => Some("\\r"),
                '\n' => Some("\\n"),
                '\\' => Some("\\\\"),
                _ => None,
            }),
            item => return bad(item, "is not valid in a csv row"),
        });
    }
    Ok(out.join(if name == "csv" { "," } else { "\t" }))
}

/// All matches as objects, or whether there is one.
pub(super) fn match_all(v: &Val, pattern: &Val, flags: &Val, test: bool) -> Res {
    let Val::Str(text) = v else { return bad(v, "cannot be matched, as it is not a string") };
    let Val::Str(pattern) = pattern else { return bad(pattern, "cannot be matched, as it is not a string") };
    let mut global = false;
    let (mut fold, mut extended, mut dot, mut skip_empty) = (false, false, false, false);
    match flags {
        Val::Null => {}
        Val::Str(f) => {
            for c in f.chars() {
                match c {
                    'g' => global = true,
                    'i' => fold = true,
                    'x' => extended = true,
                    's' | 'p' => dot = true,
                    'n' => skip_empty = true,
                    'l' => {}
                    _ => return fault(format!("{f} is not a valid modifier string")),
                }
            }
        }
        f => return bad(f, "is not a string"),
    }
    let regex = compiled(pattern, fold, extended, dot)?;
    if test {
        return Ok(Val::Bool(regex.is_match(text)));
    }
    // Characters are counted on from match to match.
    let (mut bytes, mut chars) = (0, 0);
    let mut place = |at: usize| {
        if at < bytes {
            return text.get(..at).unwrap_or_default().chars().count();
        }
        chars += text.get(bytes..at).unwrap_or_default().chars().count();
        bytes = at;
        chars
    };
    let mut found = Vec::new();
    let count = |s: &str| Val::len(s.chars().count());
    for c in regex.captures_iter(text).take(if global { MAX_MATCHES } else { 1 }) {
        let Some(whole) = c.get(0) else { continue };
        if skip_empty && whole.as_str().is_empty() {
            continue;
        }
        let mut m = Map::default();
        m.set("offset".into(), Val::len(place(whole.start())));
        m.set("length".into(), count(whole.as_str()));
        m.set("string".into(), Val::str(whole.as_str()));
        let mut captures = Vec::new();
        for (group, name) in c.iter().zip(regex.capture_names()).skip(1) {
            let mut m = Map::default();
            match group {
                Some(g) => {
                    let at = text.get(..g.start()).unwrap_or_default().chars().count();
                    m.set("offset".into(), Val::len(at));
                    m.set("length".into(), count(g.as_str()));
                    m.set("string".into(), Val::str(g.as_str()));
                }
                None => {
                    m.set("offset".into(), Val::num(-1.0));
                    m.set("length".into(), Val::num(0.0));
                    m.set("string".into(), Val::Null);
                }
            }
            m.set("name".into(), name.map_or(Val::Null, Val::str));
            captures.push(Val::obj(m));
        }
        m.set("captures".into(), Val::arr(captures));
        found.push(Val::obj(m));
    }
    Ok(Val::arr(found))
}

fn compiled(pattern: &str, fold: bool, extended: bool, dot: bool) -> Res<Regex> {
    if pattern.len() > MAX_PATTERN {
        return fault("patterns this long are not simulated");
    }
    // jq's patterns know look-around and back-references, which need time without bounds.
    for look in ["(?=", "(?!", "(?<=", "(?<!", "(?>"] {
        if pattern.contains(look) {
            return fault(format!("{pattern} (at offset 0) is not simulated: {look}"));
        }
    }
    RegexBuilder::new(pattern)
        .case_insensitive(fold)
        .ignore_whitespace(extended)
        .dot_matches_new_line(dot)
        .multi_line(true)
        .size_limit(MAX_PROGRAM)
        .nest_limit(50)
        .build()
        .map_err(|e| Val::str(format!("{pattern} (at offset 0) is not a valid regex: {e}")))
}
