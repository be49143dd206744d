//! The store as its callers and the disk see it.

#![allow(clippy::unwrap_used, reason = "a test may panic, and so may what it is made of")]

mod support;

mod accounts;
mod answers;
mod books;
mod copies;
mod invites;
mod kill;
mod log;
mod members;
mod opening;
mod snapshots;
mod together;
mod upgrading;
