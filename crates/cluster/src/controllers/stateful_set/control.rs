//! What a StatefulSet's pods are to become, one step at a time.
//!
//! Source: pkg/controller/statefulset/stateful_set_control.go (v1.37).

use super::super::pod_control::{PodTemplate, slow_start_batch};
use super::super::pods;
use super::super::queue::SyncError;
use super::super::values::{int, set_status, spec, status, text};
use super::StatefulSetController;
use super::revisions::{self, Revisions};
use super::utils::{
    identity_matches, in_range, is_created, is_running_and_ready, is_unavailable, new_pod, ordinal,
    pod_revision, replicas, start_ordinal, storage_matches,
};
use crate::world::Cx;
use podlab_api::int_or_string::{Rounding, parse, scaled_value};
use podlab_api::{Object, Status as ApiStatus};
use serde_json::{Map, Value};
use std::sync::Arc;

type Pods = Vec<Arc<Object>>;

/// The counts of a status.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    replicas: i64,
    pub(super) ready: i64,
    pub(super) available: i64,
    current: i64,
    updated: i64,
}

/// What one sync goes by.
struct Plan<'a> {
    set: &'a Arc<Object>,
    revisions: &'a Revisions,
    min_ready: i64,
    /// One pod after the other.
    monotonic: bool,
    /// One pod an ordinal; those that do not exist have no phase.
    replicas: Pods,
    /// Pods beyond the range, the highest ordinal first.
    condemned: Pods,
}

impl Plan<'_> {
    fn counts(&self, cx: &Cx<'_>) -> Counts {
        counts(self.replicas.iter().chain(&self.condemned), self.revisions, self.min_ready, cx)
    }

    fn unavailable(&self, pod: &Object, cx: &Cx<'_>) -> bool {
        is_unavailable(pod, self.min_ready, cx.now())
    }
}

fn counts<'a>(
    pods: impl Iterator<Item = &'a Arc<Object>>,
    revisions: &Revisions,
    min_ready: i64,
    cx: &Cx<'_>,
) -> Counts {
    let mut counts = Counts::default();
    for pod in pods {
        counts.replicas += i64::from(is_created(pod));
        if is_running_and_ready(pod) {
            counts.ready += 1;
            counts.available += i64::from(pods::is_available(pod, min_ready, cx.now()));
        }
        if is_created(pod) && !pod.is_terminating() {
            counts.current += i64::from(pod_revision(pod) == revisions.current.name());
            counts.updated += i64::from(pod_revision(pod) == revisions.update.name());
        }
    }
    counts
}

/// Whether the sync ends here.
type Step = Result<bool, SyncError>;

impl StatefulSetController {
    pub(super) fn update_stateful_set(
        &mut self,
        set: &Arc<Object>,
        pods: &[Arc<Object>],
        mut known: Vec<Arc<Object>>,
        cx: &mut Cx<'_>,
    ) -> Result<Counts, SyncError> {
        let revisions = revisions::find(set, &mut known, cx)?;
        let (counts, result) = self.step(set, &revisions, pods, cx);
        let written = write_status(set, &revisions, counts, cx);
        let truncated = revisions::truncate(set, pods, &known, &revisions, cx);
        result.and(written).and(truncated)?;
        Ok(counts)
    }

    /// Does what can be done now; gives the counts as they were before, but for what the rules subtract.
    fn step(
        &mut self,
        set: &Arc<Object>,
        revisions: &Revisions,
        pods: &[Arc<Object>],
        cx: &mut Cx<'_>,
    ) -> (Counts, Result<(), SyncError>) {
        let min_ready = int(spec(set, "minReadySeconds")).unwrap_or(0);
        let before = counts(pods.iter(), revisions, min_ready, cx);
        let Some(plan) = plan(set, revisions, min_ready, pods) else { return (before, Ok(())) };
        if set.is_terminating() {
            return (before, Ok(()));
        }
        match self.establish(&plan, cx) {
            Ok(false) => {}
            Ok(true) => return (plan.counts(cx), Ok(())),
            Err(error) => return (plan.counts(cx), Err(error)),
        }
        let mut counts = plan.counts(cx);
        let strategy = text(spec(set, "updateStrategy").and_then(|strategy| strategy.get("type")));
        if strategy == "OnDelete" {
            return (counts, Ok(()));
        }
        let result = self.replace_old(&plan, &mut counts, cx);
        (counts, result)
    }

