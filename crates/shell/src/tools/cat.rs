//! `cat`.

use super::lines::deferred;
use super::{finish, options};
use crate::context::{Ctx, Read};
use crate::fs::Errno;
use crate::process::{Family, Program, Step, Wait};
use std::collections::VecDeque;

#[derive(Clone, Debug)]
struct Cat {
    files: VecDeque<String>,
    current: Option<u32>,
    number: bool,
    number_nonblank: bool,
    show_ends: bool,
    show_tabs: bool,
    line: u64,
    at_start: bool,
    code: i32,
}

pub(super) fn cat(args: &[String], _: Family) -> Box<dyn Program> {
    deferred(args, |ctx, args| {
        let o = options(
            ctx,
            args,
            "nbetuvAET",
            &[
                ("number", 'n'),
                ("show-all", 'A'),
                ("show-ends", 'E'),
                ("show-tabs", 'T'),
                ("number-nonblank", 'b'),
            ],
        )?;
        let mut files: VecDeque<String> = o.operands.clone().into();
        if files.is_empty() {
            files.push_back("-".to_owned());
        }
        Ok(Box::new(Cat {
            files,
            current: None,
            number: o.has('n'),
            number_nonblank: o.has('b'),
            show_ends: o.has('e') || o.has('E') || o.has('A'),
            show_tabs: o.has('t') || o.has('T') || o.has('A'),
            line: 0,
            at_start: true,
            code: 0,
        }))
    })
}

impl Cat {
    fn write(&mut self, ctx: &mut Ctx<'_>, data: &[u8]) {
        if !(self.number || self.number_nonblank || self.show_ends || self.show_tabs) {
            ctx.out(data);
            return;
        }
        let mut out = Vec::new();
        for b in data {
            if self.at_start && (self.number || (self.number_nonblank && *b != b'\n')) {
                self.line += 1;
                out.extend_from_slice(format!("{:>6}\t", self.line).as_bytes());
            }
            self.at_start = *b == b'\n';
            match b {
                b'\n' if self.show_ends => out.extend_from_slice(b"$\n"),
                b'\t' if self.show_tabs => out.extend_from_slice(b"^I"),
                b => out.push(*b),
            }
        }
        ctx.out(out);
    }
}

impl Program for Cat {
    fn step(&mut self, ctx: &mut Ctx<'_>) -> Step {
        let Some(fd) = self.current else {
            let Some(name) = self.files.pop_front() else {
                let code = self.code;
                return Step::Exit(finish(ctx, code));
            };
            if name == "-" {
                self.current = Some(0);
                return Step::Ran;
            }
            match ctx.open(&name) {
                Ok(_) if ctx.is_dir(&name) => {
                    let text = if ctx.is_busybox() { "read error" } else { name.as_str() };
                    self.code = ctx.fail(1, format!("{text}: {}", Errno::IsADirectory));
                }
                Ok(fd) => self.current = Some(fd),
                Err(e) => {
                    let text = if ctx.is_busybox() {
                        format!("can't open '{name}': {e}")
                    } else {
                        format!("{name}: {e}")
                    };
                    self.code = ctx.fail(1, text);
                }
            }
            return Step::Ran;
        };
        match ctx.read(fd, 1 << 16) {
            Read::Blocked => return Step::Block(Wait::readable(fd)),
            Read::Data(d) => self.write(ctx, &d),
            Read::Eof => {
                if fd != 0 {
                    ctx.close(fd);
                }
                self.current = None;
            }
            Read::Failed(e) => {
                self.code = ctx.fail(1, format!("read error: {e}"));
                self.current = None;
            }
        }
        if ctx.core.write_error.is_some() {
            return Step::Exit(finish(ctx, 0));
        }
        Step::Ran
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}
