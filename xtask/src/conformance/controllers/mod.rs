//! `cluster/controllers.jsonl`: scripts against the real controllers, with pretended kubelets.
//!
//! Order and causality count, not milliseconds: each object's states are compared in their order, a pod's without its
//! status, which the pretended kubelet wrote. How many of the changes on the way a controller has seen at once when it
//! wrote a status is a matter of milliseconds ([`coalesced`]). Which node a pod went to is masked in states and events (the pick among
//! equal nodes is random in the real scheduler); that it was bound, and when in the order of states, is not.

pub(super) mod coalesced;
pub(super) mod kubelet;
mod watch;

use anyhow::Result;
use podlab_cluster::{Cluster, Profile};
use podlab_sim::SimTime;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

use super::golden;
use super::kubectl::{Machine, Output, Session};
use super::lab;
use super::masks::{self, Masks};
use super::report::{Figure, Outcome, Recording, Unit};
use super::seed_transcript::{other_program, split};
use kubelet::PretendedKubelet;
use watch::Watcher;

pub(super) fn read(recording: &Recording<'_>) -> Result<Vec<Figure>> {
    let units = recording
        .lines()?
        .iter()
        .map(|record| Unit::run(text(record, "name"), || lab::like_the_record(|seed| run(record, seed))))
        .collect();
    Ok(vec![Figure { name: recording.name.to_owned(), units }])
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn array<'a>(value: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> {
    value.get(field).and_then(Value::as_array).into_iter().flatten()
}

/// How often a kubectl in the background is looked at.
const SESSION_STEP: Duration = Duration::from_millis(50);
/// How long a `wait` step may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// How often the node controller looks at the nodes (`--node-monitor-period`).
const MONITOR_PERIOD: Duration = Duration::from_secs(5);

/// Lets the cluster run until its node controller, whose looks begin at a drawn moment, has registered the nodes, and then
/// until it looks in the same moments of each period as the recorded one did, whose process had started long before.
fn wait_for_registration(cluster: &mut Cluster, record: &Value) {
    let step = Duration::from_millis(10);
    let registered = |cluster: &mut Cluster| {
        lab::list(cluster, "v1", "Event", "").iter().any(|event| text(event, "reason") == "RegisteredNode")
    };
    let patience = cluster.sim_now() + MONITOR_PERIOD + MONITOR_PERIOD;
    while !registered(cluster) && cluster.sim_now() < patience {
        lab::pass(cluster, step);
    }
    let before = looked(record).map_or(1.0, |seen| {
        let period = MONITOR_PERIOD.as_secs_f64();
        period - seen.rem_euclid(period)
    });
    lab::pass(cluster, Duration::from_secs_f64(before));
}

/// When the recorded node controller looked at the nodes: it registers a node then, and a tenth of a second later at most it
/// taints one that is not ready (`--node-eviction-rate` allows for the first at once).
fn looked(record: &Value) -> Option<f64> {
    let at = |change: &Value| change.get("t").and_then(Value::as_f64);
    let mut events = array(record, "events");
    if let Some(event) = events.find(|event| text(event, "reason") == "RegisteredNode") {
        return at(event);
    }
    let tainted = |change: &&Value| {
        let of_health = |taint: &Value| {
            text(taint, "effect") == "NoExecute" && text(taint, "key").starts_with("node.kubernetes.io/")
        };
        let taints = change.pointer("/f/taints").and_then(Value::as_array);
        text(change, "o").starts_with("Node/") && taints.into_iter().flatten().any(of_health)
    };
    array(record, "watch").find(tainted).and_then(at).map(|at| at - TAINTING)
}

/// From such a look to the taint, in the middle.
const TAINTING: f64 = 0.05;

struct Script<'a> {
    cluster: Cluster,
    kubelet: PretendedKubelet,
    watcher: Watcher,
    namespace: &'a str,
    running: Vec<(usize, Session)>,
    outputs: Vec<Option<Value>>,
    problem: Option<Outcome>,
}

fn run(record: &Value, seed: u64) -> Outcome {
    let namespace = text(record, "namespace");
    let mut cluster = lab::seeded(Profile::Controllers, seed);
    let mut kubelet = PretendedKubelet::new(&["n1", "n2", "n3"], "8", "16Gi");
    kubelet.register(&mut cluster);
    lab::create(
        &mut cluster,
        &json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}),
    );
    wait_for_registration(&mut cluster, record);
    let steps: Vec<&Value> = array(record, "steps").collect();
    let watcher = Watcher::new(&mut cluster, namespace);
    let mut script = Script {
        cluster,
        kubelet,
        watcher,
        namespace,
        running: Vec::new(),
        outputs: vec![None; steps.len()],
        problem: None,
    };
    let began = script.cluster.sim_now();
    for (index, step) in steps.iter().enumerate() {
        // A step begins when it began in the recording, or later where the ones before took longer here: what a
        // controller does again and again (retries, back-off) has then had the time that it had there.
        let at = began + Duration::from_secs_f64(step.get("t").and_then(Value::as_f64).unwrap_or(0.0));
        if script.cluster.sim_now() < at {
            script.run_to(at);
        }
        script.step(index, step);
    }
    // What runs in the background ran to the end of the script.
    let until = script.cluster.sim_now() + Duration::from_secs(1);
    script.run_to(until);
    let mut parts: Vec<Outcome> = script.problem.take().into_iter().collect();
    parts.push(outputs(record, &steps, &script));
    parts.push(states(record, &script));
    parts.push(events(record, &script));
    Outcome::all(parts)
}

