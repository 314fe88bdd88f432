//! `echo`, `test` and backslash escapes.

use crate::context::Ctx;
use crate::process::Family;
use crate::vm::{Dialect, test_command};

/// Replaces `\n` and kin; the flag says whether `\c` ended the text. `octal_any`: `\101` as well as `\0101`.
pub(crate) fn escapes(text: &str, octal_any: bool) -> (Vec<u8>, bool) {
    let mut out = Vec::with_capacity(text.len());
    let bytes = text.as_bytes();
    let mut i = 0;
    while let Some(b) = bytes.get(i) {
        i += 1;
        if *b != b'\\' {
            out.push(*b);
            continue;
        }
        let Some(e) = bytes.get(i) else {
            out.push(b'\\');
            break;
        };
        i += 1;
        let digits = |from: usize, max: usize, radix: u32| {
            let n = bytes
                .get(from..)
                .unwrap_or_default()
                .iter()
                .take(max)
                .take_while(|b| char::from(**b).is_digit(radix))
                .count();
            let text = text.get(from..from + n).unwrap_or_default();
            (u32::from_str_radix(text, radix).ok(), n)
        };
        match e {
            b'a' => out.push(7),
            b'b' => out.push(8),
            b'e' => out.push(27),
            b'f' => out.push(12),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'v' => out.push(11),
            b'\\' => out.push(b'\\'),
            b'c' => return (out, true),
            b'x' => match digits(i, 2, 16) {
                (Some(n), len) => {
                    out.push(u8::try_from(n & 0xff).unwrap_or(0));
                    i += len;
                }
                (None, _) => out.extend_from_slice(b"\\x"),
            },
            b'0' => {
                let (n, len) = digits(i, 3, 8);
                out.push(u8::try_from(n.unwrap_or(0) & 0xff).unwrap_or(0));
                i += len;
            }
            b'1'..=b'7' if octal_any => {
                let (n, len) = digits(i - 1, 3, 8);
                out.push(u8::try_from(n.unwrap_or(0) & 0xff).unwrap_or(0));
                i += len - 1;
            }
            b'u' if octal_any => match digits(i, 4, 16) {
                (Some(n), len) => {
                    let c = char::from_u32(n).unwrap_or('\u{fffd}');
                    out.extend_from_slice(c.to_string().as_bytes());
                    i += len;
                }
                (None, _) => out.extend_from_slice(b"\\u"),
            },
            other => {
                out.push(b'\\');
                out.push(*other);
            }
        }
    }
    (out, false)
}

/// What `echo` prints: with options (`-n`, `-e`, `-E`) as busybox and bash, without (but `-n`) as dash, which
/// always replaces escapes.
pub(crate) fn echo_text(args: &[String], options: bool) -> Vec<u8> {
    let mut newline = true;
    let mut escape = !options;
    let mut rest = args;
    while let Some(a) = rest.first() {
        let letters = a.strip_prefix('-').unwrap_or_default();
        let ok = if options {
            !letters.is_empty() && letters.chars().all(|c| "neE".contains(c))
        } else {
            letters == "n" && rest.len() == args.len()
        };
        if !ok {
            break;
        }
        for c in letters.chars() {
            match c {
                'n' => newline = false,
                'e' => escape = true,
                _ => escape = false,
            }
        }
        rest = rest.get(1..).unwrap_or_default();
    }
    let text = rest.join(" ");
    let mut out = if escape {
        let (bytes, stop) = escapes(&text, false);
        if stop {
            return bytes;
        }
        bytes
    } else {
        text.into_bytes()
    };
    if newline {
        out.push(b'\n');
    }
    out
}

pub(super) fn echo(ctx: &mut Ctx<'_>, args: &[String]) -> i32 {
    ctx.out(echo_text(args.get(1..).unwrap_or_default(), true));
    0
}

pub(super) fn test(ctx: &mut Ctx<'_>, args: &[String]) -> i32 {
    let dialect = if ctx.family() == Family::Busybox { Dialect::Ash } else { Dialect::Bash };
    let (code, error) = test_command(ctx, args, dialect);
    if let Some(e) = error {
        ctx.fail(2, e);
    }
    code
}
