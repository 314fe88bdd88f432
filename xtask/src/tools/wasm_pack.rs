//! wasm-pack and the wasm-bindgen program, of the versions this checkout needs.

use anyhow::{Context, Result, anyhow};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::paths::{find_program, root, tools};
use crate::process::{first_line, run_quiet, say};

const WASM_PACK: &str = "0.15.1";

/// The two programs that turn the compiled page into a JavaScript module.
pub(crate) struct WasmTools {
    /// wasm-pack, any version from 0.13.
    pub(crate) wasm_pack: PathBuf,
    /// wasm-bindgen, of exactly the version of the crate in `Cargo.lock`.
    pub(crate) wasm_bindgen: PathBuf,
}

/// Finds both programs, or installs them with cargo into the tools folder, side by side.
///
/// # Errors
/// If one can't be installed.
pub(crate) fn wasm_tools() -> Result<WasmTools> {
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).context("cannot read Cargo.lock")?;
    let bindgen = locked_version(&lock, "wasm-bindgen").context("Cargo.lock has no wasm-bindgen")?;
    std::thread::scope(|scope| {
        let pack = scope.spawn(|| program("wasm-pack", "wasm-pack", WASM_PACK, true));
        // Its own lock file pins crates that newer compilers warn about and old servers no longer need.
        let wasm_bindgen = program("wasm-bindgen-cli", "wasm-bindgen", &bindgen, false)?;
        let wasm_pack = pack.join().map_err(|_| anyhow!("installing wasm-pack ended unexpectedly"))??;
        Ok(WasmTools { wasm_pack, wasm_bindgen })
    })
}

fn program(package: &str, name: &str, version: &str, locked: bool) -> Result<PathBuf> {
    let ours = tools().join("bin").join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    let installed = [Some(ours.clone()), find_program(name)].into_iter().flatten();
    for candidate in installed {
        if has_version(&candidate, version) {
            return Ok(candidate);
        }
    }
    say(&format!("installing {package} {version} with cargo (about a minute)"));
    install(package, version, locked)?;
    Ok(ours)
}

fn has_version(program: &Path, version: &str) -> bool {
    first_line(Command::new(program).arg("--version"))
        .is_some_and(|line| line.split_whitespace().nth(1) == Some(version))
}

/// Compiles a program fast rather than well: it runs for a second, an optimised build takes minutes.
fn install(package: &str, version: &str, locked: bool) -> Result<()> {
    let build = tools().join(format!("build-{package}"));
    let mut command = Command::new("cargo");
    command
        .args(["install", "--quiet", "--force", package, "--version"])
        .arg(format!("={version}"))
        .arg("--root")
        .arg(tools())
        .arg("--target-dir")
        .arg(&build)
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
        .env("CARGO_PROFILE_RELEASE_DEBUG", "false");
    if locked {
        command.arg("--locked");
    }
    run_quiet(&mut command)?;
    // Only the program is needed; what it was compiled from is hundreds of megabytes.
    let _ = std::fs::remove_dir_all(build);
    Ok(())
}

/// The version of a package in the text of a `Cargo.lock`.
pub(crate) fn locked_version(lock: &str, package: &str) -> Option<String> {
    let wanted = format!("name = \"{package}\"");
    let mut lines = lock.lines();
    lines.by_ref().find(|line| *line == wanted)?;
    let version = lines.next()?.strip_prefix("version = \"")?.strip_suffix('"')?;
    Some(version.to_owned())
}

#[cfg(test)]
mod tests {
    use super::locked_version;

    #[test]
    fn the_locked_version_is_that_of_the_package_of_exactly_this_name() {
        let lock = "[[package]]\nname = \"wasm-bindgen-macro\"\nversion = \"0.1.0\"\n\n\
                    [[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.130\"\n";
        assert_eq!(locked_version(lock, "wasm-bindgen").as_deref(), Some("0.2.130"));
        assert_eq!(locked_version(lock, "yew"), None);
    }
}
