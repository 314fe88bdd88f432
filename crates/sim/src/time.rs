//! Instants of virtual time.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};
use std::time::Duration;

/// An instant of virtual time: nanoseconds since the Unix epoch.
///
/// Only the simulation moves it. Arithmetic saturates, so no input can overflow it.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize, serde::Deserialize,
)]
pub struct SimTime(i64);

impl SimTime {
    /// 2026-01-01T10:00:00Z, where every new lab begins unless its settings say otherwise.
    pub const START: SimTime = SimTime::from_secs(1_767_261_600);
    /// Later than anything that is ever planned.
    pub const MAX: SimTime = SimTime(i64::MAX);

    /// From whole seconds since the Unix epoch.
    pub const fn from_secs(secs: i64) -> SimTime {
        SimTime(secs.saturating_mul(1_000_000_000))
    }

    /// From nanoseconds since the Unix epoch.
    pub const fn from_nanos(nanos: i64) -> SimTime {
        SimTime(nanos)
    }

    /// Nanoseconds since the Unix epoch.
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// Whole seconds since the Unix epoch, rounded down: what the API writes into objects.
    pub const fn as_secs(self) -> i64 {
        self.0.div_euclid(1_000_000_000)
    }

    /// Milliseconds since the Unix epoch, rounded down.
    pub const fn as_millis(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// Time that passed since `earlier`, zero where `earlier` lies in the future.
    pub fn since(self, earlier: SimTime) -> Duration {
        Duration::from_nanos(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// The next instant at or after this one that is a whole multiple of `step` after `origin`.
    pub fn next_tick(self, origin: SimTime, step: Duration) -> SimTime {
        let step = nanos(step).max(1);
        let gone = self.0.saturating_sub(origin.0).max(0);
        let beyond = gone % step;
        let ticked = if beyond == 0 { gone } else { (gone - beyond).saturating_add(step) };
        SimTime(origin.0.saturating_add(ticked))
    }
}

/// The nanoseconds of a duration, at most as many as there are. `Duration::as_nanos` counts in 128 bits, which takes a
/// call in wasm.
fn nanos(d: Duration) -> i64 {
    const PER_SECOND: u64 = 1_000_000_000;
    match d.as_secs() {
        // Both fit: the greatest `i64` has 9,223,372,036 whole seconds.
        secs @ ..9_223_372_036 => (secs * PER_SECOND + u64::from(d.subsec_nanos())) as i64,
        _ => i64::try_from(d.as_nanos()).unwrap_or(i64::MAX),
    }
}

impl Add<Duration> for SimTime {
    type Output = SimTime;
    fn add(self, d: Duration) -> SimTime {
        SimTime(self.0.saturating_add(nanos(d)))
    }
}

impl AddAssign<Duration> for SimTime {
    fn add_assign(&mut self, d: Duration) {
        *self = *self + d;
    }
}

impl Sub<Duration> for SimTime {
    type Output = SimTime;
    fn sub(self, d: Duration) -> SimTime {
        SimTime(self.0.saturating_sub(nanos(d)))
    }
}

impl fmt::Debug for SimTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:09}s", self.as_secs(), self.0.rem_euclid(1_000_000_000))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_count_from_their_origin() {
        let o = SimTime::from_secs(100);
        let s = Duration::from_secs(10);
        assert_eq!(SimTime::from_secs(100).next_tick(o, s), o);
        assert_eq!(SimTime::from_nanos(o.as_nanos() + 1).next_tick(o, s), SimTime::from_secs(110));
        assert_eq!(SimTime::from_secs(110).next_tick(o, s), SimTime::from_secs(110));
    }

    #[test]
    fn arithmetic_saturates() {
        assert_eq!(SimTime::MAX + Duration::from_secs(1), SimTime::MAX);
        assert_eq!(SimTime::START.since(SimTime::MAX), Duration::ZERO);
        let zero = SimTime::from_nanos(0);
        for secs in [0, 1, 9_223_372_035, 9_223_372_036, 9_223_372_037, u64::MAX] {
            for subsec in [0, 854_775_806, 854_775_807, 854_775_808, 999_999_999] {
                let d = Duration::new(secs, subsec);
                assert_eq!((zero + d).as_nanos(), i64::try_from(d.as_nanos()).unwrap_or(i64::MAX));
            }
        }
        assert_eq!(SimTime::MAX.next_tick(zero, Duration::from_secs(1)), SimTime::MAX);
    }
}
