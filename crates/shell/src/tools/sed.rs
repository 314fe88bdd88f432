//! `sed`: `s`, `d`, `p`, `q`, `=`, `a`, `i`, `c`, `y`, `n`, `N`, `D`, `P`, `h`, `H`, `g`, `G`, `x`, `b`, `t`, `{}`.

use super::lines::{Filter, Go, Lines, deferred};
use super::options;
use crate::context::Ctx;
use crate::fs::Errno;
use crate::process::{Family, Program};
use crate::regex::{Found, Regex};

/// Most jumps and commands for one line: a loop with `b` ends here. One on a long line counts for more.
const MAX_STEPS: usize = 100_000;

/// Longest pattern space or hold space in bytes; what is added beyond it is lost.
const MAX_SPACE: usize = 1 << 20;

/// Most texts of `a` and `r` kept for the end of one line.
const MAX_APPENDED: usize = 10_000;

#[derive(Clone, Debug)]
enum Address {
    Line(u64),
    Last,
    Match(Regex),
    Step(u64, u64),
    /// `addr,+n`
    Plus(u64),
}

#[derive(Clone, Debug)]
enum Act {
    Substitute {
        regex: Option<Regex>,
        with: Vec<Piece>,
        global: bool,
        print: bool,
        nth: usize,
    },
    Delete,
    DeleteFirst,
    Print,
    PrintFirst,
    Quit(i32),
    QuitSilent(i32),
    Number,
    Append(String),
    Insert(String),
    Change(String),
    Translate(Vec<(char, char)>),
    Next,
    NextAppend,
    Hold(bool),
    Get(bool),
    Exchange,
    Label(String),
    Branch(String),
    BranchIf(String),
    /// Where the block ends.
    Block(usize),
    End,
    List,
    Nothing,
}

#[derive(Clone, Debug)]
enum Piece {
    Text(String),
    Group(usize),
    Case(char),
}

#[derive(Clone, Debug)]
struct Command {
    first: Option<Address>,
    second: Option<Address>,
    negate: bool,
    act: Act,
    /// Inside its range; the line a `+n` or number range ends at.
    active: bool,
    until: u64,
}

#[derive(Clone, Debug)]
struct Sed {
    commands: Vec<Command>,
    quiet: bool,
    in_place: bool,
    number: u64,
    hold: String,
    /// One line is kept back so that `$` can be told.
    waiting: Option<(String, bool)>,
    pending: Option<(usize, String, bool)>,
    last_regex: Option<Regex>,
    out: Vec<u8>,
    file: String,
}

pub(super) fn sed(args: &[String], _: Family) -> Box<dyn Program> {
    deferred(args, |ctx, args| {
        let long = [
            ("expression", 'e'),
            ("quiet", 'n'),
            ("silent", 'n'),
            ("regexp-extended", 'E'),
            ("in-place", 'i'),
            ("file", 'f'),
        ];
        let mut in_place = false;
        let args: Vec<String> = args
            .iter()
            .map(|a| {
                // `-i.bak` and `--in-place=…`: the copy is made, too.
                if a == "-i" || a.starts_with("--in-place") || (a.starts_with("-i") && !a.starts_with("--")) {
                    in_place = true;
                    return "-u".to_owned();
                }
                a.clone()
            })
            .collect();
        let o = options(ctx, &args, "e:f:nrEuszl:", &long)?;
        let mut script: Vec<String> = o.values('e');
        for f in o.values('f') {
            let text = ctx.read_file(&f).map_err(|e| ctx.fail(1, format!("{f}: {e}")))?;
            script.push(String::from_utf8_lossy(&text).into_owned());
        }
        let mut files = o.operands.clone();
        if script.is_empty() {
            if files.is_empty() {
                let text = if ctx.is_busybox() {
                    super::busybox_usage("sed")
                } else {
                    "Usage: sed [OPTION]... {script-only-if-no-other-script} [input-file]...\n".to_owned()
                };
                ctx.err(text);
                return Err(1);
            }
            script.push(files.remove(0));
        }
        let extended = o.has('r') || o.has('E');
        let text = script.join("\n");
        let commands = match parse(&text, extended) {
            Ok(c) => c,
            Err(e) => {
                let line = if ctx.is_busybox() && e.starts_with("unterminated `s'") {
                    "unmatched '/'".to_owned()
                } else if ctx.is_busybox() {
                    e
                } else {
                    format!("-e expression #1, char {}: {e}", text.chars().count())
                };
                return Err(ctx.fail(1, line));
            }
        };
        let sed = Sed {
            commands,
            quiet: o.has('n') || text.starts_with("#n\n"),
            in_place,
            number: 0,
            hold: String::new(),
            waiting: None,
            pending: None,
            last_regex: None,
            out: Vec::new(),
            file: String::new(),
        };
        Ok(Lines::boxed(sed, files))
    })
}

