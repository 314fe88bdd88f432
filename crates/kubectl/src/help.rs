//! Help texts.

use crate::flags::Parsed;

/// The help of a command, or of the command that the words name.
pub(crate) fn text(parsed: &Parsed, words: &[String]) -> String {
    let _ = words;
    format!("{}\n", parsed.command.long)
}
