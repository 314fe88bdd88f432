//! Running the plugins of an extension point.
//!
//! Source: pkg/scheduler/framework/runtime/framework.go (v1.37).

use super::cycle_state::CycleState;
use super::node_info::NodeInfo;
use super::plugin::{FilterContext, Plugin, PluginSet, PreFilterResult};
use super::pod_info::PodInfo;
use super::status::{Code, Status};
use crate::scheduler::nominator::Nominator;
use crate::scheduler::plugins::registry;
use std::collections::BTreeSet;

/// What came of looking at the pod before any node.
#[derive(Debug)]
pub struct PreFiltered {
    /// The nodes in question; `None` is all.
    pub nodes: Option<BTreeSet<String>>,
    /// The plugins that narrowed them down.
    pub narrowed_by: Vec<&'static str>,
    /// The same as a set.
    pub narrowed_by_set: PluginSet,
}

/// Runs the pre-filters; which plugins have nothing to say is noted in `state`.
///
/// # Errors
/// Why no node can fit, with the plugins that are to blame beside the one in the status.
pub fn run_pre_filter_plugins(
    cx: &FilterContext<'_>,
    pod: &PodInfo,
    state: &mut CycleState,
) -> Result<PreFiltered, (Status, PluginSet)> {
    let mut nodes: Option<BTreeSet<String>> = None;
    let mut narrowed_by = Vec::new();
    let mut narrowed_by_set = PluginSet::default();
    let mut rejected = None;
    let plugins = &cx.profile.plugins;
    for plugin in plugins.pre_filter.iter().filter_map(|id| registry::by_id(*id)) {
        let id = plugin.id();
        match plugin.pre_filter(cx, pod, state) {
            PreFilterResult::Skip => state.skip_filter.insert(id),
            PreFilterResult::All => {}
            PreFilterResult::Reject(status) if status.code == Code::Unschedulable => rejected = Some(status),
            PreFilterResult::Reject(status) => return Err((status, PluginSet::default())),
            PreFilterResult::Nodes(names) => {
                narrowed_by.push(id.name());
                narrowed_by_set.insert(id);
                let left = match nodes {
                    None => names,
                    Some(before) => before.intersection(&names).cloned().collect(),
                };
                if left.is_empty() {
                    narrowed_by.sort_unstable();
                    let text = match narrowed_by.as_slice() {
                        [one] => format!("node(s) didn't satisfy plugin {one}"),
                        all => format!("node(s) didn't satisfy plugin(s) [{}] simultaneously", all.join(" ")),
                    };
                    let status = Status {
                        code: Code::UnschedulableAndUnresolvable,
                        reasons: vec![text.into()],
                        plugin: None,
                    };
                    return Err((status, narrowed_by_set));
                }
                nodes = Some(left);
            }
        }
    }
    narrowed_by.sort_unstable();
    if let Some(status) = rejected {
        return Err((status, narrowed_by_set));
    }
    // Where a profile runs a filter alone, the filter works out itself what it can.
    for id in plugins.filter.iter().filter(|id| !plugins.pre_filter.contains(id)) {
        if let Some(plugin) = registry::by_id(*id) {
            plugin.pre_filter(cx, pod, state);
        }
    }
    Ok(PreFiltered { nodes, narrowed_by, narrowed_by_set })
}

/// The filters that have something to say in this cycle.
pub fn active_filters(cx: &FilterContext<'_>, state: &CycleState) -> Vec<&'static dyn Plugin> {
    let filters = cx.profile.plugins.filter.iter().filter(|id| !state.skip_filter.contains(**id));
    filters.filter_map(|id| registry::by_id(*id)).collect()
}

/// A filter that cannot do without its pre-filter and must.
///
/// # Errors
/// Its words.
pub fn filters_lack_nothing(cx: &FilterContext<'_>, filters: &[&'static dyn Plugin]) -> Result<(), Status> {
    let lacking = filters.iter().find_map(|plugin| {
        let text = plugin.filter_lacks().filter(|_| !cx.profile.plugins.pre_filter.contains(&plugin.id()))?;
        let id = plugin.id();
        Some(Status::error(id, format!("running {:?} filter plugin: {text}", id.name())))
    });
    lacking.map_or(Ok(()), Err)
}

