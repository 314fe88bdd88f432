//! Why a pod fits nowhere: the message taken apart, node by node, and what would make it fit.

use super::remedy_words::{sentence, title};
use super::shared::{block, clock};
use super::why::PluginName;
use crate::app::{DialogContext, OpenDialog};
use crate::components::{Icon, IconKind};
use crate::i18n::{dock as texts, remedy as words};
use crate::session::{LabContext, now_ms};
use crate::state::Lang;
use crate::state::inspect::{amount, manifest};
use crate::state::remedy::{Does, What, ways};
use crate::state::what_if::Trial;
use podlab_api::Object;
use podlab_cluster::Turn;
use podlab_cluster::observe::{Upcoming, UpcomingKind};
use podlab_cluster::scheduler::decision::{Decision, Fix, NodeVerdict, Outcome, Verdict};
use podlab_sim::SimTime;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use yew::prelude::*;

/// How far ahead the plans are looked through, in entries.
const PLANNED: usize = 200;
/// How long a jump may take of a frame, in milliseconds.
const JUMP_MS: f64 = 3_000.0;
/// How the scheduler calls the round in which it tries pods again that fitted nowhere.
const FLUSH: &str = "unschedulable pods are tried again";
/// For how many nodes ways are offered, and how many offers there are.
const NODES: usize = 16;
const OFFERS: usize = 12;

/// Something to do about one fix.
#[derive(Clone)]
struct Choice {
    fix: Fix,
    node: String,
    what: What,
}

/// What a button does.
#[derive(Clone)]
enum Act {
    /// Changes are tried on a copy.
    Try(Rc<Vec<Choice>>),
    /// The dialog that adds a node opens.
    AddNode,
    /// Time moves on to an instant.
    Jump(SimTime),
}

/// What is offered.
struct Offer {
    title: String,
    text: String,
    node: String,
    act: Act,
    /// Less comes first.
    cost: u32,
}

/// What the view needs beside the decision.
pub(super) struct Pending<'a> {
    pub(super) object: &'a Arc<Object>,
    pub(super) lab: &'a LabContext,
    pub(super) dialog: &'a DialogContext,
    /// What is tried already.
    pub(super) trial: &'a Trial,
    /// Tries something.
    pub(super) on_try: &'a Callback<Trial>,
    pub(super) lang: Lang,
}

/// The body of the tab for a pod that fits nowhere.
pub(super) fn pending(decision: &Decision, cx: &Pending<'_>) -> Html {
    let lang = cx.lang;
    let offers = offers(decision, cx);
    let is_past = cx.lab.read(|l| l.is_past());
    let everywhere = match &decision.outcome {
        Outcome::Unschedulable { fixes, .. } => sentence(fixes.iter(), lang),
        _ => String::new(),
    };
    html! {
        <>
            {block(texts::MESSAGE.get(lang), html! {}, html! {
                <>
                    <p class="message">{parts(decision)}</p>
                    if !everywhere.is_empty() { <p class="to-fit">{everywhere}</p> }
                    {room(decision, lang)}
                    <ul class="verdicts">
                        {for decision.nodes.iter().map(|n| verdict(n, lang))}
                    </ul>
                </>
            })}
            if !offers.is_empty() {
                {block(texts::FIT.get(lang), html! {}, html! {
                    <ul class="offers-list">
                        {for offers.into_iter().enumerate().map(|(index, offer)| {
                            let jumps = matches!(offer.act, Act::Jump(_));
                            let onclick = doing(offer.act, cx);
                            html! {
                                <li key={index}>
                                    <div>
                                        <p><b>{offer.title}</b>{" "}<span class="offer-node">{offer.node}</span></p>
                                        if !offer.text.is_empty() { <p class="note">{offer.text}</p> }
                                    </div>
                                    <button type="button" class="button small" disabled={is_past} {onclick}>{if jumps { texts::JUMP.get(lang) } else { texts::TRY.get(lang) }}</button>
                                </li>
                            }
                        })}
                    </ul>
                })}
            }
        </>
    }
}

