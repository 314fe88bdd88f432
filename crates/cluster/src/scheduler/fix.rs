//! What would make a pod fit on a node: facts and numbers, for people.
//!
//! A filter that ruled a node out says all that is in its way there; each of its fixes is needed. Most have two sides,
//! the pod's and the cluster's, of which one is enough.

use super::framework::{NodeInfo, PodInfo, Resource};
use crate::store::Key;
use podlab_api::selector::requirement::{Operator, Requirement};
use podlab_api::selector::{Labels, Selector};
use std::collections::BTreeMap;

/// Up to how many pods a fix names.
pub const PODS_NAMED: usize = 8;

/// What would make a pod fit on a node.
#[derive(Clone, Debug, PartialEq)]
pub enum Fix {
    /// Free this much of a resource, or ask for that much less.
    FreeResource {
        /// `cpu`, `memory`, `pods`, …
        resource: String,
        /// What the pod asks for: thousandths for `cpu`, bytes for `memory`.
        requested: i64,
        /// What the node has left.
        free: i64,
        /// What the node has in all.
        allocatable: i64,
        /// How much is missing.
        short_by: i64,
        /// Pods whose going would free enough, as few as possible; none where only pods of the cluster's own would.
        holders: Vec<Holder>,
    },
    /// Ask for less: even an empty node has not enough.
    LowerRequest {
        /// `cpu`, `memory`, …
        resource: String,
        /// What the pod asks for.
        requested: i64,
        /// What the node has left.
        free: i64,
        /// What the node has in all.
        allocatable: i64,
    },
    /// Tolerate a taint, or take it off the node.
    TolerateTaint {
        /// Its key.
        key: String,
        /// Its value, which may be empty.
        value: String,
        /// Its effect.
        effect: String,
    },
    /// `kubectl uncordon` the node, or tolerate the taint that a cordoned node has.
    Uncordon,
    /// Give the node a label with this value, or wish for less.
    LabelNode {
        /// The key.
        key: String,
        /// A value that meets the requirement.
        value: String,
        /// What the node has there now.
        current: Option<String>,
        /// The requirement as kubectl writes it.
        requirement: String,
        /// Who requires it.
        wish: Wish,
    },
    /// Take a label off the node, or wish for less.
    UnlabelNode {
        /// The key.
        key: String,
        /// The requirement as kubectl writes it.
        requirement: String,
        /// Who requires it.
        wish: Wish,
    },
    /// The pod's node affinity names other nodes; none where its terms contradict each other.
    NameNode {
        /// The nodes it names.
        wanted: Vec<String>,
    },
    /// The pod names another node.
    ChangeNodeName {
        /// The node it names.
        wanted: String,
    },
    /// Free a host port, or use another.
    FreeHostPort {
        /// The port.
        port: i32,
        /// `TCP`, `UDP`, `SCTP`.
        protocol: String,
        /// The pods that hold it, `namespace/name`.
        pods: Vec<String>,
        /// The next port that is free on the node.
        other: Option<i32>,
    },
    /// Take a scheduling gate away.
    RemoveGate {
        /// Its name.
        name: String,
    },
    /// A pod with such labels must run in the node's domain.
    NeedPod {
        /// The selector as kubectl writes it.
        selector: String,
        /// The node label that makes the domain.
        topology_key: String,
        /// The domain: the label's value on this node.
        domain: String,
        /// A namespace in which the pod would count.
        namespace: String,
        /// Labels that all the pod's required terms together ask for.
        labels: BTreeMap<String, String>,
        /// Which of the pod's required terms this is, from 0.
        term: usize,
    },
    /// No pod with such labels may run in the node's domain.
    AvoidPod {
        /// The selector as kubectl writes it.
        selector: String,
        /// The node label that makes the domain.
        topology_key: String,
        /// The domain: the label's value on this node.
        domain: String,
        /// Pods that stand in the way, `namespace/name`, at most [`PODS_NAMED`].
        pods: Vec<String>,
        /// How many stand in the way.
        count: usize,
        /// Which of the pod's required terms this is, from 0; `None` where the rule is that of the other pods.
        term: Option<usize>,
    },
    /// Even the pods out, or allow more skew.
    ReduceSkew {
        /// The node label that makes the domain.
        topology_key: String,
        /// The domain: the label's value on this node.
        domain: String,
        /// Matching pods in it.
        matching: i64,
        /// Matching pods where there are fewest; 0 while there are fewer domains than `minDomains`.
        least: i64,
        /// A domain that has so few.
        fewest: Option<String>,
        /// Whether the pod matches its own selector and so counts too.
        counts_itself: bool,
        /// The skew there would be.
        skew: i64,
        /// The skew that is allowed.
        max_skew: i64,
        /// Which of the pod's constraints this is, from 0; `None` for one that the scheduler gives pods without any.
        constraint: Option<usize>,
    },
    /// Create a claim.
    CreateClaim {
        /// Its name.
        claim: String,
    },
    /// A claim is of no use any more: its volume is gone, or it is ending. Create it anew.
    RecreateClaim {
        /// Its name.
        claim: String,
        /// The volume that is gone; `None` while the claim is ending.
        volume: Option<String>,
        /// What it asks for.
        wants: ClaimWants,
    },
    /// Wait until a claim is there, or its volume.
    WaitForClaim {
        /// Its name.
        claim: String,
        /// The node on which its volume is being made.
        node: Option<String>,
    },
    /// Create a volume that a claim can be bound to.
    ProvideVolume {
        /// The claim.
        claim: String,
        /// What it asks for.
        wants: ClaimWants,
        /// Whether the class is not there, so that creating one with a provisioner would help too.
        no_class: bool,
    },
    /// A claim's volume can be used elsewhere only.
    VolumeElsewhere {
        /// The claim.
        claim: String,
        /// The volume.
        volume: String,
        /// The requirement on nodes as kubectl writes it.
        requirement: String,
    },
    /// Pods use a claim that only one pod may use.
    ReleaseClaim {
        /// The claim.
        claim: String,
        /// The pods, `namespace/name`.
        pods: Vec<String>,
    },
    /// Pods on the node use a disk that cannot be shared.
    FreeDisk {
        /// The pod's volume.
        volume: String,
        /// The pods, `namespace/name`.
        pods: Vec<String>,
    },
    /// Add a node.
    AddNode,
}

