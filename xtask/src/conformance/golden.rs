//! `kubectl/*.jsonl`: what real kubectl printed, with and without a server.

use anyhow::Result;
use podlab_api::Object;
use podlab_cluster::{Cluster, Profile};
use podlab_sim::SimTime;
use serde_json::Value;

use super::kubectl::{Machine, Output, Session};
use super::lab;
use super::masks::{self, Masks};
use super::report::{Figure, Outcome, Recording, Unit, read as read_file};

/// `kubectl-golden.jsonl`: no server answers.
pub(super) fn without_server(recording: &Recording<'_>) -> Result<Vec<Figure>> {
    let units = recording.lines()?.iter().map(|record| Unit::run(name(record), || alone(record))).collect();
    Ok(vec![Figure { name: recording.name.to_owned(), units }])
}

/// `seed-commands-golden.jsonl`: command lines as they were typed; only what kubectl decides alone can be compared,
/// since the objects of the recorder's server are not in the recording.
pub(super) fn seed_commands(recording: &Recording<'_>) -> Result<Vec<Figure>> {
    let units =
        recording.lines()?.iter().map(|record| Unit::run(name(record), || seed_command(record))).collect();
    Ok(vec![Figure { name: recording.name.to_owned(), units }])
}

/// `kubectl-golden-server.jsonl`: a server that holds dataset.json.
pub(super) fn with_server(recording: &Recording<'_>) -> Result<Vec<Figure>> {
    let dataset: Value = serde_json::from_str(&read_file(&recording.folder.join("dataset.json"))?)?;
    let cluster = restored(&dataset);
    let units = recording
        .lines()?
        .iter()
        .map(|record| Unit::run(name(record), || against(record, &mut cluster.clone())))
        .collect();
    Ok(vec![Figure { name: recording.name.to_owned(), units }])
}

