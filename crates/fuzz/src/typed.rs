//! What a person types or a program names by itself: amounts, days, ids, currencies, hashes, directions.

use std::fmt::Display;
use std::str::FromStr;

use tidebook_book::{BookId, ChainHash};
use tidebook_ledger::export::decimal;
use tidebook_ledger::{AMOUNT_MAX, CivilDate, ContactId, Currency, Direction, parse_amount};

use crate::Reading;

/// One currency for each number of decimals there is.
const CURRENCIES: [&str; 4] = ["JPY", "EUR", "KWD", "CLF"];

/// Amounts read exactly, and all else has one spelling only.
pub(crate) fn attack(bytes: &[u8]) -> Reading {
    let Ok(text) = std::str::from_utf8(bytes) else { return Reading::Refused };
    let is_amount = CURRENCIES.iter().filter(|code| reads_as_amount(text, code)).count() > 0;
    let others = [
        has_one_spelling::<CivilDate>(text),
        has_one_spelling::<BookId>(text),
        has_one_spelling::<ContactId>(text),
        has_one_spelling::<Currency>(text),
        has_one_spelling::<ChainHash>(text),
        has_one_spelling::<Direction>(text),
    ];
    Reading::taken_if(is_amount || others.contains(&true))
}

fn reads_as_amount(text: &str, code: &str) -> bool {
    let currency: Currency = code.parse().expect("a currency");
    let Ok(amount) = parse_amount(text, currency.minor_digits()) else { return false };
    assert!((1..=AMOUNT_MAX).contains(&amount), "{amount}");
    let written = decimal(amount.into(), currency);
    assert_eq!(parse_amount(&written, currency.minor_digits()), Ok(amount), "{written}");
    true
}

fn has_one_spelling<T: FromStr + Display>(text: &str) -> bool {
    let read = text.parse::<T>();
    read.is_ok_and(|value| {
        assert_eq!(value.to_string(), text);
        true
    })
}
