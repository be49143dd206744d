//! The server half of the engine, sans-IO: it turns mutations into entries, one book at a time.
//!
//! # How to drive an [`Authority`]
//!
//! 1. [`Authority::lookups`] tells what to look up in the log for a push; pass what was found, as [`Known`], to
//!    [`Authority::handle_push`], which decides each mutation against the staged state and says what became of it.
//! 2. [`Authority::poll_batch`] hands out what to commit, in one transaction. Deciding goes on meanwhile.
//! 3. [`Authority::handle_committed`] once it is on disk: only now may anyone be told.
//!    [`Authority::handle_failed`] if it cleanly failed: all that is staged is taken back.

mod authority;
mod batch;
mod known;
mod ops;

pub use authority::{Authority, Opening, Outcome};
pub use batch::{Batch, MemberRow, NumberRow, StagedEntry};
pub use known::{Known, Lookups, Place};
