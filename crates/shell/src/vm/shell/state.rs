//! What a shell keeps while it runs: frames, what it waits for, what comes after a command.

use super::super::op::Code;
use super::super::redirect::Redirection;
use super::super::variables::Variable;
use crate::open_file::OpenId;
use crate::process::{Pid, Program};
use std::collections::VecDeque;
use std::sync::Arc;

/// `set -e` and kin.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    pub errexit: bool,
    pub nounset: bool,
    pub xtrace: bool,
    pub noglob: bool,
    pub noexec: bool,
    pub noclobber: bool,
    pub allexport: bool,
    pub verbose: bool,
    pub pipefail: bool,
    pub monitor: bool,
}

/// What a trap is set on; 0 is EXIT.
pub(crate) type TrapKey = u8;

/// A simple command whose words are being expanded.
#[derive(Clone, Debug, Default)]
pub(crate) struct Simple {
    pub line: u32,
    pub assigns: Vec<(Arc<str>, Option<String>, String, bool)>,
    pub arrays: Vec<(Arc<str>, Vec<String>, bool)>,
    pub redirects: Vec<Redirection>,
    /// Status of the last command substitution in it.
    pub substitution: Option<i32>,
}

#[derive(Clone, Debug)]
pub(crate) enum ScriptKind {
    Main,
    /// Commands come from standard input.
    Stdin,
    Eval,
    Source {
        saved: Option<Vec<String>>,
    },
    Trap {
        status: i32,
    },
}

#[derive(Clone, Debug)]
pub(crate) struct ForState {
    pub var: Arc<str>,
    pub items: VecDeque<String>,
}

#[derive(Clone, Debug)]
pub(crate) enum Frame {
    Script {
        text: Arc<Vec<char>>,
        pos: usize,
        line: u32,
        kind: ScriptKind,
        code: Arc<Code>,
        pc: usize,
        tested: u32,
    },
    Call {
        getopts: (usize, usize),
        code: Arc<Code>,
        pc: usize,
        saved: Vec<String>,
        locals: Vec<(String, Option<Variable>)>,
        tested: u32,
    },
    Loop {
        brk: usize,
        cont: usize,
        status: i32,
        tested: u32,
        items: Option<ForState>,
    },
    Case {
        subject: String,
    },
    /// Redirections to undo; `auto`: as soon as the builtin or function is done.
    Redirects {
        saved: Vec<(u32, Option<OpenId>)>,
        auto: bool,
    },
    /// Assignment prefixes to undo after a builtin or function.
    Prefix {
        saved: Vec<(String, Option<Variable>)>,
    },
}

/// What the shell waits for before it goes on.
#[derive(Clone, Debug)]
pub(crate) enum Blocked {
    /// The processes of a pipeline.
    Foreground { pids: Vec<(Pid, Option<i32>)> },
    /// The output of a command substitution.
    Substitution { pid: Pid, fd: u32, bytes: Vec<u8>, quoted: bool, ended: bool },
    /// The `wait` builtin.
    Jobs { pids: Option<Vec<Pid>> },
    /// The `read` builtin.
    ReadLine(super::super::builtins::ReadState),
    /// A command line from standard input.
    Command { partial: Vec<u8>, prompted: bool },
}

/// What to do next after a command.
#[derive(Debug)]
pub(crate) enum Flow {
    Status(i32),
    Exit(i32),
    Break(u32),
    Continue(u32),
    Return(i32),
    Block(Blocked),
    /// Run a text: `eval`, `.`.
    Run {
        text: String,
        kind: ScriptKind,
    },
    Exec(Box<dyn Program>),
    /// An error that ends a non-interactive shell.
    Fatal(i32),
}
