//! How scores came about: the numbers that each was worked out from, and its formula.
//!
//! A decision keeps the numbers, not the texts: they are those of the attempt, whatever the cluster has come to since.

use super::decision::{Decision, NodeVerdict, Verdict};
use super::framework::{
    CycleState, FilterContext, MAX_NODE_SCORE, NodeInfo, PluginId, is_scalar_resource_name,
};
use super::plugins::node_resources_balanced_allocation::{balanced, improvement};
use super::plugins::node_resources_fit::{mean_score, resource_score, score_amounts};
use super::plugins::{image_locality, pod_topology_spread};
use super::profile::{NodeResourcesFitArgs, Profile, ResourceName, ScoringStrategy};

/// What holds for all nodes of a decision.
#[derive(Clone, Debug, PartialEq)]
pub struct Scoring {
    /// How NodeResourcesFit scores, with what each resource counts there.
    pub fit: NodeResourcesFitArgs,
    /// What the pod is taken to want of each of those resources.
    pub wants: Vec<i64>,
    /// The resources that NodeResourcesBalancedAllocation looks at.
    pub balanced: Vec<ResourceName>,
    /// What the pod requests of each of those; none where it requests nothing.
    pub requests: Vec<i64>,
    /// Resources beside CPU and memory that one of both looks at.
    pub others: Vec<ResourceName>,
    /// How many images the pod names.
    pub images: i64,
    /// Each plugin that brings its scores to 0..=100 by comparing nodes, with the least and the greatest raw score.
    pub ranges: Vec<(PluginId, i64, i64)>,
    /// The soft constraints on spread.
    pub spread: Vec<SpreadTerm>,
    /// What the plugins' scores count, where that is not 1.
    pub weights: Vec<(PluginId, i64)>,
}

/// A soft constraint on spread.
#[derive(Clone, Debug, PartialEq)]
pub struct SpreadTerm {
    /// The node label that makes the domains.
    pub topology_key: String,
    /// The skew it allows.
    pub max_skew: i64,
    /// How many domains there are.
    pub domains: usize,
    /// ln(domains + 2).
    pub weight: f64,
}

/// What a node's scores were worked out from.
#[derive(Clone, Debug, PartialEq)]
pub struct Basis {
    /// CPU in thousandths and memory in bytes that its pods are taken to want.
    pub wanted: [i64; 2],
    /// CPU in thousandths and memory in bytes that its pods request.
    pub requested: [i64; 2],
    /// CPU in thousandths and memory in bytes that it has for pods.
    pub allocatable: [i64; 2],
    /// What its pods request and what it has of each of [`Scoring::others`].
    pub others: Box<[(i64, i64)]>,
    /// Bytes of the pod's images that it has, each counted by the part of the nodes that have it.
    pub images: i64,
    /// Per soft constraint on spread: matching pods in its domain; `None` where it is in none.
    pub spread: Box<[Option<i64>]>,
    /// Whether it is left out of the comparison of spread.
    pub out_of_spread: bool,
}

/// The formula of one score, with its numbers.
#[derive(Clone, Debug, PartialEq)]
pub enum Formula {
    /// The mean of what is left (or used) of each resource, of 100.
    Allocated {
        /// Which of them.
        strategy: ScoringStrategy,
        /// The resources, without those the node has none of.
        parts: Vec<Part>,
    },
    /// 50 and half of how much more even the use of resources gets, less how much less.
    Balanced {
        /// How even it is with the pod, of 100.
        with: i64,
        /// How even it is without.
        without: i64,
        /// The resources, with the pod.
        parts: Vec<Part>,
    },
    /// Where the size of the images lies between two thresholds, of 100.
    Images {
        /// Bytes that count.
        size: i64,
        /// Below this nothing counts.
        least: i64,
        /// Above this nothing more counts.
        most: i64,
    },
    /// The part of the greatest raw score, of 100.
    Share {
        /// The node's.
        raw: i64,
        /// The greatest.
        most: i64,
        /// Whether less is better.
        less_is_better: bool,
    },
    /// How few matching pods there are, compared with the other nodes.
    Spread {
        /// Per constraint: the constraint and matching pods in the node's domain, `None` where it is in none.
        terms: Vec<(SpreadTerm, Option<i64>)>,
        /// The sum of the terms.
        raw: i64,
        /// The least sum.
        least: i64,
        /// The greatest.
        most: i64,
        /// Whether the node is left out, as it is not in all domains.
        left_out: bool,
    },
    /// Where the raw score lies between the least and the greatest, of 100.
    Range {
        /// The node's.
        raw: i64,
        /// The least.
        least: i64,
        /// The greatest.
        most: i64,
    },
    /// The plugin's own number.
    Plain(i64),
}

