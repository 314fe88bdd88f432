//! Scores: who won and by how much, each score with its formula, and the draw where several were best.

use super::formula_words::lines;
use crate::components::{Icon, IconKind};
use crate::i18n::{dock as texts, plugins, scores as words, use_lang};
use crate::state::Lang;
use podlab_cluster::scheduler::decision::{Decision, NodeVerdict, PluginScore, Verdict};
use podlab_cluster::scheduler::framework::PluginId;
use podlab_cluster::scheduler::profile::ScoringStrategy;
use podlab_cluster::scheduler::scoring::formula;
use std::cmp::Reverse;
use std::sync::Arc;
use yew::prelude::*;

/// Letters that key bars and table; the blues of the bars are `q-A` to `q-H`.
const LETTERS: [&str; 8] = ["A", "B", "C", "D", "E", "F", "G", "H"];
/// How many nodes the table compares.
const COMPARED: usize = 4;
/// How many plugins the sentence about the difference names.
const NAMED: usize = 3;

fn letter(index: usize) -> &'static str {
    LETTERS.get(index).copied().unwrap_or("·")
}

/// A node that was scored.
#[derive(Clone, Copy)]
struct Scored<'a> {
    verdict: &'a NodeVerdict,
    scores: &'a [PluginScore],
    total: i64,
}

impl Scored<'_> {
    fn name(&self) -> &str {
        &self.verdict.node
    }
}

/// The nodes that were scored, the winner first, then the best of the others.
fn scored<'a>(decision: &'a Decision, winner: &str) -> Vec<Scored<'a>> {
    let scored = decision.nodes.iter().filter_map(|verdict| match &verdict.verdict {
        Verdict::Feasible { scores, total, .. } if !scores.is_empty() => {
            Some(Scored { verdict, scores, total: *total })
        }
        _ => None,
    });
    let mut list: Vec<Scored<'a>> = scored.collect();
    list.sort_by_key(|s| (Reverse(s.total), s.name() != winner, s.verdict.node.clone()));
    list
}

/// Who won, the bars and the table.
pub(super) fn scores(decision: &Arc<Decision>, winner: &str, lang: Lang) -> Html {
    let list = scored(decision, winner);
    let Some(first) = list.first() else {
        return html! { <p class="note">{texts::NO_SCORES.get(lang)}</p> };
    };
    let best = f64::from(i32::try_from(first.total).unwrap_or(i32::MAX)).max(1.0);
    let compared: Vec<Scored<'_>> = list.iter().take(COMPARED).copied().collect();
    let names: Vec<String> = compared.iter().map(|s| s.name().to_owned()).collect();
    html! {
        <>
            {margin(&list, lang)}
            <ul class="score-bars">
                {for compared.iter().map(|node| {
                    let won = node.name() == winner;
                    let label = texts::POINTS.with(lang, &[("n", &node.total.to_string())]);
                    html! {
                        <li key={node.name().to_owned()} class={classes!(won.then_some("winner"))}>
                            <span class="score-node">{node.name()}</span>
                            <span class="score-bar" role="img" aria-label={format!("{}: {label}", node.name())}>
                                {for node.scores.iter().enumerate().filter(|(_, s)| s.weighted > 0).map(|(index, score)| {
                                    let points = f64::from(i32::try_from(score.weighted).unwrap_or(0));
                                    let width = format!("width:{:.2}%", points * 100.0 / best);
                                    html! { <i key={index} class={format!("q-{}", letter(index))} style={width} title={format!("{} {}", score.plugin.name(), score.weighted)}>{letter(index)}</i> }
                                })}
                            </span>
                            <span class="score-total">{node.total}</span>
                            <span class="score-word">if won { <Icon kind={IconKind::Check} />{texts::CHOSEN.get(lang)} }</span>
                        </li>
                    }
                })}
            </ul>
            <p class="note">{texts::SCORE_NOTE.get(lang)}</p>
            <div class="score-scroll" tabindex="0" role="region" aria-label={texts::SCORE.get(lang)}>
            <table class="score-table">
                <thead><tr><th class="sr-cell"><span class="sr">{"#"}</span></th><th>{texts::PLUGIN.get(lang)}</th>
                    {for names.iter().map(|name| html! { <th key={name.clone()} class="number">{name}</th> })}
                </tr></thead>
                <tbody>
                    {for (0..first.scores.len()).map(|index| html! {
                        <PluginRow key={index} decision={decision.clone()} {index} nodes={names.clone()} />
                    })}
                </tbody>
                <tfoot><tr><td></td><td>{texts::TOTAL.get(lang)}</td>{for compared.iter().map(|node| html! { <td key={node.name().to_owned()} class="number">{node.total}</td> })}</tr></tfoot>
            </table>
            </div>
        </>
    }
}

