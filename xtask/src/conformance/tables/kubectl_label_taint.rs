//! `tables/kubectl_label_taint.json`: `kubectl label` and `kubectl taint`.

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::bench::{Bench, refused, says, texts};
use super::{Row, Use};
use crate::conformance::report::{Figure, Outcome, Recording};

const PART: &str = "a part of another test's input";
const NOTHING_ASKED: &str = "no command line without a change reaches the code that is tested";

pub(in crate::conformance) fn read(recording: &Recording<'_>) -> Result<Vec<Figure>> {
    super::read(
        recording,
        &[
            ("label.TestLabelErrors", Use::CompareAll(label_errors)),
            ("label.TestLabelForResourceFromFile.opts.Filenames", Use::Skip(PART)),
            ("label.TestLabelFunc", Use::Compare(label)),
            ("label.TestLabelLocal.opts.Filenames", Use::Skip(PART)),
            ("label.TestLabelMsg", Use::Compare(label)),
            ("label.TestLabelResourceVersion.args", Use::Skip(PART)),
            ("label.TestParseLabels", Use::Compare(parse_labels)),
            ("label.TestRunLabelMsg", Use::Compare(label_message)),
            ("label.TestValidateLabels", Use::Compare(validate_labels)),
            ("taint.TestTaint", Use::Compare(taint)),
            ("taint.TestValidateFlags", Use::Compare(taint_flags)),
            ("taint_utils.TestCheckIfTaintsAlreadyExists", Use::Compare(taints_exist)),
            ("taint_utils.TestCheckIfTaintsAlreadyExists.oldTaints", Use::Input),
            ("taint_utils.TestDeleteTaint", Use::Compare(delete_taint)),
            ("taint_utils.TestDeleteTaintByKey", Use::Compare(delete_taint)),
            ("taint_utils.TestParseTaints", Use::Compare(parse_taints)),
            ("taint_utils.TestReorganizeTaints", Use::Compare(reorganize_taints)),
        ],
    )
}

fn pod(labels: &Value) -> Value {
    let mut metadata = json!({"name": "foo", "namespace": "default", "uid": "1"});
    if labels.is_object() {
        metadata["labels"] = labels.clone();
    }
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": [{"name": "c", "image": "i"}]}})
}

fn node(taints: &Value) -> Value {
    let mut node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-name", "uid": "1"}, "spec": {}});
    if taints.as_array().is_some_and(|taints| !taints.is_empty()) {
        node["spec"]["taints"] = taints.clone();
    }
    node
}

fn pairs(labels: &Value) -> Vec<String> {
    let pairs = labels.as_object().into_iter().flatten();
    pairs.map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default())).collect()
}

fn owned(arguments: &[&str]) -> Vec<String> {
    arguments.iter().map(|argument| (*argument).to_owned()).collect()
}

fn run(bench: &mut Bench, arguments: &[String]) -> crate::conformance::kubectl::Output {
    bench.run(arguments.iter().map(String::as_str))
}

/// Labels of a live object without what is no label of the row.
fn labels_of(object: &Value) -> Value {
    object.pointer("/metadata/labels").cloned().unwrap_or_else(|| json!({}))
}

fn label(row: &Row<'_>) -> Outcome {
    let object = pod(row.field("obj").pointer("/metadata/labels").unwrap_or(&Value::Null));
    let mut bench = Bench::created(std::slice::from_ref(&object));
    let mut arguments = owned(&["label", "pods", "foo"]);
    arguments.extend(pairs(row.field("labels")));
    arguments.extend(texts(row.field("remove")).into_iter().map(|key| format!("{key}-")));
    if row.flag("overwrite") {
        arguments.push("--overwrite".to_owned());
    }
    if !row.text("version").is_empty() || !row.text("resourceVersion").is_empty() {
        let live = bench.live(&object);
        let version = live.pointer("/metadata/resourceVersion").and_then(Value::as_str).unwrap_or_default();
        arguments.push(format!("--resource-version={version}"));
    }
    let output = run(&mut bench, &arguments);
    if row.flag("expectErr") {
        return refused(true, &output);
    }
    if !row.text("expectErr").is_empty() {
        return says(row.text("expectErr"), &output);
    }
    let message = match row.text("expectMsg") {
        "MsgNotLabeled" => "not labeled",
        "MsgLabeled" => "labeled",
        "MsgUnLabeled" => "unlabeled",
        "MsgModified" => "modified",
        _ => "",
    };
    let message =
        (!message.is_empty()).then(|| Outcome::equal(format!("pod/foo {message}\n"), &*output.stdout));
    let expected = row.field("expected").get("metadata").or(row.field("expectObj").get("metadata"));
    let expected = expected.map(|metadata| metadata.get("labels").cloned().unwrap_or_else(|| json!({})));
    let live = bench.live(&object);
    let labels = expected.map(|expected| Outcome::same(&expected, &labels_of(&live)));
    Outcome::all([Some(refused(false, &output)), message, labels].into_iter().flatten())
}

