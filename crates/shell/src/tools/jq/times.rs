//! Dates in jq: seconds since 1970, and arrays of their parts, in UTC.

use super::super::date::{civil, days_from_civil, format as date_format};
use super::native::{bad, fault};
use super::value::{Res, Val};
use podlab_sim::SimTime;

/// About year 9999, which is as far as a time here goes.
const FURTHEST: f64 = 9.0e9;

pub(super) fn gmtime(v: &Val, name: &str) -> Res {
    let Val::Num(n, _) = v else { return fault(format!("{name}() requires numeric inputs")) };
    if !n.is_finite() || n.abs() > 1.0e13 {
        return fault("error converting number of seconds since epoch to datetime");
    }
    let whole = libm::floor(*n);
    let c = civil(whole as i64);
    let parts = [
        c.year as f64,
        f64::from(c.month) - 1.0,
        f64::from(c.day),
        f64::from(c.hour),
        f64::from(c.minute),
        f64::from(c.second) + (n - whole),
        f64::from(c.weekday),
        f64::from(c.day_of_year) - 1.0,
    ];
    Ok(Val::arr(parts.into_iter().map(Val::num).collect()))
}

fn seconds(v: &Val, name: &str) -> Res<i64> {
    let Val::Arr(a) = v else { return fault(format!("{name} requires array inputs")) };
    let parsed = || fault(format!("{name} requires parsed datetime inputs"));
    let mut parts = [0i64; 6];
    for (i, slot) in parts.iter_mut().enumerate() {
        match a.items.get(i) {
            Some(Val::Num(n, _)) if n.abs() < 1.0e9 => *slot = *n as i64,
            _ => return parsed(),
        }
    }
    let [year, month, day, hour, minute, second] = parts;
    let month = u32::try_from(month + 1).unwrap_or(1);
    if !(1..=12).contains(&month) || year.abs() > 100_000 {
        return fault("invalid gmtime representation");
    }
    let days = days_from_civil(year, month, 1) + day - 1;
    Ok(days * 86_400 + hour * 3600 + minute * 60 + second)
}

pub(super) fn mktime(v: &Val) -> Res {
    Ok(Val::num(seconds(v, "mktime")? as f64))
}

pub(super) fn strftime(v: &Val, args: &[Val], name: &str) -> Res {
    let at = match v {
        Val::Num(..) => seconds(&gmtime(v, "gmtime")?, "strftime/1")?,
        Val::Arr(_) => seconds(v, &format!("{name}/1"))?,
        _ => return fault(format!("{name}/1 requires parsed datetime inputs")),
    };
    let [Val::Str(f)] = args else { return fault(format!("{name}/1 requires a string format")) };
    if at.unsigned_abs() as f64 > FURTHEST {
        return fault("dates this far away are not simulated");
    }
    Ok(Val::str(date_format(SimTime::from_secs(at), f)))
}

pub(super) fn strptime(v: &Val, args: &[Val]) -> Res {
    let (Val::Str(s), [Val::Str(f)]) = (v, args) else {
        return fault("strptime/1 requires string inputs and arguments");
    };
    let no = || fault(format!("date \"{s}\" does not match format \"{f}\""));
    let full = f.replace("%T", "%H:%M:%S").replace("%F", "%Y-%m-%d");
    let mut rest: &str = s;
    let mut parts = [1900.0, 0.0, 1.0, 0.0, 0.0, 0.0];
    let mut chars = full.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            match rest.strip_prefix(c) {
                Some(r) => rest = r,
                None if c == ' ' => {}
                None => return no(),
            }
            continue;
        }
        let Some(what) = chars.next() else { return no() };
        let digits = |most: usize| rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
        let (slot, n) = match what {
            'Y' => (0, digits(4)),
            'm' => (1, digits(2)),
            'd' | 'e' => (2, digits(2)),
            'H' => (3, digits(2)),
            'M' => (4, digits(2)),
            'S' => (5, digits(2)),
            'Z' | 'z' => {
                let zone = rest
                    .find(|c: char| !c.is_ascii_alphanumeric() && c != '+' && c != '-')
                    .unwrap_or(rest.len());
                if zone == 0 {
                    return no();
                }
                rest = rest.get(zone..).unwrap_or_default();
                continue;
            }
            _ => return bad(&Val::Str(f.clone()), "has a conversion that is not simulated"),
        };
        let Some(number) = rest.get(..n).and_then(|d| d.parse::<f64>().ok()) else { return no() };
        rest = rest.get(n..).unwrap_or_default();
        if let Some(part) = parts.get_mut(slot) {
            *part = if slot == 1 { number - 1.0 } else { number };
        }
    }
    if !rest.is_empty() {
        return no();
    }
    let broken = Val::arr(parts.into_iter().map(Val::num).collect());
    gmtime(&Val::num(seconds(&broken, "mktime")? as f64), "gmtime")
}
