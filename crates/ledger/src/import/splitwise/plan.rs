//! What a file means for one of its people: contacts, transactions, and the totals to check them by.

use std::collections::BTreeMap;

use tidebook_book::BookId;

use super::SplitwiseError;
use super::identity::{Occurrence, Occurrences, contact_id, transaction_id};
use super::sheet::{Closing, Row, Sheet};
use crate::import::balances::{Balances, Part};
use crate::import::decimal::{DECIMALS_MAX, power_of_ten, round_to_units};
use crate::import::plan::note_of;
use crate::import::proportion::split;
use crate::import::{Plan, PlannedContact, PlannedTransaction, SkipReason, Total};
use crate::{AMOUNT_MAX, ContactId, Currency, Direction};

/// Plans the import of `sheet` into `book` for the person named `me`.
///
/// Everyone else becomes a contact, also those with whom I share no row; rows in which my cell is zero are skipped. Currencies
/// I have nothing to do with need not be known. A currency of mine without a closing row is one in which the file owes me
/// nothing: a file that was cut short does not agree.
///
/// # Errors
/// Nobody is named `me`, a row of mine cannot be attributed to anybody, or its currency or amount cannot be kept.
pub fn plan(sheet: &Sheet, me: &str, book: BookId) -> Result<Plan, SplitwiseError> {
    let me = sheet.column_of(me)?;
    let mut planner = Planner {
        sheet,
        me,
        book,
        contacts: sheet.people.iter().map(|name| contact_id(book, name)).collect(),
        occurrences: Occurrences::default(),
        balances: BTreeMap::new(),
        plan: Plan { rows_read: sheet.rows.len(), ..Plan::default() },
    };
    for row in &sheet.rows {
        planner.take(row)?;
    }
    planner.finish()
}

struct Planner<'sheet> {
    sheet: &'sheet Sheet,
    me: usize,
    book: BookId,
    /// One id per column; mine is never used.
    contacts: Vec<ContactId>,
    occurrences: Occurrences,
    balances: BTreeMap<Currency, Balances>,
    plan: Plan,
}

impl<'sheet> Planner<'sheet> {
    fn take(&mut self, row: &'sheet Row) -> Result<(), SplitwiseError> {
        let occurrence = self.occurrences.next(&self.sheet.people, row);
        if row.cells[self.me].signum() == 0 {
            self.plan.skip(SkipReason::BetweenOthers);
            return Ok(());
        }
        let currency = known(&row.currency, row.line)?;
        let digits = currency.minor_digits();
        let decimals = self.precision(row).max(digits);
        let parts = self.parts(row, decimals)?;
        let columns = self.sheet.people.len();
        let balances = self.balances.entry(currency).or_insert_with(|| Balances::new(columns, digits));
        let moves = balances.take(&parts, decimals).ok_or(SplitwiseError::TooLarge { line: row.line })?;
        for part in moves {
            let transaction = self.transaction(row, currency, &occurrence, part)?;
            self.plan.transactions.push(transaction);
        }
        Ok(())
    }

    /// The most decimals of any cell in the row. Each row is split at its own precision, not at the file's: rows that
    /// are added later must not change how earlier ones were split.
    fn precision(&self, row: &Row) -> u32 {
        row.cells.iter().map(|cell| cell.decimals()).max().unwrap_or(0)
    }

    /// My cell, in 10^−`decimals`, shared out between those on the other side.
    fn parts(&self, row: &Row, decimals: u32) -> Result<Vec<Part>, SplitwiseError> {
        let mine = row.cells[self.me];
        let opposite: Vec<usize> =
            (0..row.cells.len()).filter(|column| row.cells[*column].signum() == -mine.signum()).collect();
        if opposite.is_empty() {
            return Err(SplitwiseError::NobodyOpposite { line: row.line, name: self.sheet.people[self.me].clone() });
        }
        let weights: Vec<i128> = opposite.iter().map(|column| row.cells[*column].scaled(decimals).abs()).collect();
        let amounts =
            split(mine.scaled(decimals).abs(), &weights).ok_or(SplitwiseError::TooLarge { line: row.line })?;
        let signed = amounts.into_iter().map(|amount| amount * mine.signum());
        Ok(opposite.into_iter().zip(signed).map(|(column, amount)| Part { column, amount }).collect())
    }

    fn transaction(
        &self,
        row: &Row,
        currency: Currency,
        occurrence: &Occurrence,
        part: Part,
    ) -> Result<PlannedTransaction, SplitwiseError> {
        let amount = u64::try_from(part.amount.unsigned_abs()).ok().filter(|amount| *amount <= AMOUNT_MAX);
        Ok(PlannedTransaction {
            id: transaction_id(self.book, occurrence, &self.sheet.people[part.column]),
            contact: self.contacts[part.column],
            direction: if part.amount > 0 { Direction::Gave } else { Direction::Got },
            amount: amount.ok_or(SplitwiseError::TooLarge { line: row.line })?,
            currency,
            date: row.date,
            note: note_of(&row.description),
            due: None,
            deleted: false,
        })
    }

    fn finish(mut self) -> Result<Plan, SplitwiseError> {
        self.plan.totals = self.totals()?;
        let everyone = self.contacts.into_iter().zip(&self.sheet.people).enumerate();
        let others = everyone.filter(|(column, _)| *column != self.me);
        self.plan.contacts = others.map(|(_, (id, name))| PlannedContact::named(id, name)).collect();
        Ok(self.plan)
    }

    fn totals(&self) -> Result<Vec<Total>, SplitwiseError> {
        let planned = self.balances.iter().map(|(currency, balances)| {
            (*currency, Total { currency: *currency, planned: balances.sum(), source: Some(0) })
        });
        let mut totals: BTreeMap<Currency, Total> = planned.collect();
        for closing in &self.sheet.closings {
            let currency = match known(&closing.currency, closing.line) {
                Err(_) if closing.cells[self.me].signum() == 0 => continue,
                currency => currency?,
            };
            let missing = Total { currency, planned: 0, source: None };
            totals.entry(currency).or_insert(missing).source = Some(self.mine(closing, currency));
        }
        Ok(totals.into_values().collect())
    }

    /// My cell in a closing row, in whole minor units.
    fn mine(&self, closing: &Closing, currency: Currency) -> i128 {
        let unit = power_of_ten(DECIMALS_MAX - currency.minor_digits());
        round_to_units(closing.cells[self.me].scaled(DECIMALS_MAX), unit)
    }
}

fn known(currency: &str, line: u64) -> Result<Currency, SplitwiseError> {
    currency.parse().map_err(|_| SplitwiseError::UnknownCurrency { line, currency: currency.to_owned() })
}
