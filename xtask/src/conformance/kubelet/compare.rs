//! Two timelines side by side.

use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

use super::normalise::without_runtime;
use super::{Played, array, text};
use crate::conformance::masks;
use crate::conformance::report::Outcome;

/// A pod's states, each with the second at which it began.
type States = BTreeMap<String, Vec<(f64, Value)>>;

/// The sequences of states, the events, the logs and the outputs of the steps.
pub(super) fn behaviour(record: &Value, played: &Played) -> Outcome {
    if other_scenarios_cordoned(record) {
        return Outcome::Skipped("another scenario of the recorder had cordoned a node".to_owned());
    }
    let (expected, got) = both(record, played);
    let without_times = |states: &States| -> Value {
        let pods = states.iter().map(|(pod, states)| {
            (pod.clone(), states.iter().map(|(_, state)| state.clone()).collect::<Value>())
        });
        Value::Object(pods.collect::<Map<_, _>>())
    };
    Outcome::all([
        Outcome::same(&without_times(&expected), &without_times(&got)),
        events(record, played),
        logs(record, played),
        steps(record, played),
    ])
}

/// Whether a message speaks of a cordoned node though no step of the record cordons one.
fn other_scenarios_cordoned(record: &Value) -> bool {
    let steps = array(record, "steps").flat_map(|step| array(step, "kubectl"));
    let cordons = steps.filter_map(Value::as_str).any(|word| matches!(word, "cordon" | "drain"));
    !cordons && array(record, "events").any(|event| text(event, "message").contains("were unschedulable"))
}

/// States that begin so late, in seconds before the end of the window, may fall outside it in another run.
const WINDOW_EDGE: f64 = 40.0;
/// How many states one turn of a restart has at most: running, ended, waiting.
const TURN: usize = 3;

/// The states of both sides, without what only one of them reached before the window closed.
fn both(record: &Value, played: &Played) -> (States, States) {
    let recorded: Vec<Value> = array(record, "pods").cloned().collect();
    let (mut expected, mut got) = (states(&recorded), states(&played.pods));
    let edge = record.get("duration").and_then(Value::as_f64).unwrap_or_default() - WINDOW_EDGE;
    for (pod, expected) in &mut expected {
        let Some(got) = got.get_mut(pod) else { continue };
        let common = expected.len().min(got.len());
        let longer = if expected.len() > got.len() { expected } else { got };
        let late = longer.get(common).is_some_and(|(at, _)| *at >= edge);
        if late && common > TURN && longer.len() - common <= TURN {
            longer.truncate(common);
        }
    }
    (expected, got)
}

/// What the recordings say of a pod at one moment, without what changes from run to run.
fn state(seen: &Value) -> Value {
    let clean = |value: &Value| match value {
        Value::String(text) => Value::String(masks::ages(&without_runtime(text))),
        other => other.clone(),
    };
    let cells: Value = array(seen, "cells").map(clean).collect();
    let conditions: Value = array(seen, "conditions")
        .map(|condition| condition.as_array().into_iter().flatten().take(4).map(clean).collect::<Value>())
        .collect();
    let mut state = json!({"cells": cells, "phase": seen.get("phase"), "conditions": conditions});
    for list in ["init", "containers", "ephemeral"] {
        let containers: Vec<Value> = array(seen, list)
            .map(|container| {
                let run = |name: &str| -> Value {
                    let fields = container.get(name).and_then(Value::as_object).into_iter().flatten();
                    let kept = fields.filter(|(field, _)| {
                        matches!(field.as_str(), "is" | "reason" | "message" | "exitCode" | "signal")
                    });
                    Value::Object(kept.map(|(field, value)| (field.clone(), clean(value))).collect())
                };
                json!({"name": text(container, "name"), "state": run("state"), "last": run("last")})
            })
            .collect();
        if !containers.is_empty() {
            state[list] = Value::Array(containers);
        }
    }
    if text(seen, "ev") == "DELETED" {
        state = json!("deleted");
    }
    state
}

fn states(seen: &[Value]) -> States {
    let mut all = States::new();
    for one in seen {
        let states = all.entry(text(one, "pod").to_owned()).or_default();
        let state = state(one);
        if states.last().is_none_or(|(_, last)| *last != state) {
            states.push((one.get("t").and_then(Value::as_f64).unwrap_or_default(), state));
        }
    }
    all
}

/// Type, reason, message, component, object → number of writes.
fn event_counts<'a>(events: impl Iterator<Item = &'a Value>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for event in events {
        let message = masks::ages(&without_runtime(text(event, "message")));
        let path = event.get("fieldPath").and_then(Value::as_str).unwrap_or("-");
        let fields = [
            text(event, "object"),
            path,
            text(event, "type"),
            text(event, "reason"),
            text(event, "component"),
        ];
        *counts.entry(format!("{} {message}", fields.join(" "))).or_default() += array(event, "seen").count();
    }
    counts
}

fn events(record: &Value, played: &Played) -> Outcome {
    let expected =
        event_counts(array(record, "events").filter(|event| !text(event, "object").starts_with("Node/")));
    let mut got = event_counts(played.events.iter());
    for (event, count) in &mut got {
        // Where it goes on to the end of the window, one more or less is chance.
        let recorded = expected.get(event).copied().unwrap_or_default();
        if recorded > 1 && recorded.abs_diff(*count) <= 1 {
            *count = recorded;
        }
    }
    let text = |counts: &BTreeMap<String, usize>| {
        counts.iter().map(|(event, count)| format!("{event} x{count}\n")).collect::<String>()
    };
    Outcome::equal(text(&expected), text(&got))
}

