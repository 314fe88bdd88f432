//! The layout of the page and its wiring.

use crate::session::{LabContext, kept, use_session};
use crate::state::{Lab, Lang, Ui, UiAction};
use crate::views::{DockPane, EditorPane, Stage, TerminalPane, TimeBar, TopBar};
use std::rc::Rc;
use yew::prelude::*;

/// The learner's choices as components get and change them.
pub(crate) type UiContext = UseReducerHandle<UiState>;

/// [`Ui`] in the shape that Yew reduces.
#[derive(Clone, PartialEq)]
pub(crate) struct UiState(pub(crate) Ui);

impl Reducible for UiState {
    type Action = UiAction;

    fn reduce(self: Rc<Self>, action: UiAction) -> Rc<Self> {
        Rc::new(UiState(self.0.reduce(action)))
    }
}

/// The browser's language, as far as the page speaks it.
fn browser_lang() -> Lang {
    match gloo::utils::window().navigator().language() {
        Some(code) if code.starts_with("ko") => Lang::Ko,
        _ => Lang::En,
    }
}

/// The whole page.
#[component]
pub(crate) fn App() -> Html {
    let lab: LabContext = use_session(|| match kept() {
        Some(saved) => Lab::restore(saved),
        None => Lab::default(),
    });
    let ui: UiContext = use_reducer(|| UiState(Ui::first(browser_lang())));
    html! {
        <ContextProvider<LabContext> context={lab}>
            <ContextProvider<UiContext> context={ui}>
                <div class="app">
                    <TopBar />
                    <TimeBar />
                    <main class="main">
                        <EditorPane />
                        <Stage />
                        <DockPane />
                        <TerminalPane />
                    </main>
                </div>
            </ContextProvider<UiContext>>
        </ContextProvider<LabContext>>
    }
}
