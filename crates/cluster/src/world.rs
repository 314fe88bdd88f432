//! The whole cluster as one value: state only.

use crate::apiserver::ApiServer;
use crate::controllers::Controllers;
use crate::event::Event;
use crate::kubelet::Kubelets;
use crate::runtime::Runtime;
use crate::scheduler::Scheduler;
use crate::set_up::SetUp;
use crate::settings::Settings;
use crate::store::Change;
use podlab_sim::{Agenda, Draw, SimDuration, SimTime, Slot};
use std::sync::Arc;

/// Everything a cluster is at one instant.
///
/// Invariant: plain data throughout, so a clone is a complete copy that goes its own way.
#[derive(Clone, Debug)]
pub struct World {
    /// What it was built from.
    pub settings: Arc<Settings>,
    /// What happens next.
    pub agenda: Agenda<Event>,
    /// Store and rules; it also carries the clock.
    pub api: ApiServer,
    /// The scheduler.
    pub scheduler: Scheduler,
    /// The kubelets.
    pub kubelets: Kubelets,
    /// The container runtimes.
    pub runtime: Runtime,
    /// The controllers.
    pub controllers: Controllers,
    /// Components have seen every change up to this resourceVersion.
    pub(crate) observed: u64,
}

/// What a component may touch beside its own state.
pub struct Cx<'a> {
    /// The API server: the only way to read or change objects.
    pub api: &'a mut ApiServer,
    /// Where to plan what comes later.
    pub agenda: &'a mut Agenda<Event>,
    /// What the cluster was built from.
    pub settings: &'a Settings,
}

impl Cx<'_> {
    /// The present instant.
    pub fn now(&self) -> SimTime {
        self.api.now()
    }

    /// Plans an event after `delay`.
    pub fn after(&mut self, delay: SimDuration, event: Event) -> Slot {
        self.agenda.schedule(self.api.now() + delay, event)
    }

    /// Plans an event for an instant; one in the past happens now.
    pub fn at(&mut self, at: SimTime, event: Event) -> Slot {
        let at = at.max(self.api.now());
        self.agenda.schedule(at, event)
    }

    /// Draws for one object of one component; `counter` tells its draws apart.
    pub fn draw(&self, component: &str, object: &str, counter: u64) -> Draw {
        Draw::keyed(self.settings.seed, component, object, counter)
    }
}

impl World {
    /// A cluster at the start of its virtual time, as `settings` say.
    pub fn new(settings: Settings) -> World {
        let mut set_up = SetUp::new(settings);
        set_up.run(&mut || true);
        set_up.world
    }

    /// A world before anything is in it.
    pub(crate) fn empty(settings: Settings) -> World {
        let settings = Arc::new(settings);
        World {
            agenda: Agenda::default(),
            api: ApiServer::new(settings.clone()),
            scheduler: Scheduler::default(),
            kubelets: Kubelets::default(),
            runtime: Runtime::default(),
            controllers: Controllers::default(),
            observed: 0,
            settings,
        }
    }

    /// The present instant.
    pub fn now(&self) -> SimTime {
        self.api.now()
    }

    /// Runs the next planned event if it is due at or before `until`; says whether there was one.
    pub fn step(&mut self, until: SimTime) -> bool {
        let Some((at, event)) = self.agenda.pop_until(until) else {
            return false;
        };
        self.api.set_now(at);
        let mut cx = Cx { api: &mut self.api, agenda: &mut self.agenda, settings: &self.settings };
        match event {
            Event::Scheduler(e) => self.scheduler.handle(e, &mut cx),
            Event::Kubelet(e) => self.kubelets.handle(e, &mut self.runtime, &mut cx),
            Event::Runtime(e) => self.runtime.handle(e, &mut cx),
            Event::Controller(e) => {
                if e.reads_metrics() {
                    crate::metrics::refresh(cx.api, &self.runtime);
                }
                self.controllers.handle(e, &mut cx);
            }
        }
        self.settle();
        true
    }

    /// Moves the clock without events; never back.
    pub fn advance_to(&mut self, at: SimTime) {
        self.api.set_now(at.max(self.api.now()));
    }

    /// Shows every component the changes it has not seen; components react by planning, or by further
    /// writes, which are shown in turn.
    pub fn settle(&mut self) {
        while self.settle_some(usize::MAX) {}
    }

    /// As [`World::settle`], at most `limit` changes; says whether there were any. Where it is cut changes nothing.
    pub(crate) fn settle_some(&mut self, limit: usize) -> bool {
        // Most events change nothing.
        if self.observed == self.api.store().resource_version() {
            return false;
        }
        let pending: Vec<Change> = match self.api.store().history().since(self.observed) {
            Some(changes) => changes.take(limit).cloned().collect(),
            None => Vec::new(),
        };
        let Some(last) = pending.last() else { return false };
        self.observed = last.resource_version;
        self.api.store.see(self.observed);
        let profile = self.settings.profile;
        let definition = |change: &Change| {
            let kind = change.object.kind;
            *kind == podlab_api::kinds::CUSTOM_RESOURCE_DEFINITION
                || (kind.is_custom() && change.change == podlab_api::door::ChangeType::Deleted)
        };
        if pending.iter().any(definition) {
            self.api.sync_definitions();
        }
        let mut cx = Cx { api: &mut self.api, agenda: &mut self.agenda, settings: &self.settings };
        for change in &pending {
            if profile.has_scheduler() {
                self.scheduler.observe(change, &mut cx);
            }
            if profile.has_kubelets() {
                self.kubelets.observe(change, &mut self.runtime, &mut cx);
            }
            if profile.has_controllers() {
                self.controllers.observe(change, &mut cx);
            }
        }
        true
    }
}

