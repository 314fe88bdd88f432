//! Children: subshells, pipelines, substitutions, background jobs, `wait`.

use super::Dialect;
use super::op::{Code, Op};
use super::shell::{Blocked, Frame, ScriptKind, Shell, status_of};
use crate::context::{Ctx, Read};
use crate::open_file::OpenId;
use crate::process::{Exit, Pid, Wait};
use crate::signal::Signal;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Most bytes a command substitution takes up.
const MAX_SUBSTITUTION: usize = 1 << 20;

/// A background job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Job {
    pub number: u32,
    pub pid: Pid,
    pub text: String,
    /// Its status once it ended.
    pub status: Option<Exit>,
    /// Whether its end was told (interactive) or waited for.
    pub told: bool,
}

/// A pipeline being started.
#[derive(Clone, Debug, Default)]
pub(crate) struct PipeBuild {
    /// The reading end for the next stage.
    read: Option<OpenId>,
    pids: Vec<Pid>,
}

impl Shell {
    /// A copy for a child: what it was doing is dropped, traps are reset but for the ignored ones.
    fn child(&self) -> Shell {
        let mut c = self.clone();
        c.frames.clear();
        c.words.clear();
        c.strings.clear();
        c.lists.clear();
        c.simples.clear();
        c.pipes.clear();
        c.jobs.clear();
        c.times.clear();
        c.pending_traps.clear();
        c.traps.retain(|_, action| action.is_empty());
        c.blocked = None;
        c.subshell = true;
        c.exiting = None;
        c
    }

    fn fork_at(&mut self, ctx: &mut Ctx<'_>, pc: usize, fds: BTreeMap<u32, OpenId>) -> Option<Pid> {
        let mut child = self.child();
        child.pc = pc;
        // A function called in a child may `return` there.
        if self.frames.iter().any(|f| matches!(f, Frame::Call { .. })) {
            child.frames.push(Frame::Script {
                text: Arc::new(Vec::new()),
                pos: 0,
                line: 1,
                kind: ScriptKind::Main,
                code: Arc::new(Code { ops: vec![Op::Return] }),
                pc: 0,
                tested: 0,
            });
        }
        let family = ctx.core.family;
        let argv = ctx.core.argv.clone();
        match ctx.spawn(Box::new(child), family, argv, None, Some(fds)) {
            Ok(pid) => Some(pid),
            Err(text) => {
                let line = match self.dialect {
                    Dialect::Bash => format!("fork: {text}"),
                    Dialect::Dash => "Cannot fork".to_owned(),
                    Dialect::Ash => format!("can't fork: {text}"),
                };
                self.shell_error(ctx, line, 2);
                self.status = 2;
                None
            }
        }
    }

    pub fn subshell(&mut self, ctx: &mut Ctx<'_>, end: usize) {
        let fds = ctx.dup_fds();
        if let Some(pid) = self.fork_at(ctx, self.pc, fds) {
            self.blocked = Some(Blocked::Foreground { pids: vec![(pid, None)] });
        }
        self.pc = end;
    }

    pub fn command_substitution(&mut self, ctx: &mut Ctx<'_>, quoted: bool, end: usize) {
        let (read, write) = ctx.sys.open.pipe();
        let mut fds = ctx.dup_fds();
        if let Some(old) = fds.insert(1, write) {
            ctx.sys.open.close(old);
        }
        let pid = self.fork_at(ctx, self.pc, fds);
        self.pc = end;
        match (pid, ctx.adopt(read)) {
            (Some(pid), Ok(fd)) => {
                self.blocked =
                    Some(Blocked::Substitution { pid, fd, bytes: Vec::new(), quoted, ended: false });
            }
            (_, Ok(fd)) => ctx.close(fd),
            _ => {}
        }
    }

