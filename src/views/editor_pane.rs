//! EditorPane.

use crate::i18n::{bars as texts, use_lang};
use yew::prelude::*;

/// EditorPane.
#[component]
pub(crate) fn EditorPane() -> Html {
    let lang = use_lang();
    html! {
        <section class="pane edit" id="pane-editor" aria-label={texts::PANE_EDITOR.get(lang)} tabindex="-1" />
    }
}
