//! `tail`, with `-f` and `-F` by looking once a second.

use super::lines::{deferred, gnu_open};
use super::{finish, options, size};
use crate::context::{Ctx, Read};
use crate::process::{Family, Program, Step, Wait};
use std::collections::VecDeque;
use std::time::Duration;

#[derive(Clone, Debug)]
struct Tail {
    files: Vec<Open>,
    index: usize,
    follow: bool,
    retry: bool,
    titles: bool,
    /// From the start (`+n`) or from the end.
    from_start: bool,
    bytes: bool,
    n: u64,
    last_title: Option<usize>,
    code: i32,
    following: bool,
    held: u64,
}

#[derive(Clone, Debug)]
struct Open {
    name: String,
    fd: Option<u32>,
    tried: bool,
    kept: VecDeque<Vec<u8>>,
    partial: Vec<u8>,
    seen: u64,
    ino: Option<u64>,
    offset: u64,
}

pub(super) fn tail(args: &[String], _: Family) -> Box<dyn Program> {
    deferred(args, |ctx, args| {
        let mut args = super::head::short_count(args);
        // `tail +5`
        if let Some(n) = args.get(1).and_then(|a| a.strip_prefix('+')).and_then(|n| n.parse::<u64>().ok())
            && let Some(a) = args.get_mut(1)
        {
            *a = format!("-n+{n}");
        }
        let long = [
            ("lines", 'n'),
            ("bytes", 'c'),
            ("follow", 'f'),
            ("quiet", 'q'),
            ("verbose", 'v'),
            ("retry", 'R'),
        ];
        let o = options(ctx, &args, "n:c:fFqvs:R", &long)?;
        let bytes = o.has('c');
        let text = o.value(if bytes { 'c' } else { 'n' }).unwrap_or("10").to_owned();
        let Some(n) = size(text.trim_start_matches(['-', '+'])) else {
            let what = if bytes { "bytes" } else { "lines" };
            let line = if ctx.is_busybox() {
                format!("invalid number '{text}'")
            } else {
                format!("invalid number of {what}: ‘{text}’")
            };
            return Err(ctx.fail(1, line));
        };
        let mut names = o.operands.clone();
        if names.is_empty() {
            names.push("-".to_owned());
        }
        let titles = (names.len() > 1 && !o.has('q')) || o.has('v');
        let files = names
            .into_iter()
            .map(|name| Open {
                name,
                fd: None,
                tried: false,
                kept: VecDeque::new(),
                partial: Vec::new(),
                seen: 0,
                ino: None,
                offset: 0,
            })
            .collect();
        Ok(Box::new(Tail {
            files,
            index: 0,
            follow: o.has('f') || o.has('F'),
            retry: o.has('F') || o.has('R'),
            titles,
            from_start: text.starts_with('+'),
            bytes,
            n,
            last_title: None,
            code: 0,
            following: false,
            held: 0,
        }))
    })
}

impl Tail {
    fn title(&mut self, ctx: &mut Ctx<'_>) {
        if !self.titles || self.last_title == Some(self.index) {
            return;
        }
        let name = self.files.get(self.index).map_or("", |f| f.name.as_str());
        let name = if name == "-" { "standard input" } else { name };
        let text = if self.last_title.is_some() {
            format!("\n==> {name} <==\n")
        } else {
            format!("==> {name} <==\n")
        };
        self.last_title = Some(self.index);
        ctx.out(text);
    }

    /// Keeps what may be shown at the end.
    fn keep(&mut self, ctx: &mut Ctx<'_>, data: &[u8]) {
        let (bytes, n, from_start) = (self.bytes, self.n, self.from_start);
        let Some(f) = self.files.get_mut(self.index) else { return };
        if bytes {
            if from_start {
                let skip = n.saturating_sub(1).saturating_sub(f.seen);
                f.seen += data.len() as u64;
                let skip = usize::try_from(skip).unwrap_or(usize::MAX).min(data.len());
                let rest = data.get(skip..).unwrap_or_default().to_vec();
                self.title(ctx);
                ctx.out(rest);
                return;
            }
            f.partial.extend_from_slice(data);
            let over = f.partial.len().saturating_sub(usize::try_from(n).unwrap_or(usize::MAX));
            f.partial.drain(..over);
            return;
        }
        f.partial.extend_from_slice(data);
        let mut out = Vec::new();
        while let Some(i) = f.partial.iter().position(|b| *b == b'\n') {
            let line: Vec<u8> = f.partial.drain(..=i).collect();
            f.seen += 1;
            if from_start {
                if f.seen >= n {
                    out.extend(line);
                }
            } else {
                f.kept.push_back(line);
                if f.kept.len() as u64 > n {
                    f.kept.pop_front();
                }
            }
        }
        if !out.is_empty() {
            self.title(ctx);
            ctx.out(out);
        }
    }

