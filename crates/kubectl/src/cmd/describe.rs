//! `kubectl describe`.
//!
//! Source: k8s.io/kubectl/pkg/cmd/describe/describe.go (v1.37).

use crate::cx::{Cx, Flow, done};
use crate::describe;
use crate::error::{Error, Result, message};
use crate::flags::Parsed;
use crate::resource::{Builder, Info, gather};
use podlab_api::Kind;

pub(crate) fn run(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    let builder = Builder::new(cx, parsed).allow_all();
    if builder.args.is_empty() && !builder.has_files() {
        return message(
            "You must specify the type of resource to describe. Use \"kubectl api-resources\" for a complete list of supported resources.\n",
        );
    }
    let selected = builder.fetch(cx)?;
    let named = selected.by_name;
    let mut errors: Vec<Error> = Vec::new();
    let mut infos: Vec<Info> = Vec::new();
    let mut matched = false;
    for item in selected.items {
        match item {
            Ok(info) => infos.push(info),
            Err(error) => {
                // A name that is not there may be the beginning of others.
                let like =
                    if named && error.is_not_found() { prefixed(cx, &builder, &error)? } else { Vec::new() };
                if like.is_empty() {
                    errors.push(error);
                } else {
                    matched = true;
                    infos.extend(like);
                }
            }
        }
    }
    let several = infos.len() > 1 || matched || !errors.is_empty();
    let show = parsed.bool("show-events") && (parsed.changed("show-events") || !several);
    let mut first = true;
    for info in &infos {
        let text = describe::describe(cx, info, show)?;
        if matched {
            // Objects found by the beginning of their names each end with a line of their own.
            cx.out(&(text + "\n"));
            continue;
        }
        if !first {
            cx.out("\n\n");
        }
        first = false;
        cx.out(&text);
    }
    if infos.is_empty() && errors.is_empty() {
        if builder.all_namespaces {
            cx.errln("No resources found");
        } else {
            cx.errln(&format!("No resources found in {} namespace.", builder.namespace));
        }
    }
    gather(errors)?;
    done()
}

fn prefixed(cx: &mut Cx<'_>, builder: &Builder, error: &Error) -> Result<Vec<Info>> {
    let Some(details) = error.status().and_then(|s| s.details.clone()) else { return Ok(Vec::new()) };
    let is = |k: &&&Kind| k.group == details.group && k.plural == details.kind;
    let defined = cx.defined();
    let Some(kind) = podlab_api::kinds::ALL.iter().chain(&defined).find(is) else {
        return Ok(Vec::new());
    };
    if builder.args.len() != 2 && !builder.args.iter().any(|a| a.contains('/')) {
        return Ok(Vec::new());
    }
    let scope = if kind.namespaced { builder.namespace.clone() } else { String::new() };
    let mut out = Vec::new();
    for object in cx.select(kind, &scope, "")? {
        let name = crate::value::name(&object).to_owned();
        if name.starts_with(&details.name) {
            let space = crate::value::namespace(&object).to_owned();
            let mut object = object;
            crate::value::remove(&mut object, &["metadata"], "managedFields");
            out.push(Info { object, ..Info::new(kind, &space, &name) });
        }
    }
    Ok(out)
}
