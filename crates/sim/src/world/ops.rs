//! What people write: every op of the ledger, on few records, so that they get in each other's way.

use tidebook_ledger::{
    AMOUNT_MAX, Checked, ConflictId, ContactId, Direction, Field, FieldSet, FieldValue, LedgerOp, LedgerState,
    TransactionId,
};
use uuid::Uuid;

use super::begin::{canary, record_id};
use crate::random::Random;

/// Beyond these people edit what there is, so that a state stays small.
const CONTACTS_MAX: usize = 10;
const TRANSACTIONS_MAX: usize = 40;

/// How many of the newest records most edits are of.
const HOT: usize = 4;

/// A pen for one book, held for one mutation.
pub(super) struct Pen<'a> {
    pub(super) random: &'a mut Random,
    pub(super) state: &'a LedgerState,
    /// The book's number in this world.
    pub(super) book: usize,
    /// New records get ids that others may give too.
    pub(super) same_ids: bool,
    pub(super) invalid: bool,
}

impl Pen<'_> {
    /// One or more ops that make a mutation.
    pub(super) fn ops(&mut self) -> Vec<LedgerOp> {
        if self.invalid {
            return vec![self.invalid_op()];
        }
        let contacts = self.contacts();
        if contacts.len() < 2 || (contacts.len() < CONTACTS_MAX && self.random.one_in(8)) {
            return self.new_contact();
        }
        let conflicts = self.conflicts();
        match self.random.below(20) {
            0..=5 => self.new_transactions(),
            6..=8 => vec![self.contact_edit(&contacts)],
            9..=12 => vec![self.transaction_edit(&contacts)],
            13 => vec![self.contact_end(&contacts)],
            14..=15 => vec![self.transaction_end()],
            16..=17 => match conflicts {
                Some(id) => vec![self.decision(id)],
                None => self.new_transactions(),
            },
            18 => vec![self.book_edit()],
            _ => vec![self.contact_edit(&contacts), self.transaction_edit(&contacts), self.book_edit()],
        }
    }

    /// Ids, oldest first. (A state gives its records in no order.)
    fn contacts(&self) -> Vec<ContactId> {
        let mut contacts: Vec<_> = self.state.contacts().map(|contact| (contact.created.seq, contact.id)).collect();
        contacts.sort();
        contacts.into_iter().map(|(_, id)| id).collect()
    }

    fn transactions(&self) -> Vec<TransactionId> {
        let created = self.state.transactions().map(|transaction| (transaction.created.seq, transaction.id));
        let mut transactions: Vec<_> = created.collect();
        transactions.sort();
        transactions.into_iter().map(|(_, id)| id).collect()
    }

    fn conflicts(&mut self) -> Option<ConflictId> {
        let mut open: Vec<_> = self.state.conflicts().map(|open| (open.seq, open.conflict.id)).collect();
        open.sort();
        self.random.pick(&open).map(|(_, id)| *id)
    }

    /// Mostly one of the newest.
    fn hot<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        let first = if self.random.one_in(4) { 0 } else { from.len().saturating_sub(HOT) };
        self.random.pick(&from[first..]).copied()
    }

    fn new_id(&mut self) -> Uuid {
        let number = if self.same_ids { u128::from(self.random.below(6)) << 32 } else { self.random.wide() };
        record_id(self.book, number)
    }

    /// A text with the book's canary.
    fn text(&mut self) -> String {
        let word = self.random.choose(["rent", "milk", "tickets", "pizza", "petrol", "a lamp"]);
        format!("{word} {} {}", self.random.below(100), canary(self.book))
    }

    fn new_contact(&mut self) -> Vec<LedgerOp> {
        let id = ContactId(self.new_id());
        let mut ops = vec![LedgerOp::CreateContact {
            id,
            name: self.text(),
            username: None,
            phone: self.random.one_in(3).then(|| "0123".into()),
            email: None,
            note: self.random.one_in(3).then(|| self.text()),
        }];
        if self.random.one_in(2) {
            ops.push(self.transaction_with(id));
        }
        ops
    }

    fn new_transactions(&mut self) -> Vec<LedgerOp> {
        if self.state.transactions().count() >= TRANSACTIONS_MAX {
            let contacts = self.contacts();
            return vec![self.transaction_edit(&contacts)];
        }
        let contacts = self.contacts();
        let Some(contact) = self.hot(&contacts) else { return self.new_contact() };
        (0..self.random.between(1, 2)).map(|_| self.transaction_with(contact)).collect()
    }

    fn transaction_with(&mut self, contact: ContactId) -> LedgerOp {
        LedgerOp::CreateTransaction {
            id: TransactionId(self.new_id()),
            contact,
            direction: Checked::Valid(self.random.choose([Direction::Gave, Direction::Got])),
            amount: self.amount(),
            currency: Checked::Wrong(self.currency().into()),
            date: Checked::Wrong(self.date()),
            note: Some(self.text()),
            due: self.random.one_in(4).then(|| Checked::Wrong(self.date())),
        }
    }

    /// Some so large that their sum comes to its bound.
    fn amount(&mut self) -> i64 {
        let amount = if self.random.one_in(30) { AMOUNT_MAX } else { self.random.between(1, 5_000) };
        i64::try_from(amount).expect("an amount fits")
    }

    fn currency(&mut self) -> &'static str {
        self.random.choose(["EUR", "EUR", "JPY", "KWD"])
    }

    fn date(&mut self) -> String {
        format!("2026-11-{:02}", self.random.between(1, 28))
    }

    fn contact_edit(&mut self, contacts: &[ContactId]) -> LedgerOp {
        let Some(id) = self.hot(contacts) else { return self.book_edit() };
        let mut set = FieldSet::default();
        for _ in 0..self.random.between(1, 2) {
            let field = self.random.choose([Field::Name, Field::Note, Field::Phone, Field::Email, Field::Username]);
            let clears = field != Field::Name && self.random.one_in(4);
            let value = if clears { FieldValue::Nothing } else { FieldValue::Text(self.text()) };
            set.insert(field, value);
        }
        LedgerOp::UpdateContact { id, set }
    }

    fn transaction_edit(&mut self, contacts: &[ContactId]) -> LedgerOp {
        let transactions = self.transactions();
        let Some(id) = self.hot(&transactions) else { return self.contact_edit(contacts) };
        let mut set = FieldSet::default();
        for _ in 0..self.random.between(1, 2) {
            match self.random.below(8) {
                0..=2 => set.insert(Field::Amount, FieldValue::Number(self.amount())),
                3 => set.insert(Field::Currency, FieldValue::Text(self.currency().into())),
                4 => set.insert(Field::Direction, FieldValue::Text(self.random.choose(["gave", "got"]).into())),
                5 => set.insert(Field::Date, FieldValue::Text(self.date())),
                6 => set.insert(Field::Note, FieldValue::Text(self.text())),
                _ => {
                    let contact = self.hot(contacts).map(|contact| FieldValue::Text(contact.to_string()));
                    contact.into_iter().for_each(|contact| set.insert(Field::Contact, contact));
                }
            }
        }
        LedgerOp::UpdateTransaction { id, set }
    }

    fn contact_end(&mut self, contacts: &[ContactId]) -> LedgerOp {
        let Some(id) = self.hot(contacts) else { return self.book_edit() };
        let is_deleted = self.state.contact(id).is_some_and(|contact| contact.deleted);
        if is_deleted { LedgerOp::RestoreContact { id } } else { LedgerOp::DeleteContact { id } }
    }

    fn transaction_end(&mut self) -> LedgerOp {
        let transactions = self.transactions();
        let Some(id) = self.hot(&transactions) else { return self.book_edit() };
        let is_deleted = self.state.transaction(id).is_some_and(|transaction| transaction.deleted);
        if is_deleted { LedgerOp::RestoreTransaction { id } } else { LedgerOp::DeleteTransaction { id } }
    }

    fn decision(&mut self, id: ConflictId) -> LedgerOp {
        LedgerOp::ResolveConflict { id, apply: self.random.one_in(2) }
    }

    fn book_edit(&mut self) -> LedgerOp {
        let set = FieldSet::default();
        LedgerOp::UpdateBook {
            set: match self.random.one_in(3) {
                true => set.with(Field::Currency, FieldValue::Text(self.currency().into())),
                false => set.with(Field::Name, FieldValue::Text(self.text())),
            },
        }
    }

    fn invalid_op(&mut self) -> LedgerOp {
        let contacts = self.contacts();
        let nobody = ContactId(record_id(self.book, self.random.wide()));
        let contact = self.random.pick(&contacts).copied().unwrap_or(nobody);
        let edit = |field, value| LedgerOp::UpdateContact { id: contact, set: FieldSet::default().with(field, value) };
        match self.random.below(6) {
            0 => edit(Field::Name, FieldValue::Text(String::new())),
            1 => edit(Field::Note, FieldValue::Text("a\u{7}b".into())),
            2 => edit(Field::Name, FieldValue::Nothing),
            3 => self.transaction_with(nobody),
            4 => LedgerOp::DeleteContact { id: nobody },
            _ => match self.transaction_with(contact) {
                LedgerOp::CreateTransaction { id, contact, direction, currency, date, note, due, .. } => {
                    LedgerOp::CreateTransaction { id, contact, direction, amount: 0, currency, date, note, due }
                }
                other => other,
            },
        }
    }
}