/// By how much the winner is ahead, and which plugins made that.
fn margin(list: &[Scored<'_>], lang: Lang) -> Html {
    let [first, second, ..] = list else { return html! {} };
    let by = first.total - second.total;
    if by <= 0 {
        return html! {};
    }
    let weighted = |node: &Scored<'_>, index: usize| node.scores.get(index).map_or(0, |s| s.weighted);
    let ahead = |(index, score): (usize, &PluginScore)| {
        let by = score.weighted - weighted(second, index);
        (by != 0).then(|| (by, format!("{} {by:+}", score.plugin.name())))
    };
    let mut parts: Vec<(i64, String)> = first.scores.iter().enumerate().filter_map(ahead).collect();
    parts.sort_by_key(|(by, _)| Reverse(by.abs()));
    let parts: Vec<String> = parts.into_iter().take(NAMED).map(|(_, text)| text).collect();
    let values = [
        ("node", first.name()),
        ("points", &first.total.to_string()),
        ("by", &by.to_string()),
        ("second", second.name()),
    ];
    html! {
        <p class="score-margin">{words::WON.with(lang, &values)}{" "}{words::LED.with(lang, &[("parts", &parts.join(", "))])}</p>
    }
}

/// The nodes that were best alike, and the draw; or that there was none.
pub(super) fn tie(decision: &Decision, winner: &str, seed: u64, lang: Lang) -> Html {
    let Some(tie) = &decision.tie else {
        return html! { <p class="note">{texts::TIE_NONE.get(lang)}</p> };
    };
    let points = scored(decision, winner).first().map_or(0, |s| s.total).to_string();
    let mut names: Vec<String> = tie.nodes.iter().take(8).map(ToString::to_string).collect();
    if tie.count > names.len() {
        names.push(words::ONLY_MORE.with(lang, &[("count", &(tie.count - names.len()).to_string())]));
    }
    let count = tie.count.to_string();
    let alike =
        words::TIE_NODES.with(lang, &[("count", &count), ("points", &points), ("nodes", &names.join(", "))]);
    let values = [
        ("place", (tie.drawn + 1).to_string()),
        ("count", count),
        ("node", winner.to_owned()),
        ("seed", seed.to_string()),
        ("attempt", decision.attempt.to_string()),
    ];
    let drawn = words::TIE_DRAW.with(lang, &values.each_ref().map(|(name, value)| (*name, value.as_str())));
    html! { <><p class="note">{alike}</p><p class="note">{drawn}</p></> }
}

/// Properties of [`PluginRow`].
#[derive(Clone, PartialEq, Properties)]
struct PluginRowProps {
    decision: Arc<Decision>,
    /// Which of the plugins that score.
    index: usize,
    /// The nodes that are compared.
    nodes: Vec<String>,
}

/// What one plugin gave the nodes; pressing its name opens what it looks at and the formula with its numbers.
#[component]
fn PluginRow(props: &PluginRowProps) -> Html {
    let lang = use_lang();
    let open = use_state(|| false);
    let decision = &props.decision;
    let of = |name: &String| -> Option<(&NodeVerdict, &PluginScore)> {
        let verdict = decision.nodes.iter().find(|n| *n.node == **name)?;
        let Verdict::Feasible { scores, .. } = &verdict.verdict else { return None };
        Some((verdict, scores.get(props.index)?))
    };
    let row: Vec<Option<(&NodeVerdict, &PluginScore)>> = props.nodes.iter().map(of).collect();
    let Some((_, first)) = row.iter().flatten().next() else { return html! {} };
    let plugin = first.plugin;
    let weight = decision.scoring.as_ref().map_or(1, |s| s.weight(plugin));
    let most = row.iter().flatten().map(|(_, s)| s.weighted).max().unwrap_or(0);
    let differs = row.iter().flatten().any(|(_, s)| s.weighted != most);
    let letter = letter(props.index);
    let onclick = {
        let open = open.clone();
        move |_: MouseEvent| open.set(!*open)
    };
    let formulas = || {
        row.iter().flatten().filter_map(|(verdict, score)| {
            let formula = formula(decision, verdict, plugin)?;
            let title = words::FORMULA
                .with(lang, &[("node", &verdict.node), ("points", &score.weighted.to_string())]);
            Some(html! {
                <div key={verdict.node.to_string()} class="formula">
                    <p>{title}</p>
                    <ul>{for lines(plugin, &formula, weight, lang).into_iter().map(|line| html! { <li><code>{line}</code></li> })}</ul>
                </div>
            })
        })
    };
    let packs = decision.scoring.as_ref().is_some_and(|s| s.fit.strategy == ScoringStrategy::MostAllocated);
    let about = match plugin {
        PluginId::NodeResourcesFit if packs => plugins::about_packing(),
        _ => plugins::about(plugin.name()),
    };
    let columns = (props.nodes.len() + 2).to_string();
    html! {
        <>
            <tr class={classes!((most == 0).then_some("zero"))}>
                <td><span class={classes!("score-key", format!("q-{letter}"))}>{letter}</span></td>
                <td><button type="button" class="plugin" aria-expanded={open.to_string()} {onclick}>{plugin.name()}</button></td>
                {for row.iter().map(|score| match score {
                    Some((_, s)) => {
                        let high = differs && s.weighted == most;
                        html! { <td class={classes!("number", high.then_some("high"))}>
                            if weight > 1 { <span class="score-raw">{format!("{}×{weight}", s.normalized)}</span>{" "} }
                            {s.weighted}
                        </td> }
                    }
                    None => html! { <td class="number">{"–"}</td> },
                })}
            </tr>
            if *open {
                <tr class="formulas"><td colspan={columns}>
                    <p class="plugin-about">{about.get(lang)}</p>
                    {for formulas()}
                </td></tr>
            }
        </>
    }
}
