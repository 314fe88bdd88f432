//! From Rust to a wasm file and the JavaScript module that loads it.

use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Profile;
use crate::paths::{page_target, root};
use crate::process::{run, run_quiet, say};
use crate::tools::{self, PageTools};

/// wasm-opt's passes: chosen for the size after compression, which `-O3` or `-Oz` make larger here.
const WASM_OPT: [&str; 9] = [
    "--enable-gc",
    "--enable-reference-types",
    "--enable-bulk-memory",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--strip-debug",
    "--duplicate-function-elimination",
    "--merge-similar-functions",
    "-O1",
];

/// Compiles the page; returns the folder with `podlab.js` and `podlab_bg.wasm`.
///
/// # Errors
/// If the compiler, wasm-bindgen or wasm-opt fails.
pub(super) fn wasm(profile: Profile, tools: &PageTools) -> Result<PathBuf> {
    let package = package(profile);
    let mut command = Command::new(&tools.wasm.wasm_pack);
    command
        .current_dir(root())
        .args(["--quiet", "--log-level", "warn", "build", "--mode", "no-install", "--target", "web"])
        .args([
            "--no-typescript",
            "--no-pack",
            "--out-name",
            "podlab",
            "--profile",
            profile.cargo(),
            "--out-dir",
        ])
        .arg(&package)
        .arg(".")
        .env("CARGO_TARGET_DIR", page_target());
    let bindgen = tools.wasm.wasm_bindgen.parent().context("wasm-bindgen is in no folder")?;
    tools.toolchain.apply(&mut command, &[bindgen])?;
    run(&mut command).context("compiling the page")?;
    if profile == Profile::Release {
        optimise(&package.join("podlab_bg.wasm"))?;
    }
    Ok(package)
}

/// The folder of what a profile compiled.
pub(super) fn package(profile: Profile) -> PathBuf {
    page_target().join(format!("pkg-{}", profile.cargo()))
}

fn optimise(wasm: &Path) -> Result<()> {
    say("shrinking the wasm file with wasm-opt");
    let small = wasm.with_extension("opt.wasm");
    run_quiet(Command::new(tools::binary("wasm-opt")).args(WASM_OPT).arg(wasm).arg("-o").arg(&small))?;
    std::fs::rename(small, wasm)?;
    Ok(())
}
