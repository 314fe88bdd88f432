//! Two timelines side by side.
//!
//! What is masked beyond CONFORMANCE.md's list, since no run of the real programs could be held to it: texts of the
//! container runtime and logs of the stand-ins for servers (the README calls them no truth); which of equal nodes the
//! scheduler drew; what pods of other scenarios, of which a record does not tell, used of a node; seconds since 1970
//! in what a script prints.

use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

use super::normalise::{
    renumbered, without_addresses, without_drawn_nodes, without_drawn_pods, without_runtime,
};
use super::{Played, array, seconds, text, unseen};
use crate::conformance::controllers::coalesced;
use crate::conformance::masks;
use crate::conformance::report::Outcome;

/// Names of nodes.
type Drawn = Vec<&'static str>;

/// A pod's states, each with the second at which it began.
type States = BTreeMap<String, Vec<(f64, Value)>>;

/// The sequences of states, the events, the logs and the outputs of the steps.
pub(super) fn behaviour(record: &Value, played: &Played) -> Outcome {
    if let Some(reason) = no_truth(record) {
        return Outcome::Skipped(reason.to_owned());
    }
    let (expected, got, cut) = both(record, played);
    let without_times = |states: &States| -> Value {
        let pods = states.iter().map(|(pod, states)| {
            (pod.clone(), states.iter().map(|(_, state)| state.clone()).collect::<Value>())
        });
        Value::Object(pods.collect::<Map<_, _>>())
    };
    Outcome::all([
        Outcome::same(&without_times(&expected), &without_times(&got)),
        events(record, played),
        logs(record, played, &cut),
        steps(record, played),
    ])
}

/// Why a whole record says nothing about Kubernetes, where that is so.
fn no_truth(record: &Value) -> Option<&'static str> {
    let namespace = format!("namespaces {:?} not found", text(record, "name"));
    let before = array(record, "steps").filter(|step| seconds(step, "at") <= 0.0);
    if before.into_iter().any(|step| text(step, "stderr").contains(&namespace)) {
        return Some(
            "the recording began before its namespace was there: what it saw is left from another run",
        );
    }
    // README: memory and CPU use are constants there.
    let constant = "below current usage (1073741824)";
    if array(record, "events").any(|event| text(event, "message").contains(constant)) {
        return Some("the recording's nodes answered with a constant for what a pod uses");
    }
    None
}

/// The states of both sides, without what only one of them reached before the window closed.
///
/// Where the last common state ended with a span that varies in the real kubelet ([`SPANS`]), whether the next one falls
/// into the window is chance: it is left out only if, by the longest such span, it could have begun after the end.
///
/// The third are the pods of which such a state was left out.
fn both(record: &Value, played: &Played) -> (States, States, BTreeSet<String>) {
    let recorded: Vec<Value> = array(record, "pods").cloned().collect();
    let drawn = &drawn_nodes(record);
    let (mut expected, mut got) = (states(&recorded, drawn), states(&played.pods, drawn));
    let end = seconds(record, "end").max(seconds(record, "duration"));
    let mut cut = BTreeSet::new();
    for (pod, expected) in &mut expected {
        let Some(got) = got.get_mut(pod) else { continue };
        unseen::leave_out(expected, got);
        let common = expected.len().min(got.len());
        let (longer, shorter) =
            if expected.len() > got.len() { (expected, &*got) } else { (got, &*expected) };
        let (Some((next, _)), Some((last, _))) = (longer.get(common), shorter.last()) else { continue };
        let before = longer.get(common.wrapping_sub(1)).map_or(0.0, |(at, _)| *at);
        let span = next - before;
        let longest = SPANS.iter().filter(|(from, to)| (*from..=*to).contains(&span)).map(|(_, to)| *to);
        let longest = longest.fold(span + TOLERANCE, f64::max);
        if last + longest >= end {
            longer.truncate(common);
            cut.insert(pod.clone());
        }
    }
    (expected, got, cut)
}

