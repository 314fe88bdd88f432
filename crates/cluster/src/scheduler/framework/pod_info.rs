//! A pod as the scheduler sees it: worked out once, shared by queue and cache.

use super::resource::Resource;
use crate::store::Key;
use k8s_openapi::api::core::v1::{PodAffinityTerm, PodSpec, PodStatus};
use podlab_api::Object;
use podlab_api::Quantity;
use podlab_api::quantity::Format;
use podlab_api::resources::{PodResourcesOptions, is_pod_level_requests_set, pod_requests};
use podlab_api::selector::Selector;
use podlab_api::selector::label_selector::label_selector_as_selector;
use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

/// CPU that a container without a request is taken to want, in thousandths, where nodes are scored.
pub const DEFAULT_MILLI_CPU_REQUEST: i64 = 100;
/// Memory that a container without a request is taken to want, in bytes, where nodes are scored.
pub const DEFAULT_MEMORY_REQUEST: i64 = 200 * 1024 * 1024;

/// A host port that a pod wants or holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPort {
    /// The address; `0.0.0.0` is every one.
    pub ip: String,
    /// `TCP`, `UDP`, `SCTP`.
    pub protocol: String,
    /// The port.
    pub port: i32,
}

impl HostPort {
    /// Whether both cannot be held on one node.
    ///
    /// Source: k8s.io/kube-scheduler/framework/types.go `HostPortInfo.CheckConflict` (v1.37).
    pub fn conflicts(&self, other: &HostPort) -> bool {
        self.port == other.port
            && self.protocol == other.protocol
            && (self.ip == other.ip || self.ip == "0.0.0.0" || other.ip == "0.0.0.0")
    }
}

/// A term of pod affinity, read.
#[derive(Clone, Debug)]
pub struct AffinityTerm {
    /// The namespaces it names.
    pub namespaces: BTreeSet<String>,
    /// Which pods it means.
    pub selector: Selector,
    /// The node label that makes a domain.
    pub topology_key: String,
    /// Further namespaces, by their labels.
    pub namespace_selector: Selector,
}

/// A preferred term and its weight.
#[derive(Clone, Debug)]
pub struct WeightedAffinityTerm {
    /// The term.
    pub term: AffinityTerm,
    /// 1 to 100.
    pub weight: i64,
}

/// A pod's terms of affinity to other pods.
#[derive(Clone, Debug, Default)]
pub struct AffinityTerms {
    /// Must match.
    pub required: Vec<AffinityTerm>,
    /// Must not match.
    pub required_anti: Vec<AffinityTerm>,
    /// Should match.
    pub preferred: Vec<WeightedAffinityTerm>,
    /// Should not match.
    pub preferred_anti: Vec<WeightedAffinityTerm>,
}

/// A pod and what follows from it.
#[derive(Clone, Debug)]
pub struct PodInfo {
    /// Namespace and name.
    pub key: Arc<Key>,
    /// The object.
    pub object: Arc<Object>,
    /// `spec.priority`, 0 where there is none.
    pub priority: i32,
    /// What it requests.
    pub requests: Resource,
    /// CPU in thousandths that it is taken to want where nodes are scored.
    pub non_zero_cpu: i64,
    /// Memory in bytes that it is taken to want where nodes are scored.
    pub non_zero_memory: i64,
    /// Host ports.
    pub ports: Vec<HostPort>,
    /// Affinity to other pods; `None` where it has none.
    pub affinity: Option<Arc<AffinityTerms>>,
    /// Why its affinity cannot be read; empty where it can.
    pub parse_error: String,
}

impl PodInfo {
    /// Works out a pod; `None` for another kind of object.
    pub fn new(object: Arc<Object>) -> Option<PodInfo> {
        let spec = object.pod_spec()?.clone();
        let status = object.pod_status()?.clone();
        let options = PodResourcesOptions { use_status_resources: true, ..PodResourcesOptions::default() };
        let list = pod_requests(&spec, Some(&status), &options);
        let requests = Resource::from_list(&list);
        let (non_zero_cpu, non_zero_memory) = non_zero_requests(&spec, &status, &requests, &list);
        let (affinity, parse_error) = match affinity_terms(&object, &spec) {
            Ok(terms) => (terms.map(Arc::new), String::new()),
            Err(error) => (None, error),
        };
        Some(PodInfo {
            key: Arc::new(Key::of(&object)),
            priority: spec.priority.unwrap_or(0),
            requests,
            non_zero_cpu,
            non_zero_memory,
            ports: host_ports(&spec),
            affinity,
            parse_error,
            object,
        })
    }

