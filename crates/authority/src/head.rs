//! Where a log ends.

use tidebook_book::{ChainHash, Seq};

/// The last committed entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    pub seq: Seq,
    /// The chain's hash after it.
    pub hash: ChainHash,
}
