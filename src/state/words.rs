//! How times and amounts read on the page.

use podlab_sim::SimTime;

/// `10:12:07`: the clock of the time bar.
pub fn clock(at: SimTime) -> String {
    let seconds = at.as_secs().rem_euclid(86_400);
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}
