//! `jq` as of version 1.7: filters for JSON, in the learner's terminal.
//!
//! An interpreter of its own, because a filter may run for ever, recurse without end and make values without bounds, and
//! a tab has to outlive all of it: a [`machine::Machine`] goes on in small steps, is held to the process' rate, and
//! ends with `jq: error: cannot allocate memory` where it wants more than 128 MiB.
//!
//! Not simulated, and said so: modules, `--stream`, `--seq`, look-around and back-references in patterns, colours.

mod ast;
mod json;
mod lexer;
mod machine;
mod native;
mod parser;
mod prelude;
mod text;
mod times;
mod value;

use super::finish;
use super::lines::deferred;
use crate::context::{Ctx, Read};
use crate::process::{Family, Program, Step, Wait};
use json::{COMPACT, Reader, Style, compact, parse_all, parse_one, write};
use machine::{Event, Machine, Question};
use std::collections::VecDeque;
use std::sync::Arc;
use value::{Map, Val};

/// Steps of the filter in one step of the process.
const STEPS: usize = 400;
/// Bytes read at once.
const CHUNK: usize = 16 << 10;
/// Most bytes that `-s` and `-R` keep.
const MAX_KEPT: usize = 32 << 20;

#[derive(Clone, Debug, Default)]
struct Flags {
    raw: bool,
    join: bool,
    null: bool,
    slurp: bool,
    raw_input: bool,
    exit_status: bool,
    zero: bool,
}

/// Where inputs come from.
#[derive(Clone, Debug)]
struct Source {
    files: VecDeque<String>,
    fd: Option<u32>,
    name: Option<String>,
    bytes: VecDeque<u8>,
    reader: Reader,
    /// Complete lines that were fed.
    line: u64,
    /// Whether the line that is being fed was counted already.
    counted: bool,
    at_end: bool,
    /// Whether a first byte was read.
    begun: bool,
    /// `-R`: the line so far.
    text: Vec<u8>,
    slurped: Vec<Val>,
    kept: usize,
    given: bool,
    failed: bool,
}

enum Next {
    Value(Val),
    Wait(u32),
    More,
    End,
    Bad(String),
}

#[derive(Clone, Debug)]
struct Jq {
    flags: Flags,
    style: Style,
    machine: Machine,
    source: Source,
    running: bool,
    asked: bool,
    started: bool,
    /// The last result for `-e`: whether it was one, and true.
    last: Option<bool>,
    code: i32,
}

pub(super) fn jq(args: &[String], _: Family) -> Box<dyn Program> {
    deferred(args, |ctx, args| match begin(ctx, args) {
        Ok(program) => Ok(Box::new(program) as Box<dyn Program>),
        Err(code) => Err(code),
    })
}

const USAGE: &str = "Usage:\tjq [OPTIONS] FILTER [FILES...]\n\tjq [OPTIONS] --args FILTER [ARGUMENTS...]\n\tjq [OPTIONS] --jsonargs FILTER [JSON_VALUES...]\n\n\
Filters JSON as jq 1.7 does.\n\n\
  -n  use null as the only input       -R  read lines as strings\n  -s  read all inputs into an array    -c  write each value on one line\n\
  -r  write strings without quotes     -j  as -r, without newlines\n  -a  write ASCII only                 -S  sort keys\n\
  -e  exit 1 for false or null, 4 for no output\n      --tab, --indent N                -f FILE  read the filter from a file\n\
      --arg NAME TEXT, --argjson NAME JSON, --slurpfile NAME FILE, --rawfile NAME FILE\n      --args, --jsonargs               $ARGS.positional\n\n\
Not simulated: modules, --stream, --seq, colours, look-around in patterns.\n";

fn die(ctx: &mut Ctx<'_>, text: &str) -> i32 {
    ctx.err(format!(
        "{text}Use jq --help for help with command-line options,\nor see the jq manpage, or online docs  at https://jqlang.github.io/jq\n"
    ));
    2
}

