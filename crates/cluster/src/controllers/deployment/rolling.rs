//! The strategy RollingUpdate: new pods take the place of old ones, a few at a time.
//!
//! Source: pkg/controller/deployment/rolling.go (v1.37).

use super::super::queue::{Outcome, SyncError};
use super::Sync;
use super::replica_sets::Replicas;
use super::util::{self, Sets, counted, replicas, sum};
use podlab_api::Object;
use std::sync::Arc;

impl Sync<'_, '_> {
    pub(super) fn rollout_rolling(&mut self, sets: &Sets) -> Outcome {
        let found = self.replicas(sets, true)?;
        let Some(newest) = found.newest.clone() else { return Ok(None) };
        if self.reconcile_new(&found, &newest)? || self.reconcile_old(&found, &newest)? {
            return self.sync_rollout_status(&found);
        }
        if util::is_complete(&self.deployment, &util::status_of(&self.deployment)) {
            self.cleanup(&found.old)?;
        }
        self.sync_rollout_status(&found)
    }

    /// Scales the newest ReplicaSet as far as the surge allows; says whether it was.
    fn reconcile_new(&mut self, found: &Replicas, newest: &Arc<Object>) -> Result<bool, SyncError> {
        let (present, wanted) = (replicas(newest), replicas(&self.deployment));
        let size = if present > wanted { wanted } else { self.new_replicas(&found.all(), present) };
        Ok(present != wanted && self.scale_replica_set(newest, size, false)?.0)
    }

    /// Scales the others down as far as availability allows; says whether any was.
    fn reconcile_old(&mut self, found: &Replicas, newest: &Arc<Object>) -> Result<bool, SyncError> {
        let mut old = util::active(&found.old);
        if old.is_empty() {
            return Ok(false);
        }
        let least = replicas(&self.deployment) - util::max_unavailable(&self.deployment);
        let new_unavailable = replicas(newest) - counted(newest, "availableReplicas");
        let most = sum(&found.all(), replicas) - least - new_unavailable;
        if most <= 0 {
            return Ok(false);
        }
        // What fails here is tried again at the next look, without a delay.
        let Ok(unhealthy) = self.cleanup_unhealthy(&mut old, most) else { return Ok(false) };
        let Ok(healthy) = self.scale_down_old(&old, newest, least) else { return Ok(false) };
        Ok(unhealthy + healthy > 0)
    }

    /// Pods that are not available go first, since nobody misses them; gives how many.
    fn cleanup_unhealthy(&mut self, old: &mut Sets, most: i64) -> Result<i64, SyncError> {
        old.sort_by(util::older_first);
        let mut total = 0;
        for set in old.iter_mut() {
            if total >= most {
                break;
            }
            let unavailable = replicas(set) - counted(set, "availableReplicas");
            if replicas(set) == 0 || unavailable == 0 {
                continue;
            }
            let count = unavailable.min(most - total);
            if count < 0 {
                return Err(SyncError::AGAIN);
            }
            *set = self.scale_replica_set(set, replicas(set) - count, false)?.1;
            total += count;
        }
        Ok(total)
    }

    fn scale_down_old(&mut self, old: &Sets, newest: &Arc<Object>, least: i64) -> Result<i64, SyncError> {
        let available =
            sum(old, |set| counted(set, "availableReplicas")) + counted(newest, "availableReplicas");
        let most = available - least;
        let mut total = 0;
        let mut old = old.clone();
        old.sort_by(util::older_first);
        for set in &old {
            if total >= most {
                break;
            }
            if replicas(set) == 0 {
                continue;
            }
            let count = replicas(set).min(most - total);
            self.scale_replica_set(set, replicas(set) - count, false)?;
            total += count;
        }
        Ok(total)
    }
}
