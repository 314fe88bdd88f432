//! `ps`, `kill`, `killall`, `pidof`, `id`, `whoami`, `uname`, `nproc`, `uptime`, `free`, `df`, `du`, `top`, `stat`, `which`, `sync`, `clear`.

use super::ls::human;
use super::{missing_operand, options};
use crate::context::Ctx;
use crate::fs::Errno;
use crate::process::{Pid, ProcessInfo};
use crate::signal::Signal;
use std::fmt::Write as _;

fn clock(nanos: u64, style: char) -> String {
    let secs = nanos / 1_000_000_000;
    match style {
        'b' => format!("{}:{:02}", secs / 60, secs % 60),
        _ => format!("{:02}:{:02}:{:02}", secs / 3600, secs / 60 % 60, secs % 60),
    }
}

fn command_line(p: &ProcessInfo) -> String {
    let text = p.argv.join(" ").replace('\n', " ");
    if p.state == 'Z' {
        format!("[{}]", super::base(p.argv.first().map_or("", String::as_str)))
    } else {
        text
    }
}

fn user(ctx: &Ctx<'_>, uid: u32) -> String {
    ctx.user_name(uid).unwrap_or_else(|| uid.to_string())
}

pub(super) fn ps(ctx: &mut Ctx<'_>, args: &[String]) -> i32 {
    let all = ctx.processes();
    if ctx.is_busybox() {
        let mut text = String::from("PID   USER     TIME  COMMAND\n");
        for p in &all {
            let _ = writeln!(
                text,
                "{:>5} {:<8.8} {:>5} {}",
                p.pid,
                user(ctx, p.uid),
                clock(p.cpu_nanos, 'b'),
                command_line(p)
            );
        }
        ctx.out(text);
        return 0;
    }
    let letters: String = args.iter().skip(1).map(|a| a.trim_start_matches('-')).collect();
    let mut text = String::new();
    let now = ctx.now();
    if letters.contains('u') && letters.contains('a') {
        text.push_str("USER         PID %CPU %MEM    VSZ   RSS TTY      STAT START   TIME COMMAND\n");
        let total = ctx.host.memory_total().max(1);
        for p in &all {
            #[allow(clippy::cast_precision_loss)]
            let cpu = {
                let age = now.since(p.started).as_nanos().max(1_000_000_000) as f64;
                p.cpu_nanos as f64 / age * 100.0
            };
            #[allow(clippy::cast_precision_loss)]
            let mem = p.memory_bytes as f64 / total as f64 * 100.0;
            let start = super::date::format(p.started, "%H:%M");
            let kb = p.memory_bytes / 1024;
            let _ = writeln!(
                text,
                "{:<8} {:>7} {cpu:>4.1} {mem:>4.1} {kb:>6} {kb:>5} ?        {:<4} {start:>5} {:>6} {}",
                user(ctx, p.uid),
                p.pid,
                p.state,
                clock(p.cpu_nanos, 'b'),
                command_line(p)
            );
        }
    } else if letters.contains('f') {
        text.push_str("UID          PID    PPID  C STIME TTY          TIME CMD\n");
        for p in &all {
            let start = super::date::format(p.started, "%H:%M");
            let _ = writeln!(
                text,
                "{:<8} {:>7} {:>7}  0 {start} ?        {} {}",
                user(ctx, p.uid),
                p.pid,
                p.ppid,
                clock(p.cpu_nanos, 'g'),
                command_line(p)
            );
        }
    } else {
        text.push_str("    PID TTY          TIME CMD\n");
        for p in &all {
            let name = super::base(p.argv.first().map_or("", String::as_str));
            let _ = writeln!(text, "{:>7} ?        {} {name}", p.pid, clock(p.cpu_nanos, 'g'));
        }
    }
    ctx.out(text);
    0
}

