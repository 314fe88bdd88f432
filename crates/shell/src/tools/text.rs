//! `cut`, `wc`, `tac`, `rev`, `nl`, `fold`: tools that go line by line.

use super::lines::{Filter, Go, Lines, MAX_KEPT, deferred};
use super::options;
use crate::context::Ctx;
use crate::process::{Family, Program};

// cut

#[derive(Clone, Debug)]
struct Cut {
    ranges: Vec<(usize, usize)>,
    fields: bool,
    delimiter: u8,
    joiner: Vec<u8>,
    only_delimited: bool,
    complement: bool,
}

pub(super) fn cut(args: &[String], _: Family) -> Box<dyn Program> {
    deferred(args, |ctx, args| {
        let long = [
            ("delimiter", 'd'),
            ("fields", 'f'),
            ("characters", 'c'),
            ("bytes", 'b'),
            ("only-delimited", 's'),
            ("complement", 'C'),
            ("output-delimiter", 'O'),
        ];
        let o = options(ctx, args, "d:f:c:b:snO:C", &long)?;
        let list = o.value('f').or_else(|| o.value('c')).or_else(|| o.value('b'));
        let Some(list) = list else {
            let text = if ctx.is_busybox() {
                "expected a list of bytes, characters, or fields".to_owned()
            } else {
                "you must specify a list of bytes, characters, or fields\nTry 'cut --help' for more information.".to_owned()
            };
            return Err(ctx.fail(1, text));
        };
        let mut ranges = Vec::new();
        for part in list.split([',', ' ']) {
            let range = match part.split_once('-') {
                None => part.parse().ok().map(|n: usize| (n, n)),
                Some((a, b)) => {
                    let low = if a.is_empty() { Some(1) } else { a.parse().ok() };
                    let high = if b.is_empty() { Some(usize::MAX) } else { b.parse().ok() };
                    low.zip(high)
                }
            };
            match range {
                Some((a, b)) if a > 0 && a <= b => ranges.push((a, b)),
                _ => {
                    let text = if ctx.is_busybox() {
                        format!("invalid range {part}-{part}")
                    } else {
                        format!("invalid field value '{part}'")
                    };
                    return Err(ctx.fail(1, text));
                }
            }
        }
        let d = o.value('d').unwrap_or("\t");
        if d.chars().count() > 1 && !ctx.is_busybox() {
            ctx.fail(1, "the delimiter must be a single character");
            ctx.err("Try 'cut --help' for more information.\n");
            return Err(1);
        }
        let delimiter = d.bytes().next().unwrap_or(0);
        let joiner = o.value('O').map_or_else(|| vec![delimiter], |s| s.as_bytes().to_vec());
        let cut = Cut {
            ranges,
            fields: o.has('f'),
            delimiter,
            joiner,
            only_delimited: o.has('s'),
            complement: o.has('C'),
        };
        Ok(Lines::boxed(cut, o.operands))
    })
}

impl Cut {
    fn wanted(&self, i: usize) -> bool {
        self.ranges.iter().any(|(a, b)| *a <= i && i <= *b) != self.complement
    }
}

impl Filter for Cut {
    fn line(&mut self, ctx: &mut Ctx<'_>, line: &[u8], _: bool) -> Go {
        let mut out = Vec::new();
        if self.fields {
            if !line.contains(&self.delimiter) {
                if self.only_delimited {
                    return Go::On;
                }
                out.extend_from_slice(line);
            } else {
                let mut first = true;
                for (i, f) in line.split(|b| *b == self.delimiter).enumerate() {
                    if self.wanted(i + 1) {
                        if !first {
                            out.extend_from_slice(&self.joiner);
                        }
                        first = false;
                        out.extend_from_slice(f);
                    }
                }
            }
        } else {
            out.extend(line.iter().enumerate().filter(|(i, _)| self.wanted(i + 1)).map(|(_, b)| *b));
        }
        out.push(b'\n');
        ctx.out(out);
        Go::On
    }
}

// wc

#[derive(Clone, Debug, Default)]
struct Wc {
    show: [bool; 5],
    counts: [u64; 5],
    total: [u64; 5],
    files: u32,
    name: String,
    rows: Vec<([u64; 5], String)>,
    operands: usize,
}

pub(super) fn wc(args: &[String], _: Family) -> Box<dyn Program> {
    deferred(args, |ctx, args| {
        let o = options(
            ctx,
            args,
            "lwcmL",
            &[("lines", 'l'), ("words", 'w'), ("bytes", 'c'), ("chars", 'm'), ("max-line-length", 'L')],
        )?;
        let mut show = ['l', 'w', 'm', 'c', 'L'].map(|c| o.has(c));
        if show == [false; 5] {
            show = [true, true, false, true, false];
        }
        Ok(Lines::boxed(Wc { show, operands: o.operands.len(), ..Wc::default() }, o.operands))
    })
}

impl Filter for Wc {
    fn open(&mut self, _: &mut Ctx<'_>, name: &str) -> Go {
        self.counts = [0; 5];
        self.name = if self.operands == 0 { String::new() } else { name.to_owned() };
        self.files += 1;
        Go::On
    }