/// A resource in a formula.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// `cpu`, `memory`, …
    pub resource: ResourceName,
    /// What the pods of the node hold.
    pub used: i64,
    /// What the pod adds.
    pub asked: i64,
    /// What the node has for pods.
    pub allocatable: i64,
    /// What it comes to: points of 100; for evenness thousandths.
    pub result: i64,
    /// What it counts.
    pub weight: i64,
}

impl Scoring {
    /// What holds for all nodes, but for the ranges.
    pub fn of(cx: &FilterContext<'_>, state: &CycleState) -> Scoring {
        let weights = cx.profile.weights.iter().filter(|(_, weight)| *weight != 1);
        Scoring {
            fit: cx.profile.fit.clone(),
            wants: state.fit_score.clone(),
            balanced: cx.profile.balanced.clone(),
            requests: state.balanced_score.clone(),
            others: others(cx.profile),
            images: state.image_count,
            ranges: Vec::new(),
            spread: pod_topology_spread::terms(state),
            weights: weights.copied().collect(),
        }
    }

    /// Notes the raw scores of all nodes of a plugin that compares them.
    pub fn note_range(&mut self, plugin: PluginId, raw: impl Iterator<Item = i64>) {
        let range = raw.fold(None, |range: Option<(i64, i64)>, score| {
            Some(range.map_or((score, score), |(least, most)| (least.min(score), most.max(score))))
        });
        if let Some((least, most)) = range {
            self.ranges.push((plugin, least, most));
        }
    }

    /// What a plugin's score counts.
    pub fn weight(&self, plugin: PluginId) -> i64 {
        self.weights.iter().find(|(id, _)| *id == plugin).map_or(1, |(_, weight)| *weight)
    }

    fn range(&self, plugin: PluginId) -> (i64, i64) {
        let range = self.ranges.iter().find(|(id, ..)| *id == plugin);
        range.map_or((0, 0), |(_, least, most)| (*least, *most))
    }
}

impl Basis {
    /// The numbers of a node.
    pub fn of(cx: &FilterContext<'_>, state: &CycleState, node: &NodeInfo) -> Basis {
        let (spread, out_of_spread) = pod_topology_spread::matching(state, node);
        Basis {
            wanted: [node.non_zero_cpu, node.non_zero_memory],
            requested: [node.requested.milli_cpu, node.requested.memory],
            allocatable: [node.allocatable.milli_cpu, node.allocatable.memory],
            others: others(cx.profile).iter().map(|name| score_amounts(node, name, 1, false)).collect(),
            images: image_locality::size_on(state, node),
            spread,
            out_of_spread,
        }
    }
}

/// The formula of the score that a plugin gave a node; `None` where it gave none.
pub fn formula(decision: &Decision, node: &NodeVerdict, plugin: PluginId) -> Option<Formula> {
    let Verdict::Feasible { scores, basis: Some(basis), .. } = &node.verdict else { return None };
    let scoring = decision.scoring.as_ref()?;
    let score = scores.iter().find(|s| s.plugin == plugin)?;
    let (least, most) = scoring.range(plugin);
    let raw = score.raw;
    Some(match plugin {
        PluginId::NodeResourcesFit => {
            Formula::Allocated { strategy: scoring.fit.strategy, parts: allocated(scoring, basis) }
        }
        PluginId::NodeResourcesBalancedAllocation => {
            let parts = balanced_parts(scoring, basis);
            let sum = |part: &Part| part.used.saturating_add(part.asked);
            let with = balanced(parts.iter().map(|part| (sum(part), part.allocatable)));
            let without = balanced(parts.iter().map(|part| (part.used, part.allocatable)));
            Formula::Balanced { with, without, parts }
        }
        PluginId::ImageLocality => {
            let (least, most) = image_locality::thresholds(scoring.images);
            Formula::Images { size: basis.images, least, most }
        }
        PluginId::TaintToleration => Formula::Share { raw, most, less_is_better: true },
        PluginId::NodeAffinity => Formula::Share { raw, most, less_is_better: false },
        PluginId::PodTopologySpread => {
            let terms = scoring.spread.iter().cloned().zip(basis.spread.iter().copied()).collect();
            Formula::Spread { terms, raw, least, most, left_out: basis.out_of_spread }
        }
        PluginId::InterPodAffinity => Formula::Range { raw, least, most },
        _ => Formula::Plain(raw),
    })
}

