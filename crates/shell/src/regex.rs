//! POSIX regular expressions, basic and extended, for `grep`, `sed`, `awk`, `expr` and `[[ =~ ]]`.
//!
//! A backtracking matcher that visits each (instruction, position) once, so that time is bounded by their product;
//! only patterns with back-references are tried without that memory, under a cap of steps.

use crate::pattern::class;
use std::collections::BTreeSet;

/// Longest program a pattern may compile to.
const MAX_PROGRAM: usize = 20_000;
/// Most steps in one text.
const MAX_STEPS: usize = 10_000_000;
/// Deepest nesting of groups.
const MAX_DEPTH: u32 = 100;

#[derive(Clone, Debug, PartialEq)]
enum Inst {
    Char(char),
    Any,
    Set {
        negate: bool,
        items: Vec<Item>,
    },
    /// Tries the first, then the second.
    Split(usize, usize),
    Jump(usize),
    Save(usize),
    Start,
    End,
    WordBoundary(bool),
    WordStart,
    WordEnd,
    BackRef(usize),
    Match,
}

#[derive(Clone, Debug, PartialEq)]
enum Item {
    Range(char, char),
    Class(String),
}

/// A compiled expression.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Regex {
    program: Vec<Inst>,
    groups: usize,
    ignore_case: bool,
    longest: bool,
    back_references: bool,
}

/// Where it matched, in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub start: usize,
    pub end: usize,
    /// The whole match and the groups.
    pub groups: Vec<Option<(usize, usize)>>,
}

#[derive(Clone, Debug)]
enum Node {
    Empty,
    One(Inst),
    Group(Box<Node>, usize),
    Sequence(Vec<Node>),
    Either(Vec<Node>),
    Repeat(Box<Node>, u32, Option<u32>),
}

struct Parser {
    chars: Vec<char>,
    pos: usize,
    extended: bool,
    groups: usize,
    depth: u32,
    alternation: bool,
    back_references: bool,
}

/// A text in which matches are looked for.
pub struct Search<'r> {
    regex: &'r Regex,
    /// Byte offset of each character, and of the end.
    offsets: Vec<usize>,
    chars: Vec<char>,
    visited: Visited,
    /// Of all searches in this text together.
    steps: usize,
}

impl Search<'_> {
    /// The leftmost match at or after byte `from`; none after too many steps.
    pub fn find(&mut self, from: usize) -> Option<Found> {
        self.visited.clear();
        let first = self.offsets.partition_point(|o| *o < from);
        for start in first..=self.chars.len() {
            if let Some(saves) = self.regex.run(&self.chars, start, &mut self.visited, &mut self.steps) {
                let at =
                    |i: usize| saves.get(i).copied().flatten().and_then(|p| self.offsets.get(p).copied());
                let groups = (0..=self.regex.groups).map(|g| Some((at(2 * g)?, at(2 * g + 1)?))).collect();
                return Some(Found { start: at(0)?, end: at(1)?, groups });
            }
            if self.steps > MAX_STEPS {
                return None;
            }
        }
        None
    }
}

/// Places of program and text that were tried: from there nothing matches.
struct Visited {
    words: Vec<u64>,
    /// Words to clear.
    touched: Vec<usize>,
}

impl Visited {
    fn clear(&mut self) {
        for index in self.touched.drain(..) {
            if let Some(word) = self.words.get_mut(index) {
                *word = 0;
            }
        }
    }

    /// Whether the place was tried before; from now on it was.
    fn was_there(&mut self, bit: usize) -> bool {
        let Some(word) = self.words.get_mut(bit / 64) else { return false };
        if *word == 0 {
            self.touched.push(bit / 64);
        }
        let seen = *word & (1 << (bit % 64)) != 0;
        *word |= 1 << (bit % 64);
        seen
    }
}

/// Whether an extended regular expression matches the whole of a text; `false` where it cannot be read.
pub fn matches_whole(pattern: &str, text: &str) -> bool {
    Regex::new(&format!("^({pattern})$"), true, false).is_ok_and(|regex| regex.find(text, 0).is_some())
}

