//! What controllers ask of pods, and which of them they delete first.
//!
//! Source: pkg/controller/controller_utils.go, pkg/api/v1/pod/util.go (v1.37).

use k8s_openapi::api::core::v1::PodCondition;
use podlab_api::Object;
use podlab_api::time::unix_seconds;
use podlab_sim::SimTime;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) fn phase(pod: &Object) -> &str {
    pod.pod_status().and_then(|status| status.phase.as_deref()).unwrap_or("")
}

pub(super) fn node_name(pod: &Object) -> &str {
    pod.node_name().unwrap_or("")
}

/// The names of the claims that a pod's volumes take.
pub(super) fn claims(pod: &Object) -> impl Iterator<Item = &str> {
    let volumes = pod.pod_spec().into_iter().flat_map(|spec| spec.volumes.iter().flatten());
    volumes.filter_map(|volume| Some(volume.persistent_volume_claim.as_ref()?.claim_name.as_str()))
}

/// Succeeded or Failed: it never runs again.
pub(super) fn is_terminal(pod: &Object) -> bool {
    matches!(phase(pod), "Succeeded" | "Failed")
}

/// Neither ended nor going.
pub(super) fn is_active(pod: &Object) -> bool {
    !is_terminal(pod) && !pod.is_terminating()
}

/// Going, and not ended.
pub(super) fn is_going(pod: &Object) -> bool {
    !is_terminal(pod) && pod.is_terminating()
}

pub(super) fn condition<'a>(pod: &'a Object, name: &str) -> Option<&'a PodCondition> {
    pod.pod_status()?.conditions.as_ref()?.iter().find(|condition| condition.type_ == name)
}

/// Since when a pod is ready, in seconds; `None` where it is not.
fn ready_since(pod: &Object) -> Option<Option<i64>> {
    let ready = condition(pod, "Ready").filter(|ready| ready.status == "True")?;
    Some(ready.last_transition_time.as_ref().map(unix_seconds))
}

pub(super) fn is_ready(pod: &Object) -> bool {
    ready_since(pod).is_some()
}

/// Whether a pod has been ready for so many seconds.
pub(super) fn is_available(pod: &Object, min_ready_seconds: i64, now: SimTime) -> bool {
    match ready_since(pod) {
        None => false,
        Some(_) if min_ready_seconds == 0 => true,
        Some(since) => since.is_some_and(|since| SimTime::from_secs(since + min_ready_seconds) <= now),
    }
}

/// When the next of these pods will have been ready for so many seconds.
pub(super) fn next_available<'a>(
    pods: impl IntoIterator<Item = &'a Arc<Object>>,
    min_ready_seconds: i64,
    now: SimTime,
) -> Option<SimTime> {
    if min_ready_seconds <= 0 {
        return None;
    }
    let at = |pod: &Arc<Object>| Some(SimTime::from_secs(ready_since(pod)?? + min_ready_seconds));
    pods.into_iter().filter_map(at).filter(|at| *at > now).min()
}

fn created(pod: &Object) -> Option<i64> {
    pod.metadata.creation_timestamp.as_ref().map(unix_seconds)
}

/// The most restarts of a container, then of a sidecar.
fn restarts(pod: &Object) -> (i32, i32) {
    let (Some(spec), Some(status)) = (pod.pod_spec(), pod.pod_status()) else { return (0, 0) };
    let regular = status.container_statuses.iter().flatten().map(|status| status.restart_count).max();
    let is_sidecar = |name: &str| {
        let mut init = spec.init_containers.iter().flatten();
        init.any(|container| container.name == name && container.restart_policy.as_deref() == Some("Always"))
    };
    let statuses = status.init_container_statuses.iter().flatten();
    let sidecars =
        statuses.filter(|status| is_sidecar(&status.name)).map(|status| status.restart_count).max();
    (regular.unwrap_or(0), sidecars.unwrap_or(0))
}

fn deletion_cost(pod: &Object) -> i32 {
    let cost = pod.annotation("controller.kubernetes.io/pod-deletion-cost");
    cost.and_then(|cost| cost.parse().ok()).unwrap_or(0)
}

