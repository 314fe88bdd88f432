//! What the kubelet has last seen of a pod in the runtime.
//!
//! Source: pkg/kubelet/container/runtime.go `PodStatus`, pkg/kubelet/container/cache.go (v1.37).

use crate::runtime::{ContainerId, ContainerState, ContainerStatus, Runtime, SandboxId};
use std::sync::Arc;

/// A sandbox.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sandbox {
    /// Its id.
    pub id: SandboxId,
    /// Whether it is ready.
    pub ready: bool,
    /// Its address; kept after it has stopped.
    pub ip: Option<String>,
}

/// A pod as the runtime has it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct RuntimePodStatus {
    /// Newest first.
    pub sandboxes: Vec<Sandbox>,
    /// Newest first.
    pub containers: Vec<ContainerStatus>,
}

/// What changed between two looks at a pod.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Changes {
    /// Something that a sync has to look at.
    pub worth_a_sync: bool,
    /// Containers that were found ended.
    pub died: Vec<ContainerId>,
}

impl RuntimePodStatus {
    /// The newest container of a name.
    pub(crate) fn find(&self, name: &str) -> Option<&ContainerStatus> {
        self.containers.iter().find(|c| c.name == name)
    }

    /// The sandbox that counts.
    pub(crate) fn ready_sandbox(&self) -> Option<&Sandbox> {
        self.sandboxes.first().filter(|s| s.ready)
    }

    /// The pod's address.
    pub(crate) fn ip(&self) -> Option<&str> {
        self.sandboxes.first().and_then(|s| s.ip.as_deref())
    }

    /// Asks the runtime for all containers in `ids`.
    pub(crate) fn inspect(runtime: &Runtime, sandboxes: &[Sandbox], ids: &[ContainerId]) -> RuntimePodStatus {
        let containers = ids.iter().rev().filter_map(|id| runtime.container_status(id)).collect();
        RuntimePodStatus { sandboxes: sandboxes.iter().rev().cloned().collect(), containers }
    }

    /// What happened since `old`.
    ///
    /// Source: pkg/kubelet/pleg/generic.go `generateEvents` (v1.37): a removal alone is worth no sync.
    pub(crate) fn changes_since(&self, old: &RuntimePodStatus) -> Changes {
        let mut changes = Changes::default();
        for container in &self.containers {
            let before = old.containers.iter().find(|c| c.id == container.id).map(|c| c.state);
            if before == Some(container.state) || container.state == ContainerState::Created {
                continue;
            }
            changes.worth_a_sync = true;
            if container.state == ContainerState::Exited {
                changes.died.push(container.id.clone());
            }
        }
        for sandbox in &self.sandboxes {
            let before = old.sandboxes.iter().find(|s| s.id == sandbox.id).map(|s| s.ready);
            changes.worth_a_sync |= before != Some(sandbox.ready);
        }
        changes
    }
}

/// A snapshot that syncs share.
pub(crate) type Snapshot = Arc<RuntimePodStatus>;
