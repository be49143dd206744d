//! What a file means for one of its people: contacts, transactions, and the totals to check them by.

use std::collections::BTreeMap;

use jiff::civil::Date;
use uuid::Uuid;

use super::SplitwiseError;
use super::balances::{Balances, Part};
use super::decimal::{DECIMALS_MAX, power_of_ten, round_to_units};
use super::identity::{Occurrence, Occurrences, contact_id, transaction_id};
use super::proportion::split;
use super::sheet::{Row, Sheet};

/// The largest amount a transaction may have, in minor units.
const AMOUNT_MAX: u64 = 1_000_000_000_000_000;

/// A note is up to 4000 characters.
const NOTE_CHARS_MAX: usize = 4000;

/// What an import would write, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Everyone but me, also those with whom I share no row.
    pub contacts: Vec<PlannedContact>,
    pub transactions: Vec<PlannedTransaction>,
    /// By currency, in alphabetical order.
    pub totals: Vec<Total>,
    /// Expenses and payments in the file; closing rows are not among them.
    pub rows_read: usize,
    /// Those of them in which my cell is zero.
    pub rows_skipped: usize,
}

/// Somebody I owe or who owes me.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedContact {
    pub id: Uuid,
    pub name: String,
}

/// One contact's part in a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedTransaction {
    pub id: Uuid,
    pub contact: Uuid,
    /// I gave: the contact owes more. Otherwise I got: the contact owes less.
    pub gave: bool,
    /// In minor units, at least 1.
    pub amount: u64,
    pub currency: String,
    pub date: Date,
    pub note: String,
}

/// The sum over all contacts in one currency, seen from me, in minor units: positive is owed to me.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Total {
    pub currency: String,
    /// What the planned transactions come to.
    pub planned: i128,
    /// What the file's closing row says, if it has one.
    pub source: Option<i128>,
}

impl Plan {
    /// Whether the planned totals are those the file itself gives. A currency without a closing row must come to zero:
    /// a file that was cut short does not agree.
    pub fn checksum_agrees(&self) -> bool {
        self.totals.iter().all(|total| total.planned == total.source.unwrap_or(0))
    }
}

/// Plans the import of `sheet` into `book` for the person named `me`.
///
/// `minor_digits` says how many decimals a currency's minor unit has, at most 18; `None` where it does not exist.
/// Currencies I have nothing to do with are not asked for.
///
/// # Errors
/// Nobody is named `me`, a row of mine cannot be attributed to anybody, or its currency or amount cannot be kept.
pub fn plan(
    sheet: &Sheet,
    me: &str,
    book: Uuid,
    minor_digits: impl Fn(&str) -> Option<u32>,
) -> Result<Plan, SplitwiseError> {
    let me = sheet.column_of(me)?;
    let mut planner = Planner {
        sheet,
        me,
        book,
        minor_digits,
        contacts: sheet.people.iter().map(|name| contact_id(book, name)).collect(),
        occurrences: Occurrences::default(),
        balances: BTreeMap::new(),
        transactions: Vec::new(),
        rows_skipped: 0,
    };
    for row in &sheet.rows {
        planner.take(row)?;
    }
    planner.finish()
}

struct Planner<'sheet, MinorDigits> {
    sheet: &'sheet Sheet,
    me: usize,
    book: Uuid,
    minor_digits: MinorDigits,
    /// One id per column; mine is never used.
    contacts: Vec<Uuid>,
    occurrences: Occurrences,
    balances: BTreeMap<&'sheet str, Balances>,
    transactions: Vec<PlannedTransaction>,
    rows_skipped: usize,
}

impl<'sheet, MinorDigits: Fn(&str) -> Option<u32>> Planner<'sheet, MinorDigits> {
    fn take(&mut self, row: &'sheet Row) -> Result<(), SplitwiseError> {
        let occurrence = self.occurrences.next(&self.sheet.people, row);
        if row.cells[self.me].signum() == 0 {
            self.rows_skipped += 1;
            return Ok(());
        }
        let digits = self.digits(&row.currency, row.line)?;
        let decimals = self.precision(row).max(digits);
        let parts = self.parts(row, decimals)?;
        let columns = self.sheet.people.len();
        let balances = self.balances.entry(&row.currency).or_insert_with(|| Balances::new(columns, digits));
        let moves = balances.take(&parts, decimals).ok_or(SplitwiseError::TooLarge { line: row.line })?;
        for part in moves {
            let transaction = self.transaction(row, &occurrence, part)?;
            self.transactions.push(transaction);
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
        occurrence: &Occurrence,
        part: Part,
    ) -> Result<PlannedTransaction, SplitwiseError> {
        let amount = u64::try_from(part.amount.unsigned_abs()).ok().filter(|amount| *amount <= AMOUNT_MAX);
        Ok(PlannedTransaction {
            id: transaction_id(self.book, occurrence, &self.sheet.people[part.column]),
            contact: self.contacts[part.column],
            gave: part.amount > 0,
            amount: amount.ok_or(SplitwiseError::TooLarge { line: row.line })?,
            currency: row.currency.clone(),
            date: row.date,
            note: note(&row.description),
        })
    }

    fn finish(self) -> Result<Plan, SplitwiseError> {
        let totals = self.totals()?;
        let everyone = self.contacts.into_iter().zip(&self.sheet.people).enumerate();
        let contacts = everyone
            .filter(|(column, _)| *column != self.me)
            .map(|(_, (id, name))| PlannedContact { id, name: name.clone() })
            .collect();
        let (rows_read, rows_skipped) = (self.sheet.rows.len(), self.rows_skipped);
        Ok(Plan { contacts, transactions: self.transactions, totals, rows_read, rows_skipped })
    }

    fn totals(&self) -> Result<Vec<Total>, SplitwiseError> {
        let planned = self.balances.iter().map(|(currency, balances)| {
            (*currency, Total { currency: (*currency).to_owned(), planned: balances.sum(), source: None })
        });
        let mut totals: BTreeMap<&str, Total> = planned.collect();
        for closing in &self.sheet.closings {
            let mine = closing.cells[self.me];
            let source = match mine.signum() {
                0 => 0,
                _ => {
                    let digits = self.digits(&closing.currency, closing.line)?;
                    round_to_units(mine.scaled(DECIMALS_MAX), power_of_ten(DECIMALS_MAX - digits))
                }
            };
            let missing = || Total { currency: closing.currency.clone(), planned: 0, source: None };
            totals.entry(&closing.currency).or_insert_with(missing).source = Some(source);
        }
        Ok(totals.into_values().collect())
    }

    fn digits(&self, currency: &str, line: u64) -> Result<u32, SplitwiseError> {
        let unknown = || SplitwiseError::UnknownCurrency { line, currency: currency.to_owned() };
        let digits = (self.minor_digits)(currency).ok_or_else(unknown)?;
        assert!(digits <= DECIMALS_MAX, "{currency} is said to have {digits} minor digits");
        Ok(digits)
    }
}

/// The description within what a note may hold: newlines stay, other control characters go.
fn note(description: &str) -> String {
    let kept = |char: &char| *char == '\n' || !char.is_control();
    description.chars().filter(kept).take(NOTE_CHARS_MAX).collect::<String>().trim().to_owned()
}
