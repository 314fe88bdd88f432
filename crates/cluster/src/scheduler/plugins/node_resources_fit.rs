//! NodeResourcesFit: a node must have left what a pod requests.

use crate::scheduler::fix::{Fix, holders};
use crate::scheduler::framework::pod_info::{DEFAULT_MEMORY_REQUEST, DEFAULT_MILLI_CPU_REQUEST, is_placed};
use crate::scheduler::framework::{
    ActionType, ClusterEvent, Code, CycleState, EventObjects, EventResource, FilterContext, MAX_NODE_SCORE,
    NodeInfo, Plugin, PluginId, PodInfo, PreFilterResult, Reason, Resource, Status, is_scalar_resource_name,
};
use crate::scheduler::profile::{NodeResourcesFitArgs, ResourceName, ScoringStrategy};
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
pub fn fits_request(
    request: &Resource,
    node: &NodeInfo,
    args: &NodeResourcesFitArgs,
) -> Vec<InsufficientResource> {
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
        if !args.ignores(name) && *amount > has.scalar(name).saturating_sub(used.scalar(name)) {
            check(name, format!("Insufficient {name}").into(), *amount, used.scalar(name), has.scalar(name));
        }
    }
    lacking
}

/// Whether all that is requested is left: what [`fits_request`] finds out, without saying more.
fn fits(request: &Resource, node: &NodeInfo, args: Option<&NodeResourcesFitArgs>) -> bool {
    let pods = i64::try_from(node.pods.len()).unwrap_or(i64::MAX);
    let enough = |asked: i64, has: i64, used: i64| asked <= 0 || asked <= has.saturating_sub(used);
    let (used, has) = (&node.requested, &node.allocatable);
    pods < has.allowed_pod_number
        && enough(request.milli_cpu, has.milli_cpu, used.milli_cpu)
        && enough(request.memory, has.memory, used.memory)
        && enough(request.ephemeral_storage, has.ephemeral_storage, used.ephemeral_storage)
        && request.scalar.iter().all(|(name, asked)| {
            args.is_some_and(|args| args.ignores(name)) || enough(*asked, has.scalar(name), used.scalar(name))
        })
}

/// What a pod is taken to want of each resource where nodes are scored: CPU in thousandths, all else whole.
///
/// Source: resource_allocation.go `calculatePodResourceRequest` (v1.37).
pub fn score_requests<'a>(
    pod: &PodInfo,
    resources: impl Iterator<Item = &'a ResourceName> + Clone,
    counts_missing: bool,
    skip_pod_level_resources: bool,
) -> Vec<i64> {
    let own = never_ran(pod) && pod.spec().resources.is_none();
    if own && resources.clone().all(|name| !matches!(name, ResourceName::Other(_))) {
        let (cpu, memory) = if counts_missing {
            (pod.non_zero_cpu, pod.non_zero_memory)
        } else {
            (pod.requests.milli_cpu, pod.requests.memory)
        };
        return resources.map(|name| if *name == ResourceName::Cpu { cpu } else { memory }).collect();
    }
    let mut options = PodResourcesOptions { skip_pod_level_resources, ..PodResourcesOptions::default() };
    if counts_missing {
        options.non_missing_container_requests = ResourceList::from([
            ("cpu".to_owned(), Quantity::new_milli(DEFAULT_MILLI_CPU_REQUEST, Format::DecimalSi)),
            ("memory".to_owned(), Quantity::new(DEFAULT_MEMORY_REQUEST, Format::DecimalSi)),
        ]);
    }
    let requests = pod_requests(pod.spec(), None, &options);
    let amount = |name: &ResourceName| {
        let quantity = requests.get(name.as_str());
        match name {
            ResourceName::Cpu => quantity.map_or(0, Quantity::milli_value),
            _ => quantity.map_or(0, Quantity::value),
        }
    };
    resources.map(amount).collect()
}

/// What a node's pods hold of a resource and what it has, where nodes are scored for a pod that wants `wanted` of it; no
/// capacity where it does not count.
///
/// Source: resource_allocation.go `calculateNodeAllocatableRequest`, `calculateResourceAllocatableRequest` (v1.37).
pub fn score_amounts(node: &NodeInfo, name: &ResourceName, wanted: i64, counts_missing: bool) -> (i64, i64) {
    let (requested, has) = (&node.requested, &node.allocatable);
    match name {
        ResourceName::Cpu if counts_missing => (node.non_zero_cpu, has.milli_cpu),
        ResourceName::Cpu => (requested.milli_cpu, has.milli_cpu),
        ResourceName::Memory if counts_missing => (node.non_zero_memory, has.memory),
        ResourceName::Memory => (requested.memory, has.memory),
        ResourceName::Other(name) if &**name == "ephemeral-storage" => {
            (requested.ephemeral_storage, has.ephemeral_storage)
        }
        // An extended resource that the pod does not ask for.
        ResourceName::Other(name) if wanted == 0 && is_scalar_resource_name(name) => (0, 0),
        ResourceName::Other(name) => (requested.scalar(name), has.scalar(name)),
    }
}

