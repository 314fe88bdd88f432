//! The layout of the page and its wiring.

use crate::editor::CodeEditor;
use yew::prelude::*;

/// The whole page.
#[component]
pub(crate) fn App() -> Html {
    html! {
        <>
            <header class="top-bar"><h1>{ "podlab" }</h1></header>
            <main>
                <section aria-label="Editor">
                    <CodeEditor label="Manifest" text="apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n" />
                </section>
            </main>
        </>
    }
}
