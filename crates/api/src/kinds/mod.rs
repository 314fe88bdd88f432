//! The resource registry: one file a kind, one line a kind in [`ALL`].

mod cluster_role;
mod cluster_role_binding;
mod cluster_trust_bundle;
mod config_map;
mod controller_revision;
mod cron_job;
mod custom_resource_definition;
mod daemon_set;
mod deployment;
mod endpoint_slice;
mod endpoints;
mod event;
mod horizontal_pod_autoscaler;
mod ingress;
mod ingress_class;
mod job;
mod lease;
mod limit_range;
mod namespace;
mod network_policy;
mod node;
mod not_simulated;
mod persistent_volume;
mod persistent_volume_claim;
mod pod;
mod pod_disruption_budget;
mod pod_template;
mod priority_class;
mod replica_set;
mod replication_controller;
mod resource_quota;
mod role;
mod role_binding;
mod runtime_class;
mod secret;
mod served_otherwise;
mod service;
mod service_account;
mod stateful_set;
mod storage_class;

use std::borrow::Cow;

/// How far podlab goes with a kind, a field or a feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    /// It acts as in a real cluster.
    Simulated,
    /// It is kept and given back, and nothing acts on it; the text says why.
    NotSimulated(&'static str),
}

/// In which shape the store holds an object of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyType {
    /// Typed, since scheduler and kubelet read it at every event.
    Pod,
    /// Typed, since the scheduler reads it for every pod.
    Node,
    /// A tree of JSON values, decoded where a component wants it.
    Tree,
    /// A tree as well, of a kind that somebody has defined.
    Custom(&'static crate::custom::Definition),
}

/// A kind of object that the API server serves.
///
/// Source: the storage maps in pkg/registry/*/rest (v1.37) for names, short names and categories.
#[derive(Debug)]
pub struct Kind {
    /// API group; empty for the core group.
    pub group: &'static str,
    /// The version in which objects are stored and served.
    pub version: &'static str,
    /// `Pod`.
    pub kind: &'static str,
    /// `pods`.
    pub plural: &'static str,
    /// `pod`.
    pub singular: &'static str,
    /// `po`.
    pub short_names: &'static [&'static str],
    /// `all`.
    pub categories: &'static [&'static str],
    /// Whether objects live in a namespace.
    pub namespaced: bool,
    /// The subresources that are served.
    pub subresources: &'static [&'static str],
    /// How the store holds it.
    pub body: BodyType,
    /// Whether something acts on it.
    pub support: Support,
}

impl Kind {
    /// What defines it, for a kind that somebody has defined.
    pub fn definition(&self) -> Option<&'static crate::custom::Definition> {
        match self.body {
            BodyType::Custom(definition) => Some(definition),
            _ => None,
        }
    }

    /// Whether somebody has defined it.
    pub fn is_custom(&self) -> bool {
        matches!(self.body, BodyType::Custom(_))
    }

    /// `v1`, `apps/v1`.
    pub fn api_version(&self) -> Cow<'static, str> {
        if self.group.is_empty() {
            Cow::Borrowed(self.version)
        } else {
            Cow::Owned(format!("{}/{}", self.group, self.version))
        }
    }

    /// `pods`, `deployments.apps`: how messages name the resource.
    pub fn group_resource(&self) -> String {
        if self.group.is_empty() { self.plural.to_owned() } else { format!("{}.{}", self.plural, self.group) }
    }

    /// `Pod`, `Deployment.apps`: how messages name the kind.
    pub fn group_kind(&self) -> String {
        if self.group.is_empty() { self.kind.to_owned() } else { format!("{}.{}", self.kind, self.group) }
    }
}

impl PartialEq for Kind {
    /// Every kind is one of the statics of this module: none can be made or copied elsewhere, but those that
    /// definitions make. All versions of one of these are one resource, whatever the definition says of it now.
    fn eq(&self, other: &Kind) -> bool {
        std::ptr::eq(self, other)
            || (self.is_custom()
                && other.is_custom()
                && self.plural == other.plural
                && self.group == other.group)
    }
}

impl Eq for Kind {}

