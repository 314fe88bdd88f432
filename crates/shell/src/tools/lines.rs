//! Tools that read files, or standard input, line by line.

use super::finish;
use crate::context::{Ctx, Read};
use crate::fs::Errno;
use crate::process::{Family, Program, Step, Wait};
use std::collections::VecDeque;

/// Most bytes a collecting tool keeps.
pub(super) const MAX_KEPT: usize = 8 << 20;

/// Bytes read in one step.
const CHUNK: usize = 16 << 10;
/// Longest line kept.
const MAX_LINE: usize = 1 << 20;

/// Whether to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Go {
    On,
    /// No more of this file.
    NextFile,
    /// No more at all: ends with this code.
    Exit(i32),
}

/// What a line tool does with its input.
pub(crate) trait Filter: Clone + std::fmt::Debug + Send + Sync + 'static {
    /// Before anything is read.
    fn begin(&mut self, ctx: &mut Ctx<'_>) -> Go {
        let _ = ctx;
        Go::On
    }
    /// A file begins; standard input has the name `-`.
    fn open(&mut self, ctx: &mut Ctx<'_>, name: &str) -> Go {
        let _ = (ctx, name);
        Go::On
    }
    /// A line without its newline; `newline` says whether it had one.
    fn line(&mut self, ctx: &mut Ctx<'_>, line: &[u8], newline: bool) -> Go;
    /// The file ended.
    fn close(&mut self, ctx: &mut Ctx<'_>) -> Go {
        let _ = ctx;
        Go::On
    }
    /// Everything is read: the exit code. `failed` says whether a file could not be read.
    fn end(&mut self, ctx: &mut Ctx<'_>, failed: bool) -> i32 {
        let _ = ctx;
        i32::from(failed)
    }
    /// What to say about a file that cannot be read.
    fn open_error(&self, ctx: &Ctx<'_>, name: &str, e: Errno) -> String {
        let _ = ctx;
        format!("{name}: {e}")
    }
    /// Memory it holds.
    fn memory(&self) -> u64 {
        0
    }
}

/// Runs a [`Filter`] over its files.
#[derive(Clone, Debug)]
pub(crate) struct Lines<F> {
    filter: F,
    files: VecDeque<String>,
    current: Option<u32>,
    buf: Vec<u8>,
    started: bool,
    failed: bool,
}

impl<F: Filter> Lines<F> {
    /// Reads `files`, standard input where there are none.
    pub fn boxed(filter: F, files: Vec<String>) -> Box<dyn Program> {
        let mut files: VecDeque<String> = files.into();
        if files.is_empty() {
            files.push_back("-".to_owned());
        }
        Box::new(Lines { filter, files, current: None, buf: Vec::new(), started: false, failed: false })
    }

    fn exit(&self, ctx: &mut Ctx<'_>, code: i32) -> Step {
        Step::Exit(finish(ctx, code))
    }

    fn leave(&mut self, ctx: &mut Ctx<'_>) {
        if let Some(fd) = self.current.take()
            && fd != 0
        {
            ctx.close(fd);
        }
        self.buf.clear();
    }

    fn end_file(&mut self, ctx: &mut Ctx<'_>) -> Go {
        self.leave(ctx);
        self.filter.close(ctx)
    }

    /// Feeds the complete lines there are.
    fn feed(&mut self, ctx: &mut Ctx<'_>, all: bool) -> Go {
        let buf = std::mem::take(&mut self.buf);
        let mut rest: &[u8] = &buf;
        while let Some(n) = rest.iter().position(|b| *b == b'\n') {
            let (line, after) = rest.split_at(n);
            rest = after.get(1..).unwrap_or_default();
            match self.filter.line(ctx, line, true) {
                Go::On => {}
                go => {
                    self.buf = rest.to_vec();
                    return go;
                }
            }
        }
        if (all || rest.len() > MAX_LINE) && !rest.is_empty() {
            return self.filter.line(ctx, rest, false);
        }
        self.buf = rest.to_vec();
        Go::On
    }
}