impl Regex {
    /// Compiles a pattern; the error is the C library's text.
    pub fn new(pattern: &str, extended: bool, ignore_case: bool) -> Result<Regex, String> {
        let mut p = Parser {
            chars: pattern.chars().collect(),
            pos: 0,
            extended,
            groups: 0,
            depth: 0,
            alternation: false,
            back_references: false,
        };
        let node = p.alternatives()?;
        if p.pos < p.chars.len() {
            return Err(if extended { "Unmatched ) or \\)" } else { "Unmatched ( or \\(" }.to_owned());
        }
        let mut program = vec![Inst::Save(0)];
        emit(&node, &mut program)?;
        program.push(Inst::Save(1));
        program.push(Inst::Match);
        Ok(Regex {
            program,
            groups: p.groups,
            ignore_case,
            longest: p.alternation,
            back_references: p.back_references,
        })
    }

    /// The leftmost match at or after byte `from`. For one match after the other: [`Regex::search`].
    pub fn find(&self, text: &str, from: usize) -> Option<Found> {
        self.search(text).find(from)
    }

    /// Looks for matches in one text, which is taken apart only once.
    pub fn search(&self, text: &str) -> Search<'_> {
        let mut offsets: Vec<usize> = Vec::with_capacity(text.len() + 1);
        let mut chars: Vec<char> = Vec::with_capacity(text.len());
        for (i, c) in text.char_indices() {
            offsets.push(i);
            chars.push(c);
        }
        offsets.push(text.len());
        let bits = self.program.len().saturating_mul(chars.len() + 1);
        let visited = Visited { words: vec![0; bits.div_ceil(64).min(1 << 22)], touched: Vec::new() };
        Search { regex: self, offsets, chars, visited, steps: 0 }
    }

    fn run(
        &self,
        text: &[char],
        start: usize,
        visited: &mut Visited,
        steps: &mut usize,
    ) -> Option<Vec<Option<usize>>> {
        let mut best: Option<(usize, Vec<Option<usize>>)> = None;
        let saves = vec![None; 2 * (self.groups + 1)];
        let mut stack: Vec<(usize, usize, Vec<Option<usize>>)> = vec![(0, start, saves)];
        'threads: while let Some((mut pc, mut pos, mut saves)) = stack.pop() {
            loop {
                *steps += 1;
                if *steps > MAX_STEPS {
                    break 'threads;
                }
                if !self.back_references && visited.was_there(pc * (text.len() + 1) + pos) {
                    continue 'threads;
                }
                let here = text.get(pos).copied();
                let before = pos.checked_sub(1).and_then(|p| text.get(p)).copied();
                let word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
                let ok = match self.program.get(pc) {
                    None => continue 'threads,
                    Some(Inst::Match) => {
                        if best.as_ref().is_none_or(|(end, _)| pos > *end) {
                            best = Some((pos, saves));
                        }
                        if self.longest {
                            continue 'threads;
                        }
                        break 'threads;
                    }
                    Some(Inst::Jump(to)) => {
                        pc = *to;
                        continue;
                    }
                    Some(Inst::Split(a, b)) => {
                        if stack.len() < 100_000 {
                            stack.push((*b, pos, saves.clone()));
                        }
                        pc = *a;
                        continue;
                    }
                    Some(Inst::Save(i)) => {
                        if let Some(slot) = saves.get_mut(*i) {
                            *slot = Some(pos);
                        }
                        pc += 1;
                        continue;
                    }
                    Some(Inst::Start) => pos == 0,
                    Some(Inst::End) => pos == text.len(),
                    Some(Inst::WordBoundary(yes)) => (word(before) != word(here)) == *yes,
                    Some(Inst::WordStart) => !word(before) && word(here),
                    Some(Inst::WordEnd) => word(before) && !word(here),
                    Some(Inst::BackRef(n)) => {
                        let range = match (saves.get(2 * n), saves.get(2 * n + 1)) {
                            (Some(Some(a)), Some(Some(b))) => text.get(*a..*b).unwrap_or_default(),
                            _ => continue 'threads,
                        };
                        let fits = text
                            .get(pos..pos + range.len())
                            .is_some_and(|t| t.iter().zip(range).all(|(x, y)| self.same(*x, *y)));
                        if !fits {
                            continue 'threads;
                        }
                        pos += range.len();
                        pc += 1;
                        continue;
                    }
                    Some(one) => {
                        let Some(c) = here else { continue 'threads };
                        let hit = match one {
                            Inst::Char(want) => self.same(*want, c),
                            Inst::Any => true,
                            Inst::Set { negate, items } => self.in_set(items, c) != *negate,
                            _ => false,
                        };
                        if !hit {
                            continue 'threads;
                        }
                        pos += 1;
                        pc += 1;
                        continue;
                    }
                };
                if !ok {
                    continue 'threads;
                }
                pc += 1;
            }
        }
        best.map(|(_, saves)| saves)
    }

    fn same(&self, a: char, b: char) -> bool {
        a == b || (self.ignore_case && a.to_lowercase().eq(b.to_lowercase()))
    }

    fn in_set(&self, items: &[Item], c: char) -> bool {
        let one = |c: char| {
            items.iter().any(|i| match i {
                Item::Range(a, b) => *a <= c && c <= *b,
                Item::Class(name) => class(name, c),
            })
        };
        if one(c) {
            return true;
        }
        if self.ignore_case {
            let forms: BTreeSet<char> = c.to_lowercase().chain(c.to_uppercase()).collect();
            return forms.into_iter().any(one);
        }
        false
    }
}

