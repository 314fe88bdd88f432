//! Node.js and the npm packages of `package-lock.json`.

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use std::path::PathBuf;
use std::process::Command;

use crate::paths::root;
use crate::process::{first_line, run_quiet, say};

/// The oldest major version of Node.js whose test runner has what the browser tests use.
const NODE_MAJOR: u32 = 20;

/// Checks that Node.js and npm are there.
///
/// # Errors
/// With one line that says what to install.
pub(crate) fn check_node() -> Result<()> {
    let version = first_line(Command::new("node").arg("--version"))
        .with_context(|| format!("Node.js is missing: install Node.js {NODE_MAJOR} or newer, with npm"))?;
    let major = version.trim_start_matches('v').split('.').next().and_then(|text| text.parse::<u32>().ok());
    if major.is_none_or(|major| major < NODE_MAJOR) {
        bail!("Node.js {version} is too old: install Node.js {NODE_MAJOR} or newer");
    }
    if first_line(npm().arg("--version")).is_none() {
        bail!("npm is missing: install npm (it usually comes with Node.js)");
    }
    Ok(())
}

/// Installs the npm packages of the lock file, if they aren't there yet.
///
/// # Errors
/// If npm fails.
pub(crate) fn packages() -> Result<()> {
    let root = root();
    let lock = std::fs::read(root.join("package-lock.json")).context("cannot read package-lock.json")?;
    let wanted = format!("{:x}", Sha256::digest(&lock));
    let stamp = root.join("node_modules").join(".podlab-lock-hash");
    if std::fs::read_to_string(&stamp).is_ok_and(|have| have == wanted) {
        return Ok(());
    }
    say("fetching the npm packages of package-lock.json");
    run_quiet(npm().current_dir(&root).args(["ci", "--no-fund", "--no-audit", "--loglevel=error"]))?;
    std::fs::write(stamp, wanted)?;
    Ok(())
}

/// The path of a program that an npm package brought.
pub(crate) fn binary(name: &str) -> PathBuf {
    let file = if cfg!(windows) { format!("{name}.cmd") } else { name.to_owned() };
    root().join("node_modules").join(".bin").join(file)
}

fn npm() -> Command {
    Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" })
}
