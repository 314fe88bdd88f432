//! A DaemonSet's status.
//!
//! Source: pkg/controller/daemon/daemon_controller.go `updateDaemonSetStatus` (v1.37).

use super::super::pods;
use super::super::queue::SyncError;
use super::super::values::set_status;
use super::placement::{Placement, is_updated};
use super::{DaemonSetController, sort_by_age};
use crate::world::Cx;
use podlab_api::{Object, kinds};
use podlab_sim::SimTime;
use serde_json::{Map, Value};
use std::sync::Arc;

impl DaemonSetController {
    /// Writes the status where it differs; gives when the next pod will be available.
    pub(super) fn update_status(
        &self,
        set: &Arc<Object>,
        placement: &Placement,
        hash: &str,
        cx: &mut Cx<'_>,
    ) -> Result<Option<SimTime>, SyncError> {
        let mut on_node = self.pods_by_node(set, false, cx)?;
        let min_ready = placement.min_ready_seconds();
        let [mut desired, mut current, mut mis, mut ready, mut updated, mut available] = [0i64; 6];
        let mut counted = Vec::new();
        for node in cx.api.store().list(&kinds::NODE) {
            let present = on_node.get_mut(node.name());
            if !placement.on(node).0 {
                mis += i64::from(present.is_some());
                continue;
            }
            desired += 1;
            let Some(present) = present else { continue };
            current += 1;
            sort_by_age(present);
            let Some(pod) = present.first() else { continue };
            ready += i64::from(pods::is_ready(pod));
            available += i64::from(pods::is_available(pod, min_ready, cx.now()));
            updated += i64::from(is_updated(pod, set, hash));
            counted.push(pod.clone());
        }
        let before = set.field("status").and_then(Value::as_object);
        let mut status: Map<String, Value> = Map::new();
        for kept in ["collisionCount", "conditions"] {
            if let Some(value) = before.and_then(|before| before.get(kept)) {
                status.insert(kept.to_owned(), value.clone());
            }
        }
        let always = [
            ("desiredNumberScheduled", desired),
            ("currentNumberScheduled", current),
            ("numberMisscheduled", mis),
            ("numberReady", ready),
        ];
        let unless_zero = [
            ("observedGeneration", set.metadata.generation.unwrap_or(0)),
            ("updatedNumberScheduled", updated),
            ("numberAvailable", available),
            ("numberUnavailable", desired - available),
        ];
        for (name, count) in always.into_iter().chain(unless_zero.into_iter().filter(|(_, n)| *n != 0)) {
            status.insert(name.to_owned(), count.into());
        }
        if before != Some(&status) {
            set_status(set, Value::Object(status), cx)?;
        }
        let next = pods::next_available(&counted, min_ready, cx.now());
        Ok(next.filter(|_| ready != available))
    }
}
