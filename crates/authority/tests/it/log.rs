//! A log in memory, with the keys and checks a real store has. The simulator's tests include this file.

use std::collections::{BTreeMap, HashMap};

use tidebook_authority::{Authority, Batch, Known, Lookups, NumberRow, Opening, Place, StagedEntry};
use tidebook_book::{
    BookChange, BookState, ChainHash, Change, Domain, EncodedEntry, Entry, Epoch, MemberChange, MutationId,
    MutationNumber, ReplicaId, Role, Seq, UserId,
};
use uuid::Uuid;

/// What has been committed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Log {
    pub(crate) entries: Vec<EncodedEntry>,
    pub(crate) places: Vec<Place>,
    by_id: HashMap<MutationId, Place>,
    by_number: HashMap<(ReplicaId, MutationNumber), Place>,
    pub(crate) numbers: BTreeMap<ReplicaId, NumberRow>,
}

impl Log {
    /// A new book's log: its opening, and an entry that adds more members.
    pub(crate) fn opened<D: Domain>(opening: Opening<D::Change>, members: &[(UserId, Role)]) -> Self {
        let mut log = Self::default();
        let (at, owner) = (opening.at, opening.owner);
        log.append(Authority::<D>::open(opening)).expect("the first entry is taken");
        let added = |(user, role): &(UserId, Role)| Change::Member(MemberChange::Added { user: *user, role: *role });
        let (seq, n, id) = (Seq(2), MutationNumber(2), MutationId(Uuid::from_u128(u128::MAX)));
        let entry = Entry::<BookChange<D>> {
            seq,
            at,
            by: owner.user,
            replica: owner.replica,
            n,
            id,
            made_at: at,
            undoes: None,
            rejected: None,
            changes: members.iter().map(added).collect(),
        };
        let bytes = serde_json::to_vec(&entry).expect("an entry serialises");
        let hash = log.hash_at(Seq(1)).expect("entry 1").followed_by(&bytes);
        let entry = EncodedEntry { seq, bytes: bytes.into(), hash };
        let staged = StagedEntry { entry, id, replica: owner.replica, n };
        let numbers = vec![NumberRow { replica: owner.replica, user: owner.user, n }];
        let batch = Batch { expected_head: Seq(1), entries: vec![staged], numbers, members: Vec::new() };
        log.append(batch).expect("the second entry is taken");
        log
    }

    pub(crate) fn head(&self) -> Seq {
        Seq(self.entries.len() as u64)
    }

    /// The chain's hash at a seq the log has.
    pub(crate) fn hash_at(&self, seq: Seq) -> Option<ChainHash> {
        match seq {
            Seq::ZERO => Some(ChainHash::ZERO),
            Seq(seq) => self.entries.get(seq as usize - 1).map(|entry| entry.hash),
        }
    }

    /// Takes a batch, or says which key or check refuses it.
    pub(crate) fn append(&mut self, batch: Batch) -> Result<(), String> {
        if batch.expected_head != self.head() {
            return Err(format!("decided on head {}, but the head is {}", batch.expected_head, self.head()));
        }
        for row in &batch.numbers {
            match self.numbers.get(&row.replica) {
                Some(before) if before.n >= row.n => return Err(format!("{before:?} is followed by {row:?}")),
                Some(before) if before.user != row.user => return Err(format!("{row:?} was {:?}'s", before.user)),
                _ => {}
            }
        }
        for staged in batch.entries {
            let place = Place { seq: staged.entry.seq, id: staged.id, replica: staged.replica, n: staged.n };
            self.append_entry(staged.entry, place)?;
        }
        self.numbers.extend(batch.numbers.into_iter().map(|row| (row.replica, row)));
        Ok(())
    }

    fn append_entry(&mut self, entry: EncodedEntry, place: Place) -> Result<(), String> {
        if entry.seq != self.head().next() {
            return Err(format!("entry {} follows {}", entry.seq, self.head()));
        }
        let twice = self.by_id.get(&place.id).or_else(|| self.by_number.get(&(place.replica, place.n)));
        if let Some(other) = twice {
            return Err(format!("{place:?} comes after {other:?}"));
        }
        let hash = self.hash_at(self.head()).map(|hash| hash.followed_by(&entry.bytes));
        if hash != Some(entry.hash) {
            return Err(format!("the chain is broken at entry {}", entry.seq));
        }
        self.entries.push(entry);
        self.places.push(place);
        self.by_id.insert(place.id, place);
        self.by_number.insert((place.replica, place.n), place);
        Ok(())
    }

    /// Loses the last entry, as a disk does that lied about having it.
    pub(crate) fn lose_last(&mut self) {
        if let (Some(place), Some(_)) = (self.places.pop(), self.entries.pop()) {
            self.by_id.remove(&place.id);
            self.by_number.remove(&(place.replica, place.n));
        }
    }

    /// Answers lookups, as a store's indexes would.
    pub(crate) fn known(&self, lookups: &Lookups) -> Known {
        let by_id = lookups.ids.iter().filter_map(|id| self.by_id.get(id));
        let by_number = lookups.numbers.iter().filter_map(|number| self.by_number.get(number));
        by_id.chain(by_number).copied().collect()
    }

    pub(crate) fn place_of(&self, id: MutationId) -> Option<&Place> {
        self.by_id.get(&id)
    }

    pub(crate) fn last_number(&self, replica: ReplicaId) -> MutationNumber {
        self.numbers.get(&replica).map_or(MutationNumber::ZERO, |row| row.n)
    }

    pub(crate) fn read<D: Domain>(&self, seq: Seq) -> Entry<BookChange<D>> {
        serde_json::from_slice(&self.entries[seq.0 as usize - 1].bytes).expect("an entry of the log reads back")
    }

    /// The state at a seq, from nothing but the entries.
    pub(crate) fn replay<D: Domain>(&self, until: Seq) -> BookState<D> {
        let mut state = BookState::default();
        (1..=until.0).for_each(|seq| state.apply_entry(&self.read::<D>(Seq(seq))));
        state
    }

    /// An authority as a server that has just started builds it.
    pub(crate) fn authority<D: Domain>(&self, epoch: Epoch) -> Authority<D> {
        let head = self.head();
        let hash = self.hash_at(head).expect("the log has its head");
        Authority::new(epoch, self.replay(head), head, hash, self.numbers.values().copied())
    }
}
