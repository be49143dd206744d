//! The domain: contacts, transactions, money.
//!
//! Amounts are integers in the currency's minor unit, summed per currency and never across. Balances are derived from
//! the transactions that stand and never stored as truth.

mod apply;
mod book;
mod cause;
mod change;
mod checked;
mod conflict;
mod contact;
mod date;
mod decide;
mod domain;
mod field;
mod id;
mod money;
mod named_fields;
mod op;
mod record;
mod state;
mod text;
mod transaction;
mod undo;
mod view;

// A browser downloads what it uses, and what is compiled beside that changes how small it gets: files are read and written
// by native programs alone.
#[cfg(not(target_arch = "wasm32"))]
pub mod export;
#[cfg(not(target_arch = "wasm32"))]
pub mod import;

pub use apply::Undo;
pub use book::{BookFacts, BookRecord};
pub use cause::cause_of;
pub use change::LedgerChange;
pub use checked::Checked;
pub use conflict::{Conflict, ConflictKind, Offered, OpenConflict, Standing};
pub use contact::Contact;
pub use date::{CivilDate, CivilDateError};
pub use domain::{Ledger, Touched};
pub use field::{Field, FieldSet, FieldValue};
pub use id::{ConflictId, ContactId, TransactionId};
pub use money::{
    AMOUNT_MAX, AmountInputError, Currency, CurrencyError, Direction, GROSS_MAX, minor_digits, parse_amount,
};
pub use op::LedgerOp;
pub use record::{Changed, Created, RecordKind, RecordRef, Stamp};
pub use state::{Balances, LedgerState};
pub use text::name_fault;
pub use transaction::{PastAmount, Transaction};
pub use undo::{inverse_of, left_out};
pub use view::{ContactView, TransactionView};

/// The state of a book of this domain.
pub type LedgerBook = tidebook_book::BookState<Ledger>;
