//! Conflicts as their cards show them.

use tidebook_ledger::{
    CivilDate, Conflict, ContactId, Currency, Direction, Field, FieldSet, FieldValue, LedgerState, RecordRef,
    Transaction,
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
    use tidebook_ledger::{Ledger, LedgerOp, TransactionId};
    use uuid::Uuid;

    use super::*;
    use crate::entry::tests::{apply, id, transaction};

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
