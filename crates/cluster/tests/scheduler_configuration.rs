//! What a real kube-scheduler says of configurations: recordings of 1.37.1.
//!
//! The build that was recorded names its scheme by another line than the released one.

use podlab_cluster::scheduler::configuration;
use serde_json::Value;

const RECORDED: &str = include_str!("data/scheduler_configurations.jsonl");
const SCHEME: [&str; 2] =
    ["pkg/runtime/scheme.go:111", "k8s.io/kubernetes/pkg/scheduler/apis/config/scheme/scheme.go:30"];

#[test]
fn configurations_are_refused_in_the_words_of_the_real_program() {
    let recorded = std::env::var("SCHEDULER_CONFIGURATIONS").ok();
    let recorded = recorded.map(|file| std::fs::read_to_string(file).unwrap());
    let recorded = recorded.as_deref().unwrap_or(RECORDED);
    let (mut wrong, mut count) = (Vec::new(), 0);
    for line in recorded.lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        let says = record["says"].as_str().unwrap().replace(SCHEME[0], SCHEME[1]);
        let got = match configuration::read(&record["config"]) {
            Ok(_) => "RUNS".to_owned(),
            Err(text) => text,
        };
        count += 1;
        if got != says {
            wrong.push(format!("{}\n  want {says}\n  got  {got}", record["config"]));
        }
    }
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
}