/// What the recordings say of a pod at one moment, without what changes from run to run.
fn state(seen: &Value, drawn: &Drawn) -> Value {
    let clean = |value: &Value| match value {
        Value::String(text) => Value::String(masks::ages(&cleaned(text, drawn))),
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

fn states(seen: &[Value], drawn: &Drawn) -> States {
    let mut all = States::new();
    for one in seen {
        let states = all.entry(text(one, "pod").to_owned()).or_default();
        let state = state(one, drawn);
        if states.last().is_none_or(|(_, last)| *last != state) {
            states.push((one.get("t").and_then(Value::as_f64).unwrap_or_default(), state));
        }
    }
    all
}

/// Type, reason, message, component, object → the seconds of its writes.
type Writes = BTreeMap<String, Vec<f64>>;

fn event_writes<'a>(events: impl Iterator<Item = &'a Value>, drawn: &Drawn) -> Writes {
    let mut writes = Writes::new();
    for event in events {
        let message = masks::ages(&cleaned(text(event, "message"), drawn));
        let path = event.get("fieldPath").and_then(Value::as_str).unwrap_or("-");
        let fields = [
            text(event, "object"),
            path,
            text(event, "type"),
            text(event, "reason"),
            text(event, "component"),
        ];
        let seen = array(event, "seen").map(|write| write.get(0).and_then(Value::as_f64).unwrap_or_default());
        writes.entry(format!("{} {message}", fields.join(" "))).or_default().extend(seen);
    }
    for seen in writes.values_mut() {
        seen.sort_by(f64::total_cmp);
    }
    writes
}

/// Without the probes that found nobody listening yet, as long after its start as a server takes to open its port. Of the
/// three equal pods of `deployment-rollout` that one revision made two are refused once and one is not, and of the scenarios
/// `repeat-readiness-period10-…` one.
fn without_first_refusals<'a>(events: impl Iterator<Item = &'a Value>) -> Vec<Value> {
    let about = |event: &Value| (text(event, "object").to_owned(), event.get("fieldPath").cloned());
    let at = |event: &Value| -> Vec<f64> {
        array(event, "seen").filter_map(|write| write.get(0).and_then(Value::as_f64)).collect()
    };
    let events: Vec<Value> = events.cloned().collect();
    let started: Vec<_> = events
        .iter()
        .filter(|event| text(event, "reason") == "Started")
        .map(|event| (about(event), at(event)))
        .collect();
    let soon = |event: &Value, write: f64| {
        let about = about(event);
        let mut starts = started.iter().filter(|(of, _)| *of == about).flat_map(|(_, at)| at);
        starts.any(|start| (-0.005..LISTENS).contains(&(write - start)))
    };
    let rest = events.iter().filter_map(|event| {
        if !text(event, "message").ends_with("connect: connection refused") {
            return Some(event.clone());
        }
        let write_at = |write: &&Value| write.get(0).and_then(Value::as_f64).unwrap_or_default();
        let left: Vec<Value> =
            array(event, "seen").filter(|write| !soon(event, write_at(write))).cloned().collect();
        let mut event = event.clone();
        (!left.is_empty()).then(|| {
            event["seen"] = left.into();
            event
        })
    });
    rest.collect()
}

/// How long after its start a server may not listen yet.
const LISTENS: f64 = 0.1;

/// Every event with its number of writes. One write more or less is chance where it came as near to the window's end as
/// half the span before it, at least 2 s: that is how far wake-ups vary.
fn events(record: &Value, played: &Played) -> Outcome {
    let is_node = |event: &&Value| text(event, "object").starts_with("Node/");
    let drawn = &drawn_nodes(record);
    let recorded = without_first_refusals(array(record, "events").filter(|event| !is_node(event)));
    let expected = event_writes(recorded.iter(), drawn);
    let mut got = event_writes(without_first_refusals(played.events.iter()).iter(), drawn);
    let end = seconds(record, "end").max(seconds(record, "duration"));
    for (event, writes) in &mut got {
        let Some(recorded) = expected.get(event) else { continue };
        let longer = if recorded.len() > writes.len() { recorded } else { &*writes };
        let late = match longer.as_slice() {
            [.., before, last] => end - last <= ((last - before) / 2.0).max(2.0),
            _ => false,
        };
        if late && recorded.len().abs_diff(writes.len()) == 1 {
            writes.clone_from(recorded);
        }
    }
    let text = |writes: &Writes| {
        writes.iter().map(|(event, writes)| format!("{event} x{}\n", writes.len())).collect::<String>()
    };
    Outcome::equal(text(&expected), text(&got))
}

/// A text without what is no truth and without the names of nodes that are drawn.
fn cleaned(text: &str, drawn: &Drawn) -> String {
    let text = without_runtime(text);
    without_drawn_nodes(&text, drawn)
}

/// The nodes that no step of the record names: they are equal, and which of them the scheduler takes is drawn.
fn drawn_nodes(record: &Value) -> Drawn {
    let is_named = |node: &&str| {
        array(record, "steps").any(|step| {
            let told = ["kubectl", "manifest", "kubelet"].iter().filter_map(|field| step.get(*field));
            told.into_iter().any(|value| value.to_string().contains(*node))
        })
    };
    ["node1", "node2", "node3"].into_iter().filter(|node| !is_named(node)).collect()
}

