//! A running shell: its state, and how it is stepped.

mod flow;
mod run;
mod script;
mod start;
mod state;

pub(crate) use state::{Blocked, Flow, ForState, Frame, Options, ScriptKind, Simple, TrapKey};

use super::Dialect;
use super::expand::Builder;
use super::jobs::{Job, PipeBuild};
use super::messages::Place;
use super::op::{Code, Op};
use super::variables::Variables;
use crate::context::Ctx;
use crate::process::{Exit, OnSignal, Pid, Program, Step, Wait};
use crate::signal::Signal;
use podlab_sim::SimTime;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Longest script, in characters.
const MAX_SCRIPT: usize = 256 << 10;
/// Most frames: functions that call themselves, nested evals.
const MAX_FRAMES: usize = 1000;
/// A shell process.
#[derive(Clone, Debug)]
pub(crate) struct Shell {
    pub dialect: Dialect,
    pub options: Options,
    /// `$0`.
    pub name: String,
    pub params: Vec<String>,
    pub vars: Variables,
    pub functions: BTreeMap<String, Arc<Code>>,
    pub aliases: BTreeMap<String, String>,
    pub traps: BTreeMap<TrapKey, String>,
    pub pending_traps: VecDeque<Signal>,
    pub interrupted: bool,
    pub frames: Vec<Frame>,
    pub code: Arc<Code>,
    pub pc: usize,
    pub status: i32,
    pub words: Vec<Builder>,
    pub strings: Vec<String>,
    pub lists: Vec<Vec<String>>,
    pub simples: Vec<Simple>,
    pub pipes: Vec<PipeBuild>,
    pub jobs: Vec<Job>,
    pub last_background: Option<Pid>,
    pub times: Vec<(SimTime, u64)>,
    pub blocked: Option<Blocked>,
    pub tested: u32,
    pub interactive: bool,
    pub subshell: bool,
    /// `$$`: the first shell's number, kept by subshells.
    pub main_pid: Pid,
    /// The name builtins say in errors, if one is running.
    pub builtin: Option<String>,
    pub line: u32,
    pub place: Place,
    pub exiting: Option<i32>,
    pub getopts: (usize, usize),
    pub started: bool,
    pub seconds_from: SimTime,
    traps_then_exit: bool,
    imported: bool,
}

impl Shell {
    /// A shell as its arguments say; `Err` is the text for standard error and the code.
    pub fn from_args(dialect: Dialect, argv: &[String]) -> Shell {
        let mut shell = Shell {
            dialect,
            options: Options::default(),
            name: argv.first().cloned().unwrap_or_else(|| "sh".to_owned()),
            params: Vec::new(),
            vars: Variables::default(),
            functions: BTreeMap::new(),
            aliases: BTreeMap::new(),
            traps: BTreeMap::new(),
            pending_traps: VecDeque::new(),
            interrupted: false,
            frames: Vec::new(),
            code: Arc::new(Code { ops: vec![Op::Return] }),
            pc: 0,
            status: 0,
            words: Vec::new(),
            strings: Vec::new(),
            lists: Vec::new(),
            simples: Vec::new(),
            pipes: Vec::new(),
            jobs: Vec::new(),
            last_background: None,
            times: Vec::new(),
            blocked: None,
            tested: 0,
            interactive: false,
            subshell: false,
            main_pid: 0,
            builtin: None,
            line: 0,
            place: Place::Command,
            exiting: None,
            getopts: (1, 0),
            started: false,
            seconds_from: SimTime::default(),
            traps_then_exit: false,
            imported: false,
        };
        shell.params = argv.get(1..).unwrap_or_default().to_vec();
        shell
    }

    /// A shell that runs a text, for scripts without `#!`.
    pub fn script_shell(&self, name: &str, text: &[u8], args: Vec<String>) -> Shell {
        let mut argv = vec![name.to_owned(), name.to_owned()];
        argv.extend(args);
        let mut shell = Shell::from_args(self.dialect, &argv);
        shell.begin_script(text, name);
        shell.params = argv.split_off(2);
        shell.started = true;
        shell
    }

    fn begin_script(&mut self, text: &[u8], name: &str) {
        self.name = name.to_owned();
        self.place = Place::Script;
        let text = String::from_utf8_lossy(text).into_owned();
        self.push_script(&text, ScriptKind::Main);
    }

    pub fn push_script(&mut self, text: &str, kind: ScriptKind) {
        let text: Vec<char> = text.chars().take(MAX_SCRIPT).filter(|c| *c != '\0').collect();
        let line = 1;
        self.frames.push(Frame::Script {
            text: Arc::new(text),
            pos: 0,
            line,
            kind,
            code: std::mem::replace(&mut self.code, Arc::new(Code { ops: vec![Op::Return] })),
            pc: std::mem::replace(&mut self.pc, 0),
            tested: self.tested,
        });
    }

    fn unblock(&mut self, ctx: &mut Ctx<'_>) -> Option<Wait> {
        match self.blocked.take()? {
            Blocked::Foreground { pids } => self.unblock_foreground(ctx, pids),
            Blocked::Substitution { pid, fd, bytes, quoted, ended } => {
                self.unblock_substitution(ctx, pid, fd, bytes, quoted, ended)
            }
            Blocked::Jobs { pids } => self.unblock_wait(ctx, pids),
            Blocked::ReadLine(state) => self.unblock_read(ctx, state),
            Blocked::Command { partial, prompted } => self.unblock_command(ctx, partial, prompted),
        }
    }
}

impl Program for Shell {
    fn step(&mut self, ctx: &mut Ctx<'_>) -> Step {
        if !self.started {
            self.started = true;
            if let Some(step) = self.start(ctx) {
                return step;
            }
        }
        self.import(ctx);
        if self.blocked.is_some()
            && let Some(wait) = self.unblock(ctx)
        {
            return Step::Block(wait);
        }
        if std::mem::take(&mut self.traps_then_exit) {
            let status = self.status;
            return self.exit(ctx, status).unwrap_or(Step::Ran);
        }
        if self.blocked.is_some() {
            return Step::Ran;
        }
        self.run(ctx)
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }

    fn memory_bytes(&self) -> u64 {
        (1 << 20) + self.vars.bytes() as u64
    }

    fn on_signal(&mut self, signal: Signal) -> OnSignal {
        if self.traps.get(&signal.0).is_some_and(|t| !t.is_empty()) {
            if !self.pending_traps.contains(&signal) {
                self.pending_traps.push_back(signal);
            }
            return OnSignal::Handled;
        }
        if self.interactive && !self.subshell {
            return match signal {
                Signal::INT => {
                    self.interrupted = true;
                    OnSignal::Handled
                }
                Signal::TERM | Signal::QUIT => OnSignal::Handled,
                _ => OnSignal::Default,
            };
        }
        if signal == Signal::CHLD {
            return OnSignal::Handled;
        }
        OnSignal::Default
    }
}

/// The status of a child as `$?` has it.
pub(crate) fn status_of(exit: Exit) -> i32 {
    exit.code()
}
