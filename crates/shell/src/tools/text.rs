//! `cut`, `sort`, `uniq`, `wc`, `head`, `tac`, `rev`, `nl`, `tee`, `tr`, `fold`.

use super::lines::{Filter, Go, Lines, deferred, gnu_open};
use super::{Options, options, size};
use crate::context::{Ctx, Read};
use crate::fs::Errno;
use crate::process::{Family, Program, Step, Wait};
use std::cmp::Ordering;

/// Most bytes a collecting tool keeps.
const MAX_KEPT: usize = 8 << 20;

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

// sort

#[derive(Clone, Debug)]
struct Key {
    field: usize,
    char: usize,
    end_field: usize,
    numeric: bool,
    reverse: bool,
    fold: bool,
    blanks: bool,
    human: bool,
}

#[derive(Clone, Debug)]
struct Sort {
    lines: Vec<String>,
    bytes: usize,
    reverse: bool,
    numeric: bool,
    human: bool,
    version: bool,
    unique: bool,
    fold: bool,
    blanks: bool,
    check: bool,
    stable: bool,
    separator: Option<char>,
    keys: Vec<Key>,
    output: Option<String>,
}

pub(super) fn sort(args: &[String], _: Family) -> Box<dyn Program> {
    deferred(args, |ctx, args| {
        let long = [
            ("reverse", 'r'),
            ("numeric-sort", 'n'),
            ("unique", 'u'),
            ("key", 'k'),
            ("field-separator", 't'),
            ("ignore-case", 'f'),
            ("output", 'o'),
            ("human-numeric-sort", 'h'),
            ("version-sort", 'V'),
        ];
        let o = options(ctx, args, "rnufbk:t:o:hgVscCMdiz", &long)?;
        let mut keys = Vec::new();
        for k in o.values('k') {
            let (start, end) = k.split_once(',').map_or((k.as_str(), None), |(a, b)| (a, Some(b)));
            let digits = |s: &str| {
                s.chars().take_while(char::is_ascii_digit).collect::<String>().parse::<usize>().unwrap_or(0)
            };
            let letters: String = k.chars().filter(char::is_ascii_alphabetic).collect();
            let char = start.split_once('.').map_or(1, |(_, c)| digits(c).max(1));
            keys.push(Key {
                field: digits(start).max(1),
                char,
                end_field: end.map_or(usize::MAX, digits),
                numeric: letters.contains(['n', 'g']) || (letters.is_empty() && (o.has('n') || o.has('g'))),
                reverse: letters.contains('r') || (letters.is_empty() && o.has('r')),
                fold: letters.contains('f'),
                blanks: letters.contains('b') || o.has('b'),
                human: letters.contains('h') || (letters.is_empty() && o.has('h')),
            });
        }
        let s = Sort {
            lines: Vec::new(),
            bytes: 0,
            reverse: o.has('r'),
            numeric: o.has('n') || o.has('g'),
            human: o.has('h'),
            version: o.has('V'),
            unique: o.has('u'),
            fold: o.has('f'),
            blanks: o.has('b'),
            check: o.has('c') || o.has('C'),
            stable: o.has('s'),
            separator: o.value('t').and_then(|t| if t == "\\t" { Some('\t') } else { t.chars().next() }),
            keys,
            output: o.value('o').map(str::to_owned),
        };
        Ok(Lines::boxed(s, o.operands))
    })
}

/// The number at the front of a text.
fn leading_number(s: &str) -> f64 {
    let t = s.trim_start();
    let end = t
        .char_indices()
        .find(|(i, c)| !(c.is_ascii_digit() || *c == '.' || (*i == 0 && *c == '-')))
        .map_or(t.len(), |(i, _)| i);
    t.get(..end).and_then(|n| n.parse().ok()).unwrap_or(0.0)
}

fn human_number(s: &str) -> f64 {
    let t = s.trim();
    let factor = match t.chars().find(|c| c.is_ascii_alphabetic()) {
        Some('k' | 'K') => 1024.0,
        Some('M') => 1_048_576.0,
        Some('G') => 1_073_741_824.0,
        Some('T') => 1_099_511_627_776.0,
        _ => 1.0,
    };
    leading_number(t) * factor
}

