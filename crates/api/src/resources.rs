//! What a pod requests, what limits it, and the quality of service that follows.
//!
//! Source: staging/src/k8s.io/component-helpers/resource/helpers.go and
//! pkg/apis/core/v1/helper/qos/qos.go (v1.37).

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, ContainerStatus, PodSpec, PodStatus, ResourceRequirements};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as QuantityText;

use crate::Quantity;

/// Quantities by resource name.
pub type ResourceList = BTreeMap<String, Quantity>;

/// What counts as the pod's resources.
#[derive(Debug, Clone, Default)]
pub struct PodResourcesOptions {
    /// Looks at the resources that the status reports too, as the scheduler does for pods that are being resized.
    pub use_status_resources: bool,
    /// Leaves the pod's overhead out.
    pub exclude_overhead: bool,
    /// Requests that a container has where it says nothing of them.
    pub non_missing_container_requests: ResourceList,
    /// Leaves `spec.resources` out.
    pub skip_pod_level_resources: bool,
    /// Leaves the containers' resources out.
    pub skip_container_level_resources: bool,
    /// Looks at the pod-level resources that the status reports too.
    pub in_place_pod_level_resources: bool,
}

/// What a container requests of a resource; `None` for nothing, or for what is no quantity.
#[must_use]
pub fn container_request(container: &Container, name: &str) -> Option<Quantity> {
    Quantity::try_from(container.resources.as_ref()?.requests.as_ref()?.get(name)?).ok()
}

/// How much of a resource a container may use; `None` for no limit, or for what is no quantity.
#[must_use]
pub fn container_limit(container: &Container, name: &str) -> Option<Quantity> {
    Quantity::try_from(container.resources.as_ref()?.limits.as_ref()?.get(name)?).ok()
}

/// Reads a map of an API object; quantities that are none, which validation refuses, are left out.
#[must_use]
pub fn resource_list(list: Option<&BTreeMap<String, QuantityText>>) -> ResourceList {
    let parse = |(name, text): (&String, &QuantityText)| Some((name.clone(), Quantity::try_from(text).ok()?));
    list.into_iter().flatten().filter_map(parse).collect()
}

/// Adds every quantity of `other` to `list`.
pub fn add_resource_list(list: &mut ResourceList, other: &ResourceList) {
    for (name, quantity) in other {
        match list.get_mut(name) {
            Some(sum) => sum.add(quantity),
            None => {
                list.insert(name.clone(), quantity.clone());
            }
        }
    }
}

/// Raises every quantity of `list` to that of `other`.
pub fn max_resource_list(list: &mut ResourceList, other: &ResourceList) {
    for (name, quantity) in other {
        if list.get(name).is_none_or(|value| quantity > value) {
            list.insert(name.clone(), quantity.clone());
        }
    }
}

fn max_of<const N: usize>(lists: [ResourceList; N]) -> ResourceList {
    let mut result = ResourceList::new();
    for list in &lists {
        max_resource_list(&mut result, list);
    }
    result
}

/// Whether a resource may stand in `spec.resources`.
#[must_use]
pub fn is_supported_pod_level_resource(name: &str) -> bool {
    matches!(name, "cpu" | "memory") || name.starts_with("hugepages-")
}

fn has_supported(list: Option<&BTreeMap<String, QuantityText>>) -> bool {
    list.is_some_and(|list| list.keys().any(|name| is_supported_pod_level_resource(name)))
}

/// Whether `spec.resources` requests anything that counts.
#[must_use]
pub fn is_pod_level_requests_set(spec: &PodSpec) -> bool {
    spec.resources.as_ref().is_some_and(|resources| has_supported(resources.requests.as_ref()))
}

/// Whether `spec.resources` limits anything that counts.
#[must_use]
pub fn is_pod_level_limits_set(spec: &PodSpec) -> bool {
    spec.resources.as_ref().is_some_and(|resources| has_supported(resources.limits.as_ref()))
}

/// Whether `spec.resources` says anything that counts.
#[must_use]
pub fn is_pod_level_resources_set(spec: &PodSpec) -> bool {
    is_pod_level_requests_set(spec) || is_pod_level_limits_set(spec)
}

