//! The container runtime of every node, and the network between pods.
//!
//! A container is a [`podlab_shell::Machine`]: a process table over a file system, run in virtual time.
//! Images say which programs it holds ([`images`]); servers ([`servers`]) are programs like any other. The
//! kubelet knows the runtime only through the methods of [`Runtime`], named after the Container Runtime
//! Interface.
//!
//! **Invariant:** the runtime reads API objects only for the network (Services and their pods), never to
//! decide what a container does.

mod container;
mod cri;
mod dns;
mod exec;
mod host;
pub mod images;
mod lifecycle;
mod logs;
mod network;
mod network_policy;
mod node_use;
mod run;
mod sandbox;
mod served;
mod servers;
mod session_affinity;
mod usage;
mod volumes;

pub use cri::{
    ContainerConfig, ContainerId, ContainerState, ContainerStatus, ExecOutcome, ExecState, ExecToken,
    ImageStatus, MountConfig, Notice, PullOutcome, SandboxConfig, SandboxId, VolumeFile, VolumeId,
};
pub use logs::{Log, LogLine};
pub use network::{HttpAnswer, HttpGet};
pub(crate) use node_use::{IMAGEFS_AVAILABLE, MEMORY_AVAILABLE, NODEFS_AVAILABLE, NodeUse, part_of};
pub(crate) use sandbox::Sandbox;
pub use served::Known;
pub(crate) use usage::SPAN as USAGE_SPAN;

use crate::event::Event;
use crate::kubelet::KubeletEvent;
use crate::observe::{Upcoming, UpcomingKind};
use crate::world::Cx;
use container::{Container, Containers};
use images::Resolved;
use podlab_sim::{SimDuration, SimTime};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How many image names are remembered.
const RESOLVED: usize = 4096;

/// What the runtime plans.
#[derive(Clone, Debug)]
pub enum RuntimeEvent {
    /// The processes of a container have something to do.
    Run(ContainerId),
}

/// All containers of the cluster.
#[derive(Clone, Debug, Default)]
pub struct Runtime {
    pub(crate) sandboxes: BTreeMap<SandboxId, Sandbox>,
    pub(crate) containers: Containers,
    volumes: volumes::Volumes,
    nodes: node_use::NodeUses,
    /// node → complete names of the images on it.
    images: BTreeMap<String, BTreeSet<String>>,
    /// Image names as given → what they stand for; a memory of what can be found again.
    resolved: BTreeMap<String, Arc<Resolved>>,
    /// address → sandbox.
    addresses: BTreeMap<String, SandboxId>,
    /// node → how many addresses it has handed out.
    next_address: BTreeMap<String, u32>,
    session_affinity: session_affinity::SessionAffinity,
    /// How many ids have been drawn.
    drawn: u64,
    next_exec: u64,
    /// exec → container.
    execs: BTreeMap<ExecToken, ContainerId>,
    /// Grows whenever a file of a volume changed that a container could have read.
    volume_epoch: u64,
    /// Root file systems that have been built, by what they hold.
    roots: BTreeMap<String, Arc<servers::ImageRoot>>,
}

impl Runtime {
    /// Carries out what was planned.
    pub fn handle(&mut self, event: RuntimeEvent, cx: &mut Cx<'_>) {
        match event {
            RuntimeEvent::Run(id) => {
                if let Some(container) = self.containers.get_mut(&id) {
                    container.wake = None;
                }
                self.run_container(&id, cx);
            }
        }
    }

    /// What a planned event means to a person; `None` where it means nothing.
    pub fn upcoming(&self, at: SimTime, event: &RuntimeEvent) -> Option<Upcoming> {
        let RuntimeEvent::Run(id) = event;
        let container = self.containers.get(id)?;
        let sandbox = self.sandboxes.get(&container.sandbox)?;
        Some(Upcoming {
            at,
            kind: "Pod",
            namespace: sandbox.config.namespace.clone(),
            name: sandbox.config.name.clone(),
            what: UpcomingKind::Process { container: container.config.name.clone() },
        })
    }

    /// The image on a node; `None` where it is not there.
    pub fn image_status(&self, node: &str, image: &str) -> Option<Arc<ImageStatus>> {
        let held = self.images.get(node)?;
        let resolved = match self.resolved.get(image) {
            Some(resolved) => resolved.clone(),
            None => Arc::new(Resolved::new(image).ok()?),
        };
        (held.contains(&resolved.full)).then(|| resolved.status.clone())?
    }

    /// What pulling an image to a node will come to.
    pub fn pull_image(&self, node: &str, image: &str) -> PullOutcome {
        match self.image_status(node, image) {
            Some(status) => PullOutcome { takes: images::PRESENT, result: Ok(status) },
            None => images::pull(image),
        }
    }

