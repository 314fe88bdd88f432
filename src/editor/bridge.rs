//! The JavaScript half as Rust sees it, and the handle that the page holds.

use js_sys::{Function, Object, Reflect};
use serde::Serialize;
use std::any::Any;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use web_sys::Element;

use super::model::Problem;

#[wasm_bindgen(raw_module = "@podlab/editor")]
extern "C" {
    type Editor;

    fn create(parent: &Element, settings: &str, callbacks: &Object) -> Editor;

    #[wasm_bindgen(method)]
    fn text(this: &Editor) -> String;
    #[wasm_bindgen(method)]
    fn show(this: &Editor, document: &str, text: &str);
    #[wasm_bindgen(method, js_name = keepOnly)]
    fn keep_only(this: &Editor, documents: &str);
    #[wasm_bindgen(method, js_name = setUpAgain)]
    fn set_up_again(this: &Editor, settings: &str);
    #[wasm_bindgen(method, js_name = setProblems)]
    fn set_problems(this: &Editor, list: &str);
    #[wasm_bindgen(method)]
    fn replace(this: &Editor, from: u32, to: u32, insert: &str);
    #[wasm_bindgen(method)]
    fn reveal(this: &Editor, from: u32, to: u32);
    #[wasm_bindgen(method)]
    fn focus(this: &Editor);
    #[wasm_bindgen(method)]
    fn destroy(this: &Editor);
}

/// What stays the same for all documents of an editor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SetUp<'a> {
    pub(super) label: &'a str,
    pub(super) lang: &'a str,
    pub(super) read_only: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Start<'a> {
    document: &'a str,
    text: &'a str,
    #[serde(flatten)]
    set_up: &'a SetUp<'a>,
}

/// What the editor calls. Each answers at once; the two that ask for something answer `None` for "nothing to show".
pub(super) struct Callbacks {
    pub(super) change: Box<dyn Fn(String)>,
    pub(super) submit: Box<dyn Fn()>,
    pub(super) caret: Box<dyn Fn(u32, u32)>,
    pub(super) complete: Box<dyn Fn(String, u32, bool) -> Option<String>>,
    pub(super) hover: Box<dyn Fn(String, u32) -> Option<String>>,
}

/// A living editor. Clones are the same editor; it goes when the component goes, and calls after that do nothing.
#[derive(Clone)]
pub struct EditorHandle {
    inner: Rc<Inner>,
}

struct Inner {
    editor: Editor,
    /// Kept as long as JavaScript may call them.
    _closures: Box<dyn Any>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.editor.destroy();
    }
}

impl PartialEq for EditorHandle {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.inner, &other.inner)
    }
}

impl EditorHandle {
    pub(super) fn new(
        parent: &Element,
        document: &str,
        text: &str,
        set_up: &SetUp<'_>,
        callbacks: Callbacks,
    ) -> Self {
        let change = Closure::wrap(callbacks.change);
        let submit = Closure::wrap(callbacks.submit);
        let caret = Closure::wrap(callbacks.caret);
        let complete = Closure::wrap(callbacks.complete);
        let hover = Closure::wrap(callbacks.hover);
        let object = Object::new();
        let functions: [(&str, &JsValue); 5] = [
            ("change", change.as_ref()),
            ("submit", submit.as_ref()),
            ("caret", caret.as_ref()),
            ("complete", complete.as_ref()),
            ("hover", hover.as_ref()),
        ];
        for (name, function) in functions {
            // A plain object of our own takes any property.
            let _ = Reflect::set(&object, &JsValue::from_str(name), function.unchecked_ref::<Function>());
        }
        let editor = create(parent, &json(&Start { document, text, set_up }), &object);
        EditorHandle {
            inner: Rc::new(Inner { editor, _closures: Box::new((change, submit, caret, complete, hover)) }),
        }
    }

    /// The whole text.
    pub fn text(&self) -> String {
        self.inner.editor.text()
    }

    /// Replaces a range (UTF-16) as if the user had typed it; reported by `on_change`, undoable.
    pub fn replace(&self, from: u32, to: u32, insert: &str) {
        self.inner.editor.replace(from, to, insert);
    }

    /// Selects a range (UTF-16) and scrolls it into the middle.
    pub fn reveal(&self, from: u32, to: u32) {
        self.inner.editor.reveal(from, to);
    }

    /// Moves the keyboard focus into the editor.
    pub fn focus(&self) {
        self.inner.editor.focus();
    }

    /// Forgets the undo histories of documents that are not in this list.
    pub fn keep_only(&self, documents: &[&str]) {
        self.inner.editor.keep_only(&json(&documents));
    }

    pub(super) fn show(&self, document: &str, text: &str) {
        self.inner.editor.show(document, text);
    }

    pub(super) fn set_up(&self, set_up: &SetUp<'_>) {
        self.inner.editor.set_up_again(&json(set_up));
    }

    pub(super) fn set_problems(&self, problems: &[Problem]) {
        self.inner.editor.set_problems(&json(&problems));
    }
}

/// JSON of plain data of ours, which can't fail to be written.
pub(super) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())
}
