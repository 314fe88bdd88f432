//! `kubectl top`.
//!
//! Source: k8s.io/kubectl/pkg/cmd/top/*.go (v1.37).

use crate::cx::{Cx, Flow};
use crate::error::{Result, message, usage};
use crate::flags::Parsed;

/// The lab has no metrics server, like a cluster fresh from kubeadm.
pub(crate) fn run(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    if parsed.args.len() > 1 {
        return usage(&parsed.path, "only one of NAME or --selector can be provided");
    }
    if !parsed.args.is_empty() && !parsed.str("selector").is_empty() {
        return usage(&parsed.path, "only one of NAME or --selector can be provided");
    }
    let sort = parsed.str("sort-by");
    if !["", "cpu", "memory"].contains(&sort) {
        return message("--sort-by accepts only cpu or memory");
    }
    cx.discover(1)?;
    message("Metrics API not available")
}
