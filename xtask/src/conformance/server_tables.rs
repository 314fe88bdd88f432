//! `cluster/tables.jsonl`: the server's tables, `kubectl get`, `get -o wide` and `describe` of one object after the
//! other, and command lines over all of them.
//!
//! Ages must be those of some moment between the two that a record names.

use anyhow::Result;
use podlab_api::door::{Accept, RequestOptions, ResponseBody, Timestamp};
use podlab_api::{Door, Object, Request};
use podlab_cluster::{Cluster, Profile};
use podlab_sim::SimTime;
use serde_json::{Map, Value, json};

use super::kubectl::Session;
use super::lab;
use super::masks::{self, Masks};
use super::report::{Figure, Outcome, Recording, Unit, read as read_file};

pub(super) fn read(recording: &Recording<'_>) -> Result<Vec<Figure>> {
    let state: Value =
        serde_json::from_str(&read_file(&recording.folder.join("cluster/tables-state.json"))?)?;
    let all: Vec<Value> = array(&state, "items").map(with_real_ids).collect();
    let mut units = Vec::new();
    for record in recording.lines()? {
        let name = text(&record, "name").to_owned();
        if record.get("argv").is_some() {
            units.push(Unit::run(name, || command_line(&record, &all)));
            continue;
        }
        let object = with_real_ids(record.get("object").unwrap_or(&Value::Null));
        for part in ["table", "get", "wide", "describe"] {
            let Some(expected) = record.get(part) else { continue };
            units.push(Unit::run(format!("{name} {part}"), || one(part, expected, &object, &all)));
        }
    }
    Ok(vec![Figure { name: recording.name.to_owned(), units }])
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn array<'a>(value: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> {
    value.get(field).and_then(Value::as_array).into_iter().flatten()
}

/// The recording's placeholders as values an API server takes.
fn with_real_ids(object: &Value) -> Value {
    match object {
        Value::String(text) if text == "<uid>" => json!("00000000-0000-0000-0000-000000000000"),
        Value::String(text) if text == "<rv>" => json!("1"),
        Value::Array(items) => items.iter().map(with_real_ids).collect(),
        Value::Object(fields) => Value::Object(
            fields.iter().map(|(key, field)| (key.clone(), with_real_ids(field))).collect::<Map<_, _>>(),
        ),
        other => other.clone(),
    }
}

/// The first, the middle and the last moment of `at`.
fn moments(record: &Value) -> Vec<SimTime> {
    let times: Vec<i64> = array(record, "at")
        .filter_map(|time| i64::try_from(time.as_str()?.parse::<Timestamp>().ok()?.as_nanosecond()).ok())
        .collect();
    match times.as_slice() {
        [from, to] => [*from, from + (to - from) / 2, *to].map(SimTime::from_nanos).to_vec(),
        _ => vec![SimTime::START],
    }
}

fn cluster(objects: &[Value], now: SimTime) -> Cluster {
    let mut cluster = lab::empty(Profile::Api);
    cluster
        .restore(objects.iter().filter_map(|object| Object::from_value(object.clone()).ok()).collect(), now);
    cluster
}

/// Passed if one of several attempts does; else how the first one failed.
fn any(attempts: impl Iterator<Item = Outcome>) -> Outcome {
    let mut first = None;
    for outcome in attempts {
        if outcome == Outcome::Passed {
            return outcome;
        }
        first.get_or_insert(outcome);
    }
    first.unwrap_or(Outcome::Passed)
}

/// One object: alone in its cluster, or among all that were there when it was recorded.
fn one(part: &str, expected: &Value, object: &Value, all: &[Value]) -> Outcome {
    let alone = vec![object.clone()];
    let among = || {
        let mut objects: Vec<Value> = all.to_vec();
        objects.push(object.clone());
        objects
    };
    let attempt = |objects: &[Value]| {
        any(moments(expected).into_iter().map(|now| {
            let mut objects = objects.to_vec();
            objects.extend(events(text(expected, "stdout"), object, now));
            let mut cluster = cluster(&objects, now);
            if part == "table" {
                table(&mut cluster, expected, object)
            } else {
                output(&mut cluster, part, expected, object)
            }
        }))
    };
    let first = attempt(&alone);
    if first == Outcome::Passed || part != "describe" {
        return first;
    }
    attempt(&among())
}

/// The events that a description shows, made from its rows: the recording holds none of its own.
fn events(description: &str, object: &Value, now: SimTime) -> Vec<Value> {
    let rows = description.split("\nEvents:\n").nth(1).unwrap_or_default();
    let metadata = object.get("metadata").unwrap_or(&Value::Null);
    let space = Some(text(metadata, "namespace")).filter(|space| !space.is_empty()).unwrap_or("default");
    let event = |(index, row): (usize, &str)| {
        let cells: Vec<&str> = row.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
        let [kind, reason, age, from, message] = cells.as_slice() else { return None };
        let (last, repeats) = age.split_once(" (x").unwrap_or((age, ""));
        let (count, first) = repeats.trim_end_matches(')').split_once(" over ").unwrap_or(("1", last));
        let at = |age: &str| {
            let seconds = now.as_secs() - seconds_of(age);
            Timestamp::from_second(seconds).map(|at| at.to_string()).unwrap_or_default()
        };
        Some(json!({"apiVersion": "v1", "kind": "Event",
            "metadata": {"name": format!("e{index}"), "namespace": space, "uid": format!("e{index}")},
            "involvedObject": {"kind": object.get("kind"), "apiVersion": object.get("apiVersion"),
                "name": metadata.get("name"), "namespace": metadata.get("namespace"), "uid": metadata.get("uid")},
            "type": kind, "reason": reason, "message": message, "source": {"component": from},
            "count": count.parse::<i64>().unwrap_or(1), "firstTimestamp": at(first), "lastTimestamp": at(last)}))
    };
    rows.lines().skip(2).enumerate().filter_map(event).collect()
}

