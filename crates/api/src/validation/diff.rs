//! A unified diff, as Go's port of Python's difflib makes it: which lines are told to match is part of the
//! text that users see.
//!
//! Source: github.com/pmezard/go-difflib v1.0.0 difflib.go.

use std::collections::BTreeMap;
use std::fmt::Write as _;

const CONTEXT: usize = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Match {
    a: usize,
    b: usize,
    size: usize,
}

/// A run of lines that is equal in both, or is not.
#[derive(Clone, Copy, Debug)]
struct OpCode {
    equal: bool,
    a: (usize, usize),
    b: (usize, usize),
}

struct Matcher<'a> {
    a: Vec<&'a str>,
    b: Vec<&'a str>,
    /// line → where it is in `b`; without lines so frequent that they say nothing.
    places: BTreeMap<&'a str, Vec<usize>>,
}

/// The difference of two texts with three lines of context; empty if there is none.
pub(crate) fn unified_diff(a: &str, b: &str) -> String {
    let matcher = Matcher::new(a, b);
    let mut out = String::new();
    for group in groups(matcher.op_codes()) {
        let (Some(first), Some(last)) = (group.first(), group.last()) else { continue };
        let (range_a, range_b) = (range(first.a.0, last.a.1), range(first.b.0, last.b.1));
        let _ = writeln!(out, "@@ -{range_a} +{range_b} @@");
        let mut lines = |mark: char, from: &[&str], (start, end): (usize, usize)| {
            for line in from.get(start..end).unwrap_or_default() {
                let _ = writeln!(out, "{mark}{line}");
            }
        };
        for code in &group {
            if code.equal {
                lines(' ', &matcher.a, code.a);
            } else {
                lines('-', &matcher.a, code.a);
                lines('+', &matcher.b, code.b);
            }
        }
    }
    out
}

fn range(start: usize, end: usize) -> String {
    match end - start {
        1 => format!("{}", start + 1),
        0 => format!("{start},0"),
        length => format!("{},{length}", start + 1),
    }
}

impl<'a> Matcher<'a> {
    fn new(a: &'a str, b: &'a str) -> Matcher<'a> {
        let b: Vec<&str> = b.split('\n').collect();
        let mut places: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (i, line) in b.iter().enumerate() {
            places.entry(line).or_default().push(i);
        }
        if b.len() >= 200 {
            let most = b.len() / 100 + 1;
            places.retain(|_, found| found.len() <= most);
        }
        Matcher { a: a.split('\n').collect(), b, places }
    }

    fn same(&self, i: usize, j: usize) -> bool {
        matches!((self.a.get(i), self.b.get(j)), (Some(x), Some(y)) if x == y)
    }

    fn longest_match(&self, (a_low, a_high): (usize, usize), (b_low, b_high): (usize, usize)) -> Match {
        let mut best = Match { a: a_low, b: b_low, size: 0 };
        let mut lengths: BTreeMap<usize, usize> = BTreeMap::new();
        for i in a_low..a_high {
            let mut next = BTreeMap::new();
            let found = self.a.get(i).and_then(|line| self.places.get(line));
            for &j in found.into_iter().flatten() {
                if j < b_low {
                    continue;
                }
                if j >= b_high {
                    break;
                }
                let length = j.checked_sub(1).and_then(|p| lengths.get(&p)).copied().unwrap_or(0) + 1;
                next.insert(j, length);
                if length > best.size {
                    best = Match { a: i + 1 - length, b: j + 1 - length, size: length };
                }
            }
            lengths = next;
        }
        while best.a > a_low && best.b > b_low && self.same(best.a - 1, best.b - 1) {
            best = Match { a: best.a - 1, b: best.b - 1, size: best.size + 1 };
        }
        while best.a + best.size < a_high
            && best.b + best.size < b_high
            && self.same(best.a + best.size, best.b + best.size)
        {
            best.size += 1;
        }
        best
    }

    /// Runs that are equal, in order, neighbours joined; an empty one at the end.
    fn matching_blocks(&self) -> Vec<Match> {
        let mut found = Vec::new();
        // Own stack instead of recursion: the depth is that of the input.
        let mut todo = vec![((0, self.a.len()), (0, self.b.len()))];
        while let Some((a, b)) = todo.pop() {
            let best = self.longest_match(a, b);
            if best.size == 0 {
                continue;
            }
            found.push(best);
            if a.0 < best.a && b.0 < best.b {
                todo.push(((a.0, best.a), (b.0, best.b)));
            }
            let (a_end, b_end) = (best.a + best.size, best.b + best.size);
            if a_end < a.1 && b_end < b.1 {
                todo.push(((a_end, a.1), (b_end, b.1)));
            }
        }
        found.sort_by_key(|m| m.a);
        let mut joined: Vec<Match> = Vec::new();
        for block in found {
            match joined.last_mut() {
                Some(last) if last.a + last.size == block.a && last.b + last.size == block.b => {
                    last.size += block.size;
                }
                _ => joined.push(block),
            }
        }
        joined.push(Match { a: self.a.len(), b: self.b.len(), size: 0 });
        joined
    }

    fn op_codes(&self) -> Vec<OpCode> {
        let (mut i, mut j) = (0, 0);
        let mut codes = Vec::new();
        for block in self.matching_blocks() {
            if i < block.a || j < block.b {
                codes.push(OpCode { equal: false, a: (i, block.a), b: (j, block.b) });
            }
            (i, j) = (block.a + block.size, block.b + block.size);
            if block.size > 0 {
                codes.push(OpCode { equal: true, a: (block.a, i), b: (block.b, j) });
            }
        }
        codes
    }
}

/// Changes with their context, those apart that lie far from each other.
fn groups(mut codes: Vec<OpCode>) -> Vec<Vec<OpCode>> {
    if let Some(first) = codes.first_mut().filter(|c| c.equal) {
        first.a.0 = first.a.0.max(first.a.1.saturating_sub(CONTEXT));
        first.b.0 = first.b.0.max(first.b.1.saturating_sub(CONTEXT));
    }
    if let Some(last) = codes.last_mut().filter(|c| c.equal) {
        last.a.1 = last.a.1.min(last.a.0 + CONTEXT);
        last.b.1 = last.b.1.min(last.b.0 + CONTEXT);
    }
    let mut groups = Vec::new();
    let mut group = Vec::new();
    for mut code in codes {
        if code.equal && code.a.1 - code.a.0 > 2 * CONTEXT {
            group.push(OpCode {
                equal: true,
                a: (code.a.0, code.a.0 + CONTEXT),
                b: (code.b.0, code.b.0 + CONTEXT),
            });
            groups.push(std::mem::take(&mut group));
            code.a.0 = code.a.1 - CONTEXT;
            code.b.0 = code.b.1 - CONTEXT;
        }
        group.push(code);
    }
    if !matches!(group.as_slice(), [] | [OpCode { equal: true, .. }]) {
        groups.push(group);
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn far_changes_stand_apart() {
        let a: Vec<String> = (1..=20).map(|i| i.to_string()).collect();
        let mut b = a.clone();
        b[1] = "x".to_owned();
        b.remove(17);
        assert_eq!(
            unified_diff(&a.join("\n"), &b.join("\n")),
            "@@ -1,5 +1,5 @@\n 1\n-2\n+x\n 3\n 4\n 5\n@@ -15,6 +15,5 @@\n 15\n 16\n 17\n-18\n 19\n 20\n"
        );
    }

    #[test]
    fn equal_texts_have_no_difference() {
        assert_eq!(unified_diff("a\nb", "a\nb"), "");
    }
}