fn version_cmp(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    loop {
        let digits = |s: &str| s.find(|c: char| !c.is_ascii_digit()).unwrap_or(s.len());
        let text = |s: &str| s.find(|c: char| c.is_ascii_digit()).unwrap_or(s.len());
        let (ta, ra) = a.split_at(text(a));
        let (tb, rb) = b.split_at(text(b));
        let (na, ra) = ra.split_at(digits(ra));
        let (nb, rb) = rb.split_at(digits(rb));
        let by_number = || {
            let (x, y) = (na.trim_start_matches('0'), nb.trim_start_matches('0'));
            x.len().cmp(&y.len()).then(x.cmp(y))
        };
        let order = ta.cmp(tb).then_with(by_number);
        if order != Ordering::Equal || (ra.is_empty() && rb.is_empty()) {
            return order;
        }
        (a, b) = (ra, rb);
    }
}

impl Sort {
    fn field(&self, line: &str, k: &Key) -> String {
        let text: String = match self.separator {
            Some(sep) => {
                let parts: Vec<&str> = line.split(sep).collect();
                let last = k.end_field.min(parts.len());
                parts.get(k.field - 1..last.max(k.field - 1)).unwrap_or_default().join(&sep.to_string())
            }
            None => {
                // Blanks before a field belong to it.
                let mut starts = vec![0];
                let mut blank = true;
                for (i, c) in line.char_indices() {
                    let b = c == ' ' || c == '\t';
                    if b && !blank {
                        starts.push(i);
                    }
                    blank = b;
                }
                let start = starts.get(k.field - 1).copied().unwrap_or(line.len());
                let end = if k.end_field == usize::MAX {
                    line.len()
                } else {
                    starts.get(k.end_field).copied().unwrap_or(line.len())
                };
                line.get(start..end.max(start)).unwrap_or_default().to_owned()
            }
        };
        let text = if k.blanks || k.numeric { text.trim_start().to_owned() } else { text };
        text.chars().skip(k.char - 1).collect()
    }

    fn compare_keys(&self, a: &str, b: &str) -> Ordering {
        for k in &self.keys {
            let (x, y) = (self.field(a, k), self.field(b, k));
            let order = if k.human {
                human_number(&x).total_cmp(&human_number(&y))
            } else if k.numeric {
                leading_number(&x).total_cmp(&leading_number(&y))
            } else if k.fold || self.fold {
                x.to_uppercase().cmp(&y.to_uppercase())
            } else if self.version {
                version_cmp(&x, &y)
            } else {
                x.cmp(&y)
            };
            let order = if k.reverse { order.reverse() } else { order };
            if order != Ordering::Equal {
                return order;
            }
        }
        Ordering::Equal
    }

    fn compare(&self, a: &str, b: &str) -> Ordering {
        if !self.keys.is_empty() {
            return self.compare_keys(a, b);
        }
        let (x, y) = if self.blanks { (a.trim_start(), b.trim_start()) } else { (a, b) };
        let order = if self.human {
            human_number(x).total_cmp(&human_number(y))
        } else if self.numeric {
            leading_number(x).total_cmp(&leading_number(y))
        } else if self.version {
            version_cmp(x, y)
        } else if self.fold {
            x.to_uppercase().cmp(&y.to_uppercase())
        } else {
            x.cmp(y)
        };
        if self.reverse { order.reverse() } else { order }
    }
}

impl Filter for Sort {
    fn line(&mut self, _: &mut Ctx<'_>, line: &[u8], _: bool) -> Go {
        self.bytes += line.len();
        if self.bytes < MAX_KEPT {
            self.lines.push(String::from_utf8_lossy(line).into_owned());
        }
        Go::On
    }

    fn end(&mut self, ctx: &mut Ctx<'_>, failed: bool) -> i32 {
        if failed {
            return 2;
        }
        let mut lines = std::mem::take(&mut self.lines);
        if self.check {
            return i32::from(lines.windows(2).any(|w| match w {
                [a, b] => self.compare(a, b) == Ordering::Greater,
                _ => false,
            }));
        }
        lines.sort_by(|a, b| {
            self.compare(a, b).then_with(|| {
                if self.stable || self.unique {
                    Ordering::Equal
                } else if self.reverse {
                    b.cmp(a)
                } else {
                    a.cmp(b)
                }
            })
        });
        if self.unique {
            lines.dedup_by(|a, b| self.compare(a, b) == Ordering::Equal);
        }
        let mut text = lines.join("\n");
        if !lines.is_empty() {
            text.push('\n');
        }
        match &self.output {
            Some(f) => {
                if let Err(e) = ctx.write_file(f, text.as_bytes(), false) {
                    return ctx.fail(2, format!("open failed: {f}: {e}"));
                }
            }
            None => ctx.out(text),
        }
        0
    }

