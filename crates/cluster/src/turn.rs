//! A turn: how long the cluster may go on before whoever runs it has something else to do.

/// The most events between two looks at the clock, which costs as much as a small event.
const MOST: u32 = 16;
/// Events that together take longer than this, in milliseconds, are looked at one by one.
const COSTLY_MS: f64 = 0.25;

/// Says after each event whether a turn goes on. While events are costly (a browser that compiles what it runs for the
/// first time, a kubelet with a hundred pods) it looks at the clock after each one, while they are cheap after a few.
#[derive(Clone, Copy, Debug)]
pub struct Turn {
    ends_at: f64,
    looked_at: f64,
    every: u32,
    left: u32,
}

impl Turn {
    /// A turn that began at `begun` and may take `budget_ms`; both in milliseconds of the caller's clock.
    pub fn new(begun: f64, budget_ms: f64) -> Self {
        Self { ends_at: begun + budget_ms, looked_at: begun, every: 1, left: 1 }
    }

    /// Whether there is time for another event.
    pub fn goes_on(&mut self, clock: impl FnOnce() -> f64) -> bool {
        self.left -= 1;
        if self.left > 0 {
            return true;
        }
        let now = clock();
        self.every = if now - self.looked_at > COSTLY_MS { 1 } else { (self.every * 2).min(MOST) };
        self.left = self.every;
        self.looked_at = now;
        now < self.ends_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many events a turn of 4 ms has, and how often the clock was asked, where each event takes `each` ms.
    fn turn(each: impl Fn(u32) -> f64) -> (u32, u32) {
        let (mut now, mut events, mut asked) = (0.0, 0, 0);
        let mut turn = Turn::new(now, 4.0);
        loop {
            now += each(events);
            events += 1;
            let clock = || {
                asked += 1;
                now
            };
            if !turn.goes_on(clock) {
                return (events, asked);
            }
        }
    }

    #[test]
    fn costly_events_end_a_turn_in_time() {
        assert_eq!(turn(|_| 1.0), (4, 4));
        assert_eq!(turn(|_| 9.0), (1, 1));
    }

    #[test]
    fn cheap_events_seldom_ask_the_clock() {
        let (events, asked) = turn(|_| 0.01);
        assert!((400..=416).contains(&events), "{events}");
        assert!(asked < events / 10, "{asked}");
    }

    #[test]
    fn a_turn_that_gets_costly_is_noticed_at_once() {
        let (events, _) = turn(|event| if event < 100 { 0.01 } else { 1.0 });
        assert!(events < 100 + MOST + 4, "{events}");
    }
}
