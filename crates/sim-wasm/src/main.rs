//! The module that Node loads. On the host there is nothing to start: `cargo test` needs a program that links.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen::prelude::wasm_bindgen;

fn main() {}

/// The same function, for JavaScript.
#[cfg(target_arch = "wasm32")]
#[wasm_bindgen]
pub fn story(seed: u64) -> String {
    tidebook_sim_wasm::story(seed)
}
