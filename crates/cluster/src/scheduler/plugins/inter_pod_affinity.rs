//! InterPodAffinity: pods that want to be near others, or far from them.

use crate::scheduler::fix::{self, Fix, PODS_NAMED, Wish, pod_name};
use crate::scheduler::framework::pod_info::{AffinityTerm, is_placed};
use crate::scheduler::framework::{
    ActionType, ClusterEvent, CycleState, EventObjects, EventResource, FilterContext, MAX_NODE_SCORE,
    NodeInfo, Plugin, PluginId, PodInfo, PreFilterResult, Status,
};
use crate::store::Store;
use podlab_api::selector::Selector;
use podlab_api::{Object, kinds};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A pod in the node's domain does not want it.
pub const ERR_REASON_EXISTING_ANTI_AFFINITY: &str =
    "node(s) didn't satisfy existing pods anti-affinity rules";
/// No pod it wants to be near is in the node's domain.
pub const ERR_REASON_AFFINITY: &str = "node(s) didn't match pod affinity rules";
/// A pod it wants to be far from is in the node's domain.
pub const ERR_REASON_ANTI_AFFINITY: &str = "node(s) didn't match pod anti-affinity rules";

/// Rejects nodes in whose domain required affinity finds nothing or required anti-affinity finds something,
/// that of pods that run already included, and scores by the preferred terms of both sides.
///
/// Runs: preFilter, filter, preScore, score. Result: unresolvable for affinity, which evicting pods cannot
/// bring about, else unschedulable.
/// Source: pkg/scheduler/framework/plugins/interpodaffinity (v1.37; the fast path for hostnames is off by default).
pub struct InterPodAffinity;

/// topology key → domain → count.
type Counts = BTreeMap<String, BTreeMap<String, i64>>;

type Labels = Option<BTreeMap<String, String>>;

/// What the filter needs.
#[derive(Clone, Debug)]
pub struct PreFilterState {
    existing_anti: Counts,
    affinity: Counts,
    anti: Counts,
    required: Vec<AffinityTerm>,
    required_anti: Vec<AffinityTerm>,
    namespace_labels: Labels,
}

/// What scoring needs.
#[derive(Clone, Debug)]
pub struct PreScoreState {
    scores: Counts,
}

fn count(counts: &Counts, key: &str, domain: &str) -> i64 {
    counts.get(key).and_then(|domains| domains.get(domain)).copied().unwrap_or(0)
}

fn add(counts: &mut Counts, node: &NodeInfo, key: &str, by: i64) {
    let Some(domain) = node.label(key) else { return };
    let domains = match counts.get_mut(key) {
        Some(domains) => domains,
        None => counts.entry(key.to_owned()).or_default(),
    };
    let sum = match domains.get_mut(domain) {
        Some(sum) => sum,
        None => domains.entry(domain.to_owned()).or_default(),
    };
    *sum += by;
    if *sum == 0 {
        domains.remove(domain);
        if domains.is_empty() {
            counts.remove(key);
        }
    }
}

impl AffinityTerm {
    /// Whether it means a pod, whose namespace has these labels (unknown: none).
    ///
    /// Source: k8s.io/kube-scheduler/framework/types.go `AffinityTerm.Matches` (v1.37).
    fn matches(&self, pod: &Object, namespace_labels: &Labels) -> bool {
        (self.namespaces.contains(pod.namespace()) || self.namespace_selector.matches(namespace_labels))
            && self.selector.matches(pod)
    }

    /// With the namespaces that its selector finds now put into its list.
    fn with_namespaces(&self, store: &Store) -> AffinityTerm {
        let mut term = self.clone();
        if term.namespace_selector.is_empty() {
            return term;
        }
        let found = store.list(&kinds::NAMESPACE).filter(|ns| term.namespace_selector.matches(ns.as_ref()));
        let names: Vec<String> = found.map(|ns| ns.name().to_owned()).collect();
        term.namespaces.extend(names);
        term.namespace_selector = Selector::Nothing;
        term
    }
}

