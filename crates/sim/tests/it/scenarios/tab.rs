//! A program on a device: the shipped replica in memory, and what its driver knows of it. Several may share a store.

use std::collections::BTreeSet;

use tidebook_book::{Domain, MutationId, ReplicaId, UserId};
use tidebook_protocol::Down;
use tidebook_replica::{BookCopy, Keeps, Lacking, Monotonic, Replica, ReplicaConfig};

use super::server::{BOOK, LineId};
use crate::shelf::Shelf;

/// What a device keeps, and whether it can.
#[derive(Debug, Clone)]
pub(super) struct Store {
    pub(super) shelf: Shelf,
    /// It takes nothing more.
    pub(super) is_full: bool,
}

/// What came of the book, in the order in which it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Got {
    Entry(u64),
    Snapshot(u64),
}

#[derive(Debug)]
pub(super) struct Tab<T: Domain> {
    pub(super) user: UserId,
    /// None once it is lost: then all is in memory.
    pub(super) store: Option<usize>,
    /// None while the program does not run.
    pub(super) replica: Option<Replica<T>>,
    /// Counts runs of the program: what was on its way to one does not come to the next.
    pub(super) life: u64,
    pub(super) line: Option<LineId>,
    pub(super) is_offline: bool,
    pub(super) is_keeping: bool,
    pub(super) wakes_at: Option<u64>,
    /// How wrong its device's clock is.
    pub(super) clock_off_ms: i64,
    /// It said that it needs a later version.
    pub(super) needs_update: bool,
    /// None while nobody counts.
    pub(super) got: Option<Vec<Got>>,
    /// Mutations that the person was told are saved.
    pub(super) saved: BTreeSet<MutationId>,
}

impl<T: Domain> Tab<T> {
    pub(super) fn new(user: UserId, store: usize) -> Self {
        Self {
            user,
            store: Some(store),
            replica: None,
            life: 0,
            line: None,
            is_offline: false,
            is_keeping: false,
            wakes_at: None,
            clock_off_ms: 0,
            needs_update: false,
            got: None,
            saved: BTreeSet::new(),
        }
    }

    /// The program starts, with what the device has. `seed` spreads its attempts to connect.
    pub(super) fn start(&mut self, now: Monotonic, shelf: &Shelf, seed: u64) {
        let (replica, user) = (shelf.replica, self.user);
        let (client, token, keeps) = ("test/1".into(), None, Keeps::InStore);
        let mut replica = Replica::new(ReplicaConfig { replica, user, client, token, seed, keeps });
        match &shelf.head {
            None => replica.open_book(BOOK),
            Some(head) => {
                let stored = shelf.stored(head, Lacking::all_of(head).expect("a head that reads"));
                replica.open_stored_book(BOOK, &stored).expect("rows that read");
            }
        }
        replica.connect_now(now);
        self.replica = Some(replica);
    }

    /// The program is gone, in the middle of whatever it did.
    pub(super) fn kill(&mut self) {
        self.life += 1;
        (self.replica, self.line, self.wakes_at, self.is_keeping) = (None, None, None, false);
    }

    pub(super) fn copy(&self) -> &BookCopy<T> {
        self.replica.as_ref().and_then(|replica| replica.book(BOOK)).expect("the program runs and has the book")
    }

    /// A frame came out of the line.
    pub(super) fn hear(&mut self, now: Monotonic, text: &str) {
        self.note(text);
        if let Some(replica) = &mut self.replica {
            replica.handle_text(now, text);
        }
    }

    fn note(&mut self, text: &str) {
        if let Some(got) = &mut self.got
            && let Ok(Down::Entries(frame)) = Down::parse(text)
        {
            let seq = |entry: &str| entry.strip_prefix(r#"{"seq":"#)?.split(',').next()?.parse().ok();
            got.extend(frame.entries.iter().map(|entry| Got::Entry(seq(entry.get()).expect("a seq comes first"))));
        }
    }

    /// A snapshot came, which may be of no use.
    pub(super) fn take_snapshot(&mut self, now: Monotonic, text: &str) {
        let Some(replica) = &mut self.replica else { return };
        replica.handle_snapshot_text(now, BOOK, text);
        let seq = self.copy().seq().0;
        self.got.iter_mut().for_each(|got| got.push(Got::Snapshot(seq)));
    }

    /// One transaction: takes in what others stored, and puts what is new here. Whether something was put.
    pub(super) fn keep(&mut self, now: Monotonic, shelf: &mut Shelf) -> bool {
        let Some(replica) = &mut self.replica else { return false };
        shelf.give(now, replica, BOOK);
        shelf.give_confirmed(replica, BOOK);
        let write = replica.take_write(BOOK);
        let is_put = write.is_some();
        write.into_iter().for_each(|write| shelf.put(write));
        is_put
    }

    /// What was put is on the disk, and the person is told.
    pub(super) fn handle_written(&mut self) {
        if let Some(replica) = &mut self.replica {
            replica.handle_written(BOOK);
            let saved = self.copy().pending().filter(|pending| pending.is_saved());
            let saved: Vec<_> = saved.map(|pending| pending.mutation.id).collect();
            self.saved.extend(saved);
        }
    }

    /// The store takes or tells nothing any more: the app goes on in memory, under another id.
    pub(super) fn lose_store(&mut self, now: Monotonic, fresh: ReplicaId) {
        self.store = None;
        if let Some(replica) = &mut self.replica {
            replica.handle_write_failed(BOOK);
            replica.go_on_in_memory(now, fresh);
        }
    }
}
