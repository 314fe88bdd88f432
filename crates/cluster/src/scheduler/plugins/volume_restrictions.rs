//! VolumeRestrictions: volumes that only one pod can use.

use super::hints;
use super::volume_binding::claim_of;
use crate::scheduler::fix::{Fix, pod_name};
use crate::scheduler::framework::{
    ActionType, ClusterEvent, CycleState, EventObjects, EventResource, FilterContext, NodeInfo, Plugin,
    PluginId, PodInfo, PreFilterResult, Status,
};
use k8s_openapi::api::core::v1::Volume;

/// A disk is in use on the node in a way that excludes the pod's.
pub const ERR_REASON_DISK_CONFLICT: &str = "node(s) had no available disk";
/// A claim with access mode ReadWriteOncePod is in use.
pub const ERR_REASON_READ_WRITE_ONCE_POD: &str = "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod";

/// Rejects nodes where a disk is in use that cannot be shared, and any node while a claim with access mode
/// ReadWriteOncePod is in use.
///
/// Runs: preFilter, filter. Result: unschedulable.
/// Source: pkg/scheduler/framework/plugins/volumerestrictions/volume_restrictions.go (v1.37).
pub struct VolumeRestrictions;

fn needs_check(volume: &Volume) -> bool {
    volume.gce_persistent_disk.is_some()
        || volume.aws_elastic_block_store.is_some()
        || volume.rbd.is_some()
        || volume.iscsi.is_some()
}

fn conflict(volume: &Volume, other: &Volume) -> bool {
    let read_only = |flag: Option<bool>| flag.unwrap_or(false);
    if let (Some(a), Some(b)) = (&volume.gce_persistent_disk, &other.gce_persistent_disk)
        && a.pd_name == b.pd_name
        && !(read_only(a.read_only) && read_only(b.read_only))
    {
        return true;
    }
    if let (Some(a), Some(b)) = (&volume.aws_elastic_block_store, &other.aws_elastic_block_store)
        && a.volume_id == b.volume_id
    {
        return true;
    }
    if let (Some(a), Some(b)) = (&volume.iscsi, &other.iscsi)
        && a.iqn == b.iqn
        && !(read_only(a.read_only) && read_only(b.read_only))
    {
        return true;
    }
    if let (Some(a), Some(b)) = (&volume.rbd, &other.rbd) {
        let pool = |p: &Option<String>| p.as_deref().filter(|p| !p.is_empty()).unwrap_or("rbd").to_owned();
        return a.monitors.iter().any(|m| b.monitors.contains(m))
            && pool(&a.pool) == pool(&b.pool)
            && a.image == b.image
            && !(read_only(a.read_only) && read_only(b.read_only));
    }
    false
}

fn uses(pod: &PodInfo, claims: &[String]) -> i64 {
    let volumes = pod.spec().volumes.iter().flatten().filter_map(|v| v.persistent_volume_claim.as_ref());
    let used = volumes.filter(|c| claims.contains(&c.claim_name));
    i64::try_from(used.count()).unwrap_or(i64::MAX)
}

impl Plugin for VolumeRestrictions {
    fn id(&self) -> PluginId {
        PluginId::VolumeRestrictions
    }

