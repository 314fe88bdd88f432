//! `awk`: patterns, actions, fields, arrays, control flow and the usual functions.
//!
//! Not simulated (said so, code 2): user functions, `getline`, output to files and pipes, `system`.

mod eval;
mod parse;

use super::lines::{Filter, Go, Lines, deferred};
use super::{escapes, options_until};
use crate::context::Ctx;
use crate::fs::Errno;
use crate::process::{Family, Program};
use eval::{Machine, Stop};
use parse::{Pattern, Rule};
use std::sync::Arc;

#[derive(Clone, Debug)]
struct Awk {
    rules: Arc<Vec<Rule>>,
    in_range: Vec<bool>,
    m: Machine,
    exit: Option<i32>,
    only_begin: bool,
}

pub(super) fn awk(args: &[String], _: Family) -> Box<dyn Program> {
    deferred(args, |ctx, args| {
        let o = options_until(
            ctx,
            args,
            "F:v:f:W:",
            &[("field-separator", 'F'), ("assign", 'v'), ("file", 'f')],
            true,
        )?;
        let mut files = o.operands.clone();
        let source = match o.value('f') {
            Some(f) => {
                let text = ctx.read_file(f).map_err(|e| ctx.fail(2, format!("{f}: {e}")))?;
                String::from_utf8_lossy(&text).into_owned()
            }
            None if files.is_empty() => {
                let text = if ctx.is_busybox() {
                    super::busybox_usage("awk")
                } else {
                    "usage: awk [-F fs][-v var=value][prog | -f progfile][file ...]\n".to_owned()
                };
                ctx.err(text);
                return Err(if ctx.is_busybox() { 1 } else { 2 });
            }
            None => files.remove(0),
        };
        let rules = match parse::parse(&source) {
            Ok(r) => r,
            Err(e) => {
                let text = if e.starts_with("not simulated") { e } else { format!("cmd. line:1: {e}") };
                return Err(ctx.fail(if ctx.is_busybox() { 1 } else { 2 }, text));
            }
        };
        let mut m = Machine::new(&ctx.core.env);
        if let Some(f) = o.value('F') {
            let sep = if f == "t" {
                "\t".to_owned()
            } else {
                String::from_utf8_lossy(&escapes(f, true).0).into_owned()
            };
            m.set("FS", &sep);
        }
        let assign = |m: &mut Machine, text: &str| {
            if let Some((n, v)) = text.split_once('=') {
                m.set_input(n, &String::from_utf8_lossy(&escapes(v, true).0));
            }
        };
        for v in o.values('v') {
            assign(&mut m, &v);
        }
        // `name=value` among the files is an assignment.
        files.retain(|f| {
            let is = f.split_once('=').is_some_and(|(n, _)| crate::syntax::is_name(n));
            if is {
                assign(&mut m, f);
            }
            !is
        });
        let only_begin = rules.iter().all(|r| matches!(r.pattern, Pattern::Begin));
        let in_range = vec![false; rules.len()];
        Ok(Lines::boxed(Awk { rules: Arc::new(rules), in_range, m, exit: None, only_begin }, files))
    })
}

impl Awk {
    fn flush(&mut self, ctx: &mut Ctx<'_>) {
        ctx.out(std::mem::take(&mut self.m.out));
        let err = std::mem::take(&mut self.m.err);
        if !err.is_empty() {
            ctx.err(err);
        }
    }

    fn handle(&mut self, ctx: &mut Ctx<'_>, stop: Stop) -> Go {
        self.flush(ctx);
        match stop {
            Stop::Exit(code) => {
                self.exit = Some(code);
                Go::Exit(self.finish(ctx))
            }
            Stop::Error(text) => Go::Exit(ctx.fail(2, text)),
            _ => Go::On,
        }
    }

    fn finish(&mut self, ctx: &mut Ctx<'_>) -> i32 {
        let rules = self.rules.clone();
        for r in rules.iter().filter(|r| matches!(r.pattern, Pattern::End)) {
            match self.m.run(&r.body) {
                Ok(()) | Err(Stop::Next) => {}
                Err(Stop::Exit(code)) => {
                    self.exit = Some(code);
                    break;
                }
                Err(Stop::Error(text)) => {
                    self.flush(ctx);
                    return ctx.fail(2, text);
                }
                Err(_) => {}
            }
        }
        self.flush(ctx);
        self.exit.unwrap_or(0)
    }
}

impl Filter for Awk {
    fn begin(&mut self, ctx: &mut Ctx<'_>) -> Go {
        self.m.now = ctx.now().as_secs();
        let rules = self.rules.clone();
        for r in rules.iter().filter(|r| matches!(r.pattern, Pattern::Begin)) {
            if let Err(stop) = self.m.run(&r.body) {
                return self.handle(ctx, stop);
            }
        }
        self.flush(ctx);
        if self.only_begin { Go::Exit(self.exit.unwrap_or(0)) } else { Go::On }
    }

    fn open(&mut self, _: &mut Ctx<'_>, name: &str) -> Go {
        self.m.set("FILENAME", if name == "-" { "" } else { name });
        self.m.file_line = 0;
        Go::On
    }

    fn line(&mut self, ctx: &mut Ctx<'_>, line: &[u8], _: bool) -> Go {
        self.m.now = ctx.now().as_secs();
        self.m.record(&String::from_utf8_lossy(line));
        let rules = self.rules.clone();
        for (i, r) in rules.iter().enumerate() {
            let hit = match &r.pattern {
                Pattern::Always => Ok(true),
                Pattern::Expr(e) => self.m.truth(e),
                Pattern::Range(a, b) => {
                    let active = self.in_range.get(i).copied().unwrap_or(false);
                    let starts = if active { Ok(true) } else { self.m.truth(a) };
                    match starts {
                        Ok(true) => self.m.truth(b).map(|ends| {
                            if let Some(slot) = self.in_range.get_mut(i) {
                                *slot = !ends;
                            }
                            true
                        }),
                        other => other,
                    }
                }
                Pattern::Begin | Pattern::End => Ok(false),
            };
            let result = match hit {
                Ok(true) => self.m.run(&r.body),
                Ok(false) => Ok(()),
                Err(stop) => Err(stop),
            };
            match result {
                Ok(()) => {}
                Err(Stop::Next) => break,
                Err(stop) => {
                    let go = self.handle(ctx, stop);
                    if go != Go::On {
                        return go;
                    }
                }
            }
        }
        self.flush(ctx);
        Go::On
    }

    fn end(&mut self, ctx: &mut Ctx<'_>, failed: bool) -> i32 {
        let code = self.finish(ctx);
        if code == 0 && failed { 2 } else { code }
    }

    fn open_error(&self, ctx: &Ctx<'_>, name: &str, e: Errno) -> String {
        if ctx.is_busybox() { format!("{name}: {e}") } else { format!("cannot open \"{name}\" ({e})") }
    }

    fn memory(&self) -> u64 {
        self.m.bytes()
    }
}
