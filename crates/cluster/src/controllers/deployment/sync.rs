//! Scaling, pausing and the status of a Deployment.
//!
//! Source: pkg/controller/deployment/sync.go (v1.37).

use super::super::queue::SyncError;
use super::super::values::{flag, int, set_spec, spec, status, text};
use super::Sync;
use super::replica_sets::Replicas;
use super::rollback::rollback_to;
use super::util::{self, DESIRED_REPLICAS, MAX_REPLICAS, Sets, active, counted, replicas, sum};
use crate::apiserver::DeleteOptions;
use crate::recorder::EventType;
use podlab_api::stable_sort::stable_sort_by;
use podlab_api::{Object, kinds};
use serde_json::{Map, Value};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

impl Sync<'_, '_> {
    pub(super) fn sync_status_only(&mut self, sets: &Sets) -> Result<(), SyncError> {
        let found = self.replicas(sets, false)?;
        self.sync_deployment_status(&found)
    }

    /// What is done while paused, or when the count has changed.
    pub(super) fn sync_scale(&mut self, sets: &Sets) -> Result<(), SyncError> {
        let mut found = self.replicas(sets, false)?;
        self.scale(&mut found)?;
        if flag(spec(&self.deployment, "paused")) && rollback_to(&self.deployment).is_none() {
            self.cleanup(&found.old)?;
        }
        self.sync_deployment_status(&found)
    }

    /// A pause is shown as a condition, so that nobody misses progress meanwhile.
    pub(super) fn check_paused_conditions(&mut self) -> Result<(), SyncError> {
        if util::progress_deadline(&self.deployment).is_none() {
            return Ok(());
        }
        let status = util::status_of(&self.deployment);
        let reason = text(util::condition(&status, "Progressing").and_then(|c| c.get("reason"))).to_owned();
        if reason == "ProgressDeadlineExceeded" {
            return Ok(());
        }
        let (paused, was_paused) = (flag(spec(&self.deployment, "paused")), reason == "DeploymentPaused");
        match (paused, was_paused) {
            (true, false) => self.progressing("Unknown", "DeploymentPaused", "Deployment is paused"),
            (false, true) => self.progressing("Unknown", "DeploymentResumed", "Deployment is resumed"),
            _ => return Ok(()),
        }
        self.update_status()
    }

    /// Whether the count has changed since ReplicaSets were last scaled for it.
    pub(super) fn is_scaling_event(&mut self, sets: &Sets) -> Result<bool, SyncError> {
        let found = self.replicas(sets, false)?;
        let wanted = replicas(&self.deployment);
        let differs = |set: &Arc<Object>| util::noted(set, DESIRED_REPLICAS).is_some_and(|n| n != wanted);
        Ok(active(&found.all()).iter().any(differs))
    }

    fn scale(&mut self, found: &mut Replicas) -> Result<(), SyncError> {
        found.old.sort_by(|a, b| util::older_first(b, a));
        let running = active(&found.all());
        let latest = || found.newest.as_ref().or(found.old.first()).cloned();
        let only = match running.as_slice() {
            [] => latest(),
            [one] => Some(one.clone()),
            _ => None,
        };
        let wanted = replicas(&self.deployment);
        if running.is_empty() && only.is_none() {
            // There is nothing yet that could be scaled.
        } else if let Some(only) = only {
            self.scale_replica_set(&only, wanted, false)?;
            return Ok(());
        }
        if found.newest.as_ref().is_some_and(|newest| self.is_saturated(newest)) {
            for old in active(&found.old) {
                self.scale_replica_set(&old, 0, false)?;
            }
            return Ok(());
        }
        if self.strategy_text() == "RollingUpdate" {
            self.scale_proportionally(running, wanted)?;
        }
        Ok(())
    }

    /// Shares what is to be added or removed out among the ReplicaSets that have pods, by their size.
    fn scale_proportionally(&mut self, mut sets: Sets, wanted: i64) -> Result<(), SyncError> {
        let allowed = if wanted > 0 { wanted + util::max_surge(&self.deployment) } else { 0 };
        let to_add = allowed - sum(&sets, replicas);
        if to_add > 0 {
            sets.sort_by(|a, b| {
                Reverse(replicas(a)).cmp(&Reverse(replicas(b))).then_with(|| util::older_first(b, a))
            });
        } else if to_add < 0 {
            sets.sort_by(|a, b| {
                Reverse(replicas(a)).cmp(&Reverse(replicas(b))).then_with(|| util::older_first(a, b))
            });
        }
        let mut added = 0;
        let mut sizes: BTreeMap<String, i64> = BTreeMap::new();
        for set in &sets {
            let share = self.proportion(set, to_add, added);
            sizes.insert(set.name().to_owned(), replicas(set) + share);
            added += share;
        }
        for (at, set) in sets.iter().enumerate() {
            let mut size = sizes.get(set.name()).copied().unwrap_or(0);
            if at == 0 && to_add != 0 {
                size = (size + to_add - added).max(0);
            }
            self.scale_replica_set(set, size, true)?;
        }
        Ok(())
    }

    /// Source: deployment_util.go `GetReplicaSetProportion`, `getReplicaSetFraction`.
    fn proportion(&self, set: &Object, to_add: i64, added: i64) -> i64 {
        let size = replicas(set);
        if size == 0 || to_add == 0 || to_add == added {
            return 0;
        }
        let left = to_add - added;
        let fraction = self.fraction(set, size);
        if to_add > 0 { fraction.min(left) } else { fraction.max(left) }
    }

