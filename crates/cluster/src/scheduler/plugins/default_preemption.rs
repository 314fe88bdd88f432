//! DefaultPreemption: makes room for a pod by evicting pods of lower priority.
//!
//! Source: pkg/scheduler/framework/plugins/defaultpreemption/default_preemption.go and
//! pkg/scheduler/framework/preemption (v1.37).

use crate::scheduler::framework::fit_error::Diagnosis;
use crate::scheduler::framework::runtime::{active_filters, run_filter_plugins_with_nominated_pods};
use crate::scheduler::framework::{
    ClusterEvent, Code, CycleState, EventObjects, FilterContext, NodeInfo, Plugin, PluginId, PodInfo, Status,
};
use crate::scheduler::nominator::Nominator;
use podlab_api::kinds;
use podlab_api::selector::Selector;
use podlab_api::selector::label_selector::label_selector_as_selector;
use podlab_sim::Draw;
use std::cmp::Reverse;
use std::sync::Arc;

/// Looks for the node on which evicting pods does least harm.
///
/// Runs: postFilter.
pub struct DefaultPreemption;

const NO_VICTIMS: &str = "No preemption victims found for incoming pod";
const NOT_HELPFUL: &str = "Preemption is not helpful for scheduling";

impl Plugin for DefaultPreemption {
    fn id(&self) -> PluginId {
        PluginId::DefaultPreemption
    }

    fn points(&self) -> &'static [&'static str] {
        &["PreEnqueue", "PostFilter", "PodGroupPostFilter"]
    }

    fn events(&self) -> &'static [ClusterEvent] {
        &[ClusterEvent::ASSIGNED_POD_DELETE]
    }

    fn hint(&self, _: &FilterContext<'_>, _: &PodInfo, _: ClusterEvent, _: EventObjects<'_>) -> bool {
        // The plugins that rejected the pod know better.
        false
    }
}

/// What came of an attempt to preempt.
#[derive(Debug)]
pub enum Preemption {
    /// Not tried; a node nominated before stays nominated.
    NotEligible(String),
    /// No node would do; nothing is nominated any more.
    NoCandidate(String),
    /// This node, on which these pods are to be evicted.
    Candidate {
        /// Slot of the node.
        slot: usize,
        /// The pods, in the order in which they are evicted.
        victims: Vec<Arc<PodInfo>>,
    },
}

impl Preemption {
    /// What it says of itself in the FailedScheduling message; the name of a candidate's node is `node`.
    pub fn message(&self, node: &str) -> String {
        match self {
            Preemption::NotEligible(text) | Preemption::NoCandidate(text) => format!("preemption: {text}"),
            Preemption::Candidate { victims, .. } => format!(
                "preemption: found a potential placement for pod on node {node}, preempting {} victims",
                victims.len()
            ),
        }
    }
}

struct Candidate {
    slot: usize,
    victims: Vec<Arc<PodInfo>>,
    pdb_violations: usize,
}

/// A disruption budget, as far as preemption looks at it.
struct Budget {
    namespace: String,
    selector: Selector,
    allowed: i64,
    disrupted: Vec<String>,
}

/// Looks for room; changes nothing.
pub fn preempt(
    cx: &FilterContext<'_>,
    nominator: &Nominator,
    pod: &PodInfo,
    state: &CycleState,
    diagnosis: &Diagnosis,
    mut draw: Draw,
) -> Preemption {
    if let Some(text) = not_eligible(cx, pod, diagnosis) {
        return Preemption::NotEligible(text);
    }
    let order = cx.cache.order();
    let potential: Vec<usize> = order.iter().copied().filter(|slot| diagnosis.may_preempt(*slot)).collect();
    let mut found = Diagnosis {
        absent_nodes_status: Some(Status {
            code: Code::UnschedulableAndUnresolvable,
            reasons: vec![NOT_HELPFUL.into()],
            plugin: None,
        }),
        ..Diagnosis::default()
    };
    let budgets = budgets(cx);
    let share = potential.len() * cx.profile.min_candidate_nodes_percentage / 100;
    let wanted = share.max(cx.profile.min_candidate_nodes_absolute).min(potential.len());
    let offset = usize::try_from(draw.below(potential.len() as u64)).unwrap_or(0);
    let (mut candidates, mut violating): (Vec<Candidate>, Vec<Candidate>) = (Vec::new(), Vec::new());
    for index in 0..potential.len() {
        let slot = potential[(offset + index) % potential.len()];
        let Some(node) = cx.cache.node(slot) else { continue };
        match select_victims_on_node(cx, nominator, pod, state, node, &budgets) {
            Ok((victims, pdb_violations)) => {
                let list = if pdb_violations == 0 { &mut candidates } else { &mut violating };
                list.push(Candidate { slot, victims, pdb_violations });
                if !candidates.is_empty() && candidates.len() + violating.len() >= wanted {
                    break;
                }
            }
            Err(status) => {
                found.node_to_status.insert(slot, status);
            }
        }
    }
    candidates.append(&mut violating);
    match pick_one_node(cx, candidates, &mut draw) {
        None => Preemption::NoCandidate(found.message(order.len())),
        Some(best) => Preemption::Candidate { slot: best.slot, victims: best.victims },
    }
}

