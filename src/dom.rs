//! Small things asked of the browser's document.

use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};
use yew::prelude::*;

/// Gives an element the focus.
pub(crate) fn focus(element: Option<Element>) {
    if let Some(element) = element.and_then(|e| e.dyn_into::<HtmlElement>().ok()) {
        let _ = element.focus();
    }
}

/// Gives the focus to the first element that a selector finds.
pub(crate) fn focus_on(selector: &str) {
    focus(gloo::utils::document().query_selector(selector).ok().flatten());
}

/// All elements inside that a selector finds.
pub(crate) fn all(inside: &Element, selector: &str) -> Vec<Element> {
    let Ok(found) = inside.query_selector_all(selector) else { return Vec::new() };
    (0..found.length()).filter_map(|i| found.item(i)?.dyn_into().ok()).collect()
}

/// Moves the focus `step` elements on among those that a selector finds inside, round and round.
pub(crate) fn focus_next(inside: &Element, selector: &str, step: i32) {
    let found = all(inside, selector);
    let active = gloo::utils::document().active_element();
    let at = found.iter().position(|e| Some(e) == active.as_ref());
    let count = i64::try_from(found.len()).unwrap_or(1).max(1);
    let next = at.map_or(0, |at| (i64::try_from(at).unwrap_or(0) + i64::from(step)).rem_euclid(count));
    focus(usize::try_from(next).ok().and_then(|i| found.get(i).cloned()));
}

/// Puts a text on the clipboard; `None` where the browser has none for this page.
pub(crate) fn write_clipboard(text: &str) -> Option<js_sys::Promise> {
    let navigator = gloo::utils::window().navigator();
    let clipboard = js_sys::Reflect::get(&navigator, &"clipboard".into()).ok().filter(|c| c.is_object())?;
    let write =
        js_sys::Reflect::get(&clipboard, &"writeText".into()).ok()?.dyn_into::<js_sys::Function>().ok()?;
    write.call1(&clipboard, &text.into()).ok()?.dyn_into().ok()
}

/// Whether some text of the page is selected.
pub(crate) fn has_selection() -> bool {
    let window = gloo::utils::window();
    let get = |of: &wasm_bindgen::JsValue, name: &str| js_sys::Reflect::get(of, &name.into()).ok();
    let selection = get(&window, "getSelection")
        .and_then(|f| f.dyn_into::<js_sys::Function>().ok())
        .and_then(|f| f.call0(&window).ok());
    let kind = selection.filter(|s| s.is_object()).and_then(|s| get(&s, "type")?.as_string());
    kind.as_deref() == Some("Range")
}

/// What was typed into a field, handed on letter by letter.
pub(crate) fn on_typed(typed: Callback<String>) -> Callback<InputEvent> {
    Callback::from(move |event: InputEvent| {
        if let Some(input) = event.target_dyn_into::<web_sys::HtmlInputElement>() {
            typed.emit(input.value());
        }
    })
}

/// What was chosen in a list, handed on by its value.
pub(crate) fn on_chosen(chosen: Callback<String>) -> Callback<Event> {
    Callback::from(move |event: Event| {
        if let Some(select) = event.target_dyn_into::<web_sys::HtmlSelectElement>() {
            chosen.emit(select.value());
        }
    })
}

/// Enter in a field, but for one that ends a letter of an input method.
pub(crate) fn on_enter(entered: Callback<()>) -> Callback<KeyboardEvent> {
    Callback::from(move |event: KeyboardEvent| {
        if event.key() == "Enter" && !is_composing(&event) {
            event.prevent_default();
            entered.emit(());
        }
    })
}

/// Whether a key goes to an input method that is putting a letter together, as for Hangul: Enter then ends the letter
/// and nothing else.
///
/// Safari says that the composition is over before it hands out the key that ended it; the code 229 remains.
pub(crate) fn is_composing(event: &web_sys::KeyboardEvent) -> bool {
    event.is_composing() || event.key_code() == 229
}

/// The key's name, but where it has a letter of another alphabet (`ㅈ`, `₩`) the Latin one that the same key has: a
/// shortcut is the same key whatever one writes.
pub(crate) fn key_name(event: &web_sys::KeyboardEvent) -> String {
    latin(event.key(), &event.code())
}

fn latin(key: String, code: &str) -> String {
    if key.is_ascii() {
        return key;
    }
    match code {
        "Backquote" => "`".to_owned(),
        "Period" => ".".to_owned(),
        "Comma" => ",".to_owned(),
        "Slash" => "/".to_owned(),
        _ => code.strip_prefix("Key").map_or(key, str::to_ascii_lowercase),
    }
}

/// What stands in the field that an event came from.
pub(crate) fn value(event: &web_sys::Event) -> Option<String> {
    js_sys::Reflect::get(event.target()?.as_ref(), &"value".into()).ok()?.as_string()
}

/// Pixels in a rem.
pub(crate) fn rem() -> f64 {
    let window = gloo::utils::window();
    let root = gloo::utils::document().document_element();
    root.and_then(|root| window.get_computed_style(&root).ok().flatten())
        .and_then(|style| style.get_property_value("font-size").ok())
        .and_then(|size| size.trim_end_matches("px").parse().ok())
        .unwrap_or(16.0)
}

/// Whether a media query holds.
pub(crate) fn media(query: &str) -> bool {
    gloo::utils::window().match_media(query).ok().flatten().is_some_and(|m| m.matches())
}

/// Whether the page should not move.
pub(crate) fn is_still() -> bool {
    media("(prefers-reduced-motion: reduce)")
}

/// Whether the event began in something one types into.
pub(crate) fn is_typing(event: &web_sys::Event) -> bool {
    event.target().and_then(|t| t.dyn_into::<Element>().ok()).is_some_and(|e| {
        e.closest("input, textarea, select, [contenteditable=true], .cm-editor").ok().flatten().is_some()
    })
}

/// Puts an element with the `popover` attribute into the top layer; a browser without it leaves the element in place.
pub(crate) fn show_popover(element: &Element) {
    let show = js_sys::Reflect::get(element, &"showPopover".into()).ok();
    if let Some(show) = show.and_then(|s| s.dyn_into::<js_sys::Function>().ok()) {
        let _ = show.call0(element);
    }
}

#[cfg(test)]
mod tests {
    use super::latin;

    #[test]
    fn a_key_keeps_its_latin_name_under_a_hangul_layout() {
        for (key, code, name) in [
            ("ㅊ", "KeyC", "c"),
            ("ㅉ", "KeyW", "w"),
            ("₩", "Backquote", "`"),
            ("c", "KeyC", "c"),
            ("Enter", "Enter", "Enter"),
            ("ö", "Semicolon", "ö"),
        ] {
            assert_eq!(latin(key.to_owned(), code), name, "{key} {code}");
        }
    }
}
