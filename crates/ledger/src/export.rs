//! A ledger for other programs to read.

use std::collections::BTreeMap;

use crate::{Contact, ContactId, Currency, LedgerState, Transaction};

/// Columns of [`csv`], in their order.
const COLUMNS: [&str; 9] =
    ["date", "contact", "direction", "amount", "currency", "note", "due", "contact_id", "transaction_id"];

/// The transactions that stand, oldest first, as RFC 4180 has tables. Amounts are decimals with a point, always positive;
/// `direction` says which way. Texts that a spreadsheet would take for a formula begin with an apostrophe.
#[must_use]
pub fn csv(state: &LedgerState) -> String {
    let contacts: BTreeMap<ContactId, &Contact> =
        state.contacts().filter(|contact| !contact.deleted).map(|contact| (contact.id, contact)).collect();
    let mut standing: Vec<(&Transaction, &Contact)> = state
        .transactions()
        .filter(|transaction| !transaction.deleted)
        .filter_map(|transaction| Some((transaction, *contacts.get(&transaction.contact)?)))
        .collect();
    standing.sort_by_key(|(transaction, _)| (transaction.date, transaction.created.seq, transaction.created.index));

    let mut table = csv::Writer::from_writer(Vec::new());
    let written = "a table is written into memory";
    table.write_record(COLUMNS).expect(written);
    for (transaction, contact) in standing {
        table.write_record(row(transaction, contact)).expect(written);
    }
    String::from_utf8(table.into_inner().expect(written)).expect("all of it was text")
}

fn row(transaction: &Transaction, contact: &Contact) -> [String; COLUMNS.len()] {
    [
        transaction.date.to_string(),
        unlike_a_formula(&contact.name),
        transaction.direction.to_string(),
        decimal(transaction.amount, transaction.currency),
        transaction.currency.to_string(),
        unlike_a_formula(transaction.note.as_deref().unwrap_or_default()),
        transaction.due.map(|due| due.to_string()).unwrap_or_default(),
        contact.id.to_string(),
        transaction.id.to_string(),
    ]
}

/// An amount in minor units as people write it: 1234 of a currency with two decimals is `12.34`.
fn decimal(amount: u64, currency: Currency) -> String {
    let digits = currency.minor_digits() as usize;
    let padded = format!("{amount:0>width$}", width = digits + 1);
    match padded.split_at(padded.len() - digits) {
        (whole, "") => whole.to_owned(),
        (whole, fraction) => format!("{whole}.{fraction}"),
    }
}

/// Spreadsheets run what begins with these.
fn unlike_a_formula(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_decimals_of_their_currency() {
        for (amount, currency, expected) in [
            (1234, "EUR", "12.34"),
            (5, "EUR", "0.05"),
            (100, "EUR", "1.00"),
            (7, "JPY", "7"),
            (7, "KWD", "0.007"),
            (12_345, "CLF", "1.2345"),
        ] {
            assert_eq!(decimal(amount, currency.parse().expect("a currency")), expected);
        }
    }

    #[test]
    fn nothing_reads_as_a_formula() {
        for (text, expected) in
            [("=1+1", "'=1+1"), ("+1", "'+1"), ("-1", "'-1"), ("@x", "'@x"), ("x=1", "x=1"), ("", "")]
        {
            assert_eq!(unlike_a_formula(text), expected);
        }
    }
}
