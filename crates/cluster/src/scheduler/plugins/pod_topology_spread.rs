//! PodTopologySpread: pods are spread evenly over domains of nodes.

use super::taint_toleration::find_untolerated;
use crate::scheduler::fix::{Fix, Wish};
use crate::scheduler::framework::pod_info::is_placed;
use crate::scheduler::framework::{
    ActionType, ClusterEvent, CycleState, EventObjects, EventResource, FilterContext, MAX_NODE_SCORE,
    NodeInfo, Plugin, PluginId, PodInfo, PreFilterResult, Status,
};
use crate::scheduler::profile::DefaultConstraints;
use crate::scheduler::scoring::SpreadTerm;
use crate::store::Store;
use k8s_openapi::api::core::v1::TopologySpreadConstraint;
use podlab_api::selector::label_selector::label_selector_as_selector;
use podlab_api::selector::node::RequiredNodeAffinity;
use podlab_api::selector::{Labels, Selector};
use podlab_api::{Object, kinds};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The skew would be too great.
pub const ERR_REASON_CONSTRAINTS_NOT_MATCH: &str = "node(s) didn't match pod topology spread constraints";
/// The node is in no domain.
pub const ERR_REASON_NODE_LABEL_NOT_MATCH: &str =
    "node(s) didn't match pod topology spread constraints (missing required label)";

const HOSTNAME: &str = "kubernetes.io/hostname";
const ZONE: &str = "topology.kubernetes.io/zone";

/// Rejects nodes in whose domain there would be too many pods alike, and prefers those with few.
///
/// Runs: preFilter, filter, preScore, score. Result: unschedulable; unresolvable where the node lacks the
/// label that makes the domain.
/// Source: pkg/scheduler/framework/plugins/podtopologyspread (v1.37).
pub struct PodTopologySpread;

/// A constraint, read.
#[derive(Clone, Debug)]
pub struct Constraint {
    /// Its place in the pod's list; `None` for one that the scheduler gives pods without any.
    index: Option<usize>,
    max_skew: i64,
    topology_key: String,
    selector: Selector,
    min_domains: usize,
    honors_affinity: bool,
    honors_taints: bool,
}

/// What the filter needs.
#[derive(Clone, Debug)]
pub struct PreFilterState {
    constraints: Vec<Constraint>,
    /// Per constraint: domain → number of matching pods.
    counts: Vec<BTreeMap<String, i64>>,
    /// Per constraint: the smallest of these numbers.
    least: Vec<i64>,
    required: RequiredNodeAffinity,
}

/// What scoring needs.
#[derive(Clone, Debug)]
pub struct PreScoreState {
    constraints: Vec<Constraint>,
    /// Slots of nodes that are in no domain of some constraint.
    ignored: BTreeSet<usize>,
    /// Per constraint: domain → number of matching pods; not for hostnames.
    counts: Vec<BTreeMap<String, i64>>,
    /// Per constraint: number of matching pods by slot of the node; only for hostnames.
    on_node: Vec<Arc<Vec<u32>>>,
    /// Per constraint: how many domains there are.
    domains: Vec<usize>,
    weights: Vec<f64>,
}

fn constraints(
    list: &[TopologySpreadConstraint],
    pod: &Object,
    action: &str,
) -> Result<Vec<Constraint>, String> {
    list.iter()
        .enumerate()
        .filter(|(_, c)| c.when_unsatisfiable == action)
        .map(|(index, c)| {
            let mut selector = label_selector_as_selector(c.label_selector.as_ref())?;
            let keys = c.match_label_keys.iter().flatten();
            let of_pod: BTreeMap<String, String> =
                keys.filter_map(|key| Some((key.clone(), pod.label(key)?.to_owned()))).collect();
            if let Selector::Requirements(own) = &selector
                && !of_pod.is_empty()
            {
                let from_pod = Selector::from_set(&of_pod);
                let all = from_pod.requirements().iter().chain(own).cloned().collect();
                selector = Selector::from_requirements(all);
            }
            Ok(Constraint {
                index: Some(index),
                max_skew: i64::from(c.max_skew),
                topology_key: c.topology_key.clone(),
                selector,
                min_domains: usize::try_from(c.min_domains.unwrap_or(1)).unwrap_or(1),
                honors_affinity: c.node_affinity_policy.as_deref().unwrap_or("Honor") == "Honor",
                honors_taints: c.node_taints_policy.as_deref().unwrap_or("Ignore") == "Honor",
            })
        })
        .collect()
}

