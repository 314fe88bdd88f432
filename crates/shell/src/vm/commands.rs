//! Simple commands: what a name stands for, and running it.

use super::Dialect;
use super::builtins;
use super::messages::Place;
use super::shell::{Blocked, Flow, Frame, ScriptKind, Shell, Simple};
use super::variables::Variable;
use crate::context::Ctx;
use crate::fs::Errno;
use crate::process::{Family, Program};
use std::sync::Arc;

/// Most calls within calls.
const MAX_CALLS: usize = 1000;

impl Shell {
    /// Runs a simple command whose words are expanded.
    pub fn simple_command(
        &mut self,
        ctx: &mut Ctx<'_>,
        simple: Simple,
        args: Vec<String>,
        tail: bool,
    ) -> Flow {
        self.line = simple.line;
        if self.options.xtrace {
            self.trace(ctx, &simple, &args);
        }
        for (name, values, append) in &simple.arrays {
            if let Err(e) = self.assign_array(name, values, *append) {
                self.print_expansion_error(ctx, &e);
                return Flow::Fatal(e.code(self.dialect));
            }
        }
        let Some(name) = args.first().cloned() else {
            return self.no_command(ctx, &simple);
        };
        let function = self.functions.get(&name).cloned();
        let builtin = builtins::find(self.dialect, &name);
        let special = builtin.is_some_and(|b| b.special);
        if special && function.is_none() {
            return self.run_builtin(ctx, &simple, &args, tail);
        }
        if let Some(code) = function {
            return self.call_function(ctx, &simple, code, &args);
        }
        if builtin.is_some() {
            return self.run_builtin(ctx, &simple, &args, tail);
        }
        self.external(ctx, &simple, args, tail)
    }

    /// Assignments and redirections only.
    fn no_command(&mut self, ctx: &mut Ctx<'_>, simple: &Simple) -> Flow {
        let status = simple.substitution.unwrap_or(0);
        if simple.redirects.is_empty() {
            return Flow::Status(status);
        }
        match self.redirect(ctx, &simple.redirects) {
            Ok(saved) => {
                // `$(<file)` is the file in bash.
                let read_only = simple.redirects.len() == 1
                    && simple.assigns.is_empty()
                    && simple.redirects.iter().all(|r| r.kind == crate::syntax::RedirectKind::Read);
                if read_only && self.subshell && self.dialect == Dialect::Bash {
                    while let crate::context::Read::Data(d) = ctx.read(0, 1 << 16) {
                        ctx.out(d);
                    }
                }
                self.undo_redirects(ctx, saved);
                Flow::Status(status)
            }
            Err(()) => Flow::Status(self.redirect_status()),
        }
    }

    fn redirect_status(&self) -> i32 {
        if self.dialect == Dialect::Dash { 2 } else { 1 }
    }

    /// Sets assignment prefixes for a while; answers what to restore.
    fn set_prefix(
        &mut self,
        ctx: &mut Ctx<'_>,
        simple: &Simple,
        export: bool,
    ) -> Result<Vec<(String, Option<Variable>)>, Flow> {
        let mut saved = Vec::new();
        for (name, index, value, append) in &simple.assigns {
            saved.push((name.to_string(), self.vars.variable(name).cloned()));
            if let Err(e) = self.assign(ctx, name, index.as_deref(), value, *append) {
                self.print_expansion_error(ctx, &e);
                saved.pop();
                self.restore_variables(saved);
                if self.dialect == Dialect::Bash {
                    return Err(Flow::Status(1));
                }
                return Err(Flow::Fatal(e.code(self.dialect)));
            }
            if export {
                self.vars.variable_mut(name).exported = true;
            }
        }
        Ok(saved)
    }

