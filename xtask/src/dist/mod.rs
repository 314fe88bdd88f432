//! `cargo xtask dist`: the page as a folder of files that works from any static host and any sub-path.
//!
//! Order: wasm-pack compiles, wasm-opt shrinks and [`split`] cuts in two (release), esbuild bundles JavaScript and CSS under hashed names, the
//! HTML page and the service worker get those names. All is put together in a staging folder first, so that a failed
//! build leaves the last good page alone.

mod bundle;
mod compile;
mod offline;
mod publish;
mod sizes;
mod split;

use anyhow::{Result, bail};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use crate::paths::root;
use crate::process::say;
use crate::tools;

/// How the page is compiled.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Quick to build: cargo's profile `page`.
    Dev,
    /// Small and fast: cargo's profile `dist`, wasm-opt, minified, the wasm file in two parts (see [`split`]).
    Release,
}

impl Profile {
    /// The name of cargo's profile.
    pub(crate) fn cargo(self) -> &'static str {
        match self {
            Profile::Dev => "page",
            Profile::Release => "dist",
        }
    }
}

/// What to build and where to leave it.
#[derive(Clone)]
pub(crate) struct Options {
    /// How it is compiled.
    pub(crate) profile: Profile,
    /// The folder that holds the page afterwards.
    pub(crate) out: PathBuf,
}

/// Runs `cargo xtask dist [--release|--dev] [--out DIR]`.
///
/// # Errors
/// If a tool is missing or a step fails.
pub(crate) fn command(arguments: Vec<String>) -> Result<ExitCode> {
    use lexopt::prelude::*;
    let mut options = Options { profile: Profile::Release, out: root().join("dist") };
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Long("release") => options.profile = Profile::Release,
            Long("dev") => options.profile = Profile::Dev,
            Long("out") => options.out = std::env::current_dir()?.join(parser.value()?),
            other => return Err(other.unexpected().into()),
        }
    }
    let tools = tools::for_page()?;
    build(&options, &tools)?;
    sizes::print(&options)?;
    Ok(ExitCode::SUCCESS)
}

/// Builds the page.
///
/// # Errors
/// If a step fails; the step has printed why.
pub(crate) fn build(options: &Options, tools: &tools::PageTools) -> Result<()> {
    let start = Instant::now();
    publish::check_destination(&options.out)?;
    say(match options.profile {
        Profile::Dev => "compiling the page to wasm (development profile)",
        Profile::Release => "compiling the page to wasm (optimised)",
    });
    let package = compile::wasm(options.profile, tools)?.cut(options.profile)?;
    publish_with(options, &package)?;
    said(options, start);
    Ok(())
}

fn said(options: &Options, start: Instant) {
    say(&format!("the page is in {} ({:.1} s)", options.out.display(), start.elapsed().as_secs_f32()));
}

/// Builds the page around what was compiled last.
///
/// # Errors
/// As [`build`].
pub(crate) fn bundle_again(options: &Options) -> Result<()> {
    let start = Instant::now();
    publish_with(options, &compile::Package::last(options.profile))?;
    said(options, start);
    Ok(())
}

fn publish_with(options: &Options, package: &compile::Package) -> Result<()> {
    say("bundling");
    let stage = bundle::stage(options.profile, package)?;
    offline::write_service_worker(&stage)?;
    publish::publish(&stage, &options.out)?;
    if !options.out.join("index.html").is_file() {
        bail!("the build left no index.html");
    }
    Ok(())
}
