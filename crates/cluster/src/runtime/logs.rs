//! A container's log, in lines, as the kubelet finds it on disk.

use podlab_shell::Stream;
use podlab_sim::SimTime;
use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;

/// The log of one container is cut at its beginning beyond so many bytes.
///
/// A real kubelet rotates at `containerLogMaxSize` 10Mi and `kubectl logs` reads the newest file.
const CAPACITY: usize = 1 << 20;
/// A line longer than this is broken, as containerd breaks it at 16 KiB.
const LINE: usize = 16 << 10;

/// How many lines lie together; all but the newest ones are shared among copies of the world.
const CHUNK: usize = 64;

/// The text of a line.
#[derive(Clone, Debug, PartialEq)]
pub enum Text {
    /// Bytes as they were written.
    Plain(Vec<u8>),
    /// What stands before and after the time at which the line was written: servers repeat such lines all day.
    Timed(Arc<(Vec<u8>, Vec<u8>)>),
}

impl Text {
    fn len(&self) -> usize {
        match self {
            Text::Plain(bytes) => bytes.len(),
            // `01/Jan/2026:10:00:00 +0000`
            Text::Timed(parts) => parts.0.len() + 26 + parts.1.len(),
        }
    }
}

/// One line.
#[derive(Clone, Debug, PartialEq)]
pub struct LogLine {
    /// When it was written.
    pub at: SimTime,
    /// Which stream.
    pub stream: Stream,
    text: Text,
}

impl LogLine {
    /// Its bytes, the newline among them where it has come.
    pub fn bytes(&self) -> Cow<'_, [u8]> {
        match &self.text {
            Text::Plain(bytes) => Cow::Borrowed(bytes),
            Text::Timed(parts) => {
                let time = super::servers::log_time_at(self.at);
                Cow::Owned([&parts.0, time.as_bytes(), &parts.1].concat())
            }
        }
    }

    /// Whether its end has not come: containerd writes a line to the file only when it is whole, 16 KiB long, or the
    /// stream ends.
    pub fn is_open(&self) -> bool {
        matches!(&self.text, Text::Plain(bytes) if bytes.last() != Some(&b'\n') && bytes.len() < LINE)
    }

    /// The bytes, where more may be added to them.
    fn open(&mut self) -> Option<&mut Vec<u8>> {
        match &mut self.text {
            Text::Plain(bytes) if bytes.last() != Some(&b'\n') && bytes.len() < LINE => Some(bytes),
            _ => None,
        }
    }
}

/// Lines in the order in which they were written.
#[derive(Clone, Debug, Default)]
pub struct Log {
    chunks: VecDeque<Arc<Vec<LogLine>>>,
    len: usize,
    bytes: usize,
    /// How many lines have been dropped at the beginning.
    dropped: u64,
}

impl Log {
    /// Adds what a process wrote.
    pub fn write(&mut self, at: SimTime, stream: Stream, mut data: &[u8]) {
        while !data.is_empty() {
            let end = data.iter().position(|b| *b == b'\n').map_or(data.len(), |i| i + 1).min(LINE);
            let (part, rest) = data.split_at(end);
            data = rest;
            // A line goes on where its stream's last one has no end yet.
            let last = self.lines_mut().take(2).find(|l| l.stream == stream);
            match last.and_then(LogLine::open) {
                Some(bytes) => {
                    bytes.extend_from_slice(part);
                    self.bytes += part.len();
                }
                None => self.push(LogLine { at, stream, text: Text::Plain(part.to_vec()) }),
            }
        }
        self.trim();
    }

    /// Adds a whole line.
    pub(super) fn write_line(&mut self, at: SimTime, stream: Stream, text: &Text) {
        self.push(LogLine { at, stream, text: text.clone() });
        self.trim();
    }

    fn push(&mut self, line: LogLine) {
        self.bytes += line.text.len();
        self.len += 1;
        match self.chunks.back_mut() {
            Some(last) if last.len() < CHUNK => Arc::make_mut(last).push(line),
            _ => self.chunks.push_back(Arc::new(vec![line])),
        }
    }

    /// The newest lines first, of the last chunks.
    fn lines_mut(&mut self) -> impl Iterator<Item = &mut LogLine> {
        self.chunks.iter_mut().rev().take(2).flat_map(|chunk| Arc::make_mut(chunk).iter_mut().rev())
    }

    /// Whole chunks go where there is too much.
    fn trim(&mut self) {
        while self.bytes > CAPACITY && self.chunks.len() > 1 {
            let Some(chunk) = self.chunks.pop_front() else { break };
            self.bytes -= chunk.iter().map(|line| line.text.len()).sum::<usize>();
            self.len -= chunk.len();
            self.dropped += chunk.len() as u64;
        }
    }

    /// How many bytes the kept lines have.
    pub fn size(&self) -> u64 {
        self.bytes as u64
    }

    /// The lines that are kept.
    pub fn lines(&self) -> impl DoubleEndedIterator<Item = &LogLine> {
        self.chunks.iter().flat_map(|chunk| chunk.iter())
    }

    /// The number of the next line to come: a place to go on from.
    pub fn end(&self) -> u64 {
        self.dropped + self.len as u64
    }

    /// The lines from number `from` on.
    pub fn since(&self, from: u64) -> impl Iterator<Item = &LogLine> {
        let skip = usize::try_from(from.saturating_sub(self.dropped)).unwrap_or(usize::MAX);
        self.lines().skip(skip)
    }

    /// The last `lines` lines as text, at most `bytes` bytes from the end.
    pub fn tail(&self, lines: usize, bytes: usize) -> String {
        let mut out: Vec<u8> = Vec::new();
        for line in self.lines().skip(self.len.saturating_sub(lines)) {
            out.extend_from_slice(&line.bytes());
        }
        let cut = out.len().saturating_sub(bytes);
        String::from_utf8_lossy(&out[cut..]).into_owned()
    }
}
