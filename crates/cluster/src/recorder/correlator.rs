//! Which events are new, which are counted, which are too many.
//!
//! Source: k8s.io/client-go/tools/record/events_cache.go (v1.37).

use super::{EventType, InvolvedObject};
use podlab_sim::{SimDuration, SimTime};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How many different messages of one reason are told apart.
const MAX_EVENTS: usize = 10;
/// How long a group of similar events lives after its latest.
const MAX_INTERVAL: SimDuration = SimDuration::from_secs(600);
/// How many event writes an object may cause at once.
const SPAM_BURST: f64 = 25.0;
/// How fast it regains them: one in five minutes.
const SPAM_QPS: f64 = 1.0 / 300.0;
/// Entries of each table; the oldest go first.
const MAX_ENTRIES: usize = 4096;

/// What becomes of an event.
#[derive(Debug, PartialEq)]
pub(super) enum Correlated {
    /// Its object had too many.
    Skip,
    /// It is written.
    New { key: Key, message: String },
    /// One that is there is counted up.
    Again { key: Key, name: Arc<str>, count: i64, first: SimTime, message: String },
}

/// What makes two events the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    about: InvolvedObject,
    kind: EventType,
    reason: String,
    /// Empty for the collective event of many messages.
    message: String,
}

#[derive(Clone, Debug)]
struct Log {
    count: i64,
    first: SimTime,
    latest: SimTime,
    name: Arc<str>,
}

#[derive(Clone, Debug)]
struct Similar {
    messages: BTreeSet<String>,
    latest: SimTime,
}

#[derive(Clone, Debug)]
struct Bucket {
    tokens: f64,
    at: SimTime,
}

/// The tables of one recorder.
#[derive(Clone, Debug, Default)]
pub(super) struct Correlator {
    logs: BTreeMap<Key, Log>,
    similar: BTreeMap<Key, Similar>,
    buckets: BTreeMap<String, Bucket>,
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
        let about = InvolvedObject { resource_version: String::new(), ..about.clone() };
        let group = Key {
            about: InvolvedObject { field_path: String::new(), ..about.clone() },
            kind,
            reason: reason.to_owned(),
            message: String::new(),
        };
        let similar = self
            .similar
            .entry(group.clone())
            .or_insert_with(|| Similar { messages: BTreeSet::new(), latest: now });
        if now.since(similar.latest) > MAX_INTERVAL {
            similar.messages.clear();
        }
        similar.messages.insert(message.to_owned());
        similar.latest = now;
        let (key, message) = if similar.messages.len() < MAX_EVENTS {
            (Key { about: about.clone(), message: message.to_owned(), ..group }, message.to_owned())
        } else {
            similar.messages.pop_first();
            (group, format!("(combined from similar events): {message}"))
        };
        let (count, first, name) = match self.logs.get_mut(&key) {
            Some(log) => {
                log.count += 1;
                log.latest = now;
                (log.count, log.first, log.name.clone())
            }
            None => {
                let name: Arc<str> = "".into();
                self.logs.insert(key.clone(), Log { count: 1, first: now, latest: now, name: name.clone() });
                (1, now, name)
            }
        };
        let allowed = self.take_token(&about, kind, now);
        self.trim();
        if !allowed {
            return Correlated::Skip;
        }
        if count == 1 || name.is_empty() {
            return Correlated::New { key, message };
        }
        Correlated::Again { key, name, count, first, message }
    }

    pub(super) fn created(&mut self, key: &Key, name: Arc<str>, now: SimTime) {
        if let Some(log) = self.logs.get_mut(key) {
            log.name = name;
            log.first = now;
        }
    }

    pub(super) fn created_again(&mut self, key: &Key, name: Arc<str>) {
        if let Some(log) = self.logs.get_mut(key) {
            log.name = name;
        }
    }

    /// Normal events and warnings have a bucket each.
    ///
    /// Source: recording `liveness-404` of cluster/kubelet.jsonl: 25 of either kind come at once.
    fn take_token(&mut self, about: &InvolvedObject, kind: EventType, now: SimTime) -> bool {
        let key =
            format!("{}/{}/{}/{}/{}", about.kind, about.namespace, about.name, about.uid, kind.as_str());
        let bucket = self.buckets.entry(key).or_insert(Bucket { tokens: SPAM_BURST, at: now });
        bucket.tokens = (bucket.tokens + now.since(bucket.at).as_secs_f64() * SPAM_QPS).min(SPAM_BURST);
        bucket.at = now;
        if bucket.tokens < 1.0 {
            return false;
        }
        bucket.tokens -= 1.0;
        true
    }

    fn trim(&mut self) {
        trim(&mut self.logs, |l| l.latest);
        trim(&mut self.similar, |s| s.latest);
        trim(&mut self.buckets, |b| b.at);
    }
}

/// Keeps a table bounded: the half that was touched longest ago goes when it is full.
fn trim<K: Ord + Clone, V>(table: &mut BTreeMap<K, V>, touched: impl Fn(&V) -> SimTime) {
    if table.len() <= MAX_ENTRIES {
        return;
    }
    let mut times: Vec<SimTime> = table.values().map(&touched).collect();
    times.sort_unstable();
    if let Some(middle) = times.get(times.len() / 2).copied() {
        table.retain(|_, value| touched(value) > middle);
    }
}
