//! `kubectl cordon` and `kubectl uncordon`.
//!
//! Source: k8s.io/kubectl/pkg/cmd/drain/drain.go (v1.37).

use super::DryRun;
use crate::cx::{Cx, Flow, done};
use crate::error::{Result, message, usage};
use crate::flags::Parsed;
use crate::resource::{Builder, Info};
use crate::value::at;
use podlab_api::Request;
use podlab_api::door::PatchType;
use serde_json::{Value, json};

/// The nodes that are meant.
///
/// # Errors
/// None are named, or one is not there.
pub(crate) fn nodes(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Vec<Info>> {
    let verb = parsed.path.rsplit(' ').next().unwrap_or("");
    let selector = parsed.str("selector");
    if parsed.args.is_empty() && selector.is_empty() {
        return usage(&parsed.path, format!("USAGE: {verb} NODE [flags]"));
    }
    if !parsed.args.is_empty() && !selector.is_empty() {
        return message("cannot specify both a node name and a --selector option");
    }
    let mut words = vec!["nodes".to_owned()];
    words.extend(parsed.args.iter().map(|a| a.strip_prefix("node/").unwrap_or(a).to_owned()));
    let found = Builder::new(cx, parsed).args(&words).fetch(cx)?;
    found.items.into_iter().collect()
}

/// Closes or opens a node for new pods, and says so.
pub(crate) fn cordon(cx: &mut Cx<'_>, info: &Info, desired: bool, dry_run: DryRun) -> Result<()> {
    let now = at(&info.object, &["spec", "unschedulable"]).as_bool().unwrap_or(false);
    let verb = match (desired, now == desired) {
        (true, true) => "already cordoned",
        (false, true) => "already uncordoned",
        (true, false) => "cordoned",
        (false, false) => "uncordoned",
    };
    if now != desired && dry_run != DryRun::Client {
        let value = if desired { Value::Bool(true) } else { Value::Null };
        let patch = json!({"spec": {"unschedulable": value}});
        let mut request = Request::patch(info.kind, "", &info.name, PatchType::StrategicMerge, patch);
        request.options.dry_run = dry_run == DryRun::Server;
        if let Err(error) = cx.object(request) {
            let word = if desired { "cordon" } else { "uncordon" };
            cx.errln(&format!("error: unable to {word} node {:?}: {}", info.name, error.text()));
            return Ok(());
        }
    }
    cx.outln(&format!("node/{} {verb}{}", info.name, dry_run.suffix()));
    Ok(())
}

pub(crate) fn run(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    let dry_run = DryRun::of(cx, parsed)?;
    let desired = parsed.path.ends_with(" cordon");
    for info in nodes(cx, parsed)? {
        cordon(cx, &info, desired, dry_run)?;
    }
    done()
}
