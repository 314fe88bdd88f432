//! Making the pods that a Job lacks and deleting those that are too many.
//!
//! Source: pkg/controller/job/job_controller.go `manageJob` (v1.37).

use super::super::pod_control::{PodTemplate, create_pod, delete_pod, slow_start_batch};
use super::super::pods;
use super::super::queue::{SyncError, is_namespace_terminating};
use super::indexes::{FAILURES, IGNORED_FAILURES, INDEX, failures, index_of, indexes_of};
use super::{BATCH_PERIOD, JobController, Sync, TRACKING, backoff, is_tracked};
use crate::world::Cx;
use k8s_openapi::api::core::v1::{Container, EnvVar, EnvVarSource, ObjectFieldSelector};
use podlab_api::{Body, Object, kinds};
use std::cell::Cell;
use std::sync::Arc;

/// Source: job_controller.go `MaxPodCreateDeletePerSync`.
const MAX_PER_SYNC: i64 = 500;
const INDEX_VARIABLE: &str = "JOB_COMPLETION_INDEX";

type Done = Result<(), SyncError>;

impl JobController {
    /// Gives how many pods are active then.
    pub(super) fn manage(&mut self, sync: &mut Sync, cx: &mut Cx<'_>) -> (i64, Done) {
        let active = i64::try_from(sync.active_pods.len()).unwrap_or(i64::MAX);
        if sync.spec.suspend {
            let doomed = sync.for_removal(active);
            return self.remove(sync, doomed, active, cx);
        }
        let wanted = match sync.spec.completions {
            None if sync.succeeded > 0 => active,
            None => sync.spec.parallelism,
            Some(completions) => (completions - sync.succeeded).min(sync.spec.parallelism).max(0),
        };
        let mut doomed = sync.for_removal((active - wanted).max(0));
        if !doomed.is_empty() {
            doomed.truncate(usize::try_from(MAX_PER_SYNC).unwrap_or(usize::MAX));
            return self.remove(sync, doomed, active, cx);
        }
        let going = if sync.spec.only_replace_failed { sync.terminating } else { 0 };
        let lacking = (wanted - going - active).min(MAX_PER_SYNC);
        if lacking <= 0 {
            return (active, Ok(()));
        }
        let now = cx.now();
        if sync.spec.backoff_limit_per_index.is_none()
            && let Some(at) = sync.record.until(now)
        {
            sync.later(at.max(now + BATCH_PERIOD));
            return (active, Ok(()));
        }
        let Some(indexes) = sync.lacking_indexes(lacking, now) else { return (active, Ok(())) };
        self.add(sync, &indexes, active, cx)
    }

    /// Makes one pod for each of `indexes`.
    fn add(&mut self, sync: &Sync, indexes: &[Option<i64>], active: i64, cx: &mut Cx<'_>) -> (i64, Done) {
        let Some(template) = PodTemplate::of(&sync.job) else { return (active, Ok(())) };
        let recorder = &mut self.recorder;
        let made = Cell::new(0i64);
        let (_, failure) = slow_start_batch(indexes.len(), |at| {
            let mut pod = template.pod(&sync.job);
            let finalizers = pod.metadata.finalizers.get_or_insert_default();
            if !finalizers.iter().any(|known| known == TRACKING) {
                finalizers.push(TRACKING.to_owned());
            }
            if let Some(index) = indexes.get(at).copied().flatten() {
                sync.give_index(&mut pod, index);
            }
            match create_pod(pod, &sync.job, recorder, cx) {
                Err(status) if !is_namespace_terminating(&status) => Err(status),
                _ => {
                    made.set(made.get() + 1);
                    Ok(())
                }
            }
        });
        (active + made.get(), failure.map_or(Ok(()), |status| Err(status.into())))
    }

    /// Deletes pods that are not wanted any more, without waiting for them to be counted.
    fn remove(
        &mut self,
        sync: &mut Sync,
        doomed: Vec<Arc<Object>>,
        active: i64,
        cx: &mut Cx<'_>,
    ) -> (i64, Done) {
        for pod in doomed.iter().filter(|pod| is_tracked(pod)) {
            untrack(pod, cx);
        }
        let (ready, removed, result) = self.delete_active_pods(sync, &doomed, cx);
        sync.terminating += removed;
        sync.ready -= ready;
        (active - removed, result)
    }

    /// Deletes pods; gives how many of them were ready, how many went, and the first failure.
    pub(super) fn delete_active_pods(
        &mut self,
        sync: &Sync,
        doomed: &[Arc<Object>],
        cx: &mut Cx<'_>,
    ) -> (i64, i64, Done) {
        let (mut ready, mut deleted) = (0, 0);
        let mut result = Ok(());
        for pod in doomed {
            ready += i64::from(pods::is_ready(pod));
            match delete_pod(pod.name(), &sync.job, &mut self.recorder, cx) {
                Err(status) if !status.is_not_found() => result = result.and(Err(status.into())),
                _ => deleted += 1,
            }
        }
        (ready, deleted, result)
    }
}

/// Takes the finalizer from a pod; says whether it has none then.
pub(super) fn untrack(pod: &Object, cx: &mut Cx<'_>) -> bool {
    use crate::apiserver::registry::UpdateError;
    let changed = cx.api.modify(&kinds::POD, pod.namespace(), pod.name(), None, |pod| {
        if let Some(finalizers) = &mut pod.metadata.finalizers {
            finalizers.retain(|known| known != TRACKING);
            if finalizers.is_empty() {
                pod.metadata.finalizers = None;
            }
        }
    });
    match changed {
        Ok(_) | Err(UpdateError::NotFound) => true,
        Err(UpdateError::Refused(status)) => status.is_not_found(),
    }
}

