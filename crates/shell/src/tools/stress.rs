//! `stress` and `stress-ng`.

use super::lines::deferred;
use super::size;
use crate::context::Ctx;
use crate::process::{Exit, Family, Pid, Program, Step, Wait};
use crate::signal::Signal;
use podlab_sim::SimTime;
use std::time::Duration;

/// A worker: keeps a CPU busy, holds memory, or both.
#[derive(Clone, Debug)]
struct Worker {
    memory: u64,
    busy: bool,
    until: Option<SimTime>,
    grown: u64,
}

impl Program for Worker {
    fn step(&mut self, ctx: &mut Ctx<'_>) -> Step {
        if self.until.is_some_and(|u| ctx.now() >= u) {
            return Step::Exit(0);
        }
        if self.grown < self.memory {
            // Memory is touched bit by bit: about a gigabyte a second.
            self.grown = self.memory.min(self.grown + (128 << 20));
            return Step::Block(Wait { busy: true, ..Wait::until(ctx.now() + Duration::from_millis(125)) });
        }
        Step::Block(Wait { until: self.until, busy: self.busy, ..Wait::default() })
    }
    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
    fn memory_bytes(&self) -> u64 {
        (400 << 10) + self.grown
    }
}

#[derive(Clone, Debug)]
struct Stress {
    children: Vec<Pid>,
    ng: bool,
    quiet: bool,
    started: SimTime,
}

fn stress_with(ctx: &mut Ctx<'_>, args: &[String], ng: bool) -> Result<Box<dyn Program>, i32> {
    let (mut cpu, mut io, mut vm, mut hdd) = (0_u32, 0_u32, 0_u32, 0_u32);
    let mut bytes = 256_u64 << 20;
    let mut timeout = None;
    let mut hang = None;
    let mut quiet = false;
    let mut i = 1;
    while let Some(a) = args.get(i) {
        i += 1;
        let (name, inline) = match a.split_once('=') {
            Some((n, v)) => (n.to_owned(), Some(v.to_owned())),
            None => (a.clone(), None),
        };
        let mut value = || {
            inline.clone().or_else(|| {
                i += 1;
                args.get(i - 1).cloned()
            })
        };
        let bad = |ctx: &mut Ctx<'_>, text: String| {
            let pid = ctx.core.pid;
            let program = if ng { "stress-ng" } else { "stress" };
            ctx.err(format!("{program}: FAIL: [{pid}] (244) {text}\n"));
            1
        };
        match name.as_str() {
            "-c" | "--cpu" => cpu = value().and_then(|v| v.parse().ok()).unwrap_or(1),
            // Those of the image vish/stress, which logs instead of telling what it dispatches.
            "-cpus" => {
                quiet = true;
                cpu = value().and_then(|v| v.parse().ok()).unwrap_or(1);
            }
            "-mem-total" => {
                quiet = true;
                let text = value().unwrap_or_default();
                match size(&text) {
                    Some(n) => (vm, bytes) = (1, n),
                    None => return Err(bad(ctx, format!("not a number: {text}"))),
                }
            }
            "-mem-alloc-size" | "-mem-alloc-sleep" => {
                value();
            }
            "-logtostderr" => quiet = true,
            "-i" | "--io" => io = value().and_then(|v| v.parse().ok()).unwrap_or(1),
            "-m" | "--vm" => vm = value().and_then(|v| v.parse().ok()).unwrap_or(1),
            "-d" | "--hdd" => hdd = value().and_then(|v| v.parse().ok()).unwrap_or(1),
            "--vm-bytes" => {
                let text = value().unwrap_or_default();
                match size(&text) {
                    Some(n) => bytes = n,
                    None => return Err(bad(ctx, format!("not a number: {text}"))),
                }
            }
            "--vm-hang" => hang = value().and_then(|v| v.parse::<f64>().ok()),
            "-t" | "--timeout" => {
                let text = value().unwrap_or_default();
                match super::sleep::duration(&text) {
                    Some(s) => timeout = Some(s),
                    None => return Err(bad(ctx, format!("not a number: {text}"))),
                }
            }
            "--vm-keep" | "--metrics" | "--metrics-brief" | "-v" | "--verbose" => {}
            "-q" | "--quiet" => quiet = true,
            "--cpu-load" | "--vm-stride" | "--hdd-bytes" | "--backoff" | "--cpu-method" | "--vm-method" => {
                value();
            }
            "--version" => {
                ctx.out("stress 1.0.4\n");
                return Err(0);
            }
            other => return Err(bad(ctx, format!("unrecognized option: {other}"))),
        }
    }
    if cpu + io + vm + hdd == 0 {
        let usage = if ng {
            "stress-ng: info: no stressors specified\n".to_owned()
        } else {
            "`stress' imposes certain types of compute stress on your system\n\nUsage: stress [OPTION [ARG]] ...\n".to_owned()
        };
        ctx.out(usage);
        return Err(0);
    }
    let total = cpu.saturating_add(io).saturating_add(vm).saturating_add(hdd);
    if total > 256 {
        return Err(ctx.fail(1, "not simulated: more than 256 workers"));
    }
    let label = format!("{cpu} cpu, {io} io, {vm} vm, {hdd} hdd");
    let pid = ctx.core.pid;
    if !quiet {
        let text = if ng {
            let parts: Vec<String> = [(cpu, "cpu"), (io, "io"), (vm, "vm"), (hdd, "hdd")]
                .iter()
                .filter(|(n, _)| *n > 0)
                .map(|(n, s)| format!("{n} {s}"))
                .collect();
            format!("stress-ng: info:  [{pid}] dispatching hogs: {}\n", parts.join(", "))
        } else {
            format!("stress: info: [{pid}] dispatching hogs: {label}\n")
        };
        if ng { ctx.err(text) } else { ctx.out(text) }
    }
    let until = timeout.map(|t| ctx.now() + Duration::from_secs_f64(t.min(9e8)));
    let argv = args.to_vec();
    let mut children = Vec::new();
    let family = ctx.family();
    let workers = (0..cpu)
        .map(|_| (0, true))
        .chain((0..io).map(|_| (0, false)))
        .chain((0..vm).map(|_| (bytes, hang.is_none())))
        .chain((0..hdd).map(|_| (0, false)));
    for (memory, busy) in workers {
        let worker = Worker { memory, busy, until, grown: 0 };
        if let Ok(pid) = ctx.spawn(Box::new(worker), family, argv.clone(), None, None) {
            children.push(pid);
        }
    }
    Ok(Box::new(Stress { children, ng, quiet, started: ctx.now() }))
}

