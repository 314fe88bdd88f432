//! `printf`.

use super::echo::escapes;
use crate::context::Ctx;
use crate::process::Family;
use crate::vm::Dialect;

/// Longest padding.
const MAX_WIDTH: usize = 10_000;

/// What a `printf` made.
#[derive(Clone, Debug, Default)]
pub(crate) struct Printed {
    pub bytes: Vec<u8>,
    /// Texts for standard error.
    pub errors: Vec<String>,
    pub status: i32,
}

pub(super) fn printf(ctx: &mut Ctx<'_>, args: &[String]) -> i32 {
    let Some(format) = args.get(1) else { return super::missing_operand(ctx) };
    let dialect = if ctx.family() == Family::Busybox { Dialect::Ash } else { Dialect::Bash };
    let out = printf_text(format, args.get(2..).unwrap_or_default(), dialect);
    ctx.out(&out.bytes);
    for e in out.errors {
        ctx.fail(1, e);
    }
    out.status
}

/// Formats the arguments, using the format again while some are left.
pub(crate) fn printf_text(format: &str, args: &[String], dialect: Dialect) -> Printed {
    let mut out = Printed::default();
    let mut args = args.iter();
    let mut rounds = 0;
    loop {
        let before = args.len();
        let stop = once(format, &mut args, dialect, &mut out);
        rounds += 1;
        if stop || args.len() == 0 || args.len() == before || rounds > 100_000 {
            return out;
        }
    }
}

