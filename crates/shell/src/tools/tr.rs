//! `tee` and `tr`: tools that hand bytes on as they come.

use super::lines::deferred;
use super::options;
use crate::context::{Ctx, Read};
use crate::process::{Family, Program, Step, Wait};

// tee

#[derive(Clone, Debug)]
struct Tee {
    files: Vec<u32>,
    code: i32,
}

pub(super) fn tee(args: &[String], _: Family) -> Box<dyn Program> {
    deferred(args, |ctx, args| {
        let o = options(ctx, args, "ai", &[("append", 'a')])?;
        let mut t = Tee { files: Vec::new(), code: 0 };
        for f in &o.operands {
            match ctx.open_write(f, o.has('a')) {
                Ok(fd) => t.files.push(fd),
                Err(e) => t.code = ctx.fail(1, format!("{f}: {e}")),
            }
        }
        Ok(Box::new(t))
    })
}

impl Program for Tee {
    fn step(&mut self, ctx: &mut Ctx<'_>) -> Step {
        match ctx.read(0, 1 << 16) {
            Read::Blocked => Step::Block(Wait::readable(0)),
            Read::Data(d) => {
                ctx.out(&d);
                for fd in self.files.clone() {
                    if let Err(e) = ctx.write(fd, &d) {
                        self.code = ctx.fail(1, format!("write error: {e}"));
                    }
                }
                Step::Ran
            }
            _ => Step::Exit(super::finish(ctx, self.code)),
        }
    }
    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}

// tr

#[derive(Clone, Debug)]
struct Tr {
    from: Vec<u8>,
    to: Vec<u8>,
    delete: bool,
    squeeze: Option<Vec<u8>>,
    complement: bool,
    last: Option<u8>,
}

fn tr_set(text: &str) -> Vec<u8> {
    type Class = (&'static str, fn(&u8) -> bool);
    let classes: [Class; 9] = [
        ("[:alpha:]", u8::is_ascii_alphabetic),
        ("[:digit:]", u8::is_ascii_digit),
        ("[:alnum:]", u8::is_ascii_alphanumeric),
        ("[:upper:]", u8::is_ascii_uppercase),
        ("[:lower:]", u8::is_ascii_lowercase),
        ("[:space:]", |b| b.is_ascii_whitespace() || *b == 11),
        ("[:blank:]", |b| *b == b' ' || *b == b'\t'),
        ("[:punct:]", u8::is_ascii_punctuation),
        ("[:print:]", |b| (32..127).contains(b)),
    ];
    let mut out = Vec::new();
    let mut rest = text;
    'next: while !rest.is_empty() {
        for (name, test) in classes {
            if let Some(r) = rest.strip_prefix(name) {
                out.extend((0..=255_u8).filter(test));
                rest = r;
                continue 'next;
            }
        }
        let one = |s: &str| -> (u8, usize) {
            let bytes = s.as_bytes();
            if bytes.first() == Some(&b'\\') && bytes.len() > 1 {
                let octal = bytes
                    .get(1..)
                    .unwrap_or_default()
                    .iter()
                    .take(3)
                    .take_while(|b| (b'0'..=b'7').contains(b))
                    .count();
                let len = if octal > 0 { 1 + octal } else { 2 };
                let (b, _) = super::escapes(s.get(..len).unwrap_or(s), true);
                let b = if b.len() == 2 { b.get(1).copied() } else { b.first().copied() };
                return (b.unwrap_or(b'\\'), len);
            }
            (bytes.first().copied().unwrap_or(0), 1)
        };
        let (a, n) = one(rest);
        let after = rest.get(n..).unwrap_or_default();
        if let Some(tail) = after.strip_prefix('-').filter(|t| !t.is_empty()) {
            let (b, m) = one(tail);
            out.extend(a..=b);
            rest = tail.get(m..).unwrap_or_default();
            continue;
        }
        out.push(a);
        // A character of several bytes is taken byte by byte.
        match rest.get(n..) {
            Some(r) => rest = r,
            None => {
                let c = rest.chars().next().map_or(1, char::len_utf8);
                out.extend(rest.bytes().skip(1).take(c - 1));
                rest = rest.get(c..).unwrap_or_default();
            }
        }
    }
    out
}

pub(super) fn tr(args: &[String], _: Family) -> Box<dyn Program> {
    deferred(args, |ctx, args| {
        let o =
            options(ctx, args, "dscCt", &[("delete", 'd'), ("squeeze-repeats", 's'), ("complement", 'c')])?;
        let Some(first) = o.operands.first() else { return Err(super::missing_operand(ctx)) };
        let second = o.operands.get(1).map(|s| tr_set(s));
        if second.is_none() && !o.has('d') && !o.has('s') {
            let text = if ctx.is_busybox() {
                super::busybox_usage("tr")
            } else {
                format!(
                    "tr: missing operand after ‘{first}’\nTwo strings must be given when translating.\nTry 'tr --help' for more information.\n"
                )
            };
            ctx.err(text);
            return Err(1);
        }
        let complement = o.has('c') || o.has('C');
        let mut from = tr_set(first);
        if complement {
            from = (0..=255_u8).filter(|b| !from.contains(b)).collect();
        }
        let squeeze = o.has('s').then(|| second.clone().unwrap_or_else(|| from.clone()));
        Ok(Box::new(Tr {
            to: if o.has('d') { Vec::new() } else { second.unwrap_or_default() },
            from,
            delete: o.has('d'),
            squeeze,
            complement,
            last: None,
        }))
    })
}

impl Program for Tr {
    fn step(&mut self, ctx: &mut Ctx<'_>) -> Step {
        match ctx.read(0, 1 << 14) {
            Read::Blocked => Step::Block(Wait::readable(0)),
            Read::Data(d) => {
                let mut out = Vec::with_capacity(d.len());
                for b in d {
                    let mut b = b;
                    if let Some(i) = self.from.iter().position(|f| *f == b) {
                        if self.delete {
                            continue;
                        }
                        let mapped =
                            if self.complement { self.to.last() } else { self.to.get(i).or(self.to.last()) };
                        b = mapped.copied().unwrap_or(b);
                    }
                    if let Some(s) = &self.squeeze
                        && self.last == Some(b)
                        && s.contains(&b)
                    {
                        continue;
                    }
                    self.last = Some(b);
                    out.push(b);
                }
                ctx.out(out);
                Step::Ran
            }
            _ => Step::Exit(super::finish(ctx, 0)),
        }
    }
    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}