fn begin(ctx: &mut Ctx<'_>, args: &[String]) -> Result<Jq, i32> {
    let mut flags = Flags::default();
    let mut style = Style { indent: Some("  ".to_owned()), ..COMPACT };
    let mut program: Option<String> = None;
    let (mut from_file, mut rest_strings, mut rest_json, mut done) = (false, false, false, false);
    let mut named = Map::default();
    let mut positional = Vec::new();
    let mut files = VecDeque::new();
    let mut i = 1;
    while let Some(arg) = args.get(i) {
        i += 1;
        let option = arg
            .strip_prefix('-')
            .is_some_and(|r| r.starts_with(|c: char| c == '-' || c.is_ascii_alphabetic()));
        if done || !option {
            if program.is_none() {
                program = Some(arg.clone());
            } else if rest_strings {
                positional.push(Val::str(arg));
            } else if rest_json {
                let value =
                    parse_one(arg).map_err(|_| die(ctx, "jq: invalid JSON text passed to --jsonargs\n"))?;
                positional.push(value);
            } else {
                files.push_back(arg.clone());
            }
            continue;
        }
        if arg == "--" {
            done = true;
            continue;
        }
        let letters: Vec<char> = match arg.strip_prefix("--") {
            None => arg.chars().skip(1).collect(),
            Some(long) => match long {
                "raw-output" => vec!['r'],
                "join-output" => vec!['j'],
                "ascii-output" => vec!['a'],
                "compact-output" => vec!['c'],
                "slurp" => vec!['s'],
                "null-input" => vec!['n'],
                "raw-input" => vec!['R'],
                "exit-status" => vec!['e'],
                "sort-keys" => vec!['S'],
                "color-output" => vec!['C'],
                "monochrome-output" => vec!['M'],
                "from-file" => vec!['f'],
                "help" => vec!['h'],
                "version" => vec!['V'],
                "unbuffered" => Vec::new(),
                "raw-output0" => {
                    (flags.raw, flags.zero, flags.join) = (true, true, true);
                    Vec::new()
                }
                "tab" => {
                    style.indent = Some("\t".to_owned());
                    Vec::new()
                }
                "args" => {
                    (rest_strings, rest_json) = (true, false);
                    Vec::new()
                }
                "jsonargs" => {
                    (rest_strings, rest_json) = (false, true);
                    Vec::new()
                }
                "indent" => {
                    let Some(n) = args.get(i) else {
                        return Err(die(ctx, "jq: --indent takes one parameter\n"));
                    };
                    i += 1;
                    let n: i64 = n.parse().unwrap_or(0);
                    if !(-1..=7).contains(&n) {
                        return Err(die(ctx, "jq: --indent takes a number between -1 and 7\n"));
                    }
                    style.indent = usize::try_from(n).ok().filter(|n| *n > 0).map(|n| " ".repeat(n));
                    Vec::new()
                }
                "arg" | "argjson" | "slurpfile" | "rawfile" => {
                    let (Some(name), Some(value)) = (args.get(i), args.get(i + 1)) else {
                        let what = match long {
                            "arg" => "value",
                            "argjson" => "text",
                            _ => "filename",
                        };
                        let text =
                            format!("jq: --{long} takes two parameters (e.g. --{long} varname {what})\n");
                        return Err(die(ctx, &text));
                    };
                    i += 2;
                    let value = argument(ctx, long, name, value)?;
                    if named.get(name).is_none() {
                        named.set(Arc::from(name.as_str()), value);
                    }
                    Vec::new()
                }
                "stream" | "stream-errors" | "seq" => {
                    ctx.err(format!("jq: --{long} is not simulated\n"));
                    return Err(2);
                }
                _ => return Err(die(ctx, &format!("jq: Unknown option {arg}\n"))),
            },
        };
        for c in letters {
            match c {
                'r' => flags.raw = true,
                'j' => (flags.raw, flags.join) = (true, true),
                'a' => style.ascii = true,
                'c' => style.indent = None,
                's' => flags.slurp = true,
                'n' => flags.null = true,
                'R' => flags.raw_input = true,
                'e' => flags.exit_status = true,
                'S' => style.sort = true,
                'C' | 'M' => {}
                'f' => from_file = true,
                'h' => {
                    ctx.out(USAGE);
                    return Err(0);
                }
                'V' => {
                    ctx.out("jq-1.7.1\n");
                    return Err(0);
                }
                'L' => {
                    ctx.err("jq: -L is not simulated\n");
                    return Err(2);
                }
                _ => return Err(die(ctx, &format!("jq: Unknown option {arg}\n"))),
            }
        }
    }
    let Some(mut text) = program else {
        ctx.err(USAGE);
        return Err(2);
    };
    if from_file {
        let bytes = ctx.read_file(&text).map_err(|e| {
            ctx.err(format!("jq: error: Could not open {text}: {e}\n"));
            2
        })?;
        text = String::from_utf8_lossy(&bytes).into_owned();
    }
    let mut environment = Map::default();
    for (name, value) in ctx.core.env.iter() {
        environment.set(Arc::from(name.as_str()), Val::str(value));
    }
    let mut variables = vec![("ENV".to_owned(), Val::obj(environment))];
    variables.extend(named.entries.iter().map(|(k, v)| (k.to_string(), v.clone())));
    let mut all = Map::default();
    all.set("positional".into(), Val::arr(positional));
    all.set("named".into(), Val::obj(named));
    variables.push(("ARGS".to_owned(), Val::obj(all)));
    let code = parser::compile(&text, &variables).map_err(|e| {
        ctx.err(e);
        3
    })?;
    if files.is_empty() {
        files.push_back("-".to_owned());
    }
    let source = Source {
        files,
        fd: None,
        name: None,
        bytes: VecDeque::new(),
        reader: Reader::default(),
        line: 0,
        counted: false,
        at_end: false,
        begun: false,
        text: Vec::new(),
        slurped: Vec::new(),
        kept: 0,
        given: false,
        failed: false,
    };
    Ok(Jq {
        flags,
        style,
        machine: Machine::new(Arc::new(code)),
        source,
        running: false,
        asked: false,
        started: false,
        last: None,
        code: 0,
    })
}

