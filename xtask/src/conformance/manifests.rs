//! `seed-yaml` and `website-examples`: manifests that people write, and what becomes of them.

use anyhow::{Context as _, Result};
use podlab_cluster::{Cluster, Profile, Settings};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

use super::kubectl;
use super::masks::Masks;
use super::report::{Figure, Outcome, Recording, Unit, read as read_file};

/// `seed-yaml/NN.yaml`: `kubectl apply -f -` of each, as NOTES.md and validation.jsonl have it.
pub(super) fn seed_yaml(recording: &Recording<'_>) -> Result<Vec<Figure>> {
    let notes = read_file(&recording.path().join("notes.jsonl"))?;
    let notes: Vec<Value> = notes.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let recorded = recorded(recording, "seed/")?;
    let mut units = Vec::new();
    for note in &notes {
        let file = note.get("file").and_then(Value::as_str).unwrap_or_default();
        let name = format!("{}/{file}", recording.name);
        if !wanted(recording, &name) {
            continue;
        }
        let manifest = read_file(&recording.path().join(file))?;
        // The real control plane's answer, or what kubectl said before it asked.
        let alone =
            note.get("real_kubectl").filter(|_| note.get("reached_server") == Some(&Value::Bool(false)));
        let unknown = note.pointer("/strict/unknown_fields").and_then(Value::as_array).into_iter().flatten();
        let unknown: Vec<&str> = unknown.filter_map(Value::as_str).collect();
        if let Some(expected) = recorded.get(file).or(alone) {
            units.push(Unit::run(&*name, || apply(&manifest, Some(expected))));
        } else if unknown.is_empty() {
            units.push(Unit::run(&*name, || apply(&manifest, None)));
        } else {
            units.push(Unit::run(&*name, || refused(&manifest, &unknown)));
        }
    }
    Ok(vec![Figure { name: recording.name.to_owned(), units }])
}

/// `website-examples/**`: accepted as by the real one, and no field unaccounted for.
pub(super) fn website_examples(recording: &Recording<'_>) -> Result<Vec<Figure>> {
    let recorded = recorded(recording, "website/")?;
    let mut files = Vec::new();
    collect(&recording.path(), &recording.path(), &mut files)?;
    files.sort();
    let mut units = Vec::new();
    for file in files {
        let name = format!("{}/{file}", recording.name);
        if !wanted(recording, &name) {
            continue;
        }
        let manifest = read_file(&recording.path().join(&file))?;
        let expected = recorded.get(file.trim_start_matches("content/en/examples/"));
        units.push(Unit::run(&*name, || apply(&manifest, expected)));
    }
    Ok(vec![Figure { name: recording.name.to_owned(), units }])
}

fn wanted(recording: &Recording<'_>, name: &str) -> bool {
    recording.only.is_none_or(|only| only == recording.name || name.starts_with(only))
}

/// `apply` of the records of validation.jsonl whose name has the prefix, by the rest of the name.
fn recorded(recording: &Recording<'_>, prefix: &str) -> Result<BTreeMap<String, Value>> {
    let path = recording.folder.join("cluster").join("validation.jsonl");
    let mut found = BTreeMap::new();
    for line in read_file(&path)?.lines() {
        let record: Value =
            serde_json::from_str(line).with_context(|| format!("{} is no JSON", path.display()))?;
        let name = record.get("name").and_then(Value::as_str).and_then(|name| name.strip_prefix(prefix));
        if let (Some(name), Some(apply)) = (name, record.get("apply")) {
            found.insert(name.to_owned(), apply.clone());
        }
    }
    Ok(found)
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<String>) -> Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            collect(root, &path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            files.push(path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/"));
        }
    }
    Ok(())
}

/// Applies a manifest that names fields which don't exist.
fn refused(manifest: &str, unknown: &[&str]) -> Outcome {
    let mut cluster = whole_cluster();
    let output = match kubectl::run(&mut cluster, &["apply", "-f", "-"], manifest) {
        Ok(output) => output,
        Err(outcome) => return outcome,
    };
    let missing = unknown.iter().find(|field| !output.stderr.contains(&format!("unknown field \"{field}\"")));
    match missing {
        None => Outcome::equal("rc 1", format!("rc {}", output.rc)),
        Some(field) => Outcome::equal(format!("unknown field \"{field}\""), output.stderr),
    }
}

fn whole_cluster() -> Cluster {
    Cluster::forgetful(Settings { profile: Profile::Bare, ..Settings::default() })
}

/// Applies a manifest to a whole cluster.
///
/// Where the real answer is known it must be the same. Elsewhere the manifest must be read to the end, with neither
/// an unknown field nor an unknown kind among its errors; a refusal by the rules of a kind is not judged.
fn apply(manifest: &str, expected: Option<&Value>) -> Outcome {
    let mut cluster = whole_cluster();
    let output = match kubectl::run(&mut cluster, &["apply", "-f", "-"], manifest) {
        Ok(output) => output,
        Err(outcome) => return outcome,
    };
    let Some(expected) = expected else {
        let wrong = ["unknown field", "no matches for kind", "error parsing", "not simulated"];
        // The real one no longer serves early versions either.
        let gone = output.stderr.contains("no matches for kind") && output.stderr.contains("beta");
        let found = wrong.iter().find(|wrong| output.stderr.contains(**wrong) && !gone);
        return match found {
            None => Outcome::Passed,
            Some(_) => Outcome::equal("every kind and field known", output.stderr),
        };
    };
    let text = |field: &str| expected.get(field).and_then(Value::as_str).unwrap_or_default();
    let rc = expected.get("rc").and_then(Value::as_i64).unwrap_or_default();
    let mut masks = Masks::default();
    let (stdout, stderr) =
        (masks.text(text("stdout"), &output.stdout), masks.text(text("stderr"), &output.stderr));
    let all = |stdout: &str, stderr: &str, rc: i64| format!("{stdout}--- stderr\n{stderr}--- rc {rc}\n");
    Outcome::equal(all(text("stdout"), text("stderr"), rc), all(&stdout, &stderr, output.rc))
}
