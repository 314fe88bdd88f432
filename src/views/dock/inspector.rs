//! The inspector: what is chosen in the cluster, fact by fact.

use super::actions::PodActions;
use super::events::EventsTab;
use super::logs::LogsTab;
use super::node::NodeStatus;
use super::service::{ServiceHead, ServiceStatus};
use super::shared::{CopyButton, clock};
use super::status::StatusTab;
use super::why::WhyTab;
use super::workload::{WorkloadHead, WorkloadStatus};
use super::yaml::YamlTab;
use crate::app::UiContext;
use crate::components::{Glyph, PodState};
use crate::i18n::{dock as texts, use_lang};
use crate::session::LabContext;
use crate::state::inspect::{age_of, events};
use crate::state::{Selected, Tab, UiAction};
use podlab_api::Object;
use podlab_api::printers::pod_cells;
use std::sync::Arc;
use yew::prelude::*;

/// Properties of the tabs.
#[derive(Clone, Properties)]
pub(super) struct ObjectProps {
    /// What is shown.
    pub(super) object: Arc<Object>,
    /// The lab's revision: time passes for what does not change.
    pub(super) revision: u64,
}

impl PartialEq for ObjectProps {
    fn eq(&self, other: &ObjectProps) -> bool {
        Arc::ptr_eq(&self.object, &other.object) && self.revision == other.revision
    }
}

/// What sort of object is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    Pod,
    Node,
    Service,
    Workload,
}

impl Sort {
    fn of(kind: &str) -> Sort {
        match kind {
            "Pod" => Sort::Pod,
            "Node" => Sort::Node,
            "Service" => Sort::Service,
            _ => Sort::Workload,
        }
    }
}

/// The inspector.
#[component]
pub(super) fn Inspector() -> Html {
    let lang = use_lang();
    let (Some(lab), Some(ui)) = (use_context::<LabContext>(), use_context::<UiContext>()) else {
        return html! {};
    };
    let Some(selected) = ui.selected.clone() else {
        return html! {
            <div class="dock-empty"><h2>{texts::EMPTY_TITLE.get(lang)}</h2><p class="note">{texts::EMPTY.get(lang)}</p></div>
        };
    };
    let found = lab.read(|l| l.object(&selected.kind, &selected.namespace, &selected.name));
    let (is_past, now) = lab.read(|l| (l.is_past(), l.shown().sim_now()));
    let object = match found {
        Some(object) if object.uid() == selected.uid => object,
        found => {
            let text = if is_past {
                texts::APPEARS.with(lang, &[("time", &clock(now))])
            } else {
                texts::GONE.with(lang, &[("name", &selected.name)])
            };
            let show = found.map(|object| {
                let ui = ui.clone();
                let next = Selected { uid: object.uid().to_owned(), ..selected.clone() };
                let onclick = move |_: MouseEvent| ui.dispatch(UiAction::Select(Some(next.clone())));
                html! {
                    <p class="row"><span>{texts::NEW_POD.get(lang)}</span><button type="button" class="button small" {onclick}>{texts::SHOW.get(lang)}</button></p>
                }
            });
            return html! { <div class="dock-empty"><h2 class="mono">{&selected.name}</h2><p class="note">{text}</p>{show}</div> };
        }
    };
    let sort = Sort::of(&selected.kind);
    let is_pod = sort == Sort::Pod;
    let props = ObjectProps { object: object.clone(), revision: lab.revision() };
    let event_count = lab.read(|l| events(l.shown(), &object).len());
    let scheduled = object.node_name().is_some();
    let mut tabs = vec![(Tab::Status, texts::STATUS), (Tab::Events, texts::EVENTS)];
    if is_pod {
        tabs.push((Tab::Logs, texts::LOGS));
    }
    tabs.push((Tab::Yaml, texts::YAML));
    if is_pod {
        tabs.push((Tab::Why, if scheduled { texts::WHY_HERE } else { texts::WHY_PENDING }));
    }
    let tab = if tabs.iter().any(|(t, _)| *t == ui.tab) { ui.tab } else { Tab::Status };
    let order: Vec<Tab> = tabs.iter().map(|(t, _)| *t).collect();
    let onkeydown = {
        let (ui, order) = (ui.clone(), order);
        Callback::from(move |event: KeyboardEvent| {
            let at = order.iter().position(|t| *t == tab).unwrap_or(0);
            let next = match event.key().as_str() {
                "ArrowRight" => (at + 1) % order.len(),
                "ArrowLeft" => (at + order.len() - 1) % order.len(),
                "Home" => 0,
                "End" => order.len() - 1,
                _ => return,
            };
            event.prevent_default();
            if let Some(next) = order.get(next) {
                ui.dispatch(UiAction::Tab(*next));
                crate::dom::focus_on(&format!("#inspect-tab-{next:?}"));
            }
        })
    };
    html! {
        <>
            {match sort {
                Sort::Pod => html! { <PodHead ..props.clone() /> },
                Sort::Node => html! { <NodeHead ..props.clone() /> },
                Sort::Service => html! { <ServiceHead ..props.clone() /> },
                Sort::Workload => html! { <WorkloadHead ..props.clone() /> },
            }}
            <div class="inspect-tabs" role="tablist" aria-label={texts::TABS.get(lang)} {onkeydown}>
                {for tabs.into_iter().map(|(t, text)| {
                    let ui = ui.clone();
                    let selected = t == tab;
                    html! {
                        <button key={format!("{t:?}")} type="button" role="tab" id={format!("inspect-tab-{t:?}")} aria-controls="inspect-panel"
                            aria-selected={selected.to_string()} tabindex={if selected { "0" } else { "-1" }} onclick={move |_| ui.dispatch(UiAction::Tab(t))}>
                            {text.get(lang)}
                            if t == Tab::Events && event_count > 0 { <span class="badge">{event_count}</span> }
                        </button>
                    }
                })}
            </div>
            <div class="inspect-panel" role="tabpanel" id="inspect-panel" aria-labelledby={format!("inspect-tab-{tab:?}")} tabindex="0">
                {match (tab, sort) {
                    (Tab::Status, Sort::Pod) => html! { <StatusTab ..props /> },
                    (Tab::Status, Sort::Node) => html! { <NodeStatus ..props /> },
                    (Tab::Status, Sort::Service) => html! { <ServiceStatus ..props /> },
                    (Tab::Status, Sort::Workload) => html! { <WorkloadStatus ..props /> },
                    (Tab::Events, _) => html! { <EventsTab ..props /> },
                    (Tab::Logs, _) => html! { <LogsTab ..props /> },
                    (Tab::Yaml, _) => html! { <YamlTab ..props /> },
                    (Tab::Why, _) => html! { <WhyTab key={object.uid().to_owned()} ..props /> },
                }}
            </div>
        </>
    }
}