    pub fn unblock_substitution(
        &mut self,
        ctx: &mut Ctx<'_>,
        pid: Pid,
        fd: u32,
        mut bytes: Vec<u8>,
        quoted: bool,
        mut ended: bool,
    ) -> Option<Wait> {
        while !ended {
            match ctx.read(fd, 1 << 16) {
                Read::Data(d) => {
                    if bytes.len() < MAX_SUBSTITUTION {
                        bytes.extend_from_slice(&d);
                    }
                }
                Read::Blocked => {
                    self.blocked = Some(Blocked::Substitution { pid, fd, bytes, quoted, ended });
                    return Some(Wait::readable(fd));
                }
                Read::Eof | Read::Failed(_) => {
                    ctx.close(fd);
                    ended = true;
                }
            }
        }
        let exit = match ctx.reap(pid) {
            Ok(Some(exit)) => exit,
            Ok(None) => {
                self.blocked = Some(Blocked::Substitution { pid, fd, bytes, quoted, ended });
                return Some(Wait::child());
            }
            Err(_) => Exit::Code(0),
        };
        let status = status_of(exit);
        self.status = status;
        if let Some(s) = self.simples.last_mut() {
            s.substitution = Some(status);
        }
        while bytes.last() == Some(&b'\n') {
            bytes.pop();
        }
        bytes.retain(|b| *b != 0);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some(w) = self.words.last_mut() {
            w.text(&text, quoted, true);
        }
        None
    }

