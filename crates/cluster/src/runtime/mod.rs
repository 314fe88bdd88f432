//! The container runtime of every node, and the network between pods.

use crate::observe::Upcoming;
use crate::world::Cx;
use podlab_sim::SimTime;

/// What the runtime plans.
#[derive(Clone, Debug)]
pub enum RuntimeEvent {}

/// All containers of the cluster.
#[derive(Clone, Debug, Default)]
pub struct Runtime {}

impl Runtime {
    /// Carries out what was planned.
    pub fn handle(&mut self, event: RuntimeEvent, cx: &mut Cx<'_>) {
        let _ = cx;
        match event {}
    }

    /// What a planned event means to a person; `None` where it means nothing.
    pub fn upcoming(&self, at: SimTime, event: &RuntimeEvent) -> Option<Upcoming> {
        let _ = (at, event);
        None
    }
}
