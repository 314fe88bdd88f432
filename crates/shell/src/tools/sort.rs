//! `sort` and `uniq`.

use super::lines::{Filter, Go, Lines, MAX_KEPT, deferred};
use super::options;
use crate::context::Ctx;
use crate::fs::Errno;
use crate::process::{Family, Program};
use std::cmp::Ordering;

// sort

#[derive(Clone, Debug)]
struct Key {
    field: usize,
    char: usize,
    end_field: usize,
    numeric: bool,
    reverse: bool,
    fold: bool,
    blanks: bool,
    human: bool,
}

#[derive(Clone, Debug)]
struct Sort {
    lines: Vec<String>,
    bytes: usize,
    reverse: bool,
    numeric: bool,
    human: bool,
    version: bool,
    unique: bool,
    fold: bool,
    blanks: bool,
    check: bool,
    stable: bool,
    separator: Option<char>,
    keys: Vec<Key>,
    output: Option<String>,
}

pub(super) fn sort(args: &[String], _: Family) -> Box<dyn Program> {
    deferred(args, |ctx, args| {
        let long = [
            ("reverse", 'r'),
            ("numeric-sort", 'n'),
            ("unique", 'u'),
            ("key", 'k'),
            ("field-separator", 't'),
            ("ignore-case", 'f'),
            ("output", 'o'),
            ("human-numeric-sort", 'h'),
            ("version-sort", 'V'),
        ];
        let o = options(ctx, args, "rnufbk:t:o:hgVscCMdiz", &long)?;
        let mut keys = Vec::new();
        for k in o.values('k') {
            let (start, end) = k.split_once(',').map_or((k.as_str(), None), |(a, b)| (a, Some(b)));
            let digits = |s: &str| {
                s.chars().take_while(char::is_ascii_digit).collect::<String>().parse::<usize>().unwrap_or(0)
            };
            let letters: String = k.chars().filter(char::is_ascii_alphabetic).collect();
            let char = start.split_once('.').map_or(1, |(_, c)| digits(c).max(1));
            keys.push(Key {
                field: digits(start).max(1),
                char,
                end_field: end.map_or(usize::MAX, digits),
                numeric: letters.contains(['n', 'g']) || (letters.is_empty() && (o.has('n') || o.has('g'))),
                reverse: letters.contains('r') || (letters.is_empty() && o.has('r')),
                fold: letters.contains('f'),
                blanks: letters.contains('b') || o.has('b'),
                human: letters.contains('h') || (letters.is_empty() && o.has('h')),
            });
        }
        let s = Sort {
            lines: Vec::new(),
            bytes: 0,
            reverse: o.has('r'),
            numeric: o.has('n') || o.has('g'),
            human: o.has('h'),
            version: o.has('V'),
            unique: o.has('u'),
            fold: o.has('f'),
            blanks: o.has('b'),
            check: o.has('c') || o.has('C'),
            stable: o.has('s'),
            separator: o.value('t').and_then(|t| if t == "\\t" { Some('\t') } else { t.chars().next() }),
            keys,
            output: o.value('o').map(str::to_owned),
        };
        Ok(Lines::boxed(s, o.operands))
    })
}

/// The number at the front of a text.
fn leading_number(s: &str) -> f64 {
    let t = s.trim_start();
    let end = t
        .char_indices()
        .find(|(i, c)| !(c.is_ascii_digit() || *c == '.' || (*i == 0 && *c == '-')))
        .map_or(t.len(), |(i, _)| i);
    t.get(..end).and_then(|n| n.parse().ok()).unwrap_or(0.0)
}

fn human_number(s: &str) -> f64 {
    let t = s.trim();
    let factor = match t.chars().find(|c| c.is_ascii_alphabetic()) {
        Some('k' | 'K') => 1024.0,
        Some('M') => 1_048_576.0,
        Some('G') => 1_073_741_824.0,
        Some('T') => 1_099_511_627_776.0,
        _ => 1.0,
    };
    leading_number(t) * factor
}

fn version_cmp(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    loop {
        let digits = |s: &str| s.find(|c: char| !c.is_ascii_digit()).unwrap_or(s.len());
        let text = |s: &str| s.find(|c: char| c.is_ascii_digit()).unwrap_or(s.len());
        let (ta, ra) = a.split_at(text(a));
        let (tb, rb) = b.split_at(text(b));
        let (na, ra) = ra.split_at(digits(ra));
        let (nb, rb) = rb.split_at(digits(rb));
        let by_number = || {
            let (x, y) = (na.trim_start_matches('0'), nb.trim_start_matches('0'));
            x.len().cmp(&y.len()).then(x.cmp(y))
        };
        let order = ta.cmp(tb).then_with(by_number);
        if order != Ordering::Equal || (ra.is_empty() && rb.is_empty()) {
            return order;
        }
        (a, b) = (ra, rb);
    }
}

impl Sort {
    fn field(&self, line: &str, k: &Key) -> String {
        let text: String = match self.separator {
            Some(sep) => {
                let parts: Vec<&str> = line.split(sep).collect();
                let last = k.end_field.min(parts.len());
                parts.get(k.field - 1..last.max(k.field - 1)).unwrap_or_default().join(&sep.to_string())
            }
            None => {
                // Blanks before a field belong to it.
                let mut starts = vec![0];
                let mut blank = true;
                for (i, c) in line.char_indices() {
                    let b = c == ' ' || c == '\t';
                    if b && !blank {
                        starts.push(i);
                    }
                    blank = b;
                }
                let start = starts.get(k.field - 1).copied().unwrap_or(line.len());
                let end = if k.end_field == usize::MAX {
                    line.len()
                } else {
                    starts.get(k.end_field).copied().unwrap_or(line.len())
                };
                line.get(start..end.max(start)).unwrap_or_default().to_owned()
            }
        };
        let text = if k.blanks || k.numeric { text.trim_start().to_owned() } else { text };
        text.chars().skip(k.char - 1).collect()
    }

