//! `read`, `getopts`, `mapfile`.

use super::super::Dialect;
use super::super::shell::{Blocked, Flow, Shell};
use crate::context::{Ctx, Read};
use crate::process::Wait;
use podlab_sim::SimTime;
use std::time::Duration;

/// A `read` that waits for its line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReadState {
    names: Vec<String>,
    raw: bool,
    delimiter: u8,
    max: Option<usize>,
    until: Option<SimTime>,
    fd: u32,
    array: bool,
    bytes: Vec<u8>,
}

pub(super) fn read(sh: &mut Shell, ctx: &mut Ctx<'_>, args: &[String]) -> Flow {
    let mut state = ReadState {
        names: Vec::new(),
        raw: false,
        delimiter: b'\n',
        max: None,
        until: None,
        fd: 0,
        array: false,
        bytes: Vec::new(),
    };
    let mut i = 1;
    'args: while let Some(a) = args.get(i) {
        let Some(letters) = a.strip_prefix('-').filter(|l| !l.is_empty()) else { break };
        i += 1;
        if a == "--" {
            break;
        }
        for (at, c) in letters.char_indices() {
            if matches!(c, 'p' | 'd' | 'n' | 'N' | 't' | 'u' | 'a') {
                let inline = letters.get(at + 1..).unwrap_or_default();
                let value = if inline.is_empty() {
                    i += 1;
                    args.get(i - 1).cloned().unwrap_or_default()
                } else {
                    inline.to_owned()
                };
                match c {
                    'p' => {
                        if ctx.is_tty(0) {
                            ctx.err(&value);
                        }
                    }
                    'd' => state.delimiter = value.bytes().next().unwrap_or(0),
                    'n' | 'N' => state.max = value.parse().ok(),
                    't' => {
                        let secs = value.parse::<f64>().unwrap_or(0.0).clamp(0.0, 1e9);
                        state.until = Some(ctx.now() + Duration::from_secs_f64(secs));
                    }
                    'u' => state.fd = value.parse().unwrap_or(0),
                    _ => {
                        state.array = true;
                        state.names.push(value);
                    }
                }
                continue 'args;
            }
            match c {
                'r' => state.raw = true,
                's' | 'e' => {}
                c => {
                    let text = match sh.dialect {
                        Dialect::Dash => format!("Illegal option -{c}"),
                        Dialect::Ash => format!("illegal option -{c}"),
                        Dialect::Bash => format!("-{c}: invalid option"),
                    };
                    return Flow::Fatal(sh.builtin_error(ctx, "read", text, 2));
                }
            }
        }
    }
    state.names.extend(args.get(i..).unwrap_or_default().iter().cloned());
    if state.names.is_empty() {
        if sh.dialect == Dialect::Dash {
            return Flow::Fatal(sh.builtin_error(ctx, "read", "arg count", 2));
        }
        state.names.push("REPLY".to_owned());
    }
    if let Some(bad) = state.names.iter().find(|n| !crate::syntax::is_name(n)) {
        let text = match sh.dialect {
            Dialect::Bash => format!("`{bad}': not a valid identifier"),
            _ => format!("{bad}: bad variable name"),
        };
        let code = if sh.dialect == Dialect::Bash { 1 } else { 2 };
        return Flow::Status(sh.builtin_error(ctx, "read", text, code));
    }
    Flow::Block(Blocked::ReadLine(state))
}

impl Shell {
    pub fn unblock_read(&mut self, ctx: &mut Ctx<'_>, mut state: ReadState) -> Option<Wait> {
        if self.interrupted || !self.pending_traps.is_empty() {
            self.status = 128 + self.pending_traps.front().map_or(2, |s| i32::from(s.0));
            return None;
        }
        let mut ok = false;
        loop {
            if state.max.is_some_and(|m| state.bytes.len() >= m) {
                ok = true;
                break;
            }
            match ctx.read(state.fd, 1 << 12) {
                Read::Blocked => {
                    if state.until.is_some_and(|u| ctx.now() >= u) {
                        self.status = if self.dialect == Dialect::Bash { 142 } else { 1 };
                        return None;
                    }
                    let wait = Wait { until: state.until, ..Wait::readable(state.fd) };
                    self.blocked = Some(Blocked::ReadLine(state));
                    return Some(wait);
                }
                Read::Eof | Read::Failed(_) => break,
                Read::Data(data) => {
                    // Takes bytes up to the delimiter and gives the others back.
                    let mut used = 0;
                    for b in &data {
                        used += 1;
                        let escaped = !state.raw && trailing_backslashes(&state.bytes) % 2 == 1;
                        if *b == state.delimiter && !escaped {
                            ok = true;
                            break;
                        }
                        if *b == b'\n' && escaped {
                            state.bytes.pop();
                            continue;
                        }
                        state.bytes.push(*b);
                        if state.max.is_some_and(|m| state.bytes.len() >= m) {
                            ok = true;
                            break;
                        }
                    }
                    if let Some(rest) = data.get(used..).filter(|r| !r.is_empty()) {
                        ctx.unread(state.fd, rest);
                    }
                    if ok {
                        break;
                    }
                    if state.bytes.len() > 1 << 20 {
                        break;
                    }
                }
            }
        }
        state.bytes.retain(|b| *b != 0);
        let line = String::from_utf8_lossy(&state.bytes).into_owned();
        self.assign_read(ctx, &state, &line);
        if self.status == 0 || ok {
            self.status = i32::from(!ok);
        }
        self.status = i32::from(!ok);
        None
    }