/// Source: default_preemption.go `PodEligibleToPreemptOthers` (v1.37).
fn not_eligible(cx: &FilterContext<'_>, pod: &PodInfo, diagnosis: &Diagnosis) -> Option<String> {
    if pod.spec().preemption_policy.as_deref() == Some("Never") {
        return Some("not eligible due to preemptionPolicy=Never.".to_owned());
    }
    let slot = cx.cache.slot(pod.nominated_node_name())?;
    let status = diagnosis.node_to_status.get(&slot);
    if status.is_some_and(|s| s.code == Code::UnschedulableAndUnresolvable) {
        return None;
    }
    let node = cx.cache.node(slot)?;
    let ending = node.pods.iter().any(|p| p.priority < pod.priority && terminating_by_preemption(cx, p));
    ending.then(|| "not eligible due to a terminating pod on the nominated node.".to_owned())
}

fn terminating_by_preemption(cx: &FilterContext<'_>, pod: &PodInfo) -> bool {
    // The cache does not follow conditions.
    let Some(object) = cx.store.get_key(&kinds::POD, &pod.key) else { return false };
    let conditions = object.pod_status().and_then(|s| s.conditions.as_ref());
    object.is_terminating()
        && conditions
            .into_iter()
            .flatten()
            .find(|c| c.type_ == "DisruptionTarget")
            .is_some_and(|c| c.status == "True" && c.reason.as_deref() == Some("PreemptionByScheduler"))
}

fn budgets(cx: &FilterContext<'_>) -> Vec<Budget> {
    let objects = cx.store.list(&kinds::POD_DISRUPTION_BUDGET);
    objects
        .filter_map(|object| {
            let selector = object.field("spec").and_then(|s| s.get("selector")).cloned();
            let selector = selector.and_then(|s| serde_json::from_value(s).ok());
            let status = object.field("status");
            let disrupted = status.and_then(|s| s.get("disruptedPods")).and_then(|d| d.as_object());
            Some(Budget {
                namespace: object.namespace().to_owned(),
                selector: label_selector_as_selector(selector.as_ref()).ok()?,
                allowed: status
                    .and_then(|s| s.get("disruptionsAllowed"))
                    .and_then(serde_json::Value::as_i64)
                    .unwrap_or(0),
                disrupted: disrupted.map(|d| d.keys().cloned().collect()).unwrap_or_default(),
            })
        })
        .collect()
}

/// When a pod started, in seconds; one that has not started yet starts now.
fn start_time(cx: &FilterContext<'_>, pod: &PodInfo) -> i64 {
    let object = cx.store.get_key(&kinds::POD, &pod.key);
    let status = object.and_then(|o| o.pod_status());
    let start = status.and_then(|s| s.start_time.as_ref());
    start.map_or(cx.now.as_secs(), podlab_api::time::unix_seconds)
}