/// Logs of what people wrote; those of the stand-ins for servers are no truth. They are read when the window closes: of a
/// pod that only one side saw in its latest state they tell of another run.
fn logs(record: &Value, played: &Played, cut: &BTreeSet<String>) -> Outcome {
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
        if cut.contains(key.split('/').next().unwrap_or_default()) {
            return Outcome::Skipped("the window closed between two states of the pod".to_owned());
        }
        let image = images.get(key.trim_end_matches(" --previous"));
        let expected = expected.as_str().unwrap_or_default();
        let is_server = image.is_none_or(|image| servers.iter().any(|server| image.contains(server)));
        if NO_FILES.iter().any(|file| expected.contains(&format!("can't open '{file}'"))) {
            return Outcome::Skipped(
                "the recording's containers lack a file that every runtime makes".to_owned(),
            );
        }
        if (is_server && !expected.starts_with("Error from server")) || expected.contains("characters cut") {
            return Outcome::Skipped(
                "log lines of a stand-in for a server, or cut by the recording".to_owned(),
            );
        }
        let got = played.logs.get(key).and_then(Value::as_str).unwrap_or_default();
        let clean = |text: &str| {
            without_groups(&without_addresses(&without_runtime(&with_service_variables_sorted(
                &without_clock(text),
            ))))
        };
        // A Job makes its pods side by side (pkg/controller/job/job_controller.go `manageJob`): which of them appears as the
        // first changes, and in `job-indexed` it is not the one of the first index.
        let alike = without_drawn_pods(key);
        let all = |logs: &serde_json::Map<String, Value>| -> Vec<String> {
            let of_alike = logs.iter().filter(|(key, _)| without_drawn_pods(key) == alike);
            let mut all: Vec<String> =
                of_alike.map(|(_, text)| clean(text.as_str().unwrap_or_default())).collect();
            all.sort_unstable();
            all
        };
        if alike != *key && played.logs.as_object().is_some_and(|logs| all(logs) == all(&recorded)) {
            return Outcome::Passed;
        }
        Outcome::equal(format!("log {key}\n{}", clean(expected)), format!("log {key}\n{}", clean(got)))
    });
    Outcome::all(parts)
}

/// Files that the recorder's containers, which are local processes, do not have.
const NO_FILES: [&str; 2] = ["/etc/hostname", "/etc/resolv.conf"];

/// What `id` says, without the further groups: the recorder's containers get none.
fn without_groups(text: &str) -> String {
    let lines = text.split_inclusive('\n').map(|line| match line.split_once(" groups=") {
        Some((ids, rest)) if ids.starts_with("uid=") => {
            format!("{ids}{}", if rest.ends_with('\n') { "\n" } else { "" })
        }
        _ => line.to_owned(),
    });
    lines.collect()
}

/// The variables of the services stand in the order in which Go goes through a map, which is another one every time
/// (pkg/kubelet/kubelet_pods.go `makeEnvironmentVariables`).
fn with_service_variables_sorted(text: &str) -> String {
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    let is_service = |line: &&str| line.starts_with("KUBERNETES_") && line.ends_with('\n');
    let mut sorted: Vec<&str> = lines.iter().copied().filter(|line| is_service(line)).collect();
    sorted.sort_unstable();
    for (place, line) in lines.iter_mut().filter(|line| is_service(line)).zip(sorted) {
        *place = line;
    }
    lines.concat()
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
    let drawn = &drawn_nodes(record);
    let parts = array(record, "steps").zip(&played.steps).map(|(expected, got)| {
        let command: Vec<&str> = array(expected, "kubectl").filter_map(Value::as_str).collect();
        let asks_version = command.iter().any(|word| word.contains(".resourceVersion}"));
        let all = |step: &Value| {
            let rc = step.get("rc").and_then(Value::as_i64).unwrap_or_default();
            let clean = |field: &str| {
                let text =
                    masks::drain_in_order(&masks::without_versions(&cleaned(text(step, field), drawn)));
                // An output that is nothing but a resourceVersion.
                if asks_version && text.bytes().all(|byte| byte.is_ascii_digit()) {
                    String::new()
                } else {
                    text
                }
            };
            format!("{}--- stderr\n{}--- rc {rc}\n", clean("stdout"), clean("stderr"))
        };
        let cut = ["stdout", "stderr"].iter().any(|field| text(expected, field).contains("characters cut"));
        if cut {
            return Outcome::Skipped("the recording cut the output".to_owned());
        }
        let head = format!("kubectl {}\n", command.join(" "));
        let mut masks = masks::Masks::default();
        let (expected, got) = (all(expected), all(got));
        let got = masks::same_but_ages(&mut masks, &expected, &got);
        if renumbered(&expected) == renumbered(&got) {
            return Outcome::Passed;
        }
        // How many of the changes on the way the controller has seen at once when it wrote its status is a matter of
        // milliseconds: five equal rollouts of `deployment-rollout` by the real cluster printed ten, seven, ten, nine and six
        // lines, which began with one or with two new pods, and five of `daemonset-update` three or four.
        if command.starts_with(&["rollout", "status"]) && coalesced::same_progress(&expected, &got) {
            return Outcome::Passed;
        }
        // A drain evicts all pods at once: who comes first changes from try to try within `drain-pdb-blocked`. Logs of several
        // containers come in the order of a map of Go's (k8s.io/kubectl/pkg/cmd/logs/logs.go `sequentialConsumeRequest`).
        let several = ["--all-containers", "--all-pods", "-l", "--selector"];
        let in_any_order = match command.first() {
            Some(&"drain") => true,
            Some(&"logs") => {
                command.iter().any(|word| several.contains(&word.split('=').next().unwrap_or(word)))
            }
            _ => false,
        };
        if in_any_order && sorted_lines(&expected) == sorted_lines(&got) {
            return Outcome::Passed;
        }
        Outcome::equal(format!("{head}{expected}"), format!("{head}{got}"))
    });
    Outcome::all(parts)
}

