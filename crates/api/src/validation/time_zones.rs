//! The names of the IANA time zones.

/// Whether the tz database has a zone of this name; `UTC` is one.
pub(crate) fn is_known(name: &str) -> bool {
    include_str!("../../data/time_zones.txt").lines().any(|zone| zone == name)
}
