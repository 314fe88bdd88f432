//! `md5sum`, `sha256sum`, `base64`, `od`, `hexdump`, `xxd`, `dd`, `expr`, `mktemp`, `truncate`, `fallocate`, `less`, `more`.

use super::lines::{Filter, Go, Lines, deferred};
use super::{finish, missing_operand, options, size};
use crate::context::{Ctx, Read};
use crate::fs::Errno;
use crate::process::{Family, Program, Step, Wait};
use crate::regex::Regex;

/// Most bytes kept of one file.
const MAX_KEPT: usize = 8 << 20;

/// Gathers a file and then works on all of it.
#[derive(Clone, Debug)]
struct Whole {
    bytes: Vec<u8>,
    name: String,
    act: Act,
}

#[derive(Clone, Debug)]
enum Act {
    Md5,
    Sha256,
    Encode(usize),
    Decode,
    Hex { canonical: bool },
    Od(String),
}

impl Filter for Whole {
    fn open(&mut self, _: &mut Ctx<'_>, name: &str) -> Go {
        self.bytes.clear();
        self.name = name.to_owned();
        Go::On
    }

    fn line(&mut self, _: &mut Ctx<'_>, line: &[u8], newline: bool) -> Go {
        if self.bytes.len() < MAX_KEPT {
            self.bytes.extend_from_slice(line);
            if newline {
                self.bytes.push(b'\n');
            }
        }
        Go::On
    }

    fn close(&mut self, ctx: &mut Ctx<'_>) -> Go {
        let bytes = std::mem::take(&mut self.bytes);
        match &self.act {
            Act::Md5 => ctx.out(format!("{}  {}\n", hex(&md5(&bytes)), self.name)),
            Act::Sha256 => ctx.out(format!("{}  {}\n", hex(&sha256(&bytes)), self.name)),
            Act::Encode(width) => {
                let text = base64_encode(&bytes);
                let mut out = String::new();
                if *width == 0 {
                    out.push_str(&text);
                } else {
                    let chars: Vec<char> = text.chars().collect();
                    for l in chars.chunks(*width) {
                        out.extend(l);
                        out.push('\n');
                    }
                }
                ctx.out(out);
            }
            Act::Decode => match base64_decode(&bytes) {
                Ok(b) => ctx.out(b),
                Err(b) => {
                    ctx.out(b);
                    let text = if ctx.is_busybox() { "truncated input" } else { "invalid input" };
                    return Go::Exit(ctx.fail(1, text));
                }
            },
            Act::Hex { canonical } => ctx.out(hexdump(&bytes, *canonical)),
            Act::Od(kind) => ctx.out(od_text(&bytes, kind)),
        }
        Go::On
    }

