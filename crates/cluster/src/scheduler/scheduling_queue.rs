//! Where pods wait to be scheduled.
//!
//! A pod is in one of three places: active (next to be tried), backing off (tried not long ago), or
//! unschedulable (until something happens that may make it fit, or five minutes have passed).
//!
//! Source: pkg/scheduler/backend/queue (v1.37).

use super::configuration::Configuration;
use super::framework::{ClusterEvent, EventObjects, FilterContext, PluginId, PluginSet, PodInfo};
use super::plugins::{priority_sort, registry, scheduling_gates};
use super::profile::Profile;
use crate::store::Key;
use podlab_sim::{SimDuration, SimTime};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// The first back-off.
pub const POD_INITIAL_BACKOFF: Duration = Duration::from_secs(1);
/// The longest back-off.
pub const POD_MAX_BACKOFF: Duration = Duration::from_secs(10);
/// How long a pod stays unschedulable without being tried.
pub const POD_MAX_IN_UNSCHEDULABLE_PODS: Duration = Duration::from_secs(300);
/// How often it is looked whether a pod has stayed so long.
pub const FLUSH_PERIOD: Duration = Duration::from_secs(30);
/// Back-offs end at whole multiples of this.
const BACKOFF_ORDERING_WINDOW: i64 = 1_000_000_000;

/// A pod that waits.
#[derive(Clone, Debug)]
pub struct QueuedPodInfo {
    /// The pod.
    pub pod: Arc<PodInfo>,
    /// When it was put into the queue last.
    pub timestamp: SimTime,
    /// How often it has been tried.
    pub attempts: u32,
    /// How often it did not fit.
    pub unschedulable_count: u32,
    /// How often in a row the scheduler failed.
    pub consecutive_errors: u32,
    /// The plugins that rejected it.
    pub unschedulable_plugins: PluginSet,
    /// Whether scheduling gates hold it back.
    pub gated: bool,
    /// When it was last taken out because of its age.
    pub flushed: SimTime,
    sequence: u64,
    place: Place,
}

/// Where a pod waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Next to be tried, by priority, then age.
    Active,
    /// Until then, or until nothing else is to be done.
    Backoff(SimTime),
    /// Until then, after a failure of the scheduler itself.
    ErrorBackoff(SimTime),
    /// Until something happens.
    Unschedulable,
}

type Order = (Reverse<i32>, SimTime, u64, Arc<Key>);

/// The queue.
///
/// Invariant: every pod stands in exactly the index of its place.
#[derive(Clone, Debug)]
pub struct SchedulingQueue {
    pods: BTreeMap<Arc<Key>, QueuedPodInfo>,
    active_q: BTreeSet<Order>,
    backoff_q: BTreeSet<(SimTime, Order)>,
    error_backoff_q: BTreeSet<(SimTime, Order)>,
    unschedulable_pods: BTreeSet<Arc<Key>>,
    /// How many unschedulable pods each plugin has rejected; at index 31 those that none has.
    rejected_by: [u32; 32],
    next_sequence: u64,
    initial_backoff: Duration,
    max_backoff: Duration,
    /// Schedulers that let pods with scheduling gates pass.
    without_gates: Vec<String>,
}

impl Default for SchedulingQueue {
    fn default() -> SchedulingQueue {
        SchedulingQueue {
            pods: BTreeMap::new(),
            active_q: BTreeSet::new(),
            backoff_q: BTreeSet::new(),
            error_backoff_q: BTreeSet::new(),
            unschedulable_pods: BTreeSet::new(),
            rejected_by: [0; 32],
            next_sequence: 0,
            initial_backoff: POD_INITIAL_BACKOFF,
            max_backoff: POD_MAX_BACKOFF,
            without_gates: Vec::new(),
        }
    }
}

const NONE: usize = 31;

fn scheduler_name(pod: &PodInfo) -> &str {
    let name = pod.spec().scheduler_name.as_deref();
    name.filter(|name| !name.is_empty()).unwrap_or("default-scheduler")
}