impl Script<'_> {
    fn run_to(&mut self, until: SimTime) {
        loop {
            let mut next = self.kubelet.next().map_or(until, |next| next.min(until));
            if !self.running.is_empty() {
                next = next.min(self.cluster.sim_now() + SESSION_STEP);
            }
            let reached = self.cluster.run_until(next, || false);
            self.watcher.look(&mut self.cluster);
            self.kubelet.act(&mut self.cluster);
            self.watcher.look(&mut self.cluster);
            self.advance();
            if reached && next >= until {
                return;
            }
        }
    }

    fn pass(&mut self, time: Duration) {
        let until = self.cluster.sim_now() + time;
        self.run_to(until);
    }

    fn advance(&mut self) {
        let mut index = 0;
        while let Some((step, session)) = self.running.get_mut(index) {
            if session.advance(&mut self.cluster) {
                let output = session.output();
                self.outputs[*step] =
                    Some(json!({"stdout": output.stdout, "stderr": output.stderr, "rc": output.rc}));
                self.running.remove(index);
            } else {
                index += 1;
            }
        }
    }

    fn step(&mut self, index: usize, step: &Value) {
        let line = text(step, "step");
        let (background, line) = match line.strip_prefix("bg ") {
            Some(line) => (true, line),
            None => (false, line),
        };
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        match verb {
            "k" => {
                // A command line took about a tenth of a second, most of it before its first request.
                self.pass(Duration::from_millis(80));
                let arguments: Vec<String> = rest.split(' ').map(str::to_owned).collect();
                let machine = Machine::in_namespace(self.namespace);
                self.running.push((index, Session::on(machine, &arguments, text(step, "stdin"))));
                self.advance();
                let patience = self.cluster.sim_now() + PATIENCE;
                while !background
                    && self.running.iter().any(|(step, _)| *step == index)
                    && self.cluster.sim_now() < patience
                {
                    self.pass(Duration::from_millis(50));
                }
                self.pass(Duration::from_millis(20));
            }
            "sh" => {
                let output = self.shell(rest);
                self.outputs[index] =
                    Some(json!({"stdout": output.stdout, "stderr": output.stderr, "rc": output.rc}));
                self.pass(Duration::from_millis(100));
            }
            "sleep" => self.pass(Duration::from_secs_f64(rest.parse().unwrap_or(0.0))),
            "wait" => self.wait(rest),
            "silent" => self.kubelet.silence(rest),
            "forget" => self.kubelet.forget(rest),
            "addnode" => self.kubelet.add(&mut self.cluster, rest),
            "node" => {
                let (node, ready) = rest.split_once(' ').unwrap_or((rest, "True"));
                self.kubelet.set_ready(&mut self.cluster, node, ready);
                self.pass(Duration::from_millis(20));
            }
            _ => {
                let problem = Outcome::equal("a step that the reader can do", line);
                self.problem.get_or_insert(problem);
            }
        }
    }

    /// A line of shell: statements, variables set from `$(…)`, pipes. The namespace is the script's, as the recorder's
    /// kubeconfig had it.
    fn shell(&mut self, line: &str) -> Output {
        let mut variables: Vec<(String, String)> = Vec::new();
        let mut all = Output::default();
        for statement in split(line, ';') {
            let mut statement = statement.trim().to_owned();
            for (name, value) in &variables {
                statement = statement.replace(&format!("${name}"), value);
            }
            while let Some((before, inner, after)) = substitution(&statement) {
                let value = self.pipeline(inner);
                all.stderr.push_str(&value.stderr);
                statement = format!("{before}{}{after}", value.stdout.trim_end().replace('\n', " "));
            }
            match statement.split_once('=') {
                Some((name, value)) if name.bytes().all(|byte| byte.is_ascii_uppercase()) => {
                    variables.push((name.to_owned(), value.to_owned()));
                }
                _ => {
                    let output = self.pipeline(&statement);
                    all.stdout.push_str(&output.stdout);
                    all.stderr.push_str(&output.stderr);
                    all.rc = output.rc;
                }
            }
        }
        all
    }

    fn pipeline(&mut self, pipeline: &str) -> Output {
        let mut output = Output::default();
        let mut stderr = String::new();
        for command in split(pipeline, '|') {
            output = match command.trim().strip_prefix("kubectl ") {
                None => other_program(command.trim(), &output.stdout),
                Some(arguments) => {
                    let words = golden::words(arguments);
                    let machine = Machine::in_namespace(self.namespace);
                    let mut session = Session::on(machine, &words, &output.stdout);
                    let patience = self.cluster.sim_now() + PATIENCE;
                    while !session.advance(&mut self.cluster) && self.cluster.sim_now() < patience {
                        self.pass(Duration::from_millis(50));
                    }
                    session.output()
                }
            };
            stderr.push_str(&output.stderr);
        }
        Output { stderr, ..output }
    }

    /// `deploy/web availableReplicas=3`: until the status says so.
    fn wait(&mut self, what: &str) {
        let kinds = [
            ("deploy", "apps/v1", "Deployment"),
            ("sts", "apps/v1", "StatefulSet"),
            ("ds", "apps/v1", "DaemonSet"),
            ("job", "batch/v1", "Job"),
        ];
        let (object, condition) = what.split_once(' ').unwrap_or((what, ""));
        let (short, name) = object.split_once('/').unwrap_or((object, ""));
        let (field, wanted) = condition.split_once('=').unwrap_or((condition, ""));
        let Some((_, api_version, kind)) = kinds.iter().find(|(known, ..)| *known == short) else { return };
        let object = json!({"apiVersion": api_version, "kind": kind,
            "metadata": {"name": name, "namespace": self.namespace}});
        let patience = self.cluster.sim_now() + PATIENCE;
        while self.cluster.sim_now() < patience {
            let live = lab::live(&mut self.cluster, &object).unwrap_or_default();
            if live
                .pointer(&format!("/status/{field}"))
                .and_then(Value::as_i64)
                .map(|value| value.to_string())
                .as_deref()
                == Some(wanted)
            {
                return;
            }
            self.pass(Duration::from_millis(50));
        }
    }
}

