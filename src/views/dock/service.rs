//! A Service in the inspector: where it leads, who answers, who does not and why, its DNS name, a line that tests it.

use super::inspector::{ObjectProps, fact};
use super::selector::mismatch;
use super::shared::{Command, CopyButton, act, block, propose};
use super::workload::about;
use crate::app::UiContext;
use crate::components::{Icon, IconKind, Menu, MenuItem, Notices};
use crate::i18n::{dock, use_lang, workloads as texts};
use crate::session::LabContext;
use crate::state::inspect::age_of;
use crate::state::lab::command_line;
use crate::state::selector_lab::Selection;
use crate::state::workloads::service_map::{Endpoint, ServiceMap};
use crate::state::workloads::service_view;
use crate::state::{Lang, Selected, UiAction};
use yew::prelude::*;

/// How many pods of a sort are listed.
const LISTED: usize = 50;

/// The name of a Service and its facts.
#[component]
pub(super) fn ServiceHead(props: &ObjectProps) -> Html {
    let lang = use_lang();
    let notices = use_context::<Notices>();
    let Some(lab) = use_context::<LabContext>() else { return html! {} };
    let object = &props.object;
    let (now, is_past) = lab.read(|l| (l.shown().sim_now(), l.is_past()));
    let age = object.metadata.creation_timestamp.as_ref().map(|t| age_of(now, t)).unwrap_or_default();
    let view = service_view(object);
    let address = if view.kind == "ExternalName" { "external-name" } else { "cluster-ip" };
    let items = {
        let (lab, object) = (lab.clone(), object.clone());
        Callback::from(move |()| {
            let words = about(&["delete", "service", object.name()], &object);
            let line = command_line(&words.iter().map(String::as_str).collect::<Vec<_>>());
            let (lab, notices) = (lab.clone(), notices.clone());
            let act = Callback::from(move |()| {
                let words: Vec<&str> = words.iter().map(String::as_str).collect();
                act(&lab, notices.as_ref(), lang, &words);
            });
            let label = dock::DELETE.get(lang).into();
            vec![MenuItem { label, detail: line.into(), icon: IconKind::Trash, danger: true, act }]
        })
    };
    html! {
        <header class="inspect-head">
            <div class="inspect-name">
                <h2>{object.name()}</h2>
                <span class="muted">{"Service"}</span>
                <span class="gap" />
                <CopyButton text={object.name().to_owned()} label={dock::COPY_NAME.get(lang)} />
                if !is_past { <Menu label={dock::ACTIONS.get(lang)} {items} /> }
            </div>
            <dl class="facts">
                {fact("ns", object.namespace())}
                {fact("type", view.kind)}
                {fact(address, view.address)}
                {fact("ports", view.ports.join(" "))}
                {fact("age", age)}
            </dl>
        </header>
    }
}

/// The Status tab.
#[component]
pub(super) fn ServiceStatus(props: &ObjectProps) -> Html {
    let lang = use_lang();
    let (Some(lab), Some(ui)) = (use_context::<LabContext>(), use_context::<UiContext>()) else {
        return html! {};
    };
    let object = &props.object;
    let (version, inputs, is_past) = lab
        .read(|l| (l.shown().world().api.store().resource_version(), l.live().inputs().len(), l.is_past()));
    // Thousands of pods are not asked again in each frame.
    let map = {
        let (lab, object) = (lab.clone(), object.clone());
        use_memo((object.uid().to_owned(), version, inputs, is_past), move |_| {
            lab.read(|l| ServiceMap::of(l.shown().world().api.store(), &object))
        })
    };
    let external = map.view.kind == "ExternalName";
    let ports = html! {
        <ul class="service-ports">
            {for map.ports.iter().map(|port| {
                let target = if port.target.is_empty() { &port.port } else { &port.target };
                let from = if port.name.is_empty() { port.port.clone() } else { format!("{} ({})", port.port, port.name) };
                let text = texts::PORT_LINE.with(lang, &[("port", &from), ("target", target)]);
                html! {
                    <li key={format!("{}/{}", port.port, port.protocol)}><p><code>{&port.protocol}</code>{" "}{text}</p>
                        if let Some(node_port) = port.node_port { <p class="note">{texts::PORT_NODE.with(lang, &[("port", &node_port.to_string())])}</p> }
                    </li>
                }
            })}
        </ul>
    };
    let (answering, silent): (Vec<&Endpoint>, Vec<&Endpoint>) = map.endpoints.iter().partition(|e| e.ready);
    let answers = if external {
        html! { <p class="note">{texts::EXTERNAL.get(lang)}</p> }
    } else if answering.is_empty() {
        html! { <p class="service-none">{texts::ANSWERS_NONE.get(lang)}</p> }
    } else {
        endpoints(&answering, &map, &ui, lang)
    };
    let dns_note = if external {
        texts::EXTERNAL
    } else if map.view.address == "None" {
        texts::DNS_HEADLESS
    } else {
        texts::DNS_CLUSTER
    };
    let test = map.test();
    let line = command_line(&test.iter().map(String::as_str).collect::<Vec<_>>());
    let on_test = {
        let (lab, ui, line) = (lab.clone(), ui.clone(), line.clone());
        move |_: MouseEvent| propose(&lab, &ui, &line)
    };
    html! {
        <>
            if !map.ports.is_empty() { {block(texts::SERVICE_PORTS.get(lang), html! {}, ports)} }
            {block(texts::ANSWERS.get(lang), html! { <span class="muted">{format!("{}/{}", answering.len(), map.endpoints.len())}</span> }, answers)}
            if !silent.is_empty() {
                {block(texts::ANSWERS_NOT.get(lang), html! { <span class="muted">{format!("{}/{}", silent.len(), map.endpoints.len())}</span> }, endpoints(&silent, &map, &ui, lang))}
            }
            if !external {
                {block(texts::SELECTOR.get(lang), html! { <code class="muted">{map.selector.clone()}</code> }, match &map.selection {
                    Some(selection) => selector(selection, lang),
                    None => html! { <p class="note">{texts::WITHOUT_SELECTOR.get(lang)}</p> },
                })}
            }
            {block(texts::DNS.get(lang), html! { <CopyButton text={map.dns.clone()} /> }, html! {
                <><p class="mono">{map.dns.clone()}</p><p class="note">{dns_note.get(lang)}</p></>
            })}
            if !is_past && !external && map.can_be_tested() {
                {block(texts::TEST.get(lang), html! { <button type="button" class="button small" onclick={on_test}>{texts::TEST_DO.get(lang)}</button> }, html! { <Command {line} /> })}
            }
        </>
    }
}

