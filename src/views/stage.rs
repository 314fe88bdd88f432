//! Stage.

use yew::prelude::*;

/// Stage.
#[component]
pub(crate) fn Stage() -> Html {
    html! {}
}