fn profile_of<'a>(pod: &PodInfo, profiles: &'a [Profile], first: &'a Profile) -> &'a Profile {
    if profiles.len() < 2 {
        return first;
    }
    let name = scheduler_name(pod);
    profiles.iter().find(|profile| profile.scheduler_name == name).unwrap_or(first)
}

impl SchedulingQueue {
    /// Takes over how long pods back off, and which scheduling gates hold back.
    pub fn configure(&mut self, configuration: &Configuration) {
        self.initial_backoff = configuration.pod_initial_backoff;
        self.max_backoff = configuration.pod_max_backoff;
        let ungated = configuration
            .profiles
            .iter()
            .filter(|profile| !profile.plugins.pre_enqueue.contains(&PluginId::SchedulingGates));
        self.without_gates = ungated.map(|profile| profile.scheduler_name.clone()).collect();
    }

    /// Whether scheduling gates hold a pod back.
    fn gated(&self, pod: &PodInfo) -> bool {
        !scheduling_gates::pre_enqueue(pod)
            && !self.without_gates.iter().any(|name| name == scheduler_name(pod))
    }

    /// A pod that waits.
    pub fn get(&self, key: &Key) -> Option<&QueuedPodInfo> {
        self.pods.get(key)
    }

    /// Where a pod waits; `None` where it does not.
    pub fn place(&self, key: &Key) -> Option<Place> {
        self.pods.get(key).map(|info| info.place)
    }

    /// How many pods are active, backing off, unschedulable.
    pub fn lengths(&self) -> (usize, usize, usize) {
        (
            self.active_q.len(),
            self.backoff_q.len() + self.error_backoff_q.len(),
            self.unschedulable_pods.len(),
        )
    }

    /// Whether a pod can be popped now.
    pub fn has_next(&self) -> bool {
        !self.active_q.is_empty() || !self.backoff_q.is_empty()
    }

    /// The pod that is popped next.
    pub fn next_key(&self) -> Option<&Arc<Key>> {
        self.active_q.first().or_else(|| self.backoff_q.first().map(|(_, order)| order)).map(|order| &order.3)
    }

    /// The pod whose back-off after a failure of the scheduler ends next.
    pub fn next_error_backoff_key(&self) -> Option<&Arc<Key>> {
        self.error_backoff_q.first().map(|(_, order)| &order.3)
    }

    /// When the next pod ends its back-off after a failure of the scheduler.
    pub fn next_error_backoff(&self) -> Option<SimTime> {
        self.error_backoff_q.first().map(|(at, _)| *at)
    }

    /// The age of the pod that has been unschedulable longest; `None` where there is none.
    pub fn oldest_unschedulable(&self) -> Option<SimTime> {
        let waiting = self.unschedulable_pods.iter().filter_map(|key| self.pods.get(key));
        waiting.map(|info| info.timestamp.max(info.flushed)).min()
    }

    fn order(info: &QueuedPodInfo) -> Order {
        let (priority, timestamp) = priority_sort::order(info.pod.priority, info.timestamp);
        (priority, timestamp, info.sequence, info.pod.key.clone())
    }

    fn count_rejected(&mut self, plugins: PluginSet, by: i32) {
        let add = |n: &mut u32| *n = n.saturating_add_signed(by);
        if plugins.is_empty() {
            add(&mut self.rejected_by[NONE]);
        }
        for index in plugins.indices() {
            add(&mut self.rejected_by[index]);
        }
    }

    fn take(&mut self, key: &Key) -> Option<QueuedPodInfo> {
        let info = self.pods.remove(key)?;
        let order = Self::order(&info);
        match info.place {
            Place::Active => {
                self.active_q.remove(&order);
            }
            Place::Backoff(at) => {
                self.backoff_q.remove(&(at, order));
            }
            Place::ErrorBackoff(at) => {
                self.error_backoff_q.remove(&(at, order));
            }
            Place::Unschedulable => {
                self.unschedulable_pods.remove(key);
                self.count_rejected(info.unschedulable_plugins, -1);
            }
        }
        Some(info)
    }

