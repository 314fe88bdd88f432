//! The recorder of events.k8s.io, as kube-scheduler uses it.
//!
//! An event is isomorphic to an earlier one when type, action, reason, reporter and the object it is about,
//! its resourceVersion included, are the same; the message may differ. The second one makes a series and is
//! written; further ones are only counted, and written when the series ends.
//!
//! Source: k8s.io/client-go/tools/events (v0.37).

use super::{change, event_name, event_object, reference};
use crate::apiserver::ApiServer;
use podlab_api::Object;
use podlab_api::event::{EventBody, EventData, ObjectReference, Occurrences};
use podlab_sim::SimTime;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// A series ends when nothing was added to it for so long; it is looked at as often.
pub const FINISH_TIME: Duration = Duration::from_secs(6 * 60);

/// So many objects may have events that nobody looks through.
const FORGET_FROM: usize = 1000;

/// Longest text an event may carry, in bytes.
///
/// Source: pkg/apis/core/validation/events.go `NoteLengthLimit` (v1.37).
const NOTE_LENGTH_LIMIT: usize = 1024;

/// What makes two events isomorphic, beside the object they are about, by whose uid they are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Key {
    kind: &'static str,
    action: &'static str,
    reason: &'static str,
    about: Arc<ObjectReference>,
    related: Option<ObjectReference>,
}

#[derive(Clone, Debug)]
struct Cached {
    key: Key,
    namespace: String,
    name: String,
    first: SimTime,
    /// Occurrences and the last of them; `None` where there was one alone.
    series: Option<(i64, SimTime)>,
    /// How many occurrences the stored event tells of.
    written: i64,
}

impl Cached {
    /// When the series ends unless it goes on, where it has something to tell then.
    fn ends(&self) -> Option<SimTime> {
        let (count, last) = self.series?;
        (count > self.written).then_some(last + FINISH_TIME)
    }
}

/// What one event says.
#[derive(Clone, Debug)]
pub struct Note<'a> {
    /// `Normal` or `Warning`.
    pub kind: &'static str,
    /// `Scheduled`, `FailedScheduling`, …
    pub reason: &'static str,
    /// `Binding`, `Scheduling`, `Preempting`.
    pub action: &'static str,
    /// The text.
    pub message: &'a str,
}

/// Writes the events of one component.
#[derive(Clone, Debug)]
pub struct EventsRecorder {
    /// `default-scheduler`.
    controller: Arc<str>,
    /// The same with the host it runs on.
    instance: Arc<str>,
    /// uid → the events about that object.
    cache: BTreeMap<String, Vec<Cached>>,
    /// Ends of series that have something to tell then → how many.
    ends: BTreeMap<SimTime, usize>,
    /// How many objects the cache holds when it is looked through for old events.
    forget_at: usize,
}

/// Cuts a message to what an event may carry.
///
/// Source: pkg/scheduler/schedule_one.go `truncateMessage` (v1.37).
pub fn truncate_message(message: &str) -> String {
    const SUFFIX: &str = " ...";
    if message.len() <= NOTE_LENGTH_LIMIT {
        return message.to_owned();
    }
    let mut end = NOTE_LENGTH_LIMIT - SUFFIX.len();
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{SUFFIX}", &message[..end])
}

impl EventsRecorder {
    /// The recorder of a component that runs on `host`.
    pub fn new(controller: &str, host: &str) -> EventsRecorder {
        EventsRecorder {
            controller: controller.into(),
            instance: format!("{controller}-{host}").into(),
            cache: BTreeMap::new(),
            ends: BTreeMap::new(),
            forget_at: FORGET_FROM,
        }
    }

