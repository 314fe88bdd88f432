//! Where commands come from: the script on top, or lines of standard input.

use super::super::Dialect;
use super::super::compile::compile;
use super::super::op::Op;
use super::{Blocked, Frame, MAX_SCRIPT, ScriptKind, Shell};
use crate::context::{Ctx, Read};
use crate::host::Prompt;
use crate::process::{Step, Wait};
use crate::syntax::Parser;
use std::collections::BTreeMap;
use std::sync::Arc;

impl Shell {
    /// Parses and begins the next command of the script on top.
    pub(super) fn next_command(&mut self, ctx: &mut Ctx<'_>) -> Option<Step> {
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

    /// Reads a command line from standard input, asks on while it is incomplete.
    pub(super) fn unblock_command(
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
            let prompt = Prompt { status: self.status, more: !partial.is_empty() };
            ctx.host.prompted(ctx.core.pid, Some(prompt));
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
                if self.interactive {
                    ctx.host.prompted(ctx.core.pid, None);
                }
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
        if error.is_none() && parser.wants_lines() && !eof {
            self.blocked = Some(Blocked::Command { partial, prompted: false });
            return None;
        }
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