    fn put(&mut self, mut info: QueuedPodInfo, place: Place) {
        info.place = place;
        let key = info.pod.key.clone();
        let order = Self::order(&info);
        match place {
            Place::Active => {
                self.active_q.insert(order);
            }
            Place::Backoff(at) => {
                self.backoff_q.insert((at, order));
            }
            Place::ErrorBackoff(at) => {
                self.error_backoff_q.insert((at, order));
            }
            Place::Unschedulable => {
                self.count_rejected(info.unschedulable_plugins, 1);
                self.unschedulable_pods.insert(key.clone());
            }
        }
        self.pods.insert(key, info);
    }

    /// Puts a pod where it belongs that is worth trying.
    fn requeue(&mut self, mut info: QueuedPodInfo, now: SimTime) {
        info.gated = self.gated(&info.pod);
        if info.gated {
            info.unschedulable_plugins.insert(PluginId::SchedulingGates);
            self.put(info, Place::Unschedulable);
            return;
        }
        let until = self.backoff_until(&info);
        let place = match until {
            Some(until) if until >= aligned(now) => {
                if info.unschedulable_plugins.is_empty() {
                    Place::ErrorBackoff(until)
                } else {
                    Place::Backoff(until)
                }
            }
            _ => Place::Active,
        };
        self.put(info, place);
    }

    /// A new pod.
    pub fn add(&mut self, pod: Arc<PodInfo>, now: SimTime) {
        self.take(&pod.key);
        self.next_sequence += 1;
        let info = QueuedPodInfo {
            pod,
            timestamp: now,
            attempts: 0,
            unschedulable_count: 0,
            consecutive_errors: 0,
            unschedulable_plugins: PluginSet::default(),
            gated: false,
            flushed: now,
            sequence: self.next_sequence,
            place: Place::Active,
        };
        self.requeue(info, now);
    }

    /// A pod that waits is gone, or has found a node otherwise.
    pub fn delete(&mut self, key: &Key) {
        self.take(key);
    }

    /// A pod that waits has changed; `events` say how. It is tried again where that may help.
    pub fn update(
        &mut self,
        cx: &FilterContext<'_>,
        pod: Arc<PodInfo>,
        events: &[ClusterEvent],
        objects: EventObjects<'_>,
    ) {
        let Some(mut info) = self.take(&pod.key) else {
            self.add(pod, cx.now);
            return;
        };
        info.pod = pod;
        let place = info.place;
        if place != Place::Unschedulable {
            self.put(info, place);
            return;
        }
        if events.iter().any(|event| worth_requeuing(cx, &info, *event, objects)) {
            self.requeue(info, cx.now);
        } else {
            self.put(info, place);
        }
    }

    /// The next pod to try, which leaves the queue. One that is backing off is taken where no other waits.
    pub fn pop(&mut self, now: SimTime) -> Option<QueuedPodInfo> {
        self.flush_backoff_completed(now);
        let key = match self.active_q.first() {
            Some(order) => order.3.clone(),
            None => self.backoff_q.first()?.1.3.clone(),
        };
        let mut info = self.take(&key)?;
        info.attempts += 1;
        Some(info)
    }

    /// Makes the pods active whose back-off has ended.
    pub fn flush_backoff_completed(&mut self, now: SimTime) {
        let over = |at: SimTime| at < aligned(now);
        loop {
            let next = [&self.backoff_q, &self.error_backoff_q].into_iter().find_map(|queue| {
                queue.first().filter(|(at, _)| over(*at)).map(|(_, order)| order.3.clone())
            });
            let Some(info) = next.and_then(|key| self.take(&key)) else { return };
            self.put(info, Place::Active);
        }
    }

