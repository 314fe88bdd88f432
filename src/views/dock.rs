//! DockPane.

use yew::prelude::*;

/// DockPane.
#[component]
pub(crate) fn DockPane() -> Html {
    html! {}
}
