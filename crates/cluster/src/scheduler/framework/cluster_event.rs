//! What can make a pod schedulable that was not.
//!
//! Source: k8s.io/kube-scheduler/framework/types.go and pkg/scheduler/framework/events.go (v1.37).

use podlab_api::Object;
use std::ops::BitOr;

/// What happened to a resource: a set of flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActionType(pub u32);

impl ActionType {
    /// It was created.
    pub const ADD: ActionType = ActionType(1);
    /// It is gone.
    pub const DELETE: ActionType = ActionType(1 << 1);
    /// A node's allocatable resources changed.
    pub const UPDATE_NODE_ALLOCATABLE: ActionType = ActionType(1 << 2);
    /// A node's labels changed.
    pub const UPDATE_NODE_LABEL: ActionType = ActionType(1 << 3);
    /// A node's taints changed, or it was uncordoned.
    pub const UPDATE_NODE_TAINT: ActionType = ActionType(1 << 4);
    /// The status of one of a node's conditions changed.
    pub const UPDATE_NODE_CONDITION: ActionType = ActionType(1 << 5);
    /// A node's annotations changed.
    pub const UPDATE_NODE_ANNOTATION: ActionType = ActionType(1 << 6);
    /// A pod's labels changed.
    pub const UPDATE_POD_LABEL: ActionType = ActionType(1 << 7);
    /// A pod requests less.
    pub const UPDATE_POD_SCALE_DOWN: ActionType = ActionType(1 << 8);
    /// A pod requests more.
    pub const UPDATE_POD_SCALE_UP: ActionType = ActionType(1 << 9);
    /// A pod's tolerations changed.
    pub const UPDATE_POD_TOLERATION: ActionType = ActionType(1 << 10);
    /// A pod's last scheduling gate was taken away.
    pub const UPDATE_POD_SCHEDULING_GATES_ELIMINATED: ActionType = ActionType(1 << 11);
    /// Any change.
    pub const UPDATE: ActionType = ActionType(0xffc);
    /// Anything.
    pub const ALL: ActionType = ActionType(0xfff);
}

impl BitOr for ActionType {
    type Output = ActionType;
    fn bitor(self, other: ActionType) -> ActionType {
        ActionType(self.0 | other.0)
    }
}

impl ActionType {
    /// Both sets in one; as `|`, for constants.
    pub const fn and(self, other: ActionType) -> ActionType {
        ActionType(self.0 | other.0)
    }
}

/// What an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventResource {
    /// A pod that has a node.
    AssignedPod,
    /// A pod that waits, other than the one that is asked about.
    UnscheduledPod,
    /// The pod itself that is asked about.
    TargetPod,
    /// A node.
    Node,
    /// A persistent volume.
    PersistentVolume,
    /// A claim.
    PersistentVolumeClaim,
    /// A storage class.
    StorageClass,
    /// Anything: time has passed.
    WildCard,
}

/// A kind of change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClusterEvent {
    /// What it is about.
    pub resource: EventResource,
    /// What happened to it.
    pub action: ActionType,
}

impl ClusterEvent {
    /// A node appeared.
    pub const NODE_ADD: ClusterEvent = ClusterEvent::new(EventResource::Node, ActionType::ADD);
    /// A node is gone.
    pub const NODE_DELETE: ClusterEvent = ClusterEvent::new(EventResource::Node, ActionType::DELETE);
    /// A pod was bound.
    pub const ASSIGNED_POD_ADD: ClusterEvent = ClusterEvent::new(EventResource::AssignedPod, ActionType::ADD);
    /// A bound pod is gone.
    pub const ASSIGNED_POD_DELETE: ClusterEvent =
        ClusterEvent::new(EventResource::AssignedPod, ActionType::DELETE);
    /// Five minutes have passed.
    pub const UNSCHEDULABLE_TIMEOUT: ClusterEvent =
        ClusterEvent::new(EventResource::WildCard, ActionType::ALL);

    /// From its parts.
    pub const fn new(resource: EventResource, action: ActionType) -> ClusterEvent {
        ClusterEvent { resource, action }
    }

    /// Whether this event, for which a plugin has registered, covers the one that came.
    ///
    /// Source: pkg/scheduler/framework/types.go `MatchClusterEvents` (v1.37).
    pub fn covers(self, incoming: ClusterEvent) -> bool {
        self.resource == incoming.resource
            && self.action.0 & incoming.action.0 != 0
            && incoming.action.0 <= self.action.0
    }

    /// Whether it means any change at all.
    pub fn is_wild_card(self) -> bool {
        self.resource == EventResource::WildCard
    }
}

/// The object an event is about, before and after.
#[derive(Clone, Copy, Debug, Default)]
pub struct EventObjects<'a> {
    /// As it was; `None` where it is new.
    pub old: Option<&'a Object>,
    /// As it is; `None` where it is gone.
    pub new: Option<&'a Object>,
}

/// What changed about a node that matters.
///
/// Source: pkg/scheduler/framework/events.go `NodeSchedulingPropertiesChange` (v1.37).
pub fn node_scheduling_properties_change(new: &Object, old: &Object) -> Vec<ClusterEvent> {
    let mut events = Vec::new();
    let mut push = |action| events.push(ClusterEvent::new(EventResource::Node, action));
    if let (Some(new_spec), Some(old_spec)) = (new.node_spec(), old.node_spec()) {
        let cordoned = |spec: &k8s_openapi::api::core::v1::NodeSpec| spec.unschedulable.unwrap_or(false);
        if cordoned(old_spec) && !cordoned(new_spec) {
            push(ActionType::UPDATE_NODE_TAINT);
        }
    }
    if let (Some(new_status), Some(old_status)) = (new.node_status(), old.node_status())
        && new_status.allocatable != old_status.allocatable
    {
        push(ActionType::UPDATE_NODE_ALLOCATABLE);
    }
    if new.metadata.labels != old.metadata.labels {
        push(ActionType::UPDATE_NODE_LABEL);
    }
    if let (Some(new_spec), Some(old_spec)) = (new.node_spec(), old.node_spec())
        && new_spec.taints.as_deref().unwrap_or(&[]) != old_spec.taints.as_deref().unwrap_or(&[])
    {
        push(ActionType::UPDATE_NODE_TAINT);
    }
    if let (Some(new_status), Some(old_status)) = (new.node_status(), old.node_status()) {
        let strip = |status: &k8s_openapi::api::core::v1::NodeStatus| {
            let conditions = status.conditions.iter().flatten();
            conditions
                .map(|c| (c.type_.clone(), c.status.clone()))
                .collect::<std::collections::BTreeMap<_, _>>()
        };
        if strip(new_status) != strip(old_status) {
            push(ActionType::UPDATE_NODE_CONDITION);
        }
    }
    if new.metadata.annotations != old.metadata.annotations {
        push(ActionType::UPDATE_NODE_ANNOTATION);
    }
    events
}
