//! The bounded history of changes that watches read.

use podlab_api::Object;
use podlab_api::door::ChangeType;
use std::collections::VecDeque;
use std::sync::Arc;

/// How many changes are kept. A real API server keeps about five minutes; a count keeps memory bounded
/// whatever the learner does.
const CAPACITY: usize = 20_000;

/// One write.
#[derive(Clone, Debug)]
pub struct Change {
    /// The version this write made.
    pub resource_version: u64,
    /// Added, modified or deleted.
    pub change: ChangeType,
    /// The object before, if there was one.
    pub before: Option<Arc<Object>>,
    /// The object after; for a deletion its last state.
    pub object: Arc<Object>,
}

/// The latest changes in order.
///
/// Invariant: `resource_version` rises by one from entry to entry.
#[derive(Clone, Debug, Default)]
pub struct History {
    changes: VecDeque<Change>,
    /// Everything up to and including this version is forgotten.
    forgotten: u64,
}

impl History {
    pub(super) fn push(&mut self, change: Change) {
        if self.changes.len() >= CAPACITY
            && let Some(old) = self.changes.pop_front()
        {
            self.forgotten = old.resource_version;
        }
        self.changes.push_back(change);
    }

    pub(super) fn start_after(&mut self, version: u64) {
        self.changes.clear();
        self.forgotten = self.forgotten.max(version);
    }

    /// The oldest version from which a watch can still begin.
    pub fn oldest(&self) -> u64 {
        self.forgotten
    }

    /// The changes after `version`, oldest first; `None` where some of them are forgotten.
    pub fn since(&self, version: u64) -> Option<impl Iterator<Item = &Change>> {
        if version < self.forgotten {
            return None;
        }
        let start = self.changes.partition_point(|c| c.resource_version <= version);
        Some(self.changes.range(start..))
    }
}
