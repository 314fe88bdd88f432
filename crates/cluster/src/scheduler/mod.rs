//! kube-scheduler: which pod runs on which node.
//!
//! [`scheduling_queue`] says who is next, [`schedule_one`] looks for a node by running the [`plugins`] over the
//! [`cache`] of nodes, and this module carries the outcome out: binds, or writes event and condition and evicts
//! pods of lower priority. Each attempt leaves a [`decision::Decision`] for people.
//!
//! **Invariant:** one pod a [`SchedulerEvent::ScheduleOne`]; nothing is drawn but by (seed, `scheduler`, pod,
//! attempt).

pub mod cache;
pub mod configuration;
pub mod decision;
mod evaluations;
mod event_handlers;
pub mod fix;
pub mod framework;
pub mod nominator;
pub mod not_simulated;
pub mod plugins;
pub mod profile;
pub mod schedule_one;
pub mod scheduling_queue;
pub mod scoring;
pub mod selector_counts;
mod volume_binder;
pub mod what_if;

pub use decision::Decision;
pub use what_if::what_if;

use crate::apiserver::DeleteOptions;
use crate::latency;
use crate::observe::{Upcoming, UpcomingKind};
use crate::recorder::EventsRecorder;
use crate::recorder::events::{Note, truncate_message};
use crate::store::{Change, Key};
use crate::world::Cx;
use cache::Cache;
use configuration::Configuration;
use decision::{Decisions, Outcome};
pub use evaluations::Evaluations;
use framework::{FilterContext, PodInfo};
use k8s_openapi::api::core::v1::{PodCondition, PodStatus};
use nominator::Nominator;
use plugins::default_preemption::Preemption;
use podlab_api::time::time;
use podlab_api::{Object, kinds};
use podlab_sim::{Draw, SimTime, Slot};
use profile::Profile;
use schedule_one::{Failure, scheduling_cycle};
use scheduling_queue::{FLUSH_PERIOD, POD_MAX_IN_UNSCHEDULABLE_PODS, QueuedPodInfo, SchedulingQueue};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// What the scheduler plans.
#[derive(Clone, Debug)]
pub enum SchedulerEvent {
    /// Take the next pod from the active queue.
    ScheduleOne,
    /// Back-offs after failures of the scheduler end.
    FlushBackoff,
    /// Try pods again that have been unschedulable for five minutes.
    FlushUnschedulable,
    /// Write the counts of event series that have ended.
    FinishEventSeries,
    /// A pod has waited too long for its volumes.
    VolumeBindingTimeout(Arc<Key>),
}

/// The scheduler's state.
#[derive(Clone, Debug)]
pub struct Scheduler {
    profiles: Vec<Profile>,
    cache: Cache,
    evaluations: Evaluations,
    queue: SchedulingQueue,
    nominator: Nominator,
    /// One for each profile that has said something, by its name.
    recorders: Vec<(String, EventsRecorder)>,
    decisions: Decisions,
    /// Where the next cycle begins to look for nodes.
    next_start_node_index: usize,
    /// Pods that wait for volumes, by uid.
    waiting: BTreeMap<String, volume_binder::Waiting>,
    /// The pod that was bound last, until its binding is seen.
    bound: Option<Arc<PodInfo>>,
    /// When the next pod is taken.
    schedule: Option<Slot>,
    flush_backoff: Option<Slot>,
    flush_unschedulable: Option<Slot>,
    finish_series: Option<Slot>,
}

impl Default for Scheduler {
    fn default() -> Scheduler {
        Scheduler {
            profiles: vec![Profile::default()],
            cache: Cache::default(),
            evaluations: Evaluations::default(),
            queue: SchedulingQueue::default(),
            nominator: Nominator::default(),
            recorders: Vec::new(),
            decisions: Decisions::default(),
            next_start_node_index: 0,
            waiting: BTreeMap::new(),
            bound: None,
            schedule: None,
            flush_backoff: None,
            flush_unschedulable: None,
            finish_series: None,
        }
    }
}

