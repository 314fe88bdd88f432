//! Completion of command lines.

use crate::io::{Env, Io};
use podlab_api::Door;

/// One thing that may stand at the cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// The whole word.
    pub word: String,
    /// One line about it; empty where there is none.
    pub about: String,
}

/// What may stand at the cursor (a byte offset into `line`), sorted.
pub fn complete(line: &str, cursor: usize, door: &mut dyn Door) -> Vec<Completion> {
    let _ = (line, cursor, door);
    Vec::new()
}

pub(crate) fn command(_argv: &[String], _env: &Env, _door: &mut dyn Door, _io: &mut dyn Io) -> i32 {
    1
}
