//! The layout of the page and its wiring.

use yew::prelude::*;

/// The whole page.
#[component]
pub(crate) fn App() -> Html {
    html! {
        <>
            <header class="top-bar"><h1>{ "podlab" }</h1></header>
            <main><p>{ "A Kubernetes that fits in one browser tab." }</p></main>
        </>
    }
}
