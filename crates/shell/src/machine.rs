//! A container's processes, open files and files, and the scheduler that steps them.

mod procfs;

pub(crate) use procfs::{proc_list, proc_read, proc_stat};

use crate::context::Ctx;
use crate::fs::{Credentials, Errno, FileSystem};
use crate::host::{Host, HttpRequest, HttpResponse};
use crate::open_file::{Input, OpenFiles, OpenKind, PIPE_CAPACITY};
use crate::process::{
    BURST, Core, Exit, Family, Health, OnSignal, Pid, Process, ProcessInfo, Program, STEP_NANOS,
    STEPS_PER_SECOND, State, Step, Wait,
};
use crate::signal::Signal;
use podlab_sim::{SimDuration, SimTime};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How long a process that used up its steps is held back at a time.
const THROTTLE: SimDuration = SimDuration::from_millis(250);

/// Steps that every process on a terminal may take after Ctrl-C, even one that used up its own.
const INTERRUPT_STEPS: u32 = 100;

/// What all processes of a machine share.
#[derive(Clone, Debug)]
pub(crate) struct System {
    pub open: OpenFiles,
    pub fs: FileSystem,
    pub dead_cpu_nanos: u64,
    last_pid: Pid,
}

impl System {
    pub fn next_pid(&mut self) -> Pid {
        self.last_pid = self.last_pid.wrapping_add(1).max(1);
        self.last_pid
    }

    /// Moves kept output into pipes as far as they have room; notes a pipe without a reader.
    pub fn flush(&mut self, core: &mut Core) {
        while let Some((id, data)) = core.pending_out.front_mut() {
            let id = *id;
            let pipe = match self.open.files.get(&id).map(|f| &f.kind) {
                Some(OpenKind::PipeWrite(p)) => self.open.pipes.get_mut(p),
                _ => None,
            };
            match pipe {
                Some(pipe) if pipe.readers > 0 => {
                    let room = PIPE_CAPACITY.saturating_sub(pipe.buf.len());
                    let n = room.min(data.len());
                    pipe.buf.extend(data.drain(..n));
                    if !data.is_empty() {
                        return;
                    }
                }
                _ => core.broken_pipe = true,
            }
            core.pending_out.pop_front();
            self.open.close(id);
        }
    }

    fn close_all(&mut self, core: &mut Core) {
        for (id, _) in std::mem::take(&mut core.pending_out) {
            self.open.close(id);
        }
        for id in std::mem::take(&mut core.fds).into_values() {
            self.open.close(id);
        }
    }
}

/// Where a process started from outside reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Stdin {
    /// `/dev/null`.
    #[default]
    Null,
    /// Bytes given by [`Machine::input`], no terminal.
    Pipe,
    /// A terminal: standard output and error are the same terminal, prompts are shown.
    Terminal,
    /// A terminal whose owner tells output and errors apart, and where [`Machine::end_of_file`] ends one read.
    Screen,
}

/// A process to start from outside: a container's command, a probe, `kubectl exec`.
#[derive(Clone, Debug)]
pub struct Spawn {
    /// Command and arguments.
    pub argv: Vec<String>,
    /// Environment in order.
    pub env: Vec<(String, String)>,
    /// Working directory; made if missing, as container runtimes do.
    pub cwd: String,
    /// User and groups.
    pub who: Credentials,
    /// Standard input.
    pub stdin: Stdin,
    /// The sink that its output goes to ([`Host::output`]), and its input queue's number.
    pub sink: u32,
}

impl Spawn {
    /// A command of root's in `/` with the usual `PATH`.
    pub fn new(argv: &[&str], sink: u32) -> Spawn {
        Spawn {
            argv: argv.iter().map(|s| (*s).to_owned()).collect(),
            env: vec![
                ("PATH".to_owned(), crate::userland::DEFAULT_PATH.to_owned()),
                ("HOME".to_owned(), "/root".to_owned()),
            ],
            cwd: "/".to_owned(),
            who: Credentials::root(),
            stdin: Stdin::Null,
            sink,
        }
    }
}

/// Why a command could not be started (what runc words as `exec: "foo": …`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartError {
    /// Not in `$PATH`: `executable file not found in $PATH`.
    NotFoundInPath,
    /// The path names nothing: `stat /bin/foo: no such file or directory`.
    NoSuchFile,
    /// It may not be executed: `permission denied`.
    PermissionDenied,
    /// It is a directory: `is a directory`.
    IsADirectory,
    /// Not a program: `exec format error`.
    ExecFormat,
    /// No command at all.
    Empty,
}