pub(super) fn stress(args: &[String], _: Family) -> Box<dyn Program> {
    deferred(args, |ctx, args| stress_with(ctx, args, false))
}

pub(super) fn stress_ng(args: &[String], _: Family) -> Box<dyn Program> {
    deferred(args, |ctx, args| stress_with(ctx, args, true))
}

impl Program for Stress {
    fn step(&mut self, ctx: &mut Ctx<'_>) -> Step {
        let pid = ctx.core.pid;
        let secs = ctx.now().since(self.started).as_secs();
        let mut left = Vec::new();
        for child in std::mem::take(&mut self.children) {
            match ctx.reap(child) {
                Ok(None) => left.push(child),
                Ok(Some(Exit::Signal(s))) if !self.ng => {
                    ctx.err(format!(
                        "stress: FAIL: [{pid}] (415) <-- worker {child} got signal {}\nstress: WARN: [{pid}] (417) now reaping child worker processes\nstress: FAIL: [{pid}] (451) failed run completed in {secs}s\n",
                        s.0
                    ));
                    for other in left {
                        let _ = ctx.kill(other, Some(Signal::KILL));
                    }
                    return Step::Exit(1);
                }
                _ => {}
            }
        }
        self.children = left;
        if self.children.is_empty() {
            if !self.quiet {
                if self.ng {
                    ctx.err(format!("stress-ng: info:  [{pid}] successful run completed in {secs}.00s\n"));
                } else {
                    ctx.out(format!("stress: info: [{pid}] successful run completed in {secs}s\n"));
                }
            }
            return Step::Exit(0);
        }
        Step::Block(Wait::child())
    }
    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
    fn memory_bytes(&self) -> u64 {
        900 << 10
    }
}