fn argument(ctx: &mut Ctx<'_>, option: &str, name: &str, value: &str) -> Result<Val, i32> {
    match option {
        "arg" => Ok(Val::str(value)),
        "argjson" => parse_one(value).map_err(|_| die(ctx, "jq: invalid JSON text passed to --argjson\n")),
        _ => {
            let read = match ctx.read_file(value) {
                Err(e) => Err(format!("Could not open {value}: {e}")),
                Ok(bytes) if option == "rawfile" => Ok(Val::str(String::from_utf8_lossy(&bytes))),
                Ok(bytes) => parse_all(&bytes).map(Val::arr),
            };
            read.map_err(|e| {
                ctx.err(format!("jq: Bad JSON in --{option} {name} {value}: {e}\n"));
                2
            })
        }
    }
}

impl Source {
    fn place(&self) -> String {
        match &self.name {
            Some(name) => format!("{name}:{}", self.line),
            None => "<unknown>".to_owned(),
        }
    }

    /// One more byte of the current file.
    fn byte(&mut self) -> Option<u8> {
        if !self.counted && self.bytes.contains(&b'\n') {
            // jq reads line by line, and counts one as soon as it has it.
            self.line += 1;
            self.counted = true;
        }
        if self.line <= 1 && !self.begun {
            self.begun = true;
            // A byte order mark says nothing.
            if self.bytes.iter().take(3).eq([0xef, 0xbb, 0xbf].iter()) {
                self.bytes.drain(..3);
            }
        }
        let b = self.bytes.pop_front()?;
        if b == b'\n' {
            self.counted = false;
        }
        Some(b)
    }