    fn run_builtin(&mut self, ctx: &mut Ctx<'_>, simple: &Simple, args: &[String], tail: bool) -> Flow {
        let name = args.first().cloned().unwrap_or_default();
        let Some(builtin) = builtins::find(self.dialect, &name) else { return Flow::Status(127) };
        let saved = match self.redirect(ctx, &simple.redirects) {
            Ok(saved) => saved,
            Err(()) => {
                let status = self.redirect_status();
                if builtin.special && self.dialect != Dialect::Bash {
                    return Flow::Fatal(status);
                }
                return Flow::Status(status);
            }
        };
        // The variables of a special builtin's prefix stay (but not in bash).
        let keep = builtin.special && self.dialect != Dialect::Bash;
        let before = match self.set_prefix(ctx, simple, !keep) {
            Ok(b) => b,
            Err(flow) => {
                self.undo_redirects(ctx, saved);
                return flow;
            }
        };
        if name == "exec" {
            let flow = self.exec(ctx, args);
            match flow {
                Flow::Status(_) => self.keep_redirects(ctx, saved),
                Flow::Exec(_) => self.keep_redirects(ctx, saved),
                _ => self.undo_redirects(ctx, saved),
            }
            return flow;
        }
        self.builtin = Some(name);
        let flow = if builtin.name == "command" {
            self.command_builtin(ctx, simple, args, tail)
        } else {
            (builtin.run)(self, ctx, args)
        };
        self.builtin = None;
        if let Some(e) = ctx.core.write_error.take()
            && matches!(flow, Flow::Status(0))
            && matches!(builtin.name, "echo" | "printf" | "pwd")
        {
            if !keep {
                self.restore_variables(before);
            }
            self.undo_redirects(ctx, saved);
            let text = match self.dialect {
                Dialect::Ash => format!("{}: write error: {e}\n", self.name),
                _ => format!("{}{}: write error: {e}\n", self.prefix(), builtin.name),
            };
            ctx.err(text);
            return Flow::Status(1);
        }
        match flow {
            Flow::Status(_) | Flow::Exit(_) | Flow::Fatal(_) => {
                if !keep {
                    self.restore_variables(before);
                }
                self.undo_redirects(ctx, saved);
                flow
            }
            Flow::Break(_) | Flow::Continue(_) | Flow::Return(_) | Flow::Exec(_) => {
                self.undo_redirects(ctx, saved);
                flow
            }
            Flow::Block(_) | Flow::Run { .. } => {
                if !keep && !before.is_empty() {
                    self.frames.push(Frame::Prefix { saved: before });
                }
                if !saved.is_empty() {
                    self.frames.push(Frame::Redirects { saved, auto: true });
                }
                flow
            }
        }
    }

    fn call_function(
        &mut self,
        ctx: &mut Ctx<'_>,
        simple: &Simple,
        code: Arc<super::op::Code>,
        args: &[String],
    ) -> Flow {
        if self.frames.len() > MAX_CALLS {
            let text = format!("{}maximum function nesting level exceeded\n", self.prefix());
            ctx.err(text);
            return Flow::Fatal(2);
        }
        let saved = match self.redirect(ctx, &simple.redirects) {
            Ok(saved) => saved,
            Err(()) => return Flow::Status(self.redirect_status()),
        };
        let before = match self.set_prefix(ctx, simple, true) {
            Ok(b) => b,
            Err(flow) => {
                self.undo_redirects(ctx, saved);
                return flow;
            }
        };
        if !before.is_empty() {
            self.frames.push(Frame::Prefix { saved: before });
        }
        if !saved.is_empty() {
            self.frames.push(Frame::Redirects { saved, auto: true });
        }
        let params = args.get(1..).unwrap_or_default().to_vec();
        let getopts = self.getopts;
        if self.dialect != Dialect::Bash {
            self.getopts = (1, 0);
        }
        self.frames.push(Frame::Call {
            getopts,
            code: std::mem::replace(&mut self.code, code),
            pc: std::mem::replace(&mut self.pc, 0),
            saved: std::mem::replace(&mut self.params, params),
            locals: Vec::new(),
            tested: self.tested,
        });
        // The body sees `$?` of the command before.
        Flow::Status(self.status)
    }