/// The smallest set of pods whose eviction would let the pod fit on a node, and how many of them no
/// disruption budget allows.
///
/// Source: default_preemption.go `SelectVictimsOnNode` (v1.37).
fn select_victims_on_node(
    cx: &FilterContext<'_>,
    nominator: &Nominator,
    pod: &PodInfo,
    state: &CycleState,
    node: &NodeInfo,
    budgets: &[Budget],
) -> Result<(Vec<Arc<PodInfo>>, usize), Status> {
    let filters = active_filters(cx, state);
    let mut potential: Vec<Arc<PodInfo>> =
        node.pods.iter().filter(|p| p.priority < pod.priority).cloned().collect();
    if potential.is_empty() {
        return Err(Status::unresolvable(PluginId::DefaultPreemption, NO_VICTIMS));
    }
    let mut node = node.clone();
    let mut state = state.clone();
    let remove = |victim: &Arc<PodInfo>, node: &mut NodeInfo, state: &mut CycleState| {
        node.remove_pod(victim.uid());
        for plugin in &filters {
            plugin.count_pod(cx, pod, state, victim, node, -1);
        }
    };
    for victim in &potential {
        remove(victim, &mut node, &mut state);
    }
    run_filter_plugins_with_nominated_pods(cx, nominator, pod, &state, &node, &filters)?;
    potential.sort_by_key(|p| (Reverse(p.priority), start_time(cx, p)));
    let mut allowed: Vec<i64> = budgets.iter().map(|b| b.allowed).collect();
    let mut violates = |victim: &PodInfo| {
        if victim.object.metadata.labels.as_ref().is_none_or(|l| l.is_empty()) {
            return false;
        }
        for (budget, left) in budgets.iter().zip(&mut allowed) {
            if *budget.namespace != *victim.key.namespace
                || budget.selector.is_empty()
                || !budget.selector.matches(victim.object.as_ref())
                || budget.disrupted.iter().any(|name| **name == *victim.key.name)
            {
                continue;
            }
            *left -= 1;
            if *left < 0 {
                return true;
            }
        }
        false
    };
    let (violating, others): (Vec<_>, Vec<_>) = potential.into_iter().partition(|victim| violates(victim));
    let both = !violating.is_empty() && !others.is_empty();
    let mut victims = Vec::new();
    let mut violations = 0;
    let mut reprieve = |victim: Arc<PodInfo>, violates: bool| {
        node.add_pod(victim.clone());
        for plugin in &filters {
            plugin.count_pod(cx, pod, &mut state, &victim, &node, 1);
        }
        if run_filter_plugins_with_nominated_pods(cx, nominator, pod, &state, &node, &filters).is_err() {
            remove(&victim, &mut node, &mut state);
            violations += usize::from(violates);
            victims.push(victim);
        }
    };
    for victim in violating {
        reprieve(victim, true);
    }
    for victim in others {
        reprieve(victim, false);
    }
    if both {
        victims.sort_by_key(|p| (Reverse(p.priority), start_time(cx, p)));
    }
    if victims.is_empty() {
        let text = format!("expected at least one victim pod on node {:?}", node.name);
        return Err(Status::error(PluginId::DefaultPreemption, text));
    }
    Ok((victims, violations))
}

/// The node on which the eviction does least harm; of those alike one by draw, as the real one takes whichever comes
/// first out of a map. Pods that have not started yet start now, all at the same time.
///
/// Source: preemption.go `pickOneNodeForPreemption`, util/utils.go `GetEarliestPodStartTime` (v1.37).
fn pick_one_node(cx: &FilterContext<'_>, candidates: Vec<Candidate>, draw: &mut Draw) -> Option<Candidate> {
    let earliest_start_of_highest = |candidate: &Candidate| {
        let highest = candidate.victims.iter().map(|v| v.priority).max().unwrap_or(0);
        let of_highest = candidate.victims.iter().filter(|v| v.priority == highest);
        of_highest.map(|v| start_time(cx, v)).min().unwrap_or(i64::MIN)
    };
    let harm = |candidate: &Candidate| {
        let priorities = candidate.victims.iter().map(|v| i64::from(v.priority));
        (
            candidate.pdb_violations,
            candidate.victims.first().map_or(0, |v| v.priority),
            priorities.map(|p| p + i64::from(i32::MAX) + 1).sum::<i64>(),
            candidate.victims.len(),
            Reverse(earliest_start_of_highest(candidate)),
        )
    };
    let least = candidates.iter().map(harm).min()?;
    let mut alike: Vec<Candidate> = candidates.into_iter().filter(|c| harm(c) == least).collect();
    if alike.len() == 1 {
        return alike.pop();
    }
    // In the order of the nodes, wherever the search began.
    let order = cx.cache.order();
    alike.sort_by_key(|candidate| order.iter().position(|slot| *slot == candidate.slot));
    let drawn = usize::try_from(draw.below(alike.len() as u64)).unwrap_or(0);
    alike.into_iter().nth(drawn)
}