    fn next(&mut self, ctx: &mut Ctx<'_>, flags: &Flags) -> Next {
        // A line that is not complete is left until it is: its number belongs to its values.
        let whole = self.at_end || self.counted || self.bytes.len() > CHUNK || self.bytes.contains(&b'\n');
        if whole && !self.bytes.is_empty() {
            let mut budget = CHUNK;
            while let Some(b) = self.byte() {
                budget -= 1;
                self.kept += 1;
                if flags.raw_input {
                    if flags.slurp {
                        self.text.push(b);
                    } else if b == b'\n' {
                        let line = std::mem::take(&mut self.text);
                        return Next::Value(Val::str(String::from_utf8_lossy(&line)));
                    } else {
                        self.text.push(b);
                    }
                } else {
                    match self.reader.feed(b) {
                        Ok(None) => {}
                        Ok(Some(v)) if flags.slurp => self.slurped.push(v),
                        Ok(Some(v)) => {
                            self.kept = 0;
                            return Next::Value(v);
                        }
                        Err(e) => return Next::Bad(e),
                    }
                }
                if self.kept > MAX_KEPT || self.reader.held() > MAX_KEPT {
                    return Next::Bad("inputs larger than 32 MiB are not simulated".to_owned());
                }
                if budget == 0 || (!self.counted && !self.at_end) {
                    return Next::More;
                }
            }
            return Next::More;
        }
        let Some(fd) = self.fd else { return self.open(ctx, flags) };
        match ctx.read(fd, CHUNK) {
            Read::Blocked => Next::Wait(fd),
            Read::Data(data) => {
                self.bytes.extend(data);
                Next::More
            }
            Read::Eof | Read::Failed(_) if !self.at_end && !self.bytes.is_empty() => {
                self.at_end = true;
                Next::More
            }
            Read::Eof => {
                self.close(ctx, fd);
                Next::More
            }
            Read::Failed(e) => {
                ctx.err(format!("jq: error: {e}\n"));
                self.failed = true;
                self.close(ctx, fd);
                Next::More
            }
        }
    }

    fn close(&mut self, ctx: &mut Ctx<'_>, fd: u32) {
        if fd != 0 {
            ctx.close(fd);
        }
        self.fd = None;
    }

    /// Opens the next file, or ends what the last one left.
    fn open(&mut self, ctx: &mut Ctx<'_>, flags: &Flags) -> Next {
        if let Some(file) = self.files.pop_front() {
            let opened = if file == "-" { Ok(0) } else { ctx.open(&file) };
            match opened {
                Ok(fd) if file != "-" && ctx.is_dir(&file) => {
                    ctx.close(fd);
                    ctx.err("jq: error: Is a directory\n");
                    self.failed = true;
                }
                Ok(fd) => {
                    self.fd = Some(fd);
                    self.name = Some(if file == "-" { "<stdin>".to_owned() } else { file });
                    (self.line, self.counted, self.at_end) = (0, false, false);
                }
                Err(e) => {
                    ctx.err(format!("jq: error: Could not open file {file}: {e}\n"));
                    self.failed = true;
                }
            }
            return Next::More;
        }
        if self.given {
            return Next::End;
        }
        self.given = true;
        if flags.raw_input {
            let text = std::mem::take(&mut self.text);
            if flags.slurp || !text.is_empty() {
                return Next::Value(Val::str(String::from_utf8_lossy(&text)));
            }
            return Next::End;
        }
        match self.reader.end() {
            Err(e) => Next::Bad(e),
            Ok(last) if flags.slurp => {
                self.slurped.extend(last);
                Next::Value(Val::arr(std::mem::take(&mut self.slurped)))
            }
            Ok(Some(v)) => Next::Value(v),
            Ok(None) => Next::End,
        }
    }
}

impl Jq {
    fn print(&mut self, ctx: &mut Ctx<'_>, v: &Val) {
        let mut text = String::new();
        match v {
            Val::Str(s) if self.flags.raw && !self.style.ascii => text.push_str(s),
            v => write(&mut text, v, &self.style, 0),
        }
        if !self.flags.join {
            text.push('\n');
        }
        if self.flags.zero {
            text.push('\0');
        }
        ctx.out(text);
        self.last = Some(v.truthy());
        self.code = 0;
    }

