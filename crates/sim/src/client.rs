//! A tab, or another program that a person has open on a device: the shipped replica, its screens, its clock, and what
//! stands between it and its line.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use tidebook_book::{Author, BookId, ReplicaId, UnixMillis, UserId};
use tidebook_ledger::Ledger;
use tidebook_replica::{BookCopy, Event, Keeps, Monotonic, NewMutation, Replica, ReplicaConfig, Stored, StoredError};

use crate::check::{Invariant, Violation};
use crate::line::LineId;
use crate::queue::Ms;
use crate::screen::Screen;
use crate::server::clock;

/// What a replica asks its driver for.
#[derive(Debug)]
pub(crate) enum Wish {
    Send(String),
    Connect,
    Disconnect(String),
    FetchSnapshot(BookId),
    NewReplica,
}

#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) name: String,
    /// Which device it is on.
    pub(crate) device: usize,
    pub(crate) user: UserId,
    pub(crate) replica: Replica<Ledger>,
    /// It runs. What is under way for a program that has ended is for nobody.
    pub(crate) is_open: bool,
    /// Counts its starts.
    pub(crate) life: u64,
    /// The store it keeps things in, going by how many its device had before; none where it keeps them in memory.
    pub(crate) keeps_in: Option<u64>,
    /// Something is being written.
    pub(crate) is_keeping: bool,
    /// Books it is to have open.
    pub(crate) follows: BTreeSet<BookId>,
    pub(crate) line: Option<LineId>,
    /// Counts attempts to connect, so that one given up is not taken for another.
    pub(crate) attempt: u64,
    /// Switched off until then.
    pub(crate) off_until: Ms,
    /// Without a network until then.
    pub(crate) offline_until: Ms,
    /// Takes nothing in until then.
    pub(crate) reads_at: Ms,
    /// How wrong its clock is.
    pub(crate) clock_off_ms: i64,
    /// When it is woken next, if that is planned.
    pub(crate) wakes_at: Option<Ms>,
    pub(crate) snapshots_awaited: u32,
    pub(crate) screens: BTreeMap<BookId, Screen>,
    /// Where its person said they are, and what they look at there.
    pub(crate) shows: Option<(BookId, String)>,
    /// It is of a later version than the server.
    pub(crate) is_newer: bool,
    /// Pushes it sent, for other tabs to send again.
    pub(crate) pushes: Vec<String>,
}

impl Client {
    /// A program that was not started yet.
    pub(crate) fn new(name: String, device: usize, user: UserId) -> Self {
        Self {
            name,
            device,
            user,
            replica: Replica::new(config(user, ReplicaId(uuid::Uuid::nil()), Keeps::InMemory, 0)),
            is_open: false,
            life: 0,
            keeps_in: None,
            is_keeping: false,
            follows: BTreeSet::new(),
            line: None,
            attempt: 0,
            off_until: 0,
            offline_until: 0,
            reads_at: 0,
            clock_off_ms: 0,
            wakes_at: None,
            snapshots_awaited: 0,
            screens: BTreeMap::new(),
            shows: None,
            is_newer: false,
            pushes: Vec::new(),
        }
    }

    /// Starts with nothing in memory. `keeps_in`: the store it opened, whose replica it is.
    pub(crate) fn start(&mut self, replica: ReplicaId, keeps_in: Option<u64>, seed: u64) {
        let keeps = if keeps_in.is_some() { Keeps::InStore } else { Keeps::InMemory };
        self.replica = Replica::new(config(self.user, replica, keeps, seed));
        (self.is_open, self.keeps_in) = (true, keeps_in);
    }

    /// Ends, with all that it had in memory.
    pub(crate) fn end(&mut self) {
        (self.is_open, self.is_keeping, self.keeps_in) = (false, false, None);
        self.life += 1;
        // An attempt to connect, a planned waking and snapshots on their way are for nobody.
        self.attempt += 1;
        (self.line, self.wakes_at, self.snapshots_awaited) = (None, None, 0);
        self.screens.clear();
        self.shows = None;
        self.pushes.clear();
    }

    pub(crate) fn author(&self) -> Author {
        Author { user: self.user, replica: self.replica.id() }
    }

    pub(crate) fn is_off(&self, now: Ms) -> bool {
        self.off_until > now
    }

    pub(crate) fn is_offline(&self, now: Ms) -> bool {
        self.offline_until > now
    }

