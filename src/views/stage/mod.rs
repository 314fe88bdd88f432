//! The stage: nodes with their pods, and the pods that wait.

mod actions;
mod card;
mod cards;
mod groups;
mod lane;
mod model;
mod motion;
mod node;
mod nodes;
mod strip;
mod tiles;
mod toolbar;
mod workloads;

pub(crate) use actions::{Acting, use_acting};
pub(crate) use workloads::counts_text;

use crate::app::UiContext;
use crate::components::{Icon, IconKind};
use crate::i18n::{bars, stage as texts, use_lang};
use crate::session::{LabContext, now_ms};
use crate::state::words::clock;
use crate::state::{Lab, Pane, Selected, StageView, UiAction};
use crate::views::faults::BrokenBanner;
use model::{Cache, Model, NodeView, PodView, Same};
use nodes::Nodes;
use podlab_api::selector::Selector;
use std::rc::Rc;
use toolbar::Toolbar;
use workloads::Workloads;
use yew::prelude::*;

/// How often what only time changes (ages, countdowns) is drawn anew, in milliseconds.
const TICK_MS: f64 = 250.0;

/// What the stage was last made from.
#[derive(Clone, PartialEq)]
struct Key {
    resource_version: u64,
    past: bool,
    /// While time runs a quarter second of the real clock, else the lab's revision.
    tick: u64,
    namespace: Option<String>,
}

/// The selector as it is used: the last valid one with its keys, and what is wrong with the text.
#[derive(Clone, Default)]
pub(crate) struct Asked {
    pub(crate) selector: Option<(Selector, Rc<[String]>)>,
    pub(crate) error: Option<String>,
}

/// Reads the selector; an invalid one keeps the last valid.
#[hook]
fn use_asked(text: &str) -> Same<Asked> {
    let last = use_mut_ref(|| (String::new(), Same(Rc::new(Asked::default()))));
    let mut last = last.borrow_mut();
    if last.0 != text {
        let asked = match Selector::parse(text) {
            Ok(selector) if selector.is_empty() => Asked::default(),
            Ok(selector) => {
                // A selector sorts its requirements; people read them as they were typed.
                let typed = Selector::parse_spanned(text).requirements;
                let keys = typed.iter().map(|r| r.requirement.key().to_owned()).collect();
                Asked { selector: Some((selector, keys)), error: None }
            }
            Err(error) => Asked { selector: last.1.selector.clone(), error: Some(error.to_string()) },
        };
        *last = (text.to_owned(), Same(Rc::new(asked)));
    }
    last.1.clone()
}

/// The stage.
#[component]
pub(crate) fn Stage() -> Html {
    let lang = use_lang();
    let made = use_mut_ref(|| None::<(Key, Same<Model>)>);
    let cache = use_mut_ref(Cache::default);
    let ui = use_context::<UiContext>();
    let asked = use_asked(ui.as_ref().map_or("", |ui| ui.selector.trim()));
    let on_select = {
        let ui = ui.clone();
        use_callback((), move |pod: Same<PodView>, ()| {
            if let Some(ui) = &ui {
                ui.dispatch(UiAction::Select(Some(selected("Pod", &pod.namespace, &pod.name, &pod.uid))));
            }
        })
    };
    let on_select_node = {
        let ui = ui.clone();
        use_callback((), move |node: Same<NodeView>, ()| {
            if let Some(ui) = &ui {
                ui.dispatch(UiAction::Select(Some(selected("Node", "", &node.name, &node.uid))));
            }
        })
    };
    let on_show_all = {
        let ui = ui.clone();
        use_callback((), move |(), ()| {
            if let Some(ui) = &ui {
                ui.dispatch(UiAction::Namespace(None));
            }
        })
    };
    let (Some(lab), Some(ui)) = (use_context::<LabContext>(), ui) else { return html! {} };
    let (key, calm) = lab.read(|l| {
        let tick = if l.is_playing() { (now_ms() / TICK_MS) as u64 } else { l.revision() };
        let resource_version = l.shown().world().api.store().resource_version();
        let calm = !l.is_playing() || l.is_past() || l.speed().0 >= 60.0;
        (Key { resource_version, past: l.is_past(), tick, namespace: ui.namespace.clone() }, calm)
    });
    let model = {
        let mut made = made.borrow_mut();
        match &*made {
            Some((before, model)) if *before == key => model.clone(),
            _ => {
                let model = lab.ask(|l| Model::of(l, key.namespace.as_deref(), &mut cache.borrow_mut()));
                let model = Same(Rc::new(model));
                *made = Some((key.clone(), model.clone()));
                model
            }
        }
    };
    let selected = ui.selected.as_ref().map(|s| s.uid.clone()).unwrap_or_default();
    let strips = lab.read(|l| strip::strips(l, &ui, lang));
    html! {
        <section class="pane stage" id="pane-cluster" aria-label={texts::STAGE.get(lang)} tabindex="-1">
            <Toolbar model={model.clone()} asked={asked.clone()} ui={ui.clone()} />
            if key.past { <PastBanner lab={lab.clone()} /> }
            if let Some(broken) = ui.broken.clone() { <BrokenBanner {broken} /> }
            if ui.view == StageView::Workloads {
                <Workloads {model} {asked} {selected} density={ui.density} namespace={ui.namespace.clone()} read_only={key.past} {calm} {on_select} {on_show_all} />
            } else {
                <Nodes {model} {asked} {selected} density={ui.density} namespaced={ui.namespace.is_none()} read_only={key.past} {calm} {strips}
                    {on_select} {on_select_node} {on_show_all} />
            }
        </section>
    }
}

fn selected(kind: &str, namespace: &str, name: &str, uid: &str) -> Selected {
    Selected { kind: kind.into(), namespace: namespace.into(), name: name.into(), uid: uid.into() }
}

#[derive(Clone, PartialEq, Properties)]
struct PastBannerProps {
    lab: LabContext,
}

/// Says that the past is shown, and the two ways out.
#[component]
fn PastBanner(props: &PastBannerProps) -> Html {
    let lang = use_lang();
    let (at, ago) = props.lab.read(|l| {
        let at = l.shown().sim_now();
        (at, l.live().sim_now().since(at))
    });
    let ago = podlab_api::printers::human_duration(i128::try_from(ago.as_nanos()).unwrap_or(0));
    let text = texts::PAST_TEXT.with(lang, &[("time", &clock(at)), ("ago", &ago)]);
    let act = |change: fn(&mut Lab)| {
        let lab = props.lab.clone();
        move |_: MouseEvent| lab.update(change)
    };
    html! {
        <div class="banner" role="status">
            <Icon kind={IconKind::Clock} />
            <div><b>{texts::PAST.get(lang)}</b><span>{text}</span></div>
            <button type="button" class="button small" onclick={act(Lab::branch)}><Icon kind={IconKind::Branch} />{bars::BRANCH.get(lang)}</button>
            <button type="button" class="button small primary" onclick={act(Lab::return_to_now)}>{bars::RETURN.get(lang)}</button>
        </div>
    }
}

/// Opens the inspector at why a pod is where it is, or nowhere.
pub(crate) fn show_why(ui: &UiContext, pod: &PodView) {
    ui.dispatch(UiAction::Select(Some(selected("Pod", &pod.namespace, &pod.name, &pod.uid))));
    ui.dispatch(UiAction::Tab(crate::state::Tab::Why));
    ui.dispatch(UiAction::Pane(Pane::Inspect));
}
