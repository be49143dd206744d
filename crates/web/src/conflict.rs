//! Conflicts as their cards show them.

use tidebook_ledger::{
    CivilDate, Conflict, ConflictKind, ContactId, Currency, Direction, Field, FieldSet, FieldValue, LedgerOp,
    LedgerState, RecordRef, Transaction,
};

/// A conflict nobody has decided yet, with what a person needs to know to decide it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    pub conflict: Conflict,
    /// Whose page it belongs on.
    pub contact: Option<ContactId>,
    /// Their name.
    pub with: String,
    /// The transaction's note; none where the card is about the contact or the book itself.
    pub note: Option<String>,
    pub date: Option<CivilDate>,
    /// The contact's balance once what stands is kept, and once the other is taken; where they differ.
    pub after: Option<[(Currency, i128); 2]>,
}

impl Card {
    /// A transaction's amount, currency and direction, where that is what it is about.
    #[must_use]
    pub fn sum(set: &FieldSet) -> Option<(i128, Currency)> {
        let FieldValue::Number(amount) = set.get(Field::Amount)? else { return None };
        let currency = set.get(Field::Currency)?.as_text()?.parse().ok()?;
        let direction: Direction = set.get(Field::Direction)?.as_text()?.parse().ok()?;
        Some((direction.signed(amount.unsigned_abs()), currency))
    }
}

/// Whether this side says that the record is deleted.
#[must_use]
pub fn is_deletion(set: &FieldSet) -> bool {
    set.get(Field::Deleted) == Some(&FieldValue::Flag(true))
}

/// What decides a conflict where somebody writes something else instead of choosing a side. It goes before the edit: the
/// write of whoever's value was set aside would close the conflict by the way, and nothing would be left to decide.
///
/// What was deleted comes back with what was offered, and is edited from there; else what stands is.
#[must_use]
pub fn decided_by_edit(conflict: &Conflict) -> LedgerOp {
    LedgerOp::ResolveConflict { id: conflict.id, apply: brings_back(conflict) }
}

/// What a form that decides a conflict begins with, and what its changes are told from.
#[must_use]
pub fn begin<R: Clone>(
    conflict: Option<&Conflict>,
    standing: Option<R>,
    with: fn(&R, &FieldSet) -> R,
) -> (Option<R>, Option<R>) {
    let Some(conflict) = conflict else { return (standing.clone(), standing) };
    let offered = standing.as_ref().map(|standing| with(standing, &conflict.offered.set));
    if brings_back(conflict) { (offered.clone(), offered) } else { (offered, standing) }
}

/// Whether the record is deleted, and an edit of it was set aside.
fn brings_back(conflict: &Conflict) -> bool {
    conflict.kind == ConflictKind::DeleteEdit
}

/// All open conflicts in the order they were raised.
#[must_use]
pub fn cards(state: &LedgerState) -> Vec<Card> {
    state.conflicts_in_order().into_iter().map(|open| card(state, open.conflict.clone())).collect()
}

fn card(state: &LedgerState, conflict: Conflict) -> Card {
    let transaction = match conflict.record {
        RecordRef::Transaction(id) => state.transaction(id),
        RecordRef::Book | RecordRef::Contact(_) => None,
    };
    let contact = match conflict.record {
        RecordRef::Contact(id) => Some(id),
        _ => transaction.map(|transaction| transaction.contact),
    };
    let name = |id| state.contact(id).map(|contact| contact.name.clone());
    let book = || state.book().map(|book| book.name.clone());
    let after = transaction.and_then(|transaction| {
        let kept = after(state, transaction, &conflict.standing.set)?;
        let taken = after(state, transaction, &conflict.offered.set)?;
        (kept != taken).then_some([kept, taken])
    });
    Card {
        contact,
        with: contact.and_then(name).or_else(book).unwrap_or_default(),
        note: transaction.map(|transaction| transaction.note.clone().unwrap_or_default()),
        date: transaction.map(|transaction| transaction.date),
        after,
        conflict,
    }
}

/// The contact's balance with this side of a conflict in place of the transaction as it is.
fn after(state: &LedgerState, transaction: &Transaction, side: &FieldSet) -> Option<(Currency, i128)> {
    state.contact(transaction.contact).filter(|contact| !contact.deleted)?;
    let (sum, currency) = Card::sum(side).unwrap_or((transaction.signed_amount(), transaction.currency));
    let balance = state.balances_of(transaction.contact).get(&currency).copied().unwrap_or(0);
    let is_counted = !transaction.deleted && transaction.currency == currency;
    let others = balance - if is_counted { transaction.signed_amount() } else { 0 };
    Some((currency, others + if is_deletion(side) { 0 } else { sum }))
}

#[cfg(test)]
mod tests {
    use tidebook_book::{Author, Domain, Draft, Knows, MutationId, ReplicaId, Seq, UnixMillis, UserId};
    use tidebook_ledger::{Ledger, TransactionId};
    use uuid::Uuid;

    use super::*;
    use crate::entry::tests::{apply, id, transaction};
    use crate::entry::{EntryForm, read_edit};

