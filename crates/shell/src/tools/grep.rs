//! `grep`, `egrep`, `fgrep`.

use super::lines::{Filter, Go, Lines, deferred};
use super::options;
use crate::context::Ctx;
use crate::fs::Errno;
use crate::process::{Family, Program};
use crate::regex::{Regex, Search};
use std::collections::VecDeque;

#[derive(Clone, Debug)]
struct Grep {
    patterns: Vec<Regex>,
    invert: bool,
    count: bool,
    names: bool,
    list: bool,
    list_without: bool,
    quiet: bool,
    number: bool,
    only: bool,
    word: bool,
    whole: bool,
    silent: bool,
    max: Option<u64>,
    after: usize,
    before: usize,
    name: String,
    line_number: u64,
    hits: u64,
    any: bool,
    context: VecDeque<(u64, String)>,
    to_print: usize,
    last_printed: u64,
}

fn start(args: &[String], default: char) -> Box<dyn Program> {
    let mut args = args.to_vec();
    args.insert(1, format!("-{default}"));
    deferred(&args, |ctx, args| {
        let long = [
            ("extended-regexp", 'E'),
            ("fixed-strings", 'F'),
            ("ignore-case", 'i'),
            ("invert-match", 'v'),
            ("count", 'c'),
            ("line-number", 'n'),
            ("quiet", 'q'),
            ("silent", 'q'),
            ("only-matching", 'o'),
            ("recursive", 'r'),
            ("files-with-matches", 'l'),
            ("files-without-match", 'L'),
            ("word-regexp", 'w'),
            ("line-regexp", 'x'),
            ("max-count", 'm'),
            ("after-context", 'A'),
            ("before-context", 'B'),
            ("context", 'C'),
            ("regexp", 'e'),
            ("no-filename", 'h'),
            ("with-filename", 'H'),
            ("color", 'Z'),
            ("line-buffered", 'Z'),
            ("perl-regexp", 'P'),
            ("text", 'a'),
            ("no-messages", 's'),
        ];
        // `-5` is `-C 5`.
        let args: Vec<String> = args
            .iter()
            .map(|a| match a.strip_prefix('-') {
                Some(n) if !n.is_empty() && n.chars().all(|c| c.is_ascii_digit()) => format!("-C{n}"),
                _ => a.clone(),
            })
            .collect();
        let o = options(ctx, &args, "GEFPiyvcnqsorRlLwxm:A:B:C:e:f:hHaIZU", &long)?;
        let mut texts: Vec<String> = o.values('e');
        for f in o.values('f') {
            let text = ctx.read_file(&f).map_err(|e| ctx.fail(2, format!("{f}: {e}")))?;
            texts.extend(String::from_utf8_lossy(&text).lines().map(str::to_owned));
        }
        let mut files = o.operands.clone();
        if !o.has('e') && !o.has('f') {
            if files.is_empty() {
                let text = if ctx.is_busybox() {
                    super::busybox_usage("grep")
                } else {
                    "Usage: grep [OPTION]... PATTERNS [FILE]...\nTry 'grep --help' for more information.\n"
                        .to_owned()
                };
                ctx.err(text);
                return Err(2);
            }
            texts.push(files.remove(0));
        }
        let kind = o.found.iter().rev().map(|(c, _)| *c).find(|c| "GEFP".contains(*c)).unwrap_or('G');
        let ignore = o.has('i') || o.has('y');
        let mut patterns = Vec::new();
        for text in texts.iter().flat_map(|t| t.split('\n')) {
            let source = if kind == 'F' { fixed(text) } else { text.to_owned() };
            match Regex::new(&source, kind != 'G', ignore) {
                Ok(r) => patterns.push(r),
                Err(e) => {
                    let text = if ctx.is_busybox() { format!("bad regex '{text}'") } else { e };
                    return Err(ctx.fail(2, text));
                }
            }
        }
        let recursive = o.has('r') || o.has('R');
        if recursive {
            if files.is_empty() {
                files.push(".".to_owned());
            }
            let mut all = Vec::new();
            for f in &files {
                tree(ctx, f, &mut all, 0);
            }
            files = all;
            if files.is_empty() {
                return Err(1);
            }
        }
        let number = |c: char| o.value(c).and_then(|v| v.parse::<usize>().ok());
        let around = number('C').unwrap_or(0);
        let names = o.has('H') || ((files.len() > 1 || recursive) && !o.has('h'));
        let g = Grep {
            patterns,
            invert: o.has('v'),
            count: o.has('c'),
            names,
            list: o.has('l'),
            list_without: o.has('L'),
            quiet: o.has('q'),
            number: o.has('n'),
            only: o.has('o'),
            word: o.has('w'),
            whole: o.has('x'),
            silent: o.has('s'),
            max: number('m').map(|n| n as u64),
            after: number('A').unwrap_or(around),
            before: number('B').unwrap_or(around),
            name: String::new(),
            line_number: 0,
            hits: 0,
            any: false,
            context: VecDeque::new(),
            to_print: 0,
            last_printed: 0,
        };
        Ok(Lines::boxed(g, files))
    })
}

pub(super) fn grep(args: &[String], _: Family) -> Box<dyn Program> {
    start(args, 'G')
}

pub(super) fn egrep(args: &[String], _: Family) -> Box<dyn Program> {
    start(args, 'E')
}

pub(super) fn fgrep(args: &[String], _: Family) -> Box<dyn Program> {
    start(args, 'F')
}