pub(super) fn kill(ctx: &mut Ctx<'_>, args: &[String]) -> i32 {
    let mut signal = Some(Signal::TERM);
    let mut rest = args.get(1..).unwrap_or_default();
    if let Some(a) = rest.first().filter(|a| a.starts_with('-') && a.len() > 1).cloned() {
        rest = rest.get(1..).unwrap_or_default();
        let mut name = a.trim_start_matches('-').to_owned();
        if name == "l" {
            let text: String = Signal::all().map(|s| format!("{:>2}) {}\n", s.0, s.name())).collect();
            ctx.out(text);
            return 0;
        }
        if name == "s" {
            name = rest.first().cloned().unwrap_or_default();
            rest = rest.get(1..).unwrap_or_default();
        }
        signal = if name == "0" { None } else { Signal::parse(&name) };
        if signal.is_none() && name != "0" {
            return ctx.fail(1, format!("bad signal name '{name}'"));
        }
    }
    if rest.is_empty() {
        return ctx.fail(1, "you need to specify whom to kill");
    }
    let mut code = 0;
    for t in rest {
        match t.parse::<Pid>() {
            Ok(pid) => {
                if let Err(e) = ctx.kill(pid, signal) {
                    let text = if ctx.is_busybox() {
                        format!("can't kill pid {t}: {e}")
                    } else {
                        format!("({t}) - {e}")
                    };
                    code = ctx.fail(1, text);
                }
            }
            Err(_) => code = ctx.fail(1, format!("invalid number '{t}'")),
        }
    }
    code
}

fn by_name(ctx: &Ctx<'_>, name: &str) -> Vec<Pid> {
    let me = ctx.core.pid;
    ctx.processes()
        .into_iter()
        .filter(|p| {
            p.pid != me
                && super::base(p.argv.first().map_or("", String::as_str)).trim_end_matches(':') == name
        })
        .map(|p| p.pid)
        .collect()
}

pub(super) fn killall(ctx: &mut Ctx<'_>, args: &[String]) -> i32 {
    let mut signal = Some(Signal::TERM);
    let mut quiet = false;
    let mut code = 0;
    for a in args.iter().skip(1) {
        if a == "-q" {
            quiet = true;
        } else if let Some(s) = a.strip_prefix('-') {
            signal = if s == "0" { None } else { Signal::parse(s) };
        } else {
            let pids = by_name(ctx, a);
            if pids.is_empty() {
                code = 1;
                if !quiet {
                    let text = if ctx.is_busybox() {
                        format!("{a}: no process killed")
                    } else {
                        format!("{a}: no process found")
                    };
                    let line =
                        if ctx.is_busybox() { format!("killall: {text}\n") } else { format!("{text}\n") };
                    ctx.err(line);
                }
            }
            for pid in pids {
                let _ = ctx.kill(pid, signal);
            }
        }
    }
    code
}

pub(super) fn pidof(ctx: &mut Ctx<'_>, args: &[String]) -> i32 {
    let mut all: Vec<String> = Vec::new();
    for a in args.iter().skip(1).filter(|a| !a.starts_with('-')) {
        all.extend(by_name(ctx, a).into_iter().rev().map(|p| p.to_string()));
    }
    if all.is_empty() {
        return 1;
    }
    ctx.out(all.join(" ") + "\n");
    0
}

pub(super) fn id(ctx: &mut Ctx<'_>, args: &[String]) -> i32 {
    let o =
        match options(ctx, args, "ugGnr", &[("user", 'u'), ("group", 'g'), ("groups", 'G'), ("name", 'n')]) {
            Ok(o) => o,
            Err(code) => return code,
        };
    let mut who = ctx.core.who.clone();
    if let Some(name) = o.operands.first() {
        match ctx.id_of("/etc/passwd", name) {
            Some(uid) => {
                who.uid = uid;
                who.gid = uid;
                who.groups = vec![uid];
            }
            None => {
                let text = if ctx.is_busybox() {
                    format!("unknown user {name}")
                } else {
                    format!("‘{name}’: no such user")
                };
                return ctx.fail(1, text);
            }
        }
    }
    let user = |n: u32| ctx.user_name(n);
    let group = |n: u32| ctx.group_name(n);
    // The kernel keeps them sorted.
    who.groups.sort_unstable();
    let mut groups = vec![who.gid];
    groups.extend(who.groups.iter().copied().filter(|g| *g != who.gid));
    let text = if o.has('u') {
        if o.has('n') { user(who.uid).unwrap_or_else(|| who.uid.to_string()) } else { who.uid.to_string() }
    } else if o.has('g') {
        if o.has('n') { group(who.gid).unwrap_or_else(|| who.gid.to_string()) } else { who.gid.to_string() }
    } else if o.has('G') {
        let all: Vec<String> = groups
            .iter()
            .map(|g| if o.has('n') { group(*g).unwrap_or_else(|| g.to_string()) } else { g.to_string() })
            .collect();
        all.join(" ")
    } else {
        let named =
            |n: u32, name: Option<String>| name.map_or_else(|| n.to_string(), |s| format!("{n}({s})"));
        let mut text =
            format!("uid={} gid={}", named(who.uid, user(who.uid)), named(who.gid, group(who.gid)));
        // Busybox leaves the list out where there are no supplementary groups.
        if !who.groups.is_empty() || !ctx.is_busybox() {
            let list = if ctx.is_busybox() { who.groups.clone() } else { groups };
            let all: Vec<String> = list.iter().map(|g| named(*g, group(*g))).collect();
            let _ = write!(text, " groups={}", all.join(","));
        }
        text
    };
    ctx.out(text + "\n");
    0
}

