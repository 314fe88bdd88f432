//! The Why tab: what the scheduler decided, from the record of that attempt.

use super::inspector::ObjectProps;
use super::pending::pending;
use super::shared::{block, clock};
use crate::app::{DialogContext, UiContext};
use crate::components::{Icon, IconKind, Notices};
use crate::i18n::{dock as texts, plugins, use_lang};
use crate::session::LabContext;
use crate::state::Lang;
use podlab_cluster::scheduler::decision::{Decision, NodeVerdict, Outcome, PluginScore, Verdict};
use std::sync::Arc;
use web_sys::HtmlSelectElement;
use yew::prelude::*;

/// Letters that key bars and table; the blues of the bars are `q-A` to `q-F`.
const LETTERS: [&str; 8] = ["A", "B", "C", "D", "E", "F", "G", "H"];
/// How many nodes the table compares.
const COMPARED: usize = 4;

/// Properties of [`PluginName`].
#[derive(Clone, PartialEq, Properties)]
pub(super) struct PluginNameProps {
    pub(super) name: &'static str,
}

/// A plugin's name; pressing it opens one sentence about it.
#[component]
pub(super) fn PluginName(props: &PluginNameProps) -> Html {
    let lang = use_lang();
    let open = use_state(|| false);
    let onclick = {
        let open = open.clone();
        move |_: MouseEvent| open.set(!*open)
    };
    html! {
        <>
            <button type="button" class="plugin" aria-expanded={open.to_string()} {onclick}>{props.name}</button>
            if *open { <span class="plugin-about">{plugins::about(props.name).get(lang)}</span> }
        </>
    }
}

/// The tab.
#[component]
pub(super) fn WhyTab(props: &ObjectProps) -> Html {
    let lang = use_lang();
    let chosen = use_state(|| None::<usize>);
    let contexts = (use_context::<UiContext>(), use_context::<DialogContext>(), use_context::<Notices>());
    let Some(lab) = use_context::<LabContext>() else { return html! {} };
    let object = &props.object;
    let decisions: Vec<Arc<Decision>> =
        lab.read(|l| l.shown().world().scheduler.decisions(object.uid()).cloned().collect());
    let scheduled = object.node_name().is_some();
    let Some(decision) = chosen.and_then(|i| decisions.get(i)).or(decisions.last()) else {
        let text = if scheduled { texts::NO_DECISION } else { texts::NOT_SCHEDULED };
        return html! { <section class="block"><p class="note">{text.get(lang)}</p></section> };
    };
    let onchange = {
        let chosen = chosen.clone();
        Callback::from(move |event: Event| {
            let index = event.target_dyn_into::<HtmlSelectElement>().and_then(|s| s.value().parse().ok());
            chosen.set(index);
        })
    };
    let at = decisions.iter().position(|d| Arc::ptr_eq(d, decision)).unwrap_or(0);
    let attempts = (decisions.len() > 1).then(|| {
        html! {
            <label class="attempts">{texts::ATTEMPTS.get(lang)}
                <select class="field" {onchange}>
                    {for decisions.iter().enumerate().map(|(index, d)| {
                        let what = match &d.outcome {
                            Outcome::Bound { node } => format!("→ {node}"),
                            Outcome::Unschedulable { .. } => format!("{}/{}", d.feasible_nodes, d.all_nodes),
                            Outcome::Gated { .. } => "SchedulingGated".to_owned(),
                            Outcome::WaitingForVolumes { .. } => "WaitingForVolumes".to_owned(),
                            Outcome::Error => "error".to_owned(),
                        };
                        let text = texts::ATTEMPT_ONE.with(lang, &[("n", &d.attempt.to_string()), ("time", &clock(d.at)), ("what", &what)]);
                        html! { <option key={index} value={index.to_string()} selected={index == at}>{text}</option> }
                    })}
                </select>
            </label>
        }
    });
    let facts = texts::ATTEMPT.with(
        lang,
        &[
            ("n", &decision.attempt.to_string()),
            ("time", &clock(decision.at)),
            ("feasible", &decision.feasible_nodes.to_string()),
            ("all", &decision.all_nodes.to_string()),
        ],
    );
    let said = match &decision.outcome {
        Outcome::Bound { node } | Outcome::WaitingForVolumes { node, .. } => {
            texts::THE_CHOSEN.with(lang, &[("node", node), ("name", object.name())])
        }
        Outcome::Gated { .. } => texts::SCHEDULING_GATED.get(lang).to_owned(),
        _ => texts::NONE_FIT.with(lang, &[("name", object.name()), ("all", &decision.all_nodes.to_string())]),
    };
    let body = match (&decision.outcome, &contexts) {
        (Outcome::Bound { node } | Outcome::WaitingForVolumes { node, .. }, _) => {
            chosen_node(decision, node, lang)
        }
        (_, (Some(ui), Some(dialog), notices)) => {
            pending(object, decision, &lab, ui, dialog, notices.as_ref(), lang)
        }
        _ => html! {},
    };
    html! {
        <>
            <section class="block why-lead">
                <p class="why-said">{said}</p>
                <p class="note">{facts}</p>
                if !decision.not_simulated.is_empty() {
                    <p class="note">{texts::NOT_SIMULATED.with(lang, &[("fields", &decision.not_simulated.join(", "))])}</p>
                }
                {attempts}
            </section>
            {body}
        </>
    }
}

