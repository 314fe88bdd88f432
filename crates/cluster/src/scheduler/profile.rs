//! How a scheduler is set up.
//!
//! Source: pkg/scheduler/apis/config/v1/default_plugins.go, defaults.go (v1.37).

use super::framework::PluginId;
use super::plugins::registry;
use k8s_openapi::api::core::v1::TopologySpreadConstraint;
use podlab_api::selector::node::{NodeSelector, PreferredSchedulingTerms};
use std::sync::Arc;
use std::time::Duration;

/// A profile: what serves one `spec.schedulerName`.
#[derive(Clone, Debug)]
pub struct Profile {
    /// The `schedulerName` it serves.
    pub scheduler_name: String,
    /// How many percent of the nodes are looked at; 0 adapts to their number.
    pub percentage_of_nodes_to_score: i32,
    /// Which plugins run at each extension point, in their order.
    pub plugins: Plugins,
    /// What the scores of plugins count; a plugin that is not listed counts 1.
    pub weights: Vec<(PluginId, i64)>,
    /// Arguments of NodeResourcesFit.
    pub fit: NodeResourcesFitArgs,
    /// The resources that NodeResourcesBalancedAllocation looks at.
    pub balanced: Vec<ResourceName>,
    /// The constraints that PodTopologySpread gives pods without any.
    pub default_constraints: DefaultConstraints,
    /// NodeAffinity's `addedAffinity`, required part.
    pub added_node_selector: Option<NodeSelector>,
    /// NodeAffinity's `addedAffinity`, preferred part.
    pub added_preferred: Option<PreferredSchedulingTerms>,
    /// InterPodAffinity's `hardPodAffinityWeight`.
    pub hard_pod_affinity_weight: i64,
    /// InterPodAffinity's `ignorePreferredTermsOfExistingPods`.
    pub ignore_preferred_terms_of_existing_pods: bool,
    /// DefaultPreemption's `minCandidateNodesPercentage`.
    pub min_candidate_nodes_percentage: usize,
    /// DefaultPreemption's `minCandidateNodesAbsolute`.
    pub min_candidate_nodes_absolute: usize,
    /// VolumeBinding's `bindTimeoutSeconds`.
    pub bind_timeout: Duration,
    /// VolumeBinding's `shape`: points for how much of the volumes that are found is asked for.
    pub volume_shape: Shape,
}

/// Which plugins run at each extension point that does something here.
#[derive(Clone, Debug)]
pub struct Plugins {
    /// Which may keep a pod out of the queue.
    pub pre_enqueue: Vec<PluginId>,
    /// Which look at the pod before any node.
    pub pre_filter: Vec<PluginId>,
    /// Which rule nodes out.
    pub filter: Vec<PluginId>,
    /// Which look for room where no node is left.
    pub post_filter: Vec<PluginId>,
    /// Which prepare for scoring.
    pub pre_score: Vec<PluginId>,
    /// Which score nodes.
    pub score: Vec<PluginId>,
}

impl Default for Plugins {
    fn default() -> Plugins {
        let at = |point| registry::fulfilling(point).map(|plugin| plugin.id()).collect();
        Plugins {
            pre_enqueue: at("PreEnqueue"),
            pre_filter: at("PreFilter"),
            filter: at("Filter"),
            post_filter: at("PostFilter"),
            pre_score: at("PreScore"),
            score: at("Score"),
        }
    }
}

/// Arguments of NodeResourcesFit.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeResourcesFitArgs {
    /// How it scores.
    pub strategy: ScoringStrategy,
    /// The resources that count, each once, and what they count.
    pub resources: Vec<(ResourceName, i64)>,
    /// The points of `RequestedToCapacityRatio`.
    pub shape: Shape,
    /// Extended resources that it does not filter by.
    pub ignored_resources: Vec<String>,
    /// The same for all with such a prefix.
    pub ignored_resource_groups: Vec<String>,
}

