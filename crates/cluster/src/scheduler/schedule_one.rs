//! One pod from the queue to its node.
//!
//! Source: pkg/scheduler/schedule_one.go (v1.37). Batching of pods alike never happens in the default
//! profile: pods with default spread constraints have no signature.

use super::Evaluations;
use super::decision::{Decision, Fix, NODES_TOLD, NodeVerdict, Obstacle, Outcome, PluginScore, Tie, Verdict};
use super::framework::fit_error::Diagnosis;
use super::framework::runtime::{
    Scored, active_filters, filters_lack_nothing, run_filter_plugins, run_filter_plugins_with_nominated_pods,
    run_pre_filter_plugins, run_pre_score_plugins, run_score_plugins, with_nominated_pods,
};
use super::framework::{
    Code, CycleState, FilterContext, NodeInfo, Plugin, PluginId, PluginSet, PodInfo, Reason, Status,
};
use super::nominator::Nominator;
use super::plugins::default_preemption::{Preemption, preempt};
use super::plugins::{dynamic_resources, registry};
use super::scoring::{Basis, Scoring};
use podlab_sim::Draw;
use std::collections::BTreeMap;
use std::sync::Arc;

/// At least so many feasible nodes are looked for.
const MIN_FEASIBLE_NODES_TO_FIND: usize = 100;
/// At least so many percent of the nodes are looked at.
const MIN_FEASIBLE_NODES_PERCENTAGE_TO_FIND: usize = 5;

/// The text where there is no node at all.
pub const NO_NODES_AVAILABLE: &str = "no nodes available to schedule pods";

/// What a scheduling cycle found, before anything is written.
#[derive(Debug)]
pub struct Cycle {
    /// Slot of the chosen node.
    pub chosen: Option<usize>,
    /// Why there is none.
    pub failure: Option<Failure>,
    /// Where the next cycle begins to look.
    pub next_start_node_index: usize,
    /// What the plugins worked out.
    pub state: CycleState,
    /// All of it for people, but for outcome and message.
    pub decision: Decision,
}

/// Why a pod was not scheduled.
#[derive(Debug)]
pub struct Failure {
    /// The message of event and condition.
    pub message: String,
    /// The plugins to blame; none where the scheduler itself failed or there is no node.
    pub plugins: PluginSet,
    /// Whether it does not fit, as opposed to a failure of the scheduler.
    pub rejected: bool,
    /// What came of preemption; `None` where it was not tried.
    pub preemption: Option<Preemption>,
    /// Whether a nomination that exists is taken back.
    pub clears_nomination: bool,
}

/// How many feasible nodes are enough.
///
/// Source: schedule_one.go `numFeasibleNodesToFind` (v1.37).
pub fn num_feasible_nodes_to_find(percentage: i32, all: usize) -> usize {
    if all < MIN_FEASIBLE_NODES_TO_FIND {
        return all;
    }
    let percentage = match usize::try_from(percentage) {
        Ok(percentage) if percentage > 0 => percentage,
        _ => 50usize.saturating_sub(all / 125).max(MIN_FEASIBLE_NODES_PERCENTAGE_TO_FIND),
    };
    (all * percentage / 100).max(MIN_FEASIBLE_NODES_TO_FIND)
}

struct Found {
    feasible: Vec<usize>,
    diagnosis: Diagnosis,
    processed: usize,
}

/// Looks for nodes that pass the filters, from `start` on, until there are enough.
fn find_nodes_that_pass_filters(
    cx: &FilterContext<'_>,
    nominator: &Nominator,
    pod: &PodInfo,
    state: &CycleState,
    (nodes, start): (&[usize], usize),
    evaluations: &mut Evaluations,
    found: &mut Found,
) -> Result<(), Status> {
    let enough = num_feasible_nodes_to_find(cx.profile.percentage_of_nodes_to_score, nodes.len());
    let filters = active_filters(cx, state);
    filters_lack_nothing(cx, &filters)?;
    found.feasible.reserve_exact(enough.min(nodes.len()));
    let mut known = if nominator.is_empty() { evaluations.filters(cx, pod, state, &filters) } else { None };
    let (before, from) = nodes.split_at(start.checked_rem(nodes.len()).unwrap_or(0));
    for slot in from.iter().chain(before).copied() {
        if found.feasible.len() >= enough {
            break;
        }
        if !cfg!(debug_assertions) && known.as_ref().is_some_and(|known| known.passes(cx, slot)) {
            found.processed += 1;
            found.feasible.push(slot);
            continue;
        }
        let Some(node) = cx.cache.node(slot) else { continue };
        found.processed += 1;
        let verdict = match &mut known {
            Some(known) => known.run(cx, pod, state, node, &filters),
            None => run_filter_plugins_with_nominated_pods(cx, nominator, pod, state, node, &filters),
        };
        match verdict {
            Ok(()) => found.feasible.push(slot),
            Err(status) if status.is_rejected() => {
                found.diagnosis.add_plugin_status(&status);
                found.diagnosis.node_to_status.insert(slot, status);
            }
            Err(status) => return Err(status),
        }
    }
    Ok(())
}