    fn points(&self) -> &'static [&'static str] {
        &["PreFilter", "Filter"]
    }

    fn filter_lacks(&self) -> Option<&'static str> {
        Some("cannot read \"PreFilterVolumeRestrictions\" from cycleState")
    }

    fn events(&self) -> &'static [ClusterEvent] {
        const EVENTS: [ClusterEvent; 3] = [
            ClusterEvent::ASSIGNED_POD_DELETE,
            ClusterEvent::NODE_ADD,
            ClusterEvent::new(EventResource::PersistentVolumeClaim, ActionType::ADD),
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
        match (event.resource, objects.new) {
            (EventResource::PersistentVolumeClaim, Some(new)) => {
                // Claims that the pod makes itself are never shared.
                new.namespace() == &*pod.key.namespace && uses(pod, &[new.name().to_owned()]) > 0
            }
            (EventResource::AssignedPod, _) => hints::pod_held(objects, |old, spec| {
                let own = || pod.spec().volumes.iter().flatten();
                let theirs = || spec.volumes.iter().flatten();
                let same_claim = own().any(|v| {
                    let claim = v.persistent_volume_claim.as_ref().map(|c| &c.claim_name);
                    claim.is_some()
                        && theirs()
                            .any(|o| o.persistent_volume_claim.as_ref().map(|c| &c.claim_name) == claim)
                });
                old.namespace() == &*pod.key.namespace
                    && (same_claim || own().any(|v| theirs().any(|o| conflict(v, o))))
            }),
            _ => true,
        }
    }

    fn pre_filter(&self, cx: &FilterContext<'_>, pod: &PodInfo, state: &mut CycleState) -> PreFilterResult {
        let Some(volumes) = pod.spec().volumes.as_deref() else { return PreFilterResult::Skip };
        let mut exclusive = Vec::new();
        for claim in volumes.iter().filter_map(|v| v.persistent_volume_claim.as_ref()) {
            let name = &claim.claim_name;
            let Some(pvc) = claim_of(cx.store, &pod.key.namespace, name) else {
                let text = format!("persistentvolumeclaim {name:?} not found");
                return PreFilterResult::Reject(Status::unresolvable(PluginId::VolumeRestrictions, text));
            };
            let modes = pvc.field("spec").and_then(|s| s.get("accessModes")).and_then(|m| m.as_array());
            if modes.is_some_and(|modes| modes.iter().any(|m| m == "ReadWriteOncePod")) {
                exclusive.push(name.clone());
            }
        }
        let in_use = if exclusive.is_empty() {
            0
        } else {
            let used = |name: &&String| {
                let names = [(*name).clone()];
                let pods = || cx.cache.nodes().flat_map(|n| &n.pods);
                pods().any(|p| p.key.namespace == pod.key.namespace && uses(p, &names) > 0)
            };
            i64::try_from(exclusive.iter().filter(used).count()).unwrap_or(i64::MAX)
        };
        if in_use == 0 && !volumes.iter().any(needs_check) {
            return PreFilterResult::Skip;
        }
        state.read_write_once_pod = (in_use, exclusive);
        PreFilterResult::All
    }

    fn filter(
        &self,
        _: &FilterContext<'_>,
        pod: &PodInfo,
        state: &CycleState,
        node: &NodeInfo,
    ) -> Result<(), Status> {
        for volume in pod.spec().volumes.iter().flatten().filter(|v| needs_check(v)) {
            let others = node.pods.iter().flat_map(|p| p.spec().volumes.iter().flatten());
            if others.into_iter().any(|other| conflict(volume, other)) {
                return Err(Status::unschedulable(PluginId::VolumeRestrictions, ERR_REASON_DISK_CONFLICT));
            }
        }
        if state.read_write_once_pod.0 > 0 {
            return Err(Status::unschedulable(PluginId::VolumeRestrictions, ERR_REASON_READ_WRITE_ONCE_POD));
        }
        Ok(())
    }

    fn count_pod(
        &self,
        _: &FilterContext<'_>,
        _: &PodInfo,
        state: &mut CycleState,
        other: &PodInfo,
        _: &NodeInfo,
        by: i64,
    ) {
        state.read_write_once_pod.0 += by * uses(other, &state.read_write_once_pod.1);
    }

    fn explain(
        &self,
        cx: &FilterContext<'_>,
        pod: &PodInfo,
        state: &CycleState,
        node: &NodeInfo,
    ) -> Vec<Fix> {
        let (_, exclusive) = &state.read_write_once_pod;
        let missing = super::volume_fixes::missing_claims(cx, pod);
        if !missing.is_empty() {
            return missing;
        }
        let mut fixes = Vec::new();
        for volume in pod.spec().volumes.iter().flatten().filter(|v| needs_check(v)) {
            let in_use =
                |p: &&std::sync::Arc<PodInfo>| p.spec().volumes.iter().flatten().any(|o| conflict(volume, o));
            let pods: Vec<String> = node.pods.iter().filter(in_use).map(|p| pod_name(&p.key)).collect();
            if !pods.is_empty() {
                fixes.push(Fix::FreeDisk { volume: volume.name.clone(), pods });
            }
        }
        for claim in exclusive {
            let names = [claim.clone()];
            let users = cx.cache.nodes().flat_map(|n| &n.pods);
            let users = users.filter(|p| p.key.namespace == pod.key.namespace && uses(p, &names) > 0);
            let pods: Vec<String> = users.map(|p| pod_name(&p.key)).collect();
            if !pods.is_empty() {
                fixes.push(Fix::ReleaseClaim { claim: claim.clone(), pods });
            }
        }
        fixes
    }
}
