//! `kubectl scale`.
//!
//! Source: k8s.io/kubectl/pkg/cmd/scale/scale.go, pkg/scale/scale.go (v1.37).

use super::{DryRun, Reporter};
use crate::cx::{Cx, Flow, done};
use crate::error::{Result, message};
use crate::flags::Parsed;
use crate::print::Order;
use crate::resource::Builder;
use crate::value::{int, slot};
use podlab_api::door::{PatchType, Verb};
use podlab_api::{Request, Status};
use serde_json::json;

pub(crate) fn run(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    let mut reporter = Reporter::new(cx, parsed)?;
    let replicas = parsed.int("replicas");
    if replicas < 0 {
        return message(
            "The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0",
        );
    }
    let current = parsed.int("current-replicas");
    if current < -1 {
        return message("The --current-replicas must specify an integer of -1 or greater");
    }
    let builder = Builder::new(cx, parsed).all(parsed.bool("all"));
    let selected = builder.fetch(cx)?;
    let mut failure = None;
    let mut count = 0;
    let total = selected.items.iter().flatten().count();
    if parsed.changed("resource-version") && total > 1 {
        return message("cannot use --resource-version with multiple resources");
    }
    for item in selected.items {
        let info = match item {
            Ok(info) => info,
            Err(error) => {
                failure = failure.or(Some(error));
                continue;
            }
        };
        count += 1;
        let mut object = info.object.clone();
        if reporter.dry_run != DryRun::Client {
            if !info.kind.subresources.contains(&"scale") {
                let custom = info.kind.is_custom();
                let missing = || Status::not_found(info.kind, &info.name);
                return Err(if custom { missing() } else { Status::no_such_resource() }.into());
            }
            if current != -1 {
                let scale = cx.object(
                    Request::new(Verb::Get, info.kind)
                        .namespace(&info.namespace)
                        .name(&info.name)
                        .subresource("scale"),
                )?;
                let now = int(&scale, &["spec", "replicas"]);
                if now != current {
                    return message(format!("Expected replicas to be {current}, was {now}"));
                }
            }
            let patch = json!({"spec": {"replicas": replicas}});
            let mut request = Request::patch(info.kind, &info.namespace, &info.name, PatchType::Merge, patch)
                .subresource("scale");
            request.options.dry_run = reporter.dry_run == DryRun::Server;
            cx.object(request)?;
            let mut note = json!({});
            parsed.record(&mut note);
            if note != json!({}) {
                let mut request =
                    Request::patch(info.kind, &info.namespace, &info.name, PatchType::Merge, note);
                request.options.dry_run = reporter.dry_run == DryRun::Server;
                cx.object(request)?;
            }
        }
        slot(&mut object, &["spec"])["replicas"] = replicas.into();
        reporter.report(cx, &object, "scaled", Order::Sorted)?;
    }
    match failure {
        Some(error) => Err(error),
        None if count == 0 => message("no objects passed to scale"),
        None => done(),
    }
}
