//! `touch`, `rm`, `mkdir`, `rmdir`, `mv`, `cp`, `ln`, `chmod`, `chown`, `chgrp`.

use super::{base, missing_operand, options};
use crate::context::Ctx;
use crate::fs::Errno;

/// Deepest directory tree walked.
const MAX_DEPTH: u32 = 64;

fn join(dir: &str, name: &str) -> String {
    if dir.ends_with('/') { format!("{dir}{name}") } else { format!("{dir}/{name}") }
}

pub(super) fn touch(ctx: &mut Ctx<'_>, args: &[String]) -> i32 {
    let o = match options(ctx, args, "camt:d:r:h", &[("no-create", 'c'), ("date", 'd'), ("reference", 'r')]) {
        Ok(o) => o,
        Err(code) => return code,
    };
    if o.operands.is_empty() {
        return if ctx.is_busybox() {
            missing_operand(ctx)
        } else {
            ctx.err("touch: missing file operand\nTry 'touch --help' for more information.\n");
            1
        };
    }
    let mut at = ctx.now();
    if let Some(d) = o.value('d') {
        match super::date::parse(d, ctx.now()) {
            Some(t) => at = t,
            None => return ctx.fail(1, format!("invalid date '{d}'")),
        }
    }
    if let Some(r) = o.value('r') {
        match ctx.stat(r, true) {
            Ok(s) => at = s.mtime,
            Err(e) => return ctx.fail(1, format!("{r}: {e}")),
        }
    }
    let mut code = 0;
    for f in &o.operands {
        let result = if ctx.exists(f) {
            if ctx.core.who.uid != 0 && ctx.access(f, 2) {
                ctx.write_file(f, b"", true)
            } else {
                ctx.set_attributes(f, true, &|i| i.mtime = at)
            }
        } else if o.has('c') {
            Ok(())
        } else {
            ctx.write_file(f, b"", true).and_then(|()| ctx.set_attributes(f, true, &|i| i.mtime = at))
        };
        if let Err(e) = result {
            let text =
                if ctx.is_busybox() { format!("{f}: {e}") } else { format!("cannot touch '{f}': {e}") };
            code = ctx.fail(1, text);
        }
    }
    code
}

fn remove_tree(ctx: &mut Ctx<'_>, path: &str, depth: u32) -> Result<(), (String, Errno)> {
    if depth > MAX_DEPTH {
        return Err((path.to_owned(), Errno::TooLong));
    }
    let stat = ctx.stat(path, false).map_err(|e| (path.to_owned(), e))?;
    if stat.is_dir {
        let names = ctx.list(path).map_err(|e| (path.to_owned(), e))?;
        let mut first = Ok(());
        for n in names {
            let r = remove_tree(ctx, &join(path, &n), depth + 1);
            if first.is_ok() {
                first = r;
            }
        }
        first?;
    }
    ctx.remove(path, stat.is_dir).map_err(|e| (path.to_owned(), e))
}

pub(super) fn rm(ctx: &mut Ctx<'_>, args: &[String]) -> i32 {
    let long = [("recursive", 'r'), ("force", 'f'), ("dir", 'd'), ("verbose", 'v'), ("interactive", 'i')];
    let o = match options(ctx, args, "rRfidv", &long) {
        Ok(o) => o,
        Err(code) => return code,
    };
    let force = o.has('f');
    let recursive = o.has('r') || o.has('R');
    if o.operands.is_empty() {
        return if force { 0 } else { missing_operand(ctx) };
    }
    let mut code = 0;
    for f in &o.operands {
        let full = f.trim_end_matches('/');
        if full.is_empty() || matches!(base(full), "." | "..") {
            let text = if ctx.is_busybox() {
                if full.is_empty() {
                    "can't remove '/'".to_owned()
                } else {
                    "can't remove '.' or '..'".to_owned()
                }
            } else if full.is_empty() {
                ctx.err("rm: it is dangerous to operate recursively on '/'\nrm: use --no-preserve-root to override this failsafe\n");
                code = 1;
                continue;
            } else {
                format!("refusing to remove '.' or '..' directory: skipping '{f}'")
            };
            code = ctx.fail(1, text);
            continue;
        }
        match ctx.stat(full, false) {
            Err(Errno::NotFound) if force => continue,
            Ok(s) if s.is_dir && !recursive => {
                let text = if o.has('d') {
                    match ctx.remove(full, true) {
                        Ok(()) => continue,
                        Err(e) => format!("cannot remove '{f}': {e}"),
                    }
                } else if ctx.is_busybox() {
                    format!("'{f}' is a directory")
                } else {
                    format!("cannot remove '{f}': Is a directory")
                };
                code = ctx.fail(1, text);
                continue;
            }
            _ => {}
        }
        match remove_tree(ctx, full, 0) {
            Ok(()) => {
                if o.has('v') {
                    ctx.out(format!("removed '{f}'\n"));
                }
            }
            Err((path, e)) => {
                let text = if ctx.is_busybox() {
                    format!("can't remove '{path}': {e}")
                } else {
                    format!("cannot remove '{path}': {e}")
                };
                code = ctx.fail(1, text);
            }
        }
    }
    code
}

