//! The scheduler.

use crate::observe::Upcoming;
use crate::store::Change;
use crate::world::Cx;
use podlab_sim::SimTime;

/// What the scheduler plans.
#[derive(Clone, Debug)]
pub enum SchedulerEvent {
    /// Take the next pod from the active queue.
    ScheduleOne,
}

/// The scheduler's state.
#[derive(Clone, Debug, Default)]
pub struct Scheduler {}

impl Scheduler {
    /// Carries out what was planned.
    pub fn handle(&mut self, event: SchedulerEvent, cx: &mut Cx<'_>) {
        let _ = (event, cx);
    }

    /// Sees a change in the store.
    pub fn observe(&mut self, change: &Change, cx: &mut Cx<'_>) {
        let _ = (change, cx);
    }

    /// What a planned event means to a person; `None` where it means nothing.
    pub fn upcoming(&self, at: SimTime, event: &SchedulerEvent) -> Option<Upcoming> {
        let _ = (at, event);
        None
    }
}