    /// Writes an event about an object.
    pub fn eventf(
        &mut self,
        api: &mut ApiServer,
        regarding: &Object,
        related: Option<&Object>,
        note: &Note<'_>,
    ) {
        let now = api.now();
        let key = Key {
            kind: note.kind,
            action: note.action,
            reason: note.reason,
            about: Arc::new(reference(regarding)),
            related: related.map(reference),
        };
        if let Some(cached) =
            self.cache.get_mut(regarding.uid()).and_then(|of| of.iter_mut().find(|c| c.key == key))
        {
            forget_end(&mut self.ends, cached.ends());
            match &mut cached.series {
                Some((count, last)) => {
                    *count += 1;
                    *last = now;
                }
                None => {
                    cached.series = Some((2, now));
                    write_series(api, cached);
                }
            }
            if let Some(end) = cached.ends() {
                *self.ends.entry(end).or_default() += 1;
            }
            return;
        }
        let namespace = match regarding.namespace() {
            "" => "default",
            namespace => namespace,
        };
        let body = Arc::new(EventBody::new(EventData {
            regarding: key.about.clone(),
            related: key.related.clone(),
            kind: note.kind,
            reason: note.reason.into(),
            message: note.message.into(),
            action: note.action,
            occurrences: Occurrences::Series { at: now.as_nanos(), series: None },
            reporting_component: self.controller.clone().into(),
            reporting_instance: self.instance.clone().into(),
        }));
        // Real clocks never stand still between two events of an object; here they may.
        let mut nanos = now.as_nanos();
        let (name, created) = loop {
            let name = event_name(regarding.name(), nanos);
            match api.create(event_object(namespace, name.clone(), body.clone())) {
                Err(status) if status.is_already_exists() => nanos += 1,
                created => break (name, created.is_ok()),
            }
        };
        if created {
            let namespace = namespace.to_owned();
            let cached = Cached { key, namespace, name, first: now, series: None, written: 1 };
            // Most objects have one event, or few.
            let of_object = self.cache.entry(regarding.uid().to_owned()).or_default();
            if of_object.is_empty() {
                of_object.reserve_exact(1);
            }
            of_object.push(cached);
        }
    }

    /// When [`EventsRecorder::finish_series`] has something to do next; `None` where it never has.
    pub fn next_finish(&self, start: SimTime) -> Option<SimTime> {
        let (end, _) = self.ends.first_key_value()?;
        Some((*end + Duration::from_nanos(1)).next_tick(start, FINISH_TIME))
    }

    /// Writes the counts of series that have ended, and forgets what is old.
    pub fn finish_series(&mut self, api: &mut ApiServer) {
        let now = api.now();
        let old = |at: SimTime| now.since(at) > FINISH_TIME;
        let ends = &mut self.ends;
        self.cache.retain(|_, of| {
            of.retain_mut(|cached| match cached.series {
                Some((_, last)) if old(last) => {
                    forget_end(ends, cached.ends());
                    write_series(api, cached);
                    false
                }
                Some(_) => true,
                None => !old(cached.first),
            });
            !of.is_empty()
        });
    }

    /// Forgets single events that are too old to begin a series, now and then; for a cache that is never looked
    /// at otherwise.
    pub fn forget_old(&mut self, now: SimTime, start: SimTime) {
        if self.cache.len() < self.forget_at {
            return;
        }
        let tick = |at: SimTime| (at + FINISH_TIME + Duration::from_nanos(1)).next_tick(start, FINISH_TIME);
        self.cache.retain(|_, of| {
            of.retain(|cached| cached.series.is_some() || tick(cached.first) > now);
            !of.is_empty()
        });
        // Looked through again when it has doubled, so that a look costs little for each event.
        self.forget_at = (self.cache.len() * 2).max(FORGET_FROM);
    }
}

fn forget_end(ends: &mut BTreeMap<SimTime, usize>, end: Option<SimTime>) {
    let Some(end) = end else { return };
    if let Some(count) = ends.get_mut(&end) {
        *count -= 1;
        if *count == 0 {
            ends.remove(&end);
        }
    }
}

fn write_series(api: &mut ApiServer, cached: &mut Cached) {
    let Some((count, last)) = cached.series else { return };
    cached.written = count;
    // The event may be gone by now; then there is nothing to count on.
    change(api, &cached.namespace, &cached.name, |data| {
        if let Occurrences::Series { series, .. } = &mut data.occurrences {
            *series = Some((count, last.as_nanos()));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_message_is_cut_to_what_an_event_may_carry() {
        let cut = truncate_message(&"x".repeat(2000));
        assert_eq!(cut.len(), 1024);
        assert!(cut.ends_with("x ..."));
        assert_eq!(truncate_message("short"), "short");
    }
}