/// Conditions that only the scheduler writes.
const POD_SCHEDULED: &str = "PodScheduled";

impl Scheduler {
    /// Carries out what was planned.
    pub fn handle(&mut self, event: SchedulerEvent, cx: &mut Cx<'_>) {
        match event {
            SchedulerEvent::ScheduleOne => {
                self.schedule = None;
                self.schedule_one(cx);
                self.plan(latency::SCHEDULE_NEXT, cx);
                return;
            }
            SchedulerEvent::FlushBackoff => {
                self.flush_backoff = None;
                self.queue.flush_backoff_completed(cx.now());
            }
            SchedulerEvent::FlushUnschedulable => {
                self.flush_unschedulable = None;
                self.queue.flush_unschedulable_pods_leftover(cx.now());
            }
            SchedulerEvent::VolumeBindingTimeout(key) => self.volume_binding_timed_out(&key, cx),
            SchedulerEvent::FinishEventSeries => {
                self.finish_series = None;
                for (_, recorder) in &mut self.recorders {
                    recorder.finish_series(cx.api);
                }
            }
        }
        self.plan(latency::SCHEDULE, cx);
    }

    /// Sees a change in the store.
    pub fn observe(&mut self, change: &Change, cx: &mut Cx<'_>) {
        if *change.object.kind == kinds::EVENT {
            return;
        }
        self.see(change, cx);
        self.plan(latency::SCHEDULE, cx);
    }

    /// What a planned event means to a person; `None` where it means nothing.
    pub fn upcoming(&self, at: SimTime, event: &SchedulerEvent) -> Option<Upcoming> {
        let what = match event {
            SchedulerEvent::ScheduleOne => UpcomingKind::Schedule,
            SchedulerEvent::FlushBackoff => UpcomingKind::SchedulerBackoffEnds,
            SchedulerEvent::FlushUnschedulable => UpcomingKind::Other("unschedulable pods are tried again"),
            SchedulerEvent::VolumeBindingTimeout(_) => UpcomingKind::Other("the wait for volumes ends"),
            SchedulerEvent::FinishEventSeries => return None,
        };
        let key = match event {
            SchedulerEvent::VolumeBindingTimeout(key) => Some(key),
            SchedulerEvent::ScheduleOne => self.queue.next_key(),
            SchedulerEvent::FlushBackoff => self.queue.next_error_backoff_key(),
            _ => None,
        };
        let (namespace, name) =
            key.map_or_else(Default::default, |k| (k.namespace.to_string(), k.name.to_string()));
        Some(Upcoming { at, kind: if key.is_some() { "Pod" } else { "" }, namespace, name, what })
    }

    /// The latest decisions about a pod, oldest first.
    pub fn decisions(&self, uid: &str) -> impl DoubleEndedIterator<Item = &Arc<Decision>> {
        self.decisions.of_pod(uid)
    }

    /// The latest decision about a pod.
    pub fn latest_decision(&self, uid: &str) -> Option<&Arc<Decision>> {
        self.decisions.latest(uid)
    }

    /// Who waits.
    pub fn queue(&self) -> &SchedulingQueue {
        &self.queue
    }

    /// Nodes and the pods on them.
    pub fn cache(&self) -> &Cache {
        &self.cache
    }

    /// Pods for which room is being made.
    pub fn nominator(&self) -> &Nominator {
        &self.nominator
    }

    /// Where the next cycle begins to look for nodes.
    pub fn next_start_node_index(&self) -> usize {
        self.next_start_node_index
    }

    /// The profiles: which `schedulerName` is served, and how.
    pub fn profiles(&self) -> &[Profile] {
        &self.profiles
    }

    /// The profile that serves a `schedulerName`, the default one where it is empty; pods with another name
    /// wait for ever.
    pub fn profile(&self, scheduler_name: &str) -> Option<&Profile> {
        profile_for(&self.profiles, scheduler_name)
    }

