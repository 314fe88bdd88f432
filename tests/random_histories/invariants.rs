//! What holds of a cluster after every event, whatever is asked of it.

use k8s_openapi::api::core::v1::{ContainerStatus, PodStatus};
use podlab::state::lab::Lab;
use podlab_api::door::ChangeType;
use podlab_api::resources::{PodResourcesOptions, ResourceList, pod_requests, resource_list};
use podlab_api::{Object, kinds};
use podlab_cluster::store::Key;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// At every so many looks the store's indexes are compared with what is in it, which takes long.
const INDEXES: usize = 10;

/// So many pods fail only where what takes them away makes others that fail.
const MANY: usize = 60;

/// What was seen of a pod.
#[derive(Default)]
struct Seen {
    node: Option<String>,
    phase: String,
    restarts: BTreeMap<String, i32>,
}

/// Looks at a cluster again and again.
#[derive(Default)]
pub struct Invariants {
    version: u64,
    pods: BTreeMap<String, Seen>,
    /// How often something had changed when it was looked at.
    pub looks: usize,
}

impl Invariants {
    /// Panics where something does not hold. What has not changed since the last time is not looked at again.
    pub fn check(&mut self, lab: &Lab) {
        let store = lab.live().world().api.store();
        let version = store.resource_version();
        if version == self.version {
            return;
        }
        if version < self.version {
            // An action was undone: what is seen now was seen before.
            *self = Invariants { looks: self.looks, ..Invariants::default() };
        }
        let changed: Vec<(bool, Arc<Object>)> = match store.history().since(self.version) {
            Some(changes) => changes.map(|c| (c.change == ChangeType::Deleted, c.object.clone())).collect(),
            None => store.all().map(|object| (false, object.clone())).collect(),
        };
        let mut nodes = BTreeSet::new();
        for (is_gone, object) in &changed {
            if *object.kind == kinds::NODE {
                nodes.insert(object.name().to_owned());
            }
            if *object.kind == kinds::POD {
                nodes.extend(object.node_name().map(str::to_owned));
                let seen = self.pods.remove(object.uid());
                if !is_gone {
                    self.pods.insert(object.uid().to_owned(), check_pod(object, seen.as_ref()));
                }
            }
        }
        let mut failed = 0;
        for pod in store.list(&kinds::POD) {
            check_queue(lab, pod);
            failed += usize::from(pod.pod_status().is_some_and(|s| s.phase.as_deref() == Some("Failed")));
        }
        assert!(failed < MANY, "{failed} pods have failed: a scheduler and a kubelet may not agree");
        for node in nodes.iter().filter_map(|name| store.get(&kinds::NODE, "", name)) {
            check_node(lab, node);
        }
        if self.looks.is_multiple_of(INDEXES) {
            check_indexes(lab);
        }
        self.looks += 1;
        self.version = version;
    }
}

fn statuses(status: &PodStatus) -> impl Iterator<Item = &ContainerStatus> {
    let of_init = status.init_container_statuses.iter().flatten();
    status.container_statuses.iter().flatten().chain(of_init)
}

/// A pod is bound once, its end is an end, its restarts only grow, and its conditions say what its containers' states do.
fn check_pod(pod: &Object, before: Option<&Seen>) -> Seen {
    let name = pod.name();
    let status = pod.pod_status().expect("a pod has a status");
    let told = || serde_json::to_string(&**status).unwrap_or_default();
    let now = Seen {
        node: pod.node_name().map(str::to_owned),
        phase: status.phase.clone().unwrap_or_default(),
        restarts: statuses(status)
            .map(|container| (container.name.clone(), container.restart_count))
            .collect(),
    };
    if let Some(before) = before {
        assert!(
            before.node.is_none() || before.node == now.node,
            "{name} went from {:?} to {:?}",
            before.node,
            now.node
        );
        let ended = matches!(before.phase.as_str(), "Succeeded" | "Failed");
        assert!(!ended || before.phase == now.phase, "{name} went from {} to {}", before.phase, now.phase);
        for (container, restarts) in &before.restarts {
            let now = now.restarts.get(container);
            assert!(
                now.is_some_and(|now| now >= restarts),
                "{name}/{container}: {restarts} restarts, then {now:?}"
            );
        }
    }
    let is = |type_: &str| {
        let mut conditions = status.conditions.iter().flatten();
        conditions.any(|condition| condition.type_ == type_ && condition.status == "True")
    };
    let state = |container: &ContainerStatus| {
        let state = container.state.clone().unwrap_or_default();
        (state.waiting, state.running, state.terminated)
    };
    for container in statuses(status) {
        let (waiting, running, terminated) = state(container);
        let states = [waiting.is_some(), running.is_some(), terminated.is_some()];
        assert_eq!(states.iter().filter(|is| **is).count(), 1, "{name}/{}: {}", container.name, told());
        let why = waiting.map(|waiting| waiting.reason.unwrap_or_default());
        assert!(why.is_none_or(|why| !why.is_empty()), "{name}/{} waits for nothing", container.name);
    }
    let own = status.container_statuses.as_deref().unwrap_or(&[]);
    for container in own {
        let runs = state(container).1.is_some();
        assert!(!container.ready || runs, "{name}/{} is ready and does not run: {}", container.name, told());
    }
    if is("Ready") {
        assert!(is("ContainersReady") && is("Initialized") && is("PodScheduled"), "{name}: {}", told());
        assert!(own.iter().all(|container| container.ready), "{name}: {}", told());
        assert_eq!(now.phase, "Running", "{name}: {}", told());
    }
    let ended = |container: &ContainerStatus| state(container).2;
    match now.phase.as_str() {
        "Succeeded" => {
            assert!(own.iter().all(|c| ended(c).is_some_and(|end| end.exit_code == 0)), "{name}: {}", told());
        }
        // One that waits for its image holds the phase back, whatever runs beside it; and a phase stays as it was while
        // containers of a pod that has ended may still run.
        "Pending" => {
            let all_run = !own.is_empty() && own.iter().all(|c| state(c).1.is_some());
            let mut reasons = status.conditions.iter().flatten().filter_map(|c| c.reason.as_deref());
            let is_at_end = reasons.any(|reason| matches!(reason, "PodFailed" | "PodCompleted"));
            assert!(!all_run || is_at_end, "{name}: {}", told());
        }
        "Running" => assert!(pod.node_name().is_some(), "{name} runs nowhere"),
        "Failed" => {}
        phase => panic!("{name} is {phase:?}"),
    }
    now
}