/// The constraints of one action that every pod of a workload has unless it says otherwise.
///
/// Source: plugin.go `systemDefaultConstraints`, common.go `buildDefaultConstraints` (v1.37).
fn default_constraints(cx: &FilterContext<'_>, pod: &PodInfo, action: &str) -> Vec<Constraint> {
    let applies = match &cx.profile.default_constraints {
        DefaultConstraints::System => action == "ScheduleAnyway",
        DefaultConstraints::List(list) => list.iter().any(|c| c.when_unsatisfiable == action),
    };
    if !applies {
        return Vec::new();
    }
    let selector = default_selector(cx.store, &pod.object);
    if selector.is_empty() {
        return Vec::new();
    }
    match &cx.profile.default_constraints {
        DefaultConstraints::System => [(HOSTNAME, 3), (ZONE, 5)]
            .into_iter()
            .map(|(key, max_skew)| Constraint {
                index: None,
                max_skew,
                topology_key: key.to_owned(),
                selector: selector.clone(),
                min_domains: 1,
                honors_affinity: true,
                honors_taints: false,
            })
            .collect(),
        DefaultConstraints::List(list) => {
            let list = constraints(list, &pod.object, action).unwrap_or_default();
            let given = |constraint| Constraint { index: None, selector: selector.clone(), ..constraint };
            list.into_iter().map(given).collect()
        }
    }
}

/// What selects the pods of the services and the workload that a pod belongs to.
///
/// Source: pkg/scheduler/framework/plugins/helper/spread.go `DefaultSelector` (v1.37).
fn default_selector(store: &Store, pod: &Object) -> Selector {
    let string_map = |value: &serde_json::Value| -> BTreeMap<String, String> {
        let map = value.as_object().into_iter().flatten();
        map.filter_map(|(k, v)| Some((k.clone(), v.as_str()?.to_owned()))).collect()
    };
    let mut labels = BTreeMap::new();
    for service in store.list_namespace(&kinds::SERVICE, pod.namespace()) {
        let Some(selector) = service.field("spec").and_then(|s| s.get("selector")) else { continue };
        if selector.is_null() {
            continue;
        }
        let set = string_map(selector);
        if Selector::from_set(&set).matches(pod) {
            labels.extend(set);
        }
    }
    let owner = pod.metadata.owner_references.iter().flatten().find(|o| o.controller == Some(true));
    let Some(owner) = owner else { return Selector::from_set(&labels) };
    let kind = match (owner.api_version.as_str(), owner.kind.as_str()) {
        ("v1", "ReplicationController") => &kinds::REPLICATION_CONTROLLER,
        ("apps/v1", "ReplicaSet") => &kinds::REPLICA_SET,
        ("apps/v1", "StatefulSet") => &kinds::STATEFUL_SET,
        _ => return Selector::from_set(&labels),
    };
    let Some(workload) = store.get(kind, pod.namespace(), &owner.name) else {
        return Selector::from_set(&labels);
    };
    let Some(of_workload) = workload.field("spec").and_then(|s| s.get("selector")) else {
        return Selector::from_set(&labels);
    };
    if kind.kind == "ReplicationController" {
        labels.extend(string_map(of_workload));
        return Selector::from_set(&labels);
    }
    let parsed = serde_json::from_value(of_workload.clone()).ok();
    let other = label_selector_as_selector(parsed.as_ref()).unwrap_or(Selector::Nothing);
    let own = Selector::from_set(&labels);
    let all = own.requirements().iter().chain(other.requirements()).cloned().collect();
    Selector::from_requirements(all)
}

fn hard_constraints(cx: &FilterContext<'_>, pod: &PodInfo) -> Result<Vec<Constraint>, String> {
    let own = pod.spec().topology_spread_constraints.as_deref().unwrap_or(&[]);
    if own.is_empty() {
        return Ok(default_constraints(cx, pod, "DoNotSchedule"));
    }
    constraints(own, &pod.object, "DoNotSchedule")
}

