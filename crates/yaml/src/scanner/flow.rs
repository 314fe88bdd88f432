//! Quoted and plain scalars.

use super::{ScalarStyle, Scanner, TokenKind};
use crate::error::{Mark, Problem};

/// White space between two words of a scalar, until it is known how it folds.
#[derive(Default)]
struct Gap {
    /// Set once a line break was seen.
    broken: bool,
    whitespace: Vec<u8>,
    leading_break: Vec<u8>,
    trailing_breaks: Vec<u8>,
}

impl Gap {
    /// Adds what the gap stands for to the value and empties it.
    fn fold_into(&mut self, value: &mut Vec<u8>) {
        if !self.broken {
            value.append(&mut self.whitespace);
        } else if self.leading_break.first() == Some(&b'\n') {
            if self.trailing_breaks.is_empty() {
                value.push(b' ');
            } else {
                value.append(&mut self.trailing_breaks);
            }
        } else {
            value.append(&mut self.leading_break);
            value.append(&mut self.trailing_breaks);
        }
        self.leading_break.clear();
        self.trailing_breaks.clear();
    }
}

impl Scanner<'_> {
    /// Reads one blank or one line break into the gap.
    fn scan_gap(&mut self, gap: &mut Gap) -> Result<(), Problem> {
        if self.input.is_blank(0) {
            if gap.broken {
                self.input.skip();
            } else {
                self.input.read(&mut gap.whitespace);
            }
        } else {
            self.input.need(2)?;
            if gap.broken {
                self.input.read_line(&mut gap.trailing_breaks);
            } else {
                gap.whitespace.clear();
                self.input.read_line(&mut gap.leading_break);
                gap.broken = true;
            }
        }
        self.input.need(1)
    }

    pub(super) fn scan_quoted_scalar(&mut self) -> Result<(), Problem> {
        let start = self.input.mark;
        let quote = self.input.peek(0);
        let single = quote == b'\'';
        self.input.skip();
        let mut value = Vec::new();
        let mut gap = Gap::default();
        loop {
            self.input.need(4)?;
            if self.input.is_document_indicator(b'-') || self.input.is_document_indicator(b'.') {
                return self.error(start, "found unexpected document indicator");
            }
            if self.input.is_end() {
                return self.error(start, "found unexpected end of stream");
            }
            gap.broken = false;
            while !self.input.is_blank_or_end(0) {
                let c = self.input.peek(0);
                if single && c == quote && self.input.peek(1) == quote {
                    value.push(quote);
                    self.input.skip();
                    self.input.skip();
                } else if c == quote {
                    break;
                } else if !single && c == b'\\' && self.input.is_break(1) {
                    self.input.need(3)?;
                    self.input.skip();
                    self.input.skip_line();
                    gap.broken = true;
                    break;
                } else if !single && c == b'\\' {
                    self.scan_escape(start, &mut value)?;
                } else {
                    self.input.read(&mut value);
                }
                self.input.need(2)?;
            }
            self.input.need(1)?;
            if self.input.peek(0) == quote {
                break;
            }
            while self.input.is_blank(0) || self.input.is_break(0) {
                self.scan_gap(&mut gap)?;
            }
            gap.fold_into(&mut value);
        }
        self.input.skip();
        let value = String::from_utf8_lossy(&value).into_owned();
        self.push(TokenKind::Scalar { value, style: ScalarStyle::Quoted }, start);
        Ok(())
    }

    fn scan_escape(&mut self, start: Mark, value: &mut Vec<u8>) -> Result<(), Problem> {
        let mut length = 0;
        let character = match self.input.peek(1) {
            b'0' => '\0',
            b'a' => '\x07',
            b'b' => '\x08',
            b't' | b'\t' => '\t',
            b'n' => '\n',
            b'v' => '\x0B',
            b'f' => '\x0C',
            b'r' => '\r',
            b'e' => '\x1B',
            b' ' => ' ',
            b'"' => '"',
            b'\'' => '\'',
            b'\\' => '\\',
            b'N' => '\u{85}',
            b'_' => '\u{A0}',
            b'L' => '\u{2028}',
            b'P' => '\u{2029}',
            b'x' | b'u' | b'U' => {
                length = match self.input.peek(1) {
                    b'x' => 2,
                    b'u' => 4,
                    _ => 8,
                };
                '\0'
            }
            _ => return self.error(start, "found unknown escape character"),
        };
        self.input.skip();
        self.input.skip();
        if length == 0 {
            value.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            return Ok(());
        }
        self.input.need(length)?;
        let mut code: u64 = 0;
        for ahead in 0..length {
            let Some(digit) = (self.input.peek(ahead) as char).to_digit(16) else {
                return self.error(start, "did not find expected hexdecimal number");
            };
            code = code * 16 + u64::from(digit);
        }
        let Some(character) = u32::try_from(code).ok().and_then(char::from_u32) else {
            return self.error(start, "found invalid Unicode character escape code");
        };
        value.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        for _ in 0..length {
            self.input.skip();
        }
        Ok(())
    }

    pub(super) fn scan_plain_scalar(&mut self) -> Result<(), Problem> {
        let start = self.input.mark;
        let mut end = start;
        let indent = self.indent + 1;
        let flow = self.flow_level > 0;
        let mut value = Vec::new();
        let mut gap = Gap::default();
        loop {
            self.input.need(4)?;
            if self.input.is_document_indicator(b'-')
                || self.input.is_document_indicator(b'.')
                || self.input.peek(0) == b'#'
            {
                break;
            }
            while !self.input.is_blank_or_end(0) {
                let c = self.input.peek(0);
                if (c == b':' && self.input.is_blank_or_end(1))
                    || (flow && matches!(c, b',' | b'?' | b'[' | b']' | b'{' | b'}'))
                {
                    break;
                }
                if gap.broken || !gap.whitespace.is_empty() {
                    gap.fold_into(&mut value);
                    gap.broken = false;
                }
                self.input.read(&mut value);
                end = self.input.mark;
                self.input.need(2)?;
            }
            if !(self.input.is_blank(0) || self.input.is_break(0)) {
                break;
            }
            self.input.need(1)?;
            while self.input.is_blank(0) || self.input.is_break(0) {
                if gap.broken && (self.input.mark.column as isize) < indent && self.input.peek(0) == b'\t' {
                    return self.error(start, "found a tab character that violates indentation");
                }
                self.scan_gap(&mut gap)?;
            }
            if !flow && (self.input.mark.column as isize) < indent {
                break;
            }
        }
        let value = String::from_utf8_lossy(&value).into_owned();
        self.push(TokenKind::Scalar { value, style: ScalarStyle::Plain }, start);
        if let Some(token) = self.tokens.back_mut() {
            token.end = end;
        }
        if gap.broken {
            self.simple_key_allowed = true;
        }
        Ok(())
    }
}
