//! Go templates for `-o go-template`: fields, range, if, with, else, strings, `base64decode`, `len`, `index`,
//! `println`. What else Go's templates know is refused by name.

use podlab_api::go_text;
use serde_json::Value;

/// How deep blocks may nest.
const MAX_DEPTH: usize = 32;

/// A template that has been read.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    nodes: Vec<Node>,
}

#[derive(Clone, Debug)]
enum Node {
    Text(String),
    Print(Vec<Vec<String>>),
    /// `range`, `if`, `with`: pipeline, body, else.
    Block(String, Vec<Vec<String>>, Vec<Node>, Vec<Node>),
}

struct Reader<'a> {
    left: &'a str,
    trim: bool,
}

enum Token {
    Text(String),
    Action(String),
}

impl Reader<'_> {
    fn next(&mut self) -> Result<Option<Token>, String> {
        if self.trim {
            self.left = self.left.trim_start();
            self.trim = false;
        }
        if self.left.is_empty() {
            return Ok(None);
        }
        match self.left.find("{{") {
            Some(0) => {
                let rest = self.left.get(2..).unwrap_or("");
                let Some(end) = rest.find("}}") else { return Err("1: unclosed action".to_owned()) };
                let mut action = rest.get(..end).unwrap_or("");
                self.left = rest.get(end + 2..).unwrap_or("");
                if let Some(inner) = action.strip_suffix(" -") {
                    action = inner;
                    self.trim = true;
                }
                let action = action.strip_prefix("- ").unwrap_or(action);
                Ok(Some(Token::Action(action.trim().to_owned())))
            }
            Some(at) => {
                let (text, rest) = self.left.split_at(at);
                self.left = rest;
                let text = if rest.starts_with("{{- ") { text.trim_end() } else { text };
                Ok(Some(Token::Text(text.to_owned())))
            }
            None => {
                let text = self.left.to_owned();
                self.left = "";
                Ok(Some(Token::Text(text)))
            }
        }
    }
}

/// Splits a pipeline at `|`, each part at spaces; strings stay whole.
fn pipeline(text: &str) -> Result<Vec<Vec<String>>, String> {
    let mut out: Vec<Vec<String>> = vec![Vec::new()];
    let mut word = String::new();
    let mut quote: Option<char> = None;
    for c in text.chars() {
        match quote {
            Some(q) => {
                word.push(c);
                if c == q {
                    quote = None;
                }
            }
            None if c == '"' || c == '`' => {
                word.push(c);
                quote = Some(c);
            }
            None if c == '|' || c.is_whitespace() => {
                if !word.is_empty()
                    && let Some(part) = out.last_mut()
                {
                    part.push(std::mem::take(&mut word));
                }
                if c == '|' {
                    out.push(Vec::new());
                }
            }
            None => word.push(c),
        }
    }
    if quote.is_some() {
        return Err("1: unterminated quoted string".to_owned());
    }
    if !word.is_empty()
        && let Some(part) = out.last_mut()
    {
        part.push(word);
    }
    if out.iter().any(Vec::is_empty) {
        return Err("1: missing value for command".to_owned());
    }
    for part in &out {
        let first = part.first().map_or("", String::as_str);
        let known = first.starts_with('.')
            || first.starts_with(['"', '`'])
            || first.parse::<f64>().is_ok()
            || ["base64decode", "len", "index", "println", "print", "true", "false"].contains(&first);
        if !known {
            return Err(if first.starts_with(['$', '(']) {
                format!("1: podlab does not simulate {first:?} in templates")
            } else {
                format!("1: function {first:?} not defined")
            });
        }
    }
    Ok(out)
}

fn block(reader: &mut Reader<'_>, depth: usize) -> Result<(Vec<Node>, String), String> {
    if depth > MAX_DEPTH {
        return Err("1: podlab reads no deeper template".to_owned());
    }
    let mut nodes = Vec::new();
    while let Some(token) = reader.next()? {
        let action = match token {
            Token::Text(text) => {
                nodes.push(Node::Text(text));
                continue;
            }
            Token::Action(action) => action,
        };
        let (word, rest) = action.split_once(char::is_whitespace).unwrap_or((action.as_str(), ""));
        match word {
            "end" | "else" => return Ok((nodes, action.clone())),
            "range" | "if" | "with" => {
                let condition = pipeline(rest)?;
                let (body, closed) = block(reader, depth + 1)?;
                let other = match closed.as_str() {
                    "else" => block(reader, depth + 1)?.0,
                    "end" => Vec::new(),
                    "" => return Err("1: unexpected EOF".to_owned()),
                    _ => return Err("1: podlab does not simulate \"else if\" in templates".to_owned()),
                };
                nodes.push(Node::Block(word.to_owned(), condition, body, other));
            }
            _ if action.starts_with("/*") => {}
            _ => nodes.push(Node::Print(pipeline(&action)?)),
        }
    }
    Ok((nodes, String::new()))
}