/// Whether an init container is a sidecar: it has the restart policy `Always`.
#[must_use]
pub fn is_restartable_init_container(container: &Container) -> bool {
    container.restart_policy.as_deref() == Some("Always")
}

/// Whether the node has no room for the resize that is asked for.
#[must_use]
pub fn is_pod_resize_infeasible(status: Option<&PodStatus>) -> bool {
    let condition = status
        .and_then(|status| status.conditions.as_ref())
        .and_then(|conditions| conditions.iter().find(|condition| condition.type_ == "PodResizePending"));
    condition.is_some_and(|condition| condition.reason.as_deref() == Some("Infeasible"))
}

/// Which of a container's lists is summed.
#[derive(Clone, Copy)]
enum Source {
    SpecRequests,
    AllocatedRequests,
    ActuatedRequests,
    SpecLimits,
    ActuatedLimits,
}

struct Pod<'a> {
    spec: &'a PodSpec,
    status: Option<&'a PodStatus>,
    infeasible: bool,
}

impl Pod<'_> {
    /// Whether the status tells of no container.
    fn never_ran(&self) -> bool {
        let list = |list: &Option<Vec<ContainerStatus>>| list.as_ref().is_none_or(Vec::is_empty);
        self.status.is_none_or(|s| list(&s.container_statuses) && list(&s.init_container_statuses))
    }

    fn container_status(&self, name: &str) -> Option<&ContainerStatus> {
        let status = self.status?;
        let lists = [status.container_statuses.as_ref(), status.init_container_statuses.as_ref()];
        lists.into_iter().flatten().flatten().find(|status| status.name == name)
    }

    fn container(&self, container: &Container, source: Source) -> ResourceList {
        let spec = container.resources.as_ref();
        let status = self.container_status(&container.name);
        let allocated = || status.and_then(|status| status.allocated_resources.as_ref());
        let actuated = || status.and_then(|status| status.resources.as_ref());
        let of_spec = |list| if self.infeasible { None } else { list };
        let requests = spec.and_then(|spec| spec.requests.as_ref());
        let limits = spec.and_then(|spec| spec.limits.as_ref());
        resource_list(match source {
            Source::SpecRequests => requests,
            Source::SpecLimits => limits,
            Source::AllocatedRequests => allocated().or(of_spec(requests)),
            Source::ActuatedRequests => actuated()
                .and_then(|actuated| actuated.requests.as_ref())
                .or_else(allocated)
                .or(of_spec(requests)),
            Source::ActuatedLimits => {
                actuated().and_then(|actuated| actuated.limits.as_ref()).or(of_spec(limits))
            }
        })
    }

    /// Containers run together; an init container runs with the sidecars before it.
    fn sum(&self, non_missing: &ResourceList, source: Source) -> ResourceList {
        let resources_of = |container: &Container| {
            let mut resources = self.container(container, source);
            for (name, quantity) in non_missing {
                resources.entry(name.clone()).or_insert_with(|| quantity.clone());
            }
            resources
        };
        let mut result = ResourceList::new();
        for container in &self.spec.containers {
            let resources = resources_of(container);
            if result.is_empty() {
                result = resources;
            } else {
                add_resource_list(&mut result, &resources);
            }
        }
        let mut sidecars = ResourceList::new();
        let mut peak = ResourceList::new();
        for container in self.spec.init_containers.iter().flatten() {
            let mut resources = resources_of(container);
            if is_restartable_init_container(container) {
                add_resource_list(&mut result, &resources);
                add_resource_list(&mut sidecars, &resources);
                max_resource_list(&mut peak, &sidecars);
            } else {
                add_resource_list(&mut resources, &sidecars);
                max_resource_list(&mut peak, &resources);
            }
        }
        max_resource_list(&mut result, &peak);
        result
    }
}

fn pod<'a>(spec: &'a PodSpec, status: Option<&'a PodStatus>, options: &PodResourcesOptions) -> Pod<'a> {
    if !options.use_status_resources {
        return Pod { spec, status: None, infeasible: false };
    }
    Pod { spec, status, infeasible: is_pod_resize_infeasible(status) }
}