/// A pod without a node waits in the scheduler's queue, or is being bound; one that was tried says why it waits.
fn check_queue(lab: &Lab, pod: &Arc<Object>) {
    let waits = pod.node_name().is_none() && !pod.is_terminating();
    let status = pod.pod_status().expect("a pod has a status");
    if !waits || status.phase.as_deref() != Some("Pending") {
        return;
    }
    let scheduler = &lab.live().world().scheduler;
    let is_known =
        scheduler.queue().place(&Key::of(pod)).is_some() || scheduler.cache().pod(pod.uid()).is_some();
    assert!(is_known, "{} waits, and the scheduler does not know of it", pod.name());
    let told = status.conditions.iter().flatten().find(|c| c.type_ == "PodScheduled" && c.status == "False");
    if let Some(told) = told {
        let (reason, message) = (told.reason.as_deref(), told.message.as_deref());
        assert!(reason.is_some_and(|r| !r.is_empty()), "{}: {told:?}", pod.name());
        assert!(message.is_some_and(|m| !m.is_empty()), "{}: {told:?}", pod.name());
    }
}

/// What the pods of a node request fits into it. Static pods are the kubelet's own affair.
fn check_node(lab: &Lab, node: &Arc<Object>) {
    let store = lab.live().world().api.store();
    let allocatable = node.node_status().and_then(|status| status.allocatable.as_ref());
    let allocatable = resource_list(allocatable);
    let mut requested = ResourceList::new();
    let mut pods = 0;
    for pod in store.pods_on_node(node.name()) {
        let (Some(spec), Some(status)) = (pod.pod_spec(), pod.pod_status()) else { continue };
        if matches!(status.phase.as_deref(), Some("Succeeded" | "Failed")) {
            continue;
        }
        pods += 1;
        let options = PodResourcesOptions { use_status_resources: true, ..PodResourcesOptions::default() };
        for (name, amount) in pod_requests(spec, Some(status), &options) {
            requested.entry(name).or_default().add(&amount);
        }
    }
    for (name, amount) in requested {
        let most = allocatable.get(&name).cloned().unwrap_or_default();
        assert!(amount <= most, "{}: {name} {amount:?} of {most:?}", node.name());
    }
    let most = allocatable.get("pods").map_or(0, |most| most.value());
    assert!(pods <= most, "{}: {pods} pods of {most}", node.name());
}

/// The store's ways to find an object all lead to it.
fn check_indexes(lab: &Lab) {
    let store = lab.live().world().api.store();
    let mut on_nodes = 0;
    let mut owned = 0;
    for object in store.all() {
        let found = store.get(object.kind, object.namespace(), object.name());
        assert!(found.is_some_and(|found| Arc::ptr_eq(found, object)), "{}", object.name());
        for owner in object.metadata.owner_references.iter().flatten() {
            owned += 1;
            let found = store.dependents(&owner.uid).any(|one| Arc::ptr_eq(one, object));
            assert!(found, "{} is not among its owner's", object.name());
        }
        if let Some(node) = object.node_name().filter(|_| object.kind == &kinds::POD) {
            on_nodes += 1;
            assert!(
                store.pods_on_node(node).any(|one| Arc::ptr_eq(one, object)),
                "{} on {node}",
                object.name()
            );
        }
    }
    let nodes: BTreeSet<_> = store.list(&kinds::POD).filter_map(|pod| pod.node_name()).collect();
    assert_eq!(nodes.iter().map(|node| store.pods_on_node(node).count()).sum::<usize>(), on_nodes);
    let owners: BTreeSet<_> = store
        .all()
        .flat_map(|o| o.metadata.owner_references.iter().flatten().map(|r| r.uid.clone()))
        .collect();
    assert_eq!(owners.iter().map(|uid| store.dependents(uid).count()).sum::<usize>(), owned);
}
