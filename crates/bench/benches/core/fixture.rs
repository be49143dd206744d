//! A book as people keep it, and what they push into it.

use serde_json::value::RawValue;
use tidebook_authority::{Authority, Known, NumberRow};
use tidebook_book::{
    Author, BookId, BookState, ChainHash, Draft, EncodedEntry, Epoch, Knows, Mutation, MutationId, MutationNumber,
    ReplicaId, Role, Seq, UnixMillis, UserId,
};
use tidebook_ledger::{
    ContactId, Direction, Field, FieldSet, FieldValue, Ledger, LedgerChange, LedgerOp, TransactionId,
};
use tidebook_protocol::RawMutation;
use uuid::{Builder, Uuid};

pub(crate) const AT: UnixMillis = UnixMillis(1_764_300_000_000);
const MADE_AT: u64 = 1_764_300_000_000;

/// Ids as devices make them: version 7, in the order of making, each kind apart from the others.
fn id(kind: u64, number: u64) -> Uuid {
    let mut random = [0; 10];
    // Any odd number spreads the bits of a counter; this one is the golden ratio's.
    let spread = (number + (kind << 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    random[..8].copy_from_slice(&spread.to_le_bytes());
    Builder::from_unix_timestamp_millis(MADE_AT + number, &random).into_uuid()
}

pub(crate) fn book_id() -> BookId {
    BookId(id(1, 0))
}

pub(crate) fn epoch() -> Epoch {
    Epoch(id(2, 0))
}

pub(crate) fn contact_id(number: u64) -> ContactId {
    ContactId(id(3, number))
}

pub(crate) fn transaction_id(number: u64) -> TransactionId {
    TransactionId(id(4, number))
}

pub(crate) fn mutation_id(number: u64) -> MutationId {
    MutationId(id(5, number))
}

/// The person who filled the book, and those who write in it now.
pub(crate) fn author(number: u64) -> Author {
    Author { user: UserId(id(6, number)), replica: ReplicaId(id(7, number)) }
}

pub(crate) fn draft(seq: u64, base: u64, author: Author) -> Draft {
    let (seq, base, mutation) = (Seq(seq), Seq(base), mutation_id(seq));
    Draft { seq, at: AT, author, mutation, made_at: AT, base, knows: Knows::Own, index: 0 }
}

pub(crate) fn create_contact(number: u64) -> LedgerOp {
    let name = format!("Anneliese {number} of the bakery");
    let (username, note) = (Some(format!("anneliese{number}")), None);
    let (phone, email) = (Some(format!("+49 151 {number:07}")), Some(format!("anneliese{number}@example.org")));
    LedgerOp::CreateContact { id: contact_id(number), name, username, phone, email, note }
}

/// Of a book with this many contacts.
pub(crate) fn create_transaction(number: u64, contacts: u64) -> LedgerOp {
    let direction = if number.is_multiple_of(3) { Direction::Got } else { Direction::Gave };
    LedgerOp::CreateTransaction {
        id: transaction_id(number),
        contact: contact_id(number % contacts),
        direction: format!("{direction}").into(),
        amount: 100 + (number as i64 * 7919) % 50_000,
        currency: String::from("EUR").into(),
        date: format!("2026-{:02}-{:02}", 1 + number % 12, 1 + number % 28).into(),
        note: Some(format!("bread and cakes, bill {number}")),
        due: None,
    }
}

/// One field group of a transaction: by turns the sum, the note and the day.
pub(crate) fn update_transaction(number: u64, round: u64) -> LedgerOp {
    let set = FieldSet::default();
    let set = match (number + round) % 3 {
        0 => set.with(Field::Amount, FieldValue::Number(1 + ((number + round) % 90_000) as i64)),
        1 => set.with(Field::Note, FieldValue::Text(format!("bread and cakes, bill {number}, paid half of {round}"))),
        _ => set.with(Field::Date, FieldValue::Text(format!("2025-{:02}-{:02}", 1 + round % 12, 1 + number % 28))),
    };
    LedgerOp::UpdateTransaction { id: transaction_id(number), set }
}

/// What a log of one entry per record adds up to.
pub(crate) struct Book {
    pub(crate) state: BookState<Ledger>,
    pub(crate) head: Seq,
}

impl Book {
    pub(crate) fn new(contacts: u64, transactions: u64) -> Self {
        let mut state = BookState::default();
        state.members.extend([
            (author(0).user, Role::Owner),
            (author(1).user, Role::Editor),
            (author(2).user, Role::Editor),
        ]);
        let created = LedgerChange::BookCreated { name: "Bakery".into(), currency: "EUR".parse().expect("a code") };
        state.apply(&tidebook_book::Change::Domain(created), &draft(1, 0, author(0)));
        let mut book = Self { state, head: Seq(1) };
        (0..contacts).for_each(|number| book.take(&create_contact(number)));
        (0..transactions).for_each(|number| book.take(&create_transaction(number, contacts)));
        book
    }

    fn take(&mut self, op: &LedgerOp) {
        self.head = self.head.next();
        let draft = draft(self.head.0, self.head.0 - 1, author(0));
        self.state.decide_and_apply(std::slice::from_ref(op), draft).expect("a sound op");
    }

    pub(crate) fn authority(&self) -> Authority<Ledger> {
        let n = MutationNumber(self.head.0);
        let numbers = [NumberRow { replica: author(0).replica, user: author(0).user, n }];
        Authority::new(epoch(), self.state.clone(), self.head, ChainHash::ZERO, numbers)
    }
}

/// Mutations of one op each, as a new device numbers and sends them.
pub(crate) fn mutations(base: Seq, ops: impl IntoIterator<Item = LedgerOp>) -> Vec<Box<RawValue>> {
    let numbered = (1..).zip(ops).map(|(n, op)| {
        let (id, n, ops) = (mutation_id(1_000_000 + n), MutationNumber(n), vec![op]);
        Mutation { id, n, made_at: AT, base, ops, undoes: None }
    });
    numbered.map(|mutation| serde_json::value::to_raw_value(&mutation).expect("a mutation serialises")).collect()
}

pub(crate) fn parsed(mutations: &[Box<RawValue>]) -> Vec<RawMutation> {
    mutations.iter().map(|raw| RawMutation::parse(raw).expect("well-formed")).collect()
}

/// What the authority makes of these ops, each an entry of its own.
pub(crate) fn entries(book: &Book, author: Author, ops: impl IntoIterator<Item = LedgerOp>) -> Vec<EncodedEntry> {
    let mut authority = book.authority();
    authority.handle_push(AT, author, epoch(), &parsed(&mutations(book.head, ops)), &Known::default());
    let batch = authority.poll_batch().expect("entries were staged");
    batch.entries.into_iter().map(|staged| staged.entry).collect()
}
