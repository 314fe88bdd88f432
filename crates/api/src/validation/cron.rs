//! Cron schedules, as the CronJob API reads them.
//!
//! Source: github.com/robfig/cron/v3 v3.0.1 parser.go, which Kubernetes uses.

use crate::go_text::quote;

/// When a schedule fires: a set of bits for each field, bit n for the value n.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schedule {
    /// At the times that fit all fields.
    Fields {
        /// 0-59.
        minute: u64,
        /// 0-23.
        hour: u64,
        /// 1-31.
        day_of_month: u64,
        /// 1-12.
        month: u64,
        /// 0-6, Sunday is 0.
        day_of_week: u64,
        /// Whether day of month was `*` or `?`; if neither day field was, either may fit.
        any_day_of_month: bool,
        /// The same for day of week.
        any_day_of_week: bool,
    },
    /// `@every 5m`: at this distance in seconds.
    Every(u64),
}

struct Bounds {
    min: u64,
    max: u64,
    names: &'static [&'static str],
}

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// Reads a schedule of five fields or a descriptor (`@daily`). A time zone before it is skipped.
///
/// # Errors
/// The library's text.
pub fn parse_schedule(schedule: &str) -> Result<Schedule, String> {
    if schedule.is_empty() {
        return Err("empty spec string".to_owned());
    }
    let mut spec = schedule;
    if spec.starts_with("TZ=") || spec.starts_with("CRON_TZ=") {
        let Some(space) = spec.find(' ') else {
            return Err("invalid schedule format: runtime error: slice bounds out of range [:-1]".to_owned());
        };
        spec = spec.get(space..).unwrap_or("").trim();
    }
    if spec.starts_with('@') {
        return descriptor(spec);
    }
    let fields: Vec<&str> = spec.split_whitespace().collect();
    let [minute, hour, day_of_month, month, day_of_week] = fields.as_slice() else {
        return Err(format!("expected exactly 5 fields, found {}: [{}]", fields.len(), fields.join(" ")));
    };
    let (minute, _) = field(minute, &Bounds { min: 0, max: 59, names: &[] })?;
    let (hour, _) = field(hour, &Bounds { min: 0, max: 23, names: &[] })?;
    let (day_of_month, any_day_of_month) = field(day_of_month, &Bounds { min: 1, max: 31, names: &[] })?;
    let (month, _) = field(month, &Bounds { min: 1, max: 12, names: &MONTHS })?;
    let (day_of_week, any_day_of_week) = field(day_of_week, &Bounds { min: 0, max: 6, names: &DAYS })?;
    Ok(Schedule::Fields { minute, hour, day_of_month, month, day_of_week, any_day_of_month, any_day_of_week })
}

fn descriptor(text: &str) -> Result<Schedule, String> {
    let spec = match text {
        "@yearly" | "@annually" => "0 0 1 1 *",
        "@monthly" => "0 0 1 * *",
        "@weekly" => "0 0 * * 0",
        "@daily" | "@midnight" => "0 0 * * *",
        "@hourly" => "0 * * * *",
        _ => {
            return match text.strip_prefix("@every ") {
                Some(duration) => every(text, duration),
                None => Err(format!("unrecognized descriptor: {text}")),
            };
        }
    };
    parse_schedule(spec)
}

fn every(text: &str, duration: &str) -> Result<Schedule, String> {
    let fail = || Err(format!("failed to parse duration {text}: time: invalid duration {}", quote(duration)));
    let mut seconds = 0f64;
    let mut rest = duration;
    if rest.is_empty() {
        return fail();
    }
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(|b| b.is_ascii_digit() || *b == b'.').count();
        let (number, after) = rest.split_at_checked(digits).unwrap_or((rest, ""));
        let letters = after.bytes().take_while(|b| b.is_ascii_alphabetic()).count();
        let (unit, after) = after.split_at_checked(letters).unwrap_or((after, ""));
        let scale = match unit {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 0.001,
            _ => return fail(),
        };
        let Ok(number) = number.parse::<f64>() else { return fail() };
        seconds += number * scale;
        rest = after;
    }
    // The library rounds down to seconds and knows nothing below one.
    Ok(Schedule::Every((seconds as u64).max(1)))
}

