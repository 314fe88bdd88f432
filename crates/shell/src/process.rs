//! A process: what every program has, and the trait that all programs implement.

use crate::context::Ctx;
use crate::fs::Credentials;
use crate::host::{HttpRequest, HttpResponse};
use crate::open_file::OpenId;
use crate::signal::Signal;
use podlab_sim::{SimDuration, SimTime};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// A process number within its machine.
pub type Pid = u32;

/// Steps a process may take at once after a rest.
pub const BURST: u32 = 10_000;

/// Steps a process that never rests takes in a virtual second.
pub const STEPS_PER_SECOND: u32 = 1_000;

/// CPU time of one step that was not held back, in nanoseconds.
pub(crate) const STEP_NANOS: u64 = 20_000;

/// Whose tools an image has: their texts and options differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Family {
    /// Busybox (images busybox and alpine).
    #[default]
    Busybox,
    /// GNU coreutils and friends (Debian images).
    Gnu,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It exited with this code.
    Code(u8),
    /// A signal ended it.
    Signal(Signal),
}

impl Exit {
    /// The exit code a shell and a container runtime report: 128 + signal number for a signal.
    pub fn code(self) -> i32 {
        match self {
            Exit::Code(c) => i32::from(c),
            Exit::Signal(s) => 128 + i32::from(s.0),
        }
    }
}

/// What a blocked process waits for; any of the conditions wakes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wait {
    /// That instant.
    pub until: Option<SimTime>,
    /// Something to read (or the end) on this file descriptor.
    pub readable: Option<u32>,
    /// The end of a child.
    pub child: bool,
    /// Something outside the machine ([`crate::Machine::stir`]).
    pub outside: bool,
    /// Whether the time waited counts as CPU time of one core (a busy worker).
    pub busy: bool,
}

impl Wait {
    /// Waits for an instant.
    pub fn until(at: SimTime) -> Wait {
        Wait { until: Some(at), ..Wait::default() }
    }
    /// Waits for input on a file descriptor.
    pub fn readable(fd: u32) -> Wait {
        Wait { readable: Some(fd), ..Wait::default() }
    }
    /// Waits for a child to end.
    pub fn child() -> Wait {
        Wait { child: true, ..Wait::default() }
    }
    /// Waits for a signal only.
    pub fn signal() -> Wait {
        Wait::default()
    }
}

/// What one step of a program came to.
#[derive(Debug)]
pub enum Step {
    /// More to do at once.
    Ran,
    /// Nothing to do until one of the conditions holds (they are tried again at the next step).
    Block(Wait),
    /// The end.
    Exit(i32),
    /// Becomes another program (`exec`).
    Exec(Box<dyn Program>),
    /// Ends as by this signal.
    Die(Signal),
}

/// What a program says about a signal it got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnSignal {
    /// No handler: the default action (none for process 1).
    Default,
    /// Taken note of; the process is woken.
    Handled,
    /// Ends at once with this code.
    Exit(u8),
}

