//! Answers that are known: a server that shows files says the same until a file or a process changes.
//!
//! Probes ask the same of the same server thousands of times an hour; this is what makes an hour cheap. Who asked keeps
//! the answer; it is given again only while nothing has run in the container and no volume has changed, and leaves the
//! same line in the log as the server would, at its own time.

use super::container::Place;
use super::cri::ContainerId;
use super::logs::Text;
use super::network::{HttpAnswer, HttpGet};
use podlab_shell::Stream;
use std::sync::Arc;

/// An answer that holds for a while.
#[derive(Debug)]
pub struct Known {
    /// What was asked.
    pub(super) get: Arc<HttpGet>,
    pub(super) container: ContainerId,
    /// Where it is kept.
    pub(super) place: Place,
    /// The container's epoch when it answered.
    pub(super) epoch: u64,
    /// The volumes' epoch when it answered.
    pub(super) volumes: u64,
    pub(super) answer: Arc<HttpAnswer>,
    /// What the server wrote.
    pub(super) log: Vec<(Stream, Text)>,
}

/// Cuts a line of the log where it says the time, so that it can say another.
pub(super) fn cut(bytes: &[u8], time: &str) -> Text {
    let at = bytes.windows(time.len().max(1)).position(|window| window == time.as_bytes());
    match at {
        Some(at) => Text::Timed(Arc::new((bytes[..at].to_vec(), bytes[at + time.len()..].to_vec()))),
        None => Text::Plain(bytes.to_vec()),
    }
}
