//! Splitwise's CSV export.

use tidebook_ledger::import::splitwise::{plan, read};

use crate::Reading;
use crate::book::BOOK;
use crate::plan::check;

/// Whoever of the file imports it, the plan can be carried out.
pub(crate) fn attack(bytes: &[u8]) -> Reading {
    let Some(sheet) = std::str::from_utf8(bytes).ok().and_then(|text| read(text).ok()) else { return Reading::Refused };
    for me in sheet.people().iter().take(3) {
        if let Ok(plan) = plan(&sheet, me, BOOK) {
            check(&plan);
        }
    }
    Reading::Taken
}