/// Behaviour of an executable: a shell, a tool, a server.
///
/// Plain data: `step` is called again and again and must leave everything it needs in `self`.
pub trait Program: std::fmt::Debug + Send + Sync {
    /// Does a little work. One call counts as one step of CPU.
    fn step(&mut self, ctx: &mut Ctx<'_>) -> Step;

    /// A copy of the whole state.
    fn clone_box(&self) -> Box<dyn Program>;

    /// Resident memory in bytes.
    fn memory_bytes(&self) -> u64 {
        700 << 10
    }

    /// What it computes while it seems to rest, in billionths of a CPU: for programs whose work is not simulated.
    fn background_cpu(&self) -> u64 {
        0
    }

    /// Asked when a signal other than KILL and STOP comes that is not ignored.
    fn on_signal(&mut self, signal: Signal) -> OnSignal {
        let _ = signal;
        OnSignal::Default
    }

    /// TCP ports it listens on.
    fn listening(&self) -> Vec<u16> {
        Vec::new()
    }

    /// Whether the same request gets the same answer, and the same words in the log, as long as no file and no
    /// process changes. The owner may then answer for it.
    fn repeatable(&self) -> bool {
        false
    }

    /// Answers an HTTP request made to one of its ports; `None` where it speaks no HTTP.
    fn serve(&mut self, ctx: &mut Ctx<'_>, request: &HttpRequest) -> Option<HttpResponse> {
        let _ = (ctx, request);
        None
    }

    /// Answers a call of gRPC's health service (`grpc.health.v1.Health/Check`) about a service's name, which is empty for
    /// the server as a whole; `None` where it speaks no gRPC on that port.
    fn health(&mut self, ctx: &mut Ctx<'_>, port: u16, service: &str) -> Option<Health> {
        let _ = (ctx, port, service);
        None
    }
}

/// What a server says over gRPC of its health.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// `SERVING`.
    Serving,
    /// `NOT_SERVING`.
    NotServing,
    /// The call fails.
    Refused {
        /// The status code's name as gRPC for Go writes it, such as `NotFound`.
        code: &'static str,
        /// What the server says to it.
        message: String,
    },
}

impl Clone for Box<dyn Program> {
    fn clone(&self) -> Self {
        self.clone_box()
    }
}

/// What every process has, whatever it runs.
#[derive(Clone, Debug)]
pub struct Core {
    /// Its number.
    pub pid: Pid,
    /// Its parent; 0 for processes started from outside.
    pub ppid: Pid,
    /// Arguments; the first is the name it was called by.
    pub argv: Vec<String>,
    /// Environment in order.
    pub env: Arc<Vec<(String, String)>>,
    /// Working directory, absolute.
    pub cwd: String,
    /// User and groups.
    pub who: Credentials,
    /// File mode creation mask.
    pub umask: u32,
    /// Whose texts its tool speaks.
    pub family: Family,
    /// When it began.
    pub started: SimTime,
    /// Process group, for Ctrl-C.
    pub pgid: Pid,
    /// Whether it is process 1 of its machine (signals without a handler do nothing to it).
    pub init: bool,
    /// Signals that are ignored (`trap '' TERM`, `nohup`).
    pub ignored: BTreeSet<Signal>,
    /// Its parent ended: nobody waits for it.
    pub(crate) orphan: bool,
    pub(crate) fds: BTreeMap<u32, OpenId>,
    pub(crate) pending_out: VecDeque<(OpenId, Vec<u8>)>,
    pub(crate) write_error: Option<crate::fs::Errno>,
    pub(crate) broken_pipe: bool,
    pub(crate) signals: VecDeque<Signal>,
    pub(crate) cpu_nanos: u64,
    pub(crate) steps: u64,
    pub(crate) credit: u32,
    pub(crate) credit_at: SimTime,
}

impl Core {
    /// The value of an environment variable.
    pub fn env_var(&self, name: &str) -> Option<&str> {
        self.env.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// How long it has run.
    pub fn age(&self, now: SimTime) -> SimDuration {
        now.since(self.started)
    }
}

/// Where a process is in its life.
#[derive(Clone, Debug)]
pub(crate) enum State {
    Ready,
    Blocked {
        wait: Wait,
        since: SimTime,
    },
    /// Ended, its output not yet all taken by a pipe.
    Exiting(Exit),
    Zombie(Exit),
}

/// One entry of a machine's process table.
#[derive(Clone, Debug)]
pub(crate) struct Process {
    pub core: Core,
    pub program: Box<dyn Program>,
    pub state: State,
}

/// A line of `ps`, for tools and for people who look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessInfo {
    /// Its number.
    pub pid: Pid,
    /// Its parent.
    pub ppid: Pid,
    /// User.
    pub uid: u32,
    /// Arguments.
    pub argv: Vec<String>,
    /// CPU time used, in nanoseconds.
    pub cpu_nanos: u64,
    /// Resident memory in bytes.
    pub memory_bytes: u64,
    /// `R`, `S` or `Z`.
    pub state: char,
    /// When it began.
    pub started: SimTime,
}
