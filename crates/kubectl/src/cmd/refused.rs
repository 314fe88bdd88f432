//! Commands that podlab does not simulate but whose arguments are judged as kubectl's.

use crate::cx::{Cx, Flow};
use crate::error::{Error, Result, message, usage};
use crate::flags::Parsed;
use crate::resource::Builder;

fn refuse(parsed: &Parsed, why: &str) -> Result<Flow> {
    message(format!("podlab does not simulate '{}'{why}", parsed.path))
}

pub(crate) fn port_forward(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    if parsed.args.len() < 2 {
        return usage(&parsed.path, "TYPE/NAME and list of ports are required for port-forward");
    }
    let word = parsed.args.first().cloned().unwrap_or_default();
    let args = if word.contains('/') { vec![word] } else { vec!["pods".to_owned(), word] };
    for item in Builder::new(cx, parsed).args(&args).fetch(cx)?.items {
        item?;
    }
    refuse(parsed, ": the page has no network; use curl in a pod")
}

pub(crate) fn other(_cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    Err(Error::Message(format!("podlab does not simulate '{}'", parsed.path)))
}
