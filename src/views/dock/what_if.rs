//! The what-if: changes of the pod and of nodes on a copy of the cluster, with the verdict at once.

use super::remedy_words::sentence;
use super::shared::{Command, block, propose};
use crate::app::UiContext;
use crate::components::{Icon, IconKind, Notice, NoticeKind, Notices};
use crate::i18n::{dock as dock_texts, use_lang, what_if as texts};
use crate::session::{LabContext, now_ms};
use crate::state::Lang;
use crate::state::inspect::manifest;
use crate::state::remedy::Change;
use crate::state::what_if::{Row, Trial, Tried, words};
use gloo::timers::callback::Timeout;
use podlab_api::Object;
use podlab_cluster::Turn;
use podlab_cluster::scheduler::decision::{Decision, Outcome, Verdict};
use std::rc::Rc;
use std::sync::Arc;
use web_sys::{Element, HtmlTextAreaElement};
use yew::prelude::*;

/// How long typing rests before the copy is asked, in milliseconds.
const RESTS_MS: u32 = 300;
/// How long asking may take, in milliseconds.
const ASKS_MS: f64 = 1_500.0;
/// How many nodes the table shows.
const ROWS: usize = 32;

/// What of a node is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Label,
    Taint,
    Allocatable,
    Cordon,
    Uncordon,
    Kubectl,
}

impl Kind {
    const ALL: [Kind; 6] =
        [Kind::Label, Kind::Taint, Kind::Allocatable, Kind::Cordon, Kind::Uncordon, Kind::Kubectl];

    fn name(self, lang: Lang) -> &'static str {
        let text = match self {
            Kind::Label => texts::LABEL,
            Kind::Taint => texts::TAINT,
            Kind::Allocatable => texts::ALLOCATABLE,
            Kind::Cordon => texts::CORDON,
            Kind::Uncordon => texts::UNCORDON,
            Kind::Kubectl => texts::KUBECTL,
        };
        text.get(lang)
    }

    fn hint(self, lang: Lang) -> &'static str {
        match self {
            Kind::Label => texts::LABEL_HINT.get(lang),
            Kind::Taint => texts::TAINT_HINT.get(lang),
            Kind::Allocatable => texts::ALLOCATABLE_HINT.get(lang),
            Kind::Kubectl => texts::KUBECTL_HINT.get(lang),
            Kind::Cordon | Kind::Uncordon => "",
        }
    }

    fn has_value(self) -> bool {
        !matches!(self, Kind::Cordon | Kind::Uncordon)
    }

    /// The words of kubectl; `None` while something is missing.
    fn change(self, node: &str, value: &str) -> Option<Change> {
        let value = value.trim();
        if self.has_value() && value.is_empty() {
            return None;
        }
        let args: Vec<String> = match self {
            Kind::Label => ["label", "node", node]
                .into_iter()
                .chain(value.split_whitespace())
                .chain(["--overwrite"])
                .map(str::to_owned)
                .collect(),
            Kind::Taint => ["taint", "node", node]
                .into_iter()
                .chain(value.split_whitespace())
                .chain(["--overwrite"])
                .map(str::to_owned)
                .collect(),
            Kind::Allocatable => {
                let (resource, amount) = value.split_once('=')?;
                let resources = serde_json::json!({ resource.trim(): amount.trim() });
                let patch = serde_json::json!({"status": {"capacity": resources, "allocatable": resources}});
                ["patch", "node", node, "--subresource=status", "--type=merge", "-p", &patch.to_string()]
                    .map(str::to_owned)
                    .to_vec()
            }
            Kind::Cordon => ["cordon", node].map(str::to_owned).to_vec(),
            Kind::Uncordon => ["uncordon", node].map(str::to_owned).to_vec(),
            Kind::Kubectl => {
                let value = value.strip_prefix("kubectl ").unwrap_or(value);
                words(value)
            }
        };
        Some(Change::Kubectl(args))
    }
}

/// Properties of [`WhatIf`].
#[derive(Clone, Properties)]
pub(super) struct WhatIfProps {
    pub(super) object: Arc<Object>,
    pub(super) trial: Trial,
    pub(super) on_change: Callback<Trial>,
    /// Grows whenever a button beside the what-if tries something: then it comes into view.
    pub(super) called: u32,
}

impl PartialEq for WhatIfProps {
    fn eq(&self, other: &WhatIfProps) -> bool {
        Arc::ptr_eq(&self.object, &other.object)
            && self.trial == other.trial
            && self.on_change == other.on_change
            && self.called == other.called
    }
}

