//! A device: what it keeps, and what its tabs ask of its store.

use std::collections::VecDeque;

use tidebook_book::{BookId, ReplicaId, UserId};
use tidebook_replica::{Lacking, StoreWrite};

use crate::queue::Ms;
use crate::store::{Lasting, Store};

/// A device and its store.
#[derive(Debug)]
pub(crate) struct Device {
    pub(crate) name: String,
    pub(crate) user: UserId,
    /// None where the browser forbids one; then a tab keeps what it has in memory.
    pub(crate) store: Option<Store>,
    /// Counts stores: one that is deleted shuts out whoever had it open.
    pub(crate) store_life: u64,
    /// A tab of it went on in memory, or there was a copy of its store: its numbers may be another's too.
    pub(crate) may_renew: bool,
    /// It began as a copy of another.
    pub(crate) is_copy: bool,
    /// A copy of its store, of some time ago.
    pub(crate) copy: Option<Store>,
    /// It takes nothing until then.
    pub(crate) full_until: Ms,
    /// Until then its tabs hear what others of them wrote.
    pub(crate) news_until: Ms,
    /// One at a time, as a browser does it for transactions that write.
    pub(crate) running: Option<Transaction>,
    pub(crate) waiting: VecDeque<Transaction>,
    /// Programs on it, by their places among all.
    pub(crate) tabs: Vec<usize>,
}

/// Something a tab does in its store, all of it or nothing.
#[derive(Debug)]
pub(crate) struct Transaction {
    pub(crate) number: u64,
    pub(crate) client: usize,
    pub(crate) task: Task,
    pub(crate) stage: Stage,
}

/// What for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Task {
    /// Opens a book with what the store has of it.
    Open(BookId),
    /// Takes in what others wrote.
    Read(BookId),
    /// The same, and writes what is new here.
    Write(BookId, Lasting),
    /// Gives the store another replica id, unless another tab has done so.
    Renew { outworn: ReplicaId, fresh: ReplicaId },
}

/// What comes next. Between two of them a browser may do other things.
#[derive(Debug)]
pub(crate) enum Stage {
    Begin,
    Head,
    Rows(Lacking),
    Confirmed,
    Put,
    Commit(Option<Box<StoreWrite>>),
}

impl Stage {
    /// In a word.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Begin => "begins",
            Self::Head => "reads the head",
            Self::Rows(_) => "reads rows",
            Self::Confirmed => "reads what was confirmed",
            Self::Put => "puts",
            Self::Commit(_) => "commits",
        }
    }
}

impl Device {
    pub(crate) fn new(name: String, user: UserId, store: Option<Store>) -> Self {
        Self {
            name,
            user,
            store,
            store_life: 0,
            may_renew: false,
            is_copy: false,
            copy: None,
            full_until: 0,
            news_until: 0,
            running: None,
            waiting: VecDeque::new(),
            tabs: Vec::new(),
        }
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.running.is_none() && self.waiting.is_empty()
    }
}
