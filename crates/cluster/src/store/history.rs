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
/// Invariant: no change is forgotten before it was seen, however many one request makes.
#[derive(Clone, Debug, Default)]
pub struct History {
    changes: VecDeque<Change>,
    /// Everything up to and including this version is forgotten.
    forgotten: u64,
    /// Everything up to and including this version was shown to the components.
    seen: u64,
}

impl History {
    pub(super) fn push(&mut self, change: Change) {
        self.changes.push_back(change);
        self.forget();
    }

    pub(super) fn see(&mut self, version: u64) {
        self.seen = self.seen.max(version);
        self.forget();
    }

    fn forget(&mut self) {
        while self.changes.len() > CAPACITY
            && let Some(old) = self.changes.pop_front_if(|old| old.resource_version <= self.seen)
        {
            self.forgotten = old.resource_version;
        }
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

#[cfg(test)]
mod tests {
    use super::{CAPACITY, Change, History};
    use podlab_api::Object;
    use podlab_api::door::ChangeType;
    use serde_json::json;
    use std::sync::Arc;

    #[test]
    fn no_change_is_forgotten_before_it_was_seen() {
        let object = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": {"containers": []}});
        let object = Arc::new(Object::from_value(object).unwrap());
        let mut history = History::default();
        let most = CAPACITY as u64 + 100;
        for resource_version in 1..=most {
            let (change, object) = (ChangeType::Modified, object.clone());
            history.push(Change { resource_version, change, before: None, object });
        }
        assert_eq!(history.since(0).unwrap().count() as u64, most);
        history.see(most);
        assert_eq!(history.oldest(), 100);
        assert!(history.since(99).is_none());
        assert_eq!(history.since(100).unwrap().count(), CAPACITY);
    }
}
