//! From Rust to a wasm file and the JavaScript module that loads it.

use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Profile, split};
use crate::paths::{page_target, root};
use crate::process::{run, run_quiet, say};
use crate::tools::{self, PageTools};

/// wasm-opt's passes: chosen for the size after compression, which `-O3` or `-Oz` make larger here.
const WASM_OPT: [&str; 9] = [
    "--strip-debug",
    "--enable-gc",
    "--enable-reference-types",
    "--enable-bulk-memory",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--duplicate-function-elimination",
    "--merge-similar-functions",
    "-O1",
];

/// What was compiled.
pub(super) struct Package {
    /// The JavaScript module that loads the wasm file.
    pub(super) script: PathBuf,
    /// The wasm file, or its first part.
    pub(super) wasm: PathBuf,
    /// The second part, if the file is in two.
    pub(super) second: Option<PathBuf>,
}

impl Package {
    /// What was compiled last.
    pub(super) fn last(profile: Profile) -> Package {
        let folder = folder(profile);
        let whole =
            Package { script: folder.join("podlab.js"), wasm: folder.join("podlab_bg.wasm"), second: None };
        let parts = split::Files::beside(&whole.wasm);
        match profile {
            Profile::Release if parts.second.is_file() => {
                Package { wasm: parts.first, second: Some(parts.second), ..whole }
            }
            Profile::Dev | Profile::Release => whole,
        }
    }

    /// Cuts the wasm file of an optimised page in two where there is a browser that shows what the page begins with.
    ///
    /// # Errors
    /// If it can't be cut.
    pub(super) fn cut(self, profile: Profile) -> Result<Package> {
        if profile == Profile::Dev {
            return Ok(self);
        }
        let called = match tools::installed_chromium() {
            Some(chromium) => split::called(&self, &chromium),
            None => Err(anyhow::anyhow!("there is no Chrome or Chromium")),
        };
        match called {
            Ok(called) => {
                let linked =
                    page_target().join("wasm32-unknown-unknown").join(profile.cargo()).join("podlab.wasm");
                let parts = split::cut(&self.wasm, &linked, &called)?;
                Ok(Package { wasm: parts.first, second: Some(parts.second), ..self })
            }
            Err(error) => {
                say(&format!("the wasm file stays whole, which takes longer to load: {error:#}"));
                Ok(self)
            }
        }
    }
}

/// Compiles the page.
///
/// # Errors
/// If the compiler, wasm-bindgen or wasm-opt fails.
pub(super) fn wasm(profile: Profile, tools: &PageTools) -> Result<Package> {
    let package = folder(profile);
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
    if profile == Profile::Release {
        command.env("CARGO_ENCODED_RUSTFLAGS", rust_flags().join("\x1f"));
    }
    run(&mut command).context("compiling the page")?;
    let wasm = package.join("podlab_bg.wasm");
    // The parts of an earlier build are not this one's.
    let _ = std::fs::remove_file(split::Files::beside(&wasm).second);
    if profile != Profile::Dev {
        optimise(&wasm)?;
    }
    Ok(Package { script: package.join("podlab.js"), wasm, second: None })
}

/// What the compiler is told beside the profile `dist` of Cargo.toml.
fn rust_flags() -> Vec<String> {
    let mut flags = vec![
        // For splitting: the linker tells where each constant begins and ends.
        "-Clink-arg=--emit-relocs".to_owned(),
        // Twice what `opt-level = "s"` means. 70 makes a busy cluster a twentieth slower and saves 15 KB of what loads; 225,
        // which `opt-level = 2` means, costs 40 KB more and gains nothing that can be measured.
        "-Cllvm-args=-inline-threshold=100".to_owned(),
        format!("--remap-path-prefix={}=podlab", root().display()),
    ];
    // Where this machine keeps its sources is nobody's business, and the shorter for it.
    let home = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::home_dir().map(|home| home.join(".cargo")));
    flags.extend(home.map(|home| format!("--remap-path-prefix={}=cargo", home.display())));
    flags
}

/// The folder of what a profile compiled.
fn folder(profile: Profile) -> PathBuf {
    page_target().join(format!("pkg-{}", profile.cargo()))
}

fn optimise(wasm: &Path) -> Result<()> {
    say("shrinking the wasm file with wasm-opt");
    let small = wasm.with_extension("opt.wasm");
    std::fs::write(wasm, split::without_lists(&std::fs::read(wasm)?)?)?;
    run_quiet(Command::new(tools::binary("wasm-opt")).args(WASM_OPT).arg(wasm).arg("-o").arg(&small))?;
    std::fs::rename(small, wasm)?;
    Ok(())
}
