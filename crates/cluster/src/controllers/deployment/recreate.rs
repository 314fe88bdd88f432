//! The strategy Recreate: all old pods go before the first new one comes.
//!
//! Source: pkg/controller/deployment/recreate.go (v1.37).

use super::super::controller_ref::is_controlled_by;
use super::super::pods;
use super::super::queue::Outcome;
use super::Sync;
use super::replica_sets::Replicas;
use super::util::{self, Sets, counted, replicas, sum};
use podlab_api::kinds;

impl Sync<'_, '_> {
    pub(super) fn rollout_recreate(&mut self, sets: &Sets) -> Outcome {
        let mut found = self.replicas(sets, false)?;
        let mut scaled_down = false;
        for old in util::active(&found.old) {
            scaled_down |= self.scale_replica_set(&old, 0, false)?.0;
        }
        if scaled_down || self.old_pods_running(&found, sets) {
            return self.sync_rollout_status(&found);
        }
        if found.newest.is_none() {
            found = self.replicas(sets, true)?;
        }
        if let Some(newest) = found.newest.clone() {
            self.scale_replica_set(&newest, replicas(&self.deployment), false)?;
        }
        if util::is_complete(&self.deployment, &util::status_of(&self.deployment)) {
            self.cleanup(&found.old)?;
        }
        self.sync_rollout_status(&found)
    }

    fn old_pods_running(&self, found: &Replicas, sets: &Sets) -> bool {
        if sum(&found.old, |set| counted(set, "replicas")) > 0 {
            return true;
        }
        let newest = found.newest.as_ref().map(|set| set.uid());
        let store = self.cx.api.store();
        sets.iter().filter(|set| Some(set.uid()) != newest).any(|set| {
            let mut pods = store
                .dependents(set.uid())
                .filter(|object| *object.kind == kinds::POD && is_controlled_by(object, set.uid()));
            pods.any(|pod| !pods::is_terminal(pod))
        })
    }
}
