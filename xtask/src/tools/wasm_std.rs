//! The wasm32 standard library from Debian's packages, for machines where rustup reaches no host.
//!
//! Debian ships a current compiler for its web browsers (`rustc-web`) together with the standard library's sources and
//! their dependencies, but no compiled wasm32 library. It is compiled once, into a sysroot of our own, so that nothing
//! outside the tools folder changes but the packages.

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::system;
use super::wasm_target::{TARGET, library_folder};
use crate::paths::tools;
use crate::process::{first_line, run_quiet, say};

const PACKAGES: [&str; 4] = ["rustc-web", "cargo-web", "rust-web-src", "rust-web-llvm"];

const RUSTC: &str = "/usr/bin/rustc";
const CARGO: &str = "/usr/bin/cargo";

/// What the compiled library must consist of.
const LIBRARIES: [&str; 5] = ["core", "alloc", "std", "panic_abort", "compiler_builtins"];

/// Returns a folder with a `cargo` and a `rustc` that can compile for wasm32.
///
/// # Errors
/// If the packages can't be installed or the library doesn't compile.
pub(crate) fn debian() -> Result<PathBuf> {
    if !packages_are_there() {
        // The packages are named only after apt knows the newest list: which linker fits is in it.
        system::refresh()?;
        let linker = linker_package();
        let packages = PACKAGES.into_iter().chain([linker.as_str()]).collect::<Vec<_>>();
        system::install(&packages)?;
    }
    let version = run_quiet(Command::new(RUSTC).arg("-vV"))?;
    let sysroot = first_line(Command::new(RUSTC).args(["--print", "sysroot"]))
        .map(PathBuf::from)
        .context("Debian's rustc names no sysroot")?;
    // A new compiler needs a new library, so its version is part of the folder's name.
    let place = tools().join(format!("debian-{}", &format!("{:x}", Sha256::digest(&version))[..12]));
    let bin = place.join("bin");
    if bin.is_dir() {
        return Ok(bin);
    }
    let release = version.lines().next().unwrap_or_default().to_owned();
    say(&format!("compiling the standard library for {TARGET} with Debian's {release} (about a minute)"));
    let ours = place.join("sysroot");
    let _ = fs::remove_dir_all(&place);
    mirror_sysroot(&sysroot, &ours)?;
    compile(&sysroot, &version, &place.join("work"), &library_folder(&ours))?;
    fs::remove_dir_all(place.join("work"))?;
    write_programs(&bin, &ours)?;
    Ok(bin)
}

/// Whether Debian's packages are there or can be installed without asking anybody.
pub(super) fn can_be_had() -> bool {
    packages_are_there() || system::can_install()
}

fn packages_are_there() -> bool {
    Path::new(RUSTC).is_file()
        && Path::new(CARGO).is_file()
        && has_linker()
        && Path::new("/usr/lib/rustlib/src/rust/library/std").is_dir()
}

fn has_linker() -> bool {
    Path::new("/usr/bin").read_dir().is_ok_and(|entries| {
        entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("wasm-ld-"))
    })
}

/// The linker of the same LLVM as the compiler, as `lld-22`.
fn linker_package() -> String {
    let listing = run_quiet(Command::new("apt-cache").args(["depends", "rust-web-llvm"])).unwrap_or_default();
    let version = listing.lines().find_map(|line| line.trim().strip_prefix("Depends: llvm-"));
    version.map_or_else(|| "lld".to_owned(), |version| format!("lld-{version}"))
}

/// Makes a sysroot that has everything of Debian's by link, and room for one more target.
fn mirror_sysroot(debian: &Path, ours: &Path) -> Result<()> {
    let (from, to) = (debian.join("lib").join("rustlib"), ours.join("lib").join("rustlib"));
    fs::create_dir_all(&to)?;
    for entry in from.read_dir().context("Debian's rustc has no libraries")?.flatten() {
        if entry.file_name() != TARGET {
            link(&entry.path(), &to.join(entry.file_name()))?;
        }
    }
    fs::create_dir_all(library_folder(ours))?;
    Ok(())
}

