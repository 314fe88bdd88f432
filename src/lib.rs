//! The page: what podlab shows in a browser tab. Conversion and drawing only; behaviour lives in the crates.

mod app;
pub mod bench;
mod components;
mod dom;
pub mod editor;
mod i18n;
mod second;
pub mod session;
pub mod state;
mod views;
mod warm_up;

use wasm_bindgen::prelude::wasm_bindgen;

/// A cluster is made of many small pieces; this allocator is smaller than the usual one and takes less time.
#[cfg(target_family = "wasm")]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

/// What memory the page asks for at once, in bytes. The allocator asks for 64 KiB at a time, and now and then such a
/// request holds up a frame by 10 ms. Browsers take memory for it only as it is used.
#[cfg(target_family = "wasm")]
const ROOM: usize = 64 << 20;

/// Puts the page in place of the start text; `start.js` calls it once the wasm file is there.
#[wasm_bindgen]
pub fn start() {
    #[cfg(target_family = "wasm")]
    {
        let mut room: Vec<u8> = Vec::new();
        // Where there is not so much, the allocator goes on as it would have.
        let _ = room.try_reserve_exact(ROOM);
        drop(std::hint::black_box(room));
    }
    let Some(root) = gloo::utils::document().get_element_by_id("podlab") else {
        gloo::console::error!("the page has no element #podlab");
        return;
    };
    root.set_inner_html("");
    yew::Renderer::<app::App>::with_root(root).render();
}
