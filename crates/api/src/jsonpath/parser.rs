//! The grammar of templates.

use super::JsonPathError;
use super::node::{End, Node};
use crate::go_text;

/// Filters in filters and the like, at most; checked before the parser goes in.
const MAX_DEPTH: usize = 32;
/// The longest template, in bytes.
const MAX_LENGTH: usize = 64 * 1024;

type Parsed<T> = Result<T, JsonPathError>;

fn failure<T>(text: impl Into<String>) -> Parsed<T> {
    Err(JsonPathError(text.into()))
}

pub(super) fn parse(template: &str) -> Parsed<Vec<Node>> {
    parse_at(template, 0)
}

fn parse_at(template: &str, depth: usize) -> Parsed<Vec<Node>> {
    if depth > MAX_DEPTH || template.len() > MAX_LENGTH {
        return failure("template is too long or too deeply nested");
    }
    Parser { input: template, position: 0, start: 0, depth }.template()
}

/// Reads the inside of an action, such as one side of a filter.
fn parse_action(text: &str, depth: usize) -> Parsed<Vec<Node>> {
    match parse_at(&format!("{{{text}}}"), depth + 1)?.into_iter().next() {
        Some(Node::List(nodes)) => Ok(nodes),
        _ => Ok(Vec::new()),
    }
}

struct Parser<'a> {
    input: &'a str,
    position: usize,
    /// Where the text that was not taken yet begins.
    start: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        self.input.get(self.position..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek();
        self.position += next.map_or(0, char::len_utf8);
        next
    }

    fn take(&mut self) -> &'a str {
        let text = self.input.get(self.start..self.position).unwrap_or_default();
        self.start = self.position;
        text
    }

    fn skip(&mut self, prefix: &str) {
        self.position += prefix.len();
        self.start = self.position;
    }

    /// Whether the character before the one just read is a backslash.
    fn is_escaped(&self) -> bool {
        self.position.checked_sub(2).and_then(|index| self.input.as_bytes().get(index)) == Some(&b'\\')
    }

    fn template(&mut self) -> Parsed<Vec<Node>> {
        let mut root = Vec::new();
        loop {
            let length = self.rest().find('{');
            self.position += length.unwrap_or(self.rest().len());
            if self.position > self.start {
                root.push(Node::Text(self.take().to_owned()));
            }
            if length.is_none() {
                return Ok(root);
            }
            self.skip("{");
            root.push(Node::List(self.action()?));
        }
    }

    fn action(&mut self) -> Parsed<Vec<Node>> {
        let mut nodes = Vec::new();
        loop {
            let rest = self.rest();
            if rest.starts_with('}') {
                self.skip("}");
                return Ok(nodes);
            }
            if rest.starts_with("[?(") {
                nodes.push(self.filter()?);
                continue;
            }
            if rest.starts_with("..") {
                if nodes.last() == Some(&Node::Recursive) {
                    return failure("invalid multiple recursive descent");
                }
                self.skip("..");
                nodes.push(Node::Recursive);
                if self.peek().is_some_and(is_alphanumeric) {
                    nodes.push(self.field());
                }
                continue;
            }
            match self.next() {
                None | Some('\r' | '\n') => return failure("unclosed action"),
                Some(' ' | '@' | '$') => {
                    self.take();
                }
                Some('[') => self.array(&mut nodes)?,
                Some(quote @ ('"' | '\'')) => nodes.push(self.quoted(quote)?),
                Some('.') => nodes.push(self.field()),
                Some(c) if matches!(c, '+' | '-') || is_digit(c) => {
                    self.position -= c.len_utf8();
                    nodes.push(self.number()?);
                }
                Some(c) if is_alphanumeric(c) => {
                    self.position -= c.len_utf8();
                    nodes.push(self.identifier());
                }
                Some(c) => return failure(format!("unrecognized character in action: {}", unicode(c))),
            }
        }
    }

    fn identifier(&mut self) -> Node {
        while self.peek().is_some_and(|c| !is_terminator(c)) {
            self.next();
        }
        match self.take() {
            "true" => Node::Bool(true),
            "false" => Node::Bool(false),
            name => Node::Identifier(name.to_owned()),
        }
    }

    fn number(&mut self) -> Parsed<Node> {
        if matches!(self.peek(), Some('+' | '-')) {
            self.next();
        }
        while self.peek().is_some_and(|c| c == '.' || is_digit(c)) {
            self.next();
        }
        let text = self.take();
        if let Ok(int) = text.parse() {
            return Ok(Node::Int(int));
        }
        text.parse().map(Node::Float).or_else(|_| failure(format!("cannot parse number {text}")))
    }

    fn field(&mut self) -> Node {
        self.take();
        loop {
            match self.peek() {
                Some('\\') => {
                    self.next();
                    self.next();
                }
                Some(c) if !is_terminator(c) => {
                    self.next();
                }
                _ => break,
            }
        }
        match self.take() {
            "*" => Node::Wildcard,
            name => Node::Field(name.replace('\\', "")),
        }
    }

    fn quoted(&mut self, quote: char) -> Parsed<Node> {
        loop {
            match self.next() {
                None | Some('\n') => return failure("unterminated quoted string"),
                Some(c) if c == quote && !self.is_escaped() => break,
                Some(_) => {}
            }
        }
        let text = self.take();
        match unquote(text, quote) {
            Some(unquoted) => Ok(Node::Text(unquoted)),
            None => failure(format!("unquote string {text} error invalid syntax")),
        }
    }

    fn array(&mut self, nodes: &mut Vec<Node>) -> Parsed<()> {
        loop {
            match self.next() {
                None | Some('\n') => return failure("unterminated array"),
                Some(']') => break,
                Some(_) => {}
            }
        }
        let text = self.take();
        let text = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or_default();
        let text = if text == "*" { ":" } else { text };
        if text.contains(',') {
            let part = |part: &str| parse_action(&format!("[{}]", part.trim_matches(' ')), self.depth);
            nodes.push(Node::Union(text.split(',').map(part).collect::<Parsed<_>>()?));
            return Ok(());
        }
        let key = text
            .strip_prefix('\'')
            .and_then(|text| text.strip_suffix('\''))
            .filter(|key| !key.contains('\''));
        if let Some(key) = key {
            nodes.extend(parse_action(&format!(".{key}"), self.depth)?);
            return Ok(());
        }
        nodes.push(slice(text)?);
        Ok(())
    }

    fn filter(&mut self) -> Parsed<Node> {
        self.skip("[?(");
        let (mut begun, mut ended, mut pair) = (false, false, '"');
        loop {
            match self.next() {
                None | Some('\n') => return failure("unterminated filter"),
                Some(quote @ ('"' | '\'')) if !begun => {
                    begun = true;
                    pair = quote;
                }
                Some(quote @ ('"' | '\'')) => ended |= quote == pair && !self.is_escaped(),
                Some(')') if begun == ended => break,
                Some(_) => {}
            }
        }
        if self.next() != Some(']') {
            return failure("unclosed array expect ]");
        }
        let text = self.take();
        let text = text.strip_suffix(")]").unwrap_or_default();
        match split_comparison(text) {
            None => {
                let left = parse_action(text, self.depth)?;
                Ok(Node::Filter { left, operator: "exists".to_owned(), right: Vec::new() })
            }
            Some((left, operator, right)) => {
                let left = parse_action(left, self.depth)?;
                let right = parse_action(right, self.depth)?;
                Ok(Node::Filter { left, operator: operator.to_owned(), right })
            }
        }
    }
}

