//! How often a controller's client may ask the API server: a bucket of requests that fills at a steady rate.
//!
//! This is what keeps a ReplicaSet from filling the cluster at once where its pods are refused as soon as they are made.
//!
//! Source: k8s.io/client-go/util/flowcontrol/throttle.go `NewTokenBucketRateLimiter`; `--kube-api-qps` and
//! `--kube-api-burst` of kube-controller-manager, pkg/controller/apis/config/v1alpha1/defaults.go (v1.37).

use podlab_sim::{SimDuration, SimTime};

/// Time in which one more request may be made: 20 in a second.
const EACH: SimDuration = SimDuration::from_millis(50);
/// Requests that a client may make at once.
const BURST: u32 = 30;

/// The bucket of one controller.
#[derive(Clone, Debug, Default)]
pub(super) struct RateLimiter {
    /// When it is full again; `None` while it has never been used.
    full_at: Option<SimTime>,
}

impl RateLimiter {
    /// Takes what `wanted` requests need, as far as it is there; gives the number that may be made now.
    pub(super) fn take(&mut self, wanted: usize, now: SimTime) -> usize {
        let full_at = self.full_at.map_or(now, |at| at.max(now));
        let lacking = full_at.since(now).as_nanos().div_ceil(EACH.as_nanos());
        let there = BURST.saturating_sub(u32::try_from(lacking).unwrap_or(u32::MAX));
        let taken = there.min(u32::try_from(wanted).unwrap_or(u32::MAX));
        self.full_at = Some(full_at + EACH * taken);
        usize::try_from(taken).unwrap_or(wanted)
    }

    /// When there is something in it.
    pub(super) fn next(&self, now: SimTime) -> SimTime {
        self.full_at.map_or(now, |at| (at - EACH * (BURST - 1)).max(now))
    }
}

#[cfg(test)]
mod tests {
    use super::{BURST, EACH, RateLimiter};
    use podlab_sim::SimTime;

    #[test]
    fn a_burst_and_then_twenty_a_second() {
        let mut limiter = RateLimiter::default();
        let mut now = SimTime::START;
        assert_eq!(limiter.take(100, now), 30);
        assert_eq!(limiter.take(70, now), 0);
        assert_eq!(limiter.next(now), now + EACH);
        let mut made = 0;
        let begun = now;
        while made < 20 {
            now = limiter.next(now);
            made += limiter.take(20 - made, now);
        }
        assert_eq!(now.since(begun), EACH * 20);
        now += EACH * BURST;
        assert_eq!(limiter.take(100, now), 30);
    }
}
