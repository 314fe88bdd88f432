//! get, describe and their kin against the recordings of the real cluster's tables.

mod common;

use common::*;
use podlab_cluster::Profile;
use serde_json::Value;

fn restored() -> Option<podlab_cluster::Cluster> {
    let state: Value = serde_json::from_str(&truth("cluster/tables-state.json")?).unwrap();
    let items = state.get("items").unwrap_or(&state);
    let items: Vec<Value> = match items {
        Value::Array(items) => items.clone(),
        Value::Object(map) => map.values().cloned().collect(),
        _ => Vec::new(),
    };
    let mut cluster = cluster(Profile::Api);
    cluster.restore(objects(&items), time("2026-11-21T12:32:00Z"));
    Some(cluster)
}

#[test]
fn tables_and_descriptions() {
    let (Some(records), Some(cluster)) = (records("cluster/tables.jsonl"), restored()) else { return };
    let mut gets = Tally::new("tables-get");
    let mut describes = Tally::new("tables-describe");
    let mut commands = Tally::new("tables-commands");
    for record in records {
        let name = record["name"].as_str().unwrap().to_owned();
        let go = |line: &[String], at: &Value, object: Option<&Value>| {
            let mut cluster = cluster.clone();
            let at =
                at.get(1).or(at.get(0)).and_then(Value::as_str).unwrap_or("2026-11-21T12:34:00Z").to_owned();
            cluster.restore(objects(&object.into_iter().cloned().collect::<Vec<_>>()), time(&at));
            let mut machine = Machine::default();
            let env = kubeconfig(&mut machine);
            let code = run(&mut cluster, &mut machine, line, env);
            let text = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
            (code, text(&machine.stdout), text(&machine.stderr))
        };
        if let Some(argv) = record.get("argv") {
            let line: Vec<String> = match argv {
                Value::String(s) => s.split_whitespace().skip(1).map(str::to_owned).collect(),
                other => {
                    other.as_array().unwrap().iter().skip(1).map(|v| v.as_str().unwrap().to_owned()).collect()
                }
            };
            let (code, out, err) = go(&line, &record["at"], None);
            let want = |k: &str| record[k].as_str().unwrap_or("").to_owned();
            commands.check(
                &name,
                "",
                &[
                    ("rc", record["rc"].to_string(), code.to_string()),
                    ("stderr", want("stderr"), err),
                    ("stdout", want("stdout"), out),
                ],
            );
            continue;
        }
        let object = &record["object"];
        let Some(kind) = podlab_api::kinds::by_gvk(
            object["apiVersion"].as_str().unwrap_or(""),
            object["kind"].as_str().unwrap_or(""),
        ) else {
            continue;
        };
        let what = if kind.group.is_empty() {
            kind.plural.to_owned()
        } else {
            format!("{}.{}", kind.plural, kind.group)
        };
        let mut line = vec![String::new(), what, object["metadata"]["name"].as_str().unwrap().to_owned()];
        if let Some(ns) = object["metadata"]["namespace"].as_str() {
            line.extend(["-n".to_owned(), ns.to_owned()]);
        }
        for (part, extra, verb) in
            [("get", "", "get"), ("wide", "-owide --show-labels", "get"), ("describe", "", "describe")]
        {
            let Some(want) = record.get(part) else { continue };
            let mut line = line.clone();
            line[0] = verb.to_owned();
            line.extend(extra.split_whitespace().map(str::to_owned));
            let (_, out, err) = go(&line, &want["at"], Some(object));
            let tally = if part == "describe" { &mut describes } else { &mut gets };
            tally.check(
                &name,
                part,
                &[
                    ("stdout", want["stdout"].as_str().unwrap_or("").to_owned(), out),
                    ("stderr", want["stderr"].as_str().unwrap_or("").to_owned(), err),
                ],
            );
        }
    }
    gets.finish();
    describes.finish();
    commands.finish();
}