struct Parser {
    chars: Vec<char>,
    pos: usize,
    extended: bool,
}

fn parse(text: &str, extended: bool) -> Result<Vec<Command>, String> {
    let mut p = Parser { chars: text.chars().collect(), pos: 0, extended };
    let mut out: Vec<Command> = Vec::new();
    let mut open = Vec::new();
    loop {
        while p.peek().is_some_and(|c| c.is_whitespace() || c == ';') {
            p.pos += 1;
        }
        let Some(c) = p.peek() else { break };
        if c == '#' {
            p.rest_of_line();
            continue;
        }
        let first = p.address()?;
        let mut second = None;
        if first.is_some() && p.peek() == Some(',') {
            p.pos += 1;
            p.blanks();
            second = p.address()?;
            if second.is_none() {
                return Err("unexpected `,'".to_owned());
            }
        }
        p.blanks();
        let mut negate = false;
        while p.peek() == Some('!') {
            negate = true;
            p.pos += 1;
            p.blanks();
        }
        let Some(c) = p.peek() else { return Err("missing command".to_owned()) };
        p.pos += 1;
        let act = match c {
            '{' => {
                open.push(out.len());
                Act::Block(0)
            }
            '}' => {
                let Some(at) = open.pop() else { return Err("unexpected `}'".to_owned()) };
                let end = out.len();
                if let Some(Command { act: Act::Block(e), .. }) = out.get_mut(at) {
                    *e = end;
                }
                Act::End
            }
            's' => p.substitute()?,
            'y' => p.translate()?,
            'd' => Act::Delete,
            'D' => Act::DeleteFirst,
            'p' => Act::Print,
            'P' => Act::PrintFirst,
            'q' | 'Q' => {
                p.blanks();
                let code = p.number().and_then(|n| i32::try_from(n).ok()).unwrap_or(0);
                if c == 'q' { Act::Quit(code) } else { Act::QuitSilent(code) }
            }
            '=' => Act::Number,
            'l' => Act::List,
            'a' | 'i' | 'c' => {
                let text = p.text();
                match c {
                    'a' => Act::Append(text),
                    'i' => Act::Insert(text),
                    _ => Act::Change(text),
                }
            }
            'n' => Act::Next,
            'N' => Act::NextAppend,
            'h' => Act::Hold(false),
            'H' => Act::Hold(true),
            'g' => Act::Get(false),
            'G' => Act::Get(true),
            'x' => Act::Exchange,
            ':' => Act::Label(p.word()),
            'b' => Act::Branch(p.word()),
            't' => Act::BranchIf(p.word()),
            c if c.is_whitespace() => Act::Nothing,
            _ => return Err(format!("unknown command: `{c}'")),
        };
        if !matches!(act, Act::Block(_) | Act::End | Act::Append(_) | Act::Insert(_) | Act::Change(_)) {
            p.blanks();
            match p.peek() {
                None | Some('\n' | ';' | '}' | '#') => {}
                Some(_) => return Err("extra characters after command".to_owned()),
            }
        }
        out.push(Command { first, second, negate, act, active: false, until: 0 });
    }
    if !open.is_empty() {
        return Err("unmatched `{'".to_owned());
    }
    Ok(out)
}

