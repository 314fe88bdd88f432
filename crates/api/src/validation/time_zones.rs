//! The IANA time zones, with the rules that they follow today.

/// Whether the tz database has a zone of this name; `UTC` is one.
pub(crate) fn is_known(name: &str) -> bool {
    rule(name).is_some()
}

/// The rule of a zone from now on, in the form of POSIX' TZ (`EST5EDT,M3.2.0,M11.1.0`).
#[must_use]
// Kept apart, so that the page begins without the table.
#[inline(never)]
pub fn rule(name: &str) -> Option<&'static str> {
    let mut zones = include_str!("../../data/time_zones.txt").lines().filter_map(|line| line.split_once(' '));
    zones.find(|(zone, _)| *zone == name).map(|(_, rule)| rule)
}
