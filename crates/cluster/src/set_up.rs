//! A cluster that comes about piece by piece: thousands of nodes take longer than a page may stand still.

use crate::bootstrap::{self, Piece};
use crate::controllers::Standing;
use crate::settings::Settings;
use crate::world::World;
use podlab_sim::SimDuration;
use std::collections::VecDeque;

/// How long a cluster with system pods has been up when the lab begins.
const UPTIME: SimDuration = SimDuration::from_secs(300);

/// How many changes are shown to the components at once.
const AT_ONCE: usize = 16;

/// About how many events a node's system pods cost until they run: for the progress alone.
const EVENTS_OF_NODE: usize = 50;

/// A cluster that is being set up. Where its turns are cut changes nothing in its history.
#[derive(Clone, Debug)]
pub struct SetUp {
    pub(crate) world: World,
    pieces: VecDeque<Piece>,
    /// How many pieces there were.
    all: usize,
    /// The latest workload, which pods are made of.
    workload: Option<Standing>,
    static_pods: bool,
    events: usize,
}

impl SetUp {
    /// Begins a cluster as `settings` say.
    pub fn new(settings: Settings) -> SetUp {
        let mut world = World::empty(settings);
        let pieces = bootstrap::pieces(&world.settings);
        if world.settings.profile.has_system_pods() {
            // The lab begins on a cluster that has been up for a while.
            world.api.set_now(world.settings.start - UPTIME);
        }
        bootstrap::put_policy(&mut world.api, &world.settings);
        world.observed = world.api.store().resource_version();
        let all = pieces.len();
        SetUp { world, pieces, all, workload: None, static_pods: false, events: 0 }
    }

    /// Goes on as long as `keep_going` says so between pieces; returns whether all is done.
    pub fn run(&mut self, keep_going: &mut dyn FnMut() -> bool) -> bool {
        while let Some(piece) = self.pieces.pop_front() {
            let settings = self.world.settings.clone();
            piece.put(&mut self.world.api, &settings, &mut self.workload);
            if !keep_going() {
                return false;
            }
        }
        while self.world.settle_some(AT_ONCE) {
            if !keep_going() {
                return false;
            }
        }
        if !self.static_pods {
            self.static_pods = true;
            if self.world.settings.profile.has_system_pods() {
                for act in bootstrap::static_pods(&self.world.settings) {
                    self.world.act(&act);
                }
                self.world.settle();
            }
        }
        let start = self.world.settings.start;
        while self.world.step(start) {
            self.events += 1;
            if !keep_going() {
                return false;
            }
        }
        self.world.advance_to(start);
        true
    }

    /// How much is done, 0 to 1: an estimate for people.
    pub fn progress(&self) -> f64 {
        let part = |done: usize, all: usize| (done as f64 / all.max(1) as f64).min(1.0);
        let pieces = part(self.all - self.pieces.len(), self.all);
        let nodes = self.world.settings.nodes.len();
        0.4 * pieces + 0.6 * part(self.events, nodes * EVENTS_OF_NODE)
    }
}

#[cfg(test)]
mod tests {
    use super::SetUp;
    use crate::{Cluster, Settings};

    #[test]
    fn where_setting_up_is_cut_changes_nothing() {
        let whole = Cluster::new(Settings::default());
        let mut cut = SetUp::new(Settings::default());
        let mut turns = 1;
        while !cut.run(&mut || false) {
            turns += 1;
        }
        assert!(turns > 100, "{turns}");
        let history = |cluster: &Cluster| {
            let world = cluster.world();
            let objects = world.api.store().all().map(|o| o.to_value().to_string()).collect::<Vec<_>>();
            (world.now(), objects, format!("{:?}", cluster.upcoming(1000)))
        };
        assert_eq!(history(&Cluster::of(cut)), history(&whole));
    }
}
