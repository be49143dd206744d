//! What people write in a ledger, in few words: a contact and a transaction by their numbers.

use tidebook_ledger::{
    Checked, ContactId, Direction, Field, FieldSet, FieldValue, LedgerOp, LedgerState, TransactionId,
};
use uuid::Uuid;

pub(super) fn contact(number: u128) -> ContactId {
    ContactId(Uuid::from_u128(0xc000_0000 + number))
}

pub(super) fn transaction(number: u128) -> TransactionId {
    TransactionId(Uuid::from_u128(0x7000_0000 + number))
}

pub(super) fn someone(number: u128) -> LedgerOp {
    LedgerOp::create_contact(contact(number), format!("someone {number}"))
}

pub(super) fn gave(number: u128, to: u128, amount: i64) -> LedgerOp {
    LedgerOp::CreateTransaction {
        id: transaction(number),
        contact: contact(to),
        direction: Checked::Valid(Direction::Gave),
        amount,
        currency: Checked::of("EUR"),
        date: Checked::of("2026-11-22"),
        note: None,
        due: None,
    }
}

pub(super) fn amount(number: u128, amount: i64) -> LedgerOp {
    let set = FieldSet::default().with(Field::Amount, FieldValue::Number(amount));
    LedgerOp::UpdateTransaction { id: transaction(number), set }
}

pub(super) fn note(number: u128, text: &str) -> LedgerOp {
    let set = FieldSet::default().with(Field::Note, FieldValue::Text(text.into()));
    LedgerOp::UpdateTransaction { id: transaction(number), set }
}

pub(super) fn name(number: u128, text: &str) -> LedgerOp {
    let set = FieldSet::default().with(Field::Name, FieldValue::Text(text.into()));
    LedgerOp::UpdateContact { id: contact(number), set }
}

/// All that stands, and how many conflicts are open: `c1 someone 1; t1 c1 25 lunch; 1 open`. What is deleted has a minus.
pub(super) fn told(state: &LedgerState) -> String {
    let sign = |deleted| if deleted { "-" } else { "" };
    let mut words: Vec<String> = Vec::new();
    let mut contacts: Vec<_> = state.contacts().collect();
    contacts.sort_by_key(|contact| contact.id);
    for found in contacts {
        let number = found.id.0.as_u128() - contact(0).0.as_u128();
        words.push(format!("{}c{number} {}", sign(found.deleted), found.name));
    }
    let mut transactions: Vec<_> = state.transactions().collect();
    transactions.sort_by_key(|transaction| transaction.id);
    for found in transactions {
        let number = found.id.0.as_u128() - transaction(0).0.as_u128();
        let to = found.contact.0.as_u128() - contact(0).0.as_u128();
        let note = found.note.as_deref().unwrap_or_default();
        words.push(format!("{}t{number} c{to} {} {note}", sign(found.deleted), found.amount).trim_end().to_owned());
    }
    words.push(format!("{} open", state.conflicts().count()));
    words.join("; ")
}