fn once(format: &str, args: &mut std::slice::Iter<'_, String>, dialect: Dialect, out: &mut Printed) -> bool {
    let chars: Vec<char> = format.chars().collect();
    let mut i = 0;
    let mut literal = String::new();
    while let Some(c) = chars.get(i) {
        if *c == '\\' {
            literal.push('\\');
            if let Some(n) = chars.get(i + 1) {
                literal.push(*n);
            }
            i += 2;
            continue;
        }
        if *c != '%' {
            literal.push(*c);
            i += 1;
            continue;
        }
        if chars.get(i + 1) == Some(&'%') {
            literal.push('%');
            i += 2;
            continue;
        }
        let (bytes, stop) = escapes(&std::mem::take(&mut literal), true);
        out.bytes.extend(bytes);
        if stop {
            return true;
        }
        let start = i;
        i += 1;
        let mut flags = String::new();
        while let Some(c) = chars.get(i).filter(|c| "-+ #0".contains(**c)) {
            flags.push(*c);
            i += 1;
        }
        let number = |i: &mut usize, args: &mut std::slice::Iter<'_, String>| -> Option<i64> {
            if chars.get(*i) == Some(&'*') {
                *i += 1;
                return Some(args.next().and_then(|a| a.parse().ok()).unwrap_or(0));
            }
            let from = *i;
            while chars.get(*i).is_some_and(char::is_ascii_digit) {
                *i += 1;
            }
            let text: String = chars.get(from..*i).unwrap_or_default().iter().collect();
            text.parse().ok()
        };
        let mut width = number(&mut i, args).unwrap_or(0);
        if width < 0 {
            flags.push('-');
            width = -width;
        }
        let width = usize::try_from(width).unwrap_or(0).min(MAX_WIDTH);
        let mut precision = None;
        if chars.get(i) == Some(&'.') {
            i += 1;
            precision = Some(usize::try_from(number(&mut i, args).unwrap_or(0)).unwrap_or(0).min(MAX_WIDTH));
        }
        while matches!(chars.get(i), Some('l' | 'h' | 'j' | 'z')) {
            i += 1;
        }
        let Some(kind) = chars.get(i).copied() else {
            let text: String = chars.get(start..).unwrap_or_default().iter().collect();
            invalid(&text, dialect, out);
            return true;
        };
        i += 1;
        let arg = args.next().cloned();
        let text = match kind {
            's' => limit(&arg.unwrap_or_default(), precision),
            'b' => {
                let (bytes, stop) = escapes(&arg.unwrap_or_default(), true);
                let text = limit(&String::from_utf8_lossy(&bytes), precision);
                out.bytes.extend(pad(&text, width, &flags, false).into_bytes());
                if stop {
                    return true;
                }
                continue;
            }
            'q' if dialect == Dialect::Bash => {
                let a = arg.unwrap_or_default();
                if a.is_empty() {
                    "''".to_owned()
                } else {
                    a.chars().fold(String::new(), |mut s, c| {
                        if !(c.is_alphanumeric() || "_-./:=,@%+^".contains(c)) {
                            s.push('\\');
                        }
                        s.push(c);
                        s
                    })
                }
            }
            'c' => arg.unwrap_or_default().chars().next().map(String::from).unwrap_or_default(),
            'd' | 'i' => integer(arg.as_deref(), dialect, out, &flags, precision),
            'u' | 'o' | 'x' | 'X' => {
                let n = parse(arg.as_deref(), dialect, out);
                #[allow(clippy::cast_sign_loss)]
                let n = n as u64;
                let digits = match kind {
                    'o' => format!("{n:o}"),
                    'x' => format!("{n:x}"),
                    'X' => format!("{n:X}"),
                    _ => n.to_string(),
                };
                let digits = format!("{digits:0>width$}", width = precision.unwrap_or(0));
                match (kind, flags.contains('#') && n != 0) {
                    ('x', true) => format!("0x{digits}"),
                    ('X', true) => format!("0X{digits}"),
                    ('o', true) => format!("0{digits}"),
                    _ => digits,
                }
            }
            'f' | 'F' | 'e' | 'E' | 'g' | 'G' => {
                let text = arg.unwrap_or_default();
                let value = text.trim().parse::<f64>().unwrap_or_else(|_| {
                    if !text.is_empty() {
                        bad_number(&text, dialect, out);
                    }
                    0.0
                });
                let s = float(value, kind, precision);
                if flags.contains('+') && !s.starts_with('-') { format!("+{s}") } else { s }
            }
            _ => {
                let text: String = chars.get(start..i).unwrap_or_default().iter().collect();
                invalid(&text, dialect, out);
                return true;
            }
        };
        let numeric = !matches!(kind, 's' | 'c' | 'q');
        out.bytes.extend(
            pad(&text, width, &flags, numeric && (precision.is_none() || "feEgG".contains(kind)))
                .into_bytes(),
        );
    }
    let (bytes, stop) = escapes(&literal, true);
    out.bytes.extend(bytes);
    stop
}

fn limit(s: &str, precision: Option<usize>) -> String {
    match precision {
        Some(p) => s.chars().take(p).collect(),
        None => s.to_owned(),
    }
}

fn pad(s: &str, width: usize, flags: &str, numeric: bool) -> String {
    let missing = width.saturating_sub(s.chars().count());
    if flags.contains('-') {
        return format!("{s}{}", " ".repeat(missing));
    }
    if flags.contains('0') && numeric {
        let (sign, digits) = match s.strip_prefix(['-', '+']) {
            Some(d) => (s.get(..1).unwrap_or_default(), d),
            None => ("", s),
        };
        return format!("{sign}{}{digits}", "0".repeat(missing));
    }
    format!("{}{s}", " ".repeat(missing))
}

fn invalid(text: &str, dialect: Dialect, out: &mut Printed) {
    let (message, status) = match dialect {
        Dialect::Ash => (format!("{text}: invalid format"), 1),
        Dialect::Dash => (format!("{text}: invalid directive"), 2),
        Dialect::Bash => {
            let c = text.chars().last().unwrap_or('%');
            (format!("`{c}': invalid format character"), 1)
        }
    };
    out.errors.push(message);
    out.status = status;
}