    /// The image is on the node from now on.
    pub fn finish_pull(&mut self, node: &str, image: &str, cx: &mut Cx<'_>) {
        let Ok(resolved) = self.resolve(image) else { return };
        match self.images.get_mut(node) {
            Some(held) if held.contains(&resolved.full) => return,
            Some(held) => {
                held.insert(resolved.full.clone());
            }
            None => {
                self.images.insert(node.to_owned(), BTreeSet::from([resolved.full.clone()]));
            }
        }
        let size = resolved.status.as_ref().map_or(0, |status| status.size);
        self.nodes.add_image(node, size);
        self.check_node(self.nodes.place(node), cx);
    }

    /// Takes images off a node that none of its containers has; says whether there were any.
    ///
    /// Source: pkg/kubelet/images/image_gc_manager.go `DeleteUnusedImages` (v1.37).
    pub(crate) fn remove_unused_images(&mut self, node: &str) -> bool {
        let here = self.sandboxes.values().filter(|sandbox| sandbox.config.node == node);
        let containers = here.flat_map(|sandbox| &sandbox.containers);
        let names = containers.filter_map(|id| Some(self.containers.get(id)?.config.image.clone()));
        let names: BTreeSet<String> = names.collect();
        let used: BTreeSet<String> =
            names.iter().filter_map(|name| Some(self.resolve(name).ok()?.full.clone())).collect();
        let Some(held) = self.images.get_mut(node) else { return false };
        let before = held.len();
        held.retain(|image| used.contains(image));
        let removed = held.len() < before;
        let left = self.images_on(node).fold(0, |sum: u64, (_, size)| sum.saturating_add(size));
        self.nodes.set_images(node, left);
        removed
    }

    /// What an image's name stands for, looked up once.
    fn resolve(&mut self, image: &str) -> Result<Arc<Resolved>, String> {
        if let Some(resolved) = self.resolved.get(image) {
            return Ok(resolved.clone());
        }
        let resolved = Arc::new(Resolved::new(image)?);
        if self.resolved.len() >= RESOLVED {
            self.resolved.clear();
        }
        self.resolved.insert(image.to_owned(), resolved.clone());
        Ok(resolved)
    }

    /// The images on a node with their sizes in bytes, for ImageLocality and `kubectl describe node`.
    pub fn images_on(&self, node: &str) -> impl Iterator<Item = (&str, u64)> {
        self.images.get(node).into_iter().flatten().filter_map(|name| {
            let reference = images::parse(name).ok()?;
            Some((name.as_str(), images::find(&reference)?.size))
        })
    }

    /// What is known of a container.
    pub fn container_status(&self, id: &ContainerId) -> Option<ContainerStatus> {
        self.containers.get(id).map(Container::status)
    }

    /// Whether the main process runs and since when, without making a whole status.
    pub fn is_running(&self, id: &ContainerId) -> bool {
        self.containers.get(id).is_some_and(Container::is_running)
    }

    /// A container's log.
    pub fn log(&self, id: &ContainerId) -> Option<&Log> {
        self.containers.get(id).map(|c| &c.log)
    }

    /// The end of the log, at most `lines` lines and `bytes` bytes (for FallbackToLogsOnError).
    pub fn log_tail(&self, id: &ContainerId, lines: usize, bytes: usize) -> String {
        self.log(id).map(|log| log.tail(lines, bytes)).unwrap_or_default()
    }

    /// What an image outside the catalogue is simulated as; `None` for one that is in it.
    pub fn simulated_as(image: &str) -> Option<&'static str> {
        let found = images::find(&images::parse(image).ok()?)?;
        (!found.known).then_some("a server that answers every HTTP request")
    }

    /// CPU time that the containers of a pod have used, in nanoseconds, and their memory in bytes.
    pub fn usage(&self, pod_uid: &str, now: SimTime) -> (u64, u64) {
        let mut usage = (0u64, 0u64);
        for sandbox in self.sandboxes.values().filter(|s| s.config.pod_uid == pod_uid) {
            for machine in
                sandbox.containers.iter().filter_map(|id| self.containers.get(id)?.machine.as_ref())
            {
                usage.0 = usage.0.saturating_add(machine.cpu_nanos(now));
                usage.1 = usage.1.saturating_add(machine.memory_bytes());
            }
        }
        usage
    }

    /// A new id of 64 hexadecimal digits.
    fn new_id(&mut self, cx: &Cx<'_>, what: &str) -> Arc<str> {
        self.drawn += 1;
        cx.draw("runtime", what, self.drawn).hex(64).into()
    }

    /// Tells a kubelet.
    fn notify(&self, notice: Notice, cx: &mut Cx<'_>) {
        cx.after(SimDuration::ZERO, Event::Kubelet(KubeletEvent::Runtime(notice)));
    }
}
