//! `kubectl explain` against what the real kubectl and API server answered (`data/explain.jsonl`, recorded).

mod common;

use common::*;
use podlab_cluster::Profile;
use serde_json::Value;

#[test]
fn explain_answers_as_recorded() {
    let mut cluster = cluster(Profile::Api);
    let mut differences = Vec::new();
    for line in include_str!("data/explain.jsonl").lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        let argv: Vec<String> =
            record["argv"].as_array().unwrap().iter().map(|v| v.as_str().unwrap().to_owned()).collect();
        let mut machine = Machine::default();
        let env = kubeconfig(&mut machine);
        let code = run(&mut cluster, &mut machine, &argv, env);
        let got = [
            code.to_string(),
            String::from_utf8_lossy(&machine.stdout).into_owned(),
            String::from_utf8_lossy(&machine.stderr).into_owned(),
        ];
        let text = |key: &str| record[key].as_str().unwrap_or_default().to_owned();
        let want = [record["rc"].to_string(), text("stdout"), text("stderr")];
        for (got, want) in got.iter().zip(&want) {
            if got != want {
                let at = got.lines().zip(want.lines()).find(|(a, b)| a != b);
                differences.push(format!(
                    "{}: {at:?}\n  ends {:?} / {:?}",
                    argv.join(" "),
                    tail(got),
                    tail(want)
                ));
            }
        }
    }
    assert!(
        differences.is_empty(),
        "{} differences (got, recorded):\n{}",
        differences.len(),
        differences.join("\n")
    );
}

fn tail(text: &str) -> String {
    text.chars().rev().take(60).collect::<Vec<_>>().into_iter().rev().collect()
}
