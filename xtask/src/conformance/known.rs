//! The list of records that podlab does not meet yet: one a line, `FILE: NAME`. It only shrinks.
//!
//! `conformance --known write` writes it; the tests below fail where a record comes out otherwise than listed.

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

fn listed() -> Result<BTreeSet<String>> {
    let text =
        std::fs::read_to_string(path()).with_context(|| format!("cannot read {}", path().display()))?;
    Ok(text.lines().map(str::to_owned).collect())
}

fn compared(report: &Report, line: &str) -> bool {
    report.figures.iter().any(|figure| line.starts_with(&format!("{}: ", figure.name)))
}

/// Writes the list anew for the files that were compared.
///
/// # Errors
/// When the file can't be written.
pub(super) fn write(report: &Report) -> Result<()> {
    let mut names = failures(report);
    names.extend(listed().unwrap_or_default().into_iter().filter(|line| !compared(report, line)));
    let text: String = names.into_iter().map(|name| name + "\n").collect();
    std::fs::write(path(), text).with_context(|| format!("cannot write {}", path().display()))
}

/// What differs from the list: failures that are new, and records that must leave it, since they are met. Files that
/// were not compared are left alone.
///
/// # Errors
/// When the list can't be read.
pub(super) fn check(report: &Report) -> Result<Vec<String>> {
    let listed: BTreeSet<String> = listed()?.into_iter().filter(|line| compared(report, line)).collect();
    let failed = failures(report);
    let new = failed.difference(&listed).map(|name| format!("fails and is not listed: {name}"));
    let met = listed.difference(&failed).map(|name| format!("is met and must leave the list: {name}"));
    Ok(new.chain(met).collect())
}

#[cfg(test)]
mod tests {
    use crate::conformance::{default_data, run};

    /// Compares files of the recordings; a record that passes must not be in the list, one that fails must be.
    fn check(only: &str) {
        let data = default_data();
        if !data.join(only).exists() {
            println!("no recordings at {}: skipped", data.display());
            return;
        }
        let report = run(&data, Some(only), &mut |_| {}).unwrap();
        let differences = super::check(&report).unwrap();
        assert!(differences.is_empty(), "{}", differences.join("\n"));
    }

    #[test]
    fn validation_comes_out_as_listed() {
        check("cluster/validation.jsonl");
    }

    #[test]
    fn defaults_come_out_as_listed() {
        check("cluster/defaults.jsonl");
    }

    #[test]
    fn scheduling_comes_out_as_listed() {
        check("cluster/scheduling.jsonl");
    }

    #[test]
    fn tables_of_the_server_come_out_as_listed() {
        check("cluster/tables.jsonl");
    }

    #[test]
    fn transcripts_come_out_as_listed() {
        check("cluster/seed_transcript.jsonl");
    }

    #[test]
    fn timelines_of_kubelets_come_out_as_listed() {
        check("cluster/kubelet.jsonl");
    }

    #[test]
    fn kubectl_comes_out_as_listed() {
        check("kubectl");
    }

    #[test]
    fn upstream_tables_come_out_as_listed() {
        check("tables");
    }

    #[test]
    fn manifests_of_the_notes_come_out_as_listed() {
        check("seed-yaml");
    }

    #[test]
    fn manifests_of_the_documentation_come_out_as_listed() {
        check("website-examples");
    }
}
