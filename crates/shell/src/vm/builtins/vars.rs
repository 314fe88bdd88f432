//! Builtins about variables and the working directory.

use super::super::Dialect;
use super::super::messages::ShellError;
use super::super::shell::{Flow, Frame, Shell};
use super::super::variables::{SetError, Value};
use crate::context::Ctx;
use crate::syntax::is_name;

/// `'text'` with quotes inside made safe.
pub(crate) fn quote(s: &str) -> String {
    format!("'{}'", s.replace('\'', "'\\''"))
}

/// Quotes only where the shell would need it to read the word again.
pub(crate) fn quote_if_needed(s: &str, dialect: Dialect) -> String {
    // Busybox: no control characters, none of ` !"#$%&'()*;<=>?[\\` and nothing after `z`.
    let safe = |c: char| ('+'..='z').contains(&c) && !";<=>?[\\`".contains(c);
    let safe_bash = |c: char| c.is_alphanumeric() || "_-./:=,@%+^".contains(c);
    let plain = if dialect == Dialect::Bash { s.chars().all(safe_bash) } else { s.chars().all(safe) };
    if plain && !s.is_empty() { s.to_owned() } else { quote(s) }
}

fn bash_quote(s: &str) -> String {
    let mut out = String::from("\"");
    for c in s.chars() {
        if "\"\\$`".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}

fn list(
    sh: &Shell,
    ctx: &mut Ctx<'_>,
    word: &str,
    want: impl Fn(&super::super::variables::Variable) -> bool,
) {
    let mut text = String::new();
    for (name, v) in sh.vars.names().filter(|(_, v)| want(v)) {
        let value = sh.vars.get(name);
        match sh.dialect {
            Dialect::Bash => {
                let mut flags = String::new();
                if v.readonly {
                    flags.push('r');
                }
                if v.exported {
                    flags.push('x');
                }
                let flags = if flags.is_empty() { "-".to_owned() } else { flags };
                text.push_str(&format!("declare -{flags} {name}"));
                if let Some(s) = value {
                    text.push_str(&format!("={}", bash_quote(s)));
                }
            }
            _ => {
                text.push_str(&format!("{word} {name}"));
                if let Some(s) = value {
                    text.push_str(&format!("={}", quote(s)));
                }
            }
        }
        text.push('\n');
    }
    ctx.out(text);
}

enum Mark {
    Export,
    Readonly,
}

fn mark(sh: &mut Shell, ctx: &mut Ctx<'_>, args: &[String], what: &Mark) -> Flow {
    let name = args.first().cloned().unwrap_or_default();
    let mut unexport = false;
    let mut rest = Vec::new();
    let mut options = true;
    for a in args.iter().skip(1) {
        match a.as_str() {
            "-p" if options => {}
            "-n" if options && sh.dialect != Dialect::Dash => unexport = true,
            "-f" if options && sh.dialect == Dialect::Bash => return Flow::Status(0),
            "-a" if options && sh.dialect == Dialect::Bash => {}
            "--" if options => options = false,
            o if options && o.starts_with('-') && o.len() > 1 => {
                let text = match sh.dialect {
                    Dialect::Bash => format!("{o}: invalid option"),
                    Dialect::Dash => format!("Illegal option {o}"),
                    Dialect::Ash => format!("illegal option {o}"),
                };
                return Flow::Fatal(sh.builtin_error(ctx, &name, text, 2));
            }
            _ => {
                options = false;
                rest.push(a.clone());
            }
        }
    }
    if rest.is_empty() {
        match what {
            Mark::Export => list(sh, ctx, "export", |v| v.exported),
            Mark::Readonly => list(sh, ctx, "readonly", |v| v.readonly),
        }
        return Flow::Status(0);
    }
    let mut status = 0;
    for a in rest {
        let (n, value) = match a.split_once('=') {
            Some((n, v)) => (n.to_owned(), Some(v.to_owned())),
            None => (a.clone(), None),
        };
        let (n, append) = match n.strip_suffix('+') {
            Some(s) if sh.dialect == Dialect::Bash => (s.to_owned(), true),
            _ => (n, false),
        };
        if !is_name(&n) {
            if sh.dialect == Dialect::Bash {
                status = sh.builtin_error(ctx, &name, format!("`{a}': not a valid identifier"), 1);
                continue;
            }
            return Flow::Fatal(sh.builtin_error(ctx, &name, format!("{n}: bad variable name"), 2));
        }
        if let Some(v) = value
            && let Err(e) = sh.assign(ctx, &n, None, &v, append)
        {
            match (sh.dialect, e) {
                (Dialect::Bash, ShellError::ReadOnly(n)) => {
                    status = sh.shell_error(ctx, format!("{n}: readonly variable"), 1);
                    continue;
                }
                (_, ShellError::ReadOnly(n)) => {
                    return Flow::Fatal(sh.builtin_error(ctx, &name, format!("{n}: is read only"), 2));
                }
                (_, e) => {
                    sh.print_expansion_error(ctx, &e);
                    return Flow::Fatal(2);
                }
            }
        }
        let var = sh.vars.variable_mut(&n);
        match what {
            Mark::Export => var.exported = !unexport,
            Mark::Readonly => var.readonly = true,
        }
    }
    Flow::Status(status)
}

pub(super) fn export(sh: &mut Shell, ctx: &mut Ctx<'_>, args: &[String]) -> Flow {
    mark(sh, ctx, args, &Mark::Export)
}

pub(super) fn readonly(sh: &mut Shell, ctx: &mut Ctx<'_>, args: &[String]) -> Flow {
    mark(sh, ctx, args, &Mark::Readonly)
}

pub(super) fn unset(sh: &mut Shell, ctx: &mut Ctx<'_>, args: &[String]) -> Flow {
    let mut functions = false;
    let mut status = 0;
    for a in args.iter().skip(1) {
        match a.as_str() {
            "-f" => functions = true,
            "-v" => functions = false,
            "--" => {}
            name if functions => {
                sh.functions.remove(name);
            }
            name => {
                if sh.dialect == Dialect::Bash
                    && let Some((base, index)) = name.strip_suffix(']').and_then(|n| n.split_once('['))
                {
                    let i = sh.arith(ctx, index).unwrap_or(0);
                    if let Some(Value::Array(a)) = &mut sh.vars.variable_mut(base).value {
                        a.remove(&i);
                    }
                    continue;
                }
                if !is_name(name) {
                    if sh.dialect == Dialect::Bash {
                        continue;
                    }
                    return Flow::Fatal(sh.builtin_error(
                        ctx,
                        "unset",
                        format!("{name}: bad variable name"),
                        2,
                    ));
                }
                if sh.vars.unset(name) == Err(SetError::ReadOnly) {
                    if sh.dialect == Dialect::Bash {
                        let text = format!("{name}: cannot unset: readonly variable");
                        status = sh.builtin_error(ctx, "unset", text, 1);
                        continue;
                    }
                    return Flow::Fatal(sh.builtin_error(ctx, "unset", format!("{name}: is read only"), 2));
                }
                if sh.dialect == Dialect::Bash && sh.vars.get(name).is_none() {
                    sh.functions.remove(name);
                }
            }
        }
    }
    Flow::Status(status)
}

fn declare_local(sh: &mut Shell, name: &str) {
    let old = sh.vars.variable(name).cloned();
    for frame in sh.frames.iter_mut().rev() {
        if let Frame::Call { locals, .. } = frame {
            if !locals.iter().any(|(n, _)| n == name) {
                locals.push((name.to_owned(), old));
            }
            return;
        }
    }
}

pub(super) fn local(sh: &mut Shell, ctx: &mut Ctx<'_>, args: &[String]) -> Flow {
    if !sh.frames.iter().any(|f| matches!(f, Frame::Call { .. })) {
        return match sh.dialect {
            Dialect::Bash => {
                Flow::Status(sh.builtin_error(ctx, "local", "can only be used in a function", 1))
            }
            _ => Flow::Fatal(sh.builtin_error(ctx, "local", "not in a function", 2)),
        };
    }
    for a in args.iter().skip(1) {
        if a.starts_with('-') && a.len() > 1 && sh.dialect == Dialect::Bash {
            continue;
        }
        let (n, value) = match a.split_once('=') {
            Some((n, v)) => (n, Some(v)),
            None => (a.as_str(), None),
        };
        if !is_name(n) {
            if sh.dialect == Dialect::Bash {
                return Flow::Status(sh.builtin_error(
                    ctx,
                    "local",
                    format!("`{a}': not a valid identifier"),
                    1,
                ));
            }
            return Flow::Fatal(sh.builtin_error(ctx, "local", format!("{n}: bad variable name"), 2));
        }
        declare_local(sh, n);
        match value {
            Some(v) => {
                if let Err(e) = sh.assign(ctx, n, None, v, false) {
                    sh.print_expansion_error(ctx, &e);
                    return Flow::Status(1);
                }
            }
            None if sh.dialect == Dialect::Bash => {
                let exported = sh.vars.variable(n).is_some_and(|v| v.exported);
                let _ = sh.vars.unset(n);
                sh.vars.variable_mut(n).exported = exported;
            }
            None => {}
        }
    }
    Flow::Status(0)
}

pub(super) fn declare(sh: &mut Shell, ctx: &mut Ctx<'_>, args: &[String]) -> Flow {
    let mut flags = String::new();
    let mut names = Vec::new();
    for a in args.iter().skip(1) {
        match a.strip_prefix('-') {
            Some(f) if names.is_empty() => flags.push_str(f),
            _ => names.push(a.clone()),
        }
    }
    if names.is_empty() {
        list(sh, ctx, "declare", |v| !flags.contains('x') || v.exported);
        return Flow::Status(0);
    }
    if flags.contains('A') {
        return Flow::Exit(sh.builtin_error(ctx, "declare", "not simulated: associative arrays", 2));
    }
    let in_function = sh.frames.iter().any(|f| matches!(f, Frame::Call { .. }));
    let mut status = 0;
    for a in names {
        let (n, value) = match a.split_once('=') {
            Some((n, v)) => (n.to_owned(), Some(v.to_owned())),
            None => (a.clone(), None),
        };
        if flags.contains('p') {
            match sh.vars.get(&n) {
                Some(v) => {
                    let line = format!("declare -- {n}={}\n", bash_quote(v));
                    ctx.out(line);
                }
                None => status = sh.builtin_error(ctx, "declare", format!("{n}: not found"), 1),
            }
            continue;
        }
        if in_function && !flags.contains('g') {
            declare_local(sh, &n);
        }
        if flags.contains('i') {
            sh.vars.variable_mut(&n).integer = true;
        }
        if flags.contains('a') {
            sh.vars.variable_mut(&n).value.get_or_insert_with(|| Value::Array(Default::default()));
        }
        if let Some(v) = value
            && let Err(e) = sh.assign(ctx, &n, None, &v, false)
        {
            sh.print_expansion_error(ctx, &e);
            status = 1;
        }
        let var = sh.vars.variable_mut(&n);
        var.exported |= flags.contains('x');
        var.readonly |= flags.contains('r');
    }
    Flow::Status(status)
}

pub(super) fn let_(sh: &mut Shell, ctx: &mut Ctx<'_>, args: &[String]) -> Flow {
    let mut last = 0;
    for a in args.iter().skip(1) {
        match sh.arith(ctx, a) {
            Ok(n) => last = n,
            Err(e) => {
                sh.print_expansion_error(ctx, &e);
                return if sh.dialect == Dialect::Bash { Flow::Status(1) } else { Flow::Fatal(2) };
            }
        }
    }
    Flow::Status(i32::from(last == 0))
}

pub(super) fn cd(sh: &mut Shell, ctx: &mut Ctx<'_>, args: &[String]) -> Flow {
    let mut physical = false;
    let mut rest = args.get(1..).unwrap_or_default();
    while let Some(a) = rest.first() {
        match a.as_str() {
            "-P" => physical = true,
            "-L" => physical = false,
            "--" => {
                rest = rest.get(1..).unwrap_or_default();
                break;
            }
            _ => break,
        }
        rest = rest.get(1..).unwrap_or_default();
    }
    let target = match rest.first().map(String::as_str) {
        None => match sh.vars.get("HOME") {
            Some(h) => h.to_owned(),
            None => match sh.dialect {
                Dialect::Bash => return Flow::Status(sh.builtin_error(ctx, "cd", "HOME not set", 1)),
                Dialect::Ash => return Flow::Status(1),
                Dialect::Dash => return Flow::Status(0),
            },
        },
        Some("-") => match sh.vars.get("OLDPWD") {
            Some(h) => h.to_owned(),
            None if sh.dialect == Dialect::Bash => {
                return Flow::Status(sh.builtin_error(ctx, "cd", "OLDPWD not set", 1));
            }
            None => ctx.core.cwd.clone(),
        },
        Some(t) => t.to_owned(),
    };
    let print = rest.first().is_some_and(|a| a == "-");
    let logical = normalize(&ctx.absolute(&target));
    let stat = ctx.stat(&logical, true);
    let ok = stat.as_ref().is_ok_and(|s| s.is_dir) && ctx.access(&logical, 1);
    if !ok {
        let e = match &stat {
            Err(e) => *e,
            Ok(s) if !s.is_dir => crate::Errno::NotADirectory,
            Ok(_) => crate::Errno::PermissionDenied,
        };
        return match sh.dialect {
            Dialect::Bash => Flow::Status(sh.builtin_error(ctx, "cd", format!("{target}: {e}"), 1)),
            Dialect::Dash => Flow::Status(sh.builtin_error(ctx, "cd", format!("can't cd to {target}"), 2)),
            Dialect::Ash => {
                Flow::Status(sh.builtin_error(ctx, "cd", format!("can't cd to {target}: {e}"), 2))
            }
        };
    }
    let new = if physical { ctx.real_path(&logical).unwrap_or(logical) } else { logical };
    let old = sh.vars.get("PWD").map_or_else(|| ctx.core.cwd.clone(), str::to_owned);
    ctx.core.cwd = new.clone();
    let _ = sh.vars.set("OLDPWD", &old);
    let _ = sh.vars.set("PWD", &new);
    sh.vars.variable_mut("OLDPWD").exported = true;
    if print {
        ctx.out(format!("{new}\n"));
    }
    Flow::Status(0)
}

/// Takes `.` and `..` out of an absolute path.
pub(crate) fn normalize(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for p in path.split('/') {
        match p {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            p => parts.push(p),
        }
    }
    format!("/{}", parts.join("/"))
}

pub(super) fn pwd(_: &mut Shell, ctx: &mut Ctx<'_>, args: &[String]) -> Flow {
    let cwd = ctx.core.cwd.clone();
    let shown = if args.get(1).is_some_and(|a| a == "-P") { ctx.real_path(&cwd).unwrap_or(cwd) } else { cwd };
    ctx.out(format!("{shown}\n"));
    Flow::Status(0)
}
