//! The page's contexts: the lab, the learner's choices, notices and dialogs.

use crate::components::NoticesProvider;
use crate::session::{LabContext, has_begun, kept, use_session};
use crate::state::{Lab, Lang, Theme, Ui, UiAction};
use crate::views::Frame;
use gloo::storage::{LocalStorage, Storage};
use std::rc::Rc;
use yew::prelude::*;

/// Where the learner's choices are kept in the browser.
const UI_KEY: &str = "podlab.ui";

/// The learner's choices as components get and change them.
pub(crate) type UiContext = UseReducerHandle<UiState>;

/// The dialog that is open, as components open and close it.
pub(crate) type DialogContext = UseStateHandle<Option<OpenDialog>>;

/// A dialog of the page.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum OpenDialog {
    /// Shortcuts and what the glyphs mean.
    Shortcuts,
    /// Another lab.
    NewLab,
    /// The example gallery.
    Examples,
    /// What a teacher breaks.
    Break,
    /// One more node.
    AddNode,
    /// Labels of an object: kind (`pod`, `node`), namespace, name.
    Labels(&'static str, String, String),
    /// Taints of a node.
    Taints(String),
}

/// [`Ui`] in the shape that Yew reduces.
#[derive(Clone, PartialEq)]
pub(crate) struct UiState(pub(crate) Ui);

impl std::ops::Deref for UiState {
    type Target = Ui;

    fn deref(&self) -> &Ui {
        &self.0
    }
}

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

/// The choices that were kept in this browser, or the first ones.
fn kept_ui() -> Ui {
    let text = LocalStorage::raw().get_item(UI_KEY).ok().flatten();
    let ui = text.and_then(|text| serde_json::from_str::<Ui>(&text).ok());
    Ui { begun: has_begun(), ..ui.unwrap_or_else(|| Ui::first(browser_lang())) }
}

/// Keeps the choices and sets on the document what CSS and screen readers look at.
#[hook]
fn use_choices(ui: &UiContext) {
    use_effect_with(ui.0.clone(), |ui| {
        // What cannot be kept holds for this visit.
        if let Ok(text) = serde_json::to_string(ui) {
            let _ = LocalStorage::raw().set_item(UI_KEY, &text);
        }
        if let Some(root) = gloo::utils::document().document_element() {
            let set = |name: &str, value: Option<&str>| match value {
                Some(value) => {
                    let _ = root.set_attribute(name, value);
                }
                None => {
                    let _ = root.remove_attribute(name);
                }
            };
            set("lang", Some(ui.lang.code()));
            set(
                "data-theme",
                match ui.theme {
                    Theme::System => None,
                    Theme::Light => Some("light"),
                    Theme::Dark => Some("dark"),
                },
            );
            set("data-presenter", ui.presenter.then_some("true"));
        }
    });
}

/// The whole page.
#[component]
pub(crate) fn App() -> Html {
    // A reload goes on where it was; in a new visit a kept lab is offered, never opened by itself.
    let lab: LabContext = use_session(|| match kept().filter(|_| has_begun()) {
        Some(saved) => Lab::restore(saved),
        None => Lab::default(),
    });
    let ui: UiContext = use_reducer(|| UiState(kept_ui()));
    let dialog: DialogContext = use_state(|| None);
    use_choices(&ui);
    html! {
        <ContextProvider<LabContext> context={lab}>
            <ContextProvider<UiContext> context={ui}>
                <ContextProvider<DialogContext> context={dialog}>
                    <NoticesProvider><Frame /></NoticesProvider>
                </ContextProvider<DialogContext>>
            </ContextProvider<UiContext>>
        </ContextProvider<LabContext>>
    }
}
