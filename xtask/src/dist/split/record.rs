//! Which functions run while the page is opened and begun with.

use anyhow::Result;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use super::marks;
use crate::dist::compile::Package;
use crate::dist::{Options, Profile, publish_with};
use crate::http::{Listening, Reload};
use crate::paths::{page_target, root};
use crate::process::{run_quiet, say};

/// The functions of a compiled page, by their number, that run when `tests/browser/first_part.mjs` uses it in Chromium.
/// There every function leaves a mark when it is called.
///
/// # Errors
/// If the page can't be put together or used.
pub(in crate::dist) fn called(package: &Package, chromium: &Path) -> Result<BTreeSet<u32>> {
    say("opening the page in Chromium to see what it begins with");
    let whole = fs::read(&package.wasm)?;
    let marked = package.wasm.with_file_name("marked.wasm");
    fs::write(&marked, marks::with_marks(&whole)?)?;
    let options = Options { profile: Profile::Release, out: page_target().join("marked-page") };
    publish_with(&options, &Package { script: package.script.clone(), wasm: marked, second: None })?;
    let server = Listening::on(0)?.serve(options.out, Reload::Never);
    let marks = page_target().join("marks");
    run_quiet(
        Command::new("node")
            .current_dir(root())
            .arg(root().join("tests").join("browser").join("first_part.mjs"))
            .env("PODLAB_URL", server.url())
            .env("PODLAB_MARKS", &marks)
            .env("CHROME", chromium),
    )?;
    marks::called(&whole, &fs::read(marks)?)
}
