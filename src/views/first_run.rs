//! What a first visit shows: how to begin.

use super::dialogs::run_manifest;
use super::stage::use_acting;
use crate::app::{DialogContext, OpenDialog, UiContext};
use crate::components::{Icon, IconKind};
use crate::i18n::{bars as texts, use_lang};
use crate::session::{LabContext, kept};
use crate::state::{EXAMPLES, Lab, Pane, Saved, UiAction};
use gloo::events::EventListener;
use podlab_api::kinds::NODE;
use podlab_api::printers::human_duration;
use podlab_api::{Door, Request};
use std::rc::Rc;
use wasm_bindgen::JsCast;
use yew::prelude::*;

/// The largest dropped file that is read, in bytes.
const MOST: f64 = 3_000_000.0;

/// How to begin.
#[component]
pub(crate) fn FirstRun() -> Html {
    let lang = use_lang();
    let (acting, ui) = (use_acting(), use_context::<UiContext>());
    let dialog = use_context::<DialogContext>();
    // A kept lab is offered, never opened by itself.
    let saved = use_memo((), |()| kept().filter(|s| !s.inputs.is_empty()).map(|s| Kept(Rc::new(s))));
    let paste = {
        let (acting, ui) = (acting.clone(), ui.clone());
        Callback::from(move |text: String| {
            if let (Some(acting), Some(ui)) = (&acting, &ui)
                && !text.trim().is_empty()
            {
                run_manifest(acting, ui, "pod", &text);
            }
        })
    };
    let to_editor = {
        let ui = ui.clone();
        Callback::from(move |pane: Pane| {
            if let Some(ui) = &ui {
                ui.dispatch(UiAction::Begin);
                ui.dispatch(UiAction::Pane(pane));
            }
            let place = if pane == Pane::Editor { "#pane-editor .cm-content" } else { "#pane-cluster" };
            // The panes are there after the next drawing.
            gloo::timers::callback::Timeout::new(50, move || crate::dom::focus_on(place)).forget();
        })
    };
    let open = {
        let dialog = dialog.clone();
        Callback::from(move |what: OpenDialog| {
            if let Some(dialog) = &dialog {
                dialog.set(Some(what));
            }
        })
    };
    let start = {
        let (to_editor, open) = (to_editor.clone(), open.clone());
        Callback::from(move |number: usize| match number {
            1 => to_editor.emit(Pane::Editor),
            2 => open.emit(OpenDialog::Examples),
            3 => to_editor.emit(Pane::Cluster),
            4 => open.emit(OpenDialog::NewLab),
            _ => {}
        })
    };
    // Pasting and the numbers work without focus; not while a dialog is open.
    let is_open = dialog.as_ref().is_some_and(|d| d.is_some());
    {
        let (paste, start) = (paste.clone(), start.clone());
        use_effect_with((is_open, ui.clone(), acting.clone()), move |(is_open, ..)| {
            let listeners = (!is_open).then(|| {
                let document = gloo::utils::document();
                let pasted = EventListener::new(&document, "paste", move |event| {
                    let text = event
                        .dyn_ref::<web_sys::ClipboardEvent>()
                        .and_then(|e| e.clipboard_data()?.get_data("text").ok());
                    paste.emit(text.unwrap_or_default());
                });
                let key = EventListener::new(&document, "keydown", move |event| {
                    let Some(event) = event.dyn_ref::<KeyboardEvent>() else { return };
                    if !event.ctrl_key()
                        && !event.meta_key()
                        && !event.alt_key()
                        && !crate::dom::is_typing(event)
                    {
                        start.emit(event.key().parse().unwrap_or(0));
                    }
                });
                (pasted, key)
            });
            move || drop(listeners)
        });
    }
    let ondragover = Callback::from(|event: DragEvent| event.prevent_default());
    let ondrop = Callback::from(move |event: DragEvent| {
        event.prevent_default();
        let Some(data) = event.data_transfer() else { return };
        match data.files().and_then(|files| files.get(0)) {
            Some(file) if file.size() <= MOST => read(file, paste.clone()),
            Some(_) => {}
            None => paste.emit(data.get_data("text").unwrap_or_default()),
        }
    });
    let count = EXAMPLES.len().to_string();
    let starts = [
        (IconKind::Clipboard, texts::FIRST_PASTE.get(lang), texts::FIRST_PASTE_TEXT.get(lang).to_owned()),
        (
            IconKind::Play,
            texts::FIRST_EXAMPLE.get(lang),
            texts::FIRST_EXAMPLE_TEXT.with(lang, &[("count", &count)]),
        ),
        (IconKind::Cluster, texts::FIRST_LOOK.get(lang), texts::FIRST_LOOK_TEXT.get(lang).to_owned()),
        (IconKind::Server, texts::FIRST_BUILD.get(lang), texts::FIRST_BUILD_TEXT.get(lang).to_owned()),
    ];
    html! {
        <section class="first" aria-label={texts::ABOUT_SHORT.get(lang)} {ondragover} {ondrop}>
            <div class="first-in">
                <div>
                    <h1>{texts::FIRST_TITLE.get(lang)}</h1>
                    <p class="first-text">{texts::FIRST_TEXT.get(lang)}</p>
                    <ol class="starts">
                        {for starts.into_iter().enumerate().map(|(index, (icon, title, text))| {
                            let start = start.clone();
                            html! {
                                <li><button type="button" onclick={move |_| start.emit(index + 1)}>
                                    <Icon kind={icon} /><span><b>{title}</b><span>{text}</span></span><kbd aria-hidden="true">{index + 1}</kbd>
                                </button></li>
                            }
                        })}
                    </ol>
                    if let (Some(saved), Some(acting), Some(ui)) = (&*saved, &acting, &ui) {
                        <Offer saved={saved.clone()} lab={acting.lab.clone()} ui={ui.clone()} />
                    }
                </div>
                <div class="first-side">
                    <div class="drop">
                        <pre aria-hidden="true"><code>{example_lines()}</code></pre>
                        <p><span><Icon kind={IconKind::Clipboard} />{texts::FIRST_DROP.get(lang)}</span><span class="hide-phone"><kbd>{"Ctrl"}</kbd><kbd>{"V"}</kbd></span></p>
                    </div>
                    if let Some(acting) = &acting { <Idle lab={acting.lab.clone()} /> }
                </div>
            </div>
        </section>
    }
}

