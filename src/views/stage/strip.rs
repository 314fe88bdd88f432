//! What the scheduler found about each node, under its name while a pod's Why is open.

use crate::app::UiContext;
use crate::i18n::stage as texts;
use crate::state::inspect::amount;
use crate::state::{Dock, Lab, Lang, Tab};
use podlab_cluster::scheduler::decision::{Decision, Fix, Outcome, Verdict};
use std::collections::BTreeMap;

/// The words about one node.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Strip {
    /// Whether the pod went there.
    pub(crate) chosen: bool,
    /// Whether it fits there.
    pub(crate) fits: bool,
    /// `658 points, chosen`, `cpu short by 100m`.
    pub(crate) text: String,
}

/// The words about all nodes, by name; empty while no Why is open.
pub(super) fn strips(lab: &Lab, ui: &UiContext, lang: Lang) -> BTreeMap<String, Strip> {
    let pod =
        ui.selected.as_ref().filter(|s| s.kind == "Pod" && ui.dock == Dock::Inspect && ui.tab == Tab::Why);
    let decision = pod.and_then(|pod| lab.shown().world().scheduler.latest_decision(&pod.uid));
    decision.map(|decision| of(decision, lang)).unwrap_or_default()
}

fn of(decision: &Decision, lang: Lang) -> BTreeMap<String, Strip> {
    let winner = match &decision.outcome {
        Outcome::Bound { node } | Outcome::WaitingForVolumes { node, .. } => Some(node),
        _ => None,
    };
    let strip = |node: &podlab_cluster::scheduler::decision::NodeVerdict| {
        let chosen = winner == Some(&node.node);
        match &node.verdict {
            Verdict::Feasible { scores, total, .. } => {
                let text = match (chosen, scores.is_empty()) {
                    (true, true) => texts::STRIP_ONLY,
                    (true, false) => texts::STRIP_CHOSEN,
                    (false, true) => texts::STRIP_FITS,
                    (false, false) => texts::STRIP_POINTS,
                };
                Strip { chosen, fits: true, text: text.with(lang, &[("n", &total.to_string())]) }
            }
            Verdict::RuledOut { plugin, reasons, fixes, .. } => {
                let short = fixes.iter().find_map(|fix| match fix {
                    Fix::FreeResource { resource, short_by, .. } => Some((resource, *short_by)),
                    Fix::LowerRequest { resource, requested, free, .. } => Some((resource, requested - free)),
                    _ => None,
                });
                let text = match (short, plugin) {
                    (Some((resource, by)), _) => texts::STRIP_SHORT
                        .with(lang, &[("resource", resource), ("amount", &amount(resource, by))]),
                    (None, Some(plugin)) => texts::STRIP_RULED_OUT.with(lang, &[("plugin", plugin.name())]),
                    (None, None) => reasons.first().map(ToString::to_string).unwrap_or_default(),
                };
                Strip { chosen, fits: false, text }
            }
        }
    };
    decision.nodes.iter().map(|node| (node.node.to_string(), strip(node))).collect()
}
