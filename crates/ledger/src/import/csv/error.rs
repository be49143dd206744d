//! What can be wrong with a table, said so that its owner can mend it.

use crate::import::TableError;

/// Why a file could not be planned. Lines count from 1, as an editor shows them.
#[derive(Debug, thiserror::Error)]
pub enum CsvError {
    #[error(transparent)]
    Table(#[from] TableError),

    #[error(
        "the heading \"{found}\" is of no file known here: known are this program's own (date, contact, direction, \
         amount, currency, and if there: note, due, contact_id, transaction_id) and IHateMoney's (what, amount, date, \
         payer_name, payer_weight, owers, and if there: bill_type, currency), each with a comma between columns"
    )]
    UnknownHeading { found: String },

    #[error("line {line} has {found} columns, the heading has {expected}: look for a missing comma or quotation mark")]
    Width { line: u64, found: usize, expected: usize },

    #[error("line {line}, column \"{column}\": \"{text}\" {expected}")]
    Cell { line: u64, column: &'static str, text: String, expected: String },

    #[error(
        "line {line}: the transaction {id} stands in line {earlier} already: remove one, or empty its transaction_id"
    )]
    SameTransaction { line: u64, id: String, earlier: u64 },

    #[error("line {line}: the transaction_id {id} is a contact's: give the transaction another, or empty it")]
    IdOfContact { line: u64, id: String },

    #[error("line {line}: the contact {id} is called \"{name}\" here and \"{earlier}\" before: a contact has one name")]
    TwoNames { line: u64, id: String, name: String, earlier: String },

    #[error("line {line}: several contacts are called \"{name}\": say which by its contact_id")]
    WhichContact { line: u64, name: String },

    #[error("line {line}: {name} weighs {weight} here and {earlier} in another line: a person has one weight")]
    TwoWeights { line: u64, name: String, weight: String, earlier: String },

    #[error("the file names {found} people, the most is {max}")]
    TooManyPeople { found: usize, max: usize },

    #[error("the file has bills of several people: say which of them you are (--me NAME): {}", quoted(people))]
    WhoAmI { people: Vec<String> },

    #[error("nobody in this file is named \"{name}\": it has {}", quoted(people))]
    UnknownPerson { name: String, people: Vec<String> },

    #[error("line {line}: the amounts are too large to be added up exactly: correct or remove the row")]
    TooLarge { line: u64 },
}

fn quoted(people: &[String]) -> String {
    people.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
}
