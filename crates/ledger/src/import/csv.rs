//! CSV files, recognised by their heading: our own export ([`crate::export::csv`]), and IHateMoney's.
//!
//! [`plan`] reads all of a file or nothing: the first thing that is wrong is an error with its line.

mod error;
pub use error::CsvError;

mod sheet;

mod ours;

mod ihatemoney;

use tidebook_book::BookId;

use super::Plan;
use super::table::{Trim, lines};
use crate::Currency;
use sheet::Sheet;

/// What a file does not say about what it is to become.
#[derive(Debug, Clone, Copy)]
pub struct Destination<'a> {
    /// Ids that a file does not give are hashes of the book and the file's rows.
    pub book: BookId,
    /// My own name as it stands in the file; needed where a file has bills of several people.
    pub me: Option<&'a str>,
    /// What amounts are in where a file names no currency at all: the book's own.
    pub currency: Currency,
}

/// Plans the import of a file's text.
///
/// # Errors
/// The first thing that is wrong, with its line and what is expected there.
pub fn plan(text: &str, destination: Destination<'_>) -> Result<Plan, CsvError> {
    // Spaces belong to names and notes of ours; who reads another column trims it.
    let lines = lines(text, Trim::None)?;
    let names = Sheet::heading(&lines)?;
    if ours::are_columns(&names) {
        ours::plan(&Sheet::read(&lines)?, destination.book)
    } else if ihatemoney::are_columns(&names) {
        ihatemoney::plan(&Sheet::read(&lines)?, destination)
    } else {
        Err(CsvError::UnknownHeading { found: names.join(",") })
    }
}

#[cfg(test)]
mod tests;