    fn open_error(&self, ctx: &Ctx<'_>, name: &str, e: Errno) -> String {
        if ctx.is_busybox() { format!("{name}: {e}") } else { format!("cannot read: {name}: {e}") }
    }

    fn memory(&self) -> u64 {
        self.bytes as u64
    }
}

// uniq

#[derive(Clone, Debug)]
struct Uniq {
    count: bool,
    repeated: bool,
    unique: bool,
    fold: bool,
    skip_fields: usize,
    current: Option<(String, u64)>,
}

pub(super) fn uniq(args: &[String], _: Family) -> Box<dyn Program> {
    deferred(args, |ctx, args| {
        let o = options(
            ctx,
            args,
            "cduif:s:w:",
            &[("count", 'c'), ("repeated", 'd'), ("unique", 'u'), ("ignore-case", 'i')],
        )?;
        let u = Uniq {
            count: o.has('c'),
            repeated: o.has('d'),
            unique: o.has('u'),
            fold: o.has('i'),
            skip_fields: o.value('f').and_then(|f| f.parse().ok()).unwrap_or(0),
            current: None,
        };
        Ok(Lines::boxed(u, o.operands.into_iter().take(1).collect()))
    })
}

impl Uniq {
    fn key(&self, s: &str) -> String {
        let s = if self.skip_fields > 0 {
            s.split_whitespace().skip(self.skip_fields).collect::<Vec<_>>().join(" ")
        } else {
            s.to_owned()
        };
        if self.fold { s.to_lowercase() } else { s }
    }

    fn flush(&mut self, ctx: &mut Ctx<'_>) {
        let Some((text, n)) = self.current.take() else { return };
        if (self.repeated && n < 2) || (self.unique && n > 1) {
            return;
        }
        let line = if self.count { format!("{n:>7} {text}\n") } else { format!("{text}\n") };
        ctx.out(line);
    }
}

impl Filter for Uniq {
    fn line(&mut self, ctx: &mut Ctx<'_>, line: &[u8], _: bool) -> Go {
        let text = String::from_utf8_lossy(line).into_owned();
        let same = self.current.as_ref().is_some_and(|(c, _)| self.key(c) == self.key(&text));
        if same {
            if let Some((_, n)) = &mut self.current {
                *n += 1;
            }
        } else {
            self.flush(ctx);
            self.current = Some((text, 1));
        }
        Go::On
    }

