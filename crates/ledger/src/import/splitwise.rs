//! Splitwise's CSV export: first [`read`] it into a [`Sheet`], then [`plan`] what it means for one of its people.
//!
//! A cell of the file is what a person paid less what they owed, so who paid whom is not in it, and balances are all
//! that can be kept. They are kept exactly: where my cell is negative I got that much from those with positive cells,
//! in proportion; where it is positive, those with negative cells got it from me; where it is zero the row is not mine.
//! The sum over all contacts then equals my cell in the file's closing row of that currency ([`crate::import::Plan::checksum_agrees`]).

mod sheet;
pub use sheet::{Sheet, read};

mod plan;
pub use plan::plan;

mod identity;

mod error;
pub use error::SplitwiseError;

pub mod sample;

#[cfg(test)]
mod tests;
