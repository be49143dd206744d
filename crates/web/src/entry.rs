//! What a person writes down: read from a form's texts, and turned into ops.

use tidebook_ledger::{
    AmountInputError, Checked, CivilDate, ContactId, Currency, Direction, LedgerOp, TransactionId, parse_amount,
};

/// The longest name and note the ledger takes, in characters.
const NAME_CHARS_MAX: usize = 200;
const NOTE_CHARS_MAX: usize = 4000;

/// Whom an entry is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    Known(ContactId),
    /// Somebody by this name, who enters the book together with the entry.
    New(String),
}

/// A form's texts as they stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryForm {
    pub who: Who,
    pub amount: String,
    pub direction: Direction,
    pub currency: Currency,
    pub note: String,
    pub date: String,
    pub due: String,
}

/// Ids for what an entry may create.
#[derive(Debug, Clone, Copy)]
pub struct NewIds {
    pub contact: ContactId,
    pub transaction: TransactionId,
}

/// What is wrong with a form, per field, in words for the person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EntryFaults {
    pub who: Option<String>,
    pub amount: Option<String>,
    pub note: Option<String>,
    pub date: Option<String>,
    pub due: Option<String>,
}

/// The ops of an entry: a new person and the transaction are one mutation, so that neither is ever without the other.
pub fn read_entry(form: &EntryForm, ids: NewIds) -> Result<Vec<LedgerOp>, EntryFaults> {
    let date: Option<CivilDate> = form.date.parse().ok();
    let due = read_due(&form.due);
    let amount = parse_amount(&form.amount, form.currency.minor_digits());
    let faults = EntryFaults {
        who: who_fault(&form.who),
        amount: amount.as_ref().err().map(|error| amount_fault(error, form.currency)),
        note: note_fault(&form.note),
        date: date.is_none().then(|| "Choose a day".into()),
        due: due.is_err().then(|| "Choose a day, or leave it empty".into()),
    };
    let (Ok(amount), Some(date), Ok(due)) = (amount, date, due) else { return Err(faults) };
    if faults != EntryFaults::default() {
        return Err(faults);
    }
    let (contact, create_contact) = match &form.who {
        Who::Known(id) => (*id, None),
        Who::New(name) => (ids.contact, Some(LedgerOp::create_contact(ids.contact, name.trim()))),
    };
    let note = form.note.trim();
    let transaction = LedgerOp::CreateTransaction {
        id: ids.transaction,
        contact,
        direction: Checked::Valid(form.direction),
        amount: i64::try_from(amount).unwrap_or(i64::MAX),
        currency: Checked::Valid(form.currency),
        date: Checked::Valid(date),
        note: (!note.is_empty()).then(|| note.to_owned()),
        due: due.map(Checked::Valid),
    };
    Ok(create_contact.into_iter().chain([transaction]).collect())
}

/// What is wrong with a name for a person or a book.
#[must_use]
pub fn name_fault(name: &str) -> Option<String> {
    if name.trim().is_empty() {
        return Some("Write a name".into());
    }
    if name.trim().chars().count() > NAME_CHARS_MAX {
        return Some(format!("A name has at most {NAME_CHARS_MAX} characters"));
    }
    name.trim().contains(char::is_control).then(|| "A name is one line of text".into())
}

/// What is wrong with a typed amount.
#[must_use]
pub fn amount_fault(error: &AmountInputError, currency: Currency) -> String {
    match error {
        AmountInputError::Empty => "Type an amount, such as 12.50".into(),
        AmountInputError::NotANumber => "Figures, one comma or point, and + between sums".into(),
        AmountInputError::TooPrecise(0) => format!("{currency} has no decimals"),
        AmountInputError::TooPrecise(digits) => format!("{currency} has {digits} decimals at most"),
        AmountInputError::Zero => "Nothing is not an amount".into(),
        AmountInputError::TooLarge => "That is more than a transaction can hold".into(),
    }
}

fn who_fault(who: &Who) -> Option<String> {
    match who {
        Who::Known(_) => None,
        Who::New(name) => name_fault(name),
    }
}

