//! `env`, `printenv`, `hostname`.

use super::lines::deferred;
use super::{options, options_until};
use crate::context::Ctx;
use crate::fs::Errno;
use crate::process::{Family, Program};
use std::fmt::Write as _;
use std::sync::Arc;

pub(super) fn env(args: &[String], _: Family) -> Box<dyn Program> {
    deferred(args, |ctx, args| {
        let o = options_until(
            ctx,
            args,
            "iu:0C:",
            &[("ignore-environment", 'i'), ("unset", 'u'), ("null", '0'), ("chdir", 'C')],
            true,
        )?;
        let mut env: Vec<(String, String)> =
            if o.has('i') { Vec::new() } else { ctx.core.env.as_ref().clone() };
        for name in o.values('u') {
            env.retain(|(n, _)| *n != name);
        }
        let mut operands = o.operands.as_slice();
        while let Some(a) = operands.first() {
            if a == "-" {
                env.clear();
            } else if let Some((n, v)) = a.split_once('=') {
                match env.iter_mut().find(|(name, _)| name == n) {
                    Some(slot) => slot.1 = v.to_owned(),
                    None => env.push((n.to_owned(), v.to_owned())),
                }
            } else {
                break;
            }
            operands = operands.get(1..).unwrap_or_default();
        }
        if operands.is_empty() {
            let end = if o.has('0') { '\0' } else { '\n' };
            let mut text = String::new();
            for (n, v) in &env {
                let _ = write!(text, "{n}={v}{end}");
            }
            ctx.out(text);
            return Err(0);
        }
        let mut argv = operands.to_vec();
        ctx.core.env = Arc::new(env);
        exec(ctx, &mut argv)
    })
}

/// Becomes another command, found along `PATH`; `Err` is the exit code after the text.
pub(crate) fn exec(ctx: &mut Ctx<'_>, argv: &mut Vec<String>) -> Result<Box<dyn Program>, i32> {
    let name = argv.first().cloned().unwrap_or_default();
    let path_var = ctx.core.env_var("PATH").unwrap_or(crate::userland::DEFAULT_PATH).to_owned();
    let found = ctx.find_program(&name, &path_var).and_then(|path| ctx.load(&path, argv));
    match found {
        Ok((program, family)) => {
            ctx.core.argv = argv.clone();
            ctx.core.family = family;
            Ok(program)
        }
        Err(e) => {
            let text = match ctx.family() {
                Family::Busybox => format!("can't execute '{name}': {e}"),
                Family::Gnu if ctx.name() == "env" => format!("‘{name}’: {e}"),
                Family::Gnu => format!("failed to run command ‘{name}’: {e}"),
            };
            Err(ctx.fail(if e == Errno::NotFound { 127 } else { 126 }, text))
        }
    }
}

pub(super) fn printenv(ctx: &mut Ctx<'_>, args: &[String]) -> i32 {
    let Ok(o) = options(ctx, args, "0", &[("null", '0')]) else { return 2 };
    let env = ctx.core.env.clone();
    if o.operands.is_empty() {
        let mut text = String::new();
        for (n, v) in env.iter() {
            let _ = writeln!(text, "{n}={v}");
        }
        ctx.out(text);
        return 0;
    }
    let mut code = 0;
    for name in &o.operands {
        match env.iter().find(|(n, _)| n == name) {
            Some((_, v)) => ctx.out(format!("{v}\n")),
            None => code = 1,
        }
    }
    code
}

pub(super) fn hostname(ctx: &mut Ctx<'_>, args: &[String]) -> i32 {
    let name = ctx.host.hostname();
    let shown = match args.get(1).map(String::as_str) {
        None | Some("-f" | "--fqdn") => name,
        Some("-s" | "--short") => name.split('.').next().unwrap_or_default().to_owned(),
        Some("-i" | "-I" | "--ip-address" | "--all-ip-addresses") => {
            let address = ctx.host.own_address().unwrap_or_else(|| "127.0.0.1".to_owned());
            if args.get(1).is_some_and(|a| a == "-I") { format!("{address} ") } else { address }
        }
        Some("-d") => String::new(),
        Some(o) if o.starts_with('-') => {
            let Err(code) = options(ctx, args, "", &[]) else { return 1 };
            return code;
        }
        Some(_) => {
            let text = if ctx.is_busybox() {
                "sethostname: Operation not permitted"
            } else {
                "you must be root to change the host name"
            };
            return ctx.fail(1, text);
        }
    };
    ctx.out(format!("{shown}\n"));
    0
}
