//! `kubectl kustomize` against recordings of kubectl 1.37.1 (`tests/data/kustomize.jsonl`; the working directory is
//! `/root`).

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod common;

use common::Machine;
use podlab_cluster::{Cluster, Settings};
use podlab_kubectl::{Env, Step};
use serde_json::Value;

/// Texts that quote Go's own structures, which are told in words here.
const OTHER_WORDS: usize = 2;

#[test]
fn kustomize_prints_what_the_real_one_does() {
    let mut cluster = Cluster::new(Settings::default());
    let mut differing = Vec::new();
    for (number, line) in include_str!("data/kustomize.jsonl").lines().enumerate() {
        let record: Value = serde_json::from_str(line).unwrap();
        let mut machine = Machine::default();
        for (name, content) in record["files"].as_object().unwrap() {
            let content = content.as_str().unwrap().as_bytes().to_vec();
            machine.files.insert(name.trim_start_matches("../").to_owned(), content);
        }
        let argv: Vec<String> =
            record["argv"].as_array().unwrap().iter().map(|w| w.as_str().unwrap().to_owned()).collect();
        let mut invocation = podlab_kubectl::run(&argv, Env::default());
        let code = loop {
            match invocation.step(&mut cluster, &mut machine) {
                Step::Done(code) => break code,
                Step::Yield => {}
                Step::Wait(_) => unreachable!(),
            }
        };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let got = (text(&machine.stdout), text(&machine.stderr), i64::from(code));
        let field = |key: &str| record[key].as_str().unwrap().to_owned();
        let expected = (field("stdout"), field("stderr"), record["rc"].as_i64().unwrap());
        if got != expected {
            eprintln!(
                "=== {number} {argv:?}\n--- expected\n{}{}{}\n--- got\n{}{}{}",
                expected.0, expected.1, expected.2, got.0, got.1, got.2
            );
            differing.push(number);
        }
    }
    assert_eq!(differing.len(), OTHER_WORDS, "{differing:?}");
}