pub(super) fn whoami(ctx: &mut Ctx<'_>, _: &[String]) -> i32 {
    let uid = ctx.core.who.uid;
    match ctx.user_name(uid) {
        Some(n) => {
            ctx.out(n + "\n");
            0
        }
        None => {
            let text = if ctx.is_busybox() {
                format!("unknown uid {uid}")
            } else {
                format!("cannot find name for user ID {uid}")
            };
            ctx.fail(1, text)
        }
    }
}

pub(super) fn groups(ctx: &mut Ctx<'_>, _: &[String]) -> i32 {
    id(ctx, &["id".to_owned(), "-Gn".to_owned()])
}

pub(super) fn uname(ctx: &mut Ctx<'_>, args: &[String]) -> i32 {
    let o = match options(
        ctx,
        args,
        "amnrspiov",
        &[("all", 'a'), ("machine", 'm'), ("kernel-name", 's'), ("kernel-release", 'r'), ("nodename", 'n')],
    ) {
        Ok(o) => o,
        Err(code) => return code,
    };
    let host = ctx.host.hostname();
    let parts = [
        ('s', "Linux".to_owned()),
        ('n', host),
        ('r', "6.1.0-podlab".to_owned()),
        ('v', "#1 SMP simulated".to_owned()),
        ('m', "x86_64".to_owned()),
        ('o', "GNU/Linux".to_owned()),
    ];
    let none = o.found.is_empty();
    let shown: Vec<String> = parts
        .into_iter()
        .filter(|(c, _)| {
            o.has('a') || o.has(*c) || (none && *c == 's') || (*c == 'm' && (o.has('p') || o.has('i')))
        })
        .map(|(_, s)| s)
        .collect();
    ctx.out(shown.join(" ") + "\n");
    0
}

pub(super) fn nproc(ctx: &mut Ctx<'_>, _: &[String]) -> i32 {
    let n = ctx.host.cpus();
    ctx.out(format!("{n}\n"));
    0
}

fn up_text(ctx: &Ctx<'_>) -> String {
    let secs = ctx.now().since(ctx.host.boot_time()).as_secs();
    let (days, hours, minutes) = (secs / 86_400, secs / 3600 % 24, secs / 60 % 60);
    let mut s = String::new();
    if days > 0 {
        let _ = write!(s, "{days} day{}, ", if days == 1 { "" } else { "s" });
    }
    if hours > 0 {
        let _ = write!(s, "{hours:>2}:{minutes:02}");
    } else {
        let _ = write!(s, "{minutes} min");
    }
    s
}

pub(super) fn uptime(ctx: &mut Ctx<'_>, _: &[String]) -> i32 {
    let now = super::date::format(ctx.now(), "%H:%M:%S");
    let up = up_text(ctx);
    ctx.out(format!(" {now} up {up},  0 users,  load average: 0.00, 0.00, 0.00\n"));
    0
}

