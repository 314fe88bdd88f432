//! The dock: the inspector and the selector lab. Both keep their state while the other is shown.

mod actions;
mod containers;
mod edit_pairs;
mod events;
mod formula_words;
mod inspector;
mod logs;
mod node;
mod pending;
mod probes;
mod remedy_words;
mod rollout;
mod scores;
mod selector;
mod service;
mod shared;
mod status;
mod usage;
mod what_if;
mod why;
mod workload;
mod yaml;

use crate::app::UiContext;
use crate::components::{Icon, IconKind};
use crate::i18n::{bars, dock as texts, use_lang};
use crate::state::{Dock, Pane, UiAction};
use crate::views::frame::WideButton;
use inspector::Inspector;
use selector::SelectorLab;
use yew::prelude::*;

/// The dock.
#[component]
pub(crate) fn DockPane() -> Html {
    let lang = use_lang();
    let Some(ui) = use_context::<UiContext>() else { return html! {} };
    let modes = [
        (Dock::Inspect, IconKind::Inspect, texts::INSPECT, "dock-mode-inspect"),
        (Dock::Selector, IconKind::Search, texts::SELECTOR, "dock-mode-selector"),
    ];
    let onkeydown = {
        let ui = ui.clone();
        Callback::from(move |event: KeyboardEvent| {
            if matches!(event.key().as_str(), "ArrowLeft" | "ArrowRight") {
                event.prevent_default();
                let (next, id) = match ui.dock {
                    Dock::Inspect => (Dock::Selector, "#dock-mode-selector"),
                    Dock::Selector => (Dock::Inspect, "#dock-mode-inspect"),
                };
                ui.dispatch(UiAction::Dock(next));
                crate::dom::focus_on(id);
            }
        })
    };
    html! {
        <aside class="pane dock" id="pane-dock" aria-label={bars::PANE_INSPECT.get(lang)} tabindex="-1">
            <div class="dock-modes" role="tablist" aria-label={texts::DOCK.get(lang)} {onkeydown}>
                {for modes.into_iter().map(|(mode, icon, text, id)| {
                    let selected = ui.dock == mode;
                    let onclick = {
                        let ui = ui.clone();
                        move |_: MouseEvent| ui.dispatch(UiAction::Dock(mode))
                    };
                    html! {
                        <button {id} type="button" role="tab" aria-selected={selected.to_string()} tabindex={if selected { "0" } else { "-1" }} {onclick}>
                            <Icon kind={icon} />{text.get(lang)}
                        </button>
                    }
                })}
            </div>
            <WideButton pane={Pane::Inspect} />
            <div class="dock-body" hidden={ui.dock != Dock::Inspect}><Inspector /></div>
            <div class="dock-body" hidden={ui.dock != Dock::Selector}><SelectorLab /></div>
        </aside>
    }
}
