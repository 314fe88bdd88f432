//! `cluster/validation.jsonl`: what the API server accepts, and what it and kubectl say.

use anyhow::Result;
use podlab_cluster::{Cluster, Profile};
use serde_json::{Map, Value, json};

use super::kubectl::{self, Output};
use super::lab;
use super::masks::Masks;
use super::report::{Figure, Outcome, Recording, Unit, read as read_file};

pub(super) fn read(recording: &Recording<'_>) -> Result<Vec<Figure>> {
    let mut units = Vec::new();
    for record in recording.lines()? {
        let name = text(&record, "name").to_owned();
        units.push(Unit::run(name, || match manifest(recording, &record) {
            Ok(manifest) => compare(&record, &manifest, recording.part),
            Err(error) => Outcome::Failed { expected: "a manifest".to_owned(), got: error.to_string() },
        }));
    }
    let part = recording.part.map(|part| format!(":{part}")).unwrap_or_default();
    Ok(vec![Figure { name: format!("{}{part}", recording.name), units }])
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}

pub(super) fn manifest(recording: &Recording<'_>, record: &Value) -> Result<String> {
    match record.get("manifest_path").and_then(Value::as_str) {
        Some(path) => read_file(&recording.folder.join(path)),
        None => Ok(text(record, "manifest").to_owned()),
    }
}

fn compare(record: &Value, manifest: &str, part: Option<&str>) -> Outcome {
    if record.get("manifest_cut").is_some() {
        return Outcome::Skipped("the recording cut the manifest".to_owned());
    }
    if part == Some("raw") && record.get("raw").or(record.get("raw_put")).is_none() {
        return Outcome::Skipped("nothing was sent past kubectl".to_owned());
    }
    let raw = record.get("raw").map(|expected| raw(record, manifest, expected));
    let put = record.get("raw_put").map(|expected| raw_put(record, expected));
    let answers = Outcome::all(raw.into_iter().chain(put));
    match answers {
        Outcome::Failed { .. } => answers,
        answers if part == Some("raw") => answers,
        answers => Outcome::all([answers, kubectl_outputs(record, manifest)]),
    }
}

/// The state before: objects that exist, a quota's status, and, where things are done again, the object itself.
fn before(record: &Value, manifest: &str) -> Cluster {
    let mut cluster = lab::empty(Profile::Api);
    for object in lab::documents(text(record, "pre")) {
        lab::create(&mut cluster, &object);
        // The recording's controllers had given a new namespace its account by then.
        if object.get("kind").is_some_and(|kind| kind == "Namespace") {
            let namespace = object.pointer("/metadata/name").cloned().unwrap_or_default();
            let account = json!({"apiVersion": "v1", "kind": "ServiceAccount",
                "metadata": {"name": "default", "namespace": namespace}});
            lab::create(&mut cluster, &account);
        }
        if let Some(status) = record.get("pre_status").filter(|status| !status.is_null()) {
            lab::set_status(&mut cluster, &object, status);
        }
    }
    if text(record, "name").starts_with("again/") {
        for object in lab::documents(manifest) {
            lab::create(&mut cluster, &object);
        }
    }
    cluster
}

/// A POST of the manifest, whatever kubectl would have said of it.
fn raw(record: &Value, manifest: &str, expected: &Value) -> Outcome {
    let mut cluster = before(record, manifest);
    let response = match text(record, "raw_content_type") {
        "application/json" => match lab::sent_documents(manifest).first() {
            Some(object) => lab::create(&mut cluster, object),
            None => return unreadable(),
        },
        _ => match podlab_yaml::parse_document(manifest) {
            Ok(body) => lab::create_yaml(&mut cluster, &body),
            Err(_) => return unreadable(),
        },
    };
    let Some(response) = response else {
        return Outcome::equal(expected.to_string(), "no such kind");
    };
    let mut expected = expected.clone();
    if let (Some(object), Some(answer)) = (record.get("object"), expected.as_object_mut()) {
        answer.insert("object".to_owned(), object.clone());
    }
    same_answer(&expected, &lab::answer(&response))
}

fn unreadable() -> Outcome {
    Outcome::Skipped("a body that is no YAML at all never reaches podlab's door".to_owned())
}

/// Compares what the recording holds of an answer.
fn same_answer(expected: &Value, got: &Value) -> Outcome {
    let expected = expected.as_object().cloned().unwrap_or_default();
    let got: Map<String, Value> =
        expected.keys().filter_map(|key| Some((key.clone(), got.get(key)?.clone()))).collect();
    let (expected, got) = (Value::Object(expected), Value::Object(got));
    let masked = Masks::default().tree(&expected, &got);
    Outcome::same(&expected, &masked)
}

