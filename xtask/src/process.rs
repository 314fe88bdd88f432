//! Running other programs, and saying in one line what is being done.

use anyhow::{Context, Result, bail};
use std::io::Read;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Says what happens next, in one line.
pub(crate) fn say(text: &str) {
    println!("xtask: {text}");
}

/// Runs a program whose output the user sees.
///
/// # Errors
/// If it can't be started or ends with another code than 0.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {}", name(command)))?;
    if !status.success() {
        bail!("{} failed ({status})", name(command));
    }
    Ok(())
}

/// Runs a program in silence and returns what it wrote to stdout; all it wrote is shown if it fails.
///
/// # Errors
/// If it can't be started or ends with another code than 0.
pub(crate) fn run_quiet(command: &mut Command) -> Result<String> {
    let output =
        command.stdin(Stdio::null()).output().with_context(|| format!("cannot start {}", name(command)))?;
    if !output.status.success() {
        eprint!("{}", String::from_utf8_lossy(&output.stdout));
        eprint!("{}", String::from_utf8_lossy(&output.stderr));
        bail!("{} failed ({})", name(command), output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The first line a program prints, or `None` if it isn't there or fails.
pub(crate) fn first_line(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    output.status.success().then(|| text.lines().next().unwrap_or_default().trim().to_owned())
}

/// Runs a program in silence for at most `limit`; false if it failed, was not there or had to be ended.
pub(crate) fn succeeds_within(command: &mut Command, limit: Duration) -> bool {
    let Ok(mut child) = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()
    else {
        return false;
    };
    let start = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) if start.elapsed() < limit => std::thread::sleep(Duration::from_millis(100)),
            _ => {
                let _ = child.kill();
                let _ = child.wait();
                return false;
            }
        }
    }
}

/// Runs a program, shows each line of its output as it comes and hands it to `line` as well; true if it ended well.
///
/// # Errors
/// If it can't be started.
pub(crate) fn run_lines(command: &mut Command, mut line: impl FnMut(&str)) -> Result<bool> {
    let mut child =
        command.stdout(Stdio::piped()).spawn().with_context(|| format!("cannot start {}", name(command)))?;
    let mut stdout = child.stdout.take().context("no output to read")?;
    let mut rest = Vec::new();
    let mut buffer = [0u8; 8192];
    loop {
        let count = stdout.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        for &byte in buffer.iter().take(count) {
            if byte == b'\n' {
                let text = String::from_utf8_lossy(&rest).into_owned();
                println!("{text}");
                line(&text);
                rest.clear();
            } else {
                rest.push(byte);
            }
        }
    }
    if !rest.is_empty() {
        let text = String::from_utf8_lossy(&rest).into_owned();
        println!("{text}");
        line(&text);
    }
    Ok(child.wait()?.success())
}

fn name(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}
