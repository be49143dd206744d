//! A table for spreadsheets, and for [`crate::import::csv`].

use super::decimal::decimal;
use super::standing;
use crate::{Contact, LedgerState, Transaction};

/// Columns of [`csv`], in their order.
const COLUMNS: [&str; 9] =
    ["date", "contact", "direction", "amount", "currency", "note", "due", "contact_id", "transaction_id"];

/// The transactions that stand, oldest first, as RFC 4180 has tables. Amounts are decimals with a point, always positive;
/// `direction` says which way. Texts that a spreadsheet would take for a formula begin with an apostrophe.
#[must_use]
pub fn csv(state: &LedgerState) -> String {
    let mut table = csv::Writer::from_writer(Vec::new());
    let written = "a table is written into memory";
    table.write_record(COLUMNS).expect(written);
    for (transaction, contact) in standing(state) {
        table.write_record(row(transaction, contact)).expect(written);
    }
    String::from_utf8(table.into_inner().expect(written)).expect("all of it was text")
}

fn row(transaction: &Transaction, contact: &Contact) -> [String; COLUMNS.len()] {
    [
        transaction.date.to_string(),
        unlike_a_formula(&contact.name),
        transaction.direction.to_string(),
        decimal(transaction.amount.into(), transaction.currency),
        transaction.currency.to_string(),
        unlike_a_formula(transaction.note.as_deref().unwrap_or_default()),
        transaction.due.map(|due| due.to_string()).unwrap_or_default(),
        contact.id.to_string(),
        transaction.id.to_string(),
    ]
}

/// Spreadsheets run what begins with these.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// The text behind an apostrophe where a spreadsheet would run it, and where it looks as if that had been done already, so
/// that it can be undone.
fn unlike_a_formula(text: &str) -> String {
    if is_escapable(text) { format!("'{text}") } else { text.to_owned() }
}

/// The text that [`unlike_a_formula`] made this of.
pub(crate) fn not_unlike_a_formula(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|text| is_escapable(text)).unwrap_or(cell)
}

fn is_escapable(text: &str) -> bool {
    text.trim_start_matches('\'').starts_with(FORMULA)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_reads_as_a_formula_and_all_of_it_can_be_undone() {
        for (text, expected) in [
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@x", "'@x"),
            ("'=1", "''=1"),
            ("x=1", "x=1"),
            ("'x", "'x"),
            ("'", "'"),
            ("", ""),
        ] {
            assert_eq!(unlike_a_formula(text), expected);
            assert_eq!(not_unlike_a_formula(expected), text);
        }
        // As somebody may write it by hand.
        assert_eq!(not_unlike_a_formula("=1"), "=1");
    }
}