impl NodeResourcesFitArgs {
    /// Whether the filter passes over an extended resource.
    pub fn ignores(&self, resource: &str) -> bool {
        if self.ignored_resources.is_empty() && self.ignored_resource_groups.is_empty() {
            return false;
        }
        let group = resource.split('/').next().unwrap_or_default();
        podlab_api::validation::is_extended(resource)
            && (self.ignored_resources.iter().any(|name| name == resource)
                || self.ignored_resource_groups.iter().any(|name| name == group))
    }
}

/// A resource that counts where nodes are scored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResourceName {
    /// `cpu`, in thousandths.
    Cpu,
    /// `memory`, in bytes.
    Memory,
    /// Any other.
    Other(Arc<str>),
}

impl ResourceName {
    /// By its name.
    pub fn new(name: &str) -> ResourceName {
        match name {
            "cpu" => ResourceName::Cpu,
            "memory" => ResourceName::Memory,
            other => ResourceName::Other(other.into()),
        }
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        match self {
            ResourceName::Cpu => "cpu",
            ResourceName::Memory => "memory",
            ResourceName::Other(name) => name,
        }
    }
}

/// A function of how much is used: straight lines between points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// (percent used, points of 100), the percentages rising.
    pub points: Vec<(i64, i64)>,
}

impl Shape {
    /// The points for so many percent.
    ///
    /// Source: pkg/scheduler/framework/plugins/helper/shape_score.go `BuildBrokenLinearFunction` (v1.37).
    pub fn at(&self, percent: i64) -> i64 {
        let Some(index) = self.points.iter().position(|(used, _)| percent <= *used) else {
            return self.points.last().map_or(0, |(_, score)| *score);
        };
        let (used, score) = self.points[index];
        let Some((before, from)) = index.checked_sub(1).map(|index| self.points[index]) else {
            return score;
        };
        from + (score - from) * (percent - before) / (used - before)
    }

    /// The points where so much of a capacity is requested.
    ///
    /// Source: requested_to_capacity_ratio.go `buildRequestedToCapacityRatioScorerFunction` (v1.37).
    pub fn of(&self, requested: i64, capacity: i64) -> i64 {
        if capacity <= 0 || requested > capacity {
            return self.at(100);
        }
        let percent = i128::from(requested) * 100 / i128::from(capacity);
        self.at(i64::try_from(percent).unwrap_or(100))
    }
}

/// How NodeResourcesFit scores a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScoringStrategy {
    /// The more is left, the better.
    LeastAllocated,
    /// The less is left, the better.
    MostAllocated,
    /// By a function of how much is used.
    RequestedToCapacityRatio,
}

/// The constraints on spread of pods that have none of their own.
#[derive(Clone, Debug, PartialEq)]
pub enum DefaultConstraints {
    /// Kubernetes' own: soft ones over hosts and zones.
    System,
    /// These.
    List(Vec<TopologySpreadConstraint>),
}

impl Default for Profile {
    fn default() -> Profile {
        Profile {
            scheduler_name: "default-scheduler".to_owned(),
            percentage_of_nodes_to_score: 0,
            plugins: Plugins::default(),
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
            fit: NodeResourcesFitArgs {
                strategy: ScoringStrategy::LeastAllocated,
                resources: vec![(ResourceName::Cpu, 1), (ResourceName::Memory, 1)],
                shape: Shape { points: Vec::new() },
                ignored_resources: Vec::new(),
                ignored_resource_groups: Vec::new(),
            },
            balanced: vec![ResourceName::Cpu, ResourceName::Memory],
            default_constraints: DefaultConstraints::System,
            added_node_selector: None,
            added_preferred: None,
            hard_pod_affinity_weight: 1,
            ignore_preferred_terms_of_existing_pods: false,
            min_candidate_nodes_percentage: 10,
            min_candidate_nodes_absolute: 100,
            bind_timeout: Duration::from_secs(600),
            volume_shape: Shape { points: vec![(0, 100), (100, 0)] },
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
        self.plugins.filter.contains(&plugin)
    }

    /// Whether a plugin may give scores.
    pub fn scores_with(&self, plugin: PluginId) -> bool {
        self.plugins.score.contains(&plugin)
    }
}
