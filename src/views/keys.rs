//! Keyboard: what acts anywhere, and single keys that act while the stage or the time bar has the focus.

use crate::app::{DialogContext, OpenDialog, UiContext};
use crate::dom;
use crate::session::LabContext;
use crate::state::{Dock, Lab, Pane, Speed, Tab, UiAction};
use gloo::events::{EventListener, EventListenerOptions};
use podlab_sim::SimTime;
use std::time::Duration;
use wasm_bindgen::JsCast;
use web_sys::KeyboardEvent;
use yew::prelude::*;

/// The panes in the order in which F6 goes round.
const PANES: [(&str, Pane); 4] = [
    ("#pane-editor", Pane::Editor),
    ("#pane-cluster", Pane::Cluster),
    ("#pane-dock", Pane::Inspect),
    ("#pane-terminal", Pane::Terminal),
];

/// Listens for the page's shortcuts.
#[hook]
pub(crate) fn use_keys() {
    let (Some(lab), Some(ui), Some(dialog)) =
        (use_context::<LabContext>(), use_context::<UiContext>(), use_context::<DialogContext>())
    else {
        return;
    };
    let newest = use_mut_ref(|| None);
    *newest.borrow_mut() = Some((lab, ui, dialog));
    use_effect_with((), move |()| {
        let listener = EventListener::new_with_options(
            &gloo::utils::document(),
            "keydown",
            EventListenerOptions::enable_prevent_default(),
            move |event| {
                let Some(event) = event.dyn_ref::<KeyboardEvent>() else { return };
                let held = newest.borrow().clone();
                if let Some((lab, ui, dialog)) = held
                    && dialog.is_none()
                    && !event.default_prevented()
                    && key(event, &lab, &ui, &dialog)
                {
                    event.prevent_default();
                }
            },
        );
        move || drop(listener)
    });
}

/// Acts on a key; says whether it was one of the page's.
fn key(event: &KeyboardEvent, lab: &LabContext, ui: &UiContext, dialog: &DialogContext) -> bool {
    let name = dom::key_name(event);
    let command = event.ctrl_key() || event.meta_key();
    match name.as_str() {
        "F6" if ui.begun => {
            next_pane(ui, !event.shift_key());
            return true;
        }
        "`" if command && ui.begun => {
            show(ui, Pane::Terminal, "#pane-terminal");
            dom::focus_on("#pane-terminal input, #pane-terminal textarea");
            return true;
        }
        "Escape" if ui.begun && !dom::is_typing(event) => {
            show(ui, Pane::Cluster, "#pane-cluster");
            return true;
        }
        _ => {}
    }
    if command || event.alt_key() || !ui.shortcuts || dom::is_typing(event) || !in_stage_or_time(event) {
        return false;
    }
    // A focused button acts on Space and Enter itself.
    let on_button = event.target().and_then(|t| t.dyn_into::<web_sys::Element>().ok()).is_some_and(|e| {
        matches!(e.tag_name().as_str(), "BUTTON" | "A" | "SUMMARY")
            && e.closest(".pod").ok().flatten().is_none()
    });
    match name.as_str() {
        " " if !on_button => lab.update(|l| l.set_playing(!l.is_playing())),
        "." => lab.update(Lab::step),
        "," => lab.update(step_back),
        "/" => {
            dom::focus_on("#stage-selector");
        }
        "?" => dialog.set(Some(OpenDialog::Shortcuts)),
        "w" | "W" => {
            ui.dispatch(UiAction::Dock(Dock::Inspect));
            ui.dispatch(UiAction::Tab(Tab::Why));
        }
        digit => match digit.parse::<usize>().ok().and_then(|n| Speed::ALL.get(n.checked_sub(1)?)) {
            Some(speed) => lab.update(|l| l.set_speed(*speed)),
            None => return false,
        },
    }
    true
}

/// Looks at the last instant at which something happened: the last event, or a second before.
pub(crate) fn step_back(lab: &mut Lab) {
    let now = lab.shown().sim_now();
    let start = lab.live().world().settings.start;
    let before = super::time_bar::last_tick_before(lab, now);
    let second = SimTime::from_nanos(now.as_nanos() - Duration::from_secs(1).as_nanos() as i64);
    lab.look_at(before.unwrap_or(second).max(start));
}

fn in_stage_or_time(event: &KeyboardEvent) -> bool {
    event.target().and_then(|t| t.dyn_into::<web_sys::Element>().ok()).is_some_and(|e| {
        // Nothing has the focus: the page is as good as the stage.
        e.tag_name() == "BODY" || e.closest("#pane-cluster, .time").ok().flatten().is_some()
    })
}

fn show(ui: &UiContext, pane: Pane, selector: &'static str) {
    ui.dispatch(UiAction::Pane(pane));
    dom::focus_on(selector);
}

fn next_pane(ui: &UiContext, forward: bool) {
    let active = gloo::utils::document().active_element();
    let at = PANES.iter().position(|(selector, _)| {
        active.as_ref().is_some_and(|a| a.closest(selector).ok().flatten().is_some())
    });
    let count = PANES.len();
    let next = match (at, forward) {
        (None, _) => 1,
        (Some(at), true) => (at + 1) % count,
        (Some(at), false) => (at + count - 1) % count,
    };
    let (selector, pane) = PANES[next];
    show(ui, pane, selector);
}
