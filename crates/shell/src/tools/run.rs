//! Tools that run other commands or take time: `xargs`, `timeout`, `nohup`, `time`, `watch`, `yes`, `seq`, `stress`,
//! `python3 -m http.server`, `httpd`, `find`.

use super::lines::deferred;
use super::{finish, missing_operand, options, options_until, size};
use crate::context::{Ctx, Read};
use crate::fs::Errno;
use crate::host::{HttpRequest, HttpResponse};
use crate::process::{Exit, Family, OnSignal, Pid, Program, Step, Wait};
use crate::signal::Signal;
use podlab_sim::SimTime;
use std::collections::VecDeque;
use std::time::Duration;

// xargs

#[derive(Clone, Debug)]
struct Xargs {
    command: Vec<String>,
    replace: Option<String>,
    per_line: Option<usize>,
    per_call: Option<usize>,
    null: bool,
    no_empty: bool,
    trace: bool,
    delimiter: Option<u8>,
    input: Vec<u8>,
    calls: Option<VecDeque<Vec<String>>>,
    child: Option<Pid>,
    code: i32,
}

pub(super) fn xargs(args: &[String], _: Family) -> Box<dyn Program> {
    deferred(args, |ctx, args| {
        let o = options_until(
            ctx,
            args,
            "0rtI:L:n:P:d:s:xa:i",
            &[
                ("null", '0'),
                ("no-run-if-empty", 'r'),
                ("max-args", 'n'),
                ("max-lines", 'L'),
                ("replace", 'i'),
                ("verbose", 't'),
                ("delimiter", 'd'),
            ],
            true,
        )?;
        let command = if o.operands.is_empty() { vec!["echo".to_owned()] } else { o.operands.clone() };
        let number = |c: char| o.value(c).and_then(|v| v.parse::<usize>().ok()).filter(|n| *n > 0);
        let replace = o.value('I').map(str::to_owned).or_else(|| o.has('i').then(|| "{}".to_owned()));
        Ok(Box::new(Xargs {
            per_line: if replace.is_some() { Some(1) } else { number('L') },
            replace,
            command,
            per_call: number('n'),
            null: o.has('0'),
            no_empty: o.has('r'),
            trace: o.has('t'),
            delimiter: o.value('d').and_then(|d| super::escapes(d, true).0.first().copied()),
            input: Vec::new(),
            calls: None,
            child: None,
            code: 0,
        }))
    })
}

impl Xargs {
    /// The words of a line: blanks separate, quotes and backslashes keep together.
    fn words(text: &str) -> Vec<String> {
        let mut out = Vec::new();
        let mut cur: Option<String> = None;
        let mut quote = None;
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            match (quote, c) {
                (Some(q), c) if c == q => quote = None,
                (Some(_), c) => cur.get_or_insert_default().push(c),
                (None, '\'' | '"') => {
                    quote = Some(c);
                    cur.get_or_insert_default();
                }
                (None, '\\') => {
                    if let Some(n) = chars.next() {
                        cur.get_or_insert_default().push(n);
                    }
                }
                (None, c) if c.is_whitespace() => out.extend(cur.take()),
                (None, c) => cur.get_or_insert_default().push(c),
            }
        }
        out.extend(cur);
        out
    }

    fn plan(&self) -> VecDeque<Vec<String>> {
        let text = String::from_utf8_lossy(&self.input).into_owned();
        let separator = if self.null { Some('\0') } else { self.delimiter.map(char::from) };
        let mut calls = VecDeque::new();
        if let Some(mark) = &self.replace {
            let lines: Vec<&str> = text
                .split(separator.unwrap_or('\n'))
                .map(str::trim_start)
                .filter(|l| !l.is_empty())
                .collect();
            for l in lines {
                // Quotes and backslashes count in the line, too.
                let item = if separator.is_some() {
                    l.to_owned()
                } else {
                    Self::words(&l.replace(' ', "\\ ")).join("")
                };
                calls.push_back(self.command.iter().map(|a| a.replace(mark.as_str(), &item)).collect());
            }
            return calls;
        }
        let groups: Vec<Vec<String>> = if let Some(sep) = separator {
            vec![text.trim_end_matches(sep).split(sep).map(str::to_owned).filter(|s| !s.is_empty()).collect()]
        } else if let Some(n) = self.per_line {
            let lines: Vec<Vec<String>> = text.lines().map(Self::words).filter(|w| !w.is_empty()).collect();
            lines.chunks(n).map(<[Vec<String>]>::concat).collect()
        } else {
            vec![Self::words(&text)]
        };
        for g in groups {
            if g.is_empty() {
                continue;
            }
            for chunk in g.chunks(self.per_call.unwrap_or(5000)) {
                calls.push_back([self.command.as_slice(), chunk].concat());
            }
        }
        if calls.is_empty() && !self.no_empty {
            calls.push_back(self.command.clone());
        }
        calls
    }
}

