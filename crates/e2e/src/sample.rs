//! A book as somebody keeps it, for pictures of the app.

use std::time::SystemTime;

use anyhow::{Context, Result};
use jiff::ToSpan;
use jiff::civil::{Date, date};
use tidebook_ledger::{ContactId, LedgerOp, TransactionId};

use crate::{gave, got, person};

/// Whose page is shown.
pub(crate) const ANA: &str = "Ana Kovač";

/// How many days ago, what, and in minor units how much: positive is given.
type Line = (i64, &'static str, i64, &'static str);

const PEOPLE: &[(&str, &[Line])] = &[
    ("Claire Dubois", &[(92, "Museum night", 2_400, "EUR"), (80, "All even", -2_400, "EUR")]),
    ("Ola Nwosu", &[(33, "Lunch, Markthalle", 1_890, "EUR")]),
    ("Elif Demir", &[(29, "Cinema", -2_240, "EUR")]),
    ("Tomás Ferreira", &[(21, "Internet, September and October", 6_215, "EUR")]),
    ("Rowing club", &[(20, "Autumn fees, paid by Sam", -18_000, "EUR")]),
    ("Theo (upstairs)", &[(40, "Drill", 3_500, "EUR"), (13, "Drill, returned", -3_500, "EUR")]),
    ("Luis Ortega", &[(10, "Conference badge", 4_000, "USD")]),
    ("Jonas Lindqvist", &[(5, "Winter tyres", 21_400, "EUR")]),
    ("Priya Raghunathan", &[(4, "Train to Ghent, both ways", 9_680, "EUR")]),
    ("Hannah & Wim", &[(60, "Cottage, deposit", 25_000, "EUR"), (3, "Cottage, second instalment", 23_875, "EUR")]),
    ("Maximiliane von Hohenstein-Oettingen", &[(2, "Rent deposit, her half of the sublet", -10_500, "EUR")]),
    ("Kenji Watanabe", &[(1, "Shinkansen seat, Kyoto", 12_400, "JPY")]),
    ("Bäckerei Sommer", &[(0, "Bread on account", -4_735, "EUR")]),
    (ANA, ANAS_LINES),
];

const ANAS_LINES: &[Line] = &[
    (161, "Flights to Split, both seats", 41_000, "EUR"),
    (147, "Bank transfer", -15_000, "EUR"),
    (126, "Ferry tickets", 6_480, "EUR"),
    (112, "Bank transfer", -12_000, "EUR"),
    (93, "Museum and lunch", 3_840, "EUR"),
    (78, "Electricity, third quarter", 6_150, "EUR"),
    (65, "Dinner at Konoba Marjan, she paid", -8_420, "EUR"),
    (52, "Internet, September and October", 5_250, "EUR"),
    (44, "Concert tickets, booked from New York", -8_620, "USD"),
    (36, "Winter tyre storage", 7_500, "EUR"),
    (19, "Bank transfer", -10_000, "EUR"),
    (8, "Electricity, October", 4_150, "EUR"),
    (2, "Groceries, Saturday market", 2_340, "EUR"),
    (2, "Oven cleaner and bulbs", -1_290, "EUR"),
    (0, "Taxi from the airport", 2_050, "EUR"),
];

/// Fourteen people and what is between them and the reader, up to today.
pub(crate) fn harbour_street() -> Result<Vec<LedgerOp>> {
    let today = today()?;
    let mut ops = Vec::new();
    for (name, lines) in PEOPLE {
        let (contact, op) = person(name);
        ops.push(op);
        for (days_ago, note, amount, currency) in *lines {
            let day = today.checked_sub(days_ago.days())?.to_string();
            let direction = if *amount > 0 { gave } else { got };
            ops.push(direction(contact, amount.abs(), currency, &day, note)?);
        }
    }
    Ok(ops)
}

/// The transaction with a note.
pub(crate) fn id_of_line(ops: &[LedgerOp], wanted: &str) -> Option<TransactionId> {
    ops.iter().find_map(|op| match op {
        LedgerOp::CreateTransaction { id, note: Some(note), .. } if note == wanted => Some(*id),
        _ => None,
    })
}

/// Somebody by their name.
pub(crate) fn id_of_person(ops: &[LedgerOp], wanted: &str) -> Option<ContactId> {
    ops.iter().find_map(|op| match op {
        LedgerOp::CreateContact { id, name, .. } if name == wanted => Some(*id),
        _ => None,
    })
}

/// The day it is at Greenwich.
fn today() -> Result<Date> {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    let days = i64::try_from(since_1970.as_secs() / (24 * 60 * 60))?;
    date(1970, 1, 1).checked_add(days.days()).context("the clock is set far ahead")
}