/// The resources beside CPU and memory that a scorer looks at.
fn others(profile: &Profile) -> Vec<ResourceName> {
    let mut others: Vec<ResourceName> = Vec::new();
    for name in profile.fit.resources.iter().map(|(name, _)| name).chain(&profile.balanced) {
        if matches!(name, ResourceName::Other(_)) && !others.contains(name) {
            others.push(name.clone());
        }
    }
    others
}

/// What a node's pods hold of a resource and what it has; `None` where it does not count.
fn amounts(
    scoring: &Scoring,
    basis: &Basis,
    name: &ResourceName,
    used: [i64; 2],
    asked: i64,
) -> Option<(i64, i64)> {
    let (used, has) = match name {
        ResourceName::Cpu => (used[0], basis.allocatable[0]),
        ResourceName::Memory => (used[1], basis.allocatable[1]),
        ResourceName::Other(text) if asked == 0 && is_scalar_resource_name(text) => return None,
        ResourceName::Other(_) => {
            let index = scoring.others.iter().position(|other| other == name)?;
            *basis.others.get(index)?
        }
    };
    (has > 0).then_some((used, has))
}

fn balanced_parts(scoring: &Scoring, basis: &Basis) -> Vec<Part> {
    let of = |(name, asked): (&ResourceName, &i64)| {
        let (used, allocatable) = amounts(scoring, basis, name, basis.requested, *asked)?;
        let share = i128::from(used.saturating_add(*asked).min(allocatable)) * 1000 / i128::from(allocatable);
        let result = i64::try_from(share).unwrap_or(i64::MAX);
        Some(Part { resource: name.clone(), used, asked: *asked, allocatable, result, weight: 1 })
    };
    scoring.balanced.iter().zip(&scoring.requests).filter_map(of).collect()
}

fn allocated(scoring: &Scoring, basis: &Basis) -> Vec<Part> {
    let of = |((name, weight), asked): (&(ResourceName, i64), &i64)| {
        let (used, allocatable) = amounts(scoring, basis, name, basis.wanted, *asked)?;
        let result = resource_score(&scoring.fit, used.saturating_add(*asked), allocatable);
        Some(Part { resource: name.clone(), used, asked: *asked, allocatable, result, weight: *weight })
    };
    scoring.fit.resources.iter().zip(&scoring.wants).filter_map(of).collect()
}

impl Formula {
    /// What it comes to: the score before it is weighted.
    pub fn result(&self) -> i64 {
        let part = |of: i64, all: i64| if all == 0 { 0 } else { MAX_NODE_SCORE.saturating_mul(of) / all };
        match self {
            Formula::Allocated { strategy, parts } => {
                mean_score(*strategy, parts.iter().map(|part| (part.result, part.weight)))
            }
            Formula::Balanced { with, without, .. } => improvement(*with, *without),
            Formula::Images { size, least, most } => part((*size).clamp(*least, *most) - least, most - least),
            Formula::Share { raw, most, less_is_better: true } => {
                if *most <= 0 {
                    MAX_NODE_SCORE
                } else {
                    MAX_NODE_SCORE - part(*raw, *most)
                }
            }
            Formula::Share { raw, most, less_is_better: false } => {
                if *most <= 0 {
                    *raw
                } else {
                    part(*raw, *most)
                }
            }
            Formula::Spread { left_out: true, .. } => 0,
            Formula::Spread { raw, least, most, .. } => {
                if *most == 0 {
                    MAX_NODE_SCORE
                } else {
                    part(most + least - raw, *most)
                }
            }
            Formula::Range { raw, least, most } => {
                let range = most - least;
                let part = (*raw - least) as f64 / range.max(1) as f64;
                if range > 0 { (MAX_NODE_SCORE as f64 * part) as i64 } else { 0 }
            }
            Formula::Plain(raw) => *raw,
        }
    }
}
