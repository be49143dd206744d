//! What leaves the server for a person's line.

use tidebook_book::{BookId, Seq, Snapshot, UserId};
use tidebook_ledger::Ledger;
use tidebook_protocol::{Down, Subscribed};

use super::{Checked, Checker, Invariant};
use crate::queue::Ms;

/// Entries of a book.
pub(crate) type Told = (BookId, Vec<Seq>);

impl Checker {
    /// A frame is put on a line to a person. Returns the entries it tells of.
    pub(crate) fn check_sent(
        &self,
        user: UserId,
        replica: tidebook_book::ReplicaId,
        text: &str,
    ) -> Checked<Option<Told>> {
        self.check_canaries(user, text)?;
        for kind in ["entries", "fates"] {
            if let Some((book, entries)) = entries_in(kind, text) {
                self.check_member(user, book, kind)?;
                let seqs = self.check_entries(book, entries)?;
                self.check_not_after_leaving(user, book, &seqs)?;
                return if kind == "entries" { check_contiguous(&seqs) } else { Ok(()) }.map(|()| Some((book, seqs)));
            }
        }
        match Down::parse(text) {
            Ok(Down::Subscribed(subscribed)) => self.check_subscribed(user, replica, &subscribed)?,
            Ok(Down::People(people)) => self.check_member(user, people.book, "people")?,
            Ok(Down::SnapshotRequired(required)) => {
                self.check_member(user, required.book, "snapshot_required")?;
                // Who lies is somewhere else indeed.
                let may_differ = self.book(required.book).was_restored() || replica.0.is_nil();
                Invariant::Honest.require(required.from_seq.is_some() || may_differ, || {
                    format!("{replica} is told that its history is another, and there is one alone")
                })?;
            }
            Ok(Down::Presence(presence)) => {
                self.check_member(user, presence.book, "presence")?;
                let gone = presence.peers.iter().find(|peer| !self.may_be_told(peer.user, presence.book));
                Invariant::Presence.require(gone.is_none(), || format!("{gone:?} is shown and was removed"))?;
            }
            Ok(Down::Welcome(_) | Down::Refused(_) | Down::Role(_) | Down::Drain { .. }) => {}
            other => return Err(Invariant::Honest.broken(format!("the server says {other:?}"))),
        }
        Ok(None)
    }

    /// The same for somebody who lies, and is told so; what is said of the replica they give themselves out for is not
    /// about theirs.
    pub(crate) fn check_sent_to_liar(&self, user: UserId, text: &str) -> Checked<Option<Told>> {
        let is_complaint = matches!(Down::parse(text), Ok(Down::Error { .. }));
        if is_complaint {
            return self.check_canaries(user, text).map(|()| None);
        }
        // An id that nobody has: no number is said to be in the log for it.
        self.check_sent(user, tidebook_book::ReplicaId(uuid::Uuid::nil()), text)
    }

    /// A snapshot leaves the server for a person.
    pub(crate) fn check_snapshot(&self, user: UserId, book: BookId, text: &str) -> Checked {
        self.check_canaries(user, text)?;
        self.check_member(user, book, "snapshot")?;
        let check = self.book(book);
        let snapshot: Snapshot<Ledger> =
            serde_json::from_str(text).map_err(|error| Invariant::Honest.broken(error.to_string()))?;
        let seq = snapshot.seq;
        let is_there = check.hash_at(seq) == Some(snapshot.hash);
        Invariant::CommitFirst.require(is_there, || format!("a snapshot is of {seq}, which is not on disk"))?;
        let same = snapshot.into_state().hash() == check.state_at(seq).hash();
        Invariant::Convergence.require(same, || format!("a snapshot at {seq} is another state than the log's"))
    }

    /// What everything of a book contains goes to its members alone.
    fn check_canaries(&self, user: UserId, text: &str) -> Checked {
        let foreign = self.books.iter().filter(|(book, _)| !self.may_be_told(user, **book));
        let found = foreign.into_iter().find(|(_, check)| text.contains(&check.canary));
        Invariant::Secrecy.require(found.is_none(), || format!("{user} is no member and is sent {}", shortened(text)))
    }

