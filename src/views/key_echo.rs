//! In presenter mode the shortcut that was pressed last stands in the top bar, for those who watch.

use crate::app::UiContext;
use gloo::events::{EventListener, EventListenerOptions, EventListenerPhase};
use gloo::timers::callback::Timeout;
use std::cell::RefCell;
use wasm_bindgen::JsCast;
use web_sys::KeyboardEvent;
use yew::prelude::*;

/// How long a shortcut stays, in milliseconds.
const STAYS_MS: u32 = 1_800;

/// The keys of a shortcut; `None` for keys that only type, so that no text is shown.
fn keys(event: &KeyboardEvent) -> Option<Vec<String>> {
    let key = event.key();
    if matches!(key.as_str(), "Control" | "Shift" | "Alt" | "Meta" | "Process" | "Dead" | "Unidentified") {
        return None;
    }
    let chord = event.ctrl_key() || event.meta_key() || event.alt_key();
    let function = key.len() > 1 && key.starts_with('F');
    let always = function || key == "Escape";
    // Elsewhere a letter is text, and arrows move in it.
    if !chord && !always && crate::dom::is_typing(event) {
        return None;
    }
    let mut keys: Vec<String> = [
        (event.ctrl_key(), "Ctrl"),
        (event.meta_key(), "⌘"),
        (event.alt_key(), "Alt"),
        (event.shift_key() && (chord || key.chars().count() > 1), "⇧"),
    ]
    .into_iter()
    .filter(|(held, _)| *held)
    .map(|(_, name)| name.to_owned())
    .collect();
    keys.push(match key.as_str() {
        " " => "Space".to_owned(),
        "Enter" => "↵".to_owned(),
        "Escape" => "Esc".to_owned(),
        "ArrowUp" => "↑".to_owned(),
        "ArrowDown" => "↓".to_owned(),
        "ArrowLeft" => "←".to_owned(),
        "ArrowRight" => "→".to_owned(),
        _ if key.chars().count() == 1 => key.to_uppercase(),
        _ => key,
    });
    Some(keys)
}

/// The last shortcut, for a while.
#[component]
pub(super) fn KeyEcho() -> Html {
    let shown = use_state(|| None::<Vec<String>>);
    let presenter = use_context::<UiContext>().is_some_and(|ui| ui.presenter);
    {
        let shown = shown.setter();
        use_effect_with(presenter, move |presenter| {
            let listener = presenter.then(|| {
                let hides = RefCell::new(None::<Timeout>);
                // Before any pane takes the key for itself.
                let options = EventListenerOptions {
                    phase: EventListenerPhase::Capture,
                    ..EventListenerOptions::default()
                };
                EventListener::new_with_options(&gloo::utils::document(), "keydown", options, move |event| {
                    let Some(keys) = event.dyn_ref::<KeyboardEvent>().and_then(keys) else { return };
                    shown.set(Some(keys));
                    let shown = shown.clone();
                    // The one before is cancelled.
                    hides.replace(Some(Timeout::new(STAYS_MS, move || shown.set(None))));
                })
            });
            move || drop(listener)
        });
    }
    match shown.as_ref().filter(|_| presenter) {
        Some(keys) => html! {
            <span class="key-echo keys" aria-hidden="true">{for keys.iter().map(|key| html! { <kbd>{key}</kbd> })}</span>
        },
        None => html! {},
    }
}
