//! Where things are: the workspace, cargo's target folder, the folder of fetched tools.

use std::path::{Path, PathBuf};

/// The workspace's root folder.
///
/// Cargo sets `CARGO_MANIFEST_DIR` for what it runs; the compiled-in value serves a binary that is started by hand.
pub(crate) fn root() -> PathBuf {
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    manifest.parent().map_or_else(|| manifest.clone(), Path::to_path_buf)
}

/// Cargo's target folder.
pub(crate) fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => root().join(folder),
        None => root().join("target"),
    }
}

/// The folder of programs that are fetched for building; it can be shared by several checkouts.
pub(crate) fn tools() -> PathBuf {
    target().join("tools")
}

/// The folder that holds what is compiled for the page.
///
/// Always inside this checkout: cargo writes the page's wasm under one fixed name, so two checkouts that share a target
/// folder would hand each other the wrong page. Being apart also keeps `serve` from waiting for a `cargo test`.
pub(crate) fn page_target() -> PathBuf {
    root().join("target").join("page")
}

/// Finds a program on `PATH`, or `None`.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .flat_map(|folder| {
            let plain = folder.join(name);
            [plain.with_extension("exe"), plain]
        })
        .find(|candidate| is_executable(candidate))
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(path: &Path) -> bool {
    path.is_file()
}
