//! What follows from an op, or why nothing does.
//!
//! One file per kind of op. What they share: [`check`] looks at content, [`deletion`] tells whether a record stands for
//! the author, and [`Outcome`] gathers changes together with what each write closes.

mod check;
mod create;
mod delete;
mod deletion;
mod outcome;
mod resolve;
mod update;

use tidebook_book::{Draft, Rejected};

use self::check::rejected;
use self::deletion::{Deletion, deletion_of, unknown};
use self::outcome::Outcome;
use crate::{LedgerChange, LedgerOp, LedgerState, RecordRef};

type Decision = Result<Vec<LedgerChange>, Rejected>;

pub(crate) fn decide(state: &LedgerState, op: &LedgerOp, draft: &Draft) -> Decision {
    match op {
        LedgerOp::CreateContact { .. } | LedgerOp::CreateTransaction { .. } => create::decide(state, op.clone(), draft),
        LedgerOp::UpdateBook { set } => update::decide(state, RecordRef::Book, set, draft),
        LedgerOp::UpdateContact { id, set } => update::decide(state, RecordRef::Contact(*id), set, draft),
        LedgerOp::UpdateTransaction { id, set } => update::decide(state, RecordRef::Transaction(*id), set, draft),
        LedgerOp::DeleteContact { id } => delete::delete(state, RecordRef::Contact(*id), draft),
        LedgerOp::DeleteTransaction { id } => delete::delete(state, RecordRef::Transaction(*id), draft),
        LedgerOp::RestoreContact { id } => delete::restore(state, RecordRef::Contact(*id), draft),
        LedgerOp::RestoreTransaction { id } => delete::restore(state, RecordRef::Transaction(*id), draft),
        LedgerOp::ResolveConflict { id, apply } => resolve::decide(state, *id, *apply, draft),
    }
}
