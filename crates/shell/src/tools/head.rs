//! `head`.

use super::lines::{Filter, Go, Lines, MAX_KEPT, deferred, gnu_open};
use super::{Options, options, size};
use crate::context::{Ctx, Read};
use crate::fs::Errno;
use crate::process::{Family, Program, Step, Wait};

#[derive(Clone, Debug)]
struct Head {
    lines: Option<i64>,
    bytes: Option<i64>,
    left: i64,
    titles: bool,
    shown: u32,
    kept: std::collections::VecDeque<Vec<u8>>,
    all: Vec<u8>,
}

/// `-5` becomes `-n5`.
pub(super) fn short_count(args: &[String]) -> Vec<String> {
    let mut value_next = false;
    args.iter()
        .map(|a| {
            let is_value = std::mem::replace(&mut value_next, matches!(a.as_str(), "-n" | "-c" | "-s"));
            match a.strip_prefix('-') {
                Some(n) if !is_value && n.starts_with(|c: char| c.is_ascii_digit()) => format!("-n{n}"),
                _ => a.clone(),
            }
        })
        .collect()
}

pub(super) fn head(args: &[String], _: Family) -> Box<dyn Program> {
    deferred(args, |ctx, args| {
        let args = short_count(args);
        let o: Options = options(
            ctx,
            &args,
            "n:c:qvz",
            &[("lines", 'n'), ("bytes", 'c'), ("quiet", 'q'), ("verbose", 'v')],
        )?;
        let number = |ctx: &mut Ctx<'_>, c: char| -> Result<Option<i64>, i32> {
            let Some(text) = o.value(c) else { return Ok(None) };
            let n = size(text.trim_start_matches(['-', '+'])).and_then(|n| i64::try_from(n).ok());
            match n {
                Some(n) => Ok(Some(if text.starts_with('-') { -n } else { n })),
                None => {
                    let what = if c == 'n' { "lines" } else { "bytes" };
                    let text = if ctx.is_busybox() {
                        format!("invalid number '{text}'")
                    } else {
                        format!("invalid number of {what}: ‘{text}’")
                    };
                    Err(ctx.fail(1, text))
                }
            }
        };
        let bytes = number(ctx, 'c')?;
        let lines = if bytes.is_some() { None } else { Some(number(ctx, 'n')?.unwrap_or(10)) };
        let titles = (o.operands.len() > 1 && !o.has('q')) || o.has('v');
        let h = Head { lines, bytes, left: 0, titles, shown: 0, kept: Default::default(), all: Vec::new() };
        if bytes.is_some_and(|b| b >= 0) && o.operands.len() <= 1 {
            return Ok(Box::new(HeadBytes {
                left: u64::try_from(bytes.unwrap_or(0)).unwrap_or(0),
                file: o.operands.first().cloned(),
                fd: None,
            }));
        }
        Ok(Lines::boxed(h, o.operands))
    })
}

impl Filter for Head {
    fn open(&mut self, ctx: &mut Ctx<'_>, name: &str) -> Go {
        if self.titles {
            let name = if name == "-" { "standard input" } else { name };
            let text =
                if self.shown > 0 { format!("\n==> {name} <==\n") } else { format!("==> {name} <==\n") };
            ctx.out(text);
        }
        self.shown += 1;
        self.left = self.lines.or(self.bytes).unwrap_or(0);
        self.kept.clear();
        self.all.clear();
        if self.left == 0 { Go::NextFile } else { Go::On }
    }

    fn line(&mut self, ctx: &mut Ctx<'_>, line: &[u8], newline: bool) -> Go {
        let mut text = line.to_vec();
        if newline {
            text.push(b'\n');
        }
        if self.bytes.is_some() {
            self.all.extend_from_slice(&text);
            return if self.all.len() > MAX_KEPT { Go::NextFile } else { Go::On };
        }
        if self.left < 0 {
            self.kept.push_back(text);
            if i64::try_from(self.kept.len()).unwrap_or(0) > -self.left
                && let Some(l) = self.kept.pop_front()
            {
                ctx.out(l);
            }
            return Go::On;
        }
        ctx.out(text);
        self.left -= 1;
        if self.left == 0 { Go::NextFile } else { Go::On }
    }

    fn close(&mut self, ctx: &mut Ctx<'_>) -> Go {
        if let Some(n) = self.bytes {
            let len = i64::try_from(self.all.len()).unwrap_or(0);
            let n = if n < 0 { (len + n).max(0) } else { n.min(len) };
            let end = usize::try_from(n).unwrap_or(0);
            ctx.out(self.all.get(..end).unwrap_or_default());
        }
        Go::On
    }

    fn open_error(&self, ctx: &Ctx<'_>, name: &str, e: Errno) -> String {
        gnu_open(ctx.family(), name, e)
    }
}

/// `head -c n`: bytes as they are, without keeping them.
#[derive(Clone, Debug)]
struct HeadBytes {
    left: u64,
    file: Option<String>,
    fd: Option<u32>,
}

impl Program for HeadBytes {
    fn step(&mut self, ctx: &mut Ctx<'_>) -> Step {
        let fd = match self.fd {
            Some(fd) => fd,
            None => {
                let fd = match self.file.as_deref() {
                    None | Some("-") => 0,
                    Some(f) => match ctx.open(f) {
                        Ok(fd) => fd,
                        Err(e) => {
                            let text = gnu_open(ctx.family(), f, e);
                            return Step::Exit(ctx.fail(1, text));
                        }
                    },
                };
                self.fd = Some(fd);
                fd
            }
        };
        if self.left == 0 {
            return Step::Exit(super::finish(ctx, 0));
        }
        let max = usize::try_from(self.left).unwrap_or(usize::MAX).min(1 << 16);
        match ctx.read(fd, max) {
            Read::Data(d) => {
                self.left -= d.len() as u64;
                ctx.out(d);
                if ctx.core.write_error.is_some() {
                    return Step::Exit(super::finish(ctx, 0));
                }
                Step::Ran
            }
            Read::Blocked => Step::Block(Wait::readable(fd)),
            _ => Step::Exit(super::finish(ctx, 0)),
        }
    }
    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}
