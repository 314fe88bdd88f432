//! Sets of completion indexes, as a status writes them (`0,2-4`), and what a Job's pods say of them.
//!
//! Source: pkg/controller/job/indexed_job_utils.go (v1.37).

use super::super::pods;
use super::{Sync, is_tracked};
use podlab_api::Object;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

pub(super) const INDEX: &str = "batch.kubernetes.io/job-completion-index";
pub(super) const FAILURES: &str = "batch.kubernetes.io/job-index-failure-count";
pub(super) const IGNORED_FAILURES: &str = "batch.kubernetes.io/job-index-ignored-failure-count";

/// Indexes as ranges with both ends, in order, with gaps between them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Intervals(Vec<(i64, i64)>);

impl Intervals {
    /// Reads the form of the status; what is not below `completions` is cut off.
    pub(super) fn parse(text: &str, completions: i64) -> Intervals {
        let mut all = Vec::new();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (Ok(first), Ok(last)) = (first.parse::<i64>(), last.parse::<i64>()) else { continue };
            if first >= completions {
                break;
            }
            all.push((first, last.min(completions - 1)));
        }
        Intervals(Vec::new()).merge(&Intervals(all))
    }

    /// Both together.
    pub(super) fn merge(&self, other: &Intervals) -> Intervals {
        let mut all: Vec<(i64, i64)> = self.0.iter().chain(&other.0).copied().collect();
        all.sort_unstable();
        let mut merged: Vec<(i64, i64)> = Vec::with_capacity(all.len());
        for (first, last) in all {
            match merged.last_mut() {
                Some(known) if first <= known.1.saturating_add(1) => known.1 = known.1.max(last),
                _ => merged.push((first, last)),
            }
        }
        Intervals(merged)
    }

    pub(super) fn with(&self, indexes: &BTreeSet<i64>) -> Intervals {
        self.merge(&Intervals(indexes.iter().map(|index| (*index, *index)).collect()))
    }

    pub(super) fn total(&self) -> i64 {
        self.0.iter().map(|(first, last)| last - first + 1).sum()
    }

    pub(super) fn has(&self, index: i64) -> bool {
        self.0.iter().any(|(first, last)| (*first..=*last).contains(&index))
    }

    /// How many indexes are in both.
    pub(super) fn in_common(&self, other: &Intervals) -> i64 {
        let pairs = self.0.iter().flat_map(|a| other.0.iter().map(move |b| (a, b)));
        pairs.map(|(a, b)| (a.1.min(b.1) - a.0.max(b.0) + 1).max(0)).sum()
    }

    /// The first `count` indexes below `completions` that are not among these.
    pub(super) fn first_missing(&self, count: usize, completions: i64) -> Vec<i64> {
        let mut found = Vec::new();
        let mut candidate = 0;
        for (first, last) in self.0.iter().copied().chain([(completions, completions)]) {
            while candidate < first.min(completions) && found.len() < count {
                found.push(candidate);
                candidate += 1;
            }
            candidate = candidate.max(last.saturating_add(1));
        }
        found
    }
}

impl fmt::Display for Intervals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (first, last)) in self.0.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            match last - first {
                0 => write!(f, "{comma}{first}")?,
                1 => write!(f, "{comma}{first},{last}")?,
                _ => write!(f, "{comma}{first}-{last}")?,
            }
        }
        Ok(())
    }
}

/// The index of a pod; `None` where it has none.
pub(super) fn index_of(pod: &Object) -> Option<i64> {
    pod.annotation(INDEX)?.parse().ok().filter(|index| *index >= 0)
}

fn count_in(pod: &Object, annotation: &str) -> i64 {
    pod.annotation(annotation).and_then(|text| text.parse::<u32>().ok()).map_or(0, i64::from)
}

