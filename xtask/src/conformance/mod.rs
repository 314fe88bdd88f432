//! `cargo xtask conformance`: podlab against the recordings of the real programs.
//!
//! One reader a file type, in a file of its own and in the list of [`readers`]; what may differ is masked in [`masks`].
//! The folder of recordings is given by `--data`, else by `PODLAB_TRUTH`, else lies beside the workspace.

mod compare;
mod controllers;
mod defaults;
mod golden;
mod known;
mod kubectl;
mod kubelet;
mod lab;
mod manifests;
mod masks;
mod readers;
mod report;
mod scheduling;
mod seed_transcript;
mod server_tables;
mod tables;
mod validation;

use anyhow::{Context as _, Result, bail};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use report::Report;

struct Options {
    data: PathBuf,
    only: Option<String>,
    json: Option<PathBuf>,
    known: Option<Known>,
}

/// What to do with the list of known failures.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Known {
    Check,
    Write,
}

fn options(arguments: Vec<String>) -> Result<Options> {
    let mut options = Options { data: default_data(), only: None, json: None, known: None };
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().with_context(|| format!("{argument} needs a value"));
        match argument.as_str() {
            "--data" => options.data = PathBuf::from(value()?),
            "--only" => options.only = Some(value()?.trim_end_matches('/').to_owned()),
            "--json" => options.json = Some(PathBuf::from(value()?)),
            "--known" => {
                options.known = Some(match value()?.as_str() {
                    "check" => Known::Check,
                    "write" => Known::Write,
                    other => bail!("conformance: --known is `check` or `write`, not `{other}`"),
                });
            }
            other => bail!(
                "conformance: no option `{other}` (--data DIR, --only FILE, --json OUT, --known check|write)"
            ),
        }
    }
    Ok(options)
}

/// Where the recordings lie if nobody says otherwise.
fn default_data() -> PathBuf {
    match std::env::var_os("PODLAB_TRUTH") {
        Some(folder) => PathBuf::from(folder),
        None => crate::paths::root().join("..").join("shared").join("truth"),
    }
}

/// Runs `cargo xtask conformance [--data DIR] [--only FILE] [--json OUT]`.
///
/// Failures do not change the exit code, unless `--known check` asks whether they are those of the list.
///
/// # Errors
/// When an option is unknown or a recording can't be read.
pub(crate) fn command(arguments: Vec<String>) -> Result<ExitCode> {
    let options = options(arguments)?;
    if !options.data.is_dir() {
        bail!("no recordings at {}: give their folder with --data", options.data.display());
    }
    let report = run(&options.data, options.only.as_deref(), &mut |figure| println!("{}", figure.summary()))?;
    println!("{}", report.summary());
    if let Some(path) = options.json {
        let text = serde_json::to_string_pretty(&report.to_json())?;
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    match options.known {
        None => {}
        Some(Known::Write) => known::write(&report)?,
        Some(Known::Check) => {
            let differences = known::check(&report)?;
            for difference in &differences {
                println!("{difference}");
            }
            if !differences.is_empty() {
                return Ok(ExitCode::FAILURE);
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs every reader over its files and hands each figure to `progress` as it is done.
fn run(data: &Path, only: Option<&str>, progress: &mut dyn FnMut(&report::Figure)) -> Result<Report> {
    let mut report = Report::default();
    let mut names = BTreeSet::new();
    collect(data, data, &mut names)?;
    // `FILE:PART` asks a reader for one part of what it compares.
    let (only, part) = match only.and_then(|only| only.split_once(':')) {
        Some((name, part)) => (Some(name), Some(part)),
        None => (only, None),
    };
    if let Some(only) = only.filter(|only| !names.iter().any(|name| selects(only, name))) {
        bail!("nothing to compare at {only}");
    }
    for name in names.iter().filter(|name| only.is_none_or(|only| selects(only, name))) {
        let Some(reader) = readers::reader(name) else {
            println!("{name}: no reader yet");
            report.unread.push(name.clone());
            continue;
        };
        for figure in reader(&report::Recording { folder: data, name, only, part })? {
            progress(&figure);
            report.figures.push(figure);
        }
    }
    Ok(report)
}

fn selects(only: &str, name: &str) -> bool {
    only == name || only.strip_prefix(name).is_some_and(|rest| rest.starts_with('/')) || {
        name.strip_prefix(only).is_some_and(|rest| rest.starts_with('/'))
    }
}

/// The names of what is compared: files, and folders that one reader takes whole.
fn collect(data: &Path, folder: &Path, names: &mut BTreeSet<String>) -> Result<()> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        let name = path.strip_prefix(data).unwrap_or(&path).to_string_lossy().replace('\\', "/");
        if path.is_dir() && readers::reader(&name).is_none() {
            collect(data, &path, names)?;
        } else if !readers::IGNORED.contains(&name.as_str()) {
            names.insert(name);
        }
    }
    Ok(())
}
