//! What a server can say that does not fit what a copy has.

use tidebook_book::{Epoch, Seq};

/// Why a copy has to start over from a snapshot. Nothing of what was said is taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Contradiction {
    #[error("entry {got} came where {expected} was due")]
    Gap { expected: Seq, got: Seq },
    /// A change this version does not know, or no entry at all.
    #[error("unreadable entry: {0}")]
    Unreadable(#[from] serde_json::Error),
    #[error("the history is {theirs}, the copy is of {ours}")]
    AnotherEpoch { ours: Epoch, theirs: Epoch },
    #[error("the head is {head}, the copy has got to {seq}")]
    HeadBehind { head: Seq, seq: Seq },
    #[error("the log up to {0} is another than the copy's")]
    AnotherLog(Seq),
    #[error("the snapshot at {0} holds another state than its hash says")]
    AnotherState(Seq),
}

/// How often what the server said did not fit what a copy has. In a healthy life, never.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contradictions {
    pub count: u32,
    /// The last one, in words for whoever looks into it.
    pub last: Option<String>,
}

impl Contradictions {
    pub(crate) fn note(&mut self, contradiction: &Contradiction) {
        self.count = self.count.saturating_add(1);
        self.last = Some(contradiction.to_string());
    }
}
