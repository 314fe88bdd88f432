//! EditorPane.

use yew::prelude::*;

/// EditorPane.
#[component]
pub(crate) fn EditorPane() -> Html {
    html! {}
}
