//! One book's authority.

mod members;
mod refuse;
mod tail;

use std::collections::{HashMap, VecDeque};

use serde_json::value::RawValue;
use tidebook_book::{
    Author, BookChange, BookState, ChainHash, Change, Decided, Domain, Draft, EncodedEntry, Entry, Epoch, Knows,
    MemberChange, Mutation, MutationId, MutationNumber, Rejected, ReplicaId, Role, Seq, StateUndo, UnixMillis, UserId,
};
use tidebook_protocol::{ENTRY_BYTES_MAX, RawMutation, Refusal, Refused};

use crate::batch::{Batch, MemberRow, NumberRow, StagedEntry};
use crate::known::{Known, Lookups, Place};
use crate::ops::{OpsError, read_ops};

pub use self::members::MemberRefusal;
use self::refuse::{Refuse, gap, refuse};
pub use self::tail::TailError;

/// Decides what enters a book's log. The crate's documentation says in which order to call what.
#[derive(Debug)]
pub struct Authority<D: Domain> {
    epoch: Epoch,
    /// With everything staged applied.
    state: BookState<D>,
    head: Seq,
    hash: ChainHash,
    replicas: HashMap<ReplicaId, (UserId, MutationNumber)>,
    /// What has been decided since the last batch was handed out.
    staged: Batch,
    in_flight: bool,
    /// An archived book is read and left, and written in no more.
    archived: bool,
    /// How to take back everything that is not committed, oldest first.
    uncommitted: VecDeque<Uncommitted<D>>,
    /// How many of `uncommitted` are in flight.
    in_flight_count: usize,
    /// Places of uncommitted mutations, which the log cannot be asked for yet.
    uncommitted_places: Known,
}

/// What one mutation did, and what was before it.
#[derive(Debug)]
struct Uncommitted<D: Domain> {
    undos: Vec<StateUndo<D>>,
    /// None where a number was used up by an id that stood elsewhere.
    place: Option<Place>,
    head: Seq,
    hash: ChainHash,
    replica: ReplicaId,
    replica_before: Option<(UserId, MutationNumber)>,
}

/// What became of one pushed mutation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is, or will be once committed, the entry of this seq.
    Entry(Seq),
    /// It did not enter the log.
    Refused(Refused),
}

/// One op that came over HTTP without a number: it gets the next one of its session's replica.
#[derive(Debug, Clone)]
pub struct Write {
    pub id: MutationId,
    pub base: Seq,
    pub op: Box<RawValue>,
}

/// What became of a [`Write`].
#[derive(Debug, Clone, PartialEq)]
pub enum Written<C> {
    /// The entry of this seq, once committed.
    Decided { seq: Seq, result: Result<Vec<C>, Rejected> },
    /// A mutation of this id is the entry of this seq already.
    Repeated(Seq),
}

/// The first entry of a new book.
#[derive(Debug, Clone)]
pub struct Opening<C> {
    pub epoch: Epoch,
    pub at: UnixMillis,
    pub owner: Author,
    pub mutation: MutationId,
    pub created: C,
}

impl<D: Domain> Authority<D> {
    /// A book whose log holds exactly what `state`, `head`, `hash` and `replicas` say.
    pub fn new(
        epoch: Epoch,
        state: BookState<D>,
        head: Seq,
        hash: ChainHash,
        replicas: impl IntoIterator<Item = NumberRow>,
    ) -> Self {
        Self {
            epoch,
            state,
            head,
            hash,
            replicas: replicas.into_iter().map(|row| (row.replica, (row.user, row.n))).collect(),
            staged: Batch::after(head),
            in_flight: false,
            archived: false,
            uncommitted: VecDeque::new(),
            in_flight_count: 0,
            uncommitted_places: Known::default(),
        }
    }

    /// The batch that makes a new book: one entry with the domain's own first change and its owner.
    #[must_use]
    pub fn open(opening: Opening<D::Change>) -> Batch {
        let Opening { epoch, at, owner, mutation, created } = opening;
        let mut authority = Self::new(epoch, BookState::default(), Seq::ZERO, ChainHash::ZERO, []);
        let added = MemberChange::Added { user: owner.user, role: Role::Owner };
        let stamp = Stamp { at, author: owner, id: mutation, n: MutationNumber(1), made_at: at, undoes: None };
        let _ = authority.stage(&stamp, Vec::new(), Ok(vec![Change::Domain(created), Change::Member(added)]));
        authority.staged
    }