pub(super) fn free(ctx: &mut Ctx<'_>, args: &[String]) -> i32 {
    let o = match options(ctx, args, "bkmgh", &[("human", 'h'), ("mega", 'm'), ("giga", 'g')]) {
        Ok(o) => o,
        Err(code) => return code,
    };
    let total = ctx.host.memory_total();
    let used: u64 = ctx.processes().iter().map(|p| p.memory_bytes).sum();
    let left = total.saturating_sub(used);
    let show = |n: u64| {
        if o.has('h') {
            human(n)
        } else {
            let unit = if o.has('b') {
                1
            } else if o.has('m') {
                1 << 20
            } else if o.has('g') {
                1 << 30
            } else {
                1 << 10
            };
            (n / unit).to_string()
        }
    };
    let mut text = format!(
        "{:>7}{:>13}{:>12}{:>12}{:>12}{:>12}{:>12}\n",
        "", "total", "used", "free", "shared", "buff/cache", "available"
    );
    if !ctx.is_busybox() {
        text = format!(
            "{:>7}{:>13}{:>12}{:>12}{:>12}{:>12}{:>12}\n",
            "", "total", "used", "free", "shared", "buff/cache", "available"
        );
    }
    let _ = writeln!(
        text,
        "{:<8}{:>12}{:>12}{:>12}{:>12}{:>12}{:>12}",
        "Mem:",
        show(total),
        show(used),
        show(left),
        show(0),
        show(0),
        show(left)
    );
    let _ = writeln!(text, "{:<8}{:>12}{:>12}{:>12}", "Swap:", show(0), show(0), show(0));
    ctx.out(text);
    0
}

pub(super) fn df(ctx: &mut Ctx<'_>, args: &[String]) -> i32 {
    let o = match options(ctx, args, "hkmPTai", &[("human-readable", 'h')]) {
        Ok(o) => o,
        Err(code) => return code,
    };
    // What a volume without a size of its own shares: the node's disk.
    const DISK: u64 = 40 << 30;
    let mut rows = Vec::new();
    {
        let fs = ctx.fs();
        rows.push((
            fs.root.device.to_string(),
            "/".to_owned(),
            fs.root.capacity.unwrap_or(DISK),
            fs.root.used_bytes(),
        ));
        for m in fs.mounts() {
            if let Some(v) = ctx.host.volume(&m.volume) {
                rows.push((v.device.to_string(), m.path.clone(), v.capacity.unwrap_or(DISK), v.used_bytes()));
            }
        }
    }
    if !o.operands.is_empty() {
        let mut wanted = Vec::new();
        for p in &o.operands {
            match ctx.real_path(p) {
                Ok(path) => {
                    let best = rows
                        .iter()
                        .filter(|r| r.1 == "/" || path == r.1 || path.starts_with(&format!("{}/", r.1)))
                        .max_by_key(|r| r.1.len());
                    wanted.extend(best.cloned());
                }
                Err(e) => return ctx.fail(1, format!("{p}: {e}")),
            }
        }
        rows = wanted;
    }
    let h = o.has('h');
    let show = |n: u64| if h { human(n) } else { (n / if o.has('m') { 1 << 20 } else { 1024 }).to_string() };
    let mut text = if h {
        "Filesystem                Size      Used Available Use% Mounted on\n".to_owned()
    } else if o.has('m') {
        "Filesystem           1M-blocks      Used Available Use% Mounted on\n".to_owned()
    } else {
        "Filesystem           1K-blocks      Used Available Use% Mounted on\n".to_owned()
    };
    for (device, path, size, used) in rows {
        let percent = (used.saturating_mul(100)).div_ceil(size.max(1));
        let _ = writeln!(
            text,
            "{device:<20} {:>9} {:>9} {:>9} {percent:>3}% {path}",
            show(size),
            show(used),
            show(size.saturating_sub(used))
        );
    }
    ctx.out(text);
    0
}

fn usage(ctx: &Ctx<'_>, path: &str, depth: u32, out: &mut Vec<(String, u64, u32)>) -> u64 {
    let Ok(stat) = ctx.stat(path, false) else { return 0 };
    let mut total = if stat.is_dir { 4096 } else { stat.size.div_ceil(4096) * 4096 };
    if stat.is_dir && depth < 64 && out.len() < 10_000 {
        for n in ctx.list(path).unwrap_or_default() {
            let full = if path.ends_with('/') { format!("{path}{n}") } else { format!("{path}/{n}") };
            total += usage(ctx, &full, depth + 1, out);
        }
    }
    if stat.is_dir || depth == 0 {
        out.push((path.to_owned(), total, depth));
    }
    total
}

