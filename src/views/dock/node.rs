//! The Status tab of a node: conditions, what it has and what is asked of it, labels, taints, pods, describe.

use super::edit_pairs::{EditPairs, Pairs};
use super::inspector::ObjectProps;
use super::shared::{Command, act, block};
use crate::app::UiContext;
use crate::components::{Glyph, Notices, PodState};
use crate::i18n::{dock as texts, use_lang};
use crate::session::LabContext;
use crate::state::inspect::{age_of, amount};
use crate::state::lab::command_line;
use crate::state::{Selected, UiAction};
use podlab_api::Object;
use podlab_api::printers::pod_cells;
use podlab_cluster::cluster::Act;
use std::sync::Arc;
use yew::prelude::*;

/// How many pods are listed.
const PODS: usize = 60;

/// The tab.
#[component]
pub(super) fn NodeStatus(props: &ObjectProps) -> Html {
    let lang = use_lang();
    let notices = use_context::<Notices>();
    let described = use_state(|| None::<String>);
    let (Some(lab), Some(ui)) = (use_context::<LabContext>(), use_context::<UiContext>()) else {
        return html! {};
    };
    let object = &props.object;
    let (Some(spec), Some(status)) = (object.node_spec(), object.node_status()) else { return html! {} };
    let name = object.name().to_owned();
    let (now, is_past) = lab.read(|l| (l.shown().sim_now(), l.is_past()));
    let pods: Vec<Arc<Object>> =
        lab.read(|l| l.shown().world().api.store().pods_on_node(&name).cloned().collect());
    let requested = lab.read(|l| {
        l.shown()
            .world()
            .scheduler
            .cache()
            .node_by_name(&name)
            .map(|n| (n.requested.milli_cpu, n.requested.memory))
    });
    let cordoned = spec.unschedulable == Some(true);
    let conditions = html! {
        <ul class="node-conditions">
            {for status.conditions.iter().flatten().map(|c| {
                let good = (c.type_ == "Ready") == (c.status == "True");
                let age = c.last_transition_time.as_ref().map(|t| age_of(now, t));
                html! {
                    <li key={c.type_.clone()} class={classes!((!good).then_some("bad"))}>
                        <b>{&c.type_}</b><code>{&c.status}</code><span>{c.reason.clone()}</span><span class="gap" /><span class="event-age">{age}</span>
                    </li>
                }
            })}
        </ul>
    };
    let quantity = |map: &Option<
        std::collections::BTreeMap<String, k8s_openapi::apimachinery::pkg::api::resource::Quantity>,
    >,
                    key: &str| {
        map.as_ref().and_then(|m| m.get(key)).map(|q| q.0.clone()).unwrap_or_default()
    };
    let requests = |key: &str| match (key, requested) {
        ("cpu", Some((cpu, _))) => amount("cpu", cpu),
        ("memory", Some((_, memory))) => amount("memory", memory),
        ("pods", _) => pods.len().to_string(),
        _ => "–".to_owned(),
    };
    let resources = html! {
        <table class="score-table">
            <thead><tr><th></th><th class="number">{texts::CAPACITY.get(lang)}</th><th class="number">{texts::ALLOCATABLE.get(lang)}</th><th class="number">{texts::REQUESTED.get(lang)}</th></tr></thead>
            <tbody>
                {for ["cpu", "memory", "pods"].into_iter().map(|key| html! {
                    <tr key={key}><th scope="row"><code>{key}</code></th><td class="number">{quantity(&status.capacity, key)}</td><td class="number">{quantity(&status.allocatable, key)}</td><td class="number high">{requests(key)}</td></tr>
                })}
            </tbody>
        </table>
    };
    let labels = object.metadata.labels.clone().unwrap_or_default();
    let taints: Vec<(String, String)> = spec
        .taints
        .iter()
        .flatten()
        .map(|t| {
            let value =
                t.value.as_deref().filter(|v| !v.is_empty()).map(|v| format!("={v}")).unwrap_or_default();
            (format!("{}{value}:{}", t.key, t.effect), format!("{}:{}", t.key, t.effect))
        })
        .collect();
    let button = |label: &'static str, args: Vec<&'static str>| {
        let (lab, notices, name) = (lab.clone(), notices.clone(), name.clone());
        let mut words: Vec<String> = args.into_iter().map(str::to_owned).collect();
        words.push(name);
        let line = command_line(&words.iter().map(String::as_str).collect::<Vec<_>>());
        let onclick = move |_: MouseEvent| {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            act(&lab, notices.as_ref(), lang, &words);
        };
        html! { <button type="button" class="button small" title={line} {onclick}>{label}</button> }
    };
    let machine = |label: &'static str, what: Act| {
        let (lab, name) = (lab.clone(), name.clone());
        let line = match &what {
            Act::StopKubelet(_) => "systemctl stop kubelet",
            _ => "systemctl start kubelet",
        };
        let onclick =
            move |_: MouseEvent| lab.update(|l| l.act_on_machine(&format!("{line} ({name})"), what.clone()));
        html! { <button type="button" class="button small" title={line} {onclick}>{label}</button> }
    };
    let describe = {
        let (lab, described, name) = (lab.clone(), described.clone(), name.clone());
        move |_: MouseEvent| {
            let outcome = lab.ask(|l| l.ask(&["describe", "node", &name]));
            described.set(Some(format!("{}{}", outcome.text(), outcome.errors())));
        }
    };
    html! {
        <>
            if !is_past {
                <section class="block node-actions" aria-label={texts::ACTIONS.get(lang)}>
                    if cordoned { {button(texts::UNCORDON.get(lang), vec!["uncordon"])} } else { {button(texts::CORDON.get(lang), vec!["cordon"])} }
                    {machine(texts::STOP_KUBELET.get(lang), Act::StopKubelet(name.clone()))}
                    {machine(texts::START_KUBELET.get(lang), Act::StartKubelet(name.clone()))}
                    {button(texts::DELETE.get(lang), vec!["delete", "node"])}
                </section>
            }
            {block(texts::CONDITIONS.get(lang), html! {}, conditions)}
            {block(texts::ALLOCATABLE.get(lang), html! {}, resources)}
            {block(texts::TAINTS.get(lang), html! {}, html! { <EditPairs what={Pairs::Taints} name={name.clone()} pairs={taints} /> })}
            {block(texts::LABELS.get(lang), html! {}, html! {
                <EditPairs what={Pairs::NodeLabels} name={name.clone()} pairs={labels.into_iter().map(|(k, v)| (format!("{k}={v}"), k)).collect::<Vec<_>>()} />
            })}
            {block(texts::PODS.get(lang), html! { <span class="muted">{pods.len()}</span> }, html! {
                <ul class="node-pods">
                    {for pods.iter().take(PODS).map(|pod| {
                        let cells = pod_cells(pod);
                        let state = PodState::of(&cells.status, cells.ready, cells.total, true);
                        let ui = ui.clone();
                        let selected = Selected { kind: "Pod".to_owned(), namespace: pod.namespace().to_owned(), name: pod.name().to_owned(), uid: pod.uid().to_owned() };
                        html! {
                            <li key={pod.uid().to_owned()} class={state.class()}>
                                <button type="button" onclick={move |_| ui.dispatch(UiAction::Select(Some(selected.clone())))}>
                                    <Glyph {state} /><code>{pod.name()}</code><span class="muted">{pod.namespace()}</span><span class="gap" /><span class="pod-word">{cells.status}</span>
                                </button>
                            </li>
                        }
                    })}
                </ul>
            })}
            {block(texts::DESCRIBE.get(lang), html! { <button type="button" class="button small" onclick={describe}>{texts::SHOW.get(lang)}</button> }, html! {
                <>
                    <Command line={command_line(&["describe", "node", &name])} />
                    if let Some(text) = (*described).clone() { <pre class="describe" tabindex="0">{text}</pre> }
                </>
            })}
        </>
    }
}