/// Source: schedule_one.go `findNodesThatFitPod` (v1.37).
fn find_nodes_that_fit_pod(
    cx: &FilterContext<'_>,
    nominator: &Nominator,
    pod: &PodInfo,
    state: &mut CycleState,
    start: usize,
    evaluations: &mut Evaluations,
) -> Result<(Found, bool), Status> {
    let mut found = Found { feasible: Vec::new(), diagnosis: Diagnosis::default(), processed: 0 };
    let order = cx.cache.order();
    let pre = match run_pre_filter_plugins(cx, pod, state) {
        Ok(pre) => pre,
        Err((status, _)) if !status.is_rejected() => return Err(status),
        Err((status, plugins)) => {
            found.diagnosis.unschedulable_plugins = plugins;
            found.diagnosis.pre_filter_message = status.message();
            found.diagnosis.add_plugin_status(&status);
            found.diagnosis.absent_nodes_status = Some(status);
            return Ok((found, false));
        }
    };
    found.diagnosis.unschedulable_plugins = pre.narrowed_by_set;
    if let Some(slot) = cx.cache.slot(pod.nominated_node_name()) {
        let mut tried = Found { feasible: Vec::new(), diagnosis: Diagnosis::default(), processed: 0 };
        find_nodes_that_pass_filters(cx, nominator, pod, state, (&[slot], 0), evaluations, &mut tried)?;
        if !tried.feasible.is_empty() {
            return Ok((tried, false));
        }
    }
    match pre.nodes {
        None => {
            find_nodes_that_pass_filters(
                cx,
                nominator,
                pod,
                state,
                (&order, start),
                evaluations,
                &mut found,
            )?;
        }
        Some(names) => {
            let slots: Vec<usize> = names.iter().filter_map(|name| cx.cache.slot(name)).collect();
            let text = format!("node(s) didn't satisfy plugin(s) [{}]", pre.narrowed_by.join(" "));
            found.diagnosis.absent_nodes_status = Some(Status {
                code: Code::UnschedulableAndUnresolvable,
                reasons: vec![text.into()],
                plugin: None,
            });
            find_nodes_that_pass_filters(
                cx,
                nominator,
                pod,
                state,
                (&slots, start),
                evaluations,
                &mut found,
            )?;
        }
    }
    Ok((found, true))
}