impl World {
    fn cx(&mut self) -> (&mut Kubelets, &mut Runtime, Cx<'_>) {
        let cx = Cx { api: &mut self.api, agenda: &mut self.agenda, settings: &self.settings };
        (&mut self.kubelets, &mut self.runtime, cx)
    }

    /// Tells every component that the state was set from outside: they take it up as after a restart.
    pub(crate) fn restored(&mut self) {
        self.api.sync_definitions();
        self.observed = self.api.store().resource_version();
        let objects: Vec<_> = self.api.store().all().cloned().collect();
        let profile = self.settings.profile;
        let mut cx = Cx { api: &mut self.api, agenda: &mut self.agenda, settings: &self.settings };
        for object in objects {
            let change = Change {
                resource_version: object.resource_version(),
                change: podlab_api::door::ChangeType::Added,
                before: None,
                object,
            };
            if profile.has_scheduler() {
                self.scheduler.observe(&change, &mut cx);
            }
            if profile.has_kubelets() {
                self.kubelets.observe(&change, &mut self.runtime, &mut cx);
            }
            if profile.has_controllers() {
                self.controllers.observe(&change, &mut cx);
            }
        }
        self.settle();
    }

    /// Acts on the machines below Kubernetes.
    pub(crate) fn act(&mut self, act: &crate::cluster::Act) {
        let settings = self.settings.clone();
        if let crate::cluster::Act::AddNode(node) = act {
            let index = self.api.store().count(&podlab_api::kinds::NODE);
            crate::bootstrap::create_node(&mut self.api, node, index, &settings);
            return;
        }
        if let crate::cluster::Act::ConfigureScheduler(configuration) = act {
            if let Ok(read) = crate::scheduler::configuration::read(configuration)
                && settings.profile.has_scheduler()
            {
                let mut cx = Cx { api: &mut self.api, agenda: &mut self.agenda, settings: &self.settings };
                self.scheduler.restart(read, &mut cx);
            }
            return;
        }
        let (kubelets, runtime, mut cx) = self.cx();
        kubelets.act(act, runtime, &mut cx);
        if let crate::cluster::Act::StopKubelet(node) = act
            && settings.profile.has_all_controllers()
        {
            let mut cx = Cx { api: &mut self.api, agenda: &mut self.agenda, settings: &self.settings };
            self.controllers.kubelet_stopped(node, &mut cx);
        }
    }

    /// What the containers of the pod with this uid have used lately; `None` where none of them runs.
    pub fn pod_usage(&self, uid: &str) -> Option<crate::metrics::PodUsage> {
        crate::metrics::of_pod(&self.runtime, uid, self.api.now())
    }

    /// Answers a request for the Metrics API.
    pub(crate) fn metrics(&mut self, request: podlab_api::Request) -> podlab_api::Response {
        crate::metrics::refresh(&mut self.api, &self.runtime);
        self.api.request(request)
    }

    /// Opens a log, exec, attach or port-forward stream.
    pub(crate) fn open_stream(&mut self, request: &podlab_api::Request) -> podlab_api::Response {
        let (kubelets, runtime, mut cx) = self.cx();
        if request.subresource.as_deref() == Some("portforward") {
            return crate::port_forward::answer(request, runtime, &mut cx);
        }
        kubelets.open_stream(request, runtime, &mut cx)
    }

    /// What a stream has brought since it was last read.
    pub(crate) fn read_stream(&mut self, id: podlab_api::door::StreamId) -> podlab_api::door::StreamChunk {
        let (kubelets, runtime, mut cx) = self.cx();
        kubelets.read_stream(id, runtime, &mut cx)
    }

    /// Sends input into a stream.
    pub(crate) fn write_stream(
        &mut self,
        id: podlab_api::door::StreamId,
        input: podlab_api::door::StreamInput,
    ) {
        let (kubelets, runtime, mut cx) = self.cx();
        kubelets.write_stream(id, input, runtime, &mut cx);
    }

    /// Closes a stream.
    pub(crate) fn close_stream(&mut self, id: podlab_api::door::StreamId) {
        let (kubelets, runtime, mut cx) = self.cx();
        kubelets.close_stream(id, runtime, &mut cx);
    }

    /// What is planned, in order, as far as a person can understand it.
    pub fn upcoming(&self, limit: usize) -> Vec<crate::observe::Upcoming> {
        self.agenda
            .iter()
            .filter_map(|(at, event)| match event {
                Event::Scheduler(e) => self.scheduler.upcoming(at, e),
                Event::Kubelet(e) => self.kubelets.upcoming(at, e),
                Event::Runtime(e) => self.runtime.upcoming(at, e),
                Event::Controller(e) => self.controllers.upcoming(at, e),
            })
            .take(limit)
            .collect()
    }
}
