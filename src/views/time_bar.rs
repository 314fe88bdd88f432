//! TimeBar.

use yew::prelude::*;

/// TimeBar.
#[component]
pub(crate) fn TimeBar() -> Html {
    html! {}
}
