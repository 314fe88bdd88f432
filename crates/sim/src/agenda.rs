//! The queue of what happens next.

use crate::SimTime;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

/// How long a span is whose entries are sorted together, as a power of two in nanoseconds: 34 ms. A thousand probed pods
/// have some thirty entries in it.
const SPAN: u32 = 25;
/// A span with so few entries is closed again where something is planned before it.
const FEW: usize = 32;
/// So many cancelled entries are left where they are before the agenda is cleaned of them.
const CANCELLED: usize = 64;

/// The place of an entry in the [`Agenda`]: its time, then the order in which it was planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slot {
    /// When the entry is due.
    pub at: SimTime,
    seq: u64,
    /// Where the event is kept.
    index: usize,
}

impl Slot {
    fn span(self) -> i64 {
        self.at.as_nanos() >> SPAN
    }
}

/// Entries ordered by time, then by the order in which they were planned.
///
/// A calendar: what is planned for a later span of time is put down unsorted, and sorted when that span comes. The events
/// stand beside it, so that what is moved about is small. What is cancelled stays in the calendar until it comes up or too
/// many are.
///
/// **Invariants:** entries of one instant come out in the order they went in, so a run is reproducible; where anything is
/// planned, the earlier of the last of `sorted` and the first of `late` is the next, and is not cancelled.
#[derive(Clone, Debug)]
pub struct Agenda<E> {
    /// The entries of the span that is open, the next one last.
    sorted: Vec<Slot>,
    /// What was planned for the open span or before it when that was open already.
    late: BinaryHeap<Reverse<Slot>>,
    /// The number of the open span.
    open: i64,
    /// The entries of later spans, as they came.
    later: BTreeMap<i64, Vec<Slot>>,
    /// Lists that are empty, for further spans.
    spare: Vec<Vec<Slot>>,
    /// How many slots there are, cancelled ones too.
    slots: usize,
    events: Vec<Option<(u64, E)>>,
    /// Which places of `events` are free.
    free: Vec<usize>,
    next_seq: u64,
}

impl<E> Default for Agenda<E> {
    fn default() -> Self {
        Agenda {
            sorted: Vec::new(),
            late: BinaryHeap::new(),
            open: i64::MIN,
            later: BTreeMap::new(),
            spare: Vec::new(),
            slots: 0,
            events: Vec::new(),
            free: Vec::new(),
            next_seq: 0,
        }
    }
}

impl<E> Agenda<E> {
    /// Plans `event` for `at`; the slot returned cancels it.
    pub fn schedule(&mut self, at: SimTime, event: E) -> Slot {
        let seq = self.next_seq;
        self.next_seq += 1;
        let index = match self.free.pop() {
            Some(index) => {
                self.events[index] = Some((seq, event));
                index
            }
            None => {
                self.events.push(Some((seq, event)));
                self.events.len() - 1
            }
        };
        let slot = Slot { at, seq, index };
        self.slots += 1;
        if self.slots == 1 || slot.span() < self.open && self.sorted.len() + self.late.len() <= FEW {
            self.close();
            self.open = slot.span();
        }
        if slot.span() <= self.open {
            self.late.push(Reverse(slot));
        } else {
            self.later_span(slot.span()).push(slot);
        }
        slot
    }

    fn later_span(&mut self, span: i64) -> &mut Vec<Slot> {
        let spare = &mut self.spare;
        self.later.entry(span).or_insert_with(|| spare.pop().unwrap_or_default())
    }

    /// Makes the open span a later one.
    fn close(&mut self) {
        let mut slots = std::mem::take(&mut self.sorted);
        slots.extend(self.late.drain().map(|Reverse(slot)| slot));
        if !slots.is_empty() {
            self.later_span(self.open).append(&mut slots);
        }
        self.spare.push(slots);
    }

    /// Takes an entry out before it is due; `None` where it has already been.
    pub fn cancel(&mut self, slot: Slot) -> Option<E> {
        let event = self.take(slot)?;
        self.find_next();
        if self.slots > CANCELLED + 2 * self.len() {
            self.drop_cancelled();
        }
        Some(event)
    }

    /// The time of the next entry.
    pub fn next_at(&self) -> Option<SimTime> {
        self.next().map(|slot| slot.at)
    }

    /// Takes out the next entry that is due at or before `until`.
    pub fn pop_until(&mut self, until: SimTime) -> Option<(SimTime, E)> {
        let next = self.next().filter(|next| next.at <= until)?;
        self.remove_next();
        let event = self.take(next);
        self.find_next();
        event.map(|event| (next.at, event))
    }