    fn line(&mut self, _: &mut Ctx<'_>, line: &[u8], newline: bool) -> Go {
        let [lines, words, chars, bytes, longest] = &mut self.counts;
        let text = String::from_utf8_lossy(line);
        let n = text.chars().count() as u64;
        *lines += u64::from(newline);
        *words += text.split_whitespace().count() as u64;
        *chars += n + u64::from(newline);
        *bytes += line.len() as u64 + u64::from(newline);
        *longest = (*longest).max(n);
        Go::On
    }

    fn close(&mut self, _: &mut Ctx<'_>) -> Go {
        for (t, c) in self.total.iter_mut().zip(self.counts) {
            *t += c;
        }
        self.rows.push((self.counts, self.name.clone()));
        Go::On
    }

    fn end(&mut self, ctx: &mut Ctx<'_>, failed: bool) -> i32 {
        let mut rows = std::mem::take(&mut self.rows);
        if self.operands > 1 {
            rows.push((self.total, "total".to_owned()));
        }
        let shown = self.show.iter().filter(|s| **s).count();
        let busybox = ctx.is_busybox();
        let width = if shown == 1 && self.operands < 2 {
            0
        } else if busybox {
            9
        } else if self.operands == 0 {
            7
        } else {
            // Wide enough for the sum of all bytes.
            self.total.get(3).map_or(1, |b| b.to_string().len())
        };
        let mut out = String::new();
        for (counts, name) in rows {
            let cells: Vec<String> = counts
                .iter()
                .zip(self.show)
                .filter(|(_, s)| *s)
                .map(|(n, _)| format!("{n:>width$}"))
                .collect();
            out.push_str(&cells.join(" "));
            if !name.is_empty() {
                out.push(' ');
                out.push_str(&name);
            }
            out.push('\n');
        }
        ctx.out(out);
        i32::from(failed)
    }
}

// tac, rev, nl

#[derive(Clone, Debug)]
struct Tac {
    lines: Vec<Vec<u8>>,
    bytes: usize,
}

impl Filter for Tac {
    fn line(&mut self, _: &mut Ctx<'_>, line: &[u8], newline: bool) -> Go {
        self.bytes += line.len();
        if self.bytes < MAX_KEPT {
            let mut l = line.to_vec();
            if newline {
                l.push(b'\n');
            }
            self.lines.push(l);
        }
        Go::On
    }
    fn close(&mut self, ctx: &mut Ctx<'_>) -> Go {
        let mut out = Vec::new();
        for l in std::mem::take(&mut self.lines).into_iter().rev() {
            out.extend(l);
        }
        ctx.out(out);
        Go::On
    }
}

pub(super) fn tac(args: &[String], _: Family) -> Box<dyn Program> {
    Lines::boxed(Tac { lines: Vec::new(), bytes: 0 }, args.get(1..).unwrap_or_default().to_vec())
}

#[derive(Clone, Debug)]
struct Rev;

impl Filter for Rev {
    fn line(&mut self, ctx: &mut Ctx<'_>, line: &[u8], newline: bool) -> Go {
        let mut text: String = String::from_utf8_lossy(line).chars().rev().collect();
        if newline {
            text.push('\n');
        }
        ctx.out(text);
        Go::On
    }
}

pub(super) fn rev(args: &[String], _: Family) -> Box<dyn Program> {
    Lines::boxed(Rev, args.get(1..).unwrap_or_default().to_vec())
}

#[derive(Clone, Debug)]
struct Nl {
    all: bool,
    n: u64,
}

impl Filter for Nl {
    fn line(&mut self, ctx: &mut Ctx<'_>, line: &[u8], _: bool) -> Go {
        let text = String::from_utf8_lossy(line).into_owned();
        if text.is_empty() && !self.all {
            ctx.out("       \n");
        } else {
            self.n += 1;
            let out = format!("{:>6}\t{text}\n", self.n);
            ctx.out(out);
        }
        Go::On
    }
}

pub(super) fn nl(args: &[String], _: Family) -> Box<dyn Program> {
    deferred(args, |ctx, args| {
        let o = options(ctx, args, "b:w:s:v:i:n:", &[])?;
        Ok(Lines::boxed(Nl { all: o.value('b') == Some("a"), n: 0 }, o.operands))
    })
}

#[derive(Clone, Debug)]
struct Fold(usize);

impl Filter for Fold {
    fn line(&mut self, ctx: &mut Ctx<'_>, line: &[u8], newline: bool) -> Go {
        let text: Vec<char> = String::from_utf8_lossy(line).chars().collect();
        let mut out =
            text.chunks(self.0.max(1)).map(|c| c.iter().collect::<String>()).collect::<Vec<_>>().join("\n");
        if newline {
            out.push('\n');
        }
        ctx.out(out);
        Go::On
    }
}

pub(super) fn fold(args: &[String], _: Family) -> Box<dyn Program> {
    deferred(args, |ctx, args| {
        let o = options(ctx, args, "w:sb", &[("width", 'w'), ("spaces", 's')])?;
        let w = o.value('w').and_then(|w| w.parse().ok()).unwrap_or(80);
        Ok(Lines::boxed(Fold(w), o.operands))
    })
}
