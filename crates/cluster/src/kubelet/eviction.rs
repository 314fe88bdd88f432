//! Evictions of pods that write more into an emptyDir than its `sizeLimit`.
//!
//! Source: pkg/kubelet/eviction/eviction_manager.go `emptyDirLimitEviction`, `evictPod` (v1.37).

use super::KubeletEvent;
use super::pod_worker::{self, Env, PodWorker, WorkType};
use super::volumes;
use crate::latency;
use crate::recorder::{EventType, InvolvedObject};
use k8s_openapi::api::core::v1::{PodSpec, Volume};
use podlab_api::Quantity;
use podlab_sim::SimTime;

const REASON: &str = "Evicted";
/// A pod that is evicted at once leaves its containers so many seconds.
///
/// Source: `immediateEvictionGracePeriodSeconds`.
const GRACE: i64 = 1;

/// The emptyDir volumes on disk that have a limit, each with it.
fn limited(spec: &PodSpec) -> impl Iterator<Item = (&Volume, Quantity)> {
    spec.volumes.iter().flatten().filter_map(|volume| {
        let source = volume.empty_dir.as_ref().filter(|e| e.medium.as_deref() != Some("Memory"))?;
        let limit = Quantity::try_from(source.size_limit.as_ref()?).ok()?;
        (limit.signum() > 0).then_some((volume, limit))
    })
}

/// Looks from now on what the pod writes, if it has a volume with a limit.
pub(crate) fn start(env: &mut Env<'_, '_>, w: &PodWorker) {
    if w.pod.pod_spec().is_some_and(|spec| limited(spec).next().is_some()) {
        plan(env);
    }
}

fn plan(env: &mut Env<'_, '_>) {
    let next = env.cx.now() + podlab_sim::SimDuration::from_nanos(1);
    let at = next.next_tick(SimTime::START, latency::EVICTION_MONITOR);
    env.cx.at(at, KubeletEvent::LocalStorage { pod: env.ix }.into());
}

/// Looks at the pod's volumes: one beyond its limit ends the pod.
pub(crate) fn look(env: &mut Env<'_, '_>, w: &mut PodWorker) {
    if w.work != WorkType::Sync || w.next_work.is_some() || !volumes::all_mounted(w) {
        return;
    }
    let Some(spec) = w.pod.pod_spec().cloned() else { return };
    let full = limited(&spec).find(|(volume, limit)| {
        let used = env.runtime.volume_used(&volumes::volume_id(w, &volume.name)).unwrap_or(0);
        i64::try_from(used).unwrap_or(i64::MAX) > limit.value()
    });
    let Some((volume, limit)) = full else { return plan(env) };
    let text =
        format!("Usage of EmptyDir volume {:?} exceeds the limit {:?}. ", volume.name, limit.to_string());
    let about = InvolvedObject::of(&w.pod);
    env.node.recorder.event(env.cx.api, &about, EventType::Warning, REASON, &text);
    w.evict = Some((REASON.to_owned(), text));
    w.grace = Some(GRACE);
    w.next_work = Some(WorkType::Terminating);
    pod_worker::update_pod(env, w);
}
