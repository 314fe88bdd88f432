//! `ls`.

use super::files::mode_text;
use super::options;
use crate::context::Ctx;
use crate::fs::Stat;
use podlab_sim::SimTime;

struct Entry {
    name: String,
    stat: Stat,
    path: String,
}

pub(super) fn ls(ctx: &mut Ctx<'_>, args: &[String]) -> i32 {
    let long = [
        ("all", 'a'),
        ("almost-all", 'A'),
        ("human-readable", 'h'),
        ("recursive", 'R'),
        ("reverse", 'r'),
        ("color", 'c'),
        ("directory", 'd'),
        ("inode", 'i'),
        ("numeric-uid-gid", 'n'),
        ("classify", 'F'),
        ("full-time", 'e'),
    ];
    let o = match options(ctx, args, "1aAlhdRrtSinoFpCcsLQkuxXHgv", &long) {
        Ok(o) => o,
        Err(code) => return code,
    };
    let mut code = 0;
    let paths = if o.operands.is_empty() { vec![".".to_owned()] } else { o.operands.clone() };
    let mut files = Vec::new();
    let mut dirs = Vec::new();
    let long_list = o.has('l') || o.has('n') || o.has('o') || o.has('g') || o.has('e');
    for p in &paths {
        let follow = !long_list || o.has('L') || p.ends_with('/');
        let stat = ctx.stat(p, follow).or_else(|_| ctx.stat(p, false));
        match stat {
            Err(e) => {
                let text =
                    if ctx.is_busybox() { format!("{p}: {e}") } else { format!("cannot access '{p}': {e}") };
                code = ctx.fail(if ctx.is_busybox() { 1 } else { 2 }, text);
            }
            Ok(s) if s.is_dir && !o.has('d') => dirs.push(p.clone()),
            Ok(stat) => files.push(Entry { name: p.clone(), stat, path: p.clone() }),
        }
    }
    let flags = Flags {
        long: long_list,
        human: o.has('h'),
        numeric: o.has('n'),
        inode: o.has('i'),
        classify: o.has('F'),
        slash: o.has('p'),
        no_group: o.has('o'),
        full_time: o.has('e'),
        reverse: o.has('r'),
        by_time: o.has('t'),
        by_size: o.has('S'),
        blocks: o.has('s'),
        columns: !o.has('1') && !long_list && ctx.is_tty(1),
    };
    if !files.is_empty() {
        sort(&mut files, &flags);
        show(ctx, &files, &flags);
    }
    sort_names(&mut dirs);
    let titles = dirs.len() + files.len() > 1 || o.has('R') || (code != 0 && paths.len() > 1);
    let mut first = files.is_empty();
    let mut todo: Vec<String> = dirs.into_iter().rev().collect();
    let mut seen = 0;
    while let Some(dir) = todo.pop() {
        seen += 1;
        if seen > 10_000 {
            break;
        }
        let names = match ctx.list(&dir) {
            Ok(n) => n,
            Err(e) => {
                let text = if ctx.is_busybox() {
                    format!("can't open '{dir}': {e}")
                } else {
                    format!("cannot open directory '{dir}': {e}")
                };
                code = ctx.fail(if ctx.is_busybox() { 1 } else { 2 }, text);
                continue;
            }
        };
        let mut entries = Vec::new();
        let mut all: Vec<String> = Vec::new();
        if o.has('a') {
            all.extend([".".to_owned(), "..".to_owned()]);
        }
        all.extend(names.into_iter().filter(|n| o.has('a') || o.has('A') || !n.starts_with('.')));
        for name in all {
            let path = if dir.ends_with('/') { format!("{dir}{name}") } else { format!("{dir}/{name}") };
            if let Ok(stat) = ctx.stat(&path, o.has('L')) {
                entries.push(Entry { name, stat, path });
            }
        }
        sort(&mut entries, &flags);
        if titles {
            let text = if first { format!("{dir}:\n") } else { format!("\n{dir}:\n") };
            ctx.out(text);
        }
        first = false;
        if flags.long || flags.blocks {
            let blocks: u64 = entries.iter().map(|e| blocks(&e.stat)).sum();
            ctx.out(format!("total {blocks}\n"));
        }
        show(ctx, &entries, &flags);
        if o.has('R') {
            let sub: Vec<String> = entries
                .iter()
                .filter(|e| e.stat.is_dir && e.name != "." && e.name != "..")
                .map(|e| e.path.clone())
                .collect();
            todo.extend(sub.into_iter().rev());
        }
    }
    code
}

struct Flags {
    long: bool,
    human: bool,
    numeric: bool,
    inode: bool,
    classify: bool,
    slash: bool,
    no_group: bool,
    full_time: bool,
    reverse: bool,
    by_time: bool,
    by_size: bool,
    blocks: bool,
    columns: bool,
}

fn blocks(s: &Stat) -> u64 {
    if s.link.is_some() || s.is_device { 0 } else { s.size.div_ceil(4096) * 4 }
}

fn sort_names(names: &mut [String]) {
    names.sort();
}

fn sort(entries: &mut [Entry], f: &Flags) {
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    if f.by_time {
        entries.sort_by_key(|e| std::cmp::Reverse(e.stat.mtime));
    } else if f.by_size {
        entries.sort_by_key(|e| std::cmp::Reverse(e.stat.size));
    }
    if f.reverse {
        entries.reverse();
    }
}

