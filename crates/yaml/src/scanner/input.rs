//! The characters of a document, refused where go-yaml's reader would refuse them.

use crate::error::{Finder, Mark, Problem};

/// go-yaml reads its input in pieces of this many bytes; a forbidden character is reported when
/// its piece is read, which may be before an error further up is found.
const CHUNK: usize = 512;

/// A cursor over one document.
pub(crate) struct Input<'a> {
    bytes: &'a [u8],
    pub mark: Mark,
    /// First byte that has not been decoded yet.
    frontier: usize,
    /// End of the piece that was read last.
    piece_end: usize,
    /// Decoded characters in front of the cursor.
    unread: usize,
    /// Where go-yaml's buffer begins; its test for a byte order mark looks there and not at the
    /// cursor.
    buffer_start: usize,
}

impl<'a> Input<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        let bytes = text.as_bytes();
        let start = if bytes.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
        Self {
            bytes,
            mark: Mark { offset: start, ..Mark::default() },
            frontier: start,
            piece_end: if start > 0 { bytes.len().min(CHUNK) } else { 0 },
            unread: 0,
            buffer_start: start,
        }
    }

    /// Makes sure that `count` characters have been decoded.
    pub(crate) fn need(&mut self, count: usize) -> Result<(), Problem> {
        if self.unread >= count { Ok(()) } else { self.fill(count) }
    }

    fn fill(&mut self, count: usize) -> Result<(), Problem> {
        self.buffer_start = self.mark.offset;
        while self.unread < count {
            if self.frontier >= self.piece_end {
                if self.piece_end >= self.bytes.len() {
                    // The end is a NUL that counts as a character.
                    self.unread += 1;
                    return Ok(());
                }
                self.piece_end = (self.frontier + CHUNK).min(self.bytes.len());
            }
            while self.frontier < self.piece_end {
                let width = width(self.byte_at(self.frontier));
                if self.frontier + width > self.piece_end {
                    break;
                }
                if !self.allowed(self.frontier) {
                    return Err(Problem {
                        finder: Finder::Reader,
                        text: "control characters are not allowed".into(),
                        mark: self.mark_at(self.frontier),
                        context: None,
                    });
                }
                self.frontier += width;
                self.unread += 1;
            }
            if self.frontier < self.piece_end {
                // A character is cut in two by the end of the piece: read on behind it.
                self.piece_end = (self.frontier + CHUNK).min(self.bytes.len());
            }
        }
        Ok(())
    }

    /// The place of a byte that the cursor has not come to yet.
    fn mark_at(&self, offset: usize) -> Mark {
        let mut mark = self.mark;
        for &byte in self.bytes.get(mark.offset..offset).unwrap_or_default() {
            if byte == b'\n' {
                mark.line += 1;
                mark.column = 0;
            } else if byte & 0xC0 != 0x80 {
                mark.column += 1;
            }
        }
        Mark { offset, ..mark }
    }

    /// Whether YAML allows the character at `at`. The text is UTF-8 already.
    fn allowed(&self, at: usize) -> bool {
        let b = |i: usize| self.byte_at(at + i);
        match b(0) {
            b'\t' | b'\n' | b'\r' | 0x20..=0x7E => true,
            0..=0x7F => false,
            0xC2 => b(1) == 0x85 || b(1) >= 0xA0,
            0xEF => !(b(1) == 0xBF && b(2) >= 0xBE),
            _ => true,
        }
    }

    fn byte_at(&self, at: usize) -> u8 {
        self.bytes.get(at).copied().unwrap_or(0)
    }

    /// The byte `ahead` bytes behind the cursor; 0 is the end of the text.
    pub(crate) fn peek(&self, ahead: usize) -> u8 {
        self.byte_at(self.mark.offset + ahead)
    }

    /// Whether go-yaml would take the cursor to stand on a byte order mark.
    pub(crate) fn is_bom(&self) -> bool {
        self.bytes.get(self.buffer_start..).is_some_and(|b| b.starts_with(b"\xEF\xBB\xBF"))
    }

    pub(crate) fn is_break(&self, ahead: usize) -> bool {
        match self.peek(ahead) {
            b'\r' | b'\n' => true,
            0xC2 => self.peek(ahead + 1) == 0x85,
            0xE2 => self.peek(ahead + 1) == 0x80 && matches!(self.peek(ahead + 2), 0xA8 | 0xA9),
            _ => false,
        }
    }

    pub(crate) fn is_end(&self) -> bool {
        self.peek(0) == 0
    }

    pub(crate) fn is_blank(&self, ahead: usize) -> bool {
        matches!(self.peek(ahead), b' ' | b'\t')
    }

    pub(crate) fn is_break_or_end(&self, ahead: usize) -> bool {
        self.peek(ahead) == 0 || self.is_break(ahead)
    }

    pub(crate) fn is_blank_or_end(&self, ahead: usize) -> bool {
        self.is_blank(ahead) || self.is_break_or_end(ahead)
    }

    /// Whether the cursor stands on `---` or `...` at the start of a line.
    pub(crate) fn is_document_indicator(&self, indicator: u8) -> bool {
        self.mark.column == 0
            && self.peek(0) == indicator
            && self.peek(1) == indicator
            && self.peek(2) == indicator
            && self.is_blank_or_end(3)
    }

    pub(crate) fn is_word(&self) -> bool {
        matches!(self.peek(0), b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'_' | b'-')
    }

    /// Steps over one character that is not a line break.
    pub(crate) fn skip(&mut self) {
        let step = width(self.peek(0)).min(self.bytes.len().saturating_sub(self.mark.offset));
        self.mark.offset += step;
        self.mark.index += 1;
        self.mark.column += 1;
        self.unread = self.unread.saturating_sub(1);
    }

    /// Steps over one line break, if there is one.
    pub(crate) fn skip_line(&mut self) {
        let mut ignored = Vec::new();
        self.read_line(&mut ignored);
    }

    /// Copies one character and steps over it.
    pub(crate) fn read(&mut self, into: &mut Vec<u8>) {
        let from = self.mark.offset;
        self.skip();
        into.extend_from_slice(self.bytes.get(from..self.mark.offset).unwrap_or_default());
    }

    /// Copies one line break, as `\n` unless it is U+2028 or U+2029, and steps over it.
    pub(crate) fn read_line(&mut self, into: &mut Vec<u8>) {
        if !self.is_break(0) {
            return;
        }
        let (bytes, characters) = match self.peek(0) {
            b'\r' if self.peek(1) == b'\n' => (2, 2),
            b'\r' | b'\n' => (1, 1),
            0xC2 => (2, 1),
            _ => (3, 1),
        };
        if bytes == 3 {
            let from = self.mark.offset;
            into.extend_from_slice(self.bytes.get(from..from + 3).unwrap_or_default());
        } else {
            into.push(b'\n');
        }
        self.mark.offset += bytes;
        self.mark.index += characters;
        self.unread = self.unread.saturating_sub(characters);
        self.mark.column = 0;
        self.mark.line += 1;
    }
}

fn width(first: u8) -> usize {
    match first {
        0x00..=0x7F => 1,
        0xC0..=0xDF => 2,
        0xE0..=0xEF => 3,
        _ => 4,
    }
}