/// The first `$(…)` of a line, with what stands before and after it.
fn substitution(line: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = line.split_once("$(")?;
    let (inner, after) = rest.split_once(')')?;
    Some((before, inner, after))
}

fn outputs(record: &Value, steps: &[&Value], script: &Script<'_>) -> Outcome {
    let mut masks = Masks::default();
    let changes: Vec<Value> = array(record, "watch").cloned().collect();
    let (recorded, drawn) = (aliases(&changes), aliases(&script.watcher.changes));
    let parts = steps.iter().zip(&script.outputs).filter(|(step, _)| step.get("rc").is_some()).map(
        |(expected, got)| {
            let line = text(expected, "step");
            let cut = ["stdout", "stderr"].iter().any(|field| text(expected, field).contains("more>…"));
            if cut {
                return Outcome::Skipped("the recording cut the output".to_owned());
            }
            let all = |step: &Value| {
                let rc = step.get("rc").and_then(Value::as_i64).unwrap_or_default();
                let stdout = text(step, "stdout");
                format!("{stdout}--- stderr\n{}--- rc {rc}\n", text(step, "stderr"))
            };
            let Some(got) = got else {
                return Outcome::equal(
                    format!("{line}\n{}", all(expected)),
                    format!("{line}\n(it still waits)"),
                );
            };
            let (expected, got) = (all(expected), all(got));
            if line.contains("rollout status") && coalesced::same_progress(&expected, &got) {
                return Outcome::Passed;
            }
            let own = text(record, "namespace");
            let crowded = watch::shows_others(&expected, own);
            // Rows stand in the order of names, and names are drawn.
            let sorted = |text: &str, aliases: &[(String, String)]| {
                let text = watch::without_others(text, own, crowded);
                let text = masks::drain_in_order(&watch::without_pod(&names(&rename(&text, aliases))));
                // A script that asks which node it was goes on with that.
                let asks = line.contains("$(");
                let mut lines: Vec<String> =
                    text.split('\n').map(|line| masks::ages(&watch::without_place(line, asks))).collect();
                lines.sort();
                lines.join("\n")
            };
            let (wanted, found) = (sorted(&expected, &recorded), sorted(&got, &drawn));
            if masks::same_run(&mut Masks::default(), &wanted, &found) == wanted {
                return Outcome::Passed;
            }
            let got = names(&masks::same_run(&mut masks, &expected, &got));
            Outcome::equal(format!("{line}\n{}", names(&expected)), format!("{line}\n{got}"))
        },
    );
    Outcome::all(parts)
}