/// A pod that holds some of a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// `namespace/name`.
    pub pod: String,
    /// How much: thousandths for `cpu`, bytes for `memory`.
    pub amount: i64,
}

/// What a claim asks of a volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimWants {
    /// Its class, empty where it has none.
    pub class: String,
    /// How much, as a quantity.
    pub storage: String,
    /// Its access modes.
    pub access_modes: Vec<String>,
    /// `Filesystem`, `Block`.
    pub volume_mode: String,
    /// Labels that its selector asks for.
    pub labels: BTreeMap<String, String>,
}

/// Who requires a label of nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// `spec.nodeSelector`.
    NodeSelector,
    /// A term of required node affinity, by its index in the object.
    NodeAffinity(usize),
    /// The scheduler's configuration, `addedAffinity` or `defaultConstraints`.
    Added,
    /// A topology spread constraint, by its index in the object.
    Spread(usize),
    /// A required term of pod affinity, by its index in the object.
    PodAffinity(usize),
    /// A volume.
    Volume,
    /// Several of these.
    Several,
}

/// `namespace/name`.
pub fn pod_name(key: &Key) -> String {
    format!("{}/{}", key.namespace, key.name)
}

/// What would make labels of a node meet requirements that they do not all meet: one fix a key.
pub fn for_requirements<L: Labels + ?Sized>(all: &[(&Requirement, Wish)], labels: &L) -> Vec<Fix> {
    let mut by_key: BTreeMap<&str, Vec<&(&Requirement, Wish)>> = BTreeMap::new();
    for one in all {
        by_key.entry(one.0.key()).or_default().push(one);
    }
    let fix = |(key, of_key): (&str, Vec<&(&Requirement, Wish)>)| {
        let failing: Vec<_> = of_key.iter().filter(|(r, _)| !r.matches(labels)).collect();
        let (_, wish) = *failing.first()?;
        let wish = if failing.iter().all(|(_, w)| w == wish) { *wish } else { Wish::Several };
        let texts: Vec<String> = failing.iter().map(|(r, _)| r.to_string()).collect();
        let (key, requirement) = (key.to_owned(), texts.join(", "));
        let suits = |value: &String| {
            let labels = BTreeMap::from([(key.clone(), value.clone())]);
            of_key.iter().all(|(r, _)| r.matches(&labels))
        };
        let candidates: Vec<String> = of_key.iter().flat_map(|(r, _)| suitable_values(r)).collect();
        let value = candidates.iter().find(|value| suits(value)).or(candidates.first());
        Some(match value {
            Some(value) => {
                let current = labels.lookup(&key).map(str::to_owned);
                Fix::LabelNode { value: value.clone(), current, requirement, wish, key }
            }
            None => Fix::UnlabelNode { key, requirement, wish },
        })
    };
    by_key.into_iter().filter_map(fix).collect()
}

