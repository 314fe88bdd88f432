//! ImageLocality: prefers nodes that have the images already.

use crate::scheduler::framework::{
    CycleState, FilterContext, MAX_NODE_SCORE, NodeInfo, Plugin, PluginId, PodInfo,
};

const MB: i64 = 1024 * 1024;
/// Images smaller than this together count nothing.
const MIN_THRESHOLD: i64 = 23 * MB;
/// An image greater than this counts no more.
const MAX_CONTAINER_THRESHOLD: i64 = 1000 * MB;

/// An image that some node has.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageScore {
    name: String,
    /// Its size times the part of the nodes that have it.
    scaled: i64,
}

/// Scores a node by the size of the pod's images that it has, less for images that few nodes have.
///
/// Runs: score.
/// Source: pkg/scheduler/framework/plugins/imagelocality/image_locality.go (v1.37).
pub struct ImageLocality;

fn normalized_image_name(name: &str) -> String {
    let colon = name.rfind(':').map_or(-1, |i| i as i64);
    let slash = name.rfind('/').map_or(-1, |i| i as i64);
    if colon <= slash { format!("{name}:latest") } else { name.to_owned() }
}

/// Bytes of a pod's images that a node has, each counted by the part of the nodes that have it.
pub fn size_on(state: &CycleState, node: &NodeInfo) -> i64 {
    let on_node = state.image_scores.iter().filter(|image| node.images.contains(&image.name));
    on_node.map(|image| image.scaled).sum()
}

/// Between which sizes the images of a pod count, by their number.
pub fn thresholds(images: i64) -> (i64, i64) {
    (MIN_THRESHOLD, MAX_CONTAINER_THRESHOLD.saturating_mul(images.max(1)))
}

impl Plugin for ImageLocality {
    fn id(&self) -> PluginId {
        PluginId::ImageLocality
    }

    fn points(&self) -> &'static [&'static str] {
        &["Score"]
    }

    fn pre_score(&self, cx: &FilterContext<'_>, pod: &PodInfo, state: &mut CycleState, _: &[usize]) -> bool {
        let spec = pod.spec();
        let containers = spec.init_containers.iter().flatten().chain(&spec.containers);
        let volumes = spec.volumes.iter().flatten().filter_map(|v| v.image.as_ref());
        let images = containers
            .map(|c| c.image.as_deref().unwrap_or(""))
            .chain(volumes.map(|image| image.reference.as_deref().unwrap_or("")));
        let all = cx.cache.node_count() as f64;
        state.image_count = 0;
        state.image_scores.clear();
        for image in images {
            state.image_count += 1;
            let name = normalized_image_name(image);
            if let Some((size, nodes)) = cx.cache.image(&name) {
                let spread = nodes as f64 / all;
                state.image_scores.push(ImageScore { name, scaled: (size as f64 * spread) as i64 });
            }
        }
        true
    }

    fn score(&self, _: &FilterContext<'_>, _: &PodInfo, state: &CycleState, node: &NodeInfo) -> i64 {
        let sum = size_on(state, node);
        let (_, max) = thresholds(state.image_count);
        let sum = if sum < MIN_THRESHOLD { MIN_THRESHOLD } else { sum.min(max) };
        MAX_NODE_SCORE.saturating_mul(sum - MIN_THRESHOLD) / (max - MIN_THRESHOLD)
    }
}
