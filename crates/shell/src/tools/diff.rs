//! `diff`, with GNU's own choice among the shortest edit scripts.
//!
//! Source: gnulib diffseq.h `diag`, `compareseq`; diffutils analyze.c `shift_boundaries` (3.8), told in words there.

use super::{missing_operand, options};
use crate::context::Ctx;
use crate::fs::Errno;
use podlab_sim::SimTime;
use std::collections::BTreeMap;

/// Beyond so many steps of one search a script need not be the shortest.
const EXPENSIVE: isize = 2048;

/// Lines as numbers: equal lines have the same one.
fn numbered<'a>(left: &[&'a str], right: &[&'a str]) -> (Vec<usize>, Vec<usize>) {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let mut number = |line: &&'a str| {
        let next = seen.len();
        *seen.entry(*line).or_insert(next)
    };
    (left.iter().map(&mut number).collect(), right.iter().map(&mut number).collect())
}

/// Which lines of the two texts are changed.
struct Script {
    left: Vec<bool>,
    right: Vec<bool>,
}

/// The search for the shortest script, on the lines that both texts have.
struct Search<'a> {
    x: &'a [usize],
    y: &'a [usize],
    forward: Vec<isize>,
    backward: Vec<isize>,
    /// Diagonal 0 in the two arrays above.
    zero: isize,
    deleted: Vec<bool>,
    added: Vec<bool>,
}

impl Search<'_> {
    fn same(&self, x: isize, y: isize) -> bool {
        match (usize::try_from(x), usize::try_from(y)) {
            (Ok(x), Ok(y)) => matches!((self.x.get(x), self.y.get(y)), (Some(a), Some(b)) if a == b),
            _ => false,
        }
    }

    fn get(of: &[isize], zero: isize, d: isize) -> isize {
        usize::try_from(d + zero).ok().and_then(|i| of.get(i)).copied().unwrap_or(-1)
    }

    fn set(of: &mut [isize], zero: isize, d: isize, value: isize) {
        if let Some(slot) = usize::try_from(d + zero).ok().and_then(|i| of.get_mut(i)) {
            *slot = value;
        }
    }

    /// Where the two halves of a shortest script meet.
    fn diag(&mut self, xoff: isize, xlim: isize, yoff: isize, ylim: isize) -> (isize, isize) {
        let zero = self.zero;
        let (dmin, dmax) = (xoff - ylim, xlim - yoff);
        let (fmid, bmid) = (xoff - yoff, xlim - ylim);
        let (mut fmin, mut fmax, mut bmin, mut bmax) = (fmid, fmid, bmid, bmid);
        let odd = (fmid - bmid) & 1 != 0;
        Self::set(&mut self.forward, zero, fmid, xoff);
        Self::set(&mut self.backward, zero, bmid, xlim);
        for _ in 0..EXPENSIVE {
            if fmin > dmin {
                fmin -= 1;
                Self::set(&mut self.forward, zero, fmin - 1, -1);
            } else {
                fmin += 1;
            }
            if fmax < dmax {
                fmax += 1;
                Self::set(&mut self.forward, zero, fmax + 1, -1);
            } else {
                fmax -= 1;
            }
            let mut d = fmax;
            while d >= fmin {
                let (low, high) =
                    (Self::get(&self.forward, zero, d - 1), Self::get(&self.forward, zero, d + 1));
                let mut x = if low < high { high } else { low + 1 };
                while x < xlim && x - d < ylim && self.same(x, x - d) {
                    x += 1;
                }
                Self::set(&mut self.forward, zero, d, x);
                if odd && bmin <= d && d <= bmax && Self::get(&self.backward, zero, d) <= x {
                    return (x, x - d);
                }
                d -= 2;
            }
            if bmin > dmin {
                bmin -= 1;
                Self::set(&mut self.backward, zero, bmin - 1, isize::MAX);
            } else {
                bmin += 1;
            }
            if bmax < dmax {
                bmax += 1;
                Self::set(&mut self.backward, zero, bmax + 1, isize::MAX);
            } else {
                bmax -= 1;
            }
            let mut d = bmax;
            while d >= bmin {
                let (low, high) =
                    (Self::get(&self.backward, zero, d - 1), Self::get(&self.backward, zero, d + 1));
                let mut x = if low < high { low } else { high.saturating_sub(1) };
                while xoff < x && yoff < x - d && self.same(x - 1, x - d - 1) {
                    x -= 1;
                }
                Self::set(&mut self.backward, zero, d, x);
                if !odd && fmin <= d && d <= fmax && x <= Self::get(&self.forward, zero, d) {
                    return (x, x - d);
                }
                d -= 2;
            }
        }
        // All of the rest counts as replaced.
        (xlim, yoff)
    }

    fn compare(&mut self) {
        let mut parts = vec![(0, self.x.len() as isize, 0, self.y.len() as isize)];
        while let Some((mut xoff, mut xlim, mut yoff, mut ylim)) = parts.pop() {
            while xoff < xlim && yoff < ylim && self.same(xoff, yoff) {
                xoff += 1;
                yoff += 1;
            }
            while xoff < xlim && yoff < ylim && self.same(xlim - 1, ylim - 1) {
                xlim -= 1;
                ylim -= 1;
            }
            if xoff == xlim || yoff == ylim {
                let range = |from: isize, to: isize| from.max(0) as usize..to.max(0) as usize;
                self.added.get_mut(range(yoff, ylim)).unwrap_or_default().fill(true);
                self.deleted.get_mut(range(xoff, xlim)).unwrap_or_default().fill(true);
                continue;
            }
            let (x, y) = self.diag(xoff, xlim, yoff, ylim);
            parts.push((xoff, x, yoff, y));
            parts.push((x, xlim, y, ylim));
        }
    }
}

