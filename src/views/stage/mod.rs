//! The stage.
use crate::i18n::{stage as texts, use_lang};
use yew::prelude::*;
#[component]
pub(crate) fn Stage() -> Html {
    let lang = use_lang();
    html! { <section class="pane stage" id="pane-cluster" aria-label={texts::STAGE.get(lang)} tabindex="-1" /> }
}
