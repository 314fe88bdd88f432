//! How long ago something was, as people read it.

use k8s_openapi::jiff::Timestamp;

/// A duration in few characters: see [`crate::duration::human_duration`]. Spans beyond 292 years count as that.
pub fn human_duration(nanos: i128) -> String {
    let bound = if nanos < 0 { i64::MIN } else { i64::MAX };
    crate::duration::human_duration(i64::try_from(nanos).unwrap_or(bound))
}

/// How long ago an instant was at `now`.
pub fn since(then: Timestamp, now: Timestamp) -> String {
    human_duration(now.as_nanosecond() - then.as_nanosecond())
}
