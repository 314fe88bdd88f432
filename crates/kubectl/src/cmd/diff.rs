//! `kubectl diff`.
//!
//! Source: k8s.io/kubectl/pkg/cmd/diff/diff.go (v1.37).

use super::apply::{LAST_APPLIED, retrieving, three_way, warn_of_deletion};
use crate::cx::{Cx, Flow};
use crate::error::{Error, Result, message, usage};
use crate::flags::Parsed;
use crate::invocation::{Step, Task, Wait};
use crate::resource::{Builder, Info};
use crate::value::{slot, text};
use podlab_api::Request;
use podlab_api::door::PatchType;
use serde_json::{Value, json};

/// The two versions of one object as files.
struct Pair {
    name: String,
    live: String,
    merged: String,
}

/// An external program that compares the two directories.
#[derive(Clone, Debug)]
pub(crate) struct Comparing {
    child: u32,
    program: String,
    files: Vec<String>,
}

pub(crate) fn run(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    if !parsed.args.is_empty() {
        return usage(&parsed.path, format!("Unexpected args: [{}]", parsed.args.join(" ")));
    }
    let builder = Builder::new(cx, parsed);
    if !builder.has_files() {
        return message("must specify one of -f and -k");
    }
    if parsed.bool("force-conflicts") && !parsed.bool("server-side") {
        return message("--force-conflicts only works with --server-side");
    }
    if parsed.bool("prune") {
        return message("podlab does not simulate 'kubectl diff --prune'");
    }
    let mut pairs = Vec::new();
    for item in builder.resolve(cx)?.items {
        pairs.push(compare(cx, parsed, &item?)?);
    }
    pairs.sort_by(|a, b| a.name.cmp(&b.name));
    let number = cx.now().as_nanosecond().rem_euclid(4_294_967_291);
    let live = format!("/tmp/LIVE-{number}");
    let merged = format!("/tmp/MERGED-{}", (number * 48_271).rem_euclid(4_294_967_291));
    let external = cx.env.vars.get("KUBECTL_EXTERNAL_DIFF").filter(|program| !program.is_empty());
    if let Some(program) = external.cloned() {
        return external_diff(cx, &program, &pairs, &live, &merged);
    }
    let at = cx.now().strftime("%Y-%m-%d %H:%M:%S.%9f +0000").to_string();
    let mut code = 0;
    for Pair { name, live: left, merged: right } in &pairs {
        let hunks = podlab_shell::unified_hunks(left, right, 3);
        if hunks.is_empty() {
            continue;
        }
        code = 1;
        let (live, merged) = (format!("{live}/{name}"), format!("{merged}/{name}"));
        cx.out(&format!("diff -u -N {live} {merged}\n--- {live}\t{at}\n+++ {merged}\t{at}\n{hunks}"));
    }
    Ok(Flow::Done(code))
}

/// What the object is and what applying it would make of it.
fn compare(cx: &mut Cx<'_>, parsed: &Parsed, info: &Info) -> Result<Pair> {
    let live = match cx.get(info.kind, &info.namespace, &info.name) {
        Ok(live) => Some(live),
        Err(error) if error.is_not_found() => None,
        Err(error) => return Err(error),
    };
    let mut merged = merge(cx, parsed, info, live.as_ref())?;
    if let Some(live) = &live {
        warn_of_deletion(cx, live, &info.name);
    }
    let mut live = live.unwrap_or(Value::Null);
    if info.kind.kind == "Secret" && info.kind.group.is_empty() && !parsed.bool("show-secrets") {
        mask(&mut live, &mut merged);
    }
    let show = parsed.bool("show-managed-fields");
    let print = |value: &mut Value| match value {
        Value::Null => String::new(),
        value => {
            if !show {
                crate::value::remove(value, &["metadata"], "managedFields");
            }
            podlab_yaml::to_yaml(value)
        }
    };
    let group = if info.kind.group.is_empty() { String::new() } else { format!("{}.", info.kind.group) };
    Ok(Pair {
        name: format!("{group}{}.{}.{}.{}", info.kind.version, info.kind.kind, info.namespace, info.name),
        live: print(&mut live),
        merged: print(&mut merged),
    })
}

