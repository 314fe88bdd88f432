//! `kubectl replace`.
//!
//! Source: k8s.io/kubectl/pkg/cmd/replace/replace.go (v1.37).

use super::{DryRun, Reporter, field_validation};
use crate::cx::{Cx, Flow, done};
use crate::error::{Error, Result, message};
use crate::flags::Parsed;
use crate::print::Order;
use crate::resource::{Builder, Info, gather};
use podlab_api::Request;
use podlab_api::door::Propagation;
use serde_json::Value;

pub(crate) fn run(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    let mut reporter = Reporter::new(cx, parsed)?;
    let force = parsed.bool("force");
    if parsed.int("grace-period") >= 0 && !force {
        return message("--grace-period must have --force specified");
    }
    if parsed.duration("timeout") != 0 && !force {
        return message("--timeout must have --force specified");
    }
    if force && reporter.dry_run != DryRun::None {
        return message("--dry-run can not be used when --force is set");
    }
    let mut builder = Builder::new(cx, parsed).args(&[]);
    if !builder.has_files() {
        return message("must specify one of -f and -k");
    }
    if parsed.changed("raw") {
        return message("podlab does not simulate 'kubectl replace --raw'");
    }
    let validation = field_validation(parsed)?;
    builder.validate = validation != podlab_api::door::FieldValidation::Ignore;
    let selected = builder.resolve(cx)?;
    let mut errors: Vec<Error> = Vec::new();
    let mut count = 0;
    if force {
        let grace = parsed.int("grace-period").max(0);
        for info in selected.items.iter().flatten() {
            let mut request = Request::delete(info.kind, &info.namespace, &info.name);
            request.options.grace_period_seconds = Some(grace);
            request.options.propagation = Some(Propagation::Background);
            match cx.ask(request) {
                Ok(_) => {
                    let kind = info.kind.kind.to_lowercase();
                    let group = info.kind.group;
                    let kind = if group.is_empty() { kind } else { format!("{kind}.{group}") };
                    let place = match info.namespace.as_str() {
                        "" => String::new(),
                        ns => format!(" from {ns} namespace"),
                    };
                    cx.outln(&format!("{kind} {:?} deleted{place}", info.name));
                }
                Err(error) if error.is_not_found() => {}
                Err(error) => return Err(error),
            }
        }
    }
    for item in selected.items {
        let result = item.and_then(|info| {
            count += 1;
            let mut object = info.object.clone();
            if parsed.bool("save-config") {
                super::apply::annotate(&mut object);
            }
            if reporter.dry_run == DryRun::Client {
                return reporter.report(cx, &object, "replaced", Order::Sorted);
            }
            let mut request = if force {
                Request::create(info.kind, &info.namespace, object)
            } else {
                overwrite(cx, &info, &mut object);
                Request::update(info.kind, &info.namespace, &info.name, object)
            };
            request.options.dry_run = reporter.dry_run == DryRun::Server;
            request.options.field_validation = validation;
            request.options.field_manager = Some(parsed.str("field-manager").to_owned());
            match cx.object(request) {
                Ok(object) => reporter.report(cx, &object, "replaced", Order::Sorted),
                Err(error) if force => Err(error),
                Err(error) => Err(error.when("replacing", &info.source)),
            }
        });
        errors.extend(result.err());
    }
    gather(errors)?;
    if count == 0 && force {
        return message("no objects passed to replace");
    }
    done()
}

/// Gives a replacement without a version the one that is there now, so that it overwrites whatever is there.
///
/// Source: k8s.io/cli-runtime/pkg/resource/helper.go `Replace` (v1.37). What is not there is refused by the update.
fn overwrite(cx: &mut Cx<'_>, info: &Info, object: &mut Value) {
    let version = |object: &Value| {
        let version = object.pointer("/metadata/resourceVersion").and_then(Value::as_str);
        version.filter(|version| !version.is_empty()).map(str::to_owned)
    };
    if version(object).is_some() {
        return;
    }
    let live = cx.object(Request::get(info.kind, &info.namespace, &info.name)).ok();
    if let Some((version, metadata)) =
        live.as_ref().and_then(version).zip(object.get_mut("metadata").and_then(Value::as_object_mut))
    {
        metadata.insert("resourceVersion".to_owned(), version.into());
    }
}