/// The states of every object in their order, names that were drawn numbered by appearance.
fn states(record: &Value, script: &Script<'_>) -> Outcome {
    let order = |changes: &[Value]| -> Value {
        let aliases = aliases(changes);
        let mut objects: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for change in changes {
            let name = rename(text(change, "o"), &aliases);
            let mut fields = change.get("f").cloned().unwrap_or_default();
            // Whether it stands there depends on what fell into the same second.
            if let Some(annotations) = fields.pointer_mut("/annotations").and_then(Value::as_object_mut) {
                annotations.remove("endpoints.kubernetes.io/last-change-trigger-time");
                if annotations.is_empty()
                    && let Some(fields) = fields.as_object_mut()
                {
                    fields.remove("annotations");
                }
            }
            if let Some(fields) = fields.as_object_mut().filter(|_| name.starts_with("Pod/")) {
                // The pretended kubelet wrote them.
                for field in ["phase", "conditions", "waiting"] {
                    fields.remove(field);
                }
                // Which of equal nodes was drawn is chance; when a pod is bound is not.
                if let Some(node) = fields.get_mut("node") {
                    *node = json!("<node>");
                }
            }
            let fields: Value =
                serde_json::from_str(&names(&rename(&fields.to_string(), &aliases))).unwrap_or_default();
            let state = if text(change, "e") == "DELETED" { json!("deleted") } else { fields };
            let states = objects.entry(name).or_default();
            if states.last() != Some(&state) {
                states.push(state);
            }
        }
        Value::Object(
            objects.into_iter().map(|(name, states)| (name, Value::Array(states))).collect::<Map<_, _>>(),
        )
    };
    let expected: Vec<Value> = array(record, "watch").cloned().collect();
    let (expected, got) = (order(&expected), order(&script.watcher.changes));
    let mut got = Masks::default().tree(&expected, &got);
    for (name, states) in got.as_object_mut().into_iter().flatten() {
        let (Some(wanted), Some(found)) = (expected.get(name).and_then(Value::as_array), states.as_array())
        else {
            continue;
        };
        if coalesced::agree(wanted, found) {
            *states = Value::Array(wanted.clone());
        }
    }
    Outcome::same(&expected, &got)
}

/// Drawn parts of names, numbered by appearance: the hash of a ReplicaSet, the suffix of a pod.
fn aliases(changes: &[Value]) -> Vec<(String, String)> {
    let mut aliases: Vec<(String, String)> = Vec::new();
    for change in changes {
        let (kind, name) = text(change, "o").split_once('/').unwrap_or_default();
        let name = name.split_once(" -n ").map_or(name, |(name, _)| name);
        let owner =
            change.pointer("/f/owners/0").and_then(Value::as_str).and_then(|owner| owner.split_once('/'));
        let Some((_, owner)) = owner else { continue };
        let Some(drawn) = name.strip_prefix(owner).and_then(|rest| rest.strip_prefix('-')) else { continue };
        let ordinal = drawn.bytes().all(|byte| byte.is_ascii_digit()) && drawn.len() < 3;
        if drawn.is_empty() || ordinal || aliases.iter().any(|(known, _)| known == drawn) {
            continue;
        }
        let number = aliases.iter().filter(|(_, alias)| alias.starts_with(&format!("<{kind}"))).count() + 1;
        aliases.push((drawn.to_owned(), format!("<{kind}{number}>")));
    }
    aliases
}

fn rename(text: &str, aliases: &[(String, String)]) -> String {
    aliases.iter().fold(text.to_owned(), |text, (drawn, alias)| text.replace(drawn.as_str(), alias))
}

/// Takes out the namespace's own drawn name, uids and times.
fn names(text: &str) -> String {
    watch::without_drawn(text)
}

/// Type, reason, message and final count of every event.
fn events(record: &Value, script: &Script<'_>) -> Outcome {
    let changes: Vec<Value> = array(record, "watch").cloned().collect();
    let summary = |events: Vec<&Value>, changes: &[Value]| -> String {
        let aliases = aliases(changes);
        // The recording has every write of an event, the last of which has its final count.
        let mut finals: BTreeMap<String, i64> = BTreeMap::new();
        for event in events {
            let fields = ["object", "type", "reason", "from", "message"].map(|field| text(event, field));
            let count = event.get("count").and_then(Value::as_i64).unwrap_or(1);
            let known = finals.entry(fields.join(" ")).or_default();
            *known = count.max(*known);
        }
        let mut counts: BTreeMap<String, i64> = BTreeMap::new();
        for (line, count) in finals {
            let line = watch::without_node(&names(&rename(&line, &aliases)));
            *counts.entry(watch::without_pod(&line)).or_default() += count;
        }
        counts.iter().map(|(event, count)| format!("{event} x{count}\n")).collect()
    };
    let expected = summary(array(record, "events").collect(), &changes);
    let got_events = script.watcher.events();
    let got = summary(got_events.iter().collect(), &script.watcher.changes);
    Outcome::equal(expected, got)
}
