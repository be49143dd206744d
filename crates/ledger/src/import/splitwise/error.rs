//! What can be wrong with a file, said so that its owner can mend it.

use crate::import::TableError;

/// Why a file could not be read or planned. Lines count from 1, as an editor shows them.
#[derive(Debug, thiserror::Error)]
pub enum SplitwiseError {
    #[error(transparent)]
    Table(#[from] TableError),

    #[error(
        "no heading line found: the first five columns must be date, description, category, cost and currency, \
         followed by one column per person; export the file from Splitwise again, as CSV"
    )]
    NoHeading,

    #[error("line {line} names {found} people, the most is {max}: remove the columns of those you share nothing with")]
    TooManyPeople { line: u64, found: usize, max: usize },

    #[error("line {line}: the name in column {column} must have 1 to {max} characters: correct it in the heading")]
    BadName { line: u64, column: usize, max: usize },

    #[error("line {line}: two columns are named \"{name}\": give one of them another name in the heading")]
    SameName { line: u64, name: String },

    #[error(
        "line {line} has {found} columns, the heading has {expected}: \
         look for a missing comma or quotation mark, or export the file again"
    )]
    Width { line: u64, found: usize, expected: usize },

    #[error("line {line}: \"{text}\" is not a date like 2025-03-02: correct it, or export the file again")]
    BadDate { line: u64, text: String },

    #[error(
        "line {line}, column \"{column}\": \"{text}\" is not an amount like -1234.50 \
         (no thousands separators, a point before the decimals): correct it, or export the file again"
    )]
    BadAmount { line: u64, column: String, text: String },

    #[error("line {line}: \"{text}\" is not a currency code of three capital letters like EUR: correct it")]
    BadCurrency { line: u64, text: String },

    #[error("line {line}: the currency {currency} is not known here: change it in Splitwise, or remove its rows")]
    UnknownCurrency { line: u64, currency: String },

    #[error("line {line} is a second closing row for {currency}: remove one of the two, or export the file again")]
    SecondClosing { line: u64, currency: String },

    #[error("nobody in this file is named \"{name}\": it has {}", quoted(people))]
    UnknownPerson { name: String, people: Vec<String> },

    #[error(
        "line {line}: {name}'s share is not zero, but nobody has a share of the opposite sign: \
         correct the row in Splitwise, or remove it"
    )]
    NobodyOpposite { line: u64, name: String },

    #[error("line {line}: the amounts are too large to be added up exactly: correct or remove the row")]
    TooLarge { line: u64 },
}

fn quoted(people: &[String]) -> String {
    people.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
}
