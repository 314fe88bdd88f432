//! Which pod is evicted first, and what is said of it.
//!
//! Source: pkg/kubelet/eviction/helpers.go (v1.37).

use crate::kubelet::PodIx;
use podlab_api::Quantity;
use podlab_api::quantity::Format;
use std::collections::BTreeMap;

/// What runs short: a resource of which pods are deprived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resource {
    Memory,
    EphemeralStorage,
}

impl Resource {
    /// As requests name it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Resource::Memory => "memory",
            Resource::EphemeralStorage => "ephemeral-storage",
        }
    }
}

/// What a container uses of the resource, and what it has asked for.
#[derive(Clone, Debug)]
pub(crate) struct ContainerUse {
    pub name: String,
    pub bytes: u64,
    pub request: Quantity,
}

/// A pod among those of which one has to go.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub pod: PodIx,
    pub name: String,
    pub priority: i32,
    /// What the pod requests of the resource, in bytes.
    pub request: i64,
    /// What it uses, in bytes; `None` where nothing of it runs yet.
    pub used: Option<u64>,
    /// What is asked for in the pod's own name, where the resource is memory.
    pub own_request: Option<Quantity>,
    /// Its containers, in the order in which they were made.
    pub containers: Vec<ContainerUse>,
}

fn bytes(value: u64) -> Quantity {
    Quantity::new(i64::try_from(value).unwrap_or(i64::MAX), Format::BinarySi)
}

/// Puts first who goes first: of whom nothing is known, then who uses more than it requests; among these by priority,
/// then by how much more.
///
/// Source: `rankMemoryPressure`, `rankDiskPressureFunc`.
pub(crate) fn rank(candidates: &mut [Candidate]) {
    candidates.sort_by_key(|candidate| {
        let above = candidate.used.map(|used| i64::try_from(used).unwrap_or(i64::MAX) - candidate.request);
        let class = match above {
            None => 0,
            Some(above) if above > 0 => 1,
            Some(_) => 2,
        };
        (class, candidate.priority, std::cmp::Reverse(above))
    });
}

/// What the eviction of a pod says, and what its event carries beside that. `met`: the threshold and what is left.
///
/// Source: `evictionMessage`.
pub(crate) fn eviction_message(
    resource: Resource,
    candidate: &Candidate,
    met: (u64, u64),
) -> (String, BTreeMap<String, String>) {
    let name = resource.name();
    let mut message = format!("The node was low on resource: {name}. ");
    message.push_str(&format!("Threshold quantity: {}, available: {}. ", bytes(met.0), bytes(met.1)));
    let mut annotations = BTreeMap::new();
    let Some(used) = candidate.used else { return (message, annotations) };
    let mut note = |key: &str, text: String| annotations.insert(key.to_owned(), text);
    if let Some(request) = &candidate.own_request {
        let (pod, used) = (&candidate.name, bytes(used));
        message.push_str(&format!(
            "Pod {pod} was using {used}, request is {request}, has larger consumption of {name}. "
        ));
        note("offending_pod", pod.clone());
        note("offending_pod_usage", used.to_string());
    }
    let (mut names, mut usages) = (Vec::new(), Vec::new());
    for container in &candidate.containers {
        let used = bytes(container.bytes);
        if used > container.request {
            message.push_str(&format!(
                "Container {} was using {used}, request is {}, has larger consumption of {name}. ",
                container.name, container.request
            ));
            names.push(container.name.clone());
            usages.push(used.to_string());
        }
    }
    note("offending_containers", names.join(","));
    note("offending_containers_usage", usages.join(","));
    note("starved_resource", name.to_owned());
    (message, annotations)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    fn candidate(name: &str, priority: i32, request: u64, used: Option<u64>) -> Candidate {
        Candidate {
            pod: 0,
            name: name.to_owned(),
            priority,
            request: request as i64,
            used,
            own_request: None,
            containers: Vec::new(),
        }
    }

    #[test]
    fn the_first_to_go_uses_most_beyond_its_request_at_the_least_priority() {
        // Name, priority, request and use in MiB; in the order in which they go.
        let order = [
            ("not known", 100, 0, None),
            ("low, a little above", -1, 100, Some(101)),
            ("far above", 0, 100, Some(900)),
            ("most of all, but less above", 0, 1000, Some(1700)),
            ("best effort", 0, 0, Some(200)),
            ("important, far above", 10, 0, Some(3000)),
            ("low, within its request", -5, 100, Some(100)),
            ("within, nearly", 0, 100, Some(99)),
            ("within, by far", 0, 1000, Some(900)),
            ("important, within", 10, 1000, Some(1)),
        ];
        let all = order.map(|(name, priority, request, used)| {
            candidate(name, priority, request * MIB, used.map(|used| used * MIB))
        });
        let names = |list: &[Candidate]| list.iter().map(|c| c.name.clone()).collect::<Vec<_>>();
        let mut backwards: Vec<Candidate> = all.iter().rev().cloned().collect();
        rank(&mut backwards);
        assert_eq!(names(&backwards), names(&all));
    }

    #[test]
    fn a_message_names_the_containers_that_use_more_than_they_request() {
        let container = |name: &str, used: u64, request: &str| ContainerUse {
            name: name.to_owned(),
            bytes: used,
            request: Quantity::parse(request).unwrap(),
        };
        let mut pod = candidate("p", 0, 0, Some(700 * MIB));
        pod.containers = vec![
            container("a", 500 * MIB, "0"),
            container("b", 50 * MIB, "50Mi"),
            container("c", 150 * MIB + 1, "150Mi"),
        ];
        let low = "The node was low on resource: memory. Threshold quantity: 100Mi, available: 84Mi. ";
        let of_containers = "Container a was using 500Mi, request is 0, has larger consumption of memory. \
                             Container c was using 157286401, request is 150Mi, has larger consumption of memory. ";
        let met = (100 * MIB, 84 * MIB);
        let (message, annotations) = eviction_message(Resource::Memory, &pod, met);
        assert_eq!(message, [low, of_containers].concat());
        let notes: Vec<(&str, &str)> = annotations.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        let expected = [
            ("offending_containers", "a,c"),
            ("offending_containers_usage", "500Mi,157286401"),
            ("starved_resource", "memory"),
        ];
        assert_eq!(notes, expected);

        pod.own_request = Some(Quantity::parse("1Gi").unwrap());
        let (message, annotations) = eviction_message(Resource::Memory, &pod, met);
        let of_pod = "Pod p was using 700Mi, request is 1Gi, has larger consumption of memory. ";
        assert_eq!(message, [low, of_pod, of_containers].concat());
        assert_eq!(annotations.get("offending_pod_usage").map(String::as_str), Some("700Mi"));

        let unknown = candidate("q", 0, 0, None);
        let (message, annotations) =
            eviction_message(Resource::EphemeralStorage, &unknown, (16_106_127_999, 3 << 30));
        let text = "The node was low on resource: ephemeral-storage. Threshold quantity: 16106127999, available: 3Gi. ";
        assert_eq!(message, text);
        assert!(annotations.is_empty());
    }
}