/// The block.
#[component]
pub(super) fn WhatIf(props: &WhatIfProps) -> Html {
    let lang = use_lang();
    let notices = use_context::<Notices>();
    let tried = use_state(|| None::<Rc<Tried>>);
    let place = use_node_ref();
    let (Some(lab), Some(ui)) = (use_context::<LabContext>(), use_context::<UiContext>()) else {
        return html! {};
    };
    let attempts = lab.read(|l| l.shown().world().scheduler.decisions(props.object.uid()).count());
    {
        let (lab, tried, object) = (lab.clone(), tried.setter(), props.object.clone());
        use_effect_with((props.trial.clone(), attempts), move |(trial, _)| {
            let trial = trial.clone();
            let timeout = if trial.is_empty() {
                tried.set(None);
                None
            } else {
                Some(Timeout::new(RESTS_MS, move || {
                    let mut turn = Turn::new(now_ms(), ASKS_MS);
                    let came = lab.read(|l| l.try_out(&object, &trial, &mut || turn.goes_on(now_ms)));
                    tried.set(Some(Rc::new(came)));
                }))
            };
            move || drop(timeout)
        });
    }
    {
        let place = place.clone();
        use_effect_with(props.called, move |called| {
            if *called > 0
                && let Some(element) = place.cast::<Element>()
            {
                element.scroll_into_view();
            }
        });
    }
    let text = props.trial.pod.clone().unwrap_or_else(|| podlab_yaml::to_yaml(&manifest(&props.object)));
    let oninput = {
        let (trial, on_change) = (props.trial.clone(), props.on_change.clone());
        Callback::from(move |event: InputEvent| {
            if let Some(area) = event.target_dyn_into::<HtmlTextAreaElement>() {
                on_change.emit(Trial { pod: Some(area.value()), ..trial.clone() });
            }
        })
    };
    let reset = (!props.trial.is_empty()).then(|| {
        let on_change = props.on_change.clone();
        let onclick = move |_: MouseEvent| on_change.emit(Trial::default());
        html! { <button type="button" class="button small" {onclick}>{texts::RESET.get(lang)}</button> }
    });
    let lines = text.lines().count().clamp(6, 22);
    let to_terminal = {
        let (lab, ui, notices, tried) = (lab.clone(), ui.clone(), notices.clone(), (*tried).clone());
        Callback::from(move |_: MouseEvent| {
            let Some(tried) = &tried else { return };
            lab.update(|l| {
                for (name, text) in &tried.files {
                    l.files.write(name, text);
                }
            });
            propose(&lab, &ui, &tried.lines.join(" && "));
            if !tried.files.is_empty()
                && let Some(notices) = &notices
            {
                let names: Vec<&str> = tried.files.iter().map(|(name, _)| name.as_str()).collect();
                let title = texts::READY.with(lang, &[("files", &names.join(", "))]);
                notices.show(Notice::new(NoticeKind::Info, title));
            }
        })
    };
    let is_past = lab.read(|l| l.is_past());
    let shown = tried.as_ref().filter(|_| !props.trial.is_empty());
    let sets_allocatable = props.trial.changes.iter().any(|c| c.text().contains("--subresource=status"));
    html! {
        <div ref={place} class="what-if">
            {block(texts::TITLE.get(lang), reset.unwrap_or_default(), html! {
                <>
                    <p class="note">{texts::NOTE.get(lang)}</p>
                    <div class="what-if-said" role="status">
                        if let Some(tried) = shown { {said(tried, props, lang)} }
                    </div>
                    <label class="what-if-pod"><span>{texts::POD.get(lang)}</span>
                        <textarea class="field mono" rows={lines.to_string()} value={text} {oninput} spellcheck="false" autocomplete="off" autocapitalize="off" wrap="off" />
                    </label>
                    <NodeChange trial={props.trial.clone()} on_change={props.on_change.clone()} />
                    {changes(props, lang)}
                    if sets_allocatable { <p class="note">{texts::KUBELET_SETS.get(lang)}</p> }
                    if let Some(tried) = shown.filter(|t| !t.lines.is_empty()) {
                        <h4>{texts::APPLY.get(lang)}</h4>
                        if let Some(owner) = &tried.owner { if props.trial.pod.is_some() { <p class="note">{texts::OWNED.with(lang, &[("owner", owner)])}</p> } }
                        {for tried.lines.iter().map(|line| html! { <Command line={line.clone()} /> })}
                        <button type="button" class="button small" disabled={is_past} onclick={to_terminal}>{texts::TO_TERMINAL.get(lang)}</button>
                    }
                </>
            })}
        </div>
    }
}

