//! The loop over the instructions.

use super::super::Dialect;
use super::super::expand::Builder;
use super::super::jobs::PipeBuild;
use super::super::op::{Finish, Op};
use super::super::redirect::Redirection;
use super::{ForState, Frame, MAX_FRAMES, ScriptKind, Shell, Simple};
use crate::context::Ctx;
use crate::process::Step;

/// Most instructions run in one step.
const OPS_PER_STEP: u32 = 64;

impl Shell {
    pub(super) fn run(&mut self, ctx: &mut Ctx<'_>) -> Step {
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
        r: Result<(), super::super::messages::ShellError>,
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
}

fn home_of(ctx: &Ctx<'_>, user: &str) -> Option<String> {
    let text = ctx.read_file("/etc/passwd").ok()?;
    let text = String::from_utf8_lossy(&text);
    text.lines().find_map(|l| {
        let parts: Vec<&str> = l.split(':').collect();
        (parts.first() == Some(&user)).then(|| parts.get(5).map(|s| (*s).to_owned()))?
    })
}
