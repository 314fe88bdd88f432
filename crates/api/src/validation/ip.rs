//! IP addresses and CIDRs.
//!
//! Source: k8s.io/apimachinery/pkg/util/validation/ip.go (v1.37).

use super::Errors;
use super::field::{FieldError, Path};
use std::net::{IpAddr, Ipv6Addr};

/// Reads an address as Kubernetes' sloppy parser does: leading zeros are allowed. The flag tells of them.
fn parse_sloppy(text: &str) -> Option<(IpAddr, bool)> {
    if let Ok(ip) = text.parse::<IpAddr>() {
        return Some((ip, false));
    }
    let parts: Vec<&str> = text.split('.').collect();
    if parts.len() != 4 || !parts.iter().all(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit())) {
        return None;
    }
    let stripped: Vec<String> = parts
        .iter()
        .map(|p| p.trim_start_matches('0'))
        .map(|p| if p.is_empty() { "0".to_owned() } else { p.to_owned() })
        .collect();
    stripped.join(".").parse::<IpAddr>().ok().map(|ip| (ip, true))
}

/// Whether the text is an address to the sloppy parser.
pub(crate) fn is_ip_sloppy(text: &str) -> bool {
    parse_sloppy(text).is_some()
}

fn is_mapped(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some())
}

/// An address in a field that is as old as Kubernetes; what stood there before is left alone.
pub(crate) fn validate_ip_legacy(errors: &mut Errors, path: &Path, value: &str, old: &[&str]) {
    if !old.contains(&value) {
        parse_ip(errors, path, value);
    }
}

/// The address, if it is well-formed to the strict rules.
pub(crate) fn parse_ip(errors: &mut Errors, path: &Path, value: &str) -> Option<IpAddr> {
    let Some((ip, zeros)) = parse_sloppy(value) else {
        let detail = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
        errors.push(FieldError::invalid(path, value, detail));
        return None;
    };
    if zeros {
        errors.push(FieldError::invalid(path, value, "must not have leading 0s"));
    }
    if is_mapped(ip) {
        errors.push(FieldError::invalid(path, value, "must not be an IPv4-mapped IPv6 address"));
    }
    Some(ip)
}

/// A CIDR's address and prefix length, leading zeros allowed and told.
fn parse_cidr_sloppy(text: &str) -> Option<(IpAddr, u32, bool)> {
    let (address, length) = text.split_once('/')?;
    let (ip, zeros) = parse_sloppy(address)?;
    if length.is_empty() || length.len() > 3 || !length.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let bits: u32 = length.parse().ok()?;
    let most = if ip.is_ipv4() { 32 } else { 128 };
    (bits <= most).then_some((ip, bits, zeros || length.len() > 1 && length.starts_with('0')))
}

fn masked(ip: IpAddr, bits: u32) -> IpAddr {
    match ip {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            IpAddr::V4((u32::from(v4) & mask).into())
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from(u128::from(v6) & mask))
        }
    }
}

/// A CIDR, as [`validate_ip_legacy`]. Gives the network where it could be read.
pub(crate) fn validate_cidr_legacy(errors: &mut Errors, path: &Path, value: &str) -> Option<(IpAddr, u32)> {
    let Some((ip, bits, zeros)) = parse_cidr_sloppy(value) else {
        let detail = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";
        errors.push(FieldError::invalid(path, value, detail));
        return None;
    };
    if zeros {
        let detail = "must not have leading 0s in IP or prefix length";
        errors.push(FieldError::invalid(path, value, detail));
    } else if is_mapped(ip) {
        errors.push(FieldError::invalid(path, value, "must not have an IPv4-mapped IPv6 address"));
    } else if masked(ip, bits) != ip {
        errors.push(FieldError::invalid(path, value, "must not have bits set beyond the prefix length"));
    }
    Some((masked(ip, bits), bits))
}

/// Whether a network holds an address.
pub(crate) fn cidr_contains((network, bits): (IpAddr, u32), ip: IpAddr) -> bool {
    network.is_ipv4() == ip.is_ipv4() && masked(ip, bits) == network
}

/// How an IPv6 address should be written, where it is written otherwise.
pub(crate) fn preferred_form(value: &str) -> Option<String> {
    match value.parse::<IpAddr>() {
        Ok(ip @ IpAddr::V6(_)) => Some(ip.to_string()).filter(|canonical| canonical != value),
        _ => None,
    }
}