    fn memory(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn open_error(&self, ctx: &Ctx<'_>, name: &str, e: Errno) -> String {
        if ctx.is_busybox() && matches!(self.act, Act::Md5 | Act::Sha256) {
            return format!("can't open '{name}': {e}");
        }
        format!("{name}: {e}")
    }
}

fn whole(act: Act, files: Vec<String>) -> Box<dyn Program> {
    Lines::boxed(Whole { bytes: Vec::new(), name: String::new(), act }, files)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

pub(super) fn md5sum(args: &[String], _: Family) -> Box<dyn Program> {
    whole(Act::Md5, args.iter().skip(1).filter(|a| !a.starts_with('-') || *a == "-").cloned().collect())
}

pub(super) fn sha256sum(args: &[String], _: Family) -> Box<dyn Program> {
    whole(Act::Sha256, args.iter().skip(1).filter(|a| !a.starts_with('-') || *a == "-").cloned().collect())
}

pub(super) fn base64(args: &[String], _: Family) -> Box<dyn Program> {
    deferred(args, |ctx, args| {
        let o = options(ctx, args, "dDiw:", &[("decode", 'd'), ("wrap", 'w'), ("ignore-garbage", 'i')])?;
        let width = o.value('w').and_then(|w| w.parse().ok()).unwrap_or(76);
        let act = if o.has('d') || o.has('D') { Act::Decode } else { Act::Encode(width) };
        Ok(whole(act, o.operands))
    })
}

pub(super) fn hexdump_tool(args: &[String], _: Family) -> Box<dyn Program> {
    deferred(args, |ctx, args| {
        let canonical_name = ctx.name() == "hd";
        let o = options(ctx, args, "Cn:bcdoxv", &[])?;
        Ok(whole(Act::Hex { canonical: canonical_name || o.has('C') }, o.operands))
    })
}

pub(super) fn od(args: &[String], _: Family) -> Box<dyn Program> {
    deferred(args, |ctx, args| {
        let o = options(ctx, args, "A:t:cbxdvN:j:w:a", &[])?;
        let kind = if o.has('c') {
            "c".to_owned()
        } else {
            let t = o.value('t').unwrap_or(if o.has('x') { "x2" } else { "o2" });
            format!("{t}{}", if o.value('A') == Some("n") { "n" } else { "" })
        };
        Ok(whole(Act::Od(kind), o.operands))
    })
}

fn od_text(bytes: &[u8], kind: &str) -> String {
    let addresses = !kind.ends_with('n');
    let mut out = String::new();
    for (i, row) in bytes.chunks(16).enumerate() {
        if addresses {
            out.push_str(&format!("{:07o}", i * 16));
        }
        if kind.starts_with('c') {
            for b in row {
                let cell = match b {
                    0 => "\\0".to_owned(),
                    b'\n' => "\\n".to_owned(),
                    b'\t' => "\\t".to_owned(),
                    b'\r' => "\\r".to_owned(),
                    32..=126 => char::from(*b).to_string(),
                    b => format!("{b:03o}"),
                };
                out.push_str(&format!(" {cell:>3}"));
            }
        } else if kind.starts_with("x1") || kind.starts_with("u1") {
            for b in row {
                if kind.starts_with('x') {
                    out.push_str(&format!(" {b:02x}"))
                } else {
                    out.push_str(&format!(" {b:>3}"))
                }
            }
        } else {
            for pair in row.chunks(2) {
                let n = u32::from(pair.first().copied().unwrap_or(0))
                    | u32::from(pair.get(1).copied().unwrap_or(0)) << 8;
                if kind.starts_with('x') {
                    out.push_str(&format!(" {n:04x}"))
                } else {
                    out.push_str(&format!(" {n:06o}"))
                }
            }
        }
        out.push('\n');
    }
    if addresses {
        out.push_str(&format!("{:07o}\n", bytes.len()));
    }
    out
}

fn hexdump(bytes: &[u8], canonical: bool) -> String {
    let mut out = String::new();
    for (i, row) in bytes.chunks(16).enumerate() {
        if canonical {
            let mut cells = String::new();
            for j in 0..16 {
                if j == 8 {
                    cells.push(' ');
                }
                match row.get(j) {
                    Some(b) => cells.push_str(&format!(" {b:02x}")),
                    None => cells.push_str("   "),
                }
            }
            let text: String =
                row.iter().map(|b| if (32..127).contains(b) { char::from(*b) } else { '.' }).collect();
            out.push_str(&format!("{:08x} {cells}  |{text}|\n", i * 16));
        } else {
            out.push_str(&format!("{:07x}", i * 16));
            for pair in row.chunks(2) {
                let n = u32::from(pair.first().copied().unwrap_or(0))
                    | u32::from(pair.get(1).copied().unwrap_or(0)) << 8;
                out.push_str(&format!(" {n:04x}"));
            }
            out.push('\n');
        }
    }
    if !bytes.is_empty() {
        out.push_str(&if canonical {
            format!("{:08x}\n", bytes.len())
        } else {
            format!("{:07x}\n", bytes.len())
        });
    }
    out
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn base64_encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let at = |i: usize| u32::from(chunk.get(i).copied().unwrap_or(0));
        let n = at(0) << 16 | at(1) << 8 | at(2);
        for i in 0..4 {
            if i <= chunk.len() {
                let index = (n >> (18 - 6 * i)) & 63;
                out.push(ALPHABET.get(index as usize).map_or('=', |b| char::from(*b)));
            } else {
                out.push('=');
            }
        }
    }
    out
}

fn base64_decode(text: &[u8]) -> Result<Vec<u8>, Vec<u8>> {
    let mut out = Vec::new();
    let (mut bits, mut count) = (0_u32, 0);
    let mut symbols = 0;
    for b in text.iter().filter(|b| !b.is_ascii_whitespace()) {
        if *b == b'=' {
            break;
        }
        let Some(v) = ALPHABET.iter().position(|a| a == b) else { return Err(out) };
        bits = bits << 6 | u32::try_from(v).unwrap_or(0);
        count += 6;
        symbols += 1;
        if count >= 8 {
            count -= 8;
            out.push(u8::try_from((bits >> count) & 0xff).unwrap_or(0));
        }
    }
    if symbols % 4 == 1 { Err(out) } else { Ok(out) }
}

/// MD5 (RFC 1321).
pub(crate) fn md5(data: &[u8]) -> [u8; 16] {
    const SHIFTS: [[u32; 4]; 4] = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];
    // floor(2^32 * abs(sin(i + 1))), as the RFC's table.
    let table: Vec<u32> = (1..=64_u32)
        .map(|i| {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let n = (libm::sin(f64::from(i)).abs() * 4_294_967_296.0) as u32;
            n
        })
        .collect();
    let mut state = [0x6745_2301_u32, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];
    for block in padded(data, false).chunks(64) {
        let words: Vec<u32> =
            block.chunks(4).map(|c| c.iter().rev().fold(0, |n, b| n << 8 | u32::from(*b))).collect();
        let [mut a, mut b, mut c, mut d] = state;
        for i in 0..64 {
            let (f, g) = match i / 16 {
                0 => ((b & c) | (!b & d), i),
                1 => ((d & b) | (!d & c), (5 * i + 1) % 16),
                2 => (b ^ c ^ d, (3 * i + 5) % 16),
                _ => (c ^ (b | !d), (7 * i) % 16),
            };
            let sum = a
                .wrapping_add(f)
                .wrapping_add(table.get(i).copied().unwrap_or(0))
                .wrapping_add(words.get(g).copied().unwrap_or(0));
            let shift = SHIFTS.get(i / 16).and_then(|s| s.get(i % 4)).copied().unwrap_or(0);
            (a, d, c, b) = (d, c, b, b.wrapping_add(sum.rotate_left(shift)));
        }
        for (s, v) in state.iter_mut().zip([a, b, c, d]) {
            *s = s.wrapping_add(v);
        }
    }
    let mut out = [0; 16];
    for (o, b) in out.iter_mut().zip(state.iter().flat_map(|s| s.to_le_bytes())) {
        *o = b;
    }
    out
}