    fn end(&mut self, ctx: &mut Ctx<'_>, failed: bool) -> i32 {
        self.flush(ctx);
        i32::from(failed)
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

// head

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

// tee

#[derive(Clone, Debug)]
struct Tee {
    files: Vec<u32>,
    code: i32,
}

pub(super) fn tee(args: &[String], _: Family) -> Box<dyn Program> {
    deferred(args, |ctx, args| {
        let o = options(ctx, args, "ai", &[("append", 'a')])?;
        let mut t = Tee { files: Vec::new(), code: 0 };
        for f in &o.operands {
            match ctx.open_write(f, o.has('a')) {
                Ok(fd) => t.files.push(fd),
                Err(e) => t.code = ctx.fail(1, format!("{f}: {e}")),
            }
        }
        Ok(Box::new(t))
    })
}

impl Program for Tee {
    fn step(&mut self, ctx: &mut Ctx<'_>) -> Step {
        match ctx.read(0, 1 << 16) {
            Read::Blocked => Step::Block(Wait::readable(0)),
            Read::Data(d) => {
                ctx.out(&d);
                for fd in self.files.clone() {
                    if let Err(e) = ctx.write(fd, &d) {
                        self.code = ctx.fail(1, format!("write error: {e}"));
                    }
                }
                Step::Ran
            }
            _ => Step::Exit(super::finish(ctx, self.code)),
        }
    }
    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}

// tr

#[derive(Clone, Debug)]
struct Tr {
    from: Vec<u8>,
    to: Vec<u8>,
    delete: bool,
    squeeze: Option<Vec<u8>>,
    complement: bool,
    last: Option<u8>,
}

fn tr_set(text: &str) -> Vec<u8> {
    type Class = (&'static str, fn(&u8) -> bool);
    let classes: [Class; 9] = [
        ("[:alpha:]", u8::is_ascii_alphabetic),
        ("[:digit:]", u8::is_ascii_digit),
        ("[:alnum:]", u8::is_ascii_alphanumeric),
        ("[:upper:]", u8::is_ascii_uppercase),
        ("[:lower:]", u8::is_ascii_lowercase),
        ("[:space:]", |b| b.is_ascii_whitespace() || *b == 11),
        ("[:blank:]", |b| *b == b' ' || *b == b'\t'),
        ("[:punct:]", u8::is_ascii_punctuation),
        ("[:print:]", |b| (32..127).contains(b)),
    ];
    let mut out = Vec::new();
    let mut rest = text;
    'next: while !rest.is_empty() {
        for (name, test) in classes {
            if let Some(r) = rest.strip_prefix(name) {
                out.extend((0..=255_u8).filter(test));
                rest = r;
                continue 'next;
            }
        }
        let one = |s: &str| -> (u8, usize) {
            let bytes = s.as_bytes();
            if bytes.first() == Some(&b'\\') && bytes.len() > 1 {
                let octal = bytes
                    .get(1..)
                    .unwrap_or_default()
                    .iter()
                    .take(3)
                    .take_while(|b| (b'0'..=b'7').contains(b))
                    .count();
                let len = if octal > 0 { 1 + octal } else { 2 };
                let (b, _) = super::escapes(s.get(..len).unwrap_or(s), true);
                let b = if b.len() == 2 { b.get(1).copied() } else { b.first().copied() };
                return (b.unwrap_or(b'\\'), len);
            }
            (bytes.first().copied().unwrap_or(0), 1)
        };
        let (a, n) = one(rest);
        let after = rest.get(n..).unwrap_or_default();
        if let Some(tail) = after.strip_prefix('-').filter(|t| !t.is_empty()) {
            let (b, m) = one(tail);
            out.extend(a..=b);
            rest = tail.get(m..).unwrap_or_default();
            continue;
        }
        out.push(a);
        // A character of several bytes is taken byte by byte.
        match rest.get(n..) {
            Some(r) => rest = r,
            None => {
                let c = rest.chars().next().map_or(1, char::len_utf8);
                out.extend(rest.bytes().skip(1).take(c - 1));
                rest = rest.get(c..).unwrap_or_default();
            }
        }
    }
    out
}

pub(super) fn tr(args: &[String], _: Family) -> Box<dyn Program> {
    deferred(args, |ctx, args| {
        let o =
            options(ctx, args, "dscCt", &[("delete", 'd'), ("squeeze-repeats", 's'), ("complement", 'c')])?;
        let Some(first) = o.operands.first() else { return Err(super::missing_operand(ctx)) };
        let second = o.operands.get(1).map(|s| tr_set(s));
        if second.is_none() && !o.has('d') && !o.has('s') {
            let text = if ctx.is_busybox() {
                super::busybox_usage("tr")
            } else {
                format!(
                    "tr: missing operand after ‘{first}’\nTwo strings must be given when translating.\nTry 'tr --help' for more information.\n"
                )
            };
            ctx.err(text);
            return Err(1);
        }
        let complement = o.has('c') || o.has('C');
        let mut from = tr_set(first);
        if complement {
            from = (0..=255_u8).filter(|b| !from.contains(b)).collect();
        }
        let squeeze = o.has('s').then(|| second.clone().unwrap_or_else(|| from.clone()));
        Ok(Box::new(Tr {
            to: if o.has('d') { Vec::new() } else { second.unwrap_or_default() },
            from,
            delete: o.has('d'),
            squeeze,
            complement,
            last: None,
        }))
    })
}

impl Program for Tr {
    fn step(&mut self, ctx: &mut Ctx<'_>) -> Step {
        match ctx.read(0, 1 << 14) {
            Read::Blocked => Step::Block(Wait::readable(0)),
            Read::Data(d) => {
                let mut out = Vec::with_capacity(d.len());
                for b in d {
                    let mut b = b;
                    if let Some(i) = self.from.iter().position(|f| *f == b) {
                        if self.delete {
                            continue;
                        }
                        let mapped =
                            if self.complement { self.to.last() } else { self.to.get(i).or(self.to.last()) };
                        b = mapped.copied().unwrap_or(b);
                    }
                    if let Some(s) = &self.squeeze
                        && self.last == Some(b)
                        && s.contains(&b)
                    {
                        continue;
                    }
                    self.last = Some(b);
                    out.push(b);
                }
                ctx.out(out);
                Step::Ran
            }
            _ => Step::Exit(super::finish(ctx, 0)),
        }
    }
    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}
