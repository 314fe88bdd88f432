//! The ground of the stage: counts, the queue, nodes in the density that fits; arrows move between pods.

use super::Asked;
use super::actions::use_acting;
use super::cards::{Cards, on_keys};
use super::lane::{CARDS, Lane};
use super::model::{Model, NodeView, PodView, Same};
use super::motion::{Motion, use_motion};
use super::node::Node;
use super::strip::Strip;
use super::tiles::Tiles;
use crate::app::UiContext;
use crate::components::{Glyph, Icon, IconKind, PodState};
use crate::i18n::{stage as texts, use_lang};
use crate::state::{Density, Lang};
use std::collections::BTreeMap;
use yew::prelude::*;

/// More nodes than this: dots in place of cards.
const CARD_NODES: usize = 12;
/// More nodes than this: tiles on one canvas.
const DOT_NODES: usize = 40;
/// More pods than this: tiles, whatever was chosen.
pub(super) const DOM_PODS: usize = 300;

/// Properties of [`Nodes`].
#[derive(Clone, PartialEq, Properties)]
pub(crate) struct NodesProps {
    pub(crate) model: Same<Model>,
    pub(crate) asked: Same<Asked>,
    /// Uid of what is selected.
    pub(crate) selected: AttrValue,
    pub(crate) density: Density,
    /// Whether all namespaces are shown, so that cards say which.
    pub(crate) namespaced: bool,
    pub(crate) read_only: bool,
    /// What the scheduler found about each node, while a pod's Why is open.
    pub(crate) strips: BTreeMap<String, Strip>,
    /// Whether nothing travels: paused, past, or too fast.
    pub(crate) calm: bool,
    pub(crate) on_select: Callback<Same<PodView>>,
    pub(crate) on_select_node: Callback<Same<NodeView>>,
    pub(crate) on_show_all: Callback<()>,
}

/// The ground.
#[component]
pub(crate) fn Nodes(props: &NodesProps) -> Html {
    let lang = use_lang();
    let ground = use_node_ref();
    let zoomed = use_state(|| None::<String>);
    let acting = use_acting();
    let ui = use_context::<UiContext>();
    let model = &props.model;
    let zoom = zoomed.as_ref().filter(|uid| model.columns.iter().any(|c| c.node.uid == **uid)).cloned();
    let tiles = zoom.is_none() && (model.pods > DOM_PODS || model.columns.len() > DOT_NODES);
    let dots = match props.density {
        Density::Auto => model.columns.len() > CARD_NODES,
        Density::Cards => false,
        Density::Dots => true,
    } && zoom.is_none();
    use_motion(&ground, Motion { model: model.clone(), calm: props.calm, drawn: !tiles });

    // One card is reached by Tab: the selected one, else the first.
    let columns = || model.columns.iter().filter(|c| zoom.as_ref().is_none_or(|z| c.node.uid == *z));
    let all = || model.queue.iter().chain(columns().flat_map(|c| &c.pods));
    let cards = Cards {
        model: model.clone(),
        asked: props.asked.clone(),
        selected: props.selected.clone(),
        tab: all().find(|p| *props.selected == *p.uid).or_else(|| all().next()).map(|p| p.uid.clone()),
        namespaced: props.namespaced,
        read_only: props.read_only,
        acting: acting.clone(),
        on_select: props.on_select.clone(),
    };
    let card = |pod: &Same<PodView>, dot: bool| cards.card(pod, dot, lang);
    let on_why = {
        let ui = ui.clone();
        Callback::from(move |pod: Same<PodView>| {
            if let Some(ui) = &ui {
                super::show_why(ui, &pod);
            }
        })
    };
    let pods = if tiles { Vec::new() } else { all().cloned().collect() };
    let onkeydown = on_keys(&ground, pods, ui.clone());
    let on_zoom = use_callback(zoomed.setter(), |uid: Option<String>, zoomed| zoomed.set(uid));
    let failing = Announced::of(model);
    html! {
        <div class={classes!("ground", tiles.then_some("tiled"))} ref={ground} {onkeydown}>
            {counts(model, lang)}
            <Lane model={model.clone()} cards={model.queue.iter().take(CARDS).map(|p| card(p, false)).collect::<Vec<_>>()} {on_why} />
            if zoom.is_some() {
                <button type="button" class="button small zoom-out" onclick={let on_zoom = on_zoom.clone(); move |_| on_zoom.emit(None)}>
                    <Icon kind={IconKind::Dots} />{texts::ZOOM_OUT.get(lang)}
                </button>
            }
            if tiles {
                <Tiles model={model.clone()} asked={props.asked.clone()} on_zoom={on_zoom.clone()} />
            } else {
                <div class={classes!("nodes", dots.then_some("dots"))}>
                    {for columns().map(|column| html! {
                        <Node key={column.node.uid.clone()} column={column.clone()} selected={props.selected.clone()} on_select={props.on_select_node.clone()} strip={props.strips.get(&column.node.name).cloned()}
                            on_show_all={props.on_show_all.clone()} read_only={props.read_only}>
                            {for column.pods.iter().map(|pod| card(pod, dots))}
                        </Node>
                    })}
                </div>
            }
            <Announce what={failing} selected={props.selected.clone()} />
        </div>
    }
}

