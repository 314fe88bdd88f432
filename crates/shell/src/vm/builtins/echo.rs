//! `echo`, `printf`, `test`: shared with the tools of those names.

use super::super::Dialect;
use super::super::shell::{Flow, Shell};
use crate::context::Ctx;

pub(super) fn echo(sh: &mut Shell, ctx: &mut Ctx<'_>, args: &[String]) -> Flow {
    let text = crate::tools::echo_text(args.get(1..).unwrap_or_default(), sh.dialect != Dialect::Dash);
    ctx.out(text);
    Flow::Status(0)
}

pub(super) fn printf(sh: &mut Shell, ctx: &mut Ctx<'_>, args: &[String]) -> Flow {
    let mut args = args.get(1..).unwrap_or_default();
    let mut variable = None;
    if sh.dialect == Dialect::Bash && args.first().is_some_and(|a| a == "-v") {
        variable = args.get(1).cloned();
        args = args.get(2..).unwrap_or_default();
    }
    if args.first().is_some_and(|a| a == "--") {
        args = args.get(1..).unwrap_or_default();
    }
    let Some(format) = args.first() else {
        return Flow::Status(match sh.dialect {
            Dialect::Ash => {
                let text = format!("{}: usage: printf FORMAT [ARGUMENT...]\n", sh.name);
                ctx.err(text);
                2
            }
            Dialect::Dash => sh.builtin_error(ctx, "printf", "usage: printf format [arg ...]", 2),
            Dialect::Bash => {
                ctx.err("printf: usage: printf [-v var] format [arguments]\n");
                2
            }
        });
    };
    let out = crate::tools::printf_text(format, args.get(1..).unwrap_or_default(), sh.dialect);
    if let Some(v) = variable {
        let text = String::from_utf8_lossy(&out.bytes).into_owned();
        let _ = sh.assign(ctx, &v, None, &text, false);
    } else {
        ctx.out(&out.bytes);
    }
    for e in &out.errors {
        match sh.dialect {
            Dialect::Ash => ctx.err(format!("{}: {e}\n", sh.name)),
            _ => {
                sh.builtin_error(ctx, "printf", e, 0);
            }
        }
    }
    Flow::Status(out.status)
}

pub(super) fn test(sh: &mut Shell, ctx: &mut Ctx<'_>, args: &[String]) -> Flow {
    let name = args.first().map_or("test", String::as_str).to_owned();
    let (status, error) = super::super::test_command(ctx, args, sh.dialect);
    if let Some(e) = error {
        match sh.dialect {
            Dialect::Ash => ctx.err(format!("{}: {e}\n", sh.name)),
            _ => {
                sh.builtin_error(ctx, &name, e, 0);
            }
        }
    }
    Flow::Status(status)
}
