//! TopBar.

use yew::prelude::*;

/// TopBar.
#[component]
pub(crate) fn TopBar() -> Html {
    html! {}
}