impl PartialOrd for Kind {
    fn partial_cmp(&self, other: &Kind) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Kind {
    fn cmp(&self, other: &Kind) -> std::cmp::Ordering {
        if std::ptr::eq(self, other) {
            return std::cmp::Ordering::Equal;
        }
        (self.group, self.plural).cmp(&(other.group, other.plural))
    }
}

/// The registry entry of Pod.
pub static POD: Kind = pod::KIND;
/// The registry entry of Node.
pub static NODE: Kind = node::KIND;
/// The registry entry of Namespace.
pub static NAMESPACE: Kind = namespace::KIND;
/// The registry entry of Service.
pub static SERVICE: Kind = service::KIND;
/// The registry entry of Endpoints.
pub static ENDPOINTS: Kind = endpoints::KIND;
/// The registry entry of ConfigMap.
pub static CONFIG_MAP: Kind = config_map::KIND;
/// The registry entry of Secret.
pub static SECRET: Kind = secret::KIND;
/// The registry entry of Event.
pub static EVENT: Kind = event::KIND;
/// The registry entry of ReplicationController.
pub static REPLICATION_CONTROLLER: Kind = replication_controller::KIND;
/// The registry entry of LimitRange.
pub static LIMIT_RANGE: Kind = limit_range::KIND;
/// The registry entry of ResourceQuota.
pub static RESOURCE_QUOTA: Kind = resource_quota::KIND;
/// The registry entry of ServiceAccount.
pub static SERVICE_ACCOUNT: Kind = service_account::KIND;
/// The registry entry of PersistentVolume.
pub static PERSISTENT_VOLUME: Kind = persistent_volume::KIND;
/// The registry entry of PersistentVolumeClaim.
pub static PERSISTENT_VOLUME_CLAIM: Kind = persistent_volume_claim::KIND;
/// The registry entry of PodTemplate.
pub static POD_TEMPLATE: Kind = pod_template::KIND;
/// The registry entry of Deployment.
pub static DEPLOYMENT: Kind = deployment::KIND;
/// The registry entry of ReplicaSet.
pub static REPLICA_SET: Kind = replica_set::KIND;
/// The registry entry of DaemonSet.
pub static DAEMON_SET: Kind = daemon_set::KIND;
/// The registry entry of StatefulSet.
pub static STATEFUL_SET: Kind = stateful_set::KIND;
/// The registry entry of ControllerRevision.
pub static CONTROLLER_REVISION: Kind = controller_revision::KIND;
/// The registry entry of Job.
pub static JOB: Kind = job::KIND;
/// The registry entry of CronJob.
pub static CRON_JOB: Kind = cron_job::KIND;
/// The registry entry of Ingress.
pub static INGRESS: Kind = ingress::KIND;
/// The registry entry of IngressClass.
pub static INGRESS_CLASS: Kind = ingress_class::KIND;
/// The registry entry of NetworkPolicy.
pub static NETWORK_POLICY: Kind = network_policy::KIND;
/// The registry entry of Role.
pub static ROLE: Kind = role::KIND;
/// The registry entry of RoleBinding.
pub static ROLE_BINDING: Kind = role_binding::KIND;
/// The registry entry of ClusterRole.
pub static CLUSTER_ROLE: Kind = cluster_role::KIND;
/// The registry entry of ClusterRoleBinding.
pub static CLUSTER_ROLE_BINDING: Kind = cluster_role_binding::KIND;
/// The registry entry of PriorityClass.
pub static PRIORITY_CLASS: Kind = priority_class::KIND;
/// The registry entry of StorageClass.
pub static STORAGE_CLASS: Kind = storage_class::KIND;
/// The registry entry of PodDisruptionBudget.
pub static POD_DISRUPTION_BUDGET: Kind = pod_disruption_budget::KIND;
/// The registry entry of HorizontalPodAutoscaler.
pub static HORIZONTAL_POD_AUTOSCALER: Kind = horizontal_pod_autoscaler::KIND;
/// The registry entry of Lease.
pub static LEASE: Kind = lease::KIND;
/// The registry entry of EndpointSlice.
pub static ENDPOINT_SLICE: Kind = endpoint_slice::KIND;
/// The registry entry of CustomResourceDefinition.
pub static CUSTOM_RESOURCE_DEFINITION: Kind = custom_resource_definition::KIND;
/// The registry entry of ClusterTrustBundle.
pub static CLUSTER_TRUST_BUNDLE: Kind = cluster_trust_bundle::KIND;
/// The registry entry of RuntimeClass.
pub static RUNTIME_CLASS: Kind = runtime_class::KIND;

pub use not_simulated::SERVICE_CIDR;
pub use served_otherwise::{BINDING, COMPONENT_STATUS, EVENTS_EVENT, HORIZONTAL_POD_AUTOSCALER_V1};

/// Every kind that is stored, in the order in which discovery lists groups.
pub static ALL: &[&Kind] = &[
    &POD,
    &NODE,
    &NAMESPACE,
    &SERVICE,
    &ENDPOINTS,
    &CONFIG_MAP,
    &SECRET,
    &EVENT,
    &REPLICATION_CONTROLLER,
    &LIMIT_RANGE,
    &RESOURCE_QUOTA,
    &SERVICE_ACCOUNT,
    &PERSISTENT_VOLUME,
    &PERSISTENT_VOLUME_CLAIM,
    &POD_TEMPLATE,
    &DEPLOYMENT,
    &REPLICA_SET,
    &DAEMON_SET,
    &STATEFUL_SET,
    &CONTROLLER_REVISION,
    &JOB,
    &CRON_JOB,
    &INGRESS,
    &INGRESS_CLASS,
    &NETWORK_POLICY,
    &ROLE,
    &ROLE_BINDING,
    &CLUSTER_ROLE,
    &CLUSTER_ROLE_BINDING,
    &PRIORITY_CLASS,
    &STORAGE_CLASS,
    &POD_DISRUPTION_BUDGET,
    &HORIZONTAL_POD_AUTOSCALER,
    &LEASE,
    &ENDPOINT_SLICE,
    &CUSTOM_RESOURCE_DEFINITION,
    &RUNTIME_CLASS,
    &not_simulated::MUTATING_ADMISSION_POLICY,
    &not_simulated::MUTATING_ADMISSION_POLICY_BINDING,
    &not_simulated::MUTATING_WEBHOOK_CONFIGURATION,
    &not_simulated::VALIDATING_ADMISSION_POLICY,
    &not_simulated::VALIDATING_ADMISSION_POLICY_BINDING,
    &not_simulated::VALIDATING_WEBHOOK_CONFIGURATION,
    &not_simulated::API_SERVICE,
    &not_simulated::CERTIFICATE_SIGNING_REQUEST,
    &CLUSTER_TRUST_BUNDLE,
    &not_simulated::POD_CERTIFICATE_REQUEST,
    &not_simulated::FLOW_SCHEMA,
    &not_simulated::PRIORITY_LEVEL_CONFIGURATION,
    &not_simulated::IP_ADDRESS,
    &not_simulated::SERVICE_CIDR,
    &not_simulated::DEVICE_CLASS,
    &not_simulated::DEVICE_TAINT_RULE,
    &not_simulated::RESOURCE_CLAIM,
    &not_simulated::RESOURCE_CLAIM_TEMPLATE,
    &not_simulated::RESOURCE_SLICE,
    &not_simulated::CSI_DRIVER,
    &not_simulated::CSI_NODE,
    &not_simulated::CSI_STORAGE_CAPACITY,
    &not_simulated::VOLUME_ATTACHMENT,
    &not_simulated::VOLUME_ATTRIBUTES_CLASS,
    &not_simulated::STORAGE_VERSION_MIGRATION,
];

/// The kind served under a group, version and plural name.
pub fn by_resource(group: &str, version: &str, plural: &str) -> Option<&'static Kind> {
    ALL.iter().copied().find(|k| k.plural == plural && k.group == group && k.version == version)
}

/// The kind named by an object's `apiVersion` and `kind`.
pub fn by_gvk(api_version: &str, kind: &str) -> Option<&'static Kind> {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    ALL.iter().copied().find(|k| k.kind == kind && k.group == group && k.version == version)
}

/// As [`ALL`], then what is served without being stored under these names: bindings, component statuses, and other
/// versions of stored kinds.
pub fn served() -> impl Iterator<Item = &'static Kind> {
    ALL.iter().chain(served_otherwise::ALL).copied()
}

/// As [`by_resource`], of all that is served.
pub fn served_by_resource(group: &str, version: &str, plural: &str) -> Option<&'static Kind> {
    served().find(|k| k.plural == plural && k.group == group && k.version == version)
}

/// As [`by_gvk`], of all that is served.
pub fn served_by_gvk(api_version: &str, kind: &str) -> Option<&'static Kind> {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    served().find(|k| k.kind == kind && k.group == group && k.version == version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_kinds_share_a_name() {
        for (i, a) in ALL.iter().enumerate() {
            for b in &ALL[i + 1..] {
                assert!(a.group != b.group || a.kind != b.kind);
                assert!(a.group != b.group || a.plural != b.plural);
            }
        }
    }
}