fn padded(data: &[u8], big: bool) -> Vec<u8> {
    let mut m = data.to_vec();
    m.push(0x80);
    while m.len() % 64 != 56 {
        m.push(0);
    }
    let bits = (data.len() as u64).wrapping_mul(8);
    m.extend(if big { bits.to_be_bytes() } else { bits.to_le_bytes() });
    m
}

/// SHA-256 (FIPS 180-4).
pub(crate) fn sha256(data: &[u8]) -> [u8; 32] {
    // The first 32 bits of the fractional parts of the cube roots of the first 64 primes.
    const K: [u32; 64] = [
        0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
        0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
        0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
        0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
        0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
        0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
        0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
        0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
    ];
    let mut h =
        [0x6a09e667_u32, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];
    for block in padded(data, true).chunks(64) {
        let mut w: Vec<u32> =
            block.chunks(4).map(|c| c.iter().fold(0, |n, b| n << 8 | u32::from(*b))).collect();
        for i in 16..64 {
            let at = |j: usize| w.get(i - j).copied().unwrap_or(0);
            let s0 = at(15).rotate_right(7) ^ at(15).rotate_right(18) ^ (at(15) >> 3);
            let s1 = at(2).rotate_right(17) ^ at(2).rotate_right(19) ^ (at(2) >> 10);
            let n = at(16).wrapping_add(s0).wrapping_add(at(7)).wrapping_add(s1);
            w.push(n);
        }
        let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut hh] = h;
        for (k, w) in K.iter().zip(&w) {
            let s1 = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
            let t1 = hh.wrapping_add(s1).wrapping_add((e & f) ^ (!e & g)).wrapping_add(*k).wrapping_add(*w);
            let s0 = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
            let t2 = s0.wrapping_add((a & b) ^ (a & c) ^ (b & c));
            (hh, g, f, e, d, c, b, a) = (g, f, e, d.wrapping_add(t1), c, b, a, t1.wrapping_add(t2));
        }
        for (s, v) in h.iter_mut().zip([a, b, c, d, e, f, g, hh]) {
            *s = s.wrapping_add(v);
        }
    }
    let mut out = [0; 32];
    for (o, b) in out.iter_mut().zip(h.iter().flat_map(|s| s.to_be_bytes())) {
        *o = b;
    }
    out
}

