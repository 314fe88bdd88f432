//! NodeAffinity: node selector and node affinity.

use super::normalize_score::default_normalize_score;
use crate::scheduler::fix::{self, Fix, Wish};
use crate::scheduler::framework::{
    ActionType, ClusterEvent, CycleState, EventObjects, EventResource, FilterContext, NodeInfo, Plugin,
    PluginId, PodInfo, PreFilterResult, Status,
};
use k8s_openapi::api::core::v1::NodeSelectorTerm;
use podlab_api::Object;
use podlab_api::selector::Selector;
use podlab_api::selector::node::{NodeSelector, ParsedTerm, PreferredSchedulingTerms, RequiredNodeAffinity};
use podlab_api::selector::requirement::Requirement;
use std::collections::BTreeSet;

/// The pod's own wish is not met.
pub const ERR_REASON_POD: &str = "node(s) didn't match Pod's node affinity/selector";
/// The scheduler's configuration is not met.
pub const ERR_REASON_ENFORCED: &str = "node(s) didn't match scheduler-enforced node affinity";
/// The terms name no node.
pub const ERR_REASON_CONFLICT: &str = "pod affinity terms conflict";

/// Rejects nodes that `spec.nodeSelector` and required node affinity do not allow, and prefers those that
/// preferred node affinity names.
///
/// Runs: preFilter, filter, preScore, score. Result: unresolvable.
/// Source: pkg/scheduler/framework/plugins/nodeaffinity/node_affinity.go (v1.37).
pub struct NodeAffinity;

fn required_terms(pod: &PodInfo) -> Option<&[NodeSelectorTerm]> {
    let affinity = pod.spec().affinity.as_ref()?.node_affinity.as_ref()?;
    let required = affinity.required_during_scheduling_ignored_during_execution.as_ref()?;
    Some(&required.node_selector_terms)
}

fn required(pod: &PodInfo) -> RequiredNodeAffinity {
    RequiredNodeAffinity::new(pod.spec().node_selector.as_ref(), pod.spec().affinity.as_ref())
}

/// The nodes that the terms name by `metadata.name`; `None` where a term leaves it open.
fn named_nodes(terms: &[NodeSelectorTerm]) -> Option<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for term in terms {
        let mut of_term: Option<BTreeSet<String>> = None;
        for field in term.match_fields.iter().flatten() {
            if field.key == "metadata.name" && field.operator == "In" {
                let values: BTreeSet<String> = field.values.iter().flatten().cloned().collect();
                of_term = Some(match of_term {
                    None => values,
                    Some(before) => before.intersection(&values).cloned().collect(),
                });
            }
        }
        names.extend(of_term?);
    }
    Some(names)
}

impl Plugin for NodeAffinity {
    fn id(&self) -> PluginId {
        PluginId::NodeAffinity
    }

