//! What must hold, all the way and at the end.
//!
//! The checker keeps its own copy of every log, made of what went to the disk, and its own ledger of who was told what:
//! nothing of it dies with the server.

mod book;
mod device;
mod end;
mod first_stands;
mod frame;
mod saved;

use std::collections::BTreeMap;

use tidebook_authority::Batch;
use tidebook_book::{BookId, MutationId, ReplicaId, Seq, UserId};
use tidebook_ledger::LedgerOp;

use crate::disk::Disk;
use crate::queue::Ms;
use crate::server::Answer;
pub(crate) use book::BookCheck;
pub(crate) use end::Ending;

macro_rules! invariants {
    ($($(#[$doc:meta])* $name:ident $text:literal,)*) => {
        /// Something that must hold.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Invariant { $($(#[$doc])* $name),* }

        impl Invariant {
            /// In a few words.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }
        }
    };
}

invariants! {
    /// What anyone was told of is in the log, at that place, with these bytes.
    AckedSurvives "acked survives",
    /// An id and a replica's number enter the log once, and say one thing.
    ExactlyOnce "exactly once",
    /// After quiet all have the same state, and it is what the log says.
    Convergence "convergence",
    /// Entries follow each other without a gap, in one order for all, tied by the chain.
    GaplessOrder "gapless order",
    /// Sums, records and open conflicts are what an independent reader of the log finds.
    Balances "balances and conflicts",
    /// Every mutation ends in the log, as a rejection that is shown, or in the outbox of who may not write.
    Fate "every mutation has a fate",
    /// What a person was told is saved outlives the program and a power cut, and nothing goes out before.
    Saved "saved means saved",
    /// No copy goes back in time, and its view is its log with its outbox on top.
    NeverBack "read your writes, never back in time",
    /// A screen is told of all that changes.
    Screen "screens are told",
    /// No byte of a book reaches who is no member.
    Secrecy "no byte across books",
    /// Nobody is told before the commit.
    CommitFirst "nobody is told before the commit",
    /// A late edit does not replace what it did not know.
    FirstStands "first confirmed stands",
    /// Who wrote had a role that writes, at that seq.
    Standing "who may write is part of the order",
    /// An honest replica and an honest server have nothing to complain about.
    Honest "honest parts understand each other",
    /// Who is shown as present is, and was not removed.
    Presence "presence",
    /// Once faults stop, all is done within a bound.
    Liveness "liveness",
    /// No part of ours stops over a fault of its own.
    Panic "nothing panics",
}

/// What happened that must not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    pub invariant: Invariant,
    pub what: String,
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.invariant.name(), self.what)
    }
}

pub(crate) type Checked<T = ()> = Result<T, Violation>;

impl Invariant {
    pub(crate) fn broken(self, what: impl Into<String>) -> Violation {
        Violation { invariant: self, what: what.into() }
    }

    pub(crate) fn require(self, holds: bool, what: impl FnOnce() -> String) -> Checked {
        if holds { Ok(()) } else { Err(self.broken(what())) }
    }
}

/// A mutation that a person made on a device, and that its replica took.
#[derive(Debug, Clone)]
pub(crate) struct Made {
    pub(crate) client: usize,
    pub(crate) device: usize,
    pub(crate) book: BookId,
    pub(crate) replica: ReplicaId,
    pub(crate) n: u64,
    pub(crate) base: Seq,
    pub(crate) undoes: Option<Seq>,
    pub(crate) ops: Vec<LedgerOp>,
    /// Its tab has a store for it, and offers it no sooner than it is there.
    pub(crate) keeps: bool,
    pub(crate) fate: MadeFate,
}

/// What has become of a mutation on its device.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct MadeFate {
    /// The person was told that it is saved.
    pub(crate) saved: bool,
    /// Where it was is gone, and nobody had said that it is saved; or what was is deleted.
    pub(crate) lost: bool,
    /// Its device does not remember all that was confirmed: a restored server may not get it back.
    pub(crate) forgotten: bool,
    /// It was rejected, and its person has seen it.
    pub(crate) discarded: bool,
    /// Its person took it back; it may have been too late.
    pub(crate) withdrawn: bool,
}

impl MadeFate {
    /// Its person does not wait to be told that it was rejected.
    pub(crate) fn is_dealt_with(self) -> bool {
        self.discarded || self.withdrawn
    }
}

/// Whether a server that was restored says so, by another epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Declared {
    Yes,
    No,
}

/// Where a mutation's values were read, and whether its replica's own changes count as known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    pub(crate) base: Seq,
    pub(crate) knows_own: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Checker {
    pub(crate) now: Ms,
    /// Where there are several nodes, how long one may not know yet that another removed somebody.
    pub(crate) unheard_ms: Option<Ms>,
    pub(crate) books: BTreeMap<BookId, BookCheck>,
    pub(crate) made: BTreeMap<MutationId, Made>,
    /// Requests over HTTP: the base they came with.
    asked: BTreeMap<MutationId, Seq>,
    /// Whose each replica is.
    owners: BTreeMap<ReplicaId, UserId>,
    devices: BTreeMap<(usize, BookId), device::DeviceCheck>,
}

