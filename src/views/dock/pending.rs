//! Why a pod fits nowhere: the message taken apart, node by node, and what would make it fit.

use super::shared::{block, clock, propose};
use super::why::PluginName;
use crate::app::{DialogContext, OpenDialog, UiContext};
use crate::components::{Icon, IconKind, Notice, NoticeKind, Notices};
use crate::i18n::dock as texts;
use crate::session::{LabContext, now_ms};
use crate::state::inspect::{amount, manifest, with_request, with_toleration, without_gate};
use crate::state::lab::command_line;
use crate::state::{Lang, Pane, UiAction};
use podlab_api::Object;
use podlab_cluster::Turn;
use podlab_cluster::observe::{Upcoming, UpcomingKind};
use podlab_cluster::scheduler::decision::{Decision, Fix, Outcome, Verdict};
use podlab_sim::SimTime;
use serde_json::Value;
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

/// What a button does about a fix.
#[derive(Clone)]
enum Try {
    /// A changed manifest opens in the editor.
    Edit(Rc<Value>),
    /// A line is put into the terminal.
    Type(String),
    /// The dialog that adds a node opens.
    AddNode,
    /// Time moves on to an instant.
    Jump(SimTime),
}

/// A fix as it is offered.
struct Offer {
    title: String,
    text: String,
    node: String,
    act: Option<Try>,
    /// How much it asks for, for the order.
    cost: i64,
}