fn script(left: &[usize], right: &[usize]) -> Script {
    // Lines that the other text has not are changed, whatever else is.
    let pick = |of: &[usize], other: &[usize]| -> (Vec<usize>, Vec<usize>) {
        let other: std::collections::BTreeSet<usize> = other.iter().copied().collect();
        of.iter().copied().enumerate().filter(|(_, line)| other.contains(line)).unzip()
    };
    let ((xs, x), (ys, y)) = (pick(left, right), pick(right, left));
    let size = x.len() + y.len() + 3;
    let mut search = Search {
        zero: y.len() as isize + 1,
        forward: vec![0; size],
        backward: vec![0; size],
        deleted: vec![false; x.len()],
        added: vec![false; y.len()],
        x: &x,
        y: &y,
    };
    search.compare();
    let spread = |places: &[usize], changed: &[bool], size: usize| {
        let mut out = vec![true; size];
        for (place, changed) in places.iter().zip(changed) {
            if let Some(slot) = out.get_mut(*place) {
                *slot = *changed;
            }
        }
        out
    };
    let mut script = Script {
        left: spread(&xs, &search.deleted, left.len()),
        right: spread(&ys, &search.added, right.len()),
    };
    shift(&mut script.left, &script.right, left);
    shift(&mut script.right, &script.left, right);
    script
}