fn heading(number: u8, text: &str) -> String {
    format!("{number} {text}")
}

fn chosen_node(decision: &Decision, node: &str, lang: Lang) -> Html {
    let passed = format!("{}/{}", decision.feasible_nodes, decision.evaluated_nodes);
    let filter = html! {
        <>
            <ul class="filters">
                {for decision.nodes.iter().map(|n| html! { <li key={n.node.to_string()}>{filtered(n, lang)}</li> })}
            </ul>
            <p class="note">{texts::FILTER_NOTE.get(lang)}</p>
        </>
    };
    let mut scored: Vec<(&str, &[PluginScore], i64)> = decision
        .nodes
        .iter()
        .filter_map(|n| match &n.verdict {
            Verdict::Feasible { scores, total } if !scores.is_empty() => Some((&*n.node, &**scores, *total)),
            _ => None,
        })
        .collect();
    scored.sort_by(|a, b| b.2.cmp(&a.2).then((b.0 == node).cmp(&(a.0 == node))).then(a.0.cmp(b.0)));
    let score = if scored.is_empty() {
        html! { <p class="note">{texts::NO_SCORES.get(lang)}</p> }
    } else {
        scores(&scored, node, lang)
    };
    let tie = match &decision.tie {
        Some(tie) => texts::TIE_DRAWN.with(lang, &[("count", &tie.count.to_string()), ("node", node)]),
        None => texts::TIE_NONE.get(lang).to_owned(),
    };
    html! {
        <>
            {block(&heading(1, texts::FILTER.get(lang)), html! { <span class="muted">{passed}</span> }, filter)}
            {block(&heading(2, texts::SCORE.get(lang)), html! {}, score)}
            {block(&heading(3, texts::TIE.get(lang)), html! {}, html! { <p class="note">{tie}</p> })}
        </>
    }
}

fn filtered(node: &NodeVerdict, lang: Lang) -> Html {
    match &node.verdict {
        Verdict::RuledOut { plugin, reasons, .. } => html! {
            <>
                <span class="filter-no"><Icon kind={IconKind::Close} /></span>
                <div>
                    <p><b>{node.node.to_string()}</b>{" "}
                        <span class="sr">{texts::RULED_OUT.get(lang)}</span>
                        if let Some(plugin) = plugin { <PluginName name={plugin.name()} /> }
                    </p>
                    {for reasons.iter().map(|r| html! { <p class="reason">{r.to_string()}</p> })}
                </div>
            </>
        },
        Verdict::Feasible { .. } => html! {
            <>
                <span class="filter-yes"><Icon kind={IconKind::Check} /></span>
                <div><p><b>{node.node.to_string()}</b>{" "}<span class="muted">{texts::FEASIBLE.get(lang)}</span></p></div>
            </>
        },
    }
}