/// `1.5K`, as `ls -h` and `df -h` show it.
pub(crate) fn human(bytes: u64) -> String {
    if bytes < 1024 {
        return bytes.to_string();
    }
    let mut tenths = bytes.saturating_mul(10).div_ceil(1024);
    let mut unit = 0;
    while tenths >= 10_240 && unit < 4 {
        tenths = tenths.div_ceil(1024);
        unit += 1;
    }
    let letter = ["K", "M", "G", "T", "P"].get(unit).copied().unwrap_or("P");
    if tenths < 100 {
        format!("{}.{}{letter}", tenths / 10, tenths % 10)
    } else {
        format!("{}{letter}", tenths.div_ceil(10))
    }
}

fn when(mtime: SimTime, now: SimTime, full: bool) -> String {
    let c = super::date::civil(mtime.as_secs());
    if full {
        return format!(
            "{:04}-{:02}-{:02} {:02}:{:02}:{:02} +0000",
            c.year, c.month, c.day, c.hour, c.minute, c.second
        );
    }
    let month = super::date::MONTHS.get(c.month.saturating_sub(1) as usize).copied().unwrap_or("Jan");
    let month = month.get(..3).unwrap_or(month);
    let age = now.as_secs() - mtime.as_secs();
    // Half a year back or in the future: the year instead of the time.
    if !(-60..=15_768_000).contains(&age) {
        return format!("{month} {:>2}  {:04}", c.day, c.year);
    }
    format!("{month} {:>2} {:02}:{:02}", c.day, c.hour, c.minute)
}

fn show(ctx: &mut Ctx<'_>, entries: &[Entry], f: &Flags) {
    let now = ctx.now();
    let mut rows: Vec<Vec<String>> = Vec::new();
    for e in entries {
        let mut name = e.name.clone();
        let s = &e.stat;
        if f.long
            && let Some(target) = &s.link
        {
            name = format!("{name} -> {target}");
        }
        if f.classify || f.slash {
            if s.is_dir {
                name.push('/');
            } else if f.classify && s.link.is_some() && !f.long {
                name.push('@');
            } else if f.classify && s.is_file && s.mode & 0o111 != 0 {
                name.push('*');
            }
        }
        if !f.long {
            let mut prefix = String::new();
            if f.inode {
                prefix = format!("{:>7} ", s.ino);
            }
            if f.blocks {
                prefix.push_str(&format!("{:>4} ", blocks(s)));
            }
            rows.push(vec![format!("{prefix}{name}")]);
            continue;
        }
        let user = if f.numeric { None } else { ctx.user_name(s.uid) }.unwrap_or_else(|| s.uid.to_string());
        let group = if f.numeric { None } else { ctx.group_name(s.gid) }.unwrap_or_else(|| s.gid.to_string());
        let size = if f.human { human(s.size) } else { s.size.to_string() };
        let mut row =
            vec![mode_text(s), s.nlink.to_string(), user, group, size, when(s.mtime, now, f.full_time), name];
        if f.inode
            && let Some(first) = row.first_mut()
        {
            *first = format!("{:>7} {first}", s.ino);
        }
        rows.push(row);
    }
    let mut out = String::new();
    if f.long {
        let width =
            |i: usize| rows.iter().filter_map(|r| r.get(i)).map(|c| c.chars().count()).max().unwrap_or(0);
        // Busybox has fixed widths, coreutils fits them to the list.
        let busybox = ctx.is_busybox();
        let (links, user, group, size) = if busybox {
            (5, 8, 8, if f.human { 7 } else { 9 })
        } else {
            (width(1), width(2), width(3), width(4))
        };
        for r in &rows {
            let cell = |i: usize| r.get(i).map_or("", String::as_str);
            if busybox {
                out.push_str(&format!("{}{:>links$} {:<user$} ", cell(0), cell(1), cell(2)));
                if !f.no_group {
                    out.push_str(&format!("{:<group$} ", cell(3)));
                }
            } else {
                out.push_str(&format!("{} {:>links$} {:<user$} ", cell(0), cell(1), cell(2)));
                if !f.no_group {
                    out.push_str(&format!("{:<group$} ", cell(3)));
                }
            }
            out.push_str(&format!("{:>size$} {} {}\n", cell(4), cell(5), cell(6)));
        }
    } else if f.columns {
        out = columns(&rows.iter().filter_map(|r| r.first().cloned()).collect::<Vec<_>>(), 80);
    } else {
        for r in &rows {
            out.push_str(r.first().map_or("", String::as_str));
            out.push('\n');
        }
    }
    ctx.out(out);
}

/// Names in columns, filled downwards, as on a terminal.
fn columns(names: &[String], width: usize) -> String {
    let longest = names.iter().map(|n| n.chars().count()).max().unwrap_or(0) + 2;
    let per_row = (width / longest.max(1)).max(1);
    let rows = names.len().div_ceil(per_row).max(1);
    let mut out = String::new();
    for r in 0..rows {
        let mut line = String::new();
        let mut i = r;
        while let Some(n) = names.get(i) {
            line.push_str(&format!("{n:<longest$}"));
            i += rows;
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    if names.is_empty() { String::new() } else { out }
}