/// How often a pod's index had failed before it, with and without the failures that are ignored.
pub(super) fn failures(pod: &Object) -> (i64, i64) {
    let counted = count_in(pod, FAILURES);
    (counted, counted + count_in(pod, IGNORED_FAILURES))
}

pub(super) fn indexes_of(pods: &[Arc<Object>]) -> BTreeSet<i64> {
    pods.iter().filter_map(|pod| index_of(pod)).collect()
}

impl Sync {
    /// The pods that can still be counted.
    ///
    /// Source: job_controller.go `getValidPodsWithFilter`.
    pub(super) fn valid_pods(&self, counted: &BTreeSet<String>) -> Vec<Arc<Object>> {
        let valid = |pod: &&Arc<Object>| {
            let in_range = || index_of(pod).is_some_and(|i| self.spec.completions.is_some_and(|c| i < c));
            is_tracked(pod) && !counted.contains(pod.uid()) && (!self.spec.indexed || in_range())
        };
        self.pods.iter().filter(valid).cloned().collect()
    }

    pub(super) fn calculate_succeeded_indexes(&mut self, completions: i64) {
        let before = self.status.get("completedIndexes").and_then(|text| text.as_str()).unwrap_or("");
        self.succeeded_before = Intervals::parse(before, completions);
        let new = self.pods.iter().filter(|pod| pods::phase(pod) == "Succeeded" && is_tracked(pod));
        let new = new.filter_map(|pod| index_of(pod)).filter(|index| *index < completions).collect();
        self.succeeded_indexes = self.succeeded_before.with(&new);
        self.succeeded = self.succeeded_indexes.total();
    }

    pub(super) fn calculate_failed_indexes(&mut self, completions: i64) {
        let before = self.status.get("failedIndexes").and_then(|text| text.as_str()).unwrap_or("");
        let limit = self.spec.backoff_limit_per_index.unwrap_or(i64::MAX);
        let failed = |pod: &&Arc<Object>| {
            let judgement = self.spec.policy.judge(pod);
            is_tracked(pod)
                && self.spec.is_pod_failed(pod)
                && (judgement.fails_index || (judgement.counts && failures(pod).0 >= limit))
        };
        let new = self.pods.iter().filter(failed).filter_map(|pod| index_of(pod));
        let new = new.filter(|index| *index < completions).collect();
        self.failed_indexes = Some(Intervals::parse(before, completions).with(&new));
    }

    /// Source: `getPodsWithDelayedDeletionPerIndex`.
    pub(super) fn find_delayed(&mut self, completions: i64) {
        let active = indexes_of(&self.active_pods);
        for pod in self.valid_pods(&BTreeSet::new()) {
            let Some(index) = index_of(&pod).filter(|index| *index < completions) else { continue };
            let done = self.succeeded_indexes.has(index)
                || self.failed_indexes.as_ref().is_some_and(|failed| failed.has(index))
                || active.contains(&index);
            if done || !self.spec.is_pod_failed(&pod) {
                continue;
            }
            let later = self.delayed.get(&index).is_none_or(|known| {
                failures(known).1 <= failures(&pod).1
                    && super::backoff::finished_at(&pod) >= super::backoff::finished_at(known)
            });
            if later {
                self.delayed.insert(index, pod);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indexes_are_written_in_ranges() {
        let set = Intervals::parse("0,2-4,6,7", 100);
        assert_eq!(set.to_string(), "0,2-4,6,7");
        assert_eq!(set.total(), 6);
        assert_eq!(set.with(&BTreeSet::from([1])).to_string(), "0-4,6,7");
        assert_eq!(Intervals::parse("0-9", 4).to_string(), "0-3");
        assert_eq!(set.first_missing(3, 10), [1, 5, 8]);
        assert_eq!(set.first_missing(9, 10), [1, 5, 8, 9]);
        assert_eq!(Intervals::default().first_missing(2, 3), [0, 1]);
        assert_eq!(set.in_common(&Intervals::parse("3-6", 10)), 3);
    }
}
