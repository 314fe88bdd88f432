//! `activeDeadlineSeconds`.
//!
//! Source: pkg/kubelet/active_deadline.go (v1.37).

use super::KubeletEvent;
use super::eviction::Evicted;
use super::pod_worker::{Env, PodWorker};
use crate::recorder::{EventType, InvolvedObject};
use podlab_api::time::unix_seconds;
use podlab_sim::{SimDuration, SimTime};

const REASON: &str = "DeadlineExceeded";
const MESSAGE: &str = "Pod was active on the node longer than the specified deadline";

/// When the pod's time is over; `None` where it has no deadline or has not begun.
fn ends(w: &PodWorker) -> Option<SimTime> {
    let seconds = u64::try_from(w.pod.pod_spec()?.active_deadline_seconds?).ok()?;
    let start = w.status.start_time.as_ref()?;
    Some(SimTime::from_secs(unix_seconds(start)) + SimDuration::from_secs(seconds))
}

/// Looks at the deadline: past it the pod fails, before it the worker is woken in time.
pub(crate) fn check(env: &mut Env<'_, '_>, w: &mut PodWorker) {
    let Some(end) = ends(w) else { return };
    let now = env.cx.now();
    if now >= end {
        let about = InvolvedObject::of(&w.pod);
        env.node.recorder.event(env.cx.api, &about, EventType::Normal, REASON, MESSAGE);
        w.evict = Some(Evicted {
            reason: REASON,
            message: MESSAGE.to_owned(),
            by_manager: false,
            disruption: false,
        });
        return;
    }
    if w.deadline.is_none_or(|slot| slot.at != env.node.next_sync_tick(end)) {
        if let Some(slot) = w.deadline.take() {
            env.cx.agenda.cancel(slot);
        }
        let at = env.node.next_sync_tick(end);
        w.deadline = Some(env.cx.at(at, KubeletEvent::Deadline { pod: env.ix }.into()));
    }
}
