//! Which events are new, which are counted, which are too many.
//!
//! Source: k8s.io/client-go/tools/record/events_cache.go (v1.37).

use super::{EventType, InvolvedObject};
use podlab_sim::{SimDuration, SimTime};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// How many different messages of one reason are told apart.
const MAX_EVENTS: usize = 10;
/// How long a group of similar events lives after its latest.
const MAX_INTERVAL: SimDuration = SimDuration::from_secs(600);
/// How many event writes an object may cause at once.
const SPAM_BURST: f64 = 25.0;
/// How fast it regains them: one in five minutes.
const SPAM_QPS: f64 = 1.0 / 300.0;
/// Objects that are remembered; the oldest go first.
const MAX_ENTRIES: usize = 4096;

/// What becomes of an event.
#[derive(Debug, PartialEq)]
pub(super) enum Correlated {
    /// Its object had too many.
    Skip,
    /// It is written.
    New { entry: Entry, reason: Arc<str>, message: Arc<str> },
    /// One that is there is counted up.
    Again { entry: Entry, name: Arc<str>, count: i64, first: SimTime, reason: Arc<str>, message: Arc<str> },
}

/// Where the count of an event is kept, until the next event.
#[derive(Debug, PartialEq)]
pub(super) struct Entry {
    uid: Arc<str>,
    log: usize,
}

/// One event and how often it came.
#[derive(Clone, Debug)]
struct Log {
    kind: EventType,
    reason: Arc<str>,
    /// The part of the object, and the text; `None` for the collective event of many messages.
    exact: Option<(Arc<str>, Arc<str>)>,
    count: i64,
    first: SimTime,
    /// Of the event, once it is written.
    name: Option<Arc<str>>,
}

/// The different messages of one type and reason.
#[derive(Clone, Debug)]
struct Similar {
    kind: EventType,
    reason: Arc<str>,
    /// Sorted.
    messages: Vec<Arc<str>>,
    latest: SimTime,
}

#[derive(Clone, Debug)]
struct Bucket {
    tokens: f64,
    at: SimTime,
}

/// All that is remembered of one object.
#[derive(Clone, Debug)]
struct Subject {
    logs: Vec<Log>,
    similar: Vec<Similar>,
    /// Of normal events and of warnings.
    buckets: [Option<Bucket>; 2],
    latest: SimTime,
}

/// The tables of one recorder.
#[derive(Clone, Debug, Default)]
pub(super) struct Correlator {
    /// uid → what its object's events were.
    subjects: BTreeMap<Arc<str>, Subject>,
    /// Texts of which a recorder says few again and again: reasons, and parts of objects.
    known: Known,
}

/// Texts that are kept once.
#[derive(Clone, Debug, Default)]
struct Known(VecDeque<Arc<str>>);

impl Known {
    /// The kept text, which is kept from now on if it was not.
    fn text(&mut self, text: &str) -> Arc<str> {
        /// More than the reasons of a kubelet and the containers of a few pods.
        const KEPT: usize = 16;
        if let Some(known) = self.0.iter().find(|known| ***known == *text) {
            return known.clone();
        }
        let new: Arc<str> = text.into();
        self.0.truncate(KEPT - 1);
        self.0.push_front(new.clone());
        new
    }
}

