//! `break`, `continue`, `return`, `exit`, `eval`, `.`, `shift`, `builtin`.

use super::super::Dialect;
use super::super::shell::{Flow, Frame, ScriptKind, Shell};
use crate::context::Ctx;
use crate::fs::Errno;

fn in_loop(sh: &Shell) -> bool {
    sh.frames
        .iter()
        .rev()
        .take_while(|f| !matches!(f, Frame::Call { .. }))
        .any(|f| matches!(f, Frame::Loop { .. }))
}

fn loop_count(sh: &Shell, ctx: &mut Ctx<'_>, args: &[String]) -> Result<u32, Flow> {
    let name = args.first().map_or("", String::as_str);
    if !in_loop(sh) {
        if sh.dialect == Dialect::Bash {
            let text = "only meaningful in a `for', `while', or `until' loop";
            return Err(Flow::Status(sh.builtin_error(ctx, name, text, 0)));
        }
        if args.get(1).is_none_or(|a| a.parse::<u32>().is_ok_and(|n| n > 0)) {
            return Err(Flow::Status(0));
        }
    }
    match args.get(1) {
        None => Ok(1),
        Some(a) => match a.parse::<u32>() {
            Ok(n) if n > 0 => Ok(n),
            _ if sh.dialect == Dialect::Bash => {
                let code = if a.parse::<i64>().is_ok() { 1 } else { 128 };
                let text = if code == 1 {
                    format!("{a}: loop count out of range")
                } else {
                    format!("{a}: numeric argument required")
                };
                Err(Flow::Status(sh.builtin_error(ctx, name, text, code)))
            }
            _ => Err(Flow::Fatal(sh.builtin_error(ctx, name, format!("Illegal number: {a}"), 2))),
        },
    }
}

pub(super) fn break_(sh: &mut Shell, ctx: &mut Ctx<'_>, args: &[String]) -> Flow {
    match loop_count(sh, ctx, args) {
        Ok(n) => Flow::Break(n),
        Err(flow) => flow,
    }
}

pub(super) fn continue_(sh: &mut Shell, ctx: &mut Ctx<'_>, args: &[String]) -> Flow {
    match loop_count(sh, ctx, args) {
        Ok(n) => Flow::Continue(n),
        Err(flow) => flow,
    }
}

fn status_argument(sh: &Shell, ctx: &mut Ctx<'_>, args: &[String]) -> Result<i32, Flow> {
    let name = args.first().map_or("", String::as_str);
    let rest = match args.get(1).map(String::as_str) {
        Some("--") => args.get(2),
        _ => args.get(1),
    };
    match rest {
        None => Ok(sh.status),
        Some(a) => match a.parse::<i64>() {
            Ok(n) if n >= 0 || sh.dialect != Dialect::Dash => Ok(i32::try_from(n & 0xff).unwrap_or(0)),
            _ if sh.dialect == Dialect::Bash => {
                Err(Flow::Exit(sh.builtin_error(ctx, name, format!("{a}: numeric argument required"), 2)))
            }
            _ => Err(Flow::Fatal(sh.builtin_error(ctx, name, format!("Illegal number: {a}"), 2))),
        },
    }
}

pub(super) fn exit(sh: &mut Shell, ctx: &mut Ctx<'_>, args: &[String]) -> Flow {
    // `exit` in a trap without an argument ends with the status from before the trap.
    let before = sh.frames.iter().rev().find_map(|f| match f {
        Frame::Script { kind: ScriptKind::Trap { status }, .. } => Some(*status),
        _ => None,
    });
    match status_argument(sh, ctx, args) {
        Ok(s) => Flow::Exit(match before {
            Some(b) if args.len() < 2 => b,
            _ => s,
        }),
        Err(flow) => flow,
    }
}

pub(super) fn return_(sh: &mut Shell, ctx: &mut Ctx<'_>, args: &[String]) -> Flow {
    let inside = sh
        .frames
        .iter()
        .any(|f| matches!(f, Frame::Call { .. } | Frame::Script { kind: ScriptKind::Source { .. }, .. }));
    if !inside && sh.dialect == Dialect::Bash {
        let text = "can only `return' from a function or sourced script";
        return Flow::Status(sh.builtin_error(ctx, "return", text, 2));
    }
    match status_argument(sh, ctx, args) {
        Ok(s) => Flow::Return(s),
        Err(flow) => flow,
    }
}

