//! One container: its configuration, its machine, its log.

use super::cri::{ContainerConfig, ContainerId, ContainerState, ContainerStatus, ExecToken, SandboxId};
use super::images::Image;
use super::logs::Log;
use podlab_shell::{Machine, Pid, Stream};
use podlab_sim::{SimTime, Slot};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A container on a node.
#[derive(Clone, Debug)]
pub(crate) struct Container {
    pub(crate) id: ContainerId,
    pub(crate) sandbox: SandboxId,
    pub(crate) config: Arc<ContainerConfig>,
    pub(crate) image: Image,
    pub(crate) image_ref: String,
    pub(crate) state: ContainerState,
    pub(crate) created_at: SimTime,
    pub(crate) started_at: Option<SimTime>,
    pub(crate) finished_at: Option<SimTime>,
    pub(crate) exit_code: i32,
    pub(crate) reason: &'static str,
    pub(crate) message: String,
    /// Processes and files; out only while they run.
    pub(crate) machine: Option<Box<Machine>>,
    /// Bytes of files that the image brought.
    pub(crate) image_bytes: u64,
    /// Process 1.
    pub(crate) init: Option<Pid>,
    pub(crate) log: Log,
    /// When the processes have something to do next.
    pub(crate) wake: Option<Slot>,
    pub(crate) oom_killed: bool,
    /// What it had computed when the latest spans began.
    pub(crate) cpu_marks: super::usage::CpuMarks,
    /// The node it is on.
    pub(crate) node: Option<super::node_use::NodePlace>,
    /// What the node has been told that it uses.
    pub(crate) counted: super::node_use::Counted,
    /// Volumes that it may fill.
    pub(crate) writes: Arc<[super::cri::VolumeId]>,
    /// Grows whenever something ran in it.
    pub(crate) epoch: u64,
    /// Commands run from outside that have not been collected.
    pub(crate) execs: BTreeMap<ExecToken, Exec>,
}

/// All containers by id; copies of the world share those that none of them has changed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Containers {
    by_id: BTreeMap<ContainerId, Place>,
    places: Vec<Option<Arc<Container>>>,
    /// Places that are free again.
    free: Vec<Place>,
}

/// Where a container is kept, for as long as it is there.
pub(crate) type Place = usize;

impl Containers {
    pub(crate) fn place(&self, id: &ContainerId) -> Option<Place> {
        self.by_id.get(id).copied()
    }

    pub(crate) fn get(&self, id: &ContainerId) -> Option<&Container> {
        self.places.get(self.place(id)?)?.as_deref()
    }

    pub(crate) fn get_mut(&mut self, id: &ContainerId) -> Option<&mut Container> {
        self.get_mut_at(self.place(id)?, id)
    }

    /// The container where it was once found, if it is still that one.
    pub(crate) fn get_mut_at(&mut self, place: Place, id: &ContainerId) -> Option<&mut Container> {
        let container = self.places.get_mut(place)?.as_mut()?;
        (Arc::ptr_eq(&container.id, id) || container.id == *id).then(|| Arc::make_mut(container))
    }

    pub(crate) fn insert(&mut self, id: ContainerId, container: Container) {
        let container = Some(Arc::new(container));
        let place = match self.place(&id).or_else(|| self.free.pop()) {
            Some(place) => place,
            None => {
                self.places.push(None);
                self.places.len() - 1
            }
        };
        if let Some(kept) = self.places.get_mut(place) {
            *kept = container;
        }
        self.by_id.insert(id, place);
    }

    pub(crate) fn remove(&mut self, id: &ContainerId) -> Option<Arc<Container>> {
        let place = self.by_id.remove(id)?;
        self.free.push(place);
        self.places.get_mut(place)?.take()
    }
}

/// A command that was started in a container from outside.
#[derive(Clone, Debug, Default)]
pub(crate) struct Exec {
    pub(crate) pid: Pid,
    /// What it wrote and nobody has read, in order.
    pub(crate) output: Vec<(Stream, Vec<u8>)>,
    pub(crate) exit: Option<(i32, SimTime)>,
    /// Whether a kubelet waits for its end.
    pub(crate) notify: bool,
    /// Whether its result is thrown away.
    pub(crate) forgotten: bool,
}

/// Output that nobody reads is kept up to so many bytes a command.
const EXEC_OUTPUT: usize = 1 << 20;

impl Exec {
    pub(crate) fn write(&mut self, stream: Stream, bytes: &[u8]) {
        let held: usize = self.output.iter().map(|(_, b)| b.len()).sum();
        let room = EXEC_OUTPUT.saturating_sub(held).min(bytes.len());
        if room == 0 || self.forgotten {
            return;
        }
        match self.output.last_mut() {
            Some((last, held)) if *last == stream => held.extend_from_slice(&bytes[..room]),
            _ => self.output.push((stream, bytes[..room].to_vec())),
        }
    }
}

impl Container {
    pub(crate) fn status(&self) -> ContainerStatus {
        ContainerStatus {
            id: self.id.clone(),
            name: self.config.name.clone(),
            attempt: self.config.attempt,
            state: self.state,
            created_at: self.created_at,
            started_at: self.started_at,
            finished_at: self.finished_at,
            exit_code: self.exit_code,
            reason: self.reason,
            message: self.message.clone(),
            image: self.config.image.clone(),
            image_ref: self.image_ref.clone(),
        }
    }

    pub(crate) fn is_running(&self) -> bool {
        self.state == ContainerState::Running
    }

    /// The memory of its processes and what it keeps on the node's disk: the files that it has written, and its log.
    pub(crate) fn uses(&self) -> super::node_use::Counted {
        let Some(machine) = &self.machine else { return self.counted };
        let files = machine.fs().root.used_bytes().saturating_sub(self.image_bytes);
        super::node_use::Counted {
            memory: if self.is_running() { machine.memory_bytes() } else { 0 },
            disk: files.saturating_add(self.log.size()),
        }
    }

    /// The command line: the image's, replaced by the pod's.
    ///
    /// Source: the table in the Kubernetes docs, "Define a Command and Arguments for a Container".
    pub(crate) fn argv(&self) -> Vec<String> {
        let own = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
        let config = &self.config;
        let (mut argv, args) = match (config.command.is_empty(), config.args.is_empty()) {
            (true, true) => (own(self.image.entrypoint), own(self.image.cmd)),
            (true, false) => (own(self.image.entrypoint), config.args.clone()),
            (false, _) => (config.command.clone(), config.args.clone()),
        };
        argv.extend(args);
        argv
    }
}
