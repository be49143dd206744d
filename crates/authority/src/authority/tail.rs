//! What another node wrote: several nodes may decide for one book, and its log tells which of them came first.

use tidebook_book::{BookChange, Domain, EncodedEntry, Entry, Seq};

use super::Authority;
use crate::batch::NumberRow;

/// Why the log's entries do not go on from this authority's head. Load the book anew: what it says then is for people.
#[derive(Debug, thiserror::Error)]
pub enum TailError {
    #[error("entry {got} comes where {expected} was due")]
    Gap { expected: Seq, got: Seq },
    #[error("entry {0} does not follow from the entry before it")]
    AnotherLog(Seq),
    /// A node of a later version wrote it.
    #[error("entry {seq} cannot be read here: {error}")]
    Unreadable { seq: Seq, error: serde_json::Error },
}

impl<D: Domain> Authority<D> {
    /// Takes in entries that follow the head, and the last numbers of those replicas whose numbers were used since. What
    /// does not follow changes nothing.
    ///
    /// Nothing of this node's own may be on its way: [`Authority::handle_failed`] first where it came too late.
    pub fn handle_tail(
        &mut self,
        entries: &[EncodedEntry],
        numbers: impl IntoIterator<Item = NumberRow>,
    ) -> Result<(), TailError> {
        assert!(self.uncommitted.is_empty(), "what is staged follows from another head");
        let read = self.read_tail(entries)?;
        for entry in &read {
            self.state.apply_entry(entry);
            self.replicas.insert(entry.replica, (entry.by, entry.n));
        }
        self.replicas.extend(numbers.into_iter().map(|row| (row.replica, (row.user, row.n))));
        if let Some(last) = entries.last() {
            (self.head, self.hash) = (last.seq, last.hash);
        }
        self.staged.expected_head = self.head;
        Ok(())
    }

    fn read_tail(&self, entries: &[EncodedEntry]) -> Result<Vec<Entry<BookChange<D>>>, TailError> {
        let (mut seq, mut hash) = (self.head, self.hash);
        let read = |encoded: &EncodedEntry| {
            (seq, hash) = (seq.next(), hash.followed_by(&encoded.bytes));
            if encoded.seq != seq {
                return Err(TailError::Gap { expected: seq, got: encoded.seq });
            }
            if encoded.hash != hash {
                return Err(TailError::AnotherLog(seq));
            }
            serde_json::from_slice(&encoded.bytes).map_err(|error| TailError::Unreadable { seq, error })
        };
        entries.iter().map(read).collect()
    }
}
