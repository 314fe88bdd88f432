//! The page: what podlab shows in a browser tab. Conversion and drawing only; behaviour lives in the crates.

mod app;
pub mod bench;
mod components;
mod dom;
pub mod editor;
mod i18n;
pub mod session;
pub mod state;
mod views;

use wasm_bindgen::prelude::wasm_bindgen;

/// Puts the page in place of the start text; `start.js` calls it once the wasm file is there.
#[wasm_bindgen(start)]
pub fn start() {
    let Some(root) = gloo::utils::document().get_element_by_id("podlab") else {
        gloo::console::error!("the page has no element #podlab");
        return;
    };
    root.set_inner_html("");
    yew::Renderer::<app::App>::with_root(root).render();
}
