//! Which rows carry the mark Waiting: what has been in the outbox for over a second.

use std::collections::HashSet;

use tidebook_book::UnixMillis;
use tidebook_ledger::{ContactId, Ledger, LedgerOp, TransactionId};
use tidebook_replica::Pending;

/// A mark on everything that is saved within this would only flicker.
pub const MARKED_AFTER_MS: i64 = 1_000;

/// What waits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Waiting {
    pub contacts: HashSet<ContactId>,
    pub transactions: HashSet<TransactionId>,
}

/// What of the outbox has waited long enough to be marked, and in how many milliseconds the next will have.
#[must_use]
pub fn waiting<'a>(pending: impl Iterator<Item = &'a Pending<Ledger>>, now: UnixMillis) -> (Waiting, Option<i64>) {
    let mut waiting = Waiting::default();
    let mut next_in = None::<i64>;
    for pending in pending {
        let due_in = MARKED_AFTER_MS - (now.0 - pending.mutation.made_at.0);
        if due_in > 0 {
            next_in = Some(next_in.map_or(due_in, |sooner| sooner.min(due_in)));
        } else {
            pending.mutation.ops.iter().for_each(|op| waiting.mark(op));
        }
    }
    (waiting, next_in)
}

impl Waiting {
    fn mark(&mut self, op: &LedgerOp) {
        match op {
            LedgerOp::CreateContact { id, .. } | LedgerOp::UpdateContact { id, .. } => drop(self.contacts.insert(*id)),
            LedgerOp::CreateTransaction { id, contact, .. } => {
                self.transactions.insert(*id);
                self.contacts.insert(*contact);
            }
            LedgerOp::UpdateTransaction { id, .. } => drop(self.transactions.insert(*id)),
            _ => {}
        }
    }
}