    fn assign_read(&mut self, ctx: &mut Ctx<'_>, state: &ReadState, line: &str) {
        let ifs = self.vars.get("IFS").unwrap_or(" \t\n").to_owned();
        // (character, whether it was escaped)
        let mut chars: Vec<(char, bool)> = Vec::new();
        let mut it = line.chars();
        while let Some(c) = it.next() {
            if c == '\\' && !state.raw {
                if let Some(n) = it.next() {
                    chars.push((n, true));
                }
            } else {
                chars.push((c, false));
            }
        }
        if state.names == ["REPLY"] && !state.array && self.dialect == Dialect::Bash {
            let text: String = chars.iter().map(|(c, _)| *c).collect();
            let _ = self.assign(ctx, "REPLY", None, &text, false);
            return;
        }
        let is_space = |c: &(char, bool)| !c.1 && c.0.is_ascii_whitespace() && ifs.contains(c.0);
        let is_sep = |c: &(char, bool)| !c.1 && ifs.contains(c.0);
        let mut rest: &[(char, bool)] = &chars;
        let trim_start = |mut r: &'_ [(char, bool)]| -> usize {
            let before = r.len();
            while r.first().is_some_and(is_space) {
                r = r.get(1..).unwrap_or_default();
            }
            before - r.len()
        };
        let skip = trim_start(rest);
        rest = rest.get(skip..).unwrap_or_default();
        let mut words: Vec<String> = Vec::new();
        let limit = if state.array { usize::MAX } else { state.names.len() };
        while words.len() + 1 < limit && !rest.is_empty() {
            let end = rest.iter().position(is_sep).unwrap_or(rest.len());
            words.push(rest.get(..end).unwrap_or_default().iter().map(|(c, _)| *c).collect());
            rest = rest.get(end..).unwrap_or_default();
            // One delimiter with the blanks around it.
            let skip = trim_start(rest);
            rest = rest.get(skip..).unwrap_or_default();
            if rest.first().is_some_and(|c| is_sep(c) && !is_space(c)) {
                rest = rest.get(1..).unwrap_or_default();
                let skip = trim_start(rest);
                rest = rest.get(skip..).unwrap_or_default();
            }
        }
        if !state.array {
            let mut end = rest.len();
            while end > 0 && rest.get(end - 1).is_some_and(is_space) {
                end -= 1;
            }
            // A single trailing delimiter goes, too, if it is the only one.
            let body = rest.get(..end).unwrap_or_default();
            let seps = body.iter().filter(|c| is_sep(c) && !is_space(c)).count();
            let body = if seps == 1 && body.last().is_some_and(is_sep) {
                body.get(..body.len() - 1).unwrap_or_default()
            } else {
                body
            };
            words.push(body.iter().map(|(c, _)| *c).collect());
        }
        if state.array {
            if let Some(name) = state.names.first() {
                let _ = self.assign_array(name, &words, false);
            }
            return;
        }
        for (i, name) in state.names.iter().enumerate() {
            let value = words.get(i).cloned().unwrap_or_default();
            if let Err(e) = self.assign(ctx, name, None, &value, false) {
                self.print_expansion_error(ctx, &e);
            }
        }
    }
}

fn trailing_backslashes(bytes: &[u8]) -> usize {
    bytes.iter().rev().take_while(|b| **b == b'\\').count()
}