// dd

#[derive(Clone, Debug)]
struct Dd {
    input: u32,
    output: u32,
    block: u64,
    count: Option<u64>,
    skip: u64,
    zero: bool,
    left: u64,
    copied: u64,
    quiet: bool,
    started: podlab_sim::SimTime,
}

pub(super) fn dd(args: &[String], _: Family) -> Box<dyn Program> {
    deferred(args, |ctx, args| {
        let mut get = std::collections::BTreeMap::new();
        for a in args.iter().skip(1) {
            match a.split_once('=') {
                Some((k, v)) => {
                    get.insert(k.to_owned(), v.to_owned());
                }
                None => {
                    let text = if ctx.is_busybox() {
                        super::busybox_usage("dd")
                    } else {
                        format!("dd: unrecognized operand ‘{a}’\nTry 'dd --help' for more information.\n")
                    };
                    ctx.err(text);
                    return Err(1);
                }
            }
        }
        let number = |ctx: &mut Ctx<'_>, k: &str, default: u64| -> Result<u64, i32> {
            match get.get(k) {
                None => Ok(default),
                Some(v) => match size(v) {
                    Some(n) => Ok(n),
                    None => {
                        let text = if ctx.is_busybox() {
                            format!("invalid number '{v}'")
                        } else {
                            format!("invalid number: ‘{v}’")
                        };
                        Err(ctx.fail(1, text))
                    }
                },
            }
        };
        let block = number(ctx, "bs", 512)?.max(1);
        let count = if get.contains_key("count") { Some(number(ctx, "count", 0)?) } else { None };
        let skip = number(ctx, "skip", 0)?;
        let mut zero = false;
        let input = match get.get("if") {
            None => 0,
            Some(f) => {
                zero = f == "/dev/zero";
                ctx.open(f).map_err(|e| {
                    let text = if ctx.is_busybox() {
                        format!("can't open '{f}': {e}")
                    } else {
                        format!("failed to open '{f}': {e}")
                    };
                    ctx.fail(1, text)
                })?
            }
        };
        let append = get.get("conv").is_some_and(|c| c.contains("notrunc"))
            || get.get("oflag").is_some_and(|c| c.contains("append"));
        let output = match get.get("of") {
            None => 1,
            Some(f) => ctx.open_write(f, append).map_err(|e| {
                let text = if ctx.is_busybox() {
                    format!("can't open '{f}': {e}")
                } else {
                    format!("failed to open '{f}': {e}")
                };
                ctx.fail(1, text)
            })?,
        };
        Ok(Box::new(Dd {
            input,
            output,
            block,
            count,
            skip: skip.saturating_mul(block),
            zero,
            left: count.map_or(u64::MAX, |c| c.saturating_mul(block)),
            copied: 0,
            quiet: get.get("status").is_some_and(|s| s == "none"),
            started: ctx.now(),
        }))
    })
}

