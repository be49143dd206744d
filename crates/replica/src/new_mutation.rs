//! What a person did, and why it may not enter the outbox.

use tidebook_book::{MutationId, Rejected, Seq, UnixMillis};
use tidebook_protocol::{MUTATION_BYTES_MAX, MUTATION_OPS_MAX};

/// What a person did, on its way into the outbox.
#[derive(Debug, Clone)]
pub struct NewMutation<Op> {
    /// New and unique; a version 7 UUID is best.
    pub id: MutationId,
    pub made_at: UnixMillis,
    /// The seq the edited values were read at; see [`crate::BookCopy::seq`]. One above it, of a form that was open when the
    /// copy started over, counts as it.
    pub base: Seq,
    pub ops: Vec<Op>,
    /// The entry whose inverse this is.
    pub undoes: Option<Seq>,
}

/// Why a mutation did not enter the outbox. Nothing changed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum MutateError {
    #[error("this book is not open here")]
    NotOpen,
    #[error("there is nothing to change")]
    Empty,
    #[error("{ops} changes at once are too many; at most {MUTATION_OPS_MAX}")]
    TooManyOps { ops: usize },
    #[error("{bytes} bytes at once are too many; at most {MUTATION_BYTES_MAX}")]
    TooLarge { bytes: usize },
    #[error("{}", .0.detail)]
    Rejected(Rejected),
}