fn matches_all(terms: &[AffinityTerm], pod: &Object) -> bool {
    !terms.is_empty() && terms.iter().all(|term| term.matches(pod, &None))
}

fn matches_any(terms: &[AffinityTerm], pod: &Object) -> bool {
    terms.iter().any(|term| term.matches(pod, &None))
}

fn required_terms(pod: &PodInfo) -> (&[AffinityTerm], &[AffinityTerm]) {
    match &pod.affinity {
        Some(terms) => (&terms.required, &terms.required_anti),
        None => (&[], &[]),
    }
}

fn namespace_labels(store: &Store, pod: &PodInfo) -> Labels {
    store.get(&kinds::NAMESPACE, "", &pod.key.namespace).and_then(|ns| ns.metadata.labels.clone())
}

impl PreFilterState {
    fn update(&mut self, pod: &PodInfo, other: &PodInfo, node: &NodeInfo, by: i64) {
        for term in required_terms(other).1 {
            if term.matches(&pod.object, &self.namespace_labels) {
                add(&mut self.existing_anti, node, &term.topology_key, by);
            }
        }
        self.count_other(other, node, by);
    }

    /// Counts a pod under the terms of the one to be scheduled.
    fn count_other(&mut self, other: &PodInfo, node: &NodeInfo, by: i64) {
        if matches_all(&self.required, &other.object) {
            for term in &self.required {
                add(&mut self.affinity, node, &term.topology_key, by);
            }
        }
        for term in &self.required_anti {
            if term.matches(&other.object, &None) {
                add(&mut self.anti, node, &term.topology_key, by);
            }
        }
    }

    fn existing_pods_allow(&self, node: &NodeInfo) -> bool {
        let forbidden = |(key, domains): (&String, &BTreeMap<String, i64>)| {
            node.label(key).is_some_and(|d| domains.get(d).is_some_and(|n| *n > 0))
        };
        !self.existing_anti.iter().any(forbidden)
    }

    fn satisfies_anti_affinity(&self, node: &NodeInfo) -> bool {
        !self.required_anti.iter().any(|term| {
            node.label(&term.topology_key).is_some_and(|d| count(&self.anti, &term.topology_key, d) > 0)
        })
    }

    fn satisfies_affinity(&self, pod: &PodInfo, node: &NodeInfo) -> bool {
        let mut exist = true;
        for term in &self.required {
            let Some(domain) = node.label(&term.topology_key) else { return false };
            exist &= count(&self.affinity, &term.topology_key, domain) > 0;
        }
        // The first of a group of pods that want to be together has nobody to be near to.
        exist || self.affinity.is_empty() && matches_all(&self.required, &pod.object)
    }
}

impl PreFilterState {
    /// What required affinity does not find in a node's domains.
    fn lacking_pods(&self, cx: &FilterContext<'_>, pod: &PodInfo, node: &NodeInfo) -> Vec<Fix> {
        let first_of_group = self.affinity.is_empty() && matches_all(&self.required, &pod.object);
        let labels = fix::labels_for(self.required.iter().map(|term| &term.selector));
        let mut fixes = Vec::new();
        for (index, term) in self.required.iter().enumerate() {
            let key = &term.topology_key;
            let found = || self.affinity.get(key).and_then(|domains| domains.keys().next()).cloned();
            let domain = node.label(key).map(str::to_owned).unwrap_or_else(|| {
                let other = || cx.cache.nodes().find_map(|n| n.label(key)).map(str::to_owned);
                let value = found().or_else(other).unwrap_or_else(|| node.name.to_string());
                fixes.push(Fix::LabelNode {
                    key: key.clone(),
                    value: value.clone(),
                    current: None,
                    requirement: key.clone(),
                    wish: Wish::PodAffinity(index),
                });
                value
            });
            if !first_of_group && count(&self.affinity, key, &domain) <= 0 {
                fixes.push(Fix::NeedPod {
                    selector: term.selector.to_string(),
                    topology_key: key.clone(),
                    domain,
                    namespace: term
                        .namespaces
                        .first()
                        .cloned()
                        .unwrap_or_else(|| pod.key.namespace.to_string()),
                    labels: labels.clone(),
                    term: index,
                });
            }
        }
        fixes
    }
}

