//! `type`, `command -v`, `alias`, `umask`, `ulimit`, `times`, `hash`, `help`, `history`.

use super::super::Dialect;
use super::super::shell::{Flow, Shell};
use super::vars::quote;
use crate::context::Ctx;

const KEYWORDS: [&str; 17] = [
    "!", "{", "}", "case", "do", "done", "elif", "else", "esac", "fi", "for", "if", "in", "then", "until",
    "while", "[[",
];

/// `command -v` (short) and `type` / `command -V` (long).
pub(crate) fn describe(sh: &mut Shell, ctx: &mut Ctx<'_>, names: &[String], long: bool) -> i32 {
    let mut status = 0;
    let mut found_any = false;
    for name in names {
        let path_var = sh.vars.get("PATH").unwrap_or_default().to_owned();
        let text = if KEYWORDS.contains(&name.as_str()) && (name != "[[" || sh.dialect == Dialect::Bash) {
            if long { format!("{name} is a shell keyword") } else { name.clone() }
        } else if let Some(a) = sh.aliases.get(name) {
            match (long, sh.dialect) {
                (true, Dialect::Bash) => format!("{name} is aliased to `{a}'"),
                (true, _) => format!("{name} is an alias for {a}"),
                (false, Dialect::Ash | Dialect::Dash) => format!("alias {name}={}", quote(a)),
                (false, Dialect::Bash) => format!("alias {name}={}", quote(a)),
            }
        } else if sh.functions.contains_key(name) {
            match (long, sh.dialect) {
                (true, Dialect::Dash) => format!("{name} is a shell function"),
                (true, _) => format!("{name} is a function"),
                (false, _) => name.clone(),
            }
        } else if let Some(b) = super::find(sh.dialect, name) {
            match (long, sh.dialect, b.special) {
                (true, Dialect::Ash | Dialect::Dash, true) => format!("{name} is a special shell builtin"),
                (true, ..) => format!("{name} is a shell builtin"),
                (false, ..) => name.clone(),
            }
        } else if let Ok(path) = ctx.find_program(name, &path_var) {
            if long { format!("{name} is {path}") } else { path }
        } else {
            status = if sh.dialect == Dialect::Bash { 1 } else { 127 };
            if long {
                match sh.dialect {
                    Dialect::Bash => {
                        sh.builtin_error(ctx, "type", format!("{name}: not found"), 1);
                    }
                    _ => ctx.out(format!("{name}: not found\n")),
                }
            }
            continue;
        };
        found_any = true;
        ctx.out(format!("{text}\n"));
    }
    if found_any && !long && sh.dialect == Dialect::Bash {
        return 0;
    }
    status
}

pub(super) fn type_(sh: &mut Shell, ctx: &mut Ctx<'_>, args: &[String]) -> Flow {
    let mut rest = args.get(1..).unwrap_or_default().to_vec();
    if sh.dialect == Dialect::Bash && rest.first().is_some_and(|a| a == "-t" || a == "-p" || a == "-P") {
        let flag = rest.remove(0);
        let mut status = 0;
        for name in &rest {
            let path_var = sh.vars.get("PATH").unwrap_or_default().to_owned();
            let path = ctx.find_program(name, &path_var).ok();
            let word = if flag != "-t" {
                path
            } else if KEYWORDS.contains(&name.as_str()) {
                Some("keyword".to_owned())
            } else if sh.functions.contains_key(name) {
                Some("function".to_owned())
            } else if super::find(sh.dialect, name).is_some() {
                Some("builtin".to_owned())
            } else {
                path.map(|_| "file".to_owned())
            };
            match word {
                Some(w) => ctx.out(format!("{w}\n")),
                None => status = 1,
            }
        }
        return Flow::Status(status);
    }
    Flow::Status(describe(sh, ctx, &rest, true))
}

pub(super) fn hash(sh: &mut Shell, ctx: &mut Ctx<'_>, args: &[String]) -> Flow {
    let mut status = 0;
    for name in args.iter().skip(1).filter(|a| !a.starts_with('-')) {
        let path_var = sh.vars.get("PATH").unwrap_or_default().to_owned();
        if super::find(sh.dialect, name).is_none() && ctx.find_program(name, &path_var).is_err() {
            status = sh.builtin_error(ctx, "hash", format!("{name}: not found"), 1);
        }
    }
    Flow::Status(status)
}

pub(super) fn alias(sh: &mut Shell, ctx: &mut Ctx<'_>, args: &[String]) -> Flow {
    let show = |sh: &Shell, n: &str, v: &str| match sh.dialect {
        Dialect::Bash => format!("alias {n}={}\n", quote(v)),
        _ => format!("{n}={}\n", quote(v)),
    };
    if args.len() == 1 {
        let text: String = sh.aliases.iter().map(|(n, v)| show(sh, n, v)).collect();
        ctx.out(text);
        return Flow::Status(0);
    }
    let mut status = 0;
    for a in args.iter().skip(1).filter(|a| *a != "-p") {
        match a.split_once('=') {
            Some((n, v)) => {
                sh.aliases.insert(n.to_owned(), v.to_owned());
            }
            None => match sh.aliases.get(a) {
                Some(v) => {
                    let line = show(sh, a, v);
                    ctx.out(line);
                }
                None => {
                    status = 1;
                    match sh.dialect {
                        Dialect::Bash => {
                            sh.builtin_error(ctx, "alias", format!("{a}: not found"), 1);
                        }
                        _ => ctx.err(format!("alias: {a} not found\n")),
                    }
                }
            },
        }
    }
    Flow::Status(status)
}