    pub fn pipe_stage(&mut self, ctx: &mut Ctx<'_>, end: usize, last: bool) {
        let previous = self.pipes.last_mut().and_then(|p| p.read.take());
        let mut fds = ctx.dup_fds();
        let mut replace = |ctx: &mut Ctx<'_>, fd, id| {
            if let Some(old) = fds.insert(fd, id) {
                ctx.sys.open.close(old);
            }
        };
        if let Some(read) = previous {
            replace(ctx, 0, read);
        }
        let mut next_read = None;
        if !last {
            let (read, write) = ctx.sys.open.pipe();
            replace(ctx, 1, write);
            next_read = Some(read);
        }
        let pid = self.fork_at(ctx, self.pc, fds);
        if let Some(p) = self.pipes.last_mut() {
            p.read = next_read;
            p.pids.extend(pid);
        }
        self.pc = end;
    }

    pub fn pipe_wait(&mut self) {
        let pids = self.pipes.pop().map(|p| p.pids).unwrap_or_default();
        self.blocked = Some(Blocked::Foreground { pids: pids.into_iter().map(|p| (p, None)).collect() });
    }

    pub fn unblock_foreground(
        &mut self,
        ctx: &mut Ctx<'_>,
        mut pids: Vec<(Pid, Option<i32>)>,
    ) -> Option<Wait> {
        let many = pids.len() > 1;
        for (i, (pid, status)) in pids.iter_mut().enumerate() {
            if status.is_some() {
                continue;
            }
            match ctx.reap(*pid) {
                Ok(Some(exit)) => {
                    *status = Some(status_of(exit));
                    if let Exit::Signal(s) = exit
                        && (!many || i + 1 > 0)
                    {
                        self.tell_signal(ctx, *pid, s);
                    }
                }
                Ok(None) => {}
                Err(_) => *status = Some(0),
            }
        }
        self.reap_jobs(ctx, false);
        if pids.iter().any(|(_, s)| s.is_none()) {
            self.blocked = Some(Blocked::Foreground { pids });
            return Some(Wait::child());
        }
        let last = pids.last().and_then(|(_, s)| *s).unwrap_or(0);
        self.status = last;
        if self.options.pipefail && last == 0 {
            self.status = pids.iter().rev().filter_map(|(_, s)| *s).find(|s| *s != 0).unwrap_or(0);
        }
        None
    }

    /// `Killed`, `Terminated` after a foreground command that a signal ended.
    fn tell_signal(&self, ctx: &mut Ctx<'_>, pid: Pid, s: Signal) {
        if matches!(s, Signal::INT | Signal::PIPE) {
            if s == Signal::INT && self.interactive {
                ctx.err("\n");
            }
            return;
        }
        let text = match self.dialect {
            Dialect::Bash if self.interactive => format!("{}\n", s.description()),
            // Bash says nothing of a child ended by TERM here.
            Dialect::Bash if s == Signal::TERM => "Terminated\n".to_owned(),
            Dialect::Bash => {
                let what = s.description();
                format!("{}{pid:>5} {what:<23} {}\n", self.prefix(), "command")
            }
            _ => format!("{}\n", s.description()),
        };
        ctx.err(text);
    }

    pub fn background(&mut self, ctx: &mut Ctx<'_>, end: usize, text: &str) {
        let mut fds = ctx.dup_fds();
        if !self.interactive {
            let null = ctx.sys.open.open(crate::open_file::OpenKind::Null, true, true);
            if let Some(old) = fds.insert(0, null) {
                ctx.sys.open.close(old);
            }
        }
        let ignored = ctx.core.ignored.clone();
        if !self.interactive {
            ctx.core.ignored.extend([Signal::INT, Signal::QUIT]);
        }
        let pid = self.fork_at(ctx, self.pc, fds);
        ctx.core.ignored = ignored;
        self.pc = end;
        if let Some(pid) = pid {
            let number = self.jobs.iter().map(|j| j.number).max().unwrap_or(0) + 1;
            self.jobs.retain(|j| j.status.is_none() || !j.told || self.last_background == Some(j.pid));
            self.jobs.push(Job { number, pid, text: text.to_owned(), status: None, told: false });
            self.last_background = Some(pid);
            self.status = 0;
            if self.interactive && !self.subshell {
                // A group of its own: Ctrl-C is not for it.
                if let Some(p) = ctx.procs.get_mut(&pid) {
                    p.core.pgid = pid;
                }
                ctx.err(format!("[{number}] {pid}\n"));
            }
        }
    }

    /// Notes ended background jobs; tells them where asked.
    pub fn reap_jobs(&mut self, ctx: &mut Ctx<'_>, tell: bool) {
        let dialect = self.dialect;
        for job in &mut self.jobs {
            if job.status.is_none()
                && let Ok(Some(exit)) = ctx.reap(job.pid)
            {
                job.status = Some(exit);
            }
            if let (Some(exit), false, true) = (job.status, job.told, tell) {
                job.told = true;
                let line = job_line(dialect, job.number, true, exit_word(exit), &job.text);
                ctx.err(line);
            }
        }
        if tell {
            self.jobs.retain(|j| !(j.status.is_some() && j.told));
        }
    }

    pub fn unblock_wait(&mut self, ctx: &mut Ctx<'_>, pids: Option<Vec<Pid>>) -> Option<Wait> {
        if let Some(signal) = self.pending_traps.front() {
            self.status = 128 + i32::from(signal.0);
            return None;
        }
        if self.interrupted {
            self.status = 130;
            return None;
        }
        self.reap_jobs(ctx, false);
        let pending =
            self.jobs.iter().any(|j| j.status.is_none() && pids.as_ref().is_none_or(|p| p.contains(&j.pid)));
        if pending {
            self.blocked = Some(Blocked::Jobs { pids });
            return Some(Wait::child());
        }
        match pids {
            None => {
                self.jobs.clear();
                self.status = 0;
            }
            Some(pids) => {
                for pid in pids {
                    let exit = self.jobs.iter().find(|j| j.pid == pid).and_then(|j| j.status);
                    self.jobs.retain(|j| j.pid != pid);
                    self.status = exit.map_or(127, status_of);
                    if let (Some(Exit::Signal(s)), false) = (exit, self.dialect == Dialect::Bash)
                        && !matches!(s, Signal::INT | Signal::PIPE)
                    {
                        ctx.err(format!("{}\n", s.description()));
                    }
                }
            }
        }
        None
    }

    pub fn time_end(&mut self, ctx: &mut Ctx<'_>) {
        if let Some((start, cpu)) = self.times.pop() {
            let real = ctx.now().since(start).as_secs_f64();
            #[allow(clippy::cast_precision_loss)]
            let user = ctx.core.cpu_nanos.saturating_sub(cpu) as f64 / 1e9;
            let fmt = |s: f64| format!("{}m{:.3}s", (s / 60.0).floor(), s % 60.0);
            ctx.err(format!("\nreal\t{}\nuser\t{}\nsys\t0m0.000s\n", fmt(real), fmt(user)));
        }
    }
}

pub(crate) fn exit_word(exit: Exit) -> String {
    match exit {
        Exit::Code(0) => "Done".to_owned(),
        Exit::Code(c) => format!("Done({c})"),
        Exit::Signal(s) => s.description().to_owned(),
    }
}

/// A line of `jobs`.
pub(crate) fn job_line(dialect: Dialect, number: u32, current: bool, state: String, text: &str) -> String {
    let mark = if current { '+' } else { ' ' };
    let state = match dialect {
        Dialect::Bash if state.starts_with("Done(") => {
            format!("Exit {}", state.trim_start_matches("Done(").trim_end_matches(')'))
        }
        _ => state,
    };
    match dialect {
        Dialect::Bash => format!("[{number}]{mark}  {state:<22}  {text}\n"),
        _ => format!("[{number}]{mark} {state:<26} {text}\n"),
    }
}
