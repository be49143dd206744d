//! The client half of the engine, sans-IO: it holds copies of books, an outbox and a view, and it never touches a
//! clock, a socket or a store.
//!
//! # How to drive a [`Replica`]
//!
//! Feed it what happened, then drain it:
//!
//! 1. [`Replica::open_book`] for each book to follow; [`Replica::mutate`], [`Replica::withdraw`] and
//!    [`Replica::discard_rejection`] for each thing a person does; [`Replica::subscribe_again`] where they ask for a book
//!    that shut them out; [`Replica::show`] for where they are, which others see ([`BookCopy::peers`] are the others).
//! 2. `handle_opened`, `handle_text`, `handle_closed` for what the socket did.
//! 3. After each call: [`Replica::poll_transmit`] until it is empty and send what it gives, [`Replica::poll_event`]
//!    until it is empty and act on it, then sleep until [`Replica::poll_timeout`] and call
//!    [`Replica::handle_timeout`].
//!
//! Four events ask the driver for something. [`Event::Connect`] is answered with `handle_opened` or `handle_closed`,
//! [`Event::Disconnect`] with `handle_closed`. [`Event::FetchSnapshot`] is answered with `handle_snapshot_text`, or with
//! `handle_snapshot_failed`; when to try again is the replica's to say. [`Event::NewReplicaNeeded`] is answered with
//! `handle_new_replica` and a fresh random id. The other events are for whoever draws the screen.
//!
//! # Where what is written outlives the program
//!
//! With [`Keeps::InStore`] a book begins with [`Replica::open_stored_book`], where something is stored of it, and a mutation is
//! offered once it is stored. Whenever [`Replica::to_write`] names a book, in one transaction of the store: read the stored
//! replica id, and pass another than [`Replica::id`] to `handle_new_replica`; read the book's head and ask
//! [`Replica::lacking`]; read that and pass it to [`Replica::handle_stored`]; where [`Replica::wants_confirmed`] says so, read
//! all confirmed mutations and pass them to [`Replica::handle_confirmed`]; then put what [`Replica::take_write`] gives, and
//! answer with `handle_written` once it is on the disk, or with `handle_write_failed`. To take in what another program
//! wrote, read what is lacking and write nothing. A store that fails for good is answered with [`Replica::go_on_in_memory`].
//!
//! # What a screen shows
//!
//! The view of a book is its confirmed state with the outbox replayed on top; read it with [`Replica::view`].
//!
//! # What does not fit
//!
//! A copy takes nothing that does not follow from what it has. An entry that leaves a gap or cannot be read, a head with
//! another hash, a snapshot whose state is not what its hash says: the copy stays as it is and starts over from a
//! (another) snapshot, at growing intervals ([`BookCopy::contradictions`] counts). The outbox outlives all of it, and
//! whatever of it has a fate in the log is settled by its id. Of a server restored from an older backup the snapshot lacks
//! own mutations that were confirmed before: those are remembered for some thousand entries, and go back to the front of the
//! outbox. What is offered once too often its id settles. What such a server rejects because it names a record whose maker has
//! not come back yet is tried again by itself, under an id of its own ([`retried_id`]), once the view takes it.
//!
//! # A line that is no good
//!
//! A subscription or a push that is not answered within 15 s, from when its frame was taken to be sent, ends the line, however
//! much else comes over it: what comes unasked says nothing of the way up. Each part of an answer gives the next its time. An
//! idle line that is dead only the driver can notice.
//!
//! # What grows
//!
//! The outbox and the rejections grow only with what the person typed and has not been answered or decided on: dropping
//! any of it would lose it. What of it is on its way to the server is bounded in bytes. What waits in `poll_transmit`
//! and `poll_event` follows from what was fed in since they were last drained. Of a closed book its last number is kept.

mod answer;
mod back_off;
mod book_copy;
mod contradiction;
mod event;
mod fetch;
mod link;
mod new_mutation;
mod outbox;
mod presence;
mod replica;
mod stored;

pub use book_copy::{BookCopy, Rejection, retried_id};
pub use contradiction::Contradictions;
pub use event::{Event, Monotonic, SyncStatus};
pub use new_mutation::{MutateError, NewMutation, Seen};
pub use outbox::{Held, Pending};
pub use replica::{Replica, ReplicaConfig};
pub use stored::{Forget, Keeps, Lacking, StoreWrite, Stored, StoredError, Unsent};
