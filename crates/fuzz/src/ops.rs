//! Ops that the ledger knows, by several people who have seen more or less of each other's, made of the bytes themselves;
//! then each entry is taken back.

use std::collections::BTreeMap;

use crate::sim::fold::{Fold, Record};
use serde_json::Value;
use serde_json::value::to_raw_value;
use tidebook_authority::Outcome;
use tidebook_book::{Author, Change, Mutation, MutationId, Rejected, Seq};
use tidebook_ledger::{
    AMOUNT_MAX, Checked, ConflictId, ContactId, Field, FieldSet, FieldValue, LedgerOp, TransactionId, inverse_of,
};
use tidebook_protocol::RawMutation;
use uuid::Uuid;

use crate::Reading;
use crate::book::{AT, AUTHORS, Desk, read};

/// Those who may write.
const WRITERS: usize = 3;

/// More tell nothing new, and the state is added up after each.
const MUTATIONS_MAX: usize = 48;

const AMOUNTS: [u64; 4] = [1, 2050, 999, AMOUNT_MAX];
const CURRENCIES: [&str; 4] = ["EUR", "JPY", "KWD", "euro"];
const DIRECTIONS: [&str; 2] = ["gave", "got"];
const TEXTS: [&str; 4] = ["Ana", "Ben", "=1+1", ""];

/// Each mutation is an entry, and everything adds up after each as after all of them are undone. What is undone before
/// anything else happens is as if it had not been, or is refused because it was gone before.
pub(crate) fn attack(bytes: &[u8]) -> Reading {
    let mut desk = Desk::new();
    let first = desk.head().next();
    let mut choices = Choices(bytes);
    for _ in 0..MUTATIONS_MAX {
        let Some(how) = choices.next() else { break };
        let author = AUTHORS[how % WRITERS];
        let base = Seq(desk.head().0.saturating_sub((choices.or_zero() % 8) as u64));
        let ops: Vec<LedgerOp> = (0..=how / 16 % 3).map(|_| op(&desk, &mut choices)).collect();
        let before = desk.fold.clone();
        write(&mut desk, author, base, ops, None);
        if how >= 128 {
            let head = desk.head();
            match undo(&mut desk, author, head) {
                None => check_undone(&desk.fold, &before),
                Some((op, rejected)) => assert!(names_what_was_gone(&desk.fold, &op), "{rejected:?}: {op}"),
            }
        }
    }
    let last = desk.head();
    for seq in first.0..=last.0 {
        undo(&mut desk, AUTHORS[seq as usize % WRITERS], Seq(seq));
    }
    desk.check_replay();
    Reading::taken_if(last >= first)
}

fn write(desk: &mut Desk, author: Author, base: Seq, ops: Vec<LedgerOp>, undoes: Option<Seq>) {
    let n = desk.authority.last_number(author.replica).next();
    let id = MutationId(Uuid::from_u128(u128::from(desk.head().0)));
    let mutation = Mutation { id, n, made_at: AT, base, ops, undoes };
    let raw = to_raw_value(&mutation).expect("a mutation serialises into memory");
    let raw = RawMutation::parse(&raw).expect("what was written reads");
    let seq = desk.head().next();
    assert_eq!(desk.push(author, &[raw]), [Outcome::Entry(seq)], "a member's next mutation is an entry");
    desk.commit();
    desk.check_sums();
}

/// The op that was refused, if one was.
fn undo(desk: &mut Desk, author: Author, seq: Seq) -> Option<(Value, Rejected)> {
    let entry = read(&desk.entries()[seq.0 as usize - 1]);
    let changes: Vec<_> = entry.changes.into_iter().filter_map(domain_change).collect();
    let ops = inverse_of(&changes);
    if ops.is_empty() {
        return None;
    }
    write(desk, author, seq, ops.clone(), Some(seq));
    let rejected = read(desk.entries().last()?).rejected?;
    Some((serde_json::to_value(&ops[rejected.op]).expect("an op serialises into memory"), rejected))
}

fn domain_change<C>(change: Change<C>) -> Option<C> {
    match change {
        Change::Domain(change) => Some(change),
        Change::Member(_) => None,
    }
}

/// What was there is as it was; what was not is deleted.
fn check_undone(now: &Fold, before: &Fold) {
    assert_eq!(now.totals(), before.totals());
    assert_eq!(now.book, before.book);
    check_records(&now.contacts, &before.contacts);
    check_records(&now.transactions, &before.transactions);
}

fn check_records(now: &BTreeMap<String, Record>, before: &BTreeMap<String, Record>) {
    for (id, record) in now {
        match before.get(id) {
            Some(before) => assert_eq!(record, before, "{id}"),
            None => assert!(record.deleted, "{id}"),
        }
    }
}