/// Moves runs of changes as far down as equal lines let them, and together where they can meet.
fn shift(changed: &mut [bool], other: &[bool], lines: &[usize]) {
    let at = |of: &[bool], i: usize| of.get(i).copied().unwrap_or(false);
    // Places in `other` count from 1, so that there is one before the first.
    let before = |j: usize| j.checked_sub(1).is_some_and(|j| at(other, j));
    let end = lines.len();
    let (mut i, mut j) = (0, 0);
    let put = |of: &mut [bool], i: usize, value: bool| {
        if let Some(slot) = of.get_mut(i) {
            *slot = value;
        }
    };
    loop {
        while i < end && !at(changed, i) {
            while at(other, j) {
                j += 1;
            }
            j += 1;
            i += 1;
        }
        if i >= end {
            return;
        }
        let mut start = i;
        while at(changed, i) {
            i += 1;
        }
        while at(other, j) {
            j += 1;
        }
        let mut corresponding;
        loop {
            let length = i - start;
            while start > 0 && lines.get(start - 1) == lines.get(i - 1) {
                start -= 1;
                i -= 1;
                put(changed, start, true);
                put(changed, i, false);
                while start > 0 && at(changed, start - 1) {
                    start -= 1;
                }
                j = j.saturating_sub(1);
                while at(other, j) && j > 0 {
                    j -= 1;
                }
            }
            corresponding = if before(j) { i } else { end };
            while i < end && lines.get(start) == lines.get(i) {
                put(changed, start, false);
                put(changed, i, true);
                start += 1;
                i += 1;
                while at(changed, i) {
                    i += 1;
                }
                j += 1;
                while at(other, j) {
                    j += 1;
                    corresponding = i;
                }
            }
            if length == i - start {
                break;
            }
        }
        while corresponding < i && start > 0 {
            start -= 1;
            i -= 1;
            put(changed, start, true);
            put(changed, i, false);
            j = j.saturating_sub(1);
            while at(other, j) && j > 0 {
                j -= 1;
            }
        }
    }
}

/// A run of changes: lines `left` became lines `right` (half-open, from 0).
#[derive(Clone, Copy)]
struct Change {
    left: (usize, usize),
    right: (usize, usize),
}

fn changes(left: &[&str], right: &[&str]) -> Vec<Change> {
    let (x, y) = numbered(left, right);
    let script = script(&x, &y);
    let at = |of: &[bool], i: usize| of.get(i).copied().unwrap_or(false);
    let mut out = Vec::new();
    let (mut i, mut j) = (0, 0);
    while i < x.len() || j < y.len() {
        let (from_i, from_j) = (i, j);
        while at(&script.left, i) {
            i += 1;
        }
        while at(&script.right, j) {
            j += 1;
        }
        if (i, j) == (from_i, from_j) {
            i += 1;
            j += 1;
        } else {
            out.push(Change { left: (from_i, i), right: (from_j, j) });
        }
    }
    out
}

fn push_lines(out: &mut String, mark: &str, lines: &[&str]) {
    for line in lines {
        out.push_str(mark);
        out.push_str(line);
        if !line.ends_with('\n') {
            out.push_str("\n\\ No newline at end of file\n");
        }
    }
}

/// The hunks of a unified diff with so many lines around; empty where the texts are equal.
pub fn unified_hunks(left: &str, right: &str, around: usize) -> String {
    let (left, right): (Vec<&str>, Vec<&str>) =
        (left.split_inclusive('\n').collect(), right.split_inclusive('\n').collect());
    let changes = changes(&left, &right);
    let mut hunks: Vec<Vec<Change>> = Vec::new();
    for change in changes {
        match hunks.last_mut() {
            Some(hunk)
                if hunk
                    .last()
                    .is_some_and(|last| change.left.0 - last.left.1 <= around.saturating_mul(2)) =>
            {
                hunk.push(change);
            }
            _ => hunks.push(vec![change]),
        }
    }
    let part = |of: &[&'_ str], from: usize, to: usize| -> Vec<String> {
        of.get(from..to).unwrap_or_default().iter().map(|l| (*l).to_owned()).collect()
    };
    let mut out = String::new();
    for hunk in &hunks {
        let (Some(first), Some(last)) = (hunk.first(), hunk.last()) else { continue };
        let before = first.left.0.min(around).min(first.right.0);
        let after = (left.len() - last.left.1).min(around);
        let range = |from: usize, to: usize| match to - from {
            0 => format!("{from},0"),
            1 => format!("{to}"),
            count => format!("{},{count}", from + 1),
        };
        out.push_str(&format!(
            "@@ -{} +{} @@\n",
            range(first.left.0 - before, last.left.1 + after),
            range(first.right.0 - before, last.right.1 + after)
        ));
        let mut i = first.left.0 - before;
        for change in hunk {
            let kept = part(&left, i, change.left.0);
            push_lines(&mut out, " ", &kept.iter().map(String::as_str).collect::<Vec<_>>());
            push_lines(&mut out, "-", left.get(change.left.0..change.left.1).unwrap_or_default());
            push_lines(&mut out, "+", right.get(change.right.0..change.right.1).unwrap_or_default());
            i = change.left.1;
        }
        push_lines(&mut out, " ", left.get(i..i + after).unwrap_or_default());
    }
    out
}

