//! Trying a pod without scheduling it.

use super::Evaluations;
use super::decision::{Decision, Outcome};
use super::framework::{FilterContext, PodInfo};
use super::plugins::scheduling_gates;
use super::schedule_one::scheduling_cycle;
use crate::world::World;
use podlab_api::{Object, kinds};
use podlab_sim::Draw;
use std::sync::Arc;

/// What would be decided about a pod now: filters, scores and preemption run, and nothing changes.
///
/// `pod` is an object with its defaults, as the API server would store it (a dry run gives one). It need not exist; where
/// a pod of its name does, that one is taken not to have been placed yet. `None` where it is no pod, or names a
/// scheduler that does not run. Ties are drawn as
/// for a first attempt.
pub fn what_if(world: &World, pod: &Object) -> Option<Decision> {
    let pod = Arc::new(PodInfo::new(Arc::new(pod.clone()))?);
    let scheduler = &world.scheduler;
    let name = pod.spec().scheduler_name.as_deref().unwrap_or("");
    let profile = scheduler.profile(name)?;
    let store = world.api.store();
    let placed =
        store.get_key(&kinds::POD, &pod.key).filter(|p| scheduler.cache().pod_slot(p.uid()).is_some());
    let without = placed.map(|placed| {
        let mut cache = scheduler.cache().clone();
        cache.remove_pod(placed.uid());
        cache
    });
    let cache = without.as_ref().unwrap_or(scheduler.cache());
    let cx = FilterContext { cache, store, profile, now: world.now() };
    let key = format!("{}/{}", pod.key.namespace, pod.key.name);
    let draw = Draw::keyed(world.settings.seed, "scheduler", &key, 1);
    let start = scheduler.next_start_node_index();
    let mut cycle =
        scheduling_cycle(&cx, scheduler.nominator(), &pod, start, 1, draw, &mut Evaluations::default());
    if !scheduling_gates::pre_enqueue(&pod) {
        let gates = pod.spec().scheduling_gates.iter().flatten().map(|g| g.name.clone()).collect();
        cycle.decision.outcome = Outcome::Gated { gates };
        return Some(cycle.decision);
    }
    if let Some(node) = cycle.chosen.and_then(|slot| cx.cache.node(slot)) {
        cycle.decision.message = format!("Successfully assigned {key} to {}", node.name);
        cycle.decision.outcome = Outcome::Bound { node: node.name.clone() };
    }
    Some(cycle.decision)
}
