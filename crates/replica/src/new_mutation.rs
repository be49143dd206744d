//! What a person did, and why it may not enter the outbox.

use tidebook_book::{MutationId, Rejected, Seq, UnixMillis};
use tidebook_protocol::{MUTATION_BYTES_MAX, MUTATION_OPS_MAX};

/// What a person did, on its way into the outbox.
#[derive(Debug, Clone)]
pub struct NewMutation<Op> {
    /// New and unique; a version 7 UUID is best.
    pub id: MutationId,
    pub made_at: UnixMillis,
    /// When the edited values were read; see [`crate::BookCopy::seen`].
    pub base: Seen,
    pub ops: Vec<Op>,
    /// The entry whose inverse this is.
    pub undoes: Option<Seq>,
}

/// How much of a copy somebody had seen at some time. Of what was read before the copy started over, no more counts than
/// its new history shares with the one before. The default: nothing at all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seen {
    pub(crate) seq: Seq,
    /// How often the copy had started over.
    pub(crate) starts: u32,
}

impl Seen {
    /// The same as of this entry, for what takes it back.
    #[must_use]
    pub fn at(self, seq: Seq) -> Self {
        Self { seq, ..self }
    }
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
