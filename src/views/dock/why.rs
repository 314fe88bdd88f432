//! The Why tab: what the scheduler decided, from the record of that attempt.

use super::inspector::ObjectProps;
use super::pending::{Pending, pending};
use super::remedy_words::sentence;
use super::scores::{scores, tie};
use super::shared::{block, clock};
use super::what_if::WhatIf;
use crate::app::DialogContext;
use crate::components::{Icon, IconKind};
use crate::i18n::{dock as texts, plugins, use_lang};
use crate::session::LabContext;
use crate::state::Lang;
use crate::state::what_if::Trial;
use podlab_api::Object;
use podlab_cluster::scheduler::decision::{Decision, NodeVerdict, Outcome, Verdict};
use podlab_cluster::scheduler::what_if;
use std::sync::Arc;
use web_sys::HtmlSelectElement;
use yew::prelude::*;

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
    let trial = use_state(Trial::default);
    let called = use_state(|| 0u32);
    let dialog = use_context::<DialogContext>();
    let Some(lab) = use_context::<LabContext>() else { return html! {} };
    let object = &props.object;
    let mut decisions: Vec<Arc<Decision>> =
        lab.read(|l| l.shown().world().scheduler.decisions(object.uid()).cloned().collect());
    if decisions.is_empty() && is_gated(object) {
        // The scheduler does not look at it: what it would say of nodes is worked out here.
        decisions.extend(lab.read(|l| what_if(l.shown().world(), object)).map(Arc::new));
    }
    let scheduled = object.node_name().is_some();
    let Some(decision) = chosen.and_then(|i| decisions.get(i)).or(decisions.last()) else {
        let text = if scheduled { texts::NO_DECISION } else { texts::NOT_SCHEDULED };
        let unserved = unserved(object, &lab);
        return html! {
            <section class="block"><p class="note">{match unserved {
                Some(name) => texts::NO_SCHEDULER.with(lang, &[("name", &name)]),
                None => text.get(lang).to_owned(),
            }}</p></section>
        };
    };
    let on_change = {
        let trial = trial.setter();
        Callback::from(move |tried: Trial| trial.set(tried))
    };
    let on_try = {
        let (trial, called) = (trial.setter(), called.clone());
        Callback::from(move |tried: Trial| {
            trial.set(tried);
            called.set(*called + 1);
        })
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
    let body = match (&decision.outcome, &dialog) {
        (Outcome::Bound { node } | Outcome::WaitingForVolumes { node, .. }, _) => {
            let seed = lab.read(|l| l.shown().world().settings.seed);
            chosen_node(decision, node, seed, lang)
        }
        (_, Some(dialog)) => {
            let cx = Pending { object, lab: &lab, dialog, trial: &trial, on_try: &on_try, lang };
            pending(decision, &cx)
        }
        _ => html! {},
    };
    html! {
        <>
            <section class="block why-lead">
                <p class="why-said">{said}</p>
                <p class="note">{facts}</p>
                if let Some(name) = object.pod_spec().and_then(|s| s.scheduler_name.clone()).filter(|n| n != "default-scheduler") {
                    <p class="note">{texts::BY_SCHEDULER.with(lang, &[("name", &name)])}</p>
                }
                if !decision.not_simulated.is_empty() {
                    <p class="note">{texts::NOT_SIMULATED.with(lang, &[("fields", &decision.not_simulated.join(", "))])}</p>
                }
                {attempts}
            </section>
            {body}
            <WhatIf object={object.clone()} trial={(*trial).clone()} {on_change} called={*called} />
        </>
    }
}

/// Whether scheduling gates keep a pod from the scheduler.
fn is_gated(pod: &Object) -> bool {
    let gates = pod.pod_spec().and_then(|spec| spec.scheduling_gates.as_ref());
    pod.node_name().is_none() && gates.is_some_and(|gates| !gates.is_empty())
}

/// The scheduler that a pod names, where none of that name runs.
fn unserved(pod: &Object, lab: &LabContext) -> Option<String> {
    let name = pod.pod_spec()?.scheduler_name.clone()?;
    lab.read(|l| l.shown().world().scheduler.profile(&name).is_none()).then_some(name)
}

fn heading(number: u8, text: &str) -> String {
    format!("{number} {text}")
}

fn chosen_node(decision: &Arc<Decision>, node: &str, seed: u64, lang: Lang) -> Html {
    let passed = format!("{}/{}", decision.feasible_nodes, decision.evaluated_nodes);
    let filter = html! {
        <>
            <ul class="filters">
                {for decision.nodes.iter().map(|n| html! { <li key={n.node.to_string()}>{filtered(n, lang)}</li> })}
            </ul>
            <p class="note">{texts::FILTER_NOTE.get(lang)}</p>
        </>
    };
    html! {
        <>
            {block(&heading(1, texts::FILTER.get(lang)), html! { <span class="muted">{passed}</span> }, filter)}
            {block(&heading(2, texts::SCORE.get(lang)), html! {}, scores(decision, node, lang))}
            {block(&heading(3, texts::TIE.get(lang)), html! {}, tie(decision, node, seed, lang))}
        </>
    }
}

fn filtered(node: &NodeVerdict, lang: Lang) -> Html {
    match &node.verdict {
        Verdict::RuledOut { plugin, reasons, fixes, beyond, .. } => html! {
            <>
                <span class="filter-no"><Icon kind={IconKind::Close} /></span>
                <div>
                    <p><b>{node.node.to_string()}</b>{" "}
                        <span class="sr">{texts::RULED_OUT.get(lang)}</span>
                        if let Some(plugin) = plugin { <PluginName name={plugin.name()} /> }
                    </p>
                    {for reasons.iter().map(|r| html! { <p class="reason">{r.to_string()}</p> })}
                    <p class="to-fit">{sentence(fixes.iter().chain(beyond.iter().flat_map(|o| &o.fixes)), lang)}</p>
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