/// What ruled a node out, in Kubernetes' words, and in one sentence what would make the pod fit there.
pub(super) fn verdict(node: &NodeVerdict, lang: Lang) -> Html {
    let Verdict::RuledOut { plugin, reasons, fixes, beyond, .. } = &node.verdict else { return html! {} };
    let is_resource = plugin.is_some_and(|p| p.name() == "NodeResourcesFit");
    let all = || fixes.iter().chain(beyond.iter().flat_map(|o| &o.fixes));
    html! {
        <li key={node.node.to_string()} class={if is_resource { "by-resource" } else { "by-rule" }}>
            <p class="verdict-head"><b>{node.node.to_string()}</b>{" "}if let Some(plugin) = plugin { <PluginName name={plugin.name()} /> }</p>
            {for reasons.iter().map(|r| html! { <p class="reason">{r.to_string()}</p> })}
            {for beyond.iter().map(|o| html! {
                <p class="reason beyond"><span>{words::THEN.get(lang)}</span>{" "}{o.plugin.name()}{": "}{o.reasons.join(", ")}</p>
            })}
            {for all().filter_map(|f| bar(f, lang))}
            <p class="to-fit">{sentence(all(), lang)}</p>
        </li>
    }
}

/// The pods that are evicted so that the pod gets room.
fn room(decision: &Decision, lang: Lang) -> Html {
    let Outcome::Unschedulable { nominated: Some(node), victims, .. } = &decision.outcome else {
        return html! {};
    };
    let pods: Vec<String> = victims.iter().map(|v| format!("{}/{}", v.namespace, v.name)).collect();
    let text = texts::MAKES_ROOM.with(lang, &[("node", node), ("pods", &pods.join(", "))]);
    html! { <p class="to-fit">{text}</p> }
}

fn offers(decision: &Decision, cx: &Pending<'_>) -> Vec<Offer> {
    let lang = cx.lang;
    let base = manifest(cx.object);
    let mut offers: Vec<Offer> = Vec::new();
    let mut everywhere: Vec<Fix> = Vec::new();
    match &decision.outcome {
        Outcome::Gated { gates } => {
            everywhere.extend(gates.iter().map(|name| Fix::RemoveGate { name: name.clone() }));
        }
        Outcome::Unschedulable { fixes, .. } => {
            everywhere.extend(fixes.iter().filter(|f| **f != Fix::AddNode).cloned());
            offers.push(Offer {
                title: words::WAY_ADD_NODE.get(lang).to_owned(),
                text: String::new(),
                node: String::new(),
                act: Act::AddNode,
                cost: 90,
            });
        }
        _ => {}
    }
    let mut cases: Vec<(String, Vec<Fix>)> = Vec::new();
    if !everywhere.is_empty() {
        cases.push((String::new(), everywhere));
    }
    for node in decision.nodes.iter().take(NODES) {
        if let Verdict::RuledOut { fixes, beyond, .. } = &node.verdict {
            let all = fixes.iter().chain(beyond.iter().flat_map(|o| &o.fixes)).cloned().collect();
            cases.push((node.node.to_string(), all));
        }
    }
    for (node, fixes) in cases {
        let of: Vec<Vec<_>> = fixes.iter().map(|fix| ways(fix, &node, &base)).collect();
        if of.is_empty() || of.iter().any(Vec::is_empty) {
            continue;
        }
        let choice = |index: usize, what: &What| Choice {
            fix: fixes[index].clone(),
            node: node.clone(),
            what: what.clone(),
        };
        match of.as_slice() {
            [ways] => {
                for way in ways {
                    let for_all = matches!(way.does, Does::Pod(_)) && !node.is_empty();
                    let named = title(&way.what, lang);
                    // One change of the pod may be what several nodes wait for.
                    let same = offers.iter_mut().find(|o| for_all && o.title == named);
                    match same {
                        Some(offer) => {
                            offer.node.push_str(", ");
                            offer.node.push_str(&node);
                        }
                        None => offers.push(Offer {
                            title: named,
                            text: line(&way.does),
                            node: node.clone(),
                            act: Act::Try(Rc::new(vec![choice(0, &way.what)])),
                            cost: way.cost,
                        }),
                    }
                }
            }
            several => {
                let first: Vec<_> = several.iter().filter_map(|ways| ways.first()).collect();
                let titles: Vec<String> = first.iter().map(|way| title(&way.what, lang)).collect();
                let choices = first.iter().enumerate().map(|(index, way)| choice(index, &way.what)).collect();
                offers.push(Offer {
                    title: titles.join(" + "),
                    text: words::NEEDS_ALL.with(lang, &[("count", &several.len().to_string())]),
                    node: node.clone(),
                    act: Act::Try(Rc::new(choices)),
                    cost: 30 + first.iter().map(|way| way.cost).sum::<u32>(),
                });
            }
        }
    }
    offers.extend(cx.lab.read(|l| waits(&l.shown().upcoming(PLANNED), cx.object, lang)));
    offers.sort_by_key(|o| o.cost);
    offers.truncate(OFFERS);
    offers
}

