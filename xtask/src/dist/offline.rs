//! The list of files, with hashes, that the service worker keeps for offline use.

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use std::fs;
use std::path::Path;

use crate::paths::root;

const MARK: &str = "[/* filled in by cargo xtask dist */]";

/// Writes `sw.js` into the staged page.
///
/// # Errors
/// If a file can't be read or written, or `static/sw.js` has lost its mark.
pub(super) fn write_service_worker(stage: &Path) -> Result<()> {
    let template =
        fs::read_to_string(root().join("static").join("sw.js")).context("cannot read static/sw.js")?;
    let mut files = Vec::new();
    list(stage, "", &mut files)?;
    files.sort();
    let entries = files.iter().map(|(path, hash)| serde_json::json!([path, hash])).collect::<Vec<_>>();
    let text = serde_json::to_string(&entries)?;
    anyhow::ensure!(template.contains(MARK), "static/sw.js does not contain {MARK}");
    fs::write(stage.join("sw.js"), template.replace(MARK, &text))?;
    Ok(())
}

/// Collects (path relative to the page, `sha256-…` as in an integrity attribute).
fn list(folder: &Path, prefix: &str, files: &mut Vec<(String, String)>) -> Result<()> {
    for entry in folder.read_dir()? {
        let entry = entry?;
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            list(&entry.path(), &format!("{path}/"), files)?;
        } else if !path.ends_with(".map") {
            let hash = STANDARD.encode(Sha256::digest(fs::read(entry.path())?));
            files.push((path, format!("sha256-{hash}")));
        }
    }
    Ok(())
}