    /// Starts anew with other profiles: pods whose scheduler runs now are tried, at once also those that fitted nowhere,
    /// and those whose scheduler is gone wait.
    pub(crate) fn restart(&mut self, configuration: Configuration, cx: &mut Cx<'_>) {
        self.queue.configure(&configuration);
        self.profiles = configuration.profiles;
        self.evaluations = Evaluations::default();
        let pods: Vec<Arc<Object>> = cx.api.store().list(&kinds::POD).cloned().collect();
        for pod in pods.iter().filter(|pod| pod.node_name().is_none()) {
            self.start_anew(pod, cx);
        }
        self.plan(latency::SCHEDULE, cx);
    }

    /// Plans what comes next, a waiting pod after `delay`.
    fn plan(&mut self, delay: Duration, cx: &mut Cx<'_>) {
        if self.schedule.is_none() && self.queue.has_next() {
            self.schedule = Some(cx.after(delay, crate::Event::Scheduler(SchedulerEvent::ScheduleOne)));
        }
        let second = Duration::from_secs(1);
        let backoff = self.queue.next_error_backoff().map(|at| at + second);
        replan(&mut self.flush_backoff, backoff, SchedulerEvent::FlushBackoff, cx);
        let start = cx.settings.start;
        let (_, _, unschedulable) = self.queue.lengths();
        if unschedulable == 0 {
            replan(&mut self.flush_unschedulable, None, SchedulerEvent::FlushUnschedulable, cx);
        } else if self.flush_unschedulable.is_none() {
            // Where the oldest goes meanwhile, the flush finds nothing and is planned anew.
            let oldest = self.queue.oldest_unschedulable();
            let due = oldest.map(|at| {
                (at + POD_MAX_IN_UNSCHEDULABLE_PODS + Duration::from_nanos(1)).next_tick(start, FLUSH_PERIOD)
            });
            replan(&mut self.flush_unschedulable, due, SchedulerEvent::FlushUnschedulable, cx);
        }
        let finish = self.recorders.iter().filter_map(|(_, recorder)| recorder.next_finish(start)).min();
        replan(&mut self.finish_series, finish, SchedulerEvent::FinishEventSeries, cx);
    }

    fn schedule_one(&mut self, cx: &mut Cx<'_>) {
        let Some(queued) = self.queue.pop(cx.now()) else { return };
        let pod = queued.pod.clone();
        let name = pod.spec().scheduler_name.as_deref().unwrap_or("").to_owned();
        let Some(profile) = profile_for(&self.profiles, &name) else { return };
        if pod.object.is_terminating() {
            let message = format!("skip schedule deleting pod: {}/{}", pod.key.namespace, pod.key.name);
            self.record(&pod, None, ("Warning", "FailedScheduling", "Scheduling"), &message, cx);
            return;
        }
        let filter = FilterContext { cache: &self.cache, store: cx.api.store(), profile, now: cx.api.now() };
        for selector in plugins::pod_topology_spread::selectors(&filter, &pod) {
            self.cache.keep_count(&pod.key.namespace, &selector);
        }
        let bind_timeout = profile.bind_timeout;
        let object = format!("{}/{}", pod.key.namespace, pod.key.name);
        let draw = Draw::keyed(cx.settings.seed, "scheduler", &object, u64::from(queued.attempts));
        let filter = FilterContext { cache: &self.cache, store: cx.api.store(), profile, now: cx.api.now() };
        let mut cycle = scheduling_cycle(
            &filter,
            &self.nominator,
            &pod,
            self.next_start_node_index,
            queued.attempts,
            draw,
            &mut self.evaluations,
        );
        self.next_start_node_index = cycle.next_start_node_index;
        if let Some(failure) = cycle.failure {
            cycle.decision.message.clone_from(&failure.message);
            self.decisions.push(cycle.decision);
            self.handle_scheduling_failure(queued, failure, cx);
            return;
        }
        let Some(node) = cycle.chosen.and_then(|slot| self.cache.node(slot)).map(|n| n.name.clone()) else {
            return;
        };
        let claims = cycle.state.volume_claims.as_ref().filter(|claims| !claims.all_bound());
        let volumes = claims.zip(self.cache.node_by_name(&node));
        let volumes = volumes.and_then(|(claims, node)| claims.find(cx.api.store(), node).ok());
        let (bindings, provisions) = volumes.unwrap_or_default();
        if provisions.is_empty() {
            cycle.decision.message = format!("Successfully assigned {object} to {node}");
            cycle.decision.outcome = Outcome::Bound { node: node.clone() };
        } else {
            cycle.decision.outcome =
                Outcome::WaitingForVolumes { node: node.clone(), claims: provisions.clone() };
        }
        self.decisions.push(cycle.decision);
        self.nominator.remove(pod.uid());
        if self.pre_bind_volumes(&queued, &node, &bindings, &provisions, bind_timeout, cx) {
            self.bind(queued, &node, cx);
        }
    }