fn normal(left: &str, right: &str) -> String {
    let (left, right): (Vec<&str>, Vec<&str>) =
        (left.split_inclusive('\n').collect(), right.split_inclusive('\n').collect());
    let mut out = String::new();
    for Change { left: (i, i_end), right: (j, j_end) } in changes(&left, &right) {
        let range = |a: usize, b: usize| if b - a == 1 { format!("{b}") } else { format!("{},{b}", a + 1) };
        let head = match (i_end - i, j_end - j) {
            (0, _) => format!("{i}a{}", range(j, j_end)),
            (_, 0) => format!("{}d{j}", range(i, i_end)),
            _ => format!("{}c{}", range(i, i_end), range(j, j_end)),
        };
        out.push_str(&head);
        out.push('\n');
        push_lines(&mut out, "< ", left.get(i..i_end).unwrap_or_default());
        if i_end > i && j_end > j {
            out.push_str("---\n");
        }
        push_lines(&mut out, "> ", right.get(j..j_end).unwrap_or_default());
    }
    out
}

/// Texts longer than this together are only said to differ.
const LONGEST: usize = 4 << 20;

struct Options {
    unified: Option<usize>,
    brief: bool,
    absent: bool,
    recursive: bool,
    identical: bool,
    labels: Vec<String>,
    /// What stands before the names where files of directories are compared.
    command: String,
}

pub(super) fn diff(ctx: &mut Ctx<'_>, args: &[String]) -> i32 {
    let long = [
        ("brief", 'q'),
        ("unified", 'u'),
        ("recursive", 'r'),
        ("new-file", 'N'),
        ("report-identical-files", 's'),
        ("label", 'L'),
        ("text", 'a'),
    ];
    let o = match options(ctx, args, "uqrNbBiwsU:aL:", &long) {
        Ok(o) => o,
        Err(code) => return code,
    };
    let [a, b] = o.operands.as_slice() else { return missing_operand(ctx).max(2) };
    let unified = o.has('u') || o.has('U') || ctx.is_busybox();
    let around = o.value('U').and_then(|n| n.parse().ok()).unwrap_or(3);
    let flags: Vec<&str> =
        args.iter().skip(1).take_while(|a| a.starts_with('-')).map(String::as_str).collect();
    let opts = Options {
        unified: unified.then_some(around),
        brief: o.has('q'),
        absent: o.has('N'),
        recursive: o.has('r'),
        identical: o.has('s'),
        labels: o.values('L'),
        command: format!("diff {}", flags.join(" ")).trim_end().to_owned(),
    };
    match (ctx.is_dir(a), ctx.is_dir(b)) {
        (true, true) => directories(ctx, &opts, a, b, 0),
        (true, false) if b != "-" => {
            let inside = format!("{a}/{}", super::base(b));
            files(ctx, &opts, &inside, b, false)
        }
        (false, true) if a != "-" => {
            let inside = format!("{b}/{}", super::base(a));
            files(ctx, &opts, a, &inside, false)
        }
        _ => files(ctx, &opts, a, b, false),
    }
}

