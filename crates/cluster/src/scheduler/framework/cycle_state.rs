//! What plugins have worked out for one pod in one scheduling cycle.

use super::plugin::PluginSet;
use super::resource::Resource;
use crate::scheduler::plugins::image_locality::ImageScore;
use crate::scheduler::plugins::inter_pod_affinity;
use crate::scheduler::plugins::pod_topology_spread;
use crate::scheduler::plugins::volume_binding;
use crate::scheduler::plugins::volume_zone;
use k8s_openapi::api::core::v1::Toleration;
use podlab_api::selector::node::{PreferredSchedulingTerms, RequiredNodeAffinity};

/// The state of one scheduling cycle, one field a plugin.
#[derive(Clone, Debug, Default)]
pub struct CycleState {
    /// Plugins whose filter has nothing to say about the pod.
    pub skip_filter: PluginSet,
    /// Plugins that do not score the pod.
    pub skip_score: PluginSet,
    /// NodeAffinity, filter.
    pub required_node_affinity: Option<RequiredNodeAffinity>,
    /// NodeAffinity, score.
    pub preferred_node_affinity: Option<PreferredSchedulingTerms>,
    /// NodeResourcesFit, filter: what the pod requests.
    pub fit_requests: Resource,
    /// NodeResourcesFit, score: what the pod is taken to want of each resource that counts.
    pub fit_score: Vec<i64>,
    /// NodeResourcesBalancedAllocation: what the pod requests of each resource that counts.
    pub balanced_score: Vec<i64>,
    /// TaintToleration, score: what the pod tolerates with effect PreferNoSchedule.
    pub prefer_no_schedule: Vec<Toleration>,
    /// ImageLocality: what each image of the pod that some node has counts.
    pub image_scores: Vec<ImageScore>,
    /// How many images the pod names.
    pub image_count: i64,
    /// PodTopologySpread, filter.
    pub topology_spread: Option<pod_topology_spread::PreFilterState>,
    /// PodTopologySpread, score.
    pub topology_spread_score: Option<pod_topology_spread::PreScoreState>,
    /// InterPodAffinity, filter.
    pub inter_pod_affinity: Option<inter_pod_affinity::PreFilterState>,
    /// InterPodAffinity, score.
    pub inter_pod_affinity_score: Option<inter_pod_affinity::PreScoreState>,
    /// VolumeRestrictions: how many claims that only one pod may use are in use, and their names.
    pub read_write_once_pod: (i64, Vec<String>),
    /// VolumeBinding.
    pub volume_claims: Option<volume_binding::PodVolumeClaims>,
    /// VolumeZone.
    pub volume_topologies: Vec<volume_zone::PvTopology>,
}