/// The picture of a manifest: keys apart from values.
fn example_lines() -> Html {
    let yaml = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\nspec:\n  containers:\n  - name: web\n    image: nginx:1.27";
    yaml.lines()
        .map(|line| match line.split_once(':') {
            Some((key, value)) => html! { <span class="line"><i>{key}{":"}</i>{value}</span> },
            None => html! { <span class="line">{line}</span> },
        })
        .collect()
}

/// Reads a dropped file.
fn read(file: web_sys::File, done: Callback<String>) {
    let text = wasm_bindgen::JsCast::unchecked_into::<js_sys::Promise>(
        js_sys::Reflect::get(&file, &"text".into())
            .ok()
            .and_then(|f| f.dyn_into::<js_sys::Function>().ok()?.call0(&file).ok())
            .unwrap_or(wasm_bindgen::JsValue::UNDEFINED),
    );
    yew::platform::spawn_local(async move {
        if let Ok(text) = wasm_bindgen_futures::JsFuture::from(text).await {
            done.emit(text.as_string().unwrap_or_default());
        }
    });
}

/// A kept lab that is compared by identity.
#[derive(Clone)]
struct Kept(Rc<Saved>);

impl PartialEq for Kept {
    fn eq(&self, other: &Kept) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

#[derive(Clone, PartialEq, Properties)]
struct OfferProps {
    saved: Kept,
    lab: LabContext,
    ui: UiContext,
}

/// Offers the lab of an earlier visit.
#[component]
fn Offer(props: &OfferProps) -> Html {
    let lang = use_lang();
    let saved = &props.saved.0;
    let gone = saved.now.since(saved.settings.start);
    let time = human_duration(i128::try_from(gone.as_nanos()).unwrap_or(0));
    let onclick = {
        let (saved, lab, ui) = (saved.clone(), props.lab.clone(), props.ui.clone());
        move |_: MouseEvent| {
            lab.update(|l| l.replace(Lab::restore((*saved).clone())));
            ui.dispatch(UiAction::Begin);
        }
    };
    html! {
        <button type="button" class="link continue" {onclick}>
            <Icon kind={IconKind::Clock} />{texts::CONTINUE.with(lang, &[("name", &saved.name), ("time", &time)])}
        </button>
    }
}

#[derive(Clone, PartialEq, Properties)]
struct IdleProps {
    lab: LabContext,
}

/// The cluster that waits.
#[component]
fn Idle(props: &IdleProps) -> Html {
    let lang = use_lang();
    let nodes = use_memo(props.lab.revision(), |_| {
        let list = props.lab.ask(|l| l.shown_mut().request(Request::list(&NODE, "")).into_list());
        list.map(|l| l.items).unwrap_or_default()
    });
    html! {
        <div class="idle">
            <header>{texts::FIRST_READY.with(lang, &[("nodes", &nodes.len().to_string())])}</header>
            <ul>
                {for nodes.iter().take(6).map(|node| {
                    let taint = node.node_spec().is_some_and(|s| s.taints.iter().flatten().any(|t| t.key.ends_with("control-plane")));
                    html! {
                        <li><b>{node.name().to_owned()}</b>
                            if taint { <span class="taint"><Icon kind={IconKind::Taint} />{"control-plane"}</span> }
                            <span class="places" aria-hidden="true">{for (0..6).map(|_| html! { <i /> })}</span>
                        </li>
                    }
                })}
            </ul>
        </div>
    }
}
