//! How scores came about: the numbers that each was worked out from, and its formula.
//!
//! A decision keeps the numbers, not the texts: they are those of the attempt, whatever the cluster has come to since.

use super::decision::{Decision, NodeVerdict, Verdict};
use super::framework::{CycleState, FilterContext, MAX_NODE_SCORE, NodeInfo, PluginId};
use super::plugins::{image_locality, node_resources_balanced_allocation, pod_topology_spread};
use super::profile::ScoringStrategy;

/// What holds for all nodes of a decision.
#[derive(Clone, Debug, PartialEq)]
pub struct Scoring {
    /// How NodeResourcesFit scores.
    pub strategy: ScoringStrategy,
    /// What CPU and memory count there.
    pub resource_weights: [i64; 2],
    /// CPU in thousandths and memory in bytes that the pod is taken to want.
    pub wants: [i64; 2],
    /// CPU in thousandths and memory in bytes that the pod requests.
    pub requests: [i64; 2],
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
        /// Which of both.
        strategy: ScoringStrategy,
        /// `cpu`, `memory`; without those the node has none of.
        parts: Vec<Part>,
    },
    /// 50 and half of how much more even the use of resources gets, less how much less.
    Balanced {
        /// How even it is with the pod, of 100.
        with: i64,
        /// How even it is without.
        without: i64,
        /// `cpu`, `memory`; with the pod.
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
    /// `cpu`, `memory`.
    pub resource: &'static str,
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
            strategy: cx.profile.scoring,
            resource_weights: cx.profile.scoring_weights,
            wants: state.fit_score,
            requests: state.balanced_score,
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
    pub fn of(state: &CycleState, node: &NodeInfo) -> Basis {
        let (spread, out_of_spread) = pod_topology_spread::matching(state, node);
        Basis {
            wanted: [node.non_zero_cpu, node.non_zero_memory],
            requested: [node.requested.milli_cpu, node.requested.memory],
            allocatable: [node.allocatable.milli_cpu, node.allocatable.memory],
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
            Formula::Allocated { strategy: scoring.strategy, parts: allocated(scoring, basis) }
        }
        PluginId::NodeResourcesBalancedAllocation => {
            let balanced = |asked: [i64; 2]| {
                let sum = [
                    basis.requested[0].saturating_add(asked[0]),
                    basis.requested[1].saturating_add(asked[1]),
                ];
                node_resources_balanced_allocation::balanced(sum, basis.allocatable)
            };
            Formula::Balanced {
                with: balanced(scoring.requests),
                without: balanced([0, 0]),
                parts: parts(basis.requested, scoring.requests, basis.allocatable, |requested, has| {
                    i128::from(requested.min(has)) * 1000 / i128::from(has)
                }),
            }
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

fn parts(used: [i64; 2], asked: [i64; 2], has: [i64; 2], result: impl Fn(i64, i64) -> i128) -> Vec<Part> {
    let of = |(index, resource): (usize, &'static str)| {
        let (used, asked, allocatable) = (used[index], asked[index], has[index]);
        (allocatable > 0).then(|| {
            let result = result(used.saturating_add(asked), allocatable);
            Part {
                resource,
                used,
                asked,
                allocatable,
                result: i64::try_from(result).unwrap_or(i64::MAX),
                weight: 1,
            }
        })
    };
    ["cpu", "memory"].into_iter().enumerate().filter_map(of).collect()
}

fn allocated(scoring: &Scoring, basis: &Basis) -> Vec<Part> {
    let mut parts = parts(basis.wanted, scoring.wants, basis.allocatable, |requested, has| {
        let amount = match scoring.strategy {
            ScoringStrategy::LeastAllocated if requested > has => 0,
            ScoringStrategy::LeastAllocated => has - requested,
            ScoringStrategy::MostAllocated => requested.min(has),
        };
        i128::from(amount) * i128::from(MAX_NODE_SCORE) / i128::from(has)
    });
    for part in &mut parts {
        part.weight = scoring.resource_weights[usize::from(part.resource == "memory")];
    }
    parts.retain(|part| part.weight != 0);
    parts
}

impl Formula {
    /// What it comes to: the score before it is weighted.
    pub fn result(&self) -> i64 {
        let part = |of: i64, all: i64| if all == 0 { 0 } else { MAX_NODE_SCORE.saturating_mul(of) / all };
        match self {
            Formula::Allocated { parts, .. } => {
                let count: i64 = parts.iter().map(|p| p.weight).sum();
                let sum: i64 = parts.iter().map(|p| p.result * p.weight).sum();
                if count == 0 { 0 } else { sum / count }
            }
            Formula::Balanced { with, without, .. } => {
                let half = MAX_NODE_SCORE / 2;
                half + (half + with - without) / 2
            }
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
