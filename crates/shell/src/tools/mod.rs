//! The tools: one entry a name, grouped by what they are about.
//!
//! A tool is a function that does its work at once ([`Make::Run`]), a filter that is fed line by line
//! ([`lines::Filter`]), or a program of its own that waits ([`Make::Start`]). A further tool is a line in [`TOOLS`].

mod awk;
mod cat;
mod curl;
mod data;
mod date;
mod diff;
mod dig;
mod echo;
mod env;
mod files;
mod find;
mod grep;
mod gzip;
mod head;
mod http;
mod httpd;
mod jq;
mod lines;
mod ls;
mod net;
mod paths;
mod printf;
mod python;
mod run;
mod sed;
mod seq;
mod shells;
mod sleep;
mod sort;
mod stress;
mod system;
mod tail;
mod tar;
mod text;
mod tr;
mod wget;

pub use diff::unified_hunks;

pub(crate) use echo::{echo_text, escapes};
pub(crate) use files::parse_mode;
pub(crate) use printf::printf_text;

use crate::context::Ctx;
use crate::process::{Family, OnSignal, Program, Step};
use crate::signal::Signal;

/// How a tool is made from its arguments.
#[derive(Clone, Copy)]
pub(crate) enum Make {
    /// Does everything in one step.
    Run(fn(&mut Ctx<'_>, &[String]) -> i32),
    /// A program that takes time.
    Start(fn(&[String], Family) -> Box<dyn Program>),
}

/// Where a tool exists.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum In {
    Both,
    /// Busybox; a Debian image has it only if it was installed (`tool:ps`).
    Busybox,
    Gnu,
    /// In no userland by itself: images bring it (`tool:stress`).
    Extra,
}

/// An entry of the registry.
pub(crate) struct Tool {
    name: &'static str,
    make: Make,
    place: In,
}

const fn run(name: &'static str, f: fn(&mut Ctx<'_>, &[String]) -> i32) -> Tool {
    Tool { name, make: Make::Run(f), place: In::Both }
}

const fn start(name: &'static str, f: fn(&[String], Family) -> Box<dyn Program>) -> Tool {
    Tool { name, make: Make::Start(f), place: In::Both }
}

const fn at(place: In, tool: Tool) -> Tool {
    Tool { place, ..tool }
}

