//! The simulator for Node: what runs here runs there too, compiled to WebAssembly, and a test compares the stories.
//!
//! The module is all of `tidebook_sim` and this crate's one function. `cargo xtask test` compiles it with what compiles the
//! web app, in the same profile: what is compared is the engine as browsers get it.

use tidebook_sim::{Options, Telling, run};

/// The hash of a seed's story, or what was found wrong in it.
#[must_use]
pub fn story(seed: u64) -> String {
    match run(seed, Options { telling: Telling::Hashed, ..Options::default() }) {
        Ok(run) => run.trace_hash,
        Err(failure) => failure.to_string(),
    }
}
