//! A Rust toolchain that has the standard library for wasm32.

use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::{system, wasm_std};
use crate::paths::{find_program, root};
use crate::process::{first_line, say, succeeds_within};

/// The target the page is compiled for.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// How long `rustup target add` may take where Debian's packages could be used instead: behind a closed network it
/// waits for minutes before it gives up.
const RUSTUP_LIMIT: Duration = Duration::from_secs(20);

/// The same where there is nothing else to try: a slow line is slow, not broken.
const RUSTUP_ONLY_LIMIT: Duration = Duration::from_secs(600);

/// Which cargo and rustc compile the page.
pub(crate) struct Toolchain {
    /// A folder with `cargo` and `rustc`, put first on `PATH`; `None`: those that are on `PATH` already.
    bin: Option<PathBuf>,
}

impl Toolchain {
    /// Makes a command (cargo, or a program that calls it) use this toolchain.
    pub(crate) fn apply(&self, command: &mut Command, more: &[&Path]) -> Result<()> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = more
            .iter()
            .map(|folder| folder.to_path_buf())
            .chain(self.bin.clone())
            .chain(std::env::split_paths(&path))
            .collect::<Vec<_>>();
        command.env("PATH", std::env::join_paths(folders).context("PATH holds a folder with a colon")?);
        // What `cargo xtask` inherited speaks of the other toolchain.
        for name in ["CARGO", "RUSTC", "RUSTC_WRAPPER", "RUSTDOC", "RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS"] {
            command.env_remove(name);
        }
        Ok(())
    }

    /// For people: where the compiler comes from.
    pub(crate) fn describe(&self) -> String {
        match &self.bin {
            Some(folder) => folder.display().to_string(),
            None => first_line(Command::new("rustc").arg("-V")).unwrap_or_default(),
        }
    }
}

/// Checks that there is a Rust for wasm32, or a way to get one.
///
/// # Errors
/// With one line that says what to install.
pub(crate) fn check() -> Result<()> {
    for name in ["cargo", "rustc"] {
        if find_program(name).is_none() {
            bail!(
                "{name} is not on PATH: install Rust with rustup (https://rustup.rs), or add its folder to PATH"
            );
        }
    }
    let obtainable = find_program("rustup").is_some() || wasm_std::can_be_had();
    if !obtainable && !has_std(Command::new("rustc").current_dir(root())) {
        bail!(
            "Rust's target {TARGET} is missing, and rustup, which adds it: install Rust with rustup (https://rustup.rs)"
        );
    }
    Ok(())
}

/// Finds a toolchain with the wasm32 target, or makes one: rustup's first, Debian's packages second.
///
/// `PODLAB_WASM_TOOLCHAIN=debian` skips the first, to try the second on a machine that has both.
///
/// # Errors
/// With one line that says what to install.
pub(crate) fn toolchain() -> Result<Toolchain> {
    let debian_only = std::env::var("PODLAB_WASM_TOOLCHAIN").is_ok_and(|value| value == "debian");
    if !debian_only {
        if has_std(Command::new("rustc").current_dir(root())) {
            return Ok(Toolchain { bin: None });
        }
        if find_program("rustup").is_some() && add_target() {
            return Ok(Toolchain { bin: None });
        }
    }
    if find_program("apt-get").is_none() {
        bail!("Rust's target {TARGET} is missing: run `rustup target add {TARGET}`");
    }
    let bin = wasm_std::debian().with_context(|| {
        format!("Rust's target {TARGET} is missing (`rustup target add {TARGET}` adds it where rustup has network)")
    })?;
    Ok(Toolchain { bin: Some(bin) })
}

fn add_target() -> bool {
    say(&format!("adding Rust's target {TARGET} with rustup"));
    let limit = if system::can_install() { RUSTUP_LIMIT } else { RUSTUP_ONLY_LIMIT };
    let done =
        succeeds_within(Command::new("rustup").current_dir(root()).args(["target", "add", TARGET]), limit);
    if !done {
        say("rustup could not add it");
    }
    done && has_std(Command::new("rustc").current_dir(root()))
}

/// Whether a rustc's sysroot holds the standard library of the target.
pub(crate) fn has_std(rustc: &mut Command) -> bool {
    let Some(sysroot) = first_line(rustc.args(["--print", "sysroot"])) else { return false };
    library_folder(Path::new(&sysroot)).read_dir().is_ok_and(|entries| {
        entries.flatten().any(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.starts_with("libstd-") && name.ends_with(".rlib")
        })
    })
}

/// Where a sysroot keeps the target's libraries.
pub(crate) fn library_folder(sysroot: &Path) -> PathBuf {
    sysroot.join("lib").join("rustlib").join(TARGET).join("lib")
}