    /// The same pod after a change; what cannot have changed is kept.
    pub fn updated(&self, object: Arc<Object>) -> Option<PodInfo> {
        let same = match (object.pod_spec(), self.object.pod_spec()) {
            (Some(new), Some(old)) => Arc::ptr_eq(new, old) || asks_the_same(new, old),
            _ => false,
        };
        let resizes = |o: &Object| {
            let conditions = o.pod_status().and_then(|s| s.conditions.as_ref());
            conditions.is_some_and(|list| list.iter().any(|c| c.type_.starts_with("PodResize")))
        };
        if same && !resizes(&object) && !resizes(&self.object) {
            return Some(PodInfo { object, ..self.clone() });
        }
        PodInfo::new(object)
    }

    /// `metadata.uid`.
    pub fn uid(&self) -> &str {
        self.object.uid()
    }

    /// `spec`; an empty one for what is no pod, which never happens.
    pub fn spec(&self) -> &PodSpec {
        static EMPTY: LazyLock<PodSpec> = LazyLock::new(PodSpec::default);
        self.object.pod_spec().map_or(&EMPTY, |spec| spec)
    }

    /// `status`; an empty one for what is no pod, which never happens.
    pub fn status(&self) -> &PodStatus {
        static EMPTY: LazyLock<PodStatus> = LazyLock::new(PodStatus::default);
        self.object.pod_status().map_or(&EMPTY, |status| status)
    }

    /// `status.nominatedNodeName`, empty where there is none.
    pub fn nominated_node_name(&self) -> &str {
        self.status().nominated_node_name.as_deref().unwrap_or("")
    }

    /// `spec.nodeName`, empty where there is none.
    pub fn node_name(&self) -> &str {
        self.object.node_name().unwrap_or("")
    }
}

/// Whether two specs say the same of all that is worked out of them: what stays when a pod is bound.
fn asks_the_same(a: &PodSpec, b: &PodSpec) -> bool {
    a.priority == b.priority
        && a.containers == b.containers
        && a.init_containers == b.init_containers
        && a.resources == b.resources
        && a.overhead == b.overhead
        && a.affinity == b.affinity
}

/// Whether a pod has a node.
pub fn is_assigned(pod: &Object) -> bool {
    pod.node_name().is_some()
}

/// The node on which room is being made for a pod, empty where there is none.
pub fn nominated_node(pod: &Object) -> &str {
    pod.pod_status().and_then(|status| status.nominated_node_name.as_deref()).unwrap_or("")
}

/// Whether a pod has a node, or one is being made ready for it.
pub fn is_placed(pod: &Object) -> bool {
    is_assigned(pod) || !nominated_node(pod).is_empty()
}

/// Source: pkg/scheduler/framework/types.go `CalculateResource`, `getNonMissingContainerRequests` (v1.37).
fn non_zero_requests(
    spec: &PodSpec,
    status: &PodStatus,
    requests: &Resource,
    list: &podlab_api::resources::ResourceList,
) -> (i64, i64) {
    let pod_level = is_pod_level_requests_set(spec);
    let mut missing = podlab_api::resources::ResourceList::new();
    if !pod_level || !list.contains_key("cpu") {
        missing.insert("cpu".to_owned(), Quantity::new_milli(DEFAULT_MILLI_CPU_REQUEST, Format::DecimalSi));
    }
    if !pod_level || !list.contains_key("memory") {
        missing.insert("memory".to_owned(), Quantity::new(DEFAULT_MEMORY_REQUEST, Format::DecimalSi));
    }
    let names_all = |list: Option<&std::collections::BTreeMap<String, _>>| {
        list.is_some_and(|list| list.contains_key("cpu") && list.contains_key("memory"))
    };
    let complete = spec
        .containers
        .iter()
        .chain(spec.init_containers.iter().flatten())
        .all(|c| names_all(c.resources.as_ref().and_then(|r| r.requests.as_ref())));
    if missing.is_empty() || complete {
        return (requests.milli_cpu, requests.memory);
    }
    let options = PodResourcesOptions {
        use_status_resources: true,
        non_missing_container_requests: missing,
        ..PodResourcesOptions::default()
    };
    let list = pod_requests(spec, Some(status), &options);
    let cpu = list.get("cpu").map_or(0, Quantity::milli_value);
    let memory = list.get("memory").map_or(0, Quantity::value);
    (cpu, memory)
}

