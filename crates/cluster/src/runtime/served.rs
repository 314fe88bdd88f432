//! Answers that are known: a server that shows files says the same until a file or a process changes.
//!
//! Probes ask the same of the same server thousands of times an hour; this is what makes an hour cheap. An answer is
//! given again only while [`super::Runtime`]'s epoch stands still, and leaves the same line in the log as the server
//! would, at its own time.

use super::cri::ContainerId;
use super::network::{HttpAnswer, HttpGet};
use podlab_shell::Stream;
use podlab_sim::SimTime;

/// How many answers are kept for one address.
const KEPT: usize = 4;

/// The known answers of one address.
#[derive(Clone, Debug, Default)]
pub(super) struct Served {
    answers: Vec<Known>,
}

/// One known answer.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) epoch: u64,
    pub(super) get: HttpGet,
    pub(super) container: ContainerId,
    pub(super) answer: HttpAnswer,
    /// What the server wrote: the stream, and its bytes before and after the time.
    pub(super) log: Vec<(Stream, Vec<u8>, Option<Vec<u8>>)>,
}

impl Served {
    /// The answer to a request, if it still holds.
    pub(super) fn find(&self, get: &HttpGet, epoch: u64) -> Option<&Known> {
        self.answers.iter().find(|known| known.epoch == epoch && known.get == *get)
    }

    /// Keeps an answer in place of an older one to the same request.
    pub(super) fn keep(&mut self, known: Known) {
        self.answers.retain(|old| old.epoch == known.epoch && old.get != known.get);
        if self.answers.len() < KEPT {
            self.answers.push(known);
        }
    }
}

/// Cuts a line of the log where it says the time, so that it can say another.
pub(super) fn cut(stream: Stream, bytes: &[u8], time: &str) -> (Stream, Vec<u8>, Option<Vec<u8>>) {
    let at = bytes.windows(time.len().max(1)).position(|window| window == time.as_bytes());
    match at {
        Some(at) => (stream, bytes[..at].to_vec(), Some(bytes[at + time.len()..].to_vec())),
        None => (stream, bytes.to_vec(), None),
    }
}

/// The time as servers log it, made anew only when the second changes.
#[derive(Clone, Debug, Default)]
pub(super) struct LogClock {
    second: Option<i64>,
    text: String,
}

impl LogClock {
    /// `01/Jan/2026:10:00:00 +0000`.
    pub(super) fn text(&mut self, now: SimTime) -> &str {
        if self.second != Some(now.as_secs()) {
            self.second = Some(now.as_secs());
            self.text = super::servers::log_time_at(now);
        }
        &self.text
    }
}