/// The body of the tab for a pod that fits nowhere.
pub(super) fn pending(
    object: &Arc<Object>,
    decision: &Decision,
    lab: &LabContext,
    ui: &UiContext,
    dialog: &DialogContext,
    notices: Option<&Notices>,
    lang: Lang,
) -> Html {
    let mut offers: Vec<Offer> = Vec::new();
    if let Outcome::Gated { gates } = &decision.outcome {
        for gate in gates {
            offers.push(offer(&Fix::RemoveGate { name: gate.clone() }, "", object, lang));
        }
    }
    if let Outcome::Unschedulable { fixes, .. } = &decision.outcome {
        offers.extend(fixes.iter().map(|fix| offer(fix, "", object, lang)));
    }
    for node in &decision.nodes {
        if let Verdict::RuledOut { fixes, .. } = &node.verdict {
            offers.extend(fixes.iter().map(|fix| offer(fix, &node.node, object, lang)));
        }
    }
    if matches!(decision.outcome, Outcome::Unschedulable { .. }) {
        offers.push(offer(&Fix::AddNode, "", object, lang));
    }
    offers.extend(lab.read(|l| waits(&l.shown().upcoming(PLANNED), object, lang)));
    offers.sort_by_key(|o| o.cost);
    let mut seen: Vec<(String, String)> = Vec::new();
    offers.retain(|o| {
        let key = (o.title.clone(), o.node.clone());
        let new = !seen.contains(&key);
        seen.push(key);
        new
    });
    offers.truncate(12);
    let is_past = lab.read(|l| l.is_past());
    html! {
        <>
            {block(texts::MESSAGE.get(lang), html! {}, html! {
                <>
                    <p class="message">{parts(decision)}</p>
                    <ul class="verdicts">
                        {for decision.nodes.iter().map(|n| match &n.verdict {
                            Verdict::RuledOut { plugin, reasons, fixes, .. } => {
                                let is_resource = plugin.is_some_and(|p| p.name() == "NodeResourcesFit");
                                html! {
                                    <li key={n.node.to_string()} class={if is_resource { "by-resource" } else { "by-rule" }}>
                                        <p class="verdict-head"><b>{n.node.to_string()}</b>{" "}if let Some(plugin) = plugin { <PluginName name={plugin.name()} /> }</p>
                                        {for reasons.iter().map(|r| html! { <p class="reason">{r.to_string()}</p> })}
                                        {for fixes.iter().filter_map(|f| bar(f, lang))}
                                    </li>
                                }
                            }
                            Verdict::Feasible { .. } => html! {},
                        })}
                    </ul>
                </>
            })}
            if !offers.is_empty() {
                {block(texts::FIT.get(lang), html! {}, html! {
                    <ul class="offers-list">
                        {for offers.into_iter().enumerate().map(|(index, offer)| {
                            let jumps = matches!(offer.act, Some(Try::Jump(_)));
                            let onclick = offer.act.clone().map(|act| {
                                let (lab, ui, dialog, notices, object) = (lab.clone(), ui.clone(), dialog.clone(), notices.cloned(), object.clone());
                                Callback::from(move |_: MouseEvent| do_try(&act, &object, &lab, &ui, &dialog, notices.as_ref(), lang))
                            });
                            html! {
                                <li key={index}>
                                    <div>
                                        <p><b>{offer.title}</b>{" "}<span class="offer-node">{offer.node}</span></p>
                                        if !offer.text.is_empty() { <p class="note">{offer.text}</p> }
                                    </div>
                                    if let Some(onclick) = onclick {
                                        <button type="button" class="button small" disabled={is_past} {onclick}>{if jumps { texts::JUMP.get(lang) } else { texts::TRY.get(lang) }}</button>
                                    }
                                </li>
                            }
                        })}
                    </ul>
                })}
            }
        </>
    }
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
        offers.push(Offer { title, text, node: String::new(), act: Some(Try::Jump(next.at)), cost: 80 });
    }
    for going in planned.iter().filter(|u| u.what == UpcomingKind::GraceEnds) {
        let text = texts::WAIT_GRACE_TEXT.with(lang, &[("time", &clock(going.at))]);
        let title = texts::WAIT_GRACE.with(lang, &[("name", &going.name)]);
        offers.push(Offer { title, text, node: String::new(), act: Some(Try::Jump(going.at)), cost: 2 });
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
        Fix::LowerRequest { resource, requested, allocatable } => {
            (resource, *requested, *allocatable, *allocatable)
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

fn offer(fix: &Fix, node: &str, object: &Object, lang: Lang) -> Offer {
    let edit = |value: Value| Some(Try::Edit(Rc::new(value)));
    let base = || manifest(object);
    let (title, text, act, cost) = match fix {
        Fix::FreeResource { resource, requested, free, short_by, .. } => {
            let to = amount(resource, (*free).max(0));
            let act = if matches!(resource.as_str(), "pods") || *free <= 0 {
                None
            } else {
                edit(with_request(base(), resource, &to))
            };
            (
                texts::FIX_FREE.with(
                    lang,
                    &[("resource", resource), ("from", &amount(resource, *requested)), ("to", &to)],
                ),
                texts::FIX_FREE_TEXT.with(lang, &[("amount", &amount(resource, *short_by))]),
                act,
                20,
            )
        }
        Fix::LowerRequest { resource, requested, allocatable } => {
            let to = amount(resource, *allocatable);
            (
                texts::FIX_LOWER.with(
                    lang,
                    &[("resource", resource), ("from", &amount(resource, *requested)), ("to", &to)],
                ),
                texts::FIX_LOWER_TEXT.get(lang).to_owned(),
                edit(with_request(base(), resource, &to)),
                30,
            )
        }
        Fix::TolerateTaint { key, value, effect } => {
            let taint =
                if value.is_empty() { format!("{key}:{effect}") } else { format!("{key}={value}:{effect}") };
            let changed = with_toleration(base(), key, value, effect);
            (texts::FIX_TOLERATE.with(lang, &[("taint", &taint)]), String::new(), edit(changed), 40)
        }
        Fix::Uncordon => {
            let line = command_line(&["uncordon", node]);
            (texts::FIX_UNCORDON.get(lang).to_owned(), line.clone(), Some(Try::Type(line)), 5)
        }
        Fix::LabelNode { key, value } => {
            let label = format!("{key}={value}");
            let line = command_line(&["label", "node", node, &label]);
            (texts::FIX_LABEL.with(lang, &[("label", &label)]), line.clone(), Some(Try::Type(line)), 10)
        }
        Fix::MatchExpression { requirement } => {
            (texts::FIX_EXPRESSION.with(lang, &[("requirement", requirement)]), String::new(), None, 50)
        }
        Fix::ChangeNodeName { wanted } => {
            (texts::FIX_NODE_NAME.with(lang, &[("wanted", wanted)]), String::new(), None, 50)
        }
        Fix::FreeHostPort { port, protocol } => {
            (texts::FIX_PORT.with(lang, &[("port", &format!("{port}/{protocol}"))]), String::new(), None, 50)
        }
        Fix::RemoveGate { name } => {
            let changed = without_gate(base(), name);
            (texts::FIX_GATE.with(lang, &[("name", name)]), String::new(), edit(changed), 1)
        }
        Fix::NeedPod { selector, topology_key } => (
            texts::FIX_NEED_POD.with(lang, &[("selector", selector), ("key", topology_key)]),
            String::new(),
            None,
            50,
        ),
        Fix::AvoidPod { selector, topology_key, pod } => (
            texts::FIX_AVOID_POD.with(lang, &[("selector", selector), ("key", topology_key)]),
            pod.clone().unwrap_or_default(),
            None,
            50,
        ),
        Fix::ReduceSkew { topology_key, skew, max_skew } => (
            texts::FIX_SKEW.with(
                lang,
                &[("key", topology_key), ("skew", &skew.to_string()), ("max", &max_skew.to_string())],
            ),
            String::new(),
            None,
            50,
        ),
        Fix::BindClaim { claim } => {
            (texts::FIX_CLAIM.with(lang, &[("claim", claim)]), String::new(), None, 50)
        }
        Fix::AddNode => (texts::FIX_ADD_NODE.get(lang).to_owned(), String::new(), Some(Try::AddNode), 90),
    };
    Offer { title, text, node: node.to_owned(), act, cost }
}

fn do_try(
    act: &Try,
    object: &Object,
    lab: &LabContext,
    ui: &UiContext,
    dialog: &DialogContext,
    notices: Option<&Notices>,
    lang: Lang,
) {
    match act {
        Try::Edit(value) => {
            let text = podlab_yaml::to_yaml(value);
            lab.update(|l| l.files.add(object.name(), &text));
            let file = lab.read(|l| l.files.active().name.clone());
            ui.dispatch(UiAction::Pane(Pane::Editor));
            if let Some(notices) = notices {
                notices.show(
                    Notice::new(NoticeKind::Info, texts::TRY_TITLE.get(lang))
                        .text(texts::TRY_TEXT.with(lang, &[("file", &file)])),
                );
            }
        }
        Try::Type(line) => propose(lab, ui, line),
        Try::AddNode => dialog.set(Some(OpenDialog::AddNode)),
        Try::Jump(at) => {
            let mut turn = Turn::new(now_ms(), JUMP_MS);
            // Just behind the instant, so that what is planned for it has happened.
            let at = *at + Duration::from_millis(1);
            lab.update(|l| l.jump(at, &mut || turn.goes_on(now_ms)));
        }
    }
}