fn bad_number(text: &str, dialect: Dialect, out: &mut Printed) {
    out.errors.push(match dialect {
        Dialect::Ash => format!("invalid number '{text}'"),
        Dialect::Dash if text.starts_with(|c: char| c.is_ascii_digit()) => {
            format!("{text}: not completely converted")
        }
        Dialect::Dash => format!("{text}: expected numeric value"),
        Dialect::Bash => format!("{text}: invalid number"),
    });
    out.status = 1;
}

fn parse(arg: Option<&str>, dialect: Dialect, out: &mut Printed) -> i64 {
    let Some(text) = arg else { return 0 };
    let t = text.trim_start();
    if let Some(c) = t.strip_prefix(['\'', '"']) {
        return c.chars().next().map_or(0, |c| i64::from(u32::from(c)));
    }
    if t.is_empty() {
        return 0;
    }
    let (sign, digits) = match t.strip_prefix('-') {
        Some(d) => (-1, d),
        None => (1, t.strip_prefix('+').unwrap_or(t)),
    };
    let parsed = if let Some(hex) = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        i64::from_str_radix(hex, 16).ok()
    } else if digits.len() > 1 && digits.starts_with('0') {
        i64::from_str_radix(digits, 8).ok()
    } else {
        digits.parse::<i64>().ok()
    };
    match parsed {
        Some(n) => sign * n,
        None => {
            bad_number(text, dialect, out);
            // The digits at the front count all the same, but not in busybox.
            if dialect == Dialect::Ash {
                return 0;
            }
            let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
            sign * digits.get(..end).and_then(|d| d.parse::<i64>().ok()).unwrap_or(0)
        }
    }
}

fn integer(
    arg: Option<&str>,
    dialect: Dialect,
    out: &mut Printed,
    flags: &str,
    precision: Option<usize>,
) -> String {
    let n = parse(arg, dialect, out);
    let digits = format!("{:0>width$}", n.unsigned_abs(), width = precision.unwrap_or(0));
    if n < 0 {
        format!("-{digits}")
    } else if flags.contains('+') {
        format!("+{digits}")
    } else if flags.contains(' ') {
        format!(" {digits}")
    } else {
        digits
    }
}

/// C's `%f`, `%e` and `%g`.
pub(crate) fn float(value: f64, kind: char, precision: Option<usize>) -> String {
    if !value.is_finite() {
        return if value.is_nan() {
            "nan".to_owned()
        } else if value > 0.0 {
            "inf".to_owned()
        } else {
            "-inf".to_owned()
        };
    }
    let exponential = |p: usize| {
        let s = format!("{value:.p$e}");
        let (mantissa, exponent) = s.split_once('e').unwrap_or((&s, "0"));
        let n: i32 = exponent.parse().unwrap_or(0);
        format!("{mantissa}e{}{:02}", if n < 0 { '-' } else { '+' }, n.abs())
    };
    let p = precision.unwrap_or(6).min(300);
    let text = match kind {
        'e' | 'E' => exponential(p),
        'g' | 'G' => {
            let p = p.max(1);
            let s = format!("{:.*e}", p - 1, value);
            let exponent: i32 = s.split_once('e').and_then(|(_, e)| e.parse().ok()).unwrap_or(0);
            let strip = |s: String| {
                if s.contains('.') { s.trim_end_matches('0').trim_end_matches('.').to_owned() } else { s }
            };
            let precision = i32::try_from(p).unwrap_or(6);
            if exponent < -4 || exponent >= precision {
                let s = exponential(p - 1);
                let (m, e) = s.split_once('e').map(|(m, e)| (m.to_owned(), e.to_owned())).unwrap_or_default();
                format!("{}e{e}", strip(m))
            } else {
                let decimals = usize::try_from(precision - 1 - exponent).unwrap_or(0);
                strip(format!("{value:.decimals$}"))
            }
        }
        _ => format!("{value:.p$}"),
    };
    if kind.is_ascii_uppercase() { text.to_uppercase() } else { text }
}