/// The points of 100 of one resource.
pub fn resource_score(args: &NodeResourcesFitArgs, requested: i64, capacity: i64) -> i64 {
    let part = |amount: i64| match amount.checked_mul(MAX_NODE_SCORE) {
        Some(product) => product / capacity,
        // A node of a hundred petabytes takes 128 bits.
        None => (i128::from(amount) * i128::from(MAX_NODE_SCORE) / i128::from(capacity)) as i64,
    };
    match args.strategy {
        _ if capacity < 0 => 0,
        ScoringStrategy::LeastAllocated if requested > capacity => 0,
        ScoringStrategy::LeastAllocated => part(capacity - requested),
        ScoringStrategy::MostAllocated => part(requested.min(capacity)),
        ScoringStrategy::RequestedToCapacityRatio => args.shape.of(requested, capacity),
    }
}

/// The points of all resources together; each with what it counts.
///
/// Source: least_allocated.go, most_allocated.go, requested_to_capacity_ratio.go (v1.37).
pub fn mean_score(strategy: ScoringStrategy, scores: impl Iterator<Item = (i64, i64)>) -> i64 {
    let by_shape = strategy == ScoringStrategy::RequestedToCapacityRatio;
    let (mut sum, mut weights) = (0i64, 0i64);
    // By a function, what has no points does not count.
    for (score, weight) in scores.filter(|(score, _)| !by_shape || *score > 0) {
        sum = sum.saturating_add(score.saturating_mul(weight));
        weights = weights.saturating_add(weight);
    }
    match (weights, by_shape) {
        (0, _) => 0,
        (_, true) => libm::round(sum as f64 / weights as f64) as i64,
        (_, false) => sum / weights,
    }
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
        &["PreFilter", "Filter", "PreScore", "Score", "PlacementScore"]
    }

    fn filter_lacks(&self) -> Option<&'static str> {
        Some("error reading \"PreFilterNodeResourcesFit\" from cycleState: not found")
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
                fits(&request, &node, None)
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
        cx: &FilterContext<'_>,
        _: &PodInfo,
        state: &CycleState,
        node: &NodeInfo,
    ) -> Result<(), Status> {
        if fits(&state.fit_requests, node, Some(&cx.profile.fit)) {
            return Ok(());
        }
        let lacking = fits_request(&state.fit_requests, node, &cx.profile.fit);
        let unresolvable = lacking.iter().any(|l| l.unresolvable);
        Err(Status {
            code: if unresolvable { Code::UnschedulableAndUnresolvable } else { Code::Unschedulable },
            reasons: lacking.into_iter().map(|l| l.reason).collect(),
            plugin: Some(PluginId::NodeResourcesFit),
        })
    }

    fn pre_score(&self, cx: &FilterContext<'_>, pod: &PodInfo, state: &mut CycleState, _: &[usize]) -> bool {
        // The scorer of this plugin, unlike its filter, leaves pod-level resources out.
        let resources = cx.profile.fit.resources.iter().map(|(name, _)| name);
        state.fit_score = score_requests(pod, resources, true, true);
        true
    }

    fn score(&self, cx: &FilterContext<'_>, _: &PodInfo, state: &CycleState, node: &NodeInfo) -> i64 {
        let fit = &cx.profile.fit;
        let scores = fit.resources.iter().zip(&state.fit_score).filter_map(|((name, weight), wanted)| {
            let (used, capacity) = score_amounts(node, name, *wanted, true);
            let requested = used.saturating_add(*wanted);
            (capacity != 0).then(|| (resource_score(fit, requested, capacity), *weight))
        });
        mean_score(fit.strategy, scores)
    }

    fn explain(&self, cx: &FilterContext<'_>, _: &PodInfo, state: &CycleState, node: &NodeInfo) -> Vec<Fix> {
        let lacking = fits_request(&state.fit_requests, node, &cx.profile.fit).into_iter();
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