/// The requests of all containers together.
#[must_use]
pub fn aggregate_container_requests(
    spec: &PodSpec,
    status: Option<&PodStatus>,
    options: &PodResourcesOptions,
) -> ResourceList {
    let pod = pod(spec, status, options);
    let missing = &options.non_missing_container_requests;
    let of_spec = pod.sum(missing, Source::SpecRequests);
    if !options.use_status_resources {
        return of_spec;
    }
    let whole_pod = status.filter(|_| options.in_place_pod_level_resources).and_then(|status| {
        Some((status.allocated_resources.as_ref()?, status.resources.as_ref()?.requests.as_ref()?))
    });
    if whole_pod.is_none() && !pod.infeasible && pod.never_ran() {
        // Both of the others would be taken from the spec as well.
        return of_spec;
    }
    let (allocated, actuated) = match whole_pod {
        Some((allocated, actuated)) => (resource_list(Some(allocated)), resource_list(Some(actuated))),
        None => (pod.sum(missing, Source::AllocatedRequests), pod.sum(missing, Source::ActuatedRequests)),
    };
    if pod.infeasible { max_of([actuated, allocated]) } else { max_of([of_spec, actuated, allocated]) }
}

/// The limits of all containers together.
#[must_use]
pub fn aggregate_container_limits(
    spec: &PodSpec,
    status: Option<&PodStatus>,
    options: &PodResourcesOptions,
) -> ResourceList {
    let pod = pod(spec, status, options);
    let none = ResourceList::new();
    let of_spec = pod.sum(&none, Source::SpecLimits);
    if !options.use_status_resources {
        return of_spec;
    }
    let whole_pod = status
        .filter(|_| options.in_place_pod_level_resources)
        .and_then(|status| status.resources.as_ref()?.limits.as_ref());
    let actuated = match whole_pod {
        Some(limits) => resource_list(Some(limits)),
        None => pod.sum(&none, Source::ActuatedLimits),
    };
    if pod.infeasible { actuated } else { max_of([of_spec, actuated]) }
}

/// What `spec.resources` stands for: the greatest of it and of what the status reports.
fn pod_level(
    status: Option<&PodStatus>,
    options: &PodResourcesOptions,
    of_spec: Option<&BTreeMap<String, QuantityText>>,
    of_status: [Option<&BTreeMap<String, QuantityText>>; 2],
) -> ResourceList {
    let mut effective = resource_list(of_spec);
    let looks_at_status = options.in_place_pod_level_resources && options.use_status_resources;
    if looks_at_status && status.is_some_and(|status| status.resources.is_some()) {
        if is_pod_resize_infeasible(status) {
            effective.clear();
        }
        for list in of_status {
            max_resource_list(&mut effective, &resource_list(list));
        }
    }
    effective.retain(|name, _| is_supported_pod_level_resource(name));
    effective
}

/// All that a pod requests.
#[must_use]
pub fn pod_requests(
    spec: &PodSpec,
    status: Option<&PodStatus>,
    options: &PodResourcesOptions,
) -> ResourceList {
    let mut requests = if options.skip_container_level_resources {
        ResourceList::new()
    } else {
        aggregate_container_requests(spec, status, options)
    };
    if !options.skip_pod_level_resources && is_pod_level_requests_set(spec) {
        let of_spec = spec.resources.as_ref().and_then(|resources| resources.requests.as_ref());
        let reported = status.and_then(|status| status.resources.as_ref()?.requests.as_ref());
        let allocated = status.and_then(|status| status.allocated_resources.as_ref());
        requests.extend(pod_level(status, options, of_spec, [reported, allocated]));
    }
    if !options.exclude_overhead {
        add_resource_list(&mut requests, &resource_list(spec.overhead.as_ref()));
    }
    requests
}

