//! The wasm file in two parts: what the page needs to be usable, and the rest, which loads behind the first picture.
//!
//! The first part holds the functions that ran while the page was opened and begun with in Chromium, see [`record`]. What
//! did not run there works all the same, since a call of it waits for the second part.

mod marks;
mod memory;
mod module;
mod parts;
mod record;
mod remap;
#[cfg(test)]
mod tests;

pub(super) use memory::without_lists;
pub(super) use record::called;

use anyhow::{Context, Result};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::process::say;

/// The two files that [`cut`] writes.
pub(super) struct Files {
    /// What the page begins with.
    pub(super) first: PathBuf,
    /// What follows.
    pub(super) second: PathBuf,
}

impl Files {
    /// Where the parts of a wasm file are.
    pub(super) fn beside(wasm: &Path) -> Files {
        Files { first: wasm.with_file_name("first.wasm"), second: wasm.with_file_name("second.wasm") }
    }
}

/// Cuts the page's wasm file in two, next to it. `linked` is what the linker made, with its lists of constants; `called` are the
/// functions that the page begins with.
///
/// # Errors
/// If a file can't be read or written, or is not of the kind that the page's compiler writes.
pub(super) fn cut(wasm: &Path, linked: &Path, called: &BTreeSet<u32>) -> Result<Files> {
    let read = |file: &Path| fs::read(file).with_context(|| format!("cannot read {}", file.display()));
    let constants = memory::constants(&read(linked)?)?;
    let parts = parts::cut(&read(wasm)?, |function| called.contains(&function), &constants)?;
    let [first, second, shared] = parts.counts;
    say(&format!(
        "the first part has {first} functions, the second {second}, of which {shared} are called by the first"
    ));
    let files = Files::beside(wasm);
    fs::write(&files.first, parts.first)?;
    fs::write(&files.second, parts.second)?;
    Ok(files)
}