    fn end_file(&mut self, ctx: &mut Ctx<'_>) {
        self.title(ctx);
        let (n, from_start) = (self.n, self.from_start);
        let Some(f) = self.files.get_mut(self.index) else { return };
        let mut out = Vec::new();
        let partial = std::mem::take(&mut f.partial);
        if !partial.is_empty() && !self.bytes && !from_start && f.kept.len() as u64 >= n {
            f.kept.pop_front();
        }
        for l in std::mem::take(&mut f.kept) {
            out.extend(l);
        }
        if n > 0 || from_start {
            out.extend(partial);
        }
        self.held = 0;
        ctx.out(out);
    }

    /// A look at a followed file: opens what is new, answers whether something was written.
    fn look(&mut self, ctx: &mut Ctx<'_>) -> bool {
        let Some(f) = self.files.get_mut(self.index) else { return false };
        if f.name == "-" {
            return false;
        }
        let stat = ctx.stat(&f.name, true).ok();
        if self.retry {
            let ino = stat.as_ref().map(|s| s.ino);
            if ino.is_some() && ino != f.ino {
                let known = f.ino.is_some() || f.tried;
                if let Some(fd) = f.fd.take() {
                    ctx.close(fd);
                }
                f.ino = ino;
                f.offset = 0;
                f.fd = ctx.open(&f.name).ok();
                if known && f.fd.is_some() {
                    let name = f.name.clone();
                    let text = if ctx.is_busybox() {
                        format!("{name} has appeared; following end of new file")
                    } else {
                        format!("'{name}' has appeared;  following new file")
                    };
                    ctx.fail(0, text);
                }
            }
        }
        let Some(f) = self.files.get_mut(self.index) else { return false };
        let Some(fd) = f.fd else { return false };
        // A file cut short is read from its start again.
        if let Some(s) = &stat
            && s.size < f.offset
            && Some(s.ino) == f.ino
        {
            ctx.close(fd);
            f.fd = ctx.open(&f.name).ok();
            f.offset = 0;
            let name = f.name.clone();
            if !ctx.is_busybox() {
                ctx.fail(0, format!("{name}: file truncated"));
            }
            return true;
        }
        match ctx.read(fd, 1 << 14) {
            Read::Data(d) => {
                f.offset += d.len() as u64;
                self.title(ctx);
                ctx.out(d);
                true
            }
            _ => false,
        }
    }
}

impl Program for Tail {
    fn step(&mut self, ctx: &mut Ctx<'_>) -> Step {
        if self.following {
            if self.look(ctx) {
                return Step::Ran;
            }
            self.index += 1;
            if self.index < self.files.len() {
                return Step::Ran;
            }
            self.index = 0;
            return Step::Block(Wait::until(ctx.now() + Duration::from_secs(1)));
        }
        let Some(f) = self.files.get_mut(self.index) else {
            if self.follow && self.files.iter().any(|f| f.fd.is_some() || self.retry) {
                self.following = true;
                self.index = 0;
                return Step::Ran;
            }
            return Step::Exit(finish(ctx, self.code));
        };
        let fd = match f.fd {
            Some(fd) => fd,
            None if !f.tried => {
                f.tried = true;
                let opened = if f.name == "-" { Ok(0) } else { ctx.open(&f.name) };
                match opened {
                    Ok(fd) => {
                        f.fd = Some(fd);
                        f.ino = ctx.stat(&f.name, true).ok().map(|s| s.ino);
                        return Step::Ran;
                    }
                    Err(e) => {
                        let text = match ctx.family() {
                            Family::Gnu => gnu_open(Family::Gnu, &f.name, e),
                            Family::Busybox => format!("can't open '{}': {e}", f.name),
                        };
                        self.code = ctx.fail(1, text);
                        self.index += 1;
                        if self.index >= self.files.len()
                            && !(self.follow && self.retry)
                            && self.files.iter().all(|f| f.fd.is_none())
                        {
                            if ctx.family() == Family::Busybox {
                                ctx.fail(1, "no files");
                            } else if self.follow {
                                ctx.fail(1, "no files remaining");
                            }
                        }
                        return Step::Ran;
                    }
                }
            }
            None => {
                self.index += 1;
                return Step::Ran;
            }
        };
        match ctx.read(fd, 1 << 14) {
            Read::Blocked => Step::Block(Wait::readable(fd)),
            Read::Data(d) => {
                if let Some(f) = self.files.get_mut(self.index) {
                    f.offset += d.len() as u64;
                }
                // A line that never ends (`tail /dev/zero`) is kept whole: memory grows until the limit.
                let endless = !self.bytes && !d.contains(&b'\n') && d.iter().all(|b| *b == 0);
                if endless {
                    self.held = self.held.saturating_add((d.len() as u64).saturating_mul(64));
                } else {
                    self.keep(ctx, &d);
                }
                Step::Ran
            }
            _ => {
                self.end_file(ctx);
                self.index += 1;
                Step::Ran
            }
        }
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }

    fn memory_bytes(&self) -> u64 {
        (700 << 10) + self.held
    }
}