/// A name and a value of the facts line.
pub(super) fn fact(name: &str, value: impl Into<String>) -> Html {
    let (name, value) = (name.to_owned(), value.into());
    html! { <div><dt>{name}</dt><dd>{value}</dd></div> }
}

#[component]
fn PodHead(props: &ObjectProps) -> Html {
    let lang = use_lang();
    let Some(lab) = use_context::<LabContext>() else { return html! {} };
    let object = &props.object;
    let cells = pod_cells(object);
    let status = object.pod_status();
    let node = object.node_name().unwrap_or("<none>").to_owned();
    let state = PodState::of(&cells.status, cells.ready, cells.total, node != "<none>");
    let (now, is_past) = lab.read(|l| (l.shown().sim_now(), l.is_past()));
    let age = object.metadata.creation_timestamp.as_ref().map(|t| age_of(now, t)).unwrap_or_default();
    let ip = status.and_then(|s| s.pod_ip.clone()).unwrap_or_default();
    let qos = status.and_then(|s| s.qos_class.clone()).unwrap_or_default();
    html! {
        <header class={classes!("inspect-head", state.class())}>
            <div class="inspect-name">
                <Glyph {state} />
                <h2>{object.name()}</h2>
                <span class="inspect-state">{&cells.status}</span>
                <span class="gap" />
                <CopyButton text={object.name().to_owned()} label={texts::COPY_NAME.get(lang)} />
                if !is_past { <PodActions ..props.clone() /> }
            </div>
            <dl class="facts">
                {fact("ns", object.namespace())}
                {fact("node", node)}
                {fact("ready", format!("{}/{}", cells.ready, cells.total))}
                {fact("restarts", cells.restarts.to_string())}
                {fact("age", age)}
                if !ip.is_empty() { {fact("ip", ip)} }
                if !qos.is_empty() { {fact("qos", qos)} }
            </dl>
        </header>
    }
}

#[component]
fn NodeHead(props: &ObjectProps) -> Html {
    let lang = use_lang();
    let Some(lab) = use_context::<LabContext>() else { return html! {} };
    let object = &props.object;
    let ready = object
        .node_status()
        .is_some_and(|s| s.conditions.iter().flatten().any(|c| c.type_ == "Ready" && c.status == "True"));
    let cordoned = object.node_spec().is_some_and(|s| s.unschedulable == Some(true));
    let word = match (ready, cordoned) {
        (true, false) => "Ready",
        (true, true) => "Ready,SchedulingDisabled",
        (false, false) => "NotReady",
        (false, true) => "NotReady,SchedulingDisabled",
    };
    let state = if ready { PodState::Running } else { PodState::Unknown };
    let (now, pods) = lab
        .read(|l| (l.shown().sim_now(), l.shown().world().api.store().pods_on_node(object.name()).count()));
    let age = object.metadata.creation_timestamp.as_ref().map(|t| age_of(now, t)).unwrap_or_default();
    let info = object.node_status().and_then(|s| s.node_info.as_ref());
    html! {
        <header class={classes!("inspect-head", state.class())}>
            <div class="inspect-name">
                <Glyph {state} />
                <h2>{object.name()}</h2>
                <span class="inspect-state">{word}</span>
                <span class="gap" />
                <CopyButton text={object.name().to_owned()} label={texts::COPY_NAME.get(lang)} />
            </div>
            <dl class="facts">
                {fact("roles", roles(object))}
                {fact("pods", pods.to_string())}
                {fact("age", age)}
                {fact("version", info.map(|i| i.kubelet_version.clone()).unwrap_or_default())}
            </dl>
        </header>
    }
}

/// The roles as `kubectl get nodes` prints them.
fn roles(object: &Object) -> String {
    let labels = object.metadata.labels.iter().flatten();
    let roles: Vec<&str> = labels.filter_map(|(k, _)| k.strip_prefix("node-role.kubernetes.io/")).collect();
    if roles.is_empty() { "<none>".to_owned() } else { roles.join(",") }
}
