//! `kubectl label` and `kubectl annotate`.
//!
//! Source: k8s.io/kubectl/pkg/cmd/label/label.go, annotate/annotate.go (v1.37).

use super::{DryRun, Reporter};
use crate::cx::{Cx, Flow, done};
use crate::error::{Error, Result, message};
use crate::flags::Parsed;
use crate::manifest;
use crate::print::Order;
use crate::resource::{Builder, Info, gather};
use crate::value::{at, name, slot, text};
use podlab_api::Request;
use podlab_api::door::PatchType;
use podlab_api::patch::two_way_merge;
use podlab_api::selector::content::label_value_errors;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Splits resources from `key=value` and `key-`.
///
/// # Errors
/// A resource behind the first pair.
pub(crate) fn resources_and_pairs(args: &[String], what: &str) -> Result<(Vec<String>, Vec<String>)> {
    let (mut resources, mut pairs) = (Vec::new(), Vec::new());
    for arg in args {
        let pair = (arg.contains('=') && !arg.starts_with('=')) || (arg.ends_with('-') && arg != "-");
        if pair {
            pairs.push(arg.clone());
        } else if pairs.is_empty() {
            resources.push(arg.clone());
        } else {
            return message(format!("all resources must be specified before {what} changes: {arg}"));
        }
    }
    Ok((resources, pairs))
}

/// `key=value` pairs, and keys to remove where that is possible.
///
/// # Errors
/// A word that is neither.
pub(crate) fn pairs(
    args: &[String],
    what: &str,
    remove: bool,
) -> Result<(BTreeMap<String, String>, Vec<String>)> {
    let (mut new, mut gone, mut bad) = (BTreeMap::new(), Vec::new(), Vec::new());
    for arg in args {
        match arg.split_once('=') {
            Some((key, value)) if !key.is_empty() => {
                new.insert(key.to_owned(), value.to_owned());
            }
            _ => match arg.strip_suffix('-').filter(|k| remove && !k.is_empty()) {
                Some(key) => gone.push(key.to_owned()),
                None => bad.push(arg.clone()),
            },
        }
    }
    if bad.is_empty() {
        Ok((new, gone))
    } else {
        message(format!("invalid {what} format: {}", bad.join(", ")))
    }
}

fn parse_labels(args: &[String]) -> Result<(BTreeMap<String, String>, Vec<String>)> {
    let (mut new, mut gone) = (BTreeMap::new(), Vec::new());
    for arg in args {
        match arg.split('=').collect::<Vec<_>>().as_slice() {
            [_] => match arg.strip_suffix('-') {
                Some(key) => gone.push(key.to_owned()),
                None => return message(format!("unknown label spec: {arg}")),
            },
            [key, value] => {
                let errors = label_value_errors(value);
                if !errors.is_empty() {
                    return message(format!("invalid label value: {arg:?}: {}", errors.join(";")));
                }
                new.insert((*key).to_owned(), (*value).to_owned());
            }
            _ => return message(format!("invalid label spec: {arg}")),
        }
    }
    if gone.iter().any(|key| new.contains_key(key)) {
        return message("can not both modify and remove a label in the same command");
    }
    Ok((new, gone))
}

fn parse_annotations(args: &[String]) -> Result<(BTreeMap<String, String>, Vec<String>)> {
    let (new, gone) = pairs(args, "annotation", true)?;
    let both: Vec<&str> = gone.iter().filter(|k| new.contains_key(*k)).map(String::as_str).collect();
    if !both.is_empty() {
        return message(format!(
            "can not both modify and remove the following annotation(s) in the same command: {}",
            both.join(", ")
        ));
    }
    Ok((new, gone))
}

struct Change {
    /// `labels` or `annotations`.
    field: &'static str,
    new: BTreeMap<String, String>,
    gone: Vec<String>,
    overwrite: bool,
}

impl Change {
    /// Changes the object; says what is told of it.
    fn apply(&self, object: &mut Value) -> Result<&'static str> {
        let old = at(object, &["metadata", self.field]).as_object().cloned().unwrap_or_default();
        let taken: Vec<(&String, &str)> = self
            .new
            .iter()
            .filter_map(|(k, v)| old.get(k).and_then(Value::as_str).filter(|o| *o != v).map(|o| (k, o)))
            .collect();
        if !self.overwrite && !taken.is_empty() {
            if self.field == "labels" {
                let errors: Vec<Error> = taken
                    .iter()
                    .map(|(k, o)| {
                        Error::Message(format!("'{k}' already has a value ({o}), and --overwrite is false"))
                    })
                    .collect();
                return Err(if errors.len() == 1 {
                    errors.into_iter().next().unwrap_or(Error::Exit(1))
                } else {
                    Error::Many(errors)
                });
            }
            let texts: Vec<String> = taken
                .iter()
                .filter(|(k, _)| *k != crate::flags::CHANGE_CAUSE)
                .map(|(k, o)| format!("'{k}' already has a value ({o})"))
                .collect();
            if !texts.is_empty() {
                return message(format!(
                    "--overwrite is false but found the following declared annotation(s): {}",
                    texts.join("; ")
                ));
            }
        }
        let (mut added, mut removed) = (false, false);
        let mut entries: Map<String, Value> = old.clone();
        for (key, value) in &self.new {
            added |= old.get(key).and_then(Value::as_str) != Some(value);
            entries.insert(key.clone(), value.clone().into());
        }
        for key in &self.gone {
            removed |= entries.remove(key).is_some();
        }
        if entries.is_empty() {
            crate::value::remove(object, &["metadata"], self.field);
        } else {
            *slot(object, &["metadata", self.field]) = Value::Object(entries);
        }
        if self.field == "annotations" {
            return Ok("annotated");
        }
        Ok(match (added, removed) {
            (true, true) => "modified",
            (true, false) => "labeled",
            (false, true) => "unlabeled",
            (false, false) => "not labeled",
        })
    }
}

