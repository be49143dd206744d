//! A book, its people, and the server's half of it over a log in memory.

use std::collections::BTreeMap;

use crate::sim::fold::{Fold, Sums};
use tidebook_authority::{Authority, Batch, Known, Opening, Outcome, Place};
use tidebook_book::{
    Author, BookChange, BookId, BookState, ChainHash, Change, Draft, EncodedEntry, Entry, Epoch, Knows, MemberChange,
    MutationId, ReplicaId, Role, Seq, UnixMillis, UserId,
};
use tidebook_ledger::{Balances, Ledger, LedgerBook, LedgerChange};
use tidebook_protocol::RawMutation;
use uuid::Uuid;

pub(crate) const BOOK: BookId = BookId(Uuid::from_u128(0xb));
pub(crate) const EPOCH: Epoch = Epoch(Uuid::from_u128(0xe));
pub(crate) const EURO: &str = "EUR";
pub(crate) const AT: UnixMillis = UnixMillis(1_700_000_000_000);

/// Two who may write, one of them on two devices; one who may read; and one whom nobody let in.
pub(crate) const AUTHORS: [Author; 5] =
    [author(0xa, 0x1), author(0xa, 0x2), author(0xb, 0x3), author(0xc, 0x4), author(0xd, 0x5)];
const MEMBERS: [(usize, Role); 2] = [(2, Role::Editor), (3, Role::Viewer)];

const fn author(user: u128, replica: u128) -> Author {
    Author { user: UserId(Uuid::from_u128(user)), replica: ReplicaId(Uuid::from_u128(replica)) }
}

/// A book that was just created, as a state alone.
pub(crate) fn new_book() -> LedgerBook {
    let mut book = LedgerBook::default();
    book.apply(&Change::Domain(created()), &draft(1));
    let added = MemberChange::Added { user: AUTHORS[0].user, role: Role::Owner };
    book.apply(&Change::Member(added), &draft(1));
    book
}

fn created() -> LedgerChange {
    LedgerChange::BookCreated { name: "Flat".into(), currency: EURO.parse().expect("a currency") }
}

/// An entry by someone who has seen all before it.
pub(crate) fn draft(seq: u64) -> Draft {
    Draft {
        seq: Seq(seq),
        at: AT,
        author: AUTHORS[0],
        mutation: MutationId(Uuid::from_u128(seq.into())),
        made_at: AT,
        base: Seq(seq - 1),
        knows: Knows::Own,
        index: 0,
    }
}

/// An authority and what it committed.
pub(crate) struct Desk {
    pub(crate) authority: Authority<Ledger>,
    entries: Vec<EncodedEntry>,
    places: BTreeMap<MutationId, Place>,
    /// The second opinion.
    pub(crate) fold: Fold,
}

impl Desk {
    /// A book of everybody's.
    pub(crate) fn new() -> Self {
        let session = author(0xa, 0xf);
        let mutation = MutationId(Uuid::from_u128(u128::MAX));
        let opening = Opening { epoch: EPOCH, at: AT, owner: session, mutation, created: created() };
        let first = Authority::<Ledger>::open(opening);
        let mut state = BookState::default();
        state.apply_entry(&read(&first.entries[0].entry));
        let numbers = first.numbers.clone();
        let mut desk = Self {
            authority: Authority::new(EPOCH, state, Seq(1), first.entries[0].entry.hash, numbers),
            entries: Vec::new(),
            places: BTreeMap::new(),
            fold: Fold::default(),
        };
        desk.append(first);
        for (member, role) in MEMBERS {
            let id = MutationId(Uuid::from_u128(u128::MAX - 1 - member as u128));
            let user = AUTHORS[member].user;
            let added = MemberChange::Added { user, role };
            desk.authority.handle_member_change(AT, session, id, added).expect("an owner lets people in");
            desk.commit();
        }
        desk
    }

    pub(crate) fn push(&mut self, author: Author, mutations: &[RawMutation]) -> Vec<Outcome> {
        let lookups = self.authority.lookups(author.replica, mutations);
        let asked =
            |place: &&Place| lookups.ids.contains(&place.id) || lookups.numbers.contains(&(place.replica, place.n));
        let known: Known = self.places.values().filter(asked).copied().collect();
        self.authority.handle_push(AT, author, EPOCH, mutations, &known)
    }

    /// Writes what was decided.
    pub(crate) fn commit(&mut self) {
        if let Some(batch) = self.authority.poll_batch() {
            self.append(batch);
            self.authority.handle_committed();
        }
    }

    /// Fails to write what was decided.
    pub(crate) fn fail(&mut self) {
        if self.authority.poll_batch().is_some() {
            self.authority.handle_failed();
        }
    }

    fn append(&mut self, batch: Batch) {
        assert_eq!(batch.expected_head, self.head(), "a batch follows the log");
        for staged in batch.entries {
            let (before, entry) = (self.hash(), staged.entry);
            assert_eq!(entry.seq, self.head().next(), "no seq is skipped");
            assert_eq!(entry.hash, before.followed_by(&entry.bytes), "the chain holds");
            let place = Place { seq: entry.seq, id: staged.id, replica: staged.replica, n: staged.n };
            assert!(self.places.insert(staged.id, place).is_none(), "no mutation enters twice");
            let line = std::str::from_utf8(&entry.bytes).expect("an entry is text");
            self.fold.read_line(line).expect("an entry says what can be");
            self.entries.push(entry);
        }
    }

    pub(crate) fn head(&self) -> Seq {
        Seq(self.entries.len() as u64)
    }

    fn hash(&self) -> ChainHash {
        self.entries.last().map_or(ChainHash::ZERO, |entry| entry.hash)
    }

    /// The log, oldest first.
    pub(crate) fn entries(&self) -> &[EncodedEntry] {
        &self.entries
    }

    /// What everybody owes is what anyone can work out from the log.
    pub(crate) fn check_sums(&self) {
        let state = &self.authority.state().domain;
        assert_eq!(in_words(state.totals()), self.fold.totals());
        for contact in state.contacts() {
            assert_eq!(in_words(&state.balances_of(contact.id)), self.fold.balances_of(&contact.id.to_string()));
        }
    }

    /// The state that the log's bytes lead to is the one there is.
    pub(crate) fn check_replay(&self) {
        let mut replayed = LedgerBook::default();
        self.entries.iter().for_each(|entry| replayed.apply_entry(&read(entry)));
        assert_eq!(replayed.hash(), self.authority.state().hash(), "a replay leads elsewhere");
        assert_eq!(replayed.domain.totals(), self.authority.state().domain.totals());
    }
}

pub(crate) fn read(entry: &EncodedEntry) -> Entry<BookChange<Ledger>> {
    serde_json::from_slice(&entry.bytes).expect("an entry of the log reads")
}

fn in_words(balances: &Balances) -> Sums {
    balances.iter().map(|(currency, sum)| (currency.to_string(), *sum)).collect()
}
