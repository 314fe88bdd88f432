//! Exponential back-off by key.
//!
//! Source: k8s.io/client-go/util/flowcontrol/backoff.go (v1.37), without jitter, as the kubelet uses it.

use podlab_sim::{SimDuration, SimTime};
use std::collections::BTreeMap;

/// The first delay of a container restart or an image pull.
pub(crate) const INITIAL: SimDuration = SimDuration::from_secs(10);
/// The longest delay.
pub(crate) const MAX: SimDuration = SimDuration::from_secs(300);

/// One key's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The present delay.
    pub backoff: SimDuration,
    /// When it was last lengthened.
    pub last_update: SimTime,
}

/// Delays by key: key → entry.
#[derive(Clone, Debug, Default)]
pub(crate) struct Backoff {
    entries: BTreeMap<String, Entry>,
}

impl Backoff {
    /// The present state of a key.
    pub(crate) fn get(&self, key: &str) -> Option<Entry> {
        self.entries.get(key).copied()
    }

    /// Lengthens the delay after something that failed at `event`.
    pub(crate) fn next(&mut self, key: &str, event: SimTime, now: SimTime) {
        let backoff = match self.entries.get(key) {
            Some(entry) if !expired(event, entry) => (entry.backoff * 2).min(MAX),
            _ => INITIAL,
        };
        self.entries.insert(key.to_owned(), Entry { backoff, last_update: now });
    }

    /// The end of the delay counted from `event`, if it lies ahead.
    pub(crate) fn ends_since(&self, key: &str, event: SimTime, now: SimTime) -> Option<SimTime> {
        let entry = self.entries.get(key).filter(|e| !expired(event, e))?;
        let end = event + entry.backoff;
        (now < end).then_some(end)
    }

    /// The end of the delay counted from the latest failure, if it lies ahead.
    pub(crate) fn ends_since_update(&self, key: &str, now: SimTime) -> Option<SimTime> {
        let entry = self.entries.get(key).filter(|e| !expired(now, e))?;
        let end = entry.last_update + entry.backoff;
        (now < end).then_some(end)
    }

    /// Forgets what is as old as twice the longest delay.
    pub(crate) fn gc(&mut self, now: SimTime) {
        self.entries.retain(|_, entry| now.since(entry.last_update) <= MAX * 2);
    }
}

/// A failure that came so long after the one before starts anew.
fn expired(event: SimTime, entry: &Entry) -> bool {
    event.since(entry.last_update) > MAX * 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_to_five_minutes_and_are_forgotten_after_ten() {
        let mut b = Backoff::default();
        let mut now = SimTime::from_secs(0);
        let mut seen = Vec::new();
        for _ in 0..7 {
            b.next("k", now, now);
            let entry = b.get("k").unwrap();
            seen.push(entry.backoff.as_secs());
            now += entry.backoff;
        }
        assert_eq!(seen, [10, 20, 40, 80, 160, 300, 300]);
        let late = now + SimDuration::from_secs(601);
        b.next("k", late, late);
        assert_eq!(b.get("k").unwrap().backoff, INITIAL);
    }
}
