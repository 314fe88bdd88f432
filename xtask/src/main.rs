//! The project's commands: `cargo xtask serve | dist | test | cluster | bench | conformance | tools`.
//!
//! One file a command; what they fetch (wasm target, wasm-pack, npm packages, a browser) is in [`tools`].

#[cfg(feature = "crates")]
mod bench;
#[cfg(feature = "crates")]
mod conformance;
mod dist;
mod http;
mod paths;
mod process;
mod serve;
mod test;
#[cfg(test)]
mod tidy;
mod tools;

use std::process::ExitCode;

/// As in `podlab-cluster`, so that what is measured is what runs.
#[cfg(feature = "crates")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const USAGE: &str = "\
cargo xtask <command>

  serve [--release] [--port N]            build the page, serve it on loopback, rebuild when a file changes
  dist [--release|--dev] [--out DIR]      leave the page in DIR (default: dist), ready for any static host
  test [--only native|browser] [--filter TEXT]
                                          everything that CI checks; ends with `N passed, N failed`
  cluster [--port P] [--speed X|--virtual] [--nodes N] [--kubeconfig OUT] [--scheduler-config FILE]
                                          the cluster behind the API server's REST on loopback, for a real kubectl
  bench [--only NAME] [--json OUT]        measure, in Chromium and natively
  conformance [--data DIR] [--only FILE] [--json OUT] [--known check|write]
                                          compare with the recordings of the real programs
  tools                                   only fetch what building and testing need";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next().unwrap_or_default();
    let rest = arguments.collect::<Vec<_>>();
    let outcome = match command.as_str() {
        "serve" => serve::command(rest),
        "dist" => dist::command(rest),
        "test" => test::command(rest),
        "cluster" => cluster(rest),
        "bench" | "conformance" => with_crates(&command, rest),
        "tools" => tools::command(rest),
        "" | "help" | "-h" | "--help" => {
            println!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        other => Err(anyhow::anyhow!("no command `{other}`\n\n{USAGE}")),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the cluster's server, which is a program of its own: what it is built from is no business of the other commands.
fn cluster(rest: Vec<String>) -> anyhow::Result<ExitCode> {
    let mut cargo = std::process::Command::new("cargo");
    cargo.args(["run", "--quiet", "--package", "podlab-serve", "--profile", "page", "--"]).args(rest);
    Ok(if cargo.status()?.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs a command that needs the project's crates.
#[cfg(feature = "crates")]
fn with_crates(command: &str, rest: Vec<String>) -> anyhow::Result<ExitCode> {
    if command == "bench" { bench::command(rest) } else { conformance::command(rest) }
}

/// Runs `cargo xtask` again with the project's crates linked in, optimised where time is measured.
#[cfg(not(feature = "crates"))]
fn with_crates(command: &str, rest: Vec<String>) -> anyhow::Result<ExitCode> {
    let mut cargo = std::process::Command::new("cargo");
    cargo.args(["run", "--quiet", "--package", "xtask", "--features", "crates"]);
    if command == "bench" {
        cargo.arg("--release");
    }
    let status = cargo.arg("--").arg(command).args(rest).status()?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