    fn bind(&mut self, queued: QueuedPodInfo, node: &str, cx: &mut Cx<'_>) {
        let pod = queued.pod.clone();
        let message = format!("Successfully assigned {}/{} to {node}", pod.key.namespace, pod.key.name);
        match cx.api.bind(&pod.key.namespace, &pod.key.name, node) {
            Ok(_) => {
                self.record(&pod, None, ("Normal", "Scheduled", "Binding"), &message, cx);
                self.bound = Some(pod);
            }
            Err(status) => {
                let failure = Failure {
                    message: status.message.clone(),
                    plugins: framework::PluginSet::default(),
                    rejected: false,
                    preemption: None,
                    clears_nomination: true,
                };
                self.handle_scheduling_failure(queued, failure, cx);
            }
        }
    }

    /// Puts the pod back and writes event, condition and nomination.
    ///
    /// Source: schedule_one.go `handleSchedulingFailure`, preemption/executor.go (v1.37).
    fn handle_scheduling_failure(&mut self, queued: QueuedPodInfo, failure: Failure, cx: &mut Cx<'_>) {
        let pod = queued.pod.clone();
        let current = cx.api.store().get_key(&kinds::POD, &pod.key);
        if current.is_none_or(|o| o.uid() != pod.uid()) {
            return;
        }
        let nominated = match &failure.preemption {
            Some(Preemption::Candidate { slot, .. }) => self.cache.node(*slot).map(|n| n.name.to_string()),
            _ if failure.clears_nomination => Some(String::new()),
            _ => None,
        };
        self.queue.add_unschedulable(queued, failure.plugins, cx.now());
        if let Some(node) = &nominated {
            self.nominator.set(&pod, node);
        }
        let text = truncate_message(&failure.message);
        self.record(&pod, None, ("Warning", "FailedScheduling", "Scheduling"), &text, cx);
        let reason = if failure.rejected { "Unschedulable" } else { "SchedulerError" };
        let condition = PodCondition {
            type_: POD_SCHEDULED.to_owned(),
            status: "False".to_owned(),
            reason: Some(reason.to_owned()),
            message: Some(failure.message.clone()),
            observed_generation: pod.object.metadata.generation,
            ..PodCondition::default()
        };
        write_status(&pod.key, Some(condition), nominated.as_deref(), cx);
        if let Some(Preemption::Candidate { victims, .. }) = failure.preemption {
            self.evict(&pod, nominated.as_deref().unwrap_or(""), &victims, cx);
        }
    }

    /// Evicts pods to make room; pods of lower priority that were to get the room before lose it.
    fn evict(&mut self, pod: &Arc<PodInfo>, node: &str, victims: &[Arc<PodInfo>], cx: &mut Cx<'_>) {
        let weaker: Vec<Arc<PodInfo>> =
            self.nominator.on_node(node).filter(|p| p.priority < pod.priority).cloned().collect();
        for other in weaker {
            write_status(&other.key, None, Some(""), cx);
        }
        let scheduler = pod.spec().scheduler_name.as_deref().unwrap_or("default-scheduler").to_owned();
        for victim in victims {
            let Some(object) = cx.api.store().get_key(&kinds::POD, &victim.key).cloned() else { continue };
            if object.uid() != victim.uid() || object.is_terminating() {
                continue;
            }
            let condition = PodCondition {
                type_: "DisruptionTarget".to_owned(),
                status: "True".to_owned(),
                reason: Some("PreemptionByScheduler".to_owned()),
                message: Some(format!("{scheduler}: preempting to accommodate a higher priority pod")),
                observed_generation: object.metadata.generation,
                ..PodCondition::default()
            };
            write_status(&victim.key, Some(condition), None, cx);
            let options = DeleteOptions::default();
            if cx.api.delete(&kinds::POD, &victim.key.namespace, &victim.key.name, &options).is_err() {
                continue;
            }
            let message = format!("Preempted by pod {} on node {node}", pod.uid());
            self.record(victim, Some(pod), ("Normal", "Preempted", "Preempting"), &message, cx);
        }
    }