pub(super) fn mkdir(ctx: &mut Ctx<'_>, args: &[String]) -> i32 {
    let o = match options(ctx, args, "pm:vZ", &[("parents", 'p'), ("mode", 'm'), ("verbose", 'v')]) {
        Ok(o) => o,
        Err(code) => return code,
    };
    if o.operands.is_empty() {
        return missing_operand(ctx);
    }
    let mut mode = 0o777;
    if let Some(m) = o.value('m') {
        match parse_mode(m, 0o777, true, ctx.core.umask) {
            Some(v) => mode = v,
            None => return ctx.fail(1, format!("invalid mode '{m}'")),
        }
    }
    let mut code = 0;
    for d in &o.operands {
        let error = if o.has('p') {
            let mut at = String::new();
            let mut result = Ok(());
            for part in d.split_inclusive('/') {
                at.push_str(part);
                let path = at.trim_end_matches('/');
                if path.is_empty() {
                    continue;
                }
                if ctx.is_dir(path) {
                    continue;
                }
                result = ctx.mkdir(path, mode);
                if result.is_err() {
                    break;
                }
            }
            result
        } else {
            ctx.mkdir(d.trim_end_matches('/'), mode)
        };
        match error {
            Ok(()) => {
                if o.has('m') {
                    let _ = ctx.set_attributes(d, true, &|i| i.mode = mode);
                }
                if o.has('v') {
                    let text = if ctx.is_busybox() {
                        format!("created directory: '{d}'\n")
                    } else {
                        format!("mkdir: created directory '{d}'\n")
                    };
                    ctx.out(text);
                }
            }
            Err(e) => {
                let text = if ctx.is_busybox() {
                    format!("can't create directory '{d}': {e}")
                } else {
                    format!("cannot create directory ‘{d}’: {e}")
                };
                code = ctx.fail(1, text);
            }
        }
    }
    code
}

pub(super) fn rmdir(ctx: &mut Ctx<'_>, args: &[String]) -> i32 {
    let o = match options(ctx, args, "pv", &[("parents", 'p'), ("ignore-fail-on-non-empty", 'i')]) {
        Ok(o) => o,
        Err(code) => return code,
    };
    if o.operands.is_empty() {
        return missing_operand(ctx);
    }
    let mut code = 0;
    for d in &o.operands {
        let mut path = d.trim_end_matches('/').to_owned();
        loop {
            if let Err(e) = ctx.remove(&path, true) {
                let text = if ctx.is_busybox() {
                    format!("'{path}': {e}")
                } else {
                    format!("failed to remove '{path}': {e}")
                };
                code = ctx.fail(1, text);
                break;
            }
            match path.rsplit_once('/') {
                Some((dir, _)) if o.has('p') && !dir.is_empty() => path = dir.to_owned(),
                _ => break,
            }
        }
    }
    code
}

