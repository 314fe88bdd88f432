//! The wasm file can come in two parts: what the page begins with, and the rest right behind the first picture.
//!
//! `cargo xtask dist --parts` cuts it (see `xtask/src/dist/split`). A call of a function that has not come yet comes here, and
//! `second.js` fetches the second part while the call waits.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// Fetches the second part and joins it to the first, whose exports are given; returns once it is there.
    #[wasm_bindgen(js_name = podlabSecondPart)]
    fn second_part(exports: JsValue);
}

/// What the first part calls when it needs the second and `second.js` has not brought it yet.
#[wasm_bindgen]
pub fn load_second_part() {
    second_part(wasm_bindgen::exports());
}
