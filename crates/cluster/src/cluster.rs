//! The cluster behind its one door, with its past.

use crate::observe::Upcoming;
use crate::set_up::SetUp;
use crate::settings::Settings;
use crate::world::World;
use podlab_api::door::{StreamChunk, StreamId, StreamInput, Verb, WatchCursor, WatchEvent};
use podlab_api::{Door, Object, Request, Response, Status};
use podlab_sim::SimTime;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// An input: everything that came from outside, in order.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Input {
    /// When it came.
    pub at: SimTime,
    /// What it was.
    pub what: InputKind,
}

/// What came from outside.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum InputKind {
    /// A request that may change something.
    Request(Arc<Request>),
    /// Something was sent into a stream.
    Stream(StreamId, StreamInput),
    /// A stream was closed.
    CloseStream(StreamId),
    /// Somebody acted on the machines below Kubernetes.
    Act(Act),
}

/// What a person can do to the machines, which no request to the API server expresses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Act {
    /// Adds a machine, whose kubelet registers it.
    AddNode(crate::settings::NodeSettings),
    /// Stops a node's kubelet; its containers run on.
    StopKubelet(String),
    /// Starts a node's kubelet again.
    StartKubelet(String),
    /// Kills the main process of a container.
    KillContainer {
        /// Namespace of the pod.
        namespace: String,
        /// Name of the pod.
        pod: String,
        /// Name of the container.
        container: String,
    },
    /// Puts a manifest into a node's static pod directory; `None` takes it away.
    StaticPod {
        /// The node.
        node: String,
        /// File name in the directory.
        file: String,
        /// The manifest.
        manifest: Option<serde_json::Value>,
    },
    /// Starts the scheduler again with another KubeSchedulerConfiguration; one that it would not start with changes
    /// nothing.
    ConfigureScheduler(serde_json::Value),
}

/// A state of the world that is kept to look back at.
#[derive(Clone, Debug)]
struct Checkpoint {
    at: SimTime,
    /// How many inputs had come.
    inputs: usize,
    world: Arc<World>,
}

/// How many checkpoints are kept; when there are more, every second of the older half goes.
const CHECKPOINTS: usize = 48;

/// The same where the world is large: of more objects than this.
const CHECKPOINTS_OF_LARGE: usize = 16;
const LARGE: usize = 10_000;

/// After how many events there is one, or after as many as there are objects: a copy of a world of thousands of nodes
/// takes as long as thousands of events.
const EVENTS_BETWEEN: usize = 4096;

/// A simulated cluster.
#[derive(Clone, Debug)]
pub struct Cluster {
    world: World,
    inputs: Vec<Input>,
    checkpoints: Vec<Checkpoint>,
    /// How many events have run since the last checkpoint.
    since_checkpoint: usize,
    /// Whether inputs and checkpoints are kept.
    remembers: bool,
}

impl Cluster {
    /// A new cluster.
    pub fn new(settings: Settings) -> Cluster {
        Cluster::with_past(World::new(settings))
    }

    /// The cluster that was set up; what is not done yet is done now.
    pub fn of(mut set_up: SetUp) -> Cluster {
        set_up.run(&mut || true);
        Cluster::with_past(set_up.world)
    }

    fn with_past(world: World) -> Cluster {
        let first = Checkpoint { at: world.now(), inputs: 0, world: Arc::new(world.clone()) };
        Cluster { world, inputs: Vec::new(), checkpoints: vec![first], since_checkpoint: 0, remembers: true }
    }

    /// A cluster that keeps no past: for benches and what-if copies.
    pub fn forgetful(settings: Settings) -> Cluster {
        Cluster {
            world: World::new(settings),
            inputs: Vec::new(),
            checkpoints: Vec::new(),
            since_checkpoint: 0,
            remembers: false,
        }
    }

    /// A copy of the present that keeps no past, to try things on: nothing done to it changes this cluster.
    pub fn aside(&self) -> Cluster {
        Cluster {
            world: self.world.clone(),
            inputs: Vec::new(),
            checkpoints: Vec::new(),
            since_checkpoint: 0,
            remembers: false,
        }
    }

    /// Sets a state exactly: objects with their uids, times and statuses, and the clock.
    ///
    /// The objects that the cluster began with stay unless one of the same name replaces them.
    pub fn restore(&mut self, objects: Vec<Object>, now: SimTime) {
        self.world.advance_to(now);
        for object in objects {
            self.world.api.reserve_for(&object);
            self.world.api.store.restore(object);
        }
        self.world.restored();
        if self.remembers {
            self.inputs.clear();
            self.checkpoints.clear();
            self.checkpoint();
        }
    }

    /// The present state, for observation.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// The present instant.
    pub fn sim_now(&self) -> SimTime {
        self.world.now()
    }

    /// Everything that has come from outside.
    pub fn inputs(&self) -> &[Input] {
        &self.inputs
    }

    /// Runs all that is due up to `until`, as long as `keep_going` says so between events; returns whether
    /// `until` was reached. Where it is cut changes nothing in the history.
    pub fn run_until(&mut self, until: SimTime, mut keep_going: impl FnMut() -> bool) -> bool {
        while self.world.step(until) {
            if self.remembers {
                self.since_checkpoint += 1;
                if self.since_checkpoint >= EVENTS_BETWEEN
                    && self.since_checkpoint >= self.world.api.store().len()
                {
                    self.checkpoint();
                }
            }
            if !keep_going() {
                return false;
            }
        }
        self.world.advance_to(until);
        true
    }

