//! What real kubectl and the real API server said about YAML, against this crate.

use std::path::PathBuf;

use podlab_yaml::{parse_documents, parse_json, to_json_indented, to_yaml};
use serde_json::Value;

/// The recordings' folder; tests that need it say so and pass where it is not.
fn truth(path: &str) -> Option<PathBuf> {
    let base = std::env::var_os("PODLAB_TRUTH")
        .map(PathBuf::from)
        .unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/truth"));
    let path = base.join(path);
    if path.exists() {
        Some(path)
    } else {
        eprintln!("skipped: {} is not there", path.display());
        None
    }
}

fn lines(path: &str) -> Vec<Value> {
    let Some(path) = truth(path) else { return Vec::new() };
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn files_below(folder: PathBuf, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files_below(path, found);
        } else {
            found.push(path);
        }
    }
}

/// An output with times put in for the recorder's placeholders.
fn filled(out: &Value) -> String {
    let out = out.as_str().unwrap_or_default();
    out.replace("<timestamp>", "2020-01-01T00:00:00Z").replace("<time>", "2020-01-01T00:00:00Z")
}

/// What kubectl says about reading `text`, if it is something.
fn reading_error(text: &str) -> Option<String> {
    parse_documents(text).error.map(|error| format!("error: error parsing STDIN: {error}"))
}

fn is_reading_error(text: &str) -> bool {
    text.contains("error parsing")
}

#[test]
fn study_notes_are_read_or_refused_as_kubectl_did() {
    let mut wrong = Vec::new();
    for note in lines("seed-yaml/notes.jsonl") {
        let name = format!("seed-yaml/{}", note["file"].as_str().unwrap());
        let text = std::fs::read_to_string(truth(&name).unwrap()).unwrap();
        let said = note.to_string();
        let expected = said.find("error parsing STDIN: ").map(|at| {
            let rest = &said[at..];
            rest[..rest.find("\\n").or(rest.find('"')).unwrap()].to_owned()
        });
        let got = reading_error(&text).map(|text| text.replacen("error: ", "", 1));
        if expected != got {
            wrong.push(format!("{name}: expected {expected:?}, got {got:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn recorded_manifests_are_read_or_refused_as_kubectl_did() {
    let mut wrong = Vec::new();
    let mut errors = 0;
    for record in lines("cluster/validation.jsonl") {
        let (Some(manifest), Some(said)) = (record["manifest"].as_str(), record["create"]["stderr"].as_str())
        else {
            continue;
        };
        if record.get("manifest_cut").is_some() {
            continue;
        }
        let expected = is_reading_error(said).then(|| said.trim_end().to_owned());
        errors += usize::from(expected.is_some());
        let got = reading_error(manifest);
        if expected != got {
            wrong.push(format!("{}: expected {expected:?}, got {got:?}", record["name"]));
        }
    }
    eprintln!("{errors} reading errors");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn keys_that_are_twice_are_worded_as_the_api_server_does() {
    let mut seen = 0;
    for record in lines("cluster/validation.jsonl") {
        let Some(manifest) = record["manifest"].as_str() else { continue };
        let expected: Vec<&str> = record["raw"]["warnings"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .filter(|text| text.contains("already set in map"))
            .collect();
        if expected.is_empty() {
            continue;
        }
        seen += 1;
        let read = parse_documents(manifest);
        let got: Vec<&str> = read.documents[0].duplicates.iter().map(|d| d.text.as_str()).collect();
        assert_eq!(got, expected, "{}", record["name"]);
    }
    assert!(seen > 0 || truth("cluster").is_none());
}

#[test]
fn recorded_command_lines_get_their_reading_errors() {
    for file in ["kubectl/kubectl-golden.jsonl", "kubectl/kubectl-golden-server.jsonl"] {
        for record in lines(file) {
            let said = record["stderr"].as_str().unwrap_or_default();
            let Some(at) = said.find("error parsing ") else { continue };
            let said = &said[at..];
            let source = said["error parsing ".len()..].split(": ").next().unwrap();
            let text = match source {
                "STDIN" => record["stdin"].as_str(),
                name => record["files"][name].as_str(),
            };
            let Some(text) = text else {
                eprintln!("no text for {said}");
                continue;
            };
            let error = parse_documents(text).error.map(|error| error.to_string());
            let expected = said.trim_end().split_once(": ").map(|(_, text)| text.to_owned());
            assert_eq!(error, expected, "{}", record["argv"]);
        }
    }
}

/// Whatever kubectl printed as one YAML object reads and prints again as the same text.
#[test]
fn printed_yaml_comes_back_byte_for_byte() {
    let (mut seen, mut wrong) = (0, Vec::new());
    for file in [
        "kubectl/kubectl-golden.jsonl",
        "kubectl/kubectl-golden-server.jsonl",
        "kubectl/seed-commands-golden.jsonl",
    ] {
        for record in lines(file) {
            let out = &filled(&record["stdout"]);
            if !(out.starts_with("apiVersion:") || out.starts_with("kind:")) {
                continue;
            }
            seen += 1;
            let read = parse_documents(out);
            assert!(read.error.is_none(), "{:?}\n{out}", read.error);
            // `kubectl label --local` prints objects one behind the other, with nothing between.
            if read.documents.iter().any(|document| !document.duplicates.is_empty()) {
                continue;
            }
            let printed: Vec<String> =
                read.documents.iter().map(|document| to_yaml(&document.value)).collect();
            let printed = printed.join("---\n");
            if printed != *out {
                wrong.push(format!("{}\n--- recorded\n{out}\n--- ours\n{printed}", record["argv"]));
            }
        }
    }
    eprintln!("{seen} outputs, {} differ", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn printed_json_comes_back_byte_for_byte() {
    let (mut seen, mut wrong) = (0, Vec::new());
    for file in [
        "kubectl/kubectl-golden.jsonl",
        "kubectl/kubectl-golden-server.jsonl",
        "kubectl/seed-commands-golden.jsonl",
    ] {
        for record in lines(file) {
            let out = &filled(&record["stdout"]);
            let Ok(value) = parse_json(out) else { continue };
            // Objects that kubectl made itself have the order of their Go struct, `kind` first.
            if !out.starts_with("{\n    \"apiVersion") {
                continue;
            }
            seen += 1;
            let printed = to_json_indented(&value);
            if printed != *out {
                wrong.push(format!("{}\n--- recorded\n{out}\n--- ours\n{printed}", record["argv"]));
            }
        }
    }
    eprintln!("{seen} outputs, {} differ", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn examples_of_the_kubernetes_website_are_read() {
    let Some(folder) = truth("website-examples") else { return };
    let mut files = Vec::new();
    files_below(folder, &mut files);
    let mut seen = 0;
    for path in files {
        let name = path.to_string_lossy().into_owned();
        if !(name.ends_with(".yaml") || name.ends_with(".yml") || name.ends_with(".json")) {
            continue;
        }
        seen += 1;
        let read = parse_documents(&std::fs::read_to_string(&path).unwrap());
        assert!(read.error.is_none(), "{name}: {:?}", read.error);
        for document in &read.documents {
            let again = parse_documents(&to_yaml(&document.value));
            assert_eq!(again.documents[0].value, document.value, "{name}");
        }
    }
    assert!(seen > 100, "{seen}");
}
