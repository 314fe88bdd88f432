//! `cargo xtask test`: formatting, lints, native tests, the page's build, browser tests, and one line that sums up.

use anyhow::{Result, bail};
use std::path::Path;
use std::process::{Command, ExitCode};

use crate::dist::{self, Options, Profile};
use crate::http::{Listening, Reload};
use crate::paths::{page_target, root};
use crate::process::{first_line, run, run_lines, say};
use crate::tools;

/// What ran so far. A check (formatting, lints, a build) counts as one.
#[derive(Default)]
struct Tally {
    passed: u64,
    failed: u64,
}

impl Tally {
    fn check(&mut self, outcome: Result<()>) {
        match outcome {
            Ok(()) => self.passed += 1,
            Err(error) => {
                self.failed += 1;
                eprintln!("xtask: {error:#}");
            }
        }
    }
}

/// Runs `cargo xtask test [--only native|browser] [--filter TEXT]`.
///
/// # Errors
/// For an unknown option; what fails in a test is counted instead.
pub(crate) fn command(arguments: Vec<String>) -> Result<ExitCode> {
    use lexopt::prelude::*;
    let (mut native, mut browser, mut filter) = (true, true, None::<String>);
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Long("only") => match parser.value()?.string()?.as_str() {
                "native" => browser = false,
                "browser" => native = false,
                other => bail!("--only takes native or browser, not {other}"),
            },
            Long("filter") => filter = Some(parser.value()?.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    let mut tally = Tally::default();
    if native {
        if filter.is_none() {
            format_and_lints(&mut tally);
        }
        native_tests(&mut tally, filter.as_deref())?;
    }
    if browser {
        browser_tests(&mut tally, filter.as_deref());
    }
    println!("{} passed, {} failed", tally.passed, tally.failed);
    Ok(if tally.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn cargo() -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(root());
    command
}

fn format_and_lints(tally: &mut Tally) {
    if first_line(cargo().args(["fmt", "--version"])).is_some() {
        say("checking the formatting");
        tally.check(run(cargo().args(["fmt", "--all", "--check"])));
    } else {
        say("formatting not checked: the component rustfmt is not installed");
    }
    if first_line(cargo().args(["clippy", "--version"])).is_some() {
        say("running clippy");
        let flags = [
            "clippy",
            "--quiet",
            "--workspace",
            "--features",
            "xtask/crates",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ];
        tally.check(run(cargo().args(flags)));
    } else {
        say("lints not checked: the component clippy is not installed");
    }
}

/// Runs all native tests and counts by cargo's own result lines; a build that fails counts as one failure.
fn native_tests(tally: &mut Tally, filter: Option<&str>) -> Result<()> {
    say("running the native tests");
    let mut command = cargo();
    command.args(["test", "--quiet", "--workspace", "--features", "xtask/crates", "--no-fail-fast"]);
    if let Some(text) = filter {
        command.arg("--").arg(text);
    }
    let mut counts = Tally::default();
    let ended_well = run_lines(&mut command, |line| {
        if let Some((passed, failed)) = cargo_result(line) {
            counts.passed += passed;
            counts.failed += failed;
        }
    })?;
    if !ended_well && counts.failed == 0 {
        counts.failed = 1;
    }
    tally.passed += counts.passed;
    tally.failed += counts.failed;
    Ok(())
}

/// The numbers in `test result: ok. 3 passed; 0 failed; …`.
fn cargo_result(line: &str) -> Option<(u64, u64)> {
    let rest = line.trim_start().strip_prefix("test result: ")?;
    let (_, rest) = rest.split_once(". ")?;
    let number = |part: Option<&str>| part?.split_whitespace().next()?.parse::<u64>().ok();
    let mut parts = rest.split(';');
    Some((number(parts.next())?, number(parts.next())?))
}

/// Builds the page twice and runs `tests/browser/*.test.mjs` in a real Chromium: most of them with a page that is quick
/// to build and checks itself, those of `tests/browser/host` with what a host serves.
fn browser_tests(tally: &mut Tally, filter: Option<&str>) {
    // The second one needs a browser while it is built.
    if let Err(error) = tools::chromium() {
        return tally.check(Err(error));
    }
    let folder = root().join("tests").join("browser");
    browser_tests_of(tally, filter, Profile::Dev, "test-page", &folder);
    browser_tests_of(tally, filter, Profile::Release, "host-page", &folder.join("host"));
}

fn browser_tests_of(tally: &mut Tally, filter: Option<&str>, profile: Profile, page: &str, tests: &Path) {
    let options = Options { profile, out: page_target().join(page) };
    let built = tools::for_page().and_then(|tools| dist::build(&options, &tools));
    let ready = built.is_ok();
    tally.check(built);
    if !ready {
        return;
    }
    match play(&options.out, tests, filter) {
        Ok(counts) => {
            tally.passed += counts.passed;
            tally.failed += counts.failed;
        }
        Err(error) => tally.check(Err(error)),
    }
}

fn play(page: &Path, tests: &Path, filter: Option<&str>) -> Result<Tally> {
    let chromium = tools::chromium()?;
    let server = Listening::on(0)?.serve(page.to_path_buf(), Reload::Never);
    say(&format!("running the browser tests with {}", chromium.display()));
    let mut files = tests
        .read_dir()?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.to_string_lossy().ends_with(".test.mjs"))
        .collect::<Vec<_>>();
    files.sort();
    let results = page_target().join("browser-tests.tap");
    let mut node = Command::new("node");
    node.current_dir(root())
        .args(["--test", "--test-concurrency=2"])
        .args(["--test-reporter=spec", "--test-reporter-destination=stdout", "--test-reporter=tap"])
        .arg(format!("--test-reporter-destination={}", results.display()))
        .env("PODLAB_URL", server.url())
        .env("CHROME", chromium)
        .env("PODLAB_SCREENSHOTS", page_target().join("screenshots"));
    if let Some(text) = filter {
        node.arg(format!("--test-name-pattern={text}"));
    }
    let ended_well = node.args(files).status()?.success();
    let tap = std::fs::read_to_string(results)?;
    let count = |name: &str| {
        let prefix = format!("# {name} ");
        tap.lines()
            .rev()
            .find_map(|line| line.strip_prefix(&prefix)?.trim().parse::<u64>().ok())
            .unwrap_or_default()
    };
    let mut counts = Tally { passed: count("pass"), failed: count("fail") + count("cancelled") };
    if !ended_well && counts.failed == 0 {
        counts.failed = 1;
    }
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use super::cargo_result;

    #[test]
    fn cargos_result_lines_are_counted() {
        let line = "test result: FAILED. 12 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out";
        assert_eq!(cargo_result(line), Some((12, 3)));
        assert_eq!(cargo_result("running 3 tests"), None);
    }
}