impl<F: Filter> Program for Lines<F> {
    fn step(&mut self, ctx: &mut Ctx<'_>) -> Step {
        if !self.started {
            self.started = true;
            if let Go::Exit(code) = self.filter.begin(ctx) {
                return self.exit(ctx, code);
            }
        }
        let Some(fd) = self.current else {
            let Some(name) = self.files.pop_front() else {
                let code = self.filter.end(ctx, self.failed);
                return self.exit(ctx, code);
            };
            let opened = if name == "-" { Ok(0) } else { ctx.open(&name) };
            let opened = match opened {
                Ok(fd) if name != "-" && ctx.is_dir(&name) => {
                    ctx.close(fd);
                    Err(Errno::IsADirectory)
                }
                o => o,
            };
            match opened {
                Ok(fd) => {
                    self.current = Some(fd);
                    return match self.filter.open(ctx, &name) {
                        Go::On => Step::Ran,
                        Go::NextFile => {
                            self.leave(ctx);
                            Step::Ran
                        }
                        Go::Exit(code) => self.exit(ctx, code),
                    };
                }
                Err(e) => {
                    self.failed = true;
                    let text = self.filter.open_error(ctx, &name, e);
                    if !text.is_empty() {
                        ctx.fail(1, text);
                    }
                    return Step::Ran;
                }
            }
        };
        let go = match ctx.read(fd, CHUNK) {
            Read::Blocked => return Step::Block(Wait::readable(fd)),
            Read::Data(data) => {
                self.buf.extend_from_slice(&data);
                if self.buf.len() <= MAX_LINE && !data.contains(&b'\n') {
                    // Still the same line, which was looked through before.
                    return Step::Ran;
                }
                self.feed(ctx, false)
            }
            Read::Eof => match self.feed(ctx, true) {
                Go::On | Go::NextFile => self.end_file(ctx),
                go => go,
            },
            Read::Failed(e) => {
                self.failed = true;
                ctx.fail(1, format!("read error: {e}"));
                self.end_file(ctx)
            }
        };
        match go {
            Go::On => Step::Ran,
            Go::NextFile => {
                if self.current.is_some() {
                    // What a `head` on standard input did not use is left for the next reader.
                    if fd == 0 && !self.buf.is_empty() {
                        let rest = std::mem::take(&mut self.buf);
                        ctx.unread(0, &rest);
                    }
                    match self.end_file(ctx) {
                        Go::Exit(code) => return self.exit(ctx, code),
                        _ => return Step::Ran,
                    }
                }
                Step::Ran
            }
            Go::Exit(code) => {
                self.leave(ctx);
                self.exit(ctx, code)
            }
        }
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }

    fn memory_bytes(&self) -> u64 {
        (700 << 10) + self.buf.len() as u64 + self.filter.memory()
    }
}

/// Makes a program of its arguments, or tells what is wrong with them and answers the exit code.
pub(crate) type Begin = fn(&mut Ctx<'_>, &[String]) -> Result<Box<dyn Program>, i32>;

/// A program that only tells a usage error: what option parsing answered.
#[derive(Clone, Debug)]
pub(crate) struct Deferred<T: Clone> {
    pub args: Vec<String>,
    pub make: Begin,
    pub marker: std::marker::PhantomData<T>,
}

impl Program for Deferred<()> {
    fn step(&mut self, ctx: &mut Ctx<'_>) -> Step {
        match (self.make)(ctx, &self.args) {
            Ok(program) => Step::Exec(program),
            Err(code) => Step::Exit(code),
        }
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}

/// A program made at its first step, when it can tell errors in its options.
pub(crate) fn deferred(args: &[String], make: Begin) -> Box<dyn Program> {
    Box::new(Deferred::<()> { args: args.to_vec(), make, marker: std::marker::PhantomData })
}

/// GNU's words for a file that cannot be opened.
pub(crate) fn gnu_open(family: Family, name: &str, e: Errno) -> String {
    match family {
        Family::Gnu => format!("cannot open '{name}' for reading: {e}"),
        Family::Busybox => format!("{name}: {e}"),
    }
}
