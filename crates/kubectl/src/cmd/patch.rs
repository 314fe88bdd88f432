//! `kubectl patch`.
//!
//! Source: k8s.io/kubectl/pkg/cmd/patch/patch.go (v1.37).

use super::{DryRun, Reporter};
use crate::cx::{Cx, Flow, done};
use crate::error::{Error, Result, message};
use crate::flags::Parsed;
use crate::manifest;
use crate::print::Order;
use crate::resource::{Builder, gather};
use crate::value::text;
use podlab_api::door::PatchType;
use podlab_api::patch::{KindLookup, apply_json_patch, apply_merge_patch, apply_strategic};
use podlab_api::{Request, Status, kinds};
use serde_json::Value;

pub(crate) fn run(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    let (given, file) = (parsed.str("patch").to_owned(), parsed.str("patch-file").to_owned());
    let local = parsed.bool("local");
    if !given.is_empty() && !file.is_empty() {
        return message("cannot specify --patch and --patch-file together");
    }
    if given.is_empty() && file.is_empty() {
        return message("must specify --patch or --patch-file containing the contents of the patch");
    }
    if local && !parsed.args.is_empty() {
        return message("cannot specify --local and server resources");
    }
    let how = match parsed.str("type").to_lowercase().as_str() {
        "" | "strategic" => PatchType::StrategicMerge,
        "merge" => PatchType::Merge,
        "json" => PatchType::Json,
        _ => {
            return message(format!(
                "--type must be one of [json merge strategic], not {:?}",
                parsed.str("type")
            ));
        }
    };
    let source = if file.is_empty() {
        given.clone()
    } else {
        match cx.read_text(&file) {
            Ok(text) => text,
            Err(error) => return message(format!("unable to read patch file: {}", error.text())),
        }
    };
    let mut broken = false;
    let patch = match podlab_yaml::parse_document(&source) {
        Ok(document) => document.value,
        // What looks like JSON is sent as it is.
        Err(_) if !local && source.trim_start().starts_with('{') => {
            broken = true;
            Value::Null
        }
        Err(error) => return message(format!("unable to parse {given:?}: {}", error.text)),
    };
    let mut reporter = Reporter::new(cx, parsed)?;
    reporter.separate = false;
    if local && reporter.dry_run == DryRun::Server {
        return message("cannot specify --local and --dry-run=server - did you mean --dry-run=client?");
    }
    let mut builder = Builder::new(cx, parsed);
    let mut errors: Vec<Error> = Vec::new();
    if local {
        builder.local = true;
        for item in manifest::local(cx, &builder, false)? {
            let result = item.and_then(|item| {
                let patched = offline(&item.value, how, &patch)?;
                let verb = if patched == item.value { "patched (no change)" } else { "patched" };
                reporter.report(cx, &patched, verb, Order::Sorted)
            });
            errors.extend(result.err());
        }
        gather(errors)?;
        return done();
    }
    let subresource = parsed.str("subresource").to_owned();
    let selected = builder.fetch(cx)?;
    let mut count = 0;
    for item in selected.items {
        let result = item.and_then(|info| {
            count += 1;
            let patched = if reporter.dry_run == DryRun::Client {
                offline(&info.object, how, &patch)?
            } else {
                if broken {
                    return Err(Status::bad_request("invalid JSON patch").into());
                }
                let mut request = Request::patch(info.kind, &info.namespace, &info.name, how, patch.clone());
                if !subresource.is_empty() {
                    request = request.subresource(subresource.clone());
                }
                request.options.dry_run = reporter.dry_run == DryRun::Server;
                request.options.field_manager = Some(parsed.str("field-manager").to_owned());
                cx.object(request).map_err(|error| unsupported(error, info.kind))?
            };
            let verb = if patched == info.object { "patched (no change)" } else { "patched" };
            reporter.report(cx, &patched, verb, Order::Sorted)
        });
        errors.extend(result.err());
    }
    gather(errors)?;
    if count == 0 {
        return message("no objects passed to patch");
    }
    done()
}

/// A patch that the server takes in other forms only.
///
/// Source: k8s.io/kubectl/pkg/cmd/patch/patch.go (v1.37).
fn unsupported(error: Error, kind: &podlab_api::Kind) -> Error {
    match error.status() {
        Some(status) if status.reason == "UnsupportedMediaType" => Error::Message(format!(
            "application/strategic-merge-patch+json is not supported by {}, Kind={}: {}",
            kind.api_version(),
            kind.kind,
            status.message
        )),
        _ => error,
    }
}

/// What the patch makes of an object without a server.
fn offline(object: &Value, how: PatchType, patch: &Value) -> Result<Value> {
    match how {
        PatchType::Json => match apply_json_patch(object, patch) {
            Ok(value) => Ok(value),
            Err(error) => {
                let text = error.to_string();
                match text.split_once("doc is missing key: ") {
                    Some((_, key)) => message(format!("Object to be patched is missing field ({key})")),
                    None => message(text),
                }
            }
        },
        PatchType::Merge => Ok(apply_merge_patch(object.clone(), patch)),
        _ => {
            let (api_version, kind) = (text(object, &["apiVersion"]), text(object, &["kind"]));
            let Some(kind) = kinds::by_gvk(api_version, kind) else {
                return message(format!(
                    "strategic merge patch is not supported for {api_version}, Kind={kind} locally, try --type merge"
                ));
            };
            if !patch.is_object() {
                return message("invalid JSON document");
            }
            apply_strategic(object.clone(), patch.clone(), KindLookup::new(kind))
                .or_else(|error| message(error.to_string()))
        }
    }
}
