//! `cargo xtask first-part`: which functions run while the page is opened and begun with.

use anyhow::{Result, bail};
use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use super::{LIST, hash, marks};
use crate::dist::{self, Options, Profile};
use crate::http::{Listening, Reload};
use crate::paths::{page_target, root};
use crate::process::{run, say};
use crate::tools;

/// Runs `cargo xtask first-part`: builds the page so that functions leave marks, lets
/// `tests/browser/first_part.mjs` use it in Chromium, and writes down which functions were called.
///
/// # Errors
/// If the page can't be built or used.
pub(crate) fn command(arguments: Vec<String>) -> Result<ExitCode> {
    if let Some(argument) = arguments.first() {
        bail!("first-part takes no argument, not {argument}");
    }
    let tools = tools::for_page()?;
    let mut whole = Vec::new();
    let options = Options { profile: Profile::Parts, out: page_target().join("marked-page") };
    dist::build_with(&options, &tools, |package| {
        whole = fs::read(&package.wasm)?;
        fs::write(&package.wasm, marks::with_marks(&whole)?)?;
        package.second = None;
        Ok(())
    })?;
    let server = Listening::on(0)?.serve(options.out, Reload::Never);
    let marks = page_target().join("marks");
    say("using the page in Chromium");
    run(Command::new("node")
        .current_dir(root())
        .arg(root().join("tests").join("browser").join("first_part.mjs"))
        .env("PODLAB_URL", server.url())
        .env("PODLAB_MARKS", &marks)
        .env("CHROME", tools::chromium()?))?;
    let names = marks::called(&whole, &fs::read(marks)?)?;
    let mut hashes = names.iter().map(|name| hash(name)).collect::<Vec<_>>();
    hashes.sort();
    hashes.dedup();
    let list: PathBuf = root().join(LIST);
    fs::write(&list, format!("{HEAD}{}\n", hashes.join("\n")))?;
    say(&format!("{LIST} names {} functions", hashes.len()));
    Ok(ExitCode::SUCCESS)
}

const HEAD: &str = "\
# Functions of the wasm file's first part: the first eight digits of the SHA-256 of their names.
# Written by `cargo xtask first-part`; see xtask/src/dist/split.
";
