//! The recorder of events.k8s.io, as kube-scheduler uses it.
//!
//! An event is isomorphic to an earlier one when type, action, reason, reporter and the object it is about,
//! its resourceVersion included, are the same; the message may differ. The second one makes a series and is
//! written; further ones are only counted, and written when the series ends.
//!
//! Source: k8s.io/client-go/tools/events (v0.37).

use crate::apiserver::ApiServer;
use podlab_api::time::micro_time;
use podlab_api::{Object, kinds};
use podlab_sim::SimTime;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// A series ends when nothing was added to it for so long; it is looked at as often.
pub const FINISH_TIME: Duration = Duration::from_secs(6 * 60);

/// Longest text an event may carry, in bytes.
///
/// Source: pkg/apis/core/validation/events.go `NoteLengthLimit` (v1.37).
const NOTE_LENGTH_LIMIT: usize = 1024;

/// Type, action, reason, reference to the object, reference to the related object.
type Key = (&'static str, &'static str, String, String, String);

#[derive(Clone, Debug)]
struct Cached {
    namespace: String,
    name: String,
    first: SimTime,
    /// Occurrences and the last of them; `None` where there was one alone.
    series: Option<(i64, SimTime)>,
    /// How many occurrences the stored event tells of.
    written: i64,
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
    controller: String,
    /// The same with the host it runs on.
    instance: String,
    cache: BTreeMap<Key, Cached>,
}

/// A reference to an object, with its version.
fn reference(object: &Object) -> Value {
    let mut map = Map::new();
    let mut set = |key: &str, value: &str| {
        if !value.is_empty() {
            map.insert(key.to_owned(), value.into());
        }
    };
    set("kind", object.kind.kind);
    set("namespace", object.namespace());
    set("name", object.name());
    set("uid", object.uid());
    set("apiVersion", &object.kind.api_version());
    set("resourceVersion", object.metadata.resource_version.as_deref().unwrap_or(""));
    Value::Object(map)
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

fn micro(at: SimTime) -> Value {
    serde_json::to_value(micro_time(at.as_nanos())).unwrap_or(Value::Null)
}

impl EventsRecorder {
    /// The recorder of a component that runs on `host`.
    pub fn new(controller: &str, host: &str) -> EventsRecorder {
        EventsRecorder {
            controller: controller.to_owned(),
            instance: format!("{controller}-{host}"),
            cache: BTreeMap::new(),
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
        let about = reference(regarding);
        let related = related.map(reference);
        let key = (
            note.kind,
            note.action,
            note.reason.to_owned(),
            about.to_string(),
            related.as_ref().map(Value::to_string).unwrap_or_default(),
        );
        if let Some(cached) = self.cache.get_mut(&key) {
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
            return;
        }
        let namespace = match regarding.namespace() {
            "" => "default",
            namespace => namespace,
        };
        // Real clocks never stand still between two events of an object; here they may.
        let mut nanos = now.as_nanos();
        let name = loop {
            let name = format!("{}.{nanos:x}", regarding.name());
            if api.store().get(&kinds::EVENT, namespace, &name).is_none() {
                break name;
            }
            nanos += 1;
        };
        let mut event = json!({
            "metadata": {"name": name, "namespace": namespace},
            "involvedObject": about,
            "reason": note.reason, "message": note.message, "type": note.kind, "action": note.action,
            "source": {}, "firstTimestamp": null, "lastTimestamp": null, "eventTime": micro(now),
            "reportingComponent": self.controller, "reportingInstance": self.instance,
        });
        if let (Some(related), Some(map)) = (related, event.as_object_mut()) {
            map.insert("related".to_owned(), related);
        }
        if let Value::Object(fields) = event
            && let Ok(object) = Object::from_fields(&kinds::EVENT, fields)
            && api.create(object).is_ok()
        {
            let namespace = namespace.to_owned();
            self.cache.insert(key, Cached { namespace, name, first: now, series: None, written: 1 });
        }
    }

    /// When [`EventsRecorder::finish_series`] has something to do next; `None` where it never has.
    pub fn next_finish(&self, start: SimTime) -> Option<SimTime> {
        let ends = self.cache.values().filter_map(|cached| {
            let (count, last) = cached.series?;
            (count > cached.written).then_some(last + FINISH_TIME)
        });
        ends.min().map(|at| (at + Duration::from_nanos(1)).next_tick(start, FINISH_TIME))
    }

    /// Writes the counts of series that have ended, and forgets what is old.
    pub fn finish_series(&mut self, api: &mut ApiServer) {
        let now = api.now();
        let old = |at: SimTime| now.since(at) > FINISH_TIME;
        self.cache.retain(|_, cached| match cached.series {
            Some((_, last)) if old(last) => {
                write_series(api, cached);
                false
            }
            Some(_) => true,
            None => !old(cached.first),
        });
    }

    /// Forgets single events that are too old to begin a series; for a cache that is never looked at
    /// otherwise.
    pub fn forget_old(&mut self, now: SimTime, start: SimTime) {
        let tick = |at: SimTime| (at + FINISH_TIME + Duration::from_nanos(1)).next_tick(start, FINISH_TIME);
        self.cache.retain(|_, cached| cached.series.is_some() || tick(cached.first) > now);
    }

    /// How many events are remembered.
    pub fn len(&self) -> usize {
        self.cache.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.cache.is_empty()
    }
}

fn write_series(api: &mut ApiServer, cached: &mut Cached) {
    let Some((count, last)) = cached.series else { return };
    let series = json!({"count": count, "lastObservedTime": micro(last)});
    cached.written = count;
    // The event may be gone by now; then there is nothing to count on.
    let _ = api.modify(&kinds::EVENT, &cached.namespace, &cached.name, None, |object| {
        if let podlab_api::Body::Tree(map) = &mut object.body {
            std::sync::Arc::make_mut(map).insert("series".to_owned(), series);
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