impl Dd {
    fn end(&self, ctx: &mut Ctx<'_>, error: Option<Errno>) -> Step {
        let full = self.copied / self.block;
        let part = u64::from(!self.copied.is_multiple_of(self.block));
        let mut code = 0;
        if let Some(e) = error {
            code = 1;
            let text = if ctx.is_busybox() {
                format!("error writing: {e}")
            } else {
                format!("error writing 'standard output': {e}")
            };
            ctx.fail(1, text);
        }
        if !self.quiet {
            let n = self.copied;
            let secs = ctx.now().since(self.started).as_secs_f64().max(0.000_1);
            let shown = super::ls::human(n);
            #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let rate = super::ls::human((n as f64 / secs) as u64);
            let tail = if ctx.is_busybox() {
                format!("{n} bytes ({shown}B) copied, {secs:.6} seconds, {rate}B/s\n")
            } else {
                format!("{n} bytes copied, {secs:.6} s, {rate}B/s\n")
            };
            ctx.err(format!("{full}+{part} records in\n{full}+{part} records out\n{tail}"));
        }
        Step::Exit(finish(ctx, code))
    }
}

impl Program for Dd {
    fn step(&mut self, ctx: &mut Ctx<'_>) -> Step {
        if self.left == 0 {
            return self.end(ctx, None);
        }
        if self.zero && self.left != u64::MAX {
            // Zeros are written as a hole: a gigabyte takes no memory here.
            let n = self.left;
            match ctx.write_zeros(self.output, n) {
                Some(Ok(())) => {
                    self.copied += n;
                    self.left = 0;
                    return Step::Ran;
                }
                Some(Err(e)) => return self.end(ctx, Some(e)),
                None => {}
            }
        }
        if self.zero && self.count.is_none() && self.output != 1 {
            // Without a count it goes on until the disk is full.
            match ctx.write_zeros(self.output, 64 << 20) {
                Some(Ok(())) => {
                    self.copied += 64 << 20;
                    return Step::Block(Wait {
                        busy: true,
                        ..Wait::until(ctx.now() + std::time::Duration::from_millis(100))
                    });
                }
                Some(Err(e)) => return self.end(ctx, Some(e)),
                None => {}
            }
        }
        let max = usize::try_from(self.left.min(1 << 16)).unwrap_or(1 << 16);
        match ctx.read(self.input, max) {
            Read::Blocked => Step::Block(Wait::readable(self.input)),
            Read::Data(mut d) => {
                if self.skip > 0 {
                    let n = usize::try_from(self.skip).unwrap_or(usize::MAX).min(d.len());
                    d.drain(..n);
                    self.skip -= n as u64;
                }
                self.copied += d.len() as u64;
                if self.left != u64::MAX {
                    self.left -= d.len() as u64;
                }
                match ctx.write(self.output, &d) {
                    Ok(()) => Step::Ran,
                    Err(e) => self.end(ctx, Some(e)),
                }
            }
            _ => self.end(ctx, None),
        }
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }

    fn memory_bytes(&self) -> u64 {
        // The block is a buffer.
        (700 << 10) + self.block
    }
}

// expr

pub(super) fn expr(ctx: &mut Ctx<'_>, args: &[String]) -> i32 {
    let words = args.get(1..).unwrap_or_default();
    if words.is_empty() {
        return missing_operand(ctx).max(2);
    }
    let mut e = Expr { words, pos: 0, depth: 0 };
    match e.or() {
        Ok(v) if e.pos == words.len() => {
            ctx.out(format!("{v}\n"));
            i32::from(v.is_empty() || v == "0")
        }
        Ok(_) => ctx.fail(2, "syntax error"),
        Err(text) => ctx.fail(2, text),
    }
}

struct Expr<'a> {
    words: &'a [String],
    pos: usize,
    depth: u32,
}