impl Template {
    /// # Errors
    /// Go's text for what is no template, or what podlab does not simulate.
    pub(crate) fn parse(text: &str, _allow_missing: bool) -> Result<Template, String> {
        let mut reader = Reader { left: text, trim: false };
        let (nodes, closed) = block(&mut reader, 0)?;
        if !closed.is_empty() {
            return Err(format!("1: unexpected {{{{{closed}}}}}"));
        }
        Ok(Template { nodes })
    }

    /// # Errors
    /// A function that does not fit its argument.
    pub(crate) fn execute(&self, value: &Value) -> Result<String, String> {
        let mut out = String::new();
        write(&mut out, &self.nodes, value)?;
        Ok(out)
    }
}

fn write(out: &mut String, nodes: &[Node], dot: &Value) -> Result<(), String> {
    for node in nodes {
        match node {
            Node::Text(text) => out.push_str(text),
            Node::Print(parts) => match evaluate(parts, dot)? {
                Value::Null => out.push_str("<no value>"),
                value => out.push_str(&go_text::value(&value)),
            },
            Node::Block(word, condition, body, other) => {
                let value = evaluate(condition, dot)?;
                match (word.as_str(), &value) {
                    ("range", Value::Array(items)) if !items.is_empty() => {
                        for item in items {
                            write(out, body, item)?;
                        }
                    }
                    ("range", Value::Object(map)) if !map.is_empty() => {
                        for item in map.values() {
                            write(out, body, item)?;
                        }
                    }
                    ("if", value) if truth(value) => write(out, body, dot)?,
                    ("with", value) if truth(value) => write(out, body, value)?,
                    _ => write(out, other, dot)?,
                }
            }
        }
    }
    Ok(())
}

fn truth(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(b) => *b,
        Value::Number(n) => n.as_f64() != Some(0.0),
        Value::String(s) => !s.is_empty(),
        Value::Array(a) => !a.is_empty(),
        Value::Object(o) => !o.is_empty(),
    }
}

fn operand(word: &str, dot: &Value) -> Value {
    if let Some(path) = word.strip_prefix('.') {
        return path
            .split('.')
            .filter(|p| !p.is_empty())
            .fold(dot, |v, key| v.get(key).unwrap_or(&Value::Null))
            .clone();
    }
    if let Some(text) = word.strip_prefix('`') {
        return text.trim_end_matches('`').into();
    }
    serde_json::from_str(word).unwrap_or(Value::Null)
}

fn evaluate(parts: &[Vec<String>], dot: &Value) -> Result<Value, String> {
    let mut piped: Option<Value> = None;
    for part in parts {
        let Some((first, rest)) = part.split_first() else { continue };
        let mut args: Vec<Value> = rest.iter().map(|w| operand(w, dot)).collect();
        args.extend(piped.take());
        let value = match first.as_str() {
            "base64decode" => {
                let text = args.first().and_then(Value::as_str).unwrap_or("");
                decode(text).ok_or("1: illegal base64 data at input byte 0")?.into()
            }
            "len" => match args.first() {
                Some(Value::Array(items)) => items.len().into(),
                Some(Value::Object(map)) => map.len().into(),
                Some(Value::String(text)) => text.len().into(),
                _ => return Err("1: error calling len: len of nil pointer".to_owned()),
            },
            "index" => {
                args.iter().skip(1).fold(args.first().cloned().unwrap_or(Value::Null), |v, key| match key {
                    Value::String(key) => v.get(key).cloned().unwrap_or(Value::Null),
                    key => {
                        let at = key.as_u64().and_then(|i| usize::try_from(i).ok());
                        at.and_then(|i| v.get(i)).cloned().unwrap_or(Value::Null)
                    }
                })
            }
            "println" | "print" => {
                let text: Vec<String> = args.iter().map(go_text::value).collect();
                let end = if first == "println" { "\n" } else { "" };
                format!("{}{end}", text.join(" ")).into()
            }
            word => operand(word, dot),
        };
        piped = Some(value);
    }
    Ok(piped.unwrap_or(Value::Null))
}

fn decode(text: &str) -> Option<String> {
    let (mut bits, mut count) = (0_u32, 0);
    let mut out = Vec::new();
    for byte in text.bytes().filter(|b| *b != b'=') {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(digit);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count & 255) as u8);
        }
    }
    Some(String::from_utf8_lossy(&out).into_owned())
}