#[cfg(unix)]
fn link(original: &Path, name: &Path) -> Result<()> {
    Ok(std::os::unix::fs::symlink(original, name)?)
}

#[cfg(not(unix))]
fn link(_original: &Path, _name: &Path) -> Result<()> {
    bail!("Debian's packages need a Unix")
}

/// Compiles the standard library through an empty crate that asks cargo for it, and copies the result.
fn compile(sysroot: &Path, version: &str, work: &Path, into: &Path) -> Result<()> {
    let sources = sysroot.join("lib").join("rustlib").join("src").join("rust").canonicalize()?;
    fs::create_dir_all(work.join("src"))?;
    fs::create_dir_all(work.join(".cargo"))?;
    fs::write(work.join("src").join("lib.rs"), "")?;
    fs::write(
        work.join("Cargo.toml"),
        "[workspace]\n[package]\nname = \"empty\"\nversion = \"0.0.0\"\nedition = \"2021\"\n\
         [profile.release]\nopt-level = 3\ncodegen-units = 1\nlto = \"off\"\n",
    )?;
    // The library's own dependencies lie beside its sources: no network is asked.
    fs::write(
        work.join(".cargo").join("config.toml"),
        format!(
            "[source.crates-io]\nreplace-with = \"beside\"\n[source.beside]\ndirectory = {:?}\n",
            sources.join("library").join("vendor")
        ),
    )?;
    let commit = version.lines().find_map(|line| line.strip_prefix("commit-hash: ")).unwrap_or("unknown");
    let mut cargo = Command::new(CARGO);
    cargo
        .current_dir(work)
        .args(["build", "--quiet", "--offline", "--release", "--target", TARGET, "--target-dir", "target"])
        .args(["-Z", "build-std=std,panic_abort"])
        .env("PATH", "/usr/bin:/bin")
        .env("CARGO_HOME", work.join("home"))
        // build-std is an unstable flag, and this is the compiler's own library.
        .env("RUSTC_BOOTSTRAP", "1")
        // Bitcode lets a page built with lto inline the library, as it can with rustup's.
        .env(
            "RUSTFLAGS",
            format!("-Cembed-bitcode=yes --remap-path-prefix={}=/rustc/{commit}", sources.display()),
        );
    for name in
        ["CARGO", "RUSTC", "RUSTC_WRAPPER", "RUSTUP_TOOLCHAIN", "CARGO_TARGET_DIR", "CARGO_ENCODED_RUSTFLAGS"]
    {
        cargo.env_remove(name);
    }
    run_quiet(&mut cargo)?;
    for entry in work.join("target").join(TARGET).join("release").join("deps").read_dir()?.flatten() {
        let name = entry.file_name();
        let text = name.to_string_lossy();
        if text.ends_with(".rlib") && !text.starts_with("libempty-") {
            fs::copy(entry.path(), into.join(&name))?;
        }
    }
    let have = into.read_dir()?.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let have = have.collect::<Vec<_>>();
    for library in LIBRARIES {
        if !have.iter().any(|name| name.starts_with(&format!("lib{library}-"))) {
            bail!("Debian's sources did not give the library {library}");
        }
    }
    Ok(())
}

/// A `cargo` and a `rustc` that use our sysroot. Written last and moved into place: their presence means all is there.
fn write_programs(bin: &Path, sysroot: &Path) -> Result<()> {
    let fresh = bin.with_extension("new");
    fs::create_dir_all(&fresh)?;
    let rustc = fresh.join("rustc");
    fs::write(&rustc, format!("#!/bin/sh\nexec {RUSTC} --sysroot '{}' \"$@\"\n", sysroot.display()))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(&rustc, fs::Permissions::from_mode(0o755))?;
    }
    link(Path::new(CARGO), &fresh.join("cargo"))?;
    fs::rename(fresh, bin)?;
    Ok(())
}
