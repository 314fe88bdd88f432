//! `date`.

use super::options;
use crate::context::Ctx;
use podlab_sim::SimTime;

pub(crate) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// A date and time in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Civil {
    pub year: i64,
    pub month: u32,
    pub day: u32,
    pub hour: u32,
    pub minute: u32,
    pub second: u32,
    /// 0 is Sunday.
    pub weekday: u32,
    /// From 1.
    pub day_of_year: u32,
}

/// From seconds since the epoch, by the proleptic Gregorian calendar.
pub(crate) fn civil(secs: i64) -> Civil {
    let days = secs.div_euclid(86_400);
    let rest = u32::try_from(secs.rem_euclid(86_400)).unwrap_or(0);
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = u32::try_from(doy - (153 * mp + 2) / 5 + 1).unwrap_or(1);
    let month = u32::try_from(if mp < 10 { mp + 3 } else { mp - 9 }).unwrap_or(1);
    let year = yoe + era * 400 + i64::from(month <= 2);
    let weekday = u32::try_from((days + 4).rem_euclid(7)).unwrap_or(0);
    let day_of_year = u32::try_from(days - days_from_civil(year, 1, 1) + 1).unwrap_or(1);
    Civil {
        year,
        month,
        day,
        hour: rest / 3600,
        minute: rest / 60 % 60,
        second: rest % 60,
        weekday,
        day_of_year,
    }
}

/// Days since the epoch of a date.
pub(crate) fn days_from_civil(year: i64, month: u32, day: u32) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400);
    let mp = i64::from((month + 9) % 12);
    let doy = (153 * mp + 2) / 5 + i64::from(day) - 1;
    let doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    era * 146_097 + doe - 719_468
}

