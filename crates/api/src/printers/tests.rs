//! Tests of `printers`.
use super::*;
use serde_json::json;
use std::path::PathBuf;

fn truth(file: &str) -> Option<String> {
    let dir = std::env::var("PODLAB_TRUTH")
        .map(PathBuf::from)
        .unwrap_or_else(|_| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/truth"));
    let text = std::fs::read_to_string(dir.join(file)).ok();
    if text.is_none() {
        println!("{file}: absent, skipped");
    }
    text
}

/// Objects of the recordings carry placeholders where times may stand.
fn object(value: &Value) -> Option<Object> {
    Object::from_value(value.clone()).ok()
}

#[test]
fn tables_are_those_of_the_real_server() {
    let Some(text) = truth("cluster/tables.jsonl") else { return };
    let (mut passed, mut all) = (0, 0);
    for line in text.lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        let Some(want) = record.get("table") else { continue };
        all += 1;
        let Some(object) = object(&record["object"]).map(Arc::new) else {
            println!("{}: not an object", record["name"]);
            continue;
        };
        let wanted: Vec<Value> = want["columns"]
            .as_array()
            .unwrap()
            .iter()
            .map(|c| json!([c["name"], c["type"], c["priority"], c.get("format").unwrap_or(&json!(""))]))
            .collect();
        let ok = want["at"].as_array().unwrap().iter().any(|at| {
            let table = table(object.kind, &[Arc::clone(&object)], at.as_str().unwrap().parse().unwrap());
            let columns: Vec<Value> =
                table.columns.iter().map(|c| json!([c.name, c.kind, c.priority, c.format])).collect();
            let same = columns == wanted && want["rows"] == json!([table.rows[0].cells]);
            if !same {
                println!(
                    "{}\n  want {} {}\n  got  {} {}",
                    record["name"],
                    json!(wanted),
                    want["rows"],
                    json!(columns),
                    json!(table.rows[0].cells)
                );
            }
            same
        });
        passed += usize::from(ok);
    }
    println!("tables.jsonl tables: {passed} of {all}");
    assert!(all - passed <= 2);
}

/// Upstream leaves out what the decoder needs; ages are written as time before now.
fn filled(pod: &Value, now: Timestamp) -> Option<Object> {
    let mut pod = pod.clone();
    pod["apiVersion"] = "v1".into();
    pod["kind"] = "Pod".into();
    fn fill(value: &mut Value, now: Timestamp) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(|v| fill(v, now)),
            Value::Object(map) => map.values_mut().for_each(|v| fill(v, now)),
            Value::String(text) => {
                if let Some(rest) = text.strip_prefix("ago:") {
                    let mut seconds = 0;
                    for part in rest.split('+') {
                        let product: i64 = part
                            .split('*')
                            .map(|f| match f.trim() {
                                "time.Hour" => 3600,
                                "time.Minute" => 60,
                                "time.Second" => 1,
                                n => n.parse().unwrap_or(1),
                            })
                            .product();
                        seconds += product;
                    }
                    let then = Timestamp::from_second(now.as_second() - seconds).unwrap();
                    *value = then.to_string().into();
                } else if text.is_empty() {
                    *value = Value::Null;
                }
            }
            _ => {}
        }
    }
    fill(&mut pod, now);
    for key in ["containerStatuses", "initContainerStatuses"] {
        for status in pod["status"].get_mut(key).and_then(Value::as_array_mut).into_iter().flatten() {
            for (field, value) in [
                ("name", json!("")),
                ("image", json!("")),
                ("imageID", json!("")),
                ("ready", json!(false)),
                ("restartCount", json!(0)),
            ] {
                if status.get(field).is_none() {
                    status[field] = value;
                }
            }
            for state in ["state", "lastState"] {
                if let Some(end) = status.get_mut(state).and_then(|s| s.get_mut("terminated"))
                    && end.get("exitCode").is_none()
                {
                    end["exitCode"] = json!(0);
                }
            }
        }
    }
    for key in ["containers", "initContainers"] {
        for c in pod["spec"].get_mut(key).and_then(Value::as_array_mut).into_iter().flatten() {
            if c.get("name").is_none() {
                c["name"] = json!("");
            }
        }
    }
    Object::from_value(pod).map_err(|e| println!("{e}")).ok()
}

#[test]
fn pod_status_column_follows_upstreams_cases() {
    let Some(text) = truth("tables/pod_status_column.json") else { return };
    let data: Value = serde_json::from_str(&text).unwrap();
    let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let (mut passed, mut all) = (0, 0);
    for rows in data["tables"].as_object().unwrap().values() {
        for case in rows.as_array().unwrap() {
            let Some(pod) = case.get("pod") else { continue };
            if case.to_string().contains("$go:") {
                continue;
            }
            all += 1;
            let Some(object) = filled(pod, now).map(Arc::new) else { continue };
            let table = table(object.kind, std::slice::from_ref(&object), now);
            let want = case["rows"][0]["cells"].as_array().unwrap();
            let got = &table.rows[0].cells;
            let shown = |v: &Value| v.as_str().map_or_else(|| v.to_string(), str::to_owned);
            if want.iter().zip(got).all(|(w, g)| shown(w) == shown(g)) {
                passed += 1;
            } else {
                println!("want {}\ngot  {}", json!(want), json!(got));
            }
        }
    }
    println!("pod_status_column.json: {passed} of {all}");
    // One case carries a time that is no time.
    assert!(all - passed <= 1);
}
