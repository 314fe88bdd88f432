//! Tools that run other commands: `xargs`, `timeout`, `nohup`.

use super::lines::deferred;
use super::{finish, missing_operand, options_until};
use crate::context::{Ctx, Read};
use crate::fs::Errno;
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

/// A command that is run again and again.
#[derive(Clone, Debug)]
struct Watch {
    argv: Vec<String>,
    title: Option<String>,
    interval: Duration,
    child: Option<Pid>,
    /// When it is run next.
    at: SimTime,
}

/// How wide a screen is taken to be.
const COLUMNS: usize = 80;

impl Program for Watch {
    fn step(&mut self, ctx: &mut Ctx<'_>) -> Step {
        if let Some(pid) = self.child {
            match ctx.reap(pid) {
                Ok(None) => return Step::Block(Wait::child()),
                _ => self.child = None,
            }
        }
        if ctx.now() < self.at {
            return Step::Block(Wait::until(self.at));
        }
        self.at = ctx.now() + self.interval;
        // The screen anew, as terminals know it.
        let mut head = "\x1b[H\x1b[2J".to_owned();
        if let Some(title) = &self.title {
            let time = super::date::format(ctx.now(), "%a %b %e %H:%M:%S %Y");
            let right = format!("{}: {time}", ctx.host.hostname());
            let gap = COLUMNS.saturating_sub(title.chars().count() + right.chars().count()).max(1);
            head.push_str(&format!("{title}{}{right}\n\n", " ".repeat(gap)));
        }
        ctx.out(head);
        match ctx.spawn_command(self.argv.clone()) {
            Ok(pid) => self.child = Some(pid),
            Err(e) => return Step::Exit(ctx.fail(127, format!("{}: {e}", self.argv.join(" ")))),
        }
        Step::Ran
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}

pub(super) fn watch(args: &[String], _: Family) -> Box<dyn Program> {
    deferred(args, |ctx, args| {
        let long =
            [("interval", 'n'), ("no-title", 't'), ("exec", 'x'), ("differences", 'd'), ("color", 'c')];
        let o = options_until(ctx, args, "n:txdc", &long, true)?;
        if o.operands.is_empty() {
            return Err(missing_operand(ctx));
        }
        let seconds = match o.value('n') {
            Some(text) => match text.parse::<f64>() {
                Ok(n) if n.is_finite() => n.clamp(0.1, 1e6),
                _ => return Err(ctx.fail(1, format!("failed to parse argument: '{text}'"))),
            },
            None => 2.0,
        };
        let line = o.operands.join(" ");
        let title = (!o.has('t')).then(|| format!("Every {seconds:.1}s: {line}"));
        let argv = if o.has('x') { o.operands } else { vec!["sh".to_owned(), "-c".to_owned(), line] };
        let at = ctx.now();
        Ok(Box::new(Watch { argv, title, interval: Duration::from_secs_f64(seconds), child: None, at }))
    })
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