/// A PUT of the live object with a change.
fn raw_put(record: &Value, expected: &Value) -> Outcome {
    let mut cluster = lab::empty(Profile::Api);
    let documents = lab::documents(text(record, "before"));
    let Some(object) = documents.first() else { return Outcome::equal("an object before", "none") };
    lab::create(&mut cluster, object);
    let Some(mut live) = lab::live(&mut cluster, object) else {
        return Outcome::equal("an object before", "it was refused");
    };
    let Some((resource, namespace, name)) = lab::place(&live) else {
        return Outcome::equal("an object before", "no such kind");
    };
    for change in text(record, "change").split(" ;; ") {
        apply_change(&mut live, change);
    }
    let request = podlab_api::Request::update(resource, &namespace, &name, live);
    let response = podlab_api::Door::request(&mut cluster, request);
    same_answer(expected, &lab::answer(&response))
}

/// The recorder's little language: `a/0/b=YAML` sets, `a/b!` removes, `@x=YAML` sets a field of the first container.
fn apply_change(object: &mut Value, change: &str) {
    if let Some(path) = change.strip_suffix('!') {
        let (parent, key) = path.rsplit_once('/').unwrap_or(("", path));
        if let Some(fields) = at(object, parent).and_then(Value::as_object_mut) {
            fields.remove(key);
        }
        return;
    }
    let Some((path, yaml)) = change.split_once('=') else { return };
    let path = match path.strip_prefix('@') {
        Some(field) => format!("spec/containers/0/{field}"),
        None => path.to_owned(),
    };
    let value = podlab_yaml::parse_document(yaml).map(|document| document.value).unwrap_or_default();
    let (parent, key) = path.rsplit_once('/').unwrap_or(("", &path));
    match at(object, parent) {
        Some(Value::Object(fields)) => {
            fields.insert(key.to_owned(), value);
        }
        Some(Value::Array(items)) => {
            if let Some(item) = key.parse().ok().and_then(|index: usize| items.get_mut(index)) {
                *item = value;
            }
        }
        _ => {}
    }
}

/// The part of a tree at a path; objects that are missing are made.
fn at<'a>(object: &'a mut Value, path: &str) -> Option<&'a mut Value> {
    let mut value = object;
    for part in path.split('/').filter(|part| !part.is_empty()) {
        value = match value {
            Value::Array(items) => items.get_mut(part.parse::<usize>().ok()?)?,
            Value::Object(fields) => fields.entry(part).or_insert_with(|| json!({})),
            _ => return None,
        };
    }
    Some(value)
}

/// kubectl command lines by the name under which a record holds their output, in the order in which they were run.
const COMMANDS: &[(&str, &[&str])] = &[
    ("create", &["create", "-f", "-"]),
    ("create_validate_false", &["create", "--validate=false", "-f", "-"]),
    ("create_validate_warn", &["create", "--validate=warn", "-f", "-"]),
    ("apply", &["apply", "-f", "-"]),
    ("apply_over_created", &["apply", "-f", "-"]),
    ("apply_again", &["apply", "-f", "-"]),
    ("replace", &["replace", "-f", "-"]),
    ("delete", &["delete", "-f", "-"]),
    ("delete_absent", &["delete", "-f", "-"]),
    ("replace_absent", &["replace", "-f", "-"]),
    ("delete_absent_ignore", &["delete", "--ignore-not-found", "-f", "-"]),
    ("create_dry_server", &["create", "--dry-run=server", "-f", "-"]),
    ("apply_dry_server", &["apply", "--dry-run=server", "-f", "-"]),
    ("apply_server_side", &["apply", "--server-side", "-f", "-"]),
];

fn kubectl_outputs(record: &Value, manifest: &str) -> Outcome {
    let again = text(record, "name").starts_with("again/");
    let update = record.get("before").is_some();
    let mut shared = before(record, manifest);
    let mut parts = Vec::new();
    for (name, command) in COMMANDS {
        let Some(expected) = record.get(*name).filter(|expected| !expected.is_null()) else { continue };
        // What is done again goes on in one cluster; all else begins anew.
        let mut fresh = before(record, manifest);
        if update {
            let how = if *name == "apply" { "apply" } else { "create" };
            if let Err(outcome) = kubectl::run(&mut fresh, &[how, "-f", "-"], text(record, "before")) {
                return outcome;
            }
        }
        let cluster = if again { &mut shared } else { &mut fresh };
        match kubectl::run(cluster, command, manifest) {
            Ok(output) => parts.push(same_output(name, expected, &output)),
            Err(outcome) => return outcome,
        }
    }
    Outcome::all(parts)
}

fn same_output(name: &str, expected: &Value, got: &Output) -> Outcome {
    let mut masks = Masks::default();
    let field = |field: &str| text(expected, field).to_owned();
    let all =
        |stdout: &str, stderr: &str, rc: i64| format!("[{name}]\n{stdout}--- stderr\n{stderr}--- rc {rc}\n");
    let rc = expected.get("rc").and_then(Value::as_i64).unwrap_or_default();
    let stdout = masks.text(&field("stdout"), &got.stdout);
    let stderr = masks.text(&field("stderr"), &got.stderr);
    Outcome::equal(all(&field("stdout"), &field("stderr"), rc), all(&stdout, &stderr, got.rc))
}
