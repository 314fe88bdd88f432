//! `basename`, `dirname`, `readlink`, `realpath`, `pwd`.

use super::{missing_operand, options};
use crate::context::Ctx;

pub(super) fn basename(ctx: &mut Ctx<'_>, args: &[String]) -> i32 {
    let o = match options(ctx, args, "as:z", &[("multiple", 'a'), ("suffix", 's')]) {
        Ok(o) => o,
        Err(code) => return code,
    };
    if o.operands.is_empty() {
        return missing_operand(ctx);
    }
    let suffix_option = o.value('s').map(str::to_owned);
    let many = o.has('a') || suffix_option.is_some();
    let suffix = if many { suffix_option } else { o.operands.get(1).cloned() };
    for path in o.operands.iter().take(if many { usize::MAX } else { 1 }) {
        let trimmed = path.trim_end_matches('/');
        let mut name = if trimmed.is_empty() && !path.is_empty() { "/" } else { super::base(trimmed) };
        if let Some(s) = &suffix
            && name != s
            && let Some(cut) = name.strip_suffix(s.as_str())
        {
            name = cut;
        }
        ctx.out(format!("{name}\n"));
    }
    0
}

pub(super) fn dirname(ctx: &mut Ctx<'_>, args: &[String]) -> i32 {
    let o = match options(ctx, args, "z", &[]) {
        Ok(o) => o,
        Err(code) => return code,
    };
    if o.operands.is_empty() {
        return missing_operand(ctx);
    }
    for path in &o.operands {
        let trimmed = path.trim_end_matches('/');
        let dir = match trimmed.rsplit_once('/') {
            Some((d, _)) => {
                let d = d.trim_end_matches('/');
                if d.is_empty() { "/" } else { d }
            }
            None if trimmed.is_empty() && path.starts_with('/') => "/",
            None => ".",
        };
        ctx.out(format!("{dir}\n"));
    }
    0
}

pub(super) fn readlink(ctx: &mut Ctx<'_>, args: &[String]) -> i32 {
    let o = match options(ctx, args, "fenmqsv", &[("canonicalize", 'f'), ("canonicalize-existing", 'e')]) {
        Ok(o) => o,
        Err(code) => return code,
    };
    if o.operands.is_empty() {
        return missing_operand(ctx);
    }
    let mut code = 0;
    for path in &o.operands {
        let found = if o.has('f') || o.has('e') || o.has('m') {
            canonical(ctx, path, !o.has('e'))
        } else {
            ctx.stat(path, false).ok().and_then(|s| s.link)
        };
        match found {
            Some(t) => ctx.out(if o.has('n') { t } else { format!("{t}\n") }),
            None => code = 1,
        }
    }
    code
}

/// The path without links; its last part may be missing where `lenient`.
fn canonical(ctx: &Ctx<'_>, path: &str, lenient: bool) -> Option<String> {
    if let Ok(p) = ctx.real_path(path) {
        return Some(p);
    }
    if !lenient {
        return None;
    }
    let full = ctx.absolute(path);
    let (dir, name) = full.trim_end_matches('/').rsplit_once('/')?;
    let dir = ctx.real_path(if dir.is_empty() { "/" } else { dir }).ok()?;
    Some(format!("{}/{name}", dir.trim_end_matches('/')))
}

pub(super) fn realpath(ctx: &mut Ctx<'_>, args: &[String]) -> i32 {
    let o = match options(ctx, args, "emsq", &[]) {
        Ok(o) => o,
        Err(code) => return code,
    };
    if o.operands.is_empty() {
        return missing_operand(ctx);
    }
    let mut code = 0;
    for path in &o.operands {
        let lenient = !ctx.is_busybox() && !o.has('e');
        match canonical(ctx, path, lenient) {
            Some(p) => ctx.out(format!("{p}\n")),
            None => {
                let e = ctx.real_path(path).err().unwrap_or(crate::Errno::NotFound);
                code = ctx.fail(1, format!("{path}: {e}"));
            }
        }
    }
    code
}

pub(super) fn pwd(ctx: &mut Ctx<'_>, _: &[String]) -> i32 {
    let cwd = ctx.core.cwd.clone();
    let real = ctx.real_path(&cwd).unwrap_or(cwd);
    ctx.out(format!("{real}\n"));
    0
}
