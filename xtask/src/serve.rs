//! `cargo xtask serve`: the page on loopback, built again whenever a source file changes.

use anyhow::{Context, Result};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use crate::dist::{self, Options, Profile};
use crate::http::{Reload, Server};
use crate::paths::{page_target, root};
use crate::process::say;
use crate::tools;

const DEFAULT_PORT: u16 = 8417;

/// How often the sources are looked at.
const WATCH_EVERY: Duration = Duration::from_millis(400);

/// What a page is made of, relative to the workspace.
const SOURCES: [&str; 8] =
    ["src", "static", "crates", "drills", "index.html", "Cargo.toml", "Cargo.lock", "package-lock.json"];

/// Runs `cargo xtask serve [--release] [--port N]`.
///
/// # Errors
/// If the first build fails or the port is taken.
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
    let tools = tools::for_page()?;
    let mut seen = newest();
    dist::build(&options, &tools)?;
    let server = match port {
        Some(port) => Server::start(options.out.clone(), port, Reload::Live)?,
        // Nobody asked for this port, so any other will do when it is taken.
        None => Server::start(options.out.clone(), DEFAULT_PORT, Reload::Live)
            .or_else(|_| Server::start(options.out.clone(), 0, Reload::Live))?,
    };
    say(&format!("podlab is at {} (Ctrl-C ends; it is built again when a file changes)", server.url()));
    loop {
        std::thread::sleep(WATCH_EVERY);
        let now = newest();
        if now == seen {
            continue;
        }
        seen = now;
        match dist::build(&options, &tools).context("the page stays as it was") {
            Ok(()) => server.rebuilt(),
            Err(error) => eprintln!("xtask: {error:#}"),
        }
    }
}

/// The number of source files and the time of the newest: changes whenever a file is written, added or removed.
fn newest() -> (usize, Option<SystemTime>) {
    let mut state = (0, None);
    for source in SOURCES {
        look(&root().join(source), &mut state);
    }
    state
}

fn look(path: &Path, state: &mut (usize, Option<SystemTime>)) {
    let Ok(data) = path.metadata() else { return };
    if data.is_dir() {
        for entry in path.read_dir().into_iter().flatten().flatten() {
            look(&entry.path(), state);
        }
        return;
    }
    state.0 += 1;
    state.1 = state.1.max(data.modified().ok());
}
