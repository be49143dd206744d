//! The page of one contact: the newest transactions by month, each with the balance after it.

use std::collections::HashSet;

use tidebook_book::UserId;
use tidebook_ledger::{Balances, CivilDate, ContactId, Currency, Direction, LedgerState, RecordRef, TransactionId};
use uuid::Uuid;

use crate::window::{Kind, Row};

/// A year and a month of it.
pub type Month = (i16, i8);

/// A transaction as its row shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub date: CivilDate,
    pub note: Option<String>,
    pub direction: Direction,
    pub amount: u64,
    pub currency: Currency,
    /// The contact's balance in this currency once this is counted.
    pub after: i128,
    pub by: UserId,
    /// Whom it is with, where rows of several people stand together.
    pub with: Option<String>,
    /// The first of its month: the month's line stands above it.
    pub first: bool,
    /// The row above is of the same day, which stands in the gutter once.
    pub same_day: bool,
    pub waiting: bool,
    /// There are two versions of it.
    pub split: bool,
}

/// A row of the page, as far as it follows from all rows together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spot {
    /// The head of a month.
    Month(Month),
    Line(LineSpot),
}

/// Where a transaction stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineSpot {
    pub id: TransactionId,
    pub after: i128,
    pub first: bool,
    pub same_day: bool,
}

/// All rows of a contact's page, the newest first. The balances are walked back from the end.
#[must_use]
pub fn outline(state: &LedgerState, contact: ContactId) -> Vec<Spot> {
    let mut spots = Vec::new();
    let mut after: Balances = state.balances_of(contact);
    let mut last_date = None;
    for transaction in state.transactions_of(contact).rev() {
        let date = transaction.date;
        let first = last_date.is_none_or(|last| month_of(last) != month_of(date));
        if first {
            spots.push(Spot::Month(month_of(date)));
        }
        let balance = after.or_insert(transaction.currency, 0);
        spots.push(Spot::Line(LineSpot {
            id: transaction.id,
            after: *balance,
            first,
            same_day: last_date == Some(date),
        }));
        *balance -= transaction.signed_amount();
        last_date = Some(date);
    }
    spots
}

/// What the row of a transaction shows, or `None` where it is gone.
#[must_use]
pub fn line(state: &LedgerState, spot: LineSpot, waiting: &HashSet<TransactionId>) -> Option<Line> {
    let LineSpot { id, after, first, same_day } = spot;
    let transaction = state.transaction(id)?;
    Some(Line {
        date: transaction.date,
        note: transaction.note.clone(),
        direction: transaction.direction,
        amount: transaction.amount,
        currency: transaction.currency,
        after,
        by: transaction.created.by,
        with: None,
        first,
        same_day,
        waiting: waiting.contains(&id),
        split: state.conflicts_of(RecordRef::Transaction(id)).next().is_some(),
    })
}

impl Spot {
    /// The row in a long list. A month has no id; it gets one that no other has.
    #[must_use]
    pub fn row(self) -> Row {
        match self {
            Self::Month((year, month)) => {
                let key = Uuid::from_u64_pair(u64::from(year.unsigned_abs()), u64::from(month.unsigned_abs()));
                Row { key, kind: Kind::Heading }
            }
            Self::Line(spot) => Row { key: spot.id.0, kind: Kind::Line },
        }
    }
}

fn month_of(date: CivilDate) -> Month {
    (date.date().year(), date.date().month())
}

#[cfg(test)]
mod tests {
    use tidebook_book::Seq;
    use tidebook_ledger::LedgerOp;

    use super::*;
    use crate::entry::tests::{apply, id, transaction};

    fn book() -> LedgerState {
        let mut state = LedgerState::default();
        apply(&mut state, Seq(1), &LedgerOp::create_contact(id(1), "Ana"));
        apply(&mut state, Seq(2), &transaction(11, 1, "gave", 500, "EUR", "2026-10-31"));
        apply(&mut state, Seq(3), &transaction(12, 1, "got", 200, "EUR", "2026-11-02"));
        apply(&mut state, Seq(4), &transaction(13, 1, "gave", 900, "JPY", "2026-11-02"));
        apply(&mut state, Seq(5), &transaction(14, 1, "gave", 100, "EUR", "2026-11-01"));
        state
    }

    #[test]
    fn months_days_and_balances() {
        let state = book();
        let words = |spot: &Spot| match spot {
            Spot::Month((year, month)) => format!("{year}-{month}"),
            Spot::Line(spot) => {
                let line = line(&state, *spot, &HashSet::new()).expect("it stands");
                format!("{} then {} {} {}", line.date, line.after, line.first, line.same_day)
            }
        };
        let expected = [
            "2026-11",
            "2026-11-02 then 900 true false",
            "2026-11-02 then 400 false true",
            "2026-11-01 then 600 false false",
            "2026-10",
            "2026-10-31 then 500 true false",
        ];
        assert_eq!(outline(&state, id(1)).iter().map(words).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn each_row_has_a_key_of_its_own() {
        let rows: Vec<Row> = outline(&book(), id(1)).into_iter().map(Spot::row).collect();
        let keys: HashSet<Uuid> = rows.iter().map(|row| row.key).collect();
        assert_eq!(keys.len(), rows.len());
        assert_eq!(rows.iter().filter(|row| row.kind == Kind::Heading).count(), 2);
    }
}