/// All tools by name.
const TOOLS: &[Tool] = &[
    run("[", echo::test),
    at(In::Busybox, run("[[", echo::test)),
    at(In::Busybox, start("ash", shells::ash)),
    start("awk", awk::awk),
    start("base64", data::base64),
    run("basename", paths::basename),
    at(In::Gnu, start("bash", shells::bash)),
    start("cat", cat::cat),
    run("chgrp", files::chgrp),
    run("chmod", files::chmod),
    run("chown", files::chown),
    run("clear", system::clear),
    run("cp", files::cp),
    at(In::Extra, start("curl", curl::curl)),
    start("cut", text::cut),
    at(In::Gnu, start("dash", shells::dash)),
    run("date", date::date),
    start("dd", data::dd),
    run("df", system::df),
    run("diff", diff::diff),
    run("dirname", paths::dirname),
    at(In::Busybox, run("dmesg", system::not_permitted)),
    run("du", system::du),
    run("echo", echo::echo),
    start("egrep", grep::egrep),
    start("env", env::env),
    run("expr", data::expr),
    run("false", |_, _| 1),
    start("fgrep", grep::fgrep),
    start("find", find::find),
    start("fold", text::fold),
    at(In::Busybox, run("free", system::free)),
    start("grep", grep::grep),
    run("groups", system::groups),
    start("gunzip", gzip::gzip),
    start("gzip", gzip::gzip),
    at(In::Busybox, start("hd", data::hexdump_tool)),
    start("head", head::head),
    at(In::Busybox, start("hexdump", data::hexdump_tool)),
    run("hostname", env::hostname),
    at(In::Busybox, start("httpd", httpd::httpd)),
    run("id", system::id),
    at(In::Extra, start("jq", jq::jq)),
    at(In::Busybox, run("kill", system::kill)),
    at(In::Busybox, run("killall", system::killall)),
    at(In::Busybox, start("less", cat::cat)),
    run("ln", files::ln),
    run("ls", ls::ls),
    start("md5sum", data::md5sum),
    run("mkdir", files::mkdir),
    run("mktemp", data::mktemp),
    start("more", cat::cat),
    run("mount", system::not_permitted),
    run("mv", files::mv),
    at(In::Busybox, start("nc", net::nc)),
    start("nl", text::nl),
    start("nohup", run::nohup),
    run("nproc", system::nproc),
    at(In::Busybox, run("nslookup", net::nslookup)),
    at(In::Extra, run("dig", dig::dig)),
    at(In::Gnu, run("getent", net::getent)),
    start("od", data::od),
    at(In::Busybox, run("pidof", system::pidof)),
    at(In::Busybox, start("ping", net::ping)),
    run("printenv", env::printenv),
    run("printf", printf::printf),
    at(In::Busybox, run("ps", system::ps)),
    run("pwd", paths::pwd),
    at(In::Extra, start("python", httpd::python)),
    at(In::Extra, start("python3", httpd::python)),
    run("readlink", paths::readlink),
    run("realpath", paths::realpath),
    start("rev", text::rev),
    run("rm", files::rm),
    run("rmdir", files::rmdir),
    start("sed", sed::sed),
    start("seq", seq::seq),
    start("sh", shells::sh),
    start("sha256sum", data::sha256sum),
    start("sleep", sleep::sleep),
    start("sort", sort::sort),
    run("stat", system::stat),
    at(In::Extra, start("stress", stress::stress)),
    at(In::Extra, start("stress-ng", stress::stress_ng)),
    run("sync", |_, _| 0),
    start("tac", text::tac),
    start("tail", tail::tail),
    start("tar", tar::tar),
    start("tee", tr::tee),
    run("test", echo::test),
    start("timeout", run::timeout),
    at(In::Busybox, run("top", system::top)),
    run("touch", files::touch),
    start("tr", tr::tr),
    run("true", |_, _| 0),
    run("truncate", data::truncate),
    run("umount", system::not_permitted),
    run("uname", system::uname),
    start("uniq", sort::uniq),
    at(In::Busybox, run("uptime", system::uptime)),
    at(In::Busybox, start("usleep", sleep::usleep)),
    at(In::Busybox, run("vi", system::refused)),
    start("wc", text::wc),
    at(In::Busybox, start("wget", wget::wget)),
    run("which", system::which),
    run("whoami", system::whoami),
    start("watch", run::watch),
    start("xargs", run::xargs),
    start("yes", seq::yes),
    start("zcat", gzip::gzip),
];

/// The names of a family's tools, sorted.
pub(crate) fn names(family: Family) -> impl Iterator<Item = &'static str> {
    let other = if family == Family::Busybox { In::Gnu } else { In::Busybox };
    TOOLS.iter().filter(move |t| t.place != other && t.place != In::Extra).map(|t| t.name)
}

/// The program behind an executable node: `busybox:*`, `gnu:ls`, `tool:stress`; `None` where it is the host's to know.
pub(crate) fn make(node: &str, argv: &mut Vec<String>) -> Option<(Box<dyn Program>, Family)> {
    let (kind, name) = node.split_once(':')?;
    let family = match kind {
        "busybox" => Family::Busybox,
        "gnu" | "tool" => Family::Gnu,
        _ => return None,
    };
    let mut name = name.to_owned();
    if name == "*" {
        name = base(argv.first().map_or("", String::as_str)).to_owned();
        if name == "busybox" {
            if argv.len() < 2 {
                let usage: fn(&mut Ctx<'_>, &[String]) -> i32 = |ctx, _| {
                    ctx.out("BusyBox v1.36.1 (2023-05-18 22:34:17 UTC) multi-call binary.\n");
                    0
                };
                return Some((Box::new(Immediate { run: usage, args: Vec::new() }), family));
            }
            argv.remove(0);
            name = base(argv.first().map_or("", String::as_str)).to_owned();
        }
    }
    let tool = TOOLS.iter().find(|t| {
        t.name == name
            && match t.place {
                In::Both => true,
                In::Extra => kind == "tool",
                In::Busybox => family == Family::Busybox || kind == "tool",
                In::Gnu => family == Family::Gnu,
            }
    });
    let Some(tool) = tool else {
        let missing: fn(&mut Ctx<'_>, &[String]) -> i32 = |ctx, args| {
            let name = base(args.first().map_or("", String::as_str)).to_owned();
            ctx.err(format!("{name}: applet not found\n"));
            127
        };
        return Some((Box::new(Immediate { run: missing, args: argv.clone() }), family));
    };
    Some(match tool.make {
        Make::Run(run) => (Box::new(Immediate { run, args: argv.clone() }), family),
        Make::Start(start) => (start(argv, family), family),
    })
}

