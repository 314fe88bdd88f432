//! The list of records that podlab does not meet yet: one a line, `FILE: NAME`. It only shrinks.

use anyhow::{Context as _, Result};
use std::collections::BTreeSet;
use std::path::PathBuf;

use super::report::{Outcome, Report};

pub(super) fn path() -> PathBuf {
    crate::paths::root().join("xtask").join("known_failures.txt")
}

fn failures(report: &Report) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for figure in &report.figures {
        let failed = figure.units.iter().filter(|unit| matches!(unit.outcome, Outcome::Failed { .. }));
        names.extend(failed.map(|unit| format!("{}: {}", figure.name, unit.name.replace('\n', " "))));
    }
    names
}

/// Writes the list anew.
///
/// # Errors
/// When the file can't be written.
pub(super) fn write(report: &Report) -> Result<()> {
    let mut text = String::new();
    for name in failures(report) {
        text.push_str(&name);
        text.push('\n');
    }
    std::fs::write(path(), text).with_context(|| format!("cannot write {}", path().display()))
}

/// What differs from the list: failures that are new, and records that must leave it, since they are met. Files that
/// were not compared are left alone.
///
/// # Errors
/// When the list can't be read.
pub(super) fn check(report: &Report) -> Result<Vec<String>> {
    let text =
        std::fs::read_to_string(path()).with_context(|| format!("cannot read {}", path().display()))?;
    let compared =
        |line: &str| report.figures.iter().any(|figure| line.starts_with(&format!("{}: ", figure.name)));
    let listed: BTreeSet<String> = text.lines().filter(|line| compared(line)).map(str::to_owned).collect();
    let failed = failures(report);
    let new = failed.difference(&listed).map(|name| format!("fails and is not listed: {name}"));
    let met = listed.difference(&failed).map(|name| format!("is met and must leave the list: {name}"));
    Ok(new.chain(met).collect())
}
