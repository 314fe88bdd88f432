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
    /// How many of them a sync has to look at, each of which asks for one.
    pub worth_a_sync: u32,
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

    /// What happened since `old`, of whose containers `listed_running` had only ended when their status was asked for.
    ///
    /// Source: pkg/kubelet/pleg/generic.go `generateEvents` (v1.37): a removal alone is worth no sync.
    pub(crate) fn changes_since(&self, old: &RuntimePodStatus, listed_running: &[ContainerId]) -> Changes {
        let mut changes = Changes::default();
        for container in &self.containers {
            let before = old.containers.iter().find(|c| c.id == container.id).map(|c| c.state);
            let before = before.filter(|_| !listed_running.contains(&container.id));
            if before == Some(container.state) || container.state == ContainerState::Created {
                continue;
            }
            changes.worth_a_sync += 1;
            if container.state == ContainerState::Exited {
                changes.died.push(container.id.clone());
            }
        }
        for sandbox in &self.sandboxes {
            let before = old.sandboxes.iter().find(|s| s.id == sandbox.id).map(|s| s.ready);
            changes.worth_a_sync += u32::from(before != Some(sandbox.ready));
        }
        changes
    }
}

/// A snapshot that syncs share.
pub(crate) type Snapshot = Arc<RuntimePodStatus>;

#[cfg(test)]
mod tests {
    use super::*;
    use podlab_sim::SimTime;

    fn found(state: ContainerState) -> RuntimePodStatus {
        let container = ContainerStatus {
            id: ContainerId::from("1"),
            name: "c".to_owned(),
            attempt: 0,
            state,
            created_at: SimTime::START,
            started_at: None,
            finished_at: None,
            exit_code: 0,
            reason: "",
            message: String::new(),
            image: String::new(),
            image_ref: String::new(),
        };
        let sandbox = Sandbox { id: SandboxId::from("0"), ready: true, ip: None };
        RuntimePodStatus { sandboxes: vec![sandbox], containers: vec![container] }
    }

    /// Each change asks for a sync: a sandbox and its container are two.
    #[test]
    fn changes_are_counted() {
        let changes = found(ContainerState::Running).changes_since(&RuntimePodStatus::default(), &[]);
        assert_eq!((changes.worth_a_sync, changes.died.len()), (2, 0));
        let running = found(ContainerState::Running);
        assert_eq!(found(ContainerState::Running).changes_since(&running, &[]), Changes::default());
    }

    /// A container that the list had running and whose status said that it had ended ends for the next look.
    #[test]
    fn what_was_listed_as_running_ends_at_the_next_look() {
        let ended = found(ContainerState::Exited);
        assert_eq!(ended.changes_since(&ended, &[]), Changes::default());
        let changes = ended.changes_since(&ended, &[ContainerId::from("1")]);
        assert_eq!((changes.worth_a_sync, changes.died.len()), (1, 1));
    }
}