/// Logs of what people wrote; those of the stand-ins for servers are no truth.
fn logs(record: &Value, played: &Played) -> Outcome {
    let servers = ["nginx", "httpd", "redis", "kubia", "agnhost", "lab/slow", "stress"];
    let mut images: BTreeMap<String, String> = BTreeMap::new();
    for pod in array(record, "pods") {
        for list in ["init", "containers"] {
            for container in array(pod, list) {
                let key = format!("{}/{}", text(pod, "pod"), text(container, "name"));
                images.insert(key, text(container, "image").to_owned());
            }
        }
    }
    let recorded = record.get("logs").and_then(Value::as_object).cloned().unwrap_or_default();
    let parts = recorded.iter().map(|(key, expected)| {
        let image = images.get(key.trim_end_matches(" --previous"));
        let expected = expected.as_str().unwrap_or_default();
        let is_server = image.is_none_or(|image| servers.iter().any(|server| image.contains(server)));
        if (is_server && !expected.starts_with("Error from server")) || expected.contains("characters cut") {
            return Outcome::Skipped(
                "log lines of a stand-in for a server, or cut by the recording".to_owned(),
            );
        }
        let got = played.logs.get(key).and_then(Value::as_str).unwrap_or_default();
        let clean = |text: &str| without_runtime(&without_clock(text));
        Outcome::equal(format!("log {key}\n{}", clean(expected)), format!("log {key}\n{}", clean(got)))
    });
    Outcome::all(parts)
}

/// Seconds since 1970 that scripts print.
fn without_clock(text: &str) -> String {
    let words = text.split_inclusive(char::is_whitespace).map(|word| {
        let digits = word.trim_end();
        let is_clock =
            digits.len() == 10 && digits.starts_with('1') && digits.bytes().all(|byte| byte.is_ascii_digit());
        if is_clock { word.replace(digits, "<clock>") } else { word.to_owned() }
    });
    words.collect()
}

fn steps(record: &Value, played: &Played) -> Outcome {
    let parts = array(record, "steps").zip(&played.steps).map(|(expected, got)| {
        let all = |step: &Value| {
            let rc = step.get("rc").and_then(Value::as_i64).unwrap_or_default();
            let clean = |field: &str| without_runtime(text(step, field));
            format!("{}--- stderr\n{}--- rc {rc}\n", clean("stdout"), clean("stderr"))
        };
        let command: Vec<&str> = array(expected, "kubectl").filter_map(Value::as_str).collect();
        let cut = ["stdout", "stderr"].iter().any(|field| text(expected, field).contains("characters cut"));
        if cut {
            return Outcome::Skipped("the recording cut the output".to_owned());
        }
        let head = format!("kubectl {}\n", command.join(" "));
        let mut masks = masks::Masks::default();
        let (expected, got) = (all(expected), all(got));
        let got = masks::same_but_ages(&mut masks, &expected, &got);
        Outcome::equal(format!("{head}{expected}"), format!("{head}{got}"))
    });
    Outcome::all(parts)
}

/// How far apart two seconds may lie.
const TOLERANCE: f64 = 1.0;

/// Spans in which the real kubelet itself varies, in seconds: waking up after back-offs of 10 s to 5 min, and noticing
/// that a ConfigMap or Secret changed.
const SPANS: [(f64, f64); 8] = [
    (9.5, 16.0),
    (19.5, 31.0),
    (39.5, 62.0),
    (79.5, 93.0),
    (159.5, 175.0),
    (299.5, 330.0),
    (40.0, 65.0),
    (0.0, 2.0),
];

/// The span of time before every state, pod by pod.
pub(super) fn times(record: &Value, played: &Played) -> Outcome {
    if other_scenarios_cordoned(record) {
        return Outcome::Skipped("another scenario of the recorder had cordoned a node".to_owned());
    }
    let (expected, got) = both(record, played);
    let shape = |states: &States| -> Vec<(String, Vec<Value>)> {
        states
            .iter()
            .map(|(pod, states)| (pod.clone(), states.iter().map(|(_, state)| state.clone()).collect()))
            .collect()
    };
    if shape(&expected) != shape(&got) {
        return Outcome::equal("the states of the recording", "others: see the behaviour");
    }
    let mut lines = [String::new(), String::new()];
    for (pod, states) in &expected {
        let mut before = [0.0, 0.0];
        let others = got.get(pod).into_iter().flatten();
        for (index, ((recorded, state), (came, _))) in states.iter().zip(others).enumerate() {
            let spans = [recorded - before[0], came - before[1]];
            before = [*recorded, *came];
            let near = (spans[0] - spans[1]).abs() <= TOLERANCE;
            let varies = SPANS.iter().any(|(from, to)| spans.iter().all(|span| (*from..=*to).contains(span)));
            let cells = state.get("cells").map(Value::to_string).unwrap_or_default();
            let shown = if near || varies { [spans[0], spans[0]] } else { spans };
            for (line, span) in lines.iter_mut().zip(shown) {
                line.push_str(&format!("{pod} {index} {cells} after {span:.1} s\n"));
            }
        }
    }
    let [expected, got] = lines;
    Outcome::equal(expected, got)
}