/// The target for each source: inside the last operand if that is a directory.
fn targets(
    ctx: &mut Ctx<'_>,
    operands: &[String],
    directory: Option<&str>,
) -> Result<Vec<(String, String)>, i32> {
    let (sources, target) = match directory {
        Some(d) => (operands, d.to_owned()),
        None => match operands.split_last() {
            Some((last, rest)) if !rest.is_empty() => (rest, last.clone()),
            Some((last, _)) => {
                let name = ctx.name();
                let text = if ctx.is_busybox() {
                    super::busybox_usage(&name)
                } else {
                    format!(
                        "{name}: missing destination file operand after '{last}'\nTry '{name} --help' for more information.\n"
                    )
                };
                ctx.err(text);
                return Err(1);
            }
            None => {
                let name = ctx.name();
                let text = if ctx.is_busybox() {
                    super::busybox_usage(&name)
                } else {
                    format!("{name}: missing file operand\nTry '{name} --help' for more information.\n")
                };
                ctx.err(text);
                return Err(1);
            }
        },
    };
    if ctx.is_dir(&target) {
        return Ok(sources
            .iter()
            .map(|s| (s.clone(), join(&target, base(s.trim_end_matches('/')))))
            .collect());
    }
    if sources.len() > 1 {
        let text = if ctx.is_busybox() {
            format!("can't stat '{target}': No such file or directory")
        } else {
            format!("target '{target}' is not a directory")
        };
        return Err(ctx.fail(1, text));
    }
    Ok(sources.iter().map(|s| (s.clone(), target.clone())).collect())
}

fn copy(ctx: &mut Ctx<'_>, from: &str, to: &str, o: &Copy, depth: u32) -> Result<(), String> {
    let busybox = ctx.is_busybox();
    let stat = ctx.stat(from, o.follow).map_err(|e| {
        if busybox { format!("can't stat '{from}': {e}") } else { format!("cannot stat '{from}': {e}") }
    })?;
    if depth > MAX_DEPTH {
        return Err(format!("{from}: {}", Errno::TooLong));
    }
    if stat.is_dir {
        if !o.recursive {
            return Err(if busybox {
                format!("omitting directory '{from}'")
            } else {
                format!("-r not specified; omitting directory '{from}'")
            });
        }
        let inside = format!("{}/", ctx.absolute(from).trim_end_matches('/'));
        if ctx.absolute(to).starts_with(&inside) {
            return Err(format!("cannot copy a directory, '{from}', into itself, '{to}'"));
        }
        if !ctx.is_dir(to) {
            ctx.mkdir(to, 0o777).map_err(|e| {
                if busybox {
                    format!("can't create directory '{to}': {e}")
                } else {
                    format!("cannot create directory '{to}': {e}")
                }
            })?;
        }
        for name in ctx.list(from).unwrap_or_default() {
            copy(ctx, &join(from, &name), &join(to, &name), o, depth + 1)?;
        }
    } else if let Some(target) = &stat.link {
        if ctx.stat(to, false).is_ok() {
            let _ = ctx.remove(to, false);
        }
        ctx.symlink(target, to).map_err(|e| format!("cannot create symbolic link '{to}': {e}"))?;
        return Ok(());
    } else {
        if let (Ok(a), Ok(b)) = (ctx.stat(from, true), ctx.stat(to, true))
            && (a.mount, a.ino) == (b.mount, b.ino)
        {
            return Err(format!("'{from}' and '{to}' are the same file"));
        }
        let content = ctx.read_content(from).map_err(|e| {
            if busybox {
                format!("can't open '{from}': {e}")
            } else {
                format!("cannot open '{from}' for reading: {e}")
            }
        })?;
        if o.force && ctx.exists(to) && !ctx.access(to, 2) {
            let _ = ctx.remove(to, false);
        }
        let create = |e: Errno| {
            if busybox {
                format!("can't create '{to}': {e}")
            } else {
                format!("cannot create regular file '{to}': {e}")
            }
        };
        let fd = ctx.open_write(to, false).map_err(create)?;
        let mut result = ctx.write(fd, &content.bytes);
        if content.zeros > 0 && result.is_ok() {
            result = ctx.write_zeros(fd, content.zeros).unwrap_or(Ok(()));
        }
        ctx.close(fd);
        result.map_err(|e| {
            if busybox { format!("write error: {e}") } else { format!("error writing '{to}': {e}") }
        })?;
        let mode = stat.mode & !if o.preserve { 0 } else { ctx.core.umask };
        let _ = ctx.set_attributes(to, true, &|i| i.mode = mode & 0o777);
    }
    if o.preserve {
        let root = ctx.core.who.uid == 0;
        let _ = ctx.set_attributes(to, true, &|i| {
            i.mode = stat.mode;
            i.mtime = stat.mtime;
            if root {
                i.uid = stat.uid;
                i.gid = stat.gid;
            }
        });
    }
    Ok(())
}

struct Copy {
    recursive: bool,
    preserve: bool,
    follow: bool,
    force: bool,
}

