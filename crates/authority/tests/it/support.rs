//! An authority and a log, and words to push and to read answers with.

use tidebook_authority::{Authority, Batch, Opening, Outcome};
use tidebook_book::{
    Author, Domain, Entry, Epoch, Mutation, MutationId, MutationNumber, ReplicaId, Role, Seq, UnixMillis, UserId,
};
use tidebook_protocol::{RawMutation, Refused};
use uuid::Uuid;

use crate::checklist::{Checklist, ListChange, ListOp};
use crate::log::Log;

pub(crate) const EPOCH: Epoch = Epoch(Uuid::from_u128(0xe));
pub(crate) const AT: UnixMillis = UnixMillis(1_700_000_000_000);

pub(crate) const OWNER: UserId = UserId(Uuid::from_u128(0xa));
pub(crate) const EDITOR: UserId = UserId(Uuid::from_u128(0xb));
pub(crate) const VIEWER: UserId = UserId(Uuid::from_u128(0xc));
pub(crate) const STRANGER: UserId = UserId(Uuid::from_u128(0xd));

/// The owner's session, which made the book.
const SESSION: Author = Author { user: OWNER, replica: replica(0xf) };
/// A device of the owner, and one of the editor.
pub(crate) const ANA: Author = Author { user: OWNER, replica: replica(0x1) };
pub(crate) const BEN: Author = Author { user: EDITOR, replica: replica(0x2) };

pub(crate) const fn replica(number: u128) -> ReplicaId {
    ReplicaId(Uuid::from_u128(number))
}

pub(crate) const fn id(number: u128) -> MutationId {
    MutationId(Uuid::from_u128(number))
}

pub(crate) fn mutation<Op: serde::Serialize>(n: u64, id: u128, ops: Vec<Op>) -> RawMutation {
    let (id, n, base) = (self::id(id), MutationNumber(n), Seq::ZERO);
    raw(&Mutation { id, n, made_at: UnixMillis(AT.0 - 1), base, ops, undoes: None })
}

pub(crate) fn raw<Op: serde::Serialize>(mutation: &Mutation<Op>) -> RawMutation {
    let text = serde_json::value::to_raw_value(mutation).expect("a mutation serialises");
    RawMutation::parse(&text).expect("what was written reads back")
}

/// An authority over a log. The log begins with two entries of the owner's session: the opening, and the members.
pub(crate) struct Desk<D: Domain> {
    pub(crate) authority: Authority<D>,
    pub(crate) log: Log,
    in_flight: Option<Batch>,
}

impl Desk<Checklist> {
    pub(crate) fn new() -> Self {
        Self::opened(ListChange::ListCreated)
    }

    pub(crate) fn push_one(&mut self, author: Author, n: u64, id: u128, ops: Vec<ListOp>) -> String {
        self.push(author, &[mutation(n, id, ops)])
    }
}

impl<D: Domain> Desk<D> {
    pub(crate) fn opened(created: D::Change) -> Self {
        let log = Log::opened::<D>(opening(created), &[(EDITOR, Role::Editor), (VIEWER, Role::Viewer)]);
        Self { authority: log.authority(EPOCH), log, in_flight: None }
    }

    /// The server starts again: all that is not on disk is gone.
    pub(crate) fn restart(&mut self) {
        self.in_flight = None;
        self.authority = self.log.authority(EPOCH);
    }

    pub(crate) fn offer(&mut self, author: Author, epoch: Epoch, mutations: &[RawMutation]) -> Vec<Outcome> {
        let known = self.log.known(&self.authority.lookups(author.replica, mutations));
        self.authority.handle_push(AT, author, epoch, mutations, &known)
    }

    /// Pushes, and says in words what became of each.
    pub(crate) fn push(&mut self, author: Author, mutations: &[RawMutation]) -> String {
        in_words(&self.offer(author, EPOCH, mutations))
    }

    /// Hands a batch to the disk, if there is one and none is on its way.
    pub(crate) fn start_commit(&mut self) -> bool {
        let batch = self.authority.poll_batch();
        let started = batch.is_some();
        self.in_flight = batch.or(self.in_flight.take());
        started
    }

    pub(crate) fn is_committing(&self) -> bool {
        self.in_flight.is_some()
    }

    pub(crate) fn finish_commit(&mut self) {
        let batch = self.in_flight.take().expect("a batch is on its way");
        self.log.append(batch).expect("the store takes what the authority decided");
        self.authority.handle_committed();
    }

    pub(crate) fn fail_commit(&mut self) {
        self.in_flight.take().expect("a batch is on its way");
        self.authority.handle_failed();
    }

    /// Another node decides and commits these, and this one hears of it: what it has staged came too late, unless the log
    /// still takes it.
    pub(crate) fn another_node_takes(&mut self, author: Author, mutations: &[RawMutation]) -> Vec<Outcome> {
        let mut another: Authority<D> = self.log.authority(EPOCH);
        let known = self.log.known(&another.lookups(author.replica, mutations));
        let outcomes = another.handle_push(AT, author, EPOCH, mutations, &known);
        if let Some(batch) = another.poll_batch() {
            self.log.append(batch).expect("it was first");
        }
        while self.start_commit() || self.is_committing() {
            match self.in_flight.take().map(|batch| self.log.append(batch)) {
                Some(Ok(())) => self.authority.handle_committed(),
                Some(Err(_)) => self.authority.handle_failed(),
                None => {}
            }
        }
        self.take_tail();
        outcomes
    }

    pub(crate) fn take_tail(&mut self) {
        let tail = &self.log.entries[self.authority.head().0 as usize..];
        self.authority.handle_tail(tail, self.log.numbers.values().copied()).expect("the log goes on from here");
    }

    pub(crate) fn commit(&mut self) {
        assert!(self.start_commit(), "there is something to commit");
        self.finish_commit();
    }

    /// The entry of a seq, once it is on disk.
    pub(crate) fn entry(&self, seq: u64) -> Entry<tidebook_book::BookChange<D>> {
        self.log.read::<D>(Seq(seq))
    }
}

pub(crate) fn opening<C>(created: C) -> Opening<C> {
    Opening { epoch: EPOCH, at: AT, owner: SESSION, mutation: id(u128::MAX - 1), created }
}

pub(crate) fn in_words(outcomes: &[Outcome]) -> String {
    let words: Vec<String> = outcomes.iter().map(outcome_in_words).collect();
    words.join(", ")
}

fn outcome_in_words(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Entry(seq) => format!("entry {seq}"),
        Outcome::Refused(Refused { n, code, expected, .. }) => {
            let expected = expected.map(|expected| format!(", {expected} first")).unwrap_or_default();
            format!("{n} refused: {code:?}{expected}")
        }
    }
}
