//! `kubectl apply view-last-applied` and `set-last-applied`.
//!
//! Source: k8s.io/kubectl/pkg/cmd/apply/apply_view_last_applied.go, apply_set_last_applied.go (v1.37).

use super::apply::LAST_APPLIED;
use super::{DryRun, Reporter};
use crate::cx::{Cx, Flow, done};
use crate::error::{Result, message, usage};
use crate::flags::Parsed;
use crate::print::Order;
use crate::resource::{Builder, MISSING};
use crate::value::{slot, text};
use podlab_api::Request;
use podlab_api::door::PatchType;
use serde_json::{Value, json};

pub(crate) fn view(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    let output = parsed.str("output");
    if !["", "yaml", "json"].contains(&output) {
        return usage(
            &parsed.path,
            format!("Unexpected -o output mode: {output}, the flag 'output' must be one of yaml|json"),
        );
    }
    let builder = Builder::new(cx, parsed).all(parsed.bool("all"));
    if builder.args.is_empty() && !builder.has_files() && !builder.select_all {
        return message(MISSING);
    }
    for item in builder.fetch(cx)?.items {
        let info = item?;
        let kept = text(&info.object, &["metadata", "annotations", LAST_APPLIED]);
        let Ok(value) = podlab_yaml::parse_json(kept) else { continue };
        let shown = match output {
            "json" => serde_json::to_string_pretty(&value).unwrap_or_default() + "\n",
            _ => podlab_yaml::to_yaml(&value),
        };
        cx.out(&shown);
    }
    done()
}

pub(crate) fn set(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    let mut reporter = Reporter::new(cx, parsed)?;
    let builder = Builder::new(cx, parsed).args(&[]);
    if !builder.has_files() {
        return message(MISSING);
    }
    let mut patches = Vec::new();
    for item in builder.resolve(cx)?.items {
        let info = item?;
        let live = cx.get(info.kind, &info.namespace, &info.name)?;
        let before = text(&live, &["metadata", "annotations", LAST_APPLIED]);
        if before.is_empty() && !parsed.bool("create-annotation") {
            return message(format!(
                "no last-applied-configuration annotation found on resource: {}, to create the annotation, run the command with --create-annotation",
                info.name
            ));
        }
        if podlab_yaml::parse_json(before).is_ok_and(|before: Value| before == info.object) {
            cx.outln(&format!("set-last-applied {}: no changes required.", info.name));
            continue;
        }
        let mut patch = json!({});
        let kept = podlab_yaml::to_json_compact(&info.object);
        slot(&mut patch, &["metadata", "annotations"])[LAST_APPLIED] = kept.into();
        patches.push((info, live, patch));
    }
    for (info, live, patch) in patches {
        let shown = if reporter.dry_run == DryRun::Client {
            podlab_api::patch::apply(info.kind, PatchType::Merge, &live, &patch)?
        } else {
            let mut request = Request::patch(info.kind, &info.namespace, &info.name, PatchType::Merge, patch);
            request.options.dry_run = reporter.dry_run == DryRun::Server;
            cx.object(request)?
        };
        reporter.report(cx, &shown, "configured", Order::Sorted)?;
    }
    done()
}