impl Parser {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.pos).copied()
    }

    fn blanks(&mut self) {
        while self.peek().is_some_and(|c| c == ' ' || c == '\t') {
            self.pos += 1;
        }
    }

    fn number(&mut self) -> Option<u64> {
        let start = self.pos;
        while self.peek().is_some_and(|c| c.is_ascii_digit()) {
            self.pos += 1;
        }
        self.chars.get(start..self.pos)?.iter().collect::<String>().parse().ok()
    }

    fn rest_of_line(&mut self) -> String {
        let mut s = String::new();
        while let Some(c) = self.peek().filter(|c| *c != '\n') {
            s.push(c);
            self.pos += 1;
        }
        s
    }

    fn word(&mut self) -> String {
        self.blanks();
        let mut s = String::new();
        while let Some(c) = self.peek().filter(|c| !c.is_whitespace() && *c != ';' && *c != '}') {
            s.push(c);
            self.pos += 1;
        }
        s
    }

    /// The text of `a`, `i`, `c`: after a backslash and newline, or on the same line.
    fn text(&mut self) -> String {
        self.blanks();
        if self.peek() == Some('\\') {
            self.pos += 1;
            self.blanks();
            if self.peek() == Some('\n') {
                self.pos += 1;
            }
        }
        let mut s = String::new();
        while let Some(c) = self.peek() {
            self.pos += 1;
            if c == '\n' {
                break;
            }
            if c == '\\' {
                if let Some(n) = self.peek() {
                    s.push(n);
                    self.pos += 1;
                }
                continue;
            }
            s.push(c);
        }
        s
    }

    fn delimited(&mut self, end: char) -> Result<String, String> {
        let mut s = String::new();
        let mut in_set = false;
        while let Some(c) = self.peek() {
            self.pos += 1;
            if c == end && !in_set {
                return Ok(s);
            }
            if c == '\\' {
                match self.peek() {
                    Some(n) if n == end => {
                        // An escaped delimiter is the plain character.
                        if "|+?(){}".contains(n) && self.extended {
                            s.push('\\');
                        }
                        s.push(n);
                    }
                    Some(n) => {
                        s.push('\\');
                        s.push(n);
                    }
                    None => break,
                }
                self.pos += 1;
                continue;
            }
            if c == '[' && !in_set {
                in_set = true;
                s.push(c);
                if self.peek() == Some('^') {
                    s.push('^');
                    self.pos += 1;
                }
                if self.peek() == Some(']') {
                    s.push(']');
                    self.pos += 1;
                }
                // A set that never closes is no set: the delimiter ends the text then.
                let rest = self.chars.get(self.pos..).unwrap_or_default();
                let line = rest.iter().position(|c| *c == '\n').unwrap_or(rest.len());
                if !rest.get(..line).unwrap_or_default().contains(&']') {
                    in_set = false;
                }
                continue;
            }
            if c == ']' {
                in_set = false;
            }
            s.push(c);
        }
        Err("unterminated `s' command".to_owned())
    }

    fn address(&mut self) -> Result<Option<Address>, String> {
        Ok(match self.peek() {
            Some('$') => {
                self.pos += 1;
                Some(Address::Last)
            }
            Some('+') => {
                self.pos += 1;
                Some(Address::Plus(self.number().unwrap_or(0)))
            }
            Some(c) if c.is_ascii_digit() => {
                let n = self.number().unwrap_or(0);
                if self.peek() == Some('~') {
                    self.pos += 1;
                    Some(Address::Step(n, self.number().unwrap_or(1)))
                } else {
                    Some(Address::Line(n))
                }
            }
            Some(c @ ('/' | '\\')) => {
                self.pos += 1;
                let end = if c == '\\' {
                    self.pos += 1;
                    self.chars.get(self.pos - 1).copied().unwrap_or('/')
                } else {
                    '/'
                };
                let text = self.delimited(end).map_err(|_| "unterminated address regex".to_owned())?;
                let mut ignore = false;
                if self.peek() == Some('I') {
                    ignore = true;
                    self.pos += 1;
                }
                Some(Address::Match(Regex::new(&text, self.extended, ignore)?))
            }
            _ => None,
        })
    }

    fn substitute(&mut self) -> Result<Act, String> {
        let Some(end) = self.peek() else { return Err("unterminated `s' command".to_owned()) };
        self.pos += 1;
        let pattern = self.delimited(end)?;
        let mut with = Vec::new();
        let mut text = String::new();
        loop {
            let Some(c) = self.peek() else { return Err("unterminated `s' command".to_owned()) };
            self.pos += 1;
            if c == end {
                break;
            }
            match c {
                '&' => {
                    with.push(Piece::Text(std::mem::take(&mut text)));
                    with.push(Piece::Group(0));
                }
                '\\' => {
                    let Some(n) = self.peek() else { return Err("unterminated `s' command".to_owned()) };
                    self.pos += 1;
                    match n {
                        '0'..='9' => {
                            with.push(Piece::Text(std::mem::take(&mut text)));
                            with.push(Piece::Group(n.to_digit(10).unwrap_or(0) as usize));
                        }
                        'n' => text.push('\n'),
                        't' => text.push('\t'),
                        'U' | 'L' | 'E' | 'u' | 'l' => {
                            with.push(Piece::Text(std::mem::take(&mut text)));
                            with.push(Piece::Case(n));
                        }
                        n => text.push(n),
                    }
                }
                c => text.push(c),
            }
        }
        with.push(Piece::Text(text));
        let (mut global, mut print, mut nth, mut ignore) = (false, false, 1, false);
        loop {
            match self.peek() {
                Some('g') => global = true,
                Some('p') => print = true,
                Some('i' | 'I') => ignore = true,
                Some('m' | 'M') => {}
                Some(c) if c.is_ascii_digit() => {
                    nth = usize::try_from(self.number().unwrap_or(1)).unwrap_or(1).max(1);
                    continue;
                }
                Some(c @ ('w' | 'e')) => return Err(format!("not simulated: flag {c} of `s'")),
                Some(c) if c.is_alphabetic() => return Err("unknown option to `s'".to_owned()),
                _ => break,
            }
            self.pos += 1;
        }
        let regex =
            if pattern.is_empty() { None } else { Some(Regex::new(&pattern, self.extended, ignore)?) };
        Ok(Act::Substitute { regex, with, global, print, nth })
    }

    fn translate(&mut self) -> Result<Act, String> {
        let Some(end) = self.peek() else { return Err("unterminated `y' command".to_owned()) };
        self.pos += 1;
        let unescape = |s: String| -> Vec<char> {
            let mut out = Vec::new();
            let mut it = s.chars();
            while let Some(c) = it.next() {
                out.push(if c == '\\' {
                    match it.next() {
                        Some('n') => '\n',
                        Some('t') => '\t',
                        Some(c) => c,
                        None => '\\',
                    }
                } else {
                    c
                });
            }
            out
        };
        let from = unescape(self.delimited(end)?);
        let to = unescape(self.delimited(end)?);
        if from.len() != to.len() {
            return Err("strings for `y' command are different lengths".to_owned());
        }
        Ok(Act::Translate(from.into_iter().zip(to).collect()))
    }
}