/// The last part of a path.
pub(crate) fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// A tool that does everything in one step.
#[derive(Clone, Debug)]
struct Immediate {
    run: fn(&mut Ctx<'_>, &[String]) -> i32,
    args: Vec<String>,
}

impl Program for Immediate {
    fn step(&mut self, ctx: &mut Ctx<'_>) -> Step {
        let code = (self.run)(ctx, &self.args);
        Step::Exit(finish(ctx, code))
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }

    fn on_signal(&mut self, _: Signal) -> OnSignal {
        OnSignal::Default
    }
}

/// The code a tool ends with: 1 and a text where its output could not be written.
pub(crate) fn finish(ctx: &mut Ctx<'_>, code: i32) -> i32 {
    match ctx.core.write_error.take() {
        Some(e) if code == 0 => ctx.fail(1, format!("write error: {e}")),
        _ => code,
    }
}

/// What an option parser found: options in order with their values, then operands.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    /// (letter, value)
    pub found: Vec<(char, String)>,
    pub operands: Vec<String>,
}

impl Options {
    pub fn has(&self, c: char) -> bool {
        self.found.iter().any(|(f, _)| *f == c)
    }

    pub fn value(&self, c: char) -> Option<&str> {
        self.found.iter().rev().find(|(f, _)| *f == c).map(|(_, v)| v.as_str())
    }

    pub fn values(&self, c: char) -> Vec<String> {
        self.found.iter().filter(|(f, _)| *f == c).map(|(_, v)| v.clone()).collect()
    }
}

/// Reads options as getopt does: `spec` is letters, `:` after those with a value; `long` maps names to letters.
/// An unknown option is told on standard error in the family's words and answers the code for a usage error.
pub(crate) fn options(
    ctx: &mut Ctx<'_>,
    args: &[String],
    spec: &str,
    long: &[(&str, char)],
) -> Result<Options, i32> {
    options_until(ctx, args, spec, long, false)
}

/// As [`options`]; `stop` at the first operand (`env`, `timeout`, `xargs`).
pub(crate) fn options_until(
    ctx: &mut Ctx<'_>,
    args: &[String],
    spec: &str,
    long: &[(&str, char)],
    stop: bool,
) -> Result<Options, i32> {
    let mut out = Options::default();
    let takes = |c: char| {
        let mut chars = spec.chars();
        while let Some(s) = chars.next() {
            if s == c {
                return Some(chars.next() == Some(':'));
            }
        }
        None
    };
    let mut i = 1;
    while let Some(arg) = args.get(i) {
        i += 1;
        if arg == "--" {
            out.operands.extend(args.get(i..).unwrap_or_default().iter().cloned());
            break;
        }
        if let Some(name) = arg.strip_prefix("--") {
            let (name, inline) = match name.split_once('=') {
                Some((n, v)) => (n, Some(v.to_owned())),
                None => (name, None),
            };
            let exact = long.iter().find(|(n, _)| *n == name);
            let mut partial = long.iter().filter(|(n, _)| n.starts_with(name));
            let Some((_, letter)) = exact.or_else(|| partial.next()) else {
                return Err(bad_option(ctx, &format!("--{name}"), name, true));
            };
            let value = if takes(*letter) == Some(true) {
                match inline {
                    Some(v) => v,
                    None => {
                        i += 1;
                        match args.get(i - 1) {
                            Some(v) => v.clone(),
                            None => return Err(missing_value(ctx, name, true)),
                        }
                    }
                }
            } else {
                inline.unwrap_or_default()
            };
            out.found.push((*letter, value));
            continue;
        }
        let letters = match arg.strip_prefix('-') {
            Some(l) if !l.is_empty() => l,
            _ => {
                out.operands.push(arg.clone());
                if stop {
                    out.operands.extend(args.get(i..).unwrap_or_default().iter().cloned());
                    break;
                }
                continue;
            }
        };
        for (n, c) in letters.char_indices() {
            match takes(c).filter(|_| c != ':') {
                None => return Err(bad_option(ctx, &c.to_string(), &c.to_string(), false)),
                Some(false) => out.found.push((c, String::new())),
                Some(true) => {
                    let inline = letters.get(n + c.len_utf8()..).unwrap_or_default();
                    let value = if inline.is_empty() {
                        i += 1;
                        match args.get(i - 1) {
                            Some(v) => v.clone(),
                            None => return Err(missing_value(ctx, &c.to_string(), false)),
                        }
                    } else {
                        inline.to_owned()
                    };
                    out.found.push((c, value));
                    break;
                }
            }
        }
    }
    Ok(out)
}