impl Expr<'_> {
    fn peek(&self) -> Option<&str> {
        self.words.get(self.pos).map(String::as_str)
    }

    fn or(&mut self) -> Result<String, String> {
        let mut a = self.and()?;
        while self.peek() == Some("|") {
            self.pos += 1;
            let b = self.and()?;
            if a.is_empty() || a == "0" {
                a = b;
            }
        }
        Ok(a)
    }

    fn and(&mut self) -> Result<String, String> {
        let mut a = self.compare()?;
        while self.peek() == Some("&") {
            self.pos += 1;
            let b = self.compare()?;
            let null = |s: &str| s.is_empty() || s == "0";
            if null(&a) || null(&b) {
                a = "0".to_owned();
            }
        }
        Ok(a)
    }

    fn compare(&mut self) -> Result<String, String> {
        let mut a = self.sum()?;
        while let Some(op @ ("=" | "==" | "!=" | "<" | "<=" | ">" | ">=")) = self.peek() {
            let op = op.to_owned();
            self.pos += 1;
            let b = self.sum()?;
            let order = match (a.parse::<i64>(), b.parse::<i64>()) {
                (Ok(x), Ok(y)) => x.cmp(&y),
                _ => a.cmp(&b),
            };
            let yes = match op.as_str() {
                "=" | "==" => order.is_eq(),
                "!=" => order.is_ne(),
                "<" => order.is_lt(),
                "<=" => order.is_le(),
                ">" => order.is_gt(),
                _ => order.is_ge(),
            };
            a = i32::from(yes).to_string();
        }
        Ok(a)
    }

    fn number(s: &str) -> Result<i64, String> {
        s.parse().map_err(|_| "non-integer argument".to_owned())
    }

    fn sum(&mut self) -> Result<String, String> {
        let mut a = self.product()?;
        while let Some(op @ ("+" | "-")) = self.peek() {
            let plus = op == "+";
            self.pos += 1;
            let b = Self::number(&self.product()?)?;
            let x = Self::number(&a)?;
            a = (if plus { x.wrapping_add(b) } else { x.wrapping_sub(b) }).to_string();
        }
        Ok(a)
    }

    fn product(&mut self) -> Result<String, String> {
        let mut a = self.matching()?;
        while let Some(op @ ("*" | "/" | "%")) = self.peek() {
            let op = op.to_owned();
            self.pos += 1;
            let b = Self::number(&self.matching()?)?;
            let x = Self::number(&a)?;
            if op != "*" && b == 0 {
                return Err("division by zero".to_owned());
            }
            a = match op.as_str() {
                "*" => x.wrapping_mul(b),
                "/" => x.wrapping_div(b),
                _ => x.wrapping_rem(b),
            }
            .to_string();
        }
        Ok(a)
    }

    fn matching(&mut self) -> Result<String, String> {
        let mut a = self.primary()?;
        while self.peek() == Some(":") {
            self.pos += 1;
            let pattern = self.primary()?;
            a = Self::match_text(&a, &pattern)?;
        }
        Ok(a)
    }

    fn match_text(text: &str, pattern: &str) -> Result<String, String> {
        let anchored = if pattern.starts_with('^') { pattern.to_owned() } else { format!("^{pattern}") };
        let r = Regex::new(&anchored, false, false)?;
        let found = r.find(text, 0);
        let has_group = pattern.contains("\\(");
        Ok(match found {
            Some(f) if has_group => f
                .groups
                .get(1)
                .copied()
                .flatten()
                .and_then(|(s, e)| text.get(s..e))
                .unwrap_or_default()
                .to_owned(),
            Some(f) => text.get(f.start..f.end).map_or(0, |t| t.chars().count()).to_string(),
            None if has_group => String::new(),
            None => "0".to_owned(),
        })
    }

    fn primary(&mut self) -> Result<String, String> {
        let Some(w) = self.peek().map(str::to_owned) else { return Err("syntax error".to_owned()) };
        self.pos += 1;
        match w.as_str() {
            "(" => {
                self.depth += 1;
                if self.depth > 60 {
                    return Err("syntax error".to_owned());
                }
                let v = self.or()?;
                self.depth -= 1;
                if self.peek() != Some(")") {
                    return Err("syntax error".to_owned());
                }
                self.pos += 1;
                Ok(v)
            }
            "length" if self.peek().is_some() => {
                let s = self.primary()?;
                Ok(s.chars().count().to_string())
            }
            "substr" if self.words.len() >= self.pos + 3 => {
                let s = self.primary()?;
                let from = Self::number(&self.primary()?)?;
                let len = Self::number(&self.primary()?)?;
                let skip = usize::try_from(from - 1).unwrap_or(usize::MAX);
                Ok(s.chars().skip(skip).take(usize::try_from(len).unwrap_or(0)).collect())
            }
            "index" if self.words.len() >= self.pos + 2 => {
                let s = self.primary()?;
                let set = self.primary()?;
                Ok(s.chars().position(|c| set.contains(c)).map_or(0, |i| i + 1).to_string())
            }
            "match" if self.words.len() >= self.pos + 2 => {
                let s = self.primary()?;
                let p = self.primary()?;
                Self::match_text(&s, &p)
            }
            "+" if self.peek().is_some() => self.primary(),
            _ => Ok(w),
        }
    }
}

