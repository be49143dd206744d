//! CSV files: our own export, and IHateMoney's.

use tidebook_ledger::import::csv::{Destination, plan};

use crate::Reading;
use crate::book::{BOOK, EURO};
use crate::plan::check;

/// The plan can be carried out, whether the file is mine or nobody's.
pub(crate) fn attack(bytes: &[u8]) -> Reading {
    let Ok(text) = std::str::from_utf8(bytes) else { return Reading::Refused };
    let currency = EURO.parse().expect("a currency");
    let plans = [None, Some("Mira")].map(|me| plan(text, Destination { book: BOOK, me, currency }).ok());
    plans.iter().flatten().for_each(check);
    Reading::taken_if(plans.iter().any(Option::is_some))
}
