//! `kubectl create -f`, and the generators below it.
//!
//! Source: k8s.io/kubectl/pkg/cmd/create/create.go (v1.37).

use super::{DryRun, Reporter, field_validation, no_args};
use crate::cx::{Cx, Flow, done};
use crate::error::{Error, Result, message};
use crate::flags::Parsed;
use crate::print::Order;
use crate::resource::{Builder, gather};
use podlab_api::Request;

pub(crate) fn run(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    no_args(parsed)?;
    let mut builder = Builder::new(cx, parsed);
    if !builder.has_files() {
        cx.errln("Error: must specify one of -f and -k\n");
        cx.out(&crate::help::text(parsed, &[]));
        return Ok(Flow::Done(1));
    }
    let mut reporter = Reporter::new(cx, parsed)?;
    let validation = field_validation(parsed)?;
    builder.validate = validation != podlab_api::door::FieldValidation::Ignore;
    let selected = builder.resolve(cx)?;
    let mut errors: Vec<Error> = Vec::new();
    let mut count = 0;
    for item in selected.items {
        let info = match item {
            Ok(info) => info,
            Err(error) => {
                errors.push(error);
                continue;
            }
        };
        count += 1;
        let mut object = info.object.clone();
        if parsed.bool("save-config") {
            super::apply::annotate(&mut object);
        }
        let shown = if reporter.dry_run == DryRun::Client {
            object
        } else {
            let mut request = Request::create(info.kind, &info.namespace, object);
            request.options.dry_run = reporter.dry_run == DryRun::Server;
            request.options.field_validation = validation;
            request.options.field_manager = Some(parsed.str("field-manager").to_owned());
            match cx.object(request) {
                Ok(object) => object,
                Err(error) => {
                    errors.push(error.when("creating", &info.source));
                    continue;
                }
            }
        };
        reporter.report(cx, &shown, "created", Order::Sorted)?;
    }
    gather(errors)?;
    if count == 0 {
        return message("no objects passed to create");
    }
    done()
}