pub(super) fn mapfile(sh: &mut Shell, ctx: &mut Ctx<'_>, args: &[String]) -> Flow {
    let strip = args.iter().any(|a| a == "-t");
    let name =
        args.iter().skip(1).rfind(|a| !a.starts_with('-')).cloned().unwrap_or_else(|| "MAPFILE".to_owned());
    let mut bytes = Vec::new();
    loop {
        match ctx.read(0, 1 << 16) {
            Read::Data(d) => bytes.extend(d),
            Read::Blocked => {
                return Flow::Exit(sh.builtin_error(ctx, "mapfile", "not simulated: reading from a pipe", 2));
            }
            _ => break,
        }
    }
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let lines: Vec<String> = text
        .split_inclusive('\n')
        .map(|l| if strip { l.trim_end_matches('\n').to_owned() } else { l.to_owned() })
        .collect();
    let _ = sh.assign_array(&name, &lines, false);
    Flow::Status(0)
}

pub(super) fn getopts(sh: &mut Shell, ctx: &mut Ctx<'_>, args: &[String]) -> Flow {
    let (Some(spec), Some(var)) = (args.get(1).cloned(), args.get(2).cloned()) else {
        return Flow::Status(match sh.dialect {
            Dialect::Ash => sh.builtin_error(ctx, "getopts", "usage: getopts optstring var [arg]", 2),
            Dialect::Dash => sh.builtin_error(ctx, "getopts", "Usage: getopts optstring var [arg...]", 2),
            Dialect::Bash => {
                ctx.err("getopts: usage: getopts optstring name [arg ...]\n");
                2
            }
        });
    };
    let params = if args.len() > 3 { args.get(3..).unwrap_or_default().to_vec() } else { sh.params.clone() };
    let silent = spec.starts_with(':');
    let (mut index, mut offset) = sh.getopts;
    let finish =
        |sh: &mut Shell, ctx: &mut Ctx<'_>, index: usize, offset: usize, value: &str, arg: Option<&str>| {
            let _ = sh.vars.set("OPTIND", &index.to_string());
            sh.getopts = (index, offset);
            match arg {
                Some(a) => {
                    let _ = sh.vars.set("OPTARG", a);
                }
                None => {
                    let _ = sh.vars.unset("OPTARG");
                }
            }
            let _ = sh.assign(ctx, &var, None, value, false);
        };
    let current = params.get(index.saturating_sub(1)).cloned().unwrap_or_default();
    if offset == 0 {
        if current == "--" {
            finish(sh, ctx, index + 1, 0, "?", None);
            return Flow::Status(1);
        }
        if !current.starts_with('-') || current.len() < 2 {
            finish(sh, ctx, index, 0, "?", None);
            return Flow::Status(1);
        }
        offset = 1;
    }
    let chars: Vec<char> = current.chars().collect();
    let c = chars.get(offset).copied().unwrap_or('?');
    let at_end = offset + 1 >= chars.len();
    let known = spec.trim_start_matches(':').chars().collect::<Vec<_>>();
    let position = known.iter().position(|k| *k == c && c != ':');
    let next = |index: usize| if at_end { (index + 1, 0) } else { (index, offset + 1) };
    let Some(position) = position else {
        let (i, o) = next(index);
        if silent {
            finish(sh, ctx, i, o, "?", Some(&c.to_string()));
        } else {
            let text = match sh.dialect {
                Dialect::Bash => format!("{}: illegal option -- {c}\n", sh.name),
                _ => format!("Illegal option -{c}\n"),
            };
            ctx.err(text);
            finish(sh, ctx, i, o, "?", None);
        }
        return Flow::Status(0);
    };
    if known.get(position + 1) == Some(&':') {
        let value = if at_end {
            index += 1;
            params.get(index - 1).cloned()
        } else {
            Some(chars.iter().skip(offset + 1).collect())
        };
        match value {
            Some(v) => finish(sh, ctx, index + 1, 0, &c.to_string(), Some(&v)),
            None if silent => finish(sh, ctx, index, 0, ":", Some(&c.to_string())),
            None => {
                let text = match sh.dialect {
                    Dialect::Bash => format!("{}: option requires an argument -- {c}\n", sh.name),
                    _ => format!("No arg for -{c} option\n"),
                };
                ctx.err(text);
                finish(sh, ctx, index, 0, "?", None);
            }
        }
        return Flow::Status(0);
    }
    let (i, o) = next(index);
    finish(sh, ctx, i, o, &c.to_string(), None);
    Flow::Status(0)
}