/// Formats as `strftime` in UTC and the C locale.
pub(crate) fn format(t: SimTime, text: &str) -> String {
    let c = civil(t.as_secs());
    let nanos = t.as_nanos().rem_euclid(1_000_000_000);
    let name = |all: &[&'static str], i: u32| all.get(i as usize).copied().unwrap_or("");
    let short = |s: &'static str| s.get(..3).unwrap_or(s);
    let hour12 = if c.hour.is_multiple_of(12) { 12 } else { c.hour % 12 };
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    while let Some(ch) = chars.next() {
        if ch != '%' {
            out.push(ch);
            continue;
        }
        let mut pad = None;
        while let Some(f) = chars.peek().filter(|c| "-_0^".contains(**c)) {
            pad = Some(*f);
            chars.next();
        }
        let mut width = String::new();
        while let Some(d) = chars.peek().filter(|c| c.is_ascii_digit()) {
            width.push(*d);
            chars.next();
        }
        let number = |n: i64, w: usize| match pad {
            Some('-') => n.to_string(),
            Some('_') => format!("{n:>w$}"),
            _ => format!("{n:0>w$}"),
        };
        match chars.next() {
            Some('Y') => out.push_str(&c.year.to_string()),
            Some('C') => out.push_str(&number(c.year / 100, 2)),
            Some('y') => out.push_str(&number(c.year % 100, 2)),
            Some('m') => out.push_str(&number(c.month.into(), 2)),
            Some('d') => out.push_str(&number(c.day.into(), 2)),
            Some('e') => out.push_str(&format!("{:>2}", c.day)),
            Some('H') => out.push_str(&number(c.hour.into(), 2)),
            Some('I') => out.push_str(&number(hour12.into(), 2)),
            Some('k') => out.push_str(&format!("{:>2}", c.hour)),
            Some('l') => out.push_str(&format!("{hour12:>2}")),
            Some('M') => out.push_str(&number(c.minute.into(), 2)),
            Some('S') => out.push_str(&number(c.second.into(), 2)),
            Some('N') => {
                let digits = format!("{nanos:09}");
                let n = width.parse::<usize>().unwrap_or(9).min(9);
                out.push_str(digits.get(..n).unwrap_or(&digits));
            }
            Some('s') => out.push_str(&t.as_secs().to_string()),
            Some('a') => out.push_str(short(name(&DAYS, c.weekday))),
            Some('A') => out.push_str(name(&DAYS, c.weekday)),
            Some('b' | 'h') => out.push_str(short(name(&MONTHS, c.month.saturating_sub(1)))),
            Some('B') => out.push_str(name(&MONTHS, c.month.saturating_sub(1))),
            Some('p') => out.push_str(if c.hour < 12 { "AM" } else { "PM" }),
            Some('P') => out.push_str(if c.hour < 12 { "am" } else { "pm" }),
            Some('j') => out.push_str(&number(c.day_of_year.into(), 3)),
            Some('u') => out.push_str(&(if c.weekday == 0 { 7 } else { c.weekday }).to_string()),
            Some('w') => out.push_str(&c.weekday.to_string()),
            Some('F') => out.push_str(&format!("{}-{:02}-{:02}", c.year, c.month, c.day)),
            Some('T') => out.push_str(&format!("{:02}:{:02}:{:02}", c.hour, c.minute, c.second)),
            Some('R') => out.push_str(&format!("{:02}:{:02}", c.hour, c.minute)),
            Some('r') => {
                let half = if c.hour < 12 { "AM" } else { "PM" };
                out.push_str(&format!("{hour12:02}:{:02}:{:02} {half}", c.minute, c.second));
            }
            Some('D' | 'x') => out.push_str(&format!("{:02}/{:02}/{:02}", c.month, c.day, c.year % 100)),
            Some('X') => out.push_str(&format!("{:02}:{:02}:{:02}", c.hour, c.minute, c.second)),
            Some('c') => out.push_str(&format(t, "%a %b %e %H:%M:%S %Y")),
            Some('z') => out.push_str("+0000"),
            Some(':') if chars.peek() == Some(&'z') => {
                chars.next();
                out.push_str("+00:00");
            }
            Some('Z') => out.push_str("UTC"),
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('%') => out.push('%'),
            Some(other) => {
                out.push('%');
                out.push(other);
            }
            None => out.push('%'),
        }
    }
    out
}

/// `@1700000000`, `2026-01-31`, `2026-01-31 12:00:00`, `2026-01-31T12:00:00Z`, `now`, `yesterday`, `1 hour ago`.
pub(crate) fn parse(text: &str, now: SimTime) -> Option<SimTime> {
    let t = text.trim();
    if let Some(secs) = t.strip_prefix('@') {
        let secs: f64 = secs.parse().ok()?;
        if !secs.is_finite() || secs.abs() > 9e9 {
            return None;
        }
        #[allow(clippy::cast_possible_truncation)]
        return Some(SimTime::from_nanos((secs * 1e9) as i64));
    }
    let day = 86_400;
    match t {
        "" | "now" | "today" => return Some(now),
        "yesterday" => return Some(SimTime::from_secs(now.as_secs() - day)),
        "tomorrow" => return Some(SimTime::from_secs(now.as_secs() + day)),
        _ => {}
    }
    if let Some(r) = relative(t) {
        return Some(SimTime::from_secs(now.as_secs().checked_add(r)?));
    }
    let (date, time) = match t.split_once(['T', ' ']) {
        Some((d, t)) => (d, t.trim_end_matches('Z').trim_end_matches(" UTC")),
        None if t.contains(':') => ("", t),
        None => (t, ""),
    };
    let midnight = if date.is_empty() {
        now.as_secs().div_euclid(day) * day
    } else {
        let mut parts = date.splitn(3, '-');
        let year: i64 = parts.next()?.parse().ok()?;
        let month: u32 = parts.next()?.parse().ok()?;
        let d: u32 = parts.next()?.parse().ok()?;
        if !(1..=12).contains(&month) || !(1..=31).contains(&d) || !(0..=9999).contains(&year) {
            return None;
        }
        days_from_civil(year, month, d) * day
    };
    let mut secs = 0;
    if !time.is_empty() {
        let mut parts = time.split(':');
        let h: i64 = parts.next()?.parse().ok()?;
        let m: i64 = parts.next()?.parse().ok()?;
        let s: i64 = parts.next().map_or(Some(0), |s| s.split('.').next()?.parse().ok())?;
        if h > 23 || m > 59 || s > 60 {
            return None;
        }
        secs = h * 3600 + m * 60 + s;
    }
    Some(SimTime::from_secs(midnight + secs))
}

fn relative(t: &str) -> Option<i64> {
    let mut words: Vec<&str> = t.split_whitespace().collect();
    let ago = words.last() == Some(&"ago");
    if ago {
        words.pop();
    }
    let [n, unit] = words.as_slice() else { return None };
    let n: i64 = n.parse().ok()?;
    let unit = match unit.trim_end_matches('s') {
        "sec" | "second" => 1,
        "min" | "minute" => 60,
        "hour" => 3600,
        "day" => 86_400,
        "week" => 604_800,
        _ => return None,
    };
    n.checked_mul(unit).map(|s| if ago { -s } else { s })
}

pub(super) fn date(ctx: &mut Ctx<'_>, args: &[String]) -> i32 {
    let long = [
        ("date", 'd'),
        ("utc", 'u'),
        ("rfc-2822", 'R'),
        ("iso-8601", 'I'),
        ("rfc-3339", 'J'),
        ("reference", 'r'),
    ];
    // `-I` and `--iso-8601` may have a value stuck to them.
    let mut iso = None;
    let args: Vec<String> = args
        .iter()
        .filter(|a| {
            let v = a
                .strip_prefix("-I")
                .or_else(|| a.strip_prefix("--iso-8601").map(|v| v.trim_start_matches('=')));
            match v {
                Some(v) => {
                    iso = Some(v.to_owned());
                    false
                }
                None => true,
            }
        })
        .cloned()
        .collect();
    let o = match options(ctx, &args, "d:uRr:s:D:J:", &long) {
        Ok(o) => o,
        Err(code) => return code,
    };
    let mut t = ctx.now();
    if let Some(d) = o.value('d') {
        match parse(d, t) {
            Some(p) => t = p,
            None => {
                let text = if ctx.is_busybox() {
                    format!("invalid date '{d}'")
                } else {
                    format!("invalid date ‘{d}’")
                };
                return ctx.fail(1, text);
            }
        }
    }
    if let Some(f) = o.value('r') {
        match ctx.stat(f, true) {
            Ok(s) => t = s.mtime,
            Err(e) => return ctx.fail(1, format!("{f}: {e}")),
        }
    }
    if o.has('s') || o.operands.iter().any(|a| !a.starts_with('+')) {
        if let Some(bad) = o.operands.iter().find(|a| !a.starts_with('+')) {
            let text = if ctx.is_busybox() {
                format!("invalid date '{bad}'")
            } else {
                format!("invalid date ‘{bad}’")
            };
            return ctx.fail(1, text);
        }
        let text = if ctx.is_busybox() {
            "can't set date: Operation not permitted"
        } else {
            "cannot set date: Operation not permitted"
        };
        return ctx.fail(1, text);
    }
    let pattern = if let Some(f) = o.operands.first() {
        f.get(1..).unwrap_or_default().to_owned()
    } else if o.has('R') {
        "%a, %d %b %Y %H:%M:%S +0000".to_owned()
    } else if let Some(i) = iso {
        match i.as_str() {
            "seconds" | "s" => "%Y-%m-%dT%H:%M:%S+00:00".to_owned(),
            "minutes" => "%Y-%m-%dT%H:%M+00:00".to_owned(),
            "hours" => "%Y-%m-%dT%H+00:00".to_owned(),
            "ns" => "%Y-%m-%dT%H:%M:%S,%N+00:00".to_owned(),
            _ => "%Y-%m-%d".to_owned(),
        }
    } else if let Some(j) = o.value('J') {
        if j.starts_with('s') { "%Y-%m-%d %H:%M:%S+00:00".to_owned() } else { "%Y-%m-%d".to_owned() }
    } else {
        "%a %b %e %H:%M:%S UTC %Y".to_owned()
    };
    let text = format(t, &pattern);
    ctx.out(format!("{text}\n"));
    0
}
