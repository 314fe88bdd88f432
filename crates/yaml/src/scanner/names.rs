//! Directives, anchors, aliases and tags.

use super::{Scanner, TokenKind};
use crate::error::{Mark, Problem};

const MAX_VERSION_DIGITS: usize = 2;

impl Scanner<'_> {
    pub(super) fn scan_directive(&mut self) -> Result<(), Problem> {
        let start = self.input.mark;
        self.input.skip();
        let name = self.scan_directive_name(start)?;
        let kind = match name.as_slice() {
            b"YAML" => self.scan_version(start)?,
            b"TAG" => self.scan_tag_directive(start)?,
            _ => return self.error(start, "found unknown directive name"),
        };
        let end = self.input.mark;
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
        self.push(kind, start);
        if let Some(token) = self.tokens.back_mut() {
            token.end = end;
        }
        Ok(())
    }

    fn scan_word(&mut self, into: &mut Vec<u8>) -> Result<(), Problem> {
        self.input.need(1)?;
        while self.input.is_word() {
            self.input.read(into);
            self.input.need(1)?;
        }
        Ok(())
    }

    fn scan_directive_name(&mut self, start: Mark) -> Result<Vec<u8>, Problem> {
        let mut name = Vec::new();
        self.scan_word(&mut name)?;
        if name.is_empty() {
            return self.error(start, "could not find expected directive name");
        }
        if !self.input.is_blank_or_end(0) {
            return self.error(start, "found unexpected non-alphabetical character");
        }
        Ok(name)
    }

    fn scan_version(&mut self, start: Mark) -> Result<TokenKind, Problem> {
        self.input.need(1)?;
        self.skip_blanks()?;
        let major = self.scan_version_number(start)?;
        if self.input.peek(0) != b'.' {
            return self.error(start, "did not find expected digit or '.' character");
        }
        self.input.skip();
        let minor = self.scan_version_number(start)?;
        Ok(TokenKind::VersionDirective { major, minor })
    }

    fn scan_version_number(&mut self, start: Mark) -> Result<u32, Problem> {
        self.input.need(1)?;
        let (mut value, mut length) = (0, 0);
        while self.input.peek(0).is_ascii_digit() {
            length += 1;
            if length > MAX_VERSION_DIGITS {
                return self.error(start, "found extremely long version number");
            }
            value = value * 10 + u32::from(self.input.peek(0) - b'0');
            self.input.skip();
            self.input.need(1)?;
        }
        if length == 0 {
            return self.error(start, "did not find expected version number");
        }
        Ok(value)
    }

    fn scan_tag_directive(&mut self, start: Mark) -> Result<TokenKind, Problem> {
        self.input.need(1)?;
        self.skip_blanks()?;
        let handle = self.scan_tag_handle(true, start)?;
        self.input.need(1)?;
        if !self.input.is_blank(0) {
            return self.error(start, "did not find expected whitespace");
        }
        self.skip_blanks()?;
        let prefix = self.scan_tag_uri(&[], start)?;
        self.input.need(1)?;
        if !self.input.is_blank_or_end(0) {
            return self.error(start, "did not find expected whitespace or line break");
        }
        Ok(TokenKind::TagDirective { handle: text(handle), prefix: text(prefix) })
    }

    pub(super) fn scan_anchor(&mut self) -> Result<(), Problem> {
        let start = self.input.mark;
        let alias = self.input.peek(0) == b'*';
        self.input.skip();
        let mut name = Vec::new();
        self.scan_word(&mut name)?;
        let ends = self.input.is_blank_or_end(0)
            || matches!(self.input.peek(0), b'?' | b':' | b',' | b']' | b'}' | b'%' | b'@' | b'`');
        if name.is_empty() || !ends {
            return self.error(start, "did not find expected alphabetic or numeric character");
        }
        let name = text(name);
        self.push(if alias { TokenKind::Alias(name) } else { TokenKind::Anchor(name) }, start);
        Ok(())
    }

    pub(super) fn scan_tag(&mut self) -> Result<(), Problem> {
        let start = self.input.mark;
        self.input.need(2)?;
        let (handle, suffix);
        if self.input.peek(1) == b'<' {
            self.input.skip();
            self.input.skip();
            handle = Vec::new();
            suffix = self.scan_tag_uri(&[], start)?;
            if self.input.peek(0) != b'>' {
                return self.error(start, "did not find the expected '>'");
            }
            self.input.skip();
        } else {
            let head = self.scan_tag_handle(false, start)?;
            if head.len() > 1 && head.ends_with(b"!") {
                suffix = self.scan_tag_uri(&[], start)?;
                handle = head;
            } else {
                // No handle after all: what was read belongs to the name.
                let name = self.scan_tag_uri(&head, start)?;
                (handle, suffix) =
                    if name.is_empty() { (name, b"!".to_vec()) } else { (b"!".to_vec(), name) };
            }
        }
        self.input.need(1)?;
        if !self.input.is_blank_or_end(0) {
            return self.error(start, "did not find expected whitespace or line break");
        }
        self.push(TokenKind::Tag { handle: text(handle), suffix: text(suffix) }, start);
        Ok(())
    }

    fn scan_tag_handle(&mut self, directive: bool, start: Mark) -> Result<Vec<u8>, Problem> {
        self.input.need(1)?;
        if self.input.peek(0) != b'!' {
            return self.error(start, "did not find expected '!'");
        }
        let mut handle = Vec::new();
        self.input.read(&mut handle);
        self.scan_word(&mut handle)?;
        if self.input.peek(0) == b'!' {
            self.input.read(&mut handle);
        } else if directive && handle != b"!" {
            return self.error(start, "did not find expected '!'");
        }
        Ok(handle)
    }

    /// `head` is what was read of the tag already, its `!` included.
    fn scan_tag_uri(&mut self, head: &[u8], start: Mark) -> Result<Vec<u8>, Problem> {
        let mut uri = head.get(1..).unwrap_or_default().to_vec();
        let mut found = !head.is_empty();
        self.input.need(1)?;
        while self.input.is_word() || b";/?:@&=+$,.!~*'()[]%".contains(&self.input.peek(0)) {
            if self.input.peek(0) == b'%' {
                self.scan_uri_escape(start, &mut uri)?;
            } else {
                self.input.read(&mut uri);
            }
            self.input.need(1)?;
            found = true;
        }
        if !found {
            return self.error(start, "did not find expected tag URI");
        }
        Ok(uri)
    }

    /// Reads the `%xx` that make up one character.
    fn scan_uri_escape(&mut self, start: Mark, uri: &mut Vec<u8>) -> Result<(), Problem> {
        let mut left = 0;
        loop {
            self.input.need(3)?;
            let digit = |byte: u8| (byte as char).to_digit(16);
            let (Some(high), Some(low), b'%') =
                (digit(self.input.peek(1)), digit(self.input.peek(2)), self.input.peek(0))
            else {
                return self.error(start, "did not find URI escaped octet");
            };
            let octet = (high * 16 + low) as u8;
            if left == 0 {
                left = match octet {
                    0x00..=0x7F => 1,
                    0xC0..=0xDF => 2,
                    0xE0..=0xEF => 3,
                    0xF0..=0xF7 => 4,
                    _ => return self.error(start, "found an incorrect leading UTF-8 octet"),
                };
            } else if octet & 0xC0 != 0x80 {
                return self.error(start, "found an incorrect trailing UTF-8 octet");
            }
            uri.push(octet);
            for _ in 0..3 {
                self.input.skip();
            }
            left -= 1;
            if left == 0 {
                return Ok(());
            }
        }
    }
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8_lossy(&bytes).into_owned()
}
