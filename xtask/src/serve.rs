//! `cargo xtask serve`: the page on loopback, built again whenever a source file changes.

use anyhow::Result;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use crate::dist::{self, Options, Profile};
use crate::http::{Listening, Reload};
use crate::paths::{page_target, root};
use crate::process::say;
use crate::tools;

const DEFAULT_PORT: u16 = 8417;

/// How often the sources are looked at.
const WATCH_EVERY: Duration = Duration::from_millis(400);

/// What a page is made of, relative to the workspace.
const SOURCES: [&str; 8] =
    ["src", "static", "crates", "drills", "index.html", "Cargo.toml", "Cargo.lock", "package-lock.json"];

/// The endings of files that are not compiled, only bundled.
const BESIDE: [&str; 4] = ["css", "js", "html", "svg"];

/// Runs `cargo xtask serve [--release] [--port N]`.
///
/// # Errors
/// If something is missing or the port is taken; both are found before anything long begins.
pub(crate) fn command(arguments: Vec<String>) -> Result<ExitCode> {
    use lexopt::prelude::*;
    let (mut profile, mut port) = (Profile::Dev, None::<u16>);
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Long("release") => profile = Profile::Release,
            Long("port") => port = Some(parser.value()?.parse()?),
            other => return Err(other.unexpected().into()),
        }
    }
    let out = page_target().join(format!("serve-{}", profile.cargo()));
    let options = Options { profile, out };
    tools::check()?;
    // A taken port is said before the build, which takes minutes the first time.
    let listening = match port {
        Some(port) => Listening::on(port)?,
        // Nobody asked for this port, so any other will do when it is taken.
        None => Listening::on(DEFAULT_PORT).or_else(|_| Listening::on(0))?,
    };
    let tools = tools::for_page()?;
    let mut seen = state();
    // Whoever begins with a mistake in a file mends it and goes on; a page of an earlier build is shown meanwhile.
    let mut compiled = said(dist::build(&options, &tools));
    let server = listening.serve(options.out.clone(), Reload::Live);
    say(&format!("podlab is at {} (Ctrl-C ends; it is built again when a file changes)", server.url()));
    loop {
        std::thread::sleep(WATCH_EVERY);
        let now = state();
        if now == seen {
            continue;
        }
        // Styles and scripts are there in a second; what is compiled takes its time.
        let outcome = if compiled && now.compiled == seen.compiled {
            dist::bundle_again(&options)
        } else {
            let outcome = tools::packages().and_then(|()| dist::build(&options, &tools));
            compiled = outcome.is_ok();
            outcome
        };
        seen = now;
        if said(outcome) {
            server.rebuilt();
        }
    }
}

/// Whether it went well; if not, why.
fn said(outcome: Result<()>) -> bool {
    if let Err(error) = &outcome {
        eprintln!("xtask: not built, the page stays as it was: {error:#}");
        say("waiting for a file to change");
    }
    outcome.is_ok()
}

/// What changes whenever a source file is written, added, removed or put back as it was before.
#[derive(PartialEq, Eq)]
struct State {
    /// Of styles, scripts and what else lies beside the compiled part.
    beside: u64,
    /// Of all other files.
    compiled: u64,
}

fn state() -> State {
    let mut hashers = [DefaultHasher::new(), DefaultHasher::new()];
    for source in SOURCES {
        look(&root().join(source), &mut hashers);
    }
    let [beside, compiled] = hashers.map(|hasher| hasher.finish());
    State { beside, compiled }
}

fn look(path: &Path, hashers: &mut [DefaultHasher; 2]) {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // What editors keep beside the file that they have open.
    if name.starts_with('.') || name.ends_with('~') {
        return;
    }
    let Ok(data) = path.metadata() else { return };
    if data.is_dir() {
        let mut entries =
            path.read_dir().into_iter().flatten().flatten().map(|e| e.path()).collect::<Vec<_>>();
        entries.sort();
        for entry in entries {
            look(&entry, hashers);
        }
        return;
    }
    let beside = path.extension().is_some_and(|e| BESIDE.iter().any(|b| e == *b));
    let [of_beside, of_compiled] = hashers;
    let hasher = if beside { of_beside } else { of_compiled };
    (path, data.len(), data.modified().ok()).hash(hasher);
}
