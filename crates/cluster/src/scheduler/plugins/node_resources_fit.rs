//! NodeResourcesFit: a node must have left what a pod requests.

use crate::scheduler::fix::{Fix, holders};
use crate::scheduler::framework::pod_info::{DEFAULT_MEMORY_REQUEST, DEFAULT_MILLI_CPU_REQUEST, is_placed};
use crate::scheduler::framework::{
    ActionType, ClusterEvent, Code, CycleState, EventObjects, EventResource, FilterContext, MAX_NODE_SCORE,
    NodeInfo, Plugin, PluginId, PodInfo, PreFilterResult, Reason, Resource, Status,
};
use crate::scheduler::profile::ScoringStrategy;
use podlab_api::quantity::Format;
use podlab_api::resources::{PodResourcesOptions, ResourceList, pod_requests, resource_list};
use podlab_api::{Object, Quantity};

/// Rejects nodes that have not enough left of what the pod requests, and scores by what would be left.
///
/// Runs: preFilter, filter, preScore, score.
/// Result: unschedulable; unresolvable where even the empty node has not enough.
/// Source: pkg/scheduler/framework/plugins/noderesources/fit.go, least_allocated.go (v1.37).
pub struct NodeResourcesFit;

/// A resource of which there is not enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InsufficientResource {
    /// `cpu`, `memory`, `pods`, …
    pub name: String,
    /// In Kubernetes' words.
    pub reason: Reason,
    /// What the pod asks for.
    pub requested: i64,
    /// What others hold.
    pub used: i64,
    /// What the node has.
    pub capacity: i64,
    /// Whether even the empty node has not enough.
    pub unresolvable: bool,
}

/// Whether the status cannot say anything of resources, so that what was worked out once holds.
fn never_ran(pod: &PodInfo) -> bool {
    let status = pod.status();
    status.container_statuses.is_none()
        && status.init_container_statuses.is_none()
        && status.resources.is_none()
}

/// What a pod requests, as the filter counts.
pub fn fit_requests(pod: &PodInfo) -> Resource {
    if never_ran(pod) {
        return pod.requests.clone();
    }
    Resource::from_list(&pod_requests(pod.spec(), None, &PodResourcesOptions::default()))
}

/// Every resource of which a node has not enough left.
///
/// Source: fit.go `fitsRequest` (v1.37); scalar resources in the order of their names.
pub fn fits_request(request: &Resource, node: &NodeInfo) -> Vec<InsufficientResource> {
    let mut lacking = Vec::new();
    let pods = i64::try_from(node.pods.len()).unwrap_or(i64::MAX);
    if pods.saturating_add(1) > node.allocatable.allowed_pod_number {
        lacking.push(InsufficientResource {
            name: "pods".to_owned(),
            reason: "Too many pods".into(),
            requested: 1,
            used: pods,
            capacity: node.allocatable.allowed_pod_number,
            unresolvable: false,
        });
    }
    if request.is_empty() {
        return lacking;
    }
    let mut check = |name: &str, reason: Reason, requested: i64, used: i64, capacity: i64| {
        if requested > 0 && requested > capacity.saturating_sub(used) {
            let unresolvable = requested > capacity;
            lacking.push(InsufficientResource {
                name: name.to_owned(),
                reason,
                requested,
                used,
                capacity,
                unresolvable,
            });
        }
    };
    let (used, has) = (&node.requested, &node.allocatable);
    check("cpu", "Insufficient cpu".into(), request.milli_cpu, used.milli_cpu, has.milli_cpu);
    check("memory", "Insufficient memory".into(), request.memory, used.memory, has.memory);
    check(
        "ephemeral-storage",
        "Insufficient ephemeral-storage".into(),
        request.ephemeral_storage,
        used.ephemeral_storage,
        has.ephemeral_storage,
    );
    for (name, amount) in &request.scalar {
        if *amount > has.scalar(name).saturating_sub(used.scalar(name)) {
            check(name, format!("Insufficient {name}").into(), *amount, used.scalar(name), has.scalar(name));
        }
    }
    lacking
}

