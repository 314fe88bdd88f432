//! What was found about nodes for a pod like this one, kept until the node changes.
//!
//! Pods made from one template ask every node the same question, and between two of them one node has changed. Where
//! all plugins that judge look at nothing but the node and the pod's own wishes, their answers are kept by the node's
//! generation; answers are the same with and without.

use super::decision::PluginScore;
use super::framework::runtime::run_filter_plugins;
use super::framework::{
    CycleState, FilterContext, NodeInfo, Plugin, PluginId, PluginSet, PodInfo, Resource, Status,
};
use super::plugins::image_locality::ImageScore;
use super::scoring::Scoring;
use k8s_openapi::api::core::v1::Toleration;
use std::sync::Arc;

/// Filters that look at the node, the pod's tolerations and what it requests.
const FILTERS: [PluginId; 3] =
    [PluginId::NodeUnschedulable, PluginId::TaintToleration, PluginId::NodeResourcesFit];
/// Scorers that look at the node and what [`ScoreQuestion`] holds.
const SCORERS: [PluginId; 6] = [
    PluginId::TaintToleration,
    PluginId::NodeResourcesFit,
    PluginId::VolumeBinding,
    PluginId::DynamicResources,
    PluginId::NodeResourcesBalancedAllocation,
    PluginId::ImageLocality,
];

/// The answers to the latest questions.
///
/// Invariant: a question without its answers never stands here, and answers are those of nodes with the same
/// generation.
#[derive(Clone, Debug, Default)]
pub struct Evaluations {
    filtered: Arc<Filtered>,
    scored: Arc<Scored>,
}

/// All that the filters depend on beside the node.
#[derive(Clone, Debug, Default, PartialEq)]
struct FilterQuestion {
    profile: String,
    filters: PluginSet,
    requests: Resource,
    tolerations: Vec<Toleration>,
}

#[derive(Clone, Debug, Default)]
struct Filtered {
    question: FilterQuestion,
    /// slot → generation of the node that fits.
    fitting: Vec<u64>,
}

/// All that the scorers depend on beside the node.
#[derive(Clone, Debug, Default, PartialEq)]
struct ScoreQuestion {
    profile: String,
    scorers: PluginSet,
    fit: Vec<i64>,
    balanced: Vec<i64>,
    prefer_no_schedule: Vec<Toleration>,
    image_scores: Vec<ImageScore>,
    image_count: i64,
}

#[derive(Clone, Debug, Default)]
struct Scored {
    question: ScoreQuestion,
    /// By slot.
    rows: Vec<Row>,
}

/// What the scorers gave one node.
#[derive(Clone, Debug, Default)]
struct Row {
    generation: u64,
    /// In the order of the scorers.
    raw: [i64; SCORERS.len()],
    /// The weighted sum of those that are not normalized.
    sum: i64,
    /// The whole of it for people, as it was last told.
    told: Option<Arc<[PluginScore]>>,
}

impl Evaluations {
    /// The filters' answers for a pod; `None` where they look at more than the node.
    pub(super) fn filters<'a>(
        &'a mut self,
        cx: &FilterContext<'_>,
        pod: &PodInfo,
        state: &CycleState,
        filters: &[&'static dyn Plugin],
    ) -> Option<Filters<'a>> {
        let set = set_of(filters, &FILTERS)?;
        let tolerations = pod.spec().tolerations.as_deref().unwrap_or(&[]);
        let known = &self.filtered.question;
        let same = known.filters == set
            && known.requests == state.fit_requests
            && known.profile == cx.profile.scheduler_name
            && known.tolerations == tolerations;
        if !same {
            let question = FilterQuestion {
                profile: cx.profile.scheduler_name.clone(),
                filters: set,
                requests: state.fit_requests.clone(),
                tolerations: tolerations.to_vec(),
            };
            self.filtered = Arc::new(Filtered { question, fitting: Vec::new() });
        }
        Some(Filters { fitting: &mut Arc::make_mut(&mut self.filtered).fitting })
    }

    /// The scorers' answers for a pod; `None` where they look at more than the node.
    pub(super) fn scores<'a>(
        &'a mut self,
        cx: &FilterContext<'_>,
        state: &CycleState,
        scorers: &'a [&'static dyn Plugin],
    ) -> Option<Scores<'a>> {
        let set = set_of(scorers, &SCORERS)?;
        if state.volume_claims.is_some() {
            return None;
        }
        let known = &self.scored.question;
        let same = known.scorers == set
            && known.fit == state.fit_score
            && known.balanced == state.balanced_score
            && known.image_count == state.image_count
            && known.image_scores == state.image_scores
            && known.profile == cx.profile.scheduler_name
            && known.prefer_no_schedule == state.prefer_no_schedule;
        if !same {
            let question = ScoreQuestion {
                profile: cx.profile.scheduler_name.clone(),
                scorers: set,
                fit: state.fit_score.clone(),
                balanced: state.balanced_score.clone(),
                prefer_no_schedule: state.prefer_no_schedule.clone(),
                image_scores: state.image_scores.clone(),
                image_count: state.image_count,
            };
            self.scored = Arc::new(Scored { question, rows: Vec::new() });
        }
        let weights = scorers.iter().map(|plugin| cx.profile.weight(plugin.id())).collect();
        Some(Scores { rows: &mut Arc::make_mut(&mut self.scored).rows, scorers, weights })
    }
}

