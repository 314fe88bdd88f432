//! A running shell: its state and the loop over its instructions.

use super::Dialect;
use super::compile::compile;
use super::expand::Builder;
use super::jobs::{Job, PipeBuild};
use super::messages::Place;
use super::op::{Code, Finish, Op};
use super::redirect::Redirection;
use super::variables::{Variable, Variables};
use crate::context::{Ctx, Read};
use crate::open_file::OpenId;
use crate::process::{Exit, OnSignal, Pid, Program, Step, Wait};
use crate::signal::Signal;
use crate::syntax::Parser;
use podlab_sim::SimTime;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Longest script, in characters.
const MAX_SCRIPT: usize = 256 << 10;
/// Most frames: functions that call themselves, nested evals.
const MAX_FRAMES: usize = 1000;
/// Most instructions run in one step.
const OPS_PER_STEP: u32 = 64;

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
    ReadLine(super::builtins::ReadState),
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

    /// Reads options and the script; done at the first step, when files can be read.
    fn start(&mut self, ctx: &mut Ctx<'_>) -> Option<Step> {
        self.import(ctx);
        let mut args: VecDeque<String> = std::mem::take(&mut self.params).into();
        let mut command = false;
        let mut from_stdin = false;
        while let Some(arg) = args.front().cloned() {
            if arg == "--" || arg == "-" {
                args.pop_front();
                break;
            }
            if arg == "--version" && self.dialect == Dialect::Bash {
                ctx.out("GNU bash, version 5.2.15(1)-release (x86_64-pc-linux-gnu)\n");
                return Some(Step::Exit(0));
            }
            if matches!(arg.as_str(), "--login" | "--norc" | "--noprofile" | "--posix") {
                args.pop_front();
                continue;
            }
            let Some(letters) = arg.strip_prefix('-').or_else(|| arg.strip_prefix('+')) else { break };
            args.pop_front();
            let on = arg.starts_with('-');
            for c in letters.chars() {
                match c {
                    'c' => command = true,
                    's' => from_stdin = true,
                    'i' => self.interactive = true,
                    'l' => {}
                    'o' => {
                        let name = args.pop_front().unwrap_or_default();
                        self.set_option_name(&name, on);
                    }
                    c if self.set_option(c, on) => {}
                    c => {
                        let text = match self.dialect {
                            Dialect::Bash => format!("bash: -{c}: invalid option\n"),
                            Dialect::Dash => format!("{}: 0: Illegal option -{c}\n", self.name),
                            Dialect::Ash => format!("{}: unrecognized option: {c}\n", self.name),
                        };
                        ctx.err(text);
                        return Some(Step::Exit(2));
                    }
                }
            }
        }
        if command {
            let Some(text) = args.pop_front() else {
                let text = match self.dialect {
                    Dialect::Bash => "bash: -c: option requires an argument\n".to_owned(),
                    Dialect::Dash => format!("{}: 0: -c requires an argument\n", self.name),
                    Dialect::Ash => format!("{}: -c requires an argument\n", self.name),
                };
                ctx.err(text);
                return Some(Step::Exit(2));
            };
            if let Some(name) = args.pop_front() {
                self.name = name;
            }
            self.params = args.into();
            self.push_script(&text, ScriptKind::Main);
            return None;
        }
        if !from_stdin && let Some(file) = args.pop_front() {
            match ctx.read_file(&file) {
                Ok(text) => self.begin_script(&text, &file),
                Err(e) => {
                    let text = match self.dialect {
                        Dialect::Bash => format!("{}: {file}: {e}\n", self.name),
                        Dialect::Dash => format!("{}: 0: cannot open {file}: {}\n", self.name, dash_open(e)),
                        Dialect::Ash => format!("{}: can't open '{file}': {e}\n", self.name),
                    };
                    ctx.err(text);
                    return Some(Step::Exit(if self.dialect == Dialect::Bash { 127 } else { 2 }));
                }
            }
            self.params = args.into();
            return None;
        }
        self.params = args.into();
        self.interactive |= ctx.is_tty(0);
        if self.interactive {
            self.options.monitor = true;
        }
        self.push_script("", ScriptKind::Stdin);
        None
    }

    /// Takes over the environment.
    pub fn import(&mut self, ctx: &mut Ctx<'_>) {
        if self.imported {
            return;
        }
        self.imported = true;
        self.main_pid = ctx.core.pid;
        self.seconds_from = ctx.now();
        for (n, v) in ctx.core.env.clone().iter() {
            if crate::syntax::is_name(n) && self.vars.set(n, v).is_ok() {
                self.vars.variable_mut(n).exported = true;
            }
        }
        let mut preset = |name: &str, value: &str, exported: bool| {
            if self.vars.get(name).is_none() {
                let _ = self.vars.set(name, value);
                self.vars.variable_mut(name).exported = exported;
            }
        };
        preset("PATH", crate::userland::DEFAULT_PATH, false);
        if self.dialect != Dialect::Dash {
            let level = ctx.core.env_var("SHLVL").and_then(|s| s.parse::<u32>().ok()).unwrap_or(0);
            let _ = self.vars.set("SHLVL", &level.saturating_add(1).to_string());
            self.vars.variable_mut("SHLVL").exported = true;
        }
        let _ = self.vars.set("PWD", &ctx.core.cwd.clone());
        self.vars.variable_mut("PWD").exported = true;
        let _ = self.vars.set("IFS", " \t\n");
        let _ = self.vars.set("OPTIND", "1");
        let _ = self.vars.set("PPID", &ctx.core.ppid.to_string());
        let _ = self.vars.set("PS4", "+ ");
        if self.dialect == Dialect::Bash {
            let _ = self.vars.set("BASH_VERSION", "5.2.15(1)-release");
            let _ = self.vars.set("HOSTNAME", &ctx.host.hostname());
        }
    }

    // Instructions

    fn run(&mut self, ctx: &mut Ctx<'_>) -> Step {
        for _ in 0..OPS_PER_STEP {
            if self.blocked.is_some() {
                return Step::Ran;
            }
            self.undo_auto(ctx);
            if self.at_command_boundary() {
                if self.interrupted && self.interactive {
                    self.interrupted = false;
                    self.abandon(ctx);
                    self.status = 130;
                    ctx.err("\n");
                    continue;
                }
                if let Some(signal) = self.pending_traps.pop_front() {
                    if let Some(action) = self.traps.get(&signal.0).cloned() {
                        let status = self.status;
                        self.push_script(&action, ScriptKind::Trap { status });
                    }
                    continue;
                }
            }
            let Some(op) = self.code.ops.get(self.pc).cloned() else {
                return Step::Exit(self.status);
            };
            self.pc += 1;
            let costs =
                matches!(op, Op::Exec { .. } | Op::LoopBody | Op::CommandSub { .. } | Op::Subshell { .. });
            if let Some(step) = self.op(op, ctx) {
                return step;
            }
            if costs {
                break;
            }
        }
        Step::Ran
    }

    fn at_command_boundary(&self) -> bool {
        self.simples.is_empty() && self.words.is_empty() && self.strings.is_empty() && self.lists.is_empty()
    }

    fn op(&mut self, op: Op, ctx: &mut Ctx<'_>) -> Option<Step> {
        match op {
            Op::WordBegin => self.words.push(Builder::default()),
            Op::Text { text, quoted, split } => {
                if let Some(w) = self.words.last_mut() {
                    w.text(&text, quoted, split);
                }
            }
            Op::Tilde(user) => {
                let home = if user.is_empty() {
                    self.vars.get("HOME").map(str::to_owned)
                } else {
                    home_of(ctx, &user)
                };
                let text = home.unwrap_or_else(|| format!("~{user}"));
                if let Some(w) = self.words.last_mut() {
                    w.text(&text, true, false);
                }
            }
            Op::Param { param, quoted } => {
                let r = self.param(ctx, &param, quoted);
                return self.expansion_result(ctx, r);
            }
            Op::ParamChoice { param, quoted, end } => match self.param_choice(ctx, &param, quoted) {
                Ok(true) => {}
                Ok(false) => self.pc = end,
                Err(e) => return self.expansion_result(ctx, Err(e)),
            },
            Op::ParamOperand { param, quoted } => {
                let r = self.param_operand(ctx, &param, quoted);
                return self.expansion_result(ctx, r);
            }
            Op::CommandSub { quoted, end } => {
                self.command_substitution(ctx, quoted, end);
            }
            Op::Arith { quoted } => {
                let text = self.strings.pop().unwrap_or_default();
                match self.arith(ctx, &text) {
                    Ok(n) => {
                        if let Some(w) = self.words.last_mut() {
                            w.text(&n.to_string(), quoted, true);
                        }
                    }
                    Err(e) => return self.expansion_result(ctx, Err(e)),
                }
            }
            Op::WordEnd(finish) => {
                let w = self.words.pop().unwrap_or_default();
                match finish {
                    Finish::Fields => {
                        let ifs = self.vars.get("IFS").unwrap_or(" \t\n").to_owned();
                        let fields = w.fields(ctx, &ifs, self.options.noglob);
                        if let Some(l) = self.lists.last_mut() {
                            l.extend(fields);
                        }
                    }
                    Finish::Single => self.strings.push(w.single()),
                    Finish::Pattern => self.strings.push(w.pattern()),
                    Finish::Regex => self.strings.push(w.regex()),
                }
            }
            Op::SimpleBegin { line } => {
                self.line = line;
                self.simples.push(Simple { line, ..Simple::default() });
            }
            Op::AssignPrefix { name, append, subscript } => {
                let value = self.strings.pop().unwrap_or_default();
                let index = subscript.then(|| self.strings.pop().unwrap_or_default());
                // A command without words assigns as it goes, so that later assignments see earlier ones.
                if let Some(s) = self.simples.last_mut() {
                    s.assigns.push((name.clone(), index.clone(), value.clone(), append));
                }
                if self.lists.last().is_some_and(Vec::is_empty)
                    && let Err(e) = self.assign(ctx, &name, index.as_deref(), &value, append)
                {
                    return self.expansion_result(ctx, Err(e));
                }
            }
            Op::AssignArray { name, append } => {
                let values = self.lists.pop().unwrap_or_default();
                if let Some(s) = self.simples.last_mut() {
                    s.arrays.push((name, values, append));
                }
            }
            Op::Redirect { fd, kind } => {
                let target = self.strings.pop().unwrap_or_default();
                if let Some(s) = self.simples.last_mut() {
                    s.redirects.push(Redirection { fd, kind, target });
                }
            }
            Op::Exec { tail } => {
                let simple = self.simples.pop().unwrap_or_default();
                let args = self.lists.pop().unwrap_or_default();
                let flow = self.simple_command(ctx, simple, args, tail);
                return self.flow(ctx, flow);
            }
            Op::RedirectPush { end } => {
                let simple = self.simples.pop().unwrap_or_default();
                match self.redirect(ctx, &simple.redirects) {
                    Ok(saved) => self.frames.push(Frame::Redirects { saved, auto: false }),
                    Err(()) => {
                        self.status = if self.dialect == Dialect::Dash { 2 } else { 1 };
                        self.pc = end;
                    }
                }
            }
            Op::RedirectPop => {
                if let Some(Frame::Redirects { saved, .. }) = self.frames.pop() {
                    self.undo_redirects(ctx, saved);
                }
            }
            Op::Jump(to) => self.pc = to,
            Op::JumpIfFail(to) => {
                if self.status != 0 {
                    self.pc = to;
                }
            }
            Op::JumpIfOk(to) => {
                if self.status == 0 {
                    self.pc = to;
                }
            }
            Op::SetStatus(s) => self.status = s,
            Op::Not => self.status = i32::from(self.status == 0),
            Op::TestEnter => self.tested += 1,
            Op::TestLeave => self.tested = self.tested.saturating_sub(1),
            Op::CheckErr => {
                if self.options.errexit && self.status != 0 && self.tested == 0 {
                    return self.exit(ctx, self.status);
                }
            }
            Op::LoopEnter { brk, cont } => {
                if self.frames.len() > MAX_FRAMES {
                    return self.too_deep(ctx);
                }
                self.frames.push(Frame::Loop { brk, cont, status: 0, tested: self.tested, items: None });
            }
            Op::LoopBody => {
                let now = self.status;
                if let Some(Frame::Loop { status, .. }) = self.frames.last_mut() {
                    *status = now;
                }
            }
            Op::LoopLeave => {
                if let Some(Frame::Loop { status, .. }) = self.frames.pop() {
                    self.status = status;
                }
            }
            Op::ListBegin => self.lists.push(Vec::new()),
            Op::ForItems { var, positional, line } => {
                self.line = line;
                let list = self.lists.pop().unwrap_or_default();
                let items = if positional { self.params.clone() } else { list };
                if let Some(Frame::Loop { items: slot, .. }) = self.frames.last_mut() {
                    *slot = Some(ForState { var, items: items.into() });
                }
            }
            Op::ForNext { end } => {
                let next = match self.frames.last_mut() {
                    Some(Frame::Loop { items: Some(f), .. }) => {
                        f.items.pop_front().map(|i| (f.var.clone(), i))
                    }
                    _ => None,
                };
                match next {
                    Some((var, item)) => {
                        if let Err(e) = self.assign(ctx, &var, None, &item, false) {
                            return self.expansion_result(ctx, Err(e));
                        }
                    }
                    None => self.pc = end,
                }
            }
            Op::CaseBegin => {
                let subject = self.strings.pop().unwrap_or_default();
                self.frames.push(Frame::Case { subject });
            }
            Op::CaseMatch { target } => {
                let pattern = self.strings.pop().unwrap_or_default();
                if let Some(Frame::Case { subject }) = self.frames.last()
                    && crate::pattern::matches(&pattern, subject)
                {
                    self.pc = target;
                }
            }
            Op::CaseEnd => {
                self.frames.pop();
            }
            Op::Function { name, body } => {
                self.functions.insert(name.to_string(), body);
                self.status = 0;
            }
            Op::Subshell { end, .. } => self.subshell(ctx, end),
            Op::Background { end, text } => self.background(ctx, end, &text),
            Op::PipeBegin => self.pipes.push(PipeBuild::default()),
            Op::PipeStage { end, last } => self.pipe_stage(ctx, end, last),
            Op::PipeWait => self.pipe_wait(),
            Op::ChildEnd => return self.exit(ctx, self.status),
            Op::Return => return self.return_op(ctx),
            Op::TimeBegin => self.times.push((ctx.now(), ctx.core.cpu_nanos)),
            Op::TimeEnd => self.time_end(ctx),
            Op::ArithCommand => {
                let text = self.strings.pop().unwrap_or_default();
                match self.arith(ctx, &text) {
                    Ok(n) => self.status = i32::from(n == 0),
                    Err(e) => {
                        self.print_expansion_error(ctx, &e);
                        self.status = 1;
                    }
                }
            }
            Op::TestUnary(op) => {
                let a = self.strings.pop().unwrap_or_default();
                self.status = self.double_bracket(ctx, &[&op, &a]);
            }
            Op::TestBinary(op) => {
                let b = self.strings.pop().unwrap_or_default();
                let a = self.strings.pop().unwrap_or_default();
                self.status = self.double_bracket(ctx, &[&a, &op, &b]);
            }
        }
        None
    }

    /// An expansion that failed ends a non-interactive shell.
    fn expansion_result(
        &mut self,
        ctx: &mut Ctx<'_>,
        r: Result<(), super::messages::ShellError>,
    ) -> Option<Step> {
        let Err(e) = r else { return None };
        self.print_expansion_error(ctx, &e);
        let code = e.code(self.dialect);
        if self.interactive && !self.subshell {
            self.abandon(ctx);
            self.status = code;
            return None;
        }
        self.exit(ctx, code)
    }

    fn too_deep(&mut self, ctx: &mut Ctx<'_>) -> Option<Step> {
        let text = format!("{}maximum nesting exceeded\n", self.prefix());
        ctx.err(text);
        self.exit(ctx, 2)
    }

    pub fn flow(&mut self, ctx: &mut Ctx<'_>, flow: Flow) -> Option<Step> {
        match flow {
            Flow::Status(s) => self.status = s,
            Flow::Exit(s) => return self.exit(ctx, s),
            Flow::Fatal(s) => {
                if self.interactive && !self.subshell {
                    self.abandon(ctx);
                    self.status = s;
                    return None;
                }
                return self.exit(ctx, s);
            }
            Flow::Block(b) => self.blocked = Some(b),
            Flow::Exec(program) => return Some(Step::Exec(program)),
            Flow::Break(n) => self.leave_loops(ctx, n, true),
            Flow::Continue(n) => self.leave_loops(ctx, n, false),
            Flow::Return(s) => {
                self.status = s;
                return self.return_from(ctx);
            }
            Flow::Run { text, kind } => {
                if self.frames.len() > MAX_FRAMES {
                    return self.too_deep(ctx);
                }
                self.status = 0;
                self.push_script(&text, kind);
            }
        }
        None
    }

    /// `break` and `continue`: unwinds frames down to the nth loop.
    fn leave_loops(&mut self, ctx: &mut Ctx<'_>, n: u32, brk: bool) {
        let boundary = self
            .frames
            .iter()
            .rposition(|f| {
                matches!(
                    f,
                    Frame::Call { .. } | Frame::Script { kind: ScriptKind::Main | ScriptKind::Stdin, .. }
                )
            })
            .map_or(0, |i| i + 1);
        let loops: Vec<usize> = self
            .frames
            .iter()
            .enumerate()
            .skip(boundary)
            .filter(|(_, f)| matches!(f, Frame::Loop { .. }))
            .map(|(i, _)| i)
            .collect();
        let Some(&target) = loops.iter().rev().nth((n as usize).min(loops.len()).saturating_sub(1)) else {
            return;
        };
        while self.frames.len() > target + 1 {
            self.pop_frame(ctx);
        }
        self.status = 0;
        if let Some(Frame::Loop { brk: b, cont, tested, status, .. }) = self.frames.last_mut() {
            self.tested = *tested;
            *status = 0;
            let (b, cont) = (*b, *cont);
            if brk {
                self.frames.pop();
                self.pc = b;
            } else {
                self.pc = cont;
            }
        }
    }

    /// Takes the top frame away and undoes what it stands for.
    pub fn pop_frame(&mut self, ctx: &mut Ctx<'_>) -> bool {
        match self.frames.pop() {
            None => false,
            Some(Frame::Redirects { saved, .. }) => {
                self.undo_redirects(ctx, saved);
                true
            }
            Some(Frame::Prefix { saved }) => {
                self.restore_variables(saved);
                true
            }
            Some(Frame::Call { code, pc, saved, locals, tested, getopts }) => {
                if self.dialect != Dialect::Bash {
                    self.getopts = getopts;
                }
                self.code = code;
                self.pc = pc;
                self.params = saved;
                self.tested = tested;
                self.restore_variables(locals);
                true
            }
            Some(Frame::Script { code, pc, kind, tested, .. }) => {
                self.code = code;
                self.pc = pc;
                self.tested = tested;
                match kind {
                    ScriptKind::Source { saved: Some(params) } => self.params = params,
                    ScriptKind::Trap { status } => self.status = status,
                    _ => {}
                }
                true
            }
            Some(Frame::Loop { .. } | Frame::Case { .. }) => true,
        }
    }

    pub fn restore_variables(&mut self, saved: Vec<(String, Option<Variable>)>) {
        for (name, old) in saved.into_iter().rev() {
            self.vars.restore(&name, old);
        }
    }

    fn undo_auto(&mut self, ctx: &mut Ctx<'_>) {
        while matches!(self.frames.last(), Some(Frame::Redirects { auto: true, .. } | Frame::Prefix { .. })) {
            self.pop_frame(ctx);
        }
    }

    /// `return`: unwinds to the function or sourced file.
    fn return_from(&mut self, ctx: &mut Ctx<'_>) -> Option<Step> {
        loop {
            match self.frames.last() {
                None | Some(Frame::Script { kind: ScriptKind::Main | ScriptKind::Stdin, .. }) => {
                    return self.exit(ctx, self.status);
                }
                Some(Frame::Call { .. } | Frame::Script { kind: ScriptKind::Source { .. }, .. }) => {
                    self.pop_frame(ctx);
                    return None;
                }
                Some(_) => {
                    let status = self.status;
                    self.pop_frame(ctx);
                    self.status = status;
                }
            }
        }
    }

    /// The end of the current code: a function returns, a script goes on with its next command.
    fn return_op(&mut self, ctx: &mut Ctx<'_>) -> Option<Step> {
        match self.frames.last_mut() {
            None => self.exit(ctx, self.status),
            Some(Frame::Script { kind: ScriptKind::Stdin, .. }) => {
                self.blocked = Some(Blocked::Command { partial: Vec::new(), prompted: false });
                None
            }
            Some(Frame::Script { .. }) => self.next_command(ctx),
            Some(_) => {
                self.pop_frame(ctx);
                None
            }
        }
    }

    /// Parses and begins the next command of the script on top.
    fn next_command(&mut self, ctx: &mut Ctx<'_>) -> Option<Step> {
        let Some(Frame::Script { text, pos, line, kind, .. }) = self.frames.last_mut() else { return None };
        let main = matches!(kind, ScriptKind::Main);
        let aliases = if self.dialect == Dialect::Bash && !self.interactive {
            BTreeMap::new()
        } else {
            self.aliases.clone()
        };
        let mut parser = Parser::new(text, *pos, *line, self.dialect, &aliases);
        let result = parser.next_command();
        let (new_pos, new_line) = parser.position();
        *pos = new_pos;
        *line = new_line;
        let parsed_text = parser.into_text();
        if parsed_text.len() != text.len() {
            *text = Arc::new(parsed_text);
        }
        match result {
            Ok(Some(parsed)) => {
                let at_end = text.iter().skip(*pos).all(|c| c.is_whitespace());
                if self.options.noexec {
                    return None;
                }
                let mut code = compile(&parsed, self.dialect);
                if !(main && at_end) {
                    // Only the very last command may take the shell's place.
                    clear_tail(&mut code.ops);
                }
                self.code = Arc::new(code);
                self.pc = 0;
                None
            }
            Ok(None) => {
                if main {
                    return self.exit(ctx, self.status);
                }
                if let Some(Frame::Script { kind: ScriptKind::Trap { .. }, .. }) = self.frames.last()
                    && let Some(code) = self.exiting
                {
                    return self.leave(ctx, code);
                }
                self.pop_frame(ctx);
                None
            }
            Err(e) => {
                self.syntax_error(ctx, &e);
                let code = 2;
                if self.interactive || (self.dialect == Dialect::Bash && !main) {
                    self.abandon(ctx);
                    self.status = code;
                    return None;
                }
                self.exit(ctx, code)
            }
        }
    }

    /// Back to the prompt: drops everything that was going on.
    pub fn abandon(&mut self, ctx: &mut Ctx<'_>) {
        while self.frames.len() > 1 {
            self.pop_frame(ctx);
        }
        self.words.clear();
        self.strings.clear();
        self.lists.clear();
        self.simples.clear();
        self.pipes.clear();
        self.tested = 0;
        self.blocked = None;
        self.code = Arc::new(Code { ops: vec![Op::Return] });
        self.pc = 0;
        if let Some(Frame::Script { text, pos, .. }) = self.frames.last_mut() {
            *pos = text.len();
        }
    }

    /// Ends the shell, its EXIT trap first.
    pub fn exit(&mut self, ctx: &mut Ctx<'_>, code: i32) -> Option<Step> {
        if let Some(action) = self.traps.remove(&0)
            && self.exiting.is_none()
            && !action.is_empty()
        {
            self.abandon(ctx);
            self.frames.clear();
            self.status = code;
            self.exiting = Some(code);
            self.push_script(&action, ScriptKind::Trap { status: code });
            return None;
        }
        self.leave(ctx, code)
    }

    fn leave(&mut self, ctx: &mut Ctx<'_>, code: i32) -> Option<Step> {
        if self.interactive && !self.subshell && ctx.is_tty(0) && self.dialect == Dialect::Bash {
            ctx.err("exit\n");
        }
        Some(Step::Exit(code))
    }

    // Waiting

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

    /// Reads a command line from standard input, asks on while it is incomplete.
    fn unblock_command(
        &mut self,
        ctx: &mut Ctx<'_>,
        mut partial: Vec<u8>,
        mut prompted: bool,
    ) -> Option<Wait> {
        if self.interrupted || !self.pending_traps.is_empty() {
            if self.interrupted {
                self.interrupted = false;
                partial.clear();
                prompted = false;
                ctx.out("\n");
            }
            if let Some(signal) = self.pending_traps.pop_front() {
                if let Some(action) = self.traps.get(&signal.0).cloned() {
                    let status = self.status;
                    self.push_script(&action, ScriptKind::Trap { status });
                }
                return None;
            }
        }
        self.reap_jobs(ctx, self.interactive);
        if self.interactive && !prompted {
            let prompt = self.prompt(ctx, !partial.is_empty());
            if ctx.is_tty(0) {
                ctx.out(prompt);
            } else {
                ctx.err(prompt);
            }
            prompted = true;
        }
        let mut line = Vec::new();
        let mut eof = false;
        match ctx.read(0, 4096) {
            Read::Blocked => {
                self.blocked = Some(Blocked::Command { partial, prompted });
                return Some(Wait::readable(0));
            }
            Read::Eof | Read::Failed(_) => eof = true,
            Read::Data(data) => {
                let n = data.iter().position(|b| *b == b'\n').map_or(data.len(), |i| i + 1);
                let (head, rest) = data.split_at(n);
                line.extend_from_slice(head);
                if !rest.is_empty() {
                    ctx.unread(0, rest);
                }
            }
        }
        let complete = line.ends_with(b"\n");
        partial.extend_from_slice(&line);
        if partial.len() > MAX_SCRIPT {
            partial.truncate(MAX_SCRIPT);
            eof = true;
        }
        if !complete && !eof {
            self.blocked = Some(Blocked::Command { partial, prompted: true });
            return None;
        }
        if eof && partial.is_empty() {
            if self.interactive && ctx.is_tty(0) && self.dialect != Dialect::Bash {
                ctx.out("\n");
            }
            self.traps_then_exit = true;
            return None;
        }
        let text: Vec<char> = String::from_utf8_lossy(&partial).chars().filter(|c| *c != '\0').collect();
        let text = Arc::new(text);
        let aliases = if self.dialect == Dialect::Bash && !self.interactive {
            BTreeMap::new()
        } else {
            self.aliases.clone()
        };
        let first_line = match self.frames.last() {
            Some(Frame::Script { line, .. }) => *line,
            _ => 1,
        };
        let mut list = Vec::new();
        let mut parser = Parser::new(&text, 0, first_line, self.dialect, &aliases);
        let mut error = None;
        loop {
            match parser.next_command() {
                Ok(Some(p)) => list.push(p),
                Ok(None) => break,
                Err(e) => {
                    error = Some(e);
                    break;
                }
            }
        }
        let (_, line) = parser.position();
        if let Some(e) = error {
            if e.is_incomplete() && !eof {
                self.blocked = Some(Blocked::Command { partial, prompted: false });
                return None;
            }
            self.syntax_error(ctx, &e);
            self.status = 2;
            if let Some(Frame::Script { line: l, .. }) = self.frames.last_mut() {
                *l = line;
            }
            if !self.interactive {
                self.traps_then_exit = true;
            } else {
                self.blocked = Some(Blocked::Command { partial: Vec::new(), prompted: false });
            }
            return None;
        }
        if let Some(Frame::Script { line: l, .. }) = self.frames.last_mut() {
            *l = line;
        }
        // A line may hold several commands only where a here-document or a quote ran over lines: one list then.
        let mut all = crate::syntax::Parsed::default();
        for parsed in list {
            if all.list.0.is_empty() {
                all = parsed;
            }
        }
        let mut code = compile(&all, self.dialect);
        clear_tail(&mut code.ops);
        self.code = Arc::new(code);
        self.pc = 0;
        None
    }
}

/// Takes the right to replace the shell from the commands of its own process (children keep theirs).
fn clear_tail(ops: &mut [Op]) {
    let mut skip_to = 0;
    for i in 0..ops.len() {
        if i < skip_to {
            continue;
        }
        match ops.get_mut(i) {
            Some(
                Op::CommandSub { end, .. }
                | Op::Subshell { end, .. }
                | Op::Background { end, .. }
                | Op::PipeStage { end, .. },
            ) => skip_to = *end,
            Some(Op::Exec { tail }) => *tail = false,
            _ => {}
        }
    }
}

fn home_of(ctx: &Ctx<'_>, user: &str) -> Option<String> {
    let text = ctx.read_file("/etc/passwd").ok()?;
    let text = String::from_utf8_lossy(&text);
    text.lines().find_map(|l| {
        let parts: Vec<&str> = l.split(':').collect();
        (parts.first() == Some(&user)).then(|| parts.get(5).map(|s| (*s).to_owned()))?
    })
}

fn dash_open(e: crate::Errno) -> &'static str {
    match e {
        crate::Errno::NotFound => "No such file",
        other => other.text(),
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
