//! What a person writes down: read from a form's texts, and turned into ops.

use tidebook_ledger::{
    AmountInputError, Checked, CivilDate, ContactId, Currency, Direction, Field, FieldSet, FieldValue, LedgerOp,
    Transaction, TransactionId, parse_amount,
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

impl EntryForm {
    /// The form as it opens on a transaction.
    #[must_use]
    pub fn of(transaction: &Transaction) -> Self {
        Self {
            who: Who::Known(transaction.contact),
            amount: amount_text(transaction.amount, transaction.currency.minor_digits()),
            direction: transaction.direction,
            currency: transaction.currency,
            note: transaction.note.clone().unwrap_or_default(),
            date: transaction.date.to_string(),
            due: transaction.due.map(|due| due.to_string()).unwrap_or_default(),
        }
    }

    /// Whom it is about, and the op that brings them into the book where they are new.
    fn contact(&self, new: ContactId) -> (ContactId, Option<LedgerOp>) {
        match &self.who {
            Who::Known(id) => (*id, None),
            Who::New(name) => (new, Some(LedgerOp::create_contact(new, name.trim()))),
        }
    }
}

/// A form's texts as values.
struct Read<'a> {
    amount: i64,
    date: CivilDate,
    due: Option<CivilDate>,
    note: &'a str,
}

fn read(form: &EntryForm) -> Result<Read<'_>, EntryFaults> {
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
    Ok(Read { amount: i64::try_from(amount).unwrap_or(i64::MAX), date, due, note: form.note.trim() })
}

/// The ops of an entry: a new person and the transaction are one mutation, so that neither is ever without the other.
pub fn read_entry(form: &EntryForm, ids: NewIds) -> Result<Vec<LedgerOp>, EntryFaults> {
    let Read { amount, date, due, note } = read(form)?;
    let (contact, create_contact) = form.contact(ids.contact);
    let transaction = LedgerOp::CreateTransaction {
        id: ids.transaction,
        contact,
        direction: Checked::Valid(form.direction),
        amount,
        currency: Checked::Valid(form.currency),
        date: Checked::Valid(date),
        note: (!note.is_empty()).then(|| note.to_owned()),
        due: due.map(Checked::Valid),
    };
    Ok(create_contact.into_iter().chain([transaction]).collect())
}

/// The ops of an edit: what the form changed of the transaction it opened on, and nothing else, so that what others
/// change meanwhile stands beside it. Empty where nothing changed.
///
/// Amount, currency and direction go together or not at all: a sum that nobody entered must not come about.
pub fn read_edit(form: &EntryForm, before: &Transaction, new: ContactId) -> Result<Vec<LedgerOp>, EntryFaults> {
    let Read { amount, date, due, note } = read(form)?;
    let (contact, create_contact) = form.contact(new);
    let opened = EntryForm::of(before);
    let is_other_sum = u64::try_from(amount) != Ok(before.amount)
        || (form.currency, form.direction) != (before.currency, before.direction);
    let changes = [
        (contact != before.contact, Field::Contact, text(&contact.to_string())),
        (is_other_sum, Field::Amount, FieldValue::Number(amount)),
        (is_other_sum, Field::Currency, text(form.currency.code())),
        (is_other_sum, Field::Direction, text(&form.direction.to_string())),
        (date != before.date, Field::Date, text(&date.to_string())),
        (note != opened.note.trim(), Field::Note, text(note)),
        (due != before.due, Field::Due, text(&due.map(|due| due.to_string()).unwrap_or_default())),
    ];
    let set = changed(changes);
    let update = (!set.is_empty()).then_some(LedgerOp::UpdateTransaction { id: before.id, set });
    Ok(create_contact.into_iter().chain(update).collect())
}

/// The values of those fields that changed.
pub(crate) fn changed(changes: impl IntoIterator<Item = (bool, Field, FieldValue)>) -> FieldSet {
    changes.into_iter().filter(|(is_changed, ..)| *is_changed).map(|(_, field, value)| (field, value)).collect()
}

