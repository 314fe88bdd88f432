//! NodeAffinity: node selector and node affinity.

use super::normalize_score::default_normalize_score;
use crate::scheduler::decision::Fix;
use crate::scheduler::framework::{
    ActionType, ClusterEvent, CycleState, EventObjects, EventResource, FilterContext, NodeInfo, Plugin,
    PluginId, PodInfo, PreFilterResult, Status,
};
use k8s_openapi::api::core::v1::NodeSelectorTerm;
use podlab_api::Object;
use podlab_api::selector::Operator;
use podlab_api::selector::Selector;
use podlab_api::selector::node::{PreferredSchedulingTerms, RequiredNodeAffinity};
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

    fn explain(&self, _: &FilterContext<'_>, pod: &PodInfo, _: &CycleState, node: &NodeInfo) -> Vec<Fix> {
        let required = required(pod);
        let mut fixes = Vec::new();
        let mut add = |selector: &Selector| {
            for requirement in selector.requirements().iter().filter(|r| !r.matches(node.labels())) {
                fixes.push(match (requirement.operator(), requirement.values()) {
                    (Operator::Equals | Operator::DoubleEquals | Operator::In, [value]) => {
                        Fix::LabelNode { key: requirement.key().to_owned(), value: value.clone() }
                    }
                    _ => Fix::MatchExpression { requirement: requirement.to_string() },
                });
            }
        };
        if let Some(labels) = &required.labels {
            add(labels);
        }
        // Of several terms one must match: the one that lacks least is the one to aim at.
        let lacking = |labels: &Option<Selector>| {
            labels.iter().flat_map(|s| s.requirements()).filter(|r| !r.matches(node.labels())).count()
        };
        let terms = required.selector.iter().flat_map(|s| &s.terms).map(|(_, term)| term);
        if let Some(term) = terms.filter(|t| t.errors.is_empty()).min_by_key(|t| lacking(&t.labels))
            && let Some(labels) = &term.labels
        {
            add(labels);
        }
        fixes
    }
}
