//! Cards of pods with all that stands on them, wherever on the stage they lie, and the keys that move between them.

use super::actions::{Acting, pod_items};
use super::card::Card;
use super::model::{Model, PodView, Same, verdict};
use super::motion::beside;
use super::{Asked, show_why};
use crate::app::UiContext;
use crate::components::{Menu, PodState};
use crate::i18n::stage as texts;
use crate::state::Lang;
use podlab_api::kinds::POD;
use podlab_api::printers::human_duration;
use podlab_api::{Door, Request};
use wasm_bindgen::JsCast;
use yew::prelude::*;

/// What all cards of a stage have in common.
pub(super) struct Cards {
    pub(super) model: Same<Model>,
    pub(super) asked: Same<Asked>,
    /// Uid of what is selected.
    pub(super) selected: AttrValue,
    /// Uid of the pod that Tab reaches: the selected one, else the first.
    pub(super) tab: Option<String>,
    /// Whether cards say their namespace.
    pub(super) namespaced: bool,
    pub(super) read_only: bool,
    pub(super) acting: Option<Acting>,
    pub(super) on_select: Callback<Same<PodView>>,
}

impl Cards {
    /// A pod as a card, or as a dot.
    pub(super) fn card(&self, pod: &Same<PodView>, dot: bool, lang: Lang) -> Html {
        let is_selected = *self.selected == *pod.uid;
        let menu = (is_selected && !dot && !self.read_only).then(|| {
            let (acting, pod) = (self.acting.clone(), pod.clone());
            let label = texts::POD_ACTIONS.with(lang, &[("name", &pod.name)]);
            let items = Callback::from(move |()| {
                let Some(acting) = &acting else { return Vec::new() };
                let containers = containers(acting, &pod);
                pod_items(acting, &pod, &containers, lang)
            });
            html! { <Menu class="pod-menu" {label} {items} /> }
        });
        let asked = self.asked.selector.as_ref();
        html! {
            <div class={classes!("slot", dot.then_some("dot"))} key={pod.uid.clone()}>
                <Card pod={pod.clone()} age={age(&self.model, pod)} countdown={countdown(&self.model, pod)} verdict={verdict(asked, pod)}
                    selected={is_selected} tab={self.tab.as_ref() == Some(&pod.uid)} namespaced={self.namespaced} {dot} on_select={self.on_select.clone()} />
                {menu}
            </div>
        }
    }
}

/// Arrows move to the pod that lies next, W opens the inspector at why a pod is where it is.
pub(super) fn on_keys(
    ground: &NodeRef,
    pods: Vec<Same<PodView>>,
    ui: Option<UiContext>,
) -> Callback<KeyboardEvent> {
    let ground = ground.clone();
    Callback::from(move |event: KeyboardEvent| {
        let on = event.target().and_then(|t| t.dyn_into::<web_sys::Element>().ok());
        let Some(on) = on.and_then(|e| e.closest(".pod").ok().flatten()) else { return };
        if matches!(event.key().as_str(), "w" | "W") && !event.ctrl_key() && !event.meta_key() {
            let uid = on.get_attribute("data-uid").unwrap_or_default();
            if let (Some(pod), Some(ui)) = (pods.iter().find(|p| p.uid == uid), &ui) {
                event.prevent_default();
                show_why(ui, pod);
            }
        } else if let Some(next) =
            ground.cast::<web_sys::Element>().and_then(|g| beside(&g, &on, &event.key()))
        {
            event.prevent_default();
            crate::dom::focus(Some(next));
        }
    })
}

/// The names of a pod's containers, sidecars too.
fn containers(acting: &Acting, pod: &PodView) -> Vec<String> {
    let object = acting
        .lab
        .ask(|l| l.shown_mut().request(Request::get(&POD, &pod.namespace, &pod.name)).into_object());
    let Ok(object) = object else { return Vec::new() };
    let containers = object.pod_spec().into_iter().flat_map(|s| s.containers.iter().map(|c| c.name.clone()));
    containers.collect()
}

fn age(model: &Model, pod: &PodView) -> AttrValue {
    human_duration(i128::from(model.now.as_nanos()) - pod.created).into()
}

/// Seconds until a back-off or grace period ends; the part of a back-off that is left.
fn countdown(model: &Model, pod: &PodView) -> Option<(u32, f64)> {
    let now = i128::from(model.now.as_nanos());
    let end = match (pod.state, pod.ends) {
        (_, Some(end)) => end,
        (PodState::Crash | PodState::Image | PodState::Failed, None) => {
            i128::from(model.backoffs.get(&format!("{}/{}", pod.namespace, pod.name))?.as_nanos())
        }
        _ => return None,
    };
    let seconds = (end - now).max(0) as f64 / 1e9;
    Some((seconds.ceil() as u32, pod.backoff.map_or(0.0, |all| (seconds / all).min(1.0))))
}