pub(super) fn cp(ctx: &mut Ctx<'_>, args: &[String]) -> i32 {
    let long = [
        ("recursive", 'r'),
        ("archive", 'a'),
        ("force", 'f'),
        ("verbose", 'v'),
        ("target-directory", 't'),
        ("no-clobber", 'n'),
    ];
    let o = match options(ctx, args, "rRapfidLPHlsnuvTt:", &long) {
        Ok(o) => o,
        Err(code) => return code,
    };
    let how = Copy {
        recursive: o.has('r') || o.has('R') || o.has('a'),
        preserve: o.has('p') || o.has('a'),
        follow: o.has('L') || !(o.has('a') || o.has('d') || o.has('P') || o.has('r') || o.has('R')),
        force: o.has('f'),
    };
    let pairs = match targets(ctx, &o.operands, o.value('t')) {
        Ok(p) => p,
        Err(code) => return code,
    };
    let mut code = 0;
    for (from, to) in pairs {
        if o.has('n') && ctx.exists(&to) {
            continue;
        }
        match copy(ctx, &from, &to, &how, 0) {
            Ok(()) => {
                if o.has('v') {
                    ctx.out(format!("'{from}' -> '{to}'\n"));
                }
            }
            Err(text) => code = ctx.fail(1, text),
        }
    }
    code
}

pub(super) fn mv(ctx: &mut Ctx<'_>, args: &[String]) -> i32 {
    let o = match options(ctx, args, "finvTt:u", &[("force", 'f'), ("no-clobber", 'n'), ("verbose", 'v')]) {
        Ok(o) => o,
        Err(code) => return code,
    };
    let pairs = match targets(ctx, &o.operands, o.value('t')) {
        Ok(p) => p,
        Err(code) => return code,
    };
    let mut code = 0;
    for (from, to) in pairs {
        if o.has('n') && ctx.exists(&to) {
            continue;
        }
        let trimmed = from.trim_end_matches('/').to_owned();
        if let Err(e) = ctx.stat(&trimmed, false) {
            let text = if ctx.is_busybox() {
                format!("can't rename '{from}': {e}")
            } else {
                format!("cannot stat '{from}': {e}")
            };
            code = ctx.fail(1, text);
            continue;
        }
        let result = match ctx.rename(&trimmed, to.trim_end_matches('/')) {
            Err(Errno::CrossDevice) => {
                let how = Copy { recursive: true, preserve: true, follow: false, force: true };
                match copy(ctx, &trimmed, &to, &how, 0) {
                    Ok(()) => match remove_tree(ctx, &trimmed, 0) {
                        Ok(()) => Ok(()),
                        Err((p, e)) => {
                            code = ctx.fail(1, format!("can't remove '{p}': {e}"));
                            continue;
                        }
                    },
                    Err(text) => {
                        code = ctx.fail(1, text);
                        continue;
                    }
                }
            }
            r => r,
        };
        match result {
            Ok(()) => {
                if o.has('v') {
                    let text = if ctx.is_busybox() {
                        format!("'{from}' -> '{to}'\n")
                    } else {
                        format!("renamed '{from}' -> '{to}'\n")
                    };
                    ctx.out(text);
                }
            }
            Err(e) => {
                let text = if ctx.is_busybox() {
                    format!("can't rename '{from}': {e}")
                } else {
                    format!("cannot move '{from}' to '{to}': {e}")
                };
                code = ctx.fail(1, text);
            }
        }
    }
    code
}

pub(super) fn ln(ctx: &mut Ctx<'_>, args: &[String]) -> i32 {
    let o = match options(
        ctx,
        args,
        "sfnvTr",
        &[("symbolic", 's'), ("force", 'f'), ("verbose", 'v'), ("no-dereference", 'n')],
    ) {
        Ok(o) => o,
        Err(code) => return code,
    };
    let mut operands = o.operands.clone();
    if operands.len() == 1 {
        operands.push(".".to_owned());
    }
    if operands.is_empty() {
        return missing_operand(ctx);
    }
    let link_is_target = (o.has('n') || o.has('T'))
        && operands.last().is_some_and(|t| ctx.stat(t, false).is_ok_and(|s| s.link.is_some()));
    let pairs = if link_is_target {
        match operands.as_slice() {
            [from, to] => vec![(from.clone(), to.clone())],
            _ => Vec::new(),
        }
    } else {
        match targets(ctx, &operands, None) {
            Ok(p) => p,
            Err(code) => return code,
        }
    };
    let mut code = 0;
    for (from, to) in pairs {
        if o.has('f') && ctx.stat(&to, false).is_ok_and(|s| !s.is_dir) {
            let _ = ctx.remove(&to, false);
        }
        let result = if o.has('s') { ctx.symlink(&from, &to) } else { ctx.hard_link(&from, &to) };
        if let Err(e) = result {
            let text = match (ctx.is_busybox(), o.has('s')) {
                (true, _) => format!("{to}: {e}"),
                (false, true) => format!("failed to create symbolic link '{to}': {e}"),
                (false, false) if e == Errno::NotFound => format!("failed to access '{from}': {e}"),
                (false, false) => format!("failed to create hard link '{to}': {e}"),
            };
            code = ctx.fail(1, text);
        }
    }
    code
}