fn in_all_domains<L: Labels + ?Sized>(labels: &L, constraints: &[Constraint]) -> bool {
    constraints.iter().all(|c| labels.lookup(&c.topology_key).is_some())
}

impl Constraint {
    fn includes(&self, pod: &PodInfo, node: &NodeInfo, required: &RequiredNodeAffinity) -> bool {
        let affinity = !self.honors_affinity || required.matches(node.labels(), &node.name).unwrap_or(false);
        let tolerations = pod.spec().tolerations.as_deref().unwrap_or(&[]);
        affinity && (!self.honors_taints || find_untolerated(&node.taints, tolerations).is_none())
    }
}

/// How many pods on each node match, by slot; a selector of everything counts none.
fn count_pods(cx: &FilterContext<'_>, pod: &PodInfo, constraint: &Constraint) -> Arc<Vec<u32>> {
    if constraint.selector.is_empty() {
        return Arc::default();
    }
    cx.cache.count_pods(&pod.key.namespace, &constraint.selector)
}

fn at(counts: &[u32], node: &NodeInfo) -> i64 {
    counts.get(node.slot).copied().map_or(0, i64::from)
}

/// The selectors by which pods will be counted for a pod.
pub fn selectors(cx: &FilterContext<'_>, pod: &PodInfo) -> Vec<Selector> {
    let own = pod.spec().topology_spread_constraints.as_deref().unwrap_or(&[]);
    let of = |action| {
        if own.is_empty() {
            default_constraints(cx, pod, action)
        } else {
            constraints(own, &pod.object, action).unwrap_or_default()
        }
    };
    let list = [of("DoNotSchedule"), of("ScheduleAnyway")].concat();
    let mut selectors: Vec<Selector> =
        list.into_iter().map(|c| c.selector).filter(|s| !s.is_empty()).collect();
    selectors.dedup();
    selectors
}

fn required(pod: &PodInfo) -> RequiredNodeAffinity {
    RequiredNodeAffinity::new(pod.spec().node_selector.as_ref(), pod.spec().affinity.as_ref())
}

impl PreFilterState {
    fn update(&mut self, other: &PodInfo, pod: &PodInfo, node: &NodeInfo, delta: i64) {
        if other.key.namespace != pod.key.namespace || !in_all_domains(node.labels(), &self.constraints) {
            return;
        }
        for (index, constraint) in self.constraints.iter().enumerate() {
            if !constraint.selector.matches(other.object.as_ref())
                || !constraint.includes(pod, node, &self.required)
            {
                continue;
            }
            let domain = node.label(&constraint.topology_key).unwrap_or("").to_owned();
            *self.counts[index].entry(domain).or_default() += delta;
            self.least[index] = least(&self.counts[index]);
        }
    }

    /// The skew a node would have under a constraint, with the pod.
    fn skew(&self, index: usize, pod: &PodInfo, domain: &str) -> i64 {
        let constraint = &self.constraints[index];
        let counts = &self.counts[index];
        let least = if counts.len() < constraint.min_domains { 0 } else { self.least[index] };
        let own = i64::from(constraint.selector.matches(pod.object.as_ref()));
        counts.get(domain).copied().unwrap_or(0) + own - least
    }
}

impl PreScoreState {
    /// Whether the node in a slot is left out, as it is not in all domains.
    pub fn leaves_out(&self, slot: usize) -> bool {
        self.ignored.contains(&slot)
    }

    /// Matching pods in a node's domain; `None` where it is in none.
    fn matching(&self, index: usize, node: &NodeInfo) -> Option<i64> {
        let constraint = &self.constraints[index];
        let domain = node.label(&constraint.topology_key)?;
        Some(if constraint.topology_key == HOSTNAME {
            at(&self.on_node[index], node)
        } else {
            self.counts[index].get(domain).copied().unwrap_or(0)
        })
    }
}