    /// What is planned, in order; at most `limit` entries that a person can understand.
    pub fn upcoming(&self, limit: usize) -> Vec<Upcoming> {
        self.world.upcoming(limit)
    }

    /// Does something to the machines below Kubernetes.
    pub fn act(&mut self, act: Act) {
        self.remember(|| InputKind::Act(act.clone()));
        self.world.act(&act);
        self.world.settle();
    }

    /// The cluster as it was at an earlier instant, or is now if `at` lies ahead: a copy that can go its own
    /// way.
    pub fn at(&self, at: SimTime) -> Cluster {
        if at >= self.world.now() {
            return self.clone();
        }
        let index = self.checkpoints.partition_point(|c| c.at <= at).max(1);
        let Some(from) = self.checkpoints.get(index - 1) else {
            return self.clone();
        };
        let inputs_then = self.inputs.partition_point(|i| i.at <= at);
        self.replay(from, &self.inputs[from.inputs.min(inputs_then)..inputs_then], index, inputs_then, at)
    }

    /// The cluster just before an input came, by its index in [`Cluster::inputs`]; `None` where there is no
    /// such input. Undo goes there.
    pub fn before_input(&self, index: usize) -> Option<Cluster> {
        let at = self.inputs.get(index)?.at;
        let nearest = self.checkpoints.iter().rposition(|c| c.inputs <= index)?;
        let from = &self.checkpoints[nearest];
        Some(self.replay(from, self.inputs.get(from.inputs..index)?, nearest + 1, index, at))
    }

    fn replay(
        &self,
        from: &Checkpoint,
        inputs: &[Input],
        checkpoints: usize,
        inputs_kept: usize,
        until: SimTime,
    ) -> Cluster {
        let mut copy = Cluster {
            world: (*from.world).clone(),
            inputs: Vec::new(),
            checkpoints: Vec::new(),
            since_checkpoint: 0,
            remembers: false,
        };
        for input in inputs {
            copy.run_until(input.at, || true);
            copy.apply_input(input);
        }
        copy.run_until(until, || true);
        copy.inputs = self.inputs[..inputs_kept].to_vec();
        copy.checkpoints = self.checkpoints[..checkpoints.min(self.checkpoints.len())].to_vec();
        copy.remembers = true;
        copy
    }

    /// Carries an input out again, at the present instant.
    pub fn apply_input(&mut self, input: &Input) {
        match &input.what {
            InputKind::Request(request) => {
                self.request((**request).clone());
            }
            InputKind::Stream(id, data) => self.stream_write(*id, data.clone()),
            InputKind::CloseStream(id) => self.stream_close(*id),
            InputKind::Act(act) => self.act(act.clone()),
        }
    }

    /// Notes an input, made only where the past is kept.
    fn remember(&mut self, what: impl FnOnce() -> InputKind) {
        if self.remembers {
            // Right before an input is where undo and look-back are most likely to go.
            if self.since_checkpoint >= 256 {
                self.checkpoint();
            }
            self.inputs.push(Input { at: self.world.now(), what: what() });
        }
    }

    fn checkpoint(&mut self) {
        self.since_checkpoint = 0;
        self.checkpoints.push(Checkpoint {
            at: self.world.now(),
            inputs: self.inputs.len(),
            world: Arc::new(self.world.clone()),
        });
        let most = if self.world.api.store().len() > LARGE { CHECKPOINTS_OF_LARGE } else { CHECKPOINTS };
        if self.checkpoints.len() > most {
            let mut index = 0;
            let older = most / 2;
            self.checkpoints.retain(|_| {
                index += 1;
                index == 1 || index > older || index % 2 == 0
            });
        }
    }
}

impl Door for Cluster {
    fn request(&mut self, request: Request) -> Response {
        let running =
            matches!(request.subresource.as_deref(), Some("log" | "exec" | "attach" | "portforward"));
        let reads = matches!(request.verb, Verb::Get | Verb::List | Verb::Watch);
        if let Err(status) = self.world.api.enter(&request) {
            return Response::status(status);
        }
        let reads = reads || crate::apiserver::rbac::is_review(&request);
        if !reads || running {
            self.remember(|| InputKind::Request(Arc::new(request.clone())));
        }
        let response = if running {
            self.world.open_stream(&request)
        } else if request.resource.group == crate::metrics::GROUP {
            self.world.metrics(request)
        } else {
            self.world.api.request(request)
        };
        self.world.api.leave();
        self.world.settle();
        response
    }

    fn now(&self) -> podlab_api::door::Timestamp {
        podlab_api::time::time_nanos(self.world.now().as_nanos())
    }

    fn watch(&mut self, cursor: &mut WatchCursor) -> Result<Vec<WatchEvent>, Status> {
        self.world.api.watch(cursor)
    }

    fn stream(&mut self, id: StreamId) -> StreamChunk {
        self.world.read_stream(id)
    }

    fn stream_write(&mut self, id: StreamId, input: StreamInput) {
        self.remember(|| InputKind::Stream(id, input.clone()));
        self.world.write_stream(id, input);
        self.world.settle();
    }

    fn stream_close(&mut self, id: StreamId) {
        self.remember(|| InputKind::CloseStream(id));
        self.world.close_stream(id);
        self.world.settle();
    }
}
