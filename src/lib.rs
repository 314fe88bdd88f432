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

/// A cluster is made of many small pieces; this allocator is smaller than the usual one and takes less time.
#[cfg(target_family = "wasm")]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

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
