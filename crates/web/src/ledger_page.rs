//! The page of one contact: the newest transactions by month, each with the balance after it.

use std::collections::HashSet;

use tidebook_book::UserId;
use tidebook_ledger::{Balances, CivilDate, ContactId, Currency, Direction, LedgerState, RecordRef, TransactionId};

/// A year and a month of it.
pub type Month = (i16, i8);

/// The transactions of one month that are drawn, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MonthLines {
    pub month: Month,
    pub lines: Vec<(TransactionId, Line)>,
}

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
    /// The first of its month: the month's line stands above it.
    pub first: bool,
    /// The row above is of the same day, which stands in the gutter once.
    pub same_day: bool,
    pub waiting: bool,
    /// There are two versions of it.
    pub split: bool,
}

/// A contact's page, drawn down to some row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LedgerPage {
    pub months: Vec<MonthLines>,
    pub drawn: usize,
    pub is_all: bool,
}

/// Draws the newest `rows` of a contact's transactions. Costs no more than that: balances are walked back from the end.
#[must_use]
pub fn draw(state: &LedgerState, contact: ContactId, rows: usize, waiting: &HashSet<TransactionId>) -> LedgerPage {
    let mut page = LedgerPage::default();
    let mut after: Balances = state.balances_of(contact);
    let mut newest_first = state.transactions_of(contact).rev();
    let mut last_date = None;
    for transaction in newest_first.by_ref().take(rows) {
        let date = transaction.date;
        let balance = after.entry(transaction.currency).or_default();
        let line = Line {
            date,
            note: transaction.note.clone(),
            direction: transaction.direction,
            amount: transaction.amount,
            currency: transaction.currency,
            after: *balance,
            by: transaction.created.by,
            first: page.months.last().is_none_or(|last| last.month != month_of(date)),
            same_day: last_date == Some(date),
            waiting: waiting.contains(&transaction.id),
            split: state.conflicts_of(RecordRef::Transaction(transaction.id)).next().is_some(),
        };
        *balance -= transaction.signed_amount();
        last_date = Some(date);
        page.push(transaction.id, line);
    }
    page.is_all = newest_first.next().is_none();
    page
}

impl LedgerPage {
    fn push(&mut self, id: TransactionId, line: Line) {
        let month = month_of(line.date);
        self.drawn += 1;
        match self.months.last_mut() {
            Some(last) if last.month == month => last.lines.push((id, line)),
            _ => self.months.push(MonthLines { month, lines: vec![(id, line)] }),
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

    fn page(rows: usize) -> LedgerPage {
        let mut state = LedgerState::default();
        apply(&mut state, Seq(1), &LedgerOp::create_contact(id(1), "Ana"));
        apply(&mut state, Seq(2), &transaction(11, 1, "gave", 500, "EUR", "2026-10-31"));
        apply(&mut state, Seq(3), &transaction(12, 1, "got", 200, "EUR", "2026-11-02"));
        apply(&mut state, Seq(4), &transaction(13, 1, "gave", 900, "JPY", "2026-11-02"));
        apply(&mut state, Seq(5), &transaction(14, 1, "gave", 100, "EUR", "2026-11-01"));
        draw(&state, id(1), rows, &HashSet::new())
    }

    #[test]
    fn months_days_and_balances() {
        let page = page(60);
        let facts: Vec<_> = page
            .months
            .iter()
            .flat_map(|month| month.lines.iter().map(|(_, line)| line))
            .map(|line| (line.date.to_string(), line.after, line.first, line.same_day))
            .collect();
        let expected = [
            ("2026-11-02", 900, true, false),
            ("2026-11-02", 400, false, true),
            ("2026-11-01", 600, false, false),
            ("2026-10-31", 500, true, false),
        ];
        assert_eq!(facts, expected.map(|(date, after, first, same)| (date.to_owned(), after, first, same)));
        assert_eq!(page.months.iter().map(|month| month.month).collect::<Vec<_>>(), [(2026, 11), (2026, 10)]);
        assert!(page.is_all);
    }

    #[test]
    fn a_page_knows_whether_it_is_all() {
        assert_eq!((page(3).drawn, page(3).is_all), (3, false));
        assert_eq!((page(4).drawn, page(4).is_all), (4, true));
    }
}
