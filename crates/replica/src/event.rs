//! What a replica tells its driver and its observers.

use std::collections::BTreeSet;

use tidebook_book::{BookId, Domain, MutationId};

/// Milliseconds on a clock that never goes back, from any start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Monotonic(pub u64);

impl Monotonic {
    #[must_use]
    pub fn plus_ms(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }
}

/// Something for the driver to do or to show.
#[derive(Debug, Clone, PartialEq)]
pub enum Event<D: Domain> {
    /// Open a socket now. The wait between attempts has passed already.
    Connect,
    /// Close the socket; what came over it cannot be trusted or used.
    Disconnect { reason: String },
    /// The server no longer takes this session: the person has to sign in again. Nothing is lost meanwhile.
    SignedOut,
    /// Fetch the book's snapshot over HTTP and pass its text to `handle_snapshot_text`; or, where there is none to be had,
    /// call `handle_snapshot_failed`. Answer each once; after a lost line another may be asked for before the first is.
    FetchSnapshot { book: BookId },
    /// This device is a copy of another, its id is someone else's, or the log lacks what was numbered here: make a new
    /// random id and pass it to `handle_new_replica`. The outbox waits for it.
    NewReplicaNeeded,
    /// The book holds what this version of the app cannot show. The copy stays as it is, and its outbox is held.
    UpdateNeeded { book: BookId },
    /// The view changed. Look again at what was touched; `news` is the part that came from elsewhere.
    Changed { book: BookId, touched: BTreeSet<D::Touched>, news: BTreeSet<D::Touched> },
    /// The view was rebuilt from a snapshot: look at all of it again.
    Reset { book: BookId },
    /// The people of a book changed, or the person's own role.
    People { book: BookId },
    /// Who else is in a book now, or where they are, changed; see [`crate::BookCopy::peers`].
    Presence { book: BookId },
    /// A mutation became an entry that rejects it. Its content stays in [`crate::BookCopy::rejections`].
    Rejected { book: BookId, mutation: MutationId },
    /// The server said something went wrong, in words for people.
    ServerError { code: String, detail: String },
    /// The state of syncing may have changed; see [`crate::Replica::sync_status`].
    Status,
}

/// Where a book stands between this device and the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyncStatus {
    /// Everything is in the log, and the log is here up to the head.
    Synced,
    /// This many mutations have no entry yet: the line is up, or they are being stored. 0: entries are still arriving.
    Saving(usize),
    /// No line to the server; this many mutations are only here.
    Offline(usize),
    /// This many things wait for a person: rejections, or an outbox the server refuses.
    NeedsAttention(usize),
}
