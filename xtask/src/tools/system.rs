//! Debian's packages, for machines where a tool's own installer can't reach its host.

use anyhow::{Result, bail};
use std::process::Command;

use crate::paths::find_program;
use crate::process::{run_quiet, say};

/// Whether packages can be installed without asking anybody: apt-get exists and we are root, or sudo asks nothing.
pub(crate) fn can_install() -> bool {
    find_program("apt-get").is_some() && (is_root() || sudo_is_silent())
}

/// Whether this process runs as root.
pub(crate) fn is_root() -> bool {
    crate::process::first_line(Command::new("id").arg("-u")).as_deref() == Some("0")
}

fn sudo_is_silent() -> bool {
    crate::process::first_line(Command::new("sudo").args(["-n", "true"])).is_some()
}

/// Installs Debian packages.
///
/// # Errors
/// If apt-get isn't there, may not be used or fails.
pub(crate) fn install(packages: &[&str]) -> Result<()> {
    if !can_install() {
        bail!("install these Debian packages: {}", packages.join(" "));
    }
    say(&format!("installing {} with apt-get", packages.join(", ")));
    run_quiet(apt().args(["install", "-y", "-q", "--no-install-recommends"]).args(packages))?;
    Ok(())
}

/// Fetches the newest list of packages.
///
/// # Errors
/// If apt-get may not be used.
pub(crate) fn refresh() -> Result<()> {
    if !can_install() {
        bail!("apt-get needs root");
    }
    // An outdated list is no reason to stop: the install decides.
    let _ = apt().args(["update", "-q"]).output();
    Ok(())
}

fn apt() -> Command {
    let mut command = if is_root() {
        Command::new("apt-get")
    } else {
        let mut sudo = Command::new("sudo");
        sudo.args(["-n", "apt-get"]);
        sudo
    };
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command
}
