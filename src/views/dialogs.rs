//! The page's dialogs.
use yew::prelude::*;
#[component]
pub(crate) fn Dialogs() -> Html {
    html! {}
}