impl Plugin for InterPodAffinity {
    fn id(&self) -> PluginId {
        PluginId::InterPodAffinity
    }

    fn points(&self) -> &'static [&'static str] {
        &["PreFilter", "Filter", "PreScore", "Score"]
    }

    fn filter_lacks(&self) -> Option<&'static str> {
        Some("error reading \"PreFilterInterPodAffinity\" from cycleState: not found")
    }

    fn score_lacks(&self) -> Option<&'static str> {
        Some("failed to read \"PreScoreInterPodAffinity\" from cycleState: not found")
    }

    fn events(&self) -> &'static [ClusterEvent] {
        const EVENTS: [ClusterEvent; 3] = [
            ClusterEvent::new(
                EventResource::AssignedPod,
                ActionType::ADD.and(ActionType::UPDATE_POD_LABEL).and(ActionType::DELETE),
            ),
            ClusterEvent::new(EventResource::TargetPod, ActionType::UPDATE_POD_LABEL),
            ClusterEvent::new(EventResource::Node, ActionType::ADD.and(ActionType::UPDATE_NODE_LABEL)),
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
        match event.resource {
            EventResource::TargetPod => true,
            EventResource::Node => node_hint(pod, objects),
            _ => assigned_pod_hint(pod, objects),
        }
    }

    fn pre_filter(&self, cx: &FilterContext<'_>, pod: &PodInfo, state: &mut CycleState) -> PreFilterResult {
        if !pod.parse_error.is_empty() {
            let text = format!("parsing pod: {}", pod.parse_error);
            return PreFilterResult::Reject(Status::unresolvable(PluginId::InterPodAffinity, text));
        }
        let (required, required_anti) = required_terms(pod);
        let has_terms = !required.is_empty() || !required_anti.is_empty();
        if !has_terms && cx.cache.nodes_with_required_anti_affinity().next().is_none() {
            return PreFilterResult::Skip;
        }
        let read = |terms: &[AffinityTerm]| terms.iter().map(|t| t.with_namespaces(cx.store)).collect();
        let mut own = PreFilterState {
            existing_anti: Counts::new(),
            affinity: Counts::new(),
            anti: Counts::new(),
            required: read(required),
            required_anti: read(required_anti),
            namespace_labels: namespace_labels(cx.store, pod),
        };
        for node in cx.cache.nodes_with_required_anti_affinity() {
            for other in &node.pods_with_required_anti_affinity {
                for term in required_terms(other).1 {
                    if term.matches(&pod.object, &own.namespace_labels) {
                        add(&mut own.existing_anti, node, &term.topology_key, 1);
                    }
                }
            }
        }
        if own.required.is_empty() && own.required_anti.is_empty() {
            if own.existing_anti.is_empty() {
                return PreFilterResult::Skip;
            }
        } else {
            for node in cx.cache.nodes() {
                for other in &node.pods {
                    own.count_other(other, node, 1);
                }
            }
        }
        state.inter_pod_affinity = Some(own);
        PreFilterResult::All
    }

    fn filter(
        &self,
        _: &FilterContext<'_>,
        pod: &PodInfo,
        state: &CycleState,
        node: &NodeInfo,
    ) -> Result<(), Status> {
        let Some(state) = &state.inter_pod_affinity else { return Ok(()) };
        if !state.satisfies_affinity(pod, node) {
            return Err(Status::unresolvable(PluginId::InterPodAffinity, ERR_REASON_AFFINITY));
        }
        if !state.satisfies_anti_affinity(node) {
            return Err(Status::unschedulable(PluginId::InterPodAffinity, ERR_REASON_ANTI_AFFINITY));
        }
        if !state.existing_pods_allow(node) {
            return Err(Status::unschedulable(PluginId::InterPodAffinity, ERR_REASON_EXISTING_ANTI_AFFINITY));
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
        if let Some(state) = &mut state.inter_pod_affinity {
            state.update(pod, other, node, by);
        }
    }

    fn pre_score(&self, cx: &FilterContext<'_>, pod: &PodInfo, state: &mut CycleState, _: &[usize]) -> bool {
        let mut own = pod.affinity.as_deref().cloned().unwrap_or_default();
        for weighted in own.preferred.iter_mut().chain(&mut own.preferred_anti) {
            weighted.term = weighted.term.with_namespaces(cx.store);
        }
        let has_preferences = !own.preferred.is_empty() || !own.preferred_anti.is_empty();
        let of_others = !cx.profile.ignore_preferred_terms_of_existing_pods
            && cx.cache.nodes_with_affinity().next().is_some();
        if !has_preferences && !of_others {
            state.inter_pod_affinity_score = None;
            return false;
        }
        let labels = namespace_labels(cx.store, pod);
        let hard_weight = cx.profile.hard_pod_affinity_weight;
        let mut scores = Counts::new();
        let mut seen = false;
        let mut process = |other: &Arc<PodInfo>, node: &NodeInfo| {
            let mut term = |term: &AffinityTerm, weight: i64, pod: &Object, labels: &Labels| {
                if term.matches(pod, labels)
                    && let Some(domain) = node.label(&term.topology_key)
                {
                    seen = true;
                    let domains = scores.entry(term.topology_key.clone()).or_default();
                    *domains.entry(domain.to_owned()).or_default() += weight;
                }
            };
            for w in &own.preferred {
                term(&w.term, w.weight, &other.object, &None);
            }
            for w in &own.preferred_anti {
                term(&w.term, -w.weight, &other.object, &None);
            }
            let Some(theirs) = &other.affinity else { return };
            if hard_weight > 0 {
                for t in &theirs.required {
                    term(t, hard_weight, &pod.object, &labels);
                }
            }
            for w in &theirs.preferred {
                term(&w.term, w.weight, &pod.object, &labels);
            }
            for w in &theirs.preferred_anti {
                term(&w.term, -w.weight, &pod.object, &labels);
            }
        };
        if has_preferences {
            for node in cx.cache.nodes() {
                for other in &node.pods {
                    process(other, node);
                }
            }
        } else {
            for node in cx.cache.nodes_with_affinity() {
                for other in &node.pods_with_affinity {
                    process(other, node);
                }
            }
        }
        state.inter_pod_affinity_score = seen.then_some(PreScoreState { scores });
        seen
    }

    fn score(&self, _: &FilterContext<'_>, _: &PodInfo, state: &CycleState, node: &NodeInfo) -> i64 {
        let Some(state) = &state.inter_pod_affinity_score else { return 0 };
        let of_key = |(key, domains): (&String, &BTreeMap<String, i64>)| {
            node.label(key).and_then(|d| domains.get(d)).copied().unwrap_or(0)
        };
        state.scores.iter().map(of_key).sum()
    }

    fn normalizes(&self) -> bool {
        true
    }

    fn normalize(&self, state: &CycleState, _: &[usize], scores: &mut [i64]) {
        if state.inter_pod_affinity_score.is_none() {
            return;
        }
        let min = scores.iter().copied().min().unwrap_or(0);
        let max = scores.iter().copied().max().unwrap_or(0);
        let range = max - min;
        for score in scores {
            *score = if range > 0 {
                (MAX_NODE_SCORE as f64 * ((*score - min) as f64 / range as f64)) as i64
            } else {
                0
            };
        }
    }

    fn explain(
        &self,
        cx: &FilterContext<'_>,
        pod: &PodInfo,
        state: &CycleState,
        node: &NodeInfo,
    ) -> Vec<Fix> {
        let Some(state) = &state.inter_pod_affinity else { return Vec::new() };
        if !state.satisfies_affinity(pod, node) {
            return state.lacking_pods(cx, pod, node);
        }
        let mut fixes: Vec<Fix> = Vec::new();
        let mut avoid = |term: &AffinityTerm, own: Option<usize>, pods: Vec<String>| {
            if !pods.is_empty() {
                fixes.push(Fix::AvoidPod {
                    selector: term.selector.to_string(),
                    topology_key: term.topology_key.clone(),
                    domain: node.label(&term.topology_key).unwrap_or("").to_owned(),
                    count: pods.len(),
                    pods: pods.into_iter().take(PODS_NAMED).collect(),
                    term: own,
                });
            }
        };
        for (index, term) in state.required_anti.iter().enumerate() {
            let domain = node.label(&term.topology_key);
            let nodes =
                cx.cache.nodes().filter(|n| domain.is_some() && n.label(&term.topology_key) == domain);
            let pods = nodes.flat_map(|n| &n.pods);
            let meant = pods.filter(|p| term.matches(&p.object, &None));
            avoid(term, Some(index), meant.map(|p| pod_name(&p.key)).collect());
        }
        // The rules of others: pods with the same rule stand in the way together.
        let mut theirs: BTreeMap<(String, String), (AffinityTerm, Vec<String>)> = BTreeMap::new();
        for n in cx.cache.nodes_with_required_anti_affinity() {
            for other in &n.pods_with_required_anti_affinity {
                for term in required_terms(other).1 {
                    let domain = node.label(&term.topology_key);
                    if domain.is_some()
                        && n.label(&term.topology_key) == domain
                        && term.matches(&pod.object, &state.namespace_labels)
                    {
                        let rule = (term.topology_key.clone(), term.selector.to_string());
                        let pods = theirs.entry(rule).or_insert_with(|| (term.clone(), Vec::new()));
                        pods.1.push(pod_name(&other.key));
                    }
                }
            }
        }
        for (term, pods) in theirs.into_values() {
            avoid(&term, None, pods);
        }
        fixes
    }
}