/// When a machine wants to run again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Next {
    /// At once: the budget was used up.
    Now,
    /// At that instant, if nothing (a signal, input) comes before.
    At(SimTime),
    /// Not by itself.
    Never,
}

/// What a run came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Steps taken.
    pub steps: u32,
    /// When to run again.
    pub next: Next,
}

/// One container's (or the terminal's) processes and files.
#[derive(Clone, Debug)]
pub struct Machine {
    sys: System,
    /// Behind boxes: they are taken out and put back at every turn.
    procs: BTreeMap<Pid, Box<Process>>,
    /// Ended processes that were started from outside, until [`Machine::reap`].
    ended: BTreeMap<Pid, Exit>,
}

impl Machine {
    /// A machine without processes.
    pub fn new(fs: FileSystem) -> Machine {
        Machine {
            sys: System { open: OpenFiles::default(), fs, dead_cpu_nanos: 0, last_pid: 0 },
            procs: BTreeMap::new(),
            ended: BTreeMap::new(),
        }
    }

    /// Its files.
    pub fn fs(&self) -> &FileSystem {
        &self.sys.fs
    }

    /// Its files, to change.
    pub fn fs_mut(&mut self) -> &mut FileSystem {
        &mut self.sys.fs
    }

    /// Starts a process from outside. The first one is process 1; when it ends, all others do.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn spawn(&mut self, host: &mut dyn Host, spawn: Spawn) -> Result<Pid, StartError> {
        let init = self.sys.last_pid == 0;
        let now = host.now();
        let sink = spawn.sink;
        let open = &mut self.sys.open;
        let fds = match spawn.stdin {
            Stdin::Terminal => {
                open.inputs.insert(sink, Input::default());
                let id = open.open(OpenKind::Terminal { id: sink, stderr: false }, true, true);
                open.dup(id);
                open.dup(id);
                BTreeMap::from([(0, id), (1, id), (2, id)])
            }
            Stdin::Screen => {
                open.inputs.insert(sink, Input::default());
                let id = open.open(OpenKind::Terminal { id: sink, stderr: false }, true, true);
                let err = open.open(OpenKind::Terminal { id: sink, stderr: true }, true, true);
                open.dup(id);
                BTreeMap::from([(0, id), (1, id), (2, err)])
            }
            other => {
                let stdin = if other == Stdin::Pipe {
                    open.inputs.insert(sink, Input::default());
                    open.open(OpenKind::Input { id: sink }, true, false)
                } else {
                    open.open(OpenKind::Null, true, true)
                };
                let out = open.open(OpenKind::Sink { id: sink, stderr: false }, false, true);
                let err = open.open(OpenKind::Sink { id: sink, stderr: true }, false, true);
                BTreeMap::from([(0, stdin), (1, out), (2, err)])
            }
        };
        let cwd = if spawn.cwd.is_empty() { "/".to_owned() } else { spawn.cwd };
        if self.sys.fs.resolve(&*host, &Credentials::root(), &cwd, true).is_err() {
            // Where it cannot be made the command starts anyway, as if it had been deleted under it.
            let _ = self.sys.fs.root.make_dirs(&cwd, now);
        }
        let mut core = Core {
            pid: 0,
            ppid: 0,
            argv: spawn.argv,
            env: Arc::new(spawn.env),
            cwd,
            who: spawn.who,
            umask: 0o022,
            family: Family::default(),
            started: now,
            pgid: 0,
            init,
            orphan: false,
            ignored: Default::default(),
            fds,
            pending_out: Default::default(),
            write_error: None,
            broken_pipe: false,
            signals: Default::default(),
            cpu_nanos: 0,
            steps: 0,
            credit: BURST,
            credit_at: now,
        };
        let loaded = {
            let mut ctx = Ctx { core: &mut core, sys: &mut self.sys, procs: &mut self.procs, host };
            start(&mut ctx)
        };
        match loaded {
            Ok((program, family, argv)) => {
                core.pid = self.sys.next_pid();
                core.pgid = core.pid;
                core.family = family;
                core.argv = argv;
                let pid = core.pid;
                self.procs.insert(pid, Box::new(Process { core, program, state: State::Ready }));
                Ok(pid)
            }
            Err(e) => {
                self.sys.close_all(&mut core);
                Err(e)
            }
        }
    }

    /// Runs every process that can, for at most `budget` steps in all.
    pub fn run(&mut self, host: &mut dyn Host, budget: u32) -> Progress {
        let now = host.now();
        let mut steps = 0;
        loop {
            let mut ran = false;
            let pids: Vec<Pid> = self.procs.keys().copied().collect();
            for pid in pids {
                if steps >= budget {
                    return Progress { steps, next: Next::Now };
                }
                // A slice each, so that both ends of a pipe get their turn.
                let (used, moved) = self.run_process(host, pid, now, (budget - steps).min(256));
                steps += used;
                ran |= used > 0 || moved;
            }
            if !ran {
                break;
            }
        }
        let mut next = Next::Never;
        for p in self.procs.values() {
            if let State::Blocked { wait: Wait { until: Some(at), .. }, .. } = &p.state {
                next = next.min(Next::At(*at));
            }
        }
        Progress { steps, next }
    }

    fn run_process(&mut self, host: &mut dyn Host, pid: Pid, now: SimTime, budget: u32) -> (u32, bool) {
        let Some(mut p) = self.procs.remove(&pid) else { return (0, false) };
        let kept = |p: &Process| p.core.pending_out.iter().map(|(_, d)| d.len()).sum::<usize>();
        let (waiting, before) = (kept(&p), std::mem::discriminant(&p.state));
        let mut used = 0;
        while used < budget {
            if !self.prepare(host, &mut p, now) {
                break;
            }
            if p.core.credit == 0 {
                let wait = Wait { until: Some(now + THROTTLE), busy: true, ..Wait::default() };
                p.state = State::Blocked { wait, since: now };
                break;
            }
            p.core.credit -= 1;
            p.core.steps += 1;
            p.core.cpu_nanos += STEP_NANOS;
            used += 1;
            let step = {
                let mut ctx = Ctx { core: &mut p.core, sys: &mut self.sys, procs: &mut self.procs, host };
                p.program.step(&mut ctx)
            };
            match step {
                Step::Ran => {}
                Step::Block(wait) => p.state = State::Blocked { wait, since: now },
                Step::Exec(program) => {
                    p.program = program;
                    p.core.write_error = None;
                }
                Step::Exit(code) => {
                    let code = u8::try_from(code & 0xff).unwrap_or(0);
                    p.state = State::Exiting(Exit::Code(code));
                }
                Step::Die(signal) => p.state = State::Exiting(Exit::Signal(signal)),
            }
        }
        let ended = matches!(p.state, State::Zombie(_));
        // An end, or output that found room, may let others go on.
        let moved = kept(&p) != waiting || (ended && before != std::mem::discriminant(&p.state));
        self.procs.insert(pid, p);
        if ended {
            self.bury(pid);
        }
        (used, moved)
    }

    /// Whether the process can take a step: signals delivered, output flushed, what it waits for there.
    fn prepare(&mut self, host: &mut dyn Host, p: &mut Process, now: SimTime) -> bool {
        if matches!(p.state, State::Zombie(_)) {
            return false;
        }
        let gone = now.since(p.core.credit_at);
        let earned = gone.as_millis().saturating_mul(u128::from(STEPS_PER_SECOND)) / 1000;
        if earned > 0 {
            let earned = u32::try_from(earned).unwrap_or(BURST);
            p.core.credit = p.core.credit.saturating_add(earned).min(BURST);
            p.core.credit_at = now;
        }
        self.deliver_signals(host, p);
        self.sys.flush(&mut p.core);
        if p.core.broken_pipe {
            p.core.broken_pipe = false;
            if !p.core.ignored.contains(&Signal::PIPE) && !matches!(p.state, State::Exiting(_)) {
                p.state = State::Exiting(Exit::Signal(Signal::PIPE));
            } else {
                p.core.write_error = Some(Errno::Io);
            }
        }
        if let State::Exiting(exit) = p.state {
            if matches!(exit, Exit::Code(_)) && !p.core.pending_out.is_empty() {
                return false;
            }
            self.sys.close_all(&mut p.core);
            p.state = State::Zombie(exit);
            return false;
        }
        if !p.core.pending_out.is_empty() {
            return false;
        }
        let State::Blocked { wait, since } = &p.state else { return true };
        let awake = wait.until.is_some_and(|at| now >= at)
            || wait
                .readable
                .is_some_and(|fd| p.core.fds.get(&fd).is_none_or(|id| self.sys.open.readable(*id)))
            || (wait.child
                && self
                    .procs
                    .values()
                    .any(|c| c.core.ppid == p.core.pid && matches!(c.state, State::Zombie(_))));
        if awake {
            if wait.busy {
                let waited = u64::try_from(now.since(*since).as_nanos()).unwrap_or(u64::MAX);
                p.core.cpu_nanos = p.core.cpu_nanos.saturating_add(waited);
            }
            p.state = State::Ready;
        }
        awake
    }

    fn deliver_signals(&mut self, _host: &mut dyn Host, p: &mut Process) {
        while let Some(signal) = p.core.signals.pop_front() {
            if matches!(p.state, State::Exiting(_) | State::Zombie(_)) {
                return;
            }
            if signal == Signal::KILL {
                p.state = State::Exiting(Exit::Signal(signal));
                return;
            }
            if p.core.ignored.contains(&signal) || signal == Signal::STOP {
                continue;
            }
            match p.program.on_signal(signal) {
                OnSignal::Handled => p.state = State::Ready,
                OnSignal::Exit(code) => {
                    p.state = State::Exiting(Exit::Code(code));
                    return;
                }
                OnSignal::Default => {
                    if p.core.init || signal.ignored_by_default() {
                        continue;
                    }
                    p.state = State::Exiting(Exit::Signal(signal));
                    return;
                }
            }
        }
    }

    /// What follows a process's end: children pass to process 1, the end of process 1 ends all.
    fn bury(&mut self, pid: Pid) {
        let Some(p) = self.procs.get(&pid) else { return };
        let State::Zombie(exit) = p.state else { return };
        let (init, outside, parent) = (p.core.init, p.core.ppid == 0, p.core.ppid);
        let cpu = p.core.cpu_nanos;
        let orphan = p.core.orphan;
        for child in self.procs.values_mut().filter(|c| c.core.ppid == pid) {
            child.core.ppid = 1;
            child.core.orphan = true;
        }
        self.procs.retain(|_, c| !(c.core.orphan && matches!(c.state, State::Zombie(_))));
        if outside {
            self.ended.insert(pid, exit);
        }
        // Nobody will ask for an orphan's exit: process 1 is a shell or a tool that started others.
        if outside || orphan || !self.procs.contains_key(&parent) {
            self.procs.remove(&pid);
            self.sys.dead_cpu_nanos += cpu;
        }
        if init {
            self.kill_all();
        }
    }

    /// Ends every process at once with KILL: the end of process 1, or of the pod.
    pub fn kill_all(&mut self) {
        for (pid, mut p) in std::mem::take(&mut self.procs) {
            self.sys.close_all(&mut p.core);
            self.sys.dead_cpu_nanos += p.core.cpu_nanos;
            if p.core.ppid == 0 && !matches!(p.state, State::Zombie(_)) {
                self.ended.entry(pid).or_insert(Exit::Signal(Signal::KILL));
            }
        }
    }

    /// Sends a signal from outside: KILL reaches process 1 too. Run the machine afterwards.
    /// Answers whether there is such a process.
    pub fn signal(&mut self, pid: Pid, signal: Signal) -> bool {
        match self.procs.get_mut(&pid) {
            Some(p) if !matches!(p.state, State::Zombie(_)) => {
                p.core.signals.push_back(signal);
                true
            }
            _ => false,
        }
    }

    /// What Ctrl-C at the terminal of `sink` does: INT to every process on it but background jobs.
    pub fn interrupt(&mut self, sink: u32) {
        let groups: Vec<Pid> =
            self.procs.values().filter(|p| p.core.ppid == 0).map(|p| p.core.pgid).collect();
        for p in self.procs.values_mut().filter(|p| groups.contains(&p.core.pgid)) {
            let on_terminal = p.core.fds.values().any(|id| {
                matches!(self.sys.open.files.get(id).map(|f| &f.kind), Some(OpenKind::Terminal { id, .. }) if *id == sink)
            });
            if on_terminal {
                p.core.signals.push_back(Signal::INT);
                // What was held back for its greed is to hear of it at once.
                p.core.credit = p.core.credit.max(INTERRUPT_STEPS);
            }
        }
    }

    /// How a process started from outside ended; `None` while it runs.
    pub fn exit_of(&self, pid: Pid) -> Option<Exit> {
        self.ended.get(&pid).copied()
    }

    /// As [`Machine::exit_of`], and forgets it.
    pub fn reap(&mut self, pid: Pid) -> Option<Exit> {
        self.ended.remove(&pid)
    }

    /// Whether process 1 (or any other) still runs.
    pub fn is_running(&self) -> bool {
        !self.procs.is_empty()
    }

    /// Whether processes beside that one are there and have not ended.
    pub fn has_others(&self, pid: Pid) -> bool {
        self.procs.iter().any(|(id, p)| *id != pid && !matches!(p.state, State::Zombie(_)))
    }

    /// Whether that process is there and has not ended.
    pub fn has_process(&self, pid: Pid) -> bool {
        self.procs.get(&pid).is_some_and(|p| !matches!(p.state, State::Zombie(_)))
    }

    /// Gives bytes to the standard input of the process started with `sink`. Run the machine afterwards.
    pub fn input(&mut self, sink: u32, bytes: &[u8]) {
        if let Some(input) = self.sys.open.inputs.get_mut(&sink) {
            let room = (1_usize << 20).saturating_sub(input.buf.len());
            input.buf.extend(bytes.iter().take(room));
        }
    }

    /// Ends the standard input of the process started with `sink` (Ctrl-D).
    pub fn close_input(&mut self, sink: u32) {
        if let Some(input) = self.sys.open.inputs.get_mut(&sink) {
            input.closed = true;
        }
    }

    /// Ctrl-D at the terminal of `sink`: the next read there finds the end, those after it don't.
    pub fn end_of_file(&mut self, sink: u32) {
        if let Some(input) = self.sys.open.inputs.get_mut(&sink) {
            input.eof = true;
        }
    }

    /// Takes back what was given to a sink's input and nobody has read.
    pub fn take_input(&mut self, sink: u32) -> Vec<u8> {
        self.sys.open.inputs.get_mut(&sink).map(|i| i.buf.drain(..).collect()).unwrap_or_default()
    }

    /// Wakes the processes that wait for something outside. Run the machine afterwards.
    pub fn stir(&mut self) {
        for p in self.procs.values_mut() {
            if matches!(&p.state, State::Blocked { wait: Wait { outside: true, .. }, .. }) {
                p.state = State::Ready;
            }
        }
    }

    /// Whether some process waits for something outside.
    pub fn waits_outside(&self) -> bool {
        self.procs
            .values()
            .any(|p| matches!(&p.state, State::Blocked { wait: Wait { outside: true, .. }, .. }))
    }

    /// Whether some process waits for input of that sink (and nothing else is going on in it).
    pub fn wants_input(&self, sink: u32) -> bool {
        self.procs.values().any(|p| match &p.state {
            State::Blocked { wait: Wait { readable: Some(fd), .. }, .. } => {
                p.core.fds.get(fd).and_then(|id| self.sys.open.files.get(id)).is_some_and(
                    |f| matches!(f.kind, OpenKind::Terminal { id, .. } | OpenKind::Input { id } if id == sink),
                )
            }
            _ => false,
        })
    }

    /// The process table.
    pub fn processes(&self, now: SimTime) -> Vec<ProcessInfo> {
        self.procs.values().map(|p| process_info(p, now)).collect()
    }

    /// CPU time of all processes there are and were, in nanoseconds.
    pub fn cpu_nanos(&self, now: SimTime) -> u64 {
        self.procs.values().map(|p| cpu_nanos(p, now)).fold(self.sys.dead_cpu_nanos, u64::saturating_add)
    }

    /// What the processes can compute at most, and what they compute while they seem to rest, in billionths of a CPU.
    pub fn cpu_bounds(&self) -> (u64, u64) {
        let count = u64::try_from(self.procs.len()).unwrap_or(u64::MAX);
        let rest = self.procs.values().fold(0u64, |sum, p| sum.saturating_add(p.program.background_cpu()));
        (count.max(1).saturating_mul(1_000_000_000), rest)
    }

    /// Resident memory of all processes in bytes: what the OOM killer compares with the limit.
    pub fn memory_bytes(&self) -> u64 {
        self.procs
            .values()
            .filter(|p| !matches!(p.state, State::Zombie(_)))
            .fold(0, |sum, p| sum.saturating_add(p.program.memory_bytes()))
    }

    /// The TCP ports that processes listen on.
    pub fn listening(&self) -> Vec<u16> {
        let mut ports: Vec<u16> = self.procs.values().flat_map(|p| p.program.listening()).collect();
        ports.sort_unstable();
        ports.dedup();
        ports
    }

    /// Whether the process that listens on `port` answers the same request alike until something changes.
    pub fn repeatable(&self, port: u16) -> bool {
        self.procs
            .values()
            .find(|p| p.program.listening().contains(&port))
            .is_some_and(|p| p.program.repeatable())
    }

    /// Hands an HTTP request to the process that listens on `port`; `None` where none does or it speaks no HTTP.
    pub fn serve(&mut self, host: &mut dyn Host, port: u16, request: &HttpRequest) -> Option<HttpResponse> {
        self.ask(host, port, |program, ctx| program.serve(ctx, request))
    }

    /// Asks the process that listens on `port` over gRPC for a service's health; `None` where none does or it speaks no
    /// gRPC.
    pub fn health(&mut self, host: &mut dyn Host, port: u16, service: &str) -> Option<Health> {
        self.ask(host, port, |program, ctx| program.health(ctx, port, service))
    }

    /// Puts a question to the process that listens on `port`, which costs it the time of a request.
    fn ask<R>(
        &mut self,
        host: &mut dyn Host,
        port: u16,
        question: impl FnOnce(&mut dyn Program, &mut Ctx<'_>) -> Option<R>,
    ) -> Option<R> {
        let pid = *self.procs.iter().find(|(_, p)| p.program.listening().contains(&port))?.0;
        let mut p = self.procs.remove(&pid)?;
        let mut ctx = Ctx { core: &mut p.core, sys: &mut self.sys, procs: &mut self.procs, host };
        ctx.core.cpu_nanos = ctx.core.cpu_nanos.saturating_add(REQUEST_NANOS);
        let answer = question(&mut *p.program, &mut ctx);
        self.procs.insert(pid, p);
        answer
    }

    /// Runs `f` on a system view of process `pid` (for hosts that act in a container's name).
    pub fn with_process<R>(
        &mut self,
        host: &mut dyn Host,
        pid: Pid,
        f: impl FnOnce(&mut Ctx<'_>) -> R,
    ) -> Option<R> {
        let mut p = self.procs.remove(&pid)?;
        let answer = f(&mut Ctx { core: &mut p.core, sys: &mut self.sys, procs: &mut self.procs, host });
        self.procs.insert(pid, p);
        Some(answer)
    }
}

/// CPU time that a server needs for a request at least, in nanoseconds.
const REQUEST_NANOS: u64 = 150_000;

/// A program ready to run: itself, whose texts it speaks, its arguments.
type Loaded = (Box<dyn Program>, Family, Vec<String>);

fn start(ctx: &mut Ctx<'_>) -> Result<Loaded, StartError> {
    let mut argv = ctx.core.argv.clone();
    let Some(name) = argv.first().cloned() else { return Err(StartError::Empty) };
    let path_var = ctx.core.env_var("PATH").unwrap_or(crate::userland::DEFAULT_PATH).to_owned();
    let (path, at) = ctx.locate_program(&name, &path_var).map_err(|e| match e {
        Errno::NotFound if !name.contains('/') => StartError::NotFoundInPath,
        Errno::NotFound | Errno::NotADirectory => StartError::NoSuchFile,
        _ if ctx.is_dir(&name) => StartError::IsADirectory,
        _ => StartError::PermissionDenied,
    })?;
    let (program, family) = ctx.load_at(path, at, &mut argv).map_err(|e| match e {
        Errno::ExecFormat => StartError::ExecFormat,
        Errno::NotFound => StartError::NoSuchFile,
        _ => StartError::PermissionDenied,
    })?;
    Ok((program, family, argv))
}

fn cpu_nanos(p: &Process, now: SimTime) -> u64 {
    let computing = match &p.state {
        State::Blocked { wait: Wait { busy: true, .. }, since } => now.since(*since).as_nanos(),
        _ => 0,
    };
    p.core.cpu_nanos.saturating_add(u64::try_from(computing).unwrap_or(u64::MAX))
}

pub(crate) fn process_info(p: &Process, now: SimTime) -> ProcessInfo {
    ProcessInfo {
        pid: p.core.pid,
        ppid: p.core.ppid,
        uid: p.core.who.uid,
        argv: p.core.argv.clone(),
        cpu_nanos: cpu_nanos(p, now),
        memory_bytes: p.program.memory_bytes(),
        state: match p.state {
            State::Ready => 'R',
            State::Blocked { wait: Wait { busy: true, .. }, .. } => 'R',
            State::Blocked { .. } => 'S',
            State::Exiting(_) | State::Zombie(_) => 'Z',
        },
        started: p.core.started,
    }
}