    /// The book is archived, or is not any more.
    pub fn set_archived(&mut self, archived: bool) {
        self.archived = archived;
    }

    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The state with everything staged applied.
    #[must_use]
    pub fn state(&self) -> &BookState<D> {
        &self.state
    }

    /// The last staged entry.
    #[must_use]
    pub fn head(&self) -> Seq {
        self.head
    }

    /// A replica's last number.
    #[must_use]
    pub fn last_number(&self, replica: ReplicaId) -> MutationNumber {
        self.replicas.get(&replica).map_or(MutationNumber::ZERO, |(_, n)| *n)
    }

    /// Each replica's last number.
    pub fn last_numbers(&self) -> impl Iterator<Item = (ReplicaId, MutationNumber)> {
        self.replicas.iter().map(|(replica, (_, n))| (*replica, *n))
    }

    /// What the log must be asked before [`Self::handle_push`] can decide these mutations.
    #[must_use]
    pub fn lookups(&self, replica: ReplicaId, mutations: &[RawMutation]) -> Lookups {
        let last = self.last_number(replica);
        let envelopes = || mutations.iter().map(|mutation| &mutation.envelope);
        Lookups {
            ids: envelopes().map(|mutation| mutation.id).collect(),
            numbers: envelopes().filter(|mutation| mutation.n <= last).map(|mutation| (replica, mutation.n)).collect(),
        }
    }

    /// Decides mutations one after the other; one outcome each. The first refusal refuses all that follow it.
    pub fn handle_push(
        &mut self,
        at: UnixMillis,
        author: Author,
        epoch: Epoch,
        mutations: &[RawMutation],
        known: &Known,
    ) -> Vec<Outcome> {
        let mut outcomes = Vec::with_capacity(mutations.len());
        let mut refused_at = None;
        for mutation in mutations {
            let outcome = match refused_at {
                None => self.handle_mutation(at, author, epoch, mutation, known),
                Some(expected) => Err(gap(expected)),
            };
            outcomes.push(outcome.map_or_else(
                |refusal| {
                    refused_at.get_or_insert(self.last_number(author.replica).next());
                    Outcome::Refused(refusal.of(mutation))
                },
                Outcome::Entry,
            ));
        }
        outcomes
    }

    /// Decides a write that came without a number. A session is not one device: it knows nothing but its base.
    pub fn handle_write(
        &mut self,
        at: UnixMillis,
        author: Author,
        write: Write,
        known: &Known,
    ) -> Result<Written<BookChange<D>>, Refused> {
        let Write { id, base, op } = write;
        let encoded_bytes = op.get().len();
        let n = self.last_number(author.replica).next();
        let envelope = Mutation { id, n, made_at: at, base, ops: vec![op], undoes: None };
        let mutation = RawMutation { envelope, encoded_bytes };
        let written = self.check_reader(author, self.epoch).and_then(|()| match self.place_of(id, known) {
            Some(place) => Ok(Written::Repeated(place.seq)),
            None => {
                self.check_writer(author, base)?;
                let result = self.decide_new(at, author, &mutation, Knows::Nothing)?;
                Ok(Written::Decided { seq: self.head, result })
            }
        });
        written.map_err(|refuse| refuse.of(&mutation))
    }

    fn handle_mutation(
        &mut self,
        at: UnixMillis,
        author: Author,
        epoch: Epoch,
        mutation: &RawMutation,
        known: &Known,
    ) -> Result<Seq, Refuse> {
        let envelope = &mutation.envelope;
        self.check_reader(author, epoch)?;
        let last = self.last_number(author.replica);
        // Who may read may learn a fate, also where they may not write any more.
        if (MutationNumber(1)..=last).contains(&envelope.n) {
            return self.find_duplicate(author.replica, envelope.id, envelope.n, known);
        }
        self.check_writer(author, envelope.base)?;
        if envelope.n != last.next() {
            return Err(gap(last.next()));
        }
        if let Some(place) = self.place_of(envelope.id, known) {
            self.use_up_number(author, envelope.n);
            return Ok(place.seq);
        }
        let knows = if envelope.undoes.is_some() { Knows::Nothing } else { Knows::Own };
        self.decide_new(at, author, mutation, knows)?.ok();
        Ok(self.head)
    }

