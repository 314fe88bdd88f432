//! `cluster/seed_transcript.jsonl`: command lines as people type them, in order, on a cluster of one node.
//!
//! A step is one test. Pipes, redirections and other programs than kubectl go through podlab's shell.

use anyhow::Result;
use podlab_api::{Door, Request, kinds};
use podlab_cluster::{Cluster, Profile};
use podlab_sim::SimTime;
use serde_json::Value;
use std::time::Duration;

use super::controllers::kubelet::PretendedKubelet;
use super::golden;
use super::kubectl::{Machine, Output, Session};
use super::lab;
use super::report::{Figure, Outcome, Recording, Unit};

pub(super) fn read(recording: &Recording<'_>) -> Result<Vec<Figure>> {
    let mut units = Vec::new();
    for record in recording.lines()? {
        session(&record, &mut units);
    }
    Ok(vec![Figure { name: recording.name.to_owned(), units }])
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}

#[derive(Clone)]
struct Terminal {
    cluster: Cluster,
    kubelet: PretendedKubelet,
    machine: Machine,
}

fn terminal(node: &str) -> Terminal {
    let mut kubelet = PretendedKubelet::new(&[node], "2", "4Gi");
    let mut cluster = lab::empty(Profile::Controllers);
    kubelet.register(&mut cluster);
    let mut terminal = Terminal { cluster, kubelet, machine: Machine::with_cluster() };
    terminal.pass(Duration::from_secs(6));
    // Each session began with a namespace that had been emptied, the events about its node with it.
    if let Some(kind) = kinds::by_gvk("v1", "Event") {
        let request = Request::list(kind, "default");
        for event in terminal.cluster.request(request).into_list().map(|list| list.items).unwrap_or_default()
        {
            terminal.cluster.request(Request::delete(kind, "default", event.name()));
        }
    }
    terminal
}

/// `commands.jsonl`: each line is read by kubectl's grammar; none is unknown to podlab, or ignored.
pub(super) fn commands(recording: &Recording<'_>) -> Result<Vec<Figure>> {
    let fresh = terminal("minikube");
    let units = recording.lines()?.into_iter().map(|record| {
        let line = text(&record, "command").to_owned();
        let name = format!("{}:{} {line}", text(&record, "source"), record["line"]);
        Unit::run(name, || known(&mut fresh.clone(), &line))
    });
    Ok(vec![Figure { name: recording.name.to_owned(), units: units.collect() }])
}

/// Whether kubectl knows what a line asks for. Whether the objects exist that it names is not judged.
fn known(terminal: &mut Terminal, line: &str) -> Outcome {
    let first = line.split_whitespace().next().unwrap_or_default();
    if !matches!(first, "kubectl" | "k") {
        return Outcome::Skipped(
            "a line for another program, on the machine of the one who typed it".to_owned(),
        );
    }
    let output = terminal.line(line);
    let refused = [
        "podlab does not simulate",
        "not simulated",
        "not built yet",
        "unknown flag",
        "unknown shorthand flag",
    ];
    let problem = output.stderr.lines().find(|line| refused.iter().any(|part| line.contains(part)));
    match problem {
        None => Outcome::Passed,
        Some(problem) => Outcome::equal("an answer of kubectl's", problem),
    }
}

fn session(record: &Value, units: &mut Vec<Unit>) {
    let node = record.get("node").and_then(Value::as_str).unwrap_or("minikube");
    let mut terminal = terminal(node);
    let machine = &mut terminal.machine;
    for (path, content) in record.get("files").and_then(Value::as_object).into_iter().flatten() {
        machine.files.insert(path.clone(), content.as_str().unwrap_or_default().as_bytes().to_vec());
    }
    let steps = record.get("steps").and_then(Value::as_array).cloned().unwrap_or_default();
    let at = |step: &Value| step.get("t").and_then(Value::as_f64);
    let first = steps.iter().find_map(at).unwrap_or_default();
    let begin = terminal.cluster.sim_now();
    for (index, step) in steps.iter().enumerate() {
        if step.get("skipped").is_some() {
            continue;
        }
        let since = at(step).unwrap_or(first) - first;
        terminal.run_to(begin + Duration::from_secs_f64(since.max(0.0)));
        let name = format!("{} {index} {}", text(record, "name"), text(step, "cmd"));
        units.push(Unit::run(name, || golden::compare_run(step, &terminal.line(text(step, "cmd")))));
    }
}

impl Terminal {
    fn run_to(&mut self, until: SimTime) {
        loop {
            let next = self.kubelet.next().map_or(until, |next| next.min(until)).max(self.cluster.sim_now());
            let reached = self.cluster.run_until(next, || false);
            self.kubelet.act(&mut self.cluster);
            if reached && next >= until {
                return;
            }
        }
    }

    fn pass(&mut self, time: Duration) {
        let until = self.cluster.sim_now() + time;
        self.run_to(until);
    }

    /// A pipeline; its last command may be redirected into a file.
    fn line(&mut self, line: &str) -> Output {
        let (pipeline, file) = match split(line, '>').as_slice() {
            [pipeline, file] => (pipeline.trim().to_owned(), Some(file.trim().to_owned())),
            _ => (line.to_owned(), None),
        };
        let mut output = Output::default();
        let mut stderr = String::new();
        for command in split(&pipeline, '|') {
            output = self.command(command.trim(), &output.stdout);
            stderr.push_str(&output.stderr);
        }
        output.stderr = stderr;
        if let Some(file) = file {
            self.machine.files.insert(file, std::mem::take(&mut output.stdout).into_bytes());
        }
        output
    }

    fn command(&mut self, command: &str, input: &str) -> Output {
        // The value of a variable that no later line uses.
        let inner = command.split_once("=$(").and_then(|(_, rest)| rest.strip_suffix(')'));
        let kubectl = inner.unwrap_or(command);
        let arguments = kubectl.strip_prefix("kubectl ").or_else(|| kubectl.strip_prefix("k "));
        let Some(arguments) = arguments else { return other_program(command, input) };
        let words = golden::words(arguments);
        let mut session = Session::on(self.machine.clone(), &words, input);
        // A watch was broken off by the recorder, which counts as success.
        let watches = words.iter().any(|word| matches!(word.as_str(), "-w" | "--watch"));
        let patience = self.cluster.sim_now() + Duration::from_secs(if watches { 1 } else { 60 });
        while !session.advance(&mut self.cluster) && self.cluster.sim_now() < patience {
            self.pass(Duration::from_millis(50));
        }
        let mut output = session.output();
        self.machine = session.into_machine();
        if inner.is_some() {
            output.stdout.clear();
        }
        if watches && output.rc < 0 {
            output.rc = 0;
        }
        output
    }
}

/// Splits at a character outside quotes.
pub(super) fn split(line: &str, at: char) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut quote = None;
    for c in line.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            None if matches!(c, '\'' | '"') => quote = Some(c),
            None if c == at => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(part) = parts.last_mut() {
            part.push(c);
        }
    }
    parts
}

/// Another program than kubectl.
pub(super) fn other_program(command: &str, input: &str) -> Output {
    let script = match input {
        "" => format!("{command} </dev/null"),
        input => format!("{command} <<'PODLAB_END'\n{input}PODLAB_END\n"),
    };
    let outcome = podlab_shell::testing::run_bash(&script);
    Output { stdout: outcome.stdout, stderr: outcome.stderr, rc: i64::from(outcome.code) }
}