impl Parser {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.pos).copied()
    }

    fn escaped(&self, c: char) -> bool {
        self.peek() == Some('\\') && self.chars.get(self.pos + 1) == Some(&c)
    }

    fn at_bar(&self) -> bool {
        if self.extended { self.peek() == Some('|') } else { self.escaped('|') }
    }

    fn at_close(&self) -> bool {
        if self.extended { self.peek() == Some(')') && self.depth > 0 } else { self.escaped(')') }
    }

    fn alternatives(&mut self) -> Result<Node, String> {
        let mut all = vec![self.sequence()?];
        while self.at_bar() {
            self.alternation = true;
            self.pos += if self.extended { 1 } else { 2 };
            all.push(self.sequence()?);
        }
        Ok(if all.len() == 1 { all.pop().unwrap_or(Node::Empty) } else { Node::Either(all) })
    }

    fn sequence(&mut self) -> Result<Node, String> {
        let mut all: Vec<Node> = Vec::new();
        while self.peek().is_some() && !self.at_bar() && !self.at_close() {
            let first = all.is_empty();
            let atom = self.atom(first)?;
            all.push(self.repeats(atom)?);
        }
        Ok(Node::Sequence(all))
    }

    fn repeats(&mut self, mut atom: Node) -> Result<Node, String> {
        loop {
            let (low, high) = match self.peek() {
                Some('*') => (0, None),
                Some('+') if self.extended => (1, None),
                Some('?') if self.extended => (0, Some(1)),
                Some('{')
                    if self.extended && self.chars.get(self.pos + 1).is_some_and(char::is_ascii_digit) =>
                {
                    self.pos += 1;
                    let bounds = self.bounds()?;
                    atom = Node::Repeat(Box::new(atom), bounds.0, bounds.1);
                    continue;
                }
                Some('\\') if !self.extended => match self.chars.get(self.pos + 1) {
                    Some('+') => {
                        self.pos += 1;
                        (1, None)
                    }
                    Some('?') => {
                        self.pos += 1;
                        (0, Some(1))
                    }
                    Some('{') => {
                        self.pos += 2;
                        let bounds = self.bounds()?;
                        atom = Node::Repeat(Box::new(atom), bounds.0, bounds.1);
                        continue;
                    }
                    _ => return Ok(atom),
                },
                _ => return Ok(atom),
            };
            self.pos += 1;
            atom = Node::Repeat(Box::new(atom), low, high);
        }
    }

    fn bounds(&mut self) -> Result<(u32, Option<u32>), String> {
        let number = |p: &mut Self| {
            let mut n: Option<u32> = None;
            while let Some(d) = p.peek().and_then(|c| c.to_digit(10)) {
                n = Some(n.unwrap_or(0).saturating_mul(10).saturating_add(d).min(100_000));
                p.pos += 1;
            }
            n
        };
        let low = number(self);
        let mut high = low;
        if self.peek() == Some(',') {
            self.pos += 1;
            high = number(self);
        }
        if !self.extended && self.peek() == Some('\\') {
            self.pos += 1;
        }
        if self.peek() != Some('}') {
            return Err("Unmatched { or \\{".to_owned());
        }
        self.pos += 1;
        let low = low.unwrap_or(0);
        if low > 32767 || high.is_some_and(|h| h > 32767 || h < low) {
            return Err("Invalid content of \\{\\}".to_owned());
        }
        Ok((low, high))
    }

    fn atom(&mut self, first: bool) -> Result<Node, String> {
        let Some(c) = self.peek() else { return Ok(Node::Empty) };
        self.pos += 1;
        Ok(match c {
            '.' => Node::One(Inst::Any),
            '[' => Node::One(self.set()?),
            '^' if self.extended || first => Node::One(Inst::Start),
            '$' if self.extended || self.peek().is_none() || self.at_bar() || self.at_close() => {
                Node::One(Inst::End)
            }
            '*' if !self.extended && first => Node::One(Inst::Char('*')),
            '*' | '+' | '?' if self.extended && first => {
                if c == '*' {
                    return Ok(Node::Empty);
                }
                return Err("Invalid preceding regular expression".to_owned());
            }
            '(' if self.extended => self.group()?,
            '\\' => {
                let Some(e) = self.peek() else { return Err("Trailing backslash".to_owned()) };
                self.pos += 1;
                match e {
                    '(' if !self.extended => self.group()?,
                    'w' | 'W' => Node::One(Inst::Set {
                        negate: e == 'W',
                        items: vec![Item::Class("alnum".to_owned()), Item::Range('_', '_')],
                    }),
                    's' | 'S' => Node::One(Inst::Set {
                        negate: e == 'S',
                        items: vec![Item::Class("space".to_owned())],
                    }),
                    'b' => Node::One(Inst::WordBoundary(true)),
                    'B' => Node::One(Inst::WordBoundary(false)),
                    '<' => Node::One(Inst::WordStart),
                    '>' => Node::One(Inst::WordEnd),
                    'n' => Node::One(Inst::Char('\n')),
                    't' => Node::One(Inst::Char('\t')),
                    '`' => Node::One(Inst::Start),
                    '\'' => Node::One(Inst::End),
                    d if d.is_ascii_digit() && d != '0' => {
                        let n = d.to_digit(10).unwrap_or(0) as usize;
                        if n > self.groups {
                            return Err("Invalid back reference".to_owned());
                        }
                        self.back_references = true;
                        Node::One(Inst::BackRef(n))
                    }
                    other => Node::One(Inst::Char(other)),
                }
            }
            other => Node::One(Inst::Char(other)),
        })
    }

    fn group(&mut self) -> Result<Node, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("Regular expression too big".to_owned());
        }
        self.groups += 1;
        let index = self.groups;
        let inner = self.alternatives()?;
        if !self.at_close() {
            return Err("Unmatched ( or \\(".to_owned());
        }
        self.pos += if self.extended { 1 } else { 2 };
        self.depth -= 1;
        Ok(Node::Group(Box::new(inner), index))
    }

    fn set(&mut self) -> Result<Inst, String> {
        let unmatched = || "Unmatched [, [^, [:, [., or [=".to_owned();
        let negate = self.peek() == Some('^');
        if negate {
            self.pos += 1;
        }
        let start = self.pos;
        let mut items = Vec::new();
        loop {
            let c = self.peek().ok_or_else(unmatched)?;
            self.pos += 1;
            if c == ']' && self.pos > start + 1 {
                return Ok(Inst::Set { negate, items });
            }
            if c == '[' && self.peek() == Some(':') {
                let rest = self.chars.get(self.pos + 1..).unwrap_or_default();
                let end = rest.windows(2).position(|w| w == [':', ']']).ok_or_else(unmatched)?;
                items.push(Item::Class(rest.get(..end).unwrap_or_default().iter().collect()));
                self.pos += end + 3;
                continue;
            }
            let high = match (self.peek(), self.chars.get(self.pos + 1)) {
                (Some('-'), Some(h)) if *h != ']' => {
                    self.pos += 2;
                    *h
                }
                _ => c,
            };
            if high < c {
                return Err("Invalid range end".to_owned());
            }
            items.push(Item::Range(c, high));
        }
    }
}