/// Looks for a node for a pod; changes nothing.
pub fn scheduling_cycle(
    cx: &FilterContext<'_>,
    nominator: &Nominator,
    pod: &Arc<PodInfo>,
    start: usize,
    attempt: u32,
    mut draw: Draw,
    evaluations: &mut Evaluations,
) -> Cycle {
    let all_nodes = cx.cache.node_count();
    let mut cycle = Cycle {
        chosen: None,
        failure: None,
        next_start_node_index: start,
        state: CycleState::default(),
        decision: Decision {
            pod: pod.key.clone(),
            uid: pod.uid().to_owned(),
            at: cx.now,
            attempt,
            outcome: Outcome::Error,
            all_nodes,
            evaluated_nodes: 0,
            feasible_nodes: 0,
            reasons: BTreeMap::new(),
            nodes: Vec::new(),
            tie: None,
            scoring: None,
            message: String::new(),
            not_simulated: super::not_simulated::fields(pod),
        },
    };
    if all_nodes == 0 {
        cycle.failure = Some(Failure {
            message: NO_NODES_AVAILABLE.to_owned(),
            plugins: PluginSet::default(),
            rejected: true,
            preemption: None,
            clears_nomination: true,
        });
        cycle.decision.outcome =
            Outcome::Unschedulable { nominated: None, victims: Vec::new(), fixes: vec![Fix::AddNode] };
        return cycle;
    }
    let searched = find_nodes_that_fit_pod(cx, nominator, pod, &mut cycle.state, start, evaluations);
    let (mut found, searched) = match searched {
        Ok(found) => found,
        Err(status) => {
            cycle.failure = Some(failed(status.message()));
            return cycle;
        }
    };
    if searched {
        cycle.next_start_node_index = (start + found.processed) % all_nodes;
    }
    cycle.decision.feasible_nodes = found.feasible.len();
    cycle.decision.evaluated_nodes = found.feasible.len() + found.diagnosis.node_to_status.len();
    for reason in found.diagnosis.node_to_status.values().flat_map(|status| &status.reasons) {
        match cycle.decision.reasons.get_mut(reason) {
            Some(count) => *count += 1,
            None => {
                cycle.decision.reasons.insert(reason.clone(), 1);
            }
        }
    }
    match found.feasible.as_slice() {
        [] => {
            let failure = fail(cx, nominator, pod, &cycle.state, &mut found.diagnosis, draw);
            tell_rejections(cx, nominator, pod, &cycle.state, &found.diagnosis, &mut cycle.decision);
            let (nominated, victims) = match &failure.preemption {
                Some(Preemption::Candidate { slot, victims }) => (
                    cx.cache.node(*slot).map(|n| n.name.clone()),
                    victims.iter().map(|v| v.key.clone()).collect(),
                ),
                _ => (None, Vec::new()),
            };
            let plugin = found.diagnosis.absent_nodes_status.as_ref().and_then(|s| s.plugin);
            let fixes = match (plugin.and_then(registry::by_id), cx.cache.nodes().next()) {
                (Some(plugin), Some(node)) => plugin.explain(cx, pod, &cycle.state, node),
                _ => Vec::new(),
            };
            cycle.decision.outcome = Outcome::Unschedulable { nominated, victims, fixes };
            cycle.decision.message.clone_from(&failure.message);
            cycle.failure = Some(failure);
            return cycle;
        }
        [only] => {
            cycle.chosen = Some(*only);
            if let Some(node) = cx.cache.node(*only) {
                cycle.decision.nodes.push(NodeVerdict {
                    node: node.name.clone(),
                    verdict: Verdict::Feasible { scores: Arc::new([]), total: 0, basis: None },
                });
            }
        }
        feasible => {
            let state = &mut cycle.state;
            let scorers = match run_pre_score_plugins(cx, pod, state, feasible) {
                Ok(scorers) => scorers,
                Err(text) => {
                    cycle.failure = Some(failed(text));
                    return cycle;
                }
            };
            let decision = &mut cycle.decision;
            let mut scoring = Scoring::of(cx, state);
            cycle.chosen = match evaluations.scores(cx, state, &scorers) {
                Some(mut known) => {
                    let (totals, normalized) = known.totals(cx, pod, state, feasible);
                    known.note_ranges(feasible, &mut scoring);
                    let tell = |index: usize| known.tell(feasible[index], index, &normalized);
                    choose(cx, state, feasible, &totals, tell, &mut draw, decision)
                }
                None => {
                    let scored = run_score_plugins(cx, pod, state, feasible, &scorers);
                    let mut totals = vec![0i64; feasible.len()];
                    for plugin in &scored {
                        for (total, score) in totals.iter_mut().zip(&plugin.normalized) {
                            *total = total.wrapping_add(score.wrapping_mul(plugin.weight));
                        }
                    }
                    for plugin in
                        scored.iter().filter(|s| registry::by_id(s.plugin).is_some_and(|p| p.normalizes()))
                    {
                        scoring.note_range(plugin.plugin, compared(state, plugin, feasible));
                    }
                    let tell = |index: usize| {
                        let of_plugin = |s: &Scored| PluginScore {
                            plugin: s.plugin,
                            raw: s.raw[index],
                            normalized: s.normalized[index],
                            weighted: s.normalized[index].saturating_mul(s.weight),
                        };
                        scored.iter().map(of_plugin).collect()
                    };
                    choose(cx, state, feasible, &totals, tell, &mut draw, decision)
                }
            };
            cycle.decision.scoring = Some(Arc::new(scoring));
        }
    }
    tell_rejections(cx, nominator, pod, &cycle.state, &found.diagnosis, &mut cycle.decision);
    cycle
}