fn phase_rank(pod: &Object) -> u8 {
    match phase(pod) {
        "Unknown" => 1,
        "Running" => 2,
        _ => 0,
    }
}

/// What the order of deletion goes by, worked out once a pod.
struct Standing {
    assigned: bool,
    phase: u8,
    ready: bool,
    cost: i32,
    rank: usize,
    /// `None` where it is not ready.
    ready_since: Option<Option<i64>>,
    restarts: (i32, i32),
    created: Option<i64>,
    pod: Arc<Object>,
}

impl Standing {
    fn of(pod: &Arc<Object>, rank: usize) -> Standing {
        Standing {
            assigned: !node_name(pod).is_empty(),
            phase: phase_rank(pod),
            ready: is_ready(pod),
            cost: deletion_cost(pod),
            rank,
            ready_since: ready_since(pod),
            restarts: restarts(pod),
            created: created(pod),
            pod: pod.clone(),
        }
    }
}

/// The younger first, by the power of two of their age; alike ones by uid, so that it looks like chance.
fn by_age(a: (Option<i64>, &Standing), b: (Option<i64>, &Standing), now: SimTime) -> Ordering {
    let (Some(at_a), Some(at_b)) = (a.0, b.0) else { return a.0.is_some().cmp(&b.0.is_some()) };
    if at_a == at_b {
        return Ordering::Equal;
    }
    let rank = |at: i64| {
        let age = now.as_nanos().saturating_sub(SimTime::from_secs(at).as_nanos());
        if age > 0 { libm::log2(age as f64) as i64 } else { -1 }
    };
    rank(at_a).cmp(&rank(at_b)).then_with(|| a.1.pod.uid().cmp(b.1.pod.uid()))
}

/// Sorts pods so that those to be deleted first come first; `on_node` counts the pods that share a pod's node.
///
/// Source: `ActivePodsWithRanks.Less`.
pub(super) fn sort_for_deletion(pods: &mut [Arc<Object>], on_node: &BTreeMap<String, usize>, now: SimTime) {
    let rank = |pod: &Object| on_node.get(node_name(pod)).copied().unwrap_or(0);
    let mut standings: Vec<Standing> = pods.iter().map(|pod| Standing::of(pod, rank(pod))).collect();
    standings.sort_by(|a, b| {
        a.assigned
            .cmp(&b.assigned)
            .then(a.phase.cmp(&b.phase))
            .then(a.ready.cmp(&b.ready))
            .then(a.cost.cmp(&b.cost))
            .then(b.rank.cmp(&a.rank))
            .then_with(|| match (a.ready_since, b.ready_since) {
                (Some(since_a), Some(since_b)) => by_age((since_a, a), (since_b, b), now),
                _ => Ordering::Equal,
            })
            .then(b.restarts.cmp(&a.restarts))
            .then_with(|| by_age((a.created, a), (b.created, b), now))
    });
    write_back(pods, standings);
}

fn newest_first(a: Option<i64>, b: Option<i64>) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => b.cmp(&a),
        (a, b) => a.is_some().cmp(&b.is_some()),
    }
}

/// Sorts pods so that those which run worst come first.
///
/// Source: `ActivePods.Less`.
pub(super) fn sort_active(pods: &mut [Arc<Object>]) {
    let mut standings: Vec<Standing> = pods.iter().map(|pod| Standing::of(pod, 0)).collect();
    standings.sort_by(|a, b| {
        a.assigned
            .cmp(&b.assigned)
            .then(a.phase.cmp(&b.phase))
            .then(a.ready.cmp(&b.ready))
            .then_with(|| match (a.ready_since, b.ready_since) {
                (Some(since_a), Some(since_b)) => newest_first(since_a, since_b),
                _ => Ordering::Equal,
            })
            .then(b.restarts.cmp(&a.restarts))
            .then_with(|| newest_first(a.created, b.created))
    });
    write_back(pods, standings);
}

fn write_back(pods: &mut [Arc<Object>], standings: Vec<Standing>) {
    for (slot, standing) in pods.iter_mut().zip(standings) {
        *slot = standing.pod;
    }
}