fn directories(ctx: &mut Ctx<'_>, opts: &Options, a: &str, b: &str, depth: u32) -> i32 {
    let (Ok(left), Ok(right)) = (ctx.list(a), ctx.list(b)) else {
        return ctx.fail(2, format!("{a}: {}", Errno::PermissionDenied));
    };
    let mut names: Vec<&String> = left.iter().chain(&right).collect();
    names.sort_unstable();
    names.dedup();
    let mut code = 0;
    for name in names {
        let (x, y) = (format!("{a}/{name}"), format!("{b}/{name}"));
        let only = if !left.contains(name) { Some(b) } else { (!right.contains(name)).then_some(a) };
        let dir = ctx.is_dir(&x) || ctx.is_dir(&y);
        code = code.max(match only {
            Some(place) if !opts.absent || dir => {
                ctx.out(format!("Only in {place}: {name}\n"));
                1
            }
            _ if dir && opts.recursive && depth < 32 => directories(ctx, opts, &x, &y, depth + 1),
            _ if dir => {
                ctx.out(format!("Common subdirectories: {x} and {y}\n"));
                0
            }
            _ => files(ctx, opts, &x, &y, true),
        });
    }
    code
}

fn files(ctx: &mut Ctx<'_>, opts: &Options, a: &str, b: &str, told: bool) -> i32 {
    let mut texts = Vec::new();
    for f in [a, b] {
        let path = if f == "-" { "/dev/stdin" } else { f };
        match ctx.read_file(path) {
            Ok(t) => texts.push(String::from_utf8_lossy(&t).into_owned()),
            Err(Errno::NotFound) if opts.absent => texts.push(String::new()),
            Err(e) => return ctx.fail(2, format!("{f}: {e}")),
        }
    }
    let [x, y] = texts.as_slice() else { return 2 };
    if x == y {
        if opts.identical {
            ctx.out(format!("Files {a} and {b} are identical\n"));
        }
        return 0;
    }
    if opts.brief || x.len() + y.len() > LONGEST {
        ctx.out(format!("Files {a} and {b} differ\n"));
        return 1;
    }
    let mut out =
        if told && !ctx.is_busybox() { format!("{} {a} {b}\n", opts.command) } else { String::new() };
    match opts.unified {
        Some(around) => {
            for (mark, name, label) in [("---", a, opts.labels.first()), ("+++", b, opts.labels.get(1))] {
                match label {
                    Some(label) => out.push_str(&format!("{mark} {label}\n")),
                    None if ctx.is_busybox() => out.push_str(&format!("{mark} {name}\n")),
                    None => {
                        let stat = ctx.stat(name, true);
                        let at = stat.map(|s| s.mtime).unwrap_or_else(|e| match e {
                            Errno::NotFound if name != "-" => SimTime::from_nanos(0),
                            _ => ctx.now(),
                        });
                        out.push_str(&format!(
                            "{mark} {name}\t{}\n",
                            super::date::format(at, "%Y-%m-%d %H:%M:%S.%N +0000")
                        ));
                    }
                }
            }
            out.push_str(&unified_hunks(x, y, around));
        }
        None => out.push_str(&normal(x, y)),
    }
    ctx.out(out);
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hunks_are_gnu_s() {
        // What diff (GNU diffutils) 3.8 -u prints for these.
        let lines = |text: &str| text.chars().map(|c| format!("{c}\n")).collect::<String>();
        let hunk = |a: &str, b: &str| unified_hunks(&lines(a), &lines(b), 1);
        assert_eq!(hunk("abc", "abc"), "");
        assert_eq!(hunk("abc", "abxc"), "@@ -2,2 +2,3 @@\n b\n+x\n c\n");
        assert_eq!(hunk("", "ab"), "@@ -0,0 +1,2 @@\n+a\n+b\n");
        assert_eq!(hunk("a", ""), "@@ -1 +0,0 @@\n-a\n");
        // A run moves down as far as equal lines let it.
        assert_eq!(hunk("abab", "ababab"), "@@ -4 +4,3 @@\n b\n+a\n+b\n");
        assert_eq!(unified_hunks("a", "a\n", 3), "@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n");
    }
}