impl Correlator {
    pub(super) fn correlate(
        &mut self,
        about: &InvolvedObject,
        kind: EventType,
        reason: &str,
        message: &str,
        now: SimTime,
    ) -> Correlated {
        self.trim();
        let reason = self.known.text(reason);
        let part = self.known.text(about.field_path());
        let (uid, subject) = self.subject(about, now);
        subject.latest = now;
        let at = match subject.similar.iter().position(|s| s.kind == kind && s.reason == reason) {
            Some(at) => at,
            None => {
                let messages = Vec::new();
                subject.similar.push(Similar { kind, reason: reason.clone(), messages, latest: now });
                subject.similar.len() - 1
            }
        };
        let similar = &mut subject.similar[at];
        if now.since(similar.latest) > MAX_INTERVAL {
            similar.messages.clear();
        }
        let message = match similar.messages.binary_search_by(|known| (**known).cmp(message)) {
            Ok(at) => similar.messages[at].clone(),
            Err(at) => {
                let message: Arc<str> = message.into();
                similar.messages.insert(at, message.clone());
                message
            }
        };
        similar.latest = now;
        let (part, message) = if similar.messages.len() < MAX_EVENTS {
            (Some(part), message)
        } else {
            similar.messages.remove(0);
            (None, format!("(combined from similar events): {message}").into())
        };
        let is = |log: &Log| {
            log.kind == kind
                && log.reason == reason
                && match (&log.exact, &part) {
                    (Some((a, text)), Some(b)) => a == b && *text == message,
                    (exact, part) => exact.is_none() && part.is_none(),
                }
        };
        let log = match subject.logs.iter().position(is) {
            Some(at) => {
                subject.logs[at].count += 1;
                at
            }
            None => {
                let exact = part.map(|part| (part, message.clone()));
                let reason = reason.clone();
                subject.logs.push(Log { kind, reason, exact, count: 1, first: now, name: None });
                subject.logs.len() - 1
            }
        };
        if !subject.take_token(kind, now) {
            return Correlated::Skip;
        }
        let Log { count, first, ref name, .. } = subject.logs[log];
        let entry = Entry { uid, log };
        match name {
            Some(name) if count > 1 => {
                Correlated::Again { entry, name: name.clone(), count, first, reason, message }
            }
            _ => Correlated::New { entry, reason, message },
        }
    }

    /// What is known of an object; objects of an old API server may lack a uid and share one entry by name.
    fn subject(&mut self, about: &InvolvedObject, now: SimTime) -> (Arc<str>, &mut Subject) {
        let key = if about.uid().is_empty() { about.name() } else { about.uid() };
        let key = match self.subjects.get_key_value(key) {
            Some((key, _)) => key.clone(),
            None => key.into(),
        };
        let new = Subject { logs: Vec::new(), similar: Vec::new(), buckets: [None, None], latest: now };
        (key.clone(), self.subjects.entry(key).or_insert(new))
    }

    fn log(&mut self, entry: &Entry) -> Option<&mut Log> {
        self.subjects.get_mut(&entry.uid)?.logs.get_mut(entry.log)
    }

    pub(super) fn created(&mut self, entry: &Entry, name: Arc<str>, now: SimTime) {
        if let Some(log) = self.log(entry) {
            log.name = Some(name);
            log.first = now;
        }
    }

    pub(super) fn created_again(&mut self, entry: &Entry, name: Arc<str>) {
        if let Some(log) = self.log(entry) {
            log.name = Some(name);
        }
    }

    /// Keeps the table bounded: the half that was touched longest ago goes when it is full.
    fn trim(&mut self) {
        if self.subjects.len() <= MAX_ENTRIES {
            return;
        }
        let mut times: Vec<SimTime> = self.subjects.values().map(|s| s.latest).collect();
        times.sort_unstable();
        if let Some(middle) = times.get(times.len() / 2).copied() {
            self.subjects.retain(|_, subject| subject.latest > middle);
        }
    }
}

impl Subject {
    /// Normal events and warnings have a bucket each.
    ///
    /// Source: recording `liveness-404` of cluster/kubelet.jsonl: 25 of either kind come at once.
    fn take_token(&mut self, kind: EventType, now: SimTime) -> bool {
        let bucket = self.buckets[kind as usize].get_or_insert(Bucket { tokens: SPAM_BURST, at: now });
        bucket.tokens = (bucket.tokens + now.since(bucket.at).as_secs_f64() * SPAM_QPS).min(SPAM_BURST);
        bucket.at = now;
        if bucket.tokens < 1.0 {
            return false;
        }
        bucket.tokens -= 1.0;
        true
    }
}