    /// A pod that was tried did not fit, or the scheduler failed (`plugins` is empty then).
    pub fn add_unschedulable(&mut self, mut info: QueuedPodInfo, plugins: PluginSet, now: SimTime) {
        info.unschedulable_plugins = plugins;
        if plugins.is_empty() {
            info.consecutive_errors += 1;
        } else {
            info.unschedulable_count += 1;
            info.consecutive_errors = 0;
        }
        info.timestamp = now;
        info.flushed = now;
        if plugins.is_empty() {
            // Nothing that happens would tell when to try again.
            self.requeue(info, now);
        } else {
            self.put(info, Place::Unschedulable);
        }
    }

    /// Something happened: pods that it may help are tried again, those of priority `at_most` or lower. Plugins are asked
    /// with the profile of the pod's scheduler.
    pub fn move_all_to_active_or_backoff_queue(
        &mut self,
        (cx, profiles): (&FilterContext<'_>, &[Profile]),
        event: ClusterEvent,
        objects: EventObjects<'_>,
        at_most: i32,
    ) {
        if self.unschedulable_pods.is_empty() {
            return;
        }
        let interested = registry::interested_in(event);
        let anybody = self.rejected_by[NONE] > 0 || interested.indices().any(|i| self.rejected_by[i] > 0);
        if !anybody {
            return;
        }
        let keys: Vec<Arc<Key>> = self
            .unschedulable_pods
            .iter()
            .filter(|key| {
                self.pods.get(*key).is_some_and(|info| {
                    let cx = FilterContext { profile: profile_of(&info.pod, profiles, cx.profile), ..*cx };
                    info.pod.priority <= at_most && worth_requeuing(&cx, info, event, objects)
                })
            })
            .cloned()
            .collect();
        for key in keys {
            if let Some(info) = self.take(&key) {
                self.requeue(info, cx.now);
            }
        }
    }

    /// Tries pods again that have been unschedulable for five minutes.
    pub fn flush_unschedulable_pods_leftover(&mut self, now: SimTime) {
        let old = |info: &&QueuedPodInfo| {
            now.since(info.timestamp.max(info.flushed)) > POD_MAX_IN_UNSCHEDULABLE_PODS
        };
        let waiting = self.unschedulable_pods.iter().filter_map(|key| self.pods.get(key));
        let keys: Vec<Arc<Key>> = waiting.filter(old).map(|info| info.pod.key.clone()).collect();
        for key in keys {
            if let Some(mut info) = self.take(&key) {
                info.flushed = now;
                self.requeue(info, now);
            }
        }
    }
}

/// Whether an event may make a pod fit.
///
/// Source: scheduling_queue.go `isPodWorthRequeuing` (v1.37).
fn worth_requeuing(
    cx: &FilterContext<'_>,
    info: &QueuedPodInfo,
    event: ClusterEvent,
    objects: EventObjects<'_>,
) -> bool {
    if info.unschedulable_plugins.is_empty() || event.is_wild_card() {
        return true;
    }
    registry::ALL.iter().any(|plugin| {
        info.unschedulable_plugins.contains(plugin.id())
            && plugin.events().iter().any(|registered| registered.covers(event))
            && plugin.hint(cx, &info.pod, event, objects)
    })
}

fn aligned(at: SimTime) -> SimTime {
    let nanos = at.as_nanos();
    SimTime::from_nanos(nanos - nanos.rem_euclid(BACKOFF_ORDERING_WINDOW))
}

impl SchedulingQueue {
    /// When a pod's back-off ends; `None` where it has none.
    ///
    /// Source: backoff_queue.go `getBackoffTime`, `calculateBackoffDuration` (v1.37).
    fn backoff_until(&self, info: &QueuedPodInfo) -> Option<SimTime> {
        let count =
            if info.consecutive_errors > 0 { info.consecutive_errors } else { info.unschedulable_count };
        let times = 1u32.checked_shl(count.checked_sub(1)?);
        let doubled = times.and_then(|times| self.initial_backoff.checked_mul(times));
        let duration: SimDuration = doubled.unwrap_or(self.max_backoff).min(self.max_backoff);
        Some(aligned(info.timestamp + duration))
    }
}