/// Properties of [`NodeChange`].
#[derive(Clone, PartialEq, Properties)]
struct NodeChangeProps {
    trial: Trial,
    on_change: Callback<Trial>,
}

/// The fields that change a node.
#[component]
fn NodeChange(props: &NodeChangeProps) -> Html {
    let lang = use_lang();
    let node = use_state(String::new);
    let kind = use_state(|| Kind::Label);
    let value = use_state(String::new);
    let Some(lab) = use_context::<LabContext>() else { return html! {} };
    let names: Vec<String> =
        lab.read(|l| l.shown().world().scheduler.cache().nodes().map(|n| n.name.to_string()).collect());
    let chosen =
        if names.contains(&*node) { (*node).clone() } else { names.first().cloned().unwrap_or_default() };
    let add = {
        let (props, chosen, kind, value) = (props.clone(), chosen.clone(), kind.clone(), value.clone());
        Callback::from(move |()| {
            let Some(change) = kind.change(&chosen, &value) else { return };
            let mut trial = props.trial.clone();
            trial.changes.push(change);
            props.on_change.emit(trial);
            value.set(String::new());
        })
    };
    let on_node = {
        let node = node.clone();
        crate::dom::on_chosen(Callback::from(move |name| node.set(name)))
    };
    let on_kind = {
        let kind = kind.clone();
        crate::dom::on_chosen(Callback::from(move |index: String| {
            if let Some(chosen) = index.parse::<usize>().ok().and_then(|index| Kind::ALL.get(index)) {
                kind.set(*chosen);
            }
        }))
    };
    let oninput = {
        let value = value.clone();
        crate::dom::on_typed(Callback::from(move |typed| value.set(typed)))
    };
    let onkeydown = crate::dom::on_enter(add.clone());
    html! {
        <div class="what-if-change">
            <select class="field" aria-label={texts::NODE.get(lang)} onchange={on_node} disabled={*kind == Kind::Kubectl}>
                {for names.iter().map(|name| html! { <option key={name.clone()} value={name.clone()} selected={*name == chosen}>{name}</option> })}
            </select>
            <select class="field" aria-label={texts::CHANGE.get(lang)} onchange={on_kind}>
                {for Kind::ALL.iter().enumerate().map(|(index, one)| html! { <option key={index} value={index.to_string()} selected={*one == *kind}>{one.name(lang)}</option> })}
            </select>
            if kind.has_value() {
                <input class="field mono" aria-label={texts::VALUE.get(lang)} placeholder={kind.hint(lang)} value={(*value).clone()} {oninput} {onkeydown} spellcheck="false" autocomplete="off" autocapitalize="off" />
            }
            <button type="button" class="button small" onclick={add.reform(|_: MouseEvent| ())}>{texts::ADD.get(lang)}</button>
        </div>
    }
}

/// The changes of the cluster that are tried, each to be taken back.
fn changes(props: &WhatIfProps, lang: Lang) -> Html {
    if props.trial.changes.is_empty() {
        return html! {};
    }
    html! {
        <ul class="what-if-changes" aria-label={texts::CHANGES.get(lang)}>
            {for props.trial.changes.iter().enumerate().map(|(index, change)| {
                let (trial, on_change) = (props.trial.clone(), props.on_change.clone());
                let onclick = move |_: MouseEvent| {
                    let mut trial = trial.clone();
                    trial.changes.remove(index);
                    on_change.emit(trial);
                };
                let text = change.text();
                html! {
                    <li key={index}><code>{text.clone()}</code>
                        <button type="button" class="icon-button" aria-label={dock_texts::REMOVE.with(lang, &[("name", &text)])} {onclick}><Icon kind={IconKind::Close} /></button>
                    </li>
                }
            })}
        </ul>
    }
}

/// Where it would go, what was refused, and each node before and after.
fn said(tried: &Tried, props: &WhatIfProps, lang: Lang) -> Html {
    let refused = tried.refused.iter().map(|(index, text)| {
        let what = props.trial.changes.get(*index).map_or_else(|| texts::POD.get(lang).to_owned(), Change::text);
        html! {
            <div class="what-if-refused" key={*index}>
                <p><Icon kind={IconKind::Close} /><b>{texts::REFUSED.get(lang)}</b>{" "}<code>{what}</code></p>
                <pre>{text.trim_end()}</pre>
            </div>
        }
    });
    let head = match &tried.after {
        Some(after) => lead(tried, after, lang),
        None if tried.refused.is_empty() => texts::NO_SCHEDULER.get(lang).to_owned(),
        None => String::new(),
    };
    html! {
        <>
            {for refused}
            if !head.is_empty() { <p class="what-if-lead">{head}</p> }
            if let Some(after) = &tried.after {
                if !matches!(after.outcome, Outcome::Bound { .. } | Outcome::WaitingForVolumes { .. }) && !after.message.is_empty() {
                    <p class="message">{&after.message}</p>
                }
                <div class="score-scroll" tabindex="0" role="region" aria-label={texts::TITLE.get(lang)}>
                    <table class="score-table what-if-table">
                        <thead><tr><th>{texts::NODE.get(lang)}</th><th>{texts::BEFORE.get(lang)}</th><th>{texts::AFTER.get(lang)}</th></tr></thead>
                        <tbody>{for tried.rows().iter().take(ROWS).map(|row| table_row(row, tried, lang))}</tbody>
                    </table>
                </div>
            }
        </>
    }
}

