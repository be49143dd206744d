//! Many replicas and a server in one seeded, virtual world: one seed is one run, a run takes virtual hours and real
//! milliseconds, and what must hold is checked all the way and at the end.
//!
//! # What is real
//!
//! The shipped [`Replica`](tidebook_replica::Replica), [`Authority`](tidebook_authority::Authority),
//! [`Committer`](tidebook_authority::Committer) and [`SyncSession`](tidebook_authority::SyncSession), with the shipped
//! ledger. Frames are the text that would cross the wire.
//!
//! # What is made up
//!
//! Clocks, lines, the disk, and people. What the shipped server has as tasks between its parts (an actor for each book, a
//! task for each socket) is done here at once and in one order: `server/actor.rs` and `server/socket.rs` follow the
//! shipped ones step by step, and are not them. One log is written at a time for each book; the shipped store writes
//! several in one transaction.
//!
//! # What is not there yet
//!
//! - A replica has no store to be restored from: a device that was switched off goes on with the replica it had, and no
//!   outbox is lost with a tab. Nor is a device ever a copy of another (`forked`).
//! - A backup that a server is restored from has everyone who was let in, removed or given another role since, and what was
//!   written over HTTP since is lost for good. Where the restore is not declared, it is not checked that what was typed
//!   before it counts as late: a replica that the log has grown past cannot tell it from having been away.
//! - One node; no bus, no presence, no archived or purged book, no invites (who lets themself in is taken to hold one), no
//!   signing in, no withdrawn mutation, no client or server of another version.
//! - The disk keeps what it said it has. Torn and lost writes are for the store's own tests.

mod check;
mod client;
mod disk;
mod fault;
pub mod fold;
mod line;
mod many;
mod plant;
mod queue;
mod random;
mod run;
mod screen;
mod server;
mod trace;
mod world;

pub use check::{Invariant, Violation};
pub use fault::Fault;
pub use many::{Share, Summary, catch, catch_all, run_many};
pub use plant::Plant;
pub use run::{Failure, Options, Run, run};
pub use trace::{Teller, Telling};