    fn fraction(&self, set: &Object, size: i64) -> i64 {
        let wanted = replicas(&self.deployment);
        if wanted == 0 {
            return -size;
        }
        let most = wanted + util::max_surge(&self.deployment);
        let before = util::noted(set, MAX_REPLICAS).filter(|before| *before != 0);
        let before = before.unwrap_or_else(|| counted(&self.deployment, "replicas"));
        if before == 0 {
            return 0;
        }
        let exact = (size * most) as f64 / before as f64;
        let rounded = if exact < 0.0 { libm::ceil(exact - 0.5) } else { libm::floor(exact + 0.5) };
        rounded as i64 - size
    }

    /// Whether the newest ReplicaSet runs all replicas by itself.
    fn is_saturated(&self, set: &Object) -> bool {
        let wanted = replicas(&self.deployment);
        replicas(set) == wanted
            && util::noted(set, DESIRED_REPLICAS) == Some(wanted)
            && counted(set, "availableReplicas") == wanted
    }

    /// Scales a ReplicaSet; says whether it was, and gives it as it is then. With `force` its annotations are brought
    /// up to date as well where the size is right.
    pub(super) fn scale_replica_set(
        &mut self,
        set: &Arc<Object>,
        size: i64,
        force: bool,
    ) -> Result<(bool, Arc<Object>), SyncError> {
        let before = replicas(set);
        if !force && before == size {
            return Ok((false, set.clone()));
        }
        let mut changed = (**set).clone();
        let annotated = self.annotate_replicas(&mut changed);
        if before == size && !annotated {
            return Ok((false, set.clone()));
        }
        set_spec(&mut changed, "replicas", size.into());
        let stored = self.cx.api.update(changed)?;
        if before == size {
            return Ok((false, stored));
        }
        let way = if before < size { "up" } else { "down" };
        let message = format!("Scaled {way} replica set {} from {before} to {size}", set.name());
        self.event(EventType::Normal, "ScalingReplicaSet", &message);
        Ok((true, stored))
    }

    /// Deletes the oldest ReplicaSets beyond the history limit.
    pub(super) fn cleanup(&mut self, old: &Sets) -> Result<(), SyncError> {
        let limit = int(spec(&self.deployment, "revisionHistoryLimit"));
        let Some(limit) = limit.filter(|limit| *limit != i64::from(i32::MAX)) else { return Ok(()) };
        let mut cleanable: Sets = old.iter().filter(|set| !set.is_terminating()).cloned().collect();
        let excess = cleanable.len().saturating_sub(usize::try_from(limit).unwrap_or(0));
        cleanable = stable_sort_by(cleanable, &|a, b| match (util::revision(a), util::revision(b)) {
            (Some(first), Some(second)) if first != second => first < second,
            _ => util::older_first(a, b).is_lt(),
        });
        for set in cleanable.iter().take(excess) {
            let seen = set.metadata.generation.unwrap_or(0) <= counted(set, "observedGeneration");
            if counted(set, "replicas") != 0 || replicas(set) != 0 || !seen {
                continue;
            }
            let options = DeleteOptions::default();
            match self.cx.api.delete(&kinds::REPLICA_SET, set.namespace(), set.name(), &options) {
                Err(status) if !status.is_not_found() => return Err(status.into()),
                _ => {}
            }
        }
        Ok(())
    }

    fn sync_deployment_status(&mut self, found: &Replicas) -> Result<(), SyncError> {
        let new = self.calculate_status(found);
        if new == util::status_of(&self.deployment) {
            return Ok(());
        }
        self.put_status(new);
        self.update_status()
    }

    pub(super) fn calculate_status(&self, found: &Replicas) -> Map<String, Value> {
        let all = found.all();
        let newest: &[Arc<Object>] = found.newest.as_slice();
        let available = sum(&all, |set| counted(set, "availableReplicas"));
        let wanted = replicas(&self.deployment);
        let counts = [
            ("observedGeneration", self.deployment.metadata.generation.unwrap_or(0)),
            ("replicas", sum(&all, |set| counted(set, "replicas"))),
            ("updatedReplicas", sum(newest, |set| counted(set, "replicas"))),
            ("readyReplicas", sum(&all, |set| counted(set, "readyReplicas"))),
            ("availableReplicas", available),
            ("unavailableReplicas", (sum(&all, replicas) - available).max(0)),
        ];
        let mut new = Map::new();
        for (name, count) in counts.into_iter().filter(|(_, count)| *count != 0) {
            new.insert(name.to_owned(), count.into());
        }
        if let Some(terminating) = terminating(&all) {
            new.insert("terminatingReplicas".to_owned(), terminating.into());
        }
        for kept in ["collisionCount", "conditions"] {
            if let Some(value) = status(&self.deployment, kept) {
                new.insert(kept.to_owned(), value.clone());
            }
        }
        let (status, reason, message) = if available >= wanted - util::max_unavailable(&self.deployment) {
            ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
        } else {
            ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
        };
        util::set_condition(
            &mut new,
            util::new_condition("Available", status, reason, message, self.cx.now()),
        );
        new
    }
}

/// The pods that are going, as far as the ReplicaSets tell.
///
/// Source: deployment_util.go `GetTerminatingReplicaCountForReplicaSets`.
fn terminating(sets: &[Arc<Object>]) -> Option<i64> {
    let mut total = 0;
    for set in sets {
        match int(status(set, "terminatingReplicas")) {
            Some(count) => total += count,
            None if counted(set, "observedGeneration") == 0 => {}
            None => return None,
        }
    }
    Some(total)
}