fn note_fault(note: &str) -> Option<String> {
    (note.trim().chars().count() > NOTE_CHARS_MAX).then(|| format!("A note has at most {NOTE_CHARS_MAX} characters"))
}

fn read_due(due: &str) -> Result<Option<CivilDate>, ()> {
    if due.is_empty() { Ok(None) } else { due.parse().map(Some).map_err(drop) }
}

#[cfg(test)]
pub(crate) mod tests {
    use tidebook_book::{Author, Domain, Draft, MutationId, ReplicaId, Seq, UnixMillis, UserId};
    use tidebook_ledger::{Ledger, LedgerState};
    use uuid::Uuid;

    use super::*;

    pub(crate) fn id(number: u64) -> ContactId {
        ContactId(Uuid::from_u128(u128::from(number)))
    }

    pub(crate) fn transaction(
        number: u64,
        contact: u64,
        direction: &str,
        amount: i64,
        currency: &str,
        date: &str,
    ) -> LedgerOp {
        LedgerOp::CreateTransaction {
            id: TransactionId(Uuid::from_u128(u128::from(number))),
            contact: id(contact),
            direction: Checked::Valid(direction.parse().expect("a direction")),
            amount,
            currency: Checked::Valid(currency.parse().expect("a currency")),
            date: Checked::Valid(date.parse().expect("a date")),
            note: None,
            due: None,
        }
    }

    /// Decides an op and applies what follows, as an entry with this number would.
    pub(crate) fn apply(state: &mut LedgerState, seq: Seq, op: &LedgerOp) {
        let author = Author { user: UserId(Uuid::nil()), replica: ReplicaId(Uuid::nil()) };
        let mutation = MutationId(Uuid::nil());
        let draft = Draft { seq, at: UnixMillis(0), author, mutation, made_at: UnixMillis(0), base: seq, index: 0 };
        for change in Ledger::decide(state, op, &draft).expect("taken") {
            Ledger::apply(state, &change, &draft);
        }
    }

    fn form() -> EntryForm {
        EntryForm {
            who: Who::New(" Ana ".into()),
            amount: "12+8,50".into(),
            direction: Direction::Gave,
            currency: "EUR".parse().expect("a currency"),
            note: " Taxi ".into(),
            date: "2026-11-22".into(),
            due: String::new(),
        }
    }

    fn ids() -> NewIds {
        NewIds { contact: id(1), transaction: TransactionId(Uuid::from_u128(2)) }
    }

    #[test]
    fn a_new_person_and_the_transaction_are_one() {
        let ops = read_entry(&form(), ids()).expect("a good form");
        assert_eq!(ops[0], LedgerOp::create_contact(id(1), "Ana"));
        let LedgerOp::CreateTransaction { contact, amount, note, .. } = &ops[1] else { panic!("{ops:?}") };
        assert_eq!((*contact, *amount, note.as_deref()), (id(1), 2050, Some("Taxi")));
        assert_eq!(ops.len(), 2);
    }

    #[test]
    fn somebody_known_is_not_made_again() {
        let ops = read_entry(&EntryForm { who: Who::Known(id(7)), ..form() }, ids()).expect("a good form");
        assert!(matches!(ops[..], [LedgerOp::CreateTransaction { .. }]));
    }

    #[test]
    fn every_fault_is_told_at_its_field() {
        let wrong = EntryForm {
            who: Who::New(" ".into()),
            amount: "12.345".into(),
            note: "x".repeat(NOTE_CHARS_MAX + 1),
            date: String::new(),
            due: "soon".into(),
            ..form()
        };
        let faults = read_entry(&wrong, ids()).expect_err("all of it is wrong");
        assert_eq!(faults.amount.as_deref(), Some("EUR has 2 decimals at most"));
        assert!(faults.who.is_some() && faults.note.is_some() && faults.date.is_some() && faults.due.is_some());
    }

    #[test]
    fn names_have_bounds() {
        for (name, fine) in
            [("A".to_owned(), true), ("é".repeat(200), true), ("é".repeat(201), false), ("a\nb".into(), false)]
        {
            assert_eq!(name_fault(&name).is_none(), fine, "{name}");
        }
    }
}
