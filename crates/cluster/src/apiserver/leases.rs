//! Node leases, whose renewals are reckoned, not written.
//!
//! A kubelet renews its lease every 10 s. Written, that would cost six writes a minute and node and fill the
//! history; so the server keeps for each node since when its kubelet runs, and works out from that when it
//! last renewed.

use super::ApiServer;
use podlab_api::time::micro_time;
use podlab_api::{Body, Object, kinds};
use podlab_sim::{SimDuration, SimTime};
use serde_json::Value;
use std::sync::Arc;

/// A kubelet renews its lease this often.
///
/// Source: pkg/kubelet/kubelet.go `nodeLeaseRenewIntervalFraction` of 40 s (v1.37).
pub const RENEW_INTERVAL: SimDuration = SimDuration::from_secs(10);

/// Since when a kubelet renews its lease, and until when it did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Renewal {
    /// The first renewal.
    pub since: SimTime,
    /// The last one, of a kubelet that has stopped.
    pub until: Option<SimTime>,
}

impl ApiServer {
    /// When a node's kubelet last renewed its lease; `None` where it never did.
    pub fn lease_renewed_at(&self, node: &str) -> Option<SimTime> {
        let renewal = self.renewals.get(node)?;
        Some(match renewal.until {
            Some(until) => until,
            None => last_before(renewal.since, self.now),
        })
    }

    /// Whether a node's kubelet runs and renews its lease.
    pub fn lease_is_renewed(&self, node: &str) -> bool {
        self.renewals.get(node).is_some_and(|renewal| renewal.until.is_none())
    }

    /// A node's kubelet runs from now on.
    pub(crate) fn start_lease(&mut self, node: &str) {
        let renewal = Renewal { since: self.now, until: None };
        self.renewals.insert(node.to_owned(), renewal);
    }

    /// A node's kubelet has stopped.
    pub(crate) fn stop_lease(&mut self, node: &str) {
        let now = self.now;
        if let Some(renewal) = self.renewals.get_mut(node)
            && renewal.until.is_none()
        {
            renewal.until = Some(last_before(renewal.since, now));
        }
    }
}

/// The namespace of the nodes' leases.
const NAMESPACE: &str = "kube-node-lease";

impl ApiServer {
    /// A lease as a client sees it: that of a node with the time of its last renewal.
    pub(super) fn seen(&self, object: &Arc<Object>) -> Arc<Object> {
        let is_node_lease = *object.kind == kinds::LEASE && object.namespace() == NAMESPACE;
        let Some(renewed) = self.lease_renewed_at(object.name()).filter(|_| is_node_lease) else {
            return object.clone();
        };
        let mut seen = (**object).clone();
        if let Body::Tree(fields) = &mut seen.body
            && let Some(spec) = Arc::make_mut(fields).get_mut("spec").and_then(Value::as_object_mut)
            && let Ok(time) = serde_json::to_value(micro_time(renewed.as_nanos()))
        {
            spec.insert("renewTime".to_owned(), time);
        }
        Arc::new(seen)
    }
}

fn last_before(since: SimTime, now: SimTime) -> SimTime {
    let gone = now.since(since).as_secs() / RENEW_INTERVAL.as_secs();
    since + RENEW_INTERVAL * u32::try_from(gone).unwrap_or(u32::MAX)
}
