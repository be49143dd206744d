//! The web app: screens over a replica of a book.
//!
//! What can be decided without a browser is in the modules here and is tested on the host; `app` holds what draws,
//! listens and talks, and is compiled for WebAssembly alone.

pub mod chip;
pub mod conflict;
pub mod day;
pub mod entry;
pub mod history;
pub mod ledger_page;
pub mod money;
pub mod moves;
pub mod name;
pub mod order;
pub mod person;
pub mod presence;
pub mod route;
pub mod summary;
pub mod transactions;
pub mod undo;
pub mod unsent_file;
pub mod waiting;
pub mod window;

#[cfg(target_arch = "wasm32")]
mod app;
#[cfg(target_arch = "wasm32")]
pub use app::start;

/// On the host there is nothing to start: `cargo test` needs a program that links.
#[cfg(not(target_arch = "wasm32"))]
pub fn start() {}
