//! Commands that podlab does not simulate but whose arguments are judged as kubectl's.

use crate::cx::{Cx, Flow};
use crate::error::{Error, Result};
use crate::flags::Parsed;

pub(crate) fn other(_cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    Err(Error::Message(format!("podlab does not simulate '{}'", parsed.path)))
}