/// A mode such as `755`, `u+x`, `go-w,a=r` applied to `current`.
pub(crate) fn parse_mode(text: &str, current: u32, is_dir: bool, umask: u32) -> Option<u32> {
    if text.chars().all(|c| c.is_digit(8)) && !text.is_empty() {
        return u32::from_str_radix(text, 8).ok().filter(|m| *m <= 0o7777);
    }
    let mut mode = current;
    for clause in text.split(',') {
        let split = clause.find(['+', '-', '='])?;
        let (who, mut rest) = clause.split_at(split);
        let mut mask = 0;
        for c in who.chars() {
            mask |= match c {
                'u' => 0o4700,
                'g' => 0o2070,
                'o' => 0o1007,
                'a' => 0o7777,
                _ => return None,
            };
        }
        if who.is_empty() {
            mask = 0o7777 & !umask;
        }
        while let Some(op) = rest.chars().next() {
            rest = rest.get(1..)?;
            let end = rest.find(['+', '-', '=']).unwrap_or(rest.len());
            let (letters, after) = rest.split_at(end);
            rest = after;
            let mut bits = 0;
            for c in letters.chars() {
                bits |= match c {
                    'r' => 0o444,
                    'w' => 0o222,
                    'x' => 0o111,
                    'X' if is_dir || mode & 0o111 != 0 => 0o111,
                    'X' => 0,
                    's' => 0o6000,
                    't' => 0o1000,
                    'u' => (mode >> 6 & 7) * 0o111,
                    'g' => (mode >> 3 & 7) * 0o111,
                    'o' => (mode & 7) * 0o111,
                    _ => return None,
                };
            }
            let bits = bits & mask;
            match op {
                '+' => mode |= bits,
                '-' => mode &= !bits,
                '=' => mode = (mode & !(mask & 0o777)) | bits,
                _ => return None,
            }
        }
    }
    Some(mode)
}

fn walk(ctx: &mut Ctx<'_>, path: &str, recursive: bool, depth: u32, f: &mut dyn FnMut(&mut Ctx<'_>, &str)) {
    f(ctx, path);
    if recursive && depth < MAX_DEPTH && ctx.stat(path, false).is_ok_and(|s| s.is_dir) {
        for name in ctx.list(path).unwrap_or_default() {
            walk(ctx, &join(path, &name), true, depth + 1, f);
        }
    }
}

pub(super) fn chmod(ctx: &mut Ctx<'_>, args: &[String]) -> i32 {
    // A mode may look like an option: `chmod -w file`.
    let mut args = args.to_vec();
    if let Some(a) = args.get_mut(1)
        && a.starts_with('-')
        && a.len() > 1
        && a.chars().skip(1).all(|c| "rwxXst,+=".contains(c))
    {
        *a = format!("a{a}");
    }
    let o = match options(ctx, &args, "Rvcf", &[("recursive", 'R'), ("verbose", 'v'), ("reference", 'r')]) {
        Ok(o) => o,
        Err(code) => return code,
    };
    let Some((mode, files)) = o.operands.split_first() else { return missing_operand(ctx) };
    if files.is_empty() {
        let text = if ctx.is_busybox() {
            super::busybox_usage("chmod")
        } else {
            format!("chmod: missing operand after ‘{mode}’\nTry 'chmod --help' for more information.\n")
        };
        ctx.err(text);
        return 1;
    }
    let mut code = 0;
    for file in files {
        walk(ctx, file, o.has('R'), 0, &mut |ctx, path| {
            let stat = match ctx.stat(path, true) {
                Ok(s) => s,
                Err(e) => {
                    let text = if ctx.is_busybox() {
                        format!("{path}: {e}")
                    } else {
                        format!("cannot access '{path}': {e}")
                    };
                    code = ctx.fail(1, text);
                    return;
                }
            };
            let Some(new) = parse_mode(mode, stat.mode, stat.is_dir, ctx.core.umask) else {
                let text = if ctx.is_busybox() {
                    format!("invalid mode '{mode}'")
                } else {
                    format!("invalid mode: ‘{mode}’")
                };
                code = ctx.fail(1, text);
                return;
            };
            if let Err(e) = ctx.set_attributes(path, true, &|i| i.mode = new & 0o7777) {
                let text = if ctx.is_busybox() {
                    format!("{path}: {e}")
                } else {
                    format!("changing permissions of '{path}': {e}")
                };
                code = ctx.fail(1, text);
            }
        });
    }
    code
}