impl Sed {
    fn emit(&mut self, text: &str, newline: bool) {
        self.out.extend_from_slice(text.as_bytes());
        if newline {
            self.out.push(b'\n');
        }
    }

    fn flush(&mut self, ctx: &mut Ctx<'_>) {
        if !self.in_place {
            ctx.out(std::mem::take(&mut self.out));
        }
    }

    fn address_hits(&self, a: &Address, space: &str, last: bool) -> bool {
        match a {
            Address::Line(n) => *n == self.number,
            Address::Last => last,
            Address::Match(r) => r.find(space, 0).is_some(),
            Address::Step(first, step) => {
                self.number >= *first && (*step == 0 || (self.number - first).is_multiple_of(*step))
            }
            Address::Plus(_) => false,
        }
    }

    fn selected(&mut self, i: usize, space: &str, last: bool) -> bool {
        let Some(c) = self.commands.get(i).cloned() else { return false };
        let hit = match (&c.first, &c.second) {
            (None, _) => true,
            (Some(a), None) => self.address_hits(a, space, last),
            (Some(a), Some(b)) => {
                let mut active = c.active;
                let mut until = c.until;
                let hit;
                if active {
                    hit = true;
                    active = match b {
                        Address::Line(n) => self.number < *n,
                        Address::Plus(_) => self.number < until,
                        b => !self.address_hits(b, space, last),
                    };
                    // A line number that is already behind selects nothing more.
                    if let Address::Line(n) = b
                        && self.number > *n
                    {
                        if let Some(c) = self.commands.get_mut(i) {
                            c.active = false;
                        }
                        return c.negate;
                    }
                } else if self.address_hits(a, space, last) {
                    hit = true;
                    active = match b {
                        Address::Line(n) => self.number < *n,
                        Address::Plus(n) => {
                            until = self.number + n;
                            *n > 0
                        }
                        Address::Last => !last,
                        _ => true,
                    };
                } else {
                    hit = false;
                }
                if let Some(c) = self.commands.get_mut(i) {
                    c.active = active;
                    c.until = until;
                }
                hit
            }
        };
        hit != c.negate
    }

