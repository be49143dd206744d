//! What a person wrote that never came into its book, in words.

use serde::{Deserialize, Serialize};
use tidebook_book::{BookId, MutationId};
use tidebook_ledger::Ledger;
use tidebook_replica::BookCopy;

use crate::app::op_words::op_words;

/// A book that the person is no longer in. Kept on the device until they have dealt with it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Lost {
    pub(crate) book: BookId,
    pub(crate) name: String,
    /// What they wrote that never came into it, in words.
    pub(crate) unsent: Vec<String>,
}

/// What a person has to decide on: a change the book did not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RejectedChange {
    pub(crate) mutation: MutationId,
    pub(crate) ops: Vec<String>,
    pub(crate) reason: String,
}

/// What of a copy never came into its book.
pub(super) fn unsent_words(copy: &BookCopy<Ledger>) -> Vec<String> {
    let state = &copy.view().domain;
    let rejected = copy.rejections().iter().map(|rejection| &rejection.mutation.ops);
    let ops = rejected.chain(copy.pending().map(|pending| &pending.mutation.ops));
    ops.flatten().map(|op| op_words(op, state)).collect()
}

pub(super) fn rejected_changes(copy: &BookCopy<Ledger>) -> Vec<RejectedChange> {
    let rejected = copy.rejections().iter().map(|rejection| RejectedChange {
        mutation: rejection.mutation.id,
        ops: rejection.mutation.ops.iter().map(|op| op_words(op, &copy.view().domain)).collect(),
        reason: rejection.rejected.detail.clone(),
    });
    rejected.collect()
}
