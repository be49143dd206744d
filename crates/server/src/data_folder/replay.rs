//! A book's log, replayed from nothing: the state it leads to, and what the store keeps beside it.

use std::collections::BTreeMap;

use tidebook_authority::{Head, NumberRow};
use tidebook_book::{
    BookChange, ChainHash, Change, Entry, MemberChange, MutationNumber, ReplicaId, Role, Seq, UnixMillis, UserId,
};
use tidebook_event_store::MembershipRow;
use tidebook_ledger::{Ledger, LedgerBook};

pub(super) type LedgerEntry = Entry<BookChange<Ledger>>;

/// Feed it entries from seq 1 on.
#[derive(Debug)]
pub(super) struct Replay {
    pub(super) state: LedgerBook,
    pub(super) head: Head,
    /// By first membership.
    pub(super) memberships: Vec<Membership>,
    pub(super) lines: BTreeMap<ReplicaId, Line>,
}

/// Who is or was in the book, and which entry last said so.
#[derive(Debug)]
pub(super) struct Membership {
    pub(super) row: MembershipRow,
    pub(super) seq: Seq,
}

/// A replica's mutations: whose they are, the last one's number, and its entry.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) user: UserId,
    pub(super) n: MutationNumber,
    pub(super) seq: Seq,
}

impl Replay {
    pub(super) fn from_nothing() -> Self {
        let head = Head { seq: Seq::ZERO, hash: ChainHash::ZERO };
        Self { state: LedgerBook::default(), head, memberships: Vec::new(), lines: BTreeMap::new() }
    }

    /// Takes the next entry in. An error says what is wrong with it; then the replay is over.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<LedgerEntry, String> {
        let entry: LedgerEntry =
            serde_json::from_slice(bytes).map_err(|error| format!("the entry cannot be read: {error}"))?;
        if entry.seq != self.head.seq.next() {
            return Err(format!("the entry says that its seq is {}", entry.seq));
        }
        self.follow_line(&entry)?;
        for (user, role) in memberships_in(&entry) {
            self.follow_membership(user, role, entry.at, entry.seq);
        }
        self.state.apply_entry(&entry);
        self.head = Head { seq: entry.seq, hash: self.head.hash.followed_by(bytes) };
        Ok(entry)
    }

    /// Numbers may be left out, where one was used up by a mutation that stands elsewhere, but never come again.
    fn follow_line(&mut self, entry: &LedgerEntry) -> Result<(), String> {
        let (replica, user, n, seq) = (entry.replica, entry.by, entry.n, entry.seq);
        let line = self.lines.entry(replica).or_insert(Line { user, n: MutationNumber::ZERO, seq });
        if line.user != user {
            return Err(format!("replica {replica} is used by a second person"));
        }
        if n <= line.n {
            return Err(format!("replica {replica} has its number {n} after its number {}", line.n));
        }
        (line.n, line.seq) = (n, seq);
        Ok(())
    }

    /// As the store keeps its index: who comes back keeps their place, and is a member since then; who was never there has
    /// none to be removed from.
    fn follow_membership(&mut self, user: UserId, role: Option<Role>, at: UnixMillis, seq: Seq) {
        match self.memberships.iter_mut().find(|membership| membership.row.user == user) {
            Some(known) => {
                if known.row.role.is_none() && role.is_some() {
                    known.row.since = at;
                }
                (known.row.role, known.seq) = (role, seq);
            }
            None if role.is_none() => {}
            None => self.memberships.push(Membership { row: MembershipRow { user, role, since: at }, seq }),
        }
    }

    pub(super) fn numbers(&self) -> impl Iterator<Item = NumberRow> {
        self.lines.iter().map(|(replica, line)| NumberRow { replica: *replica, user: line.user, n: line.n })
    }
}

/// Who an entry says is in the book from it on, in order; a role of `None` is a removal.
pub(super) fn memberships_in(entry: &LedgerEntry) -> impl Iterator<Item = (UserId, Option<Role>)> {
    entry.changes.iter().filter_map(|change| match change {
        Change::Member(MemberChange::Added { user, role } | MemberChange::RoleChanged { user, role }) => {
            Some((*user, Some(*role)))
        }
        Change::Member(MemberChange::Removed { user }) => Some((*user, None)),
        Change::Domain(_) => None,
    })
}
