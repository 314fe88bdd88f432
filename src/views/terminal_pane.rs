//! TerminalPane.

use crate::i18n::{bars as texts, use_lang};
use yew::prelude::*;

/// TerminalPane.
#[component]
pub(crate) fn TerminalPane() -> Html {
    let lang = use_lang();
    html! {
        <section class="pane term" id="pane-terminal" aria-label={texts::PANE_TERMINAL.get(lang)} tabindex="-1" />
    }
}
