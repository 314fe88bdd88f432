//! TerminalPane.

use yew::prelude::*;

/// TerminalPane.
#[component]
pub(crate) fn TerminalPane() -> Html {
    html! {}
}