    fn compare_keys(&self, a: &str, b: &str) -> Ordering {
        for k in &self.keys {
            let (x, y) = (self.field(a, k), self.field(b, k));
            let order = if k.human {
                human_number(&x).total_cmp(&human_number(&y))
            } else if k.numeric {
                leading_number(&x).total_cmp(&leading_number(&y))
            } else if k.fold || self.fold {
                x.to_uppercase().cmp(&y.to_uppercase())
            } else if self.version {
                version_cmp(&x, &y)
            } else {
                x.cmp(&y)
            };
            let order = if k.reverse { order.reverse() } else { order };
            if order != Ordering::Equal {
                return order;
            }
        }
        Ordering::Equal
    }

    fn compare(&self, a: &str, b: &str) -> Ordering {
        if !self.keys.is_empty() {
            return self.compare_keys(a, b);
        }
        let (x, y) = if self.blanks { (a.trim_start(), b.trim_start()) } else { (a, b) };
        let order = if self.human {
            human_number(x).total_cmp(&human_number(y))
        } else if self.numeric {
            leading_number(x).total_cmp(&leading_number(y))
        } else if self.version {
            version_cmp(x, y)
        } else if self.fold {
            x.to_uppercase().cmp(&y.to_uppercase())
        } else {
            x.cmp(y)
        };
        if self.reverse { order.reverse() } else { order }
    }
}

impl Filter for Sort {
    fn line(&mut self, _: &mut Ctx<'_>, line: &[u8], _: bool) -> Go {
        self.bytes += line.len();
        if self.bytes < MAX_KEPT {
            self.lines.push(String::from_utf8_lossy(line).into_owned());
        }
        Go::On
    }

    fn end(&mut self, ctx: &mut Ctx<'_>, failed: bool) -> i32 {
        if failed {
            return 2;
        }
        let mut lines = std::mem::take(&mut self.lines);
        if self.check {
            return i32::from(lines.windows(2).any(|w| match w {
                [a, b] => self.compare(a, b) == Ordering::Greater,
                _ => false,
            }));
        }
        lines.sort_by(|a, b| {
            self.compare(a, b).then_with(|| {
                if self.stable || self.unique {
                    Ordering::Equal
                } else if self.reverse {
                    b.cmp(a)
                } else {
                    a.cmp(b)
                }
            })
        });
        if self.unique {
            lines.dedup_by(|a, b| self.compare(a, b) == Ordering::Equal);
        }
        let mut text = lines.join("\n");
        if !lines.is_empty() {
            text.push('\n');
        }
        match &self.output {
            Some(f) => {
                if let Err(e) = ctx.write_file(f, text.as_bytes(), false) {
                    return ctx.fail(2, format!("open failed: {f}: {e}"));
                }
            }
            None => ctx.out(text),
        }
        0
    }

    fn open_error(&self, ctx: &Ctx<'_>, name: &str, e: Errno) -> String {
        if ctx.is_busybox() { format!("{name}: {e}") } else { format!("cannot read: {name}: {e}") }
    }

    fn memory(&self) -> u64 {
        self.bytes as u64
    }
}

// uniq

#[derive(Clone, Debug)]
struct Uniq {
    count: bool,
    repeated: bool,
    unique: bool,
    fold: bool,
    skip_fields: usize,
    current: Option<(String, u64)>,
}

pub(super) fn uniq(args: &[String], _: Family) -> Box<dyn Program> {
    deferred(args, |ctx, args| {
        let o = options(
            ctx,
            args,
            "cduif:s:w:",
            &[("count", 'c'), ("repeated", 'd'), ("unique", 'u'), ("ignore-case", 'i')],
        )?;
        let u = Uniq {
            count: o.has('c'),
            repeated: o.has('d'),
            unique: o.has('u'),
            fold: o.has('i'),
            skip_fields: o.value('f').and_then(|f| f.parse().ok()).unwrap_or(0),
            current: None,
        };
        Ok(Lines::boxed(u, o.operands.into_iter().take(1).collect()))
    })
}

impl Uniq {
    fn key(&self, s: &str) -> String {
        let s = if self.skip_fields > 0 {
            s.split_whitespace().skip(self.skip_fields).collect::<Vec<_>>().join(" ")
        } else {
            s.to_owned()
        };
        if self.fold { s.to_lowercase() } else { s }
    }

    fn flush(&mut self, ctx: &mut Ctx<'_>) {
        let Some((text, n)) = self.current.take() else { return };
        if (self.repeated && n < 2) || (self.unique && n > 1) {
            return;
        }
        let line = if self.count { format!("{n:>7} {text}\n") } else { format!("{text}\n") };
        ctx.out(line);
    }
}

impl Filter for Uniq {
    fn line(&mut self, ctx: &mut Ctx<'_>, line: &[u8], _: bool) -> Go {
        let text = String::from_utf8_lossy(line).into_owned();
        let same = self.current.as_ref().is_some_and(|(c, _)| self.key(c) == self.key(&text));
        if same {
            if let Some((_, n)) = &mut self.current {
                *n += 1;
            }
        } else {
            self.flush(ctx);
            self.current = Some((text, 1));
        }
        Go::On
    }

    fn end(&mut self, ctx: &mut Ctx<'_>, failed: bool) -> i32 {
        self.flush(ctx);
        i32::from(failed)
    }
}