impl Program for Xargs {
    fn step(&mut self, ctx: &mut Ctx<'_>) -> Step {
        if self.calls.is_none() {
            match ctx.read(0, 1 << 16) {
                Read::Blocked => return Step::Block(Wait::readable(0)),
                Read::Data(d) => {
                    if self.input.len() < 1 << 20 {
                        self.input.extend(d);
                    }
                    return Step::Ran;
                }
                _ => self.calls = Some(self.plan()),
            }
        }
        if let Some(pid) = self.child {
            match ctx.reap(pid) {
                Ok(None) => return Step::Block(Wait::child()),
                Ok(Some(Exit::Code(0))) => {}
                Ok(Some(Exit::Code(255))) => {
                    let name = self.command.first().cloned().unwrap_or_default();
                    return Step::Exit(ctx.fail(124, format!("{name}: exited with status 255; aborting")));
                }
                Ok(Some(Exit::Code(_))) => self.code = 123,
                Ok(Some(Exit::Signal(s))) => {
                    let name = self.command.first().cloned().unwrap_or_default();
                    return Step::Exit(ctx.fail(125, format!("{name}: terminated by signal {}", s.0)));
                }
                Err(_) => {}
            }
            self.child = None;
        }
        let Some(argv) = self.calls.as_mut().and_then(VecDeque::pop_front) else {
            return Step::Exit(finish(ctx, self.code));
        };
        if self.trace {
            ctx.err(argv.join(" ") + "\n");
        }
        let name = argv.first().cloned().unwrap_or_default();
        match ctx.spawn_command(argv) {
            Ok(pid) => {
                self.child = Some(pid);
                Step::Ran
            }
            Err(e) => {
                let code = if e == Errno::NotFound { 127 } else { 126 };
                Step::Exit(ctx.fail(code, format!("{name}: {e}")))
            }
        }
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}

// timeout, nohup

#[derive(Clone, Debug)]
struct Timeout {
    child: Pid,
    at: SimTime,
    kill_after: Option<Duration>,
    signal: Signal,
    fired: bool,
    killed: bool,
    foreground_family: Family,
    preserve: bool,
}

pub(super) fn timeout(args: &[String], _: Family) -> Box<dyn Program> {
    deferred(args, |ctx, args| {
        let o = options_until(
            ctx,
            args,
            "s:k:pv",
            &[("signal", 's'), ("kill-after", 'k'), ("preserve-status", 'p'), ("foreground", 'f')],
            true,
        )?;
        let Some((time, command)) = o.operands.split_first() else { return Err(missing_operand(ctx)) };
        if command.is_empty() {
            return Err(missing_operand(ctx));
        }
        let usage = if ctx.is_busybox() { 1 } else { 125 };
        let Some(secs) = super::sleep::duration(time) else {
            let text = if ctx.is_busybox() {
                format!("invalid number '{time}'")
            } else {
                format!("invalid time interval ‘{time}’")
            };
            return Err(ctx.fail(usage, text));
        };
        let mut signal = Signal::TERM;
        if let Some(s) = o.value('s') {
            match Signal::parse(s) {
                Some(s) => signal = s,
                None => {
                    let text = if ctx.is_busybox() {
                        format!("unknown signal '{s}'")
                    } else {
                        format!("‘{s}’: invalid signal")
                    };
                    return Err(ctx.fail(usage, text));
                }
            }
        }
        let name = command.first().cloned().unwrap_or_default();
        match ctx.spawn_command(command.to_vec()) {
            Ok(child) => Ok(Box::new(Timeout {
                child,
                at: ctx.now() + Duration::from_secs_f64(if secs == 0.0 { 9e8 } else { secs.min(9e8) }),
                kill_after: o.value('k').and_then(super::sleep::duration).map(Duration::from_secs_f64),
                signal,
                fired: false,
                killed: false,
                foreground_family: ctx.family(),
                preserve: o.has('p'),
            })),
            Err(e) => {
                let text = if ctx.is_busybox() {
                    format!("can't execute '{name}': {e}")
                } else {
                    format!("failed to run command ‘{name}’: {e}")
                };
                Err(ctx.fail(if e == Errno::NotFound { 127 } else { 126 }, text))
            }
        }
    })
}

impl Program for Timeout {
    fn step(&mut self, ctx: &mut Ctx<'_>) -> Step {
        match ctx.reap(self.child) {
            // Busybox becomes the command itself, so that a signal that ends it ends `timeout`.
            Ok(Some(Exit::Signal(s))) if self.foreground_family == Family::Busybox => return Step::Die(s),
            Ok(Some(exit)) => {
                let code = if self.killed && self.foreground_family == Family::Gnu {
                    137
                } else if self.fired && !self.preserve {
                    // Busybox answers the child's own status, 143 for TERM.
                    if self.foreground_family == Family::Gnu { 124 } else { exit.code() }
                } else {
                    exit.code()
                };
                return Step::Exit(code);
            }
            Ok(None) => {}
            Err(_) => return Step::Exit(0),
        }
        if ctx.now() >= self.at {
            if self.fired && self.kill_after.is_some() {
                let _ = ctx.kill(self.child, Some(Signal::KILL));
                self.killed = true;
                self.kill_after = None;
            } else if !self.fired {
                self.fired = true;
                let _ = ctx.kill(self.child, Some(self.signal));
            }
            let wait = Wait { until: self.kill_after.map(|k| self.at + k), ..Wait::child() };
            if let Some(k) = self.kill_after {
                self.at += k;
            }
            return Step::Block(wait);
        }
        Step::Block(Wait { until: Some(self.at), ..Wait::child() })
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }

    fn on_signal(&mut self, signal: Signal) -> OnSignal {
        if signal == Signal::TERM {
            // Handed on to the command.
            self.at = SimTime::default();
            return OnSignal::Handled;
        }
        OnSignal::Default
    }
}

pub(super) fn nohup(args: &[String], _: Family) -> Box<dyn Program> {
    deferred(args, |ctx, args| {
        let mut argv: Vec<String> = args.get(1..).unwrap_or_default().to_vec();
        if argv.is_empty() {
            return Err(missing_operand(ctx));
        }
        ctx.core.ignored.insert(Signal::HUP);
        if ctx.is_tty(1) {
            ctx.err("nohup: ignoring input and appending output to 'nohup.out'\n");
            if let Ok(fd) = ctx.open_write("nohup.out", true)
                && let Some(id) = ctx.core.fds.remove(&fd)
                && let Some(old) = ctx.core.fds.insert(1, id)
            {
                ctx.sys.open.close(old);
            }
        }
        super::env::exec(ctx, &mut argv)
    })
}

// seq, yes

#[derive(Clone, Debug)]
struct Seq {
    next: f64,
    step: f64,
    last: f64,
    decimals: usize,
    width: usize,
    separator: String,
    first: bool,
    count: f64,
}

pub(super) fn seq(args: &[String], _: Family) -> Box<dyn Program> {
    deferred(args, |ctx, args| {
        // Negative numbers are no options.
        let mut separator = "\n".to_owned();
        let mut wide = false;
        let mut numbers = Vec::new();
        let mut it = args.iter().skip(1);
        while let Some(a) = it.next() {
            if a == "-s" {
                separator = it.next().cloned().unwrap_or_default();
            } else if let Some(s) = a.strip_prefix("-s") {
                separator = s.to_owned();
            } else if a == "-w" {
                wide = true;
            } else {
                numbers.push(a.clone());
            }
        }
        let mut values = Vec::new();
        for n in &numbers {
            match n.parse::<f64>() {
                Ok(v) if v.is_finite() => values.push(v),
                _ => {
                    let text = if ctx.is_busybox() {
                        format!("invalid number '{n}'")
                    } else {
                        format!(
                            "invalid floating point argument: ‘{n}’\nTry 'seq --help' for more information."
                        )
                    };
                    return Err(ctx.fail(1, text));
                }
            }
        }
        let (first, step, last) = match values.as_slice() {
            [l] => (1.0, 1.0, *l),
            [f, l] => (*f, 1.0, *l),
            [f, s, l] => (*f, *s, *l),
            _ => return Err(missing_operand(ctx)),
        };
        if step == 0.0 {
            return Err(ctx.fail(1, "invalid Zero increment value: ‘0’"));
        }
        let decimals = numbers
            .iter()
            .take(if numbers.len() == 3 { 2 } else { 1 })
            .map(|n| n.split_once('.').map_or(0, |(_, d)| d.len()))
            .max()
            .unwrap_or(0)
            .min(20);
        let width = if wide {
            [first, last].iter().map(|v| format!("{v:.decimals$}").len()).max().unwrap_or(0)
        } else {
            0
        };
        Ok(Box::new(Seq { next: first, step, last, decimals, width, separator, first: true, count: 0.0 }))
    })
}

impl Program for Seq {
    fn step(&mut self, ctx: &mut Ctx<'_>) -> Step {
        let mut out = String::new();
        let start = self.next;
        for _ in 0..1000 {
            let v = start + self.count * self.step;
            let done = if self.step > 0.0 { v > self.last + 1e-10 } else { v < self.last - 1e-10 };
            if done {
                if !self.first {
                    out.push('\n');
                }
                ctx.out(out);
                return Step::Exit(finish(ctx, 0));
            }
            if !self.first {
                out.push_str(&self.separator);
            }
            self.first = false;
            let (decimals, width) = (self.decimals, self.width);
            out.push_str(&format!("{v:0>width$.decimals$}"));
            self.count += 1.0;
        }
        ctx.out(out);
        Step::Ran
    }
    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}

#[derive(Clone, Debug)]
struct Yes(Vec<u8>);

impl Program for Yes {
    fn step(&mut self, ctx: &mut Ctx<'_>) -> Step {
        ctx.out(self.0.repeat(100));
        if ctx.core.write_error.is_some() { Step::Exit(finish(ctx, 0)) } else { Step::Ran }
    }
    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}

pub(super) fn yes(args: &[String], _: Family) -> Box<dyn Program> {
    let text = if args.len() > 1 { args.get(1..).unwrap_or_default().join(" ") } else { "y".to_owned() };
    Box::new(Yes(format!("{text}\n").into_bytes()))
}

// stress

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
            "-cpus" => cpu = value().and_then(|v| v.parse().ok()).unwrap_or(1),
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

// A small file server: `python3 -m http.server`, busybox `httpd`.

#[derive(Clone, Debug)]
struct FileServer {
    port: u16,
    root: String,
    python: bool,
    greeted: bool,
}

impl Program for FileServer {
    fn step(&mut self, ctx: &mut Ctx<'_>) -> Step {
        if !self.greeted && self.python {
            let p = self.port;
            ctx.out(format!("Serving HTTP on 0.0.0.0 port {p} (http://0.0.0.0:{p}/) ...\n"));
        }
        self.greeted = true;
        Step::Block(Wait::signal())
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }

    fn memory_bytes(&self) -> u64 {
        if self.python { 18 << 20 } else { 700 << 10 }
    }

    fn listening(&self) -> Vec<u16> {
        vec![self.port]
    }

    fn serve(&mut self, ctx: &mut Ctx<'_>, request: &HttpRequest) -> Option<HttpResponse> {
        let path = request.path.split('?').next().unwrap_or_default();
        let clean = format!("{}{}", self.root.trim_end_matches('/'), path);
        let file = if ctx.is_dir(&clean) {
            format!("{}/index.html", clean.trim_end_matches('/'))
        } else {
            clean.clone()
        };
        let text = |s: &str| ("Content-Type".to_owned(), s.to_owned());
        let (status, reason, kind, body) = if path.contains("..") {
            (404, "Not Found", "text/html", b"Not Found\n".to_vec())
        } else if let Ok(body) = ctx.read_file(&file) {
            let kind = match file.rsplit('.').next() {
                Some("html") => "text/html",
                Some("json") => "application/json",
                Some("txt" | "log") => "text/plain",
                _ => "application/octet-stream",
            };
            (200, "OK", kind, body)
        } else if self.python && ctx.is_dir(&clean) {
            let mut page = format!(
                "<!DOCTYPE HTML>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Directory listing for {path}</title>\n</head>\n<body>\n<h1>Directory listing for {path}</h1>\n<hr>\n<ul>\n"
            );
            for n in ctx.list(&clean).unwrap_or_default() {
                let slash = if ctx.is_dir(&format!("{clean}/{n}")) { "/" } else { "" };
                page.push_str(&format!("<li><a href=\"{n}{slash}\">{n}{slash}</a></li>\n"));
            }
            page.push_str("</ul>\n<hr>\n</body>\n</html>\n");
            (200, "OK", "text/html; charset=utf-8", page.into_bytes())
        } else if self.python {
            let page = "<!DOCTYPE HTML>\n<html lang=\"en\">\n    <head>\n        <meta charset=\"utf-8\">\n        <title>Error response</title>\n    </head>\n    <body>\n        <h1>Error response</h1>\n        <p>Error code: 404</p>\n        <p>Message: File not found.</p>\n        <p>Error code explanation: 404 - Nothing matches the given URI.</p>\n    </body>\n</html>\n";
            (404, "File not found", "text/html;charset=utf-8", page.as_bytes().to_vec())
        } else {
            let page = "<HTML><HEAD><TITLE>404 Not Found</TITLE></HEAD>\n<BODY><H1>404 Not Found</H1>\nThe requested URL was not found\n</BODY></HTML>\n";
            (404, "Not Found", "text/html", page.as_bytes().to_vec())
        };
        if self.python {
            let when = super::date::format(ctx.now(), "%d/%b/%Y %H:%M:%S");
            ctx.err(format!(
                "127.0.0.1 - - [{when}] \"{} {} HTTP/1.1\" {status} -\n",
                request.method, request.path
            ));
        }
        let body = if request.method == "HEAD" { Vec::new() } else { body };
        let headers = vec![text(kind), ("Content-Length".to_owned(), body.len().to_string())];
        Some(HttpResponse { status, reason: reason.to_owned(), headers, body, delay: Duration::ZERO })
    }
}

pub(super) fn httpd(args: &[String], _: Family) -> Box<dyn Program> {
    deferred(args, |ctx, args| {
        let o = options(ctx, args, "fvip:h:c:u:", &[])?;
        let port = o.value('p').and_then(|p| p.rsplit(':').next()?.parse().ok()).unwrap_or(80);
        let root = ctx.absolute(o.value('h').unwrap_or("."));
        let server = FileServer { port, root, python: false, greeted: false };
        if o.has('f') {
            return Ok(Box::new(server));
        }
        // Without `-f` it goes on in the background.
        let family = ctx.family();
        let argv = ctx.core.argv.clone();
        let _ = ctx.spawn(Box::new(server), family, argv, None, None);
        Err(0)
    })
}

/// Python in two forms only: the file server, and `-c` texts made of `print("…")`, `x = "…" * N` and sleeping.
pub(super) fn python(args: &[String], _: Family) -> Box<dyn Program> {
    deferred(args, |ctx, args| {
        let rest: Vec<&str> = args.iter().skip(1).map(String::as_str).filter(|a| *a != "-u").collect();
        match rest.as_slice() {
            ["--version" | "-V"] => {
                ctx.out("Python 3.12.3\n");
                Err(0)
            }
            ["-m", "http.server", more @ ..] => {
                let port = more.iter().find_map(|a| a.parse().ok()).unwrap_or(8000);
                let root = ctx.absolute(".");
                Ok(Box::new(FileServer { port, root, python: true, greeted: false }))
            }
            ["-c", text, ..] => super::python::start(ctx, text),
            _ => Err(ctx.fail(2, "not simulated: Python programs")),
        }
    })
}

// find

struct Find {
    tests: Vec<Test>,
    min: u32,
    max: u32,
    depth_first: bool,
    follow: bool,
}

#[derive(Clone)]
enum Test {
    Name(String, bool),
    Path(String),
    Type(char),
    Size(char, u64, u64),
    Time(char, i64, i64),
    Newer(SimTime),
    Empty,
    Perm(u32),
    User(u32),
    Not,
    Or,
    Open,
    Close,
    Print(char),
    Delete,
    Exec(Vec<String>, bool),
    Prune,
    True,
}

/// What a walk found out: text to print and commands to run, in order.
#[derive(Clone, Debug)]
enum Todo {
    Out(String),
    Run(Vec<String>),
    Delete(String),
}

#[derive(Clone, Debug)]
struct FindRun {
    todo: VecDeque<Todo>,
    child: Option<Pid>,
    code: i32,
}

impl Program for FindRun {
    fn step(&mut self, ctx: &mut Ctx<'_>) -> Step {
        if let Some(pid) = self.child {
            match ctx.reap(pid) {
                Ok(None) => return Step::Block(Wait::child()),
                Ok(Some(e)) if e.code() != 0 => {}
                _ => {}
            }
            self.child = None;
        }
        match self.todo.pop_front() {
            None => return Step::Exit(finish(ctx, self.code)),
            Some(Todo::Out(t)) => ctx.out(t),
            Some(Todo::Delete(p)) => {
                let dir = ctx.stat(&p, false).is_ok_and(|s| s.is_dir);
                if let Err(e) = ctx.remove(&p, dir) {
                    self.code = ctx.fail(1, format!("cannot delete '{p}': {e}"));
                }
            }
            Some(Todo::Run(argv)) => {
                let name = argv.first().cloned().unwrap_or_default();
                match ctx.spawn_command(argv) {
                    Ok(pid) => self.child = Some(pid),
                    Err(e) => self.code = ctx.fail(1, format!("{name}: {e}")),
                }
            }
        }
        Step::Ran
    }
    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}

pub(super) fn find(args: &[String], _: Family) -> Box<dyn Program> {
    deferred(args, |ctx, args| {
        let mut paths = Vec::new();
        let mut i = 1;
        while let Some(a) = args.get(i).filter(|a| !a.starts_with('-') && *a != "(" && *a != "!") {
            paths.push(a.clone());
            i += 1;
        }
        if paths.is_empty() {
            paths.push(".".to_owned());
        }
        let mut f = Find { tests: Vec::new(), min: 0, max: 64, depth_first: false, follow: false };
        while let Some(a) = args.get(i).cloned() {
            i += 1;
            let value = args.get(i).cloned();
            let mut take = || {
                i += 1;
                value.clone().unwrap_or_default()
            };
            let test = match a.as_str() {
                "-name" => Test::Name(take(), false),
                "-iname" => Test::Name(take().to_lowercase(), true),
                "-path" | "-wholename" => Test::Path(take()),
                "-type" => Test::Type(take().chars().next().unwrap_or('f')),
                "-maxdepth" => {
                    f.max = take().parse().unwrap_or(64);
                    continue;
                }
                "-mindepth" => {
                    f.min = take().parse().unwrap_or(0);
                    continue;
                }
                "-size" => {
                    let t = take();
                    let (sign, n) = sign(&t);
                    let unit = n.chars().last().filter(|c| !c.is_ascii_digit()).unwrap_or('b');
                    let digits: String = n.chars().filter(char::is_ascii_digit).collect();
                    let unit = match unit {
                        'c' => 1,
                        'k' => 1 << 10,
                        'M' => 1 << 20,
                        'G' => 1 << 30,
                        _ => 512,
                    };
                    Test::Size(sign, digits.parse().unwrap_or(0), unit)
                }
                "-mtime" | "-mmin" | "-ctime" | "-atime" => {
                    let t = take();
                    let (sign, n) = sign(&t);
                    Test::Time(sign, n.parse().unwrap_or(0), if a == "-mmin" { 60 } else { 86_400 })
                }
                "-newer" => {
                    let file = take();
                    match ctx.stat(&file, true) {
                        Ok(s) => Test::Newer(s.mtime),
                        Err(e) => return Err(ctx.fail(1, format!("{file}: {e}"))),
                    }
                }
                "-perm" => {
                    Test::Perm(u32::from_str_radix(take().trim_start_matches(['-', '/']), 8).unwrap_or(0))
                }
                "-user" => {
                    let u = take();
                    Test::User(ctx.id_of("/etc/passwd", &u).unwrap_or(u32::MAX))
                }
                "-empty" => Test::Empty,
                "!" | "-not" => Test::Not,
                "-o" | "-or" => Test::Or,
                "-a" | "-and" => continue,
                "(" => Test::Open,
                ")" => Test::Close,
                "-print" => Test::Print('\n'),
                "-print0" => Test::Print('\0'),
                "-delete" => {
                    f.depth_first = true;
                    Test::Delete
                }
                "-depth" => {
                    f.depth_first = true;
                    continue;
                }
                "-prune" => Test::Prune,
                "-xdev" | "-follow" | "-L" => {
                    f.follow |= a != "-xdev";
                    Test::True
                }
                "-exec" => {
                    let mut argv = Vec::new();
                    let mut plus = false;
                    while let Some(w) = args.get(i) {
                        i += 1;
                        if w == ";" {
                            break;
                        }
                        if w == "+" && argv.last().is_some_and(|l: &String| l == "{}") {
                            plus = true;
                            argv.pop();
                            break;
                        }
                        argv.push(w.clone());
                    }
                    Test::Exec(argv, plus)
                }
                other => {
                    let text = if ctx.is_busybox() {
                        format!("unrecognized: {other}")
                    } else {
                        format!("unknown predicate `{other}'")
                    };
                    return Err(ctx.fail(1, text));
                }
            };
            f.tests.push(test);
        }
        let acts = f.tests.iter().any(|t| matches!(t, Test::Print(_) | Test::Delete | Test::Exec(..)));
        let mut run = FindRun { todo: VecDeque::new(), child: None, code: 0 };
        let mut plus: Vec<String> = Vec::new();
        for p in &paths {
            if let Err(e) = ctx.stat(p, false) {
                let text = if ctx.is_busybox() { format!("{p}: {e}") } else { format!("‘{p}’: {e}") };
                run.code = ctx.fail(1, text);
                continue;
            }
            walk(ctx, &f, p, 0, acts, &mut run, &mut plus);
        }
        if !plus.is_empty()
            && let Some(Test::Exec(argv, true)) = f.tests.iter().find(|t| matches!(t, Test::Exec(_, true)))
        {
            let mut argv = argv.clone();
            argv.extend(plus);
            run.todo.push_back(Todo::Run(argv));
        }
        Ok(Box::new(run))
    })
}

fn sign(t: &str) -> (char, &str) {
    match t.strip_prefix('+') {
        Some(r) => ('+', r),
        None => match t.strip_prefix('-') {
            Some(r) => ('-', r),
            None => ('=', t),
        },
    }
}

fn walk(
    ctx: &mut Ctx<'_>,
    f: &Find,
    path: &str,
    depth: u32,
    acts: bool,
    run: &mut FindRun,
    plus: &mut Vec<String>,
) {
    if run.todo.len() > 20_000 {
        return;
    }
    let Ok(stat) = ctx.stat(path, f.follow).or_else(|_| ctx.stat(path, false)) else { return };
    let mut prune = false;
    let visit = |ctx: &mut Ctx<'_>, run: &mut FindRun, plus: &mut Vec<String>, prune: &mut bool| {
        if depth < f.min {
            return;
        }
        let mut pos = 0;
        let yes = evaluate(ctx, f, &mut pos, path, &stat, run, plus, prune, true, 0);
        if yes && !acts {
            run.todo.push_back(Todo::Out(format!("{path}\n")));
        }
    };
    if !f.depth_first {
        visit(ctx, run, plus, &mut prune);
    }
    if stat.is_dir && depth < f.max && !prune {
        for n in ctx.list(path).unwrap_or_default() {
            let full = if path.ends_with('/') { format!("{path}{n}") } else { format!("{path}/{n}") };
            walk(ctx, f, &full, depth + 1, acts, run, plus);
        }
    }
    if f.depth_first {
        visit(ctx, run, plus, &mut prune);
    }
}