/// `start[:end[:step]]`, each of them possibly empty.
fn slice(text: &str) -> Parsed<Node> {
    let parts: Vec<&str> = text.split(':').collect();
    let is_index =
        |part: &&str| part.strip_prefix('-').unwrap_or(part).bytes().all(|byte| byte.is_ascii_digit());
    if parts.len() > 3 || !parts.iter().all(is_index) {
        return failure(format!("invalid array index {text}"));
    }
    let number = |index: usize| match parts.get(index) {
        None | Some(&"") => Ok(None),
        Some(part) => {
            part.parse::<i64>().map(Some).or_else(|_| failure(format!("array index {part} is not a number")))
        }
    };
    let start = number(0)?;
    let end = match number(1)? {
        Some(end) => End::At(end),
        None if parts.len() > 1 => End::Open,
        None => End::AfterStart(start.unwrap_or(0).saturating_add(1)),
    };
    Ok(Node::Array { start, end, step: number(2)? })
}

/// Splits at the first run of `!<>=`; `None` where there is none, or nothing on one side of it.
fn split_comparison(text: &str) -> Option<(&str, &str, &str)> {
    let is_operator = |c: char| matches!(c, '!' | '<' | '>' | '=');
    let from = text.find(is_operator).filter(|from| *from > 0)?;
    let (left, rest) = text.split_at_checked(from)?;
    let length = rest.find(|c| !is_operator(c)).unwrap_or(rest.len() - 1);
    let (operator, right) = rest.split_at_checked(length)?;
    (!operator.is_empty()).then_some((left, operator, right))
}

/// Undoes Go's escapes in a text with its quotes.
fn unquote(text: &str, quote: char) -> Option<String> {
    let inner = text.strip_prefix(quote)?.strip_suffix(quote)?;
    let mut bytes = Vec::with_capacity(inner.len());
    let mut characters = inner.chars();
    let mut buffer = [0; 4];
    while let Some(c) = characters.next() {
        if c == quote {
            return None;
        }
        if c != '\\' {
            bytes.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
            continue;
        }
        let escape = characters.next()?;
        let mut code = |digits: u32, radix: u32, first: u32| {
            (0..digits).try_fold(first, |code, _| Some(code * radix + characters.next()?.to_digit(radix)?))
        };
        match escape {
            'a' => bytes.push(7),
            'b' => bytes.push(8),
            'f' => bytes.push(12),
            'n' => bytes.push(b'\n'),
            'r' => bytes.push(b'\r'),
            't' => bytes.push(b'\t'),
            'v' => bytes.push(11),
            '\\' => bytes.push(b'\\'),
            c if c == quote => bytes.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes()),
            'x' => bytes.push(u8::try_from(code(2, 16, 0)?).ok()?),
            '0'..='7' => bytes.push(u8::try_from(code(2, 8, escape.to_digit(8)?)?).ok()?),
            'u' | 'U' => {
                let code = code(if escape == 'u' { 4 } else { 8 }, 16, 0)?;
                bytes.extend_from_slice(char::from_u32(code)?.encode_utf8(&mut buffer).as_bytes());
            }
            _ => return None,
        }
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn is_terminator(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n' | '.' | ',' | '[' | ']' | '$' | '@' | '{' | '}')
}

fn is_digit(c: char) -> bool {
    c.is_numeric() && c.is_ascii_digit() || !c.is_ascii() && c.is_numeric() && !c.is_alphabetic()
}

fn is_alphanumeric(c: char) -> bool {
    c == '_' || c.is_alphabetic() || is_digit(c)
}

/// A character as Go's `%#U` prints it.
fn unicode(c: char) -> String {
    let code = u32::from(c);
    if go_text::is_print(c) { format!("U+{code:04X} '{c}'") } else { format!("U+{code:04X}") }
}