/// Whether all that is requested is left: what [`fits_request`] finds out, without saying more.
fn fits(request: &Resource, node: &NodeInfo) -> bool {
    let pods = i64::try_from(node.pods.len()).unwrap_or(i64::MAX);
    let enough = |asked: i64, has: i64, used: i64| asked <= 0 || asked <= has.saturating_sub(used);
    let (used, has) = (&node.requested, &node.allocatable);
    pods < has.allowed_pod_number
        && enough(request.milli_cpu, has.milli_cpu, used.milli_cpu)
        && enough(request.memory, has.memory, used.memory)
        && enough(request.ephemeral_storage, has.ephemeral_storage, used.ephemeral_storage)
        && request.scalar.iter().all(|(name, asked)| enough(*asked, has.scalar(name), used.scalar(name)))
}

/// What a pod is taken to want where nodes are scored: CPU in thousandths, memory in bytes.
///
/// Source: resource_allocation.go `calculatePodResourceRequest` (v1.37).
pub fn score_requests(pod: &PodInfo, counts_missing: bool, skip_pod_level_resources: bool) -> [i64; 2] {
    if never_ran(pod) && pod.spec().resources.is_none() {
        return if counts_missing {
            [pod.non_zero_cpu, pod.non_zero_memory]
        } else {
            [pod.requests.milli_cpu, pod.requests.memory]
        };
    }
    let mut options = PodResourcesOptions { skip_pod_level_resources, ..PodResourcesOptions::default() };
    if counts_missing {
        options.non_missing_container_requests = ResourceList::from([
            ("cpu".to_owned(), Quantity::new_milli(DEFAULT_MILLI_CPU_REQUEST, Format::DecimalSi)),
            ("memory".to_owned(), Quantity::new(DEFAULT_MEMORY_REQUEST, Format::DecimalSi)),
        ]);
    }
    let requests = pod_requests(pod.spec(), None, &options);
    let cpu = requests.get("cpu").map_or(0, Quantity::milli_value);
    let memory = requests.get("memory").map_or(0, Quantity::value);
    [cpu, memory]
}

fn empty_node(object: &Object) -> NodeInfo {
    let mut node = NodeInfo::new(object.name());
    if let Some(status) = object.node_status() {
        node.allocatable = Resource::from_list(&resource_list(status.allocatable.as_ref()));
    }
    node
}

/// Source: fit.go `haveAnyRequestedResourcesIncreased` (v1.37).
fn any_increased(request: &Resource, old: &Resource, new: &Resource) -> bool {
    new.allowed_pod_number > old.allowed_pod_number
        || request.milli_cpu > 0 && new.milli_cpu > old.milli_cpu
        || request.memory > 0 && new.memory > old.memory
        || request.ephemeral_storage > 0 && new.ephemeral_storage > old.ephemeral_storage
        || request.scalar.iter().any(|(name, asked)| *asked != 0 && new.scalar(name) > old.scalar(name))
}

impl Plugin for NodeResourcesFit {
    fn id(&self) -> PluginId {
        PluginId::NodeResourcesFit
    }