    fn check_member(&self, user: UserId, book: BookId, kind: &str) -> Checked {
        let may = self.may_be_told(user, book);
        Invariant::Secrecy.require(may, || format!("{user} is no member and is sent {kind}"))
    }

    /// A member is told; who was removed no longer, but for what another node said before it could have heard of it.
    fn may_be_told(&self, user: UserId, book: BookId) -> bool {
        let check = self.book(book);
        let unheard = |unheard_ms: Ms| check.left(user).is_some_and(|(left_at, _)| self.now <= left_at + unheard_ms);
        check.role_of(user).is_some() || self.unheard_ms.is_some_and(unheard)
    }

    /// Wherever it is told from: nothing from the entry on that removed them.
    fn check_not_after_leaving(&self, user: UserId, book: BookId, seqs: &[Seq]) -> Checked {
        let check = self.book(book);
        let first = check.left(user).filter(|_| check.role_of(user).is_none()).map(|(_, seq)| seq);
        let after = first.and_then(|first| seqs.iter().find(|seq| **seq >= first));
        Invariant::Secrecy.require(after.is_none(), || {
            format!("{user} is sent entry {after:?}, after they were removed by {first:?}")
        })
    }

    /// Each is committed, byte for byte.
    fn check_entries(&self, book: BookId, mut rest: &str) -> Checked<Vec<Seq>> {
        let check = self.book(book);
        let mut seqs = Vec::new();
        while !rest.is_empty() {
            let seq = seq_of(rest).ok_or_else(|| Invariant::Honest.broken(shortened(rest)))?;
            let committed = check.bytes(seq);
            Invariant::CommitFirst.require(committed.is_some(), || format!("entry {seq} is told and not on disk"))?;
            let bytes = committed.and_then(|bytes| std::str::from_utf8(bytes).ok());
            let after = bytes.and_then(|bytes| rest.strip_prefix(bytes));
            let Some(after) = after else {
                return Err(Invariant::GaplessOrder.broken(format!("entry {seq} is told as {}", shortened(rest))));
            };
            seqs.push(seq);
            rest = after.strip_prefix(',').unwrap_or(after);
        }
        Ok(seqs)
    }

    fn check_subscribed(&self, user: UserId, replica: tidebook_book::ReplicaId, said: &Subscribed) -> Checked {
        self.check_member(user, said.book, "subscribed")?;
        let check = self.book(said.book);
        let is_role = check.role_of(user) == Some(said.role);
        Invariant::Standing.require(is_role, || format!("{user} is told to be {:?}", said.role))?;
        let last = check.last_number(replica);
        Invariant::CommitFirst.require(said.accepted.0 <= last || check.may_use_up_numbers_of(replica), || {
            format!("a replica hears that {} is in the log, where {last} is the last", said.accepted)
        })?;
        let is_head = check.hash_at(said.head) == Some(said.head_hash);
        Invariant::CommitFirst.require(is_head, || format!("the head is said to be {}", said.head))
    }
}

fn check_contiguous(seqs: &[Seq]) -> Checked {
    let gap = seqs.windows(2).find(|pair| pair[1] != pair[0].next());
    Invariant::GaplessOrder.require(gap.is_none(), || format!("entries {gap:?} are told one after the other"))
}

/// The book, and the entries side by side, of a frame as it is written.
fn entries_in<'a>(kind: &str, text: &'a str) -> Option<(BookId, &'a str)> {
    let rest = text.strip_prefix(r#"{"type":""#)?.strip_prefix(kind)?.strip_prefix(r#"","book":""#)?;
    let (book, entries) = rest.split_once(r#"","entries":["#)?;
    Some((book.parse().ok()?, entries.strip_suffix("]}")?))
}

fn seq_of(entry: &str) -> Option<Seq> {
    let (seq, _) = entry.strip_prefix(r#"{"seq":"#)?.split_once(',')?;
    seq.parse().ok().map(Seq)
}

fn shortened(text: &str) -> String {
    text.chars().take(300).collect()
}
