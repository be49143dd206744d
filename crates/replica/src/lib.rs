//! The client half of the engine, sans-IO: it holds copies of books, an outbox and a view, and it never touches a
//! clock, a socket or a store.
//!
//! # How to drive a [`Replica`]
//!
//! Feed it what happened, then drain it:
//!
//! 1. [`Replica::open_book`] for each book to follow, and [`Replica::mutate`] for each thing a person does.
//! 2. `handle_opened`, `handle_text`, `handle_closed` for what the socket did; `handle_snapshot` for one it asked for.
//! 3. After each call: [`Replica::poll_transmit`] until it is empty and send what it gives, [`Replica::poll_event`]
//!    until it is empty and act on it, then sleep until [`Replica::poll_timeout`] and call
//!    [`Replica::handle_timeout`].
//!
//! The view of a book is its confirmed state with the outbox replayed on top; read it with [`Replica::view`].

mod back_off;
mod book_copy;
mod event;
mod link;
mod outbox;
mod replica;

pub use book_copy::{BookCopy, Rejection};
pub use event::{Event, Monotonic, SyncStatus};
pub use outbox::Pending;
pub use replica::{MutateError, NewMutation, Replica, ReplicaConfig};