    pub(crate) fn clock(&self, now: Ms) -> UnixMillis {
        UnixMillis(clock(now).0 + self.clock_off_ms)
    }

    pub(crate) fn open_book(&mut self, book: BookId) {
        self.replica.open_book(book);
        self.screens.entry(book).or_default();
    }

    /// With what the store has of it.
    pub(crate) fn open_stored_book(&mut self, book: BookId, stored: &Stored) -> Result<(), StoredError> {
        self.replica.open_stored_book(book, stored)?;
        self.screens.entry(book).or_default();
        Ok(())
    }

    /// How many mutations of a book are not in its store.
    pub(crate) fn unsaved(&self, book: BookId) -> usize {
        self.replica.book(book).map_or(0, BookCopy::unsaved)
    }

    /// The books it has open.
    pub(crate) fn books(&self) -> Vec<BookId> {
        self.screens.keys().copied().collect()
    }

    pub(crate) fn copy(&self, book: BookId) -> &BookCopy<Ledger> {
        self.replica.book(book).expect("a book with a screen is open")
    }

    /// Whether it took the mutation; its number in the replica's line.
    pub(crate) fn mutate(&mut self, book: BookId, new: NewMutation<tidebook_ledger::LedgerOp>) -> Option<u64> {
        self.replica.mutate(book, new).ok().map(|n| n.0)
    }

    /// Goes on under another replica id.
    pub(crate) fn renew(&mut self, now: Ms, replica: ReplicaId) {
        self.pushes.clear();
        self.replica.handle_new_replica(Monotonic(now), replica);
    }

    /// Lets go of one mutation of two or more, as though it had its entry: what a wrong rebase would do.
    pub(crate) fn drop_one(&mut self, now: Ms) {
        for book in self.books() {
            let waiting: Vec<_> = self.copy(book).pending().map(|pending| pending.mutation.id).collect();
            if let [_, second, ..] = waiting[..] {
                let (author, seq) = (self.author(), self.copy(book).seq());
                let entry = json!({ "id": second, "seq": seq, "replica": author.replica, "n": 1 });
                let fates = json!({ "type": "fates", "book": book, "entries": [entry] });
                self.replica.handle_text(Monotonic(now), &fates.to_string());
            }
        }
    }

    pub(crate) fn handle_closed(&mut self, now: Ms, code: Option<u16>) {
        self.line = None;
        self.replica.handle_closed(Monotonic(now), code);
    }

    /// The next thing the replica asks for. What is only to be shown is shown.
    pub(crate) fn poll_wish(&mut self, now: Ms) -> Result<Option<Wish>, Violation> {
        if let Some(text) = self.replica.poll_transmit(Monotonic(now)) {
            return Ok(Some(Wish::Send(text)));
        }
        while let Some(event) = self.replica.poll_event() {
            match event {
                Event::Connect => return Ok(Some(Wish::Connect)),
                Event::Disconnect { reason } => return Ok(Some(Wish::Disconnect(reason))),
                Event::NewReplicaNeeded => return Ok(Some(Wish::NewReplica)),
                Event::FetchSnapshot { book } => return Ok(Some(Wish::FetchSnapshot(book))),
                Event::Changed { book, touched, news } if news.is_subset(&touched) => self.show(book, touched),
                Event::Reset { book } => self.draw(book),
                Event::People { .. } | Event::Presence { .. } | Event::Rejected { .. } | Event::Status => {}
                // The server of this world says nothing that makes a replica sign out or complain.
                unexpected => return Err(Invariant::Honest.broken(format!("{} says {unexpected:?}", self.name))),
            }
        }
        Ok(None)
    }

    fn show(&mut self, book: BookId, touched: impl IntoIterator<Item = tidebook_ledger::Touched>) {
        let (Some(screen), Some(view)) = (self.screens.get_mut(&book), self.replica.view(book)) else { return };
        touched.into_iter().for_each(|thing| screen.show(view, thing));
    }

    fn draw(&mut self, book: BookId) {
        if let Some(view) = self.replica.view(book) {
            self.screens.insert(book, Screen::drawn(view));
        }
    }
}

fn config(user: UserId, replica: ReplicaId, keeps: Keeps, seed: u64) -> ReplicaConfig {
    ReplicaConfig { replica, user, client: "sim/1".into(), token: None, seed, keeps }
}