/// `or` of `and`s of tests; `live` says whether actions take effect.
#[allow(clippy::too_many_arguments)]
fn evaluate(
    ctx: &mut Ctx<'_>,
    f: &Find,
    pos: &mut usize,
    path: &str,
    stat: &crate::fs::Stat,
    run: &mut FindRun,
    plus: &mut Vec<String>,
    prune: &mut bool,
    live: bool,
    depth: u32,
) -> bool {
    let mut result = false;
    let mut all = true;
    let mut negate = false;
    while let Some(t) = f.tests.get(*pos) {
        *pos += 1;
        let active = live && !result && all;
        let hit = match t {
            Test::Not => {
                negate = !negate;
                continue;
            }
            Test::Or => {
                result |= all;
                all = true;
                continue;
            }
            Test::Close => break,
            Test::Open if depth > 60 => false,
            Test::Open => evaluate(ctx, f, pos, path, stat, run, plus, prune, active, depth + 1),
            Test::Name(p, fold) => {
                let name = super::base(path.trim_end_matches('/'));
                let name = if *fold { name.to_lowercase() } else { name.to_owned() };
                crate::pattern::matches(p, &name)
            }
            Test::Path(p) => crate::pattern::matches(p, path),
            Test::Type(c) => match c {
                'd' => stat.is_dir,
                'l' => stat.link.is_some(),
                'c' => stat.is_device,
                _ => stat.is_file,
            },
            Test::Size(s, n, unit) => compare(*s, stat.size.div_ceil(*unit), *n),
            Test::Time(s, n, unit) => {
                let age = (ctx.now().as_secs() - stat.mtime.as_secs()) / unit;
                compare(*s, age, *n)
            }
            Test::Newer(t) => stat.mtime > *t,
            Test::Empty => {
                if stat.is_dir {
                    ctx.list(path).is_ok_and(|l| l.is_empty())
                } else {
                    stat.is_file && stat.size == 0
                }
            }
            Test::Perm(m) => stat.mode & 0o7777 == *m,
            Test::User(u) => stat.uid == *u,
            Test::True => true,
            Test::Prune => {
                *prune |= active;
                true
            }
            Test::Print(end) => {
                if active {
                    run.todo.push_back(Todo::Out(format!("{path}{end}")));
                }
                true
            }
            Test::Delete => {
                if active && path != "." {
                    run.todo.push_back(Todo::Delete(path.to_owned()));
                }
                true
            }
            Test::Exec(argv, many) => {
                if active {
                    if *many {
                        plus.push(path.to_owned());
                    } else {
                        run.todo.push_back(Todo::Run(argv.iter().map(|a| a.replace("{}", path)).collect()));
                    }
                }
                true
            }
        };
        all &= hit != std::mem::take(&mut negate);
    }
    result | all
}

fn compare<T: PartialOrd>(sign: char, a: T, b: T) -> bool {
    match sign {
        '+' => a > b,
        '-' => a < b,
        _ => a == b,
    }
}