fn merge(cx: &mut Cx<'_>, parsed: &Parsed, info: &Info, live: Option<&Value>) -> Result<Value> {
    let dry = |mut request: Request| {
        request.options.dry_run = true;
        let manager = super::apply_manager(parsed);
        request.options.field_manager = Some(manager.to_owned());
        request
    };
    if parsed.bool("server-side") {
        let mut request = dry(Request::patch(
            info.kind,
            &info.namespace,
            &info.name,
            PatchType::Apply,
            info.object.clone(),
        ));
        request.options.force = parsed.bool("force-conflicts");
        return cx.object(request);
    }
    let Some(live) = live else {
        return cx.object(dry(Request::create(info.kind, &info.namespace, info.object.clone())));
    };
    let mut modified = info.object.clone();
    // There are always annotations then, as in what apply has kept.
    let annotations = slot(&mut modified, &["metadata", "annotations"]);
    match annotations.as_object_mut() {
        Some(map) => drop(map.remove(LAST_APPLIED)),
        None => *annotations = json!({}),
    }
    let original = podlab_yaml::parse_json(text(live, &["metadata", "annotations", LAST_APPLIED]));
    let original = original.unwrap_or(Value::Null);
    let mut current = live.clone();
    crate::value::remove(&mut current, &["metadata"], "managedFields");
    let (how, patch) = three_way(info.kind, &original, &modified, &current)
        .map_err(|error| retrieving(Error::Message(error.to_string()), info))?;
    if patch.as_object().is_some_and(|map| map.is_empty()) {
        return Ok(live.clone());
    }
    let request = Request::patch(info.kind, &info.namespace, &info.name, how, patch.clone());
    cx.object(dry(request))
}

/// Hides a Secret's values, but not which of them differ.
fn mask(from: &mut Value, to: &mut Value) {
    let data = |value: &Value| value.get("data").and_then(Value::as_object).cloned().unwrap_or_default();
    let (before, after) = (data(from), data(to));
    let hide = |value: &mut Value,
                own: &serde_json::Map<String, Value>,
                other: &serde_json::Map<String, Value>,
                word: &str| {
        if let Some(map) = value.get_mut("data").and_then(Value::as_object_mut) {
            for (key, slot) in map.iter_mut() {
                let differs = other.get(key).is_some_and(|v| Some(v) != own.get(key));
                *slot = if differs { format!("*** ({word})").into() } else { "***".into() };
            }
        }
    };
    hide(from, &before, &after, "before");
    hide(to, &after, &before, "after");
}

/// Runs the program that `KUBECTL_EXTERNAL_DIFF` names on two directories.
fn external_diff(cx: &mut Cx<'_>, line: &str, pairs: &[Pair], live: &str, merged: &str) -> Result<Flow> {
    let mut words = line.split(' ');
    let program = words.next().unwrap_or_default().to_owned();
    let mut argv = vec![program.clone()];
    // As kubectl: what holds other characters is left out.
    let plain = |word: &str| {
        !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '=')
    };
    argv.extend(words.filter(|word| plain(word)).map(str::to_owned));
    argv.extend([live.to_owned(), merged.to_owned()]);
    let mut files = Vec::new();
    for folder in [live, merged] {
        let _ = cx.io.make_dir(folder);
    }
    for pair in pairs {
        for (folder, content) in [(live, &pair.live), (merged, &pair.merged)] {
            let path = format!("{folder}/{}", pair.name);
            if cx.io.write_file(&path, content.as_bytes()).is_err() {
                return Err(Error::Coded(format!("error: open {path}: permission denied"), 2));
            }
            files.push(path);
        }
    }
    files.extend([live.to_owned(), merged.to_owned()]);
    match cx.io.spawn(&argv) {
        Ok(child) => Ok(Flow::Wait(Task::Diff(Comparing { child, program, files }))),
        Err(_) => {
            clean(cx, &files);
            message(format!("failed to run {program:?}: executable file not found in $PATH"))
        }
    }
}

fn clean(cx: &mut Cx<'_>, files: &[String]) {
    for file in files {
        let _ = cx.io.remove_file(file);
    }
}

impl Comparing {
    pub(crate) fn step(&mut self, cx: &mut Cx<'_>) -> Result<Step> {
        let Some(code) = cx.io.ended(self.child) else {
            return Ok(Step::Wait(Wait { child: true, ..Wait::default() }));
        };
        clean(cx, &self.files);
        if code <= 1 {
            return Ok(Step::Done(code));
        }
        let text = format!("error: failed to run {:?}: exit status {code}", self.program);
        Err(Error::Coded(text, code))
    }
}