/// The bits of a field, and whether it had a bare star.
fn field(text: &str, bounds: &Bounds) -> Result<(u64, bool), String> {
    let mut bits = 0;
    let mut any = false;
    for expression in text.split(',').filter(|e| !e.is_empty()) {
        let (more, star) = range(expression, bounds)?;
        bits |= more;
        any |= star;
    }
    Ok((bits, any))
}

fn range(text: &str, bounds: &Bounds) -> Result<(u64, bool), String> {
    let parts: Vec<&str> = text.split('/').collect();
    let low_high: Vec<&str> = parts.first().copied().unwrap_or("").split('-').collect();
    let low = low_high.first().copied().unwrap_or("");
    let mut star = matches!(low, "*" | "?");
    let (start, mut end) = if star {
        (bounds.min, bounds.max)
    } else {
        let start = number_or_name(low, bounds.names, bounds.min)?;
        match low_high.as_slice() {
            [_] => (start, start),
            [_, high] => (start, number_or_name(high, bounds.names, bounds.min)?),
            _ => return Err(format!("too many hyphens: {text}")),
        }
    };
    let step = match parts.as_slice() {
        [_] => 1,
        [_, step] => {
            let step = number(step)?;
            if low_high.len() == 1 {
                end = bounds.max;
            }
            if step > 1 {
                star = false;
            }
            step
        }
        _ => return Err(format!("too many slashes: {text}")),
    };
    if start < bounds.min {
        return Err(format!("beginning of range ({start}) below minimum ({}): {text}", bounds.min));
    }
    if end > bounds.max {
        return Err(format!("end of range ({end}) above maximum ({}): {text}", bounds.max));
    }
    if start > end {
        return Err(format!("beginning of range ({start}) beyond end of range ({end}): {text}"));
    }
    if step == 0 {
        return Err(format!("step of range should be a positive number: {text}"));
    }
    let mut bits = 0;
    let mut at = start;
    while at <= end {
        bits |= 1u64 << at;
        at = at.saturating_add(step);
    }
    Ok((bits, star))
}

fn number_or_name(text: &str, names: &[&str], first: u64) -> Result<u64, String> {
    match names.iter().zip(first..).find(|(name, _)| name.eq_ignore_ascii_case(text)) {
        Some((_, value)) => Ok(value),
        None => number(text),
    }
}

fn number(text: &str) -> Result<u64, String> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let numeric = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    match text.parse::<i64>() {
        Ok(n) if n < 0 => Err(format!("negative number ({n}) not allowed: {text}")),
        Ok(n) => Ok(n.unsigned_abs()),
        Err(_) => {
            let why = if numeric { "value out of range" } else { "invalid syntax" };
            Err(format!("failed to parse int from {text}: strconv.Atoi: parsing {}: {why}", quote(text)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_those_of_the_library() {
        for (schedule, error) in [
            ("60 * * * *", "end of range (60) above maximum (59): 60"),
            ("*/0 * * * *", "step of range should be a positive number: */0"),
            ("@sometimes", "unrecognized descriptor: @sometimes"),
            ("* * * *", "expected exactly 5 fields, found 4: [* * * *]"),
            ("a * * * *", r#"failed to parse int from a: strconv.Atoi: parsing "a": invalid syntax"#),
            ("5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1"),
            ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
        ] {
            assert_eq!(parse_schedule(schedule), Err(error.to_owned()), "{schedule}");
        }
    }

    #[test]
    fn names_and_steps_are_read() {
        let Ok(Schedule::Fields { minute, day_of_week, any_day_of_month, .. }) =
            parse_schedule("*/20 0 * * MON-wed")
        else {
            panic!("not read")
        };
        assert_eq!(minute, 1 | 1 << 20 | 1 << 40);
        assert_eq!(day_of_week, 0b1110);
        assert!(any_day_of_month);
        assert_eq!(parse_schedule("@every 1m30s"), Ok(Schedule::Every(90)));
    }
}
