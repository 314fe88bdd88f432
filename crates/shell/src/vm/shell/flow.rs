//! Leaving loops, functions, scripts and the shell.

use super::super::Dialect;
use super::super::op::{Code, Op};
use super::super::variables::Variable;
use super::{Blocked, Flow, Frame, MAX_FRAMES, ScriptKind, Shell};
use crate::context::Ctx;
use crate::process::Step;
use std::sync::Arc;

impl Shell {
    pub(super) fn too_deep(&mut self, ctx: &mut Ctx<'_>) -> Option<Step> {
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

    pub(super) fn undo_auto(&mut self, ctx: &mut Ctx<'_>) {
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
    pub(super) fn return_op(&mut self, ctx: &mut Ctx<'_>) -> Option<Step> {
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

    pub(super) fn leave(&mut self, ctx: &mut Ctx<'_>, code: i32) -> Option<Step> {
        if self.interactive && !self.subshell && ctx.is_tty(0) && self.dialect == Dialect::Bash {
            ctx.err("exit\n");
        }
        Some(Step::Exit(code))
    }
}
