//! Nobody is told of an entry before it is on disk: what there is to say waits here for its commit.
//!
//! ```text
//!   decided ──▶ staged ───poll_commit──▶ in flight ───handle_committed──▶ on disk: entries are published, answers go out
//!      ▲                                     │
//!      └── decided on top, meanwhile staged  └───handle_failed──▶ taken back, and all that was decided on top with it
//! ```
//!
//! At most one batch is in flight, and nothing is ever said out of order: an answer that needs no disk waits too while
//! one is. When the outcome of a write is unknown there is no arrow: the committer is dropped and the book loaded anew.

use tidebook_book::{Domain, EncodedEntry};

use crate::{Authority, Batch};

/// An authority, and what there is to say about what it decided. `T` is one thing to say, such as an answer and to whom.
///
/// Decide through [`Committer::authority_mut`] and [`Committer::hold`] what to say of it. Then, in a loop: say what
/// [`Committer::release`] gives, and write what [`Committer::poll_commit`] gives, while deciding goes on.
#[derive(Debug)]
pub struct Committer<D: Domain, T> {
    authority: Authority<D>,
    in_flight: Option<InFlight<T>>,
    /// About what was decided since the last batch was handed out: to be said with the next one.
    held: Vec<T>,
}

#[derive(Debug)]
struct InFlight<T> {
    entries: Vec<EncodedEntry>,
    members_changed: bool,
    held: Vec<T>,
}

/// What may be told now.
#[derive(Debug)]
pub struct Committed<T> {
    pub entries: Vec<EncodedEntry>,
    /// Among them is a change of who is in the book.
    pub members_changed: bool,
    pub released: Vec<T>,
}

impl<D: Domain, T> Committer<D, T> {
    #[must_use]
    pub fn new(authority: Authority<D>) -> Self {
        Self { authority, in_flight: None, held: Vec::new() }
    }

    #[must_use]
    pub fn authority(&self) -> &Authority<D> {
        &self.authority
    }

    pub fn authority_mut(&mut self) -> &mut Authority<D> {
        &mut self.authority
    }

    /// To be said once all that is decided by now is on disk.
    pub fn hold(&mut self, say: T) {
        self.held.push(say);
    }

    /// Nothing is being written, and nothing waits to be said. Ask after `poll_commit`.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.in_flight.is_none() && self.held.is_empty()
    }

    /// The next batch to write, if nothing is being written and there is one. One whose outcome stays unknown is the
    /// end of this committer: load the book anew.
    pub fn poll_commit(&mut self) -> Option<Batch> {
        let batch = self.authority.poll_batch()?;
        let entries = batch.entries.iter().map(|staged| staged.entry.clone()).collect();
        let (members_changed, held) = (!batch.members.is_empty(), std::mem::take(&mut self.held));
        self.in_flight = Some(InFlight { entries, members_changed, held });
        Some(batch)
    }

    /// What waits for no disk: refusals, and repetitions of what is there already. Call it after `poll_commit`.
    pub fn release(&mut self) -> Vec<T> {
        if self.in_flight.is_some() { Vec::new() } else { std::mem::take(&mut self.held) }
    }

    /// The batch handed out last is on disk.
    pub fn handle_committed(&mut self) -> Committed<T> {
        self.authority.handle_committed();
        let InFlight { entries, members_changed, held } = self.in_flight.take().expect("a batch was handed out");
        Committed { entries, members_changed, released: held }
    }

    /// The batch handed out last cleanly failed: all that is not on disk is taken back. Returns what was to be said of
    /// it and is not true.
    pub fn handle_failed(&mut self) -> Vec<T> {
        self.authority.handle_failed();
        let mut untrue = self.in_flight.take().map(|in_flight| in_flight.held).unwrap_or_default();
        untrue.append(&mut self.held);
        untrue
    }
}
