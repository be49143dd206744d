//! The engine's state of a book, which wraps the domain's, and the snapshot that carries it.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    Author, BookChange, BookId, ChainHash, Change, Domain, Draft, Entry, Epoch, Knows, MemberChange, MutationNumber,
    Person, Rejected, ReplicaId, Role, Seq, SortedMap, UserId, read_by_name,
};

/// Members and roles, and the domain's state.
///
/// Every change is applied through [`BookState::apply`] and can be taken back with the [`StateUndo`] it returned, last
/// one first. That one mechanism is how a rejected mutation leaves no trace, how a failed commit is thrown away, and how
/// a replica replays its outbox over new entries.
#[derive(Debug, Clone)]
pub struct BookState<D: Domain> {
    pub members: BTreeMap<UserId, Role>,
    pub domain: D::State,
}

/// Takes one applied change back.
#[derive(Debug)]
pub enum StateUndo<D: Domain> {
    Member(UserId, Option<Role>),
    Domain(D::Undo),
}

impl<D: Domain> Default for BookState<D> {
    fn default() -> Self {
        Self { members: BTreeMap::new(), domain: D::State::default() }
    }
}

impl<D: Domain> BookState<D> {
    #[must_use]
    pub fn role_of(&self, user: UserId) -> Option<Role> {
        self.members.get(&user).copied()
    }

    pub fn apply(&mut self, change: &BookChange<D>, draft: &Draft) -> StateUndo<D> {
        match change {
            Change::Domain(change) => StateUndo::Domain(D::apply(&mut self.domain, change, draft)),
            Change::Member(MemberChange::Added { user, role } | MemberChange::RoleChanged { user, role }) => {
                StateUndo::Member(*user, self.members.insert(*user, *role))
            }
            Change::Member(MemberChange::Removed { user }) => StateUndo::Member(*user, self.members.remove(user)),
        }
    }

    pub fn revert(&mut self, undo: StateUndo<D>) {
        match undo {
            StateUndo::Domain(undo) => D::revert(&mut self.domain, undo),
            StateUndo::Member(user, Some(role)) => drop(self.members.insert(user, role)),
            StateUndo::Member(user, None) => drop(self.members.remove(&user)),
        }
    }

    /// Takes back many, last one first.
    pub fn revert_all(&mut self, undos: Vec<StateUndo<D>>) {
        undos.into_iter().rev().for_each(|undo| self.revert(undo));
    }

    /// Applies all changes of an entry.
    pub fn apply_entry(&mut self, entry: &Entry<BookChange<D>>) {
        let mut draft = entry.draft();
        for (index, change) in entry.changes.iter().enumerate() {
            draft.index = index;
            self.apply(change, &draft);
        }
    }

    /// Decides the ops one after the other, each seeing what the former did, and leaves their changes applied.
    /// On a rejection nothing stays applied.
    pub fn decide_and_apply(&mut self, ops: &[D::Op], mut draft: Draft) -> Result<Decided<D>, Rejected> {
        let mut decided = Decided { changes: Vec::new(), undos: Vec::with_capacity(ops.len()) };
        for (op_index, op) in ops.iter().enumerate() {
            draft.index = op_index;
            match D::decide(&self.domain, op, &draft) {
                Ok(changes) => {
                    let mut changes: Vec<BookChange<D>> = changes.into_iter().map(Change::Domain).collect();
                    for change in &changes {
                        draft.index = decided.undos.len();
                        decided.undos.push(self.apply(change, &draft));
                    }
                    // Nearly always there is one op, and its changes stay where they are.
                    match decided.changes.is_empty() {
                        true => decided.changes = changes,
                        false => decided.changes.append(&mut changes),
                    }
                }
                Err(rejected) => {
                    self.revert_all(decided.undos);
                    return Err(Rejected { op: op_index, ..rejected });
                }
            }
        }
        Ok(decided)
    }

    /// The hash that proves that two sides computed the same: BLAKE3 over the JSON of members and domain state.
    #[must_use]
    pub fn hash(&self) -> ChainHash {
        let bytes = serde_json::to_vec(&(&self.members, &self.domain)).expect("a state serialises into memory");
        ChainHash::of(&bytes)
    }
}

/// What [`BookState::decide_and_apply`] did.
#[derive(Debug)]
pub struct Decided<D: Domain> {
    pub changes: Vec<BookChange<D>>,
    pub undos: Vec<StateUndo<D>>,
}

impl<C> Entry<C> {
    /// The draft this entry came from, as far as applying its changes needs it.
    #[must_use]
    pub fn draft(&self) -> Draft {
        Draft {
            seq: self.seq,
            at: self.at,
            author: Author { user: self.by, replica: self.replica },
            mutation: self.id,
            made_at: self.made_at,
            base: self.seq,
            knows: Knows::Own,
            index: 0,
        }
    }
}

/// A book's whole state at one seq, as the wire carries it.
#[derive(Debug, Clone, Serialize)]
#[serde(bound = "")]
pub struct Snapshot<D: Domain> {
    pub book: BookId,
    pub epoch: Epoch,
    pub seq: Seq,
    /// The log's hash at `seq`.
    pub hash: ChainHash,
    pub state_version: u32,
    pub state_hash: ChainHash,
    /// Each replica's last number.
    pub replicas: SortedMap<ReplicaId, MutationNumber>,
    pub people: Vec<Person>,
    pub state: D::State,
}

read_by_name!(Snapshot<D: Domain> {
    book, epoch, seq, hash, state_version, state_hash, replicas, people, state
});

impl<D: Domain> Snapshot<D> {
    /// The state the snapshot holds.
    #[must_use]
    pub fn into_state(self) -> BookState<D> {
        let mut state = BookState { members: BTreeMap::new(), domain: self.state };
        state.members.extend(self.people.iter().filter_map(|person| Some((person.id, person.role?))));
        state
    }
}
