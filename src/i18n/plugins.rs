//! One sentence about each plugin of the scheduler.

use super::{Text, texts};

texts! {
    NODE_NAME: "A pod that names its node fits only there.", "Pod가 지정한 Node에만 들어갑니다.";
    NODE_UNSCHEDULABLE: "Cordoned nodes take no new pods.", "cordon된 Node는 새 Pod를 받지 않습니다.";
    TAINT_TOLERATION: "A taint keeps pods away that do not tolerate it. Scores: fewer PreferNoSchedule taints that are not tolerated.", "허용하지 않는 taint가 있으면 제외됩니다. 점수: 허용하지 않는 PreferNoSchedule taint가 적을수록 높습니다.";
    NODE_AFFINITY: "nodeSelector and node affinity against the node's labels. Scores: preferred terms that hold.", "nodeSelector와 node affinity를 Node label과 비교합니다. 점수: 만족하는 preferred 조건입니다.";
    NODE_PORTS: "Host ports can be used once a node.", "host port는 Node마다 한 번만 쓸 수 있습니다.";
    NODE_RESOURCES_FIT: "Requests must fit into what is allocatable. LeastAllocated: the more cpu and memory would stay free, the higher.", "request가 allocatable 안에 들어가야 합니다. LeastAllocated: cpu와 memory가 많이 남을수록 높습니다.";
    NODE_RESOURCES_FIT_MOST: "Requests must fit into what is allocatable. MostAllocated: the less cpu and memory would stay free, the higher.", "request가 allocatable 안에 들어가야 합니다. MostAllocated: cpu와 memory가 적게 남을수록 높습니다.";
    BALANCED: "The more evenly cpu and memory would be used, the higher.", "cpu와 memory를 고르게 쓸수록 높습니다.";
    IMAGE_LOCALITY: "Nodes that already have the images score higher.", "image가 이미 있는 Node가 높습니다.";
    TOPOLOGY: "Topology spread constraints: how evenly matching pods are spread.", "topology spread constraint: Pod를 얼마나 고르게 나누는지 봅니다.";
    INTER_POD: "Affinity and anti-affinity to other pods.", "다른 Pod와의 affinity와 anti-affinity입니다.";
    VOLUMES: "Claims, volumes and their zones must be usable on the node.", "claim과 volume, zone을 그 Node에서 쓸 수 있어야 합니다.";
    OTHER: "A part of the scheduler's framework.", "scheduler framework의 한 부분입니다.";
}

/// The sentence about NodeResourcesFit where it packs.
pub(crate) fn about_packing() -> Text {
    NODE_RESOURCES_FIT_MOST
}

/// The sentence about a plugin.
pub(crate) fn about(name: &str) -> Text {
    match name {
        "NodeName" => NODE_NAME,
        "NodeUnschedulable" => NODE_UNSCHEDULABLE,
        "TaintToleration" => TAINT_TOLERATION,
        "NodeAffinity" => NODE_AFFINITY,
        "NodePorts" => NODE_PORTS,
        "NodeResourcesFit" => NODE_RESOURCES_FIT,
        "NodeResourcesBalancedAllocation" => BALANCED,
        "ImageLocality" => IMAGE_LOCALITY,
        "PodTopologySpread" => TOPOLOGY,
        "InterPodAffinity" => INTER_POD,
        "VolumeBinding" | "VolumeRestrictions" | "VolumeZone" | "NodeVolumeLimits" => VOLUMES,
        _ => OTHER,
    }
}
