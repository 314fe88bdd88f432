//! What building and testing need, fetched on first use: each part first looks for what is already there.

mod chromium;
mod npm;
mod system;
mod wasm_pack;
mod wasm_std;
mod wasm_target;

pub(crate) use chromium::{chromium, installed_chromium};
pub(crate) use npm::{binary, packages};
pub(crate) use wasm_pack::{WasmTools, wasm_tools};
pub(crate) use wasm_target::{Toolchain, toolchain};

use anyhow::{Result, anyhow};
use std::process::ExitCode;

/// What a page build needs.
pub(crate) struct PageTools {
    /// The Rust toolchain that has the wasm32 standard library.
    pub(crate) toolchain: Toolchain,
    /// wasm-pack and the wasm-bindgen program it calls.
    pub(crate) wasm: WasmTools,
}

/// Looks for what only the user can install, before anything is fetched or compiled.
///
/// # Errors
/// With one line that says what to install.
pub(crate) fn check() -> Result<()> {
    npm::check_node()?;
    wasm_target::check()
}

/// Fetches all that a page build needs; the downloads of cargo and npm go on side by side.
///
/// # Errors
/// With one line that says what to install, or with the failing program's own output.
pub(crate) fn for_page() -> Result<PageTools> {
    check()?;
    std::thread::scope(|scope| {
        let packages = scope.spawn(packages);
        let wasm = scope.spawn(wasm_tools);
        let toolchain = toolchain()?;
        let wasm = wasm.join().map_err(|_| anyhow!("installing wasm-pack ended unexpectedly"))??;
        packages.join().map_err(|_| anyhow!("npm ended unexpectedly"))??;
        Ok(PageTools { toolchain, wasm })
    })
}

/// Runs `cargo xtask tools`: fetches everything and says where it is.
///
/// # Errors
/// If something is missing and can't be fetched.
pub(crate) fn command(_arguments: Vec<String>) -> Result<ExitCode> {
    let page = for_page()?;
    println!("rust for wasm: {}", page.toolchain.describe());
    println!("wasm-pack: {}", page.wasm.wasm_pack.display());
    println!("wasm-bindgen: {}", page.wasm.wasm_bindgen.display());
    println!("chromium: {}", chromium()?.display());
    Ok(ExitCode::SUCCESS)
}