/// The plugins as a set; `None` where one is not among those that may be in it.
fn set_of(plugins: &[&'static dyn Plugin], allowed: &[PluginId]) -> Option<PluginSet> {
    let mut set = PluginSet::default();
    for plugin in plugins {
        if !allowed.contains(&plugin.id()) {
            return None;
        }
        set.insert(plugin.id());
    }
    Some(set)
}

/// The place of a slot in a list by slots.
fn place<T: Clone + Default>(list: &mut Vec<T>, slot: usize) -> &mut T {
    if list.len() <= slot {
        list.resize(slot + 1, T::default());
    }
    &mut list[slot]
}

/// Answers of the filters to one question.
pub(super) struct Filters<'a> {
    fitting: &'a mut Vec<u64>,
}

impl Filters<'_> {
    /// Whether the node in a slot is known to have let the pod pass.
    pub(super) fn passes(&self, cx: &FilterContext<'_>, slot: usize) -> bool {
        let known = self.fitting.get(slot).copied().unwrap_or(0);
        known != 0 && known == cx.cache.generation(slot)
    }

    /// Runs the filters on a node, unless they are known to have let the pod pass.
    pub(super) fn run(
        &mut self,
        cx: &FilterContext<'_>,
        pod: &PodInfo,
        state: &CycleState,
        node: &NodeInfo,
        filters: &[&'static dyn Plugin],
    ) -> Result<(), Status> {
        let fitting = place(self.fitting, node.slot);
        if *fitting == node.generation {
            debug_assert_eq!(run_filter_plugins(cx, pod, state, node, filters), Ok(()));
            return Ok(());
        }
        run_filter_plugins(cx, pod, state, node, filters)?;
        *fitting = node.generation;
        Ok(())
    }
}

/// Answers of the scorers to one question.
pub(super) struct Scores<'a> {
    rows: &'a mut Vec<Row>,
    scorers: &'a [&'static dyn Plugin],
    weights: Vec<i64>,
}

impl Scores<'_> {
    /// Scores the nodes: the sum of each, and the normalized scores of each scorer that normalizes.
    pub(super) fn totals(
        &mut self,
        cx: &FilterContext<'_>,
        pod: &PodInfo,
        state: &CycleState,
        nodes: &[usize],
    ) -> (Vec<i64>, Vec<Option<Vec<i64>>>) {
        let mut totals = Vec::with_capacity(nodes.len());
        for slot in nodes {
            let row = place(self.rows, *slot);
            let known = row.generation != 0 && row.generation == cx.cache.generation(*slot);
            if known && !cfg!(debug_assertions) {
                totals.push(row.sum);
                continue;
            }
            if let Some(node) = cx.cache.node(*slot) {
                let fresh = || self.scorers.iter().map(|plugin| plugin.score(cx, pod, state, node));
                if row.generation != node.generation {
                    let mut of_node = Row { generation: node.generation, ..Row::default() };
                    for ((plugin, raw), (kept, weight)) in
                        self.scorers.iter().zip(fresh()).zip(of_node.raw.iter_mut().zip(&self.weights))
                    {
                        *kept = raw;
                        if !plugin.normalizes() {
                            of_node.sum = of_node.sum.wrapping_add(raw.wrapping_mul(*weight));
                        }
                    }
                    *row = of_node;
                }
                debug_assert!(fresh().eq(row.raw.iter().copied().take(self.scorers.len())));
            }
            totals.push(row.sum);
        }
        let mut normalized = Vec::with_capacity(self.scorers.len());
        for (index, (plugin, weight)) in self.scorers.iter().zip(&self.weights).enumerate() {
            if !plugin.normalizes() {
                normalized.push(None);
                continue;
            }
            let mut column: Vec<i64> =
                nodes.iter().map(|slot| self.rows.get(*slot).map_or(0, |row| row.raw[index])).collect();
            plugin.normalize(state, nodes, &mut column);
            for (total, score) in totals.iter_mut().zip(&column) {
                *total = total.wrapping_add(score.wrapping_mul(*weight));
            }
            normalized.push(Some(column));
        }
        (totals, normalized)
    }

    /// Notes the raw scores of the scorers that compare nodes.
    pub(super) fn note_ranges(&self, nodes: &[usize], scoring: &mut Scoring) {
        for (index, plugin) in self.scorers.iter().enumerate().filter(|(_, plugin)| plugin.normalizes()) {
            let raw = nodes.iter().map(|slot| self.rows.get(*slot).map_or(0, |row| row.raw[index]));
            scoring.note_range(plugin.id(), raw);
        }
    }

    /// All scores of one node, by its slot and its place among those that were scored.
    pub(super) fn tell(
        &mut self,
        slot: usize,
        index: usize,
        normalized: &[Option<Vec<i64>>],
    ) -> Arc<[PluginScore]> {
        let row = place(self.rows, slot);
        let of = |scorer: usize| {
            let column = normalized.get(scorer).and_then(Option::as_ref);
            column.and_then(|column| column.get(index)).copied().unwrap_or(row.raw[scorer])
        };
        if let Some(told) = &row.told
            && told.iter().enumerate().all(|(scorer, score)| score.normalized == of(scorer))
        {
            return told.clone();
        }
        let scores = self.scorers.iter().zip(&self.weights).enumerate().map(|(scorer, (plugin, weight))| {
            let normalized = of(scorer);
            PluginScore {
                plugin: plugin.id(),
                raw: row.raw[scorer],
                normalized,
                weighted: normalized.saturating_mul(*weight),
            }
        });
        let told: Arc<[PluginScore]> = scores.collect();
        row.told = Some(told.clone());
        told
    }
}