/// Source: plugin.go `isSchedulableAfterAssignedPodChange` (v1.37).
fn assigned_pod_hint(pod: &PodInfo, objects: EventObjects<'_>) -> bool {
    if objects.new.is_some_and(|o| !is_placed(o)) || objects.old.is_some_and(|o| !is_placed(o)) {
        return false;
    }
    let (terms, anti) = required_terms(pod);
    match (objects.old, objects.new) {
        (Some(old), Some(new)) => {
            !matches_all(terms, old) && matches_all(terms, new)
                || matches_any(anti, old) && !matches_any(anti, new)
        }
        (None, Some(new)) => matches_all(terms, new),
        (Some(old), None) => {
            matches_any(anti, old)
                || PodInfo::new(Arc::new(old.clone()))
                    .is_some_and(|other| matches_any(required_terms(&other).1, &pod.object))
        }
        (None, None) => true,
    }
}

/// Source: plugin.go `isSchedulableAfterNodeChange` (v1.37).
fn node_hint(pod: &PodInfo, objects: EventObjects<'_>) -> bool {
    let Some(new) = objects.new else { return true };
    let (terms, anti) = required_terms(pod);
    let Some(old) = objects.old else {
        return !anti.is_empty() || terms.iter().any(|t| new.label(&t.topology_key).is_some());
    };
    let moved = |key: &str| matches!((old.label(key), new.label(key)), (Some(before), Some(after)) if before != after);
    terms.iter().any(|t| {
        old.label(&t.topology_key).is_none() && new.label(&t.topology_key).is_some() || moved(&t.topology_key)
    }) || anti.iter().any(|t| {
        old.label(&t.topology_key).is_some() && new.label(&t.topology_key).is_none() || moved(&t.topology_key)
    })
}