/// A cluster that holds a list of objects, an hour after the last of them was made; where one is being deleted, three
/// seconds before its time is up.
pub(super) fn restored(list: &Value) -> Cluster {
    let mut cluster = lab::empty(Profile::Api);
    let items = list.get("items").and_then(Value::as_array).into_iter().flatten();
    let last = items.clone().filter_map(|item| item.pointer("/metadata/creationTimestamp")?.as_str()).max();
    let last = last.and_then(|last| last.parse::<podlab_api::door::Timestamp>().ok());
    let ends = items.clone().filter_map(|item| item.pointer("/metadata/deletionTimestamp")?.as_str()).min();
    let ends = ends.and_then(|ends| ends.parse::<podlab_api::door::Timestamp>().ok());
    let now = match (last, ends) {
        (_, Some(ends)) => SimTime::from_secs(ends.as_second() - 3),
        (Some(last), None) => SimTime::from_secs(last.as_second() + 3600),
        (None, None) => SimTime::START,
    };
    let objects: Vec<Object> = items.filter_map(|item| Object::from_value(item.clone()).ok()).collect();
    cluster.restore(objects, now);
    cluster
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn argv(record: &Value) -> Vec<String> {
    let words = record.get("argv").and_then(Value::as_array).into_iter().flatten();
    words.filter_map(Value::as_str).skip(1).map(str::to_owned).collect()
}

fn name(record: &Value) -> String {
    match record.get("command").and_then(Value::as_str) {
        Some(command) => format!("{}:{} {command}", text(record, "source"), record["line"]),
        None => format!("{} kubectl {}", record["id"], argv(record).join(" ")),
    }
}

fn alone(record: &Value) -> Outcome {
    let mut machine = Machine::without_cluster();
    for (path, content) in record.get("files").and_then(Value::as_object).into_iter().flatten() {
        machine.files.insert(path.clone(), content.as_str().unwrap_or_default().as_bytes().to_vec());
    }
    for (variable, value) in record.get("env").and_then(Value::as_object).into_iter().flatten() {
        machine.env.insert(variable.clone(), value.as_str().unwrap_or_default().to_owned());
    }
    let session = Session::on(machine, &argv(record), text(record, "stdin"));
    let (mut output, _) = session.finish(&mut lab::empty(Profile::Api));
    if record.get("needs_server") == Some(&Value::Bool(true)) {
        output.stdout = text(record, "stdout").to_owned();
    }
    compare(record, &output)
}

fn seed_command(record: &Value) -> Outcome {
    let command = text(record, "command");
    let plain = command.strip_prefix("kubectl ").or_else(|| command.strip_prefix("k "));
    let alone = text(record, "stdout").is_empty() && text(record, "stderr").starts_with("error: ");
    let asked =
        ["doesn't have a resource type", "already has a value", "is not valid for pod", "does not exist"];
    let asked = asked.iter().any(|part| text(record, "stderr").contains(part));
    let Some(arguments) = plain.filter(|plain| alone && !asked && !plain.contains(['|', '>', '&'])) else {
        return Outcome::Skipped(
            "answered by a server or a directory that is not in the recording".to_owned(),
        );
    };
    let arguments = words(arguments);
    let (output, _) = Session::start(&arguments, "").finish(&mut lab::empty(Profile::Api));
    compare(record, &output)
}

/// Words of a command line with quotes.
pub(super) fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), c) => word.get_or_insert_default().push(c),
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, ' ') => words.extend(word.take()),
            (None, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

fn against(record: &Value, cluster: &mut Cluster) -> Outcome {
    let session = Session::start(&argv(record), text(record, "stdin"));
    // The recorder's server took away at once what was deleted.
    let (output, _) = session.finish_with(cluster, lab::finish_deletions);
    if record.get("server_cells") == Some(&Value::Bool(true)) {
        // The cells came from the recorder's server: header, rows and their names count.
        let skeleton = |text: &str| -> String {
            let line = |(index, line): (usize, &str)| {
                let words: Vec<&str> = line.split_whitespace().collect();
                let is_header = !words.is_empty() && !line.chars().any(|c| c.is_lowercase());
                let kept = if index == 0 && is_header || line.starts_with("NAME") {
                    &words[..]
                } else {
                    &words[..words.len().min(1)]
                };
                kept.join(" ") + "\n"
            };
            text.lines().enumerate().map(line).collect()
        };
        return Outcome::equal(skeleton(text(record, "stdout")), skeleton(&output.stdout));
    }
    compare(record, &output)
}

/// Compares a command's output, ages included.
pub(super) fn compare_exactly(record: &Value, got: &Output) -> Outcome {
    let mut masks = Masks::default();
    let all = |stdout: &str, stderr: &str, rc: i64| format!("{stdout}--- stderr\n{stderr}--- rc {rc}\n");
    let rc = record.get("rc").and_then(Value::as_i64).unwrap_or_default();
    let (stdout, stderr) = (text(record, "stdout"), text(record, "stderr"));
    let (got_stdout, got_stderr) = (masks.text(stdout, &got.stdout), masks.text(stderr, &got.stderr));
    Outcome::equal(all(stdout, stderr, rc), all(&got_stdout, &got_stderr, got.rc))
}

/// Compares a command's output with a recording that holds real times, uids and addresses.
pub(super) fn compare_run(record: &Value, got: &Output) -> Outcome {
    let mut masks = Masks::default();
    let all = |stdout: &str, stderr: &str, rc: i64| format!("{stdout}--- stderr\n{stderr}--- rc {rc}\n");
    let rc = record.get("rc").and_then(Value::as_i64).unwrap_or_default();
    let (stdout, stderr) = (text(record, "stdout"), text(record, "stderr"));
    let got_stdout = masks::same_run(&mut masks, stdout, &got.stdout);
    let got_stderr = masks::same_run(&mut masks, stderr, &got.stderr);
    Outcome::equal(all(stdout, stderr, rc), all(&got_stdout, &got_stderr, got.rc))
}

/// Compares a command's output, whatever its ages.
pub(super) fn compare(record: &Value, got: &Output) -> Outcome {
    let mut masks = Masks::default();
    let all = |stdout: &str, stderr: &str, rc: i64| format!("{stdout}--- stderr\n{stderr}--- rc {rc}\n");
    let rc = record.get("rc").and_then(Value::as_i64).unwrap_or_default();
    let (stdout, stderr) = (text(record, "stdout"), text(record, "stderr"));
    let (stdout, got_stdout) = (masks::without_versions(stdout), masks::without_versions(&got.stdout));
    let got_stdout = masks::same_but_ages(&mut masks, &stdout, &got_stdout);
    let got_stderr = masks::same_but_ages(&mut masks, stderr, &got.stderr);
    Outcome::equal(all(&stdout, stderr, rc), all(&got_stdout, &got_stderr, got.rc))
}
