//! Random pods and selectors: podlab must answer what a real cluster answered.
//!
//! The cases come from `differential/generate.py`, the answers from `differential/record.py`. What differs and why
//! stands in [`KNOWN`]; a case that is listed there and passes fails the test, so the list only shrinks.

use podlab_cluster::{Cluster, Profile, Settings};
use podlab_kubectl::{DirEntry, Env, FileError, Io, Stdin, Step};
use serde_json::Value;
use std::collections::BTreeMap;

/// Cases that differ: their number in the file (from 1) and the reason.
const KNOWN: &[(usize, &str)] = &[];

struct Streams {
    input: Option<Vec<u8>>,
    out: Vec<u8>,
    err: Vec<u8>,
}

impl Io for Streams {
    fn stdout(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }
    fn stderr(&mut self, bytes: &[u8]) {
        self.err.extend_from_slice(bytes);
    }
    fn stdin(&mut self) -> Stdin {
        self.input.take().map_or(Stdin::End, Stdin::Data)
    }
    fn is_terminal(&self) -> bool {
        false
    }
    fn read_file(&mut self, path: &str) -> Result<Vec<u8>, FileError> {
        let config = path.ends_with(".kube/config");
        config.then(|| podlab_kubectl::config::default_kubeconfig().into_bytes()).ok_or(FileError::NotFound)
    }
    fn write_file(&mut self, _: &str, _: &[u8]) -> Result<(), FileError> {
        Err(FileError::Denied)
    }
    fn read_dir(&mut self, _: &str) -> Result<Vec<DirEntry>, FileError> {
        Err(FileError::NotFound)
    }
}

fn kubectl(cluster: &mut Cluster, args: &[&str], input: &str) -> (i32, String, String) {
    let mut words = vec!["-n".to_owned(), "differential".to_owned()];
    words.extend(args.iter().map(|a| (*a).to_owned()));
    let env = Env { vars: BTreeMap::from([("HOME".to_owned(), "/home".to_owned())]) };
    let mut run = podlab_kubectl::run(&words, env);
    let mut io = Streams { input: Some(input.as_bytes().to_vec()), out: Vec::new(), err: Vec::new() };
    for _ in 0..1000 {
        if let Step::Done(code) = run.step(cluster, &mut io) {
            let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
            return (code, text(io.out), text(io.err));
        }
    }
    panic!("kubectl {args:?} does not end");
}

/// What no two clusters agree on.
fn normalize(object: &mut Value) {
    if let Some(meta) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        for key in ["uid", "creationTimestamp", "resourceVersion", "managedFields"] {
            meta.remove(key);
        }
    }
    rename(object, &mut BTreeMap::new());
}

/// Random suffixes of the token's volume become the same.
fn rename(value: &mut Value, _seen: &mut BTreeMap<String, String>) {
    match value {
        Value::String(text) if text.starts_with("kube-api-access-") => *text = "kube-api-access-x".to_owned(),
        Value::Array(items) => items.iter_mut().for_each(|v| rename(v, _seen)),
        Value::Object(map) => map.values_mut().for_each(|v| rename(v, _seen)),
        _ => {}
    }
}

#[test]
fn random_pods_and_selectors_are_answered_as_by_a_real_cluster() {
    let text = include_str!("differential/answers.jsonl");
    let mut cluster = Cluster::new(Settings { profile: Profile::Api, ..Settings::default() });
    kubectl(&mut cluster, &["create", "namespace", "differential"], "");
    let account = podlab_cluster::bootstrap::service_account("differential");
    assert_eq!(kubectl(&mut cluster, &["create", "-f", "-"], &account.to_string()).0, 0);
    let mut wrong = Vec::new();
    let mut cases = 0;
    for (index, line) in text.lines().enumerate() {
        let case: Value = serde_json::from_str(line).expect("a case a line");
        if let Some(labels) = case["labels"].as_object() {
            for (name, labels) in labels {
                let pod = serde_json::json!({"apiVersion": "v1", "kind": "Pod",
                    "metadata": {"name": name, "labels": labels},
                    "spec": {"nodeSelector": {"nobody": "has-this"}, "containers": [{"name": "c", "image": "nginx"}]}});
                assert_eq!(kubectl(&mut cluster, &["create", "-f", "-"], &pod.to_string()).0, 0);
            }
            continue;
        }
        cases += 1;
        let answer = &case["answer"];
        let (code, out, err) = match case["selector"].as_str() {
            Some(selector) => kubectl(&mut cluster, &["get", "pods", "-o", "name", "-l", selector], ""),
            None => {
                let args = ["create", "-f", "-", "--dry-run=server", "-o", "json"];
                kubectl(&mut cluster, &args, &case["pod"].to_string())
            }
        };
        let mut problems = Vec::new();
        if i64::from(code) != answer["rc"] {
            problems.push(format!("exit code {code}, real {}", answer["rc"]));
        }
        if Some(err.as_str()) != answer["stderr"].as_str() {
            problems.push(format!("stderr {err:?}\n    real   {}", answer["stderr"]));
        }
        match case.get("object") {
            Some(object) => {
                let mut real = object.clone();
                normalize(&mut real);
                let mut ours: Value = serde_json::from_str(&out).unwrap_or_default();
                normalize(&mut ours);
                if ours != real {
                    problems.push(format!("object {ours}\n    real   {real}"));
                }
            }
            None if Some(out.as_str()) != answer["stdout"].as_str() && case.get("selector").is_some() => {
                problems.push(format!("stdout {out:?}\n    real   {}", answer["stdout"]));
            }
            None => {}
        }
        let known = KNOWN.iter().any(|(number, _)| *number == index + 1);
        if known && problems.is_empty() {
            wrong.push(format!("case {} passes: take it off the list", index + 1));
        } else if !known && !problems.is_empty() {
            wrong.push(format!("case {}: {}\n  {}", index + 1, problems.join("\n  "), case["pod"]));
        }
    }
    assert!(cases >= 200, "only {cases} cases");
    println!("{} of {cases} cases differ", wrong.len());
    assert!(wrong.is_empty(), "{}\n{} of {cases}", wrong.join("\n"), wrong.len());
}