    fn points(&self) -> &'static [&'static str] {
        &["PreFilter", "Filter", "PreScore", "Score"]
    }

    fn events(&self) -> &'static [ClusterEvent] {
        const EVENTS: [ClusterEvent; 1] =
            [ClusterEvent::new(EventResource::Node, ActionType::ADD.and(ActionType::UPDATE_NODE_LABEL))];
        &EVENTS
    }

    fn hint(
        &self,
        cx: &FilterContext<'_>,
        pod: &PodInfo,
        _: ClusterEvent,
        objects: EventObjects<'_>,
    ) -> bool {
        let Some(new) = objects.new else { return true };
        let added = |node: &Object| {
            let selector = cx.profile.added_node_selector.as_ref();
            selector.is_none_or(|s| s.matches(node, node.name()).unwrap_or(false))
        };
        if !added(new) {
            return false;
        }
        let required = required(pod);
        match required.matches(new, new.name()) {
            Err(_) => true,
            Ok(false) => false,
            Ok(true) => objects.old.is_none_or(|old| !required.matches(old, old.name()).unwrap_or(false)),
        }
    }

    fn pre_filter(&self, cx: &FilterContext<'_>, pod: &PodInfo, state: &mut CycleState) -> PreFilterResult {
        let terms = required_terms(pod);
        if terms.is_none() && cx.profile.added_node_selector.is_none() && pod.spec().node_selector.is_none() {
            return PreFilterResult::Skip;
        }
        state.required_node_affinity = Some(required(pod));
        let Some(terms) = terms.filter(|t| !t.is_empty()) else { return PreFilterResult::All };
        match named_nodes(terms) {
            None => PreFilterResult::All,
            Some(names) if names.is_empty() => {
                PreFilterResult::Reject(Status::unresolvable(PluginId::NodeAffinity, ERR_REASON_CONFLICT))
            }
            Some(names) => PreFilterResult::Nodes(names),
        }
    }

    fn filter(
        &self,
        cx: &FilterContext<'_>,
        _: &PodInfo,
        state: &CycleState,
        node: &NodeInfo,
    ) -> Result<(), Status> {
        if let Some(selector) = &cx.profile.added_node_selector
            && !selector.matches(node.labels(), &node.name).unwrap_or(false)
        {
            return Err(Status::unresolvable(PluginId::NodeAffinity, ERR_REASON_ENFORCED));
        }
        let required = state.required_node_affinity.as_ref();
        if required.is_none_or(|r| r.matches(node.labels(), &node.name).unwrap_or(false)) {
            return Ok(());
        }
        Err(Status::unresolvable(PluginId::NodeAffinity, ERR_REASON_POD))
    }

    fn pre_score(&self, cx: &FilterContext<'_>, pod: &PodInfo, state: &mut CycleState, _: &[usize]) -> bool {
        let affinity = pod.spec().affinity.as_ref().and_then(|a| a.node_affinity.as_ref());
        let preferred =
            affinity.and_then(|a| a.preferred_during_scheduling_ignored_during_execution.as_ref());
        // Terms that cannot be read make the real scheduler retry without end; validation refuses them.
        state.preferred_node_affinity = preferred.and_then(|t| PreferredSchedulingTerms::parse(t).ok());
        state.preferred_node_affinity.is_some() || cx.profile.added_preferred.is_some()
    }

    fn score(&self, cx: &FilterContext<'_>, _: &PodInfo, state: &CycleState, node: &NodeInfo) -> i64 {
        let of = |terms: Option<&PreferredSchedulingTerms>| {
            terms.map_or(0, |terms| terms.score(node.labels(), &node.name))
        };
        of(cx.profile.added_preferred.as_ref()) + of(state.preferred_node_affinity.as_ref())
    }

    fn normalizes(&self) -> bool {
        true
    }

    fn normalize(&self, _: &CycleState, _: &[usize], scores: &mut [i64]) {
        default_normalize_score(scores);
    }

    fn explain(&self, cx: &FilterContext<'_>, pod: &PodInfo, _: &CycleState, node: &NodeInfo) -> Vec<Fix> {
        let added = cx.profile.added_node_selector.as_ref();
        if let Some(selector) = added.filter(|s| !s.matches(node.labels(), &node.name).unwrap_or(false)) {
            return lacking_least(selector, node, Wish::Added);
        }
        let required = required(pod);
        let labels = required.labels.iter().flat_map(Selector::requirements);
        let mut wishes: Vec<(&Requirement, Wish)> = labels.map(|r| (r, Wish::NodeSelector)).collect();
        let mut fixes = Vec::new();
        if let Some(selector) = &required.selector {
            match nearest(selector, node) {
                Some((index, term)) => {
                    fixes.extend(other_node(term, node));
                    let of_term = term.labels.iter().flat_map(Selector::requirements);
                    wishes.extend(of_term.map(|r| (r, Wish::NodeAffinity(index))));
                }
                None => fixes.push(Fix::NameNode { wanted: Vec::new() }),
            }
        }
        fixes.extend(fix::for_requirements(&wishes, node.labels()));
        fixes
    }
}

/// What a node lacks of the term that it is nearest to: one of several must match.
pub fn lacking_least(selector: &NodeSelector, node: &NodeInfo, wish: Wish) -> Vec<Fix> {
    let Some((_, term)) = nearest(selector, node) else { return Vec::new() };
    let of_term = term.labels.iter().flat_map(Selector::requirements);
    let wishes: Vec<(&Requirement, Wish)> = of_term.map(|r| (r, wish)).collect();
    other_node(term, node).into_iter().chain(fix::for_requirements(&wishes, node.labels())).collect()
}

/// The term that a node is nearest to, with its place. A name cannot be given to a node, a label can.
fn nearest<'a>(selector: &'a NodeSelector, node: &NodeInfo) -> Option<(usize, &'a ParsedTerm)> {
    let failing = |term: &ParsedTerm| {
        let requirements = term.labels.iter().flat_map(Selector::requirements);
        requirements.filter(|r| !r.matches(node.labels())).count()
    };
    let readable = selector.terms.iter().filter(|(_, term)| term.errors.is_empty());
    let nearest = readable.min_by_key(|(_, term)| (other_node(term, node).is_some(), failing(term)));
    nearest.map(|(index, term)| (*index, term))
}

/// Where a term names other nodes: which.
fn other_node(term: &ParsedTerm, node: &NodeInfo) -> Option<Fix> {
    let only = ParsedTerm { labels: None, ..term.clone() };
    if only.matches(node.labels(), &node.name) {
        return None;
    }
    let fields = term.fields.iter().flat_map(|f| &f.terms);
    Some(Fix::NameNode { wanted: fields.filter(|f| !f.negated).map(|f| f.value.clone()).collect() })
}