    /// The environment of a child: exported variables and the prefix.
    pub fn child_environment(&self, simple: &Simple) -> Vec<(String, String)> {
        let mut vars = self.vars.clone();
        for (name, _, value, append) in &simple.assigns {
            let value = if *append {
                format!("{}{value}", vars.get(name).unwrap_or_default())
            } else {
                value.clone()
            };
            if vars.set(name, &value).is_ok() {
                vars.variable_mut(name).exported = true;
            }
        }
        vars.environment(self.dialect)
    }

    /// Finds and loads a command along `PATH`.
    pub fn load(
        &mut self,
        ctx: &mut Ctx<'_>,
        argv: &mut Vec<String>,
        path_var: Option<&str>,
    ) -> Result<(Box<dyn Program>, Family, String), Errno> {
        let name = argv.first().cloned().unwrap_or_default();
        if name.is_empty() {
            return Err(Errno::NotFound);
        }
        let path_var = match path_var {
            Some(p) => p.to_owned(),
            None => self.vars.get("PATH").unwrap_or_default().to_owned(),
        };
        let path = ctx.find_program(&name, &path_var)?;
        match ctx.load(&path, argv) {
            Ok((program, family)) => Ok((program, family, path)),
            Err(Errno::ExecFormat) => {
                // A text without `#!` is a script for this shell.
                let text = ctx.read_file(&path)?;
                if text.iter().take(64).any(|b| *b == 0) {
                    return Err(Errno::ExecFormat);
                }
                let args = argv.get(1..).unwrap_or_default().to_vec();
                let shell = self.script_shell(&path, &text, args);
                Ok((Box::new(shell), ctx.core.family, path))
            }
            Err(e) => Err(e),
        }
    }

    fn external(&mut self, ctx: &mut Ctx<'_>, simple: &Simple, args: Vec<String>, tail: bool) -> Flow {
        for (name, ..) in &simple.assigns {
            if self.vars.variable(name).is_some_and(|v| v.readonly) {
                let e = super::messages::ShellError::ReadOnly(name.to_string());
                self.print_expansion_error(ctx, &e);
                if self.dialect != Dialect::Bash {
                    return Flow::Fatal(2);
                }
            }
        }
        let saved = match self.redirect(ctx, &simple.redirects) {
            Ok(saved) => saved,
            Err(()) => return Flow::Status(self.redirect_status()),
        };
        let mut argv = args;
        let name = argv.first().cloned().unwrap_or_default();
        let path_var = simple.assigns.iter().rev().find(|a| &*a.0 == "PATH").map(|a| a.2.clone());
        let loaded = self.load(ctx, &mut argv, path_var.as_deref());
        let (program, family, path) = match loaded {
            Ok(x) => x,
            Err(e) => {
                let code = self.not_found(ctx, &name, e);
                self.undo_redirects(ctx, saved);
                return Flow::Status(code);
            }
        };
        let mut env = self.child_environment(simple);
        if self.dialect == Dialect::Bash {
            env.retain(|(n, _)| n != "_");
            env.push(("_".to_owned(), ctx.absolute(&path)));
        }
        let may_replace = tail && self.traps.is_empty() && (!self.interactive || self.subshell);
        if may_replace {
            if self.dialect == Dialect::Bash && !self.subshell {
                for (n, v) in &mut env {
                    if n == "SHLVL"
                        && let Ok(level) = v.parse::<i64>()
                    {
                        *v = (level - 1).to_string();
                    }
                }
            }
            self.keep_redirects(ctx, saved);
            ctx.core.argv = argv;
            ctx.core.env = Arc::new(env);
            ctx.core.family = family;
            return Flow::Exec(program);
        }
        let pid = ctx.spawn(program, family, argv, Some(Arc::new(env)), None);
        self.undo_redirects(ctx, saved);
        match pid {
            Ok(pid) => Flow::Block(Blocked::Foreground { pids: vec![(pid, None)] }),
            Err(text) => {
                let line = match self.dialect {
                    Dialect::Bash => format!("fork: {text}"),
                    Dialect::Dash => "Cannot fork".to_owned(),
                    Dialect::Ash => format!("can't fork: {text}"),
                };
                Flow::Status(self.shell_error(ctx, line, 2))
            }
        }
    }

