//! Files of other programs, and of our own, read into [`Plan`]s that a person can look at before anything is written.
//! Pure: text in, plan out; no files, no clock.

mod plan;
pub use plan::{Doubt, Plan, PlannedContact, PlannedTransaction, SkipReason, Total, missing_ops};

pub mod csv;
pub mod json;
pub mod splitwise;

mod table;
pub use table::TableError;

mod balances;
mod decimal;
mod proportion;
