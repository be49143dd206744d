//! What an entry or a change says, in words.

use tidebook_book::{BookChange, Change, MemberChange, Role, UserId};
use tidebook_ledger::export::decimal;
use tidebook_ledger::{
    ConflictKind, Direction, Field, FieldSet, FieldValue, Ledger, LedgerChange, LedgerState, RecordRef, TransactionId,
};
use uuid::Uuid;

use crate::say::{direction_words, one_line, short};

/// What changes of somebody did, one line each, with the names that people and records have now.
pub(crate) fn changes(
    state: &LedgerState,
    by: UserId,
    changes: &[BookChange<Ledger>],
    person: &dyn Fn(UserId) -> String,
) -> Vec<String> {
    let words = changes.iter().map(|change| match change {
        Change::Member(MemberChange::Added { user, role }) if *user == by => format!("came in as {}", role_word(*role)),
        Change::Member(MemberChange::Added { user, role }) => {
            format!("let {} in as {}", person(*user), role_word(*role))
        }
        Change::Member(MemberChange::RoleChanged { user, role }) => {
            format!("made {} {}", person(*user), role_word(*role))
        }
        Change::Member(MemberChange::Removed { user }) if *user == by => "left the book".into(),
        Change::Member(MemberChange::Removed { user }) => format!("took {} out of the book", person(*user)),
        Change::Domain(change) => ledger_change(state, change),
    });
    words.collect()
}

pub(crate) fn role_word(role: Role) -> &'static str {
    match role {
        Role::Viewer => "viewer",
        Role::Editor => "editor",
        Role::Owner => "owner",
    }
}

fn ledger_change(state: &LedgerState, change: &LedgerChange) -> String {
    let about = || record(state, change.record());
    match change {
        LedgerChange::BookCreated { name, currency } => format!("made the book {:?} in {currency}", one_line(name)),
        LedgerChange::ContactCreated { name, .. } => format!("added {}", one_line(name)),
        LedgerChange::TransactionCreated { id, direction, amount, currency, note, .. } => {
            let (words, _) = direction_words(*direction);
            let note = note.as_deref().map(|note| format!(": {}", one_line(note))).unwrap_or_default();
            let whom = contact_of(state, *id);
            format!("wrote {words} {whom} {} {currency}{note}", decimal((*amount).into(), *currency))
        }
        LedgerChange::BookUpdated { set, was }
        | LedgerChange::ContactUpdated { set, was, .. }
        | LedgerChange::TransactionUpdated { set, was, .. } => {
            format!("changed {}: {}", about(), edits(state, set, was))
        }
        LedgerChange::ContactDeleted { .. } | LedgerChange::TransactionDeleted { .. } => format!("deleted {}", about()),
        LedgerChange::ContactRestored { .. } | LedgerChange::TransactionRestored { .. } => {
            format!("brought {} back", about())
        }
        LedgerChange::ConflictRaised(conflict) => {
            format!("{} of {} came too late and was set aside", conflict_words(conflict.kind), about())
        }
        LedgerChange::ConflictResolved { applied: true, .. } => format!("took what was set aside of {}", about()),
        LedgerChange::ConflictResolved { applied: false, .. } => format!("kept {} as it stands", about()),
    }
}

fn conflict_words(kind: ConflictKind) -> &'static str {
    match kind {
        ConflictKind::EditEdit | ConflictKind::DeleteEdit => "a change",
        ConflictKind::EditDelete => "a deletion",
    }
}

/// A record by what it is called now.
pub(crate) fn record(state: &LedgerState, record: RecordRef) -> String {
    match record {
        RecordRef::Book => "the book".into(),
        RecordRef::Contact(id) => {
            state.contact(id).map_or_else(|| short_words("a person", id.0), |it| one_line(&it.name))
        }
        RecordRef::Transaction(id) => match state.transaction(id) {
            Some(it) => {
                let amount = decimal(it.amount.into(), it.currency);
                let note = it.note.as_deref().map(|note| format!(" ({})", one_line(note))).unwrap_or_default();
                format!("{} of {} {amount} {}{note} [{}]", contact_of(state, id), it.date, it.currency, short(id.0))
            }
            None => short_words("a transaction", id.0),
        },
    }
}

fn short_words(what: &str, id: Uuid) -> String {
    format!("{what} [{}]", short(id))
}

fn contact_of(state: &LedgerState, id: TransactionId) -> String {
    let contact = state.transaction(id).and_then(|it| state.contact(it.contact));
    contact.map_or_else(|| "someone".into(), |contact| one_line(&contact.name))
}

/// Values before and after, by field.
fn edits(state: &LedgerState, set: &FieldSet, was: &FieldSet) -> String {
    let one = |(field, value): (Field, &FieldValue)| {
        let before = was.get(field).map_or_else(|| "…".into(), |before| field_value(state, field, before, was));
        format!("{} {} → {}", field.name(), before, field_value(state, field, value, set))
    };
    let changed = set.iter().filter(|(field, value)| was.get(*field) != Some(value));
    changed.map(one).collect::<Vec<_>>().join(", ")
}

/// Values by field.
pub(crate) fn values(state: &LedgerState, set: &FieldSet) -> String {
    let one = |(field, value): (Field, &FieldValue)| match field {
        Field::Deleted => {
            if *value == FieldValue::Flag(true) {
                "deleted".to_owned()
            } else {
                "not deleted".to_owned()
            }
        }
        _ => format!("{} {}", field.name(), field_value(state, field, value, set)),
    };
    if set.is_empty() { "as it is".into() } else { set.iter().map(one).collect::<Vec<_>>().join(", ") }
}

fn field_value(state: &LedgerState, field: Field, value: &FieldValue, beside: &FieldSet) -> String {
    let currency = beside.get(Field::Currency).and_then(FieldValue::as_text).and_then(|code| code.parse().ok());
    match (field, value) {
        (Field::Amount, FieldValue::Number(amount)) => match currency {
            Some(currency) => decimal(amount.unsigned_abs().into(), currency),
            None => format!("{amount} minor units"),
        },
        (Field::Contact, FieldValue::Text(id)) => {
            let contact = id.parse().ok().and_then(|id| state.contact(id));
            contact.map_or_else(|| id.clone(), |contact| one_line(&contact.name))
        }
        (Field::Direction, FieldValue::Text(direction)) => {
            direction.parse::<Direction>().map_or_else(|()| direction.clone(), |it| direction_words(it).0.to_owned())
        }
        (_, FieldValue::Text(text)) => one_line(text),
        (_, FieldValue::Number(number)) => number.to_string(),
        (_, FieldValue::Flag(flag)) => flag.to_string(),
        (_, FieldValue::Nothing) => "nothing".into(),
    }
}