    /// Makes an entry of a mutation whose number is next.
    fn decide_new(
        &mut self,
        at: UnixMillis,
        author: Author,
        mutation: &RawMutation,
        knows: Knows,
    ) -> Result<Result<Vec<BookChange<D>>, Rejected>, Refuse> {
        let ops = match read_ops::<D>(mutation) {
            Ok(ops) => Ok(ops),
            Err(OpsError::Rejected(rejected)) => Err(rejected),
            Err(OpsError::Unknown(name)) => {
                return Err(refuse(Refusal::UnknownOp, format!("this server does not know the op {name:?} yet")));
            }
        };
        let Mutation { id, n, made_at, undoes, base, .. } = mutation.envelope;
        let stamp = Stamp { at, author, id, n, made_at, undoes };
        let seq = self.head.next();
        let draft = Draft { seq, at, author, mutation: id, made_at, base, knows, index: 0 };
        let decided = ops.and_then(|ops| self.state.decide_and_apply(&ops, draft));
        Ok(match decided {
            Ok(Decided { changes, undos }) => self.stage(&stamp, undos, Ok(changes)),
            Err(rejected) => self.stage(&stamp, Vec::new(), Err(rejected)),
        })
    }

    /// What it takes to be told anything.
    fn check_reader(&self, author: Author, epoch: Epoch) -> Result<(), Refuse> {
        if self.state.role_of(author.user).is_none() {
            return Err(refuse(Refusal::NotAMember, "you are not a member of this book".into()));
        }
        if epoch != self.epoch {
            return Err(refuse(Refusal::WrongEpoch, "this book has another history".into()));
        }
        match self.replicas.get(&author.replica) {
            Some((user, _)) if *user != author.user => {
                Err(refuse(Refusal::ReplicaTaken, "this replica id belongs to someone else".into()))
            }
            _ => Ok(()),
        }
    }

    /// What it takes besides to write.
    fn check_writer(&self, author: Author, base: Seq) -> Result<(), Refuse> {
        if !self.state.role_of(author.user).is_some_and(Role::may_write) {
            return Err(refuse(Refusal::ReadOnly, "you may read this book but not write in it".into()));
        }
        if self.archived {
            return Err(refuse(Refusal::Archived, "this book is archived".into()));
        }
        if base > self.head {
            return Err(refuse(Refusal::WrongEpoch, format!("the base is above the head, {}", self.head)));
        }
        Ok(())
    }

    /// A number that is used up: the same mutation again is answered with its entry, another one is a fork.
    fn find_duplicate(
        &self,
        replica: ReplicaId,
        id: MutationId,
        n: MutationNumber,
        known: &Known,
    ) -> Result<Seq, Refuse> {
        let by_number = self.uncommitted_places.by_number(replica, n).or_else(|| known.by_number(replica, n));
        // A number used up by an id that stood elsewhere already has no entry of its own.
        let place = by_number.or_else(|| self.place_of(id, known));
        match place.filter(|place| place.id == id) {
            Some(place) => Ok(place.seq),
            None => Err(refuse(Refusal::Forked, format!("number {n} belongs to another mutation"))),
        }
    }

    fn place_of(&self, id: MutationId, known: &Known) -> Option<Place> {
        self.uncommitted_places.by_id(id).or_else(|| known.by_id(id))
    }

    /// The id stands in the log under another number: this number is used up and changes nothing.
    fn use_up_number(&mut self, author: Author, n: MutationNumber) {
        let (head, hash) = (self.head, self.hash);
        let replica_before = self.set_number(author, n);
        let replica = author.replica;
        self.uncommitted.push_back(Uncommitted { undos: Vec::new(), place: None, head, hash, replica, replica_before });
    }

