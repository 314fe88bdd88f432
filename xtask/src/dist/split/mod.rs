//! The wasm file in two parts: what the page needs to be usable, and the rest, which loads behind the first picture.
//!
//! The first part holds the functions that [`LIST`] names: those that ran while a page was opened and begun with. What
//! is not named there works all the same, since a call of it waits for the second part; so an old list costs a learner
//! time, never an answer. `cargo xtask first-part` records the list anew.

mod marks;
mod memory;
mod module;
mod parts;
mod record;
mod remap;
#[cfg(test)]
mod tests;

pub(super) use memory::without_lists;
pub(crate) use record::command;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::paths::root;
use crate::process::say;

/// Names of the functions of the first part, each as the first digits of its SHA-256.
const LIST: &str = "xtask/first_part.txt";
/// Digits of a name's hash.
const DIGITS: usize = 8;

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

/// Cuts the page's wasm file in two, next to it. `linked` is what the linker made, with its lists of constants.
///
/// # Errors
/// If a file can't be read or written, or is not of the kind that the page's compiler writes.
pub(super) fn cut(wasm: &Path, linked: &Path) -> Result<Files> {
    let read = |file: &Path| fs::read(file).with_context(|| format!("cannot read {}", file.display()));
    let list = fs::read_to_string(root().join(LIST)).with_context(|| format!("cannot read {LIST}"))?;
    let list: BTreeSet<&str> = list.lines().filter(|line| !line.starts_with('#')).collect();
    let constants = memory::constants(&read(linked)?)?;
    let parts = parts::cut(&read(wasm)?, |name| list.contains(hash(name).as_str()), &constants)?;
    let [first, second, shared] = parts.counts;
    say(&format!(
        "the first part has {first} functions, the second {second}, of which {shared} are called by the first"
    ));
    let files = Files::beside(wasm);
    fs::write(&files.first, parts.first)?;
    fs::write(&files.second, parts.second)?;
    Ok(files)
}

/// How [`LIST`] names a function.
fn hash(name: &str) -> String {
    let mut digits = format!("{:x}", Sha256::digest(name));
    digits.truncate(DIGITS);
    digits
}