impl Checker {
    pub(crate) fn owns(&mut self, replica: ReplicaId, user: UserId) {
        self.owners.insert(replica, user);
    }

    /// A device goes on under another replica id, in all its books.
    pub(crate) fn handle_renewed(&mut self, outworn: ReplicaId, replica: ReplicaId, user: UserId) {
        self.owns(replica, user);
        self.books.values_mut().for_each(|check| check.note_renewed([outworn, replica]));
    }

    /// Several tabs number as this replica.
    pub(crate) fn note_shared(&mut self, replica: ReplicaId) {
        self.books.values_mut().for_each(|check| check.note_shared(replica));
    }

    pub(crate) fn book(&self, book: BookId) -> &BookCheck {
        &self.books[&book]
    }

    /// A batch is about to be on disk.
    pub(crate) fn handle_commit(&mut self, book: BookId, batch: &Batch) -> Checked {
        let Self { now, books, made, asked, owners, .. } = self;
        let check = books.get_mut(&book).expect("a book of this world");
        let made_here = batch.entries.iter().filter_map(|staged| made.get(&staged.id));
        let early = made_here.into_iter().find(|made| made.keeps && !made.fate.saved);
        Invariant::Saved.require(early.is_none(), || {
            format!("what was not saved yet enters the log: {:?}", early.map(|made| &made.ops))
        })?;
        let emptied = batch.entries.iter().filter(|staged| is_withdrawn(&staged.entry.bytes));
        let unasked = emptied.into_iter().find(|staged| made.get(&staged.id).is_some_and(|made| !made.fate.withdrawn));
        Invariant::Fate
            .require(unasked.is_none(), || "an entry says that something was withdrawn that was not".into())?;
        let reading = |id: MutationId| match (made.get(&id), asked.get(&id)) {
            (Some(made), _) => Some(Reading { base: made.base, knows_own: made.undoes.is_none() }),
            (None, Some(base)) => Some(Reading { base: *base, knows_own: false }),
            (None, None) => None,
        };
        check.handle_commit(*now, batch, owners, reading)
    }

    /// A person made a mutation, and the replica took it.
    pub(crate) fn handle_made(&mut self, id: MutationId, made: Made) -> Checked {
        self.devices.entry((made.client, made.book)).or_default().waiting.push(id);
        let again = self.made.insert(id, made);
        assert!(again.is_none(), "the world gives every mutation an id of its own");
        Ok(())
    }

    /// A write goes out over HTTP, read at a base; where it names none, that of the head when it is decided, which
    /// nothing can have overtaken.
    pub(crate) fn handle_asked(&mut self, id: MutationId, base: Option<Seq>) {
        if let Some(base) = base {
            self.asked.insert(id, base);
        }
    }

    /// A book goes on from a backup: what came later never was, and who had seen it had not.
    pub(crate) fn restore(&mut self, book: BookId, until: Seq, declared: Declared) {
        let check = self.books.get_mut(&book).expect("a book of this world");
        let hides_another = check.hides_another(declared);
        let ceiling = |base: Seq| if hides_another { Seq(u64::MAX) } else { base.min(until) };
        check.restore(until, declared);
        self.made.values_mut().filter(|made| made.book == book).for_each(|made| made.base = ceiling(made.base));
        let devices = self.devices.iter_mut().filter(|((_, of), _)| *of == book);
        devices.for_each(|(_, device)| device.go_back_to(until));
    }

    /// A book is put away.
    pub(crate) fn archive(&mut self, book: BookId) {
        self.books.get_mut(&book).expect("a book of this world").archive(self.now);
    }

    /// An answer leaves the server.
    pub(crate) fn check_answer(&self, book: BookId, id: MutationId, answer: &Answer) -> Checked {
        let seq = match answer {
            Answer::Decided { seq, .. } | Answer::Repeated(seq) | Answer::MemberChanged(Some(seq)) => *seq,
            _ => return Ok(()),
        };
        let stands = self.book(book).place_of(id);
        Invariant::CommitFirst
            .require(stands.is_some(), || format!("a request is answered with entry {seq}, which is not on disk"))?;
        Invariant::ExactlyOnce
            .require(stands == Some(seq), || format!("a request is answered with entry {seq}, but is entry {stands:?}"))
    }

    /// The server starts again: what is on the disk is what was committed.
    pub(crate) fn check_disk(&self, disk: &Disk) -> Checked {
        self.books.iter().try_for_each(|(book, check)| check.check_disk(disk.log(*book)))
    }
}

fn is_withdrawn(entry: &[u8]) -> bool {
    std::str::from_utf8(entry).is_ok_and(|entry| entry.contains(r#""rejected":{"code":"withdrawn""#))
}