/// Whether an op is about a transaction whose contact is deleted, or moves one back to such a contact: the entry changed
/// what its author could not see, and to take that back is to name what is not there.
fn names_what_was_gone(now: &Fold, op: &Value) -> bool {
    let named = op["id"].as_str().and_then(|id| now.transactions.get(id)).map(|found| &found.fields["contact"]);
    let contacts = named.into_iter().chain([&op["set"]["contact"]]).filter_map(Value::as_str);
    contacts.filter_map(|contact| now.contacts.get(contact)).any(|contact| contact.deleted)
}

/// The input, a byte for each choice.
struct Choices<'a>(&'a [u8]);

impl Choices<'_> {
    fn next(&mut self) -> Option<usize> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(usize::from(*first))
    }

    fn or_zero(&mut self) -> usize {
        self.next().unwrap_or(0)
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.or_zero() % all.len()]
    }

    fn contact(&mut self) -> ContactId {
        ContactId(Uuid::from_u128(0xc000 + (self.or_zero() % 4) as u128))
    }

    fn transaction(&mut self) -> TransactionId {
        TransactionId(Uuid::from_u128(0xd000 + (self.or_zero() % 6) as u128))
    }

    fn day(&mut self) -> String {
        format!("2026-11-{:02}", self.or_zero() % 32)
    }

    fn conflict(&mut self, desk: &Desk) -> ConflictId {
        let open = desk.authority.state().domain.conflicts_in_order();
        let chosen = self.or_zero() % (open.len() + 1);
        open.get(chosen).map_or(ConflictId(Uuid::nil()), |open| open.conflict.id)
    }

    fn amount(&mut self) -> i64 {
        i64::try_from(self.of(&AMOUNTS)).expect("an amount is at most AMOUNT_MAX")
    }
}

fn op(desk: &Desk, choices: &mut Choices<'_>) -> LedgerOp {
    match choices.or_zero() % 12 {
        0 => LedgerOp::create_contact(choices.contact(), choices.of(&TEXTS)),
        1 => LedgerOp::UpdateContact { id: choices.contact(), set: contact_fields(choices) },
        2 => LedgerOp::DeleteContact { id: choices.contact() },
        3 => LedgerOp::RestoreContact { id: choices.contact() },
        4 | 5 => create_transaction(choices),
        6 | 7 => LedgerOp::UpdateTransaction { id: choices.transaction(), set: transaction_fields(choices) },
        8 => LedgerOp::DeleteTransaction { id: choices.transaction() },
        9 => LedgerOp::RestoreTransaction { id: choices.transaction() },
        10 => LedgerOp::ResolveConflict { id: choices.conflict(desk), apply: choices.or_zero().is_multiple_of(2) },
        _ => LedgerOp::UpdateBook {
            set: FieldSet::default()
                .with(Field::Name, text(choices.of(&TEXTS)))
                .with(Field::Currency, text(choices.of(&CURRENCIES))),
        },
    }
}

fn create_transaction(choices: &mut Choices<'_>) -> LedgerOp {
    LedgerOp::CreateTransaction {
        id: choices.transaction(),
        contact: choices.contact(),
        direction: Checked::of(choices.of(&DIRECTIONS)),
        amount: choices.amount(),
        currency: Checked::of(choices.of(&CURRENCIES)),
        date: Checked::of(&choices.day()),
        note: None,
        due: None,
    }
}

fn contact_fields(choices: &mut Choices<'_>) -> FieldSet {
    let which = choices.or_zero();
    let values = [(Field::Name, text(choices.of(&TEXTS))), (Field::Note, text(choices.of(&TEXTS)))];
    chosen(which, values)
}

fn transaction_fields(choices: &mut Choices<'_>) -> FieldSet {
    let which = choices.or_zero();
    let values = [
        (Field::Amount, FieldValue::Number(choices.amount())),
        (Field::Currency, text(choices.of(&CURRENCIES))),
        (Field::Direction, text(choices.of(&DIRECTIONS))),
        (Field::Contact, text(&choices.contact().to_string())),
        (Field::Date, text(&choices.day())),
        (Field::Note, if which < 128 { FieldValue::Nothing } else { text("a note") }),
    ];
    chosen(which, values)
}

/// The fields whose bits are set.
fn chosen<const N: usize>(which: usize, values: [(Field, FieldValue); N]) -> FieldSet {
    let chosen = values.into_iter().enumerate().filter(|(index, _)| which & 1 << index != 0);
    chosen.map(|(_, value)| value).collect()
}

fn text(text: &str) -> FieldValue {
    FieldValue::Text(text.to_owned())
}
