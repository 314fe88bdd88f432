//! The controllers, one file each.

use crate::observe::Upcoming;
use crate::store::Change;
use crate::world::Cx;
use podlab_sim::SimTime;

/// What a controller plans.
#[derive(Clone, Debug)]
pub enum ControllerEvent {}

/// The state of all controllers.
#[derive(Clone, Debug, Default)]
pub struct Controllers {}

impl Controllers {
    /// Carries out what was planned.
    pub fn handle(&mut self, event: ControllerEvent, cx: &mut Cx<'_>) {
        let _ = cx;
        match event {}
    }

    /// Sees a change in the store.
    pub fn observe(&mut self, change: &Change, cx: &mut Cx<'_>) {
        let _ = (change, cx);
    }

    /// What a planned event means to a person; `None` where it means nothing.
    pub fn upcoming(&self, at: SimTime, event: &ControllerEvent) -> Option<Upcoming> {
        let _ = (at, event);
        None
    }
}
