//! Random command lines, most of them wrong, against what kubectl 1.37.1 said without a cluster
//! (`tests/data/command_lines.jsonl`; the lines of its discovery cache are left out).

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod common;

use common::Machine;
use podlab_cluster::{Cluster, Settings};
use podlab_kubectl::{Env, Step};
use serde_json::Value;

/// How many are not answered so yet: the order of checks in `set`, `cordon` and `taint`, several missing files at once,
/// `cluster-info dump`.
const KNOWN: usize = 26;

#[test]
fn command_lines_are_answered_as_the_real_one_does() {
    let mut cluster = Cluster::new(Settings::default());
    let mut differing = 0;
    for line in include_str!("data/command_lines.jsonl").lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        let words = record["argv"].as_array().unwrap().iter();
        let argv: Vec<String> = words.map(|word| word.as_str().unwrap().to_owned()).collect();
        let mut machine = Machine::default();
        let mut invocation = podlab_kubectl::run(&argv, Env::default());
        let code = loop {
            match invocation.step(&mut cluster, &mut machine) {
                Step::Done(code) => break i64::from(code),
                Step::Yield => {}
                Step::Wait(_) => break -1,
            }
        };
        let text = |bytes: &[u8]| -> String {
            let all = String::from_utf8_lossy(bytes);
            all.lines().filter(|l| !l.contains("memcache.go")).map(|l| format!("{l}\n")).collect()
        };
        let got = (text(&machine.stdout), text(&machine.stderr), code);
        let field = |key: &str| record[key].as_str().unwrap().to_owned();
        let expected = (field("stdout"), field("stderr"), record["rc"].as_i64().unwrap());
        if got != expected {
            eprintln!("{argv:?}\n  {expected:?}\n  {got:?}");
            differing += 1;
        }
    }
    assert_eq!(differing, KNOWN);
}