fn scores(scored: &[(&str, &[PluginScore], i64)], winner: &str, lang: Lang) -> Html {
    let best = scored.iter().map(|s| s.2).max().unwrap_or(1).max(1);
    let plugins: Vec<&PluginScore> = scored.first().map(|s| s.1.iter().collect()).unwrap_or_default();
    let letter = |index: usize| LETTERS.get(index).copied().unwrap_or("·");
    // The winner first, then the best of the others.
    let compared: Vec<&(&str, &[PluginScore], i64)> = scored.iter().take(COMPARED).collect();
    html! {
        <>
            <ul class="score-bars">
                {for compared.iter().map(|(name, list, total)| {
                    let label = texts::POINTS.with(lang, &[("n", &total.to_string())]);
                    html! {
                        <li key={(*name).to_owned()} class={classes!((*name == winner).then_some("winner"))}>
                            <span class="score-node">{*name}</span>
                            <span class="score-bar" role="img" aria-label={format!("{name}: {label}")}>
                                {for list.iter().enumerate().filter(|(_, s)| s.weighted > 0).map(|(index, score)| {
                                    let width = format!("width:{:.2}%", f64::from(i32::try_from(score.weighted).unwrap_or(0)) * 100.0 / f64::from(i32::try_from(best).unwrap_or(1)));
                                    html! { <i key={index} class={format!("q-{}", letter(index))} style={width} title={format!("{} {}", score.plugin.name(), score.weighted)}>{letter(index)}</i> }
                                })}
                            </span>
                            <span class="score-total">{*total}</span>
                            <span class="score-word">if *name == winner { <Icon kind={IconKind::Check} />{texts::CHOSEN.get(lang)} }</span>
                        </li>
                    }
                })}
            </ul>
            <p class="note">{texts::SCORE_NOTE.get(lang)}</p>
            <div class="score-scroll" tabindex="0" role="region" aria-label={texts::SCORE.get(lang)}>
            <table class="score-table">
                <thead><tr><th class="sr-cell"><span class="sr">{"#"}</span></th><th>{texts::PLUGIN.get(lang)}</th>
                    {for compared.iter().map(|(name, ..)| html! { <th key={(*name).to_owned()} class="number">{*name}</th> })}
                </tr></thead>
                <tbody>
                    {for plugins.iter().enumerate().map(|(index, plugin)| {
                        let row: Vec<Option<&PluginScore>> = compared.iter().map(|(_, list, _)| list.iter().find(|s| s.plugin == plugin.plugin)).collect();
                        let most = row.iter().flatten().map(|s| s.weighted).max().unwrap_or(0);
                        let differs = row.iter().flatten().any(|s| s.weighted != most);
                        let zero = most == 0;
                        html! {
                            <tr key={index} class={classes!(zero.then_some("zero"))}>
                                <td><span class={classes!("score-key", format!("q-{}", letter(index)))}>{letter(index)}</span></td>
                                <td><PluginName name={plugin.plugin.name()} /></td>
                                {for row.into_iter().map(|score| match score {
                                    Some(s) => {
                                        let weight = if s.normalized > 0 { s.weighted / s.normalized } else { 1 };
                                        let high = differs && s.weighted == most;
                                        html! { <td class={classes!("number", high.then_some("high"))}>
                                            if weight > 1 { <span class="score-raw">{format!("{}×{weight}", s.normalized)}</span>{" "} }
                                            {s.weighted}
                                        </td> }
                                    }
                                    None => html! { <td class="number">{"–"}</td> },
                                })}
                            </tr>
                        }
                    })}
                </tbody>
                <tfoot><tr><td></td><td>{texts::TOTAL.get(lang)}</td>{for compared.iter().map(|(name, _, total)| html! { <td key={(*name).to_owned()} class="number">{*total}</td> })}</tr></tfoot>
            </table>
            </div>
        </>
    }
}
