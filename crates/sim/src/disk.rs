//! What survives: each book's log, with the keys and checks a real store has.

use std::collections::{BTreeMap, HashMap};

use tidebook_authority::{Authority, Batch, Head, Known, Lookups, NumberRow, Place, StagedEntry};
use tidebook_book::{
    BookId, BookState, ChainHash, EncodedEntry, Entry, Epoch, MutationId, MutationNumber, Person, ReplicaId, Role, Seq,
    Snapshot, UserId,
};
use tidebook_ledger::{Ledger, LedgerBook};

/// The server's disk. Nothing on it is read by anyone but the server, and by the checker.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    books: BTreeMap<BookId, BookLog>,
}

impl Disk {
    pub(crate) fn create(&mut self, book: BookId, epoch: Epoch) {
        self.books.insert(book, BookLog::new(epoch));
    }

    pub(crate) fn log(&self, book: BookId) -> Option<&BookLog> {
        self.books.get(&book)
    }

    pub(crate) fn log_mut(&mut self, book: BookId) -> &mut BookLog {
        self.books.get_mut(&book).expect("a book of this world")
    }

    pub(crate) fn logs(&self) -> impl Iterator<Item = (BookId, &BookLog)> {
        self.books.iter().map(|(book, log)| (*book, log))
    }
}

/// One book on the disk.
#[derive(Debug)]
pub(crate) struct BookLog {
    pub(crate) epoch: Epoch,
    /// Epochs it had before, with the seqs they ended at.
    former: Vec<(Epoch, Seq)>,
    entries: Vec<EncodedEntry>,
    /// Of each entry, in their order.
    places: Vec<Place>,
    by_id: HashMap<MutationId, Place>,
    by_number: HashMap<(ReplicaId, MutationNumber), Place>,
    numbers: BTreeMap<ReplicaId, NumberRow>,
    /// Former members too.
    members: BTreeMap<UserId, Option<Role>>,
    /// The newest snapshot, as text.
    snapshot: Option<(Seq, String)>,
    pub(crate) is_archived: bool,
}

impl BookLog {
    fn new(epoch: Epoch) -> Self {
        Self {
            epoch,
            former: Vec::new(),
            entries: Vec::new(),
            places: Vec::new(),
            by_id: HashMap::new(),
            by_number: HashMap::new(),
            numbers: BTreeMap::new(),
            members: BTreeMap::new(),
            snapshot: None,
            is_archived: false,
        }
    }

    pub(crate) fn head(&self) -> Seq {
        Seq(self.entries.len() as u64)
    }

    /// The chain's hash at a seq that the log has.
    pub(crate) fn hash_at(&self, seq: Seq) -> Option<ChainHash> {
        match seq {
            Seq::ZERO => Some(ChainHash::ZERO),
            seq => self.entry(seq).map(|entry| entry.hash),
        }
    }

    pub(crate) fn entry(&self, seq: Seq) -> Option<&EncodedEntry> {
        self.entries.get(usize::try_from(seq.0.checked_sub(1)?).ok()?)
    }

    /// All entries after a seq.
    pub(crate) fn after(&self, seq: Seq) -> &[EncodedEntry] {
        usize::try_from(seq.0).ok().and_then(|from| self.entries.get(from..)).unwrap_or_default()
    }

    /// Who is and was in the book.
    pub(crate) fn people(&self) -> Vec<Person> {
        let person = |(id, role): (&UserId, &Option<Role>)| Person { id: *id, name: "someone".into(), role: *role };
        self.members.iter().map(person).collect()
    }

    /// A replica's own entries from a number on, up to a seq.
    pub(crate) fn fates(&self, replica: ReplicaId, from: MutationNumber, until: Seq) -> Vec<EncodedEntry> {
        let own = |place: &&Place| place.replica == replica && place.n >= from && place.seq <= until;
        self.places.iter().filter(own).filter_map(|place| self.entry(place.seq).cloned()).collect()
    }

    /// Answers lookups, as a store's indexes would.
    pub(crate) fn known(&self, lookups: &Lookups) -> Known {
        let by_id = lookups.ids.iter().filter_map(|id| self.by_id.get(id));
        let by_number = lookups.numbers.iter().filter_map(|number| self.by_number.get(number));
        by_id.chain(by_number).copied().collect()
    }

    /// Whether another node's batch came first: the log is not where this one was decided, or a replica's line is further.
    pub(crate) fn is_ahead_of(&self, batch: &Batch) -> bool {
        let is_used = |row: &NumberRow| self.numbers.get(&row.replica).is_some_and(|there| there.n >= row.n);
        batch.expected_head != self.head() || batch.numbers.iter().any(is_used)
    }

    /// Takes a batch whole, or says which key or check refuses it.
    pub(crate) fn append(&mut self, batch: Batch) -> Result<(), String> {
        if batch.expected_head != self.head() {
            return Err(format!("a batch decided on head {} meets head {}", batch.expected_head, self.head()));
        }
        batch.entries.into_iter().try_for_each(|staged| self.append_entry(staged))?;
        self.members.extend(batch.members.iter().map(|row| (row.user, row.role)));
        self.write_numbers(&batch.numbers);
        Ok(())
    }

