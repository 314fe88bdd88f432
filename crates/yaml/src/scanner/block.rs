//! Literal (`|`) and folded (`>`) scalars.

use super::{ScalarStyle, Scanner, TokenKind};
use crate::error::{Mark, Problem};

#[derive(Clone, Copy, PartialEq)]
enum Chomping {
    Strip,
    Clip,
    Keep,
}

impl Scanner<'_> {
    pub(super) fn scan_block_scalar(&mut self) -> Result<(), Problem> {
        let start = self.input.mark;
        let literal = self.input.peek(0) == b'|';
        self.input.skip();
        self.input.need(1)?;
        let (chomping, increment) = self.scan_block_header(start)?;
        self.input.need(1)?;
        self.skip_blanks()?;
        self.skip_comment()?;
        if !self.input.is_break_or_end(0) {
            return self.error(start, "did not find expected comment or line break");
        }
        if self.input.is_break(0) {
            self.input.need(2)?;
            self.input.skip_line();
        }
        let mut end = self.input.mark;
        let mut indent = match increment {
            0 => 0,
            _ => usize::try_from(self.indent).unwrap_or(0) + increment,
        };

        let (mut value, mut leading_break, mut breaks) = (Vec::new(), Vec::new(), Vec::new());
        self.scan_block_breaks(&mut indent, &mut breaks, start, &mut end)?;
        self.input.need(1)?;
        let mut leading_blank = false;
        while self.input.mark.column == indent && !self.input.is_end() {
            let blank = self.input.is_blank(0);
            if !literal && !leading_blank && !blank && leading_break.first() == Some(&b'\n') {
                if breaks.is_empty() {
                    value.push(b' ');
                }
                leading_break.clear();
            } else {
                value.append(&mut leading_break);
            }
            value.append(&mut breaks);
            leading_blank = blank;
            while !self.input.is_break_or_end(0) {
                self.input.read(&mut value);
                self.input.need(1)?;
            }
            self.input.need(2)?;
            self.input.read_line(&mut leading_break);
            self.scan_block_breaks(&mut indent, &mut breaks, start, &mut end)?;
        }
        if chomping != Chomping::Strip {
            value.append(&mut leading_break);
        }
        if chomping == Chomping::Keep {
            value.append(&mut breaks);
        }
        let value = String::from_utf8_lossy(&value).into_owned();
        self.push(TokenKind::Scalar { value, style: ScalarStyle::Block }, start);
        if let Some(token) = self.tokens.back_mut() {
            token.end = end;
        }
        Ok(())
    }

    /// Reads `+`, `-` and the indentation digit behind the indicator, in either order.
    fn scan_block_header(&mut self, start: Mark) -> Result<(Chomping, usize), Problem> {
        let (mut chomping, mut increment) = (Chomping::Clip, 0);
        let first_is_sign = matches!(self.input.peek(0), b'+' | b'-');
        for sign_turn in [first_is_sign, !first_is_sign] {
            match self.input.peek(0) {
                c @ (b'+' | b'-') if sign_turn => {
                    chomping = if c == b'+' { Chomping::Keep } else { Chomping::Strip };
                }
                b'0' if !sign_turn => {
                    return self.error(start, "found an indentation indicator equal to 0");
                }
                c @ b'1'..=b'9' if !sign_turn => increment = usize::from(c - b'0'),
                _ => break,
            }
            self.input.skip();
            self.input.need(1)?;
        }
        Ok((chomping, increment))
    }

    /// Steps over indentation and empty lines; finds the indentation if `indent` is still 0.
    fn scan_block_breaks(
        &mut self,
        indent: &mut usize,
        breaks: &mut Vec<u8>,
        start: Mark,
        end: &mut Mark,
    ) -> Result<(), Problem> {
        *end = self.input.mark;
        let mut max_indent = 0;
        loop {
            self.input.need(1)?;
            let inside = |column: usize, indent: usize| indent == 0 || column < indent;
            while inside(self.input.mark.column, *indent) && self.input.peek(0) == b' ' {
                self.input.skip();
                self.input.need(1)?;
            }
            max_indent = max_indent.max(self.input.mark.column);
            if inside(self.input.mark.column, *indent) && self.input.peek(0) == b'\t' {
                return self.error(start, "found a tab character where an indentation space is expected");
            }
            if !self.input.is_break(0) {
                break;
            }
            self.input.need(2)?;
            self.input.read_line(breaks);
            *end = self.input.mark;
        }
        if *indent == 0 {
            let least = usize::try_from(self.indent + 1).unwrap_or(0).max(1);
            *indent = max_indent.max(least);
        }
        Ok(())
    }
}
