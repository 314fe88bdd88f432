//! A controller's work queue: which objects are to be looked at, when, and how often that failed.
//!
//! Source: k8s.io/client-go/util/workqueue (v1.37).

use super::ControllerEvent;
use crate::event::Event;
use crate::latency;
use crate::store::Key;
use crate::world::Cx;
use podlab_api::Status;
use podlab_sim::{SimDuration, SimTime, Slot};
use std::collections::{BTreeMap, BTreeSet};

/// Makes the event that has an object looked at.
pub(super) type Make = fn(Key) -> ControllerEvent;

/// A sync failed and is to be tried again. The reason goes to a log that nobody keeps here.
#[derive(Debug)]
pub(super) struct SyncError {
    /// The namespace is going, so that trying again is of no use.
    pub namespace_terminating: bool,
}

impl SyncError {
    /// A failure that is none of the API server's.
    pub(super) const AGAIN: SyncError = SyncError { namespace_terminating: false };
}

impl From<Status> for SyncError {
    fn from(status: Status) -> SyncError {
        SyncError { namespace_terminating: is_namespace_terminating(&status) }
    }
}

/// Whether the API server refused because the namespace is going.
pub(super) fn is_namespace_terminating(status: &Status) -> bool {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    causes.into_iter().any(|cause| cause.reason == "NamespaceTerminating")
}

/// What a sync leaves to be done: `None` is nothing until something changes.
pub(super) type Outcome = Result<Option<SimTime>, SyncError>;

/// The queue of one controller.
///
/// It differs from the real one in that a delay which turns out to be for nothing is taken back: an object waits
/// for the one instant that its latest sync named.
#[derive(Clone, Debug)]
pub(super) struct WorkQueue {
    /// As its metrics call it.
    name: &'static str,
    make: Make,
    /// From a change to the look, in the middle.
    latency: SimDuration,
    /// Draws made.
    draws: u64,
    queued: BTreeSet<Key>,
    later: BTreeMap<Key, (SimTime, Slot)>,
    failures: BTreeMap<Key, u32>,
}

impl WorkQueue {
    pub(super) fn new(name: &'static str, make: Make) -> WorkQueue {
        WorkQueue::with_latency(name, make, latency::WATCH)
    }

    /// A queue whose controller takes its time.
    pub(super) fn with_latency(name: &'static str, make: Make, latency: SimDuration) -> WorkQueue {
        WorkQueue {
            name,
            make,
            latency,
            draws: 0,
            queued: BTreeSet::new(),
            later: BTreeMap::new(),
            failures: BTreeMap::new(),
        }
    }

    /// Has an object looked at, once the watch has brought the change.
    pub(super) fn add(&mut self, key: Key, cx: &mut Cx<'_>) {
        if !self.queued.contains(&key) {
            self.draws += 1;
            let latency = cx.draw(self.name, &key.name, self.draws).around(self.latency);
            cx.after(latency, Event::Controller((self.make)(key.clone())));
            self.queued.insert(key);
        }
    }

    /// An object's turn has come.
    pub(super) fn take(&mut self, key: &Key, cx: &Cx<'_>) {
        self.queued.remove(key);
        if self.later.get(key).is_some_and(|(at, _)| *at <= cx.now()) {
            self.later.remove(key);
        }
    }

    /// A sync is over.
    pub(super) fn done(&mut self, key: &Key, outcome: &Outcome, cx: &mut Cx<'_>) {
        let at = match outcome {
            Ok(at) => {
                self.failures.remove(key);
                *at
            }
            Err(error) if error.namespace_terminating => {
                self.failures.remove(key);
                None
            }
            Err(_) => {
                let failures = self.failures.entry(key.clone()).or_default();
                let delay = latency::retry(*failures);
                *failures = failures.saturating_add(1);
                Some(cx.now() + delay)
            }
        };
        if let Some((known, slot)) = self.later.remove(key) {
            if outcome.is_err() && at.is_some_and(|at| known <= at) {
                // Of two delays the queue keeps the one that ends first.
                self.later.insert(key.clone(), (known, slot));
                return;
            }
            cx.agenda.cancel(slot);
        }
        if let Some(at) = at {
            let slot = cx.at(at, Event::Controller((self.make)(key.clone())));
            self.later.insert(key.clone(), (at, slot));
        }
    }

    /// Has an object looked at after a delay, unless it will be before that.
    pub(super) fn add_after(&mut self, key: Key, delay: SimDuration, cx: &mut Cx<'_>) {
        let at = cx.now() + delay;
        match self.later.get(&key) {
            Some((known, _)) if *known <= at => return,
            Some((_, slot)) => {
                cx.agenda.cancel(*slot);
            }
            None => {}
        }
        let slot = cx.at(at, Event::Controller((self.make)(key.clone())));
        self.later.insert(key, (at, slot));
    }

    /// A sync is over that leaves the delays which others have set as they are.
    pub(super) fn done_keeping_delays(&mut self, key: &Key, outcome: &Outcome, cx: &mut Cx<'_>) {
        match outcome {
            Ok(at) => {
                self.failures.remove(key);
                if let Some(at) = at {
                    self.add_after(key.clone(), at.since(cx.now()), cx);
                }
            }
            Err(_) => {
                let failures = self.failures.entry(key.clone()).or_default();
                let delay = latency::retry(*failures);
                *failures = failures.saturating_add(1);
                self.add_after(key.clone(), delay, cx);
            }
        }
    }

    /// How often an object has failed since it last went well.
    pub(super) fn failures(&self, key: &Key) -> u32 {
        self.failures.get(key).copied().unwrap_or(0)
    }

    /// Forgets an object that is gone.
    pub(super) fn forget(&mut self, key: &Key, cx: &mut Cx<'_>) {
        self.done(key, &Ok(None), cx);
    }
}