fn parse_labels(row: &Row<'_>) -> Outcome {
    let labels = texts(row.field("labels"));
    if labels.is_empty() {
        return Outcome::Skipped(NOTHING_ASKED.to_owned());
    }
    let object = pod(&Value::Null);
    let mut bench = Bench::created(std::slice::from_ref(&object));
    let output = bench.run(["label", "pods", "foo"].into_iter().chain(labels));
    if row.flag("expectErr") {
        return refused(true, &output);
    }
    let live = bench.live(&object);
    Outcome::same(row.field("expected"), &labels_of(&live))
}

fn validate_labels(row: &Row<'_>) -> Outcome {
    let labels = row.field("meta").get("labels").unwrap_or(&Value::Null);
    let mut arguments = owned(&["label", "pods", "foo"]);
    arguments.extend(pairs(row.field("labels")));
    refused(row.flag("expectErr"), &run(&mut Bench::created(&[pod(labels)]), &arguments))
}

fn label_errors(row: &Row<'_>) -> Outcome {
    let arguments = texts(row.field("args"));
    refused(true, &Bench::new(&[]).run(["label"].into_iter().chain(arguments)))
}

fn label_message(row: &Row<'_>) -> Outcome {
    let mut arguments = owned(&["label"]);
    arguments.extend(owned(&texts(row.field("args"))));
    if row.flag("overwrite") {
        arguments.push("--overwrite".to_owned());
    }
    if !row.text("dryRun").is_empty() {
        arguments.push(format!("--dry-run={}", row.text("dryRun")));
    }
    let output = run(&mut Bench::created(&[pod(&json!({"existing": "abc"}))]), &arguments);
    match row.field("expectedError").get("error").and_then(Value::as_str) {
        Some(error) => says(error, &output),
        None => Outcome::equal(row.text("expectedOut"), output.stdout),
    }
}

/// Taints in any order, without empty values.
fn sorted(taints: &Value) -> Value {
    let clean = |taint: &Value| -> Map<String, Value> {
        let fields = taint.as_object().into_iter().flatten();
        fields
            .filter(|(_, value)| **value != json!(""))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    };
    let mut taints: Vec<Value> =
        taints.as_array().into_iter().flatten().map(|taint| Value::Object(clean(taint))).collect();
    taints.sort_by_key(Value::to_string);
    Value::Array(taints)
}

fn same_taints(expected: &Value, bench: &mut Bench) -> Outcome {
    let live = bench.live(&node(&Value::Null));
    Outcome::same(&sorted(expected), &sorted(live.pointer("/spec/taints").unwrap_or(&Value::Null)))
}

fn taint(row: &Row<'_>) -> Outcome {
    let mut bench = Bench::new(&[node(row.field("oldTaints"))]);
    let output = bench.run(["taint"].into_iter().chain(texts(row.field("args"))));
    if row.flag("expectFatal") {
        return Outcome::all([refused(true, &output), same_taints(row.field("oldTaints"), &mut bench)]);
    }
    Outcome::all([refused(false, &output), same_taints(row.field("newTaints"), &mut bench)])
}

fn taint_flags(row: &Row<'_>) -> Outcome {
    let options = row.field("taintOpts");
    let mut arguments = owned(&["taint"]);
    match texts(options.get("resources").unwrap_or(&Value::Null)).as_slice() {
        [] => arguments.push("nodes".to_owned()),
        resources => arguments.extend(owned(resources)),
    }
    arguments.push("foo=bar:NoSchedule".to_owned());
    if let Some(selector) = options.get("selector").and_then(Value::as_str).filter(|text| !text.is_empty()) {
        arguments.extend(["-l".to_owned(), selector.to_owned()]);
    }
    if options.get("all") == Some(&Value::Bool(true)) {
        arguments.push("--all".to_owned());
    }
    let mut node = node(&Value::Null);
    node["metadata"]["labels"] = json!({"myLabel": "X"});
    refused(row.flag("expectFatal"), &run(&mut Bench::new(&[node]), &arguments))
}