/// A field's value; an empty one is none.
pub(crate) fn text(text: &str) -> FieldValue {
    if text.is_empty() { FieldValue::Nothing } else { FieldValue::Text(text.to_owned()) }
}

/// An amount as a person would type it.
fn amount_text(amount: u64, digits: u32) -> String {
    let digits = digits as usize;
    let figures = format!("{amount:0>width$}", width = digits + 1);
    let (whole, minor) = figures.split_at(figures.len() - digits);
    let point = if minor.is_empty() { "" } else { "." };
    format!("{whole}{point}{minor}")
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
    use tidebook_book::{Author, Domain, Draft, Knows, MutationId, ReplicaId, Seq, UnixMillis, UserId};
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
        let draft = Draft {
            seq,
            at: UnixMillis(0),
            author,
            mutation,
            made_at: UnixMillis(0),
            base: seq,
            knows: Knows::Own,
            index: 0,
        };
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

    fn taxi() -> Transaction {
        let mut state = LedgerState::default();
        apply(&mut state, Seq(1), &LedgerOp::create_contact(id(1), "Ana"));
        let mut op = transaction(2, 1, "gave", 2050, "EUR", "2026-11-22");
        if let LedgerOp::CreateTransaction { note, .. } = &mut op {
            *note = Some("Taxi".into());
        }
        apply(&mut state, Seq(2), &op);
        state.transaction(ids().transaction).expect("just made").clone()
    }

    fn edit(change: impl FnOnce(&mut EntryForm)) -> Vec<(&'static str, String)> {
        let mut form = EntryForm::of(&taxi());
        change(&mut form);
        match &read_edit(&form, &taxi(), id(9)).expect("a good form")[..] {
            [] => Vec::new(),
            [.., LedgerOp::UpdateTransaction { set, .. }] => {
                set.iter().map(|(field, value)| (field.name(), format!("{value:?}"))).collect()
            }
            ops => panic!("{ops:?}"),
        }
    }

    #[test]
    fn an_edit_names_what_changed_and_a_sum_as_a_whole() {
        assert_eq!(edit(|_| {}), []);
        assert_eq!(edit(|form| form.amount = "20,5".into()), []);
        assert_eq!(edit(|form| form.note = " Taxi, night ".into()), [("note", r#"Text("Taxi, night")"#.to_owned())]);
        assert_eq!(edit(|form| form.note = " ".into()), [("note", "Nothing".to_owned())]);
        let names = |change: fn(&mut EntryForm)| edit(change).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        let sum = ["direction", "amount", "currency"];
        assert_eq!(names(|form| form.amount = "20.51".into()), sum);
        assert_eq!(names(|form| form.direction = Direction::Got), sum);
        assert_eq!(names(|form| form.currency = "USD".parse().expect("a currency")), sum);
        assert_eq!(names(|form| form.date = "2026-11-23".into()), ["date"]);
        assert_eq!(names(|form| form.due = "2026-12-23".into()), ["due"]);
        assert_eq!(names(|form| form.who = Who::Known(id(7))), ["contact"]);
    }

    #[test]
    fn an_edit_can_move_to_somebody_new() {
        let form = EntryForm { who: Who::New("Jun".into()), ..EntryForm::of(&taxi()) };
        let ops = read_edit(&form, &taxi(), id(9)).expect("a good form");
        assert_eq!(ops[0], LedgerOp::create_contact(id(9), "Jun"));
        let LedgerOp::UpdateTransaction { set, .. } = &ops[1] else { panic!("{ops:?}") };
        assert_eq!(set.get(Field::Contact), Some(&FieldValue::Text(id(9).to_string())));
    }

    #[test]
    fn amounts_as_they_are_typed() {
        let cases = [(2050, 2, "20.50"), (5, 2, "0.05"), (7, 0, "7"), (1234, 3, "1.234"), (100, 2, "1.00")];
        for (amount, digits, text) in cases {
            assert_eq!(amount_text(amount, digits), text);
        }
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
