//! Evictions of pods that write more than they may: into an emptyDir, or to the node's disk at all.
//!
//! Source: pkg/kubelet/eviction/eviction_manager.go `localStorageEviction`, `evictPod` (v1.37).

use super::KubeletEvent;
use super::pod_worker::{Env, PodWorker, WorkType};
use super::pressure::{Evicting, evict};
use super::restart_policy::is_restartable_init_container;
use super::volumes;
use crate::runtime::ContainerId;
use k8s_openapi::api::core::v1::{Container, PodSpec, Volume};
use podlab_api::Quantity;
use podlab_api::resources::{PodResourcesOptions, container_limit, pod_limits};
use std::collections::BTreeMap;

const DISK: &str = "ephemeral-storage";
pub(crate) const REASON: &str = "Evicted";
/// A pod that is evicted at once leaves its containers so many seconds.
///
/// Source: `immediateEvictionGracePeriodSeconds`.
pub(crate) const GRACE: i64 = 1;

/// The phase Failed by the kubelet's own decision.
#[derive(Clone, Debug)]
pub(crate) struct Evicted {
    pub reason: &'static str,
    pub message: String,
    /// Whether the eviction manager said so, or the pod's deadline.
    pub by_manager: bool,
    /// Whether the pod gets the condition DisruptionTarget.
    pub disruption: bool,
}

/// The emptyDir volumes on disk that have a limit, each with it.
fn limited(spec: &PodSpec) -> impl Iterator<Item = (&Volume, Quantity)> {
    spec.volumes.iter().flatten().filter_map(|volume| {
        let source = volume.empty_dir.as_ref().filter(|e| e.medium.as_deref() != Some("Memory"))?;
        let limit = Quantity::try_from(source.size_limit.as_ref()?).ok()?;
        (limit.signum() > 0).then_some((volume, limit))
    })
}

/// How much of the node's disk a container may use.
fn disk_limit(container: &Container) -> Option<Quantity> {
    container_limit(container, DISK).filter(|limit| !limit.is_zero())
}

fn own_containers(spec: &PodSpec) -> impl Iterator<Item = &Container> {
    let sidecars = spec.init_containers.iter().flatten().filter(|c| is_restartable_init_container(c));
    spec.containers.iter().chain(sidecars)
}

/// Looks from now on what the pod writes, if it has a limit to that.
pub(crate) fn start(env: &mut Env<'_, '_>, w: &PodWorker) {
    let Some(spec) = w.pod.pod_spec() else { return };
    if limited(spec).next().is_some() || own_containers(spec).any(|c| disk_limit(c).is_some()) {
        plan(env);
    }
}

fn plan(env: &mut Env<'_, '_>) {
    let at = env.node.next_eviction_look(env.cx.now());
    env.cx.at(at, KubeletEvent::LocalStorage { pod: env.ix }.into());
}

/// Looks at the pod's volumes: one beyond its limit ends the pod.
pub(crate) fn look(env: &mut Env<'_, '_>, w: &mut PodWorker) {
    if w.work != WorkType::Sync || w.next_work.is_some() || !volumes::all_mounted(w) {
        return;
    }
    let Some(spec) = w.pod.pod_spec().cloned() else { return };
    let Some(text) = exceeded(env, w, &spec) else { return plan(env) };
    evict(env, w, Evicting { message: text, annotations: BTreeMap::new(), disruption: false });
}

/// What the pod has too much of.
fn exceeded(env: &Env<'_, '_>, w: &PodWorker, spec: &PodSpec) -> Option<String> {
    let above = |used: u64, limit: &Quantity| i64::try_from(used).unwrap_or(i64::MAX) > limit.value();
    let in_volume =
        |volume: &Volume| env.runtime.volume_used(&volumes::volume_id(w, &volume.name)).unwrap_or(0);
    if let Some((volume, limit)) = limited(spec).find(|(volume, limit)| above(in_volume(volume), limit)) {
        let name = &volume.name;
        return Some(format!(
            "Usage of EmptyDir volume {name:?} exceeds the limit {:?}. ",
            limit.to_string()
        ));
    }
    let used_by = |container: &Container| -> u64 {
        let of =
            |id: &&ContainerId| env.runtime.container_status(id).is_some_and(|s| s.name == container.name);
        w.containers.iter().rev().find(of).map_or(0, |id| env.runtime.container_disk(id))
    };
    let limits = pod_limits(spec, None, &PodResourcesOptions::default());
    if let Some(limit) = limits.get(DISK) {
        let on_disk =
            |v: &&Volume| v.empty_dir.as_ref().is_some_and(|e| e.medium.as_deref() != Some("Memory"));
        let volumes = spec.volumes.iter().flatten().filter(on_disk).map(in_volume);
        let all = own_containers(spec).map(used_by).chain(volumes).fold(0, u64::saturating_add);
        if above(all, limit) {
            return Some(format!(
                "Pod ephemeral local storage usage exceeds the total limit of containers {limit}. "
            ));
        }
    }
    let (container, limit) = own_containers(spec)
        .filter_map(|container| Some((container, disk_limit(container)?)))
        .find(|(container, limit)| above(used_by(container), limit))?;
    let name = &container.name;
    Some(format!("Container {name} exceeded its local ephemeral storage limit {:?}. ", limit.to_string()))
}