/// All that limits a pod; the overhead counts where there is a limit at all.
#[must_use]
pub fn pod_limits(spec: &PodSpec, status: Option<&PodStatus>, options: &PodResourcesOptions) -> ResourceList {
    let mut limits = aggregate_container_limits(spec, status, options);
    if !options.skip_pod_level_resources && is_pod_level_resources_set(spec) {
        let of_spec = spec.resources.as_ref().and_then(|resources| resources.limits.as_ref());
        let reported = status.and_then(|status| status.resources.as_ref()?.limits.as_ref());
        limits.extend(pod_level(status, options, of_spec, [reported, None]));
    }
    if !options.exclude_overhead {
        for (name, quantity) in resource_list(spec.overhead.as_ref()) {
            if let Some(limit) = limits.get_mut(&name).filter(|limit| !limit.is_zero()) {
                limit.add(&quantity);
            }
        }
    }
    limits
}

/// A pod's quality of service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum QosClass {
    /// Every container's CPU and memory are limited to what it requests.
    Guaranteed,
    /// Something is requested or limited.
    Burstable,
    /// Nothing is.
    BestEffort,
}

impl QosClass {
    /// Kubernetes' name of the class.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Guaranteed => "Guaranteed",
            Self::Burstable => "Burstable",
            Self::BestEffort => "BestEffort",
        }
    }
}

/// Works out the class from the spec (not from what the status says).
#[must_use]
pub fn compute_pod_qos(spec: &PodSpec) -> QosClass {
    if let Some(resources) = spec.resources.as_ref().filter(|_| is_pod_level_resources_set(spec)) {
        return requirements_qos(resources);
    }
    let containers = spec.init_containers.iter().flatten().chain(&spec.containers);
    let none = ResourceRequirements::default();
    combined(containers.map(|container| requirements_qos(container.resources.as_ref().unwrap_or(&none))))
}

fn requirements_qos(resources: &ResourceRequirements) -> QosClass {
    let quantity = |list: Option<&BTreeMap<String, QuantityText>>, name: &str| {
        list.and_then(|list| Quantity::try_from(list.get(name)?).ok()).unwrap_or_default()
    };
    combined(["cpu", "memory"].into_iter().map(|name| {
        let request = quantity(resources.requests.as_ref(), name);
        if request != quantity(resources.limits.as_ref(), name) {
            QosClass::Burstable
        } else if request.is_zero() {
            QosClass::BestEffort
        } else {
            QosClass::Guaranteed
        }
    }))
}

/// The class that all parts share; where they differ, `Burstable`.
fn combined(mut classes: impl Iterator<Item = QosClass>) -> QosClass {
    let first = classes.next().unwrap_or(QosClass::BestEffort);
    if classes.all(|class| class == first) { first } else { QosClass::Burstable }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(value: serde_json::Value) -> PodSpec {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn an_init_container_counts_with_the_sidecars_before_it() {
        let cpu = |cpu: &str| serde_json::json!({"requests": {"cpu": cpu}});
        let pod = spec(serde_json::json!({
            "initContainers": [
                {"name": "a", "restartPolicy": "Always", "resources": cpu("1")},
                {"name": "b", "resources": cpu("4")},
                {"name": "c", "restartPolicy": "Always", "resources": cpu("1")},
            ],
            "containers": [{"name": "d", "resources": cpu("2")}],
        }));
        let requests = pod_requests(&pod, None, &PodResourcesOptions::default());
        assert_eq!(requests["cpu"].to_string(), "5");
    }

    #[test]
    fn quality_of_service_needs_both_resources_for_guaranteed() {
        let class = |resources: serde_json::Value| {
            compute_pod_qos(&spec(serde_json::json!({"containers": [{"name": "c", "resources": resources}]})))
        };
        assert_eq!(class(serde_json::json!({})), QosClass::BestEffort);
        assert_eq!(
            class(serde_json::json!({"limits": {"cpu": "1"}, "requests": {"cpu": "1000m"}})),
            QosClass::Burstable
        );
        let both = serde_json::json!({"cpu": "1", "memory": "1Gi"});
        assert_eq!(class(serde_json::json!({"limits": both, "requests": both})), QosClass::Guaranteed);
    }
}
