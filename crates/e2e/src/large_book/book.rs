//! The large book: made by counting, so that each run has the same.

use anyhow::Result;
use tidebook_ledger::LedgerOp;

use crate::{gave, got, person};

pub(super) const PEOPLE: usize = 10_000;
const LINES: usize = 100_000;

/// How many ops are written before waiting for the server.
const PIECE: usize = 1_000;

/// So few ops a mutation make so many entries that a new device takes a snapshot in their place: as it is with a book that
/// grew over years.
pub(super) const OPS_PER_MUTATION: usize = 10;

/// What is searched for, letter by letter.
pub(super) const SEARCHES: [&str; 4] = ["ana", "ko jun", "zoe lind", "nobody"];

const FIRST: [&str; 20] = [
    "Ana", "Bea", "Claire", "Dario", "Elif", "Farid", "Greta", "Hannah", "Ines", "Jun", "Kenji", "Luis", "Maren",
    "Noé", "Ola", "Priya", "Quentin", "Rosa", "Tomás", "Zoë",
];

const LAST: [&str; 20] = [
    "Almeida",
    "Bäcker",
    "Contreras",
    "Dubois",
    "Eriksen",
    "Ferreira",
    "García",
    "Hoffmann",
    "Ivanov",
    "Jansen",
    "Kovač",
    "Lindqvist",
    "Mori",
    "Nwosu",
    "Okafor",
    "Petrov",
    "Quist",
    "Raghunathan",
    "Sommer",
    "Watanabe",
];

const NOTES: [&str; 8] = [
    "Bread on account",
    "Internet, September and October",
    "Dinner, they paid",
    "Electricity, third quarter",
    "Taxi from the airport",
    "Groceries, Saturday market",
    "Concert tickets",
    "Bank transfer",
];

/// All of the book's ops, in pieces to be written one after the other.
pub(super) fn pieces() -> Result<Vec<Vec<LedgerOp>>> {
    let (ids, mut ops): (Vec<_>, Vec<_>) = (0..PEOPLE).map(|number| person(&name(number))).unzip();
    for number in 0..LINES {
        // The first few people have most of it, as in life: every fifth line is with one of a hundred.
        let who = if number % 5 == 0 { number / 5 % 100 } else { number % PEOPLE };
        let amount = 100 + (number as i64 * 7_919) % 50_000;
        let currency = if number % 23 == 0 { "USD" } else { "EUR" };
        let (date, note) = (date(number), NOTES[number % NOTES.len()]);
        ops.push(if number % 3 == 0 {
            got(ids[who], amount, currency, &date, note)?
        } else {
            gave(ids[who], amount, currency, &date, note)?
        });
    }
    Ok(ops.chunks(PIECE).map(<[LedgerOp]>::to_vec).collect())
}

fn name(number: usize) -> String {
    let (first, last) = (FIRST[number % FIRST.len()], LAST[number / FIRST.len() % LAST.len()]);
    format!("{first} {last} {}", number / (FIRST.len() * LAST.len()) + 1)
}

/// Over seven years, one day after the other.
fn date(number: usize) -> String {
    let day = number * 7 * 336 / LINES;
    format!("{}-{:02}-{:02}", 2019 + day / 336, day % 336 / 28 + 1, day % 28 + 1)
}