pub(crate) fn run(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    let annotate = parsed.path.ends_with("annotate");
    let what = if annotate { "annotation" } else { "label" };
    let mut reporter = Reporter::new(cx, parsed)?;
    reporter.separate = annotate;
    let (resources, words) = resources_and_pairs(&parsed.args, what)?;
    let (new, gone) = if annotate { parse_annotations(&words)? } else { parse_labels(&words)? };
    let list = parsed.bool("list");
    if list && !parsed.str("output").is_empty() {
        return message("--list and --output may not be specified together");
    }
    let local = parsed.bool("local");
    let all = parsed.bool("all");
    if all && !parsed.str("selector").is_empty() {
        return message("cannot set --all and --selector at the same time");
    }
    if all && !parsed.str("field-selector").is_empty() {
        return message("cannot set --all and --field-selector at the same time");
    }
    let mut builder = Builder::new(cx, parsed).args(&resources).all(all);
    if local {
        if !resources.is_empty() {
            return message(
                "can only use local files by -f pod.yaml or --filename=pod.json when --local=true is set",
            );
        }
        if !builder.has_files() {
            return message("one or more files must be specified as -f pod.yaml or --filename=pod.json");
        }
    } else if resources.is_empty() && !builder.has_files() {
        return message("one or more resources must be specified as <resource> <name> or <resource>/<name>");
    }
    if new.is_empty() && gone.is_empty() && !list {
        return message(format!("at least one {what} update is required"));
    }
    let change = Change {
        field: if annotate { "annotations" } else { "labels" },
        new,
        gone,
        overwrite: parsed.bool("overwrite"),
    };
    let mut errors = Vec::new();
    if local {
        builder.local = true;
        for item in manifest::local(cx, &builder, false)? {
            let result = item.and_then(|item| {
                let mut object = item.value;
                let verb = change.apply(&mut object)?;
                if list {
                    listing(cx, &change, &object, false);
                    return Ok(());
                }
                reporter.report(cx, &object, verb, Order::Sorted)
            });
            errors.extend(result.err());
        }
        gather(errors)?;
        return done();
    }
    let selected = builder.fetch(cx)?;
    for item in selected.items {
        let result =
            item.and_then(|info| one(cx, &mut reporter, parsed, &change, &info, list, selected.single));
        errors.extend(result.err());
    }
    gather(errors)?;
    done()
}

fn listing(cx: &mut Cx<'_>, change: &Change, object: &Value, single: bool) {
    let mut indent = "";
    if !single {
        indent = " ";
        let group = text(object, &["apiVersion"]).split_once('/').map_or("", |(g, _)| g);
        let line =
            format!("Listing {} for {}.{group}/{}:", change.field, text(object, &["kind"]), name(object));
        cx.outln(&line);
    }
    for (key, value) in at(object, &["metadata", change.field]).as_object().cloned().unwrap_or_default() {
        cx.outln(&format!("{indent}{key}={}", value.as_str().unwrap_or("")));
    }
}

fn one(
    cx: &mut Cx<'_>,
    reporter: &mut Reporter,
    parsed: &Parsed,
    change: &Change,
    info: &Info,
    list: bool,
    single: bool,
) -> Result<()> {
    let old = info.object.clone();
    let mut object = old.clone();
    let offline = list || reporter.dry_run == DryRun::Client;
    if !offline && change.field == "labels" {
        for key in &change.gone {
            if at(&old, &["metadata", "labels", key]).is_null() {
                cx.outln(&format!("label {key:?} not found."));
            }
        }
    }
    let verb = change.apply(&mut object)?;
    if !offline && (object != old || change.field == "annotations") {
        let mut patch = two_way_merge(&old, &object);
        if parsed.changed("resource-version") {
            slot(&mut patch, &["metadata"])["resourceVersion"] = parsed.str("resource-version").into();
        }
        let mut request = Request::patch(info.kind, &info.namespace, &info.name, PatchType::Merge, patch);
        request.options.dry_run = reporter.dry_run == DryRun::Server;
        request.options.field_manager = Some(parsed.str("field-manager").to_owned());
        let patched = cx.object(request)?;
        if change.field == "annotations" {
            object = patched;
        }
    }
    if list {
        listing(cx, change, &object, single);
        return Ok(());
    }
    reporter.report(cx, &object, verb, Order::Sorted)
}
