//! What came out: units, figures, the last line, the JSON file.

use anyhow::{Context as _, Result};
use serde_json::{Map, Value, json};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// A file or folder of recordings, handed to its reader.
pub(super) struct Recording<'a> {
    /// The folder of all recordings.
    pub(super) folder: &'a Path,
    /// The path below it, with slashes.
    pub(super) name: &'a str,
    /// What `--only` asks for; readers of folders look at it.
    pub(super) only: Option<&'a str>,
    /// Which part of a record is asked for, such as `raw`; `None` for all that counts.
    pub(super) part: Option<&'a str>,
}

impl Recording<'_> {
    pub(super) fn path(&self) -> PathBuf {
        self.folder.join(self.name)
    }

    pub(super) fn text(&self) -> Result<String> {
        read(&self.path())
    }

    pub(super) fn json(&self) -> Result<Value> {
        serde_json::from_str(&self.text()?).with_context(|| format!("{} is no JSON", self.name))
    }

    /// The records of a file with one JSON object a line.
    pub(super) fn lines(&self) -> Result<Vec<Value>> {
        let text = self.text()?;
        let line = |(index, line): (usize, &str)| {
            serde_json::from_str(line).with_context(|| format!("{} line {} is no JSON", self.name, index + 1))
        };
        text.lines().enumerate().filter(|(_, text)| !text.trim().is_empty()).map(line).collect()
    }
}

pub(super) fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// How one unit came out.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Outcome {
    Passed,
    Failed {
        expected: String,
        got: String,
    },
    /// For what podlab can never have, with the reason.
    Skipped(String),
}

impl Outcome {
    /// Passed if both are the same text.
    pub(super) fn equal(expected: impl Into<String>, got: impl Into<String>) -> Self {
        let (expected, got) = (expected.into(), got.into());
        if expected == got { Self::Passed } else { Self::Failed { expected, got } }
    }

    /// Passed if both are the same tree.
    pub(super) fn same(expected: &Value, got: &Value) -> Self {
        if expected == got {
            return Self::Passed;
        }
        let text = |value: &Value| serde_json::to_string_pretty(value).unwrap_or_default();
        Self::Failed { expected: text(expected), got: text(got) }
    }

    /// The first part that did not pass; skipped only where all are.
    pub(super) fn all(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut skipped = None;
        let mut passed = false;
        for part in parts {
            match part {
                Self::Passed => passed = true,
                Self::Failed { .. } => return part,
                Self::Skipped(_) => skipped = skipped.or(Some(part)),
            }
        }
        skipped.filter(|_| !passed).unwrap_or(Self::Passed)
    }
}

/// One test: a record, a row, a step.
#[derive(Debug, Clone)]
pub(super) struct Unit {
    pub(super) name: String,
    pub(super) outcome: Outcome,
}

impl Unit {
    /// Runs a comparison; a panic in it is a failure, not the end of the run.
    pub(super) fn run(name: impl Into<String>, compare: impl FnOnce() -> Outcome) -> Self {
        let outcome = catch_unwind(AssertUnwindSafe(compare)).unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no text");
            Outcome::Failed { expected: "no panic".to_owned(), got: format!("panic: {text}") }
        });
        Self { name: name.into(), outcome }
    }
}

/// The units of one file, or one of several readings of it (`kubelet.jsonl:times`).
#[derive(Debug, Clone)]
pub(super) struct Figure {
    pub(super) name: String,
    pub(super) units: Vec<Unit>,
}

impl Figure {
    fn counts(&self) -> [usize; 3] {
        let mut counts = [0; 3];
        for unit in &self.units {
            match unit.outcome {
                Outcome::Passed => counts[0] += 1,
                Outcome::Failed { .. } => counts[1] += 1,
                Outcome::Skipped(_) => counts[2] += 1,
            }
        }
        counts
    }

    pub(super) fn summary(&self) -> String {
        summary(&self.name, self.counts())
    }
}

/// Everything that came out.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) figures: Vec<Figure>,
    /// Files that nothing reads yet.
    pub(super) unread: Vec<String>,
}

impl Report {
    pub(super) fn summary(&self) -> String {
        let mut total = [0; 3];
        for figure in &self.figures {
            for (sum, count) in total.iter_mut().zip(figure.counts()) {
                *sum += count;
            }
        }
        summary("total", total)
    }

    pub(super) fn to_json(&self) -> Value {
        let mut files = Map::new();
        for figure in &self.figures {
            let [passed, failed, skipped] = figure.counts();
            let units: Vec<Value> = figure.units.iter().filter_map(unit_json).collect();
            let file = json!({"passed": passed, "failed": failed, "skipped": skipped, "units": units});
            files.insert(figure.name.clone(), file);
        }
        json!({"files": files, "no_reader": self.unread, "summary": self.summary()})
    }
}

fn summary(name: &str, [passed, failed, skipped]: [usize; 3]) -> String {
    format!("{name}: {passed} passed, {failed} failed, {skipped} skipped")
}

fn unit_json(unit: &Unit) -> Option<Value> {
    match &unit.outcome {
        Outcome::Passed => None,
        Outcome::Skipped(reason) => Some(json!({"name": unit.name, "skipped": reason})),
        Outcome::Failed { expected, got } => {
            Some(json!({"name": unit.name, "expected": expected, "got": got,
            "first_difference": first_difference(expected, got)}))
        }
    }
}

/// Where two texts part: line and column from 1, and the two lines.
fn first_difference(expected: &str, got: &str) -> Value {
    let (mut left, mut right) = (expected.split('\n'), got.split('\n'));
    let mut line = 0;
    loop {
        line += 1;
        let (expected, got) = (left.next(), right.next());
        if expected == got && expected.is_some() {
            continue;
        }
        let (a, b) = (expected.unwrap_or_default(), got.unwrap_or_default());
        let column = a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count() + 1;
        return json!({"line": line, "column": column, "expected": expected, "got": got});
    }
}