/// `key[=value][:effect]` of a taint.
fn spec(taint: &Value) -> String {
    let text = |field: &str| taint.get(field).and_then(Value::as_str).unwrap_or_default();
    let value = if text("value").is_empty() { String::new() } else { format!("={}", text("value")) };
    let effect = if text("effect").is_empty() { String::new() } else { format!(":{}", text("effect")) };
    format!("{}{value}{effect}", text("key"))
}

fn specs(taints: &Value, end: &str) -> Vec<String> {
    taints.as_array().into_iter().flatten().map(|taint| format!("{}{end}", spec(taint))).collect()
}

fn delete_taint(row: &Row<'_>) -> Outcome {
    let removed = match row.text("taintKey") {
        "" => spec(row.field("taintToDelete")),
        key => key.to_owned(),
    };
    let mut bench = Bench::new(&[node(row.field("taints"))]);
    let output = bench.run(["taint", "node", "node-name", &format!("{removed}-")]);
    let found = refused(!row.flag("expectedResult"), &output);
    Outcome::all([found, same_taints(row.field("expectedTaints"), &mut bench)])
}

fn taints_exist(row: &Row<'_>) -> Outcome {
    let old = row.file.pointer("/tables/taint_utils.TestCheckIfTaintsAlreadyExists.oldTaints");
    let added = specs(row.field("taintsToCheck"), "");
    if added.is_empty() {
        return Outcome::Skipped(NOTHING_ASKED.to_owned());
    }
    let mut bench = Bench::new(&[node(old.unwrap_or(&Value::Null))]);
    let mut arguments = owned(&["taint", "node", "node-name"]);
    arguments.extend(added);
    let output = run(&mut bench, &arguments);
    match row.text("expectedResult") {
        "" => refused(false, &output),
        keys => says(&format!("already has {keys} taint(s) with same effect(s)"), &output),
    }
}

fn parse_taints(row: &Row<'_>) -> Outcome {
    let removed = row.field("expectedTaintsToRemove");
    let added = row.field("expectedTaints");
    if !added.is_null() && !removed.is_null() {
        return Outcome::Skipped("kubectl refuses to add and remove the same taint in one line".to_owned());
    }
    let effects = |taint: &Value| {
        let mut taint = taint.clone();
        taint["effect"] = taint.get("effect").cloned().unwrap_or_else(|| json!("NoSchedule"));
        taint
    };
    let before: Value = removed.as_array().into_iter().flatten().map(effects).collect();
    let mut bench = Bench::new(&[node(&before)]);
    let output = bench.run(["taint", "node", "node-name"].into_iter().chain(texts(row.field("spec"))));
    if row.flag("expectedErr") {
        return refused(true, &output);
    }
    Outcome::all([refused(false, &output), same_taints(added, &mut bench)])
}

fn reorganize_taints(row: &Row<'_>) -> Outcome {
    let mut changes = specs(row.field("taintsToAdd"), "");
    changes.extend(specs(row.field("taintsToDelete"), "-"));
    if changes.is_empty() {
        return Outcome::Skipped(NOTHING_ASKED.to_owned());
    }
    let mut bench = Bench::new(&[node(&json!([{"key": "foo", "value": "bar", "effect": "NoSchedule"}]))]);
    let mut arguments = owned(&["taint", "node", "node-name"]);
    arguments.extend(changes);
    if row.flag("overwrite") {
        arguments.push("--overwrite".to_owned());
    }
    let output = run(&mut bench, &arguments);
    let after = same_taints(row.field("expectedTaints"), &mut bench);
    if row.flag("expectedErr") {
        return Outcome::all([refused(true, &output), after]);
    }
    let operation = row.text("expectedOperation").to_lowercase();
    Outcome::all([Outcome::equal(format!("node/node-name {operation}\n"), output.stdout), after])
}
