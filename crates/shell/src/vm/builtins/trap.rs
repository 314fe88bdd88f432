//! `trap`.

use super::super::Dialect;
use super::super::shell::{Flow, Shell};
use super::vars::quote;
use crate::context::Ctx;
use crate::signal::Signal;

fn key(name: &str) -> Option<u8> {
    match name {
        "0" | "EXIT" | "exit" => Some(0),
        name => Signal::parse(name).map(|s| s.0),
    }
}

pub(super) fn trap(sh: &mut Shell, ctx: &mut Ctx<'_>, args: &[String]) -> Flow {
    let mut rest: Vec<String> = args.get(1..).unwrap_or_default().to_vec();
    if rest.first().is_some_and(|a| a == "--") {
        rest.remove(0);
    }
    if rest.first().is_some_and(|a| a == "-p") {
        rest.clear();
    }
    if rest.first().is_some_and(|a| a == "-l") {
        return super::jobs::kill(sh, ctx, &["kill".to_owned(), "-l".to_owned()]);
    }
    if rest.is_empty() {
        let mut text = String::new();
        for (k, action) in &sh.traps {
            let name = match (*k, sh.dialect) {
                (0, _) => "EXIT".to_owned(),
                (k, Dialect::Bash) => format!("SIG{}", Signal(k).name()),
                (k, _) => Signal(k).name().to_owned(),
            };
            text.push_str(&format!("trap -- {} {name}\n", quote(action)));
        }
        ctx.out(text);
        return Flow::Status(0);
    }
    let first = rest.first().cloned().unwrap_or_default();
    // A single condition, or a number first, resets.
    let (action, names) = if rest.len() == 1 || first.parse::<u8>().is_ok() {
        (None, rest.as_slice())
    } else if first == "-" {
        (None, rest.get(1..).unwrap_or_default())
    } else {
        (Some(first), rest.get(1..).unwrap_or_default())
    };
    let mut status = 0;
    for name in names {
        let found = match (name.as_str(), sh.dialect) {
            ("ERR" | "DEBUG" | "RETURN", Dialect::Bash) => {
                return Flow::Exit(sh.builtin_error(ctx, "trap", format!("not simulated: {name}"), 2));
            }
            (n, Dialect::Dash) if n.starts_with("SIG") => None,
            (n, _) => key(n),
        };
        let Some(k) = found else {
            match sh.dialect {
                Dialect::Dash => {
                    ctx.err(format!("trap: {name}: bad trap\n"));
                    status = 1;
                }
                _ => {
                    status = sh.builtin_error(ctx, "trap", format!("{name}: invalid signal specification"), 1)
                }
            }
            continue;
        };
        let signal = Signal(k);
        match &action {
            None => {
                sh.traps.remove(&k);
                ctx.core.ignored.remove(&signal);
            }
            Some(a) => {
                sh.traps.insert(k, a.clone());
                if a.is_empty() && k != 0 {
                    ctx.core.ignored.insert(signal);
                } else {
                    ctx.core.ignored.remove(&signal);
                }
            }
        }
    }
    Flow::Status(status)
}
