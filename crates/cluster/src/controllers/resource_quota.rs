//! resourcequota-controller: keeps what a quota says of hard limits and use, where admission does not: for a
//! new quota, and when something that counted is gone.
//!
//! A new or changed quota is reckoned at once rather than after the latency of a watch, since it forbids nothing
//! before that and time does not pass between the lines of a paused terminal.
//!
//! Source: pkg/controller/resourcequota/resource_quota_controller.go and resource_quota_monitor.go (v1.37).

use super::ControllerEvent;
use crate::event::Event;
use crate::latency;
use crate::quota::{self, Quota};
use crate::store::{Change, Key};
use crate::world::Cx;
use podlab_api::door::ChangeType;
use podlab_api::{Object, kinds};
use podlab_sim::{SimDuration, SimTime};
use std::collections::BTreeSet;

/// Every quota is reckoned again this often; only for pods that should be gone does that matter.
///
/// Source: pkg/controller/resourcequota/config/v1alpha1/defaults.go `ResourceQuotaSyncPeriod` (v1.37).
const SYNC_PERIOD: SimDuration = SimDuration::from_secs(300);

#[derive(Clone, Debug, Default)]
pub(super) struct ResourceQuotaController {
    /// Quotas that are to be reckoned after the latency of a watch.
    queued: BTreeSet<Key>,
}

impl ResourceQuotaController {
    pub(super) fn observe(&mut self, change: &Change, cx: &mut Cx<'_>) {
        let object = &change.object;
        let kind = object.kind;
        if !quota::is_quotable(kind) {
            return;
        }
        if *kind == kinds::RESOURCE_QUOTA && change.change != ChangeType::Deleted {
            let hard = |o: &Object| o.field("spec").and_then(|s| s.get("hard")).cloned();
            if change.before.as_ref().is_none_or(|before| hard(before) != hard(object)) {
                self.sync(&Key::of(object), cx);
            } else if let quota = Quota::read(object)
                && quota.hard != quota.wanted
            {
                // What somebody else says of it stands until all quotas are reckoned again.
                let at = cx.now().next_tick(cx.settings.start, SYNC_PERIOD);
                cx.at(at, Event::Controller(ControllerEvent::ResourceQuota(Key::of(object))));
            }
        }
        let frees = match (change.change, &change.before) {
            (ChangeType::Deleted, _) => true,
            (_, Some(before)) if *kind == kinds::POD => {
                let now = cx.now();
                quota::is_terminating(before) != quota::is_terminating(object)
                    || (quota::charges_pod(before, now) && !quota::charges_pod(object, now))
            }
            (_, Some(before)) if *kind == kinds::SERVICE => {
                quota::charged_type(before) != quota::charged_type(object)
            }
            (_, Some(before)) if *kind == kinds::PERSISTENT_VOLUME_CLAIM => {
                before.field("status") != object.field("status")
            }
            _ => false,
        };
        if frees {
            self.replenish(object, cx);
        }
        if *kind == kinds::POD
            && object.is_terminating()
            && change.before.as_ref().is_some_and(|before| !before.is_terminating())
        {
            self.look_again_at(object, cx);
        }
    }

    /// Queues the quotas that limit something of a kind.
    fn replenish(&mut self, object: &Object, cx: &mut Cx<'_>) {
        for key in limiting(object, cx) {
            if self.queued.insert(key.clone()) {
                cx.after(latency::WATCH, Event::Controller(ControllerEvent::ResourceQuota(key)));
            }
        }
    }

    /// A pod that is still there after its grace period stops counting, which no change of an object tells.
    fn look_again_at(&mut self, pod: &Object, cx: &mut Cx<'_>) {
        let Some(deletion) = pod.metadata.deletion_timestamp.as_ref().map(podlab_api::time::unix_seconds)
        else {
            return;
        };
        let grace = u64::try_from(pod.metadata.deletion_grace_period_seconds.unwrap_or(0)).unwrap_or(0);
        let over = SimTime::from_secs(deletion) + SimDuration::from_secs(grace.saturating_add(1));
        let at = over.next_tick(cx.settings.start, SYNC_PERIOD);
        for key in limiting(pod, cx) {
            cx.at(at, Event::Controller(ControllerEvent::ResourceQuota(key)));
        }
    }

    /// Reckons a quota from all objects of its namespace and writes its status if that changes it.
    pub(super) fn sync(&mut self, key: &Key, cx: &mut Cx<'_>) {
        self.queued.remove(key);
        let Some(object) = cx.api.store().get_key(&kinds::RESOURCE_QUOTA, key) else { return };
        let quota = Quota::read(object);
        let mut used = quota.used.clone();
        used.extend(quota::total_usage(
            cx.api.store(),
            cx.api.defined_kinds(),
            &key.namespace,
            &quota,
            cx.now(),
        ));
        used.retain(|name, _| quota.wanted.contains_key(name));
        if quota.known && quota.hard == quota.wanted && used == quota.used {
            return;
        }
        let status = quota::status(&quota.wanted, &used);
        let _ = cx.api.write_status(&kinds::RESOURCE_QUOTA, &key.namespace, &key.name, status);
    }
}

fn limiting(object: &Object, cx: &Cx<'_>) -> Vec<Key> {
    let quotas = cx.api.store().list_namespace(&kinds::RESOURCE_QUOTA, object.namespace());
    quotas
        .filter(|quota| Quota::read(quota).hard.keys().any(|name| quota::counts(object.kind, name)))
        .map(|quota| Key::of(quota))
        .collect()
}
