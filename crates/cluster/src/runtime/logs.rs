//! A container's log, in lines, as the kubelet finds it on disk.

use podlab_shell::Stream;
use podlab_sim::SimTime;
use std::collections::VecDeque;

/// The log of one container is cut at its beginning beyond so many bytes.
///
/// A real kubelet rotates at `containerLogMaxSize` 10Mi and `kubectl logs` reads the newest file.
const CAPACITY: usize = 1 << 20;
/// A line longer than this is broken, as containerd breaks it at 16 KiB.
const LINE: usize = 16 << 10;

/// One line.
#[derive(Clone, Debug, PartialEq)]
pub struct LogLine {
    /// When it was written.
    pub at: SimTime,
    /// Which stream.
    pub stream: Stream,
    /// Its bytes, the newline among them where it has come.
    pub bytes: Vec<u8>,
}

/// Lines in the order in which they were written.
#[derive(Clone, Debug, Default)]
pub struct Log {
    lines: VecDeque<LogLine>,
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
            self.bytes += part.len();
            // A line goes on where its stream's last one has no end yet.
            match self.lines.iter_mut().rev().take(2).find(|l| l.stream == stream) {
                Some(last) if last.bytes.last() != Some(&b'\n') && last.bytes.len() < LINE => {
                    last.bytes.extend_from_slice(part);
                }
                _ => self.lines.push_back(LogLine { at, stream, bytes: part.to_vec() }),
            }
        }
        while self.bytes > CAPACITY {
            let Some(line) = self.lines.pop_front() else { break };
            self.bytes -= line.bytes.len();
            self.dropped += 1;
        }
    }

    /// The lines that are kept.
    pub fn lines(&self) -> impl DoubleEndedIterator<Item = &LogLine> {
        self.lines.iter()
    }

    /// The number of the next line to come: a place to go on from.
    pub fn end(&self) -> u64 {
        self.dropped + self.lines.len() as u64
    }

    /// The lines from number `from` on.
    pub fn since(&self, from: u64) -> impl Iterator<Item = &LogLine> {
        let skip = usize::try_from(from.saturating_sub(self.dropped)).unwrap_or(usize::MAX);
        self.lines.iter().skip(skip)
    }

    /// The last `lines` lines as text, at most `bytes` bytes from the end.
    pub fn tail(&self, lines: usize, bytes: usize) -> String {
        let start = self.lines.len().saturating_sub(lines);
        let mut out: Vec<u8> = Vec::new();
        for line in self.lines.range(start..) {
            out.extend_from_slice(&line.bytes);
        }
        let cut = out.len().saturating_sub(bytes);
        String::from_utf8_lossy(&out[cut..]).into_owned()
    }
}
