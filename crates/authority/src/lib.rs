//! The server half of the engine, sans-IO: it turns mutations into entries, one book at a time, and holds the
//! conversation with each replica.
//!
//! # How to drive an [`Authority`]
//!
//! 1. [`Authority::lookups`] tells what to look up in the log for a push; pass what was found, as [`Known`], to
//!    [`Authority::handle_push`], which decides each mutation against the staged state and says what became of it. Call
//!    neither `handle_committed` nor `handle_tail` between the two: the lookup may have missed what they settle.
//! 2. [`Authority::poll_batch`] hands out what to commit, in one transaction. Deciding goes on meanwhile.
//! 3. [`Authority::handle_committed`] once it is on disk: only now may anyone be told.
//!    [`Authority::handle_failed`] if it cleanly failed: all that is staged is taken back.
//! 4. Where several nodes write into one log, a batch that another's came before is one that failed. Then, and whenever
//!    the log is found to be longer, [`Authority::handle_tail`] takes in what the others wrote; decide again on top of it.
//!
//! A [`Committer`] wraps it and keeps what there is to say until that is true; a [`SyncSession`] is one replica's socket.

mod authority;
mod batch;
mod committer;
mod head;
mod known;
mod ops;
mod session;

pub use authority::{Authority, MemberRefusal, Opening, Outcome, TailError, Write, Written};
pub use batch::{Batch, MemberRow, NumberRow, StagedEntry};
pub use committer::{Committed, Committer};
pub use head::Head;
pub use known::{Known, Lookups, Place};
pub use session::{Action, Identity, Opened, SyncSession};