fn fixed(text: &str) -> String {
    text.chars().fold(String::new(), |mut s, c| {
        if "\\^$.[]|()*+?{}".contains(c) {
            s.push('\\');
        }
        s.push(c);
        s
    })
}

fn tree(ctx: &Ctx<'_>, path: &str, out: &mut Vec<String>, depth: u32) {
    if depth > 64 || out.len() > 10_000 {
        return;
    }
    match ctx.list(path) {
        Ok(names) if ctx.is_dir(path) => {
            for n in names {
                let full = if path.ends_with('/') { format!("{path}{n}") } else { format!("{path}/{n}") };
                tree(ctx, &full, out, depth + 1);
            }
        }
        _ => out.push(path.to_owned()),
    }
}

impl Grep {
    /// The matches in a line, as byte ranges; the first one only where that is enough.
    fn matches(&self, line: &str, all: bool) -> Vec<(usize, usize)> {
        let mut found = Vec::new();
        let mut from = 0;
        let mut searches: Vec<Search<'_>> = self.patterns.iter().map(|r| r.search(line)).collect();
        while from <= line.len() {
            let best = searches
                .iter_mut()
                .filter_map(|search| self.find(search, line, from))
                .min_by_key(|(s, e)| (*s, std::cmp::Reverse(*e)));
            let Some((s, e)) = best else { break };
            found.push((s, e));
            if !all {
                break;
            }
            from = if e > s {
                e
            } else {
                e + line.get(e..).and_then(|r| r.chars().next()).map_or(1, char::len_utf8)
            };
        }
        found
    }

    fn find(&self, search: &mut Search<'_>, line: &str, mut from: usize) -> Option<(usize, usize)> {
        loop {
            let f = search.find(from)?;
            let ok = if self.whole {
                f.start == 0 && f.end == line.len()
            } else if self.word {
                let word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
                !word(line.get(..f.start).and_then(|s| s.chars().next_back()))
                    && !word(line.get(f.end..).and_then(|s| s.chars().next()))
            } else {
                true
            };
            if ok {
                return Some((f.start, f.end));
            }
            from = f.start + line.get(f.start..)?.chars().next()?.len_utf8();
        }
    }

    fn print(&mut self, ctx: &mut Ctx<'_>, number: u64, text: &str, mark: char) {
        if (self.after > 0 || self.before > 0) && self.last_printed > 0 && number > self.last_printed + 1 {
            ctx.out("--\n");
        }
        self.last_printed = number;
        let mut out = String::new();
        if self.names {
            out.push_str(&self.name);
            out.push(mark);
        }
        if self.number {
            out.push_str(&format!("{number}{mark}"));
        }
        out.push_str(text);
        out.push('\n');
        ctx.out(out);
    }
}

impl Filter for Grep {
    fn open(&mut self, _: &mut Ctx<'_>, name: &str) -> Go {
        self.name = if name == "-" { "(standard input)".to_owned() } else { name.to_owned() };
        self.line_number = 0;
        self.hits = 0;
        self.context.clear();
        self.to_print = 0;
        self.last_printed = 0;
        if self.max == Some(0) { Go::NextFile } else { Go::On }
    }

    fn line(&mut self, ctx: &mut Ctx<'_>, line: &[u8], _: bool) -> Go {
        self.line_number += 1;
        let text = String::from_utf8_lossy(line).into_owned();
        let found = self.matches(&text, self.only && !self.invert);
        if found.is_empty() != self.invert {
            if self.to_print > 0 {
                self.to_print -= 1;
                let n = self.line_number;
                self.print(ctx, n, &text, '-');
            } else if self.before > 0 {
                self.context.push_back((self.line_number, text));
                while self.context.len() > self.before {
                    self.context.pop_front();
                }
            }
            return Go::On;
        }
        self.hits += 1;
        self.any = true;
        if self.quiet {
            return Go::Exit(0);
        }
        if self.list || self.list_without {
            return Go::NextFile;
        }
        if !self.count {
            for (n, t) in std::mem::take(&mut self.context) {
                self.print(ctx, n, &t, '-');
            }
            let n = self.line_number;
            if self.only {
                for (s, e) in found {
                    if let Some(part) = text.get(s..e).filter(|p| !p.is_empty()) {
                        self.print(ctx, n, part, ':');
                    }
                }
            } else {
                self.print(ctx, n, &text, ':');
                self.to_print = self.after;
            }
        }
        if self.max.is_some_and(|m| self.hits >= m) { Go::NextFile } else { Go::On }
    }

    fn close(&mut self, ctx: &mut Ctx<'_>) -> Go {
        if self.count && !self.quiet {
            let line = if self.names {
                format!("{}:{}\n", self.name, self.hits)
            } else {
                format!("{}\n", self.hits)
            };
            ctx.out(line);
        }
        if (self.list && self.hits > 0) || (self.list_without && self.hits == 0) {
            let line = format!("{}\n", self.name);
            ctx.out(line);
        }
        Go::On
    }

    fn end(&mut self, _: &mut Ctx<'_>, failed: bool) -> i32 {
        if failed && !(self.any && self.quiet) { 2 } else { i32::from(!self.any) }
    }

    fn open_error(&self, _: &Ctx<'_>, name: &str, e: Errno) -> String {
        if self.silent { String::new() } else { format!("{name}: {e}") }
    }
}