fn endpoints(list: &[&Endpoint], map: &ServiceMap, ui: &UiContext, lang: Lang) -> Html {
    html! {
        <>
            <ul class="node-pods endpoints">
                {for list.iter().take(LISTED).enumerate().map(|(index, endpoint)| {
                    let addresses = endpoint.addresses.join(" ");
                    let name = match &endpoint.pod {
                        Some(pod) => {
                            let ui = ui.clone();
                            let selected = Selected { kind: "Pod".to_owned(), namespace: map.view.namespace.clone(), name: pod.clone(), uid: endpoint.uid.clone() };
                            html! {
                                <button type="button" onclick={move |_| ui.dispatch(UiAction::Select(Some(selected.clone())))}>
                                    <Icon kind={if endpoint.ready { IconKind::Check } else { IconKind::Close }} /><code>{pod}</code><span class="gap" /><code class="muted">{addresses}</code>
                                </button>
                            }
                        }
                        None => html! { <p><code>{addresses}</code></p> },
                    };
                    html! {
                        <li key={index}>
                            {name}
                            if !endpoint.why.is_empty() { <p class="event-text">{&endpoint.why}</p> }
                            {for endpoint.undeclared.iter().map(|port| html! { <p class="service-none">{texts::UNDECLARED.with(lang, &[("port", port)])}</p> })}
                        </li>
                    }
                })}
            </ul>
            if list.len() > LISTED { <p class="muted">{texts::MORE_PODS.with(lang, &[("count", &(list.len() - LISTED).to_string())])}</p> }
        </>
    }
}

/// Each requirement with how many pods meet it; where no pod meets all of them, what each pod lacks.
fn selector(selection: &Selection, lang: Lang) -> Html {
    html! {
        <>
            if selection.count == 0 { <p class="service-none">{texts::NO_POD_MATCHES.get(lang)}</p> }
            <ul class="service-requirements">
                {for selection.steps.iter().enumerate().map(|(index, step)| {
                    let text = texts::REQUIREMENT_FAILS.with(lang, &[("requirement", &step.text), ("count", &step.alone.to_string()), ("all", &selection.all.to_string())]);
                    html! { <li key={index} class={classes!((step.alone == 0).then_some("service-none"))}><Icon kind={if step.alone == 0 { IconKind::Close } else { IconKind::Check }} />{text}</li> }
                })}
            </ul>
            if selection.count == 0 {
                <ul class="service-misses">
                    {for selection.misses.iter().take(LISTED).map(|miss| {
                        let step = miss.step.and_then(|i| selection.steps.get(i));
                        let why = match (step, &miss.why) {
                            (Some(step), Some(why)) => mismatch(step.requirement.key(), why, lang),
                            _ => String::new(),
                        };
                        html! {
                            <li key={miss.pod.uid().to_owned()}><code>{miss.pod.name().to_owned()}</code><span class="miss"><span aria-hidden="true">{"× "}</span><code>{step.map(|s| s.text.clone())}</code>{" "}<small>{why}</small></span></li>
                        }
                    })}
                </ul>
            }
        </>
    }
}