/// The constraints by which nodes are scored.
pub fn terms(state: &CycleState) -> Vec<SpreadTerm> {
    let Some(state) = &state.topology_spread_score else { return Vec::new() };
    let term = |(index, constraint): (usize, &Constraint)| SpreadTerm {
        topology_key: constraint.topology_key.clone(),
        max_skew: constraint.max_skew,
        domains: state.domains[index],
        weight: state.weights[index],
    };
    state.constraints.iter().enumerate().map(term).collect()
}

/// Per constraint by which nodes are scored, matching pods in a node's domain; and whether the node is left out.
pub fn matching(state: &CycleState, node: &NodeInfo) -> (Box<[Option<i64>]>, bool) {
    let Some(state) = &state.topology_spread_score else { return (Box::default(), false) };
    let all = (0..state.constraints.len()).map(|index| state.matching(index, node)).collect();
    (all, state.leaves_out(node.slot))
}

fn least(counts: &BTreeMap<String, i64>) -> i64 {
    counts.values().copied().min().unwrap_or(i64::from(i32::MAX))
}

impl Plugin for PodTopologySpread {
    fn id(&self) -> PluginId {
        PluginId::PodTopologySpread
    }

    fn points(&self) -> &'static [&'static str] {
        &["PreFilter", "Filter", "PreScore", "Score"]
    }

    fn filter_lacks(&self) -> Option<&'static str> {
        Some("reading \"PreFilterPodTopologySpread\" from cycleState: not found")
    }

    fn score_lacks(&self) -> Option<&'static str> {
        Some("error reading \"PreScorePodTopologySpread\" from cycleState: not found")
    }

    fn events(&self) -> &'static [ClusterEvent] {
        const EVENTS: [ClusterEvent; 3] = [
            ClusterEvent::new(
                EventResource::AssignedPod,
                ActionType::ADD.and(ActionType::UPDATE_POD_LABEL).and(ActionType::DELETE),
            ),
            ClusterEvent::new(
                EventResource::TargetPod,
                ActionType::UPDATE_POD_TOLERATION.and(ActionType::UPDATE_POD_LABEL),
            ),
            ClusterEvent::new(
                EventResource::Node,
                ActionType::ADD
                    .and(ActionType::DELETE)
                    .and(ActionType::UPDATE_NODE_LABEL)
                    .and(ActionType::UPDATE_NODE_TAINT),
            ),
        ];
        &EVENTS
    }

    fn hint(
        &self,
        cx: &FilterContext<'_>,
        pod: &PodInfo,
        event: ClusterEvent,
        objects: EventObjects<'_>,
    ) -> bool {
        let Ok(constraints) = hard_constraints(cx, pod) else { return true };
        let matches_any = |o: &Object| constraints.iter().any(|c| c.selector.matches(o));
        let match_changed = |old: &Object, new: &Object| {
            old.metadata.labels != new.metadata.labels
                && constraints.iter().any(|c| c.selector.matches(old) != c.selector.matches(new))
        };
        match event.resource {
            EventResource::Node => node_hint(&constraints, objects),
            EventResource::TargetPod => match (objects.old, objects.new) {
                (Some(old), Some(new)) => {
                    let tolerations = |o: &Object| o.pod_spec().and_then(|s| s.tolerations.clone());
                    tolerations(old) != tolerations(new) && constraints.iter().any(|c| c.honors_taints)
                        || match_changed(old, new)
                }
                _ => true,
            },
            _ => {
                let involved = |o: &Object| is_placed(o) && o.namespace() == &*pod.key.namespace;
                if objects.new.is_some_and(|o| !involved(o)) || objects.old.is_some_and(|o| !involved(o)) {
                    return false;
                }
                match (objects.old, objects.new) {
                    (Some(old), Some(new)) => match_changed(old, new),
                    (None, Some(one)) | (Some(one), None) => matches_any(one),
                    (None, None) => true,
                }
            }
        }
    }

    fn pre_filter(&self, cx: &FilterContext<'_>, pod: &PodInfo, state: &mut CycleState) -> PreFilterResult {
        let constraints = match hard_constraints(cx, pod) {
            Ok(constraints) if constraints.is_empty() => return PreFilterResult::Skip,
            Ok(constraints) => constraints,
            Err(error) => {
                return PreFilterResult::Reject(Status::error(PluginId::PodTopologySpread, error));
            }
        };
        let required = required(pod);
        let mut counts = vec![BTreeMap::new(); constraints.len()];
        let on_node: Vec<_> = constraints.iter().map(|c| count_pods(cx, pod, c)).collect();
        for node in cx.cache.nodes().filter(|n| in_all_domains(n.labels(), &constraints)) {
            for ((constraint, counts), on_node) in constraints.iter().zip(&mut counts).zip(&on_node) {
                if !constraint.includes(pod, node, &required) {
                    continue;
                }
                let count = at(on_node, node);
                let domain = node.label(&constraint.topology_key).unwrap_or("");
                match counts.get_mut(domain) {
                    Some(sum) => *sum += count,
                    None => {
                        counts.insert(domain.to_owned(), count);
                    }
                }
            }
        }
        let least = counts.iter().map(least).collect();
        state.topology_spread = Some(PreFilterState { constraints, counts, least, required });
        PreFilterResult::All
    }

    fn filter(
        &self,
        _: &FilterContext<'_>,
        pod: &PodInfo,
        state: &CycleState,
        node: &NodeInfo,
    ) -> Result<(), Status> {
        let Some(state) = &state.topology_spread else { return Ok(()) };
        for (index, constraint) in state.constraints.iter().enumerate() {
            let Some(domain) = node.label(&constraint.topology_key) else {
                return Err(Status::unresolvable(
                    PluginId::PodTopologySpread,
                    ERR_REASON_NODE_LABEL_NOT_MATCH,
                ));
            };
            if state.skew(index, pod, domain) > constraint.max_skew {
                return Err(Status::unschedulable(
                    PluginId::PodTopologySpread,
                    ERR_REASON_CONSTRAINTS_NOT_MATCH,
                ));
            }
        }
        Ok(())
    }

    fn count_pod(
        &self,
        _: &FilterContext<'_>,
        pod: &PodInfo,
        state: &mut CycleState,
        other: &PodInfo,
        node: &NodeInfo,
        by: i64,
    ) {
        if let Some(state) = &mut state.topology_spread {
            state.update(other, pod, node, by);
        }
    }

    fn pre_score(
        &self,
        cx: &FilterContext<'_>,
        pod: &PodInfo,
        state: &mut CycleState,
        nodes: &[usize],
    ) -> bool {
        let own = pod.spec().topology_spread_constraints.as_deref().unwrap_or(&[]);
        let require_all = !own.is_empty() || cx.profile.default_constraints != DefaultConstraints::System;
        let constraints = if own.is_empty() {
            default_constraints(cx, pod, "ScheduleAnyway")
        } else {
            constraints(own, &pod.object, "ScheduleAnyway").unwrap_or_default()
        };
        if constraints.is_empty() {
            return false;
        }
        let mut counts: Vec<BTreeMap<String, i64>> = vec![BTreeMap::new(); constraints.len()];
        let mut ignored = BTreeSet::new();
        for slot in nodes {
            let Some(node) = cx.cache.node(*slot) else { continue };
            if require_all && !in_all_domains(node.labels(), &constraints) {
                ignored.insert(*slot);
                continue;
            }
            for (constraint, counts) in constraints.iter().zip(&mut counts) {
                if constraint.topology_key != HOSTNAME {
                    let domain = node.label(&constraint.topology_key).unwrap_or("");
                    if !counts.contains_key(domain) {
                        counts.insert(domain.to_owned(), 0);
                    }
                }
            }
        }
        let domains: Vec<usize> =
            constraints
                .iter()
                .zip(&counts)
                .map(|(constraint, counts)| {
                    if constraint.topology_key == HOSTNAME {
                        nodes.len() - ignored.len()
                    } else {
                        counts.len()
                    }
                })
                .collect();
        let weights = domains.iter().map(|size| libm::log((size + 2) as f64)).collect();
        let required = required(pod);
        let on_node: Vec<_> = constraints.iter().map(|c| count_pods(cx, pod, c)).collect();
        for ((constraint, counts), on_node) in constraints.iter().zip(&mut counts).zip(&on_node) {
            // Hostnames are looked up node by node, and a node without the label is never looked up.
            if counts.keys().all(String::is_empty) {
                continue;
            }
            for node in cx.cache.nodes() {
                if require_all && !in_all_domains(node.labels(), &constraints) {
                    continue;
                }
                let Some(domain) = node.label(&constraint.topology_key) else { continue };
                if let Some(sum) = counts.get_mut(domain)
                    && constraint.includes(pod, node, &required)
                {
                    *sum += at(on_node, node);
                }
            }
        }
        state.topology_spread_score =
            Some(PreScoreState { constraints, ignored, counts, on_node, domains, weights });
        true
    }

    fn score(&self, _: &FilterContext<'_>, _: &PodInfo, state: &CycleState, node: &NodeInfo) -> i64 {
        let Some(state) = &state.topology_spread_score else { return 0 };
        if state.ignored.contains(&node.slot) {
            return 0;
        }
        let mut score = 0.0;
        for (index, constraint) in state.constraints.iter().enumerate() {
            let Some(count) = state.matching(index, node) else { continue };
            score += count as f64 * state.weights[index] + (constraint.max_skew - 1) as f64;
        }
        libm::round(score) as i64
    }

    fn normalizes(&self) -> bool {
        true
    }

    fn normalize(&self, state: &CycleState, nodes: &[usize], scores: &mut [i64]) {
        let Some(state) = &state.topology_spread_score else { return };
        let counted = || nodes.iter().zip(scores.iter()).filter(|(slot, _)| !state.ignored.contains(slot));
        let min = counted().map(|(_, score)| *score).min().unwrap_or(i64::MAX);
        let max = counted().map(|(_, score)| *score).max().unwrap_or(0).max(0);
        for (slot, score) in nodes.iter().zip(scores) {
            *score = if state.ignored.contains(slot) {
                0
            } else if max == 0 {
                MAX_NODE_SCORE
            } else {
                MAX_NODE_SCORE * (max + min - *score) / max
            };
        }
    }

    fn explain(&self, _: &FilterContext<'_>, pod: &PodInfo, state: &CycleState, node: &NodeInfo) -> Vec<Fix> {
        let Some(state) = &state.topology_spread else { return Vec::new() };
        let mut fixes = Vec::new();
        for (index, constraint) in state.constraints.iter().enumerate() {
            let key = &constraint.topology_key;
            let counts = &state.counts[index];
            let fewest = counts.iter().min_by_key(|(_, count)| **count).map(|(domain, _)| domain);
            let Some(domain) = node.label(key) else {
                let own_name = || node.name.to_string();
                let value =
                    if key == HOSTNAME { own_name() } else { fewest.cloned().unwrap_or_else(own_name) };
                fixes.push(Fix::LabelNode {
                    key: key.clone(),
                    value,
                    current: None,
                    requirement: key.clone(),
                    wish: constraint.index.map_or(Wish::Added, Wish::Spread),
                });
                continue;
            };
            let skew = state.skew(index, pod, domain);
            if skew > constraint.max_skew {
                let too_few = counts.len() < constraint.min_domains;
                fixes.push(Fix::ReduceSkew {
                    topology_key: key.clone(),
                    domain: domain.to_owned(),
                    matching: counts.get(domain).copied().unwrap_or(0),
                    least: if too_few { 0 } else { state.least[index] },
                    fewest: if too_few { None } else { fewest.cloned() },
                    counts_itself: constraint.selector.matches(pod.object.as_ref()),
                    skew,
                    max_skew: constraint.max_skew,
                    constraint: constraint.index,
                });
            }
        }
        fixes
    }
}

fn node_hint(constraints: &[Constraint], objects: EventObjects<'_>) -> bool {
    let matching = |o: &Object| in_all_domains(o, constraints);
    match (objects.old, objects.new) {
        (Some(old), Some(new)) => {
            if matching(old) != matching(new) {
                return true;
            }
            let taints = |o: &Object| o.node_spec().and_then(|s| s.taints.clone()).unwrap_or_default();
            let moved = constraints.iter().any(|c| old.label(&c.topology_key) != new.label(&c.topology_key));
            matching(new) && (moved || taints(old) != taints(new))
        }
        (None, Some(one)) | (Some(one), None) => matching(one),
        (None, None) => true,
    }
}