/// The kubectl line of a change of the cluster.
fn line(does: &Does) -> String {
    match does {
        Does::Cluster(changes) => changes.iter().map(|c| c.text()).collect::<Vec<_>>().join(" && "),
        Does::Pod(_) | Does::AddNode => String::new(),
    }
}

fn doing(act: Act, cx: &Pending<'_>) -> Callback<MouseEvent> {
    let (lab, dialog, object) = (cx.lab.clone(), cx.dialog.clone(), cx.object.clone());
    let (trial, on_try) = (cx.trial.clone(), cx.on_try.clone());
    Callback::from(move |_| match &act {
        Act::Try(choices) => {
            let mut trial = trial.clone();
            for choice in choices.iter() {
                let ways = ways(&choice.fix, &choice.node, &trial.manifest(&object));
                if let Some(way) = ways.iter().find(|way| way.what == choice.what) {
                    trial.add(way);
                }
            }
            on_try.emit(trial);
        }
        Act::AddNode => dialog.set(Some(OpenDialog::AddNode)),
        Act::Jump(at) => {
            let mut turn = Turn::new(now_ms(), JUMP_MS);
            // Just behind the instant, so that what is planned for it has happened.
            let at = *at + Duration::from_millis(1);
            lab.update(|l| l.jump(at, &mut || turn.goes_on(now_ms)));
        }
    })
}

/// What only takes time: another attempt, a pod that is going.
fn waits(planned: &[Upcoming], object: &Object, lang: Lang) -> Vec<Offer> {
    let mut offers = Vec::new();
    let own = |u: &&Upcoming| u.kind == "Pod" && u.name == object.name() && u.namespace == object.namespace();
    let attempt = planned
        .iter()
        .filter(own)
        .find(|u| matches!(u.what, UpcomingKind::Schedule | UpcomingKind::SchedulerBackoffEnds))
        .or_else(|| planned.iter().find(|u| u.what == UpcomingKind::Other(FLUSH)));
    if let Some(next) = attempt {
        let text = texts::WAIT_ATTEMPT_TEXT.with(lang, &[("time", &clock(next.at))]);
        let title = texts::WAIT_ATTEMPT.get(lang).to_owned();
        offers.push(Offer { title, text, node: String::new(), act: Act::Jump(next.at), cost: 80 });
    }
    for going in planned.iter().filter(|u| u.what == UpcomingKind::GraceEnds) {
        let text = texts::WAIT_GRACE_TEXT.with(lang, &[("time", &clock(going.at))]);
        let title = texts::WAIT_GRACE.with(lang, &[("name", &going.name)]);
        offers.push(Offer { title, text, node: String::new(), act: Act::Jump(going.at), cost: 2 });
    }
    offers
}