/// Runs the filters on a node; the first that rejects it decides.
///
/// # Errors
/// Why the pod does not fit there.
pub fn run_filter_plugins(
    cx: &FilterContext<'_>,
    pod: &PodInfo,
    state: &CycleState,
    node: &NodeInfo,
    filters: &[&'static dyn Plugin],
) -> Result<(), Status> {
    filters.iter().try_for_each(|plugin| plugin.filter(cx, pod, state, node))
}

/// Runs the filters on a node with and without the pods of at least equal priority that are nominated to it:
/// the pod must fit both ways.
///
/// # Errors
/// Why the pod does not fit there.
pub fn run_filter_plugins_with_nominated_pods(
    cx: &FilterContext<'_>,
    nominator: &Nominator,
    pod: &PodInfo,
    state: &CycleState,
    node: &NodeInfo,
    filters: &[&'static dyn Plugin],
) -> Result<(), Status> {
    if nominator.is_empty() {
        return run_filter_plugins(cx, pod, state, node, filters);
    }
    if let Some((node, state)) = with_nominated_pods(cx, nominator, pod, state, node, filters) {
        run_filter_plugins(cx, pod, &state, &node, filters)?;
    }
    run_filter_plugins(cx, pod, state, node, filters)
}

/// A node with the pods of at least equal priority that are nominated to it, and what the plugins make of that; `None`
/// where there are none.
pub fn with_nominated_pods(
    cx: &FilterContext<'_>,
    nominator: &Nominator,
    pod: &PodInfo,
    state: &CycleState,
    node: &NodeInfo,
    filters: &[&'static dyn Plugin],
) -> Option<(NodeInfo, CycleState)> {
    let stronger =
        |other: &&std::sync::Arc<PodInfo>| other.priority >= pod.priority && other.uid() != pod.uid();
    let mut nominated = nominator.on_node(&node.name).filter(stronger).peekable();
    nominated.peek()?;
    let mut node = node.clone();
    let mut state = state.clone();
    for other in nominated {
        node.add_pod(other.clone());
        for plugin in filters {
            plugin.count_pod(cx, pod, &mut state, other, &node, 1);
        }
    }
    Some((node, state))
}

/// The plugins that score the pod, prepared.
///
/// # Errors
/// The words of a scorer that cannot do without its pre-scorer and must.
pub fn run_pre_score_plugins(
    cx: &FilterContext<'_>,
    pod: &PodInfo,
    state: &mut CycleState,
    nodes: &[usize],
) -> Result<Vec<&'static dyn Plugin>, String> {
    let plugins = &cx.profile.plugins;
    let mut scoring: Vec<&'static dyn Plugin> = Vec::with_capacity(plugins.score.len());
    for plugin in plugins.score.iter().filter_map(|id| registry::by_id(*id)) {
        let id = plugin.id();
        let alone = plugin.points().contains(&"PreScore") && !plugins.pre_score.contains(&id);
        if let Some(text) = plugin.score_lacks().filter(|_| alone) {
            return Err(format!("running Score plugins: plugin {:?} failed with: {text}", id.name()));
        }
        // A pre-scorer that has nothing to say keeps the scorer from running; alone, the scorer finds that out itself.
        if plugin.pre_score(cx, pod, state, nodes) || alone {
            scoring.push(plugin);
        } else {
            state.skip_score.insert(id);
        }
    }
    Ok(scoring)
}

/// What one plugin gave each node, in the order of the nodes.
#[derive(Debug)]
pub struct Scored {
    /// The plugin.
    pub plugin: super::PluginId,
    /// As it counts.
    pub raw: Vec<i64>,
    /// Brought to 0..=100.
    pub normalized: Vec<i64>,
    /// Times this.
    pub weight: i64,
}

/// Scores nodes.
pub fn run_score_plugins(
    cx: &FilterContext<'_>,
    pod: &PodInfo,
    state: &CycleState,
    nodes: &[usize],
    scoring: &[&'static dyn Plugin],
) -> Vec<Scored> {
    let infos: Vec<Option<&NodeInfo>> = nodes.iter().map(|slot| cx.cache.node(*slot).map(|n| &**n)).collect();
    scoring
        .iter()
        .map(|plugin| {
            let score = |node: &Option<&NodeInfo>| node.map_or(0, |node| plugin.score(cx, pod, state, node));
            let raw: Vec<i64> = infos.iter().map(score).collect();
            let mut normalized = raw.clone();
            plugin.normalize(state, nodes, &mut normalized);
            Scored { plugin: plugin.id(), raw, normalized, weight: cx.profile.weight(plugin.id()) }
        })
        .collect()
}