    /// Runs the script on a line, from command `from`. `Ok` where it came to its end, else the exit code.
    fn cycle(&mut self, mut space: String, newline: bool, last: bool, from: usize) -> Result<(), i32> {
        let mut appended: Vec<String> = Vec::new();
        let mut replaced = false;
        let mut i = from;
        let mut steps = 0;
        let mut deleted = false;
        let mut quit = None;
        while i < self.commands.len() {
            steps += 1 + (space.len() + self.hold.len()) / 16;
            if steps > MAX_STEPS || appended.len() > MAX_APPENDED {
                break;
            }
            let yes = self.selected(i, &space, last);
            let Some(act) = self.commands.get(i).map(|c| c.act.clone()) else { break };
            i += 1;
            if !yes {
                if let Act::Block(end) = act {
                    i = end;
                }
                continue;
            }
            match act {
                Act::Block(_) | Act::End | Act::Nothing | Act::Label(_) => {}
                Act::Substitute { regex, with, global, print, nth } => {
                    let Some(r) = regex.or_else(|| self.last_regex.clone()) else { continue };
                    if let Some(new) = substitute(&r, &space, &with, global, nth) {
                        space = new;
                        replaced = true;
                        if print {
                            self.emit(&space.clone(), true);
                        }
                    }
                    self.last_regex = Some(r);
                }
                Act::Delete => {
                    deleted = true;
                    break;
                }
                Act::DeleteFirst => match space.split_once('\n') {
                    Some((_, rest)) => {
                        space = rest.to_owned();
                        i = 0;
                    }
                    None => {
                        deleted = true;
                        break;
                    }
                },
                Act::Print => self.emit(&space.clone(), true),
                Act::PrintFirst => {
                    let first = space.split('\n').next().unwrap_or_default().to_owned();
                    self.emit(&first, true);
                }
                Act::Quit(code) => {
                    quit = Some(code);
                    break;
                }
                Act::QuitSilent(code) => return Err(code),
                Act::Number => {
                    let n = self.number.to_string();
                    self.emit(&n, true);
                }
                Act::List => {
                    let text = space.replace('\\', "\\\\").replace('\t', "\\t").replace('\n', "\\n") + "$";
                    self.emit(&text, true);
                }
                Act::Append(t) => appended.push(t),
                Act::Insert(t) => self.emit(&t, true),
                Act::Change(t) => {
                    let in_range = self.commands.get(i - 1).is_some_and(|c| c.second.is_some() && c.active);
                    if !in_range {
                        self.emit(&t, true);
                    }
                    deleted = true;
                    break;
                }
                Act::Translate(map) => {
                    space = space
                        .chars()
                        .map(|c| map.iter().find(|(f, _)| *f == c).map_or(c, |(_, t)| *t))
                        .collect();
                }
                Act::Next | Act::NextAppend => {
                    let append = matches!(act, Act::NextAppend);
                    if last {
                        // GNU prints the space at the end of input, POSIX would not for `N`.
                        break;
                    }
                    if !append && !self.quiet {
                        self.emit(&space.clone(), true);
                    }
                    for t in std::mem::take(&mut appended) {
                        self.emit(&t, true);
                    }
                    self.pending = Some((i, if append { space } else { String::new() }, append));
                    return Ok(());
                }
                Act::Hold(append) => {
                    if append {
                        append_line(&mut self.hold, &space);
                    } else {
                        self.hold = space.clone();
                    }
                }
                Act::Get(append) => {
                    if append {
                        append_line(&mut space, &self.hold);
                    } else {
                        space = self.hold.clone();
                    }
                }
                Act::Exchange => std::mem::swap(&mut space, &mut self.hold),
                Act::Branch(label) => i = self.label(&label),
                Act::BranchIf(label) => {
                    if std::mem::take(&mut replaced) {
                        i = self.label(&label);
                    }
                }
            }
        }
        if !deleted && !self.quiet {
            self.emit(&space, newline);
        }
        for t in appended {
            self.emit(&t, true);
        }
        match quit {
            Some(code) => Err(code),
            None => Ok(()),
        }
    }

    fn label(&self, name: &str) -> usize {
        if name.is_empty() {
            return self.commands.len();
        }
        self.commands
            .iter()
            .position(|c| matches!(&c.act, Act::Label(l) if l == name))
            .map_or(self.commands.len(), |i| i + 1)
    }

    fn feed(&mut self, text: String, newline: bool, last: bool) -> Result<(), i32> {
        self.number += 1;
        match self.pending.take() {
            Some((at, before, true)) => self.cycle(format!("{before}\n{text}"), newline, last, at),
            Some((at, _, false)) => self.cycle(text, newline, last, at),
            None => self.cycle(text, newline, last, 0),
        }
    }
}

