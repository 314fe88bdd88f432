//! How a scheduler is set up.
//!
//! Source: pkg/scheduler/apis/config/v1/default_plugins.go, defaults.go (v1.37).

use super::framework::{PluginId, PluginSet};
use podlab_api::selector::node::{NodeSelector, PreferredSchedulingTerms};

/// A profile: what serves one `spec.schedulerName`.
#[derive(Clone, Debug)]
pub struct Profile {
    /// The `schedulerName` it serves.
    pub scheduler_name: String,
    /// What the scores of plugins count; a plugin that is not listed counts 1.
    pub weights: Vec<(PluginId, i64)>,
    /// Plugins that rule no node out.
    pub disabled_filters: PluginSet,
    /// Plugins that give no score.
    pub disabled_scores: PluginSet,
    /// How NodeResourcesFit scores.
    pub scoring: ScoringStrategy,
    /// What CPU and memory count there.
    pub scoring_weights: [i64; 2],
    /// NodeAffinity's `addedAffinity`, required part.
    pub added_node_selector: Option<NodeSelector>,
    /// NodeAffinity's `addedAffinity`, preferred part.
    pub added_preferred: Option<PreferredSchedulingTerms>,
    /// How many percent of the nodes are looked at; 0 adapts to their number.
    pub percentage_of_nodes_to_score: i32,
    /// InterPodAffinity's `hardPodAffinityWeight`.
    pub hard_pod_affinity_weight: i64,
}

/// How NodeResourcesFit scores a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScoringStrategy {
    /// The more is left, the better.
    LeastAllocated,
    /// The less is left, the better.
    MostAllocated,
}

impl Default for Profile {
    fn default() -> Profile {
        Profile {
            scheduler_name: "default-scheduler".to_owned(),
            weights: vec![
                (PluginId::TaintToleration, 3),
                (PluginId::NodeAffinity, 2),
                (PluginId::NodeResourcesFit, 1),
                (PluginId::PodTopologySpread, 2),
                (PluginId::InterPodAffinity, 2),
                (PluginId::DynamicResources, 2),
                (PluginId::NodeResourcesBalancedAllocation, 1),
                (PluginId::ImageLocality, 1),
            ],
            disabled_filters: PluginSet::default(),
            disabled_scores: PluginSet::default(),
            scoring: ScoringStrategy::LeastAllocated,
            scoring_weights: [1, 1],
            added_node_selector: None,
            added_preferred: None,
            percentage_of_nodes_to_score: 0,
            hard_pod_affinity_weight: 1,
        }
    }
}

impl Profile {
    /// What a plugin's score counts.
    pub fn weight(&self, plugin: PluginId) -> i64 {
        self.weights.iter().find(|(id, _)| *id == plugin).map_or(1, |(_, weight)| *weight)
    }

    /// Whether a plugin may rule nodes out.
    pub fn filters_with(&self, plugin: PluginId) -> bool {
        !self.disabled_filters.contains(plugin)
    }

    /// Whether a plugin may give scores.
    pub fn scores_with(&self, plugin: PluginId) -> bool {
        !self.disabled_scores.contains(plugin)
    }
}
