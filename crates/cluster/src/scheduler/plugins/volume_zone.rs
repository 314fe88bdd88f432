//! VolumeZone: a volume can be used in its zone only.

use super::volume_binding::{claim_class, claim_of};
use super::{hints, volume_fixes};
use crate::scheduler::fix::{Fix, Wish};
use crate::scheduler::framework::{
    ActionType, ClusterEvent, CycleState, EventObjects, EventResource, FilterContext, NodeInfo, Plugin,
    PluginId, PodInfo, PreFilterResult, Status,
};
use podlab_api::kinds;
use std::collections::BTreeSet;

/// The text.
pub const ERR_REASON_CONFLICT: &str = "node(s) had no available volume zone";

const TOPOLOGY_LABELS: [&str; 4] = [
    "failure-domain.beta.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region",
    "topology.kubernetes.io/zone",
    "topology.kubernetes.io/region",
];

/// A label that a volume asks of nodes.
#[derive(Clone, Debug)]
pub struct PvTopology {
    key: &'static str,
    values: BTreeSet<String>,
}

fn ga_label(key: &'static str) -> &'static str {
    match key {
        "failure-domain.beta.kubernetes.io/zone" => "topology.kubernetes.io/zone",
        "failure-domain.beta.kubernetes.io/region" => "topology.kubernetes.io/region",
        other => other,
    }
}

/// Rejects nodes outside the zones that the labels of the pod's volumes name.
///
/// Runs: preFilter, filter. Result: unresolvable.
/// Source: pkg/scheduler/framework/plugins/volumezone/volume_zone.go (v1.37).
pub struct VolumeZone;

fn topologies(cx: &FilterContext<'_>, pod: &PodInfo) -> Result<Vec<PvTopology>, Status> {
    let reject = |text: String| Err(Status::unresolvable(PluginId::VolumeZone, text));
    let mut topologies = Vec::new();
    for claim in pod.spec().volumes.iter().flatten().filter_map(|v| v.persistent_volume_claim.as_ref()) {
        let name = &claim.claim_name;
        let Some(pvc) = claim_of(cx.store, &pod.key.namespace, name) else {
            return reject(format!("persistentvolumeclaim {name:?} not found"));
        };
        let spec = pvc.field("spec");
        let volume = spec.and_then(|s| s.get("volumeName")).and_then(|v| v.as_str()).unwrap_or("");
        if volume.is_empty() {
            let class = claim_class(pvc);
            if class.is_empty() {
                return reject("PersistentVolumeClaim had no pv name and storageClass name".to_owned());
            }
            let Some(object) = cx.store.get(&kinds::STORAGE_CLASS, "", &class) else {
                return reject(format!("storageclass.storage.k8s.io {class:?} not found"));
            };
            match object.field("volumeBindingMode").and_then(|m| m.as_str()) {
                None => return reject(format!("VolumeBindingMode not set for StorageClass {class:?}")),
                Some("WaitForFirstConsumer") => continue,
                Some(_) => return reject("PersistentVolume had no name".to_owned()),
            }
        }
        let Some(pv) = cx.store.get(&kinds::PERSISTENT_VOLUME, "", volume) else {
            return reject(format!("persistentvolume {volume:?} not found"));
        };
        for key in TOPOLOGY_LABELS {
            if let Some(value) = pv.label(key) {
                let values: BTreeSet<String> = value.split("__").map(str::to_owned).collect();
                topologies.push(PvTopology { key, values });
            }
        }
    }
    Ok(topologies)
}

impl Plugin for VolumeZone {
    fn id(&self) -> PluginId {
        PluginId::VolumeZone
    }

    fn points(&self) -> &'static [&'static str] {
        &["PreFilter", "Filter"]
    }

    fn events(&self) -> &'static [ClusterEvent] {
        const EVENTS: [ClusterEvent; 4] = [
            ClusterEvent::new(EventResource::StorageClass, ActionType::ADD),
            ClusterEvent::new(EventResource::Node, ActionType::ADD.and(ActionType::UPDATE_NODE_LABEL)),
            ClusterEvent::new(EventResource::PersistentVolumeClaim, ActionType::ADD.and(ActionType::UPDATE)),
            ClusterEvent::new(EventResource::PersistentVolume, ActionType::ADD.and(ActionType::UPDATE)),
        ];
        &EVENTS
    }

    fn hint(
        &self,
        _: &FilterContext<'_>,
        pod: &PodInfo,
        event: ClusterEvent,
        objects: EventObjects<'_>,
    ) -> bool {
        let Some(new) = objects.new else { return true };
        match event.resource {
            EventResource::StorageClass => {
                new.field("volumeBindingMode").and_then(|m| m.as_str()) == Some("WaitForFirstConsumer")
            }
            EventResource::PersistentVolumeClaim => hints::is_claim_of(new, pod),
            EventResource::PersistentVolume => objects
                .old
                .is_none_or(|old| TOPOLOGY_LABELS.iter().any(|key| old.label(key) != new.label(key))),
            _ => true,
        }
    }

    fn pre_filter(&self, cx: &FilterContext<'_>, pod: &PodInfo, state: &mut CycleState) -> PreFilterResult {
        match topologies(cx, pod) {
            Err(status) => PreFilterResult::Reject(status),
            Ok(list) if list.is_empty() => PreFilterResult::Skip,
            Ok(list) => {
                state.volume_topologies = list;
                PreFilterResult::All
            }
        }
    }

    fn filter(
        &self,
        _: &FilterContext<'_>,
        _: &PodInfo,
        state: &CycleState,
        node: &NodeInfo,
    ) -> Result<(), Status> {
        if !TOPOLOGY_LABELS.iter().any(|key| node.label(key).is_some()) {
            return Ok(());
        }
        for topology in &state.volume_topologies {
            let value = node.label(topology.key).or_else(|| node.label(ga_label(topology.key)));
            if value.is_none_or(|v| !topology.values.contains(v)) {
                return Err(Status::unresolvable(PluginId::VolumeZone, ERR_REASON_CONFLICT));
            }
        }
        Ok(())
    }

    fn explain(
        &self,
        cx: &FilterContext<'_>,
        pod: &PodInfo,
        state: &CycleState,
        node: &NodeInfo,
    ) -> Vec<Fix> {
        if state.volume_topologies.is_empty() {
            return volume_fixes::without_volumes(cx, pod);
        }
        let value = |key: &'static str| node.label(key).or_else(|| node.label(ga_label(key)));
        let fails = |t: &&PvTopology| value(t.key).is_none_or(|v| !t.values.contains(v));
        let fix = |t: &PvTopology| {
            let values: Vec<&str> = t.values.iter().map(String::as_str).collect();
            Some(Fix::LabelNode {
                key: t.key.to_owned(),
                value: t.values.first()?.clone(),
                current: value(t.key).map(str::to_owned),
                requirement: format!("{} in ({})", t.key, values.join(",")),
                wish: Wish::Volume,
            })
        };
        state.volume_topologies.iter().filter(fails).filter_map(fix).collect()
    }
}