    fn fail(&mut self, ctx: &mut Ctx<'_>, e: &Val) {
        let at = self.source.place();
        match e {
            Val::Str(s) => ctx.err(format!("jq: error (at {at}): {s}\n")),
            v => ctx.err(format!("jq: error (at {at}) (not a string): {}\n", compact(v))),
        }
        self.code = 5;
    }

    fn end(&mut self, ctx: &mut Ctx<'_>) -> Step {
        let mut code = if self.source.failed { 2 } else { self.code };
        if code == 0 && self.flags.exit_status {
            code = match self.last {
                Some(true) => 0,
                Some(false) => 1,
                None => 4,
            };
        }
        Step::Exit(finish(ctx, code))
    }

    fn run(&mut self, ctx: &mut Ctx<'_>) -> Step {
        match self.machine.run(STEPS) {
            Event::More => {}
            Event::Output(v) => self.print(ctx, &v),
            Event::Done => {
                self.running = false;
                if self.flags.null {
                    return self.end(ctx);
                }
            }
            Event::Error(e) => {
                self.fail(ctx, &e);
                self.running = false;
                if self.flags.null {
                    return self.end(ctx);
                }
            }
            Event::Ask(Question::Input) => self.asked = true,
            Event::Ask(Question::Line) => self.machine.answer(Ok(Val::num(self.source.line as f64))),
            Event::Ask(Question::File) => {
                let name = self.source.name.as_deref();
                self.machine.answer(Ok(name.map_or(Val::Null, Val::str)));
            }
            Event::Ask(Question::Now) => {
                let micros = ctx.now().as_nanos() / 1000;
                self.machine.answer(Ok(Val::num(micros as f64 / 1e6)));
            }
            Event::Tell(true, v) => ctx.err(format!("[\"DEBUG:\",{}]\n", compact(&v))),
            Event::Tell(false, Val::Str(s)) => ctx.err(s.to_string()),
            Event::Tell(false, v) => ctx.err(compact(&v)),
            Event::Halt(None) => return Step::Exit(finish(ctx, 0)),
            Event::Halt(Some((message, code))) => {
                match message {
                    Val::Str(s) => ctx.err(s.to_string()),
                    Val::Null => {}
                    v => ctx.err(format!("{}\n", compact(&v))),
                }
                let code = match code {
                    Val::Num(n, _) => (n as i64 & 0xff) as i32,
                    _ => 5,
                };
                return Step::Exit(finish(ctx, code));
            }
            Event::OutOfMemory => {
                ctx.err("jq: error: cannot allocate memory\n");
                return Step::Exit(finish(ctx, 2));
            }
        }
        Step::Ran
    }
}

impl Program for Jq {
    fn step(&mut self, ctx: &mut Ctx<'_>) -> Step {
        if self.flags.null && !self.started {
            self.started = true;
            self.running = true;
            self.machine.start(Val::Null);
        }
        if self.running && !self.asked {
            return self.run(ctx);
        }
        match self.source.next(ctx, &self.flags) {
            Next::More => {}
            Next::Wait(fd) => return Step::Block(Wait::readable(fd)),
            Next::Value(v) if self.asked => {
                self.asked = false;
                self.machine.answer(Ok(v));
            }
            Next::Value(v) => {
                self.running = true;
                self.code = 0;
                self.machine.start(v);
            }
            Next::End if self.asked => {
                self.asked = false;
                self.machine.answer(Err(Val::str("break")));
            }
            Next::End => return self.end(ctx),
            Next::Bad(e) if self.asked => {
                self.asked = false;
                self.source.bytes.clear();
                self.machine.answer(Err(Val::str(e)));
            }
            Next::Bad(e) => {
                ctx.err(format!("jq: parse error: {e}\n"));
                return Step::Exit(finish(ctx, if self.source.failed { 2 } else { 5 }));
            }
        }
        Step::Ran
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }

    fn memory_bytes(&self) -> u64 {
        (700 << 10) + (self.source.bytes.len() + self.source.kept + self.machine.memory()) as u64
    }
}
