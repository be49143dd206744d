//! The domain: contacts, transactions, money.
//!
//! Amounts are integers in the currency's minor unit, summed per currency and never across. Balances are derived from
//! the transactions that stand and never stored as truth.

mod change;
mod checked;
mod contact;
mod date;
mod decide;
mod domain;
mod id;
mod money;
mod op;
mod state;
mod text;
mod transaction;
mod view;

pub mod import;

pub use change::LedgerChange;
pub use checked::Checked;
pub use contact::{Contact, Created};
pub use date::{CivilDate, CivilDateError};
pub use domain::{Ledger, Touched};
pub use id::{ContactId, TransactionId};
pub use money::{
    AMOUNT_MAX, AmountInputError, Currency, CurrencyError, Direction, GROSS_MAX, minor_digits, parse_amount,
};
pub use op::LedgerOp;
pub use state::{Balances, BookFacts, LedgerState};
pub use text::name_fault;
pub use transaction::Transaction;
pub use view::{ContactView, TransactionView};

/// The state of a book of this domain.
pub type LedgerBook = tidebook_book::BookState<Ledger>;