    /// Makes every pod that should be there exist and be ready, and those that should not be go.
    fn establish(&mut self, plan: &Plan<'_>, cx: &mut Cx<'_>) -> Step {
        if self.for_all(plan.monotonic, &plan.replicas, cx, |this, pod, cx| {
            this.process_replica(plan, pod, cx)
        })? {
            return Ok(true);
        }
        let fixed = self.for_all(plan.monotonic, &plan.condemned, cx, |this, pod, cx| {
            if !this.claims_match(plan.set, pod, cx) {
                this.update_claims(plan.set, pod, cx)?;
            }
            Ok(false)
        })?;
        if fixed {
            return Ok(true);
        }
        let unhealthy = plan.replicas.iter().chain(plan.condemned.iter().rev());
        let unhealthy: Vec<&Arc<Object>> = unhealthy.filter(|pod| plan.unavailable(pod, cx)).collect();
        let first = unhealthy.first().map(|pod| pod.name().to_owned());
        self.for_all(plan.monotonic, &plan.condemned, cx, |this, pod, cx| {
            this.process_condemned(plan, pod, first.as_deref(), cx)
        })
    }

    /// Calls `act` for one pod after the other until one says stop, or for all of them in growing batches.
    fn for_all(
        &mut self,
        monotonic: bool,
        pods: &[Arc<Object>],
        cx: &mut Cx<'_>,
        mut act: impl FnMut(&mut Self, &Arc<Object>, &mut Cx<'_>) -> Step,
    ) -> Step {
        if monotonic {
            for pod in pods {
                if act(self, pod, cx)? {
                    return Ok(true);
                }
            }
            return Ok(false);
        }
        let order = in_batches(pods, cx);
        let (_, failure) = slow_start_batch(pods.len(), |at| match order.get(at) {
            Some(pod) => match act(self, pod, cx) {
                Ok(_) => Ok(()),
                Err(_) => Err(ApiStatus::internal_error("")),
            },
            None => Ok(()),
        });
        if failure.is_some() { Err(SyncError::AGAIN) } else { Ok(false) }
    }

    fn process_replica(&mut self, plan: &Plan<'_>, pod: &Arc<Object>, cx: &mut Cx<'_>) -> Step {
        let set = plan.set;
        if pods::is_terminal(pod) {
            if !pod.is_terminating() {
                self.delete_pod(set, pod, cx)?;
            }
            return Ok(true);
        }
        if !is_created(pod) {
            if self.claim_is_stale(set, pod, cx) {
                return Ok(true);
            }
            self.create_pod(set, pod, cx)?;
            if plan.monotonic {
                return Ok(true);
            }
        }
        if pods::phase(pod) == "Pending" {
            if self.create_claims(set, pod, cx).is_err() {
                return Err(SyncError::AGAIN);
            }
            self.update_claims(set, pod, cx)?;
        }
        if plan.monotonic
            && (pod.is_terminating()
                || !is_running_and_ready(pod)
                || !pods::is_available(pod, plan.min_ready, cx.now()))
        {
            return Ok(true);
        }
        if is_created(pod)
            && !(identity_matches(set, pod) && storage_matches(set, pod) && self.claims_match(set, pod, cx))
        {
            self.update_pod(set, pod, cx)?;
        }
        Ok(false)
    }

    fn process_condemned(
        &mut self,
        plan: &Plan<'_>,
        pod: &Arc<Object>,
        first_unhealthy: Option<&str>,
        cx: &mut Cx<'_>,
    ) -> Step {
        if pod.is_terminating() {
            return Ok(plan.monotonic);
        }
        let healthy = is_running_and_ready(pod) && pods::is_available(pod, plan.min_ready, cx.now());
        if !healthy && plan.monotonic && first_unhealthy != Some(pod.name()) {
            return Ok(true);
        }
        self.delete_pod(plan.set, pod, cx)?;
        Ok(true)
    }

    /// Deletes pods of an old revision, as many as may be missing at once.
    ///
    /// Source: `updateStatefulSetAfterInvariantEstablished`.
    fn replace_old(
        &mut self,
        plan: &Plan<'_>,
        counts: &mut Counts,
        cx: &mut Cx<'_>,
    ) -> Result<(), SyncError> {
        let rolling = spec(plan.set, "updateStrategy").and_then(|strategy| strategy.get("rollingUpdate"));
        let partition = int(rolling.and_then(|rolling| rolling.get("partition"))).unwrap_or(0);
        let partition = usize::try_from(partition).unwrap_or(0);
        let most = match rolling.and_then(|rolling| rolling.get("maxUnavailable")) {
            Some(Value::String(text)) => parse(text),
            Some(other) if !other.is_null() => parse(&other.to_string()),
            _ => parse("1"),
        };
        let most = scaled_value(&most, replicas(plan.set), Rounding::Down).unwrap_or(1).max(1);
        let is_old = |pod: &Object| pod_revision(pod) != plan.revisions.update.name();
        let missing: Pods = plan.replicas.iter().filter(|pod| plan.unavailable(pod, cx)).cloned().collect();
        let count = i64::try_from(missing.len()).unwrap_or(i64::MAX);
        let broken = |pod: &Arc<Object>| is_old(pod) && !pod.is_terminating();
        let broken_old = !plan.monotonic && missing.iter().any(broken);
        if count >= most && !broken_old {
            return Ok(());
        }
        let targets: Pods = plan.replicas.iter().skip(partition).rev().cloned().collect();
        let mut doomed = Pods::new();
        let room = usize::try_from(most - count).unwrap_or(0);
        if plan.monotonic {
            doomed.extend(targets.iter().filter(|pod| broken(pod)).take(room).cloned());
        } else {
            let available = |pod: &Object| pods::is_available(pod, plan.min_ready, cx.now());
            doomed.extend(targets.iter().filter(|pod| broken(pod) && !available(pod)).cloned());
            let whole = targets.iter().filter(|pod| is_old(pod) && !plan.unavailable(pod, cx));
            doomed.extend(whole.take(room).cloned());
        }
        for pod in &doomed {
            self.delete_pod(plan.set, pod, cx)?;
            counts.current -= 1;
        }
        Ok(())
    }
}

/// Lays out which pod has which ordinal, with pods yet to be made where there is none.
fn plan<'a>(
    set: &'a Arc<Object>,
    revisions: &'a Revisions,
    min_ready: i64,
    pods: &[Arc<Object>],
) -> Option<Plan<'a>> {
    let start = start_ordinal(set);
    let count = usize::try_from(replicas(set)).unwrap_or(0);
    let mut slots: Vec<Option<Arc<Object>>> = vec![None; count];
    let mut condemned = Pods::new();
    for pod in pods {
        let place = usize::try_from(ordinal(pod) - start).ok();
        match place.and_then(|place| slots.get_mut(place)) {
            Some(slot) if in_range(pod, set) => *slot = Some(pod.clone()),
            _ if ordinal(pod) >= 0 => condemned.push(pod.clone()),
            _ => {}
        }
    }
    let mut laid_out = Pods::with_capacity(count);
    let mut templates: Option<(PodTemplate, PodTemplate)> = None;
    for (place, slot) in slots.into_iter().enumerate() {
        let ordinal = start + i64::try_from(place).unwrap_or(0);
        laid_out.push(match slot {
            Some(pod) => pod,
            None => {
                let (current, update) = match &templates {
                    Some(templates) => templates,
                    None => templates.insert((
                        revisions::template(&revisions.current)?,
                        revisions::template(&revisions.update)?,
                    )),
                };
                let pod = if is_kept_back(set, ordinal - start) {
                    new_pod(set, current, revisions.current.name(), ordinal)
                } else {
                    new_pod(set, update, revisions.update.name(), ordinal)
                };
                Arc::new(pod)
            }
        });
    }
    condemned.sort_by_key(|pod| std::cmp::Reverse(ordinal(pod)));
    let monotonic = text(spec(set, "podManagementPolicy")) != "Parallel";
    Some(Plan { set, revisions, min_ready, monotonic, replicas: laid_out, condemned })
}