/// The event's message, its reasons underlined by what they are about.
fn parts(decision: &Decision) -> Html {
    let message = decision.message.as_str();
    // (start, end, about resources) of each reason with the number before it.
    let mut marks: Vec<(usize, usize, bool)> = Vec::new();
    let end_of_filters = message.find(" preemption:").unwrap_or(message.len());
    for reason in decision.reasons.keys() {
        let reason: &str = reason;
        if reason.is_empty() {
            continue;
        }
        for (at, found) in message.match_indices(reason).filter(|(at, _)| *at < end_of_filters) {
            let before = message.get(..at).unwrap_or_default();
            let start = before.trim_end().rfind(|c: char| !c.is_ascii_digit()).map_or(0, |i| i + 1);
            let is_resource = reason.starts_with("Insufficient") || reason.starts_with("Too many pods");
            marks.push((start, at + found.len(), is_resource));
        }
    }
    marks.sort_unstable();
    let mut html = Vec::new();
    let mut from = 0;
    for (start, end, is_resource) in marks {
        if start < from {
            continue;
        }
        let class = if is_resource { "mark-resource" } else { "mark-rule" };
        let (plain, marked) =
            (message.get(from..start).unwrap_or_default(), message.get(start..end).unwrap_or_default());
        html.push(html! { <>{plain}<u {class}>{marked}</u></> });
        from = end;
    }
    let rest = message.get(from..).unwrap_or_default();
    let (rest, preemption) = rest.split_once(" preemption:").map_or((rest, None), |(a, b)| (a, Some(b)));
    html! {
        <>{for html}{rest}if let Some(preemption) = preemption { <span class="soft">{" preemption:"}{preemption}</span> }</>
    }
}

#[allow(clippy::cast_precision_loss)]
fn percent(part: i64, whole: i64) -> f64 {
    (part.max(0) as f64 * 100.0 / whole.max(1) as f64).min(100.0)
}

/// Used, asked and missing against what the node has.
fn bar(fix: &Fix, lang: Lang) -> Option<Html> {
    let (resource, requested, free, allocatable) = match fix {
        Fix::FreeResource { resource, requested, free, allocatable, .. } => {
            (resource, *requested, *free, *allocatable)
        }
        Fix::LowerRequest { resource, requested, free, allocatable } => {
            (resource, *requested, *free, *allocatable)
        }
        _ => return None,
    };
    let short = (requested - free).max(0);
    let whole = allocatable.max(1) + short;
    let used = (allocatable - free).max(0);
    let label = |name: &str, value: i64| html! { <span>{name.to_owned()}{" "}<b>{amount(resource, value)}</b></span> };
    let missing = texts::SHORT_BY.with(lang, &[("amount", &amount(resource, short))]);
    let said = format!(
        "{resource}: {} {}, {} {}, {missing}",
        texts::ASKS.get(lang),
        amount(resource, requested),
        texts::FREE.get(lang),
        amount(resource, free)
    );
    Some(html! {
        <div class="fit">
            <div class="fit-bar" role="img" aria-label={said}>
                <i class="used" style={format!("width:{:.2}%", percent(used, whole))} />
                <i class="asked" style={format!("width:{:.2}%", percent(requested.min(free.max(0)), whole))} />
                <i class="missing" style={format!("width:{:.2}%", percent(short, whole))} />
                <em style={format!("left:{:.2}%", percent(allocatable, whole))} />
            </div>
            <p class="fit-numbers"><code>{resource.clone()}</code>{label(texts::ASKS.get(lang), requested)}{label(texts::FREE.get(lang), free)}
                <span class="short"><Icon kind={IconKind::Close} />{missing}</span></p>
        </div>
    })
}