    /// `exec`: replaces the shell, or keeps the redirections.
    fn exec(&mut self, ctx: &mut Ctx<'_>, args: &[String]) -> Flow {
        let mut argv: Vec<String> = args.get(1..).unwrap_or_default().to_vec();
        if argv.first().is_some_and(|a| a == "--") {
            argv.remove(0);
        }
        let Some(name) = argv.first().cloned() else { return Flow::Status(0) };
        match self.load(ctx, &mut argv, None) {
            Ok((program, family, _)) => {
                ctx.core.argv = argv;
                ctx.core.env = Arc::new(self.vars.environment(self.dialect));
                ctx.core.family = family;
                Flow::Exec(program)
            }
            Err(e) => {
                let text = if e == Errno::NotFound {
                    if name.contains('/') && self.dialect == Dialect::Bash {
                        format!("{name}: {e}")
                    } else {
                        format!("{name}: not found")
                    }
                } else {
                    format!("{name}: {e}")
                };
                let code = if e == Errno::NotFound { 127 } else { 126 };
                let code = self.builtin_error(ctx, "exec", text, code);
                if self.interactive { Flow::Status(code) } else { Flow::Exit(code) }
            }
        }
    }

    /// `command name …`: no functions; `-v` and `-V` say what a name is.
    fn command_builtin(&mut self, ctx: &mut Ctx<'_>, simple: &Simple, args: &[String], tail: bool) -> Flow {
        let mut i = 1;
        let mut describe = None;
        while let Some(a) = args.get(i) {
            match a.as_str() {
                "-v" => describe = Some(false),
                "-V" => describe = Some(true),
                "-p" => {}
                "--" => {
                    i += 1;
                    break;
                }
                _ => break,
            }
            i += 1;
        }
        let rest = args.get(i..).unwrap_or_default();
        if let Some(long) = describe {
            return Flow::Status(builtins::describe(self, ctx, rest, long));
        }
        let Some(name) = rest.first() else { return Flow::Status(0) };
        let inner = Simple { redirects: Vec::new(), assigns: simple.assigns.clone(), ..Simple::default() };
        if builtins::find(self.dialect, name).is_some() {
            let flow = self.run_builtin(ctx, &inner, rest, tail);
            return match flow {
                Flow::Fatal(s) => Flow::Status(s),
                f => f,
            };
        }
        self.external(ctx, &inner, rest.to_vec(), false)
    }

    /// `set -x`.
    fn trace(&mut self, ctx: &mut Ctx<'_>, simple: &Simple, args: &[String]) {
        let quote = |s: &str| match self.dialect {
            Dialect::Dash => s.to_owned(),
            _ => builtins::quote_if_needed(s, self.dialect),
        };
        let ps4 = self.vars.get("PS4").unwrap_or("+ ").to_owned();
        let assigns: Vec<String> = simple
            .assigns
            .iter()
            .map(|(n, _, v, append)| format!("{n}{}={}", if *append { "+" } else { "" }, quote(v)))
            .collect();
        let words: Vec<String> = args.iter().map(|a| quote(a)).collect();
        let mut text = String::new();
        if self.dialect == Dialect::Bash {
            for a in &assigns {
                text.push_str(&format!("{ps4}{a}\n"));
            }
            if !words.is_empty() {
                text.push_str(&format!("{ps4}{}\n", words.join(" ")));
            }
        } else {
            let all: Vec<String> = assigns.into_iter().chain(words).collect();
            if all.is_empty() {
                return;
            }
            text = format!("{ps4}{}\n", all.join(" "));
        }
        ctx.err(text);
    }

    /// A sourced file or evaluated text begins.
    pub fn source(
        &mut self,
        ctx: &mut Ctx<'_>,
        file: &str,
        params: Option<Vec<String>>,
    ) -> Result<Flow, Errno> {
        let text = ctx.read_file(file)?;
        let saved = params.map(|p| std::mem::replace(&mut self.params, p));
        let text = String::from_utf8_lossy(&text).into_owned();
        let _ = Place::Script;
        Ok(Flow::Run { text, kind: ScriptKind::Source { saved } })
    }
}
