//! What is committed together.

use tidebook_book::{EncodedEntry, MutationId, MutationNumber, ReplicaId, Role, Seq, UnixMillis, UserId};

/// Entries of one book and all that must become durable with them, in one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The head this batch follows; the store refuses it where the head is another.
    pub expected_head: Seq,
    pub entries: Vec<StagedEntry>,
    /// Each replica's last number after this batch.
    pub numbers: Vec<NumberRow>,
    /// Members added, changed and removed, in order.
    pub members: Vec<MemberRow>,
}

/// An entry, and what the log is searched by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StagedEntry {
    pub entry: EncodedEntry,
    pub id: MutationId,
    pub replica: ReplicaId,
    pub n: MutationNumber,
}

/// A replica's last number in a book, and whose replica it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NumberRow {
    pub replica: ReplicaId,
    pub user: UserId,
    pub n: MutationNumber,
}

/// A person's role from an entry on; `None` where they left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemberRow {
    pub user: UserId,
    pub role: Option<Role>,
    pub at: UnixMillis,
}

impl Batch {
    pub(crate) fn after(head: Seq) -> Self {
        Self { expected_head: head, entries: Vec::new(), numbers: Vec::new(), members: Vec::new() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.numbers.is_empty()
    }

    pub(crate) fn set_number(&mut self, row: NumberRow) {
        match self.numbers.iter_mut().find(|known| known.replica == row.replica) {
            Some(known) => *known = row,
            None => self.numbers.push(row),
        }
    }
}
