//! The recordings of the real kubectl.

mod common;

use common::*;
use podlab_cluster::Profile;
use podlab_kubectl::Env;
use serde_json::Value;
use std::collections::BTreeMap;

fn argv(record: &Value) -> Vec<String> {
    record["argv"].as_array().unwrap().iter().skip(1).map(|v| v.as_str().unwrap().to_owned()).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or("").to_owned()
}

fn fill(machine: &mut Machine, record: &Value) {
    machine.stdin = record["stdin"].as_str().map(|s| s.as_bytes().to_vec());
    for (name, content) in record.get("files").and_then(Value::as_object).into_iter().flatten() {
        machine.files.insert(name.clone(), text(content).into_bytes());
    }
}

#[test]
fn kubectl_alone() {
    let Some(records) = records("kubectl/kubectl-golden.jsonl") else { return };
    let mut tally = Tally::new("kubectl-golden");
    for record in records {
        let mut machine = Machine::default();
        fill(&mut machine, &record);
        let mut vars = BTreeMap::from([("HOME".to_owned(), "/root".to_owned())]);
        for (key, value) in record.get("env").and_then(Value::as_object).into_iter().flatten() {
            vars.insert(key.clone(), text(value));
        }
        let mut cluster = cluster(Profile::Api);
        let code = run(&mut cluster, &mut machine, &argv(&record), Env { vars });
        let mut pairs = vec![
            ("rc", record["rc"].to_string(), code.to_string()),
            ("stderr", text(&record["stderr"]), mask(&String::from_utf8_lossy(&machine.stderr))),
        ];
        if record["needs_server"] != true {
            pairs.push(("stdout", text(&record["stdout"]), String::from_utf8_lossy(&machine.stdout).into()));
        }
        tally.check(&record["id"].to_string(), &record["argv"].to_string(), &pairs);
    }
    tally.finish();
}

#[test]
fn kubectl_with_a_server() {
    let Some(records) = records("kubectl/kubectl-golden-server.jsonl") else { return };
    let Some(data) = truth("dataset.json") else { return };
    let data: Value = serde_json::from_str(&data).unwrap();
    let dataset = objects(data["items"].as_array().unwrap());
    let mut tally = Tally::new("kubectl-golden-server");
    for record in records {
        let mut machine = Machine::default();
        fill(&mut machine, &record);
        let env = kubeconfig(&mut machine);
        let mut cluster = cluster(Profile::Api);
        cluster.restore(dataset.clone(), time("2026-11-21T09:38:30Z"));
        let code = run(&mut cluster, &mut machine, &argv(&record), env);
        let mut out = mask(&String::from_utf8_lossy(&machine.stdout));
        if record["stdout"].as_str().is_some_and(|s| s.contains("<time>")) {
            out = times(&out);
        }
        let (mut want, mut got) = (text(&record["stdout"]), out);
        if record["server_cells"] == true {
            let names = |text: &str| -> String {
                let mut lines = text.lines();
                let head = lines.next().unwrap_or("").to_owned();
                let rows: Vec<&str> = lines.map(|l| l.split_whitespace().next().unwrap_or("")).collect();
                format!("{}\n{}", head.split_whitespace().collect::<Vec<_>>().join(" "), rows.join("\n"))
            };
            (want, got) = (names(&want), names(&got));
        }
        let pairs = [
            ("rc", record["rc"].to_string(), code.to_string()),
            ("stderr", text(&record["stderr"]), mask(&String::from_utf8_lossy(&machine.stderr))),
            ("stdout", want, got),
        ];
        tally.check(&record["id"].to_string(), &record["argv"].to_string(), &pairs);
    }
    tally.finish();
}
