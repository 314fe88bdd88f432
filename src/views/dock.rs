//! DockPane.

use crate::i18n::{bars as texts, use_lang};
use yew::prelude::*;

/// DockPane.
#[component]
pub(crate) fn DockPane() -> Html {
    let lang = use_lang();
    html! {
        <aside class="pane dock" id="pane-dock" aria-label={texts::PANE_INSPECT.get(lang)} tabindex="-1" />
    }
}
