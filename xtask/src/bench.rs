//! `cargo xtask bench`: what it costs, in Chromium and natively.

use anyhow::{Result, bail};
use std::process::ExitCode;

/// One measurement: its name and what runs it.
pub(crate) struct Bench {
    /// As given to `--only` and as the key in the JSON.
    pub(crate) name: &'static str,
    /// Measures and returns the entry of the JSON: `{"wasm": {…}, "native": {…}}`.
    pub(crate) run: fn() -> Result<serde_json::Value>,
}

/// All measurements, in the order they run.
const BENCHES: &[Bench] = &[];

/// Runs `cargo xtask bench [--only NAME] [--json OUT]`.
///
/// # Errors
/// For an unknown name, or when a measurement fails.
pub(crate) fn command(arguments: Vec<String>) -> Result<ExitCode> {
    use lexopt::prelude::*;
    let mut parser = lexopt::Parser::from_args(arguments);
    let (mut only, mut json) = (None::<String>, None::<String>);
    while let Some(argument) = parser.next()? {
        match argument {
            Long("only") => only = Some(parser.value()?.string()?),
            Long("json") => json = Some(parser.value()?.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    let chosen = BENCHES
        .iter()
        .filter(|bench| only.as_deref().is_none_or(|name| name == bench.name))
        .collect::<Vec<_>>();
    if let Some(name) = only.as_deref()
        && chosen.is_empty()
    {
        bail!("no measurement is called `{name}`");
    }
    let mut report = serde_json::Map::new();
    for bench in chosen {
        let value = (bench.run)()?;
        println!("{}: {value}", bench.name);
        report.insert(bench.name.to_owned(), value);
    }
    if let Some(file) = json {
        std::fs::write(file, serde_json::to_string_pretty(&report)?)?;
    }
    Ok(ExitCode::SUCCESS)
}
