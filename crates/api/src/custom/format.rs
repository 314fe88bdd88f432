//! Formats of strings.
//!
//! Source: k8s.io/kube-openapi/pkg/validation/strfmt, k8s.io/apiextensions-apiserver/pkg/apiserver/validation/formats.go
//! (v1.37).

use crate::validation::content;
use k8s_openapi::jiff::{Timestamp, civil};
use std::net::{Ipv4Addr, Ipv6Addr};

/// Formats that the API server looks at, and this does not.
const NOT_SIMULATED: [&str; 7] =
    ["bsonobjectid", "isbn", "isbn10", "isbn13", "creditcard", "ssn", "rgbcolor"];

/// Formats of strings without their hyphens.
const STRINGS: [&str; 19] = [
    "uri",
    "email",
    "hostname",
    "ipv4",
    "ipv6",
    "cidr",
    "mac",
    "uuid",
    "uuid3",
    "uuid4",
    "uuid5",
    "hexcolor",
    "byte",
    "password",
    "date",
    "duration",
    "datetime",
    "k8sshortname",
    "k8slongname",
];

/// Whether the API server looks at the format of a type; others are let be.
pub(crate) fn is_known(kind: &str, format: &str) -> bool {
    match kind {
        "" | "string" => {
            let plain = format.replace('-', "");
            STRINGS.contains(&plain.as_str()) || NOT_SIMULATED.contains(&plain.as_str())
        }
        "integer" => matches!(format, "int32" | "int64"),
        "number" => matches!(format, "float" | "double"),
        _ => false,
    }
}

/// Whether the API server looks at a format that is let be here.
pub(crate) fn is_not_simulated(format: &str) -> bool {
    NOT_SIMULATED.contains(&format.replace('-', "").as_str())
}

/// Whether a text has a format.
pub(super) fn has(format: &str, text: &str) -> bool {
    match format.replace('-', "").as_str() {
        "datetime" => text.parse::<Timestamp>().is_ok(),
        "date" => text.len() == 10 && text.parse::<civil::Date>().is_ok(),
        "ipv4" => text.parse::<Ipv4Addr>().is_ok(),
        "ipv6" => text.parse::<Ipv6Addr>().is_ok(),
        "cidr" => text.split_once('/').is_some_and(|(address, bits)| {
            let most = if address.parse::<Ipv4Addr>().is_ok() {
                32
            } else if address.parse::<Ipv6Addr>().is_ok() {
                128
            } else {
                return false;
            };
            !bits.starts_with('+') && bits.parse::<u8>().is_ok_and(|bits| bits <= most)
        }),
        "uuid" => is_uuid(text, None),
        "uuid3" => is_uuid(text, Some('3')),
        "uuid4" => is_uuid(text, Some('4')),
        "uuid5" => is_uuid(text, Some('5')),
        "uri" => {
            let scheme = |text: &str| {
                text.starts_with(|c: char| c.is_ascii_alphabetic())
                    && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
            };
            let plain = !text.contains(|c: char| c.is_control() || c == ' ');
            plain && (text.starts_with('/') || text.split_once(':').is_some_and(|(first, _)| scheme(first)))
        }
        "hexcolor" => {
            let digits = text.strip_prefix('#').unwrap_or(text);
            matches!(digits.len(), 3 | 6) && digits.chars().all(|c| c.is_ascii_hexdigit())
        }
        "duration" => is_duration(text),
        "k8sshortname" => content::is_dns1123_label(text).is_empty(),
        "k8slongname" => content::is_dns1123_subdomain(text).is_empty(),
        "byte" => !text.is_empty() && text.len().is_multiple_of(4) && is_base64(text),
        "hostname" => is_hostname(text),
        "email" => text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty()),
        "mac" => {
            let parts: Vec<&str> = text.split([':', '-']).collect();
            matches!(parts.len(), 6 | 8 | 20)
                && parts.iter().all(|part| part.len() == 2 && part.chars().all(|c| c.is_ascii_hexdigit()))
        }
        _ => true,
    }
}

/// Five groups of digits, with or without hyphens between them.
fn is_uuid(text: &str, version: Option<char>) -> bool {
    let mut digits = String::new();
    let mut rest = text;
    for length in [8, 4, 4, 4, 12] {
        let Some((group, after)) = rest.split_at_checked(length) else { return false };
        digits.push_str(group);
        rest = after.strip_prefix('-').filter(|_| digits.len() < 32).unwrap_or(after);
    }
    let at = |place: usize| digits.chars().nth(place);
    rest.is_empty()
        && digits.chars().all(|c| c.is_ascii_hexdigit())
        && version.is_none_or(|version| at(12) == Some(version))
        && (matches!(version, None | Some('3')) || matches!(at(16), Some('8' | '9' | 'a' | 'b' | 'A' | 'B')))
}

fn is_go_duration(text: &str) -> bool {
    let mut rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    if rest == "0" {
        return true;
    }
    let number = |c: char| c.is_ascii_digit() || c == '.';
    while !rest.is_empty() {
        let after = rest.trim_start_matches(number);
        let figures = rest.strip_suffix(after).unwrap_or("");
        let unit = after.strip_suffix(after.trim_start_matches(|c| !number(c))).unwrap_or(after);
        if !figures.contains(|c: char| c.is_ascii_digit())
            || figures.matches('.').count() > 1
            || !matches!(unit, "ns" | "us" | "µs" | "μs" | "ms" | "s" | "m" | "h")
        {
            return false;
        }
        rest = after.strip_prefix(unit).unwrap_or("");
    }
    !text.is_empty()
}

/// As Go writes durations (`1h30m`), or a number and a unit in words (`22 ns`, `3 days`).
fn is_duration(text: &str) -> bool {
    if is_go_duration(text) {
        return true;
    }
    const UNITS: &str = "ns nano nanosecond us µs micro microsecond ms milli millisecond s sec second m min minute h hr \
                         hour d day w wk week nanos nanoseconds micros microseconds millis milliseconds secs seconds \
                         mins minutes hours hrs days weeks wks";
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    !number.is_empty() && UNITS.split_whitespace().any(|known| known == unit.trim())
}

fn is_base64(text: &str) -> bool {
    let bare = text.trim_end_matches('=');
    text.len() - bare.len() <= 2 && bare.chars().all(|c| c.is_ascii_alphanumeric() || c == '+' || c == '/')
}

/// A label, or labels and a domain of letters.
fn is_hostname(text: &str) -> bool {
    const LONGEST: usize = 63;
    let letter = |c: char| c.is_ascii_alphanumeric() || (!c.is_ascii() && !c.is_control());
    let label = |label: &str| {
        label.starts_with(letter)
            && label.ends_with(letter)
            && label.len() <= LONGEST
            && label.chars().all(|c| letter(c) || c == '-')
    };
    let Some((labels, domain)) = text.rsplit_once('.') else {
        // A hyphen may stand behind the first letter alone.
        let mut letters = text.chars();
        let first = letters.next().is_some_and(letter);
        let rest = letters.as_str();
        let rest = rest.strip_prefix('-').filter(|rest| !rest.is_empty()).unwrap_or(rest);
        return first && text.len() <= LONGEST && rest.chars().all(letter);
    };
    text.len() <= 255
        && labels.split('.').all(label)
        && (2..=LONGEST).contains(&domain.chars().count())
        && domain.chars().all(char::is_alphabetic)
}