pub(super) fn eval(_: &mut Shell, _: &mut Ctx<'_>, args: &[String]) -> Flow {
    let text = args.get(1..).unwrap_or_default().join(" ");
    if text.trim().is_empty() {
        return Flow::Status(0);
    }
    Flow::Run { text, kind: ScriptKind::Eval }
}

pub(super) fn dot(sh: &mut Shell, ctx: &mut Ctx<'_>, args: &[String]) -> Flow {
    let name = args.first().cloned().unwrap_or_default();
    let Some(file) = args.get(1) else {
        return match sh.dialect {
            Dialect::Bash => {
                sh.builtin_error(ctx, &name, "filename argument required", 2);
                ctx.err(format!("{name}: usage: {name} filename [arguments]\n"));
                Flow::Status(2)
            }
            Dialect::Ash => Flow::Status(sh.builtin_error(ctx, &name, "filename argument required", 2)),
            Dialect::Dash => Flow::Status(0),
        };
    };
    let mut path = file.clone();
    if !file.contains('/') {
        let dirs = sh.vars.get("PATH").unwrap_or_default().to_owned();
        if let Some(found) = dirs.split(':').map(|d| format!("{d}/{file}")).find(|p| ctx.exists(p)) {
            path = found;
        } else if !ctx.exists(file) && sh.dialect != Dialect::Bash {
            let text = match sh.dialect {
                Dialect::Dash => format!("{file}: not found"),
                _ => format!("{file}: not found"),
            };
            return Flow::Fatal(sh.builtin_error(
                ctx,
                &name,
                text,
                if sh.dialect == Dialect::Dash { 127 } else { 2 },
            ));
        }
    }
    let params =
        (args.len() > 2 && sh.dialect != Dialect::Dash).then(|| args.get(2..).unwrap_or_default().to_vec());
    match sh.source(ctx, &path, params) {
        Ok(flow) => flow,
        Err(e) => match sh.dialect {
            Dialect::Bash => Flow::Status(sh.shell_error(ctx, format!("{file}: {e}"), 1)),
            Dialect::Dash => {
                let why = if e == Errno::NotFound { "No such file" } else { e.text() };
                Flow::Fatal(sh.builtin_error(ctx, &name, format!("cannot open {file}: {why}"), 2))
            }
            Dialect::Ash => Flow::Fatal(sh.builtin_error(ctx, &name, format!("can't open '{file}': {e}"), 2)),
        },
    }
}

pub(super) fn shift(sh: &mut Shell, ctx: &mut Ctx<'_>, args: &[String]) -> Flow {
    let n = match args.get(1) {
        None => 1,
        Some(a) => match a.parse::<usize>() {
            Ok(n) => n,
            Err(_) if sh.dialect == Dialect::Bash => {
                return Flow::Status(sh.builtin_error(
                    ctx,
                    "shift",
                    format!("{a}: numeric argument required"),
                    1,
                ));
            }
            Err(_) => return Flow::Fatal(sh.builtin_error(ctx, "shift", format!("Illegal number: {a}"), 2)),
        },
    };
    if n > sh.params.len() {
        return match sh.dialect {
            Dialect::Dash => Flow::Fatal(sh.builtin_error(ctx, "shift", "can't shift that many", 2)),
            _ => Flow::Status(1),
        };
    }
    sh.params.drain(..n);
    Flow::Status(0)
}

pub(super) fn builtin(sh: &mut Shell, ctx: &mut Ctx<'_>, args: &[String]) -> Flow {
    let rest = args.get(1..).unwrap_or_default();
    let Some(name) = rest.first() else { return Flow::Status(0) };
    match super::find(sh.dialect, name) {
        Some(b) => (b.run)(sh, ctx, rest),
        None => Flow::Status(sh.builtin_error(ctx, "builtin", format!("{name}: not a shell builtin"), 1)),
    }
}