/// A label's values that meet a requirement; none where the label must not be there.
fn suitable_values(requirement: &Requirement) -> Vec<String> {
    let values = requirement.values();
    let number = || values.first().and_then(|v| v.parse::<i64>().ok()).unwrap_or(0);
    match requirement.operator() {
        Operator::In | Operator::Equals | Operator::DoubleEquals => values.to_vec(),
        Operator::Exists => vec![String::new()],
        Operator::GreaterThan => vec![number().saturating_add(1).to_string()],
        Operator::LessThan => vec![number().saturating_sub(1).to_string()],
        Operator::NotIn | Operator::NotEquals | Operator::DoesNotExist => Vec::new(),
    }
}

/// Labels that meet selectors, as far as having a label does.
pub fn labels_for<'a>(selectors: impl IntoIterator<Item = &'a Selector>) -> BTreeMap<String, String> {
    let requirements = selectors.into_iter().flat_map(Selector::requirements);
    requirements.filter_map(|r| Some((r.key().to_owned(), suitable_values(r).into_iter().next()?))).collect()
}

/// How much of a resource a pod asks for.
fn asked(requests: &Resource, resource: &str) -> i64 {
    match resource {
        "cpu" => requests.milli_cpu,
        "memory" => requests.memory,
        "ephemeral-storage" => requests.ephemeral_storage,
        "pods" => 1,
        name => requests.scalar(name),
    }
}

/// Whether deleting a pod is something to advise: it comes back at once where its node or a DaemonSet keeps it, and the
/// cluster needs those of `kube-system`.
fn may_go(pod: &PodInfo) -> bool {
    let owners = pod.object.metadata.owner_references.iter().flatten();
    &*pod.key.namespace != "kube-system"
        && pod.object.annotation("kubernetes.io/config.mirror").is_none()
        && !owners.into_iter().any(|o| o.controller == Some(true) && o.kind == "DaemonSet")
}

/// Pods of a node whose going frees `needed` of a resource: the smallest that is enough alone, else the greatest until
/// it is enough.
pub fn holders(node: &NodeInfo, resource: &str, needed: i64) -> Vec<Holder> {
    let holder = |pod: &PodInfo| Holder { pod: pod_name(&pod.key), amount: asked(&pod.requests, resource) };
    let held = node.pods.iter().filter(|pod| may_go(pod)).map(|pod| holder(pod));
    let mut all: Vec<Holder> = held.filter(|h| h.amount > 0).collect();
    all.sort_by(|a, b| b.amount.cmp(&a.amount).then_with(|| a.pod.cmp(&b.pod)));
    if let Some(one) = all.iter().rev().find(|h| h.amount >= needed) {
        return vec![one.clone()];
    }
    let mut sum = 0i64;
    let mut chosen = Vec::new();
    for one in all {
        sum = sum.saturating_add(one.amount);
        chosen.push(one);
        if sum >= needed {
            return chosen;
        }
    }
    Vec::new()
}
