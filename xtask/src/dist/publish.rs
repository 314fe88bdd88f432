//! From the staging folder to where the user wants the page.

use anyhow::{Context, Result, bail};
use std::fs;
use std::path::Path;

/// Refuses to build into a folder that holds something else: stale files are removed from it.
///
/// # Errors
/// If the folder exists, isn't empty and isn't a podlab page.
pub(super) fn check_destination(out: &Path) -> Result<()> {
    let Ok(mut entries) = out.read_dir() else { return Ok(()) };
    if entries.next().is_some() && !out.join("sw.js").is_file() {
        bail!("{} is not empty and does not hold an earlier build: choose another folder", out.display());
    }
    Ok(())
}

/// Makes the destination equal to the staging folder; the page itself comes last, so that it never names a missing file.
///
/// # Errors
/// If a file can't be written or removed.
pub(super) fn publish(stage: &Path, out: &Path) -> Result<()> {
    let page = "index.html";
    copy(stage, out, &|name| name != page)?;
    fs::copy(stage.join(page), out.join(page))?;
    remove_stale(stage, out)
}

fn copy(from: &Path, to: &Path, wanted: &dyn Fn(&str) -> bool) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("cannot make {}", to.display()))?;
    for entry in from.read_dir()? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target, &|_| true)?;
        } else if wanted(&entry.file_name().to_string_lossy()) {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

fn remove_stale(stage: &Path, out: &Path) -> Result<()> {
    for entry in out.read_dir()? {
        let entry = entry?;
        let original = stage.join(entry.file_name());
        let is_folder = entry.file_type()?.is_dir();
        match (is_folder, original.is_dir(), original.exists()) {
            (true, true, _) => remove_stale(&original, &entry.path())?,
            (true, ..) => fs::remove_dir_all(entry.path())?,
            (false, _, false) => fs::remove_file(entry.path())?,
            _ => {}
        }
    }
    Ok(())
}