pub(super) fn du(ctx: &mut Ctx<'_>, args: &[String]) -> i32 {
    let long = [("summarize", 's'), ("human-readable", 'h'), ("max-depth", 'd'), ("total", 'c')];
    let o = match options(ctx, args, "shkmacxd:b", &long) {
        Ok(o) => o,
        Err(code) => return code,
    };
    let paths = if o.operands.is_empty() { vec![".".to_owned()] } else { o.operands.clone() };
    let max = o.value('d').and_then(|d| d.parse().ok()).unwrap_or(u32::MAX);
    let mut code = 0;
    let mut text = String::new();
    for p in paths {
        if let Err(e) = ctx.stat(&p, false) {
            let t = if ctx.is_busybox() { format!("{p}: {e}") } else { format!("cannot access '{p}': {e}") };
            code = ctx.fail(1, t);
            continue;
        }
        let mut rows = Vec::new();
        usage(ctx, &p, 0, &mut rows);
        for (path, bytes, depth) in rows {
            if (o.has('s') && depth > 0) || depth > max {
                continue;
            }
            let n = if o.has('h') {
                human(bytes)
            } else if o.has('m') {
                bytes.div_ceil(1 << 20).to_string()
            } else if o.has('b') {
                bytes.to_string()
            } else {
                (bytes / 1024).to_string()
            };
            let _ = writeln!(text, "{n}\t{path}");
        }
    }
    ctx.out(text);
    code
}

pub(super) fn top(ctx: &mut Ctx<'_>, args: &[String]) -> i32 {
    let letters: String = args.iter().skip(1).cloned().collect();
    if !letters.contains('b') && ctx.is_tty(1) {
        return ctx.fail(1, "not simulated: the interactive display; use top -bn1");
    }
    let all = ctx.processes();
    let total = ctx.host.memory_total() / 1024;
    let used: u64 = all.iter().map(|p| p.memory_bytes).sum::<u64>() / 1024;
    let now = ctx.now();
    let mut text = format!(
        "Mem: {used}K used, {}K free, 0K shrd, 0K buff, 0K cached\nCPU:   0% usr   0% sys   0% nic 100% idle   0% io   0% irq   0% sirq\nLoad average: 0.00 0.00 0.00 1/{} {}\n  PID  PPID USER     STAT   VSZ %VSZ CPU %CPU COMMAND\n",
        total.saturating_sub(used),
        all.len(),
        ctx.core.pid
    );
    let share = |p: &ProcessInfo| {
        let age = u64::try_from(now.since(p.started).as_nanos()).unwrap_or(u64::MAX).max(1_000_000_000);
        p.cpu_nanos.saturating_mul(100) / age
    };
    let mut sorted: Vec<&ProcessInfo> = all.iter().collect();
    sorted.sort_by_key(|p| (std::cmp::Reverse(share(p)), p.pid));
    for p in sorted {
        let kb = p.memory_bytes / 1024;
        let _ = writeln!(
            text,
            "{:>5} {:>5} {:<8.8} {:<4} {kb:>6} {:>3}%   0 {:>3}% {}",
            p.pid,
            p.ppid,
            user(ctx, p.uid),
            p.state,
            kb * 100 / total.max(1),
            share(p),
            command_line(p)
        );
    }
    ctx.out(text);
    0
}

