//! Our own JSON export, as it is imported.

use tidebook_ledger::import::json::plan;

use crate::Reading;
use crate::plan::check;

/// The plan can be carried out.
pub(crate) fn attack(bytes: &[u8]) -> Reading {
    let Some(plan) = std::str::from_utf8(bytes).ok().and_then(|text| plan(text).ok()) else { return Reading::Refused };
    check(&plan);
    Reading::Taken
}