    /// Makes the entry. Its changes are applied to the state already.
    /// Returns what the entry says.
    fn stage(
        &mut self,
        stamp: &Stamp,
        undos: Vec<StateUndo<D>>,
        result: Result<Vec<BookChange<D>>, Rejected>,
    ) -> Result<Vec<BookChange<D>>, Rejected> {
        let seq = self.head.next();
        let (changes, rejected) =
            result.map_or_else(|rejected| (Vec::new(), Some(rejected)), |changes| (changes, None));
        let entry = stamp.entry(seq, changes, rejected);
        let bytes = encode(&entry);
        if bytes.len() > ENTRY_BYTES_MAX {
            self.state.revert_all(undos);
            return self.stage(stamp, Vec::new(), Err(entry_too_large()));
        }
        let hash = self.hash.followed_by(&bytes);
        let author = stamp.author;
        let place = Place { seq, id: stamp.id, replica: author.replica, n: stamp.n };
        let (head_before, hash_before) = (self.head, self.hash);
        let replica_before = self.set_number(author, stamp.n);
        self.uncommitted_places.insert(place);
        self.uncommitted.push_back(Uncommitted {
            undos,
            place: Some(place),
            head: head_before,
            hash: hash_before,
            replica: author.replica,
            replica_before,
        });
        self.staged.members.extend(entry.changes.iter().filter_map(|change| member_row(change, stamp.at)));
        let encoded = EncodedEntry { seq, bytes: bytes.into(), hash };
        self.staged.entries.push(StagedEntry { entry: encoded, id: stamp.id, replica: author.replica, n: stamp.n });
        (self.head, self.hash) = (seq, hash);
        entry.rejected.map_or(Ok(entry.changes), Err)
    }

    fn set_number(&mut self, author: Author, n: MutationNumber) -> Option<(UserId, MutationNumber)> {
        self.staged.set_number(NumberRow { replica: author.replica, user: author.user, n });
        self.replicas.insert(author.replica, (author.user, n))
    }

    /// What to commit next, if anything, and if nothing is being committed.
    pub fn poll_batch(&mut self) -> Option<Batch> {
        if self.in_flight || self.staged.is_empty() {
            return None;
        }
        self.in_flight = true;
        self.in_flight_count = self.uncommitted.len();
        Some(std::mem::replace(&mut self.staged, Batch::after(self.head)))
    }

    /// The batch handed out last is on disk.
    pub fn handle_committed(&mut self) {
        assert!(self.in_flight, "nothing was being committed");
        self.in_flight = false;
        for uncommitted in self.uncommitted.drain(..self.in_flight_count) {
            if let Some(place) = uncommitted.place {
                self.uncommitted_places.remove(&place);
            }
        }
        self.in_flight_count = 0;
    }

    /// The batch handed out last cleanly failed, nothing of it is on disk: all that is staged is taken back, what was
    /// decided on top of it too.
    pub fn handle_failed(&mut self) {
        assert!(self.in_flight, "nothing was being committed");
        while let Some(last) = self.uncommitted.pop_back() {
            self.state.revert_all(last.undos);
            (self.head, self.hash) = (last.head, last.hash);
            match last.replica_before {
                Some(before) => drop(self.replicas.insert(last.replica, before)),
                None => drop(self.replicas.remove(&last.replica)),
            }
        }
        self.uncommitted_places = Known::default();
        self.staged = Batch::after(self.head);
        self.in_flight = false;
        self.in_flight_count = 0;
    }
}

/// What an entry carries beside its outcome.
struct Stamp {
    at: UnixMillis,
    author: Author,
    id: MutationId,
    n: MutationNumber,
    made_at: UnixMillis,
    undoes: Option<Seq>,
}

impl Stamp {
    fn entry<C>(&self, seq: Seq, changes: Vec<C>, rejected: Option<Rejected>) -> Entry<C> {
        Entry {
            seq,
            at: self.at,
            by: self.author.user,
            replica: self.author.replica,
            n: self.n,
            id: self.id,
            made_at: self.made_at,
            undoes: self.undoes,
            rejected,
            changes,
        }
    }
}

/// The entry's bytes, encoded this once.
fn encode<C: serde::Serialize>(entry: &Entry<C>) -> Vec<u8> {
    /// Of nearly all entries, so that they do not outgrow their room again and again.
    const ENTRY_BYTES: usize = 768;
    let mut bytes = Vec::with_capacity(ENTRY_BYTES);
    serde_json::to_writer(&mut bytes, entry).expect("an entry serialises into memory");
    bytes
}

fn entry_too_large() -> Rejected {
    let detail = format!("its entry would have more than {ENTRY_BYTES_MAX} bytes");
    Rejected { code: "too_large".into(), detail, op: 0, field: None }
}

fn member_row<C>(change: &Change<C>, at: UnixMillis) -> Option<MemberRow> {
    match change {
        Change::Member(MemberChange::Added { user, role } | MemberChange::RoleChanged { user, role }) => {
            Some(MemberRow { user: *user, role: Some(*role), at })
        }
        Change::Member(MemberChange::Removed { user }) => Some(MemberRow { user: *user, role: None, at }),
        Change::Domain(_) => None,
    }
}
