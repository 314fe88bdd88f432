//! RFC 3339 times as Go's time.Parse reads them, with its words for what is wrong.

/// Seconds since 1970 and nanoseconds, from RFC 3339 (`2006-01-02T15:04:05Z07:00`).
///
/// # Errors
/// Go's text (`parsing time "yesterday" as … : cannot parse "yesterday" as "2006"`).
/// Source: src/time/format.go parse (go1.26).
pub fn parse_rfc3339(text: &str) -> Result<(i64, u32), String> {
    parse_go_time(text, false)
}

/// As [`parse_rfc3339`]; with `micro` exactly six digits of a second are asked for, as in
/// `metav1.RFC3339Micro`.
///
/// # Errors
/// Go's text.
pub fn parse_go_time(text: &str, micro: bool) -> Result<(i64, u32), String> {
    let layout = if micro { "2006-01-02T15:04:05.000000Z07:00" } else { "2006-01-02T15:04:05Z07:00" };
    let fail = |rest: &str, element: &str| {
        Err(format!("parsing time {text:?} as {layout:?}: cannot parse {rest:?} as {element:?}"))
    };
    let out_of_range = |what: &str| Err(format!("parsing time {text:?}: {what} out of range"));
    let mut rest = text;
    let mut numbers = [0i64; 6];
    let elements: [(&str, &str, usize); 6] =
        [("", "2006", 4), ("-", "01", 2), ("-", "02", 2), ("T", "15", 2), (":", "04", 2), (":", "05", 2)];
    let mut range_error = None;
    for (i, (prefix, element, width)) in elements.into_iter().enumerate() {
        let Some(after) = rest.strip_prefix(prefix) else { return fail(rest, prefix) };
        rest = after;
        // Go reads an hour of one digit (layout "15" takes one or two), all else at full width.
        let digits = rest.bytes().take(width).take_while(u8::is_ascii_digit).count();
        let width = if element == "15" && digits == 1 { 1 } else { width };
        if digits < width {
            return fail(rest, element);
        }
        let (number, after) = rest.split_at_checked(width).unwrap_or((rest, ""));
        if let (Some(slot), Ok(n)) = (numbers.get_mut(i), number.parse()) {
            *slot = n;
        }
        rest = after;
        let [_, month, _, hour, minute, second] = numbers;
        let bad = match i {
            1 if !(1..=12).contains(&month) => Some("month"),
            3 if hour > 23 => Some("hour"),
            4 if minute > 59 => Some("minute"),
            5 if second > 59 => Some("second"),
            _ => None,
        };
        if range_error.is_none() {
            range_error = bad;
        }
        if let Some(what) = range_error {
            return out_of_range(what);
        }
    }
    let [year, month, day, hour, minute, second] = numbers;
    let mut nanos = 0u32;
    let fraction = rest.strip_prefix(['.', ',']);
    let digits = fraction.map_or(0, |f| f.bytes().take_while(u8::is_ascii_digit).count());
    if micro && digits < 6 {
        return fail(rest, ".000000");
    }
    if digits > 0 {
        let take = if micro { 6 } else { digits };
        let number = fraction.and_then(|f| f.get(..take)).unwrap_or("");
        for place in 0..9 {
            nanos = nanos * 10 + number.as_bytes().get(place).map_or(0, |b| u32::from(b - b'0'));
        }
        rest = fraction.and_then(|f| f.get(take..)).unwrap_or("");
    }
    let mut offset = 0;
    if let Some(after) = rest.strip_prefix('Z') {
        rest = after;
    } else {
        let zone = rest.get(..6).map(str::as_bytes);
        let Some([sign @ (b'+' | b'-'), h1, h2, b':', m1, m2]) = zone else { return fail(rest, "Z07:00") };
        if ![h1, h2, m1, m2].into_iter().all(u8::is_ascii_digit) {
            return fail(rest, "Z07:00");
        }
        let two = |a: &u8, b: &u8| i64::from(a - b'0') * 10 + i64::from(b - b'0');
        if two(h1, h2) > 24 {
            return out_of_range("time zone offset hour");
        }
        if two(m1, m2) > 60 {
            return out_of_range("time zone offset minute");
        }
        offset = (two(h1, h2) * 60 + two(m1, m2)) * 60;
        if *sign == b'-' {
            offset = -offset;
        }
        rest = rest.get(6..).unwrap_or("");
    }
    if !rest.is_empty() {
        return Err(format!("parsing time {text:?}: extra text: {rest:?}"));
    }
    if day < 1 || day > days_in(year, month) {
        return out_of_range("day");
    }
    let days = days_before_year(year) + (1..month).map(|m| days_in(year, m)).sum::<i64>() + day - 1;
    Ok((days * 86_400 + hour * 3600 + minute * 60 + second - offset, nanos))
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to the first day of a year.
fn days_before_year(year: i64) -> i64 {
    let y = year - 1;
    y * 365 + y.div_euclid(4) - y.div_euclid(100) + y.div_euclid(400) - 719_162
}

/// `2006-01-02T15:04:05Z`, the form of `metav1.Time`: whole seconds in UTC.
pub fn rfc3339_seconds(seconds: i64) -> String {
    let days = seconds.div_euclid(86_400);
    let rest = seconds.rem_euclid(86_400);
    // Never later than the year looked for: before 1970 that is the count of the shorter years.
    let mut year = 1970 + days.div_euclid(if days < 0 { 365 } else { 366 });
    while days_before_year(year + 1) <= days {
        year += 1;
    }
    let mut day = days - days_before_year(year);
    let mut month = 1;
    while month < 12 && day >= days_in(year, month) {
        day -= days_in(year, month);
        month += 1;
    }
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{:02}T{hour:02}:{minute:02}:{second:02}Z", day + 1)
}

/// `2006-01-02T15:04:05.000000Z`, the form of `metav1.MicroTime`.
pub fn rfc3339_micro(seconds: i64, nanos: u32) -> String {
    let text = rfc3339_seconds(seconds);
    format!("{}.{:06}Z", text.trim_end_matches('Z'), nanos / 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_round_trip(text: &str, expected: &str) {
        assert_eq!(parse_rfc3339(text).map(|(s, _)| rfc3339_seconds(s)), Ok(expected.to_owned()));
    }

    #[test]
    fn times_are_kept_in_utc_and_whole_seconds() {
        check_round_trip("2026-02-28T23:59:59Z", "2026-02-28T23:59:59Z");
        check_round_trip("2024-02-29T23:30:00+09:00", "2024-02-29T14:30:00Z");
        check_round_trip("1999-12-31T23:00:00.999-02:30", "2000-01-01T01:30:00Z");
        check_round_trip("1969-12-31T23:59:59Z", "1969-12-31T23:59:59Z");
        for year in 0..=9999 {
            for day in ["01-01", "02-28", "03-01", "12-31"] {
                let text = format!("{year:04}-{day}T00:00:00Z");
                check_round_trip(&text, &text);
            }
        }
    }

    #[test]
    fn errors_are_those_of_go() {
        let layout = r#"as "2006-01-02T15:04:05Z07:00": cannot parse"#;
        let error = |text: &str| parse_rfc3339(text).unwrap_err();
        assert_eq!(error("yesterday"), format!(r#"parsing time "yesterday" {layout} "yesterday" as "2006""#));
        assert_eq!(error("2026-01-02"), format!(r#"parsing time "2026-01-02" {layout} "" as "T""#));
        assert_eq!(
            error("2026-13-02T00:00:00Z"),
            r#"parsing time "2026-13-02T00:00:00Z": month out of range"#
        );
        assert_eq!(error("2026-02-30T00:00:00Z"), r#"parsing time "2026-02-30T00:00:00Z": day out of range"#);
    }
}