    const T: TransactionId = TransactionId(Uuid::from_u128(11));

    /// What somebody else wrote, who knew the book as it was at seq 3.
    fn late(state: &mut LedgerState, seq: u64, user: u128, op: &LedgerOp) {
        let author = Author { user: UserId(Uuid::from_u128(user)), replica: ReplicaId(Uuid::from_u128(user)) };
        let mutation = MutationId(Uuid::from_u128(user));
        let (at, made_at) = (UnixMillis(0), UnixMillis(0));
        let draft = Draft { seq: Seq(seq), at, author, mutation, made_at, base: Seq(3), knows: Knows::Own, index: 0 };
        for change in Ledger::decide(state, op, &draft).expect("taken") {
            Ledger::apply(state, &change, &draft);
        }
    }

    fn book() -> LedgerState {
        let mut state = LedgerState::default();
        apply(&mut state, Seq(1), &LedgerOp::create_contact(id(1), "Ana"));
        apply(&mut state, Seq(2), &transaction(10, 1, "gave", 1000, "EUR", "2026-11-01"));
        apply(&mut state, Seq(3), &transaction(11, 1, "gave", 2050, "EUR", "2026-11-22"));
        state
    }

    fn amount(amount: i64, currency: &str) -> LedgerOp {
        let text = |text: &str| FieldValue::Text(text.into());
        let set = FieldSet::default().with(Field::Amount, FieldValue::Number(amount));
        LedgerOp::UpdateTransaction {
            id: T,
            set: set.with(Field::Currency, text(currency)).with(Field::Direction, text("gave")),
        }
    }

    fn afters(first: &LedgerOp, second: &LedgerOp) -> Vec<Option<[(String, i128); 2]>> {
        let mut state = book();
        late(&mut state, 4, 2, first);
        late(&mut state, 5, 3, second);
        let after = |card: Card| Some(card.after?.map(|(currency, sum)| (currency.to_string(), sum)));
        cards(&state).into_iter().map(after).collect()
    }

    #[test]
    fn the_balance_either_way() {
        let (euro, dollar) = ("EUR".to_owned(), "USD".to_owned());
        let either = |one: i128, other: i128| vec![Some([(euro.clone(), one), (euro.clone(), other)])];
        assert_eq!(afters(&amount(4150, "EUR"), &amount(4510, "EUR")), either(5150, 5510));
        let in_dollars = afters(&amount(4150, "EUR"), &amount(4510, "USD"));
        assert_eq!(in_dollars, [Some([(euro.clone(), 5150), (dollar, 4510)])]);
        assert_eq!(afters(&amount(4150, "EUR"), &LedgerOp::DeleteTransaction { id: T }), either(5150, 1000));
        assert_eq!(afters(&LedgerOp::DeleteTransaction { id: T }, &amount(4510, "EUR")), either(1000, 5510));
    }

    /// What stands once somebody wrote this note instead of choosing between two changes; nothing is left to decide.
    fn decided(first: &LedgerOp, second: &LedgerOp, note: &str) -> (u64, Option<String>) {
        let mut state = book();
        late(&mut state, 4, 2, first);
        late(&mut state, 5, 3, second);
        let conflict = cards(&state).remove(0).conflict;
        let (begun, before) = begin(Some(&conflict), state.transaction(T).cloned(), Transaction::with);
        let form = EntryForm { note: note.into(), ..EntryForm::of(&begun.expect("it is there")) };
        let edit = read_edit(&form, &before.expect("it is there"), id(9)).expect("a good form");
        for op in [decided_by_edit(&conflict)].iter().chain(&edit) {
            apply(&mut state, Seq(6), op);
        }
        assert_eq!(cards(&state), []);
        let taxi = state.transaction(T).filter(|taxi| !taxi.deleted).expect("it stands");
        (taxi.amount, taxi.note.clone())
    }

    #[test]
    fn something_else_than_either_side() {
        let delete = LedgerOp::DeleteTransaction { id: T };
        let taxi = Some("Taxi".to_owned());
        // It begins with what was offered; where that is nothing but a deletion, with what stands.
        assert_eq!(decided(&amount(4150, "EUR"), &amount(4510, "EUR"), "Taxi"), (4510, taxi.clone()));
        assert_eq!(decided(&amount(4150, "EUR"), &delete, "Taxi"), (4150, taxi.clone()));
        assert_eq!(decided(&delete, &amount(4510, "EUR"), "Taxi"), (4510, taxi));
        assert_eq!(decided(&delete, &amount(4510, "EUR"), ""), (4510, None));
    }

    #[test]
    fn a_note_moves_no_balance() {
        let note = |note: &str| LedgerOp::UpdateTransaction {
            id: T,
            set: FieldSet::default().with(Field::Note, FieldValue::Text(note.into())),
        };
        assert_eq!(afters(&note("Taxi"), &note("Bus")), [None]);
        assert_eq!(afters(&note("Taxi"), &amount(1, "EUR")), []);
    }
}
