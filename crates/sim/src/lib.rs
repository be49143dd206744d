//! Many replicas and a server in one seeded, virtual world: one seed is one run, a run takes virtual hours and real
//! milliseconds, and what must hold is checked all the way and at the end.
//!
//! # How to find something out
//!
//! `cargo run -p tidebook-sim -- --seeds N --from S` runs seeds and says how often each fault struck. Of a seed that fails it
//! tells what of its world can be left out, and the command that tells that story. `--plants` tries every planted bug.
//!
//! # What is real
//!
//! The shipped [`Replica`](tidebook_replica::Replica), [`Authority`](tidebook_authority::Authority),
//! [`Committer`](tidebook_authority::Committer) and [`SyncSession`](tidebook_authority::SyncSession), with the shipped
//! ledger. Frames are the text that would cross the wire.
//!
//! # What is made up
//!
//! Clocks, lines, the disk, the stores of devices, and people. What the shipped server has as tasks between its parts (an actor for each book, a
//! task for each socket) is done here at once and in one order: `server/actor.rs` and `server/socket.rs` follow the
//! shipped ones step by step, and are not them. One batch of a node is written at a time for each book; the shipped store
//! writes several in one transaction. Who is present in a book a node lists as the shipped server does, with the code that
//! does it there; nodes do not tell each other. What a tab does in its device's store, and hears of other tabs, `world/keeping.rs` does as the
//! web app's driver does it: one transaction at a time, of steps between which other things happen, done for good or so that a
//! power cut takes it back.
//!
//! # What is not there yet
//!
//! - A book never moves from one store to another, and nothing in a store rots. A tab that takes in where another started
//!   over may go back from what it showed; how far is not checked, nor what it shows where it took in what follows from
//!   another history than its own, until it starts over. Where a server was restored, a tab may drop what another
//!   has heard the fate of in the history that is gone, until that one starts over; and what a device numbered that has a copy
//!   may be taken for what the copy numbered since, and not come back.
//! - Later versions are told by what is written: fields that nobody knows, an op of another name, a stored state of another
//!   form. No program of another version runs. No entry says what a device does not know, and no snapshot or row is of a form
//!   that is to be left alone.
//! - A backup that a server is restored from has everyone who was let in, removed or given another role since, and what was
//!   written over HTTP since is lost for good. A form that was open while its copy went over to another history claims what
//!   it says it was read at, and is not checked. Where a declared restore follows one that was not, what was typed before
//!   is not checked to count as late: who had not heard of the first is told where the second began.
//! - Of several nodes on one log, which the shipped server does not have so far, the parts between the shipped authorities are
//!   those of design.md, done here first: a batch that meets a longer log is decided again, bells ring late or not at all,
//!   and a node looks at the log before it opens a book for somebody, and now and then. All nodes reach the log.
//! - Several tabs over one store may use up numbers for what stands under others, and how many is not checked.
//! - An archived book stays that way, unless its server is restored from before. No book is purged, there are no invites (who
//!   lets themself in is taken to hold one), and nobody signs in.
//! - The server's disk keeps what it said it has: a commit that was on its way when the server died is there whole or not at
//!   all, which is SQLite's promise and not tried here. Of a year no more passes than is left of the run.
//! - A client that lies takes no replica id that its owner has not written under, and no mutation's id from anybody.

mod check;
mod client;
mod device;
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
mod shrink;
mod store;
mod trace;
mod world;

pub use check::{Invariant, Violation};
pub use fault::Fault;
pub use many::{Share, Summary, catch, catch_all, run_many};
pub use plant::Plant;
pub use run::{Failure, Limits, Options, Run, run};
pub use shrink::{Shrunk, shrink};
pub use trace::{Teller, Telling};
