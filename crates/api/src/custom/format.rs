//! Formats of strings.
//!
//! Source: k8s.io/kube-openapi/pkg/validation/strfmt (v1.37). Formats that are not named here are let be.

use k8s_openapi::jiff::{Timestamp, civil};
use std::net::{Ipv4Addr, Ipv6Addr};

/// Whether a text has a format.
pub(super) fn has(format: &str, text: &str) -> bool {
    match format {
        "date-time" => text.is_empty() || text.parse::<Timestamp>().is_ok(),
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
        "uuid" => {
            let plain: String = text.chars().filter(|c| *c != '-').collect();
            plain.len() == 32 && plain.chars().all(|c| c.is_ascii_hexdigit())
        }
        "byte" => text.len().is_multiple_of(4) && is_base64(text),
        "hostname" => !text.is_empty() && text.len() <= 255 && text.split('.').all(is_host_label),
        "email" => text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty()),
        "mac" => {
            let parts: Vec<&str> = text.split([':', '-']).collect();
            matches!(parts.len(), 6 | 8 | 20)
                && parts.iter().all(|part| part.len() == 2 && part.chars().all(|c| c.is_ascii_hexdigit()))
        }
        _ => true,
    }
}

fn is_base64(text: &str) -> bool {
    let bare = text.trim_end_matches('=');
    text.len() - bare.len() <= 2 && bare.chars().all(|c| c.is_ascii_alphanumeric() || c == '+' || c == '/')
}

fn is_host_label(label: &str) -> bool {
    !label.is_empty()
        && label.len() <= 63
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_')
}