impl Sync {
    /// The indexes that pods are to be made for now (`None` where pods have none); `None` where none is.
    fn lacking_indexes(&mut self, lacking: i64, now: podlab_sim::SimTime) -> Option<Vec<Option<i64>>> {
        let count = usize::try_from(lacking).unwrap_or(0);
        let Some(completions) = self.spec.completions.filter(|_| self.spec.indexed) else {
            return Some(vec![None; count]);
        };
        let mut taken = self.succeeded_indexes.with(&indexes_of(&self.active_pods));
        if self.spec.only_replace_failed {
            let going: Vec<Arc<Object>> =
                self.pods.iter().filter(|pod| pods::is_going(pod)).cloned().collect();
            taken = taken.with(&indexes_of(&going));
        }
        if let Some(failed) = &self.failed_indexes {
            taken = taken.merge(failed);
        }
        let mut pending = taken.first_missing(count, completions);
        if self.spec.backoff_limit_per_index.is_some() {
            let waits =
                |index: &i64| self.delayed.get(index).and_then(|pod| backoff::until_for_index(pod, now));
            let earliest = pending.iter().filter_map(waits).min();
            pending.retain(|index| waits(index).is_none());
            if pending.is_empty() {
                if let Some(at) = earliest {
                    self.later(at.max(now + BATCH_PERIOD));
                }
                return None;
            }
        }
        Some(pending.into_iter().map(Some).collect())
    }

    /// Makes a pod the one of an index.
    fn give_index(&self, pod: &mut Object, index: i64) {
        let name = self.job.name();
        let suffix = format!("-{index}-");
        // Source: `podGenerateNameWithIndex`: the whole stays within 58 characters.
        let base: String = name.chars().take(58usize.saturating_sub(suffix.len())).collect();
        pod.metadata.generate_name = Some(format!("{base}{suffix}"));
        let annotations = pod.metadata.annotations.get_or_insert_default();
        annotations.insert(INDEX.to_owned(), index.to_string());
        if self.spec.backoff_limit_per_index.is_some() {
            let (counted, ignored) = self.failures_of(index);
            annotations.insert(FAILURES.to_owned(), counted.to_string());
            if ignored > 0 {
                annotations.insert(IGNORED_FAILURES.to_owned(), ignored.to_string());
            }
        }
        pod.metadata.labels.get_or_insert_default().insert(INDEX.to_owned(), index.to_string());
        let Body::Pod { spec, .. } = &mut pod.body else { return };
        let spec = Arc::make_mut(spec);
        spec.hostname = Some(format!("{name}-{index}"));
        for container in spec.init_containers.iter_mut().flatten().chain(&mut spec.containers) {
            add_variable(container);
        }
    }

    /// How often an index has failed, counted and ignored.
    fn failures_of(&self, index: i64) -> (i64, i64) {
        let Some(pod) = self.delayed.get(&index) else { return (0, 0) };
        let (counted, all) = failures(pod);
        let counts = self.spec.policy.judge(pod).counts;
        (counted + i64::from(counts), all - counted + i64::from(!counts))
    }

    /// At least so many active pods, those that are least of use first.
    fn for_removal(&self, at_least: i64) -> Vec<Arc<Object>> {
        let at_least = usize::try_from(at_least).unwrap_or(0);
        let (mut doomed, mut left) = match self.spec.completions.filter(|_| self.spec.indexed) {
            Some(completions) => duplicates(&self.active_pods, completions),
            None => (Vec::new(), self.active_pods.clone()),
        };
        if doomed.len() < at_least {
            pods::sort_active(&mut left);
            let more = at_least - doomed.len();
            doomed.extend(left.into_iter().take(more));
        }
        doomed
    }
}

/// Pods of an index that another pod has as well, or that no pod should have; and the others.
///
/// Source: indexed_job_utils.go `appendDuplicatedIndexPodsForRemoval`.
fn duplicates(pods: &[Arc<Object>], completions: i64) -> (Vec<Arc<Object>>, Vec<Arc<Object>>) {
    let mut by_index: std::collections::BTreeMap<Option<i64>, Vec<Arc<Object>>> = Default::default();
    for pod in pods {
        by_index.entry(index_of(pod)).or_default().push(pod.clone());
    }
    let (mut doomed, mut left) = (Vec::new(), Vec::new());
    for (index, mut same) in by_index {
        if index.is_none_or(|index| index >= completions) {
            doomed.extend(same);
            continue;
        }
        pods::sort_active(&mut same);
        left.extend(same.pop());
        doomed.extend(same);
    }
    (doomed, left)
}

fn add_variable(container: &mut Container) {
    let variables = container.env.get_or_insert_default();
    if variables.iter().any(|variable| variable.name == INDEX_VARIABLE) {
        return;
    }
    variables.push(EnvVar {
        name: INDEX_VARIABLE.to_owned(),
        value_from: Some(EnvVarSource {
            field_ref: Some(ObjectFieldSelector {
                api_version: Some("v1".to_owned()),
                field_path: format!("metadata.labels['{INDEX}']"),
            }),
            ..EnvVarSource::default()
        }),
        ..EnvVar::default()
    });
}