    /// All entries in the order in which they will happen. The first few of many cost little.
    pub fn iter(&self) -> impl Iterator<Item = (SimTime, &E)> {
        let sort = |mut slots: Vec<Slot>| {
            slots.sort_unstable();
            slots
        };
        let open =
            sort(self.sorted.iter().chain(self.late.iter().map(|Reverse(slot)| slot)).copied().collect());
        let later = self.later.values().flat_map(move |slots| sort(slots.clone()));
        open.into_iter().chain(later).filter_map(|slot| match &self.events[slot.index] {
            Some((seq, event)) if *seq == slot.seq => Some((slot.at, event)),
            _ => None,
        })
    }

    /// How many entries are planned.
    pub fn len(&self) -> usize {
        self.events.len() - self.free.len()
    }

    /// Whether nothing is planned.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn is_planned(&self, slot: Slot) -> bool {
        matches!(self.events.get(slot.index), Some(Some((seq, _))) if *seq == slot.seq)
    }

    /// Takes an event out of its place, which is free then.
    fn take(&mut self, slot: Slot) -> Option<E> {
        if !self.is_planned(slot) {
            return None;
        }
        self.free.push(slot.index);
        self.events[slot.index].take().map(|(_, event)| event)
    }

    fn next(&self) -> Option<Slot> {
        match (self.sorted.last(), self.late.peek()) {
            (Some(sorted), Some(Reverse(late))) => Some(*sorted.min(late)),
            (sorted, late) => sorted.or(late.map(|Reverse(late)| late)).copied(),
        }
    }

    fn remove_next(&mut self) {
        let is_late = match (self.sorted.last(), self.late.peek()) {
            (Some(sorted), Some(Reverse(late))) => late < sorted,
            (sorted, _) => sorted.is_none(),
        };
        if is_late {
            self.late.pop();
        } else {
            self.sorted.pop();
        }
        self.slots -= 1;
    }

    /// Keeps the invariant that the next entry is in the open span and planned.
    fn find_next(&mut self) {
        loop {
            match self.next() {
                Some(next) if self.is_planned(next) => return,
                Some(_) => self.remove_next(),
                None => match self.later.pop_first() {
                    None => return,
                    Some((span, mut slots)) => {
                        self.open = span;
                        slots.sort_unstable_by(|a, b| b.cmp(a));
                        self.spare.push(std::mem::replace(&mut self.sorted, slots));
                    }
                },
            }
        }
    }

    fn drop_cancelled(&mut self) {
        let (mut sorted, mut late) = (std::mem::take(&mut self.sorted), std::mem::take(&mut self.late));
        let mut later = std::mem::take(&mut self.later);
        sorted.retain(|slot| self.is_planned(*slot));
        late.retain(|Reverse(slot)| self.is_planned(*slot));
        later.retain(|_, slots| {
            slots.retain(|slot| self.is_planned(*slot));
            !slots.is_empty()
        });
        (self.sorted, self.late, self.later) = (sorted, late, later);
        self.slots = self.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Draw;

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

    #[test]
    fn does_what_a_sorted_map_does() {
        let mut agenda = Agenda::default();
        let mut model: BTreeMap<(SimTime, u64), u64> = BTreeMap::new();
        let mut slots = Vec::new();
        let mut now = SimTime::from_secs(0);
        for turn in 0..20_000_u64 {
            let draw = Draw::keyed(7, "agenda", "test", turn).below(100);
            // Phases in which it grows, shrinks and is mostly cancelled.
            let (plan, cancel) = [(60, 80), (25, 35), (50, 99)][turn as usize / 1000 % 3];
            if draw < plan {
                // Some at one instant, some within a span of the calendar, some far ahead.
                let ahead = [0, 1_000_000, 20_000_000, 1_000_000_000, 50_000_000_000][turn as usize % 5];
                let at = SimTime::from_nanos(now.as_nanos() + ahead * (turn as i64 * 7919 % 50));
                slots.push(((at, turn), agenda.schedule(at, turn)));
                model.insert((at, turn), turn);
            } else if draw < cancel && !slots.is_empty() {
                let (key, slot) = slots.swap_remove((turn as usize * 31) % slots.len());
                assert_eq!(agenda.cancel(slot), model.remove(&key));
            } else {
                let until = SimTime::from_secs(now.as_secs() + 3);
                let first = model.first_key_value().map(|(key, _)| *key).filter(|key| key.0 <= until);
                let expected = first.and_then(|key| Some((key.0, model.remove(&key)?)));
                assert_eq!(agenda.pop_until(until), expected);
                now = now.max(expected.map_or(now, |e| e.0));
            }
            assert_eq!(agenda.len(), model.len());
            assert_eq!(agenda.is_empty(), model.is_empty());
            assert_eq!(agenda.next_at(), model.first_key_value().map(|(key, _)| key.0));
            if turn % 97 == 0 {
                let all: Vec<_> = agenda.iter().map(|(at, event)| (at, *event)).collect();
                let expected: Vec<_> = model.iter().map(|(key, event)| (key.0, *event)).collect();
                assert_eq!(all, expected);
            }
            assert!(agenda.slots <= CANCELLED + 2 * agenda.len().max(1) + 1);
        }
    }
}