fn lead(tried: &Tried, after: &Decision, lang: Lang) -> String {
    let all = after.all_nodes.to_string();
    if let Some(node) = tried.goes_to() {
        let mut totals: Vec<(&str, i64)> = after
            .nodes
            .iter()
            .filter_map(|n| match &n.verdict {
                Verdict::Feasible { total, scores, .. } if !scores.is_empty() => Some((&*n.node, *total)),
                _ => None,
            })
            .collect();
        totals.sort_by_key(|(name, total)| (std::cmp::Reverse(*total), *name != node));
        let best = totals.first().map_or(0, |(_, total)| *total).to_string();
        if let Some(tie) = &after.tie {
            let values = [("node", node), ("count", &tie.count.to_string()), ("points", &best)];
            return texts::GOES_TIE.with(lang, &values);
        }
        return match totals.as_slice() {
            [(_, first), (second, points), ..] => {
                let by = (first - points).to_string();
                texts::GOES_BY
                    .with(lang, &[("node", node), ("points", &best), ("by", &by), ("second", second)])
            }
            _ => texts::GOES.with(lang, &[("node", node)]),
        };
    }
    match &after.outcome {
        Outcome::Gated { .. } => texts::GATED.get(lang).to_owned(),
        Outcome::Unschedulable { nominated: Some(node), victims, .. } => {
            let pods: Vec<String> = victims.iter().map(|v| format!("{}/{}", v.namespace, v.name)).collect();
            texts::MAKES_ROOM.with(lang, &[("node", node), ("pods", &pods.join(", "))])
        }
        _ => texts::NOWHERE.with(lang, &[("all", &all)]),
    }
}

fn table_row(row: &Row<'_>, tried: &Tried, lang: Lang) -> Html {
    let changed = match (row.before, row.after) {
        (Some(Verdict::Feasible { total: a, .. }), Some(Verdict::Feasible { total: b, .. })) => a != b,
        (Some(Verdict::RuledOut { reasons: a, .. }), Some(Verdict::RuledOut { reasons: b, .. })) => a != b,
        _ => true,
    };
    let chosen = tried.goes_to() == Some(row.node);
    html! {
        <tr key={row.node.to_owned()} class={classes!(changed.then_some("changed"), chosen.then_some("chosen"))}>
            <th scope="row"><code>{row.node}</code></th>
            <td>{cell(row.before, false, lang)}</td>
            <td>{cell(row.after, chosen, lang)}</td>
        </tr>
    }
}

fn cell(verdict: Option<&Verdict>, chosen: bool, lang: Lang) -> Html {
    match verdict {
        None => html! { <span class="muted">{texts::NEW.get(lang)}</span> },
        Some(Verdict::Feasible { scores, total, .. }) => {
            let text = match (chosen, scores.is_empty()) {
                (true, true) => dock_texts::CHOSEN.get(lang).to_owned(),
                (true, false) => {
                    let points = dock_texts::POINTS.with(lang, &[("n", &total.to_string())]);
                    format!("{points}, {}", dock_texts::CHOSEN.get(lang))
                }
                (false, true) => texts::FITS.get(lang).to_owned(),
                (false, false) => dock_texts::POINTS.with(lang, &[("n", &total.to_string())]),
            };
            html! { <span class="what-if-fits"><Icon kind={IconKind::Check} />{text}</span> }
        }
        Some(Verdict::RuledOut { plugin, reasons, fixes, beyond, .. }) => {
            let all = fixes.iter().chain(beyond.iter().flat_map(|o| &o.fixes));
            let title = format!("{}\n{}", reasons.join(", "), sentence(all, lang));
            let name = plugin.map_or_else(|| texts::OUT.get(lang), |p| p.name());
            html! { <span class="what-if-out" title={title}><Icon kind={IconKind::Close} />{name}</span> }
        }
    }
}