/// Host ports of containers and sidecars.
///
/// Source: pkg/scheduler/util/utils.go `GetHostPorts` (v1.37).
pub fn host_ports(spec: &PodSpec) -> Vec<HostPort> {
    let sidecars = spec
        .init_containers
        .iter()
        .flatten()
        .filter(|c| podlab_api::resources::is_restartable_init_container(c));
    sidecars
        .chain(&spec.containers)
        .flat_map(|c| c.ports.iter().flatten())
        .filter_map(|p| {
            let port = p.host_port.filter(|port| *port > 0)?;
            let ip = p.host_ip.as_deref().filter(|ip| !ip.is_empty()).unwrap_or("0.0.0.0");
            let protocol = p.protocol.as_deref().filter(|p| !p.is_empty()).unwrap_or("TCP");
            Some(HostPort { ip: ip.to_owned(), protocol: protocol.to_owned(), port })
        })
        .collect()
}

fn affinity_terms(object: &Object, spec: &PodSpec) -> Result<Option<AffinityTerms>, String> {
    let Some(affinity) = &spec.affinity else { return Ok(None) };
    if affinity.pod_affinity.is_none() && affinity.pod_anti_affinity.is_none() {
        return Ok(None);
    }
    let read = |term: &PodAffinityTerm| affinity_term(object, term);
    let mut terms = AffinityTerms::default();
    let weighted = |list: &Option<Vec<k8s_openapi::api::core::v1::WeightedPodAffinityTerm>>| {
        list.iter()
            .flatten()
            .map(|w| {
                Ok(WeightedAffinityTerm { term: read(&w.pod_affinity_term)?, weight: i64::from(w.weight) })
            })
            .collect::<Result<Vec<_>, String>>()
    };
    if let Some(a) = &affinity.pod_affinity {
        for term in a.required_during_scheduling_ignored_during_execution.iter().flatten() {
            terms.required.push(read(term).map_err(|e| format!("requiredAffinityTerms: {e}"))?);
        }
        terms.preferred = weighted(&a.preferred_during_scheduling_ignored_during_execution)
            .map_err(|e| format!("preferredAffinityTerms: {e}"))?;
    }
    if let Some(a) = &affinity.pod_anti_affinity {
        for term in a.required_during_scheduling_ignored_during_execution.iter().flatten() {
            terms.required_anti.push(read(term).map_err(|e| format!("requiredAntiAffinityTerms: {e}"))?);
        }
        terms.preferred_anti = weighted(&a.preferred_during_scheduling_ignored_during_execution)
            .map_err(|e| format!("preferredAntiAffinityTerms: {e}"))?;
    }
    Ok(Some(terms))
}

/// Source: k8s.io/kube-scheduler/framework/types.go `newAffinityTerm`, `getNamespacesFromPodAffinityTerm` (v1.37).
fn affinity_term(pod: &Object, term: &PodAffinityTerm) -> Result<AffinityTerm, String> {
    let selector = label_selector_as_selector(term.label_selector.as_ref())?;
    let namespace_selector = label_selector_as_selector(term.namespace_selector.as_ref())?;
    let mut namespaces: BTreeSet<String> = term.namespaces.iter().flatten().cloned().collect();
    if namespaces.is_empty() && term.namespace_selector.is_none() {
        namespaces.insert(pod.namespace().to_owned());
    }
    Ok(AffinityTerm { namespaces, selector, topology_key: term.topology_key.clone(), namespace_selector })
}
