//! The editor as a Yew component.

use std::cell::RefCell;
use std::rc::Rc;
use yew::prelude::*;

use super::bridge::{Callbacks, EditorHandle, SetUp, json};
use super::model::{CompletionRequest, Completions, Hover, HoverRequest, Problem};

/// Properties of [`CodeEditor`].
///
/// The editor owns the text while the user types: `text` is taken over only when `document` or `revision` changes, so a
/// parent that hears of changes late never takes letters back.
#[derive(Clone, PartialEq, Properties)]
pub struct CodeEditorProps {
    /// The accessible name.
    pub label: AttrValue,
    /// Which document this is; another one brings its own undo history.
    #[prop_or_default]
    pub document: AttrValue,
    /// The text to start with.
    pub text: AttrValue,
    /// Counts up whenever `text` must replace what is in the editor (undoable by the user).
    #[prop_or_default]
    pub revision: u32,
    /// Whether nothing can be typed, as in the past.
    #[prop_or_default]
    pub read_only: bool,
    /// The page's language: `en` or `ko`.
    #[prop_or(AttrValue::Static("en"))]
    pub lang: AttrValue,
    /// What is wrong with the text; compared by content.
    #[prop_or_else(|| Rc::from([]))]
    pub problems: Rc<[Problem]>,
    /// The text after each change the user makes.
    #[prop_or_default]
    pub on_change: Callback<String>,
    /// Ctrl-Enter or ⌘-Enter.
    #[prop_or_default]
    pub on_submit: Callback<()>,
    /// The selection (UTF-16, from ≤ to) after each move of the caret; from = to: no selection.
    #[prop_or_default]
    pub on_caret: Callback<(u32, u32)>,
    /// What could stand at the caret; asked while typing, so it must answer within a few milliseconds.
    #[prop_or_default]
    pub complete: Option<Callback<CompletionRequest, Completions>>,
    /// What to show for the place the pointer rests on.
    #[prop_or_default]
    pub hover: Option<Callback<HoverRequest, Option<Hover>>>,
    /// Hands out the editor once it exists.
    #[prop_or_default]
    pub on_ready: Callback<EditorHandle>,
}

impl CodeEditorProps {
    fn set_up(&self) -> SetUp<'_> {
        SetUp { label: &self.label, lang: &self.lang, read_only: self.read_only }
    }
}

/// A YAML editor with highlighting, completion, hover texts, search, undo, and problems shown under their lines.
#[component]
pub fn CodeEditor(props: &CodeEditorProps) -> Html {
    let place = use_node_ref();
    let editor = use_mut_ref(|| None::<EditorHandle>);
    // What JavaScript calls always looks up the newest properties, so the editor is made only once.
    let newest = use_mut_ref(|| props.clone());
    *newest.borrow_mut() = props.clone();

    {
        let (place, editor, newest) = (place.clone(), editor.clone(), newest.clone());
        use_effect_with((), move |()| {
            if let Some(parent) = place.cast::<web_sys::Element>() {
                let start = newest.borrow().clone();
                let handle = EditorHandle::new(
                    &parent,
                    &start.document,
                    &start.text,
                    &start.set_up(),
                    callbacks(&newest),
                );
                handle.set_problems(&start.problems);
                *editor.borrow_mut() = Some(handle.clone());
                start.on_ready.emit(handle);
            }
            move || *editor.borrow_mut() = None
        });
    }
    {
        let editor = editor.clone();
        let text = props.text.clone();
        use_effect_with((props.document.clone(), props.revision), move |(document, _)| {
            // The handle is taken out of the cell first: showing a text calls back into this component.
            let handle = editor.borrow().clone();
            if let Some(handle) = handle {
                handle.show(document, &text);
            }
        });
    }
    {
        let (editor, newest) = (editor.clone(), newest.clone());
        let facts = (props.label.clone(), props.lang.clone(), props.read_only);
        use_effect_with(facts, move |_| {
            let handle = editor.borrow().clone();
            let props = newest.borrow().clone();
            if let Some(handle) = handle {
                handle.set_up(&props.set_up());
            }
        });
    }
    {
        let document = props.document.clone();
        use_effect_with((props.problems.clone(), document, props.revision), move |(problems, ..)| {
            let handle = editor.borrow().clone();
            if let Some(handle) = handle {
                handle.set_problems(problems);
            }
        });
    }

    html! { <div class="code-editor" ref={place}></div> }
}

fn callbacks(newest: &Rc<RefCell<CodeEditorProps>>) -> Callbacks {
    // Each clones what it needs before it calls out, so that a callback may lead to the next rendering.
    let props = {
        let newest = newest.clone();
        move || newest.borrow().clone()
    };
    let (change, submit, caret, complete, hover) =
        (props.clone(), props.clone(), props.clone(), props.clone(), props);
    Callbacks {
        change: Box::new(move |text| change().on_change.emit(text)),
        submit: Box::new(move || submit().on_submit.emit(())),
        caret: Box::new(move |from, to| caret().on_caret.emit((from, to))),
        complete: Box::new(move |text, position, explicit| {
            let source = complete().complete?;
            let answer = source.emit(CompletionRequest { text, position, explicit });
            (!answer.options.is_empty()).then(|| json(&answer))
        }),
        hover: Box::new(move |text, position| {
            let source = hover().hover?;
            source.emit(HoverRequest { text, position }).map(|card| json(&card))
        }),
    }
}
