//! The store in one SQLite file: a writer thread with group commit, and a few connections that only read.

mod open;
mod schema;

mod check;

mod job;
mod writer;

mod readers;

pub(crate) mod answers;
pub(crate) mod append;
pub(crate) mod log;

pub(crate) mod books;
pub(crate) mod epochs;
pub(crate) mod invites;
pub(crate) mod members;
pub(crate) mod snapshots;

pub(crate) mod accounts;
pub(crate) mod sessions;

mod copy;
mod view;

mod column;
mod failure;

pub use copy::{BackedUp, Restoring, Sessions, back_up};
pub use view::{StoreFile, View};

pub(crate) use failure::SqlError;
pub(crate) use job::{Message, job};
pub(crate) use open::open;
pub(crate) use readers::ReadPool;
pub(crate) use writer::{CHECKPOINT_AFTER_BYTES, start as start_writer};
