//! Text to tokens, with go-yaml's rules on indentation and simple keys.
//!
//! go-yaml's scanner left libyaml's at 0.1 and has since got its own bounds and its own lookups of
//! simple keys, so the error a broken text gets, and its line, cannot be had from a port of
//! today's libyaml. Source: go.yaml.in/yaml/v2 scannerc.go (v2.4.4).

mod block;
mod flow;
mod input;
mod names;
mod token;

use std::collections::{BTreeMap, VecDeque};

use crate::error::{Finder, Mark, Problem};
use input::Input;
pub(crate) use token::{ScalarStyle, Token, TokenKind};

/// Deepest nesting of `[` and `{`, and deepest indentation.
const MAX_DEPTH: usize = 10_000;

/// Farthest a colon may be from the start of its key, in characters.
const MAX_SIMPLE_KEY: usize = 1024;

/// A token that turns out to be a mapping key if a colon follows.
#[derive(Clone, Copy, Default)]
struct SimpleKey {
    possible: bool,
    required: bool,
    token_number: usize,
    mark: Mark,
}

/// Cuts one document into tokens.
pub(crate) struct Scanner<'a> {
    input: Input<'a>,
    tokens: VecDeque<Token>,
    /// Tokens handed out so far.
    tokens_parsed: usize,
    token_available: bool,
    started: bool,
    stream_end: bool,
    /// Column of the innermost block collection; -1 outside of all.
    indent: isize,
    indents: Vec<isize>,
    flow_level: usize,
    simple_key_allowed: bool,
    /// One per flow level, the last is the current one.
    simple_keys: Vec<SimpleKey>,
    /// token number → index in `simple_keys`.
    simple_keys_by_token: BTreeMap<usize, usize>,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self {
            input: Input::new(text),
            tokens: VecDeque::new(),
            tokens_parsed: 0,
            token_available: false,
            started: false,
            stream_end: false,
            indent: -1,
            indents: Vec::new(),
            flow_level: 0,
            simple_key_allowed: true,
            simple_keys: vec![SimpleKey::default()],
            simple_keys_by_token: BTreeMap::new(),
        }
    }

    /// The next token, still in the queue.
    pub(crate) fn peek(&mut self) -> Result<&mut Token, Problem> {
        if !self.token_available {
            self.fetch_more_tokens()?;
        }
        let mark = self.input.mark;
        self.tokens.front_mut().ok_or_else(|| Problem {
            finder: Finder::Scanner,
            text: "unknown problem parsing YAML content".into(),
            mark,
            context: None,
        })
    }

    /// Takes the token that [`Self::peek`] showed out of the queue.
    pub(crate) fn skip(&mut self) {
        self.token_available = false;
        self.tokens_parsed += 1;
        if let Some(token) = self.tokens.pop_front() {
            self.stream_end = token.kind == TokenKind::StreamEnd;
        }
    }

    fn error<T>(&self, context: Mark, text: impl Into<String>) -> Result<T, Problem> {
        let (mark, context) = (self.input.mark, Some(context));
        Err(Problem { finder: Finder::Scanner, text: text.into(), mark, context })
    }

    fn push(&mut self, kind: TokenKind, start: Mark) {
        self.tokens.push_back(Token { kind, start, end: self.input.mark });
    }

    /// Puts a token `at` places behind the head of the queue; at its end if `at` is negative.
    fn insert(&mut self, at: isize, kind: TokenKind, mark: Mark) {
        let token = Token { kind, start: mark, end: mark };
        match usize::try_from(at) {
            Ok(at) if at <= self.tokens.len() => self.tokens.insert(at, token),
            _ => self.tokens.push_back(token),
        }
    }

    fn fetch_more_tokens(&mut self) -> Result<(), Problem> {
        loop {
            if !self.tokens.is_empty() {
                // The head may still become a key.
                let Some(&index) = self.simple_keys_by_token.get(&self.tokens_parsed) else {
                    break;
                };
                if !self.simple_key_is_valid(index)? {
                    break;
                }
            } else if self.stream_end {
                break;
            }
            self.fetch_next_token()?;
        }
        self.token_available = true;
        Ok(())
    }

    fn fetch_next_token(&mut self) -> Result<(), Problem> {
        self.input.need(1)?;
        if !self.started {
            self.started = true;
            self.push(TokenKind::StreamStart, self.input.mark);
            return Ok(());
        }
        self.scan_to_next_token()?;
        self.unroll_indent(self.input.mark.column as isize);
        self.input.need(4)?;
        let flow = self.flow_level > 0;
        let input = &self.input;
        let c = input.peek(0);
        if c == 0 {
            return self.fetch_stream_end();
        }
        if input.mark.column == 0 && c == b'%' {
            return self.fetch_directive();
        }
        if input.is_document_indicator(b'-') {
            return self.fetch_document_indicator(TokenKind::DocumentStart);
        }
        if input.is_document_indicator(b'.') {
            return self.fetch_document_indicator(TokenKind::DocumentEnd);
        }
        let blank_follows = input.is_blank_or_end(1);
        match c {
            b'[' => return self.fetch_flow_start(TokenKind::FlowSequenceStart),
            b'{' => return self.fetch_flow_start(TokenKind::FlowMappingStart),
            b']' => return self.fetch_flow_end(TokenKind::FlowSequenceEnd),
            b'}' => return self.fetch_flow_end(TokenKind::FlowMappingEnd),
            b',' => return self.fetch_flow_entry(),
            b'-' if blank_follows => return self.fetch_block_entry(),
            b'?' if flow || blank_follows => return self.fetch_key(),
            b':' if flow || blank_follows => return self.fetch_value(),
            b'*' | b'&' => return self.fetch_anchor(),
            b'!' => return self.fetch_tag(),
            b'|' | b'>' if !flow => return self.fetch_block_scalar(),
            b'\'' | b'"' => return self.fetch_flow_scalar(),
            _ => {}
        }
        let indicator = input.is_blank_or_end(0)
            || matches!(c, b'-' | b'?' | b':' | b'#' | b'|' | b'>' | b'%' | b'@' | b'`');
        if !indicator
            || (c == b'-' && !input.is_blank(1))
            || (!flow && matches!(c, b'?' | b':') && !blank_follows)
        {
            return self.fetch_plain_scalar();
        }
        self.error(self.input.mark, "found character that cannot start any token")
    }

    /// Steps over white space, comments and line breaks.
    fn scan_to_next_token(&mut self) -> Result<(), Problem> {
        loop {
            self.input.need(1)?;
            if self.input.mark.column == 0 && self.input.is_bom() {
                self.input.skip();
            }
            self.input.need(1)?;
            // A tab may not take part in indentation.
            while self.input.peek(0) == b' '
                || ((self.flow_level > 0 || !self.simple_key_allowed) && self.input.peek(0) == b'\t')
            {
                self.input.skip();
                self.input.need(1)?;
            }
            self.skip_comment()?;
            if !self.input.is_break(0) {
                return Ok(());
            }
            self.input.need(2)?;
            self.input.skip_line();
            if self.flow_level == 0 {
                self.simple_key_allowed = true;
            }
        }
    }

    fn skip_comment(&mut self) -> Result<(), Problem> {
        if self.input.peek(0) == b'#' {
            while !self.input.is_break_or_end(0) {
                self.input.skip();
                self.input.need(1)?;
            }
        }
        Ok(())
    }

    fn skip_blanks(&mut self) -> Result<(), Problem> {
        while self.input.is_blank(0) {
            self.input.skip();
            self.input.need(1)?;
        }
        Ok(())
    }

    fn simple_key_is_valid(&mut self, index: usize) -> Result<bool, Problem> {
        let mark = self.input.mark;
        let Some(key) = self.simple_keys.get_mut(index) else {
            return Ok(false);
        };
        if !key.possible {
            return Ok(false);
        }
        if key.mark.line < mark.line || key.mark.index + MAX_SIMPLE_KEY < mark.index {
            if key.required {
                let context = key.mark;
                return self.error(context, "could not find expected ':'");
            }
            key.possible = false;
            return Ok(false);
        }
        Ok(true)
    }

    fn next_token_number(&self) -> usize {
        self.tokens_parsed + self.tokens.len()
    }

    /// Notes that the token about to be scanned may be a key.
    fn save_simple_key(&mut self) -> Result<(), Problem> {
        let mark = self.input.mark;
        let required = self.flow_level == 0 && self.indent == mark.column as isize;
        if self.simple_key_allowed {
            let token_number = self.next_token_number();
            self.remove_simple_key()?;
            let last = self.simple_keys.len() - 1;
            if let Some(slot) = self.simple_keys.last_mut() {
                *slot = SimpleKey { possible: true, required, token_number, mark };
            }
            self.simple_keys_by_token.insert(token_number, last);
        }
        Ok(())
    }

    /// Drops the possible key of this flow level, which is an error if a key has to stand there.
    fn remove_simple_key(&mut self) -> Result<(), Problem> {
        if let Some(key) = self.simple_keys.last_mut()
            && key.possible
        {
            if key.required {
                let context = key.mark;
                return self.error(context, "could not find expected ':'");
            }
            key.possible = false;
            let number = key.token_number;
            self.simple_keys_by_token.remove(&number);
        }
        Ok(())
    }

    /// Opens a block collection if the column is further right than the current one.
    fn roll_indent(
        &mut self,
        column: usize,
        number: isize,
        kind: TokenKind,
        mark: Mark,
    ) -> Result<(), Problem> {
        if self.flow_level > 0 || self.indent >= column as isize {
            return Ok(());
        }
        self.indents.push(self.indent);
        self.indent = column as isize;
        if self.indents.len() > MAX_DEPTH {
            let context = self.simple_keys.last().map_or(mark, |key| key.mark);
            return self.error(context, format!("exceeded max depth of {MAX_DEPTH}"));
        }
        let at = if number > -1 { number - self.tokens_parsed as isize } else { number };
        self.insert(at, kind, mark);
        Ok(())
    }

    /// Closes the block collections that are further right than `column`.
    fn unroll_indent(&mut self, column: isize) {
        if self.flow_level > 0 {
            return;
        }
        while self.indent > column {
            self.push(TokenKind::BlockEnd, self.input.mark);
            self.indent = self.indents.pop().unwrap_or(-1);
        }
    }

    fn fetch_stream_end(&mut self) -> Result<(), Problem> {
        // The end counts as the start of a new line.
        if self.input.mark.column != 0 {
            self.input.mark.column = 0;
            self.input.mark.line += 1;
        }
        self.unroll_indent(-1);
        self.remove_simple_key()?;
        self.simple_key_allowed = false;
        self.push(TokenKind::StreamEnd, self.input.mark);
        Ok(())
    }

    fn fetch_directive(&mut self) -> Result<(), Problem> {
        self.unroll_indent(-1);
        self.remove_simple_key()?;
        self.simple_key_allowed = false;
        self.scan_directive()
    }

    fn fetch_document_indicator(&mut self, kind: TokenKind) -> Result<(), Problem> {
        self.unroll_indent(-1);
        self.remove_simple_key()?;
        self.simple_key_allowed = false;
        let start = self.input.mark;
        for _ in 0..3 {
            self.input.skip();
        }
        self.push(kind, start);
        Ok(())
    }

    fn fetch_indicator(&mut self, kind: TokenKind) {
        let start = self.input.mark;
        self.input.skip();
        self.push(kind, start);
    }

    fn fetch_flow_start(&mut self, kind: TokenKind) -> Result<(), Problem> {
        self.save_simple_key()?;
        let mark = self.input.mark;
        let token_number = self.next_token_number();
        self.simple_keys.push(SimpleKey { token_number, mark, ..SimpleKey::default() });
        self.flow_level += 1;
        if self.flow_level > MAX_DEPTH {
            return self.error(mark, format!("exceeded max depth of {MAX_DEPTH}"));
        }
        self.simple_key_allowed = true;
        self.fetch_indicator(kind);
        Ok(())
    }

    fn fetch_flow_end(&mut self, kind: TokenKind) -> Result<(), Problem> {
        self.remove_simple_key()?;
        if self.flow_level > 0 {
            self.flow_level -= 1;
            if let Some(key) = self.simple_keys.pop() {
                // The slot of a level without a key carries the number of its bracket, so the
                // bracket stops being a possible key here: `[]: x` is an error in go-yaml.
                self.simple_keys_by_token.remove(&key.token_number);
            }
        }
        self.simple_key_allowed = false;
        self.fetch_indicator(kind);
        Ok(())
    }

    fn fetch_flow_entry(&mut self) -> Result<(), Problem> {
        self.remove_simple_key()?;
        self.simple_key_allowed = true;
        self.fetch_indicator(TokenKind::FlowEntry);
        Ok(())
    }

    fn fetch_block_entry(&mut self) -> Result<(), Problem> {
        let mark = self.input.mark;
        if self.flow_level == 0 {
            if !self.simple_key_allowed {
                return self.error(mark, "block sequence entries are not allowed in this context");
            }
            self.roll_indent(mark.column, -1, TokenKind::BlockSequenceStart, mark)?;
        }
        self.remove_simple_key()?;
        self.simple_key_allowed = true;
        self.fetch_indicator(TokenKind::BlockEntry);
        Ok(())
    }

    fn fetch_key(&mut self) -> Result<(), Problem> {
        let mark = self.input.mark;
        if self.flow_level == 0 {
            if !self.simple_key_allowed {
                return self.error(mark, "mapping keys are not allowed in this context");
            }
            self.roll_indent(mark.column, -1, TokenKind::BlockMappingStart, mark)?;
        }
        self.remove_simple_key()?;
        self.simple_key_allowed = self.flow_level == 0;
        self.fetch_indicator(TokenKind::Key);
        Ok(())
    }

    fn fetch_value(&mut self) -> Result<(), Problem> {
        let last = self.simple_keys.len() - 1;
        if self.simple_key_is_valid(last)? {
            let key = self.simple_keys.last().copied().unwrap_or_default();
            let number = key.token_number as isize;
            self.insert(number - self.tokens_parsed as isize, TokenKind::Key, key.mark);
            self.roll_indent(key.mark.column, number, TokenKind::BlockMappingStart, key.mark)?;
            if let Some(slot) = self.simple_keys.last_mut() {
                slot.possible = false;
            }
            self.simple_keys_by_token.remove(&key.token_number);
            self.simple_key_allowed = false;
        } else {
            let mark = self.input.mark;
            if self.flow_level == 0 {
                if !self.simple_key_allowed {
                    return self.error(mark, "mapping values are not allowed in this context");
                }
                self.roll_indent(mark.column, -1, TokenKind::BlockMappingStart, mark)?;
            }
            self.simple_key_allowed = self.flow_level == 0;
        }
        self.fetch_indicator(TokenKind::Value);
        Ok(())
    }

    fn fetch_anchor(&mut self) -> Result<(), Problem> {
        self.save_simple_key()?;
        self.simple_key_allowed = false;
        self.scan_anchor()
    }

    fn fetch_tag(&mut self) -> Result<(), Problem> {
        self.save_simple_key()?;
        self.simple_key_allowed = false;
        self.scan_tag()
    }

    fn fetch_block_scalar(&mut self) -> Result<(), Problem> {
        self.remove_simple_key()?;
        self.simple_key_allowed = true;
        self.scan_block_scalar()
    }

    fn fetch_flow_scalar(&mut self) -> Result<(), Problem> {
        self.save_simple_key()?;
        self.simple_key_allowed = false;
        self.scan_quoted_scalar()
    }

    fn fetch_plain_scalar(&mut self) -> Result<(), Problem> {
        self.save_simple_key()?;
        self.simple_key_allowed = false;
        self.scan_plain_scalar()
    }
}