fn emit(node: &Node, out: &mut Vec<Inst>) -> Result<(), String> {
    if out.len() > MAX_PROGRAM {
        return Err("Regular expression too big".to_owned());
    }
    match node {
        Node::Empty => {}
        Node::One(i) => out.push(i.clone()),
        Node::Group(inner, n) => {
            out.push(Inst::Save(2 * n));
            emit(inner, out)?;
            out.push(Inst::Save(2 * n + 1));
        }
        Node::Sequence(all) => {
            for n in all {
                emit(n, out)?;
            }
        }
        Node::Either(all) => {
            let mut ends = Vec::new();
            for (i, n) in all.iter().enumerate() {
                if i + 1 == all.len() {
                    emit(n, out)?;
                    break;
                }
                let split = out.len();
                out.push(Inst::Split(split + 1, 0));
                emit(n, out)?;
                ends.push(out.len());
                out.push(Inst::Jump(0));
                let next = out.len();
                if let Some(Inst::Split(_, b)) = out.get_mut(split) {
                    *b = next;
                }
            }
            let end = out.len();
            for at in ends {
                if let Some(Inst::Jump(to)) = out.get_mut(at) {
                    *to = end;
                }
            }
        }
        Node::Repeat(inner, low, high) => {
            for _ in 0..*low {
                emit(inner, out)?;
            }
            match high {
                None => {
                    let split = out.len();
                    out.push(Inst::Split(split + 1, 0));
                    emit(inner, out)?;
                    out.push(Inst::Jump(split));
                    let end = out.len();
                    if let Some(Inst::Split(_, b)) = out.get_mut(split) {
                        *b = end;
                    }
                }
                Some(high) => {
                    let mut splits = Vec::new();
                    for _ in *low..*high {
                        splits.push(out.len());
                        out.push(Inst::Split(out.len() + 1, 0));
                        emit(inner, out)?;
                    }
                    let end = out.len();
                    for at in splits {
                        if let Some(Inst::Split(_, b)) = out.get_mut(at) {
                            *b = end;
                        }
                    }
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_match_as_posix_says() {
        for (pattern, extended, text, want) in [
            ("a*b", false, "xaab", Some((1, 4))),
            ("a+", false, "a+", Some((0, 2))),
            ("a+", true, "xaaa", Some((1, 4))),
            ("(ab|abc)d?", true, "abcd", Some((0, 4))),
            ("^a.c$", false, "abc", Some((0, 3))),
            ("[[:digit:]]\\{2\\}", false, "a123", Some((1, 3))),
            ("\\(a\\)\\1", false, "baa", Some((1, 3))),
            ("(a*)*b", true, "aaaaaaaaaaaaaaaaaaaaaaaaaaaac", None),
            ("x|", true, "abc", Some((0, 0))),
            ("[^]a]", false, "a]b", Some((2, 3))),
        ] {
            let r = Regex::new(pattern, extended, false);
            let found = r.ok().and_then(|r| r.find(text, 0)).map(|f| (f.start, f.end));
            assert_eq!(found, want, "{pattern} on {text}");
        }
    }
}