pub(super) fn mktemp(ctx: &mut Ctx<'_>, args: &[String]) -> i32 {
    let o = match options(ctx, args, "dp:tuq", &[("directory", 'd'), ("tmpdir", 'p')]) {
        Ok(o) => o,
        Err(code) => return code,
    };
    let template = o.operands.first().cloned();
    let default_dir = ctx.core.env_var("TMPDIR").unwrap_or("/tmp").to_owned();
    let mut path = match template {
        None => format!("{}/tmp.XXXXXX", o.value('p').unwrap_or(&default_dir)),
        Some(t) if o.has('p') || o.has('t') => format!("{}/{t}", o.value('p').unwrap_or(&default_dir)),
        Some(t) => t,
    };
    let xs = path.chars().rev().take_while(|c| *c == 'X').count();
    if xs < 3 {
        let text = if ctx.is_busybox() {
            format!("(null): {}", Errno::InvalidArgument)
        } else {
            format!("too few X's in template ‘{path}’")
        };
        return ctx.fail(1, text);
    }
    path.truncate(path.len() - xs);
    let letters: Vec<char> = ('a'..='z').chain('A'..='Z').chain('0'..='9').collect();
    for _ in 0..xs {
        let n = ctx.host.random() % letters.len() as u64;
        path.push(letters.get(usize::try_from(n).unwrap_or(0)).copied().unwrap_or('a'));
    }
    if !o.has('u') {
        let result = if o.has('d') { ctx.mkdir(&path, 0o700) } else { ctx.write_file(&path, b"", false) };
        if let Err(e) = result {
            let text = if ctx.is_busybox() {
                format!("{path}: {e}")
            } else {
                format!("failed to create file via template ‘{path}’: {e}")
            };
            return ctx.fail(1, text);
        }
        let mode = if o.has('d') { 0o700 } else { 0o600 };
        let _ = ctx.set_attributes(&path, true, &|i| i.mode = mode);
    }
    ctx.out(format!("{path}\n"));
    0
}

pub(super) fn truncate(ctx: &mut Ctx<'_>, args: &[String]) -> i32 {
    let o = match options(ctx, args, "s:cl:", &[("size", 's'), ("length", 'l'), ("no-create", 'c')]) {
        Ok(o) => o,
        Err(code) => return code,
    };
    let Some(n) = o.value('s').or_else(|| o.value('l')).and_then(size) else { return missing_operand(ctx) };
    for f in &o.operands {
        let old = ctx.read_content(f).unwrap_or_default();
        let keep = usize::try_from(n).unwrap_or(usize::MAX).min(old.bytes.len());
        let bytes = old.bytes.get(..keep).unwrap_or_default().to_vec();
        let result = match ctx.open_write(f, false) {
            Ok(fd) => {
                let mut r = ctx.write(fd, &bytes);
                let rest = n - keep as u64;
                if r.is_ok() && rest > 0 {
                    r = ctx.write_zeros(fd, rest).unwrap_or(Ok(()));
                }
                ctx.close(fd);
                r
            }
            Err(e) => Err(e),
        };
        if let Err(e) = result {
            return ctx.fail(1, format!("{f}: {e}"));
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_and_base64_are_those_of_the_standards() {
        assert_eq!(hex(&md5(b"")), "d41d8cd98f00b204e9800998ecf8427e");
        assert_eq!(hex(&md5(b"hello\n")), "b1946ac92492d2347c6235b4d2611184");
        assert_eq!(hex(&sha256(b"abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(base64_encode(b"hello"), "aGVsbG8=");
        assert_eq!(base64_decode(b"aGVsbG8="), Ok(b"hello".to_vec()));
    }
}
