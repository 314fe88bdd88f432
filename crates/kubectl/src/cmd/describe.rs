//! `kubectl describe`.
use crate::cx::{Cx, Flow};
use crate::error::{Result, message};
use crate::flags::Parsed;

pub(crate) fn run(_cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    message(format!("podlab does not simulate '{}'", parsed.path))
}