pub(super) fn stat(ctx: &mut Ctx<'_>, args: &[String]) -> i32 {
    let o = match options(ctx, args, "c:Lft", &[("format", 'c'), ("dereference", 'L')]) {
        Ok(o) => o,
        Err(code) => return code,
    };
    if o.operands.is_empty() {
        return missing_operand(ctx);
    }
    let mut code = 0;
    for f in &o.operands {
        let s = match ctx.stat(f, o.has('L')) {
            Ok(s) => s,
            Err(e) => {
                let t = if ctx.is_busybox() {
                    format!("can't stat '{f}': {e}")
                } else {
                    format!("cannot statx '{f}': {e}")
                };
                code = ctx.fail(1, t);
                continue;
            }
        };
        let kind = if s.is_dir {
            "directory"
        } else if s.link.is_some() {
            "symbolic link"
        } else if s.is_device {
            "character special file"
        } else if s.size == 0 {
            "regular empty file"
        } else {
            "regular file"
        };
        let user = ctx.user_name(s.uid).unwrap_or_else(|| "UNKNOWN".to_owned());
        let group = ctx.group_name(s.gid).unwrap_or_else(|| "UNKNOWN".to_owned());
        let mode = super::files::mode_text(&s);
        let time = super::date::format(s.mtime, "%Y-%m-%d %H:%M:%S.%N +0000");
        if let Some(format) = o.value('c') {
            let mut text = String::new();
            let mut chars = format.chars();
            while let Some(c) = chars.next() {
                if c != '%' {
                    text.push(c);
                    continue;
                }
                match chars.next() {
                    Some('a') => text.push_str(&format!("{:o}", s.mode)),
                    Some('A') => text.push_str(&mode),
                    Some('n') => text.push_str(f),
                    Some('N') => text.push_str(&format!("'{f}'")),
                    Some('s') => text.push_str(&s.size.to_string()),
                    Some('u') => text.push_str(&s.uid.to_string()),
                    Some('g') => text.push_str(&s.gid.to_string()),
                    Some('U') => text.push_str(&user),
                    Some('G') => text.push_str(&group),
                    Some('F') => text.push_str(kind),
                    Some('i') => text.push_str(&s.ino.to_string()),
                    Some('h') => text.push_str(&s.nlink.to_string()),
                    Some('b') => text.push_str(&(s.size.div_ceil(4096) * 8).to_string()),
                    Some('X' | 'Y' | 'Z') => text.push_str(&s.mtime.as_secs().to_string()),
                    Some('x' | 'y' | 'z') => text.push_str(&time),
                    Some('%') => text.push('%'),
                    Some(other) => {
                        text.push('%');
                        text.push(other);
                    }
                    None => text.push('%'),
                }
            }
            ctx.out(text + "\n");
            continue;
        }
        let shown = s.link.as_ref().map_or_else(|| f.clone(), |t| format!("{f} -> {t}"));
        let text = format!(
            "  File: {shown}\n  Size: {:<10}\tBlocks: {:<10} IO Block: 4096   {kind}\nDevice: 2eh/46d\tInode: {:<10}  Links: {}\nAccess: ({:04o}/{mode})  Uid: ({:>5}/{user:>8})   Gid: ({:>5}/{group:>8})\nAccess: {time}\nModify: {time}\nChange: {time}\n",
            s.size,
            s.size.div_ceil(4096) * 8,
            s.ino,
            s.nlink,
            s.mode,
            s.uid,
            s.gid
        );
        ctx.out(text);
    }
    code
}

pub(super) fn which(ctx: &mut Ctx<'_>, args: &[String]) -> i32 {
    let path_var = ctx.core.env_var("PATH").unwrap_or(crate::userland::DEFAULT_PATH).to_owned();
    let mut code = i32::from(args.len() < 2);
    for name in args.iter().skip(1).filter(|a| *a != "-a") {
        match ctx.find_program(name, &path_var) {
            Ok(p) => ctx.out(format!("{p}\n")),
            Err(_) => code = 1,
        }
    }
    code
}

pub(super) fn clear(ctx: &mut Ctx<'_>, _: &[String]) -> i32 {
    ctx.out("\x1b[H\x1b[2J\x1b[3J");
    0
}

/// Programs that need a screen or a device that is not there.
pub(super) fn refused(ctx: &mut Ctx<'_>, _: &[String]) -> i32 {
    let name = ctx.name();
    ctx.fail(1, format!("not simulated: {name}"))
}

/// Programs that a container has no right to: what they would say without privileges.
pub(super) fn not_permitted(ctx: &mut Ctx<'_>, args: &[String]) -> i32 {
    if ctx.name() == "mount" && args.len() < 2 {
        let text = ctx.read_file("/proc/mounts").unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        for l in text.lines() {
            let p: Vec<&str> = l.split(' ').collect();
            if let [device, path, kind, flags, ..] = p.as_slice() {
                ctx.out(format!("{device} on {path} type {kind} ({flags})\n"));
            }
        }
        return 0;
    }
    ctx.fail(1, Errno::NotPermitted)
}