/// Adds a newline and a text.
fn append_line(space: &mut String, text: &str) {
    space.push('\n');
    space.push_str(text);
    space.truncate(space.floor_char_boundary(MAX_SPACE));
}

fn substitute(r: &Regex, text: &str, with: &[Piece], global: bool, nth: usize) -> Option<String> {
    let mut out = String::new();
    let mut from = 0;
    let mut copied = 0;
    let mut count = 0;
    let mut any = false;
    let mut search = r.search(text);
    while from <= text.len() {
        let Some(f) = search.find(from) else { break };
        count += 1;
        // `^` does not match again behind a replaced part.
        if count >= nth {
            out.push_str(text.get(copied..f.start)?);
            expand(&mut out, &f, text, with);
            copied = f.end;
            any = true;
            if !global {
                break;
            }
        }
        if f.end > f.start {
            from = f.end;
        } else {
            let step = text.get(f.end..).and_then(|s| s.chars().next()).map_or(1, char::len_utf8);
            from = f.end + step;
        }
        // An empty match directly after a match is none.
        if f.end > f.start
            && let Some(next) = search.find(from)
            && next.start == next.end
            && next.start == from
        {
            from += text.get(from..).and_then(|s| s.chars().next()).map_or(1, char::len_utf8);
        }
        if out.len() > 1 << 20 {
            break;
        }
    }
    if !any {
        return None;
    }
    out.push_str(text.get(copied..).unwrap_or_default());
    Some(out)
}

fn expand(out: &mut String, f: &Found, text: &str, with: &[Piece]) {
    let mut case = ' ';
    let mut once = ' ';
    for p in with {
        let part = match p {
            Piece::Text(t) => t.as_str(),
            Piece::Group(n) => {
                f.groups.get(*n).copied().flatten().and_then(|(s, e)| text.get(s..e)).unwrap_or_default()
            }
            Piece::Case(c) => {
                match c {
                    'u' | 'l' => once = *c,
                    'E' => case = ' ',
                    c => case = *c,
                }
                continue;
            }
        };
        for c in part.chars() {
            let how = if once == ' ' { case } else { once };
            once = ' ';
            match how {
                'U' | 'u' => out.extend(c.to_uppercase()),
                'L' | 'l' => out.extend(c.to_lowercase()),
                _ => out.push(c),
            }
        }
    }
}

impl Filter for Sed {
    fn open(&mut self, _: &mut Ctx<'_>, name: &str) -> Go {
        self.file = name.to_owned();
        if self.in_place {
            self.number = 0;
        }
        Go::On
    }

    fn line(&mut self, ctx: &mut Ctx<'_>, line: &[u8], newline: bool) -> Go {
        let text = String::from_utf8_lossy(line).into_owned();
        let previous = self.waiting.replace((text, newline));
        if let Some((text, newline)) = previous {
            let r = self.feed(text, newline, false);
            self.flush(ctx);
            if let Err(code) = r {
                self.waiting = None;
                return self.finish_file(ctx, Some(code));
            }
        }
        Go::On
    }

    fn close(&mut self, ctx: &mut Ctx<'_>) -> Go {
        if self.in_place {
            if let Some((text, newline)) = self.waiting.take() {
                let _ = self.feed(text, newline, true);
            }
            return self.finish_file(ctx, None);
        }
        Go::On
    }

    fn end(&mut self, ctx: &mut Ctx<'_>, failed: bool) -> i32 {
        let mut code = i32::from(failed) * if ctx.is_busybox() { 1 } else { 2 };
        if let Some((text, newline)) = self.waiting.take()
            && let Err(c) = self.feed(text, newline, true)
        {
            code = c;
        }
        self.flush(ctx);
        code
    }

    fn open_error(&self, ctx: &Ctx<'_>, name: &str, e: Errno) -> String {
        if ctx.is_busybox() { format!("{name}: {e}") } else { format!("can't read {name}: {e}") }
    }
}

impl Sed {
    fn finish_file(&mut self, ctx: &mut Ctx<'_>, exit: Option<i32>) -> Go {
        if self.in_place {
            let out = std::mem::take(&mut self.out);
            let file = self.file.clone();
            if let Err(e) = ctx.write_file(&file, &out, false) {
                ctx.fail(1, format!("couldn't open temporary file {file}: {e}"));
                return Go::Exit(4);
            }
        } else {
            self.flush(ctx);
        }
        match exit {
            Some(code) => Go::Exit(code),
            None => Go::On,
        }
    }
}
