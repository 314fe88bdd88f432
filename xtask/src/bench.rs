//! `cargo xtask bench`: what it costs, in Chromium and natively.
//!
//! The workloads are `podlab_cluster::workload`; each runs in a process of its own natively, and in a fresh page in
//! Chromium, so that peak memory is its own. Stage, selector and load figures come from the page alone.

use anyhow::{Context as _, Result, bail};
use podlab_cluster::workload;
use serde_json::{Map, Value, json};
use std::process::{Command, ExitCode};

use crate::dist::{self, Options, Profile};
use crate::http::{Listening, Reload};
use crate::paths::{page_target, root};
use crate::process::say;
use crate::tools;

/// How cost grows with the number of pods: so many on so many nodes, from their creation until all are Ready.
const CURVE: (&str, usize, [usize; 4]) = ("curve_5000", 5000, [1000, 3000, 10_000, 30_000]);

/// Figures that only a page has.
const IN_PAGE: &[&str] = &["stage_frame", "selector_10000", "load"];

/// Runs `cargo xtask bench [--only NAME] [--json OUT] [--native] [--page DIR]`: with `--native` nothing is measured in a
/// browser; `--page` names a built page instead of building one.
///
/// # Errors
/// For an unknown name, or when a measurement fails.
pub(crate) fn command(arguments: Vec<String>) -> Result<ExitCode> {
    use lexopt::prelude::*;
    let mut parser = lexopt::Parser::from_args(arguments);
    let (mut only, mut json_out, mut native, mut page) = (None::<String>, None::<String>, false, None);
    while let Some(argument) = parser.next()? {
        match argument {
            Long("only") => only = Some(parser.value()?.string()?),
            Long("json") => json_out = Some(parser.value()?.string()?),
            Long("native") => native = true,
            Long("page") => page = Some(std::path::PathBuf::from(parser.value()?)),
            // What a measurement calls for itself.
            Long("one") => {
                println!("{}", measure_here(&parser.value()?.string()?)?);
                return Ok(ExitCode::SUCCESS);
            }
            other => return Err(other.unexpected().into()),
        }
    }
    let wanted = |name: &str| only.as_deref().is_none_or(|only| only == name);
    let known = workload::ALL.iter().map(|(name, _)| *name).chain([CURVE.0]).chain(IN_PAGE.iter().copied());
    let names: Vec<&str> = known.filter(|name| wanted(name)).collect();
    if names.is_empty() {
        bail!("no measurement is called `{}`", only.unwrap_or_default());
    }
    let mut report = Map::new();
    for name in &names {
        if workload::ALL.iter().any(|(workload, _)| workload == name) {
            let figures = measure_natively(name)?;
            println!("{name} native: {figures}");
            report.insert((*name).to_owned(), json!({"native": figures}));
        }
    }
    if names.contains(&CURVE.0) {
        report.insert(CURVE.0.to_owned(), json!({"native": curve()?}));
    }
    if !native {
        measure_in_page(&names, page, &mut report)?;
    }
    if let Some(file) = json_out {
        std::fs::write(&file, serde_json::to_string_pretty(&report)?)
            .with_context(|| format!("cannot write {file}"))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints what a pod costs among so many.
fn curve() -> Result<Value> {
    let (name, nodes, sizes) = CURVE;
    let mut points = Vec::new();
    for pods in sizes {
        let figures = measure_natively(&format!("settle_{nodes}_{pods}"))?;
        println!(
            "{name} native: {pods} pods on {nodes} nodes: {} ms, {} µs a pod, {} MB",
            figures["cpu_ms"], figures["each_us"], figures["peak_mb"]
        );
        points.push(figures);
    }
    Ok(points.into())
}

/// Runs one workload in this process.
fn measure_here(name: &str) -> Result<Value> {
    let mut clock = cpu_ms;
    let Some(figures) = workload::run(name, &mut clock) else { bail!("no workload is called `{name}`") };
    Ok(json!({"cpu_ms": round(figures.cpu_ms), "longest_slice_ms": round(figures.longest_slice_ms),
        "peak_mb": round(peak_mb()), "virtual_seconds": round(figures.virtual_seconds), "pods": figures.pods,
        "each_us": round(figures.each_us())}))
}

/// Runs one workload in a process of its own, so that its peak memory is its own.
fn measure_natively(name: &str) -> Result<Value> {
    let output = Command::new(std::env::current_exe()?).args(["bench", "--one", name]).output()?;
    if !output.status.success() {
        bail!("{name}: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Builds the page, opens it in Chromium and lets `tests/browser/bench.mjs` take the figures.
fn measure_in_page(
    names: &[&str],
    page: Option<std::path::PathBuf>,
    report: &mut Map<String, Value>,
) -> Result<()> {
    let names: Vec<&str> = names
        .iter()
        .copied()
        .filter(|name| *name != CURVE.0 && !workload::ALL.contains(&(*name, true)))
        .collect();
    if names.is_empty() {
        return Ok(());
    }
    let folder = match page {
        Some(folder) => folder,
        None => {
            let options = Options { profile: Profile::Release, out: page_target().join("bench-page") };
            dist::build(&options, &tools::for_page()?)?;
            options.out
        }
    };
    let server = Listening::on(0)?.serve(folder.clone(), Reload::Never);
    say(&format!("measuring in Chromium: {}", names.join(" ")));
    let output = Command::new("node")
        .current_dir(root())
        .arg(root().join("tests").join("browser").join("bench.mjs"))
        .args(&names)
        .env("PODLAB_URL", server.url())
        .env("PODLAB_PAGE", &folder)
        .env("CHROME", tools::chromium()?)
        .stderr(std::process::Stdio::inherit())
        .output()?;
    if !output.status.success() {
        bail!("the page could not be measured");
    }
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let measured: Map<String, Value> = serde_json::from_str(line)?;
        for (name, figures) in measured {
            println!("{name} wasm: {figures}");
            if let Some(entry) = report.entry(name).or_insert_with(|| json!({})).as_object_mut() {
                entry.insert("wasm".to_owned(), figures);
            }
        }
    }
    Ok(())
}

fn round(figure: f64) -> f64 {
    (figure * 100.0).round() / 100.0
}

/// CPU time of this process in milliseconds; where the system does not tell, real time.
fn cpu_ms() -> f64 {
    #[cfg(unix)]
    {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
        time.tv_sec as f64 * 1000.0 + time.tv_nsec as f64 / 1e6
    }
    #[cfg(not(unix))]
    {
        static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
        START.get_or_init(std::time::Instant::now).elapsed().as_secs_f64() * 1000.0
    }
}

/// The most memory this process has held, in megabytes; 0 where the system does not tell.
fn peak_mb() -> f64 {
    let kilobytes = std::fs::read_to_string("/proc/self/status").ok().and_then(|text| {
        text.lines().find_map(|line| {
            line.strip_prefix("VmHWM:")?.trim().trim_end_matches("kB").trim().parse::<f64>().ok()
        })
    });
    kilobytes.unwrap_or(0.0) / 1024.0
}