pub(super) fn unalias(sh: &mut Shell, ctx: &mut Ctx<'_>, args: &[String]) -> Flow {
    let mut status = 0;
    for a in args.iter().skip(1) {
        if a == "-a" {
            sh.aliases.clear();
        } else if sh.aliases.remove(a).is_none() {
            status = 1;
            match sh.dialect {
                Dialect::Ash => ctx.err(format!("unalias: {a} not found\n")),
                Dialect::Dash => ctx.err(format!("unalias: {a} not found\n")),
                Dialect::Bash => {
                    sh.builtin_error(ctx, "unalias", format!("{a}: not found"), 1);
                }
            }
        }
    }
    Flow::Status(status)
}

pub(super) fn umask(sh: &mut Shell, ctx: &mut Ctx<'_>, args: &[String]) -> Flow {
    match args.get(1).map(String::as_str) {
        None => ctx.out(format!("{:04o}\n", ctx.core.umask)),
        Some("-S") => {
            let bits = |shift: u32| {
                let allowed = !(ctx.core.umask >> shift) & 7;
                let mut s = String::new();
                for (bit, c) in [(4, 'r'), (2, 'w'), (1, 'x')] {
                    if allowed & bit != 0 {
                        s.push(c);
                    }
                }
                s
            };
            let line = format!("u={},g={},o={}\n", bits(6), bits(3), bits(0));
            ctx.out(line);
        }
        Some(a) => match u32::from_str_radix(a, 8) {
            Ok(m) if m <= 0o777 => ctx.core.umask = m,
            _ => {
                let current = 0o777 & !ctx.core.umask;
                match crate::tools::parse_mode(a, current, true, 0) {
                    Some(m) => ctx.core.umask = 0o777 & !m,
                    None => {
                        let text = match sh.dialect {
                            Dialect::Bash => format!("{a}: octal number out of range"),
                            _ => format!("Illegal mode: {a}"),
                        };
                        return Flow::Status(sh.builtin_error(ctx, "umask", text, 1));
                    }
                }
            }
        },
    }
    Flow::Status(0)
}

pub(super) fn ulimit(_: &mut Shell, ctx: &mut Ctx<'_>, args: &[String]) -> Flow {
    match args.get(1).map(String::as_str) {
        None => ctx.out("unlimited\n"),
        // Setting a limit has no effect that a script here could see.
        Some(_) if args.len() > 2 => {}
        Some("-n") => ctx.out("1048576\n"),
        Some("-c") => ctx.out("0\n"),
        Some("-s") => ctx.out("8192\n"),
        Some("-a") => ctx.out(
            "core file size (blocks)         (-c) 0\ndata seg size (kb)              (-d) unlimited\nfile size (blocks)              (-f) unlimited\nopen files                      (-n) 1048576\nstack size (kb)                 (-s) 8192\ncpu time (seconds)              (-t) unlimited\nprocesses                       (-p) unlimited\nvirtual memory (kb)             (-v) unlimited\n",
        ),
        Some(_) => ctx.out("unlimited\n"),
    }
    Flow::Status(0)
}

pub(super) fn times(sh: &mut Shell, ctx: &mut Ctx<'_>, _: &[String]) -> Flow {
    #[allow(clippy::cast_precision_loss)]
    let secs = ctx.core.cpu_nanos as f64 / 1e9;
    let fmt = |s: f64| match sh.dialect {
        Dialect::Dash => format!("{}m{:.6}s", (s / 60.0).floor(), s % 60.0),
        _ => format!("{}m{:.3}s", (s / 60.0).floor(), s % 60.0),
    };
    let line = format!("{} {}\n{} {}\n", fmt(secs), fmt(0.0), fmt(0.0), fmt(0.0));
    ctx.out(line);
    Flow::Status(0)
}

pub(super) fn help(_: &mut Shell, ctx: &mut Ctx<'_>, _: &[String]) -> Flow {
    let mut text = String::from("Built-in commands:\n------------------\n");
    let names: Vec<&str> = super::TABLE.iter().map(|b| b.name).collect();
    for row in names.chunks(10) {
        text.push('\t');
        text.push_str(&row.join(" "));
        text.push('\n');
    }
    ctx.out(text);
    Flow::Status(0)
}

/// The terminal keeps the history; the shell has none of its own.
pub(super) fn history(_: &mut Shell, _: &mut Ctx<'_>, _: &[String]) -> Flow {
    Flow::Status(0)
}