/// The scheduler itself failed.
fn failed(message: String) -> Failure {
    Failure {
        message,
        plugins: PluginSet::default(),
        rejected: false,
        preemption: None,
        clears_nomination: true,
    }
}

/// Tries to make room, and finds the words.
fn fail(
    cx: &FilterContext<'_>,
    nominator: &Nominator,
    pod: &PodInfo,
    state: &CycleState,
    diagnosis: &mut Diagnosis,
    draw: Draw,
) -> Failure {
    let mut preemption = None;
    let looks_for_room = |plugin| cx.profile.plugins.post_filter.contains(&plugin);
    if !diagnosis.pre_filter_message.is_empty() && looks_for_room(PluginId::DynamicResources) {
        dynamic_resources::POST_FILTER_NOT_FOUND.clone_into(&mut diagnosis.post_filter_message);
    } else if looks_for_room(PluginId::DefaultPreemption) {
        let result = preempt(cx, nominator, pod, state, diagnosis, draw);
        let node = match &result {
            Preemption::Candidate { slot, .. } => cx.cache.node(*slot).map(|n| n.name.clone()),
            _ => None,
        };
        diagnosis.post_filter_message = result.message(node.as_deref().unwrap_or(""));
        preemption = Some(result);
    }
    Failure {
        message: diagnosis.message(cx.cache.node_count()),
        plugins: diagnosis.unschedulable_plugins,
        rejected: true,
        clears_nomination: matches!(preemption, Some(Preemption::NoCandidate(_)))
            || cx.profile.plugins.post_filter.is_empty(),
        preemption,
    }
}

/// The raw scores by which a plugin compares nodes.
fn compared<'a>(
    state: &'a CycleState,
    scored: &'a Scored,
    nodes: &'a [usize],
) -> impl Iterator<Item = i64> + 'a {
    let left_out = move |slot: &usize| {
        scored.plugin == PluginId::PodTopologySpread
            && state.topology_spread_score.as_ref().is_some_and(|s| s.leaves_out(*slot))
    };
    nodes.iter().zip(&scored.raw).filter(move |(slot, _)| !left_out(slot)).map(|(_, raw)| *raw)
}

/// Takes the node with the best sum, one of those alike by draw, and tells the best with what `tell` says of them.
fn choose(
    cx: &FilterContext<'_>,
    state: &CycleState,
    feasible: &[usize],
    totals: &[i64],
    mut tell: impl FnMut(usize) -> Arc<[PluginScore]>,
    draw: &mut Draw,
    decision: &mut Decision,
) -> Option<usize> {
    let best = totals.iter().copied().max()?;
    let tied = || (0..feasible.len()).filter(|i| totals[*i] == best);
    let count = tied().count();
    let drawn = usize::try_from(draw.below(count as u64)).unwrap_or(0);
    let winner = tied().nth(drawn)?;
    let name = |index: usize| cx.cache.node(feasible[index]).map(|n| n.name.clone());
    if count > 1 {
        let nodes = tied().filter_map(name).take(NODES_TOLD).collect();
        decision.tie = Some(Tie { count, nodes, drawn });
    }
    let told: Vec<usize> = if feasible.len() > NODES_TOLD {
        best_of(totals, winner, NODES_TOLD / 2)
    } else {
        (0..feasible.len()).collect()
    };
    decision.nodes.reserve_exact(told.len());
    for index in told {
        if let Some(node) = name(index) {
            let basis = cx.cache.node(feasible[index]).map(|node| Arc::new(Basis::of(cx, state, node)));
            let verdict = Verdict::Feasible { scores: tell(index), total: totals[index], basis };
            decision.nodes.push(NodeVerdict { node, verdict });
        }
    }
    Some(feasible[winner])
}

/// The places of the best sums, best first: the winner, then by sum and place.
fn best_of(totals: &[i64], winner: usize, count: usize) -> Vec<usize> {
    let mut best: Vec<usize> = Vec::with_capacity(count + 1);
    best.push(winner);
    for (index, total) in totals.iter().enumerate() {
        let full = best.len() >= count;
        if index == winner || full && best.last().is_some_and(|last| totals[*last] >= *total) {
            continue;
        }
        // Of equal sums the earlier place comes first; the winner has the best.
        let at = best.partition_point(|other| totals[*other] >= *total);
        best.insert(at, index);
        best.truncate(count);
    }
    best
}