/// The lines of a text, in order, without which of several pods each of them names.
fn sorted_lines(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = text.lines().map(without_drawn_pods).collect();
    lines.sort_unstable();
    lines
}

/// How far apart two seconds may lie.
const TOLERANCE: f64 = 1.0;

/// Spans in which the real kubelet itself varies, in seconds: waking up after back-offs of 10 s to 5 min, and noticing
/// that a ConfigMap or Secret changed.
const SPANS: [(f64, f64); 9] = [
    (9.5, 16.0),
    (19.5, 31.0),
    (39.5, 62.0),
    (79.5, 93.0),
    (159.5, 175.0),
    (299.5, 330.0),
    (40.0, 65.0),
    // The README's min(rest of the back-off, 60 s) x (1 … 1.5), and the kubelet's loop that looks once a second.
    (60.0, 91.5),
    (0.0, 2.0),
];

/// Between two states of an image that cannot be pulled: the attempt comes with the first sync after the back-off's end,
/// its status with the next, and the last one's stayed for one more; each sync comes 10 to 15 s after the one before.
const PULL_SPANS: [(f64, f64); 6] =
    [(9.5, 16.0), (19.5, 31.0), (21.0, 56.0), (61.0, 96.0), (141.0, 176.0), (281.0, 316.0)];

fn within(ranges: &[(f64, f64)], spans: &[f64]) -> bool {
    ranges.iter().any(|(from, to)| spans.iter().all(|span| (*from..=*to).contains(span)))
}

fn is_pulling(state: &Value) -> bool {
    let reason = state.pointer("/cells/1").and_then(Value::as_str).unwrap_or_default();
    ["ErrImagePull", "ImagePullBackOff"].iter().any(|pull| reason.ends_with(pull))
}

/// Whether a container of the state has just ended and is not waiting for its next run yet.
fn is_end(state: &Value) -> bool {
    ["init", "containers"]
        .into_iter()
        .flat_map(|list| array(state, list))
        .any(|container| container.pointer("/state/is").and_then(Value::as_str) == Some("terminated"))
}

/// The span of time before every state, pod by pod.
pub(super) fn times(record: &Value, played: &Played) -> Outcome {
    if let Some(reason) = no_truth(record) {
        return Outcome::Skipped(reason.to_owned());
    }
    let (expected, got, _) = both(record, played);
    let shape = |states: &States| -> Vec<(String, Vec<Value>)> {
        states
            .iter()
            .map(|(pod, states)| (pod.clone(), states.iter().map(|(_, state)| state.clone()).collect()))
            .collect()
    };
    if shape(&expected) != shape(&got) {
        let lines = |states: &States| -> String {
            let line = |(pod, (at, state)): (&String, &(f64, Value))| {
                let cells = state.get("cells").map(Value::to_string).unwrap_or_default();
                format!("{pod} {cells} at {at:.1} s\n")
            };
            states.iter().flat_map(|(pod, all)| all.iter().map(move |state| line((pod, state)))).collect()
        };
        // What differs is said by the behaviour.
        let [expected, got] = [lines(&expected), lines(&got)];
        return Outcome::Failed { expected, got: format!("{got}(other states)") };
    }
    let mut lines = [String::new(), String::new()];
    for (pod, states) in &expected {
        let mut before = [0.0, 0.0];
        // When the latest run of a container ended: back-offs count from there, however often the worker woke since.
        let mut ended = [0.0, 0.0];
        let others = got.get(pod).into_iter().flatten();
        for (index, ((recorded, state), (came, _))) in states.iter().zip(others).enumerate() {
            let spans = [recorded - before[0], came - before[1]];
            before = [*recorded, *came];
            let near = (spans[0] - spans[1]).abs() <= TOLERANCE;
            let since = [recorded - ended[0], came - ended[1]];
            let varies = [spans, since].iter().any(|spans| within(&SPANS, spans))
                || (is_pulling(state) && within(&PULL_SPANS, &spans));
            if is_end(state) {
                ended = [*recorded, *came];
            }
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