    fn append_entry(&mut self, staged: StagedEntry) -> Result<(), String> {
        let StagedEntry { entry, id, replica, n } = staged;
        let place = Place { seq: entry.seq, id, replica, n };
        if entry.seq != self.head().next() {
            return Err(format!("entry {} comes where {} was due", entry.seq, self.head().next()));
        }
        let same_id = self.by_id.insert(id, place);
        let same_number = self.by_number.insert((replica, n), place);
        if let Some(other) = same_id.or(same_number) {
            return Err(format!("{place:?} is there already, as {other:?}"));
        }
        self.entries.push(entry);
        self.places.push(place);
        Ok(())
    }

    pub(crate) fn write_numbers(&mut self, rows: &[NumberRow]) {
        self.numbers.extend(rows.iter().map(|row| (row.replica, *row)));
    }

    pub(crate) fn forget_numbers(&mut self) {
        self.numbers.clear();
    }

    /// Loses the last entry, as a disk does that lied about having it.
    pub(crate) fn lose_last(&mut self) {
        if let (Some(place), Some(_)) = (self.places.pop(), self.entries.pop()) {
            self.by_id.remove(&place.id);
            self.by_number.remove(&(place.replica, place.n));
            let n = MutationNumber(place.n.0 - 1);
            self.numbers.entry(place.replica).and_modify(|row| row.n = n);
            self.snapshot = None;
        }
    }

    /// Up to where a former epoch's log is this one.
    pub(crate) fn common_with(&self, epoch: Epoch) -> Option<Seq> {
        self.former.iter().find(|(former, _)| *former == epoch).map(|(_, ended_at)| *ended_at)
    }

    /// Goes on from a backup, which has the epochs of its time; as a new one where it is told.
    pub(crate) fn restore(&mut self, until: Seq, epoch: Option<Epoch>) {
        self.is_archived = false;
        while self.head() > until {
            self.lose_last();
        }
        if let Some(place) = self.former.iter().position(|(_, ended_at)| *ended_at > until) {
            self.epoch = self.former[place].0;
            self.former.truncate(place);
        }
        if let Some(epoch) = epoch {
            self.former.push((std::mem::replace(&mut self.epoch, epoch), until));
        }
        let places = &self.places;
        self.numbers.retain(|replica, row| {
            let last = places.iter().rev().find(|place| place.replica == *replica);
            row.n = last.map_or(row.n, |place| place.n);
            last.is_some()
        });
    }

    pub(crate) fn read(&self, seq: Seq) -> Entry<tidebook_book::BookChange<Ledger>> {
        let entry = self.entry(seq).expect("an entry of the log");
        serde_json::from_slice(&entry.bytes).expect("an entry of the log reads back")
    }

    /// The state at a seq, from nothing but the entries.
    pub(crate) fn replay(&self, until: Seq) -> LedgerBook {
        self.replay_on(BookState::default(), Seq::ZERO, until)
    }

    fn replay_on(&self, mut state: LedgerBook, after: Seq, until: Seq) -> LedgerBook {
        (after.0 + 1..=until.0).for_each(|seq| state.apply_entry(&self.read(Seq(seq))));
        state
    }

    pub(crate) fn snapshot_seq(&self) -> Seq {
        self.snapshot.as_ref().map_or(Seq::ZERO, |(seq, _)| *seq)
    }

    /// Unless there is one of a later state.
    pub(crate) fn keep_snapshot(&mut self, seq: Seq, text: String) {
        if seq > self.snapshot_seq() {
            self.snapshot = Some((seq, text));
        }
    }

    /// The state at a seq as a server that has just started builds it: from the newest snapshot and the log after it.
    pub(crate) fn load(&self, until: Seq) -> LedgerBook {
        match self.snapshot.as_ref().filter(|(seq, _)| *seq <= until) {
            None => self.replay(until),
            Some((seq, text)) => {
                let snapshot: Snapshot<Ledger> = serde_json::from_str(text).expect("a kept snapshot reads back");
                self.replay_on(snapshot.into_state(), *seq, until)
            }
        }
    }

    pub(crate) fn head_and_hash(&self) -> Head {
        Head { seq: self.head(), hash: self.hash_at(self.head()).expect("the log has its head") }
    }

    pub(crate) fn numbers(&self) -> impl Iterator<Item = NumberRow> {
        self.numbers.values().copied()
    }
}

/// What a snapshot says of a book, made of an authority whose every entry is on disk.
pub(crate) fn snapshot_of(book: BookId, authority: &Authority<Ledger>, head: Head) -> Snapshot<Ledger> {
    let state = authority.state();
    let person = |(id, role): (&UserId, &Role)| Person { id: *id, name: String::new(), role: Some(*role) };
    Snapshot {
        book,
        epoch: authority.epoch(),
        seq: head.seq,
        hash: head.hash,
        state_version: <Ledger as tidebook_book::Domain>::STATE_VERSION,
        state_hash: state.hash(),
        replicas: authority.last_numbers().collect(),
        people: state.members.iter().map(person).collect(),
        state: state.domain.clone(),
    }
}