/// Adds the nodes that were ruled out, of many some of each reason.
fn tell_rejections(
    cx: &FilterContext<'_>,
    nominator: &Nominator,
    pod: &PodInfo,
    state: &CycleState,
    diagnosis: &Diagnosis,
    decision: &mut Decision,
) {
    let filters = active_filters(cx, state);
    let mut told: BTreeMap<&[Reason], usize> = BTreeMap::new();
    let many = diagnosis.node_to_status.len() > NODES_TOLD;
    for (slot, status) in &diagnosis.node_to_status {
        let Some(node) = cx.cache.node(*slot) else { continue };
        let of_reason = told.entry(&status.reasons).or_default();
        *of_reason += 1;
        if decision.nodes.len() >= 2 * NODES_TOLD || many && *of_reason > 4 {
            continue;
        }
        // Where the filters refuse only with the pods for which room is being made, these stand in the way.
        let crowded = with_nominated_pods(cx, nominator, pod, state, node, &filters);
        let crowded =
            crowded.filter(|(node, state)| run_filter_plugins(cx, pod, state, node, &filters).is_err());
        let (node, state) = crowded.as_ref().map_or((&**node, state), |(node, state)| (node, state));
        let plugin = status.plugin.and_then(registry::by_id);
        let fixes = plugin.map_or_else(Vec::new, |p: &dyn Plugin| p.explain(cx, pod, state, node));
        let place = filters.iter().position(|filter| Some(filter.id()) == status.plugin);
        let behind = place.and_then(|place| filters.get(place + 1..)).unwrap_or_default();
        let verdict = Verdict::RuledOut {
            plugin: status.plugin,
            code: status.code,
            reasons: status.reasons.clone(),
            fixes,
            beyond: obstacles(cx, pod, state, node, behind),
        };
        decision.nodes.push(NodeVerdict { node: node.name.clone(), verdict });
    }
    tell_narrowed(cx, pod, state, diagnosis, decision);
}

/// What each of some filters says of a node that one has ruled out.
fn obstacles(
    cx: &FilterContext<'_>,
    pod: &PodInfo,
    state: &CycleState,
    node: &NodeInfo,
    filters: &[&'static dyn Plugin],
) -> Vec<Obstacle> {
    let obstacle = |plugin: &&'static dyn Plugin| {
        let status = plugin.filter(cx, pod, state, node).err().filter(Status::is_rejected)?;
        let fixes = plugin.explain(cx, pod, state, node);
        // One without a fix of its own goes with the first, as the taint of a cordoned node does.
        (!fixes.is_empty()).then_some(Obstacle { plugin: plugin.id(), reasons: status.reasons, fixes })
    };
    filters.iter().filter_map(obstacle).collect()
}

/// Adds nodes that no filter looked at, as a plugin had named others.
fn tell_narrowed(
    cx: &FilterContext<'_>,
    pod: &PodInfo,
    state: &CycleState,
    diagnosis: &Diagnosis,
    decision: &mut Decision,
) {
    let Some(status) =
        diagnosis.absent_nodes_status.as_ref().filter(|_| diagnosis.pre_filter_message.is_empty())
    else {
        return;
    };
    // Each pod of a DaemonSet names its node; of thousands of others there is nothing to learn.
    if decision.feasible_nodes > 0 && decision.all_nodes > NODES_TOLD {
        return;
    }
    let filters = active_filters(cx, state);
    for node in cx.cache.nodes() {
        if decision.nodes.len() >= NODES_TOLD {
            return;
        }
        if decision.nodes.iter().any(|told| told.node == node.name) {
            continue;
        }
        let found = obstacles(cx, pod, state, node, &filters);
        let (plugin, fixes, beyond) = match found.split_first() {
            Some((first, rest)) => (Some(first.plugin), first.fixes.clone(), rest.to_vec()),
            None => (status.plugin, Vec::new(), Vec::new()),
        };
        decision.nodes.push(NodeVerdict {
            node: node.name.clone(),
            verdict: Verdict::RuledOut {
                plugin,
                code: status.code,
                reasons: status.reasons.clone(),
                fixes,
                beyond,
            },
        });
    }
}