/// Whether a pod is made from the revision before, since the update has not come to it.
///
/// Source: stateful_set_utils.go `newVersionedStatefulSetPod`.
fn is_kept_back(set: &Object, place: i64) -> bool {
    let Some(strategy) = spec(set, "updateStrategy") else { return false };
    match strategy.get("rollingUpdate").filter(|rolling| !rolling.is_null()) {
        Some(rolling) => place < int(rolling.get("partition")).unwrap_or(0),
        None if text(strategy.get("type")) == "RollingUpdate" => {
            place < int(status(set, "currentReplicas")).unwrap_or(0)
        }
        None => false,
    }
}

/// Writes the status where it differs.
fn write_status(
    set: &Arc<Object>,
    revisions: &Revisions,
    mut counts: Counts,
    cx: &mut Cx<'_>,
) -> Result<(), SyncError> {
    let wanted = replicas(set);
    let mut current = revisions.current.name();
    if counts.updated == wanted && counts.ready == wanted && counts.replicas == wanted {
        counts.current = counts.updated;
        current = revisions.update.name();
    }
    let before = set.field("status").and_then(Value::as_object);
    let mut status: Map<String, Value> = Map::new();
    if let Some(conditions) = before.and_then(|before| before.get("conditions")) {
        status.insert("conditions".to_owned(), conditions.clone());
    }
    let always = [
        ("replicas", counts.replicas),
        ("availableReplicas", counts.available),
        ("collisionCount", revisions.collisions),
    ];
    let unless_zero = [
        ("observedGeneration", set.metadata.generation.unwrap_or(0)),
        ("readyReplicas", counts.ready),
        ("currentReplicas", counts.current),
        ("updatedReplicas", counts.updated),
    ];
    for (name, count) in always.into_iter().chain(unless_zero.into_iter().filter(|(_, n)| *n != 0)) {
        status.insert(name.to_owned(), count.into());
    }
    status.insert("currentRevision".to_owned(), current.into());
    status.insert("updateRevision".to_owned(), revisions.update.name().into());
    if before == Some(&status) {
        return Ok(());
    }
    set_status(set, Value::Object(status), cx)?;
    Ok(())
}

/// Pods in the order in which batches of growing size come to them, within a batch a drawn one: all of it begins at once.
///
/// Source: stateful_set_control.go `slowStartBatch`.
fn in_batches<'a>(pods: &'a [Arc<Object>], cx: &Cx<'_>) -> Vec<&'a Arc<Object>> {
    let first = pods.first().map_or("", |pod| pod.name());
    let mut draw = cx.draw("statefulset-batch", first, cx.now().as_nanos() as u64);
    let (mut order, mut rest, mut size): (Vec<&Arc<Object>>, _, usize) = (Vec::new(), pods, 1);
    while !rest.is_empty() {
        let (batch, after) = rest.split_at(size.min(rest.len()));
        let mut batch: Vec<&Arc<Object>> = batch.iter().collect();
        while !batch.is_empty() {
            order.push(batch.swap_remove(draw.below(batch.len() as u64) as usize));
        }
        (rest, size) = (after, size * 2);
    }
    order
}
