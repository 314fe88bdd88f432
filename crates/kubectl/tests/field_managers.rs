//! Server-side apply, field managers and conflicts, line by line as a real API server 1.37 answered a real kubectl.

mod common;

use common::{Machine, Tally, words};
use podlab_cluster::{Cluster, Settings};
use serde_json::Value;

/// What differs by nature between two clusters: uids, versions, instants, addresses, and how far controllers are.
fn masked(mut object: Value) -> Value {
    if let Some(map) = object.as_object_mut() {
        map.remove("status");
        map.get_mut("data").and_then(Value::as_object_mut).map(|data| data.remove("ca.crt"));
    }
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        if metadata.contains_key("generateName") {
            metadata.remove("name");
        }
        for key in ["uid", "resourceVersion", "creationTimestamp", "generation"] {
            metadata.remove(key);
        }
        // When the rollout was, or that a claim waits, is not what this is about.
        metadata
            .get_mut("annotations")
            .and_then(|a| a.as_object_mut())
            .map(|a| a.remove("endpoints.kubernetes.io/last-change-trigger-time"));
        for entry in metadata.get_mut("managedFields").and_then(Value::as_array_mut).into_iter().flatten() {
            if entry.get("time").is_some() {
                entry["time"] = "<time>".into();
            }
        }
    }
    // How long controllers take decides in which order they and others come.
    if let Some(entries) = object.pointer_mut("/metadata/managedFields").and_then(Value::as_array_mut) {
        let of = |entry: &Value, key: &str| entry[key].as_str().unwrap_or("").to_owned();
        entries.sort_by_key(|entry| match entry["operation"] == "Update" {
            true => (true, of(entry, "manager"), of(entry, "subresource")),
            false => (false, String::new(), String::new()),
        });
    }
    if let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) {
        for key in ["clusterIP", "clusterIPs"] {
            spec.remove(key);
        }
    }
    mask_nodes(&mut object);
    object
}

/// Which of equal nodes a pod is put on is drawn.
fn mask_nodes(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.remove("nodeName");
            fields.values_mut().for_each(mask_nodes);
        }
        Value::Array(items) => items.iter_mut().for_each(mask_nodes),
        _ => {}
    }
}

/// An object for reading, one field a line, managers a line each.
fn shown(object: &Value) -> String {
    let mut out = String::new();
    let mut rest = object.clone();
    let entries =
        rest.get_mut("metadata").and_then(|m| m.as_object_mut()).and_then(|m| m.remove("managedFields"));
    for entry in entries.iter().flat_map(|all| all.as_array()).flatten() {
        let text = |key: &str| entry.get(key).map_or(String::new(), ToString::to_string);
        out += &format!(
            "{} {} {} {} {}: {}\n",
            text("manager"),
            text("operation"),
            text("apiVersion"),
            text("subresource"),
            text("time"),
            text("fieldsV1")
        );
    }
    out + &serde_json::to_string_pretty(&rest).unwrap() + "\n"
}

/// The text with drawn names, uids and addresses of pods left out.
fn plain_names(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let drawn =
            |from: usize| rest.get(from..from + 5).is_some_and(|name| !name.contains(['"', ' ', '-']));
        let is_uid = rest.get(..36).is_some_and(|uid| {
            uid.bytes().enumerate().all(|(at, b)| match at {
                8 | 13 | 18 | 23 => b == b'-',
                _ => b.is_ascii_hexdigit(),
            })
        });
        let pod = "web-849b66f6cf-";
        if rest.starts_with(pod) && drawn(pod.len()) {
            out.push_str("<pod>");
            rest = &rest[pod.len() + 5..];
        } else if rest.starts_with("kube-api-access-") && drawn(16) {
            out.push_str("kube-api-access-x");
            rest = &rest[21..];
        } else if is_uid {
            out.push_str("<uid>");
            rest = &rest[36..];
        } else if rest.starts_with("10.244.") {
            out.push_str("<ip>");
            rest = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        } else {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    out
}

fn normal(text: &str) -> String {
    // The recordings' kubelets are many in one program, which is called differently.
    let text = text.replace("NAMESPACE", "lab").replace("\"hollow\"", "\"kubelet\"");
    let text = text.replace("\"node01\"", "\"node1\"");
    let text = plain_names(&text);
    match serde_json::from_str::<Value>(&text) {
        Ok(mut list) if list["kind"] == "List" => {
            let items = list["items"].take();
            items.as_array().unwrap().iter().map(|item| shown(&masked(item.clone()))).collect()
        }
        Ok(object) if object.is_object() => shown(&masked(object)),
        _ => {
            let text = common::timestamps(&text);
            let lines = text.split_inclusive('\n');
            lines
                .filter(|line| !line.starts_with("  uid: ") && !line.starts_with("  resourceVersion: "))
                .collect()
        }
    }
}

#[test]
fn fields_have_managers_as_in_a_real_cluster() {
    let mut tally = Tally::new("field_managers");
    for line in include_str!("data/field_managers.jsonl").lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let name = case["name"].as_str().unwrap();
        let mut cluster = Cluster::new(Settings::default());
        let run = |cluster: &mut Cluster, line: &str| {
            let mut machine = Machine::default();
            let env = common::kubeconfig(&mut machine);
            for (name, content) in case["files"].as_object().unwrap() {
                machine.files.insert(name.clone(), content.as_str().unwrap().as_bytes().to_vec());
            }
            let code = common::run(cluster, &mut machine, &words(&format!("{line} -n lab"))[1..], env);
            let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
            (text(machine.stdout), text(machine.stderr), code)
        };
        let wait = |cluster: &mut Cluster, seconds: i64| {
            let now = cluster.sim_now().as_secs();
            cluster.run_until(podlab_sim::SimTime::from_secs(now + seconds), || true);
        };
        wait(&mut cluster, 30);
        run(&mut cluster, "kubectl create namespace lab");
        wait(&mut cluster, 2);
        for (at, step) in case["steps"].as_array().unwrap().iter().enumerate() {
            let line = step["line"].as_str().unwrap();
            if let Some(seconds) = line.strip_prefix("wait ") {
                wait(&mut cluster, seconds.parse().unwrap());
                continue;
            }
            let (out, err, code) = run(&mut cluster, line);
            let text = |key: &str| normal(step[key].as_str().unwrap());
            tally.check(
                &format!("{name}/{at}"),
                line,
                &[
                    ("stdout", text("stdout"), normal(&out)),
                    ("stderr", text("stderr"), normal(&err)),
                    ("code", step["code"].to_string(), code.to_string()),
                ],
            );
            wait(&mut cluster, 1);
        }
    }
    tally.finish();
}