pub(super) fn chown(ctx: &mut Ctx<'_>, args: &[String]) -> i32 {
    change_owner(ctx, args, false)
}

pub(super) fn chgrp(ctx: &mut Ctx<'_>, args: &[String]) -> i32 {
    change_owner(ctx, args, true)
}

fn change_owner(ctx: &mut Ctx<'_>, args: &[String], group_only: bool) -> i32 {
    let o = match options(
        ctx,
        args,
        "RhvcfLPH",
        &[("recursive", 'R'), ("verbose", 'v'), ("no-dereference", 'h')],
    ) {
        Ok(o) => o,
        Err(code) => return code,
    };
    let Some((spec, files)) = o.operands.split_first() else { return missing_operand(ctx) };
    if files.is_empty() {
        return missing_operand(ctx);
    }
    let (user, group) = if group_only {
        (None, Some(spec.as_str()))
    } else {
        match spec.split_once([':', '.']) {
            Some((u, g)) => ((!u.is_empty()).then_some(u), (!g.is_empty()).then_some(g)),
            None => (Some(spec.as_str()), None),
        }
    };
    let mut uid = None;
    let mut gid = None;
    for (name, file, slot, what) in
        [(user, "/etc/passwd", &mut uid, "user"), (group, "/etc/group", &mut gid, "group")]
    {
        if let Some(n) = name {
            *slot = ctx.id_of(file, n);
            if slot.is_none() {
                let text = if ctx.is_busybox() {
                    format!("unknown {what} {n}")
                } else {
                    format!("invalid {what}: ‘{spec}’")
                };
                return ctx.fail(1, text);
            }
        }
    }
    let mut code = 0;
    for file in files {
        walk(ctx, file, o.has('R'), 0, &mut |ctx, path| {
            let result = ctx.stat(path, true).and_then(|s| {
                let same = uid.is_none_or(|u| u == s.uid) && gid.is_none_or(|g| g == s.gid);
                if ctx.core.who.uid != 0 && !same {
                    return Err(Errno::NotPermitted);
                }
                ctx.set_attributes(path, !o.has('h'), &|i| {
                    i.uid = uid.unwrap_or(i.uid);
                    i.gid = gid.unwrap_or(i.gid);
                })
            });
            if let Err(e) = result {
                let text = match (ctx.is_busybox(), e) {
                    (true, _) => format!("{path}: {e}"),
                    (false, Errno::NotFound) => format!("cannot access '{path}': {e}"),
                    (false, _) => format!("changing ownership of '{path}': {e}"),
                };
                code = ctx.fail(1, text);
            }
        });
    }
    code
}

/// The kind letter and permission bits as `ls -l` shows them.
pub(crate) fn mode_text(stat: &crate::fs::Stat) -> String {
    let kind = if stat.is_dir {
        'd'
    } else if stat.link.is_some() {
        'l'
    } else if stat.is_device {
        'c'
    } else {
        '-'
    };
    let mut s = String::from(kind);
    for (shift, special, yes, no) in [(6, 0o4000, 's', 'S'), (3, 0o2000, 's', 'S'), (0, 0o1000, 't', 'T')] {
        let bits = stat.mode >> shift;
        s.push(if bits & 4 != 0 { 'r' } else { '-' });
        s.push(if bits & 2 != 0 { 'w' } else { '-' });
        s.push(match (stat.mode & special != 0, bits & 1 != 0) {
            (true, true) => yes,
            (true, false) => no,
            (false, true) => 'x',
            (false, false) => '-',
        });
    }
    s
}
