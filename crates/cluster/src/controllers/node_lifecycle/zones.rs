//! How fast nodes are tainted NoExecute: one in ten seconds in each zone, slower or not at all where so many are
//! down that the fault is rather the network's.
//!
//! Source: pkg/controller/nodelifecycle/node_lifecycle_controller.go `handleDisruption`, `ComputeZoneState`,
//! and scheduler/rate_limited_queue.go (v1.37).

use super::{conditions, taints};
use crate::world::Cx;
use podlab_api::{Object, kinds};
use podlab_sim::{SimDuration, SimTime};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Between two nodes of a zone.
///
/// Source: config/v1alpha1 `NodeEvictionRate` 0.1 a second.
const PERIOD: SimDuration = SimDuration::from_secs(10);
/// The same where most of a large zone is down.
///
/// Source: `SecondaryNodeEvictionRate` 0.01 a second.
const SLOW_PERIOD: SimDuration = SimDuration::from_secs(100);
/// A zone with more nodes is large.
///
/// Source: `LargeClusterSizeThreshold`.
const LARGE: usize = 50;
/// From this share on a zone counts as partially disrupted, in hundredths.
///
/// Source: `UnhealthyZoneThreshold`.
const UNHEALTHY_PERCENT: usize = 55;

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Normal,
    Partial,
    Full,
}

#[derive(Clone, Debug)]
struct Zone {
    /// Nodes that wait for their taint, in order.
    queue: Vec<String>,
    /// Between two nodes; `None` stops it.
    period: Option<SimDuration>,
    /// When the next node may be tainted.
    free_at: SimTime,
}

impl Default for Zone {
    fn default() -> Zone {
        Zone { queue: Vec::new(), period: Some(PERIOD), free_at: SimTime::from_secs(0) }
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Zones {
    /// Region and zone → its queue.
    zones: BTreeMap<(String, String), Zone>,
    /// Whether no node of the whole cluster is ready: then nothing is tainted.
    all_down: bool,
}

fn zone_of(node: &Object) -> (String, String) {
    let label =
        |names: [&str; 2]| names.into_iter().find_map(|name| node.label(name)).unwrap_or("").to_owned();
    (
        label(["topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region"]),
        label(["topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone"]),
    )
}

impl Zones {
    pub(super) fn enqueue(&mut self, node: &Object) {
        let queue = &mut self.zones.entry(zone_of(node)).or_default().queue;
        if !queue.iter().any(|name| name == node.name()) {
            queue.push(node.name().to_owned());
        }
    }

    pub(super) fn forget(&mut self, node: &str) {
        for zone in self.zones.values_mut() {
            zone.queue.retain(|name| name != node);
        }
    }

    /// When the next node may be tainted; `None` where none waits.
    pub(super) fn next_at(&self, now: SimTime) -> Option<SimTime> {
        let waiting = self.zones.values().filter(|zone| !zone.queue.is_empty() && zone.period.is_some());
        waiting.map(|zone| zone.free_at.max(now)).min()
    }

    pub(super) fn take_due(&mut self, now: SimTime) -> Vec<String> {
        let mut due = Vec::new();
        for zone in self.zones.values_mut() {
            let Some(period) = zone.period else { continue };
            if zone.free_at <= now && !zone.queue.is_empty() {
                due.push(zone.queue.remove(0));
                zone.free_at = now + period;
            }
        }
        due
    }

    /// Sets the rates by how many nodes of each zone are ready; says whether the cluster came out of a state in
    /// which none was.
    pub(super) fn handle_disruption(&mut self, cx: &mut Cx<'_>) -> bool {
        // zone → (ready, not ready)
        let mut counts: BTreeMap<(String, String), (usize, usize)> = BTreeMap::new();
        for node in cx.api.store().list(&kinds::NODE) {
            if node.label("node.kubernetes.io/exclude-disruption").is_some() {
                continue;
            }
            let count = counts.entry(zone_of(node)).or_default();
            match conditions::ready_status(node) {
                Some("True") => count.0 += 1,
                _ => count.1 += 1,
            }
        }
        let states: BTreeMap<_, _> =
            counts.into_iter().map(|(zone, count)| (zone, (state(count), count))).collect();
        let was_down = self.all_down;
        self.all_down = !states.is_empty() && states.values().all(|(state, _)| *state == State::Full);
        if self.all_down {
            if !was_down {
                let nodes: Vec<Arc<Object>> = cx.api.store().list(&kinds::NODE).cloned().collect();
                for node in nodes {
                    taints::mark_as_reachable(node.name(), cx);
                }
                self.zones.values_mut().for_each(|zone| zone.queue.clear());
            }
            self.zones.values_mut().for_each(|zone| zone.period = None);
            return false;
        }
        for (zone, (state, (ready, not_ready))) in states {
            let period = match state {
                State::Partial if ready + not_ready > LARGE => Some(SLOW_PERIOD),
                State::Partial => None,
                State::Normal | State::Full => Some(PERIOD),
            };
            self.zones.entry(zone).or_default().period = period;
        }
        was_down
    }
}

fn state((ready, not_ready): (usize, usize)) -> State {
    if ready == 0 && not_ready > 0 {
        State::Full
    } else if not_ready > 2 && not_ready * 100 >= (ready + not_ready) * UNHEALTHY_PERCENT {
        State::Partial
    } else {
        State::Normal
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_disrupted_from_three_nodes_and_55_percent_on() {
        assert_eq!(state((0, 1)), State::Full);
        assert_eq!(state((1, 2)), State::Normal);
        assert_eq!(state((2, 3)), State::Partial);
        assert_eq!(state((3, 3)), State::Normal);
    }
}
