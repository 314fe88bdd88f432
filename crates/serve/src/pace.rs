//! How virtual time follows the real clock.

use podlab_sim::{SimDuration, SimTime};
use std::time::{Duration, Instant};

/// How time passes in the cluster.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// So many times as fast as the real clock.
    Speed(f64),
    /// As the real clock, and over waiting in one jump: see [`Clock::jump`].
    Virtual,
}

/// How far time jumps beyond the latest request that changes something. Without a bound a cluster whose probes go on for ever would never rest.
const REACH: SimDuration = SimDuration::from_secs(60);

/// The virtual instant that belongs to a real one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    pace: Pace,
    real: Instant,
    sim: SimTime,
    /// Time jumps up to this instant.
    reach: SimTime,
}

impl Clock {
    pub(crate) fn new(pace: Pace, sim: SimTime) -> Clock {
        Clock { pace, real: Instant::now(), sim, reach: sim }
    }

    fn speed(self) -> f64 {
        match self.pace {
            Pace::Speed(speed) => speed,
            Pace::Virtual => 1.0,
        }
    }

    /// The virtual instant that has come.
    pub(crate) fn now(self) -> SimTime {
        let gone = self.real.elapsed().as_secs_f64() * self.speed();
        self.sim + SimDuration::from_secs_f64(gone.min(1e9))
    }

    /// How long in real time until a virtual instant comes.
    pub(crate) fn until(self, at: SimTime) -> Duration {
        let ahead = at.since(self.now()).as_secs_f64() / self.speed();
        Duration::from_secs_f64(ahead.min(3600.0))
    }

    /// Goes on from a virtual instant, where the cluster is behind or has jumped.
    pub(crate) fn set(&mut self, sim: SimTime) {
        self.real = Instant::now();
        self.sim = sim;
    }

    /// A client has done something: what comes of it may happen at once.
    pub(crate) fn acted(&mut self, at: SimTime) {
        self.reach = at + REACH;
    }

    /// Whether time may jump to an instant at which something is planned.
    pub(crate) fn jump(self, to: SimTime) -> bool {
        self.pace == Pace::Virtual && to <= self.reach
    }
}

#[cfg(test)]
mod tests {
    use super::{Clock, Pace};
    use podlab_sim::SimTime;

    #[test]
    fn time_jumps_no_further_than_a_minute_after_a_change() {
        let start = SimTime::from_secs(1_000);
        let mut clock = Clock::new(Pace::Virtual, start);
        assert!(!clock.jump(SimTime::from_secs(1_001)));
        clock.acted(SimTime::from_secs(1_200));
        assert!(!clock.jump(SimTime::from_secs(1_261)));
        assert!(clock.jump(SimTime::from_secs(1_260)));
        assert!(!Clock::new(Pace::Speed(1.0), start).jump(start));
    }
}