/// How many pods there are of each state.
pub(super) fn counts(model: &Model, lang: Lang) -> Html {
    html! {
        <ul class="counts" aria-label={texts::COUNTS.get(lang)}>
            {for PodState::ALL.iter().filter_map(|state| {
                let count = model.counts.get(state)?;
                Some(html! { <li class={state.class()}><Glyph state={*state} /><b>{count}</b><span>{word(*state)}</span></li> })
            })}
        </ul>
    }
}

/// The word for a state among the counts: kubectl's, shortened.
pub(crate) fn word(state: PodState) -> &'static str {
    match state {
        PodState::Running => "Running",
        PodState::NotReady => "not ready",
        PodState::Pending => "Pending",
        PodState::Waiting => "Creating",
        PodState::Crash => "CrashLoop",
        PodState::Image => "ImagePull",
        PodState::Failed => "Error",
        PodState::Completed => "Completed",
        PodState::Terminating => "Terminating",
        PodState::Unknown => "Unknown",
    }
}

/// States of pods, for the live region.
#[derive(Clone, PartialEq)]
pub(super) struct Announced(Vec<(String, String, String)>);

impl Announced {
    pub(super) fn of(model: &Model) -> Announced {
        // In a large cluster only counts could be said, and these stand at the top.
        if model.pods > DOM_PODS {
            return Announced(Vec::new());
        }
        let pods = model.columns.iter().flat_map(|c| &c.pods).chain(&model.queue);
        Announced(pods.map(|p| (p.uid.clone(), p.name.clone(), p.status.clone())).collect())
    }
}

#[derive(Clone, PartialEq, Properties)]
pub(super) struct AnnounceProps {
    pub(super) what: Announced,
    pub(super) selected: AttrValue,
}

/// Says to a screen reader when pods change their state, at most once a real second, several at once as a count.
#[component]
pub(super) fn Announce(props: &AnnounceProps) -> Html {
    let lang = use_lang();
    let said = use_mut_ref(|| (0.0, props.what.clone(), String::new()));
    let mut said = said.borrow_mut();
    let now = crate::session::now_ms();
    if said.1 != props.what && now - said.0 > 1000.0 {
        let before = &said.1;
        let changed: Vec<_> = props.what.0.iter().filter(|pod| !before.0.contains(pod)).collect();
        let text = match changed.as_slice() {
            [] => said.2.clone(),
            [(_, name, status)] => texts::SELECTED_IS.with(lang, &[("name", name), ("status", status)]),
            many => match many.iter().find(|(uid, ..)| **uid == *props.selected) {
                Some((_, name, status)) => {
                    texts::SELECTED_IS.with(lang, &[("name", name), ("status", status)])
                }
                None => {
                    let status = many[0].2.clone();
                    let count = many.iter().filter(|(.., s)| *s == status).count();
                    texts::CHANGES_SOME.with(lang, &[("count", &count.to_string()), ("status", &status)])
                }
            },
        };
        *said = (now, props.what.clone(), text);
    }
    html! { <p class="sr" role="status">{said.2.clone()}</p> }
}