    fn points(&self) -> &'static [&'static str] {
        &["PreFilter", "Filter", "PreScore", "Score"]
    }

    fn events(&self) -> &'static [ClusterEvent] {
        const EVENTS: [ClusterEvent; 4] = [
            ClusterEvent::ASSIGNED_POD_DELETE,
            ClusterEvent::new(EventResource::Node, ActionType::ADD.and(ActionType::UPDATE_NODE_ALLOCATABLE)),
            ClusterEvent::new(EventResource::AssignedPod, ActionType::UPDATE_POD_SCALE_DOWN),
            ClusterEvent::new(EventResource::TargetPod, ActionType::UPDATE_POD_SCALE_DOWN),
        ];
        &EVENTS
    }

    fn hint(
        &self,
        _: &FilterContext<'_>,
        pod: &PodInfo,
        event: ClusterEvent,
        objects: EventObjects<'_>,
    ) -> bool {
        match (event.resource, objects.old, objects.new) {
            (EventResource::Node, old, Some(new)) => {
                let request = fit_requests(pod);
                let node = empty_node(new);
                fits(&request, &node)
                    && old.is_none_or(|old| {
                        any_increased(&request, &empty_node(old).allocatable, &node.allocatable)
                    })
            }
            (EventResource::AssignedPod, Some(old), Some(new)) => {
                let count = |o: &Object| PodInfo::new(std::sync::Arc::new(o.clone())).map(|p| p.requests);
                let (Some(old), Some(new)) = (count(old), count(new)) else { return true };
                // Less of what the pod asks for is held now.
                any_increased(&pod.requests, &new, &old)
            }
            (EventResource::AssignedPod, Some(old), None) => is_placed(old),
            _ => true,
        }
    }

    fn pre_filter(&self, _: &FilterContext<'_>, pod: &PodInfo, state: &mut CycleState) -> PreFilterResult {
        state.fit_requests = fit_requests(pod);
        PreFilterResult::All
    }

    fn filter(
        &self,
        _: &FilterContext<'_>,
        _: &PodInfo,
        state: &CycleState,
        node: &NodeInfo,
    ) -> Result<(), Status> {
        if fits(&state.fit_requests, node) {
            return Ok(());
        }
        let lacking = fits_request(&state.fit_requests, node);
        let unresolvable = lacking.iter().any(|l| l.unresolvable);
        Err(Status {
            code: if unresolvable { Code::UnschedulableAndUnresolvable } else { Code::Unschedulable },
            reasons: lacking.into_iter().map(|l| l.reason).collect(),
            plugin: Some(PluginId::NodeResourcesFit),
        })
    }

    fn pre_score(&self, _: &FilterContext<'_>, pod: &PodInfo, state: &mut CycleState, _: &[usize]) -> bool {
        // The scorer of this plugin, unlike its filter, leaves pod-level resources out.
        state.fit_score = score_requests(pod, true, true);
        true
    }

    fn score(&self, cx: &FilterContext<'_>, _: &PodInfo, state: &CycleState, node: &NodeInfo) -> i64 {
        let resources = [
            (node.non_zero_cpu, state.fit_score[0], node.allocatable.milli_cpu),
            (node.non_zero_memory, state.fit_score[1], node.allocatable.memory),
        ];
        let (mut sum, mut weights) = (0, 0);
        for ((used, asked, capacity), weight) in resources.into_iter().zip(cx.profile.scoring_weights) {
            if capacity == 0 || weight == 0 {
                continue;
            }
            let requested = used.saturating_add(asked);
            let part = |amount: i64| match amount.checked_mul(MAX_NODE_SCORE) {
                Some(product) => product / capacity,
                // A node of a hundred petabytes takes 128 bits.
                None => (i128::from(amount) * i128::from(MAX_NODE_SCORE) / i128::from(capacity)) as i64,
            };
            sum += weight
                * match cx.profile.scoring {
                    _ if capacity < 0 => 0,
                    ScoringStrategy::LeastAllocated if requested > capacity => 0,
                    ScoringStrategy::LeastAllocated => part(capacity - requested),
                    ScoringStrategy::MostAllocated => part(requested.min(capacity)),
                };
            weights += weight;
        }
        if weights == 0 { 0 } else { sum / weights }
    }

    fn explain(&self, _: &FilterContext<'_>, _: &PodInfo, state: &CycleState, node: &NodeInfo) -> Vec<Fix> {
        let lacking = fits_request(&state.fit_requests, node).into_iter();
        lacking
            .map(|l| {
                let free = l.capacity.saturating_sub(l.used);
                if l.unresolvable {
                    Fix::LowerRequest {
                        resource: l.name,
                        requested: l.requested,
                        free,
                        allocatable: l.capacity,
                    }
                } else {
                    let short_by = l.requested.saturating_sub(free);
                    Fix::FreeResource {
                        holders: holders(node, &l.name, short_by),
                        resource: l.name,
                        requested: l.requested,
                        free,
                        allocatable: l.capacity,
                        short_by,
                    }
                }
            })
            .collect()
    }
}