    fn record(
        &mut self,
        pod: &PodInfo,
        related: Option<&PodInfo>,
        (kind, reason, action): (&'static str, &'static str, &'static str),
        message: &str,
        cx: &mut Cx<'_>,
    ) {
        let settings = cx.settings;
        // A victim's event is said by the scheduler of the pod that it makes room for.
        let profile = related.unwrap_or(pod).spec().scheduler_name.as_deref();
        let profile = profile.filter(|name| !name.is_empty()).unwrap_or("default-scheduler");
        let index = self.recorders.iter().position(|(name, _)| name == profile).unwrap_or_else(|| {
            let host = settings.nodes.iter().find(|n| n.control_plane).map_or("controlplane", |n| &n.name);
            self.recorders.push((profile.to_owned(), EventsRecorder::new(profile, host)));
            self.recorders.len() - 1
        });
        let Some((_, recorder)) = self.recorders.get_mut(index) else { return };
        recorder.forget_old(cx.api.now(), settings.start);
        let note = Note { kind, reason, action, message };
        recorder.eventf(cx.api, &pod.object, related.map(|r| r.object.as_ref()), &note);
    }
}

fn profile_for<'a>(profiles: &'a [Profile], scheduler_name: &str) -> Option<&'a Profile> {
    let name = if scheduler_name.is_empty() { "default-scheduler" } else { scheduler_name };
    profiles.iter().find(|p| p.scheduler_name == name)
}

/// Cancels or plans an entry of the agenda so that it is due at `at`.
fn replan(slot: &mut Option<Slot>, at: Option<SimTime>, event: SchedulerEvent, cx: &mut Cx<'_>) {
    if slot.map(|s| s.at) == at {
        return;
    }
    if let Some(old) = slot.take() {
        cx.agenda.cancel(old);
    }
    *slot = at.map(|at| cx.at(at, crate::Event::Scheduler(event)));
}

/// Sets a condition and the nominated node of a pod, where that changes anything.
///
/// Source: pkg/api/v1/pod/util.go `UpdatePodCondition` (v1.37).
fn write_status(key: &Key, condition: Option<PodCondition>, nominated: Option<&str>, cx: &mut Cx<'_>) {
    let Some(object) = cx.api.store().get_key(&kinds::POD, key) else { return };
    let Some(status) = object.pod_status() else { return };
    let now = time(cx.api.now().as_secs());
    let mut new: PodStatus = (**status).clone();
    if let Some(mut condition) = condition {
        let conditions = new.conditions.get_or_insert_with(Vec::new);
        match conditions.iter_mut().find(|c| c.type_ == condition.type_) {
            Some(old) => {
                let same = old.status == condition.status;
                condition.last_transition_time =
                    if same { old.last_transition_time.clone() } else { Some(now) };
                condition.last_probe_time.clone_from(&old.last_probe_time);
                *old = condition;
            }
            None => {
                condition.last_transition_time = Some(now);
                conditions.push(condition);
            }
        }
    }
    if let Some(node) = nominated {
        new.nominated_node_name = (!node.is_empty()).then(|| node.to_owned());
    }
    if new == **status {
        return;
    }
    // The pod may have gone meanwhile; then there is nothing to say of it.
    let _ = cx.api.set_pod_status(&key.namespace, &key.name, Arc::new(new));
}