/// The events that `kubectl events` lists, made from its rows likewise, in another order than the
/// listed one.
fn listed_events(output: &str, now: SimTime) -> Vec<Value> {
    let mut shown: Vec<String> = Vec::new();
    let event = |(index, row): (usize, &str)| {
        let cells: Vec<&str> = row.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
        let [age, kind, reason, object, message] = cells.as_slice() else { return None };
        let (last, repeats) = age.split_once(" (x").unwrap_or((age, ""));
        let (count, first) = repeats.trim_end_matches(')').split_once(" over ").unwrap_or(("1", last));
        let at = |age: &str| {
            let seconds = now.as_secs() - seconds_of(age);
            Timestamp::from_second(seconds).map(|at| at.to_string()).unwrap_or_default()
        };
        // Rows of one age stay in their order; the others are listed from the latest.
        let place = shown.iter().position(|known| known == last).unwrap_or_else(|| {
            shown.push(last.to_owned());
            shown.len() - 1
        });
        let (involved, name) = object.split_once('/')?;
        Some(json!({"apiVersion": "v1", "kind": "Event",
            "metadata": {"name": format!("e{:03}-{index:03}", 999 - place), "namespace": "default", "uid": format!("e{index}")},
            "involvedObject": {"kind": involved, "name": name, "namespace": "default"},
            "type": kind, "reason": reason, "message": message, "count": count.parse::<i64>().unwrap_or(1),
            "firstTimestamp": at(first), "lastTimestamp": at(last)}))
    };
    output.lines().skip(1).enumerate().filter_map(event).collect()
}

/// `12m`, `2m13s`, `5h20m` in seconds; in the middle of what is not said.
fn seconds_of(age: &str) -> i64 {
    let (mut seconds, mut number, mut unit) = (0, 0, 1);
    for c in age.chars() {
        match c.to_digit(10) {
            Some(digit) => number = number * 10 + i64::from(digit),
            None => {
                unit = match c {
                    'd' => 86_400,
                    'h' => 3_600,
                    'm' => 60,
                    _ => 1,
                };
                seconds += number * unit;
                number = 0;
            }
        }
    }
    seconds + unit / 2
}

fn table(cluster: &mut Cluster, expected: &Value, object: &Value) -> Outcome {
    let Some((resource, namespace, name)) = lab::place(object) else {
        return Outcome::equal("a table", "no such kind");
    };
    let options = RequestOptions { accept: Accept::Table, ..RequestOptions::default() };
    let response = cluster.request(Request::get(resource, &namespace, &name).options(options));
    let ResponseBody::Table(table) = &response.body else {
        return Outcome::equal("a table", lab::answer(&response).to_string());
    };
    let columns = table.columns.iter().map(|column| {
        let mut entry = json!({"name": column.name, "type": column.kind, "priority": column.priority});
        if !column.format.is_empty() {
            entry["format"] = json!(column.format);
        }
        entry
    });
    let rows = table.rows.iter().map(|row| Value::Array(row.cells.clone()));
    let got = json!({"columns": columns.collect::<Value>(), "rows": rows.collect::<Value>()});
    let expected = json!({"columns": expected.get("columns"), "rows": expected.get("rows")});
    Outcome::same(&expected, &got)
}

fn output(cluster: &mut Cluster, part: &str, expected: &Value, object: &Value) -> Outcome {
    let Some((resource, namespace, name)) = lab::place(object) else {
        return Outcome::equal("a kind that is served", text(object, "kind"));
    };
    let resource = match &*resource.group {
        "" => resource.resource.to_string(),
        group => format!("{}.{group}", resource.resource),
    };
    let mut arguments: Vec<&str> = match part {
        "describe" => vec!["describe", &resource, &name],
        "wide" => vec!["get", &resource, &name, "-o", "wide", "--show-labels"],
        _ => vec!["get", &resource, &name],
    };
    if !namespace.is_empty() {
        arguments.extend(["-n", &namespace]);
    }
    let arguments: Vec<String> = arguments.into_iter().map(str::to_owned).collect();
    let output = Session::start(&arguments, "").finish(cluster).0;
    // A restored object is given a version of its own.
    let stdout = masks::without_versions(text(expected, "stdout"));
    let got = Masks::default().text(&stdout, &masks::without_versions(&output.stdout));
    let all = |stdout: &str, stderr: &str| format!("{stdout}--- stderr\n{stderr}");
    Outcome::equal(all(&stdout, text(expected, "stderr")), all(&got, &output.stderr))
}

fn command_line(record: &Value, all: &[Value]) -> Outcome {
    let arguments: Vec<String> = match record.get("argv") {
        Some(Value::String(line)) => super::golden::words(line).into_iter().skip(1).collect(),
        _ => array(record, "argv").filter_map(Value::as_str).skip(1).map(str::to_owned).collect(),
    };
    any(moments(record).into_iter().map(|now| {
        let mut objects = all.to_vec();
        if arguments.first().is_some_and(|command| command == "events") {
            objects.extend(listed_events(text(record, "stdout"), now));
        }
        let mut cluster = cluster(&objects, now);
        let output = Session::start(&arguments, "").finish(&mut cluster).0;
        super::golden::compare_exactly(record, &output)
    }))
}
