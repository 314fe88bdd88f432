//! The queue of what happens next.

use crate::SimTime;
use std::collections::BTreeMap;

/// The place of an entry in the [`Agenda`]: its time, then the order in which it was planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slot {
    /// When the entry is due.
    pub at: SimTime,
    seq: u64,
}

/// Entries ordered by time, then by the order in which they were planned.
///
/// **Invariant:** entries of one instant come out in the order they went in, so a run is reproducible.
#[derive(Clone, Debug)]
pub struct Agenda<E> {
    queue: BTreeMap<Slot, E>,
    next_seq: u64,
}

impl<E> Default for Agenda<E> {
    fn default() -> Self {
        Agenda { queue: BTreeMap::new(), next_seq: 0 }
    }
}

impl<E> Agenda<E> {
    /// Plans `event` for `at`; the slot returned cancels it.
    pub fn schedule(&mut self, at: SimTime, event: E) -> Slot {
        let slot = Slot { at, seq: self.next_seq };
        self.next_seq += 1;
        self.queue.insert(slot, event);
        slot
    }

    /// Takes an entry out before it is due; `None` where it has already been.
    pub fn cancel(&mut self, slot: Slot) -> Option<E> {
        self.queue.remove(&slot)
    }

    /// The time of the next entry.
    pub fn next_at(&self) -> Option<SimTime> {
        self.queue.first_key_value().map(|(slot, _)| slot.at)
    }

    /// Takes out the next entry that is due at or before `until`.
    pub fn pop_until(&mut self, until: SimTime) -> Option<(SimTime, E)> {
        let first = self.queue.first_entry()?;
        if first.key().at > until {
            return None;
        }
        let (slot, event) = first.remove_entry();
        Some((slot.at, event))
    }

    /// All entries in the order in which they will happen.
    pub fn iter(&self) -> impl Iterator<Item = (SimTime, &E)> {
        self.queue.iter().map(|(slot, event)| (slot.at, event))
    }

    /// How many entries are planned.
    pub fn len(&self) -> usize {
        self.queue.len()
    }

    /// Whether nothing is planned.
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_of_one_instant_keep_their_order() {
        let mut a = Agenda::default();
        a.schedule(SimTime::from_secs(2), "c");
        a.schedule(SimTime::from_secs(1), "a");
        a.schedule(SimTime::from_secs(1), "b");
        let gone = a.schedule(SimTime::from_secs(1), "never");
        assert_eq!(a.cancel(gone), Some("never"));
        assert_eq!(a.cancel(gone), None);
        let order: Vec<_> = std::iter::from_fn(|| a.pop_until(SimTime::MAX)).map(|(_, e)| e).collect();
        assert_eq!(order, ["a", "b", "c"]);
    }
}