fn usage_code(ctx: &Ctx<'_>) -> i32 {
    let two = matches!(
        ctx.name().as_str(),
        "ls" | "grep" | "egrep" | "fgrep" | "sort" | "diff" | "timeout" | "env"
    );
    match ctx.family() {
        Family::Gnu if matches!(ctx.name().as_str(), "env" | "timeout") => 125,
        Family::Gnu if two => 2,
        Family::Busybox if matches!(ctx.name().as_str(), "grep" | "sort" | "diff") => 2,
        _ => 1,
    }
}

fn bad_option(ctx: &mut Ctx<'_>, shown: &str, name: &str, long: bool) -> i32 {
    let tool = ctx.name();
    let text = match (ctx.family(), long) {
        (Family::Busybox, true) => format!("{tool}: unrecognized option: {name}\n{}", busybox_usage(&tool)),
        (Family::Busybox, false) => format!("{tool}: unrecognized option: {name}\n{}", busybox_usage(&tool)),
        (Family::Gnu, true) => {
            format!("{tool}: unrecognized option '{shown}'\nTry '{tool} --help' for more information.\n")
        }
        (Family::Gnu, false) => {
            format!("{tool}: invalid option -- '{name}'\nTry '{tool} --help' for more information.\n")
        }
    };
    ctx.err(text);
    usage_code(ctx)
}

fn missing_value(ctx: &mut Ctx<'_>, name: &str, long: bool) -> i32 {
    let tool = ctx.name();
    let text = match (ctx.family(), long) {
        (Family::Busybox, _) => {
            format!("{tool}: option requires an argument: {name}\n{}", busybox_usage(&tool))
        }
        (Family::Gnu, true) => {
            format!(
                "{tool}: option '--{name}' requires an argument\nTry '{tool} --help' for more information.\n"
            )
        }
        (Family::Gnu, false) => {
            format!(
                "{tool}: option requires an argument -- '{name}'\nTry '{tool} --help' for more information.\n"
            )
        }
    };
    ctx.err(text);
    usage_code(ctx)
}

/// The head of busybox's usage text; the options' own texts are not repeated here.
pub(crate) fn busybox_usage(tool: &str) -> String {
    format!("BusyBox v1.36.1 (2023-05-18 22:34:17 UTC) multi-call binary.\n\nUsage: {tool} [OPTIONS]...\n")
}

/// Says that an operand is missing and answers the code.
pub(crate) fn missing_operand(ctx: &mut Ctx<'_>) -> i32 {
    let tool = ctx.name();
    let text = match ctx.family() {
        Family::Busybox => busybox_usage(&tool),
        Family::Gnu => format!("{tool}: missing operand\nTry '{tool} --help' for more information.\n"),
    };
    ctx.err(text);
    1
}

/// A number with a suffix `k`, `M`, `G` (1024) or `b` (512).
pub(crate) fn size(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, suffix) = text.split_at(digits);
    let n: u64 = number.parse().ok()?;
    let factor: u64 = match suffix {
        "" | "c" | "B" => 1,
        "w" => 2,
        "b" => 512,
        "k" | "K" | "KiB" | "Ki" | "kiB" => 1 << 10,
        "kB" | "KB" => 1000,
        "m" | "M" | "MiB" | "Mi" => 1 << 20,
        "MB" => 1_000_000,
        "g" | "G" | "GiB" | "Gi" => 1 << 30,
        "GB" => 1_000_000_000,
        "t" | "T" | "TiB" | "Ti" => 1 << 40,
        _ => return None,
    };
    n.checked_mul(factor)
}
